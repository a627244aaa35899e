//! Paying everything out. Reference: `sendall` of `src/wallet/rpc/spend.cpp`.

use std::collections::BTreeSet;

use grs_descriptor::{decode_destination, extract_destination};
use grs_hashes::Txid;
use grs_interfaces::FeeReason;
use grs_policy::{FeeRate, TRUC_VERSION, is_dust};
use grs_primitives::{Amount, MutableTransaction, OutPoint, TxIn, TxOut};
use grs_rpc::value::{amount_from_value, parse_hash_field};
use grs_rpc::{Arg, JsonExt, Method, Request, RpcError, code};
use serde_json::{Map, Value, json};

use super::psbt::{finish, finished_shape};
use super::spend::set_fee_mode;
use super::wallets::wallet_error;
use super::{RpcResult, ensure_unlocked, state_of, synced_wallet_of};
use crate::spend::{
    CoinControl, CoinFilter, TRUC_CHILD_MAX_WEIGHT, TRUC_MAX_WEIGHT, available_coins, signed_size,
    version_mismatch,
};
use crate::wallet::Wallet;

const RBF_SEQUENCE: u32 = 0xffff_fffd;
const FINAL_SEQUENCE: u32 = 0xffff_ffff;
/// Heaviest transaction that is relayed.
const MAX_WEIGHT: i64 = grs_policy::MAX_STANDARD_TX_WEIGHT as i64;

pub(super) fn methods() -> Vec<Method> {
    let target =
        || Arg::num("conf_target", "Blocks within which it should confirm").default_hint("-txconfirmtarget");
    let mode = || {
        Arg::str("estimate_mode", "How to estimate the fee: unset, economical or conservative")
            .default("unset")
    };
    let rate = || Arg::amount("fee_rate", "Fee rate in gro/vB").default_hint("estimated");
    let input = Arg::obj(
        "",
        "",
        [
            Arg::hex("txid", "Transaction"),
            Arg::num("vout", "Number of the output"),
            Arg::num("sequence", "Sequence").default_hint("from replaceable and locktime"),
        ],
    )
    .optional();
    let options = vec![
        Arg::bool("add_to_wallet", "Send it; otherwise give it as hex").default(true),
        rate().also_positional(),
        Arg::arr("inputs", "Spend these and no others", [input]).default(json!([])),
        Arg::num("locktime", "Lock time").default_hint("against fee sniping"),
        Arg::bool("lock_unspents", "Lock the coins").default(false),
        Arg::bool("psbt", "Always give a PSBT, and send nothing").default_hint("automatic"),
        Arg::bool("send_max", "Leave coins that are not worth their fee").default(false),
        Arg::num("minconf", "Least confirmations").default(0),
        Arg::num("maxconf", "Most confirmations").optional(),
        Arg::num("version", "Version of the transaction").default(2),
        target().also_positional(),
        mode().also_positional(),
        Arg::bool("replaceable", "It may be replaced (BIP125)").default_hint("wallet default"),
    ];
    vec![
        Method::new(
            "wallet",
            "sendall",
            "Spends all coins, confirmed or own change, without change. Recipients without amount share what is left.\n",
            sendall,
        )
        .arg(Arg::arr(
            "recipients",
            "Addresses, with or without amounts",
            [
                Arg::str("address", "Gets a share of what is left").optional(),
                Arg::obj_user_keys("", "Gets an amount", [Arg::amount("address", "Amount in GRS")]).optional(),
            ],
        ))
        .arg(target())
        .arg(mode())
        .arg(rate())
        .arg(Arg::options("options", "", options).oneline("options"))
        .result(finished_shape())
        .example_cli("'[\"address\"]'")
        .example_rpc("[\"address\"]"),
    ]
}

