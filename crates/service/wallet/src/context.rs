//! All wallets of the process: creation, loading, unloading. Reference: `wallet.cpp`, `load.cpp`.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, Weak};
use std::time::Duration;

use grs_args::ArgsManager;
use grs_interfaces::{
    BilingualString, CallResult, Chain, LoadWalletCallback, SecureString, SettingsAction, SettingsUpdate,
};
use grs_log::info;
use grs_params::{ChainParams, Network, ParamsOptions, SignetOptions};
use grs_sync::{Scheduler, clock};
use serde_json::Value;

use crate::db::{self, DbError, OpenMode, WalletDb};
use crate::error::{WalletError, WalletResult};
use crate::flags;
use crate::gui::Signal;
use crate::host::Host;
use crate::options::WalletOptions;
use crate::wallet::Wallet;

/// Why a wallet could not be made or loaded: this decides the RPC error's number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FailureKind {
    /// There is none at the path.
    NotFound,
    /// It is loaded.
    AlreadyLoaded,
    /// There is one at the path.
    AlreadyExists,
    /// A name or backup file that cannot be used.
    InvalidParameter,
    /// It could not be encrypted.
    Encrypt,
    /// All else.
    Other,
}

/// A failure with its text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub(crate) struct LoadFailure {
    pub(crate) kind: FailureKind,
    pub(crate) text: String,
}

impl LoadFailure {
    fn new(kind: FailureKind, text: impl Into<String>) -> LoadFailure {
        LoadFailure { kind, text: text.into() }
    }

    fn verification(e: &DbError) -> LoadFailure {
        let kind = match e {
            DbError::NotFound(_) | DbError::BadFormat(_) | DbError::Legacy(_) => FailureKind::NotFound,
            DbError::AlreadyExists(_) => FailureKind::AlreadyExists,
            _ => FailureKind::Other,
        };
        LoadFailure::new(kind, format!("Wallet file verification failed. {e}"))
    }
}

/// A loaded wallet and warnings to show, or the failure; warnings come in either case.
pub(crate) type Loaded = (Result<Arc<Wallet>, LoadFailure>, Vec<String>);

