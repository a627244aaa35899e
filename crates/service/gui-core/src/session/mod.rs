//! The session with a real node: threads that own the interfaces, so that no page ever waits.
//!
//! One thread holds the state and publishes views; it makes no call that can block. Calls run on lanes, a thread each:
//! one for the connection, one for lists, one for the console, one for payments, one for exports, one for all else. What
//! a call answers comes back as a message. Messages of a connection that is gone are recognised by their generation.

mod calls;
mod lane;
mod payments;
mod pending;
mod pulse;
mod state;
mod subscribers;
mod transactions;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use grs_interfaces::CallError;
use grs_interfaces::gui::{Node, NodeSnapshot, WalletSnapshot};

use crate::process::{Attempt, IpcConnect, LaunchError, Launcher, Loss};
use crate::view::{ActionId, Backend, Command, View};
use state::State;

/// How a session is started.
pub struct SessionConfig {
    /// Which node to work with.
    pub connect: IpcConnect,
    /// Joins and starts nodes.
    pub launcher: Arc<dyn Launcher>,
    /// Where to note payments that are under way; `None`: nowhere.
    pub data_dir: Option<PathBuf>,
    /// The wallet to show first, if it is loaded.
    pub wallet: Option<String>,
    /// Called on any thread when the view has changed. It must not block.
    pub repaint: Arc<dyn Fn() + Send + Sync>,
}

/// Work done on a lane: changes the state when it has come back.
type Finish = Box<dyn FnOnce(&mut State) + Send>;

/// What reaches the session's thread.
enum Message {
    Command(Command),
    /// A try to connect has ended.
    Connected(u64, Attempt, Result<Arc<dyn Node>, LaunchError>),
    Lost(u64, Loss),
    Node(u64, Box<NodeSnapshot>),
    /// Names of the loaded wallets, from the wallets of that number.
    Wallets(u64, Vec<String>),
    /// State of the wallet that was attached with that number.
    Wallet(u64, Box<WalletSnapshot>),
    WalletUnloaded(u64),
    Finish(Finish),
    /// The node has ended, or the window has left it.
    Ended,
}

/// The end that messages come from.
type Mail = Sender<Message>;

/// A session with a node.
pub struct Session {
    mail: Mutex<Mail>,
    published: Arc<Published>,
    next: AtomicU64,
}

/// The view that is there for everyone.
struct Published {
    view: Mutex<Arc<View>>,
    repaint: Arc<dyn Fn() + Send + Sync>,
}

impl Published {
    fn get(&self) -> Arc<View> {
        self.view.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// `draw` unless nothing that catches the eye has changed: the next frame shows the rest.
    fn set(&self, view: View, draw: bool) {
        *self.view.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(view);
        if draw {
            (self.repaint)();
        }
    }
}

impl Session {
    /// Starts the threads and the first try to connect.
    pub fn start(config: SessionConfig) -> std::io::Result<Arc<Session>> {
        let (mail, inbox) = channel();
        let repaint = config.repaint.clone();
        let mut state = State::new(config, mail.clone())?;
        // Payments of before are there to be seen from the first moment on.
        let published = Arc::new(Published { view: Mutex::new(Arc::new(state.view.clone())), repaint });
        let output = published.clone();
        grs_sync::thread::spawn_quiet("gui-session", move || run(&mut state, &inbox, &output))?;
        Ok(Arc::new(Session { mail: Mutex::new(mail), published, next: AtomicU64::new(1) }))
    }
}

impl Backend for Session {
    fn view(&self) -> Arc<View> {
        self.published.get()
    }

    fn send(&self, command: Command) {
        // Once the session has ended nobody listens, and the view says so.
        let _ = self.mail.lock().unwrap_or_else(PoisonError::into_inner).send(Message::Command(command));
    }

    fn new_action(&self) -> ActionId {
        ActionId(self.next.fetch_add(1, Ordering::Relaxed))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.send(Command::Quit);
    }
}

fn run(state: &mut State, inbox: &Receiver<Message>, output: &Published) {
    state.begin();
    publish(state, output);
    while !state.is_closed() {
        let message = match state.deadline() {
            None => match inbox.recv() {
                Ok(message) => Some(message),
                Err(_) => return,
            },
            Some(deadline) => match inbox.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
                Ok(message) => Some(message),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            },
        };
        match message {
            Some(message) => state.take(message),
            None => state.timer(),
        }
        // What has piled up is shown at once.
        while let Ok(message) = inbox.try_recv() {
            state.take(message);
        }
        publish(state, output);
    }
}

fn publish(state: &mut State, output: &Published) {
    if state.changed() {
        let draw = state.takes_the_eye();
        output.set(state.view.clone(), draw);
    }
}

/// A failed call in words; a loss of the other side says so.
fn call_text(error: &CallError) -> String {
    match error {
        CallError::Disconnected { cause } => crate::texts::Text::ConnectionBroke.with(&[("cause", cause)]),
        other => other.to_string(),
    }
}

/// Time now in Unix seconds.
fn now() -> i64 {
    grs_sync::clock::system_now().as_secs() as i64
}

fn seconds(n: i64) -> Duration {
    Duration::from_secs(n.max(0) as u64)
}
