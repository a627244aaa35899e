//! The steps of a start. Reference: `AppInitParameterInteraction` to `AppInitMain`.

use std::path::PathBuf;
use std::sync::Arc;

use grs_chainstate::{ChainstateManager, LoadError, VerifyResult};
use grs_log::{error, info, warn};
use grs_mempool::Mempool;
use grs_mempool::fees::{FEE_FLUSH_INTERVAL, FeeEstimator};
use grs_params::Network;
use grs_policy::{DEFAULT_BLOCK_RESERVED_WEIGHT, MINIMUM_BLOCK_RESERVED_WEIGHT};
use grs_rpc::control::ControlHooks;
use grs_sync::thread;

use super::lock::lock_directory;
use super::{
    CLIENT_NAME, Running, StartFailed, init_error, init_warning, network, options, servers, stopping,
};
use crate::NodeContext;
use crate::chain_interface::NodeChain;
use crate::notifications::NodeNotifications;

/// Seconds that the tip may be ahead of the clock.
const MAX_FUTURE_BLOCK_TIME: i64 = 2 * 3600;
const MAX_BLOCK_WEIGHT: i64 = 4_000_000;
const DEFAULT_CHECKBLOCKS: i64 = 6;
const DEFAULT_CHECKLEVEL: i64 = 3;
/// Bytes that must be free to start.
const MIN_DISK_SPACE: u64 = 50 << 20;
const GIB: u64 = 1 << 30;

pub(crate) use super::network::Limits;

pub(crate) fn fail<T>(text: impl AsRef<str>) -> Result<T, StartFailed> {
    init_error(text.as_ref());
    Err(StartFailed)
}

/// Options whose subject this version does not have yet. Better no start than a node that ignores them.
const NOT_YET: &[&str] = &[
    "-txindex",
    "-txospenderindex",
    "-coinstatsindex",
    "-peerblockfilters",
    "-rest",
    "-privatebroadcast",
    "-capturemessages",
];

/// Like [`NOT_YET`], for options that are set by a value.
const NOT_YET_VALUES: &[&str] = &[
    "-zmqpubhashblock",
    "-zmqpubhashtx",
    "-zmqpubrawblock",
    "-zmqpubrawtx",
    "-zmqpubsequence",
    "-i2psam",
    "-asmap",
];

fn check_not_yet(node: &NodeContext) -> Result<(), StartFailed> {
    let args = &node.args;
    let switched = NOT_YET.iter().find(|o| {
        args.get_opt_str(o).is_some_and(|v| v != "0")
            && (args.get_bool(o, false) || !args.get_list(o).is_empty())
    });
    let valued = NOT_YET_VALUES.iter().find(|o| args.get_list(o).iter().any(|v| !v.is_empty() && v != "0"));
    match switched.or(valued) {
        Some(option) => fail(format!("Option {option} is not available in this version yet.")),
        None => Ok(()),
    }
}

