//! What a wallet holds in memory and in its file. One lock guards all of it; no call to the node is made under it.

mod addresses;
mod balance;
mod keys;
mod load;
mod psbt;
mod track;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use grs_descriptor::{Destination, OutputType, encode_destination};
use grs_encoding::encode_to_vec;
use grs_hashes::{BlockHash, Hash256, Txid};
use grs_params::Network;
use grs_primitives::{BlockLocator, OutPoint, Script, TxOut};

use crate::crypt::KeyingMaterial;
use crate::db::{DbResult, WalletDb};
use crate::error::WalletResult;
use crate::keyman::DescriptorManager;
use crate::records::{MasterKey, RecordKey, TxState, WalletTx, name, tx_key};

pub(crate) use addresses::{AddressEntry, Purpose};
pub(crate) use balance::TxOutputEntry;
pub(crate) use load::LoadOutcome;
pub(crate) use psbt::FillOptions;
pub(crate) use track::TxUpdate;

/// Version of the programs, as in records: the reference's.
pub(crate) const CLIENT_VERSION: i32 = 310_000;
/// Height of no block.
pub(crate) const NO_HEIGHT: i32 = -1;
/// Block times may be this much ahead of or behind others, in seconds.
pub(crate) const TIMESTAMP_WINDOW: i64 = 2 * 60 * 60;
/// A coinbase output can be spent after this many blocks.
pub(crate) const COINBASE_MATURITY: i32 = grs_consensus::COINBASE_MATURITY;

/// Logs a line of a wallet.
macro_rules! wallet_log {
    ($wallet:expr, $($arg:tt)+) => {
        grs_log::info!("[{}] {}", $wallet.display_name(), format_args!($($arg)+))
    };
}
pub(crate) use wallet_log;

/// A change to tell others about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TxNotice {
    /// Which transaction.
    pub(crate) txid: Txid,
    /// Block and height, if it is in one.
    pub(crate) block: Option<(BlockHash, i32)>,
}

/// The wallet's data.
pub(crate) struct State {
    pub(crate) db: WalletDb,
    pub(crate) name: String,
    pub(crate) network: Network,
    pub(crate) keypool_size: u32,
    pub(crate) spend_zero_conf_change: bool,
    pub(crate) flags: u64,
    pub(crate) managers: BTreeMap<Hash256, DescriptorManager>,
    pub(crate) external: BTreeMap<OutputType, Hash256>,
    pub(crate) internal: BTreeMap<OutputType, Hash256>,
    /// Descriptors by script.
    pub(crate) scripts: HashMap<Script, Vec<Hash256>>,
    /// Scripts that have come since a scan last asked.
    pub(crate) new_scripts: Vec<Script>,
    pub(crate) master_keys: BTreeMap<u32, MasterKey>,
    /// The key of an unlocked encrypted wallet.
    pub(crate) master_key: Option<KeyingMaterial>,
    pub(crate) txs: HashMap<Txid, WalletTx>,
    /// Transactions in the order of the list.
    pub(crate) ordered: BTreeSet<(i64, Txid)>,
    pub(crate) order_pos_next: i64,
    /// Who spends an output; several only if they exclude each other.
    pub(crate) spends: HashMap<OutPoint, Vec<Txid>>,
    /// Outputs that are ours, spent or not.
    pub(crate) coins: BTreeMap<OutPoint, TxOut>,
    pub(crate) address_book: BTreeMap<Destination, AddressEntry>,
    /// Grows with each change of labels or of what is ours.
    pub(crate) book_version: u64,
    /// Locked outputs, and whether that is stored.
    pub(crate) locked_coins: BTreeMap<OutPoint, bool>,
    pub(crate) last_block_height: i32,
    pub(crate) last_block: BlockHash,
    /// Time of the oldest key or transaction, Unix seconds.
    pub(crate) birth_time: i64,
    /// When the tip last changed, Unix seconds.
    pub(crate) best_block_time: i64,
    pub(crate) notices: Vec<TxNotice>,
}

impl State {
    /// An empty wallet over a file.
    pub(crate) fn new(db: WalletDb, name: String, network: Network, keypool_size: u32) -> State {
        State {
            db,
            name,
            network,
            keypool_size,
            spend_zero_conf_change: true,
            flags: 0,
            managers: BTreeMap::new(),
            external: BTreeMap::new(),
            internal: BTreeMap::new(),
            scripts: HashMap::new(),
            new_scripts: Vec::new(),
            master_keys: BTreeMap::new(),
            master_key: None,
            txs: HashMap::new(),
            ordered: BTreeSet::new(),
            order_pos_next: 0,
            spends: HashMap::new(),
            coins: BTreeMap::new(),
            address_book: BTreeMap::new(),
            book_version: 0,
            locked_coins: BTreeMap::new(),
            last_block_height: NO_HEIGHT,
            last_block: BlockHash::ZERO,
            birth_time: i64::MAX,
            best_block_time: 0,
            notices: Vec::new(),
        }
    }

    /// Name for messages.
    pub(crate) fn display_name(&self) -> &str {
        if self.name.is_empty() { "default wallet" } else { &self.name }
    }

