//! The real window on a display without a screen, with a real node and a real wallet process: what a user does in their
//! first hour, and what they are told when a process dies. Everything is read from the accessibility tree.
//!
//! Needs Xvfb, a message bus and AT-SPI; says "skipped" where they are missing, unless `GRS_REQUIRE_DISPLAY` is set.
//! Pictures go into the folder that `GRS_PICTURES` names.

#![allow(clippy::unwrap_used)]

mod accessibility;
mod display;

use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use accessibility::{Accessibility, FIELDS, Node, role};
use display::Display;
use grs_gui_core::texts::Text;

struct TempDir(PathBuf);

impl TempDir {
    fn new(name: &str) -> TempDir {
        let dir = std::env::temp_dir().join(format!("grs-desktop-{name}-{}", std::process::id()));
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

/// Kills the program, which takes its node and wallet along, if the test ends early.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        for pid in descendants(self.0.id()) {
            signal("KILL", pid.0);
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Process ids and names of the processes below one.
fn descendants(pid: u32) -> Vec<(u32, String)> {
    let mut found = Vec::new();
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return found };
    for task in tasks.flatten() {
        let children = std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace().filter_map(|word| word.parse::<u32>().ok()) {
            let program = std::fs::read_link(format!("/proc/{child}/exe")).unwrap_or_default();
            let name = program.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            found.push((child, name));
            found.extend(descendants(child));
        }
    }
    found
}

fn signal(name: &str, pid: u32) {
    let _ = Command::new("kill").args([format!("-{name}"), pid.to_string()]).status();
}

fn sibling(name: &str) -> PathBuf {
    Path::new(env!("CARGO_BIN_EXE_groestlcoin-gui")).with_file_name(name)
}

/// The window, what it says, and the keys.
struct Desk<'a> {
    display: &'a Display,
    tree: &'a Accessibility,
    program: Program,
    data_dir: &'a Path,
}

