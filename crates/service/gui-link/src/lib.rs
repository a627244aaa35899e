//! Joins and starts nodes for the window, over IPC.
//!
//! [`IpcLauncher`] is what a [`grs_gui_core::Session`] of `groestlcoin-gui` works with. A node that it starts is a child
//! process over a socket pair, which ends with this process; one that it joins listens on a socket and is left running.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use grs_gui_core::pages::about::VERSION;
use grs_gui_core::process::{LaunchError, Launcher, Loss, OnLost};
use grs_gui_start::Plan;
use grs_interfaces::gui::Node;
use grs_interfaces::{CallError, Hello, Init, Role};
use grs_ipc::{Child, Connection, InitProxy, Ipc, IpcAddress, JoinError, PATIENCE, sibling_program};

/// A node that is joined has to shake hands in this time. One that is stopped does not.
const HAND_SHAKE: Duration = Duration::from_secs(10);

/// How nodes are found and started.
pub struct LinkOptions {
    /// Data directory of the network, where a node's own socket is.
    pub net_data_dir: PathBuf,
    /// The program that is a node.
    pub program: PathBuf,
    /// Options for a node that is started, at least one.
    pub arguments: Vec<OsString>,
    /// Who this process is, with its network.
    pub hello: Hello,
}

/// Joins and starts nodes.
pub struct IpcLauncher {
    ipc: Ipc,
    options: LinkOptions,
    child: Mutex<Option<Child>>,
    joined: Mutex<Option<Arc<InitProxy>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn join_error(error: JoinError) -> LaunchError {
    let text = error.to_string();
    match error {
        JoinError::NotThere(_) => LaunchError::NoneListens(text),
        JoinError::Refused(_) => LaunchError::Refused(text),
        JoinError::Lost(_) => LaunchError::Failed(text),
    }
}

impl IpcLauncher {
    /// Starts the IPC thread of this process.
    pub fn new(options: LinkOptions) -> io::Result<Arc<IpcLauncher>> {
        let ipc = Ipc::start("groestlcoin-gui")?;
        Ok(Arc::new(IpcLauncher { ipc, options, child: Mutex::default(), joined: Mutex::default() }))
    }

    /// Process id of the node that was started last, while it runs.
    pub fn child_pid(&self) -> Option<u32> {
        let child = locked(&self.child);
        child.as_ref().filter(|child| child.process.status().is_none()).map(|child| child.process.pid())
    }
}

/// The launcher of `groestlcoin-gui`.
///
/// # Errors
/// If the IPC thread cannot be started, or it is not known where this program is.
pub fn launcher(plan: &Plan) -> io::Result<Arc<dyn Launcher>> {
    let mut hello = Hello::new(Role::Gui, VERSION);
    hello.network = plan.network.name().to_owned();
    hello.data_dir = plan.net_data_dir.display().to_string();
    let link = IpcLauncher::new(LinkOptions {
        net_data_dir: plan.net_data_dir.clone(),
        program: sibling_program("groestlcoin-node")?,
        arguments: plan.node_arguments.iter().map(OsString::from).collect(),
        hello,
    })?;
    Ok(link)
}

impl Launcher for IpcLauncher {
    fn join(&self, socket: Option<&Path>, on_lost: OnLost) -> Result<Arc<dyn Node>, LaunchError> {
        let text = socket.map_or_else(|| "unix".to_owned(), |path| format!("unix:{}", path.display()));
        let address = IpcAddress::parse(&text, &self.options.net_data_dir)
            .map_err(|e| LaunchError::Refused(e.to_string()))?;
        let (done, waiting) = channel::<()>();
        let watched = |connection: &Connection| {
            connection.set_patience(PATIENCE);
            let connection = connection.clone();
            // Without this thread a stopped node is waited for, which is no worse than that.
            let _ = std::thread::Builder::new().name("gui-hand-shake".to_owned()).spawn(move || {
                if waiting.recv_timeout(HAND_SHAKE) == Err(RecvTimeoutError::Timeout) {
                    connection.close();
                }
            });
        };
        let joined = self.ipc.join(&address, &self.options.hello, watched);
        drop(done);
        let init = joined.map_err(join_error)?.init;
        let node = init.make_node().map_err(|e| LaunchError::Failed(e.to_string()))?;
        init.connection().on_close(move |cause| on_lost(Loss { cause: cause.to_owned(), clean: false }));
        *locked(&self.joined) = Some(init);
        Ok(node)
    }

    fn start(&self, on_lost: OnLost) -> Result<Arc<dyn Node>, LaunchError> {
        let LinkOptions { program, arguments, hello, .. } = &self.options;
        let failed = |error: CallError| LaunchError::Failed(error.to_string());
        let child = self.ipc.spawn_with(program, arguments, hello).map_err(failed)?;
        let node = child.init.make_node().map_err(failed)?;
        let process = child.process.clone();
        child.process.on_exit(move |status| {
            let words = process.last_words();
            let cause = match words.is_empty() {
                true => format!("The node process has ended ({status})."),
                false => format!("The node process has ended ({status}). {words}"),
            };
            on_lost(Loss { cause, clean: status.success() });
        });
        *locked(&self.child) = Some(child);
        Ok(node)
    }

    fn wait_ended(&self) {
        let process = locked(&self.child).as_ref().map(|child| child.process.clone());
        // A node may take long to write what it has; the user can leave without waiting.
        while process.as_ref().is_some_and(|process| process.wait(Duration::from_secs(60)).is_none()) {}
    }

