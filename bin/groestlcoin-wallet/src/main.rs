//! The wallet process: a node starts it with `-ipcfd`, or it attaches to a running node with `-ipcconnect`. The offline
//! tool of the same name is not there yet.

#[cfg(feature = "ipc")]
mod attach;
#[cfg(feature = "ipc")]
mod child;

use std::process::ExitCode;

use grs_args::{ArgsManager, Program, options};

/// Version in texts.
pub(crate) const VERSION: &str = "v31.0.0";

fn main() -> ExitCode {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let words: Vec<std::ffi::OsString> = std::env::args_os().collect();
    #[cfg(feature = "ipc")]
    if let Some(fd) = grs_ipc::inherited_fd_argument(&words) {
        return child::serve(fd);
    }
    let words: Vec<String> = words.iter().skip(1).map(|w| w.to_string_lossy().into_owned()).collect();
    #[cfg(feature = "ipc")]
    if let Some(code) = attach::run(&words) {
        return code;
    }
    let args = ArgsManager::new().declare(&options::wallet_tool());
    if let Err(e) = args.parse_parameters(&words) {
        eprintln!("Error parsing command line arguments: {e}");
        return ExitCode::FAILURE;
    }
    if args.get_bool("-version", false) {
        print!("{}", Program::WalletTool.version_text(VERSION));
        return ExitCode::SUCCESS;
    }
    if words.is_empty() || args.help_requested() {
        print!("{}", Program::WalletTool.help_text(VERSION, &args));
        return if words.is_empty() { ExitCode::FAILURE } else { ExitCode::SUCCESS };
    }
    eprintln!(
        "Error: the offline commands of this program are not available in this version yet; -ipcconnect attaches it to a \
         running node"
    );
    ExitCode::FAILURE
}

/// The log goes to the node's file: each line is appended with one write, so lines of both processes mix but never
/// break, and who reads the file finds what one process would have written there.
#[cfg(feature = "ipc")]
pub(crate) fn start_logging(args: &ArgsManager) -> Result<(), String> {
    grs_args::set_logging_options(args);
    grs_args::set_logging_categories(args)?;
    grs_args::set_logging_level(args)?;
    grs_log::logger().start().map_err(|e| format!("Could not open debug log file: {e}"))
}
