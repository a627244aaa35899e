//! A wallet in use: its data, the node, and what happens between them.

use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use grs_hashes::Txid;
use grs_interfaces::{Chain, FindBlock, Handler, TxBroadcast};
use grs_log::info;
use grs_primitives::{Amount, TxRef};
use grs_sync::clock;

use crate::db::WalletDb;
use crate::error::{WalletError, WalletResult};
use crate::events::{EventQueue, WalletEvents};
use crate::flags;
use crate::gui::GuiState;
use crate::options::WalletOptions;
use crate::records::{RecordKey, TxState, WalletTx, name};
use crate::state::{CLIENT_VERSION, LoadOutcome, NO_HEIGHT, State, TIMESTAMP_WINDOW, TxNotice, wallet_log};

/// Seconds between the last block and a transaction that is sent again.
const RESEND_AGE: i64 = 5 * 60;

/// A scan in progress.
#[derive(Debug, Default)]
pub(crate) struct ScanControl {
    pub(crate) busy: AtomicBool,
    pub(crate) abort: AtomicBool,
    /// Share that is done, as bits of an `f64`.
    pub(crate) progress: AtomicU64,
    pub(crate) start: Mutex<Option<Instant>>,
    /// The wallet must not be locked while it runs.
    pub(crate) with_passphrase: AtomicBool,
}

/// A loaded wallet.
pub(crate) struct Wallet {
    pub(crate) chain: Arc<dyn Chain>,
    pub(crate) name: String,
    pub(crate) options: WalletOptions,
    state: Mutex<State>,
    /// One payment at a time, so that two do not choose the same coins. Notifications never take this lock, so it
    /// may be held while the node is asked.
    pub(crate) spending: Mutex<()>,
    pub(crate) scan: ScanControl,
    /// Held while the passphrase is in use for long.
    pub(crate) relock: Mutex<()>,
    /// When the wallet is locked again, Unix seconds; 0 for never.
    pub(crate) relock_time: AtomicI64,
    /// Tells timers to lock it again from each other.
    pub(crate) relock_round: AtomicU64,
    next_resend: AtomicI64,
    pub(crate) events: EventQueue,
    /// For windows.
    pub(crate) gui: Arc<GuiState>,
    handler: Mutex<Option<Arc<dyn Handler>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Seconds until the next time own transactions are sent again: half a day to one and a half.
fn resend_delay() -> i64 {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).expect("the system gives random bytes");
    12 * 3600 + i64::from(u32::from_le_bytes(bytes)) % (24 * 3600)
}

impl Wallet {
    fn new(chain: Arc<dyn Chain>, mut state: State, options: WalletOptions) -> Arc<Wallet> {
        state.spend_zero_conf_change = options.spend_zero_conf_change;
        Arc::new(Wallet {
            chain,
            name: state.name.clone(),
            options,
            state: Mutex::new(state),
            spending: Mutex::new(()),
            scan: ScanControl::default(),
            relock: Mutex::new(()),
            relock_time: AtomicI64::new(0),
            relock_round: AtomicU64::new(0),
            next_resend: AtomicI64::new(clock::now_secs() + resend_delay()),
            events: EventQueue::default(),
            gui: Arc::default(),
            handler: Mutex::new(None),
        })
    }

    /// Makes a wallet in a new file. Reference: `CWallet::CreateNew`.
    pub(crate) fn create(
        chain: Arc<dyn Chain>,
        db: WalletDb,
        name: String,
        network: grs_params::Network,
        options: WalletOptions,
        flags: u64,
    ) -> WalletResult<Arc<Wallet>> {
        let start = Instant::now();
        let file = db.file().display().to_string();
        let mut state = State::new(db, name, network, options.keypool_size);
        state.db.write(RecordKey::new(name::VERSION).bytes(), &CLIENT_VERSION.to_le_bytes()).map_err(
            |_| WalletError::text(format!("Error creating {file}: Could not write version metadata.")),
        )?;
        state.set_flags(flags | flags::LAST_HARDENED_XPUB_CACHED)?;
        if flags & (flags::DISABLE_PRIVATE_KEYS | flags::BLANK_WALLET) == 0 {
            state.setup_descriptors(clock::now_secs())?;
        }
        let wallet = Wallet::new(chain, state, options);
        if let Some(height) = wallet.chain.get_height()? {
            let hash = wallet.chain.get_block_hash(height)?;
            let mut state = wallet.lock();
            state.last_block_height = height as i32;
            state.last_block = hash;
        }
        wallet.write_best_block()?;
        wallet_log!(wallet, "Wallet completed creation in {:15}ms", start.elapsed().as_millis());
        if let Err(e) = wallet.attach(false) {
            wallet.disconnect();
            return Err(e);
        }
        Ok(wallet)
    }

