//! Four headers together: GFNI on rows in 512-bit registers, each lane the same row of another message.
#![allow(unsafe_code)]

use std::arch::x86_64::*;

use super::tables::{COUNTERS, Lanes, PAIR, ROTATE_P, ROTATE_Q, UNPAIR, sbox_constant, sbox_matrix};
use crate::block::Header;

type Rows = [__m512i; 8];

#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn constant(lanes: &Lanes) -> __m512i {
    // SAFETY: `Lanes` is 64 bytes aligned to 64.
    unsafe { _mm512_load_si512(std::ptr::from_ref(lanes).cast()) }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn xor(a: __m512i, b: __m512i) -> __m512i {
    _mm512_xor_si512(a, b)
}

#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn xor3(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<0x96>(a, b, c)
}

/// Complement of `xor3`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn xnor3(a: __m512i, b: __m512i, c: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<0x69>(a, b, c)
}

/// Complement of `xor`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn xnor(a: __m512i, b: __m512i) -> __m512i {
    _mm512_ternarylogic_epi64::<0xc3>(a, b, b)
}

/// Rotates rows and puts them through the S-box, into `$a`, and the same times four into `$a4`.
macro_rules! substitute {
    ($rows:ident, $rotations:ident, $a:ident, $a4:ident) => {
        let matrix = _mm512_set1_epi64(const { sbox_matrix(1) });
        let matrix4 = _mm512_set1_epi64(const { sbox_matrix(4) });
        let (mut $a, mut $a4) = ($rows, $rows);
        for i in 0..8 {
            let rotated = if $rotations[i].0[0][0] == 0 {
                $rows[i]
            } else {
                _mm512_shuffle_epi8($rows[i], constant(&$rotations[i]))
            };
            $a[i] = _mm512_gf2p8affineinv_epi64_epi8::<{ sbox_constant(1) }>(rotated, matrix);
            $a4[i] = _mm512_gf2p8affineinv_epi64_epi8::<{ sbox_constant(4) }>(rotated, matrix4);
        }
    };
}

/// Column mix, with the next round's constant for one row.
///
/// With `a` the rows after the S-box, indexes modulo 8, u[i] = a[i] ^ a[i+1] ^ a[i+3] and s the sum of all rows:
/// b[i] = u[i] ^ 6 u[i+3] ^ 4 a[i+7] ^ 3 s, which is the product with circ(2, 2, 3, 4, 5, 3, 5, 7).
/// `$join` is `xor`, or its complement for Q, and `$join3` the same with three operands.
macro_rules! mix {
    ($rows:ident, $a:ident, $a4:ident, $counter:ident in row $row:literal, $join:ident, $join3:ident) => {
        let mut u = $a;
        for i in 0..8 {
            u[i] = xor3($a[i], $a[(i + 1) % 8], $a[(i + 3) % 8]);
        }
        let sum = xor(xor3(u[0], u[4], $a[2]), $a[6]);
        let sum3 = _mm512_gf2p8mul_epi8(sum, _mm512_set1_epi8(3));
        for i in 0..8 {
            let x = xor3(u[i], $a4[(i + 7) % 8], sum3);
            let y = _mm512_gf2p8mul_epi8(u[(i + 3) % 8], _mm512_set1_epi8(6));
            $rows[i] = if i == $row { $join3(x, y, $counter) } else { $join(x, y) };
        }
    };
}

/// P of rows to which the constant of round 0 was added.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn permute_p(mut rows: Rows) -> Rows {
    for counter in &COUNTERS[1..] {
        let counter = constant(counter);
        substitute!(rows, ROTATE_P, rows_a, rows_a4);
        mix!(rows, rows_a, rows_a4, counter in row 0, xor, xor3);
    }
    rows
}

/// `permute_p` of two independent sets, step by step, so that one hides the latencies of the other.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn permute_pp(mut first: Rows, mut second: Rows) -> (Rows, Rows) {
    for counter in &COUNTERS[1..] {
        let counter = constant(counter);
        substitute!(first, ROTATE_P, first_a, first_a4);
        substitute!(second, ROTATE_P, second_a, second_a4);
        mix!(first, first_a, first_a4, counter in row 0, xor, xor3);
        mix!(second, second_a, second_a4, counter in row 0, xor, xor3);
    }
    (first, second)
}

/// P and the complement of Q, step by step, of rows to which the constants of round 0 were added.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn permute_pq(mut p: Rows, mut q: Rows) -> (Rows, Rows) {
    for counter in &COUNTERS[1..] {
        let counter = constant(counter);
        substitute!(p, ROTATE_P, p_a, p_a4);
        substitute!(q, ROTATE_Q, q_a, q_a4);
        mix!(p, p_a, p_a4, counter in row 0, xor, xor3);
        mix!(q, q_a, q_a4, counter in row 7, xnor, xnor3);
    }
    (p, q)
}

/// Transposes eight times eight 16-bit words in every lane.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn transpose(x: Rows) -> Rows {
    let zero = _mm512_setzero_si512();
    let (mut a, mut b, mut c) = ([zero; 8], [zero; 8], [zero; 8]);
    for i in 0..4 {
        a[2 * i] = _mm512_unpacklo_epi16(x[2 * i], x[2 * i + 1]);
        a[2 * i + 1] = _mm512_unpackhi_epi16(x[2 * i], x[2 * i + 1]);
    }
    for i in [0, 4] {
        b[i] = _mm512_unpacklo_epi32(a[i], a[i + 2]);
        b[i + 1] = _mm512_unpackhi_epi32(a[i], a[i + 2]);
        b[i + 2] = _mm512_unpacklo_epi32(a[i + 1], a[i + 3]);
        b[i + 3] = _mm512_unpackhi_epi32(a[i + 1], a[i + 3]);
    }
    for i in 0..4 {
        c[2 * i] = _mm512_unpacklo_epi64(b[i], b[i + 4]);
        c[2 * i + 1] = _mm512_unpackhi_epi64(b[i], b[i + 4]);
    }
    c
}

