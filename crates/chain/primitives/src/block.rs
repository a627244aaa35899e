use std::fmt;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use grs_encoding::{Decode, DecodeError, Encode, Reader, compact_size_len, write_compact_size};
use grs_hashes::{BlockHash, MerkleRoot, purpose};
use grs_uint::CompactTarget;

use crate::transaction::encode_list_without_witness;
use crate::{Transaction, TxRef, WITNESS_SCALE_FACTOR};

/// Bytes of a serialized header.
pub const HEADER_LEN: usize = 80;

static HEADER_HASHES: AtomicU64 = AtomicU64::new(0);

/// How many header hashes this process has computed. Tests use it to prove that each header is hashed once.
pub fn header_hash_count() -> u64 {
    HEADER_HASHES.load(Ordering::Relaxed)
}

/// The fields of a block header, without its hash.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Header {
    /// Version and version bits.
    pub version: i32,
    /// Hash of the parent.
    pub prev: BlockHash,
    /// Root of the transactions' Merkle tree.
    pub merkle_root: MerkleRoot,
    /// Seconds since 1970.
    pub time: u32,
    /// Target of the proof of work.
    pub bits: CompactTarget,
    /// Nonce.
    pub nonce: u32,
}

impl Header {
    /// The 80 bytes that are hashed.
    pub fn to_bytes(&self) -> [u8; HEADER_LEN] {
        let mut out = [0; HEADER_LEN];
        out[..4].copy_from_slice(&self.version.to_le_bytes());
        out[4..36].copy_from_slice(self.prev.as_bytes());
        out[36..68].copy_from_slice(self.merkle_root.as_bytes());
        out[68..72].copy_from_slice(&self.time.to_le_bytes());
        out[72..76].copy_from_slice(&self.bits.0.to_le_bytes());
        out[76..].copy_from_slice(&self.nonce.to_le_bytes());
        out
    }

    /// Reads 80 bytes.
    pub fn from_bytes(bytes: &[u8; HEADER_LEN]) -> Header {
        Header::decode(&mut Reader::new(bytes)).expect("80 bytes hold all fields")
    }

    /// Computes the block hash (Groestl-512 twice); counted by [`header_hash_count`].
    pub fn compute_hash(&self) -> BlockHash {
        HEADER_HASHES.fetch_add(1, Ordering::Relaxed);
        purpose::block_hash(&self.to_bytes())
    }
}

impl Encode for Header {
    fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.to_bytes());
    }
}

impl Decode for Header {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Header {
            version: reader.i32_le()?,
            prev: BlockHash::decode(reader)?,
            merkle_root: MerkleRoot::decode(reader)?,
            time: reader.u32_le()?,
            bits: CompactTarget(reader.u32_le()?),
            nonce: reader.u32_le()?,
        })
    }
}

/// A header and its hash, which is computed exactly once: when the header enters the process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HashedHeader {
    header: Header,
    hash: BlockHash,
}

impl HashedHeader {
    /// Hashes a header.
    pub fn new(header: Header) -> HashedHeader {
        HashedHeader { header, hash: header.compute_hash() }
    }

    /// Hashes many headers together, several times faster than one by one.
    pub fn batch(headers: &[Header]) -> Vec<HashedHeader> {
        HEADER_HASHES.fetch_add(headers.len() as u64, Ordering::Relaxed);
        let bytes: Vec<[u8; HEADER_LEN]> = headers.iter().map(Header::to_bytes).collect();
        let mut hashes = vec![[0; 32]; headers.len()];
        purpose::block_hashes(&bytes, &mut hashes);
        headers
            .iter()
            .zip(hashes)
            .map(|(header, hash)| HashedHeader { header: *header, hash: BlockHash::from_bytes(hash) })
            .collect()
    }

    /// A header whose hash is known already from a trusted place (our own block index). Debug builds check it.
    pub fn from_trusted_parts(header: Header, hash: BlockHash) -> HashedHeader {
        debug_assert_eq!(purpose::block_hash(&header.to_bytes()), hash, "stored hash fits its header");
        HashedHeader { header, hash }
    }

    /// Block hash.
    pub fn hash(&self) -> BlockHash {
        self.hash
    }

    /// The fields.
    pub fn header(&self) -> &Header {
        &self.header
    }
}

impl Deref for HashedHeader {
    type Target = Header;
    fn deref(&self) -> &Header {
        &self.header
    }
}

impl fmt::Debug for HashedHeader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HashedHeader({}, {:?})", self.hash, self.header)
    }
}

impl Encode for HashedHeader {
    fn encode(&self, out: &mut Vec<u8>) {
        self.header.encode(out);
    }
}

impl Decode for HashedHeader {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(HashedHeader::new(Header::decode(reader)?))
    }
}

/// A block. Cloning is cheap for the transactions, which are shared.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Block {
    /// Header with its hash.
    pub header: HashedHeader,
    /// Transactions, coinbase first.
    pub txs: Vec<TxRef>,
}

impl Block {
    /// Puts header and transactions together.
    pub fn new(header: HashedHeader, txs: Vec<TxRef>) -> Block {
        Block { header, txs }
    }

    /// Block hash.
    pub fn hash(&self) -> BlockHash {
        self.header.hash
    }

    /// Bytes without witnesses.
    pub fn base_size(&self) -> usize {
        HEADER_LEN
            + compact_size_len(self.txs.len() as u64)
            + self.txs.iter().map(|tx| tx.base_size()).sum::<usize>()
    }

    /// Bytes of the full serialization.
    pub fn total_size(&self) -> usize {
        HEADER_LEN
            + compact_size_len(self.txs.len() as u64)
            + self.txs.iter().map(|tx| tx.total_size()).sum::<usize>()
    }

    /// Weight units (BIP141).
    pub fn weight(&self) -> usize {
        self.base_size() * (WITNESS_SCALE_FACTOR - 1) + self.total_size()
    }

    /// Appends the serialization without witnesses.
    pub fn encode_without_witness(&self, out: &mut Vec<u8>) {
        self.header.encode(out);
        encode_list_without_witness(&self.txs, out);
    }

    /// Reads a block whose header's hash is known already (our own block index found the block by it), so it is
    /// not hashed again. Fails when the header is not the expected one.
    pub fn decode_known(reader: &mut Reader<'_>, header: &HashedHeader) -> Result<Block, DecodeError> {
        if Header::decode(reader)? != header.header {
            return Err(DecodeError::Invalid("block header differs from its index entry"));
        }
        Ok(Block { header: *header, txs: decode_txs(reader, true)? })
    }

    /// Reads a block with or without the witness extension.
    pub fn decode_with(reader: &mut Reader<'_>, allow_witness: bool) -> Result<Block, DecodeError> {
        Ok(Block { header: HashedHeader::decode(reader)?, txs: decode_txs(reader, allow_witness)? })
    }
}

fn decode_txs(reader: &mut Reader<'_>, allow_witness: bool) -> Result<Vec<TxRef>, DecodeError> {
    // The smallest transaction takes ten bytes.
    let (count, safe) = reader.count(10)?;
    let mut txs = Vec::with_capacity(safe);
    for _ in 0..count {
        txs.push(Arc::new(Transaction::decode_with(reader, allow_witness)?));
    }
    Ok(txs)
}

impl Encode for Block {
    fn encode(&self, out: &mut Vec<u8>) {
        self.header.encode(out);
        write_compact_size(out, self.txs.len() as u64);
        self.txs.iter().for_each(|tx| tx.encode(out));
    }
}

impl Decode for Block {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Block::decode_with(reader, true)
    }
}