/// Checks options against each other. What the connections may use comes out.
pub(crate) fn check_parameters(node: &Arc<NodeContext>) -> Result<Limits, StartFailed> {
    let args = &node.args;
    if args.is_set("-checkpoints") {
        init_warning("Option '-checkpoints' is set but checkpoints were removed. This option has no effect.");
    }
    for (option, what) in [("-limitancestorsize", "ancestor"), ("-limitdescendantsize", "descendant")] {
        if args.is_set(option) {
            init_warning(&format!(
                "Option '{option}' is given but {what} size limits have been replaced with cluster size limits (see \
                 -limitclustersize). This option has no effect."
            ));
        }
    }
    if node.params.network == Network::Signet {
        info!("Signet derived magic (message start): {}", grs_encoding::hex_encode(node.params.magic));
    }
    let errors = args.section_only_errors();
    if !errors.is_empty() {
        return fail(errors.iter().map(|e| format!("{e}\n")).collect::<String>());
    }
    if node.params.network == Network::Test {
        info!(
            "Warning: Support for testnet3 is deprecated and will be removed in an upcoming release. Consider \
             switching to testnet4."
        );
    }
    let warnings = args.section_warnings();
    if !warnings.is_empty() {
        init_warning(&warnings.iter().map(|w| format!("{w}\n")).collect::<String>());
    }
    if !args.blocks_dir_path().is_some_and(|d| d.is_dir()) {
        let dir = args.get_str("-blocksdir", "");
        return fail(format!("Specified blocks directory \"{dir}\" does not exist."));
    }
    check_filter_names(node)?;
    if args.get_int("-prune", 0_i64) != 0 {
        for option in ["-txindex", "-txospenderindex"] {
            if args.get_bool(option, false) {
                return fail(format!("Prune mode is incompatible with {option}."));
            }
        }
        if args.get_bool("-reindex-chainstate", false) {
            return fail("Prune mode is incompatible with -reindex-chainstate. Use full -reindex instead.");
        }
    }
    let limits = network::check_limits(node)?;
    grs_args::set_logging_categories(args).or_else(fail)?;
    grs_args::set_logging_level(args).or_else(fail)?;
    check_mining_options(node)?;
    if let Some(time) = args.get_opt_int::<i64>("-mocktime") {
        grs_sync::clock::set_mock_time(time);
    }
    check_test_options(node)?;
    options::chainstate_options(args, &node.params, &node.shutdown).or_else(fail)?;
    options::mempool_options(args, &node.params).or_else(fail)?;
    Ok(limits)
}

fn check_filter_names(node: &NodeContext) -> Result<(), StartFailed> {
    let value = node.args.get_str("-blockfilterindex", "0");
    let on = value != "0";
    if on && !value.is_empty() && value != "1" {
        let unknown = node.args.get_list("-blockfilterindex").into_iter().find(|n| n != "basic");
        if let Some(name) = unknown {
            return fail(format!("Unknown -blockfilterindex value {name}."));
        }
    }
    if node.args.get_bool("-peerblockfilters", false) && !on {
        return fail("Cannot set -peerblockfilters without -blockfilterindex.");
    }
    Ok(())
}

fn check_mining_options(node: &NodeContext) -> Result<(), StartFailed> {
    let args = &node.args;
    if let Some(text) = args.get_opt_str("-blockmintxfee") {
        let amount = grs_rpc::value::parse_fixed_point(&text, 8);
        if !amount.is_some_and(|n| (0..=grs_primitives::MAX_MONEY).contains(&n)) {
            return fail(options::amount_error("blockmintxfee", &text));
        }
    }
    let weight = args.get_int("-blockmaxweight", MAX_BLOCK_WEIGHT);
    if weight > MAX_BLOCK_WEIGHT {
        return fail(format!(
            "Specified -blockmaxweight ({weight}) exceeds consensus maximum block weight ({MAX_BLOCK_WEIGHT})"
        ));
    }
    let reserved = args.get_int("-blockreservedweight", DEFAULT_BLOCK_RESERVED_WEIGHT as i64);
    if reserved > MAX_BLOCK_WEIGHT {
        return fail(format!(
            "Specified -blockreservedweight ({reserved}) exceeds consensus maximum block weight ({MAX_BLOCK_WEIGHT})"
        ));
    }
    if reserved < MINIMUM_BLOCK_RESERVED_WEIGHT as i64 {
        return fail(format!(
            "Specified -blockreservedweight ({reserved}) is lower than minimum safety value of \
             ({MINIMUM_BLOCK_RESERVED_WEIGHT})"
        ));
    }
    Ok(())
}

fn check_test_options(node: &NodeContext) -> Result<(), StartFailed> {
    const KNOWN: [&str; 3] = ["addrman", "reindex_after_failure_noninteractive_yes", "bip94"];
    let given = node.args.get_list("-test");
    if !given.is_empty() && node.params.network != Network::Regtest {
        return fail("-test=<option> can only be used with regtest");
    }
    for option in given.iter().filter(|o| !KNOWN.contains(&o.as_str())) {
        init_warning(&format!("Unrecognised option \"{option}\" provided in -test=<option>."));
    }
    Ok(())
}

