//! Proxies of `Chain` and of what goes with it.

use std::sync::Arc;

use grs_encoding::encode_to_vec;
use grs_hashes::{BlockHash, Txid};
use grs_interfaces::{
    BilingualString, BlockScan, Broadcast, CallResult, Chain, ChainNotifications, Coin, FeeEstimate,
    FindBlock, FoundBlock, FoundCommonAncestor, Handler, PackageLimits, RbfState, RpcActor, RpcCommand,
    RpcReply, RpcRequest, ScanChunk, ScanNeedles, SettingsAction, SettingsUpdate, TransactionAncestry,
    TxBroadcast,
};
use grs_ipc_schema::chain_capnp::{block_scan, chain, rpc_actor, settings_update};
use grs_primitives::{Amount, BlockLocator, OutPoint, Script, TxRef};
use serde_json::Value;

use super::{Proxy, ask, handler};
use crate::convert::{
    FromWire, ToEnum, ToWire, amounts, block_hash, count, json, locator_bytes, outpoint_bytes, set_blobs,
    text,
};
use crate::server::{notifications_client, rpc_actor_client, settings_update_client};

/// The node's chain, in the wallet process.
pub(crate) struct ChainProxy(pub(crate) Proxy<chain::Client>);

macro_rules! optional {
    ($r:ident) => {
        Ok($r.get_has_result().then(|| $r.get_result()))
    };
}

/// A block-finding call: the context names a thread only if block data are wanted, since the answer is short
/// otherwise.
macro_rules! find {
    ($proxy:expr, $request:ident, $want:ident, |$p:ident| $fill:expr) => {
        ask!(
            $proxy,
            $request,
            |$p, call| {
                if $want.data || $want.next_data {
                    call.context($p.reborrow().init_context())?;
                }
                $want.to_wire($p.reborrow().init_want());
                $fill
            },
            |r| match r.has_result() {
                true => FoundBlock::from_wire(r.get_result()?).map(Some),
                false => Ok(None),
            }
        )
    };
}

impl Chain for ChainProxy {
    fn get_height(&self) -> CallResult<Option<u32>> {
        ask!(self.0, get_height_request, |p, call| {}, |r| optional!(r))
    }

    fn get_block_hash(&self, height: u32) -> CallResult<BlockHash> {
        ask!(self.0, get_block_hash_request, |p, call| p.set_height(height), |r| block_hash(r.get_result()))
    }

    fn have_block_on_disk(&self, height: u32) -> CallResult<bool> {
        ask!(self.0, have_block_on_disk_request, |p, call| p.set_height(height), |r| Ok(r.get_result()))
    }

    fn find_locator_fork(&self, locator: &BlockLocator) -> CallResult<Option<u32>> {
        let locator = locator_bytes(locator);
        ask!(self.0, find_locator_fork_request, |p, call| p.set_locator(&locator), |r| optional!(r))
    }

    fn has_block_filter_index(&self) -> CallResult<bool> {
        ask!(self.0, has_block_filter_index_request, |p, call| {}, |r| Ok(r.get_result()))
    }

    fn block_filter_matches_any(&self, block: BlockHash, scripts: &[Script]) -> CallResult<Option<bool>> {
        let scripts = scripts.to_vec();
        ask!(
            context self.0,
            block_filter_matches_any_request,
            |p, call| {
                p.set_block(block.as_bytes());
                set_blobs(p.reborrow().init_scripts(count(scripts.len())), &scripts);
            },
            |r| optional!(r)
        )
    }

    fn find_block(&self, hash: BlockHash, want: FindBlock) -> CallResult<Option<FoundBlock>> {
        find!(self.0, find_block_request, want, |p| p.set_hash(hash.as_bytes()))
    }

