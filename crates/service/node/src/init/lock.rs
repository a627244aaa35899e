//! `.lock` files, by which programs keep out of each other's directories.

use std::path::Path;

use grs_fs::{FileLock, LockError, RealEnv};

use super::CLIENT_NAME;

/// Locks a directory, or says why not in the reference's words.
pub(crate) fn lock_directory(dir: &Path) -> Result<Box<dyn FileLock>, String> {
    RealEnv::shared().lock(&dir.join(".lock")).map_err(|e| match e {
        LockError::HeldHere | LockError::HeldElsewhere(_) => format!(
            "Cannot obtain a lock on directory {}. {CLIENT_NAME} is probably already running.",
            dir.display()
        ),
        LockError::Io(_) => format!("Cannot write to directory '{}'; check permissions.", dir.display()),
    })
}
