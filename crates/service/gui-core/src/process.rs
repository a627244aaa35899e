//! Which node the window works with: one that it starts, or one that it joins.

mod machine;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use grs_interfaces::gui::Node;

use crate::texts::Text;

pub use machine::{Attempt, LinkMachine, Next};

/// Whose the node is; this decides what quitting does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Ownership {
    /// Not known yet.
    #[default]
    Unknown,
    /// Started by this program: quitting stops it.
    Started,
    /// Running before: quitting leaves it running.
    Joined,
    /// Part of this process: quitting stops it.
    InProcess,
}

impl Ownership {
    /// What quitting will do, for the user.
    pub fn quit_text(self) -> &'static str {
        match self {
            Ownership::Unknown => Text::QuitUnknown.s(),
            Ownership::Started | Ownership::InProcess => Text::QuitStops.s(),
            Ownership::Joined => Text::QuitDetaches.s(),
        }
    }
}

/// What `-ipcconnect` asks for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum IpcConnect {
    /// Join a node that listens in the data directory, else start one.
    #[default]
    Auto,
    /// Join, at this socket or at the data directory's own; it is an error if none listens.
    Join(Option<PathBuf>),
    /// Always start one.
    Start,
}

/// Why an `-ipcconnect` value means nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid -ipcconnect address '{0}': it must be 'auto', 'unix' or 'unix:<path>'")]
pub struct IpcConnectError(pub String);

impl IpcConnect {
    /// From the values of the option: `None` where it is not given, false for `-noipcconnect`.
    pub fn parse(value: Option<&str>, negated: bool) -> Result<IpcConnect, IpcConnectError> {
        if negated {
            return Ok(IpcConnect::Start);
        }
        match value {
            None | Some("auto") => Ok(IpcConnect::Auto),
            Some("" | "1" | "unix") => Ok(IpcConnect::Join(None)),
            Some("0") => Ok(IpcConnect::Start),
            Some(text) => match text.strip_prefix("unix:") {
                Some("") => Ok(IpcConnect::Join(None)),
                Some(path) => Ok(IpcConnect::Join(Some(path.into()))),
                None => Err(IpcConnectError(text.to_owned())),
            },
        }
    }

    /// Whether an attempt to join comes first.
    pub fn may_join(&self) -> bool {
        !matches!(self, IpcConnect::Start)
    }

    /// Whether a node is started if none can be joined.
    pub fn may_start(&self) -> bool {
        !matches!(self, IpcConnect::Join(_))
    }
}

/// Tells the session that the node is gone. `clean` says that it ended in good order, as after the command `stop`.
pub type OnLost = Arc<dyn Fn(Loss) + Send + Sync>;

/// The end of a connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loss {
    /// Why, for the user.
    pub cause: String,
    /// Whether the node ended in good order.
    pub clean: bool,
}

/// Why no node could be joined or started.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LaunchError {
    /// Nothing listens there.
    #[error("{0}")]
    NoneListens(String),
    /// It did not work this time.
    #[error("{0}")]
    Failed(String),
    /// It cannot work, such as for another version or network.
    #[error("{0}")]
    Refused(String),
}

/// Joins and starts nodes. The programs implement this; calls may take long.
pub trait Launcher: Send + Sync {
    /// Connects with a running node.
    fn join(&self, socket: Option<&Path>, on_lost: OnLost) -> Result<Arc<dyn Node>, LaunchError>;

    /// Starts a node, as another process or in this one.
    fn start(&self, on_lost: OnLost) -> Result<Arc<dyn Node>, LaunchError>;

    /// Whether [`Launcher::start`] makes the node a part of this process.
    fn in_process(&self) -> bool {
        false
    }

    /// Waits until a started node has ended.
    fn wait_ended(&self);

    /// Drops the connection with a joined node.
    fn detach(&self);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_the_option() {
        let parse = |value| IpcConnect::parse(value, false);
        assert_eq!(parse(None), Ok(IpcConnect::Auto));
        assert_eq!(parse(Some("auto")), Ok(IpcConnect::Auto));
        assert_eq!(parse(Some("")), Ok(IpcConnect::Join(None)));
        assert_eq!(parse(Some("unix")), Ok(IpcConnect::Join(None)));
        assert_eq!(parse(Some("unix:")), Ok(IpcConnect::Join(None)));
        assert_eq!(parse(Some("unix:a/b.sock")), Ok(IpcConnect::Join(Some("a/b.sock".into()))));
        assert_eq!(parse(Some("0")), Ok(IpcConnect::Start));
        assert_eq!(IpcConnect::parse(Some("unix"), true), Ok(IpcConnect::Start));
        assert!(parse(Some("tcp:1")).is_err_and(|e| e.to_string().contains("'tcp:1'")));
        assert!(!IpcConnect::Start.may_join() && IpcConnect::Start.may_start());
        assert!(!IpcConnect::Join(None).may_start() && IpcConnect::Auto.may_start());
    }
}
