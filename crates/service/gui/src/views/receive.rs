//! Page receive: the form, the request that is shown, the history.

mod form;
mod history;
mod qr;
mod request;

use egui::Ui;
use grs_gui_core::App;

use super::ViewState;
use crate::widgets;

pub use qr::QrImage;

const WIDEST: f32 = 1080.0;
const FORM: f32 = 380.0;

/// What the view remembers.
#[derive(Default)]
pub struct State {
    request: request::State,
    history: history::State,
    had_request: bool,
}

/// Draws the page.
pub fn show(ui: &mut Ui, app: &mut App, state: &mut ViewState) {
    let state = &mut state.receive;
    // A request that has just been made gets the keyboard.
    let shown = app.receive.shown.is_some();
    state.request.entered = shown && !std::mem::replace(&mut state.had_request, shown);
    widgets::wide_column(ui, "receive", WIDEST, |ui| {
        let mut close = false;
        let (request, unit) = (app.receive.shown.clone(), app.settings.unit);
        let left = |ui: &mut Ui| {
            widgets::card(ui, |ui| form::show(ui, app));
        };
        let right = |ui: &mut Ui| {
            widgets::card(ui, |ui| close = request::show(ui, request.as_ref(), unit, &mut state.request));
        };
        widgets::two_columns(ui, FORM, left, right);
        if close {
            app.receive.shown = None;
        }
        widgets::card(ui, |ui| history::show(ui, app, &mut state.history));
    });
}
