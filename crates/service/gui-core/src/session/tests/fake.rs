//! A node and wallets made of memory.

use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, Weak};

use grs_hashes::Txid;
use grs_interfaces::gui::*;
use grs_interfaces::{
    BilingualString, CallError, CallResult, Handler, HandlerFn, RpcError, RpcReply, WalletOutcome,
};
use grs_primitives::{Amount, MutableTransaction, TxOut, TxRef};

use crate::process::{LaunchError, Launcher, Loss, OnLost};

pub fn txid(n: u32) -> Txid {
    let mut bytes = [7; 32];
    bytes[..4].copy_from_slice(&n.to_le_bytes());
    Txid::from_bytes(bytes)
}

/// What goes wrong with the next payment.
#[derive(Clone)]
pub enum Fault {
    None,
    Refuse(SendProblem),
    DieBefore,
    DieAfter,
}

#[derive(Default)]
struct Launches {
    log: Vec<String>,
    on_lost: Option<OnLost>,
}

pub struct FakeLauncher {
    node: Arc<FakeNode>,
    listening: AtomicBool,
    launches: Mutex<Launches>,
}

impl FakeLauncher {
    pub fn new() -> Arc<FakeLauncher> {
        let (node, listening) = (FakeNode::new(), AtomicBool::new(false));
        Arc::new(FakeLauncher { node, listening, launches: Mutex::default() })
    }

    pub fn node(&self) -> &Arc<FakeNode> {
        &self.node
    }

    pub fn listen(&self, on: bool) {
        self.listening.store(on, Ordering::SeqCst);
    }

    pub fn log(&self) -> Vec<String> {
        let mut log = self.launches.lock().unwrap().log.clone();
        if self.node.stopped.load(Ordering::SeqCst) {
            let at = log.iter().position(|l| l == "ended").unwrap_or(log.len());
            log.insert(at, "shutdown".into());
        }
        log
    }

    pub fn lose(&self, cause: &str, clean: bool) {
        let on_lost = self.launches.lock().unwrap().on_lost.clone().unwrap();
        on_lost(Loss { cause: cause.into(), clean });
    }

    fn note(&self, what: &str) {
        self.launches.lock().unwrap().log.push(what.into());
    }
}

impl Launcher for FakeLauncher {
    fn join(&self, _socket: Option<&Path>, on_lost: OnLost) -> Result<Arc<dyn Node>, LaunchError> {
        self.note("join");
        if !self.listening.load(Ordering::SeqCst) {
            return Err(LaunchError::NoneListens("Nobody listens.".into()));
        }
        self.launches.lock().unwrap().on_lost = Some(on_lost);
        Ok(self.node.clone())
    }

    fn start(&self, on_lost: OnLost) -> Result<Arc<dyn Node>, LaunchError> {
        self.note("start");
        self.launches.lock().unwrap().on_lost = Some(on_lost);
        Ok(self.node.clone())
    }

    fn wait_ended(&self) {
        self.note("ended");
    }

    fn detach(&self) {
        self.note("detach");
    }
}

struct Data {
    snapshot: NodeSnapshot,
    subscribers: Vec<Arc<dyn NodeSubscriber>>,
    loaded: Vec<String>,
    wallets_subscribers: Vec<Arc<dyn WalletsSubscriber>>,
    wallet_subscribers: Vec<Arc<dyn WalletSubscriber>>,
    rows: u32,
    version: u64,
    requests: Vec<ReceiveRequest>,
    fault: Fault,
    sent: Vec<(SendToken, Txid)>,
    void: Vec<SendToken>,
}

pub struct FakeNode {
    own: Weak<FakeNode>,
    data: Mutex<Data>,
    held: Mutex<bool>,
    free: Condvar,
    stopped: AtomicBool,
    processes: AtomicU64,
}

