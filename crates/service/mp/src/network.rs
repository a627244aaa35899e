//! A connection as the RPC layer sees it: whole messages in and out, within the limits.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use capnp::capability::Promise;
use capnp::message::{Builder, HeapAllocator, Reader};
use capnp::{Error, ErrorKind};
use capnp_rpc::rpc_capnp::{message, return_};
use capnp_rpc::rpc_twoparty_capnp::Side;
use capnp_rpc::{IncomingMessage, OutgoingMessage, VatNetwork};
use futures::FutureExt;
use futures::channel::oneshot;

use crate::event_loop::LoopHandle;
use crate::input::{Input, InputError, Segments};
use crate::limits::{Counters, Limit, Limits};
use crate::logging::{ipc_log, thread_name};
use crate::output::{Output, OutputError};
use crate::transport::Transport;

/// Words that a message begins with; more are added as needed. The RPC layer asks for 8 KiB for each call, which would
/// have to be cleared.
const MAX_FIRST_SEGMENT: u32 = 128;

/// What the halves of a connection share.
pub(crate) struct Wire {
    side: Side,
    home: LoopHandle,
    limits: Limits,
    input: RefCell<Option<Input>>,
    output: Output,
    /// Bytes of received messages that are still there.
    held: Cell<usize>,
    /// Calls of the peer that it has not finished, and the bytes of the answer to each.
    unfinished: RefCell<HashMap<u32, usize>>,
    unfinished_bytes: Cell<usize>,
    /// Says why when nothing more will be read.
    ended: RefCell<Option<oneshot::Sender<Result<(), Error>>>>,
}

impl Wire {
    fn counters(&self) -> &Arc<Counters> {
        self.home.counters()
    }

    fn refused(&self, limit: Limit) -> Error {
        self.home.hit(limit);
        Error::failed(limit.text().to_owned())
    }

    fn output_error(&self, error: OutputError) -> Error {
        match error {
            OutputError::Limit(limit) => self.refused(limit),
            OutputError::Io(kind) => Error::disconnected(kind.to_string()),
        }
    }

    fn input_error(&self, error: InputError) -> Error {
        match error {
            InputError::Limit(limit) => self.refused(limit),
            InputError::Truncated => Error::disconnected("the stream ended within a message".to_owned()),
            InputError::Io(error) => Error::disconnected(error.to_string()),
        }
    }

