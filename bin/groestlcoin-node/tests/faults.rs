//! Faults at random points while calls are under way: processes are killed, stopped and continued, restarted, and cut off
//! in the middle of a message.
//!
//! A node with its own wallet process (wallet `own`), one that attaches directly (`a`), and one that attaches through a relay
//! which can cut the connection after any byte (`b`). After each fault everything has to come back by itself. What is
//! demanded of calls: those that have nothing to do with the lost process succeed within 5 seconds, all others end, with
//! an error that names the cause if they fail. At the end nobody holds more descriptors, threads and objects
//! than at the beginning.
//!
//! `cargo test -p groestlcoin-node --test faults -- --ignored` runs hundreds of faults; `FAULT_SEED` chooses others.

#![allow(clippy::unwrap_used)]

mod common;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use common::{Attached, CallError, Node, signal, tail, until};
use serde_json::{Value, json};

/// No call that has nothing to do with a fault takes longer.
const LIMIT: Duration = Duration::from_secs(5);
/// All others end in this time: the longest stop, and what it takes to notice.
const CONCERNED_LIMIT: Duration = Duration::from_secs(15);
const WALLETS: [&str; 3] = ["own", "a", "b"];

/// SplitMix64: the same faults for the same seed.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }

    fn millis(&mut self, limit: u64) -> Duration {
        Duration::from_millis(self.below(limit))
    }
}

/// Passes bytes between a wallet process and the node, and cuts the connection after so many.
struct Relay {
    path: PathBuf,
    /// Bytes until the cut; negative: no cut.
    left: Arc<AtomicI64>,
}

impl Relay {
    fn start(node: &Path, path: PathBuf) -> Relay {
        let left = Arc::new(AtomicI64::new(-1));
        let listener = UnixListener::bind(&path).unwrap();
        let (cut, node) = (left.clone(), node.to_owned());
        std::thread::spawn(move || {
            for wallet in listener.incoming() {
                let (Ok(wallet), Ok(node)) = (wallet, UnixStream::connect(&node)) else { continue };
                for (from, to) in [(&wallet, &node), (&node, &wallet)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let cut = cut.clone();
                    std::thread::spawn(move || pump(from, to, &cut));
                }
            }
        });
        Relay { path, left }
    }

    fn cut_after(&self, bytes: i64) {
        self.left.store(bytes, Ordering::SeqCst);
    }
}

fn pump(mut from: UnixStream, mut to: UnixStream, left: &AtomicI64) {
    let mut buffer = [0; 4096];
    while let Ok(n) = from.read(&mut buffer) {
        let mut passed = n;
        if left.load(Ordering::SeqCst) >= 0 {
            let before = left.fetch_sub(n as i64, Ordering::SeqCst);
            if (0..n as i64).contains(&before) {
                passed = before as usize;
                left.store(-1, Ordering::SeqCst);
            }
        }
        if n == 0 || to.write_all(&buffer[..passed]).is_err() || passed < n {
            break;
        }
    }
    let _ = from.shutdown(Shutdown::Both);
    let _ = to.shutdown(Shutdown::Both);
}

/// Whom a fault or a call is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Node,
    Wallet(usize),
}

#[derive(Debug, Clone)]
struct Fault {
    what: String,
    of: Of,
    /// Calls for a wallet may find no trace of it: the node is new, or its process has left in order.
    traceless: bool,
    from: Instant,
    to: Option<Instant>,
}

struct Call {
    of: Of,
    method: &'static str,
    begin: Instant,
    end: Instant,
    error: Option<CallError>,
}

impl Call {
    /// Is the fault a reason for what happened to the call?
    fn concerns(&self, fault: &Fault) -> bool {
        let meets = self.end >= fault.from && fault.to.is_none_or(|to| self.begin <= to);
        meets && (fault.of == Of::Node || fault.of == self.of)
    }
}

