//! All messages. Decoding is strict about limits where the reference ends the connection while reading, and leaves
//! the rules about peers (who may send what, and when) to the message handler.

use std::sync::Arc;

use grs_consensus::MerkleBlock;
use grs_encoding::{Decode, DecodeError, Encode, Reader, write_compact_size, write_var_bytes};
use grs_hashes::{BlockHash, FilterHash, FilterHeader};
use grs_primitives::{Block, BlockLocator, HashedHeader, Header, Transaction, TxRef};
use thiserror::Error;

use crate::{
    AddressError, BlockTransactions, BlockTransactionsRequest, CompactBlock, Inventory, Services,
    TimedAddress, sanitize_string,
};

/// Most entries of an `inv`, `getdata` or `notfound`.
pub const MAX_INV_SIZE: usize = 50_000;
/// Most headers in one `headers`.
pub const MAX_HEADERS_RESULTS: usize = 2_000;
/// Most addresses in one `addr` or `addrv2`.
pub const MAX_ADDR_TO_SEND: usize = 1_000;
/// Most hashes in a locator.
pub const MAX_LOCATOR_SIZE: usize = 101;
/// Most bytes of a user agent.
pub const MAX_SUBVERSION_LENGTH: usize = 256;

/// Message types that this node knows, in the reference's order. Statistics count others together.
pub const MESSAGE_TYPES: [&str; 35] = [
    "version",
    "verack",
    "addr",
    "addrv2",
    "sendaddrv2",
    "inv",
    "getdata",
    "merkleblock",
    "getblocks",
    "getheaders",
    "tx",
    "headers",
    "block",
    "getaddr",
    "mempool",
    "ping",
    "pong",
    "notfound",
    "filterload",
    "filteradd",
    "filterclear",
    "sendheaders",
    "feefilter",
    "sendcmpct",
    "cmpctblock",
    "getblocktxn",
    "blocktxn",
    "getcfilters",
    "cfilter",
    "getcfheaders",
    "cfheaders",
    "getcfcheckpt",
    "cfcheckpt",
    "wtxidrelay",
    "sendtxrcncl",
];

/// Why a message could not be read.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Error)]
pub enum MessageError {
    /// Its bytes are no such message.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// More entries than the limit; the count. The message handler treats this as misbehaviour.
    #[error("{message} message size = {count}")]
    TooMany {
        /// Message type.
        message: &'static str,
        /// Entries that it has.
        count: u64,
    },
    /// An address of a wrong length.
    #[error(transparent)]
    Address(AddressError),
}

impl From<AddressError> for MessageError {
    fn from(error: AddressError) -> MessageError {
        match error {
            AddressError::Decode(error) => MessageError::Decode(error),
            other => MessageError::Address(other),
        }
    }
}

/// `version`: the first message of each side.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Version {
    /// Protocol version.
    pub version: i32,
    /// What the sender offers.
    pub services: Services,
    /// Sender's clock.
    pub time: i64,
    /// The receiver as the sender sees it.
    pub receiver: TimedAddress,
    /// The sender; nodes send zeros nowadays.
    pub sender: TimedAddress,
    /// Detects connections to oneself.
    pub nonce: u64,
    /// User agent; a received one without the characters that [`sanitize_string`] removes.
    pub user_agent: String,
    /// Height of the sender's tip.
    pub start_height: i32,
    /// Whether transactions may be sent (BIP37); absent means yes.
    pub relay: bool,
}

/// `getblocks` and `getheaders`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct GetBlocks {
    /// Where the sender's chain is.
    pub locator: BlockLocator,
    /// Last block wanted; zero for as many as possible.
    pub stop: BlockHash,
}

/// `sendcmpct` (BIP152).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SendCompact {
    /// Send compact blocks without asking first.
    pub high_bandwidth: bool,
    /// Encoding version; 2 is the one in use.
    pub version: u64,
}

