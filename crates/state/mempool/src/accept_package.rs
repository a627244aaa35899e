//! Several transactions together. Reference: `AcceptMultipleTransactionsInternal` and `PackageRBFChecks` in
//! `src/validation.cpp`.

use std::collections::{BTreeSet, HashMap};

use grs_hashes::{Txid, Wtxid};
use grs_log::{Category, debug};
use grs_policy::FeeRate;
use grs_primitives::{Amount, TxRef};
use grs_txgraph::compare_chunks;

use crate::accept::{Acceptor, Applied, Workspace};
use crate::rbf::{entries_for_conflicts, pays_for_rbf};
use crate::truc::package_truc_checks;
use crate::{AcceptResult, PackageError, PackageErrorKind, PackageResult, check_package, package_hash};

impl Acceptor<'_> {
    /// Several transactions together.
    pub(crate) fn multiple(&mut self, txs: &[TxRef]) -> (PackageResult, Option<Applied>) {
        let mut results = HashMap::new();
        match self.multiple_checks(txs, &mut results) {
            Ok(applied) => (PackageResult { error: None, results }, applied),
            Err(error) => (PackageResult { error: Some(error), results }, None),
        }
    }

    fn multiple_checks(
        &mut self,
        txs: &[TxRef],
        results: &mut HashMap<Wtxid, AcceptResult>,
    ) -> Result<Option<Applied>, PackageError> {
        check_package(txs)?;
        let failed = || PackageError::transaction("transaction failed");
        let mut workspaces: Vec<Workspace> = Vec::with_capacity(txs.len());
        for (i, tx) in txs.iter().enumerate() {
            let checked = self.pre_checks(tx, &txs[..i]).and_then(|ws| {
                self.check_max_feerate(&ws)?;
                Ok(ws)
            });
            match checked {
                Ok(ws) => workspaces.push(ws),
                Err(error) => {
                    results.insert(tx.wtxid(), AcceptResult::invalid(error));
                    return Err(failed());
                }
            }
        }
        for (i, ws) in workspaces.iter().enumerate() {
            package_truc_checks(self.pool, txs, i, ws.entry.vsize)
                .map_err(|reason| PackageError::policy("TRUC-violation", reason))?;
        }
        let vsize: i64 = workspaces.iter().map(|w| w.entry.vsize).sum();
        let fees: Amount = workspaces.iter().map(|w| w.modified_fee).sum();
        let rate = FeeRate::of(fees, vsize);
        let all: Vec<Wtxid> = txs.iter().map(|t| t.wtxid()).collect();
        if self.options.package_feerates
            && let Err(error) = self.check_fee_rate(vsize, fees)
        {
            if let Some(last) = all.last() {
                let result = AcceptResult::Invalid { error, fee: Some((rate, all.clone())) };
                results.insert(*last, result);
            }
            return Err(failed());
        }
        let conflicts = self.package_replacement_checks(txs, &workspaces, fees, vsize)?;
        if self.pool.options().require_standard
            && let Err((child, error)) = self.check_ephemeral_spends(txs)
        {
            results.insert(child, AcceptResult::invalid(error));
            return Err(PackageError::transaction("unspent-dust"));
        }
        let mut data = Vec::with_capacity(workspaces.len());
        for ws in &workspaces {
            match self.policy_script_checks(ws) {
                Ok(precomputed) => data.push(precomputed),
                Err(error) => {
                    results.insert(ws.tx.wtxid(), AcceptResult::invalid(error));
                    return Err(failed());
                }
            }
            if self.options.test {
                results.insert(ws.tx.wtxid(), self.success(ws, Vec::new()));
            }
        }
        if self.options.test {
            return Ok(None);
        }
        // The reference does this after it has put them in, and takes them out again in the case that cannot be.
        for (ws, data) in workspaces.iter().zip(&data) {
            if let Err(error) = self.consensus_script_checks(ws, data) {
                results.insert(ws.tx.wtxid(), AcceptResult::invalid(error));
                return Err(PackageError {
                    kind: PackageErrorKind::Mempool,
                    reason: format!(
                        "BUG! PolicyScriptChecks succeeded but ConsensusScriptChecks failed: {}",
                        ws.tx.txid()
                    ),
                    debug_message: String::new(),
                });
            }
        }
        let applied = self.apply(&workspaces, &conflicts);
        let mut replaced: Vec<TxRef> = applied.replaced.iter().map(|e| e.tx.clone()).collect();
        for ws in &workspaces {
            let mut result = self.success(ws, std::mem::take(&mut replaced));
            if self.options.package_feerates
                && let AcceptResult::Valid { effective_feerate, effective_includes, .. } = &mut result
            {
                *effective_feerate = rate;
                effective_includes.clone_from(&all);
            }
            results.insert(ws.tx.wtxid(), result);
        }
        Ok(Some(applied))
    }

    /// Rules of replacement for a parent with one child.
    fn package_replacement_checks(
        &self,
        txs: &[TxRef],
        workspaces: &[Workspace],
        fees: Amount,
        vsize: i64,
    ) -> Result<BTreeSet<Txid>, PackageError> {
        let direct: BTreeSet<Txid> = workspaces.iter().flat_map(|w| &w.conflicts).copied().collect();
        let too_large = |_| PackageError::policy("too-large-cluster", "");
        if direct.is_empty() {
            self.evaluate(workspaces, &direct).map_err(too_large)?;
            return Ok(direct);
        }
        let fail =
            |why: &str, debug: String| Err(PackageError::policy(format!("package RBF failed: {why}"), debug));
        let [parent, child] = workspaces else {
            return fail("package must be 1-parent-1-child", String::new());
        };
        if workspaces.iter().any(|w| !self.pool.parents(&w.tx).is_empty()) {
            return fail("new transaction cannot have mempool ancestors", String::new());
        }
        let txid = child.tx.txid();
        let all = match entries_for_conflicts(self.pool, &txid, &direct) {
            Ok(all) => all,
            Err(e) => return fail("too many potential replacements", e),
        };
        let (old_fees, _) = self.conflict_totals(&all);
        let relay = self.pool.options().incremental_relay_rate;
        if let Err(e) = pays_for_rbf(old_fees, fees, vsize, relay, &txid) {
            return fail("insufficient anti-DoS fees", e);
        }
        let parent_rate = FeeRate::of(parent.modified_fee, parent.entry.vsize);
        let rate = FeeRate::of(fees, vsize);
        if rate <= parent_rate {
            return fail(
                "package feerate is less than or equal to parent feerate",
                format!("package feerate {rate} <= parent feerate is {parent_rate}"),
            );
        }
        let evaluation = self.evaluate(workspaces, &all).map_err(too_large)?;
        if compare_chunks(evaluation.new, evaluation.old) != Some(std::cmp::Ordering::Greater) {
            return fail("insufficient feerate: does not improve feerate diagram", String::new());
        }
        debug!(
            Category::TxPackages,
            "package RBF checks passed: parent {} (wtxid={}), child {} (wtxid={}), package hash ({})",
            parent.tx.txid(),
            parent.tx.wtxid(),
            child.tx.txid(),
            child.tx.wtxid(),
            package_hash(txs)
        );
        Ok(all)
    }
}
