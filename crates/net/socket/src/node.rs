//! A connection as this crate sees it: buffers, counters, flags.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use grs_log::{Category, debug};
use grs_peer::{ConnectionType, Incoming, PeerId, Permissions};
use grs_wire::{
    AddressNetwork, MESSAGE_HEADER_LEN, MESSAGE_TYPES, Message, Received, Service, Services, Transport,
    TransportError, V1Transport, V2Status, v2_overhead,
};
use tokio::sync::Notify;

use crate::encryption::{Encryption, new_transport};

/// Message types that are counted under one name.
pub(crate) const OTHER: &str = "*other*";

/// Locks without minding panics of others: what these locks guard is consistent at any time.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn known_type(name: &str) -> &'static str {
    MESSAGE_TYPES.iter().find(|t| **t == name).copied().unwrap_or(OTHER)
}

#[derive(Default)]
struct Inbox {
    messages: VecDeque<Incoming>,
    bytes: usize,
}

#[derive(Default)]
struct Outbox {
    messages: VecDeque<Vec<u8>>,
    bytes: usize,
}

pub(crate) struct Node {
    pub(crate) id: PeerId,
    pub(crate) connection_type: ConnectionType,
    pub(crate) address: Service,
    pub(crate) name: String,
    pub(crate) bind: Option<Service>,
    pub(crate) permissions: Permissions,
    pub(crate) inbound_onion: bool,
    pub(crate) connected: Duration,
    pub(crate) group: u64,
    pub(crate) prefer_evict: bool,
    pub(crate) pause_send: Arc<AtomicBool>,
    disconnect: AtomicBool,
    /// Wakes both tasks to end.
    pub(crate) closing: Notify,
    inbox: Mutex<Inbox>,
    /// Room in the inbox again.
    pub(crate) room: Notify,
    outbox: Mutex<Outbox>,
    pub(crate) outgoing: Notify,
    /// Also orders what is queued: packets of the encrypted transport have to be sent as they were encrypted.
    encryption: Mutex<Encryption>,
    magic: [u8; 4],
    /// The encrypted transport is in use, for message handling.
    pub(crate) encrypted: Arc<AtomicBool>,
    handshake_started: AtomicBool,
    /// Name that the connection was asked for by; empty for one to an address.
    pub(crate) given_name: String,
    /// Services that the address book knows.
    pub(crate) services: Services,
    max_receive: usize,
    max_send: usize,
    pub(crate) bytes_sent: AtomicU64,
    pub(crate) bytes_received: AtomicU64,
    pub(crate) last_send: AtomicI64,
    pub(crate) last_receive: AtomicI64,
    sent_per_type: Mutex<BTreeMap<&'static str, u64>>,
    received_per_type: Mutex<BTreeMap<&'static str, u64>>,
    /// Tasks that still run; the last one cleans up.
    pub(crate) tasks: AtomicUsize,
}

/// What a [`Node`] is made of.
pub(crate) struct NewNode {
    pub(crate) id: PeerId,
    pub(crate) connection_type: ConnectionType,
    pub(crate) address: Service,
    pub(crate) name: String,
    pub(crate) bind: Option<Service>,
    pub(crate) permissions: Permissions,
    pub(crate) inbound_onion: bool,
    pub(crate) connected: Duration,
    pub(crate) group: u64,
    pub(crate) prefer_evict: bool,
    /// Services that the address book knows.
    pub(crate) services: Services,
    /// Whether to begin with the encrypted transport, or to accept it.
    pub(crate) use_v2: bool,
}

