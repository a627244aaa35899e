//! One message: P and Q side by side, a row of each in one register.
#![allow(unsafe_code)]

/// A back end made of the registers of the same name; `one_by_one` when P and Q are not in one register.
macro_rules! side_by_side {
    ($name:ident, $features:literal, one_by_one: $one_by_one:literal) => {
        pub(super) mod $name {
            use std::arch::x86_64::*;

            use crate::block::{Block, SECOND_TAIL, State};
            use crate::x86::registers::$name::*;
            use crate::x86::tables::{FIRST_CONSTANTS, NEXT_CONSTANTS, PAIR, RoundConstants, UNPAIR};

            /// The rows of a state.
            type Rows = [__m128i; 8];

            /// All rounds on rows to which the constants of round 0 were added.
            ///
            /// With `a` the rows after the S-box, indexes modulo 8: t[i] = a[i] ^ a[i+1], x[i] = t[i] ^ t[i+3],
            /// y[i] = t[i] ^ t[i+2] ^ a[i+6], b[i] = 4 x[i+3] ^ 2 y[i+7] ^ y[i+4].
            macro_rules! permute {
                ($rows:ident) => {
                    for RoundConstants { rest, row7, row0 } in &NEXT_CONSTANTS {
                        let (rest, row7, row0) = (constant(rest), constant(row7), constant(row0));
                        let (mut a, mut t, mut x, mut y) = ($rows, $rows, $rows, $rows);
                        for i in 0..8 {
                            a[i] = sbox($rows[i], i);
                        }
                        for i in 0..8 {
                            t[i] = xor(a[i], a[(i + 1) % 8]);
                        }
                        for i in 0..8 {
                            let constant = match i {
                                2 => row7,
                                3 => row0,
                                _ => rest,
                            };
                            x[i] = xor3(t[i], t[(i + 3) % 8], constant);
                            y[i] = xor3(t[i], t[(i + 2) % 8], a[(i + 6) % 8]);
                        }
                        for i in 0..8 {
                            $rows[i] = combine(x[(i + 3) % 8], y[(i + 7) % 8], y[(i + 4) % 8]);
                        }
                    }
                };
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn first_constant(i: usize) -> Row {
                constant(match i {
                    0 => &FIRST_CONSTANTS.row0,
                    7 => &FIRST_CONSTANTS.row7,
                    _ => &FIRST_CONSTANTS.rest,
                })
            }

            /// P(h ^ m) ^ Q(m) ^ h.
            #[inline]
            #[target_feature(enable = $features)]
            fn compress_rows(h: Rows, m: Rows) -> Rows {
                let mut x = [both(m[0]); 8];
                for i in 0..8 {
                    x[i] = xor3(both(m[i]), only_p(h[i]), first_constant(i));
                }
                let mut h = h;
                if $one_by_one {
                    // What the other pass computes is dropped as dead code, which leaves room for all rows in registers.
                    let mut y = x;
                    permute!(x);
                    permute!(y);
                    for i in 0..8 {
                        h[i] = _mm_xor_si128(h[i], _mm_xor_si128(p(x[i]), q(y[i])));
                    }
                } else {
                    permute!(x);
                    for i in 0..8 {
                        h[i] = _mm_xor_si128(h[i], _mm_xor_si128(p(x[i]), q(x[i])));
                    }
                }
                h
            }

            /// P(h) ^ h.
            #[inline]
            #[target_feature(enable = $features)]
            fn output_rows(h: Rows) -> Rows {
                let mut x = [only_p(h[0]); 8];
                for i in 0..8 {
                    x[i] = xor(only_p(h[i]), first_constant(i));
                }
                permute!(x);
                let mut out = h;
                for i in 0..8 {
                    out[i] = _mm_xor_si128(h[i], p(x[i]));
                }
                out
            }

            /// Transposes eight times eight 16-bit words.
            #[inline]
            #[target_feature(enable = $features)]
            fn transpose(x: Rows) -> Rows {
                let (mut a, mut b, mut c) = (x, x, x);
                for i in 0..4 {
                    a[2 * i] = _mm_unpacklo_epi16(x[2 * i], x[2 * i + 1]);
                    a[2 * i + 1] = _mm_unpackhi_epi16(x[2 * i], x[2 * i + 1]);
                }
                for i in [0, 4] {
                    b[i] = _mm_unpacklo_epi32(a[i], a[i + 2]);
                    b[i + 1] = _mm_unpackhi_epi32(a[i], a[i + 2]);
                    b[i + 2] = _mm_unpacklo_epi32(a[i + 1], a[i + 3]);
                    b[i + 3] = _mm_unpackhi_epi32(a[i + 1], a[i + 3]);
                }
                for i in 0..4 {
                    c[2 * i] = _mm_unpacklo_epi64(b[i], b[i + 4]);
                    c[2 * i + 1] = _mm_unpackhi_epi64(b[i], b[i + 4]);
                }
                c
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn read(bytes: &[u8; 16]) -> __m128i {
                // SAFETY: 16 bytes; the load needs no alignment.
                unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) }
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn write(bytes: &mut [u8; 16], value: __m128i) {
                // SAFETY: 16 bytes; the store needs no alignment.
                unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), value) }
            }

            #[inline]
            #[target_feature(enable = $features)]
            fn load(block: &Block) -> Rows {
                let pair = read(&PAIR.0[0]);
                let (parts, _) = block.as_chunks();
                let mut x = [pair; 8];
                for i in 0..8 {
                    x[i] = _mm_shuffle_epi8(read(&parts[i]), pair);
                }
                transpose(x)
            }

            /// Writes the columns from `first`, an even number, on.
            #[inline]
            #[target_feature(enable = $features)]
            fn store(rows: Rows, first: usize, out: &mut [u8]) {
                let x = transpose(rows);
                let unpair = read(&UNPAIR.0[0]);
                let (parts, _) = out.as_chunks_mut();
                for (part, x) in parts.iter_mut().zip(&x[first / 2..]) {
                    write(part, _mm_shuffle_epi8(*x, unpair));
                }
            }

            /// Feeds whole blocks into the chaining value.
            #[target_feature(enable = $features)]
            pub(in crate::x86) fn compress(state: &mut State, blocks: &[Block]) {
                let mut h = load(&state.0);
                for block in blocks {
                    h = compress_rows(h, load(block));
                }
                store(h, 0, &mut state.0);
            }

            /// Output transformation.
            #[target_feature(enable = $features)]
            pub(in crate::x86) fn finish(state: &State) -> [u8; 64] {
                let mut out = [0; 64];
                store(output_rows(load(&state.0)), 8, &mut out);
                out
            }

            /// First 32 bytes of the double hash of one padded block.
            #[target_feature(enable = $features)]
            pub(in crate::x86) fn double_block(block: &Block) -> [u8; 32] {
                let mut tail = [0; 128];
                tail[64..].copy_from_slice(&SECOND_TAIL);
                let (tail, initial) = (load(&tail), load(&State::INITIAL.0));
                let mut m = load(block);
                let mut x = output_rows(compress_rows(initial, m));
                for i in 0..8 {
                    m[i] = _mm_or_si128(_mm_bsrli_si128::<8>(x[i]), tail[i]);
                }
                x = output_rows(compress_rows(initial, m));
                let mut out = [0; 32];
                store(x, 8, &mut out);
                out
            }
        }
    };
}

side_by_side!(aes_ni, "aes,avx", one_by_one: true);
side_by_side!(vaes, "avx2,vaes", one_by_one: false);
side_by_side!(gfni, "avx2,gfni", one_by_one: false);
side_by_side!(gfni_vl, "avx2,gfni,avx512f,avx512bw,avx512vl", one_by_one: false);
