//! Methods about coins and balances. Reference: `src/wallet/rpc/coins.cpp`.

use std::collections::BTreeSet;

use grs_descriptor::{Destination, SigningProvider, extract_destination, infer_descriptor};
use grs_hashes::{Hash160, Txid, purpose};
use grs_primitives::{OutPoint, Script};
use grs_rpc::value::{Expected, amount, amount_from_value, check_object_types, parse_hash_field};
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError, code};
use serde_json::{Map, Value, json};

use super::wallets::{last_block_shape, wallet_error};
use super::{
    RpcResult, avoid_reuse_flag, destination, label_of, last_processed_block, parent_descriptors, state_of,
    synced_wallet_of, wallet_of,
};
use crate::flags;
use crate::spend::{CoinFilter, available_coins};
use crate::state::State;

const EXAMPLE_LOCK: &str =
    "false, [{\"txid\":\"a08e6907dbbd3d809776dbfc5d82e371b764ed838b5655e72f463568df1aadf0\",\"vout\":1}]";

pub(super) fn methods() -> Vec<Method> {
    let minconf = || Arg::num("minconf", "Least number of confirmations").default(1);
    let immature =
        || Arg::bool("include_immature_coinbase", "Count coinbases that cannot be spent yet").default(false);
    vec![
        Method::new(
            "wallet",
            "getbalance",
            "What can be spent now: confirmed coins and change of our own that is not.\n",
            getbalance,
        )
        .arg(Arg::str("dummy", "Must be left out or \"*\"").optional())
        .arg(Arg::num("minconf", "Least number of confirmations").default(0))
        .arg(Arg::bool("include_watchonly", "No longer used").default(false))
        .arg(
            Arg::bool("avoid_reuse", "Leave out coins of used addresses, if the wallet knows them")
                .default(true),
        )
        .result(Res::amount("amount", "Amount in GRS"))
        .example_cli("\"*\" 6")
        .example_rpc("\"*\", 6"),
        Method::new("wallet", "getbalances", "All balances in GRS.\n", getbalances)
            .result(Res::obj(
                "",
                "",
                [
                    Res::obj(
                        "mine",
                        "Coins that the wallet can spend",
                        [
                            Res::amount("trusted", "Confirmed, or change of our own"),
                            Res::amount("untrusted_pending", "From others, in the mempool"),
                            Res::amount("immature", "Coinbases that cannot be spent yet"),
                            Res::amount("used", "On addresses that were spent from").optional(),
                        ],
                    ),
                    last_block_shape(),
                ],
            ))
            .example(""),
        Method::new("wallet", "getreceivedbyaddress", "Sum of payments to an address.\n", |r| {
            received(r, false)
        })
        .arg(Arg::str("address", "The address"))
        .arg(minconf())
        .arg(immature())
        .result(Res::amount("amount", "Amount in GRS"))
        .example_cli("\"address\" 6")
        .example_rpc("\"address\", 6"),
        Method::new("wallet", "getreceivedbylabel", "Sum of payments to addresses with a label.\n", |r| {
            received(r, true)
        })
        .arg(Arg::str("label", "The label; may be empty"))
        .arg(minconf())
        .arg(immature())
        .result(Res::amount("amount", "Amount in GRS"))
        .example_cli("\"tabby\" 6")
        .example_rpc("\"tabby\", 6"),
        Method::new(
            "wallet",
            "lockunspent",
            "Locks outputs against being chosen for payments, or unlocks them.\n",
            lockunspent,
        )
        .arg(Arg::bool("unlock", "True to unlock, false to lock"))
        .arg(
            Arg::arr(
                "transactions",
                "The outputs; unlocking without any unlocks all",
                [Arg::obj(
                    "",
                    "",
                    [Arg::hex("txid", "Transaction"), Arg::num("vout", "Number of the output")],
                )
                .optional()],
            )
            .default(json!([])),
        )
        .arg(Arg::bool("persistent", "Keep the lock in the wallet file").default(false))
        .result(Res::bool("", "Whether it was done"))
        .example_rpc(EXAMPLE_LOCK),
        Method::new("wallet", "listlockunspent", "Locked outputs.\n", listlockunspent)
            .result(Res::arr(
                "",
                "",
                [Res::obj(
                    "",
                    "",
                    [Res::hex("txid", "Transaction"), Res::num("vout", "Number of the output")],
                )],
            ))
            .example(""),
        Method::new("wallet", "listunspent", "Coins with so many confirmations.\n", listunspent)
            .arg(minconf())
            .arg(Arg::num("maxconf", "Most confirmations").default(9_999_999))
            .arg(
                Arg::arr("addresses", "Only coins of these", [Arg::str("address", "Address").optional()])
                    .default(json!([])),
            )
            .arg(
                Arg::bool("include_unsafe", "Also unconfirmed ones of others and replacements").default(true),
            )
            .arg(
                Arg::options(
                    "query_options",
                    "",
                    [
                        Arg::amount("minimumAmount", "Least value of a coin").default("0.00"),
                        Arg::amount("maximumAmount", "Most value of a coin").default_hint("unlimited"),
                        Arg::num("maximumCount", "Most coins").default_hint("unlimited"),
                        Arg::amount("minimumSumAmount", "Stop at this sum").default_hint("unlimited"),
                        Arg::bool("include_immature_coinbase", "Also coinbases that cannot be spent yet")
                            .default(false),
                    ],
                )
                .oneline("query_options"),
            )
            .result(Res::arr("", "", [Res::obj("", "", unspent_shape())]))
            .example_cli("6 9999999")
            .example_rpc("6, 9999999"),
    ]
}

