//! What blocks do to the mempool.

use std::collections::BTreeSet;
use std::sync::Arc;

use grs_chainstate::{Chainstate, MempoolHook, MempoolSession, MempoolUsage};
use grs_consensus::COINBASE_MATURITY;
use grs_hashes::Txid;
use grs_primitives::{Block, Transaction};
use grs_sync::lock::OrderedMutexGuard;

use crate::tip::NextBlock;
use crate::{AcceptOptions, Entry, Mempool, Pool, PoolCoins, RemovalReason};

struct Session<'a> {
    mempool: &'a Mempool,
    pool: OrderedMutexGuard<'a, Pool>,
}

impl MempoolHook for Mempool {
    fn begin(&self) -> Box<dyn MempoolSession + '_> {
        Box::new(Session { mempool: self, pool: self.lock() })
    }

    fn usage(&self) -> MempoolUsage {
        // Asked for while a session holds the lock.
        let used = self.usage.load(std::sync::atomic::Ordering::Relaxed);
        MempoolUsage { used, max: self.options().max_size_bytes }
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
                // Counted like other removals, though only the block is told.
                pool.sequence += taken.len() as u64;
                confirmed.extend(taken);
                self.mempool.remove_conflicts(pool, tx);
                pool.clear_prioritisation(&txid);
            }
        }
        self.mempool.announce_block(confirmed, height);
        pool.block_seen();
        self.mempool.disconnected.lock().remove_for_block(block);
    }

    fn block_disconnected(&mut self, block: &Arc<Block>) {
        let dropped = self.mempool.disconnected.lock().add_block(block);
        for tx in dropped {
            self.mempool.remove_recursive(&mut self.pool, &tx, RemovalReason::Reorg);
        }
    }

    fn reorg_finished(&mut self, chainstate: &mut Chainstate, add_back: bool) {
        let queued = self.mempool.disconnected.lock().take();
        let pool = &mut *self.pool;
        let options = AcceptOptions::reorg(grs_sync::clock::now_secs());
        let mut back = Vec::new();
        for tx in queued.iter().rev() {
            if add_back
                && !tx.is_coinbase()
                && self.mempool.accept_locked(pool, chainstate, tx, options).is_valid()
            {
                back.push(tx.txid());
            } else {
                self.mempool.remove_recursive(pool, tx, RemovalReason::Reorg);
            }
        }
        let trimmed = pool.link_children(&back);
        self.mempool.announce_removed(pool, trimmed, RemovalReason::SizeLimit);
        let invalid: Vec<Txid> =
            pool.entries().filter(|e| !still_valid(pool, chainstate, e)).map(|e| e.tx.txid()).collect();
        let all: BTreeSet<Txid> =
            invalid.iter().flat_map(|t| pool.descendants(t)).map(|e| e.tx.txid()).collect();
        let removed = pool.take(&all.into_iter().collect::<Vec<_>>());
        self.mempool.announce_removed(pool, removed, RemovalReason::Reorg);
        self.mempool.limit_size(pool, chainstate);
        pool.check(chainstate);
    }

    fn tip_updated(&mut self, chainstate: &mut Chainstate) {
        self.pool.updates += 1;
        // In the middle of a reorganisation the pool is not yet what it should be.
        if self.mempool.disconnected.lock().is_empty() {
            self.pool.check(chainstate);
        }
    }
}

/// Whether an entry could be in the next block on the tip: final, and no coinbase spent too early.
fn still_valid(pool: &Pool, chain: &mut Chainstate, entry: &Entry) -> bool {
    if !chain.is_final_at_tip(&entry.tx) {
        return false;
    }
    let relative = entry.tx.version >= 2 && entry.tx.inputs.iter().any(|i| i.sequence >> 31 == 0);
    if !entry.spends_coinbase && !relative {
        return true;
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
