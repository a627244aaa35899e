//! A window's session with real processes: it starts a node or joins one, and outlives both node and wallet.

#![allow(clippy::unwrap_used)]

mod common;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{Node, program};
use grs_gui_core::process::{IpcConnect, Ownership};
use grs_gui_core::view::{ActionId, PendingState, SendCommand};
use grs_gui_core::{Backend, Command, Link, Reply, Session, SessionConfig, View, WalletLink};
use grs_gui_link::{IpcLauncher, LinkOptions};
use grs_interfaces::gui::{
    AddressKind, FeeChoice, NewReceiveRequest, NewWallet, SendRecipient, SendRequest, TxKind, TxStatus,
};
use grs_interfaces::{Hello, Role, SecureString};

const COIN: i64 = 100_000_000;

struct Window {
    link: Arc<IpcLauncher>,
    session: Arc<Session>,
}

impl Window {
    fn open(data_dir: &std::path::Path, connect: IpcConnect) -> Window {
        let net_data_dir = data_dir.join("regtest");
        std::fs::create_dir_all(&net_data_dir).unwrap();
        let options = [
            "-regtest",
            "-listen=0",
            "-connect=0",
            "-dnsseed=0",
            "-server=0",
            "-printtoconsole=0",
            "-fallbackfee=0.0002",
        ];
        let mut arguments: Vec<_> = options.map(std::ffi::OsString::from).to_vec();
        arguments.push(format!("-datadir={}", data_dir.display()).into());
        let link = IpcLauncher::new(LinkOptions {
            net_data_dir: net_data_dir.clone(),
            program: program("groestlcoin-node"),
            arguments,
            hello: Hello { network: "regtest".into(), ..Hello::new(Role::Gui, "v31.0.0") },
        })
        .unwrap();
        let session = Session::start(SessionConfig {
            connect,
            launcher: link.clone(),
            data_dir: Some(net_data_dir),
            wallet: None,
            repaint: Arc::new(|| {}),
        })
        .unwrap();
        Window { link, session }
    }

