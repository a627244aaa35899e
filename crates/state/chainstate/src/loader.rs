//! Reading blocks ahead of the thread that connects them: read, decode, hash and check in a thread of its own,
//! handed over in groups.

use std::sync::Arc;

use grs_blockstore::{BlockCursor, BlockId, BlockStore};
use grs_consensus::{BlockRule, check_block};
use grs_encoding::Reader;
use grs_params::ChainParams;
use grs_primitives::Block;
use grs_sync::{SizedQueue, thread};

/// Bytes read ahead.
const AHEAD: usize = 24 << 20;
/// A group is handed over at this many blocks or bytes.
const GROUP_BLOCKS: usize = 128;
const GROUP_BYTES: usize = 1 << 20;

/// A block with the result of the checks that need no context; `None` if it cannot be read.
pub(crate) type LoadedBlock = (BlockId, Option<(Arc<Block>, Result<(), BlockRule>)>);

/// Blocks of a path through the index, read ahead in order.
pub(crate) struct BlockLoader {
    queue: SizedQueue<Vec<LoadedBlock>>,
    group: std::vec::IntoIter<LoadedBlock>,
    last: BlockId,
}

impl BlockLoader {
    /// Starts to read `path`, whose blocks are all stored. `None` if there is no thread to do it.
    pub(crate) fn start(
        store: &Arc<BlockStore>,
        params: &Arc<ChainParams>,
        path: Vec<BlockId>,
    ) -> Option<BlockLoader> {
        let last = *path.last()?;
        // What waits for writing would not be found in the files.
        store.write_out().ok()?;
        let queue = SizedQueue::new(AHEAD);
        let (out, store, params) = (queue.clone(), store.clone(), params.clone());
        thread::spawn_quiet("blockread", move || {
            let mut cursor = BlockCursor::new(&store);
            let (mut group, mut bytes) = (Vec::with_capacity(GROUP_BLOCKS), 0);
            for id in path {
                let loaded = load(&store, &params, &mut cursor, id, &mut bytes);
                let failed = loaded.is_none();
                group.push((id, loaded));
                if group.len() == GROUP_BLOCKS || bytes >= GROUP_BYTES || failed {
                    let full = std::mem::replace(&mut group, Vec::with_capacity(GROUP_BLOCKS));
                    if out.push(full, std::mem::take(&mut bytes)).is_err() || failed {
                        return;
                    }
                }
            }
            // A closed queue means that nobody wants the rest.
            let _ = out.push(group, bytes);
        })
        .ok()?;
        Some(BlockLoader { queue, group: Vec::new().into_iter(), last })
    }

    /// The last block of the path.
    pub(crate) fn last(&self) -> BlockId {
        self.last
    }

    /// The next block, if it is `id`: otherwise the chain took another way and the loader is of no use.
    pub(crate) fn next_block(&mut self, id: BlockId) -> Option<LoadedBlock> {
        if self.group.len() == 0 {
            self.group = self.queue.pop().ok()?.into_iter();
        }
        self.group.next().filter(|(loaded, _)| *loaded == id)
    }
}

impl Drop for BlockLoader {
    fn drop(&mut self) {
        self.queue.close();
    }
}

fn load(
    store: &BlockStore,
    params: &ChainParams,
    cursor: &mut BlockCursor<'_>,
    id: BlockId,
    bytes: &mut usize,
) -> Option<(Arc<Block>, Result<(), BlockRule>)> {
    let index = store.index();
    let data = cursor.read(index.data_pos(id)?).ok()?;
    *bytes += data.len();
    let block = Block::decode_known(&mut Reader::new(data), &index.header(id)).ok()?;
    let result = check_block(&block, &params.consensus, true, true);
    Some((Arc::new(block), result))
}
