//! Methods about addresses and labels. Reference: `src/wallet/rpc/addresses.cpp`.

use grs_descriptor::{
    Destination, FlatSigningProvider, OutputType, SigningProvider, encode_destination, extract_destination,
    infer_descriptor, key_for_destination, write_key_path,
};
use grs_encoding::hex_encode;
use grs_hashes::{Hash160, purpose};
use grs_params::Network;
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError, code};
use grs_script::{ScriptClass, solver};
use serde_json::{Map, Value, json};

use super::{RpcResult, destination, ensure_unlocked, label_of, state_of, wallet_of};
use crate::flags;
use crate::state::{Purpose, State};

pub(super) fn methods() -> Vec<Method> {
    let types = OutputType::all_names();
    vec![
        Method::new("wallet", "getnewaddress", "A new address for payments to this wallet.\n", getnewaddress)
            .arg(Arg::str("label", "Label of the address").default(""))
            .arg(
                Arg::str("address_type", format!("Kind of address: {types}"))
                    .default_hint("set by -addresstype"),
            )
            .result(Res::str("address", "The address"))
            .example(""),
        Method::new(
            "wallet",
            "getrawchangeaddress",
            "A new address for change, for use with raw transactions.\n",
            getrawchangeaddress,
        )
        .arg(Arg::str("address_type", format!("Kind of address: {types}")).default_hint("set by -changetype"))
        .result(Res::str("address", "The address"))
        .example(""),
        Method::new("wallet", "setlabel", "Sets the label of an address.\n", setlabel)
            .arg(Arg::str("address", "The address"))
            .arg(Arg::str("label", "The label"))
            .result(Res::null("", ""))
            .example_cli("\"address\" \"tabby\"")
            .example_rpc("\"address\", \"tabby\""),
        Method::new(
            "wallet",
            "listlabels",
            "All labels, or those of addresses of one purpose.\n",
            listlabels,
        )
        .arg(Arg::str("purpose", "send or receive; empty for all").optional())
        .result(Res::arr("", "", [Res::str("label", "Label")]))
        .example_cli("receive")
        .example_rpc("\"receive\""),
        Method::new("wallet", "getaddressesbylabel", "Addresses with a label.\n", getaddressesbylabel)
            .arg(Arg::str("label", "The label"))
            .result(Res::obj_dyn(
                "",
                "By address",
                [Res::obj("address", "", [Res::str("purpose", "send or receive")])],
            ))
            .example_cli("\"tabby\"")
            .example_rpc("\"tabby\""),
        Method::new(
            "wallet",
            "keypoolrefill",
            "Derives addresses ahead of need, for each active descriptor.\n",
            keypoolrefill,
        )
        .arg(Arg::num("newsize", "Number of addresses").default_hint("1000, or as set by -keypool"))
        .result(Res::null("", ""))
        .example(""),
        Method::new("wallet", "getaddressinfo", "What the wallet knows about an address.\n", getaddressinfo)
            .arg(Arg::str("address", "The address"))
            .result(Res::obj("", "", address_shape()))
            .example_cli("\"address\"")
            .example_rpc("\"address\""),
    ]
}

fn address_shape() -> Vec<Res> {
    vec![
        Res::str("address", "The address"),
        Res::hex("scriptPubKey", "Its script"),
        Res::bool("ismine", "It is this wallet's"),
        Res::bool("iswatchonly", "Always false"),
        Res::bool("solvable", "All but secret keys is known"),
        Res::str("desc", "Descriptor of its script").optional(),
        Res::str("parent_desc", "Descriptor of the wallet that it comes from").optional(),
        Res::bool("isscript", "It stands for a script").optional(),
        Res::bool("ischange", "It was used for change"),
        Res::bool("iswitness", "It is a witness address"),
        Res::num("witness_version", "Version of the witness program").optional(),
        Res::hex("witness_program", "The witness program").optional(),
        Res::str("script", "Kind of the redeem script").optional(),
        Res::hex("hex", "The redeem script").optional(),
        Res::arr("pubkeys", "Keys of a multisig script", [Res::str("pubkey", "")]).optional(),
        Res::num("sigsrequired", "Signatures that a multisig script needs").optional(),
        Res::hex("pubkey", "The public key").optional(),
        Res::obj("embedded", "The address inside", [Res::elision("As for the address itself")]).optional(),
        Res::bool("iscompressed", "The public key is compressed").optional(),
        Res::time("timestamp", "When the key was made").optional(),
        Res::str("hdkeypath", "Path of the key").optional(),
        Res::hex("hdseedid", "Always zeros").optional(),
        Res::hex("hdmasterfingerprint", "Fingerprint of the master key").optional(),
        Res::arr("labels", "Its labels, at most one", [Res::str("label name", "Label")]),
    ]
}

