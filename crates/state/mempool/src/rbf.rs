//! Replacing transactions. Reference: `src/policy/rbf.cpp`.

use std::collections::BTreeSet;

use grs_consensus::format_money;
use grs_hashes::Txid;
use grs_policy::FeeRate;
use grs_primitives::{Amount, MutableTransaction, Transaction};

use crate::Pool;

/// Most clusters that one replacement may touch.
const MAX_REPLACEMENT_CANDIDATES: usize = 100;
/// Largest sequence that signals replaceability (BIP125).
const MAX_BIP125_RBF_SEQUENCE: u32 = 0xffff_fffd;

/// Whether a transaction may be replaced, by BIP125's signal.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RbfState {
    /// Not in the mempool, and no signal of its own.
    Unknown,
    /// It or an unconfirmed ancestor signals.
    Replaceable,
    /// Neither it nor an ancestor signals.
    Final,
}

/// True when an input signals replaceability.
pub fn signals_opt_in_rbf(tx: &MutableTransaction) -> bool {
    tx.inputs.iter().any(|i| i.sequence <= MAX_BIP125_RBF_SEQUENCE)
}

/// The state of a transaction with its ancestors in the pool.
pub fn rbf_state(pool: &Pool, tx: &Transaction) -> RbfState {
    if signals_opt_in_rbf(tx) {
        return RbfState::Replaceable;
    }
    if !pool.contains(&tx.txid()) {
        return RbfState::Unknown;
    }
    if pool.ancestors(&tx.txid()).iter().any(|e| signals_opt_in_rbf(&e.tx)) {
        RbfState::Replaceable
    } else {
        RbfState::Final
    }
}

/// All that goes when the direct conflicts go, or the reference's text when they touch too many clusters.
pub(crate) fn entries_for_conflicts(
    pool: &Pool,
    txid: &Txid,
    direct: &BTreeSet<Txid>,
) -> Result<BTreeSet<Txid>, String> {
    let clusters: BTreeSet<Txid> =
        direct.iter().filter_map(|t| pool.cluster(t).first().map(|e| e.tx.txid())).collect();
    if clusters.len() > MAX_REPLACEMENT_CANDIDATES {
        return Err(format!(
            "rejecting replacement {txid}; too many conflicting clusters ({} > {MAX_REPLACEMENT_CANDIDATES})",
            clusters.len()
        ));
    }
    Ok(direct.iter().flat_map(|t| pool.descendants(t)).map(|e| e.tx.txid()).collect())
}

/// The replacement pays at least as much as what it replaces, and for its own relay on top.
pub(crate) fn pays_for_rbf(
    original: Amount,
    replacement: Amount,
    vsize: i64,
    relay_rate: FeeRate,
    txid: &Txid,
) -> Result<(), String> {
    if replacement < original {
        return Err(format!(
            "rejecting replacement {txid}, less fees than conflicting txs; {} < {}",
            format_money(replacement),
            format_money(original)
        ));
    }
    let additional = replacement - original;
    let needed = relay_rate.fee(vsize.max(0) as usize);
    if additional < needed {
        return Err(format!(
            "rejecting replacement {txid}, not enough additional fees to relay; {} < {}",
            format_money(additional),
            format_money(needed)
        ));
    }
    Ok(())
}
