//! Work at a later time, on one thread called `scheduler` (reference: `CScheduler`, `SerialTaskRunner`).

use std::collections::{BTreeMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::thread;

type Task = Box<dyn FnOnce() + Send>;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stop {
    No,
    WhenEmpty,
    Now,
}

struct State {
    /// By due time; the number keeps tasks of the same time in order.
    tasks: BTreeMap<(Instant, u64), Task>,
    next: u64,
    stop: Stop,
}

struct Inner {
    state: Mutex<State>,
    changed: Condvar,
    service: Mutex<Option<JoinHandle<()>>>,
}

/// Runs tasks at their time. Clones are the same scheduler.
#[derive(Clone)]
pub struct Scheduler {
    inner: Arc<Inner>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Scheduler {
    fn default() -> Self {
        Self::new()
    }
}

impl Scheduler {
    /// A scheduler without a thread: tasks wait until [`Self::start`] or [`Self::run_due`].
    pub fn new() -> Self {
        let state = State { tasks: BTreeMap::new(), next: 0, stop: Stop::No };
        Self {
            inner: Arc::new(Inner {
                state: Mutex::new(state),
                changed: Condvar::new(),
                service: Mutex::new(None),
            }),
        }
    }

    /// Starts the thread `scheduler`; does nothing if it runs.
    ///
    /// # Errors
    /// If the system has no more threads.
    pub fn start(&self) -> std::io::Result<()> {
        let mut service = lock(&self.inner.service);
        if service.is_none() {
            let inner = Arc::clone(&self.inner);
            *service = Some(thread::spawn_critical("scheduler", move || inner.serve())?);
        }
        Ok(())
    }

    /// Runs a task as soon as the thread is free.
    pub fn schedule(&self, task: impl FnOnce() + Send + 'static) {
        self.schedule_from_now(Duration::ZERO, task);
    }

    /// Runs a task once, after `delay`.
    pub fn schedule_from_now(&self, delay: Duration, task: impl FnOnce() + Send + 'static) {
        self.inner.insert(delay, Box::new(task));
    }

    /// Runs a task again and again, `delay` after the previous run ended, first after `delay`.
    pub fn schedule_every(&self, delay: Duration, task: impl FnMut() + Send + 'static) {
        repeat(&Arc::downgrade(&self.inner), delay, Box::new(task));
    }

    /// Brings all tasks forward by `delta` (RPC `mockscheduler`; the caller limits it to one hour).
    pub fn mock_forward(&self, delta: Duration) {
        let mut state = lock(&self.inner.state);
        // Instants cannot go below the system's start; what would be due earlier is due now.
        let now = Instant::now();
        let tasks = std::mem::take(&mut state.tasks);
        state.tasks = tasks
            .into_iter()
            .map(|((due, number), task)| ((due.checked_sub(delta).unwrap_or(now), number), task))
            .collect();
        drop(state);
        self.inner.changed.notify_all();
    }

    /// Number of waiting tasks and the times of the first and the last.
    pub fn queue_info(&self) -> (usize, Option<(Instant, Instant)>) {
        let state = lock(&self.inner.state);
        let first = state.tasks.first_key_value().map(|(key, _)| key.0);
        let last = state.tasks.last_key_value().map(|(key, _)| key.0);
        (state.tasks.len(), first.zip(last))
    }

    /// Ends after the task that runs now, and waits for it. Waiting tasks are dropped.
    pub fn stop(&self) {
        self.end(Stop::Now);
        // Outside of the lock: tasks may own the last handle of something that uses the scheduler.
        let tasks = std::mem::take(&mut lock(&self.inner.state).tasks);
        drop(tasks);
    }

    /// Ends when no tasks are left. Never returns while a repeated task is scheduled.
    pub fn stop_when_drained(&self) {
        self.end(Stop::WhenEmpty);
    }

    /// Runs all tasks that are due on this thread, for schedulers without one; returns their number.
    pub fn run_due(&self) -> usize {
        let mut count = 0;
        loop {
            let mut state = lock(&self.inner.state);
            let due = state.tasks.first_entry().filter(|e| e.key().0 <= Instant::now());
            let Some(task) = due.map(|e| e.remove()) else { return count };
            drop(state);
            task();
            count += 1;
        }
    }

    fn end(&self, how: Stop) {
        lock(&self.inner.state).stop = how;
        self.inner.changed.notify_all();
        let service = lock(&self.inner.service).take();
        if let Some(service) = service
            && service.thread().id() != std::thread::current().id()
        {
            let _ = service.join();
        }
    }
}

fn repeat(inner: &Weak<Inner>, delay: Duration, mut task: Box<dyn FnMut() + Send>) {
    if let Some(strong) = inner.upgrade() {
        let inner = inner.clone();
        strong.insert(
            delay,
            Box::new(move || {
                task();
                repeat(&inner, delay, task);
            }),
        );
    }
}

impl Inner {
    fn insert(&self, delay: Duration, task: Task) {
        let now = Instant::now();
        // Too far for the clock: a year is never in practice.
        let due = now.checked_add(delay).unwrap_or(now + Duration::from_secs(365 * 86400));
        let mut state = lock(&self.state);
        let number = state.next;
        state.next += 1;
        state.tasks.insert((due, number), task);
        drop(state);
        self.changed.notify_all();
    }

    fn serve(&self) {
        let mut state = lock(&self.state);
        loop {
            if state.stop == Stop::Now || (state.stop == Stop::WhenEmpty && state.tasks.is_empty()) {
                return;
            }
            let now = Instant::now();
            match state.tasks.first_key_value().map(|(key, _)| key.0) {
                None => state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(due) if due > now => {
                    let wait = self.changed.wait_timeout(state, due - now);
                    state = wait.unwrap_or_else(PoisonError::into_inner).0;
                }
                Some(_) => {
                    let task = state.tasks.pop_first();
                    drop(state);
                    if let Some((_, task)) = task {
                        task();
                    }
                    state = lock(&self.state);
                }
            }
        }
    }
}

struct SerialState {
    pending: VecDeque<Task>,
    running: bool,
}

/// Runs callbacks one after the other on a scheduler, in order (reference: `SerialTaskRunner`).
#[derive(Clone)]
pub struct SerialRunner {
    scheduler: Scheduler,
    state: Arc<(Mutex<SerialState>, Condvar)>,
}

impl SerialRunner {
    /// A runner with an empty queue.
    pub fn new(scheduler: Scheduler) -> Self {
        let state = SerialState { pending: VecDeque::new(), running: false };
        Self { scheduler, state: Arc::new((Mutex::new(state), Condvar::new())) }
    }

    /// Appends a callback.
    pub fn insert(&self, task: impl FnOnce() + Send + 'static) {
        lock(&self.state.0).pending.push_back(Box::new(task));
        self.schedule();
    }

    /// Number of waiting callbacks, without the one that runs.
    pub fn len(&self) -> usize {
        lock(&self.state.0).pending.len()
    }

    /// Whether no callback waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Runs what is left on this thread and waits for a callback that runs elsewhere. For shutdown, after the
    /// scheduler stopped.
    pub fn flush(&self) {
        loop {
            self.process();
            let mut state = lock(&self.state.0);
            while state.running {
                state = self.state.1.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.pending.is_empty() {
                return;
            }
        }
    }

    fn schedule(&self) {
        let state = lock(&self.state.0);
        if state.running || state.pending.is_empty() {
            return;
        }
        drop(state);
        let this = self.clone();
        self.scheduler.schedule(move || this.process());
    }

    fn process(&self) {
        let task = {
            let mut state = lock(&self.state.0);
            if state.running {
                return;
            }
            let Some(task) = state.pending.pop_front() else { return };
            state.running = true;
            task
        };
        let result = catch_unwind(AssertUnwindSafe(task));
        lock(&self.state.0).running = false;
        self.state.1.notify_all();
        self.schedule();
        if let Err(payload) = result {
            std::panic::resume_unwind(payload);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    #[test]
    fn tasks_run_in_order_of_time() {
        let scheduler = Scheduler::new();
        let (sender, receiver) = mpsc::channel();
        for (delay, number) in [(20, 3), (1, 1), (10, 2), (0, 0)] {
            let sender = sender.clone();
            scheduler.schedule_from_now(Duration::from_millis(delay), move || {
                sender.send((number, std::thread::current().name().map(str::to_owned))).unwrap();
            });
        }
        scheduler.start().unwrap();
        scheduler.start().unwrap();
        for expected in 0..4 {
            let (number, name) = receiver.recv_timeout(Duration::from_secs(5)).unwrap();
            assert_eq!(number, expected);
            assert_eq!(name.as_deref(), Some("g-scheduler"));
        }
        scheduler.stop();
        scheduler.stop();
    }

    #[test]
    fn repeats_until_stopped() {
        let scheduler = Scheduler::new();
        let (sender, receiver) = mpsc::channel();
        scheduler.schedule_every(Duration::from_millis(1), move || sender.send(()).unwrap());
        scheduler.start().unwrap();
        for _ in 0..3 {
            receiver.recv_timeout(Duration::from_secs(5)).unwrap();
        }
        scheduler.stop();
        assert_eq!(scheduler.queue_info().0, 0);
        while receiver.try_recv().is_ok() {}
        assert_eq!(receiver.try_recv(), Err(mpsc::TryRecvError::Disconnected));
    }

    #[test]
    fn mock_forward_brings_tasks_forward() {
        let scheduler = Scheduler::new();
        let count = Arc::new(AtomicUsize::new(0));
        for minutes in [1, 5, 120] {
            let count = Arc::clone(&count);
            scheduler.schedule_from_now(Duration::from_secs(minutes * 60), move || {
                count.fetch_add(1, Ordering::SeqCst);
            });
        }
        let (len, times) = scheduler.queue_info();
        assert_eq!(len, 3);
        let (first, last) = times.unwrap();
        assert!(last - first >= Duration::from_secs(119 * 60 - 1));
        assert_eq!(scheduler.run_due(), 0);
        scheduler.mock_forward(Duration::from_secs(5 * 60));
        assert_eq!(scheduler.run_due(), 2);
        assert_eq!(count.load(Ordering::SeqCst), 2);
        scheduler.mock_forward(Duration::from_secs(3600 * 24 * 365 * 1000));
        assert_eq!(scheduler.run_due(), 1);
    }

    #[test]
    fn drained_stop_runs_everything_first() {
        let scheduler = Scheduler::new();
        let count = Arc::new(AtomicUsize::new(0));
        for ms in 0..10 {
            let count = Arc::clone(&count);
            scheduler.schedule_from_now(Duration::from_millis(ms), move || {
                count.fetch_add(1, Ordering::SeqCst);
            });
        }
        scheduler.start().unwrap();
        scheduler.stop_when_drained();
        assert_eq!(count.load(Ordering::SeqCst), 10);
    }

    #[test]
    fn serial_runner_keeps_order() {
        let scheduler = Scheduler::new();
        scheduler.start().unwrap();
        let runner = SerialRunner::new(scheduler.clone());
        let seen = Arc::new(Mutex::new(Vec::new()));
        for n in 0..200 {
            let seen = Arc::clone(&seen);
            runner.insert(move || seen.lock().unwrap().push(n));
        }
        scheduler.stop_when_drained();
        runner.flush();
        assert!(runner.is_empty());
        assert_eq!(*seen.lock().unwrap(), (0..200).collect::<Vec<_>>());

        // Without a service thread, flush does the work.
        let copy = Arc::clone(&seen);
        runner.insert(move || copy.lock().unwrap().push(200));
        assert_eq!(runner.len(), 1);
        runner.flush();
        assert_eq!(seen.lock().unwrap().len(), 201);
    }
}
