//! A session that pretends: plenty of data, and answers at once. For tests of pages and for pictures.

mod data;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use grs_interfaces::gui::{
    BanEntry, PAGE_LIMIT, ReceiveRequest, SendProblem, SendToken, Sent, TxFilter, TxRow, TxSort,
    TxSortColumn, WalletEntry,
};

use crate::console::{ConsoleLine, LineKind, redact};
use crate::texts::Text;
use crate::view::{
    ActionId, Backend, Command, Link, PendingSend, PendingState, Reply, SendCommand, TxList, View,
    WalletLink, WalletView,
};

pub use data::NOW;

/// What a payment of the pretended wallet comes to.
#[derive(Debug, Clone, Default)]
pub enum FakeSend {
    /// It is sent.
    #[default]
    Works,
    /// It is refused.
    Refused(SendProblem),
    /// The wallet process dies in the middle.
    Dies,
    /// It takes for ever.
    Hangs,
}

struct Inner {
    view: View,
    rows: Vec<TxRow>,
    commands: Vec<Command>,
    send: FakeSend,
}

/// A pretended session.
pub struct FakeSession {
    inner: Mutex<Inner>,
    next: AtomicU64,
    repaint: Box<dyn Fn() + Send + Sync>,
}

impl FakeSession {
    /// A regtest node with peers, two loaded wallets and so many transactions.
    pub fn new(transactions: u32) -> Arc<FakeSession> {
        FakeSession::with_repaint(transactions, || {})
    }

    /// As [`FakeSession::new`]; `repaint` is called when the view has changed.
    pub fn with_repaint(transactions: u32, repaint: impl Fn() + Send + Sync + 'static) -> Arc<FakeSession> {
        let rows = data::rows(transactions);
        let inner = Inner { view: data::view(&rows), rows, commands: Vec::new(), send: FakeSend::Works };
        let session =
            FakeSession { inner: Mutex::new(inner), next: AtomicU64::new(1), repaint: Box::new(repaint) };
        session.lock().list(TxFilter::default(), TxSort::default());
        Arc::new(session)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the view as a test wants it.
    pub fn change(&self, change: impl FnOnce(&mut View)) {
        {
            let mut inner = self.lock();
            change(&mut inner.view);
            inner.view.version += 1;
        }
        (self.repaint)();
    }

    /// What payments come to from now on.
    pub fn set_send(&self, send: FakeSend) {
        self.lock().send = send;
    }

    /// All commands so far, the oldest first; they are taken out.
    pub fn take_commands(&self) -> Vec<Command> {
        std::mem::take(&mut self.lock().commands)
    }

    /// The node goes away.
    pub fn lose_node(&self, cause: &str) {
        self.change(|view| {
            view.link = Link::Lost { cause: cause.to_owned(), since: NOW, next_try: NOW + 5 };
        });
    }

    /// The wallet process goes away.
    pub fn lose_wallet(&self, cause: &str) {
        self.change(|view| view.wallet_link = WalletLink::Lost { cause: cause.to_owned() });
    }

    /// Node and wallet are there again.
    pub fn restore(&self) {
        self.change(|view| {
            view.link = Link::Running;
            view.wallet_link = WalletLink::Running;
        });
    }
}

fn matches(row: &TxRow, filter: &TxFilter) -> bool {
    let text = filter.text.to_lowercase();
    (text.is_empty()
        || row.label.to_lowercase().contains(&text)
        || row.address.to_lowercase().contains(&text)
        || row.txid.to_string().contains(&text))
        && filter.from.is_none_or(|from| row.time >= from)
        && filter.until.is_none_or(|until| row.time < until)
        && (filter.kinds == 0 || filter.kinds & row.kind.bit() != 0)
        && row.amount.abs() >= filter.min_amount
}

impl Inner {
    fn wallet(&mut self, change: impl FnOnce(&mut WalletView)) {
        if let Some(wallet) = &self.view.wallet {
            let mut wallet = wallet.as_ref().clone();
            change(&mut wallet);
            self.view.wallet = Some(Arc::new(wallet));
        }
    }

    fn list(&mut self, filter: TxFilter, sort: TxSort) {
        let mut rows: Vec<TxRow> = self.rows.iter().filter(|row| matches(row, &filter)).cloned().collect();
        match sort.column {
            TxSortColumn::Date | TxSortColumn::Status => rows.sort_by_key(|r| r.time),
            TxSortColumn::Kind => rows.sort_by_key(|r| r.kind),
            TxSortColumn::Label => rows.sort_by_cached_key(|r| r.label.to_lowercase()),
            TxSortColumn::Amount => rows.sort_by_key(|r| r.amount),
        }
        if sort.descending {
            rows.reverse();
        }
        let pages = rows.chunks(PAGE_LIMIT as usize).map(|page| Arc::new(page.to_vec()));
        let list = TxList {
            filter,
            sort,
            matching: rows.len() as u32,
            total: self.rows.len() as u32,
            sum: rows.iter().map(|r| r.amount).sum(),
            version: 1,
            loading: false,
            pages: pages.enumerate().map(|(n, page)| (n as u32, page)).collect(),
        };
        self.wallet(|wallet| wallet.transactions = Arc::new(list));
    }

