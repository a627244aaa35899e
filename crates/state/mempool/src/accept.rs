//! Whether a transaction may enter. Reference: `MemPoolAccept` in `src/validation.cpp`.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use grs_chainstate::Chainstate;
use grs_consensus::{CoinRef, TxValidationError, TxValidationResult, check_transaction, check_tx_inputs};
use grs_hashes::{Txid, Wtxid};
use grs_log::{Category, debug};
use grs_policy::{
    FeeRate, MAX_STANDARD_TX_SIGOPS_COST, MIN_STANDARD_TX_NONWITNESS_SIZE, are_inputs_standard,
    check_standard_tx, dust_outputs, is_dust, is_witness_standard, spends_non_anchor_witness_program,
};
use grs_primitives::{Amount, OutPoint, Transaction, TxOut, TxRef};
use grs_script::{PrecomputedTxData, ScriptFlags};
use grs_txgraph::{NewTx, Parent, TxId, compare_chunks};

use crate::rbf::{entries_for_conflicts, pays_for_rbf};
use crate::tip::NextBlock;
use crate::truc::single_truc_checks;
use crate::{AcceptResult, Entry, Pool, PoolCoins, package_hash};

/// How a transaction is taken.
#[derive(Clone, Copy, Debug, Default)]
pub struct AcceptOptions {
    /// Seconds since 1970 that the entry gets.
    pub time: i64,
    /// A reorganisation brings it back: limits of fee and size do not apply, conflicts are not replaced.
    pub bypass_limits: bool,
    /// Only answer whether it would be accepted.
    pub test: bool,
    /// Refuse when it pays a higher rate than this.
    pub max_feerate: Option<FeeRate>,
    /// May replace others (not while a package of several is only tested).
    pub allow_replacement: bool,
    /// May evict a sibling (version 3, alone).
    pub allow_sibling_eviction: bool,
    /// Part of a package that is submitted: the pool's size is limited afterwards, by the caller.
    pub package_submission: bool,
    /// Judge the rate of the package as a whole.
    pub package_feerates: bool,
    /// Leave the check of the whole pool (`-checkmempool`) to later changes, as for one of many that are loaded.
    pub skip_pool_check: bool,
}

impl AcceptOptions {
    /// For a transaction from a peer or a user.
    pub fn single(time: i64) -> AcceptOptions {
        AcceptOptions { time, allow_replacement: true, allow_sibling_eviction: true, ..Default::default() }
    }

    /// For a transaction from the mempool's file.
    pub fn loaded(time: i64) -> AcceptOptions {
        AcceptOptions { skip_pool_check: true, ..AcceptOptions::single(time) }
    }

    /// The same, but nothing is changed.
    pub fn test(time: i64) -> AcceptOptions {
        AcceptOptions { test: true, ..AcceptOptions::single(time) }
    }

    /// For a transaction that a disconnected block held.
    pub fn reorg(time: i64) -> AcceptOptions {
        AcceptOptions { bypass_limits: true, ..AcceptOptions::single(time) }
    }
}

/// A transaction on its way.
pub(crate) struct Workspace {
    pub(crate) tx: TxRef,
    pub(crate) conflicts: BTreeSet<Txid>,
    pub(crate) sibling_eviction: bool,
    pub(crate) base_fee: Amount,
    pub(crate) modified_fee: Amount,
    pub(crate) spent: Vec<TxOut>,
    pub(crate) entry: Entry,
}

/// What entered, and what it put out.
#[derive(Default)]
pub(crate) struct Applied {
    pub(crate) added: Vec<Txid>,
    pub(crate) replaced: Vec<Entry>,
}

fn policy(reason: impl Into<std::borrow::Cow<'static, str>>, debug: impl Into<String>) -> TxValidationError {
    TxValidationError::with_debug(TxValidationResult::MempoolPolicy, reason, debug)
}

fn reconsiderable(
    reason: impl Into<std::borrow::Cow<'static, str>>,
    debug: impl Into<String>,
) -> TxValidationError {
    TxValidationError::with_debug(TxValidationResult::Reconsiderable, reason, debug)
}

/// One run through the rules, with pool and chain locked.
pub(crate) struct Acceptor<'a> {
    pub(crate) pool: &'a mut Pool,
    pub(crate) chain: &'a mut Chainstate,
    pub(crate) options: AcceptOptions,
    /// Coins that were read only for this and may leave the cache when the transaction is refused.
    pub(crate) uncache: Vec<OutPoint>,
    /// Rate of the transaction that was looked at last, once it is known.
    judged: FeeRate,
}

