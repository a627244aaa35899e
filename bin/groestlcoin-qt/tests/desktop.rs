//! The window with everything in one process, on a display without a screen. See the test of the same name of
//! `groestlcoin-gui`, whose display and keys these are.

#![allow(clippy::unwrap_used)]
#![allow(dead_code, reason = "the other test uses the rest")]

#[path = "../../groestlcoin-gui/tests/desktop/accessibility.rs"]
mod accessibility;
#[path = "../../groestlcoin-gui/tests/desktop/display.rs"]
mod display;

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use accessibility::{Accessibility, FIELDS, role};
use display::Display;
use grs_gui_core::Text;

#[test]
fn a_wallet_is_made_and_gives_addresses_in_one_process() {
    if let Some(problem) = display::missing() {
        assert!(std::env::var_os("GRS_REQUIRE_DISPLAY").is_none(), "a display is required, but {problem}");
        println!("skipped: {problem}");
        return;
    }
    let display = Display::start(1100, 800, std::env::var_os("GRS_PICTURES").map(PathBuf::from));
    let tree = Accessibility::join(&display.bus).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_groestlcoin-qt"));
    display.use_for(&mut command);
    let datadir = format!("-datadir={}", dir.path().display());
    command
        .args(["-regtest", "-listen=0", "-connect=0", "-dnsseed=0", &datadir])
        .env("HOME", dir.path())
        .stdout(Stdio::null());
    let mut program = command.spawn().unwrap();
    display.focus_window();
    tree.press_button(Text::NoneLoadedButton.s());
    tree.focus(&tree.control(&FIELDS, Text::WalletName.s()));
    display.text("only");
    tree.press_button(Text::WalletCreate.s());
    tree.wait("the overview of the new wallet", |node| node.name == Text::OverviewNone.s());
    tree.press(&tree.control(&[role::TAB], Text::PageReceive.s()));
    tree.press_button(Text::ReceiveCreate.s());
    tree.wait("an address", |node| node.name.starts_with("grsrt1"));
    let tasks = std::fs::read_dir(format!("/proc/{}/task", program.id())).unwrap();
    let children =
        tasks.flatten().map(|t| std::fs::read_to_string(t.path().join("children")).unwrap_or_default());
    assert_eq!(children.collect::<String>(), "", "it has no other processes");
    display.picture("qt");
    display.control('q');
    let end = Instant::now() + Duration::from_secs(60);
    let status = loop {
        if let Some(status) = program.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > end {
            let _ = program.kill();
            panic!("the window does not close");
        }
        std::thread::sleep(Duration::from_millis(50));
    };
    assert!(status.success());
    assert!(dir.path().join("regtest/wallets/only/wallet.dat").exists());
}
