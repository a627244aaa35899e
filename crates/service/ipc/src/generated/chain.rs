//! `BlockScan`, `Chain`, `RpcActor`, `SettingsUpdate`. Written from `chain.capnp` and the traits by the generator: do not edit.

use crate::generated::*;
use crate::support::*;
use grs_hashes::BlockHash;
use grs_hashes::Txid;
use grs_interfaces::*;
use grs_ipc_schema::chain_capnp::block_scan;
use grs_ipc_schema::chain_capnp::chain;
use grs_ipc_schema::chain_capnp::rpc_actor;
use grs_ipc_schema::chain_capnp::settings_update;
use grs_primitives::Amount;
use grs_primitives::BlockLocator;
use grs_primitives::OutPoint;
use grs_primitives::Script;
use grs_primitives::TxRef;
use serde_json::Value;
use std::rc::Rc;
use std::sync::Arc;

/// `BlockScan` of another process.
pub struct BlockScanProxy(pub(crate) Proxy<block_scan::Client>);

impl BlockScanProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: block_scan::Client) -> Self {
        BlockScanProxy(Proxy::new(session, client))
    }
}

impl BlockScan for BlockScanProxy {
    fn next_chunk(
        &self,
        from_height: u32,
        expected_prev: Option<BlockHash>,
        added: ScanNeedles,
    ) -> CallResult<ScanChunk> {
        self.0.call(move |client, call| async move {
            let mut ask = client.next_chunk_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_from_height(from_height);
                if let Some(value) = expected_prev {
                    p.set_expected_prev(&value.to_data());
                }
                added.to_wire(p.reborrow().init_added());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }
}

/// `BlockScan` of this process.
pub(crate) struct BlockScanServer {
    pub(crate) hosted: Hosted<dyn BlockScan>,
}

/// A capability for an object of this process.
pub(crate) fn block_scan_client(session: &Rc<Session>, object: Arc<dyn BlockScan>) -> block_scan::Client {
    capnp_rpc::new_client(BlockScanServer { hosted: Hosted::new(session, object, "BlockScan") })
}

impl block_scan::Server for BlockScanServer {
    async fn next_chunk(
        self: Rc<Self>,
        params: block_scan::NextChunkParams,
        mut results: block_scan::NextChunkResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let from_height: u32 = p.get_from_height();
            let expected_prev: Option<BlockHash> =
                if p.has_expected_prev() { Some(FromWire::from_wire(p.get_expected_prev()?)?) } else { None };
            let added: ScanNeedles = FromWire::from_wire(p.get_added()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || {
                object.next_chunk(from_height, expected_prev, added)
            })
            .await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }
}

/// `Chain` of another process.
pub struct ChainProxy(pub(crate) Proxy<chain::Client>);

impl ChainProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: chain::Client) -> Self {
        ChainProxy(Proxy::new(session, client))
    }
}

