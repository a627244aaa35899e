//! Fuzz target; a test runs it over random and mutated input.

use grs_hashes::BlockHash;

use crate::BlockFilter;

/// Reading any bytes gives a filter or an error, and what was read is written back the same.
pub fn fuzz_filter(data: &[u8]) {
    let block = BlockHash::from_bytes([7; 32]);
    if let Ok(filter) = BlockFilter::decode(block, data.to_vec()) {
        assert_eq!(filter.encoded(), data);
        let _ = filter.matches_any([&b"script"[..]]);
    }
    if let Ok(filter) = BlockFilter::from_verified(block, data.to_vec()) {
        let _ = filter.matches_any([&b"script"[..]]);
    }
}
