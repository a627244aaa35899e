//! The served object, its callers, and connected pairs.

use std::os::unix::net::UnixStream;
use std::rc::Rc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use capnp::capability::Promise;
use grs_mp::{
    Connection, Error, EventLoop, Hosted, Limits, LoopHandle, LoopOptions, Remote, RequestContext, Session,
    Stats, exception, proxy_capnp,
};

use crate::contract_capnp::{callback, object, root};

#[derive(Default)]
pub(crate) struct Shared {
    /// What `work` has begun with.
    pub(crate) started: Mutex<Vec<u32>>,
    /// The callback of `subscribe`.
    kept: Mutex<Option<Remote<callback::Client>>>,
    /// Objects of `makeObject` that there are.
    pub(crate) objects: Arc<AtomicU32>,
}

/// What `makeObject` gives.
pub(crate) struct Object {
    uses: AtomicU32,
    alive: Arc<AtomicU32>,
}

impl Drop for Object {
    fn drop(&mut self) {
        self.alive.fetch_sub(1, Ordering::AcqRel);
    }
}

pub(crate) struct ObjectServer(Hosted<Object>);

impl object::Server for ObjectServer {
    async fn destroy(
        self: Rc<Self>,
        params: object::DestroyParams,
        mut results: object::DestroyResults,
    ) -> Result<(), capnp::Error> {
        let call = self.0.session.receive(&params);
        self.0.destroy(&call, RequestContext::read(params.get()?.get_context())).await?;
        call.done(&mut results)
    }

    async fn use_(
        self: Rc<Self>,
        params: object::UseParams,
        mut results: object::UseResults,
    ) -> Result<(), capnp::Error> {
        let call = self.0.session.receive(&params);
        let object = self.0.get().map_err(exception)?;
        let uses = call
            .run(RequestContext::read(params.get()?.get_context()), move || {
                Ok::<_, String>(object.uses.fetch_add(1, Ordering::AcqRel) + 1)
            })
            .await?;
        results.get().set_uses(uses);
        call.done(&mut results)
    }
}

/// The served object.
pub(crate) struct RootServer {
    pub(crate) session: Rc<Session>,
    pub(crate) shared: Arc<Shared>,
}

impl root::Server for RootServer {
    async fn construct(
        self: Rc<Self>,
        params: root::ConstructParams,
        mut results: root::ConstructResults,
    ) -> Result<(), capnp::Error> {
        let map = self.session.construct(params.get()?.get_thread_map().ok());
        results.get().set_thread_map(map);
        Ok(())
    }

    async fn echo(
        self: Rc<Self>,
        params: root::EchoParams,
        mut results: root::EchoResults,
    ) -> Result<(), capnp::Error> {
        let call = self.session.receive(&params);
        let p = params.get()?;
        let text = p.get_text()?.to_string()?;
        let context = RequestContext::read(p.get_context());
        let text = call.run_short(context, move || Ok::<_, String>(text)).await?;
        results.get().set_text(&text);
        call.done(&mut results)
    }

    async fn work(
        self: Rc<Self>,
        params: root::WorkParams,
        mut results: root::WorkResults,
    ) -> Result<(), capnp::Error> {
        let call = self.session.receive(&params);
        let p = params.get()?;
        let (id, time) = (p.get_id(), Duration::from_millis(p.get_milliseconds().into()));
        let shared = self.shared.clone();
        call.run(RequestContext::read(p.get_context()), move || {
            shared.started.lock().unwrap().push(id);
            std::thread::sleep(time);
            Ok::<_, String>(())
        })
        .await?;
        call.done(&mut results)
    }

    async fn started(
        self: Rc<Self>,
        _: root::StartedParams,
        mut results: root::StartedResults,
    ) -> Result<(), capnp::Error> {
        let ids = self.shared.started.lock().unwrap().clone();
        results.get().set_ids(&ids[..])?;
        Ok(())
    }

    async fn descend(
        self: Rc<Self>,
        params: root::DescendParams,
        mut results: root::DescendResults,
    ) -> Result<(), capnp::Error> {
        let call = self.session.receive(&params);
        let p = params.get()?;
        let depth = p.get_depth();
        let callback = self.session.remote(p.get_callback()?);
        let (depth, thread) = call
            .run(RequestContext::read(p.get_context()), move || {
                let own = format!("{:?}", std::thread::current().id());
                if depth == 0 {
                    return Ok((0, own));
                }
                let (reached, inner) = call_back(&callback, depth)?;
                // The innermost call ran on this very thread.
                if reached + 1 == depth && !inner.is_empty() && depth == 1 {
                    return Ok::<_, Error>((depth, own));
                }
                assert!(inner.is_empty() || inner == own, "{inner} is not {own}");
                Ok((reached + 1, own))
            })
            .await?;
        let mut out = results.get();
        out.set_depth(depth);
        out.set_thread(&thread);
        call.done(&mut results)
    }

