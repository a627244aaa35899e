//! The node as a window sees it: `grs_interfaces::gui::Node`. Reference: `src/node/interfaces.cpp`.

mod peers;
mod watch;

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Weak};

use grs_addrman::Subnet;
use grs_interfaces::gui::{
    BanEntry, ConnectionCounts, MempoolTotals, Node, NodeInfo, NodePhase, NodeSnapshot, NodeSubscriber,
    NodeSubscription, SyncSnapshot, TrafficTotals, WalletProcessState, Wallets,
};
use grs_interfaces::{CallError, CallResult, Handler, RpcReply, WalletLoader};
use grs_rpc::{CallInfo, Params};
use grs_socket::Direction;
use grs_sync::clock;
use serde_json::Value;

use crate::NodeContext;
use crate::init::{CLIENT_NAME, VERSION};

const STOPPED: &str = "The node has stopped.";
/// Longest ban, in seconds: 100 years.
const LONGEST_BAN: i64 = 100 * 365 * 24 * 3600;

/// The interface over a node. Holds it weakly: a window does not keep a stopped node alive.
pub struct NodeGui(Weak<NodeContext>);

/// A failed RPC call as the error of an interface.
fn failed(error: grs_rpc::RpcError) -> CallError {
    CallError::remote(error.message)
}

impl NodeGui {
    /// For a node; parts that are not there yet are left out of snapshots.
    pub fn for_node(node: &Arc<NodeContext>) -> Arc<dyn Node> {
        Arc::new(NodeGui(Arc::downgrade(node)))
    }

    fn node(&self) -> CallResult<Arc<NodeContext>> {
        self.0.upgrade().ok_or_else(|| CallError::disconnected(STOPPED))
    }
}

fn phase(node: &NodeContext) -> (NodePhase, String) {
    if node.shutdown.is_interrupted() {
        return (NodePhase::Stopping, String::new());
    }
    match node.rpc.warmup_status() {
        Some(status) => (NodePhase::Starting, status),
        None => (NodePhase::Running, String::new()),
    }
}

fn sync_snapshot(node: &NodeContext, phase: NodePhase) -> SyncSnapshot {
    let (Some(chainman), Some((hash, _))) = (node.chainman.get(), node.tip.get()) else {
        return SyncSnapshot::default();
    };
    let (index, view) = (chainman.index(), chainman.view());
    let Some(tip) = view.tip() else { return SyncSnapshot::default() };
    let header = chainman.best_header();
    let presync = node.gui.presync();
    SyncSnapshot {
        blocks: index.height(tip),
        headers: header.map_or(0, |id| index.height(id)),
        best_block: if index.hash(tip) == hash { hash } else { index.hash(tip) },
        tip_time: i64::from(index.time(tip)),
        header_time: header.map_or(0, |id| i64::from(index.time(id))),
        progress: chainman.guess_verification_progress(Some(tip)),
        initial_download: chainman.is_initial_block_download(),
        presync_headers: presync.filter(|height| header.is_none_or(|id| *height > index.height(id))),
        loading_blocks: phase == NodePhase::Starting,
    }
}

/// A number that changes with the list of bans.
fn bans_version(node: &NodeContext) -> u64 {
    let mut hasher = DefaultHasher::new();
    for (subnet, ban) in node.banman.get().iter().flat_map(|bans| bans.banned()) {
        (subnet.to_string(), ban.created, ban.until).hash(&mut hasher);
    }
    hasher.finish()
}

/// The state of a node now.
fn snapshot(node: &NodeContext, peers: bool) -> NodeSnapshot {
    let (phase, init_message) = phase(node);
    let connman = node.connman.get();
    let count = |direction| connman.map_or(0, |c| c.count(direction) as u32);
    let totals = connman.map(|c| c.totals());
    let mempool = node.mempool.get().map_or_else(MempoolTotals::default, |mempool| {
        let stats = mempool.lock().stats();
        MempoolTotals {
            transactions: stats.count as u64,
            usage: stats.usage as u64,
            max_usage: mempool.options().max_size_bytes as u64,
        }
    });
    let local = connman.map_or_else(Vec::new, |c| c.local_addresses());
    NodeSnapshot {
        time_ms: clock::system_now().as_millis() as i64,
        phase,
        init_message,
        progress: node.gui.progress(),
        sync: sync_snapshot(node, phase),
        network_active: connman.is_none_or(|c| c.network_active()),
        connections: ConnectionCounts { inbound: count(Direction::In), outbound: count(Direction::Out) },
        traffic: totals
            .map_or_else(TrafficTotals::default, |t| TrafficTotals { received: t.received, sent: t.sent }),
        mempool,
        warnings: node.warnings(),
        local_addresses: local.iter().map(|l| l.service.to_string()).collect(),
        wallet_process: node.gui.wallet_state(),
        peers: peers.then(|| connman.map_or_else(Vec::new, |c| peers::all(c))),
        bans_version: bans_version(node),
    }
}

