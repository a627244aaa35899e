//! Wallets as a window sees them. Reference: `src/interfaces/wallet.h`, in fewer and larger calls.

use std::sync::Arc;

use grs_hashes::Txid;

use crate::gui::{
    FeeLevels, SendOrder, SendPreview, SendProblem, SendRequest, SendStatus, SendToken, Sent, TxDetails,
    TxPage, TxQuery, TxRow,
};
use crate::{BilingualString, CallResult, Handler, SecureString, WalletOutcome};

/// All wallets of a process, for a window.
pub trait Wallets: Send + Sync {
    /// The wallets in the wallet directory, and those loaded from elsewhere.
    fn list(&self) -> CallResult<Vec<WalletEntry>>;

    /// Creates and loads a wallet.
    fn create(&self, wallet: NewWallet) -> CallResult<WalletOutcome>;

    /// Loads a wallet.
    fn open(&self, name: &str) -> CallResult<WalletOutcome>;

    /// Unloads a wallet; the error is for the user.
    fn close(&self, name: &str) -> CallResult<Result<(), BilingualString>>;

    /// A loaded wallet; `None` if it is not loaded.
    fn wallet(&self, name: &str) -> CallResult<Option<Arc<dyn Wallet>>>;

    /// Tells `subscriber` the names of the loaded wallets now, and whenever one comes or goes.
    fn subscribe(&self, subscriber: Arc<dyn WalletsSubscriber>) -> CallResult<Arc<dyn Handler>>;
}

/// Gets word of wallets that come and go.
pub trait WalletsSubscriber: Send + Sync {
    /// These are loaded now, in order of loading.
    fn loaded(&self, names: Vec<String>) -> CallResult<()>;
}

/// One wallet, for a window.
pub trait Wallet: Send + Sync {
    /// What hardly ever changes.
    fn info(&self) -> CallResult<WalletInfo>;

    /// The state now.
    fn snapshot(&self) -> CallResult<WalletSnapshot>;

    /// Sends `subscriber` the state now and then whenever it has changed. An update is sent only after the one before
    /// has been taken.
    fn subscribe(&self, subscriber: Arc<dyn WalletSubscriber>) -> CallResult<Arc<dyn Handler>>;

    /// A page of the list of transactions.
    fn transactions(&self, query: &TxQuery) -> CallResult<TxPage>;

    /// All about one transaction; `None` if it is not of this wallet.
    fn transaction(&self, txid: Txid) -> CallResult<Option<TxDetails>>;

    /// Sets the label of an address; the error is for the user.
    fn set_label(&self, address: &str, label: &str) -> CallResult<Result<(), String>>;

    /// The label of an address; empty if there is none.
    fn label(&self, address: &str) -> CallResult<String>;

    /// The requests for payment, the newest first.
    fn receive_requests(&self) -> CallResult<Vec<ReceiveRequest>>;

    /// Makes an address and keeps it with what is asked for; the error is for the user.
    fn new_receive_request(&self, request: NewReceiveRequest) -> CallResult<Result<ReceiveRequest, String>>;

    /// Forgets a request; its address stays. False if there is none of this number.
    fn remove_receive_request(&self, address: &str, id: u64) -> CallResult<bool>;

    /// Fee rates for these targets in blocks, and their bounds.
    fn fee_levels(&self, targets: &[u32]) -> CallResult<FeeLevels>;

    /// Chooses coins and works out the fee. Signs and sends nothing.
    fn preview(&self, request: &SendRequest) -> CallResult<Result<SendPreview, SendProblem>>;

    /// Signs and sends what a preview has shown. The same token never sends twice: a repeated order answers what the
    /// first came to. After a [`crate::CallError`] the outcome is not known; ask [`Wallet::send_status`].
    fn send(&self, order: SendOrder) -> CallResult<Result<Sent, SendProblem>>;

