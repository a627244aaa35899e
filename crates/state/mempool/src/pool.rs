use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use grs_hashes::{Hash256, Txid, Wtxid};
use grs_log::{Category, debug, info};
use grs_policy::FeeRate;
use grs_primitives::{Amount, OutPoint, Transaction, TxRef, WITNESS_SCALE_FACTOR};
use grs_txgraph::{BlockBuilder, FeeSize, NewTx, Parent, TxGraph, TxId};

use crate::{Entry, MempoolOptions};

/// Seconds in which the rolling minimum fee falls to a half.
const ROLLING_FEE_HALFLIFE: f64 = 12.0 * 3600.0;

/// Bytes that a fee delta takes.
const DELTA_USAGE: usize = 96;

/// The mempool's state. All methods expect that the caller holds its lock.
#[derive(Debug)]
pub struct Pool {
    pub(crate) options: Arc<MempoolOptions>,
    pub(crate) graph: TxGraph,
    entries: HashMap<Txid, Entry>,
    by_wtxid: HashMap<Wtxid, Txid>,
    by_id: HashMap<TxId, Txid>,
    spends: HashMap<OutPoint, Txid>,
    by_time: BTreeSet<(i64, Txid)>,
    deltas: HashMap<Txid, i64>,
    pub(crate) unbroadcast: BTreeSet<Txid>,
    total_vsize: u64,
    total_fee: Amount,
    inner_usage: usize,
    /// Bytes of memory, for those who do not hold the lock.
    shared_usage: Arc<AtomicUsize>,
    pub(crate) sequence: u64,
    pub(crate) updates: u64,
    rolling_min_rate: f64,
    block_since_bump: bool,
    last_rolling_update: i64,
    pub(crate) load_tried: bool,
    /// Consistency checks that were due.
    pub(crate) checks: u64,
}

/// Figures of the whole pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PoolStats {
    /// Transactions.
    pub count: usize,
    /// Sum of virtual sizes.
    pub vsize: u64,
    /// Estimated bytes of memory.
    pub usage: usize,
    /// Sum of fees.
    pub fee: Amount,
}

/// Count, virtual size and modified fees of an ancestor or descendant set, the transaction itself included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct RelativeStats {
    /// Transactions.
    pub count: usize,
    /// Sum of virtual sizes.
    pub vsize: i64,
    /// Sum of modified fees.
    pub fees: Amount,
}

impl Pool {
    pub(crate) fn new(options: Arc<MempoolOptions>) -> Pool {
        let max_weight = options.cluster_vbytes * WITNESS_SCALE_FACTOR;
        Pool {
            graph: TxGraph::new(options.cluster_count, max_weight as i64),
            options,
            entries: HashMap::new(),
            by_wtxid: HashMap::new(),
            by_id: HashMap::new(),
            spends: HashMap::new(),
            by_time: BTreeSet::new(),
            deltas: HashMap::new(),
            unbroadcast: BTreeSet::new(),
            total_vsize: 0,
            total_fee: Amount::ZERO,
            inner_usage: 0,
            shared_usage: Arc::default(),
            sequence: 1,
            updates: 0,
            rolling_min_rate: 0.0,
            block_since_bump: false,
            last_rolling_update: grs_sync::clock::now_secs(),
            load_tried: false,
            checks: 0,
        }
    }

    // --- Looking ---

