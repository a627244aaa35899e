use grs_uint::{CompactTarget, U256};

/// Work of one block; equal to [`grs_uint::block_work`], but with one 128-bit division for the targets that
/// occur, because loading the index computes it for each header.
pub fn block_work(bits: CompactTarget) -> U256 {
    let (size, mantissa) = (bits.0 >> 24, bits.0 & 0x007f_ffff);
    // target = mantissa * 2^shift with 136 <= shift, so that 2^(256 - shift) fits 128 bits.
    if (20..=32).contains(&size) && mantissa != 0 && bits.0 & 0x0080_0000 == 0 {
        let shift = 8 * (size - 3);
        let divisor = u128::from(mantissa);
        let dividend = 1_u128 << (256 - shift);
        let (quotient, rest) = (dividend / divisor, dividend % divisor);
        // The divisor is target + 1, not target: that matters only where nothing is left over.
        return U256::from(if rest == 0 { quotient - 1 } else { quotient });
    }
    grs_uint::block_work(bits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn equals_the_long_division(size in 0_u32..40, mantissa in 0_u32..0x0100_0000, one_bit in 0_u32..24, single: bool) {
            let mantissa = if single { 1 << one_bit } else { mantissa };
            let bits = CompactTarget(size << 24 | mantissa);
            prop_assert_eq!(block_work(bits), grs_uint::block_work(bits));
        }
    }
}
