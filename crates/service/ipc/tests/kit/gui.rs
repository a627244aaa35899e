//! Node and wallets as windows see them: simple objects and a suite.

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use grs_hashes::{BlockHash, Txid};
use grs_interfaces::*;
use grs_primitives::{OutPoint, TxRef};

fn txid() -> Txid {
    Txid::from_bytes([9; 32])
}

fn tx() -> TxRef {
    Arc::new(super::transaction(OutPoint::new(super::unknown_txid(), 1), b"to", 5))
}

pub fn node_info() -> NodeInfo {
    NodeInfo {
        client_name: "Groestlcoin Core".into(),
        network: "regtest".into(),
        start_time: -1,
        process_id: 4,
        block_spacing: 60,
        wallet_enabled: true,
        ..NodeInfo::default()
    }
}

pub fn node_snapshot() -> NodeSnapshot {
    let peer = PeerSnapshot {
        id: 3,
        address: "203.0.113.1:1331".into(),
        direction: PeerDirection::Outbound,
        permissions: vec!["noban".into()],
        services: vec!["NETWORK".into(), "WITNESS".into()],
        synced_headers: -1,
        ping_us: Some(0),
        min_ping_us: None,
        ..PeerSnapshot::default()
    };
    NodeSnapshot {
        time_ms: 5,
        phase: NodePhase::Running,
        init_message: "Loading…".into(),
        progress: Some(ProgressMessage { title: "Rescanning…".into(), percent: Some(100) }),
        sync: SyncSnapshot {
            blocks: 7,
            best_block: BlockHash::from_bytes([8; 32]),
            progress: 0.25,
            presync_headers: Some(0),
            ..SyncSnapshot::default()
        },
        connections: ConnectionCounts { inbound: 1, outbound: 2 },
        traffic: TrafficTotals { received: u64::MAX, sent: 1 },
        mempool: MempoolTotals { transactions: 1, usage: 2, max_usage: 3 },
        warnings: vec!["odd".into(), String::new()],
        wallet_process: WalletProcessState::Lost { cause: "gone".into() },
        peers: Some(vec![peer]),
        bans_version: 17,
        ..NodeSnapshot::default()
    }
}

fn row() -> TxRow {
    TxRow {
        txid: txid(),
        index: 1,
        time: 2,
        kind: TxKind::Mined,
        status: TxStatus::Immature { depth: 3, blocks_left: 4 },
        label: "Müller".into(),
        address: "addr".into(),
        amount: -5,
    }
}

fn wallet_snapshot() -> WalletSnapshot {
    WalletSnapshot {
        balances: Balances { available: 1, pending: 2, immature: 3 },
        locked: true,
        recent: vec![row(), TxRow { status: TxStatus::Abandoned, ..row() }],
        last_block_height: -1,
        rescan_percent: Some(0),
        ..WalletSnapshot::default()
    }
}

fn request() -> ReceiveRequest {
    ReceiveRequest {
        id: u64::MAX,
        time: 1,
        address: "a".into(),
        label: "l".into(),
        amount: 2,
        message: "m".into(),
    }
}

fn preview() -> SendPreview {
    SendPreview {
        tx: tx(),
        amounts: vec![1, -2],
        fee: 3,
        fee_rate: 4,
        source: FeeReason::Fallback,
        target: Some(0),
        vsize: 5,
        inputs: 6,
        change: 7,
        total: 8,
    }
}

fn details() -> TxDetails {
    TxDetails {
        txid: txid(),
        status: TxStatus::Conflicted,
        rows: vec![row()],
        fee: Some(0),
        block_height: None,
        replaces: Some(txid()),
        hex: "00".into(),
        ..TxDetails::default()
    }
}

pub struct KitNode;

