//! Methods on block filters. Reference: `getblockfilter` and `scanblocks` in `src/rpc/blockchain.cpp`.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use grs_blockstore::{BlockId, BlockStatus};
use grs_chainstate::ChainstateManager;
use grs_descriptor::FlatSigningProvider;
use grs_encoding::hex_encode;
use grs_index::FilterIndex;
use grs_primitives::Script;
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError, code};
use serde_json::{Value, json};

use super::scan;
use crate::rpc::descriptors::scripts_of;
use crate::rpc::{Ctx, Maker, block_hash};

/// Blocks between looks at whether to go on.
const STEP: u32 = 1_000;

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let type_arg = || Arg::str("filtertype", "Kind of filter").default("basic");
    vec![
        maker
            .method("blockchain", "getblockfilter", "The compact filter (BIP157) of a block.\n", getblockfilter)
            .arg(Arg::hex("blockhash", "Hash of the block"))
            .arg(type_arg())
            .result(Res::obj(
                "",
                "",
                [Res::hex("filter", "The filter"), Res::hex("header", "The filter's header")],
            ))
            .example("\"00000000000434d5b8d1c3308df7b6e3fd773657dfb28f5dd2f70854ef94cc66\" \"basic\""),
        maker
            .method(
                "blockchain",
                "scanblocks",
                "Finds the blocks that have to do with what descriptors describe (requires -blockfilterindex). This may \
                 take minutes: call without a time limit (groestlcoin-cli -rpcclienttimeout=0).\n",
                scanblocks,
            )
            .arg(scan::action_arg())
            .arg(scan::objects_arg())
            .arg(Arg::num("start_height", "Height to begin at").default(0))
            .arg(Arg::num("stop_height", "Height of the last block").default_hint("chain tip"))
            .arg(type_arg())
            .arg(
                Arg::options(
                    "options",
                    "",
                    [Arg::bool(
                        "filter_false_positives",
                        "Look into the blocks that match and leave out those that only seem to (slower, and may fail on \
                         pruned nodes)",
                    )
                    .default(false)],
                )
                .oneline("options"),
            )
            .result(
                Res::null("", "")
                    .cond("when action=='status' and no scan is in progress - possibly already completed"),
            )
            .result(
                Res::obj(
                    "",
                    "",
                    [
                        Res::num("from_height", "Height of the first block that was looked at"),
                        Res::num("to_height", "Height of the last one"),
                        Res::arr(
                            "relevant_blocks",
                            "Blocks that may have to do with it",
                            [Res::hex("blockhash", "Hash of such a block")],
                        ),
                        Res::bool("completed", "Whether the scan came to its end"),
                    ],
                )
                .cond("When action=='start'; only returns after scan completes"),
            )
            .result(
                Res::obj(
                    "",
                    "",
                    [
                        Res::num("progress", "Per cent done, roughly"),
                        Res::num("current_height", "Height that the scan has reached"),
                    ],
                )
                .cond("when action=='status' and a scan is currently in progress"),
            )
            .result(
                Res::bool("success", "Whether there was a scan to end; it may go on for a moment")
                    .cond("when action=='abort'"),
            )
            .example("start '[\"addr(grsrt1q4u4nsgk6ug0sqz7r3rj9tykjxrsl0yy4t9z8d8)\"]' 300000")
            .example("status"),
    ]
}

/// The index that a `filtertype` argument names.
fn index_of<'a>(ctx: &'a Ctx, request: &Request<'_>) -> Result<&'a FilterIndex, RpcError> {
    let kind = request.arg::<&str>("filtertype")?;
    if kind != "basic" {
        return Err(RpcError::new(code::INVALID_ADDRESS_OR_KEY, "Unknown filtertype"));
    }
    let index = ctx.filter_index.get();
    index
        .map(|index| &**index)
        .ok_or_else(|| RpcError::misc(format!("Index is not enabled for filtertype {kind}")))
}

