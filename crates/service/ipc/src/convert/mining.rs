//! Mining, and time limits.

use std::time::Duration;

use grs_encoding::encode_to_vec;
use grs_interfaces::{BlockRef, BlockWaitOptions, CoinbaseTx, TIMEOUT_FOREVER};
use grs_ipc_schema::{common_capnp as common, mining_capnp as mining};
use grs_mp::exception;
use grs_primitives::Amount;

use super::{FromWire, ToWire, blobs, block_hash, bytes32, count, object, set_blobs};

impl ToWire<common::block_ref::Builder<'_>> for BlockRef {
    fn to_wire(&self, mut out: common::block_ref::Builder<'_>) {
        out.set_hash(self.hash.as_bytes());
        out.set_height(i32::try_from(self.height).unwrap_or(i32::MAX));
    }
}

impl FromWire<common::block_ref::Reader<'_>> for BlockRef {
    fn from_wire(from: common::block_ref::Reader<'_>) -> capnp::Result<Self> {
        let height = u32::try_from(from.get_height()).map_err(|_| exception("negative height"))?;
        Ok(BlockRef { hash: block_hash(from.get_hash())?, height })
    }
}

/// Longest time limit that is kept as such; more is for ever. A century, as in the reference.
const LONGEST_TIMEOUT: f64 = 100.0 * 365.0 * 86_400_000.0;

/// A time limit in milliseconds. Negative and not-a-number are zero.
pub(crate) fn timeout(milliseconds: f64) -> Duration {
    if milliseconds.is_nan() || milliseconds <= 0.0 {
        Duration::ZERO
    } else if milliseconds >= LONGEST_TIMEOUT {
        TIMEOUT_FOREVER
    } else {
        Duration::from_secs_f64(milliseconds / 1000.0)
    }
}

/// The inverse of [`timeout`].
pub(crate) fn timeout_milliseconds(timeout: Duration) -> f64 {
    let milliseconds = timeout.as_secs_f64() * 1000.0;
    if milliseconds >= LONGEST_TIMEOUT { f64::MAX } else { milliseconds }
}

impl ToWire<mining::block_wait_options::Builder<'_>> for BlockWaitOptions {
    fn to_wire(&self, mut out: mining::block_wait_options::Builder<'_>) {
        out.set_timeout(timeout_milliseconds(self.timeout));
        out.set_fee_threshold(self.fee_threshold.0);
    }
}

impl FromWire<mining::block_wait_options::Reader<'_>> for BlockWaitOptions {
    fn from_wire(from: mining::block_wait_options::Reader<'_>) -> capnp::Result<Self> {
        Ok(BlockWaitOptions {
            timeout: timeout(from.get_timeout()),
            fee_threshold: Amount(from.get_fee_threshold()),
        })
    }
}

impl ToWire<mining::coinbase_tx::Builder<'_>> for CoinbaseTx {
    fn to_wire(&self, mut out: mining::coinbase_tx::Builder<'_>) {
        out.set_version(self.version);
        out.set_sequence(self.sequence);
        out.set_script_sig_prefix(&self.script_sig_prefix);
        if let Some(witness) = &self.witness {
            out.set_witness(witness);
        }
        out.set_block_reward_remaining(self.block_reward_remaining.0);
        out.set_lock_time(self.lock_time);
        let outputs: Vec<Vec<u8>> = self.required_outputs.iter().map(encode_to_vec).collect();
        set_blobs(out.init_required_outputs(count(outputs.len())), &outputs);
    }
}

impl FromWire<mining::coinbase_tx::Reader<'_>> for CoinbaseTx {
    fn from_wire(from: mining::coinbase_tx::Reader<'_>) -> capnp::Result<Self> {
        Ok(CoinbaseTx {
            version: from.get_version(),
            sequence: from.get_sequence(),
            script_sig_prefix: from.get_script_sig_prefix()?.to_vec(),
            witness: from.has_witness().then(|| bytes32(from.get_witness())).transpose()?,
            block_reward_remaining: Amount(from.get_block_reward_remaining()),
            required_outputs: blobs(from.get_required_outputs()?, object)?,
            lock_time: from.get_lock_time(),
        })
    }
}
