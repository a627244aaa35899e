//! Encodings against values that the reference's own code wrote.
#![allow(clippy::unwrap_used)]

use grs_blockstore::{
    BlockFileInfo, BlockStatus, BlockTreeDb, BlockUndo, Coin, DiskBlockIndex, TxUndo, block_key,
    compress_amount, decompress_amount, file_key, flag_key, read_script, write_script, write_txout,
};
use grs_encoding::{Decode, Reader, decode_exact, encode_to_vec};
use grs_hashes::purpose::undo_checksum;
use grs_leveldb::{MemStore, Store, WriteOptions};
use grs_primitives::{Amount, Header, Script, TxOut};
use grs_testkit::{hex, hex_bytes, json_lines, report, run_fuzz, text};
use serde_json::Value;

fn number(value: &Value, field: &str) -> u32 {
    value[field].as_u64().unwrap() as u32
}

fn coin(value: &Value) -> Coin {
    let out = TxOut::new(Amount(value["value"].as_i64().unwrap()), Script::from(hex(value, "script")));
    Coin::new(out, number(value, "height"), value["coinbase"].as_bool().unwrap())
}

#[test]
fn compressed_scripts_coins_undo_vectors() {
    let Some(lines) = json_lines("oracle/compressed_scripts_coins_undo.jsonl.gz") else { return };
    let mut cases = 0;
    for line in &lines {
        match text(line, "kind") {
            "script" => {
                let script = hex(line, "script");
                let mut out = Vec::new();
                write_script(&mut out, &script);
                assert_eq!(out, hex(line, "hex"));
                let back = read_script(&mut Reader::new(&out)).unwrap();
                assert_eq!(back.as_bytes() == script, line["roundtrip"].as_bool().unwrap());
            }
            "script_decode" => {
                let (data, result) = (hex(line, "hex"), &line["result"]);
                let mut reader = Reader::new(&data);
                let script = read_script(&mut reader);
                assert_eq!(script.is_ok(), result["ok"].as_bool().unwrap(), "{line}");
                if let Ok(script) = script {
                    assert_eq!(script.to_hex(), text(&result["value"], "script"));
                    assert_eq!(reader.remaining() as u64, result["value"]["left"].as_u64().unwrap());
                }
            }
            "coin" => {
                let coin = coin(&line["coin"]);
                assert_eq!(encode_to_vec(&coin), hex(line, "hex"));
                assert_eq!(decode_exact::<Coin>(&hex(line, "hex")).unwrap(), coin);
                let mut out = Vec::new();
                write_txout(&mut out, coin.out.value, &coin.out.script_pubkey);
                assert_eq!(out, hex(line, "txout_compressed"));
                assert_eq!(encode_to_vec(&coin.out), hex(line, "txout"));
            }
            "block_undo" => {
                let txs = line["txs"].as_array().unwrap().iter();
                let txs = txs.map(|tx| TxUndo { spent: tx.as_array().unwrap().iter().map(coin).collect() });
                let undo = BlockUndo { txs: txs.collect() };
                let data = hex(line, "hex");
                assert_eq!(encode_to_vec(&undo), data);
                assert_eq!(decode_exact::<BlockUndo>(&data).unwrap(), undo);
                let prev = text(line, "prev_block_hash").parse().unwrap();
                assert_eq!(undo_checksum(&prev, &data).to_vec(), hex(line, "checksum"));
            }
            other => panic!("unknown kind {other}"),
        }
        cases += 1;
    }
    report("compressed_scripts_coins_undo", cases);
}

#[test]
fn amount_compression_vectors() {
    let Some(lines) = json_lines("oracle/integers.jsonl") else { return };
    let mut cases = 0;
    for line in lines.iter().filter(|line| line["kind"] == "compress_amount") {
        let (value, compressed) = (line["value"].as_u64().unwrap(), line["compressed"].as_u64().unwrap());
        assert_eq!(compress_amount(value), compressed);
        assert_eq!(decompress_amount(compressed), value);
        cases += 1;
    }
    report("compress_amount", cases);
}

