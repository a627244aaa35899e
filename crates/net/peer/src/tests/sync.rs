use std::sync::Arc;
use std::time::Duration;

use grs_primitives::{Amount, MutableTransaction, OutPoint, Script, TxIn, TxOut, TxRef};

use super::sim::{Clock, Net, Node, chain, mine, params};
use crate::ConnectionType::{Manual, OutboundFullRelay};
use crate::options::secs;

fn clock_at(height: u32) -> Clock {
    let clock = Clock::default();
    // Right after the last block of a chain of this length.
    clock.set(secs(u64::from(params().genesis.header.time) + u64::from(height) + 5));
    clock
}

#[test]
fn handshake_has_the_reference_order() {
    let clock = clock_at(0);
    let nodes = vec![Node::plain(&clock, 1), Node::plain(&clock, 2)];
    let mut net = Net::new(clock, nodes);
    let (a, b) = net.connect(0, 1, OutboundFullRelay);
    net.settle();
    assert_eq!(
        net.received(1)[..7],
        ["version", "wtxidrelay", "sendaddrv2", "verack", "getaddr", "sendcmpct", "ping"]
    );
    assert_eq!(net.received(0)[..6], ["version", "wtxidrelay", "sendaddrv2", "verack", "sendcmpct", "ping"]);
    assert_eq!((net.count(0, "pong"), net.count(1, "pong")), (1, 1));
    let stats = net.nodes[0].peers.stats(a).unwrap();
    assert_eq!((stats.version, stats.user_agent.as_str()), (70016, "/Groestlcoin:31.0.0/"));
    assert!(stats.successfully_connected && stats.relay_txs && stats.addr_relay_enabled);
    assert_eq!(stats.ping_time, Some(Duration::ZERO));
    assert!(stats.ping_wait.is_none());
    let stats = net.nodes[1].peers.stats(b).unwrap();
    assert_eq!(stats.address_local.unwrap().to_string(), "51.1.2.3:1331");
}

#[test]
fn a_node_connected_to_itself_notices() {
    let clock = clock_at(0);
    let mut net = Net::new(clock.clone(), vec![Node::plain(&clock, 1)]);
    let (a, _) = net.connect(0, 0, Manual);
    net.settle();
    assert!(!net.is_connected((0, a)));
}

#[test]
fn blocks_come_from_several_peers() {
    let blocks = chain(None, 400, 0);
    let clock = clock_at(400);
    let nodes: Vec<Node> = (0..4).map(|n| Node::plain(&clock, n)).collect();
    nodes[1..].iter().for_each(|n| n.add_blocks(&blocks));
    let mut net = Net::new(clock, nodes);
    for n in 1..4 {
        net.connect(0, n, OutboundFullRelay);
    }
    net.settle();
    assert_eq!(net.nodes[0].height(), 400);
    let from =
        |n: usize| net.log.iter().filter(|(to, f, name)| *to == 0 && *f == n && name == "block").count();
    assert!((1..4).all(|n| from(n) > 20), "{} {} {}", from(1), from(2), from(3));
    // Each block once.
    assert_eq!(from(1) + from(2) + from(3), 400);
    assert_eq!(net.nodes[0].chain.view().tip_hash(), blocks[399].hash());
}

#[test]
fn initial_download_asks_for_many_small_blocks() {
    let blocks = chain(None, 3000, 0);
    let clock = clock_at(3000 + 40 * 24 * 3600);
    let initial = |n| Node::new(&clock, n, |_| (), |o| o.max_tip_age = Duration::from_secs(3600));
    let nodes = vec![initial(0), Node::plain(&clock, 1)];
    nodes[1].add_blocks(&blocks);
    let mut net = Net::new(clock.clone(), nodes);
    let (a, _) = net.connect(0, 1, OutboundFullRelay);
    let mut most = 0;
    for _ in 0..40_000 {
        if !net.step() {
            break;
        }
        most = most.max(net.nodes[0].peers.stats(a).unwrap().in_flight.len());
    }
    assert!(net.nodes[0].chain.is_initial_block_download());
    assert_eq!(net.nodes[0].height(), 3000);
    assert!(most > 200, "{most} blocks in flight at most");
}

