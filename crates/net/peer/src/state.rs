//! What the machine remembers, of each peer and of all together.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::hash::Hash;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use grs_addrman::Rng;
use grs_blockstore::BlockId;
use grs_hashes::{BlockHash, Hash256, Wtxid};
use grs_log::{Category, debug};
use grs_primitives::{Block, BlockLocator, TxRef};
use grs_wire::{AddressNetwork, BloomFilter, GetBlocks, Inventory, Message, Service, Services, TimedAddress};

use crate::download_queue::Downloads;
use crate::headers_sync::HeadersSync;
use crate::options::HEADERS_RESPONSE_TIME;
use crate::tx_download::TxDownload;
use crate::{Action, ConnectionType, NewPeer, PeerId, Permissions};

/// Remembers the latest `limit` to twice as many entries (in the place of a rolling bloom filter).
#[derive(Debug)]
pub(crate) struct Recent<T> {
    limit: usize,
    now: HashSet<T>,
    before: HashSet<T>,
}

impl<T: Eq + Hash> Recent<T> {
    pub(crate) fn new(limit: usize) -> Recent<T> {
        Recent { limit, now: HashSet::new(), before: HashSet::new() }
    }

    pub(crate) fn contains(&self, item: &T) -> bool {
        self.now.contains(item) || self.before.contains(item)
    }

    pub(crate) fn insert(&mut self, item: T) {
        if self.now.len() >= self.limit {
            self.before = std::mem::take(&mut self.now);
        }
        self.now.insert(item);
    }

    pub(crate) fn clear(&mut self) {
        self.now.clear();
        self.before.clear();
    }
}

/// Transaction relay with a peer that wants it.
#[derive(Debug)]
pub(crate) struct TxRelay {
    /// It wants announcements.
    pub(crate) relay: bool,
    /// Of which transactions, if it loaded a filter.
    pub(crate) bloom: Option<BloomFilter>,
    /// Its txids or wtxids that need no announcement.
    pub(crate) known: Recent<Hash256>,
    /// To be announced.
    pub(crate) to_send: BTreeSet<Wtxid>,
    /// It asked for the whole mempool.
    pub(crate) send_mempool: bool,
    /// `None` until the handshake is over.
    pub(crate) next_send: Option<Duration>,
    /// Mempool sequence at the last announcement.
    pub(crate) last_sequence: u64,
    /// Least rate it wants.
    pub(crate) fee_filter: i64,
}

/// Checks whether an outbound peer keeps up with our chain.
#[derive(Debug, Default)]
pub(crate) struct ChainSync {
    pub(crate) timeout: Option<Duration>,
    pub(crate) work_header: Option<BlockId>,
    pub(crate) sent_getheaders: bool,
    pub(crate) protect: bool,
}

/// A connected peer.
#[derive(Debug)]
pub(crate) struct Peer {
    pub(crate) info: NewPeer,
    pub(crate) local_nonce: u64,
    pub(crate) our_services: Services,
    pub(crate) version_sent: bool,
    /// No more messages; its disconnection is queued.
    pub(crate) disconnect: bool,
    pub(crate) should_discourage: bool,

    /// 0 until its `version` came.
    pub(crate) version: i32,
    pub(crate) common_version: i32,
    pub(crate) services: Services,
    pub(crate) user_agent: String,
    pub(crate) address_local: Option<Service>,
    pub(crate) starting_height: i32,
    pub(crate) time_offset: i64,
    pub(crate) successfully_connected: bool,
    pub(crate) wtxid_relay: bool,
    pub(crate) wants_addrv2: bool,

    pub(crate) ping_nonce: u64,
    pub(crate) ping_start: Duration,
    pub(crate) ping_queued: bool,
    pub(crate) ping_time: Option<Duration>,
    pub(crate) min_ping: Option<Duration>,

    pub(crate) tx_relay: Option<TxRelay>,
    pub(crate) last_tx_time: Duration,
    pub(crate) last_block_time: Duration,
    pub(crate) fee_filter_sent: i64,
    pub(crate) next_fee_filter: Duration,

