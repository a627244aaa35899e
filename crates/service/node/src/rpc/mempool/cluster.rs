//! `getmempoolcluster`, `getmempoolfeeratediagram`.

use grs_rpc::{Arg, Method, Request, Res, RpcError, value};
use serde_json::{Value, json};

use super::{not_there, txid};
use crate::rpc::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let chunk = Res::obj(
        "chunk",
        "",
        [
            Res::num("chunkfee", "Fees of its transactions"),
            Res::num("chunkweight", "Weight of its transactions, adjusted for signature operations"),
            Res::arr("txs", "Its transactions in mining order", [Res::hex("txid", "An id")]),
        ],
    );
    vec![
        maker
            .method(
                "blockchain",
                "getmempoolcluster",
                "The cluster of a transaction in the mempool.\n",
                getmempoolcluster,
            )
            .arg(Arg::hex("txid", "Id of a transaction of the cluster"))
            .result(Res::obj(
                "",
                "",
                [
                    Res::num("clusterweight", "Weight, adjusted for signature operations"),
                    Res::num("txcount", "Number of transactions"),
                    Res::arr("chunks", "Its chunks in mining order", [chunk]),
                ],
            ))
            .example("txid"),
        maker
            .method(
                "hidden",
                "getmempoolfeeratediagram",
                "The fee-rate diagram of the whole mempool.",
                getmempoolfeeratediagram,
            )
            .result(
                Res::arr(
                    "",
                    "",
                    [Res::obj(
                        "",
                        "",
                        [
                            Res::num("weight", "Weight up to here, adjusted for signature operations"),
                            Res::num("fee", "Fees up to here"),
                        ],
                    )],
                )
                .cond("mempool chunks"),
            )
            .example(""),
    ]
}

fn getmempoolcluster(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let txid = txid(request.value("txid"))?;
    let pool = ctx.mempool()?.lock();
    if !pool.contains(&txid) {
        return Err(not_there());
    }
    let chunks = pool.cluster_chunks(&txid);
    let weight: i64 = chunks.iter().map(|(_, total)| total.size).sum();
    let count: usize = chunks.iter().map(|(txs, _)| txs.len()).sum();
    let chunks: Vec<Value> = chunks
        .into_iter()
        .map(|(txs, total)| {
            let ids: Vec<String> = txs.iter().map(|entry| entry.tx.txid().to_string()).collect();
            json!({ "chunkfee": value::amount(total.fee), "chunkweight": total.size, "txs": ids })
        })
        .collect();
    Ok(json!({ "clusterweight": weight, "txcount": count, "chunks": chunks }))
}

fn getmempoolfeeratediagram(ctx: &Ctx, _: &Request<'_>) -> Result<Value, RpcError> {
    let points = ctx.mempool()?.lock().feerate_diagram();
    let points = points.iter().map(|p| json!({ "weight": p.size, "fee": value::amount(p.fee) }));
    Ok(points.collect::<Vec<_>>().into())
}