/// Makes sure that the random source and the signature library work.
pub(crate) fn sanity_checks() -> Result<(), StartFailed> {
    let key = grs_keys::SecretKey::generate(true, |bytes| {
        bytes.iter_mut().zip(1_u8..).for_each(|(b, i)| *b = i);
    });
    let works = {
        let hash = grs_hashes::purpose::sha256(b"key pair check");
        key.public_key().verify(&hash, &key.sign(&hash, true))
    };
    if works {
        Ok(())
    } else {
        fail(format!("Elliptic curve cryptography sanity check failure. {CLIENT_NAME} is shutting down."))
    }
}

/// Locks the data directory and the one of blocks.
pub(crate) fn lock_directories(node: &NodeContext) -> Result<Vec<Box<dyn grs_fs::FileLock>>, StartFailed> {
    let data = node.args.data_dir_net();
    let blocks = node.args.blocks_dir_path().unwrap_or_else(|| data.join("blocks"));
    let mut locks = vec![lock_directory(&data).or_else(fail)?];
    if blocks != data {
        locks.push(lock_directory(&blocks).or_else(fail)?);
    }
    Ok(locks)
}

fn create_pid_file(node: &NodeContext) -> Result<Option<PathBuf>, StartFailed> {
    let args = &node.args;
    if args.is_negated("-pid") {
        return Ok(None);
    }
    let path = args.get_path("-pid", "groestlcoind.pid");
    let path = grs_args::abs_path_for_config_val(args, &path, true);
    match std::fs::write(&path, format!("{}\n", std::process::id())) {
        Ok(()) => Ok(Some(path)),
        Err(e) => {
            let why = grs_fs::os_error_text(&e);
            fail(format!("Unable to create the PID file '{}': {why}", path.display()))
        }
    }
}

/// Everything from the log file to "Done loading".
pub(crate) fn start(running: &mut Running, limits: &Limits) -> Result<(), StartFailed> {
    let node = running.node.clone();
    let args = node.args.clone();
    network::check_upload_target(&args)?;
    running.pid_file = create_pid_file(&node)?;
    if let Some(warning) = grs_args::start_logging(&args).or_else(fail)? {
        init_warning(&warning);
    }
    info!(
        "Using at most {} automatic connections ({} file descriptors available)",
        limits.max_connections, limits.file_descriptors
    );
    warn_relative_data_dir(&node);
    start_scheduler(&node)?;
    register_rpcs(&node);
    node.rpc.register(crate::rpc::getipcinfo(&running.host));
    start_wallet(running)?;
    for address in args.get_list("-ipcbind") {
        let bound = running.host.listen_ipc(&node, &address).or_else(fail)?;
        info!("Listening for IPC requests on address {bound}");
    }
    network::check_host_ports(&args)?;
    if args.get_bool("-server", false) {
        node.rpc.set_warmup_status("RPC server started");
        // Wallets of other processes come later.
        let wallets = running.wallet.is_some() || !args.get_list("-ipcbind").is_empty();
        running.servers = servers::start(&node, wallets);
        if running.servers.is_none() {
            return fail("Unable to start HTTP server. See debug log for details.");
        }
    }
    if let Some(wallet) = &running.wallet
        && !wallet_answer(wallet.verify())?
    {
        return Err(StartFailed);
    }
    start_fee_estimator(&node)?;
    let net_options = network::options(&node, limits)?;
    check_not_yet(&node)?;
    load_chain(&node)?;
    if stopping(&node.shutdown) {
        info!("Shutdown requested. Exiting.");
        return Ok(());
    }
    super::index::open(&node)?;
    network::create(&node, net_options)?;
    if let (Some(fees), Some(mempool)) = (node.fees.get(), node.mempool.get()) {
        mempool.subscribe(fees.clone());
    }
    if let Some(wallet) = &running.wallet
        && !wallet_answer(wallet.load())?
    {
        return Err(StartFailed);
    }
    node.gui.wallet_running(true);
    let chainman = node.chainman.get().cloned().ok_or(StartFailed)?;
    if node.args.get_int("-prune", 0_i64) != 0 {
        init_message(&node, "Pruning blockstore…");
        chainman.prune_and_flush();
    } else {
        info!("Setting NODE_NETWORK in non-prune mode");
    }
    check_disk_space(&node, &chainman)?;
    running.import = Some(start_import(&node, &chainman)?);
    super::index::start(&node)?;
    node.tip.wait(None, |_, _| true);
    if stopping(&node.shutdown) {
        return Ok(());
    }
    info!("block tree size = {}", chainman.index().len());
    info!("nBestHeight = {}", chainman.view().height());
    network::start(&node)?;
    node.rpc.set_warmup_finished();
    init_message(&node, "Done loading");
    if let Some(wallet) = &running.wallet {
        wallet_answer(wallet.start().map(|()| true))?;
    }
    network::schedule(&node);
    for command in args.get_list("-startupnotify") {
        crate::notifications::run_detached(command);
    }
    Ok(())
}

