//! A session with node and wallets in one process.

#![allow(clippy::unwrap_used)]

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use grs_args::Program;
use grs_gui_core::process::Ownership;
use grs_gui_core::{Backend, Command, Link, Reply, Session, View};
use grs_gui_start::{Flavour, Start, Step, begin};
use grs_interfaces::gui::NewWallet;

fn open(dir: &Path) -> Box<Start> {
    let words = ["-regtest", "-listen=0", "-connect=0", "-dnsseed=0", &format!("-datadir={}", dir.display())];
    let flavour =
        Flavour { config_dir: dir.join("config"), ..Flavour::new(Program::Qt, grs_gui_local::launcher) };
    match begin(flavour, &words.map(str::to_owned)) {
        Step::Open(start) => start,
        other => panic!("{other:?}"),
    }
}

fn wait(session: &Session, what: &str, done: impl Fn(&View) -> bool) -> Arc<View> {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let view = session.view();
        if done(&view) {
            return view;
        }
        assert!(Instant::now() < end, "never: {what}; {:?} {:?}", view.link, view.wallet_link);
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn console(session: &Session, line: &str) -> String {
    let before = session.view().console.len();
    session.send(Command::Console(line.into(), None));
    let view = wait(session, "the console", |v| v.console.len() >= before + 2 && !v.console_busy);
    view.console.last().unwrap().text.clone()
}

#[test]
fn a_node_in_the_process_of_the_window() {
    let dir = tempfile::tempdir().unwrap();
    let start = open(dir.path());
    let session = start.session(Arc::new(|| {})).unwrap();
    let view = wait(&session, "the wallets", View::wallet_fresh);
    assert_eq!(view.ownership, Ownership::InProcess);
    let id = session.new_action();
    session.send(Command::CreateWallet(id, NewWallet { name: "w".into(), ..NewWallet::default() }));
    let view = wait(&session, "a reply", |v| v.reply(id).is_some());
    assert!(matches!(view.reply(id), Some(Reply::Wallet { .. })), "{:?}", view.reply(id));
    wait(&session, "the wallet", |v| v.wallet_name() == Some("w"));
    let address = console(&session, "getnewaddress");
    let blocks = console(&session, &format!("generatetoaddress(121, {address})"));
    assert!(blocks.starts_with('['), "{blocks}");
    let view = wait(&session, "the balance", |v| {
        v.wallet.as_ref().is_some_and(|w| w.snapshot.last_block_height == 121)
            && v.node.as_ref().is_some_and(|n| n.sync.blocks == 121)
    });
    assert!(view.wallet.as_ref().unwrap().snapshot.balances.available > 0);

    // `stop` ends the window too.
    console(&session, "stop");
    let view = wait(&session, "the end", |v| v.link == Link::Closed);
    assert_eq!(view.failure, None);
    drop(session);

    // The same process can run another one, which finds everything again.
    let session = open(dir.path()).session(Arc::new(|| {})).unwrap();
    let view = wait(&session, "the wallet", |v| v.wallet_fresh() && v.wallet_name() == Some("w"));
    assert_eq!(view.node.as_ref().unwrap().sync.blocks, 121);
    session.send(Command::Quit);
    wait(&session, "the end", |v| v.link == Link::Closed);

    // What the node says about a start that fails is what the user reads.
    std::fs::write(dir.path().join("regtest/blocks/xor.dat"), "short").unwrap();
    let session = open(dir.path()).session(Arc::new(|| {})).unwrap();
    let view = wait(&session, "the failure", |v| matches!(v.link, Link::Failed(_)));
    assert!(view.failure.as_ref().unwrap().contains("end of file"), "{:?}", view.failure);
    session.send(Command::Quit);
    let view = wait(&session, "the end", |v| v.link == Link::Closed);
    assert!(view.failure.is_some());
}
