//! Two nodes of this crate, and one played by the test, on real sockets of this machine.
#![allow(clippy::unwrap_used, missing_docs)]

mod kit;

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use grs_addrman::Subnet;
use grs_socket::{ConnectionManager, ConnectionType, Direction, WhiteList};
use grs_wire::{Message, NetAddress, Received, Services, Transport, V1Transport};
use kit::{Node, chain, params, wait};

#[test]
fn two_nodes_sync_and_part() {
    let blocks = chain(250);
    let (a, b) = (Node::new(|_| ()), Node::new(|_| ()));
    b.add(&blocks);
    assert!(a.net.connect_once(&b.address(), false));
    wait("sync", || a.chain.view().height() == 250);
    wait("pongs", || {
        [&a, &b].iter().all(|n| n.net.peers().iter().all(|p| p.received_per_type.get("pong") == Some(&32)))
    });
    let peer = &a.net.peers()[0];
    let stats = peer.stats.clone().unwrap();
    assert_eq!((peer.name.clone(), stats.user_agent.as_str()), (b.address(), "/test:1/"));
    assert_eq!(peer.connection_type, ConnectionType::Manual);
    assert!(peer.bytes_received > 250 * 200 && peer.bytes_sent > 100);
    assert_eq!(stats.sync_height, 250);
    let other = &b.net.peers()[0];
    assert_eq!((other.connection_type, other.id), (ConnectionType::Inbound, 0));
    assert_eq!(
        (b.net.count(Direction::In), b.net.count(Direction::Out), a.net.count(Direction::Both)),
        (1, 0, 1)
    );
    assert!(a.net.totals().received >= peer.bytes_received);
    // A new block travels.
    let next = chain(251);
    b.add(&next[250..]);
    wait("the new block", || a.chain.view().height() == 251);
    // Once more to the same: refused.
    assert!(!a.net.connect_once(&b.address(), false));
    assert!(!a.net.disconnect_name("1.2.3.4:5"));
    assert!(a.net.disconnect_name(&b.address()));
    wait("the end", || a.net.count(Direction::Both) == 0 && b.net.count(Direction::Both) == 0);
}

#[test]
fn bans_and_switching_off() {
    let (a, b) = (Node::new(|_| ()), Node::new(|_| ()));
    assert!(a.net.connect_once(&b.address(), false));
    wait("connection", || b.net.count(Direction::In) == 1);
    let subnet = Subnet::parse("127.0.0.0/8").unwrap();
    b.net.ban(subnet, 100, false);
    wait("the banned one is gone", || b.net.count(Direction::In) == 0 && a.net.count(Direction::Out) == 0);
    a.net.connect_once(&b.address(), false);
    wait("refused", || a.net.count(Direction::Out) == 0);
    assert_eq!(b.net.count(Direction::In), 0);
    assert!(b.net.peer_manager().bans().unban(&subnet));
    assert!(a.net.connect_once(&b.address(), false));
    wait("connection", || b.net.count(Direction::In) == 1);
    a.net.set_network_active(false);
    wait("all gone", || a.net.count(Direction::Both) == 0);
    assert!(!a.net.connect_once(&b.address(), false));
    a.net.set_network_active(true);
    assert!(a.net.connect_once(&b.address(), false));
    // Added nodes are connected again by themselves.
    wait("connection", || a.net.count(Direction::Out) == 1);
}

#[test]
fn added_nodes_are_kept() {
    let (a, b) = (Node::new(|_| ()), Node::new(|_| ()));
    assert!(a.net.add_node(&b.address(), false));
    assert!(!a.net.add_node(&b.address(), false));
    wait("connection", || a.net.count(Direction::Out) == 1);
    let info = a.net.added_node_info(true);
    assert_eq!((info[0].name.clone(), info[0].connected), (b.address(), Some(false)));
    assert!(a.net.added_node_info(false).is_empty());
    assert!(a.net.remove_added_node(&b.address()));
    assert!(!a.net.remove_added_node(&b.address()));
}

