//! The node window: information, peers, traffic. The console has a page of its own.

use grs_interfaces::gui::{PeerDirection, PeerSnapshot};

use crate::format;
use crate::texts::Text;
use crate::traffic::TrafficSample;
use crate::validate;
use crate::view::{ActionId, Backend, Command, Reply, View};

/// Tabs of the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum NodeTab {
    /// Facts about the node.
    #[default]
    Information,
    /// RPC console.
    Console,
    /// Traffic plot.
    Traffic,
    /// Peers and bans.
    Peers,
}

impl NodeTab {
    /// All tabs in order.
    pub const ALL: [NodeTab; 4] = [NodeTab::Information, NodeTab::Console, NodeTab::Traffic, NodeTab::Peers];

    /// Name.
    pub fn name(self) -> &'static str {
        match self {
            NodeTab::Information => Text::TabInformation.s(),
            NodeTab::Console => Text::TabConsole.s(),
            NodeTab::Traffic => Text::TabTraffic.s(),
            NodeTab::Peers => Text::TabPeers.s(),
        }
    }
}

/// A line: name and value.
pub type Line = (&'static str, String);

/// A part of the information with its heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Heading.
    pub title: &'static str,
    /// Lines.
    pub lines: Vec<Line>,
}

/// The facts about the node.
pub fn information(view: &View) -> Vec<Section> {
    let (Some(info), Some(node)) = (&view.info, &view.node) else { return Vec::new() };
    let network =
        grs_params::Network::from_name(&info.network).map_or(Text::Unknown.s(), validate::network_name);
    let connections = match node.network_active {
        true => Text::InfoConnectionsValue.with(&[
            ("all", &(node.connections.inbound + node.connections.outbound)),
            ("in", &node.connections.inbound),
            ("out", &node.connections.outbound),
        ]),
        false => Text::NetworkOff.s().to_owned(),
    };
    let locals = match node.local_addresses.is_empty() {
        true => Text::None.s().to_owned(),
        false => node.local_addresses.join("\n"),
    };
    vec![
        Section {
            title: Text::SectionGeneral.s(),
            lines: vec![
                (Text::InfoVersion.s(), format!("{} {}", info.client_name, info.version)),
                (Text::InfoAgent.s(), info.user_agent.clone()),
                (Text::InfoProcess.s(), info.process_id.to_string()),
                (Text::InfoDataDir.s(), info.data_dir.clone()),
                (Text::InfoBlocksDir.s(), info.blocks_dir.clone()),
                (Text::InfoStarted.s(), format::date_time(info.start_time)),
            ],
        },
        Section {
            title: Text::SectionNetwork.s(),
            lines: vec![
                (Text::InfoNetwork.s(), network.to_owned()),
                (Text::InfoConnections.s(), connections),
                (Text::InfoLocal.s(), locals),
            ],
        },
        Section {
            title: Text::SectionChain.s(),
            lines: vec![
                (Text::InfoHeight.s(), format::number(u64::from(node.sync.blocks))),
                (Text::InfoHeaders.s(), format::number(u64::from(node.sync.headers))),
                (Text::InfoTip.s(), node.sync.best_block.to_string()),
                (Text::InfoTipTime.s(), format::date_time(node.sync.tip_time)),
            ],
        },
        Section {
            title: Text::SectionMempool.s(),
            lines: vec![
                (Text::InfoMempoolCount.s(), format::number(node.mempool.transactions)),
                (
                    Text::InfoMempoolUsage.s(),
                    Text::InfoMempoolValue.with(&[
                        ("used", &format::bytes(node.mempool.usage)),
                        ("most", &format::bytes(node.mempool.max_usage)),
                    ]),
                ),
            ],
        },
    ]
}

/// Column of the list of peers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum PeerColumn {
    /// Number.
    #[default]
    Id,
    /// How long it has been connected.
    Age,
    /// Address.
    Address,
    /// Who made the connection.
    Direction,
    /// Why there is a connection.
    Type,
    /// Network.
    Network,
    /// Least ping.
    Ping,
    /// Bytes sent.
    Sent,
    /// Bytes received.
    Received,
    /// User agent.
    Agent,
}

impl PeerColumn {
    /// All columns in order.
    pub const ALL: [PeerColumn; 10] = [
        PeerColumn::Id,
        PeerColumn::Age,
        PeerColumn::Address,
        PeerColumn::Direction,
        PeerColumn::Type,
        PeerColumn::Network,
        PeerColumn::Ping,
        PeerColumn::Sent,
        PeerColumn::Received,
        PeerColumn::Agent,
    ];

