//! HTTP server: listening, who may connect, limits, timeouts, workers (reference: `httpserver.cpp`).
//!
//! Requests are read by a small tokio runtime. A [`PathHandler`] either answers on the spot or hands back work for the
//! worker pool; requests of one connection are answered in order.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use grs_log::{Category, debug, error, info, warn};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::sync::{mpsc, oneshot, watch};

pub use crate::message::{HttpReply, HttpRequest, percent_decode};
use crate::pool::{Pool, Refused};
use crate::protocol::sanitize;
use crate::subnet::{Subnet, split_host_port};

/// Largest head of a request: request line and headers, bytes.
pub const MAX_HEADERS_SIZE: usize = 8192;
/// Largest body of a request, bytes.
pub const MAX_BODY_SIZE: usize = 0x0200_0000;
/// Default of `-rpcthreads`.
pub const DEFAULT_THREADS: usize = 16;
/// Default of `-rpcworkqueue`.
pub const DEFAULT_WORK_QUEUE: usize = 64;
/// Default of `-rpcservertimeout`, seconds.
pub const DEFAULT_SERVER_TIMEOUT: u64 = 30;

/// How long connections may take to close at shutdown once nothing is being worked on.
const CLOSE_GRACE: Duration = Duration::from_secs(3);

/// Options of the server, values as the user gave them.
#[derive(Debug, Clone)]
pub struct HttpOptions {
    /// `-rpcbind`.
    pub bind: Vec<String>,
    /// `-rpcallowip`.
    pub allow_ip: Vec<String>,
    /// `-rpcport`.
    pub port: u16,
    /// `-rpcthreads`; at least one.
    pub threads: usize,
    /// `-rpcworkqueue`; at least one.
    pub work_queue: usize,
    /// `-rpcservertimeout`; zero waits forever.
    pub timeout: Duration,
    /// `-cjdnsreachable`.
    pub cjdns_reachable: bool,
}

impl HttpOptions {
    /// Defaults with a port.
    pub fn new(port: u16) -> Self {
        Self {
            bind: Vec::new(),
            allow_ip: Vec::new(),
            port,
            threads: DEFAULT_THREADS,
            work_queue: DEFAULT_WORK_QUEUE,
            timeout: Duration::from_secs(DEFAULT_SERVER_TIMEOUT),
            cjdns_reachable: false,
        }
    }
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum HttpError {
    /// An `-rpcallowip` value is no network.
    #[error(
        "Invalid -rpcallowip subnet specification: {0}. Valid values are a single IP (e.g. 1.2.3.4), a network/netmask \
         (e.g. 1.2.3.4/255.255.255.0), a network/CIDR (e.g. 1.2.3.4/24), all ipv4 (0.0.0.0/0), or all ipv6 (::/0). \
         RFC4193 is allowed only if -cjdnsreachable=0."
    )]
    AllowIp(String),
    /// An `-rpcbind` value has a bad port.
    #[error("Invalid port specified in -rpcbind: '{0}'")]
    Port(String),
    /// No address could be listened on.
    #[error("Unable to bind any endpoint for RPC server")]
    Bind,
    /// Threads could not be started.
    #[error("Unable to start the HTTP server's threads: {0}")]
    Threads(#[from] std::io::Error),
}

/// What a handler makes of a request.
pub enum Step {
    /// The answer.
    Reply(HttpReply),
    /// Work for the pool.
    Work(Box<dyn FnOnce() -> HttpReply + Send>),
}

/// Handler of a path.
pub trait PathHandler: Send + Sync + 'static {
    /// Looks at a request on a thread of the runtime: must not wait. `tail` is the path after the registered prefix.
    fn begin(self: Arc<Self>, request: HttpRequest, tail: &str) -> Step;
}

/// Handler whose every request is work for the pool.
struct PooledHandler<F>(F);