    async fn fail(
        self: Rc<Self>,
        params: root::FailParams,
        _: root::FailResults,
    ) -> Result<(), capnp::Error> {
        let call = self.session.receive(&params);
        let p = params.get()?;
        let panic = p.get_panic();
        call.run(RequestContext::read(p.get_context()), move || {
            if panic {
                std::panic::resume_unwind(Box::new(()));
            }
            Err::<(), _>("it does not work")
        })
        .await
    }

    async fn secret(
        self: Rc<Self>,
        params: root::SecretParams,
        mut results: root::SecretResults,
    ) -> Result<(), capnp::Error> {
        let call = self.session.receive_secret(&params);
        let p = params.get()?;
        call.run(RequestContext::read(p.get_context()), || Ok::<_, String>(())).await?;
        call.done(&mut results)
    }

    async fn make_object(
        self: Rc<Self>,
        params: root::MakeObjectParams,
        mut results: root::MakeObjectResults,
    ) -> Result<(), capnp::Error> {
        let call = self.session.receive(&params);
        let alive = self.shared.objects.clone();
        alive.fetch_add(1, Ordering::AcqRel);
        let object = Object { uses: AtomicU32::new(0), alive };
        let hosted = Hosted::new(&self.session, Arc::new(object), "Object");
        results.get().set_result(capnp_rpc::new_client(ObjectServer(hosted)));
        call.done(&mut results)
    }

    async fn subscribe(
        self: Rc<Self>,
        params: root::SubscribeParams,
        mut results: root::SubscribeResults,
    ) -> Result<(), capnp::Error> {
        let call = self.session.receive(&params);
        let callback = self.session.remote(params.get()?.get_callback()?);
        *self.shared.kept.lock().unwrap() = Some(callback);
        call.done(&mut results)
    }

    async fn notify(
        self: Rc<Self>,
        params: root::NotifyParams,
        mut results: root::NotifyResults,
    ) -> Result<(), capnp::Error> {
        let call = self.session.receive(&params);
        let depth = params.get()?.get_depth();
        let callback =
            self.shared.kept.lock().unwrap().clone().ok_or_else(|| exception("no subscription"))?;
        let (sender, receiver) = futures::channel::oneshot::channel();
        std::thread::spawn(move || sender.send(call_back(&callback, depth)));
        let mut out = results.get();
        match receiver.await.map_err(exception)? {
            Ok((depth, _)) => out.set_depth(depth),
            Err(error) => out.set_error(error.to_string()),
        }
        call.done(&mut results)
    }

    async fn bytes(
        self: Rc<Self>,
        params: root::BytesParams,
        mut results: root::BytesResults,
    ) -> Result<(), capnp::Error> {
        let call = self.session.receive(&params);
        let p = params.get()?;
        let (sum, size) = (p.get_data()?.iter().fold(0_u8, |sum, b| sum.wrapping_add(*b)), p.get_size());
        call.run_short(RequestContext::read(p.get_context()), || Ok::<_, String>(())).await?;
        results.get().init_data(size).fill(sum);
        call.done(&mut results)
    }
}

pub(crate) fn call_back(callback: &Remote<callback::Client>, depth: u32) -> Result<(u32, String), Error> {
    callback.call(move |client, call| async move {
        let mut request = client.call_request();
        let mut p = request.get();
        call.context(p.reborrow().init_context())?;
        p.set_depth(depth);
        let response = call.send(request).await?;
        let r = response.get()?;
        Ok((r.get_depth(), r.get_thread()?.to_string()?))
    })
}

pub(crate) fn descend(
    root: &Remote<root::Client>,
    depth: u32,
    make: impl FnOnce(&Rc<Session>) -> callback::Client + Send + 'static,
) -> Result<(u32, String), Error> {
    root.call(move |client, call| async move {
        let mut request = client.descend_request();
        let mut p = request.get();
        call.context(p.reborrow().init_context())?;
        p.set_depth(depth);
        p.set_callback(make(call.session()));
        let response = call.send(request).await?;
        let r = response.get()?;
        Ok((r.get_depth(), r.get_thread()?.to_string()?))
    })
}

/// The caller's callback: goes down one step by calling the root again, on the thread that waits.
pub(crate) struct CallbackServer {
    pub(crate) session: Rc<Session>,
    pub(crate) root: Remote<root::Client>,
    pub(crate) expected: std::thread::ThreadId,
}

impl callback::Server for CallbackServer {
    async fn call(
        self: Rc<Self>,
        params: callback::CallParams,
        mut results: callback::CallResults,
    ) -> Result<(), capnp::Error> {
        let call = self.session.receive(&params);
        let p = params.get()?;
        let depth = p.get_depth();
        let (root, expected) = (self.root.clone(), self.expected);
        let (reached, thread) = call
            .run(RequestContext::read(p.get_context()), move || {
                assert_eq!(std::thread::current().id(), expected, "callback on another thread");
                let next = root.clone();
                descend(&root, depth - 1, move |session| {
                    let session = session.clone();
                    capnp_rpc::new_client(CallbackServer { session, root: next, expected })
                })
            })
            .await?;
        let mut out = results.get();
        out.set_depth(reached);
        out.set_thread(&thread);
        call.done(&mut results)
    }
}

