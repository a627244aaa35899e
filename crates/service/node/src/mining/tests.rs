//! The interface on a node in memory.

use std::sync::Arc;
use std::time::{Duration, Instant};

use grs_hashes::BlockHash;
use grs_interfaces::{
    BlockBytes, BlockCheckOptions, BlockCreateOptions, BlockTemplate, BlockWaitOptions, CallError, Mining,
    TIMEOUT_FOREVER,
};
use grs_mining::{Solved, find_nonce};
use grs_primitives::{
    Amount, Block, HashedHeader, Header, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut,
    TxRef, Witness, merkle_root_from_path,
};
use serde_json::{Value, json};

use super::NodeMining;
use crate::rpc::tests::Node;

const SOON: Duration = Duration::from_millis(20);
const WHOLE: BlockCheckOptions = BlockCheckOptions { check_merkle_root: true, check_pow: true };

fn mining(node: &Node) -> Arc<dyn Mining> {
    NodeMining::make(&Arc::downgrade(&node.0)).unwrap().unwrap()
}

fn template(mining: &dyn Mining) -> Arc<dyn BlockTemplate> {
    mining.create_new_block(BlockCreateOptions::default(), false).unwrap().unwrap()
}

/// Waits with a fee threshold.
fn fees(timeout: Duration, threshold: i64) -> BlockWaitOptions {
    BlockWaitOptions { timeout, fee_threshold: Amount(threshold) }
}

/// What a miner makes of a template: its coinbase and the solved header.
fn solve(node: &Node, template: &dyn BlockTemplate) -> (Header, TxRef) {
    let parts = template.get_coinbase_tx().unwrap();
    let mut input = TxIn::new(OutPoint::NULL, parts.sequence);
    input.script_sig = Script::from([&parts.script_sig_prefix[..], &[0x51]].concat());
    input.witness = Witness(parts.witness.iter().map(|item| item.to_vec()).collect());
    let mut outputs = vec![TxOut::new(parts.block_reward_remaining, Script::from(vec![0x51]))];
    outputs.extend(parts.required_outputs);
    let coinbase = MutableTransaction {
        version: parts.version,
        inputs: vec![input],
        outputs,
        lock_time: parts.lock_time,
    };
    let coinbase = Arc::new(Transaction::from(coinbase));
    let path = template.get_coinbase_merkle_path().unwrap();
    let mut header = Header::from_bytes(&template.get_block_header().unwrap());
    header.merkle_root = merkle_root_from_path(coinbase.txid().to_bytes(), 0, &path);
    solve_header(node, &mut header);
    (header, coinbase)
}

fn solve_header(node: &Node, header: &mut Header) {
    header.nonce = 0;
    let found = find_nonce(header, &mut 100_000_000, &node.0.params.consensus, &node.0.shutdown);
    assert_eq!(found, Solved::Found);
}

fn bytes(block: &Block) -> BlockBytes {
    BlockBytes(grs_encoding::encode_to_vec(block))
}

fn submit(template: &dyn BlockTemplate, header: &Header, coinbase: &TxRef) -> bool {
    let version = header.version.cast_unsigned();
    template.submit_solution(version, header.time, header.nonce, coinbase.clone()).unwrap()
}

