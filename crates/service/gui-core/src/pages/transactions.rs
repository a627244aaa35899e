//! Transactions: filter, sort, selection, details, export.

mod dates;

pub use dates::DateRange;

use std::path::PathBuf;
use std::sync::Arc;

use grs_hashes::Txid;
use grs_interfaces::gui::{TxDetails, TxFilter, TxKind, TxRow, TxSort, TxSortColumn, TxStatus};

use crate::amount::{Style, Unit, format, format_with_unit, parse};
use crate::field::Field;
use crate::format::date_time;
use crate::texts::{Count, Text};
use crate::view::{ActionId, Backend, Command, CsvExport, Reply, TxList, View};

/// A label that is being changed.
#[derive(Debug, Clone, Default)]
pub struct LabelEdit {
    /// Whose label it is.
    pub address: String,
    /// The label.
    pub label: Field,
    waiting: Option<ActionId>,
}

/// Where an export goes.
#[derive(Debug, Clone, Default)]
pub struct ExportForm {
    /// Name of the file, with all folders.
    pub path: Field,
    /// A file of that name may be replaced.
    pub overwrite: bool,
}

/// The page.
#[derive(Debug, Clone, Default)]
pub struct TransactionsPage {
    /// Part of address, label or id.
    pub text: String,
    /// Which days.
    pub dates: DateRange,
    /// First day of a range, `2026-11-22`.
    pub from: Field,
    /// Last day of a range.
    pub until: Field,
    /// Which kind; `None`: all.
    pub kind: Option<TxKind>,
    /// Least amount; empty: all.
    pub min_amount: Field,
    /// Unit of the least amount.
    pub unit: Unit,
    /// Order.
    pub sort: TxSort,
    /// The row that is selected, by transaction and index.
    pub selected: Option<(Txid, u32)>,
    /// Details that are shown.
    pub details: Option<Arc<TxDetails>>,
    /// What an export came to, or what went wrong.
    pub message: Option<String>,
    /// The label that is being changed.
    pub editing: Option<LabelEdit>,
    /// The form of the export, while it is shown.
    pub exporting: Option<ExportForm>,
    sent: Option<(TxFilter, TxSort, String)>,
    waiting_details: Option<ActionId>,
    waiting_export: Option<(ActionId, PathBuf)>,
}

impl TransactionsPage {
    /// Shows everything.
    pub fn new(unit: Unit) -> TransactionsPage {
        TransactionsPage { unit, ..TransactionsPage::default() }
    }

    /// The filter as it stands, at `now` in Unix seconds; `None` while a field is wrong.
    pub fn filter(&mut self, now: i64) -> Option<TxFilter> {
        let min = match self.min_amount.text.trim().is_empty() {
            true => Ok(0),
            false => parse(self.unit, &self.min_amount.text).map_err(|e| e.text()),
        };
        let min_amount = self.min_amount.judge(min);
        let span = dates::span(self.dates, &mut self.from, &mut self.until, now);
        let (from, until) = span?;
        Some(TxFilter {
            text: self.text.trim().to_owned(),
            from,
            until,
            kinds: self.kind.map_or(0, TxKind::bit),
            min_amount: min_amount?,
        })
    }

    /// Another unit: the least amount stays the same.
    pub fn set_unit(&mut self, unit: Unit) {
        if let Ok(gro) = parse(self.unit, &self.min_amount.text) {
            self.min_amount.text = crate::amount::format_field(unit, gro);
        }
        self.unit = unit;
    }

    /// Whether anything is filtered.
    pub fn is_filtered(&self) -> bool {
        !self.text.trim().is_empty()
            || self.dates != DateRange::All
            || self.kind.is_some()
            || !self.min_amount.text.trim().is_empty()
    }

    /// Shows all rows again.
    pub fn clear_filter(&mut self) {
        *self = TransactionsPage {
            sort: self.sort,
            unit: self.unit,
            sent: self.sent.take(),
            ..TransactionsPage::default()
        };
    }

    /// Sorts by a column, or turns the order round.
    pub fn sort_by(&mut self, column: TxSortColumn) {
        let descending = if self.sort.column == column {
            !self.sort.descending
        } else {
            matches!(column, TxSortColumn::Date | TxSortColumn::Amount)
        };
        self.sort = TxSort { column, descending };
    }

    /// Asks for rows if filter, order or wallet have changed. Call it for each frame.
    pub fn update(&mut self, view: &View, backend: &dyn Backend, now: i64) {
        let Some(wallet) = view.wallet_name() else { return };
        let wallet = wallet.to_owned();
        let Some(filter) = self.filter(now) else { return };
        let wanted = (filter, self.sort, wallet);
        if self.sent.as_ref() != Some(&wanted) {
            backend.send(Command::ShowTransactions(wanted.0.clone(), wanted.1));
            self.sent = Some(wanted);
        }
    }

    /// The rows.
    pub fn list(view: &View) -> Option<&TxList> {
        view.wallet.as_ref().map(|wallet| wallet.transactions.as_ref())
    }

