//! A descriptor of the wallet with its keys, cache and scripts. Reference: `DescriptorScriptPubKeyMan`.

use std::collections::{BTreeMap, HashMap};

use grs_descriptor::{
    Descriptor, DescriptorCache, Destination, FlatSigningProvider, MuSig2SecretNonces, OutputType,
    encode_extended_public_key, extract_destination,
};
use grs_encoding::encode_to_vec;
use grs_hashes::{Hash160, Hash256};
use grs_keys::{ExtendedPublicKey, PublicKey, SecretKey};
use grs_params::Network;
use grs_primitives::Script;

use crate::crypt::{self, KeyingMaterial};
use crate::db::{DbResult, WalletDb};
use crate::error::{WalletError, WalletResult};
use crate::records::{DescriptorRecord, RecordKey, descriptor_key, encode_extended_key, encode_key, name};

/// The descriptor that a new wallet has for a type of address. Reference: `GenerateWalletDescriptor`.
pub(crate) fn wallet_descriptor(
    master: &ExtendedPublicKey,
    kind: OutputType,
    internal: bool,
    network: Network,
) -> WalletResult<Descriptor> {
    let key = encode_extended_public_key(master, network);
    let coin = if network.is_test_chain() { 1 } else { 17 };
    let chain = u8::from(internal);
    let path = |purpose: u32| format!("{key}/{purpose}h/{coin}h/0h/{chain}/*");
    let text = match kind {
        OutputType::Legacy => format!("pkh({})", path(44)),
        OutputType::P2shSegwit => format!("sh(wpkh({}))", path(49)),
        OutputType::Bech32 => format!("wpkh({})", path(84)),
        OutputType::Bech32m => format!("tr({})", path(86)),
        OutputType::Unknown => return Err(WalletError::text("No descriptor for this type")),
    };
    let parsed = Descriptor::parse(&text, network, &mut FlatSigningProvider::new(), false)
        .map_err(|e| WalletError::text(e.to_string()))?;
    parsed.into_iter().next().ok_or_else(|| WalletError::text("No descriptor"))
}

/// A descriptor in use.
pub(crate) struct DescriptorManager {
    pub(crate) id: Hash256,
    pub(crate) descriptor: Descriptor,
    /// Birth time, Unix seconds.
    pub(crate) creation_time: u64,
    pub(crate) range_start: i32,
    pub(crate) range_end: i32,
    pub(crate) next_index: i32,
    pub(crate) cache: DescriptorCache,
    /// Highest index whose scripts are known; -1 for none.
    max_cached: i32,
    scripts: HashMap<Script, i32>,
    public_keys: HashMap<PublicKey, i32>,
    keys: BTreeMap<Hash160, SecretKey>,
    encrypted_keys: BTreeMap<Hash160, (PublicKey, Vec<u8>)>,
    decryption_checked: bool,
    nonces: MuSig2SecretNonces,
}

impl DescriptorManager {
    /// A descriptor without keys and scripts so far.
    pub(crate) fn new(
        descriptor: Descriptor,
        creation_time: u64,
        range_start: i32,
        range_end: i32,
        next_index: i32,
    ) -> DescriptorManager {
        DescriptorManager {
            id: descriptor.id(),
            descriptor,
            creation_time,
            range_start,
            range_end,
            next_index,
            cache: DescriptorCache::new(),
            max_cached: -1,
            scripts: HashMap::new(),
            public_keys: HashMap::new(),
            keys: BTreeMap::new(),
            encrypted_keys: BTreeMap::new(),
            decryption_checked: false,
            nonces: MuSig2SecretNonces::new(),
        }
    }

    /// The stored form.
    pub(crate) fn record(&self) -> DescriptorRecord {
        DescriptorRecord {
            text: self.descriptor.to_string(),
            creation_time: self.creation_time,
            next_index: self.next_index,
            range_start: self.range_start,
            range_end: self.range_end,
        }
    }

    /// Writes the descriptor without its keys and cache.
    pub(crate) fn write(&self, db: &WalletDb) -> DbResult<()> {
        db.write(descriptor_key(&self.id).bytes(), &encode_to_vec(&self.record()))
    }

    fn add_scripts(&mut self, index: i32, scripts: &[Script], keys: &FlatSigningProvider) {
        for script in scripts {
            self.scripts.insert(script.clone(), index);
        }
        for key in keys.public_keys.values() {
            self.public_keys.entry(*key).or_insert(index);
        }
    }

