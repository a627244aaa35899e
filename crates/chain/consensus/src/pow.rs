//! Proof of work and difficulty. Reference: `src/pow.cpp`, `src/groestlcoin.cpp`, `src/chain.cpp`.

use grs_hashes::BlockHash;
use grs_params::ConsensusParams;
use grs_primitives::{HashedHeader, Header};
use grs_uint::{CompactTarget, U256, block_work};

use crate::HeaderView;

/// From this height on a block's target has to be the computed one. Below, any allowed target will do.
pub const DIFFICULTY_ENFORCED_HEIGHT: i32 = 100_000;

/// Seconds between blocks that both algorithms aim at, whatever the network's parameters say.
const TARGET_SPACING: i64 = 60;

/// The target of a compact form, if the form is valid and the target no easier than `pow_limit`.
pub fn derive_target(bits: CompactTarget, pow_limit: &U256) -> Option<U256> {
    let (target, flags) = bits.expand();
    let valid = !flags.negative && !flags.overflow && !target.is_zero() && target <= *pow_limit;
    valid.then_some(target)
}

/// Whether a hash satisfies a target that the network allows.
pub fn check_proof_of_work(hash: &BlockHash, bits: CompactTarget, params: &ConsensusParams) -> bool {
    derive_target(bits, &params.pow_limit).is_some_and(|target| U256::from_block_hash(hash) <= target)
}

/// Whether every header satisfies its target.
pub fn has_valid_proof_of_work(headers: &[HashedHeader], params: &ConsensusParams) -> bool {
    headers.iter().all(|h| check_proof_of_work(&h.hash(), h.bits, params))
}

/// Work that headers claim together, by their targets.
pub fn claimed_headers_work(headers: &[HashedHeader]) -> U256 {
    headers.iter().fold(U256::ZERO, |sum, h| sum + block_work(h.bits))
}

/// The headers presync asks this for each step; the reference allows every one.
pub const fn permitted_difficulty_transition(_height: i64, _old: CompactTarget, _new: CompactTarget) -> bool {
    true
}

/// Target of the block behind `prev`, if it has time `time`. Reference: `GetNextWorkRequired`.
pub fn next_work_required<H: HeaderView>(prev: H, time: u32, params: &ConsensusParams) -> CompactTarget {
    if params.pow_allow_min_difficulty_blocks
        && i64::from(time) > i64::from(prev.time()) + params.pow_target_spacing * 2
    {
        return params.pow_limit_bits();
    }
    if prev.height() >= DIFFICULTY_ENFORCED_HEIGHT - 1 {
        dark_gravity_wave_3(prev, params)
    } else {
        dark_gravity_wave(prev, params)
    }
}

fn limited(target: U256, params: &ConsensusParams) -> CompactTarget {
    CompactTarget::from_target(target.min(params.pow_limit))
}

/// `prev` and the blocks before it, at most `count`, without the genesis block.
fn past_blocks<H: HeaderView>(prev: H, count: usize) -> impl Iterator<Item = H> {
    std::iter::successors(Some(prev), HeaderView::parent).take(count).take_while(|b| b.height() > 0)
}

/// The third version: a mean of 24 targets in which the newest counts double, scaled by the time they took.
fn dark_gravity_wave_3<H: HeaderView>(prev: H, params: &ConsensusParams) -> CompactTarget {
    const BLOCKS: usize = 24;
    if prev.height() < BLOCKS as i32 {
        return params.pow_limit_bits();
    }
    let mut average = U256::ZERO;
    let mut actual = 0_i64;
    let mut newer_time = 0_i64;
    let mut count = 0_u32;
    for block in past_blocks(prev, BLOCKS) {
        count += 1;
        let target = block.bits().target();
        average =
            if count == 1 { target } else { (average * count + target) / U256::from(u64::from(count) + 1) };
        let time = i64::from(block.time());
        if newer_time > 0 {
            actual += newer_time - time;
        }
        newer_time = time;
    }
    let wanted = i64::from(count) * TARGET_SPACING;
    let actual = actual.clamp(wanted / 3, wanted * 3);
    limited(average * actual as u32 / U256::from(wanted as u64), params)
}

