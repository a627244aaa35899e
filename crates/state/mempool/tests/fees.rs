//! The fee estimator: against a literal model that decays at every block, its answers, its file.

mod common;

use std::sync::Arc;

use grs_hashes::Txid;
use grs_mempool::fees::{
    BlockPolicyEstimator, EstimateReason, FeeEstimateHorizon, FeeEstimator, FeeFileError,
};
use grs_mempool::{MempoolInterface, NewMempoolTx, RemovedMempoolTx};
use grs_policy::FeeRate;
use grs_primitives::{Amount, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut, TxRef};

fn tx(n: u32) -> TxRef {
    Arc::new(Transaction::from(MutableTransaction {
        version: 2,
        inputs: vec![TxIn::new(OutPoint::new(Txid::from_bytes([7; 32]), n), 0)],
        outputs: vec![TxOut::new(Amount(1), Script::from(vec![0x51]))],
        lock_time: 0,
    }))
}

fn new(tx: &TxRef, fee: i64, height: u32) -> NewMempoolTx {
    NewMempoolTx {
        tx: tx.clone(),
        fee: Amount(fee),
        vsize: 200,
        height,
        bypassed_limits: false,
        in_package: false,
        no_parents: true,
        chain_is_current: true,
        sequence: 1,
    }
}

fn removed(tx: &TxRef, fee: i64, height: u32) -> RemovedMempoolTx {
    RemovedMempoolTx { tx: tx.clone(), fee: Amount(fee), vsize: 200, height }
}

/// Transactions of ten fees at each height; the better a fee the sooner they are confirmed.
struct Market {
    estimator: BlockPolicyEstimator,
    height: u32,
    waiting: Vec<(TxRef, i64, u32)>,
    count: u32,
}

impl Market {
    fn new() -> Market {
        let mut estimator = BlockPolicyEstimator::new();
        estimator.process_block(&[], 1);
        Market { estimator, height: 1, waiting: Vec::new(), count: 0 }
    }

    fn block(&mut self) {
        for level in 1..=10_i64 {
            for _ in 0..4 {
                let (tx, fee) = (tx(self.count), level * 1000);
                self.count += 1;
                self.estimator.process_transaction(&new(&tx, fee, self.height));
                self.waiting.push((tx, fee, self.height));
            }
        }
        self.height += 1;
        let height = self.height;
        // Level 10 waits for one block, level 1 for ten.
        let due = |w: &(TxRef, i64, u32)| i64::from(height - w.2) > 10 - w.1 / 1000;
        let done: Vec<RemovedMempoolTx> =
            self.waiting.iter().filter(|w| due(w)).map(|w| removed(&w.0, w.1, w.2)).collect();
        self.waiting.retain(|w| !due(w));
        self.estimator.process_block(&done, height);
    }
}

#[test]
fn estimates_follow_the_market() {
    let mut market = Market::new();
    assert_eq!(market.estimator.estimate_smart_fee(2, true).rate, FeeRate::ZERO);
    for _ in 0..100 {
        market.block();
    }
    let estimator = &mut market.estimator;
    let rate = |e: &mut BlockPolicyEstimator, target| {
        let (rate, _) = e.estimate_raw_fee(target, 0.85, FeeEstimateHorizon::Medium).unwrap();
        rate.fee_per_kvb().0
    };
    // 200 virtual bytes each; the medium horizon counts pairs of blocks.
    assert_eq!(rate(estimator, 2), 45_000);
    assert_eq!(rate(estimator, 4), 35_000);
    assert_eq!(rate(estimator, 10), 5000);
    let mut last = i64::MAX;
    for target in 2..=20 {
        let smart = estimator.estimate_smart_fee(target, false);
        assert!(smart.rate.fee_per_kvb().0 <= last && smart.reason != EstimateReason::None);
        assert_eq!((smart.desired_target, smart.returned_target), (target, target));
        last = smart.rate.fee_per_kvb().0;
    }
    // 99 blocks since the first was recorded.
    let far = estimator.estimate_smart_fee(1008, true);
    assert_eq!((far.desired_target, far.returned_target, far.best_height), (1008, 49, 101));
    for target in [-1, 0, 1009] {
        let none = estimator.estimate_smart_fee(target, true);
        assert_eq!((none.rate, none.returned_target), (FeeRate::ZERO, target));
    }
    assert_eq!(estimator.estimate_smart_fee(1, false).returned_target, 2);
    assert!(estimator.estimate_raw_fee(13, 0.5, FeeEstimateHorizon::Short).is_none());
    assert!(estimator.estimate_raw_fee(12, 1.5, FeeEstimateHorizon::Short).is_none());
    let maxima = FeeEstimateHorizon::ALL.map(|h| estimator.highest_target_tracked(h));
    assert_eq!(maxima, [12, 48, 1008]);
}

