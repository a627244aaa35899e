//! The manifest: which version is current, which numbers are in use; recovery and changes of it.

use std::{
    collections::BTreeSet,
    io,
    path::Path,
    sync::{Arc, Weak},
};

use grs_fs::{FileEnv, OpenMode, replace_file};

use crate::{
    Error, Result,
    edit::{COMPARATOR, FileMeta, LEVELS, VersionEdit},
    files,
    key::MAX_SEQUENCE,
    log::{LogReader, LogWriter},
    version::{Version, VersionBuilder},
};

/// Largest file number taken from a manifest; leaves room for more.
const MAX_FILE_NUMBER: u64 = 1 << 62;

/// State that the manifest records.
pub(crate) struct VersionSet {
    next_file: u64,
    /// Logs with lower numbers are in tables.
    pub(crate) log_number: u64,
    /// A second log of very old databases, read at opening; 0 afterwards.
    pub(crate) prev_log_number: u64,
    pub(crate) manifest_number: u64,
    manifest: Option<LogWriter>,
    /// Per level, where the next compaction starts.
    pub(crate) pointers: [Vec<u8>; LEVELS],
    current: Arc<Version>,
    /// Versions that readers may still use.
    live: Vec<Weak<Version>>,
}

/// Points `CURRENT` to a manifest; durable on return.
fn set_current(env: &dyn FileEnv, dir: &Path, manifest: u64) -> Result<()> {
    let path = files::current(dir);
    let content = files::manifest_name(manifest) + "\n";
    replace_file(env, &path, &files::temp(dir, manifest), content.as_bytes())
        .map_err(|e| Error::io(&path, &e))
}

fn sync_dir(env: &dyn FileEnv, dir: &Path) -> Result<()> {
    env.sync_dir(dir).map_err(|e| Error::io(dir, &e))
}

impl VersionSet {
    /// Writes the files of an empty database.
    pub(crate) fn create(env: &dyn FileEnv, dir: &Path) -> Result<()> {
        let path = dir.join(files::manifest_name(1));
        let edit = VersionEdit {
            comparator: Some(COMPARATOR.to_vec()),
            log_number: Some(0),
            next_file: Some(2),
            last_sequence: Some(0),
            ..VersionEdit::default()
        };
        let write = || {
            let file = env.open(&path, OpenMode::Truncate).map_err(|e| Error::io(&path, &e))?;
            let mut log = LogWriter::new(file, path.clone());
            log.add(&edit.encode())?;
            log.sync()?;
            sync_dir(env, dir)
        };
        if let Err(error) = write() {
            // Without CURRENT there is no database; what is left is written anew next time.
            let _ = env.remove_file(&path);
            return Err(error);
        }
        set_current(env, dir, 1)
    }

