//! `testmempoolaccept`.

use std::collections::HashMap;
use std::sync::Arc;

use grs_consensus::TxValidationResult;
use grs_mempool::{AcceptOptions, AcceptResult, MAX_PACKAGE_COUNT, PackageErrorKind, PackageResult};
use grs_policy::FeeRate;
use grs_primitives::{Amount, TxRef};
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError, help, value};
use serde_json::{Map, Value};

use super::send::{max_fee_rate, max_fee_rate_arg};
use crate::rpc::{Ctx, Maker};
use grs_rpc_tx::decode_tx;

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let fees = Res::obj(
        "fees",
        "Fees (if 'allowed')",
        [
            Res::amount("base", "The fee in GRS"),
            Res::amount(
                "effective-feerate",
                "The rate in GRS/kvB at which it is judged; differs when deltas or a package count",
            ),
            Res::arr(
                "effective-includes",
                "Transactions that this rate is of",
                [Res::hex("", "A hash with witness")],
            ),
        ],
    );
    let result = Res::obj(
        "",
        "",
        [
            Res::hex("txid", "The id"),
            Res::hex("wtxid", "The hash with witness"),
            Res::str("package-error", "What is wrong with the package, if there are several transactions")
                .optional(),
            Res::bool("allowed", "Whether it would be accepted; missing when it was not checked in full")
                .optional(),
            Res::num("vsize", "Virtual size (if 'allowed')").optional(),
            fees.optional(),
            Res::str("reject-reason", "Why not (if not 'allowed')").optional(),
            Res::str("reject-details", "More about it (if not 'allowed')").optional(),
        ],
    );
    vec![
        maker
            .method(
                "rawtransactions",
                "testmempoolaccept",
                "Whether transactions would be accepted to the mempool, by the rules of consensus and policy. Several (25 at \
                 most) are judged as a package: parents come before children, and they must conflict neither with each other \
                 nor with the mempool. When one fails, others may not be checked in full. See sendrawtransaction.\n",
                testmempoolaccept,
            )
            .arg(Arg::arr(
                "rawtxs",
                "Transactions in hexadecimal",
                [Arg::hex("rawtx", "").optional()],
            ))
            .arg(max_fee_rate_arg())
            .result(Res::arr("", "A result for each transaction, in order", [result]))
            .example_text("\nMake a transaction\n")
            .example_text(&help::example_cli(
                "createrawtransaction",
                "\"[{\\\"txid\\\" : \\\"mytxid\\\",\\\"vout\\\":0}]\" \"{\\\"myaddress\\\":0.01}\"",
            ))
            .example_text("Sign it\n")
            .example_text(&help::example_cli("signrawtransactionwithwallet", "\"myhex\""))
            .example_text("\nTest it\n")
            .example_cli("'[\"signedhex\"]'")
            .example_text("\nThe same by JSON-RPC\n")
            .example_rpc("[\"signedhex\"]"),
    ]
}

/// Reads a list of transactions.
pub(super) fn transactions(list: &Value) -> Result<Vec<TxRef>, RpcError> {
    let list = list.get_array()?;
    if list.is_empty() || list.len() > MAX_PACKAGE_COUNT {
        return Err(RpcError::invalid_parameter(format!(
            "Array must contain between 1 and {MAX_PACKAGE_COUNT} transactions."
        )));
    }
    let mut txs = Vec::with_capacity(list.len());
    for text in list {
        let text = text.get_str()?;
        let tx = decode_tx(text, false, true).ok_or_else(|| {
            RpcError::deserialization(format!(
                "TX decode failed: {text} Make sure the tx has at least one input."
            ))
        })?;
        txs.push(Arc::new(tx));
    }
    Ok(txs)
}

/// Fields of fees with the rate at which a transaction was judged.
pub(super) fn fees(base: Amount, judged: Option<(FeeRate, &[grs_hashes::Wtxid])>) -> Value {
    let mut out = Map::new();
    out.insert("base".into(), value::amount(base.0));
    if let Some((rate, includes)) = judged {
        out.insert("effective-feerate".into(), value::amount(rate.fee_per_kvb().0));
        let ids: Vec<Value> = includes.iter().map(|wtxid| wtxid.to_string().into()).collect();
        out.insert("effective-includes".into(), ids.into());
    }
    out.into()
}

fn testmempoolaccept(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let list = request.value("rawtxs");
    let count = list.get_array()?.len();
    if count == 0 || count > MAX_PACKAGE_COUNT {
        transactions(list)?;
    }
    let max_rate = max_fee_rate(request)?;
    let txs = transactions(list)?;
    let (manager, mempool) = (ctx.chainman()?, ctx.mempool()?);
    let options = AcceptOptions::test(grs_sync::clock::now_secs());
    let result = {
        let mut chain = manager.lock();
        match txs.as_slice() {
            [tx] => {
                let result = mempool.accept(&mut chain, tx, options);
                PackageResult { error: None, results: HashMap::from([(tx.wtxid(), result)]) }
            }
            txs => mempool.accept_package(&mut chain, txs, options),
        }
    };
    let package_error = result.error.as_ref().filter(|error| error.kind == PackageErrorKind::Policy);
    let mut out = Vec::with_capacity(txs.len());
    let mut stop = false;
    for tx in &txs {
        let mut item = Map::new();
        item.insert("txid".into(), tx.txid().to_string().into());
        item.insert("wtxid".into(), tx.wtxid().to_string().into());
        if let Some(error) = package_error {
            item.insert("package-error".into(), error.to_string().into());
        }
        // After a fee that is too high, children would not be submitted either.
        if let Some(result) = result.results.get(&tx.wtxid()).filter(|_| !stop) {
            stop = show(&mut item, result, max_rate);
        }
        out.push(Value::Object(item));
    }
    Ok(out.into())
}

/// Adds the verdict; true if the fee is higher than the caller wants.
fn show(item: &mut Map<String, Value>, result: &AcceptResult, max_rate: FeeRate) -> bool {
    match result {
        AcceptResult::Valid { vsize, base_fee, effective_feerate, effective_includes, .. } => {
            let most = max_rate.fee(usize::try_from(*vsize).unwrap_or(0));
            if most != Amount::ZERO && *base_fee > most {
                item.insert("allowed".into(), false.into());
                item.insert("reject-reason".into(), "max-fee-exceeded".into());
                return true;
            }
            item.insert("allowed".into(), true.into());
            item.insert("vsize".into(), (*vsize).into());
            item.insert("fees".into(), fees(*base_fee, Some((*effective_feerate, effective_includes))));
        }
        other => {
            item.insert("allowed".into(), false.into());
            match other.error() {
                Some(error) if error.result == TxValidationResult::MissingInputs => {
                    item.insert("reject-reason".into(), "missing-inputs".into());
                }
                Some(error) => {
                    item.insert("reject-reason".into(), error.reason.as_ref().into());
                    item.insert("reject-details".into(), error.to_string().into());
                }
                None => {}
            }
        }
    }
    false
}
