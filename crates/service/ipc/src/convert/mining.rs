//! Mining, and time limits.

use std::time::Duration;

use grs_interfaces::{
    BlockCheck, BlockCheckOptions, BlockCreateOptions, BlockRef, BlockWaitOptions, CoinbaseTx,
    TIMEOUT_FOREVER,
};
use grs_ipc_schema::{common_capnp as common, mining_capnp as mining};
use grs_mp::exception;
use grs_primitives::Amount;

use super::{FromWire, ToScalar, ToWire, count, optional, read};

impl ToWire<common::block_ref::Builder<'_>> for BlockRef {
    fn to_wire(&self, mut out: common::block_ref::Builder<'_>) {
        out.set_hash(self.hash.as_bytes());
        out.set_height(i32::try_from(self.height).unwrap_or(i32::MAX));
    }
}

impl FromWire<common::block_ref::Reader<'_>> for BlockRef {
    fn from_wire(from: common::block_ref::Reader<'_>) -> capnp::Result<Self> {
        let height = u32::try_from(from.get_height()).map_err(|_| exception("negative height"))?;
        Ok(BlockRef { hash: read(from.get_hash())?, height })
    }
}

/// Longest time limit that is kept as such; more is for ever. A century, as in the reference.
const LONGEST_TIMEOUT: f64 = 100.0 * 365.0 * 86_400_000.0;

/// Milliseconds. Negative and not-a-number are zero.
impl FromWire<f64> for Duration {
    fn from_wire(milliseconds: f64) -> capnp::Result<Self> {
        Ok(if milliseconds.is_nan() || milliseconds <= 0.0 {
            Duration::ZERO
        } else if milliseconds >= LONGEST_TIMEOUT {
            TIMEOUT_FOREVER
        } else {
            Duration::from_secs_f64(milliseconds / 1000.0)
        })
    }
}

impl ToScalar<f64> for Duration {
    fn to_scalar(&self) -> f64 {
        let milliseconds = self.as_secs_f64() * 1000.0;
        if milliseconds >= LONGEST_TIMEOUT { f64::MAX } else { milliseconds }
    }
}

impl ToWire<mining::block_wait_options::Builder<'_>> for BlockWaitOptions {
    fn to_wire(&self, mut out: mining::block_wait_options::Builder<'_>) {
        out.set_timeout(self.timeout.to_scalar());
        out.set_fee_threshold(self.fee_threshold.0);
    }
}

impl FromWire<mining::block_wait_options::Reader<'_>> for BlockWaitOptions {
    fn from_wire(from: mining::block_wait_options::Reader<'_>) -> capnp::Result<Self> {
        Ok(BlockWaitOptions {
            timeout: Duration::from_wire(from.get_timeout())?,
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
        self.required_outputs.to_wire(out.init_required_outputs(count(self.required_outputs.len())));
    }
}

impl FromWire<mining::coinbase_tx::Reader<'_>> for CoinbaseTx {
    fn from_wire(from: mining::coinbase_tx::Reader<'_>) -> capnp::Result<Self> {
        Ok(CoinbaseTx {
            version: from.get_version(),
            sequence: from.get_sequence(),
            script_sig_prefix: read(from.get_script_sig_prefix())?,
            witness: optional(from.has_witness(), from.get_witness())?,
            block_reward_remaining: Amount(from.get_block_reward_remaining()),
            required_outputs: read(from.get_required_outputs())?,
            lock_time: from.get_lock_time(),
        })
    }
}

impl ToWire<mining::block_create_options::Builder<'_>> for BlockCreateOptions {
    fn to_wire(&self, mut out: mining::block_create_options::Builder<'_>) {
        out.set_use_mempool(self.use_mempool);
        out.set_block_reserved_weight(self.block_reserved_weight);
        out.set_coinbase_output_max_additional_sigops(self.coinbase_output_max_additional_sigops);
    }
}

impl FromWire<mining::block_create_options::Reader<'_>> for BlockCreateOptions {
    fn from_wire(from: mining::block_create_options::Reader<'_>) -> capnp::Result<Self> {
        Ok(BlockCreateOptions {
            use_mempool: from.get_use_mempool(),
            block_reserved_weight: from.get_block_reserved_weight(),
            coinbase_output_max_additional_sigops: from.get_coinbase_output_max_additional_sigops(),
        })
    }
}

impl ToWire<mining::block_check_options::Builder<'_>> for BlockCheckOptions {
    fn to_wire(&self, mut out: mining::block_check_options::Builder<'_>) {
        out.set_check_merkle_root(self.check_merkle_root);
        out.set_check_pow(self.check_pow);
    }
}

impl FromWire<mining::block_check_options::Reader<'_>> for BlockCheckOptions {
    fn from_wire(from: mining::block_check_options::Reader<'_>) -> capnp::Result<Self> {
        Ok(BlockCheckOptions {
            check_merkle_root: from.get_check_merkle_root(),
            check_pow: from.get_check_pow(),
        })
    }
}

/// Two methods answer the same, each in a struct of its own.
macro_rules! block_check {
    ($($results:ident),*) => {$(
        impl ToWire<mining::mining::$results::Builder<'_>> for BlockCheck {
            fn to_wire(&self, mut out: mining::mining::$results::Builder<'_>) {
                out.set_reason(&self.reason);
                out.set_debug(&self.debug);
                out.set_result(self.valid);
            }
        }
        impl FromWire<mining::mining::$results::Reader<'_>> for BlockCheck {
            fn from_wire(from: mining::mining::$results::Reader<'_>) -> capnp::Result<Self> {
                Ok(BlockCheck {
                    valid: from.get_result(),
                    reason: read(from.get_reason())?,
                    debug: read(from.get_debug())?,
                })
            }
        }
    )*};
}

block_check!(check_block_results, submit_block_results);
