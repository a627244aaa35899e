//! Methods about addresses, descriptors and signed messages. Reference: `src/rpc/output_script.cpp`,
//! `src/rpc/signmessage.cpp`.

use grs_descriptor::{
    Descriptor, Destination, FlatSigningProvider, MessageError, OutputType, decode_destination,
    decode_secret_key, descriptor_checksum, extract_destination, infer_descriptor, sign_message_text,
    verify_message_text,
};
use grs_encoding::hex_encode;
use grs_keys::PublicKey;
use grs_rpc::{Arg, JsonExt, Method, Request, Res, RpcError, help, value};
use grs_rpc_tx::parse_public_key;
use grs_script::script_for_multisig;
use serde_json::{Map, Value, json};

use super::{Ctx, Maker};

const EXAMPLE_ADDRESS: &str = "\"grs1q9h3gqh90v5dkvgj2umjz2tk8xsy4tq7m9y0hhp\"";
const EXAMPLE_KEYS: [&str; 2] = [
    "03789ed0bb717d88f7d321a368d905e7430207ebbd82bd342cf11ae157a7ace5fd",
    "03dbc6764b8884a92e871274b87583e6d5c2a58819473e17e107ef3f6aa5a61626",
];
/// Most keys of a bare or P2SH multisig.
const MAX_KEYS: usize = 20;
/// Longest script element, which a P2SH script is.
const MAX_SCRIPT_ELEMENT_SIZE: usize = 520;

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    vec![
        validateaddress_method(maker),
        createmultisig_method(maker),
        deriveaddresses_method(maker),
        getdescriptorinfo_method(maker),
        verifymessage_method(maker),
        signmessagewithprivkey_method(maker),
    ]
}

fn validateaddress_method(maker: &Maker) -> Method {
    maker
        .method(
            "util",
            "validateaddress",
            "Return information about the given groestlcoin address.\n",
            validateaddress,
        )
        .arg(Arg::str("address", "The address"))
        .result(Res::obj(
            "",
            "",
            [
                Res::bool("isvalid", "Whether it is valid"),
                Res::str("address", "The address").optional(),
                Res::hex("scriptPubKey", "The script that pays to it").optional(),
                Res::bool("isscript", "Whether it is of a script").optional(),
                Res::bool("iswitness", "Whether it is of a witness program").optional(),
                Res::num("witness_version", "Version of the witness program").optional(),
                Res::hex("witness_program", "The witness program").optional(),
                Res::str("error", "What is wrong, if it is not valid").optional(),
                Res::arr(
                    "error_locations",
                    "Where it is likely to be wrong, if known",
                    [Res::num("index", "Position of a character")],
                )
                .optional(),
            ],
        ))
        .example(EXAMPLE_ADDRESS)
}

fn createmultisig_method(maker: &Maker) -> Method {
    let [a, b] = EXAMPLE_KEYS;
    maker
        .method(
            "util",
            "createmultisig",
            "Makes an address from which n of m keys can spend, and its script.\n",
            createmultisig,
        )
        .arg(Arg::num("nrequired", "How many of the keys have to sign"))
        .arg(Arg::arr("keys", "Public keys in hexadecimal", [Arg::hex("key", "A public key").optional()]))
        .arg(
            Arg::str("address_type", "Type of the address: \"legacy\", \"p2sh-segwit\" or \"bech32\"")
                .default("legacy"),
        )
        .result(Res::obj(
            "",
            "",
            [
                Res::str("address", "The address"),
                Res::hex("redeemScript", "The script"),
                Res::str("descriptor", "Its descriptor"),
                Res::arr("warnings", "Warnings, if there are any", [Res::str("", "")]).optional(),
            ],
        ))
        .example_text("\nMake an address from 2 public keys\n")
        .example_cli(&format!("2 \"[\\\"{a}\\\",\\\"{b}\\\"]\""))
        .example_text("\nThe same by JSON-RPC\n")
        .example_rpc(&format!("2, [\"{a}\",\"{b}\"]"))
}