#[test]
fn tips_are_told_and_waited_for() {
    let node = Node::new();
    let mining = mining(&node);
    assert_eq!(mining.is_test_chain(), Ok(true));
    let genesis = mining.get_tip().unwrap().unwrap();
    assert_eq!(genesis.height, 0);
    assert_eq!(mining.wait_tip_changed(BlockHash::ZERO, TIMEOUT_FOREVER), Ok(Some(genesis)));
    assert_eq!(mining.wait_tip_changed(genesis.hash, SOON), Ok(Some(genesis)));
    assert_eq!(mining.wait_tip_changed(genesis.hash, Duration::ZERO), Ok(Some(genesis)));
    // An interrupt stays until a wait takes it, and it is taken once.
    mining.interrupt().unwrap();
    mining.interrupt().unwrap();
    assert_eq!(mining.wait_tip_changed(BlockHash::ZERO, TIMEOUT_FOREVER), Ok(None));
    assert_eq!(mining.wait_tip_changed(genesis.hash, SOON), Ok(Some(genesis)));
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| mining.wait_tip_changed(genesis.hash, TIMEOUT_FOREVER));
        std::thread::sleep(SOON);
        mining.interrupt().unwrap();
        assert_eq!(waiting.join().unwrap(), Ok(None));
        let waiting = scope.spawn(|| mining.wait_tip_changed(genesis.hash, TIMEOUT_FOREVER));
        let hash = node.mine(1)[0].clone();
        let tip = waiting.join().unwrap().unwrap().unwrap();
        assert_eq!((tip.height, json!(tip.hash.to_string())), (1, hash));
        assert_eq!(mining.get_tip(), Ok(Some(tip)));
        let (mining, known) = (&mining, tip.hash);
        let waiting = scope.spawn(move || mining.wait_tip_changed(known, TIMEOUT_FOREVER));
        std::thread::sleep(SOON);
        node.0.request_shutdown();
        assert_eq!(waiting.join().unwrap(), Ok(None));
    });
    assert!(NodeMining::make(&Arc::downgrade(&node.0)).unwrap().is_none());
    let gone = Arc::downgrade(&node.0);
    drop(node);
    assert!(NodeMining::make(&gone).is_err_and(|error| error.is_disconnected()));
}

#[test]
fn the_interface_is_there_once_the_chain_is_loaded() {
    let params = Arc::new(grs_params::ChainParams::for_network(grs_params::Network::Regtest));
    let args = Arc::new(grs_args::ArgsManager::new().declare(&grs_args::options::node(true)));
    let context = crate::NodeContext::new(args, params);
    let weak = Arc::downgrade(&context);
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| NodeMining::make(&weak).unwrap().is_none());
        std::thread::sleep(SOON);
        assert!(!waiting.is_finished());
        context.request_shutdown();
        assert!(waiting.join().unwrap());
    });
}

#[test]
fn templates_need_room_and_height() {
    let node = Node::new();
    let mining = mining(&node);
    let options =
        |block_reserved_weight| BlockCreateOptions { block_reserved_weight, ..BlockCreateOptions::default() };
    let create = |weight| mining.create_new_block(options(weight), false).map(|made| made.is_some());
    let error = |text: &str| Err(CallError::remote(text));
    assert_eq!(create(1999), error("block_reserved_weight (1999) must be at least 2000 weight units"));
    let too_short = mining.create_new_block(options(2000), false).err().unwrap().to_string();
    assert!(too_short.starts_with("TestBlockValidity failed: bad-cb-length"), "{too_short}");
    node.mine(16);
    assert_eq!(create(2000), Ok(true));
    // What is too much is cut down, as in 31.0.0.
    assert_eq!(create(u64::MAX), Ok(true));
    let sigops = BlockCreateOptions {
        coinbase_output_max_additional_sigops: u64::MAX,
        ..BlockCreateOptions::default()
    };
    assert!(mining.create_new_block(sigops, false).unwrap().is_some());
    mining.interrupt().unwrap();
    assert_eq!(create(2000), Ok(false));
    assert_eq!(create(2000), Ok(true));
}

