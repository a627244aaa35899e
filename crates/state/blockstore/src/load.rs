//! Loading the index database into memory. Reference: `BlockManager::LoadBlockIndexDB`.

use grs_hashes::BlockHash;
use grs_log::{error, info};
use grs_primitives::{HashedHeader, Header};
use grs_sync::Interrupt;
use grs_uint::CompactTarget;

use crate::index::MAX_FILE_NUMBER;
use crate::record::DiskBlockIndex;
use crate::{BlockFileInfo, BlockId, BlockStatus, BlockStore, FilePos, StoreError};

/// How many stored hashes are compared with their headers at load. The database's key is the hash, so that
/// none has to be computed to load the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HashCheck {
    /// The newest two thousand headers and a spread of about a thousand others.
    Sample,
    /// All of them (`-checkblockindex`).
    All,
}

/// Headers that are hashed together.
const BATCH: usize = 1024;

/// What loading found.
#[derive(Debug, Default)]
pub struct LoadedIndex {
    /// Pairs of a block without data of its chain and a child that has data.
    pub unlinked: Vec<(BlockId, BlockId)>,
}

impl BlockStore {
    /// Loads all entries. `proof_of_work` decides whether a hash satisfies its target.
    ///
    /// # Errors
    /// If the database fails or what it holds does not fit together, and when interrupted.
    pub fn load_index(
        &self,
        proof_of_work: impl Fn(&BlockHash, CompactTarget) -> bool,
        check: HashCheck,
        interrupt: &Interrupt,
    ) -> Result<LoadedIndex, StoreError> {
        let mut entries: Vec<(BlockHash, DiskBlockIndex)> = Vec::new();
        self.db.for_each_block(|hash, entry| {
            if entries.len() & 0xfff == 0 && interrupt.is_interrupted() {
                return Err(StoreError::Interrupted);
            }
            if !proof_of_work(&hash, entry.header.bits) {
                error!("LoadBlockIndexGuts: CheckProofOfWork failed: {hash}");
                return Err(StoreError::Corrupt("CheckProofOfWork failed".into()));
            }
            if entry.file > MAX_FILE_NUMBER {
                return Err(StoreError::Corrupt(format!("block {hash} has an impossible file number")));
            }
            entries.push((hash, entry));
            Ok(())
        })?;
        let mut order: Vec<(u32, u32)> =
            entries.iter().enumerate().map(|(i, e)| (e.1.height, i as u32)).collect();
        order.sort_unstable();
        check_hashes(&entries, &order, check)?;
        self.index.reserve(entries.len());
        let mut loaded = LoadedIndex::default();
        let (mut last_height, mut last) = (None, None);
        for (height, at) in order {
            if last_height.is_some_and(|last| height > last + 1) {
                error!(
                    "LoadBlockIndex: block index is non-contiguous, index of height {} missing",
                    height - 1
                );
                return Err(StoreError::Corrupt("block index is non-contiguous".into()));
            }
            last_height = Some(height);
            let (hash, entry) = &entries[at as usize];
            last = Some(self.load_entry(hash, entry, last, &mut loaded)?);
        }
        drop(entries);
        self.load_files()?;
        Ok(loaded)
    }

