//! One conversion per type between plain data and the wire.
//!
//! Whatever comes from the other process is checked: wrong lengths, unknown enumerants and undecodable objects are
//! errors, never panics.

mod chain;
mod mining;
mod process;
#[cfg(test)]
mod tests;

pub(crate) use mining::{timeout, timeout_milliseconds};

use grs_encoding::{Decode, DecodeError, Encode, Reader};
use grs_hashes::{BlockHash, Txid, Wtxid};
use grs_interfaces::{
    FeeReason, MempoolRemovalReason, RbfState, Role, RpcMode, RpcVersion, ScanStatus, SettingsAction,
    TxBroadcast,
};
use grs_ipc_schema::{chain_capnp, grs_init_capnp};
use grs_mp::exception;
use grs_primitives::{Amount, BlockLocator, OutPoint};
use serde_json::Value;

/// Writes a value into a builder of the wire.
pub(crate) trait ToWire<B> {
    /// Fills the builder.
    fn to_wire(&self, out: B);
}

/// Reads a value from the wire.
pub(crate) trait FromWire<R>: Sized {
    /// Checks and copies.
    fn from_wire(from: R) -> capnp::Result<Self>;
}

type Text<'a> = capnp::Result<capnp::text::Reader<'a>>;
type Data<'a> = capnp::Result<capnp::data::Reader<'a>>;

/// A text field.
pub(crate) fn text(from: Text<'_>) -> capnp::Result<String> {
    Ok(from?.to_string()?)
}

/// A text field that may be null.
pub(crate) fn optional_text(present: bool, from: Text<'_>) -> capnp::Result<Option<String>> {
    present.then(|| text(from)).transpose()
}

pub(crate) fn decode_failure(error: DecodeError) -> capnp::Error {
    match error {
        // What the reference says for data that end too early.
        DecodeError::EndOfData => exception("SpanReader::read(): end of data: iostream error"),
        other => exception(other),
    }
}

/// A consensus-serialized object. Bytes after it are ignored, as in the reference.
pub(crate) fn object<T: Decode>(from: Data<'_>) -> capnp::Result<T> {
    T::decode(&mut Reader::new(from?)).map_err(decode_failure)
}

fn bytes32(from: Data<'_>) -> capnp::Result<[u8; 32]> {
    from?.try_into().map_err(|_| exception("a hash must have 32 bytes"))
}

/// A block hash.
pub(crate) fn block_hash(from: Data<'_>) -> capnp::Result<BlockHash> {
    Ok(BlockHash::from_bytes(bytes32(from)?))
}

/// A block hash where none means zero, as in the reference.
pub(crate) fn block_hash_or_zero(from: Data<'_>) -> capnp::Result<BlockHash> {
    match from? {
        [] => Ok(BlockHash::ZERO),
        bytes => block_hash(Ok(bytes)),
    }
}

/// A transaction id.
pub(crate) fn txid(from: Data<'_>) -> capnp::Result<Txid> {
    Ok(Txid::from_bytes(bytes32(from)?))
}

/// A transaction id with witnesses.
pub(crate) fn wtxid(from: Data<'_>) -> capnp::Result<Wtxid> {
    Ok(Wtxid::from_bytes(bytes32(from)?))
}

/// Hashes joined into one field.
pub(crate) fn locator_bytes(locator: &BlockLocator) -> Vec<u8> {
    locator.hashes.iter().flat_map(|hash| hash.to_bytes()).collect()
}

/// The inverse of [`locator_bytes`].
pub(crate) fn locator(from: Data<'_>) -> capnp::Result<BlockLocator> {
    let (hashes, rest) = from?.as_chunks::<32>();
    if !rest.is_empty() {
        return Err(exception("a list of hashes must have 32 bytes for each"));
    }
    Ok(BlockLocator { hashes: hashes.iter().map(|hash| BlockHash::from_bytes(*hash)).collect() })
}

/// Outpoints joined into one field.
pub(crate) fn outpoint_bytes(outpoints: &[OutPoint]) -> Vec<u8> {
    let mut out = Vec::with_capacity(outpoints.len() * 36);
    for outpoint in outpoints {
        outpoint.encode(&mut out);
    }
    out
}

