//! The window. It is not there yet: so far this program finds its node, says which it is, and ends with an error.

use std::process::ExitCode;

use grs_args::{ArgsManager, ChainType, Program, options};
use grs_interfaces::{Hello, Role};
use grs_ipc::{Ipc, IpcAddress, JoinError};

/// Version in texts.
const VERSION: &str = "v31.0.0";

const NO_WINDOW: &str = "The window is not available in this version yet.";
const NO_SPAWN: &str =
    "This version cannot start a node by itself either: start groestlcoin-node -ipcbind=unix first.";

fn main() -> ExitCode {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    let words: Vec<String> = std::env::args_os().skip(1).map(|w| w.to_string_lossy().into_owned()).collect();
    let args = ArgsManager::new().declare(&options::gui());
    match run(&args, &words) {
        Ok(text) => {
            print!("{text}");
            ExitCode::SUCCESS
        }
        Err(text) => {
            eprintln!("Error: {text}");
            ExitCode::FAILURE
        }
    }
}

/// Gives what to print.
fn run(args: &ArgsManager, words: &[String]) -> Result<String, String> {
    args.parse_parameters(words).map_err(|e| format!("Error parsing command line arguments: {e}"))?;
    if args.help_requested() {
        return Ok(Program::Gui.help_text(VERSION, args));
    }
    if args.get_bool("-version", false) {
        return Ok(Program::Gui.version_text(VERSION));
    }
    grs_args::read_config(args)?;
    Err(match join(args)? {
        Some(node) => {
            println!("Joined the node {} on '{}' in {}", node.program_version, node.network, node.data_dir);
            NO_WINDOW.to_owned()
        }
        None => format!("{NO_WINDOW} {NO_SPAWN}"),
    })
}

/// Shakes hands with the node that the options name; `None` where there is none and there need not be one.
fn join(args: &ArgsManager) -> Result<Option<Hello>, String> {
    let value = args.get_opt_str("-ipcconnect");
    let auto = value.as_deref().is_none_or(|v| v == "auto");
    // Given without a value it means the default socket.
    let address = match value.as_deref().unwrap_or("auto") {
        "0" => return Ok(None),
        "" | "1" | "auto" => "unix",
        other => other,
    };
    let address =
        IpcAddress::parse(address, &args.data_dir_net()).map_err(|e| format!("-ipcconnect: {e}"))?;
    let mut own = Hello::new(Role::Gui, VERSION);
    own.network = args.network().map_or("main", ChainType::name).to_owned();
    own.data_dir = args.data_dir_net().display().to_string();
    let ipc = Ipc::start(Program::Gui.name()).map_err(|e| format!("Cannot start the IPC thread: {e}"))?;
    match ipc.join(&address, &own, |_| {}) {
        Ok(joined) => Ok(Some(joined.node)),
        Err(JoinError::NotThere(_)) if auto => Ok(None),
        Err(e) => Err(e.to_string()),
    }
}