impl<F: Fn(&HttpRequest, &str) -> HttpReply + Send + Sync + 'static> PathHandler for PooledHandler<F> {
    fn begin(self: Arc<Self>, request: HttpRequest, tail: &str) -> Step {
        let tail = tail.to_owned();
        Step::Work(Box::new(move || (self.0)(&request, &tail)))
    }
}

/// A handler from a function that runs in the worker pool.
pub fn pooled<F>(handler: F) -> Arc<dyn PathHandler>
where
    F: Fn(&HttpRequest, &str) -> HttpReply + Send + Sync + 'static,
{
    Arc::new(PooledHandler(handler))
}

struct Path {
    prefix: String,
    exact: bool,
    handler: Arc<dyn PathHandler>,
}

struct Shared {
    allowed: Vec<Subnet>,
    paths: RwLock<Vec<Path>>,
    pool: Pool,
    /// No request is taken any more.
    rejecting: AtomicBool,
    /// Connections are closed after the answer in progress.
    closing: AtomicBool,
    timeout: Duration,
}

/// The server. [`HttpServer::bind`], then register paths, then [`HttpServer::start`].
pub struct HttpServer {
    shared: Arc<Shared>,
    threads: usize,
    listeners: Mutex<Vec<std::net::TcpListener>>,
    addresses: Vec<SocketAddr>,
    running: Mutex<Option<Running>>,
}

