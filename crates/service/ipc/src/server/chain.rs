//! Server of `Chain` in the node, and of what a wallet hands to it.

use std::rc::Rc;
use std::sync::Arc;

use grs_interfaces::{
    BilingualString, BlockScan, CallResult, Chain, ChainNotifications, FindBlock, FoundBlock, Handler,
    NotifyOptions, RpcActor, RpcCommand, RpcRequest, ScanNeedles, SettingsAction, SettingsUpdate,
    TxBroadcast,
};
use grs_ipc_schema::chain_capnp::block_scan::{self, NextChunkParams, NextChunkResults};
use grs_ipc_schema::chain_capnp::chain::*;
use grs_ipc_schema::chain_capnp::{rpc_actor, settings_update};
use grs_mp::{RequestContext, Session};
use grs_primitives::{Amount, Script, Transaction};
use serde_json::Value;

use super::{Hosted, handler_client, serve};
use crate::client::{NotificationsProxy, Proxy, RpcActorProxy, SettingsUpdateProxy};
use crate::convert::{
    FromWire, ToEnum, ToWire, blobs, block_hash, count, decode_failure, json, locator, outpoints,
    set_amounts, text, txid,
};
use crate::supervised_wallet::RpcRelay;

/// The node's chain. RPC commands go to the relay if there is one.
struct ChainServer(Hosted<dyn Chain>, Subscriptions, Option<Arc<RpcRelay>>);

/// Subscribers over this connection. The barrier methods promise that they have processed everything.
type Subscriptions = Arc<std::sync::Mutex<Vec<std::sync::Weak<NotificationsProxy>>>>;

/// A capability for the node's chain.
pub(crate) fn chain_client(
    session: &Rc<Session>,
    object: Arc<dyn Chain>,
    relay: Option<Arc<RpcRelay>>,
) -> Client {
    capnp_rpc::new_client(ChainServer(Hosted::new(session, object, "Chain"), Subscriptions::default(), relay))
}

fn flush(subscriptions: &Subscriptions) -> CallResult<()> {
    let live: Vec<_> = {
        let mut list = subscriptions.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        list.retain(|subscriber| subscriber.strong_count() > 0);
        list.iter().filter_map(std::sync::Weak::upgrade).collect()
    };
    // Copied out: a wallet may subscribe or leave while another one is waited for.
    for subscriber in live {
        subscriber.flush()?;
    }
    Ok(())
}

/// A transaction, decoded where the work is done.
fn transaction(bytes: &[u8]) -> CallResult<Arc<Transaction>> {
    let mut reader = grs_encoding::Reader::new(bytes);
    let decoded = <Transaction as grs_encoding::Decode>::decode(&mut reader);
    decoded.map(Arc::new).map_err(|error| grs_interfaces::CallError::remote(transaction_failure(error)))
}

fn transaction_failure(error: grs_encoding::DecodeError) -> String {
    let text = decode_failure(error).extra;
    text.strip_prefix("std::exception: ").map(str::to_owned).unwrap_or(text)
}

macro_rules! optional {
    ($out:ident, $value:ident) => {
        if let Some(value) = $value {
            $out.set_result(value);
            $out.set_has_result(true);
        }
    };
}

/// A block-finding method: on the IPC thread unless block data are wanted.
macro_rules! find {
    ($name:ident $params:ident $results:ident, |$p:ident| $prepare:expr) => {
        async fn $name(self: Rc<Self>, params: $params, mut results: $results) -> Result<(), capnp::Error> {
            let call = self.0.session.receive(&params);
            let found: Option<FoundBlock> = {
                let $p = params.get()?;
                let want = FindBlock::from_wire($p.get_want()?)?;
                let object = self.0.get().map_err(grs_mp::exception)?;
                let work = $prepare;
                if want.data || want.next_data {
                    let context = RequestContext::read($p.get_context());
                    call.run(context, move || work(&*object, want)).await?
                } else {
                    call.run_here(|| work(&*object, want))?
                }
            };
            if let Some(found) = found {
                found.to_wire(results.get().init_result());
            }
            call.done(&mut results)
        }
    };
}

impl Server for ChainServer {
    serve!(here get_height GetHeightParams GetHeightResults,
        |p, s| |chain: &dyn Chain| chain.get_height(), |out, value| optional!(out, value));

