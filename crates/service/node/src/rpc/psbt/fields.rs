//! The maps of inputs and outputs in results.

use std::collections::BTreeMap;

use grs_descriptor::{KeyOrigin, write_key_path};
use grs_encoding::hex_encode;
use grs_keys::PublicKey;
use grs_params::Network;
use grs_primitives::Script;
use grs_psbt::{Proprietary, PsbtInput, PsbtOutput};
use grs_rpc::{Res, value};
use grs_script::{script_to_asm, sighash_to_str};
use serde_json::{Map, Value, json};

use crate::rpc::script_json::{ScriptParts, output_types, script_fields, script_shape, script_to_json};
use crate::rpc::tx_json::{TxParts, tx_fields};

type Fields = Map<String, Value>;

fn hex_map<K: AsRef<[u8]>, V: AsRef<[u8]>>(map: &BTreeMap<K, V>) -> Value {
    map.iter()
        .map(|(key, value)| (hex_encode(key), Value::from(hex_encode(value))))
        .collect::<Fields>()
        .into()
}

/// Adds a list or map unless it is empty.
fn put<T>(out: &mut Fields, name: &str, from: &[T], show: impl Fn(&T) -> Value) {
    if !from.is_empty() {
        out.insert(name.to_owned(), from.iter().map(show).collect());
    }
}

fn script_parts(script: &Script, network: Network) -> Value {
    let parts = ScriptParts { hex: true, address: false };
    script_fields(script, network, parts, &grs_descriptor::EmptySigningProvider).into()
}

/// Proprietary entries.
pub(super) fn proprietary(entries: &BTreeMap<Vec<u8>, Proprietary>) -> Vec<Value> {
    let show = |(key, entry): (&Vec<u8>, &Proprietary)| {
        json!({
            "identifier": hex_encode(&entry.identifier),
            "subtype": entry.subtype,
            "key": hex_encode(key),
            "value": hex_encode(&entry.value),
        })
    };
    entries.iter().map(show).collect()
}

/// Entries nobody here understands.
pub(super) fn unknown(entries: &BTreeMap<Vec<u8>, Vec<u8>>) -> Value {
    hex_map(entries)
}

fn derivations(out: &mut Fields, paths: &BTreeMap<PublicKey, KeyOrigin>) {
    let list: Vec<_> = paths.iter().collect();
    put(out, "bip32_derivs", &list, |(key, origin)| {
        json!({
            "pubkey": hex_encode(key.as_bytes()),
            "master_fingerprint": hex_encode(origin.fingerprint),
            "path": write_key_path(&origin.path, false),
        })
    });
}

fn taproot_derivations(
    out: &mut Fields,
    paths: &BTreeMap<grs_keys::XOnlyPublicKey, (std::collections::BTreeSet<[u8; 32]>, KeyOrigin)>,
) {
    let list: Vec<_> = paths.iter().collect();
    put(out, "taproot_bip32_derivs", &list, |(key, (leaves, origin))| {
        json!({
            "pubkey": hex_encode(key.as_bytes()),
            "master_fingerprint": hex_encode(origin.fingerprint),
            "path": write_key_path(&origin.path, false),
            "leaf_hashes": leaves.iter().map(hex_encode).collect::<Vec<_>>(),
        })
    });
}

fn participants(out: &mut Fields, keys: &BTreeMap<PublicKey, Vec<PublicKey>>) {
    let list: Vec<_> = keys.iter().collect();
    put(out, "musig2_participant_pubkeys", &list, |(aggregate, keys)| {
        json!({
            "aggregate_pubkey": hex_encode(aggregate.as_bytes()),
            "participant_pubkeys": keys.iter().map(|key| hex_encode(key.as_bytes())).collect::<Vec<_>>(),
        })
    });
}

