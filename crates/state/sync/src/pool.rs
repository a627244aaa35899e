//! Worker pool for batches of checks, such as the scripts of a block (reference: `CCheckQueue`).
//!
//! Several batches may be in flight. Whoever completes a batch works on the queue too, so that a pool without
//! workers (`-par=1`) does everything on the calling thread.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use crate::thread;

/// Most workers a script check pool has, besides the thread that completes the batch.
pub const MAX_SCRIPT_CHECK_THREADS: usize = 15;

/// Jobs a worker takes at once at most.
const CHUNK: usize = 128;

/// One check. Owned, because it runs on another thread.
pub trait Job: Send + 'static {
    /// Why a check fails.
    type Error: Send + 'static;

    /// Runs the check.
    ///
    /// # Errors
    /// If the check fails.
    fn run(self) -> Result<(), Self::Error>;
}

/// Why a batch failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BatchError<E> {
    /// The first failure seen; with several failing jobs it may be any of them.
    #[error("{0}")]
    Failed(E),
    /// A job panicked.
    #[error("check panicked: {0}")]
    Panicked(String),
}

/// Number of workers for `-par` (reference: `node/chainstatemanager_args.cpp`): 0 uses all cores, a negative number
/// leaves cores free, and the calling thread counts as one.
pub fn workers_from_par(par: i64, cores: usize) -> usize {
    let cores = i64::try_from(cores).unwrap_or(i64::MAX);
    let threads = if par <= 0 { par.saturating_add(cores) } else { par };
    usize::try_from(threads.saturating_sub(1)).unwrap_or(0).min(MAX_SCRIPT_CHECK_THREADS)
}

struct BatchState<E> {
    /// Set at the first failure: later jobs of the batch are skipped.
    failed: AtomicBool,
    inner: Mutex<BatchInner<E>>,
    done: Condvar,
}

struct BatchInner<E> {
    open_chunks: usize,
    error: Option<BatchError<E>>,
}

struct Chunk<J: Job> {
    batch: Arc<BatchState<J::Error>>,
    jobs: Vec<J>,
}

struct Queue<J: Job> {
    chunks: VecDeque<Chunk<J>>,
    stop: bool,
}

struct Shared<J: Job> {
    queue: Mutex<Queue<J>>,
    work: Condvar,
}

/// Pool of workers for jobs of one type.
pub struct WorkerPool<J: Job> {
    shared: Arc<Shared<J>>,
    workers: Vec<JoinHandle<()>>,
}

/// A group of jobs with one verdict.
pub struct Batch<'p, J: Job> {
    pool: &'p WorkerPool<J>,
    state: Arc<BatchState<J::Error>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl<J: Job> WorkerPool<J> {
    /// Starts `workers` threads called `name.0`, `name.1`, ... Fewer if the system refuses; none is fine.
    pub fn new(name: &str, workers: usize) -> Self {
        let shared = Arc::new(Shared {
            queue: Mutex::new(Queue { chunks: VecDeque::new(), stop: false }),
            work: Condvar::new(),
        });
        let workers = (0..workers)
            .map_while(|n| {
                let shared = Arc::clone(&shared);
                thread::spawn_quiet(&format!("{name}.{n}"), move || shared.serve()).ok()
            })
            .collect();
        Self { shared, workers }
    }

    /// Number of threads besides the caller.
    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// Opens a batch. Drop or complete it; both wait for its jobs.
    pub fn batch(&self) -> Batch<'_, J> {
        let inner = BatchInner { open_chunks: 0, error: None };
        let state =
            BatchState { failed: AtomicBool::new(false), inner: Mutex::new(inner), done: Condvar::new() };
        Batch { pool: self, state: Arc::new(state) }
    }
}

impl<J: Job> Drop for WorkerPool<J> {
    fn drop(&mut self) {
        lock(&self.shared.queue).stop = true;
        self.shared.work.notify_all();
        for worker in self.workers.drain(..) {
            let _ = worker.join();
        }
    }
}