    /// Takes the stored cache and gives the scripts of the whole range.
    pub(crate) fn load_cache(&mut self, cache: DescriptorCache) -> WalletResult<Vec<Script>> {
        self.cache = cache;
        let mut new = Vec::new();
        for index in self.range_start..self.range_end {
            let mut out = FlatSigningProvider::new();
            let scripts = self
                .descriptor
                .expand_from_cache(index as u32, &self.cache, &mut out)
                .ok_or_else(|| WalletError::text("Error: Unable to expand wallet descriptor from cache"))?;
            for script in &scripts {
                if let Some(known) = self.scripts.get(script) {
                    return Err(WalletError::text(format!(
                        "Error: Already loaded script at index {index} as being at index {known}"
                    )));
                }
            }
            self.add_scripts(index, &scripts, &out);
            new.extend(scripts);
            self.max_cached += 1;
        }
        Ok(new)
    }

    /// Takes a stored key.
    pub(crate) fn load_key(&mut self, key: SecretKey, public_key: &PublicKey) {
        self.keys.insert(public_key.key_id(), key);
    }

    /// Takes a stored encrypted key.
    pub(crate) fn load_encrypted_key(&mut self, public_key: PublicKey, secret: Vec<u8>) {
        if self.keys.is_empty() {
            self.encrypted_keys.insert(public_key.key_id(), (public_key, secret));
        }
    }

    /// All secret keys; none while the wallet is locked.
    pub(crate) fn secret_keys(&self, master: Option<&KeyingMaterial>) -> BTreeMap<Hash160, SecretKey> {
        match master {
            Some(master) => self
                .encrypted_keys
                .iter()
                .filter_map(|(id, (public, secret))| Some((*id, crypt::decrypt_key(master, secret, public)?)))
                .collect(),
            None => self.keys.clone(),
        }
    }

    fn key_provider(&self, master: Option<&KeyingMaterial>) -> FlatSigningProvider {
        FlatSigningProvider { keys: self.secret_keys(master), ..FlatSigningProvider::new() }
    }

    /// Whether there is a secret key, locked or not.
    pub(crate) fn have_private_keys(&self) -> bool {
        !self.keys.is_empty() || !self.encrypted_keys.is_empty()
    }

    /// Whether there is an encrypted key.
    pub(crate) fn have_encrypted_keys(&self) -> bool {
        !self.encrypted_keys.is_empty()
    }

    /// Whether the key is this one's, locked or not.
    pub(crate) fn has_key(&self, id: &Hash160) -> bool {
        self.keys.contains_key(id) || self.encrypted_keys.contains_key(id)
    }

    /// Adds a secret key; encrypted if there is a master key. It is on disk when this returns.
    pub(crate) fn add_key(
        &mut self,
        db: &WalletDb,
        encrypted: bool,
        master: Option<&KeyingMaterial>,
        key: SecretKey,
    ) -> WalletResult<()> {
        let public_key = key.public_key();
        let id = public_key.key_id();
        if self.has_key(&id) {
            return Ok(());
        }
        let place = |name| RecordKey::new(name).with(self.id.as_bytes()).public_key(&public_key);
        match (encrypted, master) {
            (true, Some(master)) => {
                let secret = crypt::encrypt_key(master, &key, &public_key);
                let value = encode_bytes(&secret);
                db.insert(place(name::DESCRIPTOR_ENCRYPTED_KEY).bytes(), &value)?;
                db.erase(place(name::DESCRIPTOR_KEY).bytes())?;
                self.encrypted_keys.insert(id, (public_key, secret));
            }
            (true, None) => {
                return Err(WalletError::text("AddDescriptorKey: writing descriptor private key failed"));
            }
            (false, _) => {
                db.insert(place(name::DESCRIPTOR_KEY).bytes(), &encode_key(&key, &public_key))?;
                self.keys.insert(id, key);
            }
        }
        Ok(())
    }