/// One row with the same lane four times.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn lane(bytes: [u8; 16]) -> __m512i {
    let value = u128::from_le_bytes(bytes);
    _mm512_broadcast_i32x4(_mm_set_epi64x((value >> 64) as i64, value as i64))
}

/// The rows of four padded headers.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn load(headers: &[Header; 4]) -> Rows {
    let mut rows = [_mm512_setzero_si512(); 8];
    for (k, row) in rows.iter_mut().take(5).enumerate() {
        // SAFETY: 16 bytes from 16 * k stay inside the 80 of a header for k < 5; the loads need no alignment.
        let part = |m: usize| unsafe { _mm_loadu_si128(headers[m].as_ptr().add(16 * k).cast()) };
        let low = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(part(0)), part(1));
        let high = _mm256_inserti128_si256::<1>(_mm256_castsi128_si256(part(2)), part(3));
        *row = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(low), high);
        *row = _mm512_shuffle_epi8(*row, constant(&PAIR));
    }
    let mut first = [0; 16];
    first[0] = 0x80;
    rows[5] = lane(first);
    let mut last = [0; 16];
    last[15] = 1;
    rows[7] = lane(last);
    transpose(rows)
}

/// The initial value is zero but for byte 2 in row 6 of column 15.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn initial() -> __m512i {
    let mut row = [0; 16];
    row[15] = 2;
    lane(row)
}

/// Compression of the only block of four messages.
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn compress(m: Rows) -> Rows {
    let counter = constant(&COUNTERS[0]);
    let mut p = m;
    p[0] = xor(p[0], counter);
    p[6] = xor(p[6], initial());
    let mut q = m;
    for (i, row) in q.iter_mut().enumerate() {
        *row = if i == 7 { xnor(*row, counter) } else { xnor(*row, _mm512_setzero_si512()) };
    }
    let (p, q) = permute_pq(p, q);
    let mut h = p;
    for i in 0..8 {
        h[i] = if i == 6 { xnor3(p[i], q[i], initial()) } else { xnor(p[i], q[i]) };
    }
    h
}

/// P(h) xor h of four messages.
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn output(h: Rows) -> Rows {
    let mut x = h;
    x[0] = xor(x[0], constant(&COUNTERS[0]));
    let mut x = permute_p(x);
    for i in 0..8 {
        x[i] = xor(x[i], h[i]);
    }
    x
}

/// `output` of twice four messages.
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn output_pair(h: Rows, g: Rows) -> (Rows, Rows) {
    let counter = constant(&COUNTERS[0]);
    let (mut x, mut y) = (h, g);
    x[0] = xor(x[0], counter);
    y[0] = xor(y[0], counter);
    let (mut x, mut y) = permute_pp(x, y);
    for i in 0..8 {
        x[i] = xor(x[i], h[i]);
        y[i] = xor(y[i], g[i]);
    }
    (x, y)
}

/// Turns the state after the output transformation into the rows of the second message.
///
/// Columns 8 to 15 become columns 0 to 7, followed by 0x80, zeros and the block count 1.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn second_message(mut x: Rows) -> Rows {
    for row in &mut x {
        *row = _mm512_bsrli_epi128::<8>(*row);
    }
    let mut end = [0; 16];
    end[8] = 0x80;
    x[0] = xor(x[0], lane(end));
    let mut count = [0; 16];
    count[15] = 1;
    x[7] = xor(x[7], lane(count));
    x
}

/// Writes the first 32 bytes of the digests: columns 8 to 11, which are words 4 and 5 of the rows.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,gfni")]
fn store(x: Rows, out: &mut [[u8; 32]; 4]) {
    let columns = transpose(x);
    for k in 0..2 {
        let pair = _mm512_shuffle_epi8(columns[4 + k], constant(&UNPAIR));
        let lanes = [
            _mm512_extracti32x4_epi32::<0>(pair),
            _mm512_extracti32x4_epi32::<1>(pair),
            _mm512_extracti32x4_epi32::<2>(pair),
            _mm512_extracti32x4_epi32::<3>(pair),
        ];
        for (hash, lane) in out.iter_mut().zip(lanes) {
            // SAFETY: 16 bytes from 16 * k stay inside the 32 of a hash for k < 2; the store needs no alignment.
            unsafe { _mm_storeu_si128(hash.as_mut_ptr().add(16 * k).cast(), lane) };
        }
    }
}

/// Hashes four headers.
#[target_feature(enable = "avx512f,avx512bw,gfni")]
pub(super) fn hash_headers4(headers: &[Header; 4], out: &mut [[u8; 32]; 4]) {
    let m = second_message(output(compress(load(headers))));
    store(output(compress(m)), out);
}

/// Hashes eight headers, which hides more latencies than twice four.
#[target_feature(enable = "avx512f,avx512bw,gfni")]
pub(super) fn hash_headers8(headers: &[[Header; 4]; 2], out: &mut [[[u8; 32]; 4]; 2]) {
    let (x, y) = output_pair(compress(load(&headers[0])), compress(load(&headers[1])));
    let (x, y) = output_pair(compress(second_message(x)), compress(second_message(y)));
    store(x, &mut out[0]);
    store(y, &mut out[1]);
}
