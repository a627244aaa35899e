//! What node and wallets send, as messages.

use std::sync::{Mutex, PoisonError};

use grs_interfaces::gui::{
    NodeSnapshot, NodeSubscriber, WalletSnapshot, WalletSubscriber, WalletsSubscriber,
};
use grs_interfaces::{CallError, CallResult};

use super::{Mail, Message};

/// Turns what is sent into messages of one generation.
pub(super) struct Subscriber {
    mail: Mutex<Mail>,
    generation: u64,
}

impl Subscriber {
    pub(super) fn new(mail: &Mail, generation: u64) -> Subscriber {
        Subscriber { mail: Mutex::new(mail.clone()), generation }
    }

    fn send(&self, message: Message) -> CallResult<()> {
        let mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner).clone();
        // With no session left, the sender should stop.
        mail.send(message).map_err(|_| CallError::Cancelled)
    }
}

impl NodeSubscriber for Subscriber {
    fn update(&self, snapshot: NodeSnapshot) -> CallResult<()> {
        self.send(Message::Node(self.generation, Box::new(snapshot)))
    }
}

impl WalletsSubscriber for Subscriber {
    fn loaded(&self, names: Vec<String>) -> CallResult<()> {
        self.send(Message::Wallets(self.generation, names))
    }
}

impl WalletSubscriber for Subscriber {
    fn update(&self, snapshot: WalletSnapshot) -> CallResult<()> {
        self.send(Message::Wallet(self.generation, Box::new(snapshot)))
    }

    fn unloaded(&self) -> CallResult<()> {
        self.send(Message::WalletUnloaded(self.generation))
    }
}
