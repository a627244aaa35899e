//! Calls to the other side.

use std::pin::Pin;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use capnp::capability::{FromClientHook, Promise, Request, Response};
use capnp::private::capability::RequestHook;
use capnp::traits::Owned;

use crate::Error;
use crate::connection::{Connection, Session};
use crate::error::BLOCKING;
use crate::event_loop::OnLoop;
use crate::limits::Limit;
use crate::logging::{Shape, debug_enabled, ipc_log};
use crate::proxy_capnp::{context, thread};
use crate::server::ObjectThread;
use crate::strand::{Strand, current, lock};

/// What a call does on the loop thread. `None` if the capability is no longer there.
///
/// Calls are erased to this early: there are hundreds of methods, and each would otherwise bring its own copy of
/// everything below.
type Body = Box<dyn FnOnce(Call) -> Option<Pin<Box<dyn Future<Output = capnp::Result<()>>>>> + Send>;
type Caller = Option<(Arc<Strand>, Option<OnLoop<thread::Client>>)>;
type Done = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// Where a blocked caller finds its answer. Dropped without one, it gives an error.
struct Answer {
    slot: Arc<Mutex<Option<Result<(), Error>>>>,
    strand: Arc<Strand>,
    given: bool,
}

impl Answer {
    fn give(&mut self, value: Result<(), Error>) {
        self.given = true;
        *lock(&self.slot) = Some(value);
        self.strand.wake();
    }
}

impl Drop for Answer {
    fn drop(&mut self) {
        if !self.given {
            self.give(Err(Error::Cancelled));
        }
    }
}

/// Makes a call and blocks until it is done.
fn block_on(conn: &Connection, body: Body) -> Result<(), Error> {
    let home = conn.event_loop();
    if home.is_current() {
        return Err(Error::Local(BLOCKING.to_owned()));
    }
    let context = current(|| home.own_strand());
    let strand = context.strand.clone();
    let slot = Arc::new(Mutex::new(None));
    let _waiting = conn.begin_wait(&slot, &strand)?;
    let mut answer = Answer { slot: slot.clone(), strand: strand.clone(), given: false };
    let caller = Some((strand.clone(), context.request_thread(conn.id())));
    let call = || start(conn, caller, body, Box::new(move |result| answer.give(result)), None);
    strand.wait(conn.id(), call, || lock(&slot).take())
}

/// Makes a call on the loop thread. `cancel`, if given, lets it be given up.
fn start(conn: &Connection, caller: Caller, body: Body, done: Done, cancel: Option<Arc<Cancel>>) {
    let target = conn.clone();
    conn.event_loop().post(move || {
        let session = Session::of(target.id());
        // A call from within one of the other side keeps a thread busy on its behalf.
        let time = match (&caller, &session) {
            (Some((_, Some(_))), Some(session)) => session.limits().callback_time,
            _ => Duration::MAX,
        };
        let future = session.and_then(|session| body(Call { session, caller }));
        let task = tokio::task::spawn_local(async move {
            let Some(future) = future else {
                return done(Err(target.disconnect_error(true).await));
            };
            let result = match time {
                Duration::MAX => future.await,
                time => match tokio::time::timeout(time, future).await {
                    Ok(result) => result,
                    Err(_) => {
                        target.event_loop().hit(Limit::Callback);
                        return done(Err(Error::Local(Limit::Callback.text().to_owned())));
                    }
                },
            };
            match result {
                Ok(()) => done(Ok(())),
                Err(error) => match Error::from_capnp(&error) {
                    Error::Disconnected(_) => done(Err(target.disconnect_error(false).await)),
                    other => done(Err(other)),
                },
            }
        });
        if let Some(cancel) = cancel {
            cancel.started(task.abort_handle());
        }
    });
}

/// Gives a call up from any thread.
#[derive(Default)]
struct Cancel(Mutex<CancelState>);

#[derive(Default)]
enum CancelState {
    #[default]
    Waiting,
    Started(tokio::task::AbortHandle),
    Cancelled,
}

impl Cancel {
    fn started(&self, task: tokio::task::AbortHandle) {
        let mut state = lock(&self.0);
        match *state {
            CancelState::Cancelled => task.abort(),
            _ => *state = CancelState::Started(task),
        }
    }

    fn cancel(&self) {
        if let CancelState::Started(task) = std::mem::replace(&mut *lock(&self.0), CancelState::Cancelled) {
            task.abort();
        }
    }
}

struct Shared<T> {
    result: Option<Result<T, Error>>,
    waker: Option<Waker>,
}

/// The answer of a call, for asynchronous callers on any executor. Dropping it gives the call up: the other side is told
/// and does not execute it if it has not begun to.
#[must_use = "dropping it gives the call up"]
pub struct CallFuture<T> {
    shared: Arc<Mutex<Shared<T>>>,
    cancel: Arc<Cancel>,
}

