//! Processes that are stopped, killed in the middle of a payment, or left in a bad moment.

use std::io::{BufRead, BufReader};
use std::time::Duration;

use grs_gui_core::pages::status;
use grs_gui_core::process::{IpcConnect, Ownership};
use grs_gui_core::view::{PendingSend, PendingState};
use grs_gui_core::{Backend, Command, Link, Reply, View};
use serde_json::Value;

use super::common::{Node, signal, until};
use super::helper::{COIN, TempDir, Window, available, kill, try_wallet_pid, wallet_pid};

#[test]
fn a_node_that_stands_still_is_noticed_and_holds_nothing_up() {
    let mut node = Node::new("window-stop");
    node.start(&["-ipcbind=unix"]);
    let window = Window::open(&node.dir, IpcConnect::Auto);
    window.wait("the wallets", View::wallet_fresh);
    window.create_wallet("w");
    window.mine_to_wallet(121);
    let before = window.wait("the reward", |v| available(v) > 0);
    assert_eq!(status::stale(&before), None);

    signal(node.pid(), "STOP");
    let id = window.session.new_action();
    window.session.send(Command::AskLabel(id, "nothing".into()));
    let view = window.wait("the silence", |v| v.node_silent_since.is_some());
    // The connection is there, what is shown stays, and all of it is marked as old.
    assert_eq!(view.link, Link::Running);
    assert_eq!(available(&view), available(&before));
    assert!(!view.wallet_fresh() && status::stale(&view).is_some());
    let banners = status::banners(&view, view.node_silent_since.unwrap() + 7);
    assert!(banners.iter().any(|b| b.text.contains("has not answered for 7 seconds")), "{banners:?}");
    // Actions come to an end, with an error.
    let view = window.wait("an end of the call", |v| v.reply(id).is_some());
    assert!(matches!(view.reply(id), Some(Reply::Failed(_))), "{:?}", view.reply(id));
    assert!(window.console("getblockcount").contains("has not answered"));
    // Another window that comes now is held up by nothing either: it can be closed.
    let other = Window::open(&node.dir, IpcConnect::Join(None));
    other.session.send(Command::Quit);
    other.quit();

    signal(node.pid(), "CONT");
    let view = window.wait("the node", |v| v.wallet_fresh() && v.wallet.is_some());
    assert_eq!(status::stale(&view), None);
    assert_eq!(window.console("getblockcount"), "121");
    window.mine_to_wallet(1);

    // The wallet process alone.
    let wallet = node.own_wallet_pid().unwrap();
    signal(wallet, "STOP");
    let view = window.wait("the silence", |v| !v.wallet_fresh());
    assert!(view.node_fresh() && available(&view) > 0 && status::stale(&view).is_some());
    assert_eq!(window.console("getblockcount"), "122");
    signal(wallet, "CONT");
    let view = window.wait("the wallet", |v| v.wallet_fresh() && v.wallet.is_some());
    assert_eq!(status::stale(&view), None);

    // A window leaves a node that stands still without waiting for it.
    signal(node.pid(), "STOP");
    window.quit();
    signal(node.pid(), "CONT");
    node.stop();
}

/// What the wallet has paid: number of transactions that leave it. A loss that is just being noticed is waited out.
fn payments(window: &Window) -> usize {
    let list: Value = until("the list", || {
        serde_json::from_str(&window.wallet_console("w", "listtransactions(\"*\", 10000)")).ok()
    });
    let sent = |tx: &&Value| tx["category"] == "send";
    list.as_array().unwrap().iter().filter(sent).count()
}

/// A window with two wallets; the address is of the other one.
fn window_with_coins(dir: &TempDir) -> (Window, String) {
    let window = Window::open(&dir.0, IpcConnect::Start);
    window.wait("the wallets", View::wallet_fresh);
    window.create_wallet("other");
    let address = window.wallet_console("other", "getnewaddress");
    window.create_wallet("w");
    window.mine_to_wallet(140);
    // Otherwise a node that is killed forgets its blocks.
    assert!(window.console("gettxoutsetinfo").contains("\"height\": 140"));
    (window, address)
}

/// How a payment has ended.
#[derive(Debug, PartialEq)]
enum Outcome {
    Sent,
    NotSent,
}

/// Gives an order, runs `fault`, and waits until the window knows what has become of the payment.
fn pay_through(window: &Window, address: &str, fault: impl FnOnce()) -> Outcome {
    let order = window.order(address, COIN);
    let id = window.session.new_action();
    window.session.send(Command::Send(id, order));
    fault();
    let view = window.wait("an answer", |v| v.reply(id).is_some());
    let outcome = match view.reply(id).unwrap() {
        Reply::Sent(_) => Outcome::Sent,
        Reply::Problem(_) | Reply::Failed(_) => Outcome::NotSent,
        Reply::Unknown(token) => {
            let state =
                |v: &View| v.pending_sends.iter().find(|p| p.token == *token).map(|p| p.state.clone());
            let settled = |v: &View| matches!(state(v), Some(PendingState::Sent(_) | PendingState::NotSent));
            let view = window.wait("the outcome", settled);
            let outcome = match state(&view) {
                Some(PendingState::Sent(_)) => Outcome::Sent,
                _ => Outcome::NotSent,
            };
            window.session.send(Command::ForgetSend(*token));
            window.wait("the end of it", |v| v.pending_sends.is_empty());
            outcome
        }
        other => panic!("{other:?}"),
    };
    window.wait("the wallet", |v| v.wallet_fresh() && v.wallet_name() == Some("w"));
    outcome
}