    /// The rows have changed.
    fn list_again(&mut self) {
        let list = self.view.wallet.as_ref().map(|w| (w.transactions.filter.clone(), w.transactions.sort));
        if let Some((filter, sort)) = list {
            self.list(filter, sort);
        }
    }

    fn reply(&mut self, id: ActionId, reply: Reply) {
        let mut replies: BTreeMap<ActionId, Reply> = self.view.replies.as_ref().clone();
        replies.insert(id, reply);
        self.view.replies = Arc::new(replies);
    }

    fn show_wallet(&mut self, name: &str) {
        let mut loaded = self.view.loaded.as_ref().clone();
        if !loaded.iter().any(|known| known == name) {
            loaded.push(name.to_owned());
            self.view.loaded = Arc::new(loaded);
        }
        let mut entries = self.view.wallet_entries.as_ref().clone();
        match entries.iter_mut().find(|entry| entry.name == name) {
            Some(entry) => entry.loaded = true,
            None => {
                entries.push(WalletEntry { name: name.to_owned(), format: "sqlite".into(), loaded: true })
            }
        }
        self.view.wallet_entries = Arc::new(entries);
        self.view.wallet = Some(Arc::new(data::wallet(name, &self.rows)));
        self.view.wallet_link = WalletLink::Running;
        self.list(TxFilter::default(), TxSort::default());
    }

    fn close_wallet(&mut self, name: &str) {
        let loaded: Vec<String> = self.view.loaded.iter().filter(|known| *known != name).cloned().collect();
        let mut entries = self.view.wallet_entries.as_ref().clone();
        entries.iter_mut().filter(|entry| entry.name == name).for_each(|entry| entry.loaded = false);
        self.view.wallet_entries = Arc::new(entries);
        let next = loaded.first().cloned();
        self.view.loaded = Arc::new(loaded);
        if self.view.wallet_name() == Some(name) {
            self.view.wallet = None;
            if let Some(next) = next {
                self.show_wallet(&next);
            }
        }
    }

    fn send(&mut self, id: ActionId, order: &SendCommand) {
        let token = SendToken([id.0 as u8; 16]);
        match self.send.clone() {
            FakeSend::Works => {
                let sent = Sent { txid: order.tx.txid(), repeated: false, not_broadcast: String::new() };
                let row = data::sent_row(order, self.rows.len());
                self.rows.push(row.clone());
                self.wallet(|wallet| {
                    let snapshot = Arc::make_mut(&mut wallet.snapshot);
                    snapshot.balances.available -= order.total;
                    snapshot.transactions += 1;
                    snapshot.transactions_version += 1;
                    snapshot.recent.insert(0, row);
                    snapshot.recent.truncate(5);
                });
                self.list_again();
                self.reply(id, Reply::Sent(sent));
            }
            FakeSend::Refused(problem) => self.reply(id, Reply::Problem(problem)),
            FakeSend::Dies => {
                let cause = "The wallet process was ended by signal 9.".to_owned();
                self.view.wallet_link = WalletLink::Lost { cause: cause.clone() };
                let mut pending = self.view.pending_sends.as_ref().clone();
                pending.push(PendingSend {
                    token,
                    wallet: order.wallet.clone(),
                    time: NOW,
                    total: order.total,
                    addresses: order.recipients.iter().map(|r| r.address.clone()).collect(),
                    state: PendingState::Unknown(cause),
                });
                self.view.pending_sends = Arc::new(pending);
                self.reply(id, Reply::Unknown(token));
            }
            FakeSend::Hangs => {}
        }
    }

    fn console(&mut self, line: &str) {
        let mut lines = self.view.console.as_ref().clone();
        let mut add = |kind, text: String| lines.push(ConsoleLine { time: NOW, kind, text });
        add(LineKind::Request, redact(line));
        match line {
            "getblockcount" => add(LineKind::Answer, "1234".to_owned()),
            "help-console" => add(LineKind::Note, Text::ConsoleHelp.s().to_owned()),
            _ => add(LineKind::Error, "Method not found (code -32601)".to_owned()),
        }
        self.view.console = Arc::new(lines);
    }

