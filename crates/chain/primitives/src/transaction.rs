use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use grs_encoding::{Decode, DecodeError, Encode, Reader, compact_size_len, write_compact_size};
use grs_hashes::purpose::{TxidHasher, wtxid};
use grs_hashes::{Txid, Wtxid};

use crate::{Amount, Script, Witness};

/// Output number of the null outpoint.
pub const NULL_INDEX: u32 = u32::MAX;
/// Sequence that opts out of lock times.
pub const SEQUENCE_FINAL: u32 = 0xffff_ffff;
/// Largest sequence that leaves the transaction's lock time in force.
pub const SEQUENCE_MAX_NONFINAL: u32 = 0xffff_fffe;
/// BIP68: this bit switches relative lock time off.
pub const SEQUENCE_LOCKTIME_DISABLE_FLAG: u32 = 1 << 31;
/// BIP68: this bit selects units of 512 seconds instead of blocks.
pub const SEQUENCE_LOCKTIME_TYPE_FLAG: u32 = 1 << 22;
/// BIP68: bits that hold the relative lock time.
pub const SEQUENCE_LOCKTIME_MASK: u32 = 0xffff;
/// BIP68: a time unit is 2 to this power seconds.
pub const SEQUENCE_LOCKTIME_GRANULARITY: u32 = 9;
/// Lock times below are heights, from here on times.
pub const LOCKTIME_THRESHOLD: u32 = 500_000_000;
/// Weight units of a byte outside witnesses.
pub const WITNESS_SCALE_FACTOR: usize = 4;

/// A shared transaction.
pub type TxRef = Arc<Transaction>;

/// Names an output of a transaction.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutPoint {
    /// The transaction.
    pub txid: Txid,
    /// Number of the output, from 0.
    pub vout: u32,
}

impl OutPoint {
    /// What a coinbase input refers to.
    pub const NULL: OutPoint = OutPoint { txid: Txid::ZERO, vout: NULL_INDEX };

    /// Puts both together.
    pub const fn new(txid: Txid, vout: u32) -> OutPoint {
        OutPoint { txid, vout }
    }
    /// True for [`OutPoint::NULL`].
    pub fn is_null(&self) -> bool {
        self.vout == NULL_INDEX && self.txid.is_zero()
    }
}

impl Default for OutPoint {
    fn default() -> Self {
        OutPoint::NULL
    }
}

impl fmt::Display for OutPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.txid, self.vout)
    }
}

impl fmt::Debug for OutPoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "OutPoint({self})")
    }
}

impl Encode for OutPoint {
    fn encode(&self, out: &mut Vec<u8>) {
        self.txid.encode(out);
        self.vout.encode(out);
    }
}

impl Decode for OutPoint {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(OutPoint { txid: Txid::decode(reader)?, vout: reader.u32_le()? })
    }
}

/// An input. Its witness is kept here, though serialized behind all outputs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TxIn {
    /// The output that is spent.
    pub prevout: OutPoint,
    /// Unlocking script.
    pub script_sig: Script,
    /// Sequence number (BIP68, BIP125).
    pub sequence: u32,
    /// Witness stack.
    pub witness: Witness,
}

impl TxIn {
    /// An input without script and witness.
    pub fn new(prevout: OutPoint, sequence: u32) -> TxIn {
        TxIn { prevout, script_sig: Script::new(), sequence, witness: Witness::new() }
    }
}

/// The serialization without the witness.
impl Encode for TxIn {
    fn encode(&self, out: &mut Vec<u8>) {
        self.prevout.encode(out);
        self.script_sig.encode(out);
        self.sequence.encode(out);
    }
}

impl Decode for TxIn {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(TxIn {
            prevout: OutPoint::decode(reader)?,
            script_sig: Script::decode(reader)?,
            sequence: reader.u32_le()?,
            witness: Witness::new(),
        })
    }
}

/// An output.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct TxOut {
    /// Amount, not checked by decoding.
    pub value: Amount,
    /// Locking script.
    pub script_pubkey: Script,
}

impl TxOut {
    /// Puts both together.
    pub fn new(value: Amount, script_pubkey: Script) -> TxOut {
        TxOut { value, script_pubkey }
    }
    /// Bytes of the serialization.
    pub fn encoded_len(&self) -> usize {
        8 + self.script_pubkey.encoded_len()
    }
}

impl Encode for TxOut {
    fn encode(&self, out: &mut Vec<u8>) {
        self.value.0.encode(out);
        self.script_pubkey.encode(out);
    }
}

impl Decode for TxOut {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(TxOut { value: Amount(reader.i64_le()?), script_pubkey: Script::decode(reader)? })
    }
}