    /// What became of an order. The answer is final: once this says [`SendStatus::NotSent`], an order with that token
    /// is refused.
    fn send_status(&self, token: SendToken) -> CallResult<SendStatus>;
}

/// Gets the state of a wallet.
pub trait WalletSubscriber: Send + Sync {
    /// The state has changed.
    fn update(&self, snapshot: WalletSnapshot) -> CallResult<()>;

    /// The wallet has been unloaded. Nothing follows.
    fn unloaded(&self) -> CallResult<()>;
}

/// A wallet that can be opened.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WalletEntry {
    /// Name; empty for the default wallet.
    pub name: String,
    /// `sqlite`, or `bdb` for one that cannot be opened.
    pub format: String,
    /// Whether it is loaded.
    pub loaded: bool,
}

/// A wallet to be made.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewWallet {
    /// Name.
    pub name: String,
    /// Encrypts the keys; empty: not encrypted.
    pub passphrase: SecureString,
    /// A wallet that can only watch.
    pub disable_private_keys: bool,
    /// A wallet without keys at first.
    pub blank: bool,
}

/// Kind of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum AddressKind {
    /// Base58, starts with `F` on the main network.
    Legacy,
    /// Base58, starts with `3` on the main network.
    P2shSegwit,
    /// Native segwit, starts with `grs1q` on the main network.
    #[default]
    Bech32,
    /// Taproot, starts with `grs1p` on the main network.
    Bech32m,
}

impl AddressKind {
    /// All kinds.
    pub const ALL: [AddressKind; 4] =
        [AddressKind::Legacy, AddressKind::P2shSegwit, AddressKind::Bech32, AddressKind::Bech32m];
}

/// What hardly ever changes of a wallet.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WalletInfo {
    /// Name; empty for the default wallet.
    pub name: String,
    /// Whether it has private keys.
    pub private_keys: bool,
    /// Kinds of addresses that it can make; empty if none.
    pub address_kinds: Vec<AddressKind>,
    /// The kind to offer first.
    pub default_address_kind: AddressKind,
    /// Path of the wallet's file.
    pub file: String,
}

/// Sums of coins, in gro.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balances {
    /// Can be spent.
    pub available: i64,
    /// On its way from others, not confirmed.
    pub pending: i64,
    /// Block rewards that cannot be spent yet.
    pub immature: i64,
}

impl Balances {
    /// All of it.
    pub fn total(&self) -> i64 {
        self.available.saturating_add(self.pending).saturating_add(self.immature)
    }
}

/// The state of a wallet at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WalletSnapshot {
    /// Sums.
    pub balances: Balances,
    /// Whether the keys are encrypted.
    pub encrypted: bool,
    /// Whether a passphrase is needed to sign.
    pub locked: bool,
    /// Rows in the list of transactions.
    pub transactions: u32,
    /// Grows whenever a transaction comes or changes, or a block is connected, or a label changes.
    pub transactions_version: u64,
    /// Grows whenever a request for payment comes or goes.
    pub requests_version: u64,
    /// The newest rows, five at most, without conflicted ones.
    pub recent: Vec<TxRow>,
    /// Height up to which the wallet has seen the chain; -1: none.
    pub last_block_height: i32,
    /// Share of a rescan that is done, 0 to 100; `None` if there is none.
    pub rescan_percent: Option<u8>,
}

/// What to ask to be paid.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewReceiveRequest {
    /// Kind of the address.
    pub address_kind: AddressKind,
    /// Label of the address.
    pub label: String,
    /// In gro; 0: any amount.
    pub amount: i64,
    /// For the payer.
    pub message: String,
}

/// A request for payment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReceiveRequest {
    /// Number of the request at its address.
    pub id: u64,
    /// When it was made, Unix seconds.
    pub time: i64,
    /// The address.
    pub address: String,
    /// Label.
    pub label: String,
    /// In gro; 0: any amount.
    pub amount: i64,
    /// For the payer.
    pub message: String,
}
