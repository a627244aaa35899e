//! Least-recently-used caches: of data blocks, and of open tables.

use std::{
    collections::HashMap,
    hash::{BuildHasher, Hash, RandomState},
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use grs_fs::{FileEnv, OpenMode};

use crate::{Error, Result, block::Block, files, table::Table};

const NONE: usize = usize::MAX;

struct Entry<K, V> {
    key: K,
    value: V,
    charge: usize,
    older: usize,
    newer: usize,
}

/// One shard: a map into a slab whose entries form a list from oldest to newest.
struct Shard<K, V> {
    map: HashMap<K, usize>,
    slab: Vec<Option<Entry<K, V>>>,
    free: Vec<usize>,
    oldest: usize,
    newest: usize,
    charge: usize,
}

impl<K: Hash + Eq + Clone, V: Clone> Shard<K, V> {
    fn new() -> Self {
        Self {
            map: HashMap::new(),
            slab: Vec::new(),
            free: Vec::new(),
            oldest: NONE,
            newest: NONE,
            charge: 0,
        }
    }

    fn entry(&mut self, at: usize) -> Option<&mut Entry<K, V>> {
        self.slab.get_mut(at)?.as_mut()
    }

    fn unlink(&mut self, at: usize) {
        let Some(&mut Entry { older, newer, .. }) = self.entry(at) else { return };
        match self.entry(older) {
            Some(entry) => entry.newer = newer,
            None => self.oldest = newer,
        }
        match self.entry(newer) {
            Some(entry) => entry.older = older,
            None => self.newest = older,
        }
    }

    fn link_newest(&mut self, at: usize) {
        let newest = self.newest;
        if let Some(entry) = self.entry(at) {
            (entry.older, entry.newer) = (newest, NONE);
        }
        match self.entry(newest) {
            Some(entry) => entry.newer = at,
            None => self.oldest = at,
        }
        self.newest = at;
    }

    fn get(&mut self, key: &K) -> Option<V> {
        let at = *self.map.get(key)?;
        if at != self.newest {
            self.unlink(at);
            self.link_newest(at);
        }
        self.entry(at).map(|entry| entry.value.clone())
    }

    fn remove(&mut self, key: &K) {
        if let Some(at) = self.map.remove(key) {
            self.unlink(at);
            if let Some(entry) = self.slab[at].take() {
                self.charge -= entry.charge;
            }
            self.free.push(at);
        }
    }

    fn insert(&mut self, key: K, value: V, charge: usize, capacity: usize) {
        self.remove(&key);
        let entry = Entry { key: key.clone(), value, charge, older: NONE, newer: NONE };
        let at = self.free.pop().unwrap_or_else(|| {
            self.slab.push(None);
            self.slab.len() - 1
        });
        self.slab[at] = Some(entry);
        self.map.insert(key, at);
        self.link_newest(at);
        self.charge += charge;
        while self.charge > capacity && self.oldest != NONE {
            let oldest = self.oldest;
            let Some(key) = self.entry(oldest).map(|entry| entry.key.clone()) else { return };
            self.remove(&key);
        }
    }
}

/// A cache with a bound on the sum of its entries' charges.
pub(crate) struct Lru<K, V> {
    shards: Vec<Mutex<Shard<K, V>>>,
    capacity: usize,
    hasher: RandomState,
}

impl<K: Hash + Eq + Clone, V: Clone> Lru<K, V> {
    pub(crate) fn new(capacity: usize, shards: usize) -> Self {
        let capacity = capacity.div_ceil(shards);
        let shards = (0..shards).map(|_| Mutex::new(Shard::new())).collect();
        Self { shards, capacity, hasher: RandomState::new() }
    }

    fn shard(&self, key: &K) -> MutexGuard<'_, Shard<K, V>> {
        let at = self.hasher.hash_one(key) as usize % self.shards.len();
        self.shards[at].lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.shard(key).get(key)
    }

    pub(crate) fn insert(&self, key: K, value: V, charge: usize) {
        self.shard(&key).insert(key, value, charge, self.capacity);
    }

    pub(crate) fn remove(&self, key: &K) {
        self.shard(key).remove(key);
    }

    /// Sum of the charges.
    pub(crate) fn charge(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().unwrap_or_else(PoisonError::into_inner).charge).sum()
    }
}

/// Data blocks by table number and offset.
pub(crate) type BlockCache = Lru<(u64, u64), Arc<Block>>;

/// Open tables, and the block cache they share.
pub(crate) struct TableCache {
    env: Arc<dyn FileEnv>,
    dir: PathBuf,
    tables: Lru<u64, Arc<Table>>,
    pub(crate) blocks: BlockCache,
}

impl TableCache {
    pub(crate) fn new(env: Arc<dyn FileEnv>, dir: &Path, open_files: usize, block_bytes: usize) -> Self {
        Self { env, dir: dir.into(), tables: Lru::new(open_files, 1), blocks: Lru::new(block_bytes, 16) }
    }

    /// The table of this number, opened if it is not.
    pub(crate) fn table(&self, number: u64, size: u64) -> Result<Arc<Table>> {
        if let Some(table) = self.tables.get(&number) {
            return Ok(table);
        }
        let path = files::table(&self.dir, number);
        // Old databases name tables `.sst`.
        let old = files::old_table(&self.dir, number);
        let (file, path) = match self.env.open(&path, OpenMode::Read) {
            Ok(file) => (file, path),
            Err(e) => match self.env.open(&old, OpenMode::Read) {
                Ok(file) => (file, old),
                Err(_) => return Err(Error::io(&path, &e)),
            },
        };
        let table = Arc::new(Table::open(file, path, number, size)?);
        self.tables.insert(number, table.clone(), 1);
        Ok(table)
    }

    /// Forgets a table that is about to be removed.
    pub(crate) fn evict(&self, number: u64) {
        self.tables.remove(&number);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn oldest_entries_leave_first() {
        let cache: Lru<u32, u32> = Lru::new(30, 1);
        for i in 0..3 {
            cache.insert(i, i * 10, 10);
        }
        assert_eq!(cache.get(&0), Some(0));
        cache.insert(3, 30, 10);
        assert_eq!(cache.get(&1), None);
        assert_eq!((cache.get(&0), cache.get(&2), cache.get(&3)), (Some(0), Some(20), Some(30)));
        assert_eq!(cache.charge(), 30);
        cache.insert(2, 21, 25);
        assert_eq!((cache.get(&0), cache.get(&2), cache.get(&3)), (None, Some(21), None));
        cache.remove(&2);
        assert_eq!((cache.get(&2), cache.charge()), (None, 0));
        cache.insert(9, 9, 31);
        assert_eq!(cache.get(&9), None);
    }

    #[test]
    fn agrees_with_a_plain_list() {
        let cache: Lru<u32, u32> = Lru::new(8, 1);
        let mut model: Vec<(u32, u32)> = Vec::new();
        let mut x = 1u32;
        for _ in 0..20_000 {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let key = (x >> 16) % 16;
            let at = model.iter().position(|e| e.0 == key);
            match x >> 29 {
                0..=3 => {
                    let expected = at.map(|i| model.remove(i));
                    assert_eq!(cache.get(&key), expected.map(|e| e.1));
                    model.extend(expected);
                }
                4..=6 => {
                    at.map(|i| model.remove(i));
                    model.push((key, x));
                    cache.insert(key, x, 1);
                    if model.len() > 8 {
                        model.remove(0);
                    }
                }
                _ => {
                    at.map(|i| model.remove(i));
                    cache.remove(&key);
                }
            }
            assert_eq!(cache.charge(), model.len());
        }
    }
}
