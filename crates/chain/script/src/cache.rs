//! Caches of what has been verified already, so that a block does not verify its transactions again.
//! Reference: `src/script/sigcache.{h,cpp}`, `src/cuckoocache.h`.

use std::sync::{Mutex, MutexGuard, PoisonError};

use grs_hashes::Wtxid;
use grs_hashes::purpose::Sha256Writer;

use crate::ScriptFlags;

/// Default size of both caches together, in bytes (`-maxsigcachesize`).
pub const DEFAULT_VALIDATION_CACHE_BYTES: usize = 32 << 20;
/// Default size of the signature cache, in bytes.
pub const DEFAULT_SIGNATURE_CACHE_BYTES: usize = DEFAULT_VALIDATION_CACHE_BYTES / 2;
/// Default size of the script execution cache, in bytes.
pub const DEFAULT_SCRIPT_EXECUTION_CACHE_BYTES: usize = DEFAULT_VALIDATION_CACHE_BYTES / 2;

/// Entries of one bucket; an entry may stand anywhere in the bucket its hash names.
const WAYS: usize = 8;
const SHARDS: usize = 64;
const ENTRY: usize = 32;

/// A set of salted hashes with a fixed size. When a bucket is full, entries marked as no longer needed go
/// first, then a bucket's entries in turn.
struct HashSet32 {
    shards: Vec<Mutex<Shard>>,
    capacity: usize,
}

/// Memory is taken from the system when it is first written to.
struct Shard {
    /// Zeros where free.
    entries: Vec<[u8; ENTRY]>,
    /// For each bucket: a bit for each entry that may be overwritten, and (upper half) whose turn it is.
    marks: Vec<u16>,
}

impl HashSet32 {
    fn new(max_bytes: usize) -> HashSet32 {
        // Each shard holds whole buckets.
        let buckets = (max_bytes / (WAYS * ENTRY)).div_ceil(SHARDS).max(1);
        let shard = || Shard { entries: vec![[0; ENTRY]; buckets * WAYS], marks: vec![0; buckets] };
        let shards = (0..SHARDS).map(|_| Mutex::new(shard())).collect();
        HashSet32 { shards, capacity: buckets * WAYS * SHARDS }
    }

    fn locate(&self, entry: &[u8; ENTRY]) -> (MutexGuard<'_, Shard>, usize) {
        // The entry is a salted hash, so its bytes are random already.
        let shard = &self.shards[usize::from(entry[0]) % SHARDS];
        let shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        let mut n = [0; 8];
        n.copy_from_slice(&entry[8..16]);
        let bucket = ((u128::from(u64::from_le_bytes(n)) * shard.marks.len() as u128) >> 64) as usize;
        (shard, bucket)
    }

    fn contains(&self, entry: &[u8; ENTRY], erase: bool) -> bool {
        let (mut shard, bucket) = self.locate(entry);
        let Some(way) = shard.find(bucket, entry) else { return false };
        if erase {
            shard.marks[bucket] |= 1 << way;
        }
        true
    }

    fn insert(&self, entry: &[u8; ENTRY]) {
        let (mut shard, bucket) = self.locate(entry);
        let way = shard.find(bucket, entry).or_else(|| shard.find(bucket, &[0; ENTRY]));
        let way = way.unwrap_or_else(|| {
            let marks = shard.marks[bucket];
            match (marks & 0xff).trailing_zeros() as usize {
                free @ 0..WAYS => free,
                _ => {
                    let turn = usize::from(marks >> 8);
                    shard.marks[bucket] = (((turn + 1) % WAYS) as u16) << 8 | marks & 0xff;
                    turn
                }
            }
        });
        shard.marks[bucket] &= !(1 << way);
        shard.entries[bucket * WAYS + way] = *entry;
    }
}

impl Shard {
    fn find(&self, bucket: usize, entry: &[u8; ENTRY]) -> Option<usize> {
        self.entries[bucket * WAYS..][..WAYS].iter().position(|e| e == entry)
    }
}

impl std::fmt::Debug for HashSet32 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "HashSet32({} entries at most)", self.capacity)
    }
}

/// A hasher whose first block holds the salt and a tag, so that the state after it is what is copied.
fn salted(salt: &[u8; 32], tag: &[u8; 32]) -> Sha256Writer {
    let mut w = Sha256Writer::new();
    w.write(salt).write(tag);
    w
}

const fn tag(letter: u8) -> [u8; 32] {
    let mut tag = [0; 32];
    tag[0] = letter;
    tag
}

/// Signatures that verified. Shared between threads. Reference: `SignatureCache`.
#[derive(Debug)]
pub struct SignatureCache {
    ecdsa: Sha256Writer,
    schnorr: Sha256Writer,
    set: HashSet32,
}

impl SignatureCache {
    /// A cache of about `max_bytes` with 32 random bytes as salt.
    pub fn new(max_bytes: usize, salt: [u8; 32]) -> SignatureCache {
        SignatureCache {
            ecdsa: salted(&salt, &tag(b'E')),
            schnorr: salted(&salt, &tag(b'S')),
            set: HashSet32::new(max_bytes),
        }
    }

    /// Entry of an ECDSA signature (without hash type).
    pub fn ecdsa_entry(&self, hash: &[u8; 32], public_key: &[u8], signature: &[u8]) -> [u8; 32] {
        let mut w = self.ecdsa.clone();
        w.write(hash).write(public_key).write(signature);
        w.finish()
    }

