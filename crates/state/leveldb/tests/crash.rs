//! The engine on an environment that loses power: what was synced survives, what was not survives as a prefix.
#![allow(clippy::unwrap_used)]

mod common;

use std::{path::Path, sync::Arc};

use common::{Model, Rng, contents, open, random_batch, small};
use grs_fs::{CrashMode, FailingEnv, FileEnv, MemEnv, Op};
use grs_leveldb::{Error, Store, WriteOptions};

/// Runs batches until the cut; returns all states the database may have after it, oldest first.
fn run_until_cut(env: &MemEnv, start: Model, rng: &mut Rng, inline: bool) -> Vec<Model> {
    let shared: Arc<dyn FileEnv> = Arc::new(env.clone());
    let Ok(db) = open(&shared, &small(inline)) else { return vec![start] };
    let mut states = vec![start];
    loop {
        let mut next = states.last().unwrap().clone();
        let changes = 1 + rng.below(60);
        let max_value = [20, 400, 3000][rng.below(3) as usize];
        let batch = random_batch(rng, &mut next, changes, 300, max_value);
        let sync = rng.below(4) == 0;
        let written = db.write(batch, WriteOptions { sync });
        if written.is_ok() && sync {
            states.clear();
        }
        // A write that failed may still be found.
        states.push(next);
        if written.is_err() || (rng.below(20) == 0 && db.flush().is_err()) {
            // No write may succeed after a failed one.
            assert!(db.put(b"after", b"failure", WriteOptions::default()).is_err());
            return states;
        }
        if rng.below(25) == 0 && db.compact_range(None, None).is_err() {
            return states;
        }
    }
}

fn survives(seed: u64, mode: CrashMode, inline: bool) {
    let mut rng = Rng(seed);
    let mut env = MemEnv::new();
    let mut model = Model::new();
    for _ in 0..6 {
        let longest = 20 << rng.below(6);
        env.cut_after(Some(rng.below(1 + longest)));
        let mut states = run_until_cut(&env, model, &mut rng, inline);
        // Cuts during recovery, too.
        for _ in 0..rng.below(4) {
            env = env.crash(mode, rng.next());
            env.cut_after(Some(rng.below(30)));
            let shared: Arc<dyn FileEnv> = Arc::new(env.clone());
            drop(open(&shared, &small(inline)));
        }
        env = env.crash(mode, rng.next());
        let shared: Arc<dyn FileEnv> = Arc::new(env.clone());
        let db = open(&shared, &small(inline)).unwrap_or_else(|e| panic!("seed {seed}, {mode:?}: {e}"));
        let found: Model = contents(&db).unwrap().into_iter().collect();
        let at = states.iter().rposition(|state| *state == found);
        let Some(at) = at else {
            panic!("seed {seed}, {mode:?}: found none of the {} possible states", states.len());
        };
        if mode == CrashMode::KeepAll {
            assert!(at + 2 >= states.len(), "seed {seed}: lost writes although nothing was lost");
        }
        model = states.swap_remove(at);
        for n in 0..300 {
            let key = format!("k{n:04}").into_bytes();
            assert!(db.get(&key).unwrap().as_ref() == model.get(&key), "seed {seed}: wrong value of k{n:04}");
        }
    }
}

#[test]
fn a_killed_process_loses_nothing() {
    (0..30).for_each(|seed| survives(seed, CrashMode::KeepAll, seed % 3 == 0));
}

#[test]
fn a_power_cut_loses_only_what_was_not_synced() {
    (100..140).for_each(|seed| survives(seed, CrashMode::DropUnsynced, seed % 3 != 0));
}

#[test]
fn a_power_cut_with_torn_writes_leaves_a_prefix() {
    (200..280).for_each(|seed| survives(seed, CrashMode::Prefix, seed % 3 != 0));
}

