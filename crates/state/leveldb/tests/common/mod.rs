//! Shared pieces of the integration tests.
#![allow(dead_code, clippy::unwrap_used)]

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use grs_fs::FileEnv;
use grs_leveldb::{Batch, LevelDb, Options, Result, Store};

pub type Model = BTreeMap<Vec<u8>, Vec<u8>>;

/// SplitMix64.
pub struct Rng(pub u64);

impl Rng {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    pub fn bytes(&mut self, n: usize) -> Vec<u8> {
        (0..n).map(|_| self.next() as u8).collect()
    }
}

pub fn dir() -> PathBuf {
    PathBuf::from("db")
}

/// Options under which few writes make many tables.
pub fn small(inline: bool) -> Options {
    Options {
        write_buffer_size: 64 << 10,
        block_cache_size: 32 << 10,
        max_file_size: 1 << 20,
        block_size: 1 << 10,
        max_open_files: 16,
        inline_compaction: inline,
        ..Options::default()
    }
}

pub fn open(env: &Arc<dyn FileEnv>, options: &Options) -> Result<LevelDb> {
    LevelDb::open(env.clone(), &dir(), options.clone())
}

/// All records of a store, in order.
pub fn contents(store: &dyn Store) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
    let mut iter = store.iter()?;
    let mut out = Vec::new();
    iter.seek_to_first()?;
    while iter.valid() {
        out.push((iter.key().to_vec(), iter.value().to_vec()));
        iter.next()?;
    }
    Ok(out)
}

/// A batch of random changes over a small set of keys; applies them to the model too.
pub fn random_batch(rng: &mut Rng, model: &mut Model, changes: u64, keys: u64, max_value: u64) -> Batch {
    let mut batch = Batch::new();
    for _ in 0..changes {
        let key = format!("k{:04}", rng.below(keys)).into_bytes();
        if rng.below(4) == 0 {
            batch.delete(&key);
            model.remove(&key);
        } else {
            let len = rng.below(max_value + 1) as usize;
            let value = rng.bytes(len.min(24)).into_iter().cycle().take(len).collect::<Vec<u8>>();
            batch.put(&key, &value);
            model.insert(key, value);
        }
    }
    batch
}

/// Names of the files of a directory.
pub fn names(env: &dyn FileEnv, dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        env.list(dir).unwrap().into_iter().map(|entry| entry.name.into_string().unwrap()).collect();
    names.sort();
    names
}
