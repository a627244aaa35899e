//! `walletprocesspsbt`, `walletcreatefundedpsbt`, `send`. Reference: `src/wallet/rpc/spend.cpp`.

use grs_descriptor::extract_destination;
use grs_encoding::{encode_to_vec, hex_encode};
use grs_primitives::{MutableTransaction, TxOut, TxRef};
use grs_psbt::{Psbt, SignError, extract};
use grs_rpc::value::amount;
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError};
use grs_rpc_tx::{TxArguments, construct, construct_args, parse_outputs, parse_sighash};
use serde_json::{Map, Value, json};

use super::fund::{FundOptions, fund, fund_options};
use super::sendall::merged_options;
use super::spend::fee_payers;
use super::{RpcResult, ensure_unlocked, state_of, synced_wallet_of};
use crate::spend::{CoinControl, CreatedTransaction, Recipient};
use crate::state::FillOptions;
use crate::wallet::Wallet;

/// Sequence numbers that leave the lock time to the wallet.
const ORDINARY_SEQUENCES: [u32; 2] = [0xffff_fffe, 0xffff_fffd];

fn weighted_inputs() -> Arg {
    Arg::arr(
        "inputs",
        "Inputs to use; others are added as the option add_inputs says",
        [Arg::obj(
            "",
            "",
            [
                Arg::hex("txid", "The transaction"),
                Arg::num("vout", "Number of the output"),
                Arg::num("sequence", "Sequence number").default_hint(
                    "depends on the value of the 'locktime' and 'options.replaceable' arguments",
                ),
                Arg::num("weight", "Largest weight of the input, signed")
                    .default_hint("Calculated from wallet and solving data"),
            ],
        )
        .optional()],
    )
}

/// The argument `outputs`, as `createrawtransaction` has it.
fn outputs_arg() -> Arg {
    let [_, outputs, ..] = construct_args();
    outputs
}

pub(super) fn methods() -> Vec<Method> {
    let adding = Arg::bool("add_inputs", "Add inputs if those given are not enough")
        .default_hint("false when \"inputs\" are specified, true otherwise");
    let mut funded = fund_options(FundOptions { adding: adding.clone(), camel_case: true });
    funded.retain(|arg| arg.names() != "input_weights");
    let mut sending = fund_options(FundOptions { adding, camel_case: false });
    sending
        .retain(|arg| !["input_weights", "conf_target", "estimate_mode", "fee_rate"].contains(&arg.names()));
    sending.extend([
        Arg::bool("add_to_wallet", "Keep and send it; otherwise only give it").default(true),
        weighted_inputs().default(json!([])),
        Arg::num("locktime", "Lock time")
            .default_hint("locktime close to block height to prevent fee sniping"),
        Arg::bool("psbt", "Always give a PSBT, and send nothing").default_hint("automatic"),
        Arg::num("conf_target", "Blocks within which it should confirm")
            .default_hint("wallet -txconfirmtarget"),
        Arg::str("estimate_mode", "How to estimate the fee: unset, economical or conservative")
            .default("unset"),
        Arg::amount("fee_rate", "Fee rate in gro/vB")
            .default_hint("not set, fall back to wallet fee estimation"),
    ]);
    vec![
        Method::new(
            "wallet",
            "walletprocesspsbt",
            "Adds to a PSBT what this wallet knows about its inputs and outputs, and signs the inputs it has keys for.\n",
            walletprocesspsbt,
        )
        .arg(Arg::str("psbt", "The PSBT in base64"))
        .arg(Arg::bool("sign", "Whether to sign; the wallet has to be unlocked for it").default(true))
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
        .example_cli("\"psbt\""),
        Method::new(
            "wallet",
            "walletcreatefundedpsbt",
            "Makes a PSBT that pays, with inputs of the wallet and change. Inputs that are given must be of the wallet or among \
             the unspent outputs; what is needed to spend those of others has to be given too.\n",
            walletcreatefundedpsbt,
        )
        .arg(weighted_inputs().optional())
        .arg(outputs_arg())
        .arg(Arg::num("locktime", "Lock time; other than 0, it is made to count").default(0))
        .arg(Arg::options("options", "", funded).skip_type_check().oneline("options"))
        .arg(Arg::bool("bip32derivs", "Whether to add where keys come from").default(true))
        .arg(Arg::num("version", "Version").default(2))
        .result(Res::obj(
            "",
            "",
            [
                Res::str("psbt", "The PSBT in base64"),
                Res::amount("fee", "Its fee in GRS"),
                Res::num("changepos", "Number of the change output, or -1"),
            ],
        ))
        .example_cli("\"[]\" \"[{\\\"address\\\":0.5}]\" 0 \"{\\\"add_inputs\\\":true,\\\"fee_rate\\\":2}\""),
        Method::new("wallet", "send", "Makes a payment and sends it, or gives a PSBT of it.\n", send)
            .arg(outputs_arg())
            .arg(
                Arg::num("conf_target", "Blocks within which it should confirm")
                    .default_hint("wallet -txconfirmtarget"),
            )
            .arg(
                Arg::str("estimate_mode", "How to estimate the fee: unset, economical or conservative")
                    .default("unset"),
            )
            .arg(
                Arg::amount("fee_rate", "Fee rate in gro/vB")
                    .default_hint("not set, fall back to wallet fee estimation"),
            )
            .arg(Arg::options("options", "", sending).skip_type_check().oneline("options"))
            .arg(Arg::num("version", "Version").default(2))
            .result(finished_shape())
            .example_cli("'{\"address\": 0.1}'")
            .example_cli("'{\"address\": 0.1}' null \"unset\" 1"),
    ]
}