fn getblockfilter(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let hash = block_hash(request.value("blockhash"), "blockhash")?;
    let index = index_of(ctx, request)?;
    let chain = ctx.chainman()?.index();
    let not_found = |text: &str| RpcError::new(code::INVALID_ADDRESS_OR_KEY, text);
    let id = chain.lookup(&hash).ok_or_else(|| not_found("Block not found"))?;
    let connected = chain.status(id).is_valid(BlockStatus::VALID_SCRIPTS);
    let ready = index.wait_for_tip();
    let found = index.filter(id).and_then(|filter| Ok(filter.zip(index.header(id)?)));
    if let Ok(Some((filter, header))) = found {
        return Ok(json!({ "filter": hex_encode(filter.encoded()), "header": header.to_string() }));
    }
    Err(match (connected, ready) {
        (false, _) => not_found("Filter not found. Block was not connected to active chain."),
        (true, false) => {
            RpcError::misc("Filter not found. Block filters are still in the process of being indexed.")
        }
        (true, true) => {
            RpcError::internal("Filter not found. This error is unexpected and indicates index corruption.")
        }
    })
}

fn scanblocks(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let state = &ctx.shared.filter_scan;
    state.dispatch(
        request,
        || {
            let (percent, height) = (state.percent(), state.height.load(Ordering::SeqCst));
            json!({ "progress": percent, "current_height": height })
        },
        || start(ctx, request),
    )
}

/// An active block at the height that an argument gives.
fn active_at(manager: &ChainstateManager, value: &Value) -> Result<Option<BlockId>, RpcError> {
    let height: i32 = value.get_int()?;
    Ok(u32::try_from(height).ok().and_then(|height| manager.view().at(height)))
}

fn start(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let state = &ctx.shared.filter_scan;
    let index = index_of(ctx, request)?;
    let manager = ctx.chainman()?;
    let chain = manager.index();
    let exact = match request.value("options") {
        Value::Object(options) => {
            options.get("filter_false_positives").map_or(Ok(false), JsonExt::get_bool)?
        }
        _ => false,
    };
    let invalid = |text: &str| RpcError::misc(text);
    let from = match request.value("start_height") {
        Value::Null => 0,
        value => active_at(manager, value)?
            .map(|id| chain.height(id))
            .ok_or_else(|| invalid("Invalid start_height"))?,
    };
    let stop = match request.value("stop_height") {
        Value::Null => super::tip(manager)?,
        value => active_at(manager, value)?
            .filter(|id| chain.height(*id) >= from)
            .ok_or_else(|| invalid("Invalid stop_height"))?,
    };
    index.wait_for_tip();
    let mut wanted: HashSet<Script> = HashSet::new();
    for object in request.value("scanobjects").get_array()? {
        let mut provider = FlatSigningProvider::new();
        wanted.extend(scripts_of(object, manager.params().network, &mut provider, false)?);
    }
    let to = chain.height(stop);
    let mut relevant = Vec::new();
    let mut reached = from;
    let mut completed = true;
    state.height.store(from, Ordering::SeqCst);
    for height in from..=to {
        if (height - from).is_multiple_of(STEP) {
            ctx.rpc.check_interrupt()?;
            if state.aborted() {
                completed = false;
                break;
            }
            state.set_percent(100 * (height - from) / (to - from).max(1));
        }
        let Some(id) = chain.ancestor(stop, height) else { continue };
        // As in the reference, what has no filter yet is passed over.
        if let Ok(Some(filter)) = index.filter(id)
            && filter.matches_any(wanted.iter().map(|script| &**script))
            && (!exact || really_matches(manager, id, &wanted)?)
        {
            relevant.push(chain.hash(id).to_string());
        }
        reached = height;
        state.height.store(height, Ordering::SeqCst);
    }
    Ok(json!({
        "from_height": from,
        "to_height": reached,
        "relevant_blocks": relevant,
        "completed": completed,
    }))
}

/// Whether a block pays or spends one of the scripts.
fn really_matches(
    manager: &ChainstateManager,
    id: BlockId,
    wanted: &HashSet<Script>,
) -> Result<bool, RpcError> {
    let unable = |e: &dyn std::fmt::Display| RpcError::misc(format!("Block not available: {e}"));
    let store = manager.store();
    let block = store.read_block(id).map_err(|e| unable(&e))?;
    if block.txs.iter().flat_map(|tx| &tx.outputs).any(|out| wanted.contains(&out.script_pubkey)) {
        return Ok(true);
    }
    if manager.index().height(id) == 0 {
        return Ok(false);
    }
    let undo = store.read_undo(id).map_err(|e| unable(&e))?;
    Ok(undo.txs.iter().flat_map(|tx| &tx.spent).any(|coin| wanted.contains(&coin.out.script_pubkey)))
}