    async fn receive(&self, input: &mut Input) -> Result<Option<Segments>, Error> {
        let mut told = false;
        poll_fn(|cx| match self.output.poll_unread(self.limits.max_unread, cx) {
            Ok(true) => {
                if !std::mem::replace(&mut told, true) {
                    self.home.hit(Limit::Unread);
                }
                Poll::Pending
            }
            Ok(false) => Poll::Ready(Ok(())),
            Err(error) => Poll::Ready(Err(error)),
        })
        .await
        .map_err(|error| self.output_error(error))?;
        let mut next = |partial_is_pending: bool, cx: &mut std::task::Context<'_>| {
            let polled = input.poll(cx);
            self.counters().bytes_in.fetch_add(input.take_received(), Ordering::Relaxed);
            if let Poll::Ready(result) = polled {
                return Poll::Ready(result.map(Some).map_err(|error| self.input_error(error)));
            }
            // Only this future is woken by an error of the writing half.
            if let Err(error) = self.output.poll_unread(usize::MAX, cx) {
                return Poll::Ready(Err(self.output_error(error)));
            }
            if input.is_partial() && !partial_is_pending { Poll::Ready(Ok(None)) } else { Poll::Pending }
        };
        if let Some(message) = poll_fn(|cx| next(false, cx)).await? {
            return Ok(message);
        }
        // A message has begun; from now on there is a time limit.
        match tokio::time::timeout(self.limits.message_time, poll_fn(|cx| next(true, cx))).await {
            Ok(message) => Ok(message?.flatten()),
            Err(_) => Err(self.refused(Limit::MessageTime)),
        }
    }

    /// Keeps the account of the peer's calls, for a message that it has sent.
    fn note_received(&self, message: &Reader<Segments>) -> Result<(), Error> {
        // A message that cannot be read is for the RPC layer to complain about.
        let Ok(root) = message.get_root::<message::Reader<'_>>() else { return Ok(()) };
        match root.which() {
            Ok(message::Call(Ok(call))) => self.begin(call.get_question_id()),
            Ok(message::Bootstrap(Ok(bootstrap))) => self.begin(bootstrap.get_question_id()),
            Ok(message::Finish(Ok(finish))) => {
                self.finish(finish.get_question_id());
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn begin(&self, question: u32) -> Result<(), Error> {
        let mut unfinished = self.unfinished.borrow_mut();
        unfinished.entry(question).or_insert(0);
        if unfinished.len() > self.limits.max_unfinished {
            return Err(self.refused(Limit::Unfinished));
        }
        if self.unfinished_bytes.get() > self.limits.max_unfinished_bytes {
            return Err(self.refused(Limit::UnfinishedBytes));
        }
        Ok(())
    }

    fn finish(&self, question: u32) {
        let mut unfinished = self.unfinished.borrow_mut();
        if let Some(bytes) = unfinished.remove(&question) {
            self.unfinished_bytes.set(self.unfinished_bytes.get() - bytes);
        }
    }

    /// The same for a message of this side; and whether somebody waits for it.
    fn note_sent(&self, message: &Builder<HeapAllocator>, bytes: usize) -> bool {
        let Ok(root) = message.get_root_as_reader::<message::Reader<'_>>() else { return true };
        match root.which() {
            Ok(message::Return(Ok(answer))) => {
                let question = answer.get_answer_id();
                // Only results stay: they may hold capabilities that the peer names by the question.
                if answer.get_no_finish_needed() {
                    self.finish(question);
                } else if matches!(answer.which(), Ok(return_::Results(_)))
                    && let Some(entry) = self.unfinished.borrow_mut().get_mut(&question)
                {
                    *entry += bytes;
                    self.unfinished_bytes.set(self.unfinished_bytes.get() + bytes);
                }
                true
            }
            Ok(message::Finish(_) | message::Release(_)) => false,
            _ => true,
        }
    }

    fn release(&self, bytes: usize) {
        self.held.set(self.held.get() - bytes);
    }
}

impl LoopHandle {
    /// Counts a limit that was hit, and says so in the log now and then.
    pub(crate) fn hit(&self, limit: Limit) {
        if let Some(quiet) = self.counters().hit(limit) {
            let name = thread_name(self.exe_name());
            match quiet {
                0 => ipc_log!(WARN, name, "IPC server: limit: {}", limit.text()),
                _ => ipc_log!(WARN, name, "IPC server: limit: {} ({quiet} others not shown)", limit.text()),
            }
        }
    }
}

/// One end of the connection.
struct Link(Rc<Wire>);

impl capnp_rpc::Connection<Side> for Link {
    fn get_peer_vat_id(&self) -> Side {
        self.0.side
    }

    fn new_outgoing_message(&mut self, first_segment_word_size: u32) -> Box<dyn OutgoingMessage> {
        let first = first_segment_word_size.clamp(16, MAX_FIRST_SEGMENT);
        let message = Builder::new(HeapAllocator::new().first_segment_words(first));
        Box::new(Outgoing { message, wire: self.0.clone() })
    }

    fn receive_incoming_message(&mut self) -> Promise<Option<Box<dyn IncomingMessage>>, Error> {
        let wire = self.0.clone();
        let Some(mut input) = wire.input.borrow_mut().take() else {
            return Promise::err(Error::disconnected("nothing more can be received".to_owned()));
        };
        Promise::from_future(async move {
            let segments = wire.receive(&mut input).await?;
            *wire.input.borrow_mut() = Some(input);
            let Some(segments) = segments else { return Ok(None) };
            wire.output.received();
            let bytes = segments.bytes();
            wire.held.set(wire.held.get() + bytes);
            let message = Incoming { message: segments.into_reader(), bytes, wire };
            if message.wire.held.get() > message.wire.limits.max_held {
                return Err(message.wire.refused(Limit::Held));
            }
            message.wire.note_received(&message.message)?;
            Ok(Some(Box::new(message) as Box<dyn IncomingMessage>))
        })
    }

    fn shutdown(&mut self, result: Result<(), Error>) -> Promise<(), Error> {
        self.0.output.end();
        if let Some(ended) = self.0.ended.borrow_mut().take() {
            let _ = ended.send(result);
        }
        // The rest is written by a task of its own.
        Promise::ok(())
    }
}

struct Incoming {
    message: Reader<Segments>,
    bytes: usize,
    wire: Rc<Wire>,
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.wire.release(self.bytes);
    }
}

impl IncomingMessage for Incoming {
    fn get_body(&self) -> capnp::Result<capnp::any_pointer::Reader<'_>> {
        self.message.get_root()
    }
}

