use std::fmt;

use grs_encoding::{Decode, DecodeError, Encode, Reader};
use grs_hashes::{BlockHash, Hash256, Txid, Wtxid};

/// Asks for witnesses in `getdata`.
pub const MSG_WITNESS_FLAG: u32 = 1 << 30;
/// A transaction by txid.
pub const MSG_TX: u32 = 1;
/// A block.
pub const MSG_BLOCK: u32 = 2;
/// A block through the peer's bloom filter (`getdata` only).
pub const MSG_FILTERED_BLOCK: u32 = 3;
/// A compact block (`getdata` only).
pub const MSG_CMPCT_BLOCK: u32 = 4;
/// A transaction by wtxid (BIP339).
pub const MSG_WTX: u32 = 5;
/// A block with witnesses.
pub const MSG_WITNESS_BLOCK: u32 = MSG_BLOCK | MSG_WITNESS_FLAG;
/// A transaction with witnesses, by txid.
pub const MSG_WITNESS_TX: u32 = MSG_TX | MSG_WITNESS_FLAG;

/// One entry of `inv`, `getdata` or `notfound`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Inventory {
    /// One of the `MSG_` numbers, or an unknown one.
    pub kind: u32,
    /// What it names.
    pub hash: Hash256,
}

impl Inventory {
    /// A block.
    pub fn block(kind: u32, hash: BlockHash) -> Inventory {
        Inventory { kind, hash: Hash256::from_bytes(hash.to_bytes()) }
    }
    /// A transaction by txid.
    pub fn txid(kind: u32, txid: Txid) -> Inventory {
        Inventory { kind, hash: Hash256::from_bytes(txid.to_bytes()) }
    }
    /// A transaction by wtxid.
    pub fn wtxid(wtxid: Wtxid) -> Inventory {
        Inventory { kind: MSG_WTX, hash: Hash256::from_bytes(wtxid.to_bytes()) }
    }
    /// The hash as a block hash.
    pub fn block_hash(&self) -> BlockHash {
        BlockHash::from_bytes(self.hash.to_bytes())
    }
    /// True for any way of naming a transaction.
    pub fn is_transaction(&self) -> bool {
        matches!(self.kind, MSG_TX | MSG_WTX | MSG_WITNESS_TX)
    }
    /// True for any way of asking for a block.
    pub fn is_block(&self) -> bool {
        matches!(self.kind, MSG_BLOCK | MSG_FILTERED_BLOCK | MSG_CMPCT_BLOCK | MSG_WITNESS_BLOCK)
    }
}

impl fmt::Display for Inventory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let base = match self.kind & !MSG_WITNESS_FLAG {
            MSG_TX => "tx",
            MSG_WTX => "wtx",
            MSG_BLOCK => "block",
            MSG_FILTERED_BLOCK => "merkleblock",
            MSG_CMPCT_BLOCK => "cmpctblock",
            _ => return write!(f, "0x{:08x} {}", self.kind, self.hash),
        };
        let witness = if self.kind & MSG_WITNESS_FLAG != 0 { "witness-" } else { "" };
        write!(f, "{witness}{base} {}", self.hash)
    }
}

impl Encode for Inventory {
    fn encode(&self, out: &mut Vec<u8>) {
        self.kind.encode(out);
        self.hash.encode(out);
    }
}

impl Decode for Inventory {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Inventory { kind: reader.u32_le()?, hash: Hash256::decode(reader)? })
    }
}
