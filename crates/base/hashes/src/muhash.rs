//! MuHash3072: a hash of a set to which elements are added and removed in any order.
//! Reference: `src/crypto/muhash.cpp`.

use crate::purpose::{Sha256Writer, sha256};
use crate::types::Hash256;

const LIMBS: usize = 48;
/// The modulus is 2^3072 minus this.
const PRIME_DIFF: u64 = 1_103_717;

/// A number below 2^3072, not always below the modulus; little-endian limbs.
#[derive(Clone, PartialEq, Eq)]
struct Num([u64; LIMBS]);

impl Num {
    const ONE: Num = {
        let mut limbs = [0; LIMBS];
        limbs[0] = 1;
        Num(limbs)
    };

    fn from_bytes(bytes: &[u8; 384]) -> Num {
        let mut limbs = [0; LIMBS];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
            let mut b = [0; 8];
            b.copy_from_slice(chunk);
            *limb = u64::from_le_bytes(b);
        }
        Num(limbs)
    }

    fn to_bytes(&self) -> [u8; 384] {
        let mut out = [0; 384];
        for (chunk, limb) in out.chunks_exact_mut(8).zip(&self.0) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        out
    }

    /// Adds a small number times the difference, that is: folds `high * 2^3072` back in.
    fn fold(&mut self, high: u64) {
        let mut carry = u128::from(high) * u128::from(PRIME_DIFF);
        for limb in &mut self.0 {
            if carry == 0 {
                return;
            }
            carry += u128::from(*limb);
            *limb = carry as u64;
            carry >>= 64;
        }
        if carry != 0 {
            self.fold(carry as u64);
        }
    }

    /// Brings a number into the range below the modulus.
    fn normalize(&mut self) {
        let overflow = self.0[1..].iter().all(|l| *l == u64::MAX) && self.0[0] >= PRIME_DIFF.wrapping_neg();
        if overflow {
            self.0 = {
                let mut limbs = [0; LIMBS];
                limbs[0] = self.0[0].wrapping_add(PRIME_DIFF);
                limbs
            };
        }
    }

    fn mul(&self, other: &Num) -> Num {
        let mut wide = [0_u64; 2 * LIMBS];
        for (i, a) in self.0.iter().enumerate() {
            let mut carry = 0_u128;
            for (j, b) in other.0.iter().enumerate() {
                let t = u128::from(*a) * u128::from(*b) + u128::from(wide[i + j]) + carry;
                wide[i + j] = t as u64;
                carry = t >> 64;
            }
            wide[i + LIMBS] = carry as u64;
        }
        let mut out = [0; LIMBS];
        let mut carry = 0_u128;
        for i in 0..LIMBS {
            carry += u128::from(wide[i + LIMBS]) * u128::from(PRIME_DIFF) + u128::from(wide[i]);
            out[i] = carry as u64;
            carry >>= 64;
        }
        let mut out = Num(out);
        out.fold(carry as u64);
        out
    }

    fn square_times(&self, n: usize) -> Num {
        (0..n).fold(self.clone(), |x, _| x.mul(&x))
    }

    /// Inverse by Fermat: the exponent is the modulus minus two, `(2^3051 - 1) * 2^21 + 993433`.
    fn inverse(&self) -> Num {
        let (mut ones, mut length) = (self.clone(), 1_usize);
        for bit in (0..11).rev() {
            ones = ones.square_times(length).mul(&ones);
            length *= 2;
            if 3051 >> bit & 1 == 1 {
                ones = ones.square_times(1).mul(self);
                length += 1;
            }
        }
        debug_assert_eq!(length, 3051);
        let mut out = ones;
        for bit in (0..21).rev() {
            out = out.square_times(1);
            if 993_433 >> bit & 1 == 1 {
                out = out.mul(self);
            }
        }
        out
    }
}

/// A set hash. Elements are added and removed; the order does not matter.
#[derive(Clone)]
pub struct MuHash3072 {
    numerator: Num,
    denominator: Num,
}

impl Default for MuHash3072 {
    fn default() -> Self {
        Self::new()
    }
}

impl MuHash3072 {
    /// The hash of the empty set.
    pub fn new() -> Self {
        MuHash3072 { numerator: Num::ONE, denominator: Num::ONE }
    }

    /// Adds an element.
    pub fn insert(&mut self, element: &[u8]) -> &mut Self {
        self.numerator = self.numerator.mul(&element_number(element));
        self
    }

    /// Removes an element.
    pub fn remove(&mut self, element: &[u8]) -> &mut Self {
        self.denominator = self.denominator.mul(&element_number(element));
        self
    }

