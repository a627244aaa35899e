//! The wallet process as the node and the GUI see it.

use std::sync::Arc;

use crate::gui::Wallets;
use crate::{BilingualString, CallError, CallResult, Handler, SecureString};

/// Life cycle of a client of the chain, driven by the node.
pub trait ChainClient: Send + Sync {
    /// Registers RPC commands with the chain.
    fn register_rpcs(&self) -> CallResult<()>;
    /// Looks for errors before anything is loaded; false ends the start-up.
    fn verify(&self) -> CallResult<bool>;
    /// Loads the saved state; false ends the start-up.
    fn load(&self) -> CallResult<bool>;
    /// Starts background work.
    fn start(&self) -> CallResult<()>;
    /// Writes everything and shuts down. No call but `Drop` follows.
    fn stop(&self) -> CallResult<()>;
    /// Sets the mock time in Unix seconds; 0 is the real clock.
    fn set_mock_time(&self, time: i64) -> CallResult<()>;
    /// Lets the scheduler believe that `seconds` have gone by.
    fn scheduler_mock_forward(&self, seconds: i64) -> CallResult<()>;
}

/// A wallet in the wallet directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletDirEntry {
    /// Name relative to the wallet directory.
    pub name: String,
    /// `sqlite` or `bdb`.
    pub format: String,
}

/// What a load or creation came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletOutcome {
    /// Name of the loaded wallet, or the error.
    pub result: Result<String, BilingualString>,
    /// Warnings to show in either case.
    pub warnings: Vec<BilingualString>,
}

/// What a migration came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalletMigration {
    /// Name of the migrated wallet.
    pub wallet: String,
    /// Name of the new watch-only wallet, if one was needed.
    pub watch_only: Option<String>,
    /// Name of the new wallet for solvable scripts, if one was needed.
    pub solvables: Option<String>,
    /// Path of the backup of the old file.
    pub backup_path: String,
}

/// Gets word of each loaded wallet.
pub trait LoadWalletCallback: Send + Sync {
    /// A wallet of this name has been loaded.
    fn loaded(&self, name: &str) -> CallResult<()>;
}

/// All wallets of a wallet process. Wallets are named, and the RPC methods reach them by name.
pub trait WalletLoader: ChainClient {
    /// Creates and loads a wallet. `flags` are the reference's wallet flags.
    fn create_wallet(&self, name: &str, passphrase: SecureString, flags: u64) -> CallResult<WalletOutcome>;
    /// Loads an existing wallet.
    fn load_wallet(&self, name: &str) -> CallResult<WalletOutcome>;
    /// Makes a wallet from a backup file.
    fn restore_wallet(
        &self,
        backup_file: &str,
        name: &str,
        load_after_restore: bool,
    ) -> CallResult<WalletOutcome>;
    /// Turns a legacy wallet into a descriptor wallet.
    fn migrate_wallet(
        &self,
        name: &str,
        passphrase: SecureString,
    ) -> CallResult<Result<WalletMigration, BilingualString>>;
    /// Whether the keys of a wallet, loaded or not, are encrypted.
    fn is_encrypted(&self, name: &str) -> CallResult<bool>;
    /// Path of the wallet directory.
    fn get_wallet_dir(&self) -> CallResult<String>;
    /// The wallets in that directory.
    fn list_wallet_dir(&self) -> CallResult<Vec<WalletDirEntry>>;
    /// Names of the loaded wallets, in order of loading.
    fn get_wallets(&self) -> CallResult<Vec<String>>;
    /// The wallets for windows.
    fn gui_wallets(&self) -> CallResult<Arc<dyn Wallets>> {
        Err(CallError::remote("This process does not provide wallets for windows."))
    }
    /// Subscribes to loaded wallets.
    fn handle_load_wallet(&self, callback: Arc<dyn LoadWalletCallback>) -> CallResult<Arc<dyn Handler>>;
}
