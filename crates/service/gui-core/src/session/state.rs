//! The session's state: connection, wallets, what is shown.

use std::io;
use std::sync::Arc;
use std::time::Instant;

use grs_interfaces::gui::{
    Node, NodeInfo, NodePhase, NodeSnapshot, NodeSubscription, PAGE_LIMIT, Wallet, WalletInfo,
    WalletProcessState, WalletSnapshot, Wallets,
};
use grs_interfaces::{CallError, CallResult, Handler};

use super::lane::Lane;
use super::pending::PendingFile;
use super::pulse::Pulse;
use super::subscribers::Subscriber;
use super::transactions::ListState;
use super::{Mail, Message, SessionConfig, now, seconds};
use crate::process::{Attempt, LinkMachine, Loss, Next, OnLost, Ownership};
use crate::sync::SyncMeter;
use crate::texts::Text;
use crate::view::{ActionId, Link, Reply, View, WalletLink, WalletView};

/// Replies that are kept.
const REPLIES: usize = 64;
/// Seconds between two tries to reach wallets that should be there.
const WALLETS_PAUSE: i64 = 1;

/// The lanes.
pub(super) struct Lanes {
    pub(super) link: Lane,
    pub(super) calls: Lane,
    pub(super) lists: Lane,
    pub(super) console: Lane,
    pub(super) payments: Lane,
    pub(super) exports: Lane,
    pub(super) node_pulse: Lane,
    pub(super) wallet_pulse: Lane,
}

/// The wallet that is attached.
pub(super) struct Attached {
    pub(super) name: String,
    pub(super) wallet: Arc<dyn Wallet>,
    _subscription: Arc<dyn Handler>,
}

/// The state.
pub(super) struct State {
    pub(super) view: View,
    published: u64,
    draw: bool,
    pub(super) config: SessionConfig,
    pub(super) mail: Mail,
    pub(super) lanes: Lanes,
    machine: LinkMachine,
    /// Number of the connection; grows with each try.
    pub(super) generation: u64,
    retry_at: Option<Instant>,
    wallets_retry_at: Option<Instant>,
    quitting: bool,
    pub(super) node: Option<Arc<dyn Node>>,
    pub(super) node_subscription: Option<Arc<dyn Handler>>,
    /// Number of the wallet process that [`State::wallets`] belongs to.
    process: u64,
    /// Number of the attachment; grows whenever wallets or the shown wallet are fetched anew.
    pub(super) attachment: u64,
    pub(super) wallets: Option<Arc<dyn Wallets>>,
    wallets_subscription: Option<Arc<dyn Handler>>,
    pub(super) attached: Option<Attached>,
    /// The wallet that the user wants to see.
    pub(super) wanted: Option<String>,
    pub(super) list: ListState,
    pub(super) pending_file: PendingFile,
    peers: bool,
    bans_version: Option<u64>,
    meter: SyncMeter,
    stopping_seen: bool,
    /// When the connection was lost, Unix seconds.
    lost_since: Option<i64>,
    pub(super) node_pulse: Pulse,
    pub(super) wallet_pulse: Pulse,
}

impl State {
    pub(super) fn new(config: SessionConfig, mail: Mail) -> io::Result<State> {
        let lane = |name: &str| Lane::start(name, mail.clone());
        let lanes = Lanes {
            link: lane("gui-link")?,
            calls: lane("gui-calls")?,
            lists: lane("gui-lists")?,
            console: lane("gui-console")?,
            payments: lane("gui-payments")?,
            exports: lane("gui-exports")?,
            node_pulse: lane("gui-node-pulse")?,
            wallet_pulse: lane("gui-wallet-pulse")?,
        };
        let (pending_file, pending) = PendingFile::open(config.data_dir.as_deref());
        let view = View { version: 1, pending_sends: Arc::new(pending), ..View::default() };
        Ok(State {
            view,
            published: 0,
            draw: true,
            machine: LinkMachine::new(config.connect.clone(), config.launcher.in_process()),
            wanted: config.wallet.clone(),
            config,
            mail,
            lanes,
            generation: 0,
            retry_at: None,
            wallets_retry_at: None,
            quitting: false,
            node: None,
            node_subscription: None,
            process: 0,
            attachment: 0,
            wallets: None,
            wallets_subscription: None,
            attached: None,
            list: ListState::default(),
            pending_file,
            peers: false,
            bans_version: None,
            meter: SyncMeter::default(),
            stopping_seen: false,
            lost_since: None,
            node_pulse: Pulse::default(),
            wallet_pulse: Pulse::default(),
        })
    }