impl FakeNode {
    fn new() -> Arc<FakeNode> {
        let snapshot = NodeSnapshot {
            phase: NodePhase::Running,
            wallet_process: WalletProcessState::Running { generation: 1 },
            ..NodeSnapshot::default()
        };
        let data = Data {
            snapshot,
            subscribers: vec![],
            loaded: vec!["v".into(), "w".into()],
            wallets_subscribers: vec![],
            wallet_subscribers: vec![],
            rows: 100_000,
            version: 1,
            requests: vec![],
            fault: Fault::None,
            sent: vec![],
            void: vec![],
        };
        Arc::new_cyclic(|own| FakeNode {
            own: own.clone(),
            data: Mutex::new(data),
            held: Mutex::new(false),
            free: Condvar::new(),
            stopped: AtomicBool::new(false),
            processes: AtomicU64::new(1),
        })
    }

    pub fn change(&self, change: impl FnOnce(&mut NodeSnapshot)) {
        let (snapshot, subscribers) = {
            let mut data = self.data.lock().unwrap();
            change(&mut data.snapshot);
            (data.snapshot.clone(), data.subscribers.clone())
        };
        for subscriber in subscribers {
            let _ = subscriber.update(snapshot.clone());
        }
    }

    /// All calls wait.
    pub fn hold(&self, on: bool) {
        *self.held.lock().unwrap() = on;
        self.free.notify_all();
    }

    fn wait(&self) {
        let held = self.held.lock().unwrap();
        drop(self.free.wait_while(held, |held| *held).unwrap());
    }

    pub fn lose_wallets(&self, cause: &str) {
        self.change(|s| s.wallet_process = WalletProcessState::Lost { cause: cause.into() });
    }

    pub fn restore_wallets(&self) {
        let generation = self.processes.fetch_add(1, Ordering::SeqCst) + 1;
        self.data.lock().unwrap().fault = Fault::None;
        self.change(|s| s.wallet_process = WalletProcessState::Running { generation });
    }

    pub fn fault(&self, fault: Fault) {
        self.data.lock().unwrap().fault = fault;
    }

    pub fn sent(&self) -> usize {
        self.data.lock().unwrap().sent.len()
    }

    pub fn add_transaction(&self) {
        let (snapshot, subscribers) = {
            let mut data = self.data.lock().unwrap();
            data.rows += 1;
            data.version += 1;
            (wallet_snapshot(&data), data.wallet_subscribers.clone())
        };
        for subscriber in subscribers {
            let _ = subscriber.update(snapshot.clone());
        }
    }

    fn tell_loaded(&self) {
        let (names, subscribers) = {
            let data = self.data.lock().unwrap();
            (data.loaded.clone(), data.wallets_subscribers.clone())
        };
        for subscriber in subscribers {
            let _ = subscriber.loaded(names.clone());
        }
    }
}

fn wallet_snapshot(data: &Data) -> WalletSnapshot {
    WalletSnapshot {
        transactions: data.rows,
        transactions_version: data.version,
        requests_version: data.requests.len() as u64,
        ..WalletSnapshot::default()
    }
}

fn nothing() -> Arc<dyn Handler> {
    HandlerFn::new(|| {})
}