/// MuSig2 nonces or partial signatures.
fn musig2<V: AsRef<[u8]>>(
    out: &mut Fields,
    name: &str,
    what: &str,
    map: &BTreeMap<(PublicKey, [u8; 32]), BTreeMap<PublicKey, V>>,
) {
    let list: Vec<_> =
        map.iter().flat_map(|(place, values)| values.iter().map(move |(key, v)| (place, key, v))).collect();
    put(out, name, &list, |((aggregate, leaf), participant, item)| {
        let mut info = Map::new();
        info.insert("participant_pubkey".into(), hex_encode(participant.as_bytes()).into());
        info.insert("aggregate_pubkey".into(), hex_encode(aggregate.as_bytes()).into());
        if *leaf != [0; 32] {
            info.insert("leaf_hash".into(), hex_encode(leaf).into());
        }
        info.insert(what.to_owned(), hex_encode(item).into());
        info.into()
    });
}

fn rest(out: &mut Fields, own: &BTreeMap<Vec<u8>, Proprietary>, other: &BTreeMap<Vec<u8>, Vec<u8>>) {
    if !own.is_empty() {
        out.insert("proprietary".into(), proprietary(own).into());
    }
    if !other.is_empty() {
        out.insert("unknown".into(), unknown(other));
    }
}

/// The map of an input.
pub(super) fn input_fields(input: &PsbtInput, network: Network) -> Fields {
    let mut out = Map::new();
    if let Some(utxo) = &input.witness_utxo {
        let shown = json!({
            "amount": value::amount(utxo.value.0),
            "scriptPubKey": script_to_json(&utxo.script_pubkey, network),
        });
        out.insert("witness_utxo".into(), shown);
    }
    if let Some(tx) = &input.non_witness_utxo {
        let parts = TxParts { undo: None, prevouts: false, hex: false, block: None };
        out.insert("non_witness_utxo".into(), tx_fields(tx, network, parts).into());
    }
    if !input.partial_sigs.is_empty() {
        let signatures = input.partial_sigs.values();
        let shown: Fields =
            signatures.map(|(key, s)| (hex_encode(key.as_bytes()), hex_encode(s).into())).collect();
        out.insert("partial_signatures".into(), shown.into());
    }
    if let Some(sighash) = input.sighash_type {
        out.insert("sighash".into(), sighash_to_str(sighash as u8).into());
    }
    for (name, script) in [("redeem_script", &input.redeem_script), ("witness_script", &input.witness_script)]
    {
        if !script.is_empty() {
            out.insert(name.into(), script_parts(script, network));
        }
    }
    derivations(&mut out, &input.hd_keypaths);
    if !input.final_script_sig.is_empty() {
        let script = &input.final_script_sig;
        let shown = json!({ "asm": script_to_asm(script, true), "hex": script.to_hex() });
        out.insert("final_scriptSig".into(), shown);
    }
    put(&mut out, "final_scriptwitness", &input.final_script_witness.0, |item| hex_encode(item).into());
    let preimages = [
        ("ripemd160_preimages", hex_map(&input.ripemd160_preimages)),
        ("sha256_preimages", hex_map(&input.sha256_preimages)),
        ("hash160_preimages", hex_map(&input.hash160_preimages)),
        ("hash256_preimages", hex_map(&input.hash256_preimages)),
    ];
    for (name, map) in preimages {
        if map.as_object().is_some_and(|map| !map.is_empty()) {
            out.insert(name.into(), map);
        }
    }
    if !input.tap_key_sig.is_empty() {
        out.insert("taproot_key_path_sig".into(), hex_encode(&input.tap_key_sig).into());
    }
    let signatures: Vec<_> = input.tap_script_sigs.iter().collect();
    put(&mut out, "taproot_script_path_sigs", &signatures, |((key, leaf), signature)| {
        json!({
            "pubkey": hex_encode(key.as_bytes()),
            "leaf_hash": hex_encode(leaf),
            "sig": hex_encode(signature),
        })
    });
    let scripts: Vec<_> = input.tap_scripts.iter().collect();
    put(&mut out, "taproot_scripts", &scripts, |((script, version), blocks)| {
        json!({
            "script": hex_encode(script),
            "leaf_ver": version,
            "control_blocks": blocks.iter().map(|block| hex_encode(&block.0)).collect::<Vec<_>>(),
        })
    });
    taproot_derivations(&mut out, &input.tap_bip32_paths);
    if let Some(key) = &input.tap_internal_key {
        out.insert("taproot_internal_key".into(), hex_encode(key.as_bytes()).into());
    }
    if let Some(root) = &input.tap_merkle_root {
        out.insert("taproot_merkle_root".into(), hex_encode(root).into());
    }
    participants(&mut out, &input.musig2_participants);
    musig2(&mut out, "musig2_pubnonces", "pubnonce", &input.musig2_public_nonces);
    musig2(&mut out, "musig2_partial_sigs", "partial_sig", &input.musig2_partial_sigs);
    rest(&mut out, &input.proprietary, &input.unknown);
    out
}

