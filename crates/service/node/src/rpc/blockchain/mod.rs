//! Methods about chain, blocks and coins. Reference: `src/rpc/blockchain.cpp`.

mod block;
mod choose;
mod deployments;
mod dump;
mod filter;
mod header;
mod info;
mod scan;
mod stats;
mod tips;
mod txout;
mod utxo;
mod wait;

use grs_chainstate::{BlockId, ChainstateManager};
use grs_consensus::derive_target;
use grs_rpc::{JsonExt, Method, RpcError};
use grs_uint::CompactTarget;
use serde_json::Value;

pub(super) use block::read_block;
pub(crate) use scan::ScanState;

use super::{Maker, block_hash, not_found};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let mut all = info::methods(maker);
    all.extend(header::methods(maker));
    all.extend(block::methods(maker));
    all.extend(stats::methods(maker));
    all.extend(tips::methods(maker));
    all.extend(choose::methods(maker));
    all.extend(deployments::methods(maker));
    all.extend(txout::methods(maker));
    all.extend(utxo::methods(maker));
    all.extend(wait::methods(maker));
    all.extend(scan::methods(maker));
    all.extend(filter::methods(maker));
    all.extend(dump::methods(maker));
    all
}

/// Full target of a compact one, as results show it.
pub(super) fn target_text(bits: CompactTarget, manager: &ChainstateManager) -> String {
    derive_target(bits, &manager.params().consensus.pow_limit).unwrap_or_default().to_string()
}

/// The tip, which is there as soon as methods can be called.
pub(super) fn tip(manager: &ChainstateManager) -> Result<BlockId, RpcError> {
    manager.view().tip().ok_or_else(|| RpcError::bug("there is no tip"))
}

/// The entry of a block hash argument.
pub(super) fn lookup(manager: &ChainstateManager, value: &Value, name: &str) -> Result<BlockId, RpcError> {
    let hash = block_hash(value, name)?;
    manager.index().lookup(&hash).ok_or_else(not_found)
}

/// The entry of an argument that is a hash, or a height in the active chain.
fn hash_or_height(manager: &ChainstateManager, value: &Value) -> Result<BlockId, RpcError> {
    if !value.is_number() {
        return lookup(manager, value, "hash_or_height");
    }
    let height: i32 = value.get_int()?;
    let view = manager.view();
    let error = |text: String| Err(RpcError::invalid_parameter(text));
    if height < 0 {
        return error(format!("Target block height {height} is negative"));
    }
    match view.at(height.unsigned_abs()) {
        Some(id) => Ok(id),
        None => error(format!("Target block height {height} after current tip {}", view.height())),
    }
}
