//! Fuzz targets: each takes any bytes and must not panic.

use crate::{Reader, base58check_decode, base64_decode, bech32_decode, bech32_locate_errors, hex_decode};

/// Every text decoder.
pub fn fuzz_texts(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = base58check_decode(&text, 100);
    let _ = base64_decode(&text);
    let _ = hex_decode(&text);
    if bech32_decode(&text, 90).is_none() {
        let _ = bech32_locate_errors(&text, 90);
    }
}

/// The slice reader, driven by the input itself.
pub fn fuzz_reader(data: &[u8]) {
    let mut reader = Reader::new(data);
    while let Ok(op) = reader.u8() {
        let _ = match op % 8 {
            0 => reader.compact_size().map(|_| ()),
            1 => reader.var_bytes().map(|_| ()),
            2 => reader.varint().map(|_| ()),
            3 => reader.varint_max(u64::from(u32::MAX)).map(|_| ()),
            4 => reader.u64_le().map(|_| ()),
            5 => reader.bytes(usize::from(op)).map(|_| ()),
            6 => reader.compact_size_unchecked().map(|_| ()),
            _ => reader.count(36).map(|_| ()),
        };
    }
}