    fn load_entry(
        &self,
        hash: &BlockHash,
        entry: &DiskBlockIndex,
        last: Option<BlockId>,
        loaded: &mut LoadedIndex,
    ) -> Result<BlockId, StoreError> {
        let index = &*self.index;
        let prev = if entry.header.prev.is_zero() {
            None
        } else {
            // In the order of heights the parent is nearly always the entry before.
            let before = last.filter(|last| index.hash(*last) == entry.header.prev);
            let prev = before.or_else(|| index.lookup(&entry.header.prev));
            if prev.is_none_or(|prev| index.height(prev) + 1 != entry.height) {
                return Err(StoreError::Corrupt(format!(
                    "parent of block {hash} is missing in the block index"
                )));
            }
            prev
        };
        let header = HashedHeader::from_trusted_parts(entry.header, *hash);
        let id = index.add_new(&header, prev).map_err(|e| StoreError::Corrupt(e.to_string()))?;
        index.set_data_pos(id, FilePos::new(entry.file, entry.data_pos));
        index.set_undo_pos(id, entry.undo_pos);
        index.set_tx_count(id, entry.tx_count);
        if entry.tx_count > 0 {
            match prev {
                None => index.set_chain_tx_count(id, u64::from(entry.tx_count)),
                Some(prev) => match index.chain_tx_count(prev) {
                    0 => loaded.unlinked.push((prev, id)),
                    before => index.set_chain_tx_count(id, before + u64::from(entry.tx_count)),
                },
            }
        }
        let mut status = entry.status;
        if status.contains(BlockStatus::FAILED_CHILD) {
            status = status.without(BlockStatus::FAILED_CHILD) | BlockStatus::FAILED_VALID;
        }
        if prev.is_some_and(|prev| index.status(prev).failed()) {
            status |= BlockStatus::FAILED_VALID;
        }
        index.set_status(id, status);
        if status != entry.status {
            self.mark_dirty(id);
        }
        Ok(id)
    }

    fn load_files(&self) -> Result<(), StoreError> {
        let last = self.db.read_last_file()?.unwrap_or(0).min(MAX_FILE_NUMBER);
        info!("Loading block index db: last block file = {last}");
        let mut infos: Vec<BlockFileInfo> = Vec::new();
        for file in 0..=last {
            infos.push(self.db.read_file_info(file)?.unwrap_or_default());
        }
        info!("Loading block index db: last block file info: {}", infos[last as usize]);
        while let Some(info) = self.db.read_file_info(infos.len() as u32)? {
            infos.push(info);
        }
        info!("Checking all blk files are present...");
        let mut used = vec![false; infos.len()];
        for id in self.index.ids() {
            if let Some(pos) = self.index.data_pos(id) {
                if used.len() <= pos.file as usize {
                    used.resize(pos.file as usize + 1, false);
                }
                used[pos.file as usize] = true;
            }
        }
        for (file, _) in used.iter().enumerate().filter(|(_, used)| **used) {
            self.seqs.blocks.open(file as u32, true).map_err(|e| StoreError::Io("open block file", e))?;
        }
        let have_pruned = self.db.read_flag("prunedblockfiles")?.unwrap_or(false);
        if have_pruned {
            info!("Loading block index db: Block files have previously been pruned");
        }
        {
            let mut files = self.files();
            (files.current, files.undo_height) = (infos.len() as u32 - 1, 0);
            (files.infos, files.have_pruned) = (infos, have_pruned);
        }
        if self.db.read_reindexing()? {
            self.set_blockfiles_indexed(false);
        }
        Ok(())
    }
}

/// Compares hashes with headers, in batches.
fn check_hashes(
    entries: &[(BlockHash, DiskBlockIndex)],
    order: &[(u32, u32)],
    check: HashCheck,
) -> Result<(), StoreError> {
    let newest = order.len().saturating_sub(2000);
    let step = match check {
        HashCheck::All => 1,
        HashCheck::Sample => (order.len() / 1000).max(1),
    };
    let mut batch: Vec<(BlockHash, Header)> = Vec::with_capacity(BATCH);
    let verify = |batch: &mut Vec<(BlockHash, Header)>| {
        let headers: Vec<Header> = batch.iter().map(|(_, header)| *header).collect();
        let wrong =
            HashedHeader::batch(&headers).iter().zip(batch.iter()).any(|(h, (hash, _))| h.hash() != *hash);
        batch.clear();
        if wrong { Err(StoreError::Corrupt("a block hash does not fit its header".into())) } else { Ok(()) }
    };
    for (n, (_, at)) in order.iter().enumerate() {
        if n >= newest || n % step == 0 {
            let (hash, entry) = &entries[*at as usize];
            batch.push((*hash, entry.header));
            if batch.len() == BATCH {
                verify(&mut batch)?;
            }
        }
    }
    verify(&mut batch)
}
