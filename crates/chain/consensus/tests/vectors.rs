//! Recorded blocks, headers and verdicts.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use grs_consensus::*;
use grs_encoding::{decode_exact, encode_to_vec};
use grs_params::{BuriedDeployment, ChainParams, DeploymentPos, Network, block_subsidy};
use grs_primitives::{Block, HashedHeader, Header, Transaction};
use grs_script::ScriptFlags;
use grs_testkit::{hex, json_file, json_lines, report, text};
use grs_uint::{CompactTarget, U256, block_work};
use serde_json::Value;

fn number(value: &Value, field: &str) -> i64 {
    value[field].as_i64().unwrap_or_else(|| panic!("no number {field} in {value}"))
}

fn bits(text: &str) -> CompactTarget {
    CompactTarget(u32::from_str_radix(text, 16).unwrap())
}

fn params(value: &Value) -> ChainParams {
    ChainParams::for_network(text(value, "network").parse().unwrap())
}

/// A header with only what difficulty looks at; its hash is made up to save time.
fn bare_header(time: u32, bits: CompactTarget) -> HashedHeader {
    HashedHeader::new(Header { time, bits, ..Header::default() })
}

/// The recorded number has 16 digits.
fn same_difficulty(bits: CompactTarget, value: &Value) {
    let (found, recorded) = (difficulty(bits), value["difficulty"].as_f64().unwrap());
    assert!((found / recorded - 1.0).abs() < 1e-15, "{found} {recorded}");
}

#[test]
fn next_work_vectors() {
    let Some(file) = json_file("derived/next_work.json") else { return };
    let cases = file["cases"].as_array().unwrap();
    for case in cases {
        let params = params(case);
        let history = case["history"].as_array().unwrap();
        let mut list = HeaderList::new(i32::try_from(history[0][0].as_i64().unwrap()).unwrap());
        for row in history {
            let time = u32::try_from(row[1].as_i64().unwrap()).unwrap();
            list.push(bare_header(time, bits(row[2].as_str().unwrap())));
        }
        let tip = list.tip().unwrap();
        assert_eq!(i64::from(tip.height()), history.last().unwrap()[0].as_i64().unwrap());
        let time = u32::try_from(number(case, "block_time")).unwrap();
        let found = next_work_required(tip, time, &params.consensus);
        assert_eq!(found, bits(text(case, "expected_bits")), "{} {}", case["network"], case["rule"]);
    }
    report("derived/next_work", cases.len());
}

#[test]
fn dgw3_real_vectors() {
    let Some(file) = json_file("real/dgw3_mainnet_123457.json") else { return };
    let params = ChainParams::for_network(Network::Main);
    let history = file["history"].as_array().unwrap();
    let mut list = HeaderList::new(i32::try_from(number(&history[0], "height")).unwrap());
    for row in history {
        list.push(bare_header(number(row, "time") as u32, bits(text(row, "bits"))));
    }
    let next = &file["next"];
    let tip = list.tip().unwrap();
    assert_eq!(i64::from(tip.height()) + 1, number(next, "height"));
    let found = next_work_required(tip, number(next, "time") as u32, &params.consensus);
    assert_eq!(found, bits(text(next, "bits")));
    report("real/dgw3_mainnet_123457", 1);
}

#[test]
fn mainnet_block_vectors() {
    let Some(file) = json_file("real/mainnet_blocks_0001_0180.json") else { return };
    let chain = ChainParams::for_network(Network::Main);
    let params = &chain.consensus;
    let mut list = HeaderList::new(0);
    list.push(chain.genesis.header);
    let blocks = file["blocks"].as_array().unwrap();
    for row in blocks {
        let block: Block = decode_exact(&hex(row, "raw")).unwrap();
        let prev = list.tip().unwrap();
        let height = prev.height() + 1;
        assert_eq!(i64::from(height), number(row, "height"));
        assert_eq!(block.hash().to_string(), text(row, "hash"));
        assert_eq!(block.header.prev, prev.hash());
        let checked = CheckedBlock::check(Arc::new(block), params).unwrap();
        contextual_check_header(&checked.header, prev, params, i64::from(checked.header.time)).unwrap();
        contextual_check_block(&checked, Some(prev), params).unwrap();
        assert!(!is_block_mutated(&checked, false));
        // Nothing is spent in these blocks but subsidies, and fees are part of the recorded values.
        assert!(checked.txs[0].value_out().unwrap() >= block_subsidy(height), "height {height}");
        let computed = next_work_required(prev, checked.header.time, params);
        assert_eq!(computed, bits(text(row, "bits_core31_code")), "height {height}");
        list.push(checked.header);
    }
    report("real/mainnet_blocks_0001_0180", blocks.len());
}