struct Running {
    runtime: tokio::runtime::Runtime,
    close: watch::Sender<bool>,
    /// Closed when the last connection is gone.
    connections: mpsc::Receiver<Infallible>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl HttpServer {
    /// Reads the options and starts listening; connections are taken from [`HttpServer::start`] on.
    pub fn bind(options: &HttpOptions) -> Result<Self, HttpError> {
        let mut allowed = Subnet::local().to_vec();
        for text in &options.allow_ip {
            let subnet = Subnet::parse(text, options.cjdns_reachable);
            allowed.push(subnet.ok_or_else(|| HttpError::AllowIp(text.clone()))?);
        }
        let list: String = allowed.iter().map(|s| format!("{s} ")).collect();
        debug!(Category::Http, "Allowing HTTP connections from: {list}");

        let listeners = bind_all(&endpoints(options)?);
        if listeners.is_empty() {
            error!("{}", HttpError::Bind);
            return Err(HttpError::Bind);
        }
        debug!(Category::Http, "Initialized HTTP server");
        let work_queue = options.work_queue.max(1);
        debug!(Category::Http, "set work queue of depth {work_queue}");
        Ok(Self {
            shared: Arc::new(Shared {
                allowed,
                paths: RwLock::default(),
                pool: Pool::new(work_queue),
                rejecting: AtomicBool::new(false),
                closing: AtomicBool::new(false),
                timeout: options.timeout,
            }),
            threads: options.threads.max(1),
            addresses: listeners.iter().filter_map(|l| l.local_addr().ok()).collect(),
            listeners: Mutex::new(listeners),
            running: Mutex::new(None),
        })
    }

    /// Addresses that are listened on.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Sends a path, or with `exact` false all paths that begin with it, to a handler. Earlier registrations win.
    pub fn register(&self, prefix: &str, exact: bool, handler: Arc<dyn PathHandler>) {
        debug!(Category::Http, "Registering HTTP handler for {prefix} (exactmatch {})", i32::from(exact));
        let path = Path { prefix: prefix.to_owned(), exact, handler };
        self.shared.paths.write().unwrap_or_else(PoisonError::into_inner).push(path);
    }

    /// Undoes [`HttpServer::register`].
    pub fn unregister(&self, prefix: &str, exact: bool) {
        let mut paths = self.shared.paths.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = paths.iter().position(|p| p.prefix == prefix && p.exact == exact) {
            debug!(
                Category::Http,
                "Unregistering HTTP handler for {prefix} (exactmatch {})",
                i32::from(exact)
            );
            paths.remove(index);
        }
    }

    /// Starts the threads and takes connections.
    pub fn start(&self) -> Result<(), HttpError> {
        info!("Starting HTTP server with {} worker threads", self.threads);
        self.shared.pool.start(self.threads)?;
        let cores = std::thread::available_parallelism().map_or(2, usize::from);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(cores.clamp(1, 4))
            .max_blocking_threads(1)
            .thread_name(grs_sync::thread::system_name("http"))
            .on_thread_start(|| grs_sync::thread::set_current_name("http"))
            .enable_io()
            .enable_time()
            .build()?;
        let (close, closed) = watch::channel(false);
        let (alive, connections) = mpsc::channel(1);
        {
            let _context = runtime.enter();
            for listener in lock(&self.listeners).drain(..) {
                listener.set_nonblocking(true)?;
                let listener = tokio::net::TcpListener::from_std(listener)?;
                runtime.spawn(accept(self.shared.clone(), listener, closed.clone(), alive.clone()));
            }
        }
        *lock(&self.running) = Some(Running { runtime, close, connections });
        Ok(())
    }

    /// From now on answers ask the client to close the connection. Called as soon as a shutdown is wanted.
    pub fn begin_shutdown(&self) {
        self.shared.closing.store(true, Ordering::Release);
    }

    /// Rejects new requests; running ones go on.
    pub fn interrupt(&self) {
        debug!(Category::Http, "Interrupting HTTP server");
        self.begin_shutdown();
        self.shared.rejecting.store(true, Ordering::Release);
        self.shared.pool.interrupt();
    }

    /// Waits for running requests and their answers, then closes everything. Not from a thread of the server.
    pub fn stop(&self) {
        debug!(Category::Http, "Stopping HTTP server");
        self.interrupt();
        debug!(Category::Http, "Waiting for HTTP worker threads to exit");
        self.shared.pool.stop();
        lock(&self.listeners).clear();
        if let Some(Running { runtime, close, mut connections }) = lock(&self.running).take() {
            let _ = close.send(true);
            debug!(Category::Http, "Waiting for HTTP event thread to exit");
            runtime.block_on(async {
                // Only clients that are in the middle of a request, or do not read their answer, take longer.
                let _ = tokio::time::timeout(CLOSE_GRACE, connections.recv()).await;
            });
            runtime.shutdown_timeout(Duration::from_secs(1));
        }
        debug!(Category::Http, "Stopped HTTP server");
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        if lock(&self.running).is_some() {
            self.stop();
        }
    }
}

fn endpoints(options: &HttpOptions) -> Result<Vec<(String, u16)>, HttpError> {
    // Both options are needed to open the port to others, so that one slip of the pen does not expose it.
    if options.allow_ip.is_empty() || options.bind.is_empty() {
        if !options.allow_ip.is_empty() {
            warn!("Option -rpcallowip was specified without -rpcbind; this doesn't usually make sense");
        }
        if !options.bind.is_empty() {
            warn!(
                "Option -rpcbind was ignored because -rpcallowip was not specified, refusing to allow everyone to connect"
            );
        }
        return Ok(vec![("::1".to_owned(), options.port), ("127.0.0.1".to_owned(), options.port)]);
    }
    options
        .bind
        .iter()
        .map(|text| {
            split_host_port(text, options.port).ok_or_else(|| {
                let failure = HttpError::Port(text.clone());
                error!("{failure}");
                failure
            })
        })
        .collect()
}

fn bind_all(endpoints: &[(String, u16)]) -> Vec<std::net::TcpListener> {
    let mut listeners = Vec::new();
    for (host, port) in endpoints {
        info!("Binding RPC on address {host} port {port}");
        let name = if host.is_empty() { "0.0.0.0" } else { host };
        let bound = (name, *port)
            .to_socket_addrs()
            .and_then(|mut found| found.next().ok_or_else(|| std::io::ErrorKind::AddrNotAvailable.into()))
            .and_then(|address| Ok((std::net::TcpListener::bind(address)?, address)));
        match bound {
            Ok((listener, address)) => {
                if address.ip().is_unspecified() {
                    warn!(
                        "The RPC server is not safe to expose to untrusted networks such as the public internet"
                    );
                }
                listeners.push(listener);
            }
            Err(_) => warn!("Binding RPC on address {host} port {port} failed."),
        }
    }
    listeners
}

async fn accept(
    shared: Arc<Shared>,
    listener: tokio::net::TcpListener,
    mut closed: watch::Receiver<bool>,
    alive: mpsc::Sender<Infallible>,
) {
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = closed.changed() => return,
        };
        match accepted {
            Ok((stream, peer)) => {
                // Failing costs latency, nothing else.
                let _ = stream.set_nodelay(true);
                let peer = SocketAddr::new(peer.ip().to_canonical(), peer.port());
                tokio::spawn(connection(shared.clone(), stream, peer, closed.clone(), alive.clone()));
            }
            // Out of file descriptors, most likely: give others time to close some.
            Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

async fn connection(
    shared: Arc<Shared>,
    stream: tokio::net::TcpStream,
    peer: SocketAddr,
    mut closed: watch::Receiver<bool>,
    _alive: mpsc::Sender<Infallible>,
) {
    let mut builder = hyper::server::conn::http1::Builder::new();
    builder.timer(TokioTimer::new());
    if !shared.timeout.is_zero() {
        builder.header_read_timeout(shared.timeout);
    }
    // The limit on heads is checked by us, because the answer must be 400.
    builder.max_buf_size(64 * MAX_HEADERS_SIZE).max_headers(256);
    // Names are case-insensitive, but not every client knows.
    builder.title_case_headers(true);
    let service = service_fn(|request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(finish(&shared, serve(&shared, peer, request).await)) }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = closed.changed() => None,
    };
    if ended.is_none() {
        connection.as_mut().graceful_shutdown();
        let _ = connection.await;
    }
}

fn finish(shared: &Shared, reply: HttpReply) -> hyper::Response<Full<Bytes>> {
    let mut response = hyper::Response::new(Full::new(reply.body));
    *response.status_mut() = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    for (name, value) in reply.headers {
        headers.append(name, value);
    }
    if shared.closing.load(Ordering::Acquire) {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    if reply.status != 204 && !headers.contains_key(header::CONTENT_TYPE) {
        let html = HeaderValue::from_static("text/html; charset=ISO-8859-1");
        headers.insert(header::CONTENT_TYPE, html);
    }
    response
}

/// Bytes of request line and headers.
fn head_size(parts: &hyper::http::request::Parts) -> usize {
    let uri = parts.uri.path_and_query().map_or(0, |p| p.as_str().len());
    let headers: usize =
        parts.headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
    parts.method.as_str().len() + uri + " HTTP/1.1\r\n".len() + 1 + headers + 2
}

async fn serve(shared: &Arc<Shared>, peer: SocketAddr, request: hyper::Request<Incoming>) -> HttpReply {
    let (parts, body) = request.into_parts();
    if head_size(&parts) > MAX_HEADERS_SIZE {
        return HttpReply::new(400, "Bad Request").close();
    }
    if shared.rejecting.load(Ordering::Acquire) {
        debug!(Category::Http, "Rejecting request while shutting down");
        return HttpReply::new(503, "Service Unavailable").close();
    }
    let body = match read_body(shared.timeout, body).await {
        Ok(body) => body,
        Err(reply) => return reply,
    };
    if !shared.allowed.iter().any(|s| s.contains(peer.ip())) {
        debug!(Category::Http, "HTTP request from {peer} rejected: Client network is not allowed RPC access");
        return HttpReply::new(403, "");
    }
    let known = [Method::GET, Method::POST, Method::HEAD, Method::PUT, Method::DELETE];
    if !known.contains(&parts.method) {
        return HttpReply::new(501, "Not Implemented").close();
    }
    if parts.method == Method::DELETE {
        debug!(Category::Http, "HTTP request from {peer} rejected: Unknown HTTP request method");
        return HttpReply::new(405, "");
    }
    let uri = parts.uri.path_and_query().map_or("/", |p| p.as_str()).to_owned();
    if grs_log::enabled(Category::Http, grs_log::Level::Debug) {
        let safe = sanitize(&uri, "!*'();:@&=+$,/?#[]-_.~%");
        let safe = safe.get(..100).unwrap_or(&safe);
        debug!(Category::Http, "Received a {} request for {safe} from {peer}", parts.method);
    }
    let found = {
        let paths = shared.paths.read().unwrap_or_else(PoisonError::into_inner);
        let path = paths.iter().find(|p| if p.exact { uri == p.prefix } else { uri.starts_with(&p.prefix) });
        path.map(|p| (p.handler.clone(), p.prefix.len()))
    };
    let Some((handler, prefix)) = found else { return HttpReply::new(404, "") };
    let tail = uri[prefix..].to_owned();
    let request = HttpRequest { method: parts.method, uri, headers: parts.headers, body, peer };
    let reply = match handler.begin(request, &tail) {
        Step::Reply(reply) => reply,
        Step::Work(work) => in_pool(shared, work).await,
    };
    if !reply.delay.is_zero() {
        tokio::time::sleep(reply.delay).await;
    }
    reply
}

async fn in_pool(shared: &Shared, work: Box<dyn FnOnce() -> HttpReply + Send>) -> HttpReply {
    let (sender, receiver) = oneshot::channel();
    // When the client is gone nobody receives, and the answer is dropped.
    let submitted = shared.pool.submit(Box::new(move || drop(sender.send(work()))));
    match submitted {
        Ok(()) => receiver.await.unwrap_or_else(|_| HttpReply::new(500, "Unhandled request").close()),
        Err(Refused::Full) => {
            warn!(
                "Request rejected because http work queue depth exceeded, it can be increased with the -rpcworkqueue= setting"
            );
            HttpReply::new(503, "Work queue depth exceeded")
        }
        Err(Refused::Stopped) => {
            warn!("HTTP request rejected during server shutdown: 'Interrupted'");
            HttpReply::new(503, "Request rejected during server shutdown").close()
        }
    }
}

/// Reads a body piece by piece: nothing is allocated by a length that is only claimed.
async fn read_body(timeout: Duration, body: Incoming) -> Result<Bytes, HttpReply> {
    let too_large = || HttpReply::new(413, "Request Entity Too Large").close();
    if body.size_hint().lower() > MAX_BODY_SIZE as u64 {
        return Err(too_large());
    }
    let mut body = pin!(body);
    let mut first = Bytes::new();
    let mut rest = BytesMut::new();
    loop {
        let frame = body.frame();
        let frame = if timeout.is_zero() {
            frame.await
        } else {
            match tokio::time::timeout(timeout, frame).await {
                Ok(frame) => frame,
                Err(_) => return Err(HttpReply::new(400, "").close()),
            }
        };
        let data = match frame {
            None => break,
            Some(Err(_)) => return Err(HttpReply::new(400, "Bad Request").close()),
            Some(Ok(frame)) => frame.into_data().unwrap_or_default(),
        };
        if first.len() + rest.len() + data.len() > MAX_BODY_SIZE {
            return Err(too_large());
        }
        if first.is_empty() && rest.is_empty() {
            first = data;
        } else {
            if rest.is_empty() {
                rest.extend_from_slice(&std::mem::take(&mut first));
            }
            rest.extend_from_slice(&data);
        }
    }
    Ok(if rest.is_empty() { first } else { rest.freeze() })
}

/// Is this address one that [`HttpServer`] listens on by default?
pub fn is_local(ip: IpAddr) -> bool {
    Subnet::local().iter().any(|s| s.contains(ip))
}
