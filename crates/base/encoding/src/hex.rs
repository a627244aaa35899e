//! Hexadecimal text.

use thiserror::Error;

/// Why a text is not hexadecimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum HexError {
    /// A character that is no hexadecimal digit.
    #[error("invalid hexadecimal character at position {0}")]
    InvalidCharacter(usize),
    /// An odd number of digits, or not the number that the type needs.
    #[error("hexadecimal text has the wrong length {0}")]
    Length(usize),
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

fn digit(c: u8) -> Option<u8> {
    match c {
        b'0'..=b'9' => Some(c - b'0'),
        b'a'..=b'f' => Some(c - b'a' + 10),
        b'A'..=b'F' => Some(c - b'A' + 10),
        _ => None,
    }
}

fn push(out: &mut String, byte: u8) {
    out.push(DIGITS[usize::from(byte >> 4)] as char);
    out.push(DIGITS[usize::from(byte & 15)] as char);
}

/// Lower-case hexadecimal text of `bytes`.
pub fn hex_encode(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    let mut out = String::with_capacity(bytes.len() * 2);
    bytes.iter().for_each(|b| push(&mut out, *b));
    out
}

/// Hexadecimal text with the last byte first, as hashes are shown.
pub fn hex_encode_reversed(bytes: impl AsRef<[u8]>) -> String {
    let bytes = bytes.as_ref();
    let mut out = String::with_capacity(bytes.len() * 2);
    bytes.iter().rev().for_each(|b| push(&mut out, *b));
    out
}

/// Bytes of a hexadecimal text of even length, either case.
pub fn hex_decode(text: &str) -> Result<Vec<u8>, HexError> {
    let text = text.as_bytes();
    if !text.len().is_multiple_of(2) {
        return Err(HexError::Length(text.len()));
    }
    let mut out = Vec::with_capacity(text.len() / 2);
    for (i, pair) in text.chunks_exact(2).enumerate() {
        let high = digit(pair[0]).ok_or(HexError::InvalidCharacter(2 * i))?;
        let low = digit(pair[1]).ok_or(HexError::InvalidCharacter(2 * i + 1))?;
        out.push(high << 4 | low);
    }
    Ok(out)
}

/// Bytes of a hexadecimal text of exactly `2 * N` digits.
pub fn hex_decode_array<const N: usize>(text: &str) -> Result<[u8; N], HexError> {
    if text.len() != 2 * N {
        return Err(HexError::Length(text.len()));
    }
    let mut out = [0; N];
    out.copy_from_slice(&hex_decode(text)?);
    Ok(out)
}

/// True for a non-empty text of an even number of hexadecimal digits (reference: `IsHex`).
pub fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.len().is_multiple_of(2) && text.bytes().all(|c| digit(c).is_some())
}
