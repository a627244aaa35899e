//! Reading a wallet file. Reference: `WalletBatch::LoadWallet`, `PopulateWalletFromDB`.

use std::collections::BTreeSet;

use grs_descriptor::{Descriptor, DescriptorCache, FlatSigningProvider, decode_destination};
use grs_encoding::{Decode, Reader, decode_exact};
use grs_hashes::{BlockHash, Hash256, Txid};
use grs_primitives::OutPoint;
use zeroize::Zeroizing;

use super::keys::output_type_of_number;
use super::{CLIENT_VERSION, Purpose, State, TxUpdate, wallet_log};
use crate::db::DbError;
use crate::error::{WalletError, WalletResult};
use crate::flags;
use crate::keyman::DescriptorManager;
use crate::records::{
    DescriptorRecord, MasterKey, RecordKey, TxState, WalletTx, decode_extended_key, decode_key, encode_text,
    key_rest, name, read_public_key, read_text,
};

/// How well the file could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum LoadOutcome {
    /// Everything.
    Ok,
    /// Something that can be done without is missing.
    NonCritical,
    /// A transaction is missing.
    NeedRescan,
}

/// Why a wallet cannot be used. `file` is its path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LoadError {
    /// Records contradict each other or cannot be read.
    #[error("Error loading {file}: Wallet corrupted")]
    Corrupt { file: String },
    /// It has flags from the future.
    #[error("Error loading {file}: Wallet requires newer version of Groestlcoin Core")]
    TooNew { file: String },
    /// A descriptor cannot be parsed.
    #[error(
        "Unrecognized descriptor found. Loading wallet {file}\n\nThe wallet might have been created on a newer \
         version.\nPlease try running the latest software version.\n"
    )]
    UnknownDescriptor { file: String },
    /// It has records that only wallets without descriptors have.
    #[error(
        "Unexpected legacy entry in descriptor wallet found. Loading wallet {file}\n\nThe wallet might have been \
         tampered with or created with malicious intent.\n"
    )]
    UnexpectedLegacyEntry { file: String },
    /// It is a wallet without descriptors.
    #[error(
        "Error loading {file}: Wallet is a legacy wallet. Please migrate to a descriptor wallet using the migration \
         tool (migratewallet RPC)."
    )]
    LegacyWallet { file: String },
    /// It needs a signing program.
    #[error(
        "Error loading {file}: External signer wallet being loaded without external signer support compiled"
    )]
    ExternalSigner { file: String },
}

/// A record that cannot be used.
struct Corrupt(String);

impl From<grs_encoding::DecodeError> for Corrupt {
    fn from(e: grs_encoding::DecodeError) -> Corrupt {
        Corrupt(e.to_string())
    }
}

impl From<DbError> for Corrupt {
    fn from(e: DbError) -> Corrupt {
        Corrupt(e.to_string())
    }
}

impl From<WalletError> for Corrupt {
    fn from(e: WalletError) -> Corrupt {
        Corrupt(e.to_string())
    }
}

type Records = Vec<(Vec<u8>, Zeroizing<Vec<u8>>)>;

impl State {
    fn records(&self, prefix: &RecordKey) -> Result<Records, DbError> {
        let mut out = Vec::new();
        self.db.for_each(prefix.bytes(), |key, value| {
            out.push((key.to_vec(), Zeroizing::new(value.to_vec())));
            Ok(())
        })?;
        Ok(out)
    }

