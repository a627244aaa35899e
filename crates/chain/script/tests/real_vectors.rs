//! Inputs of real transactions and of the reference's own regtest transactions.

#![allow(clippy::unwrap_used, reason = "tests")]

use std::collections::HashMap;
use std::sync::Arc;

use grs_encoding::{Reader, decode_exact};
use grs_keys::{SecretKey, TapTweak};
use grs_primitives::{Amount, Block, COIN, OutPoint, Script, Transaction, TxOut, TxRef};
use grs_script::{
    PrecomputedTxData, ScriptCheck, ScriptError, ScriptExecutionData, ScriptExt, ScriptFlags, SigVersion,
    SignatureCache, SignatureChecker, ValidationCache, script_to_asm, signature_hash, solver,
    taproot_signature_hash, verify_script,
};
use grs_testkit::{hex, hex_bytes, json_file, json_lines, report, text};
use serde_json::Value;

/// Verifies through a cache twice, then with a changed output and a changed locking script. Mandatory flags only:
/// old blocks have signatures with high S.
fn verify(tx: &Transaction, input: usize, spent: Vec<TxOut>) {
    let cache = Arc::new(SignatureCache::new(1 << 16, [5; 32]));
    let tx: TxRef = Arc::new(tx.clone());
    let check = |tx: &TxRef, spent: &[TxOut]| {
        let data = Arc::new(PrecomputedTxData::new(tx, spent.to_vec(), false));
        ScriptCheck::new(tx.clone(), input, ScriptFlags::MANDATORY, data, Some(cache.clone()), true)
    };
    assert_eq!(check(&tx, &spent).run(), Ok(()), "{}", check(&tx, &spent).describe());
    assert_eq!(check(&tx, &spent).run(), Ok(()), "from the cache");
    let mut changed = tx.to_mutable();
    changed.outputs[0].value.0 ^= 1;
    let changed = Arc::new(Transaction::from(changed));
    assert!(check(&changed, &spent).run().is_err(), "another output value");
    let mut wrong = spent;
    let size = wrong[input].script_pubkey.len();
    wrong[input].script_pubkey.bytes_mut()[size / 2] ^= 1;
    assert!(check(&tx, &wrong).run().is_err(), "another locking script");
}

/// Cases with a locking script that was inferred from the input; amounts do not count there.
fn inferred(tx: &Transaction, cases: &Value) -> usize {
    let cases = cases.as_array().map_or(&[][..], Vec::as_slice);
    for case in cases {
        let input = case["vin"].as_u64().unwrap() as usize;
        let script = Script::from(hex(case, "prev_script_pubkey_inferred"));
        verify(tx, input, vec![TxOut::new(Amount(0), script); tx.inputs.len()]);
    }
    cases.len()
}

#[test]
fn real_transactions_vectors() {
    let Some(file) = json_file("real/transactions.json") else { return };
    let mut ran = 0;
    for case in file["transactions"].as_array().unwrap() {
        let tx: Transaction = decode_exact(&hex(case, "hex")).unwrap();
        ran += inferred(&tx, &case["verified_p2pkh_inputs"]);
        for known in case["prevouts_verified"].as_array().into_iter().flatten() {
            let input = known["vin"].as_u64().unwrap() as usize;
            let value = Amount(known["prev_value_gro"].as_i64().unwrap());
            let spent = TxOut::new(value, hex(known, "prev_script_pubkey").into());
            assert!(known["signature_valid"].as_bool().unwrap());
            verify(&tx, input, vec![spent; tx.inputs.len()]);
            ran += 1;
        }
    }
    report("real/transactions (inputs)", ran);
}

#[test]
fn real_blocks_vectors() {
    let Some(file) = json_file("real/blocks.json") else { return };
    let mut ran = 0;
    for case in file["blocks"].as_array().unwrap() {
        let raw = hex(case, "raw");
        let block = Block::decode_with(&mut Reader::new(&raw), true).unwrap();
        for known in case["verified_p2pkh_inputs"].as_array().into_iter().flatten() {
            let tx = block.txs.iter().find(|t| t.txid().to_string() == text(known, "txid")).unwrap();
            ran += inferred(tx, &Value::Array(vec![known.clone()]));
        }
        // Transactions that spend outputs of the same block.
        let outputs: HashMap<OutPoint, &TxOut> = block
            .txs
            .iter()
            .flat_map(|t| t.outputs.iter().zip(0..).map(|(o, n)| (OutPoint::new(t.txid(), n), o)))
            .collect();
        for tx in &block.txs[1..] {
            let spent: Option<Vec<TxOut>> =
                tx.inputs.iter().map(|i| outputs.get(&i.prevout).map(|o| (*o).clone())).collect();
            if let Some(spent) = spent {
                (0..tx.inputs.len()).for_each(|i| verify(tx, i, spent.clone()));
                ran += tx.inputs.len();
            }
        }
    }
    report("real/blocks (inputs)", ran);
}

