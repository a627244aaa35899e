//! Validation events: delivered in order, on one thread, to all subscribers.
//! Reference: `src/validationinterface.cpp`.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;

use grs_blockstore::BlockId;
use grs_consensus::BlockValidationError;
use grs_hashes::BlockHash;
use grs_log::{Category, debug};
use grs_primitives::{Block, BlockLocator};
use grs_sync::thread;

/// Events that may wait before validation waits for them.
const QUEUE_LIMIT: usize = 4096;

/// Which block an event is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlockInfo {
    /// Entry of the block index.
    pub id: BlockId,
    /// Height.
    pub height: u32,
    /// Block hash.
    pub hash: BlockHash,
}

/// A subscriber. Bodies do nothing by default.
///
/// The first group is called on the event thread, one event after the other; a subscriber may take the
/// chainstate lock there. The second group is called on the validating thread, mostly with that lock held, and
/// must not take it.
pub trait ValidationInterface: Send + Sync {
    /// A block was connected to the active chain.
    fn block_connected(&self, _block: &Arc<Block>, _info: BlockInfo) {}
    /// A block was disconnected from the active chain.
    fn block_disconnected(&self, _block: &Arc<Block>, _info: BlockInfo) {}
    /// The tip is another one; `fork` is the last block common with the chain before. Not for every block while
    /// many are connected.
    fn updated_block_tip(&self, _new: BlockInfo, _fork: Option<BlockId>, _initial_download: bool) {}
    /// What happened up to here is on disk.
    fn chainstate_flushed(&self, _locator: &BlockLocator) {}

    /// On the validating thread: the tip is another one.
    fn active_tip_change(&self, _new: BlockInfo, _initial_download: bool) {}
    /// On the validating thread: a block was checked in full, or found invalid.
    fn block_checked(&self, _block: &Arc<Block>, _result: Result<(), &BlockValidationError>) {}
    /// On the validating thread: a block with valid proof of work builds on the tip and is not checked in full yet.
    fn new_pow_valid_block(&self, _info: BlockInfo, _block: &Arc<Block>) {}
}

type Task = Box<dyn FnOnce() + Send>;

/// An event that waits for the event thread.
pub(crate) enum Event {
    Connected(Arc<Block>, BlockInfo),
    Disconnected(Arc<Block>, BlockInfo),
    Tip(BlockInfo, Option<BlockId>, BlockHash, bool),
    Flushed(BlockLocator),
    Task(Task),
}

struct Queue {
    events: VecDeque<Event>,
    /// Events being delivered.
    running: usize,
    waiting: bool,
    stop: bool,
}

type Subscribers = RwLock<Vec<(u64, Arc<dyn ValidationInterface>)>>;

struct Inner {
    queue: Mutex<Queue>,
    work: Condvar,
    drained: Condvar,
    subscribers: Subscribers,
}

/// The event queue and its subscribers.
pub struct ValidationSignals {
    inner: Arc<Inner>,
    thread: Mutex<Option<JoinHandle<()>>>,
    next_id: std::sync::atomic::AtomicU64,
}

impl Inner {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn each(&self, call: impl Fn(&dyn ValidationInterface)) {
        // A copy, so that subscribers may unregister in a callback.
        let list = self.subscribers.read().unwrap_or_else(PoisonError::into_inner).clone();
        list.iter().for_each(|(_, subscriber)| call(&**subscriber));
    }

    fn deliver(&self, event: Event) {
        match event {
            Event::Connected(block, info) => {
                debug!(
                    Category::Validation,
                    "BlockConnected: block hash={} block height={}", info.hash, info.height
                );
                self.each(|s| s.block_connected(&block, info));
            }
            Event::Disconnected(block, info) => {
                debug!(
                    Category::Validation,
                    "BlockDisconnected: block hash={} block height={}", info.hash, info.height
                );
                self.each(|s| s.block_disconnected(&block, info));
            }
            Event::Tip(new, fork, fork_hash, ibd) => {
                let fork_text = fork.map_or("null".to_owned(), |_| fork_hash.to_string());
                debug!(
                    Category::Validation,
                    "UpdatedBlockTip: new block hash={} fork block hash={} (in IBD={})",
                    new.hash,
                    fork_text,
                    ibd
                );
                self.each(|s| s.updated_block_tip(new, fork, ibd));
            }
            Event::Flushed(locator) => {
                let hash = locator.hashes.first().map_or("null".to_owned(), BlockHash::to_string);
                debug!(Category::Validation, "ChainStateFlushed: block hash={hash}");
                self.each(|s| s.chainstate_flushed(&locator));
            }
            Event::Task(task) => task(),
        }
    }

