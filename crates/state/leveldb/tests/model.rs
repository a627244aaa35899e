//! The engine against a sorted map under random operations.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{Model, Rng, contents, open, random_batch, small};
use grs_fs::{FileEnv, MemEnv};
use grs_leveldb::{Store, WriteOptions};
use proptest::prelude::*;

#[derive(Clone, Debug)]
enum Step {
    Write { seed: u64, changes: u64, max_value: u64, sync: bool },
    Get(u64),
    Scan(u64),
    Flush,
    Compact(u64, u64),
    Reopen,
    Check,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (any::<u64>(), 1..150u64, prop_oneof![Just(30u64), Just(600), Just(3000)], any::<bool>())
            .prop_map(|(seed, changes, max_value, sync)| Step::Write { seed, changes, max_value, sync }),
        3 => (0..600u64).prop_map(Step::Get),
        2 => (0..600u64).prop_map(Step::Scan),
        1 => Just(Step::Flush),
        1 => (0..600u64, 0..600u64).prop_map(|(a, b)| Step::Compact(a.min(b), a.max(b))),
        1 => Just(Step::Reopen),
        1 => Just(Step::Check),
    ]
}

fn key(n: u64) -> Vec<u8> {
    format!("k{n:04}").into_bytes()
}

fn run(steps: Vec<Step>, inline: bool) -> std::result::Result<(), TestCaseError> {
    let env: Arc<dyn FileEnv> = Arc::new(MemEnv::new());
    let options = small(inline);
    let mut db = open(&env, &options).unwrap();
    let mut model = Model::new();
    for step in steps {
        match step {
            Step::Write { seed, changes, max_value, sync } => {
                let batch = random_batch(&mut Rng(seed), &mut model, changes, 600, max_value);
                db.write(batch, WriteOptions { sync }).unwrap();
            }
            Step::Get(n) => prop_assert_eq!(db.get(&key(n)).unwrap(), model.get(&key(n)).cloned()),
            Step::Scan(n) => {
                let mut iter = db.iter().unwrap();
                iter.seek(&key(n)).unwrap();
                for (k, v) in model.range(key(n)..).take(40) {
                    prop_assert_eq!((iter.key(), iter.value()), (k.as_slice(), v.as_slice()));
                    iter.next().unwrap();
                }
            }
            Step::Flush => db.flush().unwrap(),
            Step::Compact(a, b) => db.compact_range(Some(&key(a)), Some(&key(b))).unwrap(),
            Step::Reopen => {
                drop(db);
                db = open(&env, &options).unwrap();
            }
            Step::Check => {
                prop_assert_eq!(contents(&db).unwrap(), model.clone().into_iter().collect::<Vec<_>>());
            }
        }
    }
    prop_assert_eq!(contents(&db).unwrap(), model.clone().into_iter().collect::<Vec<_>>());
    for n in 0..600 {
        prop_assert_eq!(db.get(&key(n)).unwrap(), model.get(&key(n)).cloned());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn agrees_with_a_map_compacting_inline(steps in prop::collection::vec(step(), 1..80)) {
        run(steps, true)?;
    }

    #[test]
    fn agrees_with_a_map_compacting_in_background(steps in prop::collection::vec(step(), 1..80)) {
        run(steps, false)?;
    }
}

/// Enough data for several levels; readers and cursors run beside the writer.
#[test]
fn readers_beside_a_writer_see_whole_batches() {
    let env: Arc<dyn FileEnv> = Arc::new(MemEnv::new());
    let db = Arc::new(open(&env, &small(false)).unwrap());
    let stop = std::sync::atomic::AtomicBool::new(false);
    let started = std::sync::Barrier::new(3);
    std::thread::scope(|scope| {
        for reader in 0..2u64 {
            let (db, stop, started) = (db.clone(), &stop, &started);
            scope.spawn(move || {
                started.wait();
                let mut rng = Rng(reader);
                let mut last = 0u64;
                let mut rounds = 0;
                while rounds < 20 || !stop.load(std::sync::atomic::Ordering::Relaxed) {
                    rounds += 1;
                    // Each batch sets one number for all keys.
                    let mut iter = db.iter().unwrap();
                    iter.seek_to_first().unwrap();
                    let first = iter.value().get(..8).map(<[u8]>::to_vec);
                    let mut count = 0;
                    while iter.valid() {
                        assert_eq!(iter.value().get(..8).map(<[u8]>::to_vec), first);
                        count += 1;
                        iter.next().unwrap();
                    }
                    assert!(count == 0 || count == 200);
                    if let Some(value) = db.get(&key(rng.below(200))).unwrap() {
                        let number = u64::from_le_bytes(value[..8].try_into().unwrap());
                        assert!(number >= last, "went back from {last} to {number}");
                        last = number;
                    }
                }
            });
        }
        started.wait();
        for number in 1..=400u64 {
            let mut batch = grs_leveldb::Batch::new();
            for n in 0..200 {
                let value = [&number.to_le_bytes()[..], &[n as u8; 100]].concat();
                batch.put(&key(n), &value);
            }
            db.write(batch, WriteOptions::default()).unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    db.wait_idle().unwrap();
    assert_eq!(contents(db.as_ref()).unwrap().len(), 200);
}

#[test]
fn data_spreads_over_levels_and_old_files_go() {
    let env: Arc<dyn FileEnv> = Arc::new(MemEnv::new());
    let db = open(&env, &small(true)).unwrap();
    let mut rng = Rng(9);
    let mut model = Model::new();
    for _ in 0..150 {
        let mut batch = grs_leveldb::Batch::new();
        for _ in 0..1000 {
            let (key, value) = (rng.bytes(12), rng.bytes(100));
            batch.put(&key, &value);
            model.insert(key, value);
        }
        db.write(batch, WriteOptions::default()).unwrap();
    }
    let levels = db.files_per_level();
    assert!(levels[1] > 0 && levels[2] > 0, "{levels:?}");
    assert_eq!(contents(&db).unwrap(), model.clone().into_iter().collect::<Vec<_>>());
    let size = db.approximate_size(&[0], &[255; 20]).unwrap();
    assert!((10_000_000..25_000_000).contains(&size), "{size}");
    let half = db.approximate_size(&[0], &[128]).unwrap();
    assert!((size * 2 / 5..size * 3 / 5).contains(&half), "{half} of {size}");
    let tables =
        |env: &dyn FileEnv| common::names(env, &common::dir()).iter().filter(|n| n.ends_with(".ldb")).count();
    assert_eq!(tables(env.as_ref()), db.files_per_level().iter().sum::<usize>());
    // Remove everything: nothing may be left but the files of an empty database.
    let mut batch = grs_leveldb::Batch::new();
    model.keys().for_each(|key| batch.delete(key));
    db.write(batch, WriteOptions::default()).unwrap();
    db.compact_range(None, None).unwrap();
    assert_eq!(contents(&db).unwrap(), vec![]);
    assert_eq!((db.files_per_level(), tables(env.as_ref())), ([0; 7], 0));
    drop(db);
    grs_leveldb::destroy(env.as_ref(), &common::dir()).unwrap();
    assert!(!env.exists(&common::dir()));
}

/// A memory table that fills while tables around its keys are merged into one must not go below that one.
#[test]
fn a_flush_into_the_gap_of_a_running_compaction_keeps_levels_apart() {
    use std::sync::{Mutex, mpsc};

    let failing = grs_fs::FailingEnv::new(Arc::new(MemEnv::new()));
    let env: Arc<dyn FileEnv> = Arc::new(failing.clone());
    let db = open(&env, &small(false)).unwrap();
    let write = |prefix: &str, fill: u8| {
        for n in 0..20 {
            let key = format!("{prefix}{n:03}").into_bytes();
            db.put(&key, &[fill; 3000], WriteOptions::default()).unwrap();
        }
    };
    // Twice, so that the second tables lie above the first.
    for fill in [1, 2] {
        for prefix in ["a", "z"] {
            write(prefix, fill);
            db.flush().unwrap();
        }
    }
    db.wait_idle().unwrap();
    assert_eq!(db.files_per_level()[..3], [0, 2, 2]);
    let (started, wait_started) = mpsc::channel();
    let (filled, wait_filled) = mpsc::channel::<()>();
    let wait_filled = Mutex::new(Some(wait_filled));
    failing.set_rule(move |op, path, _| {
        let is_table = path.extension().is_some_and(|extension| extension == "ldb");
        // At the first output of the compaction, once.
        if op == grs_fs::Op::Create
            && is_table
            && let Some(wait) = wait_filled.lock().unwrap().take()
        {
            started.send(()).unwrap();
            wait.recv().unwrap();
        }
        None
    });
    std::thread::scope(|scope| {
        let write = &write;
        scope.spawn(move || {
            wait_started.recv().unwrap();
            // More than a memory table holds.
            (0..2).for_each(|_| write("m", 3));
            filled.send(()).unwrap();
        });
        db.compact_range(Some(b"a"), Some(b"z999")).unwrap();
    });
    db.wait_idle().unwrap();
    let records = contents(&db).unwrap();
    assert_eq!(records.len(), 60);
    assert!(records.iter().all(|(key, value)| value[0] == if key[0] == b'm' { 3 } else { 2 }));
}