fn deriveaddresses_method(maker: &Maker) -> Method {
    const EXAMPLE: &str = "\"wpkh([d34db33f/84h/17h/0h]xpub6DJ2dNUysrn5Vt36jH2KLBT2i1auw1tTSSomg8PhqNiUtx8QX2SvC9nrHu81fT41fvDUnhMjEzQgXnQjKEu3oaqMSzhSrHMxyyoEAmUHQbY/0/*)#cjjspncu\"";
    let address = || Res::str("address", "An address");
    maker
        .method(
            "util",
            "deriveaddresses",
            "Addresses that an output descriptor describes, such as pkh(<pubkey>), wpkh(<pubkey>), \
             sh(multi(<n>,<pubkey>,...)), raw(<hex script>) and tr(<pubkey>,multi_a(<n>,<pubkey>,...)). A <pubkey> is a \
             public key in hexadecimal, or an extended key with a path.\n",
            deriveaddresses,
        )
        .arg(Arg::str("descriptor", "The descriptor, with its checksum"))
        .arg(Arg::range("range", "Indexes of keys, if it has a range: the end, or [begin,end]").optional())
        .result(Res::arr("", "", [address()]).cond("for single derivation descriptors"))
        .result(
            Res::arr(
                "",
                "Addresses for each of the multipath descriptor's descriptors, in order",
                [Res::arr("", "Addresses of one of them", [address()])],
            )
            .cond("for multipath descriptors"),
        )
        .example_text("First three addresses\n")
        .example_cli(&format!("{EXAMPLE} \"[0,2]\""))
        .example_rpc(&format!("{EXAMPLE}, \"[0,2]\""))
}

fn getdescriptorinfo_method(maker: &Maker) -> Method {
    const EXAMPLE: &str =
        "\"wpkh([d34db33f/84h/17h/0h]0279be667ef9dcbbac55a06295Ce870b07029Bfcdb2dce28d959f2815b16f81798)\"";
    maker
        .method("util", "getdescriptorinfo", "Looks at a descriptor.\n", getdescriptorinfo)
        .arg(Arg::str("descriptor", "The descriptor"))
        .result(Res::obj(
            "",
            "",
            [
                Res::str(
                    "descriptor",
                    "Its canonical form without private keys; the first of a multipath one",
                ),
                Res::arr("multipath_expansion", "All descriptors of a multipath one", [Res::str("", "")])
                    .optional(),
                Res::str("checksum", "The checksum of the descriptor as given"),
                Res::bool("isrange", "Whether it has a range"),
                Res::bool("issolvable", "Whether its scripts are known"),
                Res::bool("hasprivatekeys", "Whether it has private keys"),
            ],
        ))
        .example_text("Look at a descriptor\n")
        .example(EXAMPLE)
}

fn verifymessage_method(maker: &Maker) -> Method {
    const ADDRESS: &str = "\"FdeDnzHyMSroQWo2uz7GzHQhHEvtZRojCY\"";
    maker
        .method("util", "verifymessage", "Whether the owner of an address signed a message.", verifymessage)
        .arg(Arg::str("address", "The address"))
        .arg(Arg::str("signature", "The signature in base 64, see signmessage"))
        .arg(Arg::str("message", "The message"))
        .result(Res::bool("", "Whether the signature is good"))
        .example_text("\nUnlock the wallet for 30 seconds\n")
        .example_text(&help::example_cli("walletpassphrase", "\"mypassphrase\" 30"))
        .example_text("\nSign\n")
        .example_text(&help::example_cli("signmessage", &format!("{ADDRESS} \"my message\"")))
        .example_text("\nVerify\n")
        .example_cli(&format!("{ADDRESS} \"signature\" \"my message\""))
        .example_text("\nThe same by JSON-RPC\n")
        .example_rpc(&format!("{ADDRESS}, \"signature\", \"my message\""))
}

fn signmessagewithprivkey_method(maker: &Maker) -> Method {
    const ADDRESS: &str = "\"FdeDnzHyMSroQWo2uz7GzHQhHEvtZRojCY\"";
    maker
        .method(
            "util",
            "signmessagewithprivkey",
            "Signs a message with the private key of an address.\n",
            signmessagewithprivkey,
        )
        .arg(Arg::str("privkey", "The private key"))
        .arg(Arg::str("message", "The message"))
        .result(Res::str("signature", "The signature in base 64"))
        .example_text("\nSign\n")
        .example_cli("\"privkey\" \"my message\"")
        .example_text("\nVerify\n")
        .example_text(&help::example_cli("verifymessage", &format!("{ADDRESS} \"signature\" \"my message\"")))
        .example_text("\nThe same by JSON-RPC\n")
        .example_rpc("\"privkey\", \"my message\"")
}

