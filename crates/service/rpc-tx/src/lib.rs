//! Transactions in RPC arguments, as node and wallet take them: in hexadecimal, or as inputs and outputs.
//! Reference: `src/rpc/rawtransaction_util.cpp`, `src/core_io.cpp`.

use std::collections::BTreeSet;

use grs_descriptor::decode_destination;
use grs_encoding::{DecodeError, Reader, hex_decode, is_hex};
use grs_hashes::Txid;
use grs_keys::PublicKey;
use grs_params::Network;
use grs_policy::{TX_MAX_STANDARD_VERSION, TX_MIN_STANDARD_VERSION};
use grs_primitives::{Amount, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut};
use grs_rpc::value::{amount_from_value, parse_hash_field, parse_hex};
use grs_rpc::{Arg, JsonExt, RpcError};
use grs_script::{MAX_SCRIPT_SIZE, ScriptExt, script_for_null_data, sighash_from_str};
use serde_json::Value;

/// Replaceable, by BIP125.
const SEQUENCE_REPLACEABLE: u32 = 0xffff_fffd;
/// The lock time counts.
const SEQUENCE_NONFINAL: u32 = 0xffff_fffe;
/// Default of `version`.
const DEFAULT_VERSION: u32 = 2;

/// Largest sequence number that lets a transaction be replaced (BIP125).
const MAX_BIP125_RBF_SEQUENCE: u32 = 0xffff_fffd;

/// A public key in hexadecimal. Reference: `HexToPubKey`.
///
/// # Errors
/// One for what is not hexadecimal, of another length than a key, or no point of the curve.
pub fn parse_public_key(text: &str) -> Result<PublicKey, RpcError> {
    let fail = |reason: &str| Err(RpcError::invalid_address_or_key(format!("Pubkey \"{text}\" {reason}")));
    if !is_hex(text) {
        return fail("must be a hex string");
    }
    if text.len() != 66 && text.len() != 130 {
        return fail("must have a length of either 33 or 65 bytes");
    }
    let key = hex_decode(text).ok().and_then(|bytes| PublicKey::from_slice(&bytes).ok());
    match key.filter(PublicKey::is_fully_valid) {
        Some(key) => Ok(key),
        None => fail("must be cryptographically valid."),
    }
}

/// Whether all scripts could be scripts: tells the two forms of a transaction apart. Reference:
/// `CheckTxScriptsSanity`.
fn is_sane(tx: &Transaction) -> bool {
    let sane = |script: &[u8]| script.len() <= MAX_SCRIPT_SIZE && script.has_valid_ops();
    (tx.is_coinbase() || tx.inputs.iter().all(|input| sane(&input.script_sig)))
        && tx.outputs.iter().all(|output| sane(&output.script_pubkey))
}

/// Reads a transaction in the form without witnesses, with them, or in that of both which makes more sense.
/// Reference: `DecodeHexTx`.
pub fn decode_tx(text: &str, without_witness: bool, with_witness: bool) -> Option<Transaction> {
    let bytes = hex_decode(text).ok()?;
    let read = |witness: bool| -> Result<Transaction, DecodeError> {
        let mut reader = Reader::new(&bytes);
        let tx = Transaction::decode_with(&mut reader, witness)?;
        reader.finish()?;
        Ok(tx)
    };
    let extended = if with_witness { read(true).ok() } else { None };
    if extended.as_ref().is_some_and(is_sane) {
        return extended;
    }
    let plain = if without_witness { read(false).ok() } else { None };
    if plain.as_ref().is_some_and(is_sane) {
        return plain;
    }
    extended.or(plain)
}

/// Arguments of a transaction to be made. Reference: `CreateTxDoc`.
pub fn construct_args() -> [Arg; 5] {
    let input = Arg::obj(
        "",
        "",
        [
            Arg::hex("txid", "The transaction's id"),
            Arg::num("vout", "Number of the output"),
            Arg::num("sequence", "Sequence number")
                .default_hint("depends on the value of the 'replaceable' and 'locktime' arguments"),
        ],
    );
    let payment =
        Arg::obj_user_keys("", "", [Arg::amount("address", "Address and amount in GRS (number or string)")]);
    let data = Arg::obj("", "", [Arg::hex("data", "The key \"data\" and bytes for an OP_RETURN output")]);
    [
        Arg::arr("inputs", "The inputs", [input.optional()]),
        Arg::arr(
                    "outputs",
                    "The outputs, each an object with one key. No key may come twice: there is one 'data' output at most. One \
                     object with all keys does as well.",
                    [payment.optional(), data.optional()],
                )
                .skip_type_check(),
        Arg::num("locktime", "Lock time; other than 0, it is made to count").default(0),
        Arg::bool(
                    "replaceable",
                    "Says that it may be replaced by one with a higher fee (BIP125). Given, sequence numbers must not contradict \
                     it.",
                )
                .default(true),
        Arg::num("version", "Version").default(DEFAULT_VERSION),
    ]
}

fn refuse<T>(text: impl Into<String>) -> Result<T, RpcError> {
    Err(RpcError::invalid_parameter(text))
}

