//! Signature hashes that the reference computed.

#![allow(clippy::unwrap_used, reason = "tests")]

use grs_encoding::{decode_exact, hex_encode};
use grs_keys::{SecretKey, TapTweak, XOnlyPublicKey};
use grs_primitives::{Amount, MutableTransaction, TxOut};
use grs_script::sighash::annex_hash;
use grs_script::{
    PrecomputedTxData, ScriptExecutionData, SigHashCache, SigVersion, script_for_taproot, signature_hash,
    tapbranch_hash, tapleaf_hash, taproot_merkle_root, taproot_signature_hash,
};
use grs_testkit::{hex, hex_bytes, json_file, json_lines, report, text};
use serde_json::Value;

fn transaction(case: &Value, field: &str) -> MutableTransaction {
    decode_exact(&hex(case, field)).unwrap()
}

/// The digest without and with precomputed data, and from a filled cache.
fn digest(
    code: &[u8],
    tx: &MutableTransaction,
    input: usize,
    hash_type: i32,
    amount: i64,
    v: SigVersion,
) -> String {
    let data = PrecomputedTxData::new(tx, Vec::new(), true);
    let mut cache = SigHashCache::new();
    let mut run = |data: Option<&PrecomputedTxData>| {
        signature_hash(code, tx, input, hash_type, Amount(amount), v, data, Some(&mut cache))
    };
    let first = run(None);
    assert_eq!(run(None), first, "cached");
    let plain = signature_hash(code, tx, input, hash_type, Amount(amount), v, Some(&data), None);
    assert_eq!(plain, first);
    hex_encode(first.as_bytes())
}

#[test]
fn sighash_legacy_vectors() {
    let Some(lines) = json_lines("oracle/sighash_legacy.jsonl.gz") else { return };
    for case in &lines {
        let input = case["in"].as_u64().unwrap() as usize;
        let hash_type = case["hash_type"].as_i64().unwrap() as i32;
        let got = digest(
            &hex(case, "script_code"),
            &transaction(case, "tx"),
            input,
            hash_type,
            0,
            SigVersion::Base,
        );
        assert_eq!(got, text(case, "digest"), "{case}");
    }
    report("oracle/sighash_legacy", lines.len());

    let Some(file) = json_file("derived/sighash_legacy.json") else { return };
    let rows = file["rows"].as_array().unwrap();
    for row in rows {
        let field = |i: usize| row[i].as_str().unwrap();
        let tx: MutableTransaction = decode_exact(&hex_bytes(field(0))).unwrap();
        let (input, hash_type) = (row[2].as_u64().unwrap() as usize, row[3].as_i64().unwrap() as i32);
        let got = signature_hash(
            &hex_bytes(field(1)),
            &tx,
            input,
            hash_type,
            Amount(0),
            SigVersion::Base,
            None,
            None,
        );
        assert_eq!(got.to_string(), field(4));
    }
    report("derived/sighash_legacy", rows.len());
}

#[test]
fn sighash_bip143_vectors() {
    let Some(lines) = json_lines("oracle/sighash_bip143.jsonl.gz") else { return };
    for case in &lines {
        let input = case["in"].as_u64().unwrap() as usize;
        let hash_type = case["hash_type"].as_i64().unwrap() as i32;
        let (code, amount) = (hex(case, "script_code"), case["amount"].as_i64().unwrap());
        let got = digest(&code, &transaction(case, "tx"), input, hash_type, amount, SigVersion::WitnessV0);
        assert_eq!(got, text(case, "digest"), "{case}");
    }
    report("oracle/sighash_bip143", lines.len());
}

#[test]
fn sighash_taproot_vectors() {
    let Some(lines) = json_lines("oracle/sighash_taproot.jsonl.gz") else { return };
    for case in &lines {
        let tx = transaction(case, "tx");
        let spent: Vec<TxOut> = case["spent"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| TxOut::new(Amount(s[0].as_i64().unwrap()), hex_bytes(s[1].as_str().unwrap()).into()))
            .collect();
        let mut exec = ScriptExecutionData {
            annex_hash: case["annex"].as_str().map(|a| annex_hash(&hex_bytes(a))),
            ..ScriptExecutionData::default()
        };
        let leaf = &case["leaf"];
        let version = if leaf.is_null() {
            SigVersion::Taproot
        } else {
            exec.tapleaf_hash = tapleaf_hash(leaf["version"].as_u64().unwrap() as u8, &hex(leaf, "script"));
            assert_eq!(hex_encode(exec.tapleaf_hash), text(leaf, "leaf_hash"));
            exec.code_separator_pos = leaf["codesep_pos"].as_u64().unwrap() as u32;
            SigVersion::Tapscript
        };
        let data = PrecomputedTxData::new(&tx, spent, true);
        let (input, hash_type) = (case["in"].as_u64().unwrap() as usize, case["hash_type"].as_u64().unwrap());
        let got = taproot_signature_hash(&mut exec, &tx, input, hash_type as u8, version, &data);
        assert_eq!(got.map(|h| hex_encode(h.as_bytes())).as_deref(), case["digest"].as_str(), "{case}");
        let unknown = PrecomputedTxData::new(&tx, Vec::new(), true);
        assert_eq!(taproot_signature_hash(&mut exec, &tx, input, hash_type as u8, version, &unknown), None);
    }
    report("oracle/sighash_taproot", lines.len());
}

