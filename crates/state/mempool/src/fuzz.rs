//! Fuzz targets: any bytes, no panic.

use crate::SavedMempool;

/// `mempool.dat`.
pub fn fuzz_mempool_file(data: &[u8]) {
    if let Ok(saved) = SavedMempool::from_bytes(data) {
        let again = SavedMempool::from_bytes(&saved.to_bytes(Some([7; 8])));
        assert!(again.is_ok_and(|a| a.to_bytes(None) == saved.to_bytes(None)));
    }
}
