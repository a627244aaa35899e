//! Overview: balances, newest transactions.

use grs_interfaces::gui::TxRow;

use crate::amount::{Unit, format_masked, format_with_unit};
use crate::texts::Text;
use crate::view::View;

/// A line of the list of balances.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BalanceLine {
    /// What it is.
    pub name: &'static str,
    /// Amount with unit.
    pub amount: String,
    /// Whether this is the sum.
    pub total: bool,
}

/// Balances as shown; immature ones only if there are any. Empty without a wallet.
pub fn balances(view: &View, unit: Unit, masked: bool) -> Vec<BalanceLine> {
    let Some(wallet) = &view.wallet else { return Vec::new() };
    let b = &wallet.snapshot.balances;
    let shown = |gro| if masked { format_masked(unit, gro) } else { format_with_unit(unit, gro) };
    let mut out = vec![
        BalanceLine { name: Text::BalanceAvailable.s(), amount: shown(b.available), total: false },
        BalanceLine { name: Text::BalancePending.s(), amount: shown(b.pending), total: false },
    ];
    if b.immature != 0 {
        out.push(BalanceLine { name: Text::BalanceImmature.s(), amount: shown(b.immature), total: false });
    }
    out.push(BalanceLine { name: Text::BalanceTotal.s(), amount: shown(b.total()), total: true });
    out
}

/// The newest transactions; empty while values are hidden.
pub fn recent(view: &View, masked: bool) -> &[TxRow] {
    match &view.wallet {
        Some(wallet) if !masked => &wallet.snapshot.recent,
        _ => &[],
    }
}
