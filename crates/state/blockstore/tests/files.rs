//! Block and undo files: place, pre-allocation, reading back, key, reopening, damage.
#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;

use grs_blockstore::{
    BlockFileReader, BlockId, BlockStatus, BlockStore, BlockStoreOptions, BlockUndo, HashCheck, ReadError,
    StoreError,
};
use grs_encoding::encode_to_vec;
use grs_fs::{FileEnv, MemEnv, OpenMode};
use grs_leveldb::{MemStore, Store};
use grs_primitives::{Block, HashedHeader, Header};
use grs_sync::Interrupt;
use grs_uint::CompactTarget;

const MAGIC: [u8; 4] = [0xfa, 0xbf, 0xb5, 0xda];

fn open(
    env: &MemEnv,
    db: &Arc<MemStore>,
    change: impl FnOnce(&mut BlockStoreOptions),
) -> Result<BlockStore, StoreError> {
    let mut options = BlockStoreOptions::new("/blocks", MAGIC);
    change(&mut options);
    let db: Arc<dyn Store> = db.clone();
    BlockStore::open(Arc::new(env.clone()), options, || Ok(db))
}

/// Adds a block without transactions on top of `prev`, as the chainstate does.
fn add(store: &BlockStore, prev: Option<BlockId>, nonce: u32) -> (BlockId, Block) {
    let index = store.index();
    let header = Header {
        prev: prev.map(|p| index.hash(p)).unwrap_or_default(),
        nonce,
        bits: CompactTarget(0x2000_ffff),
        time: 1_700_000_000,
        ..Header::default()
    };
    let block = Block::new(HashedHeader::new(header), Vec::new());
    let id = index.add(&block.header, prev).unwrap();
    let pos = store.write_block(&encode_to_vec(&block), index.height(id), block.header.time).unwrap();
    index.set_data_pos(id, pos);
    index.set_tx_count(id, 1);
    store.set_status(id, BlockStatus::VALID_TRANSACTIONS | BlockStatus::HAVE_DATA);
    (id, block)
}

fn len(env: &MemEnv, name: &str) -> u64 {
    env.file_len(&Path::new("/blocks").join(name)).unwrap()
}

#[test]
fn written_read_and_found_again() {
    for use_xor in [true, false] {
        let (env, db) = (MemEnv::new(), Arc::new(MemStore::new()));
        let store = open(&env, &db, |o| o.use_xor = use_xor).unwrap();
        let (genesis, first) = add(&store, None, 0);
        let (second, block) = add(&store, Some(genesis), 1);
        let undo = BlockUndo { txs: vec![Default::default(); 2] };
        store.write_undo(second, &undo).unwrap();
        // Before and after the bytes are in the files.
        for _ in 0..2 {
            assert_eq!(store.read_raw(genesis).unwrap(), encode_to_vec(&first));
            assert_eq!(store.read_block(second).unwrap(), block);
            assert_eq!(store.read_undo(second).unwrap(), undo);
            assert_eq!(store.read_raw_part(second, 4, 32).unwrap(), first.hash().as_bytes());
            assert_eq!(store.read_raw_part(second, 80, 2), Err(ReadError::BadPartRange));
            assert_eq!(store.read_raw_part(second, usize::MAX, 2), Err(ReadError::BadPartRange));
            assert_eq!(store.read_undo(genesis), Err(ReadError::Io));
            store.write_out().unwrap();
        }
        assert_eq!(len(&env, "blk00000.dat"), 16 << 20);
        assert_eq!(len(&env, "rev00000.dat"), 1 << 20);
        let raw = env.read(Path::new("/blocks/blk00000.dat")).unwrap();
        assert_eq!(raw[..4] == MAGIC, !use_xor);
        assert_eq!(len(&env, "xor.dat"), 8);
        store.flush_current().unwrap();
        store.write_index().unwrap();

        let mut reader = store.scan_file(0).unwrap();
        let (pos, data) = reader.next_block().unwrap().unwrap();
        assert_eq!((Some(pos), data), (store.index().data_pos(genesis), encode_to_vec(&first)));
        assert_eq!(reader.next_block().unwrap().unwrap().1, encode_to_vec(&block));
        assert!(reader.next_block().unwrap().is_none());

        // Opened again; a key cannot be switched off, and no key cannot be switched on.
        drop(store);
        let other = open(&env, &db, |o| o.use_xor = !use_xor);
        if use_xor {
            let error = other.err().unwrap().to_string();
            assert!(error.starts_with("The blocksdir XOR-key can not be disabled"), "{error}");
        }
        let store = open(&env, &db, |o| o.use_xor = use_xor).unwrap();
        let loaded = store.load_index(|_, _| true, HashCheck::All, &Interrupt::new()).unwrap();
        assert!(loaded.unlinked.is_empty());
        assert_eq!((store.index().len(), store.current_file()), (2, 0));
        let second = store.index().lookup(&block.hash()).unwrap();
        assert_eq!(store.read_block(second).unwrap(), block);
        assert_eq!(store.read_undo(second).unwrap(), undo);
        assert_eq!(store.index().chain_tx_count(second), 2);

        // One wrong bit is noticed.
        let file = env.open(Path::new("/blocks/rev00000.dat"), OpenMode::ReadWrite).unwrap();
        let mut byte = [0];
        file.read_at(&mut byte, 9).unwrap();
        file.write_at(&[byte[0] ^ 1], 9).unwrap();
        assert_eq!(store.read_undo(second), Err(ReadError::Io));
    }
}