/// Fields that tell what kind of address it is. Reference: `DescribeAddress`.
pub(crate) fn describe_destination(destination: &Destination) -> Map<String, Value> {
    let witness = |script: Option<bool>, version: u8, program: &[u8]| {
        let mut out = Map::new();
        if let Some(script) = script {
            out.insert("isscript".into(), script.into());
        }
        out.insert("iswitness".into(), true.into());
        out.insert("witness_version".into(), version.into());
        out.insert("witness_program".into(), hex_encode(program).into());
        out
    };
    let legacy = |script: bool| {
        Map::from_iter([("isscript".to_owned(), script.into()), ("iswitness".to_owned(), false.into())])
    };
    match destination {
        Destination::None(_) | Destination::PubKey(_) => Map::new(),
        Destination::PubKeyHash(_) => legacy(false),
        Destination::ScriptHash(_) => legacy(true),
        Destination::WitnessV0KeyHash(id) => witness(Some(false), 0, id.as_bytes()),
        Destination::WitnessV0ScriptHash(hash) => witness(Some(true), 0, hash),
        Destination::WitnessV1Taproot(key) => witness(Some(true), 1, key.as_bytes()),
        Destination::PayToAnchor => {
            let mut out = witness(Some(true), 1, &[0x4e, 0x73]);
            out.retain(|key, _| !key.starts_with("witness_"));
            out
        }
        Destination::WitnessUnknown { version, program } => witness(None, *version, program),
    }
}

fn validateaddress(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let network = ctx.params.network;
    let mut out = Map::new();
    match decode_destination(request.arg("address")?, network) {
        Ok(destination) => {
            out.insert("isvalid".into(), true.into());
            out.insert("address".into(), destination.encode(network).into());
            out.insert("scriptPubKey".into(), destination.script().to_hex().into());
            out.extend(describe_destination(&destination));
        }
        Err(error) => {
            out.insert("isvalid".into(), false.into());
            out.insert("error_locations".into(), error.locations().into());
            out.insert("error".into(), error.to_string().into());
        }
    }
    Ok(Value::Object(out))
}

fn createmultisig(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let required: i32 = request.arg("nrequired")?;
    let mut keys = Vec::new();
    for key in request.value("keys").get_array()? {
        keys.push(parse_public_key(key.get_str()?)?);
    }
    let name: &str = request.arg("address_type")?;
    let wanted = match OutputType::from_name(name) {
        None => {
            return Err(RpcError::invalid_address_or_key(format!("Unknown address type '{name}'")));
        }
        Some(OutputType::Bech32m) => {
            return Err(RpcError::invalid_address_or_key(
                "createmultisig cannot create bech32m multisig addresses",
            ));
        }
        Some(wanted) => wanted,
    };
    let count = keys.len();
    let refuse = |text: String| Err(RpcError::invalid_parameter(text));
    if required < 1 {
        return refuse("a multisignature address must require at least one key to redeem".into());
    }
    if i64::from(required) > count as i64 {
        return refuse(format!(
            "not enough keys supplied (got {count} keys, but need at least {required} to redeem)"
        ));
    }
    if count > MAX_KEYS {
        return refuse(format!(
            "Number of keys involved in the multisignature address creation > {MAX_KEYS}\nReduce the number"
        ));
    }
    let script = script_for_multisig(required.unsigned_abs() as usize, &keys);
    // Witness programs take compressed keys only.
    let used = if keys.iter().all(PublicKey::is_compressed) { wanted } else { OutputType::Legacy };
    if used == OutputType::Legacy && script.len() > MAX_SCRIPT_ELEMENT_SIZE {
        return refuse(format!(
            "redeemScript exceeds size limit: {} > {MAX_SCRIPT_ELEMENT_SIZE}",
            script.len()
        ));
    }
    let mut provider = FlatSigningProvider::new();
    keys.iter().for_each(|key| provider.add_public_key(*key));
    provider.add_script(&script);
    let witness = Destination::witness_script_hash(&script);
    let destination = match used {
        OutputType::Legacy => Destination::script_hash(&script),
        OutputType::P2shSegwit => {
            provider.add_script(&witness.script());
            Destination::script_hash(&witness.script())
        }
        _ => {
            provider.add_script(&witness.script());
            witness
        }
    };
    let network = ctx.params.network;
    let descriptor = infer_descriptor(&destination.script(), &provider, network);
    let mut out = Map::new();
    out.insert("address".into(), destination.encode(network).into());
    out.insert("redeemScript".into(), script.to_hex().into());
    out.insert("descriptor".into(), descriptor.to_text(false).into());
    if descriptor.output_type() != Some(wanted) {
        let warning =
            "Unable to make chosen address type, please ensure no uncompressed public keys are present.";
        out.insert("warnings".into(), json!([warning]));
    }
    Ok(Value::Object(out))
}

