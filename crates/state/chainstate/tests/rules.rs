//! Invalid blocks, branches, unrequested blocks, templates, precious and invalidated blocks.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{Recorder, mine, muhash, open, options, remine};
use grs_chainstate::{BlockStatus, ChainstateManager};
use grs_fs::MemEnv;
use grs_params::Network;
use grs_primitives::{Amount, Block, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut};

struct Node {
    manager: Arc<ChainstateManager>,
    recorder: Arc<Recorder>,
}

impl Node {
    fn new(workers: usize) -> Node {
        let mut options = options(&MemEnv::new(), Network::Regtest);
        options.script_workers = workers;
        let manager = open(options);
        let recorder = Arc::new(Recorder::default());
        manager.signals().register(recorder.clone());
        Node { manager, recorder }
    }

    fn give(&self, block: &Block) -> bool {
        self.manager.process_new_block(Arc::new(block.clone()), true, true).accepted
    }

    /// The reason for which a block was refused, now or when it was connected.
    fn refusal(&self, block: &Block) -> String {
        self.manager.signals().sync();
        self.recorder.take();
        self.give(block);
        self.manager.signals().sync();
        let events = self.recorder.take();
        events.iter().find_map(|e| e.strip_prefix("invalid ")).unwrap_or("none").to_owned()
    }

    fn tip(&self) -> String {
        self.manager.view().tip_hash().to_string()
    }
}

/// Blocks 1 to `count`, whose coinbases pay the height in gro.
fn chain(node: &Node, count: i32) -> Vec<Block> {
    let mut blocks = vec![node.manager.params().genesis.clone()];
    for height in 1..=count {
        let block = mine(&blocks[blocks.len() - 1], height, 0, 1_000_000, Vec::new());
        assert!(node.give(&block));
        blocks.push(block);
    }
    assert_eq!(node.tip(), blocks[count as usize].hash().to_string());
    blocks
}

fn spend(block: &Block, value: i64, script: &[u8]) -> Arc<Transaction> {
    let input = TxIn::new(OutPoint::new(block.txs[0].txid(), 0), u32::MAX);
    let output = TxOut::new(Amount(value), Script::from(script));
    Arc::new(Transaction::from(MutableTransaction {
        version: 2,
        inputs: vec![input],
        outputs: vec![output],
        lock_time: 0,
    }))
}

#[test]
fn invalid_blocks_are_refused_with_the_references_reasons() {
    for workers in [0, 2] {
        let node = Node::new(workers);
        let blocks = chain(&node, 130);
        let tip = &blocks[130];
        let before = (node.tip(), muhash(&node.manager));
        let next = |pay, txs| mine(tip, 131, 1, pay, txs);
        let mut wrong = next(0, Vec::new());
        wrong.header = grs_primitives::HashedHeader::new(grs_primitives::Header {
            bits: grs_uint::CompactTarget(0x1d00_ffff),
            ..*wrong.header.header()
        });
        assert_eq!(node.refusal(&wrong), "high-hash");
        let good = next(0, Vec::new());
        let mut wrong = good.clone();
        wrong.txs.push(spend(&blocks[1], 1, &[0x51]));
        assert_eq!(node.refusal(&wrong), "bad-txnmrklroot");
        assert_eq!(node.refusal(&mine(tip, 132, 1, 0, Vec::new())), "bad-cb-height");
        assert_eq!(node.refusal(&next(60_000_000_000_000, Vec::new())), "bad-cb-amount");
        // Too young, spent twice, not there, worth less than it pays.
        let young = spend(&blocks[20], 1, &[0x51]);
        assert_eq!(node.refusal(&next(0, vec![young])), "bad-txns-premature-spend-of-coinbase");
        let (a, b) = (spend(&blocks[2], 5, &[0x51]), spend(&blocks[2], 6, &[0x51]));
        assert_eq!(node.refusal(&next(0, vec![a.clone(), b])), "bad-txns-inputs-missingorspent");
        let missing = spend(&next(9, Vec::new()), 1, &[0x51]);
        assert_eq!(node.refusal(&next(0, vec![missing])), "bad-txns-inputs-missingorspent");
        let greedy = spend(&blocks[2], 1_000_001, &[0x51]);
        assert_eq!(node.refusal(&next(0, vec![greedy])), "bad-txns-in-belowout");
        // A script that fails, behind some that do not.
        let mut txs: Vec<_> = (3..9).map(|n| spend(&blocks[n], 1, &[0x51])).collect();
        let unspendable = spend(&blocks[2], 9, &[0x00]);
        let input = TxIn::new(OutPoint::new(unspendable.txid(), 0), u32::MAX);
        let thief = MutableTransaction {
            version: 2,
            inputs: vec![input],
            outputs: vec![TxOut::new(Amount(1), Script::from(vec![0x51]))],
            lock_time: 0,
        };
        txs.extend([unspendable, Arc::new(Transaction::from(thief))]);
        let reason = node.refusal(&next(0, txs.clone()));
        assert!(reason.starts_with("block-script-verify-flag-failed ("), "{reason}");
        // A template is told the same, and leaves no trace.
        let template = node.manager.test_block_validity(&next(0, txs), false, true);
        assert!(template.unwrap_err().reason.starts_with("block-script-verify-flag-failed ("));
        assert_eq!((node.tip(), muhash(&node.manager)), before);
        let valid = next(0, vec![a]);
        assert_eq!(node.manager.test_block_validity(&valid, true, true), Ok(()));
        assert_eq!((node.tip(), muhash(&node.manager)), before);
        let elsewhere = mine(&blocks[129], 130, 7, 0, Vec::new());
        let reason = node.manager.test_block_validity(&elsewhere, true, true).unwrap_err().reason;
        assert_eq!(reason, "inconclusive-not-best-prevblk");
        // An invalid block stays so, and nothing is built on it; changed data does not make a block invalid.
        let bad = next(60_000_000_000_000, Vec::new());
        assert_eq!(node.refusal(&bad), "duplicate-invalid");
        assert_eq!(node.refusal(&mine(&bad, 132, 1, 0, Vec::new())), "bad-prevblk");
        let orphan = mine(&mine(&good, 132, 3, 0, Vec::new()), 133, 3, 0, Vec::new());
        assert_eq!(node.refusal(&orphan), "prev-blk-not-found");
        assert_eq!((node.tip(), muhash(&node.manager)), before);
        assert!(node.give(&valid));
        assert_eq!(node.tip(), valid.hash().to_string());
    }
}

