//! Real nodes and wallet processes on regtest.
//!
//! Needs `groestlcoin-wallet` and `groestlcoin-cli` beside the node; `cargo test --workspace` builds them.

#![allow(dead_code, reason = "each test program uses a part")]
#![allow(clippy::unwrap_used)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long a step may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Error of a call: number and text. Number 0: no answer at all.
pub type CallError = (i64, String);

pub fn program(name: &str) -> PathBuf {
    let node = Path::new(env!("CARGO_BIN_EXE_groestlcoin-node"));
    let path = node.parent().unwrap().join(name);
    assert!(path.exists(), "{name} is not built: run `cargo test --workspace`");
    path
}

/// Waits until `done` gives something.
pub fn until<T>(what: &str, mut done: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(value) = done() {
            return value;
        }
        assert!(start.elapsed() < PATIENCE, "waited too long for {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

pub fn tail(path: &Path) -> String {
    let log = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

/// Waits for the end of a process.
pub fn wait(child: &mut Child, what: &str) -> ExitStatus {
    until(&format!("the end of {what}"), || child.try_wait().unwrap())
}

pub fn signal(pid: u32, name: &str) {
    let sent = Command::new("kill").args([&format!("-{name}"), &pid.to_string()]).status().unwrap();
    assert!(sent.success(), "kill -{name} {pid}");
    // The threads of a process stop one after the other; until then one of them may still answer.
    while name == "STOP" && !stands_still(pid) {
        std::thread::sleep(Duration::from_millis(1));
    }
}

/// Whether all threads of a process are stopped, or it is gone.
fn stands_still(pid: u32) -> bool {
    let Ok(tasks) = std::fs::read_dir(format!("/proc/{pid}/task")) else { return true };
    let states = tasks.flatten().filter_map(|task| std::fs::read_to_string(task.path().join("stat")).ok());
    states
        .map(|stat| stat.rsplit(')').next().unwrap_or_default().trim().to_owned())
        .all(|rest| rest.starts_with('T'))
}

pub struct Node {
    pub dir: PathBuf,
    pub port: u16,
    pub child: Option<Child>,
}

impl Node {
    pub fn new(name: &str) -> Node {
        let free = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        let dir = std::env::temp_dir().join(format!("grs-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&dir);
        std::fs::create_dir_all(&dir).unwrap();
        Node { dir, port, child: None }
    }

    pub fn datadir(&self) -> String {
        format!("-datadir={}", self.dir.display())
    }

    /// Starts it, and waits until it takes calls.
    pub fn start(&mut self, more: &[&str]) {
        let child = Command::new(program("groestlcoin-node"))
            .args(["-regtest", &self.datadir(), &format!("-rpcport={}", self.port)])
            .args(["-listen=0", "-connect=0", "-dnsseed=0", "-printtoconsole=0", "-fallbackfee=0.0002"])
            .args(["-rpcuser=u", "-rpcpassword=p"])
            .args(more)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        until("the node", || self.call("/", "getblockcount", json!([])).ok());
    }

    pub fn pid(&self) -> u32 {
        self.child.as_ref().unwrap().id()
    }

    /// A call; it takes 20 seconds at most.
    pub fn call(&self, uri: &str, method: &str, params: Value) -> Result<Value, CallError> {
        call(self.port, uri, method, params)
    }

    /// A call that has to succeed.
    pub fn ok(&self, uri: &str, method: &str, params: Value) -> Value {
        let shown = params.to_string();
        self.call(uri, method, params)
            .unwrap_or_else(|e| panic!("{method} {shown} at {uri}: {e:?}\n{}", tail(&self.log_path())))
    }

    pub fn text(&self, uri: &str, method: &str, params: Value) -> String {
        self.ok(uri, method, params).as_str().unwrap().to_owned()
    }

    /// Mines blocks that pay to an address.
    pub fn mine(&self, blocks: u32, address: &str) {
        self.ok("/", "generatetoaddress", json!([blocks, address]));
    }

    pub fn log_path(&self) -> PathBuf {
        self.dir.join("regtest/debug.log")
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    pub fn socket(&self) -> PathBuf {
        self.dir.join("regtest/node.sock")
    }

    /// Process id of the wallet process that the node has started.
    pub fn own_wallet_pid(&self) -> Option<u32> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.pid())).ok()?;
        tasks.flatten().find_map(|task| {
            let children = std::fs::read_to_string(task.path().join("children")).ok()?;
            children.split_whitespace().next()?.parse().ok()
        })
    }

    pub fn stop(&mut self) {
        self.ok("/", "stop", json!([]));
        let mut child = self.child.take().unwrap();
        let status = wait(&mut child, "the node");
        assert!(status.success(), "the node ended with {status}\n{}", tail(&self.log_path()));
    }

    pub fn kill(&mut self) {
        let mut child = self.child.take().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
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

pub fn call(port: u16, uri: &str, method: &str, params: Value) -> Result<Value, CallError> {
    let gone = |e: std::io::Error| (0, format!("no connection to the node: {e}"));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).map_err(gone)?;
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let body = json!({ "id": 1, "method": method, "params": params }).to_string();
    // "dTpw" is u:p.
    let request = format!(
        "POST {uri} HTTP/1.1\r\nHost: x\r\nAuthorization: Basic dTpw\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).map_err(gone)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).map_err(gone)?;
    let text = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let answer: Value = serde_json::from_str(text).map_err(|_| (0, format!("no answer: {answer}")))?;
    match &answer["error"] {
        Value::Null => Ok(answer["result"].clone()),
        error => Err((error["code"].as_i64().unwrap(), error["message"].as_str().unwrap().to_owned())),
    }
}

/// A wallet process that was started by itself.
pub struct Attached {
    pub child: Child,
    pub log: PathBuf,
}

impl Attached {
    fn command(node: &Node, log: &str, more: &[&str]) -> Command {
        let mut command = Command::new(program("groestlcoin-wallet"));
        command
            .args(["-regtest", &node.datadir(), "-printtoconsole=0", "-fallbackfee=0.0002"])
            .arg(format!("-debuglogfile={log}"))
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Starts one and waits until it serves. `more` has the `-ipcconnect`.
    pub fn start(node: &Node, log: &str, more: &[&str]) -> Attached {
        let mut command = Attached::command(node, log, more);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        let log = node.dir.join("regtest").join(log);
        let mut attached = Attached { child: command.spawn().unwrap(), log };
        let before = attached.count();
        until("the wallet process", || {
            let ended = attached.child.try_wait().unwrap();
            assert!(ended.is_none(), "{ended:?}: {}", tail(&attached.log));
            (attached.count() > before).then_some(())
        });
        attached
    }

    /// Starts one that is expected to end by itself. Gives its code and its standard error.
    pub fn refused(node: &Node, more: &[&str]) -> (Option<i32>, String) {
        let mut child = Attached::command(node, "refused.log", more).spawn().unwrap();
        let status = wait(&mut child, "a wallet process that is refused");
        let mut text = String::new();
        child.stderr.take().unwrap().read_to_string(&mut text).unwrap();
        (status.code(), text)
    }

    /// How often it has attached.
    pub fn count(&self) -> usize {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        log.matches("Attached to the node").count()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    pub fn log_text(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Asks it to end, which it does in order.
    pub fn end(mut self) {
        signal(self.pid(), "TERM");
        let status = wait(&mut self.child, "the wallet process");
        assert_eq!(status.code(), Some(0), "{}", tail(&self.log));
    }

    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Attached {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
