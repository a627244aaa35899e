//! The unchanging part of templates, shared between those that come out equal.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use grs_chainstate::{BlockId, ChainstateManager};
use grs_consensus::contextual_check_header;
use grs_encoding::{Encode, write_compact_size};
use grs_mempool::Mempool;
use grs_mining::{AssemblerOptions, AssemblyError, BlockTemplate, create_new_block, set_time};
use grs_primitives::{Header, TxRef};
use grs_sync::clock;

/// Serialized transaction lists that are kept, each up to 4 MB: those of the templates that miners look at.
const KEPT_LISTS: usize = 4;

/// An assembled block. Transactions are shared with the mempool.
pub(super) struct Draft {
    pub(super) parts: BlockTemplate,
    merkle_path: OnceLock<Vec<[u8; 32]>>,
    /// The transactions without the coinbase as bytes, while [`DraftMaker`] keeps them.
    list: Mutex<Weak<Vec<u8>>>,
}

impl Draft {
    /// Siblings of the coinbase in the Merkle tree. They do not depend on the coinbase.
    pub(super) fn merkle_path(&self) -> &[[u8; 32]] {
        self.merkle_path.get_or_init(|| self.parts.coinbase_merkle_path())
    }
}

/// The last draft, and what it was made of.
struct Cached {
    prev: BlockId,
    mempool_updates: u64,
    options: AssemblerOptions,
    draft: Arc<Draft>,
}

/// Makes drafts for all clients of a node. An equal one is not made twice: choosing the same transactions from an
/// unchanged mempool on the same tip, and checking the same block, would give the same.
#[derive(Default)]
pub(crate) struct DraftMaker {
    last: Mutex<Option<Cached>>,
    lists: Mutex<VecDeque<Arc<Vec<u8>>>>,
}

impl DraftMaker {
    /// Assembles a block on the tip; the header carries the present time.
    ///
    /// # Errors
    /// If there is no tip, or the block is not valid.
    pub(super) fn make(
        &self,
        manager: &ChainstateManager,
        mempool: &Mempool,
        options: &AssemblerOptions,
    ) -> Result<(Header, Arc<Draft>), AssemblyError> {
        let mut chain = manager.lock();
        let prev = chain.tip().ok_or(AssemblyError::NoTip)?;
        let mempool_updates = mempool.lock().transactions_updated();
        {
            let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
            let same = |cached: &&Cached| {
                cached.prev == prev
                    && (cached.mempool_updates == mempool_updates || !options.use_mempool)
                    && cached.options == *options
            };
            if let Some(cached) = last.as_ref().filter(same)
                && let Some(header) = refreshed(manager, prev, cached.draft.parts.header)
            {
                return Ok((header, cached.draft.clone()));
            }
        }
        let parts = create_new_block(manager, &mut chain, Some(mempool), options)?;
        drop(chain);
        let header = parts.header;
        let draft = Arc::new(Draft { parts, merkle_path: OnceLock::new(), list: Mutex::default() });
        let cached = Cached { prev, mempool_updates, options: options.clone(), draft: draft.clone() };
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some(cached);
        Ok((header, draft))
    }

    /// The block of a template as bytes.
    pub(super) fn block_bytes(&self, draft: &Draft, header: &Header, coinbase: &TxRef) -> Vec<u8> {
        let list = self.list(draft);
        let mut out = Vec::with_capacity(list.len() + coinbase.total_size() + grs_primitives::HEADER_LEN + 9);
        out.extend_from_slice(&header.to_bytes());
        write_compact_size(&mut out, draft.parts.txs.len() as u64);
        coinbase.encode(&mut out);
        out.extend_from_slice(&list);
        out
    }

    fn list(&self, draft: &Draft) -> Arc<Vec<u8>> {
        let mut kept = draft.list.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(list) = kept.upgrade() {
            return list;
        }
        let txs = draft.parts.txs.get(1..).unwrap_or_default();
        let mut list = Vec::with_capacity(txs.iter().map(|tx| tx.total_size()).sum());
        txs.iter().for_each(|tx| tx.encode(&mut list));
        let list = Arc::new(list);
        *kept = Arc::downgrade(&list);
        let mut lists = self.lists.lock().unwrap_or_else(PoisonError::into_inner);
        lists.push_back(list.clone());
        if lists.len() > KEPT_LISTS {
            lists.pop_front();
        }
        list
    }
}

/// The header of a kept draft with the present time; `None` if the block would not be valid with it.
fn refreshed(manager: &ChainstateManager, prev: BlockId, mut header: Header) -> Option<Header> {
    let (view, consensus) = (manager.header_view(prev), &manager.params().consensus);
    set_time(&mut header, view, consensus);
    contextual_check_header(&header, view, consensus, clock::now_secs()).ok()?;
    Some(header)
}
