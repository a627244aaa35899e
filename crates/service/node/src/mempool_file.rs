//! Reading and writing `mempool.dat`.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use grs_chainstate::ChainstateManager;
use grs_log::info;
use grs_mempool::{AcceptOptions, ImportOptions, LoadCounts, Mempool, SavedMempool};

use crate::NodeContext;

/// Where the file is.
pub fn path(node: &NodeContext) -> PathBuf {
    node.args.data_dir_net().join("mempool.dat")
}

/// Loads the file of the last run.
pub(crate) fn load(node: &NodeContext, chainman: &Arc<ChainstateManager>, mempool: &Arc<Mempool>) {
    import(&path(node), chainman, mempool, ImportOptions::default());
}

/// Imports a file; `None` when it cannot be read (the log says why).
pub fn import(
    path: &Path,
    chainman: &Arc<ChainstateManager>,
    mempool: &Arc<Mempool>,
    options: ImportOptions,
) -> Option<LoadCounts> {
    let Ok(bytes) = std::fs::read(path) else {
        info!("Failed to open mempool file. Continuing anyway.");
        return None;
    };
    let saved = match SavedMempool::from_bytes(&bytes) {
        Ok(saved) => saved,
        Err(e) => {
            info!("Failed to deserialize mempool data on file: {e}. Continuing anyway.");
            return None;
        }
    };
    info!("Loading {} mempool transactions from file...", saved.txs.len());
    let now = grs_sync::clock::now_secs();
    let oldest = now - mempool.options().expiry.as_secs() as i64;
    let mut counts = LoadCounts::default();
    for entry in &saved.txs {
        let txid = entry.tx.txid();
        let time = if options.use_current_time { now } else { entry.time };
        if entry.fee_delta != 0 && options.apply_fee_deltas {
            mempool.lock().prioritise(txid, entry.fee_delta);
        }
        if time <= oldest {
            counts.expired += 1;
        } else if mempool.accept(&mut chainman.lock(), &entry.tx, AcceptOptions::loaded(time)).is_valid() {
            counts.succeeded += 1;
        } else if mempool.lock().contains(&txid) {
            // A wallet may have put it in already.
            counts.already_there += 1;
        } else {
            counts.failed += 1;
        }
        if chainman.interrupt().is_interrupted() {
            return None;
        }
    }
    let mut pool = mempool.lock();
    if options.apply_fee_deltas {
        saved.deltas.iter().for_each(|(txid, delta)| pool.prioritise(*txid, *delta));
    }
    if options.apply_unbroadcast {
        counts.unbroadcast = saved.unbroadcast.len() as u64;
        saved.unbroadcast.iter().for_each(|txid| pool.add_unbroadcast(*txid));
    }
    info!(
        "Imported mempool transactions from file: {} succeeded, {} failed, {} expired, {} already there, {} waiting for \
         initial broadcast",
        counts.succeeded, counts.failed, counts.expired, counts.already_there, counts.unbroadcast
    );
    Some(counts)
}

/// Writes the file; false when that failed (the log says why).
pub fn dump(mempool: &Mempool, path: &Path) -> bool {
    let start = Instant::now();
    let saved = mempool.save();
    let copied = start.elapsed();
    let mut key = [0; 8];
    let plain = mempool.options().persist_v1 || getrandom::fill(&mut key).is_err();
    info!("Writing {} mempool transactions to file...", saved.txs.len());
    info!("Writing {} unbroadcast transactions to file.", saved.unbroadcast.len());
    let bytes = saved.to_bytes((!plain).then_some(key));
    let mut temp = path.as_os_str().to_owned();
    temp.push(".new");
    let env = grs_fs::RealEnv::shared();
    match grs_fs::replace_file(env.as_ref(), path, Path::new(&temp), &bytes) {
        Ok(()) => {
            info!(
                "Dumped mempool: {:.3}s to copy, {:.3}s to dump, {} bytes dumped to file",
                copied.as_secs_f64(),
                (start.elapsed() - copied).as_secs_f64(),
                bytes.len()
            );
            true
        }
        Err(e) => {
            info!("Failed to dump mempool: {e}. Continuing anyway.");
            false
        }
    }
}
