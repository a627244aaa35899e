//! How this program provides a wallet and listens: through IPC.

use std::io;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use grs_args::{ArgsManager, Program};
use grs_interfaces::{CallError, CallResult, Chain, GlobalArgs, WalletLoader};
use grs_ipc::{
    BackOff, Bound, Connection, Ipc, IpcAddress, KeyFolder, Limits, SupervisedWallet, SupervisorEvent,
    sibling_program,
};
use grs_log::{info, warn};
use grs_node::NodeContext;
use grs_node::init::{DEFAULT_IPC_CONNECTIONS, Host, IpcInfo, MAX_IPC_CONNECTIONS};

use crate::init::{NodeInit, greeting};

/// Pauses before a wallet process that died is started again: the first and the longest.
const RESTART_FIRST: Duration = Duration::from_millis(200);
const RESTART_LONGEST: Duration = Duration::from_secs(60);
/// A process that lived as long as this counts as healthy, and the next pause is short again.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);

pub(crate) struct NodeHost {
    ipc: Ipc,
    bound: Mutex<Vec<Bound>>,
    /// Limits of who connects.
    limits: OnceLock<Limits>,
    /// The socket to the window that started this program.
    parent: Mutex<Option<UnixStream>>,
    serving: Mutex<Option<Connection>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Limits as the options say.
fn ipc_limits(args: &ArgsManager) -> Result<Limits, String> {
    let number = |option: &str, default: i64, max: i64| match args.get_int(option, default) {
        n if (1..=max).contains(&n) => Ok(n),
        n => Err(format!("{option}={n} is not a number from 1 to {max}")),
    };
    let limits = Limits::default();
    let count = |n: i64| usize::try_from(n).unwrap_or(usize::MAX);
    let seconds = number("-ipctimeout", limits.construct_time.as_secs() as i64, 86_400)?;
    let time = Duration::from_secs(seconds.unsigned_abs());
    Ok(Limits {
        max_calls: count(number("-ipcmaxcalls", limits.max_calls as i64, 100_000)?),
        max_connections: count(number("-ipcmaxconnections", DEFAULT_IPC_CONNECTIONS, MAX_IPC_CONNECTIONS)?),
        construct_time: time,
        message_time: time,
        ..limits
    })
}

impl NodeHost {
    /// `parent` is the socket to the window that started this program, if one did.
    pub(crate) fn start(parent: Option<UnixStream>) -> io::Result<NodeHost> {
        Ok(NodeHost {
            ipc: Ipc::start(Program::Node.name())?,
            bound: Mutex::new(Vec::new()),
            limits: OnceLock::new(),
            parent: Mutex::new(parent),
            serving: Mutex::new(None),
        })
    }
}

/// The settings as the wallet process gets them.
fn global_args(args: &ArgsManager) -> GlobalArgs {
    let mut global = args.with_settings(|settings| GlobalArgs {
        forced_settings: settings.forced.clone(),
        command_line_options: settings.command_line.clone(),
        rw_settings: settings.rw_settings.clone(),
        ro_config: settings.ro_config.clone(),
        ..GlobalArgs::default()
    });
    global.config_path = args.config_file_path().display().to_string();
    global.network = args.network().map_or("main", grs_args::ChainType::name).to_owned();
    global.net_data_dir = args.data_dir_net().display().to_string();
    global
}

fn report(node: &NodeContext, event: SupervisorEvent) {
    match event {
        SupervisorEvent::Started { pid } => {
            info!("Wallet process {pid} is ready");
            node.wallet_process_running();
        }
        SupervisorEvent::Lost { cause, restart_in } => {
            node.wallet_process_lost(cause.clone());
            warn!(
                "Lost the wallet process: {cause} It is started again in {:.1} s.",
                restart_in.as_secs_f64()
            );
        }
    }
}

/// `-ipctlskeygen`: makes the key for TLS and says what to do with its certificate. Gives the exit code.
fn make_tls_key(args: &ArgsManager) -> u8 {
    let folder = match args.get_str("-ipctlskeygen", "").as_str() {
        "" => KeyFolder::of_data_dir(&args.data_dir_net()),
        path => KeyFolder::at(path),
    };
    match folder.create() {
        Ok(created) => {
            println!("Certificate: {}", created.certificate.display());
            println!("Public key (SHA-256): {}", created.fingerprint);
            println!(
                "Copy the certificate into the folder ipc/trusted of each peer, and the peers' ones into"
            );
            println!("{}, under names that end in .crt.", folder.trusted().display());
            0
        }
        Err(e) => {
            eprintln!("Error: {e}");
            1
        }
    }
}

impl Host for NodeHost {
    fn program(&self) -> Program {
        Program::Node
    }