    /// Reads everything. Heights of blocks follow with [`State::set_block_heights`].
    pub(crate) fn load(&mut self) -> Result<LoadOutcome, LoadError> {
        let file = self.db.file().display().to_string();
        let corrupt = |state: &State, e: Corrupt| {
            wallet_log!(state, "{}", e.0);
            LoadError::Corrupt { file: file.clone() }
        };
        let version = match self.db.read(RecordKey::new(name::VERSION).bytes()) {
            Ok(value) => value.and_then(|v| decode_exact::<i32>(&v).ok()),
            Err(e) => return Err(corrupt(self, e.into())),
        };
        if let Some(version) = version {
            wallet_log!(self, "Last client version = {version}");
        }
        if let Some(value) =
            self.db.read(RecordKey::new(name::FLAGS).bytes()).map_err(|e| corrupt(self, e.into()))?
            && let Ok(flags) = decode_exact::<u64>(&value)
        {
            if flags >> 32 & !(flags::KNOWN >> 32) != 0 {
                wallet_log!(self, "Error reading wallet database: Unknown non-tolerable wallet flags found");
                return Err(LoadError::TooNew { file });
            }
            self.flags = flags;
            if !self.has_flag(flags::DESCRIPTORS) {
                return Err(LoadError::LegacyWallet { file });
            }
        }
        if self.has_flag(flags::EXTERNAL_SIGNER) {
            return Err(LoadError::ExternalSigner { file });
        }
        for kind in name::LEGACY {
            if self.db.has_prefix(&encode_text(kind)).map_err(|e| corrupt(self, e.into()))? {
                wallet_log!(
                    self,
                    "Error: Unexpected legacy entry found in descriptor wallet {}. The wallet might have been tampered \
                     with or created with malicious intent.",
                    self.name
                );
                return Err(LoadError::UnexpectedLegacyEntry { file });
            }
        }
        if !self.load_descriptors(version).map_err(|e| corrupt(self, e))? {
            return Err(LoadError::UnknownDescriptor { file });
        }
        self.load_address_book().map_err(|e| corrupt(self, e))?;
        self.load_active_descriptors().map_err(|e| corrupt(self, e))?;
        self.load_master_keys().map_err(|e| corrupt(self, e))?;
        let outcome = self.load_transactions().map_err(|e| corrupt(self, e))?;
        if outcome != LoadOutcome::Ok {
            // No changes to a file that is damaged.
            return Ok(outcome);
        }
        let fixed = (|| -> WalletResult<()> {
            if version != Some(CLIENT_VERSION) {
                self.db.write(RecordKey::new(name::VERSION).bytes(), &CLIENT_VERSION.to_le_bytes())?;
            }
            if self.txs.values().any(|wtx| wtx.order_pos == -1) {
                self.reorder_transactions()?;
            }
            self.upgrade_caches()?;
            self.remove_needless_master_keys()
        })();
        fixed.map_err(|e| corrupt(self, e.into()))?;
        Ok(LoadOutcome::Ok)
    }

    /// False for a descriptor that cannot be parsed.
    fn load_descriptors(&mut self, version: Option<i32>) -> Result<bool, Corrupt> {
        let (mut plain, mut encrypted) = (0, 0);
        let records = self.records(&RecordKey::new(name::DESCRIPTOR))?;
        let count = records.len();
        for (key, value) in records {
            let id = Hash256::from_bytes(key_rest(&key, name::DESCRIPTOR).array()?);
            let record = DescriptorRecord::decode(&mut Reader::new(&value));
            let parsed = record.map_err(|e| e.to_string()).and_then(|record| {
                let mut descriptors =
                    Descriptor::parse(&record.text, self.network, &mut FlatSigningProvider::new(), true)
                        .map_err(|e| format!("Invalid descriptor: {e}"))?;
                match descriptors.len() {
                    1 => Ok((record, descriptors.remove(0))),
                    _ => Err("Can't load a multipath descriptor from databases".to_owned()),
                }
            });
            let (record, descriptor) = match parsed {
                Ok(parsed) => parsed,
                Err(e) => {
                    let newer = version.is_some_and(|v| v > CLIENT_VERSION);
                    let why = if newer {
                        "The wallet might have been created on a newer version. "
                    } else {
                        "The database might be corrupted or the software version is not compatible with one of your \
                         wallet descriptors. "
                    };
                    wallet_log!(
                        self,
                        "Error: Unrecognized descriptor found in wallet {}. {why}Please try running the latest software \
                         version\nDetails: {e}",
                        self.name
                    );
                    return Ok(false);
                }
            };
            let mut manager = DescriptorManager::new(
                descriptor,
                record.creation_time,
                record.range_start,
                record.range_end,
                record.next_index,
            );
            if manager.id != id {
                return Err(Corrupt(
                    "The descriptor ID calculated by the wallet differs from the one in DB".into(),
                ));
            }
            let cache = self.load_cache(&id)?;
            let scripts = manager.load_cache(cache)?;
            let place = |name| RecordKey::new(name).with(id.as_bytes());
            for (key, value) in self.records(&place(name::DESCRIPTOR_KEY))? {
                let mut rest = key_rest(&key, name::DESCRIPTOR_KEY);
                rest.bytes(32)?;
                let public_key = read_public_key(&mut rest)?.ok_or_else(|| {
                    Corrupt(
                        "Error reading wallet database: descriptor unencrypted key CPubKey corrupt".into(),
                    )
                })?;
                let secret = decode_key(&value, &public_key).map_err(|e| Corrupt(e.to_string()))?;
                manager.load_key(secret, &public_key);
                plain += 1;
            }
            for (key, value) in self.records(&place(name::DESCRIPTOR_ENCRYPTED_KEY))? {
                let mut rest = key_rest(&key, name::DESCRIPTOR_ENCRYPTED_KEY);
                rest.bytes(32)?;
                let public_key = read_public_key(&mut rest)?.ok_or_else(|| {
                    Corrupt("Error reading wallet database: descriptor encrypted key CPubKey corrupt".into())
                })?;
                manager.load_encrypted_key(public_key, Reader::new(&value).var_bytes()?.to_vec());
                encrypted += 1;
            }
            self.add_manager(manager);
            self.cache_scripts(id, scripts);
        }
        wallet_log!(
            self,
            "Descriptors: {count}, Descriptor Keys: {plain} plaintext, {encrypted} encrypted, {} total.",
            plain + encrypted
        );
        Ok(true)
    }

