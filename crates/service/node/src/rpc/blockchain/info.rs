//! `getblockchaininfo`, `getchainstates`, `verifychain`, `pruneblockchain`.

use grs_blockstore::BlockStoreOptions;
use grs_chainstate::{BlockStatus, ChainView, ChainstateManager, VerifyResult};
use grs_consensus::difficulty;
use grs_encoding::hex_encode;
use grs_log::{Category, debug};
use grs_params::Network;
use grs_rpc::{Arg, Method, Request, Res, RpcError, value};
use serde_json::{Map, Value, json};

use super::{target_text, tip};
use crate::rpc::{Ctx, Maker};

/// Blocks may be this much older than their place in the chain says, in seconds.
const TIMESTAMP_WINDOW: i64 = 7200;

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        getblockchaininfo_method(maker),
        getchainstates_method(maker),
        maker
            .method("blockchain", "verifychain", "Checks the stored blocks and the coins.\n", verifychain)
            .arg(
                Arg::num(
                    "checklevel",
                    "How thorough: 0 reads blocks, 1 checks them, 2 checks undo data, 3 takes the last blocks back in \
                     memory, 4 connects them again. Each level includes those before it.",
                )
                .default_hint("3, range=0-4"),
            )
            .arg(Arg::num("nblocks", "How many blocks").default_hint("6, 0=all"))
            .result(Res::bool("", "Whether all is well. If not, the log says why."))
            .example(""),
        maker
            .method(
                "blockchain",
                "pruneblockchain",
                "Deletes blocks and undo data up to a height or time, as far as that is allowed. The node has to run \
                 with `-prune`.\n",
                pruneblockchain,
            )
            .arg(Arg::num(
                "height",
                "The height to prune up to, or a time in seconds since 1970: blocks at least two hours older than it \
                 are pruned.",
            ))
            .result(Res::num("", "Height of the last block that is pruned"))
            .example("1000"),
    ]
}

fn getblockchaininfo_method(maker: &Maker) -> Method {
    maker
        .method("blockchain", "getblockchaininfo", "The state of the chain.\n", getblockchaininfo)
        .result(Res::obj(
            "",
            "",
            [
                Res::str("chain", "Name of the network (main, test, testnet4, signet, regtest)"),
                Res::num("blocks", "Height of the best chain that is valid in full"),
                Res::num("headers", "Height of the best header"),
                Res::str("bestblockhash", "Hash of the tip"),
                Res::hex("bits", "The tip's target in compact form"),
                Res::hex("target", "The tip's target"),
                Res::num("difficulty", "The tip's difficulty"),
                Res::time("time", "The tip's time in seconds since 1970"),
                Res::time("mediantime", "The tip's median time in seconds since 1970"),
                Res::num("verificationprogress", "Guess of how far verification is, from 0 to 1"),
                Res::bool("initialblockdownload", "Whether the node is catching up, as far as it knows"),
                Res::hex("chainwork", "Work of the best chain"),
                Res::num("size_on_disk", "Bytes that blocks and undo data take"),
                Res::bool("pruned", "Whether blocks are pruned"),
                Res::num("pruneheight", "Height of the first block that is stored (if pruning)").optional(),
                Res::bool("automatic_pruning", "Whether the node prunes by itself (if pruning)").optional(),
                Res::num("prune_target_size", "Bytes to prune to (if pruning by itself)").optional(),
                Res::hex("signet_challenge", "Script that blocks satisfy (on signets)").optional(),
                maker.warnings_shape(),
            ],
        ))
        .example("")
}

fn getchainstates_method(maker: &Maker) -> Method {
    let chainstate = Res::obj(
        "",
        "",
        [
            Res::num("blocks", "Height of this chainstate"),
            Res::hex("bestblockhash", "Hash of its tip"),
            Res::hex("bits", "The tip's target in compact form"),
            Res::hex("target", "The tip's target"),
            Res::num("difficulty", "The tip's difficulty"),
            Res::num("verificationprogress", "Progress towards the network's tip"),
            Res::hex("snapshot_blockhash", "Block of the snapshot it started from, if any").optional(),
            Res::num("coins_db_cache_bytes", "Bytes for the coins database"),
            Res::num("coins_tip_cache_bytes", "Bytes for the coins cache"),
            Res::bool("validated", "Whether all its blocks were validated here"),
        ],
    );
    maker
        .method("blockchain", "getchainstates", "The chainstates of this node.\n", getchainstates)
        .result(Res::obj(
            "",
            "",
            [
                Res::num("headers", "Height of the best header"),
                Res::arr("chainstates", "The chainstates by work, the active one last", [chainstate]),
            ],
        ))
        .example("")
}

/// Height of the highest pruned block. Reference: `GetPruneHeight`.
fn prune_height(manager: &ChainstateManager, view: &ChainView) -> Option<u32> {
    const HAVE_ALL: BlockStatus = BlockStatus(BlockStatus::HAVE_DATA.0 | BlockStatus::HAVE_UNDO.0);
    let index = manager.index();
    // The genesis block has no undo data and is not pruned for that.
    let (first, tip) = (view.at(1)?, view.tip()?);
    let Some(stored) = manager.store().first_block(tip, HAVE_ALL, Some(first)) else {
        return Some(index.height(tip));
    };
    if stored == first { None } else { index.height(stored).checked_sub(1) }
}