/// Words of which an error of a call that a fault concerns has at least one.
const CAUSES: &[&str] = &[
    "has closed the connection",
    "exited with status",
    "has not answered anything",
    "is not running",
    "is gone",
    "no connection to the node",
    "no answer",
    "The node at",
    "The node is shutting down",
    "could not load its wallets again",
];
/// A node that starts says so by number, and what it does.
const IN_WARMUP: i64 = -28;
/// Besides, where there is no trace of the process.
const TRACELESS: &[&str] = &["Requested wallet does not exist or is not loaded", "Method not found"];

fn judge(call: &Call, faults: &[Fault], errors: &mut Vec<String>) {
    let reasons: Vec<&Fault> = faults.iter().filter(|f| call.concerns(f)).collect();
    let took = call.end - call.begin;
    let limit = if reasons.is_empty() { LIMIT } else { CONCERNED_LIMIT };
    let during: Vec<&str> = reasons.iter().map(|f| f.what.as_str()).collect();
    let beside = faults.iter().filter(|f| call.end >= f.from && f.to.is_none_or(|to| call.begin <= to));
    let beside: Vec<&str> = beside.map(|f| f.what.as_str()).collect();
    let about = format!("{} of {:?} during {during:?} of {beside:?}", call.method, call.of);
    if took > limit {
        errors.push(format!("{about} took {took:?}"));
    }
    let Some((code, text)) = &call.error else { return };
    if reasons.is_empty() {
        // A payment may find no coins at the moment, which is no fault.
        if !(call.method == "sendtoaddress" && [-6, -4].contains(code)) {
            errors.push(format!("{about} failed without reason: {code} {text}"));
        }
        return;
    }
    let traceless = reasons.iter().any(|f| f.traceless);
    let named = CAUSES.iter().any(|c| text.contains(c))
        || (traceless && TRACELESS.iter().any(|c| text.contains(c)))
        || [-6, -4, IN_WARMUP].contains(code);
    if !named {
        errors.push(format!("{about} failed without naming a cause: {code} {text}"));
    }
}

/// Calls all the time.
struct Traffic {
    stop: Arc<AtomicBool>,
    calls: Arc<Mutex<Vec<Call>>>,
    threads: Vec<JoinHandle<()>>,
}

impl Traffic {
    fn start(node: &Node, address: &str) -> Traffic {
        let mut traffic =
            Traffic { stop: Arc::new(AtomicBool::new(false)), calls: Arc::default(), threads: Vec::new() };
        let port = node.port;
        for (n, wallet) in WALLETS.into_iter().enumerate() {
            for method in ["getbalance", "getnewaddress", "sendtoaddress"] {
                let params = match method {
                    "sendtoaddress" => json!([address, 0.001]),
                    _ => json!([]),
                };
                traffic.thread(port, Of::Wallet(n), format!("/wallet/{wallet}"), method, params, 20);
            }
        }
        traffic.thread(port, Of::Node, "/".into(), "getblockcount", json!([]), 5);
        traffic.thread(port, Of::Node, "/".into(), "getbestblockhash", json!([]), 5);
        traffic.thread(port, Of::Node, "/".into(), "generatetoaddress", json!([1, address]), 400);
        traffic
    }

    fn thread(&mut self, port: u16, of: Of, uri: String, method: &'static str, params: Value, pause: u64) {
        let (stop, calls) = (self.stop.clone(), self.calls.clone());
        self.threads.push(std::thread::spawn(move || {
            while !stop.load(Ordering::SeqCst) {
                let begin = Instant::now();
                let error = common::call(port, &uri, method, params.clone()).err();
                calls.lock().unwrap().push(Call { of, method, begin, end: Instant::now(), error });
                std::thread::sleep(Duration::from_millis(pause));
            }
        }));
    }

    fn stop(self) -> Vec<Call> {
        self.stop.store(true, Ordering::SeqCst);
        self.threads.into_iter().for_each(|thread| thread.join().unwrap());
        std::mem::take(&mut *self.calls.lock().unwrap())
    }
}

/// Descriptors that are no files, and threads. The database opens and closes files as it likes.
fn holds(pid: u32) -> (usize, usize) {
    let of = std::fs::read_dir(format!("/proc/{pid}/fd")).unwrap();
    let open = of.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok());
    let count = open.filter(|target| !target.starts_with("/")).count();
    (count, std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().count())
}

