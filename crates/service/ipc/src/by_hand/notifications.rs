//! `ChainNotifications`. The proxy, in the node, is an ordered, bounded queue that is sent in batches; the server, in the
//! wallet, delivers them.
//!
//! One batch is under way at a time. What happens meanwhile forms the next one, so that a slow receiver gets few large
//! messages and a fast one small ones at once.

use std::rc::Rc;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use grs_encoding::encode_to_vec;
use grs_interfaces::{
    BlockInfo, CallResult, ChainNotifications, ChainstateRole, MempoolRemovalReason, NotifyOptions,
};
use grs_ipc_schema::chain_capnp::chain_notifications;
use grs_mp::ObjectThread;
use grs_primitives::{BlockLocator, TxRef};

use crate::event::{Event, EventBlock};
use crate::support::*;

/// A caller with a new event waits when this much has not been sent.
const MAX_QUEUED: usize = 16 << 20;
/// Size of a batch; a single event may be larger.
const MAX_BATCH: usize = 8 << 20;
/// A receiver that has left a batch unanswered for so long when the queue is full is cut off: the chain must not wait for a
/// process that has been stopped. When it goes on, it can connect again and catch up.
const MAX_SILENCE: Duration = Duration::from_secs(30);

struct State {
    events: std::collections::VecDeque<Event>,
    bytes: usize,
    sending: bool,
    failed: Option<CallError>,
    /// When a batch was sent for the first time after a pause, or answered.
    progress: Instant,
}

struct Queue {
    remote: Proxy<chain_notifications::Client>,
    state: Mutex<State>,
    changed: Condvar,
}

/// Fails the queue if the answer of a batch never comes.
struct Batch {
    queue: Arc<Queue>,
    answered: bool,
}