impl Node {
    pub(crate) fn new(new: NewNode, magic: [u8; 4], max_receive: usize, max_send: usize) -> Node {
        let name = if new.name.is_empty() { new.address.to_string() } else { new.name.clone() };
        let initiating = new.connection_type != ConnectionType::Inbound;
        let encryption = new
            .use_v2
            .then(|| new_transport(magic, initiating))
            .flatten()
            .map_or(Encryption::Off, Encryption::On);
        let node = Node {
            id: new.id,
            connection_type: new.connection_type,
            address: new.address,
            name,
            bind: new.bind,
            permissions: new.permissions,
            inbound_onion: new.inbound_onion,
            connected: new.connected,
            group: new.group,
            prefer_evict: new.prefer_evict,
            pause_send: Arc::default(),
            disconnect: AtomicBool::new(false),
            closing: Notify::new(),
            inbox: Mutex::default(),
            room: Notify::new(),
            outbox: Mutex::default(),
            outgoing: Notify::new(),
            encryption: Mutex::new(encryption),
            magic,
            encrypted: Arc::default(),
            handshake_started: AtomicBool::new(false),
            given_name: new.name,
            services: new.services,
            max_receive,
            max_send,
            bytes_sent: AtomicU64::new(0),
            bytes_received: AtomicU64::new(0),
            last_send: AtomicI64::new(0),
            last_receive: AtomicI64::new(0),
            sent_per_type: Mutex::default(),
            received_per_type: Mutex::default(),
            tasks: AtomicUsize::new(2),
        };
        if let Encryption::On(transport) = &mut *lock(&node.encryption) {
            let mut bytes = Vec::new();
            transport.take_output(&mut bytes);
            node.queue_handshake(bytes);
        }
        node
    }

    pub(crate) fn is_inbound(&self) -> bool {
        self.connection_type == ConnectionType::Inbound
    }

    pub(crate) fn network(&self) -> AddressNetwork {
        if self.inbound_onion { AddressNetwork::Onion } else { self.address.address.net_class() }
    }

    /// End of the lines that tell why a peer is disconnected.
    pub(crate) fn disconnect_text(&self) -> String {
        let address = if grs_log::log_ips() { format!(" peeraddr={}", self.address) } else { String::new() };
        format!("disconnecting peer={}{address}", self.id)
    }

    pub(crate) fn is_disconnecting(&self) -> bool {
        self.disconnect.load(Ordering::Acquire)
    }

    /// Ends the connection; false if that was asked for before.
    pub(crate) fn disconnect(&self) -> bool {
        let first = !self.disconnect.swap(true, Ordering::AcqRel);
        // A permit stays for a task that does not wait at the moment.
        self.closing.notify_waiters();
        self.room.notify_one();
        self.outgoing.notify_one();
        first
    }

    /// Queues a message for sending.
    pub(crate) fn send(&self, message: &Message) {
        let mut bytes = Vec::new();
        let name = message.message_type();
        let mut encryption = lock(&self.encryption);
        let overhead = match &mut *encryption {
            Encryption::Off => {
                V1Transport::new(self.magic).send(message, &mut bytes);
                MESSAGE_HEADER_LEN
            }
            Encryption::On(transport) => {
                transport.send(message, &mut bytes);
                v2_overhead(name)
            }
        };
        let size = if bytes.is_empty() {
            // It waits for the exchange of keys.
            let mut payload = Vec::new();
            message.encode_payload(&mut payload);
            payload.len()
        } else {
            bytes.len().saturating_sub(overhead)
        };
        debug!(Category::Net, "sending {name} ({size} bytes) peer={}", self.id);
        *lock(&self.sent_per_type).entry(known_type(name)).or_default() += (size + overhead) as u64;
        self.queue(bytes);
    }

    /// Queues bytes for sending.
    fn queue(&self, bytes: Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        {
            let mut outbox = lock(&self.outbox);
            outbox.bytes += bytes.len();
            outbox.messages.push_back(bytes);
            self.pause_send.store(outbox.bytes > self.max_send, Ordering::Relaxed);
        }
        self.outgoing.notify_one();
    }

    fn queue_handshake(&self, bytes: Vec<u8>) {
        if !bytes.is_empty() && !self.handshake_started.swap(true, Ordering::Relaxed) {
            debug!(Category::Net, "start sending v2 handshake to peer={}", self.id);
        }
        self.queue(bytes);
    }