    /// Number of transactions.
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    /// True without transactions.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
    /// The entry of a transaction.
    pub fn entry(&self, txid: &Txid) -> Option<&Entry> {
        self.entries.get(txid)
    }
    /// The entry of a transaction by wtxid.
    pub fn entry_by_wtxid(&self, wtxid: &Wtxid) -> Option<&Entry> {
        self.entries.get(self.by_wtxid.get(wtxid)?)
    }
    /// True when the transaction, with any witness, is there.
    pub fn contains(&self, txid: &Txid) -> bool {
        self.entries.contains_key(txid)
    }
    /// True when the transaction with just this witness is there.
    pub fn contains_wtxid(&self, wtxid: &Wtxid) -> bool {
        self.by_wtxid.contains_key(wtxid)
    }
    /// The transaction that spends an output.
    pub fn spender(&self, outpoint: &OutPoint) -> Option<&TxRef> {
        self.spends.get(outpoint).and_then(|t| self.entries.get(t)).map(|e| &e.tx)
    }
    /// All entries, in no order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }
    /// Figures of the whole pool.
    pub fn stats(&self) -> PoolStats {
        PoolStats { count: self.len(), vsize: self.total_vsize, usage: self.usage(), fee: self.total_fee }
    }
    /// Estimated bytes of memory, near what the reference counts.
    pub fn usage(&self) -> usize {
        self.inner_usage + self.deltas.len() * DELTA_USAGE
    }
    pub(crate) fn inner_usage(&self) -> usize {
        self.inner_usage
    }
    pub(crate) fn spent_count(&self) -> usize {
        self.spends.len()
    }
    fn publish_usage(&self) {
        self.shared_usage.store(self.usage(), Ordering::Relaxed);
    }
    pub(crate) fn shared_usage(&self) -> Arc<AtomicUsize> {
        self.shared_usage.clone()
    }
    /// Number that grows with each event.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }
    /// Number that grows with each change that templates care about.
    pub fn transactions_updated(&self) -> u64 {
        self.updates
    }
    /// Options.
    pub fn options(&self) -> &MempoolOptions {
        &self.options
    }
    /// Transactions that no peer has asked for yet, and which are announced again.
    pub fn unbroadcast(&self) -> &BTreeSet<Txid> {
        &self.unbroadcast
    }
    /// Fee deltas of `prioritisetransaction`, of transactions here or not.
    pub fn deltas(&self) -> &HashMap<Txid, i64> {
        &self.deltas
    }
    /// Fee delta of a transaction.
    pub fn delta(&self, txid: &Txid) -> i64 {
        self.deltas.get(txid).copied().unwrap_or(0)
    }
    /// Whether the file of the last run has been looked at.
    pub fn load_tried(&self) -> bool {
        self.load_tried
    }

    pub(crate) fn entry_of(&self, id: &TxId) -> Option<&Entry> {
        self.entries.get(self.by_id.get(id)?)
    }

    fn named(&self, ids: Vec<TxId>) -> Vec<&Entry> {
        ids.iter().filter_map(|id| self.entry_of(id)).collect()
    }

    /// Ancestors of a transaction and itself, parents first.
    pub fn ancestors(&self, txid: &Txid) -> Vec<&Entry> {
        self.entry(txid).map_or_else(Vec::new, |e| self.named(self.graph.ancestors(e.id)))
    }
    /// Descendants of a transaction and itself, parents first.
    pub fn descendants(&self, txid: &Txid) -> Vec<&Entry> {
        self.entry(txid).map_or_else(Vec::new, |e| self.named(self.graph.descendants(e.id)))
    }
    /// Transactions that this one spends from, by txid.
    pub fn parents(&self, tx: &Transaction) -> Vec<&Entry> {
        let txids: BTreeSet<Txid> = tx.inputs.iter().map(|i| i.prevout.txid).collect();
        txids.iter().filter_map(|t| self.entry(t)).collect()
    }
    /// Transactions that spend from this one, by txid.
    pub fn children(&self, tx: &Transaction) -> Vec<&Entry> {
        let txid = tx.txid();
        let outputs = (0..tx.outputs.len() as u32).map(|n| OutPoint::new(txid, n));
        let children: BTreeSet<Txid> = outputs.filter_map(|o| self.spends.get(&o).copied()).collect();
        children.iter().filter_map(|t| self.entry(t)).collect()
    }
    /// The cluster of a transaction, in mining order.
    pub fn cluster(&self, txid: &Txid) -> Vec<&Entry> {
        self.entry(txid).map_or_else(Vec::new, |e| self.named(self.graph.cluster(e.id)))
    }
    /// The chunks of a transaction's cluster, best first: transactions, and fee with adjusted weight.
    pub fn cluster_chunks(&self, txid: &Txid) -> Vec<(Vec<&Entry>, FeeSize)> {
        let Some(entry) = self.entry(txid) else { return Vec::new() };
        self.graph.cluster_chunks(entry.id).into_iter().map(|(ids, total)| (self.named(ids), total)).collect()
    }
    /// Fee and adjusted weight of the chunk that a transaction is mined with.
    pub fn chunk(&self, txid: &Txid) -> FeeSize {
        self.entry(txid).and_then(|e| self.graph.chunk(e.id)).unwrap_or_default()
    }