    /// Reads the current manifest; returns the last sequence number too.
    pub(crate) fn recover(env: &dyn FileEnv, dir: &Path) -> Result<(Self, u64)> {
        let current_path = files::current(dir);
        let current = env.read(&current_path).map_err(|e| Error::io(&current_path, &e))?;
        let Some(name) = current.strip_suffix(b"\n") else {
            return Err(Error::corruption("CURRENT file does not end with newline"));
        };
        let path = dir.join(String::from_utf8_lossy(name).as_ref());
        let file = env.open(&path, OpenMode::Read).map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => {
                Error::Corruption(format!("CURRENT points to a non-existent file: {}", Error::io(&path, &e)))
            }
            _ => Error::io(&path, &e),
        })?;
        let mut builder = VersionBuilder::new(Arc::new(Version::default()));
        let mut pointers: [Vec<u8>; LEVELS] = Default::default();
        let (mut next_file, mut log_number, mut last_sequence, mut prev_log_number) =
            (None, None, None, None);
        let mut reader = LogReader::new(file, &path);
        while let Some(record) = reader.next_record()? {
            let edit = VersionEdit::decode(record)?;
            if let Some(name) = edit.comparator.as_ref().filter(|name| *name != COMPARATOR) {
                return Err(Error::InvalidArgument(format!(
                    "{} does not match existing comparator : {}",
                    String::from_utf8_lossy(name),
                    String::from_utf8_lossy(COMPARATOR)
                )));
            }
            builder.apply(&edit);
            next_file = edit.next_file.or(next_file);
            log_number = edit.log_number.or(log_number);
            last_sequence = edit.last_sequence.or(last_sequence);
            prev_log_number = edit.prev_log_number.or(prev_log_number);
            for (level, key) in edit.compact_pointers {
                pointers[level] = key;
            }
        }
        let missing = |what: &str| Error::Corruption(format!("no {what} entry in descriptor"));
        let next_file = next_file.ok_or_else(|| missing("meta-nextfile"))?;
        let log_number = log_number.ok_or_else(|| missing("meta-lognumber"))?;
        let last_sequence = last_sequence.ok_or_else(|| missing("last-sequence-number"))?;
        let prev_log_number = prev_log_number.unwrap_or(0);
        if next_file.max(log_number).max(prev_log_number) > MAX_FILE_NUMBER || last_sequence > MAX_SEQUENCE {
            return Err(Error::corruption("number too large in descriptor"));
        }
        let current = Arc::new(builder.build()?);
        let mut set = VersionSet {
            next_file: next_file + 1,
            log_number,
            prev_log_number,
            manifest_number: next_file,
            manifest: None,
            pointers,
            live: vec![Arc::downgrade(&current)],
            current,
        };
        set.mark_used(log_number);
        set.mark_used(prev_log_number);
        Ok((set, last_sequence))
    }

    /// The current version.
    pub(crate) fn current(&self) -> &Arc<Version> {
        &self.current
    }

    /// A number for a new file.
    pub(crate) fn new_file_number(&mut self) -> u64 {
        let number = self.next_file;
        self.next_file += 1;
        number
    }

    /// Gives back the last number taken.
    pub(crate) fn reuse_file_number(&mut self, number: u64) {
        if self.next_file == number + 1 {
            self.next_file = number;
        }
    }

    /// Keeps a number found in the directory from being given to a new file.
    pub(crate) fn mark_used(&mut self, number: u64) {
        if number <= MAX_FILE_NUMBER {
            self.next_file = self.next_file.max(number + 1);
        }
    }

    /// Records an edit in the manifest, durably, and makes its result the current version. The first call starts a new
    /// manifest. After an error it is unknown what the manifest holds: nothing must be written or removed any more.
    pub(crate) fn log_and_apply(
        &mut self,
        env: &dyn FileEnv,
        dir: &Path,
        mut edit: VersionEdit,
        last_sequence: u64,
    ) -> Result<Arc<Version>> {
        let log_number = *edit.log_number.get_or_insert(self.log_number);
        let prev_log_number = *edit.prev_log_number.get_or_insert(self.prev_log_number);
        edit.next_file = Some(self.next_file);
        edit.last_sequence = Some(last_sequence);
        let mut builder = VersionBuilder::new(self.current.clone());
        builder.apply(&edit);
        let version = Arc::new(builder.build()?);
        let started = match self.manifest.take() {
            Some(manifest) => Ok((manifest, false)),
            None => self.start_manifest(env, dir).map(|manifest| (manifest, true)),
        };
        let (mut manifest, is_new) = started?;
        // Tables must have durable names before the manifest speaks of them, so must the manifest before CURRENT does.
        if is_new || !edit.added.is_empty() {
            sync_dir(env, dir)?;
        }
        manifest.add(&edit.encode())?;
        manifest.sync()?;
        if is_new {
            set_current(env, dir, self.manifest_number)?;
        }
        self.manifest = Some(manifest);
        for (level, key) in &edit.compact_pointers {
            self.pointers[*level] = key.clone();
        }
        (self.log_number, self.prev_log_number) = (log_number, prev_log_number);
        self.live.retain(|old| old.strong_count() > 0);
        self.live.push(Arc::downgrade(&version));
        self.current = version.clone();
        Ok(version)
    }

    /// Starts a manifest with the whole current state.
    fn start_manifest(&self, env: &dyn FileEnv, dir: &Path) -> Result<LogWriter> {
        let path = dir.join(files::manifest_name(self.manifest_number));
        let file = env.open(&path, OpenMode::Truncate).map_err(|e| Error::io(&path, &e))?;
        let mut log = LogWriter::new(file, path);
        let pointers = self.pointers.iter().cloned().enumerate().filter(|(_, key)| !key.is_empty());
        let in_level = |(level, files): (usize, &Vec<Arc<FileMeta>>)| -> Vec<(usize, Arc<FileMeta>)> {
            files.iter().map(|file| (level, file.clone())).collect()
        };
        let snapshot = VersionEdit {
            comparator: Some(COMPARATOR.to_vec()),
            compact_pointers: pointers.collect(),
            added: self.current.files.iter().enumerate().flat_map(in_level).collect(),
            ..VersionEdit::default()
        };
        log.add(&snapshot.encode())?;
        Ok(log)
    }

    /// Numbers of the table files of all versions in use.
    pub(crate) fn live_files(&self) -> BTreeSet<u64> {
        let versions = self.live.iter().filter_map(Weak::upgrade);
        versions
            .flat_map(|version| version.files.iter().flatten().map(|f| f.number).collect::<Vec<_>>())
            .collect()
    }
}
