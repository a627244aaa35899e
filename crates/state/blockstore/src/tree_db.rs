use std::sync::Arc;

use grs_encoding::{Decode, Reader, encode_to_vec};
use grs_hashes::BlockHash;
use grs_leveldb::{Batch, Store, WriteOptions};

use crate::record::{DiskBlockIndex, LAST_FILE_KEY, REINDEX_KEY, block_key, file_key, flag_key};
use crate::{BlockFileInfo, StoreError};

/// The block index database, `blocks/index`.
pub struct BlockTreeDb {
    store: Arc<dyn Store>,
}

impl BlockTreeDb {
    /// Over an open database.
    pub fn new(store: Arc<dyn Store>) -> BlockTreeDb {
        BlockTreeDb { store }
    }

    /// Writes changed entries in one synced batch.
    ///
    /// # Errors
    /// If the database fails.
    pub fn write_batch<'a>(
        &self,
        files: impl Iterator<Item = (u32, &'a BlockFileInfo)>,
        last_file: u32,
        blocks: impl Iterator<Item = (BlockHash, DiskBlockIndex)>,
    ) -> Result<(), StoreError> {
        let mut batch = Batch::new();
        for (number, info) in files {
            batch.put(&file_key(number), &encode_to_vec(info));
        }
        batch.put(LAST_FILE_KEY, &last_file.to_le_bytes());
        let mut value = Vec::with_capacity(128);
        for (hash, entry) in blocks {
            value.clear();
            grs_encoding::Encode::encode(&entry, &mut value);
            batch.put(&block_key(&hash), &value);
        }
        Ok(self.store.write(batch, WriteOptions::SYNC)?)
    }

    /// File statistics; `None` if there are none.
    ///
    /// # Errors
    /// If the database fails.
    pub fn read_file_info(&self, file: u32) -> Result<Option<BlockFileInfo>, StoreError> {
        let value = self.store.get(&file_key(file))?;
        Ok(value.and_then(|value| BlockFileInfo::decode(&mut Reader::new(&value)).ok()))
    }

    /// Number of the last file.
    ///
    /// # Errors
    /// If the database fails.
    pub fn read_last_file(&self) -> Result<Option<u32>, StoreError> {
        let value = self.store.get(LAST_FILE_KEY)?;
        Ok(value
            .and_then(|v| v.first_chunk().map(|n| i32::from_le_bytes(*n)))
            .and_then(|n| u32::try_from(n).ok()))
    }

    /// Marks that a reindex runs, or that it is done.
    ///
    /// # Errors
    /// If the database fails.
    pub fn write_reindexing(&self, reindexing: bool) -> Result<(), StoreError> {
        if reindexing {
            self.store.put(REINDEX_KEY, b"1", WriteOptions::default())?;
        } else {
            self.store.delete(REINDEX_KEY, WriteOptions::default())?;
        }
        Ok(())
    }

    /// Whether a reindex was begun and not finished.
    ///
    /// # Errors
    /// If the database fails.
    pub fn read_reindexing(&self) -> Result<bool, StoreError> {
        Ok(self.store.contains(REINDEX_KEY)?)
    }

    /// Sets a named flag.
    ///
    /// # Errors
    /// If the database fails.
    pub fn write_flag(&self, name: &str, value: bool) -> Result<(), StoreError> {
        let value: &[u8] = if value { b"1" } else { b"0" };
        Ok(self.store.put(&flag_key(name), value, WriteOptions::default())?)
    }

    /// A named flag; `None` if it was never set.
    ///
    /// # Errors
    /// If the database fails.
    pub fn read_flag(&self, name: &str) -> Result<Option<bool>, StoreError> {
        Ok(self.store.get(&flag_key(name))?.map(|value| value == b"1"))
    }

    /// Calls `each` with every block index entry, in the order of the keys.
    ///
    /// # Errors
    /// If the database fails, a record cannot be decoded, or `each` fails.
    pub fn for_each_block(
        &self,
        mut each: impl FnMut(BlockHash, DiskBlockIndex) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut iter = self.store.iter()?;
        iter.seek(b"b")?;
        while iter.valid() {
            let Some(hash) = iter.key().strip_prefix(b"b").and_then(BlockHash::from_slice) else { break };
            let entry = DiskBlockIndex::decode(&mut Reader::new(iter.value()))
                .map_err(|_| StoreError::Corrupt(format!("failed to read value of block {hash}")))?;
            each(hash, entry)?;
            iter.next()?;
        }
        Ok(())
    }
}