    fn relatives(&self, list: &[&Entry]) -> RelativeStats {
        RelativeStats {
            count: list.len(),
            vsize: list.iter().map(|e| e.vsize).sum(),
            fees: list.iter().map(|e| e.modified_fee()).sum(),
        }
    }
    /// Figures of a transaction's ancestors.
    pub fn ancestor_stats(&self, txid: &Txid) -> RelativeStats {
        self.relatives(&self.ancestors(txid))
    }
    /// Figures of a transaction's descendants.
    pub fn descendant_stats(&self, txid: &Txid) -> RelativeStats {
        self.relatives(&self.descendants(txid))
    }

    /// All entries in the order in which they would be mined.
    pub fn in_mining_order(&self) -> Vec<&Entry> {
        let mut builder = BlockBuilder::new(&self.graph);
        let mut out = Vec::with_capacity(self.len());
        while let Some((ids, _)) = builder.current() {
            out.extend(self.named(ids));
            builder.include();
        }
        out
    }

    /// Compares two transactions by mining order, the earlier one being less; unknown ones come first. Reference:
    /// `CompareMiningScoreWithTopology`.
    pub fn compare_mining_order(&self, a: &Wtxid, b: &Wtxid) -> std::cmp::Ordering {
        match (self.entry_by_wtxid(a), self.entry_by_wtxid(b)) {
            (Some(a), Some(b)) => self.graph.compare_mining_order(a.id, b.id),
            (a, b) => a.is_some().cmp(&b.is_some()),
        }
    }

    /// Whether a transaction would exceed the limits of its cluster. Reference: `CheckPolicyLimits`.
    pub fn check_policy_limits(&self, tx: &Transaction) -> bool {
        let parents = self.parents(tx).iter().map(|e| Parent::Existing(e.id)).collect();
        let new = NewTx { fee_size: FeeSize::new(0, tx.weight() as i64), parents };
        self.graph.evaluate(&[], &[new]).is_ok()
    }

    /// Chunks from the best rate down, for building a block. `take` answers whether a chunk is used; a chunk that is
    /// not takes the rest of its cluster with it. Ends when `take` answers `None`.
    pub fn for_each_chunk(&self, mut take: impl FnMut(&[&Entry], FeeSize) -> Option<bool>) {
        let mut builder = BlockBuilder::new(&self.graph);
        while let Some((ids, total)) = builder.current() {
            match take(&self.named(ids), total) {
                Some(true) => builder.include(),
                Some(false) => builder.skip(),
                None => return,
            }
        }
    }

    /// The fee-rate diagram of the whole pool: running sums of fee and adjusted weight.
    pub fn feerate_diagram(&self) -> Vec<FeeSize> {
        grs_txgraph::diagram_points(self.graph.all_chunks())
    }

    // --- Changing ---

    /// Puts a checked transaction in. Its parents are found by what it spends; children, which only transactions
    /// from disconnected blocks can have, are found by [`Pool::link_children`].
    /// False when its cluster would exceed the limits.
    pub(crate) fn insert(&mut self, mut entry: Entry) -> bool {
        let parents: Vec<TxId> = self.parents(&entry.tx).iter().map(|e| e.id).collect();
        let txid = entry.tx.txid();
        entry.fee_delta = self.delta(&txid);
        let Ok(id) = self.graph.add(entry.fee_size(), txid.to_bytes(), &parents) else { return false };
        entry.id = id;
        for input in &entry.tx.inputs {
            self.spends.insert(input.prevout, txid);
        }
        self.by_wtxid.insert(entry.tx.wtxid(), txid);
        self.by_id.insert(id, txid);
        self.by_time.insert((entry.time, txid));
        self.total_vsize += entry.vsize as u64;
        self.total_fee += entry.fee;
        self.inner_usage += entry.memory_usage();
        self.updates += 1;
        self.entries.insert(txid, entry);
        self.publish_usage();
        true
    }

