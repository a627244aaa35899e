//! Time and memory of loading a block index of a million headers from its database.
//!
//! `cargo bench -p grs-blockstore --bench index_load [-- HEADERS]`

use std::sync::Arc;
use std::time::Instant;

use grs_blockstore::{BlockStatus, BlockStore, BlockStoreOptions, DiskBlockIndex, HashCheck, block_key};
use grs_encoding::encode_to_vec;
use grs_fs::RealEnv;
use grs_leveldb::{Batch, DbParams, Store, WriteOptions, open_database};
use grs_primitives::{HashedHeader, Header};
use grs_sync::Interrupt;
use grs_uint::CompactTarget;

fn resident_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    status.split_whitespace().nth(1).and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 4096
}

/// Processor seconds of this process, all threads.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).filter_map(|n| n.parse::<f64>().ok()).sum::<f64>() / 100.0
}

fn main() {
    let count: u32 = std::env::args().filter_map(|a| a.parse().ok()).next().unwrap_or(1_000_000);
    let dir = tempfile::tempdir().expect("a temporary directory can be made");
    let env: Arc<dyn grs_fs::FileEnv> = Arc::new(RealEnv);
    let params = DbParams::new(dir.path().join("index"), 2 << 20);
    let open = || -> grs_leveldb::Result<Arc<dyn Store>> { Ok(Arc::new(open_database(&env, &params)?)) };
    {
        let store = open().expect("database opens");
        let mut prev = Default::default();
        let mut batch = Batch::new();
        for height in 0..count {
            let header = Header {
                version: 0x2000_0000,
                prev,
                time: 1_400_000_000 + height * 60,
                bits: CompactTarget(0x1b0f_0000 | height & 0xffff),
                nonce: height,
                ..Header::default()
            };
            let hashed = HashedHeader::new(header);
            let entry = DiskBlockIndex {
                height,
                status: BlockStatus(2),
                tx_count: 1,
                file: height >> 17,
                data_pos: height * 700,
                undo_pos: height * 41,
                header,
            };
            batch.put(&block_key(&hashed.hash()), &encode_to_vec(&entry));
            prev = hashed.hash();
            if batch.count() == 20_000 {
                store.write(std::mem::take(&mut batch), WriteOptions::default()).expect("database writes");
            }
        }
        store.write(batch, WriteOptions::default()).expect("database writes");
        store.compact_range(None, None).expect("database compacts");
    }
    let before = resident_bytes();
    let (begin, cpu) = (Instant::now(), cpu_seconds());
    let options = BlockStoreOptions::new(dir.path().join("blocks"), [1, 2, 3, 4]);
    let store = BlockStore::open(env.clone(), options, open).expect("store opens");
    store.load_index(|_, _| true, HashCheck::Sample, &Interrupt::new()).expect("index loads");
    let (seconds, cpu) = (begin.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let index = store.index();
    assert_eq!(index.len(), count as usize);
    println!(
        "{count} headers: {seconds:.3} s ({cpu:.2} s of processor), {:.1} bytes a header in the index, resident memory grew by {:.1} bytes a header",
        index.memory_usage() as f64 / f64::from(count),
        resident_bytes().saturating_sub(before) as f64 / f64::from(count)
    );
}
