//! Helpers of the tests with real sockets.
#![allow(dead_code, clippy::unwrap_used, missing_docs)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use grs_addrman::{AddrMan, AddrManOptions, BanMan};
use grs_chainstate::{ChainstateManager, ChainstateOptions};
use grs_fs::MemEnv;
use grs_mempool::{Mempool, MempoolOptions};
use grs_params::{ChainParams, Network};
use grs_peer::{PeerManager, PeerOptions};
use grs_primitives::{
    Amount, Block, HashedHeader, Header, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut,
    block_merkle_root,
};
use grs_socket::{ConnectionManager, SocketOptions};
use grs_wire::{NetAddress, Service, Services};

pub fn params() -> Arc<ChainParams> {
    Arc::new(ChainParams::for_network(Network::Regtest))
}

pub fn chain(count: u32) -> Vec<Arc<Block>> {
    let consensus = params().consensus.clone();
    let mut prev = Arc::new(params().genesis.clone());
    (1..=count)
        .map(|height| {
            let mut script_sig = grs_consensus::height_script(height as i32);
            script_sig.extend([1, 1]);
            let coinbase = MutableTransaction {
                version: 2,
                inputs: vec![TxIn {
                    script_sig: Script::from(script_sig),
                    ..TxIn::new(OutPoint::NULL, u32::MAX)
                }],
                outputs: vec![TxOut::new(Amount(1000), Script::from(vec![0x51]))],
                lock_time: 0,
            };
            let txs = vec![Arc::new(Transaction::from(coinbase))];
            let mut header = Header {
                version: 0x2000_0000,
                prev: prev.hash(),
                time: prev.header.time + 1,
                bits: grs_uint::CompactTarget(0x2000_ffff),
                ..Header::default()
            };
            let draft = Block::new(HashedHeader::new(header), txs);
            header.merkle_root = block_merkle_root(&draft).root;
            loop {
                let hashed = HashedHeader::new(header);
                if grs_consensus::check_proof_of_work(&hashed.hash(), header.bits, &consensus) {
                    prev = Arc::new(Block::new(hashed, draft.txs.clone()));
                    return prev.clone();
                }
                header.nonce += 1;
            }
        })
        .collect()
}

pub struct Node {
    pub chain: Arc<ChainstateManager>,
    pub net: Arc<ConnectionManager>,
}

impl Node {
    pub fn new(change: impl FnOnce(&mut SocketOptions)) -> Node {
        Node::with_services(change, Services::NONE)
    }

    /// One that speaks the encrypted transport.
    pub fn with_v2() -> Node {
        Node::with_services(|_| (), Services::P2P_V2)
    }

    fn with_services(change: impl FnOnce(&mut SocketOptions), services: Services) -> Node {
        let mut options = ChainstateOptions::new(Arc::new(MemEnv::new()), params(), "/node");
        options.in_memory = true;
        options.coins_cache_bytes = 1 << 20;
        options.max_tip_age = Duration::from_secs(100 * 365 * 24 * 3600);
        let chain = ChainstateManager::open(options).unwrap();
        chain.import_blocks(&[]).unwrap();
        let mempool = Mempool::new(MempoolOptions::default(), chain.signals().clone());
        let bans = Arc::new(BanMan::open(None, 1000));
        let options = AddrManOptions { magic: params().magic, deterministic: false };
        let addrman = Arc::new(AddrMan::open(None, options).unwrap());
        let mut options = PeerOptions::new(params());
        options.user_agent = "/test:1/".into();
        options.services = options.services.with(services);
        let peers = PeerManager::new(options, chain.clone(), mempool, bans.clone(), addrman.clone());
        let mut options = SocketOptions::new(params());
        options.listen = true;
        options.max_connections = 40;
        options.binds = vec![Service::new(NetAddress::Ipv4([127, 0, 0, 1]), 0)];
        change(&mut options);
        let net = ConnectionManager::new(options, peers, bans, addrman);
        net.start().unwrap();
        Node { chain, net }
    }

    pub fn address(&self) -> String {
        self.net.bound_addresses()[0].to_string()
    }

    pub fn add(&self, blocks: &[Arc<Block>]) {
        for block in blocks {
            assert!(self.chain.process_new_block(block.clone(), true, true).accepted);
        }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.net.stop();
        self.net.peer_manager().stop();
        self.chain.signals().stop();
    }
}

pub fn wait(what: &str, condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < end, "waited too long: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}
