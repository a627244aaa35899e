//! `getmempoolinfo`.

use grs_rpc::{Method, Request, Res, RpcError, value};
use serde_json::{Value, json};

use crate::rpc::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        maker
            .method("blockchain", "getmempoolinfo", "The state of the mempool.", getmempoolinfo)
            .result(Res::obj(
                "",
                "",
                [
                    Res::bool("loaded", "Whether the file of the last run was loaded, or tried"),
                    Res::num("size", "Number of transactions"),
                    Res::num("bytes", "Sum of their virtual sizes"),
                    Res::num("usage", "Bytes of memory"),
                    Res::amount("total_fee", "Sum of the fees in GRS, without deltas of prioritisation"),
                    Res::num("maxmempool", "Most bytes of memory"),
                    Res::amount("mempoolminfee", "Least fee rate at present in GRS/kvB"),
                    Res::amount("minrelaytxfee", "Least fee rate of all in GRS/kvB"),
                    Res::num(
                        "incrementalrelayfee",
                        "Step of fee rates for limits and replacement in GRS/kvB",
                    ),
                    Res::num("unbroadcastcount", "Transactions that no peer has asked for yet"),
                    Res::bool("fullrbf", "Whether replacement needs no signal (deprecated)"),
                    Res::bool("permitbaremultisig", "Whether bare multisig outputs are taken"),
                    Res::num("maxdatacarriersize", "Most bytes of OP_RETURN outputs"),
                    Res::num("limitclustercount", "Most transactions of a cluster (-limitclustercount)"),
                    Res::num("limitclustersize", "Most virtual bytes of a cluster (-limitclustersize)"),
                    Res::bool("optimal", "Whether the order of transactions is known to be the best"),
                ],
            ))
            .example(""),
    ]
}

fn getmempoolinfo(ctx: &Ctx, _: &Request<'_>) -> Result<Value, RpcError> {
    let mempool = ctx.mempool()?;
    let options = mempool.options();
    let mut pool = mempool.lock();
    let least = pool.min_fee_rate().max(options.min_relay_rate);
    let stats = pool.stats();
    Ok(json!({
        "loaded": pool.load_tried(),
        "size": stats.count,
        "bytes": stats.vsize,
        "usage": stats.usage,
        "total_fee": value::amount(stats.fee.0),
        "maxmempool": options.max_size_bytes,
        "mempoolminfee": value::amount(least.fee_per_kvb().0),
        "minrelaytxfee": value::amount(options.min_relay_rate.fee_per_kvb().0),
        "incrementalrelayfee": value::amount(options.incremental_relay_rate.fee_per_kvb().0),
        "unbroadcastcount": pool.unbroadcast().len(),
        "fullrbf": true,
        "permitbaremultisig": options.standard.permit_bare_multisig,
        "maxdatacarriersize": options.standard.max_datacarrier_bytes.unwrap_or(0),
        "limitclustercount": options.cluster_count,
        "limitclustersize": options.cluster_vbytes,
        // Clusters are put in order when they change, never later.
        "optimal": true,
    }))
}