    pub(crate) addr_relay: bool,
    pub(crate) addr_known: Recent<Service>,
    pub(crate) addrs_to_send: Vec<TimedAddress>,
    pub(crate) next_addr_send: Duration,
    pub(crate) getaddr_sent: bool,
    pub(crate) getaddr_received: bool,
    pub(crate) addr_tokens: f64,
    pub(crate) addr_tokens_time: Duration,
    pub(crate) addr_processed: u64,
    pub(crate) addr_rate_limited: u64,

    pub(crate) getdata: VecDeque<Inventory>,
    pub(crate) blocks_for_inv: Vec<BlockHash>,
    pub(crate) blocks_for_headers: Vec<BlockId>,
    pub(crate) continuation: Option<BlockHash>,
    pub(crate) prefers_headers: bool,
    pub(crate) sent_sendheaders: bool,
    pub(crate) provides_compact: bool,
    pub(crate) requested_high_bandwidth: bool,

    pub(crate) preferred_download: bool,
    pub(crate) sync_started: bool,
    pub(crate) headers_sync: Option<HeadersSync>,
    /// `Some(MAX)` once it can no longer strike.
    pub(crate) headers_sync_timeout: Duration,
    pub(crate) last_getheaders: Option<Duration>,
    pub(crate) inv_triggered_getheaders: bool,
    pub(crate) best_known: Option<BlockId>,
    pub(crate) last_unknown: Option<BlockHash>,
    pub(crate) last_common: Option<BlockId>,
    pub(crate) best_header_sent: Option<BlockId>,
    pub(crate) last_block_announcement: i64,
    pub(crate) chain_sync: ChainSync,
    pub(crate) stalling_since: Option<Duration>,
    pub(crate) downloading_since: Duration,
    pub(crate) in_flight: VecDeque<BlockId>,
}

impl Peer {
    pub(crate) fn new(info: NewPeer, our_services: Services, local_nonce: u64) -> Peer {
        let connected = info.connected;
        Peer {
            info,
            local_nonce,
            our_services,
            version_sent: false,
            disconnect: false,
            should_discourage: false,
            version: 0,
            common_version: 209,
            services: Services::NONE,
            user_agent: String::new(),
            address_local: None,
            starting_height: -1,
            time_offset: 0,
            successfully_connected: false,
            wtxid_relay: false,
            wants_addrv2: false,
            ping_nonce: 0,
            ping_start: Duration::ZERO,
            ping_queued: false,
            ping_time: None,
            min_ping: None,
            tx_relay: None,
            last_tx_time: Duration::ZERO,
            last_block_time: Duration::ZERO,
            fee_filter_sent: 0,
            next_fee_filter: Duration::ZERO,
            addr_relay: false,
            addr_known: Recent::new(5000),
            addrs_to_send: Vec::new(),
            next_addr_send: Duration::ZERO,
            getaddr_sent: false,
            getaddr_received: false,
            addr_tokens: 1.0,
            addr_tokens_time: connected,
            addr_processed: 0,
            addr_rate_limited: 0,
            getdata: VecDeque::new(),
            blocks_for_inv: Vec::new(),
            blocks_for_headers: Vec::new(),
            continuation: None,
            prefers_headers: false,
            sent_sendheaders: false,
            provides_compact: false,
            requested_high_bandwidth: false,
            preferred_download: false,
            sync_started: false,
            headers_sync: None,
            headers_sync_timeout: Duration::ZERO,
            last_getheaders: None,
            inv_triggered_getheaders: false,
            best_known: None,
            last_unknown: None,
            last_common: None,
            best_header_sent: None,
            last_block_announcement: 0,
            chain_sync: ChainSync::default(),
            stalling_since: None,
            downloading_since: Duration::ZERO,
            in_flight: VecDeque::new(),
        }
    }

    pub(crate) fn id(&self) -> PeerId {
        self.info.id
    }

    pub(crate) fn kind(&self) -> ConnectionType {
        self.info.connection_type
    }

    pub(crate) fn is_inbound(&self) -> bool {
        self.kind() == ConnectionType::Inbound
    }

    pub(crate) fn has(&self, permission: Permissions) -> bool {
        self.info.permissions.has(permission)
    }

    pub(crate) fn pauses_sending(&self) -> bool {
        self.info.pause_send.load(Ordering::Relaxed)
    }

    pub(crate) fn can_serve_blocks(&self) -> bool {
        self.services.0 & (Services::NETWORK.0 | Services::NETWORK_LIMITED.0) != 0
    }