impl Node for KitNode {
    fn info(&self) -> CallResult<NodeInfo> {
        Ok(node_info())
    }
    fn snapshot(&self) -> CallResult<NodeSnapshot> {
        Ok(node_snapshot())
    }
    fn subscribe(
        &self,
        wanted: NodeSubscription,
        to: Arc<dyn NodeSubscriber>,
    ) -> CallResult<Arc<dyn Handler>> {
        to.update(NodeSnapshot {
            bans_version: u64::from(wanted.interval_ms),
            peers: None,
            ..node_snapshot()
        })?;
        Ok(HandlerFn::new(move || {
            let _ = to.update(NodeSnapshot::default());
        }))
    }
    fn execute_rpc(&self, method: &str, arguments: &str, wallet: Option<String>) -> CallResult<RpcReply> {
        Ok(match method {
            "fail" => Err(RpcError { code: -8, message: arguments.into() }),
            _ => Ok(format!("{method} {arguments} {wallet:?}")),
        })
    }
    fn rpc_methods(&self) -> CallResult<Vec<String>> {
        Ok(vec!["help".into(), "stop".into()])
    }
    fn disconnect_peer(&self, id: i64) -> CallResult<bool> {
        Ok(id == 3)
    }
    fn ban_peer(&self, id: i64, seconds: i64) -> CallResult<bool> {
        if seconds > 0 { Ok(id == 3) } else { Err(CallError::remote("how long?")) }
    }
    fn unban(&self, subnet: &str) -> CallResult<bool> {
        Ok(subnet == "192.0.2.0/24")
    }
    fn bans(&self) -> CallResult<Vec<BanEntry>> {
        Ok(vec![BanEntry { subnet: "192.0.2.0/24".into(), created: 1, until: 2 }])
    }
    fn set_network_active(&self, active: bool) -> CallResult<()> {
        if active { Ok(()) } else { Err(CallError::remote("no")) }
    }
    fn request_shutdown(&self) -> CallResult<()> {
        Ok(())
    }
    fn wallets(&self) -> CallResult<Option<Arc<dyn Wallets>>> {
        Ok(Some(Arc::new(KitWallets)))
    }
}

pub struct KitWallets;

impl Wallets for KitWallets {
    fn list(&self) -> CallResult<Vec<WalletEntry>> {
        Ok(vec![WalletEntry { name: String::new(), format: "bdb".into(), loaded: true }])
    }
    fn create(&self, wallet: NewWallet) -> CallResult<WalletOutcome> {
        let good = wallet.passphrase.as_bytes() == b"secret" && wallet.blank && !wallet.disable_private_keys;
        Ok(WalletOutcome {
            result: if good { Ok(wallet.name) } else { Err("no".into()) },
            warnings: vec!["w".into()],
        })
    }
    fn open(&self, name: &str) -> CallResult<WalletOutcome> {
        Ok(WalletOutcome { result: Ok(name.to_owned()), warnings: vec![] })
    }
    fn close(&self, name: &str) -> CallResult<Result<(), BilingualString>> {
        Ok(if name.is_empty() { Ok(()) } else { Err("not loaded".into()) })
    }
    fn wallet(&self, name: &str) -> CallResult<Option<Arc<dyn Wallet>>> {
        Ok(name.is_empty().then(|| Arc::new(KitWallet) as Arc<dyn Wallet>))
    }
    fn subscribe(&self, to: Arc<dyn WalletsSubscriber>) -> CallResult<Arc<dyn Handler>> {
        to.loaded(vec![String::new(), "x".into()])?;
        Ok(HandlerFn::new(|| {}))
    }
}

struct KitWallet;