impl Chain for ChainProxy {
    fn get_height(&self) -> CallResult<Option<u32>> {
        self.0.call(move |client, call| async move {
            let ask = client.get_height_request();
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.get_has_result() { Some(r.get_result()) } else { None })
        })
    }

    fn get_block_hash(&self, height: u32) -> CallResult<BlockHash> {
        self.0.call(move |client, call| async move {
            let mut ask = client.get_block_hash_request();
            {
                let mut p = ask.get();
                p.set_height(height);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn have_block_on_disk(&self, height: u32) -> CallResult<bool> {
        self.0.call(move |client, call| async move {
            let mut ask = client.have_block_on_disk_request();
            {
                let mut p = ask.get();
                p.set_height(height);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn find_locator_fork(&self, locator: &BlockLocator) -> CallResult<Option<u32>> {
        let locator = locator.to_data().into_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.find_locator_fork_request();
            {
                let mut p = ask.get();
                p.set_locator(&locator);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.get_has_result() { Some(r.get_result()) } else { None })
        })
    }

    fn has_block_filter_index(&self) -> CallResult<bool> {
        self.0.call(move |client, call| async move {
            let ask = client.has_block_filter_index_request();
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn block_filter_matches_any(&self, block: BlockHash, scripts: &[Script]) -> CallResult<Option<bool>> {
        let scripts = scripts.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.block_filter_matches_any_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_block(&block.to_data());
                scripts.to_wire(p.reborrow().init_scripts(count(scripts.len())));
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.get_has_result() { Some(r.get_result()) } else { None })
        })
    }

    fn find_block(&self, hash: BlockHash, want: FindBlock) -> CallResult<Option<FoundBlock>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.find_block_request();
            {
                let mut p = ask.get();
                if !want.is_light() {
                    call.context(p.reborrow().init_context())?;
                }
                p.set_hash(&hash.to_data());
                want.to_wire(p.reborrow().init_want());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.has_result() { Some(FromWire::from_wire(r.get_result()?)?) } else { None })
        })
    }

    fn find_first_block_with_time_and_height(
        &self,
        min_time: i64,
        min_height: u32,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.find_first_block_with_time_and_height_request();
            {
                let mut p = ask.get();
                if !want.is_light() {
                    call.context(p.reborrow().init_context())?;
                }
                p.set_min_time(min_time);
                p.set_min_height(min_height);
                want.to_wire(p.reborrow().init_want());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.has_result() { Some(FromWire::from_wire(r.get_result()?)?) } else { None })
        })
    }

    fn find_ancestor_by_height(
        &self,
        block: BlockHash,
        height: u32,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.find_ancestor_by_height_request();
            {
                let mut p = ask.get();
                if !want.is_light() {
                    call.context(p.reborrow().init_context())?;
                }
                p.set_block(&block.to_data());
                p.set_height(height);
                want.to_wire(p.reborrow().init_want());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.has_result() { Some(FromWire::from_wire(r.get_result()?)?) } else { None })
        })
    }

    fn find_ancestor_by_hash(
        &self,
        block: BlockHash,
        ancestor: BlockHash,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.find_ancestor_by_hash_request();
            {
                let mut p = ask.get();
                if !want.is_light() {
                    call.context(p.reborrow().init_context())?;
                }
                p.set_block(&block.to_data());
                p.set_ancestor(&ancestor.to_data());
                want.to_wire(p.reborrow().init_want());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.has_result() { Some(FromWire::from_wire(r.get_result()?)?) } else { None })
        })
    }

    fn find_common_ancestor(
        &self,
        block1: BlockHash,
        block2: BlockHash,
        want: FindBlock,
    ) -> CallResult<FoundCommonAncestor> {
        self.0.call(move |client, call| async move {
            let mut ask = client.find_common_ancestor_request();
            {
                let mut p = ask.get();
                if !want.is_light() {
                    call.context(p.reborrow().init_context())?;
                }
                p.set_block1(&block1.to_data());
                p.set_block2(&block2.to_data());
                want.to_wire(p.reborrow().init_want());
            }
            let answer = call.send(ask).await?;
            FromWire::from_wire(answer.get()?)
        })
    }

    fn find_coins(&self, outpoints: &[OutPoint]) -> CallResult<Vec<Option<Coin>>> {
        let outpoints = outpoints.to_data().into_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.find_coins_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_outpoints(&outpoints);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn guess_verification_progress(&self, block: BlockHash) -> CallResult<f64> {
        self.0.call(move |client, call| async move {
            let mut ask = client.guess_verification_progress_request();
            {
                let mut p = ask.get();
                p.set_block(&block.to_data());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn has_blocks(&self, block: BlockHash, min_height: u32, max_height: Option<u32>) -> CallResult<bool> {
        self.0.call(move |client, call| async move {
            let mut ask = client.has_blocks_request();
            {
                let mut p = ask.get();
                p.set_block(&block.to_data());
                p.set_min_height(min_height);
                if let Some(value) = max_height {
                    p.set_max_height(value);
                    p.set_has_max_height(true);
                }
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn scan_blocks(&self, needles: ScanNeedles, stop_height: Option<u32>) -> CallResult<Arc<dyn BlockScan>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.scan_blocks_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                needles.to_wire(p.reborrow().init_needles());
                if let Some(value) = stop_height {
                    p.set_stop_height(value);
                    p.set_has_stop_height(true);
                }
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(Arc::new(BlockScanProxy::new(call.session(), r.get_result()?)) as Arc<dyn BlockScan>)
        })
    }

    fn is_rbf_opt_in(&self, tx: TxRef) -> CallResult<RbfState> {
        let tx = tx.to_data().into_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.is_rbf_opt_in_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_tx(&tx);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result())
        })
    }

    fn is_in_mempool(&self, txid: Txid) -> CallResult<bool> {
        self.0.call(move |client, call| async move {
            let mut ask = client.is_in_mempool_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_txid(&txid.to_data());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn has_descendants_in_mempool(&self, txid: Txid) -> CallResult<bool> {
        self.0.call(move |client, call| async move {
            let mut ask = client.has_descendants_in_mempool_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_txid(&txid.to_data());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn broadcast_transaction(
        &self,
        tx: TxRef,
        max_fee: Amount,
        method: TxBroadcast,
    ) -> CallResult<Broadcast> {
        let tx = tx.to_data().into_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.broadcast_transaction_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_tx(&tx);
                p.set_max_fee(max_fee.to_scalar());
                p.set_method(method.to_scalar());
            }
            let answer = call.send(ask).await?;
            FromWire::from_wire(answer.get()?)
        })
    }

    fn get_transaction_ancestry(&self, txids: &[Txid]) -> CallResult<Vec<TransactionAncestry>> {
        let txids = txids.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.get_transaction_ancestry_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                txids.to_wire(p.reborrow().init_txids(count(txids.len())));
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn calculate_individual_bump_fees(
        &self,
        outpoints: &[OutPoint],
        feerate: Amount,
    ) -> CallResult<Vec<Amount>> {
        let outpoints = outpoints.to_data().into_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.calculate_individual_bump_fees_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_outpoints(&outpoints);
                p.set_feerate(feerate.to_scalar());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn calculate_combined_bump_fee(
        &self,
        outpoints: &[OutPoint],
        feerate: Amount,
    ) -> CallResult<Option<Amount>> {
        let outpoints = outpoints.to_data().into_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.calculate_combined_bump_fee_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_outpoints(&outpoints);
                p.set_feerate(feerate.to_scalar());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.get_has_result() { Some(FromWire::from_wire(r.get_result())?) } else { None })
        })
    }

    fn get_package_limits(&self) -> CallResult<PackageLimits> {
        self.0.call(move |client, call| async move {
            let ask = client.get_package_limits_request();
            let answer = call.send(ask).await?;
            FromWire::from_wire(answer.get()?)
        })
    }

    fn check_chain_limits(&self, tx: TxRef) -> CallResult<Result<(), BilingualString>> {
        let tx = tx.to_data().into_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.check_chain_limits_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_tx(&tx);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.has_error() { Err(FromWire::from_wire(r.get_error()?)?) } else { Ok(()) })
        })
    }

    fn estimate_smart_fee(&self, num_blocks: u32, conservative: bool) -> CallResult<FeeEstimate> {
        self.0.call(move |client, call| async move {
            let mut ask = client.estimate_smart_fee_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_num_blocks(num_blocks);
                p.set_conservative(conservative);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn estimate_max_blocks(&self) -> CallResult<u32> {
        self.0.call(move |client, call| async move {
            let ask = client.estimate_max_blocks_request();
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn mempool_min_fee(&self) -> CallResult<Amount> {
        self.0.call(move |client, call| async move {
            let mut ask = client.mempool_min_fee_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result())
        })
    }

    fn relay_min_fee(&self) -> CallResult<Amount> {
        self.0.call(move |client, call| async move {
            let ask = client.relay_min_fee_request();
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result())
        })
    }

    fn relay_incremental_fee(&self) -> CallResult<Amount> {
        self.0.call(move |client, call| async move {
            let ask = client.relay_incremental_fee_request();
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result())
        })
    }

    fn relay_dust_fee(&self) -> CallResult<Amount> {
        self.0.call(move |client, call| async move {
            let ask = client.relay_dust_fee_request();
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result())
        })
    }

    fn have_pruned(&self) -> CallResult<bool> {
        self.0.call(move |client, call| async move {
            let ask = client.have_pruned_request();
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn get_prune_height(&self) -> CallResult<Option<u32>> {
        self.0.call(move |client, call| async move {
            let ask = client.get_prune_height_request();
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(if r.get_has_result() { Some(r.get_result()) } else { None })
        })
    }

    fn is_ready_to_broadcast(&self) -> CallResult<bool> {
        self.0.call(move |client, call| async move {
            let ask = client.is_ready_to_broadcast_request();
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn is_initial_block_download(&self) -> CallResult<bool> {
        self.0.call(move |client, call| async move {
            let ask = client.is_initial_block_download_request();
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn shutdown_requested(&self) -> CallResult<bool> {
        self.0.call(move |client, call| async move {
            let ask = client.shutdown_requested_request();
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn has_assumed_valid_chain(&self) -> CallResult<bool> {
        self.0.call(move |client, call| async move {
            let ask = client.has_assumed_valid_chain_request();
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn init_message(&self, message: &str) -> CallResult<()> {
        let message = message.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.init_message_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_message(&message);
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }

    fn init_warning(&self, message: &BilingualString) -> CallResult<()> {
        let message = message.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.init_warning_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                message.to_wire(p.reborrow().init_message());
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }

    fn init_error(&self, message: &BilingualString) -> CallResult<()> {
        let message = message.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.init_error_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                message.to_wire(p.reborrow().init_message());
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }

    fn show_progress(&self, title: &str, progress: i32, resume_possible: bool) -> CallResult<()> {
        let title = title.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.show_progress_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_title(&title);
                p.set_progress(progress);
                p.set_resume_possible(resume_possible);
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }

    fn handle_notifications(
        &self,
        notifications: Arc<dyn ChainNotifications>,
    ) -> CallResult<Arc<dyn Handler>> {
        self.handle_notifications_by_hand(notifications)
    }

    fn wait_for_notifications_if_tip_changed(&self, old_tip: BlockHash) -> CallResult<()> {
        self.0.call(move |client, call| async move {
            let mut ask = client.wait_for_notifications_if_tip_changed_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_old_tip(&old_tip.to_data());
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }

    fn wait_for_notifications(&self) -> CallResult<()> {
        self.0.call(move |client, call| async move {
            let mut ask = client.wait_for_notifications_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
            }
            let answer = call.send(ask).await?;
            answer.get()?;
            Ok(())
        })
    }

    fn request_mempool_transactions(&self, notifications: Arc<dyn ChainNotifications>) -> CallResult<()> {
        self.request_mempool_transactions_by_hand(notifications)
    }

    fn handle_rpc(&self, command: RpcCommand, actor: Arc<dyn RpcActor>) -> CallResult<Arc<dyn Handler>> {
        self.handle_rpc_by_hand(command, actor)
    }

    fn handle_rpcs(
        &self,
        commands: Vec<RpcCommand>,
        actor: Arc<dyn RpcActor>,
    ) -> CallResult<Arc<dyn Handler>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.handle_rpcs_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                put_structs(p.reborrow().init_commands(count(commands.len())), &commands);
                p.set_actor(rpc_actor_client(call.session(), actor));
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(Arc::new(HandlerProxy::new(call.session(), r.get_result()?)) as Arc<dyn Handler>)
        })
    }

    fn rpc_enable_deprecated(&self, method: &str) -> CallResult<bool> {
        let method = method.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.rpc_enable_deprecated_request();
            {
                let mut p = ask.get();
                p.set_method(&method);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn get_setting(&self, name: &str) -> CallResult<Value> {
        let name = name.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.get_setting_request();
            {
                let mut p = ask.get();
                p.set_name(&name);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn get_settings_list(&self, name: &str) -> CallResult<Vec<Value>> {
        let name = name.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.get_settings_list_request();
            {
                let mut p = ask.get();
                p.set_name(&name);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn get_rw_setting(&self, name: &str) -> CallResult<Value> {
        let name = name.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.get_rw_setting_request();
            {
                let mut p = ask.get();
                p.set_name(&name);
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_result()?)
        })
    }

    fn update_rw_setting(&self, name: &str, update: Arc<dyn SettingsUpdate>) -> CallResult<bool> {
        let name = name.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.update_rw_setting_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_name(&name);
                p.set_update(settings_update_client(call.session(), update));
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn overwrite_rw_setting(&self, name: &str, value: Value, action: SettingsAction) -> CallResult<bool> {
        let name = name.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.overwrite_rw_setting_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_name(&name);
                p.set_value(&*value.to_text());
                p.set_action(action.to_scalar());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }

    fn delete_rw_settings(&self, name: &str, action: SettingsAction) -> CallResult<bool> {
        let name = name.to_owned();
        self.0.call(move |client, call| async move {
            let mut ask = client.delete_rw_settings_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_name(&name);
                p.set_action(action.to_scalar());
            }
            let answer = call.send(ask).await?;
            let r = answer.get()?;
            Ok(r.get_result())
        })
    }
}

/// `Chain` of this process.
pub(crate) struct ChainServer {
    pub(crate) hosted: Hosted<dyn Chain>,
    pub(crate) state: ChainState,
}

/// A capability for an object of this process.
pub(crate) fn chain_client(session: &Rc<Session>, object: Arc<dyn Chain>) -> chain::Client {
    capnp_rpc::new_client(ChainServer {
        hosted: Hosted::new(session, object, "Chain"),
        state: ChainState::default(),
    })
}

/// The same with a state.
pub(crate) fn chain_client_with(
    session: &Rc<Session>,
    object: Arc<dyn Chain>,
    state: ChainState,
) -> chain::Client {
    capnp_rpc::new_client(ChainServer { hosted: Hosted::new(session, object, "Chain"), state })
}

impl chain::Server for ChainServer {
    async fn get_height(
        self: Rc<Self>,
        params: chain::GetHeightParams,
        mut results: chain::GetHeightResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.get_height())?
        };
        {
            let mut out = results.get();
            if let Some(value) = value {
                out.set_result(value);
                out.set_has_result(true);
            }
        }
        call.done(&mut results)
    }

    async fn get_block_hash(
        self: Rc<Self>,
        params: chain::GetBlockHashParams,
        mut results: chain::GetBlockHashResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let height: u32 = p.get_height();
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.get_block_hash(height))?
        };
        {
            let mut out = results.get();
            out.set_result(&value.to_data());
        }
        call.done(&mut results)
    }

    async fn have_block_on_disk(
        self: Rc<Self>,
        params: chain::HaveBlockOnDiskParams,
        mut results: chain::HaveBlockOnDiskResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let height: u32 = p.get_height();
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.have_block_on_disk(height))?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn find_locator_fork(
        self: Rc<Self>,
        params: chain::FindLocatorForkParams,
        mut results: chain::FindLocatorForkResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let locator: BlockLocator = FromWire::from_wire(p.get_locator()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.find_locator_fork(&locator))?
        };
        {
            let mut out = results.get();
            if let Some(value) = value {
                out.set_result(value);
                out.set_has_result(true);
            }
        }
        call.done(&mut results)
    }

    async fn has_block_filter_index(
        self: Rc<Self>,
        params: chain::HasBlockFilterIndexParams,
        mut results: chain::HasBlockFilterIndexResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.has_block_filter_index())?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn block_filter_matches_any(
        self: Rc<Self>,
        params: chain::BlockFilterMatchesAnyParams,
        mut results: chain::BlockFilterMatchesAnyResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let block: BlockHash = FromWire::from_wire(p.get_block()?)?;
            let scripts: Vec<Script> = FromWire::from_wire(p.get_scripts()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || {
                object.block_filter_matches_any(block, &scripts)
            })
            .await?
        };
        {
            let mut out = results.get();
            if let Some(value) = value {
                out.set_result(value);
                out.set_has_result(true);
            }
        }
        call.done(&mut results)
    }

    async fn find_block(
        self: Rc<Self>,
        params: chain::FindBlockParams,
        mut results: chain::FindBlockResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let hash: BlockHash = FromWire::from_wire(p.get_hash()?)?;
            let want: FindBlock = FromWire::from_wire(p.get_want()?)?;
            let object = self.hosted.get().map_err(exception)?;
            if want.is_light() {
                call.run_here(move || object.find_block(hash, want))?
            } else {
                call.run(RequestContext::read(p.get_context()), move || object.find_block(hash, want)).await?
            }
        };
        {
            let mut out = results.get();
            if let Some(value) = value {
                value.to_wire(out.reborrow().init_result());
            }
        }
        call.done(&mut results)
    }

    async fn find_first_block_with_time_and_height(
        self: Rc<Self>,
        params: chain::FindFirstBlockWithTimeAndHeightParams,
        mut results: chain::FindFirstBlockWithTimeAndHeightResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let min_time: i64 = p.get_min_time();
            let min_height: u32 = p.get_min_height();
            let want: FindBlock = FromWire::from_wire(p.get_want()?)?;
            let object = self.hosted.get().map_err(exception)?;
            if want.is_light() {
                call.run_here(move || {
                    object.find_first_block_with_time_and_height(min_time, min_height, want)
                })?
            } else {
                call.run(RequestContext::read(p.get_context()), move || {
                    object.find_first_block_with_time_and_height(min_time, min_height, want)
                })
                .await?
            }
        };
        {
            let mut out = results.get();
            if let Some(value) = value {
                value.to_wire(out.reborrow().init_result());
            }
        }
        call.done(&mut results)
    }

    async fn find_ancestor_by_height(
        self: Rc<Self>,
        params: chain::FindAncestorByHeightParams,
        mut results: chain::FindAncestorByHeightResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let block: BlockHash = FromWire::from_wire(p.get_block()?)?;
            let height: u32 = p.get_height();
            let want: FindBlock = FromWire::from_wire(p.get_want()?)?;
            let object = self.hosted.get().map_err(exception)?;
            if want.is_light() {
                call.run_here(move || object.find_ancestor_by_height(block, height, want))?
            } else {
                call.run(RequestContext::read(p.get_context()), move || {
                    object.find_ancestor_by_height(block, height, want)
                })
                .await?
            }
        };
        {
            let mut out = results.get();
            if let Some(value) = value {
                value.to_wire(out.reborrow().init_result());
            }
        }
        call.done(&mut results)
    }

    async fn find_ancestor_by_hash(
        self: Rc<Self>,
        params: chain::FindAncestorByHashParams,
        mut results: chain::FindAncestorByHashResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let block: BlockHash = FromWire::from_wire(p.get_block()?)?;
            let ancestor: BlockHash = FromWire::from_wire(p.get_ancestor()?)?;
            let want: FindBlock = FromWire::from_wire(p.get_want()?)?;
            let object = self.hosted.get().map_err(exception)?;
            if want.is_light() {
                call.run_here(move || object.find_ancestor_by_hash(block, ancestor, want))?
            } else {
                call.run(RequestContext::read(p.get_context()), move || {
                    object.find_ancestor_by_hash(block, ancestor, want)
                })
                .await?
            }
        };
        {
            let mut out = results.get();
            if let Some(value) = value {
                value.to_wire(out.reborrow().init_result());
            }
        }
        call.done(&mut results)
    }

    async fn find_common_ancestor(
        self: Rc<Self>,
        params: chain::FindCommonAncestorParams,
        mut results: chain::FindCommonAncestorResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let block1: BlockHash = FromWire::from_wire(p.get_block1()?)?;
            let block2: BlockHash = FromWire::from_wire(p.get_block2()?)?;
            let want: FindBlock = FromWire::from_wire(p.get_want()?)?;
            let object = self.hosted.get().map_err(exception)?;
            if want.is_light() {
                call.run_here(move || object.find_common_ancestor(block1, block2, want))?
            } else {
                call.run(RequestContext::read(p.get_context()), move || {
                    object.find_common_ancestor(block1, block2, want)
                })
                .await?
            }
        };
        value.to_wire(results.get());
        call.done(&mut results)
    }

    async fn find_coins(
        self: Rc<Self>,
        params: chain::FindCoinsParams,
        mut results: chain::FindCoinsResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let outpoints: Vec<OutPoint> = FromWire::from_wire(p.get_outpoints()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.find_coins(&outpoints)).await?
        };
        {
            let mut out = results.get();
            put_structs(out.reborrow().init_result(count(value.len())), &value);
        }
        call.done(&mut results)
    }

    async fn guess_verification_progress(
        self: Rc<Self>,
        params: chain::GuessVerificationProgressParams,
        mut results: chain::GuessVerificationProgressResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let block: BlockHash = FromWire::from_wire(p.get_block()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.guess_verification_progress(block))?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn has_blocks(
        self: Rc<Self>,
        params: chain::HasBlocksParams,
        mut results: chain::HasBlocksResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let block: BlockHash = FromWire::from_wire(p.get_block()?)?;
            let min_height: u32 = p.get_min_height();
            let max_height: Option<u32> =
                if p.get_has_max_height() { Some(p.get_max_height()) } else { None };
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.has_blocks(block, min_height, max_height))?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn scan_blocks(
        self: Rc<Self>,
        params: chain::ScanBlocksParams,
        mut results: chain::ScanBlocksResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let needles: ScanNeedles = FromWire::from_wire(p.get_needles()?)?;
            let stop_height: Option<u32> =
                if p.get_has_stop_height() { Some(p.get_stop_height()) } else { None };
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.scan_blocks(needles, stop_height))
                .await?
        };
        {
            let mut out = results.get();
            out.set_result(block_scan_client(&self.hosted.session, value));
        }
        call.done(&mut results)
    }

    async fn is_rbf_opt_in(
        self: Rc<Self>,
        params: chain::IsRbfOptInParams,
        mut results: chain::IsRbfOptInResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let tx = p.get_tx()?.to_vec();
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.is_rbf_opt_in(decode_later(&tx)?))
                .await?
        };
        {
            let mut out = results.get();
            out.set_result(value.to_scalar());
        }
        call.done(&mut results)
    }

    async fn is_in_mempool(
        self: Rc<Self>,
        params: chain::IsInMempoolParams,
        mut results: chain::IsInMempoolResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let txid: Txid = FromWire::from_wire(p.get_txid()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.is_in_mempool(txid)).await?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn has_descendants_in_mempool(
        self: Rc<Self>,
        params: chain::HasDescendantsInMempoolParams,
        mut results: chain::HasDescendantsInMempoolResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let txid: Txid = FromWire::from_wire(p.get_txid()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.has_descendants_in_mempool(txid))
                .await?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn broadcast_transaction(
        self: Rc<Self>,
        params: chain::BroadcastTransactionParams,
        mut results: chain::BroadcastTransactionResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let tx = p.get_tx()?.to_vec();
            let max_fee: Amount = FromWire::from_wire(p.get_max_fee())?;
            let method: TxBroadcast = FromWire::from_wire(p.get_method())?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || {
                object.broadcast_transaction(decode_later(&tx)?, max_fee, method)
            })
            .await?
        };
        value.to_wire(results.get());
        call.done(&mut results)
    }

    async fn get_transaction_ancestry(
        self: Rc<Self>,
        params: chain::GetTransactionAncestryParams,
        mut results: chain::GetTransactionAncestryResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let txids: Vec<Txid> = FromWire::from_wire(p.get_txids()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.get_transaction_ancestry(&txids))
                .await?
        };
        {
            let mut out = results.get();
            put_structs(out.reborrow().init_result(count(value.len())), &value);
        }
        call.done(&mut results)
    }

    async fn calculate_individual_bump_fees(
        self: Rc<Self>,
        params: chain::CalculateIndividualBumpFeesParams,
        mut results: chain::CalculateIndividualBumpFeesResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let outpoints: Vec<OutPoint> = FromWire::from_wire(p.get_outpoints()?)?;
            let feerate: Amount = FromWire::from_wire(p.get_feerate())?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || {
                object.calculate_individual_bump_fees(&outpoints, feerate)
            })
            .await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result(count(value.len())));
        }
        call.done(&mut results)
    }

    async fn calculate_combined_bump_fee(
        self: Rc<Self>,
        params: chain::CalculateCombinedBumpFeeParams,
        mut results: chain::CalculateCombinedBumpFeeResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let outpoints: Vec<OutPoint> = FromWire::from_wire(p.get_outpoints()?)?;
            let feerate: Amount = FromWire::from_wire(p.get_feerate())?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || {
                object.calculate_combined_bump_fee(&outpoints, feerate)
            })
            .await?
        };
        {
            let mut out = results.get();
            if let Some(value) = value {
                out.set_result(value.to_scalar());
                out.set_has_result(true);
            }
        }
        call.done(&mut results)
    }

    async fn get_package_limits(
        self: Rc<Self>,
        params: chain::GetPackageLimitsParams,
        mut results: chain::GetPackageLimitsResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.get_package_limits())?
        };
        value.to_wire(results.get());
        call.done(&mut results)
    }

    async fn check_chain_limits(
        self: Rc<Self>,
        params: chain::CheckChainLimitsParams,
        mut results: chain::CheckChainLimitsResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let tx = p.get_tx()?.to_vec();
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || {
                object.check_chain_limits(decode_later(&tx)?)
            })
            .await?
        };
        {
            let mut out = results.get();
            if let Err(error) = value {
                error.to_wire(out.reborrow().init_error());
            }
        }
        call.done(&mut results)
    }

    async fn estimate_smart_fee(
        self: Rc<Self>,
        params: chain::EstimateSmartFeeParams,
        mut results: chain::EstimateSmartFeeResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let num_blocks: u32 = p.get_num_blocks();
            let conservative: bool = p.get_conservative();
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || {
                object.estimate_smart_fee(num_blocks, conservative)
            })
            .await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result());
        }
        call.done(&mut results)
    }

    async fn estimate_max_blocks(
        self: Rc<Self>,
        params: chain::EstimateMaxBlocksParams,
        mut results: chain::EstimateMaxBlocksResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.estimate_max_blocks())?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn mempool_min_fee(
        self: Rc<Self>,
        params: chain::MempoolMinFeeParams,
        mut results: chain::MempoolMinFeeResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.mempool_min_fee()).await?
        };
        {
            let mut out = results.get();
            out.set_result(value.to_scalar());
        }
        call.done(&mut results)
    }

    async fn relay_min_fee(
        self: Rc<Self>,
        params: chain::RelayMinFeeParams,
        mut results: chain::RelayMinFeeResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.relay_min_fee())?
        };
        {
            let mut out = results.get();
            out.set_result(value.to_scalar());
        }
        call.done(&mut results)
    }

    async fn relay_incremental_fee(
        self: Rc<Self>,
        params: chain::RelayIncrementalFeeParams,
        mut results: chain::RelayIncrementalFeeResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.relay_incremental_fee())?
        };
        {
            let mut out = results.get();
            out.set_result(value.to_scalar());
        }
        call.done(&mut results)
    }

    async fn relay_dust_fee(
        self: Rc<Self>,
        params: chain::RelayDustFeeParams,
        mut results: chain::RelayDustFeeResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.relay_dust_fee())?
        };
        {
            let mut out = results.get();
            out.set_result(value.to_scalar());
        }
        call.done(&mut results)
    }

    async fn have_pruned(
        self: Rc<Self>,
        params: chain::HavePrunedParams,
        mut results: chain::HavePrunedResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.have_pruned())?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn get_prune_height(
        self: Rc<Self>,
        params: chain::GetPruneHeightParams,
        mut results: chain::GetPruneHeightResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.get_prune_height())?
        };
        {
            let mut out = results.get();
            if let Some(value) = value {
                out.set_result(value);
                out.set_has_result(true);
            }
        }
        call.done(&mut results)
    }

    async fn is_ready_to_broadcast(
        self: Rc<Self>,
        params: chain::IsReadyToBroadcastParams,
        mut results: chain::IsReadyToBroadcastResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.is_ready_to_broadcast())?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn is_initial_block_download(
        self: Rc<Self>,
        params: chain::IsInitialBlockDownloadParams,
        mut results: chain::IsInitialBlockDownloadResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.is_initial_block_download())?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn shutdown_requested(
        self: Rc<Self>,
        params: chain::ShutdownRequestedParams,
        mut results: chain::ShutdownRequestedResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.shutdown_requested())?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn has_assumed_valid_chain(
        self: Rc<Self>,
        params: chain::HasAssumedValidChainParams,
        mut results: chain::HasAssumedValidChainResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.has_assumed_valid_chain())?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn init_message(
        self: Rc<Self>,
        params: chain::InitMessageParams,
        mut results: chain::InitMessageResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let p = params.get()?;
            let message: String = FromWire::from_wire(p.get_message()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.init_message(&message)).await?;
        }

        call.done(&mut results)
    }

    async fn init_warning(
        self: Rc<Self>,
        params: chain::InitWarningParams,
        mut results: chain::InitWarningResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let p = params.get()?;
            let message: BilingualString = FromWire::from_wire(p.get_message()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.init_warning(&message)).await?;
        }

        call.done(&mut results)
    }

    async fn init_error(
        self: Rc<Self>,
        params: chain::InitErrorParams,
        mut results: chain::InitErrorResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let p = params.get()?;
            let message: BilingualString = FromWire::from_wire(p.get_message()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.init_error(&message)).await?;
        }

        call.done(&mut results)
    }

    async fn show_progress(
        self: Rc<Self>,
        params: chain::ShowProgressParams,
        mut results: chain::ShowProgressResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        {
            let p = params.get()?;
            let title: String = FromWire::from_wire(p.get_title()?)?;
            let progress: i32 = p.get_progress();
            let resume_possible: bool = p.get_resume_possible();
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || {
                object.show_progress(&title, progress, resume_possible)
            })
            .await?;
        }

        call.done(&mut results)
    }

    async fn handle_notifications(
        self: Rc<Self>,
        params: chain::HandleNotificationsParams,
        results: chain::HandleNotificationsResults,
    ) -> Result<(), capnp::Error> {
        self.handle_notifications_by_hand(params, results).await
    }

    async fn wait_for_notifications_if_tip_changed(
        self: Rc<Self>,
        params: chain::WaitForNotificationsIfTipChangedParams,
        results: chain::WaitForNotificationsIfTipChangedResults,
    ) -> Result<(), capnp::Error> {
        self.wait_for_notifications_if_tip_changed_by_hand(params, results).await
    }

    async fn wait_for_notifications(
        self: Rc<Self>,
        params: chain::WaitForNotificationsParams,
        results: chain::WaitForNotificationsResults,
    ) -> Result<(), capnp::Error> {
        self.wait_for_notifications_by_hand(params, results).await
    }

    async fn request_mempool_transactions(
        self: Rc<Self>,
        params: chain::RequestMempoolTransactionsParams,
        results: chain::RequestMempoolTransactionsResults,
    ) -> Result<(), capnp::Error> {
        self.request_mempool_transactions_by_hand(params, results).await
    }

    async fn handle_rpcs(
        self: Rc<Self>,
        params: chain::HandleRpcsParams,
        results: chain::HandleRpcsResults,
    ) -> Result<(), capnp::Error> {
        self.handle_rpcs_by_hand(params, results).await
    }

    async fn rpc_enable_deprecated(
        self: Rc<Self>,
        params: chain::RpcEnableDeprecatedParams,
        mut results: chain::RpcEnableDeprecatedResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let method: String = FromWire::from_wire(p.get_method()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.rpc_enable_deprecated(&method))?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn get_setting(
        self: Rc<Self>,
        params: chain::GetSettingParams,
        mut results: chain::GetSettingResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let name: String = FromWire::from_wire(p.get_name()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.get_setting(&name))?
        };
        {
            let mut out = results.get();
            out.set_result(&*value.to_text());
        }
        call.done(&mut results)
    }

    async fn get_settings_list(
        self: Rc<Self>,
        params: chain::GetSettingsListParams,
        mut results: chain::GetSettingsListResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let name: String = FromWire::from_wire(p.get_name()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.get_settings_list(&name))?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_result(count(value.len())));
        }
        call.done(&mut results)
    }

    async fn get_rw_setting(
        self: Rc<Self>,
        params: chain::GetRwSettingParams,
        mut results: chain::GetRwSettingResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let name: String = FromWire::from_wire(p.get_name()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run_here(move || object.get_rw_setting(&name))?
        };
        {
            let mut out = results.get();
            out.set_result(&*value.to_text());
        }
        call.done(&mut results)
    }

    async fn update_rw_setting(
        self: Rc<Self>,
        params: chain::UpdateRwSettingParams,
        mut results: chain::UpdateRwSettingResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let name: String = FromWire::from_wire(p.get_name()?)?;
            let update: Arc<dyn SettingsUpdate> =
                Arc::new(SettingsUpdateProxy::new(&self.hosted.session, p.get_update()?))
                    as Arc<dyn SettingsUpdate>;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.update_rw_setting(&name, update))
                .await?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn overwrite_rw_setting(
        self: Rc<Self>,
        params: chain::OverwriteRwSettingParams,
        mut results: chain::OverwriteRwSettingResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let name: String = FromWire::from_wire(p.get_name()?)?;
            let value: Value = FromWire::from_wire(p.get_value()?)?;
            let action: SettingsAction = FromWire::from_wire(p.get_action())?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || {
                object.overwrite_rw_setting(&name, value, action)
            })
            .await?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }

    async fn delete_rw_settings(
        self: Rc<Self>,
        params: chain::DeleteRwSettingsParams,
        mut results: chain::DeleteRwSettingsResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let name: String = FromWire::from_wire(p.get_name()?)?;
            let action: SettingsAction = FromWire::from_wire(p.get_action())?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.delete_rw_settings(&name, action))
                .await?
        };
        {
            let mut out = results.get();
            out.set_result(value);
        }
        call.done(&mut results)
    }
}

