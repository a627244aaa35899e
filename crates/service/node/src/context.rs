use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use grs_addrman::BanMan;
use grs_args::ArgsManager;
use grs_chainstate::ChainstateManager;
use grs_index::FilterIndex;
use grs_mempool::Mempool;
use grs_mempool::fees::FeeEstimator;
use grs_params::ChainParams;
use grs_rpc::{RpcError, RpcTable, code};
use grs_socket::ConnectionManager;
use grs_sync::{Interrupt, Scheduler};

use crate::gui_interface::GuiContext;
use crate::mining::DraftMaker;
use crate::remote_calls::RemoteCalls;
use crate::tip::TipWatch;

/// A subscriber of the chain, which may be in another process with a clock of its own.
pub(crate) trait MockTimeSubscriber: Send + Sync {
    /// Tells it that the clock was set to Unix seconds, or back to real time (0), and waits until it knows.
    fn mock_time_changed(&self, time: i64);
}

/// What the parts of a node share. Parts are filled in while the node starts; each accessor says what it is before.
pub struct NodeContext {
    /// Options.
    pub args: Arc<ArgsManager>,
    /// The network.
    pub params: Arc<ChainParams>,
    /// Set when the node has to stop.
    pub shutdown: Interrupt,
    /// Delayed and repeated work.
    pub scheduler: Scheduler,
    /// RPC methods.
    pub rpc: Arc<RpcTable>,
    pub(crate) remote_calls: Arc<RemoteCalls>,
    /// The tip, for those who wait for another one.
    pub tip: Arc<TipWatch>,
    /// Templates for outside miners.
    pub(crate) drafts: DraftMaker,
    pub(crate) chainman: OnceLock<Arc<ChainstateManager>>,
    pub(crate) mempool: OnceLock<Arc<Mempool>>,
    pub(crate) banman: OnceLock<Arc<BanMan>>,
    pub(crate) connman: OnceLock<Arc<ConnectionManager>>,
    pub(crate) fees: OnceLock<Arc<FeeEstimator>>,
    pub(crate) filter_index: OnceLock<Arc<FilterIndex>>,
    pub(crate) gui: GuiContext,
    exit_status: AtomicI32,
    warnings: Mutex<Vec<(String, String)>>,
    on_mock_time: Mutex<Vec<Arc<dyn Fn(i64) + Send + Sync>>>,
    mock_time_subscribers: Mutex<Vec<Weak<dyn MockTimeSubscriber>>>,
    on_mock_forward: Mutex<Vec<Arc<dyn Fn(i64) + Send + Sync>>>,
}

impl NodeContext {
    /// A node with nothing but its options.
    pub fn new(args: Arc<ArgsManager>, params: Arc<ChainParams>) -> Arc<NodeContext> {
        let shutdown = Interrupt::new();
        let rpc = Arc::new(RpcTable::new());
        Arc::new(NodeContext {
            args,
            params,
            tip: TipWatch::new(shutdown.clone()),
            remote_calls: RemoteCalls::new(rpc.clone(), shutdown.clone()),
            shutdown,
            scheduler: Scheduler::new(),
            rpc,
            drafts: DraftMaker::default(),
            chainman: OnceLock::new(),
            mempool: OnceLock::new(),
            banman: OnceLock::new(),
            connman: OnceLock::new(),
            fees: OnceLock::new(),
            filter_index: OnceLock::new(),
            gui: GuiContext::default(),
            exit_status: AtomicI32::new(0),
            warnings: Mutex::new(Vec::new()),
            on_mock_time: Mutex::new(Vec::new()),
            mock_time_subscribers: Mutex::new(Vec::new()),
            on_mock_forward: Mutex::new(Vec::new()),
        })
    }

    /// The chain; an RPC error before it is loaded.
    pub fn chainman(&self) -> Result<&Arc<ChainstateManager>, RpcError> {
        self.chainman.get().ok_or_else(|| RpcError::internal("Node chainman not found"))
    }

    /// The mempool; an RPC error before it is there.
    pub fn mempool(&self) -> Result<&Arc<Mempool>, RpcError> {
        self.mempool.get().ok_or_else(|| {
            RpcError::new(code::CLIENT_MEMPOOL_DISABLED, "Mempool disabled or instance not found")
        })
    }