#[test]
fn reference_regtest_vectors() {
    let Some(file) = json_file("reference_regtest/transactions.json") else { return };
    let tx: Transaction = decode_exact(&hex(&file, "tx2")).unwrap();
    let spent: Vec<TxOut> = file["prevouts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| {
            let coins = p["amount"].as_f64().unwrap();
            TxOut::new(Amount((coins * COIN as f64) as i64), hex(p, "scriptPubKey").into())
        })
        .collect();
    let data = Arc::new(PrecomputedTxData::new(&tx, spent.clone(), false));
    let caches = ValidationCache::new(1 << 20, [[1; 32], [2; 32]]);
    let tx: TxRef = Arc::new(tx);
    // As a block connects: all inputs on other threads.
    let jobs: Vec<ScriptCheck> = (0..tx.inputs.len())
        .map(|i| {
            let cache = Some(caches.signatures.clone());
            ScriptCheck::new(tx.clone(), i, ScriptFlags::MANDATORY, data.clone(), cache, false)
        })
        .collect();
    std::thread::scope(|s| {
        let threads: Vec<_> = jobs.iter().map(|job| s.spawn(|| job.run())).collect();
        threads.into_iter().for_each(|t| assert_eq!(t.join().unwrap(), Ok(())));
    });
    let mut changed = tx.to_mutable();
    changed.inputs[7].script_sig = Script::from(hex_bytes("0100"));
    let changed = Arc::new(Transaction::from(changed));
    let job = ScriptCheck::new(changed, 7, ScriptFlags::MANDATORY, data, None, false);
    assert_eq!(job.run(), Err(ScriptError::EvalFalse), "a wrong preimage of OP_HASH256");
    report("reference_regtest/transactions (inputs)", jobs.len());
}

#[test]
fn output_type_vectors() {
    let Some(lines) = json_lines("oracle/addresses.jsonl") else { return };
    let mut ran = 0;
    for case in lines.iter().filter(|c| c["kind"] == "encode") {
        let script = hex(case, "script");
        assert_eq!(solver(&script).kind().name(), text(case, "type"), "{case}");
        ran += 1;
    }
    report("oracle/addresses (output types)", ran);
}

/// `asm`, `type` and `hex` of every script in the reference's verbose RPC results.
#[test]
fn rpc_script_text_vectors() {
    let Some(file) = json_file("reference_regtest/rpc_results.json") else { return };
    let mut ran = 0;
    walk(&file, &mut ran);
    report("reference_regtest/rpc_results (scripts)", ran);
}

fn walk(value: &Value, ran: &mut usize) {
    if let (Some(asm), Some(hex)) = (value["asm"].as_str(), value["hex"].as_str()) {
        let script = hex_bytes(hex);
        match value["type"].as_str() {
            Some(kind) => {
                assert_eq!(solver(&script).kind().name(), kind);
                assert_eq!(script_to_asm(&script, false), asm);
            }
            None => assert_eq!(script_to_asm(&script, true), asm),
        }
        assert!(!script.is_unspendable() || script[0] == 0x6a);
        *ran += 1;
    }
    match value {
        Value::Array(items) => items.iter().for_each(|v| walk(v, ran)),
        Value::Object(fields) => fields.values().for_each(|v| walk(v, ran)),
        _ => {}
    }
}

/// The reference's signatures come out byte by byte from its keys: nonces, low R and Taproot tweaks agree.
#[test]
fn reference_signing_vectors() {
    let Some(file) = json_file("reference_regtest/transactions.json") else { return };
    let tx: Transaction = decode_exact(&hex(&file, "tx2")).unwrap();
    let keys: Vec<SecretKey> = file["private_keys_hex"]
        .as_array()
        .unwrap()
        .iter()
        .map(|k| SecretKey::from_slice(&hex_bytes(k.as_str().unwrap()), true).unwrap())
        .collect();
    let spent: Vec<TxOut> = file["prevouts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| TxOut::new(Amount(25_000 * COIN), hex(p, "scriptPubKey").into()))
        .collect();
    let data = PrecomputedTxData::new(&tx, spent.clone(), true);
    let mut checker = Recorder { keys: &keys, tx: &tx, data: &data, input: 0, matched: 0 };
    for (i, input) in tx.inputs.iter().enumerate() {
        checker.input = i;
        let script = &spent[i].script_pubkey;
        let result =
            verify_script(&input.script_sig, script, &input.witness, ScriptFlags::MANDATORY, &mut checker);
        assert_eq!(result, Ok(()));
    }
    report("reference_regtest/transactions (signatures)", checker.matched);
    assert_eq!(checker.matched, 6, "two of the eight outputs need no signature");
}

/// Accepts a signature when one of the keys makes the same bytes.
struct Recorder<'a> {
    keys: &'a [SecretKey],
    tx: &'a Transaction,
    data: &'a PrecomputedTxData,
    input: usize,
    matched: usize,
}

impl SignatureChecker for Recorder<'_> {
    fn check_ecdsa_signature(
        &mut self,
        signature: &[u8],
        key: &[u8],
        code: &[u8],
        version: SigVersion,
    ) -> bool {
        let Some(secret) = self.keys.iter().find(|k| k.public_key().as_bytes() == key) else { return false };
        let (hash_type, der) = signature.split_last().unwrap();
        let amount = Amount(25_000 * COIN);
        let hash = signature_hash(
            code,
            self.tx,
            self.input,
            i32::from(*hash_type),
            amount,
            version,
            Some(self.data),
            None,
        );
        let same = secret.sign(hash.as_bytes(), true) == der;
        self.matched += usize::from(same);
        same
    }

    fn check_schnorr_signature(
        &mut self,
        signature: &[u8],
        key: &[u8; 32],
        version: SigVersion,
        exec: &mut ScriptExecutionData,
    ) -> Result<(), ScriptError> {
        let hash = taproot_signature_hash(exec, self.tx, self.input, 0, version, self.data).unwrap();
        let made = self.keys.iter().filter_map(|k| {
            let (output_key, _) = k.public_key().x_only().tap_tweak(None)?;
            (output_key.as_bytes() == key)
                .then(|| k.sign_schnorr(hash.as_bytes(), TapTweak::KeyOnly, &[0; 32]))?
        });
        let same = made.into_iter().any(|s| s == *signature);
        self.matched += usize::from(same);
        if same { Ok(()) } else { Err(ScriptError::SchnorrSig) }
    }
}
