//! The block filter index and its thread.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use grs_blockstore::{BlockId, ChainView, FilePos};
use grs_chainstate::{BlockInfo, ChainstateManager, ValidationInterface};
use grs_filter::BlockFilter;
use grs_fs::FileEnv;
use grs_hashes::{BlockHash, FilterHeader};
use grs_log::{error, info};
use grs_primitives::{Block, BlockLocator};
use grs_sync::thread;

use crate::IndexError;
use crate::filter_db::{FilterDb, FilterIndexParams, NAME};

/// Time between lines in the log, and between commits, while catching up.
const INTERVAL: Duration = Duration::from_secs(30);

/// Called when the index cannot go on; the node stops then.
pub type OnFatal = Box<dyn Fn(&str) + Send + Sync>;

/// How far an index has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexSummary {
    /// Name of the index.
    pub name: &'static str,
    /// Whether it has reached the tip once.
    pub synced: bool,
    /// Height of its last block.
    pub best_height: u32,
    /// Its last block; the first block of the chain before it has any.
    pub best_hash: BlockHash,
}

struct Progress {
    best: Option<BlockId>,
    /// Last block that the chain state has on disk.
    flushed: Option<BlockId>,
    synced: bool,
    /// Something happened that the thread has not looked at.
    news: bool,
    commit: bool,
    /// The thread works.
    running: bool,
    stop: bool,
    failed: bool,
}

struct Inner {
    chainman: Arc<ChainstateManager>,
    db: FilterDb,
    progress: Mutex<Progress>,
    changed: Condvar,
    on_fatal: OnFatal,
}

/// The index of basic block filters.
pub struct FilterIndex {
    inner: Arc<Inner>,
    subscription: u64,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Wakes the index; held by the chain's signals, which outlive it.
struct Listener(Weak<Inner>);

impl Listener {
    fn news(&self, note: impl FnOnce(&Inner, &mut Progress)) {
        if let Some(inner) = self.0.upgrade() {
            let mut progress = inner.lock();
            note(&inner, &mut progress);
            progress.news = true;
            inner.changed.notify_all();
        }
    }
}

impl ValidationInterface for Listener {
    fn block_connected(&self, _block: &Arc<Block>, info: BlockInfo) {
        self.news(|_, _| {});
        // Who waits until the events are through expects to find the block in the index.
        if let Some(inner) = self.0.upgrade() {
            inner.wait_for(info.id);
        }
    }