    /// Whether the view differs from the published one, which it then is.
    pub(super) fn changed(&mut self) -> bool {
        std::mem::replace(&mut self.published, self.view.version) != self.view.version
    }

    /// Whether the published change has to be drawn; asked once for each.
    pub(super) fn takes_the_eye(&mut self) -> bool {
        std::mem::take(&mut self.draw)
    }

    /// Notes that the view has changed.
    pub(super) fn touch(&mut self) {
        self.draw = true;
        self.view.version += 1;
    }

    pub(super) fn is_closed(&self) -> bool {
        self.view.link == Link::Closed
    }

    /// When [`State::timer`] is to be called.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let pulses = [self.node_pulse.deadline(), self.wallet_pulse.deadline()];
        self.retry_at.into_iter().chain(self.wallets_retry_at).chain(pulses.into_iter().flatten()).min()
    }

    pub(super) fn timer(&mut self) {
        let time = Instant::now();
        if self.retry_at.is_some_and(|at| at <= time) {
            self.retry();
        }
        if self.wallets_retry_at.is_some_and(|at| at <= time) {
            self.wallets_retry_at = None;
            self.fetch_wallets();
        }
        self.beat_node(time);
        self.beat_wallet(time);
    }

    pub(super) fn begin(&mut self) {
        let attempt = self.machine.begin();
        self.attempt(attempt);
    }

    /// Tries again now.
    pub(super) fn retry(&mut self) {
        if self.retry_at.take().is_none() && !matches!(self.view.link, Link::Failed(_)) {
            return;
        }
        let attempt = self.machine.retry();
        self.view.link = Link::Reconnecting { attempt: self.machine.attempts() };
        self.touch();
        self.attempt(attempt);
    }

    fn attempt(&mut self, attempt: Attempt) {
        self.generation += 1;
        let (generation, mail) = (self.generation, std::sync::Mutex::new(self.mail.clone()));
        let on_lost: OnLost = Arc::new(move |loss| {
            let mail = mail.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            let _ = mail.send(Message::Lost(generation, loss));
        });
        let (launcher, mail) = (self.config.launcher.clone(), self.mail.clone());
        self.lanes.link.maybe(
            move || {
                let result = match &attempt {
                    Attempt::Join(socket) => launcher.join(socket.as_deref(), on_lost),
                    Attempt::Start => launcher.start(on_lost),
                };
                let _ = mail.send(Message::Connected(generation, attempt, result));
                None::<()>
            },
            |_, ()| {},
        );
    }

    pub(super) fn take(&mut self, message: Message) {
        match message {
            Message::Command(command) => self.command(command),
            Message::Connected(generation, attempt, result) if generation == self.generation => {
                match result {
                    Ok(node) => self.connected(&attempt, node),
                    Err(_) if self.quitting => self.closed(),
                    Err(error) => {
                        let next = self.machine.failed(&attempt, error);
                        self.follow(next);
                    }
                }
            }
            Message::Lost(generation, loss) if generation == self.generation => self.lost(loss),
            Message::Node(generation, snapshot) if generation == self.generation => {
                self.node_update(*snapshot)
            }
            Message::Wallets(number, names) if number == self.process => self.loaded(names),
            Message::Wallet(number, snapshot) if number == self.attachment => self.wallet_update(*snapshot),
            Message::WalletUnloaded(number) if number == self.attachment => self.detach_wallet(),
            Message::Finish(finish) => finish(self),
            Message::Ended => self.closed(),
            // From a connection that is gone.
            Message::Connected(..)
            | Message::Lost(..)
            | Message::Node(..)
            | Message::Wallets(..)
            | Message::Wallet(..)
            | Message::WalletUnloaded(_) => {}
        }
    }

    fn closed(&mut self) {
        self.view.link = Link::Closed;
        self.touch();
    }

    fn follow(&mut self, next: Next) {
        match next {
            Next::Try(attempt) => self.attempt(attempt),
            Next::Wait { cause, seconds: pause } => {
                self.retry_at = Some(Instant::now() + seconds(pause));
                let since = *self.lost_since.get_or_insert_with(now);
                self.view.link = Link::Lost { cause, since, next_try: now() + pause };
            }
            Next::Close => self.view.link = Link::Closed,
            Next::Fail(text) => {
                self.view.failure = Some(text.clone());
                self.view.link = Link::Failed(text);
            }
        }
        self.touch();
    }

    fn connected(&mut self, attempt: &Attempt, node: Arc<dyn Node>) {
        self.machine.connected(attempt);
        self.view.ownership = self.machine.ownership();
        self.stopping_seen = false;
        self.node = Some(node);
        self.node_pulse.begin(Instant::now());
        self.touch();
        if self.quitting {
            self.leave();
            return;
        }
        self.subscribe_node(true);
    }

    /// Subscribes to the node, and asks for the facts about it if it is a new one.
    pub(super) fn subscribe_node(&mut self, first: bool) {
        let Some(node) = self.node.clone() else { return };
        let subscriber = Arc::new(Subscriber::new(&self.mail, self.generation));
        let wanted = NodeSubscription { peers: self.peers, ..NodeSubscription::default() };
        let generation = self.generation;
        type Facts = (NodeInfo, Vec<String>);
        let call = move || -> CallResult<(Option<Facts>, Arc<dyn Handler>)> {
            let facts = match first {
                true => Some((node.info()?, node.rpc_methods()?)),
                false => None,
            };
            Ok((facts, node.subscribe(wanted, subscriber)?))
        };
        self.lanes.calls.call(call, move |state, result| {
            if generation != state.generation {
                return;
            }
            match result {
                Ok((facts, handler)) => {
                    state.node_subscription = Some(handler);
                    if let Some((info, methods)) = facts {
                        state.view.info = Some(Arc::new(info));
                        state.view.rpc_methods = Arc::new(methods);
                    }
                    state.touch();
                }
                Err(error) => state.call_failed(&error),
            }
        });
    }

    /// Whether the peers are wanted.
    pub(super) fn watch_peers(&mut self, on: bool) {
        self.peers = on;
        self.subscribe_node(false);
    }

    /// A call has failed: if that means that the node is gone, the connection's own notice follows; this is quicker.
    pub(super) fn call_failed(&mut self, error: &CallError) {
        if let CallError::Disconnected { cause } = error
            && !matches!(self.view.link, Link::Lost { .. } | Link::Reconnecting { .. })
        {
            self.lost(Loss { cause: cause.clone(), clean: self.stopping_seen });
        }
    }

    fn lost(&mut self, loss: Loss) {
        // What still comes from that connection is not listened to.
        self.generation += 1;
        self.forget_node();
        if self.quitting {
            self.closed();
            return;
        }
        let clean = loss.clean || self.stopping_seen;
        let next = self.machine.lost(Loss { clean, ..loss });
        self.follow(next);
    }

    fn forget_node(&mut self) {
        // Dropping an interface may wait for the connection's thread, so it is done elsewhere.
        let gone = (
            self.node.take(),
            self.node_subscription.take(),
            self.wallets.take(),
            self.wallets_subscription.take(),
            self.attached.take(),
        );
        self.lanes.calls.maybe(
            move || {
                drop(gone);
                None::<()>
            },
            |_, ()| {},
        );
        self.process = 0;
        self.new_attachment();
        self.node_pulse.end();
        self.view.node_silent_since = None;
        self.wallets_retry_at = None;
        self.bans_version = None;
        self.view.console_busy = false;
        self.view.sync_rate = crate::sync::SyncRate::default();
        self.meter = SyncMeter::default();
        if self.view.wallet_link == WalletLink::Running {
            self.view.wallet_link = WalletLink::Connecting;
        }
        self.touch();
    }

    fn node_update(&mut self, snapshot: NodeSnapshot) {
        // Time and traffic go on all the time. What shows them asks for frames itself, so an idle window stays idle.
        let draw = self.draw;
        let before = (self.view.link.clone(), self.view.wallet_link.clone(), self.view.node_silent_since);
        let still = self.view.node.as_ref().is_some_and(|old| {
            let same = NodeSnapshot { time_ms: old.time_ms, traffic: old.traffic, ..snapshot.clone() };
            **old == same
        });
        self.take_snapshot(snapshot);
        let after = (self.view.link.clone(), self.view.wallet_link.clone(), self.view.node_silent_since);
        if still && before == after {
            self.draw = draw;
        }
    }

    fn take_snapshot(&mut self, snapshot: NodeSnapshot) {
        self.touch();
        self.node_heard();
        if snapshot.phase == NodePhase::Running {
            self.machine.running();
            self.lost_since = None;
            self.view.failure = None;
        }
        self.stopping_seen |= snapshot.phase == NodePhase::Stopping;
        self.view.link = match snapshot.phase {
            _ if self.quitting => Link::Stopping,
            NodePhase::Starting => Link::Connecting,
            NodePhase::Running => Link::Running,
            NodePhase::Stopping => Link::Stopping,
        };
        let traffic = Arc::make_mut(&mut self.view.traffic);
        traffic.add(snapshot.time_ms / 1000, snapshot.traffic.received, snapshot.traffic.sent);
        self.view.sync_rate = self.meter.add(snapshot.time_ms, snapshot.sync.progress);
        if self.bans_version != Some(snapshot.bans_version) {
            self.bans_version = Some(snapshot.bans_version);
            self.read_bans();
        }
        match &snapshot.wallet_process {
            WalletProcessState::None => self.view.wallet_link = WalletLink::Disabled,
            WalletProcessState::Starting => self.lose_wallets(WalletLink::Connecting),
            WalletProcessState::Lost { cause } => {
                self.lose_wallets(WalletLink::Lost { cause: cause.clone() })
            }
            WalletProcessState::Running { generation } => {
                let number = *generation;
                if self.process != number && self.view.link == Link::Running {
                    self.lose_wallets(WalletLink::Connecting);
                    self.process = number;
                    self.fetch_wallets();
                }
            }
        }
        self.view.node = Some(Arc::new(snapshot));
    }

    fn lose_wallets(&mut self, link: WalletLink) {
        let known =
            matches!(self.view.wallet_link, WalletLink::Lost { .. }) && link == WalletLink::Connecting;
        if self.process != 0 || self.view.wallet_link == WalletLink::Disabled {
            self.process = 0;
            self.new_attachment();
            let gone = (self.wallets.take(), self.wallets_subscription.take(), self.attached.take());
            self.lanes.calls.maybe(
                move || {
                    drop(gone);
                    None::<()>
                },
                |_, ()| {},
            );
        }
        // While a new process starts, the cause of the loss remains to be read.
        if !known {
            self.view.wallet_link = link;
        }
    }

    fn fetch_wallets(&mut self) {
        let (Some(node), number) = (self.node.clone(), self.process) else { return };
        if number == 0 {
            return;
        }
        let subscriber = Arc::new(Subscriber::new(&self.mail, number));
        let call = move || -> CallResult<_> {
            let Some(wallets) = node.wallets()? else { return Ok(None) };
            let entries = wallets.list()?;
            let handler = wallets.subscribe(subscriber)?;
            Ok(Some((wallets, entries, handler)))
        };
        self.lanes.calls.call(call, move |state, result| {
            if number != state.process {
                return;
            }
            state.touch();
            match result {
                Ok(None) => state.view.wallet_link = WalletLink::Disabled,
                Ok(Some((wallets, entries, handler))) => {
                    state.wallets = Some(wallets);
                    state.wallets_subscription = Some(handler);
                    state.view.wallet_entries = Arc::new(entries);
                    state.view.wallet_link = WalletLink::Running;
                    state.choose_wallet();
                    state.resolve_payments();
                }
                Err(_) => state.wallets_retry_at = Some(Instant::now() + seconds(WALLETS_PAUSE)),
            }
        });
    }

    /// The names of the loaded wallets.
    fn loaded(&mut self, names: Vec<String>) {
        self.view.loaded = Arc::new(names);
        self.touch();
        self.choose_wallet();
        self.list_wallets();
        self.resolve_payments();
    }

    /// Shows the wanted wallet, or else the one that is shown, or else the first.
    pub(super) fn choose_wallet(&mut self) {
        if self.wallets.is_none() {
            return;
        }
        let loaded = |name: &String| self.view.loaded.contains(name);
        let shown =
            self.attached.as_ref().map(|a| a.name.clone()).or(self.view.wallet_name().map(str::to_owned));
        let choice =
            self.wanted.clone().filter(loaded).or(shown.filter(loaded)).or(self.view.loaded.first().cloned());
        match choice {
            None => self.detach_wallet(),
            Some(name) if self.attached.as_ref().is_some_and(|a| a.name == name) => {}
            Some(name) => self.attach_wallet(name),
        }
    }

    fn detach_wallet(&mut self) {
        self.new_attachment();
        if let Some(attached) = self.attached.take() {
            self.lanes.calls.maybe(
                move || {
                    drop(attached);
                    None::<()>
                },
                |_, ()| {},
            );
        }
        self.view.wallet = None;
        self.touch();
    }

    fn attach_wallet(&mut self, name: String) {
        let Some(wallets) = self.wallets.clone() else { return };
        self.new_attachment();
        let number = self.attachment;
        let subscriber = Arc::new(Subscriber::new(&self.mail, number));
        type Facts = (Arc<dyn Wallet>, WalletInfo, WalletSnapshot, Arc<dyn Handler>);
        let wanted = name.clone();
        let call = move || -> CallResult<Option<Facts>> {
            let Some(wallet) = wallets.wallet(&wanted)? else { return Ok(None) };
            let (info, snapshot) = (wallet.info()?, wallet.snapshot()?);
            let handler = wallet.subscribe(subscriber)?;
            Ok(Some((wallet, info, snapshot, handler)))
        };
        self.lanes.calls.call(call, move |state, result| {
            if number != state.attachment {
                return;
            }
            state.touch();
            match result {
                Ok(Some((wallet, info, snapshot, subscription))) => {
                    // The rows of the same wallet stay until new ones are there.
                    let old = state.view.wallet.clone().filter(|old| old.info.name == name);
                    let view = WalletView {
                        info: Arc::new(info),
                        snapshot: Arc::new(snapshot),
                        ..old.map_or_else(WalletView::default, |old| old.as_ref().clone())
                    };
                    state.view.wallet = Some(Arc::new(view));
                    state.attached = Some(Attached { name, wallet, _subscription: subscription });
                    state.wallet_pulse.begin(Instant::now());
                    state.read_requests();
                    state.refresh_list();
                }
                Ok(None) => state.view.wallet = None,
                Err(error) => state.wallet_call_failed(&error),
            }
        });
    }

    fn wallet_update(&mut self, snapshot: WalletSnapshot) {
        self.wallet_heard();
        let Some(wallet) = &self.view.wallet else { return };
        let old = wallet.snapshot.clone();
        let (requests, transactions) = (
            old.requests_version != snapshot.requests_version,
            old.transactions_version != snapshot.transactions_version,
        );
        self.change_wallet(|wallet| wallet.snapshot = Arc::new(snapshot));
        if requests {
            self.read_requests();
        }
        if transactions {
            self.refresh_list();
        }
    }

    /// Changes what is shown of the wallet.
    pub(super) fn change_wallet(&mut self, change: impl FnOnce(&mut WalletView)) {
        if let Some(wallet) = &mut self.view.wallet {
            change(Arc::make_mut(wallet));
            self.touch();
        }
    }

    /// Keeps a reply for the page that waits for it.
    pub(super) fn reply(&mut self, id: ActionId, reply: Reply) {
        let replies = Arc::make_mut(&mut self.view.replies);
        replies.insert(id, reply);
        while replies.len() > REPLIES {
            replies.pop_first();
        }
        self.touch();
    }

    /// Leaves: the second time without waiting.
    pub(super) fn quit(&mut self) {
        if self.quitting || self.node.is_none() {
            let detach = self.view.ownership == Ownership::Joined;
            let launcher = self.config.launcher.clone();
            if detach {
                self.lanes.link.call(move || launcher.detach(), |_, ()| {});
            }
            let starting = self.view.link == Link::Connecting && !self.quitting;
            self.quitting = true;
            if starting {
                // A node may just be starting: it is stopped as soon as it answers.
                self.view.link = Link::Stopping;
                self.touch();
            } else {
                self.closed();
            }
            return;
        }
        self.leave();
    }

    fn leave(&mut self) {
        self.quitting = true;
        self.view.link = Link::Stopping;
        self.touch();
        let (node, launcher, mail) = (self.node.clone(), self.config.launcher.clone(), self.mail.clone());
        let stops = self.view.ownership != Ownership::Joined;
        self.lanes.link.maybe(
            move || {
                match stops {
                    true => {
                        // If it is gone already there is nothing to stop.
                        let _ = node.map(|node| node.request_shutdown());
                        launcher.wait_ended();
                    }
                    false => launcher.detach(),
                }
                let _ = mail.send(Message::Ended);
                None::<()>
            },
            |_, ()| {},
        );
    }

    /// The shown wallet, for a call; otherwise the action fails.
    pub(super) fn wallet_for(&mut self, id: ActionId) -> Option<Arc<dyn Wallet>> {
        let wallet = self.attached.as_ref().filter(|_| self.view.wallet_fresh()).map(|a| a.wallet.clone());
        if wallet.is_none() {
            self.reply(id, Reply::Failed(Text::WalletNotConnected.s().to_owned()));
        }
        wallet
    }

    /// Pages of the list that are read at once.
    pub(super) const PAGE: u32 = PAGE_LIMIT;
}
