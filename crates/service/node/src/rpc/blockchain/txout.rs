//! `gettxout`.

use grs_hashes::Txid;
use grs_mempool::{MEMPOOL_HEIGHT, PoolCoins};
use grs_primitives::OutPoint;
use grs_rpc::{Arg, Method, Request, Res, RpcError, help, value};
use serde_json::{Value, json};

use crate::rpc::script_json::{script_shape, script_to_json};
use crate::rpc::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let found = Res::obj(
        "",
        "",
        [
            Res::hex("bestblock", "Hash of the tip"),
            Res::num("confirmations", "Number of confirmations"),
            Res::amount("value", "The amount in GRS"),
            Res::obj("scriptPubKey", "", script_shape()),
            Res::bool("coinbase", "Whether a coinbase made it"),
        ],
    );
    vec![
        maker
            .method("blockchain", "gettxout", "An unspent output.\n", gettxout)
            .arg(Arg::str("txid", "The transaction's id"))
            .arg(Arg::num("n", "Number of the output"))
            .arg(
                Arg::bool(
                    "include_mempool",
                    "Looks at the mempool too. An output that is spent there does not show.",
                )
                .default(true),
            )
            .result(Res::null("", "").cond("If the UTXO was not found"))
            .result(found.cond("Otherwise"))
            .example_text("\nFind an unspent output\n")
            .example_text(&help::example_cli("listunspent", ""))
            .example_text("\nLook at it\n")
            .example_cli("\"txid\" 1")
            .example_text("\nThe same by JSON-RPC\n")
            .example_rpc("\"txid\", 1"),
    ]
}

fn gettxout(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let txid = Txid::from_bytes(value::parse_hash(request.value("txid"), "txid")?);
    let outpoint = OutPoint { txid, vout: request.arg("n")? };
    let with_mempool: bool = request.arg("include_mempool")?;
    let manager = ctx.chainman()?;
    let mut state = manager.lock();
    let unable = || RpcError::internal("Unable to read UTXO set");
    let coin = if with_mempool {
        let pool = ctx.mempool()?.lock();
        if pool.spender(&outpoint).is_some() {
            None
        } else {
            PoolCoins::new(&pool).get(state.coins(), &outpoint).map_err(|_| unable())?
        }
    } else {
        state.coins().get(&outpoint).map_err(|_| unable())?
    };
    let Some(coin) = coin else { return Ok(Value::Null) };
    let view = state.view();
    let confirmations = match coin.height {
        MEMPOOL_HEIGHT => 0,
        height => i64::from(view.height()) - i64::from(height) + 1,
    };
    Ok(json!({
        "bestblock": view.tip_hash().to_string(),
        "confirmations": confirmations,
        "value": value::amount(coin.out.value.0),
        "scriptPubKey": script_to_json(&coin.out.script_pubkey, manager.params().network),
        "coinbase": coin.coinbase,
    }))
}