    /// Whether a flag is set.
    pub(crate) fn has_flag(&self, flag: u64) -> bool {
        self.flags & flag != 0
    }

    /// Runs `work` in one transaction of the file: all of it is written, or nothing.
    pub(crate) fn in_transaction<T>(
        &mut self,
        work: impl FnOnce(&mut State) -> WalletResult<T>,
    ) -> WalletResult<T> {
        self.db.begin()?;
        match work(self) {
            Ok(value) => {
                if let Err(e) = self.db.commit() {
                    self.db.abort();
                    return Err(e.into());
                }
                Ok(value)
            }
            Err(e) => {
                self.db.abort();
                Err(e)
            }
        }
    }

    /// Writes the flags.
    pub(crate) fn set_flags(&mut self, flags: u64) -> DbResult<()> {
        self.db.write(RecordKey::new(name::FLAGS).bytes(), &flags.to_le_bytes())?;
        self.flags = flags;
        Ok(())
    }

    /// Writes a transaction.
    pub(crate) fn write_tx(&self, wtx: &WalletTx) -> DbResult<()> {
        self.db.write(tx_key(&wtx.txid()).bytes(), &encode_to_vec(wtx))
    }

    /// Writes how far the wallet has seen the chain.
    pub(crate) fn write_best_block(&mut self, locator: &BlockLocator) -> WalletResult<()> {
        self.in_transaction(|state| {
            // Programs that need Merkle branches find an empty locator and scan again.
            let empty = encode_to_vec(&BlockLocator::default());
            state.db.write(RecordKey::new(name::BEST_BLOCK).bytes(), &empty)?;
            let key = RecordKey::new(name::BEST_BLOCK_NO_MERKLE);
            Ok(state.db.write(key.bytes(), &encode_to_vec(locator))?)
        })
    }

    /// How far the wallet has seen the chain.
    pub(crate) fn read_best_block(&self) -> DbResult<Option<BlockLocator>> {
        for record in [name::BEST_BLOCK, name::BEST_BLOCK_NO_MERKLE] {
            if let Some(value) = self.db.read(RecordKey::new(record).bytes())?
                && let Ok(locator) = grs_encoding::decode_exact::<BlockLocator>(&value)
                && !locator.is_null()
            {
                return Ok(Some(locator));
            }
        }
        Ok(None)
    }

    /// The address of a destination.
    pub(crate) fn address(&self, destination: &Destination) -> String {
        encode_destination(destination, self.network)
    }

    /// Whether a script is ours.
    pub(crate) fn is_mine(&self, script: &Script) -> bool {
        self.scripts.contains_key(script)
    }

    /// Whether a destination is ours.
    pub(crate) fn is_mine_destination(&self, destination: &Destination) -> bool {
        self.is_mine(&destination.script())
    }

    /// The output, if it is ours.
    pub(crate) fn coin(&self, outpoint: &OutPoint) -> Option<&TxOut> {
        self.coins.get(outpoint)
    }

    /// Confirmations; negative for a transaction that a block excludes.
    pub(crate) fn depth(&self, wtx: &WalletTx) -> i32 {
        match wtx.state {
            TxState::Confirmed { height, .. } if height >= 0 => self.last_block_height - height + 1,
            TxState::BlockConflicted { height, .. } if height >= 0 => -(self.last_block_height - height + 1),
            _ => 0,
        }
    }

    /// Blocks until a coinbase can be spent; 0 for all else.
    pub(crate) fn blocks_to_maturity(&self, wtx: &WalletTx) -> i32 {
        if !wtx.is_coinbase() {
            return 0;
        }
        (COINBASE_MATURITY + 1 - self.depth(wtx)).max(0)
    }

    /// Whether this is a coinbase that cannot be spent yet.
    pub(crate) fn is_immature(&self, wtx: &WalletTx) -> bool {
        self.blocks_to_maturity(wtx) > 0
    }

    /// Whether a transaction that may still count spends the output.
    pub(crate) fn is_spent(&self, outpoint: &OutPoint) -> bool {
        self.spends
            .get(outpoint)
            .into_iter()
            .flatten()
            .filter_map(|txid| self.txs.get(txid))
            .any(|wtx| !wtx.is_abandoned() && !wtx.is_block_conflicted() && !wtx.is_mempool_conflicted())
    }

    /// Moves the birth time back.
    pub(crate) fn note_birth_time(&mut self, time: i64) {
        self.birth_time = self.birth_time.min(time);
    }

    /// Locks an output against being chosen.
    pub(crate) fn lock_coin(&mut self, outpoint: OutPoint, persist: bool) -> DbResult<()> {
        if persist {
            self.db.write(crate::records::locked_utxo_key(&outpoint).bytes(), b"1")?;
        }
        let stored = self.locked_coins.get(&outpoint).copied().unwrap_or(false);
        self.locked_coins.insert(outpoint, persist || stored);
        Ok(())
    }

    /// Takes a lock off.
    pub(crate) fn unlock_coin(&mut self, outpoint: &OutPoint) -> DbResult<()> {
        if self.locked_coins.remove(outpoint) == Some(true) {
            self.db.erase(crate::records::locked_utxo_key(outpoint).bytes())?;
        }
        Ok(())
    }
}
