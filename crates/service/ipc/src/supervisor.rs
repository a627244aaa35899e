//! Restarts a child process that has died, ever more slowly while it keeps dying.

use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use grs_interfaces::{CallError, CallResult, Hello};
use grs_mp::LoopHandle;

use crate::spawn::{Child, Ipc, spawn_child};

/// How long to wait before each restart: a state machine without a clock of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackOff {
    /// Wait before the first restart.
    pub first: Duration,
    /// Longest wait.
    pub longest: Duration,
    /// A child that has run this long counts as healthy, and the waits begin anew.
    pub healthy_after: Duration,
    failures: u32,
}

impl Default for BackOff {
    /// 1 s, doubled up to 60 s, anew after 5 minutes.
    fn default() -> Self {
        BackOff::new(Duration::from_secs(1), Duration::from_secs(60), Duration::from_secs(300))
    }
}

impl BackOff {
    /// A policy that has seen no failure.
    pub fn new(first: Duration, longest: Duration, healthy_after: Duration) -> BackOff {
        BackOff { first, longest, healthy_after, failures: 0 }
    }

    /// The child has died after it ran for `lifetime` (zero if it did not start). Answers the wait before the restart.
    pub fn died(&mut self, lifetime: Duration) -> Duration {
        if lifetime >= self.healthy_after {
            self.failures = 0;
        }
        let wait = self.first.saturating_mul(1 << self.failures.min(16)).min(self.longest);
        self.failures = self.failures.saturating_add(1);
        wait
    }

    /// Deaths since it was last healthy.
    pub fn failures(&self) -> u32 {
        self.failures
    }
}

/// What the supervisor reports, in order, on its own thread.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SupervisorEvent {
    /// A child runs and has been set up.
    Started {
        /// Its process id.
        pid: u32,
    },
    /// The child has died, or could not be started or set up.
    Lost {
        /// Why, fit for the log.
        cause: String,
        /// When it will be restarted.
        restart_in: Duration,
    },
}

/// How long a child that has lost its connection may take to end by itself.
const LOST_PATIENCE: Duration = Duration::from_secs(5);

/// What is set up in each new child, such as a wallet loader that has loaded its wallets.
pub trait Supervised: Send + Sync {
    /// The interface that users of the child want.
    type Interface: ?Sized + Send + Sync + 'static;

    /// Sets a new child up.
    fn set_up(&self, child: &Child) -> CallResult<Arc<Self::Interface>>;

    /// Reports.
    fn event(&self, event: SupervisorEvent);
}

struct State<I: ?Sized> {
    current: Result<Arc<I>, CallError>,
    child: Option<Child>,
    lost: Option<String>,
    stopping: bool,
}

struct Shared<S: Supervised> {
    state: Mutex<State<S::Interface>>,
    changed: Condvar,
    supervised: S,
    home: LoopHandle,
    program: PathBuf,
    hello: Hello,
}

impl<S: Supervised> Shared<S> {
    fn lock(&self) -> MutexGuard<'_, State<S::Interface>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Keeps one child process running.
pub struct Supervisor<S: Supervised + 'static> {
    shared: Arc<Shared<S>>,
    thread: Option<JoinHandle<()>>,
}

impl<S: Supervised + 'static> Supervisor<S> {
    /// Starts the child and waits until it is set up; a failure now is final. Later deaths lead to restarts.
    pub fn start(
        ipc: &Ipc,
        program: PathBuf,
        hello: Hello,
        back_off: BackOff,
        supervised: S,
    ) -> CallResult<Supervisor<S>> {
        let shared = Arc::new(Shared {
            state: Mutex::new(State {
                current: Err(CallError::disconnected("The process has not been started.")),
                child: None,
                lost: None,
                stopping: false,
            }),
            changed: Condvar::new(),
            supervised,
            home: ipc.handle(),
            program,
            hello,
        });
        launch(&shared)?;
        let watched = shared.clone();
        let thread = std::thread::Builder::new()
            .name("ipc-supervisor".to_owned())
            .spawn(move || supervise(&watched, back_off))
            .map_err(|error| CallError::remote(error.to_string()))?;
        Ok(Supervisor { shared, thread: Some(thread) })
    }

    /// The interface of the running child, or why there is none.
    pub fn get(&self) -> CallResult<Arc<S::Interface>> {
        self.shared.lock().current.clone()
    }

    /// Process id of the running child.
    pub fn pid(&self) -> Option<u32> {
        self.shared.lock().child.as_ref().map(|child| child.process.pid())
    }

    /// Gives the running child up: its connection ends with this cause, and another one is started.
    pub fn replace(&self, cause: &str) {
        if let Some(child) = &self.shared.lock().child {
            let connection = child.init.connection();
            connection.set_cause(cause);
            connection.close();
        }
    }

    /// Ends supervision, closes the connection and waits for the child, which ends when its socket closes; after
    /// `patience` it is killed.
    pub fn stop(mut self, patience: Duration) {
        self.end(patience);
    }

    fn end(&mut self, patience: Duration) {
        let child = {
            let mut state = self.shared.lock();
            state.stopping = true;
            state.current = Err(CallError::disconnected("The process has been stopped."));
            state.child.take()
        };
        self.shared.changed.notify_all();
        if let Some(child) = child {
            child.init.connection().close();
            if child.process.wait(patience).is_none() {
                let _ = child.process.kill();
                let _ = child.process.wait(Duration::from_secs(5));
            }
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl<S: Supervised + 'static> Drop for Supervisor<S> {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.end(Duration::from_secs(10));
        }
    }
}

