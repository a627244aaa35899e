use std::collections::HashMap;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, PoisonError, RwLock};

use grs_chainstate::{Chainstate, FlushMode, ValidationSignals};
use grs_consensus::{TxValidationError, TxValidationResult};
use grs_hashes::{Txid, Wtxid};
use grs_log::{Category, debug};
use grs_policy::FeeRate;
use grs_primitives::{Amount, OutPoint, TxRef};
use grs_sync::lock::{LockRank, OrderedMutex, OrderedMutexGuard};

use crate::accept::{Acceptor, Applied};
use crate::disconnected::DisconnectedTxs;
use crate::tip::NextBlock;
use crate::{
    AcceptOptions, AcceptResult, Entry, MempoolOptions, PackageError, PackageErrorKind, PackageResult, Pool,
    RemovalReason, check_package, is_child_with_parents,
};

/// A transaction that entered, for subscribers.
#[derive(Clone, Debug)]
pub struct NewMempoolTx {
    /// The transaction.
    pub tx: TxRef,
    /// Its fee.
    pub fee: Amount,
    /// Its virtual size.
    pub vsize: i64,
    /// Height of the tip when it came.
    pub height: u32,
    /// Came back from a disconnected block.
    pub bypassed_limits: bool,
    /// Came with a package.
    pub in_package: bool,
    /// No parent in the mempool.
    pub no_parents: bool,
    /// The chain was recent when it came, so that it counts for estimating fees.
    pub chain_is_current: bool,
    /// Number of the event.
    pub sequence: u64,
}

/// A transaction that a block took out, for subscribers.
#[derive(Clone, Debug)]
pub struct RemovedMempoolTx {
    /// The transaction.
    pub tx: TxRef,
    /// Its fee.
    pub fee: Amount,
    /// Its virtual size.
    pub vsize: i64,
    /// Height of the tip when it came.
    pub height: u32,
}

/// A subscriber. All calls come on the event thread, in order with the chain's events.
pub trait MempoolInterface: Send + Sync {
    /// A transaction entered.
    fn transaction_added(&self, _tx: &NewMempoolTx) {}
    /// A transaction left for another reason than a block. Numbered like additions.
    fn transaction_removed(&self, _tx: &TxRef, _reason: RemovalReason, _sequence: u64) {}
    /// A block was connected; the transactions that it took out.
    fn removed_for_block(&self, _removed: &[RemovedMempoolTx], _height: u32) {}
}

/// The shared mempool.
pub struct Mempool {
    pool: OrderedMutex<Pool>,
    options: Arc<MempoolOptions>,
    signals: Arc<ValidationSignals>,
    subscribers: RwLock<Vec<Arc<dyn MempoolInterface>>>,
    pub(crate) disconnected: OrderedMutex<DisconnectedTxs>,
    /// Bytes of memory, readable without the lock.
    pub(crate) usage: Arc<AtomicUsize>,
}

impl Mempool {
    /// An empty mempool that tells its events through `signals`.
    pub fn new(options: MempoolOptions, signals: Arc<ValidationSignals>) -> Arc<Mempool> {
        let options = Arc::new(options);
        let pool = Pool::new(options.clone());
        Arc::new(Mempool {
            usage: pool.shared_usage(),
            pool: OrderedMutex::new(LockRank::Mempool, "mempool", pool),
            options,
            signals,
            subscribers: RwLock::new(Vec::new()),
            disconnected: OrderedMutex::new(
                LockRank::Leaf,
                "disconnected transactions",
                DisconnectedTxs::default(),
            ),
        })
    }

    /// Options.
    pub fn options(&self) -> &MempoolOptions {
        &self.options
    }