/// Connections of the node and objects that it keeps for others.
fn kept(node: &Node) -> (u64, u64) {
    let counts = &node.ok("/", "getipcinfo", json!([]))["counts"];
    assert_eq!(counts["panics"], 0);
    (counts["connections"].as_u64().unwrap(), counts["objects"].as_u64().unwrap())
}

struct World {
    node: Node,
    a: Option<Attached>,
    b: Attached,
    relay: Relay,
    faults: Vec<Fault>,
    random: Random,
}

const NODE_OPTIONS: [&str; 2] = ["-ipcbind=unix", "-keypool=20"];

impl World {
    fn new(name: &str, seed: u64) -> World {
        let mut node = Node::new(name);
        node.start(&NODE_OPTIONS);
        for wallet in WALLETS {
            // To be loaded at each start: only `own`.
            node.ok("/", "createwallet", json!([wallet, false, false, "", false, true, wallet == "own"]));
        }
        for wallet in ["a", "b"] {
            node.ok("/", "unloadwallet", json!([wallet]));
        }
        let relay = Relay::start(&node.socket(), node.dir.join("relay.sock"));
        let a = Some(World::attach_a(&node));
        let through = format!("-ipcconnect=unix:{}", relay.path.display());
        let b = Attached::start(&node, "b.log", &[&through, "-wallet=b", "-keypool=20"]);
        World { node, a, b, relay, faults: Vec::new(), random: Random(seed) }
    }

    fn attach_a(node: &Node) -> Attached {
        Attached::start(node, "a.log", &["-ipcconnect", "-wallet=a", "-keypool=20"])
    }

    fn a_pid(&self) -> u32 {
        self.a.as_ref().unwrap().pid()
    }

    fn begin(&mut self, of: Of, traceless: bool, what: impl Into<String>) {
        let (what, from) = (what.into(), Instant::now());
        println!("{what}");
        self.faults.push(Fault { what, of, traceless, from, to: None });
    }

    fn stop_and_continue(&mut self, pid: u32, longest: u64) {
        let time = self.random.millis(longest);
        signal(pid, "STOP");
        std::thread::sleep(time);
        signal(pid, "CONT");
    }

    /// One fault, and the way back.
    fn fault(&mut self) {
        match self.random.below(20) {
            0..3 => {
                self.begin(Of::Wallet(1), false, "a is killed");
                self.a.take().unwrap().kill();
                self.a = Some(World::attach_a(&self.node));
            }
            3..5 => {
                self.begin(Of::Wallet(1), true, "a is asked to end");
                self.a.take().unwrap().end();
                self.a = Some(World::attach_a(&self.node));
            }
            5..8 => {
                self.begin(Of::Wallet(1), false, "a is stopped");
                self.stop_and_continue(self.a_pid(), 6000);
            }
            8..11 => {
                let bytes = self.random.below(20_000) as i64;
                self.begin(Of::Wallet(2), false, format!("b is cut off after {bytes} bytes"));
                self.relay.cut_after(bytes);
                until("the cut", || (self.relay.left.load(Ordering::SeqCst) < 0).then_some(()));
            }
            11..13 => {
                self.begin(Of::Wallet(2), false, "b is stopped");
                self.stop_and_continue(self.b.pid(), 3000);
            }
            13..15 => {
                if let Some(pid) = self.node.own_wallet_pid() {
                    self.begin(Of::Wallet(0), false, "the node's own wallet process is killed");
                    signal(pid, "KILL");
                }
            }
            15 => {
                if let Some(pid) = self.node.own_wallet_pid() {
                    self.begin(Of::Wallet(0), false, "the node's own wallet process is stopped");
                    self.stop_and_continue(pid, 5000);
                }
            }
            16 => {
                // Nobody's calls have to do with a stranger.
                println!("a stranger sends half a message");
                let mut stranger = UnixStream::connect(self.node.socket()).unwrap();
                let _ = stranger.write_all(&[0, 0, 0, 0, 200, 0, 0, 0, 1, 2, 3]);
                std::thread::sleep(self.random.millis(200));
            }
            17 => {
                self.begin(Of::Node, false, "the node is stopped");
                self.stop_and_continue(self.node.pid(), 3000);
            }
            18 => {
                self.begin(Of::Node, true, "the node is killed");
                self.node.kill();
                std::thread::sleep(self.random.millis(500));
                self.node.start(&NODE_OPTIONS);
            }
            _ => {
                self.begin(Of::Node, true, "the node is asked to stop");
                self.node.stop();
                self.node.start(&NODE_OPTIONS);
            }
        }
        self.recover();
        std::thread::sleep(self.random.millis(300));
    }

