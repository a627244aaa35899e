use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Neg, Sub, SubAssign};

/// Groestls (gro) in one coin.
pub const COIN: i64 = 100_000_000;
/// The largest valid amount, in gro: 105,000,000 coins.
pub const MAX_MONEY: i64 = 105_000_000 * COIN;

/// An amount in gro (1e-8 GRS). May be negative (fees, differences) and out of the money range (decoded
/// data): rules check with [`money_range`].
///
/// Operators do not overflow for amounts in the money range; sums over untrusted values use
/// [`Amount::checked_add`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(pub i64);

/// True for 0 to [`MAX_MONEY`].
pub const fn money_range(amount: Amount) -> bool {
    amount.0 >= 0 && amount.0 <= MAX_MONEY
}

impl Amount {
    /// Nothing.
    pub const ZERO: Amount = Amount(0);
    /// The largest valid amount.
    pub const MAX_MONEY: Amount = Amount(MAX_MONEY);

    /// From whole coins.
    pub const fn from_coins(coins: i64) -> Amount {
        Amount(coins * COIN)
    }
    /// In gro.
    pub const fn to_gro(self) -> i64 {
        self.0
    }
    /// Sum, or `None` on overflow of the integer.
    pub const fn checked_add(self, other: Amount) -> Option<Amount> {
        match self.0.checked_add(other.0) {
            Some(n) => Some(Amount(n)),
            None => None,
        }
    }
    /// Difference, or `None` on overflow of the integer.
    pub const fn checked_sub(self, other: Amount) -> Option<Amount> {
        match self.0.checked_sub(other.0) {
            Some(n) => Some(Amount(n)),
            None => None,
        }
    }
    /// Text with eight decimals, as RPC shows amounts.
    pub fn to_decimal(self) -> String {
        let (n, sign) = (self.0.unsigned_abs(), if self.0 < 0 { "-" } else { "" });
        format!("{sign}{}.{:08}", n / COIN as u64, n % COIN as u64)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_decimal())
    }
}

impl fmt::Debug for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Amount({self})")
    }
}

impl Add for Amount {
    type Output = Amount;
    fn add(self, other: Amount) -> Amount {
        Amount(self.0.wrapping_add(other.0))
    }
}

impl Sub for Amount {
    type Output = Amount;
    fn sub(self, other: Amount) -> Amount {
        Amount(self.0.wrapping_sub(other.0))
    }
}

impl Neg for Amount {
    type Output = Amount;
    fn neg(self) -> Amount {
        Amount(self.0.wrapping_neg())
    }
}

impl AddAssign for Amount {
    fn add_assign(&mut self, other: Amount) {
        *self = *self + other;
    }
}

impl SubAssign for Amount {
    fn sub_assign(&mut self, other: Amount) {
        *self = *self - other;
    }
}

impl Sum for Amount {
    fn sum<I: Iterator<Item = Amount>>(iter: I) -> Amount {
        iter.fold(Amount::ZERO, |a, b| a + b)
    }
}
