//! The one error of every interface method.

/// Why an interface call gave no answer.
///
/// In one process none of these happens by itself, yet callers are written once and handle them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CallError {
    /// The other process is gone, before or during the call. `cause` says what is known about it.
    #[error("{cause}")]
    Disconnected {
        /// What ended the connection, fit for a log line or an RPC error.
        cause: String,
    },
    /// The call was dropped before it was executed.
    #[error("call cancelled")]
    Cancelled,
    /// The method was executed and failed with this text.
    #[error("{0}")]
    Remote(String),
}

impl CallError {
    /// A failure with a text, for implementations of the traits.
    pub fn remote(text: impl Into<String>) -> Self {
        CallError::Remote(text.into())
    }

    /// Loss of the other side, with its cause.
    pub fn disconnected(cause: impl Into<String>) -> Self {
        CallError::Disconnected { cause: cause.into() }
    }

    /// Whether the other side is gone, so that a later call cannot succeed either.
    pub fn is_disconnected(&self) -> bool {
        matches!(self, CallError::Disconnected { .. })
    }

    /// Whether the other side, or one behind it, has stopped answering although its connection is there. It may go on
    /// later.
    pub fn is_silence(&self) -> bool {
        matches!(self, CallError::Remote(text) if text.contains(SILENCE))
    }
}

/// Words of the error of a call to a process that answers nothing any more, and of no other.
pub const SILENCE: &str = "has not answered anything";

/// What every interface method answers.
pub type CallResult<T> = Result<T, CallError>;
