use std::io;

/// Why blocks or their index cannot be stored or loaded.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file operation failed; the text says which.
    #[error("{0}: {1}")]
    Io(&'static str, #[source] io::Error),
    /// The index database failed.
    #[error("{0}")]
    Database(#[from] grs_leveldb::Error),
    /// The disk is full.
    #[error("Disk space is too low!")]
    OutOfSpace,
    /// What is on disk does not fit together.
    #[error("{0}")]
    Corrupt(String),
    /// The xor key cannot be switched off; the text is the reference's.
    #[error("{0}")]
    XorKey(String),
    /// Shutdown was requested.
    #[error("interrupted")]
    Interrupted,
}

/// Why a block or its undo data cannot be read. Details are logged where the error is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// Not stored, not readable, or damaged.
    #[error("block or undo data cannot be read")]
    Io,
    /// The part of the block that was asked for lies outside it.
    #[error("part lies outside the block")]
    BadPartRange,
}