fn best_header_height(manager: &ChainstateManager) -> i64 {
    manager.best_header().map_or(-1, |id| i64::from(manager.index().height(id)))
}

fn getblockchaininfo(ctx: &Ctx, _: &Request<'_>) -> Result<Value, RpcError> {
    let manager = ctx.chainman()?;
    let (index, store, view) = (manager.index(), manager.store(), manager.view());
    let tip = tip(manager)?;
    let bits = index.bits(tip);
    let mut out = Map::new();
    out.insert("chain".into(), manager.params().network.name().into());
    out.insert("blocks".into(), index.height(tip).into());
    out.insert("headers".into(), best_header_height(manager).into());
    out.insert("bestblockhash".into(), index.hash(tip).to_string().into());
    out.insert("bits".into(), bits.to_string().into());
    out.insert("target".into(), target_text(bits, manager).into());
    out.insert("difficulty".into(), value::double(difficulty(bits)));
    out.insert("time".into(), index.time(tip).into());
    out.insert("mediantime".into(), index.median_time_past(tip).into());
    out.insert("verificationprogress".into(), value::double(manager.guess_verification_progress(Some(tip))));
    out.insert("initialblockdownload".into(), manager.is_initial_block_download().into());
    out.insert("chainwork".into(), index.work(tip).to_string().into());
    out.insert("size_on_disk".into(), store.current_usage().into());
    out.insert("pruned".into(), store.is_prune_mode().into());
    if store.is_prune_mode() {
        out.insert("pruneheight".into(), prune_height(manager, &view).map_or(0, |h| h + 1).into());
        let target = store.options().prune_target;
        let automatic = target != BlockStoreOptions::PRUNE_MANUAL;
        out.insert("automatic_pruning".into(), automatic.into());
        if automatic {
            out.insert("prune_target_size".into(), target.into());
        }
    }
    if manager.params().network == Network::Signet {
        let challenge = hex_encode(&manager.params().consensus.signet_challenge);
        out.insert("signet_challenge".into(), challenge.into());
    }
    out.insert("warnings".into(), ctx.warnings_value());
    Ok(Value::Object(out))
}

fn getchainstates(ctx: &Ctx, _: &Request<'_>) -> Result<Value, RpcError> {
    let manager = ctx.chainman()?;
    let (index, options) = (manager.index(), manager.options());
    let tip = tip(manager)?;
    let bits = index.bits(tip);
    Ok(json!({
        "headers": best_header_height(manager),
        "chainstates": [{
            "blocks": index.height(tip),
            "bestblockhash": index.hash(tip).to_string(),
            "bits": bits.to_string(),
            "target": target_text(bits, manager),
            "difficulty": value::double(difficulty(bits)),
            "verificationprogress": value::double(manager.guess_verification_progress(Some(tip))),
            "coins_db_cache_bytes": options.coins_db_cache_bytes,
            "coins_tip_cache_bytes": options.coins_cache_bytes,
            "validated": true,
        }],
    }))
}

fn verifychain(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let level: i32 = request.opt("checklevel")?.unwrap_or(3);
    let blocks: i32 = request.opt("nblocks")?.unwrap_or(6);
    // Out of range, as the reference: the level is clamped, no positive number means all blocks.
    let result = ctx.chainman()?.verify(level.clamp(0, 4).unsigned_abs(), blocks.max(0).unsigned_abs());
    Ok((result == VerifyResult::Success).into())
}

fn pruneblockchain(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let manager = ctx.chainman()?;
    if !manager.store().is_prune_mode() {
        return Err(RpcError::misc("Cannot prune blocks because node is not in prune mode."));
    }
    let height: i32 = request.arg("height")?;
    let view = manager.view();
    let Ok(mut height) = u32::try_from(height) else {
        return Err(RpcError::invalid_parameter("Negative block height."));
    };
    // More than any height for long, and as a time in 2001.
    if height > 1_000_000_000 {
        let block = view.find_earliest_at_least(i64::from(height) - TIMESTAMP_WINDOW, 0);
        let block = block.ok_or_else(|| {
            RpcError::invalid_parameter("Could not find block with at least the specified timestamp.")
        })?;
        height = manager.index().height(block);
    }
    let chain_height = view.height().max(0).unsigned_abs();
    if u64::from(chain_height) < manager.params().prune_after_height {
        return Err(RpcError::misc("Blockchain is too short for pruning."));
    }
    if height > chain_height {
        return Err(RpcError::invalid_parameter("Blockchain is shorter than the attempted prune height."));
    }
    let most = chain_height.saturating_sub(grs_chainstate::MIN_BLOCKS_TO_KEEP);
    if height > most {
        debug!(
            Category::Rpc,
            "Attempt to prune blocks close to the tip.  Retaining the minimum number of blocks."
        );
        height = most;
    }
    manager.prune_to_height(height);
    Ok(prune_height(manager, &manager.view()).map_or(-1, i64::from).into())
}
