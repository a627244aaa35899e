//! Transactions, blocks and Merkle trees against recorded ones.

#![allow(clippy::unwrap_used)]

use grs_encoding::{Decode, Encode, Reader, decode_exact, encode_to_vec};
use grs_hashes::MerkleRoot;
use grs_primitives::fuzz::{fuzz_block, fuzz_locator, fuzz_transaction};
use grs_primitives::*;
use grs_testkit::{hex, hex_bytes, json_file, json_lines, report, run_fuzz, text};
use serde_json::Value;

fn rows(file: &str, field: &str) -> Option<Vec<Value>> {
    Some(json_file(file)?[field].as_array().unwrap().clone())
}

fn size(value: &Value, field: &str) -> usize {
    usize::try_from(value[field].as_u64().unwrap()).unwrap()
}

/// Decodes, checks ids and sizes in every way they can be had, and encodes again.
fn transaction(row: &Value, field: &str) -> Transaction {
    let raw = hex(row, field);
    let tx: Transaction = decode_exact(&raw).unwrap_or_else(|e| panic!("{e}: {row}"));
    assert_eq!(encode_to_vec(&tx), raw);
    assert_eq!(tx.txid().to_string(), text(row, "txid"));
    if let Some(wtxid) = row["wtxid"].as_str() {
        assert_eq!(tx.wtxid().to_string(), wtxid);
    }
    if row["weight"].is_u64() {
        assert_eq!(tx.weight(), size(row, "weight"));
    }
    assert_eq!(tx.total_size(), raw.len());
    let built = Transaction::from(tx.to_mutable());
    assert_eq!((built.txid(), built.wtxid()), (tx.txid(), tx.wtxid()));
    assert_eq!((built.base_size(), built.total_size()), (tx.base_size(), tx.total_size()));
    assert_eq!((tx.data().base_size(), tx.data().total_size()), (tx.base_size(), tx.total_size()));
    let mut stripped = Vec::new();
    tx.encode_without_witness(&mut stripped);
    assert_eq!(stripped.len(), tx.base_size());
    let without = Transaction::decode_with(&mut Reader::new(&stripped), false).unwrap();
    assert_eq!(without.txid(), tx.txid());
    tx
}

#[test]
fn transaction_vectors() {
    let Some(real) = rows("real/transactions.json", "transactions") else { return };
    for row in &real {
        let tx = transaction(row, "hex");
        assert_eq!(tx.has_witness(), row["segwit"].as_bool().unwrap());
        assert_eq!(u64::from(tx.version), row["version"].as_u64().unwrap());
        for (input, expected) in tx.inputs.iter().zip(row["vin"].as_array().unwrap()) {
            assert_eq!(input.prevout.txid.to_string(), text(expected, "prev_txid"));
            assert_eq!(u64::from(input.prevout.vout), expected["prev_vout"].as_u64().unwrap());
            assert_eq!(input.script_sig.to_hex(), text(expected, "script_sig"));
            assert_eq!(input.witness.len(), expected["witness"].as_array().unwrap().len());
        }
        for (output, expected) in tx.outputs.iter().zip(row["vout"].as_array().unwrap()) {
            assert_eq!(output.value.to_gro(), expected["value_gro"].as_i64().unwrap());
            assert_eq!(output.script_pubkey.to_hex(), text(expected, "script_pubkey"));
        }
    }
    report("real/transactions", real.len());
    let Some(forks) = rows("real/transactions_fork_fixtures.json", "transactions") else { return };
    forks.iter().for_each(|row| drop(transaction(row, "hex")));
    report("real/transactions_fork_fixtures", forks.len());
    for name in ["oracle/tx_valid_invalid.jsonl.gz", "oracle/tx_signed.jsonl.gz"] {
        let Some(cases) = json_lines(name) else { return };
        cases.iter().for_each(|row| drop(transaction(row, "tx")));
        report(name, cases.len());
    }
}

#[test]
fn real_block_vectors() {
    for (name, field) in [
        ("real/mainnet_blocks_0001_0180.json", "blocks"),
        ("real/blocks.json", "blocks"),
        ("real/mainnet_fork_blocks_btcd.json", "blocks"),
        ("reference_regtest/chain.json", "blocks"),
    ] {
        let Some(blocks) = rows(name, field) else { return };
        for row in &blocks {
            let raw = hex(row, "raw");
            let before = header_hash_count();
            let block: Block = decode_exact(&raw).unwrap();
            assert!(header_hash_count() > before);
            assert_eq!(encode_to_vec(&block), raw);
            assert_eq!(block.hash().to_string(), text(row, "hash"));
            assert_eq!(block.total_size(), raw.len());
            let merkle = block_merkle_root(&block);
            assert_eq!(merkle, MerkleResult { root: block.header.merkle_root, mutated: false });
            if let Some(ids) = row["txids"].as_array() {
                let found: Vec<String> = block.txs.iter().map(|t| t.txid().to_string()).collect();
                assert!(ids.iter().map(|v| v.as_str().unwrap()).eq(found.iter().map(String::as_str)));
                assert_eq!(block.weight(), size(row, "weight"));
            }
            let again = Block::decode_known(&mut Reader::new(&raw), &block.header).unwrap();
            assert_eq!(again, block);
            let mut stripped = Vec::new();
            block.encode_without_witness(&mut stripped);
            assert_eq!(stripped.len(), block.base_size());
        }
        report(name, blocks.len());
    }
}

