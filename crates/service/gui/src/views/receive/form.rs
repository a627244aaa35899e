//! The form of a new request.

use egui::{ComboBox, RichText, Ui};
use grs_gui_core::amount::{format_field, parse};
use grs_gui_core::pages::receive::{ReceivePage, kind_name};
use grs_gui_core::{App, Text};

use crate::icons::Icon;
use crate::theme::{self, SPACE};
use crate::views::send::choose_unit;
use crate::widgets;

const UNIT: f32 = 110.0;

/// Draws it.
pub fn show(ui: &mut Ui, app: &mut App) {
    // As high as the heading beside it, which has a button.
    ui.horizontal(|ui| widgets::heading(ui, Text::ReceiveTitle.s()));
    let kinds = ReceivePage::kinds(&app.view);
    if kinds.is_empty() {
        ui.label(RichText::new(Text::ReceiveImpossible.s()).color(theme::of(ui).weak));
        return;
    }
    kind(ui, app);
    let page = &mut app.receive;
    widgets::text_field(ui, Text::ReceiveLabel.s(), &mut page.label, Text::ReceiveLabelHint.s());
    let mut new_unit = None;
    ui.horizontal_top(|ui| {
        let amount = widgets::cell(ui, ui.available_width() - UNIT - SPACE, |ui| {
            widgets::text_field(ui, Text::ReceiveAmount.s(), &mut page.amount, Text::ReceiveAmountHint.s())
        });
        if amount.lost_focus()
            && let Ok(gro) = parse(page.unit, &page.amount.text)
        {
            page.amount.text = format_field(page.unit, gro);
        }
        widgets::cell(ui, UNIT, |ui| new_unit = choose_unit(ui, page.unit, "receive unit"));
    });
    if let Some(unit) = new_unit {
        page.set_unit(unit);
    }
    widgets::text_field(ui, Text::ReceiveMessage.s(), &mut page.message, Text::ReceiveMessageHint.s());
    // What is wrong stands beside its field while it is typed.
    app.receive.check(&app.view);
    if let Some(problem) = &app.receive.problem {
        widgets::notice(ui, theme::of(ui).error, Icon::Error, problem, |_| ());
    }
    ui.add_space(SPACE / 2.0);
    let possible = app.receive.possible(&app.view);
    if widgets::primary_button(ui, Text::ReceiveCreate.s(), possible).clicked() {
        app.receive.create(&app.view, app.backend.as_ref());
    }
    if !possible && app.view.wallet_fresh() {
        ui.label(Text::ReceiveWaiting.s());
    } else if !possible {
        ui.label(RichText::new(Text::WalletNotConnected.s()).color(theme::of(ui).warning));
    }
}

fn kind(ui: &mut Ui, app: &mut App) {
    let kinds = ReceivePage::kinds(&app.view);
    let chosen = app.receive.kind.filter(|kind| kinds.contains(kind)).unwrap_or(kinds[0]);
    let list = ComboBox::from_id_salt("kind").selected_text(kind_name(chosen)).width(ui.available_width());
    let choices = kinds.into_iter().map(|kind| (kind, kind_name(kind).to_owned()));
    if let Some(kind) = widgets::choose(ui, Text::ReceiveKind.s(), list, &chosen, choices) {
        app.receive.kind = Some(kind);
    }
}