    /// Encrypts all keys on disk. [`DescriptorManager::forget_plain_keys`] follows once that has been committed.
    pub(crate) fn encrypt(&mut self, db: &WalletDb, master: &KeyingMaterial) -> WalletResult<()> {
        if !self.encrypted_keys.is_empty() {
            return Err(WalletError::text("Could not encrypt new descriptors"));
        }
        let mut encrypted = BTreeMap::new();
        for (id, key) in &self.keys {
            let public_key = key.public_key();
            let secret = crypt::encrypt_key(master, key, &public_key);
            let place = |name| RecordKey::new(name).with(self.id.as_bytes()).public_key(&public_key);
            db.insert(place(name::DESCRIPTOR_ENCRYPTED_KEY).bytes(), &encode_bytes(&secret))?;
            db.erase(place(name::DESCRIPTOR_KEY).bytes())?;
            encrypted.insert(*id, (public_key, secret));
        }
        self.encrypted_keys = encrypted;
        Ok(())
    }

    /// Drops the unencrypted keys, or the encrypted ones if encryption came to nothing.
    pub(crate) fn finish_encryption(&mut self, done: bool) {
        if done {
            self.keys.clear();
        } else if !self.keys.is_empty() {
            self.encrypted_keys.clear();
        }
    }

    /// Whether the master key opens the keys. Reference: `CheckDecryptionKey`.
    pub(crate) fn check_decryption_key(&mut self, master: &KeyingMaterial) -> WalletResult<bool> {
        if !self.keys.is_empty() {
            return Ok(false);
        }
        let mut pass = self.encrypted_keys.is_empty();
        for (public_key, secret) in self.encrypted_keys.values() {
            if crypt::decrypt_key(master, secret, public_key).is_none() {
                if pass {
                    return Err(WalletError::text(
                        "Error unlocking wallet: some keys decrypt but not all. Your wallet file may be corrupt.",
                    ));
                }
                return Ok(false);
            }
            pass = true;
            if self.decryption_checked {
                break;
            }
        }
        self.decryption_checked |= pass;
        Ok(pass)
    }

    /// Derives scripts until `size` lie ahead of the next address, and gives the new ones. `None` when secret keys
    /// are needed and locked. Everything is written. Reference: `TopUpWithDB`.
    pub(crate) fn top_up(
        &mut self,
        db: &WalletDb,
        master: Option<&KeyingMaterial>,
        size: u32,
    ) -> WalletResult<(bool, Vec<Script>)> {
        let size = i32::try_from(size).unwrap_or(i32::MAX);
        let mut end = self.next_index.saturating_add(size).max(self.range_end);
        if !self.descriptor.is_range() {
            end = 1;
            self.range_end = 1;
            self.range_start = 0;
        }
        let mut new = Vec::new();
        if self.max_cached + 1 >= end && self.range_end == end {
            return Ok((true, new));
        }
        let mut provider = None;
        for index in self.max_cached + 1..end {
            let mut out = FlatSigningProvider::new();
            let mut fresh = DescriptorCache::new();
            let scripts = match self.descriptor.expand_from_cache(index as u32, &self.cache, &mut out) {
                Some(scripts) => scripts,
                None => {
                    let provider = provider.get_or_insert_with(|| self.key_provider(master));
                    out = FlatSigningProvider::new();
                    match self.descriptor.expand(index as u32, provider, &mut out, Some(&mut fresh)) {
                        Some(scripts) => scripts,
                        None => return Ok((false, new)),
                    }
                }
            };
            self.add_scripts(index, &scripts, &out);
            new.extend(scripts);
            if !fresh.is_empty() {
                let diff = self.cache.merge_and_diff(&fresh).map_err(|e| WalletError::text(e.to_string()))?;
                self.write_cache(db, &diff)?;
            }
            self.max_cached += 1;
        }
        self.range_end = end;
        self.write(db)?;
        Ok((true, new))
    }

    fn write_cache(&self, db: &WalletDb, cache: &DescriptorCache) -> DbResult<()> {
        let key = |name| RecordKey::new(name).with(self.id.as_bytes());
        for (place, xpub) in &cache.parent {
            db.write(key(name::DESCRIPTOR_CACHE).with(place).bytes(), &encode_extended_key(xpub))?;
        }
        for (place, keys) in &cache.derived {
            for (index, xpub) in keys {
                db.write(
                    key(name::DESCRIPTOR_CACHE).with(place).with(index).bytes(),
                    &encode_extended_key(xpub),
                )?;
            }
        }
        for (place, xpub) in &cache.last_hardened {
            db.write(key(name::DESCRIPTOR_LH_CACHE).with(place).bytes(), &encode_extended_key(xpub))?;
        }
        Ok(())
    }