#[test]
fn what_does_not_count() {
    let mut estimator = BlockPolicyEstimator::new();
    estimator.process_block(&[], 10);
    let (a, b) = (tx(1), tx(2));
    for change in [
        |t: &mut NewMempoolTx| t.bypassed_limits = true,
        |t: &mut NewMempoolTx| t.in_package = true,
        |t: &mut NewMempoolTx| t.no_parents = false,
        |t: &mut NewMempoolTx| t.chain_is_current = false,
        |t: &mut NewMempoolTx| t.height = 9,
    ] {
        let mut event = new(&a, 1000, 10);
        change(&mut event);
        estimator.process_transaction(&event);
        assert!(!estimator.remove_tx(&a.txid()));
    }
    estimator.process_transaction(&new(&a, 1000, 10));
    estimator.process_transaction(&new(&b, 1000, 10));
    assert!(estimator.remove_tx(&a.txid()) && !estimator.remove_tx(&a.txid()));
    // A block that is not higher than the last is another branch's.
    estimator.process_block(&[removed(&b, 1000, 10)], 10);
    assert_eq!(estimator.flush_unconfirmed(), 1);
    assert_eq!(estimator.flush_unconfirmed(), 0);
}

/// Averages of one horizon, decayed at each block.
struct Literal {
    decay: f64,
    scale: u32,
    count: f64,
    rate: f64,
}

#[test]
fn decay_is_the_same_when_it_is_put_off() {
    let mut estimator = BlockPolicyEstimator::new();
    let mut models = [(0.962, 1), (0.9952, 2), (0.99931, 24)].map(|(decay, scale)| Literal {
        decay,
        scale,
        count: 0.0,
        rate: 0.0,
    });
    estimator.process_block(&[], 1);
    let mut height = 1;
    for (n, gap) in [1_u32, 5, 1, 40, 300, 2, 2, 700, 1].into_iter().enumerate() {
        let tx = tx(n as u32);
        estimator.process_transaction(&new(&tx, 700, height));
        let entered = height;
        for i in 1..=gap {
            height += 1;
            let done = if i == gap { vec![removed(&tx, 700, entered)] } else { Vec::new() };
            estimator.process_block(&done, height);
            models.iter_mut().for_each(|m| (m.count, m.rate) = (m.count * m.decay, m.rate * m.decay));
        }
        models.iter_mut().for_each(|m| (m.count, m.rate) = (m.count + 1.0, m.rate + 3500.0));
        for (horizon, model) in FeeEstimateHorizon::ALL.into_iter().zip(&models) {
            let (_, found) = estimator.estimate_raw_fee(1, 0.0, horizon).unwrap();
            // All there is lies in one bucket; without enough of it the range is reported as failed.
            let seen = if found.pass.start >= 0.0 { found.pass } else { found.fail };
            assert_eq!(seen.total_confirmed, model.count, "{horizon:?} at {height}");
            assert_eq!((found.decay, found.scale), (model.decay, model.scale));
        }
    }
    assert!(models.iter().all(|m| m.rate > 0.0));
}

