//! The session over a node and wallets made of memory, which can be lost, held up and come back.

mod fake;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use grs_interfaces::SecureString;
use grs_interfaces::gui::{
    AddressKind, FeeChoice, NewReceiveRequest, NewWallet, SendProblem, SendRecipient, SendRequest, TxFilter,
    TxSort,
};

use self::fake::{FakeLauncher, Fault};
use super::*;
use crate::console::LineKind;
use crate::process::Ownership;
use crate::view::{CsvExport, Link, PendingState, Reply, SendCommand, WalletLink};

struct Setup {
    launcher: Arc<FakeLauncher>,
    session: Arc<Session>,
    dir: tempfile::TempDir,
}

impl Setup {
    fn new(connect: IpcConnect) -> Setup {
        let launcher = FakeLauncher::new();
        let dir = tempfile::tempdir().unwrap();
        let session = Setup::session(&launcher, connect, dir.path());
        Setup { launcher, session, dir }
    }

    fn session(launcher: &Arc<FakeLauncher>, connect: IpcConnect, dir: &std::path::Path) -> Arc<Session> {
        let config = SessionConfig {
            connect,
            launcher: launcher.clone(),
            data_dir: Some(dir.to_owned()),
            wallet: Some("w".into()),
            repaint: Arc::new(|| {}),
        };
        Session::start(config).unwrap()
    }

    fn running() -> Setup {
        let setup = Setup::new(IpcConnect::Auto);
        setup.wait("a wallet", |v| {
            v.wallet.as_ref().is_some_and(|w| !w.transactions.loading && w.transactions.total > 0)
        });
        setup
    }