/// Hash of a script tree, and each leaf's path from the leaf up, in the order of the leaves.
fn tree(node: &Value) -> ([u8; 32], Vec<([u8; 32], u8, Vec<u8>)>) {
    if let Some(children) = node.as_array() {
        let ((left, left_leaves), (right, right_leaves)) = (tree(&children[0]), tree(&children[1]));
        let extend = |leaves: Vec<([u8; 32], u8, Vec<u8>)>, sibling: [u8; 32]| {
            leaves.into_iter().map(move |(h, v, mut path)| {
                path.extend_from_slice(&sibling);
                (h, v, path)
            })
        };
        let leaves = extend(left_leaves, right).chain(extend(right_leaves, left)).collect();
        return (tapbranch_hash(&left, &right), leaves);
    }
    let version = node["leafVersion"].as_u64().unwrap() as u8;
    let hash = tapleaf_hash(version, &hex(node, "script"));
    (hash, vec![(hash, version, Vec::new())])
}

fn key(text: &str) -> XOnlyPublicKey {
    XOnlyPublicKey::from_slice(&hex_bytes(text)).unwrap()
}

#[test]
fn bip341_wallet_vectors() {
    let Some(file) = json_file("derived/bip341_wallet_vectors.json") else { return };
    let outputs = file["scriptPubKey"].as_array().unwrap();
    for case in outputs {
        let internal = key(text(&case["given"], "internalPubkey"));
        let script_tree = &case["given"]["scriptTree"];
        let (root, leaves) = if script_tree.is_null() {
            (None, Vec::new())
        } else {
            (Some(tree(script_tree).0), tree(script_tree).1)
        };
        let middle = &case["intermediary"];
        assert_eq!(root.map(hex_encode).as_deref(), middle["merkleRoot"].as_str());
        assert_eq!(hex_encode(internal.tap_tweak_hash(root.as_ref())), text(middle, "tweak"));
        let (output_key, odd) = internal.tap_tweak(root.as_ref()).unwrap();
        assert_eq!(output_key.to_string(), text(middle, "tweakedPubkey"));
        assert_eq!(script_for_taproot(&output_key).to_hex(), text(&case["expected"], "scriptPubKey"));
        let blocks = case["expected"]["scriptPathControlBlocks"].as_array();
        for ((leaf, version, path), block) in leaves.iter().zip(blocks.into_iter().flatten()) {
            let control = [&[version | u8::from(odd)][..], internal.as_bytes(), path].concat();
            assert_eq!(hex_encode(&control), block.as_str().unwrap());
            assert_eq!(taproot_merkle_root(&control, leaf), root.unwrap());
            assert!(output_key.check_tap_tweak(&internal, &root.unwrap(), odd));
            assert!(!output_key.check_tap_tweak(&internal, &root.unwrap(), !odd));
        }
    }
    let mut signatures = 0;
    for case in file["keyPathSpending"].as_array().unwrap() {
        let tx = transaction(&case["given"], "rawUnsignedTx");
        let spent: Vec<TxOut> = case["given"]["utxosSpent"]
            .as_array()
            .unwrap()
            .iter()
            .map(|s| TxOut::new(Amount(s["amountSats"].as_i64().unwrap()), hex(s, "scriptPubKey").into()))
            .collect();
        let data = PrecomputedTxData::new(&tx, spent.clone(), true);
        for input in
            case["intermediary"].get("inputSpending").unwrap_or(&case["inputSpending"]).as_array().unwrap()
        {
            let given = &input["given"];
            let n = given["txinIndex"].as_u64().unwrap() as usize;
            let hash_type = given["hashType"].as_u64().unwrap() as u8;
            let exec = &mut ScriptExecutionData::default();
            let hash = taproot_signature_hash(exec, &tx, n, hash_type, SigVersion::Taproot, &data).unwrap();
            assert_eq!(hex_encode(hash.as_bytes()), text(&input["intermediary"], "sigHash"));
            let secret = SecretKey::from_slice(&hex(given, "internalPrivkey"), true).unwrap();
            assert_eq!(
                secret.public_key().x_only().to_string(),
                text(&input["intermediary"], "internalPubkey")
            );
            let root: Option<[u8; 32]> =
                given["merkleRoot"].as_str().map(|r| hex_bytes(r).try_into().unwrap());
            let tweak = root.as_ref().map_or(TapTweak::KeyOnly, TapTweak::MerkleRoot);
            let mut signature = secret.sign_schnorr(hash.as_bytes(), tweak, &[0; 32]).unwrap().to_vec();
            if hash_type != 0 {
                signature.push(hash_type);
            }
            let wanted = input["expected"]["witness"][0].as_str().unwrap();
            assert_eq!(hex_encode(&signature), wanted);
            signatures += 1;
        }
    }
    report("derived/bip341_wallet_vectors", outputs.len() + signatures);
    assert!(signatures > 0);
}
