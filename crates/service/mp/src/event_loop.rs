//! The one thread of a process that owns all connections.
//!
//! Cap'n Proto objects cannot leave the thread that made them. They stay in a table of that thread, and other threads
//! hold an [`OnLoop`], which is the number of the entry and may be sent about freely.

use std::any::Any;
use std::cell::RefCell;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{JoinHandle, ThreadId};

use tokio::sync::mpsc;

use crate::Error;
use crate::error::BLOCKING;
use crate::limits::{Counters, Limits, Stats};
use crate::logging::{ipc_log, thread_name};
use crate::strand::{Strand, WorkerPool, lock};

type Job = Box<dyn FnOnce() + Send>;

thread_local! {
    static OBJECTS: RefCell<HashMap<u64, Box<dyn Any>>> = RefCell::new(HashMap::new());
}

/// How to name things.
#[derive(Debug, Clone)]
pub struct LoopOptions {
    /// Name of the program in log lines and thread names, such as `groestlcoin-node`.
    pub exe_name: String,
    /// First letter of thread names: the loop's is `<prefix>-capnp-loop`, the workers' are `<prefix>-ipc.<n>`.
    pub thread_prefix: String,
    /// Limits of connections that come through no listener.
    pub limits: Limits,
}

impl LoopOptions {
    /// Names after the program; the threads get its first letter.
    pub fn new(exe_name: impl Into<String>) -> Self {
        let exe_name = exe_name.into();
        let thread_prefix = exe_name.chars().take(1).collect();
        LoopOptions { exe_name, thread_prefix, limits: Limits::trusted() }
    }
}

struct Shared {
    jobs: mpsc::UnboundedSender<Job>,
    exe_name: String,
    thread: ThreadId,
    next_object: AtomicU64,
    garbage: Mutex<Vec<u64>>,
    pool: Arc<WorkerPool>,
    limits: Limits,
    counters: Arc<Counters>,
    ended: AtomicBool,
}

/// Reference to a running [`EventLoop`], for any thread.
#[derive(Clone)]
pub struct LoopHandle(Arc<Shared>);

impl LoopHandle {
    /// Runs a closure on the loop thread. False if the loop has ended; the closure is dropped then.
    pub(crate) fn post(&self, job: impl FnOnce() + Send + 'static) -> bool {
        !self.0.ended.load(Ordering::Acquire) && self.0.jobs.send(Box::new(job)).is_ok()
    }

    /// Runs a closure on the loop thread and waits for what it gives.
    pub(crate) fn sync<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Error> {
        if self.is_current() {
            return Ok(job());
        }
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.post(move || {
            let _ = sender.send(job());
        });
        receiver.recv().map_err(|_| Error::Local("the IPC thread has ended".to_owned()))
    }

    /// The same for something that takes its time. An error on the loop thread, which must not wait for itself.
    pub(crate) fn sync_async<T: Send + 'static, Fut: Future<Output = T> + 'static>(
        &self,
        job: impl FnOnce() -> Fut + Send + 'static,
    ) -> Result<T, Error> {
        if self.is_current() {
            return Err(Error::Local(BLOCKING.to_owned()));
        }
        let (sender, receiver) = std::sync::mpsc::sync_channel(1);
        self.post(move || {
            let future = job();
            tokio::task::spawn_local(async move {
                let _ = sender.send(future.await);
            });
        });
        receiver.recv().map_err(|_| Error::Local("the IPC thread has ended".to_owned()))
    }

    /// Whether the caller is the loop thread, which must not block.
    pub fn is_current(&self) -> bool {
        std::thread::current().id() == self.0.thread
    }

    /// Name of the program in log lines.
    pub fn exe_name(&self) -> &str {
        &self.0.exe_name
    }

    /// Counts of what peers do and have. Takes no lock that anybody holds for long.
    pub fn stats(&self) -> Stats {
        self.0.counters.snapshot(self.0.pool.threads())
    }

    pub(crate) fn counters(&self) -> &Arc<Counters> {
        &self.0.counters
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn pool(&self) -> &Arc<WorkerPool> {
        &self.0.pool
    }

    /// A new strand for an ordinary thread of the program, the running one.
    pub(crate) fn own_strand(&self) -> Arc<Strand> {
        let name = thread_name(&self.0.exe_name);
        ipc_log!(INFO, name, "IPC client first request from current thread, constructing waiter");
        Strand::new(name, self.0.pool.clone())
    }

    /// Puts a value into the table. On the loop thread only.
    pub(crate) fn keep<T: 'static>(&self, value: T) -> OnLoop<T> {
        debug_assert!(self.is_current());
        let id = self.0.next_object.fetch_add(1, Ordering::Relaxed);
        OBJECTS.with(|objects| objects.borrow_mut().insert(id, Box::new(value)));
        OnLoop { entry: Arc::new(Entry { id, home: self.clone(), lazy: false }), marker: PhantomData }
    }

