//! Fuzz targets: each takes any bytes and must not panic.

use grs_keys::XOnlyPublicKey;
use grs_params::Network;

use crate::miniscript::{Miniscript, MiniscriptContext, ScriptKeys, TextKeys};
use crate::{
    Descriptor, DescriptorCache, EmptySigningProvider, FlatSigningProvider, decode_destination,
    decode_extended_public_key, decode_extended_secret_key, decode_secret_key, infer_descriptor,
    parse_key_path, script_for_destination,
};

/// Addresses and key texts on all networks.
pub fn fuzz_address(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for network in Network::ALL {
        match decode_destination(&text, network) {
            Ok(destination) => {
                let address = destination.encode(network);
                assert!(!address.is_empty());
                assert_eq!(decode_destination(&address, network).as_ref(), Ok(&destination));
                assert_eq!(crate::extract_destination(&script_for_destination(&destination)), destination);
            }
            Err(e) => {
                assert!(e.locations().iter().all(|p| *p < text.len()));
                let _ = e.to_string();
            }
        }
        let _ = decode_secret_key(&text, network);
        let _ = decode_extended_secret_key(&text, network);
        let _ = decode_extended_public_key(&text, network);
    }
    let _ = parse_key_path(&text);
}

/// Descriptors: parsing, all texts, expansion, inference of the result.
pub fn fuzz_descriptor(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut keys = FlatSigningProvider::new();
    let Ok(parsed) = Descriptor::parse(&text, Network::Main, &mut keys, false) else { return };
    for descriptor in parsed.iter().take(4) {
        let public = descriptor.to_string();
        let again = Descriptor::parse(&public, Network::Main, &mut FlatSigningProvider::new(), true);
        assert_eq!(again.map(|d| d[0].to_string()), Ok(public));
        let _ = (descriptor.to_private_text(&keys), descriptor.to_normalized_text(&keys, None));
        let _ = (descriptor.max_satisfaction_weight(true), descriptor.max_satisfaction_elements());
        let mut out = FlatSigningProvider::new();
        let mut cache = DescriptorCache::new();
        let Some(scripts) = descriptor.expand(1, &keys, &mut out, Some(&mut cache)) else { continue };
        let size = descriptor.script_size();
        assert!(size.is_none_or(|s| scripts.iter().all(|script| script.len() as i64 == s)));
        for script in &scripts {
            let inferred = infer_descriptor(script, &out, Network::Main);
            let expanded = inferred.expand(0, &EmptySigningProvider, &mut FlatSigningProvider::new(), None);
            assert_eq!(expanded, Some(vec![script.clone()]));
        }
        let cached = descriptor.expand_from_cache(1, &cache, &mut FlatSigningProvider::new());
        assert_eq!(cached.as_ref(), Some(&scripts));
    }
}

/// Any text is a key, and any bytes are.
struct AnyKey;

impl TextKeys for AnyKey {
    type Key = [u8; 32];

    fn parse_key(&mut self, text: &str) -> Option<[u8; 32]> {
        let mut key = [0; 32];
        for (to, from) in key.iter_mut().zip(text.bytes()) {
            *to = from;
        }
        Some(key)
    }
    fn identity(&self, key: &[u8; 32]) -> Vec<u8> {
        key.to_vec()
    }
}

impl ScriptKeys for AnyKey {
    type Key = XOnlyPublicKey;

    fn key_from_bytes(&mut self, bytes: &[u8]) -> Option<XOnlyPublicKey> {
        XOnlyPublicKey::from_slice(bytes.get(..32)?)
    }
    fn key_from_hash(&mut self, hash: &[u8; 20]) -> Option<XOnlyPublicKey> {
        let mut key = [0; 32];
        key[..20].copy_from_slice(hash);
        Some(XOnlyPublicKey::from_bytes(key))
    }
    fn identity(&self, key: &XOnlyPublicKey) -> Vec<u8> {
        key.as_bytes().to_vec()
    }
}

/// Miniscript, as text and as script.
pub fn fuzz_miniscript(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    for context in [MiniscriptContext::P2wsh, MiniscriptContext::Tapscript] {
        if let Some(script) = Miniscript::parse(&text, context, &mut AnyKey) {
            let root = script.root();
            let _ = (script.is_sane(), root.max_ops(), root.max_exec_stack_size(), root.max_witness_size());
            let printed = script.to_text(|key| Some(String::from_utf8_lossy(key).into_owned()));
            assert!(printed.is_some());
        }
        if let Some(script) = Miniscript::from_script(data, context, &mut AnyKey) {
            assert!(script.root().is_valid_top_level(context));
        }
    }
}
