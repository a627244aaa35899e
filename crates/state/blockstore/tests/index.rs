//! The index arena and the active chain against slow and simple models.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use grs_blockstore::{ActiveChain, BlockId, BlockIndex, BlockStatus, ENTRY_BYTES, FilePos};
use grs_hashes::BlockHash;
use grs_primitives::{HashedHeader, Header};
use grs_testkit::Rng;
use grs_uint::{CompactTarget, U256};

fn header(prev: BlockHash, nonce: u32, time: u32) -> HashedHeader {
    HashedHeader::new(Header {
        version: 4,
        prev,
        time,
        nonce,
        bits: CompactTarget(0x1e0f_ffff),
        ..Header::default()
    })
}

/// A tree of `count` headers in which every third or so begins a branch.
fn tree(count: usize, seed: u64) -> (Arc<BlockIndex>, Vec<(Option<usize>, HashedHeader)>) {
    let (index, mut rng) = (Arc::new(BlockIndex::new()), Rng(seed));
    let mut model: Vec<(Option<usize>, HashedHeader)> = Vec::new();
    for n in 0..count {
        let parent = match n {
            0 => None,
            _ if rng.below(3) > 0 => Some(n - 1),
            _ => Some(rng.below(n)),
        };
        let prev = parent.map_or(BlockHash::ZERO, |p| model[p].1.hash());
        let header = header(prev, n as u32, rng.below(1000) as u32);
        let id = index.add(&header, parent.and_then(|p| index.lookup(&model[p].1.hash()))).unwrap();
        assert_eq!(id.index(), n);
        // Again changes nothing.
        assert_eq!(index.add(&header, None).unwrap(), id);
        model.push((parent, header));
    }
    (index, model)
}

#[test]
fn agrees_with_a_model() {
    let (index, model) = tree(3000, 1);
    let id = |n: usize| index.id(n as u32).unwrap();
    let path = |n: usize| {
        let mut path = vec![n];
        while let Some(parent) = model[path[path.len() - 1]].0 {
            path.push(parent);
        }
        path.reverse();
        path
    };
    assert_eq!(index.len(), 3000);
    assert!(index.id(3000).is_none() && index.id(u32::MAX).is_none());
    let mut rng = Rng(2);
    for n in (0..3000).step_by(17) {
        let chain = path(n);
        let hash = model[n].1.hash();
        assert_eq!(index.lookup(&hash), Some(id(n)));
        assert_eq!((index.hash(id(n)), index.height(id(n)) as usize), (hash, chain.len() - 1));
        assert_eq!(index.header(id(n)), model[n].1);
        let work = U256::from(0x10_0001_u64) * U256::from(chain.len() as u64);
        assert_eq!(index.work(id(n)), work);
        for (height, block) in chain.iter().enumerate() {
            assert_eq!(index.ancestor(id(n), height as u32), Some(id(*block)));
        }
        assert_eq!(index.ancestor(id(n), chain.len() as u32), None);
        let mut times: Vec<u32> = chain.iter().rev().take(11).map(|b| model[*b].1.time).collect();
        times.sort_unstable();
        assert_eq!(index.median_time_past(id(n)), i64::from(times[times.len() / 2]));
        let other = rng.below(3000);
        let shared = chain.iter().zip(path(other)).take_while(|(a, b)| **a == *b).count() - 1;
        assert_eq!(index.last_common_ancestor(id(n), id(other)), Some(id(chain[shared])));
        let locator = index.locator(id(n)).hashes;
        assert_eq!((locator[0], *locator.last().unwrap()), (hash, model[0].1.hash()));
    }
    assert_eq!(index.lookup(&BlockHash::from_bytes([7; 32])), None);
}