impl<J: Job> Batch<'_, J> {
    /// Adds jobs; workers start on them at once. After a failure jobs are dropped unrun.
    pub fn add(&self, jobs: impl IntoIterator<Item = J>) {
        if self.state.failed.load(Ordering::Relaxed) {
            return;
        }
        let mut jobs: Vec<J> = jobs.into_iter().collect();
        if jobs.is_empty() {
            return;
        }
        // Small enough that all threads get some, large enough that the queue's lock is rarely taken.
        let threads = self.pool.workers() + 1;
        let size = jobs.len().div_ceil(threads).clamp(1, CHUNK);
        let mut chunks = Vec::with_capacity(jobs.len().div_ceil(size));
        while jobs.len() > size {
            let tail = jobs.split_off(jobs.len() - size);
            chunks.push(Chunk { batch: Arc::clone(&self.state), jobs: tail });
        }
        chunks.push(Chunk { batch: Arc::clone(&self.state), jobs });
        lock(&self.state.inner).open_chunks += chunks.len();
        let count = chunks.len();
        lock(&self.pool.shared.queue).chunks.extend(chunks);
        if count == 1 {
            self.pool.shared.work.notify_one();
        } else {
            self.pool.shared.work.notify_all();
        }
    }

    /// Whether a job has failed already; then connecting the rest is pointless.
    pub fn has_failed(&self) -> bool {
        self.state.failed.load(Ordering::Relaxed)
    }

    /// Whether all jobs added so far are done. Does not wait.
    pub fn is_done(&self) -> bool {
        lock(&self.state.inner).open_chunks == 0
    }

    /// Helps until all jobs are done.
    ///
    /// # Errors
    /// The first failure seen.
    pub fn complete(self) -> Result<(), BatchError<J::Error>> {
        self.finish();
        lock(&self.state.inner).error.take().map_or(Ok(()), Err)
    }

    fn finish(&self) {
        loop {
            // Own chunks first; those of other batches only help if nothing of ours is queued.
            let chunk = {
                let mut queue = lock(&self.pool.shared.queue);
                let own = queue.chunks.iter().position(|c| Arc::ptr_eq(&c.batch, &self.state));
                own.and_then(|at| queue.chunks.remove(at))
            };
            match chunk {
                Some(chunk) => chunk.run(),
                None => break,
            }
        }
        let mut inner = lock(&self.state.inner);
        while inner.open_chunks > 0 {
            inner = self.state.done.wait(inner).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl<J: Job> Drop for Batch<'_, J> {
    fn drop(&mut self) {
        self.finish();
    }
}

impl<J: Job> Chunk<J> {
    fn run(self) {
        let mut error = None;
        for job in self.jobs {
            if self.batch.failed.load(Ordering::Relaxed) {
                break;
            }
            // A job owns all it touches, so nothing half changed is seen after a panic.
            let failure = match catch_unwind(AssertUnwindSafe(|| job.run())) {
                Ok(Ok(())) => continue,
                Ok(Err(error)) => BatchError::Failed(error),
                Err(payload) => BatchError::Panicked(thread::panic_message(&*payload).to_owned()),
            };
            self.batch.failed.store(true, Ordering::Relaxed);
            error = Some(failure);
            break;
        }
        let mut inner = lock(&self.batch.inner);
        if inner.error.is_none() {
            inner.error = error;
        }
        inner.open_chunks -= 1;
        if inner.open_chunks == 0 {
            self.batch.done.notify_all();
        }
    }
}

impl<J: Job> Shared<J> {
    fn serve(&self) {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(chunk) = queue.chunks.pop_front() {
                drop(queue);
                chunk.run();
                queue = lock(&self.queue);
            } else if queue.stop {
                return;
            } else {
                queue = self.work.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

impl<E: Send + 'static> Job for Box<dyn FnOnce() -> Result<(), E> + Send> {
    type Error = E;

    fn run(self) -> Result<(), E> {
        self()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    struct Check(usize, Arc<AtomicUsize>);

    impl Job for Check {
        type Error = usize;

        fn run(self) -> Result<(), usize> {
            self.1.fetch_add(1, Ordering::SeqCst);
            match self.0 {
                0 => Ok(()),
                usize::MAX => panic!("broken"),
                n => Err(n),
            }
        }
    }

    #[test]
    fn all_jobs_run_with_any_number_of_workers() {
        for workers in [0, 1, 3] {
            let pool = WorkerPool::new("scriptch", workers);
            assert_eq!(pool.workers(), workers);
            let ran = Arc::new(AtomicUsize::new(0));
            let first = pool.batch();
            let second = pool.batch();
            for _ in 0..10 {
                first.add((0..100).map(|_| Check(0, Arc::clone(&ran))));
                second.add((0..7).map(|_| Check(0, Arc::clone(&ran))));
                second.add([]);
            }
            assert_eq!(second.complete(), Ok(()));
            assert_eq!(first.complete(), Ok(()));
            assert_eq!(ran.load(Ordering::SeqCst), 1070);
        }
    }

    #[test]
    fn a_failure_ends_its_batch_only() {
        for workers in [0, 2] {
            let pool = WorkerPool::new("scriptch", workers);
            let ran = Arc::new(AtomicUsize::new(0));
            let bad = pool.batch();
            let good = pool.batch();
            bad.add((0..1000).map(|n| Check(if n == 500 { 42 } else { 0 }, Arc::clone(&ran))));
            good.add([Check(0, Arc::clone(&ran))]);
            assert_eq!(bad.complete(), Err(BatchError::Failed(42)));
            assert_eq!(good.complete(), Ok(()));
            assert!(ran.load(Ordering::SeqCst) <= 1001);

            let bad = pool.batch();
            bad.add([Check(usize::MAX, Arc::clone(&ran))]);
            assert_eq!(bad.complete(), Err(BatchError::Panicked("broken".into())));
            // The pool survives the panic.
            let good = pool.batch();
            good.add((0..500).map(|_| Check(0, Arc::clone(&ran))));
            assert!(!good.has_failed());
            assert_eq!(good.complete(), Ok(()));
        }
    }

    #[test]
    fn dropping_a_batch_waits_for_it() {
        let pool: WorkerPool<Box<dyn FnOnce() -> Result<(), ()> + Send>> = WorkerPool::new("scriptch", 2);
        let ran = Arc::new(AtomicUsize::new(0));
        for _ in 0..20 {
            let batch = pool.batch();
            let count = Arc::clone(&ran);
            batch.add([Box::new(move || {
                std::thread::yield_now();
                count.fetch_add(1, Ordering::SeqCst);
                Ok(())
            }) as _]);
        }
        assert_eq!(ran.load(Ordering::SeqCst), 20);
    }

    #[test]
    fn par_option() {
        assert_eq!(workers_from_par(0, 4), 3);
        assert_eq!(workers_from_par(-1, 4), 2);
        assert_eq!(workers_from_par(-100, 4), 0);
        assert_eq!(workers_from_par(1, 4), 0);
        assert_eq!(workers_from_par(2, 4), 1);
        assert_eq!(workers_from_par(100, 4), 15);
        assert_eq!(workers_from_par(0, 64), 15);
        assert_eq!(workers_from_par(i64::MIN, 1), 0);
    }
}