/// `sendtxrcncl` (BIP330).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SendTxReconciliation {
    /// Protocol version.
    pub version: u32,
    /// Sender's part of the salt.
    pub salt: u64,
}

/// `filterload` (BIP37).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FilterLoad {
    /// Filter bits.
    pub data: Vec<u8>,
    /// Number of hash functions.
    pub hash_functions: u32,
    /// Their tweak.
    pub tweak: u32,
    /// How matching outputs update the filter.
    pub flags: u8,
}

/// A message of any type.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "the variants are the protocol's message types")]
pub enum Message {
    Version(Box<Version>),
    Verack,
    Addr(Vec<TimedAddress>),
    AddrV2(Vec<TimedAddress>),
    SendAddrV2,
    Inv(Vec<Inventory>),
    GetData(Vec<Inventory>),
    NotFound(Vec<Inventory>),
    MerkleBlock(Box<MerkleBlock>),
    GetBlocks(GetBlocks),
    GetHeaders(GetBlocks),
    Tx(TxRef),
    Headers(Vec<HashedHeader>),
    Block(Arc<Block>),
    /// A block's stored bytes, for sending without decoding. Never results from decoding.
    RawBlock(Arc<[u8]>),
    GetAddr,
    Mempool,
    /// Without nonce from very old peers.
    Ping(Option<u64>),
    /// The payload as it came: the handler reports wrong lengths.
    Pong(Vec<u8>),
    FilterLoad(FilterLoad),
    FilterAdd(Vec<u8>),
    FilterClear,
    SendHeaders,
    /// In gro per 1,000 virtual bytes.
    FeeFilter(i64),
    SendCompact(SendCompact),
    CompactBlock(Box<CompactBlock>),
    GetBlockTxn(BlockTransactionsRequest),
    BlockTxn(BlockTransactions),
    GetCFilters {
        filter_type: u8,
        start_height: u32,
        stop: BlockHash,
    },
    CFilter {
        filter_type: u8,
        block: BlockHash,
        filter: Vec<u8>,
    },
    GetCFHeaders {
        filter_type: u8,
        start_height: u32,
        stop: BlockHash,
    },
    CFHeaders {
        filter_type: u8,
        stop: BlockHash,
        previous: FilterHeader,
        hashes: Vec<FilterHash>,
    },
    GetCFCheckpt {
        filter_type: u8,
        stop: BlockHash,
    },
    CFCheckpt {
        filter_type: u8,
        stop: BlockHash,
        headers: Vec<FilterHeader>,
    },
    WtxidRelay,
    SendTxReconciliation(SendTxReconciliation),
    /// A type this node does not know, or one that it ignores.
    Unknown {
        message_type: String,
        payload: Vec<u8>,
    },
}

fn limited<T: Decode>(
    reader: &mut Reader<'_>,
    message: &'static str,
    limit: usize,
) -> Result<Vec<T>, MessageError> {
    // The reference reads the whole list before it complains about its length; the payload's own limit bounds it.
    let list = Vec::decode(reader)?;
    if list.len() > limit {
        return Err(MessageError::TooMany { message, count: list.len() as u64 });
    }
    Ok(list)
}