#[test]
fn the_file_holds_everything() {
    let mut market = Market::new();
    for _ in 0..60 {
        market.block();
    }
    market.estimator.flush_unconfirmed();
    let bytes = market.estimator.to_bytes();
    assert_eq!(bytes[..8], [0x8c, 0xba, 4, 0, 61, 0, 0, 0]);
    let mut back = BlockPolicyEstimator::from_bytes(&bytes).unwrap();
    for target in 2..30 {
        let (a, b) =
            (market.estimator.estimate_smart_fee(target, true), back.estimate_smart_fee(target, true));
        assert_eq!((a.rate, a.estimation, a.reason), (b.rate, b.estimation, b.reason));
    }
    assert_eq!(back.to_bytes(), bytes);
    // Half of the recorded blocks, until a week of them has passed.
    assert_eq!(back.estimate_smart_fee(1008, true).returned_target, 29);
    back.process_block(&[], 61 + 6 * 1008 + 1);
    assert_eq!(back.estimate_smart_fee(2, true).returned_target, 0);

    let damaged = |at: usize, with: &[u8]| {
        let mut copy = bytes.clone();
        copy[at..at + with.len()].copy_from_slice(with);
        BlockPolicyEstimator::from_bytes(&copy).map(|_| ()).unwrap_err()
    };
    assert!(matches!(damaged(0, &[0x8d]), FeeFileError::Version(309_901)));
    assert!(matches!(damaged(0, &[0x8b]), FeeFileError::Old(309_899)));
    assert!(matches!(damaged(12, &[62]), FeeFileError::Corrupt(_)));
    assert!(matches!(damaged(16, &[1]), FeeFileError::Corrupt(_)));
    assert!(matches!(damaged(16, &[238]), FeeFileError::Corrupt(_)));
    assert!(matches!(
        BlockPolicyEstimator::from_bytes(&bytes[..bytes.len() - 1]),
        Err(FeeFileError::Decode(_))
    ));
}

#[test]
fn stale_files_are_not_used() {
    let dir = std::env::temp_dir().join(format!("grs-fees-{}", std::process::id()));
    std::fs::create_dir_all(&dir).unwrap();
    let path = dir.join("fee_estimates.dat");
    let shared = FeeEstimator::load(&path, false);
    shared.removed_for_block(&[], 5);
    let tx = tx(1);
    shared.transaction_added(&new(&tx, 1000, 5));
    shared.flush();
    let best = |stale| FeeEstimator::load(&path, stale).estimate_smart_fee(2, true).best_height;
    assert_eq!(best(false), 5);
    let age = |hours: u64| {
        let time = std::time::SystemTime::now() - std::time::Duration::from_secs(hours * 3600 + 5);
        std::fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    };
    age(60);
    assert_eq!(best(false), 5);
    age(61);
    assert_eq!((best(false), best(true)), (0, 5));
    std::fs::remove_dir_all(&dir).unwrap();
}

#[test]
fn fuzz_fee_file() {
    // A short file: two buckets, one period each.
    let mut bytes = Vec::new();
    for n in [309_900_u32, 9, 3, 8] {
        bytes.extend(n.to_le_bytes());
    }
    let list = |values: &[f64], out: &mut Vec<u8>| {
        out.push(values.len() as u8);
        values.iter().for_each(|v| out.extend(v.to_bits().to_le_bytes()));
    };
    list(&[1000.0, 1e99], &mut bytes);
    for (decay, scale) in [(0.99, 2_u32), (0.9, 1), (0.999, 24)] {
        bytes.extend(f64::to_bits(decay).to_le_bytes());
        bytes.extend(scale.to_le_bytes());
        list(&[5000.0, 1.0], &mut bytes);
        list(&[6.0, 2.0], &mut bytes);
        for _ in 0..2 {
            bytes.push(2);
            list(&[5.0, 2.0], &mut bytes);
            list(&[6.0, 2.0], &mut bytes);
        }
    }
    assert!(BlockPolicyEstimator::from_bytes(&bytes).is_ok());
    grs_testkit::run_fuzz(grs_mempool::fuzz::fuzz_fee_file, &[bytes], 4000);
}
