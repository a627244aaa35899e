//! Filters against known ones, and what must hold of any.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use grs_encoding::{decode_exact, hex_decode, hex_encode};
use grs_filter::{BlockFilter, FilterError, fuzz};
use grs_hashes::FilterHeader;
use grs_primitives::{
    Amount, Block, HashedHeader, Header, MutableTransaction, OutPoint, Script, TxIn, TxOut,
};
use grs_testkit::{json_file, report, text};
use proptest::prelude::*;

#[test]
fn filters_of_converted_blocks() {
    let Some(data) = json_file("derived/blockfilters.json") else { return };
    let mut cases = 0;
    for case in data["cases"].as_array().unwrap() {
        let block: Block = decode_exact(&hex_decode(text(case, "block")).unwrap()).unwrap();
        assert_eq!(block.header.hash().to_string(), text(case, "block_hash"));
        let scripts = case["prev_output_scripts"].as_array().unwrap();
        let spent: Vec<Vec<u8>> =
            scripts.iter().map(|script| hex_decode(script.as_str().unwrap()).unwrap()).collect();
        let filter = BlockFilter::basic(&block, spent.iter().map(Vec::as_slice));
        assert_eq!(hex_encode(filter.encoded()), text(case, "basic_filter"));
        let previous: FilterHeader = text(case, "prev_filter_header").parse().unwrap();
        assert_eq!(filter.header(&previous).to_string(), text(case, "filter_header"));
        for script in spent.iter().filter(|script| !script.is_empty()) {
            assert!(filter.matches_any([script.as_slice()]));
        }
        assert_eq!(BlockFilter::decode(filter.block_hash(), filter.encoded().to_vec()), Ok(filter));
        cases += 1;
    }
    report("derived/blockfilters.json", cases);
}

#[test]
fn filters_of_the_references_chain() {
    let Some(results) = json_file("reference_regtest/rpc_results.json") else { return };
    let Some(chain) = json_file("reference_regtest/chain.json") else { return };
    let mut cases = 0;
    let mut headers = std::collections::HashMap::new();
    for case in results["blockfilters"].as_array().unwrap() {
        let height = usize::try_from(case["height"].as_u64().unwrap()).unwrap();
        let raw = hex_decode(text(&chain["blocks"][height], "raw")).unwrap();
        let block: Block = decode_exact(&raw).unwrap();
        let expected: FilterHeader = text(case, "header").parse().unwrap();
        headers.insert(height, expected);
        if block.txs.len() > 1 {
            continue; // The scripts it spends are not in this file.
        }
        let filter = BlockFilter::basic(&block, []);
        assert_eq!(hex_encode(filter.encoded()), text(case, "filter"), "height {height}");
        let previous = height.checked_sub(1).map_or(Some(FilterHeader::ZERO), |h| headers.get(&h).copied());
        if let Some(previous) = previous {
            assert_eq!(filter.header(&previous), expected, "height {height}");
        }
        cases += 1;
    }
    report("reference_regtest/rpc_results.json block filters", cases);
}

fn block(scripts: &[Vec<u8>]) -> Block {
    let tx = MutableTransaction {
        version: 1,
        inputs: vec![TxIn::new(OutPoint::NULL, 0)],
        outputs: scripts.iter().map(|s| TxOut::new(Amount(0), Script::from(s.as_slice()))).collect(),
        lock_time: 0,
    };
    Block::new(HashedHeader::new(Header::from_bytes(&[0; 80])), vec![Arc::new(tx.into())])
}

#[test]
fn empty_scripts_and_data_are_left_out() {
    let filter = BlockFilter::basic(&block(&[vec![], vec![0x6a, 1, 2]]), [&b""[..]]);
    assert!(filter.is_empty());
    assert_eq!(filter.encoded(), [0]);
    assert!(!filter.matches_any([&b"x"[..]]));
    // What is spent counts whatever it begins with.
    assert_eq!(BlockFilter::basic(&block(&[]), [&[0x6a_u8][..]]).len(), 1);
}

#[test]
fn broken_filters_are_refused() {
    let filter = BlockFilter::basic(&block(&[vec![1], vec![2], vec![3]]), []);
    let hash = filter.block_hash();
    let mut long = filter.encoded().to_vec();
    long.push(0);
    assert_eq!(BlockFilter::decode(hash, long), Err(FilterError::Excess));
    let short = filter.encoded()[..filter.encoded().len() - 1].to_vec();
    assert_eq!(BlockFilter::decode(hash, short), Err(FilterError::Short));
    assert_eq!(BlockFilter::decode(hash, [0xff, 0, 0, 0, 0, 1, 0, 0, 0].to_vec()), Err(FilterError::TooMany));
    // Four thousand million elements announced: an error after the bytes that are there.
    assert_eq!(
        BlockFilter::decode(hash, [0xfe, 0xff, 0xff, 0xff, 0xff, 1].to_vec()),
        Err(FilterError::Short)
    );
    assert!(matches!(BlockFilter::decode(hash, vec![]), Err(FilterError::Count(_))));
}

proptest! {
    #[test]
    fn what_is_in_the_block_matches(
        scripts in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 1..60),
        other in proptest::collection::vec(any::<u8>(), 41..60),
    ) {
        let block = block(&scripts);
        let filter = BlockFilter::basic(&block, []);
        for script in scripts.iter().filter(|script| script[0] != 0x6a) {
            prop_assert!(filter.matches_any([other.as_slice(), script.as_slice()]));
        }
        prop_assert_eq!(BlockFilter::decode(block.header.hash(), filter.encoded().to_vec()), Ok(filter));
    }

    #[test]
    fn any_bytes_can_be_read(data in proptest::collection::vec(any::<u8>(), 0..200)) {
        fuzz::fuzz_filter(&data);
    }
}

#[test]
fn few_foreign_scripts_match() {
    let scripts: Vec<Vec<u8>> = (0_u32..500).map(|n| [&b"own"[..], &n.to_le_bytes()].concat()).collect();
    let filter = BlockFilter::basic(&block(&scripts), []);
    let foreign =
        (0_u32..20_000).filter(|n| filter.matches_any([&[&b"foreign"[..], &n.to_le_bytes()].concat()[..]]));
    // One in 784,931 is expected.
    assert!(foreign.count() < 5);
}
