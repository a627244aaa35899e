//! Node; the wallet runs as a process of its own. Started with `-ipcfd` by another process, it serves that one.

mod child;
mod host;
mod init;

use std::process::ExitCode;
use std::sync::Arc;

use grs_node::init::{init_error, run};

fn main() -> ExitCode {
    let args: Vec<std::ffi::OsString> = std::env::args_os().collect();
    if let Some(fd) = grs_ipc::inherited_fd_argument(&args) {
        return child::serve(fd);
    }
    let host = match host::NodeHost::start() {
        Ok(host) => Arc::new(host),
        Err(e) => {
            init_error(&format!("Cannot start the IPC thread: {e}"));
            return ExitCode::FAILURE;
        }
    };
    let words: Vec<String> = args.iter().skip(1).map(|a| a.to_string_lossy().into_owned()).collect();
    run(host, &words)
}