    /// Opens a wallet. Gives warnings too. Reference: `CWallet::LoadExisting`.
    pub(crate) fn load(
        chain: Arc<dyn Chain>,
        db: WalletDb,
        name: String,
        network: grs_params::Network,
        options: WalletOptions,
    ) -> WalletResult<(Arc<Wallet>, Vec<String>)> {
        let start = Instant::now();
        let file = db.file().display().to_string();
        let mut warnings = Vec::new();
        let mut state = State::new(db, name, network, options.keypool_size);
        let outcome = state.load().map_err(|e| WalletError::text(e.to_string()))?;
        match outcome {
            LoadOutcome::Ok => {}
            LoadOutcome::NonCritical => warnings.push(format!(
                "Error reading {file}! All keys read correctly, but transaction data or address metadata may be missing \
                 or incorrect."
            )),
            LoadOutcome::NeedRescan => warnings.push(format!(
                "Error reading {file}! Transaction data may be missing or incorrect. Rescanning wallet."
            )),
        }
        if state.has_flag(flags::DISABLE_PRIVATE_KEYS)
            && state.active_ids().iter().any(|id| state.managers[id].have_private_keys())
        {
            warnings.push(format!(
                "Warning: Private keys detected in wallet {{{file}}} with disabled private keys"
            ));
        }
        let wallet = Wallet::new(chain, state, options);
        wallet_log!(wallet, "Wallet completed loading in {:15}ms", start.elapsed().as_millis());
        wallet.lock().top_up_all(None)?;
        if let Err(e) = wallet.attach(outcome == LoadOutcome::NeedRescan) {
            wallet.disconnect();
            return Err(e);
        }
        wallet.log_stats();
        Ok((wallet, warnings))
    }

