//! IPC over TLS: who holds a pinned key comes in, nobody else does, and each side learns why.

#![allow(clippy::unwrap_used)]

mod kit;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use grs_interfaces::{Hello, Init, Role};
use grs_ipc::{Bound, InitProxy, Ipc, IpcAddress, KeyFolder};
use kit::{FakeChain, FakeInit};
use tempfile::TempDir;

/// A machine: a network's data directory with a key.
struct Side {
    dir: TempDir,
    keys: KeyFolder,
}

fn side() -> Side {
    let dir = tempfile::tempdir().unwrap();
    let keys = KeyFolder::of_data_dir(dir.path());
    keys.create().unwrap();
    Side { dir, keys }
}

impl Side {
    fn trust(&self, other: &Side, name: &str) {
        std::fs::copy(other.keys.certificate(), self.keys.trusted().join(name)).unwrap();
    }

    fn distrust(&self, name: &str) {
        std::fs::remove_file(self.keys.trusted().join(name)).unwrap();
    }
}

struct Node {
    side: Side,
    bound: Bound,
    fake: Arc<FakeChain>,
    _ipc: Ipc,
}

fn listen(side: Side) -> Node {
    let ipc = Ipc::start("groestlcoin-node").unwrap();
    let fake = FakeChain::new();
    let address = IpcAddress::parse("tls:127.0.0.1:0", side.dir.path()).unwrap();
    let bound = ipc.bind(&address, Arc::new(FakeInit { chain: fake.clone(), role: Role::Node })).unwrap();
    Node { side, bound, fake, _ipc: ipc }
}

fn connect(ipc: &Ipc, node: &Node, dir: &Path) -> Result<InitProxy, String> {
    let address = IpcAddress::parse(node.bound.address(), dir).unwrap();
    ipc.connect(&address).map_err(|e| e.to_string())
}

/// The error of a connection that the node refuses, wherever it shows.
fn refusal(ipc: &Ipc, node: &Node, dir: &Path) -> String {
    match connect(ipc, node, dir) {
        Err(text) => text,
        Ok(init) => init.hello(&Hello::new(Role::Wallet, "test")).unwrap_err().to_string(),
    }
}

#[test]
fn peers_that_trust_each_other_work_together() {
    let (node, client) = (side(), side());
    node.trust(&client, "laptop.crt");
    client.trust(&node, "home.pem");
    let node = listen(node);
    let ipc = Ipc::start("client").unwrap();
    let init = connect(&ipc, &node, client.dir.path()).unwrap();
    kit::init_suite(&init);
    kit::chain_suite(&*init.make_chain().unwrap(), &node.fake);
    kit::notifications_suite(&*init.make_chain().unwrap(), &node.fake);
    // Taken out of the folder, a peer's next connection is refused; no restart is needed for that.
    node.side.distrust("laptop.crt");
    let text = refusal(&ipc, &node, client.dir.path());
    assert!(text.contains("does not trust this one's certificate"), "{text}");
    node.side.trust(&client, "laptop.crt");
    assert!(connect(&ipc, &node, client.dir.path()).unwrap().make_echo().is_ok());
    // The first connection has not been disturbed.
    assert!(init.make_echo().is_ok());
    node.bound.disconnect_all();
    kit::wait_until(|| init.connection().is_closed());
}

#[test]
fn large_messages_go_through() {
    let (node, client) = (side(), side());
    node.trust(&client, "a.crt");
    client.trust(&node, "a.crt");
    let node = listen(node);
    let ipc = Ipc::start("client").unwrap();
    let init = connect(&ipc, &node, client.dir.path()).unwrap();
    let text = "0123456789abcdef".repeat(1 << 16);
    assert_eq!(init.make_echo().unwrap().echo(&text).unwrap(), text);
}

#[test]
fn unknown_clients_are_refused() {
    let (node, client, stranger) = (side(), side(), side());
    node.trust(&client, "a.crt");
    stranger.trust(&node, "a.crt");
    let node = listen(node);
    let ipc = Ipc::start("client").unwrap();
    let text = refusal(&ipc, &node, stranger.dir.path());
    assert!(text.contains("does not trust this one's certificate"), "{text}");
}

#[test]
fn unknown_servers_are_refused() {
    let (node, client) = (side(), side());
    node.trust(&client, "a.crt");
    // Another key than the node's is trusted.
    client.trust(&side(), "a.crt");
    let node = listen(node);
    let ipc = Ipc::start("client").unwrap();
    let text = refusal(&ipc, &node, client.dir.path());
    assert!(text.contains("the other side is not trusted: the certificate with public key"), "{text}");
    assert!(text.contains("is not in"), "{text}");
}

