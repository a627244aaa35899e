//! Transactions of version 3, restricted until confirmation (BIP431). Reference: `src/policy/truc_policy.cpp`.

use std::collections::BTreeSet;

use grs_hashes::Txid;
use grs_policy::{
    TRUC_ANCESTOR_LIMIT, TRUC_CHILD_MAX_VSIZE, TRUC_DESCENDANT_LIMIT, TRUC_MAX_VSIZE, TRUC_VERSION,
};
use grs_primitives::{Transaction, TxRef};

use crate::Pool;

/// Why a single transaction breaks the rules, and the sibling whose eviction would mend it.
pub(crate) struct TrucViolation {
    pub(crate) reason: String,
    pub(crate) sibling: Option<TxRef>,
}

fn name(tx: &Transaction) -> String {
    format!("{} (wtxid={})", tx.txid(), tx.wtxid())
}

fn mixed(child: &Transaction, parent: &Transaction) -> Option<String> {
    match (child.version == TRUC_VERSION, parent.version == TRUC_VERSION) {
        (false, true) => {
            Some(format!("non-version=3 tx {} cannot spend from version=3 tx {}", name(child), name(parent)))
        }
        (true, false) => {
            Some(format!("version=3 tx {} cannot spend from non-version=3 tx {}", name(child), name(parent)))
        }
        _ => None,
    }
}

fn too_big(tx: &Transaction, vsize: i64) -> Option<String> {
    (vsize > TRUC_MAX_VSIZE)
        .then(|| format!("version=3 tx {} is too big: {vsize} > {TRUC_MAX_VSIZE} virtual bytes", name(tx)))
}

fn child_too_big(tx: &Transaction, vsize: i64) -> Option<String> {
    (vsize > TRUC_CHILD_MAX_VSIZE).then(|| {
        format!("version=3 child tx {} is too big: {vsize} > {TRUC_CHILD_MAX_VSIZE} virtual bytes", name(tx))
    })
}

fn too_many_ancestors(tx: &Transaction) -> String {
    format!("tx {} would have too many ancestors", name(tx))
}

fn too_many_descendants(tx: &Transaction) -> String {
    format!("tx {} would exceed descendant count limit", name(tx))
}

/// The rules for one transaction with its parents in the pool.
pub(crate) fn single_truc_checks(
    pool: &Pool,
    tx: &Transaction,
    conflicts: &BTreeSet<Txid>,
    vsize: i64,
) -> Result<(), TrucViolation> {
    let fail = |reason: String| Err(TrucViolation { reason, sibling: None });
    let parents = pool.parents(tx);
    if let Some(reason) = parents.iter().find_map(|p| mixed(tx, &p.tx)) {
        return fail(reason);
    }
    if tx.version != TRUC_VERSION {
        return Ok(());
    }
    if let Some(reason) = too_big(tx, vsize) {
        return fail(reason);
    }
    if parents.len() + 1 > TRUC_ANCESTOR_LIMIT {
        return fail(too_many_ancestors(tx));
    }
    let Some(parent) = parents.first() else { return Ok(()) };
    let parent_id = parent.tx.txid();
    if pool.ancestor_stats(&parent_id).count + 1 > TRUC_ANCESTOR_LIMIT {
        return fail(too_many_ancestors(tx));
    }
    if let Some(reason) = child_too_big(tx, vsize) {
        return fail(reason);
    }
    let family = pool.descendants(&parent_id);
    let siblings: Vec<_> = family.iter().filter(|e| e.tx.txid() != parent_id).collect();
    let replaced = siblings.iter().any(|e| conflicts.contains(&e.tx.txid()));
    if family.len() + 1 > TRUC_DESCENDANT_LIMIT && !replaced {
        // Only a lone sibling that depends on nothing else may be evicted for a better one.
        let sibling = siblings
            .first()
            .filter(|s| family.len() == 2 && pool.ancestor_stats(&s.tx.txid()).count == 2)
            .map(|s| s.tx.clone());
        return Err(TrucViolation { reason: too_many_descendants(&parent.tx), sibling });
    }
    Ok(())
}

/// The rules for a transaction with its parents in the pool and in its package.
pub(crate) fn package_truc_checks(
    pool: &Pool,
    package: &[TxRef],
    position: usize,
    vsize: i64,
) -> Result<(), String> {
    let tx = &package[position];
    let spends = |t: &Transaction, txid: Txid| t.inputs.iter().any(|i| i.prevout.txid == txid);
    let in_pool = pool.parents(tx);
    let in_package: Vec<&TxRef> = package[..position].iter().filter(|p| spends(tx, p.txid())).collect();
    if tx.version != TRUC_VERSION {
        let parents = in_pool.iter().map(|e| &e.tx).chain(in_package.iter().copied());
        return parents.map(|p| mixed(tx, p)).find_map(|m| m).map_or(Ok(()), Err);
    }
    if let Some(reason) = too_big(tx, vsize) {
        return Err(reason);
    }
    let inherited = in_pool.first().map_or(0, |p| pool.ancestor_stats(&p.tx.txid()).count);
    if in_pool.len() + in_package.len() + 1 > TRUC_ANCESTOR_LIMIT
        || inherited + in_package.len() + 1 > TRUC_ANCESTOR_LIMIT
    {
        return Err(too_many_ancestors(tx));
    }
    let parent = match (in_pool.first(), in_package.first()) {
        (Some(entry), _) => &entry.tx,
        (None, Some(tx)) => *tx,
        (None, None) => return Ok(()),
    };
    if let Some(reason) = child_too_big(tx, vsize).or_else(|| mixed(tx, parent)) {
        return Err(reason);
    }
    for (i, other) in package.iter().enumerate() {
        if i == position {
            continue;
        }
        if spends(other, parent.txid()) {
            return Err(too_many_descendants(parent));
        }
        if spends(other, tx.txid()) {
            return Err(too_many_ancestors(other));
        }
    }
    if pool.descendant_stats(&parent.txid()).count > 1 {
        return Err(too_many_descendants(parent));
    }
    Ok(())
}
