//! Methods that import, list, copy and restore. Reference: `src/wallet/rpc/backup.cpp`.

use std::path::Path;
use std::sync::PoisonError;

use grs_descriptor::{Descriptor, FlatSigningProvider};
use grs_interfaces::{FindBlock, TxBroadcast};
use grs_rpc::value::parse_descriptor_range;
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError};
use serde_json::{Map, Value, json};

use super::wallets::wallet_error;
use super::{
    RpcResult, context, ensure_unlocked, label_of, load_error, push_warnings, state_of, synced_wallet_of,
    wallet_of,
};
use crate::error::WalletError;
use crate::flags;
use crate::state::{State, TIMESTAMP_WINDOW};
use crate::wallet::Wallet;

pub(super) fn methods() -> Vec<Method> {
    let warnings = || Res::arr("warnings", "Warnings, if there are any", [Res::str("", "")]).optional();
    let import = Arg::obj(
        "",
        "",
        [
            Arg::str("desc", "The descriptor, with its checksum"),
            Arg::bool("active", "New addresses of its type come from it").default(false),
            Arg::range("range", "Indexes to import: the end, or [begin,end]").optional(),
            Arg::num("next_index", "Index of the next new address").optional(),
            Arg::num("timestamp", "When its first key was made, or \"now\"")
                .type_str("timestamp | \"now\"", "integer / string"),
            Arg::bool("internal", "It is for change").default(false),
            Arg::str("label", "Label of its address, if it has only one").default(""),
        ],
    )
    .optional();
    vec![
        Method::new(
            "wallet",
            "importdescriptors",
            "Adds descriptors and scans the chain for their payments, from two hours before the earliest timestamp.\n",
            importdescriptors,
        )
        .arg(Arg::arr("requests", "What to import", [import]).oneline("requests"))
        .result(Res::arr(
            "",
            "One for each request",
            [Res::obj(
                "",
                "",
                [
                    Res::bool("success", ""),
                    warnings(),
                    Res::obj("error", "", [Res::elision("JSON-RPC error")]).optional(),
                ],
            )],
        ))
        .example_cli("'[{ \"desc\": \"<descriptor>\", \"timestamp\": \"now\" }]'"),
        Method::new("wallet", "listdescriptors", "All descriptors of the wallet.\n", listdescriptors)
            .arg(Arg::bool("private", "With secret keys").default(false))
            .result(Res::obj(
                "",
                "",
                [
                    Res::str("wallet_name", "Name of the wallet"),
                    Res::arr(
                        "descriptors",
                        "Sorted by their texts",
                        [Res::obj(
                            "",
                            "",
                            [
                                Res::str("desc", "Text"),
                                Res::num("timestamp", "When its first key was made"),
                                Res::bool("active", "New addresses come from it"),
                                Res::bool("internal", "It is for change").optional(),
                                Res::arr_fixed(
                                    "range",
                                    "First and last index",
                                    [Res::num("", "First"), Res::num("", "Last")],
                                )
                                .optional(),
                                Res::num("next", "Index of the next address").optional(),
                                Res::num("next_index", "The same").optional(),
                            ],
                        )],
                    ),
                ],
            ))
            .example_cli("true")
            .example_rpc("true"),
        Method::new("wallet", "backupwallet", "Copies the wallet file.\n", backupwallet)
            .arg(Arg::str("destination", "Directory or file"))
            .result(Res::null("", ""))
            .example_cli("\"backup.dat\"")
            .example_rpc("\"backup.dat\""),
        Method::new("wallet", "restorewallet", "Makes a wallet of a backup and loads it.\n", restorewallet)
            .arg(Arg::str("wallet_name", "Name of the new wallet"))
            .arg(Arg::str("backup_file", "The backup"))
            .arg(Arg::bool("load_on_startup", "Load it at each start").optional())
            .result(Res::obj("", "", [Res::str("name", "Name of the wallet"), warnings()]))
            .example_cli("\"testwallet\" \"home\\backups\\backup-file.bak\"")
            .example_rpc("\"testwallet\", \"home\\backups\\backup-file.bak\""),
    ]
}

/// Time of a request; `now` is the chain's. Reference: `GetImportTimestamp`.
fn timestamp(request: &Value, now: i64) -> Result<i64, RpcError> {
    match request.field("timestamp") {
        Value::Null => Err(RpcError::type_error("Missing required timestamp field for key")),
        value @ Value::Number(_) => value.get_int(),
        Value::String(text) if text == "now" => Ok(now),
        value => Err(RpcError::type_error(format!(
            "Expected number or \"now\" timestamp value for key. got type {}",
            value.type_name()
        ))),
    }
}

/// The range of indexes and the next one.
struct ImportRange {
    start: i64,
    end: i64,
    next: i64,
}

