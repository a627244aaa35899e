use grs_hashes::BlockHash;

use crate::BlockId;

/// Bits of a slot that hold the entry's number; the rest is a tag of the hash.
pub(crate) const ID_BITS: u32 = 26;
const ID_MASK: u32 = (1 << ID_BITS) - 1;
const EMPTY: u32 = u32::MAX;

/// Open addressing over entry numbers: four bytes a slot, filled up to seven eighths. Hashes themselves are in
/// the entries; a six-bit tag avoids most looks at wrong ones.
///
/// Hashes satisfy a proof of work, so nobody can choose many with one slot cheaply; the key still makes slots
/// unpredictable.
#[derive(Debug)]
pub(crate) struct HashTable {
    slots: Vec<u32>,
    used: usize,
    key: u64,
}

impl Default for HashTable {
    fn default() -> Self {
        use std::hash::{BuildHasher, RandomState};
        HashTable { slots: Vec::new(), used: 0, key: RandomState::new().hash_one(0) }
    }
}

impl HashTable {
    fn mix(&self, hash: &BlockHash) -> (usize, u32) {
        let wide = u128::from(hash.low_u64() ^ self.key) * 0x9e37_79b9_7f4a_7c15;
        let mixed = (wide >> 64) as u64 ^ wide as u64;
        let slot = (u128::from(mixed) * self.slots.len() as u128) >> 64;
        (slot as usize, (mixed as u32 & 0x3f) << ID_BITS)
    }

    pub(crate) fn find(&self, hash: &BlockHash, same: impl Fn(BlockId) -> bool) -> Option<BlockId> {
        if self.slots.is_empty() {
            return None;
        }
        let (mut at, tag) = self.mix(hash);
        loop {
            let slot = self.slots[at];
            if slot == EMPTY {
                return None;
            }
            let id = BlockId(slot & ID_MASK);
            if slot & !ID_MASK == tag && same(id) {
                return Some(id);
            }
            at = if at + 1 == self.slots.len() { 0 } else { at + 1 };
        }
    }

    /// Adds an entry that is not in the table.
    pub(crate) fn insert(&mut self, hash: &BlockHash, id: BlockId, hash_of: impl Fn(BlockId) -> BlockHash) {
        self.reserve(1, hash_of);
        self.place(hash, id);
    }

    fn place(&mut self, hash: &BlockHash, id: BlockId) {
        let (mut at, tag) = self.mix(hash);
        while self.slots[at] != EMPTY {
            at = if at + 1 == self.slots.len() { 0 } else { at + 1 };
        }
        self.slots[at] = tag | id.0;
        self.used += 1;
    }

    pub(crate) fn reserve(&mut self, additional: usize, hash_of: impl Fn(BlockId) -> BlockHash) {
        let needed = self.used + additional;
        if needed * 8 <= self.slots.len() * 7 {
            return;
        }
        // A quarter more each time: memory counts, and headers come in bulk where growing is announced.
        let len = (needed * 8 / 7 + 1).max(self.slots.len() + self.slots.len() / 4).max(64);
        let old = std::mem::replace(&mut self.slots, vec![EMPTY; len]);
        self.used = 0;
        for slot in old.into_iter().filter(|slot| *slot != EMPTY) {
            let id = BlockId(slot & ID_MASK);
            self.place(&hash_of(id), id);
        }
    }

    pub(crate) fn memory_usage(&self) -> usize {
        self.slots.capacity() * size_of::<u32>()
    }
}
