//! A database as the node opens it: directory, memory budget, obfuscation (the reference's `CDBWrapper`).

use std::{path::PathBuf, sync::Arc};

use grs_fs::FileEnv;

use crate::{LevelDb, MemStore, ObfuscatedStore, Options, Result, Store, destroy};

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

/// Opens a database. Callers log around it; see the log strings of the reference's `dbwrapper.cpp`.
pub fn open_database(env: &Arc<dyn FileEnv>, params: &DbParams) -> Result<ObfuscatedStore> {
    let store: Arc<dyn Store> = if params.memory_only {
        Arc::new(MemStore::new())
    } else {
        if params.wipe_data {
            destroy(env.as_ref(), &params.path)?;
        }
        Arc::new(LevelDb::open(env.clone(), &params.path, Options::for_cache(params.cache_bytes))?)
    };
    if params.force_compact {
        store.compact_range(None, None)?;
    }
    ObfuscatedStore::open(store, params.obfuscate)
}
