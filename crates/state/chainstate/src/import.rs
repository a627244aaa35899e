//! Blocks from files: `-reindex`, `-loadblock`. Reference: `ImportBlocks`, `LoadExternalBlockFile`.

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use grs_blockstore::{BlockFileReader, FilePos};
use grs_consensus::{BlockRule, check_block};
use grs_encoding::{Decode, Reader};
use grs_fs::OpenMode;
use grs_hashes::BlockHash;
use grs_log::{Category, debug, info, warn};
use grs_params::ChainParams;
use grs_primitives::{Block, HashedHeader};
use grs_sync::{SizedQueue, thread};

use crate::{BlockError, ChainstateManager, FatalError};

/// Bytes read and decoded ahead.
const AHEAD: usize = 32 << 20;
/// A group of blocks is handed over at this many blocks or bytes.
const GROUP_BLOCKS: usize = 256;
const GROUP_BYTES: usize = 2 << 20;

/// Blocks of a file whose parents were not known yet, by parent.
type Orphans = HashMap<BlockHash, Vec<(FilePos, Arc<Block>)>>;

/// A decoded block with the result of the checks that need no context.
struct Found {
    position: FilePos,
    block: Arc<Block>,
    checked: Result<(), BlockRule>,
}

impl ChainstateManager {
    /// Builds the index from the block files if a reindex is due, imports `files`, and connects what is stored.
    ///
    /// # Errors
    /// If the node cannot go on.
    pub fn import_blocks(&self, files: &[PathBuf]) -> Result<(), FatalError> {
        self.shared.store.set_importing(true);
        let result = self.import_all(files);
        // Cleared also after a failure, so that a later call is not locked out.
        self.shared.store.set_importing(false);
        if matches!(result, Ok(true)) {
            self.lock().update_initial_download();
        }
        result.map(|_| ())
    }

    fn import_all(&self, files: &[PathBuf]) -> Result<bool, FatalError> {
        let store = &self.shared.store;
        if !store.blockfiles_indexed() {
            let total = (0..).take_while(|n| store.block_files().exists(*n)).count() as u32;
            let mut orphans = Orphans::new();
            for file in 0..total {
                info!(
                    "Reindexing block file blk{file:05}.dat ({}% complete)...",
                    u64::from(file) * 100 / u64::from(total)
                );
                let Ok(reader) = store.scan_file(file) else { break };
                self.load_file(reader, Some(&mut orphans))?;
                if self.interrupt().is_interrupted() {
                    info!("Interrupt requested. Exit reindexing.");
                    return Ok(false);
                }
            }
            store.db().write_reindexing(false)?;
            store.set_blockfiles_indexed(true);
            info!("Reindexing finished");
            self.lock().load_genesis()?;
        }
        for path in files {
            let Ok(file) = self.options().env.open(path, OpenMode::Read) else {
                warn!("Could not open blocks file {}", path.display());
                continue;
            };
            info!("Importing blocks file {}...", path.display());
            self.load_file(BlockFileReader::plain(file, self.params().magic), None)?;
            if self.interrupt().is_interrupted() {
                info!("Interrupt requested. Exit block importing.");
                return Ok(false);
            }
        }
        self.activate_best_chain(None)?;
        Ok(true)
    }

    /// Takes in the blocks of a file. With `orphans` the file is one of ours: blocks stay where they are, and those
    /// whose parents come later are kept until then.
    fn load_file(
        &self,
        reader: BlockFileReader,
        mut orphans: Option<&mut Orphans>,
    ) -> Result<(), FatalError> {
        let start = Instant::now();
        let queue = SizedQueue::new(AHEAD);
        let (out, params) = (queue.clone(), self.params().clone());
        let own_file = orphans.is_some();
        let scanning = thread::spawn_quiet("blockscan", move || scan(reader, &params, &out))
            .map_err(|e| FatalError(format!("System error while loading external block file: {e}")))?;
        let mut loaded = 0;
        let mut result = Ok(());
        while let Ok(group) = queue.pop() {
            if self.interrupt().is_interrupted() {
                break;
            }
            result = self.take_group(group, orphans.as_deref_mut(), own_file, &mut loaded);
            if result.is_err() {
                break;
            }
        }
        queue.close();
        let _ = scanning.join();
        result?;
        info!("Loaded {loaded} blocks from external file in {}ms", start.elapsed().as_millis());
        Ok(())
    }