    /// Heading.
    pub fn name(self) -> &'static str {
        match self {
            PeerColumn::Id => Text::PeerId.s(),
            PeerColumn::Age => Text::PeerAge.s(),
            PeerColumn::Address => Text::PeerAddress.s(),
            PeerColumn::Direction => Text::PeerDirection.s(),
            PeerColumn::Type => Text::PeerType.s(),
            PeerColumn::Network => Text::PeerNetwork.s(),
            PeerColumn::Ping => Text::PeerPing.s(),
            PeerColumn::Sent => Text::PeerSent.s(),
            PeerColumn::Received => Text::PeerReceived.s(),
            PeerColumn::Agent => Text::PeerAgent.s(),
        }
    }

    /// Value of a peer. `now` in Unix seconds.
    pub fn value(self, peer: &PeerSnapshot, now: i64) -> String {
        match self {
            PeerColumn::Id => peer.id.to_string(),
            PeerColumn::Age => format::exact_span(now - peer.connected),
            PeerColumn::Address => peer.address.clone(),
            PeerColumn::Direction => direction_name(peer.direction).to_owned(),
            PeerColumn::Type => peer.connection_type.clone(),
            PeerColumn::Network => peer.network.clone(),
            PeerColumn::Ping => format::ping(peer.min_ping_us),
            PeerColumn::Sent => format::bytes(peer.bytes_sent),
            PeerColumn::Received => format::bytes(peer.bytes_received),
            PeerColumn::Agent => peer.user_agent.clone(),
        }
    }

    fn order(self, a: &PeerSnapshot, b: &PeerSnapshot) -> std::cmp::Ordering {
        match self {
            PeerColumn::Id => a.id.cmp(&b.id),
            PeerColumn::Age => b.connected.cmp(&a.connected),
            PeerColumn::Address => a.address.cmp(&b.address),
            PeerColumn::Direction => a.direction.cmp(&b.direction),
            PeerColumn::Type => a.connection_type.cmp(&b.connection_type),
            PeerColumn::Network => a.network.cmp(&b.network),
            PeerColumn::Ping => {
                let key = |p: &PeerSnapshot| p.min_ping_us.unwrap_or(u64::MAX);
                key(a).cmp(&key(b))
            }
            PeerColumn::Sent => a.bytes_sent.cmp(&b.bytes_sent),
            PeerColumn::Received => a.bytes_received.cmp(&b.bytes_received),
            PeerColumn::Agent => a.user_agent.cmp(&b.user_agent),
        }
        .then(a.id.cmp(&b.id))
    }
}

fn direction_name(direction: PeerDirection) -> &'static str {
    match direction {
        PeerDirection::Inbound => Text::PeerInbound.s(),
        PeerDirection::Outbound => Text::PeerOutbound.s(),
    }
}

/// How long a ban lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BanSpan {
    /// One hour.
    Hour,
    /// One day.
    Day,
    /// One week.
    Week,
    /// One year.
    Year,
}

impl BanSpan {
    /// All spans.
    pub const ALL: [BanSpan; 4] = [BanSpan::Hour, BanSpan::Day, BanSpan::Week, BanSpan::Year];

    /// In seconds.
    pub fn seconds(self) -> i64 {
        match self {
            BanSpan::Hour => 3600,
            BanSpan::Day => 86_400,
            BanSpan::Week => 604_800,
            BanSpan::Year => 31_536_000,
        }
    }

    /// Name of the action.
    pub fn name(self) -> &'static str {
        match self {
            BanSpan::Hour => Text::BanHour.s(),
            BanSpan::Day => Text::BanDay.s(),
            BanSpan::Week => Text::BanWeek.s(),
            BanSpan::Year => Text::BanYear.s(),
        }
    }
}

/// The window.
#[derive(Debug, Clone, Default)]
pub struct NodeWindow {
    /// The tab that is shown.
    pub tab: NodeTab,
    /// Number of the selected peer.
    pub selected: Option<i64>,
    /// Column by which peers are sorted.
    pub sort: PeerColumn,
    /// The largest first.
    pub descending: bool,
    /// What went wrong.
    pub message: Option<String>,
    watching: bool,
    waiting: Option<ActionId>,
}

impl NodeWindow {
    /// Asks for peers while they are shown, and only then. Call it for each frame.
    pub fn update(&mut self, open: bool, backend: &dyn Backend) {
        let wanted = open && self.tab == NodeTab::Peers;
        if wanted != self.watching {
            self.watching = wanted;
            backend.send(Command::WatchPeers(wanted));
        }
    }

    /// Sorts by a column, or turns the order round.
    pub fn sort_by(&mut self, column: PeerColumn) {
        self.descending = self.sort == column && !self.descending;
        self.sort = column;
    }

    /// The peers, sorted.
    pub fn peers<'a>(&self, view: &'a View) -> Vec<&'a PeerSnapshot> {
        let mut peers: Vec<&PeerSnapshot> =
            view.node.iter().flat_map(|node| node.peers.iter().flatten()).collect();
        peers.sort_by(|a, b| self.sort.order(a, b));
        if self.descending {
            peers.reverse();
        }
        peers
    }

    /// The selected peer, if it is still there.
    pub fn selected_peer<'a>(&self, view: &'a View) -> Option<&'a PeerSnapshot> {
        let id = self.selected?;
        view.node.as_ref()?.peers.as_ref()?.iter().find(|peer| peer.id == id)
    }

    /// Ends the connection with the selected peer.
    pub fn disconnect(&mut self, backend: &dyn Backend) {
        if let Some(id) = self.selected.take() {
            let action = self.new_action(backend);
            backend.send(Command::DisconnectPeer(action, id));
        }
    }

    /// Bans the selected peer.
    pub fn ban(&mut self, span: BanSpan, backend: &dyn Backend) {
        if let Some(id) = self.selected.take() {
            let action = self.new_action(backend);
            backend.send(Command::BanPeer(action, id, span.seconds()));
        }
    }

    /// Takes a ban back.
    pub fn unban(&mut self, subnet: &str, backend: &dyn Backend) {
        let action = self.new_action(backend);
        backend.send(Command::Unban(action, subnet.to_owned()));
    }

    fn new_action(&mut self, backend: &dyn Backend) -> ActionId {
        self.message = None;
        *self.waiting.insert(backend.new_action())
    }

    /// Takes replies in. Call it for each new view.
    pub fn refresh(&mut self, view: &View) {
        if let Some(reply) = self.waiting.and_then(|id| view.reply(id)) {
            self.waiting = None;
            if let Reply::Failed(text) = reply {
                self.message = Some(text.clone());
            }
        }
    }
}

