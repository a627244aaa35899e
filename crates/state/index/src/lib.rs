//! Indexes beside the chain state: block filters.
//!
//! An index has a thread that follows the active chain: it takes the next block after the last one it has, or goes back to
//! the fork when that has left the chain. Only blocks that the chain state has on disk are committed, so that an index is
//! never ahead of it after a crash. Files and records are the reference's (`src/index`).

mod filter_db;
mod filter_index;

pub use filter_db::FilterIndexParams;
pub use filter_index::{FilterIndex, IndexSummary, OnFatal};

/// Why an index cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum IndexError {
    /// The database fails.
    #[error("{0}")]
    Database(#[from] grs_leveldb::Error),
    /// A file cannot be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// A block or its undo data cannot be read.
    #[error("{0}")]
    Block(#[from] grs_blockstore::ReadError),
    /// The last block of the index is not in the block index.
    #[error("best block of {0} not found. Please rebuild the index.")]
    UnknownBest(&'static str),
    /// A record is missing or damaged.
    #[error("{0}; index may be corrupted")]
    Corrupt(String),
    /// The disk is full.
    #[error("out of disk space")]
    DiskFull,
}
