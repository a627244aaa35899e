//! Messages into a stream: collected, and written by a task of its own.
//!
//! Sending only appends to a buffer; a task that runs when the loop has no more ready work writes it, so that all messages
//! made in one turn share a system call.
//!
//! Some answers make the caller send a `Finish`, for which nobody waits. Such messages stay in the buffer for a moment:
//! mostly the next call follows and takes them along, which saves a system call and a wake-up of the other process for
//! each call.

use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::limits::Limit;
use crate::transport::Sink;

/// How long a message stays for which nobody waits.
const PATIENCE: Duration = Duration::from_millis(1);
/// Turns of the loop for which a batch may wait for more.
const TURNS: usize = 64;
/// Memory that a buffer keeps.
const KEEP: usize = 1 << 20;
/// Messages for which nobody waits are written anyway when there are so many bytes of them.
const MANY: usize = 64 << 10;

/// Why writing has ended before its time.
#[derive(Debug, Clone, Copy)]
pub(crate) enum OutputError {
    Limit(Limit),
    Io(io::ErrorKind),
}

#[derive(Default)]
struct State {
    bytes: Vec<u8>,
    /// Bytes that the task has taken and not written.
    taken: usize,
    /// Messages in either direction, to see whether the loop is still busy with the connection.
    activity: u64,
    urgent: bool,
    error: Option<OutputError>,
    /// A limit because of which the connection is to be ended; what is sent until then is written.
    abort: Option<Limit>,
    /// Nothing more will be sent.
    ended: bool,
    flusher: Option<Waker>,
    /// The reading side, which has to know of an error.
    reader: Option<Waker>,
    /// The same while it waits for progress.
    waiting: Option<Waker>,
}

impl State {
    fn wake_reader(&mut self) {
        for waker in [self.reader.take(), self.waiting.take()].into_iter().flatten() {
            waker.wake();
        }
    }
}

/// The writing half of a connection.
#[derive(Clone, Default)]
pub(crate) struct Output(Rc<RefCell<State>>);

enum Next {
    Write,
    /// There is something that may stay for a moment.
    Wait,
    End,
}

impl Output {
    /// Makes the writing half and the task that does the writing, which ends after [`Output::end`] or with an error.
    pub(crate) fn new(
        sink: Box<dyn Sink>,
        write_time: Duration,
        written: impl Fn(usize) + 'static,
    ) -> (Output, impl Future<Output = ()>) {
        let output = Output::default();
        let task = output.clone().write_out(sink, write_time, written);
        (output, task)
    }

    /// Appends a message. `urgent` means that somebody waits for it.
    pub(crate) fn send(&self, segments: &[&[u8]], urgent: bool) {
        let mut state = self.0.borrow_mut();
        if state.error.is_some() || state.ended {
            return;
        }
        state.activity += 1;
        let was_empty = state.bytes.is_empty();
        let out = &mut state.bytes;
        let length = |segment: &[u8]| u32::try_from(segment.len() / 8).unwrap_or(u32::MAX).to_le_bytes();
        out.reserve(8 + 4 * segments.len() + segments.iter().map(|segment| segment.len()).sum::<usize>());
        // No message that can be built has as many segments as the number holds.
        out.extend_from_slice(
            &u32::try_from(segments.len().wrapping_sub(1)).unwrap_or_default().to_le_bytes(),
        );
        segments.iter().for_each(|segment| out.extend_from_slice(&length(segment)));
        if segments.len().is_multiple_of(2) {
            out.extend_from_slice(&[0; 4]);
        }
        segments.iter().for_each(|segment| out.extend_from_slice(segment));
        state.urgent |= urgent || state.bytes.len() >= MANY;
        if (state.urgent || was_empty)
            && let Some(waker) = state.flusher.take()
        {
            waker.wake();
        }
    }

    /// Notes that a message has come in, which may be answered at once.
    pub(crate) fn received(&self) {
        self.0.borrow_mut().activity += 1;
    }

