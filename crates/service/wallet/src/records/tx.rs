//! The `tx` record: a transaction with what the wallet knows of it. Reference: `src/wallet/transaction.h`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use grs_encoding::{Decode, DecodeError, Encode, Reader, write_compact_size, write_var_bytes};
use grs_hashes::{BlockHash, Txid};
use grs_primitives::{Transaction, TxRef};

use super::read_text;

/// Where a transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TxState {
    /// In a block of the active chain. The height is -1 until it has been looked up.
    Confirmed { block: BlockHash, height: i32, position: i32 },
    /// In the mempool.
    InMempool,
    /// A block spends one of its inputs, or an ancestor's, in another way.
    BlockConflicted { block: BlockHash, height: i32 },
    /// Neither of these.
    Inactive { abandoned: bool },
    /// Loaded with values that mean nothing.
    Unrecognized { block: BlockHash, index: i32 },
}

const ONE: BlockHash = {
    let mut bytes = [0; 32];
    bytes[0] = 1;
    BlockHash::from_bytes(bytes)
};

impl TxState {
    /// The state that a stored block hash and index mean.
    pub(crate) fn from_serialized(block: BlockHash, index: i32) -> TxState {
        match index {
            0 if block.is_zero() => TxState::Inactive { abandoned: false },
            _ if block.is_zero() => TxState::Unrecognized { block, index },
            -1 if block == ONE => TxState::Inactive { abandoned: true },
            _ if block == ONE => TxState::Unrecognized { block, index },
            0.. => TxState::Confirmed { block, height: -1, position: index },
            -1 => TxState::BlockConflicted { block, height: -1 },
            _ => TxState::Unrecognized { block, index },
        }
    }

    /// The stored form.
    pub(crate) fn serialized(&self) -> (BlockHash, i32) {
        match *self {
            TxState::Inactive { abandoned: true } => (ONE, -1),
            TxState::Inactive { abandoned: false } | TxState::InMempool => (BlockHash::ZERO, 0),
            TxState::Confirmed { block, position, .. } => (block, position),
            TxState::BlockConflicted { block, .. } => (block, -1),
            TxState::Unrecognized { block, index } => (block, index),
        }
    }

    /// Whether both are the same kind of state.
    pub(crate) fn same_kind(&self, other: &TxState) -> bool {
        std::mem::discriminant(self) == std::mem::discriminant(other)
    }
}

impl fmt::Display for TxState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TxState::Confirmed { block, height, position } => {
                write!(f, "Confirmed (block={block}, height={height}, index={position})")
            }
            TxState::InMempool => f.write_str("InMempool"),
            TxState::BlockConflicted { block, height } => {
                write!(f, "BlockConflicted (block={block}, height={height})")
            }
            TxState::Inactive { abandoned } => write!(f, "Inactive (abandoned={})", i32::from(*abandoned)),
            TxState::Unrecognized { block, index } => {
                write!(f, "Unrecognized (block={block}, index={index})")
            }
        }
    }
}

/// A transaction of the wallet. Reference: `CWalletTx`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct WalletTx {
    /// The transaction.
    pub(crate) tx: TxRef,
    /// Where it stands.
    pub(crate) state: TxState,
    /// `comment`, `to`, `replaces_txid`, `replaced_by_txid` and the like.
    pub(crate) values: BTreeMap<String, String>,
    /// Further pairs, from old payment requests.
    pub(crate) order_form: Vec<(String, String)>,
    /// When it came here, Unix seconds.
    pub(crate) time_received: u32,
    /// Time that keeps the order of the list, Unix seconds; 0 if not known.
    pub(crate) time_smart: u32,
    /// Place in the list; -1 if none.
    pub(crate) order_pos: i64,
    /// Transactions of the mempool that exclude it. Not stored.
    pub(crate) mempool_conflicts: BTreeSet<Txid>,
    /// The child that a version 3 transaction has in the mempool. Not stored.
    pub(crate) truc_child: Option<Txid>,
}

impl WalletTx {
    /// A new one.
    pub(crate) fn new(tx: TxRef, state: TxState) -> WalletTx {
        WalletTx {
            tx,
            state,
            values: BTreeMap::new(),
            order_form: Vec::new(),
            time_received: 0,
            time_smart: 0,
            order_pos: -1,
            mempool_conflicts: BTreeSet::new(),
            truc_child: None,
        }
    }

    /// Id of the transaction.
    pub(crate) fn txid(&self) -> Txid {
        self.tx.txid()
    }