/// What the wallets share.
pub(crate) struct WalletContext {
    pub(crate) args: Arc<ArgsManager>,
    pub(crate) chain: Arc<dyn Chain>,
    pub(crate) host: Box<dyn Host>,
    pub(crate) network: Network,
    pub(crate) magic: [u8; 4],
    pub(crate) scheduler: Scheduler,
    wallets: RwLock<Vec<Arc<Wallet>>>,
    loading: Mutex<HashSet<String>>,
    callbacks: Mutex<Vec<(u64, Arc<dyn LoadWalletCallback>)>>,
    /// A wallet has come or gone.
    pub(crate) changed: Arc<Signal>,
    /// Canonical `-walletdir`, once it has been checked.
    dir: Mutex<Option<PathBuf>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl WalletContext {
    /// No wallets so far.
    pub(crate) fn new(args: Arc<ArgsManager>, chain: Arc<dyn Chain>, host: Box<dyn Host>) -> WalletContext {
        let network = args.network().and_then(|n| Network::from_name(n.name())).unwrap_or(Network::Main);
        let mut options = ParamsOptions::default();
        if network == Network::Signet
            && let Some(challenge) = args.get_list("-signetchallenge").first()
            && let Ok(challenge) = grs_encoding::hex_decode(challenge)
        {
            options.signet = SignetOptions { challenge: Some(challenge), ..SignetOptions::default() };
        }
        let magic = ChainParams::new(network, &options).magic;
        WalletContext {
            args,
            chain,
            host,
            network,
            magic,
            scheduler: Scheduler::new(),
            wallets: RwLock::new(Vec::new()),
            loading: Mutex::new(HashSet::new()),
            callbacks: Mutex::new(Vec::new()),
            changed: Arc::default(),
            dir: Mutex::new(None),
        }
    }

    /// The wallet directory.
    pub(crate) fn wallet_dir(&self) -> PathBuf {
        locked(&self.dir).clone().unwrap_or_else(|| db::wallet_dir(&self.args))
    }

    /// Sets the checked wallet directory.
    pub(crate) fn set_wallet_dir(&self, dir: PathBuf) {
        *locked(&self.dir) = Some(dir);
    }

    /// Loaded wallets, in order of loading.
    pub(crate) fn wallets(&self) -> Vec<Arc<Wallet>> {
        self.wallets.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A loaded wallet.
    pub(crate) fn wallet(&self, name: &str) -> Option<Arc<Wallet>> {
        self.wallets().into_iter().find(|wallet| wallet.name == name)
    }

    /// Opens the file of a wallet.
    pub(crate) fn open(&self, name: &str, mode: OpenMode, verify: bool) -> Result<WalletDb, DbError> {
        let path = db::wallet_path(&self.wallet_dir(), name)?;
        let unsafe_sync = self.args.get_bool("-unsafesqlitesync", false);
        db::open_wallet_database(&path, mode, self.magic, unsafe_sync, verify)
    }

    fn options(&self) -> WalletResult<(WalletOptions, Vec<String>)> {
        let relay_fee = self.chain.relay_min_fee()?.0;
        WalletOptions::read(&self.args, relay_fee)
    }

    fn add(&self, wallet: &Arc<Wallet>) -> CallResult<()> {
        let callbacks: Vec<_> = locked(&self.callbacks).iter().map(|(_, c)| c.clone()).collect();
        for callback in callbacks {
            callback.loaded(&wallet.name)?;
        }
        self.wallets.write().unwrap_or_else(PoisonError::into_inner).push(wallet.clone());
        self.changed.touch();
        Ok(())
    }

    /// Calls back for each wallet that is loaded; gives a number to end that with.
    pub(crate) fn add_callback(&self, callback: Arc<dyn LoadWalletCallback>) -> u64 {
        let mut callbacks = locked(&self.callbacks);
        let id = callbacks.last().map_or(0, |(id, _)| id + 1);
        callbacks.push((id, callback));
        id
    }

    /// No longer calls back.
    pub(crate) fn remove_callback(&self, id: u64) {
        locked(&self.callbacks).retain(|(other, _)| *other != id);
    }

    /// Loads a wallet whose file has been opened.
    pub(crate) fn load_opened(&self, name: &str, db: WalletDb) -> WalletResult<(Arc<Wallet>, Vec<String>)> {
        let (options, mut warnings) = self.options()?;
        let (wallet, more) = Wallet::load(self.chain.clone(), db, name.to_owned(), self.network, options)?;
        warnings.extend(more);
        self.add(&wallet)?;
        Ok((wallet, warnings))
    }

    /// Loads a wallet. Reference: `LoadWallet`.
    pub(crate) fn load(&self, name: &str, on_startup: Option<bool>) -> Loaded {
        if !locked(&self.loading).insert(name.to_owned()) {
            return (Err(LoadFailure::new(FailureKind::Other, "Wallet already loading.")), Vec::new());
        }
        let loaded = self.load_inner(name, on_startup);
        locked(&self.loading).remove(name);
        loaded
    }

    fn load_inner(&self, name: &str, on_startup: Option<bool>) -> Loaded {
        let db = match self.open(name, OpenMode::Existing, true) {
            Ok(db) => db,
            Err(e) => return (Err(LoadFailure::verification(&e)), Vec::new()),
        };
        let failed =
            |e: WalletError| LoadFailure::new(FailureKind::Other, format!("Wallet loading failed. {e}"));
        if let Err(e) = self.host.message("Loading wallet…") {
            return (Err(failed(e.into())), Vec::new());
        }
        let (wallet, mut warnings) = match self.load_opened(name, db) {
            Ok(loaded) => loaded,
            Err(e) => return (Err(failed(e)), Vec::new()),
        };
        if let Err(e) = wallet.post_init() {
            return (Err(failed(e)), warnings);
        }
        self.update_setting(name, on_startup, &mut warnings);
        (Ok(wallet), warnings)
    }

    /// Makes and loads a wallet. Reference: `CreateWallet`.
    pub(crate) fn create(
        &self,
        name: &str,
        passphrase: &SecureString,
        mut wallet_flags: u64,
        on_startup: Option<bool>,
    ) -> Loaded {
        let fail = |kind, text: &str| (Err(LoadFailure::new(kind, text)), Vec::new());
        if name.is_empty() {
            return fail(FailureKind::InvalidParameter, "Wallet name cannot be empty");
        }
        wallet_flags |= flags::DESCRIPTORS;
        let blank = wallet_flags & flags::BLANK_WALLET != 0;
        // A wallet that is born encrypted gets its keys after that.
        if !passphrase.is_empty() {
            wallet_flags |= flags::BLANK_WALLET;
        }
        if wallet_flags & flags::EXTERNAL_SIGNER != 0 {
            return fail(
                FailureKind::Other,
                "Compiled without external signing support (required for external signing)",
            );
        }
        if !passphrase.is_empty() && wallet_flags & flags::DISABLE_PRIVATE_KEYS != 0 {
            return fail(
                FailureKind::Other,
                "Passphrase provided but private keys are disabled. A passphrase is only used to encrypt private keys, so \
                 cannot be used for wallets with private keys disabled.",
            );
        }
        let db = match self.open(name, OpenMode::Create, false) {
            Ok(db) => db,
            Err(e) => {
                return (
                    Err(LoadFailure { kind: FailureKind::Other, ..LoadFailure::verification(&e) }),
                    Vec::new(),
                );
            }
        };
        let mut warnings = Vec::new();
        let made = (|| -> WalletResult<Arc<Wallet>> {
            let (options, more) = self.options()?;
            warnings = more;
            self.host.message("Creating wallet…")?;
            Wallet::create(self.chain.clone(), db, name.to_owned(), self.network, options, wallet_flags)
        })();
        let wallet = match made {
            Ok(wallet) => wallet,
            Err(e) => {
                let text = format!("Wallet creation failed. {e}");
                return (Err(LoadFailure::new(FailureKind::Other, text)), warnings);
            }
        };
        if !passphrase.is_empty()
            && let Err(text) = encrypt_new(&wallet, passphrase, blank)
        {
            wallet.disconnect();
            return (Err(LoadFailure::new(FailureKind::Encrypt, text)), warnings);
        }
        wallet.log_stats();
        if let Err(e) = self.add(&wallet).map_err(WalletError::from).and_then(|()| wallet.post_init()) {
            let text = format!("Wallet creation failed. {e}");
            return (Err(LoadFailure::new(FailureKind::Other, text)), warnings);
        }
        self.update_setting(name, on_startup, &mut warnings);
        (Ok(wallet), warnings)
    }

    /// Makes a wallet of a backup file. Reference: `RestoreWallet`.
    pub(crate) fn restore(
        &self,
        backup: &Path,
        name: &str,
        on_startup: Option<bool>,
        load: bool,
    ) -> (Result<Option<Arc<Wallet>>, LoadFailure>, Vec<String>) {
        let fail = |kind, text: String| (Err(LoadFailure::new(kind, text)), Vec::new());
        if name.is_empty() {
            return fail(FailureKind::InvalidParameter, "Wallet name cannot be empty".into());
        }
        let path = grs_args::normalize_path(&self.wallet_dir().join(name).to_string_lossy());
        let file = path.join("wallet.dat");
        if !backup.exists() {
            return fail(FailureKind::InvalidParameter, "Backup file does not exist".into());
        }
        let mut made_dir = false;
        if path.exists() {
            if !path.is_dir() {
                let text = format!("Failed to restore wallet. Database file exists '{}'.", path.display());
                return fail(FailureKind::AlreadyExists, text);
            }
            if file.exists() {
                let text = format!("Failed to restore wallet. Database file exists in '{}'.", file.display());
                return fail(FailureKind::AlreadyExists, text);
            }
        } else {
            if std::fs::create_dir_all(&path).is_err() {
                let text = format!("Failed to restore database path '{}'.", path.display());
                return fail(FailureKind::AlreadyExists, text);
            }
            made_dir = true;
        }
        if let Err(e) = std::fs::copy(backup, &file) {
            return fail(FailureKind::Other, format!("Unexpected exception: {e}"));
        }
        if !load {
            return (Ok(None), Vec::new());
        }
        let (result, warnings) = self.load(name, on_startup);
        if result.is_err() {
            // What was made here goes away again; anything else in the directory stays.
            let _ = std::fs::remove_file(&file);
            if made_dir {
                let _ = std::fs::remove_dir(&path);
            }
        }
        (result.map(Some), warnings)
    }

    /// Takes a wallet out of the list and ends its connections; false when it is not there.
    pub(crate) fn remove(
        &self,
        wallet: &Arc<Wallet>,
        on_startup: Option<bool>,
        warnings: &mut Vec<String>,
    ) -> bool {
        if let Err(e) = wallet.write_best_block() {
            info!("[{}] {e}", wallet.display_name());
        }
        wallet.disconnect();
        {
            let mut wallets = self.wallets.write().unwrap_or_else(PoisonError::into_inner);
            let before = wallets.len();
            wallets.retain(|other| !Arc::ptr_eq(other, wallet));
            if wallets.len() == before {
                return false;
            }
        }
        self.changed.touch();
        self.update_setting(&wallet.name, on_startup, warnings);
        true
    }

    /// Returns when nobody uses the wallet any more and its file is closed.
    pub(crate) fn wait_released(wallet: Arc<Wallet>) {
        let weak: Weak<Wallet> = wallet.downgrade();
        drop(wallet);
        while weak.strong_count() > 0 {
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn update_setting(&self, name: &str, on_startup: Option<bool>, warnings: &mut Vec<String>) {
        let Some(add) = on_startup else { return };
        let update = Arc::new(WalletSetting { name: name.to_owned(), add });
        if !self.host.update("wallet", update).unwrap_or(false) {
            let may = if add { "may not be" } else { "may still be" };
            warnings.push(format!(
                "Wallet load on startup setting could not be updated, so wallet {may} loaded next node startup."
            ));
        }
    }
}

fn encrypt_new(wallet: &Wallet, passphrase: &SecureString, blank: bool) -> Result<(), &'static str> {
    let mut state = wallet.lock();
    if state.encrypt(passphrase.as_bytes(), clock::now_secs()).is_err() {
        return Err("Error: Wallet created but failed to encrypt.");
    }
    if !blank {
        if !state.unlock(passphrase.as_bytes()).unwrap_or(false) {
            return Err("Error: Wallet was encrypted but could not be unlocked");
        }
        let made = state.setup_descriptors(clock::now_secs());
        state.lock();
        made.map_err(|_| "Error: Wallet created but failed to encrypt.")?;
    }
    Ok(())
}

/// Adds a name to the list of wallets to load at start, or removes it.
struct WalletSetting {
    name: String,
    add: bool,
}

impl SettingsUpdate for WalletSetting {
    fn update(&self, value: Value) -> CallResult<Option<(Value, SettingsAction)>> {
        let mut list = match value {
            Value::Array(list) => list,
            _ if !self.add => return Ok(None),
            _ => Vec::new(),
        };
        let is_name = |v: &Value| v.as_str() == Some(&self.name);
        if self.add {
            if list.iter().any(is_name) {
                return Ok(None);
            }
            list.push(self.name.clone().into());
        } else {
            let before = list.len();
            list.retain(|v| !is_name(v));
            if list.len() == before {
                return Ok(None);
            }
        }
        Ok(Some((Value::Array(list), SettingsAction::Write)))
    }
}

/// A text for interfaces.
pub(crate) fn bilingual(text: impl Into<String>) -> BilingualString {
    BilingualString::untranslated(text)
}
