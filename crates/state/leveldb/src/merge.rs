//! Cursors over several sorted sources at once, and over the user's view of them.

use std::sync::Arc;

use crate::{
    Error, Result, StoreIter,
    batch::TYPE_PUT,
    cache::TableCache,
    edit::{FileMeta, LEVELS},
    key::{self, internal, tag},
    memtable::{MemTable, MemTableIter},
    table::TableIter,
    version::Version,
};

/// A cursor over files that do not overlap, in order; opens one at a time.
pub(crate) struct LevelIter {
    tables: Arc<TableCache>,
    files: Vec<Arc<FileMeta>>,
    at: usize,
    iter: Option<TableIter>,
}

impl LevelIter {
    pub(crate) fn new(tables: Arc<TableCache>, files: Vec<Arc<FileMeta>>) -> Self {
        Self { tables, files, at: 0, iter: None }
    }

    fn current(&self) -> Option<&TableIter> {
        self.iter.as_ref().filter(|iter| iter.valid())
    }

    /// Opens file `at` and moves in it; goes on to the following ones while there is nothing.
    fn enter(&mut self, at: usize, target: Option<&[u8]>) -> Result<()> {
        self.at = at;
        self.iter = None;
        let mut target = target;
        while let Some(file) = self.files.get(self.at) {
            let mut iter = TableIter::new(self.tables.table(file.number, file.size)?);
            match target.take() {
                Some(target) => iter.seek(target)?,
                None => iter.seek_to_first()?,
            }
            if iter.valid() {
                self.iter = Some(iter);
                return Ok(());
            }
            self.at += 1;
        }
        Ok(())
    }

    fn seek(&mut self, target: &[u8]) -> Result<()> {
        let at = self.files.partition_point(|file| key::compare(&file.largest, target).is_lt());
        self.enter(at, Some(target))
    }

    fn next(&mut self) -> Result<()> {
        if let Some(iter) = &mut self.iter {
            iter.next()?;
            if !iter.valid() {
                return self.enter(self.at + 1, None);
            }
        }
        Ok(())
    }
}

/// One sorted source of entries.
pub(crate) enum Source {
    Mem(MemTableIter),
    Table(TableIter),
    Level(LevelIter),
}

impl Source {
    fn valid(&self) -> bool {
        match self {
            Source::Mem(iter) => iter.valid(),
            Source::Table(iter) => iter.valid(),
            Source::Level(iter) => iter.current().is_some(),
        }
    }

    fn key(&self) -> &[u8] {
        match self {
            Source::Mem(iter) => iter.key(),
            Source::Table(iter) => iter.key(),
            Source::Level(iter) => iter.current().map_or(&[], TableIter::key),
        }
    }

    fn value(&self) -> &[u8] {
        match self {
            Source::Mem(iter) => iter.value(),
            Source::Table(iter) => iter.value(),
            Source::Level(iter) => iter.current().map_or(&[], TableIter::value),
        }
    }

    fn seek_to_first(&mut self) -> Result<()> {
        match self {
            Source::Mem(iter) => iter.seek_to_first(),
            Source::Table(iter) => iter.seek_to_first()?,
            Source::Level(iter) => iter.enter(0, None)?,
        }
        Ok(())
    }

    fn seek(&mut self, target: &[u8]) -> Result<()> {
        match self {
            Source::Mem(iter) => iter.seek(target),
            Source::Table(iter) => iter.seek(target)?,
            Source::Level(iter) => iter.seek(target)?,
        }
        Ok(())
    }

    fn next(&mut self) -> Result<()> {
        match self {
            Source::Mem(iter) => iter.next(),
            Source::Table(iter) => iter.next()?,
            Source::Level(iter) => iter.next()?,
        }
        Ok(())
    }
}

/// A cursor over the entries of all sources in order of internal keys. After an error it is invalid.
pub(crate) struct MergeIter {
    sources: Vec<Source>,
    current: Option<usize>,
    /// Source with the smallest key but for the current one: while the current one stays before it, no other needs a
    /// look.
    runner_up: Option<usize>,
}

impl MergeIter {
    pub(crate) fn new(sources: Vec<Source>) -> Self {
        Self { sources, current: None, runner_up: None }
    }

    /// Cursor over the tables of a version.
    fn sources_of(version: &Version, tables: &Arc<TableCache>, sources: &mut Vec<Source>) -> Result<()> {
        for file in version.files[0].iter().rev() {
            sources.push(Source::Table(TableIter::new(tables.table(file.number, file.size)?)));
        }
        for level in 1..LEVELS {
            if !version.files[level].is_empty() {
                let files = version.files[level].clone();
                sources.push(Source::Level(LevelIter::new(tables.clone(), files)));
            }
        }
        Ok(())
    }

