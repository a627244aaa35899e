use std::cmp::Ordering;
use std::ops::{Add, AddAssign, Sub, SubAssign};

/// A fee in gro with a size in any one unit (the mempool uses weight adjusted for sigops), compared as the rate
/// fee / size. Reference: `FeeFrac`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Hash)]
pub struct FeeSize {
    /// Fee in gro; prioritisation can make it negative.
    pub fee: i64,
    /// Size; zero only for nothing at all.
    pub size: i64,
}

impl FeeSize {
    /// No fee, no size.
    pub const EMPTY: FeeSize = FeeSize { fee: 0, size: 0 };

    /// Puts both together.
    pub const fn new(fee: i64, size: i64) -> FeeSize {
        FeeSize { fee, size }
    }

    /// Compares the rates, exactly.
    pub fn compare_rate(&self, other: &FeeSize) -> Ordering {
        (i128::from(self.fee) * i128::from(other.size)).cmp(&(i128::from(other.fee) * i128::from(self.size)))
    }

    /// True when this rate is higher.
    pub fn better_than(&self, other: &FeeSize) -> bool {
        self.compare_rate(other) == Ordering::Greater
    }
}

impl Add for FeeSize {
    type Output = FeeSize;
    fn add(self, other: FeeSize) -> FeeSize {
        FeeSize::new(self.fee.saturating_add(other.fee), self.size.saturating_add(other.size))
    }
}

impl Sub for FeeSize {
    type Output = FeeSize;
    fn sub(self, other: FeeSize) -> FeeSize {
        FeeSize::new(self.fee.saturating_sub(other.fee), self.size.saturating_sub(other.size))
    }
}

impl AddAssign for FeeSize {
    fn add_assign(&mut self, other: FeeSize) {
        *self = *self + other;
    }
}

impl SubAssign for FeeSize {
    fn sub_assign(&mut self, other: FeeSize) {
        *self = *self - other;
    }
}

impl std::iter::Sum for FeeSize {
    fn sum<I: Iterator<Item = FeeSize>>(iter: I) -> FeeSize {
        iter.fold(FeeSize::EMPTY, |a, b| a + b)
    }
}
