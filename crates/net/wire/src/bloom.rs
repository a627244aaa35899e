//! Bloom filters: the one that light clients load (BIP37), and one that forgets old entries.
//! Reference: `src/common/bloom.{h,cpp}`, `MurmurHash3` in `src/hash.cpp`.

use grs_encoding::encode_to_vec;
use grs_primitives::{OutPoint, Script, Transaction};
use grs_script::{ScriptExt, TxoutType, solver};

use crate::FilterLoad;

/// Largest filter that a client may load, in bytes.
pub const MAX_BLOOM_FILTER_SIZE: usize = 36_000;
/// Most hash functions of such a filter.
pub const MAX_HASH_FUNCS: u32 = 50;
/// Longest element of `filteradd`, in bytes: that of a script.
pub const MAX_FILTER_ADD_SIZE: usize = 520;

/// Makes seeds of different hash functions differ enough.
const SEED_STEP: u32 = 0xfba4_c795;

/// Bits of [`FilterLoad::flags`] that say how matching outputs update the filter.
const UPDATE_MASK: u8 = 3;
const UPDATE_ALL: u8 = 1;
const UPDATE_P2PUBKEY_ONLY: u8 = 2;

/// MurmurHash3, 32 bits, as BIP37 uses it.
pub fn murmur_hash3(seed: u32, data: &[u8]) -> u32 {
    fn mix(k: u32) -> u32 {
        k.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593)
    }
    let mut h = seed;
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let k = chunk.iter().rev().fold(0, |k, b| k << 8 | u32::from(*b));
        h = (h ^ mix(k)).rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    let tail = chunks.remainder();
    if !tail.is_empty() {
        h ^= mix(tail.iter().rev().fold(0, |k, b| k << 8 | u32::from(*b)));
    }
    h ^= data.len() as u32;
    h = (h ^ h >> 16).wrapping_mul(0x85eb_ca6b);
    h = (h ^ h >> 13).wrapping_mul(0xc2b2_ae35);
    h ^ h >> 16
}

/// The filter of a light client: tells which transactions and blocks concern it, and some that do not.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BloomFilter(FilterLoad);

impl From<FilterLoad> for BloomFilter {
    fn from(message: FilterLoad) -> BloomFilter {
        BloomFilter(message)
    }
}

/// Byte and bit for each hash function, in a filter of `len` bytes, at least one.
fn bits(len: usize, count: u32, tweak: u32, element: &[u8]) -> impl Iterator<Item = (usize, u8)> {
    (0..count.min(MAX_HASH_FUNCS)).map(move |n| {
        let hash = murmur_hash3(n.wrapping_mul(SEED_STEP).wrapping_add(tweak), element);
        let bit = hash as usize % (len * 8);
        (bit / 8, 1 << (bit % 8))
    })
}

impl BloomFilter {
    /// An empty filter for so many elements, with a share of false matches once they are all in.
    pub fn new(elements: u32, false_positive_rate: f64, tweak: u32, flags: u8) -> BloomFilter {
        const LN_2_SQUARED: f64 = 0.480_453_013_918_201_4;
        let elements = f64::from(elements.max(1));
        let bits = (-1.0 / LN_2_SQUARED * elements * false_positive_rate.ln()) as usize;
        let size = bits.min(MAX_BLOOM_FILTER_SIZE * 8) / 8;
        let hash_functions = ((size * 8) as f64 / elements * std::f64::consts::LN_2) as u32;
        BloomFilter(FilterLoad {
            data: vec![0; size],
            hash_functions: hash_functions.min(MAX_HASH_FUNCS),
            tweak,
            flags,
        })
    }

    /// The message that loads it.
    pub fn message(&self) -> &FilterLoad {
        &self.0
    }

    /// False when it exceeds the protocol's limits; the sender misbehaves.
    pub fn is_within_size_constraints(&self) -> bool {
        self.0.data.len() <= MAX_BLOOM_FILTER_SIZE && self.0.hash_functions <= MAX_HASH_FUNCS
    }

    /// Adds an element.
    pub fn insert(&mut self, element: &[u8]) {
        let FilterLoad { data, hash_functions, tweak, .. } = &mut self.0;
        if data.is_empty() {
            return;
        }
        for (byte, bit) in bits(data.len(), *hash_functions, *tweak, element) {
            data[byte] |= bit;
        }
    }

    /// Whether an element may have been added. A filter without bits matches everything.
    pub fn contains(&self, element: &[u8]) -> bool {
        let FilterLoad { data, hash_functions, tweak, .. } = &self.0;
        data.is_empty()
            || bits(data.len(), *hash_functions, *tweak, element).all(|(byte, bit)| data[byte] & bit != 0)
    }