    fn take_group(
        &self,
        group: Vec<Found>,
        mut orphans: Option<&mut Orphans>,
        own_file: bool,
        loaded: &mut usize,
    ) -> Result<(), FatalError> {
        let genesis = self.params().consensus.genesis_hash;
        let mut activate = false;
        {
            // One hold of the lock for the group.
            let mut state = self.lock();
            let mut queue: VecDeque<Found> = group.into();
            while let Some(found) = queue.pop_front() {
                let (hash, prev) = (found.block.hash(), found.block.header.prev);
                let index = self.index();
                if hash != genesis && index.lookup(&prev).is_none() {
                    debug!(
                        Category::Reindex,
                        "LoadExternalBlockFile: Out of order block {hash}, parent {prev} not known"
                    );
                    if let Some(orphans) = &mut orphans {
                        orphans.entry(prev).or_default().push((found.position, found.block));
                    }
                    continue;
                }
                let known = index.lookup(&hash).filter(|id| index.status(*id).have_data());
                if let Some(id) = known {
                    if hash != genesis && index.height(id).is_multiple_of(1000) {
                        debug!(
                            Category::Reindex,
                            "Block Import: already had block {hash} at height {}",
                            index.height(id)
                        );
                    }
                } else {
                    let position = own_file.then_some(found.position);
                    let checked = found.checked.is_ok();
                    match state.accept_block(&found.block, true, position, true, checked) {
                        Ok(_) => *loaded += 1,
                        Err(BlockError::Invalid(_)) => {}
                        Err(BlockError::Fatal(error)) => return Err(error),
                    }
                }
                activate |= hash == genesis && state.tip().is_none();
                if let Some(children) = orphans.as_mut().and_then(|orphans| orphans.remove(&hash)) {
                    for (position, block) in children.into_iter().rev() {
                        debug!(
                            Category::Reindex,
                            "LoadExternalBlockFile: Processing out of order child {} of {hash}",
                            block.hash()
                        );
                        // Checked again where it is accepted.
                        queue.push_front(Found { position, block, checked: Err(BlockRule::HighHash) });
                    }
                }
            }
        }
        // Only the genesis block: connecting more now would check scripts that are assumed valid once all headers
        // are known.
        if activate {
            self.activate_genesis()?;
        }
        if self.store().is_prune_mode() && self.store().blockfiles_indexed() {
            self.activate_best_chain(None)?;
        }
        self.notify_header_tip();
        Ok(())
    }
}

fn scan(mut reader: BlockFileReader, params: &ChainParams, out: &SizedQueue<Vec<Found>>) {
    let (mut group, mut raw, mut bytes) =
        (Vec::with_capacity(GROUP_BLOCKS), Vec::with_capacity(GROUP_BLOCKS), 0);
    loop {
        let next = reader.next_block();
        let end = !matches!(next, Ok(Some(_)));
        if let Ok(Some((position, data))) = next {
            bytes += data.len();
            raw.push((position, data));
        }
        if !end && raw.len() < GROUP_BLOCKS && bytes < GROUP_BYTES {
            continue;
        }
        let mut bad = None;
        decode_group(&raw, params, &mut group, &mut bad);
        if let Some(position) = bad {
            // Not a block, though it began like one: look again right behind that beginning.
            debug!(
                Category::Reindex,
                "LoadExternalBlockFile: unexpected data at file offset 0x{:x}. continuing", position.pos
            );
            reader.rewind(position);
        }
        raw.clear();
        let full = std::mem::replace(&mut group, Vec::with_capacity(GROUP_BLOCKS));
        if out.push(full, std::mem::take(&mut bytes)).is_err() {
            return;
        }
        if end && bad.is_none() {
            out.close();
            return;
        }
    }
}

/// Decodes blocks up to the first that is none. Their headers are hashed together.
fn decode_group(
    raw: &[(FilePos, Vec<u8>)],
    params: &ChainParams,
    group: &mut Vec<Found>,
    bad: &mut Option<FilePos>,
) {
    let headers: Vec<_> = raw
        .iter()
        .map_while(|(_, data)| grs_primitives::Header::decode(&mut Reader::new(data)).ok())
        .collect();
    for (header, (position, data)) in HashedHeader::batch(&headers).iter().zip(raw) {
        let Ok(block) = Block::decode_known(&mut Reader::new(data), header) else {
            *bad = Some(*position);
            return;
        };
        let checked = check_block(&block, &params.consensus, true, true);
        group.push(Found { position: *position, block: Arc::new(block), checked });
    }
}