/// The map of an output.
pub(super) fn output_fields(output: &PsbtOutput, network: Network) -> Fields {
    let mut out = Map::new();
    for (name, script) in
        [("redeem_script", &output.redeem_script), ("witness_script", &output.witness_script)]
    {
        if !script.is_empty() {
            out.insert(name.into(), script_parts(script, network));
        }
    }
    derivations(&mut out, &output.hd_keypaths);
    if let Some(key) = &output.tap_internal_key {
        out.insert("taproot_internal_key".into(), hex_encode(key.as_bytes()).into());
    }
    put(
        &mut out,
        "taproot_tree",
        &output.tap_tree,
        |leaf| json!({ "depth": leaf.depth, "leaf_ver": leaf.leaf_version, "script": hex_encode(&leaf.script) }),
    );
    taproot_derivations(&mut out, &output.tap_bip32_paths);
    participants(&mut out, &output.musig2_participants);
    rest(&mut out, &output.proprietary, &output.unknown);
    out
}

fn part_script(name: &'static str, about: &'static str) -> Res {
    let shape = [
        Res::str("asm", "The script's operations in words"),
        Res::hex("hex", "The bytes of the script"),
        Res::str("type", format!("The kind of script, one of: {}", output_types())),
    ];
    Res::obj(name, about, shape).optional()
}

fn preimages(name: &'static str) -> Res {
    Res::obj_dyn(name, "Preimages by hash", [Res::hex("hash", "The preimage")]).optional()
}

fn derivation_shape() -> Res {
    let path = Res::obj(
        "",
        "",
        [
            Res::hex("pubkey", "The public key"),
            Res::hex("master_fingerprint", "Fingerprint of the master key"),
            Res::str("path", "Steps from it"),
        ],
    );
    Res::arr("bip32_derivs", "Where keys come from", [path]).optional()
}

fn taproot_derivation_shape() -> Res {
    let path = Res::obj(
        "",
        "",
        [
            Res::hex("pubkey", "The key's x coordinate"),
            Res::hex("master_fingerprint", "Fingerprint of the master key"),
            Res::str("path", "Steps from it"),
            Res::arr("leaf_hashes", "Leaves the key is in", [Res::hex("hash", "Hash of the leaf")]),
        ],
    );
    Res::arr("taproot_bip32_derivs", "Where Taproot keys come from", [path]).optional()
}

fn participants_shape() -> Res {
    let keys = Res::obj(
        "",
        "",
        [
            Res::hex("aggregate_pubkey", "The aggregate key, as it stands in the descriptor"),
            Res::arr("participant_pubkeys", "", [Res::hex("pubkey", "Key of a participant")]),
        ],
    );
    Res::arr("musig2_participant_pubkeys", "Participants of MuSig2 keys", [keys]).optional()
}

fn musig2_shape(name: &'static str, what: &'static str) -> Res {
    let item = Res::obj(
        "",
        "",
        [
            Res::hex("participant_pubkey", "Key of the participant"),
            Res::hex("aggregate_pubkey", "The aggregate key"),
            Res::hex("leaf_hash", "Hash of the leaf, unless it is the key path").optional(),
            Res::hex(what, "What the participant gave"),
        ],
    );
    Res::arr(name, "", [item]).optional()
}