impl<'a> Acceptor<'a> {
    pub(crate) fn new(pool: &'a mut Pool, chain: &'a mut Chainstate, options: AcceptOptions) -> Acceptor<'a> {
        Acceptor { pool, chain, options, uncache: Vec::new(), judged: FeeRate::ZERO }
    }

    /// Everything that needs no other transaction of a package but its outputs.
    pub(crate) fn pre_checks(
        &mut self,
        tx: &TxRef,
        package: &[TxRef],
    ) -> Result<Workspace, TxValidationError> {
        let options = *self.pool.options();
        let error = TxValidationError::new;
        check_transaction(tx).map_err(TxValidationError::from)?;
        if tx.is_coinbase() {
            return Err(error(TxValidationResult::Consensus, "coinbase"));
        }
        if options.require_standard {
            check_standard_tx(tx, &options.standard)
                .map_err(|e| error(TxValidationResult::NotStandard, e.reason()))?;
        }
        if tx.base_size() < MIN_STANDARD_TX_NONWITNESS_SIZE {
            return Err(error(TxValidationResult::NotStandard, "tx-size-small"));
        }
        if !self.chain.is_final_at_tip(tx) {
            return Err(error(TxValidationResult::PrematureSpend, "non-final"));
        }
        if self.pool.contains_wtxid(&tx.wtxid()) {
            return Err(error(TxValidationResult::Conflict, "txn-already-in-mempool"));
        }
        if self.pool.contains(&tx.txid()) {
            return Err(error(TxValidationResult::Conflict, "txn-same-nonwitness-data-in-mempool"));
        }
        let mut conflicts = BTreeSet::new();
        for input in &tx.inputs {
            if let Some(other) = self.pool.spender(&input.prevout) {
                if !self.options.allow_replacement {
                    return Err(policy("bip125-replacement-disallowed", ""));
                }
                conflicts.insert(other.txid());
            }
        }
        let coins = self.coins(tx, package)?;
        let refs: Vec<CoinRef<'_>> = coins
            .iter()
            .map(|c| CoinRef {
                value: c.out.value,
                script_pubkey: &c.out.script_pubkey,
                height: c.height as i32,
                is_coinbase: c.coinbase,
            })
            .collect();
        let heights: Vec<u32> = coins.iter().map(|c| c.height).collect();
        if !self.chain.sequence_locks_at_tip(tx, &heights) {
            return Err(error(TxValidationResult::PrematureSpend, "non-BIP68-final"));
        }
        let spend_height = self.chain.height() + 1;
        let base_fee = check_tx_inputs(tx, refs.as_slice(), spend_height).map_err(TxValidationError::from)?;
        let spends_coinbase = coins.iter().any(|c| c.coinbase);
        drop(refs);
        let spent: Vec<TxOut> = coins.into_iter().map(|c| c.out).collect();
        if options.require_standard && !are_inputs_standard(tx, &spent) {
            return Err(error(TxValidationResult::InputsNotStandard, "bad-txns-nonstandard-inputs"));
        }
        if tx.has_witness() && options.require_standard && !is_witness_standard(tx, &spent) {
            return Err(error(TxValidationResult::WitnessMutated, "bad-witness-nonstandard"));
        }
        let sigop_cost = grs_script::transaction_sig_op_cost(tx, |i| &spent[i], ScriptFlags::STANDARD);
        let fee_delta = self.pool.delta(&tx.txid());
        let (weight, vsize) = Entry::sizes(tx, sigop_cost, options.bytes_per_sigop);
        let entry = Entry {
            tx: tx.clone(),
            fee: base_fee,
            fee_delta,
            time: self.options.time,
            height: self.chain.height().max(0) as u32,
            sequence: if self.options.bypass_limits { 0 } else { self.pool.sequence() },
            sigop_cost,
            spends_coinbase,
            weight,
            vsize,
            id: TxId(u64::MAX),
        };
        let modified_fee = entry.modified_fee();
        self.judged = FeeRate::of(modified_fee, vsize);
        let dust_rate = options.standard.dust_relay_rate;
        if options.require_standard
            && (base_fee != Amount::ZERO || modified_fee != Amount::ZERO)
            && !dust_outputs(tx, dust_rate).is_empty()
        {
            return Err(TxValidationError::with_debug(
                TxValidationResult::NotStandard,
                "dust",
                "tx with dust output must be 0-fee",
            ));
        }
        if sigop_cost > MAX_STANDARD_TX_SIGOPS_COST {
            return Err(TxValidationError::with_debug(
                TxValidationResult::NotStandard,
                "bad-txns-too-many-sigops",
                sigop_cost.to_string(),
            ));
        }
        let mut ws = Workspace {
            tx: tx.clone(),
            conflicts,
            sibling_eviction: false,
            base_fee,
            modified_fee,
            spent,
            entry,
        };
        if !self.options.bypass_limits && !self.options.package_feerates {
            self.check_fee_rate(vsize, modified_fee)?;
        }
        if !self.options.bypass_limits {
            self.truc_checks(&mut ws)?;
        }
        Ok(ws)
    }

    fn truc_checks(&mut self, ws: &mut Workspace) -> Result<(), TxValidationError> {
        let Err(violation) = single_truc_checks(self.pool, &ws.tx, &ws.conflicts, ws.entry.vsize) else {
            return Ok(());
        };
        match violation.sibling {
            Some(sibling) if self.options.allow_sibling_eviction => {
                ws.conflicts.insert(sibling.txid());
                ws.sibling_eviction = true;
                Ok(())
            }
            _ => Err(policy("TRUC-violation", violation.reason)),
        }
    }

    /// The coins that a transaction spends, in order.
    fn coins(
        &mut self,
        tx: &Transaction,
        package: &[TxRef],
    ) -> Result<Vec<grs_blockstore::Coin>, TxValidationError> {
        let mut view = PoolCoins::new(self.pool);
        package.iter().for_each(|p| view.add_package_tx(p));
        let mut coins = Vec::with_capacity(tx.inputs.len());
        for input in &tx.inputs {
            let cache = self.chain.coins();
            if !cache.is_cached(&input.prevout) {
                self.uncache.push(input.prevout);
            }
            match view.get(cache, &input.prevout) {
                Ok(Some(coin)) => coins.push(coin),
                Ok(None) => {
                    // Perhaps its outputs are there: then it is in the chain already.
                    let known = (0..tx.outputs.len() as u32)
                        .any(|n| cache.have_in_cache(&OutPoint::new(tx.txid(), n)));
                    return Err(if known {
                        TxValidationError::new(TxValidationResult::Conflict, "txn-already-known")
                    } else {
                        TxValidationError::new(
                            TxValidationResult::MissingInputs,
                            "bad-txns-inputs-missingorspent",
                        )
                    });
                }
                Err(e) => {
                    return Err(TxValidationError::with_debug(
                        TxValidationResult::Unknown,
                        "coins-unreadable",
                        e.to_string(),
                    ));
                }
            }
        }
        Ok(coins)
    }

    pub(crate) fn check_fee_rate(&mut self, vsize: i64, fee: Amount) -> Result<(), TxValidationError> {
        let size = vsize.max(0) as usize;
        let wanted = self.pool.min_fee_rate().fee(size);
        if wanted > Amount::ZERO && fee < wanted {
            return Err(reconsiderable("mempool min fee not met", format!("{} < {}", fee.0, wanted.0)));
        }
        let wanted = self.pool.options().min_relay_rate.fee(size);
        if fee < wanted {
            return Err(reconsiderable("min relay fee not met", format!("{} < {}", fee.0, wanted.0)));
        }
        Ok(())
    }

    /// New transactions as the graph judges them, parents by name.
    fn new_txs(&self, workspaces: &[Workspace]) -> Vec<NewTx> {
        workspaces
            .iter()
            .enumerate()
            .map(|(i, ws)| {
                let mut seen = HashSet::new();
                let parents = ws.tx.inputs.iter().map(|input| input.prevout.txid).filter(|t| seen.insert(*t));
                let parents = parents.filter_map(|txid| {
                    let earlier = workspaces[..i].iter().position(|w| w.tx.txid() == txid);
                    earlier
                        .map(Parent::New)
                        .or_else(|| self.pool.entry(&txid).map(|e| Parent::Existing(e.id)))
                });
                NewTx { fee_size: ws.entry.fee_size(), parents: parents.collect() }
            })
            .collect()
    }

    pub(crate) fn evaluate(
        &self,
        workspaces: &[Workspace],
        conflicts: &BTreeSet<Txid>,
    ) -> Result<grs_txgraph::Evaluation, grs_txgraph::LimitExceeded> {
        let gone: Vec<TxId> = conflicts.iter().filter_map(|t| self.pool.entry(t)).map(|e| e.id).collect();
        self.pool.graph.evaluate(&gone, &self.new_txs(workspaces))
    }

    pub(crate) fn conflict_totals(&self, conflicts: &BTreeSet<Txid>) -> (Amount, i64) {
        let entries = conflicts.iter().filter_map(|t| self.pool.entry(t));
        entries.fold((Amount::ZERO, 0), |(fee, size), e| (fee + e.modified_fee(), size + e.vsize))
    }

    /// Rules of replacement for one transaction; what goes.
    fn replacement_checks(&self, ws: &Workspace) -> Result<BTreeSet<Txid>, TxValidationError> {
        let txid = ws.tx.txid();
        let suffix = if ws.sibling_eviction { " (including sibling eviction)" } else { "" };
        let all = entries_for_conflicts(self.pool, &txid, &ws.conflicts)
            .map_err(|e| policy(format!("too many potential replacements{suffix}"), e))?;
        let (fees, _) = self.conflict_totals(&all);
        let rate = self.pool.options().incremental_relay_rate;
        pays_for_rbf(fees, ws.modified_fee, ws.entry.vsize, rate, &txid)
            .map_err(|e| reconsiderable(format!("insufficient fee{suffix}"), e))?;
        let evaluation =
            self.evaluate(std::slice::from_ref(ws), &all).map_err(|_| policy("too-large-cluster", ""))?;
        if compare_chunks(evaluation.new, evaluation.old) != Some(std::cmp::Ordering::Greater) {
            return Err(reconsiderable(
                "replacement-failed",
                "insufficient feerate: does not improve feerate diagram",
            ));
        }
        Ok(all)
    }

    /// Dust of unconfirmed parents has to be spent.
    pub(crate) fn check_ephemeral_spends(&self, txs: &[TxRef]) -> Result<(), (Wtxid, TxValidationError)> {
        let dust_rate = self.pool.options().standard.dust_relay_rate;
        for tx in txs {
            let parents: BTreeSet<Txid> = tx.inputs.iter().map(|i| i.prevout.txid).collect();
            for parent in parents {
                let in_package = txs.iter().find(|t| t.txid() == parent);
                let Some(parent_tx) = in_package.or_else(|| self.pool.entry(&parent).map(|e| &e.tx)) else {
                    continue;
                };
                let unspent = (0_u32..).zip(&parent_tx.outputs).any(|(n, out)| {
                    is_dust(out, dust_rate)
                        && !tx.inputs.iter().any(|i| i.prevout == OutPoint::new(parent, n))
                });
                if unspent {
                    let debug = format!(
                        "tx {} (wtxid={}) did not spend parent's ephemeral dust",
                        tx.txid(),
                        tx.wtxid()
                    );
                    return Err((tx.wtxid(), policy("missing-ephemeral-spends", debug)));
                }
            }
        }
        Ok(())
    }

    /// Runs the scripts under the relay flags.
    pub(crate) fn policy_script_checks(
        &self,
        ws: &Workspace,
    ) -> Result<Arc<PrecomputedTxData>, TxValidationError> {
        let data = Arc::new(PrecomputedTxData::new(&ws.tx, ws.spent.clone(), true));
        let stripped = |mut e: TxValidationError| {
            if !ws.tx.has_witness() && spends_non_anchor_witness_program(&ws.tx, &ws.spent) {
                e.result = TxValidationResult::WitnessStripped;
            }
            e
        };
        self.chain.check_input_scripts(&ws.tx, &data, ScriptFlags::STANDARD, false).map_err(stripped)?;
        Ok(data)
    }

    /// Runs the scripts under the flags of the next block, so that its verdict is in the cache when the block comes.
    pub(crate) fn consensus_script_checks(
        &self,
        ws: &Workspace,
        data: &Arc<PrecomputedTxData>,
    ) -> Result<(), TxValidationError> {
        let flags = self.chain.next_block_script_flags();
        self.chain.check_input_scripts(&ws.tx, data, flags, true).inspect_err(|e| {
            grs_log::error!(
                "BUG! PLEASE REPORT THIS! CheckInputScripts failed against latest-block but not STANDARD flags {}, {e}",
                ws.tx.txid()
            );
        })
    }

    pub(crate) fn success(&self, ws: &Workspace, replaced: Vec<TxRef>) -> AcceptResult {
        AcceptResult::Valid {
            replaced,
            vsize: ws.entry.vsize,
            base_fee: ws.base_fee,
            effective_feerate: FeeRate::of(ws.modified_fee, ws.entry.vsize),
            effective_includes: vec![ws.tx.wtxid()],
        }
    }

    /// Puts transactions in and what they conflict with out.
    pub(crate) fn apply(&mut self, workspaces: &[Workspace], conflicts: &BTreeSet<Txid>) -> Applied {
        let gone: Vec<Txid> = conflicts.iter().copied().collect();
        let replaced = self.pool.take(&gone);
        let (fees, vsize) =
            workspaces.iter().fold((0_i64, 0_i64), |(f, s), ws| (f + ws.modified_fee.0, s + ws.entry.vsize));
        for old in &replaced {
            let new = match workspaces {
                [ws] => {
                    format!("New tx {} (wtxid={}, fees={fees}, vsize={vsize})", ws.tx.txid(), ws.tx.wtxid())
                }
                many => {
                    let txs: Vec<TxRef> = many.iter().map(|w| w.tx.clone()).collect();
                    format!(
                        "New package {} with {} txs, fees={fees}, vsize={vsize}",
                        package_hash(&txs),
                        many.len()
                    )
                }
            };
            debug!(
                Category::Mempool,
                "replacing mempool tx {} (wtxid={}, fees={}, vsize={}). {new}",
                old.tx.txid(),
                old.tx.wtxid(),
                old.fee.0,
                old.vsize
            );
        }
        let mut added = Vec::with_capacity(workspaces.len());
        for ws in workspaces {
            if self.pool.insert(ws.entry.clone()) {
                added.push(ws.tx.txid());
            }
        }
        if !replaced.is_empty() {
            let old_fees: i64 = replaced.iter().map(|e| e.modified_fee().0).sum();
            let old_size: i64 = replaced.iter().map(|e| e.vsize).sum();
            let what = match workspaces.len() {
                1 => "1 new transaction".to_owned(),
                n => format!("{n} new one(s)"),
            };
            debug!(
                Category::Mempool,
                "replaced {} mempool transactions with {what} for {} additional fees, {} delta bytes",
                replaced.len(),
                fees - old_fees,
                vsize - old_size
            );
        }
        Applied { added, replaced }
    }

    /// One transaction. What entered is `None` when it was refused or only tested.
    pub(crate) fn single(&mut self, tx: &TxRef) -> (AcceptResult, Option<Applied>) {
        let mut ws = match self.pre_checks(tx, &[]) {
            Ok(ws) => ws,
            Err(error) => return (self.failure(tx, error), None),
        };
        match self.single_checks(&mut ws) {
            Err(error) => (self.failure(tx, error), None),
            Ok(conflicts) => {
                if self.options.test {
                    // As in the reference, the list is made when they are replaced indeed.
                    return (self.success(&ws, Vec::new()), None);
                }
                let result = std::slice::from_ref(&ws);
                let applied = self.apply(result, &conflicts);
                let replaced = applied.replaced.iter().map(|e| e.tx.clone()).collect();
                (self.success(&ws, replaced), Some(applied))
            }
        }
    }

    /// A refusal; where the fee was the reason it carries the rate that was judged.
    fn failure(&self, tx: &TxRef, error: TxValidationError) -> AcceptResult {
        if error.result != TxValidationResult::Reconsiderable {
            return AcceptResult::invalid(error);
        }
        AcceptResult::Invalid { error, fee: Some((self.judged, vec![tx.wtxid()])) }
    }

    fn single_checks(&mut self, ws: &mut Workspace) -> Result<BTreeSet<Txid>, TxValidationError> {
        let conflicts = if ws.conflicts.is_empty() {
            self.evaluate(std::slice::from_ref(ws), &BTreeSet::new())
                .map_err(|_| policy("too-large-cluster", ""))?;
            BTreeSet::new()
        } else {
            self.replacement_checks(ws)?
        };
        if !ws.conflicts.is_empty() {
            let parents = self.pool.parents(&ws.tx);
            let ancestors = parents.iter().flat_map(|p| self.pool.ancestors(&p.tx.txid()));
            if let Some(bad) = ancestors.map(|e| e.tx.txid()).find(|t| ws.conflicts.contains(t)) {
                return Err(TxValidationError::with_debug(
                    TxValidationResult::Consensus,
                    "bad-txns-spends-conflicting-tx",
                    format!("{} spends conflicting transaction {bad}", ws.tx.txid()),
                ));
            }
        }
        self.check_max_feerate(ws)?;
        if !self.options.bypass_limits && self.pool.options().require_standard {
            self.check_ephemeral_spends(std::slice::from_ref(&ws.tx)).map_err(|(_, e)| e)?;
        }
        let data = self.policy_script_checks(ws)?;
        self.consensus_script_checks(ws, &data)?;
        Ok(conflicts)
    }

    pub(crate) fn check_max_feerate(&self, ws: &Workspace) -> Result<(), TxValidationError> {
        match self.options.max_feerate {
            Some(max) if FeeRate::of(ws.modified_fee, ws.entry.vsize) > max => {
                Err(policy("max feerate exceeded", ""))
            }
            _ => Ok(()),
        }
    }
}
