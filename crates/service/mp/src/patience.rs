//! Callers do not wait for a process that has been stopped.
//!
//! A process that dies closes its socket, and whoever waits for it gets to know. A process that is stopped (by a signal, a
//! debugger, a frozen container) does not. While somebody waits for an answer over a connection that has a limit, this
//! side asks the other side's event loop now and then for the name of a thread, which it answers at once however busy
//! its threads are. When that takes longer than the limit, all who wait get an error, and so do new calls until the answer
//! comes. The connection stays: the process may go on. Nothing is asked while nobody waits.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::Error;
use crate::connection::{Connection, Session};
use crate::strand::{Strand, lock};

/// Words of the error that callers get who wait for a silent process, and no others.
pub const SILENCE: &str = "has not answered anything";

/// Time between questions.
const INTERVAL: Duration = Duration::from_millis(500);

type Slot = Arc<Mutex<Option<Result<(), Error>>>>;

/// Who waits for an answer.
struct Waiter {
    slot: Slot,
    strand: Arc<Strand>,
}

#[derive(Default)]
struct State {
    waiting: HashMap<u64, Waiter>,
    next: u64,
    /// The task that asks is running.
    watched: bool,
    /// The other side does not answer.
    silent: bool,
}

/// A connection's limit and those to whom it applies.
#[derive(Default)]
pub(crate) struct Patience {
    /// In milliseconds; 0 for none.
    limit: AtomicU64,
    state: Mutex<State>,
}

/// One caller that waits. Dropped when it does so no more.
pub(crate) struct Waiting<'a> {
    conn: &'a Connection,
    id: u64,
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        lock(&self.conn.patience().state).waiting.remove(&self.id);
    }
}

impl Patience {
    fn limit(&self) -> Option<Duration> {
        match self.limit.load(Ordering::Relaxed) {
            0 => None,
            millis => Some(Duration::from_millis(millis)),
        }
    }
}

impl Connection {
    /// Lets calls of this side fail when the whole other process answers nothing for so long, as when it has been
    /// stopped. A method may still take any time.
    pub fn set_patience(&self, limit: Duration) {
        let millis = u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        self.patience().limit.store(millis, Ordering::Relaxed);
    }

    fn silence(&self, limit: Duration) -> Error {
        Error::Local(format!(
            "{} {SILENCE} for {} s. It may have been stopped. Whether the call took effect is not known.",
            self.peer_name(),
            limit.as_secs()
        ))
    }

    /// Registers a caller that is about to wait; an error at once while the other side is silent.
    pub(crate) fn begin_wait(&self, slot: &Slot, strand: &Arc<Strand>) -> Result<Option<Waiting<'_>>, Error> {
        let patience = self.patience();
        let Some(limit) = patience.limit() else { return Ok(None) };
        let mut state = lock(&patience.state);
        if state.silent {
            return Err(self.silence(limit));
        }
        let id = state.next;
        state.next += 1;
        state.waiting.insert(id, Waiter { slot: slot.clone(), strand: strand.clone() });
        if !std::mem::replace(&mut state.watched, true) {
            let conn = self.clone();
            self.event_loop().post(move || {
                tokio::task::spawn_local(watch(conn));
            });
        }
        Ok(Some(Waiting { conn: self, id }))
    }

    fn fail_waiting(&self, limit: Duration) {
        let waiting = {
            let mut state = lock(&self.patience().state);
            state.silent = true;
            std::mem::take(&mut state.waiting)
        };
        for Waiter { slot, strand } in waiting.into_values() {
            lock(&slot).get_or_insert_with(|| Err(self.silence(limit)));
            strand.wake();
        }
    }
}

async fn watch(conn: Connection) {
    loop {
        tokio::time::sleep(INTERVAL).await;
        let session = Session::of(conn.id());
        let limit = conn.patience().limit();
        let (session, limit) = {
            let mut state = lock(&conn.patience().state);
            match (session, limit) {
                (Some(session), Some(limit)) if !state.waiting.is_empty() => (session, limit),
                _ => {
                    state.watched = false;
                    return;
                }
            }
        };
        let Some(thread) = session.any_peer_thread() else { continue };
        drop(session);
        let mut answer = thread.get_name_request().send().promise;
        if tokio::time::timeout(limit, &mut answer).await.is_err() {
            conn.fail_waiting(limit);
            // Comes when the process goes on, or the connection ends.
            let _ = answer.await;
            lock(&conn.patience().state).silent = false;
        }
    }
}
