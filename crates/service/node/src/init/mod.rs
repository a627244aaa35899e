//! Starting and stopping a node, in the reference's order (`src/init.cpp`).

mod index;
mod interaction;
mod lock;
mod network;
mod options;
mod process;
mod servers;
mod shutdown;
mod steps;
mod user;

use std::sync::Arc;

use grs_args::Program;
use grs_interfaces::{CallResult, Chain, WalletLoader};
use grs_sync::Interrupt;

pub(crate) use network::relay as relay_transaction;
pub use network::{DEFAULT_IPC_CONNECTIONS, MAX_IPC_CONNECTIONS};
pub use process::{run, run_status};
pub use servers::make_rpc;
pub use user::{init_error, init_warning, on_init_error};

use crate::NodeContext;

/// Text that goes with versions, such as `v31.0.0`.
pub const VERSION: &str = "v31.0.0";
/// The version as a number.
pub const CLIENT_VERSION: i32 = 310_000;
/// Name of the client in texts.
pub const CLIENT_NAME: &str = "Groestlcoin Core";

/// What differs between the programs that contain a node.
pub trait Host: Send + Sync {
    /// The program, for its help text and options.
    fn program(&self) -> Program;

    /// The node exists; nothing of it has been loaded yet. Called once, first of all.
    fn attach(&self, node: &Arc<NodeContext>) {
        let _ = node;
    }

    /// Makes the wallet loader that works on `chain`; `None` where this program has none. Called once, early, unless
    /// `-disablewallet` is given.
    fn make_wallet_loader(
        &self,
        node: &Arc<NodeContext>,
        chain: Arc<dyn Chain>,
    ) -> CallResult<Option<Arc<dyn WalletLoader>>>;

    /// Starts to listen for other processes at an `-ipcbind` address; the address in use, for the log.
    fn listen_ipc(&self, node: &Arc<NodeContext>, address: &str) -> Result<String, String> {
        let _ = node;
        Err(format!(
            "Unable to bind to IPC address '{address}'. This program does not listen for other processes."
        ))
    }

    /// Does what an option asks for in place of running a node, and answers the exit code. The arguments have been read,
    /// nothing is locked yet.
    fn instead(&self, args: &grs_args::ArgsManager) -> Option<u8> {
        let _ = args;
        None
    }

    /// Ends connections with other processes, before the chain is written for the last time.
    fn disconnect_ipc(&self) {}

    /// What other processes do and have here; `None` if this program talks to none. Must not block.
    fn ipc_info(&self) -> Option<IpcInfo> {
        None
    }
}

/// State of the connections with other processes, for `getipcinfo`.
#[derive(Debug, Clone, Default)]
pub struct IpcInfo {
    /// Addresses that are listened at.
    pub listening: Vec<String>,
    /// Counts by name.
    pub counts: Vec<(&'static str, u64)>,
    /// Limits of who connects, by name.
    pub limits: Vec<(&'static str, u64)>,
    /// How often each limit was hit.
    pub hits: Vec<(&'static str, u64)>,
}

/// What is locked and running, and stopped in turn.
pub(crate) struct Running {
    pub(crate) node: Arc<NodeContext>,
    pub(crate) host: Arc<dyn Host>,
    pub(crate) wallet: Option<Arc<dyn WalletLoader>>,
    pub(crate) servers: Option<servers::Servers>,
    pub(crate) locks: Vec<Box<dyn grs_fs::FileLock>>,
    pub(crate) import: Option<std::thread::JoinHandle<()>>,
    pub(crate) pid_file: Option<std::path::PathBuf>,
}

/// Why a start ended early: the text has been shown already.
#[derive(Debug)]
pub(crate) struct StartFailed;

/// True if the node is to stop rather than to go on starting.
pub(crate) fn stopping(shutdown: &Interrupt) -> bool {
    shutdown.is_interrupted()
}
