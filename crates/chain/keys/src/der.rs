//! The wallet's DER form of a secret key (SEC 1, C.4, with explicit curve parameters).
//! Reference: `ec_seckey_import_der` and `ec_seckey_export_der` in `src/key.cpp`.

use grs_encoding::hex_decode_array;
use zeroize::Zeroizing;

use crate::PublicKey;

/// Bytes of the DER form with an uncompressed public key.
pub const PRIVATE_KEY_DER_SIZE: usize = 279;
/// Bytes of the DER form with a compressed public key.
pub const PRIVATE_KEY_DER_COMPRESSED_SIZE: usize = 214;

const FIELD_PRIME: &str = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f";
const GENERATOR_X: &str = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
const GENERATOR_Y: &str = "483ada7726a3c4655da4fbfc0e1108a8fd17b448a68554199c47d08ffb10d4b8";
const ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";

fn number(text: &str) -> [u8; 32] {
    hex_decode_array(text).expect("64 hexadecimal digits")
}

/// A DER element: tag, length, content.
fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match content.len() {
        n @ 0..=0x7f => out.push(n as u8),
        n @ 0x80..=0xff => out.extend_from_slice(&[0x81, n as u8]),
        n => out.extend_from_slice(&[0x82, (n >> 8) as u8, n as u8]),
    }
    out.extend_from_slice(content);
    out
}

/// Parameters of the curve; the generator has the form of the public key.
fn curve_parameters(compressed: bool) -> Vec<u8> {
    let unsigned = |n: &str| element(2, &[&[0][..], &number(n)].concat());
    // id-prime-field 1.2.840.10045.1.1
    let field = [element(6, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 1, 1]), unsigned(FIELD_PRIME)].concat();
    let coefficients = [element(4, &[0]), element(4, &[7])].concat();
    let generator = if compressed {
        [&[2][..], &number(GENERATOR_X)].concat()
    } else {
        [&[4][..], &number(GENERATOR_X), &number(GENERATOR_Y)].concat()
    };
    let parts = [
        element(2, &[1]),
        element(0x30, &field),
        element(0x30, &coefficients),
        element(4, &generator),
        unsigned(ORDER),
        element(2, &[1]),
    ];
    element(0x30, &parts.concat())
}

pub(crate) fn export(secret: &[u8; 32], public_key: &PublicKey) -> Zeroizing<Vec<u8>> {
    let compressed = public_key.is_compressed();
    let size = if compressed { PRIVATE_KEY_DER_COMPRESSED_SIZE } else { PRIVATE_KEY_DER_SIZE };
    let parameters = element(0xa0, &curve_parameters(compressed));
    let public_key = element(0xa1, &element(3, &[&[0][..], public_key.as_bytes()].concat()));
    let inner = 3 + 34 + parameters.len() + public_key.len();
    let mut out = Zeroizing::new(Vec::with_capacity(size));
    out.push(0x30);
    if inner > 0xff {
        out.extend_from_slice(&[0x82, (inner >> 8) as u8, inner as u8]);
    } else {
        out.extend_from_slice(&[0x81, inner as u8]);
    }
    out.extend_from_slice(&[2, 1, 1, 4, 32]);
    out.extend_from_slice(secret);
    out.extend_from_slice(&parameters);
    out.extend_from_slice(&public_key);
    debug_assert_eq!(out.len(), size);
    out
}

pub(crate) fn import(der: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let rest = der.strip_prefix(&[0x30])?;
    let (length, rest) = match rest {
        [0x81, a, rest @ ..] => (usize::from(*a), rest),
        [0x82, a, b, rest @ ..] => (usize::from(*a) << 8 | usize::from(*b), rest),
        _ => return None,
    };
    if rest.len() < length {
        return None;
    }
    let rest = rest.strip_prefix(&[2, 1, 1, 4])?;
    let (n, rest) = rest.split_first()?;
    let n = usize::from(*n);
    if n > 32 || rest.len() < n {
        return None;
    }
    let mut out = Zeroizing::new([0; 32]);
    out[32 - n..].copy_from_slice(&rest[..n]);
    Some(out)
}
