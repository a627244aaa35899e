//! The pretended data: always the same.

use std::sync::Arc;

use grs_descriptor::{Destination, encode_destination};
use grs_hashes::{BlockHash, Hash160, Txid};
use grs_interfaces::FeeReason;
use grs_interfaces::gui::{
    AddressKind, Balances, BanEntry, ConnectionCounts, FeeChoice, FeeLevel, FeeLevels, MempoolTotals,
    NodeInfo, NodePhase, NodeSnapshot, PeerDirection, PeerSnapshot, ReceiveRequest, SendPreview, SendProblem,
    SendRequest, SyncSnapshot, TrafficTotals, TxDetails, TxKind, TxRow, TxStatus, WalletEntry, WalletInfo,
    WalletProcessState, WalletSnapshot,
};
use grs_params::Network;
use grs_primitives::{Amount, MutableTransaction, TxOut, TxRef};

use crate::console::{ConsoleLine, LineKind};
use crate::process::Ownership;
use crate::sync::SyncRate;
use crate::traffic::TrafficHistory;
use crate::view::{Link, SendCommand, View, WalletLink, WalletView};

/// The present time of the pretended node, Unix seconds: 2026-11-22 12:00 UTC.
pub const NOW: i64 = 1_795_348_800;
const COIN: i64 = 100_000_000;
const LABELS: [&str; 8] =
    ["Rent", "Bakery Müller", "", "Salary", "Gift from Ada", "", "Book shop", "Savings"];

/// A regtest address, different for each number.
pub(super) fn address(n: u64) -> String {
    let mut hash = [0x5a; 20];
    hash[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_le_bytes());
    encode_destination(&Destination::WitnessV0KeyHash(Hash160::from_bytes(hash)), Network::Regtest)
}