/// The inverse of [`outpoint_bytes`].
pub(crate) fn outpoints(from: Data<'_>) -> capnp::Result<Vec<OutPoint>> {
    let (items, rest) = from?.as_chunks::<36>();
    if !rest.is_empty() {
        return Err(exception("a list of outpoints must have 36 bytes for each"));
    }
    items.iter().map(|item| object(Ok(item))).collect()
}

/// JSON in a text field.
pub(crate) fn json(from: Text<'_>) -> capnp::Result<Value> {
    let text = from?.to_str()?;
    serde_json::from_str(text).map_err(|error| exception(format!("invalid JSON: {error}")))
}

/// A list of blobs.
pub(crate) fn blobs<T>(
    list: capnp::data_list::Reader<'_>,
    read: impl Fn(Data<'_>) -> capnp::Result<T>,
) -> capnp::Result<Vec<T>> {
    list.iter().map(read).collect()
}

/// Fills a list of blobs.
pub(crate) fn set_blobs<T: AsRef<[u8]>>(mut list: capnp::data_list::Builder<'_>, items: &[T]) {
    for (n, item) in (0..).zip(items) {
        list.set(n, item.as_ref());
    }
}

/// Number of elements as the wire counts them. A list that long could not be sent anyway.
pub(crate) fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

/// A list of amounts.
pub(crate) fn amounts(list: capnp::primitive_list::Reader<'_, i64>) -> Vec<Amount> {
    list.iter().map(Amount).collect()
}

/// Fills a list of amounts.
pub(crate) fn set_amounts(mut list: capnp::primitive_list::Builder<'_, i64>, amounts: &[Amount]) {
    for (n, amount) in (0..).zip(amounts) {
        list.set(n, amount.0);
    }
}

/// An enumeration of the wire for a plain one.
pub(crate) trait ToEnum<E> {
    /// The same value.
    fn to_enum(self) -> E;
}

macro_rules! enumerations {
    ($($plain:ident = $wire:ty { $($item:ident = $other:ident),* $(,)? })*) => {$(
        impl ToEnum<$wire> for $plain {
            fn to_enum(self) -> $wire {
                match self { $($plain::$item => <$wire>::$other,)* }
            }
        }
        impl FromWire<Result<$wire, capnp::NotInSchema>> for $plain {
            fn from_wire(from: Result<$wire, capnp::NotInSchema>) -> capnp::Result<Self> {
                Ok(match from? { $(<$wire>::$other => $plain::$item,)* })
            }
        }
    )*};
}

enumerations! {
    RbfState = chain_capnp::RbfState {
        Unknown = Unknown, ReplaceableBip125 = ReplaceableBip125, Final = Final,
    }
    TxBroadcast = chain_capnp::TxBroadcast {
        MempoolAndBroadcastToAll = MempoolAndBroadcastToAll,
        MempoolNoBroadcast = MempoolNoBroadcast,
        NoMempoolPrivateBroadcast = NoMempoolPrivateBroadcast,
    }
    FeeReason = chain_capnp::FeeReason {
        None = None, HalfEstimate = HalfEstimate, FullEstimate = FullEstimate, DoubleEstimate = DoubleEstimate,
        Conservative = Conservative, MempoolMin = MempoolMin, Fallback = Fallback, Required = Required,
    }
    ScanStatus = chain_capnp::ScanStatus {
        More = More, Done = Done, Reorganized = Reorganized, MissingData = MissingData, Interrupted = Interrupted,
    }
    MempoolRemovalReason = chain_capnp::MempoolRemovalReason {
        Expiry = Expiry, SizeLimit = SizeLimit, Reorg = Reorg, Block = Block, Conflict = Conflict, Replaced = Replaced,
    }
    RpcMode = chain_capnp::RpcMode { Execute = Execute, GetHelp = GetHelp, GetArgs = GetArgs }
    RpcVersion = chain_capnp::RpcVersion { V1Legacy = V1Legacy, V2 = V2 }
    SettingsAction = chain_capnp::SettingsAction { Write = Write, SkipWrite = SkipWrite }
    Role = grs_init_capnp::Role { Node = Node, Wallet = Wallet, Gui = Gui, Other = Other }
}