#[test]
fn permissions_by_address() {
    let b = Node::new(|o| o.white_list = vec![WhiteList::parse("noban,addr@127.0.0.1").unwrap()]);
    let a = Node::new(|_| ());
    a.net.connect_once(&b.address(), false);
    wait("connection", || b.net.count(Direction::In) == 1);
    assert_eq!(b.net.peers()[0].permissions.names(), ["noban", "download", "addr"]);
}

#[test]
fn connections_of_each_type_are_limited() {
    let a = Node::new(|_| ());
    let others: Vec<TcpListener> = (0..4).map(|_| TcpListener::bind("127.0.0.1:0").unwrap()).collect();
    let address = |n: usize| others[n].local_addr().unwrap().to_string();
    assert!(a.net.add_connection(&address(0), ConnectionType::BlockRelay, false));
    assert!(a.net.add_connection(&address(1), ConnectionType::BlockRelay, false));
    assert!(!a.net.add_connection(&address(2), ConnectionType::BlockRelay, false));
    assert!(a.net.add_connection(&address(2), ConnectionType::Feeler, false));
    assert!(!a.net.add_connection(&address(3), ConnectionType::Manual, false));
    assert_eq!(a.net.count(Direction::Out), 3);
}

#[test]
fn two_cannot_listen_on_one_port() {
    let a = Node::new(|_| ());
    let address = a.net.bound_addresses()[0];
    let mut options = a.net.options().clone();
    options.binds = vec![address];
    let peers = a.net.peer_manager().clone();
    let (bans, addrman) = (peers.bans().clone(), peers.addrman().clone());
    let second = ConnectionManager::new(options, peers, bans, addrman);
    let errors = second.start().unwrap_err();
    assert_eq!(
        errors,
        [
            format!(
                "Unable to bind to {address} on this computer. Groestlcoin Core is probably already running."
            ),
            "Failed to listen on any port. Use -listen=0 if you want this.".to_owned()
        ]
    );
}

/// A peer played by the test.
struct Wire {
    stream: TcpStream,
    transport: V1Transport,
    received: Vec<Received>,
}

impl Wire {
    fn connect(node: &Node) -> Wire {
        let stream = TcpStream::connect(node.address()).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        Wire { stream, transport: V1Transport::new(params().magic), received: Vec::new() }
    }

    fn say(&mut self, message: &Message) {
        let mut bytes = Vec::new();
        self.transport.send(message, &mut bytes);
        self.stream.write_all(&bytes).unwrap();
    }

    fn handshake(node: &Node) -> Wire {
        let mut wire = Wire::connect(node);
        wire.say(&Message::Version(Box::new(grs_wire::Version {
            version: 70016,
            services: grs_wire::Services(9),
            time: 0,
            receiver: Default::default(),
            sender: Default::default(),
            nonce: 5,
            user_agent: "/wire/".into(),
            start_height: 0,
            relay: true,
        })));
        wire.say(&Message::Verack);
        wire.wait_for("ping");
        wire
    }

    /// Reads until a message of this type comes; `None` if the connection ends.
    fn next_of(&mut self, name: &str) -> Option<Message> {
        let mut buffer = [0; 4096];
        loop {
            while !self.received.is_empty() {
                if let Received::Message(raw) = self.received.remove(0)
                    && raw.message_type == name
                {
                    return Message::decode(name, &raw.payload).ok();
                }
            }
            match self.stream.read(&mut buffer) {
                Ok(0) | Err(_) => return None,
                Ok(n) => self.transport.receive(&buffer[..n], &mut self.received).unwrap(),
            }
        }
    }

    fn wait_for(&mut self, name: &str) -> Message {
        self.next_of(name).unwrap_or_else(|| panic!("no {name}"))
    }

    fn is_closed(&mut self) -> bool {
        self.next_of("never").is_none()
    }
}

#[test]
fn broken_messages() {
    let node = Node::new(|_| ());
    let mut wire = Wire::handshake(&node);
    // A wrong checksum costs only the message.
    let mut bytes = Vec::new();
    wire.transport.send(&Message::Ping(Some(1)), &mut bytes);
    bytes[20] ^= 1;
    wire.stream.write_all(&bytes).unwrap();
    wire.say(&Message::Ping(Some(2)));
    assert_eq!(wire.wait_for("pong"), Message::Pong(2_u64.to_le_bytes().to_vec()));
    // A wrong message start ends the connection.
    bytes[0] ^= 1;
    wire.stream.write_all(&bytes).unwrap();
    assert!(wire.is_closed());
    wait("cleaned up", || node.net.count(Direction::Both) == 0);
}

