//! Payments: which coins, which fee, which change. Reference: `src/wallet/spend.cpp`, `coinselection.cpp`.

mod available;

pub(crate) use available::{CoinFilter, CoinKind, SpendableCoin, available_coins, input_weight, is_segwit};
