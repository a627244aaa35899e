use std::sync::Arc;

use grs_primitives::{Block, BlockLocator, HashedHeader, Header};
use grs_wire::{GetBlocks, Inventory, MSG_BLOCK, MSG_WITNESS_BLOCK, Message, NetAddress, Service, Version};

use super::sim::{Clock, Node, chain, mine, params};
use crate::options::secs;
use crate::{Action, ConnectionType, Incoming, NewPeer, PeerId, Permissions};

/// One node and peers that the test plays.
struct Played {
    node: Node,
    clock: Clock,
    next: PeerId,
}

fn address(n: PeerId) -> Service {
    Service::new(NetAddress::Ipv4([60, 1, 2, n as u8 + 1]), 1331)
}

impl Played {
    fn new(blocks: &[Arc<Block>]) -> Played {
        let clock = Clock::default();
        clock.set(secs(u64::from(params().genesis.header.time) + blocks.len() as u64 + 5));
        let node = Node::plain(&clock, 5);
        node.add_blocks(blocks);
        Played { node, clock, next: 0 }
    }

    fn connect(&mut self, kind: ConnectionType, permissions: Permissions) -> PeerId {
        let id = self.next;
        self.next += 1;
        let info = NewPeer { permissions, ..NewPeer::new(id, kind, address(id), self.clock.now()) };
        self.node.peers.connected(info);
        self.node.peers.send_messages(id);
        id
    }

    fn version() -> Version {
        Version {
            version: 70016,
            services: grs_wire::Services(0x409),
            time: 1,
            receiver: Default::default(),
            sender: Default::default(),
            nonce: 77,
            user_agent: "/test/".into(),
            start_height: 0,
            relay: true,
        }
    }

    fn handshake(&mut self, kind: ConnectionType, permissions: Permissions) -> PeerId {
        let id = self.connect(kind, permissions);
        self.say(id, Message::Version(Box::new(Self::version())));
        self.say(id, Message::WtxidRelay);
        self.say(id, Message::Verack);
        self.answer_pings(id);
        id
    }

    fn answer_pings(&self, id: PeerId) {
        for message in self.sent(id) {
            if let Message::Ping(Some(nonce)) = message {
                self.say(id, Message::Pong(nonce.to_le_bytes().to_vec()));
            }
        }
    }

    fn say(&self, id: PeerId, message: Message) {
        self.node.peers.process(id, Incoming::from_message(message, self.clock.now()));
        self.node.peers.send_messages(id);
    }

    fn actions(&self) -> Vec<Action> {
        self.node.chain.signals().sync();
        self.node.peers.take_actions()
    }

    fn disconnects(&self, id: PeerId) -> bool {
        self.actions().contains(&Action::Disconnect(id))
    }

    fn sent(&self, id: PeerId) -> Vec<Message> {
        self.actions()
            .into_iter()
            .filter_map(|a| match a {
                Action::Send(to, message) if to == id => Some(message),
                _ => None,
            })
            .collect()
    }
}

use ConnectionType::{BlockRelay, Inbound, Manual, OutboundFullRelay};

#[test]
fn nothing_is_processed_before_the_handshake() {
    let mut p = Played::new(&[]);
    let id = p.connect(Inbound, Permissions::NONE);
    for message in [Message::Ping(Some(1)), Message::GetAddr, Message::Verack, Message::SendHeaders] {
        p.say(id, message);
    }
    assert!(p.actions().is_empty(), "an inbound peer gets nothing before its version");
    p.say(id, Message::Version(Box::new(Played::version())));
    let first: Vec<String> = p.sent(id).iter().map(|m| m.message_type().to_owned()).collect();
    assert_eq!(first, ["version", "wtxidrelay", "sendaddrv2", "verack"]);
    p.say(id, Message::Ping(Some(1)));
    assert!(p.actions().is_empty(), "no pong before verack");
    p.say(id, Message::Verack);
    p.actions();
    p.say(id, Message::Ping(Some(1)));
    assert_eq!(p.sent(id), [Message::Pong(1_u64.to_le_bytes().to_vec())]);
}

