//! Each header is hashed once in the life of the process. Alone in its program, because the counter is global.
#![allow(clippy::unwrap_used)]

mod common;

use std::sync::Arc;

use common::{mine, open, options};
use grs_encoding::{decode_exact, encode_to_vec};
use grs_fs::MemEnv;
use grs_params::Network;
use grs_primitives::{Block, header_hash_count};

#[test]
fn accept_connect_and_serve_hash_a_header_once() {
    let env = MemEnv::new();
    let manager = open(options(&env, Network::Regtest));
    let mut raw = Vec::new();
    let mut tip = manager.params().genesis.clone();
    for height in 1..=40 {
        tip = mine(&tip, height, 0, 0, Vec::new());
        raw.push(encode_to_vec(&tip));
    }
    let before = header_hash_count();
    for data in &raw {
        let block: Block = decode_exact(data).unwrap();
        assert!(manager.process_new_block(Arc::new(block), true, true).new_block);
    }
    let view = manager.view();
    for height in 1..=40_u32 {
        let id = view.at(height).unwrap();
        assert_eq!(manager.store().read_raw(id).unwrap(), raw[height as usize - 1]);
        assert_eq!(manager.store().read_block(id).unwrap().hash(), view.hash_at(height).unwrap());
        assert_eq!(view.header_at(height).unwrap().hash(), view.hash_at(height).unwrap());
    }
    manager.invalidate_block(view.at(20).unwrap()).unwrap();
    manager.reconsider_block(view.at(20).unwrap()).unwrap();
    assert_eq!(manager.view().height(), 40);
    assert_eq!(header_hash_count() - before, 40);
}
