//! Fuzz targets: any bytes, no panic.

use crate::SavedMempool;

/// `mempool.dat`.
pub fn fuzz_mempool_file(data: &[u8]) {
    if let Ok(saved) = SavedMempool::from_bytes(data) {
        let again = SavedMempool::from_bytes(&saved.to_bytes(Some([7; 8])));
        assert!(again.is_ok_and(|a| a.to_bytes(None) == saved.to_bytes(None)));
    }
}

/// `fee_estimates.dat`; what is read can be asked and written.
pub fn fuzz_fee_file(data: &[u8]) {
    if let Ok(mut estimator) = crate::fees::BlockPolicyEstimator::from_bytes(data) {
        for target in [1, 2, 6, 12, 144, 1008] {
            estimator.estimate_smart_fee(target, target % 4 == 0);
        }
        estimator.process_block(&[], u32::MAX);
        estimator.estimate_smart_fee(6, true);
        assert!(crate::fees::BlockPolicyEstimator::from_bytes(&estimator.to_bytes()).is_ok());
    }
}