    pub(crate) fn is_limited(&self) -> bool {
        !self.services.has(Services::NETWORK) && self.services.has(Services::NETWORK_LIMITED)
    }

    pub(crate) fn can_serve_witnesses(&self) -> bool {
        self.services.has(Services::WITNESS)
    }

    /// Address for log lines, if they may hold it.
    pub(crate) fn log_ip(&self) -> String {
        log_ip(&self.info.address)
    }

    /// End of the lines that tell why a peer is disconnected.
    pub(crate) fn disconnect_text(&self) -> String {
        format!("disconnecting peer={}{}", self.id(), self.log_ip())
    }

    /// Notes misbehaviour; the consequences follow before the next message is sent.
    pub(crate) fn misbehaving(&mut self, message: &str) {
        self.should_discourage = true;
        let id = self.id();
        let colon = if message.is_empty() { "" } else { ": " };
        debug!(Category::Net, "Misbehaving: peer={id}{colon}{message}");
    }
}

/// Address for log lines, if they may hold it.
pub(crate) fn log_ip(address: &Service) -> String {
    if grs_log::log_ips() { format!(" peeraddr={address}") } else { String::new() }
}

/// What belongs to no single peer.
pub(crate) struct Shared {
    pub(crate) actions: Vec<Action>,
    pub(crate) rng: Rng,
    pub(crate) sync_started: usize,
    pub(crate) preferred_download: usize,
    pub(crate) protected_outbound: usize,
    pub(crate) last_inv_block: Option<BlockHash>,
    /// Who sent a block that is being checked, and whether a wrong one is the sender's fault.
    pub(crate) block_sources: HashMap<BlockHash, (PeerId, bool)>,
    pub(crate) downloads: Downloads,
    pub(crate) tx: TxDownload,
    pub(crate) recent_block: Option<Arc<Block>>,
    pub(crate) recent_txs: HashMap<Hash256, TxRef>,
    pub(crate) next_inv_inbound: Duration,
    pub(crate) best_height: i32,
    pub(crate) best_time: i64,
    pub(crate) last_tip_update: i64,
    pub(crate) stale_check: Duration,
    pub(crate) initial_sync_finished: bool,
    pub(crate) try_new_outbound: bool,
    pub(crate) extra_block_relay: bool,
    pub(crate) time_offsets: VecDeque<i64>,
    /// Best presync: work, height and time per peer.
    pub(crate) presync: BTreeMap<PeerId, (grs_uint::U256, Option<(i64, u32)>)>,
    /// Answers to `getaddr`, by network and our end of the connection, and until when they stay the same.
    pub(crate) address_answers: HashMap<(AddressNetwork, Option<Service>), (Duration, Vec<TimedAddress>)>,
    /// Networks whose addresses are worth keeping.
    pub(crate) reachable: Vec<AddressNetwork>,
}

impl Shared {
    pub(crate) fn send(&mut self, peer: &Peer, message: Message) {
        self.actions.push(Action::Send(peer.id(), message));
    }

    pub(crate) fn disconnect(&mut self, peer: &mut Peer) {
        if !peer.disconnect {
            peer.disconnect = true;
            self.actions.push(Action::Disconnect(peer.id()));
        }
    }

    /// Asks for headers unless a recent request is unanswered.
    pub(crate) fn maybe_send_getheaders(
        &mut self,
        peer: &mut Peer,
        locator: BlockLocator,
        now: Duration,
    ) -> bool {
        if peer.last_getheaders.is_some_and(|last| now.saturating_sub(last) <= HEADERS_RESPONSE_TIME) {
            return false;
        }
        self.send(peer, Message::GetHeaders(GetBlocks { locator, stop: BlockHash::ZERO }));
        peer.last_getheaders = Some(now);
        true
    }
}

/// Everything behind the machine's lock.
pub(crate) struct State {
    pub(crate) peers: BTreeMap<PeerId, Peer>,
    pub(crate) shared: Shared,
}

impl State {
    /// A peer and what it shares with others.
    pub(crate) fn peer(&mut self, id: PeerId) -> Option<(&mut Peer, &mut Shared)> {
        Some((self.peers.get_mut(&id)?, &mut self.shared))
    }
}
