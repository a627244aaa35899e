//! Paths and formats of wallet files. Reference: `src/wallet/db.cpp`, `walletdb.cpp` (`MakeDatabase`).

use std::fs;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use grs_args::ArgsManager;
use grs_interfaces::WalletDirEntry;
use grs_log::warn;

use super::{DbError, DbResult, WalletDb};

/// What is expected at the path of a wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OpenMode {
    /// A wallet.
    Existing,
    /// None yet.
    Create,
}

/// The wallet directory; empty when `-walletdir` is none. Reference: `GetWalletDir`.
pub(crate) fn wallet_dir(args: &ArgsManager) -> PathBuf {
    if args.is_set("-walletdir") {
        let path = args.get_path("-walletdir", "");
        return if path.is_dir() { path } else { PathBuf::new() };
    }
    let path = args.data_dir_net();
    let wallets = path.join("wallets");
    if wallets.is_dir() { wallets } else { path }
}

/// Path that a wallet name stands for. Reference: `GetWalletPath`.
pub(crate) fn wallet_path(dir: &Path, name: &str) -> DbResult<PathBuf> {
    let path = grs_args::normalize_path(&dir.join(name).to_string_lossy());
    let good = match fs::symlink_metadata(&path) {
        // Below a file there is nothing either; making the directory will fail with the reason.
        Err(e) => matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
        Ok(meta) if meta.is_dir() => true,
        Ok(meta) if meta.is_symlink() => path.is_dir(),
        Ok(meta) => meta.is_file() && Path::new(name).file_name().is_some_and(|f| f == name),
    };
    if good {
        return Ok(path);
    }
    Err(DbError::BadPath(format!(
        "Invalid -wallet path '{name}'. -wallet path should point to a directory where wallet.dat and \
         database/log.?????????? files can be stored, a location where such a directory could be created, or (for \
         backwards compatibility) the name of an existing data file in -walletdir (\"{}\")",
        dir.display()
    )))
}

/// Opens or makes the wallet at a path. Reference: `MakeDatabase`.
pub(crate) fn open_wallet_database(
    path: &Path,
    mode: OpenMode,
    magic: [u8; 4],
    unsafe_sync: bool,
    verify: bool,
) -> DbResult<WalletDb> {
    let shown = path.display();
    let exists = match fs::symlink_metadata(path) {
        Ok(_) => true,
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => false,
        Err(e) => {
            return Err(DbError::BadPath(format!("Failed to access database path '{shown}': {e}")));
        }
    };
    let (bdb, sqlite) = if exists {
        let bdb_file = if path.is_file() { path.to_owned() } else { path.join("wallet.dat") };
        (is_bdb_file(&bdb_file), is_sqlite_file(&path.join("wallet.dat"), magic))
    } else {
        (false, false)
    };
    if bdb && sqlite {
        return Err(DbError::BadFormat(format!(
            "Failed to load database path '{shown}'. Data is in ambiguous format."
        )));
    }
    match mode {
        OpenMode::Existing if !exists => {
            return Err(DbError::NotFound(format!(
                "Failed to load database path '{shown}'. Path does not exist."
            )));
        }
        OpenMode::Existing if !bdb && !sqlite => {
            return Err(DbError::BadFormat(format!(
                "Failed to load database path '{shown}'. Data is not in recognized format."
            )));
        }
        OpenMode::Create if bdb || sqlite => {
            return Err(DbError::AlreadyExists(format!(
                "Failed to create database path '{shown}'. Database already exists."
            )));
        }
        _ => {}
    }
    if bdb {
        return Err(DbError::Legacy(format!(
            "Failed to open database path '{shown}'. The wallet appears to be a Legacy wallet, please use the wallet \
             migration tool (migratewallet RPC or the GUI option)."
        )));
    }
    let db = WalletDb::open(&path.join("wallet.dat"), magic, unsafe_sync)?;
    if verify {
        db.verify(magic)?;
    }
    Ok(db)
}

fn read_at<const N: usize>(file: &mut fs::File, offset: u64) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    file.seek(SeekFrom::Start(offset)).ok()?;
    file.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

/// Whether this is a Berkeley DB tree.
pub(crate) fn is_bdb_file(path: &Path) -> bool {
    // A tree has a page at least; lock files are smaller.
    if !path.metadata().is_ok_and(|m| m.len() >= 4096) {
        return false;
    }
    let Ok(mut file) = fs::File::open(path) else { return false };
    let magic = read_at::<4>(&mut file, 12).map(u32::from_le_bytes);
    matches!(magic, Some(0x0005_3162 | 0x6231_0500))
}

/// Whether this is an SQLite database with the network's application id.
pub(crate) fn is_sqlite_file(path: &Path, magic: [u8; 4]) -> bool {
    if !path.metadata().is_ok_and(|m| m.len() >= 512) {
        return false;
    }
    let Ok(mut file) = fs::File::open(path) else { return false };
    read_at::<16>(&mut file, 0).is_some_and(|head| &head == b"SQLite format 3\0")
        && read_at::<4>(&mut file, 68) == Some(magic)
}

/// Metadata of what a path leads to; `None` if there is nothing. A link that leads to itself is an error.
fn metadata_if_exists(path: &Path) -> io::Result<Option<fs::Metadata>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Adds the wallet at an entry of the wallet directory or below it, if there is one; true to look into it.
fn list_entry(
    dir: &Path,
    entry: &fs::DirEntry,
    top: bool,
    magic: [u8; 4],
    found: &mut Vec<WalletDirEntry>,
) -> io::Result<bool> {
    let path = entry.path();
    let name = path.strip_prefix(dir).unwrap_or(&path).to_string_lossy().into_owned();
    let mut add = |name: String, format: &str| {
        found.push(WalletDirEntry { name, format: format.to_owned() });
    };
    let Some(metadata) = metadata_if_exists(&path)? else { return Ok(false) };
    let own_type = entry.file_type()?;
    if metadata.is_dir() {
        let file = path.join("wallet.dat");
        if metadata_if_exists(&file)?.is_some() {
            if is_bdb_file(&file) {
                add(name, "bdb");
            } else if is_sqlite_file(&file, magic) {
                add(name, "sqlite");
            }
        }
        // Links to directories are looked at but not followed.
        return Ok(own_type.is_dir());
    }
    if top && own_type.is_file() && path.extension().is_none_or(|e| e != "bak") {
        if entry.file_name() != "wallet.dat" {
            if is_bdb_file(&path) {
                add(name, "bdb");
            }
        } else if is_bdb_file(&path) {
            add(String::new(), "bdb");
        } else if is_sqlite_file(&path, magic) {
            add(String::new(), "sqlite");
        }
    }
    Ok(false)
}

/// The wallets in a directory and its subdirectories. Reference: `ListDatabases`.
pub(crate) fn list_wallet_dir(dir: &Path, magic: [u8; 4]) -> Vec<WalletDirEntry> {
    let mut found = Vec::new();
    let mut todo = vec![(dir.to_owned(), true)];
    while let Some((folder, top)) = todo.pop() {
        let entries = match fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if top => {
                warn!("Error scanning directory entries under {}: {e}", folder.display());
                continue;
            }
            Err(e) => {
                warn!("Error while scanning wallet dir item: {e} [{}].", folder.display());
                continue;
            }
        };
        for entry in entries.flatten() {
            match list_entry(dir, &entry, top, magic, &mut found) {
                Ok(true) => todo.push((entry.path(), false)),
                Ok(false) => {}
                Err(e) => {
                    warn!("Error while scanning wallet dir item: {e} [{}].", entry.path().display());
                }
            }
        }
    }
    found
}