#[test]
fn new_blocks_are_announced_and_passed_on() {
    let blocks = chain(None, 20, 0);
    let clock = clock_at(20);
    let nodes: Vec<Node> = (0..3).map(|n| Node::plain(&clock, n)).collect();
    nodes[0].add_blocks(&blocks[..15]);
    let mut net = Net::new(clock, nodes);
    net.connect(1, 0, OutboundFullRelay);
    net.connect(1, 2, OutboundFullRelay);
    net.settle();
    assert!(net.nodes.iter().all(|n| n.height() == 15));
    for block in &blocks[15..] {
        net.nodes[0].add_blocks(std::slice::from_ref(block));
        net.settle();
    }
    assert!(net.nodes.iter().all(|n| n.height() == 20));
    assert!(net.count(1, "headers") >= 6, "announced by headers");
    assert_eq!(net.count(2, "block"), 20);
}

#[test]
fn the_chain_with_more_work_wins_everywhere() {
    let common = chain(None, 30, 0);
    let short = chain(Some((&common[29], 30)), 5, 1);
    let long = chain(Some((&common[29], 30)), 9, 2);
    let clock = clock_at(40);
    let nodes = vec![Node::plain(&clock, 1), Node::plain(&clock, 2)];
    nodes.iter().for_each(|n| n.add_blocks(&common));
    nodes[0].add_blocks(&short);
    nodes[1].add_blocks(&long);
    let mut net = Net::new(clock, nodes);
    net.connect(0, 1, OutboundFullRelay);
    net.settle();
    assert!(net.nodes.iter().all(|n| n.chain.view().tip_hash() == long[8].hash()));
}

#[test]
fn a_stalling_peer_is_replaced() {
    let blocks = chain(None, 1300, 0);
    let clock = clock_at(1300);
    let nodes: Vec<Node> =
        (0..3).map(|n| Node::new(&clock, n, |o| o.bulk_download = false, |_| ())).collect();
    nodes[1..].iter().for_each(|n| n.add_blocks(&blocks));
    let mut net = Net::new(clock.clone(), nodes);
    // Node 1 answers everything but requests for blocks.
    net.lose.push((1, "getdata"));
    let (bad, _) = net.connect(0, 1, OutboundFullRelay);
    net.settle();
    let (good, _) = net.connect(0, 2, OutboundFullRelay);
    net.settle();
    // The window cannot move beyond what the first one withholds.
    assert!(net.nodes[0].height() < 1300);
    assert_eq!(net.nodes[0].peers.stats(bad).unwrap().in_flight.len(), 16);
    clock.advance(secs(30));
    net.settle();
    assert!(!net.is_connected((0, bad)) && net.is_connected((0, good)));
    assert_eq!(net.nodes[0].height(), 1300);
}

#[test]
fn headers_of_little_work_are_looked_through_first() {
    let blocks = chain(None, 200, 0);
    let clock = clock_at(200);
    let work = grs_uint::block_work(params().genesis.header.bits)
        + grs_uint::block_work(blocks[0].header.bits) * 150;
    let small =
        |n| Node::new(&clock, n, |o| o.max_headers_result = 40, |o| o.minimum_chain_work = Some(work));
    let plain = |n| Node::new(&clock, n, |o| o.max_headers_result = 40, |_| ());
    let nodes = vec![small(0), plain(1), plain(2)];
    nodes[1].add_blocks(&blocks);
    nodes[2].add_blocks(&blocks[..120]);
    let mut net = Net::new(clock, nodes);
    // Too little work altogether: nothing is stored.
    let (weak, _) = net.connect(0, 2, Manual);
    net.settle();
    assert_eq!(net.nodes[0].chain.index().len(), 1);
    assert!(net.is_connected((0, weak)));
    net.connect(0, 1, Manual);
    net.settle();
    assert_eq!(net.nodes[0].height(), 200);
    // Both passes came from there.
    let headers = net.log.iter().filter(|(to, from, n)| *to == 0 && *from == 1 && n == "headers").count();
    assert!(headers >= 8, "{headers}");
}

