//! What to do next about the connection, as a machine without clock or threads.

use std::path::PathBuf;

use super::{IpcConnect, LaunchError, Loss, Ownership};

/// Seconds before the first new try, and the longest pause.
const FIRST_PAUSE: i64 = 1;
const LONGEST_PAUSE: i64 = 30;

/// A try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Attempt {
    /// Join a running node, at this socket if given.
    Join(Option<PathBuf>),
    /// Start one.
    Start,
}

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Try this now.
    Try(Attempt),
    /// Wait so many seconds, then ask [`LinkMachine::retry`].
    Wait {
        /// Why the last try, or the connection, came to nothing.
        cause: String,
        /// Seconds.
        seconds: i64,
    },
    /// The node ended in good order and the window goes with it.
    Close,
    /// It cannot work.
    Fail(String),
}

/// Decides what to do about the connection.
#[derive(Debug, Clone)]
pub struct LinkMachine {
    policy: IpcConnect,
    ownership: Ownership,
    in_process: bool,
    /// Whether there has been a connection.
    connected_once: bool,
    /// Whether the node of this connection has loaded.
    ran: bool,
    /// Tries since the last connection.
    attempts: u32,
    pause: i64,
}

impl LinkMachine {
    /// Nothing has been tried so far.
    pub fn new(policy: IpcConnect, in_process: bool) -> LinkMachine {
        LinkMachine {
            policy,
            ownership: Ownership::Unknown,
            in_process,
            connected_once: false,
            ran: false,
            attempts: 0,
            pause: FIRST_PAUSE,
        }
    }

    /// Whose the node is.
    pub fn ownership(&self) -> Ownership {
        self.ownership
    }

    /// Number of tries since the connection was lost.
    pub fn attempts(&self) -> u32 {
        self.attempts
    }

    fn socket(&self) -> Option<PathBuf> {
        match &self.policy {
            IpcConnect::Join(path) => path.clone(),
            _ => None,
        }
    }

    /// The first try.
    pub fn begin(&mut self) -> Attempt {
        match self.policy.may_join() {
            true => Attempt::Join(self.socket()),
            false => Attempt::Start,
        }
    }

    /// The next try after a pause, or because the user asks for it.
    pub fn retry(&mut self) -> Attempt {
        self.attempts += 1;
        match self.ownership {
            // A node that somebody else stopped is not started behind their back.
            Ownership::Joined => Attempt::Join(self.socket()),
            Ownership::Started | Ownership::InProcess => Attempt::Start,
            Ownership::Unknown => self.begin(),
        }
    }

    /// A try has worked.
    pub fn connected(&mut self, attempt: &Attempt) {
        self.ownership = match attempt {
            Attempt::Join(_) => Ownership::Joined,
            Attempt::Start if self.in_process => Ownership::InProcess,
            Attempt::Start => Ownership::Started,
        };
        self.connected_once = true;
        self.ran = false;
        self.attempts = 0;
        self.pause = FIRST_PAUSE;
    }

    /// The node has loaded.
    pub fn running(&mut self) {
        self.ran = true;
    }

    fn wait(&mut self, cause: String) -> Next {
        let seconds = self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Next::Wait { cause, seconds }
    }

    /// A try has failed.
    pub fn failed(&mut self, attempt: &Attempt, error: LaunchError) -> Next {
        match (attempt, error) {
            (_, LaunchError::Refused(text)) => Next::Fail(text),
            (Attempt::Join(_), LaunchError::NoneListens(_))
                if self.policy.may_start() && self.ownership == Ownership::Unknown =>
            {
                Next::Try(Attempt::Start)
            }
            // The first connection fails at once, so that the user reads why.
            (_, LaunchError::NoneListens(text) | LaunchError::Failed(text)) if !self.connected_once => {
                Next::Fail(text)
            }
            (_, LaunchError::NoneListens(text) | LaunchError::Failed(text)) => self.wait(text),
        }
    }

    /// The connection is gone.
    pub fn lost(&mut self, loss: Loss) -> Next {
        match (self.ownership, loss.clean) {
            // The node's `stop` ends the window too, as in groestlcoin-qt.
            (Ownership::Started | Ownership::InProcess, true) => Next::Close,
            (Ownership::InProcess, false) => Next::Fail(loss.cause),
            // What ends while it loads, such as for broken files, would do so again.
            (Ownership::Started, false) if !self.ran => Next::Fail(loss.cause),
            _ => self.wait(loss.cause),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn none() -> LaunchError {
        LaunchError::NoneListens("nobody".into())
    }

    fn loss(clean: bool) -> Loss {
        Loss { cause: "gone".into(), clean }
    }

    #[test]
    fn auto_joins_or_else_starts() {
        let mut machine = LinkMachine::new(IpcConnect::Auto, false);
        let join = machine.begin();
        assert_eq!(join, Attempt::Join(None));
        assert_eq!(machine.failed(&join, none()), Next::Try(Attempt::Start));
        machine.connected(&Attempt::Start);
        assert_eq!(machine.ownership(), Ownership::Started);
        machine.running();
        // It crashed: another one is started, with growing pauses.
        assert_eq!(machine.lost(loss(false)), Next::Wait { cause: "gone".into(), seconds: 1 });
        assert_eq!(machine.retry(), Attempt::Start);
        let failed = LaunchError::Failed("no".into());
        assert_eq!(
            machine.failed(&Attempt::Start, failed.clone()),
            Next::Wait { cause: "no".into(), seconds: 2 }
        );
        for _ in 0..10 {
            machine.failed(&Attempt::Start, failed.clone());
        }
        assert_eq!(machine.failed(&Attempt::Start, failed), Next::Wait { cause: "no".into(), seconds: 30 });
        machine.connected(&Attempt::Start);
        assert_eq!(machine.attempts(), 0);
        // It was told to stop.
        assert_eq!(machine.lost(loss(true)), Next::Close);
        // It ends before it has loaded: there is no point in starting it again and again.
        assert_eq!(machine.lost(loss(false)), Next::Fail("gone".into()));
    }

    #[test]
    fn a_joined_node_is_joined_again_and_never_started() {
        let mut machine = LinkMachine::new(IpcConnect::Auto, false);
        let join = machine.begin();
        machine.connected(&join);
        assert_eq!(machine.ownership(), Ownership::Joined);
        for clean in [true, false] {
            assert!(matches!(machine.lost(loss(clean)), Next::Wait { .. }));
            assert_eq!(machine.retry(), Attempt::Join(None));
            assert!(matches!(machine.failed(&join, none()), Next::Wait { .. }));
        }
    }

    #[test]
    fn what_must_be_joined_is_not_started() {
        let mut machine = LinkMachine::new(IpcConnect::Join(Some("x".into())), false);
        let join = machine.begin();
        assert_eq!(join, Attempt::Join(Some("x".into())));
        assert_eq!(machine.failed(&join, none()), Next::Fail("nobody".into()));
        let mut machine = LinkMachine::new(IpcConnect::Start, true);
        assert_eq!(machine.begin(), Attempt::Start);
        machine.connected(&Attempt::Start);
        assert_eq!(machine.ownership(), Ownership::InProcess);
        assert_eq!(machine.lost(loss(false)), Next::Fail("gone".into()));
    }

    #[test]
    fn what_cannot_work_is_not_tried_again() {
        let mut machine = LinkMachine::new(IpcConnect::Auto, false);
        let join = machine.begin();
        machine.connected(&join);
        machine.lost(loss(false));
        let refused = LaunchError::Refused("version".into());
        assert_eq!(machine.failed(&join, refused), Next::Fail("version".into()));
    }
}