    fn load_cache(&self, id: &Hash256) -> Result<DescriptorCache, Corrupt> {
        let mut cache = DescriptorCache::new();
        let xpub = |value: &[u8]| {
            decode_extended_key(value).ok_or_else(|| Corrupt("descriptor cache corrupt".into()))
        };
        for (key, value) in self.records(&RecordKey::new(name::DESCRIPTOR_CACHE).with(id.as_bytes()))? {
            let mut rest = key_rest(&key, name::DESCRIPTOR_CACHE);
            rest.bytes(32)?;
            let place = rest.u32_le()?;
            match rest.u32_le() {
                Ok(index) => cache.cache_derived(place, index, xpub(&value)?),
                Err(_) => cache.cache_parent(place, xpub(&value)?),
            }
        }
        for (key, value) in self.records(&RecordKey::new(name::DESCRIPTOR_LH_CACHE).with(id.as_bytes()))? {
            let mut rest = key_rest(&key, name::DESCRIPTOR_LH_CACHE);
            rest.bytes(32)?;
            cache.cache_last_hardened(rest.u32_le()?, xpub(&value)?);
        }
        Ok(cache)
    }

    fn load_address_book(&mut self) -> Result<(), Corrupt> {
        let network = self.network;
        // The reference keeps entries that it cannot decode under "no destination"; they mean nothing.
        let decode = |text: &str| decode_destination(text, network).ok();
        for (key, value) in self.records(&RecordKey::new(name::NAME))? {
            let address = read_text(&mut key_rest(&key, name::NAME))?;
            let label = read_text(&mut Reader::new(&value))?;
            if let Some(destination) = decode(&address) {
                self.address_book.entry(destination).or_default().label = Some(label);
            }
        }
        for (key, value) in self.records(&RecordKey::new(name::PURPOSE))? {
            let address = read_text(&mut key_rest(&key, name::PURPOSE))?;
            let purpose = read_text(&mut Reader::new(&value))?;
            let known = Purpose::from_name(&purpose);
            if known.is_none() {
                wallet_log!(self, "Warning: nonstandard purpose string '{purpose}' for address '{address}'");
            }
            if let Some(destination) = decode(&address) {
                self.address_book.entry(destination).or_default().purpose = known;
            }
        }
        for (key, _) in self.records(&RecordKey::new(name::DESTINATION_DATA))? {
            let mut rest = key_rest(&key, name::DESTINATION_DATA);
            let address = read_text(&mut rest)?;
            if read_text(&mut rest)? == "used"
                && let Some(destination) = decode(&address)
            {
                self.address_book.entry(destination).or_default().previously_spent = true;
            }
        }
        Ok(())
    }