impl<T> Future for CallFuture<T> {
    type Output = Result<T, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut shared = lock(&self.shared);
        match shared.result.take() {
            Some(result) => Poll::Ready(result),
            None => {
                shared.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for CallFuture<T> {
    fn drop(&mut self) {
        self.cancel.cancel();
    }
}

/// Where an asynchronous caller finds its answer. Dropped without one, it gives an error.
struct Promised<T>(Option<Arc<Mutex<Shared<T>>>>);

impl<T> Promised<T> {
    fn give(&mut self, result: Result<T, Error>) {
        let Some(shared) = self.0.take() else { return };
        let waker = {
            let mut shared = lock(&shared);
            shared.result = Some(result);
            shared.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Promised<T> {
    fn drop(&mut self) {
        self.give(Err(Error::Cancelled));
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
        let slot = Arc::new(Mutex::new(None));
        block_on(&self.conn, self.erase(body, slot.clone()))?;
        lock(&slot).take().ok_or(Error::Cancelled)
    }

    /// Makes a call without waiting; `done` gets the answer on the loop thread and must not block. The call cannot
    /// have a context. If the loop ends before, `done` is dropped.
    pub fn call_async<T, F, Fut>(&self, body: F, done: impl FnOnce(Result<T, Error>) + Send + 'static)
    where
        T: Send + 'static,
        F: FnOnce(C, Call) -> Fut + Send + 'static,
        Fut: Future<Output = capnp::Result<T>> + 'static,
    {
        let slot = Arc::new(Mutex::new(None));
        let body = self.erase(body, slot.clone());
        let done = Box::new(move |result: Result<(), Error>| {
            let value = lock(&slot).take();
            done(result.and_then(|()| value.ok_or(Error::Cancelled)));
        });
        start(&self.conn, None, body, done, None);
    }

    /// Makes a call for an asynchronous caller: at once, whether the future is polled or not. The other side executes the
    /// calls of one `thread` one after the other, each of which may have callbacks; those are executed here by a worker,
    /// one after the other too. Without a thread the call cannot have a context.
    pub fn call_future<T, F, Fut>(&self, thread: Option<&ObjectThread>, body: F) -> CallFuture<T>
    where
        T: Send + 'static,
        F: FnOnce(C, Call) -> Fut + Send + 'static,
        Fut: Future<Output = capnp::Result<T>> + 'static,
    {
        let slot = Arc::new(Mutex::new(None));
        let body = self.erase(body, slot.clone());
        let shared = Arc::new(Mutex::new(Shared { result: None, waker: None }));
        let mut promised = Promised(Some(shared.clone()));
        let done = Box::new(move |result: Result<(), Error>| {
            let value = lock(&slot).take();
            promised.give(result.and_then(|()| value.ok_or(Error::Cancelled)));
        });
        let cancel = Arc::new(Cancel::default());
        let caller = thread.map(|thread| (thread.strand().clone(), None));
        start(&self.conn, caller, body, done, Some(cancel.clone()));
        CallFuture { shared, cancel }
    }

    fn erase<T, F, Fut>(&self, body: F, slot: Arc<Mutex<Option<T>>>) -> Body
    where
        T: Send + 'static,
        F: FnOnce(C, Call) -> Fut + Send + 'static,
        Fut: Future<Output = capnp::Result<T>> + 'static,
    {
        let client = self.client.clone();
        Box::new(move |call| {
            let future = body(client.get()?, call);
            Some(Box::pin(async move {
                *lock(&slot) = Some(future.await?);
                Ok(())
            }))
        })
    }
}

/// A call in the making, on the loop thread.
pub struct Call {
    session: Rc<Session>,
    caller: Caller,
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
    pub fn send<P, R>(&self, request: Request<P, R>) -> impl Future<Output = capnp::Result<Response<R>>>
    where
        P: Owned,
        R: Owned,
        for<'a> P::Reader<'a>: std::fmt::Debug,
        for<'a> R::Reader<'a>: std::fmt::Debug,
    {
        typed(self.transmit(request.hook, Shape::of::<P>(false), Shape::of::<R>(false)))
    }

    /// The same for a call that carries passphrases or keys: its contents are never logged.
    pub fn send_secret<P, R>(
        &self,
        request: Request<P, R>,
    ) -> impl Future<Output = capnp::Result<Response<R>>>
    where
        P: Owned,
        R: Owned,
        for<'a> P::Reader<'a>: std::fmt::Debug,
        for<'a> R::Reader<'a>: std::fmt::Debug,
    {
        typed(self.transmit(request.hook, Shape::of::<P>(true), Shape::of::<R>(true)))
    }

    fn transmit(&self, mut request: Box<dyn RequestHook>, params: Shape, results: Shape) -> RawResponse {
        if !debug_enabled() {
            return request.send().promise;
        }
        let name = match &self.caller {
            Some((strand, _)) => strand.name.clone(),
            None => crate::logging::thread_name(self.session.connection().event_loop().exe_name()),
        };
        ipc_log!(DEBUG, name, "IPC client send {}", params.name());
        if let Some(text) = params.payload(request.get().into_reader()) {
            tracing::trace!(target: "ipc", "send data: {text}");
        }
        Promise::from_future(async move {
            let answer = request.send().promise.await;
            match &answer {
                Ok(response) => {
                    ipc_log!(DEBUG, name, "IPC client recv {}", results.name());
                    if let Some(text) = results.payload(response.get()?) {
                        tracing::trace!(target: "ipc", "recv data: {text}");
                    }
                }
                Err(error) => ipc_log!(DEBUG, name, "IPC client exception {error}"),
            }
            answer
        })
    }
}

type RawResponse = Promise<Response<capnp::any_pointer::Owned>, capnp::Error>;

async fn typed<R>(response: RawResponse) -> capnp::Result<Response<R>> {
    Ok(Response { hook: response.await?.hook, marker: std::marker::PhantomData })
}
