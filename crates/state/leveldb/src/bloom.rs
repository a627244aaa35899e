//! LevelDB's bloom filter and the filter block made of many of them, one per 2 KiB of table file.

use crate::coding::{get_u32, put_u32};

/// Name of the filter in a table's metaindex.
pub(crate) const FILTER_NAME: &[u8] = b"filter.leveldb.BuiltinBloomFilter2";

const BITS_PER_KEY: usize = 10;
/// Probes: bits per key times ln 2, rounded down.
const PROBES: u8 = 6;
/// Logarithm of the bytes of file that share a filter.
const BASE_LOG: u8 = 11;

/// LevelDB's hash, similar to murmur.
fn hash(data: &[u8], seed: u32) -> u32 {
    const M: u32 = 0xc6a4_a793;
    let mut h = seed ^ (data.len() as u32).wrapping_mul(M);
    let (words, rest) = data.as_chunks::<4>();
    for word in words {
        h = h.wrapping_add(u32::from_le_bytes(*word)).wrapping_mul(M);
        h ^= h >> 16;
    }
    if !rest.is_empty() {
        for (i, &byte) in rest.iter().enumerate() {
            h = h.wrapping_add(u32::from(byte) << (8 * i));
        }
        h = h.wrapping_mul(M);
        h ^= h >> 24;
    }
    h
}

/// Hash of a key for the filter.
pub(crate) fn bloom_hash(key: &[u8]) -> u32 {
    hash(key, 0xbc9f_1d34)
}

/// Appends a filter over hashed keys.
fn append_filter(hashes: &[u32], out: &mut Vec<u8>) {
    // Short filters have many false positives: 64 bits at least.
    let bytes = (hashes.len() * BITS_PER_KEY).max(64).div_ceil(8);
    let bits = (bytes * 8) as u32;
    let start = out.len();
    out.resize(start + bytes, 0);
    for &first in hashes {
        let mut h = first;
        let delta = h.rotate_right(17);
        for _ in 0..PROBES {
            let bit = (h % bits) as usize;
            out[start + bit / 8] |= 1 << (bit % 8);
            h = h.wrapping_add(delta);
        }
    }
    out.push(PROBES);
}

/// Whether a filter may hold a key; false is certain.
fn may_match(filter: &[u8], mut h: u32) -> bool {
    let Some((&probes, array)) = filter.split_last() else { return false };
    if array.is_empty() {
        return false;
    }
    if probes > 30 {
        // Reserved for other encodings: cannot rule anything out.
        return true;
    }
    let Ok(bits) = u32::try_from(array.len() * 8) else { return true };
    let delta = h.rotate_right(17);
    for _ in 0..probes {
        let bit = (h % bits) as usize;
        if array[bit / 8] & (1 << (bit % 8)) == 0 {
            return false;
        }
        h = h.wrapping_add(delta);
    }
    true
}

/// Builds a filter block while a table is written.
#[derive(Default)]
pub(crate) struct FilterBuilder {
    hashes: Vec<u32>,
    data: Vec<u8>,
    offsets: Vec<u32>,
}

impl FilterBuilder {
    /// A data block starts at this offset of the file.
    pub(crate) fn start_block(&mut self, offset: u64) {
        let index = (offset >> BASE_LOG) as usize;
        while self.offsets.len() < index {
            self.generate();
        }
    }

    /// Adds a user key of the current block.
    pub(crate) fn add(&mut self, key: &[u8]) {
        self.hashes.push(bloom_hash(key));
    }

    fn generate(&mut self) {
        self.offsets.push(self.data.len() as u32);
        if !self.hashes.is_empty() {
            append_filter(&self.hashes, &mut self.data);
            self.hashes.clear();
        }
    }

    /// The finished block.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        if !self.hashes.is_empty() {
            self.generate();
        }
        let array = self.data.len() as u32;
        for &offset in &self.offsets {
            put_u32(&mut self.data, offset);
        }
        put_u32(&mut self.data, array);
        self.data.push(BASE_LOG);
        self.data
    }
}

