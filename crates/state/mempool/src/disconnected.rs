//! Transactions of disconnected blocks that wait for coming back. Reference: `src/kernel/disconnected_transactions.cpp`.

use std::collections::{HashMap, VecDeque};

use grs_hashes::Txid;
use grs_primitives::{Block, TxRef};

use crate::entry::tx_memory_usage;

/// Bytes of memory that are kept; beyond that the last of the old chain are let go.
const MAX_BYTES: usize = 20_000_000;
/// Bytes for the places in list and map.
const OVERHEAD: usize = 112;

/// From the old tip downwards: the last confirmed comes first.
#[derive(Debug)]
pub(crate) struct DisconnectedTxs {
    /// `None` where a transaction was confirmed again.
    queue: VecDeque<Option<TxRef>>,
    /// Place of each in the queue, plus those dropped from its front.
    places: HashMap<Txid, u64>,
    dropped: u64,
    bytes: usize,
    max_bytes: usize,
}

impl Default for DisconnectedTxs {
    fn default() -> Self {
        DisconnectedTxs {
            queue: VecDeque::new(),
            places: HashMap::new(),
            dropped: 0,
            bytes: 0,
            max_bytes: MAX_BYTES,
        }
    }
}

impl DisconnectedTxs {
    pub(crate) fn is_empty(&self) -> bool {
        self.places.is_empty()
    }

    /// Adds what a disconnected block held; returns what there is no room for.
    pub(crate) fn add_block(&mut self, block: &Block) -> Vec<TxRef> {
        for tx in block.txs.iter().rev() {
            self.bytes += tx_memory_usage(tx) + OVERHEAD;
            self.places.insert(tx.txid(), self.dropped + self.queue.len() as u64);
            self.queue.push_back(Some(tx.clone()));
        }
        let mut out = Vec::new();
        while self.bytes > self.max_bytes
            && let Some(first) = self.queue.pop_front()
        {
            self.dropped += 1;
            if let Some(tx) = first {
                self.forget(&tx);
                out.push(tx);
            }
        }
        out
    }

    fn forget(&mut self, tx: &TxRef) {
        self.bytes = self.bytes.saturating_sub(tx_memory_usage(tx) + OVERHEAD);
        self.places.remove(&tx.txid());
    }

    /// Forgets what a block confirmed again.
    pub(crate) fn remove_for_block(&mut self, block: &Block) {
        if self.is_empty() {
            return;
        }
        for tx in &block.txs {
            let Some(place) = self.places.get(&tx.txid()) else { continue };
            let index = (place - self.dropped) as usize;
            if let Some(tx) = self.queue.get_mut(index).and_then(Option::take) {
                self.forget(&tx);
            }
        }
    }

    /// Takes everything, in its order.
    pub(crate) fn take(&mut self) -> Vec<TxRef> {
        let all = std::mem::take(self);
        all.queue.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use grs_primitives::{
        Amount, HashedHeader, Header, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut,
    };

    fn block(first: u32, count: u32) -> Block {
        let tx = |n: u32| {
            Arc::new(Transaction::from(MutableTransaction {
                version: 2,
                inputs: vec![TxIn::new(OutPoint::new(Txid::from_bytes([7; 32]), n), 0)],
                outputs: vec![TxOut::new(Amount(1), Script::from(vec![0x51]))],
                lock_time: 0,
            }))
        };
        Block::new(HashedHeader::new(Header::default()), (first..first + count).map(tx).collect())
    }

    #[test]
    fn keeps_order_forgets_and_drops_the_newest() {
        let (tip, below) = (block(10, 3), block(0, 4));
        let mut txs = DisconnectedTxs::default();
        assert!(txs.add_block(&tip).is_empty());
        assert!(txs.add_block(&below).is_empty());
        let names = |list: &[TxRef]| list.iter().map(|t| t.inputs[0].prevout.vout).collect::<Vec<_>>();
        txs.remove_for_block(&block(11, 1));
        txs.remove_for_block(&block(2, 1));
        let one = txs.bytes / 5;
        let order = txs.take();
        assert_eq!(names(&order), [12, 10, 3, 1, 0]);
        assert!(txs.is_empty() && txs.bytes == 0);

        txs.max_bytes = one * 5;
        assert!(txs.add_block(&tip).is_empty());
        assert_eq!(names(&txs.add_block(&below)), [12, 11]);
        txs.remove_for_block(&below);
        assert_eq!(names(&txs.take()), [10]);
    }
}
