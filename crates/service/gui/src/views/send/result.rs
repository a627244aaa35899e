//! What a payment came to.

use egui::accesskit::Role;
use egui::{Label, Ui};
use grs_gui_core::pages::send::SendResult;
use grs_gui_core::{App, Page, Text};

use super::State;
use crate::icons::Icon;
use crate::theme::{self, SPACE};
use crate::widgets;

/// Draws it.
pub fn show(ui: &mut Ui, app: &mut App, state: &mut State, result: &SendResult) {
    let p = theme::of(ui);
    let (icon, colour, title) = match result {
        SendResult::Sent(sent) if sent.not_broadcast.is_empty() => (Icon::Ok, p.good, Text::ResultSent),
        SendResult::Sent(_) => (Icon::Warning, p.warning, Text::ResultSent),
        SendResult::NotSent(_) => (Icon::Error, p.error, Text::ResultNotSent),
        SendResult::Unknown(_) => (Icon::Warning, p.error, Text::ResultUnknown),
    };
    widgets::card(ui, |ui| {
        ui.horizontal(|ui| {
            ui.add(icon.image(28.0, colour));
            widgets::heading(ui, title.s());
        });
        ui.add_space(SPACE / 2.0);
        let text = result.text();
        let label = ui.add(Label::new(&text).wrap().selectable(true));
        widgets::spoken(&label, Role::Alert, &text);
        ui.add_space(SPACE);
        ui.horizontal_wrapped(|ui| buttons(ui, app, state, result));
    });
}

fn buttons(ui: &mut Ui, app: &mut App, state: &mut State, result: &SendResult) {
    let main = match result {
        SendResult::Sent(sent) => {
            let show = widgets::primary_button(ui, Text::ResultShow.s(), true);
            if show.clicked() {
                app.show_transaction(sent.txid, 0);
            }
            if widgets::icon_text_button(ui, Icon::Copy, Text::ResultCopy.s(), true).clicked() {
                ui.ctx().copy_text(sent.txid.to_string());
            }
            show
        }
        SendResult::NotSent(_) => {
            let form = widgets::primary_button(ui, Text::ResultForm.s(), true);
            if form.clicked() {
                app.send.back();
            }
            form
        }
        SendResult::Unknown(_) => {
            let list = widgets::primary_button(ui, Text::ResultList.s(), true);
            if list.clicked() {
                app.page = Page::Transactions;
            }
            list
        }
    };
    if state.entered {
        main.request_focus();
    }
    if ui.button(Text::ResultNew.s()).clicked() {
        app.send.clear(app.settings.unit);
        state.preview = None;
        state.to_recipient = Some(0);
    }
}
