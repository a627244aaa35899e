//! `utxoupdatepsbt`, `descriptorprocesspsbt`. Reference: `ProcessPSBT`.

use grs_descriptor::{FlatSigningProvider, HidingSigningProvider, is_segwit_output};
use grs_primitives::{Transaction, TxIn};
use grs_psbt::{
    Psbt, SignError, SignInputOptions, extract, precompute, remove_unnecessary_transactions, sign_input,
    update_output,
};
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError};
use grs_rpc_tx::parse_sighash;
use serde_json::{Map, Value};

use super::parse;
use crate::rpc::descriptors::scripts_of;
use crate::rpc::rawtx::find_coins;
use crate::rpc::tx_json::tx_hex;
use crate::rpc::{Ctx, Maker};

fn descriptors_arg() -> Arg {
    Arg::arr(
        "descriptors",
        "Descriptors, each a text or an object",
        [
            Arg::str("", "A descriptor").optional(),
            Arg::obj(
                "",
                "A descriptor with more about it",
                [
                    Arg::str("desc", "The descriptor"),
                    Arg::range("range", "Up to which index keys are looked at (the end, or [begin,end])")
                        .default(1000),
                ],
            )
            .optional(),
        ],
    )
}

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        maker
            .method(
                "rawtransactions",
                "utxoupdatepsbt",
                "Adds to a PSBT what descriptors, the unspent outputs and the mempool know about its segwit inputs and its \
                 outputs.\n",
                utxoupdatepsbt,
            )
            .arg(Arg::str("psbt", "The base64 of a PSBT"))
            .arg(descriptors_arg().optional())
            .result(Res::str("", "The PSBT in base64"))
            .example_cli("\"psbt\""),
        maker
            .method(
                "rawtransactions",
                "descriptorprocesspsbt",
                "Adds to a PSBT what descriptors, the unspent outputs and the mempool know about its segwit inputs, and signs \
                 those that the descriptors have keys for.",
                descriptorprocesspsbt,
            )
            .arg(Arg::str("psbt", "The base64 of a PSBT"))
            .arg(descriptors_arg())
            .arg(
                Arg::str(
                    "sighashtype",
                    "What signatures cover, unless the PSBT says it: \"DEFAULT\", \"ALL\", \"NONE\", \"SINGLE\", \
                     \"ALL|ANYONECANPAY\", \"NONE|ANYONECANPAY\" or \"SINGLE|ANYONECANPAY\"",
                )
                .default("DEFAULT for Taproot, ALL otherwise"),
            )
            .arg(Arg::bool("bip32derivs", "Whether to add where keys come from").default(true))
            .arg(Arg::bool("finalize", "Whether to finish inputs").default(true))
            .result(Res::obj(
                "",
                "",
                [
                    Res::str("psbt", "The PSBT in base64"),
                    Res::bool("complete", "Whether all signatures are there"),
                    Res::hex("hex", "The transaction, if it is complete").optional(),
                ],
            ))
            .example_cli("\"psbt\" \"[\\\"descriptor1\\\", \\\"descriptor2\\\"]\""),
    ]
}

/// Adds the transactions and outputs that inputs spend, as far as the mempool and the chain have them.
fn add_utxos(ctx: &Ctx, psbt: &mut Psbt, provider: &HidingSigningProvider<'_>) -> Result<(), RpcError> {
    {
        let pool = ctx.mempool()?.lock();
        for (input, txin) in psbt.inputs.iter_mut().zip(&psbt.tx.inputs) {
            if input.non_witness_utxo.is_none() {
                input.non_witness_utxo = pool.entry(&txin.prevout.txid).map(|entry| entry.tx.clone());
            }
        }
    }
    let missing: Vec<TxIn> = psbt
        .inputs
        .iter()
        .zip(&psbt.tx.inputs)
        .filter(|(input, _)| input.non_witness_utxo.is_none())
        .map(|(_, txin)| txin.clone())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let coins = find_coins(ctx, &missing)?;
    for (input, txin) in psbt.inputs.iter_mut().zip(&psbt.tx.inputs) {
        if input.non_witness_utxo.is_none()
            && let Some(coin) = coins.get(&txin.prevout)
            && is_segwit_output(provider, &coin.script_pubkey)
        {
            input.witness_utxo = Some(coin.clone());
        }
    }
    Ok(())
}

fn process(
    ctx: &Ctx,
    text: &str,
    provider: &HidingSigningProvider<'_>,
    sighash: Option<i32>,
    finalize: bool,
) -> Result<Psbt, RpcError> {
    let mut psbt = parse(text)?;
    add_utxos(ctx, &mut psbt, provider)?;
    let precomputed = precompute(&psbt);
    for index in 0..psbt.inputs.len() {
        if psbt.inputs[index].is_signed() {
            continue;
        }
        let options = SignInputOptions { precomputed: Some(&precomputed), sighash, finalize };
        if let Err(error @ SignError::SighashMismatch) = sign_input(provider, &mut psbt, index, options, None)
        {
            return Err(RpcError::deserialization(error.to_string()));
        }
    }
    for index in 0..psbt.outputs.len() {
        update_output(provider, &mut psbt, index);
    }
    remove_unnecessary_transactions(&mut psbt);
    Ok(psbt)
}

fn utxoupdatepsbt(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let mut keys = FlatSigningProvider::new();
    if !request.value("descriptors").is_null() {
        for descriptor in request.value("descriptors").get_array()? {
            scripts_of(descriptor, ctx.params.network, &mut keys, false)?;
        }
    }
    let provider = HidingSigningProvider { provider: &keys, hide_secret: true, hide_origin: false };
    Ok(process(ctx, request.arg("psbt")?, &provider, None, false)?.to_base64().into())
}

fn descriptorprocesspsbt(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let mut keys = FlatSigningProvider::new();
    for descriptor in request.value("descriptors").get_array()? {
        scripts_of(descriptor, ctx.params.network, &mut keys, true)?;
    }
    let sighash = parse_sighash(request.value("sighashtype"))?.map(i32::from);
    let derivations: bool = request.arg("bip32derivs")?;
    let provider = HidingSigningProvider { provider: &keys, hide_secret: false, hide_origin: !derivations };
    let psbt = process(ctx, request.arg("psbt")?, &provider, sighash, request.arg("finalize")?)?;
    let complete = psbt.inputs.iter().all(grs_psbt::PsbtInput::is_signed);
    let mut out = Map::new();
    out.insert("psbt".into(), psbt.to_base64().into());
    out.insert("complete".into(), complete.into());
    if complete {
        let tx =
            extract(&mut psbt.clone()).ok_or_else(|| RpcError::bug("a complete PSBT is not complete"))?;
        out.insert("hex".into(), tx_hex(&Transaction::from(tx)).into());
    }
    Ok(Value::Object(out))
}
