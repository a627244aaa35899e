//! Listening sockets.

use std::os::unix::net::UnixListener;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::Error;
use crate::connection::{Connection, Session, new_connection, serve_here};
use crate::event_loop::LoopHandle;
use crate::logging::{ipc_log, thread_name};

/// Limits of a listener.
#[derive(Debug, Clone, Copy)]
pub struct ListenerOptions {
    /// Connections at the same time; more are closed at once.
    pub max_connections: usize,
    /// Time for the first call; who stays silent is disconnected.
    pub construct_timeout: Duration,
}

impl Default for ListenerOptions {
    fn default() -> Self {
        ListenerOptions { max_connections: 16, construct_timeout: Duration::from_secs(30) }
    }
}

/// A listening socket. Dropping it stops listening; connections stay.
pub struct Listener {
    stop: Option<tokio::sync::oneshot::Sender<()>>,
    connections: Arc<std::sync::Mutex<Vec<Connection>>>,
}

impl Listener {
    /// Accepts connections and serves each the capability that `bootstrap` makes for it.
    pub fn start<F>(
        home: &LoopHandle,
        socket: UnixListener,
        options: ListenerOptions,
        bootstrap: F,
    ) -> Result<Listener, Error>
    where
        F: Fn(&Rc<Session>) -> capnp::capability::Client + Send + 'static,
    {
        let (stop, mut stopped) = tokio::sync::oneshot::channel::<()>();
        let connections = Arc::new(std::sync::Mutex::new(Vec::<Connection>::new()));
        let listener = Listener { stop: Some(stop), connections: connections.clone() };
        let handle = home.clone();
        home.sync(move || {
            let local = |error: std::io::Error| Error::Local(error.to_string());
            socket.set_nonblocking(true).map_err(local)?;
            let socket = tokio::net::UnixListener::from_std(socket).map_err(local)?;
            tokio::task::spawn_local(async move {
                let active = Arc::new(AtomicUsize::new(0));
                loop {
                    let accepted = tokio::select! {
                        _ = &mut stopped => break,
                        accepted = socket.accept() => accepted,
                    };
                    let name = thread_name(handle.exe_name());
                    let stream = match accepted {
                        Ok((stream, _)) => stream,
                        Err(error) => {
                            ipc_log!(WARN, name, "IPC server: accept failed: {error}");
                            // Most likely no descriptors are left; they will not come back at once.
                            tokio::time::sleep(Duration::from_millis(100)).await;
                            continue;
                        }
                    };
                    if !permitted(&stream) {
                        ipc_log!(WARN, name, "IPC server: connection of another user refused.");
                        continue;
                    }
                    if active.load(Ordering::Relaxed) >= options.max_connections {
                        ipc_log!(WARN, name, "IPC server: too many connections, one refused.");
                        continue;
                    }
                    ipc_log!(INFO, name, "IPC server: socket connected.");
                    let conn = new_connection(&handle);
                    let served = stream
                        .into_std()
                        .map_err(local)
                        .and_then(|stream| serve_here(&conn, stream, |session| bootstrap(session)));
                    let session = match served {
                        Ok(session) => session,
                        Err(error) => {
                            ipc_log!(WARN, name, "IPC server: {error}");
                            continue;
                        }
                    };
                    active.fetch_add(1, Ordering::Relaxed);
                    let ended = active.clone();
                    conn.on_close(move |_| {
                        ended.fetch_sub(1, Ordering::Relaxed);
                    });
                    let mut list = crate::strand::lock(&connections);
                    list.retain(|known| !known.is_closed());
                    list.push(conn);
                    drop(list);
                    let silent = Rc::downgrade(&session);
                    tokio::task::spawn_local(async move {
                        tokio::time::sleep(options.construct_timeout).await;
                        if let Some(session) = silent.upgrade()
                            && !session.is_constructed()
                        {
                            session.connection().close();
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

/// Only this user and root may connect, whatever the socket's mode is.
fn permitted(stream: &tokio::net::UnixStream) -> bool {
    let own = rustix::process::geteuid().as_raw();
    stream.peer_cred().is_ok_and(|peer| peer.uid() == own || peer.uid() == 0)
}
