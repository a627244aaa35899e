//! Unspent outputs and what a block spent. Reference: `src/coins.h` (`Coin`), `src/undo.h`.

use grs_encoding::{Decode, DecodeError, Encode, Reader, write_compact_size, write_varint};
use grs_primitives::TxOut;

use crate::compress::{read_txout, write_txout};

/// An unspent output with where it came from.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Coin {
    /// Amount and locking script.
    pub out: TxOut,
    /// Height of the block that holds the transaction.
    pub height: u32,
    /// Whether that transaction is a coinbase.
    pub coinbase: bool,
}

impl Coin {
    /// Puts the parts together.
    pub fn new(out: TxOut, height: u32, coinbase: bool) -> Coin {
        Coin { out, height, coinbase }
    }

    fn code(&self) -> u64 {
        u64::from(self.height) * 2 + u64::from(self.coinbase)
    }
}

/// The compressed form that the coins database stores.
impl Encode for Coin {
    fn encode(&self, out: &mut Vec<u8>) {
        write_varint(out, self.code());
        write_txout(out, self.out.value, &self.out.script_pubkey);
    }
}

impl Decode for Coin {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let code = reader.varint_max(u64::from(u32::MAX))? as u32;
        Ok(Coin { out: read_txout(reader)?, height: code >> 1, coinbase: code & 1 == 1 })
    }
}

/// What a transaction spent, one coin an input.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TxUndo {
    /// Spent coins in the order of the inputs.
    pub spent: Vec<Coin>,
}

impl Encode for TxUndo {
    fn encode(&self, out: &mut Vec<u8>) {
        write_compact_size(out, self.spent.len() as u64);
        for coin in &self.spent {
            write_varint(out, coin.code());
            if coin.height > 0 {
                // Older versions had the transaction's version here.
                out.push(0);
            }
            write_txout(out, coin.out.value, &coin.out.script_pubkey);
        }
    }
}

impl Decode for TxUndo {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let (count, safe) = reader.count(3)?;
        let mut spent = Vec::with_capacity(safe);
        for _ in 0..count {
            let code = reader.varint_max(u64::from(u32::MAX))? as u32;
            if code >> 1 > 0 {
                reader.varint_max(u64::from(u32::MAX))?;
            }
            spent.push(Coin { out: read_txout(reader)?, height: code >> 1, coinbase: code & 1 == 1 });
        }
        Ok(TxUndo { spent })
    }
}

/// What a block spent: one entry for each transaction but the coinbase.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct BlockUndo {
    /// In the order of the block's transactions, without the coinbase.
    pub txs: Vec<TxUndo>,
}

impl Encode for BlockUndo {
    fn encode(&self, out: &mut Vec<u8>) {
        self.txs.encode(out);
    }
}

impl Decode for BlockUndo {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(BlockUndo { txs: Vec::decode(reader)? })
    }
}
