use std::cmp::Ordering;
use std::fmt;
use std::ops::{Add, AddAssign, BitAnd, BitOr, BitXor, Div, Mul, Neg, Not, Shl, Shr, Sub, SubAssign};

use grs_encoding::{HexError, hex_decode_array, hex_encode_reversed};
use grs_hashes::BlockHash;

/// An unsigned 256-bit number. All arithmetic wraps, as the reference's does; difficulty depends on it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct U256([u64; 4]);

impl U256 {
    /// Zero.
    pub const ZERO: U256 = U256([0; 4]);
    /// One.
    pub const ONE: U256 = U256([1, 0, 0, 0]);
    /// The largest number.
    pub const MAX: U256 = U256([u64::MAX; 4]);

    /// From little-endian limbs.
    pub const fn from_limbs(limbs: [u64; 4]) -> U256 {
        U256(limbs)
    }

    /// Little-endian limbs.
    pub const fn limbs(&self) -> [u64; 4] {
        self.0
    }

    /// From bytes, least significant first (the memory order of hashes).
    pub fn from_le_bytes(bytes: [u8; 32]) -> U256 {
        let mut limbs = [0; 4];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
            let mut b = [0; 8];
            b.copy_from_slice(chunk);
            *limb = u64::from_le_bytes(b);
        }
        U256(limbs)
    }

    /// Bytes, least significant first.
    pub fn to_le_bytes(self) -> [u8; 32] {
        let mut out = [0; 32];
        for (chunk, limb) in out.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        out
    }

    /// A block hash as the number that proof of work compares (reference: `UintToArith256`).
    pub fn from_block_hash(hash: &BlockHash) -> U256 {
        U256::from_le_bytes(hash.to_bytes())
    }

    /// From 64 hexadecimal digits, most significant first.
    pub fn from_hex(text: &str) -> Result<U256, HexError> {
        let mut bytes: [u8; 32] = hex_decode_array(text)?;
        bytes.reverse();
        Ok(U256::from_le_bytes(bytes))
    }

    /// Index of the highest set bit plus one; 0 for zero (reference: `bits()`).
    pub fn bits(&self) -> u32 {
        for i in (0..4).rev() {
            if self.0[i] != 0 {
                return 64 * i as u32 + 64 - self.0[i].leading_zeros();
            }
        }
        0
    }

    /// True for zero.
    pub fn is_zero(&self) -> bool {
        self.0 == [0; 4]
    }

    /// The low 64 bits.
    pub const fn low_u64(&self) -> u64 {
        self.0[0]
    }

    /// The low 128 bits, or `None` when the number is larger.
    pub fn to_u128(&self) -> Option<u128> {
        (self.0[2] == 0 && self.0[3] == 0).then_some(u128::from(self.0[1]) << 64 | u128::from(self.0[0]))
    }

    /// Nearest double, computed limb by limb as the reference's `getdouble` does with 32-bit limbs.
    pub fn to_f64(self) -> f64 {
        let mut sum = 0.0;
        let mut factor = 1.0;
        for limb in self.0 {
            for part in [limb as u32, (limb >> 32) as u32] {
                sum += factor * f64::from(part);
                factor *= 4_294_967_296.0;
            }
        }
        sum
    }

    /// Quotient and remainder. `None` when dividing by zero.
    pub fn checked_div_rem(self, divisor: U256) -> Option<(U256, U256)> {
        if divisor.is_zero() {
            return None;
        }
        if divisor > self {
            return Some((U256::ZERO, self));
        }
        let mut shift = self.bits() - divisor.bits();
        let mut part = divisor << shift;
        let (mut quotient, mut rest) = (U256::ZERO, self);
        loop {
            if rest >= part {
                rest -= part;
                quotient.0[(shift / 64) as usize] |= 1 << (shift % 64);
            }
            if shift == 0 {
                return Some((quotient, rest));
            }
            part = part >> 1;
            shift -= 1;
        }
    }

    /// Addition that reports overflow.
    pub fn checked_add(self, other: U256) -> Option<U256> {
        let sum = self + other;
        (sum >= self).then_some(sum)
    }
}

impl From<u64> for U256 {
    fn from(n: u64) -> U256 {
        U256([n, 0, 0, 0])
    }
}

impl From<u128> for U256 {
    fn from(n: u128) -> U256 {
        U256([n as u64, (n >> 64) as u64, 0, 0])
    }
}