/// A filter block of a table. Damage in it can only cost speed: what cannot be read matches.
#[derive(Debug)]
pub(crate) struct FilterBlock {
    data: Vec<u8>,
    array: usize,
    count: u64,
    base_log: u8,
}

impl FilterBlock {
    /// Takes a block's content; `None` if it is not a filter block.
    pub(crate) fn new(data: Vec<u8>) -> Option<Self> {
        let end = data.len().checked_sub(5)?;
        let array = get_u32(&data[end..])? as usize;
        let base_log = data[end + 4];
        if array > end || base_log >= 64 {
            return None;
        }
        let count = ((end - array) / 4) as u64;
        Some(Self { data, array, count, base_log })
    }

    /// Whether the data block at `offset` may hold the key of this hash.
    pub(crate) fn may_match(&self, offset: u64, hash: u32) -> bool {
        let index = offset >> self.base_log;
        if index >= self.count {
            return true;
        }
        let at = self.array + index as usize * 4;
        let (Some(start), Some(limit)) = (get_u32(&self.data[at..]), get_u32(&self.data[at + 4..])) else {
            return true;
        };
        let (start, limit) = (start as usize, limit as usize);
        if start <= limit && limit <= self.array {
            may_match(&self.data[start..limit], hash)
        } else {
            // An empty filter matches nothing, a damaged one everything.
            start != limit
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hash_is_leveldbs() {
        // Computed with LevelDB's code.
        for (data, filter, seven) in [
            (&b""[..], 0xbc9f_1d34, 0x0000_0007),
            (b"C", 0xe122_fabf, 0x49c5_a13c),
            (b"tx", 0x1e4b_b4ec, 0x5c03_cdd3),
            (b"abc", 0x855d_012f, 0x8db5_6540),
            (b"leveldb", 0x861d_5353, 0xf2d3_0409),
            (b"\xff\x80\x01\x7f\xfe", 0x1c53_e359, 0xdb94_c08e),
        ] {
            assert_eq!((bloom_hash(data), hash(data, 7)), (filter, seven));
        }
    }
    #[test]
    fn few_false_positives_and_no_false_negatives() {
        for n in [1usize, 10, 100, 1000, 10000] {
            let hashes: Vec<u32> = (0..n as u32).map(|i| bloom_hash(&i.to_le_bytes())).collect();
            let mut filter = Vec::new();
            append_filter(&hashes, &mut filter);
            assert!(filter.len() <= n * 10 / 8 + 40);
            assert!(hashes.iter().all(|&h| may_match(&filter, h)));
            let wrong = (0..10_000u32)
                .filter(|i| may_match(&filter, bloom_hash(&(i + 1_000_000_000).to_le_bytes())))
                .count();
            assert!(wrong < 200, "{wrong} of 10000 at {n}");
        }
        assert!(!may_match(&[], 1) && !may_match(&[6], 1));
    }

    #[test]
    fn filter_block_finds_by_offset() {
        let blocks: [(u64, &[u8]); 5] =
            [(0, b"coin"), (1500, b"tx"), (4096, b"block"), (4200, b"undo"), (40_000, b"x")];
        let mut builder = FilterBuilder::default();
        for (offset, key) in blocks {
            builder.start_block(offset);
            builder.add(key);
        }
        let block = FilterBlock::new(builder.finish()).unwrap();
        for (offset, _) in blocks {
            for (other, key) in blocks {
                // Blocks that start in the same 2 KiB share a filter.
                let shared = offset / 2048 == other / 2048;
                assert_eq!(block.may_match(offset, bloom_hash(key)), shared, "{offset} {other}");
            }
        }
        // No filter was made for what lies between or after.
        assert!(!block.may_match(10_000, bloom_hash(b"coin")));
        assert!(block.may_match(1 << 20, bloom_hash(b"coin")));
        assert!(FilterBlock::new(vec![0; 4]).is_none());
        let empty = FilterBlock::new(FilterBuilder::default().finish()).unwrap();
        assert!(empty.may_match(0, 1) && empty.may_match(100_000, 1));
    }
}
