//! Connections: [`Connection`] for any thread, [`Session`] for the loop thread.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::os::unix::net::UnixStream;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use capnp::capability::{FromClientHook, Promise};
use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::{CapabilityServerSet, RpcSystem};
use tokio::sync::watch;

use crate::Error;
use crate::client::Remote;
use crate::error::{AFTER_DISCONNECT, DURING_DISCONNECT};
use crate::event_loop::LoopHandle;
use crate::limits::{Limit, Limits, down, up};
use crate::logging::{ipc_log, thread_name};
use crate::network::Network;
use crate::output::Output;
use crate::patience::Patience;
use crate::proxy_capnp::{thread, thread_map};
use crate::strand::{Strand, lock};
use crate::threads::{ThreadMapServer, ThreadServer};
use crate::transport::Transport;

/// How long a lost connection waits for its cause (such as a child's exit status) to become known.
const CAUSE_TIMEOUT: Duration = Duration::from_secs(2);
/// How long the rest of the output may take after the end of a connection.
const LINGER: Duration = Duration::from_secs(5);

type OnClose = Box<dyn FnOnce(&str) + Send>;

struct State {
    closed: bool,
    on_close: Vec<OnClose>,
}

struct Shared {
    id: u64,
    home: LoopHandle,
    state: Mutex<State>,
    cause: watch::Sender<Option<String>>,
    cause_expected: AtomicBool,
    /// Who the other side is, for errors.
    peer: Mutex<Option<String>>,
    patience: Patience,
}

/// A connection to another process, for any thread.
#[derive(Clone)]
pub struct Connection(Arc<Shared>);

impl Connection {
    fn new(home: LoopHandle) -> Connection {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        Connection(Arc::new(Shared {
            id: NEXT.fetch_add(1, Ordering::Relaxed),
            home,
            state: Mutex::new(State { closed: false, on_close: Vec::new() }),
            cause: watch::Sender::new(None),
            cause_expected: AtomicBool::new(false),
            peer: Mutex::new(None),
            patience: Patience::default(),
        }))
    }

    pub(crate) fn id(&self) -> u64 {
        self.0.id
    }

    pub(crate) fn patience(&self) -> &Patience {
        &self.0.patience
    }

    /// Says who the other side is, such as `Process 123`: errors name it.
    pub fn set_peer_name(&self, name: impl Into<String>) {
        *lock(&self.0.peer) = Some(name.into());
    }

    /// The name that [`Connection::set_peer_name`] gave.
    pub fn peer_name(&self) -> String {
        lock(&self.0.peer).clone().unwrap_or_else(|| "The other process".to_owned())
    }

    /// The loop that owns the connection.
    pub fn event_loop(&self) -> &LoopHandle {
        &self.0.home
    }

    /// Whether the connection has ended.
    pub fn is_closed(&self) -> bool {
        lock(&self.0.state).closed
    }

    /// Ends the connection from this side. What has been written before is still sent.
    pub fn close(&self) {
        self.0.cause.send_if_modified(|cause| {
            let first = cause.is_none();
            if first {
                *cause = Some("Closed by this process.".to_owned());
            }
            first
        });
        let id = self.id();
        self.0.home.post(move || {
            if let Some(session) = Session::of(id) {
                session.disconnect();
            }
        });
    }

    /// Runs a closure with the cause, on a worker thread, when the connection ends; at once if it has ended.
    pub fn on_close(&self, run: impl FnOnce(&str) + Send + 'static) {
        let mut state = lock(&self.0.state);
        if !state.closed {
            state.on_close.push(Box::new(run));
            return;
        }
        drop(state);
        let conn = self.clone();
        self.0.home.pool().run(Box::new(move || run(&conn.cause().unwrap_or_default())));
    }

    /// Announces that [`Connection::set_cause`] will say why the connection has ended; errors of calls wait a moment
    /// for it.
    pub fn expect_cause(&self) {
        self.0.cause_expected.store(true, Ordering::Release);
    }

    /// Says why the connection has ended, or is about to. The first text counts.
    pub fn set_cause(&self, text: impl Into<String>) {
        self.0.cause.send_if_modified(|cause| {
            let first = cause.is_none();
            if first {
                *cause = Some(text.into());
            }
            first
        });
    }

    /// The text of [`Connection::set_cause`].
    pub fn cause(&self) -> Option<String> {
        self.0.cause.borrow().clone()
    }

