//! Values XORed with a key of the database, so that virus scanners and the like find no known byte strings.

use std::sync::Arc;

use crate::{Batch, Error, Result, Store, StoreIter, WriteOptions};

/// Database key of the obfuscation key: the string `\0obfuscate_key` with its length before it.
pub const OBFUSCATION_RECORD_KEY: &[u8; 15] = b"\x0e\x00obfuscate_key";

/// Eight bytes XORed over values, repeating. All zeros: no obfuscation. Not a secret.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ObfuscationKey([u8; 8]);

impl ObfuscationKey {
    /// A key of these bytes.
    pub fn new(bytes: [u8; 8]) -> Self {
        Self(bytes)
    }

    /// A random key.
    pub fn random() -> Result<Self> {
        let mut bytes = [0; 8];
        getrandom::fill(&mut bytes).map_err(|e| Error::Io(format!("random: {e}")))?;
        Ok(Self(bytes))
    }

    /// The bytes.
    pub fn bytes(&self) -> [u8; 8] {
        self.0
    }

    /// Whether XORing changes nothing.
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 8]
    }

    /// Lower-case hex digits, as the reference logs it.
    pub fn to_hex(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// XORs `data`, whose first byte belongs to the key's first byte.
    pub fn apply(&self, data: &mut [u8]) {
        if self.is_zero() {
            return;
        }
        let (words, rest) = data.as_chunks_mut::<8>();
        let key = u64::from_ne_bytes(self.0);
        for word in words {
            *word = (u64::from_ne_bytes(*word) ^ key).to_ne_bytes();
        }
        for (byte, key) in rest.iter_mut().zip(self.0) {
            *byte ^= key;
        }
    }

    /// Decodes the stored record: length 8 and the bytes.
    fn decode(record: &[u8]) -> Option<Self> {
        let (&len, bytes) = record.split_first()?;
        if len != 8 {
            return None;
        }
        // The reference's reader takes what it needs and ignores bytes after it.
        Some(Self(*bytes.first_chunk()?))
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = vec![8];
        out.extend_from_slice(&self.0);
        out
    }
}

/// A store whose values are XORed on the way in and out, as the reference's `CDBWrapper`.
///
/// The record of the key itself lies in the inner store in clear; a cursor passes over it like over any record.
pub struct ObfuscatedStore {
    inner: Arc<dyn Store>,
    key: ObfuscationKey,
}

impl ObfuscatedStore {
    /// Reads the key from `inner`. If there is none, `obfuscate` is set and the store is empty, makes a random key and
    /// writes it; otherwise values stay in clear.
    pub fn open(inner: Arc<dyn Store>, obfuscate: bool) -> Result<Self> {
        let found = inner.get(OBFUSCATION_RECORD_KEY)?.as_deref().and_then(ObfuscationKey::decode);
        let key = match found {
            Some(key) => key,
            None if obfuscate && inner.is_empty()? => {
                let key = ObfuscationKey::random()?;
                inner.put(OBFUSCATION_RECORD_KEY, &key.encode(), WriteOptions::default())?;
                key
            }
            None => ObfuscationKey::default(),
        };
        Ok(Self { inner, key })
    }

    /// The key in use; zero if values are in clear.
    pub fn obfuscation_key(&self) -> ObfuscationKey {
        self.key
    }

    /// The store below.
    pub fn inner(&self) -> &Arc<dyn Store> {
        &self.inner
    }
}

impl Store for ObfuscatedStore {
    fn get_into(&self, key: &[u8], value: &mut Vec<u8>) -> Result<bool> {
        let found = self.inner.get_into(key, value)?;
        if found {
            self.key.apply(value);
        }
        Ok(found)
    }

    fn write(&self, mut batch: Batch, options: WriteOptions) -> Result<()> {
        if !self.key.is_zero() {
            batch.xor_values(|value| self.key.apply(value));
        }
        self.inner.write(batch, options)
    }

    fn iter(&self) -> Result<Box<dyn StoreIter>> {
        let inner = self.inner.iter()?;
        if self.key.is_zero() {
            return Ok(inner);
        }
        Ok(Box::new(ObfuscatedIter { inner, key: self.key, value: Vec::new() }))
    }

    fn compact_range(&self, begin: Option<&[u8]>, end: Option<&[u8]>) -> Result<()> {
        self.inner.compact_range(begin, end)
    }

    fn approximate_size(&self, begin: &[u8], end: &[u8]) -> Result<u64> {
        self.inner.approximate_size(begin, end)
    }

    fn memory_usage(&self) -> usize {
        self.inner.memory_usage()
    }
}

struct ObfuscatedIter {
    inner: Box<dyn StoreIter>,
    key: ObfuscationKey,
    value: Vec<u8>,
}

impl ObfuscatedIter {
    fn moved(&mut self, result: Result<()>) -> Result<()> {
        self.value.clear();
        result?;
        self.value.extend_from_slice(self.inner.value());
        self.key.apply(&mut self.value);
        Ok(())
    }
}

impl StoreIter for ObfuscatedIter {
    fn valid(&self) -> bool {
        self.inner.valid()
    }

    fn seek_to_first(&mut self) -> Result<()> {
        let result = self.inner.seek_to_first();
        self.moved(result)
    }

    fn seek(&mut self, key: &[u8]) -> Result<()> {
        let result = self.inner.seek(key);
        self.moved(result)
    }

    fn next(&mut self) -> Result<()> {
        let result = self.inner.next();
        self.moved(result)
    }

    fn key(&self) -> &[u8] {
        self.inner.key()
    }

    fn value(&self) -> &[u8] {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::MemStore;

    #[test]
    fn values_are_stored_xored() {
        let inner: Arc<dyn Store> = Arc::new(MemStore::new());
        let store = ObfuscatedStore::open(inner.clone(), true).unwrap();
        let key = store.obfuscation_key();
        let record = inner.get(OBFUSCATION_RECORD_KEY).unwrap().unwrap();
        assert_eq!(record, [&[8][..], &key.bytes()].concat());
        let plain: Vec<u8> = (0..100).collect();
        store.put(b"x", &plain, WriteOptions::default()).unwrap();
        let stored = inner.get(b"x").unwrap().unwrap();
        for (i, byte) in stored.iter().enumerate() {
            assert_eq!(*byte, plain[i] ^ key.bytes()[i % 8]);
        }
        assert_eq!(store.get(b"x").unwrap().unwrap(), plain);
        let mut iter = store.iter().unwrap();
        iter.seek(b"x").unwrap();
        assert_eq!((iter.key(), iter.value()), (&b"x"[..], &plain[..]));
        iter.next().unwrap();
        assert!(!iter.valid() && iter.value().is_empty());
        // Opened again, whatever is asked for, the key stays.
        for obfuscate in [false, true] {
            let again = ObfuscatedStore::open(inner.clone(), obfuscate).unwrap();
            assert_eq!(again.obfuscation_key(), key);
            assert_eq!(again.get(b"x").unwrap().unwrap(), plain);
        }
    }

    #[test]
    fn an_old_store_in_clear_stays_so() {
        let inner: Arc<dyn Store> = Arc::new(MemStore::new());
        inner.put(b"x", b"y", WriteOptions::default()).unwrap();
        let store = ObfuscatedStore::open(inner.clone(), true).unwrap();
        assert!(store.obfuscation_key().is_zero());
        assert_eq!(store.get(b"x").unwrap().unwrap(), b"y");
        assert_eq!(inner.get(OBFUSCATION_RECORD_KEY).unwrap(), None);
    }
}