/// The facts about the node as text, for the clipboard.
pub fn information_text(view: &View) -> String {
    let mut out = String::new();
    for section in information(view) {
        for (name, value) in section.lines {
            out.push_str(&format!("{name}: {value}\n"));
        }
    }
    out
}

/// The traffic in words: what moves now, and the most in the points that are shown.
pub fn traffic_text(points: &[TrafficSample]) -> String {
    let Some(last) = points.last() else { return Text::TrafficNone.s().to_owned() };
    let most = points.iter().fold(0.0_f32, |most, p| most.max(p.received).max(p.sent));
    Text::TrafficNow.with(&[
        ("received", &format::byte_rate(last.received)),
        ("sent", &format::byte_rate(last.sent)),
        ("most", &format::byte_rate(most)),
    ])
}

/// All about a peer. `now` in Unix seconds.
pub fn peer_details(peer: &PeerSnapshot, now: i64) -> Vec<Line> {
    let or_none = |text: String| if text.is_empty() { Text::None.s().to_owned() } else { text };
    let yes_no = |yes: bool| if yes { Text::Yes } else { Text::No }.s().to_owned();
    let height = |n: i64| if n < 0 { Text::Unknown.s().to_owned() } else { format::number(n as u64) };
    let ago = |time: i64| match time {
        ..=0 => Text::Never.s().to_owned(),
        time => Text::Ago.with(&[("span", &format::exact_span(now - time))]),
    };
    let bandwidth = match (peer.high_bandwidth_to, peer.high_bandwidth_from) {
        (true, true) => Text::BandwidthBoth,
        (true, false) => Text::BandwidthTo,
        (false, true) => Text::BandwidthFrom,
        (false, false) => Text::No,
    };
    let mut out = vec![
        (Text::PeerAddress.s(), peer.address.clone()),
        (Text::PeerLocal.s(), or_none(peer.local_address.clone())),
        (Text::PeerPermissions.s(), or_none(peer.permissions.join(", "))),
        (Text::PeerDirection.s(), format!("{}, {}", direction_name(peer.direction), peer.connection_type)),
        (Text::PeerTransport.s(), peer.transport.clone()),
    ];
    if !peer.session_id.is_empty() {
        out.push((Text::PeerSession.s(), peer.session_id.clone()));
    }
    out.extend([
        (Text::PeerNetwork.s(), peer.network.clone()),
        (Text::PeerVersion.s(), peer.version.to_string()),
        (Text::PeerAgent.s(), or_none(peer.user_agent.clone())),
        (Text::PeerServices.s(), or_none(peer.services.join(", "))),
        (Text::PeerRelay.s(), yes_no(peer.relay_transactions)),
        (Text::PeerBandwidth.s(), bandwidth.s().to_owned()),
        (Text::PeerHeaders.s(), height(peer.synced_headers)),
        (Text::PeerBlocks.s(), height(peer.synced_blocks)),
        (Text::PeerConnected.s(), format::exact_span(now - peer.connected)),
        (Text::PeerLastBlock.s(), ago(peer.last_block)),
        (Text::PeerLastTx.s(), ago(peer.last_transaction)),
        (Text::PeerLastSend.s(), ago(peer.last_send)),
        (Text::PeerLastReceive.s(), ago(peer.last_receive)),
        (Text::PeerSent.s(), format::bytes(peer.bytes_sent)),
        (Text::PeerReceived.s(), format::bytes(peer.bytes_received)),
        (Text::PeerPingLast.s(), format::ping(peer.ping_us)),
        (Text::PeerPingWait.s(), format::ping(peer.ping_wait_us)),
        (Text::PeerPing.s(), format::ping(peer.min_ping_us)),
        (Text::PeerOffset.s(), format!("{} s", peer.time_offset)),
        (
            Text::PeerAs.s(),
            if peer.mapped_as == 0 { Text::None.s().to_owned() } else { peer.mapped_as.to_string() },
        ),
        (Text::PeerAddressRelay.s(), yes_no(peer.address_relay)),
        (Text::PeerAddresses.s(), peer.addresses_processed.to_string()),
        (Text::PeerAddressesLimited.s(), peer.addresses_rate_limited.to_string()),
    ]);
    out
}