/// A client and a server, and what they are made of.
pub(crate) struct Pair {
    pub(crate) root: Remote<root::Client>,
    pub(crate) shared: Arc<Shared>,
    _client: EventLoop,
    pub(crate) server: EventLoop,
}

pub(crate) fn connect_root(home: &LoopHandle, stream: UnixStream, with_map: bool) -> Remote<root::Client> {
    Connection::connect(home, stream, move |client: &root::Client, threads| {
        construct(client, with_map.then_some(threads))
    })
    .unwrap()
}

pub(crate) fn construct(
    client: &root::Client,
    threads: Option<proxy_capnp::thread_map::Client>,
) -> (proxy_capnp::thread_map::Client, Promise<(), capnp::Error>) {
    let mut request = client.construct_request();
    if let Some(threads) = threads {
        request.get().set_thread_map(threads);
    }
    let answer = request.send();
    let map = answer.pipeline.get_thread_map();
    let promise = answer.promise;
    (map, Promise::from_future(async move { promise.await.map(|_| ()) }))
}

/// The root interface for a connection.
pub(crate) fn root_client(session: &Rc<Session>, shared: Arc<Shared>) -> capnp::capability::Client {
    let client: root::Client = capnp_rpc::new_client(RootServer { session: session.clone(), shared });
    client.client
}

/// A server that treats its clients as strangers.
pub(crate) fn start_server(limits: Limits) -> EventLoop {
    let mut options = LoopOptions::new("server");
    options.limits = limits;
    EventLoop::start(options).unwrap()
}

pub(crate) fn pair_of(limits: Limits, with_map: bool) -> Pair {
    let server = start_server(limits);
    let client = EventLoop::start(LoopOptions::new("client")).unwrap();
    let (near, far) = UnixStream::pair().unwrap();
    let shared = Arc::new(Shared::default());
    let served = shared.clone();
    Connection::serve(&server.handle(), far, move |session| root_client(session, served)).unwrap();
    let root = connect_root(&client.handle(), near, with_map);
    Pair { root, shared, _client: client, server }
}

pub(crate) fn pair_with(with_map: bool) -> Pair {
    pair_of(Limits::default(), with_map)
}

/// Waits until the condition holds, for what happens soon but not at once.
pub(crate) fn eventually(what: &str, mut condition: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !condition() {
        assert!(begin.elapsed() < Duration::from_secs(20), "{what} did not come true");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// How often a limit was hit.
pub(crate) fn hits(stats: &Stats, limit: grs_mp::Limit) -> u64 {
    stats.limits.iter().find(|(name, _)| *name == limit.name()).map_or(0, |(_, count)| *count)
}

pub(crate) fn pair() -> Pair {
    pair_with(true)
}

pub(crate) fn echo(root: &Remote<root::Client>, text: &str) -> Result<String, Error> {
    let text = text.to_owned();
    root.call(move |client, call| async move {
        let mut request = client.echo_request();
        let mut p = request.get();
        call.context(p.reborrow().init_context())?;
        p.set_text(&text);
        let response = call.send(request).await?;
        Ok(response.get()?.get_text()?.to_string()?)
    })
}

pub(crate) fn work(root: &Remote<root::Client>, id: u32, milliseconds: u32) -> Result<(), Error> {
    root.call(move |client, call| async move {
        let mut request = client.work_request();
        let mut p = request.get();
        call.context(p.reborrow().init_context())?;
        p.set_id(id);
        p.set_milliseconds(milliseconds);
        call.send(request).await.map(|_| ())
    })
}

/// A thread map asked for without waiting.
pub(crate) fn pipelined_map(client: &root::Client) -> proxy_capnp::thread_map::Client {
    let answer = client.construct_request().send();
    let map = answer.pipeline.get_thread_map();
    tokio::task::spawn_local(answer.promise);
    map
}

/// A thread asked for without waiting.
pub(crate) fn pipelined_thread(
    map: &proxy_capnp::thread_map::Client,
    name: &str,
) -> proxy_capnp::thread::Client {
    let mut request = map.make_thread_request();
    request.get().set_name(name);
    let answer = request.send();
    let thread = answer.pipeline.get_result();
    tokio::task::spawn_local(answer.promise);
    thread
}

pub(crate) fn work_request(
    client: &root::Client,
    thread: &proxy_capnp::thread::Client,
    id: u32,
    milliseconds: u32,
) -> capnp::capability::RemotePromise<root::work_results::Owned> {
    let mut request = client.work_request();
    let mut p = request.get();
    p.reborrow().init_context().set_thread(thread.clone());
    p.set_id(id);
    p.set_milliseconds(milliseconds);
    request.send()
}

/// Sends some bytes and asks for some.
pub(crate) fn bytes(root: &Remote<root::Client>, data: Vec<u8>, size: u32) -> Result<Vec<u8>, Error> {
    root.call(move |client, call| async move {
        let mut request = client.bytes_request();
        let mut p = request.get();
        call.context(p.reborrow().init_context())?;
        p.set_data(&data);
        p.set_size(size);
        let response = call.send(request).await?;
        Ok(response.get()?.get_data()?.to_vec())
    })
}