    fn serve(&self) {
        let mut queue = self.lock();
        loop {
            if queue.events.is_empty() {
                if queue.stop {
                    return;
                }
                queue.waiting = true;
                queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
                queue.waiting = false;
                continue;
            }
            // All at once: one wake-up and one lock for as many events as there are.
            let events = std::mem::take(&mut queue.events);
            queue.running = events.len();
            drop(queue);
            for event in events {
                self.deliver(event);
                // Waiters want to know when the queue gets short, not of each event.
                let mut queue = self.lock();
                queue.running -= 1;
                if queue.running == 0 {
                    self.drained.notify_all();
                }
            }
            queue = self.lock();
        }
    }
}

impl Default for ValidationSignals {
    fn default() -> Self {
        Self::new()
    }
}

impl ValidationSignals {
    /// Starts the event thread.
    pub fn new() -> ValidationSignals {
        let inner = Arc::new(Inner {
            queue: Mutex::new(Queue { events: VecDeque::new(), running: 0, waiting: false, stop: false }),
            work: Condvar::new(),
            drained: Condvar::new(),
            subscribers: RwLock::default(),
        });
        let serving = inner.clone();
        let thread = thread::spawn_critical("events", move || serving.serve()).ok();
        ValidationSignals { inner, thread: Mutex::new(thread), next_id: 1.into() }
    }

    /// Adds a subscriber; the number is for [`ValidationSignals::unregister`].
    pub fn register(&self, subscriber: Arc<dyn ValidationInterface>) -> u64 {
        let id = self.next_id.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        self.inner.subscribers.write().unwrap_or_else(PoisonError::into_inner).push((id, subscriber));
        id
    }

    /// Removes a subscriber. An event that is being delivered may still reach it.
    pub fn unregister(&self, id: u64) {
        self.inner.subscribers.write().unwrap_or_else(PoisonError::into_inner).retain(|(n, _)| *n != id);
    }

    /// Removes all subscribers.
    pub fn unregister_all(&self) {
        self.inner.subscribers.write().unwrap_or_else(PoisonError::into_inner).clear();
    }

    /// Whether anyone listens.
    pub fn has_subscribers(&self) -> bool {
        !self.inner.subscribers.read().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Runs a closure on the event thread, after what waits already.
    pub fn enqueue(&self, task: impl FnOnce() + Send + 'static) {
        self.push([Event::Task(Box::new(task))]);
    }

    pub(crate) fn push(&self, events: impl IntoIterator<Item = Event>) {
        let mut queue = self.inner.lock();
        queue.events.extend(events);
        let wake = queue.waiting;
        drop(queue);
        if wake {
            self.inner.work.notify_one();
        }
    }

    /// Events that are not delivered yet.
    pub fn pending(&self) -> usize {
        let queue = self.inner.lock();
        queue.events.len() + queue.running
    }

    /// Waits until everything that happened before is delivered. Not with the chainstate lock held, and not on
    /// the event thread.
    pub fn sync(&self) {
        let flag = Arc::new((Mutex::new(false), Condvar::new()));
        let other = flag.clone();
        self.enqueue(move || {
            *other.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            other.1.notify_all();
        });
        let mut done = flag.0.lock().unwrap_or_else(PoisonError::into_inner);
        while !*done {
            if self.inner.lock().stop {
                return;
            }
            let wait = std::time::Duration::from_millis(200);
            done = flag.1.wait_timeout(done, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Waits while very many events are pending, so that a slow subscriber bounds the memory.
    pub(crate) fn limit(&self) {
        let mut queue = self.inner.lock();
        while queue.events.len() + queue.running > QUEUE_LIMIT && !queue.stop {
            let wait = std::time::Duration::from_millis(100);
            queue = self.inner.drained.wait_timeout(queue, wait).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Delivers what waits and ends the thread.
    pub fn stop(&self) {
        self.inner.lock().stop = true;
        self.inner.work.notify_all();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread.filter(|t| t.thread().id() != std::thread::current().id()) {
            let _ = thread.join();
        }
    }

    pub(crate) fn active_tip_change(&self, new: BlockInfo, ibd: bool) {
        debug!(
            Category::Validation,
            "ActiveTipChange: new block hash={} block height={}", new.hash, new.height
        );
        self.inner.each(|s| s.active_tip_change(new, ibd));
    }

    pub(crate) fn block_checked(&self, block: &Arc<Block>, result: Result<(), &BlockValidationError>) {
        debug!(
            Category::Validation,
            "BlockChecked: block hash={} state={}",
            block.hash(),
            result.map_or_else(|e| e.to_string(), |()| "Valid".to_owned())
        );
        self.inner.each(|s| s.block_checked(block, result));
    }

    pub(crate) fn new_pow_valid_block(&self, info: BlockInfo, block: &Arc<Block>) {
        debug!(Category::Validation, "NewPoWValidBlock: block hash={}", info.hash);
        self.inner.each(|s| s.new_pow_valid_block(info, block));
    }
}

impl Drop for ValidationSignals {
    fn drop(&mut self) {
        self.stop();
    }
}
