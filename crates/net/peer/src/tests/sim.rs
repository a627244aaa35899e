use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use grs_addrman::{AddrMan, AddrManOptions, BanMan};
use grs_chainstate::{ChainstateManager, ChainstateOptions};
use grs_fs::MemEnv;
use grs_mempool::{Mempool, MempoolOptions};
use grs_params::{ChainParams, Network};
use grs_primitives::{
    Amount, Block, HashedHeader, Header, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut,
    block_merkle_root,
};
use grs_wire::{Message, NetAddress, Service};

use crate::{Action, ConnectionType, Incoming, NewPeer, PeerId, PeerManager, PeerOptions};

/// Time that all nodes of a test share.
#[derive(Clone, Default)]
pub struct Clock(Arc<AtomicU64>);

impl Clock {
    pub fn now(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(by.as_millis() as u64, Ordering::Relaxed);
    }
    pub fn set(&self, to: Duration) {
        self.0.store(to.as_millis() as u64, Ordering::Relaxed);
    }
}

pub fn params() -> Arc<ChainParams> {
    Arc::new(ChainParams::for_network(Network::Regtest))
}

/// A block on top of `prev`, mined.
pub fn mine(prev: &Block, height: u32, tag: u8, txs: Vec<Arc<Transaction>>) -> Arc<Block> {
    let mut script_sig = grs_consensus::height_script(height as i32);
    script_sig.extend([1, tag]);
    let coinbase = MutableTransaction {
        version: 2,
        inputs: vec![TxIn { script_sig: Script::from(script_sig), ..TxIn::new(OutPoint::NULL, u32::MAX) }],
        outputs: vec![TxOut::new(Amount(1_000_000), Script::from(vec![0x51]))],
        lock_time: 0,
    };
    let mut all = vec![Arc::new(Transaction::from(coinbase))];
    all.extend(txs);
    let mut header = Header {
        version: 0x2000_0000,
        prev: prev.hash(),
        time: prev.header.time + 1,
        bits: grs_uint::CompactTarget(0x2000_ffff),
        ..Header::default()
    };
    let draft = Block::new(HashedHeader::new(header), all);
    header.merkle_root = block_merkle_root(&draft).root;
    let consensus = params().consensus.clone();
    loop {
        let hashed = HashedHeader::new(header);
        if grs_consensus::check_proof_of_work(&hashed.hash(), header.bits, &consensus) {
            return Arc::new(Block::new(hashed, draft.txs));
        }
        header.nonce += 1;
    }
}

/// Blocks 1 to `count`, or as many on top of a given one.
pub fn chain(from: Option<(&Block, u32)>, count: u32, tag: u8) -> Vec<Arc<Block>> {
    let genesis = params().genesis.clone();
    let (mut prev, height) = match from {
        Some((block, height)) => (Arc::new(block.clone()), height),
        None => (Arc::new(genesis), 0),
    };
    (1..=count)
        .map(|n| {
            prev = mine(&prev, height + n, tag, Vec::new());
            prev.clone()
        })
        .collect()
}

pub struct Node {
    pub chain: Arc<ChainstateManager>,
    pub mempool: Arc<Mempool>,
    pub peers: Arc<PeerManager>,
}

impl Node {
    pub fn new(
        clock: &Clock,
        seed: u64,
        change: impl FnOnce(&mut PeerOptions),
        change_chain: impl FnOnce(&mut ChainstateOptions),
    ) -> Node {
        let mut options = ChainstateOptions::new(Arc::new(MemEnv::new()), params(), "/node");
        options.in_memory = true;
        options.coins_cache_bytes = 1 << 20;
        // Never in initial download, unless a test wants that.
        options.max_tip_age = Duration::from_secs(100 * 365 * 24 * 3600);
        change_chain(&mut options);
        let chain = ChainstateManager::open(options).unwrap();
        chain.import_blocks(&[]).unwrap();
        let mempool = Mempool::new(
            MempoolOptions { require_standard: false, ..Default::default() },
            chain.signals().clone(),
        );
        chain.set_mempool(mempool.clone());
        let bans = Arc::new(BanMan::open(None, 1000));
        let addrman = Arc::new(
            AddrMan::open(None, AddrManOptions { magic: params().magic, deterministic: true }).unwrap(),
        );
        let mut options = PeerOptions::new(params());
        options.seed = Some(seed);
        let time = clock.clone();
        options.clock = Arc::new(move || time.now());
        change(&mut options);
        let peers = PeerManager::new(options, chain.clone(), mempool.clone(), bans, addrman);
        Node { chain, mempool, peers }
    }

    pub fn plain(clock: &Clock, seed: u64) -> Node {
        Node::new(clock, seed, |_| (), |_| ())
    }

    pub fn add_blocks(&self, blocks: &[Arc<Block>]) {
        for block in blocks {
            assert!(self.chain.process_new_block(block.clone(), true, true).accepted);
        }
        self.chain.signals().sync();
    }

