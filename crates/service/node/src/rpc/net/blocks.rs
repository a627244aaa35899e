//! `getblockfrompeer`, `getorphantxs`.

use grs_primitives::WITNESS_SCALE_FACTOR;
use grs_rpc::{Arg, Method, Request, Res, RpcError, value};
use serde_json::{Value, json};

use crate::rpc::tx_json::tx_hex;
use crate::rpc::{Ctx, Maker, block_hash};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let orphan = || {
        vec![
            Res::hex("txid", "The id"),
            Res::hex("wtxid", "The hash with witness"),
            Res::num("bytes", "Bytes"),
            Res::num("vsize", "Virtual size"),
            Res::num("weight", "Weight"),
            Res::arr("from", "", [Res::num("peer_id", "Number of a connection that it came through")]),
        ]
    };
    let mut with_hex = orphan();
    with_hex.push(Res::hex("hex", "Its bytes"));
    vec![
        maker
            .method(
                "blockchain",
                "getblockfrompeer",
                "Asks a peer for a block whose header is known. The block comes without undo data, and may be pruned again at \
                 once. Another call for the same block may make the first peer's answer be ignored. Peers ignore requests for \
                 blocks that they never checked in full or that left the best chain long ago; who does not answer is \
                 disconnected. The result is an empty object if the request was made.\n",
                getblockfrompeer,
            )
            .arg(Arg::hex("blockhash", "The block"))
            .arg(Arg::num("peer_id", "Number of the connection, see getpeerinfo"))
            .result(Res::obj("", "", []))
            .example("\"000000000040ec74b9fe1d7fa4af97792904f80c5469f1a9460726cc4d2c5cbb\" 0"),
        maker
            .method(
                "hidden",
                "getorphantxs",
                "Transactions that wait for their parents. Experimental: may change.\n",
                getorphantxs,
            )
            .arg(
                Arg::num("verbosity", "0 for ids, 1 for objects, 2 for objects with the bytes")
                    .default(0)
                    .skip_type_check(),
            )
            .result(Res::arr("", "", [Res::hex("txid", "An id")]).cond("for verbose = 0"))
            .result(Res::arr("", "", [Res::obj("", "", orphan())]).cond("for verbose = 1"))
            .result(Res::arr("", "", [Res::obj("", "", with_hex)]).cond("for verbose = 2"))
            .example("2"),
    ]
}

fn getblockfrompeer(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let (manager, connman) = (ctx.chainman()?, ctx.connman()?);
    let hash = block_hash(request.value("blockhash"), "blockhash")?;
    let peer: i64 = request.arg("peer_id")?;
    let index = manager.index();
    let id = index.lookup(&hash).ok_or_else(|| RpcError::misc("Block header missing"))?;
    // Blocks from above the tip could keep files from being pruned.
    if manager.store().is_prune_mode() && i64::from(index.height(id)) > i64::from(manager.view().height()) {
        return Err(RpcError::misc(
            "In prune mode, only blocks that the node has already synced previously can be fetched from a peer",
        ));
    }
    if index.status(id).have_data() {
        return Err(RpcError::misc("Block already downloaded"));
    }
    connman.peer_manager().fetch_block(peer, id).map_err(RpcError::misc)?;
    Ok(json!({}))
}

fn getorphantxs(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let verbosity = value::parse_verbosity(request.value("verbosity"), 0, false)?;
    if !(0..=2).contains(&verbosity) {
        return Err(RpcError::invalid_parameter(format!("Invalid verbosity value {verbosity}")));
    }
    let orphans = ctx.connman()?.peer_manager().orphans();
    let show = |orphan: &grs_peer::OrphanInfo| {
        let tx = &orphan.tx;
        if verbosity == 0 {
            return tx.txid().to_string().into();
        }
        let mut out = json!({
            "txid": tx.txid().to_string(),
            "wtxid": tx.wtxid().to_string(),
            "bytes": tx.total_size(),
            "vsize": tx.weight().div_ceil(WITNESS_SCALE_FACTOR),
            "weight": tx.weight(),
            "from": orphan.announcers,
        });
        if verbosity == 2 {
            out["hex"] = tx_hex(tx).into();
        }
        out
    };
    Ok(orphans.iter().map(show).collect::<Vec<_>>().into())
}