struct Outgoing {
    message: Builder<HeapAllocator>,
    wire: Rc<Wire>,
}

impl OutgoingMessage for Outgoing {
    fn get_body(&mut self) -> capnp::Result<capnp::any_pointer::Builder<'_>> {
        self.message.get_root()
    }

    fn get_body_as_reader(&self) -> capnp::Result<capnp::any_pointer::Reader<'_>> {
        self.message.get_root_as_reader()
    }

    fn send(self: Box<Self>) -> (Promise<(), Error>, Rc<Builder<HeapAllocator>>) {
        let Outgoing { message, wire } = *self;
        {
            let segments = message.get_segments_for_output();
            let bytes = segments.iter().map(|segment| segment.len()).sum();
            let urgent = wire.note_sent(&message, bytes);
            wire.output.send(&segments, urgent);
        }
        (Promise::ok(()), Rc::new(message))
    }

    fn take(self: Box<Self>) -> Builder<HeapAllocator> {
        self.message
    }

    fn size_in_words(&self) -> usize {
        self.message.size_in_words()
    }
}

/// The network of the two ends of one connection.
pub(crate) struct Network {
    wire: Rc<Wire>,
    accepted: bool,
    ended: futures::future::Shared<Promise<(), Error>>,
}

impl Network {
    /// Makes the network and the task that writes, which ends when the connection has been shut down and everything is
    /// written, or cannot be.
    pub(crate) fn new(
        transport: Transport,
        side: Side,
        home: &LoopHandle,
        limits: Limits,
    ) -> (Network, impl Future<Output = ()> + use<>) {
        let counters = home.counters().clone();
        let written = move |count| {
            counters.bytes_out.fetch_add(count as u64, Ordering::Relaxed);
        };
        let (output, flusher) = Output::new(transport.sink, limits.write_time, written);
        let (sender, receiver) = oneshot::channel();
        let wire = Wire {
            side,
            home: home.clone(),
            limits,
            input: RefCell::new(Some(Input::new(transport.source, limits.max_message))),
            output,
            held: Cell::new(0),
            unfinished: RefCell::default(),
            unfinished_bytes: Cell::new(0),
            ended: RefCell::new(Some(sender)),
        };
        let ended = receiver.map(|result| match result {
            Ok(Err(error)) if error.kind == ErrorKind::Disconnected => Ok(()),
            Ok(result) => result,
            Err(_dropped) => Ok(()),
        });
        let ended = Promise::from_future(ended).shared();
        (Network { wire: Rc::new(wire), accepted: false, ended }, flusher)
    }
}

impl Network {
    /// The writing half, for ending the connection.
    pub(crate) fn output(&self) -> Output {
        self.wire.output.clone()
    }
}

impl VatNetwork<Side> for Network {
    fn connect(&mut self, host: Side) -> Option<Box<dyn capnp_rpc::Connection<Side>>> {
        (host != self.wire.side)
            .then(|| Box::new(Link(self.wire.clone())) as Box<dyn capnp_rpc::Connection<Side>>)
    }

    fn accept(&mut self) -> Promise<Box<dyn capnp_rpc::Connection<Side>>, Error> {
        if std::mem::replace(&mut self.accepted, true) {
            return Promise::from_future(futures::future::pending());
        }
        Promise::ok(Box::new(Link(self.wire.clone())))
    }

    fn drive_until_shutdown(&mut self) -> Promise<(), Error> {
        Promise::from_future(self.ended.clone())
    }
}