impl Wallet for KitWallet {
    fn info(&self) -> CallResult<WalletInfo> {
        Ok(WalletInfo { address_kinds: AddressKind::ALL.to_vec(), file: "f".into(), ..WalletInfo::default() })
    }
    fn snapshot(&self) -> CallResult<WalletSnapshot> {
        Ok(wallet_snapshot())
    }
    fn subscribe(&self, to: Arc<dyn WalletSubscriber>) -> CallResult<Arc<dyn Handler>> {
        to.update(wallet_snapshot())?;
        to.unloaded()?;
        Ok(HandlerFn::new(|| {}))
    }
    fn transactions(&self, query: &TxQuery) -> CallResult<TxPage> {
        let TxQuery { filter, sort, offset, limit } = query.clone();
        assert_eq!((sort.column, sort.descending), (TxSortColumn::Label, true));
        assert_eq!((filter.from, filter.until), (Some(0), None));
        Ok(TxPage {
            offset,
            rows: vec![row()],
            matching: limit,
            total: filter.kinds,
            sum: filter.min_amount,
            version: 1,
        })
    }
    fn transaction(&self, id: Txid) -> CallResult<Option<TxDetails>> {
        Ok((id == txid()).then(details))
    }
    fn set_label(&self, address: &str, label: &str) -> CallResult<Result<(), String>> {
        Ok(if address.is_empty() { Err(label.to_owned()) } else { Ok(()) })
    }
    fn label(&self, address: &str) -> CallResult<String> {
        Ok(address.to_uppercase())
    }
    fn receive_requests(&self) -> CallResult<Vec<ReceiveRequest>> {
        Ok(vec![request()])
    }
    fn new_receive_request(&self, wanted: NewReceiveRequest) -> CallResult<Result<ReceiveRequest, String>> {
        Ok(if wanted.address_kind == AddressKind::Bech32m { Ok(request()) } else { Err(wanted.message) })
    }
    fn remove_receive_request(&self, address: &str, id: u64) -> CallResult<bool> {
        Ok(address == "a" && id == u64::MAX)
    }
    fn fee_levels(&self, targets: &[u32]) -> CallResult<FeeLevels> {
        let level = |target: &u32| FeeLevel {
            target: *target,
            rate: 1,
            source: FeeReason::Required,
            returned_target: 2,
        };
        Ok(FeeLevels {
            levels: targets.iter().map(level).collect(),
            required: 3,
            default_target: 4,
            max_fee: 5,
        })
    }
    fn preview(&self, wanted: &SendRequest) -> CallResult<Result<SendPreview, SendProblem>> {
        Ok(match wanted.fee {
            FeeChoice::Target(0) => Ok(preview()),
            FeeChoice::Target(1) => Err(SendProblem::InsufficientFunds { available: 1, needed: 2 }),
            FeeChoice::Target(_) => Err(SendProblem::Locked),
            FeeChoice::Rate(rate) => Err(SendProblem::Amount { recipient: rate as u32, text: "t".into() }),
        })
    }
    fn send(&self, order: SendOrder) -> CallResult<Result<Sent, SendProblem>> {
        let good =
            order.passphrase.as_bytes() == b"secret" && order.tx == tx() && order.recipients[0].subtract_fee;
        match order.token {
            SendToken([1, ..]) if good => {
                Ok(Ok(Sent { txid: txid(), repeated: true, not_broadcast: "why".into() }))
            }
            SendToken([2, ..]) => Ok(Err(SendProblem::WrongPassphrase)),
            _ => Err(CallError::remote("bad order")),
        }
    }
    fn send_status(&self, token: SendToken) -> CallResult<SendStatus> {
        Ok(match token.0[0] {
            1 => SendStatus::Sent(Sent { txid: txid(), ..Sent::default() }),
            _ => SendStatus::NotSent,
        })
    }
}

struct Told<T>(Mutex<Sender<T>>);

impl<T> Told<T> {
    fn tell(&self, news: T) -> CallResult<()> {
        self.0.lock().unwrap().send(news).map_err(|_| CallError::Cancelled)
    }
}

impl NodeSubscriber for Told<NodeSnapshot> {
    fn update(&self, snapshot: NodeSnapshot) -> CallResult<()> {
        self.tell(snapshot)
    }
}

impl WalletsSubscriber for Told<Vec<String>> {
    fn loaded(&self, names: Vec<String>) -> CallResult<()> {
        self.tell(names)
    }
}

impl WalletSubscriber for Told<Option<WalletSnapshot>> {
    fn update(&self, snapshot: WalletSnapshot) -> CallResult<()> {
        self.tell(Some(snapshot))
    }
    fn unloaded(&self) -> CallResult<()> {
        self.tell(None)
    }
}

const LONG: Duration = Duration::from_secs(20);

/// `Node`.
pub fn node_suite(init: &dyn Init) {
    let node = init.make_node().unwrap();
    assert_eq!(node.info(), Ok(node_info()));
    assert_eq!(node.snapshot(), Ok(node_snapshot()));
    let (tell, told) = channel();
    let wanted = NodeSubscription { interval_ms: 99, peers: true };
    let handler = node.subscribe(wanted, Arc::new(Told(Mutex::new(tell)))).unwrap();
    let expected = NodeSnapshot { bans_version: 99, peers: None, ..node_snapshot() };
    assert_eq!(told.recv_timeout(LONG).unwrap(), expected);
    handler.disconnect().unwrap();
    assert_eq!(told.recv_timeout(LONG).unwrap(), NodeSnapshot::default());
    assert_eq!(node.execute_rpc("m", "[1]", None), Ok(Ok("m [1] None".into())));
    assert_eq!(node.execute_rpc("m", "", Some(String::new())), Ok(Ok("m  Some(\"\")".into())));
    assert_eq!(node.execute_rpc("fail", "x", None), Ok(Err(RpcError { code: -8, message: "x".into() })));
    assert_eq!(node.rpc_methods(), Ok(vec!["help".into(), "stop".into()]));
    assert_eq!((node.disconnect_peer(3), node.disconnect_peer(-4)), (Ok(true), Ok(false)));
    assert_eq!((node.ban_peer(3, 60), node.ban_peer(3, 0)), (Ok(true), Err(CallError::remote("how long?"))));
    assert_eq!((node.unban("192.0.2.0/24"), node.bans().unwrap().len()), (Ok(true), 1));
    assert_eq!(
        (node.set_network_active(true), node.set_network_active(false)),
        (Ok(()), Err(CallError::remote("no")))
    );
    assert_eq!(node.request_shutdown(), Ok(()));
}

