//! The socket as the RPC layer sees it: reads through a buffer, writes collected.
//!
//! The RPC layer flushes after every message. Here a flush only marks the buffer; a task that runs when the loop has
//! no more ready work writes it, so that all messages made in one turn share a system call.
//!
//! Every answer makes the caller send a `Finish`, for which nobody waits. Such messages stay in the buffer for a moment:
//! mostly the next call follows and takes them along, which saves a system call and a wake-up of the other process for
//! each call.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use futures::io::{AsyncRead, AsyncWrite};

use crate::transport::{Sink, Source};

/// The RPC layer has to wait when so many bytes have not been written.
const HIGH_WATER: usize = 4 << 20;
/// How long a message stays for which nobody waits.
const PATIENCE: Duration = Duration::from_millis(1);
/// Memory that a buffer keeps.
const KEEP: usize = 1 << 20;

/// The reading half, for the RPC layer.
pub(crate) struct ReadHalf(pub(crate) Box<dyn Source>);

impl AsyncRead for ReadHalf {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut [u8]) -> Poll<io::Result<usize>> {
        self.0.poll_read(cx, buf)
    }
}

/// Writes all bytes and sends them on their way.
async fn write_all(sink: &mut dyn Sink, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match poll_fn(|cx| sink.poll_write(cx, bytes)).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            written => bytes = &bytes[written..],
        }
    }
    poll_fn(|cx| sink.poll_flush(cx)).await
}

/// Follows the message boundaries in what is written.
#[derive(Default)]
struct Boundaries {
    /// Bytes of the present message that are still to come, once its length is known.
    missing: usize,
    /// The beginning of a message the length of which is not known yet.
    head: Vec<u8>,
}

impl Boundaries {
    /// Takes the next bytes. True if they hold, or may hold, anything that somebody waits for.
    fn urgent(&mut self, mut bytes: &[u8]) -> bool {
        let mut urgent = false;
        while !bytes.is_empty() {
            if self.missing > 0 {
                let taken = self.missing.min(bytes.len());
                self.missing -= taken;
                bytes = &bytes[taken..];
                continue;
            }
            self.head.push(bytes[0]);
            bytes = &bytes[1..];
            if let Some((length, waits)) = inspect(&self.head) {
                urgent |= waits;
                self.missing = length - self.head.len();
                self.head.clear();
            }
        }
        urgent
    }
}

/// Length of a message and whether somebody waits for it, from its first bytes; `None` if more are needed.
fn inspect(head: &[u8]) -> Option<(usize, bool)> {
    let word = |at: usize| Some(u32::from_le_bytes(head.get(at..at + 4)?.try_into().ok()?));
    let segments = word(0)? as usize + 1;
    let table = (4 + 4 * segments).next_multiple_of(8);
    // Segment table, root pointer and the first data word of the root, which begins with the kind of the message.
    if head.len() < table + 16 {
        return None;
    }
    let mut length = table;
    for segment in 0..segments {
        length += word(4 + 4 * segment)? as usize * 8;
    }
    let pointer = word(table)?;
    let adjacent = pointer == 0;
    let kind = word(table + 8)? & 0xffff;
    const FINISH: u32 = 4;
    const RELEASE: u32 = 6;
    Some((length.max(head.len()), !(adjacent && (kind == FINISH || kind == RELEASE))))
}

#[derive(Default)]
struct Outgoing {
    bytes: Vec<u8>,
    boundaries: Boundaries,
    urgent: bool,
    error: Option<io::ErrorKind>,
    /// The RPC layer has dropped its end.
    ended: bool,
    flusher: Option<Waker>,
    writer: Option<Waker>,
}

/// The writing half.
pub(crate) struct BatchWriter(Rc<RefCell<Outgoing>>);

/// What the flusher has to do.
enum Next {
    Write,
    Wait,
    End,
}