fn unspent_shape() -> Vec<Res> {
    vec![
        Res::hex("txid", "Transaction"),
        Res::num("vout", "Number of the output"),
        Res::str("address", "Address").optional(),
        Res::str("label", "Its label").optional(),
        Res::str("scriptPubKey", "Script"),
        Res::amount("amount", "Value in GRS"),
        Res::num("confirmations", "Confirmations"),
        Res::num("ancestorcount", "Ancestors in the mempool, with itself").optional(),
        Res::num("ancestorsize", "Their virtual size").optional(),
        Res::num("ancestorfees", "Their fees in gro").optional(),
        Res::str("redeemScript", "Redeem script").optional(),
        Res::str("witnessScript", "Witness script").optional(),
        Res::bool("spendable", "Always true"),
        Res::bool("solvable", "All but secret keys is known"),
        Res::bool("reused", "Its address was spent from").optional(),
        Res::str("desc", "Descriptor of the script").optional(),
        Res::arr("parent_descs", "Descriptors of the wallet that it comes from", [Res::str("desc", "")]),
        Res::bool("safe", "It may be chosen for payments"),
    ]
}

fn getbalance(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let state = state_of(&wallet);
    if request.opt::<&str>("dummy")?.is_some_and(|d| d != "*") {
        return Err(RpcError::new(
            code::METHOD_DEPRECATED,
            "dummy first argument must be excluded or set to \"*\".",
        ));
    }
    let min_depth = request.arg("minconf")?;
    let avoid_reuse = avoid_reuse_flag(&state, request.value("avoid_reuse"))?;
    Ok(amount(state.balance(min_depth, avoid_reuse).trusted))
}

fn getbalances(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let state = state_of(&wallet);
    let balance = state.balance(0, true);
    let mut mine = json!({
        "trusted": amount(balance.trusted),
        "untrusted_pending": amount(balance.untrusted_pending),
        "immature": amount(balance.immature),
    });
    if state.has_flag(flags::AVOID_REUSE) {
        let full = state.balance(0, false);
        let used = full.trusted + full.untrusted_pending - balance.trusted - balance.untrusted_pending;
        mine["used"] = amount(used);
    }
    Ok(json!({ "mine": mine, "lastprocessedblock": last_processed_block(&state) }))
}