    serve!(here get_block_hash GetBlockHashParams GetBlockHashResults,
        |p, s| { let height = p.get_height(); move |chain: &dyn Chain| chain.get_block_hash(height) },
        |out, hash| out.set_result(hash.as_bytes()));

    serve!(here have_block_on_disk HaveBlockOnDiskParams HaveBlockOnDiskResults,
        |p, s| { let height = p.get_height(); move |chain: &dyn Chain| chain.have_block_on_disk(height) },
        |out, value| out.set_result(value));

    serve!(here find_locator_fork FindLocatorForkParams FindLocatorForkResults,
        |p, s| { let have = locator(p.get_locator())?; move |chain: &dyn Chain| chain.find_locator_fork(&have) },
        |out, value| optional!(out, value));

    serve!(here has_block_filter_index HasBlockFilterIndexParams HasBlockFilterIndexResults,
        |p, s| |chain: &dyn Chain| chain.has_block_filter_index(), |out, value| out.set_result(value));

    serve!(worker block_filter_matches_any BlockFilterMatchesAnyParams BlockFilterMatchesAnyResults,
        |p, s| {
            let block = block_hash(p.get_block())?;
            let scripts = blobs(p.get_scripts()?, |item| Ok(Script::from(item?)))?;
            move |chain: &dyn Chain| chain.block_filter_matches_any(block, &scripts)
        },
        |out, value| optional!(out, value));

    find!(find_block FindBlockParams FindBlockResults, |p| {
        let hash = block_hash(p.get_hash())?;
        move |chain: &dyn Chain, want| chain.find_block(hash, want)
    });

    find!(find_first_block_with_time_and_height
        FindFirstBlockWithTimeAndHeightParams FindFirstBlockWithTimeAndHeightResults, |p| {
        let (time, height) = (p.get_min_time(), p.get_min_height());
        move |chain: &dyn Chain, want| chain.find_first_block_with_time_and_height(time, height, want)
    });

    find!(find_ancestor_by_height FindAncestorByHeightParams FindAncestorByHeightResults, |p| {
        let (block, height) = (block_hash(p.get_block())?, p.get_height());
        move |chain: &dyn Chain, want| chain.find_ancestor_by_height(block, height, want)
    });

    find!(find_ancestor_by_hash FindAncestorByHashParams FindAncestorByHashResults, |p| {
        let (block, ancestor) = (block_hash(p.get_block())?, block_hash(p.get_ancestor())?);
        move |chain: &dyn Chain, want| chain.find_ancestor_by_hash(block, ancestor, want)
    });

    async fn find_common_ancestor(
        self: Rc<Self>,
        params: FindCommonAncestorParams,
        mut results: FindCommonAncestorResults,
    ) -> Result<(), capnp::Error> {
        let call = self.0.session.receive(&params);
        let found = {
            let p = params.get()?;
            let want = FindBlock::from_wire(p.get_want()?)?;
            let (block1, block2) = (block_hash(p.get_block1())?, block_hash(p.get_block2())?);
            let object = self.0.get().map_err(grs_mp::exception)?;
            let work = move || object.find_common_ancestor(block1, block2, want);
            if want.data || want.next_data {
                call.run(RequestContext::read(p.get_context()), work).await?
            } else {
                call.run_here(work)?
            }
        };
        let mut out = results.get();
        if let Some(block) = found.ancestor {
            block.to_wire(out.reborrow().init_ancestor());
        }
        if let Some(block) = found.block1 {
            block.to_wire(out.reborrow().init_block1());
        }
        if let Some(block) = found.block2 {
            block.to_wire(out.reborrow().init_block2());
        }
        call.done(&mut results)
    }

    serve!(worker find_coins FindCoinsParams FindCoinsResults,
    |p, s| {
        let outpoints = outpoints(p.get_outpoints())?;
        move |chain: &dyn Chain| chain.find_coins(&outpoints)
    },
    |out, coins| {
        let mut list = out.init_result(count(coins.len()));
        for (n, coin) in (0..).zip(&coins) {
            coin.to_wire(list.reborrow().get(n));
        }
    });

    serve!(here guess_verification_progress GuessVerificationProgressParams GuessVerificationProgressResults,
        |p, s| {
            let block = block_hash(p.get_block())?;
            move |chain: &dyn Chain| chain.guess_verification_progress(block)
        },
        |out, value| out.set_result(value));

