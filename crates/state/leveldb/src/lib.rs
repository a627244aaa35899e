//! LevelDB-format key-value store behind the Store trait.