#[test]
fn a_peer_that_does_not_read_is_not_served_without_end() {
    let blocks = chain(30);
    let node = Node::new(|o| o.max_send_buffer = 20_000);
    node.add(&blocks);
    let mut wire = Wire::handshake(&node);
    let list: Vec<grs_wire::Inventory> = (0..50_000)
        .map(|n| grs_wire::Inventory::block(grs_wire::MSG_WITNESS_BLOCK, blocks[n % 30].hash()))
        .collect();
    wire.say(&Message::GetData(list));
    // Ten megabytes are asked for; what is queued stays bounded by the buffer and the system's own.
    std::thread::sleep(Duration::from_millis(300));
    let queued = node.net.peers()[0].sent_per_type["block"];
    let sent = node.net.peers()[0].bytes_sent;
    assert!(queued < sent + 100_000, "{queued} queued, {sent} sent");
    for _ in 0..2000 {
        wire.wait_for("block");
    }
    assert!(wire.received.len() < 100_000);
}

#[test]
fn misbehaviour_ends_the_connection() {
    let node = Node::new(|_| ());
    let mut wire = Wire::handshake(&node);
    let inv = grs_wire::Inventory { kind: 2, hash: grs_hashes::Hash256::ZERO };
    wire.say(&Message::GetData(vec![inv; 50_001]));
    assert!(wire.is_closed());
    // This machine itself is not discouraged.
    assert!(!node.net.peer_manager().bans().is_discouraged(&NetAddress::Ipv4([127, 0, 0, 1])));
    let mut again = Wire::handshake(&node);
    again.say(&Message::Ping(Some(9)));
    again.wait_for("pong");
}

#[test]
fn encrypted_connections() {
    let blocks = chain(40);
    let (a, b) = (Node::with_v2(), Node::with_v2());
    b.add(&blocks);
    assert!(a.net.connect_once(&b.address(), true));
    wait("sync", || a.chain.view().height() == 40);
    let (ours, theirs) = (a.net.peers().remove(0), b.net.peers().remove(0));
    assert_eq!((ours.transport, theirs.transport), ("v2", "v2"));
    assert_eq!((ours.session_id.len(), &ours.session_id), (64, &theirs.session_id));
    assert!(ours.stats.unwrap().services.has(Services::P2P_V2));
    // One that accepts both, asked without encryption.
    assert!(a.net.disconnect_name(&b.address()));
    wait("the end", || a.net.count(Direction::Both) == 0 && b.net.count(Direction::Both) == 0);
    assert!(a.net.connect_once(&b.address(), false));
    wait("pings", || b.net.peers().iter().any(|p| p.received_per_type.contains_key("pong")));
    let peer = b.net.peers().remove(0);
    assert_eq!((peer.transport, peer.session_id.as_str()), ("v1", ""));
}

#[test]
fn a_peer_that_does_not_encrypt_is_tried_again() {
    let (a, b) = (Node::with_v2(), Node::new(|_| ()));
    assert!(a.net.connect_once(&b.address(), true));
    wait("second attempt", || {
        a.net.peers().iter().any(|p| p.transport == "v1" && p.received_per_type.contains_key("pong"))
    });
    assert_eq!(a.net.peers()[0].name, b.address());
}

/// An inbound connection says nothing before it knows what the other side speaks.
#[test]
fn unclear_connections() {
    let node = Node::with_v2();
    let mut stream = TcpStream::connect(node.address()).unwrap();
    stream.write_all(&params().magic).unwrap();
    let transport = || node.net.peers().first().map(|p| (p.transport, p.bytes_received));
    wait("four bytes", || transport() == Some(("detecting", 4)));
    // A key, and garbage without end.
    stream.write_all(&[0; 64 + 4095 + 16]).unwrap();
    wait("thrown out", || node.net.count(Direction::Both) == 0);
}
