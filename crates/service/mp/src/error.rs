//! Errors of remote calls.

use capnp::ErrorKind;

/// Why a remote call gave no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The connection ended before or during the call.
    #[error("{0}")]
    Disconnected(String),
    /// The call was dropped before it was executed.
    #[error("call cancelled")]
    Cancelled,
    /// The other side does not know the method.
    #[error("{0}")]
    Unimplemented(String),
    /// The method failed on the other side; its own text, without what the layers between put before it.
    #[error("{0}")]
    Remote(String),
    /// The call could not be made.
    #[error("{0}")]
    Local(String),
}

/// Text of an error for a call made after the connection ended.
pub(crate) const AFTER_DISCONNECT: &str = "IPC client method called after disconnect.";
/// Text of an error for a call during which the connection ended.
pub(crate) const DURING_DISCONNECT: &str = "IPC client method call interrupted by disconnect.";

/// Text of an error for a call of an object that has been destroyed.
pub(crate) const DESTROYED: &str = "object has been destroyed";
/// Text of an error for a blocking call on the thread that has to receive the answer.
pub(crate) const BLOCKING: &str = "blocking call on the IPC thread";

impl Error {
    /// Translates what the RPC layer reports.
    pub(crate) fn from_capnp(error: &capnp::Error) -> Error {
        match error.kind {
            ErrorKind::Disconnected => Error::Disconnected(DURING_DISCONNECT.to_owned()),
            ErrorKind::Unimplemented => Error::Unimplemented(method_text(&error.extra).to_owned()),
            _ if error.extra.is_empty() => Error::Remote(error.to_string()),
            _ => Error::Remote(method_text(&error.extra).to_owned()),
        }
    }
}

/// The text that the method gave its error.
fn method_text(extra: &str) -> &str {
    let text = extra.strip_prefix("remote exception: ").unwrap_or(extra);
    text.strip_prefix("std::exception: ").unwrap_or(text)
}

/// The error with which a method answers: the other libraries expect this prefix of a failure in a method.
pub fn exception(text: impl std::fmt::Display) -> capnp::Error {
    capnp::Error::failed(format!("std::exception: {text}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lose_the_prefixes_of_the_layers() {
        let sent = exception("no such wallet");
        assert_eq!(sent.extra, "std::exception: no such wallet");
        let received = capnp::Error::failed(format!("remote exception: {}", sent.extra));
        assert_eq!(Error::from_capnp(&received), Error::Remote("no such wallet".into()));
    }

    #[test]
    fn kinds_are_kept() {
        assert!(matches!(Error::from_capnp(&capnp::Error::disconnected("x".into())), Error::Disconnected(_)));
        assert!(matches!(
            Error::from_capnp(&capnp::Error::unimplemented("x".into())),
            Error::Unimplemented(_)
        ));
    }
}