    /// These rows, from and before, are drawn.
    pub fn need_rows(&self, view: &View, first: u32, end: u32, backend: &dyn Backend) {
        let Some(list) = TransactionsPage::list(view) else { return };
        let end = end.min(list.matching);
        if (first..end).step_by(50).chain(end.checked_sub(1)).any(|n| n >= first && list.row(n).is_none()) {
            backend.send(Command::NeedRows(first, end));
        }
    }

    /// Shows the details of a transaction.
    pub fn show_details(&mut self, txid: Txid, backend: &dyn Backend) {
        let id = backend.new_action();
        self.waiting_details = Some(id);
        backend.send(Command::ShowDetails(id, txid));
    }

    /// Begins to change the label of a row.
    pub fn start_label(&mut self, row: &TxRow) {
        if !row.address.is_empty() {
            let label = Field::new(row.label.clone());
            self.editing = Some(LabelEdit { address: row.address.clone(), label, waiting: None });
        }
    }

    /// Keeps the label; false if something is wrong with it or it is on its way already.
    pub fn save_label(&mut self, backend: &dyn Backend) -> bool {
        let Some(edit) = self.editing.as_mut().filter(|edit| edit.waiting.is_none()) else { return false };
        let Some(label) = edit.label.judge(crate::validate::free_text(&edit.label.text)) else {
            return false;
        };
        let id = backend.new_action();
        edit.waiting = Some(id);
        backend.send(Command::SetLabel(id, edit.address.clone(), label));
        true
    }

    /// Begins an export: into the home directory, named after wallet and day, unless the user says otherwise.
    pub fn start_export(&mut self, view: &View, now: i64) {
        let plain = |c: char| if c.is_alphanumeric() || "-_".contains(c) { c } else { '_' };
        let wallet: String = view.wallet_name().unwrap_or_default().chars().map(plain).collect();
        let day: String = date_time(now).chars().take(10).collect();
        let parts = ["groestlcoin", wallet.as_str(), day.as_str()].map(str::to_owned);
        let name: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
        let path = std::env::home_dir().unwrap_or_default().join(format!("{}.csv", name.join("-")));
        let path = Field::new(path.display().to_string());
        self.exporting = Some(ExportForm { path, overwrite: false });
        self.message = None;
    }

    /// Whether an export is under way.
    pub fn is_exporting(&self) -> bool {
        self.waiting_export.is_some()
    }

    /// Writes the filtered rows into the file of the form; false while a field is wrong.
    pub fn submit_export(&mut self, backend: &dyn Backend, now: i64) -> bool {
        let Some(filter) = self.filter(now) else { return false };
        let Some(form) = &mut self.exporting else { return false };
        form.path.touch();
        let path = PathBuf::from(form.path.text.trim());
        let good = path.is_absolute() && path.file_name().is_some();
        let verdict = if good { Ok(path) } else { Err(Text::ExportPathWrong.s().to_owned()) };
        let Some(path) = form.path.judge(verdict) else { return false };
        if self.waiting_export.is_some() {
            return false;
        }
        let id = backend.new_action();
        self.waiting_export = Some((id, path.clone()));
        self.message = None;
        let (sort, unit, overwrite) = (self.sort, self.unit, form.overwrite);
        backend.send(Command::ExportCsv(id, CsvExport { path, filter, sort, unit, overwrite }));
        true
    }

    /// Takes replies in. Call it for each new view.
    pub fn refresh(&mut self, view: &View) {
        if let Some(reply) = self.waiting_details.and_then(|id| view.reply(id)) {
            self.waiting_details = None;
            match reply {
                Reply::Details(Some(details)) => self.details = Some(details.clone()),
                Reply::Details(None) => self.message = Some(Text::TxUnknown.s().to_owned()),
                Reply::Failed(text) => self.message = Some(text.clone()),
                _ => {}
            }
        }
        if let Some(edit) = &mut self.editing
            && let Some(reply) = edit.waiting.and_then(|id| view.reply(id))
        {
            edit.waiting = None;
            match reply {
                Reply::Failed(text) => edit.label.error = Some(text.clone()),
                _ => self.editing = None,
            }
        }
        if let Some((id, path)) = self.waiting_export.take() {
            match view.reply(id) {
                None => self.waiting_export = Some((id, path)),
                Some(Reply::Exported(rows)) => {
                    self.exporting = None;
                    self.message =
                        Some(Count::RowsExported.with(u64::from(*rows), &[("file", &path.display())]));
                }
                Some(Reply::Failed(text)) => {
                    let problem = Text::ExportFailed.with(&[("file", &path.display()), ("reason", text)]);
                    match &mut self.exporting {
                        Some(form) => form.path.error = Some(problem),
                        None => self.message = Some(problem),
                    }
                }
                Some(_) => {}
            }
        }
    }
}

