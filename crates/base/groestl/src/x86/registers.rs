//! Registers that hold a row of P and a row of Q, with the operations a permutation needs.
#![allow(unsafe_code)]

/// Operations on 256-bit registers that do not differ between the back ends.
macro_rules! wide {
    ($features:literal) => {
        use std::arch::x86_64::*;

        use crate::x86::tables::Both;

        pub(in crate::x86) type Row = __m256i;

        /// The same row for P and Q.
        #[inline]
        #[target_feature(enable = $features)]
        pub(in crate::x86) fn both(row: __m128i) -> Row {
            _mm256_broadcastsi128_si256(row)
        }

        /// A row for P, zeros for Q.
        #[inline]
        #[target_feature(enable = $features)]
        pub(in crate::x86) fn only_p(row: __m128i) -> Row {
            _mm256_zextsi128_si256(row)
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(in crate::x86) fn p(row: Row) -> __m128i {
            _mm256_castsi256_si128(row)
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(in crate::x86) fn q(row: Row) -> __m128i {
            _mm256_extracti128_si256::<1>(row)
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(in crate::x86) fn constant(bytes: &Both) -> Row {
            // SAFETY: `Both` is 32 bytes aligned to 32.
            unsafe { _mm256_load_si256(std::ptr::from_ref(bytes).cast()) }
        }

        #[inline]
        #[target_feature(enable = $features)]
        pub(in crate::x86) fn xor(a: Row, b: Row) -> Row {
            _mm256_xor_si256(a, b)
        }
    };
}

/// S-box and 4x + 2y + z with GFNI.
macro_rules! gfni {
    ($features:literal) => {
        use crate::x86::tables::{ROTATE, sbox_constant, sbox_matrix};

        /// Row `i` rotated and put through the S-box.
        #[inline]
        #[target_feature(enable = $features)]
        pub(in crate::x86) fn sbox(row: Row, i: usize) -> Row {
            let rotated = _mm256_shuffle_epi8(row, constant(&ROTATE[i]));
            let matrix = _mm256_set1_epi64x(const { sbox_matrix(1) });
            _mm256_gf2p8affineinv_epi64_epi8::<{ sbox_constant(1) }>(rotated, matrix)
        }

        /// 4x + 2y + z.
        #[inline]
        #[target_feature(enable = $features)]
        pub(in crate::x86) fn combine(x: Row, y: Row, z: Row) -> Row {
            let x4 = _mm256_gf2p8mul_epi8(x, _mm256_set1_epi8(4));
            let y2 = _mm256_gf2p8mul_epi8(y, _mm256_set1_epi8(2));
            xor3(x4, y2, z)
        }
    };
}

/// GFNI with the three-operand logic and the 32 registers of AVX-512.
pub(super) mod gfni_vl {
    wide!("avx2,gfni,avx512f,avx512bw,avx512vl");
    gfni!("avx2,gfni,avx512f,avx512bw,avx512vl");

    #[inline]
    #[target_feature(enable = "avx2,gfni,avx512f,avx512bw,avx512vl")]
    pub(in crate::x86) fn xor3(a: Row, b: Row, c: Row) -> Row {
        _mm256_ternarylogic_epi64::<0x96>(a, b, c)
    }
}

/// GFNI with AVX2.
pub(super) mod gfni {
    wide!("avx2,gfni");
    gfni!("avx2,gfni");

    #[inline]
    #[target_feature(enable = "avx2,gfni")]
    pub(in crate::x86) fn xor3(a: Row, b: Row, c: Row) -> Row {
        xor(xor(a, b), c)
    }
}

/// Key of the AES round. A constant added to every byte before the column mix comes out three times, which cancels the
/// constants that the doublings leave: 3 * 0x1b = 2 * 0x1b + 0x1b.
const KEY: i8 = 0x1b;

/// The AES round instruction on 256 bits.
pub(super) mod vaes {
    wide!("avx2,vaes");

    use crate::x86::registers::KEY;
    use crate::x86::tables::ROTATE_AES;

    #[inline]
    #[target_feature(enable = "avx2,vaes")]
    pub(in crate::x86) fn xor3(a: Row, b: Row, c: Row) -> Row {
        xor(xor(a, b), c)
    }

    /// Row `i` rotated and put through the S-box.
    #[inline]
    #[target_feature(enable = "avx2,vaes")]
    pub(in crate::x86) fn sbox(row: Row, i: usize) -> Row {
        let rotated = _mm256_shuffle_epi8(row, constant(&ROTATE_AES[i]));
        _mm256_aesenclast_epi128(rotated, _mm256_set1_epi8(KEY))
    }

    /// 2x + 0x1b: the shuffle gives 0x1b for bytes whose highest bit is clear.
    #[inline]
    #[target_feature(enable = "avx2,vaes")]
    fn double(x: Row) -> Row {
        xor(_mm256_add_epi8(x, x), _mm256_shuffle_epi8(_mm256_set1_epi8(0x1b), x))
    }

    /// 4x + 2y + z + 2 * 0x1b + 0x1b.
    #[inline]
    #[target_feature(enable = "avx2,vaes")]
    pub(in crate::x86) fn combine(x: Row, y: Row, z: Row) -> Row {
        xor(double(xor(double(x), y)), z)
    }
}

/// The AES round instruction on 128 bits, with a register for P and one for Q.
pub(super) mod aes_ni {
    use std::arch::x86_64::*;

    use crate::x86::registers::KEY;
    use crate::x86::tables::{Both, ROTATE_AES};

    pub(in crate::x86) type Row = (__m128i, __m128i);

    /// The same row for P and Q.
    #[inline]
    #[target_feature(enable = "aes,avx")]
    pub(in crate::x86) fn both(row: __m128i) -> Row {
        (row, row)
    }

    /// A row for P, zeros for Q.
    #[inline]
    #[target_feature(enable = "aes,avx")]
    pub(in crate::x86) fn only_p(row: __m128i) -> Row {
        (row, _mm_setzero_si128())
    }

    #[inline]
    #[target_feature(enable = "aes,avx")]
    pub(in crate::x86) fn p(row: Row) -> __m128i {
        row.0
    }

    #[inline]
    #[target_feature(enable = "aes,avx")]
    pub(in crate::x86) fn q(row: Row) -> __m128i {
        row.1
    }

    #[inline]
    #[target_feature(enable = "aes,avx")]
    pub(in crate::x86) fn constant(bytes: &Both) -> Row {
        let [p, q] = &bytes.0;
        // SAFETY: two arrays of 16 bytes; the loads need no alignment.
        unsafe { (_mm_loadu_si128(p.as_ptr().cast()), _mm_loadu_si128(q.as_ptr().cast())) }
    }

    #[inline]
    #[target_feature(enable = "aes,avx")]
    pub(in crate::x86) fn xor(a: Row, b: Row) -> Row {
        (_mm_xor_si128(a.0, b.0), _mm_xor_si128(a.1, b.1))
    }

    #[inline]
    #[target_feature(enable = "aes,avx")]
    pub(in crate::x86) fn xor3(a: Row, b: Row, c: Row) -> Row {
        xor(xor(a, b), c)
    }

    /// Row `i` rotated and put through the S-box.
    #[inline]
    #[target_feature(enable = "aes,avx")]
    pub(in crate::x86) fn sbox(row: Row, i: usize) -> Row {
        let rotation = constant(&ROTATE_AES[i]);
        let key = _mm_set1_epi8(KEY);
        (
            _mm_aesenclast_si128(_mm_shuffle_epi8(row.0, rotation.0), key),
            _mm_aesenclast_si128(_mm_shuffle_epi8(row.1, rotation.1), key),
        )
    }

    /// 2x + 0x1b: the shuffle gives 0x1b for bytes whose highest bit is clear.
    #[inline]
    #[target_feature(enable = "aes,avx")]
    fn double(x: __m128i) -> __m128i {
        _mm_xor_si128(_mm_add_epi8(x, x), _mm_shuffle_epi8(_mm_set1_epi8(0x1b), x))
    }

    /// 4x + 2y + z + 2 * 0x1b + 0x1b.
    #[inline]
    #[target_feature(enable = "aes,avx")]
    pub(in crate::x86) fn combine(x: Row, y: Row, z: Row) -> Row {
        let inner = xor((double(x.0), double(x.1)), y);
        xor((double(inner.0), double(inner.1)), z)
    }
}
