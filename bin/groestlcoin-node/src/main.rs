//! Node; the wallet runs as a process of its own. Started with `-ipcfd` by another process, it serves that one: alone it
//! only echoes, with options after it is a node that ends with its window.

mod child;
mod host;
mod init;

use std::ffi::OsString;
use std::os::unix::net::UnixStream;
use std::process::ExitCode;
use std::sync::Arc;

use grs_node::init::{init_error, run};

fn main() -> ExitCode {
    let args: Vec<OsString> = std::env::args_os().collect();
    if let Some(fd) = grs_ipc::inherited_fd_argument(&args) {
        return child::serve(fd);
    }
    let (parent, words) = match started_by_a_window(&args) {
        Ok(found) => found,
        Err(e) => {
            init_error(&e);
            return ExitCode::FAILURE;
        }
    };
    let host = match host::NodeHost::start(parent) {
        Ok(host) => Arc::new(host),
        Err(e) => {
            init_error(&format!("Cannot start the IPC thread: {e}"));
            return ExitCode::FAILURE;
        }
    };
    let words: Vec<String> = words.iter().map(|a| a.to_string_lossy().into_owned()).collect();
    run(host, &words)
}

/// The socket to the window that started this program with `-ipcfd <number>` before its options, if one did, and the
/// options.
fn started_by_a_window(args: &[OsString]) -> Result<(Option<UnixStream>, &[OsString]), String> {
    match grs_ipc::inherited_fd_with_arguments(args) {
        None => Ok((None, args.get(1..).unwrap_or_default())),
        Some((fd, rest)) => {
            let fd = fd?;
            let stream = grs_ipc::take_inherited_stream(fd).map_err(|e| format!("-ipcfd {fd}: {e}"))?;
            Ok((Some(stream), rest))
        }
    }
}