#[test]
fn old_and_useless_peers_are_refused() {
    let mut p = Played::new(&[]);
    let id = p.connect(Inbound, Permissions::NONE);
    p.say(id, Message::Version(Box::new(Version { version: 31799, ..Played::version() })));
    assert!(p.disconnects(id));
    let id = p.connect(OutboundFullRelay, Permissions::NONE);
    p.say(id, Message::Version(Box::new(Version { services: grs_wire::Services(1), ..Played::version() })));
    assert!(p.disconnects(id), "no witnesses offered");
    let id = p.handshake(Inbound, Permissions::NONE);
    p.say(id, Message::WtxidRelay);
    assert!(p.disconnects(id), "wtxidrelay after verack");
}

#[test]
fn invalid_blocks_end_the_connection() {
    let blocks = chain(None, 3, 0);
    let mut p = Played::new(&blocks);
    let id = p.handshake(Inbound, Permissions::NONE);
    // Right header, wrong contents.
    let good = mine(&blocks[2], 4, 0, Vec::new());
    let other = mine(&blocks[2], 4, 1, Vec::new());
    p.say(id, Message::Block(Arc::new(Block::new(good.header, other.txs.clone()))));
    let actions = p.actions();
    assert!(actions.contains(&Action::Disconnect(id)));
    assert!(actions.contains(&Action::DisconnectAddress(address(id).address)));
    assert!(p.node.peers.bans().is_discouraged(&address(id).address));
    p.node.peers.disconnected(id);
    // A block that pays itself too much is found out when it is connected.
    let bad = {
        let mut coinbase = good.txs[0].to_mutable();
        coinbase.outputs[0].value = grs_primitives::Amount(200_000_000_000_000);
        let draft = Block::new(good.header, vec![Arc::new(coinbase.into())]);
        let mut header =
            Header { merkle_root: grs_primitives::block_merkle_root(&draft).root, ..*draft.header.header() };
        loop {
            let hashed = HashedHeader::new(header);
            if grs_consensus::check_proof_of_work(&hashed.hash(), header.bits, &params().consensus) {
                break Arc::new(Block::new(hashed, draft.txs.clone()));
            }
            header.nonce += 1;
        }
    };
    let id = p.handshake(Inbound, Permissions::NONE);
    p.say(id, Message::Block(bad.clone()));
    assert_eq!(p.node.height(), 3);
    assert!(p.disconnects(id));
    // Those with the permission stay, and manual peers.
    for (kind, permissions) in [(Inbound, Permissions::NO_BAN), (Manual, Permissions::NONE)] {
        let id = p.handshake(kind, permissions);
        p.say(id, Message::Headers(vec![bad.header]));
        assert!(!p.disconnects(id));
    }
    // The next one with the header of a known bad block.
    let id = p.handshake(OutboundFullRelay, Permissions::NONE);
    p.say(id, Message::Headers(vec![bad.header]));
    assert!(p.disconnects(id));
}

#[test]
fn strange_headers() {
    let blocks = chain(None, 10, 0);
    let mut p = Played::new(&blocks[..3]);
    let id = p.handshake(Inbound, Permissions::NONE);
    // Unconnecting: ask for what is between.
    p.clock.advance(secs(200));
    p.say(id, Message::Headers(vec![blocks[8].header]));
    assert!(p.sent(id).iter().any(|m| matches!(m, Message::GetHeaders(_))));
    // Once only for a while.
    p.say(id, Message::Headers(vec![blocks[9].header]));
    assert!(!p.sent(id).iter().any(|m| matches!(m, Message::GetHeaders(_))));
    p.say(id, Message::Headers(vec![blocks[3].header, blocks[5].header]));
    assert!(p.disconnects(id), "not continuous");
    let id = p.handshake(Inbound, Permissions::NONE);
    let bad = HashedHeader::new(Header {
        bits: grs_uint::CompactTarget(0x0300_0001),
        ..*blocks[3].header.header()
    });
    p.say(id, Message::Headers(vec![bad]));
    assert!(p.disconnects(id), "no proof of work");
    let id = p.handshake(Inbound, Permissions::NONE);
    p.say(id, Message::Inv(vec![Inventory { kind: MSG_BLOCK, hash: grs_hashes::Hash256::ZERO }; 50_001]));
    assert!(p.disconnects(id), "too many entries");
}

