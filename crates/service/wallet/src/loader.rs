//! The wallet side of the interfaces: life cycle and loading.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use grs_args::{ArgsManager, ChainType};
use grs_interfaces::{
    BilingualString, CallResult, Chain, ChainClient, GlobalArgs, Handler, HandlerFn, LoadWalletCallback,
    SecureString, WalletDirEntry, WalletLoader, WalletMigration, WalletOutcome,
};
use grs_log::info;
use grs_sync::clock;
use serde_json::{Value, json};

use crate::context::{WalletContext, bilingual};
use crate::db::{self, DbError, OpenMode};
use crate::error::WalletError;
use crate::host::{Attachment, Host, NodeHost, OwnHost};
use crate::rpc::WalletRpc;

const BAD_SETTING: &str = "Invalid value detected for '-wallet' or '-nowallet'. '-wallet' requires a string value, while \
                           '-nowallet' accepts only '1' to disable all wallets";

/// All wallets of a process. Give it to the node, in the same process or over IPC.
pub struct WalletProcess {
    context: Arc<WalletContext>,
    rpc: Arc<WalletRpc>,
    registrations: Mutex<Vec<Arc<dyn Handler>>>,
    left_out: Mutex<BTreeSet<String>>,
}

/// The wallets of a process whose node is `chain`. The options come from `args`, whose network must have been
/// selected.
pub fn make_wallet_loader(args: Arc<ArgsManager>, chain: Arc<dyn Chain>) -> Arc<dyn WalletLoader> {
    Arc::new(WalletProcess::new(args, chain))
}

/// The arguments that a parent process hands to a wallet process. An unknown network is an error.
pub fn args_from_global(global: &GlobalArgs) -> Result<Arc<ArgsManager>, String> {
    let network =
        ChainType::from_name(&global.network).ok_or_else(|| format!("Unknown chain {}.", global.network))?;
    let args = ArgsManager::new().declare(&grs_args::options::node(true));
    args.with_settings(|settings| {
        settings.forced = global.forced_settings.clone();
        settings.command_line = global.command_line_options.clone();
        settings.rw_settings = global.rw_settings.clone();
        settings.ro_config = global.ro_config.clone();
    });
    args.select_config_network(network);
    Ok(Arc::new(args))
}

impl WalletProcess {
    /// As [`make_wallet_loader`].
    pub fn new(args: Arc<ArgsManager>, chain: Arc<dyn Chain>) -> WalletProcess {
        let host = Box::new(NodeHost(chain.clone()));
        WalletProcess::with_host(args, chain, host)
    }

    /// The wallets of a process that attaches to a node by itself: settings are its own, and errors of the start go to
    /// its own standard error.
    pub fn attached(args: Arc<ArgsManager>, chain: Arc<dyn Chain>, attachment: Attachment) -> WalletProcess {
        let host = Box::new(OwnHost { args: args.clone(), chain: chain.clone(), attachment });
        WalletProcess::with_host(args, chain, host)
    }

    fn with_host(args: Arc<ArgsManager>, chain: Arc<dyn Chain>, host: Box<dyn Host>) -> WalletProcess {
        let context = Arc::new(WalletContext::new(args, chain, host));
        let rpc = Arc::new(WalletRpc::new(context.clone()));
        WalletProcess { context, rpc, registrations: Mutex::new(Vec::new()), left_out: Mutex::default() }
    }

    /// Whether a wallet that was to be loaded at the start was left out.
    pub fn was_left_out(&self, name: &str) -> bool {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner).contains(name)
    }

    fn leave_out(&self, name: &str) {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner).insert(name.to_owned());
    }

    /// Names of the wallets that settings ask for; `None` for a setting that cannot be.
    fn wanted(&self) -> CallResult<Option<Vec<String>>> {
        let list = self.context.host.settings_list("wallet")?;
        let names: Option<Vec<String>> = list.iter().map(|v| v.as_str().map(str::to_owned)).collect();
        if names.is_none() {
            self.context.host.error(BAD_SETTING.to_owned())?;
        }
        Ok(names)
    }

    fn check_wallet_dir(&self) -> CallResult<bool> {
        let (args, host) = (&self.context.args, &self.context.host);
        if !args.is_set("-walletdir") {
            return Ok(true);
        }
        let dir = args.get_path("-walletdir", "");
        let wrong = match dir.canonicalize() {
            Err(_) => "does not exist",
            Ok(real) if !real.is_dir() => "is not a directory",
            Ok(_) if !dir.is_absolute() => "is a relative path",
            Ok(real) => {
                self.context.set_wallet_dir(real);
                return Ok(true);
            }
        };
        host.error(format!("Specified -walletdir \"{}\" {wrong}", dir.display()))?;
        Ok(false)
    }

    /// The text of an error, with what to do about a wallet that is open elsewhere.
    fn locked_text(&self, error: &DbError) -> String {
        match error {
            DbError::Locked(text) => format!("{text}{}", self.context.host.locked_hint()),
            _ => error.to_string(),
        }
    }

    fn outcome(result: Result<String, String>, warnings: Vec<String>) -> WalletOutcome {
        WalletOutcome {
            result: result.map_err(bilingual),
            warnings: warnings.into_iter().map(bilingual).collect(),
        }
    }
}

