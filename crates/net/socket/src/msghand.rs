//! The thread that processes messages and carries out what the machine wants.

use std::sync::Arc;
use std::time::Duration;

use grs_addrman::Rng;
use grs_peer::Action;

use crate::manager::ConnectionManager;
use crate::node::lock;

/// Longest pause between two turns.
const PAUSE: Duration = Duration::from_millis(100);

impl ConnectionManager {
    pub(crate) fn run_message_handler(self: &Arc<Self>) {
        let mut rng = Rng::new();
        while !self.interrupt.is_interrupted() {
            let mut nodes = self.node_list();
            // In random order, so that nobody is always last.
            rng.shuffle(&mut nodes);
            let mut more = false;
            for node in nodes {
                if node.is_disconnecting() {
                    continue;
                }
                more |= self.peers.process_messages(node.id, || node.poll());
                if self.interrupt.is_interrupted() {
                    return;
                }
                self.peers.send_messages(node.id);
                self.carry_out();
            }
            self.carry_out();
            let mut woken = lock(&self.work.0);
            if !more && !*woken {
                woken = self
                    .work
                    .1
                    .wait_timeout(woken, PAUSE)
                    .unwrap_or_else(std::sync::PoisonError::into_inner)
                    .0;
            }
            *woken = false;
        }
    }

    /// Carries out queued actions. On the message handling thread only, so that they stay in order.
    fn carry_out(&self) {
        for action in self.peers.take_actions() {
            match action {
                Action::Send(id, message) => {
                    let Some(node) = self.node(id).filter(|n| !n.is_disconnecting()) else { continue };
                    node.send(&message);
                }
                Action::Disconnect(id) => {
                    if let Some(node) = self.node(id) {
                        node.disconnect();
                    }
                }
                Action::DisconnectAddress(address) => {
                    self.disconnect_address(&address);
                }
            }
        }
    }
}
