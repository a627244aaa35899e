//! `signrawtransactionwithkey`, `combinerawtransaction`.

use std::collections::BTreeMap;

use grs_descriptor::{
    Destination, EmptySigningProvider, FlatSigningProvider, InputError, SignatureData,
    TransactionSignatureCreator, data_from_transaction, decode_secret_key, produce_signature,
    sign_transaction,
};
use grs_encoding::hex_encode;
use grs_hashes::Txid;
use grs_mempool::PoolCoins;
use grs_primitives::{Amount, MAX_MONEY, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut};
use grs_rpc::value::{
    Expected, amount_from_value, check_object_types, parse_hash_field, parse_hex, parse_hex_field,
};
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError, code};
use grs_rpc_tx::{decode_tx, output_text, parse_sighash};
use grs_script::{ScriptExt, script_to_asm};
use serde_json::{Value, json};

use crate::rpc::tx_json::tx_hex;
use crate::rpc::{Ctx, Maker};

/// Signature hash type "all".
const SIGHASH_ALL: u8 = 1;

fn prevtxs_arg() -> Arg {
    let prevtx = Arg::obj(
        "",
        "",
        [
            Arg::hex("txid", "The transaction's id"),
            Arg::num("vout", "Number of the output"),
            Arg::hex("scriptPubKey", "The output's script"),
            Arg::hex("redeemScript", "The script of a P2SH output").optional(),
            Arg::hex("witnessScript", "The witness script of a P2WSH output, wrapped in P2SH or not")
                .optional(),
            Arg::amount("amount", "The amount, needed for outputs with witness").optional(),
        ],
    );
    Arg::arr("prevtxs", "Spent outputs that may not be in the chain yet", [prevtx.optional()]).optional()
}

fn signed_shape() -> Res {
    let error = Res::obj(
        "",
        "",
        [
            Res::hex("txid", "The spent transaction"),
            Res::num("vout", "Number of the spent output"),
            Res::arr("witness", "", [Res::hex("witness", "")]),
            Res::hex("scriptSig", "The input's script"),
            Res::num("sequence", "The input's sequence number"),
            Res::str("error", "What is wrong with the input"),
        ],
    );
    Res::obj(
        "",
        "",
        [
            Res::hex("hex", "The transaction with signatures"),
            Res::bool("complete", "Whether all signatures are there"),
            Res::arr("errors", "What is wrong, if anything", [error]).optional(),
        ],
    )
}

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        maker
            .method(
                "rawtransactions",
                "combinerawtransaction",
                "Puts the signatures of several copies of a transaction, each signed in part, into one.",
                combinerawtransaction,
            )
            .arg(Arg::arr(
                "txs",
                "The transactions in hexadecimal",
                [Arg::hex("hexstring", "A transaction").optional()],
            ))
            .result(Res::str("", "The transaction with all signatures"))
            .example_cli("'[\"myhex1\", \"myhex2\", \"myhex3\"]'"),
        maker
            .method(
                "rawtransactions",
                "signrawtransactionwithkey",
                "Signs a transaction with private keys, and with no others. Outputs that it spends and that are not in the chain \
                 yet have to be given.\n",
                signrawtransactionwithkey,
            )
            .arg(Arg::str("hexstring", "The transaction in hexadecimal"))
            .arg(Arg::arr(
                "privkeys",
                "The private keys in base 58",
                [Arg::hex("privatekey", "A private key in base 58").optional()],
            ))
            .arg(prevtxs_arg())
            .arg(
                Arg::str(
                    "sighashtype",
                    "What signatures cover: \"DEFAULT\", \"ALL\", \"NONE\", \"SINGLE\", \"ALL|ANYONECANPAY\", \
                     \"NONE|ANYONECANPAY\" or \"SINGLE|ANYONECANPAY\"",
                )
                .default("DEFAULT for Taproot, ALL otherwise"),
            )
            .result(signed_shape())
            .example_cli("\"myhex\" \"[\\\"key1\\\",\\\"key2\\\"]\"")
            .example_rpc("\"myhex\", \"[\\\"key1\\\",\\\"key2\\\"]\""),
    ]
}

