//! Threads of the contract: first in, first out for each, concurrent between them, re-entrant for callbacks.
//!
//! A [`Strand`] stands for one `Thread` capability. It is a queue, not an operating system thread: a pool thread
//! executes its jobs while there are any. The thread which executes a job, or an ordinary thread of the program, waits
//! for the answers of its own calls in [`Strand::wait`]; while it does, a job that arrives over the same connection is
//! a callback of that very call (or a call made by such a callback) and is executed right there.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::connection::Connection;
use crate::event_loop::OnLoop;
use crate::proxy_capnp::thread;

/// How long an unused pool thread stays.
const IDLE: Duration = Duration::from_secs(10);

/// Locks, and goes on after a panic of another holder: the data are consistent between statements.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A request to execute.
pub(crate) struct StrandJob {
    /// The connection it came over.
    pub(crate) conn: u64,
    /// The caller's thread for callbacks.
    pub(crate) callback: Option<OnLoop<thread::Client>>,
    /// The work.
    pub(crate) run: Box<dyn FnOnce() + Send>,
}

#[derive(Default)]
struct State {
    queue: VecDeque<StrandJob>,
    nested: VecDeque<StrandJob>,
    /// A pool thread executes the queue, or is about to.
    scheduled: bool,
    /// Connections of the calls that are being waited for, innermost last.
    waits: Vec<u64>,
}

/// The queue of one `Thread`.
pub(crate) struct Strand {
    /// Tells strands apart.
    pub(crate) id: u64,
    /// Name in log lines.
    pub(crate) name: String,
    pool: Arc<WorkerPool>,
    state: Mutex<State>,
    cond: Condvar,
    /// Connections that keep something for this strand.
    used: Mutex<Vec<Connection>>,
    /// Nobody can name it any more; what it still executes is the last.
    released: AtomicBool,
}

impl Strand {
    pub(crate) fn new(name: String, pool: Arc<WorkerPool>) -> Arc<Strand> {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Arc::new(Strand {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            name,
            pool,
            state: Mutex::default(),
            cond: Condvar::new(),
            used: Mutex::default(),
            released: AtomicBool::new(false),
        })
    }

    /// Hands a job over.
    pub(crate) fn post(self: &Arc<Self>, job: StrandJob) {
        let mut state = lock(&self.state);
        if state.waits.last() == Some(&job.conn) {
            state.nested.push_back(job);
            drop(state);
            self.cond.notify_all();
        } else {
            state.queue.push_back(job);
            self.schedule(&mut state);
        }
    }

    /// Whether nothing is queued or being executed, so that a short job may overtake nobody.
    pub(crate) fn is_idle(&self) -> bool {
        let state = lock(&self.state);
        !state.scheduled && state.queue.is_empty() && state.nested.is_empty() && state.waits.is_empty()
    }

    /// Jobs that wait to be executed.
    pub(crate) fn backlog(&self) -> usize {
        let state = lock(&self.state);
        state.queue.len() + state.nested.len()
    }

    fn schedule(self: &Arc<Self>, state: &mut State) {
        if !state.scheduled && !state.queue.is_empty() {
            state.scheduled = true;
            self.pool.execute(self.clone());
        }
    }

    /// Makes a call with `start`, waits until `take` gives something, and executes callbacks over `conn` meanwhile.
    /// Whoever makes `take` succeed has to call [`Strand::wake`] afterwards.
    ///
    /// The wait is noted before the call is made: a callback may arrive before `start` returns, and in the queue it
    /// would wait for the very thread that waits for it.
    pub(crate) fn wait<T>(
        self: &Arc<Self>,
        conn: u64,
        start: impl FnOnce(),
        mut take: impl FnMut() -> Option<T>,
    ) -> T {
        lock(&self.state).waits.push(conn);
        start();
        let mut state = lock(&self.state);
        let value = loop {
            if let Some(value) = take() {
                break value;
            }
            if let Some(job) = state.nested.pop_front() {
                drop(state);
                execute(self, job);
                state = lock(&self.state);
                continue;
            }
            state = self.cond.wait(state).unwrap_or_else(PoisonError::into_inner);
        };
        if let Some(at) = state.waits.iter().rposition(|waiting| *waiting == conn) {
            state.waits.remove(at);
        }
        // A job that came after the answer is no callback of it.
        while let Some(job) = state.nested.pop_back() {
            if state.waits.last() == Some(&job.conn) {
                state.nested.push_back(job);
                break;
            }
            state.queue.push_front(job);
        }
        self.schedule(&mut state);
        value
    }