    fn execute(&mut self, command: Command) {
        match command {
            Command::SelectWallet(name) => self.show_wallet(&name),
            Command::CreateWallet(id, wallet) => {
                self.show_wallet(&wallet.name);
                self.reply(id, Reply::Wallet { name: wallet.name, warnings: Vec::new() });
            }
            Command::OpenWallet(id, name) => {
                self.show_wallet(&name);
                self.reply(id, Reply::Wallet { name, warnings: Vec::new() });
            }
            Command::CloseWallet(id, name) => {
                self.close_wallet(&name);
                self.reply(id, Reply::Done);
            }
            Command::ShowTransactions(filter, sort) => self.list(filter, sort),
            Command::ShowDetails(id, txid) => {
                let rows: Vec<TxRow> = self.rows.iter().filter(|row| row.txid == txid).cloned().collect();
                let details = (!rows.is_empty()).then(|| Arc::new(data::details(rows)));
                self.reply(id, Reply::Details(details));
            }
            Command::SetLabel(id, address, label) => {
                let rows = self.rows.iter_mut().filter(|row| row.address == address);
                rows.for_each(|row| row.label.clone_from(&label));
                self.list_again();
                self.reply(id, Reply::Done);
            }
            Command::AskLabel(id, address) => {
                let known = self.view.wallet.iter().flat_map(|wallet| wallet.requests.iter());
                let label =
                    known.filter(|request| request.address == address).map(|r| r.label.clone()).next();
                self.reply(id, Reply::Label(label.unwrap_or_default()));
            }
            Command::NewRequest(id, request) => {
                let made = ReceiveRequest {
                    id: id.0,
                    time: NOW,
                    address: data::address(1000 + id.0),
                    label: request.label,
                    amount: request.amount,
                    message: request.message,
                };
                self.wallet(|wallet| {
                    let mut requests = wallet.requests.as_ref().clone();
                    requests.insert(0, made.clone());
                    wallet.requests = Arc::new(requests);
                });
                self.reply(id, Reply::Request(made));
            }
            Command::RemoveRequest(id, address, number) => {
                self.wallet(|wallet| {
                    let mut requests = wallet.requests.as_ref().clone();
                    requests.retain(|r| r.address != address || r.id != number);
                    wallet.requests = Arc::new(requests);
                });
                self.reply(id, Reply::Done);
            }
            Command::NeedFees => self.wallet(|wallet| wallet.fees = Some(Arc::new(data::fees()))),
            Command::Preview(id, request) => {
                let available = self.view.wallet.as_ref().map_or(0, |w| w.snapshot.balances.available);
                let reply = match data::preview(&request, available) {
                    Ok(preview) => Reply::Preview(Arc::new(preview)),
                    Err(problem) => Reply::Problem(problem),
                };
                self.reply(id, reply);
            }
            Command::Send(id, order) => self.send(id, &order),
            Command::ForgetSend(token) => {
                let mut pending = self.view.pending_sends.as_ref().clone();
                pending.retain(|p| p.token != token);
                self.view.pending_sends = Arc::new(pending);
            }
            Command::ExportCsv(id, _) => {
                let rows = self.view.wallet.as_ref().map_or(0, |w| w.transactions.matching);
                self.reply(id, Reply::Exported(rows));
            }
            Command::Console(line, _) => self.console(&line),
            Command::ClearConsole => self.view.console = Arc::default(),
            Command::WatchPeers(on) => {
                if let Some(node) = &mut self.view.node {
                    Arc::make_mut(node).peers = on.then(data::peers);
                }
            }
            Command::DisconnectPeer(id, peer) => {
                self.remove_peer(peer);
                self.reply(id, Reply::Done);
            }
            Command::BanPeer(id, peer, seconds) => {
                if let Some(peer) = self.remove_peer(peer) {
                    let mut bans = self.view.bans.as_ref().clone();
                    let subnet = peer.rsplit_once(':').map_or(peer.as_str(), |(host, _)| host).to_owned();
                    bans.push(BanEntry {
                        subnet: format!("{subnet}/32"),
                        created: NOW,
                        until: NOW + seconds,
                    });
                    self.view.bans = Arc::new(bans);
                }
                self.reply(id, Reply::Done);
            }
            Command::Unban(id, subnet) => {
                let mut bans = self.view.bans.as_ref().clone();
                bans.retain(|ban| ban.subnet != subnet);
                self.view.bans = Arc::new(bans);
                self.reply(id, Reply::Done);
            }
            Command::SetNetworkActive(active) => {
                if let Some(node) = &mut self.view.node {
                    Arc::make_mut(node).network_active = active;
                }
            }
            Command::ResetTraffic => Arc::make_mut(&mut self.view.traffic).reset(),
            Command::RetryNow => self.view.link = Link::Reconnecting { attempt: 1 },
            Command::Quit => self.view.link = Link::Closed,
            Command::ListWallets | Command::NeedRows(..) => {}
        }
    }

    fn remove_peer(&mut self, id: i64) -> Option<String> {
        let peers = Arc::make_mut(self.view.node.as_mut()?).peers.as_mut()?;
        let at = peers.iter().position(|peer| peer.id == id)?;
        Some(peers.remove(at).address)
    }
}

impl Backend for FakeSession {
    fn view(&self) -> Arc<View> {
        Arc::new(self.lock().view.clone())
    }

    fn send(&self, command: Command) {
        {
            let mut inner = self.lock();
            inner.commands.push(command.clone());
            inner.execute(command);
            inner.view.version += 1;
        }
        (self.repaint)();
    }

    fn new_action(&self) -> ActionId {
        ActionId(self.next.fetch_add(1, Ordering::Relaxed))
    }
}