/// A name as a part of the path of a request.
fn percent_encoded(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

fn params(text: &str) -> CallResult<Params> {
    let value: Value = serde_json::from_str(text)
        .map_err(|e| CallError::remote(format!("The parameters are not JSON: {e}")))?;
    match value {
        Value::Array(values) => Ok(Params::Array(values)),
        Value::Object(members) => Ok(Params::Object(members.into_iter().collect())),
        Value::Null => Ok(Params::default()),
        _ => Err(CallError::remote("Parameters are an array or an object.")),
    }
}

impl Node for NodeGui {
    fn info(&self) -> CallResult<NodeInfo> {
        let node = self.node()?;
        let path = |path: std::path::PathBuf| path.display().to_string();
        let agent = node.connman.get().map(|c| c.peer_manager().options().user_agent.clone());
        let log = node.args.get_path("-debuglogfile", grs_log::DEFAULT_DEBUGLOGFILE);
        let log = (!node.args.is_negated("-debuglogfile"))
            .then(|| grs_args::abs_path_for_config_val(&node.args, &log, true));
        Ok(NodeInfo {
            client_name: CLIENT_NAME.to_owned(),
            version: VERSION.to_owned(),
            user_agent: agent.unwrap_or_default(),
            network: node.params.network.name().to_owned(),
            data_dir: path(node.args.data_dir_net()),
            blocks_dir: node.args.blocks_dir_path().map(path).unwrap_or_default(),
            debug_log: log.map(path).unwrap_or_default(),
            start_time: node.gui.started(),
            process_id: std::process::id(),
            block_spacing: u32::try_from(node.params.consensus.pow_target_spacing).unwrap_or(60),
            wallet_enabled: node.gui.wallet_state() != WalletProcessState::None,
            pruned: node.chainman.get().is_some_and(|c| c.store().is_prune_mode()),
        })
    }

    fn snapshot(&self) -> CallResult<NodeSnapshot> {
        Ok(snapshot(self.node()?.as_ref(), true))
    }

    fn subscribe(
        &self,
        wanted: NodeSubscription,
        subscriber: Arc<dyn NodeSubscriber>,
    ) -> CallResult<Arc<dyn Handler>> {
        self.node()?;
        watch::start(self.0.clone(), wanted, subscriber)
    }

    fn execute_rpc(&self, method: &str, arguments: &str, wallet: Option<String>) -> CallResult<RpcReply> {
        let node = self.node()?;
        let mut info = CallInfo::new(node.clone());
        if let Some(name) = wallet {
            info.uri = format!("/wallet/{}", percent_encoded(&name));
        }
        let answer = node.rpc.execute(&info, method, params(arguments)?);
        let text = |output| match output {
            grs_rpc::Output::Value(value) => value.to_string(),
            grs_rpc::Output::Raw(text) => text,
        };
        Ok(answer.map(text).map_err(|e| grs_interfaces::RpcError { code: e.code, message: e.message }))
    }

    fn rpc_methods(&self) -> CallResult<Vec<String>> {
        let mut names = self.node()?.rpc.list_commands();
        names.sort();
        names.dedup();
        Ok(names)
    }

    fn disconnect_peer(&self, id: i64) -> CallResult<bool> {
        Ok(self.node()?.connman().map_err(failed)?.disconnect_id(id))
    }

    fn ban_peer(&self, id: i64, seconds: i64) -> CallResult<bool> {
        let node = self.node()?;
        let connman = node.connman().map_err(failed)?;
        let Some(peer) = connman.peers().into_iter().find(|peer| peer.id == id) else { return Ok(false) };
        let subnet = Subnet::single(peer.address.address)
            .ok_or_else(|| CallError::remote("The address of this peer cannot be banned."))?;
        node.banman().map_err(failed)?.ban(subnet, seconds.clamp(1, LONGEST_BAN), false);
        connman.disconnect_subnet(&subnet);
        Ok(true)
    }

    fn unban(&self, subnet: &str) -> CallResult<bool> {
        let node = self.node()?;
        let subnet = Subnet::parse(subnet).ok_or_else(|| CallError::remote("This is no subnet."))?;
        Ok(node.banman().map_err(failed)?.unban(&subnet))
    }

    fn bans(&self) -> CallResult<Vec<BanEntry>> {
        let node = self.node()?;
        let Some(bans) = node.banman.get() else { return Ok(Vec::new()) };
        let entry = |(subnet, ban): (Subnet, grs_addrman::BanEntry)| BanEntry {
            subnet: subnet.to_string(),
            created: ban.created,
            until: ban.until,
        };
        Ok(bans.banned().into_iter().map(entry).collect())
    }

    fn set_network_active(&self, active: bool) -> CallResult<()> {
        self.node()?.connman().map_err(failed)?.set_network_active(active);
        Ok(())
    }

    fn request_shutdown(&self) -> CallResult<()> {
        self.node()?.request_shutdown();
        Ok(())
    }

    fn wallets(&self) -> CallResult<Option<Arc<dyn Wallets>>> {
        match self.node()?.gui.wallet_loader() {
            None => Ok(None),
            Some(loader) => match loader.upgrade() {
                Some(loader) => loader.gui_wallets().map(Some),
                None => Err(CallError::disconnected("The wallets have been closed.")),
            },
        }
    }
}

/// What the node keeps for windows.
pub(crate) struct GuiContext {
    started: i64,
    state: std::sync::Mutex<GuiData>,
}

#[derive(Default)]
struct GuiData {
    progress: Option<grs_interfaces::gui::ProgressMessage>,
    presync: Option<u32>,
    wallet: WalletProcessState,
    loader: Option<Weak<dyn WalletLoader>>,
    /// Wallet processes so far.
    processes: u64,
}

impl Default for GuiContext {
    fn default() -> Self {
        GuiContext { started: clock::system_now().as_secs() as i64, state: std::sync::Mutex::default() }
    }
}

impl GuiContext {
    fn data(&self) -> std::sync::MutexGuard<'_, GuiData> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn started(&self) -> i64 {
        self.started
    }

    fn progress(&self) -> Option<grs_interfaces::gui::ProgressMessage> {
        self.data().progress.clone()
    }

    fn presync(&self) -> Option<u32> {
        self.data().presync
    }

    fn wallet_state(&self) -> WalletProcessState {
        self.data().wallet.clone()
    }

    fn wallet_loader(&self) -> Option<Weak<dyn WalletLoader>> {
        self.data().loader.clone()
    }

    /// Work is going on; an empty title or 100 percent ends it.
    pub(crate) fn set_progress(&self, title: &str, percent: i32) {
        let going_on = !title.is_empty() && percent < 100;
        self.data().progress = going_on.then(|| grs_interfaces::gui::ProgressMessage {
            title: title.to_owned(),
            percent: u8::try_from(percent).ok(),
        });
    }

    /// Headers that are counted but not stored yet reach to this height.
    pub(crate) fn set_presync(&self, height: i64) {
        self.data().presync = u32::try_from(height).ok();
    }

    /// There are wallets, which are about to load.
    pub(crate) fn set_wallet_loader(&self, loader: &Arc<dyn WalletLoader>) {
        let mut data = self.data();
        data.loader = Some(Arc::downgrade(loader));
        data.wallet = WalletProcessState::Starting;
    }

    /// The wallets have been loaded: `first` by the start of the node, otherwise by a process that was started again.
    pub(crate) fn wallet_running(&self, first: bool) {
        let mut data = self.data();
        if data.loader.is_some() && (first || matches!(data.wallet, WalletProcessState::Lost { .. })) {
            data.processes += 1;
            data.wallet = WalletProcessState::Running { generation: data.processes };
        }
    }

    /// The wallet process is gone.
    pub(crate) fn wallet_lost(&self, cause: String) {
        let mut data = self.data();
        if data.loader.is_some() {
            data.wallet = WalletProcessState::Lost { cause };
        }
    }
}

#[cfg(test)]
mod tests;
