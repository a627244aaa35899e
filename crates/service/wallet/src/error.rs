//! Errors inside the wallet.

use grs_interfaces::CallError;

use crate::DbError;

/// Why something could not be done.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WalletError {
    /// The wallet file.
    #[error(transparent)]
    Db(#[from] DbError),
    /// The node.
    #[error(transparent)]
    Call(#[from] CallError),
    /// The wallet itself. The text is the reference's.
    #[error("{0}")]
    Text(String),
}

impl WalletError {
    /// An error with a text.
    pub fn text(text: impl Into<String>) -> WalletError {
        WalletError::Text(text.into())
    }
}

/// What most functions give.
pub type WalletResult<T> = Result<T, WalletError>;
