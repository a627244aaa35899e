//! Receive: make a request for payment, and the history of requests.

use grs_interfaces::gui::{AddressKind, NewReceiveRequest, ReceiveRequest};

use crate::amount::{Unit, format_field, parse};
use crate::field::Field;
use crate::texts::Text;
use crate::uri::PaymentUri;
use crate::validate;
use crate::view::{ActionId, Backend, Command, Reply, View};

/// Column of the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum RequestColumn {
    /// When it was made.
    #[default]
    Date,
    /// Label.
    Label,
    /// Message.
    Message,
    /// Amount.
    Amount,
}

/// The page.
#[derive(Debug, Clone)]
pub struct ReceivePage {
    /// Kind of address; `None`: the wallet's own choice.
    pub kind: Option<AddressKind>,
    /// Label.
    pub label: Field,
    /// Amount; empty: any.
    pub amount: Field,
    /// Unit of the amount.
    pub unit: Unit,
    /// Message for the payer.
    pub message: Field,
    /// The request that is shown.
    pub shown: Option<ReceiveRequest>,
    /// What went wrong beyond single fields.
    pub problem: Option<String>,
    /// Column by which the history is sorted.
    pub sort: RequestColumn,
    /// The largest first.
    pub descending: bool,
    waiting: Option<ActionId>,
}

impl ReceivePage {
    /// An empty form.
    pub fn new(unit: Unit) -> ReceivePage {
        ReceivePage {
            kind: None,
            label: Field::default(),
            amount: Field::default(),
            unit,
            message: Field::default(),
            shown: None,
            problem: None,
            sort: RequestColumn::Date,
            descending: true,
            waiting: None,
        }
    }

    /// Empties the form.
    pub fn clear(&mut self) {
        self.label.clear();
        self.amount.clear();
        self.message.clear();
        self.problem = None;
    }

    /// Another unit: the amount stays the same.
    pub fn set_unit(&mut self, unit: Unit) {
        if let Ok(gro) = parse(self.unit, &self.amount.text) {
            self.amount.text = format_field(unit, gro);
        }
        self.unit = unit;
    }

    /// Kinds to choose from, the first being the wallet's own choice.
    pub fn kinds(view: &View) -> Vec<AddressKind> {
        let Some(wallet) = &view.wallet else { return Vec::new() };
        let mut kinds = wallet.info.address_kinds.clone();
        kinds.sort_by_key(|kind| *kind != wallet.info.default_address_kind);
        kinds
    }

    /// Whether an address can be made now.
    pub fn possible(&self, view: &View) -> bool {
        view.wallet_fresh() && self.waiting.is_none() && !ReceivePage::kinds(view).is_empty()
    }

    /// Checks all fields. The request, if all is well.
    pub fn check(&mut self, view: &View) -> Option<NewReceiveRequest> {
        let label = self.label.judge(validate::free_text(&self.label.text));
        let message = self.message.judge(validate::free_text(&self.message.text));
        let amount = self.amount.judge(validate::request_amount(&self.amount.text, self.unit));
        let kinds = ReceivePage::kinds(view);
        let address_kind = self.kind.filter(|kind| kinds.contains(kind)).or(kinds.first().copied())?;
        Some(NewReceiveRequest { address_kind, label: label?, amount: amount?, message: message? })
    }

    /// Makes an address for what is in the form; false if something is wrong.
    pub fn create(&mut self, view: &View, backend: &dyn Backend) -> bool {
        if !self.possible(view) {
            return false;
        }
        let Some(request) = self.check(view) else { return false };
        let id = backend.new_action();
        self.waiting = Some(id);
        self.problem = None;
        backend.send(Command::NewRequest(id, request));
        true
    }

    /// Forgets a request.
    pub fn remove(&mut self, request: &ReceiveRequest, backend: &dyn Backend) {
        if self.shown.as_ref() == Some(request) {
            self.shown = None;
        }
        backend.send(Command::RemoveRequest(backend.new_action(), request.address.clone(), request.id));
    }

    /// Takes replies in. Call it for each new view.
    pub fn refresh(&mut self, view: &View) {
        let Some(id) = self.waiting else { return };
        match view.reply(id) {
            None => return,
            Some(Reply::Request(request)) => {
                self.shown = Some(request.clone());
                self.clear();
            }
            Some(Reply::Failed(text)) => self.problem = Some(text.clone()),
            Some(_) => {}
        }
        self.waiting = None;
    }

    /// The history, sorted.
    pub fn history(&self, view: &View) -> Vec<ReceiveRequest> {
        let Some(wallet) = &view.wallet else { return Vec::new() };
        let mut rows = wallet.requests.as_ref().clone();
        match self.sort {
            RequestColumn::Date => rows.sort_by_key(|r| (r.time, r.id)),
            RequestColumn::Label => rows.sort_by_cached_key(|r| r.label.to_lowercase()),
            RequestColumn::Message => rows.sort_by_cached_key(|r| r.message.to_lowercase()),
            RequestColumn::Amount => rows.sort_by_key(|r| r.amount),
        }
        if self.descending {
            rows.reverse();
        }
        rows
    }

    /// Sorts by a column, or turns the order round.
    pub fn sort_by(&mut self, column: RequestColumn) {
        self.descending = if self.sort == column { !self.descending } else { column == RequestColumn::Date };
        self.sort = column;
    }
}

/// The URI of a request.
pub fn uri(request: &ReceiveRequest) -> String {
    PaymentUri {
        address: request.address.clone(),
        amount: request.amount,
        label: request.label.clone(),
        message: request.message.clone(),
    }
    .to_text()
}

/// Name of a kind of address.
pub fn kind_name(kind: AddressKind) -> &'static str {
    match kind {
        AddressKind::Legacy => Text::KindLegacy.s(),
        AddressKind::P2shSegwit => Text::KindP2sh.s(),
        AddressKind::Bech32 => Text::KindBech32.s(),
        AddressKind::Bech32m => Text::KindBech32m.s(),
    }
}