    fn wait(&self, what: &str, done: impl Fn(&View) -> bool) -> Arc<View> {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let view = self.session.view();
            if done(&view) {
                return view;
            }
            assert!(Instant::now() < end, "never: {what}; {:?} {:?}", view.link, view.wallet_link);
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    fn ask(&self, command: impl FnOnce(ActionId) -> Command) -> Reply {
        let id = self.session.new_action();
        self.session.send(command(id));
        self.wait("a reply", |view| view.reply(id).is_some()).reply(id).unwrap().clone()
    }

    fn console(&self, line: &str) -> String {
        let before = self.session.view().console.len();
        self.session.send(Command::Console(line.into(), None));
        let view = self.wait("the console", |v| v.console.len() >= before + 2 && !v.console_busy);
        view.console.last().unwrap().text.clone()
    }

    fn quit(self) {
        self.session.send(Command::Quit);
        self.wait("the end", |v| v.link == Link::Closed);
    }
}

fn available(view: &View) -> i64 {
    view.wallet.as_ref().map_or(0, |w| w.snapshot.balances.available)
}

fn wallet_pid(node: u32) -> i32 {
    let tasks = std::fs::read_dir(format!("/proc/{node}/task")).unwrap();
    let children = tasks.flatten().filter_map(|t| std::fs::read_to_string(t.path().join("children")).ok());
    children
        .flat_map(|c| c.split_whitespace().map(|p| p.parse().unwrap()).collect::<Vec<i32>>())
        .next()
        .unwrap()
}

fn kill(pid: i32) {
    let done = std::process::Command::new("kill").args(["-9", &pid.to_string()]).status().unwrap();
    assert!(done.success());
}

struct TempDir(PathBuf);

impl TempDir {
    fn new(name: &str) -> TempDir {
        let dir = std::env::temp_dir().join(format!("grs-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        TempDir(dir)
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn a_started_node_with_everything_a_day_needs() {
    let dir = TempDir::new("window-start");
    let window = Window::open(&dir.0, IpcConnect::Auto);
    let view = window.wait("the wallets", View::wallet_fresh);
    assert_eq!(view.ownership, Ownership::Started);
    assert!(view.wallet.is_none());
    let new = NewWallet { name: "w".into(), passphrase: SecureString::from("horse"), ..NewWallet::default() };
    let reply = window.ask(|id| Command::CreateWallet(id, new));
    assert!(matches!(&reply, Reply::Wallet { name, .. } if name == "w"), "{reply:?}");
    window.wait("the new wallet", |v| v.wallet_name() == Some("w"));
    let ask =
        NewReceiveRequest { address_kind: AddressKind::Bech32, label: "Ada".into(), ..Default::default() };
    let Reply::Request(request) = window.ask(|id| Command::NewRequest(id, ask)) else { panic!("no request") };
    window.wait("the history", |v| v.wallet.as_ref().unwrap().requests.contains(&request));
    let mined = window.console(&format!("generatetoaddress(122, {})[0]", request.address));
    assert_eq!(mined.len(), 64, "{mined}");
    let view = window.wait("the rewards", |v| {
        v.wallet.as_ref().is_some_and(|w| w.snapshot.last_block_height == 122) && available(v) > 0
    });
    let before = available(&view);
    assert_eq!(window.console("getblockcount"), "122");

    let to = SendRecipient { address: request.address.clone(), amount: COIN, ..SendRecipient::default() };
    let payment = SendRequest { recipients: vec![to], fee: FeeChoice::Rate(20_000), replaceable: true };
    let send = |passphrase: &str| {
        let Reply::Preview(preview) = window.ask(|id| Command::Preview(id, payment.clone())) else {
            panic!("no preview")
        };
        let order = SendCommand {
            wallet: "w".into(),
            tx: preview.tx.clone(),
            recipients: payment.recipients.clone(),
            total: preview.total,
            passphrase: SecureString::from(passphrase),
        };
        (window.ask(|id| Command::Send(id, order)), preview.fee)
    };
    assert!(matches!(send("mule").0, Reply::Problem(_)));
    let (Reply::Sent(sent), fee) = send("horse") else { panic!("not sent") };
    assert_eq!(sent.not_broadcast, "");
    let list = |view: &View| view.wallet.as_ref().unwrap().transactions.clone();
    let view = window.wait("the payment in the list", |v| {
        list(v).row(0).is_some_and(|row| row.txid == sent.txid) && available(v) == before - fee
    });
    assert_eq!(
        list(&view).row(0).map(|row| (row.kind, row.status)),
        Some((TxKind::ToSelf, TxStatus::Unconfirmed))
    );

    // The wallet process dies: the window says so, keeps what it has, and goes on by itself.
    let node = window.link.child_pid().unwrap();
    kill(wallet_pid(node));
    let view = window.wait("the loss", |v| matches!(v.wallet_link, WalletLink::Lost { .. }));
    assert!(view.link.is_fresh() && available(&view) > 0);
    window.wait("the wallet again", |v| v.wallet_fresh() && v.wallet.is_some());
    assert_eq!(window.console("getblockcount"), "122");

    // The node dies: another one is started, with the same data. This method writes the chain to disk; without it a node
    // that is killed forgets its newest blocks.
    assert!(window.console("gettxoutsetinfo").contains("\"height\": 122"));
    kill(node.try_into().unwrap());
    let view = window.wait("the loss", |v| matches!(v.link, Link::Lost { .. }));
    assert!(view.wallet.is_some() && view.node.is_some());
    window.wait("the node again", |v| v.link == Link::Running && v.wallet_fresh() && v.wallet.is_some());
    assert_ne!(window.link.child_pid(), Some(node));
    window.wait("the same chain", |v| v.node.as_ref().unwrap().sync.blocks == 122);
    assert!(window.session.view().pending_sends.iter().all(|p| p.state != PendingState::Sending));
    let link = window.link.clone();
    window.quit();
    assert_eq!(link.child_pid(), None);
}

#[test]
fn a_joined_node_is_shared_left_and_joined_again() {
    let mut node = Node::new("window-join");
    node.start(&["-ipcbind=unix"]);
    let (one, two) =
        (Window::open(&node.dir, IpcConnect::Auto), Window::open(&node.dir, IpcConnect::Join(None)));
    for window in [&one, &two] {
        let view = window.wait("the wallets", View::wallet_fresh);
        assert_eq!(view.ownership, Ownership::Joined);
    }
    // What one does the other sees.
    let new = NewWallet { name: "shared".into(), ..NewWallet::default() };
    assert!(matches!(one.ask(|id| Command::CreateWallet(id, new)), Reply::Wallet { .. }));
    two.wait("the other's wallet", |v| v.wallet_name() == Some("shared"));
    one.quit();
    two.wait("the node", |v| v.link.is_fresh());
    // The node is started anew under the window.
    node.stop();
    two.wait("the loss", |v| matches!(v.link, Link::Lost { .. } | Link::Reconnecting { .. }));
    node.start(&["-ipcbind=unix"]);
    let view = two.wait("the node again", |v| v.wallet_fresh() && v.wallet_name() == Some("shared"));
    assert_eq!(view.ownership, Ownership::Joined);
    two.quit();
    assert!(node.call("/", "getblockcount", serde_json::json!([])).is_ok());
    node.stop();
    // Nothing listens any more.
    let none = Window::open(&node.dir, IpcConnect::Join(None));
    none.wait("the failure", |v| matches!(&v.link, Link::Failed(text) if text.contains("groestlcoin-node")));
    none.quit();
}