/// A transaction under construction: no ids yet. [`Transaction::from`] freezes it.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct MutableTransaction {
    /// Version; compared as unsigned, shown as such.
    pub version: u32,
    /// Inputs.
    pub inputs: Vec<TxIn>,
    /// Outputs.
    pub outputs: Vec<TxOut>,
    /// Height or time before which the transaction is not final.
    pub lock_time: u32,
}

impl MutableTransaction {
    /// True when any input has a witness.
    pub fn has_witness(&self) -> bool {
        self.inputs.iter().any(|i| !i.witness.is_empty())
    }

    /// True for a transaction with one input that refers to nothing.
    pub fn is_coinbase(&self) -> bool {
        self.inputs.len() == 1 && self.inputs[0].prevout.is_null()
    }

    /// Sum of the outputs, or `None` when one or the sum leaves the money range.
    pub fn value_out(&self) -> Option<Amount> {
        let mut sum = Amount::ZERO;
        for output in &self.outputs {
            sum = sum.checked_add(output.value)?;
            if !crate::money_range(output.value) || !crate::money_range(sum) {
                return None;
            }
        }
        Some(sum)
    }

    /// Appends the serialization without witnesses.
    pub fn encode_without_witness(&self, out: &mut Vec<u8>) {
        self.version.encode(out);
        self.inputs.encode(out);
        self.outputs.encode(out);
        self.lock_time.encode(out);
    }

    /// Bytes of the serialization without witnesses.
    pub fn base_size(&self) -> usize {
        8 + compact_size_len(self.inputs.len() as u64)
            + self.inputs.iter().map(|i| 40 + i.script_sig.encoded_len()).sum::<usize>()
            + compact_size_len(self.outputs.len() as u64)
            + self.outputs.iter().map(TxOut::encoded_len).sum::<usize>()
    }

    /// Bytes of the full serialization.
    pub fn total_size(&self) -> usize {
        let witness = if self.has_witness() {
            2 + self.inputs.iter().map(|i| i.witness.encoded_len()).sum::<usize>()
        } else {
            0
        };
        self.base_size() + witness
    }

    /// Transaction id.
    pub fn txid(&self) -> Txid {
        let mut out = Vec::with_capacity(self.base_size());
        self.encode_without_witness(&mut out);
        grs_hashes::purpose::txid(&out)
    }

    /// Reads a transaction. With `allow_witness` false, a zero input count is just that, as the reference's
    /// `TX_NO_WITNESS` reads it.
    pub fn decode_with(reader: &mut Reader<'_>, allow_witness: bool) -> Result<Self, DecodeError> {
        Ok(parse(reader, allow_witness)?.0)
    }
}

/// Offsets, in the reader, of the parts of a transaction that make up its id.
struct Layout {
    start: usize,
    /// Input count to the last output.
    body: (usize, usize),
    lock_time: usize,
    end: usize,
}

/// Reference: `UnserializeTransaction` in `src/primitives/transaction.h`.
fn parse(reader: &mut Reader<'_>, allow_witness: bool) -> Result<(MutableTransaction, Layout), DecodeError> {
    let start = reader.position();
    let version = reader.u32_le()?;
    let mut body_start = reader.position();
    let mut inputs = Vec::<TxIn>::decode(reader)?;
    let mut outputs = Vec::new();
    let mut flags = 0;
    if inputs.is_empty() && allow_witness {
        flags = reader.u8()?;
        if flags != 0 {
            body_start = reader.position();
            inputs = Vec::decode(reader)?;
            outputs = Vec::decode(reader)?;
        }
    } else {
        outputs = Vec::decode(reader)?;
    }
    let body = (body_start, reader.position());
    if flags & 1 != 0 && allow_witness {
        flags ^= 1;
        for input in &mut inputs {
            input.witness = Witness::decode(reader)?;
        }
        if inputs.iter().all(|i| i.witness.is_empty()) {
            return Err(DecodeError::SuperfluousWitness);
        }
    }
    if flags != 0 {
        return Err(DecodeError::UnknownTransactionOptionalData);
    }
    let lock_time_at = reader.position();
    let lock_time = reader.u32_le()?;
    let layout = Layout { start, body, lock_time: lock_time_at, end: reader.position() };
    Ok((MutableTransaction { version, inputs, outputs, lock_time }, layout))
}

/// The full serialization (with witnesses when there are any).
impl Encode for MutableTransaction {
    fn encode(&self, out: &mut Vec<u8>) {
        let witness = self.has_witness();
        self.version.encode(out);
        if witness {
            // A count of zero inputs cannot be part of a valid transaction: it marks what follows (BIP144).
            out.extend_from_slice(&[0, 1]);
        }
        self.inputs.encode(out);
        self.outputs.encode(out);
        if witness {
            self.inputs.iter().for_each(|i| i.witness.encode(out));
        }
        self.lock_time.encode(out);
    }
}

