//! Fuzz target: any sequence of messages from a peer, no panic, no lasting connection state.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use grs_wire::{MESSAGE_TYPES, NetAddress, Service};

use crate::{ConnectionType, Incoming, NewPeer, PeerManager};

static MANAGER: OnceLock<Arc<PeerManager>> = OnceLock::new();

/// Sets the machine that [`fuzz_messages`] talks to.
pub fn set_manager(manager: Arc<PeerManager>) {
    let _ = MANAGER.set(manager);
}

/// The first byte chooses the kind of connection; then come messages: type, length, payload. The handshake is done
/// first unless the type says otherwise.
pub fn fuzz_messages(data: &[u8]) {
    let Some(manager) = MANAGER.get() else { return };
    let Some((kind, mut rest)) = data.split_first() else { return };
    let kinds = [
        ConnectionType::Inbound,
        ConnectionType::OutboundFullRelay,
        ConnectionType::BlockRelay,
        ConnectionType::Manual,
        ConnectionType::AddrFetch,
        ConnectionType::Feeler,
    ];
    let id = 1;
    let address = Service::new(NetAddress::Ipv4([9, 8, 7, 6]), 1331);
    let now = manager.now();
    manager.connected(NewPeer::new(id, kinds[usize::from(kind & 7) % kinds.len()], address, now));
    manager.send_messages(id);
    if kind & 8 == 0 {
        let mut version = 70016_i32.to_le_bytes().to_vec();
        version.extend_from_slice(&0x409_u64.to_le_bytes());
        version.extend_from_slice(&[0; 8 + 26]);
        for (name, payload) in [("version", version.as_slice()), ("wtxidrelay", &[]), ("verack", &[])] {
            manager.process(id, Incoming::decode(name.to_owned(), payload, now));
            manager.send_messages(id);
        }
    }
    while let [kind, len, tail @ ..] = rest {
        let name =
            MESSAGE_TYPES.get(usize::from(*kind) % (MESSAGE_TYPES.len() + 1)).copied().unwrap_or("nonsense");
        let (payload, next) = tail.split_at(tail.len().min(usize::from(*len) * 4));
        rest = next;
        let message = Incoming::decode(name.to_owned(), payload, now + Duration::from_millis(1));
        manager.process_messages(id, || Some((message, false)));
        manager.send_messages(id);
    }
    while manager.process_messages(id, || None) {}
    manager.take_actions();
    manager.disconnected(id);
    assert!(manager.stats(id).is_none());
}