    fn contains_pushed(&self, script: &Script) -> bool {
        script.instructions().map_while(Result::ok).any(|i| !i.data.is_empty() && self.contains(i.data))
    }

    /// Whether a transaction concerns the filter's owner: by its id, data in its scripts, or what it spends.
    /// Outputs that match are added as the flags say, so that spending them will match too.
    pub fn is_relevant_and_update(&mut self, tx: &Transaction) -> bool {
        if self.0.data.is_empty() {
            return true;
        }
        let mut found = self.contains(tx.txid().as_bytes());
        for (vout, output) in tx.outputs.iter().enumerate() {
            if !self.contains_pushed(&output.script_pubkey) {
                continue;
            }
            found = true;
            let add = match self.0.flags & UPDATE_MASK {
                UPDATE_ALL => true,
                UPDATE_P2PUBKEY_ONLY => {
                    let kind = solver(&output.script_pubkey).kind();
                    matches!(kind, TxoutType::PubKey | TxoutType::Multisig)
                }
                _ => false,
            };
            if add {
                self.insert(&encode_to_vec(&OutPoint::new(tx.txid(), vout as u32)));
            }
        }
        found
            || tx.inputs.iter().any(|input| {
                self.contains(&encode_to_vec(&input.prevout)) || self.contains_pushed(&input.script_sig)
            })
    }
}

/// Remembers at least the last so many elements, and tells which ones it has probably seen. Older ones fade in
/// generations of half that number. Its tweak comes from the caller's random source.
#[derive(Clone, Debug)]
pub struct RollingBloomFilter {
    entries_per_generation: u32,
    entries_this_generation: u32,
    /// 1 to 3.
    generation: u8,
    /// Two bits a position, in neighbouring words: 0, or the generation that set it.
    data: Vec<u64>,
    tweak: u32,
    hash_functions: u32,
}

/// Even index of the two words, and the bit in both, for each hash function.
fn positions(words: usize, count: u32, tweak: u32, element: &[u8]) -> impl Iterator<Item = (usize, u32)> {
    (0..count).map(move |n| {
        let hash = murmur_hash3(n.wrapping_mul(SEED_STEP).wrapping_add(tweak), element);
        ((((u64::from(hash) * words as u64) >> 32) & !1) as usize, hash & 63)
    })
}

impl RollingBloomFilter {
    /// Remembers `elements`, at most of 2^28, with a share of false matches.
    pub fn new(elements: u32, false_positive_rate: f64, tweak: u32) -> RollingBloomFilter {
        let log_rate = false_positive_rate.ln();
        let hash_functions = (log_rate / 0.5_f64.ln()).round().clamp(1.0, 50.0);
        let entries_per_generation = elements.div_ceil(2).max(1);
        let most = f64::from(entries_per_generation) * 3.0;
        let bits = (-hash_functions * most / (1.0 - (log_rate / hash_functions).exp()).ln()).ceil() as u32;
        RollingBloomFilter {
            entries_per_generation,
            entries_this_generation: 0,
            generation: 1,
            data: vec![0; (bits.div_ceil(64) as usize) << 1],
            tweak,
            hash_functions: hash_functions as u32,
        }
    }

    /// Adds an element, and forgets the oldest generation when the current one is full.
    pub fn insert(&mut self, element: &[u8]) {
        if self.entries_this_generation == self.entries_per_generation {
            self.entries_this_generation = 0;
            self.generation = self.generation % 3 + 1;
            let low = if self.generation & 1 != 0 { u64::MAX } else { 0 };
            let high = if self.generation & 2 != 0 { u64::MAX } else { 0 };
            for pair in self.data.chunks_exact_mut(2) {
                let keep = (pair[0] ^ low) | (pair[1] ^ high);
                pair[0] &= keep;
                pair[1] &= keep;
            }
        }
        self.entries_this_generation += 1;
        let (low, high) = (u64::from(self.generation & 1), u64::from(self.generation >> 1));
        for (at, bit) in positions(self.data.len(), self.hash_functions, self.tweak, element) {
            self.data[at] = self.data[at] & !(1 << bit) | low << bit;
            self.data[at + 1] = self.data[at + 1] & !(1 << bit) | high << bit;
        }
    }

    /// Whether an element was probably added lately.
    pub fn contains(&self, element: &[u8]) -> bool {
        positions(self.data.len(), self.hash_functions, self.tweak, element)
            .all(|(at, bit)| (self.data[at] | self.data[at + 1]) >> bit & 1 != 0)
    }

    /// Forgets everything; the new tweak changes which elements match by mistake.
    pub fn reset(&mut self, tweak: u32) {
        self.tweak = tweak;
        self.entries_this_generation = 0;
        self.generation = 1;
        self.data.fill(0);
    }
}
