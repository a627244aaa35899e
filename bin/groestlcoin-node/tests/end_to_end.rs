//! The main job with the real programs: a node and its wallet as two processes on regtest.
//!
//! Needs `groestlcoin-wallet` and `groestlcoin-cli` beside the node; `cargo test --workspace` builds them.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long a step may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

struct Node {
    dir: PathBuf,
    port: u16,
    child: Option<Child>,
}

fn program(name: &str) -> PathBuf {
    let node = Path::new(env!("CARGO_BIN_EXE_groestlcoin-node"));
    let path = node.parent().expect("a program lies in a folder").join(name);
    assert!(path.exists(), "{name} is not built: run `cargo test --workspace`");
    path
}

impl Node {
    fn new() -> Node {
        let free = TcpListener::bind("127.0.0.1:0").expect("loopback has free ports");
        let port = free.local_addr().expect("a bound socket has an address").port();
        let dir = std::env::temp_dir().join(format!("groestlcoin-end-to-end-{}-{port}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("the temporary folder is writable");
        program("groestlcoin-wallet");
        Node { dir, port, child: None }
    }

    fn start(&mut self) {
        let child = Command::new(program("groestlcoin-node"))
            .arg("-regtest")
            .arg(format!("-datadir={}", self.dir.display()))
            .arg(format!("-rpcport={}", self.port))
            .args([
                "-listen=0",
                "-connect=0",
                "-dnsseed=0",
                "-debug=ipc",
                "-printtoconsole=0",
                "-fallbackfee=0.0002",
            ])
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the node starts");
        self.child = Some(child);
        self.cli(&["-rpcwait", "-rpcwaittimeout=60", "getblockcount"]);
    }

    fn try_cli(&self, words: &[&str]) -> Result<String, String> {
        let output = Command::new(program("groestlcoin-cli"))
            .arg("-regtest")
            .arg(format!("-datadir={}", self.dir.display()))
            .arg(format!("-rpcport={}", self.port))
            .args(words)
            .output()
            .expect("the client starts");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
        if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
    }

    fn cli(&self, words: &[&str]) -> String {
        self.try_cli(words).unwrap_or_else(|e| panic!("{words:?}: {e}\n{}", self.log_tail()))
    }

    /// The line of `gettxoutsetinfo` with the hash of all coins (the size on disk may change by itself).
    fn muhash(&self) -> String {
        let info = self.cli(&["gettxoutsetinfo", "muhash"]);
        info.lines().find(|l| l.contains("muhash")).expect("the result has a hash").to_owned()
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("regtest/debug.log")).unwrap_or_default()
    }

    fn log_tail(&self) -> String {
        let log = self.log();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(30)..].join("\n")
    }

    /// Process id of the wallet process: the node's only child.
    fn wallet_pid(&self) -> Option<u32> {
        let node = self.child.as_ref()?.id();
        let tasks = std::fs::read_dir(format!("/proc/{node}/task")).ok()?;
        tasks.flatten().find_map(|task| {
            let children = std::fs::read_to_string(task.path().join("children")).ok()?;
            children.split_whitespace().next()?.parse().ok()
        })
    }

    fn until(&self, what: &str, mut done: impl FnMut() -> bool) {
        let start = Instant::now();
        while !done() {
            assert!(start.elapsed() < PATIENCE, "waited too long for {what}\n{}", self.log_tail());
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    fn stop(&mut self) {
        self.cli(&["stop"]);
        let mut child = self.child.take().expect("the node runs");
        let start = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().expect("the node is our child") {
                break status;
            }
            assert!(start.elapsed() < PATIENCE, "the node does not stop\n{}", self.log_tail());
            std::thread::sleep(Duration::from_millis(50));
        };
        assert!(status.success(), "the node ended with {status}\n{}", self.log_tail());
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if !std::thread::panicking() {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

#[test]
fn node_and_wallet_as_two_processes() {
    let mut node = Node::new();
    node.start();

    node.cli(&["createwallet", "alice"]);
    let first_wallet = node.wallet_pid().expect("the wallet is a process of its own");
    let mine = node.cli(&["getnewaddress"]);
    node.cli(&["generatetoaddress", "125", &mine]);
    assert_eq!(node.cli(&["getblockcount"]), "125");
    // The wallet counts heights 1 to 5 as mature at 125: the premine of 240640 and four times 512.
    assert_eq!(node.cli(&["getbalance"]), "242688.00000000");

    let target = node.cli(&["-named", "getnewaddress", "label=shop", "address_type=bech32m"]);
    let txid = node.cli(&["sendtoaddress", &target, "100"]);
    assert!(node.cli(&["getrawmempool"]).contains(&txid));
    node.cli(&["generatetoaddress", "1", &mine]);
    node.until("the payment's confirmation", || {
        node.cli(&["gettransaction", &txid]).contains("\"confirmations\": 1")
    });
    let balance = node.cli(&["getbalance"]);

    // Losing the wallet process does not stop the node, and calls say what happened.
    assert!(
        Command::new("kill").args(["-9", &first_wallet.to_string()]).status().expect("kill runs").success()
    );
    assert_eq!(node.cli(&["getblockcount"]), "126");
    node.until("the restarted wallet", || node.wallet_pid().is_some_and(|pid| pid != first_wallet));
    node.until("the wallet's answer", || node.try_cli(&["getbalance"]).is_ok());
    assert_eq!(node.cli(&["getbalance"]), balance);
    assert_eq!(node.cli(&["listwallets"]).matches("alice").count(), 1);
    let log = node.log();
    assert!(log.contains("Lost the wallet process"), "{}", node.log_tail());
    for line in ["IPC client send", "IPC server recv request"] {
        assert!(log.contains(line), "the log lacks '{line}'");
    }

    let tip = node.cli(&["getbestblockhash"]);
    let coins = node.muhash();
    node.stop();
    node.start();
    assert_eq!(node.cli(&["getbestblockhash"]), tip);
    assert_eq!(node.muhash(), coins);
    if node.try_cli(&["getbalance"]).is_err() {
        node.cli(&["loadwallet", "alice"]);
    }
    assert_eq!(node.cli(&["getbalance"]), balance);
    node.stop();
}

#[test]
fn killed_node_goes_on_at_a_consistent_tip() {
    let mut node = Node::new();
    node.start();
    node.cli(&["createwallet", "alice"]);
    let mine = node.cli(&["getnewaddress"]);
    node.cli(&["generatetoaddress", "20", &mine]);
    for round in 0..3 {
        let mut child = node.child.take().expect("the node runs");
        child.kill().expect("the node is our child");
        child.wait().expect("the node is our child");
        node.start();
        let height: u32 = node.cli(&["getblockcount"]).parse().expect("a height is a number");
        assert!(height <= 20 + 5 * round, "the tip is beyond what was mined");
        assert_eq!(node.cli(&["verifychain", "4", "0"]), "true");
        if node.try_cli(&["getwalletinfo"]).is_err() {
            node.cli(&["loadwallet", "alice"]);
        }
        // No key was lost: the address still belongs to the wallet.
        assert!(node.cli(&["getaddressinfo", &mine]).contains("\"ismine\": true"));
        node.cli(&["generatetoaddress", "5", &mine]);
    }
    node.stop();
}