fn txid(n: u64) -> Txid {
    let mut bytes = [0x11; 32];
    for (at, part) in bytes.chunks_mut(8).enumerate() {
        part.copy_from_slice(
            &(n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(at as u32 * 13).to_le_bytes(),
        );
    }
    Txid::from_bytes(bytes)
}

pub(super) fn rows(count: u32) -> Vec<TxRow> {
    (0..u64::from(count)).map(|n| row(n, u64::from(count))).collect()
}

fn row(n: u64, count: u64) -> TxRow {
    let age = count - n;
    let kind = match n % 7 {
        0 => TxKind::Mined,
        1 | 4 => TxKind::Sent,
        6 if n % 21 == 6 => TxKind::ToSelf,
        _ => TxKind::Received,
    };
    let depth = age.saturating_sub(3) as u32;
    let status = match (kind, age) {
        (_, 1) => TxStatus::Unconfirmed,
        (_, 2) => TxStatus::Inactive,
        (_, 3) => TxStatus::Conflicted,
        (TxKind::Mined, ..120) => TxStatus::Immature { depth, blocks_left: 120 - depth },
        (_, ..10) => TxStatus::Confirming { depth },
        _ => TxStatus::Confirmed { depth },
    };
    let size = (n as i64 * 7_919 % 90_000 + 1) * (COIN / 1000) + n as i64 % 1000;
    TxRow {
        txid: txid(n),
        index: 0,
        time: NOW - age as i64 * 5400,
        kind,
        status,
        label: LABELS[(n % 8) as usize].to_owned(),
        address: address(n),
        amount: if kind == TxKind::Sent { -size } else { size },
    }
}

pub(super) fn sent_row(order: &SendCommand, n: usize) -> TxRow {
    let first = order.recipients.first();
    TxRow {
        txid: order.tx.txid(),
        index: n as u32,
        time: NOW,
        kind: TxKind::Sent,
        status: TxStatus::Unconfirmed,
        label: first.map(|r| r.label.clone()).unwrap_or_default(),
        address: first.map(|r| r.address.clone()).unwrap_or_default(),
        amount: -order.total,
    }
}

pub(super) fn details(rows: Vec<TxRow>) -> TxDetails {
    let amount: i64 = rows.iter().map(|r| r.amount).sum();
    let first = rows[0].clone();
    TxDetails {
        txid: first.txid,
        status: first.status,
        time: first.time,
        debit: (-amount).max(0),
        credit: amount.max(0),
        fee: (amount < 0).then_some(141),
        size: 222,
        vsize: 141,
        block_height: matches!(first.status, TxStatus::Confirmed { .. }).then_some(1200),
        block_hash: BlockHash::from_bytes([0x22; 32]).to_string(),
        comment: String::new(),
        replaces: None,
        replaced_by: None,
        hex: "0200000000".to_owned(),
        rows,
    }
}

pub(super) fn peers() -> Vec<PeerSnapshot> {
    (0..12_i64)
        .map(|n| PeerSnapshot {
            id: n,
            address: format!("203.0.113.{}:1331", n + 10),
            direction: if n % 3 == 0 { PeerDirection::Inbound } else { PeerDirection::Outbound },
            connection_type: if n % 3 == 0 { "inbound" } else { "outbound-full-relay" }.to_owned(),
            network: "ipv4".to_owned(),
            transport: if n % 2 == 0 { "v2" } else { "v1" }.to_owned(),
            session_id: if n % 2 == 0 { "ab".repeat(32) } else { String::new() },
            version: 70016,
            user_agent: format!("/Groestlcoin:{}.0.0/", 28 + n % 4),
            services: vec!["NETWORK".to_owned(), "WITNESS".to_owned()],
            relay_transactions: true,
            synced_headers: 1234,
            synced_blocks: 1234 - n,
            connected: NOW - 3600 * (n + 1) - n * 7,
            last_block: NOW - 60 * n,
            last_send: NOW - n,
            last_receive: NOW - 2 * n,
            bytes_sent: 12_345 * (n as u64 + 1),
            bytes_received: 67_890 * (n as u64 + 1),
            ping_us: Some(20_000 + n as u64 * 3000),
            min_ping_us: Some(15_000 + n as u64 * 2500),
            address_relay: true,
            addresses_processed: 1000 + n as u64,
            ..PeerSnapshot::default()
        })
        .collect()
}

pub(super) fn fees() -> FeeLevels {
    let level = |target: u32| FeeLevel {
        target,
        rate: 12_000 / u64::from(target) + 1000,
        source: FeeReason::HalfEstimate,
        returned_target: target,
    };
    FeeLevels { levels: (1..=9).map(level).collect(), required: 1000, default_target: 6, max_fee: COIN / 10 }
}

pub(super) fn preview(request: &SendRequest, available: i64) -> Result<SendPreview, SendProblem> {
    let rate = match request.fee {
        FeeChoice::Rate(rate) => rate,
        FeeChoice::Target(target) => 12_000 / u64::from(target.max(1)) + 1000,
    };
    let vsize = 110 + 31 * request.recipients.len() as u32;
    let fee = (rate * u64::from(vsize)).div_ceil(1000) as i64;
    let payers = request.recipients.iter().filter(|r| r.subtract_fee).count() as i64;
    let share = if payers == 0 { 0 } else { fee / payers };
    let amounts: Vec<i64> =
        request.recipients.iter().map(|r| if r.subtract_fee { r.amount - share } else { r.amount }).collect();
    let total = amounts.iter().sum::<i64>() + fee;
    if total > available {
        return Err(SendProblem::InsufficientFunds { available, needed: total });
    }
    let tx = MutableTransaction {
        outputs: amounts
            .iter()
            .map(|a| TxOut { value: Amount(*a), script_pubkey: Default::default() })
            .collect(),
        ..MutableTransaction::default()
    };
    Ok(SendPreview {
        tx: TxRef::new(tx.into()),
        amounts,
        fee,
        fee_rate: rate,
        source: FeeReason::HalfEstimate,
        target: match request.fee {
            FeeChoice::Target(target) => Some(target),
            FeeChoice::Rate(_) => None,
        },
        vsize,
        inputs: 2,
        change: available - total,
        total,
    })
}

pub(super) fn wallet(name: &str, rows: &[TxRow]) -> WalletView {
    let settled = |row: &&TxRow| !matches!(row.status, TxStatus::Conflicted);
    WalletView {
        info: Arc::new(WalletInfo {
            name: name.to_owned(),
            private_keys: true,
            address_kinds: AddressKind::ALL.to_vec(),
            default_address_kind: AddressKind::Bech32,
            file: format!("/home/ada/.groestlcoin/regtest/wallets/{name}/wallet.dat"),
        }),
        snapshot: Arc::new(WalletSnapshot {
            balances: Balances { available: 1_234_567_890_123, pending: 150_000_000, immature: 25 * COIN },
            transactions: rows.len() as u32,
            transactions_version: 1,
            requests_version: 1,
            recent: rows.iter().rev().filter(settled).take(5).cloned().collect(),
            last_block_height: 1234,
            ..WalletSnapshot::default()
        }),
        requests: Arc::new((0..6_u64).map(request).collect()),
        ..WalletView::default()
    }
}

fn request(n: u64) -> ReceiveRequest {
    ReceiveRequest {
        id: n,
        time: NOW - 86_400 * (n as i64 + 1),
        address: address(500 + n),
        label: LABELS[(n % 8) as usize].to_owned(),
        amount: if n.is_multiple_of(2) { 150_000_000 * (n as i64 + 1) } else { 0 },
        message: if n.is_multiple_of(3) { "Invoice 2026-11".to_owned() } else { String::new() },
    }
}

fn traffic() -> TrafficHistory {
    let mut history = TrafficHistory::default();
    let (mut received, mut sent) = (0, 0);
    for n in 0..1800_u64 {
        received += 4000 + 3000 * (n % 37) + if n % 300 < 20 { 90_000 } else { 0 };
        sent += 2500 + 1500 * (n % 23);
        history.add(NOW - 3600 + n as i64 * 2, received, sent);
    }
    history
}

pub(super) fn view(rows: &[TxRow]) -> View {
    let info = NodeInfo {
        client_name: "Groestlcoin Core".to_owned(),
        version: "v31.0.0".to_owned(),
        user_agent: "/Groestlcoin:31.0.0/".to_owned(),
        network: "regtest".to_owned(),
        data_dir: "/home/ada/.groestlcoin/regtest".to_owned(),
        blocks_dir: "/home/ada/.groestlcoin/regtest/blocks".to_owned(),
        debug_log: "/home/ada/.groestlcoin/regtest/debug.log".to_owned(),
        start_time: NOW - 7200,
        process_id: 4711,
        block_spacing: 60,
        wallet_enabled: true,
        pruned: false,
    };
    let node = NodeSnapshot {
        time_ms: NOW * 1000,
        phase: NodePhase::Running,
        sync: SyncSnapshot {
            blocks: 1234,
            headers: 1234,
            best_block: BlockHash::from_bytes([0x22; 32]),
            tip_time: NOW - 45,
            header_time: NOW - 45,
            progress: 1.0,
            ..SyncSnapshot::default()
        },
        network_active: true,
        connections: ConnectionCounts { inbound: 4, outbound: 8 },
        traffic: TrafficTotals { received: 123_456_789, sent: 23_456_789 },
        mempool: MempoolTotals { transactions: 321, usage: 1_234_567, max_usage: 300_000_000 },
        local_addresses: vec!["198.51.100.7:1331".to_owned()],
        wallet_process: WalletProcessState::Running { generation: 1 },
        ..NodeSnapshot::default()
    };
    let loaded = vec!["Household".to_owned(), "Savings".to_owned()];
    let entries = ["Household", "Savings", "Old wallet", "Archive 2014"];
    let methods = [
        "getbalance",
        "getbestblockhash",
        "getblock",
        "getblockchaininfo",
        "getblockcount",
        "getblockhash",
        "getnewaddress",
        "getpeerinfo",
        "help",
        "listtransactions",
        "sendtoaddress",
        "stop",
        "walletpassphrase",
    ];
    let line = |kind, text: &str| ConsoleLine { time: NOW - 30, kind, text: text.to_owned() };
    View {
        version: 1,
        link: Link::Running,
        ownership: Ownership::Started,
        info: Some(Arc::new(info)),
        node: Some(Arc::new(node)),
        wallet_link: WalletLink::Running,
        wallet: Some(Arc::new(wallet("Household", rows))),
        loaded: Arc::new(loaded.clone()),
        wallet_entries: Arc::new(
            entries
                .into_iter()
                .map(|name| WalletEntry {
                    name: name.to_owned(),
                    format: if name.contains("2014") { "bdb" } else { "sqlite" }.to_owned(),
                    loaded: loaded.iter().any(|l| l == name),
                })
                .collect(),
        ),
        console: Arc::new(vec![
            line(LineKind::Request, "getblockcount"),
            line(LineKind::Answer, "1234"),
            line(LineKind::Request, "walletpassphrase(…)"),
            line(
                LineKind::Error,
                "Error: running with an unencrypted wallet, but walletpassphrase was called. (code -15)",
            ),
        ]),
        rpc_methods: Arc::new(methods.map(str::to_owned).to_vec()),
        traffic: Arc::new(traffic()),
        bans: Arc::new(vec![BanEntry {
            subnet: "192.0.2.0/24".into(),
            created: NOW - 3600,
            until: NOW + 82_800,
        }]),
        sync_rate: SyncRate::default(),
        ..View::default()
    }
}
