//! Encrypted streams: accepting and connecting.

use std::io;
use std::net::TcpListener;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use grs_mp::{Acceptor, Connection, Opening, Transport};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::folder::{KeyFolder, TlsError};
use crate::verify::explain;

/// Time for a connection to be made and for the hand-shake, each.
pub(crate) const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time and bytes that a refused peer gets to read why.
const FAREWELL: Duration = Duration::from_secs(2);
const FAREWELL_BYTES: usize = 1 << 20;
/// The peer's machine is asked whether it is still there after this much silence, then in intervals.
const KEEP_ALIVE_AFTER: Duration = Duration::from_secs(60);
const KEEP_ALIVE_EVERY: Duration = Duration::from_secs(15);
const KEEP_ALIVE_PROBES: u32 = 4;
/// Peers are known by their keys: the name in the protocol says nothing.
const NAME: &str = "groestlcoin-ipc";

fn tune(socket: &TcpStream) -> io::Result<()> {
    use rustix::net::sockopt;
    socket.set_nodelay(true)?;
    sockopt::set_socket_keepalive(socket, true)?;
    sockopt::set_tcp_keepidle(socket, KEEP_ALIVE_AFTER)?;
    sockopt::set_tcp_keepintvl(socket, KEEP_ALIVE_EVERY)?;
    sockopt::set_tcp_keepcnt(socket, KEEP_ALIVE_PROBES)?;
    Ok(())
}

/// Reads keys on a thread that may wait for the disk.
async fn config<T: Send + 'static>(
    read: impl FnOnce() -> Result<T, TlsError> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(read).await.map_err(io::Error::other)?.map_err(io::Error::other)
}

/// Takes connections of trusted peers.
pub struct TlsAcceptor {
    socket: tokio::net::TcpListener,
    folder: KeyFolder,
    handshake: Duration,
}

impl TlsAcceptor {
    /// Over a socket that listens. On the loop thread only.
    pub fn new(socket: TcpListener, folder: KeyFolder) -> io::Result<TlsAcceptor> {
        socket.set_nonblocking(true)?;
        let socket = tokio::net::TcpListener::from_std(socket)?;
        Ok(TlsAcceptor { socket, folder, handshake: HANDSHAKE_TIMEOUT })
    }

    /// Sets the time that a hand-shake may take.
    pub fn with_handshake_timeout(mut self, limit: Duration) -> TlsAcceptor {
        self.handshake = limit;
        self
    }
}

impl Acceptor for TlsAcceptor {
    async fn accept(&mut self) -> io::Result<Opening> {
        let (socket, peer) = self.socket.accept().await?;
        let (folder, limit) = (self.folder.clone(), self.handshake);
        Ok(Box::pin(async move {
            welcome(socket, folder, limit)
                .await
                .map_err(|why| io::Error::other(format!("TLS connection from {peer} refused: {why}")))
        }))
    }
}

async fn welcome(socket: TcpStream, folder: KeyFolder, limit: Duration) -> Result<Transport, String> {
    let text = |e: io::Error| e.to_string();
    tune(&socket).map_err(text)?;
    let config = config(move || folder.server_config()).await.map_err(text)?;
    let handshake = tokio_rustls::TlsAcceptor::from(config).accept(socket).into_fallible();
    match timeout(limit, handshake).await {
        Err(_) => Err("no hand-shake in time".to_owned()),
        Ok(Ok(stream)) => Ok(Transport::stream(stream)),
        Ok(Err((error, socket))) => {
            // Closing at once would destroy the alert on its way if the peer has sent more.
            tokio::task::spawn_local(farewell(socket));
            Err(explain(&error))
        }
    }
}

async fn farewell(mut socket: TcpStream) {
    let read = async {
        let _ = socket.shutdown().await;
        let (mut buffer, mut total) = ([0; 4096], 0);
        while let Ok(n) = socket.read(&mut buffer).await {
            total += n;
            if n == 0 || total > FAREWELL_BYTES {
                break;
            }
        }
    };
    let _ = timeout(FAREWELL, read).await;
}

/// Connects to a trusted peer. On the loop thread only. `fate` learns how the connection ends.
pub async fn connect(host: String, port: u16, folder: KeyFolder, fate: Fate) -> io::Result<Transport> {
    let config = config(move || folder.client_config()).await?;
    let slow = |what: &str| io::Error::new(io::ErrorKind::TimedOut, format!("{what} took too long"));
    let socket = timeout(HANDSHAKE_TIMEOUT, TcpStream::connect((host.as_str(), port)))
        .await
        .map_err(|_| slow("connecting"))??;
    tune(&socket)?;
    let name = ServerName::try_from(NAME).map_err(io::Error::other)?;
    let handshake = tokio_rustls::TlsConnector::from(config).connect(name, socket);
    let stream = timeout(HANDSHAKE_TIMEOUT, handshake)
        .await
        .map_err(|_| slow("the TLS hand-shake"))?
        .map_err(|error| io::Error::other(format!("TLS hand-shake failed: {}", explain(&error))))?;
    Ok(Transport::stream(Watched { stream, fate }))
}

#[derive(Default)]
struct Ending {
    text: Option<String>,
    connection: Option<Connection>,
}

/// How a connection ended. In TLS 1.3 a client learns only after its side of the hand-shake that it is refused: the reason
/// comes where an answer was expected, and this brings it to those who wait for one.
#[derive(Clone, Default)]
pub struct Fate(Arc<Mutex<Ending>>);

impl Fate {
    /// Names the connection, the calls of which get the reason.
    pub fn attach(&self, connection: &Connection) {
        connection.expect_cause();
        let mut ending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match ending.text.take() {
            Some(text) => connection.set_cause(text),
            None => ending.connection = Some(connection.clone()),
        }
    }

    fn tell(&self, text: String) {
        let mut ending = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match ending.connection.take() {
            Some(connection) => connection.set_cause(text),
            None => ending.text = Some(text),
        }
    }
}

/// A stream that tells how it ends.
struct Watched<S> {
    stream: S,
    fate: Fate,
}

impl<S: AsyncRead + Unpin> AsyncRead for Watched<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let result = ready!(Pin::new(&mut self.stream).poll_read(cx, buf));
        match result {
            Ok(()) => {
                if buf.filled().len() == before {
                    self.fate.tell("The other side closed the connection.".to_owned());
                }
                Poll::Ready(Ok(()))
            }
            Err(error) => {
                let text = format!("TLS: {}.", explain(&error));
                self.fate.tell(text.clone());
                // The kind makes it an end of the connection for those who wait, not a failure of their call.
                Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionReset, text)))
            }
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Watched<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
