//! Table implementation without processor extensions; the oracle of every other back end.
//!
//! A column of the state is one little-endian 64-bit word, row 0 in the lowest byte. S-box and column mix of one
//! byte are one look-up in `TABLES`.

use crate::block::{Block, Header, SECOND_TAIL, State, header_block};

/// Columns of a state.
pub(crate) const COLUMNS: usize = 16;
/// Rounds of each permutation.
const ROUNDS: u64 = 14;
/// Left rotation of each row in P.
pub(crate) const SHIFT_P: [usize; 8] = [0, 1, 2, 3, 4, 5, 6, 11];
/// Left rotation of each row in Q.
pub(crate) const SHIFT_Q: [usize; 8] = [1, 3, 5, 11, 0, 2, 4, 6];

type Columns = [u64; COLUMNS];

/// Product in the AES field (polynomial 0x11b).
pub(crate) const fn gf_mul(mut a: u8, mut b: u8) -> u8 {
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

/// The AES S-box, computed: powers of the generator 3 give inverses, then the affine map.
const fn sbox() -> [u8; 256] {
    let mut table = [0x63; 256];
    let mut power = 1u8;
    let mut inverse = 1u8;
    let mut i = 0;
    while i < 255 {
        let x = inverse;
        table[power as usize] =
            x ^ x.rotate_left(1) ^ x.rotate_left(2) ^ x.rotate_left(3) ^ x.rotate_left(4) ^ 0x63;
        power = gf_mul(power, 3);
        inverse = gf_mul(inverse, 0xf6);
        i += 1;
    }
    table
}

/// `TABLES[j][x]`: what byte `x` in row `j` adds to its column after S-box and column mix.
static TABLES: [[u64; 256]; 8] = {
    let sbox = sbox();
    // Row i of the result gets the factor circ[(j - i) mod 8] of row j; this is column 0 of the matrix.
    let factors = [2u8, 7, 5, 3, 5, 4, 3, 2];
    let mut tables = [[0u64; 256]; 8];
    let mut x = 0;
    while x < 256 {
        let mut bytes = [0u8; 8];
        let mut i = 0;
        while i < 8 {
            bytes[i] = gf_mul(sbox[x], factors[i]);
            i += 1;
        }
        let word = u64::from_le_bytes(bytes);
        let mut j = 0;
        while j < 8 {
            tables[j][x] = word.rotate_left(8 * j as u32);
            j += 1;
        }
        x += 1;
    }
    tables
};

/// One column of the result; the column numbers are constants so that nothing is left to check or compute at run time.
macro_rules! column {
    ($input:ident, $shift:ident, $c:literal) => {{
        const ROTATED: [usize; 8] = {
            let mut columns = $shift;
            let mut row = 0;
            while row < 8 {
                columns[row] = (columns[row] + $c) % COLUMNS;
                row += 1;
            }
            columns
        };
        TABLES[0][usize::from($input[ROTATED[0]] as u8)]
            ^ TABLES[1][usize::from(($input[ROTATED[1]] >> 8) as u8)]
            ^ TABLES[2][usize::from(($input[ROTATED[2]] >> 16) as u8)]
            ^ TABLES[3][usize::from(($input[ROTATED[3]] >> 24) as u8)]
            ^ TABLES[4][usize::from(($input[ROTATED[4]] >> 32) as u8)]
            ^ TABLES[5][usize::from(($input[ROTATED[5]] >> 40) as u8)]
            ^ TABLES[6][usize::from(($input[ROTATED[6]] >> 48) as u8)]
            ^ TABLES[7][usize::from(($input[ROTATED[7]] >> 56) as u8)]
    }};
}

/// S-box, row rotation and column mix.
macro_rules! mix {
    ($input:ident, $shift:ident) => {
        [
            column!($input, $shift, 0),
            column!($input, $shift, 1),
            column!($input, $shift, 2),
            column!($input, $shift, 3),
            column!($input, $shift, 4),
            column!($input, $shift, 5),
            column!($input, $shift, 6),
            column!($input, $shift, 7),
            column!($input, $shift, 8),
            column!($input, $shift, 9),
            column!($input, $shift, 10),
            column!($input, $shift, 11),
            column!($input, $shift, 12),
            column!($input, $shift, 13),
            column!($input, $shift, 14),
            column!($input, $shift, 15),
        ]
    };
}

#[inline(always)]
fn add_p(mut x: Columns, round: u64) -> Columns {
    for (c, column) in x.iter_mut().enumerate() {
        *column ^= ((c as u64) << 4) ^ round;
    }
    x
}

#[inline(always)]
fn add_q(mut x: Columns, round: u64) -> Columns {
    for (c, column) in x.iter_mut().enumerate() {
        *column ^= !((((c as u64) << 4) ^ round) << 56);
    }
    x
}

// Two rounds at a time: the state goes to and fro between two arrays without a copy.

fn permute_p(mut x: Columns) -> Columns {
    for round in 0..ROUNDS / 2 {
        let y = add_p(x, 2 * round);
        let y = add_p(mix!(y, SHIFT_P), 2 * round + 1);
        x = mix!(y, SHIFT_P);
    }
    x
}

fn permute_q(mut x: Columns) -> Columns {
    for round in 0..ROUNDS / 2 {
        let y = add_q(x, 2 * round);
        let y = add_q(mix!(y, SHIFT_Q), 2 * round + 1);
        x = mix!(y, SHIFT_Q);
    }
    x
}

fn load(bytes: &[u8; 128]) -> Columns {
    let (words, _) = bytes.as_chunks::<8>();
    std::array::from_fn(|c| u64::from_le_bytes(words[c]))
}

fn store(columns: &Columns) -> [u8; 128] {
    let mut bytes = [0; 128];
    let (words, _) = bytes.as_chunks_mut::<8>();
    for (word, column) in words.iter_mut().zip(columns) {
        *word = column.to_le_bytes();
    }
    bytes
}

fn xor(a: &Columns, b: &Columns) -> Columns {
    std::array::from_fn(|c| a[c] ^ b[c])
}

fn compress_columns(h: &Columns, m: &Columns) -> Columns {
    let p = permute_p(xor(h, m));
    let q = permute_q(*m);
    std::array::from_fn(|c| p[c] ^ q[c] ^ h[c])
}

/// Feeds whole blocks into the chaining value.
pub(crate) fn compress(state: &mut State, blocks: &[Block]) {
    let mut h = load(&state.0);
    for block in blocks {
        h = compress_columns(&h, &load(block));
    }
    state.0 = store(&h);
}

/// Output transformation: the last 64 bytes of P(h) xor h.
pub(crate) fn finish(state: &State) -> [u8; 64] {
    let h = load(&state.0);
    let full = store(&xor(&permute_p(h), &h));
    *full.last_chunk().expect("128 bytes hold 64")
}

/// First 32 bytes of the double hash of a message that fits, padded, into one block.
pub(crate) fn double_block(block: &Block) -> [u8; 32] {
    let mut state = State::INITIAL;
    compress(&mut state, std::slice::from_ref(block));
    let mut second = [0; 128];
    second[..64].copy_from_slice(&finish(&state));
    second[64..].copy_from_slice(&SECOND_TAIL);
    let mut state = State::INITIAL;
    compress(&mut state, std::slice::from_ref(&second));
    *finish(&state).first_chunk().expect("64 bytes hold 32")
}

/// Hashes headers one after another.
pub(crate) fn hash_headers(headers: &[Header], out: &mut [[u8; 32]]) {
    for (header, hash) in headers.iter().zip(out) {
        *hash = double_block(&header_block(header));
    }
}