#[test]
fn database_records_vectors() {
    let Some(lines) = json_lines("oracle/databases.jsonl.gz") else { return };
    let mut cases = 0;
    for line in &lines {
        match text(line, "kind") {
            "coin_record" => {
                let coin = coin(&line["coin"]);
                assert_eq!(encode_to_vec(&coin), hex(line, "value_plain"));
                assert_eq!(decode_exact::<Coin>(&hex(line, "value_plain")).unwrap(), coin);
            }
            "block_index_record" => {
                let header = Header {
                    version: line["version"].as_i64().unwrap() as i32,
                    prev: text(line, "prev").parse().unwrap(),
                    merkle_root: {
                        let bytes = hex(line, "merkle_root");
                        let plain = grs_hashes::MerkleRoot::from_slice(&bytes).unwrap();
                        let shown: grs_hashes::MerkleRoot = text(line, "merkle_root").parse().unwrap();
                        // The record tells which of both orders the file uses.
                        let value = hex(line, "value");
                        if value.windows(32).any(|w| w == plain.as_bytes()) { plain } else { shown }
                    },
                    time: number(line, "time"),
                    bits: grs_uint::CompactTarget(number(line, "bits")),
                    nonce: number(line, "nonce"),
                };
                let status = BlockStatus(number(line, "status"));
                let stored = |there: bool, field| if there { number(line, field) } else { 0 };
                let entry = DiskBlockIndex {
                    height: number(line, "height"),
                    status,
                    tx_count: number(line, "n_tx"),
                    file: stored(status.have_data() || status.have_undo(), "file"),
                    data_pos: stored(status.have_data(), "data_pos"),
                    undo_pos: stored(status.have_undo(), "undo_pos"),
                    header,
                };
                let key = block_key(&text(line, "hash").parse().unwrap());
                assert_eq!(key.to_vec(), hex(line, "key"));
                assert_eq!(encode_to_vec(&entry), hex(line, "value"));
                assert_eq!(decode_exact::<DiskBlockIndex>(&hex(line, "value")).unwrap(), entry);
            }
            "file_info_record" => {
                let info = BlockFileInfo {
                    blocks: number(line, "blocks"),
                    size: number(line, "size"),
                    undo_size: number(line, "undo_size"),
                    height_first: number(line, "height_first"),
                    height_last: number(line, "height_last"),
                    time_first: line["time_first"].as_u64().unwrap(),
                    time_last: line["time_last"].as_u64().unwrap(),
                };
                assert_eq!(file_key(number(line, "file")).to_vec(), hex(line, "key"));
                assert_eq!(encode_to_vec(&info), hex(line, "value"));
                assert_eq!(decode_exact::<BlockFileInfo>(&hex(line, "value")).unwrap(), info);
            }
            "block_index_meta" => check_meta(line),
            _ => continue,
        }
        cases += 1;
    }
    report("database records", cases);
}

fn check_meta(line: &Value) {
    let store = std::sync::Arc::new(MemStore::new());
    for record in line["records"].as_array().unwrap() {
        store.put(&hex(record, "key"), &hex(record, "value"), WriteOptions::default()).unwrap();
    }
    let db = BlockTreeDb::new(store.clone());
    assert_eq!(db.read_flag("txindex").unwrap(), Some(false));
    assert_eq!(db.read_flag("prunedblockfiles").unwrap(), Some(true));
    assert_eq!(db.read_flag("other").unwrap(), None);
    assert_eq!(flag_key("txindex"), hex_bytes("46077478696e646578"));
    assert!(db.read_reindexing().unwrap());
    assert_eq!(db.read_last_file().unwrap(), Some(29));
    let before = store.get(b"R").unwrap();
    db.write_reindexing(false).unwrap();
    assert!(!db.read_reindexing().unwrap());
    db.write_reindexing(true).unwrap();
    assert_eq!(store.get(b"R").unwrap(), before);
}

#[test]
fn fuzz_targets_run() {
    let coin = Coin::new(TxOut::new(Amount(5_000_000_000), Script::from(vec![0x51; 40])), 7, true);
    let undo = BlockUndo { txs: vec![TxUndo { spent: vec![coin.clone(), coin.clone()] }] };
    let entry =
        DiskBlockIndex { status: BlockStatus(29), tx_count: 3, file: 1, data_pos: 8, ..Default::default() };
    let info = BlockFileInfo { blocks: 2, size: 600, time_last: 9, ..Default::default() };
    run_fuzz(grs_blockstore::fuzz::fuzz_coin, &[encode_to_vec(&coin)], 4000);
    run_fuzz(grs_blockstore::fuzz::fuzz_block_undo, &[encode_to_vec(&undo)], 4000);
    run_fuzz(
        grs_blockstore::fuzz::fuzz_disk_block_index,
        &[encode_to_vec(&entry), encode_to_vec(&info)],
        4000,
    );
    let mut script = Vec::new();
    write_script(&mut script, &[0x51; 30]);
    run_fuzz(grs_blockstore::fuzz::fuzz_compressed_script, &[script, vec![4; 33]], 4000);
    assert!(BlockUndo::decode(&mut Reader::new(&[0xfd])).is_err());
}