#[test]
fn what_a_wallet_had_not_begun_when_it_died_is_not_sent() {
    let dir = TempDir::new("window-pay-none");
    let (window, address) = window_with_coins(&dir);
    let wallet = wallet_pid(window.link.child_pid().unwrap());
    // Stopped while the order is on its way, it dies before it has done anything, unless it was very quick.
    let outcome = pay_through(&window, &address, || {
        signal(wallet.try_into().unwrap(), "STOP");
        std::thread::sleep(Duration::from_millis(300));
        kill(wallet);
    });
    assert_eq!(payments(&window), usize::from(outcome == Outcome::Sent));
    let before = payments(&window);
    // The user pays again, and it is paid once.
    assert_eq!(pay_through(&window, &address, || {}), Outcome::Sent);
    assert_eq!(payments(&window), before + 1);
    window.quit();
}

#[test]
fn whenever_a_process_dies_a_payment_is_made_once_or_not_at_all() {
    let dir = TempDir::new("window-pay");
    let (window, address) = window_with_coins(&dir);
    let mut sent = 0;
    for kill_node in [false, true] {
        // Closer and closer to the moment from which on it is sent, in milliseconds after the order.
        let (mut low, mut high) = (0, 60);
        for _ in 0..3 {
            let node = window.link.child_pid().unwrap();
            let victim = if kill_node { node.try_into().unwrap() } else { wallet_pid(node) };
            let delay = (low + high) / 2;
            let outcome = pay_through(&window, &address, || {
                std::thread::sleep(Duration::from_millis(delay));
                kill(victim);
            });
            match outcome {
                Outcome::Sent => (sent, high) = (sent + 1, delay),
                Outcome::NotSent => low = delay,
            }
            until("a new process", || {
                let node = window.link.child_pid()?;
                let now = if kill_node { node.try_into().ok()? } else { try_wallet_pid(node)? };
                (now != victim && window.session.view().wallet_fresh()).then_some(())
            });
            assert_eq!(payments(&window), sent, "after {delay} ms: {outcome:?}");
        }
    }
    // With everything well it is simply sent.
    assert_eq!(pay_through(&window, &address, || {}), Outcome::Sent);
    assert_eq!(payments(&window), sent + 1);
    window.quit();
}

/// The part of [`a_window_that_is_killed_leaves_nothing_behind`] that is a process of its own.
#[test]
#[ignore = "run by another test, as the process that is killed"]
fn window_to_be_killed() {
    let Some(dir) = std::env::var_os(CHILD_DIR) else { return };
    let dir = TempDir(dir.into());
    let (window, address) = window_with_coins(&dir);
    let order = window.order(&address, COIN);
    println!("\nNODE {}", window.link.child_pid().unwrap());
    let id = window.session.new_action();
    window.session.send(Command::Send(id, order));
    std::thread::sleep(Duration::from_secs(300));
}

const CHILD_DIR: &str = "GRS_TEST_WINDOW_DIR";

#[test]
fn a_window_that_is_killed_leaves_nothing_behind() {
    let dir = TempDir::new("window-killed");
    let mut child = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "faults::window_to_be_killed", "--ignored", "--nocapture"])
        .env(CHILD_DIR, &dir.0)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let node = lines.map_while(Result::ok).find_map(|line| line.strip_prefix("NODE ")?.parse::<u32>().ok());
    // In the middle of the payment.
    std::thread::sleep(Duration::from_millis(20));
    child.kill().unwrap();
    child.wait().unwrap();
    let node = node.expect("the window came that far");
    // The node ends with its window, in good order, and lets go of its files.
    until("the end of the node", || ended(node).then_some(()));
    let window = Window::open(&dir.0, IpcConnect::Auto);
    let noted = window.session.view().pending_sends.len();
    window.wait("the wallet", |v| v.wallet_fresh() && v.loaded.contains(&"w".to_owned()));
    let settled = |v: &View| {
        let open = |p: &PendingSend| matches!(p.state, PendingState::Sending | PendingState::Unknown(_));
        !v.pending_sends.iter().any(open)
    };
    let view = window.wait("the outcome", settled);
    let sent = view.pending_sends.iter().filter(|p| matches!(p.state, PendingState::Sent(_))).count();
    // Without a note the order had not been given, or had been answered.
    assert!(noted <= 1 && payments(&window) <= 1);
    if noted == 1 {
        assert_eq!(payments(&window), sent, "{:?}", view.pending_sends);
    }
    window.quit();
}

#[test]
fn a_second_node_on_the_same_files_is_refused_with_the_reason() {
    let dir = TempDir::new("window-second");
    let first = Window::open(&dir.0, IpcConnect::Auto);
    first.wait("the wallets", View::wallet_fresh);
    let second = Window::open(&dir.0, IpcConnect::Auto);
    let view = second.wait("the failure", |v| matches!(v.link, Link::Failed(_)));
    assert!(view.failure.as_ref().unwrap().contains("lock"), "{:?}", view.failure);
    second.quit();
    assert!(first.session.view().wallet_fresh());
    first.quit();
}

/// Whether a process has ended.
fn ended(pid: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    stat.is_empty() || stat.contains(") Z ")
}

#[test]
fn a_started_node_that_stands_still_can_be_left() {
    let dir = TempDir::new("window-leave");
    let window = Window::open(&dir.0, IpcConnect::Start);
    let view = window.wait("the wallets", View::wallet_fresh);
    assert_eq!(view.ownership, Ownership::Started);
    let node = window.link.child_pid().unwrap();
    signal(node, "STOP");
    // The first order to quit waits for the node, which does not hear it; the second one does not wait.
    window.session.send(Command::Quit);
    window.wait("the stop", |v| v.link == Link::Stopping);
    window.session.send(Command::Quit);
    window.wait("the end", |v| v.link == Link::Closed);
    drop(window);
    // The node finds its window gone and stops by itself.
    signal(node, "CONT");
    until("the end of the node", || ended(node).then_some(()));
}
