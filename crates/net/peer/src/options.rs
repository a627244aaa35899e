use std::sync::Arc;
use std::time::Duration;

use grs_params::ChainParams;
use grs_wire::Services;

/// How message handling behaves. [`PeerOptions::new`] has the reference's defaults.
#[derive(Clone)]
pub struct PeerOptions {
    /// Network.
    pub params: Arc<ChainParams>,
    /// Services that we offer.
    pub services: Services,
    /// User agent, such as `/Groestlcoin:31.0.0/`.
    pub user_agent: String,
    /// `-blocksonly`: no transactions from peers without the relay permission.
    pub ignore_incoming_txs: bool,
    /// `-peertimeout`: checks of inactivity begin so long after the connection.
    pub peer_timeout: Duration,
    /// Ordinary automatic connections wanted.
    pub max_outbound_full_relay: usize,
    /// Block-relay-only connections wanted.
    pub max_outbound_block_relay: usize,
    /// Connections are made to addresses from the address book (not with `-connect`).
    pub use_addrman_outgoing: bool,
    /// Most headers in a message.
    pub max_headers_result: usize,
    /// Request many small blocks at once during initial download; off, the reference's fixed numbers apply.
    pub bulk_download: bool,
    /// Wall clock since 1970.
    pub clock: Arc<dyn Fn() -> Duration + Send + Sync>,
    /// Fixed random numbers, for tests.
    pub seed: Option<u64>,
}

impl PeerOptions {
    /// Defaults for a network.
    pub fn new(params: Arc<ChainParams>) -> PeerOptions {
        PeerOptions {
            params,
            services: Services::NETWORK.with(Services::NETWORK_LIMITED).with(Services::WITNESS),
            user_agent: "/Groestlcoin:31.0.0/".to_owned(),
            ignore_incoming_txs: false,
            peer_timeout: Duration::from_secs(60),
            max_outbound_full_relay: 8,
            max_outbound_block_relay: 2,
            use_addrman_outgoing: true,
            max_headers_result: grs_wire::MAX_HEADERS_RESULTS,
            bulk_download: true,
            clock: Arc::new(grs_sync::clock::now),
            seed: None,
        }
    }
}

pub(crate) const fn secs(n: u64) -> Duration {
    Duration::from_secs(n)
}

pub(crate) const HEADERS_DOWNLOAD_TIMEOUT_BASE: Duration = secs(15 * 60);
pub(crate) const HEADERS_RESPONSE_TIME: Duration = secs(120);
pub(crate) const MAX_OUTBOUND_TO_PROTECT: usize = 4;
pub(crate) const CHAIN_SYNC_TIMEOUT: Duration = secs(20 * 60);
pub(crate) const STALE_CHECK_INTERVAL: Duration = secs(600);
pub(crate) const MINIMUM_CONNECT_TIME: Duration = secs(30);
pub(crate) const STALE_RELAY_AGE_LIMIT: i64 = 30 * 24 * 3600;
pub(crate) const HISTORICAL_BLOCK_AGE: i64 = 7 * 24 * 3600;
pub(crate) const PING_INTERVAL: Duration = secs(120);
/// A peer that does not answer or take data for so long is disconnected.
pub const TIMEOUT_INTERVAL: Duration = secs(20 * 60);
pub(crate) const MAX_GETDATA_SIZE: usize = 1000;
/// Blocks requested at once from a peer near the tip.
pub(crate) const MAX_BLOCKS_IN_TRANSIT: usize = 16;
/// Blocks requested at once from a peer in initial download, when they are small.
pub(crate) const MAX_BULK_IN_TRANSIT: usize = 512;
/// Bytes requested at once from a peer.
pub(crate) const BULK_BYTES_IN_TRANSIT: usize = 2 << 20;
pub(crate) const BLOCK_DOWNLOAD_WINDOW: u32 = 1024;
pub(crate) const MAX_BULK_WINDOW: u32 = 16_000;
pub(crate) const BULK_WINDOW_BYTES: usize = 32 << 20;
pub(crate) const BLOCK_STALLING_TIMEOUT: Duration = secs(2);
pub(crate) const BLOCK_STALLING_TIMEOUT_MAX: Duration = secs(64);
pub(crate) const MAX_CMPCTBLOCK_DEPTH: i64 = 5;
pub(crate) const MAX_BLOCKTXN_DEPTH: i64 = 10;
pub(crate) const MAX_BLOCKS_TO_ANNOUNCE: usize = 8;
pub(crate) const NETWORK_LIMITED_MIN_BLOCKS: i64 = 288;
pub(crate) const NETWORK_LIMITED_ALLOW_CONN_BLOCKS: i64 = 144;
pub(crate) const AVG_ADDRESS_BROADCAST: Duration = secs(30);
pub(crate) const INBOUND_INVENTORY_INTERVAL: Duration = secs(5);
pub(crate) const OUTBOUND_INVENTORY_INTERVAL: Duration = secs(2);
pub(crate) const INVENTORY_BROADCAST_TARGET: usize = 70;
pub(crate) const INVENTORY_BROADCAST_MAX: usize = 1000;
pub(crate) const AVG_FEEFILTER_BROADCAST: Duration = secs(600);
pub(crate) const MAX_FEEFILTER_CHANGE_DELAY: Duration = secs(300);
pub(crate) const MAX_PCT_ADDR_TO_SEND: usize = 23;
pub(crate) const MAX_ADDR_RATE_PER_SECOND: f64 = 0.1;
pub(crate) const ADDR_TOKEN_BUCKET: f64 = grs_wire::MAX_ADDR_TO_SEND as f64;
pub(crate) const CMPCTBLOCKS_VERSION: u64 = 2;
