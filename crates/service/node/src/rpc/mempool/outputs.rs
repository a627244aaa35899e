//! `gettxspendingprevout`.

use grs_hashes::Txid;
use grs_primitives::OutPoint;
use grs_rpc::value::{Expected, check_object_types, parse_hash_field};
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError};
use serde_json::{Value, json};

use crate::rpc::tx_json::tx_hex;
use crate::rpc::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let output = Arg::obj(
        "",
        "",
        [Arg::hex("txid", "The transaction's id"), Arg::num("vout", "Number of the output")],
    );
    vec![
        maker
            .method(
                "blockchain",
                "gettxspendingprevout",
                "Looks in the mempool (and in the txospenderindex, if there is one) for transactions that spend these \
                 outputs",
                gettxspendingprevout,
            )
            .arg(Arg::arr("outputs", "The outputs", [output.optional()]))
            .arg(Arg::options(
                "options",
                "",
                [
                    Arg::bool("mempool_only", "Does not look in the index")
                        .default_hint("true if txospenderindex unavailable, otherwise false"),
                    Arg::bool("return_spending_tx", "Gives the spending transaction itself").default_hint("false"),
                ],
            ))
            .result(Res::arr(
                "",
                "",
                [Res::obj(
                    "",
                    "",
                    [
                        Res::hex("txid", "The transaction whose output it is"),
                        Res::num("vout", "Number of the output"),
                        Res::hex("spendingtxid", "The transaction that spends it, if one does").optional(),
                        Res::hex("spendingtx", "Bytes of that transaction (with return_spending_tx)").optional(),
                        Res::hex("blockhash", "The block of that transaction, if confirmed").optional(),
                    ],
                )],
            ))
            .example_cli("\"[{\\\"txid\\\":\\\"a08e6907dbbd3d809776dbfc5d82e371b764ed838b5655e72f463568df1aadf0\\\",\\\"vout\\\":3}]\"")
            .example_rpc("\"[{\\\"txid\\\":\\\"a08e6907dbbd3d809776dbfc5d82e371b764ed838b5655e72f463568df1aadf0\\\",\\\"vout\\\":3}]\""),
    ]
}

fn outpoint(object: &Value) -> Result<OutPoint, RpcError> {
    object.get_object()?;
    check_object_types(object, &[("txid", Expected::Str), ("vout", Expected::Num)], false, true)?;
    let txid = Txid::from_bytes(parse_hash_field(object, "txid")?);
    let vout: i32 = object.field("vout").get_int()?;
    let vout = u32::try_from(vout)
        .map_err(|_| RpcError::invalid_parameter("Invalid parameter, vout cannot be negative"))?;
    Ok(OutPoint { txid, vout })
}

fn gettxspendingprevout(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let outputs = request.value("outputs").get_array()?;
    if outputs.is_empty() {
        return Err(RpcError::invalid_parameter("Invalid parameter, outputs are missing"));
    }
    let options = request.value("options");
    if options.is_object() {
        let types = [("mempool_only", Expected::Bool), ("return_spending_tx", Expected::Bool)];
        check_object_types(options, &types, true, true)?;
    }
    let mempool_only = options.field("mempool_only").as_bool().unwrap_or(true);
    let with_tx = options.field("return_spending_tx").as_bool().unwrap_or(false);
    let outpoints = outputs.iter().map(outpoint).collect::<Result<Vec<_>, _>>()?;
    let pool = ctx.mempool()?.lock();
    let mut result = Vec::with_capacity(outputs.len());
    for (object, outpoint) in outputs.iter().zip(outpoints) {
        let mut entry = object.clone();
        match pool.spender(&outpoint) {
            Some(tx) => {
                entry["spendingtxid"] = json!(tx.txid().to_string());
                if with_tx {
                    entry["spendingtx"] = json!(tx_hex(tx));
                }
            }
            None if !mempool_only => {
                return Err(RpcError::misc(format!(
                    "No spending tx for the outpoint {}:{} in mempool, and txospenderindex is unavailable.",
                    outpoint.txid, outpoint.vout
                )));
            }
            None => {}
        }
        result.push(entry);
    }
    Ok(result.into())
}
