use grs_policy::FeeRate;
use grs_primitives::Amount;

/// Highest rate that is told to peers, in gro per 1,000 virtual bytes.
const MAX_FILTER_RATE: f64 = 1e7;
/// Factor between rates.
const FILTER_SPACING: f64 = 1.1;

/// Rounds the lowest rate a node takes before it tells it to peers, so that the exact one does not identify the node.
/// Reference: `FeeFilterRounder`.
#[derive(Clone, Debug)]
pub struct FeeFilterRounder {
    rates: Vec<f64>,
}

impl FeeFilterRounder {
    /// With the increment of the node's relay policy.
    pub fn new(incremental: FeeRate) -> FeeFilterRounder {
        let mut rates = vec![0.0];
        let mut rate = (incremental.fee_per_kvb().0 / 2).max(1) as f64;
        while rate <= MAX_FILTER_RATE {
            rates.push(rate);
            rate *= FILTER_SPACING;
        }
        FeeFilterRounder { rates }
    }

    /// Down two times of three, otherwise up; `random` decides.
    pub fn round(&self, rate: Amount, random: u32) -> Amount {
        let at = self.rates.partition_point(|r| *r < rate.0 as f64);
        let down = at == self.rates.len() || (at > 0 && !random.is_multiple_of(3));
        Amount(self.rates[at - usize::from(down)] as i64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_to_the_neighbours() {
        let rounder = FeeFilterRounder::new(FeeRate::per_kvb(100));
        assert_eq!(rounder.round(Amount(0), 1), Amount(0));
        assert_eq!((rounder.round(Amount(52), 0), rounder.round(Amount(52), 1)), (Amount(55), Amount(50)));
        assert_eq!(rounder.round(Amount(1), 2), Amount(0));
        assert!(rounder.round(Amount(i64::MAX), 0).0 <= 10_000_000);
    }
}