    /// Lets the waiting thread look again.
    pub(crate) fn wake(&self) {
        drop(lock(&self.state));
        self.cond.notify_all();
    }

    /// Remembers that the connection keeps something for this strand.
    pub(crate) fn used_by(&self, conn: &Connection) {
        let mut used = lock(&self.used);
        if !used.iter().any(|known| known.id() == conn.id()) {
            used.retain(|known| !known.is_closed());
            used.push(conn.clone());
        }
    }

    /// Lets all connections forget this strand.
    pub(crate) fn release(&self) {
        self.released.store(true, Ordering::Release);
        for conn in lock(&self.used).drain(..) {
            conn.forget_strand(self.id);
        }
    }

    /// Executes the queue until it is empty.
    fn drain(self: &Arc<Self>) {
        loop {
            let mut state = lock(&self.state);
            let Some(job) = state.queue.pop_front() else {
                state.scheduled = false;
                drop(state);
                // What it executed last may have made calls over further connections.
                if self.released.load(Ordering::Acquire) {
                    self.release();
                }
                return;
            };
            drop(state);
            execute(self, job);
        }
    }
}

/// What the running thread is, in terms of the contract.
pub(crate) struct ThreadContext {
    /// Its queue.
    pub(crate) strand: Arc<Strand>,
    /// For each connection a request of which is being executed, the caller's thread for callbacks.
    request_threads: RefCell<Vec<(u64, OnLoop<thread::Client>)>>,
    /// An ordinary thread of the program: its strand ends with it.
    own: bool,
}

impl ThreadContext {
    fn new(strand: Arc<Strand>, own: bool) -> ThreadContext {
        ThreadContext { strand, request_threads: RefCell::default(), own }
    }

    /// The thread of the other side that waits for the request which this thread executes.
    pub(crate) fn request_thread(&self, conn: u64) -> Option<OnLoop<thread::Client>> {
        self.request_threads.borrow().iter().find(|(id, _)| *id == conn).map(|(_, thread)| thread.clone())
    }
}

impl Drop for ThreadContext {
    fn drop(&mut self) {
        if self.own {
            self.strand.release();
        }
    }
}

thread_local! {
    static CONTEXT: RefCell<Option<std::rc::Rc<ThreadContext>>> = const { RefCell::new(None) };
}

/// The running thread's context, made when it calls for the first time.
pub(crate) fn current(make: impl FnOnce() -> Arc<Strand>) -> std::rc::Rc<ThreadContext> {
    CONTEXT.with(|context| {
        let mut context = context.borrow_mut();
        context.get_or_insert_with(|| std::rc::Rc::new(ThreadContext::new(make(), true))).clone()
    })
}

/// Name of the running thread in log lines, if it has made or executed calls.
pub(crate) fn current_name() -> Option<String> {
    CONTEXT.with(|context| context.borrow().as_ref().map(|context| context.strand.name.clone()))
}

/// Executes a job as the given strand.
fn execute(strand: &Arc<Strand>, job: StrandJob) {
    let before = CONTEXT.with(|context| context.borrow_mut().take());
    let nested = before.as_ref().is_some_and(|context| context.strand.id == strand.id);
    let context = match &before {
        Some(context) if nested => context.clone(),
        _ => std::rc::Rc::new(ThreadContext::new(strand.clone(), false)),
    };
    let mut inserted = false;
    if let Some(thread) = job.callback {
        // In a nested call the entry is there already and names the same thread.
        let mut threads = context.request_threads.borrow_mut();
        if !threads.iter().any(|(id, _)| *id == job.conn) {
            threads.push((job.conn, thread));
            inserted = true;
        }
    }
    CONTEXT.with(|current| *current.borrow_mut() = Some(context.clone()));
    (job.run)();
    if inserted {
        context.request_threads.borrow_mut().retain(|(id, _)| *id != job.conn);
    }
    CONTEXT.with(|current| *current.borrow_mut() = before);
}

