//! A database as the node opens it: directory, memory budget, obfuscation (the reference's `CDBWrapper`).

use std::{path::PathBuf, sync::Arc};

use grs_fs::FileEnv;
use grs_log::{error, info};

use crate::{LevelDb, MemStore, OBFUSCATION_RECORD_KEY, ObfuscatedStore, Options, Result, Store, destroy};

/// How to open a database.
#[derive(Clone, Debug)]
pub struct DbParams {
    /// Directory of the database; made if missing.
    pub path: PathBuf,
    /// Bytes of memory for blocks and write buffers.
    pub cache_bytes: usize,
    /// Keep everything in memory, touch no file.
    pub memory_only: bool,
    /// Remove existing data first.
    pub wipe_data: bool,
    /// Obfuscate the values of a new database. The coins database does, the block index does not.
    pub obfuscate: bool,
    /// Compact everything after opening (`-forcecompactdb`).
    pub force_compact: bool,
}

impl DbParams {
    /// Parameters for a database in clear, with nothing else set.
    pub fn new(path: impl Into<PathBuf>, cache_bytes: usize) -> Self {
        Self {
            path: path.into(),
            cache_bytes,
            memory_only: false,
            wipe_data: false,
            obfuscate: false,
            force_compact: false,
        }
    }
}

/// Opens a database, logging as the reference does. A failure is logged, too; its text for the user is
/// [`crate::Error::fatal_text`].
pub fn open_database(env: &Arc<dyn FileEnv>, params: &DbParams) -> Result<ObfuscatedStore> {
    open(env, params).inspect_err(|error| {
        error!("{}", error.fatal_text());
        info!("You can use -debug=leveldb to get more complete diagnostic messages");
    })
}

fn open(env: &Arc<dyn FileEnv>, params: &DbParams) -> Result<ObfuscatedStore> {
    let path = params.path.display();
    let store: Arc<dyn Store> = if params.memory_only {
        Arc::new(MemStore::new())
    } else {
        if params.wipe_data {
            info!("Wiping LevelDB in {path}");
            destroy(env.as_ref(), &params.path)?;
        }
        info!("Opening LevelDB in {path}");
        Arc::new(LevelDb::open(env.clone(), &params.path, Options::for_cache(params.cache_bytes))?)
    };
    info!("Opened LevelDB successfully");
    if params.force_compact {
        info!("Starting database compaction of {path}");
        store.compact_range(None, None)?;
        info!("Finished database compaction of {path}");
    }
    let had_key = store.contains(OBFUSCATION_RECORD_KEY)?;
    let store = ObfuscatedStore::open(store, params.obfuscate)?;
    let key = store.obfuscation_key();
    if !had_key && !key.is_zero() {
        info!("Wrote new obfuscation key for {path}: {}", key.to_hex());
    }
    info!("Using obfuscation key for {path}: {}", key.to_hex());
    Ok(store)
}