impl PartialOrd for U256 {
    fn partial_cmp(&self, other: &U256) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for U256 {
    fn cmp(&self, other: &U256) -> Ordering {
        self.0.iter().rev().cmp(other.0.iter().rev())
    }
}

impl Add for U256 {
    type Output = U256;
    fn add(self, other: U256) -> U256 {
        let mut out = [0; 4];
        let mut carry = 0_u128;
        for i in 0..4 {
            carry += u128::from(self.0[i]) + u128::from(other.0[i]);
            out[i] = carry as u64;
            carry >>= 64;
        }
        U256(out)
    }
}

impl AddAssign for U256 {
    fn add_assign(&mut self, other: U256) {
        *self = *self + other;
    }
}

impl Neg for U256 {
    type Output = U256;
    fn neg(self) -> U256 {
        !self + U256::ONE
    }
}

impl Sub for U256 {
    type Output = U256;
    fn sub(self, other: U256) -> U256 {
        self + -other
    }
}

impl SubAssign for U256 {
    fn sub_assign(&mut self, other: U256) {
        *self = *self - other;
    }
}

impl Mul for U256 {
    type Output = U256;
    fn mul(self, other: U256) -> U256 {
        let mut out = [0_u64; 4];
        for i in 0..4 {
            let mut carry = 0_u128;
            for j in 0..4 - i {
                carry += u128::from(out[i + j]) + u128::from(self.0[i]) * u128::from(other.0[j]);
                out[i + j] = carry as u64;
                carry >>= 64;
            }
        }
        U256(out)
    }
}

impl Mul<u32> for U256 {
    type Output = U256;
    fn mul(self, other: u32) -> U256 {
        self * U256::from(u64::from(other))
    }
}

impl Div for U256 {
    type Output = U256;
    /// # Panics
    /// When dividing by zero, as for the built-in integers; [`U256::checked_div_rem`] does not.
    fn div(self, other: U256) -> U256 {
        self.checked_div_rem(other).expect("division by zero is the caller's broken invariant").0
    }
}

impl Not for U256 {
    type Output = U256;
    fn not(self) -> U256 {
        U256(self.0.map(|l| !l))
    }
}

macro_rules! bitwise {
    ($($trait:ident $method:ident $op:tt),*) => {$(
        impl $trait for U256 {
            type Output = U256;
            fn $method(self, other: U256) -> U256 {
                U256(std::array::from_fn(|i| self.0[i] $op other.0[i]))
            }
        }
    )*};
}
bitwise!(BitAnd bitand &, BitOr bitor |, BitXor bitxor ^);

impl Shl<u32> for U256 {
    type Output = U256;
    fn shl(self, n: u32) -> U256 {
        let (words, bits) = ((n / 64) as usize, n % 64);
        let mut out = [0; 4];
        for i in words..4 {
            out[i] = self.0[i - words] << bits;
            if bits > 0 && i > words {
                out[i] |= self.0[i - words - 1] >> (64 - bits);
            }
        }
        U256(out)
    }
}

impl Shr<u32> for U256 {
    type Output = U256;
    fn shr(self, n: u32) -> U256 {
        let (words, bits) = ((n / 64) as usize, n % 64);
        let mut out = [0; 4];
        for i in 0..4_usize.saturating_sub(words) {
            out[i] = self.0[i + words] >> bits;
            if bits > 0 && i + words + 1 < 4 {
                out[i] |= self.0[i + words + 1] << (64 - bits);
            }
        }
        U256(out)
    }
}

impl fmt::Display for U256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex_encode_reversed(self.to_le_bytes()))
    }
}

impl fmt::Debug for U256 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "U256({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn number() -> impl Strategy<Value = U256> {
        (any::<[u64; 4]>(), 0..256_u32).prop_map(|(l, s)| U256(l) >> s)
    }

    proptest! {
        #[test]
        fn division_inverts_multiplication(a in number(), b in number()) {
            prop_assume!(!b.is_zero());
            let (q, r) = a.checked_div_rem(b).unwrap();
            prop_assert!(r < b);
            prop_assert_eq!(q * b + r, a);
        }

        #[test]
        fn agrees_with_u128(a in any::<u64>(), b in any::<u64>(), s in 0..128_u32) {
            let (x, y) = (u128::from(a), u128::from(b));
            prop_assert_eq!((U256::from(a) * U256::from(b)).to_u128(), Some(x * y));
            prop_assert_eq!((U256::from(x) + U256::from(y)).to_u128(), Some(x + y));
            prop_assert_eq!((U256::from(x * y) >> s).to_u128(), Some((x * y) >> s));
            prop_assert_eq!(U256::from(x).cmp(&U256::from(y)), x.cmp(&y));
        }

        #[test]
        fn subtraction_wraps(a in number(), b in number()) {
            prop_assert_eq!((a - b) + b, a);
            prop_assert_eq!(-(-a), a);
            prop_assert_eq!(U256::from_hex(&a.to_string()).unwrap(), a);
        }
    }
}