    /// Connections; an RPC error before they are there.
    pub fn connman(&self) -> Result<&Arc<ConnectionManager>, RpcError> {
        self.connman.get().ok_or_else(|| {
            RpcError::new(code::CLIENT_P2P_DISABLED, "Error: Peer-to-peer functionality missing or disabled")
        })
    }

    /// The ban list; an RPC error before it is there.
    pub fn banman(&self) -> Result<&Arc<BanMan>, RpcError> {
        self.banman.get().ok_or_else(|| RpcError::new(code::DATABASE_ERROR, "Error: Ban database not loaded"))
    }

    /// The fee estimator; an RPC error where there is none (`-blocksonly`, or not loaded yet).
    pub fn fee_estimator(&self) -> Result<&Arc<FeeEstimator>, RpcError> {
        self.fees.get().ok_or_else(|| RpcError::internal("Fee estimation disabled"))
    }

    /// The process of the wallets has been started again after a loss; windows are told.
    pub fn wallet_process_running(&self) {
        self.gui.wallet_running(false);
    }

    /// The process of the wallets is gone; windows are told why.
    pub fn wallet_process_lost(&self, cause: String) {
        self.gui.wallet_lost(cause);
    }

    /// Code that the process ends with.
    pub fn exit_status(&self) -> i32 {
        self.exit_status.load(Ordering::SeqCst)
    }

    /// Ends the process with a failure after an orderly stop.
    pub fn fail(&self) {
        self.exit_status.store(1, Ordering::SeqCst);
    }

    /// Asks the node to stop.
    pub fn request_shutdown(&self) {
        self.shutdown.interrupt();
    }

    /// Calls `hook` with the new mock time whenever it is set (0: real clock).
    pub fn on_mock_time(&self, hook: Arc<dyn Fn(i64) + Send + Sync>) {
        self.on_mock_time.lock().unwrap_or_else(PoisonError::into_inner).push(hook);
    }

    /// Calls `hook` when the schedulers are moved on by so many seconds.
    pub fn on_mock_forward(&self, hook: Arc<dyn Fn(i64) + Send + Sync>) {
        self.on_mock_forward.lock().unwrap_or_else(PoisonError::into_inner).push(hook);
    }

    /// Sets the mock time of this process and of those that depend on it.
    pub fn set_mock_time(&self, time: i64) {
        grs_sync::clock::set_mock_time(time);
        let hooks = self.on_mock_time.lock().unwrap_or_else(PoisonError::into_inner).clone();
        hooks.iter().for_each(|h| h(time));
        let subscribers = self.mock_time_subscribers.lock().unwrap_or_else(PoisonError::into_inner).clone();
        subscribers.iter().filter_map(Weak::upgrade).for_each(|s| s.mock_time_changed(time));
    }

    /// Tells a subscriber of the chain the mock time whenever it is set, as long as there is one.
    pub(crate) fn tell_mock_time<S: MockTimeSubscriber + 'static>(&self, subscriber: &Arc<S>) {
        let mut list = self.mock_time_subscribers.lock().unwrap_or_else(PoisonError::into_inner);
        list.retain(|known| known.strong_count() > 0);
        let subscriber: Arc<dyn MockTimeSubscriber> = subscriber.clone();
        list.push(Arc::downgrade(&subscriber));
    }

    /// Moves the schedulers on.
    pub fn mock_scheduler_forward(&self, seconds: i64) {
        self.scheduler.mock_forward(std::time::Duration::from_secs(seconds.max(0) as u64));
        let hooks = self.on_mock_forward.lock().unwrap_or_else(PoisonError::into_inner).clone();
        hooks.iter().for_each(|h| h(seconds));
    }

    /// Adds or changes a warning that RPC results show.
    pub fn set_warning(&self, id: &str, message: &str) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.retain(|(k, _)| k != id);
        warnings.push((id.to_owned(), message.to_owned()));
    }

    /// Takes a warning back.
    pub fn unset_warning(&self, id: &str) {
        self.warnings.lock().unwrap_or_else(PoisonError::into_inner).retain(|(k, _)| k != id);
    }

    /// Texts of all warnings.
    pub fn warnings(&self) -> Vec<String> {
        let warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        warnings.iter().map(|(_, m)| m.clone()).collect()
    }
}