    /// Waits until every wallet answers again.
    fn recover(&mut self) {
        for wallet in WALLETS {
            let start = Instant::now();
            while let Err(e) = self.node.call(&format!("/wallet/{wallet}"), "getbalance", json!([])) {
                assert!(
                    start.elapsed() < common::PATIENCE,
                    "{wallet} does not come back: {e:?}\nnode:\n{}\nb:\n{}",
                    tail(&self.node.log_path()),
                    tail(&self.b.log)
                );
                std::thread::sleep(Duration::from_millis(50));
            }
        }
        let now = Instant::now();
        self.faults.iter_mut().filter(|f| f.to.is_none()).for_each(|f| f.to = Some(now));
    }
}

fn run(name: &str, seed: u64, faults: usize) {
    let mut world = World::new(name, seed);
    let address = world.node.text("/wallet/own", "getnewaddress", json!([]));
    for wallet in WALLETS {
        let mine = world.node.text(&format!("/wallet/{wallet}"), "getnewaddress", json!([]));
        world.node.mine(3, &mine);
    }
    world.node.mine(125, &address);
    let first_node = holds(world.node.pid());
    let first_b = holds(world.b.pid());
    let first_kept = kept(&world.node);

    let traffic = Traffic::start(&world.node, &address);
    for _ in 0..faults {
        world.fault();
    }
    let calls = traffic.stop();
    world.recover();

    let mut errors = Vec::new();
    calls.iter().for_each(|call| judge(call, &world.faults, &mut errors));
    let failed = calls.iter().filter(|call| call.error.is_some()).count();
    println!("{faults} faults, {} calls, {failed} of them failed", calls.len());
    errors.truncate(20);
    assert!(errors.is_empty(), "{errors:#?}");

    // Every process knows the whole chain.
    let height = world.node.ok("/", "getblockcount", json!([]));
    for wallet in WALLETS {
        let info = world.node.ok(&format!("/wallet/{wallet}"), "getwalletinfo", json!([]));
        assert_eq!(info["lastprocessedblock"]["height"], height, "{wallet}");
    }
    // Threads of a pool stay for a while when they have nothing to do.
    let fits = |now: (usize, usize), then: (usize, usize)| now.0 <= then.0 && now.1 <= then.1;
    until("descriptors, threads and objects", || {
        let (node, b, objects) = (holds(world.node.pid()), holds(world.b.pid()), kept(&world.node));
        println!("node {first_node:?} {node:?} {first_kept:?} {objects:?}, b {first_b:?} {b:?}");
        std::thread::sleep(Duration::from_secs(1));
        (fits(node, first_node) && fits(b, first_b) && objects == first_kept).then_some(())
    });
    world.a.take().unwrap().end();
    world.node.stop();
}

fn seed(default: u64) -> u64 {
    std::env::var("FAULT_SEED").ok().and_then(|s| s.parse().ok()).unwrap_or(default)
}

#[test]
fn everything_comes_back_after_faults() {
    run("faults", seed(1), 20);
}

#[test]
#[ignore = "takes many minutes: cargo test -p groestlcoin-node --test faults -- --ignored"]
fn slow_everything_comes_back_after_hundreds_of_faults() {
    run("slow-faults", seed(2), 300);
}