#[test]
fn keys_must_be_there_and_private() {
    let dir = tempfile::tempdir().unwrap();
    let ipc = Ipc::start("client").unwrap();
    let address = IpcAddress::parse("tls:127.0.0.1:0", dir.path()).unwrap();
    let bind = || {
        let init = FakeInit { chain: FakeChain::new(), role: Role::Node };
        ipc.bind(&address, Arc::new(init)).map(|_| ()).map_err(|e| e.to_string())
    };
    let text = bind().unwrap_err();
    assert!(text.contains("There is no key in") && text.contains("-ipctlskeygen="), "{text}");
    assert!(ipc.connect(&address).err().unwrap().to_string().contains("There is no key in"));
    let keys = KeyFolder::of_data_dir(dir.path());
    let created = keys.create().unwrap();
    assert_eq!(created.fingerprint.len(), 64);
    assert!(keys.create().unwrap_err().to_string().contains("it is not replaced"));
    bind().unwrap();
    let key = dir.path().join("ipc/identity.key");
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(bind().unwrap_err().contains("can be read by others"));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    std::fs::write(keys.trusted().join("note.txt"), "is left alone").unwrap();
    bind().unwrap();
    for garbage in ["", "garbage", "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"] {
        std::fs::write(keys.trusted().join("bad.crt"), garbage).unwrap();
        let text = bind().unwrap_err();
        assert!(text.contains("bad.crt"), "{text}");
    }
    std::fs::remove_file(keys.trusted().join("bad.crt")).unwrap();
    std::fs::write(&key, "garbage").unwrap();
    let text = bind().unwrap_err();
    assert!(text.contains("identity.key") && !text.contains("garbage"), "{text}");
}

#[test]
fn expired_certificates_are_refused() {
    let old = |days: (u64, u64)| {
        let dir = tempfile::tempdir().unwrap();
        let keys = KeyFolder::of_data_dir(dir.path());
        let ago = |days| SystemTime::now() - Duration::from_secs(days * 24 * 3600);
        keys.create_valid(ago(days.0), ago(days.1)).unwrap();
        Side { dir, keys }
    };
    let ipc = Ipc::start("client").unwrap();
    // The client's.
    let (node, client) = (side(), old((10, 1)));
    node.trust(&client, "a.crt");
    client.trust(&node, "a.crt");
    let text = refusal(&ipc, &listen(node), client.dir.path());
    assert!(text.contains("certificate is not valid now"), "{text}");
    // The node's.
    let (node, client) = (old((10, 1)), side());
    node.trust(&client, "a.crt");
    client.trust(&node, "a.crt");
    let text = refusal(&ipc, &listen(node), client.dir.path());
    assert!(text.contains("the certificate has expired"), "{text}");
}

/// What a node sends to a client that says `greeting` in the clear.
fn answer_to(node: &Node, greeting: &[u8]) -> Vec<u8> {
    let port = node.bound.address().strip_prefix("tls:").unwrap().to_owned();
    let mut socket = TcpStream::connect(port).unwrap();
    socket.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    socket.write_all(greeting).unwrap();
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).unwrap();
    answer
}

#[test]
fn nothing_is_said_in_the_clear() {
    let (node, client) = (side(), side());
    node.trust(&client, "a.crt");
    client.trust(&node, "a.crt");
    let node = listen(node);
    // A Cap'n Proto bootstrap message, and plain noise: an alert at most, then the end.
    let bootstrap =
        [0, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 0];
    for greeting in [&bootstrap[..], b"GET / HTTP/1.1\r\n\r\n", &[0xff; 100]] {
        let answer = answer_to(&node, greeting);
        assert!(answer.is_empty() || answer[0] == 21 && answer.len() < 20, "{answer:?}");
    }
    // A client does not go on with a server that speaks in the clear.
    let plain = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tls:{}", plain.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut socket, _) = plain.accept().unwrap();
        socket.write_all(&bootstrap).unwrap();
        let mut seen = Vec::new();
        let _ = socket.read_to_end(&mut seen);
        seen
    });
    let ipc = Ipc::start("client").unwrap();
    let address = IpcAddress::parse(&address, client.dir.path()).unwrap();
    let text = ipc.connect(&address).err().unwrap().to_string();
    assert!(text.contains("does not speak TLS"), "{text}");
    assert_eq!(server.join().unwrap()[0], 22, "a TLS hand-shake record and nothing else");
    // The node still works.
    assert!(connect(&ipc, &node, client.dir.path()).unwrap().make_echo().is_ok());
}
