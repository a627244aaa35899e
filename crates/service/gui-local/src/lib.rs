//! A node with its wallets in the process of the window: what `groestlcoin-qt` gives to a [`grs_gui_core::Session`].
//!
//! The node runs as in `groestlcoind`, on a thread of its own. There is one at a time in a process.

use std::io;
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use grs_args::Program;
use grs_gui_core::process::{LaunchError, Launcher, Loss, OnLost};
use grs_gui_start::Plan;
use grs_interfaces::gui::Node;
use grs_interfaces::{CallResult, Chain, WalletLoader};
use grs_node::init::{Host, on_init_error, run_status};
use grs_node::{NodeContext, NodeGui};

/// Starts nodes in this process.
pub struct LocalLauncher {
    arguments: Vec<String>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The launcher of `groestlcoin-qt`.
///
/// # Errors
/// None so far; other launchers have some.
pub fn launcher(plan: &Plan) -> io::Result<Arc<dyn Launcher>> {
    Ok(Arc::new(LocalLauncher { arguments: plan.node_arguments.clone(), thread: Mutex::default() }))
}

/// Tells who waits for a node that it is there.
struct LocalHost(Mutex<Option<Sender<Arc<dyn Node>>>>);

impl Host for LocalHost {
    fn program(&self) -> Program {
        Program::Qt
    }

    fn attach(&self, node: &Arc<NodeContext>) {
        if let Some(waiting) = locked(&self.0).take() {
            // Nobody waits any more if the window is gone; the node is then stopped by `wait_ended` at the latest.
            let _ = waiting.send(NodeGui::for_node(node));
        }
    }

    fn make_wallet_loader(
        &self,
        node: &Arc<NodeContext>,
        chain: Arc<dyn Chain>,
    ) -> CallResult<Option<Arc<dyn WalletLoader>>> {
        Ok(Some(grs_wallet::make_wallet_loader(node.args.clone(), chain)))
    }
}

impl Launcher for LocalLauncher {
    fn join(&self, _socket: Option<&Path>, _on_lost: OnLost) -> Result<Arc<dyn Node>, LaunchError> {
        Err(LaunchError::Refused("This program has its node in itself and joins none.".to_owned()))
    }

    fn start(&self, on_lost: OnLost) -> Result<Arc<dyn Node>, LaunchError> {
        // The one before has to be gone: both would use the same files.
        self.wait_ended();
        let errors: Arc<Mutex<Vec<String>>> = Arc::default();
        let list = errors.clone();
        on_init_error(Some(Arc::new(move |text| locked(&list).push(text.to_owned()))));
        let (attached, attaching) = channel();
        let arguments = self.arguments.clone();
        let told = errors.clone();
        let body = move || {
            let host = Arc::new(LocalHost(Mutex::new(Some(attached))));
            let status = run_status(host.clone(), &arguments);
            let ended_before = locked(&host.0).take().is_some();
            if !ended_before {
                let words = locked(&told).join(" ");
                let cause = match words.is_empty() {
                    true => "The node has ended.".to_owned(),
                    false => format!("The node has ended. {words}"),
                };
                on_lost(Loss { cause, clean: status == 0 });
            }
        };
        let thread = grs_sync::thread::spawn_quiet("init", body)
            .map_err(|e| LaunchError::Failed(format!("Cannot start the thread of the node: {e}")))?;
        *locked(&self.thread) = Some(thread);
        match attaching.recv() {
            Ok(node) => Ok(node),
            Err(_) => {
                let words = locked(&errors).join(" ");
                Err(LaunchError::Failed(if words.is_empty() {
                    "The node did not start.".to_owned()
                } else {
                    words
                }))
            }
        }
    }

    fn in_process(&self) -> bool {
        true
    }

    fn wait_ended(&self) {
        let thread = locked(&self.thread).take();
        if let Some(thread) = thread {
            // A panic in it has been reported.
            let _ = thread.join();
        }
    }

    fn detach(&self) {}
}
