//! Descriptors of a wallet: new ones, addresses, encryption, signing. Reference: `wallet.cpp`.

use grs_descriptor::{Descriptor, Destination, FlatSigningProvider, OutputType};
use grs_encoding::encode_to_vec;
use grs_hashes::Hash256;
use grs_keys::{ExtendedSecretKey, SecretKey};
use grs_primitives::Script;

use super::{Purpose, State, wallet_log};
use crate::crypt;
use crate::error::{WalletError, WalletResult};
use crate::flags;
use crate::keyman::{DescriptorManager, wallet_descriptor};
use crate::records::{MasterKey, RecordKey, name};

impl State {
    /// Whether there is a passphrase.
    pub(crate) fn is_encrypted(&self) -> bool {
        !self.master_keys.is_empty()
    }

    /// Whether secret keys are out of reach.
    pub(crate) fn is_locked(&self) -> bool {
        self.is_encrypted() && self.master_key.is_none()
    }

    /// Remembers scripts of a descriptor.
    pub(crate) fn cache_scripts(&mut self, id: Hash256, scripts: Vec<Script>) {
        for script in scripts {
            let owners = self.scripts.entry(script.clone()).or_default();
            if !owners.contains(&id) {
                owners.push(id);
            }
            self.new_scripts.push(script);
        }
    }

    /// Adds a descriptor whose records are on disk or on their way there.
    pub(crate) fn add_manager(&mut self, manager: DescriptorManager) {
        self.note_birth_time(manager.creation_time as i64);
        self.managers.insert(manager.id, manager);
    }

    /// Ids of the active descriptors.
    pub(crate) fn active_ids(&self) -> Vec<Hash256> {
        let mut ids: Vec<_> = self.external.values().chain(self.internal.values()).copied().collect();
        ids.sort_unstable();
        ids.dedup();
        ids
    }

    /// Id of the active descriptor of a type.
    pub(crate) fn active_id(&self, kind: OutputType, internal: bool) -> Option<Hash256> {
        if internal { &self.internal } else { &self.external }.get(&kind).copied()
    }

    /// Whether a descriptor is for change: `None` unless it is active.
    pub(crate) fn is_internal(&self, id: &Hash256) -> Option<bool> {
        if self.internal.values().any(|i| i == id) {
            return Some(true);
        }
        self.external.values().any(|i| i == id).then_some(false)
    }

    /// Makes a descriptor the active one of its type.
    pub(crate) fn activate(&mut self, id: Hash256, kind: OutputType, internal: bool) -> WalletResult<()> {
        let record = if internal { name::ACTIVE_INTERNAL } else { name::ACTIVE_EXTERNAL };
        self.db.write(RecordKey::new(record).with(&output_type_number(kind)).bytes(), id.as_bytes())?;
        self.load_active(id, kind, internal);
        Ok(())
    }

    /// As [`State::activate`] without writing.
    pub(crate) fn load_active(&mut self, id: Hash256, kind: OutputType, internal: bool) {
        wallet_log!(
            self,
            "Setting spkMan to active: id = {id}, type = {}, internal = {internal}",
            kind.name()
        );
        let (own, other) = match internal {
            true => (&mut self.internal, &mut self.external),
            false => (&mut self.external, &mut self.internal),
        };
        own.insert(kind, id);
        if other.get(&kind) == Some(&id) {
            other.remove(&kind);
        }
    }

    /// Makes a descriptor inactive, if it is active as this.
    pub(crate) fn deactivate(&mut self, id: Hash256, kind: OutputType, internal: bool) -> WalletResult<()> {
        if self.active_id(kind, internal) != Some(id) {
            return Ok(());
        }
        wallet_log!(self, "Deactivate spkMan: id = {id}, type = {}, internal = {internal}", kind.name());
        let record = if internal { name::ACTIVE_INTERNAL } else { name::ACTIVE_EXTERNAL };
        self.db.erase(RecordKey::new(record).with(&output_type_number(kind)).bytes())?;
        if internal { &mut self.internal } else { &mut self.external }.remove(&kind);
        Ok(())
    }

