//! `getrawmempool`, `getmempoolentry`, `getmempoolancestors`, `getmempooldescendants`.

use std::collections::BTreeSet;

use grs_mempool::{Entry, Pool, RbfState, rbf_state};
use grs_rpc::{Arg, Method, Request, Res, RpcError, value};
use serde_json::{Map, Value, json};

use super::{not_there, txid};
use crate::rpc::{Ctx, Maker};

fn shape() -> Vec<Res> {
    vec![
        Res::num("vsize", "Virtual size (BIP141), adjusted for signature operations"),
        Res::num("weight", "Weight (BIP141)"),
        Res::time("time", "When it came, in seconds since 1970"),
        Res::num("height", "Height of the tip when it came"),
        Res::num("descendantcount", "Descendants in the mempool, with this one"),
        Res::num("descendantsize", "Virtual size of these"),
        Res::num("ancestorcount", "Ancestors in the mempool, with this one"),
        Res::num("ancestorsize", "Virtual size of these"),
        Res::num("chunkweight", "Weight, adjusted for signature operations, of the chunk it is mined with"),
        Res::hex("wtxid", "Hash with witness"),
        Res::obj(
            "fees",
            "",
            [
                Res::amount("base", "The fee in GRS"),
                Res::amount("modified", "The fee with its delta of prioritisation in GRS"),
                Res::amount("ancestor", "Fees with deltas of the ancestors and this one in GRS"),
                Res::amount("descendant", "Fees with deltas of the descendants and this one in GRS"),
                Res::amount("chunk", "Fees of the chunk in GRS"),
            ],
        ),
        Res::arr("depends", "Unconfirmed transactions it spends from", [Res::hex("transactionid", "An id")]),
        Res::arr(
            "spentby",
            "Unconfirmed transactions that spend from it",
            [Res::hex("transactionid", "An id")],
        ),
        Res::bool(
            "bip125-replaceable",
            "Whether it or an unconfirmed ancestor signals replaceability (BIP125; deprecated)",
        ),
        Res::bool("unbroadcast", "Whether no peer has asked for it yet"),
    ]
}

fn ids_shape() -> Res {
    Res::arr("", "", [Res::hex("", "A transaction's id")]).cond("for verbose = false")
}

fn entries_shape() -> Res {
    Res::obj_dyn("", "", [Res::obj("transactionid", "", shape())]).cond("for verbose = true")
}

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let of = || Arg::hex("txid", "Id of a transaction in the mempool");
    let verbose = || Arg::bool("verbose", "Objects instead of ids").default(false);
    vec![
        maker
            .method(
                "blockchain",
                "getrawmempool",
                "Ids of all transactions in the mempool. See getmempoolentry for a single one.\n",
                getrawmempool,
            )
            .arg(verbose())
            .arg(
                Arg::bool(
                    "mempool_sequence",
                    "With verbose=false: an object with the mempool's sequence number too",
                )
                .default(false),
            )
            .result(ids_shape())
            .result(entries_shape())
            .result(
                Res::obj(
                    "",
                    "",
                    [
                        Res::arr("txids", "", [Res::hex("", "A transaction's id")]),
                        Res::num("mempool_sequence", "The sequence number"),
                    ],
                )
                .cond("for verbose = false and mempool_sequence = true"),
            )
            .example("true"),
        maker
            .method("blockchain", "getmempoolentry", "A transaction of the mempool.\n", getmempoolentry)
            .arg(of())
            .result(Res::obj("", "", shape()))
            .example("\"mytxid\""),
        maker
            .method(
                "blockchain",
                "getmempoolancestors",
                "All ancestors, in the mempool, of a transaction there.\n",
                getmempoolancestors,
            )
            .arg(of())
            .arg(verbose())
            .result(ids_shape())
            .result(entries_shape())
            .example("\"mytxid\""),
        maker
            .method(
                "blockchain",
                "getmempooldescendants",
                "All descendants, in the mempool, of a transaction there.\n",
                getmempooldescendants,
            )
            .arg(of())
            .arg(verbose())
            .result(ids_shape())
            .result(entries_shape())
            .example("\"mytxid\""),
    ]
}

/// Reference: `entryToJSON`.
fn entry_to_json(pool: &Pool, entry: &Entry) -> Value {
    let txid = entry.tx.txid();
    let (ancestors, descendants) = (pool.ancestor_stats(&txid), pool.descendant_stats(&txid));
    let chunk = pool.chunk(&txid);
    let depends: BTreeSet<String> =
        pool.parents(&entry.tx).iter().map(|parent| parent.tx.txid().to_string()).collect();
    let spent_by: Vec<String> =
        pool.children(&entry.tx).iter().map(|child| child.tx.txid().to_string()).collect();
    json!({
        "vsize": entry.vsize,
        "weight": entry.tx.weight(),
        "time": entry.time,
        "height": entry.height,
        "descendantcount": descendants.count,
        "descendantsize": descendants.vsize,
        "ancestorcount": ancestors.count,
        "ancestorsize": ancestors.vsize,
        "wtxid": entry.tx.wtxid().to_string(),
        "chunkweight": chunk.size,
        "fees": {
            "base": value::amount(entry.fee.0),
            "modified": value::amount(entry.modified_fee().0),
            "ancestor": value::amount(ancestors.fees.0),
            "descendant": value::amount(descendants.fees.0),
            "chunk": value::amount(chunk.fee),
        },
        "depends": depends,
        "spentby": spent_by,
        "bip125-replaceable": rbf_state(pool, &entry.tx) == RbfState::Replaceable,
        "unbroadcast": pool.unbroadcast().contains(&txid),
    })
}

/// Ids, or objects by id.
fn list(pool: &Pool, entries: &[&Entry], verbose: bool) -> Value {
    let id = |entry: &Entry| entry.tx.txid().to_string();
    if !verbose {
        return entries.iter().map(|entry| id(entry)).collect::<Vec<_>>().into();
    }
    let objects = entries.iter().map(|entry| (id(entry), entry_to_json(pool, entry)));
    Value::Object(objects.collect::<Map<_, _>>())
}

fn getrawmempool(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let verbose: bool = request.arg("verbose")?;
    let with_sequence: bool = request.arg("mempool_sequence")?;
    if verbose && with_sequence {
        return Err(RpcError::invalid_parameter("Verbose results cannot contain mempool sequence values."));
    }
    let pool = ctx.mempool()?.lock();
    let all = list(&pool, &pool.in_mining_order(), verbose);
    Ok(if with_sequence { json!({ "txids": all, "mempool_sequence": pool.sequence() }) } else { all })
}

fn getmempoolentry(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let txid = txid(request.value("txid"))?;
    let pool = ctx.mempool()?.lock();
    pool.entry(&txid).map(|entry| entry_to_json(&pool, entry)).ok_or_else(not_there)
}

fn relatives(
    ctx: &Ctx,
    request: &Request<'_>,
    of: impl for<'a> Fn(&'a Pool, &grs_hashes::Txid) -> Vec<&'a Entry>,
) -> Result<Value, RpcError> {
    let verbose: bool = request.arg("verbose")?;
    let txid = txid(request.value("txid"))?;
    let pool = ctx.mempool()?.lock();
    if !pool.contains(&txid) {
        return Err(not_there());
    }
    let mut entries = of(&pool, &txid);
    entries.retain(|entry| entry.tx.txid() != txid);
    Ok(list(&pool, &entries, verbose))
}

fn getmempoolancestors(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    relatives(ctx, request, Pool::ancestors)
}

fn getmempooldescendants(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    relatives(ctx, request, Pool::descendants)
}