#[test]
fn longer_branches_win_and_invalid_ones_are_left() {
    let node = Node::new(0);
    let blocks = chain(&node, 125);
    let on_main = spend(&blocks[1], 777, &[0x51]);
    let main = mine(&blocks[125], 126, 0, 0, vec![on_main]);
    assert!(node.give(&main));
    let at_main = muhash(&node.manager);
    // A branch from 120 with a bad block at its end, given from the far end: nothing connects before all is there.
    let mut branch = vec![blocks[120].clone()];
    for height in 121..=128 {
        let pay = if height == 128 { 1 << 50 } else { 5 };
        branch.push(mine(&branch[branch.len() - 1], height, 9, pay, Vec::new()));
    }
    let headers: Vec<_> = branch[1..].iter().map(|b| b.header).collect();
    let last = node.manager.process_new_headers(&headers, true).unwrap().unwrap();
    assert_eq!(node.manager.best_header(), Some(last));
    for block in branch[2..].iter().rev() {
        assert!(node.give(block));
        assert_eq!(node.tip(), main.hash().to_string());
    }
    node.manager.signals().sync();
    node.recorder.take();
    assert!(node.give(&branch[1]));
    // 127 is the best valid one.
    assert_eq!(node.tip(), branch[7].hash().to_string());
    assert!(node.manager.index().status(last).failed());
    assert_ne!(node.manager.best_header(), Some(last));
    node.manager.signals().sync();
    let events = node.recorder.take();
    let count = |what: &str| events.iter().filter(|e| e.starts_with(what)).count();
    assert_eq!((count("disconnected"), count("connected"), count("invalid bad-cb-amount")), (6, 7, 1));
    let at_branch = muhash(&node.manager);

    // Invalidated, the old chain is the best again; reconsidered, the branch is.
    let fork = node.manager.index().lookup(&branch[1].hash()).unwrap();
    node.manager.invalidate_block(fork).unwrap();
    node.manager.activate_best_chain(None).unwrap();
    assert_eq!((node.tip(), muhash(&node.manager)), (main.hash().to_string(), at_main.clone()));
    node.manager.reconsider_block(fork).unwrap();
    assert_eq!((node.tip(), muhash(&node.manager)), (branch[7].hash().to_string(), at_branch.clone()));

    // Of two equal tips the first stays, unless the other one is precious.
    let one = mine(&branch[7], 128, 1, 0, Vec::new());
    let two = mine(&branch[7], 128, 2, 0, Vec::new());
    assert!(node.give(&one) && node.give(&two));
    assert_eq!(node.tip(), one.hash().to_string());
    let id = |block: &Block| node.manager.index().lookup(&block.hash()).unwrap();
    node.manager.precious_block(id(&two)).unwrap();
    assert_eq!(node.tip(), two.hash().to_string());
    node.manager.precious_block(id(&one)).unwrap();
    assert_eq!(node.tip(), one.hash().to_string());
    node.manager.precious_block(id(&main)).unwrap();
    assert_eq!(node.tip(), one.hash().to_string());
    assert!(node.manager.index().status(id(&two)).contains(BlockStatus::HAVE_UNDO));
}

#[test]
fn unrequested_blocks_are_taken_only_when_useful() {
    let node = Node::new(0);
    let blocks = chain(&node, 10);
    let unrequested = |block: &Block| {
        let done = node.manager.process_new_block(Arc::new(block.clone()), false, true);
        assert!(done.accepted);
        done.new_block
    };
    // Less work than the tip: only the header is kept. The same work is enough.
    let weak = mine(&blocks[5], 6, 4, 0, Vec::new());
    assert!(!unrequested(&weak));
    assert!(node.manager.index().lookup(&weak.hash()).is_some());
    assert!(node.give(&weak));
    let equal = mine(&blocks[9], 10, 4, 0, Vec::new());
    assert!(unrequested(&equal));
    // Not more than 288 blocks ahead.
    let mut far = vec![blocks[10].clone()];
    for height in 11..=10 + 289 {
        far.push(mine(&far[far.len() - 1], height, 0, 0, Vec::new()));
    }
    let headers: Vec<_> = far[1..].iter().map(|b| b.header).collect();
    node.manager.process_new_headers(&headers, true).unwrap();
    assert!(!unrequested(&far[289]));
    assert!(unrequested(&far[288]));
    // Headers without enough known work are not kept.
    let unknown = mine(&blocks[3], 4, 8, 0, Vec::new());
    let refused = node.manager.process_new_headers(&[unknown.header], false).unwrap_err();
    assert_eq!(refused.reason, "too-little-chainwork");
    assert!(node.manager.index().lookup(&unknown.hash()).is_none());
    // A block changed on the way can come again unchanged.
    let mut changed = remine(&mine(&blocks[10], 11, 5, 0, Vec::new()));
    let whole = changed.clone();
    changed.txs.push(changed.txs[0].clone());
    assert!(!node.give(&changed));
    assert!(node.give(&whole));
}
