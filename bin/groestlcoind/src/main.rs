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
        _node: &Arc<NodeContext>,
        _chain: Arc<dyn Chain>,
    ) -> CallResult<Option<Arc<dyn WalletLoader>>> {
        Ok(None)
    }
}

fn main() -> ExitCode {
    run(Arc::new(Daemon), &std::env::args().skip(1).collect::<Vec<_>>())
}