    /// Time to show.
    pub(crate) fn time(&self) -> i64 {
        i64::from(if self.time_smart != 0 { self.time_smart } else { self.time_received })
    }

    /// Given up by the user.
    pub(crate) fn is_abandoned(&self) -> bool {
        matches!(self.state, TxState::Inactive { abandoned: true })
    }

    /// In a block.
    pub(crate) fn is_confirmed(&self) -> bool {
        matches!(self.state, TxState::Confirmed { .. })
    }

    /// Excluded by a block.
    pub(crate) fn is_block_conflicted(&self) -> bool {
        matches!(self.state, TxState::BlockConflicted { .. })
    }

    /// Excluded by the mempool.
    pub(crate) fn is_mempool_conflicted(&self) -> bool {
        !self.mempool_conflicts.is_empty()
    }

    /// In the mempool.
    pub(crate) fn in_mempool(&self) -> bool {
        self.state == TxState::InMempool
    }

    /// It may still be confirmed and is not yet.
    pub(crate) fn is_unconfirmed(&self) -> bool {
        !self.is_abandoned()
            && !self.is_block_conflicted()
            && !self.is_mempool_conflicted()
            && !self.is_confirmed()
    }

    /// Made by a miner.
    pub(crate) fn is_coinbase(&self) -> bool {
        self.tx.is_coinbase()
    }

    /// Same but for signatures.
    pub(crate) fn is_equivalent_to(&self, other: &WalletTx) -> bool {
        let strip = |tx: &Transaction| {
            let mut tx = tx.to_mutable();
            for input in &mut tx.inputs {
                input.script_sig = grs_primitives::Script::new();
            }
            tx.txid()
        };
        strip(&self.tx) == strip(&other.tx)
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    write_var_bytes(out, text.as_bytes());
}

impl Encode for WalletTx {
    fn encode(&self, out: &mut Vec<u8>) {
        self.tx.encode(out);
        let (block, index) = self.state.serialized();
        block.as_bytes().encode(out);
        // No Merkle branch.
        write_compact_size(out, 0);
        index.encode(out);
        // No previous transactions.
        write_compact_size(out, 0);
        let mut values = self.values.clone();
        values.insert("fromaccount".into(), String::new());
        if self.order_pos != -1 {
            values.insert("n".into(), self.order_pos.to_string());
        }
        if self.time_smart != 0 {
            values.insert("timesmart".into(), self.time_smart.to_string());
        }
        write_compact_size(out, values.len() as u64);
        for (key, value) in &values {
            write_text(out, key);
            write_text(out, value);
        }
        write_compact_size(out, self.order_form.len() as u64);
        for (key, value) in &self.order_form {
            write_text(out, key);
            write_text(out, value);
        }
        0_u32.encode(out);
        self.time_received.encode(out);
        out.extend_from_slice(&[0, 0]);
    }
}

/// A number at the start of a text, as C's `atoi` reads it; 0 when there is none.
fn number(text: &str) -> i64 {
    grs_args::atoi(text)
}

impl Decode for WalletTx {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let tx = Transaction::decode(reader)?;
        let block = BlockHash::from_bytes(reader.array()?);
        let (branch, _) = reader.count(32)?;
        for _ in 0..branch {
            reader.bytes(32)?;
        }
        let index = reader.i32_le()?;
        let (previous, _) = reader.count(1)?;
        for _ in 0..previous {
            // Old files kept ancestors here.
            Transaction::decode(reader)?;
            reader.bytes(32)?;
            let (branch, _) = reader.count(32)?;
            for _ in 0..branch {
                reader.bytes(32)?;
            }
            reader.i32_le()?;
        }
        let mut wtx = WalletTx::new(TxRef::new(tx), TxState::from_serialized(block, index));
        let (count, _) = reader.count(2)?;
        for _ in 0..count {
            let key = read_text(reader)?;
            let value = read_text(reader)?;
            wtx.values.insert(key, value);
        }
        let (count, room) = reader.count(2)?;
        wtx.order_form.reserve(room);
        for _ in 0..count {
            wtx.order_form.push((read_text(reader)?, read_text(reader)?));
        }
        reader.u32_le()?;
        wtx.time_received = reader.u32_le()?;
        reader.bytes(2)?;
        wtx.order_pos = wtx.values.remove("n").map_or(-1, |n| number(&n));
        wtx.time_smart = wtx.values.remove("timesmart").map_or(0, |t| number(&t) as u32);
        wtx.values.remove("fromaccount");
        wtx.values.remove("spent");
        Ok(wtx)
    }
}