#[test]
fn requests_are_answered() {
    let blocks = chain(None, 30, 0);
    let mut p = Played::new(&blocks);
    let id = p.handshake(Inbound, Permissions::NONE);
    let locator = |n: usize| BlockLocator { hashes: vec![blocks[n].hash()] };
    let ask = |from, stop| GetBlocks { locator: locator(from), stop };
    p.say(id, Message::GetHeaders(ask(9, blocks[19].hash())));
    let Some(Message::Headers(list)) = p.sent(id).into_iter().next() else { panic!("no headers") };
    assert_eq!(list.len(), 10);
    assert_eq!(list[9].hash(), blocks[19].hash());
    p.say(id, Message::GetBlocks(ask(26, grs_hashes::BlockHash::ZERO)));
    let Some(Message::Inv(list)) = p.sent(id).into_iter().next() else { panic!("no inv") };
    assert_eq!(list, blocks[27..].iter().map(|b| Inventory::block(MSG_BLOCK, b.hash())).collect::<Vec<_>>());
    // Blocks come as stored, one each turn, in order; unknown entries are skipped.
    let wanted: Vec<Inventory> = vec![
        Inventory::block(MSG_WITNESS_BLOCK, blocks[4].hash()),
        Inventory { kind: 99, hash: grs_hashes::Hash256::ZERO },
        Inventory::block(MSG_BLOCK, blocks[5].hash()),
    ];
    p.say(id, Message::GetData(wanted));
    while p.node.peers.process_messages(id, || None) {}
    let sent: Vec<_> = p
        .sent(id)
        .iter()
        .map(|m| {
            let mut bytes = Vec::new();
            m.encode_payload(&mut bytes);
            match Message::decode("block", &bytes) {
                Ok(Message::Block(b)) => b.hash(),
                other => panic!("{other:?}"),
            }
        })
        .collect();
    assert_eq!(sent, [blocks[4].hash(), blocks[5].hash()]);
    // Transactions that are not there are named.
    let tx = Inventory { kind: grs_wire::MSG_WTX, hash: grs_hashes::Hash256::from_bytes([7; 32]) };
    p.say(id, Message::GetData(vec![tx]));
    assert_eq!(p.sent(id), [Message::NotFound(vec![tx])]);
    // Too long locators end the connection.
    let long = BlockLocator { hashes: vec![blocks[0].hash(); 102] };
    p.say(id, Message::GetHeaders(GetBlocks { locator: long, stop: grs_hashes::BlockHash::ZERO }));
    assert!(p.disconnects(id));
}

#[test]
fn blocks_come_through_a_bloom_filter() {
    let blocks = chain(None, 3, 0);
    let mut p = Played::new(&blocks);
    let refused = p.handshake(Inbound, Permissions::NONE);
    p.say(refused, Message::FilterClear);
    assert!(p.disconnects(refused), "filters are not offered to everybody here");
    let id = p.handshake(Inbound, Permissions::BLOOM);
    let ask =
        |n: usize| Message::GetData(vec![Inventory::block(grs_wire::MSG_FILTERED_BLOCK, blocks[n].hash())]);
    p.say(id, ask(1));
    assert!(p.sent(id).is_empty(), "no answer without a filter");
    let mut filter = grs_wire::BloomFilter::new(10, 0.000_001, 5, 0);
    filter.insert(blocks[1].txs[0].txid().as_bytes());
    p.say(id, Message::FilterLoad(filter.message().clone()));
    p.say(id, ask(1));
    let sent = p.sent(id);
    let [Message::MerkleBlock(proof), tx] = sent.as_slice() else { panic!("{sent:?}") };
    assert_eq!(proof.header.hash(), blocks[1].hash());
    let matches = proof.tree.extract_matches().unwrap();
    assert_eq!(matches.root, blocks[1].header.merkle_root);
    assert_eq!(matches.matches, [(0, blocks[1].txs[0].txid())]);
    assert_eq!(tx.message_type(), "tx");
    // Another block has nothing for this filter: a proof without transactions.
    p.say(id, ask(2));
    assert!(matches!(p.sent(id).as_slice(), [Message::MerkleBlock(_)]));
    p.say(id, Message::FilterAdd(blocks[2].txs[0].txid().as_bytes().to_vec()));
    p.say(id, ask(2));
    assert!(matches!(p.sent(id).as_slice(), [Message::MerkleBlock(_), _]));
    p.say(id, Message::FilterClear);
    p.say(id, ask(2));
    assert!(p.sent(id).is_empty());
    // Without a filter nothing can be added to it; too much is refused in any case.
    p.say(id, Message::FilterAdd(vec![1; 10]));
    assert!(p.disconnects(id));
    let id = p.handshake(Inbound, Permissions::BLOOM);
    let load = grs_wire::FilterLoad { data: vec![1; 36_001], hash_functions: 1, tweak: 0, flags: 0 };
    p.say(id, Message::FilterLoad(load));
    assert!(p.disconnects(id));
}

