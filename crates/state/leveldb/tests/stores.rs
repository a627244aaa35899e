//! One suite for all stores.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{Model, Rng, contents, open, random_batch, small};
use grs_fs::{FileEnv, MemEnv, RealEnv};
use grs_leveldb::{
    Batch, DbParams, Error, FailingStore, MemStore, ObfuscatedStore, Store, WriteOptions, open_database,
};

const NOW: WriteOptions = WriteOptions { sync: false };

fn get_put_delete(store: &dyn Store) {
    assert!(store.is_empty().unwrap() || store.contains(grs_leveldb::OBFUSCATION_RECORD_KEY).unwrap());
    assert_eq!(store.get(b"a").unwrap(), None);
    store.put(b"a", b"1", NOW).unwrap();
    store.put(b"", b"empty key", NOW).unwrap();
    store.put(b"empty value", b"", WriteOptions::SYNC).unwrap();
    assert_eq!(store.get(b"a").unwrap().unwrap(), b"1");
    assert_eq!(store.get(b"").unwrap().unwrap(), b"empty key");
    assert_eq!(store.get(b"empty value").unwrap().unwrap(), b"");
    assert!(store.contains(b"a").unwrap() && !store.contains(b"b").unwrap());
    let mut buffer = b"old content".to_vec();
    assert!(store.get_into(b"a", &mut buffer).unwrap());
    assert_eq!(buffer, b"1");
    assert!(!store.get_into(b"b", &mut buffer).unwrap());
    assert!(buffer.is_empty());
    store.delete(b"a", NOW).unwrap();
    store.delete(b"never there", NOW).unwrap();
    assert_eq!(store.get(b"a").unwrap(), None);
    // The last change of a key in a batch wins.
    let mut batch = Batch::new();
    batch.put(b"x", b"1");
    batch.delete(b"x");
    batch.put(b"x", b"2");
    batch.put(b"y", b"1");
    batch.delete(b"y");
    store.write(batch, NOW).unwrap();
    assert_eq!(store.get(b"x").unwrap().unwrap(), b"2");
    assert_eq!(store.get(b"y").unwrap(), None);
    store.write(Batch::new(), WriteOptions::SYNC).unwrap();
    let large: Vec<u8> = (0..300_000u32).map(|i| (i.wrapping_mul(i) >> 8) as u8).collect();
    store.put(b"large", &large, NOW).unwrap();
    assert_eq!(store.get(b"large").unwrap().unwrap(), large);
    for key in [&b""[..], b"empty value", b"x", b"large"] {
        store.delete(key, NOW).unwrap();
    }
}

fn cursors_and_ranges(store: &dyn Store) {
    let mut rng = Rng(5);
    let mut model = Model::new();
    if let Some(key) = store.get(grs_leveldb::OBFUSCATION_RECORD_KEY).unwrap() {
        model.insert(grs_leveldb::OBFUSCATION_RECORD_KEY.to_vec(), key);
    }
    for round in 0..60 {
        let batch = random_batch(&mut rng, &mut model, 100, 3000, 400);
        store.write(batch, WriteOptions { sync: round % 10 == 0 }).unwrap();
        if round % 20 == 19 {
            store.compact_range(Some(b"k0500"), Some(b"k2500")).unwrap();
        }
        let expected: Vec<_> = model.clone().into_iter().collect();
        if round % 5 == 0 {
            assert_eq!(contents(store).unwrap(), expected);
        }
        let mut iter = store.iter().unwrap();
        assert!(!iter.valid() && iter.key().is_empty() && iter.value().is_empty());
        iter.next().unwrap();
        assert!(!iter.valid());
        for _ in 0..50 {
            let target = format!("k{:04}", rng.below(3100)).into_bytes();
            iter.seek(&target).unwrap();
            let mut range = model.range(target.clone()..);
            for _ in 0..5 {
                let found = iter.valid().then(|| (iter.key().to_vec(), iter.value().to_vec()));
                assert_eq!(found, range.next().map(|(k, v)| (k.clone(), v.clone())));
                iter.next().unwrap();
            }
            assert_eq!(store.get(&target).unwrap().as_ref(), model.get(&target));
        }
    }
    // A cursor shows the state at its making, whatever follows.
    let mut iter = store.iter().unwrap();
    let expected: Vec<_> = model.clone().into_iter().collect();
    for _ in 0..30 {
        store.write(random_batch(&mut rng, &mut model, 100, 3000, 400), NOW).unwrap();
    }
    store.compact_range(None, None).unwrap();
    iter.seek_to_first().unwrap();
    for (key, value) in &expected {
        assert_eq!((iter.key(), iter.value()), (key.as_slice(), value.as_slice()));
        iter.next().unwrap();
    }
    assert!(!iter.valid());
    assert_eq!(contents(store).unwrap(), model.into_iter().collect::<Vec<_>>());
    assert!(store.memory_usage() > 0);
}

