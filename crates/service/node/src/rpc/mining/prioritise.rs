//! `prioritisetransaction`, `getprioritisedtransactions`.

use grs_hashes::Txid;
use grs_policy::dust_outputs;
use grs_rpc::{Arg, Method, Request, Res, RpcError, value};
use serde_json::{Map, Value};

use crate::rpc::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        maker
            .method(
                "mining",
                "prioritisetransaction",
                "Makes blocks take a transaction as if its fee were higher (or lower).\n",
                prioritisetransaction,
            )
            .arg(Arg::hex("txid", "The transaction's id"))
            .arg(Arg::num("dummy", "Zero or null, left from older versions; better use named arguments").optional())
            .arg(Arg::num(
                "fee_delta",
                "What to add to the fee, in gro (negative to subtract). It is no rate, and nobody pays it: only the choice \
                 of transactions for blocks looks at it.",
            ))
            .result(Res::bool("", "True"))
            .example_cli("\"txid\" 0.0 10000")
            .example_rpc("\"txid\", 0.0, 10000"),
        maker
            .method(
                "mining",
                "getprioritisedtransactions",
                "All fee deltas of prioritisetransaction by transaction, and whether the transaction is in the mempool.",
                getprioritisedtransactions,
            )
            .result(Res::obj_dyn(
                "",
                "Deltas by txid",
                [Res::obj(
                    "<transactionid>",
                    "",
                    [
                        Res::num("fee_delta", "The delta in gro"),
                        Res::bool("in_mempool", "Whether the transaction is in the mempool"),
                        Res::num("modified_fee", "Fee with delta in gro (only if in_mempool)").optional(),
                    ],
                )],
            ))
            .example(""),
    ]
}

fn prioritisetransaction(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let txid = Txid::from_bytes(value::parse_hash(request.value("txid"), "txid")?);
    let dummy: Option<f64> = request.opt("dummy")?;
    let delta: i64 = request.arg("fee_delta")?;
    if dummy.is_some_and(|dummy| dummy != 0.0) {
        return Err(RpcError::invalid_parameter(
            "Priority is no longer supported, dummy argument to prioritisetransaction must be 0.",
        ));
    }
    let mempool = ctx.mempool()?;
    let options = mempool.options();
    let mut pool = mempool.lock();
    // Dust may only enter without a fee, so that it is no reason to mine the transaction.
    let has_dust =
        pool.entry(&txid).is_some_and(|e| !dust_outputs(&e.tx, options.standard.dust_relay_rate).is_empty());
    if options.require_standard && has_dust {
        return Err(RpcError::invalid_parameter(
            "Priority is not supported for transactions with dust outputs.",
        ));
    }
    pool.prioritise(txid, delta);
    Ok(true.into())
}

fn getprioritisedtransactions(ctx: &Ctx, _: &Request<'_>) -> Result<Value, RpcError> {
    let pool = ctx.mempool()?.lock();
    let mut deltas: Vec<(Txid, i64)> = pool.deltas().iter().map(|(txid, delta)| (*txid, *delta)).collect();
    deltas.sort_unstable();
    let mut out = Map::new();
    for (txid, delta) in deltas {
        let mut item = Map::new();
        let entry = pool.entry(&txid);
        item.insert("fee_delta".into(), delta.into());
        item.insert("in_mempool".into(), entry.is_some().into());
        if let Some(entry) = entry {
            item.insert("modified_fee".into(), entry.modified_fee().0.into());
        }
        out.insert(txid.to_string(), item.into());
    }
    Ok(Value::Object(out))
}
