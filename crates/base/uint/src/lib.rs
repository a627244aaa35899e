//! Unsigned 256-bit arithmetic that wraps, compact targets, and chain work.
//! Reference: `src/arith_uint256.{h,cpp}`.

mod compact;
mod u256;

pub use compact::{CompactFlags, CompactTarget};
pub use u256::U256;

/// Work of one block with this target: the expected number of hashes, `2^256 / (target + 1)`; zero for an
/// invalid target. Reference: `src/chain.cpp`, `GetBlockProof`.
pub fn block_work(bits: CompactTarget) -> U256 {
    let (target, flags) = bits.expand();
    if flags.negative || flags.overflow || target.is_zero() {
        return U256::ZERO;
    }
    // 2^256 does not fit; ~target / (target + 1) + 1 is equal to it.
    (!target / (target + U256::ONE)) + U256::ONE
}
