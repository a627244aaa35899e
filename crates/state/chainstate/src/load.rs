//! Opening index and coins at start. Reference: `src/node/chainstate.cpp`, `ReplayBlocks`, `LoadChainTip`.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use grs_blockstore::{
    ActiveChain, BlockId, BlockStatus, BlockStore, BlockStoreOptions, HashCheck, LoadedIndex, StoreError,
    iso_date_time,
};
use grs_consensus::check_proof_of_work;
use grs_encoding::Encode;
use grs_leveldb::{DbParams, Store, open_database};
use grs_log::{error, info, warn};
use grs_params::BuriedDeployment;
use grs_script::ValidationCache;
use grs_sync::WorkerPool;

use crate::coins_db::CoinsDb;
use crate::connect::{Disconnected, disconnect_block, roll_forward};
use crate::state::Shared;
use crate::{
    Chainstate, ChainstateManager, ChainstateOptions, CoinsCache, FatalError, LoadError, ValidationSignals,
};

fn failure(text: impl Into<String>) -> LoadError {
    LoadError::Failure(text.into())
}

fn salt() -> Result<[u8; 32], LoadError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|e| failure(e.to_string()))?;
    Ok(bytes)
}

impl ChainstateManager {
    /// Opens databases and block files, repairs what a crash left, and loads the tip. Blocks that are stored but
    /// not connected are connected by [`ChainstateManager::import_blocks`] or
    /// [`ChainstateManager::activate_best_chain`].
    ///
    /// # Errors
    /// What the user is told, and whether a reindex helps.
    pub fn open(options: ChainstateOptions) -> Result<Arc<ChainstateManager>, LoadError> {
        log_options(&options);
        let params = options.params.clone();
        let env = options.env.clone();
        let blocks_failed = |e: &dyn std::fmt::Display| {
            error!("{e}");
            failure("Error opening block database")
        };
        let mut tree =
            DbParams::new(options.data_dir.join("blocks").join("index"), options.block_tree_cache_bytes);
        tree.memory_only = options.in_memory;
        tree.wipe_data = options.reindex;
        for dir in [&options.blocks_dir, &options.data_dir.join("blocks")] {
            env.create_dir_all(dir).map_err(|e| blocks_failed(&e))?;
        }
        // The key file comes first: a directory with an index in it does not count as fresh.
        let store_options = BlockStoreOptions {
            use_xor: options.blocks_xor,
            fast_prune: options.fast_prune,
            prune_target: options.prune_target,
            reindex: options.reindex,
            ..BlockStoreOptions::new(&options.blocks_dir, params.magic)
        };
        let open_tree =
            || -> grs_leveldb::Result<Arc<dyn Store>> { Ok(Arc::new(open_database(&env, &tree)?)) };
        let store = BlockStore::open(env.clone(), store_options, open_tree).map_err(|e| match e {
            StoreError::XorKey(text) => LoadError::IncompatibleDb(text),
            e => blocks_failed(&e),
        })?;
        let store = Arc::new(store);
        let index = store.index().clone();
        let shared = Shared {
            active: ActiveChain::new(index.clone()),
            signals: Arc::new(ValidationSignals::new()),
            validation_cache: Arc::new(ValidationCache::new(
                options.validation_cache_bytes,
                [salt()?, salt()?],
            )),
            pool: WorkerPool::new("scriptch", options.script_workers),
            mempool: Default::default(),
            version_bits: Default::default(),
            initial_download: AtomicBool::new(true),
            best_header: u32::MAX.into(),
            params,
            index,
            store,
            options,
        };
        Self::finish_open(Arc::new(shared))
    }

