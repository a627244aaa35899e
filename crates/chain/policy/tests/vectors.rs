//! Policy verdicts of the reference on signed transactions and their mutations.

use grs_encoding::decode_exact;
use grs_policy::{
    DEFAULT_BYTES_PER_SIGOP, DUST_RELAY_TX_FEE, FeeRate, StandardOptions, are_inputs_standard,
    check_standard_tx, dust_outputs, is_witness_standard, spends_non_anchor_witness_program, virtual_size,
};
use grs_primitives::{Amount, Script, Transaction, TxOut};
use grs_script::{ScriptFlags, transaction_sig_op_cost};
use grs_testkit::{hex, hex_bytes, json_lines, report, text};

#[test]
fn vectors_tx_signed_policy() {
    let name = "oracle/tx_signed.jsonl.gz";
    let Some(lines) = json_lines(name) else { return };
    let mut cases = 0;
    for line in &lines {
        let policy = &line["policy"];
        if policy.is_null() {
            continue;
        }
        let tx: Transaction = decode_exact(&hex(line, "tx")).unwrap();
        let spent: Vec<TxOut> = line["prevouts"]
            .as_array()
            .unwrap()
            .iter()
            .map(|p| {
                let script = Script::from(hex_bytes(p[2].as_str().unwrap()));
                TxOut::new(Amount(p[3].as_i64().unwrap()), script)
            })
            .collect();
        let id = &line["id"];
        let standard =
            check_standard_tx(&tx, &StandardOptions::default()).map_or_else(|e| e.reason(), |()| "OK");
        assert_eq!(standard, text(policy, "is_standard_tx"), "case {id}");
        assert_eq!(
            are_inputs_standard(&tx, &spent),
            policy["are_inputs_standard"].as_bool().unwrap(),
            "case {id}"
        );
        assert_eq!(
            is_witness_standard(&tx, &spent),
            policy["is_witness_standard"].as_bool().unwrap(),
            "case {id}"
        );
        assert_eq!(
            spends_non_anchor_witness_program(&tx, &spent),
            policy["spends_non_anchor_witness"].as_bool().unwrap(),
            "case {id}"
        );
        let cost = transaction_sig_op_cost(&tx, |i| &spent[i], ScriptFlags::STANDARD);
        assert_eq!(
            virtual_size(tx.weight(), cost, DEFAULT_BYTES_PER_SIGOP),
            policy["vsize_sigop_adjusted"].as_i64().unwrap(),
            "case {id}"
        );
        let dust: Vec<u64> =
            dust_outputs(&tx, FeeRate::per_kvb(DUST_RELAY_TX_FEE)).into_iter().map(u64::from).collect();
        let expected: Vec<u64> =
            policy["dust_outputs"].as_array().unwrap().iter().map(|v| v.as_u64().unwrap()).collect();
        assert_eq!(dust, expected, "case {id}");
        cases += 1;
    }
    report(name, cases);
}