impl Drop for Batch {
    fn drop(&mut self) {
        if !self.answered {
            self.queue.fail(CallError::Cancelled);
        }
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'a>(&'a self, state: MutexGuard<'a, State>) -> MutexGuard<'a, State> {
        self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
    }

    fn push(self: &Arc<Self>, event: Event) -> CallResult<()> {
        let size = event.size();
        let mut state = self.lock();
        while state.failed.is_none() && state.bytes > 0 && state.bytes + size > MAX_QUEUED {
            let Some(left) = MAX_SILENCE.checked_sub(state.progress.elapsed()) else {
                drop(state);
                return Err(self.give_up());
            };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if let Some(error) = &state.failed {
            return Err(error.clone());
        }
        state.bytes += size;
        state.events.push_back(event);
        let next = if state.sending { None } else { Self::next_batch(&mut state) };
        drop(state);
        self.send(next);
        Ok(())
    }

    /// Takes the next batch and its size out of the queue.
    fn next_batch(state: &mut State) -> Option<(Vec<Event>, usize)> {
        let mut batch = Vec::new();
        let mut size = 0;
        while let Some(event) = state.events.front() {
            if !batch.is_empty() && size + event.size() > MAX_BATCH {
                break;
            }
            size += event.size();
            batch.extend(state.events.pop_front());
        }
        state.sending = !batch.is_empty();
        state.progress = Instant::now();
        state.sending.then_some((batch, size))
    }

    /// Sends a batch. Not under the lock: if the IPC thread has ended, the queue fails on the spot.
    fn send(self: &Arc<Self>, batch: Option<(Vec<Event>, usize)>) {
        let Some((batch, size)) = batch else {
            return;
        };
        let mut under_way = Batch { queue: self.clone(), answered: false };
        self.remote.remote().call_async(
            move |client, call| async move {
                let mut request = client.notify_request();
                put_structs(request.get().init_events(count(batch.len())), &batch);
                drop(batch);
                call.send(request).await.map(|_| ())
            },
            move |result| {
                under_way.answered = true;
                let queue = &under_way.queue;
                match result {
                    Ok(()) => {
                        let mut state = queue.lock();
                        state.bytes = state.bytes.saturating_sub(size);
                        let next = Self::next_batch(&mut state);
                        drop(state);
                        queue.changed.notify_all();
                        queue.send(next);
                    }
                    Err(error) => queue.fail(call_error(error)),
                }
            },
        );
    }

    /// Ends the connection of a receiver that takes nothing any more.
    fn give_up(&self) -> CallError {
        let connection = self.remote.remote().connection();
        let cause = format!(
            "{} has taken no events of the chain for {} s.",
            connection.peer_name(),
            MAX_SILENCE.as_secs()
        );
        grs_log::warn!("{cause} Its connection is closed.");
        connection.set_cause(cause.clone());
        connection.close();
        let error = CallError::disconnected(cause);
        self.fail(error.clone());
        error
    }

    fn fail(&self, error: CallError) {
        let mut state = self.lock();
        state.failed.get_or_insert(error);
        state.events.clear();
        state.bytes = 0;
        state.sending = false;
        drop(state);
        self.changed.notify_all();
    }

    fn flush(&self) -> CallResult<()> {
        let mut state = self.lock();
        while state.failed.is_none() && (state.sending || !state.events.is_empty()) {
            state = self.wait(state);
        }
        state.failed.clone().map_or(Ok(()), Err)
    }
}

/// A wallet that listens to the chain, in the node.
pub(crate) struct NotificationsProxy {
    queue: Arc<Queue>,
    options: NotifyOptions,
}

impl NotificationsProxy {
    /// For a capability that has come over the session's connection. On the IPC thread only.
    pub(crate) fn new(
        session: &Session,
        client: chain_notifications::Client,
        options: NotifyOptions,
    ) -> Self {
        let remote = Proxy::new(session, client);
        let state = State {
            events: std::collections::VecDeque::new(),
            bytes: 0,
            sending: false,
            failed: None,
            progress: Instant::now(),
        };
        let queue = Queue { remote, state: Mutex::new(state), changed: Condvar::new() };
        NotificationsProxy { queue: Arc::new(queue), options }
    }
}

impl ChainNotifications for NotificationsProxy {
    fn options(&self) -> NotifyOptions {
        self.options
    }

    fn transaction_added_to_mempool(&self, tx: TxRef) -> CallResult<()> {
        self.queue.push(Event::TransactionAdded(encode_to_vec(&*tx)))
    }

    fn transaction_removed_from_mempool(&self, tx: TxRef, reason: MempoolRemovalReason) -> CallResult<()> {
        self.queue.push(Event::TransactionRemoved(encode_to_vec(&*tx), reason))
    }

    fn block_connected(&self, role: ChainstateRole, block: &BlockInfo) -> CallResult<()> {
        let block = EventBlock::new(block, true, self.options.connect_undo_data);
        self.queue.push(Event::BlockConnected(role, block))
    }

    fn block_disconnected(&self, block: &BlockInfo) -> CallResult<()> {
        let block = EventBlock::new(block, self.options.disconnect_data, self.options.disconnect_undo_data);
        self.queue.push(Event::BlockDisconnected(block))
    }

    fn updated_block_tip(&self) -> CallResult<()> {
        self.queue.push(Event::UpdatedBlockTip)
    }

    fn chain_state_flushed(&self, role: ChainstateRole, locator: &BlockLocator) -> CallResult<()> {
        self.queue.push(Event::ChainStateFlushed(role, locator.clone()))
    }

    fn mock_time_changed(&self, time: i64) -> CallResult<()> {
        self.queue.push(Event::MockTime(time))
    }

    fn flush(&self) -> CallResult<()> {
        self.queue.flush()
    }
}

/// A subscriber. Its batches are processed one after the other, on a queue of its own.
struct NotificationsServer {
    hosted: Hosted<dyn ChainNotifications>,
    queue: ObjectThread,
}

/// A capability for a subscriber.
pub(crate) fn notifications_client(
    session: &Rc<Session>,
    object: Arc<dyn ChainNotifications>,
) -> chain_notifications::Client {
    let queue = ObjectThread::new(session.connection().event_loop(), "notifications");
    let hosted = Hosted::new(session, object, "ChainNotifications");
    capnp_rpc::new_client(NotificationsServer { hosted, queue })
}

impl chain_notifications::Server for NotificationsServer {
    async fn notify(
        self: Rc<Self>,
        params: chain_notifications::NotifyParams,
        mut results: chain_notifications::NotifyResults,
    ) -> Result<(), capnp::Error> {
        let call = self.hosted.session.receive(&params);
        let events: Vec<Event> = FromWire::from_wire(params.get()?.get_events()?)?;
        let object = self.hosted.get().map_err(exception)?;
        call.run_on(&self.queue, move || events.into_iter().try_for_each(|event| event.deliver(&*object)))
            .await?;
        call.done(&mut results)
    }
}