/// Shape of proprietary entries.
pub(super) fn proprietary_shape() -> Res {
    let entry = Res::obj(
        "",
        "",
        [
            Res::hex("identifier", "Whose entry it is"),
            Res::num("subtype", "Type among the owner's entries"),
            Res::hex("key", "The whole key"),
            Res::hex("value", "The value"),
        ],
    );
    Res::arr("proprietary", "Entries of particular programs", [entry])
}

/// Shape of entries nobody here understands.
pub(super) fn unknown_shape() -> Res {
    Res::obj_dyn("unknown", "Entries of other types", [Res::hex("key", "The value")])
}

/// Shape of [`input_fields`]. `tx` is that of a transaction.
pub(super) fn input_shape(tx: Vec<Res>) -> Res {
    let utxo = [Res::amount("amount", "The amount in GRS"), Res::obj("scriptPubKey", "", script_shape())];
    let signature = Res::obj(
        "",
        "",
        [Res::hex("pubkey", "The key"), Res::hex("leaf_hash", "The leaf"), Res::hex("sig", "The signature")],
    );
    let leaf = Res::obj(
        "",
        "",
        [
            Res::hex("script", "The leaf's script"),
            Res::num("leaf_ver", "Its version"),
            Res::arr("control_blocks", "", [Res::hex("control_block", "Where it is in the tree")]),
        ],
    );
    Res::obj(
        "",
        "",
        [
            Res::obj("non_witness_utxo", "The whole transaction that is spent from", tx).optional(),
            Res::obj("witness_utxo", "The spent output", utxo).optional(),
            Res::obj_dyn("partial_signatures", "Signatures by key", [Res::hex("pubkey", "The signature")])
                .optional(),
            Res::str("sighash", "The signature hash type to use").optional(),
            part_script("redeem_script", "The redeem script"),
            part_script("witness_script", "The witness script"),
            derivation_shape(),
            Res::obj(
                "final_scriptSig",
                "The final input script",
                [Res::str("asm", "Its operations in words"), Res::hex("hex", "Its bytes")],
            )
            .optional(),
            Res::arr("final_scriptwitness", "", [Res::hex("hex", "An item of the final witness")]).optional(),
            preimages("ripemd160_preimages"),
            preimages("sha256_preimages"),
            preimages("hash160_preimages"),
            preimages("hash256_preimages"),
            Res::hex("taproot_key_path_sig", "Signature for the key path").optional(),
            Res::arr("taproot_script_path_sigs", "Signatures for scripts", [signature]).optional(),
            Res::arr("taproot_scripts", "Scripts", [leaf]).optional(),
            taproot_derivation_shape(),
            Res::hex("taproot_internal_key", "The internal key").optional(),
            Res::hex("taproot_merkle_root", "Root of the scripts").optional(),
            participants_shape(),
            musig2_shape("musig2_pubnonces", "pubnonce"),
            musig2_shape("musig2_partial_sigs", "partial_sig"),
            unknown_shape().optional(),
            proprietary_shape().optional(),
        ],
    )
}

/// Shape of [`output_fields`].
pub(super) fn output_shape() -> Res {
    let leaf = Res::obj(
        "",
        "",
        [
            Res::num("depth", "Steps from the root"),
            Res::num("leaf_ver", "Version of the leaf"),
            Res::hex("script", "The script"),
        ],
    );
    Res::obj(
        "",
        "",
        [
            part_script("redeem_script", "The redeem script"),
            part_script("witness_script", "The witness script"),
            derivation_shape(),
            Res::hex("taproot_internal_key", "The internal key").optional(),
            Res::arr("taproot_tree", "The leaves, depth first", [leaf]).optional(),
            taproot_derivation_shape(),
            participants_shape(),
            unknown_shape().optional(),
            proprietary_shape().optional(),
        ],
    )
}
