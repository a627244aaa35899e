//! CRC-32C in the masked form LevelDB stores, so that a checksum over data with checksums in it keeps its strength.

/// Masks a checksum for storing.
pub(crate) fn mask(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// Stored checksum of `data` followed by one byte of type.
pub(crate) fn of_block(data: &[u8], kind: u8) -> u32 {
    mask(crc32c::crc32c_append(crc32c::crc32c(data), &[kind]))
}

/// Stored checksum of one byte of type followed by `data`.
pub(crate) fn of_record(kind: u8, data: &[u8]) -> u32 {
    mask(crc32c::crc32c_append(crc32c::crc32c(&[kind]), data))
}