fn spend(outpoint: OutPoint, value: i64) -> TxRef {
    let tx = MutableTransaction {
        version: 2,
        inputs: vec![TxIn::new(outpoint, u32::MAX)],
        // Large enough for the policy.
        outputs: vec![
            TxOut::new(Amount(value), Script::from(vec![0x51])),
            TxOut::new(Amount(10_000), Script::from(vec![0x51; 20])),
        ],
        lock_time: 0,
    };
    Arc::new(tx.into())
}

#[test]
fn transactions_travel_and_orphans_find_their_parents() {
    let blocks = chain(None, 125, 0);
    // The mempool looks at the real clock.
    let clock = Clock::default();
    clock.set(grs_sync::clock::now());
    let nodes: Vec<Node> = (0..3).map(|n| Node::plain(&clock, n)).collect();
    nodes.iter().for_each(|n| n.add_blocks(&blocks));
    let mut net = Net::new(clock, nodes);
    net.connect(1, 0, OutboundFullRelay);
    net.connect(1, 2, OutboundFullRelay);
    net.settle();
    net.run(secs(20));
    let parent = spend(OutPoint::new(blocks[0].txs[0].txid(), 0), 900_000);
    let child = spend(OutPoint::new(parent.txid(), 0), 800_000);
    let grandchild = spend(OutPoint::new(child.txid(), 0), 700_000);
    let accept = |net: &Net, tx: &TxRef| {
        let node = &net.nodes[0];
        let mut chain = node.chain.lock();
        let options = grs_mempool::AcceptOptions::single(net.clock.now().as_secs() as i64);
        let result = node.mempool.accept(&mut chain, tx, options);
        assert!(result.is_valid(), "{result:?}");
    };
    // Only the grandchild is announced: the others have to be asked for as parents.
    for tx in [&parent, &child, &grandchild] {
        accept(&net, tx);
    }
    net.nodes[0].peers.relay_transaction(&grandchild.txid(), &grandchild.wtxid());
    net.run(secs(3));
    let has = |net: &Net, n: usize, tx: &TxRef| net.nodes[n].mempool.get(&tx.txid()).is_some();
    for _ in 0..60 {
        net.run(secs(2));
        if has(&net, 2, &grandchild) {
            break;
        }
    }
    for n in 1..3 {
        assert!([&parent, &child, &grandchild].iter().all(|tx| has(&net, n, tx)), "node {n}");
        assert!(net.nodes[n].peers.orphans().is_empty());
    }
    // Once in a block, nobody asks for them any more.
    let block = mine(&blocks[124], 126, 0, vec![parent, child, grandchild]);
    net.nodes[0].add_blocks(&[block]);
    net.settle();
    assert!(net.nodes.iter().all(|n| n.height() == 126 && n.mempool.lock().is_empty()));
}

#[test]
fn invalid_transactions_are_not_asked_for_twice() {
    let blocks = chain(None, 122, 0);
    let clock = clock_at(122);
    let nodes: Vec<Node> = (0..2).map(|n| Node::plain(&clock, n)).collect();
    nodes.iter().for_each(|n| n.add_blocks(&blocks));
    let mut net = Net::new(clock, nodes);
    let (a, _) = net.connect(0, 1, OutboundFullRelay);
    net.settle();
    // More out than in.
    let bad = spend(OutPoint::new(blocks[0].txs[0].txid(), 0), 2_000_000);
    let inv = grs_wire::Message::Inv(vec![grs_wire::Inventory::wtxid(bad.wtxid())]);
    let say = |net: &Net, message: grs_wire::Message| {
        let incoming = crate::Incoming::from_message(message, net.clock.now());
        net.nodes[0].peers.process(a, incoming);
        net.nodes[0].peers.send_messages(a);
    };
    say(&net, inv.clone());
    net.settle();
    let asked = net.count(1, "getdata");
    assert_eq!(asked, 1);
    say(&net, grs_wire::Message::Tx(bad));
    say(&net, inv);
    net.settle();
    assert_eq!(net.count(1, "getdata"), 1);
    assert!(net.is_connected((0, a)), "an invalid transaction alone is no misbehaviour");
}