#[test]
fn small_files_are_left_full_and_pruned() {
    let (env, db) = (MemEnv::new(), Arc::new(MemStore::new()));
    let store = open(&env, &db, |o| {
        o.fast_prune = true;
        o.prune_target = BlockStoreOptions::PRUNE_MANUAL;
    })
    .unwrap();
    let (mut tip, mut blocks) = (None, Vec::new());
    for nonce in 0..2000 {
        let (id, block) = add(&store, tip, nonce);
        store.write_undo(id, &BlockUndo::default()).unwrap();
        blocks.push((id, block));
        tip = Some(id);
    }
    // 89 bytes each with the frame: 736 fit into 64 KiB less one.
    assert_eq!(store.current_file(), 2);
    let info = store.file_info(0).unwrap();
    assert_eq!((info.blocks, info.size, info.height_last), (736, 736 * 89, 735));
    // Left files are cut to what they hold.
    assert_eq!(len(&env, "blk00000.dat"), 736 * 89);
    assert_eq!(len(&env, "rev00000.dat"), u64::from(info.undo_size));
    assert!(blocks.iter().all(|(id, block)| store.read_block(*id).unwrap() == *block));
    let usage = store.current_usage();

    assert!(store.prune_files_manual(0, 734).is_empty());
    let files = store.prune_files_manual(0, 735);
    assert_eq!(files.iter().copied().collect::<Vec<_>>(), [0]);
    store.set_have_pruned().unwrap();
    store.unlink_files(&files);
    assert!(!store.block_files().exists(0) && store.block_files().exists(1));
    assert!(store.current_usage() < usage);
    let (pruned, kept) = (blocks[735].0, blocks[736].0);
    assert!(store.is_block_pruned(pruned) && !store.is_block_pruned(kept));
    assert!(store.read_raw(pruned).is_err() && store.read_raw(kept).is_ok());
    let tip = blocks[1999].0;
    assert_eq!(store.first_block(tip, BlockStatus::HAVE_DATA, None), Some(kept));
    assert!(store.check_data_availability(tip, kept, BlockStatus::HAVE_DATA));
    assert!(!store.check_data_availability(tip, pruned, BlockStatus::HAVE_DATA));
    store.write_out().unwrap();
    store.write_index().unwrap();
    drop(store);
    let store = open(&env, &db, |o| o.prune_target = BlockStoreOptions::PRUNE_MANUAL).unwrap();
    store.load_index(|_, _| true, HashCheck::Sample, &Interrupt::new()).unwrap();
    assert!(store.have_pruned());
    assert_eq!((store.current_file(), store.index().len()), (2, 2000));
}

#[test]
fn a_missing_block_file_and_wrong_records_are_noticed() {
    let (env, db) = (MemEnv::new(), Arc::new(MemStore::new()));
    let store = open(&env, &db, |_| ()).unwrap();
    let (genesis, _) = add(&store, None, 0);
    let (_, block) = add(&store, Some(genesis), 1);
    store.flush_current().unwrap();
    store.write_index().unwrap();
    let load = |pow: bool| {
        let store = open(&env, &db, |_| ()).unwrap();
        store.load_index(|_, _| pow, HashCheck::All, &Interrupt::new()).map(|_| ())
    };
    assert!(load(true).is_ok());
    assert!(matches!(load(false), Err(StoreError::Corrupt(_))));
    // A record under another hash.
    let mut key = grs_blockstore::block_key(&block.hash());
    let value = db.get(&key).unwrap().unwrap();
    key[5] ^= 1;
    db.put(&key, &value, Default::default()).unwrap();
    assert!(matches!(load(true), Err(StoreError::Corrupt(_))));
    db.delete(&key, Default::default()).unwrap();
    assert!(load(true).is_ok());
    env.remove_file(Path::new("/blocks/blk00000.dat")).unwrap();
    assert!(matches!(load(true), Err(StoreError::Io(..))));
}

#[test]
fn a_full_disk_is_told() {
    let (env, db) = (MemEnv::new(), Arc::new(MemStore::new()));
    let store = open(&env, &db, |_| ()).unwrap();
    env.set_free_space(60 << 20);
    assert!(matches!(store.write_block(&[0; 100], 0, 0), Err(StoreError::OutOfSpace)));
}

#[test]
fn scanning_passes_over_what_is_no_block() {
    let env = MemEnv::new();
    let block = encode_to_vec(&Block::new(HashedHeader::new(Header::default()), Vec::new()));
    let framed = |block: &[u8]| [&MAGIC[..], &(block.len() as u32).to_le_bytes(), block].concat();
    let mut data = vec![0xfa; 5];
    data.extend(framed(&block));
    data.extend([1, 2, 3]);
    data.extend(framed(&[9; 40]));
    data.extend(framed(&[7; 100]));
    let inner = framed(&[[8; 10].to_vec(), framed(&block), vec![8; 300]].concat());
    data.extend(&inner);
    data.extend(&framed(&block)[..50]);
    env.write_synced(Path::new("/f"), &data).unwrap();
    let mut reader = BlockFileReader::plain(env.open(Path::new("/f"), OpenMode::Read).unwrap(), MAGIC);
    assert_eq!(reader.next_block().unwrap().unwrap().1, block);
    assert_eq!(reader.next_block().unwrap().unwrap().1, [7; 100]);
    let (pos, found) = reader.next_block().unwrap().unwrap();
    assert_eq!(found.len() + 8, inner.len());
    reader.rewind(pos);
    assert_eq!(reader.next_block().unwrap().unwrap().1, block);
    assert!(reader.next_block().unwrap().is_none());
}