impl Node for FakeNode {
    fn info(&self) -> CallResult<NodeInfo> {
        self.wait();
        Ok(NodeInfo { network: "regtest".into(), ..NodeInfo::default() })
    }
    fn snapshot(&self) -> CallResult<NodeSnapshot> {
        Ok(self.data.lock().unwrap().snapshot.clone())
    }
    fn subscribe(
        &self,
        _: NodeSubscription,
        subscriber: Arc<dyn NodeSubscriber>,
    ) -> CallResult<Arc<dyn Handler>> {
        self.wait();
        let snapshot = self.snapshot()?;
        self.data.lock().unwrap().subscribers.push(subscriber.clone());
        subscriber.update(snapshot)?;
        Ok(nothing())
    }
    fn execute_rpc(&self, method: &str, arguments: &str, wallet: Option<String>) -> CallResult<RpcReply> {
        self.wait();
        Ok(match method {
            "getblockcount" => Ok("77".into()),
            "echo" => {
                Ok(serde_json::Value::from(format!("{} {arguments}", wallet.unwrap_or_else(|| "-".into())))
                    .to_string())
            }
            _ => Err(RpcError { code: -32601, message: "Method not found".into() }),
        })
    }
    fn rpc_methods(&self) -> CallResult<Vec<String>> {
        Ok(vec!["echo".into(), "getblockcount".into()])
    }
    fn disconnect_peer(&self, _: i64) -> CallResult<bool> {
        self.wait();
        Ok(true)
    }
    fn ban_peer(&self, _: i64, _: i64) -> CallResult<bool> {
        Ok(false)
    }
    fn unban(&self, _: &str) -> CallResult<bool> {
        Ok(false)
    }
    fn bans(&self) -> CallResult<Vec<BanEntry>> {
        Ok(vec![])
    }
    fn set_network_active(&self, _: bool) -> CallResult<()> {
        Ok(())
    }
    fn request_shutdown(&self) -> CallResult<()> {
        self.wait();
        self.stopped.store(true, Ordering::SeqCst);
        Ok(())
    }
    fn wallets(&self) -> CallResult<Option<Arc<dyn Wallets>>> {
        Ok(self.own.upgrade().map(|node| Arc::new(FakeWallets(node)) as Arc<dyn Wallets>))
    }
}

struct FakeWallets(Arc<FakeNode>);

impl Wallets for FakeWallets {
    fn list(&self) -> CallResult<Vec<WalletEntry>> {
        let data = self.0.data.lock().unwrap();
        Ok(data
            .loaded
            .iter()
            .map(|n| WalletEntry { name: n.clone(), format: "sqlite".into(), loaded: true })
            .collect())
    }
    fn create(&self, wallet: NewWallet) -> CallResult<WalletOutcome> {
        self.0.data.lock().unwrap().loaded.push(wallet.name.clone());
        self.0.tell_loaded();
        Ok(WalletOutcome { result: Ok(wallet.name), warnings: vec![] })
    }
    fn open(&self, name: &str) -> CallResult<WalletOutcome> {
        Ok(WalletOutcome { result: Err(format!("There is no {name}.").into()), warnings: vec![] })
    }
    fn close(&self, name: &str) -> CallResult<Result<(), BilingualString>> {
        self.0.data.lock().unwrap().loaded.retain(|n| n != name);
        self.0.tell_loaded();
        Ok(Ok(()))
    }
    fn wallet(&self, name: &str) -> CallResult<Option<Arc<dyn Wallet>>> {
        let loaded = self.0.data.lock().unwrap().loaded.iter().any(|n| n == name);
        let made = || Arc::new(FakeWallet(self.0.clone(), name.to_owned())) as Arc<dyn Wallet>;
        Ok(loaded.then(made))
    }
    fn subscribe(&self, subscriber: Arc<dyn WalletsSubscriber>) -> CallResult<Arc<dyn Handler>> {
        self.0.data.lock().unwrap().wallets_subscribers.push(subscriber);
        self.0.tell_loaded();
        Ok(nothing())
    }
}

struct FakeWallet(Arc<FakeNode>, String);

impl FakeWallet {
    fn row(n: u32) -> TxRow {
        TxRow { txid: txid(n), index: 0, time: i64::from(n), label: format!("row {n}"), ..TxRow::default() }
    }

    fn dead(&self) -> CallError {
        self.0.lose_wallets("It crashed.");
        CallError::disconnected("The wallet process was ended by signal 9.")
    }
}