    /// Entry of a Schnorr signature (without hash type).
    pub fn schnorr_entry(&self, hash: &[u8; 32], public_key: &[u8; 32], signature: &[u8; 64]) -> [u8; 32] {
        let mut w = self.schnorr.clone();
        w.write(hash).write(public_key).write(signature);
        w.finish()
    }

    /// True when the entry is there. With `erase`, it may be overwritten from now on.
    pub fn contains(&self, entry: &[u8; 32], erase: bool) -> bool {
        self.set.contains(entry, erase)
    }

    /// Adds an entry.
    pub fn insert(&self, entry: &[u8; 32]) {
        self.set.insert(entry);
    }

    /// How many entries fit (32 bytes each).
    pub fn capacity(&self) -> usize {
        self.set.capacity
    }
}

/// Transactions all of whose scripts passed, by wtxid and flags. Shared between threads.
/// Reference: `ValidationCache::m_script_execution_cache`.
#[derive(Debug)]
pub struct ScriptExecutionCache {
    hasher: Sha256Writer,
    set: HashSet32,
}

impl ScriptExecutionCache {
    /// A cache of about `max_bytes` with 32 random bytes as salt.
    pub fn new(max_bytes: usize, salt: [u8; 32]) -> ScriptExecutionCache {
        ScriptExecutionCache { hasher: salted(&salt, &salt), set: HashSet32::new(max_bytes) }
    }

    /// Entry of a transaction under flags.
    pub fn entry(&self, wtxid: &Wtxid, flags: ScriptFlags) -> [u8; 32] {
        let mut w = self.hasher.clone();
        w.write(wtxid.as_bytes()).write(&flags.bits().to_le_bytes());
        w.finish()
    }

    /// True when the entry is there. With `erase`, it may be overwritten from now on.
    pub fn contains(&self, entry: &[u8; 32], erase: bool) -> bool {
        self.set.contains(entry, erase)
    }

    /// Adds an entry.
    pub fn insert(&self, entry: &[u8; 32]) {
        self.set.insert(entry);
    }

    /// How many entries fit (32 bytes each).
    pub fn capacity(&self) -> usize {
        self.set.capacity
    }
}

/// Both caches. Reference: `ValidationCache`.
#[derive(Debug)]
pub struct ValidationCache {
    /// Signatures; shared with the checks that run on other threads.
    pub signatures: std::sync::Arc<SignatureCache>,
    /// Whole transactions.
    pub script_executions: ScriptExecutionCache,
}

impl ValidationCache {
    /// Splits `max_bytes` evenly. `salts` are random.
    pub fn new(max_bytes: usize, salts: [[u8; 32]; 2]) -> ValidationCache {
        ValidationCache {
            signatures: std::sync::Arc::new(SignatureCache::new(max_bytes / 2, salts[0])),
            script_executions: ScriptExecutionCache::new(max_bytes / 2, salts[1]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(cache: &SignatureCache, i: u32) -> [u8; 32] {
        cache.ecdsa_entry(&[0; 32], &i.to_le_bytes(), &[])
    }

    #[test]
    fn keeps_what_was_put_in_and_nothing_else() {
        let cache = SignatureCache::new(1 << 20, [7; 32]);
        assert_eq!(cache.capacity(), 1 << 15);
        (0..8000).for_each(|i| cache.insert(&entry(&cache, i)));
        let hits = (0..8000).filter(|i| cache.contains(&entry(&cache, *i), false)).count();
        assert!(hits > 7900, "a quarter full table keeps nearly all: {hits}");
        assert_eq!((8000..16_000).filter(|i| cache.contains(&entry(&cache, *i), false)).count(), 0);
        let other = SignatureCache::new(1 << 20, [8; 32]);
        assert_ne!(entry(&cache, 1), entry(&other, 1), "salt counts");
        let (key, signature) = ([1; 32], [2; 64]);
        assert_ne!(
            cache.schnorr_entry(&[0; 32], &key, &signature),
            cache.ecdsa_entry(&[0; 32], &key, &signature)
        );
    }

    #[test]
    fn erased_entries_are_overwritten_first_and_size_stays_bounded() {
        let cache = SignatureCache::new(0, [1; 32]);
        assert_eq!(cache.capacity(), SHARDS * WAYS, "smallest table");
        (0..20_000).for_each(|i| cache.insert(&entry(&cache, i)));
        let live: Vec<u32> = (0..20_000).filter(|i| cache.contains(&entry(&cache, *i), false)).collect();
        assert!(live.len() <= cache.capacity() && live.len() > cache.capacity() * 9 / 10);
        // Half of what is left is marked; after some insertions the other half has suffered less.
        let (marked, kept): (Vec<u32>, Vec<u32>) = live.iter().partition(|i| *i % 2 == 0);
        assert!(marked.iter().all(|i| cache.contains(&entry(&cache, *i), true)));
        (20_000..20_100).for_each(|i| cache.insert(&entry(&cache, i)));
        let alive = |list: &[u32]| list.iter().filter(|i| cache.contains(&entry(&cache, **i), false)).count();
        assert!(kept.len() - alive(&kept) < 20, "unmarked entries stay");
        assert!(marked.len() - alive(&marked) > 80, "marked ones went");
    }

    #[test]
    fn script_execution_entries_depend_on_flags() {
        let cache = ScriptExecutionCache::new(1 << 16, [3; 32]);
        let wtxid = Wtxid::from_bytes([9; 32]);
        let entry = cache.entry(&wtxid, ScriptFlags::MANDATORY);
        cache.insert(&entry);
        assert!(cache.contains(&entry, false));
        assert!(!cache.contains(&cache.entry(&wtxid, ScriptFlags::STANDARD), false));
    }
}
