use std::time::Duration;

use super::sim::{Clock, Network_, Node, chain, params};
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
    let mut net = Network_::new(clock, nodes);
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
    let mut net = Network_::new(clock.clone(), vec![Node::plain(&clock, 1)]);
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
    let mut net = Network_::new(clock, nodes);
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
    let mut net = Network_::new(clock.clone(), nodes);
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
    let mut net = Network_::new(clock, nodes);
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
    let mut net = Network_::new(clock, nodes);
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
    let mut net = Network_::new(clock.clone(), nodes);
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
    let mut net = Network_::new(clock, nodes);
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