    /// Locks the state. Take the chainstate's lock before, if both are needed.
    pub fn lock(&self) -> OrderedMutexGuard<'_, Pool> {
        self.pool.lock()
    }

    /// Adds a subscriber.
    pub fn subscribe(&self, subscriber: Arc<dyn MempoolInterface>) {
        self.subscribers.write().unwrap_or_else(PoisonError::into_inner).push(subscriber);
    }

    /// Removes a subscriber that was added.
    pub fn unsubscribe(&self, subscriber: &Arc<dyn MempoolInterface>) {
        let mut list = self.subscribers.write().unwrap_or_else(PoisonError::into_inner);
        list.retain(|s| !Arc::ptr_eq(s, subscriber));
    }

    /// Queues a call to every subscriber there is now; `what` describes it in the log.
    fn tell(&self, what: impl FnOnce() -> String, call: impl Fn(&dyn MempoolInterface) + Send + 'static) {
        let list: Vec<_> = self.subscribers.read().unwrap_or_else(PoisonError::into_inner).clone();
        let text = grs_log::enabled(Category::Validation, grs_log::Level::Debug).then(what);
        if let Some(text) = &text {
            debug!(Category::Validation, "Enqueuing {text}");
        }
        if !list.is_empty() {
            self.signals.enqueue(move || {
                if let Some(text) = text {
                    debug!(Category::Validation, "{text}");
                }
                list.iter().for_each(|s| call(s.as_ref()));
            });
        }
    }

    /// A transaction by txid.
    pub fn get(&self, txid: &Txid) -> Option<TxRef> {
        self.lock().entry(txid).map(|e| e.tx.clone())
    }

    /// A transaction by wtxid.
    pub fn get_by_wtxid(&self, wtxid: &Wtxid) -> Option<TxRef> {
        self.lock().entry_by_wtxid(wtxid).map(|e| e.tx.clone())
    }

    /// Rate below which nothing is taken at present.
    pub fn min_fee_rate(&self) -> FeeRate {
        self.lock().min_fee_rate()
    }

    /// Takes a transaction in, if all rules allow it. The chainstate is the locked one.
    pub fn accept(&self, chain: &mut Chainstate, tx: &TxRef, options: AcceptOptions) -> AcceptResult {
        let mut pool = self.lock();
        let result = self.accept_locked(&mut pool, chain, tx, options);
        if !options.test && !options.skip_pool_check {
            pool.check(chain);
        }
        drop(pool);
        keep_cache_in_bounds(chain);
        result
    }

    pub(crate) fn accept_locked(
        &self,
        pool: &mut Pool,
        chain: &mut Chainstate,
        tx: &TxRef,
        options: AcceptOptions,
    ) -> AcceptResult {
        let mut acceptor = Acceptor::new(pool, chain, options);
        let (mut result, applied) = acceptor.single(tx);
        let uncache = std::mem::take(&mut acceptor.uncache);
        let applied = applied.unwrap_or_default();
        self.announce_replaced(pool, applied.replaced);
        if !applied.added.is_empty() {
            if !options.package_submission && !options.bypass_limits {
                self.limit_size(pool, chain);
                if !pool.contains(&tx.txid()) {
                    result = full(result, tx);
                }
            }
            if pool.contains(&tx.txid()) {
                self.announce_added(pool, chain, tx, options);
            }
        }
        if !result.is_valid() || options.test {
            // What was read only to refuse it need not fill the cache: that would be cheap to abuse.
            uncache.iter().for_each(|o| chain.coins().uncache(o));
        }
        result
    }

    fn announce_added(&self, pool: &mut Pool, chain: &Chainstate, tx: &TxRef, options: AcceptOptions) {
        let sequence = next_sequence(pool);
        let Some(entry) = pool.entry(&tx.txid()) else { return };
        let event = NewMempoolTx {
            tx: tx.clone(),
            fee: entry.fee,
            vsize: entry.vsize,
            height: entry.height,
            bypassed_limits: options.bypass_limits,
            in_package: options.package_submission,
            no_parents: pool.parents(tx).is_empty(),
            chain_is_current: chain.is_current_for_fee_estimation(),
            sequence,
        };
        let (txid, wtxid) = (tx.txid(), tx.wtxid());
        let text = move || format!("TransactionAddedToMempool: txid={txid} wtxid={wtxid}");
        self.tell(text, move |s| s.transaction_added(&event));
    }

    fn announce_replaced(&self, pool: &mut Pool, replaced: Vec<Entry>) {
        self.announce_removed(pool, replaced, RemovalReason::Replaced);
    }

    pub(crate) fn announce_removed(&self, pool: &mut Pool, removed: Vec<Entry>, reason: RemovalReason) {
        for entry in removed {
            let sequence = next_sequence(pool);
            let tx = entry.tx;
            let (txid, wtxid) = (tx.txid(), tx.wtxid());
            let text = move || {
                format!("TransactionRemovedFromMempool: txid={txid} wtxid={wtxid} reason={}", reason.name())
            };
            self.tell(text, move |s| s.transaction_removed(&tx, reason, sequence));
        }
    }

    pub(crate) fn announce_block(&self, removed: Vec<Entry>, height: u32) {
        let removed: Vec<RemovedMempoolTx> = removed
            .into_iter()
            .map(|e| RemovedMempoolTx { tx: e.tx, fee: e.fee, vsize: e.vsize, height: e.height })
            .collect();
        let count = removed.len();
        let text =
            move || format!("MempoolTransactionsRemovedForBlock: block height={height} txs removed={count}");
        self.tell(text, move |s| s.removed_for_block(&removed, height));
    }

    /// Drops what is too old, and the worst while the pool is too large.
    pub(crate) fn limit_size(&self, pool: &mut Pool, chain: &mut Chainstate) {
        let oldest = grs_sync::clock::now_secs() - self.options.expiry.as_secs() as i64;
        let expired = pool.expired(oldest);
        if !expired.is_empty() {
            let removed = pool.take(&expired);
            debug!(Category::Mempool, "Expired {} transactions from the memory pool", removed.len());
            self.announce_removed(pool, removed, RemovalReason::Expiry);
        }
        let trimmed = pool.trim();
        for input in trimmed.iter().flat_map(|e| &e.tx.inputs) {
            if !pool.contains(&input.prevout.txid) {
                chain.coins().uncache(&input.prevout);
            }
        }
        self.announce_removed(pool, trimmed, RemovalReason::SizeLimit);
    }

    /// Takes a package in: parents with their child, each alone if it can, the rest together. With
    /// `options.test`, checks any well-formed list without changing anything.
    pub fn accept_package(
        &self,
        chain: &mut Chainstate,
        txs: &[TxRef],
        options: AcceptOptions,
    ) -> PackageResult {
        let mut pool = self.lock();
        if options.test {
            let options =
                AcceptOptions { allow_replacement: false, allow_sibling_eviction: false, ..options };
            let mut acceptor = Acceptor::new(&mut pool, chain, options);
            let (result, _) = acceptor.multiple(txs);
            let uncache: Vec<OutPoint> = std::mem::take(&mut acceptor.uncache);
            uncache.iter().for_each(|o| chain.coins().uncache(o));
            return result;
        }
        let result = self.submit_package(&mut pool, chain, txs, options);
        pool.check(chain);
        drop(pool);
        keep_cache_in_bounds(chain);
        result
    }

    fn submit_package(
        &self,
        pool: &mut Pool,
        chain: &mut Chainstate,
        txs: &[TxRef],
        options: AcceptOptions,
    ) -> PackageResult {
        let quit = |error| PackageResult { error: Some(error), results: HashMap::new() };
        if let Err(error) = check_package(txs) {
            return quit(error);
        }
        if txs.len() > 1 && !is_child_with_parents(txs) {
            return quit(PackageError::policy("package-not-child-with-parents", ""));
        }
        let failed = || Some(PackageError::transaction("transaction failed"));
        let mut fin: HashMap<Wtxid, AcceptResult> = HashMap::new();
        let mut pending: HashMap<Wtxid, AcceptResult> = HashMap::new();
        let mut together: Vec<TxRef> = Vec::new();
        let mut error = None;
        for tx in txs {
            if let Some(entry) = pool.entry(&tx.txid()) {
                let other = entry.tx.wtxid();
                let result = if other == tx.wtxid() {
                    AcceptResult::AlreadyThere { vsize: entry.vsize, base_fee: entry.fee }
                } else {
                    AcceptResult::DifferentWitness { other }
                };
                fin.insert(tx.wtxid(), result);
                continue;
            }
            let single = AcceptOptions {
                package_submission: true,
                package_feerates: false,
                allow_replacement: true,
                allow_sibling_eviction: true,
                ..options
            };
            let result = self.accept_locked(pool, chain, tx, single);
            let retry = matches!(
                result.failure(),
                Some(TxValidationResult::Reconsiderable | TxValidationResult::MissingInputs)
            );
            if result.is_valid() {
                fin.insert(tx.wtxid(), result);
            } else if txs.len() == 1 || !retry {
                error = failed();
                pending.insert(tx.wtxid(), result);
            } else {
                pending.insert(tx.wtxid(), result);
                together.push(tx.clone());
            }
        }
        let mut grouped = PackageResult { error, results: HashMap::new() };
        if grouped.error.is_none() && !together.is_empty() {
            grouped = self.accept_group(pool, chain, &together, options);
        }
        self.limit_size(pool, chain);
        let mut out = PackageResult { error: grouped.error, results: HashMap::new() };
        for tx in txs {
            let wtxid = tx.wtxid();
            let taken = grouped.results.remove(&wtxid).or_else(|| fin.remove(&wtxid));
            let result = match taken {
                Some(result) if result.error().is_none() && !pool.contains(&tx.txid()) => {
                    out.error = failed();
                    let why = TxValidationError::new(TxValidationResult::MempoolPolicy, "mempool full");
                    AcceptResult::invalid(why)
                }
                Some(result) => result,
                None => match pending.remove(&wtxid) {
                    Some(result) => result,
                    None => continue,
                },
            };
            out.results.insert(wtxid, result);
        }
        out
    }

    /// The part of a package that did not enter one by one.
    fn accept_group(
        &self,
        pool: &mut Pool,
        chain: &mut Chainstate,
        txs: &[TxRef],
        options: AcceptOptions,
    ) -> PackageResult {
        if let [tx] = txs {
            let single = AcceptOptions {
                package_submission: true,
                allow_replacement: true,
                allow_sibling_eviction: true,
                ..options
            };
            let result = self.accept_locked(pool, chain, tx, single);
            let error = (!result.is_valid()).then(|| PackageError::transaction("transaction failed"));
            return PackageResult { error, results: HashMap::from([(tx.wtxid(), result)]) };
        }
        let group = AcceptOptions {
            package_submission: true,
            package_feerates: true,
            allow_replacement: true,
            allow_sibling_eviction: false,
            ..options
        };
        let mut acceptor = Acceptor::new(pool, chain, group);
        let (mut result, applied) = acceptor.multiple(txs);
        if result.error.is_some() {
            let uncache = std::mem::take(&mut acceptor.uncache);
            uncache.iter().for_each(|o| chain.coins().uncache(o));
        }
        let Applied { added, replaced } = applied.unwrap_or_default();
        self.announce_replaced(pool, replaced);
        if result.error.is_none() && added.len() != txs.len() {
            result.error = Some(PackageError {
                kind: PackageErrorKind::Mempool,
                reason: "a checked package did not fit into the mempool".into(),
                debug_message: String::new(),
            });
        }
        for tx in txs.iter().filter(|t| added.contains(&t.txid())) {
            self.announce_added(pool, chain, tx, group);
        }
        result
    }
}

/// What was read for checking may have made the cache of coins too large.
fn keep_cache_in_bounds(chain: &mut Chainstate) {
    // A failure stops the node by itself, and says nothing about the transaction.
    let _ = chain.flush_state(FlushMode::Periodic, None);
}

fn next_sequence(pool: &mut Pool) -> u64 {
    let sequence = pool.sequence;
    pool.sequence += 1;
    sequence
}

/// The result of a transaction that was put in and fell out at once because the pool is full.
fn full(result: AcceptResult, tx: &TxRef) -> AcceptResult {
    let AcceptResult::Valid { effective_feerate, .. } = result else { return result };
    AcceptResult::Invalid {
        error: TxValidationError::new(TxValidationResult::Reconsiderable, "mempool full"),
        fee: Some((effective_feerate, vec![tx.wtxid()])),
    }
}
