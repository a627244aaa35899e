//! The newest entries, in memory: a skip list over an arena.
//!
//! Nodes are never removed and refer to each other by index, so a cursor stays good while entries are added; which of
//! them it may show is decided by sequence numbers. One lock guards the arena: readers share it, a batch takes it in
//! short runs.

use std::{
    cmp::Ordering,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use crate::{
    Result,
    batch::{Change, Changes, TYPE_DELETE, TYPE_PUT},
    key::{self, tag},
};

const MAX_HEIGHT: usize = 12;
/// Entries inserted before readers get a chance at the lock.
const RUN: usize = 1000;

/// Words of a node before its links: place of the key, its length, length of the value, first eight bytes of the user
/// key (they decide most comparisons without a look at the arena).
const LINKS: usize = 5;
/// Index of the head node, whose links start the list; as a link it means the end.
const END: u32 = 0;

struct Arena {
    bytes: Vec<u8>,
    nodes: Vec<u32>,
    /// Predecessors of the last inserted entry, itself included: sorted input continues there.
    finger: [u32; MAX_HEIGHT],
    random: u32,
}

/// First eight bytes of a user key as a number that sorts like them.
fn prefix(user: &[u8]) -> u64 {
    match user.first_chunk() {
        Some(first) => u64::from_be_bytes(*first),
        None => {
            let mut padded = [0; 8];
            padded[..user.len()].copy_from_slice(user);
            u64::from_be_bytes(padded)
        }
    }
}

impl Arena {
    fn next(&self, node: u32, level: usize) -> u32 {
        self.nodes[node as usize + LINKS + level]
    }

    fn key(&self, node: u32) -> &[u8] {
        let node = node as usize;
        let start = self.nodes[node] as usize;
        &self.bytes[start..start + self.nodes[node + 1] as usize]
    }

    fn value(&self, node: u32) -> &[u8] {
        let node = node as usize;
        let start = self.nodes[node] as usize + self.nodes[node + 1] as usize;
        &self.bytes[start..start + self.nodes[node + 2] as usize]
    }

    /// Order of a node's internal key and (user key, tag).
    fn compare(&self, node: u32, first: u64, user: &[u8], tag: u64) -> Ordering {
        let at = node as usize;
        let own = u64::from(self.nodes[at + 3]) << 32 | u64::from(self.nodes[at + 4]);
        own.cmp(&first).then_with(|| {
            let (own_user, own_tag) = key::split(self.key(node));
            own_user.cmp(user).then(tag.cmp(&own_tag))
        })
    }

    /// First node at or after (user key, tag).
    fn find(&self, user: &[u8], tag: u64) -> u32 {
        let first = prefix(user);
        let mut node = 0;
        for level in (0..MAX_HEIGHT).rev() {
            loop {
                let next = self.next(node, level);
                if next == END || self.compare(next, first, user, tag).is_ge() {
                    break;
                }
                node = next;
            }
        }
        self.next(node, 0)
    }

    fn height(&mut self) -> usize {
        let mut height = 1;
        loop {
            // Xorshift.
            self.random ^= self.random << 13;
            self.random ^= self.random >> 17;
            self.random ^= self.random << 5;
            if height == MAX_HEIGHT || !self.random.is_multiple_of(4) {
                return height;
            }
            height += 1;
        }
    }

    fn insert(&mut self, user: &[u8], tag: u64, value: &[u8]) {
        let first = prefix(user);
        let finger = self.finger[0];
        let after_finger = finger != END && self.compare(finger, first, user, tag).is_lt();
        let mut before = [0; MAX_HEIGHT];
        let mut node = 0;
        for level in (0..MAX_HEIGHT).rev() {
            // The finger's predecessor on this level is at least as far, unless the search has moved on already.
            let above = if level + 1 < MAX_HEIGHT { self.finger[level + 1] } else { 0 };
            if after_finger && node == above {
                node = self.finger[level];
            }
            loop {
                let next = self.next(node, level);
                if next == END || self.compare(next, first, user, tag).is_ge() {
                    break;
                }
                node = next;
            }
            before[level] = node;
        }
        let height = self.height();
        let node = self.nodes.len() as u32;
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(user);
        self.bytes.extend_from_slice(&tag.to_le_bytes());
        self.bytes.extend_from_slice(value);
        let key_len = (user.len() + key::TAG_LEN) as u32;
        self.nodes.extend_from_slice(&[
            start,
            key_len,
            value.len() as u32,
            (first >> 32) as u32,
            first as u32,
        ]);
        for (level, &previous) in before.iter().enumerate().take(height) {
            let link = previous as usize + LINKS + level;
            let next = self.nodes[link];
            self.nodes.push(next);
            self.nodes[link] = node;
        }
        self.finger = before;
        self.finger[..height].fill(node);
    }
}

/// A table of entries in memory.
pub(crate) struct MemTable {
    arena: RwLock<Arena>,
    usage: AtomicUsize,
}

impl MemTable {
    pub(crate) fn new() -> Self {
        let head = vec![0; LINKS + MAX_HEIGHT];
        let arena = Arena { bytes: Vec::new(), nodes: head, finger: [0; MAX_HEIGHT], random: 0x2545_f491 };
        Self { arena: RwLock::new(arena), usage: AtomicUsize::new(0) }
    }

    fn read(&self) -> RwLockReadGuard<'_, Arena> {
        self.arena.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes of memory in use.
    pub(crate) fn usage(&self) -> usize {
        self.usage.load(Relaxed)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.usage() == 0
    }

    /// Adds changes with ascending sequence numbers from `sequence` on; returns how many there were.
    pub(crate) fn insert(&self, mut changes: Changes<'_>, mut sequence: u64) -> Result<u32> {
        let mut count = 0;
        let mut more = true;
        while more {
            let mut arena = self.arena.write().unwrap_or_else(PoisonError::into_inner);
            for _ in 0..RUN {
                let Some(change) = changes.next() else {
                    more = false;
                    break;
                };
                match change? {
                    Change::Put(key, value) => arena.insert(key, tag(sequence, TYPE_PUT), value),
                    Change::Delete(key) => arena.insert(key, tag(sequence, TYPE_DELETE), &[]),
                }
                sequence += 1;
                count += 1;
            }
            self.usage.store(arena.bytes.len() + 4 * arena.nodes.len() - 4 * (LINKS + MAX_HEIGHT), Relaxed);
        }
        Ok(count)
    }

    /// Looks up the newest entry of a key up to a sequence number: `None` if there is none here, otherwise whether it
    /// is a value, copied to `value`.
    pub(crate) fn get(&self, user: &[u8], sequence: u64, value: &mut Vec<u8>) -> Option<bool> {
        let arena = self.read();
        let node = arena.find(user, tag(sequence, TYPE_PUT));
        if node == END {
            return None;
        }
        let (found, tag) = key::split(arena.key(node));
        if found != user {
            return None;
        }
        let is_value = tag as u8 == TYPE_PUT;
        if is_value {
            value.clear();
            value.extend_from_slice(arena.value(node));
        }
        Some(is_value)
    }
}

/// A cursor over a memory table; shows all entries, also those added after it was made.
pub(crate) struct MemTableIter {
    table: Arc<MemTable>,
    node: u32,
    key: Vec<u8>,
    value: Vec<u8>,
}

impl MemTableIter {
    pub(crate) fn new(table: Arc<MemTable>) -> Self {
        Self { table, node: END, key: Vec::new(), value: Vec::new() }
    }

    pub(crate) fn valid(&self) -> bool {
        self.node != END
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }

    pub(crate) fn value(&self) -> &[u8] {
        &self.value
    }

    fn move_to(&mut self, find: impl FnOnce(&Arena) -> u32) {
        let arena = self.table.read();
        self.node = find(&arena);
        self.key.clear();
        self.value.clear();
        if self.node != END {
            self.key.extend_from_slice(arena.key(self.node));
            self.value.extend_from_slice(arena.value(self.node));
        }
    }

    pub(crate) fn seek_to_first(&mut self) {
        self.move_to(|arena| arena.next(0, 0));
    }

    pub(crate) fn seek(&mut self, target: &[u8]) {
        let (user, tag) = key::split(target);
        self.move_to(|arena| arena.find(user, tag));
    }

    pub(crate) fn next(&mut self) {
        let node = self.node;
        if node != END {
            self.move_to(|arena| arena.next(node, 0));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::{Batch, batch::parse_record};

    fn insert(table: &MemTable, batch: &Batch, sequence: u64) {
        let changes = parse_record(batch.encoded()).unwrap().changes;
        assert_eq!(table.insert(changes, sequence).unwrap(), batch.count());
    }

    #[test]
    fn agrees_with_a_sorted_map_in_any_order_of_insertion() {
        for order in 0..4u64 {
            let table = Arc::new(MemTable::new());
            let mut model = BTreeMap::new();
            let mut sequence = 1;
            for round in 0..20u64 {
                let mut batch = Batch::new();
                for i in 0..200u64 {
                    let number = match order {
                        0 => round * 200 + i,
                        1 => 100_000 - (round * 200 + i),
                        // Sorted runs over the whole space, and no order at all.
                        2 => i * 1000 + round,
                        _ => (round * 200 + i).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40,
                    };
                    // Keys of two to eight bytes and more; some share their first eight.
                    let digits = number.to_string();
                    let key = digits.repeat(2).as_bytes()[..=digits.len()].to_vec();
                    let tagged = sequence + u64::from(batch.count());
                    if number % 7 == 3 {
                        batch.delete(&key);
                        model.insert(key, (tagged, None));
                    } else {
                        batch.put(&key, &number.to_le_bytes());
                        model.insert(key, (tagged, Some(number.to_le_bytes().to_vec())));
                    }
                }
                insert(&table, &batch, sequence);
                sequence += u64::from(batch.count());
            }
            let mut value = Vec::new();
            for (key, (tagged, expected)) in &model {
                let found = table.get(key, u64::MAX >> 8, &mut value);
                assert_eq!(found, Some(expected.is_some()));
                assert!(expected.as_ref().is_none_or(|e| *e == value));
                assert!(table.get(key, tagged - 1, &mut value).is_none() || order == 3);
            }
            assert_eq!(table.get(b"nothing", u64::MAX >> 8, &mut value), None);
            let mut iter = MemTableIter::new(table.clone());
            iter.seek_to_first();
            let mut last: Vec<u8> = Vec::new();
            let mut newest = Vec::new();
            while iter.valid() {
                assert!(last.is_empty() || key::compare(&last, iter.key()).is_lt());
                if last.is_empty() || key::user_key(&last) != key::user_key(iter.key()) {
                    newest.push(key::user_key(iter.key()).to_vec());
                }
                last = iter.key().to_vec();
                iter.next();
            }
            assert!(newest.iter().eq(model.keys()));
            iter.seek(&key::internal(b"5", key::SEEK_TAG));
            let expected = model.range(b"5".to_vec()..).next().map(|e| e.0.as_slice());
            assert_eq!(iter.valid().then(|| key::user_key(iter.key())), expected);
        }
    }
}