impl ChainClient for WalletProcess {
    fn register_rpcs(&self) -> CallResult<()> {
        let handler = self.context.chain.handle_rpcs(self.rpc.commands(), self.rpc.clone())?;
        self.registrations.lock().unwrap_or_else(PoisonError::into_inner).push(handler);
        Ok(())
    }

    fn verify(&self) -> CallResult<bool> {
        let host = &self.context.host;
        if !self.check_wallet_dir()? {
            return Ok(false);
        }
        info!("Using wallet directory {}", self.context.wallet_dir().display());
        info!("Using SQLite Version {}", db::sqlite_version());
        host.message("Verifying wallet(s)…")?;
        // A wallet without name in the wallet directory is loaded unless told otherwise.
        if host.settings_list("wallet")?.is_empty()
            && host.setting("wallet")?.is_null()
            && self.context.open("", OpenMode::Existing, false).is_ok()
        {
            host.set_for_now("wallet", json!([""]))?;
        }
        let Some(names) = self.wanted()? else { return Ok(false) };
        let dir = self.context.wallet_dir();
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(grs_args::normalize_path(&dir.join(&name).to_string_lossy())) {
                host.warning(format!("Ignoring duplicate -wallet {name}."))?;
                continue;
            }
            match self.context.open(&name, OpenMode::Existing, true) {
                Ok(_) | Err(DbError::Legacy(_)) => {}
                Err(e @ DbError::NotFound(_)) => {
                    let text = format!("Skipping -wallet path that doesn't exist. {e}");
                    host.warning(text)?;
                }
                Err(e @ DbError::Locked(_)) if host.leaves_out_locked() => {
                    host.warning(format!("Wallet \"{name}\" is not loaded. {}", self.locked_text(&e)))?;
                }
                Err(_) if host.leaves_out_failed() => {}
                Err(e) => {
                    host.error(self.locked_text(&e))?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn load(&self) -> CallResult<bool> {
        let host = &self.context.host;
        let Some(names) = self.wanted()? else { return Ok(false) };
        let mut seen = BTreeSet::new();
        for name in names {
            if !seen.insert(name.clone()) {
                continue;
            }
            let loaded = match self.context.open(&name, OpenMode::Existing, false) {
                Err(DbError::NotFound(_)) => continue,
                Err(DbError::Locked(_)) if host.leaves_out_locked() => {
                    self.leave_out(&name);
                    continue;
                }
                Err(e @ DbError::Legacy(_)) => {
                    host.warning(e.to_string())?;
                    continue;
                }
                Err(e) => Err(WalletError::from(e)),
                Ok(db) => {
                    host.message("Loading wallet…")?;
                    self.context.load_opened(&name, db)
                }
            };
            match loaded {
                Ok((_, warnings)) if warnings.is_empty() => {}
                Ok((_, warnings)) => host.warning(warnings.join("\n"))?,
                Err(e) if host.leaves_out_failed() => {
                    self.leave_out(&name);
                    host.warning(format!("Wallet \"{name}\" is not loaded again. {e}"))?;
                }
                Err(e) => {
                    host.error(e.to_string())?;
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    fn start(&self) -> CallResult<()> {
        for wallet in self.context.wallets() {
            if let Err(e) = wallet.post_init() {
                info!("[{}] {e}", wallet.display_name());
            }
        }
        let context = Arc::downgrade(&self.context);
        self.context.scheduler.schedule_every(Duration::from_secs(60), move || {
            let Some(context) = context.upgrade() else { return };
            for wallet in context.wallets() {
                wallet.maybe_resend();
            }
        });
        self.context.scheduler.start().map_err(|e| grs_interfaces::CallError::remote(e.to_string()))
    }

    fn stop(&self) -> CallResult<()> {
        let registrations =
            std::mem::take(&mut *self.registrations.lock().unwrap_or_else(PoisonError::into_inner));
        for registration in registrations {
            // The node may be gone already.
            let _ = registration.disconnect();
        }
        self.context.scheduler.stop();
        for wallet in self.context.wallets().into_iter().rev() {
            let mut warnings = Vec::new();
            wallet.scan.abort.store(true, std::sync::atomic::Ordering::Release);
            self.context.remove(&wallet, None, &mut warnings);
            WalletContext::wait_released(wallet);
        }
        Ok(())
    }

    fn set_mock_time(&self, time: i64) -> CallResult<()> {
        clock::set_mock_time(time);
        Ok(())
    }

    fn scheduler_mock_forward(&self, seconds: i64) -> CallResult<()> {
        self.context.scheduler.mock_forward(Duration::from_secs(seconds.max(0) as u64));
        Ok(())
    }
}

impl WalletLoader for WalletProcess {
    fn create_wallet(&self, name: &str, passphrase: SecureString, flags: u64) -> CallResult<WalletOutcome> {
        let (result, warnings) = self.context.create(name, &passphrase, flags, Some(true));
        Ok(Self::outcome(result.map(|w| w.name.clone()).map_err(|e| e.text), warnings))
    }

    fn load_wallet(&self, name: &str) -> CallResult<WalletOutcome> {
        if self.context.wallet(name).is_some() {
            let text = format!("Wallet \"{name}\" is already loaded.");
            return Ok(Self::outcome(Err(text), Vec::new()));
        }
        let (result, warnings) = self.context.load(name, Some(true));
        Ok(Self::outcome(result.map(|w| w.name.clone()).map_err(|e| e.text), warnings))
    }

    fn restore_wallet(
        &self,
        backup_file: &str,
        name: &str,
        load_after_restore: bool,
    ) -> CallResult<WalletOutcome> {
        let (result, warnings) =
            self.context.restore(Path::new(backup_file), name, Some(true), load_after_restore);
        Ok(Self::outcome(result.map(|_| name.to_owned()).map_err(|e| e.text), warnings))
    }

    fn migrate_wallet(
        &self,
        name: &str,
        _passphrase: SecureString,
    ) -> CallResult<Result<WalletMigration, BilingualString>> {
        let text = match self.context.open(name, OpenMode::Existing, false) {
            Ok(_) => "Error: This wallet is already a descriptor wallet".to_owned(),
            Err(DbError::Legacy(_)) => "Error: Migration of legacy wallets is not supported".to_owned(),
            Err(e) => e.to_string(),
        };
        Ok(Err(bilingual(text)))
    }

    fn is_encrypted(&self, name: &str) -> CallResult<bool> {
        if let Some(wallet) = self.context.wallet(name) {
            return Ok(wallet.lock().is_encrypted());
        }
        let prefix = crate::records::encode_text(crate::records::name::MASTER_KEY);
        Ok(self
            .context
            .open(name, OpenMode::Existing, false)
            .and_then(|db| db.has_prefix(&prefix))
            .unwrap_or(false))
    }

    fn get_wallet_dir(&self) -> CallResult<String> {
        Ok(self.context.wallet_dir().display().to_string())
    }

    fn list_wallet_dir(&self) -> CallResult<Vec<WalletDirEntry>> {
        Ok(db::list_wallet_dir(&self.context.wallet_dir(), self.context.magic))
    }

    fn get_wallets(&self) -> CallResult<Vec<String>> {
        Ok(self.context.wallets().iter().map(|wallet| wallet.name.clone()).collect())
    }

    fn gui_wallets(&self) -> CallResult<Arc<dyn grs_interfaces::gui::Wallets>> {
        Ok(Arc::new(crate::gui::GuiWallets::new(&self.context)))
    }

    fn handle_load_wallet(&self, callback: Arc<dyn LoadWalletCallback>) -> CallResult<Arc<dyn Handler>> {
        let id = self.context.add_callback(callback);
        let context = Arc::downgrade(&self.context);
        Ok(HandlerFn::new(move || {
            if let Some(context) = context.upgrade() {
                context.remove_callback(id);
            }
        }))
    }
}

/// The JSON list of texts.
pub(crate) fn text_list(texts: &[String]) -> Value {
    texts.iter().map(|t| Value::from(t.as_str())).collect()
}
