//! Compact blocks (BIP152).

use std::sync::Arc;

use grs_encoding::{Decode, DecodeError, Encode, Reader, write_compact_size};
use grs_hashes::{BlockHash, Wtxid, purpose, sip_hash_uint256};
use grs_primitives::{Block, HashedHeader, Transaction, TxRef};

/// A transaction sent along with a compact block.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PrefilledTransaction {
    /// Its position in the block. Not checked by decoding: it may be beyond the last transaction.
    pub index: u32,
    /// The transaction.
    pub tx: TxRef,
}

/// A block by short ids.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CompactBlock {
    /// Header with its hash.
    pub header: HashedHeader,
    /// Salt of the short ids.
    pub nonce: u64,
    /// Six-byte ids of the transactions that are not sent along.
    pub short_ids: Vec<u64>,
    /// Those that are, ascending by position.
    pub prefilled: Vec<PrefilledTransaction>,
}

impl CompactBlock {
    /// A block's compact form. The coinbase is sent along, and so is every other transaction that `prefill`
    /// chooses. `nonce` has to be random.
    pub fn new(
        block: &Block,
        nonce: u64,
        mut prefill: impl FnMut(usize, &Transaction) -> bool,
    ) -> CompactBlock {
        let mut out =
            CompactBlock { header: block.header, nonce, short_ids: Vec::new(), prefilled: Vec::new() };
        let keys = out.keys();
        for (i, tx) in block.txs.iter().enumerate() {
            if i == 0 || prefill(i, tx) {
                out.prefilled.push(PrefilledTransaction { index: i as u32, tx: tx.clone() });
            } else {
                out.short_ids.push(CompactBlock::short_id(keys, &tx.wtxid()));
            }
        }
        out
    }

    /// Number of transactions in the block.
    pub fn tx_count(&self) -> usize {
        self.short_ids.len() + self.prefilled.len()
    }

    /// Keys of the short ids: from SHA-256 (once) of header and nonce.
    pub fn keys(&self) -> (u64, u64) {
        let mut data = self.header.to_bytes().to_vec();
        data.extend_from_slice(&self.nonce.to_le_bytes());
        let hash = purpose::compact_block_key(&data);
        let half = |from: usize| {
            let mut b = [0; 8];
            b.copy_from_slice(&hash[from..from + 8]);
            u64::from_le_bytes(b)
        };
        (half(0), half(8))
    }

    /// Short id of a transaction under `keys`.
    pub fn short_id(keys: (u64, u64), wtxid: &Wtxid) -> u64 {
        sip_hash_uint256(keys.0, keys.1, wtxid.as_bytes()) & 0xffff_ffff_ffff
    }
}

impl Encode for CompactBlock {
    fn encode(&self, out: &mut Vec<u8>) {
        self.header.encode(out);
        self.nonce.encode(out);
        write_compact_size(out, self.short_ids.len() as u64);
        self.short_ids.iter().for_each(|id| out.extend_from_slice(&id.to_le_bytes()[..6]));
        write_compact_size(out, self.prefilled.len() as u64);
        let mut next = 0;
        for entry in &self.prefilled {
            write_compact_size(out, u64::from(entry.index).saturating_sub(next));
            entry.tx.encode(out);
            next = u64::from(entry.index) + 1;
        }
    }
}

impl Decode for CompactBlock {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let header = HashedHeader::decode(reader)?;
        let nonce = reader.u64_le()?;
        let (count, safe) = reader.count(6)?;
        let mut short_ids = Vec::with_capacity(safe);
        for _ in 0..count {
            let b: [u8; 6] = reader.array()?;
            short_ids.push(u64::from_le_bytes([b[0], b[1], b[2], b[3], b[4], b[5], 0, 0]));
        }
        // The smallest transaction takes ten bytes, its position one.
        let (count, safe) = reader.count(11)?;
        if short_ids.len() + count > usize::from(u16::MAX) {
            return Err(DecodeError::Invalid("indexes overflowed 16 bits"));
        }
        let mut prefilled = Vec::with_capacity(safe);
        // Positions are sent as distances. 65535 times a distance of 65535 and one fits.
        let mut next: u32 = 0;
        for _ in 0..count {
            let distance = u16::try_from(reader.compact_size()?)
                .map_err(|_| DecodeError::Invalid("CompactSize exceeds limit of type"))?;
            let index = next + u32::from(distance);
            prefilled.push(PrefilledTransaction { index, tx: Arc::new(Transaction::decode(reader)?) });
            next = index + 1;
        }
        Ok(CompactBlock { header, nonce, short_ids, prefilled })
    }
}

/// Asks for the transactions that a compact block did not bring.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockTransactionsRequest {
    /// The block.
    pub block: BlockHash,
    /// Positions, ascending.
    pub indexes: Vec<u16>,
}

impl Encode for BlockTransactionsRequest {
    fn encode(&self, out: &mut Vec<u8>) {
        self.block.encode(out);
        write_compact_size(out, self.indexes.len() as u64);
        let mut next = 0;
        for index in &self.indexes {
            write_compact_size(out, u64::from(*index).saturating_sub(next));
            next = u64::from(*index) + 1;
        }
    }
}

impl Decode for BlockTransactionsRequest {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let block = BlockHash::decode(reader)?;
        let (count, safe) = reader.count(1)?;
        let mut indexes = Vec::with_capacity(safe);
        let mut next: u64 = 0;
        for _ in 0..count {
            let index = u16::try_from(next + reader.compact_size()?)
                .map_err(|_| DecodeError::Invalid("differential value overflow"))?;
            indexes.push(index);
            next = u64::from(index) + 1;
        }
        Ok(BlockTransactionsRequest { block, indexes })
    }
}

/// The answer to [`BlockTransactionsRequest`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockTransactions {
    /// The block.
    pub block: BlockHash,
    /// The transactions, in the order asked.
    pub txs: Vec<TxRef>,
}

impl Encode for BlockTransactions {
    fn encode(&self, out: &mut Vec<u8>) {
        self.block.encode(out);
        write_compact_size(out, self.txs.len() as u64);
        self.txs.iter().for_each(|tx| tx.encode(out));
    }
}

impl Decode for BlockTransactions {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let block = BlockHash::decode(reader)?;
        let (count, safe) = reader.count(10)?;
        let mut txs = Vec::with_capacity(safe);
        for _ in 0..count {
            txs.push(Arc::new(Transaction::decode(reader)?));
        }
        Ok(BlockTransactions { block, txs })
    }
}
