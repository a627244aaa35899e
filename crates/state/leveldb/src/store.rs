//! The key-value store as its users see it.

use crate::{Batch, Result};

/// How [`Store::write`] writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct WriteOptions {
    /// Return only when the batch, and all before it, survive a crash of the machine.
    pub sync: bool,
}

impl WriteOptions {
    /// Synced writing.
    pub const SYNC: WriteOptions = WriteOptions { sync: true };
}

/// An ordered map of byte strings with atomic batches. Reads run concurrently with each other and with a writer.
pub trait Store: Send + Sync {
    /// Reads a value into `value` (replacing its content); false if the key is missing. Saves the allocation of
    /// [`Store::get`] in loops.
    fn get_into(&self, key: &[u8], value: &mut Vec<u8>) -> Result<bool>;

    /// Applies all changes of a batch, or none. A reader sees either none or all of them.
    fn write(&self, batch: Batch, options: WriteOptions) -> Result<()>;

    /// A cursor over the store as it is now: later writes do not show. Starts invalid; seek first. It owns what it
    /// needs and may outlive the store's handle.
    fn iter(&self) -> Result<Box<dyn StoreIter>>;

    /// Rewrites the keys from `begin` to `end` (both included, `None` = open) without their garbage.
    fn compact_range(&self, begin: Option<&[u8]>, end: Option<&[u8]>) -> Result<()>;

    /// Bytes on disk used by keys from `begin` up to `end`, roughly. What is not flushed to a table yet is not counted.
    fn approximate_size(&self, begin: &[u8], end: &[u8]) -> Result<u64>;

    /// Bytes of memory held for buffers and caches, roughly.
    fn memory_usage(&self) -> usize;

    /// Value of a key.
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>> {
        let mut value = Vec::new();
        Ok(self.get_into(key, &mut value)?.then_some(value))
    }

    /// Whether there is a key.
    fn contains(&self, key: &[u8]) -> Result<bool> {
        self.get_into(key, &mut Vec::new())
    }

    /// Sets one key.
    fn put(&self, key: &[u8], value: &[u8], options: WriteOptions) -> Result<()> {
        let mut batch = Batch::with_capacity(key.len() + value.len() + 16);
        batch.put(key, value);
        self.write(batch, options)
    }

    /// Removes one key.
    fn delete(&self, key: &[u8], options: WriteOptions) -> Result<()> {
        let mut batch = Batch::with_capacity(key.len() + 16);
        batch.delete(key);
        self.write(batch, options)
    }

    /// Whether there are no keys at all.
    fn is_empty(&self) -> Result<bool> {
        let mut iter = self.iter()?;
        iter.seek_to_first()?;
        Ok(!iter.valid())
    }
}

/// A cursor in key order over a fixed state of a store. After an error it is invalid.
///
/// ```
/// # use grs_leveldb::{MemStore, Store, WriteOptions};
/// # let store = MemStore::new();
/// # store.put(b"b1", b"x", WriteOptions::default())?;
/// let mut iter = store.iter()?;
/// iter.seek(b"b")?;
/// while iter.valid() && iter.key().starts_with(b"b") {
///     println!("{:?} {:?}", iter.key(), iter.value());
///     iter.next()?;
/// }
/// # Ok::<(), grs_leveldb::Error>(())
/// ```
pub trait StoreIter: Send {
    /// Whether the cursor stands on a record.
    fn valid(&self) -> bool;

    /// Moves to the first record.
    fn seek_to_first(&mut self) -> Result<()>;

    /// Moves to the first record whose key is `key` or after it.
    fn seek(&mut self, key: &[u8]) -> Result<()>;

    /// Moves to the next record; does nothing if not valid.
    fn next(&mut self) -> Result<()>;

    /// Key of the current record; empty if not valid.
    fn key(&self) -> &[u8];

    /// Value of the current record; empty if not valid.
    fn value(&self) -> &[u8];
}
