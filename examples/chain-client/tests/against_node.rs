//! The examples against a real node, over its Unix socket and over TLS.
//!
//! Needs `groestlcoin-node`, `groestlcoin-cli` and `bare-client` beside this program; `cargo test --workspace` builds them.

#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// An output script that anybody can spend, and its descriptor.
const SCRIPT: &str = "51";
const DESCRIPTOR: &str = "raw(51)#8lvh9jxk";

fn program(name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_BIN_EXE_chain-client")).with_file_name(name);
    assert!(path.exists(), "{name} is not built: run `cargo test --workspace`");
    path
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn text(output: Output) -> Result<String, String> {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    if output.status.success() { Ok(text(&output.stdout)) } else { Err(text(&output.stderr)) }
}

struct Node {
    dir: tempfile::TempDir,
    rpc_port: u16,
    tls_port: u16,
    child: Child,
}

impl Node {
    fn start() -> Node {
        let (dir, rpc_port, tls_port) = (tempfile::tempdir().unwrap(), free_port(), free_port());
        let node = || {
            let mut command = Command::new(program("groestlcoin-node"));
            command.arg("-regtest").arg(format!("-datadir={}", dir.path().display()));
            command
        };
        text(node().arg("-ipctlskeygen").output().unwrap()).unwrap();
        let child = node()
            .args([format!("-rpcport={rpc_port}"), format!("-ipcbind=tls:127.0.0.1:{tls_port}")])
            .args([
                "-ipcbind=unix",
                "-listen=0",
                "-connect=0",
                "-dnsseed=0",
                "-disablewallet",
                "-printtoconsole=0",
            ])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let node = Node { dir, rpc_port, tls_port, child };
        node.cli(&["-rpcwait", "-rpcwaittimeout=60", "getblockcount"]);
        node
    }

    fn net_dir(&self) -> PathBuf {
        self.dir.path().join("regtest")
    }

    fn cli(&self, words: &[&str]) -> String {
        let output = Command::new(program("groestlcoin-cli"))
            .arg("-regtest")
            .arg(format!("-datadir={}", self.dir.path().display()))
            .arg(format!("-rpcport={}", self.rpc_port))
            .args(words)
            .output()
            .unwrap();
        text(output).unwrap()
    }

    fn client(&self, words: &[&str]) -> Command {
        let mut command = Command::new(program("chain-client"));
        command.arg("unix").arg(self.net_dir()).args(words);
        command
    }

    fn ask(&self, words: &[&str]) -> Result<String, String> {
        text(self.client(words).output().unwrap())
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_examples_work_with_a_node() {
    let node = Node::start();
    node.cli(&["generatetodescriptor", "3", DESCRIPTOR]);
    let hash = node.cli(&["getbestblockhash"]);
    assert!(node.ask(&["tip"]).unwrap().contains(&format!("tip 3 {hash}")));
    let bare = Command::new(program("bare-client")).arg(node.net_dir().join("node.sock")).output();
    assert_eq!(text(bare.unwrap()).unwrap(), format!("tip 3 {hash}"));

    let found = node.ask(&["scan", "0", "3", SCRIPT]).unwrap();
    assert_eq!(found.matches("match ").count(), 3, "{found}");
    assert!(found.contains(&format!("match 3 {hash}")) && found.ends_with("scanned 0 to 3"), "{found}");
    assert!(!node.ask(&["scan", "0", "3", "52"]).unwrap().contains("match"));
    assert!(node.ask(&["broadcast", "00"]).is_err());

    let mut follower =
        node.client(&["follow", "600"]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(follower.stdout.take().unwrap()).lines().map_while(Result::ok);
    // It tells the tip after it has subscribed.
    assert!(lines.any(|line| line.starts_with("tip 3 ")));
    node.cli(&["generatetodescriptor", "1", DESCRIPTOR]);
    let hash = node.cli(&["getbestblockhash"]);
    let expected = format!("block + 4 {hash} (1 transactions)");
    assert!(lines.any(|line| line == expected));
    // The node's end ends the follower, with a reason.
    node.cli(&["stop"]);
    assert!(!follower.wait().unwrap().success());
}

#[test]
fn the_example_works_over_tls() {
    let node = Node::start();
    let own = tempfile::tempdir().unwrap();
    let keys = own.path().join("ipc");
    let made = Command::new(program("groestlcoin-node"))
        .arg(format!("-datadir={}", own.path().display()))
        .arg(format!("-ipctlskeygen={}", keys.display()))
        .output();
    assert!(text(made.unwrap()).unwrap().contains("Public key (SHA-256): "));
    let theirs = node.net_dir().join("ipc");
    std::fs::copy(theirs.join("identity.crt"), keys.join("trusted/node.crt")).unwrap();
    let ask = || {
        let address = format!("tls:127.0.0.1:{}", node.tls_port);
        text(
            Command::new(program("chain-client"))
                .args([&address])
                .arg(own.path())
                .arg("tip")
                .output()
                .unwrap(),
        )
    };
    let refused = ask().unwrap_err();
    assert!(refused.contains("does not trust this one's certificate"), "{refused}");
    std::fs::copy(keys.join("identity.crt"), theirs.join("trusted/laptop.crt")).unwrap();
    assert!(ask().unwrap().contains("tip 0 "));
}