    /// Waits for the cause if one has been announced.
    pub(crate) async fn wait_cause(&self) -> Option<String> {
        if self.0.cause_expected.load(Ordering::Acquire) {
            let mut watch = self.0.cause.subscribe();
            let _ = tokio::time::timeout(CAUSE_TIMEOUT, watch.wait_for(Option::is_some)).await;
        }
        self.cause()
    }

    /// The error of a call during which the connection ended (`before`: it had ended already).
    pub(crate) async fn disconnect_error(&self, before: bool) -> Error {
        let text = if before { AFTER_DISCONNECT } else { DURING_DISCONNECT };
        match self.wait_cause().await {
            Some(cause) => Error::Disconnected(format!("{text} {cause}")),
            None => match lock(&self.0.peer).as_ref() {
                Some(peer) => Error::Disconnected(format!("{text} {peer} has closed the connection.")),
                None => Error::Disconnected(text.to_owned()),
            },
        }
    }

    pub(crate) fn forget_strand(&self, strand: u64) {
        let id = self.id();
        self.0.home.post(move || {
            if let Some(session) = Session::of(id) {
                session.forget_strand(strand);
            }
        });
    }

    /// Connects to a server over `stream`. `construct` makes the first call on the bootstrap interface: it hands over
    /// this side's thread map and answers the other side's, together with the promise to drive. Nothing is waited for.
    pub fn connect<C, F>(home: &LoopHandle, stream: UnixStream, construct: F) -> Result<Remote<C>, Error>
    where
        C: FromClientHook + Clone + 'static,
        F: FnOnce(&C, thread_map::Client) -> (thread_map::Client, Promise<(), capnp::Error>) + Send + 'static,
    {
        let handle = home.clone();
        home.sync(move || connect_here(&handle, Transport::unix(stream).map_err(local)?, construct))?
    }

    /// [`Connection::connect`] over any byte stream. `open` runs on the loop thread and gives the stream, for which the
    /// caller is blocked: a time limit is up to `open`.
    pub fn connect_over<C, F, O, Fut>(home: &LoopHandle, open: O, construct: F) -> Result<Remote<C>, Error>
    where
        C: FromClientHook + Clone + 'static,
        F: FnOnce(&C, thread_map::Client) -> (thread_map::Client, Promise<(), capnp::Error>) + Send + 'static,
        O: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = std::io::Result<Transport>> + 'static,
    {
        let handle = home.clone();
        home.sync_async(
            move || async move { connect_here(&handle, open().await.map_err(local)?, construct) },
        )?
    }

    /// Serves `bootstrap` over `stream`.
    pub fn serve<F>(home: &LoopHandle, stream: UnixStream, bootstrap: F) -> Result<Connection, Error>
    where
        F: FnOnce(&Rc<Session>) -> capnp::capability::Client + Send + 'static,
    {
        let conn = Connection::new(home.clone());
        home.sync(move || {
            let limits = *conn.event_loop().limits();
            serve_here(&conn, Transport::unix(stream).map_err(local)?, limits, bootstrap);
            Ok(conn)
        })?
    }

    /// [`Connection::serve`] over any byte stream, which `open` gives on the loop thread.
    pub fn serve_over<F, O, Fut>(home: &LoopHandle, open: O, bootstrap: F) -> Result<Connection, Error>
    where
        F: FnOnce(&Rc<Session>) -> capnp::capability::Client + Send + 'static,
        O: FnOnce() -> Fut + Send + 'static,
        Fut: Future<Output = std::io::Result<Transport>> + 'static,
    {
        let conn = Connection::new(home.clone());
        home.sync_async(move || async move {
            let limits = *conn.event_loop().limits();
            serve_here(&conn, open().await.map_err(local)?, limits, bootstrap);
            Ok(conn)
        })?
    }
}

fn local(error: std::io::Error) -> Error {
    Error::Local(error.to_string())
}