    fn detach(&self) {
        if let Some(init) = locked(&self.joined).take() {
            init.connection().close();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use grs_interfaces::gui::{BanEntry, NodeInfo, NodeSnapshot, NodeSubscriber, NodeSubscription, Wallets};
    use grs_interfaces::{CallResult, Handler, HandlerFn, RpcReply};

    use super::*;

    struct Served;

    impl Init for Served {
        fn hello(&self, peer: &Hello) -> CallResult<Hello> {
            let own = Hello { network: "regtest".into(), ..Hello::new(Role::Node, "v1") };
            own.check(peer).map_err(CallError::Remote)?;
            Ok(own)
        }
        fn make_node(&self) -> CallResult<Arc<dyn Node>> {
            Ok(Arc::new(Served))
        }
    }

    impl Node for Served {
        fn info(&self) -> CallResult<NodeInfo> {
            Ok(NodeInfo { network: "regtest".into(), ..NodeInfo::default() })
        }
        fn snapshot(&self) -> CallResult<NodeSnapshot> {
            Ok(NodeSnapshot::default())
        }
        fn subscribe(&self, _: NodeSubscription, _: Arc<dyn NodeSubscriber>) -> CallResult<Arc<dyn Handler>> {
            Ok(HandlerFn::new(|| {}))
        }
        fn execute_rpc(&self, _: &str, _: &str, _: Option<String>) -> CallResult<RpcReply> {
            Ok(Ok("null".into()))
        }
        fn rpc_methods(&self) -> CallResult<Vec<String>> {
            Ok(vec![])
        }
        fn disconnect_peer(&self, _: i64) -> CallResult<bool> {
            Ok(false)
        }
        fn ban_peer(&self, _: i64, _: i64) -> CallResult<bool> {
            Ok(false)
        }
        fn unban(&self, _: &str) -> CallResult<bool> {
            Ok(false)
        }
        fn bans(&self) -> CallResult<Vec<BanEntry>> {
            Ok(vec![])
        }
        fn set_network_active(&self, _: bool) -> CallResult<()> {
            Ok(())
        }
        fn request_shutdown(&self) -> CallResult<()> {
            Ok(())
        }
        fn wallets(&self) -> CallResult<Option<Arc<dyn Wallets>>> {
            Ok(None)
        }
    }

    fn launcher(dir: &Path, network: &str) -> Arc<IpcLauncher> {
        IpcLauncher::new(LinkOptions {
            net_data_dir: dir.to_owned(),
            program: dir.join("no-such-program"),
            arguments: vec!["-regtest".into()],
            hello: Hello { network: network.into(), ..Hello::new(Role::Gui, "v1") },
        })
        .unwrap()
    }

    fn silent() -> OnLost {
        Arc::new(|_| {})
    }

    #[test]
    fn a_node_is_joined_left_and_lost() {
        let dir = tempfile::tempdir().unwrap();
        let link = launcher(dir.path(), "regtest");
        let none = link.join(None, silent()).err().unwrap();
        assert!(matches!(none, LaunchError::NoneListens(_)), "{none:?}");
        let server = Ipc::start("server").unwrap();
        let address = IpcAddress::parse("unix", dir.path()).unwrap();
        let bound = server.bind(&address, Arc::new(Served)).unwrap();
        let (tell, told) = channel();
        let tell = Mutex::new(tell);
        let on_lost: OnLost = Arc::new(move |loss| tell.lock().unwrap().send(loss).unwrap());
        let node = link.join(None, on_lost).unwrap();
        assert_eq!(node.info().unwrap().network, "regtest");
        bound.disconnect_all();
        assert!(!told.recv_timeout(Duration::from_secs(20)).unwrap().clean);
        assert!(node.info().unwrap_err().is_disconnected());
        // Another network is refused for good.
        let other = launcher(dir.path(), "main");
        assert!(
            matches!(other.join(None, silent()), Err(LaunchError::Refused(text)) if text.contains("Network mismatch"))
        );
        let node = link.join(Some(&dir.path().join("node.sock")), silent()).unwrap();
        link.detach();
        assert!(node.info().is_err());
        assert!(matches!(
            link.join(Some(Path::new(&"x".repeat(300))), silent()),
            Err(LaunchError::Refused(_))
        ));
    }

    #[test]
    fn a_program_that_is_not_there_says_so() {
        let dir = tempfile::tempdir().unwrap();
        let link = launcher(dir.path(), "regtest");
        let error = link.start(silent()).err().unwrap();
        assert!(matches!(&error, LaunchError::Failed(text) if text.contains("no-such-program")), "{error:?}");
        assert_eq!(link.child_pid(), None);
        link.wait_ended();
    }

    #[test]
    fn what_a_program_says_before_it_ends_is_the_error() {
        let dir = tempfile::tempdir().unwrap();
        let link = IpcLauncher::new(LinkOptions {
            net_data_dir: dir.path().to_owned(),
            program: "/bin/sh".into(),
            // The shell takes `-ipcfd` for options that it does not know, and says so.
            arguments: vec!["-regtest".into()],
            hello: Hello::new(Role::Gui, "v1"),
        })
        .unwrap();
        let error = link.start(silent()).err().unwrap();
        assert!(matches!(&error, LaunchError::Failed(text) if text.contains("sh")), "{error:?}");
    }
}