/// Name of a kind.
pub fn kind_name(kind: TxKind) -> &'static str {
    match kind {
        TxKind::Received => Text::TxReceived.s(),
        TxKind::Sent => Text::TxSent.s(),
        TxKind::ToSelf => Text::TxToSelf.s(),
        TxKind::Mined => Text::TxMined.s(),
        TxKind::Other => Text::TxOther.s(),
    }
}

/// A status in words.
pub fn status_text(status: TxStatus) -> String {
    match status {
        TxStatus::Unconfirmed => Text::TxUnconfirmed.s().to_owned(),
        TxStatus::Inactive => Text::TxInactive.s().to_owned(),
        TxStatus::Confirming { depth } => Count::Confirming.n(u64::from(depth)),
        TxStatus::Confirmed { depth } => Count::Confirmed.n(u64::from(depth)),
        TxStatus::Immature { blocks_left, .. } => Count::Immature.n(u64::from(blocks_left)),
        TxStatus::Conflicted => Text::TxConflicted.s().to_owned(),
        TxStatus::Abandoned => Text::TxAbandoned.s().to_owned(),
    }
}

/// Whether an amount does not count for good yet; it is then shown in brackets.
pub fn is_pending(status: TxStatus) -> bool {
    !matches!(status, TxStatus::Confirming { .. } | TxStatus::Confirmed { .. })
}

/// The amount of a row: with sign, in brackets while it is not confirmed.
pub fn amount_text(row: &TxRow, unit: Unit) -> String {
    let text = format(unit, row.amount, Style { plus: true, ..Style::default() });
    if is_pending(row.status) { format!("[{text}]") } else { text }
}

/// Label of a row, or its address.
pub fn label_text(row: &TxRow) -> String {
    match (row.label.is_empty(), row.address.is_empty()) {
        (false, _) => row.label.clone(),
        (true, false) => row.address.clone(),
        (true, true) => Text::NoAddress.s().to_owned(),
    }
}

/// A row in one line, for the clipboard and for screen readers.
pub fn row_text(row: &TxRow, unit: Unit) -> String {
    [
        date_time(row.time),
        kind_name(row.kind).to_owned(),
        label_text(row),
        format!("{} {}", amount_text(row, unit), unit.short_name()),
        status_text(row.status),
    ]
    .join(", ")
}

/// The details as text, for the clipboard.
pub fn details_text(details: &TxDetails, unit: Unit) -> String {
    let lines = details_lines(details, unit);
    lines.iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
}

/// The filtered rows in one line: how many, and their sum.
pub fn summary(list: &TxList, unit: Unit) -> String {
    let sum = format(unit, list.sum, Style { plus: true, ..Style::default() });
    let values: [(&str, &dyn std::fmt::Display); 2] = [
        ("all", &crate::format::number(u64::from(list.total))),
        ("sum", &format!("{sum} {}", unit.short_name())),
    ];
    Count::RowsShown.with(u64::from(list.matching), &values)
}

/// Lines of the details: name and value.
pub fn details_lines(details: &TxDetails, unit: Unit) -> Vec<(&'static str, String)> {
    let amount = |gro| format_with_unit(unit, gro);
    let mut out = vec![
        (Text::DetailStatus.s(), status_text(details.status)),
        (Text::DetailDate.s(), date_time(details.time)),
    ];
    for row in &details.rows {
        let name = if row.amount < 0 { Text::DetailTo.s() } else { Text::DetailFrom.s() };
        let who = match (row.label.is_empty(), row.address.is_empty()) {
            (false, false) => Text::ReviewLabelled.with(&[("label", &row.label), ("address", &row.address)]),
            _ => label_text(row),
        };
        out.push((name, format!("{who}: {}", amount(row.amount))));
    }
    if details.debit != 0 {
        out.push((Text::DetailDebit.s(), amount(-details.debit)));
    }
    if details.credit != 0 {
        out.push((Text::DetailCredit.s(), amount(details.credit)));
    }
    if let Some(fee) = details.fee {
        out.push((Text::DetailFee.s(), amount(-fee)));
        let rate = (fee.max(0) as u64).saturating_mul(1000) / u64::from(details.vsize.max(1));
        out.push((Text::DetailRate.s(), crate::format::fee_rate(rate)));
    }
    out.push((Text::DetailNet.s(), amount(details.credit - details.debit)));
    if !details.comment.is_empty() {
        out.push((Text::DetailComment.s(), details.comment.clone()));
    }
    out.push((Text::DetailId.s(), details.txid.to_string()));
    for (name, other) in
        [(Text::DetailReplaces, details.replaces), (Text::DetailReplacedBy, details.replaced_by)]
    {
        out.extend(other.map(|txid| (name.s(), txid.to_string())));
    }
    out.push((
        Text::DetailSize.s(),
        Text::DetailSizeValue.with(&[("size", &details.size), ("vsize", &details.vsize)]),
    ));
    if let Some(height) = details.block_height {
        out.push((Text::DetailBlock.s(), format!("{height} ({})", details.block_hash)));
    }
    out
}