/// [`Connection::connect`] on the loop thread.
fn connect_here<C, F>(home: &LoopHandle, stream: Transport, construct: F) -> Result<Remote<C>, Error>
where
    C: FromClientHook + Clone + 'static,
    F: FnOnce(&C, thread_map::Client) -> (thread_map::Client, Promise<(), capnp::Error>),
{
    let conn = Connection::new(home.clone());
    let (session, mut rpc) = Session::start(&conn, stream, Side::Client, *home.limits(), |_| None);
    let client: C = rpc.bootstrap(Side::Server);
    let (map, promise) = construct(&client, session.thread_map());
    *session.peer_map.borrow_mut() = Some(map);
    session.constructed.set(true);
    tokio::task::spawn_local(promise);
    let remote = session.remote(client);
    session.run(rpc, false);
    Ok(remote)
}

/// [`Connection::serve`] on the loop thread.
pub(crate) fn serve_here<F>(conn: &Connection, stream: Transport, limits: Limits, bootstrap: F) -> Rc<Session>
where
    F: FnOnce(&Rc<Session>) -> capnp::capability::Client,
{
    let (session, rpc) =
        Session::start(conn, stream, Side::Server, limits, |session| Some(bootstrap(session)));
    session.run(rpc, true);
    session
}

/// Drives the connection. The RPC layer asserts some things of which the other side should not be able to make it wrong;
/// if one can, that must end this connection only.
async fn guard(home: &LoopHandle, rpc: RpcSystem<Side>) -> capnp::Result<()> {
    let mut rpc = Some(rpc);
    let result = poll_fn(|cx| {
        let Some(rpc) = rpc.as_mut() else { return Poll::Ready(Ok(())) };
        catch_unwind(AssertUnwindSafe(|| Pin::new(rpc).poll(cx)))
            .unwrap_or_else(|_| Poll::Ready(Err(panicked(home))))
    })
    .await;
    let rpc = rpc.take();
    match catch_unwind(AssertUnwindSafe(|| drop(rpc))) {
        Ok(()) => result,
        Err(_) => Err(panicked(home)),
    }
}

fn panicked(home: &LoopHandle) -> capnp::Error {
    up(&home.counters().panics);
    ipc_log!(
        ERROR,
        thread_name(home.exe_name()),
        "IPC: handling a message panicked, the connection is closed"
    );
    capnp::Error::failed("internal error".to_owned())
}

/// A new connection object for [`serve_here`].
pub(crate) fn new_connection(home: &LoopHandle) -> Connection {
    Connection::new(home.clone())
}

thread_local! {
    static SESSIONS: RefCell<HashMap<u64, Rc<Session>>> = RefCell::new(HashMap::new());
}

/// The loop thread's side of a connection: its threads, and what the server objects of the connection need.
pub struct Session {
    conn: Connection,
    limits: Limits,
    output: Output,
    /// Calls of the other side that wait or are being executed.
    calls: Cell<usize>,
    /// What lives as long as the connection.
    kept: RefCell<Vec<Box<dyn Any>>>,
    threads: RefCell<CapabilityServerSet<ThreadServer, thread::Client>>,
    /// Threads that the other side has made here.
    made: RefCell<HashMap<u64, Weak<ThreadServer>>>,
    /// Capabilities for callbacks to ordinary threads of this process.
    own: RefCell<HashMap<u64, thread::Client>>,
    /// Threads that this side has made there, by the strand they stand for.
    peers: RefCell<HashMap<u64, thread::Client>>,
    peer_map: RefCell<Option<thread_map::Client>>,
    pool: RefCell<Vec<Arc<Strand>>>,
    constructed: Cell<bool>,
    disconnector: RefCell<Option<capnp_rpc::Disconnector<Side>>>,
    /// Objects that the other side holds, by the names of their interfaces.
    pub(crate) objects: RefCell<HashMap<&'static str, usize>>,
}

impl Session {
    pub(crate) fn of(conn: u64) -> Option<Rc<Session>> {
        SESSIONS.with(|sessions| sessions.borrow().get(&conn).cloned())
    }

