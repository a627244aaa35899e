//! The wallets as a window sees them: `grs_interfaces::gui`. Reference: `src/wallet/interfaces.cpp`, `src/qt`.

mod list;
mod payment;
mod requests;
mod signal;
mod view;
mod wallets;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use grs_descriptor::Destination;
use grs_interfaces::gui::{AddressKind, SendToken};

pub(crate) use payment::TOKEN_VALUE;
pub(crate) use signal::Signal;
pub(crate) use wallets::GuiWallets;

use grs_descriptor::OutputType;

/// Confirmations after which a payment counts as settled. Reference: `RecommendedNumConfirmations`.
const SETTLED: i32 = 6;

/// What a wallet keeps for windows.
#[derive(Default)]
pub(crate) struct GuiState {
    /// Something that windows show has changed.
    pub(crate) changed: Signal,
    /// Grows with each change of the requests for payment.
    requests: std::sync::atomic::AtomicU64,
    list: Mutex<list::ListCache>,
    /// Change addresses that previews have taken; the next preview uses them again.
    change: Mutex<BTreeMap<OutputType, Destination>>,
    /// Orders that must not be carried out any more.
    void: Mutex<BTreeSet<SendToken>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn output_type(kind: AddressKind) -> OutputType {
    match kind {
        AddressKind::Legacy => OutputType::Legacy,
        AddressKind::P2shSegwit => OutputType::P2shSegwit,
        AddressKind::Bech32 => OutputType::Bech32,
        AddressKind::Bech32m => OutputType::Bech32m,
    }
}

fn address_kind(kind: OutputType) -> Option<AddressKind> {
    AddressKind::ALL.into_iter().find(|k| output_type(*k) == kind)
}