/// Unspent outputs of chain and mempool. Reference: `FindCoins`.
pub(crate) fn find_coins(ctx: &Ctx, inputs: &[TxIn]) -> Result<BTreeMap<OutPoint, TxOut>, RpcError> {
    let mut chain = ctx.chainman()?.lock();
    let pool = ctx.mempool()?.lock();
    let view = PoolCoins::new(&pool);
    let mut out = BTreeMap::new();
    for input in inputs {
        let coin = view
            .get(chain.coins(), &input.prevout)
            .map_err(|_| RpcError::internal("Unable to read UTXO set"))?;
        if let Some(coin) = coin {
            out.insert(input.prevout, coin.out);
        }
    }
    Ok(out)
}

/// Adds outputs that the user gives, and their scripts to the keys. Reference: `ParsePrevouts`.
fn add_prevtxs(
    list: &Value,
    provider: &mut FlatSigningProvider,
    coins: &mut BTreeMap<OutPoint, TxOut>,
) -> Result<(), RpcError> {
    if list.is_null() {
        return Ok(());
    }
    for prevtx in list.get_array()? {
        if !prevtx.is_object() {
            return Err(RpcError::deserialization(
                "expected object with {\"txid'\",\"vout\",\"scriptPubKey\"}",
            ));
        }
        let types = [("txid", Expected::Str), ("vout", Expected::Num), ("scriptPubKey", Expected::Str)];
        check_object_types(prevtx, &types, false, false)?;
        let txid = Txid::from_bytes(parse_hash_field(prevtx, "txid")?);
        let vout = u32::try_from(prevtx.field("vout").get_int::<i32>()?)
            .map_err(|_| RpcError::deserialization("vout cannot be negative"))?;
        let script = Script::from(parse_hex_field(prevtx, "scriptPubKey")?);
        let outpoint = OutPoint { txid, vout };
        if let Some(known) = coins.get(&outpoint).filter(|known| known.script_pubkey != script) {
            return Err(RpcError::deserialization(format!(
                "Previous output scriptPubKey mismatch:\n{}\nvs:\n{}",
                script_to_asm(&known.script_pubkey, false),
                script_to_asm(&script, false)
            )));
        }
        // The largest amount stands for one that is not known.
        let amount = match prevtx.get("amount") {
            Some(amount) => amount_from_value(amount)?,
            None => MAX_MONEY,
        };
        coins.insert(outpoint, TxOut::new(Amount(amount), script.clone()));
        if script.is_pay_to_script_hash() || script.is_pay_to_witness_script_hash() {
            add_scripts(prevtx, &script, provider)?;
        }
    }
    Ok(())
}

fn add_scripts(prevtx: &Value, script: &Script, provider: &mut FlatSigningProvider) -> Result<(), RpcError> {
    let types = [("redeemScript", Expected::Str), ("witnessScript", Expected::Str)];
    check_object_types(prevtx, &types, true, false)?;
    let (redeem, witness) = (prevtx.field("redeemScript"), prevtx.field("witnessScript"));
    let inner = match (redeem, witness) {
        (Value::Null, Value::Null) => {
            return Err(RpcError::invalid_parameter("Missing redeemScript/witnessScript"));
        }
        (redeem, Value::Null) => parse_hex(redeem, "redeemScript")?,
        (_, witness) => parse_hex(witness, "witnessScript")?,
    };
    let program = Destination::witness_script_hash(&inner).script();
    provider.add_script(&inner);
    provider.add_script(&program);
    if !redeem.is_null() && !witness.is_null() && redeem != witness {
        let redeem = parse_hex(redeem, "redeemScript")?;
        if redeem != program[..] {
            return Err(RpcError::invalid_parameter("redeemScript does not correspond to witnessScript"));
        }
    }
    let fits = if script.is_pay_to_script_hash() {
        *script == Destination::script_hash(&inner).script()
            || *script == Destination::script_hash(&program).script()
    } else {
        *script == program
    };
    if !fits {
        return Err(RpcError::invalid_parameter("redeemScript/witnessScript does not match scriptPubKey"));
    }
    Ok(())
}

