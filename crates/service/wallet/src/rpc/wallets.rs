//! Methods that make, load, list and describe wallets. Reference: `src/wallet/rpc/wallet.cpp`.

use grs_interfaces::SecureString;
use grs_rpc::value::double;
use grs_rpc::{Arg, Method, Request, Res, RpcError, code};
use serde_json::{Map, Value, json};

use super::{
    RpcResult, context, last_processed_block, load_error, push_warnings, state_of, synced_wallet_of,
    unique_wallet_name, wallet_of,
};
use crate::context::{FailureKind, LoadFailure, WalletContext};
use crate::db::list_wallet_dir;
use crate::flags;
use crate::rescan::ScanEnd;

const LOAD_ON_STARTUP: &str =
    "Whether to load it at each start: true adds it to the settings, false removes it, null leaves them";

fn warnings_result() -> Res {
    Res::arr("warnings", "Warnings, if there are any", [Res::str("", "")]).optional()
}

fn last_block_result() -> Res {
    Res::obj(
        "lastprocessedblock",
        "How far the wallet has seen the chain",
        [Res::hex("hash", "Block hash"), Res::num("height", "Block height")],
    )
}

pub(super) fn methods() -> Vec<Method> {
    vec![
        Method::new("wallet", "createwallet", "Makes a wallet and loads it.\n", createwallet)
            .arg(Arg::str("wallet_name", "Its name, or a path to make it at"))
            .arg(Arg::bool("disable_private_keys", "No secret keys: watch only").default(false))
            .arg(Arg::bool("blank", "No keys and descriptors yet").default(false))
            .arg(Arg::str("passphrase", "Encrypts the keys").optional())
            .arg(Arg::bool("avoid_reuse", "Keep coins of used addresses apart").default(false))
            .arg(Arg::bool("descriptors", "Must be true").default(true))
            .arg(Arg::bool("load_on_startup", LOAD_ON_STARTUP).optional())
            .arg(Arg::bool("external_signer", "Sign with an external device").default(false))
            .result(Res::obj("", "", [Res::str("name", "Name of the wallet"), warnings_result()]))
            .example_cli("\"testwallet\"")
            .example_rpc("\"testwallet\""),
        Method::new("wallet", "loadwallet", "Loads a wallet.\n", loadwallet)
            .arg(Arg::str("filename", "Name, or path of its directory"))
            .arg(Arg::bool("load_on_startup", LOAD_ON_STARTUP).optional())
            .result(Res::obj("", "", [Res::str("name", "Name of the wallet"), warnings_result()]))
            .example_cli("\"walletname\"")
            .example_rpc("\"walletname\""),
        Method::new(
            "wallet",
            "unloadwallet",
            "Unloads a wallet, that of the path or of the argument.\n",
            unloadwallet,
        )
        .arg(Arg::str("wallet_name", "Its name").default_hint("the wallet of the path"))
        .arg(Arg::bool("load_on_startup", LOAD_ON_STARTUP).optional())
        .result(Res::obj("", "", [warnings_result()]))
        .example_cli("wallet_name")
        .example_rpc("\"wallet_name\""),
        Method::new("wallet", "listwallets", "Names of the loaded wallets.\n", listwallets)
            .result(Res::arr("", "", [Res::str("walletname", "Name")]))
            .example(""),
        Method::new("wallet", "listwalletdir", "Wallets in the wallet directory.\n", listwalletdir)
            .result(Res::obj(
                "",
                "",
                [Res::arr("wallets", "", [Res::obj("", "", [Res::str("name", "Name"), warnings_result()])])],
            ))
            .example(""),
        Method::new("wallet", "getwalletinfo", "State of a wallet.\n", getwalletinfo)
            .result(Res::obj(
                "",
                "",
                [
                    Res::str("walletname", "Name"),
                    Res::num("walletversion", "Of no meaning"),
                    Res::str("format", "Format of the file"),
                    Res::num("txcount", "Number of transactions"),
                    Res::num("keypoolsize", "Addresses that are ready for receiving"),
                    Res::num("keypoolsize_hd_internal", "Addresses that are ready for change").optional(),
                    Res::time("unlocked_until", "When it is locked again; 0 if it is locked").optional(),
                    Res::bool("private_keys_enabled", "It may have secret keys"),
                    Res::bool("avoid_reuse", "It keeps coins of used addresses apart"),
                    Res::obj(
                        "scanning",
                        "The scan in progress, or false",
                        [Res::num("duration", "Seconds so far"), Res::num("progress", "Share that is done")],
                    )
                    .skip_type_check(),
                    Res::bool("descriptors", "It is made of descriptors"),
                    Res::bool("external_signer", "An external device signs"),
                    Res::bool("blank", "It was made without keys"),
                    Res::time("birthtime", "Blocks before this time need no scan").optional(),
                    Res::arr("flags", "Flags that are set", [Res::str("flag", "Name")]),
                    last_block_result(),
                ],
            ))
            .example(""),
        Method::new("wallet", "setwalletflag", "Changes a flag of a wallet.\n", setwalletflag)
            .arg(Arg::str("flag", "Name of the flag: avoid_reuse"))
            .arg(Arg::bool("value", "On or off").default(true))
            .result(Res::obj(
                "",
                "",
                [
                    Res::str("flag_name", "The flag"),
                    Res::bool("flag_state", "Its new state"),
                    Res::str("warnings", "What to know about it").optional(),
                ],
            ))
            .example_cli("avoid_reuse")
            .example_rpc("\"avoid_reuse\""),
        Method::new(
            "wallet",
            "rescanblockchain",
            "Scans blocks for transactions of the wallet. getwalletinfo tells how far it is.\n",
            rescanblockchain,
        )
        .arg(Arg::num("start_height", "First block").default(0))
        .arg(Arg::num("stop_height", "Last block").optional())
        .result(Res::obj(
            "",
            "",
            [
                Res::num("start_height", "First block"),
                Res::num("stop_height", "Last block that was scanned; null if none was").skip_type_check(),
            ],
        ))
        .example_cli("100000 120000")
        .example_rpc("100000, 120000"),
        Method::new(
            "wallet",
            "abortrescan",
            "Ends a scan that importing or rescanblockchain has started.\n",
            abortrescan,
        )
        .result(Res::bool("", "Whether there was one"))
        .example(""),
    ]
}

