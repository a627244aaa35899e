//! Methods that pay. Reference: `src/wallet/rpc/spend.cpp`.

use std::collections::{BTreeMap, BTreeSet};

use grs_descriptor::{Destination, decode_destination};
use grs_policy::FeeRate;
use grs_rpc::value::{amount_from_value, amount_from_value_with, parse_confirm_target};
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError, code};
use serde_json::{Map, Value, json};

use super::wallets::wallet_error;
use super::{RpcResult, avoid_reuse_flag, ensure_unlocked, state_of, synced_wallet_of};
use crate::flags;
use crate::spend::{CoinControl, Recipient, reason_text};
use crate::wallet::Wallet;

const MODES: &str = "unset, economical or conservative";

pub(super) fn methods() -> Vec<Method> {
    let target =
        || Arg::num("conf_target", "Blocks within which it should confirm").default_hint("-txconfirmtarget");
    let mode = || Arg::str("estimate_mode", format!("How to estimate the fee: {MODES}")).default("unset");
    let rate = || Arg::amount("fee_rate", "Fee rate in gro/vB").default_hint("estimated");
    let results = |method: Method| {
        method.result(Res::hex("txid", "Id of the transaction").cond("unless verbose")).result(
            Res::obj(
                "",
                "",
                [
                    Res::hex("txid", "Id of the transaction"),
                    Res::str("fee_reason", "Where the fee comes from"),
                ],
            )
            .cond("if verbose"),
        )
    };
    vec![
        results(
            Method::new("wallet", "sendtoaddress", "Pays an address.\n", sendtoaddress)
                .arg(Arg::str("address", "Whom to pay"))
                .arg(Arg::amount("amount", "How much, in GRS"))
                .arg(Arg::str("comment", "A note for yourself").optional())
                .arg(Arg::str("comment_to", "A note on the recipient").optional())
                .arg(Arg::bool("subtractfeefromamount", "Let the recipient pay the fee").default(false))
                .arg(Arg::bool("replaceable", "It may be replaced (BIP125)").default_hint("wallet default"))
                .arg(target())
                .arg(mode())
                .arg(
                    Arg::bool("avoid_reuse", "Leave out coins of used addresses, if the wallet knows them")
                        .default(true),
                )
                .arg(rate())
                .arg(Arg::bool("verbose", "Say more").default(false)),
        )
        .example_cli("\"address\" 0.1")
        .example_rpc("\"address\", 0.1"),
        results(
            Method::new("wallet", "sendmany", "Pays several addresses at once.\n", sendmany)
                .arg(Arg::str("dummy", "Must be empty").default("").oneline("\"\""))
                .arg(Arg::obj_user_keys(
                    "amounts",
                    "Amounts in GRS by address",
                    [Arg::amount("address", "How much")],
                ))
                .arg(Arg::num("minconf", "No longer used").optional())
                .arg(Arg::str("comment", "A note for yourself").optional())
                .arg(
                    Arg::arr(
                        "subtractfeefrom",
                        "Let these recipients share the fee",
                        [Arg::str("address", "").optional()],
                    )
                    .optional(),
                )
                .arg(Arg::bool("replaceable", "It may be replaced (BIP125)").default_hint("wallet default"))
                .arg(target())
                .arg(mode())
                .arg(rate())
                .arg(Arg::bool("verbose", "Say more").default(false)),
        )
        .example_cli("\"\" \"{\\\"address\\\":0.01}\"")
        .example_rpc("\"\", {\"address\":0.01}"),
    ]
}

/// Outputs of an object of amounts by address, in order. Reference: `ParseOutputs`.
fn parse_outputs(wallet: &Wallet, outputs: &Map<String, Value>) -> Result<Vec<(Destination, i64)>, RpcError> {
    let network = state_of(wallet).network;
    let mut seen = BTreeSet::new();
    let mut out = Vec::new();
    for (address, value) in outputs {
        let destination = decode_destination(address, network).map_err(|_| {
            RpcError::invalid_address_or_key(format!("Invalid Groestlcoin address: {address}"))
        })?;
        if !seen.insert(destination.clone()) {
            let text = format!("Invalid parameter, duplicated address: {address}");
            return Err(RpcError::invalid_parameter(text));
        }
        out.push((destination, amount_from_value(value)?));
    }
    Ok(out)
}

/// Takes fee rate, target and mode into account. Reference: `SetFeeEstimateMode`.
pub(super) fn set_fee_mode(
    wallet: &Wallet,
    control: &mut CoinControl,
    (target, mode, rate): (&Value, &Value, &Value),
    override_min: bool,
) -> Result<(), RpcError> {
    if !rate.is_null() {
        if !target.is_null() {
            return Err(RpcError::invalid_parameter(
                "Cannot specify both conf_target and fee_rate. Please provide either a confirmation target in blocks for \
                 automatic fee estimation, or an explicit fee rate.",
            ));
        }
        if !mode.is_null() && mode.get_str()? != "unset" {
            return Err(RpcError::invalid_parameter("Cannot specify both estimate_mode and fee_rate"));
        }
        control.fee_rate = Some(FeeRate::per_kvb(amount_from_value_with(rate, 3)?));
        control.override_fee_rate |= override_min;
        control.signal_rbf.get_or_insert(true);
        return Ok(());
    }
    if !mode.is_null() {
        control.conservative = match mode.get_str()?.to_ascii_lowercase().as_str() {
            "unset" => None,
            "economical" => Some(false),
            "conservative" => Some(true),
            _ => {
                return Err(RpcError::invalid_parameter(
                    "Invalid estimate_mode parameter, must be one of: \"unset\", \"economical\", \"conservative\"",
                ));
            }
        };
    }
    if !target.is_null() {
        let max = wallet.chain.estimate_max_blocks().map_err(wallet_error)?;
        control.confirm_target = Some(parse_confirm_target(target, max)?);
    }
    Ok(())
}

