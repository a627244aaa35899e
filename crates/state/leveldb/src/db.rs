//! The engine.

use std::{path::Path, sync::Arc};

use grs_fs::FileEnv;

use crate::{Batch, Error, Options, Result, Store, StoreIter, WriteOptions};

/// A LevelDB-format database in a directory. Dropping it closes it; nothing needs to be flushed.
pub struct LevelDb {
    never: std::convert::Infallible,
}

impl LevelDb {
    /// Opens the database in `dir`, replaying its log. One process at a time, by a lock file.
    pub fn open(_env: Arc<dyn FileEnv>, _dir: &Path, options: Options) -> Result<Self> {
        let _ = options.sanitized();
        Err(Error::NotSupported("engine".into()))
    }
}

/// Removes the database in `dir` (other files stay). A missing directory is no error.
pub fn destroy(_env: &dyn FileEnv, _dir: &Path) -> Result<()> {
    Ok(())
}

impl Store for LevelDb {
    fn get_into(&self, _key: &[u8], _value: &mut Vec<u8>) -> Result<bool> {
        match self.never {}
    }

    fn write(&self, _batch: Batch, _options: WriteOptions) -> Result<()> {
        match self.never {}
    }

    fn iter(&self) -> Result<Box<dyn StoreIter>> {
        match self.never {}
    }

    fn compact_range(&self, _begin: Option<&[u8]>, _end: Option<&[u8]>) -> Result<()> {
        match self.never {}
    }

    fn approximate_size(&self, _begin: &[u8], _end: &[u8]) -> Result<u64> {
        match self.never {}
    }

    fn memory_usage(&self) -> usize {
        match self.never {}
    }
}
