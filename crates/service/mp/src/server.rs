//! Requests of the other side: which thread executes them, and their log lines.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use capnp::capability::{Params, Results};
use capnp::private::capability::{ParamsHook, ResultsHook};
use capnp::traits::Owned;

use crate::connection::Session;
use crate::error::exception;
use crate::event_loop::{LoopHandle, OnLoop};
use crate::limits::{Limit, down, up};
use crate::logging::{Shape, debug_enabled, ipc_log, thread_name};
use crate::proxy_capnp::{context, thread};
use crate::strand::{Strand, StrandJob, current_name, lock};

const QUEUED: u8 = 0;
const EXECUTING: u8 = 1;
const DONE: u8 = 2;
const CANCELLED: u8 = 3;
/// Cancelled while executing.
const ABANDONED: u8 = 4;

/// The context of a request, taken out of its parameters.
#[derive(Default)]
pub struct RequestContext {
    thread: Option<thread::Client>,
    callback: Option<thread::Client>,
}

impl RequestContext {
    /// Takes the capabilities out; null ones are left out.
    pub fn read(context: capnp::Result<context::Reader<'_>>) -> RequestContext {
        let Ok(context) = context else {
            return RequestContext::default();
        };
        RequestContext { thread: context.get_thread().ok(), callback: context.get_callback_thread().ok() }
    }
}

/// A queue that is no thread of the system: for the calls of one object, where the interface gives them an order but no
/// context (see [`Incoming::run_on`]), or for the calls of an asynchronous caller (see [`crate::Remote::call_future`]).
#[derive(Clone)]
pub struct ObjectThread(Arc<ObjectStrand>);

impl ObjectThread {
    pub(crate) fn strand(&self) -> &Arc<Strand> {
        &self.0.0
    }
}

struct ObjectStrand(Arc<Strand>);

impl Drop for ObjectStrand {
    fn drop(&mut self) {
        self.0.release();
    }
}

impl ObjectThread {
    /// A new queue; `name` shows in log lines.
    pub fn new(home: &LoopHandle, name: &str) -> ObjectThread {
        let name = format!("{} ({name})", thread_name(home.exe_name()));
        ObjectThread(Arc::new(ObjectStrand(Strand::new(name, home.pool().clone()))))
    }
}

/// A request that has come in. Until it is dropped it counts as a call in flight.
pub struct Incoming {
    session: Rc<Session>,
    number: u64,
    secret: bool,
    /// One too many, to be answered with an error.
    excess: bool,
}

impl Drop for Incoming {
    fn drop(&mut self) {
        let calls = self.session.calls();
        calls.set(calls.get() - 1);
        down(&self.session.connection().event_loop().counters().calls);
    }
}

impl Session {
    /// Notes a request. Every server method begins with this.
    pub fn receive<P>(self: &Rc<Self>, params: &Params<P>) -> Incoming
    where
        P: Owned,
        for<'a> P::Reader<'a>: std::fmt::Debug,
    {
        self.incoming(&*params.hook, Shape::of::<P>(false), false)
    }

    /// The same for a request that carries passphrases or keys: its contents are never logged.
    pub fn receive_secret<P>(self: &Rc<Self>, params: &Params<P>) -> Incoming
    where
        P: Owned,
        for<'a> P::Reader<'a>: std::fmt::Debug,
    {
        self.incoming(&*params.hook, Shape::of::<P>(true), true)
    }

    fn incoming(self: &Rc<Self>, params: &dyn ParamsHook, shape: Shape, secret: bool) -> Incoming {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        if debug_enabled() {
            let name = thread_name(self.connection().event_loop().exe_name());
            ipc_log!(DEBUG, name, "IPC server recv request  #{number} {}", shape.name());
            if let Some(text) = params.get().ok().and_then(|reader| shape.payload(reader)) {
                tracing::trace!(target: "ipc", "{{{name}}} request data: {text}");
            }
        }
        let counters = self.connection().event_loop().counters();
        up(&counters.calls);
        up(&counters.calls_total);
        let calls = self.calls().get();
        self.calls().set(calls + 1);
        Incoming { session: self.clone(), number, secret, excess: calls >= self.limits().max_calls }
    }

    /// Notes the release of a server object.
    pub(crate) fn destroyed(&self, what: &str) {
        if debug_enabled() {
            let name = thread_name(self.connection().event_loop().exe_name());
            ipc_log!(DEBUG, name, "IPC server destroy {what}");
        }
    }
}

