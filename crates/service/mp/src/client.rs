//! Calls to the other side.

use std::rc::Rc;
use std::sync::{Arc, Mutex};

use capnp::capability::{FromClientHook, FromTypelessPipeline, Request, Response};
use capnp::traits::{Owned, Pipelined};

use crate::Error;
use crate::connection::{Connection, Session};
use crate::event_loop::OnLoop;
use crate::logging::{debug_enabled, ipc_log, payload, struct_name, trace_enabled};
use crate::proxy_capnp::{context, thread};
use crate::strand::{Strand, current, lock};

/// Where a blocked caller finds its answer. Dropped without one, it gives an error.
struct Answer<T> {
    slot: Arc<Mutex<Option<Result<T, Error>>>>,
    strand: Arc<Strand>,
    given: bool,
}

impl<T> Answer<T> {
    fn give(mut self, value: Result<T, Error>) {
        self.put(value);
    }

    fn put(&mut self, value: Result<T, Error>) {
        self.given = true;
        *lock(&self.slot) = Some(value);
        self.strand.wake();
    }
}

impl<T> Drop for Answer<T> {
    fn drop(&mut self) {
        if !self.given {
            self.put(Err(Error::Cancelled));
        }
    }
}

/// A capability of the other side, for any thread. The last clone to be dropped releases it.
pub struct Remote<C> {
    conn: Connection,
    client: OnLoop<C>,
}

impl<C> Clone for Remote<C> {
    fn clone(&self) -> Self {
        Remote { conn: self.conn.clone(), client: self.client.clone() }
    }
}