    /// Lets the loop's other tasks run until the connection is quiet: what they send goes out with one system call.
    async fn quiet(&self) {
        let mut seen = self.0.borrow().activity;
        for _ in 0..TURNS {
            let mut yielded = false;
            // The runtime's own way to yield would look for events first, with a system call.
            poll_fn(|cx| {
                if std::mem::replace(&mut yielded, true) {
                    return Poll::Ready(());
                }
                cx.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
            let now = self.0.borrow().activity;
            if now == seen {
                break;
            }
            seen = now;
        }
    }

    /// Makes the reading side end the connection because of a limit.
    pub(crate) fn abort(&self, limit: Limit) {
        let mut state = self.0.borrow_mut();
        state.abort = Some(limit);
        state.wake_reader();
    }

    /// Lets the task write what is left and end.
    pub(crate) fn end(&self) {
        let mut state = self.0.borrow_mut();
        state.ended = true;
        if let Some(waker) = state.flusher.take() {
            waker.wake();
        }
    }

    /// Why writing has ended, of which the caller is woken; or whether more than `limit` bytes wait to be written, the
    /// caller then being woken on progress too.
    pub(crate) fn poll_unread(&self, limit: usize, cx: &Context<'_>) -> Result<bool, OutputError> {
        let mut state = self.0.borrow_mut();
        if let Some(error) = state.error.or(state.abort.map(OutputError::Limit)) {
            return Err(error);
        }
        if !state.reader.as_ref().is_some_and(|known| known.will_wake(cx.waker())) {
            state.reader = Some(cx.waker().clone());
        }
        let over = state.bytes.len() + state.taken > limit;
        if over {
            state.waiting = Some(cx.waker().clone());
        }
        Ok(over)
    }

    /// Ready when there is something to write at once, or (`Next::Wait`) something that may stay for a moment.
    fn poll(&self, batch: &mut Vec<u8>, patient: bool, cx: &Context<'_>) -> Poll<Next> {
        let mut state = self.0.borrow_mut();
        if !state.bytes.is_empty() {
            if !(state.urgent || state.ended || patient) {
                state.flusher = Some(cx.waker().clone());
                return Poll::Ready(Next::Wait);
            }
            state.urgent = false;
            std::mem::swap(&mut state.bytes, batch);
            state.taken = batch.len();
            return Poll::Ready(Next::Write);
        }
        if state.ended {
            return Poll::Ready(Next::End);
        }
        state.flusher = Some(cx.waker().clone());
        Poll::Pending
    }

    /// Adds what has been sent meanwhile to a batch that is about to be written.
    fn append_to(&self, batch: &mut Vec<u8>) {
        let mut state = self.0.borrow_mut();
        batch.append(&mut state.bytes);
        state.urgent = false;
        state.taken = batch.len();
    }

    async fn write_out(self, mut sink: Box<dyn Sink>, write_time: Duration, written: impl Fn(usize)) {
        let mut batch = Vec::new();
        loop {
            let mut next = poll_fn(|cx| self.poll(&mut batch, false, cx)).await;
            if matches!(next, Next::Wait) {
                let more = poll_fn(|cx| match self.poll(&mut batch, false, cx) {
                    Poll::Ready(Next::Wait) => Poll::Pending,
                    other => other,
                });
                next = match tokio::time::timeout(PATIENCE, more).await {
                    Ok(next) => next,
                    Err(_) => poll_fn(|cx| self.poll(&mut batch, true, cx)).await,
                };
            }
            if matches!(next, Next::End) {
                break;
            }
            if batch.len() < MANY {
                self.quiet().await;
                self.append_to(&mut batch);
            }
            if let Err(error) = self.write_batch(&mut *sink, &batch, write_time, &written).await {
                let mut state = self.0.borrow_mut();
                state.error = Some(error);
                state.bytes = Vec::new();
                state.taken = 0;
                state.wake_reader();
                return;
            }
            batch.clear();
            // A block that went through must not keep its memory.
            batch.shrink_to(KEEP);
        }
        let _ = poll_fn(|cx| sink.poll_shutdown(cx)).await;
    }

    async fn write_batch(
        &self,
        sink: &mut dyn Sink,
        mut batch: &[u8],
        write_time: Duration,
        written: &impl Fn(usize),
    ) -> Result<(), OutputError> {
        while !batch.is_empty() {
            let count = in_time(write_time, |cx| sink.poll_write(cx, batch)).await?;
            if count == 0 {
                return Err(OutputError::Io(io::ErrorKind::WriteZero));
            }
            batch = &batch[count..];
            written(count);
            let mut state = self.0.borrow_mut();
            state.taken = batch.len();
            if let Some(waker) = state.waiting.take() {
                waker.wake();
            }
        }
        in_time(write_time, |cx| sink.poll_flush(cx)).await
    }
}

/// Polls, with a time limit if it is not ready at once.
async fn in_time<T>(
    time: Duration,
    mut poll: impl FnMut(&mut Context<'_>) -> Poll<io::Result<T>>,
) -> Result<T, OutputError> {
    let result = match poll_fn(|cx| Poll::Ready(poll(cx))).await {
        Poll::Ready(result) => result,
        Poll::Pending => match tokio::time::timeout(time, poll_fn(poll)).await {
            Ok(result) => result,
            Err(_) => return Err(OutputError::Limit(Limit::WriteTime)),
        },
    };
    result.map_err(|error| OutputError::Io(error.kind()))
}