/// `RpcActor` of another process.
pub struct RpcActorProxy(pub(crate) Proxy<rpc_actor::Client>);

impl RpcActorProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: rpc_actor::Client) -> Self {
        RpcActorProxy(Proxy::new(session, client))
    }
}

impl RpcActor for RpcActorProxy {
    fn call(&self, request: RpcRequest, last_callback: bool) -> CallResult<Option<RpcReply>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.call_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                request.to_wire(p.reborrow().init_request());
                p.set_last_callback(last_callback);
            }
            let answer = call.send_secret(ask).await?;
            let r = answer.get()?;
            FromWire::from_wire(r.get_reply()?)
        })
    }
}

/// `RpcActor` of this process.
pub(crate) struct RpcActorServer {
    pub(crate) hosted: Hosted<dyn RpcActor>,
}

/// A capability for an object of this process.
pub(crate) fn rpc_actor_client(session: &Rc<Session>, object: Arc<dyn RpcActor>) -> rpc_actor::Client {
    capnp_rpc::new_client(RpcActorServer { hosted: Hosted::new(session, object, "RpcActor") })
}

impl rpc_actor::Server for RpcActorServer {
    async fn call(
        self: Rc<Self>,
        params: rpc_actor::CallParams,
        mut results: rpc_actor::CallResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive_secret(&params);
        let value = {
            let p = params.get()?;
            let request: RpcRequest = FromWire::from_wire(p.get_request()?)?;
            let last_callback: bool = p.get_last_callback();
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.call(request, last_callback))
                .await?
        };
        {
            let mut out = results.get();
            value.to_wire(out.reborrow().init_reply());
        }
        call.done(&mut results)
    }
}

