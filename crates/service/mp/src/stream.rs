//! The socket as the RPC layer sees it: reads through a buffer, writes collected.
//!
//! The RPC layer flushes after every message. Here a flush only marks the buffer; a task that runs when the loop has
//! no more ready work writes it, so that all messages made in one turn share a system call.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use futures::io::{AsyncRead, AsyncWrite};
use tokio::io::{AsyncWriteExt, ReadBuf};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};

/// The RPC layer has to wait when so many bytes have not been written.
const HIGH_WATER: usize = 4 << 20;

/// The reading half.
pub(crate) struct ReadHalf(pub(crate) OwnedReadHalf);

impl AsyncRead for ReadHalf {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buf = ReadBuf::new(buf);
        match tokio::io::AsyncRead::poll_read(Pin::new(&mut self.0), cx, &mut buf) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(buf.filled().len())),
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[derive(Default)]
struct Outgoing {
    bytes: Vec<u8>,
    error: Option<io::ErrorKind>,
    /// The RPC layer has dropped its end.
    ended: bool,
    flusher: Option<Waker>,
    writer: Option<Waker>,
}

/// The writing half.
pub(crate) struct BatchWriter(Rc<RefCell<Outgoing>>);

impl BatchWriter {
    /// Makes the writer and the task that does the writing, which ends with the writer or with an error.
    pub(crate) fn new(mut socket: OwnedWriteHalf) -> (BatchWriter, impl Future<Output = ()>) {
        let shared = Rc::new(RefCell::new(Outgoing::default()));
        let writer = BatchWriter(shared.clone());
        let task = async move {
            let mut batch = Vec::new();
            loop {
                let more = poll_fn(|cx| {
                    let mut out = shared.borrow_mut();
                    if !out.bytes.is_empty() {
                        std::mem::swap(&mut out.bytes, &mut batch);
                        if let Some(waker) = out.writer.take() {
                            waker.wake();
                        }
                        return Poll::Ready(true);
                    }
                    if out.ended {
                        return Poll::Ready(false);
                    }
                    out.flusher = Some(cx.waker().clone());
                    Poll::Pending
                })
                .await;
                if !more {
                    break;
                }
                if let Err(error) = socket.write_all(&batch).await {
                    let mut out = shared.borrow_mut();
                    out.error = Some(error.kind());
                    if let Some(waker) = out.writer.take() {
                        waker.wake();
                    }
                    return;
                }
                batch.clear();
                // A block that went through must not keep its memory.
                batch.shrink_to(1 << 20);
            }
            let _ = socket.shutdown().await;
        };
        (writer, task)
    }
}

impl AsyncWrite for BatchWriter {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let mut out = self.0.borrow_mut();
        if let Some(kind) = out.error {
            return Poll::Ready(Err(kind.into()));
        }
        if out.bytes.len() >= HIGH_WATER {
            out.writer = Some(cx.waker().clone());
            return Poll::Pending;
        }
        out.bytes.extend_from_slice(buf);
        if let Some(waker) = out.flusher.take() {
            waker.wake();
        }
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.0.borrow().error {
            Some(kind) => Poll::Ready(Err(kind.into())),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(cx)
    }
}

impl Drop for BatchWriter {
    fn drop(&mut self) {
        let mut out = self.0.borrow_mut();
        out.ended = true;
        if let Some(waker) = out.flusher.take() {
            waker.wake();
        }
    }
}
