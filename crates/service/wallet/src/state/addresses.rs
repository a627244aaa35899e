//! The address book. Reference: `CAddressBookData`, `SetAddressBook`.

use std::collections::BTreeSet;

use grs_descriptor::Destination;
use grs_primitives::Script;

use super::State;
use crate::db::DbResult;
use crate::error::WalletResult;
use crate::records::{RecordKey, encode_text, name};

/// What an address is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Purpose {
    /// Ours.
    Receive,
    /// Another's.
    Send,
    /// Of a refund.
    Refund,
}

impl Purpose {
    /// Text in records and RPC.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Purpose::Receive => "receive",
            Purpose::Send => "send",
            Purpose::Refund => "refund",
        }
    }

    /// The purpose of a text.
    pub(crate) fn from_name(name: &str) -> Option<Purpose> {
        [Purpose::Receive, Purpose::Send, Purpose::Refund].into_iter().find(|p| p.name() == name)
    }
}

/// An entry of the address book. Without label it is only about change.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct AddressEntry {
    pub(crate) label: Option<String>,
    pub(crate) purpose: Option<Purpose>,
    /// Coins of this address have been spent.
    pub(crate) previously_spent: bool,
}

impl State {
    /// Sets label and purpose; both are on disk when this returns.
    pub(crate) fn set_address_book(
        &mut self,
        destination: &Destination,
        label: &str,
        purpose: Option<Purpose>,
    ) -> WalletResult<()> {
        let address = self.address(destination);
        self.in_transaction(|state| {
            if let Some(purpose) = purpose {
                let key = RecordKey::new(name::PURPOSE).text(&address);
                state.db.write(key.bytes(), &encode_text(purpose.name()))?;
            }
            Ok(state.db.write(RecordKey::new(name::NAME).text(&address).bytes(), &encode_text(label))?)
        })?;
        self.book_version += 1;
        let entry = self.address_book.entry(destination.clone()).or_default();
        entry.label = Some(label.to_owned());
        if purpose.is_some() {
            entry.purpose = purpose;
        }
        Ok(())
    }

    /// The entry of an address that is not change.
    pub(crate) fn address_entry(&self, destination: &Destination) -> Option<&AddressEntry> {
        self.address_book.get(destination).filter(|e| e.label.is_some())
    }

    /// All labels, of one purpose if given.
    pub(crate) fn labels(&self, purpose: Option<Purpose>) -> BTreeSet<String> {
        self.address_book
            .values()
            .filter(|e| purpose.is_none() || e.purpose == purpose)
            .filter_map(|e| e.label.clone())
            .collect()
    }

    /// Whether coins of an address have been spent while that was kept track of.
    pub(crate) fn is_previously_spent(&self, destination: &Destination) -> bool {
        self.address_book.get(destination).is_some_and(|e| e.previously_spent)
    }

    /// The same for a script.
    pub(crate) fn is_spent_key(&self, script: &Script) -> bool {
        let destination = grs_descriptor::extract_destination(script);
        destination.is_valid() && self.is_previously_spent(&destination)
    }

    /// Notes that coins of an address have been spent.
    pub(crate) fn mark_previously_spent(&mut self, destination: &Destination) -> DbResult<()> {
        let key = RecordKey::new(name::DESTINATION_DATA).text(&self.address(destination)).text("used");
        self.db.write(key.bytes(), &encode_text("1"))?;
        self.address_book.entry(destination.clone()).or_default().previously_spent = true;
        Ok(())
    }

    /// Whether payments to a script of ours count as change.
    pub(crate) fn is_change(&self, script: &Script) -> bool {
        if !self.is_mine(script) {
            return false;
        }
        let destination = grs_descriptor::extract_destination(script);
        !destination.is_valid() || self.address_entry(&destination).is_none()
    }
}
