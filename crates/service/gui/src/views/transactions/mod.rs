//! The list of transactions.

mod dialogs;
mod filter;

use egui::{Id, RichText, Ui};
use grs_gui_core::amount::{self, Unit};
use grs_gui_core::format::date_time;
use grs_gui_core::pages::transactions::{self as page, TransactionsPage};
use grs_gui_core::view::TxList;
use grs_gui_core::{App, Text};
use grs_hashes::Txid;
use grs_interfaces::gui::{TxKind, TxRow, TxSortColumn, TxStatus};

use super::ViewState;
use crate::icons::Icon;
use crate::theme::{self, Palette, SPACE};
use crate::widgets::table::{Cell, Column, Table, TableOutput, Width};

/// What the view remembers.
#[derive(Default)]
pub struct State {
    /// The selected row: its number, of which transaction it is, and of which state of the list.
    place: Option<(usize, (Txid, u32), u64)>,
    /// A row that has been selected before it was read.
    pending: Option<usize>,
    /// The selected row has been chosen elsewhere and is to be brought into sight.
    reveal: bool,
    /// Takes the keyboard once the dialog in front of it is closed.
    table: Option<Id>,
    /// A dialog was open in the frame before.
    dialog: bool,
}

/// Columns in order.
const COLUMNS: [TxSortColumn; 5] =
    [TxSortColumn::Status, TxSortColumn::Date, TxSortColumn::Kind, TxSortColumn::Label, TxSortColumn::Amount];

/// An entry of the menu of a row.
#[derive(Clone, Copy, PartialEq)]
enum Action {
    Details,
    CopyAddress,
    CopyLabel,
    CopyAmount,
    CopyId,
    CopyRow,
    EditLabel,
}

impl Action {
    const ALL: [Action; 7] = [
        Action::Details,
        Action::CopyAddress,
        Action::CopyLabel,
        Action::CopyAmount,
        Action::CopyId,
        Action::CopyRow,
        Action::EditLabel,
    ];

    fn text(self) -> Text {
        match self {
            Action::Details => Text::ActionDetails,
            Action::CopyAddress => Text::ActionCopyAddress,
            Action::CopyLabel => Text::ActionCopyLabel,
            Action::CopyAmount => Text::ActionCopyAmount,
            Action::CopyId => Text::ActionCopyId,
            Action::CopyRow => Text::ActionCopyRow,
            Action::EditLabel => Text::ActionEditLabel,
        }
    }

    /// Whether it makes sense for a row.
    fn fits(self, row: &TxRow) -> bool {
        match self {
            Action::CopyAddress | Action::EditLabel => !row.address.is_empty(),
            Action::CopyLabel => !row.label.is_empty(),
            _ => true,
        }
    }
}

/// Draws the page. `now` in Unix seconds.
pub fn show(ui: &mut Ui, app: &mut App, state: &mut ViewState, now: i64) {
    let state = &mut state.transactions;
    filter::show(ui, app, now);
    if let Some(message) = app.transactions.message.clone() {
        let p = theme::of(ui);
        let close = crate::widgets::notice(ui, p.accent, Icon::Info, &message, |ui| {
            ui.button(Text::ActionClose.s()).clicked()
        });
        if close {
            app.transactions.message = None;
        }
    }
    let p = theme::of(ui);
    let line = ui.spacing().interact_size.y;
    let room = ui.available_size() - egui::vec2(0.0, line + SPACE * 0.5);
    let frame = egui::Frame::new()
        .fill(p.surface)
        .stroke(egui::Stroke::new(1.0, p.border))
        .corner_radius(theme::RADIUS + 2)
        .inner_margin(egui::Margin::same(1));
    let out = ui.allocate_ui(room, |ui| frame.show(ui, |ui| table(ui, app, state)).inner).inner;
    footer(ui, app, state);
    act(ui, app, state, &out);
    let dialog = dialogs::show(ui.ctx(), app, now);
    if state.dialog
        && !dialog
        && let Some(table) = state.table
    {
        ui.memory_mut(|memory| memory.request_focus(table));
    }
    state.dialog = dialog;
}

