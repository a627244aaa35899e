//! Node and wallet in one process.

use std::process::ExitCode;
use std::sync::Arc;

use grs_args::Program;
use grs_interfaces::{CallResult, Chain, WalletLoader};
use grs_node::NodeContext;
use grs_node::init::{Host, run};

struct Daemon;

impl Host for Daemon {
    fn program(&self) -> Program {
        Program::Daemon
    }

    fn make_wallet_loader(
        &self,
        node: &Arc<NodeContext>,
        chain: Arc<dyn Chain>,
    ) -> CallResult<Option<Arc<dyn WalletLoader>>> {
        Ok(Some(grs_wallet::make_wallet_loader(node.args.clone(), chain)))
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args_os().skip(1).map(|a| a.to_string_lossy().into_owned()).collect();
    run(Arc::new(Daemon), &words)
}
