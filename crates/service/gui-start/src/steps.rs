//! The steps from the command line to the window.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use grs_args::{ArgsManager, ChainType, Program, default_data_dir, options, read_config};
use grs_gui_core::pages::about::VERSION;
use grs_gui_core::pages::first_run::{FirstRun, FirstRunChoice};
use grs_gui_core::process::IpcConnect;
use grs_gui_core::{SettingsStore, Text};
use grs_params::Network;
use serde_json::Value;

use crate::{Flavour, Plan, Start, Step, handover, home, words};

const GB: u64 = 1_000_000_000;
/// Size of kept blocks that is shown where none is set, in GB.
const DEFAULT_PRUNE_GB: u64 = 2;

/// What is known after the command line.
#[derive(Debug)]
struct Begun {
    flavour: Flavour,
    /// Options in order.
    words: Vec<String>,
    uris: Vec<String>,
    /// From the first run.
    notes: Vec<String>,
    /// Data directory that is not named on the command line, if it is not the usual one.
    data_dir: Option<PathBuf>,
    prune_mib: Option<u64>,
}

/// The question where to keep data.
#[derive(Debug)]
pub struct FirstRunStep {
    begun: Begun,
    network: Network,
    current: PathBuf,
    prune: Option<i64>,
}

/// The question whether to give up an unreadable `settings.json`.
#[derive(Debug)]
pub struct ResetStep {
    begun: Begun,
    file: PathBuf,
    /// Why the file cannot be read.
    pub problem: String,
    /// The question, with the reason.
    pub text: String,
}

/// Reads the command line, without the program's name.
pub fn begin(flavour: Flavour, command_line: &[String]) -> Step {
    match command_line_step(flavour, command_line) {
        Ok(step) => step,
        Err(text) => Step::Fail(text),
    }
}

fn parsed(program: Program, words: &[String]) -> Result<ArgsManager, String> {
    let table = if program == Program::Qt { options::qt() } else { options::gui() };
    let args = ArgsManager::new().declare(&table);
    args.parse_parameters(words).map_err(|e| format!("Error parsing command line arguments: {e}"))?;
    Ok(args)
}

fn connect(args: &ArgsManager, program: Program) -> Result<IpcConnect, String> {
    if program == Program::Qt {
        return Ok(IpcConnect::Start);
    }
    let value = args.get_opt_str("-ipcconnect");
    IpcConnect::parse(value.as_deref(), args.is_negated("-ipcconnect")).map_err(|e| e.to_string())
}

fn network(args: &ArgsManager) -> Result<(ChainType, Network), String> {
    let chain = args.chain_type().map_err(|e| e.to_string())?;
    let network = Network::from_name(chain.name()).ok_or_else(|| format!("Unknown chain {chain}."))?;
    Ok((chain, network))
}

fn command_line_step(flavour: Flavour, command_line: &[String]) -> Result<Step, String> {
    let program = flavour.program;
    let args = parsed(program, command_line)?;
    let uris = words::uris(command_line, program)?;
    if args.help_requested() {
        return Ok(Step::Print(program.help_text(VERSION, &args)));
    }
    if args.get_bool("-version", false) {
        return Ok(Step::Print(program.version_text(VERSION)));
    }
    let connect = connect(&args, program)?;
    let current = home::data_dir(&flavour.config_dir).unwrap_or_else(|| flavour.default_data_dir.clone());
    let named = !args.get_str("-datadir", "").is_empty();
    let asked = args.get_bool("-choosedatadir", false) || args.get_bool("-resetguisettings", false);
    // A node that runs already has a directory.
    let missing = connect.may_start() && !current.exists();
    let data_dir = (!named && current != default_data_dir()).then(|| current.clone());
    let begun =
        Begun { flavour, words: command_line.to_vec(), uris, notes: Vec::new(), data_dir, prune_mib: None };
    if named || !(asked || missing) {
        return begun.configure();
    }
    let prune = args.get_opt_int("-prune");
    let (_, network) = network(&args)?;
    Ok(Step::FirstRun(Box::new(FirstRunStep { begun, network, current, prune })))
}

impl FirstRunStep {
    /// The page with the question. `repaint` is called on any thread when there is something new to draw.
    ///
    /// # Errors
    /// If its thread cannot be started.
    pub fn page(&self, repaint: Arc<dyn Fn() + Send + Sync>) -> std::io::Result<FirstRun> {
        let default = self.begun.flavour.default_data_dir.clone();
        FirstRun::new(self.network, default, self.current.clone(), self.prune, repaint)
    }

