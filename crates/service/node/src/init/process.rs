//! The life of the process: arguments, help, daemon, signals, start, wait, stop.

use std::io::{Read, Write};
use std::process::ExitCode;
use std::sync::{Arc, Mutex, Once, PoisonError, Weak};

use grs_args::{ArgsManager, ConfigStatus, Program, init_config, options};
use grs_params::ChainParams;

use super::options::chain_params;
use super::{Host, Running, StartFailed, VERSION, init_error, interaction, steps};
use crate::NodeContext;

/// Code of a process that has failed.
const FAILURE: u8 = 1;

/// Set in the environment of the process that goes on in the background.
const DAEMON_CHILD: &str = "GROESTLCOIN_DAEMON_CHILD";

/// Runs a node with these arguments (without the program's name) until it is told to stop.
pub fn run(host: Arc<dyn Host>, argv: &[String]) -> ExitCode {
    ExitCode::from(run_status(host, argv))
}

/// As [`run`], for a program that has something else to do as well: the code that the process would end with, 0 for
/// success. A node may be run again after one that has ended.
pub fn run_status(host: Arc<dyn Host>, argv: &[String]) -> u8 {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o077));
    grs_sync::thread::set_current_name("init");
    let program = host.program();
    let args = Arc::new(ArgsManager::new().declare(&options::node(program == Program::Node)));
    if parse(&args, argv).is_err() {
        return FAILURE;
    }
    if args.help_requested() {
        print!("{}", program.help_text(VERSION, &args));
        return 0;
    }
    if args.get_bool("-version", false) {
        print!("{}", program.version_text(VERSION));
        return 0;
    }
    if let Some(code) = host.instead(&args) {
        return code;
    }
    match start_and_wait(host, args, argv) {
        Ok(code) => code,
        Err(StartFailed) => FAILURE,
    }
}

fn parse(args: &ArgsManager, argv: &[String]) -> Result<(), StartFailed> {
    let fail = |text: &str| {
        init_error(text);
        Err(StartFailed)
    };
    if let Err(e) = args.parse_parameters(argv) {
        return fail(&format!("Error parsing command line arguments: {e}"));
    }
    if let Err(e) = init_config(args, None) {
        return match e.status {
            ConfigStatus::Aborted => Err(StartFailed),
            _ => fail(&e.user_text()),
        };
    }
    match argv.iter().find(|a| !a.starts_with('-')) {
        Some(word) => fail(&format!(
            "Command line contains unexpected token '{word}', see groestlcoind -h for a list of options."
        )),
        None => Ok(()),
    }
}

fn start_and_wait(host: Arc<dyn Host>, args: Arc<ArgsManager>, argv: &[String]) -> Result<u8, StartFailed> {
    args.soft_set_bool("-server", true);
    grs_args::set_logging_options(&args);
    grs_args::log_package_version(VERSION);
    interaction::parameter_interaction(&args);
    let params: Arc<ChainParams> = chain_params(&args)?;
    let node = NodeContext::new(args.clone(), params);
    handle_signals(&node);
    let limits = steps::check_parameters(&node)?;
    steps::sanity_checks()?;

    let child = std::env::var_os(DAEMON_CHILD).is_some();
    let wanted = args.get_bool("-daemon", false) || args.get_bool("-daemonwait", false);
    if wanted && !child {
        return Ok(go_to_background(argv, args.get_bool("-daemonwait", false)));
    }
    let mut parent = None;
    if child {
        // A session of its own: the terminal's signals do not reach it any more.
        let _ = rustix::process::setsid();
        parent = take_parent_pipe();
        if !args.get_bool("-daemonwait", false) {
            tell_parent(parent.take());
        }
    }

    let locks = steps::lock_directories(&node)?;
    host.attach(&node);
    let mut running = Running {
        node: node.clone(),
        host,
        wallet: None,
        servers: None,
        locks,
        import: None,
        pid_file: None,
    };
    let started = steps::start(&mut running, &limits);
    if started.is_ok() {
        tell_parent(parent.take());
        node.shutdown.wait();
    } else {
        node.fail();
    }
    super::shutdown::interrupt(&running);
    super::shutdown::shutdown(running);
    Ok(u8::try_from(node.exit_status()).unwrap_or(FAILURE))
}

/// The node that signals are for. A program may run one after the other.
static SIGNALLED: Mutex<Weak<NodeContext>> = Mutex::new(Weak::new());

fn handle_signals(node: &Arc<NodeContext>) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    static STARTED: Once = Once::new();
    *SIGNALLED.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(node);
    STARTED.call_once(|| {
        let Ok(mut signals) = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM]) else { return };
        let waiting = grs_sync::thread::spawn_quiet("signals", move || {
            for signal in signals.forever() {
                let node = SIGNALLED.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
                match node {
                    _ if signal == SIGHUP => grs_log::logger().request_reopen(),
                    Some(node) if !node.shutdown.is_interrupted() => node.request_shutdown(),
                    // A second one: the user does not want to wait. Or there is no node to wait for.
                    _ => std::process::exit(1),
                }
            }
        });
        if waiting.is_err() {
            grs_log::error!("Cannot start the thread that waits for signals");
        }
    });
}

/// Starts this program again, detached, and ends when it says that it runs (at once, or after loading with
/// `-daemonwait`). Forking a process with threads is not safe, so there is no fork.
fn go_to_background(argv: &[String], wait: bool) -> u8 {
    println!("{} starting", super::CLIENT_NAME);
    let Ok(program) = std::env::current_exe() else {
        init_error("Cannot find the program's own file for -daemon");
        return FAILURE;
    };
    let child = std::process::Command::new(program)
        .args(argv)
        .env(DAEMON_CHILD, if wait { "wait" } else { "1" })
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::null())
        .spawn();
    let mut token = [0];
    match child {
        Ok(mut child) => {
            let read = child.stdout.as_mut().map(|out| out.read_exact(&mut token));
            if matches!(read, Some(Ok(()))) {
                return 0;
            }
            eprintln!("Error during initialization - check debug.log for details");
            FAILURE
        }
        Err(e) => {
            init_error(&format!("Cannot start in the background: {e}"));
            FAILURE
        }
    }
}

/// The pipe to the waiting parent, which is the standard output at first. It is taken away from there before anything
/// else can be written into it: the parent takes the first byte for the token.
fn take_parent_pipe() -> Option<std::fs::File> {
    let pipe = rustix::io::fcntl_dupfd_cloexec(std::io::stdout(), 3).ok()?;
    let null = std::fs::OpenOptions::new().write(true).open("/dev/null").ok()?;
    rustix::stdio::dup2_stdout(null).ok()?;
    Some(pipe.into())
}

/// Sends the token that the parent waits for. Does nothing where nobody waits.
fn tell_parent(pipe: Option<std::fs::File>) {
    if let Some(mut pipe) = pipe {
        let _ = pipe.write_all(b"1");
    }
}
