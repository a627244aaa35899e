use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use grs_args::ArgsManager;
use grs_chainstate::{ChainstateManager, ValidationSignals};
use grs_mempool::Mempool;
use grs_params::ChainParams;
use grs_rpc::{RpcError, RpcTable, code};
use grs_sync::{Interrupt, Scheduler};

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
    /// Events of validation and mempool.
    pub signals: Arc<ValidationSignals>,
    /// RPC methods.
    pub rpc: Arc<RpcTable>,
    pub(crate) chainman: OnceLock<Arc<ChainstateManager>>,
    pub(crate) mempool: OnceLock<Arc<Mempool>>,
    pub(crate) exit_status: AtomicI32,
    pub(crate) warnings: Mutex<Vec<(String, String)>>,
}

impl NodeContext {
    /// A node with nothing but its options.
    pub fn new(args: Arc<ArgsManager>, params: Arc<ChainParams>) -> Arc<NodeContext> {
        Arc::new(NodeContext {
            args,
            params,
            shutdown: Interrupt::new(),
            scheduler: Scheduler::new(),
            signals: Arc::new(ValidationSignals::new()),
            rpc: Arc::new(RpcTable::new()),
            chainman: OnceLock::new(),
            mempool: OnceLock::new(),
            exit_status: AtomicI32::new(0),
            warnings: Mutex::new(Vec::new()),
        })
    }

    /// The chain; an RPC error before it is loaded.
    pub fn chainman(&self) -> Result<&Arc<ChainstateManager>, RpcError> {
        self.chainman.get().ok_or_else(|| RpcError::internal("Node chainman not found"))
    }

    /// The mempool; an RPC error before it is there.
    pub fn mempool(&self) -> Result<&Arc<Mempool>, RpcError> {
        self.mempool
            .get()
            .ok_or_else(|| RpcError::new(code::CLIENT_MEMPOOL_DISABLED, "Mempool disabled or instance not found"))
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