fn loaded(name: &str, warnings: &[String]) -> Value {
    let mut object = Map::new();
    object.insert("name".into(), name.into());
    push_warnings(warnings, &mut object);
    Value::Object(object)
}

fn createwallet(request: &Request<'_>) -> RpcResult {
    let context = context(request)?;
    let name: &str = request.arg("wallet_name")?;
    let mut wallet_flags = flags::DESCRIPTORS;
    for (arg, flag) in [
        ("disable_private_keys", flags::DISABLE_PRIVATE_KEYS),
        ("blank", flags::BLANK_WALLET),
        ("avoid_reuse", flags::AVOID_REUSE),
    ] {
        if request.opt::<bool>(arg)? == Some(true) {
            wallet_flags |= flag;
        }
    }
    let mut warnings = Vec::new();
    let passphrase = SecureString::from(request.opt::<&str>("passphrase")?.unwrap_or_default());
    if request.has("passphrase") && passphrase.is_empty() {
        warnings.push("Empty string given as passphrase, wallet will not be encrypted.".to_owned());
    }
    if !request.arg::<bool>("descriptors")? {
        return Err(RpcError::wallet(
            "descriptors argument must be set to \"true\"; it is no longer possible to create a legacy wallet.",
        ));
    }
    if request.opt::<bool>("external_signer")? == Some(true) {
        return Err(RpcError::wallet(
            "Compiled without external signing support (required for external signing)",
        ));
    }
    let on_startup = request.opt("load_on_startup")?;
    let (result, more) = context.create(name, &passphrase, wallet_flags, on_startup);
    let wallet = result.map_err(load_error)?;
    warnings.extend(more);
    Ok(loaded(&wallet.name, &warnings))
}

