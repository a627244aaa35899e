//! Base58 and Base58Check. The checksum is the first four bytes of Groestl-512 applied twice.

use thiserror::Error;

const ALPHABET: &[u8; 58] = b"123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// Why a text is not Base58 or not Base58Check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Base58Error {
    /// A character outside the alphabet.
    #[error("invalid Base58 character")]
    InvalidCharacter,
    /// The decoded bytes would be longer than the caller allows.
    #[error("Base58 text too long")]
    TooLong,
    /// Fewer than four bytes, or a checksum that does not fit.
    #[error("invalid checksum or length of Base58 address")]
    Checksum,
}

/// Base58 text of `bytes`; each leading zero byte is one `1`.
pub fn base58_encode(bytes: &[u8]) -> String {
    let zeros = bytes.iter().take_while(|b| **b == 0).count();
    let mut digits: Vec<u8> = Vec::with_capacity(bytes.len() * 138 / 100 + 1);
    for byte in &bytes[zeros..] {
        let mut carry = u32::from(*byte);
        for digit in &mut digits {
            carry += u32::from(*digit) << 8;
            *digit = (carry % 58) as u8;
            carry /= 58;
        }
        while carry > 0 {
            digits.push((carry % 58) as u8);
            carry /= 58;
        }
    }
    let mut out = "1".repeat(zeros);
    out.extend(digits.iter().rev().map(|d| ALPHABET[usize::from(*d)] as char));
    out
}

/// Bytes of a Base58 text, at most `max_len` of them. White space at both ends is skipped as in the reference.
pub fn base58_decode(text: &str, max_len: usize) -> Result<Vec<u8>, Base58Error> {
    let text = text.trim_matches([' ', '\x0c', '\n', '\r', '\t', '\x0b']);
    let zeros = text.bytes().take_while(|c| *c == b'1').count();
    if zeros > max_len {
        return Err(Base58Error::TooLong);
    }
    let mut bytes: Vec<u8> = Vec::new();
    for c in text.bytes().skip(zeros) {
        let value = ALPHABET.iter().position(|a| *a == c).ok_or(Base58Error::InvalidCharacter)?;
        let mut carry = value as u32;
        for byte in &mut bytes {
            carry += u32::from(*byte) * 58;
            *byte = carry as u8;
            carry >>= 8;
        }
        while carry > 0 {
            bytes.push(carry as u8);
            carry >>= 8;
        }
        if bytes.len() + zeros > max_len {
            return Err(Base58Error::TooLong);
        }
    }
    let mut out = vec![0; zeros];
    out.extend(bytes.iter().rev());
    Ok(out)
}

fn checksum(payload: &[u8]) -> [u8; 4] {
    let hash = grs_groestl::groestl512d_256(payload);
    [hash[0], hash[1], hash[2], hash[3]]
}

/// Base58 text of `payload` with its checksum behind it.
pub fn base58check_encode(payload: &[u8]) -> String {
    let mut bytes = payload.to_vec();
    bytes.extend_from_slice(&checksum(payload));
    base58_encode(&bytes)
}

/// Payload of a Base58Check text, at most `max_len` bytes without the checksum.
pub fn base58check_decode(text: &str, max_len: usize) -> Result<Vec<u8>, Base58Error> {
    let mut bytes = base58_decode(text, max_len.saturating_add(4))?;
    let Some(split) = bytes.len().checked_sub(4) else { return Err(Base58Error::Checksum) };
    if checksum(&bytes[..split]) != bytes[split..] {
        return Err(Base58Error::Checksum);
    }
    bytes.truncate(split);
    Ok(bytes)
}