impl Decode for MutableTransaction {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(parse(reader, true)?.0)
    }
}

/// A transaction that cannot change any more, with its ids and sizes.
///
/// Fields of [`MutableTransaction`] are readable through it.
#[derive(Clone)]
pub struct Transaction {
    data: MutableTransaction,
    txid: Txid,
    wtxid: Wtxid,
    base_size: u32,
    total_size: u32,
}

impl Transaction {
    /// Transaction id.
    pub fn txid(&self) -> Txid {
        self.txid
    }
    /// Witness transaction id (equal bytes when there is no witness).
    pub fn wtxid(&self) -> Wtxid {
        self.wtxid
    }
    /// Bytes without witnesses.
    pub fn base_size(&self) -> usize {
        self.base_size as usize
    }
    /// Bytes of the full serialization.
    pub fn total_size(&self) -> usize {
        self.total_size as usize
    }
    /// Weight units (BIP141).
    pub fn weight(&self) -> usize {
        self.base_size() * (WITNESS_SCALE_FACTOR - 1) + self.total_size()
    }
    /// True when any input has a witness.
    pub fn has_witness(&self) -> bool {
        self.base_size != self.total_size
    }
    /// The fields.
    pub fn data(&self) -> &MutableTransaction {
        &self.data
    }
    /// A copy to change.
    pub fn to_mutable(&self) -> MutableTransaction {
        self.data.clone()
    }

    fn with_ids(
        data: MutableTransaction,
        txid: Txid,
        wtxid: Wtxid,
        base: usize,
        total: usize,
    ) -> Transaction {
        // Sizes fit: a serialization longer than 4 GB is refused by every caller's length limit, and a decoded
        // one is no longer than its input.
        Transaction {
            data,
            txid,
            wtxid,
            base_size: base.min(u32::MAX as usize) as u32,
            total_size: total.min(u32::MAX as usize) as u32,
        }
    }

    /// Reads a transaction; see [`MutableTransaction::decode_with`].
    pub fn decode_with(reader: &mut Reader<'_>, allow_witness: bool) -> Result<Self, DecodeError> {
        let (data, layout) = parse(reader, allow_witness)?;
        let total = layout.end - layout.start;
        let stripped = [
            reader.window(layout.start, layout.start + 4),
            reader.window(layout.body.0, layout.body.1),
            reader.window(layout.lock_time, layout.end),
        ];
        let base = stripped.iter().map(|p| p.len()).sum();
        let has_witness = data.has_witness();
        if !has_witness && base != total {
            // Only an empty transaction with an explicit zero flag comes here: its ids are those of its own
            // serialization.
            return Ok(Transaction::from(data));
        }
        let mut hasher = TxidHasher::new();
        stripped.iter().for_each(|p| hasher.write(p));
        let txid = hasher.finish();
        let wtxid = if has_witness {
            wtxid(reader.window(layout.start, layout.end))
        } else {
            Wtxid::from_bytes(txid.to_bytes())
        };
        Ok(Transaction::with_ids(data, txid, wtxid, base, total))
    }
}

impl From<MutableTransaction> for Transaction {
    fn from(data: MutableTransaction) -> Transaction {
        let mut out = Vec::with_capacity(data.total_size());
        data.encode_without_witness(&mut out);
        let base = out.len();
        let txid = grs_hashes::purpose::txid(&out);
        if !data.has_witness() {
            return Transaction::with_ids(data, txid, Wtxid::from_bytes(txid.to_bytes()), base, base);
        }
        out.clear();
        data.encode(&mut out);
        let wtxid = wtxid(&out);
        Transaction::with_ids(data, txid, wtxid, base, out.len())
    }
}

impl Deref for Transaction {
    type Target = MutableTransaction;
    fn deref(&self) -> &MutableTransaction {
        &self.data
    }
}

impl PartialEq for Transaction {
    fn eq(&self, other: &Self) -> bool {
        self.wtxid == other.wtxid
    }
}

impl Eq for Transaction {}

impl fmt::Debug for Transaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transaction")
            .field("txid", &self.txid)
            .field("data", &self.data)
            .finish_non_exhaustive()
    }
}

impl Encode for Transaction {
    fn encode(&self, out: &mut Vec<u8>) {
        out.reserve(self.total_size());
        self.data.encode(out);
    }
}

impl Decode for Transaction {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Transaction::decode_with(reader, true)
    }
}

/// Appends a list of transactions without witnesses, with its count.
pub(crate) fn encode_list_without_witness(txs: &[TxRef], out: &mut Vec<u8>) {
    write_compact_size(out, txs.len() as u64);
    txs.iter().for_each(|tx| tx.data.encode_without_witness(out));
}