/// Number of the selected row in the list.
fn place(app: &mut TransactionsPage, list: &TxList, state: &mut State) -> Option<usize> {
    if let Some(at) = state.pending.filter(|at| *at < list.matching as usize) {
        if let Some(row) = list.row(at as u32) {
            select(app, list, state, at, row);
        }
        return Some(at);
    }
    let selected = app.selected?;
    let known = state.place.filter(|(_, key, version)| *key == selected && *version == list.version);
    let is = |at: usize| list.row(at as u32).is_some_and(|row| (row.txid, row.index) == selected);
    if let Some((at, ..)) = known.filter(|(at, ..)| is(*at)) {
        return Some(at);
    }
    // A transaction shown from elsewhere is found without its index.
    let found = list.pages.iter().find_map(|(number, rows)| {
        let at = rows.iter().position(|row| (row.txid, row.index) == selected)?;
        Some(*number as usize * grs_interfaces::gui::PAGE_LIMIT as usize + at)
    });
    if let Some(at) = found {
        state.reveal = true;
        state.place = Some((at, selected, list.version));
    }
    found
}

fn select(app: &mut TransactionsPage, list: &TxList, state: &mut State, at: usize, row: &TxRow) {
    let key = (row.txid, row.index);
    app.selected = Some(key);
    state.place = Some((at, key, list.version));
    state.pending = None;
}

fn table(ui: &mut Ui, app: &mut App, state: &mut State) -> TableOutput {
    let view = app.view.clone();
    let Some(list) = TransactionsPage::list(&view) else { return TableOutput::default() };
    let unit = app.settings.unit;
    let sort = app.transactions.sort;
    let sorted = |column| (sort.column == column).then_some(sort.descending);
    let amount = Text::ColumnAmount.with(&[("unit", &unit.short_name())]);
    let columns = [
        Column::new(Text::ColumnStatus.s(), Width::Fill(180.0)),
        Column::new(Text::ColumnDate.s(), Width::Exact(150.0)),
        Column::new(Text::ColumnType.s(), Width::Exact(118.0)),
        Column::new(Text::ColumnLabel.s(), Width::Fill(220.0)),
        Column::new(amount, Width::Exact(190.0)).right(),
    ];
    let columns: Vec<Column> =
        columns.into_iter().zip(COLUMNS).map(|(column, by)| column.sort(sorted(by))).collect();
    let selected = place(&mut app.transactions, list, state);
    let row = selected.and_then(|at| list.row(at as u32));
    let menu: Vec<&str> = Action::ALL
        .into_iter()
        .filter(|action| row.is_none_or(|row| action.fits(row)))
        .map(|action| action.text().s())
        .collect();
    let empty = if list.total == 0 { Text::ListNothing.s() } else { Text::ListNoMatch.s() };
    let table = Table {
        id: "transactions",
        name: Text::ListTransactions.s(),
        columns: &columns,
        rows: list.matching as usize,
        selected,
        menu: &menu,
        empty: if list.loading { Text::ListLoading.s() } else { empty },
        reveal: std::mem::take(&mut state.reveal),
    };
    let p = theme::of(ui);
    let out = table.show(ui, |at| list.row(at as u32).map(|row| cells(&p, row, unit)));
    state.table = out.focus;
    let (first, end) = out.visible;
    app.transactions.need_rows(&view, first as u32, end as u32, app.backend.as_ref());
    out
}