fn init_message(node: &NodeContext, text: &str) {
    info!("init message: {text}");
    node.rpc.set_warmup_status(text);
}

/// The answer of the wallet to a step of the start; losing it there ends the start.
fn wallet_answer(answer: grs_interfaces::CallResult<bool>) -> Result<bool, StartFailed> {
    answer.or_else(|e| fail(format!("The wallet failed to start: {e}")))
}

fn warn_relative_data_dir(node: &NodeContext) {
    let Some(dir) = node.args.get_opt_str("-datadir") else { return };
    if !std::path::Path::new(&dir).is_absolute() {
        let here = std::env::current_dir().unwrap_or_default();
        warn!(
            "Relative datadir option '{dir}' specified, which will be interpreted relative to the current working \
             directory '{}'. This is fragile, because if groestlcoin is started in the future from a different \
             location, it will be unable to locate the current data files. There could also be data loss if \
             groestlcoin is started while in a temporary directory.",
            here.display()
        );
    }
}

fn start_scheduler(node: &Arc<NodeContext>) -> Result<(), StartFailed> {
    if let Err(e) = node.scheduler.start() {
        return fail(format!("Cannot start the scheduler: {e}"));
    }
    let watched = Arc::downgrade(node);
    node.scheduler.schedule_every(std::time::Duration::from_secs(300), move || {
        let Some(node) = watched.upgrade() else { return };
        if let Some(dir) = node.args.blocks_dir_path()
            && grs_fs::RealEnv::shared().free_space(&dir).is_ok_and(|free| free < MIN_DISK_SPACE)
        {
            error!("Shutting down due to lack of disk space!");
            node.request_shutdown();
        }
    });
    if node.args.get_bool("-logratelimit", true) {
        grs_log::logger().start_rate_limit(
            &node.scheduler,
            grs_log::RATELIMIT_MAX_BYTES,
            grs_log::RATELIMIT_WINDOW,
        );
    } else {
        info!("Log rate limiting disabled");
    }
    Ok(())
}

fn register_rpcs(node: &Arc<NodeContext>) {
    let started = grs_sync::clock::steady_now();
    let stop = Arc::downgrade(node);
    let log = grs_log::logger().options().file_path;
    grs_rpc::control::register(
        &node.rpc,
        ControlHooks {
            shutdown: Box::new(move || {
                if let Some(node) = stop.upgrade() {
                    node.request_shutdown();
                }
            }),
            uptime: Box::new(move || grs_sync::clock::steady_now().saturating_sub(started).as_secs() as i64),
            log_path: log.display().to_string(),
            client_name: CLIENT_NAME.to_owned(),
        },
    );
    crate::rpc::register(node);
}