    /// Makes the descriptors of a new random seed and activates them.
    pub(crate) fn setup_descriptors(&mut self, now: i64) -> WalletResult<()> {
        let seed = SecretKey::generate(true, |bytes| {
            getrandom::fill(bytes).expect("the system gives random bytes");
        });
        let master = ExtendedSecretKey::from_seed(seed.secret_bytes())
            .map_err(|e| WalletError::text(e.to_string()))?;
        self.in_transaction(|state| {
            for internal in [false, true] {
                for kind in OutputType::ALL {
                    state.setup_descriptor(&master, kind, internal, now)?;
                }
            }
            Ok(())
        })
    }

    fn setup_descriptor(
        &mut self,
        master: &ExtendedSecretKey,
        kind: OutputType,
        internal: bool,
        now: i64,
    ) -> WalletResult<Hash256> {
        if self.is_locked() {
            return Err(WalletError::text(
                "SetupDescriptorScriptPubKeyMan: Wallet is locked, cannot setup new descriptors",
            ));
        }
        let descriptor = wallet_descriptor(&master.neuter(), kind, internal, self.network)?;
        let mut manager = DescriptorManager::new(descriptor, now.max(0) as u64, 0, 0, 0);
        manager.add_key(
            &self.db,
            self.is_encrypted(),
            self.master_key.as_ref(),
            master.secret_key.clone(),
        )?;
        manager.write(&self.db)?;
        let (_, scripts) = manager.top_up(&self.db, self.master_key.as_ref(), self.keypool_size)?;
        let id = manager.id;
        self.set_flags(self.flags & !flags::BLANK_WALLET)?;
        self.add_manager(manager);
        self.cache_scripts(id, scripts);
        self.activate(id, kind, internal)?;
        Ok(id)
    }

    /// Adds a descriptor or widens the range of one. Reference: `AddWalletDescriptor`.
    #[allow(clippy::too_many_arguments)]
    pub(crate) fn add_descriptor(
        &mut self,
        descriptor: Descriptor,
        creation_time: u64,
        range: (i32, i32),
        next_index: i32,
        keys: &FlatSigningProvider,
        label: &str,
        internal: bool,
    ) -> WalletResult<Hash256> {
        let id = descriptor.id();
        let ranged = descriptor.is_range();
        if let Some(manager) = self.managers.get_mut(&id) {
            manager.check_update(range.0, range.1).map_err(WalletError::Text)?;
            manager.update(creation_time, range.0, range.1, next_index);
            let text = manager.descriptor.to_string();
            wallet_log!(self, "Update existing descriptor: {text}");
            self.note_birth_time(creation_time as i64);
        } else {
            self.add_manager(DescriptorManager::new(descriptor, creation_time, range.0, range.1, next_index));
        }
        let scripts = self.in_transaction(|state| {
            let encrypted = state.is_encrypted();
            let size = state.keypool_size;
            let manager = state.managers.get_mut(&id).ok_or_else(|| WalletError::text("No descriptor"))?;
            manager.write(&state.db)?;
            for key in keys.keys.values() {
                manager.add_key(&state.db, encrypted, state.master_key.as_ref(), key.clone())?;
            }
            let (done, scripts) = manager.top_up(&state.db, state.master_key.as_ref(), size)?;
            if !done {
                return Err(WalletError::text("Could not top up scriptPubKeys"));
            }
            manager.write(&state.db)?;
            Ok(scripts)
        })?;
        self.cache_scripts(id, scripts);
        if !ranged && !internal {
            let scripts: Vec<Script> = self.managers[&id].all_scripts().cloned().collect();
            for script in scripts {
                let destination = grs_descriptor::extract_destination(&script);
                if destination.is_valid() {
                    self.set_address_book(&destination, label, Some(Purpose::Receive))?;
                }
            }
        }
        self.refresh_coins();
        Ok(id)
    }