    serve!(here has_blocks HasBlocksParams HasBlocksResults,
        |p, s| {
            let (block, min) = (block_hash(p.get_block())?, p.get_min_height());
            let max = p.get_has_max_height().then(|| p.get_max_height());
            move |chain: &dyn Chain| chain.has_blocks(block, min, max)
        },
        |out, value| out.set_result(value));

    serve!(worker scan_blocks ScanBlocksParams ScanBlocksResults,
        |p, s| {
            let needles = ScanNeedles::from_wire(p.get_needles()?)?;
            let stop = p.get_has_stop_height().then(|| p.get_stop_height());
            move |chain: &dyn Chain| chain.scan_blocks(needles, stop)
        },
        |out, scan| out.set_result(capnp_rpc::new_client(BlockScanServer(Hosted::new(s, scan, "BlockScan")))));

    serve!(worker is_rbf_opt_in IsRbfOptInParams IsRbfOptInResults,
        |p, s| {
            let tx = p.get_tx()?.to_vec();
            move |chain: &dyn Chain| chain.is_rbf_opt_in(transaction(&tx)?)
        },
        |out, value| out.set_result(value.to_enum()));

    serve!(worker is_in_mempool IsInMempoolParams IsInMempoolResults,
        |p, s| { let id = txid(p.get_txid())?; move |chain: &dyn Chain| chain.is_in_mempool(id) },
        |out, value| out.set_result(value));

    serve!(worker has_descendants_in_mempool HasDescendantsInMempoolParams HasDescendantsInMempoolResults,
        |p, s| { let id = txid(p.get_txid())?; move |chain: &dyn Chain| chain.has_descendants_in_mempool(id) },
        |out, value| out.set_result(value));

    serve!(worker broadcast_transaction BroadcastTransactionParams BroadcastTransactionResults,
    |p, s| {
        let (tx, max_fee) = (p.get_tx()?.to_vec(), Amount(p.get_max_fee()));
        let method = TxBroadcast::from_wire(p.get_method())?;
        move |chain: &dyn Chain| chain.broadcast_transaction(transaction(&tx)?, max_fee, method)
    },
    |out, value| match value {
        Ok(()) => out.set_accepted(true),
        Err(error) => out.set_error(&error),
    });

    serve!(worker get_transaction_ancestry GetTransactionAncestryParams GetTransactionAncestryResults,
    |p, s| { let id = txid(p.get_txid())?; move |chain: &dyn Chain| chain.get_transaction_ancestry(id) },
    |out, value| {
        out.set_ancestors(value.ancestors);
        out.set_cluster_count(value.cluster_count);
        out.set_ancestor_size(value.ancestor_size);
        out.set_ancestor_fees(value.ancestor_fees.0);
    });

    serve!(worker calculate_individual_bump_fees
        CalculateIndividualBumpFeesParams CalculateIndividualBumpFeesResults,
        |p, s| {
            let (outpoints, feerate) = (outpoints(p.get_outpoints())?, Amount(p.get_feerate()));
            move |chain: &dyn Chain| chain.calculate_individual_bump_fees(&outpoints, feerate)
        },
        |out, fees| set_amounts(out.init_result(count(fees.len())), &fees));

    serve!(worker calculate_combined_bump_fee CalculateCombinedBumpFeeParams CalculateCombinedBumpFeeResults,
    |p, s| {
        let (outpoints, feerate) = (outpoints(p.get_outpoints())?, Amount(p.get_feerate()));
        move |chain: &dyn Chain| chain.calculate_combined_bump_fee(&outpoints, feerate)
    },
    |out, fee| {
        let fee = fee.map(|fee| fee.0);
        optional!(out, fee)
    });

    serve!(here get_package_limits GetPackageLimitsParams GetPackageLimitsResults,
    |p, s| |chain: &dyn Chain| chain.get_package_limits(),
    |out, limits| {
        out.set_ancestors(limits.ancestors);
        out.set_descendants(limits.descendants);
    });

    serve!(worker check_chain_limits CheckChainLimitsParams CheckChainLimitsResults,
    |p, s| {
        let tx = p.get_tx()?.to_vec();
        move |chain: &dyn Chain| chain.check_chain_limits(transaction(&tx)?)
    },
    |out, value| if let Err(error) = value {
        error.to_wire(out.init_error());
    });

