//! Errors, printed as LevelDB's status strings, which callers log and tests match.

use std::{io, path::Path};

use grs_fs::os_error_text;

/// Result of a store operation.
pub type Result<T> = std::result::Result<T, Error>;

/// Why a store operation failed. The text form equals LevelDB's `Status::ToString`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Data on disk is damaged.
    #[error("Corruption: {0}")]
    Corruption(String),
    /// A feature this engine does not have.
    #[error("Not implemented: {0}")]
    NotSupported(String),
    /// The caller asked for something impossible.
    #[error("Invalid argument: {0}")]
    InvalidArgument(String),
    /// A file that must exist does not.
    #[error("NotFound: {0}")]
    NotFound(String),
    /// The file system failed.
    #[error("IO error: {0}")]
    Io(String),
}

impl Error {
    pub(crate) fn corruption(text: impl Into<String>) -> Self {
        Error::Corruption(text.into())
    }

    /// An I/O error at `path`, with `strerror`'s text.
    pub(crate) fn io(path: &Path, error: &io::Error) -> Self {
        let text = format!("{}: {}", path.display(), os_error_text(error));
        if error.kind() == io::ErrorKind::NotFound { Error::NotFound(text) } else { Error::Io(text) }
    }

    /// The reference's text for a failed database operation (`dbwrapper.cpp`, HandleError).
    pub fn fatal_text(&self) -> String {
        format!("Fatal LevelDB error: {self}")
    }
}
