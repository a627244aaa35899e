//! The wallet as the child of a node.

use std::process::ExitCode;
use std::sync::Arc;

use grs_interfaces::{CallError, CallResult, Chain, GlobalArgs, Hello, Init, Role, WalletLoader};
use grs_ipc::{Ipc, take_inherited_stream};

use crate::{VERSION, start_logging};

struct WalletInit;

impl Init for WalletInit {
    fn hello(&self, peer: &Hello) -> CallResult<Hello> {
        let mut own = Hello::new(Role::Wallet, VERSION);
        own.check(peer).map_err(CallError::Remote)?;
        // A child works for the node that started it, on that node's network.
        own.network.clone_from(&peer.network);
        own.data_dir.clone_from(&peer.data_dir);
        Ok(own)
    }

    fn make_wallet_loader(
        &self,
        args: GlobalArgs,
        chain: Arc<dyn Chain>,
    ) -> CallResult<Arc<dyn WalletLoader>> {
        let args = grs_wallet::args_from_global(&args).map_err(CallError::remote)?;
        start_logging(&args).map_err(CallError::remote)?;
        Ok(grs_wallet::make_wallet_loader(args, chain))
    }
}

/// Serves the node until its socket closes, then ends.
pub(crate) fn serve(fd: Result<std::os::fd::RawFd, String>) -> ExitCode {
    ignore_interrupts();
    let served = fd.and_then(|fd| {
        let stream = take_inherited_stream(fd).map_err(|e| format!("-ipcfd {fd}: {e}"))?;
        let ipc = Ipc::start("groestlcoin-wallet").map_err(|e| e.to_string())?;
        ipc.serve_until_closed(stream, Arc::new(WalletInit)).map_err(|e| e.to_string())
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("Error: {e}");
            ExitCode::FAILURE
        }
    }
}

/// An interrupt from the terminal reaches the whole group: the node stops, and tells this process when.
fn ignore_interrupts() {
    let Ok(mut signals) = signal_hook::iterator::Signals::new([signal_hook::consts::SIGINT]) else { return };
    let waiting = grs_sync::thread::spawn_quiet("signals", move || {
        for _ in signals.forever() {
            println!("[groestlcoin-wallet] SIGINT received — waiting for parent to shut down.");
        }
    });
    if waiting.is_err() {
        eprintln!("Warning: cannot start the thread that waits for signals");
    }
}