fn fee_arguments<'a>(request: &Request<'a>) -> (&'a Value, &'a Value, &'a Value) {
    (request.value("conf_target"), request.value("estimate_mode"), request.value("fee_rate"))
}

/// Makes a payment and sends it. Reference: `SendMoney`.
fn send_money(
    wallet: &Wallet,
    mut recipients: Vec<Recipient>,
    control: &CoinControl,
    values: BTreeMap<String, String>,
    verbose: bool,
) -> RpcResult {
    {
        let state = state_of(wallet);
        ensure_unlocked(&state)?;
        if state.has_flag(flags::DISABLE_PRIVATE_KEYS) {
            return Err(RpcError::wallet("Error: Private keys are disabled for this wallet"));
        }
    }
    crate::spend::shuffle(&mut recipients);
    let _spending = wallet.spend_lock();
    let created = wallet
        .create_transaction(&recipients, control, true)
        .map_err(|e| RpcError::new(code::WALLET_INSUFFICIENT_FUNDS, e.to_string()))?;
    wallet.commit(&created.tx, |wtx| {
        wtx.values = values;
        true
    })?;
    let txid = created.tx.txid().to_string();
    Ok(match verbose {
        true => json!({ "txid": txid, "fee_reason": reason_text(created.reason) }),
        false => txid.into(),
    })
}

fn comment(request: &Request<'_>, arg: &str) -> Result<Option<String>, RpcError> {
    Ok(request.opt::<&str>(arg)?.filter(|text| !text.is_empty()).map(str::to_owned))
}

fn sendtoaddress(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let mut values = BTreeMap::new();
    for (arg, key) in [("comment", "comment"), ("comment_to", "to")] {
        if let Some(text) = comment(request, arg)? {
            values.insert(key.to_owned(), text);
        }
    }
    let mut control = CoinControl { signal_rbf: request.opt("replaceable")?, ..CoinControl::default() };
    let avoid_reuse = avoid_reuse_flag(&state_of(&wallet), request.value("avoid_reuse"))?;
    control.allow_used = !avoid_reuse;
    // Coins of one address are then spent at once.
    control.avoid_partial_spends |= avoid_reuse;
    set_fee_mode(&wallet, &mut control, fee_arguments(request), false)?;
    ensure_unlocked(&state_of(&wallet))?;
    let mut outputs = Map::new();
    outputs.insert(request.arg::<&str>("address")?.to_owned(), request.value("amount").clone());
    let subtract_fee: bool = request.arg("subtractfeefromamount")?;
    let recipients = parse_outputs(&wallet, &outputs)?
        .into_iter()
        .map(|(destination, amount)| Recipient { destination, amount, subtract_fee })
        .collect();
    send_money(&wallet, recipients, &control, values, request.arg("verbose")?)
}

/// Places of the recipients who share the fee. Reference: `InterpretSubtractFeeFromOutputInstructions`.
pub(super) fn fee_payers(value: &Value, addresses: &[&String]) -> Result<BTreeSet<usize>, RpcError> {
    let wrong = |text: String| {
        RpcError::invalid_parameter(format!("Invalid parameter 'subtract fee from output', {text}"))
    };
    let mut out = BTreeSet::new();
    for item in value.as_array().into_iter().flatten() {
        let place: i64 = match item {
            Value::String(address) => {
                let found = addresses.iter().position(|a| *a == address);
                found.ok_or_else(|| wrong(format!("destination {address} not found in tx outputs")))? as i64
            }
            Value::Number(_) => i64::from(item.get_int::<i32>()?),
            _ => return Err(wrong(format!("invalid value type: {}", item.type_name()))),
        };
        let place = usize::try_from(place).map_err(|_| wrong(format!("negative position: {place}")))?;
        if out.contains(&place) {
            return Err(wrong(format!("duplicated position: {place}")));
        }
        if place >= addresses.len() {
            return Err(wrong(format!("position too large: {place}")));
        }
        out.insert(place);
    }
    Ok(out)
}

fn sendmany(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    if !request.arg::<&str>("dummy")?.is_empty() {
        return Err(RpcError::invalid_parameter("Dummy value must be set to \"\""));
    }
    let outputs = request.value("amounts").get_object()?;
    let mut values = BTreeMap::new();
    if let Some(text) = comment(request, "comment")? {
        values.insert("comment".to_owned(), text);
    }
    let mut control = CoinControl { signal_rbf: request.opt("replaceable")?, ..CoinControl::default() };
    set_fee_mode(&wallet, &mut control, fee_arguments(request), false)?;
    let addresses: Vec<&String> = outputs.keys().collect();
    let payers = fee_payers(request.value("subtractfeefrom"), &addresses)?;
    let recipients = parse_outputs(&wallet, outputs)?
        .into_iter()
        .enumerate()
        .map(|(n, (destination, amount))| Recipient {
            destination,
            amount,
            subtract_fee: payers.contains(&n),
        })
        .collect();
    send_money(&wallet, recipients, &control, values, request.arg("verbose")?)
}