fn start_wallet(running: &mut Running) -> Result<(), StartFailed> {
    let node = &running.node;
    if node.args.get_bool("-disablewallet", false) {
        info!("Wallet disabled!");
        return Ok(());
    }
    let chain = NodeChain::for_node(node);
    let loader = running.host.make_wallet_loader(node, chain);
    running.wallet = loader.or_else(|e| fail(format!("Cannot start the wallet: {e}")))?;
    let Some(wallet) = &running.wallet else { return Ok(()) };
    node.gui.set_wallet_loader(wallet);
    wallet_answer(wallet.register_rpcs().map(|()| true))?;
    let mocked = Arc::downgrade(wallet);
    node.on_mock_time(Arc::new(move |time| {
        if let Some(wallet) = mocked.upgrade()
            && let Err(e) = wallet.set_mock_time(time)
        {
            warn!("The wallet did not take the mock time: {e}");
        }
    }));
    let forwarded = Arc::downgrade(wallet);
    node.on_mock_forward(Arc::new(move |seconds| {
        if let Some(wallet) = forwarded.upgrade()
            && let Err(e) = wallet.scheduler_mock_forward(seconds)
        {
            warn!("The wallet's scheduler did not move on: {e}");
        }
    }));
    Ok(())
}

fn start_fee_estimator(node: &Arc<NodeContext>) -> Result<(), StartFailed> {
    let args = &node.args;
    if args.get_bool("-blocksonly", false) {
        return Ok(());
    }
    let stale = args.get_bool("-acceptstalefeeestimates", false);
    if stale && node.params.network != Network::Regtest {
        return fail(format!(
            "acceptstalefeeestimates is not supported on {} chain.",
            node.params.network.name()
        ));
    }
    let fees = FeeEstimator::load(&args.data_dir_net().join("fee_estimates.dat"), stale);
    let weak = Arc::downgrade(&fees);
    node.scheduler.schedule_every(FEE_FLUSH_INTERVAL, move || {
        if let Some(fees) = weak.upgrade() {
            fees.flush_estimates();
        }
    });
    let _ = node.fees.set(fees);
    Ok(())
}

/// Opens the chain state, with the question whether to rebuild it answered by option only: there is nobody to ask.
fn load_chain(node: &Arc<NodeContext>) -> Result<(), StartFailed> {
    let args = &node.args;
    if let Some(warning) = options::oversized_cache_warning(args) {
        init_warning(&warning);
    }
    let caches = options::cache_sizes(args);
    let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    info!("Cache configuration:");
    info!("* Using {:.1} MiB for block index database", mib(caches.block_tree_db));
    info!("* Using {:.1} MiB for chain state database", mib(caches.coins_db));
    let reindex = args.get_bool("-reindex", false);
    match open_chain(node, reindex) {
        Err(LoadError::Failure(text)) if !reindex && !stopping(&node.shutdown) => {
            if args.has_test_option("reindex_after_failure_noninteractive_yes") {
                open_chain(node, true).or_else(|e| fail(e.to_string()))
            } else {
                // A question that nobody is there to answer: without the word "Error".
                let question =
                    format!("{text}.\nPlease restart with -reindex or -reindex-chainstate to recover.");
                error!("{question}");
                eprintln!("{question}");
                Err(StartFailed)
            }
        }
        Err(LoadError::Interrupted) => {
            node.request_shutdown();
            Ok(())
        }
        other => other.or_else(|e| fail(e.to_string())),
    }
}

fn open_chain(node: &Arc<NodeContext>, reindex: bool) -> Result<(), LoadError> {
    let args = &node.args;
    let failure = |text: String| LoadError::IncompatibleDb(text);
    let mempool_options = options::mempool_options(args, &node.params).map_err(failure)?;
    let mut chain_options =
        options::chainstate_options(args, &node.params, &node.shutdown).map_err(failure)?;
    chain_options.reindex = reindex;
    chain_options.reindex_chainstate = args.get_bool("-reindex-chainstate", false);
    chain_options.notifications = NodeNotifications::new(node);
    let mib = |bytes: usize| bytes as f64 / f64::from(1 << 20);
    info!(
        "* Using {:.1} MiB for in-memory UTXO set (plus up to {:.1} MiB of unused mempool space)",
        mib(chain_options.coins_cache_bytes),
        mib(mempool_options.max_size_bytes)
    );
    init_message(node, "Loading block index…");
    let rebuilds = reindex || chain_options.reindex_chainstate;
    let chainman = ChainstateManager::open(chain_options)?;
    init_message(node, "Verifying blocks…");
    if !rebuilds {
        verify(node, &chainman)?;
    }
    info!("Block index and chainstate loaded");
    let mempool = Mempool::new(mempool_options, chainman.signals().clone());
    chainman.set_mempool(mempool.clone());
    if let Some(tip) = chainman.view().tip() {
        node.tip.set(chainman.index().hash(tip), chainman.index().height(tip));
    }
    let _ = node.mempool.set(mempool);
    let _ = node.chainman.set(chainman);
    // Clients of the mining interface wait for this.
    node.tip.wake();
    Ok(())
}