    serve!(worker estimate_smart_fee EstimateSmartFeeParams EstimateSmartFeeResults,
        |p, s| {
            let (blocks, conservative) = (p.get_num_blocks(), p.get_conservative());
            move |chain: &dyn Chain| chain.estimate_smart_fee(blocks, conservative)
        },
        |out, estimate| estimate.to_wire(out.init_result()));

    serve!(here estimate_max_blocks EstimateMaxBlocksParams EstimateMaxBlocksResults,
        |p, s| |chain: &dyn Chain| chain.estimate_max_blocks(), |out, value| out.set_result(value));

    serve!(worker mempool_min_fee MempoolMinFeeParams MempoolMinFeeResults,
        |p, s| |chain: &dyn Chain| chain.mempool_min_fee(), |out, fee| out.set_result(fee.0));

    serve!(here relay_min_fee RelayMinFeeParams RelayMinFeeResults,
        |p, s| |chain: &dyn Chain| chain.relay_min_fee(), |out, fee| out.set_result(fee.0));

    serve!(here relay_incremental_fee RelayIncrementalFeeParams RelayIncrementalFeeResults,
        |p, s| |chain: &dyn Chain| chain.relay_incremental_fee(), |out, fee| out.set_result(fee.0));

    serve!(here relay_dust_fee RelayDustFeeParams RelayDustFeeResults,
        |p, s| |chain: &dyn Chain| chain.relay_dust_fee(), |out, fee| out.set_result(fee.0));

    serve!(here have_pruned HavePrunedParams HavePrunedResults,
        |p, s| |chain: &dyn Chain| chain.have_pruned(), |out, value| out.set_result(value));

    serve!(here get_prune_height GetPruneHeightParams GetPruneHeightResults,
        |p, s| |chain: &dyn Chain| chain.get_prune_height(), |out, value| optional!(out, value));

    serve!(here is_ready_to_broadcast IsReadyToBroadcastParams IsReadyToBroadcastResults,
        |p, s| |chain: &dyn Chain| chain.is_ready_to_broadcast(), |out, value| out.set_result(value));

    serve!(here is_initial_block_download IsInitialBlockDownloadParams IsInitialBlockDownloadResults,
        |p, s| |chain: &dyn Chain| chain.is_initial_block_download(), |out, value| out.set_result(value));

    serve!(here shutdown_requested ShutdownRequestedParams ShutdownRequestedResults,
        |p, s| |chain: &dyn Chain| chain.shutdown_requested(), |out, value| out.set_result(value));

    serve!(here has_assumed_valid_chain HasAssumedValidChainParams HasAssumedValidChainResults,
        |p, s| |chain: &dyn Chain| chain.has_assumed_valid_chain(), |out, value| out.set_result(value));

    serve!(worker init_message InitMessageParams InitMessageResults,
        |p, s| { let message = text(p.get_message())?; move |chain: &dyn Chain| chain.init_message(&message) },
        |out, ()| {});

    serve!(worker init_warning InitWarningParams InitWarningResults,
        |p, s| {
            let message = BilingualString::from_wire(p.get_message()?)?;
            move |chain: &dyn Chain| chain.init_warning(&message)
        },
        |out, ()| {});

    serve!(worker init_error InitErrorParams InitErrorResults,
        |p, s| {
            let message = BilingualString::from_wire(p.get_message()?)?;
            move |chain: &dyn Chain| chain.init_error(&message)
        },
        |out, ()| {});

    serve!(worker show_progress ShowProgressParams ShowProgressResults,
        |p, s| {
            let (title, progress, resume) = (text(p.get_title())?, p.get_progress(), p.get_resume_possible());
            move |chain: &dyn Chain| chain.show_progress(&title, progress, resume)
        },
        |out, ()| {});

    async fn handle_notifications(
        self: Rc<Self>,
        params: HandleNotificationsParams,
        mut results: HandleNotificationsResults,
    ) -> Result<(), capnp::Error> {
        let session = &self.0.session;
        let call = session.receive(&params);
        let p = params.get()?;
        let options = NotifyOptions::from_wire(p.get_options()?)?;
        let proxy = Arc::new(NotificationsProxy::new(Proxy::new(session, p.get_notifications()?), options));
        self.1.lock().unwrap_or_else(std::sync::PoisonError::into_inner).push(Arc::downgrade(&proxy));
        let object = self.0.get().map_err(grs_mp::exception)?;
        let context = RequestContext::read(p.get_context());
        let handler: Arc<dyn Handler> = call.run(context, move || object.handle_notifications(proxy)).await?;
        results.get().set_result(handler_client(session, handler));
        call.done(&mut results)
    }