fn received(request: &Request<'_>, by_label: bool) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let state = state_of(&wallet);
    let destinations: Vec<Destination> = if by_label {
        let label = label_of(request.value("label"))?;
        let found: Vec<_> = state
            .address_book
            .iter()
            .filter(|(_, e)| e.label.as_ref() == Some(&label))
            .map(|(d, _)| d.clone())
            .collect();
        if found.is_empty() {
            return Err(RpcError::wallet("Label not found in wallet"));
        }
        found
    } else {
        let parsed = destination(&state, request.arg("address")?);
        vec![parsed.map_err(|_| RpcError::invalid_address_or_key("Invalid Groestlcoin address"))?]
    };
    let scripts: BTreeSet<Vec<u8>> = destinations
        .iter()
        .map(Destination::script)
        .filter(|s| state.is_mine(s))
        .map(Script::into_bytes)
        .collect();
    if scripts.is_empty() {
        return Err(RpcError::wallet("Address not found in wallet"));
    }
    let min_depth: i32 = request.arg("minconf")?;
    let immature: bool = request.arg("include_immature_coinbase")?;
    let sum: i64 = state
        .txs
        .values()
        .filter(|wtx| {
            let depth = state.depth(wtx);
            depth >= min_depth && !(wtx.is_coinbase() && depth < 1) && (immature || !state.is_immature(wtx))
        })
        .flat_map(|wtx| &wtx.tx.outputs)
        .filter(|out| scripts.contains(out.script_pubkey.as_bytes()))
        .map(|out| out.value.0)
        .sum();
    Ok(amount(sum))
}

fn lockunspent(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let mut state = state_of(&wallet);
    let unlock: bool = request.arg("unlock")?;
    let persistent: bool = request.arg("persistent")?;
    if !request.has("transactions") {
        if unlock {
            let all: Vec<OutPoint> = state.locked_coins.keys().copied().collect();
            for outpoint in all {
                state.unlock_coin(&outpoint).map_err(|_| RpcError::wallet("Unlocking coins failed"))?;
            }
        }
        return Ok(true.into());
    }
    let wrong = |text: &str| RpcError::invalid_parameter(format!("Invalid parameter, {text}"));
    let mut outpoints = Vec::new();
    for item in request.arg::<&[Value]>("transactions")? {
        item.get_object()?;
        check_object_types(item, &[("txid", Expected::Str), ("vout", Expected::Num)], false, false)?;
        let txid = Txid::from_bytes(parse_hash_field(item, "txid")?);
        let vout: i32 = item.field("vout").get_int()?;
        let vout = u32::try_from(vout).map_err(|_| wrong("vout cannot be negative"))?;
        let outpoint = OutPoint::new(txid, vout);
        let wtx = state.txs.get(&txid).ok_or_else(|| wrong("unknown transaction"))?;
        if vout as usize >= wtx.tx.outputs.len() {
            return Err(wrong("vout index out of bounds"));
        }
        if state.is_spent(&outpoint) {
            return Err(wrong("expected unspent output"));
        }
        let locked = state.locked_coins.contains_key(&outpoint);
        if unlock && !locked {
            return Err(wrong("expected locked output"));
        }
        if !unlock && locked && !persistent {
            return Err(wrong("output already locked"));
        }
        outpoints.push(outpoint);
    }
    for outpoint in outpoints {
        match unlock {
            true => state.unlock_coin(&outpoint).map_err(|_| RpcError::wallet("Unlocking coin failed"))?,
            false => {
                state.lock_coin(outpoint, persistent).map_err(|_| RpcError::wallet("Locking coin failed"))?;
            }
        }
    }
    Ok(true.into())
}

fn listlockunspent(request: &Request<'_>) -> RpcResult {
    let wallet = wallet_of(request)?;
    let state = state_of(&wallet);
    Ok(state.locked_coins.keys().map(|o| json!({ "txid": o.txid.to_string(), "vout": o.vout })).collect())
}

fn wanted_destinations(state: &State, value: &Value) -> Result<BTreeSet<Destination>, RpcError> {
    let mut out = BTreeSet::new();
    for item in value.as_array().into_iter().flatten() {
        let text = item.get_str()?;
        let parsed = destination(state, text)
            .map_err(|_| RpcError::invalid_address_or_key(format!("Invalid Groestlcoin address: {text}")))?;
        if !out.insert(parsed) {
            let text = format!("Invalid parameter, duplicated address: {text}");
            return Err(RpcError::invalid_parameter(text));
        }
    }
    Ok(out)
}

