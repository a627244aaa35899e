//! Consistency of the whole pool (`-checkmempool`). Reference: `CTxMemPool::check`.

use std::collections::HashMap;

use grs_chainstate::Chainstate;
use grs_consensus::{CoinRef, check_tx_inputs};
use grs_log::{Category, debug, error};
use grs_primitives::{Amount, OutPoint};

use crate::{MEMPOOL_HEIGHT, Pool, PoolCoins};

impl Pool {
    /// Checks that all maps and sums agree. An error text names the first disagreement.
    pub fn check_consistency(&self) -> Result<(), String> {
        let (mut vsize, mut usage, mut inputs, mut fee) = (0, 0, 0, Amount::ZERO);
        for entry in self.entries() {
            let txid = entry.tx.txid();
            vsize += entry.vsize as u64;
            usage += entry.memory_usage();
            inputs += entry.tx.inputs.len();
            fee += entry.fee;
            if entry.tx.inputs.iter().any(|i| self.spender(&i.prevout).map(|t| t.txid()) != Some(txid)) {
                return Err(format!("an output is not marked as spent by {txid}"));
            }
            let ancestors = self.graph.ancestors(entry.id);
            if self.parents(&entry.tx).iter().any(|p| !ancestors.contains(&p.id)) {
                return Err(format!("the graph misses a parent of {txid}"));
            }
            let descendants = self.graph.descendants(entry.id);
            if self.children(&entry.tx).iter().any(|c| !descendants.contains(&c.id)) {
                return Err(format!("the graph misses a child of {txid}"));
            }
            if self.graph.fee_size(entry.id) != Some(entry.fee_size()) {
                return Err(format!("the graph has another fee for {txid}"));
            }
            if entry.fee_delta != self.delta(&txid) {
                return Err(format!("{txid} has another fee delta than the list"));
            }
            if self.entry_by_wtxid(&entry.tx.wtxid()).map(|e| e.id) != Some(entry.id) {
                return Err(format!("{txid} is not found by its wtxid"));
            }
        }
        let mut last = None;
        for entry in self.in_mining_order() {
            let wtxid = entry.tx.wtxid();
            if last.is_some_and(|l| self.compare_mining_order(&l, &wtxid) != std::cmp::Ordering::Less) {
                return Err(format!("{wtxid} is out of order"));
            }
            last = Some(wtxid);
        }
        let stats = self.stats();
        if inputs != self.spent_count()
            || (vsize, fee) != (stats.vsize, stats.fee)
            || usage != self.inner_usage()
            || self.graph.len() != self.len()
            || self.unbroadcast().iter().any(|t| !self.contains(t))
        {
            return Err("totals disagree".into());
        }
        Ok(())
    }

    /// The same, and that every transaction could be in the next block, in mining order.
    pub fn check_against_chain(&self, chain: &mut Chainstate) -> Result<(), String> {
        self.check_consistency()?;
        let height = chain.height() + 1;
        let coins = PoolCoins::new(self);
        let mut seen: HashMap<OutPoint, ()> = HashMap::new();
        for entry in self.in_mining_order() {
            let mut spent = Vec::with_capacity(entry.tx.inputs.len());
            for input in &entry.tx.inputs {
                match coins.get(chain.coins(), &input.prevout) {
                    Ok(Some(coin))
                        if coin.height != MEMPOOL_HEIGHT || seen.remove(&input.prevout).is_some() =>
                    {
                        spent.push(coin);
                    }
                    _ => {
                        return Err(format!(
                            "{} spends {}, which is not there",
                            entry.tx.txid(),
                            input.prevout
                        ));
                    }
                }
            }
            let refs: Vec<CoinRef<'_>> = spent
                .iter()
                .map(|c| CoinRef {
                    value: c.out.value,
                    script_pubkey: &c.out.script_pubkey,
                    height: c.height as i32,
                    is_coinbase: c.coinbase,
                })
                .collect();
            match check_tx_inputs(&entry.tx, refs.as_slice(), height) {
                Ok(fee) if fee == entry.fee => {}
                other => return Err(format!("{} is not valid any more: {other:?}", entry.tx.txid())),
            }
            let txid = entry.tx.txid();
            seen.extend((0..entry.tx.outputs.len() as u32).map(|n| (OutPoint::new(txid, n), ())));
        }
        Ok(())
    }

    /// Runs the check when it is its turn (one change in `check_ratio`).
    pub(crate) fn check(&mut self, chain: &mut Chainstate) {
        let ratio = u64::from(self.options().check_ratio);
        if ratio == 0 {
            return;
        }
        self.checks += 1;
        if !self.checks.is_multiple_of(ratio) {
            return;
        }
        debug!(
            Category::Mempool,
            "Checking mempool with {} transactions and {} inputs",
            self.len(),
            self.spent_count()
        );
        if let Err(why) = self.check_against_chain(chain) {
            error!("Mempool consistency check failed: {why}");
            debug_assert!(false, "mempool consistency: {why}");
        }
    }
}