    async fn wait_for_notifications_if_tip_changed(
        self: Rc<Self>,
        params: WaitForNotificationsIfTipChangedParams,
        mut results: WaitForNotificationsIfTipChangedResults,
    ) -> Result<(), capnp::Error> {
        let call = self.0.session.receive(&params);
        let p = params.get()?;
        let old_tip = block_hash(p.get_old_tip())?;
        let object = self.0.get().map_err(grs_mp::exception)?;
        let subscriptions = self.1.clone();
        let context = RequestContext::read(p.get_context());
        call.run(context, move || {
            object.wait_for_notifications_if_tip_changed(old_tip)?;
            flush(&subscriptions)
        })
        .await?;
        call.done(&mut results)
    }

    async fn wait_for_notifications(
        self: Rc<Self>,
        params: WaitForNotificationsParams,
        mut results: WaitForNotificationsResults,
    ) -> Result<(), capnp::Error> {
        let call = self.0.session.receive(&params);
        let object = self.0.get().map_err(grs_mp::exception)?;
        let subscriptions = self.1.clone();
        let context = RequestContext::read(params.get()?.get_context());
        call.run(context, move || {
            object.wait_for_notifications()?;
            flush(&subscriptions)
        })
        .await?;
        call.done(&mut results)
    }

    async fn request_mempool_transactions(
        self: Rc<Self>,
        params: RequestMempoolTransactionsParams,
        mut results: RequestMempoolTransactionsResults,
    ) -> Result<(), capnp::Error> {
        let session = &self.0.session;
        let call = session.receive(&params);
        let p = params.get()?;
        let options = NotifyOptions::from_wire(p.get_options()?)?;
        let proxy = Arc::new(NotificationsProxy::new(Proxy::new(session, p.get_notifications()?), options));
        let object = self.0.get().map_err(grs_mp::exception)?;
        let context = RequestContext::read(p.get_context());
        call.run(context, move || {
            object.request_mempool_transactions(proxy.clone())?;
            proxy.flush()
        })
        .await?;
        call.done(&mut results)
    }

    async fn handle_rpcs(
        self: Rc<Self>,
        params: HandleRpcsParams,
        mut results: HandleRpcsResults,
    ) -> Result<(), capnp::Error> {
        let session = &self.0.session;
        let call = session.receive(&params);
        let p = params.get()?;
        let commands =
            p.get_commands()?.iter().map(RpcCommand::from_wire).collect::<capnp::Result<Vec<_>>>()?;
        let actor: Arc<dyn RpcActor> = Arc::new(RpcActorProxy(Proxy::new(session, p.get_actor()?)));
        let object = self.0.get().map_err(grs_mp::exception)?;
        let relay = self.2.clone();
        let context = RequestContext::read(p.get_context());
        let work = move || match relay {
            Some(relay) => relay.register(commands, actor),
            None => object.handle_rpcs(commands, actor),
        };
        let handler = call.run(context, work).await?;
        results.get().set_result(handler_client(session, handler));
        call.done(&mut results)
    }

    serve!(here rpc_enable_deprecated RpcEnableDeprecatedParams RpcEnableDeprecatedResults,
        |p, s| { let method = text(p.get_method())?; move |chain: &dyn Chain| chain.rpc_enable_deprecated(&method) },
        |out, value| out.set_result(value));

    serve!(here get_setting GetSettingParams GetSettingResults,
        |p, s| { let name = text(p.get_name())?; move |chain: &dyn Chain| chain.get_setting(&name) },
        |out, value| out.set_result(value.to_string()));

    serve!(here get_settings_list GetSettingsListParams GetSettingsListResults,
    |p, s| { let name = text(p.get_name())?; move |chain: &dyn Chain| chain.get_settings_list(&name) },
    |out, values| {
        let mut list = out.init_result(count(values.len()));
        for (n, value) in (0..).zip(&values) {
            list.set(n, value.to_string());
        }
    });

