use std::{io, path::Path, sync::Arc};

use super::*;

/// What every environment must do, in a fresh directory.
fn behaves(env: &dyn FileEnv, dir: &Path) {
    let path = |name: &str| dir.join(name);
    env.create_dir_all(&path("a/b")).unwrap();
    env.create_dir_all(&path("a/b")).unwrap();
    assert!(env.is_dir(&path("a")) && env.exists(&path("a/b")) && !env.exists(&path("c")));
    assert_eq!(env.open(&path("x"), OpenMode::Read).unwrap_err().kind(), io::ErrorKind::NotFound);
    assert_eq!(env.open(&path("x"), OpenMode::ReadWrite).unwrap_err().kind(), io::ErrorKind::NotFound);
    assert_eq!(env.open(&path("c/x"), OpenMode::Create).unwrap_err().kind(), io::ErrorKind::NotFound);
    let file = env.open(&path("x"), OpenMode::CreateNew).unwrap();
    assert_eq!(env.open(&path("x"), OpenMode::CreateNew).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert!(file.is_empty().unwrap());
    file.write_at(b"hello", 3).unwrap();
    file.write_at(b"J", 3).unwrap();
    assert_eq!(env.read(&path("x")).unwrap(), b"\0\0\0Jello");
    let mut buf = [9; 4];
    assert_eq!(file.read_at(&mut buf, 6).unwrap(), 2);
    assert_eq!(file.read_at(&mut buf, 8).unwrap() + file.read_at(&mut buf, 800).unwrap(), 0);
    file.read_exact_at(&mut buf, 4).unwrap();
    assert_eq!(&buf, b"ello");
    assert_eq!(file.read_exact_at(&mut buf, 5).unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
    file.allocate(0, 4).unwrap();
    assert_eq!(file.len().unwrap(), 8);
    file.allocate(6, 10).unwrap();
    assert_eq!(env.file_len(&path("x")).unwrap(), 16);
    file.set_len(5).unwrap();
    file.sync().unwrap();
    assert_eq!(env.read(&path("x")).unwrap(), b"\0\0\0Je");
    assert!(env.open(&path("x"), OpenMode::Read).unwrap().write_at(b"x", 0).is_err());
    assert_eq!(env.open(&path("x"), OpenMode::Create).unwrap().len().unwrap(), 5);
    // Renaming replaces; open handles stay with their file.
    env.write_synced(&path("y"), b"other").unwrap();
    env.rename(&path("y"), &path("x")).unwrap();
    assert_eq!(env.read(&path("x")).unwrap(), b"other");
    assert_eq!(file.len().unwrap(), 5);
    assert!(env.rename(&path("y"), &path("z")).is_err());
    env.sync_dir(dir).unwrap();
    let mut names = env.list(dir).unwrap();
    names.sort();
    let names: Vec<_> = names.iter().map(|entry| (entry.name.to_str().unwrap(), entry.is_dir)).collect();
    assert_eq!(names, [("a", true), ("x", false)]);
    replace_file(env, &path("x"), &path("t"), b"new").unwrap();
    assert_eq!((env.read(&path("x")).unwrap(), env.exists(&path("t"))), (b"new".to_vec(), false));
    assert!(env.open(&path("x"), OpenMode::Truncate).unwrap().is_empty().unwrap());
    env.remove_file(&path("x")).unwrap();
    assert!(env.remove_file(&path("x")).is_err() && !env.exists(&path("x")));
    assert!(env.remove_dir(&path("a")).is_err());
    env.remove_dir(&path("a/b")).unwrap();
    env.remove_dir(&path("a")).unwrap();
    assert!(env.list(&path("a")).is_err());
    // Locks.
    let held = env.lock(&path(".lock")).unwrap();
    assert!(matches!(env.lock(&path(".lock")), Err(LockError::HeldHere)));
    assert_eq!(env.lock(&path(".lock")).unwrap_err().to_string(), "already held by process");
    drop(held);
    drop(env.lock(&path(".lock")).unwrap());
    assert!(matches!(env.lock(&path("none/.lock")), Err(LockError::Io(_))));
    assert!(env.free_space(dir).unwrap() > 0);
}

#[test]
fn environments_behave_alike() {
    let temp = tempfile::tempdir().unwrap();
    behaves(&RealEnv, temp.path());
    let mem = MemEnv::new();
    mem.create_dir_all(Path::new("/top")).unwrap();
    behaves(&mem, Path::new("/top"));
    let failing = FailingEnv::new(Arc::new(mem.clone()));
    mem.create_dir_all(Path::new("/more")).unwrap();
    behaves(&failing, Path::new("/more"));
    assert!(failing.operations() > 30);
}

#[test]
fn one_lock_file_has_one_lock_whatever_its_spelling() {
    let temp = tempfile::tempdir().unwrap();
    let path = temp.path().join(".lock");
    let other = temp.path().join("..").join(temp.path().file_name().unwrap()).join(".lock");
    let _held = RealEnv.lock(&path).unwrap();
    assert!(matches!(RealEnv.lock(&other), Err(LockError::HeldHere)));
}

#[test]
fn os_errors_print_as_in_c() {
    let error = io::Error::from_raw_os_error(11);
    assert_eq!(os_error_text(&error), "Resource temporarily unavailable");
    assert_eq!(os_error_text(&io::Error::other("mine (os error 1)")), "mine (os error 1)");
}

#[test]
fn crashes_keep_what_was_synced() {
    let dir = Path::new("d");
    let make = || {
        let env = MemEnv::new();
        env.create_dir_all(dir).unwrap();
        env.write_synced(&dir.join("kept"), b"kept").unwrap();
        env.sync_dir(dir).unwrap();
        let file = env.open(&dir.join("kept"), OpenMode::ReadWrite).unwrap();
        for i in 0..8u64 {
            file.write_at(&[b'0' + i as u8; 2], 4 + 2 * i).unwrap();
        }
        env.write_synced(&dir.join("nameless"), b"content").unwrap();
        env
    };
    let after = |mode, seed| {
        let env = make().crash(mode, seed);
        let named = env.exists(&dir.join("nameless"));
        (env.read(&dir.join("kept")).unwrap(), named)
    };
    let whole = b"kept0011223344556677".to_vec();
    assert_eq!(after(CrashMode::KeepAll, 1), (whole.clone(), true));
    assert_eq!(after(CrashMode::DropUnsynced, 1), (b"kept".to_vec(), false));
    let mut prefixes = std::collections::BTreeSet::new();
    let mut holes = 0;
    for seed in 0..200 {
        let (data, _) = after(CrashMode::Prefix, seed);
        assert!(data.starts_with(b"kept") && whole.starts_with(&data));
        prefixes.insert(data.len());
        let (data, _) = after(CrashMode::Reorder, seed);
        assert!(data.starts_with(b"kept"));
        assert!(data.iter().zip(&whole).all(|(a, b)| a == b || *a == 0));
        holes += usize::from(data.contains(&0));
    }
    // Whole writes and torn ones.
    assert!(prefixes.len() > 12 && prefixes.iter().any(|n| n % 2 == 1), "{prefixes:?}");
    assert!(holes > 50);
    let env = make();
    env.crash(CrashMode::KeepAll, 0);
    assert!(env.open(&dir.join("new"), OpenMode::Create).is_err());
}

#[test]
fn cuts_stop_all_changes() {
    let env = MemEnv::new();
    let file = env.open(Path::new("x"), OpenMode::Create).unwrap();
    assert_eq!(env.operations(), 1);
    env.cut_after(Some(2));
    file.write_at(b"1", 0).unwrap();
    file.sync().unwrap();
    assert!(file.write_at(b"2", 0).is_err() && file.sync().is_err());
    assert!(env.remove_file(Path::new("x")).is_err() && env.rename(Path::new("x"), Path::new("y")).is_err());
    assert_eq!(env.read(Path::new("x")).unwrap(), b"1");
    env.cut_after(None);
    file.write_at(b"2", 0).unwrap();
    env.set_free_space(5);
    assert_eq!(env.free_space(Path::new(".")).unwrap(), 5);
}

#[test]
fn failing_environment_fails_what_the_rule_says() {
    let env = FailingEnv::new(Arc::new(MemEnv::new()));
    let file = env.open(Path::new("x"), OpenMode::Create).unwrap();
    file.write_at(b"abc", 0).unwrap();
    env.fail_all(Op::Write, io::ErrorKind::StorageFull);
    assert_eq!(file.write_at(b"d", 3).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(file.set_len(1).unwrap_err().kind(), io::ErrorKind::StorageFull);
    assert_eq!(env.read(Path::new("x")).unwrap(), b"abc");
    let from = env.operations();
    env.set_rule(move |_, path, index| {
        (path == Path::new("x") && index > from).then(|| io::Error::from_raw_os_error(5))
    });
    file.sync().unwrap();
    assert_eq!(file.sync().unwrap_err().raw_os_error(), Some(5));
    env.open(Path::new("z"), OpenMode::Create).unwrap();
    env.heal();
    file.sync().unwrap();
}
