//! Descriptors against what the reference's code says about them.

#![allow(clippy::unwrap_used)]

use grs_descriptor::{
    Descriptor, DescriptorCache, FlatSigningProvider, decode_destination, descriptor_checksum,
    encode_destination, extract_destination, infer_descriptor,
};
use grs_params::Network;
use grs_primitives::Script;
use grs_testkit::{json_file, json_lines, report, text};
use serde_json::{Value, json};

fn hexes(scripts: &[Script]) -> Value {
    json!(scripts.iter().map(Script::to_hex).collect::<Vec<_>>())
}

#[test]
fn oracle_descriptor_vectors() {
    let Some(rows) = json_lines("oracle/descriptors.jsonl.gz") else { return };
    for row in &rows {
        let net = Network::from_name(text(row, "net")).unwrap();
        let input = text(row, "descriptor");
        assert_eq!(descriptor_checksum(input).unwrap_or_default(), text(row, "checksum"), "{input}");
        let mut keys = FlatSigningProvider::new();
        match Descriptor::parse(input, net, &mut keys, row["require_checksum"].as_bool().unwrap()) {
            Ok(parsed) => {
                assert_eq!(row["valid"], true, "{input}: expected {}", row["error"]);
                let wanted = row["parsed"].as_array().unwrap();
                assert_eq!(parsed.len(), wanted.len(), "{input}");
                for (descriptor, wanted) in parsed.iter().zip(wanted) {
                    check(descriptor, wanted, &keys, net);
                }
            }
            Err(e) => {
                assert_eq!(row["valid"], false, "{input}: {e}");
                assert_eq!(e.to_string(), text(row, "error"), "{input}");
            }
        }
    }
    report("oracle/descriptors", rows.len());
}

fn check(descriptor: &Descriptor, wanted: &Value, keys: &FlatSigningProvider, net: Network) {
    let name = text(wanted, "canonical");
    assert_eq!(descriptor.to_string(), name);
    assert_eq!(descriptor.is_range(), wanted["range"], "{name}");
    assert_eq!(descriptor.is_solvable(), wanted["solvable"], "{name}");
    assert_eq!(descriptor.is_single_type(), wanted["single_type"], "{name}");
    assert_eq!(json!(descriptor.output_type().map(|t| t.name())), wanted["output_type"], "{name}");
    assert_eq!(descriptor.have_private_keys(keys), wanted["have_private"], "{name}");
    let (private, has_private) = descriptor.to_private_text(keys);
    assert_eq!(json!(has_private.then_some(private)), wanted["private_string"], "{name}");
    assert_eq!(json!(descriptor.to_normalized_text(keys, None)), wanted["normalized"], "{name}");
    assert_eq!(descriptor.id().to_string(), text(wanted, "id"), "{name}");
    assert_eq!(json!(descriptor.script_size()), wanted["script_size"], "{name}");
    let weights = [true, false].map(|max| json!(descriptor.max_satisfaction_weight(max)));
    assert_eq!(weights[0], wanted["max_sat_weight_max_sig"], "{name}");
    assert_eq!(weights[1], wanted["max_sat_weight"], "{name}");
    assert_eq!(json!(descriptor.max_satisfaction_elements()), wanted["max_sat_elems"], "{name}");
    assert_eq!(json!(descriptor.warnings()), wanted["warnings"], "{name}");
    let indexes = if descriptor.is_range() { 0..4 } else { 0..1 };
    let mut cache = DescriptorCache::new();
    let wanted_expansions = wanted["expand"].as_array();
    for index in indexes {
        let mut out = FlatSigningProvider::new();
        let expanded = descriptor.expand(index, keys, &mut out, Some(&mut cache));
        let Some(list) = wanted_expansions else {
            assert!(expanded.is_none(), "{name}");
            continue;
        };
        let wanted = &list[index as usize];
        if wanted.is_null() {
            assert!(expanded.is_none(), "{name}");
            continue;
        }
        let scripts = expanded.unwrap();
        assert_eq!(hexes(&scripts), wanted["scripts"], "{name}");
        let addresses: Vec<_> =
            scripts.iter().map(|s| encode_destination(&extract_destination(s), net)).collect();
        assert_eq!(json!(addresses), wanted["addresses"], "{name}");
        let inferred: Vec<_> = scripts.iter().map(|s| infer_descriptor(s, &out, net).to_string()).collect();
        assert_eq!(json!(inferred), wanted["inferred"], "{name}");
        let mut subs: Vec<_> = out.scripts.values().map(Script::to_hex).collect();
        subs.sort();
        let mut wanted_subs: Vec<String> = serde_json::from_value(wanted["sub_scripts"].clone()).unwrap();
        wanted_subs.sort();
        assert_eq!(subs, wanted_subs, "{name}");

        let mut cached = FlatSigningProvider::new();
        let from_cache = descriptor.expand_from_cache(index, &cache, &mut cached);
        assert_eq!(from_cache.as_deref(), Some(scripts.as_slice()), "{name}");
        assert_eq!(cached.public_keys, out.public_keys, "{name}");
        assert_eq!(cached.origins, out.origins, "{name}");
    }
    // With the cache, the normalized form needs no secret keys.
    let normalized = descriptor.to_normalized_text(&grs_descriptor::EmptySigningProvider, Some(&cache));
    if wanted_expansions.is_some() && !wanted["normalized"].is_null() {
        assert_eq!(json!(normalized), wanted["normalized"], "{name}");
    }
}

#[test]
fn regtest_descriptor_vectors() {
    let Some(file) = json_file("reference_regtest/descriptors.json") else { return };
    let cases = file["cases"].as_array().unwrap();
    for case in cases {
        let input = text(case, "input");
        let mut keys = FlatSigningProvider::new();
        let parsed = Descriptor::parse(input, Network::Regtest, &mut keys, false);
        if let Some(wanted) = case["error"].as_str() {
            assert!(wanted.ends_with(&format!("\n{}", parsed.unwrap_err())), "{input}");
            continue;
        }
        let parsed = parsed.unwrap();
        assert_eq!(descriptor_checksum(input).unwrap(), text(case, "checksum"));
        assert_eq!(parsed[0].to_string(), text(case, "descriptor"));
        assert_eq!(parsed[0].is_range(), case["isrange"]);
        assert_eq!(parsed[0].is_solvable(), case["issolvable"]);
        assert_eq!(!keys.keys.is_empty(), case["hasprivatekeys"]);
        for (i, address) in case["addresses"].as_array().into_iter().flatten().enumerate() {
            let mut out = FlatSigningProvider::new();
            let scripts = parsed[0].expand(i as u32, &keys, &mut out, None).unwrap();
            let wanted = decode_destination(address.as_str().unwrap(), Network::Regtest).unwrap();
            assert!(scripts.contains(&wanted.script()), "{input}");
        }
    }
    report("reference_regtest/descriptors", cases.len());
}