    serve!(here get_rw_setting GetRwSettingParams GetRwSettingResults,
        |p, s| { let name = text(p.get_name())?; move |chain: &dyn Chain| chain.get_rw_setting(&name) },
        |out, value| out.set_result(value.to_string()));

    serve!(worker update_rw_setting UpdateRwSettingParams UpdateRwSettingResults,
        |p, s| {
            let name = text(p.get_name())?;
            let update: Arc<dyn SettingsUpdate> = Arc::new(SettingsUpdateProxy(Proxy::new(s, p.get_update()?)));
            move |chain: &dyn Chain| chain.update_rw_setting(&name, update)
        },
        |out, value| out.set_result(value));

    serve!(worker overwrite_rw_setting OverwriteRwSettingParams OverwriteRwSettingResults,
        |p, s| {
            let (name, value): (String, Value) = (text(p.get_name())?, json(p.get_value())?);
            let action = SettingsAction::from_wire(p.get_action())?;
            move |chain: &dyn Chain| chain.overwrite_rw_setting(&name, value, action)
        },
        |out, value| out.set_result(value));

    serve!(worker delete_rw_settings DeleteRwSettingsParams DeleteRwSettingsResults,
        |p, s| {
            let name = text(p.get_name())?;
            let action = SettingsAction::from_wire(p.get_action())?;
            move |chain: &dyn Chain| chain.delete_rw_settings(&name, action)
        },
        |out, value| out.set_result(value));
}

/// A scan in progress.
struct BlockScanServer(Hosted<dyn BlockScan>);

impl block_scan::Server for BlockScanServer {
    serve!(worker next_chunk NextChunkParams NextChunkResults,
        |p, s| {
            let from = p.get_from_height();
            let prev = p.has_expected_prev().then(|| block_hash(p.get_expected_prev())).transpose()?;
            let added = ScanNeedles::from_wire(p.get_added()?)?;
            move |scan: &dyn BlockScan| scan.next_chunk(from, prev, added)
        },
        |out, chunk| chunk.to_wire(out.init_result()));
}

/// A wallet's commands, for the node.
struct RpcActorServer(Hosted<dyn RpcActor>);

/// A capability for a wallet's commands.
pub(crate) fn rpc_actor_client(session: &Rc<Session>, object: Arc<dyn RpcActor>) -> rpc_actor::Client {
    capnp_rpc::new_client(RpcActorServer(Hosted::new(session, object, "RpcActor")))
}

use rpc_actor::{CallParams, CallResults};

impl rpc_actor::Server for RpcActorServer {
    serve!(secret call CallParams CallResults,
        |p, s| {
            let request = RpcRequest::from_wire(p.get_request()?)?;
            let last = p.get_last_callback();
            move |actor: &dyn RpcActor| actor.call(request, last)
        },
        |out, reply| reply.to_wire(out.init_reply()));
}

/// A change of a setting, for the node.
struct SettingsUpdateServer(Hosted<dyn SettingsUpdate>);

/// A capability for a change of a setting.
pub(crate) fn settings_update_client(
    session: &Rc<Session>,
    object: Arc<dyn SettingsUpdate>,
) -> settings_update::Client {
    capnp_rpc::new_client(SettingsUpdateServer(Hosted::new(session, object, "SettingsUpdate")))
}

use settings_update::{UpdateParams, UpdateResults};

impl settings_update::Server for SettingsUpdateServer {
    serve!(worker update UpdateParams UpdateResults,
    |p, s| {
        let value = json(p.get_value())?;
        move |update: &dyn SettingsUpdate| update.update(value)
    },
    |out, change| if let Some((value, action)) = change {
        out.set_value(value.to_string());
        out.set_action(action.to_enum());
    });
}

#[cfg(test)]
mod tests {
    use grs_encoding::encode_to_vec;

    use super::*;

    #[test]
    fn short_transactions_get_the_references_text() {
        let error = transaction(&[1, 0]).unwrap_err();
        assert_eq!(error.to_string(), "SpanReader::read(): end of data: iostream error");
        let coinbase = Transaction::from(grs_primitives::MutableTransaction {
            version: 1,
            inputs: vec![grs_primitives::TxIn::new(grs_primitives::OutPoint::NULL, 0)],
            outputs: Vec::new(),
            lock_time: 0,
        });
        assert_eq!(*transaction(&encode_to_vec(&coinbase)).unwrap(), coinbase);
    }
}
