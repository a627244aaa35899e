//! Rules about packages as such. Reference: `src/policy/packages.cpp`.

use std::collections::HashSet;

use grs_hashes::purpose::sha256;
use grs_hashes::{Hash256, Txid, Wtxid};
use grs_primitives::{OutPoint, TxRef};

use crate::PackageError;

/// Most transactions of a package.
pub const MAX_PACKAGE_COUNT: usize = 25;
/// Most weight of a package.
pub const MAX_PACKAGE_WEIGHT: usize = 404_000;

/// Checks number, weight, order, duplicates and conflicts. Reference: `IsWellFormedPackage`.
pub fn check_package(txs: &[TxRef]) -> Result<(), PackageError> {
    let fail = |reason: &str| Err(PackageError::policy(reason, ""));
    if txs.len() > MAX_PACKAGE_COUNT {
        return fail("package-too-many-transactions");
    }
    if txs.len() > 1 && txs.iter().map(|t| t.weight()).sum::<usize>() > MAX_PACKAGE_WEIGHT {
        return fail("package-too-large");
    }
    let mut later: HashSet<Txid> = txs.iter().map(|t| t.txid()).collect();
    if later.len() != txs.len() {
        return fail("package-contains-duplicates");
    }
    for tx in txs {
        if tx.inputs.iter().any(|i| later.contains(&i.prevout.txid)) {
            return fail("package-not-sorted");
        }
        later.remove(&tx.txid());
    }
    let mut spent: HashSet<OutPoint> = HashSet::new();
    for tx in txs {
        // A transaction that repeats an input within itself is refused by its own rules.
        if tx.inputs.is_empty() || tx.inputs.iter().any(|i| spent.contains(&i.prevout)) {
            return fail("conflict-in-package");
        }
        spent.extend(tx.inputs.iter().map(|i| i.prevout));
    }
    Ok(())
}

/// True when all but the last transaction are parents of the last.
pub fn is_child_with_parents(txs: &[TxRef]) -> bool {
    let Some((child, parents)) = txs.split_last() else { return false };
    let spent: HashSet<Txid> = child.inputs.iter().map(|i| i.prevout.txid).collect();
    !parents.is_empty() && parents.iter().all(|p| spent.contains(&p.txid()))
}

/// True when, on top, no parent depends on another.
pub fn is_child_with_parents_tree(txs: &[TxRef]) -> bool {
    let Some((_, parents)) = txs.split_last() else { return false };
    let ids: HashSet<Txid> = parents.iter().map(|p| p.txid()).collect();
    is_child_with_parents(txs)
        && parents.iter().all(|p| p.inputs.iter().all(|i| !ids.contains(&i.prevout.txid)))
}

/// Identity of a package: SHA-256 over its wtxids in numeric order.
pub fn package_hash(txs: &[TxRef]) -> Hash256 {
    let mut ids: Vec<Wtxid> = txs.iter().map(|t| t.wtxid()).collect();
    ids.sort_by(|a, b| a.as_bytes().iter().rev().cmp(b.as_bytes().iter().rev()));
    let bytes: Vec<u8> = ids.iter().flat_map(|i| i.to_bytes()).collect();
    Hash256::from_bytes(sha256(&bytes))
}
