//! What the chain tells the machine.

use std::sync::{Arc, Weak};
use std::time::Duration;

use grs_blockstore::BlockId;
use grs_chainstate::{BlockInfo, ValidationInterface};
use grs_consensus::BlockValidationError;
use grs_hashes::Hash256;
use grs_log::{Category, debug};
use grs_primitives::Block;

use crate::PeerManager;
use crate::headers::punish_for_block;
use crate::options::{BLOCK_STALLING_TIMEOUT, MAX_BLOCKS_TO_ANNOUNCE};
use crate::state::State;

/// Stands for a machine among the chain's subscribers without keeping it alive.
pub(crate) struct Subscriber(pub(crate) Weak<PeerManager>);

impl ValidationInterface for Subscriber {
    fn block_connected(&self, block: &Arc<Block>, _info: BlockInfo) {
        let Some(manager) = self.0.upgrade() else { return };
        let initial = manager.chain.is_initial_block_download();
        let now = manager.now_secs();
        let mut state = manager.state.lock();
        state.shared.last_tip_update = now;
        let timeout = state.shared.downloads.stalling_timeout;
        if timeout != BLOCK_STALLING_TIMEOUT {
            let shorter = Duration::from_secs(timeout.mul_f64(0.85).as_secs()).max(BLOCK_STALLING_TIMEOUT);
            state.shared.downloads.stalling_timeout = shorter;
            debug!(Category::Net, "Decreased stalling timeout to {} seconds", shorter.as_secs());
        }
        if !initial {
            state.shared.tx.block_connected(block);
        }
    }

    fn block_disconnected(&self, _block: &Arc<Block>, _info: BlockInfo) {
        if let Some(manager) = self.0.upgrade() {
            manager.state.lock().shared.tx.block_disconnected();
        }
    }

    fn updated_block_tip(&self, new: BlockInfo, fork: Option<BlockId>, initial_download: bool) {
        let Some(manager) = self.0.upgrade() else { return };
        let index = manager.index();
        manager.set_best_block(new.height as i32, i64::from(index.time(new.id)));
        if initial_download {
            return;
        }
        let mut blocks = Vec::new();
        let mut walk = Some(new.id);
        while let Some(block) = walk.filter(|b| Some(*b) != fork && blocks.len() < MAX_BLOCKS_TO_ANNOUNCE) {
            blocks.push(block);
            walk = index.prev(block);
        }
        let mut state = manager.state.lock();
        for peer in state.peers.values_mut() {
            peer.blocks_for_headers.extend(blocks.iter().rev());
        }
        drop(state);
        manager.wake();
    }

    fn active_tip_change(&self, _new: BlockInfo, initial_download: bool) {
        if let Some(manager) = self.0.upgrade().filter(|_| !initial_download) {
            manager.state.lock().shared.tx.tip_changed();
        }
    }

    fn block_checked(&self, block: &Arc<Block>, result: Result<(), &BlockValidationError>) {
        let Some(manager) = self.0.upgrade() else { return };
        let mut guard = manager.state.lock();
        let State { peers, shared } = &mut *guard;
        let source = shared.block_sources.remove(&block.hash());
        if let (Err(error), Some((id, punish))) = (result, source)
            && let Some(peer) = peers.get_mut(&id)
        {
            punish_for_block(peer, error, !punish, "");
        }
    }

    fn new_pow_valid_block(&self, _info: BlockInfo, block: &Arc<Block>) {
        let Some(manager) = self.0.upgrade() else { return };
        let txs = block
            .txs
            .iter()
            .flat_map(|tx| {
                [tx.txid().to_bytes(), tx.wtxid().to_bytes()].map(|id| (Hash256::from_bytes(id), tx.clone()))
            })
            .collect();
        let mut state = manager.state.lock();
        state.shared.recent_block = Some(block.clone());
        state.shared.recent_txs = txs;
    }
}
