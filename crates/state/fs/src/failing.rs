//! An environment that fails chosen operations of another one.

use std::{
    fmt, io,
    path::{Path, PathBuf},
    sync::{
        Arc, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use crate::{DirEntry, File, FileEnv, FileLock, LockError, OpenMode};

/// Kind of an operation, for the rule of a [`FailingEnv`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// Opening a file for reading.
    Open,
    /// Opening a file for writing.
    Create,
    /// Reading bytes.
    Read,
    /// Writing bytes, changing the length or reserving space.
    Write,
    /// Syncing a file.
    Sync,
    /// Renaming.
    Rename,
    /// Removing a file or directory.
    Remove,
    /// Creating a directory.
    CreateDir,
    /// Listing a directory or asking a length.
    List,
    /// Syncing a directory.
    SyncDir,
    /// Locking.
    Lock,
}

type Rule = dyn Fn(Op, &Path, u64) -> Option<io::Error> + Send + Sync;

struct Control {
    rule: RwLock<Box<Rule>>,
    count: AtomicU64,
}

impl Control {
    fn check(&self, op: Op, path: &Path) -> io::Result<()> {
        let index = self.count.fetch_add(1, Ordering::Relaxed);
        let rule = self.rule.read().expect("a rule does not panic");
        match rule(op, path, index) {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }
}

/// Wraps an environment; a rule decides for every operation whether it fails instead of reaching the inner one.
#[derive(Clone)]
pub struct FailingEnv {
    inner: Arc<dyn FileEnv>,
    control: Arc<Control>,
}

impl fmt::Debug for FailingEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FailingEnv").field("inner", &self.inner).finish_non_exhaustive()
    }
}

impl FailingEnv {
    /// Wraps `inner`; nothing fails until a rule is set.
    pub fn new(inner: Arc<dyn FileEnv>) -> Self {
        let control = Control { rule: RwLock::new(Box::new(|_, _, _| None)), count: AtomicU64::new(0) };
        Self { inner, control: Arc::new(control) }
    }

    /// Sets the rule: called with kind, path and running number of each operation; an error it returns is the result.
    pub fn set_rule(&self, rule: impl Fn(Op, &Path, u64) -> Option<io::Error> + Send + Sync + 'static) {
        *self.control.rule.write().expect("a rule does not panic") = Box::new(rule);
    }

    /// Fails every operation of `op` from now on with `kind`.
    pub fn fail_all(&self, op: Op, kind: io::ErrorKind) {
        self.set_rule(move |o, _, _| (o == op).then(|| kind.into()));
    }

    /// Fails no operation any more.
    pub fn heal(&self) {
        self.set_rule(|_, _, _| None);
    }

    /// Operations seen so far.
    pub fn operations(&self) -> u64 {
        self.control.count.load(Ordering::Relaxed)
    }
}

struct FailingFile {
    inner: Arc<dyn File>,
    path: PathBuf,
    control: Arc<Control>,
}

impl fmt::Debug for FailingFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("FailingFile").field(&self.path).finish()
    }
}

impl File for FailingFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.control.check(Op::Read, &self.path)?;
        self.inner.read_at(buf, offset)
    }

    fn write_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        self.control.check(Op::Write, &self.path)?;
        self.inner.write_at(data, offset)
    }

    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.control.check(Op::Write, &self.path)?;
        self.inner.set_len(len)
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        self.control.check(Op::Write, &self.path)?;
        self.inner.allocate(offset, len)
    }

    fn sync(&self) -> io::Result<()> {
        self.control.check(Op::Sync, &self.path)?;
        self.inner.sync()
    }
}

impl FileEnv for FailingEnv {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        self.control.check(if mode.writable() { Op::Create } else { Op::Open }, path)?;
        let inner = self.inner.open(path, mode)?;
        Ok(Arc::new(FailingFile { inner, path: path.to_path_buf(), control: self.control.clone() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.control.check(Op::Rename, to)?;
        self.inner.rename(from, to)
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        self.control.check(Op::Remove, path)?;
        self.inner.remove_file(path)
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        self.control.check(Op::Remove, path)?;
        self.inner.remove_dir(path)
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        self.control.check(Op::CreateDir, path)?;
        self.inner.create_dir_all(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        self.control.check(Op::List, dir)?;
        self.inner.list(dir)
    }

    fn exists(&self, path: &Path) -> bool {
        self.inner.exists(path)
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.inner.is_dir(path)
    }

    fn file_len(&self, path: &Path) -> io::Result<u64> {
        self.control.check(Op::List, path)?;
        self.inner.file_len(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.control.check(Op::SyncDir, dir)?;
        self.inner.sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn FileLock>, LockError> {
        self.control.check(Op::Lock, path).map_err(LockError::Io)?;
        self.inner.lock(path)
    }

    fn free_space(&self, path: &Path) -> io::Result<u64> {
        self.inner.free_space(path)
    }
}
