//! Opening a database: manifest, logs not yet in tables, first clean-up.

use std::{
    collections::BTreeSet,
    path::Path,
    sync::{
        Arc, Condvar, Mutex, RwLock,
        atomic::{AtomicBool, AtomicU64},
    },
};

use grs_fs::{FileEnv, OpenMode};

use crate::{
    Error, Options, Result,
    batch::parse_record,
    builder::TableBuilder,
    cache::TableCache,
    db::{Inner, ReadState, Shared, Writer, lock, take_lock},
    edit::{FileMeta, VersionEdit},
    files::{self, FileKind},
    key::{self, MAX_SEQUENCE},
    log::{LogReader, LogWriter},
    memtable::{MemTable, MemTableIter},
    versions::VersionSet,
};

/// Most bytes of a log record: more than any writer makes.
const MAX_RECORD: usize = 512 << 20;

/// Opens the database in `dir` and starts a new log and manifest.
pub(crate) fn open(env: Arc<dyn FileEnv>, dir: &Path, options: Options) -> Result<Shared> {
    // If this fails the lock file says why.
    let _ = env.create_dir_all(dir);
    let held = take_lock(env.as_ref(), dir)?;
    if !env.exists(&files::current(dir)) {
        if !options.create_if_missing {
            return Err(Error::InvalidArgument(format!(
                "{}: does not exist (create_if_missing is false)",
                dir.display()
            )));
        }
        VersionSet::create(env.as_ref(), dir)?;
    }
    let (mut versions, mut sequence) = VersionSet::recover(env.as_ref(), dir)?;
    let logs = find_logs(env.as_ref(), dir, &versions)?;
    let tables = TableCache::new(env.clone(), dir, options.max_open_files, options.block_cache_size);
    let mut edit = VersionEdit::default();
    // The manifest may not know the newest ones; tables made below need numbers after theirs.
    logs.iter().for_each(|&number| versions.mark_used(number));
    for number in logs {
        let last = replay_log(env.as_ref(), dir, number, &options, &tables, &mut versions, &mut edit)?;
        sequence = sequence.max(last);
    }
    let log_number = versions.new_file_number();
    let path = files::log(dir, log_number);
    let file = env.open(&path, OpenMode::Truncate).map_err(|e| Error::io(&path, &e))?;
    edit.log_number = Some(log_number);
    edit.prev_log_number = Some(0);
    let version = versions.log_and_apply(env.as_ref(), dir, edit, sequence)?;
    let inner = Inner { versions, log_number, pending_outputs: BTreeSet::new(), error: None };
    let shared = Shared {
        dir: dir.into(),
        options,
        tables: Arc::new(tables),
        read: RwLock::new(Arc::new(ReadState { mem: Arc::new(MemTable::new()), imm: None, version })),
        sequence: AtomicU64::new(sequence),
        inner: Mutex::new(inner),
        // The manifest has synced the directory after the log was made.
        writer: Mutex::new(Writer { log: LogWriter::new(file, path), named: true }),
        compacting: Mutex::new(()),
        wake: Condvar::new(),
        done: Condvar::new(),
        stop: AtomicBool::new(false),
        has_imm: AtomicBool::new(false),
        failed: AtomicBool::new(false),
        env,
        _lock: held,
    };
    shared.remove_obsolete(&mut lock(&shared.inner));
    Ok(shared)
}

/// Logs to replay, in order. Fails if the directory lacks a table of the current version.
fn find_logs(env: &dyn FileEnv, dir: &Path, versions: &VersionSet) -> Result<BTreeSet<u64>> {
    let mut missing = versions.live_files();
    let mut logs = BTreeSet::new();
    for entry in env.list(dir).map_err(|e| Error::io(dir, &e))? {
        match entry.name.to_str().and_then(files::parse) {
            Some(FileKind::Table(number) | FileKind::Manifest(number) | FileKind::Temp(number)) => {
                missing.remove(&number);
            }
            Some(FileKind::Log(number)) => {
                missing.remove(&number);
                if number >= versions.log_number || number == versions.prev_log_number {
                    logs.insert(number);
                }
            }
            _ => {}
        }
    }
    match missing.first() {
        Some(&first) => Err(Error::Corruption(format!(
            "{} missing files; e.g.: {}",
            missing.len(),
            files::table(dir, first).display()
        ))),
        None => Ok(logs),
    }
}

/// Puts the batches of a log into tables; returns the last sequence number.
fn replay_log(
    env: &dyn FileEnv,
    dir: &Path,
    number: u64,
    options: &Options,
    tables: &TableCache,
    versions: &mut VersionSet,
    edit: &mut VersionEdit,
) -> Result<u64> {
    let path = files::log(dir, number);
    let file = env.open(&path, OpenMode::Read).map_err(|e| Error::io(&path, &e))?;
    let mut reader = LogReader::new(file, &path);
    let mut mem = Arc::new(MemTable::new());
    let mut last = 0;
    let mut flush = |mem: Arc<MemTable>| -> Result<()> {
        let number = versions.new_file_number();
        if let Some(file) = write_table(env, dir, number, options, tables, mem)? {
            edit.added.push((0, Arc::new(file)));
        }
        Ok(())
    };
    while let Some(data) = reader.next_record()? {
        let Some(record) = parse_record(data) else {
            return Err(Error::Corruption(format!("log record too small: {}", path.display())));
        };
        let count = u64::from(record.count);
        let end = record.sequence.checked_add(count).filter(|end| *end <= MAX_SEQUENCE + 1);
        let Some(end) = end.filter(|_| data.len() <= MAX_RECORD) else {
            return Err(Error::Corruption(format!("log record out of bounds: {}", path.display())));
        };
        if mem.insert(record.changes, record.sequence)? != record.count {
            return Err(Error::corruption("WriteBatch has wrong count"));
        }
        last = last.max(end.saturating_sub(1));
        if mem.usage() > options.write_buffer_size {
            flush(std::mem::replace(&mut mem, Arc::new(MemTable::new())))?;
        }
    }
    if !mem.is_empty() {
        flush(mem)?;
    }
    Ok(last)
}

/// Writes the newest entry of each key of a memory table to a new table file, synced and checked; `None` if there are
/// none. No cursor needs the older ones: those open now hold the memory table itself.
pub(crate) fn write_table(
    env: &dyn FileEnv,
    dir: &Path,
    number: u64,
    options: &Options,
    tables: &TableCache,
    mem: Arc<MemTable>,
) -> Result<Option<FileMeta>> {
    let mut iter = MemTableIter::new(mem);
    iter.seek_to_first();
    if !iter.valid() {
        return Ok(None);
    }
    let path = files::table(dir, number);
    let mut build = || {
        let mut builder = TableBuilder::create(env, &path, options.block_size)?;
        let mut last: Option<Vec<u8>> = None;
        while iter.valid() {
            let user = key::user_key(iter.key());
            if last.as_deref() != Some(user) {
                builder.add(iter.key(), iter.value())?;
                let last = last.get_or_insert_default();
                last.clear();
                last.extend_from_slice(user);
            }
            iter.next();
        }
        let table = builder.finish()?;
        tables.table(number, table.size)?;
        Ok(FileMeta { number, size: table.size, smallest: table.smallest, largest: table.largest })
    };
    let built = build();
    if built.is_err() {
        // Nothing refers to it.
        let _ = env.remove_file(&path);
    }
    built.map(Some)
}
