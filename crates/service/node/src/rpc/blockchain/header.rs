//! `getblockcount`, `getbestblockhash`, `getblockhash`, `getblockheader`, `getdifficulty`.

use grs_chainstate::{BlockId, ChainView, ChainstateManager};
use grs_consensus::difficulty;
use grs_encoding::{encode_to_vec, hex_encode};
use grs_rpc::{Arg, Method, Request, Res, RpcError, value};
use serde_json::{Map, Value};

use super::{lookup, target_text, tip};
use crate::rpc::{Ctx, Maker};

const EXAMPLE_HASH: &str = "\"00000000000434d5b8d1c3308df7b6e3fd773657dfb28f5dd2f70854ef94cc66\"";

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        maker
            .method(
                "blockchain",
                "getblockcount",
                "Height of the best chain that is valid in full. The genesis block is at height 0.\n",
                |ctx, _| Ok(ctx.chainman()?.view().height().into()),
            )
            .result(Res::num("", "The height"))
            .example("")
            .fast(),
        maker
            .method(
                "blockchain",
                "getbestblockhash",
                "Hash of the last block of the best chain that is valid in full.\n",
                |ctx, _| Ok(ctx.chainman()?.view().tip_hash().to_string().into()),
            )
            .result(Res::hex("", "The block hash"))
            .example("")
            .fast(),
        maker
            .method(
                "blockchain",
                "getblockhash",
                "Hash of the best chain's block at a height.\n",
                getblockhash,
            )
            .arg(Arg::num("height", "The height"))
            .result(Res::hex("", "The block hash"))
            .example("1000")
            .fast(),
        maker
            .method(
                "blockchain",
                "getdifficulty",
                "How hard a block is to find, as a multiple of the least difficulty.\n",
                |ctx, _| {
                    let manager = ctx.chainman()?;
                    Ok(value::double(difficulty(manager.index().bits(tip(manager)?))))
                },
            )
            .result(Res::num("", "The difficulty"))
            .example("")
            .fast(),
        maker
            .method(
                "blockchain",
                "getblockheader",
                "A block's header: with `verbose` an object, otherwise its bytes in hexadecimal.\n",
                getblockheader,
            )
            .arg(Arg::hex("blockhash", "The block hash"))
            .arg(Arg::bool("verbose", "An object instead of bytes").default(true))
            .result(Res::obj("", "", header_shape()).cond("for verbose = true"))
            .result(Res::hex("", "The header's bytes").cond("for verbose=false"))
            .example(EXAMPLE_HASH),
    ]
}

/// Shape of [`header_fields`].
pub(super) fn header_shape() -> Vec<Res> {
    vec![
        Res::hex("hash", "The block hash that was asked for"),
        Res::num("confirmations", "Blocks from here to the tip, or -1 outside the best chain"),
        Res::num("height", "The height"),
        Res::num("version", "The version"),
        Res::hex("versionHex", "The version in hexadecimal"),
        Res::hex("merkleroot", "The Merkle root"),
        Res::time("time", "The block's time in seconds since 1970"),
        Res::time("mediantime", "The median of the last eleven times in seconds since 1970"),
        Res::num("nonce", "The nonce"),
        Res::hex("bits", "The target in compact form"),
        Res::hex("target", "The target"),
        Res::num("difficulty", "The difficulty"),
        Res::hex("chainwork", "Expected number of hashes for the chain up to here"),
        Res::num("nTx", "Number of transactions"),
        Res::hex("previousblockhash", "The block before, if there is one").optional(),
        Res::hex("nextblockhash", "The block after, if there is one").optional(),
    ]
}

/// How many blocks a block is deep in a chain, and the one after it. Reference: `ComputeNextBlockAndDepth`.
fn depth(view: &ChainView, id: BlockId) -> (i64, Option<BlockId>) {
    if !view.contains(id) {
        return (-1, None);
    }
    (i64::from(view.height()) - i64::from(view.index().height(id)) + 1, view.next(id))
}

/// Fields of a header. Reference: `blockheaderToJSON`.
pub(super) fn header_fields(
    manager: &ChainstateManager,
    view: &ChainView,
    id: BlockId,
) -> Map<String, Value> {
    let index = manager.index();
    let header = index.header(id);
    let (confirmations, next) = depth(view, id);
    let mut out = Map::new();
    out.insert("hash".into(), header.hash().to_string().into());
    out.insert("confirmations".into(), confirmations.into());
    out.insert("height".into(), index.height(id).into());
    out.insert("version".into(), header.version.into());
    out.insert("versionHex".into(), format!("{:08x}", header.version).into());
    out.insert("merkleroot".into(), header.merkle_root.to_string().into());
    out.insert("time".into(), header.time.into());
    out.insert("mediantime".into(), index.median_time_past(id).into());
    out.insert("nonce".into(), header.nonce.into());
    out.insert("bits".into(), header.bits.to_string().into());
    out.insert("target".into(), target_text(header.bits, manager).into());
    out.insert("difficulty".into(), value::double(difficulty(header.bits)));
    out.insert("chainwork".into(), index.work(id).to_string().into());
    out.insert("nTx".into(), index.tx_count(id).into());
    if let Some(prev) = index.prev(id) {
        out.insert("previousblockhash".into(), index.hash(prev).to_string().into());
    }
    if let Some(next) = next {
        out.insert("nextblockhash".into(), index.hash(next).to_string().into());
    }
    out
}

fn getblockhash(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let height: i32 = request.arg("height")?;
    let view = ctx.chainman()?.view();
    let hash = u32::try_from(height).ok().and_then(|height| view.hash_at(height));
    hash.map(|hash| hash.to_string().into())
        .ok_or_else(|| RpcError::invalid_parameter("Block height out of range"))
}

fn getblockheader(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let manager = ctx.chainman()?;
    let id = lookup(manager, request.value("blockhash"), "hash")?;
    if !request.arg::<bool>("verbose")? {
        return Ok(hex_encode(encode_to_vec(&manager.index().header(id))).into());
    }
    Ok(Value::Object(header_fields(manager, &manager.view(), id)))
}