fn addresses<E>(
    reader: &mut Reader<'_>,
    message: &'static str,
    one: fn(&mut Reader<'_>) -> Result<TimedAddress, E>,
) -> Result<Vec<TimedAddress>, MessageError>
where
    MessageError: From<E>,
{
    // The reference reads the whole list before it complains about its length.
    let (count, _) = reader.count(1)?;
    let mut out = Vec::new();
    for _ in 0..count {
        let address = one(reader)?;
        if out.len() <= MAX_ADDR_TO_SEND {
            out.push(address);
        }
    }
    if count > MAX_ADDR_TO_SEND {
        return Err(MessageError::TooMany { message, count: count as u64 });
    }
    Ok(out)
}

fn headers(reader: &mut Reader<'_>) -> Result<Vec<HashedHeader>, MessageError> {
    let count = reader.compact_size()?;
    if count > MAX_HEADERS_RESULTS as u64 {
        return Err(MessageError::TooMany { message: "headers", count });
    }
    let mut plain = Vec::with_capacity((count as usize).min(reader.remaining() / 81));
    for _ in 0..count {
        plain.push(Header::decode(reader)?);
        // A transaction count, always zero, follows each header.
        reader.compact_size()?;
    }
    Ok(HashedHeader::batch(&plain))
}

fn version(reader: &mut Reader<'_>) -> Result<Version, DecodeError> {
    let version = reader.i32_le()?;
    let services = Services(reader.u64_le()?);
    let time = reader.i64_le()?;
    let receiver = TimedAddress::decode_v1_without_time(reader)?;
    let mut out = Version {
        version,
        services,
        time,
        receiver,
        sender: TimedAddress::default(),
        nonce: 1,
        user_agent: String::new(),
        start_height: -1,
        relay: true,
    };
    // Each of the rest may be missing with old senders.
    if !reader.is_empty() {
        out.sender = TimedAddress::decode_v1_without_time(reader)?;
        out.nonce = reader.u64_le()?;
    }
    if !reader.is_empty() {
        let agent = reader.var_bytes()?;
        if agent.len() > MAX_SUBVERSION_LENGTH {
            return Err(DecodeError::Invalid("String length limit exceeded"));
        }
        // Only ever shown and matched in this form.
        out.user_agent = sanitize_string(&agent.iter().map(|b| char::from(*b)).collect::<String>());
    }
    if !reader.is_empty() {
        out.start_height = reader.i32_le()?;
    }
    if !reader.is_empty() {
        out.relay = reader.bool()?;
    }
    Ok(out)
}

fn get_blocks(reader: &mut Reader<'_>) -> Result<GetBlocks, DecodeError> {
    Ok(GetBlocks { locator: BlockLocator::decode(reader)?, stop: BlockHash::decode(reader)? })
}

impl Message {
    /// Reads a payload. Bytes behind the message are ignored, as the reference does.
    pub fn decode(message_type: &str, payload: &[u8]) -> Result<Message, MessageError> {
        let reader = &mut Reader::new(payload);
        Ok(match message_type {
            "version" => Message::Version(Box::new(version(reader)?)),
            "verack" => Message::Verack,
            "addr" => Message::Addr(addresses(reader, "addr", TimedAddress::decode_v1)?),
            "addrv2" => Message::AddrV2(addresses(reader, "addrv2", TimedAddress::decode_v2)?),
            "sendaddrv2" => Message::SendAddrV2,
            "inv" => Message::Inv(limited(reader, "inv", MAX_INV_SIZE)?),
            "getdata" => Message::GetData(limited(reader, "getdata", MAX_INV_SIZE)?),
            "notfound" => Message::NotFound(Vec::decode(reader)?),
            "merkleblock" => Message::MerkleBlock(Box::new(MerkleBlock::decode(reader)?)),
            "getblocks" => Message::GetBlocks(get_blocks(reader)?),
            "getheaders" => Message::GetHeaders(get_blocks(reader)?),
            "tx" => Message::Tx(Arc::new(Transaction::decode(reader)?)),
            "headers" => Message::Headers(headers(reader)?),
            "block" => Message::Block(Arc::new(Block::decode(reader)?)),
            "getaddr" => Message::GetAddr,
            "mempool" => Message::Mempool,
            "ping" if payload.is_empty() => Message::Ping(None),
            "ping" => Message::Ping(Some(reader.u64_le()?)),
            "pong" => Message::Pong(payload.to_vec()),
            "filterload" => Message::FilterLoad(FilterLoad {
                data: reader.var_bytes()?.to_vec(),
                hash_functions: reader.u32_le()?,
                tweak: reader.u32_le()?,
                flags: reader.u8()?,
            }),
            "filteradd" => Message::FilterAdd(reader.var_bytes()?.to_vec()),
            "filterclear" => Message::FilterClear,
            "sendheaders" => Message::SendHeaders,
            "feefilter" => Message::FeeFilter(reader.i64_le()?),
            "sendcmpct" => Message::SendCompact(SendCompact {
                high_bandwidth: reader.bool()?,
                version: reader.u64_le()?,
            }),
            "cmpctblock" => Message::CompactBlock(Box::new(CompactBlock::decode(reader)?)),
            "getblocktxn" => Message::GetBlockTxn(BlockTransactionsRequest::decode(reader)?),
            "blocktxn" => Message::BlockTxn(BlockTransactions::decode(reader)?),
            "getcfilters" => Message::GetCFilters {
                filter_type: reader.u8()?,
                start_height: reader.u32_le()?,
                stop: BlockHash::decode(reader)?,
            },
            "cfilter" => Message::CFilter {
                filter_type: reader.u8()?,
                block: BlockHash::decode(reader)?,
                filter: reader.var_bytes()?.to_vec(),
            },
            "getcfheaders" => Message::GetCFHeaders {
                filter_type: reader.u8()?,
                start_height: reader.u32_le()?,
                stop: BlockHash::decode(reader)?,
            },
            "cfheaders" => Message::CFHeaders {
                filter_type: reader.u8()?,
                stop: BlockHash::decode(reader)?,
                previous: FilterHeader::decode(reader)?,
                hashes: Vec::decode(reader)?,
            },
            "getcfcheckpt" => {
                Message::GetCFCheckpt { filter_type: reader.u8()?, stop: BlockHash::decode(reader)? }
            }
            "cfcheckpt" => Message::CFCheckpt {
                filter_type: reader.u8()?,
                stop: BlockHash::decode(reader)?,
                headers: Vec::decode(reader)?,
            },
            "wtxidrelay" => Message::WtxidRelay,
            "sendtxrcncl" => Message::SendTxReconciliation(SendTxReconciliation {
                version: reader.u32_le()?,
                salt: reader.u64_le()?,
            }),
            other => Message::Unknown { message_type: other.to_owned(), payload: payload.to_vec() },
        })
    }

    /// The type's name on the wire.
    pub fn message_type(&self) -> &str {
        match self {
            Message::Version(_) => "version",
            Message::Verack => "verack",
            Message::Addr(_) => "addr",
            Message::AddrV2(_) => "addrv2",
            Message::SendAddrV2 => "sendaddrv2",
            Message::Inv(_) => "inv",
            Message::GetData(_) => "getdata",
            Message::NotFound(_) => "notfound",
            Message::MerkleBlock(_) => "merkleblock",
            Message::GetBlocks(_) => "getblocks",
            Message::GetHeaders(_) => "getheaders",
            Message::Tx(_) => "tx",
            Message::Headers(_) => "headers",
            Message::Block(_) | Message::RawBlock(_) => "block",
            Message::GetAddr => "getaddr",
            Message::Mempool => "mempool",
            Message::Ping(_) => "ping",
            Message::Pong(_) => "pong",
            Message::FilterLoad(_) => "filterload",
            Message::FilterAdd(_) => "filteradd",
            Message::FilterClear => "filterclear",
            Message::SendHeaders => "sendheaders",
            Message::FeeFilter(_) => "feefilter",
            Message::SendCompact(_) => "sendcmpct",
            Message::CompactBlock(_) => "cmpctblock",
            Message::GetBlockTxn(_) => "getblocktxn",
            Message::BlockTxn(_) => "blocktxn",
            Message::GetCFilters { .. } => "getcfilters",
            Message::CFilter { .. } => "cfilter",
            Message::GetCFHeaders { .. } => "getcfheaders",
            Message::CFHeaders { .. } => "cfheaders",
            Message::GetCFCheckpt { .. } => "getcfcheckpt",
            Message::CFCheckpt { .. } => "cfcheckpt",
            Message::WtxidRelay => "wtxidrelay",
            Message::SendTxReconciliation(_) => "sendtxrcncl",
            Message::Unknown { message_type, .. } => message_type,
        }
    }

    /// Appends the payload.
    pub fn encode_payload(&self, out: &mut Vec<u8>) {
        match self {
            Message::Version(v) => encode_version(v, out),
            Message::Verack
            | Message::SendAddrV2
            | Message::GetAddr
            | Message::Mempool
            | Message::FilterClear
            | Message::SendHeaders
            | Message::WtxidRelay
            | Message::Ping(None) => {}
            Message::Addr(list) => {
                write_compact_size(out, list.len() as u64);
                list.iter().for_each(|a| a.encode_v1(out));
            }
            Message::AddrV2(list) => {
                write_compact_size(out, list.len() as u64);
                list.iter().for_each(|a| a.encode_v2(out));
            }
            Message::Inv(list) | Message::GetData(list) | Message::NotFound(list) => list.encode(out),
            Message::MerkleBlock(block) => block.encode(out),
            Message::Pong(bytes) => out.extend_from_slice(bytes),
            Message::GetBlocks(g) | Message::GetHeaders(g) => {
                g.locator.encode(out);
                g.stop.encode(out);
            }
            Message::Tx(tx) => tx.encode(out),
            Message::Headers(list) => {
                write_compact_size(out, list.len() as u64);
                for header in list {
                    header.encode(out);
                    out.push(0);
                }
            }
            Message::Block(block) => block.encode(out),
            Message::RawBlock(bytes) => out.extend_from_slice(bytes),
            Message::Ping(Some(nonce)) => nonce.encode(out),
            Message::FilterLoad(f) => {
                write_var_bytes(out, &f.data);
                f.hash_functions.encode(out);
                f.tweak.encode(out);
                f.flags.encode(out);
            }
            Message::FilterAdd(bytes) => write_var_bytes(out, bytes),
            Message::FeeFilter(rate) => rate.encode(out),
            Message::SendCompact(s) => {
                out.push(u8::from(s.high_bandwidth));
                s.version.encode(out);
            }
            Message::CompactBlock(block) => block.encode(out),
            Message::GetBlockTxn(request) => request.encode(out),
            Message::BlockTxn(answer) => answer.encode(out),
            Message::GetCFilters { filter_type, start_height, stop }
            | Message::GetCFHeaders { filter_type, start_height, stop } => {
                filter_type.encode(out);
                start_height.encode(out);
                stop.encode(out);
            }
            Message::CFilter { filter_type, block, filter } => {
                filter_type.encode(out);
                block.encode(out);
                write_var_bytes(out, filter);
            }
            Message::CFHeaders { filter_type, stop, previous, hashes } => {
                filter_type.encode(out);
                stop.encode(out);
                previous.encode(out);
                hashes.encode(out);
            }
            Message::GetCFCheckpt { filter_type, stop } => {
                filter_type.encode(out);
                stop.encode(out);
            }
            Message::CFCheckpt { filter_type, stop, headers } => {
                filter_type.encode(out);
                stop.encode(out);
                headers.encode(out);
            }
            Message::SendTxReconciliation(s) => {
                s.version.encode(out);
                s.salt.encode(out);
            }
            Message::Unknown { payload, .. } => out.extend_from_slice(payload),
        }
    }
}

fn encode_version(v: &Version, out: &mut Vec<u8>) {
    v.version.encode(out);
    v.services.0.encode(out);
    v.time.encode(out);
    v.receiver.encode_v1_without_time(out);
    v.sender.encode_v1_without_time(out);
    v.nonce.encode(out);
    write_var_bytes(out, v.user_agent.as_bytes());
    v.start_height.encode(out);
    out.push(u8::from(v.relay));
}
