//! Files in memory, with a model of what survives a crash.
//!
//! The model is as strict as POSIX allows: bytes survive for sure only after [`File::sync`], names only after
//! [`FileEnv::sync_dir`] (directories themselves are durable at once). What was not synced is a list of operations;
//! [`MemEnv::crash`] decides which of them reached the disk.

use std::{
    collections::{BTreeMap, HashSet},
    fmt, io,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use crate::{DirEntry, File, FileEnv, FileLock, LockError, OpenMode, parent};

/// What happens to unsynced operations in a [`MemEnv::crash`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CrashMode {
    /// Everything reached the disk (the process died, the machine did not).
    KeepAll,
    /// Nothing that was not synced survives.
    DropUnsynced,
    /// Per file a prefix of its writes survives, the last one perhaps torn; of the name changes a prefix.
    Prefix,
    /// Any subset of writes and name changes survives, writes perhaps torn; holes read as zeros.
    Reorder,
}

#[derive(Clone, Debug)]
enum DataOp {
    Write { offset: u64, data: Vec<u8> },
    SetLen(u64),
}

impl DataOp {
    fn apply(&self, to: &mut Vec<u8>) {
        match self {
            DataOp::Write { offset, data } => {
                let start = *offset as usize;
                let end = start + data.len();
                if to.len() < end {
                    to.resize(end, 0);
                }
                to[start..end].copy_from_slice(data);
            }
            DataOp::SetLen(len) => to.resize(*len as usize, 0),
        }
    }
}

#[derive(Debug, Default)]
struct Content {
    live: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<DataOp>,
}

type Node = Arc<Mutex<Content>>;

#[derive(Clone)]
enum NameOp {
    Link(PathBuf, Node),
    Unlink(PathBuf),
    Rename(PathBuf, PathBuf),
}

impl NameOp {
    fn apply(&self, names: &mut BTreeMap<PathBuf, Node>) {
        match self {
            NameOp::Link(path, node) => {
                names.insert(path.clone(), node.clone());
            }
            NameOp::Unlink(path) => {
                names.remove(path);
            }
            NameOp::Rename(from, to) => {
                if let Some(node) = names.remove(from) {
                    names.insert(to.clone(), node);
                }
            }
        }
    }

    fn touches(&self, dir: &Path) -> bool {
        match self {
            NameOp::Link(path, _) | NameOp::Unlink(path) => parent(path) == dir,
            NameOp::Rename(from, to) => parent(from) == dir || parent(to) == dir,
        }
    }
}

#[derive(Default)]
struct State {
    names: BTreeMap<PathBuf, Node>,
    durable: BTreeMap<PathBuf, Node>,
    pending: Vec<NameOp>,
    dirs: HashSet<PathBuf>,
    locks: HashSet<PathBuf>,
    operations: u64,
    cut_at: Option<u64>,
    free_space: u64,
}

impl State {
    /// Counts a changing operation; fails from the cut on.
    fn tick(&mut self) -> io::Result<()> {
        if self.cut_at.is_some_and(|at| self.operations >= at) {
            return Err(io::Error::other("simulated power cut"));
        }
        self.operations += 1;
        Ok(())
    }

    fn name_op(&mut self, op: NameOp) {
        op.apply(&mut self.names);
        self.pending.push(op);
    }
}

/// File system in memory. Clones share the files.
#[derive(Clone)]
pub struct MemEnv {
    state: Arc<Mutex<State>>,
}

impl Default for MemEnv {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for MemEnv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemEnv").finish_non_exhaustive()
    }
}

/// SplitMix64; enough to choose what a crash destroys.
struct Rng(u64);

impl Rng {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % n.max(1)
    }

    fn torn(&mut self, op: &DataOp) -> DataOp {
        match op {
            DataOp::Write { offset, data } => {
                let keep = self.below(data.len() as u64 + 1) as usize;
                DataOp::Write { offset: *offset, data: data[..keep].to_vec() }
            }
            DataOp::SetLen(len) => DataOp::SetLen(*len),
        }
    }
}

