//! The wallet as a process that attaches to a running node (`-ipcconnect`), and comes back when the node does.

use std::process::ExitCode;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use grs_args::{ArgsManager, Program, options};
use grs_interfaces::{CallError, ChainClient, Hello, Init, Role, WalletLoader};
use grs_ipc::{BackOff, Connection, Ipc, IpcAddress, Joined};
use grs_log::{info, warn};
use grs_wallet::{Attachment, WalletProcess};

use crate::{VERSION, start_logging};

/// Pauses before the node is looked for again: the first and the longest.
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_LONGEST: Duration = Duration::from_secs(10);
/// After so long with a node, the next pause is short again.
const HEALTHY_AFTER: Duration = Duration::from_secs(60);
/// How long the node may take to let go of this process, before the connection is just closed.
const DETACH_PATIENCE: Duration = Duration::from_secs(10);

/// What the user has asked for with the options.
enum Wish {
    /// Not this: the offline tool.
    Tool,
    /// To attach, with these options, or an error in them.
    Attach(Result<Arc<ArgsManager>, String>),
    /// The help of this way of running.
    Help(String),
}

/// Whether an option was given on the command line, in any spelling.
fn given(words: &[String], name: &str) -> bool {
    words.iter().any(|word| {
        let word = word.trim_start_matches('-').split('=').next().unwrap_or_default();
        word == name || word.strip_prefix("no") == Some(name)
    })
}

fn wish(words: &[String]) -> Wish {
    // A command of the tool, or `-`, which ends the options.
    if words.iter().any(|word| !word.starts_with('-') || word == "-") {
        return Wish::Tool;
    }
    let named = given(words, "ipcconnect");
    let args = ArgsManager::new().declare(&options::wallet_process());
    if let Err(e) = args.parse_parameters(words) {
        return match named {
            true => Wish::Attach(Err(format!("Error parsing command line arguments: {e}"))),
            false => Wish::Tool,
        };
    }
    if args.get_bool("-version", false) || (args.help_requested() && !named) {
        return Wish::Tool;
    }
    if args.help_requested() {
        return Wish::Help(Program::WalletTool.help_text(VERSION, &args));
    }
    let read = grs_args::read_config(&args);
    let value = args.get_opt_str("-ipcconnect");
    match (read, value.as_deref()) {
        // Without the option nothing else may go wrong either: the offline tool reads no configuration.
        (_, None | Some("0")) => Wish::Tool,
        (read, Some(_)) => Wish::Attach(read.map(|()| Arc::new(args))),
    }
}

/// Runs as an attached process if the options ask for that.
pub(crate) fn run(words: &[String]) -> Option<ExitCode> {
    let started = match wish(words) {
        Wish::Tool => return None,
        Wish::Help(text) => {
            print!("{text}");
            return Some(ExitCode::SUCCESS);
        }
        Wish::Attach(args) => args.and_then(|args| Process::new(args)?.serve()),
    };
    Some(match started {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            grs_log::error!("{text}");
            eprintln!("Error: {text}");
            ExitCode::FAILURE
        }
    })
}

/// What the main thread waits for.
#[derive(Default)]
struct Events {
    stop: bool,
    lost: Option<String>,
    /// A connection that is only being made: a request to stop closes it.
    joining: Option<Connection>,
}

#[derive(Default)]
struct Watch {
    events: Mutex<Events>,
    changed: Condvar,
}

