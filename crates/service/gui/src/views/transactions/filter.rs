//! The filter above the list.

use egui::{ComboBox, Margin, TextEdit, TextStyle, Ui};
use grs_gui_core::pages::transactions::{DateRange, TransactionsPage, kind_name};
use grs_gui_core::{App, Text};
use grs_interfaces::gui::TxKind;

use crate::icons::Icon;
use crate::theme::SPACE;
use crate::widgets::{self, cell};

const KINDS: [TxKind; 5] = [TxKind::Received, TxKind::Sent, TxKind::ToSelf, TxKind::Mined, TxKind::Other];
const CHOICE: f32 = 140.0;
const AMOUNT: f32 = 150.0;
const DAY: f32 = 150.0;
/// Room for the buttons.
const BUTTONS: f32 = 250.0;
/// Widest field for the search in one row with the rest.
const WIDEST: f32 = 420.0;
/// The window is wide enough for one row.
const ONE_ROW: f32 = 880.0;

/// Draws it.
pub fn show(ui: &mut Ui, app: &mut App, now: i64) {
    // Judged first, so that what is wrong stands beside the fields.
    app.transactions.filter(now);
    let ranged = app.transactions.dates == DateRange::Range;
    // Two rows where one has no room.
    if ranged || ui.available_width() < ONE_ROW {
        ui.horizontal_top(|ui| {
            search(ui, &mut app.transactions, ui.available_width() - BUTTONS);
            buttons(ui, app, now);
        });
        ui.horizontal_top(|ui| choices(ui, &mut app.transactions));
    } else {
        ui.horizontal_top(|ui| {
            let rest = ui.available_width() - 2.0 * CHOICE - AMOUNT - BUTTONS - 3.0 * SPACE;
            search(ui, &mut app.transactions, rest.min(WIDEST));
            choices(ui, &mut app.transactions);
            buttons(ui, app, now);
        });
    }
}

fn search(ui: &mut Ui, page: &mut TransactionsPage, width: f32) {
    cell(ui, width, |ui| {
        widgets::labelled(ui, Text::FilterSearch.s(), |ui| {
            let edit = TextEdit::singleline(&mut page.text)
                .desired_width(width)
                .margin(Margin::symmetric(8, 6))
                .hint_text(Text::FilterSearchHint.s());
            ui.add(edit)
        });
    });
}

fn choices(ui: &mut Ui, page: &mut TransactionsPage) {
    cell(ui, CHOICE, |ui| {
        let ranges = DateRange::ALL.map(|range| (range, range.name().to_owned()));
        choice(ui, "dates", Text::FilterDate.s(), &mut page.dates, &ranges);
    });
    if page.dates == DateRange::Range {
        let hint = Text::FilterDayHint.s();
        cell(ui, DAY, |ui| widgets::text_field(ui, Text::FilterFrom.s(), &mut page.from, hint));
        cell(ui, DAY, |ui| widgets::text_field(ui, Text::FilterUntil.s(), &mut page.until, hint));
    }
    cell(ui, CHOICE, |ui| {
        let all = std::iter::once((None, Text::FilterAllTypes.s().to_owned()));
        let kinds: Vec<_> = all.chain(KINDS.map(|kind| (Some(kind), kind_name(kind).to_owned()))).collect();
        choice(ui, "kinds", Text::FilterType.s(), &mut page.kind, &kinds);
    });
    let least = Text::FilterLeast.with(&[("unit", &page.unit.short_name())]);
    cell(ui, AMOUNT, |ui| widgets::text_field(ui, &least, &mut page.min_amount, ""));
}

fn buttons(ui: &mut Ui, app: &mut App, now: i64) {
    ui.vertical(|ui| {
        // In line with the fields, below their names.
        ui.spacing_mut().item_spacing.y = 3.0;
        ui.add_space(ui.text_style_height(&TextStyle::Body) + 3.0);
        ui.horizontal(|ui| {
            if widgets::icon_text_button(ui, Icon::Save, Text::ExportAction.s(), true).clicked() {
                app.transactions.start_export(&app.view, now);
            }
            if app.transactions.is_filtered() && ui.button(Text::FilterClear.s()).clicked() {
                app.transactions.clear_filter();
            }
        });
    });
}

fn choice<T: PartialEq + Copy>(ui: &mut Ui, id: &str, name: &str, value: &mut T, choices: &[(T, String)]) {
    let shown = choices.iter().find(|(choice, _)| choice == value).map_or("", |(_, text)| text);
    let list = ComboBox::from_id_salt(id).width(ui.available_width()).height(400.0).selected_text(shown);
    if let Some(chosen) = widgets::choose(ui, name, list, value, choices.iter().cloned()) {
        *value = chosen;
    }
}