    /// Makes children that are here depend on transactions that came back from blocks. What makes clusters too
    /// large goes and is returned.
    pub(crate) fn link_children(&mut self, txids: &[Txid]) -> Vec<Entry> {
        let mut links = Vec::new();
        for entry in txids.iter().filter_map(|t| self.entry(t)) {
            links.extend(self.children(&entry.tx).iter().map(|child| (entry.id, child.id)));
        }
        let trimmed = self.graph.link(&links);
        let trimmed: Vec<Txid> = trimmed.iter().filter_map(|id| self.by_id.get(id).copied()).collect();
        self.take(&trimmed)
    }

    /// Takes transactions out (whole descendant sets, or those that a block confirmed).
    pub(crate) fn take(&mut self, txids: &[Txid]) -> Vec<Entry> {
        let removed: Vec<Entry> = txids.iter().filter_map(|t| self.entries.remove(t)).collect();
        let ids: Vec<TxId> = removed.iter().map(|e| e.id).collect();
        self.graph.remove(&ids);
        for entry in &removed {
            let txid = entry.tx.txid();
            for input in &entry.tx.inputs {
                self.spends.remove(&input.prevout);
            }
            self.by_wtxid.remove(&entry.tx.wtxid());
            self.by_id.remove(&entry.id);
            self.by_time.remove(&(entry.time, txid));
            self.total_vsize = self.total_vsize.saturating_sub(entry.vsize as u64);
            self.total_fee -= entry.fee;
            self.inner_usage = self.inner_usage.saturating_sub(entry.memory_usage());
            self.remove_unbroadcast(&txid, true);
            self.updates += 1;
        }
        self.publish_usage();
        removed
    }

    /// Adds to the fee of a transaction for the purpose of mining; deltas add up.
    pub fn prioritise(&mut self, txid: Txid, delta: i64) {
        let sum = self.delta(&txid).saturating_add(delta);
        let known = match self.entries.get_mut(&txid) {
            Some(entry) => {
                entry.fee_delta = entry.fee_delta.saturating_add(delta);
                self.graph.set_fee(entry.id, entry.modified_fee().0);
                self.updates += 1;
                ""
            }
            None => "not ",
        };
        if sum == 0 {
            self.deltas.remove(&txid);
            info!("PrioritiseTransaction: {txid} ({known}in mempool) delta cleared");
        } else {
            self.deltas.insert(txid, sum);
            info!(
                "PrioritiseTransaction: {txid} ({known}in mempool) fee += {}, new delta={}",
                grs_consensus::format_money(Amount(delta)),
                grs_consensus::format_money(Amount(sum))
            );
        }
        self.publish_usage();
    }

    pub(crate) fn clear_prioritisation(&mut self, txid: &Txid) {
        self.deltas.remove(txid);
        self.publish_usage();
    }

    /// Notes that no peer has asked for the transaction yet.
    pub fn add_unbroadcast(&mut self, txid: Txid) {
        if self.contains(&txid) {
            self.unbroadcast.insert(txid);
        }
    }

    /// A peer asked for the transaction. `unchecked` keeps the log quiet.
    pub fn remove_unbroadcast(&mut self, txid: &Txid, unchecked: bool) {
        if self.unbroadcast.remove(txid) {
            let note = if unchecked { " before confirmation that txn was sent out" } else { "" };
            debug!(Category::Mempool, "Removed {txid} from set of unbroadcast txns{note}");
        }
    }

    // --- Limits ---

    /// Whether the limits of clusters leave room for a transaction with its parents here. For wallets that build one.
    ///
    /// # Errors
    /// The count and size that its cluster would have.
    pub fn check_limits(&self, tx: &Transaction) -> Result<(), grs_txgraph::LimitExceeded> {
        let parents = self.parents(tx).iter().map(|e| grs_txgraph::Parent::Existing(e.id)).collect();
        let new = grs_txgraph::NewTx { fee_size: FeeSize::new(0, tx.weight() as i64), parents };
        self.graph.evaluate(&[], std::slice::from_ref(&new)).map(|_| ())
    }

