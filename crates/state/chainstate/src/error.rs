use grs_blockstore::{ReadError, StoreError};
use grs_consensus::{BlockRule, BlockValidationError};

/// The node cannot go on: disk full, database broken. The text is what the user sees.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FatalError(pub String);

impl From<StoreError> for FatalError {
    fn from(error: StoreError) -> FatalError {
        FatalError(error.to_string())
    }
}

impl From<grs_leveldb::Error> for FatalError {
    fn from(error: grs_leveldb::Error) -> FatalError {
        FatalError(error.fatal_text())
    }
}

/// Why a block was not accepted or not connected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BlockError {
    /// It breaks a rule.
    #[error("{0}")]
    Invalid(BlockValidationError),
    /// Something of ours failed.
    #[error("{0}")]
    Fatal(#[from] FatalError),
}

impl From<BlockRule> for BlockError {
    fn from(rule: BlockRule) -> BlockError {
        BlockError::Invalid(rule.into())
    }
}

impl From<StoreError> for BlockError {
    fn from(error: StoreError) -> BlockError {
        BlockError::Fatal(error.into())
    }
}

impl From<grs_leveldb::Error> for BlockError {
    fn from(error: grs_leveldb::Error) -> BlockError {
        BlockError::Fatal(error.into())
    }
}

impl From<ReadError> for BlockError {
    fn from(_: ReadError) -> BlockError {
        BlockError::Fatal(FatalError("Failed to read block.".into()))
    }
}

/// Why the chainstate cannot be loaded. Reference: `ChainstateLoadStatus`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// A reindex may help; the user is asked.
    #[error("{0}")]
    Failure(String),
    /// Nothing but other files or a reindex helps.
    #[error("{0}")]
    IncompatibleDb(String),
    /// As [`LoadError::Failure`], when verification could not run for lack of cache.
    #[error("{0}")]
    InsufficientDbCache(String),
    /// Shutdown was requested.
    #[error("interrupted")]
    Interrupted,
}