/// `Wallets` and `Wallet`.
pub fn wallets_suite(wallets: &dyn Wallets) {
    assert_eq!(wallets.list().unwrap()[0].format, "bdb");
    let new =
        NewWallet { name: "n".into(), passphrase: "secret".into(), blank: true, ..NewWallet::default() };
    assert_eq!(
        wallets.create(new).unwrap(),
        WalletOutcome { result: Ok("n".into()), warnings: vec!["w".into()] }
    );
    assert_eq!(wallets.open("o").unwrap().result, Ok("o".into()));
    assert_eq!((wallets.close(""), wallets.close("x")), (Ok(Ok(())), Ok(Err("not loaded".into()))));
    let (tell, told) = channel();
    let _names = wallets.subscribe(Arc::new(Told(Mutex::new(tell)))).unwrap();
    assert_eq!(told.recv_timeout(LONG).unwrap(), ["", "x"]);
    assert!(wallets.wallet("x").unwrap().is_none());
    let wallet = wallets.wallet("").unwrap().unwrap();
    assert_eq!(wallet.info().unwrap().address_kinds, AddressKind::ALL);
    assert_eq!(wallet.snapshot(), Ok(wallet_snapshot()));
    let (tell, told) = channel();
    let _news = wallet.subscribe(Arc::new(Told(Mutex::new(tell)))).unwrap();
    assert_eq!(told.recv_timeout(LONG).unwrap(), Some(wallet_snapshot()));
    assert_eq!(told.recv_timeout(LONG).unwrap(), None);
    let query = TxQuery {
        filter: TxFilter { text: "t".into(), from: Some(0), until: None, kinds: 3, min_amount: 4 },
        sort: TxSort { column: TxSortColumn::Label, descending: true },
        offset: 5,
        limit: 6,
    };
    let page = TxPage { offset: 5, rows: vec![row()], matching: 6, total: 3, sum: 4, version: 1 };
    assert_eq!(wallet.transactions(&query), Ok(page));
    assert_eq!(
        (wallet.transaction(txid()), wallet.transaction(super::unknown_txid())),
        (Ok(Some(details())), Ok(None))
    );
    assert_eq!((wallet.set_label("a", ""), wallet.set_label("", "why")), (Ok(Ok(())), Ok(Err("why".into()))));
    assert_eq!(wallet.label("ä"), Ok("Ä".into()));
    assert_eq!(wallet.receive_requests(), Ok(vec![request()]));
    let ask = |address_kind| NewReceiveRequest {
        address_kind,
        message: "m".into(),
        ..NewReceiveRequest::default()
    };
    assert_eq!(wallet.new_receive_request(ask(AddressKind::Bech32m)), Ok(Ok(request())));
    assert_eq!(wallet.new_receive_request(ask(AddressKind::Legacy)), Ok(Err("m".into())));
    assert_eq!(wallet.remove_receive_request("a", u64::MAX), Ok(true));
    assert_eq!(wallet.fee_levels(&[1, 6]).unwrap().levels[1].target, 6);
    let to = SendRecipient { address: "a".into(), label: "l".into(), amount: 1, subtract_fee: true };
    let wanted = |fee| SendRequest { recipients: vec![to.clone()], fee, replaceable: true };
    assert_eq!(wallet.preview(&wanted(FeeChoice::Target(0))), Ok(Ok(preview())));
    for (fee, problem) in [
        (FeeChoice::Target(1), SendProblem::InsufficientFunds { available: 1, needed: 2 }),
        (FeeChoice::Target(2), SendProblem::Locked),
        (FeeChoice::Rate(7), SendProblem::Amount { recipient: 7, text: "t".into() }),
    ] {
        assert_eq!(wallet.preview(&wanted(fee)), Ok(Err(problem)));
    }
    let order = |n| SendOrder {
        token: SendToken([n; 16]),
        tx: tx(),
        recipients: vec![to.clone()],
        passphrase: "secret".into(),
    };
    assert_eq!(
        wallet.send(order(1)),
        Ok(Ok(Sent { txid: txid(), repeated: true, not_broadcast: "why".into() }))
    );
    assert_eq!(wallet.send(order(2)), Ok(Err(SendProblem::WrongPassphrase)));
    assert_eq!(wallet.send(order(3)), Err(CallError::remote("bad order")));
    assert_eq!(wallet.send_status(SendToken([2; 16])), Ok(SendStatus::NotSent));
    assert!(matches!(wallet.send_status(SendToken([1; 16])), Ok(SendStatus::Sent(_))));
}
