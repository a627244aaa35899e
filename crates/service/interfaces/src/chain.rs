//! The node's chain, as a wallet sees it.

use std::sync::Arc;

use grs_hashes::{BlockHash, Txid};
use grs_primitives::{Amount, BlockLocator, OutPoint, Script, TxRef};
use serde_json::Value;

use crate::{
    BilingualString, BlockScan, Broadcast, CallResult, ChainNotifications, Coin, FeeEstimate, FindBlock,
    FoundBlock, FoundCommonAncestor, Handler, PackageLimits, RbfState, RpcActor, RpcCommand, ScanNeedles,
    SettingsAction, SettingsUpdate, TransactionAncestry, TxBroadcast,
};

/// Access to the chain state, the mempool, the node's settings and its user interface.
///
/// Fee rates are amounts per 1,000 virtual bytes, times are in Unix seconds. Methods marked *short* are answered on the
/// IPC thread when called from another process: an implementation of them reads a snapshot or an atomic, or takes a
/// lock that is only ever held for moments, and makes no interface call.
pub trait Chain: Send + Sync {
    /// Height of the tip; `None` without any block. *Short.*
    fn get_height(&self) -> CallResult<Option<u32>>;
    /// Hash of the active block at a height; an error if there is none. *Short.*
    fn get_block_hash(&self, height: u32) -> CallResult<BlockHash>;
    /// Whether the active block at a height is stored and not pruned. *Short.*
    fn have_block_on_disk(&self, height: u32) -> CallResult<bool>;
    /// Height of the highest active block that the locator's chain shares. *Short.*
    fn find_locator_fork(&self, locator: &BlockLocator) -> CallResult<Option<u32>>;
    /// Whether the basic block filter index is there. *Short.*
    fn has_block_filter_index(&self) -> CallResult<bool>;
    /// Whether one of the scripts is in the block's basic filter; `None` if there is no filter for it.
    fn block_filter_matches_any(&self, block: BlockHash, scripts: &[Script]) -> CallResult<Option<bool>>;

