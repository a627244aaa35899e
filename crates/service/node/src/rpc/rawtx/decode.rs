//! `decoderawtransaction`.

use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError};
use serde_json::Value;

use crate::rpc::tx_json::{TxParts, tx_fields, tx_shape};
use crate::rpc::{Ctx, Maker};
use grs_rpc_tx::decode_tx;

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        maker
            .method(
                "rawtransactions",
                "decoderawtransaction",
                "A transaction's fields, from its bytes in hexadecimal.",
                decoderawtransaction,
            )
            .arg(Arg::hex("hexstring", "The transaction"))
            .arg(
                Arg::bool(
                    "iswitness",
                    "Whether the bytes are in the form with witnesses. Left out, the form that makes more sense is taken; one \
                     who knows whether there are inputs should say it.",
                )
                .default_hint("depends on heuristic tests"),
            )
            .result(Res::obj("", "", tx_shape("The id")))
            .example("\"hexstring\""),
    ]
}

fn decoderawtransaction(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let (without, with) = match request.value("iswitness") {
        Value::Null => (true, true),
        value => {
            let witness = value.get_bool()?;
            (!witness, witness)
        }
    };
    let tx = decode_tx(request.arg("hexstring")?, without, with)
        .ok_or_else(|| RpcError::deserialization("TX decode failed"))?;
    let parts = TxParts { undo: None, prevouts: false, hex: false, block: None };
    Ok(Value::Object(tx_fields(&tx, ctx.params.network, parts)))
}
