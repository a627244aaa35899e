//! The console: lines, history, completion. Reference: `src/qt/rpcconsole.cpp`.

mod parser;
mod redact;

use std::collections::VecDeque;

pub use parser::{ConsoleError, Executor, Step, run};
pub use redact::redact;

/// Lines of history that are kept.
const HISTORY: usize = 50;
/// Commands of the console itself.
pub const OWN_COMMANDS: [&str; 1] = ["help-console"];

/// What a line of the console is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum LineKind {
    /// What the user typed, without secrets.
    Request,
    /// An answer.
    Answer,
    /// An error.
    Error,
    /// A note of the program.
    Note,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleLine {
    /// Unix seconds.
    pub time: i64,
    /// What it is.
    pub kind: LineKind,
    /// Text; may have several lines.
    pub text: String,
}

/// Lines typed before.
#[derive(Debug, Clone, Default)]
pub struct History {
    lines: VecDeque<String>,
    /// Place while looking back; `None` at the draft.
    place: Option<usize>,
    draft: String,
}

impl History {
    /// Adds a line, redacted already. The same line twice in a row counts once.
    pub fn add(&mut self, line: String) {
        self.place = None;
        self.draft.clear();
        if line.is_empty() || self.lines.back() == Some(&line) {
            return;
        }
        self.lines.push_back(line);
        if self.lines.len() > HISTORY {
            self.lines.pop_front();
        }
    }

    /// The line before; `current` is kept as the draft at first.
    pub fn up(&mut self, current: &str) -> Option<&str> {
        let place = match self.place {
            None => {
                self.draft = current.to_owned();
                self.lines.len().checked_sub(1)?
            }
            Some(place) => place.saturating_sub(1),
        };
        self.place = Some(place);
        self.lines.get(place).map(String::as_str)
    }

    /// The line after; the draft at the end.
    pub fn down(&mut self) -> Option<&str> {
        let place = self.place? + 1;
        if place >= self.lines.len() {
            self.place = None;
            return Some(&self.draft);
        }
        self.place = Some(place);
        self.lines.get(place).map(String::as_str)
    }

    /// All lines, the oldest first.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }
}

/// Completions of what is typed: names of methods, and of those after `help `.
pub fn completions(methods: &[String], typed: &str) -> Vec<String> {
    let (before, word) = match typed.strip_prefix("help ") {
        Some(word) => ("help ", word),
        None => ("", typed),
    };
    if word.is_empty() || word.contains(char::is_whitespace) {
        return Vec::new();
    }
    let own = OWN_COMMANDS.iter().copied().filter(|_| before.is_empty());
    let mut found: Vec<String> = methods
        .iter()
        .map(String::as_str)
        .chain(own)
        .filter(|name| name.starts_with(word) && *name != word)
        .map(|name| format!("{before}{name}"))
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn history_keeps_the_draft() {
        let mut history = History::default();
        assert_eq!(history.up("x"), None);
        for line in ["a", "b", "b", ""] {
            history.add(line.into());
        }
        assert_eq!(history.up("draft"), Some("b"));
        assert_eq!(history.up("b"), Some("a"));
        assert_eq!(history.up("a"), Some("a"));
        assert_eq!(history.down(), Some("b"));
        assert_eq!(history.down(), Some("draft"));
        assert_eq!(history.down(), None);
        for n in 0..100 {
            history.add(n.to_string());
        }
        assert_eq!(history.lines().count(), HISTORY);
        assert_eq!(history.lines().next(), Some("50"));
    }

    #[test]
    fn completion_of_names() {
        let methods: Vec<String> = ["getblock", "getblockhash", "help", "stop"].map(String::from).to_vec();
        assert_eq!(completions(&methods, "getb"), ["getblock", "getblockhash"]);
        assert_eq!(completions(&methods, "getblock"), ["getblockhash"]);
        assert_eq!(completions(&methods, "help getb"), ["help getblock", "help getblockhash"]);
        assert_eq!(completions(&methods, "help"), ["help-console"]);
        assert!(completions(&methods, "").is_empty());
        assert!(completions(&methods, "getblock 1").is_empty());
        assert!(completions(&methods, "help ").is_empty());
    }
}