pub(super) fn parse_output_type(text: &str) -> Result<OutputType, RpcError> {
    OutputType::from_name(text)
        .ok_or_else(|| RpcError::invalid_address_or_key(format!("Unknown address type '{text}'")))
}

fn no_keys() -> RpcError {
    RpcError::wallet("Error: This wallet has no available keys")
}

fn getnewaddress(request: &Request<'_>) -> RpcResult {
    let wallet = wallet_of(request)?;
    let mut state = state_of(&wallet);
    if !state.can_get_addresses(false) {
        return Err(no_keys());
    }
    let label = label_of(request.value("label"))?;
    let kind = match request.opt::<&str>("address_type")? {
        Some(name) => parse_output_type(name)?,
        None => wallet.options.address_type,
    };
    let made = state.new_receive_address(kind, &label);
    let destination = made.map_err(|e| RpcError::new(code::WALLET_KEYPOOL_RAN_OUT, e.to_string()))?;
    Ok(state.address(&destination).into())
}

fn getrawchangeaddress(request: &Request<'_>) -> RpcResult {
    let wallet = wallet_of(request)?;
    let mut state = state_of(&wallet);
    if !state.can_get_addresses(true) {
        return Err(no_keys());
    }
    let kind = match request.opt::<&str>("address_type")? {
        Some(name) => parse_output_type(name)?,
        None => wallet.options.change_type.unwrap_or(wallet.options.address_type),
    };
    let made = state.new_destination(kind, true);
    let destination = made.map_err(|e| RpcError::new(code::WALLET_KEYPOOL_RAN_OUT, e.to_string()))?;
    Ok(state.address(&destination).into())
}

fn setlabel(request: &Request<'_>) -> RpcResult {
    let wallet = wallet_of(request)?;
    let mut state = state_of(&wallet);
    let destination = destination(&state, request.arg("address")?)
        .map_err(|_| RpcError::invalid_address_or_key("Invalid Groestlcoin address"))?;
    let label = label_of(request.value("label"))?;
    let purpose = if state.is_mine_destination(&destination) { Purpose::Receive } else { Purpose::Send };
    state.set_address_book(&destination, &label, Some(purpose))?;
    Ok(Value::Null)
}

fn listlabels(request: &Request<'_>) -> RpcResult {
    let wallet = wallet_of(request)?;
    let purpose = match request.opt::<&str>("purpose")? {
        None | Some("") => None,
        Some(name) => Some(Purpose::from_name(name).ok_or_else(|| {
            RpcError::invalid_parameter(
                "Invalid 'purpose' argument, must be a known purpose string, typically 'send', or 'receive'.",
            )
        })?),
    };
    Ok(state_of(&wallet).labels(purpose).into_iter().map(Value::from).collect())
}

fn getaddressesbylabel(request: &Request<'_>) -> RpcResult {
    let wallet = wallet_of(request)?;
    let state = state_of(&wallet);
    let label = label_of(request.value("label"))?;
    let mut out = Map::new();
    for (destination, entry) in &state.address_book {
        if entry.label.as_ref() == Some(&label) {
            let purpose = entry.purpose.map_or("unknown", Purpose::name);
            out.insert(state.address(destination), json!({ "purpose": purpose }));
        }
    }
    if out.is_empty() {
        let text = format!("No addresses with label {label}");
        return Err(RpcError::new(code::WALLET_INVALID_LABEL_NAME, text));
    }
    Ok(Value::Object(out))
}

fn keypoolrefill(request: &Request<'_>) -> RpcResult {
    let wallet = wallet_of(request)?;
    let size = match request.opt::<i32>("newsize")? {
        Some(size) if size < 0 => {
            return Err(RpcError::invalid_parameter("Invalid parameter, expected valid size."));
        }
        size => size.unwrap_or(0) as u32,
    };
    let mut state = state_of(&wallet);
    ensure_unlocked(&state)?;
    state.top_up_all((size > 0).then_some(size))?;
    if state.key_pool_sizes().1 < i64::from(size) {
        return Err(RpcError::wallet("Error refreshing keypool."));
    }
    state.refresh_coins();
    Ok(Value::Null)
}

/// What an address says by itself. Reference: `DescribeAddress`.
fn describe(destination: &Destination) -> Map<String, Value> {
    let (script, version, program) = match destination {
        Destination::None(_) | Destination::PubKey(_) => return Map::new(),
        Destination::PubKeyHash(_) => (Some(false), None, None),
        Destination::ScriptHash(_) => (Some(true), None, None),
        Destination::WitnessV0KeyHash(hash) => (Some(false), Some(0), Some(hex_encode(hash.as_bytes()))),
        Destination::WitnessV0ScriptHash(hash) => (Some(true), Some(0), Some(hex_encode(hash))),
        Destination::WitnessV1Taproot(key) => (Some(true), Some(1), Some(hex_encode(key.as_bytes()))),
        Destination::PayToAnchor => {
            return [("isscript".to_owned(), true.into()), ("iswitness".to_owned(), true.into())]
                .into_iter()
                .collect();
        }
        Destination::WitnessUnknown { version, program } => (None, Some(*version), Some(hex_encode(program))),
    };
    let mut out = Map::new();
    if let Some(script) = script {
        out.insert("isscript".into(), script.into());
    }
    out.insert("iswitness".into(), version.is_some().into());
    if let Some(version) = version {
        out.insert("witness_version".into(), version.into());
    }
    if let Some(program) = program {
        out.insert("witness_program".into(), program.into());
    }
    out
}

