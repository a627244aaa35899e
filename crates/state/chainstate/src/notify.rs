//! What the chainstate tells the node at once, on the thread and often under the lock it works with. For events
//! in order on a thread of their own see [`crate::ValidationInterface`].

use std::sync::Arc;

use grs_blockstore::BlockId;
use grs_primitives::Block;

use crate::Chainstate;

/// How far the node has come. Reference: `SynchronizationState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SynchronizationState {
    /// Building the index from block files.
    InitReindex,
    /// Initial block download.
    InitDownload,
    /// At the tip.
    PostInit,
}

/// Conditions the user is warned of. Reference: `kernel::Warning`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ChainWarning {
    /// Unknown rules are active.
    UnknownNewRulesActivated,
    /// A chain with much more work than ours is invalid to us.
    LargeWorkInvalidChain,
}

/// Receiver of progress, warnings and failures. Reference: `kernel::Notifications`. Must not take the chainstate
/// lock.
pub trait Notifications: Send + Sync {
    /// The tip changed. True to stop connecting blocks.
    fn block_tip(&self, _state: SynchronizationState, _tip: BlockId, _progress: f64) -> bool {
        false
    }
    /// The best header changed; `presync` for headers that are not stored yet.
    fn header_tip(&self, _state: SynchronizationState, _height: i64, _time: i64, _presync: bool) {}
    /// Progress of a long operation in percent; an empty title and 100 end it.
    fn progress(&self, _title: &str, _percent: i32) {}
    /// A warning holds.
    fn warning_set(&self, _warning: ChainWarning, _message: &str) {}
    /// A warning does not hold any more.
    fn warning_unset(&self, _warning: ChainWarning) {}
    /// Data could not be flushed.
    fn flush_error(&self, _message: &str) {}
    /// The node has to stop.
    fn fatal_error(&self, _message: &str) {}
}

/// Nobody to tell.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoNotifications;

impl Notifications for NoNotifications {}

/// The mempool's side of connecting and disconnecting blocks.
pub trait MempoolHook: Send + Sync {
    /// Locks the mempool for as long as the session lives. Called with the chainstate lock held.
    fn begin(&self) -> Box<dyn MempoolSession + '_>;
    /// Bytes used and allowed: what the mempool does not use, the coins cache may. Asked for while a session is
    /// open too, so it must not lock the mempool.
    fn usage(&self) -> MempoolUsage;
}

/// Memory of the mempool, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MempoolUsage {
    /// Used.
    pub used: usize,
    /// Allowed.
    pub max: usize,
}

/// Calls while the chain changes, in order, under the chainstate lock.
pub trait MempoolSession {
    /// A block was connected: its transactions and what conflicts with them go (reference: `removeForBlock`), and
    /// they leave the pool of disconnected transactions too.
    fn block_connected(&mut self, block: &Arc<Block>, height: u32);
    /// A block was disconnected: its transactions are kept for [`MempoolSession::reorg_finished`].
    fn block_disconnected(&mut self, block: &Arc<Block>);
    /// Blocks were disconnected, and maybe others connected since. Transactions kept go back into the mempool if
    /// `add_back`, otherwise they and their descendants are dropped (reference: `MaybeUpdateMempoolForReorg`).
    fn reorg_finished(&mut self, chainstate: &mut Chainstate, add_back: bool);
    /// The tip is another one (reference: `AddTransactionsUpdated`).
    fn tip_updated(&mut self, _chainstate: &mut Chainstate) {}
}
