//! A recipient in the form.

use grs_interfaces::gui::SendRecipient;
use grs_params::Network;

use crate::amount::{Unit, format_field, parse};
use crate::field::Field;
use crate::uri::PaymentUri;
use crate::validate;

/// How the fee is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum FeeMode {
    /// By the time it should take.
    #[default]
    Target,
    /// By a rate.
    Rate,
}

/// Fields of a recipient.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecipientForm {
    /// Address.
    pub address: Field,
    /// Label.
    pub label: Field,
    /// Amount in [`RecipientForm::unit`].
    pub amount: Field,
    /// Unit of the amount.
    pub unit: Unit,
    /// Take a share of the fee from the amount.
    pub subtract_fee: bool,
    /// From a URI; shown only.
    pub message: String,
}

impl RecipientForm {
    pub(super) fn new(unit: Unit, subtract_fee: bool) -> RecipientForm {
        RecipientForm { unit, subtract_fee, ..RecipientForm::default() }
    }

    /// Whether nothing has been filled in.
    pub fn is_empty(&self) -> bool {
        self.address.text.is_empty() && self.amount.text.is_empty() && self.label.text.is_empty()
    }

    pub(super) fn touch(&mut self) {
        self.address.touch();
        self.label.touch();
        self.amount.touch();
    }

    pub(super) fn clean_address(&self) -> String {
        validate::clean_address(&self.address.text)
    }

    /// The amount in gro, if it is one.
    pub fn gro(&self) -> Option<i64> {
        parse(self.unit, &self.amount.text).ok()
    }

    /// Another unit: the amount stays the same.
    pub fn set_unit(&mut self, unit: Unit) {
        if let Some(gro) = self.gro() {
            self.amount.text = format_field(unit, gro);
        }
        self.unit = unit;
    }

    /// The user has left the amount: it is written properly if it is one.
    pub fn tidy_amount(&mut self) {
        self.amount.touch();
        if let Some(gro) = self.gro() {
            self.amount.text = format_field(self.unit, gro);
        }
    }

    pub(super) fn fill(&mut self, uri: &PaymentUri) {
        self.address = Field::new(uri.address.clone());
        self.label = Field::new(uri.label.clone());
        self.message.clone_from(&uri.message);
        if uri.amount > 0 {
            self.amount = Field::new(format_field(self.unit, uri.amount));
        }
    }

    pub(super) fn check(&mut self, network: Network) -> Option<SendRecipient> {
        let verdict = validate::address(&self.address.text, network);
        let destination = self.address.judge(verdict);
        let verdict = validate::payment(&self.amount.text, self.unit, destination.as_ref());
        let amount = self.amount.judge(verdict);
        let verdict = validate::free_text(&self.label.text);
        let label = self.label.judge(verdict);
        destination?;
        Some(SendRecipient {
            address: self.clean_address(),
            label: label?,
            amount: amount?,
            subtract_fee: self.subtract_fee,
        })
    }
}