impl<C: FromClientHook + Clone + 'static> Remote<C> {
    pub(crate) fn new(conn: Connection, client: OnLoop<C>) -> Remote<C> {
        Remote { conn, client }
    }

    /// The connection it belongs to.
    pub fn connection(&self) -> &Connection {
        &self.conn
    }

    /// The capability itself, to pass it on in a call over the same connection. On the loop thread only.
    pub fn client(&self) -> capnp::Result<C> {
        self.client.get().ok_or_else(|| capnp::Error::failed("capability used off its thread".to_owned()))
    }

    /// Makes a call and waits for the answer, and executes callbacks of that call meanwhile.
    ///
    /// `body` runs on the loop thread: it fills a request, sends it with [`Call::send`], and turns the response into
    /// plain data.
    pub fn call<T, F, Fut>(&self, body: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(C, Call) -> Fut + Send + 'static,
        Fut: Future<Output = capnp::Result<T>> + 'static,
    {
        let home = self.conn.event_loop();
        if home.is_current() {
            return Err(Error::Local("blocking call on the IPC thread".to_owned()));
        }
        let context = current(|| home.own_strand());
        let strand = context.strand.clone();
        let slot = Arc::new(Mutex::new(None));
        let answer = Answer { slot: slot.clone(), strand: strand.clone(), given: false };
        let request_thread = context.request_thread(self.conn.id());
        let caller = Some((strand.clone(), request_thread));
        self.start(caller, body, move |result| answer.give(result));
        strand.wait(self.conn.id(), || lock(&slot).take())
    }

    /// Makes a call without waiting; `done` gets the answer on the loop thread and must not block. The call cannot
    /// have a context. If the loop ends before, `done` is dropped.
    pub fn call_async<T, F, Fut>(&self, body: F, done: impl FnOnce(Result<T, Error>) + Send + 'static)
    where
        T: 'static,
        F: FnOnce(C, Call) -> Fut + Send + 'static,
        Fut: Future<Output = capnp::Result<T>> + 'static,
    {
        self.start(None, body, done);
    }

    fn start<T, F, Fut>(
        &self,
        caller: Option<(Arc<Strand>, Option<OnLoop<thread::Client>>)>,
        body: F,
        done: impl FnOnce(Result<T, Error>) + Send + 'static,
    ) where
        T: 'static,
        F: FnOnce(C, Call) -> Fut + Send + 'static,
        Fut: Future<Output = capnp::Result<T>> + 'static,
    {
        let target = self.clone();
        self.conn.event_loop().post(move || {
            let (Some(session), Some(client)) = (Session::of(target.conn.id()), target.client.get()) else {
                tokio::task::spawn_local(async move { done(Err(target.conn.disconnect_error(true).await)) });
                return;
            };
            let call = Call { session, caller };
            let future = body(client, call);
            tokio::task::spawn_local(async move {
                match future.await {
                    Ok(value) => done(Ok(value)),
                    Err(error) => match Error::from_capnp(&error) {
                        Error::Disconnected(_) => done(Err(target.conn.disconnect_error(false).await)),
                        other => done(Err(other)),
                    },
                }
            });
        });
    }
}

/// A call in the making, on the loop thread.
pub struct Call {
    session: Rc<Session>,
    caller: Option<(Arc<Strand>, Option<OnLoop<thread::Client>>)>,
}

impl Call {
    /// The connection's side on this thread, for handing over objects.
    pub fn session(&self) -> &Rc<Session> {
        &self.session
    }

    /// Fills the context of a request: which thread there is to execute it, and which one here takes callbacks.
    pub fn context(&self, mut context: context::Builder<'_>) -> capnp::Result<()> {
        let Some((strand, request_thread)) = &self.caller else {
            return Err(capnp::Error::failed("a call without a thread cannot have a context".to_owned()));
        };
        let thread = match request_thread.as_ref().and_then(OnLoop::get) {
            Some(thread) => thread,
            None => self.session.peer_thread(strand)?,
        };
        context.set_thread(thread);
        context.set_callback_thread(self.session.own_thread(strand));
        Ok(())
    }

    /// Sends a request and waits for its response. Both are logged.
    pub async fn send<P, R>(&self, request: Request<P, R>) -> capnp::Result<Response<R>>
    where
        P: Owned,
        R: Owned + Pipelined + Unpin + 'static,
        R::Pipeline: FromTypelessPipeline,
        for<'a> P::Reader<'a>: std::fmt::Debug,
        for<'a> R::Reader<'a>: std::fmt::Debug,
    {
        self.transmit(request, false).await
    }

    /// The same for a call that carries passphrases or keys: its contents are never logged.
    pub async fn send_secret<P, R>(&self, request: Request<P, R>) -> capnp::Result<Response<R>>
    where
        P: Owned,
        R: Owned + Pipelined + Unpin + 'static,
        R::Pipeline: FromTypelessPipeline,
        for<'a> P::Reader<'a>: std::fmt::Debug,
        for<'a> R::Reader<'a>: std::fmt::Debug,
    {
        self.transmit(request, true).await
    }

    async fn transmit<P, R>(&self, mut request: Request<P, R>, secret: bool) -> capnp::Result<Response<R>>
    where
        P: Owned,
        R: Owned + Pipelined + Unpin + 'static,
        R::Pipeline: FromTypelessPipeline,
        for<'a> P::Reader<'a>: std::fmt::Debug,
        for<'a> R::Reader<'a>: std::fmt::Debug,
    {
        if !debug_enabled() {
            return request.send().promise.await;
        }
        let name = match &self.caller {
            Some((strand, _)) => strand.name.clone(),
            None => crate::logging::thread_name(self.session.connection().event_loop().exe_name()),
        };
        ipc_log!(DEBUG, name, "IPC client send {}", struct_name::<P>());
        if trace_enabled() && !secret {
            let reader: P::Reader<'_> = request.hook.get().into_reader().get_as()?;
            tracing::trace!(target: "ipc", "{{{name}}} send data: {}", payload(&reader));
        }
        let answer = request.send().promise.await;
        match &answer {
            Ok(response) => {
                ipc_log!(DEBUG, name, "IPC client recv {}", struct_name::<R>());
                if trace_enabled() && !secret {
                    tracing::trace!(target: "ipc", "{{{name}}} recv data: {}", payload(&response.get()?));
                }
            }
            Err(error) => ipc_log!(DEBUG, name, "IPC client exception {error}"),
        }
        answer
    }
}
