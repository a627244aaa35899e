//! `sendrawtransaction`.

use std::sync::Arc;

use grs_policy::FeeRate;
use grs_primitives::{Amount, Transaction, WITNESS_SCALE_FACTOR};
use grs_rpc::value::{amount_from_value, fee_rate_from_value};
use grs_rpc::{Arg, Method, Request, Res, RpcError, code, help};
use grs_script::ScriptExt;
use serde_json::Value;

use crate::broadcast::{BroadcastError, broadcast};
use crate::rpc::{Ctx, Maker};
use grs_rpc_tx::decode_tx;

/// Default of `maxfeerate`.
const DEFAULT_MAX_FEE_RATE: &str = "0.10";
/// Default of `maxburnamount`.
const DEFAULT_MAX_BURN: &str = "0.00";

/// The argument `maxfeerate`.
pub(super) fn max_fee_rate_arg() -> Arg {
    Arg::amount(
        "maxfeerate",
        "Refuses transactions with a higher fee rate, in GRS/kvB; 1 GRS/kvB and more cannot be set. 0 takes any rate.",
    )
    .default(DEFAULT_MAX_FEE_RATE)
}

/// The argument `maxburnamount`.
pub(super) fn max_burn_arg() -> Arg {
    Arg::amount(
        "maxburnamount",
        "Refuses transactions with outputs above this amount that certainly cannot be spent (such as OP_RETURN), in GRS. It \
         is no proof that the others can be spent.",
    )
    .default(DEFAULT_MAX_BURN)
}

/// Reads `maxfeerate`.
pub(super) fn max_fee_rate(request: &Request<'_>) -> Result<FeeRate, RpcError> {
    fee_rate_from_value(request.value_or_default("maxfeerate")).map(FeeRate::per_kvb)
}

/// Reads `maxburnamount`.
pub(super) fn max_burn(request: &Request<'_>) -> Result<Amount, RpcError> {
    amount_from_value(request.value_or_default("maxburnamount")).map(Amount)
}

/// Refuses transactions that burn more.
pub(super) fn check_burn(tx: &Transaction, most: Amount) -> Result<(), RpcError> {
    let burns = tx.outputs.iter().any(|output| {
        let script = &output.script_pubkey;
        (script.is_unspendable() || !script.has_valid_ops()) && output.value > most
    });
    if burns {
        return Err(RpcError::new(
            code::TRANSACTION_ERROR,
            "Unspendable output exceeds maximum configured by user (maxburnamount)",
        ));
    }
    Ok(())
}

/// The error of a method for a transaction that was not broadcast. Reference: `JSONRPCTransactionError`.
pub(super) fn broadcast_error(error: &BroadcastError, text: String) -> RpcError {
    let number = match error {
        BroadcastError::Rejected(_) => code::TRANSACTION_REJECTED,
        BroadcastError::AlreadyInUtxoSet => code::VERIFY_ALREADY_IN_UTXO_SET,
        _ => code::TRANSACTION_ERROR,
    };
    RpcError::new(number, text)
}

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        maker
            .method(
                "rawtransactions",
                "sendrawtransaction",
                "Hands a transaction to the network.\n\nWithout -privatebroadcast it goes to the mempool and to all peers, who may \
                 guess from whom it is, the more so when it is sent again. With it, it goes only to some peers of Tor or I2P, \
                 and to the mempool when it comes back. See also createrawtransaction and signrawtransactionwithkey.\n",
                sendrawtransaction,
            )
            .arg(Arg::hex("hexstring", "The transaction's bytes in hexadecimal"))
            .arg(max_fee_rate_arg())
            .arg(max_burn_arg())
            .result(Res::hex("", "The transaction's id"))
            .example_text("\nMake a transaction\n")
            .example_text(&help::example_cli(
                "createrawtransaction",
                "\"[{\\\"txid\\\" : \\\"mytxid\\\",\\\"vout\\\":0}]\" \"{\\\"myaddress\\\":0.01}\"",
            ))
            .example_text("Sign it\n")
            .example_text(&help::example_cli("signrawtransactionwithwallet", "\"myhex\""))
            .example_text("\nSend it\n")
            .example_cli("\"signedhex\"")
            .example_text("\nThe same by JSON-RPC\n")
            .example_rpc("\"signedhex\""),
    ]
}

fn sendrawtransaction(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let most = max_burn(request)?;
    let tx = decode_tx(request.arg("hexstring")?, false, true).ok_or_else(|| {
        RpcError::deserialization("TX decode failed. Make sure the tx has at least one input.")
    })?;
    check_burn(&tx, most)?;
    let rate = max_fee_rate(request)?;
    let max_fee = rate.fee(tx.weight().div_ceil(WITNESS_SCALE_FACTOR));
    let txid = tx.txid();
    broadcast(&ctx.node, &Arc::new(tx), Some(max_fee), true)
        .map_err(|error| broadcast_error(&error, error.to_string()))?;
    Ok(txid.to_string().into())
}
