//! Descriptors in arguments. Reference: `EvalDescriptorStringOrObject`, `getScriptFromDescriptor`.

use grs_descriptor::{Descriptor, FlatSigningProvider};
use grs_params::Network;
use grs_primitives::Script;
use grs_rpc::{JsonExt, RpcError, value};
use serde_json::Value;

/// Scripts of a descriptor text, or of an object with text and range. Keys and scripts go to `provider`; with
/// `private`, private keys too.
pub(super) fn scripts_of(
    object: &Value,
    network: Network,
    provider: &mut FlatSigningProvider,
    private: bool,
) -> Result<Vec<Script>, RpcError> {
    let (text, mut range) = match object {
        Value::String(text) => (text.as_str(), (0, 1000)),
        Value::Object(_) => {
            let text = object.field("desc");
            if text.is_null() {
                return Err(RpcError::invalid_parameter("Descriptor needs to be provided in scan object"));
            }
            let range = match object.field("range") {
                Value::Null => (0, 1000),
                range => value::parse_descriptor_range(range)?,
            };
            (text.get_str()?, range)
        }
        _ => {
            return Err(RpcError::invalid_parameter("Scan object needs to be either a string or an object"));
        }
    };
    let descriptors = Descriptor::parse(text, network, provider, false)
        .map_err(|e| RpcError::invalid_address_or_key(e.to_string()))?;
    if descriptors.first().is_none_or(|d| !d.is_range()) {
        range = (0, 0);
    }
    let mut scripts = Vec::new();
    for index in range.0..=range.1 {
        let index = u32::try_from(index).map_err(|_| RpcError::bug("range was checked"))?;
        for descriptor in &descriptors {
            let keys = provider.clone();
            let found = descriptor.expand(index, &keys, provider, None).ok_or_else(|| {
                RpcError::invalid_address_or_key(format!(
                    "Cannot derive script without private keys: '{text}'"
                ))
            })?;
            if private {
                descriptor.expand_private(index, &keys, provider);
            }
            scripts.extend(found);
        }
    }
    Ok(scripts)
}

/// The one script that blocks mined to a descriptor pay to: an error text when it is no descriptor, an error when it
/// cannot be used.
pub(super) fn script_of(text: &str, network: Network) -> Result<Result<Script, String>, RpcError> {
    let mut keys = FlatSigningProvider::new();
    let descriptors = match Descriptor::parse(text, network, &mut keys, false) {
        Ok(descriptors) => descriptors,
        Err(error) => return Ok(Err(error.to_string())),
    };
    let [descriptor] = descriptors.as_slice() else {
        return Err(RpcError::invalid_parameter("Multipath descriptor not accepted"));
    };
    if descriptor.is_range() {
        return Err(RpcError::invalid_parameter(
            "Ranged descriptor not accepted. Maybe pass through deriveaddresses first?",
        ));
    }
    let mut scripts = descriptor
        .expand(0, &keys, &mut FlatSigningProvider::new(), None)
        .ok_or_else(|| RpcError::invalid_address_or_key("Cannot derive script without private keys"))?;
    // A combination has P2PK, P2PKH and, for compressed keys, P2WPKH, which is preferred.
    let chosen = match scripts.len() {
        0 => return Err(RpcError::bug("a descriptor without scripts")),
        1 => 0,
        4 => 2,
        _ => 1,
    };
    Ok(Ok(scripts.swap_remove(chosen)))
}
