//! What the session knows, as one immutable value. A page reads it and never waits.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use grs_hashes::Txid;
use grs_interfaces::SecureString;
use grs_interfaces::gui::{
    BanEntry, FeeLevels, NewReceiveRequest, NewWallet, NodeInfo, NodeSnapshot, PAGE_LIMIT, ReceiveRequest,
    SendPreview, SendProblem, SendRecipient, SendRequest, SendToken, Sent, TxDetails, TxFilter, TxRow,
    TxSort, WalletEntry, WalletInfo, WalletSnapshot,
};
use grs_primitives::TxRef;

use crate::console::ConsoleLine;
use crate::process::Ownership;
use crate::traffic::TrafficHistory;

/// Where the connection with the node stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Link {
    /// The first connection is being made, or the node starts.
    #[default]
    Connecting,
    /// The node answers.
    Running,
    /// The node is gone. What is shown is old.
    Lost {
        /// Why, for the user.
        cause: String,
        /// When, Unix seconds.
        since: i64,
        /// When the next try is, Unix seconds.
        next_try: i64,
    },
    /// The node is gone and another try is being made.
    Reconnecting {
        /// Number of the try, from 1.
        attempt: u32,
    },
    /// The node is stopping, or the window leaves it.
    Stopping,
    /// It cannot work; the text says why.
    Failed(String),
    /// All is closed: the window can go.
    Closed,
}

impl Link {
    /// Whether data can be trusted to be of now.
    pub fn is_fresh(&self) -> bool {
        matches!(self, Link::Running)
    }
}

/// Where the connection with the wallets stands.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum WalletLink {
    /// There are no wallets in this program (`-disablewallet`).
    Disabled,
    /// Not there yet.
    #[default]
    Connecting,
    /// They answer.
    Running,
    /// The wallet process is gone and will be started again. What is shown is old.
    Lost {
        /// Why, for the user.
        cause: String,
    },
}

/// Tells an action, and the reply to it, from others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ActionId(pub u64);

/// What the pages ask the session to do. Replies are found in [`View::reply`] by their [`ActionId`].
#[derive(Debug, Clone)]
pub enum Command {
    /// Shows another loaded wallet.
    SelectWallet(String),
    /// Creates a wallet and shows it. Reply: [`Reply::Wallet`].
    CreateWallet(ActionId, NewWallet),
    /// Opens a wallet and shows it. Reply: [`Reply::Wallet`].
    OpenWallet(ActionId, String),
    /// Closes a wallet. Reply: [`Reply::Done`].
    CloseWallet(ActionId, String),
    /// Reads the wallet directory again into [`View::wallet_entries`].
    ListWallets,
    /// Filters and sorts the list of transactions.
    ShowTransactions(TxFilter, TxSort),
    /// These rows, from and before, are about to be drawn.
    NeedRows(u32, u32),
    /// Reply: [`Reply::Details`].
    ShowDetails(ActionId, Txid),
    /// Sets the label of an address. Reply: [`Reply::Done`].
    SetLabel(ActionId, String, String),
    /// Asks for the label of an address. Reply: [`Reply::Label`].
    AskLabel(ActionId, String),
    /// Makes a request for payment. Reply: [`Reply::Request`].
    NewRequest(ActionId, NewReceiveRequest),
    /// Forgets a request for payment. Reply: [`Reply::Done`].
    RemoveRequest(ActionId, String, u64),
    /// Asks for fee rates into [`WalletView::fees`].
    NeedFees,
    /// Chooses coins and works out the fee. Reply: [`Reply::Preview`] or [`Reply::Problem`].
    Preview(ActionId, SendRequest),
    /// Sends a reviewed payment. Reply: [`Reply::Sent`], [`Reply::Problem`] or [`Reply::Unknown`].
    Send(ActionId, SendCommand),
    /// Takes a settled payment out of [`View::pending_sends`].
    ForgetSend(SendToken),
    /// Writes the filtered rows into a file. Reply: [`Reply::Exported`].
    ExportCsv(ActionId, CsvExport),
    /// Runs a line of the console, for the wallet of that name.
    Console(String, Option<String>),
    /// Empties the console.
    ClearConsole,
    /// Whether the peers are to be kept up to date.
    WatchPeers(bool),
    /// Reply: [`Reply::Done`].
    DisconnectPeer(ActionId, i64),
    /// Bans a peer for so many seconds. Reply: [`Reply::Done`].
    BanPeer(ActionId, i64, i64),
    /// Takes the ban of a subnet back. Reply: [`Reply::Done`].
    Unban(ActionId, String),
    /// Switches the network on or off.
    SetNetworkActive(bool),
    /// Counts traffic from zero.
    ResetTraffic,
    /// Tries to connect now instead of later.
    RetryNow,
    /// Leaves: stops the node if it was started by this program, detaches otherwise. [`Link::Closed`] follows.
    Quit,
}

