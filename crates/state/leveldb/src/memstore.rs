//! A store in memory only, and a wrapper that fails on demand.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
};

use crate::{Batch, Change, Error, Result, Store, StoreIter, WriteOptions};

type Map = BTreeMap<Vec<u8>, Vec<u8>>;

/// A sorted map in memory: for memory-only databases and tests. A write while a cursor is open copies the map.
#[derive(Debug, Default)]
pub struct MemStore {
    map: RwLock<Arc<Map>>,
}

impl MemStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn map(&self) -> Arc<Map> {
        self.map.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Store for MemStore {
    fn get_into(&self, key: &[u8], value: &mut Vec<u8>) -> Result<bool> {
        value.clear();
        let map = self.map.read().unwrap_or_else(PoisonError::into_inner);
        Ok(map.get(key).map(|found| value.extend_from_slice(found)).is_some())
    }

    fn write(&self, batch: Batch, _options: WriteOptions) -> Result<()> {
        let mut guard = self.map.write().unwrap_or_else(PoisonError::into_inner);
        let map = Arc::make_mut(&mut guard);
        for change in batch.iter() {
            match change {
                Change::Put(key, value) => {
                    map.insert(key.to_vec(), value.to_vec());
                }
                Change::Delete(key) => {
                    map.remove(key);
                }
            }
        }
        Ok(())
    }

    fn iter(&self) -> Result<Box<dyn StoreIter>> {
        Ok(Box::new(MemIter { map: self.map(), current: None }))
    }

    fn compact_range(&self, _begin: Option<&[u8]>, _end: Option<&[u8]>) -> Result<()> {
        Ok(())
    }

    fn approximate_size(&self, _begin: &[u8], _end: &[u8]) -> Result<u64> {
        Ok(0)
    }

    fn memory_usage(&self) -> usize {
        self.map().iter().map(|(key, value)| key.len() + value.len() + 64).sum()
    }
}

struct MemIter {
    map: Arc<Map>,
    current: Option<(Vec<u8>, Vec<u8>)>,
}

impl MemIter {
    fn move_to(&mut self, from: Bound<&[u8]>) {
        let found = self.map.range::<[u8], _>((from, Bound::Unbounded)).next();
        self.current = found.map(|(key, value)| (key.clone(), value.clone()));
    }
}

impl StoreIter for MemIter {
    fn valid(&self) -> bool {
        self.current.is_some()
    }

    fn seek_to_first(&mut self) -> Result<()> {
        self.move_to(Bound::Unbounded);
        Ok(())
    }

    fn seek(&mut self, key: &[u8]) -> Result<()> {
        self.move_to(Bound::Included(key));
        Ok(())
    }

    fn next(&mut self) -> Result<()> {
        if let Some((key, _)) = self.current.take() {
            self.move_to(Bound::Excluded(&key));
        }
        Ok(())
    }

    fn key(&self) -> &[u8] {
        self.current.as_ref().map_or(&[], |(key, _)| key)
    }

    fn value(&self) -> &[u8] {
        self.current.as_ref().map_or(&[], |(_, value)| value)
    }
}

/// Wraps a store; reads or writes fail with an I/O error while switched on. For tests of error paths.
pub struct FailingStore {
    inner: Arc<dyn Store>,
    reads: AtomicBool,
    writes: AtomicBool,
}

impl FailingStore {
    /// Wraps `inner`; nothing fails yet.
    pub fn new(inner: Arc<dyn Store>) -> Self {
        Self { inner, reads: AtomicBool::new(false), writes: AtomicBool::new(false) }
    }

    /// Switches failing of reads (also opening cursors) on or off.
    pub fn fail_reads(&self, fail: bool) {
        self.reads.store(fail, Ordering::SeqCst);
    }

    /// Switches failing of writes and compactions on or off.
    pub fn fail_writes(&self, fail: bool) {
        self.writes.store(fail, Ordering::SeqCst);
    }

    fn check(flag: &AtomicBool, what: &str) -> Result<()> {
        if flag.load(Ordering::SeqCst) { Err(Error::Io(format!("simulated {what} failure"))) } else { Ok(()) }
    }
}

impl Store for FailingStore {
    fn get_into(&self, key: &[u8], value: &mut Vec<u8>) -> Result<bool> {
        Self::check(&self.reads, "read")?;
        self.inner.get_into(key, value)
    }

    fn write(&self, batch: Batch, options: WriteOptions) -> Result<()> {
        Self::check(&self.writes, "write")?;
        self.inner.write(batch, options)
    }

    fn iter(&self) -> Result<Box<dyn StoreIter>> {
        Self::check(&self.reads, "read")?;
        self.inner.iter()
    }

    fn compact_range(&self, begin: Option<&[u8]>, end: Option<&[u8]>) -> Result<()> {
        Self::check(&self.writes, "write")?;
        self.inner.compact_range(begin, end)
    }

    fn approximate_size(&self, begin: &[u8], end: &[u8]) -> Result<u64> {
        Self::check(&self.reads, "read")?;
        self.inner.approximate_size(begin, end)
    }

    fn memory_usage(&self) -> usize {
        self.inner.memory_usage()
    }
}
