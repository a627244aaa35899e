//! The engine: one writer at a time, readers that share what they read, one compacting thread.

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::JoinHandle,
    time::Duration,
};

use grs_fs::{FileEnv, FileLock, LockError, OpenMode};

use crate::{
    Batch, Error, Options, Result, Store, StoreIter, WriteOptions,
    batch::{Changes, parse_record},
    cache::TableCache,
    edit::LEVELS,
    files::{self, FileKind},
    key::{MAX_SEQUENCE, SEEK_TAG, internal},
    log::LogWriter,
    memtable::MemTable,
    merge::DbIter,
    version::Version,
    versions::VersionSet,
};

/// Files in level 0 at which each write waits a little.
const L0_SLOWDOWN: usize = 8;
/// Files in level 0 at which writes wait for a compaction.
const L0_STOP: usize = 12;
/// Largest batch; keeps the indices of a memory table within 32 bits.
const MAX_BATCH: usize = 512 << 20;

/// What readers need: replaced as a whole, so they see a consistent state.
pub(crate) struct ReadState {
    pub(crate) mem: Arc<MemTable>,
    /// Full memory table on its way to a table file.
    pub(crate) imm: Option<Arc<MemTable>>,
    pub(crate) version: Arc<Version>,
}

/// State of maintenance.
pub(crate) struct Inner {
    pub(crate) versions: VersionSet,
    /// Number of the log being written.
    pub(crate) log_number: u64,
    /// Tables being written that no version has yet.
    pub(crate) pending_outputs: std::collections::BTreeSet<u64>,
    /// First failure of a write or of maintenance; all writes fail from then on.
    pub(crate) error: Option<Error>,
}

/// The log being written.
pub(crate) struct Writer {
    pub(crate) log: LogWriter,
    /// Whether the log's name is durable.
    pub(crate) named: bool,
}