/// A disk that reorders unsynced writes can leave holes in the log. LevelDB's checks report most as corruption; what
/// was synced must be there in any case, and nothing must be made up.
#[test]
fn a_reordering_disk_never_loses_synced_writes_silently() {
    let (mut opened, mut refused) = (0, 0);
    for seed in 300..380 {
        let mut rng = Rng(seed);
        let env = MemEnv::new();
        env.cut_after(Some(20 + rng.below(200)));
        let states = run_until_cut(&env, Model::new(), &mut rng, true);
        let after: Arc<dyn FileEnv> = Arc::new(env.crash(CrashMode::Reorder, rng.next()));
        match open(&after, &small(true)) {
            Ok(db) => {
                opened += 1;
                let found: Model = contents(&db).unwrap().into_iter().collect();
                for n in 0..300 {
                    let key = format!("k{n:04}").into_bytes();
                    assert!(states.iter().any(|state| state.get(&key) == found.get(&key)), "seed {seed}");
                }
            }
            // Only the log can have holes.
            Err(Error::Corruption(text)) if text.ends_with(".log") => refused += 1,
            Err(e) => panic!("seed {seed}: {e}"),
        }
    }
    assert!(opened > 0 && refused > 0, "{opened} opened, {refused} refused");
}

#[test]
fn a_full_disk_stops_writes_but_not_reads() {
    let failing = FailingEnv::new(Arc::new(MemEnv::new()));
    let env: Arc<dyn FileEnv> = Arc::new(failing.clone());
    let db = open(&env, &small(true)).unwrap();
    db.put(b"a", b"1", WriteOptions::SYNC).unwrap();
    failing.set_rule(|op, _, _| (op == Op::Write).then(|| std::io::Error::from_raw_os_error(28)));
    let error = db.put(b"b", b"2", WriteOptions::default()).unwrap_err();
    assert_eq!(error.to_string(), "IO error: db/000003.log: No space left on device");
    assert_eq!(error.fatal_text(), "Fatal LevelDB error: IO error: db/000003.log: No space left on device");
    failing.heal();
    assert_eq!(db.put(b"c", b"3", WriteOptions::default()).unwrap_err(), error);
    assert_eq!(db.get(b"a").unwrap().unwrap(), b"1");
    drop(db);
    let db = open(&env, &small(true)).unwrap();
    assert_eq!(contents(&db).unwrap(), [(b"a".to_vec(), b"1".to_vec())]);
    // A failing flush, likewise.
    failing.set_rule(|op, path, _| {
        let table = path.extension().is_some_and(|e| e == "ldb");
        (op == Op::Sync && table).then(|| std::io::ErrorKind::Other.into())
    });
    db.put(b"d", b"4", WriteOptions::default()).unwrap();
    assert!(db.flush().is_err());
    assert_eq!(db.get(b"d").unwrap().unwrap(), b"4");
    failing.heal();
    assert!(db.put(b"e", b"5", WriteOptions::default()).is_err());
    drop(db);
    let db = open(&env, &small(true)).unwrap();
    assert_eq!(db.get(b"d").unwrap().unwrap(), b"4");
}

/// A database with tables, a log and a manifest, all closed.
fn sample() -> MemEnv {
    let env = MemEnv::new();
    let shared: Arc<dyn FileEnv> = Arc::new(env.clone());
    let db = open(&shared, &small(true)).unwrap();
    let mut rng = Rng(3);
    for _ in 0..10 {
        db.write(random_batch(&mut rng, &mut Model::new(), 200, 500, 100), WriteOptions::default()).unwrap();
    }
    db.flush().unwrap();
    db.put(b"z", b"in the log", WriteOptions::SYNC).unwrap();
    env
}

fn copy(env: &MemEnv) -> Arc<dyn FileEnv> {
    // A crash that loses nothing is a copy.
    let files = common::names(env, Path::new("db"));
    let to = MemEnv::new();
    to.create_dir_all(Path::new("db")).unwrap();
    for name in files {
        let path = Path::new("db").join(name);
        to.write_synced(&path, &env.read(&path).unwrap()).unwrap();
    }
    Arc::new(to)
}