fn import_range(
    state: &State,
    ranged: bool,
    request: &Value,
    warnings: &mut Vec<String>,
) -> Result<ImportRange, RpcError> {
    let given = request.field("range");
    if !ranged {
        if !given.is_null() {
            return Err(RpcError::invalid_parameter(
                "Range should not be specified for an un-ranged descriptor",
            ));
        }
        return Ok(ImportRange { start: 0, end: 1, next: 0 });
    }
    let (start, end) = match given {
        Value::Null => {
            warnings.push("Range not given, using default keypool range".to_owned());
            (0, i64::from(state.keypool_size))
        }
        range => {
            let (low, high) = parse_descriptor_range(range)?;
            // The end that the user gives is the last index.
            (low, high + 1)
        }
    };
    let next = match request.field("next_index") {
        Value::Null => start,
        value => value.get_int::<i64>()?,
    };
    if next < start || next >= end {
        return Err(RpcError::invalid_parameter("next_index is out of range"));
    }
    Ok(ImportRange { start, end, next })
}

/// Imports one descriptor, or all that a multipath one stands for. Reference: `ProcessDescriptorImport`.
fn import(state: &mut State, request: &Value, time: i64, warnings: &mut Vec<String>) -> Result<(), RpcError> {
    if request.field("desc").is_null() {
        return Err(RpcError::invalid_parameter("Descriptor not found."));
    }
    let text = request.field("desc").get_str()?;
    let flag = |key: &str| match request.field(key) {
        Value::Null => Ok(None),
        value => value.get_bool().map(Some),
    };
    let active = flag("active")?.unwrap_or(false);
    let has_label = !request.field("label").is_null();
    let label = label_of(request.field("label"))?;
    let mut keys = FlatSigningProvider::new();
    let parsed = Descriptor::parse(text, state.network, &mut keys, true)
        .map_err(|e| RpcError::invalid_address_or_key(e.to_string()))?;
    let internal = flag("internal")?;
    if internal.is_some() && parsed.len() > 1 {
        return Err(RpcError::invalid_address_or_key(
            "Cannot have multipath descriptor while also specifying 'internal'",
        ));
    }
    let mut internal = internal.unwrap_or(false);
    let first = parsed.first().ok_or_else(|| RpcError::invalid_address_or_key("No descriptor"))?;
    let ranged = first.is_range();
    let range = import_range(state, ranged, request, warnings)?;
    let refuse = |wrong: bool, text: &str| match wrong {
        true => Err(RpcError::invalid_parameter(text)),
        false => Ok(()),
    };
    refuse(active && !ranged, "Active descriptors must be ranged")?;
    refuse(parsed.len() > 1 && has_label, "Multipath descriptors should not have a label")?;
    refuse(ranged && has_label, "Ranged descriptors should not have a label")?;
    refuse(internal && has_label, "Internal addresses should not have a label")?;
    if active && !first.is_single_type() {
        return Err(RpcError::wallet("Combo descriptors cannot be set to active"));
    }
    let keys_disabled = state.has_flag(flags::DISABLE_PRIVATE_KEYS);
    if keys_disabled && !keys.keys.is_empty() {
        return Err(RpcError::wallet("Cannot import private keys to a wallet with private keys disabled"));
    }
    let count = parsed.len();
    for (n, descriptor) in parsed.into_iter().enumerate() {
        if count == 2 {
            // Of two paths, the second is for change.
            internal = n == 1;
        }
        let mut expanded = FlatSigningProvider::new();
        if descriptor.expand(0, &keys, &mut expanded, None).is_none() {
            return Err(RpcError::wallet(
                "Cannot expand descriptor. Probably because of hardened derivations without private keys provided",
            ));
        }
        descriptor.expand_private(0, &keys, &mut expanded);
        warnings.extend(descriptor.warnings());
        if !keys_disabled {
            if keys.keys.is_empty() {
                return Err(RpcError::wallet(
                    "Cannot import descriptor without private keys to a wallet with private keys enabled",
                ));
            }
            let all =
                !expanded.keys.is_empty() && expanded.origins.keys().all(|id| expanded.keys.contains_key(id));
            if !all {
                warnings.push(
                    "Not all private keys provided. Some wallet functionality may return unexpected errors"
                        .to_owned(),
                );
            }
        }
        let kind = descriptor.output_type();
        let added = state.add_descriptor(
            descriptor,
            time as u64,
            (range.start as i32, range.end as i32),
            range.next as i32,
            &keys,
            &label,
            internal,
        );
        let id = added.map_err(|e| RpcError::wallet(format!("Could not add descriptor '{text}': {e}")))?;
        match (active, kind) {
            (true, Some(kind)) => state.activate(id, kind, internal)?,
            (true, None) => {
                warnings.push("Unknown output type, cannot set descriptor to active.".to_owned());
            }
            (false, Some(kind)) => state.deactivate(id, kind, internal)?,
            (false, None) => {}
        }
    }
    Ok(())
}