impl Desk<'_> {
    /// The process of that name that the window, or its node, has started.
    fn process(&self, name: &str) -> u32 {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let all = descendants(self.program.0.id());
            if let Some((pid, _)) = all.iter().find(|(_, program)| program == name) {
                return *pid;
            }
            assert!(Instant::now() < end, "{name} does not run; there are {all:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn cli(&self, arguments: &[&str]) -> String {
        let output = Command::new(sibling("groestlcoin-cli"))
            .args(["-regtest", &format!("-datadir={}", self.data_dir.display())])
            .args(arguments)
            .output()
            .unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn tab(&self, page: Text) {
        self.tree.press(&self.tree.wait(page.s(), |node| node.name == page.s() && node.role == role::TAB));
    }

    fn fill(&self, name: &str, text: &str) {
        self.tree.focus(&self.tree.control(&FIELDS, name));
        self.display.control('a');
        self.display.text(text);
        self.tree.wait(&format!("{text} in {name}"), |node| node.name == name && node.text == text);
    }

    fn text(&self, what: &str) -> Node {
        self.tree.wait(what, |node| node.name.contains(what) || node.text.contains(what))
    }

    fn gone(&self, what: &str) {
        self.tree.wait_all(&format!("{what} is gone"), |tree| {
            (!tree.is_empty() && tree.iter().all(|node| !node.name.contains(what))).then_some(())
        });
    }

    /// Ends the window with its keys, and gives its exit status.
    fn quit(mut self) -> ExitStatus {
        self.display.control('q');
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(status) = self.program.0.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < end, "the window does not close");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

/// The part of a text before its first placeholder.
fn beginning(text: Text) -> &'static str {
    text.s().split('{').next().unwrap().trim_end()
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// A display and its accessibility, or why there is none. Where `GRS_REQUIRE_DISPLAY` is set there must be one.
fn display() -> Option<(Display, Accessibility)> {
    if let Some(problem) = display::missing() {
        assert!(std::env::var_os("GRS_REQUIRE_DISPLAY").is_none(), "a display is required, but {problem}");
        println!("skipped: {problem}");
        return None;
    }
    let display = Display::start(1100, 800, std::env::var_os("GRS_PICTURES").map(PathBuf::from));
    let tree = Accessibility::join(&display.bus).unwrap();
    Some((display, tree))
}

fn window(display: &Display, home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_groestlcoin-gui"));
    display.use_for(&mut command);
    command
        .args(["-regtest", "-server=1", "-listen=0", "-connect=0", "-dnsseed=0", "-fallbackfee=0.0002"])
        .env("HOME", home)
        .env_remove("XDG_CONFIG_HOME")
        .stdout(Stdio::null());
    command
}

#[test]
fn first_hour_with_a_window() {
    let Some((display, tree)) = display() else { return };
    let dir = TempDir::new("hour");
    let mut command = window(&display, &dir.0);
    command.arg(format!("-datadir={}", dir.0.display()));
    let port = free_port();
    std::fs::write(dir.0.join("groestlcoin.conf"), format!("[regtest]\nrpcport={port}\n")).unwrap();
    let program = Program(command.spawn().unwrap());
    let desk = Desk { display: &display, tree: &tree, program, data_dir: &dir.0 };
    display.focus_window();
    journey(&desk);
    let pids: Vec<u32> = descendants(desk.program.0.id()).iter().map(|(pid, _)| *pid).collect();
    assert!(desk.quit().success());
    for pid in pids {
        assert!(!Path::new(&format!("/proc/{pid}/exe")).exists(), "process {pid} outlives the window");
    }
}

#[test]
fn the_first_run_asks_where_and_then_opens_the_window() {
    let Some((display, tree)) = display() else { return };
    let dir = TempDir::new("first");
    let program = Program(window(&display, &dir.0).arg("-choosedatadir").spawn().unwrap());
    let desk = Desk { display: &display, tree: &tree, program, data_dir: &dir.0 };
    display.focus_window();
    desk.text(Text::FirstRunNew.s());
    display.picture("first-run");
    tree.press_button(Text::FirstRunAccept.s());
    tree.control(&[role::BUTTON], Text::NoneLoadedButton.s());
    assert!(dir.0.join(".groestlcoin/regtest/debug.log").exists());
    display.focus_window();
    assert!(desk.quit().success());
}

#[test]
fn a_node_that_must_be_there_and_is_not_is_an_error_in_words() {
    let Some((display, tree)) = display() else { return };
    let dir = TempDir::new("none");
    let datadir = format!("-datadir={}", dir.0.display());
    let program = Program(window(&display, &dir.0).args([&datadir, "-ipcconnect"]).spawn().unwrap());
    let desk = Desk { display: &display, tree: &tree, program, data_dir: &dir.0 };
    display.focus_window();
    desk.text("there is no such socket");
    display.picture("no-node");
    assert!(!desk.quit().success());
}

fn journey(desk: &Desk<'_>) {
    create_wallet(desk);
    let address = receive(desk);
    desk.cli(&["generatetoaddress", "121", &address]);
    desk.tab(Text::PageOverview);
    desk.text("512");
    desk.display.picture("overview");
    assert_eq!(desk.process("groestlcoin-node"), desk.process("groestlcoin-node"));
    desk.process("groestlcoin-wallet");
    send(desk, &address);
    standing_still(desk);
    wallet_dies(desk);
    node_dies(desk);
}

fn create_wallet(desk: &Desk<'_>) {
    desk.tree.press_button(Text::NoneLoadedButton.s());
    desk.fill(Text::WalletName.s(), "first");
    desk.display.picture("create-wallet");
    desk.tree.press_button(Text::WalletCreate.s());
    desk.tree.wait("the overview of the new wallet", |node| node.name == Text::OverviewNone.s());
}

/// Gives the address of a new request.
fn receive(desk: &Desk<'_>) -> String {
    desk.tab(Text::PageReceive);
    desk.fill(Text::ReceiveLabel.s(), "wages");
    desk.tree.press_button(Text::ReceiveCreate.s());
    desk.tree.wait("the code", |node| node.name == Text::ReceiveQr.s());
    let address = desk.tree.wait("an address", |node| node.name.starts_with("grsrt1")).name;
    desk.display.picture("receive");
    address
}

fn send(desk: &Desk<'_>, address: &str) {
    desk.tab(Text::PageSend);
    // Nothing is sent to what is no address: the text stands beside the field.
    desk.fill(Text::SendAddress.s(), "nonsense");
    desk.fill(Text::SendAmount.s(), "1.5");
    desk.tree.press_button(Text::SendReview.s());
    desk.text(beginning(Text::AddressInvalid));
    desk.fill(Text::SendAddress.s(), address);
    desk.display.picture("send");
    desk.tree.press_button(Text::SendReview.s());
    desk.text(Text::ReviewTitle.s());
    desk.display.picture("review");
    desk.tree.press(&desk.tree.wait("the button that sends", |node| {
        node.role == role::BUTTON
            && node.name.starts_with(beginning(Text::ReviewSend))
            && node.name.contains("1.5")
    }));
    desk.text(Text::ResultSent.s());
    desk.display.picture("sent");
    desk.cli(&["generatetoaddress", "1", address]);
    desk.tab(Text::PageTransactions);
    desk.text(Text::TxToSelf.s());
    desk.tree
        .wait("a confirmed payment in the list", |node| node.role == role::CELL && node.name.contains("-0."));
    desk.display.picture("transactions");
    assert!(desk.tree.roles().contains_key(&role::TABLE), "{:?}", desk.tree.roles());
}

/// The window answers while the node does not.
fn standing_still(desk: &Desk<'_>) {
    let node = desk.process("groestlcoin-node");
    signal("STOP", node);
    for page in [Text::PageOverview, Text::PageReceive, Text::PageSend, Text::PageTransactions] {
        desk.tab(page);
    }
    desk.tab(Text::PageReceive);
    desk.text("wages");
    signal("CONT", node);
}

fn wallet_dies(desk: &Desk<'_>) {
    let before = desk.process("groestlcoin-wallet");
    desk.tab(Text::PageOverview);
    signal("KILL", before);
    desk.text(beginning(Text::WalletLost));
    desk.display.picture("wallet-lost");
    desk.gone(beginning(Text::WalletLost));
    assert_ne!(desk.process("groestlcoin-wallet"), before);
    desk.gone(Text::StaleWallet.s());
    desk.text("wages");
}

fn node_dies(desk: &Desk<'_>) {
    let before = desk.process("groestlcoin-node");
    signal("KILL", before);
    desk.text(beginning(Text::NodeLost));
    desk.text(Text::StaleNode.s());
    desk.text("wages");
    desk.display.picture("node-lost");
    desk.gone(beginning(Text::NodeLost));
    assert_ne!(desk.process("groestlcoin-node"), before);
    desk.gone(Text::StaleNode.s());
    desk.text("wages");
}
