//! A window's session with real processes: it starts a node or joins one, and outlives both node and wallet.

#![allow(clippy::unwrap_used)]

#[path = "../common/mod.rs"]
mod common;
mod faults;
mod helper;

use common::Node;
use grs_gui_core::process::{IpcConnect, Ownership};
use grs_gui_core::view::{PendingState, SendCommand};
use grs_gui_core::{Backend, Command, Link, Reply, View, WalletLink};
use grs_interfaces::SecureString;
use grs_interfaces::gui::{
    AddressKind, FeeChoice, NewReceiveRequest, NewWallet, SendRecipient, SendRequest, TxKind, TxStatus,
};
use helper::{COIN, TempDir, Window, available, kill, wallet_pid};

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
    // For a moment the wallet has it and the mempool does not yet.
    let view = window.wait("the payment in the list", |v| {
        list(v).row(0).is_some_and(|row| row.txid == sent.txid && row.status == TxStatus::Unconfirmed)
            && available(v) == before - fee
    });
    assert_eq!(list(&view).row(0).map(|row| row.kind), Some(TxKind::ToSelf));

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
    // It comes back as another window.
    let one = Window::open(&node.dir, IpcConnect::Auto);
    let view = one.wait("the wallet again", |v| v.wallet_fresh() && v.wallet_name() == Some("shared"));
    assert_eq!(view.ownership, Ownership::Joined);
    one.quit();
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
