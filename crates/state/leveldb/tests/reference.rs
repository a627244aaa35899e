//! Databases written by the reference (31.0.0, regtest, 169 blocks: a table, a log, a manifest).
#![allow(clippy::unwrap_used)]

mod common;

use std::{path::Path, sync::Arc};

use common::{contents, names};
use grs_fs::{FileEnv, MemEnv};
use grs_leveldb::{LevelDb, OBFUSCATION_RECORD_KEY, ObfuscatedStore, Options, Store, WriteOptions};
use grs_testkit::{json_lines, report, text};

/// A copy in memory of a database below `tests/data`.
fn load(name: &str) -> Arc<dyn FileEnv> {
    let env = MemEnv::new();
    env.create_dir_all(Path::new("db")).unwrap();
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(name);
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let to = Path::new("db").join(path.file_name().unwrap());
        env.write_synced(&to, &std::fs::read(path).unwrap()).unwrap();
    }
    Arc::new(env)
}

fn open(env: &Arc<dyn FileEnv>) -> LevelDb {
    let options = Options { inline_compaction: true, create_if_missing: false, ..Options::default() };
    LevelDb::open(env.clone(), Path::new("db"), options).unwrap()
}

#[test]
fn the_block_index_opens() {
    let env = load("reference_index");
    let db = open(&env);
    let records = contents(&db).unwrap();
    let count = |kind: u8| records.iter().filter(|(key, _)| key[0] == kind).count();
    // 170 headers, one file, the number of the last file.
    assert_eq!((count(b'b'), count(b'f'), count(b'l'), records.len()), (170, 1, 1, 172));
    assert_eq!(db.get(b"l").unwrap().unwrap(), [0; 4]);
    for (key, value) in &records {
        assert_eq!(db.get(key).unwrap().as_ref(), Some(value));
    }
    assert_eq!(db.get(b"b").unwrap(), None);
    // A block's record is about 100 bytes and ends with its header, version 3 or with version bits.
    for (key, value) in records.iter().filter(|(key, _)| key[0] == b'b') {
        assert_eq!(key.len(), 33);
        assert!((88..110).contains(&value.len()));
    }
    // It stays the same through rewriting and compacting.
    for (key, value) in &records {
        db.put(key, value, WriteOptions::default()).unwrap();
    }
    db.compact_range(None, None).unwrap();
    drop(db);
    assert_eq!(contents(&open(&env)).unwrap(), records);
    assert!(!names(env.as_ref(), Path::new("db")).contains(&"000005.ldb".to_owned()));
}

#[test]
fn the_coins_open() {
    let env = load("reference_chainstate");
    let db = ObfuscatedStore::open(Arc::new(open(&env)), false).unwrap();
    assert!(!db.obfuscation_key().is_zero());
    let records = contents(&db).unwrap();
    let coins: Vec<_> = records.iter().filter(|(key, _)| key[0] == b'C').collect();
    assert_eq!((coins.len(), records.len()), (169, 171));
    let best = db.get(b"B").unwrap().unwrap();
    let best: String = best.iter().rev().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(best, "0000029fcb76dc797a548b7415422b79afe8d720a8b6f6eab91bad6100713011");
    // Each coin's value starts with a varint of twice its height plus one, as all are of coinbases.
    let mut heights: Vec<u32> = coins
        .iter()
        .map(|(_, value)| {
            let (first, second) = (u32::from(value[0]), u32::from(value[1]));
            let code = if first < 128 { first } else { ((first & 127) + 1) << 7 | second };
            assert_eq!(code % 2, 1);
            code / 2
        })
        .collect();
    heights.sort_unstable();
    assert_eq!(heights, (1..=169).collect::<Vec<_>>());
}

/// Our table of the reference's entries is the reference's table, byte for byte: blocks, filter, index, footer.
#[test]
fn tables_are_written_byte_for_byte_as_the_reference_does() {
    for name in ["reference_index", "reference_chainstate"] {
        let env = load(name);
        let table = env.read(Path::new("db/000005.ldb")).unwrap();
        let again = grs_leveldb::fuzz::rewrite_table(&table).unwrap();
        assert!(table == again, "{name}: {} and {} bytes", table.len(), again.len());
    }
}

#[test]
fn vectors_of_obfuscated_coins() {
    let Some(lines) = json_lines("oracle/databases.jsonl.gz") else { return };
    let unhex = |s: &str| -> Vec<u8> {
        (0..s.len() / 2).map(|i| u8::from_str_radix(&s[2 * i..2 * i + 2], 16).unwrap()).collect()
    };
    let env: Arc<dyn FileEnv> = Arc::new(MemEnv::new());
    let inner: Arc<dyn Store> = Arc::new(LevelDb::open(env, Path::new("db"), common::small(true)).unwrap());
    let meta = lines.iter().find(|line| text(line, "kind") == "chainstate_meta").unwrap();
    assert_eq!(unhex(text(meta, "obfuscation_record_key")), OBFUSCATION_RECORD_KEY);
    inner
        .put(OBFUSCATION_RECORD_KEY, &unhex(text(meta, "obfuscation_record_value")), WriteOptions::default())
        .unwrap();
    let db = ObfuscatedStore::open(inner.clone(), true).unwrap();
    assert_eq!(db.obfuscation_key().to_hex(), text(meta, "obfuscation_key"));
    let mut cases = 0;
    for line in lines.iter().filter(|line| line.get("value_stored").is_some()) {
        let (key, stored, plain) =
            (unhex(text(line, "key")), unhex(text(line, "value_stored")), unhex(text(line, "value_plain")));
        inner.put(&key, &stored, WriteOptions::default()).unwrap();
        assert_eq!(db.get(&key).unwrap().unwrap(), plain);
        db.put(&key, &plain, WriteOptions::default()).unwrap();
        assert_eq!(inner.get(&key).unwrap().unwrap(), stored);
        cases += 1;
    }
    report("databases: obfuscated coins", cases);
}
