//! The node's side of the chain interface: what wallets may ask of the chain.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use grs_chainstate::{BlockId, BlockInfo as ChainBlock, ChainView, ChainstateManager, ValidationInterface};
use grs_encoding::Encode;
use grs_hashes::{BlockHash, Txid};
use grs_interfaces::{
    BilingualString, BlockInfo, BlockScan, Broadcast, CallError, CallResult, Chain, ChainNotifications,
    ChainstateRole, Coin, FeeEstimate, FeeReason, FindBlock, FoundBlock, FoundCommonAncestor, Handler,
    HandlerFn, MempoolRemovalReason, NotifyOptions, PackageLimits, RbfState, RpcActor, RpcCommand,
    ScanNeedles, SettingsAction, SettingsUpdate, TransactionAncestry, TxBroadcast,
};
use grs_log::warn;
use grs_mempool::fees::EstimateReason;
use grs_mempool::{Mempool, MempoolInterface, NewMempoolTx, PoolCoins, RemovalReason};
use grs_primitives::{Amount, Block, BlockLocator, OutPoint, Script, TxRef};
use serde_json::Value;

use crate::NodeContext;
use crate::context::MockTimeSubscriber;
use crate::init::{init_error, init_warning};
use crate::scan::NodeScan;

/// The interface over a node. Holds it weakly: the wallet does not keep a stopped node alive.
pub struct NodeChain {
    node: Weak<NodeContext>,
    self_ref: Weak<NodeChain>,
}

const STOPPED: &str = "The node has stopped.";

impl NodeChain {
    /// For a node; parts that are not there yet answer with an error.
    pub fn for_node(node: &Arc<NodeContext>) -> Arc<dyn Chain> {
        Arc::new_cyclic(|self_ref| NodeChain { node: Arc::downgrade(node), self_ref: self_ref.clone() })
    }

    fn node(&self) -> CallResult<Arc<NodeContext>> {
        self.node.upgrade().ok_or_else(|| CallError::disconnected(STOPPED))
    }

    fn chainman(&self) -> CallResult<Arc<ChainstateManager>> {
        let node = self.node()?;
        node.chainman.get().cloned().ok_or_else(|| CallError::remote("The chain is not loaded yet."))
    }

    fn mempool(&self) -> CallResult<Arc<Mempool>> {
        let node = self.node()?;
        node.mempool.get().cloned().ok_or_else(|| CallError::remote("The mempool is not loaded yet."))
    }

    fn found(
        &self,
        chainman: &ChainstateManager,
        view: &ChainView,
        id: BlockId,
        want: FindBlock,
    ) -> FoundBlock {
        let index = chainman.index();
        let in_active_chain = view.contains(id);
        let next = (want.next && in_active_chain).then(|| view.next(id)).flatten();
        let data = want.data.then(|| chainman.store().read_raw(id).ok()).flatten();
        FoundBlock {
            hash: index.hash(id),
            height: index.height(id),
            time: i64::from(index.time(id)),
            max_time: max_time(chainman, id),
            mtp_time: index.median_time_past(id),
            in_active_chain,
            locator: (want.locator && in_active_chain).then(|| index.locator(id)),
            next: next.map(|n| {
                let want = FindBlock { data: want.next_data, ..FindBlock::default() };
                Box::new(self.found(chainman, view, n, want))
            }),
            data: data.map(grs_interfaces::BlockBytes),
        }
    }

    fn find(
        &self,
        want: FindBlock,
        look: impl FnOnce(&ChainstateManager, &ChainView) -> Option<BlockId>,
    ) -> CallResult<Option<FoundBlock>> {
        let chainman = self.chainman()?;
        let view = chainman.view();
        Ok(look(&chainman, &view).map(|id| self.found(&chainman, &view, id, want)))
    }
}

/// Blocks that are looked at for [`max_time`]: no time is more than two hours ahead of the clock, which is 120 blocks.
const MAX_TIME_WINDOW: usize = 200;

