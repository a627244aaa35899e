//! Fuzz targets: decoders of what is read from disk.

use grs_encoding::{Decode, Encode, Reader, encode_to_vec};

use crate::{BlockFileInfo, BlockUndo, Coin, DiskBlockIndex, read_script};

fn roundtrip<T: Decode + Encode + PartialEq + std::fmt::Debug>(data: &[u8]) {
    if let Ok(value) = T::decode(&mut Reader::new(data)) {
        let again = encode_to_vec(&value);
        assert_eq!(T::decode(&mut Reader::new(&again)).as_ref(), Ok(&value));
    }
}

/// Coin records.
pub fn fuzz_coin(data: &[u8]) {
    roundtrip::<Coin>(data);
}

/// Undo data.
pub fn fuzz_block_undo(data: &[u8]) {
    roundtrip::<BlockUndo>(data);
}

/// Index records.
pub fn fuzz_disk_block_index(data: &[u8]) {
    roundtrip::<DiskBlockIndex>(data);
    roundtrip::<BlockFileInfo>(data);
}

/// Compressed scripts.
pub fn fuzz_compressed_script(data: &[u8]) {
    let _ = read_script(&mut Reader::new(data));
}
