//! Worker threads for methods that take time or wait, with a bounded queue.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use grs_log::warn;

type Work = Box<dyn FnOnce() + Send>;

/// Why work was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refused {
    /// The queue is as long as allowed.
    Full,
    /// The pool shuts down.
    Stopped,
}

#[derive(Default)]
struct Queue {
    work: VecDeque<Work>,
    refuse: bool,
    quit: bool,
}

struct Shared {
    queue: Mutex<Queue>,
    wake: Condvar,
    max_queue: usize,
}

/// Pool of threads.
pub(crate) struct Pool {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Pool {
    /// Pool without threads yet; work submitted waits for them.
    pub(crate) fn new(max_queue: usize) -> Self {
        let shared = Shared { queue: Mutex::default(), wake: Condvar::new(), max_queue: max_queue.max(1) };
        Self { shared: Arc::new(shared), threads: Mutex::default() }
    }

    /// Starts threads.
    pub(crate) fn start(&self, count: usize) -> std::io::Result<()> {
        for number in 0..count.max(1) {
            let shared = self.shared.clone();
            let thread =
                grs_sync::thread::spawn_quiet(&format!("http_pool_{number}"), move || shared.serve())?;
            lock(&self.threads).push(thread);
        }
        Ok(())
    }

    /// Queues work.
    pub(crate) fn submit(&self, work: Work) -> Result<(), Refused> {
        let mut queue = lock(&self.shared.queue);
        if queue.refuse {
            return Err(Refused::Stopped);
        }
        if queue.work.len() >= self.shared.max_queue {
            return Err(Refused::Full);
        }
        queue.work.push_back(work);
        drop(queue);
        self.shared.wake.notify_one();
        Ok(())
    }

    /// Takes no more work; what is queued is still done.
    pub(crate) fn interrupt(&self) {
        lock(&self.shared.queue).refuse = true;
    }

    /// Waits for all work, then for the threads.
    pub(crate) fn stop(&self) {
        {
            let mut queue = lock(&self.shared.queue);
            queue.refuse = true;
            queue.quit = true;
        }
        self.shared.wake.notify_all();
        let threads = std::mem::take(&mut *lock(&self.threads));
        for thread in threads {
            // A worker catches panics of its work, so it ends in no other way.
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn serve(&self) {
        let mut queue = lock(&self.queue);
        loop {
            if let Some(work) = queue.work.pop_front() {
                drop(queue);
                if let Err(payload) = catch_unwind(AssertUnwindSafe(work)) {
                    warn!("HTTP worker: {}", grs_sync::thread::panic_message(&*payload));
                }
                queue = lock(&self.queue);
            } else if queue.quit {
                return;
            } else {
                queue = self.wake.wait(queue).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn queue_is_bounded_and_drained() {
        let pool = Pool::new(2);
        let (sender, receiver) = mpsc::channel();
        for number in 0..3 {
            let sender = sender.clone();
            let work = Box::new(move || sender.send(number).unwrap());
            let expected = if number < 2 { Ok(()) } else { Err(Refused::Full) };
            assert_eq!(pool.submit(work), expected);
        }
        pool.interrupt();
        assert_eq!(pool.submit(Box::new(|| ())), Err(Refused::Stopped));
        pool.start(1).unwrap();
        pool.stop();
        drop(sender);
        assert_eq!(receiver.iter().collect::<Vec<_>>(), [0, 1]);
    }

    #[test]
    fn a_panic_does_not_end_the_worker() {
        let pool = Pool::new(10);
        let (sender, receiver) = mpsc::channel();
        pool.submit(Box::new(|| panic!("on purpose"))).unwrap();
        pool.submit(Box::new(move || sender.send(1).unwrap())).unwrap();
        pool.start(1).unwrap();
        assert_eq!(receiver.recv(), Ok(1));
        pool.stop();
    }
}
