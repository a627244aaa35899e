//! Finding nonces for blocks on demand.

use grs_chainstate::HeaderRef;
use grs_consensus::{HeaderView, MAX_FUTURE_BLOCK_TIME, derive_target, next_work_required};
use grs_hashes::{BlockHash, purpose};
use grs_params::{ChainParams, ConsensusParams};
use grs_primitives::Header;
use grs_sync::{Interrupt, clock};
use grs_uint::{U256, block_work};

/// Default of `maxtries`.
pub const DEFAULT_MAX_TRIES: u64 = 100_000_000;
/// Where a block of a series would need more hashes than this, mining on demand takes a later time instead.
pub const MAX_HASHES_IN_SERIES: u64 = 1 << 13;
/// The same for a block on its own, which is worth more patience: its time stays with the clock more often.
pub const MAX_HASHES_ALONE: u64 = 1 << 16;
/// Seconds behind the block before from which the least difficulty is required, at a spacing of one second.
const STEP_SECONDS: u32 = 3;
const BATCH: usize = 64;

/// What became of a search for a nonce.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Solved {
    /// The header meets its target.
    Found,
    /// All nonces were tried: another header has to be made.
    NoncesUsedUp,
    /// No tries are left, or the node stops.
    GaveUp,
}

/// Counts the nonce up until the header meets its target. `max_tries` is counted down.
pub fn find_nonce(
    header: &mut Header,
    max_tries: &mut u64,
    params: &ConsensusParams,
    interrupt: &Interrupt,
) -> Solved {
    let Some(target) = derive_target(header.bits, &params.pow_limit) else {
        // Nothing meets an invalid target; the reference counts all nonces to find that out.
        *max_tries = 0;
        return Solved::GaveUp;
    };
    let mut headers = [header.to_bytes(); BATCH];
    let mut hashes = [[0; 32]; BATCH];
    loop {
        if *max_tries == 0 || interrupt.is_interrupted() {
            return Solved::GaveUp;
        }
        if header.nonce == u32::MAX {
            return Solved::NoncesUsedUp;
        }
        let left = u64::from(u32::MAX - header.nonce);
        let count = left.min(*max_tries).min(BATCH as u64) as u32;
        for (offset, bytes) in (0..count).zip(&mut headers) {
            bytes[76..80].copy_from_slice(&(header.nonce + offset).to_le_bytes());
        }
        let n = count as usize;
        purpose::block_hashes(&headers[..n], &mut hashes[..n]);
        let meets = |hash: &[u8; 32]| U256::from_block_hash(&BlockHash::from_bytes(*hash)) <= target;
        if let Some(index) = hashes[..n].iter().position(meets) {
            header.nonce += index as u32;
            *max_tries -= index as u64;
            return Solved::Found;
        }
        header.nonce += count;
        *max_tries -= u64::from(count);
    }
}

/// The block time is as far ahead of the clock as the rules allow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooFarAhead;

/// On chains that are mined on demand: takes a time at which the least difficulty is required, when the header's
/// own time would need more than `max_hashes`. Blocks that follow each other within seconds get harder and harder here, other
/// than in Bitcoin. A mocked clock is left alone: who sets it wants just these times.
pub fn ease_time(
    header: &mut Header,
    prev: HeaderRef<'_>,
    max_hashes: u64,
    params: &ChainParams,
) -> Result<(), TooFarAhead> {
    let expected = block_work(header.bits);
    if !params.mine_blocks_on_demand()
        || !params.consensus.pow_allow_min_difficulty_blocks
        || clock::mock_time().is_some()
        || expected <= U256::from(max_hashes)
    {
        return Ok(());
    }
    let time = prev.time().saturating_add(STEP_SECONDS);
    if i64::from(time) > clock::now_secs() + MAX_FUTURE_BLOCK_TIME {
        return Err(TooFarAhead);
    }
    if time > header.time {
        header.time = time;
        header.bits = next_work_required(prev, time, &params.consensus);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use grs_consensus::check_proof_of_work;
    use grs_params::Network;

    use super::*;

    #[test]
    fn nonces_are_found_and_tries_counted() {
        let params = ChainParams::for_network(Network::Regtest);
        let (consensus, interrupt) = (&params.consensus, Interrupt::new());
        let start = Header { bits: consensus.pow_limit_bits(), ..Header::default() };
        let (mut header, mut tries) = (start, 1_000_000);
        assert_eq!(find_nonce(&mut header, &mut tries, consensus, &interrupt), Solved::Found);
        assert!(check_proof_of_work(&header.compute_hash(), header.bits, consensus));
        // Each nonce before the right one was a try.
        assert_eq!(tries, 1_000_000 - u64::from(header.nonce));
        for nonce in 0..header.nonce {
            let wrong = Header { nonce, ..start };
            assert!(!check_proof_of_work(&wrong.compute_hash(), wrong.bits, consensus));
        }
        let (mut again, mut few) = (start, u64::from(header.nonce));
        assert_eq!(find_nonce(&mut again, &mut few, consensus, &interrupt), Solved::GaveUp);
        assert_eq!(few, 0);
        let mut hard = Header { bits: grs_uint::CompactTarget(0x0300_ffff), nonce: u32::MAX - 70, ..start };
        assert_eq!(find_nonce(&mut hard, &mut 1000, consensus, &interrupt), Solved::NoncesUsedUp);
        interrupt.interrupt();
        assert_eq!(find_nonce(&mut start.clone(), &mut 1000, consensus, &interrupt), Solved::GaveUp);
    }
}