#[test]
fn side_branch_block_vectors() {
    let Some(file) = json_file("real/mainnet_fork_blocks_btcd.json") else { return };
    let params = ChainParams::for_network(Network::Main).consensus;
    let blocks = file["blocks"].as_array().unwrap();
    for row in blocks {
        let block: Block = decode_exact(&hex(row, "raw")).unwrap();
        assert_eq!(block.hash().to_string(), text(row, "hash"));
        check_block(&block, &params, true, true).unwrap();
    }
    report("real/mainnet_fork_blocks_btcd", blocks.len());
}

#[test]
fn single_block_vectors() {
    let Some(file) = json_file("real/blocks.json") else { return };
    let blocks = file["blocks"].as_array().unwrap();
    for row in blocks {
        let params = params(row).consensus;
        let block: Block = decode_exact(&hex(row, "raw")).unwrap();
        assert_eq!(block.hash().to_string(), text(row, "hash"));
        check_block(&block, &params, true, true).unwrap();
        assert_eq!(block.weight() as i64, number(row, "weight"));
        let Some(height) = row["height"].as_i64() else { continue };
        let height = i32::try_from(height).unwrap();
        let segwit = params.is_active_at(BuriedDeployment::Segwit, height);
        check_witness_malleation(&block, segwit).unwrap();
        assert!(!is_block_mutated(&block, segwit));
        if params.is_active_at(BuriedDeployment::HeightInCoinbase, height) {
            assert!(block.txs[0].inputs[0].script_sig.starts_with(&height_script(height)));
        }
        assert_eq!(block_subsidy(height).to_gro(), number(row, "expected_subsidy"));
    }
    report("real/blocks", blocks.len());
}

#[test]
fn header_vectors() {
    let mut count = 0;
    for (name, network) in [
        ("real/headers_main.json", Some("main")),
        ("real/headers_test.json", Some("test")),
        ("real/headers_misc.json", None),
    ] {
        let Some(file) = json_file(name) else { return };
        let rows = file["headers"].as_array().unwrap();
        let headers: Vec<Header> = rows.iter().map(|r| decode_exact(&hex(r, "header")).unwrap()).collect();
        let hashed = HashedHeader::batch(&headers);
        for (row, header) in rows.iter().zip(&hashed) {
            let network = network.unwrap_or_else(|| text(row, "network"));
            let params = ChainParams::for_network(network.parse().unwrap()).consensus;
            assert_eq!(header.hash().to_string(), text(row, "hash"));
            check_header_pow(header, &params).unwrap();
            assert!(!block_work(header.bits).is_zero());
            if row.get("bits").is_some() {
                assert_eq!(header.bits, bits(text(row, "bits")));
            }
        }
        assert!(has_valid_proof_of_work(
            &hashed[..hashed.len().min(3)],
            &ChainParams::for_network(Network::Main).consensus
        ));
        count += rows.len();
    }
    report("real/headers", count);
}

