//! `getchaintips`, `getchaintxstats`.

use std::cmp::Reverse;
use std::collections::HashSet;

use grs_chainstate::{BlockId, BlockStatus};
use grs_rpc::{Arg, Method, Request, Res, RpcError, value};
use serde_json::{Map, Value, json};

use super::{lookup, tip};
use crate::rpc::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let tip = Res::obj(
        "",
        "",
        [
            Res::num("height", "Height of the tip"),
            Res::hex("hash", "Hash of the tip"),
            Res::num("branchlen", "Blocks outside the best chain; 0 for its own tip"),
            Res::str(
                "status",
                "What is known of the branch:\n\
                 \"invalid\": a block of it is invalid\n\
                 \"headers-only\": blocks are missing, the headers are valid\n\
                 \"valid-headers\": all blocks are there, but were not checked in full\n\
                 \"valid-fork\": checked in full, not in the best chain\n\
                 \"active\": the tip of the best chain",
            ),
        ],
    );
    vec![
        maker
            .method(
                "blockchain",
                "getchaintips",
                "All tips of the block tree: that of the best chain and those of branches.\n",
                getchaintips,
            )
            .result(Res::arr("", "", [tip]))
            .example(""),
        maker
            .method(
                "blockchain",
                "getchaintxstats",
                "Number and rate of the chain's transactions.\n",
                getchaintxstats,
            )
            .arg(Arg::num("nblocks", "Blocks to look at").default_hint("one month"))
            .arg(Arg::hex("blockhash", "The last of these blocks").default_hint("chain tip"))
            .result(Res::obj(
                "",
                "",
                [
                    Res::time("time", "Time of the last block in seconds since 1970"),
                    Res::num("txcount", "Transactions of the chain up to it, if known").optional(),
                    Res::hex("window_final_block_hash", "Hash of the last block"),
                    Res::num("window_final_block_height", "Height of the last block"),
                    Res::num("window_block_count", "Number of blocks looked at"),
                    Res::num("window_interval", "Seconds from the first to the last (not for 0 blocks)")
                        .optional(),
                    Res::num("window_tx_count", "Transactions in these blocks (not for 0 blocks), if known")
                        .optional(),
                    Res::num("txrate", "Transactions per second, if the time is not 0").optional(),
                ],
            ))
            .example_cli("")
            .example_rpc("2016"),
    ]
}

fn getchaintips(ctx: &Ctx, _: &Request<'_>) -> Result<Value, RpcError> {
    let manager = ctx.chainman()?;
    let state = manager.lock();
    let (index, view) = (manager.index(), state.view());
    let orphans: Vec<BlockId> = index.ids().filter(|id| !view.contains(*id)).collect();
    let parents: HashSet<BlockId> = orphans.iter().filter_map(|id| index.prev(*id)).collect();
    let mut tips: Vec<BlockId> = orphans.into_iter().filter(|id| !parents.contains(id)).collect();
    tips.extend(view.tip());
    tips.sort_by_key(|id| (Reverse(index.height(*id)), *id));
    let show = |id: BlockId| {
        let fork = view.find_fork(id).map_or(0, |fork| index.height(fork));
        let status = index.status(id);
        let word = if view.contains(id) {
            "active"
        } else if status.failed() {
            "invalid"
        } else if index.chain_tx_count(id) == 0 {
            "headers-only"
        } else if status.is_valid(BlockStatus::VALID_SCRIPTS) {
            "valid-fork"
        } else if status.is_valid(BlockStatus::VALID_TREE) {
            "valid-headers"
        } else {
            "unknown"
        };
        json!({
            "height": index.height(id),
            "hash": index.hash(id).to_string(),
            "branchlen": index.height(id) - fork,
            "status": word,
        })
    };
    Ok(tips.into_iter().map(show).collect::<Vec<_>>().into())
}

fn getchaintxstats(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    const MONTH: i64 = 30 * 24 * 60 * 60;
    let manager = ctx.chainman()?;
    let index = manager.index();
    let last = match request.value("blockhash") {
        Value::Null => tip(manager)?,
        hash => {
            let id = lookup(manager, hash, "blockhash")?;
            if !manager.view().contains(id) {
                return Err(RpcError::invalid_parameter("Block is not in main chain"));
            }
            id
        }
    };
    let height = i64::from(index.height(last));
    let count = match request.opt::<i32>("nblocks")?.map(i64::from) {
        None => (MONTH / manager.params().consensus.pow_target_spacing).min(height - 1).max(0),
        Some(count) if count < 0 || (count > 0 && count >= height) => {
            return Err(RpcError::invalid_parameter(
                "Invalid block count: should be between 0 and the block's height - 1",
            ));
        }
        Some(count) => count,
    };
    let start = u32::try_from(height - count).ok().and_then(|height| index.ancestor(last, height));
    let start = start.ok_or_else(|| RpcError::bug("a block has no ancestor"))?;
    let interval = index.median_time_past(last) - index.median_time_past(start);
    let (txs, txs_before) = (index.chain_tx_count(last), index.chain_tx_count(start));
    let mut out = Map::new();
    out.insert("time".into(), index.time(last).into());
    if txs != 0 {
        out.insert("txcount".into(), txs.into());
    }
    out.insert("window_final_block_hash".into(), index.hash(last).to_string().into());
    out.insert("window_final_block_height".into(), height.into());
    out.insert("window_block_count".into(), count.into());
    if count > 0 {
        out.insert("window_interval".into(), interval.into());
        if txs != 0 && txs_before != 0 {
            let window = txs - txs_before;
            out.insert("window_tx_count".into(), window.into());
            if interval > 0 {
                out.insert("txrate".into(), value::double(window as f64 / interval as f64));
            }
        }
    }
    Ok(Value::Object(out))
}
