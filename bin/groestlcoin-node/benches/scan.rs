//! `scan_blocks` through IPC against the same scan in process.
//!
//! `GRS_BENCH_DATADIR=DIR cargo bench -p groestlcoin-node --bench scan` with the data directory of a regtest chain of some
//! 20,000 blocks (the generator of benchmark chains and `groestlcoin-node -regtest -reindex` make one). The program runs
//! the node; its copy, as another process, is the client. Rounds alternate; medians are printed.

#![allow(clippy::unwrap_used)]

use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use grs_args::Program;
use grs_interfaces::{CallResult, Chain, Hello, Init, Role, ScanNeedles, ScanStatus, WalletLoader};
use grs_ipc::{Ipc, IpcAddress};
use grs_node::NodeContext;
use grs_node::init::{Host, run};

const ROUNDS: usize = 7;

/// Scans the whole chain for scripts, of which the chain holds none; seconds and number of blocks.
fn scan(chain: &dyn Chain) -> (f64, u32) {
    let scripts = (0..100_u32).map(|n| [&b"nobody's"[..], &n.to_le_bytes()].concat().into()).collect();
    let begin = Instant::now();
    let scan = chain.scan_blocks(ScanNeedles { scripts, outpoints: vec![] }, None).unwrap();
    let (mut next, mut previous) = (0, None);
    loop {
        let chunk = scan.next_chunk(next, previous, ScanNeedles::default()).unwrap();
        next = chunk.next_height;
        previous = chunk.last.map(|last| last.hash);
        match chunk.status {
            ScanStatus::More => {}
            ScanStatus::Done => return (begin.elapsed().as_secs_f64(), next),
            other => panic!("{other:?} at height {next}"),
        }
    }
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}

fn socket() -> IpcAddress {
    IpcAddress::parse(&format!("unix:grs-bench-scan-{}.sock", std::process::id()), &std::env::temp_dir())
        .unwrap()
}

/// Serves the chain of the node.
struct OnlyChain(Arc<dyn Chain>);

impl Init for OnlyChain {
    fn hello(&self, _peer: &Hello) -> CallResult<Hello> {
        Ok(Hello::new(Role::Node, "bench"))
    }
    fn make_chain(&self) -> CallResult<Arc<dyn Chain>> {
        Ok(self.0.clone())
    }
}

/// The client process: one scan for each line that it gets, answered with a line.
fn client(address: &str) {
    let ipc = Ipc::start("client").unwrap();
    let init = ipc.connect(&IpcAddress::parse(address, std::path::Path::new("/")).unwrap()).unwrap();
    init.hello(&Hello::new(Role::Other, "bench")).unwrap();
    let chain = init.make_chain().unwrap();
    for _ in std::io::stdin().lines() {
        println!("{}", scan(&*chain).0);
    }
}

fn measure(node: &NodeContext, chain: &Arc<dyn Chain>) {
    while chain.get_height().is_err() {
        std::thread::sleep(Duration::from_millis(100));
    }
    // The rest of the start goes by.
    std::thread::sleep(Duration::from_secs(3));
    let ipc = Ipc::start("node").unwrap();
    let bound = ipc.bind(&socket(), Arc::new(OnlyChain(chain.clone()))).unwrap();
    let mut other = Command::new(std::env::current_exe().unwrap())
        .args(["-client", bound.address()])
        .stdin(std::process::Stdio::piped())
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut ask = other.stdin.take().unwrap();
    let mut answers = std::io::BufRead::lines(std::io::BufReader::new(other.stdout.take().unwrap()));
    let (mut here, mut there) = (Vec::new(), Vec::new());
    let mut blocks = 0;
    for _ in 0..ROUNDS {
        let (time, count) = scan(&**chain);
        (here, blocks) = ([here, vec![time]].concat(), count);
        std::io::Write::write_all(&mut ask, b"\n").unwrap();
        there.push(answers.next().unwrap().unwrap().parse().unwrap());
    }
    drop(ask);
    other.wait().unwrap();
    let (here, there) = (median(here), median(there));
    println!(
        "scan of {blocks} blocks: in process {here:.3} s, through IPC {there:.3} s, ratio {:.3}",
        there / here
    );
    node.shutdown.interrupt();
}

#[derive(Default)]
struct BenchHost(OnceLock<()>);

impl Host for BenchHost {
    fn program(&self) -> Program {
        Program::Daemon
    }

    fn make_wallet_loader(
        &self,
        node: &Arc<NodeContext>,
        chain: Arc<dyn Chain>,
    ) -> CallResult<Option<Arc<dyn WalletLoader>>> {
        let node = node.clone();
        self.0.get_or_init(|| {
            std::thread::spawn(move || measure(&node, &chain));
        });
        Ok(None)
    }
}

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    if let [first, address, ..] = words.as_slice()
        && first == "-client"
    {
        client(address);
        return ExitCode::SUCCESS;
    }
    let Some(dir) = std::env::var_os("GRS_BENCH_DATADIR").map(PathBuf::from) else {
        println!("skipped: GRS_BENCH_DATADIR does not name the data directory of a regtest chain");
        return ExitCode::SUCCESS;
    };
    let options = ["-regtest", "-server=0", "-listen=0", "-connect=0", "-dnsseed=0", "-printtoconsole=0"];
    let mut options: Vec<String> = options.iter().map(|word| (*word).to_owned()).collect();
    options.push(format!("-datadir={}", dir.display()));
    run(Arc::new(BenchHost::default()), &options)
}
