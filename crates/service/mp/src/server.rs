//! Requests of the other side: which thread executes them, and their log lines.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};

use capnp::capability::{Params, Results};
use capnp::traits::Owned;

use crate::connection::Session;
use crate::error::exception;
use crate::event_loop::{LoopHandle, OnLoop};
use crate::logging::{debug_enabled, ipc_log, payload, struct_name, thread_name, trace_enabled};
use crate::proxy_capnp::{context, thread};
use crate::strand::{Strand, StrandJob, current_name};

/// Requests that may wait for one thread.
const MAX_BACKLOG: usize = 1024;

const QUEUED: u8 = 0;
const EXECUTING: u8 = 1;
const DONE: u8 = 2;
const CANCELLED: u8 = 3;

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

/// A queue of its own for the calls of one object, for interfaces the calls of which have an order but no context.
#[derive(Clone)]
pub struct ObjectThread(Arc<Strand>);

impl ObjectThread {
    /// A new queue; `name` shows in log lines.
    pub fn new(home: &LoopHandle, name: &str) -> ObjectThread {
        let name = format!("{} ({name})", thread_name(home.exe_name()));
        ObjectThread(Strand::new(name, home.pool().clone()))
    }
}

/// A request that has come in.
pub struct Incoming {
    session: Rc<Session>,
    number: u64,
    secret: bool,
}

impl Session {
    /// Notes a request. Every server method begins with this.
    pub fn receive<P>(self: &Rc<Self>, params: &Params<P>) -> Incoming
    where
        P: Owned,
        for<'a> P::Reader<'a>: std::fmt::Debug,
    {
        self.incoming(params, false)
    }

    /// The same for a request that carries passphrases or keys: its contents are never logged.
    pub fn receive_secret<P>(self: &Rc<Self>, params: &Params<P>) -> Incoming
    where
        P: Owned,
        for<'a> P::Reader<'a>: std::fmt::Debug,
    {
        self.incoming(params, true)
    }

    fn incoming<P>(self: &Rc<Self>, params: &Params<P>, secret: bool) -> Incoming
    where
        P: Owned,
        for<'a> P::Reader<'a>: std::fmt::Debug,
    {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        if debug_enabled() {
            let name = thread_name(self.connection().event_loop().exe_name());
            ipc_log!(DEBUG, name, "IPC server recv request  #{number} {}", struct_name::<P>());
            if trace_enabled()
                && !secret
                && let Ok(reader) = params.get()
            {
                tracing::trace!(target: "ipc", "{{{name}}} request data: {}", payload(&reader));
            }
        }
        Incoming { session: self.clone(), number, secret }
    }

    /// Notes the release of a server object.
    pub fn destroyed(&self, what: &str) {
        if debug_enabled() {
            let name = thread_name(self.connection().event_loop().exe_name());
            ipc_log!(DEBUG, name, "IPC server destroy {what}");
        }
    }
}

/// Tells the queued or running job that nobody waits for it any more.
struct CancelGuard {
    progress: Arc<AtomicU8>,
    number: u64,
    exe_name: String,
}

impl Drop for CancelGuard {
    fn drop(&mut self) {
        if self.progress.compare_exchange(QUEUED, CANCELLED, Ordering::AcqRel, Ordering::Acquire)
            == Err(EXECUTING)
        {
            let name = thread_name(&self.exe_name);
            ipc_log!(INFO, name, "IPC server request #{} canceled while executing.", self.number);
        }
    }
}

fn guarded<T, E: std::fmt::Display>(work: impl FnOnce() -> Result<T, E>) -> Result<T, String> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(value)) => Ok(value),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("internal error: the method panicked".to_owned()),
    }
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
        let strand = self.find_thread(context.thread).await?;
        self.execute(strand, context.callback, work).await
    }

    /// Executes something short that cannot block, right here if that overtakes nobody on the context's thread.
    pub async fn run_short<T, E, F>(&self, context: RequestContext, work: F) -> capnp::Result<T>
    where
        T: Send + 'static,
        E: std::fmt::Display,
        F: FnOnce() -> Result<T, E> + Send + 'static,
    {
        let strand = self.find_thread(context.thread).await?;
        if !strand.is_idle() {
            return self.execute(strand, context.callback, work).await;
        }
        if debug_enabled() {
            let name = thread_name(self.session.connection().event_loop().exe_name());
            ipc_log!(DEBUG, name, "IPC server post request  #{} {{{}}}", self.number, strand.name);
            ipc_log!(DEBUG, strand.name, "IPC server executing request #{}", self.number);
        }
        self.run_here(work)
    }

    /// Executes something short that cannot block, for methods without a context.
    pub fn run_here<T, E: std::fmt::Display>(&self, work: impl FnOnce() -> Result<T, E>) -> capnp::Result<T> {
        guarded(work).map_err(exception)
    }

    /// Executes on an object's own queue, for methods without a context.
    pub async fn run_on<T, E, F>(&self, queue: &ObjectThread, work: F) -> capnp::Result<T>
    where
        T: Send + 'static,
        E: std::fmt::Display,
        F: FnOnce() -> Result<T, E> + Send + 'static,
    {
        self.execute(queue.0.clone(), None, work).await
    }

    async fn execute<T, E, F>(
        &self,
        strand: Arc<Strand>,
        callback: Option<thread::Client>,
        work: F,
    ) -> capnp::Result<T>
    where
        T: Send + 'static,
        E: std::fmt::Display,
        F: FnOnce() -> Result<T, E> + Send + 'static,
    {
        if strand.backlog() >= MAX_BACKLOG {
            return Err(capnp::Error::overloaded("too many requests wait for this thread".to_owned()));
        }
        let home = self.session.connection().event_loop();
        let number = self.number;
        if debug_enabled() {
            let name = thread_name(home.exe_name());
            ipc_log!(DEBUG, name, "IPC server post request  #{number} {{{}}}", strand.name);
        }
        let (sender, receiver) = tokio::sync::oneshot::channel();
        let progress = Arc::new(AtomicU8::new(QUEUED));
        let guard = CancelGuard { progress: progress.clone(), number, exe_name: home.exe_name().to_owned() };
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
            progress.store(DONE, Ordering::Release);
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
        if debug_enabled() {
            let name = thread_name(self.session.connection().event_loop().exe_name());
            ipc_log!(DEBUG, name, "IPC server send response #{} {}", self.number, struct_name::<R>());
            if trace_enabled() && !self.secret {
                let reader: R::Reader<'_> = results.hook.get()?.into_reader().get_as()?;
                tracing::trace!(target: "ipc", "{{{name}}} response data: {}", payload(&reader));
            }
        }
        Ok(())
    }
}