fn suite(store: &dyn Store) {
    get_put_delete(store);
    cursors_and_ranges(store);
}

#[test]
fn mem_store() {
    suite(&MemStore::new());
}

#[test]
fn engine_in_memory_compacting_inline() {
    let env: Arc<dyn FileEnv> = Arc::new(MemEnv::new());
    suite(&open(&env, &small(true)).unwrap());
}

#[test]
fn engine_in_memory_compacting_in_background() {
    let env: Arc<dyn FileEnv> = Arc::new(MemEnv::new());
    suite(&open(&env, &small(false)).unwrap());
}

#[test]
fn engine_on_disk() {
    let temp = tempfile::tempdir().unwrap();
    let db = grs_leveldb::LevelDb::open(RealEnv::shared(), &temp.path().join("a/db"), small(false)).unwrap();
    suite(&db);
}

#[test]
fn obfuscated_stores() {
    suite(&ObfuscatedStore::open(Arc::new(MemStore::new()), true).unwrap());
    let env: Arc<dyn FileEnv> = Arc::new(MemEnv::new());
    suite(&ObfuscatedStore::open(Arc::new(open(&env, &small(true)).unwrap()), true).unwrap());
    let mut params = DbParams::new("", 1 << 20);
    params.memory_only = true;
    suite(&open_database(&env, &params).unwrap());
}

#[test]
fn failing_store() {
    let store = FailingStore::new(Arc::new(MemStore::new()));
    suite(&store);
    store.fail_reads(true);
    assert!(matches!(store.get(b"x"), Err(Error::Io(_))));
    assert!(store.iter().is_err());
    store.put(b"x", b"y", NOW).unwrap();
    store.fail_reads(false);
    store.fail_writes(true);
    assert!(store.put(b"x", b"z", NOW).is_err());
    assert_eq!(store.get(b"x").unwrap().unwrap(), b"y");
}

#[test]
fn databases_open_with_the_nodes_parameters() {
    let temp = tempfile::tempdir().unwrap();
    let env = RealEnv::shared();
    let mut params = DbParams::new(temp.path().join("chainstate"), 1 << 20);
    params.obfuscate = true;
    let key = {
        let db = open_database(&env, &params).unwrap();
        db.put(b"x", b"y", NOW).unwrap();
        assert_eq!(db.obfuscation_key().to_hex().len(), 16);
        // A second one in the same process is refused.
        let lock = params.path.join("LOCK");
        assert_eq!(
            open_database(&env, &params).err().unwrap().to_string(),
            format!("IO error: lock {}: already held by process", lock.display())
        );
        db.obfuscation_key()
    };
    params.force_compact = true;
    {
        let db = open_database(&env, &params).unwrap();
        assert_eq!(db.obfuscation_key(), key);
        assert_eq!(db.get(b"x").unwrap().unwrap(), b"y");
    }
    params.wipe_data = true;
    let db = open_database(&env, &params).unwrap();
    assert_eq!(db.get(b"x").unwrap(), None);
    assert_ne!(db.obfuscation_key(), key);
}
