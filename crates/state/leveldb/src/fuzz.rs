//! Entry points for fuzzing: none may panic, hang or allocate beyond its input, whatever the bytes.

use std::{path::Path, sync::Arc};

use grs_fs::{FileEnv, MemEnv, OpenMode};

use crate::{
    LevelDb, MemStore, Options, Store, WriteOptions,
    batch::parse_record,
    block::{Block, Cursor},
    builder::TableBuilder,
    cache::Lru,
    edit::VersionEdit,
    key::{SEEK_TAG, internal},
    log::LogReader,
    memtable::MemTable,
    table::{Table, TableIter},
};

/// Reads bytes as a log file.
pub fn fuzz_log(data: &[u8]) {
    let env = MemEnv::new();
    let path = Path::new("000001.log");
    if env.write_synced(path, data).is_err() {
        return;
    }
    let Ok(file) = env.open(path, OpenMode::Read) else { return };
    let mut reader = LogReader::new(file, path);
    let mut total = 0;
    while let Ok(Some(record)) = reader.next_record() {
        total += record.len() + 7;
        assert!(total <= data.len(), "more records than bytes");
    }
}

/// Reads bytes as a block: walks and seeks.
pub fn fuzz_block(data: &[u8]) {
    let Ok(block) = Block::new(data.to_vec()) else { return };
    let mut cursor = Cursor::default();
    let mut steps = 0;
    let mut moved = cursor.seek_to_first(&block);
    while moved.is_ok() && cursor.valid() {
        steps += cursor.key().len().min(1) + cursor.value(&block).len().min(1) + 1;
        assert!(steps <= 3 * data.len(), "more entries than bytes");
        moved = cursor.next(&block);
    }
    let target = internal(&data[..data.len().min(8)], SEEK_TAG);
    let _ = cursor.seek(&block, &target);
}

/// Reads bytes as a table file: opens, walks, seeks, gets.
pub fn fuzz_table(data: &[u8]) {
    let env = MemEnv::new();
    let path = Path::new("000001.ldb");
    if env.write_synced(path, data).is_err() {
        return;
    }
    let Ok(file) = env.open(path, OpenMode::Read) else { return };
    let Ok(table) = Table::open(file, path.into(), 1, data.len() as u64) else { return };
    let table = Arc::new(table);
    let mut iter = TableIter::new(table.clone());
    let mut moved = iter.seek_to_first();
    let mut keys = Vec::new();
    while moved.is_ok() && iter.valid() && keys.len() < 1000 {
        keys.push(iter.key().to_vec());
        moved = iter.next();
    }
    let blocks = Lru::new(1 << 16, 1);
    for key in &keys {
        let _ = iter.seek(key);
        let _ = table.get(key, &blocks, |_, value| Ok(value.len()));
        let _ = table.approximate_offset(key);
    }
}

/// Reads bytes as a record of the manifest; what can be read must be written the same.
pub fn fuzz_version_edit(data: &[u8]) {
    if let Ok(edit) = VersionEdit::decode(data) {
        assert_eq!(VersionEdit::decode(&edit.encode()).as_ref(), Ok(&edit));
    }
}

/// Reads bytes as a batch and puts it into a memory table.
pub fn fuzz_batch(data: &[u8]) {
    if let Some(record) = parse_record(data) {
        let _ = MemTable::new().insert(record.changes, record.sequence >> 8);
    }
}

/// Opens a database whose log or manifest has these bytes; if it opens, it must take a write and keep it.
pub fn fuzz_open(data: &[u8]) {
    let Some((&which, data)) = data.split_first() else { return };
    let env: Arc<dyn FileEnv> = Arc::new(MemEnv::new());
    let dir = Path::new("db");
    let options = Options { inline_compaction: true, ..Options::default() };
    let name = if which & 1 == 0 { "000003.log" } else { "MANIFEST-000002" };
    {
        let Ok(db) = LevelDb::open(env.clone(), dir, options.clone()) else { return };
        let _ = db.put(b"a", b"b", WriteOptions::default());
    }
    if env.write_synced(&dir.join(name), data).is_err() {
        return;
    }
    let Ok(db) = LevelDb::open(env, dir, options) else { return };
    if db.put(b"key", b"value", WriteOptions::SYNC).is_ok() && db.flush().is_ok() {
        assert_eq!(db.get(b"key"), Ok(Some(b"value".to_vec())));
    }
    let copy = MemStore::new();
    if let Ok(mut iter) = db.iter() {
        let mut moved = iter.seek_to_first();
        while moved.is_ok() && iter.valid() {
            let _ = copy.put(iter.key(), iter.value(), WriteOptions::default());
            moved = iter.next();
        }
    }
}