    fn start(
        conn: &Connection,
        stream: Transport,
        side: Side,
        limits: Limits,
        bootstrap: impl FnOnce(&Rc<Session>) -> Option<capnp::capability::Client>,
    ) -> (Rc<Session>, RpcSystem<Side>) {
        if let Some(peer) = stream.peer.clone() {
            conn.set_peer_name(peer);
        }
        let home = conn.event_loop();
        let (network, flusher) = Network::new(stream, side, home, limits);
        up(&home.counters().connections);
        up(&home.counters().connections_total);
        let session = Rc::new(Session {
            conn: conn.clone(),
            limits,
            output: network.output(),
            calls: Cell::new(0),
            kept: RefCell::default(),
            threads: RefCell::default(),
            made: RefCell::default(),
            own: RefCell::default(),
            peers: RefCell::default(),
            peer_map: RefCell::new(None),
            pool: RefCell::default(),
            constructed: Cell::new(false),
            disconnector: RefCell::new(None),
            objects: RefCell::default(),
        });
        let rpc = RpcSystem::new(Box::new(network), bootstrap(&session));
        *session.disconnector.borrow_mut() = Some(rpc.get_disconnector());
        SESSIONS.with(|sessions| sessions.borrow_mut().insert(conn.id(), session.clone()));
        let ended = conn.clone();
        tokio::task::spawn_local(async move {
            let mut flusher = std::pin::pin!(flusher);
            let mut watch = ended.0.cause.subscribe();
            // A peer that does not read must not keep the task for ever once the connection is over.
            let over = async {
                while !ended.is_closed() {
                    if watch.changed().await.is_err() {
                        break;
                    }
                }
                tokio::time::sleep(LINGER).await;
            };
            tokio::select! {
                () = &mut flusher => {}
                () = over => {}
            }
        });
        (session, rpc)
    }

    /// Drives the connection until it ends.
    fn run(self: &Rc<Self>, rpc: RpcSystem<Side>, server: bool) {
        let conn = self.conn.clone();
        tokio::task::spawn_local(async move {
            let result = guard(conn.event_loop(), rpc).await;
            let id = conn.id();
            let session = SESSIONS.with(|sessions| sessions.borrow_mut().remove(&id));
            if let Some(session) = session {
                session.clear();
            }
            let name = thread_name(conn.0.home.exe_name());
            match (server, conn.cause().is_some()) {
                (true, _) => ipc_log!(INFO, name, "IPC server: socket disconnected."),
                (false, true) => {}
                (false, false) => ipc_log!(WARN, name, "IPC client: unexpected network disconnect."),
            }
            if let Err(error) = result {
                ipc_log!(DEBUG, name, "IPC connection ended: {error}");
                conn.set_cause(format!("The connection was ended: {}", error.extra));
            }
            let callbacks = {
                let mut state = lock(&conn.0.state);
                state.closed = true;
                std::mem::take(&mut state.on_close)
            };
            conn.0.cause.send_modify(|_| {});
            let cause = conn
                .wait_cause()
                .await
                .unwrap_or_else(|| format!("{} has closed the connection.", conn.peer_name()));
            if !callbacks.is_empty() {
                conn.0.home.pool().run(Box::new(move || {
                    for callback in callbacks {
                        callback(&cause);
                    }
                }));
            }
        });
    }

    fn clear(&self) {
        let counters = self.conn.event_loop().counters();
        down(&counters.connections);
        self.own.take();
        self.peers.take();
        self.made.take();
        for strand in self.pool.take() {
            down(&counters.threads);
            strand.release();
        }
        self.kept.take();
        self.peer_map.take();
        self.disconnector.take();
    }

    fn disconnect(&self) {
        if let Some(disconnector) = self.disconnector.borrow_mut().take() {
            tokio::task::spawn_local(disconnector);
        }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    pub(crate) fn calls(&self) -> &Cell<usize> {
        &self.calls
    }

    /// Drops something when the connection ends.
    pub(crate) fn keep(&self, value: impl Any) {
        self.kept.borrow_mut().push(Box::new(value));
    }

    /// Ends the connection because of a limit, which the other side is told.
    pub(crate) fn abort(&self, limit: Limit) {
        self.output.abort(limit);
    }

    /// How many objects the other side holds here that were hosted under this name.
    pub fn hosted(&self, name: &str) -> usize {
        self.objects.borrow().get(name).copied().unwrap_or(0)
    }

    /// The connection, for other threads.
    pub fn connection(&self) -> &Connection {
        &self.conn
    }

    /// A handle to a capability of the other side, for other threads.
    pub fn remote<C: FromClientHook + Clone + 'static>(&self, client: C) -> Remote<C> {
        Remote::new(self.conn.clone(), self.conn.0.home.keep(client))
    }

    /// This side's thread map, to be handed to the other side.
    pub fn thread_map(self: &Rc<Self>) -> thread_map::Client {
        capnp_rpc::new_client(ThreadMapServer { session: Rc::downgrade(self) })
    }