/// Tells the queued or running job that nobody waits for it any more.
struct CancelGuard<'a> {
    progress: Arc<AtomicU8>,
    number: u64,
    home: &'a LoopHandle,
}

impl Drop for CancelGuard<'_> {
    fn drop(&mut self) {
        let before = self.progress.compare_exchange(QUEUED, CANCELLED, Ordering::AcqRel, Ordering::Acquire);
        if before != Err(DONE) {
            up(&self.home.counters().calls_cancelled);
        }
        if before == Err(EXECUTING) {
            let _ = self.progress.compare_exchange(EXECUTING, ABANDONED, Ordering::AcqRel, Ordering::Acquire);
            let name = thread_name(self.home.exe_name());
            ipc_log!(INFO, name, "IPC server request #{} canceled while executing.", self.number);
        }
    }
}

/// Work without its type: like calls, requests are erased early.
type Work = Box<dyn FnOnce() -> Result<(), String> + Send>;
type Slot<T> = Arc<Mutex<Option<T>>>;

fn erase<T, E, F>(work: F) -> (Work, Slot<T>)
where
    T: Send + 'static,
    E: std::fmt::Display,
    F: FnOnce() -> Result<T, E> + Send + 'static,
{
    let slot = Slot::default();
    let out = slot.clone();
    let work = Box::new(move || match work() {
        Ok(value) => {
            *lock(&out) = Some(value);
            Ok(())
        }
        Err(error) => Err(error.to_string()),
    });
    (work, slot)
}

fn take<T>(slot: &Slot<T>) -> capnp::Result<T> {
    lock(slot).take().ok_or_else(|| exception("the request could not be executed"))
}

fn guarded(work: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err("internal error: the method panicked".to_owned()))
}

impl Incoming {
    /// Number of the request in log lines.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// The connection it came over.
    pub fn session(&self) -> &Rc<Session> {
        &self.session
    }

    fn refused(&self, limit: Limit) -> capnp::Error {
        self.session.connection().event_loop().hit(limit);
        capnp::Error::overloaded(limit.text().to_owned())
    }

    fn admit(&self) -> capnp::Result<()> {
        if self.excess { Err(self.refused(Limit::Calls)) } else { Ok(()) }
    }

    /// Counts calls that fail.
    fn counted<T>(&self, result: capnp::Result<T>) -> capnp::Result<T> {
        if result.is_err() {
            up(&self.session.connection().event_loop().counters().calls_failed);
        }
        result
    }

    async fn find_thread(&self, thread: Option<thread::Client>) -> capnp::Result<Arc<Strand>> {
        let found = match thread {
            None => self.session.pool_thread(),
            // A pipelined client names a thread that it has asked for but not received; only resolving tells which.
            Some(thread) => match self.session.local_strand(&thread) {
                Some(strand) => Some(strand),
                None => self.session.local_strand(&capnp::capability::get_resolved_cap(thread).await),
            },
        };
        found.ok_or_else(|| {
            let name = thread_name(self.session.connection().event_loop().exe_name());
            ipc_log!(
                ERROR,
                name,
                "IPC server error request #{}, missing thread to execute request",
                self.number
            );
            exception("invalid thread handle")
        })
    }

    /// Executes on the thread that the context names.
    pub async fn run<T, E, F>(&self, context: RequestContext, work: F) -> capnp::Result<T>
    where
        T: Send + 'static,
        E: std::fmt::Display,
        F: FnOnce() -> Result<T, E> + Send + 'static,
    {
        let (work, slot) = erase(work);
        self.run_erased(context, work).await?;
        take(&slot)
    }

    async fn run_erased(&self, context: RequestContext, work: Work) -> capnp::Result<()> {
        self.counted(self.run_thread(context, work, false).await)
    }

    async fn run_thread(&self, context: RequestContext, work: Work, short: bool) -> capnp::Result<()> {
        self.admit()?;
        let strand = self.find_thread(context.thread).await?;
        if !(short && strand.is_idle()) {
            return self.execute(strand, context.callback, work).await;
        }
        if debug_enabled() {
            let name = thread_name(self.session.connection().event_loop().exe_name());
            ipc_log!(DEBUG, name, "IPC server post request  #{} {{{}}}", self.number, strand.name);
            ipc_log!(DEBUG, strand.name, "IPC server executing request #{}", self.number);
        }
        guarded(work).map_err(exception)
    }