    /// Looks a block up by hash. *Short* unless block data is wanted.
    fn find_block(&self, hash: BlockHash, want: FindBlock) -> CallResult<Option<FoundBlock>>;
    /// The first active block with at least this time (by `max_time`) and height. *Short* unless block data is wanted.
    fn find_first_block_with_time_and_height(
        &self,
        min_time: i64,
        min_height: u32,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>>;
    /// The ancestor of a block at a height. *Short* unless block data is wanted.
    fn find_ancestor_by_height(
        &self,
        block: BlockHash,
        height: u32,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>>;
    /// `ancestor`, if it is one of `block`. *Short* unless block data is wanted.
    fn find_ancestor_by_hash(
        &self,
        block: BlockHash,
        ancestor: BlockHash,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>>;
    /// The most recent common ancestor of two blocks. *Short* unless block data is wanted.
    fn find_common_ancestor(
        &self,
        block1: BlockHash,
        block2: BlockHash,
        want: FindBlock,
    ) -> CallResult<FoundCommonAncestor>;
    /// Looks outputs up in mempool and chain; one answer per outpoint, in order, `None` if spent or unknown.
    fn find_coins(&self, outpoints: &[OutPoint]) -> CallResult<Vec<Option<Coin>>>;
    /// Estimated share of all transactions up to a block, 0 to 1. *Short.*
    fn guess_verification_progress(&self, block: BlockHash) -> CallResult<f64>;
    /// Whether all ancestors of a block in the range of heights (inclusive; to the block itself without
    /// `max_height`) are stored. *Short.*
    fn has_blocks(&self, block: BlockHash, min_height: u32, max_height: Option<u32>) -> CallResult<bool>;
    /// Starts a search through the active chain, up to `stop_height` or the tip.
    fn scan_blocks(&self, needles: ScanNeedles, stop_height: Option<u32>) -> CallResult<Arc<dyn BlockScan>>;

    /// Whether a transaction may be replaced.
    fn is_rbf_opt_in(&self, tx: TxRef) -> CallResult<RbfState>;
    /// Whether a transaction is in the mempool.
    fn is_in_mempool(&self, txid: Txid) -> CallResult<bool>;
    /// Whether a transaction of the mempool has descendants there.
    fn has_descendants_in_mempool(&self, txid: Txid) -> CallResult<bool>;
    /// Takes a transaction into the mempool and announces it, unless its fee is above `max_fee`.
    fn broadcast_transaction(&self, tx: TxRef, max_fee: Amount, method: TxBroadcast)
    -> CallResult<Broadcast>;
    /// Relatives of each transaction in the mempool, in order; zeros for one that is not there.
    fn get_transaction_ancestry(&self, txids: &[Txid]) -> CallResult<Vec<TransactionAncestry>>;
    /// What it takes to bump the unconfirmed ancestors of each outpoint to a fee rate; in order, 0 if nothing.
    fn calculate_individual_bump_fees(
        &self,
        outpoints: &[OutPoint],
        feerate: Amount,
    ) -> CallResult<Vec<Amount>>;
    /// The same for all of them together; `None` if it cannot be found out.
    fn calculate_combined_bump_fee(
        &self,
        outpoints: &[OutPoint],
        feerate: Amount,
    ) -> CallResult<Option<Amount>>;
    /// Limits on chains of unconfirmed transactions. *Short.*
    fn get_package_limits(&self) -> CallResult<PackageLimits>;
    /// Whether the mempool's limits allow the transaction; the inner error says why not.
    fn check_chain_limits(&self, tx: TxRef) -> CallResult<Result<(), BilingualString>>;

    /// Fee estimate for confirmation within `num_blocks`.
    fn estimate_smart_fee(&self, num_blocks: u32, conservative: bool) -> CallResult<FeeEstimate>;
    /// Largest target that can be estimated for. *Short.*
    fn estimate_max_blocks(&self) -> CallResult<u32>;
    /// Fee rate below which the mempool takes nothing at present.
    fn mempool_min_fee(&self) -> CallResult<Amount>;
    /// `-minrelaytxfee`. *Short.*
    fn relay_min_fee(&self) -> CallResult<Amount>;
    /// `-incrementalrelayfee`. *Short.*
    fn relay_incremental_fee(&self) -> CallResult<Amount>;
    /// `-dustrelayfee`. *Short.*
    fn relay_dust_fee(&self) -> CallResult<Amount>;

    /// Whether any block has been pruned. *Short.*
    fn have_pruned(&self) -> CallResult<bool>;
    /// Height of the last pruned block. *Short.*
    fn get_prune_height(&self) -> CallResult<Option<u32>>;
    /// Whether the node can broadcast: connected and not importing or in initial download. *Short.*
    fn is_ready_to_broadcast(&self) -> CallResult<bool>;
    /// Whether the node is in initial block download. *Short.*
    fn is_initial_block_download(&self) -> CallResult<bool>;
    /// Whether shutdown has been requested. *Short.*
    fn shutdown_requested(&self) -> CallResult<bool>;
    /// Whether a snapshot that was assumed valid is in use. *Short.*
    fn has_assumed_valid_chain(&self) -> CallResult<bool>;

    /// Progress text while starting.
    fn init_message(&self, message: &str) -> CallResult<()>;
    /// A warning to show and log.
    fn init_warning(&self, message: &BilingualString) -> CallResult<()>;
    /// An error to show and log.
    fn init_error(&self, message: &BilingualString) -> CallResult<()>;
    /// Progress of a long operation in per cent; 100 ends it.
    fn show_progress(&self, title: &str, progress: i32, resume_possible: bool) -> CallResult<()>;

    /// Subscribes to notifications, until the handler is disconnected or dropped.
    fn handle_notifications(
        &self,
        notifications: Arc<dyn ChainNotifications>,
    ) -> CallResult<Arc<dyn Handler>>;
    /// Returns when all notifications up to now have been processed, at once if `old_tip` is still the tip.
    fn wait_for_notifications_if_tip_changed(&self, old_tip: BlockHash) -> CallResult<()>;
    /// Returns when all notifications up to now have been processed.
    fn wait_for_notifications(&self) -> CallResult<()>;
    /// Sends `transaction_added_to_mempool` for all transactions now in the mempool, and returns after the last.
    fn request_mempool_transactions(&self, notifications: Arc<dyn ChainNotifications>) -> CallResult<()>;

    /// Registers an RPC command, until the handler is disconnected or dropped.
    fn handle_rpc(&self, command: RpcCommand, actor: Arc<dyn RpcActor>) -> CallResult<Arc<dyn Handler>>;
    /// Registers many commands at once.
    fn handle_rpcs(
        &self,
        commands: Vec<RpcCommand>,
        actor: Arc<dyn RpcActor>,
    ) -> CallResult<Arc<dyn Handler>> {
        let mut handlers = Vec::with_capacity(commands.len());
        for command in commands {
            handlers.push(self.handle_rpc(command, actor.clone())?);
        }
        Ok(crate::HandlerFn::new(move || {
            for handler in handlers {
                let _ = handler.disconnect();
            }
        }))
    }
    /// Whether `-deprecatedrpc` has the name. *Short.*
    fn rpc_enable_deprecated(&self, method: &str) -> CallResult<bool>;

    /// Value of a setting; null if it is not set. *Short.*
    fn get_setting(&self, name: &str) -> CallResult<Value>;
    /// All values of a repeatable setting. *Short.*
    fn get_settings_list(&self, name: &str) -> CallResult<Vec<Value>>;
    /// Value in `settings.json`; null if it is not there. *Short.*
    fn get_rw_setting(&self, name: &str) -> CallResult<Value>;
    /// Changes a value in `settings.json` atomically; false if the file cannot be written.
    fn update_rw_setting(&self, name: &str, update: Arc<dyn SettingsUpdate>) -> CallResult<bool>;
    /// Sets a value in `settings.json`, null erases it; false if the file cannot be written.
    fn overwrite_rw_setting(&self, name: &str, value: Value, action: SettingsAction) -> CallResult<bool>;
    /// Erases a value in `settings.json`; false if the file cannot be written.
    fn delete_rw_settings(&self, name: &str, action: SettingsAction) -> CallResult<bool>;
}
