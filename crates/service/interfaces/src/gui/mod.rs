//! What a window needs of a node and its wallets: snapshots pushed to it, lists in pages, and actions.
//!
//! The GUI process has one [`Node`]. Wallets come through [`Node::wallets`]; the node hands that interface on and
//! does not look at what goes over it.

mod node;
mod send;
mod transactions;
mod wallet;

pub use node::{
    BanEntry, ConnectionCounts, MempoolTotals, Node, NodeInfo, NodePhase, NodeSnapshot, NodeSubscriber,
    NodeSubscription, PeerDirection, PeerSnapshot, ProgressMessage, SyncSnapshot, TrafficTotals,
    WalletProcessState,
};
pub use send::{
    FeeChoice, FeeLevel, FeeLevels, SendOrder, SendPreview, SendProblem, SendRecipient, SendRequest,
    SendStatus, SendToken, Sent,
};
pub use transactions::{
    PAGE_LIMIT, TxDetails, TxFilter, TxKind, TxPage, TxQuery, TxRow, TxSort, TxSortColumn, TxStatus,
};
pub use wallet::{
    AddressKind, Balances, NewReceiveRequest, NewWallet, ReceiveRequest, Wallet, WalletEntry, WalletInfo,
    WalletSnapshot, WalletSubscriber, Wallets, WalletsSubscriber,
};