    fn chainstate_flushed(&self, locator: &BlockLocator) {
        self.news(|inner, progress| {
            let tip = locator.hashes.first().and_then(|hash| inner.chainman.index().lookup(hash));
            progress.flushed = tip.or(progress.flushed);
            progress.commit = true;
        });
    }
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until the index has a block, or the block has left the chain. False if the index has not caught up with
    /// the chain yet, or does not go on.
    fn wait_for(&self, block: BlockId) -> bool {
        let index = self.chainman.index();
        let mut progress = self.lock();
        loop {
            if !progress.synced || !progress.running || progress.stop || progress.failed {
                return false;
            }
            let has = |best| index.is_ancestor(block, best);
            if progress.best.is_some_and(has) || !self.chainman.view().contains(block) {
                return true;
            }
            let wait = Duration::from_millis(500);
            let waited = self.changed.wait_timeout(progress, wait);
            progress = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl FilterIndex {
    /// Opens the index of a chain that has been loaded; [`FilterIndex::start`] lets it follow.
    ///
    /// # Errors
    /// If database or files cannot be used, or do not belong to this chain.
    pub fn open(
        env: &Arc<dyn FileEnv>,
        params: &FilterIndexParams,
        chainman: &Arc<ChainstateManager>,
        on_fatal: OnFatal,
    ) -> Result<FilterIndex, IndexError> {
        let db = FilterDb::open(env, params)?;
        let known = |hash| chainman.index().lookup(&hash).ok_or(IndexError::UnknownBest(NAME));
        let best = db.best()?.map(known).transpose()?;
        // What the chain has now was read from the disk.
        let flushed = chainman.view().tip();
        let progress = Progress {
            best,
            flushed,
            synced: best.is_some() && best == flushed,
            news: false,
            commit: false,
            running: false,
            stop: false,
            failed: false,
        };
        let inner = Arc::new(Inner {
            chainman: chainman.clone(),
            db,
            progress: Mutex::new(progress),
            changed: Condvar::new(),
            on_fatal,
        });
        // Fails early if the last block's record is damaged.
        Writer::new(&inner)?;
        let subscription = chainman.signals().register(Arc::new(Listener(Arc::downgrade(&inner))));
        Ok(FilterIndex { inner, subscription, thread: Mutex::new(None) })
    }

    /// Starts the thread.
    ///
    /// # Errors
    /// If the system gives none.
    pub fn start(&self) -> Result<(), IndexError> {
        let inner = self.inner.clone();
        self.inner.lock().running = true;
        let thread = thread::spawn_critical("filterindex", move || inner.follow())?;
        *self.thread.lock().unwrap_or_else(PoisonError::into_inner) = Some(thread);
        Ok(())
    }

    /// Commits and ends the thread.
    pub fn stop(&self) {
        self.inner.chainman.signals().unregister(self.subscription);
        self.inner.lock().stop = true;
        self.inner.changed.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            error!("The thread of the {NAME} ended with a panic");
        }
    }

    /// How far it has come.
    pub fn summary(&self) -> IndexSummary {
        let (best, synced) = {
            let progress = self.inner.lock();
            (progress.best, progress.synced)
        };
        let index = self.inner.chainman.index();
        let genesis = || self.inner.chainman.view().hash_at(0).unwrap_or_default();
        IndexSummary {
            name: NAME,
            synced,
            best_height: best.map_or(0, |id| index.height(id)),
            best_hash: best.map_or_else(genesis, |id| index.hash(id)),
        }
    }

    /// Waits until the index has the present tip. False if it has not caught up with the chain yet, or cannot go on.
    pub fn wait_for_tip(&self) -> bool {
        match self.inner.chainman.view().tip() {
            Some(tip) => self.inner.wait_for(tip),
            None => self.inner.lock().synced,
        }
    }

    /// The filter of a block; `None` if it has none yet.
    ///
    /// # Errors
    /// If the index cannot be read or is damaged.
    pub fn filter(&self, id: BlockId) -> Result<Option<BlockFilter>, IndexError> {
        let index = self.inner.chainman.index();
        let entry = self.inner.db.entry(&index.hash(id), index.height(id))?;
        entry.map(|entry| self.inner.db.read(&entry)).transpose()
    }

    /// The filter header of a block; `None` if it has none yet.
    ///
    /// # Errors
    /// If the index cannot be read or is damaged.
    pub fn header(&self, id: BlockId) -> Result<Option<FilterHeader>, IndexError> {
        let index = self.inner.chainman.index();
        Ok(self.inner.db.entry(&index.hash(id), index.height(id))?.map(|entry| entry.header))
    }
}

impl Inner {
    fn follow(&self) {
        if let Err(e) = self.run() {
            error!("{NAME}: {e}");
            self.lock().failed = true;
            self.changed.notify_all();
            (self.on_fatal)(&format!("Failed to update the {NAME}: {e}"));
        }
    }

    fn run(&self) -> Result<(), IndexError> {
        let mut writer = Writer::new(self)?;
        let (mut logged, mut committed) = (Instant::now(), Instant::now());
        loop {
            {
                let mut progress = self.lock();
                if progress.stop {
                    drop(progress);
                    return writer.commit();
                }
                // What happens from here on is news again.
                progress.news = false;
            }
            let view = self.chainman.view();
            if let Some((fork, next)) = writer.next(&view) {
                writer.rewind(fork)?;
                writer.append(next)?;
                self.reached(&writer, false);
                if !self.lock().synced {
                    if logged.elapsed() >= INTERVAL {
                        info!(
                            "Syncing {NAME} with block chain from height {}",
                            self.chainman.index().height(next)
                        );
                        logged = Instant::now();
                    }
                    if committed.elapsed() >= INTERVAL {
                        writer.commit()?;
                        committed = Instant::now();
                    }
                }
                continue;
            }
            if !self.lock().synced {
                writer.commit()?;
                match writer.best {
                    Some(best) => info!("{NAME} is enabled at height {}", self.chainman.index().height(best)),
                    None => info!("{NAME} is enabled"),
                }
            }
            self.reached(&writer, true);
            let mut progress = self.lock();
            while !(progress.news || progress.stop) {
                progress = self.changed.wait(progress).unwrap_or_else(PoisonError::into_inner);
            }
            let commit = std::mem::take(&mut progress.commit);
            drop(progress);
            if commit {
                writer.commit()?;
            }
        }
    }

    fn reached(&self, writer: &Writer<'_>, tip: bool) {
        let mut progress = self.lock();
        progress.best = writer.best;
        progress.synced |= tip;
        self.changed.notify_all();
    }
}

/// What the thread knows.
struct Writer<'a> {
    inner: &'a Inner,
    best: Option<BlockId>,
    last_header: FilterHeader,
    next_pos: FilePos,
}

impl<'a> Writer<'a> {
    fn new(inner: &'a Inner) -> Result<Writer<'a>, IndexError> {
        let best = inner.lock().best;
        let next_pos = inner.db.next_pos()?;
        let mut writer = Writer { inner, best: None, last_header: FilterHeader::ZERO, next_pos };
        writer.set_best(best)?;
        Ok(writer)
    }

    fn set_best(&mut self, best: Option<BlockId>) -> Result<(), IndexError> {
        self.best = best;
        self.last_header = FilterHeader::ZERO;
        if let Some(id) = best {
            let index = self.inner.chainman.index();
            let entry = self.inner.db.entry(&index.hash(id), index.height(id))?;
            let missing = || IndexError::Corrupt("Cannot read last block filter header".to_owned());
            self.last_header = entry.ok_or_else(missing)?.header;
        }
        Ok(())
    }

    /// The last block that stays and the one that comes next; `None` at the tip.
    fn next(&self, view: &ChainView) -> Option<(Option<BlockId>, BlockId)> {
        let Some(best) = self.best else { return view.at(0).map(|genesis| (None, genesis)) };
        let fork = if view.contains(best) { best } else { view.find_fork(best)? };
        view.next(fork).map(|next| (Some(fork), next))
    }

    /// Takes blocks off the end, down to `to`.
    fn rewind(&mut self, to: Option<BlockId>) -> Result<(), IndexError> {
        let index = self.inner.chainman.index();
        let mut at = self.best;
        while at != to {
            let Some(id) = at else { break };
            self.inner.db.keep_by_hash(index.height(id), self.next_pos)?;
            at = index.prev(id);
        }
        if self.best != to { self.set_best(to) } else { Ok(()) }
    }

    fn append(&mut self, id: BlockId) -> Result<(), IndexError> {
        let (store, index) = (self.inner.chainman.store(), self.inner.chainman.index());
        let block = store.read_block(id)?;
        let height = index.height(id);
        let undo = if height > 0 { store.read_undo(id)? } else { Default::default() };
        let spent = undo.txs.iter().flat_map(|tx| &tx.spent).map(|coin| &*coin.out.script_pubkey);
        let filter = BlockFilter::basic(&block, spent);
        let header = filter.header(&self.last_header);
        self.next_pos = self.inner.db.append(self.next_pos, height, &filter, header)?;
        (self.best, self.last_header) = (Some(id), header);
        Ok(())
    }

    /// Commits as far as the chain state is on disk.
    fn commit(&self) -> Result<(), IndexError> {
        let index = self.inner.chainman.index();
        let Some((best, flushed)) = self.best.zip(self.inner.lock().flushed) else { return Ok(()) };
        let Some(common) = index.last_common_ancestor(best, flushed) else { return Ok(()) };
        self.inner.db.commit(self.next_pos, &index.locator(common))
    }
}