/// Shape of what [`finish`] gives.
pub(super) fn finished_shape() -> Res {
    Res::obj(
        "",
        "",
        [
            Res::bool("complete", "Whether all signatures are there"),
            Res::hex("txid", "The transaction").optional(),
            Res::hex("hex", "The transaction, if it is complete and was not sent").optional(),
            Res::str("psbt", "A PSBT of it, if asked for, not complete, or not sent").optional(),
        ],
    )
}

pub(super) fn sign_error(error: SignError) -> RpcError {
    match error {
        SignError::SighashMismatch => RpcError::deserialization(error.to_string()),
        _ => RpcError::new(grs_rpc::code::TRANSACTION_ERROR, error.to_string()),
    }
}

fn walletprocesspsbt(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let mut psbt = Psbt::from_base64(request.arg("psbt")?)
        .map_err(|e| RpcError::deserialization(format!("TX decode failed {e}")))?;
    let sighash = match request.has("sighashtype") {
        true => parse_sighash(request.value("sighashtype"))?.map(i32::from),
        false => None,
    };
    let options = FillOptions {
        sighash,
        sign: request.arg("sign")?,
        derivations: request.arg("bip32derivs")?,
        finalize: request.arg("finalize")?,
    };
    let complete = {
        let state = state_of(&wallet);
        if options.sign {
            ensure_unlocked(&state)?;
        }
        state.fill_psbt(&mut psbt, options).map_err(sign_error)?
    };
    let mut out = Map::new();
    out.insert("psbt".into(), psbt.to_base64().into());
    out.insert("complete".into(), complete.into());
    if complete {
        let tx = extract(&mut psbt).ok_or_else(|| RpcError::bug("a complete PSBT is not complete"))?;
        out.insert("hex".into(), hex_encode(encode_to_vec(&tx)).into());
    }
    Ok(Value::Object(out))
}

/// Inputs, outputs and lock time of a payment to be made.
struct Parts<'a> {
    tx: TxArguments<'a>,
    version: u32,
    /// Numbers or addresses of outputs that share the fee.
    payers: &'a Value,
    /// A rate below the least is allowed.
    override_min_fee: bool,
}