#[test]
fn a_miner_makes_a_block() {
    let node = Node::new();
    let mining = mining(&node);
    let hashes = node.mine(121);
    let tx = node.spend(&hashes[0]);
    let txid = node.call("sendrawtransaction", json!([tx, 0]));
    let made = template(&*mining);
    let block = made.get_block().unwrap().decode().unwrap();
    assert_eq!((block.txs.len(), json!(block.txs[1].txid().to_string())), (2, txid.clone()));
    assert_eq!(block.header.to_bytes(), made.get_block_header().unwrap());
    assert_eq!(block.header.merkle_root.to_bytes(), [0; 32]);
    assert_eq!(made.get_tx_fees().unwrap().len(), 1);
    assert_eq!(made.get_tx_sigops().unwrap().len(), 1);
    let fee = made.get_tx_fees().unwrap()[0];
    let parts = made.get_coinbase_tx().unwrap();
    assert_eq!((parts.version, parts.sequence, parts.lock_time), (2, 0xffff_fffe, 121));
    assert_eq!(parts.script_sig_prefix, [1, 122]);
    assert_eq!((parts.witness, parts.required_outputs.len()), (Some([0; 32]), 1));
    assert_eq!(parts.block_reward_remaining, grs_params::block_subsidy(122) + fee);
    assert_eq!(made.get_coinbase_merkle_path(), Ok(vec![block.txs[1].txid().to_bytes()]));
    let check = |block: &BlockBytes, options| {
        let check = mining.check_block(block, options).unwrap();
        assert_eq!(check.valid, check.reason.is_empty());
        check.reason
    };
    let no_work = BlockCheckOptions { check_merkle_root: false, check_pow: false };
    assert_eq!(check(&bytes(&block), no_work), "");
    assert_eq!(check(&bytes(&block), BlockCheckOptions { check_pow: false, ..WHOLE }), "bad-txnmrklroot");
    let short = mining.check_block(&BlockBytes(vec![0; 10]), WHOLE).unwrap_err();
    assert_eq!(short.to_string(), "SpanReader::read(): end of data: iostream error");

    let (good, coinbase) = solve(&node, &*made);
    let mut bad = Header { version: 0, ..good };
    solve_header(&node, &mut bad);
    assert!(!submit(&*made, &bad, &coinbase));
    // Also what is refused stays in the template.
    let kept = made.get_block().unwrap().decode().unwrap();
    assert_eq!((kept.header.to_bytes(), kept.txs[0].wtxid()), (bad.to_bytes(), coinbase.wtxid()));
    let mut bare = coinbase.to_mutable();
    bare.inputs[0].witness = Witness::default();
    assert!(!submit(&*made, &good, &Arc::new(bare.into())));
    assert_eq!(mining.get_tip().unwrap().unwrap().height, 121);
    let solved = Block::new(HashedHeader::new(good), vec![coinbase.clone(), block.txs[1].clone()]);
    assert_eq!(check(&bytes(&solved), WHOLE), "");
    assert!(submit(&*made, &good, &coinbase));
    assert_eq!(mining.get_tip().unwrap().unwrap().hash, solved.hash());
    assert_eq!(node.call("getrawmempool", json!([])), json!([]));
    // Known by now, which is no failure.
    assert!(submit(&*made, &good, &coinbase));
    assert_eq!(check(&bytes(&solved), WHOLE), "inconclusive-not-best-prevblk");
}

#[test]
fn whole_blocks_are_taken() {
    let node = Node::new();
    let mining = mining(&node);
    let hashes = node.mine(120);
    let tx = node.spend(&hashes[0]);
    let known: Value = node.call("sendrawtransaction", json!([tx, 0]));
    let (header, coinbase) = solve(&node, &*template(&*mining));
    let known = known.as_str().unwrap().parse().unwrap();
    let unknown = grs_hashes::Txid::from_bytes([7; 32]);
    let found = mining.get_transactions_by_txid(&[unknown, known]).unwrap();
    let tx = found[1].clone().unwrap();
    assert_eq!((&found[0], tx.txid()), (&None, known));
    assert_eq!(mining.get_transactions_by_witness_id(&[tx.wtxid()]), Ok(vec![Some(tx.clone())]));

    let verdict = |block: &Block| {
        let check = mining.submit_block(&bytes(block)).unwrap();
        (check.valid, check.reason)
    };
    let bad = Block::new(HashedHeader::new(header), vec![coinbase.clone()]);
    assert_eq!(verdict(&bad), (false, "bad-txnmrklroot".to_owned()));
    let block = Block::new(HashedHeader::new(header), vec![coinbase.clone(), tx]);
    assert_eq!(verdict(&block), (true, String::new()));
    assert_eq!(verdict(&block), (false, "duplicate".to_owned()));
    // A rival of the tip is kept, but nobody knows yet whether it is valid.
    let mut rival = Header { time: header.time + 1, ..header };
    solve_header(&node, &mut rival);
    let rival = Block::new(HashedHeader::new(rival), block.txs.clone());
    assert_eq!(verdict(&rival), (false, "inconclusive".to_owned()));
}