    fn finish_open(shared: Arc<Shared>) -> Result<Arc<ChainstateManager>, LoadError> {
        let options = &shared.options;
        let loaded = load_index(&shared)?;
        let genesis = shared.index.lookup(&shared.params.consensus.genesis_hash);
        if !shared.index.is_empty() && genesis.is_none() {
            return Err(LoadError::IncompatibleDb(
                "Incorrect or no genesis block found. Wrong datadir for network?".into(),
            ));
        }
        if shared.store.have_pruned() && !shared.store.is_prune_mode() {
            return Err(failure(
                "You need to rebuild the database using -reindex to go back to unpruned mode.  This will redownload \
                 the entire blockchain",
            ));
        }
        let mut db = DbParams::new(options.data_dir.join("chainstate"), options.coins_db_cache_bytes);
        db.memory_only = options.in_memory;
        db.wipe_data = options.reindex || options.reindex_chainstate;
        db.obfuscate = true;
        info!("Initializing chainstate Chainstate [ibd] @ height -1 (null)");
        let coins_failed = |e: grs_leveldb::Error| {
            error!("{e}");
            failure("Error opening coins database")
        };
        let coins_store: Arc<dyn Store> = Arc::new(open_database(&options.env, &db).map_err(coins_failed)?);
        let coins_db = Arc::new(CoinsDb::new(coins_store, options.batch_write_bytes));
        if coins_db.needs_upgrade().map_err(coins_failed)? {
            return Err(LoadError::IncompatibleDb(
                "Unsupported chainstate database format found. Please restart with -reindex-chainstate. This will \
                 rebuild the chainstate database."
                    .into(),
            ));
        }
        let replayed = replay_blocks(&shared, &coins_db).map_err(coins_failed)?;
        if !replayed {
            return Err(failure(
                "Unable to replay blocks. You will need to rebuild the database using -reindex-chainstate.",
            ));
        }
        let coins = CoinsCache::new(coins_db).map_err(coins_failed)?;
        let mut state = Chainstate::new(shared.clone(), coins);
        for (parent, child) in loaded.unlinked {
            state.unlinked.entry(parent).or_default().push(child);
        }
        state.load_best_header();
        if shared.store.blockfiles_indexed() {
            state.load_genesis().map_err(|e| {
                error!("{e}");
                failure("Error initializing block database")
            })?;
        }
        if !state.coins.best_block().is_zero() {
            state.load_tip()?;
        }
        state.populate_candidates();
        if state.needs_redownload() {
            return Err(failure(format!(
                "Witness data for blocks after height {} requires validation. Please restart with -reindex.",
                shared.params.consensus.segwit_height
            )));
        }
        Ok(Arc::new(ChainstateManager::from_parts(shared, state)))
    }
}

fn log_options(options: &ChainstateOptions) {
    let assumed = options.assume_valid();
    if assumed.is_zero() {
        info!("Validating signatures for all blocks.");
    } else {
        info!("Assuming ancestors of block {assumed} have valid signatures.");
    }
    let (work, default) = (options.minimum_chain_work(), options.params.consensus.minimum_chain_work);
    info!("Setting nMinimumChainWork={work}");
    if work < default {
        warn!("nMinimumChainWork set below default value of {default}");
    }
    if options.prune_target == BlockStoreOptions::PRUNE_MANUAL {
        info!(
            "Block pruning enabled. Use RPC call pruneblockchain(height) to manually prune block and undo files."
        );
    } else if options.prune_target > 0 {
        info!(
            "Prune configured to target {} MiB on disk for block and undo files.",
            options.prune_target >> 20
        );
    }
}

fn load_index(shared: &Shared) -> Result<LoadedIndex, LoadError> {
    let (options, store) = (&shared.options, &shared.store);
    if !store.blockfiles_indexed() {
        return Ok(LoadedIndex::default());
    }
    let consensus = &shared.params.consensus;
    let check = if options.check_block_index { HashCheck::All } else { HashCheck::Sample };
    let loaded = store
        .load_index(|hash, bits| check_proof_of_work(hash, bits, consensus), check, &options.interrupt)
        .map_err(|error| match error {
            StoreError::Interrupted => LoadError::Interrupted,
            error => {
                error!("{error}");
                failure("Error loading block database")
            }
        })?;
    store.unlink_already_pruned();
    Ok(loaded)
}

