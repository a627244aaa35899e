use super::*;

const MAGIC: [u8; 4] = [0xfa, 0xbf, 0xb5, 0xda];

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn values_come_back_and_prefixes_are_exact() {
    let dir = folder();
    let file = dir.path().join("w/wallet.dat");
    let mut db = WalletDb::open(&file, MAGIC, true).unwrap();
    for (key, value) in
        [(&b"\x02tx1"[..], &b"a"[..]), (b"\x02tx2", b"b"), (b"\x02ty", b""), (b"\xff\xff", b"c")]
    {
        db.write(key, value).unwrap();
    }
    let mut seen = Vec::new();
    db.for_each(b"\x02tx", |k, v| {
        seen.push((k.to_vec(), v.to_vec()));
        Ok(())
    })
    .unwrap();
    assert_eq!(seen, [(b"\x02tx1".to_vec(), b"a".to_vec()), (b"\x02tx2".to_vec(), b"b".to_vec())]);
    assert!(db.has_prefix(b"\xff").unwrap());
    assert!(!db.has_prefix(b"\x03").unwrap());
    assert!(db.insert(b"\x02ty", b"x").is_err());
    db.erase_prefix(b"\x02tx").unwrap();
    assert_eq!(db.read(b"\x02tx1").unwrap(), None);
    db.begin().unwrap();
    db.begin().unwrap();
    db.write(b"k", b"v").unwrap();
    db.commit().unwrap();
    db.abort();
    assert_eq!(db.read(b"k").unwrap(), None);
    db.begin().unwrap();
    db.write(b"k", b"v").unwrap();
    db.commit().unwrap();
    db.rewrite().unwrap();
    let copy = dir.path().join("copy.dat");
    db.backup(&copy).unwrap();
    drop(db);
    for path in [file, copy] {
        let db = WalletDb::open(&path, MAGIC, true).unwrap();
        assert_eq!(db.read(b"k").unwrap().unwrap().as_slice(), b"v");
        db.verify(MAGIC).unwrap();
        let wrong = db.verify([0, 0, 0, 1]).unwrap_err().to_string();
        assert_eq!(
            wrong,
            format!("SQLiteDatabase: Unexpected application id. Expected 1, got {}", 0xfabf_b5da_u32)
        );
    }
}

#[test]
fn a_second_user_is_refused() {
    let dir = folder();
    let file = dir.path().join("wallet.dat");
    let _first = WalletDb::open(&file, MAGIC, true).unwrap();
    let error = WalletDb::open(&file, MAGIC, true).unwrap_err().to_string();
    assert!(
        error.starts_with("SQLiteDatabase: Unable to obtain an exclusive lock on the database"),
        "{error}"
    );
}

#[test]
fn formats_and_damage_are_recognized() {
    let dir = folder();
    let open = |path: &Path, mode| open_wallet_database(path, mode, MAGIC, true, true).map(drop);
    let wallet = dir.path().join("w");
    assert!(
        matches!(open(&wallet, OpenMode::Existing), Err(DbError::NotFound(t)) if t.ends_with("Path does not exist."))
    );
    open(&wallet, OpenMode::Create).unwrap();
    assert!(matches!(open(&wallet, OpenMode::Create), Err(DbError::AlreadyExists(_))));
    open(&wallet, OpenMode::Existing).unwrap();
    assert_eq!(std::fs::read(wallet.join("wallet.dat")).unwrap()[68..72], MAGIC);

    let mut legacy = vec![0; 4096];
    legacy[12..16].copy_from_slice(&0x0005_3162_u32.to_le_bytes());
    std::fs::create_dir(dir.path().join("old")).unwrap();
    std::fs::write(dir.path().join("old/wallet.dat"), &legacy).unwrap();
    let error = open(&dir.path().join("old"), OpenMode::Existing).unwrap_err();
    assert!(matches!(&error, DbError::Legacy(t) if t.contains("The wallet appears to be a Legacy wallet")));
    let mut listed = list_wallet_dir(dir.path(), MAGIC);
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    let listed: Vec<_> = listed.iter().map(|e| (e.name.as_str(), e.format.as_str())).collect();
    assert_eq!(listed, [("old", "bdb"), ("w", "sqlite")]);

    // Damage in the middle of the file.
    let file = wallet.join("wallet.dat");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle..].fill(0xa5);
    std::fs::write(&file, &bytes).unwrap();
    assert!(open(&wallet, OpenMode::Existing).is_err());
    std::fs::write(&file, b"not a database").unwrap();
    assert!(matches!(open(&wallet, OpenMode::Existing), Err(DbError::BadFormat(_))));
}