    fn find_first_block_with_time_and_height(
        &self,
        min_time: i64,
        min_height: u32,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>> {
        find!(self.0, find_first_block_with_time_and_height_request, want, |p| {
            p.set_min_time(min_time);
            p.set_min_height(min_height);
        })
    }

    fn find_ancestor_by_height(
        &self,
        block: BlockHash,
        ancestor_height: u32,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>> {
        find!(self.0, find_ancestor_by_height_request, want, |p| {
            p.set_block(block.as_bytes());
            p.set_height(ancestor_height);
        })
    }

    fn find_ancestor_by_hash(
        &self,
        block: BlockHash,
        ancestor: BlockHash,
        want: FindBlock,
    ) -> CallResult<Option<FoundBlock>> {
        find!(self.0, find_ancestor_by_hash_request, want, |p| {
            p.set_block(block.as_bytes());
            p.set_ancestor(ancestor.as_bytes());
        })
    }

    fn find_common_ancestor(
        &self,
        block1: BlockHash,
        block2: BlockHash,
        want: FindBlock,
    ) -> CallResult<FoundCommonAncestor> {
        ask!(
            self.0,
            find_common_ancestor_request,
            |p, call| {
                if want.data || want.next_data {
                    call.context(p.reborrow().init_context())?;
                }
                want.to_wire(p.reborrow().init_want());
                p.set_block1(block1.as_bytes());
                p.set_block2(block2.as_bytes());
            },
            |r| {
                let mut found = FoundCommonAncestor::default();
                if r.has_ancestor() {
                    found.ancestor = Some(FoundBlock::from_wire(r.get_ancestor()?)?);
                }
                if r.has_block1() {
                    found.block1 = Some(FoundBlock::from_wire(r.get_block1()?)?);
                }
                if r.has_block2() {
                    found.block2 = Some(FoundBlock::from_wire(r.get_block2()?)?);
                }
                Ok(found)
            }
        )
    }

    fn find_coins(&self, outpoints: &[OutPoint]) -> CallResult<Vec<Option<Coin>>> {
        let outpoints = outpoint_bytes(outpoints);
        ask!(context self.0, find_coins_request, |p, call| p.set_outpoints(&outpoints), |r| {
            r.get_result()?.iter().map(FromWire::from_wire).collect()
        })
    }

    fn guess_verification_progress(&self, block: BlockHash) -> CallResult<f64> {
        ask!(self.0, guess_verification_progress_request, |p, call| p.set_block(block.as_bytes()), |r| Ok(
            r.get_result()
        ))
    }

    fn has_blocks(&self, block: BlockHash, min_height: u32, max_height: Option<u32>) -> CallResult<bool> {
        ask!(
            self.0,
            has_blocks_request,
            |p, call| {
                p.set_block(block.as_bytes());
                p.set_min_height(min_height);
                p.set_max_height(max_height.unwrap_or(0));
                p.set_has_max_height(max_height.is_some());
            },
            |r| Ok(r.get_result())
        )
    }

    fn scan_blocks(&self, needles: ScanNeedles, stop_height: Option<u32>) -> CallResult<Arc<dyn BlockScan>> {
        self.0.call(move |client, call| async move {
            let mut request = client.scan_blocks_request();
            let mut p = request.get();
            call.context(p.reborrow().init_context())?;
            needles.to_wire(p.reborrow().init_needles());
            p.set_stop_height(stop_height.unwrap_or(0));
            p.set_has_stop_height(stop_height.is_some());
            let response = call.send(request).await?;
            let scan = response.get()?.get_result()?;
            Ok(Arc::new(BlockScanProxy(Proxy::new(call.session(), scan))) as Arc<dyn BlockScan>)
        })
    }

    fn is_rbf_opt_in(&self, tx: TxRef) -> CallResult<RbfState> {
        ask!(
            context self.0,
            is_rbf_opt_in_request,
            |p, call| p.set_tx(&encode_to_vec(&*tx)),
            |r| RbfState::from_wire(r.get_result())
        )
    }

    fn is_in_mempool(&self, txid: Txid) -> CallResult<bool> {
        ask!(
            context self.0,
            is_in_mempool_request,
            |p, call| p.set_txid(txid.as_bytes()),
            |r| Ok(r.get_result())
        )
    }

    fn has_descendants_in_mempool(&self, txid: Txid) -> CallResult<bool> {
        ask!(
            context self.0,
            has_descendants_in_mempool_request,
            |p, call| p.set_txid(txid.as_bytes()),
            |r| Ok(r.get_result())
        )
    }

    fn broadcast_transaction(
        &self,
        tx: TxRef,
        max_fee: Amount,
        method: TxBroadcast,
    ) -> CallResult<Broadcast> {
        ask!(
            context self.0,
            broadcast_transaction_request,
            |p, call| {
                p.set_tx(&encode_to_vec(&*tx));
                p.set_max_fee(max_fee.0);
                p.set_method(method.to_enum());
            },
            |r| match r.get_accepted() {
                true => Ok(Ok(())),
                false => Ok(Err(text(r.get_error())?)),
            }
        )
    }

    fn get_transaction_ancestry(&self, txid: Txid) -> CallResult<TransactionAncestry> {
        ask!(
            context self.0,
            get_transaction_ancestry_request,
            |p, call| p.set_txid(txid.as_bytes()),
            |r| Ok(TransactionAncestry {
                ancestors: r.get_ancestors(),
                cluster_count: r.get_cluster_count(),
                ancestor_size: r.get_ancestor_size(),
                ancestor_fees: Amount(r.get_ancestor_fees()),
            })
        )
    }

    fn calculate_individual_bump_fees(
        &self,
        outpoints: &[OutPoint],
        feerate: Amount,
    ) -> CallResult<Vec<Amount>> {
        let outpoints = outpoint_bytes(outpoints);
        ask!(
            context self.0,
            calculate_individual_bump_fees_request,
            |p, call| {
                p.set_outpoints(&outpoints);
                p.set_feerate(feerate.0);
            },
            |r| Ok(amounts(r.get_result()?))
        )
    }

    fn calculate_combined_bump_fee(
        &self,
        outpoints: &[OutPoint],
        feerate: Amount,
    ) -> CallResult<Option<Amount>> {
        let outpoints = outpoint_bytes(outpoints);
        ask!(
            context self.0,
            calculate_combined_bump_fee_request,
            |p, call| {
                p.set_outpoints(&outpoints);
                p.set_feerate(feerate.0);
            },
            |r| Ok(r.get_has_result().then(|| Amount(r.get_result())))
        )
    }

    fn get_package_limits(&self) -> CallResult<PackageLimits> {
        ask!(self.0, get_package_limits_request, |p, call| {}, |r| Ok(PackageLimits {
            ancestors: r.get_ancestors(),
            descendants: r.get_descendants(),
        }))
    }

    fn check_chain_limits(&self, tx: TxRef) -> CallResult<Result<(), BilingualString>> {
        ask!(
            context self.0,
            check_chain_limits_request,
            |p, call| p.set_tx(&encode_to_vec(&*tx)),
            |r| match r.has_error() {
                false => Ok(Ok(())),
                true => Ok(Err(BilingualString::from_wire(r.get_error()?)?)),
            }
        )
    }

    fn estimate_smart_fee(&self, num_blocks: u32, conservative: bool) -> CallResult<FeeEstimate> {
        ask!(
            context self.0,
            estimate_smart_fee_request,
            |p, call| {
                p.set_num_blocks(num_blocks);
                p.set_conservative(conservative);
            },
            |r| FeeEstimate::from_wire(r.get_result()?)
        )
    }

    fn estimate_max_blocks(&self) -> CallResult<u32> {
        ask!(self.0, estimate_max_blocks_request, |p, call| {}, |r| Ok(r.get_result()))
    }

    fn mempool_min_fee(&self) -> CallResult<Amount> {
        ask!(context self.0, mempool_min_fee_request, |p, call| {}, |r| Ok(Amount(r.get_result())))
    }

    fn relay_min_fee(&self) -> CallResult<Amount> {
        ask!(self.0, relay_min_fee_request, |p, call| {}, |r| Ok(Amount(r.get_result())))
    }

    fn relay_incremental_fee(&self) -> CallResult<Amount> {
        ask!(self.0, relay_incremental_fee_request, |p, call| {}, |r| Ok(Amount(r.get_result())))
    }

    fn relay_dust_fee(&self) -> CallResult<Amount> {
        ask!(self.0, relay_dust_fee_request, |p, call| {}, |r| Ok(Amount(r.get_result())))
    }

    fn have_pruned(&self) -> CallResult<bool> {
        ask!(self.0, have_pruned_request, |p, call| {}, |r| Ok(r.get_result()))
    }

    fn get_prune_height(&self) -> CallResult<Option<u32>> {
        ask!(self.0, get_prune_height_request, |p, call| {}, |r| optional!(r))
    }

    fn is_ready_to_broadcast(&self) -> CallResult<bool> {
        ask!(self.0, is_ready_to_broadcast_request, |p, call| {}, |r| Ok(r.get_result()))
    }

    fn is_initial_block_download(&self) -> CallResult<bool> {
        ask!(self.0, is_initial_block_download_request, |p, call| {}, |r| Ok(r.get_result()))
    }

    fn shutdown_requested(&self) -> CallResult<bool> {
        ask!(self.0, shutdown_requested_request, |p, call| {}, |r| Ok(r.get_result()))
    }

    fn has_assumed_valid_chain(&self) -> CallResult<bool> {
        ask!(self.0, has_assumed_valid_chain_request, |p, call| {}, |r| Ok(r.get_result()))
    }

    fn init_message(&self, message: &str) -> CallResult<()> {
        let message = message.to_owned();
        ask!(context self.0, init_message_request, |p, call| p.set_message(&message), |r| Ok(()))
    }

    fn init_warning(&self, message: &BilingualString) -> CallResult<()> {
        let message = message.clone();
        ask!(
            context self.0,
            init_warning_request,
            |p, call| message.to_wire(p.reborrow().init_message()),
            |r| Ok(())
        )
    }

    fn init_error(&self, message: &BilingualString) -> CallResult<()> {
        let message = message.clone();
        ask!(
            context self.0,
            init_error_request,
            |p, call| message.to_wire(p.reborrow().init_message()),
            |r| Ok(())
        )
    }

    fn show_progress(&self, title: &str, progress: i32, resume_possible: bool) -> CallResult<()> {
        let title = title.to_owned();
        ask!(
            context self.0,
            show_progress_request,
            |p, call| {
                p.set_title(&title);
                p.set_progress(progress);
                p.set_resume_possible(resume_possible);
            },
            |r| Ok(())
        )
    }

    fn handle_notifications(
        &self,
        notifications: Arc<dyn ChainNotifications>,
    ) -> CallResult<Arc<dyn Handler>> {
        self.0.call(move |client, call| async move {
            let mut request = client.handle_notifications_request();
            let mut p = request.get();
            call.context(p.reborrow().init_context())?;
            notifications.options().to_wire(p.reborrow().init_options());
            p.set_notifications(notifications_client(call.session(), notifications));
            let response = call.send(request).await?;
            Ok(handler(&call, response.get()?.get_result()?))
        })
    }

    fn wait_for_notifications_if_tip_changed(&self, old_tip: BlockHash) -> CallResult<()> {
        ask!(
            context self.0,
            wait_for_notifications_if_tip_changed_request,
            |p, call| p.set_old_tip(old_tip.as_bytes()),
            |r| Ok(())
        )
    }

    fn wait_for_notifications(&self) -> CallResult<()> {
        ask!(context self.0, wait_for_notifications_request, |p, call| {}, |r| Ok(()))
    }

    fn request_mempool_transactions(&self, notifications: Arc<dyn ChainNotifications>) -> CallResult<()> {
        ask!(
            context self.0,
            request_mempool_transactions_request,
            |p, call| {
                notifications.options().to_wire(p.reborrow().init_options());
                p.set_notifications(notifications_client(call.session(), notifications));
            },
            |r| Ok(())
        )
    }

    fn handle_rpc(&self, command: RpcCommand, actor: Arc<dyn RpcActor>) -> CallResult<Arc<dyn Handler>> {
        self.handle_rpcs(vec![command], actor)
    }

    fn handle_rpcs(
        &self,
        commands: Vec<RpcCommand>,
        actor: Arc<dyn RpcActor>,
    ) -> CallResult<Arc<dyn Handler>> {
        self.0.call(move |client, call| async move {
            let mut request = client.handle_rpcs_request();
            let mut p = request.get();
            call.context(p.reborrow().init_context())?;
            let mut list = p.reborrow().init_commands(count(commands.len()));
            for (n, command) in (0..).zip(&commands) {
                command.to_wire(list.reborrow().get(n));
            }
            p.set_actor(rpc_actor_client(call.session(), actor));
            let response = call.send(request).await?;
            Ok(handler(&call, response.get()?.get_result()?))
        })
    }

    fn rpc_enable_deprecated(&self, method: &str) -> CallResult<bool> {
        let method = method.to_owned();
        ask!(self.0, rpc_enable_deprecated_request, |p, call| p.set_method(&method), |r| Ok(r.get_result()))
    }

    fn get_setting(&self, name: &str) -> CallResult<Value> {
        let name = name.to_owned();
        ask!(self.0, get_setting_request, |p, call| p.set_name(&name), |r| json(r.get_result()))
    }

    fn get_settings_list(&self, name: &str) -> CallResult<Vec<Value>> {
        let name = name.to_owned();
        ask!(self.0, get_settings_list_request, |p, call| p.set_name(&name), |r| {
            r.get_result()?.iter().map(json).collect()
        })
    }

    fn get_rw_setting(&self, name: &str) -> CallResult<Value> {
        let name = name.to_owned();
        ask!(self.0, get_rw_setting_request, |p, call| p.set_name(&name), |r| json(r.get_result()))
    }

    fn update_rw_setting(&self, name: &str, update: Arc<dyn SettingsUpdate>) -> CallResult<bool> {
        let name = name.to_owned();
        ask!(
            context self.0,
            update_rw_setting_request,
            |p, call| {
                p.set_name(&name);
                p.set_update(settings_update_client(call.session(), update));
            },
            |r| Ok(r.get_result())
        )
    }

    fn overwrite_rw_setting(&self, name: &str, value: Value, action: SettingsAction) -> CallResult<bool> {
        let name = name.to_owned();
        ask!(
            context self.0,
            overwrite_rw_setting_request,
            |p, call| {
                p.set_name(&name);
                p.set_value(value.to_string());
                p.set_action(action.to_enum());
            },
            |r| Ok(r.get_result())
        )
    }

    fn delete_rw_settings(&self, name: &str, action: SettingsAction) -> CallResult<bool> {
        let name = name.to_owned();
        ask!(
            context self.0,
            delete_rw_settings_request,
            |p, call| {
                p.set_name(&name);
                p.set_action(action.to_enum());
            },
            |r| Ok(r.get_result())
        )
    }
}

/// A scan of the node.
struct BlockScanProxy(Proxy<block_scan::Client>);

impl BlockScan for BlockScanProxy {
    fn next_chunk(
        &self,
        from_height: u32,
        expected_prev: Option<BlockHash>,
        added: ScanNeedles,
    ) -> CallResult<ScanChunk> {
        ask!(
            context self.0,
            next_chunk_request,
            |p, call| {
                p.set_from_height(from_height);
                if let Some(prev) = expected_prev {
                    p.set_expected_prev(prev.as_bytes());
                }
                added.to_wire(p.reborrow().init_added());
            },
            |r| ScanChunk::from_wire(r.get_result()?)
        )
    }
}

/// A wallet's RPC commands, in the node.
pub(crate) struct RpcActorProxy(pub(crate) Proxy<rpc_actor::Client>);

impl RpcActor for RpcActorProxy {
    fn call(&self, rpc: RpcRequest, last_callback: bool) -> CallResult<Option<RpcReply>> {
        ask!(
            secret self.0,
            call_request,
            |p, call| {
                p.set_last_callback(last_callback);
                rpc.to_wire(p.reborrow().init_request());
            },
            |r| FromWire::from_wire(r.get_reply()?)
        )
    }
}

/// A wallet's change of a setting, in the node.
pub(crate) struct SettingsUpdateProxy(pub(crate) Proxy<settings_update::Client>);

impl SettingsUpdate for SettingsUpdateProxy {
    fn update(&self, value: Value) -> CallResult<Option<(Value, SettingsAction)>> {
        ask!(
            context self.0,
            update_request,
            |p, call| p.set_value(value.to_string()),
            |r| match r.has_value() {
                true => Ok(Some((json(r.get_value())?, SettingsAction::from_wire(r.get_action())?))),
                false => Ok(None),
            }
        )
    }
}
