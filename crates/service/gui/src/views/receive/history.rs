//! The requests that have been made.

use egui::{Align, Layout, Ui, vec2};
use grs_gui_core::amount::format_with_unit;
use grs_gui_core::pages::receive::{RequestColumn, uri};
use grs_gui_core::{App, Text, format};
use grs_interfaces::gui::ReceiveRequest;

use crate::icons::Icon;
use crate::theme;
use crate::widgets;
use crate::widgets::table::{Cell, Column, Table, Width};

const ROW: f32 = 32.0;
/// Rows that are in sight at once.
const ROWS: usize = 8;
const COLUMNS: [(RequestColumn, Text, Width); 4] = [
    (RequestColumn::Date, Text::ReceiveDate, Width::Exact(160.0)),
    (RequestColumn::Label, Text::ReceiveLabel, Width::Fill(150.0)),
    (RequestColumn::Message, Text::ReceiveMessage, Width::Fill(150.0)),
    (RequestColumn::Amount, Text::ReceiveAmount, Width::Exact(220.0)),
];
/// Entries of the menu of a row.
const MENU: [Text; 6] = [
    Text::ReceiveShow,
    Text::ReceiveCopyUri,
    Text::ReceiveCopyAddress,
    Text::ActionCopyLabel,
    Text::ActionCopyAmount,
    Text::ReceiveRemove,
];

/// What the view remembers: the row that is selected.
#[derive(Default)]
pub struct State {
    selected: Option<(u64, String)>,
}

/// Draws them.
pub fn show(ui: &mut Ui, app: &mut App, state: &mut State) {
    let rows = app.receive.history(&app.view);
    let key = |request: &ReceiveRequest| (request.id, request.address.clone());
    let selected = rows.iter().position(|request| Some(key(request)) == state.selected);
    let (mut show, mut remove) = (false, false);
    widgets::split_row(
        ui,
        "title of the requests",
        |ui| {
            widgets::heading(ui, Text::ReceiveHistory.s());
        },
        |ui| {
            if selected.is_some() {
                show = widgets::icon_text_button(ui, Icon::Search, Text::ReceiveShow.s(), true).clicked();
                remove = widgets::icon_text_button(ui, Icon::Remove, Text::ReceiveRemove.s(), true).clicked();
            }
        },
    );
    let output = table(ui, app, &rows, selected);
    if let Some(row) = output.select {
        state.selected = rows.get(row).map(key);
    }
    if let Some(column) = output.sort {
        app.receive.sort_by(COLUMNS[column].0);
    }
    let Some(request) = rows.iter().find(|request| Some(key(request)) == state.selected) else { return };
    let copy = |text: String| ui.ctx().copy_text(text);
    match output.menu.map(|entry| MENU[entry]) {
        Some(Text::ReceiveShow) => show = true,
        Some(Text::ReceiveRemove) => remove = true,
        Some(Text::ReceiveCopyUri) => copy(uri(request)),
        Some(Text::ReceiveCopyAddress) => copy(request.address.clone()),
        Some(Text::ActionCopyLabel) => copy(request.label.clone()),
        Some(Text::ActionCopyAmount) => copy(format_with_unit(app.settings.unit, request.amount)),
        _ if output.copy => copy(uri(request)),
        _ => {}
    }
    if remove {
        app.receive.remove(request, app.backend.as_ref());
    } else if show || output.open {
        app.receive.shown = Some(request.clone());
    }
}

fn table(
    ui: &mut Ui,
    app: &App,
    rows: &[ReceiveRequest],
    selected: Option<usize>,
) -> widgets::table::TableOutput {
    let columns = COLUMNS.map(|(column, name, width)| {
        let sorted = (app.receive.sort == column).then_some(app.receive.descending);
        let column_of = Column::new(name.s(), width).sort(sorted);
        if column == RequestColumn::Amount { column_of.right() } else { column_of }
    });
    let menu = MENU.map(Text::s);
    let table = Table {
        id: "requests",
        name: Text::ReceiveHistory.s(),
        columns: &columns,
        rows: rows.len(),
        selected,
        menu: &menu,
        empty: Text::ReceiveHistoryNone.s(),
        reveal: false,
    };
    let weak = theme::of(ui).weak;
    let unit = app.settings.unit;
    let height = ROW * (rows.len().clamp(1, ROWS) as f32 + 1.5);
    let size = vec2(ui.available_width(), height);
    ui.allocate_ui_with_layout(size, Layout::top_down(Align::Min), |ui| {
        ui.set_max_size(size);
        table.show(ui, |row| rows.get(row).map(|request| cells(request, unit, weak)))
    })
    .inner
}

fn cells(request: &ReceiveRequest, unit: grs_gui_core::amount::Unit, weak: egui::Color32) -> Vec<Cell> {
    let label = match request.label.is_empty() {
        true => Cell::new(&request.address).colour(weak),
        false => Cell::new(&request.label),
    };
    let amount = match request.amount {
        0 => Cell::new(Text::ReceiveAny.s()).colour(weak),
        gro => Cell::new(format_with_unit(unit, gro)),
    };
    vec![Cell::new(format::date_time(request.time)), label, Cell::new(&request.message), amount]
}