fn importdescriptors(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let Some(reserver) = wallet.reserve_scan(true) else {
        return Err(RpcError::wallet("Wallet is currently rescanning. Abort existing rescan or wait."));
    };
    // The passphrase is needed until the end, to derive more keys.
    let _relock = wallet.relock.lock().unwrap_or_else(PoisonError::into_inner);
    let requests: &[Value] = request.arg("requests")?;
    let tip = {
        let state = state_of(&wallet);
        ensure_unlocked(&state)?;
        state.last_block
    };
    let tip = wallet.chain.find_block(tip, FindBlock::default()).map_err(wallet_error)?;
    let (mut lowest, now) = tip.map_or((0, 0), |block| (block.time, block.mtp_time));
    let mut response = Vec::new();
    let mut rescan = false;
    {
        let mut state = state_of(&wallet);
        for item in requests {
            let time = timestamp(item, now)?.max(1);
            let mut warnings = Vec::new();
            let result = import(&mut state, item, time, &mut warnings);
            rescan |= result.is_ok();
            let mut out = Map::new();
            out.insert("success".into(), result.is_ok().into());
            if let Err(e) = result {
                out.insert("error".into(), e.to_value());
            }
            push_warnings(&warnings, &mut out);
            response.push(Value::Object(out));
            lowest = lowest.min(time);
        }
        state.refresh_coins();
    }
    if !rescan {
        return Ok(Value::Array(response));
    }
    let scanned = wallet.rescan_from_time(&reserver, lowest, true)?;
    wallet.resubmit(TxBroadcast::MempoolNoBroadcast, true);
    if wallet.scan.abort.load(std::sync::atomic::Ordering::Acquire) {
        return Err(RpcError::misc("Rescan aborted by user."));
    }
    if scanned > lowest {
        for (item, out) in requests.iter().zip(&mut response) {
            let time = timestamp(item, now)?;
            if scanned > time && out.get("error").is_none() {
                let error = RpcError::misc(incomplete_scan(&wallet, time, scanned)?);
                *out = json!({ "success": false, "error": error.to_value() });
            }
        }
    }
    Ok(Value::Array(response))
}

fn incomplete_scan(wallet: &Wallet, time: i64, scanned: i64) -> Result<String, WalletError> {
    let mut text = format!(
        "Rescan failed for descriptor with timestamp {time}. There was an error reading a block from time {}, which is after \
         or within {TIMESTAMP_WINDOW} seconds of key creation, and could contain transactions pertaining to the desc. As a \
         result, transactions and coins using this desc may not appear in the wallet.",
        scanned - TIMESTAMP_WINDOW - 1
    );
    text.push_str(if wallet.chain.have_pruned()? {
        " This error could be caused by pruning or data corruption (see groestlcoind log for details) and could be dealt with \
         by downloading and rescanning the relevant blocks (see -reindex option and rescanblockchain RPC)."
    } else if wallet.chain.has_assumed_valid_chain()? {
        " This error is likely caused by an in-progress assumeutxo background sync. Check logs or getchainstates RPC for \
         assumeutxo background sync progress and try again later."
    } else {
        " This error could potentially caused by data corruption. If the issue persists you may want to reindex (see \
         -reindex option)."
    });
    Ok(text)
}

fn listdescriptors(request: &Request<'_>) -> RpcResult {
    let wallet = wallet_of(request)?;
    let state = state_of(&wallet);
    let private: bool = request.arg("private")?;
    if private {
        if state.has_flag(flags::DISABLE_PRIVATE_KEYS) {
            return Err(RpcError::wallet("Can't get private descriptor string for watch-only wallets"));
        }
        ensure_unlocked(&state)?;
    }
    let mut listed = Vec::new();
    for (id, manager) in &state.managers {
        let text = manager
            .text(private, state.master_key.as_ref())
            .ok_or_else(|| RpcError::wallet("Can't get descriptor string."))?;
        let active = state.is_internal(id);
        let mut out = Map::new();
        out.insert("desc".into(), text.as_str().into());
        out.insert("timestamp".into(), manager.creation_time.into());
        out.insert("active".into(), active.is_some().into());
        if let Some(internal) = active {
            out.insert("internal".into(), internal.into());
        }
        if manager.descriptor.is_range() {
            out.insert("range".into(), json!([manager.range_start, manager.range_end - 1]));
            out.insert("next".into(), manager.next_index.into());
            out.insert("next_index".into(), manager.next_index.into());
        }
        listed.push((text, Value::Object(out)));
    }
    listed.sort_by(|a, b| a.0.cmp(&b.0));
    let descriptors: Vec<Value> = listed.into_iter().map(|(_, out)| out).collect();
    Ok(json!({ "wallet_name": wallet.name, "descriptors": descriptors }))
}

fn backupwallet(request: &Request<'_>) -> RpcResult {
    let wallet = synced_wallet_of(request)?;
    let destination: &str = request.arg("destination")?;
    wallet.backup(Path::new(destination)).map_err(|_| RpcError::wallet("Error: Wallet backup failed!"))?;
    Ok(Value::Null)
}

fn restorewallet(request: &Request<'_>) -> RpcResult {
    let context = context(request)?;
    let name: &str = request.arg("wallet_name")?;
    let file: &str = request.arg("backup_file")?;
    let (result, warnings) = context.restore(Path::new(file), name, request.opt("load_on_startup")?, true);
    let wallet = result.map_err(load_error)?;
    let name = wallet.map_or_else(|| name.to_owned(), |wallet| wallet.name.clone());
    let mut out = Map::new();
    out.insert("name".into(), name.into());
    push_warnings(&warnings, &mut out);
    Ok(Value::Object(out))
}