    fn load_active_descriptors(&mut self) -> Result<(), Corrupt> {
        for (record, internal) in [(name::ACTIVE_EXTERNAL, false), (name::ACTIVE_INTERNAL, true)] {
            let mut seen = BTreeSet::new();
            for (key, value) in self.records(&RecordKey::new(record))? {
                let number = key_rest(&key, record).u8()?;
                let id = Hash256::from_bytes(Reader::new(&value).array()?);
                if !seen.insert(number) {
                    return Err(Corrupt("Multiple ScriptpubKeyMans specified for a single type".into()));
                }
                let kind = output_type_of_number(number)
                    .ok_or_else(|| Corrupt("Unknown type of an active descriptor".into()))?;
                if !self.managers.contains_key(&id) {
                    return Err(Corrupt("An active descriptor is missing".into()));
                }
                self.load_active(id, kind, internal);
            }
        }
        Ok(())
    }

    fn load_master_keys(&mut self) -> Result<(), Corrupt> {
        for (key, value) in self.records(&RecordKey::new(name::MASTER_KEY))? {
            let number = key_rest(&key, name::MASTER_KEY).u32_le()?;
            self.master_keys.insert(number, MasterKey::decode(&mut Reader::new(&value))?);
        }
        Ok(())
    }

    fn load_transactions(&mut self) -> Result<LoadOutcome, Corrupt> {
        let mut outcome = LoadOutcome::Ok;
        let mut loaded = Vec::new();
        let mut failure = None;
        self.db.for_each(RecordKey::new(name::TX).bytes(), |key, value| {
            let txid = key_rest(key, name::TX).array().map(Txid::from_bytes);
            match (txid, WalletTx::decode(&mut Reader::new(value))) {
                (Ok(txid), Ok(wtx)) if wtx.txid() == txid => loaded.push(wtx),
                (Ok(_), Ok(_)) => outcome = LoadOutcome::NeedRescan,
                (Err(e), _) | (_, Err(e)) => failure = Some(e),
            }
            Ok(())
        })?;
        if let Some(e) = failure {
            return Err(e.into());
        }
        for wtx in loaded {
            self.load_tx(wtx);
        }
        for (key, _) in self.records(&RecordKey::new(name::LOCKED_UTXO))? {
            let outpoint = OutPoint::decode(&mut key_rest(&key, name::LOCKED_UTXO))?;
            self.locked_coins.insert(outpoint, true);
        }
        match self.db.read(RecordKey::new(name::ORDER_POS_NEXT).bytes())?.map(|v| decode_exact::<i64>(&v)) {
            Some(Ok(next)) => self.order_pos_next = next,
            Some(Err(_)) => outcome = outcome.max(LoadOutcome::NonCritical),
            None => {}
        }
        Ok(outcome)
    }

    /// Takes a stored transaction.
    fn load_tx(&mut self, wtx: WalletTx) {
        let txid = wtx.txid();
        self.ordered.insert((wtx.order_pos, txid));
        self.note_birth_time(wtx.time());
        if !wtx.is_coinbase() {
            for input in &wtx.tx.inputs {
                self.spends.entry(input.prevout).or_default().push(txid);
            }
        }
        self.add_coins_of(&wtx.tx);
        self.txs.insert(txid, wtx);
    }

    /// Blocks whose heights the loaded transactions need.
    pub(crate) fn blocks_without_height(&self) -> BTreeSet<BlockHash> {
        self.txs
            .values()
            .filter_map(|wtx| match wtx.state {
                TxState::Confirmed { block, height: -1, .. }
                | TxState::BlockConflicted { block, height: -1 } => Some(block),
                _ => None,
            })
            .collect()
    }