fn input(object: &Value, default_sequence: u32) -> Result<TxIn, RpcError> {
    object.get_object()?;
    let txid = Txid::from_bytes(parse_hash_field(object, "txid")?);
    let vout = object.field("vout");
    if !vout.is_number() {
        return refuse("Invalid parameter, missing vout key");
    }
    let Ok(vout) = u32::try_from(vout.get_int::<i32>()?) else {
        return refuse("Invalid parameter, vout cannot be negative");
    };
    let sequence = match object.field("sequence") {
        number @ Value::Number(_) => match u32::try_from(number.get_int::<i64>()?) {
            Ok(sequence) => sequence,
            Err(_) => return refuse("Invalid parameter, sequence number is out of range"),
        },
        _ => default_sequence,
    };
    Ok(TxIn::new(OutPoint { txid, vout }, sequence))
}

/// Outputs as pairs of key and value, whether given as a list of objects or as one object.
fn output_pairs(outputs: &Value) -> Result<Vec<(&String, &Value)>, RpcError> {
    match outputs {
        Value::Null => refuse("Invalid parameter, output argument must be non-null"),
        Value::Object(map) => Ok(map.iter().collect()),
        list => {
            let mut pairs = Vec::new();
            for object in list.get_array()? {
                let Some(map) = object.as_object() else {
                    return refuse("Invalid parameter, key-value pair not an object as expected");
                };
                if map.len() != 1 {
                    return refuse("Invalid parameter, key-value pair must contain exactly one key");
                }
                pairs.extend(map.iter());
            }
            Ok(pairs)
        }
    }
}

/// Outputs with the keys they were given under: an address, or `data`. Reference: `ParseOutputs`.
pub fn parse_outputs(value: &Value, network: Network) -> Result<Vec<(String, TxOut)>, RpcError> {
    let mut scripts: BTreeSet<Vec<u8>> = BTreeSet::new();
    let mut has_data = false;
    let mut out = Vec::new();
    for (key, value) in output_pairs(value)? {
        if key == "data" {
            if has_data {
                return refuse("Invalid parameter, duplicate key: data");
            }
            has_data = true;
            let data = match value {
                // A number's digits are taken as hexadecimal ones, as the reference does.
                Value::Number(number) => parse_hex(&number.to_string().into(), "Data")?,
                other => parse_hex(other, "Data")?,
            };
            out.push((key.clone(), TxOut::new(Amount::ZERO, script_for_null_data(&data))));
            continue;
        }
        let destination = decode_destination(key, network);
        let amount = Amount(amount_from_value(value)?);
        let Ok(destination) = destination else {
            return Err(RpcError::invalid_address_or_key(format!("Invalid Groestlcoin address: {key}")));
        };
        let script: Script = destination.script();
        if !scripts.insert(script.to_vec()) {
            return refuse(format!("Invalid parameter, duplicated address: {key}"));
        }
        out.push((key.clone(), TxOut::new(amount, script)));
    }
    Ok(out)
}

/// Parts of a transaction as callers give them.
#[derive(Debug, Clone, Copy)]
pub struct TxArguments<'a> {
    /// A list of objects with `txid`, `vout` and perhaps `sequence`, or null.
    pub inputs: &'a Value,
    /// A list of objects with one key each, or one object.
    pub outputs: &'a Value,
    /// A number, or null.
    pub lock_time: &'a Value,
}

/// Makes a transaction of arguments. `replaceable` is none when it was not given. Reference: `ConstructTransaction`.
pub fn construct(
    parts: TxArguments<'_>,
    replaceable: Option<bool>,
    version: u32,
    network: Network,
) -> Result<MutableTransaction, RpcError> {
    let lock_time = match parts.lock_time {
        Value::Null => 0,
        value => match u32::try_from(value.get_int::<i64>()?) {
            Ok(lock_time) => lock_time,
            Err(_) => return refuse("Invalid parameter, locktime out of range"),
        },
    };
    if !(TX_MIN_STANDARD_VERSION..=TX_MAX_STANDARD_VERSION).contains(&version) {
        return refuse(format!(
            "Invalid parameter, version out of range({TX_MIN_STANDARD_VERSION}~{TX_MAX_STANDARD_VERSION})"
        ));
    }
    let sequence = match replaceable {
        None | Some(true) => SEQUENCE_REPLACEABLE,
        Some(false) if lock_time != 0 => SEQUENCE_NONFINAL,
        Some(false) => u32::MAX,
    };
    let inputs = match parts.inputs {
        Value::Null => Vec::new(),
        list => list.get_array()?.iter().map(|object| input(object, sequence)).collect::<Result<_, _>>()?,
    };
    let outputs = parse_outputs(parts.outputs, network)?.into_iter().map(|(_, output)| output).collect();
    let tx = MutableTransaction { version, inputs, outputs, lock_time };
    if replaceable == Some(true)
        && !tx.inputs.is_empty()
        && tx.inputs.iter().all(|input| input.sequence > MAX_BIP125_RBF_SEQUENCE)
    {
        return refuse("Invalid parameter combination: Sequence number(s) contradict replaceable option");
    }
    Ok(tx)
}

/// Reads a signature hash type; none if none is given. Reference: `ParseSighashString`.
pub fn parse_sighash(value: &Value) -> Result<Option<u8>, RpcError> {
    if value.is_null() {
        return Ok(None);
    }
    let name = value.get_str()?;
    match sighash_from_str(name) {
        Some(hash_type) => Ok(Some(hash_type)),
        None => refuse(format!("'{name}' is not a valid sighash parameter.")),
    }
}

/// An output as error texts show it. Reference: `CTxOut::ToString`.
pub fn output_text(output: &TxOut) -> String {
    let hex: String = output.script_pubkey.to_hex().chars().take(30).collect();
    format!("CTxOut(nValue={}, scriptPubKey={hex})", output.value.to_decimal())
}
