//! `waitfornewblock`, `waitforblock`, `waitforblockheight`.

use std::time::Duration;

use grs_hashes::BlockHash;
use grs_rpc::{Arg, Method, Request, Res, RpcError};
use serde_json::{Value, json};

use crate::rpc::{Ctx, Maker, block_hash};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    const TIMEOUT: &str = "Milliseconds to wait; 0 waits without limit";
    const EXAMPLE: &str = "\"0000000000079f8ef3d2c688c244eb7a4570b24c9ed7b4a8c619eb02596f8862\"";
    let result =
        || Res::obj("", "", [Res::hex("hash", "Hash of the tip"), Res::num("height", "Height of the tip")]);
    vec![
        maker
            .method(
                "blockchain",
                "waitfornewblock",
                "Waits for another tip and tells which it is; the present one at timeout or shutdown. The client should \
                 wait without limit too (groestlcoin-cli -rpcclienttimeout=0).\n",
                waitfornewblock,
            )
            .arg(Arg::num("timeout", TIMEOUT).default(0))
            .arg(Arg::hex("current_tip", "Waits until the tip is another than this one").optional())
            .result(result())
            .example("1000"),
        maker
            .method(
                "blockchain",
                "waitforblock",
                "Waits until a certain block is the tip and tells which it is; the present one at timeout or shutdown. \
                 The client should wait without limit too (groestlcoin-cli -rpcclienttimeout=0).\n",
                waitforblock,
            )
            .arg(Arg::hex("blockhash", "The block to wait for"))
            .arg(Arg::num("timeout", TIMEOUT).default(0))
            .result(result())
            .example_cli(&format!("{EXAMPLE} 1000"))
            .example_rpc(&format!("{EXAMPLE}, 1000")),
        maker
            .method(
                "blockchain",
                "waitforblockheight",
                "Waits until the tip has at least a certain height and tells which it is; the present one at timeout or \
                 shutdown. The client should wait without limit too (groestlcoin-cli -rpcclienttimeout=0).\n",
                waitforblockheight,
            )
            .arg(Arg::num("height", "The height to wait for"))
            .arg(Arg::num("timeout", TIMEOUT).default(0))
            .result(result())
            .example_cli("100 1000")
            .example_rpc("100, 1000"),
    ]
}

fn timeout(request: &Request<'_>) -> Result<Option<Duration>, RpcError> {
    let milliseconds: i32 = request.arg("timeout")?;
    match u64::try_from(milliseconds) {
        Err(_) => Err(RpcError::misc("Negative timeout")),
        Ok(0) => Ok(None),
        Ok(milliseconds) => Ok(Some(Duration::from_millis(milliseconds))),
    }
}

/// Waits until `enough` is true of the tip's hash and height; the tip then, or at timeout or shutdown.
fn wait(
    ctx: &Ctx,
    timeout: Option<Duration>,
    enough: impl FnMut(BlockHash, u32) -> bool,
) -> Result<Value, RpcError> {
    let (hash, height) =
        ctx.tip.wait(timeout, enough).ok_or_else(|| RpcError::internal("Node chainman not found"))?;
    Ok(json!({ "hash": hash.to_string(), "height": height }))
}

fn waitfornewblock(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let timeout = timeout(request)?;
    let current = match request.value("current_tip") {
        Value::Null => ctx.tip.get().map(|(hash, _)| hash).unwrap_or_default(),
        hash => block_hash(hash, "current_tip")?,
    };
    wait(ctx, timeout, |hash, _| hash != current)
}

fn waitforblock(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let wanted = block_hash(request.value("blockhash"), "blockhash")?;
    wait(ctx, timeout(request)?, |hash, _| hash == wanted)
}

fn waitforblockheight(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let wanted: i32 = request.arg("height")?;
    wait(ctx, timeout(request)?, |_, height| i64::from(height) >= i64::from(wanted))
}
