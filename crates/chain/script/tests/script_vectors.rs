//! Verdicts of the reference's interpreter. See `oracle/README.md` in the vector folder.

#![allow(clippy::unwrap_used, reason = "tests")]

use grs_encoding::decode_exact;
use grs_primitives::{Amount, MutableTransaction, OutPoint, Script, TxIn, TxOut, Witness};
use grs_script::{
    PrecomputedTxData, ScriptError, ScriptFlags, TransactionChecker, legacy_sig_op_count, parse_script,
    transaction_sig_op_cost, verify_script,
};
use grs_testkit::{hex, hex_bytes, json_lines, report, text};
use serde_json::Value;

fn name(result: Result<(), ScriptError>) -> &'static str {
    result.map_or_else(ScriptError::name, |()| "OK")
}

fn flags(names: &str) -> ScriptFlags {
    match names {
        "MANDATORY" => ScriptFlags::MANDATORY,
        "STANDARD" => ScriptFlags::STANDARD,
        _ => ScriptFlags::from_names(names).expect("known flags"),
    }
}

fn bytes_list(value: &Value) -> Vec<Vec<u8>> {
    let Some(items) = value.as_array() else { return Vec::new() };
    items.iter().map(|i| hex_bytes(i.as_str().unwrap())).collect()
}

fn verify(tx: &MutableTransaction, input: usize, spent: &[TxOut], flags: ScriptFlags) -> &'static str {
    let data = PrecomputedTxData::new(tx, spent.to_vec(), false);
    let mut checker = TransactionChecker::new(tx, input, spent[input].value, Some(&data));
    let (i, o) = (&tx.inputs[input], &spent[input]);
    name(verify_script(&i.script_sig, &o.script_pubkey, &i.witness, flags, &mut checker))
}

#[test]
fn script_fuzz_vectors() {
    let Some(lines) = json_lines("oracle/script_fuzz.jsonl.gz") else { return };
    for case in &lines {
        let number = |field: &str, default: u64| case.get(field).map_or(default, |v| v.as_u64().unwrap());
        let bytes = |field: &str| case.get(field).map_or(Vec::new(), |v| hex_bytes(v.as_str().unwrap()));
        let amount = Amount(case.get("a").map_or(0, |v| v.as_i64().unwrap()));
        let mut input = TxIn::new(
            OutPoint::new(grs_hashes::Txid::from_bytes([0x11; 32]), 0),
            number("q", u64::from(u32::MAX)) as u32,
        );
        input.script_sig = Script::from(bytes("s"));
        input.witness = Witness(case.get("w").map_or(Vec::new(), bytes_list));
        let tx = MutableTransaction {
            version: number("v", 1) as u32,
            inputs: vec![input],
            outputs: vec![TxOut::new(amount, Script::new())],
            lock_time: number("l", 0) as u32,
        };
        let spent = [TxOut::new(amount, Script::from(bytes("p")))];
        let got = verify(&tx, 0, &spent, ScriptFlags::from_bits(number("f", 0)));
        assert_eq!(got, text(case, "r"), "{case}");
    }
    report("oracle/script_fuzz", lines.len());
}

#[test]
fn script_tests_vectors() {
    let Some(lines) = json_lines("oracle/script_tests.jsonl.gz") else { return };
    for case in &lines {
        let tx: MutableTransaction = decode_exact(&hex(case, "spend_tx")).unwrap();
        let amount = Amount(case["amount"].as_i64().unwrap());
        let spent = [TxOut::new(amount, Script::from(hex(case, "scriptPubKey")))];
        // Placeholders of Taproot cases are no script text.
        if !text(case, "asm_sig").contains('#') && !text(case, "asm_spk").contains('#') {
            let parsed = parse_script(text(case, "asm_spk")).unwrap();
            assert_eq!(parsed, spent[0].script_pubkey, "{case}");
            let parsed = parse_script(text(case, "asm_sig")).unwrap();
            assert_eq!(parsed.into_bytes(), hex(case, "scriptSig"), "{case}");
        }
        assert_eq!(*tx.inputs[0].script_sig, *hex(case, "scriptSig"));
        assert_eq!(tx.inputs[0].witness.0, bytes_list(&case["witness"]));
        assert_eq!(verify(&tx, 0, &spent, flags(text(case, "flags"))), text(case, "result"), "{case}");
        for (names, wanted) in case["other_flags"].as_object().unwrap() {
            assert_eq!(verify(&tx, 0, &spent, flags(names)), wanted.as_str().unwrap(), "{names} {case}");
        }
    }
    report("oracle/script_tests", lines.len());
}

fn prevouts(case: &Value) -> Vec<TxOut> {
    let list = case["prevouts"].as_array().unwrap();
    list.iter()
        .map(|p| TxOut::new(Amount(p[3].as_i64().unwrap()), hex_bytes(p[2].as_str().unwrap()).into()))
        .collect()
}

fn check_results(case: &Value, tx: &MutableTransaction, spent: &[TxOut], set: ScriptFlags, wanted: &Value) {
    for (i, wanted) in wanted.as_array().unwrap().iter().enumerate() {
        assert_eq!(verify(tx, i, spent, set), wanted.as_str().unwrap(), "input {i}, {set:?}, {case}");
    }
}

fn check_sigops(case: &Value, tx: &MutableTransaction, spent: &[TxOut]) {
    let Some(wanted) = case.get("sigops") else { return };
    let number = |field: &str| wanted[field].as_u64().unwrap() as u32;
    assert_eq!(legacy_sig_op_count(tx), number("legacy"), "{case}");
    for (field, set) in [
        ("cost_NONE", ScriptFlags::NONE),
        ("cost_P2SH", ScriptFlags::P2SH),
        ("cost_MANDATORY", ScriptFlags::MANDATORY),
    ] {
        assert_eq!(transaction_sig_op_cost(tx, |i| &spent[i], set), number(field), "{field} {case}");
    }
}

#[test]
fn tx_signed_vectors() {
    let Some(lines) = json_lines("oracle/tx_signed.jsonl.gz") else { return };
    let mut inputs = 0;
    for case in &lines {
        let tx: MutableTransaction = decode_exact(&hex(case, "tx")).unwrap();
        let spent = prevouts(case);
        for (names, wanted) in case["results"].as_object().into_iter().flatten() {
            check_results(case, &tx, &spent, flags(names), wanted);
        }
        if let Some(wanted) = case.get("random_result") {
            check_results(case, &tx, &spent, flags(text(case, "random_flags")), wanted);
        }
        check_sigops(case, &tx, &spent);
        inputs += tx.inputs.len();
    }
    report("oracle/tx_signed", lines.len());
    println!("{inputs} inputs");
}

#[test]
fn tx_valid_invalid_vectors() {
    let Some(lines) = json_lines("oracle/tx_valid_invalid.jsonl.gz") else { return };
    let mut ran = 0;
    for case in lines.iter().filter(|c| c.get("result").is_some()) {
        let tx: MutableTransaction = decode_exact(&hex(case, "tx")).unwrap();
        let spent = prevouts(case);
        check_results(case, &tx, &spent, flags(text(case, "flags")), &case["result"]);
        for (names, wanted) in case["other_flags"].as_object().unwrap() {
            check_results(case, &tx, &spent, flags(names), wanted);
        }
        check_sigops(case, &tx, &spent);
        ran += 1;
    }
    report("oracle/tx_valid_invalid", ran);
}