#[derive(Default)]
struct PoolState {
    work: VecDeque<Work>,
    idle: usize,
    threads: usize,
    named: u64,
    stopped: bool,
}

enum Work {
    Strand(Arc<Strand>),
    Once(Box<dyn FnOnce() + Send>),
}

/// Operating system threads that execute strands.
pub(crate) struct WorkerPool {
    prefix: String,
    state: Mutex<PoolState>,
    cond: Condvar,
}

impl WorkerPool {
    pub(crate) fn new(prefix: String) -> Arc<WorkerPool> {
        Arc::new(WorkerPool { prefix, state: Mutex::default(), cond: Condvar::new() })
    }

    fn execute(self: &Arc<Self>, strand: Arc<Strand>) {
        self.push(Work::Strand(strand));
    }

    /// Runs something that belongs to no strand.
    pub(crate) fn run(self: &Arc<Self>, work: Box<dyn FnOnce() + Send>) {
        self.push(Work::Once(work));
    }

    fn push(self: &Arc<Self>, work: Work) {
        let mut state = lock(&self.state);
        state.work.push_back(work);
        if state.work.len() <= state.idle {
            drop(state);
            self.cond.notify_one();
            return;
        }
        let name = format!("{}-ipc.{}", self.prefix, state.named);
        state.named += 1;
        state.threads += 1;
        drop(state);
        let pool = self.clone();
        if let Err(error) = std::thread::Builder::new().name(name).spawn(move || pool.serve()) {
            let mut state = lock(&self.state);
            state.threads -= 1;
            tracing::error!(target: "all", "ipc: cannot start a thread: {error}");
            // Threads that are busy now find the work when they are done; without any it is dropped, and with it
            // the answer that somebody waits for.
            if state.threads == 0 {
                state.work.clear();
            }
        }
    }

    fn serve(self: Arc<Self>) {
        let mut state = lock(&self.state);
        loop {
            if let Some(work) = state.work.pop_front() {
                drop(state);
                match work {
                    Work::Strand(strand) => strand.drain(),
                    Work::Once(run) => run(),
                }
                state = lock(&self.state);
                continue;
            }
            if state.stopped {
                break;
            }
            state.idle += 1;
            let (back, timeout) = self.cond.wait_timeout(state, IDLE).unwrap_or_else(PoisonError::into_inner);
            state = back;
            state.idle -= 1;
            if timeout.timed_out() && state.work.is_empty() {
                break;
            }
        }
        state.threads -= 1;
    }

    /// Threads that there are.
    pub(crate) fn threads(&self) -> usize {
        lock(&self.state).threads
    }

    /// Lets idle threads end.
    pub(crate) fn stop(&self) {
        lock(&self.state).stopped = true;
        self.cond.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A callback that arrives while its call is still being made: it has to run on the thread that makes the call, as
    /// nobody else executes the strand's queue.
    #[test]
    fn callback_before_the_call_is_made() {
        let pool = WorkerPool::new("test".to_owned());
        let strand = Strand::new("strand".to_owned(), pool.clone());
        let (sender, receiver) = std::sync::mpsc::channel();
        let inner = strand.clone();
        let outer = Box::new(move || {
            let slot = Arc::new(Mutex::new(None));
            let (given, waker) = (slot.clone(), inner.clone());
            let callback = move || {
                *lock(&given) = Some(std::thread::current().id());
                waker.wake();
            };
            let call = || inner.post(StrandJob { conn: 7, callback: None, run: Box::new(callback) });
            let executed_by = inner.wait(7, call, || lock(&slot).take());
            let _ = sender.send(executed_by == std::thread::current().id());
        });
        strand.post(StrandJob { conn: 7, callback: None, run: outer });
        // The time is for a failure to show itself; a success takes no time.
        assert_eq!(receiver.recv_timeout(Duration::from_secs(60)), Ok(true));
        pool.stop();
    }
}