impl Wallet for FakeWallet {
    fn info(&self) -> CallResult<WalletInfo> {
        Ok(WalletInfo { name: self.1.clone(), private_keys: true, ..WalletInfo::default() })
    }
    fn snapshot(&self) -> CallResult<WalletSnapshot> {
        Ok(wallet_snapshot(&self.0.data.lock().unwrap()))
    }
    fn subscribe(&self, subscriber: Arc<dyn WalletSubscriber>) -> CallResult<Arc<dyn Handler>> {
        self.0.data.lock().unwrap().wallet_subscribers.push(subscriber);
        Ok(nothing())
    }
    fn transactions(&self, query: &TxQuery) -> CallResult<TxPage> {
        let (total, version) = {
            let data = self.0.data.lock().unwrap();
            (data.rows, data.version)
        };
        let one = query.filter.text.strip_prefix("row ").map(|n| n.parse().unwrap());
        let (first, matching) = one.map_or((0, total), |n: u32| (n, 1));
        let end = query.offset.saturating_add(query.limit).min(matching);
        Ok(TxPage {
            offset: query.offset,
            rows: (query.offset..end).map(|n| Self::row(first + n)).collect(),
            matching,
            total,
            sum: 0,
            version,
        })
    }
    fn transaction(&self, _: Txid) -> CallResult<Option<TxDetails>> {
        Ok(None)
    }
    fn set_label(&self, _: &str, _: &str) -> CallResult<Result<(), String>> {
        Ok(Ok(()))
    }
    fn label(&self, _: &str) -> CallResult<String> {
        Ok(String::new())
    }
    fn receive_requests(&self) -> CallResult<Vec<ReceiveRequest>> {
        Ok(self.0.data.lock().unwrap().requests.clone())
    }
    fn new_receive_request(&self, request: NewReceiveRequest) -> CallResult<Result<ReceiveRequest, String>> {
        let made = ReceiveRequest { id: 1, label: request.label, ..ReceiveRequest::default() };
        let (snapshot, subscribers) = {
            let mut data = self.0.data.lock().unwrap();
            data.requests.push(made.clone());
            (wallet_snapshot(&data), data.wallet_subscribers.clone())
        };
        for subscriber in subscribers {
            let _ = subscriber.update(snapshot.clone());
        }
        Ok(Ok(made))
    }
    fn remove_receive_request(&self, _: &str, _: u64) -> CallResult<bool> {
        Ok(false)
    }
    fn fee_levels(&self, _: &[u32]) -> CallResult<FeeLevels> {
        Ok(FeeLevels::default())
    }
    fn preview(&self, request: &SendRequest) -> CallResult<Result<SendPreview, SendProblem>> {
        let amounts: Vec<i64> = request.recipients.iter().map(|r| r.amount).collect();
        let out = |a: &i64| TxOut { value: Amount(*a), script_pubkey: Default::default() };
        let tx = MutableTransaction {
            outputs: amounts.iter().map(out).collect(),
            ..MutableTransaction::default()
        };
        Ok(Ok(SendPreview {
            tx: TxRef::new(tx.into()),
            total: amounts.iter().sum(),
            amounts,
            fee: 0,
            fee_rate: 0,
            source: grs_interfaces::FeeReason::None,
            target: None,
            vsize: 100,
            inputs: 1,
            change: 0,
        }))
    }
    fn send(&self, order: SendOrder) -> CallResult<Result<Sent, SendProblem>> {
        let fault = {
            let mut data = self.0.data.lock().unwrap();
            if matches!(data.fault, Fault::None | Fault::DieAfter) && !data.void.contains(&order.token) {
                data.sent.push((order.token, order.tx.txid()));
            }
            data.fault.clone()
        };
        match fault {
            Fault::None => Ok(Ok(Sent { txid: order.tx.txid(), ..Sent::default() })),
            Fault::Refuse(problem) => Ok(Err(problem)),
            Fault::DieBefore | Fault::DieAfter => Err(self.dead()),
        }
    }
    fn send_status(&self, token: SendToken) -> CallResult<SendStatus> {
        let mut data = self.0.data.lock().unwrap();
        let found = data.sent.iter().find(|(known, _)| *known == token).map(|(_, txid)| *txid);
        Ok(match found {
            Some(txid) => SendStatus::Sent(Sent { txid, repeated: true, not_broadcast: String::new() }),
            None => {
                data.void.push(token);
                SendStatus::NotSent
            }
        })
    }
}