#[test]
fn a_slow_reader_is_not_served() {
    let blocks = chain(None, 5, 0);
    let mut p = Played::new(&blocks);
    let id = p.next;
    p.next += 1;
    let info = NewPeer::new(id, Inbound, address(id), p.clock.now());
    let pause = info.pause_send.clone();
    p.node.peers.connected(info);
    p.say(id, Message::Version(Box::new(Played::version())));
    p.say(id, Message::Verack);
    p.actions();
    pause.store(true, std::sync::atomic::Ordering::Relaxed);
    p.say(id, Message::GetData(vec![Inventory::block(MSG_WITNESS_BLOCK, blocks[0].hash())]));
    assert!(!p.node.peers.process_messages(id, || panic!("no message is taken")));
    assert!(p.sent(id).is_empty());
    pause.store(false, std::sync::atomic::Ordering::Relaxed);
    p.node.peers.process_messages(id, || None);
    assert_eq!(p.sent(id).len(), 1);
}

#[test]
fn silent_peers_time_out() {
    let mut p = Played::new(&[]);
    let id = p.handshake(Inbound, Permissions::NONE);
    p.clock.advance(secs(121));
    p.node.peers.send_messages(id);
    let ping = p.sent(id).into_iter().find_map(|m| match m {
        Message::Ping(Some(nonce)) => Some(nonce),
        _ => None,
    });
    p.clock.advance(secs(7));
    let nonce = ping.expect("a ping every two minutes");
    let waited = p.node.peers.stats(id).unwrap().ping_wait;
    assert!(waited >= Some(secs(7)), "{waited:?}");
    p.say(id, Message::Pong(nonce.to_le_bytes().to_vec()));
    assert_eq!(p.node.peers.stats(id).unwrap().ping_time, Some(secs(7)));
    p.node.peers.ping_all();
    p.node.peers.send_messages(id);
    p.actions();
    p.clock.advance(secs(20 * 60 + 1));
    p.node.peers.send_messages(id);
    assert!(p.disconnects(id), "no pong for twenty minutes");
}

#[test]
fn outbound_peers_must_keep_up() {
    let blocks = chain(None, 20, 0);
    let mut p = Played::new(&blocks);
    let id = p.handshake(BlockRelay, Permissions::NONE);
    // It has only the first ten blocks and says so.
    p.say(id, Message::Headers(vec![blocks[9].header]));
    p.actions();
    p.clock.advance(secs(20 * 60 + 1));
    p.node.peers.send_messages(id);
    let sent = p.actions();
    assert!(!sent.contains(&Action::Disconnect(id)));
    assert!(sent.iter().any(|a| matches!(a, Action::Send(_, Message::GetHeaders(_)))), "one last chance");
    p.clock.advance(secs(121));
    p.node.peers.send_messages(id);
    assert!(p.disconnects(id));
}

#[test]
fn blocks_nobody_asked_for() {
    let blocks = chain(None, 10, 0);
    let mut p = Played::new(&blocks);
    let id = p.handshake(Inbound, Permissions::NONE);
    // On top of the tip: taken. On a fork with less work: not stored. More work: the chain changes.
    let next = mine(&blocks[9], 11, 0, Vec::new());
    p.say(id, Message::Block(next));
    assert_eq!(p.node.height(), 11);
    let fork = chain(Some((&blocks[7], 8)), 6, 3);
    p.say(id, Message::Block(fork[0].clone()));
    let index = p.node.chain.index();
    let id_of = |b: &Block| index.lookup(&b.hash());
    assert!(id_of(&fork[0]).is_none_or(|b| !index.status(b).have_data()));
    // Headers first; then the blocks are asked for and come.
    p.say(id, Message::Headers(fork.iter().map(|b| b.header).collect()));
    let asked: usize = p
        .sent(id)
        .iter()
        .map(|m| match m {
            Message::GetData(list) => list.len(),
            _ => 0,
        })
        .sum();
    assert_eq!(asked, 6);
    for block in &fork {
        p.say(id, Message::Block(block.clone()));
    }
    assert_eq!(p.node.chain.view().tip_hash(), fork[5].hash());
    assert!(!p.disconnects(id));
}

