//! The smallest interface, used to test connections.

use crate::CallResult;

/// Gives back what it is given.
pub trait Echo: Send + Sync {
    /// Answers what it gets, unchanged.
    fn echo(&self, echo: &str) -> CallResult<String>;
}

/// The [`Echo`] of this process.
#[derive(Debug, Default, Clone, Copy)]
pub struct EchoObject;

impl Echo for EchoObject {
    fn echo(&self, text: &str) -> CallResult<String> {
        Ok(text.to_owned())
    }
}
