use std::fmt;

use crate::U256;

/// A target in the compact form of a header's `bits`: one byte of size, three of mantissa.
/// Reference: `arith_uint256::SetCompact`, `GetCompact`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CompactTarget(pub u32);

/// What [`CompactTarget::expand`] noticed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CompactFlags {
    /// The sign bit is set on a non-zero mantissa.
    pub negative: bool,
    /// The number needs more than 256 bits.
    pub overflow: bool,
}

impl CompactTarget {
    /// The target, and whether its form is negative or too large. The number is returned in every case.
    pub fn expand(self) -> (U256, CompactFlags) {
        let size = self.0 >> 24;
        let mantissa = self.0 & 0x007f_ffff;
        let (value, word) = if size <= 3 {
            let word = mantissa >> (8 * (3 - size));
            (U256::from(u64::from(word)), word)
        } else {
            (U256::from(u64::from(mantissa)) << (8 * (size - 3)), mantissa)
        };
        let flags = CompactFlags {
            negative: word != 0 && self.0 & 0x0080_0000 != 0,
            overflow: word != 0 && (size > 34 || (word > 0xff && size > 33) || (word > 0xffff && size > 32)),
        };
        (value, flags)
    }

    /// The target, ignoring the flags as the retarget code does.
    pub fn target(self) -> U256 {
        self.expand().0
    }

    /// Compact form of a target, never negative; low bits are lost.
    pub fn from_target(target: U256) -> CompactTarget {
        let mut size = target.bits().div_ceil(8);
        let mut compact = if size <= 3 {
            (target.low_u64() << (8 * (3 - size))) as u32
        } else {
            (target >> (8 * (size - 3))).low_u64() as u32
        };
        // The top mantissa bit is the sign: move it out.
        if compact & 0x0080_0000 != 0 {
            compact >>= 8;
            size += 1;
        }
        CompactTarget(compact | size << 24)
    }
}

impl fmt::Display for CompactTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

impl fmt::Debug for CompactTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CompactTarget({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_forms() {
        for (bits, target) in [
            (0x0012_3456, 0),
            (0x0112_3456, 0x12),
            (0x0212_3456, 0x1234),
            (0x0312_3456, 0x12_3456),
            (0x0412_3456, 0x1234_5600),
        ] {
            let (value, flags) = CompactTarget(bits).expand();
            assert_eq!(value, U256::from(target as u64));
            assert_eq!(flags, CompactFlags::default());
        }
        assert!(CompactTarget(0x04923456).expand().1.negative);
        assert!(CompactTarget(0xff123456).expand().1.overflow);
        assert_eq!(CompactTarget::from_target(U256::from(0x80_u64)), CompactTarget(0x0200_8000));
        for bits in [0x1e0f_ffff, 0x2000_ffff, 0x1d00_ffff, 0x1e03_77ae] {
            assert_eq!(CompactTarget::from_target(CompactTarget(bits).target()), CompactTarget(bits));
        }
    }

    #[test]
    fn genesis_work() {
        assert_eq!(crate::block_work(CompactTarget(0x1e00_ffff)), U256::from(0x0100_0100_u64));
        assert_eq!(crate::block_work(CompactTarget(0x2000_ffff)), U256::from(256_u64));
    }
}