#[test]
fn packed_fields_do_not_touch_each_other() {
    let (index, _) = tree(3, 3);
    let id = index.id(1).unwrap();
    index.set_tx_count(id, 16_666);
    index.set_chain_tx_count(id, 0x7_1234_5678);
    index.set_data_pos(id, FilePos::new(54_321, 99));
    index.set_undo_pos(id, 77);
    assert_eq!((index.data_pos(id), index.undo_pos(id)), (None, None));
    index.set_status(id, BlockStatus::VALID_SCRIPTS | BlockStatus::HAVE_DATA | BlockStatus::HAVE_UNDO);
    assert_eq!(index.data_pos(id), Some(FilePos::new(54_321, 99)));
    assert_eq!(index.undo_pos(id), Some(FilePos::new(54_321, 77)));
    assert_eq!((index.tx_count(id), index.chain_tx_count(id)), (16_666, 0x7_1234_5678));
    assert!(index.status(id).is_valid(BlockStatus::VALID_SCRIPTS));
    index.set_status(id, index.status(id) | BlockStatus::FAILED_VALID);
    assert!(!index.status(id).is_valid(BlockStatus::VALID_TREE));
    assert_eq!(index.tx_count(id), 16_666);
}

#[test]
fn memory_of_a_million_headers_stays_in_its_bound() {
    // The table grows by quarters from seven eighths full: at most 4 * 8 / 7 * 5 / 4 bytes a header.
    const _: () = assert!(ENTRY_BYTES + 4 * 8 * 5 / (7 * 4) < 130);
    let index = BlockIndex::new();
    let (mut prev, mut hash) = (None, BlockHash::ZERO);
    for n in 0..100_000_u32 {
        let mut bytes = [0; 32];
        bytes[..4].copy_from_slice(&n.to_le_bytes());
        bytes[8..12].copy_from_slice(&n.wrapping_mul(0x9e37_79b9).to_le_bytes());
        // Hashing a hundred thousand headers for their memory alone would only take time.
        let header = Header { prev: hash, nonce: n, bits: CompactTarget(0x1e0f_ffff), ..Header::default() };
        let hashed = if cfg!(debug_assertions) {
            HashedHeader::new(header)
        } else {
            HashedHeader::from_trusted_parts(header, BlockHash::from_bytes(bytes))
        };
        hash = hashed.hash();
        prev = Some(index.add(&hashed, prev).unwrap());
    }
    let each = index.memory_usage() as f64 / 100_000.0;
    // The last chunk is not full, and there is a fixed part of 128 kB.
    assert!(each < 140.0, "{each} bytes a header");
}

#[test]
fn active_chain_views_are_immutable() {
    let (index, model) = tree(600, 5);
    let chain = ActiveChain::new(index.clone());
    assert_eq!((chain.height(), chain.view().tip(), chain.view().at(0)), (-1, None, None));
    let path = |id: BlockId| -> Vec<BlockId> {
        (0..=index.height(id)).map(|h| index.ancestor(id, h).unwrap()).collect()
    };
    let mut rng = Rng(9);
    let mut views = Vec::new();
    for round in 0..300 {
        // Mostly forward, sometimes to any block at all.
        let tip = match chain.tip() {
            Some(tip) if rng.below(4) > 0 => {
                let child = index.ids().find(|c| index.prev(*c) == Some(tip));
                child.unwrap_or_else(|| index.id(rng.below(600) as u32).unwrap())
            }
            _ => index.id(rng.below(600) as u32).unwrap(),
        };
        chain.set_tip(Some(tip));
        let view = chain.view();
        assert_eq!((view.tip(), view.height()), (Some(tip), index.height(tip) as i32));
        views.push((view, path(tip)));
        if round % 10 == 0 {
            for (view, path) in &views {
                for (height, id) in path.iter().enumerate() {
                    assert_eq!(view.at(height as u32), Some(*id), "round {round}");
                    assert!(view.contains(*id));
                    assert_eq!(view.next(*id), path.get(height + 1).copied());
                }
                assert_eq!(view.at(path.len() as u32), None);
                let other = index.id(rng.below(600) as u32).unwrap();
                assert_eq!(view.find_fork(other), index.last_common_ancestor(other, path[path.len() - 1]));
            }
        }
    }
    let view = chain.view();
    assert_eq!(view.find_locator_fork(&view.locator()), view.tip());
    let strange = grs_primitives::BlockLocator { hashes: vec![BlockHash::from_bytes([1; 32])] };
    assert_eq!(view.find_locator_fork(&strange), view.at(0));
    assert_eq!(view.hash_at(0), Some(model[0].1.hash()));
}