fn loadwallet(request: &Request<'_>) -> RpcResult {
    let context = context(request)?;
    let name: &str = request.arg("filename")?;
    let on_startup = request.opt("load_on_startup")?;
    if context.wallet(name).is_some() {
        let text = format!("Wallet \"{name}\" is already loaded.");
        return Err(load_error(LoadFailure { kind: FailureKind::AlreadyLoaded, text }));
    }
    let (result, warnings) = context.load(name, on_startup);
    Ok(loaded(&result.map_err(load_error)?.name, &warnings))
}

fn unloadwallet(request: &Request<'_>) -> RpcResult {
    let name = unique_wallet_name(request, request.opt("wallet_name")?)?;
    let on_startup = request.opt("load_on_startup")?;
    let context = context(request)?;
    let wallet = context.wallet(&name).ok_or_else(grs_rpc::wallet::not_loaded)?;
    let mut warnings = Vec::new();
    {
        let Some(_reserver) = wallet.reserve_scan(false) else {
            return Err(RpcError::wallet("Wallet is currently rescanning. Abort existing rescan or wait."));
        };
        if !context.remove(&wallet, on_startup, &mut warnings) {
            return Err(RpcError::misc("Requested wallet already unloaded"));
        }
    }
    WalletContext::wait_released(wallet);
    let mut object = Map::new();
    push_warnings(&warnings, &mut object);
    Ok(Value::Object(object))
}

fn listwallets(request: &Request<'_>) -> RpcResult {
    Ok(context(request)?.wallets().iter().map(|wallet| Value::from(wallet.name.as_str())).collect())
}

fn listwalletdir(request: &Request<'_>) -> RpcResult {
    let context = context(request)?;
    let wallets: Vec<Value> = list_wallet_dir(&context.wallet_dir(), context.magic)
        .into_iter()
        .map(|entry| {
            let warnings: Vec<&str> = match entry.format.as_str() {
                "bdb" => vec![
                    "This wallet is a legacy wallet and will need to be migrated with migratewallet before it can be loaded",
                ],
                _ => Vec::new(),
            };
            json!({ "name": entry.name, "warnings": warnings })
        })
        .collect();
    Ok(json!({ "wallets": wallets }))
}

fn getwalletinfo(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let scanning = wallet.scan_progress();
    let state = state_of(&wallet);
    let (external, all) = state.key_pool_sizes();
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        out.insert(key.to_owned(), value);
    };
    put("walletname", wallet.name.as_str().into());
    put("walletversion", 169_900.into());
    put("format", "sqlite".into());
    put("txcount", state.txs.len().into());
    put("keypoolsize", external.into());
    put("keypoolsize_hd_internal", (all - external).into());
    if state.is_encrypted() {
        put("unlocked_until", wallet.relock_time.load(std::sync::atomic::Ordering::Acquire).into());
    }
    put("private_keys_enabled", (!state.has_flag(flags::DISABLE_PRIVATE_KEYS)).into());
    put("avoid_reuse", state.has_flag(flags::AVOID_REUSE).into());
    put(
        "scanning",
        match scanning {
            Some((duration, progress)) => json!({ "duration": duration, "progress": double(progress) }),
            None => false.into(),
        },
    );
    put("descriptors", state.has_flag(flags::DESCRIPTORS).into());
    put("external_signer", state.has_flag(flags::EXTERNAL_SIGNER).into());
    put("blank", state.has_flag(flags::BLANK_WALLET).into());
    if state.birth_time != i64::MAX {
        put("birthtime", state.birth_time.into());
    }
    let names: Vec<String> = (0..64)
        .filter(|bit| state.has_flag(1 << bit))
        .map(|bit| {
            let known = flags::NAMES.iter().find(|(flag, _)| *flag == 1 << bit);
            known.map_or_else(|| format!("unknown_flag_{bit}"), |(_, name)| (*name).to_owned())
        })
        .collect();
    put("flags", names.into());
    put("lastprocessedblock", last_processed_block(&state));
    Ok(Value::Object(out))
}