    /// Adds keys at the last hardened step to the cache of an old wallet. Reference: `UpgradeDescriptorCache`.
    pub(crate) fn upgrade_cache(
        &mut self,
        db: &WalletDb,
        master: Option<&KeyingMaterial>,
    ) -> WalletResult<()> {
        if !self.cache.last_hardened.is_empty() {
            return Ok(());
        }
        let mut fresh = DescriptorCache::new();
        let mut out = FlatSigningProvider::new();
        self.descriptor
            .expand(0, &self.key_provider(master), &mut out, Some(&mut fresh))
            .ok_or_else(|| WalletError::text("Unable to expand descriptor"))?;
        let diff = self.cache.merge_and_diff(&fresh).map_err(|e| WalletError::text(e.to_string()))?;
        Ok(self.write_cache(db, &diff)?)
    }

    /// Whether new addresses can be had: one script for each index, and keys left or derivable.
    pub(crate) fn can_get_addresses(&self) -> bool {
        self.descriptor.is_single_type()
            && self.descriptor.is_range()
            && (self.have_private_keys() || self.next_index < self.range_end)
    }

    /// The destination at an index whose scripts are known.
    pub(crate) fn destination_at(&self, index: i32) -> Option<Destination> {
        let mut out = FlatSigningProvider::new();
        let scripts = self.descriptor.expand_from_cache(index as u32, &self.cache, &mut out)?;
        Some(extract_destination(scripts.first()?)).filter(Destination::is_valid)
    }

    /// Index of a script.
    pub(crate) fn index_of(&self, script: &Script) -> Option<i32> {
        self.scripts.get(script).copied()
    }

    /// All scripts.
    pub(crate) fn all_scripts(&self) -> impl Iterator<Item = &Script> {
        self.scripts.keys()
    }

    /// Addresses ready to be handed out.
    pub(crate) fn key_pool_size(&self) -> i64 {
        i64::from(self.range_end) - i64::from(self.next_index)
    }

    fn provider_at(
        &self,
        index: i32,
        secrets: bool,
        master: Option<&KeyingMaterial>,
    ) -> Option<FlatSigningProvider> {
        let mut out = FlatSigningProvider::new();
        self.descriptor.expand_from_cache(index as u32, &self.cache, &mut out)?;
        if secrets && self.have_private_keys() {
            self.descriptor.expand_private(index as u32, &self.key_provider(master), &mut out);
            out.secret_nonces = Some(self.nonces.clone());
        }
        Some(out)
    }

    /// What is known about a script, with secret keys if wanted and not locked.
    pub(crate) fn signing_provider(
        &self,
        script: &Script,
        secrets: bool,
        master: Option<&KeyingMaterial>,
    ) -> Option<FlatSigningProvider> {
        self.provider_at(self.index_of(script)?, secrets, master)
    }

    /// The same for the script in which a public key of this descriptor stands.
    pub(crate) fn signing_provider_by_key(
        &self,
        key: &PublicKey,
        master: Option<&KeyingMaterial>,
    ) -> Option<FlatSigningProvider> {
        self.provider_at(*self.public_keys.get(key)?, true, master)
    }

    /// The public text with keys at the last hardened step, or the text with secret keys.
    pub(crate) fn text(&self, private: bool, master: Option<&KeyingMaterial>) -> Option<String> {
        let provider = self.key_provider(master);
        if private {
            let (text, ok) = self.descriptor.to_private_text(&provider);
            return ok.then_some(text);
        }
        self.descriptor.to_normalized_text(&provider, Some(&self.cache))
    }

    /// Why a new range cannot take the place of this one's.
    pub(crate) fn check_update(&self, start: i32, end: i32) -> Result<(), String> {
        if self.descriptor.is_range() && (start > self.range_start || end < self.range_end) {
            return Err(format!(
                "new range must include current range = [{},{}]",
                self.range_start,
                self.range_end - 1
            ));
        }
        Ok(())
    }

    /// Takes a new range; scripts come back with the next top-up.
    pub(crate) fn update(&mut self, creation_time: u64, start: i32, end: i32, next: i32) {
        self.scripts.clear();
        self.public_keys.clear();
        self.max_cached = -1;
        self.creation_time = creation_time;
        self.range_start = start;
        self.range_end = end;
        self.next_index = next;
        self.cache = DescriptorCache::new();
    }
}

/// Bytes with their length.
fn encode_bytes(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len() + 1);
    grs_encoding::write_var_bytes(&mut out, bytes);
    out
}
