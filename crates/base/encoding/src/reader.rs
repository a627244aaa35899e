//! Reading the consensus serialization from a byte slice.

use thiserror::Error;

/// Largest length prefix that a range-checked compact size may hold, in bytes or elements.
/// Reference: `src/serialize.h`, `MAX_SIZE`.
pub const MAX_SIZE: u64 = 0x0200_0000;

/// Why bytes could not be decoded. The texts are those the reference reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The input ended inside a value.
    #[error("end of data")]
    EndOfData,
    /// A compact size used more bytes than needed.
    #[error("non-canonical ReadCompactSize()")]
    NonCanonicalCompactSize,
    /// A compact size exceeds [`MAX_SIZE`].
    #[error("ReadCompactSize(): size too large")]
    CompactSizeTooLarge,
    /// A VARINT does not fit its type.
    #[error("ReadVarInt(): size too large")]
    VarIntTooLarge,
    /// A transaction with an unknown optional-data flag.
    #[error("Unknown transaction optional data")]
    UnknownTransactionOptionalData,
    /// A transaction flagged as segwit whose witnesses are all empty.
    #[error("Superfluous witness record")]
    SuperfluousWitness,
    /// Bytes follow the value where none may.
    #[error("extra data after the value")]
    TrailingData,
    /// A value that its type does not allow; the text says which.
    #[error("{0}")]
    Invalid(&'static str),
}

/// A cursor over borrowed bytes.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    data: &'a [u8],
    position: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of `data`.
    pub fn new(data: &'a [u8]) -> Self {
        Reader { data, position: 0 }
    }

    /// Bytes not read yet.
    pub fn remaining(&self) -> usize {
        self.data.len() - self.position
    }

    /// True when every byte has been read.
    pub fn is_empty(&self) -> bool {
        self.remaining() == 0
    }

    /// Offset of the next byte from the start of the slice.
    pub fn position(&self) -> usize {
        self.position
    }

    /// The bytes between two offsets that were read already (for hashing what was parsed).
    pub fn window(&self, from: usize, to: usize) -> &'a [u8] {
        &self.data[from.min(self.data.len())..to.min(self.data.len())]
    }

    /// The bytes not read yet, without reading them.
    pub fn rest(&self) -> &'a [u8] {
        &self.data[self.position..]
    }

    /// Takes `n` bytes.
    pub fn bytes(&mut self, n: usize) -> Result<&'a [u8], DecodeError> {
        if n > self.remaining() {
            return Err(DecodeError::EndOfData);
        }
        let start = self.position;
        self.position += n;
        Ok(&self.data[start..self.position])
    }

    /// Takes a fixed number of bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        let bytes = self.bytes(N)?;
        let mut out = [0; N];
        out.copy_from_slice(bytes);
        Ok(out)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, DecodeError> {
        Ok(self.array::<1>()?[0])
    }

    /// A byte read as the reference reads a `bool`: anything but zero is true.
    pub fn bool(&mut self) -> Result<bool, DecodeError> {
        Ok(self.u8()? != 0)
    }

    /// Little-endian 16-bit number.
    pub fn u16_le(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_le_bytes(self.array()?))
    }

    /// Big-endian 16-bit number (ports).
    pub fn u16_be(&mut self) -> Result<u16, DecodeError> {
        Ok(u16::from_be_bytes(self.array()?))
    }

    /// Little-endian 32-bit number.
    pub fn u32_le(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    /// Big-endian 32-bit number.
    pub fn u32_be(&mut self) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array()?))
    }

    /// Little-endian signed 32-bit number.
    pub fn i32_le(&mut self) -> Result<i32, DecodeError> {
        Ok(i32::from_le_bytes(self.array()?))
    }

    /// Little-endian 64-bit number.
    pub fn u64_le(&mut self) -> Result<u64, DecodeError> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    /// Little-endian signed 64-bit number.
    pub fn i64_le(&mut self) -> Result<i64, DecodeError> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// A compact size without the range check.
    pub fn compact_size_unchecked(&mut self) -> Result<u64, DecodeError> {
        let (value, smallest) = match self.u8()? {
            0xfd => (u64::from(self.u16_le()?), 0xfd),
            0xfe => (u64::from(self.u32_le()?), 0x1_0000),
            0xff => (self.u64_le()?, 0x1_0000_0000),
            small => return Ok(u64::from(small)),
        };
        if value < smallest {
            return Err(DecodeError::NonCanonicalCompactSize);
        }
        Ok(value)
    }

    /// A compact size of at most [`MAX_SIZE`].
    pub fn compact_size(&mut self) -> Result<u64, DecodeError> {
        let value = self.compact_size_unchecked()?;
        if value > MAX_SIZE {
            return Err(DecodeError::CompactSizeTooLarge);
        }
        Ok(value)
    }

    /// A compact size that counts elements of at least `least` bytes each: also the number of elements that
    /// it is safe to allocate for. The count itself may be larger; reading the elements then ends in
    /// [`DecodeError::EndOfData`].
    pub fn count(&mut self, least: usize) -> Result<(usize, usize), DecodeError> {
        let count = self.compact_size()? as usize;
        Ok((count, count.min(self.remaining() / least.max(1))))
    }

    /// Bytes with a compact size before them.
    pub fn var_bytes(&mut self) -> Result<&'a [u8], DecodeError> {
        let len = self.compact_size()? as usize;
        self.bytes(len)
    }

    /// The reference's VARINT (base 128, most significant group first, minus one per group) as `u64`.
    pub fn varint(&mut self) -> Result<u64, DecodeError> {
        self.varint_max(u64::MAX)
    }

    /// A VARINT no larger than `max`; each step is checked as the reference does for a type of that range.
    pub fn varint_max(&mut self, max: u64) -> Result<u64, DecodeError> {
        let mut n: u64 = 0;
        loop {
            let byte = self.u8()?;
            if n > max >> 7 {
                return Err(DecodeError::VarIntTooLarge);
            }
            n = (n << 7) | u64::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Ok(n);
            }
            if n == max {
                return Err(DecodeError::VarIntTooLarge);
            }
            n += 1;
        }
    }

    /// Fails when bytes are left over.
    pub fn finish(&self) -> Result<(), DecodeError> {
        if self.is_empty() { Ok(()) } else { Err(DecodeError::TrailingData) }
    }
}
