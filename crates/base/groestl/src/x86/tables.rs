//! Constants of the row layout, where a register holds one row of the state, one byte for each column.

use crate::portable::{SHIFT_P, SHIFT_Q, gf_mul};

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

/// A lane for P and a lane for Q.
#[derive(Clone, Copy)]
#[repr(C, align(32))]
pub(super) struct Both(pub(super) [[u8; 16]; 2]);

/// Row shuffles of P in the low and Q in the high lane.
pub(super) static ROTATE: [Both; 8] = {
    let mut rows = [Both([[0; 16]; 2]); 8];
    let mut i = 0;
    while i < 8 {
        rows[i] = Both([rotation(SHIFT_P[i]), rotation(SHIFT_Q[i])]);
        i += 1;
    }
    rows
};

/// A row shuffle followed by the inverse of the row shift that `aesenclast` does before its S-box.
const fn before_aes(rotation: [u8; 16]) -> [u8; 16] {
    let mut lane = [0; 16];
    let mut i = 0;
    while i < 16 {
        let (column, row) = (i / 4, i % 4);
        lane[4 * ((column + row) % 4) + row] = rotation[i];
        i += 1;
    }
    lane
}

/// `ROTATE` for a S-box made of `aesenclast`.
pub(super) static ROTATE_AES: [Both; 8] = {
    let mut rows = ROTATE;
    let mut i = 0;
    while i < 8 {
        rows[i] = Both([before_aes(ROTATE[i].0[0]), before_aes(ROTATE[i].0[1])]);
        i += 1;
    }
    rows
};

/// Constants of a round that are added to the x of the column mix, which enters the rows times 4.
pub(super) struct RoundConstants {
    /// For every row but the next two: the 0xff of Q.
    pub(super) rest: Both,
    /// For x[2], which enters row 7: the 0xff of Q and its counter.
    pub(super) row7: Both,
    /// For x[3], which enters row 0: the counter of P, the 0xff of Q.
    pub(super) row0: Both,
}

const fn round_constants(round: u8, ones: u8, factor: u8) -> RoundConstants {
    let (zero, ones) = ([0; 16], [gf_mul(ones, factor); 16]);
    let (mut p, mut q) = (counter(round), ones);
    let mut c = 0;
    while c < 16 {
        p[c] = gf_mul(p[c], factor);
        q[c] ^= p[c];
        c += 1;
    }
    RoundConstants { rest: Both([zero, ones]), row7: Both([zero, q]), row0: Both([p, ones]) }
}

/// Constants of round 0, to be added to the rows themselves.
pub(super) static FIRST_CONSTANTS: RoundConstants = round_constants(0, 0xff, 1);

/// What rounds 0 to 13 add for their successors: a quarter (0xcb is the inverse of 4) of the constants; the last round
/// adds nothing.
pub(super) static NEXT_CONSTANTS: [RoundConstants; 14] = {
    const NONE: RoundConstants = round_constants(0, 0, 0);
    let mut rounds = [NONE; 14];
    let mut r = 0;
    while r < 13 {
        rounds[r] = round_constants(r as u8 + 1, 0xff, 0xcb);
        r += 1;
    }
    rounds
};
