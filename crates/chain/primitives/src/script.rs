use std::fmt;
use std::ops::Deref;

use grs_encoding::{
    Decode, DecodeError, Encode, Reader, compact_size_len, hex_encode, write_compact_size, write_var_bytes,
};

/// The bytes of a script, not interpreted.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Script(Vec<u8>);

impl Script {
    /// An empty script.
    pub const fn new() -> Script {
        Script(Vec::new())
    }
    /// The bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
    /// The bytes, owned.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
    /// The bytes, for building scripts.
    pub fn bytes_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
    /// Hexadecimal text.
    pub fn to_hex(&self) -> String {
        hex_encode(&self.0)
    }
    /// Bytes of the serialization with its length prefix.
    pub fn encoded_len(&self) -> usize {
        compact_size_len(self.0.len() as u64) + self.0.len()
    }
}

impl Deref for Script {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Script {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Script {
    fn from(bytes: Vec<u8>) -> Script {
        Script(bytes)
    }
}

impl From<&[u8]> for Script {
    fn from(bytes: &[u8]) -> Script {
        Script(bytes.to_vec())
    }
}

impl fmt::Debug for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Script({})", self.to_hex())
    }
}

impl Encode for Script {
    fn encode(&self, out: &mut Vec<u8>) {
        write_var_bytes(out, &self.0);
    }
}

impl Decode for Script {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Script(reader.var_bytes()?.to_vec()))
    }
}

/// The witness of one input: a stack of byte strings, bottom first.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Witness(pub Vec<Vec<u8>>);

impl Witness {
    /// No items.
    pub const fn new() -> Witness {
        Witness(Vec::new())
    }
    /// True without items.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
    /// Bytes of the serialization.
    pub fn encoded_len(&self) -> usize {
        compact_size_len(self.0.len() as u64)
            + self.0.iter().map(|i| compact_size_len(i.len() as u64) + i.len()).sum::<usize>()
    }
}

impl Deref for Witness {
    type Target = [Vec<u8>];
    fn deref(&self) -> &[Vec<u8>] {
        &self.0
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(hex_encode)).finish()
    }
}

impl Encode for Witness {
    fn encode(&self, out: &mut Vec<u8>) {
        write_compact_size(out, self.0.len() as u64);
        self.0.iter().for_each(|item| write_var_bytes(out, item));
    }
}

impl Decode for Witness {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (count, safe) = reader.count(1)?;
        let mut items = Vec::with_capacity(safe.min(16));
        for _ in 0..count {
            items.push(reader.var_bytes()?.to_vec());
        }
        Ok(Witness(items))
    }
}