#[test]
fn better_templates_are_waited_for() {
    let node = Node::new();
    let mining = mining(&node);
    let hashes = node.mine(121);
    let first = template(&*mining);
    let never = i64::MAX;
    assert!(first.wait_next(fees(SOON, never)).unwrap().is_none());
    assert!(first.wait_next(fees(Duration::ZERO, 1)).unwrap().is_none());
    // Nothing less than none.
    assert!(first.wait_next(fees(SOON, 0)).unwrap().is_some());
    first.interrupt_wait().unwrap();
    assert!(first.wait_next(fees(TIMEOUT_FOREVER, never)).unwrap().is_none());
    let tx = node.spend(&hashes[0]);
    node.call("sendrawtransaction", json!([tx, 0]));
    let second = first.wait_next(fees(Duration::from_secs(20), 1)).unwrap().unwrap();
    let fee = second.get_tx_fees().unwrap()[0];
    assert!(first.get_tx_fees().unwrap().is_empty());
    assert!(first.wait_next(fees(SOON, fee.0)).unwrap().is_some());
    assert!(first.wait_next(fees(SOON, fee.0 + 1)).unwrap().is_none());
    assert!(second.wait_next(fees(SOON, 1)).unwrap().is_none());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| second.wait_next(fees(TIMEOUT_FOREVER, 1)).unwrap());
        std::thread::sleep(SOON);
        second.interrupt_wait().unwrap();
        assert!(waiting.join().unwrap().is_none());
        let waiting = scope.spawn(|| second.wait_next(fees(TIMEOUT_FOREVER, never)).unwrap());
        node.mine(1);
        let third = waiting.join().unwrap().unwrap();
        assert_eq!(third.get_coinbase_tx().unwrap().lock_time, 122);
        let waiting = scope.spawn(move || third.wait_next(fees(TIMEOUT_FOREVER, never)).unwrap());
        std::thread::sleep(SOON);
        node.0.request_shutdown();
        assert!(waiting.join().unwrap().is_none());
    });
}

#[test]
fn equal_templates_are_made_once() {
    let node = Node::new();
    let mining = mining(&node);
    let hashes = node.mine(121);
    let drafts = |options: &grs_mining::AssemblerOptions| {
        let (chainman, mempool) = (node.0.chainman().unwrap(), node.0.mempool().unwrap());
        node.0.drafts.make(chainman, mempool, options).unwrap().1
    };
    let options = grs_mining::AssemblerOptions::default();
    let first = drafts(&options);
    assert!(Arc::ptr_eq(&first, &drafts(&options)));
    let other = grs_mining::AssemblerOptions { reserved_weight: 3000, ..options.clone() };
    assert!(!Arc::ptr_eq(&first, &drafts(&other)));
    let again = drafts(&options);
    let tx = node.spend(&hashes[0]);
    let txid = node.call("sendrawtransaction", json!([tx, 0]));
    let with_tx = drafts(&options);
    assert!(!Arc::ptr_eq(&again, &with_tx));
    // It spends the premine of the first block.
    node.call("prioritisetransaction", json!([txid, 0, -30_000_000_000_000_i64]));
    assert_eq!((with_tx.parts.txs.len(), drafts(&options).parts.txs.len()), (2, 1));
    // Two templates of one draft do not share what a solution changes.
    let (one, two) = (template(&*mining), template(&*mining));
    let coinbase = solve(&node, &*one).1;
    one.submit_solution(0, 0, 0, coinbase).unwrap();
    assert_ne!(one.get_block().unwrap(), two.get_block().unwrap());
}

#[test]
fn cooldown_waits_for_announced_blocks() {
    let node = Node::new();
    let mining = mining(&node);
    node.mine(20);
    assert_eq!(mining.is_initial_block_download(), Ok(false));
    assert!(mining.create_new_block(BlockCreateOptions::default(), true).unwrap().is_some());
    let block = node.call("generateblock", json!(["raw(51)", [], false]));
    let hex = block["hex"].as_str().unwrap();
    node.call("submitheader", json!([&hex[..160]]));
    let cooling = || mining.create_new_block(BlockCreateOptions::default(), true).unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(cooling);
        std::thread::sleep(SOON);
        mining.interrupt().unwrap();
        assert!(waiting.join().unwrap().is_none());
        let begin = Instant::now();
        let waiting = scope.spawn(cooling);
        std::thread::sleep(SOON);
        node.call("submitblock", json!([hex]));
        assert_eq!(waiting.join().unwrap().unwrap().get_coinbase_tx().unwrap().lock_time, 21);
        assert!(begin.elapsed() < Duration::from_secs(3), "it waited for the window's end");
    });
}