/// State shared with the compacting thread.
pub(crate) struct Shared {
    pub(crate) env: Arc<dyn FileEnv>,
    pub(crate) dir: PathBuf,
    pub(crate) options: Options,
    pub(crate) tables: Arc<TableCache>,
    pub(crate) read: RwLock<Arc<ReadState>>,
    /// Sequence number of the last write readers see.
    pub(crate) sequence: AtomicU64,
    /// Locked after `writer` and `compacting`, before `read`.
    pub(crate) inner: Mutex<Inner>,
    pub(crate) writer: Mutex<Writer>,
    /// Held while compacting.
    pub(crate) compacting: Mutex<()>,
    /// Wakes the compacting thread.
    pub(crate) wake: Condvar,
    /// Wakes those who wait for a compaction.
    pub(crate) done: Condvar,
    pub(crate) stop: AtomicBool,
    pub(crate) has_imm: AtomicBool,
    pub(crate) failed: AtomicBool,
    pub(crate) _lock: Box<dyn FileLock>,
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A LevelDB-format database in a directory. Dropping it closes it; nothing needs to be flushed, the log has all writes.
pub struct LevelDb {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl LevelDb {
    /// Opens the database in `dir`, replaying its log. One at a time, guarded by a lock file.
    ///
    /// A log cut off in its last record loses that record only; other damage is [`Error::Corruption`].
    pub fn open(env: Arc<dyn FileEnv>, dir: &Path, options: Options) -> Result<Self> {
        let shared = Arc::new(crate::recover::open(env, dir, options.sanitized())?);
        if shared.options.inline_compaction {
            shared.compact_inline();
            return Ok(Self { shared, thread: None });
        }
        let background = shared.clone();
        let spawned = std::thread::Builder::new().name("leveldb".into()).spawn(move || background.run());
        let thread =
            spawned.map_err(|e| Error::Io(format!("compaction thread: {}", grs_fs::os_error_text(&e))))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Number of table files in each level.
    pub fn files_per_level(&self) -> [usize; LEVELS] {
        let version = self.shared.read_state().version.clone();
        std::array::from_fn(|level| version.files[level].len())
    }

    /// Writes the memory table to a table file and waits for it.
    pub fn flush(&self) -> Result<()> {
        let mut writer = lock(&self.shared.writer);
        if !self.shared.read_state().mem.is_empty() {
            self.shared.make_room(&mut writer, true)?;
        }
        drop(writer);
        self.shared.wait_for_flush()
    }

    /// Waits until no compaction is due; for tests and measurements.
    pub fn wait_idle(&self) -> Result<()> {
        self.shared.wait_for_flush()?;
        while self.shared.step() {}
        match &lock(&self.shared.inner).error {
            Some(error) => Err(error.clone()),
            None => Ok(()),
        }
    }
}

impl Drop for LevelDb {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::SeqCst);
        {
            // The thread checks the flag under this lock before it waits.
            let _inner = lock(&self.shared.inner);
            self.shared.wake.notify_all();
        }
        if let Some(thread) = self.thread.take() {
            // It ended by itself or by a panic; there is nothing to add.
            let _ = thread.join();
        }
    }
}

impl Shared {
    pub(crate) fn read_state(&self) -> Arc<ReadState> {
        self.read.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(crate) fn set_read_state(&self, state: ReadState) {
        self.has_imm.store(state.imm.is_some(), Ordering::Release);
        *self.read.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(state);
    }

    /// Remembers the first failure and makes all later writes fail.
    pub(crate) fn fail(&self, inner: &mut Inner, error: &Error) {
        inner.error.get_or_insert_with(|| error.clone());
        self.failed.store(true, Ordering::Release);
        self.done.notify_all();
    }

    fn check(&self) -> Result<()> {
        if self.failed.load(Ordering::Acquire)
            && let Some(error) = &lock(&self.inner).error
        {
            return Err(error.clone());
        }
        Ok(())
    }

    /// Waits for the end of one more step of maintenance, or does it.
    fn wait_while(&self, busy: impl Fn(&ReadState) -> bool) -> Result<()> {
        loop {
            self.check()?;
            if !busy(&self.read_state()) {
                return Ok(());
            }
            if self.options.inline_compaction {
                self.compact_inline();
                continue;
            }
            let inner = lock(&self.inner);
            // State changes under this lock only, so no notification is missed.
            if inner.error.is_none() && busy(&self.read_state()) {
                let (_inner, _) = self
                    .done
                    .wait_timeout(inner, Duration::from_secs(1))
                    .unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    fn wait_for_flush(&self) -> Result<()> {
        self.wait_while(|state| state.imm.is_some())
    }

    /// Makes sure the memory table can take a batch; starts a new one, with a new log, if it is full or if `force`.
    fn make_room(&self, writer: &mut Writer, mut force: bool) -> Result<()> {
        let mut may_delay = !force && !self.options.inline_compaction;
        loop {
            self.check()?;
            let state = self.read_state();
            let level0 = state.version.files[0].len();
            if may_delay && level0 >= L0_SLOWDOWN {
                // Spreads the waiting over many writes and leaves the processor to the compaction.
                std::thread::sleep(Duration::from_millis(1));
                may_delay = false;
            } else if !force && state.mem.usage() <= self.options.write_buffer_size {
                return Ok(());
            } else if state.imm.is_some() {
                self.wait_for_flush()?;
            } else if level0 >= L0_STOP {
                self.wait_while(|state| state.version.files[0].len() >= L0_STOP)?;
            } else {
                self.switch_memtable(writer)?;
                force = false;
            }
        }
    }

    fn switch_memtable(&self, writer: &mut Writer) -> Result<()> {
        // The old log must not lose its end while the new one keeps its start.
        let synced = writer.log.sync().and_then(|()| self.name_log(writer));
        let mut inner = lock(&self.inner);
        if let Err(error) = synced {
            self.fail(&mut inner, &error);
            return Err(error);
        }
        let number = inner.versions.new_file_number();
        let path = files::log(&self.dir, number);
        let file = match self.env.open(&path, OpenMode::Truncate) {
            Ok(file) => file,
            Err(e) => {
                inner.versions.reuse_file_number(number);
                return Err(Error::io(&path, &e));
            }
        };
        *writer = Writer { log: LogWriter::new(file, path), named: false };
        inner.log_number = number;
        let state = self.read_state();
        let version = state.version.clone();
        self.set_read_state(ReadState {
            mem: Arc::new(MemTable::new()),
            imm: Some(state.mem.clone()),
            version,
        });
        self.wake.notify_one();
        drop(inner);
        if self.options.inline_compaction {
            self.compact_inline();
        }
        Ok(())
    }

    fn name_log(&self, writer: &mut Writer) -> Result<()> {
        if !writer.named {
            self.env.sync_dir(&self.dir).map_err(|e| Error::io(&self.dir, &e))?;
            writer.named = true;
        }
        Ok(())
    }

    fn write(&self, mut batch: Batch, options: WriteOptions) -> Result<()> {
        if batch.approximate_size() > MAX_BATCH {
            return Err(Error::InvalidArgument("batch too large".into()));
        }
        let mut writer = lock(&self.writer);
        self.make_room(&mut writer, false)?;
        let last = self.sequence.load(Ordering::Acquire);
        let count = u64::from(batch.count());
        if last + count > MAX_SEQUENCE {
            return Err(Error::InvalidArgument("out of sequence numbers".into()));
        }
        batch.set_sequence(last + 1);
        let mut logged = writer.log.add(batch.encoded());
        if options.sync {
            logged = logged.and_then(|()| writer.log.sync()).and_then(|()| self.name_log(&mut writer));
        }
        if let Err(error) = logged {
            // It is unknown whether the log has the batch: nothing may follow it.
            self.fail(&mut lock(&self.inner), &error);
            return Err(error);
        }
        if let Some(record) = parse_record(batch.encoded()) {
            self.apply(record.changes, last + 1)?;
        }
        self.sequence.store(last + count, Ordering::Release);
        Ok(())
    }

    fn apply(&self, changes: Changes<'_>, sequence: u64) -> Result<()> {
        self.read_state().mem.insert(changes, sequence).map(|_| ())
    }

    /// Removes files no version or log needs. Leaves everything after an error, as the manifest may be ahead of us.
    pub(crate) fn remove_obsolete(&self, inner: &mut Inner) {
        if inner.error.is_some() {
            return;
        }
        let Ok(names) = self.env.list(&self.dir) else { return };
        let mut live = inner.versions.live_files();
        live.extend(&inner.pending_outputs);
        let versions = &inner.versions;
        for entry in names {
            let Some(kind) = entry.name.to_str().and_then(files::parse) else { continue };
            let keep = match kind {
                FileKind::Log(number) => number >= versions.log_number || number == versions.prev_log_number,
                FileKind::Manifest(number) => number >= versions.manifest_number,
                FileKind::Table(number) | FileKind::Temp(number) => live.contains(&number),
                FileKind::Current | FileKind::Lock | FileKind::InfoLog => true,
            };
            if !keep {
                if let FileKind::Table(number) = kind {
                    self.tables.evict(number);
                }
                // One that stays is tried again next time.
                let _ = self.env.remove_file(&self.dir.join(&entry.name));
            }
        }
    }
}

impl Store for LevelDb {
    fn get_into(&self, key: &[u8], value: &mut Vec<u8>) -> Result<bool> {
        let state = self.shared.read_state();
        // After the state: whatever of it this number admits is there in full.
        let sequence = self.shared.sequence.load(Ordering::Acquire);
        let found = match state.mem.get(key, sequence, value) {
            Some(found) => Some(found),
            None => match state.imm.as_ref().and_then(|imm| imm.get(key, sequence, value)) {
                Some(found) => Some(found),
                None => state.version.get(&self.shared.tables, key, sequence, value)?,
            },
        };
        let found = found.unwrap_or(false);
        if !found {
            value.clear();
        }
        Ok(found)
    }

    fn write(&self, batch: Batch, options: WriteOptions) -> Result<()> {
        self.shared.write(batch, options)
    }

    fn iter(&self) -> Result<Box<dyn StoreIter>> {
        let state = self.shared.read_state();
        let sequence = self.shared.sequence.load(Ordering::Acquire);
        let memtables = std::iter::once(state.mem.clone()).chain(state.imm.clone());
        let iter = DbIter::new(memtables, state.version.clone(), &self.shared.tables, sequence)?;
        Ok(Box::new(iter))
    }

    fn compact_range(&self, begin: Option<&[u8]>, end: Option<&[u8]>) -> Result<()> {
        let state = self.shared.read_state();
        let deepest = (1..LEVELS).rev().find(|&level| state.version.overlaps(level, begin, end)).unwrap_or(1);
        drop(state);
        self.flush()?;
        for level in 0..deepest {
            self.shared.compact_level(level, begin, end)?;
        }
        Ok(())
    }

    fn approximate_size(&self, begin: &[u8], end: &[u8]) -> Result<u64> {
        let version = self.shared.read_state().version.clone();
        let offset = |key: &[u8]| version.approximate_offset(&self.shared.tables, &internal(key, SEEK_TAG));
        Ok(offset(end)?.saturating_sub(offset(begin)?))
    }

    fn memory_usage(&self) -> usize {
        let state = self.shared.read_state();
        let imm = state.imm.as_ref().map_or(0, |imm| imm.usage());
        self.shared.tables.blocks.charge() + state.mem.usage() + imm
    }
}

/// Takes the lock of a database.
pub(crate) fn take_lock(env: &dyn FileEnv, dir: &Path) -> Result<Box<dyn FileLock>> {
    let path = files::lock(dir);
    env.lock(&path).map_err(|e| match e {
        LockError::Io(e) => Error::io(&path, &e),
        held => Error::Io(format!("lock {}: {held}", path.display())),
    })
}

/// Removes the database in `dir`, and the directory if nothing else is in it. A missing directory is no error.
pub fn destroy(env: &dyn FileEnv, dir: &Path) -> Result<()> {
    let Ok(names) = env.list(dir) else { return Ok(()) };
    let held = take_lock(env, dir)?;
    let mut result = Ok(());
    for entry in names {
        let kind = entry.name.to_str().and_then(files::parse);
        if kind.is_some_and(|kind| kind != FileKind::Lock) {
            let path = dir.join(&entry.name);
            let removed = env.remove_file(&path).map_err(|e| Error::io(&path, &e));
            result = result.and(removed);
        }
    }
    drop(held);
    // The database is gone already; the directory may have other files.
    let _ = env.remove_file(&files::lock(dir));
    let _ = env.remove_dir(dir);
    result
}