/// Finishes or takes back a write of the coins that a crash interrupted; false if it cannot be done.
fn replay_blocks(shared: &Shared, db: &Arc<CoinsDb>) -> grs_leveldb::Result<bool> {
    let heads = db.head_blocks()?;
    if heads.is_empty() {
        return Ok(true);
    }
    let (index, store, notifications) = (&shared.index, &shared.store, &shared.options.notifications);
    let [new_hash, old_hash] = heads[..] else {
        error!("ReplayBlocks(): unknown inconsistent state");
        return Ok(false);
    };
    notifications.progress("Replaying blocks…", 0);
    info!("Replaying blocks");
    let Some(new) = index.lookup(&new_hash) else {
        error!("ReplayBlocks(): reorganization to unknown block requested");
        return Ok(false);
    };
    let (mut old, mut fork) = (None, None);
    if !old_hash.is_zero() {
        old = index.lookup(&old_hash);
        let Some(old) = old else {
            error!("ReplayBlocks(): reorganization from unknown block requested");
            return Ok(false);
        };
        fork = index.last_common_ancestor(old, new);
    }
    let fork_height = fork.map_or(0, |fork| index.height(fork));
    let mut coins = CoinsCache::new(db.clone())?;
    if old != fork {
        let from = old.map(|old| (index.hash(old), index.height(old))).unwrap_or_default();
        info!("Rolling back from {} ({} to {})", from.0, from.1, fork_height);
        while let Some(id) = old.filter(|_| old != fork) {
            let (height, hash) = (index.height(id), index.hash(id));
            if height > 0 {
                let (Ok(block), Ok(undo)) = (store.read_block(id), store.read_undo(id)) else {
                    error!("RollbackBlock(): ReadBlock() failed at {height}, hash={hash}");
                    return Ok(false);
                };
                if height % 10_000 == 0 {
                    info!("Rolling back {hash} ({height})");
                }
                // Coins that are missing or there twice only tell that the block was not applied in full.
                if disconnect_block(&mut coins, &block, undo, height)? == Disconnected::Failed {
                    error!("RollbackBlock(): DisconnectBlock failed at {height}, hash={hash}");
                    return Ok(false);
                }
            }
            old = index.prev(id);
        }
        info!("Rolled back to {}", fork.map(|fork| index.hash(fork)).unwrap_or_default());
    }
    let new_height = index.height(new);
    if fork_height < new_height {
        info!("Rolling forward to {new_hash} ({fork_height} to {new_height})");
        for height in fork_height + 1..=new_height {
            let Some(id) = index.ancestor(new, height) else { return Ok(false) };
            let hash = index.hash(id);
            if height % 10_000 == 0 {
                info!("Rolling forward {hash} ({height})");
            }
            let percent = (height - fork_height) as f64 * 100.0 / (new_height - fork_height) as f64;
            notifications.progress("Replaying blocks…", percent as i32);
            let Ok(block) = store.read_block(id) else {
                error!("ReplayBlock(): ReadBlock failed at {height}, hash={hash}");
                return Ok(false);
            };
            roll_forward(&mut coins, &block, height)?;
        }
        info!("Rolled forward to {new_hash}");
    }
    coins.set_best_block(new_hash);
    coins.flush(true)?;
    notifications.progress("", 100);
    Ok(true)
}

impl Chainstate {
    /// Best valid header and best invalid block of the index.
    fn load_best_header(&mut self) {
        let shared = self.shared.clone();
        let index = &shared.index;
        let mut best: Option<BlockId> = None;
        for id in index.ids() {
            let status = index.status(id);
            if status.failed() && self.best_invalid.is_none_or(|old| index.work(id) > index.work(old)) {
                self.best_invalid = Some(id);
            }
            if status.is_valid(BlockStatus::VALID_TREE)
                && best.is_none_or(|best| index.work(id) > index.work(best))
            {
                best = Some(id);
            }
        }
        shared.set_best_header(best);
    }

    /// Stores the genesis block if the index does not have it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(crate) fn load_genesis(&mut self) -> Result<(), FatalError> {
        let shared = self.shared.clone();
        let genesis = &shared.params.genesis;
        if shared.index.lookup(&genesis.hash()).is_some() {
            return Ok(());
        }
        let mut data = Vec::new();
        genesis.encode(&mut data);
        let position = shared.store.write_block(&data, 0, genesis.header.time)?;
        shared.store.write_out()?;
        let id = self.add_header(&genesis.header, None)?;
        self.received_transactions(id, genesis.txs.len() as u32, position);
        Ok(())
    }

    /// Makes the coins' best block the tip.
    fn load_tip(&mut self) -> Result<(), LoadError> {
        let shared = self.shared.clone();
        let index = &shared.index;
        let tip = index
            .lookup(&self.coins.best_block())
            .ok_or_else(|| failure("Error initializing block database"))?;
        shared.active.set_tip(Some(tip));
        self.loaded = (index.len(), shared.active.view());
        self.update_initial_download();
        info!(
            "Loaded best chain: hashBestChain={} height={} date={} progress={:.6}",
            index.hash(tip),
            index.height(tip),
            iso_date_time(u64::from(index.time(tip))),
            shared.progress(Some(tip))
        );
        // What it wants to stop has not begun.
        let state = shared.sync_state(true);
        let _ = shared.options.notifications.block_tip(state, tip, shared.progress(Some(tip)));
        self.check_fork_warning();
        Ok(())
    }

    fn populate_candidates(&mut self) {
        self.candidates.clear();
        let index = self.shared.index.clone();
        for id in index.ids() {
            let ready = index.status(id).is_valid(BlockStatus::VALID_TRANSACTIONS);
            if ready && (self.has_chain_data(id) || index.prev(id).is_none()) {
                self.try_add_candidate(id);
            }
        }
    }

    /// Whether a block of the active chain was stored by a version that did not know segwit.
    fn needs_redownload(&self) -> bool {
        let (index, consensus) = (&self.shared.index, &self.shared.params.consensus);
        let mut walk = self.tip();
        while let Some(id) = walk {
            if !consensus.is_active_at(BuriedDeployment::Segwit, index.height(id) as i32) {
                return false;
            }
            if !index.status(id).contains(BlockStatus::OPT_WITNESS) {
                return true;
            }
            walk = index.prev(id);
        }
        false
    }
}
