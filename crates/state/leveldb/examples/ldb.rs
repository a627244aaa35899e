//! Looks at and rewrites a database on disk. The two-way check with the reference uses it:
//!
//! ```text
//! ldb list DIR            counts records by first byte of the key
//! ldb dump DIR            prints all records (values as stored)
//! ldb levels DIR          prints the number of table files in each level
//! ldb compact DIR         compacts everything
//! ldb rewrite DIR ROUNDS  writes all records anew in small batches, with reopening and compacting in between
//! ldb random DIR COUNT    reads COUNT random existing keys
//! ```

use std::{
    collections::BTreeMap,
    path::Path,
    time::{Duration, Instant},
};

use grs_fs::RealEnv;
use grs_leveldb::{Batch, LevelDb, Options, Result, Store, WriteOptions};

fn hex(data: &[u8]) -> String {
    data.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn each(db: &LevelDb, mut show: impl FnMut(&[u8], &[u8])) -> Result<()> {
    let mut iter = db.iter()?;
    iter.seek_to_first()?;
    while iter.valid() {
        show(iter.key(), iter.value());
        iter.next()?;
    }
    Ok(())
}

fn open(dir: &Path, inline: bool) -> Result<LevelDb> {
    // A small buffer makes many tables.
    let options =
        Options { create_if_missing: false, inline_compaction: inline, ..Options::for_cache(1 << 20) };
    LevelDb::open(RealEnv::shared(), dir, options)
}

fn rewrite(dir: &Path, rounds: usize) -> Result<()> {
    for round in 0..rounds {
        let db = open(dir, round % 2 == 0)?;
        let mut records = Vec::new();
        each(&db, |key, value| records.push((key.to_vec(), value.to_vec())))?;
        for part in records.chunks(97 + round * 31) {
            let mut batch = Batch::new();
            for (key, value) in part {
                // Some are removed and written again.
                if round % 3 == 1 {
                    batch.delete(key);
                }
                batch.put(key, value);
            }
            db.write(batch, WriteOptions { sync: round % 4 == 0 })?;
        }
        if round % 3 == 2 {
            db.compact_range(None, None)?;
        }
    }
    Ok(())
}

fn run(arguments: &[&str]) -> Result<()> {
    let start = Instant::now();
    match *arguments {
        ["list", dir] => {
            let db = open(dir.as_ref(), false)?;
            let mut kinds: BTreeMap<u8, (u64, u64)> = BTreeMap::new();
            each(&db, |key, value| {
                let kind = kinds.entry(key.first().copied().unwrap_or(0)).or_default();
                kind.0 += 1;
                kind.1 += (key.len() + value.len()) as u64;
            })?;
            for (kind, (count, bytes)) in kinds {
                println!("{:?} {count} records {bytes} bytes", char::from(kind));
            }
        }
        ["dump", dir] => {
            each(&open(dir.as_ref(), false)?, |key, value| println!("{} {}", hex(key), hex(value)))?;
            return Ok(());
        }
        ["levels", dir] => println!("{:?}", open(dir.as_ref(), false)?.files_per_level()),
        ["compact", dir] => open(dir.as_ref(), false)?.compact_range(None, None)?,
        ["rewrite", dir, rounds] => rewrite(dir.as_ref(), rounds.parse().unwrap_or(1))?,
        ["random", dir, count] => {
            let db = open(dir.as_ref(), false)?;
            let mut keys = Vec::new();
            each(&db, |key, _| keys.push(key.to_vec()))?;
            let mut value = Vec::new();
            let mut at = 1usize;
            let began = Instant::now();
            let count: u32 = count.parse().unwrap_or(1000);
            for _ in 0..count {
                at = at.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                if let Some(key) = keys.get((at >> 20) % keys.len().max(1)) {
                    assert!(db.get_into(key, &mut value)?, "a listed key must be found");
                }
            }
            println!("{:?} a read", began.elapsed().checked_div(count).unwrap_or(Duration::ZERO));
        }
        _ => println!("list|dump|levels|compact|rewrite|random DIR [N]"),
    }
    println!("{:?}", start.elapsed());
    Ok(())
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if let Err(error) = run(&arguments) {
        println!("{error}");
        std::process::exit(1);
    }
}
