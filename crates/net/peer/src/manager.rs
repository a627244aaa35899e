use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use grs_addrman::{AddrMan, BanMan, Rng};
use grs_blockstore::{BlockIndex, ChainView};
use grs_chainstate::ChainstateManager;
use grs_log::{Category, debug};
use grs_mempool::Mempool;
use grs_sync::{LockRank, OrderedMutex};
use grs_wire::{AddressNetwork, Message, MessageError, Services, sanitize_string};

use crate::download_queue::Downloads;
use crate::events::Subscriber;
use crate::options::STALE_CHECK_INTERVAL;
use crate::state::{Peer, Shared, State};
use crate::tx_download::TxDownload;
use crate::{Action, ConnectionType, Incoming, NewPeer, PeerId, PeerOptions, Permissions};

type Wake = Arc<dyn Fn() + Send + Sync>;

/// Message handling for all peers. Share it as an `Arc`.
///
/// Messages of one machine are processed by one thread. Everything else may be called from any.
pub struct PeerManager {
    pub(crate) options: PeerOptions,
    pub(crate) chain: Arc<ChainstateManager>,
    pub(crate) mempool: Arc<Mempool>,
    pub(crate) bans: Arc<BanMan>,
    pub(crate) addrman: Arc<AddrMan>,
    pub(crate) state: OrderedMutex<State>,
    wake: RwLock<Option<Wake>>,
    subscription: Mutex<Option<u64>>,
    pub(crate) network_active: AtomicBool,
    /// Upload target reached: for old blocks, for everything.
    pub(crate) upload_limit: [AtomicBool; 2],
    stop: AtomicBool,
}

impl PeerManager {
    /// Creates the machine and subscribes it to chain events until [`PeerManager::stop`].
    pub fn new(
        options: PeerOptions,
        chain: Arc<ChainstateManager>,
        mempool: Arc<Mempool>,
        bans: Arc<BanMan>,
        addrman: Arc<AddrMan>,
    ) -> Arc<PeerManager> {
        let view = chain.view();
        let shared = Shared {
            actions: Vec::new(),
            rng: options.seed.map_or_else(Rng::new, Rng::seeded),
            sync_started: 0,
            preferred_download: 0,
            protected_outbound: 0,
            last_inv_block: None,
            block_sources: HashMap::new(),
            downloads: Downloads::new(),
            tx: TxDownload::new(),
            recent_block: None,
            recent_txs: HashMap::new(),
            next_inv_inbound: Duration::ZERO,
            best_height: view.height(),
            best_time: view.tip().map_or(0, |tip| i64::from(chain.index().time(tip))),
            last_tip_update: 0,
            stale_check: (options.clock)() + STALE_CHECK_INTERVAL,
            initial_sync_finished: false,
            try_new_outbound: false,
            extra_block_relay: false,
            time_offsets: VecDeque::new(),
            presync: BTreeMap::new(),
            address_answers: HashMap::new(),
            reachable: vec![AddressNetwork::Ipv4, AddressNetwork::Ipv6],
        };
        let state = State { peers: BTreeMap::new(), shared };
        let manager = Arc::new(PeerManager {
            options,
            chain,
            mempool,
            bans,
            addrman,
            state: OrderedMutex::new(LockRank::PeerState, "peers", state),
            wake: RwLock::new(None),
            subscription: Mutex::new(None),
            network_active: AtomicBool::new(true),
            upload_limit: [AtomicBool::new(false), AtomicBool::new(false)],
            stop: AtomicBool::new(false),
        });
        let subscriber = Arc::new(Subscriber(Arc::downgrade(&manager)));
        let id = manager.chain.signals().register(subscriber);
        *manager.subscription.lock().unwrap_or_else(PoisonError::into_inner) = Some(id);
        manager
    }

