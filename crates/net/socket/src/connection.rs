//! The two tasks of a connection: one reads, decodes and delivers, the other writes.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use grs_log::{Category, debug};
use grs_peer::{Incoming, NewPeer};
use grs_sync::clock;
use grs_wire::{Received, V1Transport};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};

use crate::listen::error_text;
use crate::manager::ConnectionManager;
use crate::node::{NewNode, Node, OTHER, lock};

/// Bytes read at once.
const READ_SIZE: usize = 0x10000;
/// How long what is queued may take to be sent when a connection ends.
const FAREWELL: Duration = Duration::from_millis(500);

impl ConnectionManager {
    /// Takes a fresh connection in and starts its tasks.
    pub(crate) fn add_connection_of(self: &Arc<Self>, stream: TcpStream, new: NewNode, proxied: bool) {
        let node = Arc::new(Node::new(
            new,
            self.options.params.magic,
            self.options.max_receive_buffer,
            self.options.max_send_buffer,
        ));
        if grs_log::log_ips() {
            debug!(Category::Net, "Added connection to {} peer={}", node.name, node.id);
        } else {
            debug!(Category::Net, "Added connection peer={}", node.id);
        }
        self.peers.connected(NewPeer {
            address_services: node.services,
            encrypted: node.encrypted.clone(),
            permissions: node.permissions,
            inbound_onion: node.inbound_onion,
            bind: node.bind,
            proxied,
            pause_send: node.pause_send.clone(),
            ..NewPeer::new(node.id, node.connection_type, node.address, node.connected)
        });
        lock(&self.nodes).insert(node.id, node.clone());
        let (read, write) = stream.into_split();
        tokio::spawn(read_loop(self.clone(), node.clone(), read));
        tokio::spawn(write_loop(self.clone(), node, write));
        self.changed();
        self.wake();
    }

    /// A task of a connection has ended; the second one cleans up.
    fn task_ended(self: &Arc<Self>, node: &Arc<Node>) {
        node.disconnect();
        if node.tasks.fetch_sub(1, Ordering::AcqRel) == 1 {
            lock(&self.nodes).remove(&node.id);
            debug!(
                Category::Net,
                "Resetting socket for peer={}{}",
                node.id,
                if grs_log::log_ips() { format!(" peeraddr={}", node.address) } else { String::new() }
            );
            self.peers.disconnected(node.id);
            self.changed();
            if self.network_active() && !self.interrupt.is_interrupted() && node.should_reconnect_v1() {
                debug!(Category::Net, "retrying with v1 transport protocol for peer={}", node.id);
                let (manager, node) = (self.clone(), node.clone());
                // Connecting takes its time.
                tokio::task::spawn_blocking(move || manager.reconnect_v1(&node));
            }
        }
    }

    /// Processes received bytes; false if the connection has to end.
    fn receive(
        &self,
        node: &Node,
        v1: &mut Option<V1Transport>,
        bytes: &[u8],
        out: &mut Vec<Received>,
    ) -> bool {
        let now = clock::now();
        node.last_receive.store(now.as_secs() as i64, Ordering::Relaxed);
        node.bytes_received.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        self.traffic.record_received(bytes.len());
        let result = node.receive(v1, bytes, out);
        let any = !out.is_empty();
        for received in out.drain(..) {
            match received {
                Received::Message(raw) => {
                    node.count_received(&raw.message_type, raw.wire_len);
                    // Decoding, hashing and finding ids happen here, on as many threads as there are.
                    node.deliver(Incoming::decode(raw.message_type, &raw.payload, now));
                }
                Received::Rejected { wire_len, reason, .. } => {
                    debug!(Category::Net, "{reason}, peer={}", node.id);
                    node.count_received(OTHER, wire_len);
                }
            }
        }
        if any {
            self.wake();
        }
        match result {
            Ok(()) => true,
            Err(error) => {
                debug!(Category::Net, "{error}, peer={}", node.id);
                debug!(Category::Net, "receiving message bytes failed, {}", node.disconnect_text());
                false
            }
        }
    }
}

async fn read_loop(manager: Arc<ConnectionManager>, node: Arc<Node>, mut socket: OwnedReadHalf) {
    let mut v1 = node.v1_decoder();
    let mut buffer = vec![0; READ_SIZE];
    let mut out = Vec::new();
    loop {
        let closing = node.closing.notified();
        if node.is_disconnecting() {
            break;
        }
        if node.inbox_is_full() {
            // The peer has to wait; its own system will notice.
            tokio::select! {
                () = node.room.notified() => {}
                () = tokio::time::sleep(Duration::from_secs(1)) => {}
            }
            continue;
        }
        let read = tokio::select! {
            read = socket.read(&mut buffer) => read,
            () = closing => break,
        };
        match read {
            Ok(0) => {
                if !node.is_disconnecting() {
                    debug!(Category::Net, "socket closed, {}", node.disconnect_text());
                }
                break;
            }
            Ok(n) => {
                if !manager.receive(&node, &mut v1, &buffer[..n], &mut out) {
                    break;
                }
            }
            Err(e) => {
                if !node.is_disconnecting() {
                    debug!(
                        Category::Net,
                        "socket recv error, {}: {}",
                        node.disconnect_text(),
                        error_text(&e)
                    );
                }
                break;
            }
        }
    }
    manager.task_ended(&node);
}

async fn write_loop(manager: Arc<ConnectionManager>, node: Arc<Node>, mut socket: OwnedWriteHalf) {
    loop {
        while let Some(bytes) = node.take_outgoing() {
            let closing = node.closing.notified();
            if node.is_disconnecting() {
                let _ = tokio::time::timeout(FAREWELL, socket.write_all(&bytes)).await;
                continue;
            }
            let result = {
                let mut writing = std::pin::pin!(socket.write_all(&bytes));
                tokio::select! {
                    result = &mut writing => result,
                    () = closing => {
                        // Half a message is of no use: it gets the same short time as what is still queued.
                        let _ = tokio::time::timeout(FAREWELL, writing).await;
                        continue;
                    }
                }
            };
            match result {
                Ok(()) => {
                    let now = clock::now_secs();
                    if node.sent(bytes.len(), now) {
                        manager.wake();
                    }
                    if let Some((historical, all)) = manager.traffic.record_sent(bytes.len(), now) {
                        manager.peers.set_upload_limit_reached(historical, all);
                    }
                }
                Err(e) => {
                    if node.disconnect() {
                        debug!(
                            Category::Net,
                            "socket send error, {}: {}",
                            node.disconnect_text(),
                            error_text(&e)
                        );
                    }
                    return manager.task_ended(&node);
                }
            }
        }
        if node.is_disconnecting() {
            break;
        }
        node.outgoing.notified().await;
    }
    let _ = socket.shutdown().await;
    manager.task_ended(&node);
}
