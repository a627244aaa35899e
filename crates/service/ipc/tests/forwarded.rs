//! A node's socket reached through a forwarder of bytes, which is what `ssh -L local.sock:remote.sock host` is to both
//! sides: the client's connection ends at the forwarder, and the forwarder makes one of its own to the node.

#![allow(clippy::unwrap_used)]

mod kit;

use std::io::{Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use grs_interfaces::{Init, Role};
use grs_ipc::{Ipc, IpcAddress};
use kit::{FakeChain, FakeInit};

/// Copies until the end, in odd pieces: messages are cut anywhere.
fn copy(mut from: UnixStream, mut to: UnixStream) {
    let mut buffer = [0; 1021];
    while let Ok(n) = from.read(&mut buffer) {
        if n == 0 || to.write_all(&buffer[..n]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
}

/// Forwards connections at `local` to `remote`. The streams are kept, so that the tunnel can break.
fn tunnel(local: &Path, remote: &Path) -> Arc<Mutex<Vec<UnixStream>>> {
    let listener = UnixListener::bind(local).unwrap();
    let remote = remote.to_owned();
    let streams = Arc::new(Mutex::new(Vec::new()));
    let kept = streams.clone();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            let (client, node) = (client.unwrap(), UnixStream::connect(&remote).unwrap());
            kept.lock().unwrap().extend([client.try_clone().unwrap(), node.try_clone().unwrap()]);
            let back = (node.try_clone().unwrap(), client.try_clone().unwrap());
            std::thread::spawn(move || copy(client, node));
            std::thread::spawn(move || copy(back.0, back.1));
        }
    });
    streams
}

#[test]
fn a_forwarded_socket_is_like_the_nodes_own() {
    let (node_dir, client_dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let node = Ipc::start("groestlcoin-node").unwrap();
    let fake = FakeChain::new();
    let address = IpcAddress::parse("unix", node_dir.path()).unwrap();
    let init = Arc::new(FakeInit { chain: fake.clone(), role: Role::Node });
    let _bound = node.bind(&address, init).unwrap();
    let streams = tunnel(&client_dir.path().join("local.sock"), &node_dir.path().join("node.sock"));

    let client = Ipc::start("client").unwrap();
    let near = IpcAddress::parse("unix:local.sock", client_dir.path()).unwrap();
    let init = client.connect(&near).unwrap();
    kit::init_suite(&init);
    let chain = init.make_chain().unwrap();
    kit::chain_suite(&*chain, &fake);
    kit::notifications_suite(&*chain, &fake);
    // The tunnel breaks: calls end with an error, and a new connection works.
    for stream in streams.lock().unwrap().drain(..) {
        let _ = stream.shutdown(Shutdown::Both);
    }
    kit::wait_until(|| init.connection().is_closed());
    assert!(chain.get_height().unwrap_err().is_disconnected());
    let again = client.connect(&near).unwrap();
    kit::greet(&again);
    assert!(again.make_chain().unwrap().get_height().is_ok());
}
