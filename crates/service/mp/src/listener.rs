//! Listening sockets.

use std::io;
use std::os::unix::net::UnixListener;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures::FutureExt;

use crate::Error;
use crate::connection::{Connection, Session, new_connection, serve_here};
use crate::event_loop::LoopHandle;
use crate::limits::{Limit, Limits};
use crate::logging::{ipc_log, thread_name};
use crate::transport::Transport;

/// How often the loop looks for ended connections before it refuses one.
const TURNS: usize = 8;

/// The future of a stream that is being set up.
pub type Opening = Pin<Box<dyn Future<Output = io::Result<Transport>>>>;

/// What a listener takes connections from. It lives on the loop thread.
pub trait Acceptor: 'static {
    /// Waits for the next connection and answers the future that completes it, such as with the hand-shake of an
    /// encrypted stream. That one runs beside others and within [`Limits::construct_time`]; its errors are
    /// logged. Dropping the first future must lose no connection.
    fn accept(&mut self) -> impl Future<Output = io::Result<Opening>>;
}

/// Unix sockets, of which only this user's and root's connections are taken.
struct UnixAcceptor(tokio::net::UnixListener);

impl Acceptor for UnixAcceptor {
    async fn accept(&mut self) -> io::Result<Opening> {
        let (stream, _) = self.0.accept().await?;
        Ok(Box::pin(async move {
            if !permitted(&stream) {
                return Err(io::Error::new(io::ErrorKind::PermissionDenied, Limit::Permission.text()));
            }
            Transport::unix(stream.into_std()?)
        }))
    }
}

/// A listening socket. Dropping it stops listening; connections stay.
pub struct Listener {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    connections: Arc<std::sync::Mutex<Vec<Connection>>>,
}

/// One of the connections that a listener may have.
struct Place(Arc<AtomicUsize>);

impl Place {
    fn take(active: &Arc<AtomicUsize>, max: usize) -> Option<Place> {
        let free = active.load(Ordering::Relaxed) < max;
        free.then(|| {
            active.fetch_add(1, Ordering::Relaxed);
            Place(active.clone())
        })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Listener {
    /// Accepts connections and serves each the capability that `bootstrap` makes for it.
    pub fn start<F>(
        home: &LoopHandle,
        socket: UnixListener,
        limits: Limits,
        bootstrap: F,
    ) -> Result<Listener, Error>
    where
        F: Fn(&Rc<Session>) -> capnp::capability::Client + Send + 'static,
    {
        let open = move || {
            socket.set_nonblocking(true)?;
            Ok(UnixAcceptor(tokio::net::UnixListener::from_std(socket)?))
        };
        Listener::start_over(home, open, limits, bootstrap)
    }

    /// [`Listener::start`] for any kind of connection: `open` makes the acceptor on the loop thread.
    pub fn start_over<A, O, F>(
        home: &LoopHandle,
        open: O,
        limits: Limits,
        bootstrap: F,
    ) -> Result<Listener, Error>
    where
        A: Acceptor,
        O: FnOnce() -> io::Result<A> + Send + 'static,
        F: Fn(&Rc<Session>) -> capnp::capability::Client + Send + 'static,
    {
        let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
        let connections = Arc::new(std::sync::Mutex::new(Vec::<Connection>::new()));
        let listener = Listener { stop: Some(stop), connections: connections.clone() };
        let handle = home.clone();
        home.sync(move || {
            let mut acceptor = open().map_err(|error| Error::Local(error.to_string()))?;
            tokio::task::spawn_local(async move {
                let bootstrap = Rc::new(bootstrap);
                let active = Arc::new(AtomicUsize::new(0));
                loop {
                    let accepted = tokio::select! {
                        _ = &mut stopped => break,
                        accepted = acceptor.accept() => accepted,
                    };
                    let name = thread_name(handle.exe_name());
                    let opening = match accepted {
                        Ok(opening) => opening,
                        Err(error) => {
                            ipc_log!(WARN, name, "IPC server: accept failed: {error}");
                            // Most likely no descriptors are left; they will not come back at once.
                            tokio::time::sleep(Duration::from_millis(100)).await;
                            continue;
                        }
                    };
                    // Connections that have ended in the meantime may not have been noticed: their turn is before refusals.
                    for _ in 0..TURNS {
                        if active.load(Ordering::Relaxed) < limits.max_connections {
                            break;
                        }
                        tokio::task::yield_now().await;
                    }
                    let Some(place) = Place::take(&active, limits.max_connections) else {
                        handle.hit(Limit::Connections);
                        refuse(opening, Limit::Connections);
                        continue;
                    };
                    let (handle, bootstrap, list) = (handle.clone(), bootstrap.clone(), connections.clone());
                    tokio::task::spawn_local(async move {
                        if let Err(error) = welcome(&handle, opening, limits, &*bootstrap, &list, place).await
                        {
                            ipc_log!(WARN, thread_name(handle.exe_name()), "IPC server: {error}");
                        }
                    });
                }
            });
            Ok(())
        })??;
        Ok(listener)
    }

    /// Ends all connections that came through this listener.
    pub fn disconnect_all(&self) {
        for conn in crate::strand::lock(&self.connections).drain(..) {
            conn.close();
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }
}

/// Completes a connection, serves it, and ends it if it stays silent.
async fn welcome(
    home: &LoopHandle,
    opening: Opening,
    limits: Limits,
    bootstrap: &dyn Fn(&Rc<Session>) -> capnp::capability::Client,
    list: &std::sync::Mutex<Vec<Connection>>,
    place: Place,
) -> io::Result<()> {
    let begin = tokio::time::Instant::now();
    let stream = match tokio::time::timeout(limits.construct_time, opening).await {
        Ok(Err(error)) if error.kind() == io::ErrorKind::PermissionDenied => {
            home.hit(Limit::Permission);
            return Ok(());
        }
        Ok(stream) => stream?,
        Err(_) => {
            home.hit(Limit::Construct);
            return Ok(());
        }
    };
    ipc_log!(INFO, thread_name(home.exe_name()), "IPC server: socket connected.");
    let conn = new_connection(home);
    let session = serve_here(&conn, stream, limits, |session| bootstrap(session));
    session.keep(place);
    {
        let mut list = crate::strand::lock(list);
        list.retain(|known| !known.is_closed());
        list.push(conn);
    }
    let silent = Rc::downgrade(&session);
    drop(session);
    tokio::time::sleep(limits.construct_time.saturating_sub(begin.elapsed())).await;
    if let Some(session) = silent.upgrade()
        && !session.is_constructed()
    {
        session.abort(Limit::Construct);
    }
    Ok(())
}

/// Says why in an abort message, if the stream takes it at once.
fn refuse(opening: Opening, limit: Limit) {
    let Some(Ok(mut stream)) = opening.now_or_never() else { return };
    let mut message = capnp::message::Builder::new_default();
    let mut abort = message.init_root::<capnp_rpc::rpc_capnp::message::Builder<'_>>().init_abort();
    abort.set_reason(limit.text());
    abort.set_type(capnp_rpc::rpc_capnp::exception::Type::Overloaded);
    let bytes = capnp::serialize::write_message_to_words(&message);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    // A peer that is gone, or that takes no few bytes, is not waited for.
    let _ = stream.sink.poll_write(&mut cx, &bytes);
}

/// Only this user and root may connect, whatever the socket's mode is.
fn permitted(stream: &tokio::net::UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}
