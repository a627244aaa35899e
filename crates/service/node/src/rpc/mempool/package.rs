//! `submitpackage`.

use std::collections::BTreeSet;

use grs_mempool::{AcceptOptions, AcceptResult, PackageErrorKind, is_child_with_parents_tree};
use grs_policy::FeeRate;
use grs_rpc::{Arg, Method, Request, Res, RpcError, code};
use serde_json::{Map, Value, json};

use super::send::{broadcast_error, check_burn, max_burn, max_burn_arg, max_fee_rate, max_fee_rate_arg};
use super::test_accept::{fees, transactions};
use crate::broadcast::broadcast;
use crate::rpc::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let fees = Res::obj(
        "fees",
        "Fees",
        [
            Res::amount("base", "The fee in GRS"),
            Res::amount(
                "effective-feerate",
                "The rate in GRS/kvB at which it was judged, unless it was in the mempool already",
            )
            .optional(),
            Res::arr(
                "effective-includes",
                "Transactions that this rate is of",
                [Res::hex("", "A hash with witness")],
            )
            .optional(),
        ],
    );
    let result = Res::obj(
        "wtxid",
        "Hash with witness of a transaction",
        [
            Res::hex("txid", "The id"),
            Res::hex(
                "other-wtxid",
                "The same transaction with this other witness is in the mempool: this one was ignored",
            )
            .optional(),
            Res::num("vsize", "Virtual size, adjusted for signature operations").optional(),
            fees.optional(),
            Res::str("error", "Why it was refused; \"package-not-validated\" when it was not looked at")
                .optional(),
        ],
    );
    vec![
        maker
            .method(
                "rawtransactions",
                "submitpackage",
                "Hands a package of transactions to the mempool: a child and those of its unconfirmed parents that are not in \
                 the mempool, or one transaction. Those that pass stay, even if others fail. It does not mean that they reach \
                 the network. Experimental: the interface may change.\n",
                submitpackage,
            )
            .arg(Arg::arr(
                "package",
                "Transactions in hexadecimal, parents before their child, who is the last; no parent may depend on another",
                [Arg::hex("rawtx", "").optional()],
            ))
            .arg(max_fee_rate_arg())
            .arg(max_burn_arg())
            .result(Res::obj(
                "",
                "",
                [
                    Res::str("package_msg", "\"success\" when all are in the mempool now, else what is wrong"),
                    Res::obj_dyn("tx-results", "Results by hash with witness", [result]),
                    Res::arr(
                        "replaced-transactions",
                        "Ids of transactions that were replaced",
                        [Res::hex("", "An id")],
                    )
                    .optional(),
                ],
            ))
            .example_cli("'[\"raw-parent-tx-1\", \"raw-parent-tx-2\", \"raw-child-tx\"]'")
            .example_rpc("[\"raw-tx-without-unconfirmed-parents\"]"),
    ]
}

fn submitpackage(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let list = request.value("package");
    let max_rate = max_fee_rate(request)?;
    let most = max_burn(request)?;
    let txs = transactions(list)?;
    txs.iter().try_for_each(|tx| check_burn(tx, most))?;
    if txs.len() > 1 && !is_child_with_parents_tree(&txs) {
        return Err(RpcError::new(
            code::TRANSACTION_ERROR,
            "package topology disallowed. not child-with-parents or parents depend on each other.",
        ));
    }
    let (manager, mempool) = (ctx.chainman()?, ctx.mempool()?);
    let options = AcceptOptions {
        max_feerate: (max_rate != FeeRate::ZERO).then_some(max_rate),
        ..AcceptOptions::single(grs_sync::clock::now_secs())
    };
    let result = mempool.accept_package(&mut manager.lock(), &txs, options);
    let message = match &result.error {
        None => "success".to_owned(),
        Some(error) if error.kind == PackageErrorKind::Mempool => {
            return Err(RpcError::new(code::TRANSACTION_ERROR, error.reason.clone()));
        }
        Some(error) => error.to_string(),
    };
    let mut sent = 0;
    for tx in &txs {
        if !mempool.lock().contains(&tx.txid()) {
            continue;
        }
        broadcast(&ctx.node, tx, None, true).map_err(|error| {
            let text = format!(
                "transaction broadcast failed: {error} ({sent} transactions were broadcast successfully)"
            );
            broadcast_error(&error, text)
        })?;
        sent += 1;
    }
    let mut results = Map::new();
    let mut replaced = BTreeSet::new();
    for tx in &txs {
        let mut item = Map::new();
        item.insert("txid".into(), tx.txid().to_string().into());
        match result.results.get(&tx.wtxid()) {
            None => {
                item.insert("error".into(), "package-not-validated".into());
            }
            Some(AcceptResult::DifferentWitness { other }) => {
                item.insert("other-wtxid".into(), other.to_string().into());
            }
            Some(AcceptResult::Invalid { error, .. }) => {
                item.insert("error".into(), error.to_string().into());
            }
            Some(AcceptResult::AlreadyThere { vsize, base_fee }) => {
                item.insert("vsize".into(), (*vsize).into());
                item.insert("fees".into(), fees(*base_fee, None));
            }
            Some(AcceptResult::Valid {
                vsize,
                base_fee,
                effective_feerate,
                effective_includes,
                replaced: old,
            }) => {
                item.insert("vsize".into(), (*vsize).into());
                item.insert("fees".into(), fees(*base_fee, Some((*effective_feerate, effective_includes))));
                replaced.extend(old.iter().map(|tx| tx.txid()));
            }
        }
        results.insert(tx.wtxid().to_string(), item.into());
    }
    let replaced: Vec<String> = replaced.iter().map(ToString::to_string).collect();
    Ok(json!({ "package_msg": message, "tx-results": results, "replaced-transactions": replaced }))
}
