//! One conversion per type between plain data and the wire.
//!
//! Whatever comes from the other process is checked: wrong lengths, unknown enumerants and undecodable objects are
//! errors, never panics.

mod chain;
mod fields;
mod gui;
mod mining;
mod process;
#[cfg(test)]
mod tests;
mod values;

use std::borrow::Cow;

use grs_interfaces::{
    AddressKind, CallError, CallResult, FeeReason, MempoolRemovalReason, NodePhase, PeerDirection, RbfState,
    Role, RpcMode, RpcVersion, ScanStatus, SettingsAction, TxBroadcast, TxKind, TxSortColumn,
};
use grs_ipc_schema::{chain_capnp, grs_init_capnp, gui_wallet_capnp, node_capnp};

/// Writes a struct, or a list of anything but structs, into its builder.
pub(crate) trait ToWire<B> {
    /// Fills the builder.
    fn to_wire(&self, out: B);
}

/// A number or an enumerant for a plain value.
pub(crate) trait ToScalar<W> {
    /// The same value.
    fn to_scalar(&self) -> W;
}

/// What is put into a field of type `Text`.
pub(crate) trait ToText {
    /// The text.
    fn to_text(&self) -> Cow<'_, str>;
}

/// What is put into a field of type `Data`.
pub(crate) trait ToData {
    /// The bytes.
    fn to_data(&self) -> Cow<'_, [u8]>;
}

/// The inverse of all of them: reads a value from the wire.
pub(crate) trait FromWire<R>: Sized {
    /// Checks and copies.
    fn from_wire(from: R) -> capnp::Result<Self>;
}

/// Fills a list of structs.
pub(crate) fn put_structs<S, T>(mut out: capnp::struct_list::Builder<'_, S>, items: &[T])
where
    S: capnp::traits::OwnedStruct,
    T: for<'a> ToWire<S::Builder<'a>>,
{
    for (n, item) in (0..).zip(items) {
        item.to_wire(out.reborrow().get(n));
    }
}

/// A pointer field.
pub(crate) fn read<R, T: FromWire<R>>(from: capnp::Result<R>) -> capnp::Result<T> {
    T::from_wire(from?)
}

/// A pointer field that may be null.
pub(crate) fn optional<R, T: FromWire<R>>(present: bool, from: capnp::Result<R>) -> capnp::Result<Option<T>> {
    present.then(|| read(from)).transpose()
}

/// Data that may be absent, which means the default value.
pub(crate) fn or_default<T>(present: bool, from: &[u8]) -> capnp::Result<T>
where
    T: Default + for<'a> FromWire<&'a [u8]>,
{
    if present { T::from_wire(from) } else { Ok(T::default()) }
}

/// Data decoded where the work is done.
pub(crate) fn decode_later<T: for<'a> FromWire<&'a [u8]>>(from: &[u8]) -> CallResult<T> {
    T::from_wire(from).map_err(|error| {
        let text = error.extra.strip_prefix("std::exception: ").map(str::to_owned);
        CallError::remote(text.unwrap_or(error.extra))
    })
}

/// Number of elements as the wire counts them. A list that long could not be sent anyway.
pub(crate) fn count(len: usize) -> u32 {
    u32::try_from(len).unwrap_or(u32::MAX)
}

macro_rules! enumerations {
    ($($plain:ident = $wire:ty { $($item:ident = $other:ident),* $(,)? })*) => {$(
        impl ToScalar<$wire> for $plain {
            fn to_scalar(&self) -> $wire {
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
    NodePhase = node_capnp::NodePhase { Starting = Starting, Running = Running, Stopping = Stopping }
    PeerDirection = node_capnp::PeerDirection { Inbound = Inbound, Outbound = Outbound }
    AddressKind = gui_wallet_capnp::AddressKind {
        Legacy = Legacy, P2shSegwit = P2shSegwit, Bech32 = Bech32, Bech32m = Bech32m,
    }
    TxKind = gui_wallet_capnp::TxKind {
        Received = Received, Sent = Sent, ToSelf = ToSelf, Mined = Mined, Other = Other,
    }
    TxSortColumn = gui_wallet_capnp::TxSortColumn {
        Status = Status, Date = Date, Kind = Kind, Label = Label, Amount = Amount,
    }
    Role = grs_init_capnp::Role { Node = Node, Wallet = Wallet, Gui = Gui, Other = Other }
}
