//! Byte-level encodings without I/O: a bounded slice reader and a vector writer for the consensus
//! serialization, compact sizes and VARINTs, hex, Base58Check, bech32 and base64.
//!
//! Nothing here allocates by a length that the input merely claims: a count is first compared with the
//! bytes that are really there.

mod base58;
mod base64;
mod bech32;
mod hex;
mod reader;
mod traits;
mod varint;

#[doc(hidden)]
pub mod fuzz;

pub use base58::{Base58Error, base58_decode, base58_encode, base58check_decode, base58check_encode};
pub use base64::{Base64Error, base64_decode, base64_encode};
pub use bech32::{
    BECH32_CHECKSUM_LEN, Bech32Decoded, Bech32Variant, bech32_decode, bech32_encode,
    bech32_encode_with_limit, bech32_locate_errors, convert_bits,
};
pub use hex::{HexError, hex_decode, hex_decode_array, hex_encode, hex_encode_reversed, is_hex};
pub use reader::{DecodeError, MAX_SIZE, Reader};
pub use traits::{Decode, Encode, decode_exact, encode_to_vec};
pub use varint::{compact_size_len, varint_len, write_compact_size, write_var_bytes, write_varint};
