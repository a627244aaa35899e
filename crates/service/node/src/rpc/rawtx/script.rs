//! `decodescript`.

use grs_descriptor::{Destination, EmptySigningProvider, FlatSigningProvider};
use grs_hashes::purpose::hash160;
use grs_keys::PublicKey;
use grs_primitives::Script;
use grs_rpc::{Arg, Method, Request, Res, RpcError, value};
use grs_script::opcodes::{OP_CHECKSIGADD, is_op_success};
use grs_script::{ScriptClass, ScriptExt, TxoutType, solver};
use serde_json::Value;

use crate::rpc::script_json::{ScriptParts, output_types, script_fields};
use crate::rpc::{Ctx, Maker};

pub(super) fn methods(maker: &Maker) -> Vec<Method> {
    let address = || Res::str("address", "The address, if there is one for this script").optional();
    let segwit = Res::obj(
        "segwit",
        "A witness program of this script, if it may be wrapped",
        [
            Res::str("asm", "The program's operations in words"),
            Res::hex("hex", "Its bytes"),
            Res::str("type", "Its kind, such as witness_v0_keyhash"),
            address(),
            Res::str("desc", "A descriptor that fits it"),
            Res::str("p2sh-segwit", "Address of the P2SH script around it"),
        ],
    );
    vec![
        maker
            .method(
                "rawtransactions",
                "decodescript",
                "What a script in hexadecimal is, and addresses that wrap it.\n",
                decodescript,
            )
            .arg(Arg::hex("hexstring", "The script"))
            .result(Res::obj(
                "",
                "",
                [
                    Res::str("asm", "The script's operations in words"),
                    Res::str("desc", "A descriptor that fits the script"),
                    Res::str("type", format!("The kind of script, one of: {}", output_types())),
                    address(),
                    Res::str("p2sh", "Address of the P2SH script around it, if it may be wrapped").optional(),
                    segwit.optional(),
                ],
            ))
            .example("\"hexstring\""),
    ]
}

fn can_wrap(script: &[u8], kind: TxoutType) -> bool {
    let wrappable = matches!(
        kind,
        TxoutType::Multisig
            | TxoutType::NonStandard
            | TxoutType::PubKey
            | TxoutType::PubKeyHash
            | TxoutType::WitnessV0KeyHash
            | TxoutType::WitnessV0ScriptHash
    );
    // Such operations mean nothing outside of taproot.
    let fits = |opcode: u8| opcode != OP_CHECKSIGADD && !is_op_success(opcode);
    wrappable
        && script.has_valid_ops()
        && !script.is_unspendable()
        && script.instructions().all(|instruction| instruction.is_ok_and(|i| fits(i.opcode)))
}

/// The witness program of a script, if it may have one. Uncompressed keys cannot be used in it.
fn witness_program(script: &Script) -> Option<Destination> {
    let compressed = |key: &[u8]| PublicKey::from_slice(key).is_ok_and(|key| key.is_compressed());
    match solver(script) {
        ScriptClass::PubKey(key) => compressed(key).then(|| Destination::WitnessV0KeyHash(hash160(key))),
        ScriptClass::PubKeyHash(id) => Some(Destination::WitnessV0KeyHash(id)),
        ScriptClass::Multisig { keys, .. } if !keys.iter().all(|key| compressed(key)) => None,
        ScriptClass::Multisig { .. } | ScriptClass::NonStandard => {
            Some(Destination::witness_script_hash(script))
        }
        _ => None,
    }
}

fn decodescript(ctx: &Ctx, request: &Request<'_>) -> Result<Value, RpcError> {
    let network = ctx.params.network;
    let text: &str = request.arg("hexstring")?;
    let script = match text {
        "" => Script::new(),
        _ => Script::from(value::parse_hex(request.value("hexstring"), "argument")?),
    };
    let parts = ScriptParts { hex: false, address: true };
    let mut out = script_fields(&script, network, parts, &EmptySigningProvider);
    if can_wrap(&script, solver(&script).kind()) {
        out.insert("p2sh".into(), Destination::script_hash(&script).encode(network).into());
        if let Some(program) = witness_program(&script) {
            let mut provider = FlatSigningProvider::new();
            if matches!(program, Destination::WitnessV0ScriptHash(_)) {
                provider.add_script(&script);
            }
            let program = program.script();
            let parts = ScriptParts { hex: true, address: true };
            let mut segwit = script_fields(&program, network, parts, &provider);
            let wrapped = Destination::script_hash(&program).encode(network);
            segwit.insert("p2sh-segwit".into(), wrapped.into());
            out.insert("segwit".into(), segwit.into());
        }
    }
    Ok(Value::Object(out))
}