fn lock(mutex: &Mutex<Content>) -> MutexGuard<'_, Content> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl MemEnv {
    /// An empty file system.
    pub fn new() -> Self {
        let state = State { free_space: 1 << 40, ..State::default() };
        Self { state: Arc::new(Mutex::new(state)) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets `operations` more changing operations (create, write, sync, rename, remove) succeed and fails all later
    /// ones; `None` removes the cut.
    pub fn cut_after(&self, operations: Option<u64>) {
        let mut state = self.state();
        state.cut_at = operations.map(|n| state.operations + n);
    }

    /// Changing operations so far.
    pub fn operations(&self) -> u64 {
        self.state().operations
    }

    /// Sets what [`FileEnv::free_space`] answers.
    pub fn set_free_space(&self, bytes: u64) {
        self.state().free_space = bytes;
    }

    /// The file system as found after a crash now. This one fails every later change.
    pub fn crash(&self, mode: CrashMode, seed: u64) -> MemEnv {
        let mut state = self.state();
        state.cut_at = Some(0);
        let mut rng = Rng(seed);
        let mut names = state.durable.clone();
        let keep_names = rng.below(state.pending.len() as u64 + 1) as usize;
        for (i, op) in state.pending.iter().enumerate() {
            let survives = match mode {
                CrashMode::KeepAll => true,
                CrashMode::DropUnsynced => false,
                CrashMode::Prefix => i < keep_names,
                CrashMode::Reorder => rng.below(2) == 0,
            };
            if survives {
                op.apply(&mut names);
            }
        }
        let survived = names.into_iter().map(|(path, node)| {
            let content = lock(&node);
            let data = Self::surviving(&content, mode, &mut rng);
            let fresh = Content { live: data.clone(), durable: data, pending: Vec::new() };
            (path, Arc::new(Mutex::new(fresh)))
        });
        let names: BTreeMap<PathBuf, Node> = survived.collect();
        let after = State {
            durable: names.clone(),
            names,
            dirs: state.dirs.clone(),
            free_space: state.free_space,
            ..State::default()
        };
        MemEnv { state: Arc::new(Mutex::new(after)) }
    }

    fn surviving(content: &Content, mode: CrashMode, rng: &mut Rng) -> Vec<u8> {
        let mut data = content.durable.clone();
        let keep = rng.below(content.pending.len() as u64 + 1) as usize;
        for (i, op) in content.pending.iter().enumerate() {
            match mode {
                CrashMode::KeepAll => op.apply(&mut data),
                CrashMode::DropUnsynced => {}
                CrashMode::Prefix if i < keep => op.apply(&mut data),
                CrashMode::Prefix if i == keep => rng.torn(op).apply(&mut data),
                CrashMode::Prefix => {}
                CrashMode::Reorder => match rng.below(4) {
                    0 => {}
                    1 => rng.torn(op).apply(&mut data),
                    _ => op.apply(&mut data),
                },
            }
        }
        data
    }
}

struct MemFile {
    env: MemEnv,
    node: Node,
    writable: bool,
}

impl fmt::Debug for MemFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemFile").field("len", &lock(&self.node).live.len()).finish()
    }
}

impl MemFile {
    fn change(&self, op: impl FnOnce(&Content) -> Option<DataOp>) -> io::Result<()> {
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        self.env.state().tick()?;
        let mut content = lock(&self.node);
        if let Some(op) = op(&content) {
            op.apply(&mut content.live);
            content.pending.push(op);
        }
        Ok(())
    }
}

impl File for MemFile {
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        let content = lock(&self.node);
        let start = (offset.min(content.live.len() as u64)) as usize;
        let n = buf.len().min(content.live.len() - start);
        buf[..n].copy_from_slice(&content.live[start..start + n]);
        Ok(n)
    }

    fn write_at(&self, data: &[u8], offset: u64) -> io::Result<()> {
        self.change(|_| Some(DataOp::Write { offset, data: data.to_vec() }))
    }

    fn len(&self) -> io::Result<u64> {
        Ok(lock(&self.node).live.len() as u64)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change(|_| Some(DataOp::SetLen(len)))
    }

    fn allocate(&self, offset: u64, len: u64) -> io::Result<()> {
        let end = offset.saturating_add(len);
        self.change(|content| ((content.live.len() as u64) < end).then_some(DataOp::SetLen(end)))
    }

    fn sync(&self) -> io::Result<()> {
        self.env.state().tick()?;
        let content = &mut *lock(&self.node);
        for op in content.pending.drain(..) {
            op.apply(&mut content.durable);
        }
        Ok(())
    }
}

#[derive(Debug)]
struct MemLock {
    env: MemEnv,
    path: PathBuf,
}

