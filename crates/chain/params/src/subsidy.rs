//! Block subsidy. Each step of the reference's loops truncates, so there is no closed form; the values of all
//! steps are computed at compile time. Reference: `src/groestlcoin.cpp`, `GetBlockSubsidy`.

use grs_primitives::{Amount, COIN};

const PREMINE: i64 = 240_640 * COIN;
const MINIMUM: i64 = 5 * COIN;

/// From this height on the subsidy is 5 coins for ever.
pub const FIRST_MINIMUM_SUBSIDY_HEIGHT: i32 = 150_000 + 161 * 10_080;

/// Starts of the second and third schedule.
const SECOND: i32 = 120_000;
const THIRD: i32 = 150_000;

const fn steps<const N: usize>(start: i64, numerator: i64, denominator: i64, minimum: i64) -> [i64; N] {
    let mut table = [0; N];
    let mut value = start;
    let mut i = 0;
    while i < N {
        table[i] = if value < minimum { minimum } else { value };
        value = value * numerator / denominator;
        i += 1;
    }
    table
}

/// -6 % every 10080 blocks.
static EARLY: [i64; 12] = steps(512 * COIN, 47, 50, MINIMUM);
/// -10 % every 1440 blocks, without minimum.
static MIDDLE: [i64; 21] = steps(250 * COIN, 45, 50, 0);
/// -1 % every 10080 blocks.
static LATE: [i64; 161] = steps(25 * COIN, 99, 100, MINIMUM);

/// New coins that the block at `height` may create; the same on every network.
pub fn block_subsidy(height: i32) -> Amount {
    let late = |from: i32, blocks: i32| ((height - from) / blocks) as usize;
    Amount(match height {
        0 => 0,
        1 => PREMINE,
        ..0 => EARLY[0],
        2..SECOND => EARLY[late(0, 10_080)],
        SECOND..THIRD => MIDDLE[late(SECOND, 1_440)],
        _ => LATE.get(late(THIRD, 10_080)).copied().unwrap_or(MINIMUM),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rule as written: a loop per height.
    fn slow(height: i32) -> i64 {
        let run = |start: i64, n: i32, a: i64, b: i64| (0..n).fold(start * COIN, |s, _| s * a / b);
        match height {
            0 => 0,
            1 => PREMINE,
            h if h < SECOND => run(512, h / 10_080, 47, 50).max(MINIMUM),
            h if h < THIRD => run(250, (h - SECOND) / 1_440, 45, 50),
            h => run(25, (h - THIRD) / 10_080, 99, 100).max(MINIMUM),
        }
    }

    #[test]
    fn table_equals_loop() {
        for height in (0..2_200_000).step_by(120) {
            for h in [height, height + 1, height + 119] {
                assert_eq!(block_subsidy(h).to_gro(), slow(h), "{h}");
            }
        }
    }

    #[test]
    fn floor_begins_where_stated() {
        assert!(block_subsidy(FIRST_MINIMUM_SUBSIDY_HEIGHT - 1) > Amount::from_coins(5));
        assert_eq!(block_subsidy(FIRST_MINIMUM_SUBSIDY_HEIGHT), Amount::from_coins(5));
        assert_eq!(block_subsidy(i32::MAX), Amount::from_coins(5));
        assert_eq!(FIRST_MINIMUM_SUBSIDY_HEIGHT, 1_772_880);
    }
}