/// A payment that the user has reviewed.
#[derive(Debug, Clone)]
pub struct SendCommand {
    /// The wallet that pays.
    pub wallet: String,
    /// The transaction of the preview.
    pub tx: TxRef,
    /// Whom it pays.
    pub recipients: Vec<SendRecipient>,
    /// All that leaves the wallet, in gro; for the user if the outcome is not known.
    pub total: i64,
    /// Empty if the wallet is not locked.
    pub passphrase: SecureString,
}

/// What to write into a file.
#[derive(Debug, Clone)]
pub struct CsvExport {
    /// File.
    pub path: PathBuf,
    /// Which rows.
    pub filter: TxFilter,
    /// Their order.
    pub sort: TxSort,
    /// Unit of the amounts.
    pub unit: crate::amount::Unit,
    /// A file of that name may be replaced.
    pub overwrite: bool,
}

/// What an action came to.
#[derive(Debug, Clone)]
pub enum Reply {
    /// It was done.
    Done,
    /// A wallet is loaded.
    Wallet {
        /// Its name.
        name: String,
        /// Warnings to show.
        warnings: Vec<String>,
    },
    /// A request for payment was made.
    Request(ReceiveRequest),
    /// A payment as it would be.
    Preview(Arc<SendPreview>),
    /// A payment that cannot be; nothing was sent.
    Problem(SendProblem),
    /// A payment that was made.
    Sent(Sent),
    /// The connection broke while a payment was under way: look at [`View::pending_sends`].
    Unknown(SendToken),
    /// A transaction; `None` if the wallet does not know it.
    Details(Option<Arc<TxDetails>>),
    /// Label of an address.
    Label(String),
    /// Rows that were written.
    Exported(u32),
    /// It failed, and this is why.
    Failed(String),
}

/// What is known of a payment that was under way when the connection broke.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PendingState {
    /// The order has been given and not been answered yet.
    Sending,
    /// The process went away before it answered. The wallet is asked as soon as it is there again.
    Unknown(String),
    /// It turned out that it was not sent, and never will be.
    NotSent,
    /// It turned out that it was sent.
    Sent(Sent),
}

/// A payment whose outcome the user has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingSend {
    /// Tells it from others.
    pub token: SendToken,
    /// The wallet that pays.
    pub wallet: String,
    /// When the order was given, Unix seconds.
    pub time: i64,
    /// All that leaves the wallet, in gro.
    pub total: i64,
    /// Addresses of the recipients.
    pub addresses: Vec<String>,
    /// What is known.
    pub state: PendingState,
}

/// Rows of the list of transactions that have been read.
#[derive(Debug, Clone, Default)]
pub struct TxList {
    /// Which rows.
    pub filter: TxFilter,
    /// Their order.
    pub sort: TxSort,
    /// How many pass the filter.
    pub matching: u32,
    /// How many there are.
    pub total: u32,
    /// Sum of those that pass, in gro.
    pub sum: i64,
    /// [`WalletSnapshot::transactions_version`] that this shows.
    pub version: u64,
    /// Whether an answer is awaited; the rows are those of before.
    pub loading: bool,
    /// Pages of [`PAGE_LIMIT`] rows.
    pub pages: BTreeMap<u32, Arc<Vec<TxRow>>>,
}

