//! All message handling as an I/O-free machine. Reference: `src/net_processing.cpp`.
//!
//! # API (being filled in; signatures are what callers can code against)
//!
//! ```text
//! PeerManager::new(PeerOptions, Arc<ChainstateManager>, Arc<Mempool>, Arc<BanMan>, Arc<AddrMan>) -> Arc<PeerManager>
//!   // registers itself for chain events; PeerOptions::new(Arc<ChainParams>) has the reference's defaults
//! .connected(NewPeer) .disconnected(id)            // the edge tells about connections
//! .process(id, Incoming) -> bool                   // one message; on the thread `msghand`; false: disconnect
//! .send_messages(id)                               // what is due for a peer: pings, requests, announcements, timeouts
//! .take_actions() -> Vec<Action>                   // Send(id, Message), Disconnect(id), ...
//! .tick()                                          // stale tip, eviction of outbound peers (every 45 s)
//! // for RPC and node:
//! .stats(id) -> Option<PeerStats>   .relay_transaction(txid, wtxid)   .fetch_block(peer, BlockId) -> Result<(), String>
//! .ping_all()  .send_raw(id, type, payload) .info() -> PeerManagerInfo { time_offset, ignores_incoming_txs }
//! .unit_test_misbehaving(id) .set_best_block(height, time) .orphans() -> Vec<OrphanInfo>
//! ```
