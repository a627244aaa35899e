//! Against the reference's C++ `groestlcoin-node`, both ways: it starts this program as its child for the RPC `echoipc`,
//! and this program is a client of its mining interface.
//!
//! Runs if `GRS_REFERENCE_BIN` names the folder with `groestlcoin-node` and `groestlcoin-cli`. With `GRS_OWN_BIN`, the folder
//! with this project's programs, the same is done with its node.

#![allow(clippy::unwrap_used)]

mod kit;

use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use grs_hashes::BlockHash;
use grs_interfaces::{
    BlockCheckOptions, BlockCreateOptions, BlockTemplate, BlockWaitOptions, CallError, Init, Role,
    TIMEOUT_FOREVER,
};
use grs_ipc::{InitProxy, Ipc, IpcAddress, inherited_fd_argument, take_inherited_stream};
use grs_primitives::{
    Amount, Block, HashedHeader, Header, MutableTransaction, OutPoint, Script, Transaction, TxIn, TxOut,
    Witness, block_merkle_root, merkle_root_from_path,
};
use kit::{FakeChain, FakeInit};

/// The C++ node; killed at the end.
struct Reference {
    node: Child,
    bin: PathBuf,
    dir: tempfile::TempDir,
    port: u16,
}

impl Drop for Reference {
    fn drop(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

impl Reference {
    fn start(bin: &Path) -> Reference {
        let dir = tempfile::tempdir().unwrap();
        // It looks for the child's program beside the name it was started with.
        let own = std::env::current_exe().unwrap();
        std::os::unix::fs::symlink(own, dir.path().join("groestlcoin-node")).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let node = Command::new(bin.join("groestlcoin-node"))
            .arg0(dir.path().join("groestlcoin-node"))
            .args([
                "-regtest",
                "-server",
                "-listen=0",
                "-ipcbind=unix",
                "-printtoconsole=0",
                "-disablewallet",
            ])
            .args([format!("-datadir={}", dir.path().display()), format!("-rpcport={port}")])
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let reference = Reference { node, bin: bin.to_owned(), dir, port };
        reference.cli(&["-rpcwait", "getblockcount"]);
        reference
    }

    fn cli(&self, args: &[&str]) -> String {
        let output = Command::new(self.bin.join("groestlcoin-cli"))
            .args(["-regtest".to_owned(), format!("-datadir={}", self.dir.path().display())])
            .arg(format!("-rpcport={}", self.port))
            .args(args)
            .output()
            .unwrap();
        assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }
}

/// A block from the parts that the template gives, as a miner makes it.
fn solve(template: &dyn BlockTemplate) -> (Header, Transaction) {
    let parts = template.get_coinbase_tx().unwrap();
    let mut script_sig = parts.script_sig_prefix.clone();
    script_sig.push(0x51);
    let mut input = TxIn::new(OutPoint::NULL, parts.sequence);
    input.script_sig = Script::from(script_sig);
    input.witness = Witness(parts.witness.iter().map(|element| element.to_vec()).collect());
    let mut outputs = vec![TxOut::new(parts.block_reward_remaining, Script::from(&[0x51][..]))];
    outputs.extend(parts.required_outputs);
    let coinbase = MutableTransaction {
        version: parts.version,
        inputs: vec![input],
        outputs,
        lock_time: parts.lock_time,
    };
    let coinbase = Transaction::from(coinbase);
    let path = template.get_coinbase_merkle_path().unwrap();
    let mut header = Header::from_bytes(&template.get_block_header().unwrap());
    header.merkle_root = merkle_root_from_path(coinbase.txid().to_bytes(), 0, &path);
    let target = header.bits.target().to_le_bytes();
    while header.compute_hash().as_bytes().iter().rev().gt(target.iter().rev()) {
        header.nonce += 1;
    }
    (header, coinbase)
}

fn mine(reference: &Reference, init: &dyn Init) {
    assert_eq!(init.make_echo().unwrap().echo("groß"), Ok("groß".into()));
    let mining = init.make_mining().unwrap().unwrap();
    assert_eq!(mining.is_test_chain(), Ok(true));
    let genesis: BlockHash = reference.cli(&["getblockhash", "0"]).parse().unwrap();
    let tip = mining.get_tip().unwrap().unwrap();
    assert_eq!((tip.hash, tip.height), (genesis, 0));
    assert_eq!(mining.wait_tip_changed(BlockHash::ZERO, TIMEOUT_FOREVER), Ok(Some(tip)));
    assert_eq!(mining.wait_tip_changed(genesis, Duration::from_millis(10)), Ok(Some(tip)));
    mining.interrupt().unwrap();
    assert_eq!(mining.wait_tip_changed(genesis, TIMEOUT_FOREVER), Ok(None));
    let light = BlockCreateOptions { block_reserved_weight: 1, ..BlockCreateOptions::default() };
    assert_eq!(
        mining.create_new_block(light, false).err(),
        Some(CallError::remote("block_reserved_weight (1) must be at least 2000 weight units"))
    );
    let generated = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| mining.wait_tip_changed(genesis, TIMEOUT_FOREVER));
        let generated = reference.cli(&["generatetodescriptor", "1", "raw(51)"]);
        assert_eq!(waiting.join().unwrap().unwrap().unwrap().height, 1);
        generated
    });
    assert!(generated.contains(&mining.get_tip().unwrap().unwrap().hash.to_string()));
    reference.cli(&["generatetodescriptor", "16", "raw(51)"]);

    let template = mining.create_new_block(BlockCreateOptions::default(), false).unwrap().unwrap();
    assert_eq!(template.get_tx_fees(), Ok(vec![]));
    assert_eq!(template.get_coinbase_merkle_path(), Ok(vec![]));
    let wait = BlockWaitOptions { timeout: Duration::from_millis(10), fee_threshold: Amount::MAX_MONEY };
    assert!(template.wait_next(wait).unwrap().is_none());
    template.interrupt_wait().unwrap();
    assert!(template.wait_next(BlockWaitOptions { timeout: TIMEOUT_FOREVER, ..wait }).unwrap().is_none());

    // A rise of the fees by nothing has always happened; a tip from before twenty minutes allows an easy block.
    let nothing = BlockWaitOptions { timeout: Duration::from_millis(10), fee_threshold: Amount(0) };
    let next = template.wait_next(nothing).unwrap().unwrap();
    assert_eq!(next.get_coinbase_tx(), template.get_coinbase_tx());
    let bytes = template.get_block().unwrap();
    assert_eq!(bytes.0[..80], template.get_block_header().unwrap());
    let raw = bytes.decode().unwrap();
    assert_eq!((raw.txs.len(), raw.header.merkle_root.to_bytes()), (1, [0; 32]));
    let no_work = BlockCheckOptions { check_merkle_root: false, check_pow: false };
    assert!(mining.check_block(&bytes, no_work).unwrap().valid);
    let root = mining
        .check_block(&bytes, BlockCheckOptions { check_pow: false, ..BlockCheckOptions::default() })
        .unwrap();
    assert_eq!((root.valid, root.reason.as_str()), (false, "bad-txnmrklroot"));
    let full = BlockCreateOptions {
        block_reserved_weight: u64::MAX,
        coinbase_output_max_additional_sigops: u64::MAX,
        ..BlockCreateOptions::default()
    };
    assert!(mining.create_new_block(full, false).unwrap().is_some());
    mining.interrupt().unwrap();
    assert!(mining.create_new_block(BlockCreateOptions::default(), false).unwrap().is_none());

    let (header, coinbase) = solve(&*template);
    let mut bare = coinbase.to_mutable();
    bare.inputs[0].witness = Witness::default();
    let submit = |coinbase: Transaction| {
        let version = header.version.cast_unsigned();
        template.submit_solution(version, header.time, header.nonce, Arc::new(coinbase))
    };
    assert_eq!(submit(bare.into()), Ok(false));
    let block = Block::new(HashedHeader::new(header), vec![Arc::new(coinbase.clone())]);
    assert_eq!(block_merkle_root(&block).root, header.merkle_root);
    let bytes = grs_interfaces::BlockBytes(grs_encoding::encode_to_vec(&block));
    let check = mining.check_block(&bytes, BlockCheckOptions::default()).unwrap();
    assert!(check.valid, "{check:?}");
    let (submitted, next) = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| next.wait_next(BlockWaitOptions { timeout: TIMEOUT_FOREVER, ..wait }));
        (submit(coinbase.clone()), waiting.join().unwrap())
    });
    assert_eq!(submitted, Ok(true));
    assert_eq!(next.unwrap().unwrap().get_coinbase_tx().unwrap().lock_time, 18);
    // Known by now, which is no failure.
    assert_eq!(submit(coinbase), Ok(true));
    assert_eq!(mining.get_tip().unwrap().unwrap().hash, block.hash());
    assert_eq!(reference.cli(&["getbestblockhash"]), block.hash().to_string());
    let check = mining.check_block(&bytes, BlockCheckOptions::default()).unwrap();
    assert_eq!((check.valid, check.reason.as_str()), (false, "inconclusive-not-best-prevblk"));
}

