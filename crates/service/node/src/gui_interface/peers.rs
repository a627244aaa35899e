//! Peers for windows.

use std::time::Duration;

use grs_interfaces::gui::{PeerDirection, PeerSnapshot};
use grs_socket::{ConnectionManager, ConnectionType, PeerInfo};
use grs_wire::services_to_strings;

pub(super) fn all(connman: &ConnectionManager) -> Vec<PeerSnapshot> {
    connman.peers().iter().filter_map(one).collect()
}

fn micros(time: Option<Duration>) -> Option<u64> {
    time.filter(|t| !t.is_zero()).map(|t| t.as_micros() as u64)
}

/// A connection; `None` in the moments of its coming and going.
fn one(peer: &PeerInfo) -> Option<PeerSnapshot> {
    let stats = peer.stats.as_ref()?;
    let inbound = peer.connection_type == ConnectionType::Inbound;
    Some(PeerSnapshot {
        id: peer.id,
        address: peer.name.clone(),
        local_address: stats.address_local.as_ref().map_or_else(String::new, ToString::to_string),
        direction: if inbound { PeerDirection::Inbound } else { PeerDirection::Outbound },
        connection_type: peer.connection_type.name().to_owned(),
        network: peer.network.name().to_owned(),
        permissions: peer.permissions.names().into_iter().map(str::to_owned).collect(),
        transport: peer.transport.to_owned(),
        session_id: peer.session_id.clone(),
        version: u32::try_from(stats.version).unwrap_or(0),
        user_agent: stats.user_agent.clone(),
        services: services_to_strings(stats.services),
        relay_transactions: stats.relay_txs,
        high_bandwidth_to: stats.high_bandwidth_to,
        high_bandwidth_from: stats.high_bandwidth_from,
        synced_headers: i64::from(stats.sync_height),
        synced_blocks: i64::from(stats.common_height),
        connected: peer.connected.as_secs() as i64,
        last_block: stats.last_block_time.as_secs() as i64,
        last_transaction: stats.last_tx_time.as_secs() as i64,
        last_send: peer.last_send,
        last_receive: peer.last_receive,
        bytes_sent: peer.bytes_sent,
        bytes_received: peer.bytes_received,
        ping_us: micros(stats.ping_time),
        min_ping_us: micros(stats.min_ping_time),
        ping_wait_us: micros(stats.ping_wait),
        time_offset: stats.time_offset,
        mapped_as: 0,
        address_relay: stats.addr_relay_enabled,
        addresses_processed: stats.addr_processed,
        addresses_rate_limited: stats.addr_rate_limited,
    })
}
