//! The main function of a program with a window.

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use grs_gui_core::View;
use grs_gui_core::pages::first_run::FirstRunChoice;

use crate::{FirstRunStep, Flavour, Start, Step, begin, finish, report};

/// What a toolkit does. Each call comes back when the user is done with it. Calls come one after the other on the thread of
/// [`drive`].
pub trait Screen {
    /// Shows an error in a dialog. It has been written to standard error; where there is no display that is all.
    fn error(&self, text: &str);

    /// Asks whether to set unreadable settings aside.
    fn reset(&self, question: &str) -> bool;

    /// Asks where data is to be kept ([`FirstRunStep::page`]); `None` if the user does not want to go on, or there is no
    /// display to ask on: `Err` then says why.
    fn first_run(&self, step: &FirstRunStep) -> Result<Option<FirstRunChoice>, String>;

    /// Shows the window until it is closed, and answers the last view of the session. The error says why there is none.
    fn window(&self, start: Box<Start>) -> Result<Arc<View>, String>;
}

/// Runs the program with the command line without the program's name, and answers its exit code. Reference: `GuiMain`.
pub fn drive(flavour: Flavour, words: impl IntoIterator<Item = OsString>, screen: &dyn Screen) -> ExitCode {
    let words: Vec<String> = words.into_iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let failed = |text: &str| {
        report(text);
        ExitCode::FAILURE
    };
    let mut step = begin(flavour, &words);
    loop {
        step = match step {
            Step::Print(text) => {
                print!("{text}");
                return ExitCode::SUCCESS;
            }
            Step::Fail(text) => {
                let code = failed(&text);
                screen.error(&text);
                return code;
            }
            Step::FirstRun(first_run) => match screen.first_run(&first_run) {
                Ok(Some(choice)) => first_run.accepted(choice),
                Ok(None) => return ExitCode::SUCCESS,
                Err(text) => return failed(&text),
            },
            Step::Reset(reset) if screen.reset(&reset.text) => reset.reset(),
            Step::Reset(reset) => return failed(&reset.problem),
            Step::HandedOver => return ExitCode::SUCCESS,
            Step::Open(start) => {
                return match screen.window(start) {
                    Ok(view) => finish(&view),
                    Err(text) => failed(&text),
                };
            }
        };
    }
}