    /// Ends message processing as soon as possible, and the subscription.
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(id) = self.subscription.lock().unwrap_or_else(PoisonError::into_inner).take() {
            self.chain.signals().unregister(id);
        }
    }

    pub(crate) fn stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Options.
    pub fn options(&self) -> &PeerOptions {
        &self.options
    }

    /// The address book.
    pub fn addrman(&self) -> &Arc<AddrMan> {
        &self.addrman
    }

    /// The ban list.
    pub fn bans(&self) -> &Arc<BanMan> {
        &self.bans
    }

    /// The chain.
    pub fn chain(&self) -> &Arc<ChainstateManager> {
        &self.chain
    }

    /// Sets who is called when there may be something to send ([`PeerManager::send_messages`]) outside of message
    /// processing.
    pub fn set_wake(&self, wake: Arc<dyn Fn() + Send + Sync>) {
        *self.wake.write().unwrap_or_else(PoisonError::into_inner) = Some(wake);
    }

    pub(crate) fn wake(&self) {
        let wake = self.wake.read().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(wake) = wake {
            wake();
        }
    }

    pub(crate) fn now(&self) -> Duration {
        (self.options.clock)()
    }

    pub(crate) fn now_secs(&self) -> i64 {
        self.now().as_secs() as i64
    }

    pub(crate) fn index(&self) -> &BlockIndex {
        self.chain.index()
    }

    pub(crate) fn view(&self) -> ChainView {
        self.chain.view()
    }

    /// What is to be done since the last call. In order for each peer.
    pub fn take_actions(&self) -> Vec<Action> {
        std::mem::take(&mut self.state.lock().shared.actions)
    }

    /// Sets which networks' addresses are kept and passed on to more peers; IPv4 and IPv6 without.
    pub fn set_reachable(&self, networks: Vec<AddressNetwork>) {
        self.state.lock().shared.reachable = networks;
    }

    /// Whether peers may be connected to at present; affects the search for more peers only.
    pub fn set_network_active(&self, active: bool) {
        self.network_active.store(active, Ordering::Relaxed);
    }

    /// Tells whether the upload target is reached: for old blocks, and for everything.
    pub fn set_upload_limit_reached(&self, historical: bool, all: bool) {
        self.upload_limit[0].store(historical, Ordering::Relaxed);
        self.upload_limit[1].store(all, Ordering::Relaxed);
    }

    /// A connection exists. Outbound peers get our `version` from the next [`PeerManager::send_messages`].
    pub fn connected(&self, info: NewPeer) {
        let mut state = self.state.lock();
        let mut services = self.options.services;
        if info.permissions.has(Permissions::BLOOM) {
            services = services.with(Services::BLOOM);
        }
        let nonce = state.shared.rng.u64();
        state.peers.insert(info.id, Peer::new(info, services, nonce));
    }

    /// A connection is gone.
    pub fn disconnected(&self, id: PeerId) {
        let mut guard = self.state.lock();
        let State { peers, shared } = &mut *guard;
        let Some(peer) = peers.remove(&id) else { return };
        shared.sync_started -= usize::from(peer.sync_started);
        shared.downloads.forget_peer(&peer);
        shared.tx.disconnected(id);
        shared.preferred_download -= usize::from(peer.preferred_download);
        shared.protected_outbound -= usize::from(peer.chain_sync.protect);
        shared.presync.remove(&id);
        if peers.is_empty() {
            debug_assert_eq!(shared.downloads.len(), 0);
            debug_assert_eq!(
                (shared.sync_started, shared.preferred_download, shared.downloads.peers),
                (0, 0, 0)
            );
        }
        drop(guard);
        if peer.successfully_connected
            && matches!(
                peer.kind(),
                ConnectionType::OutboundFullRelay | ConnectionType::Manual | ConnectionType::AddrFetch
            )
        {
            self.addrman.connected(&peer.info.address);
        }
        debug!(Category::Net, "Cleared nodestate for peer={id}");
    }

    /// Works for one peer: goes on with unfinished requests, then takes one message from `poll`, which also tells
    /// whether there are more. True if there is more work at once.
    pub fn process_messages(&self, id: PeerId, poll: impl FnOnce() -> Option<(Incoming, bool)>) -> bool {
        {
            let mut state = self.state.lock();
            let Some((peer, _)) = state.peer(id) else { return false };
            if !peer.is_inbound() && !peer.version_sent {
                return false;
            }
        }
        self.process_getdata(id);
        let processed_orphan = self.process_orphan(id);
        {
            let mut state = self.state.lock();
            let Some((peer, _)) = state.peer(id) else { return false };
            if peer.disconnect {
                return false;
            }
            if processed_orphan {
                return true;
            }
            if !peer.getdata.is_empty() {
                // Answers keep their order.
                return !peer.pauses_sending();
            }
            if peer.pauses_sending() {
                return false;
            }
        }
        let Some((message, mut more)) = poll() else { return false };
        self.process(id, message);
        if self.stopping() {
            return false;
        }
        let mut state = self.state.lock();
        more |= state.shared.tx.orphanage.has_work(id);
        more | state.peer(id).is_some_and(|(peer, _)| !peer.getdata.is_empty())
    }

    /// Processes one message, whatever else waits.
    pub fn process(&self, id: PeerId, message: Incoming) {
        let (message_type, size) = (sanitize_string(&message.message_type), message.size);
        debug!(Category::Net, "received: {message_type} ({size} bytes) peer={id}");
        if let Err(error) = self.dispatch(id, message) {
            match error {
                MessageError::TooMany { .. } => {
                    let mut state = self.state.lock();
                    if let Some((peer, _)) = state.peer(id) {
                        peer.misbehaving(&error.to_string());
                    }
                }
                error => {
                    let kind = "std::ios_base::failure";
                    // The reference's stream says its name when it runs out of bytes.
                    let stream = if error.to_string() == "end of data" { "DataStream::read(): " } else { "" };
                    debug!(
                        Category::Net,
                        "ProcessMessages({message_type}, {size} bytes): Exception '{stream}{error}: iostream error' ({kind}) \
                         caught"
                    );
                }
            }
        }
    }

    /// Looks at the type first: some messages are refused before anything in them is.
    fn dispatch(&self, id: PeerId, incoming: Incoming) -> Result<(), MessageError> {
        let name = incoming.message_type.as_str();
        let (version, done) = {
            let mut state = self.state.lock();
            let Some((peer, _)) = state.peer(id) else { return Ok(()) };
            (peer.version, peer.successfully_connected)
        };
        if name == "version" {
            if version != 0 {
                debug!(Category::Net, "redundant version message from peer={id}");
                return Ok(());
            }
            if let Message::Version(version) = incoming.content? {
                self.on_version(id, *version);
            }
            return Ok(());
        }
        if version == 0 {
            debug!(
                Category::Net,
                "non-version message before version handshake. Message \"{}\" from peer={id}",
                sanitize_string(name)
            );
            return Ok(());
        }
        match name {
            "verack" => self.on_verack(id),
            "sendheaders" => self.with_peer(id, |peer, _| peer.prefers_headers = true),
            "sendcmpct" => {
                if let Message::SendCompact(m) = incoming.content? {
                    self.on_sendcmpct(id, m);
                }
            }
            "wtxidrelay" => self.on_wtxidrelay(id),
            "sendaddrv2" => self.on_sendaddrv2(id),
            "sendtxrcncl" => {
                debug!(
                    Category::Net,
                    "sendtxrcncl from peer={id} ignored, as our node does not have txreconciliation enabled"
                );
            }
            _ if !done => debug!(
                Category::Net,
                "Unsupported message \"{}\" prior to verack from peer={id}",
                sanitize_string(name)
            ),
            _ => return self.dispatch_connected(id, incoming),
        }
        Ok(())
    }

    fn dispatch_connected(&self, id: PeerId, incoming: Incoming) -> Result<(), MessageError> {
        let Incoming { message_type, received, content, size } = incoming;
        let loading = || self.chain.store().loading_blocks();
        match message_type.as_str() {
            "addr" | "addrv2" if !self.setup_address_relay(id, &message_type) => return Ok(()),
            "tx" if !self.accepts_tx_message(id) => return Ok(()),
            "headers" if loading() => {
                debug!(Category::Net, "Unexpected headers message received from peer {id}");
                return Ok(());
            }
            "block" if loading() => {
                debug!(Category::Net, "Unexpected block message received from peer {id}");
                return Ok(());
            }
            "cmpctblock" if loading() => {
                debug!(Category::Net, "Unexpected cmpctblock message received from peer {id}");
                return Ok(());
            }
            "blocktxn" if loading() => {
                debug!(Category::Net, "Unexpected blocktxn message received from peer {id}");
                return Ok(());
            }
            "filterload" | "filteradd" | "filterclear" if !self.accepts_filter_message(id, &message_type) => {
                return Ok(());
            }
            "mempool" => {
                self.on_mempool(id);
                return Ok(());
            }
            "ping" => {
                let common = self.state.lock().peer(id).map_or(0, |(peer, _)| peer.common_version);
                if common <= grs_wire::BIP0031_VERSION {
                    return Ok(());
                }
            }
            _ => {}
        }
        match content? {
            Message::Addr(list) | Message::AddrV2(list) => self.on_addresses(id, list),
            Message::Inv(list) => self.on_inv(id, list),
            Message::GetData(list) => self.on_getdata(id, list),
            Message::NotFound(list) => self.on_notfound(id, &list),
            Message::GetBlocks(m) => self.on_getblocks(id, m),
            Message::GetHeaders(m) => self.on_getheaders(id, m),
            Message::Tx(tx) => self.on_tx(id, tx),
            Message::Headers(list) => {
                self.on_headers(id, list, false);
                self.report_presync();
            }
            Message::Block(block) => self.on_block(id, block, size),
            Message::CompactBlock(block) => self.on_compact_block(id, *block),
            Message::GetBlockTxn(m) => self.on_getblocktxn(id, m),
            Message::BlockTxn(_) => {
                debug!(Category::Net, "Peer {id} sent us block transactions for block we weren't expecting");
            }
            Message::GetAddr => self.on_getaddr(id),
            Message::Ping(Some(nonce)) => {
                self.with_peer(id, |peer, shared| {
                    shared.send(peer, Message::Pong(nonce.to_le_bytes().to_vec()));
                });
            }
            Message::Ping(None) => {
                return Err(MessageError::Decode(grs_encoding::DecodeError::EndOfData));
            }
            Message::Pong(payload) => self.on_pong(id, &payload, received),
            Message::FilterLoad(filter) => self.on_filterload(id, filter),
            Message::FilterAdd(element) => self.on_filteradd(id, &element),
            Message::FilterClear => self.on_filterclear(id),
            Message::FeeFilter(rate) => self.on_feefilter(id, rate),
            Message::GetCFilters { filter_type, .. }
            | Message::GetCFHeaders { filter_type, .. }
            | Message::GetCFCheckpt { filter_type, .. } => {
                self.with_peer(id, |peer, shared| {
                    debug!(
                        Category::Net,
                        "peer requested unsupported block filter type: {filter_type}, {}",
                        peer.disconnect_text()
                    );
                    shared.disconnect(peer);
                });
            }
            other => {
                let name = sanitize_string(other.message_type());
                debug!(Category::Net, "Unknown message type \"{name}\" from peer={id}");
            }
        }
        Ok(())
    }

    pub(crate) fn with_peer(&self, id: PeerId, f: impl FnOnce(&mut Peer, &mut Shared)) {
        let mut state = self.state.lock();
        if let Some((peer, shared)) = state.peer(id) {
            f(peer, shared);
        }
    }
}
