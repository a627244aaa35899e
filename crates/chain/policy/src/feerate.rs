use std::cmp::Ordering;
use std::fmt;
use std::ops::AddAssign;

use grs_primitives::{Amount, COIN};

/// Unit of amounts in texts.
pub const CURRENCY_UNIT: &str = "GRS";
/// Smallest unit in texts.
pub const CURRENCY_ATOM: &str = "gro";

/// A fee rate: a fee for a number of virtual bytes, kept as both so that nothing is rounded away.
/// Reference: `CFeeRate`.
#[derive(Clone, Copy, Debug, Default)]
pub struct FeeRate {
    fee: i64,
    /// Virtual bytes; zero only for "no rate".
    size: i32,
}

impl FeeRate {
    /// No fee.
    pub const ZERO: FeeRate = FeeRate { fee: 0, size: 1000 };

    /// From gro per 1,000 virtual bytes.
    pub const fn per_kvb(gro: i64) -> FeeRate {
        FeeRate { fee: gro, size: 1000 }
    }

    /// What a transaction pays. A size of zero or less gives no rate.
    pub const fn of(fee: Amount, virtual_bytes: i64) -> FeeRate {
        if virtual_bytes > 0 && virtual_bytes <= i32::MAX as i64 {
            FeeRate { fee: fee.0, size: virtual_bytes as i32 }
        } else {
            FeeRate { fee: 0, size: 0 }
        }
    }

    /// Fee for a size in virtual bytes, rounded up.
    pub fn fee(&self, virtual_bytes: usize) -> Amount {
        if self.size == 0 {
            return Amount::ZERO;
        }
        let (n, d) = (i128::from(self.fee) * virtual_bytes as i128, i128::from(self.size));
        let fee = n.div_euclid(d) + i128::from(n.rem_euclid(d) != 0);
        if fee == 0 && virtual_bytes != 0 && self.fee < 0 {
            return Amount(-1);
        }
        Amount(fee.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }

    /// Gro per 1,000 virtual bytes, rounded down.
    pub fn fee_per_kvb(&self) -> Amount {
        if self.size == 0 {
            return Amount::ZERO;
        }
        Amount((i128::from(self.fee) * 1000).div_euclid(i128::from(self.size)) as i64)
    }

    /// Text in gro per virtual byte, three decimals.
    pub fn to_gro_per_vb(&self) -> String {
        let rate = self.fee_per_kvb().0;
        format!("{}.{:03} {CURRENCY_ATOM}/vB", rate / 1000, rate % 1000)
    }

    /// True when the rate charges nothing.
    pub fn is_zero(&self) -> bool {
        self.fee == 0
    }
}

/// Text in GRS per 1,000 virtual bytes.
impl fmt::Display for FeeRate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.fee_per_kvb().0;
        write!(f, "{}.{:08} {CURRENCY_UNIT}/kvB", rate / COIN, rate % COIN)
    }
}

impl PartialEq for FeeRate {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for FeeRate {}

impl PartialOrd for FeeRate {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for FeeRate {
    fn cmp(&self, other: &Self) -> Ordering {
        let cross = |a: &FeeRate, b: &FeeRate| i128::from(a.fee) * i128::from(b.size.max(1));
        cross(self, other).cmp(&cross(other, self))
    }
}

impl AddAssign for FeeRate {
    fn add_assign(&mut self, other: FeeRate) {
        *self = FeeRate::per_kvb(self.fee_per_kvb().0.saturating_add(other.fee_per_kvb().0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fees_round_up() {
        assert_eq!(FeeRate::per_kvb(1000).fee(9), Amount(9));
        assert_eq!(FeeRate::per_kvb(123).fee(9), Amount(2));
        assert_eq!(FeeRate::per_kvb(-1000).fee(1), Amount(-1));
        assert_eq!(FeeRate::per_kvb(-123).fee(8), Amount(-1));
        assert_eq!(FeeRate::ZERO.fee(100_000), Amount::ZERO);
        assert_eq!(FeeRate::of(Amount(1), 1001).fee_per_kvb(), Amount(0));
        assert_eq!(FeeRate::of(Amount(26), 789).fee_per_kvb(), Amount(32));
        assert_eq!(FeeRate::per_kvb(1).to_string(), "0.00000001 GRS/kvB");
        assert_eq!(FeeRate::per_kvb(20_123).to_gro_per_vb(), "20.123 gro/vB");
        assert!(FeeRate::of(Amount(1), 1000) > FeeRate::ZERO);
        assert_eq!(FeeRate::of(Amount(2), 2000), FeeRate::per_kvb(1));
    }
}