fn read_all(env: &Arc<dyn FileEnv>) -> Result<usize, Error> {
    let db = open(env, &small(true))?;
    for n in 0..500 {
        db.get(format!("k{n:04}").as_bytes())?;
    }
    Ok(contents(&db)?.len())
}

#[test]
fn damage_is_an_error_with_the_references_text() {
    let env = sample();
    let find = |suffix: &str, env: &Arc<dyn FileEnv>| -> std::path::PathBuf {
        let names = common::names(env.as_ref(), Path::new("db"));
        let name = names.iter().find(|n| n.ends_with(suffix) || n.starts_with(suffix)).unwrap();
        Path::new("db").join(name)
    };
    let expect = |damage: &dyn Fn(&Arc<dyn FileEnv>) -> String| {
        let env = copy(&env);
        let text = damage(&env);
        assert_eq!(read_all(&env).unwrap_err().to_string(), text);
    };
    let flip = |env: &Arc<dyn FileEnv>, path: &Path, at: usize| {
        let mut data = env.read(path).unwrap();
        let at = at % data.len();
        data[at] ^= 0x10;
        env.write_synced(path, &data).unwrap();
    };
    expect(&|env| {
        let path = find(".ldb", env);
        flip(env, &path, 100);
        format!("Corruption: block checksum mismatch: {}", path.display())
    });
    expect(&|env| {
        let path = find(".ldb", env);
        let len = env.file_len(&path).unwrap() as usize;
        flip(env, &path, len - 1);
        "Corruption: not an sstable (bad magic number)".into()
    });
    expect(&|env| {
        let path = find(".ldb", env);
        env.remove_file(&path).unwrap();
        format!("Corruption: 1 missing files; e.g.: {}", path.display())
    });
    expect(&|env| {
        let path = find(".ldb", env);
        env.write_synced(&path, b"short").unwrap();
        format!("IO error: {}: Invalid argument", path.display())
    });
    expect(&|env| {
        let path = find(".log", env);
        flip(env, &path, 10);
        format!("Corruption: checksum mismatch: {}", path.display())
    });
    expect(&|env| {
        let path = find("MANIFEST", env);
        flip(env, &path, 20);
        format!("Corruption: checksum mismatch: {}", path.display())
    });
    expect(&|env| {
        let path = find("MANIFEST", env);
        env.write_synced(&path, b"").unwrap();
        "Corruption: no meta-nextfile entry in descriptor".into()
    });
    expect(&|env| {
        let path = find("MANIFEST", env);
        env.remove_file(&path).unwrap();
        format!(
            "Corruption: CURRENT points to a non-existent file: NotFound: {}: {}",
            path.display(),
            std::io::Error::from(std::io::ErrorKind::NotFound)
        )
    });
    expect(&|env| {
        env.write_synced(Path::new("db/CURRENT"), b"MANIFEST-000001").unwrap();
        "Corruption: CURRENT file does not end with newline".into()
    });
}

#[test]
fn any_flipped_byte_is_survived_without_a_panic() {
    let env = sample();
    let whole = read_all(&copy(&env)).unwrap();
    let mut errors = 0;
    for name in common::names(&env, Path::new("db")) {
        let path = Path::new("db").join(&name);
        let data = env.read(&path).unwrap();
        let step = (data.len() / 150).max(1);
        for at in (0..data.len()).step_by(step) {
            let env = copy(&env);
            let mut bad = data.clone();
            bad[at] ^= 1 << (at % 8);
            env.write_synced(&path, &bad).unwrap();
            match read_all(&env) {
                Ok(n) => assert!(n <= whole, "{name} {at}"),
                Err(_) => errors += 1,
            }
            bad.truncate(at);
            env.write_synced(&path, &bad).unwrap();
            errors += usize::from(read_all(&env).is_err());
        }
    }
    assert!(errors > 200, "{errors}");
}