fn cells(p: &Palette, row: &TxRow, unit: Unit) -> Vec<Cell> {
    let (icon, colour) = status_icon(p, row.status);
    let pending = page::is_pending(row.status);
    let kind = match row.kind {
        TxKind::Received => Icon::Receive,
        TxKind::Sent => Icon::Send,
        TxKind::Mined => Icon::Mined,
        TxKind::ToSelf | TxKind::Other => Icon::Transactions,
    };
    let weak = |cell: Cell, weak: bool| if weak { cell.colour(p.weak) } else { cell };
    let amount = match (pending, row.amount < 0) {
        (true, _) => p.weak,
        (_, true) => p.error,
        _ => p.good,
    };
    vec![
        weak(Cell::new(page::status_text(row.status)).icon(icon, colour), pending),
        Cell::new(date_time(row.time)),
        Cell::new(page::kind_name(row.kind)).icon(kind, p.weak),
        weak(Cell::new(page::label_text(row)), row.label.is_empty()),
        Cell::new(page::amount_text(row, unit)).colour(amount).monospace(),
    ]
}

fn status_icon(p: &Palette, status: TxStatus) -> (Icon, egui::Color32) {
    match status {
        TxStatus::Confirmed { .. } => (Icon::Ok, p.good),
        TxStatus::Confirming { .. } | TxStatus::Immature { .. } => (Icon::Clock, p.accent),
        TxStatus::Unconfirmed => (Icon::Clock, p.weak),
        TxStatus::Inactive | TxStatus::Abandoned => (Icon::Warning, p.warning),
        TxStatus::Conflicted => (Icon::Error, p.error),
    }
}

/// How many rows there are and what they sum up to; what can be done with the selected one.
fn footer(ui: &mut Ui, app: &mut App, state: &State) {
    let view = app.view.clone();
    let Some(list) = TransactionsPage::list(&view) else { return };
    let row = app
        .transactions
        .selected
        .and(state.place)
        .and_then(|(at, key, _)| list.row(at as u32).filter(|row| (row.txid, row.index) == key));
    ui.horizontal(|ui| {
        let p = theme::of(ui);
        let summary = page::summary(list, app.settings.unit);
        ui.label(RichText::new(summary).color(p.weak));
        if let Some(row) = row {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                for action in [Action::EditLabel, Action::CopyId, Action::Details] {
                    if action.fits(row) && ui.button(action.text().s()).clicked() {
                        run(ui, app, row, action);
                    }
                }
            });
        }
    });
}

fn act(ui: &Ui, app: &mut App, state: &mut State, out: &TableOutput) {
    if let Some(column) = out.sort {
        app.transactions.sort_by(COLUMNS[column]);
    }
    let view = app.view.clone();
    let Some(list) = TransactionsPage::list(&view) else { return };
    if let Some(at) = out.select {
        match list.row(at as u32) {
            Some(row) => select(&mut app.transactions, list, state, at, row),
            // It comes with its page.
            None => (app.transactions.selected, state.pending) = (None, Some(at)),
        }
    }
    let row = state.place.and_then(|(at, key, _)| {
        list.row(at as u32)
            .filter(|row| (row.txid, row.index) == key && app.transactions.selected == Some(key))
    });
    let Some(row) = row else { return };
    if out.open {
        run(ui, app, row, Action::Details);
    }
    if out.copy {
        run(ui, app, row, Action::CopyRow);
    }
    if let Some(at) = out.menu {
        let action = Action::ALL.into_iter().filter(|action| action.fits(row)).nth(at);
        if let Some(action) = action {
            run(ui, app, row, action);
        }
    }
}

fn run(ui: &Ui, app: &mut App, row: &TxRow, action: Action) {
    let unit = app.settings.unit;
    let copy = |text: String| ui.ctx().copy_text(text);
    match action {
        Action::Details => app.transactions.show_details(row.txid, app.backend.as_ref()),
        Action::CopyAddress => copy(row.address.clone()),
        Action::CopyLabel => copy(row.label.clone()),
        Action::CopyAmount => copy(amount::format(
            unit,
            row.amount,
            amount::Style { grouping: amount::Grouping::Never, plus: false },
        )),
        Action::CopyId => copy(row.txid.to_string()),
        Action::CopyRow => copy(page::row_text(row, unit)),
        Action::EditLabel => app.transactions.start_label(row),
    }
}