/// `SettingsUpdate` of another process.
pub struct SettingsUpdateProxy(pub(crate) Proxy<settings_update::Client>);

impl SettingsUpdateProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(session: &Session, client: settings_update::Client) -> Self {
        SettingsUpdateProxy(Proxy::new(session, client))
    }
}

impl SettingsUpdate for SettingsUpdateProxy {
    fn update(&self, value: Value) -> CallResult<Option<(Value, SettingsAction)>> {
        self.0.call(move |client, call| async move {
            let mut ask = client.update_request();
            {
                let mut p = ask.get();
                call.context(p.reborrow().init_context())?;
                p.set_value(&*value.to_text());
            }
            let answer = call.send(ask).await?;
            FromWire::from_wire(answer.get()?)
        })
    }
}

/// `SettingsUpdate` of this process.
pub(crate) struct SettingsUpdateServer {
    pub(crate) hosted: Hosted<dyn SettingsUpdate>,
}

/// A capability for an object of this process.
pub(crate) fn settings_update_client(
    session: &Rc<Session>,
    object: Arc<dyn SettingsUpdate>,
) -> settings_update::Client {
    capnp_rpc::new_client(SettingsUpdateServer { hosted: Hosted::new(session, object, "SettingsUpdate") })
}

impl settings_update::Server for SettingsUpdateServer {
    async fn update(
        self: Rc<Self>,
        params: settings_update::UpdateParams,
        mut results: settings_update::UpdateResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let value = {
            let p = params.get()?;
            let value: Value = FromWire::from_wire(p.get_value()?)?;
            let object = self.hosted.get().map_err(exception)?;
            call.run(RequestContext::read(p.get_context()), move || object.update(value)).await?
        };
        value.to_wire(results.get());
        call.done(&mut results)
    }
}
