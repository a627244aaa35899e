//! The coins cache against a plain map, over flushes, reopening and roll-backs.
#![allow(clippy::unwrap_used)]

use std::collections::HashMap;
use std::sync::Arc;

use grs_chainstate::{Coin, CoinsCache, CoinsDb};
use grs_hashes::{BlockHash, Txid};
use grs_leveldb::{FailingStore, MemStore, ObfuscatedStore, Store};
use grs_primitives::{Amount, OutPoint, Script, TxOut};
use proptest::prelude::*;

fn outpoint(n: u8) -> OutPoint {
    OutPoint::new(Txid::from_bytes([n % 7; 32]), u32::from(n / 7) * 100)
}

fn coin(value: i64, long: bool) -> Coin {
    let script = vec![0x51; if long { 60 } else { 25 }];
    Coin::new(TxOut::new(Amount(value), Script::from(script)), value as u32 & 0xffff, value & 1 == 1)
}

#[derive(Clone, Debug)]
enum Step {
    Add(u8, i64, bool),
    Spend(u8),
    Get(u8),
    Uncache(u8),
    Flush(bool),
    Reopen,
    /// Changes that are taken back.
    RollBack(Vec<(u8, bool)>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0_u8..40, 1_i64..1_000_000, any::<bool>()).prop_map(|(n, v, l)| Step::Add(n, v, l)),
        4 => (0_u8..40).prop_map(Step::Spend),
        2 => (0_u8..40).prop_map(Step::Get),
        1 => (0_u8..40).prop_map(Step::Uncache),
        1 => any::<bool>().prop_map(Step::Flush),
        1 => Just(Step::Reopen),
        2 => prop::collection::vec((0_u8..40, any::<bool>()), 0..12).prop_map(Step::RollBack),
    ]
}

fn change(cache: &mut CoinsCache, model: &mut HashMap<OutPoint, Coin>, n: u8, add: Option<Coin>) {
    let at = outpoint(n);
    match add {
        Some(coin) => {
            // As connecting a block does: an output that may be there is marked so.
            let overwrite = model.contains_key(&at);
            cache.add(at, &coin.out, coin.height, coin.coinbase, overwrite);
            model.insert(at, coin);
        }
        None => assert_eq!(cache.spend(&at).unwrap(), model.remove(&at)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]
    #[test]
    fn behaves_like_a_map(steps in prop::collection::vec(step(), 1..120)) {
        let store: Arc<dyn Store> = Arc::new(ObfuscatedStore::open(Arc::new(MemStore::new()), true).unwrap());
        // Batches of a few coins, so that most flushes take several.
        let db = || Arc::new(CoinsDb::new(store.clone(), 200));
        let mut cache = CoinsCache::new(db()).unwrap();
        let (mut model, mut tip) = (HashMap::new(), 0_u8);
        for step in steps {
            match step {
                Step::Add(n, value, long) => change(&mut cache, &mut model, n, Some(coin(value, long))),
                Step::Spend(n) => change(&mut cache, &mut model, n, None),
                Step::Get(n) => prop_assert_eq!(cache.get(&outpoint(n)).unwrap(), model.get(&outpoint(n)).cloned()),
                Step::Uncache(n) => cache.uncache(&outpoint(n)),
                Step::Flush(empty) => {
                    tip += 1;
                    cache.set_best_block(BlockHash::from_bytes([tip; 32]));
                    cache.flush(empty).unwrap();
                    prop_assert_eq!(cache.dirty_count(), 0);
                    prop_assert!(!empty || cache.is_empty());
                }
                Step::Reopen => {
                    tip += 1;
                    cache.set_best_block(BlockHash::from_bytes([tip; 32]));
                    cache.flush(true).unwrap();
                    cache = CoinsCache::new(db()).unwrap();
                    prop_assert_eq!(cache.best_block(), BlockHash::from_bytes([tip; 32]));
                    prop_assert!(db().head_blocks().unwrap().is_empty());
                    let mut cursor = db().cursor().unwrap();
                    let mut found = HashMap::new();
                    while let Some((at, coin)) = cursor.next_coin().unwrap() {
                        prop_assert!(found.insert(at, coin).is_none());
                    }
                    prop_assert_eq!(&found, &model);
                }
                Step::RollBack(changes) => {
                    let (mut scratch, usage, len) = (model.clone(), cache.memory_usage(), cache.dirty_count());
                    cache.begin();
                    for (n, add) in changes {
                        change(&mut cache, &mut scratch, n, add.then(|| coin(i64::from(n) + 1, n & 1 == 0)));
                    }
                    cache.roll_back();
                    prop_assert_eq!(cache.dirty_count(), len);
                    prop_assert!(cache.memory_usage() >= usage.min(1));
                }
            }
            for n in 0..40 {
                let at = outpoint(n);
                prop_assert_eq!(cache.have(&at).unwrap(), model.contains_key(&at));
                prop_assert_eq!(cache.peek(&at).unwrap(), model.get(&at).cloned());
            }
        }
    }
}

#[test]
fn an_interrupted_flush_is_visible_and_a_failed_one_can_be_repeated() {
    let inner: Arc<dyn Store> = Arc::new(MemStore::new());
    let failing = Arc::new(FailingStore::new(inner.clone()));
    let db = Arc::new(CoinsDb::new(failing.clone(), 100));
    let mut cache = CoinsCache::new(db.clone()).unwrap();
    for n in 0..40 {
        let coin = coin(i64::from(n) + 1, false);
        cache.add(outpoint(n), &coin.out, coin.height, coin.coinbase, false);
    }
    cache.set_best_block(BlockHash::from_bytes([1; 32]));
    failing.fail_writes(true);
    assert!(cache.flush(true).is_err());
    assert_eq!((cache.dirty_count(), db.best_block().unwrap()), (40, BlockHash::ZERO));
    failing.fail_writes(false);
    cache.flush(true).unwrap();
    assert_eq!(db.best_block().unwrap(), BlockHash::from_bytes([1; 32]));
    // In the middle of a write the database names both tips and no best block.
    let heads =
        grs_encoding::encode_to_vec(&[BlockHash::from_bytes([2; 32]), BlockHash::from_bytes([1; 32])][..]);
    inner.put(b"H", &heads, Default::default()).unwrap();
    inner.delete(b"B", Default::default()).unwrap();
    assert_eq!(db.head_blocks().unwrap().len(), 2);
    assert_eq!(db.best_block().unwrap(), BlockHash::ZERO);
    cache.set_best_block(BlockHash::from_bytes([3; 32]));
    assert!(cache.flush(true).is_err(), "only the interrupted write may be finished");
    cache.set_best_block(BlockHash::from_bytes([2; 32]));
    cache.flush(true).unwrap();
    assert!(db.head_blocks().unwrap().is_empty());
}
