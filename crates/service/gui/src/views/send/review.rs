//! What will be sent, before it is.

use egui::{Label, RichText, Ui};
use grs_gui_core::amount::format_with_unit;
use grs_gui_core::pages::send::{Review, ReviewLine};
use grs_gui_core::pages::status::wallet_title;
use grs_gui_core::{App, Text};

use super::{State, problem};
use crate::theme::{self, SPACE};
use crate::widgets;

/// Draws it; `sending` while the order is under way.
pub fn show(ui: &mut Ui, app: &mut App, state: &mut State, review: &Review, sending: bool) {
    let p = theme::of(ui);
    let unit = app.settings.unit;
    let total = format_with_unit(unit, review.preview.total);
    let locked = app.view.wallet.as_ref().is_some_and(|wallet| wallet.snapshot.locked);
    let mut confirmed = false;
    widgets::card(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 5.0;
        widgets::heading(ui, Text::ReviewTitle.s());
        let from = Text::ReviewFrom.with(&[("wallet", &wallet_title(&review.wallet))]);
        ui.label(RichText::new(from).color(p.weak));
        ui.add_space(SPACE / 2.0);
        widgets::subheading(ui, Text::ReviewRecipients.s());
        for line in review.recipients(unit) {
            recipient(ui, &line);
        }
        ui.separator();
        widgets::subheading(ui, Text::ReviewDetails.s());
        let summary = review.summary(unit);
        let (last, lines) = summary.split_last().map_or((None, &[][..]), |(last, rest)| (Some(last), rest));
        for line in lines {
            widgets::name_value(ui, RichText::new(&line.name).color(p.weak), &line.value);
        }
        if let Some(line) = last {
            ui.separator();
            widgets::name_value(
                ui,
                RichText::new(&line.name).strong(),
                RichText::new(&line.value).strong().size(18.0),
            );
        }
        widgets::equals(ui, &review.total_elsewhere(unit));
        if locked && !sending {
            ui.separator();
            let field = widgets::secret_edit(ui, Text::ReviewPassphrase.s(), &mut app.send.passphrase);
            if state.entered {
                field.request_focus();
            }
            confirmed = field.lost_focus() && ui.input(|i| i.key_pressed(egui::Key::Enter));
        }
    });
    if sending {
        ui.label(Text::ReviewSending.s());
        return;
    }
    problem(ui, app);
    let mut go_back = false;
    widgets::split_row(
        ui,
        "buttons of the review",
        |ui| {
            let back = ui.button(Text::ReviewBack.s());
            if state.entered && !locked {
                // Not the button that sends: a key pressed once too often must not pay.
                back.request_focus();
            }
            go_back = back.clicked();
        },
        |ui| {
            let text = Text::ReviewSend.with(&[("amount", &total)]);
            confirmed |= widgets::primary_button(ui, &text, true).clicked();
        },
    );
    if go_back {
        app.send.problem = None;
        app.send.back();
    } else if confirmed {
        app.send.confirm(&app.view, app.backend.as_ref());
    }
}

fn recipient(ui: &mut Ui, line: &ReviewLine) {
    ui.horizontal_top(|ui| {
        let amount = egui::WidgetText::from(line.value.as_str()).into_galley(
            ui,
            Some(egui::TextWrapMode::Extend),
            f32::INFINITY,
            egui::TextStyle::Body,
        );
        let room = ui.available_width() - amount.size().x - theme::GROUP;
        let name = widgets::cell(ui, room, |ui| ui.add(Label::new(&line.name).wrap().selectable(true)));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Min), |ui| {
            ui.add(Label::new(&line.value).selectable(true)).labelled_by(name.id);
        });
    });
}