    /// The unencrypted transport for receiving, unless the encrypted one is in use or not ruled out.
    pub(crate) fn v1_decoder(&self) -> Option<V1Transport> {
        matches!(&*lock(&self.encryption), Encryption::Off).then(|| V1Transport::new(self.magic))
    }

    /// Takes received bytes as [`Transport::receive`] does. `v1` is from [`Node::v1_decoder`] at first, and set when
    /// the other side turns out not to encrypt; it needs no lock.
    pub(crate) fn receive(
        &self,
        v1: &mut Option<V1Transport>,
        bytes: &[u8],
        out: &mut Vec<Received>,
    ) -> Result<(), TransportError> {
        if let Some(v1) = v1 {
            return v1.receive(bytes, out);
        }
        let mut encryption = lock(&self.encryption);
        let Encryption::On(transport) = &mut *encryption else { return Ok(()) };
        transport.receive(bytes, out)?;
        let mut output = Vec::new();
        transport.take_output(&mut output);
        match transport.status() {
            V2Status::V1 => {
                *v1 = transport.take_v1();
                *encryption = Encryption::Off;
                self.queue(output);
            }
            V2Status::Detecting => self.queue_handshake(output),
            V2Status::V2(_) => {
                self.encrypted.store(true, Ordering::Relaxed);
                self.queue_handshake(output);
            }
        }
        Ok(())
    }

    /// What is known of the transport.
    pub(crate) fn transport_status(&self) -> V2Status {
        match &*lock(&self.encryption) {
            Encryption::Off => V2Status::V1,
            Encryption::On(transport) => transport.status(),
        }
    }

    /// Whether the other side may have hung up because it does not know the encrypted transport: nothing came from it.
    /// Our key, more than a header of the other transport, is under way from the first moment, so whether the writing
    /// task has counted it yet does not matter.
    pub(crate) fn should_reconnect_v1(&self) -> bool {
        match &*lock(&self.encryption) {
            Encryption::Off => false,
            Encryption::On(transport) => transport.should_reconnect_v1(),
        }
    }

    /// Everything that waits to be sent.
    pub(crate) fn take_outgoing(&self) -> Option<Vec<u8>> {
        lock(&self.outbox).messages.pop_front()
    }

    /// Bytes are with the system now. True if sending was paused and goes on.
    pub(crate) fn sent(&self, len: usize, now: i64) -> bool {
        self.bytes_sent.fetch_add(len as u64, Ordering::Relaxed);
        self.last_send.store(now, Ordering::Relaxed);
        let mut outbox = lock(&self.outbox);
        outbox.bytes -= len.min(outbox.bytes);
        let paused = outbox.bytes > self.max_send;
        self.pause_send.swap(paused, Ordering::Relaxed) && !paused
    }

    /// Whether reading should pause until messages are processed.
    pub(crate) fn inbox_is_full(&self) -> bool {
        lock(&self.inbox).bytes > self.max_receive
    }

    pub(crate) fn count_received(&self, message_type: &str, len: usize) {
        *lock(&self.received_per_type).entry(known_type(message_type)).or_default() += len as u64;
    }

    pub(crate) fn deliver(&self, message: Incoming) {
        let mut inbox = lock(&self.inbox);
        inbox.bytes += message.size + grs_wire::MESSAGE_HEADER_LEN;
        inbox.messages.push_back(message);
    }

    /// The next message to process, and whether there are more.
    pub(crate) fn poll(&self) -> Option<(Incoming, bool)> {
        let mut inbox = lock(&self.inbox);
        let message = inbox.messages.pop_front()?;
        let was_full = inbox.bytes > self.max_receive;
        inbox.bytes -= message.size + grs_wire::MESSAGE_HEADER_LEN;
        let more = !inbox.messages.is_empty();
        if was_full && inbox.bytes <= self.max_receive {
            self.room.notify_one();
        }
        Some((message, more))
    }

    pub(crate) fn sent_per_type(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.sent_per_type).clone()
    }

    pub(crate) fn received_per_type(&self) -> BTreeMap<&'static str, u64> {
        lock(&self.received_per_type).clone()
    }
}