/// Latest header time of the chain up to a block.
pub(crate) fn max_time(chainman: &ChainstateManager, id: BlockId) -> i64 {
    let index = chainman.index();
    let mut latest = index.time(id);
    let mut at = id;
    for _ in 0..MAX_TIME_WINDOW {
        let Some(prev) = index.prev(at) else { break };
        latest = latest.max(index.time(prev));
        at = prev;
    }
    i64::from(latest)
}

fn saturate(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

impl Chain for NodeChain {
    fn get_height(&self) -> CallResult<Option<u32>> {
        Ok(u32::try_from(self.chainman()?.view().height()).ok())
    }

    fn get_block_hash(&self, height: u32) -> CallResult<BlockHash> {
        let hash = self.chainman()?.view().hash_at(height);
        hash.ok_or_else(|| CallError::remote(format!("No block at height {height}")))
    }

    fn have_block_on_disk(&self, height: u32) -> CallResult<bool> {
        let chainman = self.chainman()?;
        let id = chainman.view().at(height);
        Ok(id.is_some_and(|id| chainman.index().data_pos(id).is_some() && chainman.index().tx_count(id) > 0))
    }

    fn find_locator_fork(&self, locator: &BlockLocator) -> CallResult<Option<u32>> {
        let chainman = self.chainman()?;
        Ok(chainman.view().find_locator_fork(locator).map(|id| chainman.index().height(id)))
    }

    fn has_block_filter_index(&self) -> CallResult<bool> {
        Ok(self.node()?.filter_index.get().is_some())
    }

    fn block_filter_matches_any(&self, block: BlockHash, scripts: &[Script]) -> CallResult<Option<bool>> {
        let node = self.node()?;
        let Some(index) = node.filter_index.get() else { return Ok(None) };
        let Some(id) = self.chainman()?.index().lookup(&block) else { return Ok(None) };
        let filter =
            index.filter(id).map_err(|e| CallError::remote(format!("Cannot read the filter: {e}")))?;
        Ok(filter.map(|filter| filter.matches_any(scripts.iter().map(|script| &**script))))
    }

    fn find_block(&self, hash: BlockHash, want: FindBlock) -> CallResult<Option<FoundBlock>> {
        self.find(want, |chainman, _| chainman.index().lookup(&hash))
    }

    fn find_first_block_with_time_and_height(
        &self,
        min_time: i64,
        min_height: u32,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>> {
        self.find(want, |_, view| view.find_earliest_at_least(min_time, min_height))
    }

    fn find_ancestor_by_height(
        &self,
        block: BlockHash,
        ancestor_height: u32,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>> {
        self.find(want, |chainman, _| {
            chainman.index().lookup(&block).and_then(|id| chainman.index().ancestor(id, ancestor_height))
        })
    }

    fn find_ancestor_by_hash(
        &self,
        block: BlockHash,
        ancestor: BlockHash,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>> {
        self.find(want, |chainman, _| {
            let index = chainman.index();
            let (id, ancestor) = (index.lookup(&block)?, index.lookup(&ancestor)?);
            index.is_ancestor(ancestor, id).then_some(ancestor)
        })
    }

    fn find_common_ancestor(
        &self,
        block1: BlockHash,
        block2: BlockHash,
        want: FindBlock,
    ) -> CallResult<FoundCommonAncestor> {
        let chainman = self.chainman()?;
        let view = chainman.view();
        let index = chainman.index();
        let (a, b) = (index.lookup(&block1), index.lookup(&block2));
        let common = a.zip(b).and_then(|(a, b)| index.last_common_ancestor(a, b));
        let fill = |id: Option<BlockId>| id.map(|id| self.found(&chainman, &view, id, want));
        Ok(FoundCommonAncestor { ancestor: fill(common), block1: fill(a), block2: fill(b) })
    }

    fn find_coins(&self, outpoints: &[OutPoint]) -> CallResult<Vec<Option<Coin>>> {
        let (chainman, mempool) = (self.chainman()?, self.mempool()?);
        let mut chain = chainman.lock();
        let pool = mempool.lock();
        let coins = PoolCoins::new(&pool);
        outpoints
            .iter()
            .map(|outpoint| {
                let coin = coins
                    .get(chain.coins(), outpoint)
                    .map_err(|e| CallError::remote(format!("Cannot read coins: {e}")))?;
                Ok(coin.map(|c| Coin { out: c.out, height: c.height, coinbase: c.coinbase }))
            })
            .collect()
    }

    fn guess_verification_progress(&self, block: BlockHash) -> CallResult<f64> {
        let chainman = self.chainman()?;
        Ok(chainman.guess_verification_progress(chainman.index().lookup(&block)))
    }

    fn has_blocks(&self, block: BlockHash, min_height: u32, max_height: Option<u32>) -> CallResult<bool> {
        let chainman = self.chainman()?;
        let index = chainman.index();
        let Some(block) = index.lookup(&block) else { return Ok(false) };
        let top = max_height.map_or(index.height(block), |m| m.min(index.height(block)));
        let mut at = index.ancestor(block, top);
        while let Some(id) = at {
            if index.data_pos(id).is_none() {
                return Ok(false);
            }
            if index.height(id) <= min_height {
                break;
            }
            at = index.prev(id);
        }
        Ok(at.is_some())
    }

    fn scan_blocks(&self, needles: ScanNeedles, stop_height: Option<u32>) -> CallResult<Arc<dyn BlockScan>> {
        let chainman = self.chainman()?;
        Ok(NodeScan::start(chainman, needles, stop_height))
    }

    fn is_rbf_opt_in(&self, tx: TxRef) -> CallResult<RbfState> {
        Ok(match grs_mempool::rbf_state(&self.mempool()?.lock(), &tx) {
            grs_mempool::RbfState::Unknown => RbfState::Unknown,
            grs_mempool::RbfState::Replaceable => RbfState::ReplaceableBip125,
            grs_mempool::RbfState::Final => RbfState::Final,
        })
    }

    fn is_in_mempool(&self, txid: Txid) -> CallResult<bool> {
        Ok(self.mempool()?.lock().contains(&txid))
    }

    fn has_descendants_in_mempool(&self, txid: Txid) -> CallResult<bool> {
        Ok(self.mempool()?.lock().descendant_stats(&txid).count > 1)
    }

    fn broadcast_transaction(
        &self,
        tx: TxRef,
        max_fee: Amount,
        method: TxBroadcast,
    ) -> CallResult<Broadcast> {
        let node = self.node()?;
        if method == TxBroadcast::NoMempoolPrivateBroadcast {
            return Ok(Err("Private broadcast is not available in this version yet.".into()));
        }
        let relay = method == TxBroadcast::MempoolAndBroadcastToAll;
        Ok(crate::broadcast::broadcast(&node, &tx, Some(max_fee), relay).map_err(|e| e.to_string()))
    }

    fn get_transaction_ancestry(&self, txids: &[Txid]) -> CallResult<Vec<TransactionAncestry>> {
        let mempool = self.mempool()?;
        let pool = mempool.lock();
        let ancestry = |txid| {
            let stats = pool.ancestor_stats(txid);
            TransactionAncestry {
                ancestors: stats.count as u64,
                cluster_count: pool.cluster(txid).len() as u64,
                ancestor_size: stats.vsize.max(0) as u64,
                ancestor_fees: stats.fees,
            }
        };
        Ok(txids.iter().map(ancestry).collect())
    }

    fn calculate_individual_bump_fees(
        &self,
        outpoints: &[OutPoint],
        feerate: Amount,
    ) -> CallResult<Vec<Amount>> {
        let mempool = self.mempool()?;
        let pool = mempool.lock();
        Ok(outpoints.iter().map(|o| crate::bump::bump_fee(&pool, &[*o], feerate)).collect())
    }

    fn calculate_combined_bump_fee(
        &self,
        outpoints: &[OutPoint],
        feerate: Amount,
    ) -> CallResult<Option<Amount>> {
        let mempool = self.mempool()?;
        let pool = mempool.lock();
        Ok(Some(crate::bump::bump_fee(&pool, outpoints, feerate)))
    }

    fn get_package_limits(&self) -> CallResult<PackageLimits> {
        let mempool = self.mempool()?;
        let options = mempool.options();
        Ok(PackageLimits {
            ancestors: saturate(options.ancestor_count),
            descendants: saturate(options.descendant_count),
        })
    }

    fn check_chain_limits(&self, tx: TxRef) -> CallResult<Result<(), BilingualString>> {
        Ok(self
            .mempool()?
            .lock()
            .check_limits(&tx)
            .map_err(|_| BilingualString::untranslated("too many unconfirmed transactions in cluster")))
    }

    fn estimate_smart_fee(&self, num_blocks: u32, conservative: bool) -> CallResult<FeeEstimate> {
        let node = self.node()?;
        let Some(fees) = node.fees.get() else {
            return Ok(FeeEstimate { desired_target: num_blocks, ..FeeEstimate::default() });
        };
        let target = i32::try_from(num_blocks).unwrap_or(i32::MAX);
        let estimate = fees.estimate_smart_fee(target, conservative);
        let blocks = |n: i32| u32::try_from(n).unwrap_or(0);
        Ok(FeeEstimate {
            feerate: estimate.rate.fee_per_kvb(),
            reason: match estimate.reason {
                EstimateReason::None => FeeReason::None,
                EstimateReason::HalfEstimate => FeeReason::HalfEstimate,
                EstimateReason::FullEstimate => FeeReason::FullEstimate,
                EstimateReason::DoubleEstimate => FeeReason::DoubleEstimate,
                EstimateReason::Conservative => FeeReason::Conservative,
            },
            desired_target: blocks(estimate.desired_target),
            returned_target: blocks(estimate.returned_target),
            best_height: estimate.best_height,
        })
    }

    fn estimate_max_blocks(&self) -> CallResult<u32> {
        Ok(self.node()?.fees.get().map_or(0, |f| f.max_target()))
    }

    fn mempool_min_fee(&self) -> CallResult<Amount> {
        Ok(self.mempool()?.min_fee_rate().fee_per_kvb())
    }

    fn relay_min_fee(&self) -> CallResult<Amount> {
        Ok(self.mempool()?.options().min_relay_rate.fee_per_kvb())
    }

    fn relay_incremental_fee(&self) -> CallResult<Amount> {
        Ok(self.mempool()?.options().incremental_relay_rate.fee_per_kvb())
    }

    fn relay_dust_fee(&self) -> CallResult<Amount> {
        Ok(self.mempool()?.options().standard.dust_relay_rate.fee_per_kvb())
    }

    fn have_pruned(&self) -> CallResult<bool> {
        Ok(self.chainman()?.store().have_pruned())
    }

    fn get_prune_height(&self) -> CallResult<Option<u32>> {
        let chainman = self.chainman()?;
        let view = chainman.view();
        if !chainman.store().have_pruned() {
            return Ok(None);
        }
        let index = view.index();
        let first = (1..=u32::try_from(view.height()).unwrap_or(0))
            .find(|h| view.at(*h).is_some_and(|id| index.data_pos(id).is_some()));
        Ok(first.map(|h| h - 1))
    }

    fn is_ready_to_broadcast(&self) -> CallResult<bool> {
        let chainman = self.chainman()?;
        Ok(!chainman.store().loading_blocks() && !chainman.is_initial_block_download())
    }

    fn is_initial_block_download(&self) -> CallResult<bool> {
        Ok(self.chainman()?.is_initial_block_download())
    }

    fn shutdown_requested(&self) -> CallResult<bool> {
        Ok(self.node()?.shutdown.is_interrupted())
    }

    fn has_assumed_valid_chain(&self) -> CallResult<bool> {
        Ok(false)
    }

    fn init_message(&self, message: &str) -> CallResult<()> {
        grs_log::info!("init message: {message}");
        self.node()?.rpc.set_warmup_status(message);
        Ok(())
    }

    fn init_warning(&self, message: &BilingualString) -> CallResult<()> {
        init_warning(&message.original);
        Ok(())
    }

    fn init_error(&self, message: &BilingualString) -> CallResult<()> {
        init_error(&message.original);
        Ok(())
    }

    fn show_progress(&self, title: &str, progress: i32, _resume_possible: bool) -> CallResult<()> {
        grs_log::debug!(grs_log::Category::Scan, "{title} [{progress}%]");
        Ok(())
    }

    fn handle_notifications(
        &self,
        notifications: Arc<dyn ChainNotifications>,
    ) -> CallResult<Arc<dyn Handler>> {
        let (chainman, mempool) = (self.chainman()?, self.mempool()?);
        let options = notifications.options();
        let forwarder = Arc::new(Forwarder {
            chainman: Arc::downgrade(&chainman),
            subscriber: Mutex::new(Some(notifications)),
            options,
        });
        let signals = chainman.signals().clone();
        let id = signals.register(forwarder.clone());
        let in_mempool: Arc<dyn MempoolInterface> = forwarder.clone();
        mempool.subscribe(in_mempool.clone());
        self.node()?.tell_mock_time(&forwarder);
        if let Some(time) = grs_sync::clock::mock_time() {
            forwarder.tell(|s| s.mock_time_changed(time));
        }
        Ok(HandlerFn::new(move || {
            signals.unregister(id);
            mempool.unsubscribe(&in_mempool);
            forwarder.end();
        }))
    }

    fn wait_for_notifications_if_tip_changed(&self, old_tip: BlockHash) -> CallResult<()> {
        if !old_tip.is_zero() && self.chainman()?.view().tip_hash() == old_tip {
            return Ok(());
        }
        self.wait_for_notifications()
    }

    fn wait_for_notifications(&self) -> CallResult<()> {
        self.chainman()?.signals().sync();
        Ok(())
    }

    fn request_mempool_transactions(&self, notifications: Arc<dyn ChainNotifications>) -> CallResult<()> {
        let txs: Vec<TxRef> = {
            let mempool = self.mempool()?;
            let pool = mempool.lock();
            pool.in_mining_order().into_iter().map(|e| e.tx.clone()).collect()
        };
        txs.into_iter().try_for_each(|tx| notifications.transaction_added_to_mempool(tx))
    }

    fn handle_rpc(&self, command: RpcCommand, actor: Arc<dyn RpcActor>) -> CallResult<Arc<dyn Handler>> {
        self.handle_rpcs(vec![command], actor)
    }

    fn handle_rpcs(
        &self,
        commands: Vec<RpcCommand>,
        actor: Arc<dyn RpcActor>,
    ) -> CallResult<Arc<dyn Handler>> {
        Ok(self.node()?.remote_calls.register(commands, actor))
    }

    fn rpc_enable_deprecated(&self, method: &str) -> CallResult<bool> {
        Ok(self.node()?.args.get_list("-deprecatedrpc").iter().any(|m| m == method))
    }

    fn get_setting(&self, name: &str) -> CallResult<Value> {
        Ok(self.node()?.args.get_setting(&format!("-{name}")))
    }

    fn get_settings_list(&self, name: &str) -> CallResult<Vec<Value>> {
        Ok(self.node()?.args.get_settings_list(&format!("-{name}")))
    }

    fn get_rw_setting(&self, name: &str) -> CallResult<Value> {
        Ok(self.node()?.args.with_settings(|s| s.rw_settings.get(name).cloned().unwrap_or(Value::Null)))
    }

    fn update_rw_setting(&self, name: &str, update: Arc<dyn SettingsUpdate>) -> CallResult<bool> {
        let node = self.node()?;
        let present = self.get_rw_setting(name)?;
        // The settings are not locked while the other side computes: this is its own setting.
        let Some((value, action)) = update.update(present)? else { return Ok(true) };
        Ok(write_setting(&node, name, value, action))
    }

    fn overwrite_rw_setting(&self, name: &str, value: Value, action: SettingsAction) -> CallResult<bool> {
        Ok(write_setting(&*self.node()?, name, value, action))
    }

    fn delete_rw_settings(&self, name: &str, action: SettingsAction) -> CallResult<bool> {
        Ok(write_setting(&*self.node()?, name, Value::Null, action))
    }
}

fn write_setting(node: &NodeContext, name: &str, value: Value, action: SettingsAction) -> bool {
    node.args.with_settings(|settings| {
        if value.is_null() {
            settings.rw_settings.remove(name);
        } else {
            settings.rw_settings.insert(name.to_owned(), value);
        }
    });
    action == SettingsAction::SkipWrite
        || match node.args.write_settings_file(false) {
            Ok(()) => true,
            Err(errors) => {
                errors.iter().for_each(|e| warn!("{e}"));
                false
            }
        }
}

impl std::fmt::Debug for NodeChain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NodeChain").field("alive", &(self.self_ref.strong_count() > 0)).finish()
    }
}

/// Passes the events of chain and mempool on to one subscriber, in order.
struct Forwarder {
    chainman: Weak<ChainstateManager>,
    /// Gone when the subscription has ended, on purpose or by an error.
    subscriber: Mutex<Option<Arc<dyn ChainNotifications>>>,
    options: NotifyOptions,
}

impl Forwarder {
    fn end(&self) {
        *self.subscriber.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn tell(&self, call: impl FnOnce(&dyn ChainNotifications) -> CallResult<()>) {
        // The lock is let go before the call: it may go to another process.
        let subscriber = self.subscriber.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(subscriber) = subscriber
            && let Err(e) = call(subscriber.as_ref())
        {
            grs_log::debug!(grs_log::Category::Ipc, "A subscriber of the chain is gone: {e}");
            self.end();
        }
    }

    fn block_info(&self, block: &Arc<Block>, info: ChainBlock, data: bool, undo: bool) -> BlockInfo {
        let chainman = self.chainman.upgrade();
        let undo_data = chainman.as_ref().filter(|_| undo).and_then(|c| {
            let undo = c.store().read_undo(info.id).ok()?;
            let mut bytes = Vec::new();
            undo.encode(&mut bytes);
            Some(bytes)
        });
        BlockInfo {
            hash: info.hash,
            prev_hash: (info.height > 0).then_some(block.header.prev),
            height: info.height,
            chain_time_max: chainman.map_or(i64::from(block.header.time), |c| max_time(&c, info.id)),
            data: data.then(|| block.clone()),
            undo_data,
        }
    }
}

const ROLE: ChainstateRole = ChainstateRole { validated: true, historical: false };

impl MockTimeSubscriber for Forwarder {
    fn mock_time_changed(&self, time: i64) {
        self.tell(|s| s.mock_time_changed(time).and_then(|()| s.flush()));
    }
}

impl ValidationInterface for Forwarder {
    fn block_connected(&self, block: &Arc<Block>, info: ChainBlock) {
        let info = self.block_info(block, info, true, self.options.connect_undo_data);
        self.tell(|s| s.block_connected(ROLE, &info));
    }

    fn block_disconnected(&self, block: &Arc<Block>, info: ChainBlock) {
        let options = self.options;
        let info = self.block_info(block, info, options.disconnect_data, options.disconnect_undo_data);
        self.tell(|s| s.block_disconnected(&info));
    }

    fn updated_block_tip(&self, _new: ChainBlock, _fork: Option<BlockId>, _initial_download: bool) {
        self.tell(|s| s.updated_block_tip());
    }

    fn chainstate_flushed(&self, locator: &BlockLocator) {
        self.tell(|s| s.chain_state_flushed(ROLE, locator));
    }
}

impl MempoolInterface for Forwarder {
    fn transaction_added(&self, tx: &NewMempoolTx) {
        self.tell(|s| s.transaction_added_to_mempool(tx.tx.clone()));
    }

    fn transaction_removed(&self, tx: &TxRef, reason: RemovalReason, _sequence: u64) {
        let reason = match reason {
            RemovalReason::Expiry => MempoolRemovalReason::Expiry,
            RemovalReason::SizeLimit => MempoolRemovalReason::SizeLimit,
            RemovalReason::Reorg => MempoolRemovalReason::Reorg,
            RemovalReason::Block => MempoolRemovalReason::Block,
            RemovalReason::Conflict => MempoolRemovalReason::Conflict,
            RemovalReason::Replaced => MempoolRemovalReason::Replaced,
        };
        self.tell(|s| s.transaction_removed_from_mempool(tx.clone(), reason));
    }
}