    /// Fills one descriptor's range; false when its keys are locked.
    pub(crate) fn top_up(&mut self, id: Hash256, size: u32) -> WalletResult<bool> {
        let (done, scripts) = self.in_transaction(|state| {
            let manager = state.managers.get_mut(&id).ok_or_else(|| WalletError::text("No descriptor"))?;
            manager.top_up(&state.db, state.master_key.as_ref(), size)
        })?;
        self.cache_scripts(id, scripts);
        Ok(done)
    }

    /// Fills the ranges of all active descriptors.
    pub(crate) fn top_up_all(&mut self, size: Option<u32>) -> WalletResult<bool> {
        let size = size.unwrap_or(self.keypool_size);
        let mut all = true;
        for id in self.active_ids() {
            all &= self.top_up(id, size)?;
        }
        Ok(all)
    }

    /// A new address. The index after it is on disk before it is given.
    pub(crate) fn new_destination(&mut self, kind: OutputType, internal: bool) -> WalletResult<Destination> {
        let Some(id) = self.active_id(kind, internal) else {
            return Err(WalletError::text(format!("Error: No {} addresses available.", kind.name())));
        };
        if !self.managers[&id].can_get_addresses() {
            return Err(WalletError::text("No addresses available"));
        }
        self.top_up(id, self.keypool_size)?;
        let out = || WalletError::text("Error: Keypool ran out, please call keypoolrefill first");
        let manager = self.managers.get_mut(&id).ok_or_else(out)?;
        if manager.next_index >= manager.range_end {
            return Err(out());
        }
        let destination = manager.destination_at(manager.next_index).ok_or_else(out)?;
        manager.next_index += 1;
        manager.write(&self.db)?;
        Ok(destination)
    }

    /// A new address for payments to us.
    pub(crate) fn new_receive_address(&mut self, kind: OutputType, label: &str) -> WalletResult<Destination> {
        let destination = self.new_destination(kind, false)?;
        self.set_address_book(&destination, label, Some(Purpose::Receive))?;
        Ok(destination)
    }

    /// Gives the last address back, if it is the last.
    pub(crate) fn return_destination(&mut self, kind: OutputType, internal: bool, destination: &Destination) {
        let Some(id) = self.active_id(kind, internal) else { return };
        let Some(manager) = self.managers.get_mut(&id) else { return };
        if manager.next_index > 0
            && manager.destination_at(manager.next_index - 1).as_ref() == Some(destination)
        {
            manager.next_index -= 1;
            if manager.write(&self.db).is_err() {
                // The number stays used, which harms nothing.
                manager.next_index += 1;
            }
        }
    }

    /// Addresses ready for payments to us, and all.
    pub(crate) fn key_pool_sizes(&self) -> (i64, i64) {
        let size = |id: &Hash256| self.managers.get(id).map_or(0, DescriptorManager::key_pool_size);
        let external = self.external.values().map(size).sum();
        (external, self.active_ids().iter().map(size).sum())
    }

    /// Whether new addresses can be had.
    pub(crate) fn can_get_addresses(&self, internal: bool) -> bool {
        OutputType::ALL
            .into_iter()
            .filter_map(|kind| self.active_id(kind, internal))
            .any(|id| self.managers[&id].can_get_addresses())
    }

    /// What is known about a script, without secret keys.
    pub(crate) fn solving_provider(&self, script: &Script) -> Option<FlatSigningProvider> {
        let id = self.scripts.get(script)?.first()?;
        self.managers.get(id)?.signing_provider(script, false, None)
    }

