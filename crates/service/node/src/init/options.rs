//! From options to what the parts take. Errors are shown to the user here.

use std::sync::Arc;
use std::time::Duration;

use grs_args::ArgsManager;
use grs_chainstate::ChainstateOptions;
use grs_fs::RealEnv;
use grs_hashes::BlockHash;
use grs_log::info;
use grs_mempool::MempoolOptions;
use grs_params::ChainParams;
use grs_policy::{DEFAULT_BYTES_PER_SIGOP, FeeRate, MAX_OP_RETURN_RELAY};
use grs_rpc::value::parse_fixed_point;
use grs_sync::Interrupt;
use grs_uint::U256;

use super::{StartFailed, init_error};

const MIB: u64 = 1 << 20;
/// Least `-dbcache`, in MiB.
const MIN_DBCACHE_MIB: u64 = 4;
/// `-dbcache` on small machines, in MiB.
const DEFAULT_DBCACHE_MIB: u64 = 450;
/// `-dbcache` with at least 4 GiB of memory, in MiB.
const HIGH_DBCACHE_MIB: u64 = 1024;
/// Smallest prune target, in MiB.
const MIN_PRUNE_MIB: u64 = 550;
const MAX_CLUSTER_COUNT: usize = 64;

fn fail<T>(text: impl AsRef<str>) -> Result<T, StartFailed> {
    init_error(text.as_ref());
    Err(StartFailed)
}

/// Parameters of the chosen network.
pub(crate) fn chain_params(args: &ArgsManager) -> Result<Arc<ChainParams>, StartFailed> {
    crate::params::from_args(args).map(Arc::new).or_else(fail)
}

/// The text for an amount that is none.
pub(crate) fn amount_error(option: &str, value: &str) -> String {
    format!("Invalid amount for -{option}=<amount>: '{value}'")
}

fn fee_rate(args: &ArgsManager, option: &str) -> Result<Option<FeeRate>, String> {
    let Some(text) = args.get_opt_str(&format!("-{option}")) else { return Ok(None) };
    let gro = parse_fixed_point(&text, 8).filter(|n| (0..=grs_primitives::MAX_MONEY).contains(n));
    gro.map(|n| Some(FeeRate::per_kvb(n))).ok_or_else(|| amount_error(option, &text))
}

/// Options of the mempool.
pub(crate) fn mempool_options(args: &ArgsManager, params: &ChainParams) -> Result<MempoolOptions, String> {
    let mut options = MempoolOptions::default();
    let default_ratio = i64::from(params.default_consistency_checks);
    options.check_ratio = args.get_int("-checkmempool", default_ratio).clamp(0, i64::from(u32::MAX)) as u32;
    if let Some(mb) = args.get_opt_int::<i64>("-maxmempool") {
        options.max_size_bytes = mb.max(0) as usize * 1_000_000;
    }
    if let Some(hours) = args.get_opt_int::<i64>("-mempoolexpiry") {
        options.expiry = Duration::from_secs(hours.max(0) as u64 * 3600);
    }
    if let Some(rate) = fee_rate(args, "incrementalrelayfee")? {
        options.incremental_relay_rate = rate;
    }
    if let Some(rate) = fee_rate(args, "minrelaytxfee")? {
        options.min_relay_rate = rate;
    } else if options.incremental_relay_rate > options.min_relay_rate {
        // The one option then sets both.
        options.min_relay_rate = options.incremental_relay_rate;
        info!("Increasing minrelaytxfee to {} to match incrementalrelayfee", options.min_relay_rate);
    }
    if let Some(rate) = fee_rate(args, "dustrelayfee")? {
        options.standard.dust_relay_rate = rate;
    }
    options.standard.permit_bare_multisig = args.get_bool("-permitbaremultisig", true);
    options.standard.max_datacarrier_bytes = args
        .get_bool("-datacarrier", true)
        .then(|| args.get_int("-datacarriersize", MAX_OP_RETURN_RELAY as i64).max(0) as usize);
    options.require_standard = !args.get_bool("-acceptnonstdtxn", false);
    if !params.is_test_chain() && !options.require_standard {
        return Err(format!(
            "acceptnonstdtxn is not currently supported for {} chain",
            params.network.name()
        ));
    }
    options.persist_v1 = args.get_bool("-persistmempoolv1", false);
    options.bytes_per_sigop = args
        .get_int("-bytespersigop", i64::from(DEFAULT_BYTES_PER_SIGOP))
        .clamp(0, i64::from(u32::MAX)) as u32;
    let count = |option: &str, default: usize| args.get_int(option, default as i64).max(0) as usize;
    options.cluster_count = count("-limitclustercount", options.cluster_count);
    options.cluster_vbytes = count("-limitclustersize", options.cluster_vbytes / 1000) * 1000;
    options.ancestor_count = count("-limitancestorcount", options.ancestor_count);
    options.descendant_count = count("-limitdescendantcount", options.descendant_count);
    if options.cluster_count > MAX_CLUSTER_COUNT {
        return Err(format!("limitclustercount must be less than or equal to {MAX_CLUSTER_COUNT}"));
    }
    // A full cluster takes up to 40 bytes of memory for each virtual byte; below that nothing could be kept.
    let least = options.cluster_vbytes.saturating_mul(40);
    let asked = args.get_opt_int::<i64>("-maxmempool").unwrap_or(0);
    if asked < 0 || (options.max_size_bytes > 0 && options.max_size_bytes < least) {
        return Err(format!("-maxmempool must be at least {} MB", least.div_ceil(1_000_000)));
    }
    Ok(options)
}