/// Starts a child and sets it up.
fn launch<S: Supervised + 'static>(shared: &Arc<Shared<S>>) -> CallResult<()> {
    let child = spawn_child(&shared.home, &shared.program, &shared.hello)?;
    let interface = match shared.supervised.set_up(&child) {
        Ok(interface) => interface,
        Err(error) => {
            child.init.connection().close();
            if child.process.wait(Duration::from_secs(2)).is_none() {
                let _ = child.process.kill();
            }
            return Err(error);
        }
    };
    let pid = child.process.pid();
    let connection = child.init.connection().clone();
    {
        let mut state = shared.lock();
        state.lost = None;
        state.current = Ok(interface);
        state.child = Some(child);
    }
    let watched = Arc::downgrade(shared);
    connection.on_close(move |cause| {
        if let Some(shared) = watched.upgrade() {
            shared.lock().lost = Some(cause.to_owned());
            shared.changed.notify_all();
        }
    });
    shared.supervised.event(SupervisorEvent::Started { pid });
    Ok(())
}

/// Makes sure that a child without connection has ended: it holds what the next one needs, such as locks of files.
fn end_lost(child: &Child) {
    if child.process.wait(LOST_PATIENCE).is_none() {
        let _ = child.process.kill();
        let _ = child.process.wait(LOST_PATIENCE);
    }
}

fn supervise<S: Supervised + 'static>(shared: &Arc<Shared<S>>, mut back_off: BackOff) {
    let mut started = Instant::now();
    loop {
        // Until the child is lost.
        let (cause, old) = {
            let mut state = shared.lock();
            loop {
                if state.stopping {
                    return;
                }
                if let Some(cause) = state.lost.take() {
                    let error = CallError::disconnected(cause.clone());
                    let interface = std::mem::replace(&mut state.current, Err(error));
                    break (cause, (interface, state.child.take()));
                }
                state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
        };
        // Not under the lock: destructors may call.
        drop(old.0);
        if let Some(child) = old.1 {
            end_lost(&child);
        }
        let mut cause = cause;
        let mut lifetime = started.elapsed();
        // Until there is a new one.
        loop {
            let wait = back_off.died(lifetime);
            shared.supervised.event(SupervisorEvent::Lost { cause: cause.clone(), restart_in: wait });
            let deadline = Instant::now() + wait;
            let mut state = shared.lock();
            loop {
                if state.stopping {
                    return;
                }
                let Some(left) = deadline.checked_duration_since(Instant::now()) else {
                    break;
                };
                state = shared.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
            }
            drop(state);
            started = Instant::now();
            match launch(shared) {
                Ok(()) => break,
                Err(error) => {
                    cause = error.to_string();
                    lifetime = Duration::ZERO;
                    shared.lock().current = Err(CallError::disconnected(cause.clone()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_limit_and_begin_anew() {
        let second = Duration::from_secs(1);
        let mut policy = BackOff::default();
        let waits: Vec<u64> = (0..8).map(|_| policy.died(second).as_secs()).collect();
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(policy.died(Duration::from_secs(299)).as_secs(), 60);
        assert_eq!(policy.died(Duration::from_secs(300)).as_secs(), 1);
        assert_eq!(policy.failures(), 1);
        let mut many = BackOff::default();
        for _ in 0..1000 {
            many.died(Duration::ZERO);
        }
        assert_eq!(many.died(Duration::ZERO).as_secs(), 60);
    }
}
