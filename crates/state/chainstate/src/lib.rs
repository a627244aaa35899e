//! Coins views and cache, connecting and disconnecting blocks, best-chain selection, validation events.