    /// Notes the other side's thread map (a null one means that it takes no calls) and answers this side's: the body
    /// of the method `construct`.
    pub fn construct(self: &Rc<Self>, peer: Option<thread_map::Client>) -> thread_map::Client {
        *self.peer_map.borrow_mut() = peer;
        self.constructed.set(true);
        self.thread_map()
    }

    pub(crate) fn is_constructed(&self) -> bool {
        self.constructed.get()
    }

    /// How many threads the other side has here.
    pub(crate) fn thread_count(&self) -> usize {
        self.made.borrow().len()
    }

    /// Makes a thread on behalf of the other side.
    pub(crate) fn make_thread(self: &Rc<Self>, from: &str) -> thread::Client {
        let home = &self.conn.0.home;
        let name = format!("{} (from {from})", thread_name(home.exe_name()));
        let strand = Strand::new(name, home.pool().clone());
        let server = ThreadServer {
            strand: strand.clone(),
            session: Rc::downgrade(self),
            home: home.clone(),
            made: true,
        };
        let server = Rc::new(server);
        self.made.borrow_mut().insert(strand.id, Rc::downgrade(&server));
        up(&home.counters().threads);
        self.threads.borrow_mut().new_client_from_rc(server)
    }

    pub(crate) fn make_pool(&self, count: u32) -> Result<(), &'static str> {
        let mut pool = self.pool.borrow_mut();
        if !pool.is_empty() {
            return Err("thread pool is already configured");
        }
        let home = &self.conn.0.home;
        for n in 0..count {
            up(&home.counters().threads);
            pool.push(Strand::new(
                format!("{} (pool {n})", thread_name(home.exe_name())),
                home.pool().clone(),
            ));
        }
        Ok(())
    }

    /// The pool thread with the shortest queue.
    pub(crate) fn pool_thread(&self) -> Option<Arc<Strand>> {
        self.pool
            .borrow()
            .iter()
            .min_by_key(|strand| strand.backlog() + usize::from(!strand.is_idle()))
            .cloned()
    }

    /// The strand of a thread capability that was made on this connection.
    pub(crate) fn local_strand(&self, thread: &thread::Client) -> Option<Arc<Strand>> {
        self.threads.borrow().get_local_server_of_resolved(thread).map(|server| server.strand.clone())
    }

    /// Any thread of the other side that this side has made.
    pub(crate) fn any_peer_thread(&self) -> Option<thread::Client> {
        self.peers.borrow().values().next().cloned()
    }

    /// The other side's thread for a strand of this side.
    pub(crate) fn peer_thread(&self, strand: &Arc<Strand>) -> capnp::Result<thread::Client> {
        if let Some(known) = self.peers.borrow().get(&strand.id) {
            return Ok(known.clone());
        }
        let map = self.peer_map.borrow();
        let Some(map) = map.as_ref() else {
            return Err(capnp::Error::failed("the other side has no thread map".to_owned()));
        };
        let mut request = map.make_thread_request();
        request.get().set_name(&strand.name);
        let answer = request.send();
        let made = answer.pipeline.get_result();
        tokio::task::spawn_local(answer.promise);
        self.peers.borrow_mut().insert(strand.id, made.clone());
        strand.used_by(&self.conn);
        Ok(made)
    }

    /// The capability by which the other side calls back to a strand of this side.
    pub(crate) fn own_thread(self: &Rc<Self>, strand: &Arc<Strand>) -> thread::Client {
        if let Some(server) = self.made.borrow().get(&strand.id).and_then(Weak::upgrade) {
            return self.threads.borrow_mut().new_client_from_rc(server);
        }
        if let Some(known) = self.own.borrow().get(&strand.id) {
            return known.clone();
        }
        let home = self.conn.event_loop().clone();
        let server = ThreadServer { strand: strand.clone(), session: Rc::downgrade(self), home, made: false };
        let made = self.threads.borrow_mut().new_client(server);
        self.own.borrow_mut().insert(strand.id, made.clone());
        strand.used_by(&self.conn);
        made
    }

    pub(crate) fn forget_strand(&self, strand: u64) {
        self.made.borrow_mut().remove(&strand);
        let own = self.own.borrow_mut().remove(&strand);
        let peer = self.peers.borrow_mut().remove(&strand);
        drop((own, peer));
        self.threads.borrow_mut().gc();
    }
}