    /// Sets heights from the node: `None` for blocks that are not in the active chain. Transactions of those become
    /// inactive, coinbases among them abandoned.
    pub(crate) fn set_block_heights(
        &mut self,
        height_of: impl Fn(&BlockHash) -> Option<i32>,
    ) -> WalletResult<()> {
        let mut conflicted = Vec::new();
        for wtx in self.txs.values_mut() {
            match &mut wtx.state {
                TxState::Confirmed { block, height, .. } | TxState::BlockConflicted { block, height }
                    if *height < 0 =>
                {
                    match height_of(block) {
                        Some(found) => *height = found,
                        None => wtx.state = TxState::Inactive { abandoned: false },
                    }
                }
                _ => {}
            }
            if let TxState::BlockConflicted { block, height } = wtx.state {
                conflicted.push((wtx.txid(), block, height));
            }
        }
        // What spends outputs of an excluded transaction is excluded as well.
        for (txid, block, height) in conflicted {
            for child in self.children(&txid) {
                self.mark_conflicted(block, height, child)?;
            }
        }
        let orphans: Vec<Txid> = self
            .txs
            .values()
            .filter(|wtx| wtx.is_coinbase() && matches!(wtx.state, TxState::Inactive { .. }))
            .map(WalletTx::txid)
            .collect();
        for txid in orphans {
            self.abandon(&txid)?;
        }
        Ok(())
    }

    /// Gives a place to transactions of very old wallets. Reference: `ReorderTransactions`.
    fn reorder_transactions(&mut self) -> WalletResult<()> {
        let mut by_time: Vec<(u32, Txid)> =
            self.txs.values().map(|wtx| (wtx.time_received, wtx.txid())).collect();
        by_time.sort_unstable();
        self.order_pos_next = 0;
        let mut offsets: Vec<i64> = Vec::new();
        self.in_transaction(|state| {
            for (_, txid) in by_time {
                let next = state.order_pos_next;
                let Some(wtx) = state.txs.get_mut(&txid) else { continue };
                if wtx.order_pos == -1 {
                    wtx.order_pos = next;
                    offsets.push(next);
                    state.order_pos_next += 1;
                } else {
                    let offset = offsets.iter().filter(|&&start| wtx.order_pos >= start).count() as i64;
                    wtx.order_pos += offset;
                    state.order_pos_next = next.max(wtx.order_pos + 1);
                    if offset == 0 {
                        continue;
                    }
                }
                let wtx = &state.txs[&txid];
                state.write_tx(wtx)?;
            }
            state.ordered = state.txs.values().map(|wtx| (wtx.order_pos, wtx.txid())).collect();
            state.write_order_pos_next()
        })
    }

    /// A wallet without secret keys needs no passphrase; earlier programs could give it one.
    fn remove_needless_master_keys(&mut self) -> WalletResult<()> {
        if !self.has_flag(flags::DISABLE_PRIVATE_KEYS)
            || !self.is_encrypted()
            || self.managers.values().any(DescriptorManager::have_encrypted_keys)
        {
            return Ok(());
        }
        wallet_log!(
            self,
            "Detected extraneous encryption keys in this wallet without private keys. Removing extraneous encryption keys."
        );
        for number in self.master_keys.keys() {
            self.db.erase(RecordKey::new(name::MASTER_KEY).with(number).bytes())?;
        }
        self.master_keys.clear();
        Ok(())
    }

    /// Transactions of the wallet that spend outputs of another.
    pub(crate) fn children(&self, txid: &Txid) -> Vec<Txid> {
        let Some(wtx) = self.txs.get(txid) else { return Vec::new() };
        (0..wtx.tx.outputs.len() as u32)
            .filter_map(|n| self.spends.get(&OutPoint::new(*txid, n)))
            .flatten()
            .copied()
            .collect()
    }

    /// As [`State::update_states`], for giving a transaction up. False when it is in a block or the mempool.
    pub(crate) fn abandon(&mut self, txid: &Txid) -> WalletResult<bool> {
        let Some(wtx) = self.txs.get(txid) else { return Ok(false) };
        if self.depth(wtx) != 0 || wtx.in_mempool() {
            return Ok(false);
        }
        self.update_states(*txid, true, |_, wtx| {
            if wtx.is_block_conflicted() || wtx.is_abandoned() || wtx.is_confirmed() || wtx.in_mempool() {
                return TxUpdate::Unchanged;
            }
            wtx.state = TxState::Inactive { abandoned: true };
            TxUpdate::Changed
        })?;
        Ok(true)
    }
}