/// Options with the positional fee arguments among them.
pub(super) fn merged_options(request: &Request<'_>) -> Result<Map<String, Value>, RpcError> {
    let mut options = request.value("options").as_object().cloned().unwrap_or_default();
    let positional = |name: &str| request.value(name).clone();
    if options.contains_key("conf_target") || options.contains_key("estimate_mode") {
        if request.has("conf_target") || request.has("estimate_mode") {
            return Err(RpcError::invalid_parameter(
                "Pass conf_target and estimate_mode either as arguments or in the options object, but not both",
            ));
        }
    } else {
        options.insert("conf_target".into(), positional("conf_target"));
        options.insert("estimate_mode".into(), positional("estimate_mode"));
    }
    if options.contains_key("fee_rate") {
        if request.has("fee_rate") {
            return Err(RpcError::invalid_parameter(
                "Pass the fee_rate either as an argument, or in the options object, but not both",
            ));
        }
    } else {
        options.insert("fee_rate".into(), positional("fee_rate"));
    }
    let field = |name: &str| options.get(name).cloned().unwrap_or_default();
    let mode = field("estimate_mode");
    if !field("conf_target").is_null() && (mode.is_null() || mode == "unset") {
        return Err(RpcError::invalid_parameter("Specify estimate_mode"));
    }
    for (old, new) in [
        ("feeRate", "fee_rate (gro/vB)"),
        ("changeAddress", "change_address"),
        ("changePosition", "change_position"),
        ("lockUnspents", "lock_unspents"),
        ("subtractFeeFromOutputs", "subtract_fee_from_outputs"),
    ] {
        if options.contains_key(old) {
            return Err(RpcError::invalid_parameter(format!("Use {new} instead of {old}")));
        }
    }
    Ok(options)
}

/// Outputs, and which of them have no amount.
fn recipients(wallet: &Wallet, value: &Value) -> Result<(Vec<TxOut>, BTreeSet<usize>), RpcError> {
    let network = state_of(wallet).network;
    let mut outputs = Vec::new();
    let mut open = BTreeSet::new();
    let mut seen = BTreeSet::new();
    let mut add = |address: &str, amount: i64| {
        let destination = decode_destination(address, network).map_err(|_| {
            RpcError::invalid_address_or_key(format!("Invalid Groestlcoin address: {address}"))
        })?;
        if !seen.insert(destination.clone()) {
            return Err(RpcError::invalid_parameter(format!(
                "Invalid parameter, duplicated address: {address}"
            )));
        }
        outputs.push(TxOut::new(Amount(amount), destination.script()));
        Ok(outputs.len() - 1)
    };
    for item in value.get_array()? {
        match item {
            Value::String(address) => {
                open.insert(add(address, 0)?);
            }
            item => {
                for (address, value) in item.get_object()? {
                    add(address, amount_from_value(value)?)?;
                }
            }
        }
    }
    if open.is_empty() {
        return Err(RpcError::invalid_parameter(
            "Must provide at least one address without a specified amount",
        ));
    }
    Ok((outputs, open))
}

fn rate_of(wallet: &Wallet, control: &CoinControl) -> Result<FeeRate, RpcError> {
    let (rate, reason) = wallet.minimum_fee_rate(control)?;
    if let Some(wanted) = control.fee_rate
        && rate > wanted
    {
        return Err(RpcError::invalid_parameter(format!(
            "Fee rate ({}) is lower than the minimum fee rate setting ({})",
            wanted.to_gro_per_vb(),
            rate.to_gro_per_vb()
        )));
    }
    if reason == FeeReason::Fallback && wallet.options.fallback_fee.is_zero() {
        return Err(RpcError::wallet(
            "Fee estimation failed. Fallbackfee is disabled. Wait a few blocks or enable -fallbackfee.",
        ));
    }
    Ok(rate)
}