/// Signs and shows what came of it. Reference: `SignTransaction`.
fn sign(
    mut tx: MutableTransaction,
    provider: &FlatSigningProvider,
    coins: &BTreeMap<OutPoint, TxOut>,
    hash_type: u8,
) -> Result<Value, RpcError> {
    let failures = sign_transaction(&mut tx, provider, coins, hash_type);
    let mut errors = Vec::new();
    for (index, error) in &failures {
        let Some(input) = tx.inputs.get(*index) else { continue };
        if *error == InputError::MissingAmount {
            let output = coins.get(&input.prevout).map(output_text).unwrap_or_default();
            return Err(RpcError::type_error(format!("Missing amount for {output}")));
        }
        let witness: Vec<String> = input.witness.iter().map(hex_encode).collect();
        errors.push(json!({
            "txid": input.prevout.txid.to_string(),
            "vout": input.prevout.vout,
            "witness": witness,
            "scriptSig": input.script_sig.to_hex(),
            "sequence": input.sequence,
            "error": error.to_string(),
        }));
    }
    let mut out = json!({ "hex": tx_hex(&Transaction::from(tx)), "complete": errors.is_empty() });
    if !errors.is_empty() {
        out["errors"] = errors.into();
    }
    Ok(out)
}

fn signrawtransactionwithkey(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let tx = decode_tx(request.arg("hexstring")?, false, true).ok_or_else(|| {
        RpcError::deserialization("TX decode failed. Make sure the tx has at least one input.")
    })?;
    let mut provider = FlatSigningProvider::new();
    for text in request.value("privkeys").get_array()? {
        let key = decode_secret_key(text.get_str()?, ctx.params.network)
            .ok_or_else(|| RpcError::invalid_address_or_key("Invalid private key"))?;
        let public = key.public_key();
        provider.add_public_key(public);
        provider.keys.entry(public.key_id()).or_insert(key);
    }
    let mut coins = find_coins(ctx, &tx.inputs)?;
    add_prevtxs(request.value("prevtxs"), &mut provider, &mut coins)?;
    let hash_type = parse_sighash(request.value("sighashtype"))?.unwrap_or(0);
    sign(tx.to_mutable(), &provider, &coins, hash_type)
}

fn combinerawtransaction(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let mut variants = Vec::new();
    for (index, text) in request.value("txs").get_array()?.iter().enumerate() {
        let tx = decode_tx(text.get_str()?, false, true).ok_or_else(|| {
            RpcError::deserialization(format!(
                "TX decode failed for tx {index}. Make sure the tx has at least one input."
            ))
        })?;
        variants.push(tx.to_mutable());
    }
    let Some(first) = variants.first() else {
        return Err(RpcError::deserialization("Missing transactions"));
    };
    let mut merged = first.clone();
    let coins = find_coins(ctx, &merged.inputs)?;
    for index in 0..merged.inputs.len() {
        let spent = coins
            .get(&merged.inputs[index].prevout)
            .ok_or_else(|| RpcError::new(code::VERIFY_ERROR, "Input not found or already spent"))?;
        let mut data = SignatureData::default();
        for variant in variants.iter().filter(|variant| variant.inputs.len() > index) {
            data.merge(data_from_transaction(variant, index, spent));
        }
        let creator = TransactionSignatureCreator::new(&merged, index, spent.value, None, SIGHASH_ALL);
        produce_signature(&EmptySigningProvider, &creator, &spent.script_pubkey, &mut data);
        data.update_input(&mut merged.inputs[index]);
    }
    Ok(tx_hex(&Transaction::from(merged)).into())
}
