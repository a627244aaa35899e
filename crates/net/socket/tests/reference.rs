//! Against the reference's C++ node, in both directions, and with its files.
//!
//! Runs if `GRS_REFERENCE_BIN` names the folder with `groestlcoind` and `groestlcoin-cli`.
#![allow(clippy::unwrap_used, missing_docs)]

mod kit;

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use grs_addrman::{AddrMan, AddrManOptions};
use grs_socket::Direction;
use grs_wire::{AddressNetwork, NetAddress, Service, Services, TimedAddress};
use kit::{Node, chain, params, wait};

struct Reference {
    node: Child,
    bin: PathBuf,
    dir: tempfile::TempDir,
    rpc_port: u16,
    port: u16,
}

impl Drop for Reference {
    fn drop(&mut self) {
        let _ = self.node.kill();
        let _ = self.node.wait();
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

impl Reference {
    fn bin() -> Option<PathBuf> {
        let bin = std::env::var_os("GRS_REFERENCE_BIN").map(PathBuf::from);
        if bin.is_none() {
            println!("skipped: GRS_REFERENCE_BIN is not set");
        }
        bin
    }

    fn spawn(bin: &Path, dir: &Path, rpc_port: u16, port: u16) -> Child {
        Command::new(bin.join("groestlcoind"))
            .args([
                "-regtest",
                "-server",
                "-listen=1",
                "-printtoconsole=0",
                "-connect=0",
                "-dnsseed=0",
                "-test=addrman",
            ])
            .args(["-fixedseeds=0", "-listenonion=0", "-disablewallet", "-debug=net", "-natpmp=0"])
            .args([format!("-datadir={}", dir.display()), format!("-rpcport={rpc_port}")])
            .arg(format!("-bind=127.0.0.1:{port}"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap()
    }

    fn start(bin: &Path) -> Reference {
        let dir = tempfile::tempdir().unwrap();
        let (rpc_port, port) = (free_port(), free_port());
        let node = Reference::spawn(bin, dir.path(), rpc_port, port);
        let reference = Reference { node, bin: bin.to_owned(), dir, rpc_port, port };
        reference.cli(&["-rpcwait", "getblockcount"]);
        reference
    }

    fn cli(&self, args: &[&str]) -> String {
        let out = Command::new(self.bin.join("groestlcoin-cli"))
            .args(["-regtest", &format!("-rpcport={}", self.rpc_port)])
            .arg(format!("-datadir={}", self.dir.path().display()))
            .args(args)
            .output()
            .unwrap();
        assert!(out.status.success(), "{args:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap().trim().to_owned()
    }

    fn restart(&mut self) {
        self.cli(&["stop"]);
        self.node.wait().unwrap();
        self.node = Reference::spawn(&self.bin, self.dir.path(), self.rpc_port, self.port);
        self.cli(&["-rpcwait", "getblockcount"]);
    }

    fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn generate(&self, count: u32) {
        let info = self.cli(&["getdescriptorinfo", "raw(51)"]);
        let checksum = info.split("\"checksum\": \"").nth(1).unwrap()[..8].to_owned();
        self.cli(&["generatetodescriptor", &count.to_string(), &format!("raw(51)#{checksum}")]);
    }

    fn height(&self) -> i32 {
        self.cli(&["getblockcount"]).parse().unwrap()
    }
}

#[test]
fn blocks_in_both_directions() {
    let Some(bin) = Reference::bin() else { return };
    let reference = Reference::start(&bin);
    reference.generate(30);
    let ours = Node::new(|_| ());
    assert!(ours.net.connect_once(&reference.address(), false));
    wait("our sync", || ours.chain.view().height() == 30);
    // It announces a new block to us.
    reference.generate(1);
    wait("its new block", || ours.chain.view().height() == 31);
    let peer = &ours.net.peers()[0];
    let stats = peer.stats.clone().unwrap();
    assert_eq!(stats.user_agent, "/Groestlcoin:31.0.0/");
    assert!(stats.services.has(Services::NETWORK.with(Services::WITNESS)));
    let info = reference.cli(&["getpeerinfo"]);
    assert!(info.contains("\"subver\": \"/test:1/\"") && info.contains("\"inbound\": true"), "{info}");
    // And the other way round, where it connects to us and we have more blocks.
    let other = Reference::start(&bin);
    other.cli(&["addnode", &ours.address(), "onetry"]);
    wait("its connection", || ours.net.count(Direction::In) == 1);
    wait("its sync", || other.height() == 31);
    reference.generate(2);
    wait("passed on", || ours.chain.view().height() == 33 && other.height() == 33);
    assert_eq!(reference.cli(&["getbestblockhash"]), other.cli(&["getbestblockhash"]));
    // A longer chain of ours makes it change its mind.
    let blocks = chain(50);
    ours.add(&blocks);
    wait("reorganisation", || {
        let tip = ours.chain.view().tip_hash().to_string();
        reference.cli(&["getbestblockhash"]) == tip && other.cli(&["getbestblockhash"]) == tip
    });
}

#[test]
fn peers_dat_in_both_directions() {
    let Some(bin) = Reference::bin() else { return };
    let mut reference = Reference::start(&bin);
    for n in 0..40 {
        let tried = if n % 3 == 0 { "true" } else { "false" };
        reference.cli(&["addpeeraddress", &format!("{}.{}.3.4", 11 + n, n * 5), "1331", tried]);
    }
    reference.cli(&["addpeeraddress", "2a02:1234::1", "1331", "true"]);
    let count = |info: &str, key: &str| info.matches(key).count();
    let before = reference.cli(&["getrawaddrman"]);
    reference.cli(&["stop"]);
    reference.node.wait().unwrap();
    let path = reference.dir.path().join("regtest/peers.dat");
    let options = AddrManOptions { magic: params().magic, deterministic: true };
    let book = AddrMan::open(Some(path.clone()), options).unwrap();
    assert_eq!(book.size(None, None), count(&before, "\"address\""));
    // Every entry is where it was.
    for tried in [false, true] {
        for (info, position) in book.entries(tried) {
            let place = format!("\"{}/{}\": {{", position.bucket, position.position);
            let at = before.match_indices(&place).any(|(at, _)| {
                let host = info.address.service.address.to_string();
                before[at..]
                    .find('}')
                    .is_some_and(|end| before[at..at + end].contains(&format!("\"{host}\"")))
            });
            assert!(at, "{} at {place}", info.address.service);
        }
    }
    // Ours, with one more address, is read by the reference.
    let service = Service::new(NetAddress::parse("99.1.2.3").unwrap(), 1331);
    let time = grs_sync::clock::now_secs() as u32;
    book.add(&[TimedAddress { service, services: Services::NETWORK, time }], &service.address, 0);
    let (all, tried) = (book.size(None, None), book.size(None, Some(false)));
    assert_eq!(book.size(Some(AddressNetwork::Ipv6), None), 1);
    book.dump();
    reference.node = Reference::spawn(&bin, reference.dir.path(), reference.rpc_port, reference.port);
    reference.cli(&["-rpcwait", "getblockcount"]);
    let after = reference.cli(&["getrawaddrman"]);
    assert_eq!(count(&after, "\"address\""), all);
    assert!(after.contains("\"99.1.2.3\""));
    let tried_part = &after[after.find("\"tried\"").unwrap()..];
    assert_eq!(count(tried_part, "\"address\""), tried);
}

#[test]
fn ban_lists_in_both_directions() {
    let Some(bin) = Reference::bin() else { return };
    let mut reference = Reference::start(&bin);
    reference.cli(&["setban", "1.2.3.0/24", "add", "1000"]);
    reference.cli(&["setban", "2001:4d48::/32", "add"]);
    reference.cli(&["stop"]);
    reference.node.wait().unwrap();
    let path = reference.dir.path().join("regtest/banlist.json");
    let theirs = std::fs::read(&path).unwrap();
    let bans = grs_addrman::BanMan::open(Some(path.clone()), 5000);
    let list: Vec<String> = bans.banned().iter().map(|(subnet, _)| subnet.to_string()).collect();
    assert_eq!(list, ["1.2.3.0/24", "2001:4d48::/32"]);
    // Written by us without a change, it is the same file.
    bans.ban(grs_addrman::Subnet::parse("9.9.9.9").unwrap(), 0, false);
    bans.unban(&grs_addrman::Subnet::parse("9.9.9.9").unwrap());
    drop(bans);
    let normal = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    assert_eq!(normal(&std::fs::read(&path).unwrap()), normal(&theirs));
    reference.node = Reference::spawn(&bin, reference.dir.path(), reference.rpc_port, reference.port);
    reference.cli(&["-rpcwait", "getblockcount"]);
    assert_eq!(reference.cli(&["listbanned"]).matches("\"address\"").count(), 2);
    reference.restart();
    std::thread::sleep(Duration::from_millis(10));
}