    /// The same for a value whose release is in no hurry: the loop is not woken for it.
    pub(crate) fn keep_lazily<T: 'static>(&self, value: T) -> OnLoop<T> {
        debug_assert!(self.is_current());
        let id = self.0.next_object.fetch_add(1, Ordering::Relaxed);
        OBJECTS.with(|objects| objects.borrow_mut().insert(id, Box::new(value)));
        OnLoop { entry: Arc::new(Entry { id, home: self.clone(), lazy: true }), marker: PhantomData }
    }

    /// Removes what has been released lazily. On the loop thread only.
    pub(crate) fn collect(&self) {
        let garbage = std::mem::take(&mut *lock(&self.0.garbage));
        for id in garbage {
            remove(id);
        }
    }

    /// Drops a value on a worker thread, since its destructor may block.
    pub fn drop_later<T: Send + 'static>(&self, value: T) {
        self.0.pool.run(Box::new(move || drop(value)));
    }
}

fn remove(id: u64) {
    // Taken out first: the destructor may come back here.
    let value = OBJECTS.with(|objects| objects.borrow_mut().remove(&id));
    drop(value);
}

struct Entry {
    id: u64,
    home: LoopHandle,
    lazy: bool,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let id = self.id;
        if self.home.is_current() {
            remove(id);
        } else if self.lazy {
            lock(&self.home.0.garbage).push(id);
        } else {
            self.home.post(move || remove(id));
        }
    }
}

/// A value that lives on the loop thread. The last clone to be dropped removes it.
pub(crate) struct OnLoop<T> {
    entry: Arc<Entry>,
    marker: PhantomData<fn() -> T>,
}

impl<T> Clone for OnLoop<T> {
    fn clone(&self) -> Self {
        OnLoop { entry: self.entry.clone(), marker: PhantomData }
    }
}

impl<T: Clone + 'static> OnLoop<T> {
    /// A clone of the value. `None` on any other thread, or when the loop is ending.
    pub(crate) fn get(&self) -> Option<T> {
        OBJECTS.with(|objects| {
            objects.borrow().get(&self.entry.id).and_then(|value| value.downcast_ref::<T>()).cloned()
        })
    }
}

/// Owner of the thread. Dropping it ends all connections and the thread.
pub struct EventLoop {
    handle: LoopHandle,
    thread: Option<JoinHandle<()>>,
}

impl EventLoop {
    /// Starts the thread.
    pub fn start(options: LoopOptions) -> std::io::Result<EventLoop> {
        let (jobs, receiver) = mpsc::unbounded_channel::<Job>();
        let (started, start) = std::sync::mpsc::sync_channel::<std::io::Result<LoopHandle>>(1);
        let pool = WorkerPool::new(options.thread_prefix.clone());
        let name = format!("{}-capnp-loop", options.thread_prefix);
        let thread = std::thread::Builder::new().name(name).spawn(move || {
            let runtime =
                match tokio::runtime::Builder::new_current_thread().enable_io().enable_time().build() {
                    Ok(runtime) => runtime,
                    Err(error) => {
                        let _ = started.send(Err(error));
                        return;
                    }
                };
            let handle = LoopHandle(Arc::new(Shared {
                jobs,
                exe_name: options.exe_name,
                thread: std::thread::current().id(),
                next_object: AtomicU64::new(1),
                garbage: Mutex::default(),
                pool,
                limits: options.limits,
                counters: Arc::default(),
                ended: AtomicBool::new(false),
            }));
            let _ = started.send(Ok(handle.clone()));
            serve(&runtime, receiver, &handle);
        })?;
        let handle =
            start.recv().unwrap_or_else(|_| Err(std::io::Error::other("the IPC thread did not start")))?;
        Ok(EventLoop { handle, thread: Some(thread) })
    }

    /// A reference for making connections.
    pub fn handle(&self) -> LoopHandle {
        self.handle.clone()
    }
}

fn serve(runtime: &tokio::runtime::Runtime, mut receiver: mpsc::UnboundedReceiver<Job>, handle: &LoopHandle) {
    let local = tokio::task::LocalSet::new();
    local.block_on(runtime, async {
        while let Some(job) = receiver.recv().await {
            job();
            handle.collect();
            if handle.0.ended.load(Ordering::Acquire) {
                break;
            }
        }
    });
    let name = thread_name(&handle.0.exe_name);
    ipc_log!(INFO, name, "EventLoop::loop done, cancelling event listeners.");
    // Closures that are left hold the answers that others wait for; dropping them gives those an error.
    receiver.close();
    while let Ok(job) = receiver.try_recv() {
        drop(job);
    }
    drop(local);
    // An object's destructor may post or drop further ones.
    loop {
        let objects = OBJECTS.with(|objects| std::mem::take(&mut *objects.borrow_mut()));
        if objects.is_empty() {
            break;
        }
        drop(objects);
    }
    handle.0.pool.stop();
    ipc_log!(INFO, name, "EventLoop::loop bye.");
}

impl Drop for EventLoop {
    fn drop(&mut self) {
        let handle = self.handle.clone();
        self.handle.post(move || handle.0.ended.store(true, Ordering::Release));
        if let Some(thread) = self.thread.take()
            && thread.thread().id() != std::thread::current().id()
        {
            let _ = thread.join();
        }
    }
}