    /// Executes something short that cannot block, right here if that overtakes nobody on the context's thread.
    pub async fn run_short<T, E, F>(&self, context: RequestContext, work: F) -> capnp::Result<T>
    where
        T: Send + 'static,
        E: std::fmt::Display,
        F: FnOnce() -> Result<T, E> + Send + 'static,
    {
        let (work, slot) = erase(work);
        self.run_short_erased(context, work).await?;
        take(&slot)
    }

    async fn run_short_erased(&self, context: RequestContext, work: Work) -> capnp::Result<()> {
        self.counted(self.run_thread(context, work, true).await)
    }

    /// Executes something short that cannot block, for methods without a context.
    pub fn run_here<T, E: std::fmt::Display>(&self, work: impl FnOnce() -> Result<T, E>) -> capnp::Result<T> {
        let mut value = None;
        let result = self.admit().and_then(|()| {
            guarded(|| {
                value = Some(work().map_err(|error| error.to_string())?);
                Ok(())
            })
            .map_err(exception)
        });
        self.counted(result)?;
        value.ok_or_else(|| exception("the request could not be executed"))
    }

    /// Executes on an object's own queue, for methods without a context.
    pub async fn run_on<T, E, F>(&self, queue: &ObjectThread, work: F) -> capnp::Result<T>
    where
        T: Send + 'static,
        E: std::fmt::Display,
        F: FnOnce() -> Result<T, E> + Send + 'static,
    {
        let (work, slot) = erase(work);
        let result = match self.admit() {
            Ok(()) => self.execute(queue.strand().clone(), None, work).await,
            Err(error) => Err(error),
        };
        self.counted(result)?;
        take(&slot)
    }

    async fn execute(
        &self,
        strand: Arc<Strand>,
        callback: Option<thread::Client>,
        work: Work,
    ) -> capnp::Result<()> {
        if strand.backlog() >= self.session.limits().max_backlog {
            return Err(self.refused(Limit::Backlog));
        }
        let home = self.session.connection().event_loop();
        let number = self.number;
        if debug_enabled() {
            let name = thread_name(home.exe_name());
            ipc_log!(DEBUG, name, "IPC server post request  #{number} {{{}}}", strand.name);
        }
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let progress = Arc::new(AtomicU8::new(QUEUED));
        let guard = CancelGuard { progress: progress.clone(), number, home };
        let run = Box::new(move || {
            if progress.compare_exchange(QUEUED, EXECUTING, Ordering::AcqRel, Ordering::Acquire).is_err() {
                let name = current_name().unwrap_or_default();
                ipc_log!(INFO, name, "IPC server request #{number} canceled before it could be executed");
                return;
            }
            if debug_enabled() {
                ipc_log!(DEBUG, current_name().unwrap_or_default(), "IPC server executing request #{number}");
            }
            let result = guarded(work);
            if progress.swap(DONE, Ordering::AcqRel) == ABANDONED {
                let name = current_name().unwrap_or_default();
                ipc_log!(INFO, name, "IPC server request #{number} interrupted (canceled)");
            }
            let _ = sender.send(result);
        });
        let callback: Option<OnLoop<thread::Client>> = callback.map(|thread| home.keep_lazily(thread));
        strand.post(StrandJob { conn: self.session.connection().id(), callback, run });
        let result = receiver.await;
        drop(guard);
        home.collect();
        match result {
            Ok(result) => result.map_err(exception),
            Err(_) => Err(exception("the request could not be executed")),
        }
    }

    /// Notes that the answer is complete. Every server method that succeeds ends with this.
    pub fn done<R>(&self, results: &mut Results<R>) -> capnp::Result<()>
    where
        R: Owned,
        for<'a> R::Reader<'a>: std::fmt::Debug,
    {
        self.done_erased(&mut *results.hook, Shape::of::<R>(self.secret))
    }

    fn done_erased(&self, results: &mut dyn ResultsHook, shape: Shape) -> capnp::Result<()> {
        if debug_enabled() {
            let name = thread_name(self.session.connection().event_loop().exe_name());
            ipc_log!(DEBUG, name, "IPC server send response #{} {}", self.number, shape.name());
            if let Some(text) = shape.payload(results.get()?.into_reader()) {
                tracing::trace!(target: "ipc", "{{{name}}} response data: {text}");
            }
        }
        Ok(())
    }
}