impl Watch {
    fn lock(&self) -> MutexGuard<'_, Events> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stop(&self) {
        let mut events = self.lock();
        if events.stop {
            // A second request: the user does not want to wait.
            std::process::exit(1);
        }
        events.stop = true;
        if let Some(connection) = events.joining.take() {
            connection.close();
        }
        drop(events);
        self.changed.notify_all();
    }

    fn stopping(&self) -> bool {
        self.lock().stop
    }

    /// Returns when the connection is lost, with the cause, or `None` when the process has to stop.
    fn wait(&self) -> Option<String> {
        let mut events = self.lock();
        loop {
            if events.stop {
                return None;
            }
            if let Some(cause) = events.lost.take() {
                return Some(cause);
            }
            events = self.changed.wait(events).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits so long, or until the process has to stop.
    fn pause(&self, time: Duration) {
        let deadline = Instant::now() + time;
        let mut events = self.lock();
        while !events.stop {
            let Some(left) = deadline.checked_duration_since(Instant::now()) else { return };
            events = self.changed.wait_timeout(events, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

/// This process.
struct Process {
    args: Arc<ArgsManager>,
    ipc: Ipc,
    address: IpcAddress,
    own: Hello,
    watch: Arc<Watch>,
}

/// Wallets at a node.
struct Attached {
    joined: Joined,
    loader: Arc<WalletProcess>,
}

impl Process {
    fn new(args: Arc<ArgsManager>) -> Result<Process, String> {
        let dir = args.data_dir_net();
        let value = args.get_str("-ipcconnect", "");
        let address = match value.as_str() {
            "" | "auto" | "1" => "unix",
            other => other,
        };
        let address = IpcAddress::parse(address, &dir).map_err(|e| format!("-ipcconnect: {e}"))?;
        let mut own = Hello::new(Role::Wallet, VERSION);
        own.network = args.network().map_or("main", grs_args::ChainType::name).to_owned();
        own.data_dir = dir.display().to_string();
        let ipc =
            Ipc::start("groestlcoin-wallet").map_err(|e| format!("Cannot start the IPC thread: {e}"))?;
        Ok(Process { args, ipc, address, own, watch: Arc::default() })
    }

    /// Attaches, and again whenever the node is lost, until the process has to stop.
    fn serve(&self) -> Result<(), String> {
        let mut attachment = Attachment { wallets: self.wallets_of_command_line(), ..Attachment::default() };
        let mut joined = self.join()?;
        start_logging(&self.args)?;
        handle_signals(&self.watch)?;
        info!("Wallet process {VERSION}, joining the node at {}", self.address);
        let mut back_off = BackOff::new(RETRY_FIRST, RETRY_LONGEST, HEALTHY_AFTER);
        loop {
            let since = Instant::now();
            let mut cause = match self.attach(joined, &attachment) {
                Ok(attached) => {
                    info!("Attached to the node at {}; serving wallet calls", self.address);
                    let cause = self.watch.wait();
                    attachment = self.leave(attached, cause.as_deref(), attachment);
                    cause.unwrap_or_default()
                }
                Err(_) if self.watch.stopping() => String::new(),
                Err(e) if !attachment.again => return Err(e),
                Err(e) => e,
            };
            attachment.again = true;
            let mut lifetime = since.elapsed();
            let mut told = None;
            joined = loop {
                if self.watch.stopping() {
                    info!("Wallet process stopped");
                    return Ok(());
                }
                let wait = back_off.died(lifetime);
                if told.as_ref() != Some(&cause) {
                    warn!(
                        "The wallets are closed until the node is back; it is looked for every {:.1} to {} s. {cause}",
                        wait.as_secs_f64(),
                        RETRY_LONGEST.as_secs()
                    );
                    told = Some(cause);
                }
                self.watch.pause(wait);
                match self.join() {
                    Ok(joined) => break joined,
                    Err(e) => {
                        cause = e;
                        lifetime = Duration::ZERO;
                    }
                }
            };
        }
    }

    /// The wallets named on the command line; `None` without any word about them.
    fn wallets_of_command_line(&self) -> Option<Vec<String>> {
        self.args.with_settings(|settings| {
            let values = settings.command_line.get("wallet")?;
            Some(values.iter().filter_map(|v| v.as_str().map(str::to_owned)).collect())
        })
    }

    fn join(&self) -> Result<Joined, String> {
        let watch = &self.watch;
        let joined = self.ipc.join(&self.address, &self.own, |connection| {
            let mut events = watch.lock();
            events.lost = None;
            if events.stop {
                connection.close();
            } else {
                events.joining = Some(connection.clone());
            }
        });
        if joined.is_err() {
            watch.lock().joining = None;
        }
        joined.map_err(|e| e.to_string())
    }

    /// Loads the wallets on the node's chain and offers their commands there.
    fn attach(&self, joined: Joined, attachment: &Attachment) -> Result<Attached, String> {
        let watch = self.watch.clone();
        joined.init.connection().on_close(move |cause| {
            watch.lock().lost = Some(cause.to_owned());
            watch.changed.notify_all();
        });
        let failed = |e: CallError| format!("The node at {} failed: {e}", self.address);
        let chain = joined.init.make_chain();
        self.watch.lock().joining = None;
        let same =
            |other: &str| match (std::fs::canonicalize(&self.own.data_dir), std::fs::canonicalize(other)) {
                (Ok(own), Ok(other)) => own == other,
                _ => false,
            };
        let attachment = Attachment { shares_settings: same(&joined.node.data_dir), ..attachment.clone() };
        let loader = Arc::new(WalletProcess::attached(
            self.args.clone(),
            chain.map_err(|e| {
                joined.init.connection().close();
                failed(e)
            })?,
            attachment,
        ));
        let attached = Attached { joined, loader };
        let loader = &attached.loader;
        let started = (|| {
            if !loader.verify()? || !loader.load()? {
                return Err(CallError::remote("The wallets could not be loaded."));
            }
            loader.register_rpcs()?;
            loader.start()
        })();
        match started {
            Ok(()) => Ok(attached),
            Err(e) => {
                self.close(&attached);
                Err(match e {
                    CallError::Remote(text) => text,
                    e => failed(e),
                })
            }
        }
    }

    /// Closes the wallets. Gives what to load when the node is back.
    fn leave(&self, attached: Attached, cause: Option<&str>, before: Attachment) -> Attachment {
        match cause {
            Some(cause) => warn!("Lost the node: {cause} Closing the wallets"),
            None => info!("Detaching from the node"),
        }
        let mut wallets = attached.loader.get_wallets().unwrap_or_default();
        // One that did not load the last time may load the next time.
        if before.again {
            for name in before.wallets.unwrap_or_default() {
                if !wallets.contains(&name) && attached.loader.was_left_out(&name) {
                    wallets.push(name);
                }
            }
        }
        self.close(&attached);
        Attachment { wallets: Some(wallets), again: true, shares_settings: false }
    }

    /// Ends the work of the wallets and the connection. A node that does not answer is not waited for.
    fn close(&self, attached: &Attached) {
        let (sender, receiver) = std::sync::mpsc::channel();
        let loader = attached.loader.clone();
        let stopping = grs_sync::thread::spawn_quiet("detach", move || {
            let _ = loader.stop();
            let _ = sender.send(());
        });
        if let Ok(thread) = stopping {
            if receiver.recv_timeout(DETACH_PATIENCE).is_err() {
                warn!("The node does not answer; the connection is closed");
                attached.joined.init.connection().close();
            }
            let _ = thread.join();
        }
        attached.joined.init.connection().close();
    }
}

/// An interrupt or a request to end ends the process in order; a hang-up reopens the log.
fn handle_signals(watch: &Arc<Watch>) -> Result<(), String> {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    let mut signals = signal_hook::iterator::Signals::new([SIGHUP, SIGINT, SIGTERM])
        .map_err(|e| format!("Cannot wait for signals: {e}"))?;
    let watch = watch.clone();
    grs_sync::thread::spawn_quiet("signals", move || {
        for signal in signals.forever() {
            match signal {
                SIGHUP => grs_log::logger().request_reopen(),
                _ => watch.stop(),
            }
        }
    })
    .map(|_| ())
    .map_err(|e| format!("Cannot start the thread that waits for signals: {e}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &[&str]) -> Vec<String> {
        text.iter().map(|w| (*w).to_owned()).collect()
    }

    #[test]
    fn the_option_decides_what_the_program_is() {
        let dir = tempfile::tempdir().unwrap();
        let datadir = format!("-datadir={}", dir.path().display());
        let attaches = |more: &[&str]| {
            let mut all = words(&["-regtest", &datadir]);
            all.extend(words(more));
            matches!(wish(&all), Wish::Attach(Ok(_)))
        };
        for yes in [&["-ipcconnect"][..], &["--ipcconnect=unix"], &["-ipcconnect=auto", "-keypool=3"]] {
            assert!(attaches(yes), "{yes:?}");
        }
        for no in [&[][..], &["-noipcconnect"], &["-ipcconnect=0"], &["-ipcconnect", "info"]] {
            assert!(!attaches(no), "{no:?}");
        }
        // A wrong option is an error of the program that was meant.
        assert!(matches!(wish(&words(&["-ipcconnect", "-nonsense"])), Wish::Attach(Err(_))));
        assert!(matches!(wish(&words(&["-nonsense"])), Wish::Tool));
        assert!(matches!(wish(&words(&["-ipcconnect", "-help"])), Wish::Help(_)));
        assert!(matches!(wish(&words(&["-ipcconnect", "-version"])), Wish::Tool));
        // The configuration file may say it as well, among options of the node.
        std::fs::write(dir.path().join("groestlcoin.conf"), "txindex=1\n[regtest]\nipcconnect=unix\n")
            .unwrap();
        assert!(attaches(&[]));
        assert!(!attaches(&["-noipcconnect"]));
    }
}