#[test]
fn getblockfrompeer() {
    let blocks = chain(None, 3, 0);
    let mut p = Played::new(&blocks);
    let id = p.handshake(Inbound, Permissions::NONE);
    let block = p.node.chain.index().lookup(&blocks[1].hash()).unwrap();
    assert_eq!(p.node.peers.fetch_block(99, block).unwrap_err(), "Peer does not exist");
    p.node.peers.fetch_block(id, block).unwrap();
    assert_eq!(p.node.peers.fetch_block(id, block).unwrap_err(), "Already requested from this peer");
    assert_eq!(p.node.peers.stats(id).unwrap().in_flight, [2]);
    assert!(matches!(&p.sent(id)[..], [Message::GetData(list)] if list.len() == 1));
}

#[test]
fn addresses_are_rate_limited_and_passed_on() {
    let mut p = Played::new(&[]);
    let a = p.handshake(Inbound, Permissions::NONE);
    let b = p.handshake(Inbound, Permissions::NONE);
    p.say(b, Message::GetAddr);
    p.actions();
    let now = p.clock.now().as_secs() as u32;
    let entry = |n: u8| grs_wire::TimedAddress {
        service: Service::new(NetAddress::Ipv4([80, n, 1, 1]), 1331),
        services: grs_wire::Services(9),
        time: now,
    };
    p.say(a, Message::Addr((0..5).map(entry).collect()));
    let stats = p.node.peers.stats(a).unwrap();
    assert_eq!((stats.addr_processed, stats.addr_rate_limited), (1, 4));
    p.clock.advance(secs(300));
    p.node.peers.send_messages(b);
    let sent = p.sent(b);
    assert!(sent.iter().any(|m| matches!(m, Message::Addr(list) if list.len() == 1)), "{sent:?}");
    assert_eq!(p.node.peers.addrman().size(None, None), 1);
}

#[test]
fn any_messages() {
    let blocks = chain(None, 6, 0);
    let p = Played::new(&blocks[..4]);
    crate::fuzz::set_manager(p.node.peers.clone());
    let number = |name: &str| grs_wire::MESSAGE_TYPES.iter().position(|t| *t == name).unwrap() as u8;
    let message = |m: Message| {
        let mut payload = Vec::new();
        m.encode_payload(&mut payload);
        payload.resize(payload.len().next_multiple_of(4), 0);
        let mut out = vec![number(m.message_type()), (payload.len() / 4) as u8];
        out.extend(payload);
        out
    };
    let locator = BlockLocator { hashes: vec![blocks[1].hash()] };
    let ask = GetBlocks { locator, stop: grs_hashes::BlockHash::ZERO };
    let block = Inventory::block(MSG_WITNESS_BLOCK, blocks[2].hash());
    let compact = grs_wire::CompactBlock::new(&blocks[5], 7, |_, _| false);
    let corpus: Vec<Vec<u8>> = vec![
        message(Message::Headers(blocks[4..].iter().map(|b| b.header).collect())),
        message(Message::Block(blocks[4].clone())),
        [message(Message::GetHeaders(ask.clone())), message(Message::GetBlocks(ask))].concat(),
        [message(Message::GetData(vec![block, block])), message(Message::Inv(vec![block]))].concat(),
        message(Message::CompactBlock(Box::new(compact))),
        message(Message::Tx(blocks[1].txs[0].clone())),
        [message(Message::GetAddr), message(Message::Addr(vec![Default::default(); 3]))].concat(),
        [message(Message::Ping(Some(3))), message(Message::FeeFilter(1000)), message(Message::Mempool)]
            .concat(),
    ];
    let corpus: Vec<Vec<u8>> = (0..16_u8)
        .flat_map(|kind| corpus.iter().map(move |data| [&[kind][..], data].concat()).collect::<Vec<_>>())
        .collect();
    grs_testkit::run_fuzz(crate::fuzz::fuzz_messages, &corpus, 40);
}
