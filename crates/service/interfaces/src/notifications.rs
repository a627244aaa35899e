//! What the chain tells its subscribers.

use std::sync::Arc;

use grs_hashes::BlockHash;
use grs_primitives::{Block, BlockLocator, TxRef};

use crate::CallResult;

/// Why a transaction left the mempool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MempoolRemovalReason {
    /// Too old.
    Expiry,
    /// The mempool was full.
    SizeLimit,
    /// No longer valid after a reorganization.
    Reorg,
    /// Mined.
    Block,
    /// In conflict with a mined transaction.
    Conflict,
    /// Replaced by one with a higher fee.
    Replaced,
}

/// Which chain state an event belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChainstateRole {
    /// All blocks up to here have been validated (not built on an unvalidated snapshot).
    pub validated: bool,
    /// Blocks below a snapshot that are connected in the background.
    pub historical: bool,
}

impl ChainstateRole {
    /// The role of the only chain state, without a snapshot.
    pub const NORMAL: ChainstateRole = ChainstateRole { validated: true, historical: false };
}

/// A block that is connected or disconnected.
#[derive(Debug, Clone)]
pub struct BlockInfo {
    /// Block hash.
    pub hash: BlockHash,
    /// Hash of the block before; `None` for genesis.
    pub prev_hash: Option<BlockHash>,
    /// Height.
    pub height: u32,
    /// Latest header time of the chain up to this block, Unix seconds.
    pub chain_time_max: i64,
    /// The block; with `block_connected` always, with `block_disconnected` if the subscriber asked for it.
    pub data: Option<Arc<Block>>,
    /// Undo data as stored in `rev*.dat`, if the subscriber asked for it.
    pub undo_data: Option<Vec<u8>>,
}

/// What a subscriber needs besides the usual.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct NotifyOptions {
    /// Undo data with `block_connected`.
    pub connect_undo_data: bool,
    /// The block with `block_disconnected`.
    pub disconnect_data: bool,
    /// Undo data with `block_disconnected`.
    pub disconnect_undo_data: bool,
}

/// A subscriber of the chain. The calls come one after the other and in order, from the node's validation queue. An
/// error ends the subscription.
///
/// A proxy may collect events and send them in batches; [`ChainNotifications::flush`] is the barrier.
pub trait ChainNotifications: Send + Sync {
    /// What the subscriber needs besides the usual; asked once, when it subscribes.
    fn options(&self) -> NotifyOptions {
        NotifyOptions { disconnect_data: true, ..NotifyOptions::default() }
    }
    /// A transaction has entered the mempool.
    fn transaction_added_to_mempool(&self, tx: TxRef) -> CallResult<()> {
        let _ = tx;
        Ok(())
    }
    /// A transaction has left the mempool.
    fn transaction_removed_from_mempool(&self, tx: TxRef, reason: MempoolRemovalReason) -> CallResult<()> {
        let _ = (tx, reason);
        Ok(())
    }
    /// A block has become part of the chain.
    fn block_connected(&self, role: ChainstateRole, block: &BlockInfo) -> CallResult<()> {
        let _ = (role, block);
        Ok(())
    }
    /// A block has been taken off the chain.
    fn block_disconnected(&self, block: &BlockInfo) -> CallResult<()> {
        let _ = block;
        Ok(())
    }
    /// The tip has changed; comes after the connects and disconnects that led there.
    fn updated_block_tip(&self) -> CallResult<()> {
        Ok(())
    }
    /// The chain state up to `locator` is on disk.
    fn chain_state_flushed(&self, role: ChainstateRole, locator: &BlockLocator) -> CallResult<()> {
        let _ = (role, locator);
        Ok(())
    }
    /// The node's clock has been set to Unix seconds, or back to real time (0); on test chains only.
    fn mock_time_changed(&self, time: i64) -> CallResult<()> {
        let _ = time;
        Ok(())
    }
    /// Returns when every earlier event has been processed.
    fn flush(&self) -> CallResult<()> {
        Ok(())
    }
}
