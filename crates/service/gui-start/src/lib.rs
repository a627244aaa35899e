//! From the command line to a window's session, for the programs with a window. Reference: `GuiMain` in
//! `src/qt/bitcoin.cpp`.
//!
//! [`begin`] reads the command line. The [`Step`] that it answers says what comes next: a text to print, an error or a
//! question to show, or all that a window needs. Questions answer with the next step. Nothing here draws, and no node is
//! started before [`Start::session`]. [`drive`] takes the steps with a toolkit's [`Screen`].

mod drive;
mod handover;
mod home;
mod steps;
mod words;

#[cfg(test)]
mod tests;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use grs_args::Program;
use grs_gui_core::process::{IpcConnect, Launcher};
use grs_gui_core::{Session, SessionConfig, Settings, SettingsStore, View};
use grs_params::Network;

pub use drive::{Screen, drive};
pub use handover::{OnUri, UriListener};
pub use steps::{FirstRunStep, ResetStep, begin};

/// What a launcher has to know to join and start nodes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// The network.
    pub network: Network,
    /// Its data directory.
    pub net_data_dir: PathBuf,
    /// Options for a node that is started, at least one.
    pub node_arguments: Vec<String>,
}

/// Makes what joins and starts nodes.
pub type MakeLauncher = fn(&Plan) -> std::io::Result<Arc<dyn Launcher>>;

/// What differs between the programs with a window.
#[derive(Debug, Clone)]
pub struct Flavour {
    /// [`Program::Gui`], or [`Program::Qt`] where everything is in one process.
    pub program: Program,
    /// Joins and starts nodes.
    pub launcher: MakeLauncher,
    /// Directory of the file that holds the choice of the first run.
    pub config_dir: PathBuf,
    /// The usual data directory.
    pub default_data_dir: PathBuf,
}

impl Flavour {
    /// With the directories of the user.
    pub fn new(program: Program, launcher: MakeLauncher) -> Flavour {
        let default_data_dir = grs_args::default_data_dir();
        Flavour { program, launcher, config_dir: home::config_dir(), default_data_dir }
    }
}

/// What comes next.
#[derive(Debug)]
pub enum Step {
    /// Print this and end with success.
    Print(String),
    /// Show this error in a dialog and on standard error ([`report`]) and end with failure.
    Fail(String),
    /// Ask where data is to be kept. If the user does not want to go on, end with success.
    FirstRun(Box<FirstRunStep>),
    /// `settings.json` cannot be read: ask whether to begin a new one. If not, end with failure.
    Reset(Box<ResetStep>),
    /// A window that is open already has taken the URIs: end with success.
    HandedOver,
    /// Open the window.
    Open(Box<Start>),
}

/// All that a window begins with.
#[derive(Debug)]
pub struct Start {
    /// What the user has chosen before.
    pub settings: Settings,
    /// Where that is kept.
    pub store: SettingsStore,
    /// Begin as an icon (`-min`).
    pub minimized: bool,
    /// Show [`grs_gui_core::pages::splash`] until the node runs.
    pub splash: bool,
    /// `groestlcoin:` URIs of the command line, for [`grs_gui_core::App::open_uri`] once a wallet is shown.
    pub uris: Vec<String>,
    /// What the user should know, to show in the window.
    pub notes: Vec<String>,
    /// Which node to work with.
    pub connect: IpcConnect,
    /// For the launcher.
    pub plan: Plan,
    launcher: MakeLauncher,
}

impl Start {
    /// Starts the session, which joins or starts a node. `repaint` is called on any thread when there is something new to
    /// draw; it must not block.
    ///
    /// # Errors
    /// If a thread cannot be started, or the programs of a node cannot be looked for.
    pub fn session(&self, repaint: Arc<dyn Fn() + Send + Sync>) -> std::io::Result<Arc<Session>> {
        Session::start(SessionConfig {
            connect: self.connect.clone(),
            launcher: (self.launcher)(&self.plan)?,
            data_dir: Some(self.plan.net_data_dir.clone()),
            wallet: self.settings.last_wallet(self.plan.network.name()).map(str::to_owned),
            repaint,
        })
    }

    /// Takes URIs of programs that are started while this window is open, as long as the listener is kept. `None` where
    /// another window does so already, or no socket can be made.
    pub fn listen_for_uris(&self, on_uri: OnUri) -> Option<UriListener> {
        handover::listen(&self.plan.net_data_dir, on_uri)
    }
}

/// Writes an error to standard error, as the other programs do.
pub fn report(text: &str) {
    eprintln!("Error: {text}");
}

/// How a program ends whose window has been closed: with failure, which is reported, if there is no node because of one.
pub fn finish(view: &View) -> ExitCode {
    match &view.failure {
        None => ExitCode::SUCCESS,
        Some(text) => {
            report(text);
            ExitCode::FAILURE
        }
    }
}
