//! Fuzz targets: any bytes, no panic; what decodes must encode to what was read.

use grs_encoding::{Decode, Encode, Reader, encode_to_vec};

use crate::{Block, BlockLocator, Transaction};

fn round_trip<T: Decode + Encode>(data: &[u8]) {
    let mut reader = Reader::new(data);
    if let Ok(value) = T::decode(&mut reader) {
        let encoded = encode_to_vec(&value);
        let again = T::decode(&mut Reader::new(&encoded));
        assert!(again.is_ok_and(|a| encode_to_vec(&a) == encoded), "encoding does not decode to itself");
    }
}

/// Transactions, with and without the witness extension.
pub fn fuzz_transaction(data: &[u8]) {
    round_trip::<Transaction>(data);
    if let Ok(tx) = Transaction::decode_with(&mut Reader::new(data), true) {
        assert_eq!(tx.txid(), tx.data().txid());
        assert_eq!(tx.total_size(), encode_to_vec(&tx).len());
    }
    let _ = Transaction::decode_with(&mut Reader::new(data), false);
}

/// Blocks.
pub fn fuzz_block(data: &[u8]) {
    round_trip::<Block>(data);
}

/// Locators.
pub fn fuzz_locator(data: &[u8]) {
    round_trip::<BlockLocator>(data);
}