    pub fn height(&self) -> i32 {
        self.chain.view().height()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.peers.stop();
        self.chain.signals().stop();
    }
}

type End = (usize, PeerId);

/// Nodes and connections between them.
pub struct Net {
    pub clock: Clock,
    pub nodes: Vec<Node>,
    links: BTreeMap<End, End>,
    queues: BTreeMap<End, VecDeque<Incoming>>,
    /// Messages that are lost: by receiving node and type.
    pub lose: Vec<(usize, &'static str)>,
    /// Everything that was delivered: receiver, sender, type.
    pub log: Vec<(usize, usize, String)>,
    next_id: PeerId,
}

impl Net {
    pub fn new(clock: Clock, nodes: Vec<Node>) -> Net {
        Net {
            clock,
            nodes,
            links: BTreeMap::new(),
            queues: BTreeMap::new(),
            lose: Vec::new(),
            log: Vec::new(),
            next_id: 0,
        }
    }

    /// Connects node `from` to node `to`; returns the numbers of the connection at both.
    pub fn connect(&mut self, from: usize, to: usize, kind: ConnectionType) -> (PeerId, PeerId) {
        let (a, b) = (self.next_id, self.next_id + 1);
        self.next_id += 2;
        let now = self.clock.now();
        let address = |n: usize| Service::new(NetAddress::Ipv4([50 + n as u8, 1, 2, 3]), 1331);
        self.nodes[from].peers.connected(NewPeer::new(a, kind, address(to), now));
        self.nodes[to].peers.connected(NewPeer::new(b, ConnectionType::Inbound, address(from), now));
        self.links.insert((from, a), (to, b));
        self.links.insert((to, b), (from, a));
        self.queues.insert((from, a), VecDeque::new());
        self.queues.insert((to, b), VecDeque::new());
        (a, b)
    }

    pub fn is_connected(&self, end: End) -> bool {
        self.links.contains_key(&end)
    }

    fn disconnect(&mut self, end: End) {
        let Some(other) = self.links.remove(&end) else { return };
        self.links.remove(&other);
        for (node, id) in [end, other] {
            self.queues.remove(&(node, id));
            self.nodes[node].peers.disconnected(id);
        }
    }

    fn act(&mut self, node: usize) -> bool {
        let actions = self.nodes[node].peers.take_actions();
        let any = !actions.is_empty();
        for action in actions {
            match action {
                Action::Send(id, message) => self.deliver((node, id), message),
                Action::Disconnect(id) => self.disconnect((node, id)),
                Action::DisconnectAddress(_) => {}
            }
        }
        any
    }

    fn deliver(&mut self, from: End, message: Message) {
        let Some(to) = self.links.get(&from).copied() else { return };
        let name = message.message_type().to_owned();
        if self.lose.iter().any(|(node, lost)| *node == to.0 && *lost == name) {
            return;
        }
        self.log.push((to.0, from.0, name));
        let incoming = Incoming::from_message(message, self.clock.now());
        if let Some(queue) = self.queues.get_mut(&to) {
            queue.push_back(incoming);
        }
    }

    /// One turn of everybody; false if nothing happened.
    pub fn step(&mut self) -> bool {
        let mut busy = false;
        for node in 0..self.nodes.len() {
            let ends: Vec<End> = self.links.keys().filter(|(n, _)| *n == node).copied().collect();
            for end in ends {
                let Some(queue) = self.queues.get_mut(&end) else { continue };
                let next = queue.pop_front();
                busy |= next.is_some();
                let mut taken = next;
                let more =
                    self.nodes[node].peers.process_messages(end.1, || taken.take().map(|m| (m, false)));
                busy |= more;
                if let (Some(back), Some(queue)) = (taken, self.queues.get_mut(&end)) {
                    queue.push_front(back);
                }
                self.nodes[node].peers.send_messages(end.1);
                busy |= self.act(node);
            }
            self.nodes[node].chain.signals().sync();
        }
        busy
    }

    /// Turns until nothing happens any more.
    pub fn settle(&mut self) {
        for _ in 0..100_000 {
            if !self.step() && !self.step() {
                return;
            }
        }
        panic!("the network does not come to rest");
    }

    /// Lets time pass in steps.
    pub fn run(&mut self, time: Duration) {
        let end = self.clock.now() + time;
        while self.clock.now() < end {
            self.clock.advance(Duration::from_secs(1));
            self.settle();
        }
    }

    /// Types delivered to a node so far.
    pub fn received(&self, node: usize) -> Vec<&str> {
        self.log.iter().filter(|(to, _, _)| *to == node).map(|(_, _, name)| name.as_str()).collect()
    }

    pub fn count(&self, node: usize, name: &str) -> usize {
        self.received(node).iter().filter(|n| **n == name).count()
    }
}
