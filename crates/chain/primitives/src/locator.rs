use grs_encoding::{Decode, DecodeError, Encode, Reader};
use grs_hashes::BlockHash;

/// Hashes that tell a peer where two chains part: dense near the tip, sparse below. The stored form begins
/// with a version number that nobody reads (reference: `CBlockLocator`).
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BlockLocator {
    /// Block hashes, newest first.
    pub hashes: Vec<BlockHash>,
}

impl BlockLocator {
    /// True without hashes.
    pub fn is_null(&self) -> bool {
        self.hashes.is_empty()
    }
}

impl Encode for BlockLocator {
    fn encode(&self, out: &mut Vec<u8>) {
        70016_i32.encode(out);
        self.hashes.encode(out);
    }
}

impl Decode for BlockLocator {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        reader.i32_le()?;
        Ok(BlockLocator { hashes: Vec::decode(reader)? })
    }
}