    fn attach(&self, node: &Arc<NodeContext>) {
        let Some(stream) = locked(&self.parent).take() else { return };
        match self.ipc.serve_stream(stream, NodeInit::new(node)) {
            Ok(connection) => {
                let served = Arc::downgrade(node);
                // Without its window a node that was started by it has nobody to stop it.
                connection.on_close(move |_| {
                    if let Some(node) = served.upgrade() {
                        node.request_shutdown();
                    }
                });
                *locked(&self.serving) = Some(connection);
            }
            Err(e) => {
                warn!("Cannot serve the program that started this one: {e}");
                node.request_shutdown();
            }
        }
    }

    fn make_wallet_loader(
        &self,
        node: &Arc<NodeContext>,
        chain: Arc<dyn Chain>,
    ) -> CallResult<Option<Arc<dyn WalletLoader>>> {
        if !node.args.get_bool("-walletprocess", true) {
            info!("No wallet process is started; others may attach");
            return Ok(None);
        }
        let program = sibling_program("groestlcoin-wallet")
            .map_err(|e| CallError::remote(format!("Cannot find groestlcoin-wallet: {e}")))?;
        let back_off = BackOff::new(RESTART_FIRST, RESTART_LONGEST, HEALTHY_AFTER);
        let args = node.args.clone();
        let hello = greeting(node);
        let settings = move || global_args(&args);
        let watched = Arc::downgrade(node);
        let report = move |event| {
            if let Some(node) = watched.upgrade() {
                report(&node, event);
            }
        };
        let wallet = SupervisedWallet::start(&self.ipc, program, hello, back_off, chain, settings, report)?;
        Ok(Some(wallet))
    }

    fn instead(&self, args: &ArgsManager) -> Option<u8> {
        args.is_set("-ipctlskeygen").then(|| make_tls_key(args))
    }

    fn listen_ipc(&self, node: &Arc<NodeContext>, address: &str) -> Result<String, String> {
        let failed = |e: &dyn std::fmt::Display| format!("Unable to bind to IPC address '{address}'. {e}");
        let limits = ipc_limits(&node.args)?;
        let parsed = IpcAddress::parse(address, &node.args.data_dir_net()).map_err(|e| failed(&e))?;
        let limits = *self.limits.get_or_init(|| limits);
        let bound = self.ipc.bind_within(&parsed, NodeInit::new(node), limits).map_err(|e| failed(&e))?;
        let address = bound.address().to_owned();
        locked(&self.bound).push(bound);
        Ok(address)
    }

    fn disconnect_ipc(&self) {
        let bound = std::mem::take(&mut *locked(&self.bound));
        bound.iter().for_each(Bound::disconnect_all);
        let parent = locked(&self.serving).take();
        if let Some(parent) = parent {
            parent.close();
        }
    }

    fn ipc_info(&self) -> Option<IpcInfo> {
        let listening = {
            let bound = locked(&self.bound);
            bound.iter().map(|bound| bound.address().to_owned()).collect()
        };
        let stats = self.ipc.stats();
        let limits = self.limits.get().copied().unwrap_or_default();
        Some(IpcInfo {
            listening,
            counts: stats.counts().to_vec(),
            limits: limits.list().to_vec(),
            hits: stats.limits,
        })
    }
}