fn verify(node: &NodeContext, chainman: &ChainstateManager) -> Result<(), LoadError> {
    let args = &node.args;
    let Some(tip) = chainman.view().tip() else { return Ok(()) };
    if i64::from(chainman.index().time(tip)) > grs_sync::clock::now_secs() + MAX_FUTURE_BLOCK_TIME {
        return Err(LoadError::Failure(
            "The block database contains a block which appears to be from the future. This may be due to your \
             computer's date and time being set incorrectly. Only rebuild the block database if you are sure that your \
             computer's date and time are correct"
                .into(),
        ));
    }
    let count =
        |option: &str, default: i64| args.get_int(option, default).clamp(0, i64::from(i32::MAX)) as u32;
    let blocks = count("-checkblocks", DEFAULT_CHECKBLOCKS);
    let level = count("-checklevel", DEFAULT_CHECKLEVEL);
    let required = args.is_set("-checkblocks") || args.is_set("-checklevel");
    match chainman.verify(level, blocks) {
        VerifyResult::Success => Ok(()),
        VerifyResult::Interrupted => Err(LoadError::Interrupted),
        VerifyResult::CorruptedBlockDb => Err(LoadError::Failure("Corrupted block database detected".into())),
        VerifyResult::SkippedL3Checks if required => {
            Err(LoadError::InsufficientDbCache("Insufficient dbcache for block verification".into()))
        }
        _ => Ok(()),
    }
}

fn check_disk_space(node: &NodeContext, chainman: &ChainstateManager) -> Result<(), StartFailed> {
    let env = grs_fs::RealEnv::shared();
    let data = node.args.data_dir_net();
    let blocks = node.args.blocks_dir_path().unwrap_or_else(|| data.join("blocks"));
    for dir in [&data, &blocks] {
        if env.free_space(dir).is_ok_and(|free| free < MIN_DISK_SPACE) {
            return fail(format!("Error: Disk space is low for \"{}\"", dir.display()));
        }
    }
    let size = node.params.assumed_blockchain_size;
    if chainman.view().height() <= 1
        && env.free_space(&blocks).is_ok_and(|free| free < size * GIB + MIN_DISK_SPACE)
    {
        init_warning(&format!(
            "Disk space for \"{}\" may not accommodate the block files. Approximately {size} GB of data will be \
             stored in this directory.",
            blocks.display()
        ));
    }
    Ok(())
}

/// The thread that imports blocks, connects what is stored, and loads the mempool.
fn start_import(
    node: &Arc<NodeContext>,
    chainman: &Arc<ChainstateManager>,
) -> Result<std::thread::JoinHandle<()>, StartFailed> {
    let files: Vec<PathBuf> = node.args.get_list("-loadblock").into_iter().map(PathBuf::from).collect();
    let (node, chainman) = (node.clone(), chainman.clone());
    let started = thread::spawn("initload", move || {
        if let Err(e) = chainman.import_blocks(&files) {
            error!("{e}");
            return;
        }
        if node.args.get_bool("-stopafterblockimport", false) {
            info!("Stopping after block import");
            node.request_shutdown();
            return;
        }
        if let Some(mempool) = node.mempool.get() {
            if node.args.get_bool("-persistmempool", true) {
                crate::mempool_file::load(&node, &chainman, mempool);
            }
            if !stopping(&node.shutdown) {
                mempool.set_load_tried();
            }
        }
    });
    started.or_else(|e| fail(format!("Cannot start the thread that imports blocks: {e}")))
}