fn coin_filter(request: &Request<'_>) -> Result<CoinFilter, RpcError> {
    let mut filter = CoinFilter {
        min_amount: 0,
        min_depth: request.arg("minconf")?,
        max_depth: request.arg("maxconf")?,
        include_unsafe: request.arg("include_unsafe")?,
        avoid_used: false,
        ..CoinFilter::default()
    };
    let options = request.value("query_options");
    if options.is_null() {
        return Ok(filter);
    }
    check_object_types(
        options,
        &[
            ("minimumAmount", Expected::Any),
            ("maximumAmount", Expected::Any),
            ("minimumSumAmount", Expected::Any),
            ("maximumCount", Expected::Num),
            ("include_immature_coinbase", Expected::Bool),
        ],
        true,
        true,
    )?;
    let number = |key: &str| match options.field(key) {
        Value::Null => Ok(None),
        value => amount_from_value(value).map(Some),
    };
    filter.min_amount = number("minimumAmount")?.unwrap_or(filter.min_amount);
    filter.max_amount = number("maximumAmount")?.unwrap_or(filter.max_amount);
    filter.min_sum = number("minimumSumAmount")?.or(filter.min_sum);
    if let count @ Value::Number(_) = options.field("maximumCount") {
        filter.max_count = count.get_int::<i64>()?.max(0) as usize;
    }
    filter.include_immature = options.field("include_immature_coinbase").as_bool().unwrap_or(false);
    Ok(filter)
}

fn listunspent(request: &Request<'_>) -> RpcResult {
    let wallet = wallet_of(request)?;
    let wanted = wanted_destinations(&state_of(&wallet), request.value("addresses"))?;
    let filter = coin_filter(request)?;
    wallet.sync_with_chain()?;
    let coins = available_coins(&state_of(&wallet), &filter);
    // The node is asked about unconfirmed coins before the wallet's data is locked again.
    let unconfirmed = coins.iter().filter(|c| c.depth == 0).map(|c| c.outpoint.txid);
    let ancestry = wallet.ancestry(unconfirmed).map_err(wallet_error)?;
    let state = state_of(&wallet);
    let avoid_reuse = state.has_flag(flags::AVOID_REUSE);
    let mut out = Vec::new();
    for coin in coins {
        let script = &coin.out.script_pubkey;
        let destination = extract_destination(script);
        if !wanted.is_empty() && !wanted.contains(&destination) {
            continue;
        }
        let provider = state.solving_provider(script);
        let mut entry = Map::new();
        let mut put = |key: &str, value: Value| {
            entry.insert(key.to_owned(), value);
        };
        put("txid", coin.outpoint.txid.to_string().into());
        put("vout", coin.outpoint.vout.into());
        if destination.is_valid() {
            put("address", state.address(&destination).into());
            if let Some(label) = state.address_entry(&destination).and_then(|e| e.label.clone()) {
                put("label", label.into());
            }
            let mut witness = match &destination {
                Destination::WitnessV0ScriptHash(hash) => Some(*hash),
                _ => None,
            };
            if let (Destination::ScriptHash(id), Some(provider)) = (&destination, &provider)
                && let Some(redeem) = provider.script(id)
            {
                put("redeemScript", redeem.to_hex().into());
                if let Destination::WitnessV0ScriptHash(hash) = extract_destination(&redeem) {
                    witness = Some(hash);
                }
            }
            if let (Some(hash), Some(provider)) = (witness, &provider)
                && let Some(script) = provider.script(&Hash160::from_bytes(purpose::ripemd160(&hash)))
            {
                put("witnessScript", script.to_hex().into());
            }
        }
        put("scriptPubKey", script.to_hex().into());
        put("amount", amount(coin.out.value.0));
        put("confirmations", coin.depth.into());
        if let Some(known) = ancestry.get(&coin.outpoint.txid).filter(|a| coin.depth == 0 && a.ancestors > 0)
        {
            put("ancestorcount", known.ancestors.into());
            put("ancestorsize", known.ancestor_size.into());
            put("ancestorfees", known.ancestor_fees.0.into());
        }
        put("spendable", true.into());
        put("solvable", (coin.input_bytes >= 0).into());
        if let Some(provider) = provider.filter(|_| coin.input_bytes >= 0) {
            put("desc", infer_descriptor(script, &provider, state.network).to_string().into());
        }
        put("parent_descs", parent_descriptors(&state, script));
        if avoid_reuse {
            put("reused", state.is_spent_key(script).into());
        }
        put("safe", coin.safe.into());
        out.push(Value::Object(entry));
    }
    Ok(Value::Array(out))
}
