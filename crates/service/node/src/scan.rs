//! Searching stored blocks for a wallet, in chunks.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use grs_chainstate::ChainstateManager;
use grs_encoding::decode_exact;
use grs_hashes::BlockHash;
use grs_interfaces::{
    BlockBytes, BlockRef, BlockScan, CallError, CallResult, NeedleSet, ScanChunk, ScanNeedles, ScanStatus,
    ScannedBlock,
};
use grs_primitives::Block;

use crate::chain_interface::max_time;

/// How long one chunk may take.
const CHUNK_TIME: Duration = Duration::from_millis(100);
/// Bytes of matching blocks after which a chunk ends.
const CHUNK_BYTES: usize = 4 << 20;

/// A scan over a chain.
pub(crate) struct NodeScan {
    chainman: Arc<ChainstateManager>,
    needles: Mutex<NeedleSet>,
    stop_height: Option<u32>,
}

impl NodeScan {
    pub(crate) fn start(
        chainman: Arc<ChainstateManager>,
        needles: ScanNeedles,
        stop_height: Option<u32>,
    ) -> Arc<dyn BlockScan> {
        let mut set = NeedleSet::new();
        set.add(needles);
        Arc::new(NodeScan { chainman, needles: Mutex::new(set), stop_height })
    }
}

impl BlockScan for NodeScan {
    fn next_chunk(
        &self,
        from_height: u32,
        expected_prev: Option<BlockHash>,
        added: ScanNeedles,
    ) -> CallResult<ScanChunk> {
        let mut needles = self.needles.lock().unwrap_or_else(PoisonError::into_inner);
        needles.add(added);
        let chain = self.chainman.view();
        let tip_height = u32::try_from(chain.height()).unwrap_or(0);
        let mut chunk = ScanChunk {
            blocks: Vec::new(),
            last: None,
            next_height: from_height,
            tip_height,
            progress: 0.0,
            status: ScanStatus::More,
        };
        let below = from_height.checked_sub(1).and_then(|h| chain.hash_at(h));
        if expected_prev.is_some_and(|expected| below != Some(expected)) {
            chunk.status = ScanStatus::Reorganized;
            return Ok(chunk);
        }
        let stop = self.stop_height.unwrap_or(u32::MAX).min(tip_height);
        let (start, mut bytes) = (Instant::now(), 0);
        loop {
            if chunk.next_height > stop {
                chunk.status = ScanStatus::Done;
                break;
            }
            if self.chainman.interrupt().is_interrupted() {
                chunk.status = ScanStatus::Interrupted;
                break;
            }
            let Some(id) = chain.at(chunk.next_height) else {
                chunk.status = ScanStatus::Done;
                break;
            };
            let Ok(raw) = self.chainman.store().read_raw(id) else {
                chunk.status = ScanStatus::MissingData;
                break;
            };
            let header = chain.index().header(id);
            let block = Block::decode_known(&mut grs_encoding::Reader::new(&raw), &header)
                .or_else(|_| decode_exact(&raw))
                .map_err(|e| CallError::remote(format!("Block {} on disk is damaged: {e}", header.hash())))?;
            let (hash, height) = (header.hash(), chunk.next_height);
            if needles.matches(&block) {
                bytes += raw.len();
                let max_time = max_time(&self.chainman, id);
                chunk.blocks.push(ScannedBlock { hash, height, max_time, data: BlockBytes(raw) });
            }
            chunk.last = Some(BlockRef { hash, height });
            chunk.progress = self.chainman.guess_verification_progress(Some(id));
            chunk.next_height += 1;
            if bytes >= CHUNK_BYTES || start.elapsed() >= CHUNK_TIME {
                break;
            }
        }
        Ok(chunk)
    }
}