    /// Union with another set.
    pub fn combine(&mut self, other: &MuHash3072) -> &mut Self {
        self.numerator = self.numerator.mul(&other.numerator);
        self.denominator = self.denominator.mul(&other.denominator);
        self
    }

    /// The 256-bit hash of the set.
    pub fn finalize(&self) -> Hash256 {
        let mut value = self.numerator.mul(&self.denominator.inverse());
        value.normalize();
        Hash256::from_bytes(sha256(&value.to_bytes()))
    }

    /// Numerator and denominator, 384 bytes each, as the coin statistics index stores them.
    pub fn to_bytes(&self) -> [u8; 768] {
        let mut out = [0; 768];
        out[..384].copy_from_slice(&self.numerator.to_bytes());
        out[384..].copy_from_slice(&self.denominator.to_bytes());
        out
    }

    /// Reads what [`MuHash3072::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8; 768]) -> Self {
        let half = |from: usize| {
            let mut b = [0; 384];
            b.copy_from_slice(&bytes[from..from + 384]);
            Num::from_bytes(&b)
        };
        MuHash3072 { numerator: half(0), denominator: half(384) }
    }
}

impl std::fmt::Debug for MuHash3072 {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MuHash3072({})", self.finalize())
    }
}

/// An element as a number: the ChaCha20 key stream under its SHA-256.
fn element_number(element: &[u8]) -> Num {
    let mut w = Sha256Writer::new();
    w.write(element);
    let key = w.finish();
    let mut stream = [0; 384];
    for (i, block) in stream.chunks_exact_mut(64).enumerate() {
        block.copy_from_slice(&chacha20_block(&key, i as u32));
    }
    Num::from_bytes(&stream)
}

/// One ChaCha20 block with a zero nonce (RFC 8439).
fn chacha20_block(key: &[u8; 32], counter: u32) -> [u8; 64] {
    let mut start = [0_u32; 16];
    start[..4].copy_from_slice(&[0x6170_7865, 0x3320_646e, 0x7962_2d32, 0x6b20_6574]);
    for (word, bytes) in start[4..12].iter_mut().zip(key.chunks_exact(4)) {
        let mut b = [0; 4];
        b.copy_from_slice(bytes);
        *word = u32::from_le_bytes(b);
    }
    start[12] = counter;
    let mut s = start;
    let quarter = |s: &mut [u32; 16], a: usize, b: usize, c: usize, d: usize| {
        s[a] = s[a].wrapping_add(s[b]);
        s[d] = (s[d] ^ s[a]).rotate_left(16);
        s[c] = s[c].wrapping_add(s[d]);
        s[b] = (s[b] ^ s[c]).rotate_left(12);
        s[a] = s[a].wrapping_add(s[b]);
        s[d] = (s[d] ^ s[a]).rotate_left(8);
        s[c] = s[c].wrapping_add(s[d]);
        s[b] = (s[b] ^ s[c]).rotate_left(7);
    };
    for _ in 0..10 {
        for i in 0..4 {
            quarter(&mut s, i, i + 4, i + 8, i + 12);
        }
        for i in 0..4 {
            quarter(&mut s, i, (i + 1) % 4 + 4, (i + 2) % 4 + 8, (i + 3) % 4 + 12);
        }
    }
    let mut out = [0; 64];
    for (i, bytes) in out.chunks_exact_mut(4).enumerate() {
        bytes.copy_from_slice(&s[i].wrapping_add(start[i]).to_le_bytes());
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn element(i: u8) -> [u8; 32] {
        let mut e = [0; 32];
        e[0] = i;
        e
    }

    /// The value of the reference's own unit test (`crypto_tests.cpp`, `muhash_tests`).
    #[test]
    fn known_value() {
        let mut acc = MuHash3072::new();
        acc.insert(&element(0)).insert(&element(1)).remove(&element(2));
        assert_eq!(
            acc.finalize().to_string(),
            "10d312b100cbd32ada024a6646e40d3482fcff103668d2625f10002a607d5863"
        );
    }

    #[test]
    fn order_and_removal_do_not_matter() {
        let mut a = MuHash3072::new();
        a.insert(b"x").insert(b"y").remove(b"x");
        let mut b = MuHash3072::new();
        b.insert(b"y");
        assert_eq!(a.finalize(), b.finalize());
        let mut c = MuHash3072::from_bytes(&a.to_bytes());
        c.insert(b"z");
        b.combine(MuHash3072::new().insert(b"z"));
        assert_eq!(c.finalize(), b.finalize());
        assert_ne!(a.finalize(), b.finalize());
    }
}
