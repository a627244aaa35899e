//! The node as a window sees it. Reference: `src/interfaces/node.h`, in fewer and larger calls.

use std::sync::Arc;

use grs_hashes::BlockHash;

use crate::gui::Wallets;
use crate::{CallResult, Handler, RpcReply};

/// A node, for a window.
pub trait Node: Send + Sync {
    /// What does not change while the node runs.
    fn info(&self) -> CallResult<NodeInfo>;

    /// The state now, peers included.
    fn snapshot(&self) -> CallResult<NodeSnapshot>;

    /// Sends `subscriber` the state now and then whenever it has changed, at most once per `wanted.interval_ms`. An
    /// update is sent only after the one before has been taken, so that a receiver that stands still costs nothing.
    fn subscribe(
        &self,
        wanted: NodeSubscription,
        subscriber: Arc<dyn NodeSubscriber>,
    ) -> CallResult<Arc<dyn Handler>>;

    /// Runs an RPC method. `arguments` is the JSON text of an array or object, `wallet` the wallet it is meant for.
    fn execute_rpc(&self, method: &str, arguments: &str, wallet: Option<String>) -> CallResult<RpcReply>;

    /// Names of all RPC methods, sorted.
    fn rpc_methods(&self) -> CallResult<Vec<String>>;

    /// Ends the connection with a peer; false if there is none of this number.
    fn disconnect_peer(&self, id: i64) -> CallResult<bool>;

    /// Bans the address of a peer for so many seconds and disconnects it; false if there is none of this number.
    fn ban_peer(&self, id: i64, seconds: i64) -> CallResult<bool>;

    /// Takes a ban back; false if the subnet was not banned.
    fn unban(&self, subnet: &str) -> CallResult<bool>;

    /// The banned subnets.
    fn bans(&self) -> CallResult<Vec<BanEntry>>;

    /// Switches all network activity on or off.
    fn set_network_active(&self, active: bool) -> CallResult<()>;

    /// Asks the node to stop. The answer comes before it has stopped.
    fn request_shutdown(&self) -> CallResult<()>;

    /// The wallets; `None` with `-disablewallet`. An error of [`crate::CallError::Disconnected`] says that the wallet
    /// process is not running at the moment, and why.
    fn wallets(&self) -> CallResult<Option<Arc<dyn Wallets>>>;
}

/// Gets the state of a node.
pub trait NodeSubscriber: Send + Sync {
    /// The state has changed.
    fn update(&self, snapshot: NodeSnapshot) -> CallResult<()>;
}

/// What a subscriber wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NodeSubscription {
    /// Least time between two updates in milliseconds; at least 50.
    pub interval_ms: u32,
    /// Fill [`NodeSnapshot::peers`] too.
    pub peers: bool,
}

impl Default for NodeSubscription {
    fn default() -> Self {
        NodeSubscription { interval_ms: 250, peers: false }
    }
}

/// What does not change while a node runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeInfo {
    /// Program name, such as `Groestlcoin Core`.
    pub client_name: String,
    /// Version as users see it, such as `v31.0.0`.
    pub version: String,
    /// User agent sent to peers.
    pub user_agent: String,
    /// Network: `main`, `test`, `testnet4`, `signet`, `regtest`.
    pub network: String,
    /// Data directory of the network.
    pub data_dir: String,
    /// Directory of the block files.
    pub blocks_dir: String,
    /// Path of the debug log; empty if there is none.
    pub debug_log: String,
    /// Start of the process, Unix seconds.
    pub start_time: i64,
    /// Number of the process.
    pub process_id: u32,
    /// Aimed time between two blocks in seconds.
    pub block_spacing: u32,
    /// Whether there are wallets at all.
    pub wallet_enabled: bool,
    /// Whether block files are pruned.
    pub pruned: bool,
}

/// How far the node has come with starting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum NodePhase {
    /// It loads its data.
    #[default]
    Starting,
    /// It runs.
    Running,
    /// It is about to stop.
    Stopping,
}

/// State of the wallets' process.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum WalletProcessState {
    /// There are no wallets (`-disablewallet`).
    #[default]
    None,
    /// Being started for the first time.
    Starting,
    /// It answers. The number grows with each new process, so that old interfaces are known to be of no use.
    Running {
        /// 1 for the first process.
        generation: u64,
    },
    /// It has ended, and will be started again.
    Lost {
        /// Why, for the user.
        cause: String,
    },
}

/// Work with a known share done, such as a rescan.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProgressMessage {
    /// What is going on.
    pub title: String,
    /// 0 to 100; `None` if not known.
    pub percent: Option<u8>,
}

