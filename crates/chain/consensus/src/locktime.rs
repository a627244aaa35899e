//! Absolute and relative lock times. Reference: `src/consensus/tx_verify.cpp`.

use grs_primitives::{
    LOCKTIME_THRESHOLD, SEQUENCE_FINAL, SEQUENCE_LOCKTIME_DISABLE_FLAG, SEQUENCE_LOCKTIME_GRANULARITY,
    SEQUENCE_LOCKTIME_MASK, SEQUENCE_LOCKTIME_TYPE_FLAG, Transaction,
};

use crate::HeaderView;

/// Whether the lock time allows the transaction in a block of this height, `time` being the block's own time
/// or, with BIP113, the median time past of its parent, in seconds.
pub fn is_final_tx(tx: &Transaction, height: i32, time: i64) -> bool {
    if tx.lock_time == 0 {
        return true;
    }
    let limit = if tx.lock_time < LOCKTIME_THRESHOLD { i64::from(height) } else { time };
    i64::from(tx.lock_time) < limit || tx.inputs.iter().all(|i| i.sequence == SEQUENCE_FINAL)
}

/// The last height and the last time at which a transaction may not be in a block; -1 for no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SequenceLock {
    /// Height of a block.
    pub height: i32,
    /// Median time past of a block's parent, in seconds.
    pub time: i64,
}

impl SequenceLock {
    /// No limit.
    pub const NONE: SequenceLock = SequenceLock { height: -1, time: -1 };
}

/// Relative lock times (BIP68) of a transaction in a block behind `prev`. `coin_heights` are the heights of the
/// spent outputs, input by input; those without a lock are set to 0. With `enforce` false there is no limit.
pub fn calculate_sequence_locks<H: HeaderView>(
    tx: &Transaction,
    enforce: bool,
    coin_heights: &mut [i32],
    prev: H,
) -> SequenceLock {
    let mut lock = SequenceLock::NONE;
    if !enforce || tx.version < 2 {
        return lock;
    }
    for (input, coin_height) in tx.inputs.iter().zip(coin_heights) {
        if input.sequence & SEQUENCE_LOCKTIME_DISABLE_FLAG != 0 {
            *coin_height = 0;
            continue;
        }
        let value = input.sequence & SEQUENCE_LOCKTIME_MASK;
        if input.sequence & SEQUENCE_LOCKTIME_TYPE_FLAG != 0 {
            // Counted from the earliest time that the coin's block could have had. A coin is never above the
            // block that spends it, so the ancestor exists.
            let base = prev.ancestor((*coin_height - 1).max(0)).unwrap_or(prev);
            let span = i64::from(value << SEQUENCE_LOCKTIME_GRANULARITY);
            lock.time = lock.time.max(base.median_time_past() + span - 1);
        } else {
            lock.height = lock.height.max(coin_height.saturating_add(value as i32 - 1));
        }
    }
    lock
}

/// Whether a block behind `prev` is past the lock.
pub fn evaluate_sequence_locks<H: HeaderView>(lock: SequenceLock, prev: H) -> bool {
    lock.height <= prev.height() && (lock.time < 0 || lock.time < prev.median_time_past())
}

/// Whether the relative lock times allow the transaction in a block behind `prev`.
pub fn sequence_locks<H: HeaderView>(
    tx: &Transaction,
    enforce: bool,
    coin_heights: &mut [i32],
    prev: H,
) -> bool {
    let lock = calculate_sequence_locks(tx, enforce, coin_heights, prev);
    // Most transactions have no limit; the median need not be computed for them.
    lock == SequenceLock::NONE || evaluate_sequence_locks(lock, prev)
}

#[cfg(test)]
mod tests {
    use grs_primitives::{HashedHeader, Header, MutableTransaction, OutPoint, TxIn};

    use super::*;
    use crate::HeaderList;

    fn tx(version: u32, lock_time: u32, sequences: &[u32]) -> Transaction {
        let inputs = sequences.iter().map(|s| TxIn::new(OutPoint::NULL, *s)).collect();
        Transaction::from(MutableTransaction { version, inputs, outputs: Vec::new(), lock_time })
    }

    #[test]
    fn finality() {
        assert!(is_final_tx(&tx(1, 0, &[0]), 0, 0));
        assert!(!is_final_tx(&tx(1, 100, &[0]), 100, 0));
        assert!(is_final_tx(&tx(1, 100, &[0]), 101, 0));
        assert!(is_final_tx(&tx(1, 100, &[SEQUENCE_FINAL]), 100, 0));
        assert!(!is_final_tx(&tx(1, 100, &[SEQUENCE_FINAL, 1]), 100, 0));
        assert!(!is_final_tx(&tx(1, LOCKTIME_THRESHOLD, &[0]), i32::MAX, i64::from(LOCKTIME_THRESHOLD)));
        assert!(is_final_tx(&tx(1, LOCKTIME_THRESHOLD, &[0]), 1, i64::from(LOCKTIME_THRESHOLD) + 1));
        assert!(!is_final_tx(&tx(1, LOCKTIME_THRESHOLD - 1, &[0]), 499_999_999, i64::MAX));
    }

    #[test]
    fn relative_locks() {
        let mut list = HeaderList::new(0);
        for i in 0..30_u32 {
            list.push(HashedHeader::new(Header { time: 1000 * i, ..Header::default() }));
        }
        let prev = list.tip().unwrap();
        let run = |version, sequence, height: i32| {
            calculate_sequence_locks(&tx(version, 0, &[sequence]), true, &mut [height], prev)
        };
        assert_eq!(run(1, 5, 20), SequenceLock::NONE);
        assert_eq!(run(2, 5, 20), SequenceLock { height: 24, time: -1 });
        assert_eq!(run(u32::MAX, 5, 20), SequenceLock { height: 24, time: -1 });
        let kind = SEQUENCE_LOCKTIME_TYPE_FLAG;
        let median = list.at(19).unwrap().median_time_past();
        assert_eq!(run(2, kind | 3, 20), SequenceLock { height: -1, time: median + 3 * 512 - 1 });
        assert_eq!(run(2, kind, 0), SequenceLock { height: -1, time: -1 });
        let mut heights = [20];
        let locked = tx(2, 0, &[SEQUENCE_LOCKTIME_DISABLE_FLAG | 5]);
        assert_eq!(calculate_sequence_locks(&locked, true, &mut heights, prev), SequenceLock::NONE);
        assert_eq!(heights, [0]);
        // The block has height 30: a coin of height 20 with 10 blocks passes, with 11 it does not.
        assert!(sequence_locks(&tx(2, 0, &[10]), true, &mut [20], prev));
        assert!(!sequence_locks(&tx(2, 0, &[11]), true, &mut [20], prev));
        assert!(sequence_locks(&tx(2, 0, &[11]), false, &mut [20], prev));
        let now = prev.median_time_past();
        assert!(evaluate_sequence_locks(SequenceLock { height: -1, time: now - 1 }, prev));
        assert!(!evaluate_sequence_locks(SequenceLock { height: -1, time: now }, prev));
    }
}
