//! The P2P protocol's bytes: network addresses, messages, and the transports as machines that take bytes and give
//! messages. No sockets, no clock.

mod address;
mod base32;
mod bloom;
mod compact;
mod inventory;
mod ipv4_text;
mod message;
mod services;
mod transport;
mod v2;

#[doc(hidden)]
pub mod fuzz;

pub use address::{AddressError, AddressNetwork, NetAddress, Service, TimedAddress, split_host_port};
pub use bloom::{
    BloomFilter, MAX_BLOOM_FILTER_SIZE, MAX_FILTER_ADD_SIZE, MAX_HASH_FUNCS, RollingBloomFilter, murmur_hash3,
};
pub use compact::{BlockTransactions, BlockTransactionsRequest, CompactBlock, PrefilledTransaction};
pub use inventory::{
    Inventory, MSG_BLOCK, MSG_CMPCT_BLOCK, MSG_FILTERED_BLOCK, MSG_TX, MSG_WITNESS_BLOCK, MSG_WITNESS_FLAG,
    MSG_WITNESS_TX, MSG_WTX,
};
pub use message::{
    FilterLoad, GetBlocks, MAX_ADDR_TO_SEND, MAX_HEADERS_RESULTS, MAX_INV_SIZE, MAX_LOCATOR_SIZE,
    MAX_SUBVERSION_LENGTH, MESSAGE_TYPES, Message, MessageError, SendCompact, SendTxReconciliation, Version,
};
pub use services::{Services, services_to_strings};
pub use transport::{
    MAX_PROTOCOL_MESSAGE_LENGTH, MESSAGE_HEADER_LEN, RawMessage, Received, Transport, TransportError,
    V1Transport, message_header,
};
pub use v2::{MAX_GARBAGE_LEN, V2Status, V2Transport, v2_overhead};

/// The text without characters that could do harm in a log (reference: `SanitizeString` with its default set).
pub fn sanitize_string(text: &str) -> String {
    text.chars().filter(|c| c.is_ascii_alphanumeric() || " .,;-_/:?@()".contains(*c)).collect()
}

/// Version of the protocol that this node speaks.
pub const PROTOCOL_VERSION: i32 = 70016;
/// Peers below this version are refused.
pub const MIN_PEER_PROTO_VERSION: i32 = 31800;
/// From this version on, pings carry a nonce (BIP31: above it).
pub const BIP0031_VERSION: i32 = 60000;
/// From this version on, peers may ask for headers instead of inventories (BIP130).
pub const SENDHEADERS_VERSION: i32 = 70012;
/// From this version on, peers understand `feefilter` (BIP133).
pub const FEEFILTER_VERSION: i32 = 70013;
/// From this version on, compact blocks work (BIP152).
pub const SHORT_IDS_BLOCKS_VERSION: i32 = 70014;
/// From this version on, an invalid compact block is no misbehaviour.
pub const INVALID_CB_NO_BAN_VERSION: i32 = 70015;
/// From this version on, transactions may be announced by wtxid (BIP339).
pub const WTXID_RELAY_VERSION: i32 = 70016;