/// Lets this program mine with the node at an address.
fn connect(reference: &Reference) -> (Ipc, InitProxy) {
    let address = IpcAddress::parse("unix", &reference.dir.path().join("regtest")).unwrap();
    let ipc = Ipc::start("client").unwrap();
    let init = ipc.connect(&address).unwrap();
    (ipc, init)
}

fn main() {
    let args: Vec<_> = std::env::args_os().collect();
    if let Some(fd) = inherited_fd_argument(&args) {
        let stream = take_inherited_stream(fd.unwrap()).unwrap();
        let init = FakeInit { chain: FakeChain::new(), role: Role::Node };
        Ipc::start("groestlcoin-node").unwrap().serve_until_closed(stream, Arc::new(init)).unwrap();
        return;
    }
    let folder = |name: &str| std::env::var_os(name).map(PathBuf::from);
    if folder("GRS_REFERENCE_BIN").or(folder("GRS_OWN_BIN")).is_none() {
        println!("skipped: neither GRS_REFERENCE_BIN nor GRS_OWN_BIN is set");
    }
    if let Some(bin) = folder("GRS_REFERENCE_BIN") {
        let begin = Instant::now();
        let reference = Reference::start(&bin);
        assert_eq!(reference.cli(&["echoipc", "to a Rust child"]), "to a Rust child");
        println!("test the_reference_starts_this_program_as_its_child ... ok");
        let (_ipc, init) = connect(&reference);
        mine(&reference, &init);
        // Methods of later versions are not there, and say so.
        assert!(init.make_rpc().err().unwrap().to_string().starts_with("Method not implemented."));
        assert!(init.make_chain().is_err());
        println!("test this_program_mines_with_the_reference ... ok ({:?})", begin.elapsed());
        stop(&reference, &init);
        println!("test the_reference_disconnects_when_it_stops ... ok");
    }
    if let Some(bin) = folder("GRS_OWN_BIN") {
        let own = Reference::start(&bin);
        let (_ipc, init) = connect(&own);
        mine(&own, &init);
        let request = "{\"method\":\"getblockcount\",\"id\":7}";
        let answer = init.make_rpc().unwrap().execute_rpc(request, "/", "").unwrap();
        assert_eq!(answer, "{\"result\":18,\"error\":null,\"id\":7}");
        println!("test this_program_mines_with_its_own_node ... ok");
        stop(&own, &init);
        println!("test the_own_node_disconnects_when_it_stops ... ok");
    }
}

/// Stops a node while a client waits: that gets nothing, and then the connection ends.
fn stop(node: &Reference, init: &InitProxy) {
    let mining = init.make_mining().unwrap().unwrap();
    let tip = mining.get_tip().unwrap().unwrap();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| mining.wait_tip_changed(tip.hash, TIMEOUT_FOREVER));
        std::thread::sleep(Duration::from_millis(100));
        node.cli(&["stop"]);
        assert_eq!(waiting.join().unwrap(), Ok(None));
    });
    kit::wait_until(|| init.connection().is_closed());
}