/// The first version. Its unsigned subtraction wraps and its floating point steps have to keep their order; it
/// decides nothing but the targets of templates below height 100,000.
fn dark_gravity_wave<H: HeaderView>(prev: H, params: &ConsensusParams) -> CompactTarget {
    const TARGETS: u32 = 12;
    const BLOCKS: usize = 120;
    if prev.height() < TARGETS as i32 {
        return params.pow_limit_bits();
    }
    let mut average = U256::ZERO;
    let mut count = 0_i64;
    let mut newer_time = 0_i64;
    let (mut average_time, mut averaged) = (0_i64, 0_i64);
    let (mut time_sum, mut time_count) = (0_i64, 0_i64);
    for block in past_blocks(prev, BLOCKS) {
        count += 1;
        if count <= i64::from(TARGETS) {
            let target = block.bits().target();
            average =
                if count == 1 { target } else { (target - average) / U256::from(count as u64) + average };
        }
        let time = i64::from(block.time());
        if newer_time > 0 {
            let step = (newer_time - time).max(0);
            // Compared before it is counted up: thirteen steps are averaged.
            if averaged <= i64::from(TARGETS) {
                averaged += 1;
                average_time =
                    if averaged == 1 { step } else { (step - average_time) / averaged + average_time };
            }
            time_count += 1;
            time_sum += step;
        }
        newer_time = time;
    }
    let mut target = average;
    if time_count != 0 {
        let smart = (average_time as f64 * 0.7 + (time_sum / time_count) as f64 * 0.3).max(1.0);
        let shift = TARGET_SPACING as f64 / smart;
        let wanted = count * TARGET_SPACING;
        let actual = (wanted as f64 / shift) as i64;
        let actual = actual.clamp(wanted / 3, wanted * 3);
        target = target * actual as u32 / U256::from(wanted as u64);
    }
    limited(target, params)
}

/// Seconds that the difference of two chains' work takes to mine at the difficulty of `tip_bits`; negative when
/// `to_work` is the smaller one. Reference: `GetBlockProofEquivalentTime`.
pub fn block_proof_equivalent_time(
    to_work: U256,
    from_work: U256,
    tip_bits: CompactTarget,
    params: &ConsensusParams,
) -> i64 {
    let (difference, sign) =
        if to_work > from_work { (to_work - from_work, 1) } else { (from_work - to_work, -1) };
    let time = (difference * U256::from(params.pow_target_spacing as u64))
        .checked_div_rem(block_work(tip_bits))
        .map_or(U256::MAX, |(quotient, _)| quotient);
    if time.bits() > 63 { sign * i64::MAX } else { sign * time.low_u64() as i64 }
}

/// The difficulty that RPC shows: how much harder than the target `1d00ffff`. Reference: `GetDifficulty`.
pub fn difficulty(bits: CompactTarget) -> f64 {
    let mut shift = bits.0 >> 24;
    let mut value = f64::from(0x0000_ffff) / f64::from(bits.0 & 0x00ff_ffff);
    while shift < 29 {
        value *= 256.0;
        shift += 1;
    }
    while shift > 29 {
        value /= 256.0;
        shift -= 1;
    }
    value
}

/// Whether a header satisfies its target.
pub(crate) fn header_pow(header: &Header, hash: &BlockHash, params: &ConsensusParams) -> bool {
    check_proof_of_work(hash, header.bits, params)
}

#[cfg(test)]
mod tests {
    use grs_params::{ChainParams, Network};

    use super::*;

    #[test]
    fn targets_that_are_not_allowed() {
        let params = &ChainParams::for_network(Network::Main).consensus;
        let limit = &params.pow_limit;
        assert!(derive_target(CompactTarget(0x1e0f_ffff), limit).is_some());
        for bits in [0x1e10_0000, 0, 0x1d80_0001, 0xff00_ffff, 0x0100_0000, 0x2300_0001] {
            assert!(derive_target(CompactTarget(bits), limit).is_none(), "{bits:08x}");
        }
        assert!(check_proof_of_work(&params.genesis_hash, CompactTarget(0x1e0f_ffff), params));
        assert!(!check_proof_of_work(&params.genesis_hash, CompactTarget(0x1e0a_0000), params));
    }

    #[test]
    fn difficulty_as_shown() {
        assert_eq!(difficulty(CompactTarget(0x1d00_ffff)), 1.0);
        assert_eq!(difficulty(CompactTarget(0x1e00_ffff)), 0.003_906_25);
        assert_eq!(difficulty(CompactTarget(0x1c00_ffff)), 256.0);
    }

    #[test]
    fn equivalent_time() {
        let params = &ChainParams::for_network(Network::Main).consensus;
        let bits = CompactTarget(0x1d00_ffff);
        let one = block_work(bits);
        assert_eq!(block_proof_equivalent_time(one * 3, one, bits, params), 120);
        assert_eq!(block_proof_equivalent_time(one, one * 3, bits, params), -120);
        assert_eq!(block_proof_equivalent_time(U256::MAX >> 1, U256::ZERO, bits, params), i64::MAX);
        assert_eq!(block_proof_equivalent_time(one, U256::ZERO, CompactTarget(0), params), i64::MAX);
    }
}
