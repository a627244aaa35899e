//! Byte streams that carry a connection.

use std::cell::RefCell;
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};

/// The half of a stream that bytes come from.
pub(crate) trait Source {
    /// Reads what is there; 0 at the end.
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>>;
}

/// The half of a stream that bytes go to.
pub(crate) trait Sink {
    /// Writes a part of the bytes.
    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>>;
    /// Sees to it that what has been written goes out.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
    /// Tells the other side that nothing more will come.
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// A connected stream, in both directions. It lives on the loop thread, where it has to be made: either from a Unix
/// socket or from any other asynchronous stream of tokio's kind, such as one that encrypts.
pub struct Transport {
    pub(crate) source: Box<dyn Source>,
    pub(crate) sink: Box<dyn Sink>,
    /// Who the other side is, as far as the system says.
    pub(crate) peer: Option<String>,
}

impl Transport {
    /// Takes a connected Unix socket.
    pub fn unix(socket: UnixStream) -> io::Result<Transport> {
        socket.set_nonblocking(true)?;
        let socket = Rc::new(socket);
        let sink = UnixSink { socket: socket.clone(), writable: None };
        Ok(Transport {
            peer: peer_process(&socket),
            source: Box::new(UnixSource(watch(socket, Interest::READABLE)?)),
            sink: Box::new(sink),
        })
    }

    /// Takes any stream that reads and writes. The runtime collects what it writes itself, so the stream needs no buffer
    /// of its own for that; it is flushed after each batch.
    pub fn stream(stream: impl AsyncRead + AsyncWrite + Unpin + 'static) -> Transport {
        let shared = Rc::new(RefCell::new(stream));
        Transport { source: Box::new(Half(shared.clone())), sink: Box::new(Half(shared)), peer: None }
    }

    /// Takes a stream that has been split into its halves.
    pub fn halves(
        read: impl AsyncRead + Unpin + 'static,
        write: impl AsyncWrite + Unpin + 'static,
    ) -> Transport {
        Transport { source: Box::new(Reading(read)), sink: Box::new(Writing(write)), peer: None }
    }
}

/// The process that has connected, or for one that has connected itself, the one that listens.
#[cfg(target_os = "linux")]
fn peer_process(socket: &UnixStream) -> Option<String> {
    let peer = rustix::net::sockopt::socket_peercred(socket).ok()?;
    // Of a pair the system only knows who has made it.
    (peer.pid != rustix::process::getpid()).then(|| format!("Process {}", peer.pid.as_raw_nonzero()))
}

/// Elsewhere the system tells the user only.
#[cfg(not(target_os = "linux"))]
fn peer_process(_: &UnixStream) -> Option<String> {
    None
}

/// Watches a descriptor. `AsFd` promises that it stays open and the same as long as the value lives, which is what the
/// deprecated constructor does not ask for; the one that replaces it is unsafe.
#[allow(deprecated, reason = "sound for the types used here, an owned socket and a shared one")]
fn watch<T: AsFd + std::os::fd::AsRawFd>(descriptor: T, interest: Interest) -> io::Result<AsyncFd<T>> {
    AsyncFd::with_interest(descriptor, interest)
}

/// Only readability is watched. If it were for writability too, as a tokio stream does, the loop would be woken each
/// time that the other side has read something.
struct UnixSource(AsyncFd<Rc<UnixStream>>);

impl Source for UnixSource {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(cx))?;
            match ready.try_io(|socket| (&mut &**socket.get_ref()).read(buf)) {
                Ok(Ok(read)) => {
                    // It has been emptied; asking again would only tell that.
                    if read > 0 && read < buf.len() {
                        ready.clear_ready();
                    }
                    return Poll::Ready(Ok(read));
                }
                Ok(Err(error)) if error.kind() == io::ErrorKind::Interrupted => {}
                Ok(Err(error)) => return Poll::Ready(Err(error)),
                Err(_not_ready) => {}
            }
        }
    }
}

/// Writability is watched only while the socket is full; by a descriptor of its own, since the other is being watched.
struct UnixSink {
    socket: Rc<UnixStream>,
    writable: Option<AsyncFd<UnixStream>>,
}

impl Sink for UnixSink {
    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            if let Some(watched) = &self.writable {
                ready!(watched.poll_write_ready(cx))?.clear_ready();
            }
            match (&*self.socket).write(buf) {
                Ok(written) => {
                    self.writable = None;
                    return Poll::Ready(Ok(written));
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    if self.writable.is_none() {
                        self.writable = Some(watch(self.socket.try_clone()?, Interest::WRITABLE)?);
                    }
                }
                Err(error) => return Poll::Ready(Err(error)),
            }
        }
    }

    fn poll_flush(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.socket.shutdown(std::net::Shutdown::Write))
    }
}

struct Reading<R>(R);

impl<R: AsyncRead + Unpin> Source for Reading<R> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(buf);
        ready!(Pin::new(&mut self.0).poll_read(cx, &mut buf))?;
        Poll::Ready(Ok(buf.filled().len()))
    }
}

struct Writing<W>(W);

impl<W: AsyncWrite + Unpin> Sink for Writing<W> {
    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// One of two holders of a stream. They are on one thread and borrow it only while they poll.
struct Half<S>(Rc<RefCell<S>>);

impl<S: AsyncRead + Unpin> Source for Half<S> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        Reading(&mut *self.0.borrow_mut()).poll_read(cx, buf)
    }
}

impl<S: AsyncWrite + Unpin> Sink for Half<S> {
    fn poll_write(&mut self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Writing(&mut *self.0.borrow_mut()).poll_write(cx, buf)
    }
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Writing(&mut *self.0.borrow_mut()).poll_flush(cx)
    }
    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Writing(&mut *self.0.borrow_mut()).poll_shutdown(cx)
    }
}
