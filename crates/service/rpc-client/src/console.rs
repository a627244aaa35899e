//! Standard input: lines, prompts, passwords that are not shown.

use std::io::{self, BufRead, IsTerminal, Write};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// Keeps the terminal from showing what is typed, until dropped.
pub(crate) struct NoEcho(Option<Termios>);

impl NoEcho {
    pub(crate) fn new() -> Self {
        let stdin = io::stdin();
        let before = stdin.is_terminal().then(|| tcgetattr(&stdin).ok()).flatten();
        if let Some(mut quiet) = before.clone() {
            quiet.local_modes.remove(LocalModes::ECHO);
            // The worst that can happen is that the password is seen.
            let _ = tcsetattr(&stdin, OptionalActions::Now, &quiet);
        }
        Self(before)
    }
}

impl Drop for NoEcho {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// Next line of standard input, without its end; `None` at the end of input.
pub(crate) fn read_line() -> Option<String> {
    let mut line = Vec::new();
    let read = io::stdin().lock().read_until(b'\n', &mut line).ok()?;
    if read == 0 {
        return None;
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Some(String::from_utf8_lossy(&line).into_owned())
}

/// A secret line, asked for when it is not there yet.
pub(crate) fn read_secret(prompt: &str) -> Option<String> {
    let _quiet = NoEcho::new();
    if !is_ready() {
        eprint!("{prompt}> ");
        let _ = io::stderr().flush();
    }
    let line = read_line();
    end_line();
    line
}

/// On a terminal, ends the line that the user's invisible or interrupted input left open.
pub(crate) fn end_line() {
    if io::stdin().is_terminal() {
        println!();
    }
}

/// Is there input, or its end, so that reading does not wait? False on a terminal: there a prompt is wanted.
fn is_ready() -> bool {
    let stdin = io::stdin();
    if !stdin.is_terminal() {
        return true;
    }
    let mut fds = [PollFd::new(&stdin, PollFlags::IN)];
    poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).is_ok_and(|ready| ready > 0)
}