    /// The wallet's data. No call to the node may be made while the guard lives.
    pub(crate) fn lock(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    /// Name for messages.
    pub(crate) fn display_name(&self) -> &str {
        if self.name.is_empty() { "default wallet" } else { &self.name }
    }

    /// Logs how much there is.
    pub(crate) fn log_stats(&self) {
        let state = self.lock();
        wallet_log!(self, "setKeyPool.size() = {}", state.key_pool_sizes().1);
        wallet_log!(self, "mapWallet.size() = {}", state.txs.len());
        wallet_log!(self, "m_address_book.size() = {}", state.address_book.len());
    }

    /// Connects to the node and catches up with its chain. Reference: `CWallet::AttachChain`.
    fn attach(self: &Arc<Self>, rescan_required: bool) -> WalletResult<()> {
        let locator = self.lock().read_best_block()?;
        let has_tip = self.chain.get_height()?.is_some();
        if !self.options.cross_chain
            && has_tip
            && let Some(genesis) = locator.as_ref().and_then(|l| l.hashes.last())
            && self.chain.get_block_hash(0)? != *genesis
        {
            return Err(WalletError::text(
                "Wallet files should not be reused across chains. Restart bitcoind with -walletcrosschain to override.",
            ));
        }
        // Blocks that come from now on wait until the wallet has caught up with those before.
        self.events.hold();
        let handler = self.chain.handle_notifications(Arc::new(WalletEvents::new(Arc::downgrade(self))))?;
        *locked(&self.handler) = Some(handler);
        let mut rescan_height = 0;
        if !rescan_required && let Some(locator) = &locator {
            rescan_height = self.chain.find_locator_fork(locator)?.unwrap_or(0);
        }
        let tip_height = self.chain.get_height()?;
        let tip = match tip_height {
            Some(height) => Some((height, self.chain.get_block_hash(height)?)),
            None => None,
        };
        {
            let mut state = self.lock();
            state.last_block_height = tip.map_or(NO_HEIGHT, |(height, _)| height as i32);
            state.last_block = tip.map_or(grs_hashes::BlockHash::ZERO, |(_, hash)| hash);
        }
        self.look_up_block_heights()?;
        if let Some((tip_height, _)) = tip
            && tip_height != rescan_height
        {
            self.catch_up(rescan_height, tip_height)?;
        }
        self.events.release(self)?;
        Ok(())
    }

    /// Heights of the blocks that stored transactions are in.
    fn look_up_block_heights(&self) -> WalletResult<()> {
        let blocks = self.lock().blocks_without_height();
        let mut heights = HashMap::new();
        for hash in blocks {
            if let Some(block) = self.chain.find_block(hash, FindBlock::default())?
                && block.in_active_chain
            {
                heights.insert(hash, block.height as i32);
            }
        }
        self.lock().set_block_heights(|hash| heights.get(hash).copied())
    }

    fn catch_up(&self, mut from: u32, tip_height: u32) -> WalletResult<()> {
        let birth_time = self.lock().birth_time;
        // Blocks from before the wallet's first key need not be looked at.
        let first = birth_time.saturating_sub(TIMESTAMP_WINDOW);
        from = match self.chain.find_first_block_with_time_and_height(first, from, FindBlock::default())? {
            Some(block) => block.height.max(from),
            None => tip_height,
        };
        let pruned = self.chain.have_pruned()?;
        if pruned || self.chain.has_assumed_valid_chain()? {
            let mut height = tip_height;
            while height > 0 && height != from && self.chain.have_block_on_disk(height - 1)? {
                height -= 1;
            }
            if height != from {
                return Err(WalletError::text(match pruned {
                    true => {
                        "Prune: last wallet synchronisation goes beyond pruned data. You need to -reindex (download the \
                         whole blockchain again in case of a pruned node)"
                            .to_owned()
                    }
                    false => format!(
                        "Error loading wallet. Wallet requires blocks to be downloaded, and software does not currently \
                         support loading wallets while blocks are being downloaded out of order when using assumeutxo \
                         snapshots. Wallet should be able to load successfully after node sync reaches height {height}"
                    ),
                }));
            }
        }
        self.chain.init_message("Rescanning…")?;
        wallet_log!(self, "Rescanning last {} blocks (from block {from})...", tip_height - from);
        let reserver = self.reserve_scan(false).ok_or_else(|| {
            WalletError::text("Failed to acquire rescan reserver during wallet initialization")
        })?;
        let result = self.scan_chain(&reserver, from, Some(tip_height), true, true)?;
        if result.status != crate::rescan::ScanEnd::Success {
            return Err(WalletError::text("Failed to rescan the wallet during initialization"));
        }
        self.request_mempool_transactions()?;
        if let Some((hash, height)) = result.last_scanned {
            let mut state = self.lock();
            state.last_block = hash;
            state.last_block_height = height;
        }
        self.write_best_block()
    }

    /// Asks for the transactions that are in the mempool now.
    pub(crate) fn request_mempool_transactions(&self) -> WalletResult<()> {
        let Some(this) = self.events.owner() else { return Ok(()) };
        Ok(self.chain.request_mempool_transactions(Arc::new(WalletEvents::new(this)))?)
    }

    /// Work that follows once the wallet is among the loaded ones.
    pub(crate) fn post_init(&self) -> WalletResult<()> {
        self.resubmit(TxBroadcast::MempoolNoBroadcast, true);
        self.request_mempool_transactions()
    }

    /// Ends the connection to the node.
    pub(crate) fn disconnect(&self) {
        let handler = locked(&self.handler).take();
        if let Some(handler) = handler {
            // Without the node there is nothing to disconnect from.
            let _ = handler.disconnect();
        }
    }

    /// Writes how far the wallet has seen the chain.
    pub(crate) fn write_best_block(&self) -> WalletResult<()> {
        let hash = self.lock().last_block;
        if hash.is_zero() {
            return Ok(());
        }
        let want = FindBlock { locator: true, ..FindBlock::default() };
        let locator = self.chain.find_block(hash, want)?.and_then(|block| block.locator);
        match locator {
            Some(locator) => self.lock().write_best_block(&locator),
            None => Ok(()),
        }
    }

    /// Returns when all blocks up to now have been processed.
    pub(crate) fn sync_with_chain(&self) -> WalletResult<()> {
        let tip = self.lock().last_block;
        Ok(self.chain.wait_for_notifications_if_tip_changed(tip)?)
    }

    /// Saves a copy.
    pub(crate) fn backup(&self, target: &Path) -> WalletResult<()> {
        self.write_best_block()?;
        Ok(self.lock().db.backup(target)?)
    }

    /// Takes a finished transaction in, so that its coins are spent, and sends it. Reference: `CommitTransaction`.
    pub(crate) fn commit(&self, tx: &TxRef, fill: impl FnOnce(&mut WalletTx) -> bool) -> WalletResult<()> {
        wallet_log!(self, "CommitTransaction: {}", tx.txid());
        let state = TxState::Inactive { abandoned: false };
        self.lock().add_to_wallet(tx.clone(), state, None, clock::now_secs(), fill).map_err(|_| {
            WalletError::text("CommitTransaction: Wallet db error, transaction commit failed")
        })?;
        self.run_notices();
        if !self.options.broadcast {
            return Ok(());
        }
        if let Err(reason) = self.submit(&tx.txid(), TxBroadcast::MempoolAndBroadcastToAll) {
            wallet_log!(self, "CommitTransaction(): Transaction cannot be broadcast immediately, {reason}");
        }
        Ok(())
    }

    /// Sends a transaction of the wallet; the error says why it was not taken.
    pub(crate) fn submit(&self, txid: &Txid, method: TxBroadcast) -> Result<(), String> {
        if !self.options.broadcast {
            return Err(String::new());
        }
        let tx = {
            let state = self.lock();
            let Some(wtx) = state.txs.get(txid) else { return Err(String::new()) };
            if wtx.is_abandoned() || wtx.is_coinbase() || state.depth(wtx) != 0 {
                return Err(String::new());
            }
            wtx.tx.clone()
        };
        let what = match method {
            TxBroadcast::MempoolAndBroadcastToAll => "to mempool and for broadcast to peers",
            TxBroadcast::MempoolNoBroadcast => "to mempool without broadcast",
            TxBroadcast::NoMempoolPrivateBroadcast => "for private broadcast without adding to the mempool",
        };
        wallet_log!(self, "Submitting wtx {txid} {what}");
        let max_fee = Amount(self.options.max_tx_fee);
        self.chain.broadcast_transaction(tx, max_fee, method).map_err(|e| e.to_string())??;
        // The notification comes later; until then its change would seem not to be there.
        if let Some(wtx) = self.lock().txs.get_mut(txid)
            && matches!(wtx.state, TxState::Inactive { abandoned: false })
        {
            wtx.state = TxState::InMempool;
        }
        Ok(())
    }

    /// Sends unconfirmed transactions again. `force`: also those that are not old.
    pub(crate) fn resubmit(&self, method: TxBroadcast, force: bool) {
        if !self.options.broadcast {
            return;
        }
        let todo: Vec<Txid> = {
            let state = self.lock();
            let limit = state.best_block_time - RESEND_AGE;
            state
                .ordered
                .iter()
                .filter_map(|(_, txid)| state.txs.get(txid))
                .filter(|wtx| wtx.is_unconfirmed() && (force || i64::from(wtx.time_received) <= limit))
                .map(WalletTx::txid)
                .collect()
        };
        let sent = todo.iter().filter(|txid| self.submit(txid, method).is_ok()).count();
        if sent > 0 {
            wallet_log!(self, "ResubmitWalletTransactions: resubmit {sent} unconfirmed transactions");
        }
    }

    /// Sends unconfirmed transactions again when it is time. Reference: `MaybeResendWalletTxs`.
    pub(crate) fn maybe_resend(&self) {
        if !self.options.broadcast
            || clock::now_secs() < self.next_resend.load(Ordering::Relaxed)
            || !self.chain.is_ready_to_broadcast().unwrap_or(false)
        {
            return;
        }
        self.resubmit(TxBroadcast::MempoolAndBroadcastToAll, false);
        self.next_resend.store(clock::now_secs() + resend_delay(), Ordering::Relaxed);
    }

    /// Tells others of transactions that have come or changed.
    pub(crate) fn run_notices(&self) {
        self.gui.changed.touch();
        let notices = std::mem::take(&mut self.lock().notices);
        if self.options.notify_command.is_empty() {
            return;
        }
        for notice in notices {
            let command = notify_command(&self.options.notify_command, &self.name, &notice);
            let run = move || {
                let status = std::process::Command::new("/bin/sh").arg("-c").arg(&command).status();
                if !status.as_ref().is_ok_and(std::process::ExitStatus::success) {
                    info!("runCommand error: system({command}) returned {status:?}");
                }
            };
            if let Err(e) = grs_sync::thread::spawn_quiet("walletnotify", run) {
                info!("walletnotify: {e}");
            }
        }
    }

    /// A reference that does not keep the wallet loaded.
    pub(crate) fn downgrade(self: &Arc<Self>) -> Weak<Wallet> {
        Arc::downgrade(self)
    }
}

impl Drop for Wallet {
    fn drop(&mut self) {
        info!("[{}] Releasing wallet {}..", self.display_name(), self.name);
        self.gui.changed.touch();
    }
}

/// The command of `-walletnotify` with its placeholders filled in.
fn notify_command(template: &str, wallet: &str, notice: &TxNotice) -> String {
    let (block, height) = match notice.block {
        Some((block, height)) => (block.to_string(), height.to_string()),
        None => ("unconfirmed".to_owned(), "-1".to_owned()),
    };
    let quoted = format!("'{}'", wallet.replace('\'', "'\"'\"'"));
    template
        .replace("%s", &notice.txid.to_string())
        .replace("%b", &block)
        .replace("%h", &height)
        .replace("%w", &quoted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notify_commands_quote_the_name() {
        let txid = Txid::from_bytes([0; 32]);
        let notice = TxNotice { txid, block: None };
        let command = notify_command("echo %s %b %h %w", "a'b", &notice);
        assert_eq!(command, format!("echo {} unconfirmed -1 'a'\"'\"'b'", "0".repeat(64)));
    }
}
