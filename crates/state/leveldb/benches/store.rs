//! Random reads, sorted batch writes and full iteration of coin-sized records.

use std::{hint::black_box, path::Path, sync::Arc};

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use grs_fs::RealEnv;
use grs_leveldb::{Batch, LevelDb, ObfuscatedStore, Options, Store, WriteOptions};

const RECORDS: u64 = 500_000;

/// A key like a coin's: a letter, a hash, an index.
fn key(n: u64) -> [u8; 34] {
    let mut key = [0; 34];
    key[0] = b'C';
    let mut x = n;
    for part in key[1..33].chunks_mut(8) {
        x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        part.copy_from_slice(&(z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb).to_le_bytes());
    }
    key
}

fn sorted_keys(from: u64, count: u64) -> Vec<[u8; 34]> {
    let mut keys: Vec<_> = (from..from + count).map(key).collect();
    keys.sort_unstable();
    keys
}

fn fill(store: &dyn Store, from: u64, count: u64) {
    let mut batch = Batch::with_capacity(1 << 20);
    for key in sorted_keys(from, count) {
        batch.put(&key, &key[..30]);
        if batch.approximate_size() > 16 << 20 {
            store.write(std::mem::take(&mut batch), WriteOptions::default()).expect("the disk takes it");
        }
    }
    store.write(batch, WriteOptions::SYNC).expect("the disk takes it");
}

fn open(dir: &Path, cache: usize) -> Arc<LevelDb> {
    Arc::new(LevelDb::open(RealEnv::shared(), dir, Options::for_cache(cache)).expect("a new directory opens"))
}

fn reads(c: &mut Criterion) {
    let temp = tempfile::tempdir().expect("there is a temporary directory");
    let db = open(temp.path(), 8 << 20);
    for part in 0..5 {
        fill(db.as_ref(), part * RECORDS / 5, RECORDS / 5);
    }
    db.compact_range(None, None).expect("it compacts");
    let store = ObfuscatedStore::open(db.clone(), false).expect("it opens");
    let mut group = c.benchmark_group("reads");
    let mut value = Vec::new();
    let mut n = 0u64;
    group.bench_function("random hit", |b| {
        b.iter(|| {
            n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            assert!(store.get_into(&key((n >> 30) % RECORDS), &mut value).expect("it reads"));
        });
    });
    group.bench_function("random miss", |b| {
        b.iter(|| {
            n = n.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            assert!(!store.get_into(&key(RECORDS + (n >> 30)), &mut value).expect("it reads"));
        });
    });
    group.sample_size(20).throughput(Throughput::Elements(RECORDS));
    group.bench_function("full iteration", |b| {
        b.iter(|| {
            let mut iter = store.iter().expect("it opens");
            iter.seek_to_first().expect("it reads");
            let mut count = 0;
            while iter.valid() {
                count += 1;
                black_box((iter.key(), iter.value()));
                iter.next().expect("it reads");
            }
            assert_eq!(count, RECORDS);
        });
    });
    group.finish();
}

fn writes(c: &mut Criterion) {
    let mut group = c.benchmark_group("writes");
    group.sample_size(10).throughput(Throughput::Elements(RECORDS));
    for (name, cache) in [("sorted batches, 8 MiB", 8 << 20), ("sorted batches, 64 MiB", 64 << 20)] {
        group.bench_function(name, |b| {
            b.iter_batched(
                || tempfile::tempdir().expect("there is a temporary directory"),
                |temp| {
                    fill(open(temp.path(), cache).as_ref(), 0, RECORDS);
                    temp
                },
                BatchSize::PerIteration,
            );
        });
    }
    group.finish();
}

criterion_group!(benches, reads, writes);
criterion_main!(benches);
