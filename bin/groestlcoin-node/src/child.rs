//! The program as the child of another one (`echoipc` of the reference starts it so).

use std::process::ExitCode;
use std::sync::Arc;

use grs_interfaces::{CallResult, Hello, Init, Role};
use grs_ipc::{Ipc, take_inherited_stream};
use grs_node::init::VERSION;

/// A child has no chain: it echoes, and says so about everything else.
struct ChildInit;

impl Init for ChildInit {
    fn hello(&self, _peer: &Hello) -> CallResult<Hello> {
        Ok(Hello::new(Role::Node, VERSION))
    }
}

/// Serves the parent on the inherited socket until it closes.
pub(crate) fn serve(fd: Result<std::os::fd::RawFd, String>) -> ExitCode {
    let served = fd.and_then(|fd| {
        let stream = take_inherited_stream(fd).map_err(|e| format!("-ipcfd {fd}: {e}"))?;
        let ipc = Ipc::start("groestlcoin-node").map_err(|e| e.to_string())?;
        ipc.serve_until_closed(stream, Arc::new(ChildInit)).map_err(|e| e.to_string())
    });
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("Error: {e}");
            ExitCode::FAILURE
        }
    }
}