    /// Rate below which nothing is taken at present: rises when the pool was full, falls with time.
    pub fn min_fee_rate(&mut self) -> FeeRate {
        if !self.block_since_bump || self.rolling_min_rate == 0.0 {
            return FeeRate::per_kvb(self.rolling_min_rate.round() as i64);
        }
        let now = grs_sync::clock::now_secs();
        if now > self.last_rolling_update + 10 {
            let mut halflife = ROLLING_FEE_HALFLIFE;
            if self.usage() < self.options.max_size_bytes / 4 {
                halflife /= 4.0;
            } else if self.usage() < self.options.max_size_bytes / 2 {
                halflife /= 2.0;
            }
            let elapsed = (now - self.last_rolling_update) as f64;
            self.rolling_min_rate /= (elapsed / halflife).exp2();
            self.last_rolling_update = now;
            if self.rolling_min_rate < self.options.incremental_relay_rate.fee_per_kvb().0 as f64 / 2.0 {
                self.rolling_min_rate = 0.0;
                return FeeRate::ZERO;
            }
        }
        FeeRate::per_kvb(self.rolling_min_rate.round() as i64).max(self.options.incremental_relay_rate)
    }

    fn track_removed(&mut self, rate: FeeRate) {
        let rate = rate.fee_per_kvb().0 as f64;
        if rate > self.rolling_min_rate {
            self.rolling_min_rate = rate;
            self.block_since_bump = false;
        }
    }

    pub(crate) fn block_seen(&mut self) {
        self.last_rolling_update = grs_sync::clock::now_secs();
        self.block_since_bump = true;
    }

    /// Transactions older than `time`, with their descendants.
    pub(crate) fn expired(&self, time: i64) -> Vec<Txid> {
        let old = self.by_time.range(..(time, Txid::ZERO)).map(|(_, t)| *t);
        let all: BTreeSet<Txid> =
            old.flat_map(|t| self.descendants(&t).iter().map(|e| e.tx.txid()).collect::<Vec<_>>()).collect();
        all.into_iter().collect()
    }

    /// Removes the worst chunks until the pool fits; the entries, and outputs that nothing here spends any more.
    pub(crate) fn trim(&mut self) -> Vec<Entry> {
        let (mut removed, mut highest) = (Vec::new(), FeeRate::ZERO);
        while self.usage() > self.options.max_size_bytes {
            let Some((ids, total)) = self.graph.worst_chunk() else { break };
            let vsize = (total.size + WITNESS_SCALE_FACTOR as i64 - 1) / WITNESS_SCALE_FACTOR as i64;
            let mut rate = FeeRate::of(Amount(total.fee), vsize);
            rate += self.options.incremental_relay_rate;
            self.track_removed(rate);
            highest = highest.max(rate);
            let txids: Vec<Txid> = ids.iter().filter_map(|id| self.by_id.get(id).copied()).collect();
            removed.extend(self.take(&txids));
        }
        if highest > FeeRate::ZERO {
            debug!(
                Category::Mempool,
                "Removed {} txn, rolling minimum fee bumped to {highest}",
                removed.len()
            );
        }
        removed
    }

    /// Collects what has to go when a transaction goes: descendants of it, or of what spends its outputs when it is
    /// not here itself.
    pub(crate) fn with_descendants(&self, tx: &Transaction) -> Vec<Txid> {
        let roots: Vec<Txid> = if self.contains(&tx.txid()) {
            vec![tx.txid()]
        } else {
            self.children(tx).iter().map(|e| e.tx.txid()).collect()
        };
        let all: BTreeSet<Txid> = roots
            .iter()
            .flat_map(|t| self.descendants(t).iter().map(|e| e.tx.txid()).collect::<Vec<_>>())
            .collect();
        all.into_iter().collect()
    }

    /// Hash of all transaction ids in order, to compare pools in tests.
    #[doc(hidden)]
    pub fn fingerprint(&self) -> Hash256 {
        let ids: BTreeSet<Txid> = self.entries.keys().copied().collect();
        let bytes: Vec<u8> = ids.iter().flat_map(|t| t.to_bytes()).collect();
        Hash256::from_bytes(grs_hashes::purpose::sha256(&bytes))
    }
}
