//! Compact block filters (BIP158).
//!
//! A filter says of a script whether its block may pay or spend it: never wrongly "no", wrongly "yes" for one script in
//! about 784,931. The basic filter holds the scripts of a block's outputs and of the outputs that it spends (reference:
//! `blockfilter.cpp`). The key of the inner hash is the block's Groestl hash; filter hash and filter header are double
//! SHA-256.

mod bits;
#[doc(hidden)]
pub mod fuzz;

use std::collections::BTreeSet;

use grs_encoding::{DecodeError, Reader, write_compact_size};
use grs_hashes::purpose::{filter_hash, filter_header};
use grs_hashes::{BlockHash, FilterHash, FilterHeader, SipHasher24};
use grs_primitives::Block;

use crate::bits::{BitReader, BitWriter};

/// Bits of a remainder (Golomb-Rice parameter) of the basic filter.
const BASIC_P: u32 = 19;
/// Inverse of the rate of false positives of the basic filter.
const BASIC_M: u64 = 784_931;
const OP_RETURN: u8 = 0x6a;

/// Why bytes are not a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FilterError {
    /// The number of elements cannot be read.
    #[error(transparent)]
    Count(#[from] DecodeError),
    /// More elements than a filter can have.
    #[error("N must be <2^32")]
    TooMany,
    /// There are fewer elements than announced.
    #[error("filter ends early")]
    Short,
    /// There are bytes after the last element.
    #[error("encoded_filter contains excess data")]
    Excess,
}

/// The basic filter of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlockFilter {
    block: BlockHash,
    encoded: Vec<u8>,
    /// Number of elements.
    count: u32,
    /// Where the elements begin in `encoded`.
    start: usize,
}

impl BlockFilter {
    /// The filter of a block. `spent_scripts` are the scripts of the outputs that it spends, in any order.
    pub fn basic<'a>(block: &'a Block, spent_scripts: impl IntoIterator<Item = &'a [u8]>) -> BlockFilter {
        let outputs = block.txs.iter().flat_map(|tx| &tx.outputs).map(|out| &*out.script_pubkey);
        let paid = outputs.filter(|script| script.first().is_some_and(|op| *op != OP_RETURN));
        let spent = spent_scripts.into_iter().filter(|script| !script.is_empty());
        BlockFilter::of_elements(block.header.hash(), paid.chain(spent).collect())
    }

    fn of_elements(block: BlockHash, elements: BTreeSet<&[u8]>) -> BlockFilter {
        // A block has far fewer outputs and inputs than that.
        let count = u32::try_from(elements.len()).expect("scripts of a block are counted by 32 bits");
        let mut encoded = Vec::new();
        write_compact_size(&mut encoded, u64::from(count));
        let start = encoded.len();
        let mut writer = BitWriter::new(&mut encoded);
        let mut last = 0;
        for value in hashed(block, count, elements) {
            writer.golomb_rice(BASIC_P, value - last);
            last = value;
        }
        writer.finish();
        BlockFilter { block, encoded, count, start }
    }

    /// Reads a filter from anywhere; it must hold exactly the elements that it announces.
    pub fn decode(block: BlockHash, encoded: Vec<u8>) -> Result<BlockFilter, FilterError> {
        let filter = BlockFilter::from_verified(block, encoded)?;
        let mut reader = filter.elements();
        for _ in 0..filter.count {
            reader.golomb_rice(BASIC_P).ok_or(FilterError::Short)?;
        }
        if reader.bytes_left() { Err(FilterError::Excess) } else { Ok(filter) }
    }

    /// Takes a filter the hash of which has been compared: its elements are not walked through.
    pub fn from_verified(block: BlockHash, encoded: Vec<u8>) -> Result<BlockFilter, FilterError> {
        let mut reader = Reader::new(&encoded);
        let count = u32::try_from(reader.compact_size_unchecked()?).map_err(|_| FilterError::TooMany)?;
        let start = reader.position();
        Ok(BlockFilter { block, encoded, count, start })
    }

    /// Hash of the block.
    pub fn block_hash(&self) -> BlockHash {
        self.block
    }

    /// The filter as it travels: the number of elements, then their differences.
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// Number of distinct scripts.
    pub fn len(&self) -> usize {
        self.count as usize
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Filter hash (BIP157).
    pub fn hash(&self) -> FilterHash {
        filter_hash(&self.encoded)
    }

    /// Filter header (BIP157) on the header of the previous block's filter, which is zero for the first block.
    pub fn header(&self, previous: &FilterHeader) -> FilterHeader {
        filter_header(&self.hash(), previous)
    }

    /// Whether the block may pay or spend one of the scripts.
    pub fn matches_any<'a>(&self, scripts: impl IntoIterator<Item = &'a [u8]>) -> bool {
        let queries = hashed(self.block, self.count, scripts);
        let mut queries = queries.iter().copied().peekable();
        let mut elements = self.elements();
        let mut value = 0_u64;
        for _ in 0..self.count {
            let Some(delta) = elements.golomb_rice(BASIC_P) else { return false };
            value = value.wrapping_add(delta);
            loop {
                match queries.peek() {
                    None => return false,
                    Some(query) if *query == value => return true,
                    Some(query) if *query > value => break,
                    Some(_) => queries.next(),
                };
            }
        }
        false
    }

    fn elements(&self) -> BitReader<'_> {
        BitReader::new(&self.encoded[self.start..])
    }
}

/// Scripts as numbers below `count * M`, in order.
fn hashed<'a>(block: BlockHash, count: u32, scripts: impl IntoIterator<Item = &'a [u8]>) -> Vec<u64> {
    let key = block.as_bytes();
    let half = |at: usize| u64::from_le_bytes(std::array::from_fn(|i| key[at + i]));
    let range = u128::from(u64::from(count) * BASIC_M);
    let number = |script: &[u8]| {
        let mut hasher = SipHasher24::new(half(0), half(8));
        hasher.write(script);
        ((u128::from(hasher.finish()) * range) >> 64) as u64
    };
    let mut numbers: Vec<u64> = scripts.into_iter().map(number).collect();
    numbers.sort_unstable();
    numbers
}