fn getdescriptorinfo(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let text: &str = request.arg("descriptor")?;
    let mut provider = FlatSigningProvider::new();
    let all = Descriptor::parse(text, ctx.params.network, &mut provider, false)
        .map_err(|error| RpcError::invalid_address_or_key(error.to_string()))?;
    let first = all.first().ok_or_else(|| RpcError::bug("no descriptor"))?;
    let mut out = Map::new();
    out.insert("descriptor".into(), first.to_text(false).into());
    if all.len() > 1 {
        let texts: Vec<String> = all.iter().map(|descriptor| descriptor.to_text(false)).collect();
        out.insert("multipath_expansion".into(), texts.into());
    }
    // Without the checksum that is there, as the reference: it reads the text up to its `#`.
    let payload = text.split_once('#').map_or(text, |(payload, _)| payload);
    out.insert("checksum".into(), descriptor_checksum(payload).unwrap_or_default().into());
    out.insert("isrange".into(), first.is_range().into());
    out.insert("issolvable".into(), first.is_solvable().into());
    out.insert("hasprivatekeys".into(), (!provider.keys.is_empty()).into());
    Ok(Value::Object(out))
}

fn addresses(
    descriptor: &Descriptor,
    range: (i64, i64),
    keys: &FlatSigningProvider,
) -> Result<Value, RpcError> {
    let mut out: Vec<Value> = Vec::new();
    for index in range.0..=range.1 {
        let index = u32::try_from(index).map_err(|_| RpcError::bug("range was checked"))?;
        let scripts = descriptor
            .expand(index, keys, &mut FlatSigningProvider::new(), None)
            .ok_or_else(|| RpcError::invalid_address_or_key("Cannot derive script without private keys"))?;
        for script in &scripts {
            match extract_destination(script) {
                // A combination has a bare key too, which has no address.
                Destination::PubKey(_) if scripts.len() > 1 => {}
                Destination::None(_) | Destination::PubKey(_) => {
                    return Err(RpcError::invalid_address_or_key(
                        "Descriptor does not have a corresponding address",
                    ));
                }
                destination => out.push(destination.encode(descriptor.network()).into()),
            }
        }
    }
    if out.is_empty() {
        return Err(RpcError::misc("Unexpected empty result"));
    }
    Ok(out.into())
}

fn deriveaddresses(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let text: &str = request.arg("descriptor")?;
    let range = match request.value("range") {
        Value::Null => (0, 0),
        range => value::parse_descriptor_range(range)?,
    };
    let mut keys = FlatSigningProvider::new();
    let all = Descriptor::parse(text, ctx.params.network, &mut keys, true)
        .map_err(|error| RpcError::invalid_address_or_key(error.to_string()))?;
    let given = request.params().len();
    let ranged = all.first().is_some_and(Descriptor::is_range);
    if !ranged && given > 1 {
        return Err(RpcError::invalid_parameter("Range should not be specified for an un-ranged descriptor"));
    }
    if ranged && given == 1 {
        return Err(RpcError::invalid_parameter("Range must be specified for a ranged descriptor"));
    }
    let mut lists = Vec::with_capacity(all.len());
    for descriptor in &all {
        lists.push(addresses(descriptor, range, &keys)?);
    }
    Ok(if lists.len() == 1 { lists.swap_remove(0) } else { lists.into() })
}

fn verifymessage(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let network = ctx.params.network;
    let result = verify_message_text(
        request.arg("address")?,
        request.arg("signature")?,
        request.arg("message")?,
        network,
    );
    match result {
        Ok(()) => Ok(true.into()),
        Err(MessageError::KeyNotRecovered | MessageError::NotSigned) => Ok(false.into()),
        Err(error @ MessageError::InvalidAddress) => Err(RpcError::invalid_address_or_key(error.to_string())),
        Err(error) => Err(RpcError::type_error(error.to_string())),
    }
}

fn signmessagewithprivkey(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let key = decode_secret_key(request.arg("privkey")?, ctx.params.network)
        .ok_or_else(|| RpcError::invalid_address_or_key("Invalid private key"))?;
    Ok(sign_message_text(&key, request.arg("message")?).into())
}
