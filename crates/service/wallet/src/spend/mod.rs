//! Payments: which coins, which fee, which change. Reference: `src/wallet/spend.cpp`, `coinselection.cpp`.

mod algorithms;
mod available;
mod create;
mod fees;
mod select;

pub(crate) use available::{CoinFilter, available_coins};
pub(crate) use create::{CoinControl, CreatedTransaction, Recipient, signed_size, version_mismatch};
pub(crate) use fees::reason_text;
pub(crate) use select::{TRUC_CHILD_MAX_WEIGHT, TRUC_MAX_WEIGHT};

/// Puts items in random order.
pub(crate) fn shuffle<T>(items: &mut [T]) {
    algorithms::Rng::new().shuffle(items);
}
