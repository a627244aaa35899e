//! Chain events in the form in which they travel: blocks and transactions serialized.
//!
//! Both sides encode and decode off the IPC thread, which only copies bytes.

use std::sync::Arc;

use grs_encoding::{Decode, Reader, encode_to_vec};
use grs_hashes::BlockHash;
use grs_interfaces::{
    BlockInfo, CallError, CallResult, ChainNotifications, ChainstateRole, MempoolRemovalReason,
};
use grs_ipc_schema::chain_capnp::{block_info, event};
use grs_primitives::{BlockLocator, Transaction};

use crate::convert::{FromWire, ToData, ToScalar, ToWire, optional, read};

/// A block with its contents serialized.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct EventBlock {
    hash: BlockHash,
    prev_hash: Option<BlockHash>,
    height: u32,
    chain_time_max: i64,
    data: Option<Vec<u8>>,
    undo_data: Option<Vec<u8>>,
}

impl EventBlock {
    pub(crate) fn new(info: &BlockInfo, with_data: bool, with_undo: bool) -> EventBlock {
        EventBlock {
            hash: info.hash,
            prev_hash: info.prev_hash,
            height: info.height,
            chain_time_max: info.chain_time_max,
            data: info.data.as_ref().filter(|_| with_data).map(|block| encode_to_vec(&**block)),
            undo_data: info.undo_data.clone().filter(|_| with_undo),
        }
    }

    fn decode(self) -> CallResult<BlockInfo> {
        Ok(BlockInfo {
            hash: self.hash,
            prev_hash: self.prev_hash,
            height: self.height,
            chain_time_max: self.chain_time_max,
            data: self.data.map(|data| decode(&data).map(Arc::new)).transpose()?,
            undo_data: self.undo_data,
        })
    }

    fn size(&self) -> usize {
        self.data.as_ref().map_or(0, Vec::len) + self.undo_data.as_ref().map_or(0, Vec::len)
    }
}

fn decode<T: Decode>(data: &[u8]) -> CallResult<T> {
    T::decode(&mut Reader::new(data)).map_err(|error| CallError::remote(format!("chain event: {error}")))
}

impl ToWire<block_info::Builder<'_>> for EventBlock {
    fn to_wire(&self, mut out: block_info::Builder<'_>) {
        out.set_hash(self.hash.as_bytes());
        if let Some(prev) = &self.prev_hash {
            out.set_prev_hash(prev.as_bytes());
        }
        out.set_height(self.height);
        out.set_chain_time_max(self.chain_time_max);
        if let Some(data) = &self.data {
            out.set_data(data);
        }
        if let Some(undo) = &self.undo_data {
            out.set_undo_data(undo);
        }
    }
}

impl FromWire<block_info::Reader<'_>> for EventBlock {
    fn from_wire(from: block_info::Reader<'_>) -> capnp::Result<Self> {
        Ok(EventBlock {
            hash: read(from.get_hash())?,
            prev_hash: optional(from.has_prev_hash(), from.get_prev_hash())?,
            height: from.get_height(),
            chain_time_max: from.get_chain_time_max(),
            data: optional(from.has_data(), from.get_data())?,
            undo_data: optional(from.has_undo_data(), from.get_undo_data())?,
        })
    }
}

/// One event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event {
    TransactionAdded(Vec<u8>),
    TransactionRemoved(Vec<u8>, MempoolRemovalReason),
    BlockConnected(ChainstateRole, EventBlock),
    BlockDisconnected(EventBlock),
    UpdatedBlockTip,
    ChainStateFlushed(ChainstateRole, BlockLocator),
    MockTime(i64),
}

impl Event {
    /// Bytes that it takes in a message, about.
    pub(crate) fn size(&self) -> usize {
        256 + match self {
            Event::TransactionAdded(tx) | Event::TransactionRemoved(tx, _) => tx.len(),
            Event::BlockConnected(_, block) | Event::BlockDisconnected(block) => block.size(),
            Event::UpdatedBlockTip | Event::MockTime(_) => 0,
            Event::ChainStateFlushed(_, locator) => locator.hashes.len() * 32,
        }
    }

    /// Calls the receiver.
    pub(crate) fn deliver(self, to: &dyn ChainNotifications) -> CallResult<()> {
        match self {
            Event::TransactionAdded(tx) => {
                to.transaction_added_to_mempool(Arc::new(decode::<Transaction>(&tx)?))
            }
            Event::TransactionRemoved(tx, reason) => {
                to.transaction_removed_from_mempool(Arc::new(decode::<Transaction>(&tx)?), reason)
            }
            Event::BlockConnected(role, block) => to.block_connected(role, &block.decode()?),
            Event::BlockDisconnected(block) => to.block_disconnected(&block.decode()?),
            Event::UpdatedBlockTip => to.updated_block_tip(),
            Event::ChainStateFlushed(role, locator) => to.chain_state_flushed(role, &locator),
            Event::MockTime(time) => to.mock_time_changed(time),
        }
    }
}

impl ToWire<event::Builder<'_>> for Event {
    fn to_wire(&self, mut out: event::Builder<'_>) {
        match self {
            Event::TransactionAdded(tx) => out.set_transaction_added(tx),
            Event::TransactionRemoved(tx, reason) => {
                let mut out = out.init_transaction_removed();
                out.set_tx(tx);
                out.set_reason(reason.to_scalar());
            }
            Event::BlockConnected(role, block) => {
                let mut out = out.init_block_connected();
                role.to_wire(out.reborrow().init_role());
                block.to_wire(out.init_block());
            }
            Event::BlockDisconnected(block) => block.to_wire(out.init_block_disconnected()),
            Event::UpdatedBlockTip => out.set_updated_block_tip(()),
            Event::ChainStateFlushed(role, locator) => {
                let mut out = out.init_chain_state_flushed();
                role.to_wire(out.reborrow().init_flushed_role());
                out.set_locator(&locator.to_data());
            }
            Event::MockTime(time) => out.set_mock_time(*time),
        }
    }
}

impl FromWire<event::Reader<'_>> for Event {
    fn from_wire(from: event::Reader<'_>) -> capnp::Result<Self> {
        Ok(match from.which()? {
            event::TransactionAdded(tx) => Event::TransactionAdded(tx?.to_vec()),
            event::TransactionRemoved(removed) => Event::TransactionRemoved(
                removed.get_tx()?.to_vec(),
                MempoolRemovalReason::from_wire(removed.get_reason())?,
            ),
            event::BlockConnected(connected) => Event::BlockConnected(
                ChainstateRole::from_wire(connected.get_role()?)?,
                EventBlock::from_wire(connected.get_block()?)?,
            ),
            event::BlockDisconnected(block) => Event::BlockDisconnected(EventBlock::from_wire(block?)?),
            event::UpdatedBlockTip(()) => Event::UpdatedBlockTip,
            event::ChainStateFlushed(flushed) => Event::ChainStateFlushed(
                ChainstateRole::from_wire(flushed.get_flushed_role()?)?,
                read(flushed.get_locator())?,
            ),
            event::MockTime(time) => Event::MockTime(time),
        })
    }
}