    fn wait(&self, what: &str, done: impl Fn(&View) -> bool) -> Arc<View> {
        let end = Instant::now() + Duration::from_secs(20);
        loop {
            let view = self.session.view();
            if done(&view) {
                return view;
            }
            assert!(Instant::now() < end, "never: {what}; {:?} {:?}", view.link, view.wallet_link);
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn ask(&self, command: impl FnOnce(ActionId) -> Command) -> Reply {
        let id = self.session.new_action();
        self.session.send(command(id));
        self.wait("a reply", |view| view.reply(id).is_some()).reply(id).unwrap().clone()
    }

    fn preview(&self) -> SendCommand {
        let to = SendRecipient { address: "a".into(), amount: 1000, ..SendRecipient::default() };
        let request = SendRequest { recipients: vec![to], fee: FeeChoice::Target(6), replaceable: true };
        let Reply::Preview(preview) = self.ask(|id| Command::Preview(id, request.clone())) else {
            panic!("no preview")
        };
        SendCommand {
            wallet: "w".into(),
            tx: preview.tx.clone(),
            recipients: request.recipients,
            total: preview.total,
            passphrase: SecureString::default(),
        }
    }
}

#[test]
fn a_started_node_is_shown_and_stopped_at_the_end() {
    let setup = Setup::running();
    let view = setup.session.view();
    assert_eq!((view.link.clone(), view.ownership), (Link::Running, Ownership::Started));
    assert_eq!(view.network(), "regtest");
    assert_eq!(view.loaded.as_slice(), ["v", "w"]);
    // The wallet that was shown last, not the first one.
    assert_eq!(view.wallet_name(), Some("w"));
    assert!(view.rpc_methods.contains(&"getblockcount".to_owned()));
    setup.launcher.node().change(|s| s.sync.blocks = 77);
    setup.wait("the new block", |v| v.node.as_ref().unwrap().sync.blocks == 77);
    setup.session.send(Command::Quit);
    setup.wait("the end", |v| v.link == Link::Closed);
    assert_eq!(setup.launcher.log(), ["join", "start", "shutdown", "ended"]);
}

#[test]
fn a_joined_node_is_left_running_and_joined_again_after_its_loss() {
    let launcher = FakeLauncher::new();
    launcher.listen(true);
    let dir = tempfile::tempdir().unwrap();
    let session = Setup::session(&launcher, IpcConnect::Auto, dir.path());
    let setup = Setup { launcher, session, dir };
    setup.wait("a wallet", |v| v.wallet.is_some());
    assert_eq!(setup.session.view().ownership, Ownership::Joined);
    setup.launcher.listen(false);
    setup.launcher.lose("It was ended by signal 9.", false);
    let lost = setup.wait("the loss", |v| matches!(v.link, Link::Lost { .. }));
    assert!(matches!(&lost.link, Link::Lost { cause, .. } if cause.contains("signal 9")));
    // The last data stay.
    assert!(lost.node.is_some() && lost.wallet.is_some() && !lost.wallet_fresh());
    assert!(matches!(setup.ask(|id| Command::DisconnectPeer(id, 1)), Reply::Failed(_)));
    assert!(matches!(setup.ask(|id| Command::ShowDetails(id, fake::txid(0))), Reply::Failed(_)));
    setup.launcher.listen(true);
    setup.session.send(Command::RetryNow);
    setup.wait("the node again", |v| v.link == Link::Running && v.wallet_fresh());
    setup.session.send(Command::Quit);
    setup.wait("the end", |v| v.link == Link::Closed);
    let log = setup.launcher.log();
    assert!(!log.contains(&"start".to_owned()) && !log.contains(&"shutdown".to_owned()), "{log:?}");
    assert_eq!(log.last().map(String::as_str), Some("detach"));
}

#[test]
fn what_must_be_joined_and_is_not_there_fails_in_words() {
    let setup = Setup::new(IpcConnect::Join(None));
    let view = setup.wait("the failure", |v| matches!(v.link, Link::Failed(_)));
    assert_eq!(view.link, Link::Failed("Nobody listens.".into()));
    setup.session.send(Command::Quit);
    setup.wait("the end", |v| v.link == Link::Closed);
    assert_eq!(setup.launcher.log(), ["join"]);
}

#[test]
fn the_wallet_process_may_come_and_go() {
    let setup = Setup::running();
    setup.launcher.node().lose_wallets("It crashed.");
    let view = setup.wait("the loss", |v| matches!(v.wallet_link, WalletLink::Lost { .. }));
    assert!(view.link.is_fresh() && view.wallet.is_some());
    assert!(matches!(
        setup.ask(|id| Command::Preview(
            id,
            SendRequest { recipients: vec![], fee: FeeChoice::Target(1), replaceable: true }
        )),
        Reply::Failed(_)
    ));
    setup.launcher.node().restore_wallets();
    setup.wait("the wallets again", View::wallet_fresh);
}

#[test]
fn wallets_are_made_opened_and_closed() {
    let setup = Setup::running();
    let new = NewWallet { name: "new".into(), ..NewWallet::default() };
    assert!(
        matches!(setup.ask(|id| Command::CreateWallet(id, new)), Reply::Wallet { name, .. } if name == "new")
    );
    setup.wait("the new wallet", |v| v.wallet_name() == Some("new"));
    assert!(matches!(setup.ask(|id| Command::OpenWallet(id, "nosuch".into())), Reply::Failed(_)));
    assert!(matches!(setup.ask(|id| Command::CloseWallet(id, "new".into())), Reply::Done));
    setup.wait("another wallet", |v| v.wallet_name().is_some_and(|name| name != "new"));
    setup.session.send(Command::SelectWallet("v".into()));
    setup.wait("the chosen wallet", |v| v.wallet_name() == Some("v"));
    let ask = NewReceiveRequest {
        address_kind: AddressKind::Bech32,
        label: "l".into(),
        ..NewReceiveRequest::default()
    };
    let Reply::Request(request) = setup.ask(|id| Command::NewRequest(id, ask)) else { panic!("no request") };
    setup.wait("the history", |v| v.wallet.as_ref().unwrap().requests.contains(&request));
    assert!(matches!(setup.ask(|id| Command::RemoveRequest(id, "x".into(), 9)), Reply::Failed(_)));
}

#[test]
fn a_list_of_100_000_rows_is_read_in_pages() {
    let setup = Setup::running();
    let view = setup.session.view();
    let list = &view.wallet.as_ref().unwrap().transactions;
    assert_eq!((list.total, list.pages.len()), (100_000, 1));
    setup.session.send(Command::NeedRows(50_000, 50_040));
    let view =
        setup.wait("rows in the middle", |v| v.wallet.as_ref().unwrap().transactions.row(50_000).is_some());
    assert_eq!(view.wallet.as_ref().unwrap().transactions.row(50_001).unwrap().time, 50_001);
    // Typing quickly asks for every letter, but only the last answer counts.
    for n in 0..50 {
        let filter = TxFilter { text: format!("row {n}"), ..TxFilter::default() };
        setup.session.send(Command::ShowTransactions(filter, TxSort::default()));
    }
    let view = setup.wait("the last filter", |v| {
        let list = &v.wallet.as_ref().unwrap().transactions;
        list.filter.text == "row 49" && !list.loading
    });
    assert_eq!(view.wallet.as_ref().unwrap().transactions.matching, 1);
    setup.launcher.node().add_transaction();
    setup.wait("the new transaction", |v| v.wallet.as_ref().unwrap().transactions.total == 100_001);
    let path = setup.dir.path().join("list.csv");
    let export = CsvExport {
        path: path.clone(),
        filter: TxFilter { text: "row 5".into(), ..TxFilter::default() },
        sort: TxSort::default(),
        unit: crate::amount::Unit::Grs,
        overwrite: false,
    };
    assert!(matches!(setup.ask(|id| Command::ExportCsv(id, export)), Reply::Exported(1)));
    assert_eq!(std::fs::read_to_string(path).unwrap().lines().count(), 2);
}

#[test]
fn a_payment_is_made_or_refused() {
    let setup = Setup::running();
    let order = setup.preview();
    let txid = order.tx.txid();
    assert!(
        matches!(setup.ask(|id| Command::Send(id, order.clone())), Reply::Sent(sent) if sent.txid == txid)
    );
    assert_eq!(setup.launcher.node().sent(), 1);
    let other = SendCommand { wallet: "v".into(), ..order.clone() };
    assert!(matches!(setup.ask(|id| Command::Send(id, other)), Reply::Failed(_)));
    setup.launcher.node().fault(Fault::Refuse(SendProblem::WrongPassphrase));
    let reply = setup.ask(|id| Command::Send(id, order));
    assert!(matches!(reply, Reply::Problem(SendProblem::WrongPassphrase)));
    assert!(setup.session.view().pending_sends.is_empty());
    assert_eq!(setup.launcher.node().sent(), 1);
}

#[test]
fn a_payment_interrupted_after_it_was_made_is_found() {
    let setup = Setup::running();
    let order = setup.preview();
    setup.launcher.node().fault(Fault::DieAfter);
    let Reply::Unknown(token) = setup.ask(|id| Command::Send(id, order)) else { panic!("not unknown") };
    let pending = &setup.session.view().pending_sends[0];
    assert!(pending.token == token && matches!(pending.state, PendingState::Unknown(_)));
    // It is on disk, for a window that dies too.
    let file = std::fs::read_to_string(setup.dir.path().join("gui-payments.json")).unwrap();
    assert!(file.contains("\"wallet\": \"w\""), "{file}");
    setup.launcher.node().restore_wallets();
    setup.wait("the outcome", |v| matches!(v.pending_sends[0].state, PendingState::Sent(_)));
    assert_eq!(setup.launcher.node().sent(), 1);
    assert!(!setup.dir.path().join("gui-payments.json").exists());
    setup.session.send(Command::ForgetSend(token));
    setup.wait("nothing left", |v| v.pending_sends.is_empty());
}

#[test]
fn a_payment_interrupted_before_it_was_made_is_not_made_later() {
    let setup = Setup::running();
    let order = setup.preview();
    setup.launcher.node().fault(Fault::DieBefore);
    assert!(matches!(setup.ask(|id| Command::Send(id, order)), Reply::Unknown(_)));
    // The window is closed meanwhile and opened again.
    setup.session.send(Command::Quit);
    setup.wait("the end", |v| v.link == Link::Closed);
    setup.launcher.node().restore_wallets();
    let session = Setup::session(&setup.launcher, IpcConnect::Auto, setup.dir.path());
    let setup = Setup { session, ..setup };
    assert_eq!(setup.session.view().pending_sends.len(), 1);
    setup.wait("the outcome", |v| v.pending_sends[0].state == PendingState::NotSent);
    assert_eq!(setup.launcher.node().sent(), 0);
}

#[test]
fn nothing_is_sent_that_could_not_be_noted_first() {
    let setup = Setup::running();
    let order = setup.preview();
    std::fs::create_dir(setup.dir.path().join("gui-payments.json.tmp")).unwrap();
    assert!(matches!(setup.ask(|id| Command::Send(id, order)), Reply::Failed(_)));
    assert_eq!(setup.launcher.node().sent(), 0);
}

#[test]
fn the_console_answers_and_keeps_secrets() {
    let setup = Setup::running();
    let run = |line: &str| {
        let before = setup.session.view().console.len();
        setup.session.send(Command::Console(line.into(), Some("w".into())));
        setup.wait("the answer", |v| v.console.len() >= before + 2 && !v.console_busy).console[before..]
            .to_vec()
    };
    let lines = run("echo(getblockcount(), 7)");
    assert_eq!((lines[0].kind, lines[0].text.as_str()), (LineKind::Request, "echo(getblockcount(), 7)"));
    assert_eq!(lines[1].text, "w [\"77\",\"7\"]");
    let lines = run("walletpassphrase horse 60");
    assert_eq!(lines[0].text, "walletpassphrase(…)");
    assert!(lines[1].kind == LineKind::Error && lines[1].text.ends_with("(code -32601)"), "{lines:?}");
    assert_eq!(run("help-console")[1].kind, LineKind::Note);
    setup.session.send(Command::ClearConsole);
    setup.wait("an empty console", |v| v.console.is_empty());
}

#[test]
fn a_node_that_stands_still_blocks_nothing() {
    let setup = Setup::running();
    setup.launcher.node().hold(true);
    let id = setup.session.new_action();
    setup.session.send(Command::DisconnectPeer(id, 1));
    setup.session.send(Command::Console("getblockcount".into(), None));
    setup.wait("the line of the console", |v| v.console_busy && v.console.len() == 1);
    setup.session.send(Command::ClearConsole);
    setup.wait("an empty console", |v| v.console.is_empty());
    assert!(setup.session.view().reply(id).is_none());
    // The first wish to leave waits for the node, the second does not.
    setup.session.send(Command::Quit);
    setup.wait("leaving", |v| v.link == Link::Stopping);
    setup.session.send(Command::Quit);
    setup.wait("the end", |v| v.link == Link::Closed);
    setup.launcher.node().hold(false);
}

#[test]
fn the_node_s_own_stop_ends_the_window_too() {
    let setup = Setup::running();
    setup.launcher.lose("The node has stopped.", true);
    setup.wait("the end", |v| v.link == Link::Closed);
}

#[test]
fn what_nobody_sees_asks_for_no_frame() {
    let launcher = FakeLauncher::new();
    let dir = tempfile::tempdir().unwrap();
    let frames = Arc::new(AtomicU32::new(0));
    let counted = frames.clone();
    let config = SessionConfig {
        connect: IpcConnect::Auto,
        launcher: launcher.clone(),
        data_dir: Some(dir.path().to_owned()),
        wallet: Some("w".into()),
        repaint: Arc::new(move || {
            counted.fetch_add(1, Ordering::SeqCst);
        }),
    };
    let session = Session::start(config).unwrap();
    let setup = Setup { launcher, session, dir };
    setup.wait("a wallet", |v| v.wallet.as_ref().is_some_and(|w| w.transactions.total > 0));
    let node = setup.launcher.node();
    // Until everything has arrived frames are asked for.
    let mut seen = u32::MAX;
    while std::mem::replace(&mut seen, frames.load(Ordering::SeqCst)) != frames.load(Ordering::SeqCst) {
        std::thread::sleep(Duration::from_millis(100));
    }
    node.change(|s| (s.time_ms, s.traffic.received) = (5000, 7000));
    setup.wait("the traffic", |v| v.node.as_ref().is_some_and(|n| n.traffic.received == 7000));
    assert_eq!(frames.load(Ordering::SeqCst), seen);
    node.change(|s| s.sync.blocks = 78);
    setup.wait("the block", |v| v.node.as_ref().is_some_and(|n| n.sync.blocks == 78));
    let end = Instant::now() + Duration::from_secs(20);
    while frames.load(Ordering::SeqCst) == seen {
        assert!(Instant::now() < end, "no frame was asked for");
        std::thread::sleep(Duration::from_millis(5));
    }
}