    pub(crate) fn valid(&self) -> bool {
        self.current.is_some()
    }

    pub(crate) fn key(&self) -> &[u8] {
        self.current.map_or(&[], |at| self.sources[at].key())
    }

    pub(crate) fn value(&self) -> &[u8] {
        self.current.map_or(&[], |at| self.sources[at].value())
    }

    fn move_all(&mut self, move_one: impl Fn(&mut Source) -> Result<()>) -> Result<()> {
        self.current = None;
        for source in &mut self.sources {
            move_one(source)?;
        }
        self.choose();
        Ok(())
    }

    pub(crate) fn seek_to_first(&mut self) -> Result<()> {
        self.move_all(Source::seek_to_first)
    }

    pub(crate) fn seek(&mut self, target: &[u8]) -> Result<()> {
        self.move_all(|source| source.seek(target))
    }

    pub(crate) fn next(&mut self) -> Result<()> {
        let Some(current) = self.current.take() else { return Ok(()) };
        self.sources[current].next()?;
        let source = &self.sources[current];
        let leads = source.valid()
            && self
                .runner_up
                .is_none_or(|other| key::compare(source.key(), self.sources[other].key()).is_lt());
        if leads {
            self.current = Some(current);
        } else {
            self.choose();
        }
        Ok(())
    }

    fn choose(&mut self) {
        let (mut best, mut second): (Option<usize>, Option<usize>) = (None, None);
        for (at, source) in self.sources.iter().enumerate().filter(|(_, source)| source.valid()) {
            let before = |other: Option<usize>| {
                other.is_none_or(|other| key::compare(source.key(), self.sources[other].key()).is_lt())
            };
            if before(best) {
                second = best;
                best = Some(at);
            } else if before(second) {
                second = Some(at);
            }
        }
        (self.current, self.runner_up) = (best, second);
    }
}

/// The user's cursor: the newest entry of each key up to a sequence number, without removed keys.
pub(crate) struct DbIter {
    inner: MergeIter,
    sequence: u64,
    valid: bool,
    /// User key whose older entries are passed over.
    skip: Vec<u8>,
    /// Keeps the table files from being removed.
    _version: Arc<Version>,
}

impl DbIter {
    pub(crate) fn new(
        memtables: impl IntoIterator<Item = Arc<MemTable>>,
        version: Arc<Version>,
        tables: &Arc<TableCache>,
        sequence: u64,
    ) -> Result<Self> {
        let mut sources: Vec<Source> =
            memtables.into_iter().map(|table| Source::Mem(MemTableIter::new(table))).collect();
        MergeIter::sources_of(&version, tables, &mut sources)?;
        let inner = MergeIter::new(sources);
        Ok(Self { inner, sequence, valid: false, skip: Vec::new(), _version: version })
    }

    /// Moves on to the next entry the user may see.
    fn settle(&mut self, mut skipping: bool) -> Result<()> {
        while self.inner.valid() {
            let Some((user, sequence, kind)) = key::parse(self.inner.key()) else {
                return Err(Error::corruption("corrupted internal key in DBIter"));
            };
            let hidden = sequence > self.sequence || (skipping && user == self.skip.as_slice());
            if !hidden {
                if kind == TYPE_PUT {
                    self.valid = true;
                    return Ok(());
                }
                self.skip.clear();
                self.skip.extend_from_slice(user);
                skipping = true;
            }
            self.inner.next()?;
        }
        Ok(())
    }
}

impl StoreIter for DbIter {
    fn valid(&self) -> bool {
        self.valid
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.valid = false;
        self.inner.seek_to_first()?;
        self.settle(false)
    }

    fn seek(&mut self, key: &[u8]) -> Result<()> {
        self.valid = false;
        self.inner.seek(&internal(key, tag(self.sequence, TYPE_PUT)))?;
        self.settle(false)
    }

    fn next(&mut self) -> Result<()> {
        if !self.valid {
            return Ok(());
        }
        self.valid = false;
        self.skip.clear();
        self.skip.extend_from_slice(key::user_key(self.inner.key()));
        self.inner.next()?;
        self.settle(true)
    }

    fn key(&self) -> &[u8] {
        if self.valid { key::user_key(self.inner.key()) } else { &[] }
    }

    fn value(&self) -> &[u8] {
        if self.valid { self.inner.value() } else { &[] }
    }
}