/// Inputs that the user named, with what they spend.
fn named_inputs(
    wallet: &Wallet,
    value: &Value,
    sequence: u32,
    version: u32,
) -> Result<Vec<(TxIn, TxOut)>, RpcError> {
    let state = state_of(wallet);
    let mut out = Vec::new();
    for item in value.as_array().into_iter().flatten() {
        let txid = Txid::from_bytes(parse_hash_field(item, "txid")?);
        let vout: i32 = item.field("vout").get_int()?;
        let vout = u32::try_from(vout)
            .map_err(|_| RpcError::invalid_parameter("Invalid parameter, vout cannot be negative"))?;
        let outpoint = OutPoint::new(txid, vout);
        if state.is_spent(&outpoint) {
            return Err(RpcError::invalid_parameter(format!(
                "Input not available. UTXO ({txid}:{vout}) was already spent."
            )));
        }
        let coin = state.coin(&outpoint).ok_or_else(|| {
            RpcError::invalid_parameter(format!(
                "Input not found. UTXO ({txid}:{vout}) is not part of wallet."
            ))
        })?;
        if let Some(parent) = state.txs.get(&txid).filter(|wtx| state.depth(wtx) == 0)
            && let Some(text) = version_mismatch(parent.tx.version, version)
        {
            return Err(RpcError::invalid_parameter(text));
        }
        let sequence = match item.field("sequence") {
            Value::Null => sequence,
            value => value.get_int()?,
        };
        out.push((TxIn::new(outpoint, sequence), coin.clone()));
    }
    Ok(out)
}

fn insufficient(text: &str) -> RpcError {
    RpcError::new(code::WALLET_INSUFFICIENT_FUNDS, text)
}

/// Gives what is left to the recipients without amount.
fn share(
    outputs: &mut [TxOut],
    open: &BTreeSet<usize>,
    (total, effective): (i64, i64),
    dust: FeeRate,
    address_of: impl Fn(&TxOut) -> String,
) -> Result<(), RpcError> {
    let claimed: i64 = outputs.iter().map(|o| o.value.0).sum();
    if claimed > total {
        return Err(insufficient("Assigned more value to outputs than available funds."));
    }
    let rest = effective - claimed;
    if rest < 0 {
        return Err(insufficient("Insufficient funds for fees after creating specified outputs."));
    }
    let count = open.len() as i64;
    let first = open.first().copied();
    for (n, out) in outputs.iter_mut().enumerate() {
        if open.contains(&n) {
            out.value = Amount(rest / count + if Some(n) == first { rest % count } else { 0 });
            if is_dust(out, dust) {
                return Err(insufficient("Dynamically assigned remainder results in dust output."));
            }
        } else if is_dust(out, dust) {
            return Err(RpcError::invalid_parameter(format!(
                "Specified output amount to {} is below dust threshold.",
                address_of(out)
            )));
        }
    }
    Ok(())
}

