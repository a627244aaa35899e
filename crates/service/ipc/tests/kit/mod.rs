//! Test kit: simple objects behind the interfaces, and suites that cannot tell whether they are in this process.

#![allow(dead_code, reason = "each test program uses only some of it")]

mod fake;
mod gui;
mod suites;

pub use fake::{FakeChain, FakeInit, Recorder};
pub use gui::*;
pub use suites::*;

use grs_hashes::BlockHash;
use grs_hashes::Txid;
use grs_interfaces::{Hello, Init, Role};
use grs_primitives::{
    Amount, Block, HashedHeader, Header, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut,
};

use std::sync::Arc;

/// Makes the first call of a connection.
pub fn greet(init: &dyn Init) {
    init.hello(&Hello::new(Role::Other, "test")).unwrap();
}

/// A transaction that pays `script` and spends `prevout`.
pub fn transaction(prevout: OutPoint, script: &[u8], value: i64) -> Transaction {
    Transaction::from(MutableTransaction {
        version: 2,
        inputs: vec![TxIn::new(prevout, 0xffff_fffe)],
        outputs: vec![TxOut::new(Amount(value), Script::from(script))],
        lock_time: 7,
    })
}

/// A chain of blocks, each with a coinbase that pays a script of its own (`[height]`); the last spends the first's.
pub fn blocks(count: u32) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for height in 0..count {
        let prev = blocks.last().map_or(BlockHash::ZERO, Block::hash);
        let coinbase = transaction(OutPoint::NULL, &[height as u8], 5_000_000_000);
        let mut txs = vec![Arc::new(coinbase)];
        if height > 0 && height + 1 == count {
            let first = OutPoint::new(blocks[0].txs[0].txid(), 0);
            txs.push(Arc::new(transaction(first, b"elsewhere", 4_999_990_000)));
        }
        let header = Header { prev, time: 1_400_000_000 + height * 60, nonce: height, ..zero_header() };
        blocks.push(Block::new(HashedHeader::new(header), txs));
    }
    blocks
}

fn zero_header() -> Header {
    Header::from_bytes(&[0; 80])
}

/// A transaction id that nothing has.
pub fn unknown_txid() -> Txid {
    Txid::from_bytes([0x77; 32])
}