/// A new table with the entries of the table in these bytes; `None` if it cannot be read.
pub fn rewrite_table(data: &[u8]) -> Option<Vec<u8>> {
    let env = MemEnv::new();
    let (from, to) = (Path::new("000001.ldb"), Path::new("000002.ldb"));
    env.write_synced(from, data).ok()?;
    let file = env.open(from, OpenMode::Read).ok()?;
    let mut iter = TableIter::new(Arc::new(Table::open(file, from.into(), 1, data.len() as u64).ok()?));
    let mut builder = TableBuilder::create(&env, to, Options::default().block_size).ok()?;
    iter.seek_to_first().ok()?;
    while iter.valid() {
        builder.add(iter.key(), iter.value()).ok()?;
        iter.next().ok()?;
    }
    builder.finish().ok()?;
    env.read(to).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Batch, batch::TYPE_PUT, key::tag, log::LogWriter};

    struct Rng(u64);

    impl Rng {
        fn next(&mut self, below: usize) -> usize {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) as usize % below.max(1)
        }
    }

    /// Runs a function on seeds and on mutations of them.
    fn drive(seeds: &[Vec<u8>], rounds: usize, run: fn(&[u8])) {
        let mut rng = Rng(1);
        for seed in seeds {
            run(seed);
            for _ in 0..rounds {
                let mut data = seed.clone();
                for _ in 0..1 + rng.next(4) {
                    let at = rng.next(data.len());
                    match rng.next(6) {
                        0 => data.truncate(at),
                        1 => data.extend_from_slice(&seed[..rng.next(seed.len().min(64))]),
                        2 if at < data.len() => data[at] ^= 1 << rng.next(8),
                        3 if at < data.len() => data[at] = [0, 1, 0x7f, 0x80, 0xff][rng.next(5)],
                        4 if at < data.len() => {
                            let end = (at + rng.next(16)).min(data.len());
                            data.drain(at..end);
                        }
                        _ if at < data.len() => {
                            let end = (at + 8).min(data.len());
                            data[at..end].fill(rng.next(256) as u8);
                        }
                        _ => {}
                    }
                }
                run(&data);
            }
        }
    }

    fn batch() -> Vec<u8> {
        let mut batch = Batch::new();
        batch.put(b"key", b"value");
        batch.delete(b"other");
        batch.put(b"long", &[7; 300]);
        batch.set_sequence(77);
        batch.encoded().to_vec()
    }

    fn log(records: &[Vec<u8>]) -> Vec<u8> {
        let env = MemEnv::new();
        let path = Path::new("log");
        let mut writer = LogWriter::new(env.open(path, OpenMode::Truncate).unwrap(), path.into());
        for record in records {
            writer.add(record).unwrap();
        }
        env.read(path).unwrap()
    }

    fn table(entries: u32, value: usize) -> Vec<u8> {
        let env = MemEnv::new();
        let path = Path::new("table");
        let mut builder = TableBuilder::create(&env, path, 1024).unwrap();
        for i in 0..entries {
            let key = internal(format!("key{i:05}").as_bytes(), tag(u64::from(i) + 5, TYPE_PUT));
            builder.add(&key, &vec![i as u8; value]).unwrap();
        }
        builder.finish().unwrap();
        env.read(path).unwrap()
    }

    #[test]
    fn damaged_logs() {
        drive(&[log(&[batch(), vec![], vec![3; 40_000], batch()]), log(&[])], 2000, fuzz_log);
    }

    #[test]
    fn damaged_blocks() {
        let mut seeds = Vec::new();
        for interval in [1, 3, 16] {
            let mut builder = crate::block::BlockBuilder::new(interval);
            for i in 0..40u32 {
                let key = internal(format!("key{i:05}").as_bytes(), 256);
                builder.add(&key, &vec![1; i as usize * 7 % 200]);
            }
            seeds.push(builder.finish().to_vec());
        }
        drive(&seeds, 5000, fuzz_block);
    }

    #[test]
    fn damaged_tables() {
        drive(&[table(200, 40), table(1, 0), table(0, 0)], 1000, fuzz_table);
    }

    #[test]
    fn damaged_version_edits() {
        let file =
            crate::edit::FileMeta { number: 9, size: 1000, smallest: vec![1; 9], largest: vec![2; 12] };
        let edit = VersionEdit {
            comparator: Some(crate::edit::COMPARATOR.to_vec()),
            log_number: Some(3),
            next_file: Some(300),
            last_sequence: Some(1 << 40),
            compact_pointers: vec![(1, vec![5; 20])],
            deleted: vec![(2, 500)],
            added: vec![(1, Arc::new(file))],
            ..VersionEdit::default()
        };
        drive(&[edit.encode()], 20_000, fuzz_version_edit);
    }

    #[test]
    fn damaged_batches() {
        drive(&[batch()], 20_000, fuzz_batch);
    }

    #[test]
    fn damaged_databases() {
        let edits = |edits: &[VersionEdit]| log(&edits.iter().map(VersionEdit::encode).collect::<Vec<_>>());
        let start = VersionEdit {
            comparator: Some(crate::edit::COMPARATOR.to_vec()),
            log_number: Some(3),
            next_file: Some(4),
            last_sequence: Some(0),
            ..VersionEdit::default()
        };
        let huge = VersionEdit { next_file: Some(u64::MAX), last_sequence: Some(u64::MAX), ..start.clone() };
        let with = |which: u8, data: Vec<u8>| [vec![which], data].concat();
        let wild_sequence = {
            let mut data = batch();
            data[..8].fill(0xff);
            data
        };
        let seeds = [
            with(0, log(&[batch(), batch()])),
            with(0, log(&[wild_sequence])),
            with(0, log(&[vec![1; 11]])),
            with(1, edits(&[start.clone(), start])),
            with(1, edits(&[huge])),
        ];
        drive(&seeds, 400, fuzz_open);
    }
}