#[test]
fn regtest_chain_vectors() {
    let Some(file) = json_file("reference_regtest/chain.json") else { return };
    let chain = ChainParams::for_network(Network::Regtest);
    let params = &chain.consensus;
    let mut list = HeaderList::new(0);
    let mut versions = VersionBitsCache::new();
    let mut work = U256::ZERO;
    let blocks = file["blocks"].as_array().unwrap();
    for row in blocks {
        let raw = hex(row, "raw");
        let block: Block = decode_exact(&raw).unwrap();
        assert_eq!(encode_to_vec(&block), raw);
        assert_eq!(block.hash().to_string(), text(row, "hash"));
        let checked = CheckedBlock::check(Arc::new(block), params).unwrap();
        if let Some(prev) = list.tip() {
            let height = prev.height() + 1;
            assert_eq!(next_work_required(prev, checked.header.time, params), checked.header.bits);
            assert_eq!(versions.compute_block_version(Some(prev), params), checked.header.version);
            contextual_check_header(&checked.header, prev, params, i64::from(checked.header.time)).unwrap();
            contextual_check_block(&checked, Some(prev), params).unwrap();
            assert!(needs_bip30_check(prev, &checked.hash(), params));
            assert!(!is_block_mutated(&checked, true));
            if checked.txs.len() == 1 {
                assert_eq!(checked.txs[0].value_out().unwrap(), block_subsidy(height));
            }
            // Without its commitment's witness a block is a mutated one.
            let mut stripped = Block::clone(checked.block());
            let mut coinbase = stripped.txs[0].to_mutable();
            coinbase.inputs[0].witness = Default::default();
            stripped.txs[0] = Arc::new(coinbase.into());
            assert_eq!(
                contextual_check_block(&stripped, Some(prev), params),
                Err(BlockRule::WitnessReservedValue)
            );
            fill_witness_reserved_value(&mut stripped, true);
            assert_eq!(stripped, *checked.block().as_ref());
        } else {
            assert_eq!(checked.hash(), params.genesis_hash);
        }
        work += block_work(checked.header.bits);
        list.push(checked.header);
    }
    report("reference_regtest/chain", blocks.len());
    let Some(results) = json_file("reference_regtest/rpc_results.json") else { return };
    let tip = list.tip().unwrap();
    let info = &results["getblockchaininfo"];
    assert_eq!(work.to_string(), text(info, "chainwork"));
    assert_eq!(tip.median_time_past(), number(info, "mediantime"));
    same_difficulty(tip.bits(), info);
    for row in results["blockheaders_verbose"].as_array().unwrap() {
        let block = list.at(i32::try_from(number(row, "height")).unwrap()).unwrap();
        assert_eq!(block.median_time_past(), number(row, "mediantime"));
        same_difficulty(block.bits(), row);
    }
    let next = &results["getmininginfo"]["next"];
    assert_eq!(next_work_required(tip, tip.time() + 1, params), bits(text(next, "bits")));

    let deployments = &results["getdeploymentinfo"];
    let flags = block_script_flags(tip.height(), &tip.hash(), params);
    let names: Vec<Value> = flags.names().into_iter().map(Value::from).collect();
    assert_eq!(&names, deployments["script_flags"].as_array().unwrap());
    for pos in DeploymentPos::ALL {
        let expected = &deployments["deployments"][pos.name()]["bip9"];
        let info = versions.info(tip, params, pos);
        assert_eq!(info.current_state.name(), text(expected, "status"));
        assert_eq!(info.next_state.name(), text(expected, "status_next"));
        assert_eq!(i64::from(info.since), number(expected, "since"));
        let Some(stats) = info.stats else { continue };
        let recorded = &expected["statistics"];
        for (field, value) in [
            ("period", stats.period),
            ("elapsed", stats.elapsed),
            ("count", stats.count),
            ("threshold", stats.threshold),
        ] {
            assert_eq!(i64::from(value), number(recorded, field), "{field}");
        }
        assert_eq!(stats.possible, recorded["possible"].as_bool().unwrap());
        let marks: String = info.signalling_blocks.iter().map(|s| if *s { '#' } else { '-' }).collect();
        assert_eq!(marks, text(expected, "signalling"));
    }
}

#[test]
fn oracle_block_vectors() {
    let Some(cases) = json_lines("oracle/blocks.jsonl.gz") else { return };
    let params = ChainParams::for_network(Network::Regtest).consensus;
    for case in &cases {
        let name = text(case, "mutation");
        let block: Block = decode_exact(&hex(case, "block")).unwrap();
        let verdict = match check_block(&block, &params, false, true) {
            Ok(()) => "OK".to_owned(),
            Err(rule) => rule.reason().into_owned(),
        };
        assert_eq!(verdict, text(case, "check_block"), "{name}");
        assert_eq!(
            is_block_mutated(&block, true),
            case["is_mutated_with_witness_root"].as_bool().unwrap(),
            "{name}"
        );
        assert_eq!(is_block_mutated(&block, false), case["is_mutated_without"].as_bool().unwrap(), "{name}");
        let index = witness_commitment_index(&block).map_or(-1, |i| i as i64);
        assert_eq!(index, number(case, "commitment_index"), "{name}");
        let sigops: u32 = block.txs.iter().map(|tx| grs_script::legacy_sig_op_count(tx)).sum();
        assert_eq!(i64::from(sigops), number(case, "legacy_sigops"), "{name}");
    }
    report("oracle/blocks", cases.len());
}