/// What the wallet knows about keys and scripts of an address.
fn describe_known(
    destination: &Destination,
    provider: &FlatSigningProvider,
    network: Network,
) -> Map<String, Value> {
    let mut out = Map::new();
    let script_id = match destination {
        Destination::PubKeyHash(id) | Destination::WitnessV0KeyHash(id) => {
            if let Some(key) = provider.public_key(id) {
                out.insert("pubkey".into(), hex_encode(key.as_bytes()).into());
                if matches!(destination, Destination::PubKeyHash(_)) {
                    out.insert("iscompressed".into(), key.is_compressed().into());
                }
            }
            return out;
        }
        Destination::ScriptHash(id) => *id,
        Destination::WitnessV0ScriptHash(hash) => Hash160::from_bytes(purpose::ripemd160(hash)),
        _ => return out,
    };
    let Some(script) = provider.script(&script_id) else { return out };
    let class = solver(&script);
    out.insert("script".into(), class.kind().name().into());
    out.insert("hex".into(), script.to_hex().into());
    let inner = extract_destination(&script);
    if inner.is_valid() {
        let mut embedded = describe(&inner);
        // Scripts nest two deep at most: P2SH, then P2WSH.
        embedded.extend(describe_known(&inner, provider, network));
        embedded.insert("address".into(), encode_destination(&inner, network).into());
        embedded.insert("scriptPubKey".into(), script.to_hex().into());
        if let Some(key) = embedded.get("pubkey") {
            out.insert("pubkey".into(), key.clone());
        }
        out.insert("embedded".into(), Value::Object(embedded));
    } else if let ScriptClass::Multisig { required, keys, .. } = class {
        out.insert("sigsrequired".into(), u64::from(required).into());
        out.insert("pubkeys".into(), keys.iter().map(|k| Value::from(hex_encode(k))).collect());
    }
    out
}

fn getaddressinfo(request: &Request<'_>) -> RpcResult {
    let wallet = wallet_of(request)?;
    let state = state_of(&wallet);
    let destination = destination(&state, request.value("address").get_str()?)
        .map_err(|e| RpcError::invalid_address_or_key(e.to_string()))?;
    Ok(Value::Object(address_info(&state, &destination)))
}

fn address_info(state: &State, destination: &Destination) -> Map<String, Value> {
    let script = destination.script();
    let provider = state.solving_provider(&script);
    let mut out = Map::new();
    out.insert("address".into(), state.address(destination).into());
    out.insert("scriptPubKey".into(), script.to_hex().into());
    out.insert("ismine".into(), state.is_mine(&script).into());
    let inferred = provider.as_ref().map(|p| infer_descriptor(&script, p, state.network));
    let solvable = inferred.as_ref().filter(|d| d.is_solvable());
    out.insert("solvable".into(), solvable.is_some().into());
    if let Some(descriptor) = solvable {
        out.insert("desc".into(), descriptor.to_string().into());
    }
    let manager = state.scripts.get(&script).and_then(|ids| state.managers.get(ids.first()?));
    if let Some(text) = manager.and_then(|m| m.text(false, state.master_key.as_ref())) {
        out.insert("parent_desc".into(), text.into());
    }
    out.insert("iswatchonly".into(), false.into());
    out.extend(describe(destination));
    if let Some(provider) = &provider {
        out.extend(describe_known(destination, provider, state.network));
    }
    out.insert("ischange".into(), state.is_change(&script).into());
    if let (Some(manager), Some(provider)) = (manager, &provider)
        && let Some(origin) =
            key_for_destination(provider, destination).and_then(|id| provider.key_origin(&id))
    {
        out.insert("timestamp".into(), manager.creation_time.into());
        out.insert("hdkeypath".into(), write_key_path(&origin.path, false).into());
        out.insert("hdseedid".into(), "0".repeat(40).into());
        out.insert("hdmasterfingerprint".into(), hex_encode(origin.fingerprint).into());
    }
    let label = state.address_entry(destination).and_then(|e| e.label.clone());
    out.insert("labels".into(), label.into_iter().map(Value::from).collect());
    debug_assert!(state.has_flag(flags::DESCRIPTORS));
    out
}