fn setwalletflag(request: &Request<'_>) -> RpcResult {
    let wallet = wallet_of(request)?;
    let name: &str = request.arg("flag")?;
    let on: bool = request.arg("value")?;
    let Some((flag, _)) = flags::NAMES.into_iter().find(|(_, n)| *n == name) else {
        return Err(RpcError::invalid_parameter(format!("Unknown wallet flag: {name}")));
    };
    if flag & flags::MUTABLE == 0 {
        return Err(RpcError::invalid_parameter(format!("Wallet flag is immutable: {name}")));
    }
    let mut state = state_of(&wallet);
    if state.has_flag(flag) == on {
        return Err(RpcError::invalid_parameter(format!("Wallet flag is already set to {on}: {name}")));
    }
    let all = if on { state.flags | flag } else { state.flags & !flag };
    state.set_flags(all).map_err(|e| RpcError::misc(e.to_string()))?;
    let mut out = json!({ "flag_name": name, "flag_state": on });
    if on {
        out["warnings"] = "You need to rescan the blockchain in order to correctly mark used destinations in the past. Until \
                           this is done, some destinations may be considered unused, even if the opposite is the case."
            .into();
    }
    Ok(out)
}

fn rescanblockchain(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let Some(reserver) = wallet.reserve_scan(true) else {
        return Err(RpcError::wallet("Wallet is currently rescanning. Abort existing rescan or wait."));
    };
    // The passphrase is needed until the end, to derive more keys.
    let _relock = wallet.relock.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let tip = {
        let state = state_of(&wallet);
        super::ensure_unlocked(&state)?;
        state.last_block_height
    };
    let start: i64 = request.arg("start_height")?;
    if start < 0 || start > i64::from(tip) {
        return Err(RpcError::invalid_parameter("Invalid start_height"));
    }
    let stop: Option<i64> = request.opt("stop_height")?;
    if let Some(stop) = stop {
        if stop < 0 || stop > i64::from(tip) {
            return Err(RpcError::invalid_parameter("Invalid stop_height"));
        }
        if stop < start {
            return Err(RpcError::invalid_parameter("stop_height must be greater than start_height"));
        }
    }
    let last = stop.unwrap_or(i64::from(tip)) as u32;
    let call = |e: grs_interfaces::CallError| RpcError::misc(e.to_string());
    let tip_hash = wallet.chain.get_block_hash(tip as u32).map_err(call)?;
    if !wallet.chain.has_blocks(tip_hash, start as u32, Some(last)).map_err(call)? {
        if wallet.chain.have_pruned().map_err(call)?
            && wallet.chain.get_prune_height().map_err(call)?.is_some_and(|h| i64::from(h) >= start)
        {
            return Err(RpcError::misc(
                "Can't rescan beyond pruned data. Use RPC call getblockchaininfo to determine your pruned height.",
            ));
        }
        if wallet.chain.has_assumed_valid_chain().map_err(call)? {
            return Err(RpcError::misc(
                "Failed to rescan unavailable blocks likely due to an in-progress assumeutxo background sync. Check logs \
                 or getchainstates RPC for assumeutxo background sync progress and try again later.",
            ));
        }
        return Err(RpcError::misc(
            "Failed to rescan unavailable blocks, potentially caused by data corruption. If the issue persists you may want \
             to reindex (see -reindex option).",
        ));
    }
    let result = wallet.scan_chain(&reserver, start as u32, stop.map(|_| last), true, false)?;
    match result.status {
        ScanEnd::Success => {
            let stop = result.last_scanned.map(|(_, height)| height);
            Ok(json!({ "start_height": start, "stop_height": stop }))
        }
        ScanEnd::Failure => Err(RpcError::misc("Rescan failed. Potentially corrupted data files.")),
        ScanEnd::UserAbort => Err(RpcError::misc("Rescan aborted.")),
    }
}

fn abortrescan(request: &Request<'_>) -> RpcResult {
    use std::sync::atomic::Ordering;
    let wallet = wallet_of(request)?;
    if wallet.scan_progress().is_none() || wallet.scan.abort.load(Ordering::Acquire) {
        return Ok(false.into());
    }
    wallet.scan.abort.store(true, Ordering::Release);
    Ok(true.into())
}

/// Used by other groups of methods.
pub(super) fn last_block_shape() -> Res {
    last_block_result()
}

/// An error with number and text.
pub(super) fn wallet_error(e: impl std::fmt::Display) -> RpcError {
    RpcError::new(code::WALLET_ERROR, e.to_string())
}