    /// Goes on with the answer of the page.
    pub fn accepted(self, choice: FirstRunChoice) -> Step {
        let FirstRunStep { mut begun, .. } = self;
        if let Err(problem) = home::set_data_dir(&begun.flavour.config_dir, &choice.data_dir) {
            begun.notes.push(Text::ChoiceNotKept.with(&[("problem", &problem)]));
        }
        begun.prune_mib = choice.prune_mib;
        begun.data_dir = (choice.data_dir != default_data_dir()).then_some(choice.data_dir);
        begun.configure().unwrap_or_else(Step::Fail)
    }
}

impl ResetStep {
    /// Sets the file aside and goes on without it.
    pub fn reset(self) -> Step {
        let kept = self.file.with_extension("json.bad");
        match std::fs::rename(&self.file, &kept) {
            Ok(()) => self.begun.configure().unwrap_or_else(Step::Fail),
            Err(e) => Step::Fail(format!("Cannot rename {}: {e}", self.file.display())),
        }
    }
}

/// What the reference's window shows of a `-prune` setting: whether blocks are deleted by themselves, and the size in GB.
fn shown_prune(value: Option<&Value>) -> (bool, u64) {
    let mib = match value {
        Some(Value::String(text)) => text.parse().unwrap_or(0),
        Some(value) => value.as_u64().unwrap_or(0),
        None => 0,
    };
    match mib {
        0 | 1 => (false, DEFAULT_PRUNE_GB),
        mib => (true, (mib.saturating_mul(1024 * 1024)).div_ceil(GB)),
    }
}

/// Writes the choice of the first run to `settings.json`, unless it says so already. As text: old versions want it so.
fn keep_prune(args: &ArgsManager, mib: u64) -> Result<(), String> {
    let new = Value::String(mib.to_string());
    let same = args.with_settings(|settings| {
        let same = shown_prune(settings.rw_settings.get("prune")) == shown_prune(Some(&new));
        if !same {
            settings.rw_settings.insert("prune".to_owned(), new);
        }
        same
    });
    if same || args.settings_path().is_none() {
        return Ok(());
    }
    args.write_settings_file(false).map_err(|errors| {
        format!(
            "Settings file could not be written: {} Use -nosettings to go on without it.",
            errors.join(", ")
        )
    })
}

/// Makes a data directory that is not there, with one for wallets.
fn make_directory(dir: &Path) -> Result<(), String> {
    if dir.as_os_str().is_empty() || dir.exists() {
        return Ok(());
    }
    let wallets = dir.join("wallets");
    std::fs::create_dir_all(&wallets)
        .map_err(|e| format!("Cannot create directory {}: {e}", wallets.display()))
}

impl Begun {
    /// Reads configuration and settings.
    fn configure(self) -> Result<Step, String> {
        let program = self.flavour.program;
        let args = parsed(program, &self.words)?;
        let mut node_words = self.words.clone();
        if let Some(dir) = &self.data_dir {
            // The usual directory stays unnamed, so that its configuration file may name another one.
            args.soft_set("-datadir", &dir.display().to_string());
            node_words.insert(0, format!("-datadir={}", dir.display()));
        }
        if let Err(problem) = read_config(&args) {
            // The settings are read last, once the network is known.
            return match args.network().and_then(|_| args.settings_path()).filter(|path| path.exists()) {
                Some(file) => {
                    let text = Text::SettingsReset.with(&[("problem", &problem)]);
                    Ok(Step::Reset(Box::new(ResetStep { begun: self, file, problem, text })))
                }
                None => Err(problem),
            };
        }
        let connect = connect(&args, program)?;
        let (_, network) = network(&args)?;
        if connect != IpcConnect::Join(None) {
            make_directory(&args.data_dir_base())?;
            make_directory(&args.data_dir_net())?;
        }
        if let Some(mib) = self.prune_mib {
            keep_prune(&args, mib)?;
            node_words.push(format!("-prune={mib}"));
        }
        let net_data_dir = args.data_dir_net();
        if !self.uris.is_empty() && handover::hand_over(&net_data_dir, &self.uris) {
            return Ok(Step::HandedOver);
        }
        let (mut store, mut settings, problem) = SettingsStore::open(&net_data_dir);
        let mut notes = self.notes;
        notes.extend(problem);
        if args.get_bool("-resetguisettings", false) {
            settings = store.reset().map_err(|e| format!("Cannot reset the window's settings: {e}"))?;
        }
        let minimized = args.get_bool("-min", false);
        let node_arguments = words::for_node(&node_words, &args);
        Ok(Step::Open(Box::new(Start {
            settings,
            store,
            minimized,
            splash: args.get_bool("-splash", true) && !minimized,
            uris: self.uris,
            notes,
            connect,
            plan: Plan { network, net_data_dir, node_arguments },
            launcher: self.flavour.launcher,
        })))
    }
}
