//! Scripts in results. Reference: `ScriptToUniv` in `src/core_io.cpp`.

use grs_descriptor::{Destination, EmptySigningProvider, SigningProvider, extract_destination};
use grs_encoding::hex_encode;
use grs_params::Network;
use grs_rpc::Res;
use grs_script::{TxoutType, script_to_asm, solver};
use serde_json::{Map, Value};

/// Descriptor text that fits a script, as far as the provider's keys and scripts allow.
pub(super) fn inferred_descriptor(script: &[u8], provider: &dyn SigningProvider, network: Network) -> String {
    grs_descriptor::infer_descriptor(script, provider, network).to_text(false)
}

/// The address of a script that has one. A bare key's script has none.
pub(super) fn script_address(script: &[u8], network: Network) -> Option<String> {
    if solver(script).kind() == TxoutType::PubKey {
        return None;
    }
    match extract_destination(script) {
        Destination::None(_) | Destination::PubKey(_) => None,
        destination => Some(destination.encode(network)),
    }
}

/// How much of a script is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct ScriptParts {
    /// The bytes.
    pub hex: bool,
    /// Descriptor and address.
    pub address: bool,
}

/// An output script with everything.
pub(super) fn script_to_json(script: &[u8], network: Network) -> Value {
    Value::Object(script_fields(
        script,
        network,
        ScriptParts { hex: true, address: true },
        &EmptySigningProvider,
    ))
}

/// Fields of an output script.
pub(super) fn script_fields(
    script: &[u8],
    network: Network,
    parts: ScriptParts,
    provider: &dyn SigningProvider,
) -> Map<String, Value> {
    let mut out = Map::new();
    out.insert("asm".into(), script_to_asm(script, false).into());
    if parts.address {
        out.insert("desc".into(), inferred_descriptor(script, provider, network).into());
    }
    if parts.hex {
        out.insert("hex".into(), hex_encode(script).into());
    }
    if parts.address
        && let Some(address) = script_address(script, network)
    {
        out.insert("address".into(), address.into());
    }
    out.insert("type".into(), solver(script).kind().name().into());
    out
}

/// Shape of [`script_to_json`].
pub(super) fn script_shape() -> Vec<Res> {
    vec![
        Res::str("asm", "The script's operations in words"),
        Res::str("desc", "A descriptor that fits the script"),
        Res::hex("hex", "The bytes of the script"),
        Res::str("address", "The address, if there is one for this script").optional(),
        Res::str("type", format!("The kind of script, one of: {}", output_types())),
    ]
}

/// Names of all kinds of scripts.
pub(super) fn output_types() -> String {
    [
        TxoutType::NonStandard,
        TxoutType::Anchor,
        TxoutType::PubKey,
        TxoutType::PubKeyHash,
        TxoutType::ScriptHash,
        TxoutType::Multisig,
        TxoutType::NullData,
        TxoutType::WitnessV0ScriptHash,
        TxoutType::WitnessV0KeyHash,
        TxoutType::WitnessV1Taproot,
        TxoutType::WitnessUnknown,
    ]
    .map(|t| t.name())
    .join(", ")
}
