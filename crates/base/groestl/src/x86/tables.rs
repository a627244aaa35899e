//! Constants of the row layout, where a register holds one row of the state, one byte for each column.

use crate::portable::{SHIFT_P, SHIFT_Q};

/// Product in the AES field (polynomial 0x11b).
const fn gf_mul(mut a: u8, mut b: u8) -> u8 {
    let mut product = 0;
    while b != 0 {
        if b & 1 != 0 {
            product ^= a;
        }
        a = (a << 1) ^ (if a & 0x80 != 0 { 0x1b } else { 0 });
        b >>= 1;
    }
    product
}

/// Operand of `gf2p8affineinvqb` for `factor` times the S-box without its constant: the byte for output bit i is
/// byte 7 - i.
pub(super) const fn sbox_matrix(factor: u8) -> i64 {
    let mut matrix = 0u64;
    let mut j = 0;
    while j < 8 {
        let x = 1u8 << j;
        let linear = x ^ x.rotate_left(1) ^ x.rotate_left(2) ^ x.rotate_left(3) ^ x.rotate_left(4);
        let column = gf_mul(linear, factor);
        let mut i = 0;
        while i < 8 {
            matrix |= ((column >> i & 1) as u64) << (8 * (7 - i) + j);
            i += 1;
        }
        j += 1;
    }
    matrix as i64
}

/// Constant of the S-box times `factor`.
pub(super) const fn sbox_constant(factor: u8) -> i32 {
    gf_mul(0x63, factor) as i32
}

const _: () = assert!(sbox_matrix(1) as u64 == 0xF1E3_C78F_1F3E_7CF8);

/// A 128-bit lane, repeated to fill a register of up to four.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Lanes(pub(super) [[u8; 16]; 4]);

const fn repeat(lane: [u8; 16]) -> Lanes {
    Lanes([lane; 4])
}

/// Byte shuffle that rotates a row to the left.
const fn rotation(by: usize) -> [u8; 16] {
    let mut lane = [0; 16];
    let mut c = 0;
    while c < 16 {
        lane[c] = ((c + by) % 16) as u8;
        c += 1;
    }
    lane
}

const fn rotations(shift: [usize; 8]) -> [Lanes; 8] {
    let mut rows = [repeat([0; 16]); 8];
    let mut i = 0;
    while i < 8 {
        rows[i] = repeat(rotation(shift[i]));
        i += 1;
    }
    rows
}

/// Row shuffles of P in every lane.
pub(super) static ROTATE_P: [Lanes; 8] = rotations(SHIFT_P);
/// Row shuffles of Q in every lane.
pub(super) static ROTATE_Q: [Lanes; 8] = rotations(SHIFT_Q);

/// Byte c of a lane: (c << 4) ^ round.
const fn counter(round: u8) -> [u8; 16] {
    let mut lane = [0; 16];
    let mut c = 0;
    while c < 16 {
        lane[c] = ((c << 4) as u8) ^ round;
        c += 1;
    }
    lane
}

/// The constant of row 0 of P and, without its 0xff, of row 7 of Q, for each round; zero after the last one.
pub(super) static COUNTERS: [Lanes; 15] = {
    let mut rounds = [repeat([0; 16]); 15];
    let mut r = 0;
    while r < 14 {
        rounds[r] = repeat(counter(r as u8));
        r += 1;
    }
    rounds
};

/// Makes 16-bit pairs (row r of an even column, row r of the next one) of two columns.
pub(super) static PAIR: Lanes = repeat([0, 8, 1, 9, 2, 10, 3, 11, 4, 12, 5, 13, 6, 14, 7, 15]);
/// Undoes `PAIR`.
pub(super) static UNPAIR: Lanes = repeat([0, 2, 4, 6, 8, 10, 12, 14, 1, 3, 5, 7, 9, 11, 13, 15]);
