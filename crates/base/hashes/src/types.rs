//! 256-bit and 160-bit hash types, one per kind of object.

use std::fmt;
use std::str::FromStr;

use grs_encoding::{
    Decode, DecodeError, Encode, HexError, Reader, hex_decode_array, hex_encode, hex_encode_reversed,
};

macro_rules! hash_type {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
        pub struct $name([u8; 32]);

        impl $name {
            /// All bytes zero: "none" in most formats.
            pub const ZERO: Self = Self([0; 32]);
            /// From bytes in memory (serialization) order.
            pub const fn from_bytes(bytes: [u8; 32]) -> Self {
                Self(bytes)
            }
            /// From a slice of 32 bytes in memory order.
            pub fn from_slice(bytes: &[u8]) -> Option<Self> {
                <[u8; 32]>::try_from(bytes).ok().map(Self)
            }
            /// Bytes in memory order.
            pub const fn to_bytes(self) -> [u8; 32] {
                self.0
            }
            /// Bytes in memory order.
            pub const fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }
            /// True when all bytes are zero.
            pub fn is_zero(&self) -> bool {
                self.0 == [0; 32]
            }
            /// First eight bytes as a little-endian number (reference: `uint256::GetUint64(0)`).
            pub fn low_u64(&self) -> u64 {
                let mut b = [0; 8];
                b.copy_from_slice(&self.0[..8]);
                u64::from_le_bytes(b)
            }
        }

        /// Last byte first, as hashes are shown to people.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex_encode_reversed(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        /// Reads the text that [`fmt::Display`] writes.
        impl FromStr for $name {
            type Err = HexError;
            fn from_str(text: &str) -> Result<Self, HexError> {
                let mut bytes: [u8; 32] = hex_decode_array(text)?;
                bytes.reverse();
                Ok(Self(bytes))
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl Encode for $name {
            fn encode(&self, out: &mut Vec<u8>) {
                out.extend_from_slice(&self.0);
            }
        }

        impl Decode for $name {
            fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
                Ok(Self(reader.array()?))
            }
        }
    };
}

hash_type! {
    /// Identity and proof of work of a block: Groestl-512 twice over the header, first 32 bytes.
    BlockHash
}
hash_type! {
    /// Identity of a transaction without its witnesses: SHA-256 once.
    Txid
}
hash_type! {
    /// Identity of a transaction with its witnesses: SHA-256 once.
    Wtxid
}
hash_type! {
    /// Root of a Merkle tree over txids or wtxids: SHA-256 twice at each node.
    MerkleRoot
}
hash_type! {
    /// BIP158 filter hash.
    FilterHash
}
hash_type! {
    /// BIP157 filter header.
    FilterHeader
}
hash_type! {
    /// A 256-bit value without a more telling type.
    Hash256
}

/// RIPEMD-160 of SHA-256: key and script hashes. Shown in memory order.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Hash160([u8; 20]);

impl Hash160 {
    /// From bytes in memory order.
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }
    /// From a slice of 20 bytes.
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        <[u8; 20]>::try_from(bytes).ok().map(Self)
    }
    /// Bytes in memory order.
    pub const fn to_bytes(self) -> [u8; 20] {
        self.0
    }
    /// Bytes in memory order.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }
}

impl AsRef<[u8]> for Hash160 {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for Hash160 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex_encode(self.0))
    }
}

impl fmt::Debug for Hash160 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Hash160({self})")
    }
}