    /// Everything there is to sign for these scripts.
    pub(crate) fn signing_provider<'a>(
        &self,
        scripts: impl Iterator<Item = &'a Script>,
    ) -> FlatSigningProvider {
        let mut out = FlatSigningProvider::new();
        for script in scripts {
            for id in self.scripts.get(script).into_iter().flatten() {
                if let Some(more) = self.managers[id].signing_provider(script, true, self.master_key.as_ref())
                {
                    out.merge(more);
                }
            }
        }
        out
    }

    /// Encrypts all keys with a passphrase, and makes new descriptors if there were any.
    pub(crate) fn encrypt(&mut self, passphrase: &[u8], now: i64) -> WalletResult<()> {
        let plain = crypt::random_key();
        let record = crypt::new_master_key(passphrase, &plain);
        wallet_log!(self, "Encrypting Wallet with an nDeriveIterations of {}", record.rounds);
        let number = self.master_keys.keys().last().map_or(1, |n| n + 1);
        let done = self.in_transaction(|state| {
            state.write_master_key(number, &record)?;
            for manager in state.managers.values_mut() {
                manager.encrypt(&state.db, &plain)?;
            }
            Ok(())
        });
        for manager in self.managers.values_mut() {
            manager.finish_encryption(done.is_ok());
        }
        done?;
        self.master_keys.insert(number, record);
        if !self.has_flag(flags::BLANK_WALLET) {
            self.master_key = Some(plain);
            let made = self.setup_descriptors(now);
            self.lock();
            made?;
        }
        // Pages that are free now still hold the plain keys.
        self.db.rewrite()?;
        Ok(())
    }

    fn write_master_key(&self, number: u32, record: &MasterKey) -> WalletResult<()> {
        let key = RecordKey::new(name::MASTER_KEY).with(&number);
        Ok(self.db.write(key.bytes(), &encode_to_vec(record))?)
    }

    /// Forgets the key of an encrypted wallet.
    pub(crate) fn lock(&mut self) {
        crypt::forget(&mut self.master_key);
    }

    /// Opens an encrypted wallet; false for a wrong passphrase.
    pub(crate) fn unlock(&mut self, passphrase: &[u8]) -> WalletResult<bool> {
        let records: Vec<MasterKey> = self.master_keys.values().cloned().collect();
        for record in records {
            let Some(plain) = crypt::decrypt_master_key(passphrase, &record) else { continue };
            let mut good = true;
            for manager in self.managers.values_mut() {
                good &= manager.check_decryption_key(&plain)?;
            }
            if good {
                self.master_key = Some(plain);
                self.upgrade_caches()?;
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Changes the passphrase; false when the old one is wrong.
    pub(crate) fn change_passphrase(&mut self, old: &[u8], new: &[u8]) -> WalletResult<bool> {
        let was_locked = self.is_locked();
        let records: Vec<(u32, MasterKey)> = self.master_keys.iter().map(|(n, r)| (*n, r.clone())).collect();
        for (number, mut record) in records {
            let Some(plain) = crypt::decrypt_master_key(old, &record) else { continue };
            let mut good = true;
            for manager in self.managers.values_mut() {
                good &= manager.check_decryption_key(&plain)?;
            }
            if !good {
                continue;
            }
            crypt::encrypt_master_key(new, &plain, &mut record);
            wallet_log!(self, "Wallet passphrase changed to an nDeriveIterations of {}", record.rounds);
            self.write_master_key(number, &record)?;
            self.master_keys.insert(number, record);
            if was_locked {
                self.lock();
            } else {
                self.master_key = Some(plain);
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// Brings caches of old wallets up to date. Reference: `UpgradeDescriptorCache`.
    pub(crate) fn upgrade_caches(&mut self) -> WalletResult<()> {
        if self.is_locked() || self.has_flag(flags::LAST_HARDENED_XPUB_CACHED) {
            return Ok(());
        }
        self.in_transaction(|state| {
            for manager in state.managers.values_mut() {
                manager.upgrade_cache(&state.db, state.master_key.as_ref())?;
            }
            Ok(state.set_flags(state.flags | flags::LAST_HARDENED_XPUB_CACHED)?)
        })
    }
}

/// Number of a type in records.
pub(crate) fn output_type_number(kind: OutputType) -> u8 {
    match kind {
        OutputType::Legacy => 0,
        OutputType::P2shSegwit => 1,
        OutputType::Bech32 => 2,
        OutputType::Bech32m => 3,
        OutputType::Unknown => 4,
    }
}

/// The type of a number.
pub(crate) fn output_type_of_number(number: u8) -> Option<OutputType> {
    [OutputType::Legacy, OutputType::P2shSegwit, OutputType::Bech32, OutputType::Bech32m, OutputType::Unknown]
        .get(usize::from(number))
        .copied()
}
