//! Example: reads and follows the chain of a running node.
//!
//! Start a node with `groestlcoin-node -regtest -ipcbind=unix`, then
//!
//! ```text
//! cargo run -p chain-client -- unix ~/.groestlcoin/regtest tip
//! cargo run -p chain-client -- unix ~/.groestlcoin/regtest follow [SECONDS]
//! cargo run -p chain-client -- unix ~/.groestlcoin/regtest scan FROM TO SCRIPT_HEX...
//! cargo run -p chain-client -- unix ~/.groestlcoin/regtest broadcast TRANSACTION_HEX
//! ```
//!
//! The first word is what `-ipcconnect` takes, `tls:host:port` too; the second is the network's data directory, in which
//! relative paths and keys are looked for.

use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::mpsc::{self, Sender};
use std::time::{Duration, Instant};

use grs_encoding::{decode_exact, hex_decode};
use grs_interfaces::{
    BlockInfo, CallResult, Chain, ChainNotifications, ChainstateRole, Hello, Init, MempoolRemovalReason,
    Role, ScanNeedles, ScanStatus, TxBroadcast,
};
use grs_ipc::{Ipc, IpcAddress};
use grs_primitives::{COIN, Script, Transaction, TxRef};

type Failure = Box<dyn std::error::Error>;

const USAGE: &str =
    "chain-client ADDRESS DATA_DIR tip|follow [SECONDS]|scan FROM TO SCRIPT_HEX...|broadcast TX_HEX";
/// The node refuses to broadcast what pays a larger fee.
const MAX_FEE: grs_primitives::Amount = grs_primitives::Amount(COIN / 10);

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    match run(&words) {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("{e}");
            ExitCode::FAILURE
        }
    }
}

fn run(words: &[&str]) -> Result<(), Failure> {
    let [address, data_dir, command, rest @ ..] = words else { return Err(USAGE.into()) };
    // One thread that owns the connections. It ends, and they with it, when `ipc` is dropped.
    let ipc = Ipc::start("chain-client")?;
    let init = ipc.connect(&IpcAddress::parse(address, Path::new(data_dir))?)?;
    // The first call: both sides say who they are and refuse each other if their interfaces do not fit.
    let own = Hello::new(Role::Other, env!("CARGO_PKG_VERSION"));
    let node = init.hello(&own)?;
    own.check(&node)?;
    println!("node {} on {}", node.program_version, node.network);
    let chain = init.make_chain()?;
    match (*command, rest) {
        ("tip", []) => tip(&*chain),
        ("follow", []) => follow(&*chain, None),
        ("follow", [seconds]) => follow(&*chain, Some(Duration::from_secs(seconds.parse()?))),
        ("scan", [from, to, scripts @ ..]) if !scripts.is_empty() => {
            scan(&*chain, from.parse()?, to.parse()?, scripts)
        }
        ("broadcast", [tx]) => broadcast(&*chain, tx),
        _ => Err(USAGE.into()),
    }
}

fn tip(chain: &dyn Chain) -> Result<(), Failure> {
    match chain.get_height()? {
        Some(height) => println!("tip {height} {}", chain.get_block_hash(height)?),
        None => println!("no blocks"),
    }
    println!("initial download: {}", chain.is_initial_block_download()?);
    println!("block filter index: {}", chain.has_block_filter_index()?);
    Ok(())
}

/// Takes notifications, which come one after the other from a thread of the IPC layer, and hands them to the main thread:
/// an event that is being worked on holds up the next ones.
struct Events(Sender<String>);

impl Events {
    fn tell(&self, text: String) -> CallResult<()> {
        // Nobody listens any more when the program is about to end.
        let _ = self.0.send(text);
        Ok(())
    }
}

impl ChainNotifications for Events {
    fn transaction_added_to_mempool(&self, tx: TxRef) -> CallResult<()> {
        self.tell(format!("mempool + {}", tx.txid()))
    }

    fn transaction_removed_from_mempool(&self, tx: TxRef, reason: MempoolRemovalReason) -> CallResult<()> {
        self.tell(format!("mempool - {} {reason:?}", tx.txid()))
    }

    fn block_connected(&self, _role: ChainstateRole, block: &BlockInfo) -> CallResult<()> {
        let count = block.data.as_ref().map_or(0, |block| block.txs.len());
        self.tell(format!("block + {} {} ({count} transactions)", block.height, block.hash))
    }

    fn block_disconnected(&self, block: &BlockInfo) -> CallResult<()> {
        self.tell(format!("block - {} {}", block.height, block.hash))
    }
}

fn follow(chain: &dyn Chain, time: Option<Duration>) -> Result<(), Failure> {
    let (sender, events) = mpsc::channel();
    let subscriber: Arc<dyn ChainNotifications> = Arc::new(Events(sender));
    // Subscribe first, then ask for what is there: nothing is missed, something may be seen twice.
    let subscription = chain.handle_notifications(subscriber.clone())?;
    chain.request_mempool_transactions(subscriber)?;
    tip(chain)?;
    let end = time.map(|time| Instant::now() + time);
    loop {
        // The node may go while nothing happens: ask now and then.
        let pause = end.map_or(Duration::from_secs(1), |end| {
            end.saturating_duration_since(Instant::now()).min(Duration::from_secs(1))
        });
        match events.recv_timeout(pause) {
            Ok(event) => println!("{event}"),
            Err(_) if end.is_some_and(|end| Instant::now() >= end) => break,
            Err(_) => drop(chain.get_height()?),
        }
    }
    // Dropping the handler would do the same.
    subscription.disconnect()?;
    Ok(())
}

fn scan(chain: &dyn Chain, from: u32, to: u32, scripts: &[&str]) -> Result<(), Failure> {
    let scripts = scripts.iter().map(|hex| hex_decode(hex).map(Script::from)).collect::<Result<_, _>>()?;
    let needles = ScanNeedles { scripts, outpoints: Vec::new() };
    // The node does the searching, in chunks of about a tenth of a second.
    let scan = chain.scan_blocks(needles, Some(to))?;
    let (mut next, mut previous) = (from, None);
    loop {
        let chunk = scan.next_chunk(next, previous, ScanNeedles::default())?;
        for block in &chunk.blocks {
            println!("match {} {} ({} bytes)", block.height, block.hash, block.data.0.len());
        }
        match chunk.status {
            ScanStatus::More => {}
            ScanStatus::Done => break,
            other => return Err(format!("the scan ended at height {}: {other:?}", chunk.next_height).into()),
        }
        next = chunk.next_height;
        previous = chunk.last.map(|last| last.hash);
    }
    println!("scanned {from} to {to}");
    Ok(())
}

fn broadcast(chain: &dyn Chain, hex: &str) -> Result<(), Failure> {
    let tx: Transaction = decode_exact(&hex_decode(hex)?)?;
    let txid = tx.txid();
    chain.broadcast_transaction(Arc::new(tx), MAX_FEE, TxBroadcast::MempoolAndBroadcastToAll)??;
    println!("sent {txid}");
    Ok(())
}
