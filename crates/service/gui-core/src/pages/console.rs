//! The console's page.

use crate::console::{History, completions, redact};
use crate::texts::Text;
use crate::view::{Backend, Command, View};

/// What the user types and has typed.
#[derive(Debug, Clone, Default)]
pub struct ConsolePage {
    /// The line being typed.
    pub input: String,
    /// The wallet that commands are for; `None`: the node decides.
    pub wallet: Option<String>,
    history: History,
    completions: Vec<String>,
    place: Option<usize>,
}

impl ConsolePage {
    /// Text of an empty console.
    pub fn welcome() -> Vec<&'static str> {
        vec![Text::ConsoleWelcome.s(), Text::ConsoleScam.s()]
    }

    /// Runs the line. One runs at a time, but `stop` is always let through.
    pub fn submit(&mut self, view: &View, backend: &dyn Backend) -> bool {
        let line = self.input.trim().to_owned();
        if line.is_empty() || view.console_busy && line != "stop" {
            return false;
        }
        self.history.add(redact(&line));
        self.input.clear();
        self.edited(view);
        backend.send(Command::Console(line, self.wallet.clone()));
        true
    }

    /// The line has been changed by typing.
    pub fn edited(&mut self, view: &View) {
        self.completions = completions(&view.rpc_methods, &self.input);
        self.place = None;
    }

    /// Names that the line may become.
    pub fn completions(&self) -> &[String] {
        &self.completions
    }

    /// Number of the completion that stands in the line.
    pub fn chosen(&self) -> Option<usize> {
        self.place
    }

    /// Puts the next completion into the line.
    pub fn complete(&mut self) {
        self.choose(self.place.map_or(0, |place| place + 1));
    }

    /// Puts the completion before into the line.
    pub fn complete_back(&mut self) {
        self.choose(self.place.unwrap_or(0) + self.completions.len().saturating_sub(1));
    }

    /// Puts a completion into the line; they begin again behind the last one.
    pub fn choose(&mut self, place: usize) {
        if let Some(place) = place.checked_rem(self.completions.len()) {
            self.place = Some(place);
            self.input.clone_from(&self.completions[place]);
        }
    }

    /// The completions are not wanted any more: the line is as the user wants it.
    pub fn accept(&mut self) {
        self.completions.clear();
        self.place = None;
    }

    /// The line before in the history.
    pub fn up(&mut self) {
        if let Some(line) = self.history.up(&self.input) {
            self.input = line.to_owned();
        }
        self.accept();
    }

    /// The line after in the history.
    pub fn down(&mut self) {
        if let Some(line) = self.history.down() {
            self.input = line.to_owned();
        }
        self.accept();
    }

    /// Names of wallets to choose from; none if there is nothing to choose.
    pub fn wallet_choices<'a>(&self, view: &'a View) -> &'a [String] {
        &view.loaded
    }

    /// A wallet that has been closed is not chosen any more.
    pub fn refresh(&mut self, view: &View) {
        if self.wallet.as_ref().is_some_and(|name| !view.loaded.contains(name)) {
            self.wallet = None;
        }
    }
}