impl TxList {
    /// A row, if it has been read.
    pub fn row(&self, number: u32) -> Option<&TxRow> {
        self.pages.get(&(number / PAGE_LIMIT))?.get((number % PAGE_LIMIT) as usize)
    }
}

/// The wallet that is shown.
#[derive(Debug, Clone, Default)]
pub struct WalletView {
    /// What hardly ever changes.
    pub info: Arc<WalletInfo>,
    /// Its state.
    pub snapshot: Arc<WalletSnapshot>,
    /// Its transactions.
    pub transactions: Arc<TxList>,
    /// Its requests for payment, the newest first.
    pub requests: Arc<Vec<ReceiveRequest>>,
    /// Fee rates, once they have been asked for.
    pub fees: Option<Arc<FeeLevels>>,
}

/// All that is known.
#[derive(Debug, Clone, Default)]
pub struct View {
    /// Grows with each change.
    pub version: u64,
    /// Connection with the node.
    pub link: Link,
    /// Whose the node is.
    pub ownership: Ownership,
    /// The node; `None` until it has answered once.
    pub info: Option<Arc<NodeInfo>>,
    /// Its last known state. Old unless [`View::node_fresh`].
    pub node: Option<Arc<NodeSnapshot>>,
    /// Connection with the wallets.
    pub wallet_link: WalletLink,
    /// Names of the loaded wallets.
    pub loaded: Arc<Vec<String>>,
    /// Wallets in the directory, once they have been listed.
    pub wallet_entries: Arc<Vec<WalletEntry>>,
    /// The wallet that is shown. Old unless [`View::wallet_fresh`].
    pub wallet: Option<Arc<WalletView>>,
    /// Lines of the console.
    pub console: Arc<Vec<ConsoleLine>>,
    /// Whether a line of the console is being run.
    pub console_busy: bool,
    /// RPC methods of the node, for completion.
    pub rpc_methods: Arc<Vec<String>>,
    /// Samples of traffic.
    pub traffic: Arc<TrafficHistory>,
    /// Banned subnets.
    pub bans: Arc<Vec<BanEntry>>,
    /// Payments that the user has to know about.
    pub pending_sends: Arc<Vec<PendingSend>>,
    /// Speed of the synchronisation.
    pub sync_rate: crate::sync::SyncRate,
    /// Since when the node has not answered although the connection is there, Unix seconds. It may be stopped or busy.
    pub node_silent_since: Option<i64>,
    /// The same for the process of the wallet that is shown.
    pub wallet_silent_since: Option<i64>,
    /// Why no node runs, until one does. It stays when all is closed: the program has failed then.
    pub failure: Option<String>,
    /// Replies to the last actions.
    pub replies: Arc<BTreeMap<ActionId, Reply>>,
}

impl View {
    /// The reply to an action, once it is there. The last 64 are kept.
    pub fn reply(&self, id: ActionId) -> Option<&Reply> {
        self.replies.get(&id)
    }

    /// Whether what is shown of the node is of now.
    pub fn node_fresh(&self) -> bool {
        self.link.is_fresh() && self.node_silent_since.is_none()
    }

    /// Whether what is shown of the wallet is of now.
    pub fn wallet_fresh(&self) -> bool {
        self.node_fresh() && self.wallet_link == WalletLink::Running && self.wallet_silent_since.is_none()
    }

    /// Name of the wallet that is shown.
    pub fn wallet_name(&self) -> Option<&str> {
        self.wallet.as_ref().map(|wallet| wallet.info.name.as_str())
    }

    /// The network: `main`, `test`, `testnet4`, `signet`, `regtest`.
    pub fn network(&self) -> &str {
        self.info.as_ref().map_or("main", |info| info.network.as_str())
    }
}

/// The other end of the pages: a session with a node, or one that pretends.
pub trait Backend: Send + Sync {
    /// What is known now. Cheap: call it for each frame.
    fn view(&self) -> Arc<View>;

    /// Asks for something to be done. Returns at once.
    fn send(&self, command: Command);

    /// An id for an action.
    fn new_action(&self) -> ActionId;
}