fn make(wallet: &Wallet, parts: Parts<'_>, options: &Value) -> Result<CreatedTransaction, RpcError> {
    let network = state_of(wallet).network;
    let replaceable = options.field("replaceable").as_bool().unwrap_or(wallet.options.signal_rbf);
    let tx = construct(parts.tx, Some(replaceable), parts.version, network)?;
    let (names, outputs): (Vec<String>, Vec<TxOut>) =
        parse_outputs(parts.tx.outputs, network)?.into_iter().unzip();
    let payers = fee_payers(parts.payers, &names.iter().collect::<Vec<_>>())?;
    let recipient = |(n, out): (usize, &TxOut)| Recipient {
        destination: extract_destination(&out.script_pubkey),
        amount: out.value.0,
        subtract_fee: payers.contains(&n),
    };
    let recipients: Vec<Recipient> = outputs.iter().enumerate().map(recipient).collect();
    let mut options = options.clone();
    if !options.field("input_weights").is_null() {
        return Err(RpcError::invalid_parameter(
            "Input weights should be specified in inputs rather than in options.",
        ));
    }
    let weights: Vec<Value> = parts.tx.inputs.as_array().into_iter().flatten().cloned().collect();
    options["input_weights"] = weights.into_iter().filter(|input| !input.field("weight").is_null()).collect();
    let control = CoinControl {
        only_selected: !tx.inputs.is_empty(),
        lock_time: Some(tx.lock_time),
        version: Some(tx.version),
        ..CoinControl::default()
    };
    fund(wallet, &tx.inputs, &recipients, &options, control, parts.override_min_fee)
}

fn walletcreatefundedpsbt(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let options = match request.value("options") {
        Value::Null => json!({}),
        options => options.clone(),
    };
    let parts = Parts {
        tx: TxArguments {
            inputs: request.value("inputs"),
            outputs: request.value("outputs"),
            lock_time: request.value("locktime"),
        },
        version: request.arg("version")?,
        payers: options.field("subtractFeeFromOutputs"),
        override_min_fee: true,
    };
    let created = make(&wallet, parts, &options)?;
    let mut psbt = Psbt::new(created.tx.to_mutable());
    let fill =
        FillOptions { sighash: None, sign: false, derivations: request.arg("bip32derivs")?, finalize: true };
    state_of(&wallet).fill_psbt(&mut psbt, fill).map_err(sign_error)?;
    Ok(json!({
        "psbt": psbt.to_base64(),
        "fee": amount(created.fee),
        "changepos": created.change_position.map_or(-1, |n| n as i64),
    }))
}

fn send(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let options = Value::Object(merged_options(request)?);
    let parts = Parts {
        tx: TxArguments {
            inputs: options.field("inputs"),
            outputs: request.value("outputs"),
            lock_time: options.field("locktime"),
        },
        version: request.arg("version")?,
        payers: options.field("subtract_fee_from_outputs"),
        override_min_fee: false,
    };
    let _spending = wallet.spend_lock();
    let created = make(&wallet, parts, &options)?;
    finish(&wallet, &options, created.tx.to_mutable())
}

/// Signs a payment, and sends it unless the options or a missing key say otherwise. Reference: `FinishTransaction`.
pub(super) fn finish(wallet: &Wallet, options: &Value, mut tx: MutableTransaction) -> RpcResult {
    let free = options.field("locktime").is_null();
    if free && tx.inputs.iter().all(|input| ORDINARY_SEQUENCES.contains(&input.sequence)) {
        tx.lock_time = wallet.current_lock_time()?;
    }
    let mut psbt = Psbt::new(tx);
    {
        let state = state_of(wallet);
        let fill = FillOptions { sighash: None, sign: false, derivations: true, finalize: true };
        state.fill_psbt(&mut psbt, fill).map_err(sign_error)?;
        let fill = FillOptions { sign: true, derivations: false, ..fill };
        state.fill_psbt(&mut psbt, fill).map_err(sign_error)?;
    }
    let tx = extract(&mut psbt);
    let psbt_wanted = options.field("psbt").as_bool() == Some(true);
    let add_to_wallet = options.field("add_to_wallet").as_bool().unwrap_or(true);
    let mut out = Map::new();
    if psbt_wanted || tx.is_none() || !add_to_wallet {
        out.insert("psbt".into(), psbt.to_base64().into());
    }
    let complete = tx.is_some();
    if let Some(tx) = tx {
        let tx = TxRef::new(tx.into());
        out.insert("txid".into(), tx.txid().to_string().into());
        if add_to_wallet && !psbt_wanted {
            wallet.commit(&tx, |_| true)?;
        } else {
            out.insert("hex".into(), hex_encode(encode_to_vec(tx.as_ref())).into());
        }
    }
    out.insert("complete".into(), complete.into());
    Ok(Value::Object(out))
}