/// The transaction, its check's verdict, and the costs of its signature operations.
fn transaction_case(case: &Value) {
    let tx: Transaction = decode_exact(&hex(case, "tx")).unwrap();
    let verdict = match check_transaction(&tx) {
        Ok(()) => "OK",
        Err(rule) => rule.reason(),
    };
    assert_eq!(verdict, text(case, "check_tx"), "{}", case["txid"]);
    if verdict != "OK" || case["missing_prevout"] == true {
        return;
    }
    let scripts: Vec<(Vec<u8>, i64)> = case["prevouts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| (grs_testkit::hex_bytes(p[2].as_str().unwrap()), p[3].as_i64().unwrap()))
        .collect();
    let coins: Vec<CoinRef<'_>> = scripts
        .iter()
        .map(|(script, value)| CoinRef {
            value: grs_primitives::Amount(*value),
            script_pubkey: script,
            height: 1,
            is_coinbase: false,
        })
        .collect();
    let sigops = &case["sigops"];
    assert_eq!(i64::from(grs_script::legacy_sig_op_count(&tx)), number(sigops, "legacy"));
    for (field, flags) in [
        ("cost_NONE", ScriptFlags::NONE),
        ("cost_P2SH", ScriptFlags::P2SH),
        ("cost_MANDATORY", ScriptFlags::MANDATORY),
    ] {
        let cost = transaction_sigop_cost(&tx, &coins[..], flags).unwrap();
        assert_eq!(cost, number(sigops, field), "{} {field}", case["txid"]);
    }
}

#[test]
fn transaction_vectors() {
    for name in ["oracle/tx_valid_invalid.jsonl.gz", "oracle/tx_signed.jsonl.gz"] {
        let Some(cases) = json_lines(name) else { return };
        cases.iter().for_each(transaction_case);
        report(name, cases.len());
    }
}

#[test]
fn block_rules_survive_mutations() {
    let mut corpus = vec![encode_to_vec(&ChainParams::for_network(Network::Regtest).genesis)];
    // A commitment with a signet solution behind it.
    let mut block = ChainParams::for_network(Network::Regtest).genesis;
    generate_coinbase_commitment(&mut block, true);
    let mut coinbase = block.txs[0].to_mutable();
    coinbase.outputs[1].script_pubkey.bytes_mut().extend([8, 0xec, 0xc7, 0xda, 0xa2, 1, 0x51, 0, 0]);
    block.txs[0] = Arc::new(coinbase.into());
    corpus.push(encode_to_vec(&block));
    grs_testkit::run_fuzz(fuzz::fuzz_block_rules, &corpus, 3000);
}

#[test]
fn merkle_proof_vectors() {
    let Some(results) = json_file("reference_regtest/rpc_results.json") else { return };
    let Some(chain) = json_file("reference_regtest/chain.json") else { return };
    let proofs = results["gettxoutproof"].as_array().unwrap();
    let mut corpus = Vec::new();
    for row in proofs {
        let raw = hex(row, "proof");
        let proof: MerkleBlock = decode_exact(&raw).unwrap();
        assert_eq!(encode_to_vec(&proof), raw);
        let found = proof.tree.extract_matches().unwrap();
        assert_eq!(found.root, proof.header.merkle_root);
        let ids: Vec<Value> = found.matches.iter().map(|(_, id)| id.to_string().into()).collect();
        assert_eq!(&ids, row["txids"].as_array().unwrap());
        // The same proof, made from the block.
        let hash = proof.header.hash().to_string();
        let block = chain["blocks"].as_array().unwrap().iter().find(|b| b["hash"] == hash.as_str()).unwrap();
        let block: Block = decode_exact(&hex(block, "raw")).unwrap();
        let made = MerkleBlock::new(&block, |tx| ids.contains(&tx.txid().to_string().into())).unwrap();
        assert_eq!(made, proof);
        corpus.push(raw);
    }
    grs_testkit::run_fuzz(fuzz::fuzz_merkle_block, &corpus, 3000);
    report("reference_regtest/rpc_results: proofs", proofs.len());
}
