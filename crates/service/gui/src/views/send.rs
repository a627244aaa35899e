//! Page send: the form, the review, the result.

mod fee;
mod form;
mod recipient;
mod result;
mod review;

pub use recipient::unit as choose_unit;

use std::mem::{Discriminant, discriminant};
use std::sync::Arc;

use egui::Ui;
use grs_gui_core::pages::send::SendStep;
use grs_gui_core::{App, Text};
use grs_interfaces::gui::SendPreview;

use super::ViewState;
use crate::icons::Icon;
use crate::{theme, widgets};

/// Width of the form.
const WIDEST: f32 = 1080.0;

/// What the view remembers.
#[derive(Default)]
pub struct State {
    step: Option<Discriminant<SendStep>>,
    /// The step has just begun: its main control gets the keyboard.
    entered: bool,
    /// The first field with a problem gets the keyboard.
    to_problem: bool,
    /// Fingerprint of what is in the form.
    form: Option<u64>,
    /// When that changed, in seconds of the toolkit's clock, until the preview has been asked for.
    typed: Option<f64>,
    /// The preview has been asked for.
    awaiting: bool,
    /// The preview of what is in the form.
    preview: Option<Arc<SendPreview>>,
    /// The recipient whose address the next paste is for.
    paste_into: Option<usize>,
    /// The recipient that had the keyboard last.
    at: usize,
    /// A new recipient gets the keyboard.
    to_recipient: Option<usize>,
}

/// Draws the page.
pub fn show(ui: &mut Ui, app: &mut App, state: &mut ViewState) {
    let state = &mut state.send;
    let step = discriminant(&app.send.step);
    state.entered = state.step.replace(step).is_some_and(|before| before != step);
    // The wallet has found something in the form.
    state.to_problem |=
        state.entered && app.send.problem.is_some() && matches!(app.send.step, SendStep::Edit);
    let form = matches!(app.send.step, SendStep::Edit | SendStep::Preparing(_));
    let widest = if form { WIDEST } else { theme::COLUMN };
    widgets::wide_column(ui, "send", widest, |ui| {
        let keys = app.view.wallet.as_ref().is_none_or(|wallet| wallet.info.private_keys);
        if !keys {
            widgets::notice(ui, theme::of(ui).accent, Icon::Info, Text::SendNoKeys.s(), |_| ());
            return;
        }
        match app.send.step.clone() {
            SendStep::Edit => form::show(ui, app, state, true),
            SendStep::Preparing(_) => form::show(ui, app, state, false),
            SendStep::Review(review) => review::show(ui, app, state, &review, false),
            SendStep::Sending(_, review) => review::show(ui, app, state, &review, true),
            SendStep::Done(result) => result::show(ui, app, state, &result),
        }
    });
}

/// What is wrong beyond single fields.
fn problem(ui: &mut Ui, app: &App) {
    if let Some(problem) = &app.send.problem {
        widgets::notice(ui, theme::of(ui).error, Icon::Error, problem, |_| ());
    }
}