/// How far the chain is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SyncSnapshot {
    /// Height of the tip.
    pub blocks: u32,
    /// Height of the best header.
    pub headers: u32,
    /// Hash of the tip.
    pub best_block: BlockHash,
    /// Time of the tip, Unix seconds.
    pub tip_time: i64,
    /// Time of the best header, Unix seconds.
    pub header_time: i64,
    /// Estimated share of all transactions that are verified, 0.0 to 1.0.
    pub progress: f64,
    /// Whether the node believes it is still catching up.
    pub initial_download: bool,
    /// Height of the headers that are only being counted yet, before they are stored (the first pass of the header
    /// download).
    pub presync_headers: Option<u32>,
    /// Blocks on disk are being read or indexed rather than downloaded.
    pub loading_blocks: bool,
}

/// Number of connections.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ConnectionCounts {
    /// Peers that connected to us.
    pub inbound: u32,
    /// Peers that we connected to.
    pub outbound: u32,
}

/// Bytes since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrafficTotals {
    /// Received.
    pub received: u64,
    /// Sent.
    pub sent: u64,
}

/// The mempool in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MempoolTotals {
    /// Transactions.
    pub transactions: u64,
    /// Memory in use, bytes.
    pub usage: u64,
    /// Most memory it may use, bytes.
    pub max_usage: u64,
}

/// The state of a node at one moment.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NodeSnapshot {
    /// When this was taken, Unix milliseconds.
    pub time_ms: i64,
    /// How far the start has come.
    pub phase: NodePhase,
    /// What the start is doing now; empty once the node runs.
    pub init_message: String,
    /// Work in progress, if any.
    pub progress: Option<ProgressMessage>,
    /// The chain.
    pub sync: SyncSnapshot,
    /// Whether the network is switched on.
    pub network_active: bool,
    /// Connections.
    pub connections: ConnectionCounts,
    /// Bytes sent and received.
    pub traffic: TrafficTotals,
    /// The mempool.
    pub mempool: MempoolTotals,
    /// Warnings to show, such as of an unknown rule.
    pub warnings: Vec<String>,
    /// Addresses that peers are told to find us at.
    pub local_addresses: Vec<String>,
    /// The wallets' process.
    pub wallet_process: WalletProcessState,
    /// The peers, if they are wanted.
    pub peers: Option<Vec<PeerSnapshot>>,
    /// Grows whenever the list of bans changes.
    pub bans_version: u64,
}

/// Who made a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum PeerDirection {
    /// The peer.
    #[default]
    Inbound,
    /// We.
    Outbound,
}

/// One peer.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PeerSnapshot {
    /// Number of the connection.
    pub id: i64,
    /// Address or name with port.
    pub address: String,
    /// Our address as the peer sees it; empty if it did not say.
    pub local_address: String,
    /// Who made the connection.
    pub direction: PeerDirection,
    /// Why there is a connection, such as `outbound-full-relay`.
    pub connection_type: String,
    /// `ipv4`, `ipv6`, `onion`, `i2p`, `cjdns` or `not_publicly_routable`.
    pub network: String,
    /// Permissions, such as `noban`.
    pub permissions: Vec<String>,
    /// `v1`, `v2` or `detecting`.
    pub transport: String,
    /// Number of the session of transport v2; empty for v1.
    pub session_id: String,
    /// Protocol version; 0 before the hand-shake.
    pub version: u32,
    /// User agent.
    pub user_agent: String,
    /// Names of the services it offers.
    pub services: Vec<String>,
    /// Whether it gets transactions.
    pub relay_transactions: bool,
    /// Whether we asked it for compact blocks at once.
    pub high_bandwidth_to: bool,
    /// Whether it asked us for compact blocks at once.
    pub high_bandwidth_from: bool,
    /// Height of its best header that we know; -1 if none.
    pub synced_headers: i64,
    /// Height of the last block in common; -1 if none.
    pub synced_blocks: i64,
    /// When the connection was made, Unix seconds.
    pub connected: i64,
    /// When it sent a new block last, Unix seconds; 0: never.
    pub last_block: i64,
    /// When it sent a valid transaction last, Unix seconds; 0: never.
    pub last_transaction: i64,
    /// When something was sent last, Unix seconds; 0: never.
    pub last_send: i64,
    /// When something was received last, Unix seconds; 0: never.
    pub last_receive: i64,
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// The last ping in microseconds.
    pub ping_us: Option<u64>,
    /// The least ping in microseconds.
    pub min_ping_us: Option<u64>,
    /// How long a ping has been waiting, in microseconds.
    pub ping_wait_us: Option<u64>,
    /// Its clock against ours in seconds.
    pub time_offset: i64,
    /// Number of its autonomous system; 0 if not known.
    pub mapped_as: u32,
    /// Whether addresses are relayed.
    pub address_relay: bool,
    /// Addresses taken from it.
    pub addresses_processed: u64,
    /// Addresses dropped as too many.
    pub addresses_rate_limited: u64,
}

/// A banned subnet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BanEntry {
    /// Address with prefix length.
    pub subnet: String,
    /// When the ban was made, Unix seconds.
    pub created: i64,
    /// When it ends, Unix seconds.
    pub until: i64,
}
