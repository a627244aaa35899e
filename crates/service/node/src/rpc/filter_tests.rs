//! The block filter index on a chain in memory: against the reference's results, through reorganizations and restarts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use grs_fs::{FileEnv, MemEnv};
use grs_index::{FilterIndex, FilterIndexParams};
use grs_primitives::Script;
use grs_rpc::code;
use serde_json::{Value, json};

use super::tests::{DESCRIPTOR, Node};
use crate::NodeChain;

/// How long a busy machine may take.
const PATIENCE: Duration = Duration::from_secs(60);
const NAME: &str = "basic block filter index";

fn open(node: &Node, env: &Arc<dyn FileEnv>) -> FilterIndex {
    let params = FilterIndexParams { dir: "/index".into(), cache_bytes: 1 << 20, wipe: false };
    let on_fatal = Box::new(|text: &str| panic!("{text}"));
    FilterIndex::open(env, &params, node.0.chainman.get().unwrap(), on_fatal).unwrap()
}

/// Lets an index follow, and waits until it has the tip.
fn follow(index: &FilterIndex) {
    index.start().unwrap();
    let begin = Instant::now();
    while !index.wait_for_tip() {
        assert!(begin.elapsed() < PATIENCE, "the index does not catch up");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn node_with_index() -> Node {
    let node = Node::new();
    let index = open(&node, &(Arc::new(MemEnv::new()) as Arc<dyn FileEnv>));
    follow(&index);
    assert!(node.0.filter_index.set(Arc::new(index)).is_ok());
    node
}

#[test]
fn filters_are_the_references() {
    let Some(chain) = grs_testkit::json_file("reference_regtest/chain.json") else { return };
    let Some(results) = grs_testkit::json_file("reference_regtest/rpc_results.json") else { return };
    let node = node_with_index();
    for block in &chain["blocks"].as_array().unwrap()[1..] {
        assert_eq!(
            node.call("submitblock", json!([block["raw"]])),
            Value::Null,
            "height {}",
            block["height"]
        );
    }
    let cases = results["blockfilters"].as_array().unwrap();
    for case in cases {
        let answer = node.call("getblockfilter", json!([case["hash"]]));
        assert_eq!(answer["filter"], case["filter"], "height {}", case["height"]);
        assert_eq!(answer["header"], case["header"], "height {}", case["height"]);
    }
    grs_testkit::report("reference_regtest/rpc_results.json block filters of the index", cases.len());
    let info = node.call("getindexinfo", json!([NAME]));
    assert_eq!(
        info,
        json!({ NAME: { "synced": true, "best_block_height": chain["blocks"].as_array().unwrap().len() - 1 } })
    );
    assert_eq!(node.call("getindexinfo", json!(["txindex"])), json!({}));
}

#[test]
fn blocks_are_found_through_filters() {
    let node = node_with_index();
    node.mine(3);
    let other = "raw(51)#8lvh9jxk";
    let hashes = node.call("generatetodescriptor", json!([2, other]));
    let found = node.call("scanblocks", json!(["start", [other]]));
    assert_eq!(found["relevant_blocks"], hashes);
    assert_eq!((&found["from_height"], &found["to_height"]), (&json!(0), &json!(5)));
    assert_eq!(found["completed"], true);
    let exact = json!(["start", [other], 5, 5, "basic", { "filter_false_positives": true }]);
    assert_eq!(node.call("scanblocks", exact)["relevant_blocks"], json!([hashes[1]]));
    let mine = node.call("scanblocks", json!(["start", [DESCRIPTOR], 1, 3]));
    assert_eq!(mine["relevant_blocks"].as_array().unwrap().len(), 3);
    assert_eq!(node.call("scanblocks", json!(["status"])), Value::Null);
    assert_eq!(node.call("scanblocks", json!(["abort"])), false);
    for (args, text) in [
        (json!(["start", [other], 6]), "Invalid start_height"),
        (json!(["start", [other], 3, 2]), "Invalid stop_height"),
        (json!(["start", [other], 0, 1, "x"]), "Unknown filtertype"),
        (json!(["x"]), "Invalid action 'x'"),
    ] {
        assert_eq!(node.fail("scanblocks", args).1, text);
    }
    // The same for programs of other processes.
    let chain = NodeChain::for_node(&node.0);
    assert!(chain.has_block_filter_index().unwrap());
    let hash = hashes[0].as_str().unwrap().parse().unwrap();
    let ask = |script: &[u8]| chain.block_filter_matches_any(hash, &[Script::from(script)]).unwrap();
    assert_eq!((ask(&[0x51]), ask(b"nobody's")), (Some(true), Some(false)));
    assert_eq!(chain.block_filter_matches_any(grs_hashes::BlockHash::ZERO, &[]).unwrap(), None);
}

#[test]
fn without_an_index_there_are_no_filters() {
    let node = Node::new();
    let hash = node.mine(1)[0].clone();
    let expected = (code::MISC_ERROR, "Index is not enabled for filtertype basic".to_owned());
    assert_eq!(node.fail("getblockfilter", json!([hash])), expected);
    assert_eq!(node.fail("scanblocks", json!(["start", []])), expected);
    let chain = NodeChain::for_node(&node.0);
    assert!(!chain.has_block_filter_index().unwrap());
    let hash = hash.as_str().unwrap().parse().unwrap();
    assert_eq!(chain.block_filter_matches_any(hash, &[]).unwrap(), None);
}

#[test]
fn reorganizations_and_restarts_lose_nothing() {
    let node = Node::new();
    let env: Arc<dyn FileEnv> = Arc::new(MemEnv::new());
    let chainman = node.0.chainman.get().unwrap();
    let of = |index: &FilterIndex, hash: &Value| {
        let id = chainman.index().lookup(&hash.as_str().unwrap().parse().unwrap()).unwrap();
        let filter = index.filter(id).unwrap().unwrap();
        assert_eq!(filter.block_hash().to_string(), hash.as_str().unwrap());
        (filter.encoded().to_vec(), index.header(id).unwrap().unwrap())
    };
    let index = open(&node, &env);
    follow(&index);
    let old = node.mine(4);
    assert!(index.wait_for_tip());
    let filters: Vec<_> = old.iter().map(|hash| of(&index, hash)).collect();
    node.call("invalidateblock", json!([old[1]]));
    let other = "raw(51)#8lvh9jxk";
    let new = node.call("generatetodescriptor", json!([5, other]));
    assert!(index.wait_for_tip());
    assert_eq!(index.summary().best_height, 6);
    // Blocks that have left the chain keep their filters.
    old.iter().zip(&filters).for_each(|(hash, filter)| assert_eq!(of(&index, hash), *filter));
    let tip = of(&index, &new[4]);

    // A clean stop, and blocks that come while the index is away.
    chainman.force_flush(false);
    chainman.signals().sync();
    index.stop();
    drop(index);
    let more = node.mine(2);
    let index = open(&node, &env);
    assert_eq!(index.summary().best_height, 6);
    assert!(!index.summary().synced);
    follow(&index);
    assert_eq!(index.summary().best_hash.to_string(), more[1].as_str().unwrap());
    assert_eq!(of(&index, &new[4]), tip);
    old.iter().zip(&filters).for_each(|(hash, filter)| assert_eq!(of(&index, hash), *filter));

    // Another branch becomes the chain while the index is away.
    chainman.force_flush(false);
    chainman.signals().sync();
    index.stop();
    drop(index);
    node.call("invalidateblock", json!([more[0]]));
    let last = node.call("generatetodescriptor", json!([3, other]));
    let index = open(&node, &env);
    assert_eq!(index.summary().best_hash.to_string(), more[1].as_str().unwrap());
    follow(&index);
    assert_eq!(index.summary().best_hash.to_string(), last[2].as_str().unwrap());
    assert_eq!(of(&index, &new[4]), tip);
    of(&index, &more[1]);
    index.stop();
}

#[test]
fn what_is_not_flushed_is_not_committed() {
    let node = Node::new();
    let env: Arc<dyn FileEnv> = Arc::new(MemEnv::new());
    let index = open(&node, &env);
    follow(&index);
    node.mine(3);
    assert!(index.wait_for_tip());
    assert_eq!(index.summary().best_height, 3);
    // The chain state has not been flushed since it had only its first block.
    index.stop();
    drop(index);
    assert_eq!(open(&node, &env).summary().best_height, 0);
}
