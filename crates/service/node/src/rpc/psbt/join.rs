//! `combinepsbt`, `joinpsbts`, `createpsbt`, `converttopsbt`, `finalizepsbt`.

use std::collections::BTreeSet;

use grs_addrman::Rng;
use grs_primitives::{MutableTransaction, Transaction};
use grs_psbt::{Psbt, combine, extract};
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError};
use grs_rpc_tx::{TxArguments, construct, construct_args, decode_tx};
use serde_json::{Map, Value};

use super::parse;
use crate::rpc::tx_json::tx_hex;
use crate::rpc::{Ctx, Maker};

fn psbt_list(about: &'static str) -> Arg {
    Arg::arr("txs", about, [Arg::str("psbt", "The base64 of a PSBT").optional()])
}

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let mut createpsbt = maker.method(
        "rawtransactions",
        "createpsbt",
        "Makes a PSBT of inputs and outputs. Its inputs are not signed, and it is kept and sent nowhere.\n",
        createpsbt,
    );
    for arg in construct_args() {
        createpsbt = createpsbt.arg(arg);
    }
    vec![
        maker
            .method(
                "rawtransactions",
                "combinepsbt",
                "Puts what several signers did with the same transaction into one PSBT.\n",
                combinepsbt,
            )
            .arg(psbt_list("The PSBTs"))
            .result(Res::str("", "The PSBT in base64"))
            .example_cli("'[\"mybase64_1\", \"mybase64_2\", \"mybase64_3\"]'"),
        maker
            .method(
                "rawtransactions",
                "joinpsbts",
                "Makes one PSBT with the inputs and outputs of several, in random order. No input may be in more than one of \
                 them.\n",
                joinpsbts,
            )
            .arg(psbt_list("The PSBTs"))
            .result(Res::str("", "The PSBT in base64"))
            .example_cli("\"psbt\""),
        createpsbt
            .result(Res::str("", "The PSBT in base64"))
            .example_cli("\"[{\\\"txid\\\":\\\"myid\\\",\\\"vout\\\":0}]\" \"[{\\\"address\\\":0.01}]\""),
        maker
            .method(
                "rawtransactions",
                "converttopsbt",
                "Makes a PSBT of a transaction from createrawtransaction or fundrawtransaction. New programs use createpsbt or \
                 walletcreatefundedpsbt instead.\n",
                converttopsbt,
            )
            .arg(Arg::hex("hexstring", "The transaction"))
            .arg(
                Arg::bool(
                    "permitsigdata",
                    "Whether signatures in inputs are dropped; otherwise they are an error",
                )
                .default(false),
            )
            .arg(
                Arg::bool("iswitness", "Whether the bytes are in the form with witnesses")
                    .default_hint("depends on heuristic tests"),
            )
            .result(Res::str("", "The PSBT in base64"))
            .example_cli("\"rawtransaction\""),
        maker
            .method(
                "rawtransactions",
                "finalizepsbt",
                "Finishes inputs that have all they need. If that is all of them, the result is the transaction, ready for \
                 sendrawtransaction; otherwise a PSBT in which these inputs are final.\n",
                finalizepsbt,
            )
            .arg(Arg::str("psbt", "The base64 of a PSBT"))
            .arg(Arg::bool("extract", "Whether a complete transaction is taken out").default(true))
            .result(Res::obj(
                "",
                "",
                [
                    Res::str("psbt", "The PSBT in base64, if it was not taken out").optional(),
                    Res::hex("hex", "The transaction, if it was taken out").optional(),
                    Res::bool("complete", "Whether all signatures are there"),
                ],
            ))
            .example_cli("\"psbt\""),
    ]
}

fn parse_list(request: &Request<'_>) -> Result<Vec<Psbt>, RpcError> {
    request.value("txs").get_array()?.iter().map(|text| parse(text.get_str()?)).collect()
}

fn combinepsbt(_: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    if request.value("txs").get_array()?.is_empty() {
        return Err(RpcError::invalid_parameter("Parameter 'txs' cannot be empty"));
    }
    let combined = combine(&parse_list(request)?)
        .ok_or_else(|| RpcError::invalid_parameter("PSBTs not compatible (different transactions)"))?;
    Ok(combined.to_base64().into())
}

fn joinpsbts(_: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    if request.value("txs").get_array()?.len() <= 1 {
        return Err(RpcError::invalid_parameter("At least two PSBTs are required to join PSBTs."));
    }
    let psbts = parse_list(request)?;
    let mut joined = Psbt::new(MutableTransaction {
        version: psbts.iter().map(|psbt| psbt.tx.version).max().unwrap_or(1).max(1),
        inputs: Vec::new(),
        outputs: Vec::new(),
        lock_time: psbts.iter().map(|psbt| psbt.tx.lock_time).min().unwrap_or(u32::MAX),
    });
    let (mut inputs, mut outputs) = (Vec::new(), Vec::new());
    let mut seen = BTreeSet::new();
    for psbt in psbts {
        for (txin, input) in psbt.tx.inputs.into_iter().zip(psbt.inputs) {
            if !seen.insert((txin.prevout, txin.sequence)) {
                return Err(RpcError::invalid_parameter(format!(
                    "Input {} exists in multiple PSBTs",
                    txin.prevout
                )));
            }
            inputs.push((txin, input));
        }
        outputs.extend(psbt.tx.outputs.into_iter().zip(psbt.outputs));
        for (key, value) in psbt.unknown {
            joined.unknown.entry(key).or_insert(value);
        }
    }
    // Which belong together should not show.
    let mut rng = Rng::new();
    rng.shuffle(&mut inputs);
    rng.shuffle(&mut outputs);
    for (txin, input) in inputs {
        if !joined.add_input(txin, input) {
            return Err(RpcError::bug("an input came twice"));
        }
    }
    for (txout, output) in outputs {
        joined.add_output(txout, output);
    }
    Ok(joined.to_base64().into())
}

fn createpsbt(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
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
    Ok(Psbt::new(tx).to_base64().into())
}

fn converttopsbt(_: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let (without, with) = match request.value("iswitness") {
        Value::Null => (true, true),
        value => {
            let witness = value.get_bool()?;
            (!witness, witness)
        }
    };
    let tx = decode_tx(request.arg("hexstring")?, without, with)
        .ok_or_else(|| RpcError::deserialization("TX decode failed"))?;
    let signed = tx.inputs.iter().any(|input| !input.script_sig.is_empty() || !input.witness.is_empty());
    if signed && !request.arg::<bool>("permitsigdata")? {
        return Err(RpcError::deserialization("Inputs must not have scriptSigs and scriptWitnesses"));
    }
    Ok(Psbt::new(tx.to_mutable()).to_base64().into())
}

fn finalizepsbt(_: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let mut psbt = parse(request.arg("psbt")?)?;
    let tx = extract(&mut psbt);
    let complete = tx.is_some();
    let mut out = Map::new();
    match tx.filter(|_| request.arg("extract").unwrap_or(true)) {
        Some(tx) => out.insert("hex".into(), tx_hex(&Transaction::from(tx)).into()),
        None => out.insert("psbt".into(), psbt.to_base64().into()),
    };
    out.insert("complete".into(), complete.into());
    Ok(Value::Object(out))
}
