//! Descriptor wallet: SQLite records, coin selection, signing, rescan, wallet RPCs.