fn sendall(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let options = Value::Object(merged_options(request)?);
    let (mut outputs, open) = recipients(&wallet, request.value("recipients"))?;
    {
        let state = state_of(&wallet);
        ensure_unlocked(&state)?;
    }
    let mut control =
        CoinControl { signal_rbf: options.field("replaceable").as_bool(), ..CoinControl::default() };
    let fees = (options.field("conf_target"), options.field("estimate_mode"), options.field("fee_rate"));
    set_fee_mode(&wallet, &mut control, fees, false)?;
    let number = |key: &str| match options.field(key) {
        Value::Null => Ok(None),
        value => value.get_int::<i32>().map(Some),
    };
    let (least, most) = (number("minconf")?, number("maxconf")?);
    if let Some(least) = least.filter(|n| *n < 0) {
        return Err(RpcError::invalid_parameter(format!(
            "Invalid minconf (minconf cannot be negative): {least}"
        )));
    }
    if most.is_some_and(|most| most < least.unwrap_or(0)) {
        return Err(RpcError::invalid_parameter(format!(
            "maxconf can't be lower than minconf: {} < {}",
            most.unwrap_or(0),
            least.unwrap_or(0)
        )));
    }
    let version = number("version")?.unwrap_or(2) as u32;
    let rate = rate_of(&wallet, &control)?;
    let send_max = options.field("send_max").as_bool().unwrap_or(false);
    let rbf = options.field("replaceable").as_bool().unwrap_or(wallet.options.signal_rbf);
    let sequence = if rbf { RBF_SEQUENCE } else { FINAL_SEQUENCE };
    let mut max_weight = if version == TRUC_VERSION { TRUC_MAX_WEIGHT } else { MAX_WEIGHT };
    let _spending = wallet.spend_lock();
    let inputs = match options.field("inputs") {
        Value::Null => {
            let filter = CoinFilter {
                min_amount: 0,
                min_depth: least.unwrap_or(0),
                max_depth: most.unwrap_or(9_999_999),
                version: Some(version),
                ..CoinFilter::default()
            };
            let coins = available_coins(&state_of(&wallet), &filter);
            if version == TRUC_VERSION && coins.iter().any(|coin| coin.depth == 0) {
                // A child of an unconfirmed version 3 transaction has to be small.
                max_weight = TRUC_CHILD_MAX_WEIGHT;
            }
            coins
                .into_iter()
                .filter(|c| !send_max || rate.fee(c.input_bytes.max(0) as usize).0 <= c.out.value.0)
                .map(|c| (TxIn::new(c.outpoint, sequence), c.out))
                .collect()
        }
        _ if !options.field("send_max").is_null() => {
            return Err(RpcError::invalid_parameter("Cannot combine send_max with specific inputs."));
        }
        _ if least.is_some() || most.is_some() => {
            return Err(RpcError::invalid_parameter(
                "Cannot combine minconf or maxconf with specific inputs.",
            ));
        }
        value => named_inputs(&wallet, value, sequence, version)?,
    };
    let total: i64 = inputs.iter().map(|(_, out)| out.value.0).sum();
    let (tx_inputs, spent): (Vec<TxIn>, Vec<TxOut>) = inputs.into_iter().unzip();
    let outpoints: Vec<OutPoint> = tx_inputs.iter().map(|i| i.prevout).collect();
    let bump = wallet
        .chain
        .calculate_combined_bump_fee(&outpoints, rate.fee_per_kvb())
        .map_err(wallet_error)?
        .map_or(0, |fee| fee.0);
    let dust = FeeRate::per_kvb(wallet.chain.relay_dust_fee().map_err(wallet_error)?.0);
    let mut tx = MutableTransaction { version, inputs: tx_inputs, outputs: Vec::new(), lock_time: 0 };
    tx.outputs.clone_from(&outputs);
    let (size, weight) = signed_size(&state_of(&wallet), &tx, &spent, &control).ok_or_else(|| {
        RpcError::wallet(
            "Unable to determine the size of the transaction, the wallet contains unsolvable descriptors",
        )
    })?;
    let fee = rate.fee(size as usize).0;
    if fee > wallet.options.max_tx_fee {
        return Err(RpcError::wallet("Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)"));
    }
    let effective = total - fee - bump;
    if effective <= 0 {
        return Err(insufficient(match send_max {
            true => "Total value of UTXO pool too low to pay for transaction, try using lower feerate.",
            false => {
                "Total value of UTXO pool too low to pay for transaction. Try using lower feerate or excluding uneconomic \
                 UTXOs with 'send_max' option."
            }
        }));
    }
    if weight > max_weight {
        return Err(RpcError::wallet("Transaction too large."));
    }
    share(&mut outputs, &open, (total, effective), dust, |out| {
        state_of(&wallet).address(&extract_destination(&out.script_pubkey))
    })?;
    tx.outputs = outputs;
    tx.lock_time = match options.field("locktime") {
        Value::Null => 0,
        value => value.get_int()?,
    };
    if options.field("lock_unspents").as_bool() == Some(true) {
        let mut state = state_of(&wallet);
        for outpoint in &outpoints {
            state.lock_coin(*outpoint, false).map_err(wallet_error)?;
        }
    }
    finish(&wallet, &options, tx)
}