/// Reads a hash as users write it: up to 64 hex digits, with or without `0x`.
fn user_hex(text: &str) -> Option<U256> {
    let digits = text.strip_prefix("0x").unwrap_or(text);
    let fits = digits.len() <= 64 && digits.bytes().all(|c| c.is_ascii_hexdigit());
    fits.then(|| U256::from_hex(&format!("{digits:0>64}")).ok()).flatten()
}

/// Sizes of the caches, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CacheSizes {
    pub(crate) block_tree_db: usize,
    pub(crate) coins_db: usize,
    pub(crate) coins: usize,
}

/// Memory of the machine, in bytes, where it can be told.
fn total_memory() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|l| l.starts_with("MemTotal:"))?;
    Some(line.split_whitespace().nth(1)?.parse::<u64>().ok()? * 1024)
}

/// `-dbcache` in bytes.
pub(crate) fn db_cache_bytes(args: &ArgsManager) -> u64 {
    match args.get_opt_int::<i64>("-dbcache") {
        Some(mib) => (mib.max(0) as u64).saturating_mul(MIB).max(MIN_DBCACHE_MIB * MIB),
        None if total_memory().is_some_and(|m| m >= 4096 * MIB) => HIGH_DBCACHE_MIB * MIB,
        None => DEFAULT_DBCACHE_MIB * MIB,
    }
}

/// Warning about a cache that is large for the machine, if it is.
pub(crate) fn oversized_cache_warning(args: &ArgsManager) -> Option<String> {
    let (cache, total) = (db_cache_bytes(args), total_memory()?);
    let cap = if total < 2048 * MIB { DEFAULT_DBCACHE_MIB * MIB } else { total / 4 * 3 };
    (cache > cap).then(|| {
        format!(
            "A {} MiB dbcache may be too large for a system memory of only {} MiB.",
            cache / MIB,
            total / MIB
        )
    })
}

/// Splits `-dbcache` as the reference does.
pub(crate) fn cache_sizes(args: &ArgsManager) -> CacheSizes {
    let total = db_cache_bytes(args);
    let block_tree_db = (total / 8).min(2 * MIB);
    let rest = total - block_tree_db;
    let coins_db = (rest / 2).min(8 * MIB);
    CacheSizes {
        block_tree_db: block_tree_db as usize,
        coins_db: coins_db as usize,
        coins: (rest - coins_db) as usize,
    }
}

/// `-prune` in bytes; 0 for none.
pub(crate) fn prune_target(args: &ArgsManager) -> Result<u64, String> {
    match args.get_int("-prune", 0_i64) {
        n if n < 0 => Err("Prune cannot be configured with a negative value.".into()),
        0 => Ok(0),
        1 => Ok(u64::MAX),
        n if (n as u64) < MIN_PRUNE_MIB => Err(format!(
            "Prune configured below the minimum of {MIN_PRUNE_MIB} MiB.  Please use a higher number."
        )),
        n => Ok((n as u64).saturating_mul(MIB)),
    }
}

/// Options of the chain state, without those that only a start knows (reindex, notifications).
pub(crate) fn chainstate_options(
    args: &ArgsManager,
    params: &Arc<ChainParams>,
    interrupt: &Interrupt,
) -> Result<ChainstateOptions, String> {
    let mut options = ChainstateOptions::new(RealEnv::shared(), params.clone(), args.data_dir_net());
    options.interrupt = interrupt.clone();
    if let Some(dir) = args.blocks_dir_path() {
        options.blocks_dir = dir;
    }
    if let Some(text) = args.get_opt_str("-checkblockindex") {
        options.check_block_index = text.is_empty() || args.get_int("-checkblockindex", 0_i64) != 0;
    }
    if let Some(text) = args.get_opt_str("-minimumchainwork") {
        options.minimum_chain_work = Some(user_hex(&text).ok_or_else(|| {
            format!("Invalid minimum work specified ({text}), must be up to 64 hex digits")
        })?);
    }
    if let Some(text) = args.get_opt_str("-assumevalid") {
        let hash = user_hex(&text).ok_or_else(|| {
            format!("Invalid assumevalid block hash specified ({text}), must be up to 64 hex digits (or 0 to disable)")
        })?;
        options.assume_valid = Some(BlockHash::from_bytes(hash.to_le_bytes()));
    }
    if let Some(age) = args.get_opt_int::<i64>("-maxtipage") {
        options.max_tip_age = Duration::from_secs(age.max(0) as u64);
    }
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    options.script_workers = grs_sync::pool::workers_from_par(args.get_int("-par", 0_i64), cores);
    if let Some(mib) = args.get_opt_int::<i64>("-maxsigcachesize") {
        options.validation_cache_bytes = (mib.max(0) as u64).saturating_mul(MIB) as usize;
    }
    if let Some(bytes) = args.get_opt_int::<i64>("-dbbatchsize") {
        options.batch_write_bytes = bytes.max(1) as usize;
    }
    options.blocks_xor = args.get_bool("-blocksxor", true);
    options.fast_prune = args.get_bool("-fastprune", false);
    options.prune_target = prune_target(args)?;
    options.stop_at_height = args.get_int("-stopatheight", 0_i64).clamp(0, i64::from(u32::MAX)) as u32;
    let caches = cache_sizes(args);
    options.block_tree_cache_bytes = caches.block_tree_db;
    options.coins_db_cache_bytes = caches.coins_db;
    options.coins_cache_bytes = caches.coins;
    Ok(options)
}
