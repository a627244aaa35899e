//! File environment: every file the state layer writes goes through the [`FileEnv`] trait, so that tests can put a
//! crash or a failing disk under the same code that runs on a real one.
//!
//! - [`RealEnv`]: the operating system's files.
//! - [`MemEnv`]: files in memory, which knows what was synced and can lose, tear or reorder what was not.
//! - [`FailingEnv`]: wraps another environment and fails chosen operations.
//!
//! Files have positioned reads and writes that take `&self`; there is no shared cursor. Paths are used as given.

mod failing;
mod mem;
mod real;

use std::{
    ffi::OsString,
    fmt::Debug,
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

pub use failing::{FailingEnv, Op};
pub use mem::{CrashMode, MemEnv};
pub use real::RealEnv;

/// How [`FileEnv::open`] opens a file. New files get mode 0666 less the process umask.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OpenMode {
    /// Existing file, reading only.
    Read,
    /// Existing file, reading and writing.
    ReadWrite,
    /// Reading and writing; created empty if missing, content kept.
    Create,
    /// Reading and writing; created if missing, content discarded.
    Truncate,
    /// Reading and writing; fails with `AlreadyExists` if there is one.
    CreateNew,
}

impl OpenMode {
    /// Whether the mode allows writing.
    pub fn writable(self) -> bool {
        self != OpenMode::Read
    }
}

/// One name in a directory, from [`FileEnv::list`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct DirEntry {
    /// File name without directory.
    pub name: OsString,
    /// Whether it is a directory (a symbolic link to one counts).
    pub is_dir: bool,
}

/// An open file with positioned access.
pub trait File: Send + Sync + Debug {
    /// Reads at `offset`, returns the number of bytes; 0 at or after the end. May return fewer than asked.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// Writes all of `data` at `offset`, growing the file as needed.
    fn write_at(&self, data: &[u8], offset: u64) -> io::Result<()>;

    /// Length in bytes.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file has no bytes.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }

    /// Cuts or extends (with zeros) to `len` bytes.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Reserves disk space for a range and extends the length to its end; never shortens, never changes data.
    fn allocate(&self, offset: u64, len: u64) -> io::Result<()>;

    /// Makes content and length durable (`fdatasync`). The name needs [`FileEnv::sync_dir`].
    fn sync(&self) -> io::Result<()>;

    /// Fills `buf` from `offset`; `UnexpectedEof` if the file ends before.
    fn read_exact_at(&self, buf: &mut [u8], offset: u64) -> io::Result<()> {
        let mut done = 0;
        while done < buf.len() {
            match self.read_at(&mut buf[done..], offset + done as u64) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => done += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }
}

/// Held advisory lock; dropping it releases the lock.
pub trait FileLock: Send + Sync + Debug {}

/// Why [`FileEnv::lock`] failed.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// This process holds the lock already.
    #[error("already held by process")]
    HeldHere,
    /// Another process holds the lock.
    #[error("{}", os_error_text(.0))]
    HeldElsewhere(io::Error),
    /// The lock file cannot be created or opened for writing.
    #[error("{}", os_error_text(.0))]
    Io(io::Error),
}

/// A file system. Object safe; share it as `Arc<dyn FileEnv>`.
pub trait FileEnv: Send + Sync + Debug {
    /// Opens a file.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>>;

    /// Renames a file or directory; an existing file at `to` is replaced in one step.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file. Open handles keep working.
    fn remove_file(&self, path: &Path) -> io::Result<()>;

    /// Removes an empty directory.
    fn remove_dir(&self, path: &Path) -> io::Result<()>;

    /// Creates a directory and its missing parents; an existing one is no error.
    fn create_dir_all(&self, path: &Path) -> io::Result<()>;

    /// Names in a directory, in no particular order.
    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>>;

    /// Whether there is a file or directory; false also if it cannot be looked at.
    fn exists(&self, path: &Path) -> bool;

    /// Whether there is a directory.
    fn is_dir(&self, path: &Path) -> bool;

    /// Length of a file in bytes.
    fn file_len(&self, path: &Path) -> io::Result<u64>;

    /// Makes the names in a directory durable (`fsync` of the directory).
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes an exclusive advisory lock on `path`, created if missing, without waiting. On Unix a `fcntl(F_SETLK)`
    /// write lock over the whole file, as the reference takes it on `.lock` and LevelDB on `LOCK`.
    fn lock(&self, path: &Path) -> Result<Box<dyn FileLock>, LockError>;

    /// Free bytes available to this user on the file system that holds `path`.
    fn free_space(&self, path: &Path) -> io::Result<u64>;

    /// Whole content of a file.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        let file = self.open(path, OpenMode::Read)?;
        let mut data = Vec::new();
        // The length is a hint from the file system: grow by it in bounded steps.
        let mut chunk = vec![0; (file.len()?.min(1 << 20) as usize).max(1)];
        loop {
            match file.read_at(&mut chunk, data.len() as u64) {
                Ok(0) => return Ok(data),
                Ok(n) => data.extend_from_slice(&chunk[..n]),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }

    /// Writes a file and syncs its content. Not atomic, see [`replace_file`].
    fn write_synced(&self, path: &Path, data: &[u8]) -> io::Result<()> {
        let file = self.open(path, OpenMode::Truncate)?;
        file.write_at(data, 0)?;
        file.sync()
    }
}

/// Replaces `path` so that after a crash it holds the old or the new content: writes and syncs `temp` (same
/// directory), renames it over `path`, syncs the directory.
pub fn replace_file(env: &dyn FileEnv, path: &Path, temp: &Path, data: &[u8]) -> io::Result<()> {
    let result = env.write_synced(temp, data).and_then(|()| env.rename(temp, path));
    if result.is_err() {
        // The first error is the one to report.
        let _ = env.remove_file(temp);
        return result;
    }
    env.sync_dir(&parent(path))
}

/// Directory part of a path; `.` for a bare file name.
pub fn parent(path: &Path) -> PathBuf {
    match path.parent() {
        Some(dir) if !dir.as_os_str().is_empty() => dir.to_path_buf(),
        Some(_) => PathBuf::from("."),
        None => path.to_path_buf(),
    }
}

/// Text of an I/O error as C's `strerror` has it: Rust's own ends in ` (os error N)`.
pub fn os_error_text(error: &io::Error) -> String {
    let text = error.to_string();
    match (error.raw_os_error(), text.find(" (os error ")) {
        (Some(_), Some(at)) => text[..at].to_owned(),
        _ => text,
    }
}

#[cfg(test)]
mod tests;