impl FileLock for MemLock {}

impl Drop for MemLock {
    fn drop(&mut self) {
        self.env.state().locks.remove(&self.path);
    }
}

impl FileEnv for MemEnv {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<Arc<dyn File>> {
        let mut state = self.state();
        if state.dirs.contains(path) {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let node = match (state.names.get(path).cloned(), mode) {
            (Some(_), OpenMode::CreateNew) => return Err(io::ErrorKind::AlreadyExists.into()),
            (Some(node), OpenMode::Truncate) => {
                state.tick()?;
                let mut content = lock(&node);
                content.live.clear();
                content.pending.push(DataOp::SetLen(0));
                drop(content);
                node
            }
            (Some(node), _) => node,
            (None, OpenMode::Read | OpenMode::ReadWrite) => return Err(io::ErrorKind::NotFound.into()),
            (None, _) => {
                let dir = parent(path);
                if dir != Path::new(".") && dir != Path::new("/") && !state.dirs.contains(&dir) {
                    return Err(io::ErrorKind::NotFound.into());
                }
                state.tick()?;
                let node = Node::default();
                state.name_op(NameOp::Link(path.to_path_buf(), node.clone()));
                node
            }
        };
        Ok(Arc::new(MemFile { env: self.clone(), node, writable: mode.writable() }))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        if state.dirs.contains(from) {
            return Err(io::ErrorKind::Unsupported.into());
        }
        if !state.names.contains_key(from) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.tick()?;
        state.name_op(NameOp::Rename(from.to_path_buf(), to.to_path_buf()));
        Ok(())
    }

    fn remove_file(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        if !state.names.contains_key(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        state.tick()?;
        state.name_op(NameOp::Unlink(path.to_path_buf()));
        Ok(())
    }

    fn remove_dir(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        if !state.dirs.contains(path) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let inside = |p: &PathBuf| parent(p) == path;
        if state.names.keys().any(inside) || state.dirs.iter().any(inside) {
            return Err(io::ErrorKind::DirectoryNotEmpty.into());
        }
        state.tick()?;
        state.dirs.remove(path);
        Ok(())
    }

    fn create_dir_all(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        for dir in path.ancestors().filter(|d| !d.as_os_str().is_empty()) {
            if state.names.contains_key(dir) {
                return Err(io::ErrorKind::NotADirectory.into());
            }
        }
        if !state.dirs.contains(path) {
            state.tick()?;
            let dirs: Vec<PathBuf> = path.ancestors().map(Path::to_path_buf).collect();
            state.dirs.extend(dirs.into_iter().filter(|d| !d.as_os_str().is_empty()));
        }
        Ok(())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<DirEntry>> {
        let state = self.state();
        if !state.dirs.contains(dir) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let entry = |path: &PathBuf, is_dir| {
            let name = path.file_name().filter(|_| parent(path) == dir)?;
            Some(DirEntry { name: name.to_owned(), is_dir })
        };
        let files = state.names.keys().filter_map(|p| entry(p, false));
        let dirs = state.dirs.iter().filter_map(|p| entry(p, true));
        Ok(files.chain(dirs).collect())
    }

    fn exists(&self, path: &Path) -> bool {
        let state = self.state();
        state.names.contains_key(path) || state.dirs.contains(path)
    }

    fn is_dir(&self, path: &Path) -> bool {
        self.state().dirs.contains(path)
    }

    fn file_len(&self, path: &Path) -> io::Result<u64> {
        let state = self.state();
        let node = state.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(lock(node).live.len() as u64)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.tick()?;
        let (now, later) = std::mem::take(&mut state.pending).into_iter().partition(|op| op.touches(dir));
        state.pending = later;
        let now: Vec<NameOp> = now;
        for op in &now {
            op.apply(&mut state.durable);
        }
        Ok(())
    }

    fn lock(&self, path: &Path) -> Result<Box<dyn FileLock>, LockError> {
        if self.state().locks.contains(path) {
            return Err(LockError::HeldHere);
        }
        self.open(path, OpenMode::Create).map_err(LockError::Io)?;
        self.state().locks.insert(path.to_path_buf());
        Ok(Box::new(MemLock { env: self.clone(), path: path.to_path_buf() }))
    }

    fn free_space(&self, _path: &Path) -> io::Result<u64> {
        Ok(self.state().free_space)
    }
}
