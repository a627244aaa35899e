//! Stopping a node. Reference: `Interrupt` and `Shutdown` in `src/init.cpp`.

use grs_log::{info, warn};

use super::Running;
use crate::mempool_file;

/// Wakes everything that waits.
pub(crate) fn interrupt(running: &Running) {
    let node = &running.node;
    let commands = node.args.get_list("-shutdownnotify");
    let threads: Vec<_> = commands
        .into_iter()
        .filter_map(|c| {
            grs_sync::thread::spawn_quiet("notify", move || crate::notifications::run_command(&c)).ok()
        })
        .collect();
    for thread in threads {
        let _ = thread.join();
    }
    node.request_shutdown();
    node.tip.wake();
    if let Some(servers) = &running.servers {
        servers.http.interrupt();
    }
    node.rpc.interrupt();
    if let Some(connman) = node.connman.get() {
        connman.interrupt();
    }
}

/// Stops everything in order. Works from whatever point a start came to.
pub(crate) fn shutdown(mut running: Running) {
    let node = running.node.clone();
    info!("Shutdown in progress...");
    grs_sync::thread::set_current_name("shutoff");
    if let Some(servers) = running.servers.take() {
        servers.http.stop();
        servers.rpc.stop();
    }
    if let Some(wallet) = &running.wallet
        && let Err(e) = wallet.stop()
    {
        grs_log::debug!(grs_log::Category::Ipc, "Chain client did not disconnect cleanly: {e}");
    }
    if let Some(connman) = node.connman.get() {
        connman.peer_manager().stop();
        connman.stop();
    }
    if let Some(import) = running.import.take()
        && import.join().is_err()
    {
        warn!("The thread that imports blocks ended with a panic");
    }
    node.scheduler.stop();
    // What other processes waited for has been interrupted. From here on nobody may use the chain.
    running.host.disconnect_ipc();
    super::network::save(&node);
    if let Some(mempool) = node.mempool.get()
        && mempool.lock().load_tried()
        && node.args.get_bool("-persistmempool", true)
    {
        mempool_file::dump(mempool, &mempool_file::path(&node));
    }
    if let Some(fees) = node.fees.get() {
        fees.flush();
    }
    if let Some(chainman) = node.chainman.get() {
        chainman.force_flush(false);
        chainman.signals().sync();
        super::index::stop(&node);
        chainman.shutdown();
    }
    running.wallet = None;
    if let Some(path) = &running.pid_file
        && let Err(e) = std::fs::remove_file(path)
    {
        warn!("Unable to remove PID file ({})", grs_fs::os_error_text(&e));
    }
    running.locks.clear();
    info!("Shutdown done");
}
