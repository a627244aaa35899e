//! What blocks do to the mempool.

use std::sync::Arc;

use grs_chainstate::{Chainstate, MempoolHook, MempoolSession, MempoolUsage};
use grs_consensus::COINBASE_MATURITY;
use grs_hashes::Txid;
use grs_log::{Category, debug};
use grs_primitives::{Block, Transaction, TxRef};
use grs_sync::lock::OrderedMutexGuard;

use crate::tip::NextBlock;
use crate::{AcceptOptions, Entry, Mempool, Pool, PoolCoins, RemovalReason};

/// Bytes of disconnected transactions that are kept for coming back; beyond that the newest of the chain are let go.
const MAX_DISCONNECTED_BYTES: usize = 20_000_000;

struct Session<'a> {
    mempool: &'a Mempool,
    pool: OrderedMutexGuard<'a, Pool>,
}

impl MempoolHook for Mempool {
    fn begin(&self) -> Box<dyn MempoolSession + '_> {
        Box::new(Session { mempool: self, pool: self.lock() })
    }

    fn usage(&self) -> MempoolUsage {
        MempoolUsage { used: self.lock().stats().usage, max: self.options().max_size_bytes }
    }
}

impl MempoolSession for Session<'_> {
    fn block_connected(&mut self, block: &Arc<Block>, height: u32) {
        let pool = &mut *self.pool;
        let mut confirmed = Vec::new();
        if !pool.is_empty() || !pool.deltas().is_empty() {
            for tx in &block.txs {
                let txid = tx.txid();
                let taken = pool.take(&[txid]);
                taken.iter().for_each(|e| Pool::log_removal(e, RemovalReason::Block));
                confirmed.extend(taken);
                self.mempool.remove_conflicts(pool, tx);
                pool.clear_prioritisation(&txid);
            }
        }
        self.mempool.announce_block(confirmed, height);
        pool.block_seen();
        let mut disconnected = self.mempool.disconnected.lock();
        if !disconnected.is_empty() {
            let ids: std::collections::HashSet<Txid> = block.txs.iter().map(|t| t.txid()).collect();
            disconnected.retain(|t| !ids.contains(&t.txid()));
        }
    }

    fn block_disconnected(&mut self, block: &Arc<Block>) {
        let mut disconnected = self.mempool.disconnected.lock();
        // Last confirmed first, so that the list as a whole runs from the old tip downwards.
        disconnected.extend(block.txs.iter().rev().cloned());
        let mut bytes: usize = disconnected.iter().map(|t| t.total_size()).sum();
        if bytes > MAX_DISCONNECTED_BYTES {
            let mut drop_count = 0;
            for tx in disconnected.iter() {
                if bytes <= MAX_DISCONNECTED_BYTES {
                    break;
                }
                bytes -= tx.total_size();
                drop_count += 1;
            }
            let dropped: Vec<TxRef> = disconnected.drain(..drop_count).collect();
            let pool = &mut *self.pool;
            for tx in dropped {
                self.mempool.remove_recursive(pool, &tx, RemovalReason::Reorg);
            }
        }
    }

    fn reorg_finished(&mut self, chainstate: &mut Chainstate, add_back: bool) {
        let queued = std::mem::take(&mut *self.mempool.disconnected.lock());
        let pool = &mut *self.pool;
        let options = AcceptOptions::reorg(grs_sync::clock::now_secs());
        for tx in queued.iter().rev() {
            let back = add_back
                && !tx.is_coinbase()
                && self.mempool.accept_locked(pool, chainstate, tx, options).is_valid();
            if !back {
                self.mempool.remove_recursive(pool, tx, RemovalReason::Reorg);
            }
        }
        let invalid: Vec<TxRef> =
            pool.entries().filter(|e| !still_valid(pool, chainstate, e)).map(|e| e.tx.clone()).collect();
        for tx in invalid {
            self.mempool.remove_recursive(pool, &tx, RemovalReason::Reorg);
        }
        self.mempool.limit_size(pool, chainstate);
    }

    fn tip_updated(&mut self, _chainstate: &mut Chainstate) {
        self.pool.updates += 1;
        if self.pool.options().check_ratio != 0 {
            let stats = self.pool.stats();
            debug!(Category::Mempool, "Checking mempool with {} transactions", stats.count);
            if let Err(why) = self.pool.check_consistency() {
                grs_log::error!("Mempool consistency check failed: {why}");
                debug_assert!(false, "mempool consistency: {why}");
            }
        }
    }
}

/// Whether an entry could be in the next block on the tip: final, and no coinbase spent too early.
fn still_valid(pool: &Pool, chain: &mut Chainstate, entry: &Entry) -> bool {
    if !chain.is_final_at_tip(&entry.tx) {
        return false;
    }
    let coins = PoolCoins::new(pool);
    let mut heights = Vec::with_capacity(entry.tx.inputs.len());
    let spend_height = chain.height() + 1;
    for input in &entry.tx.inputs {
        let Ok(Some(coin)) = coins.get(chain.coins(), &input.prevout) else { return false };
        if coin.coinbase && spend_height - (coin.height as i32) < COINBASE_MATURITY {
            return false;
        }
        heights.push(coin.height);
    }
    chain.sequence_locks_at_tip(&entry.tx, &heights)
}

impl Mempool {
    /// Removes a transaction with its descendants, or only descendants when it is not here itself.
    pub(crate) fn remove_recursive(&self, pool: &mut Pool, tx: &Transaction, reason: RemovalReason) {
        let txids = pool.with_descendants(tx);
        let removed = pool.take(&txids);
        self.announce_removed(pool, removed, reason);
    }

    /// Removes what spends the same outputs as a confirmed transaction.
    fn remove_conflicts(&self, pool: &mut Pool, tx: &Transaction) {
        for input in &tx.inputs {
            let Some(other) = pool.spender(&input.prevout).cloned() else { continue };
            pool.clear_prioritisation(&other.txid());
            self.remove_recursive(pool, &other, RemovalReason::Conflict);
        }
    }
}
