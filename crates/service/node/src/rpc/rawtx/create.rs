//! `createrawtransaction`.

use grs_primitives::Transaction;
use grs_rpc::{JsonExt, Method, Request, Res, RpcError};
use grs_rpc_tx::{TxArguments, construct, construct_args};
use serde_json::Value;

use crate::rpc::tx_json::tx_hex;
use crate::rpc::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let mut method = maker.method(
        "rawtransactions",
        "createrawtransaction",
        "Makes a transaction of inputs and outputs, and gives it in hexadecimal. Its inputs are not signed, and it is kept \
         and sent nowhere.\n",
        createrawtransaction,
    );
    for arg in construct_args() {
        method = method.arg(arg);
    }
    vec![
        method
            .result(Res::hex("transaction", "The transaction"))
            .example_cli("\"[{\\\"txid\\\":\\\"myid\\\",\\\"vout\\\":0}]\" \"[{\\\"address\\\":0.01}]\"")
            .example_cli(
                "\"[{\\\"txid\\\":\\\"myid\\\",\\\"vout\\\":0}]\" \"[{\\\"data\\\":\\\"00010203\\\"}]\"",
            )
            .example_rpc("\"[{\\\"txid\\\":\\\"myid\\\",\\\"vout\\\":0}]\", \"[{\\\"address\\\":0.01}]\"")
            .example_rpc(
                "\"[{\\\"txid\\\":\\\"myid\\\",\\\"vout\\\":0}]\", \"[{\\\"data\\\":\\\"00010203\\\"}]\"",
            ),
    ]
}

fn createrawtransaction(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let replaceable = match request.value("replaceable") {
        Value::Null => None,
        value => Some(value.get_bool()?),
    };
    let parts = TxArguments {
        inputs: request.value("inputs"),
        outputs: request.value("outputs"),
        lock_time: request.value("locktime"),
    };
    let tx = construct(parts, replaceable, request.arg("version")?, ctx.params.network)?;
    Ok(tx_hex(&Transaction::from(tx)).into())
}