impl BatchWriter {
    /// Makes the writer and the task that does the writing, which ends with the writer or with an error.
    pub(crate) fn new(mut sink: Box<dyn Sink>) -> (BatchWriter, impl Future<Output = ()>) {
        let shared = Rc::new(RefCell::new(Outgoing::default()));
        let writer = BatchWriter(shared.clone());
        // Ready when there is something to write at once (`Wait`: something that may stay for a moment).
        let poll =
            move |shared: &RefCell<Outgoing>, batch: &mut Vec<u8>, patient: bool, cx: &mut Context<'_>| {
                let mut out = shared.borrow_mut();
                if !out.bytes.is_empty() {
                    if !(out.urgent || out.ended || patient) {
                        out.flusher = Some(cx.waker().clone());
                        return Poll::Ready(Next::Wait);
                    }
                    out.urgent = false;
                    std::mem::swap(&mut out.bytes, batch);
                    if let Some(waker) = out.writer.take() {
                        waker.wake();
                    }
                    return Poll::Ready(Next::Write);
                }
                if out.ended {
                    return Poll::Ready(Next::End);
                }
                out.flusher = Some(cx.waker().clone());
                Poll::Pending
            };
        let task = async move {
            let mut batch = Vec::new();
            loop {
                let mut next = poll_fn(|cx| poll(&shared, &mut batch, false, cx)).await;
                if matches!(next, Next::Wait) {
                    let more = poll_fn(|cx| match poll(&shared, &mut batch, false, cx) {
                        Poll::Ready(Next::Wait) => Poll::Pending,
                        other => other,
                    });
                    next = match tokio::time::timeout(PATIENCE, more).await {
                        Ok(next) => next,
                        Err(_) => poll_fn(|cx| poll(&shared, &mut batch, true, cx)).await,
                    };
                }
                if matches!(next, Next::End) {
                    break;
                }
                if let Err(error) = write_all(&mut *sink, &batch).await {
                    let mut out = shared.borrow_mut();
                    out.error = Some(error.kind());
                    if let Some(waker) = out.writer.take() {
                        waker.wake();
                    }
                    return;
                }
                batch.clear();
                // A block that went through must not keep its memory.
                batch.shrink_to(KEEP);
            }
            let _ = poll_fn(|cx| sink.poll_shutdown(cx)).await;
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
        let urgent = out.boundaries.urgent(buf);
        let was_empty = out.bytes.is_empty();
        out.bytes.extend_from_slice(buf);
        out.urgent |= urgent || out.bytes.len() >= HIGH_WATER;
        if (out.urgent || was_empty)
            && let Some(waker) = out.flusher.take()
        {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A message of one segment: root pointer, then words of data, the first of which begins with the kind.
    fn message(kind: u8, words: u32) -> Vec<u8> {
        let mut out = vec![0, 0, 0, 0];
        out.extend_from_slice(&(words + 1).to_le_bytes());
        out.extend_from_slice(&[0, 0, 0, 0, 1, 0, 0, 0]);
        let mut data = vec![0xee; words as usize * 8];
        data[0] = kind;
        data[1] = 0;
        out.extend_from_slice(&data);
        out
    }

    #[test]
    fn only_messages_that_nobody_waits_for_may_stay() {
        let (finish, release, call) = (message(4, 3), message(6, 2), message(2, 40));
        for step in [1, 3, 8, 1000] {
            let mut boundaries = Boundaries::default();
            let mut feed =
                |bytes: &[u8]| bytes.chunks(step).fold(false, |any, part| boundaries.urgent(part) | any);
            assert!(!feed(&finish));
            assert!(!feed(&release));
            assert!(feed(&call));
            assert!(!feed(&[finish.clone(), release.clone()].concat()));
            assert!(feed(&[finish.clone(), call.clone(), release.clone()].concat()));
            assert!(!feed(&finish));
        }
    }

    #[test]
    fn messages_of_several_segments_are_followed() {
        let mut two = vec![1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0];
        two.extend_from_slice(&[0, 0, 0, 0, 1, 0, 0, 0]);
        two.extend_from_slice(&[4, 0, 0, 0, 0, 0, 0, 0]);
        two.extend_from_slice(&[0xff; 24]);
        let mut boundaries = Boundaries::default();
        assert!(!boundaries.urgent(&two));
        assert!(boundaries.urgent(&message(2, 1)));
        assert!(!boundaries.urgent(&message(4, 1)));
    }
}