#[test]
fn known_header_must_be_the_one_found() {
    let Some(blocks) = rows("real/mainnet_blocks_0001_0180.json", "blocks") else { return };
    let first: Block = decode_exact(&hex(&blocks[0], "raw")).unwrap();
    let second = hex(&blocks[1], "raw");
    assert!(Block::decode_known(&mut Reader::new(&second), &first.header).is_err());
    report("real/mainnet_blocks_0001_0180: header mismatch", 1);
}

#[test]
fn oracle_block_vectors() {
    let Some(cases) = json_lines("oracle/blocks.jsonl.gz") else { return };
    for case in &cases {
        let raw = hex(case, "block");
        let block: Block = decode_exact(&raw).unwrap();
        assert_eq!(encode_to_vec(&block), raw);
        assert_eq!(block.hash().to_string(), text(case, "hash"));
        let merkle = block_merkle_root(&block);
        assert_eq!(merkle.root.as_bytes().to_vec(), hex(case, "merkle_root"));
        assert_eq!(merkle.mutated, case["merkle_mutated"].as_bool().unwrap());
        if block.txs.is_empty() {
            // The reference has no witness root without a coinbase.
            continue;
        }
        let witness_root = block_witness_merkle_root(&block);
        assert_eq!(witness_root.as_bytes().to_vec(), hex(case, "witness_merkle_root"));
        assert_eq!(block.weight(), size(case, "weight"));
        for (tx, (txid, wtxid)) in block
            .txs
            .iter()
            .zip(case["txids"].as_array().unwrap().iter().zip(case["wtxids"].as_array().unwrap()))
        {
            assert_eq!(tx.txid().to_string(), txid.as_str().unwrap());
            assert_eq!(tx.wtxid().to_string(), wtxid.as_str().unwrap());
        }
        let path = &case["merkle_path"];
        if path.is_null() {
            continue;
        }
        let position = size(path, "position");
        let leaves: Vec<[u8; 32]> = block.txs.iter().map(|t| t.txid().to_bytes()).collect();
        let found = merkle_path(leaves.clone(), position);
        let expected: Vec<Vec<u8>> =
            path["path"].as_array().unwrap().iter().map(|h| hex_bytes(h.as_str().unwrap())).collect();
        assert!(found.iter().map(|h| h.to_vec()).eq(expected));
        if let Some(leaf) = leaves.get(position) {
            assert_eq!(merkle_root_from_path(*leaf, position, &found), merkle.root);
        }
    }
    report("oracle/blocks", cases.len());
}

#[test]
fn merkle_vectors() {
    let Some(cases) = json_lines("oracle/merkle.jsonl.gz") else { return };
    for case in &cases {
        let leaves: Vec<[u8; 32]> = case["leaves"]
            .as_array()
            .unwrap()
            .iter()
            .map(|h| hex_bytes(h.as_str().unwrap()).try_into().unwrap())
            .collect();
        let found = merkle_root(leaves.clone());
        assert_eq!(found.root.as_bytes().to_vec(), hex(case, "root"));
        assert_eq!(found.mutated, case["mutated"].as_bool().unwrap());
        for position in [0, leaves.len() / 2, leaves.len().saturating_sub(1)] {
            if let Some(leaf) = leaves.get(position) {
                let path = merkle_path(leaves.clone(), position);
                let root: MerkleRoot = merkle_root_from_path(*leaf, position, &path);
                assert_eq!(root, found.root);
            }
        }
    }
    report("oracle/merkle", cases.len());
}

/// Small things to mutate: a transaction with a witness, a block, a locator.
fn corpus() -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let mut input = TxIn::new(OutPoint::NULL, SEQUENCE_FINAL);
    input.script_sig = Script::from(vec![0x51; 5]);
    input.witness = Witness(vec![vec![], vec![1, 2, 3]]);
    let tx = Transaction::from(MutableTransaction {
        version: 2,
        inputs: vec![input.clone(), input],
        outputs: vec![TxOut::new(Amount(7), Script::from(vec![0x6a, 0]))],
        lock_time: 9,
    });
    let block = Block::new(
        HashedHeader::new(Header { time: 5, ..Header::default() }),
        vec![tx.clone().into(), tx.clone().into()],
    );
    let locator = BlockLocator { hashes: vec![block.hash(); 3] };
    (encode_to_vec(&tx), encode_to_vec(&block), encode_to_vec(&locator))
}

#[test]
fn decoders_survive_mutations() {
    let (tx, block, locator) = corpus();
    run_fuzz(fuzz_transaction, &[tx, vec![1, 0, 0, 0, 0, 0, 0, 0, 0, 0]], 4000);
    run_fuzz(fuzz_block, &[block], 4000);
    run_fuzz(fuzz_locator, &[locator], 2000);
}

#[test]
fn claimed_counts_do_not_allocate() {
    // Counts of 2^25 elements behind which nothing follows: an error, and at once.
    let mut bytes = vec![2, 0, 0, 0, 0xfe, 0, 0, 0, 2];
    assert!(Transaction::decode(&mut Reader::new(&bytes)).is_err());
    bytes = vec![0; 80];
    bytes.extend([0xfe, 0, 0, 0, 2]);
    assert!(Block::decode(&mut Reader::new(&bytes)).is_err());
    let mut witness = Vec::new();
    0xfe_u8.encode(&mut witness);
    0x0200_0000_u32.encode(&mut witness);
    assert!(Witness::decode(&mut Reader::new(&witness)).is_err());
}
