//! Traits between node, wallet and GUI, and plain data.
//!
//! Every trait here has two implementations: the object itself, and a proxy in `grs-ipc` that reaches the object in
//! another process. A user holds an `Arc<dyn Trait>` and cannot tell which one it is. Therefore
//!
//! * the traits are object safe, `Send + Sync` and blocking;
//! * arguments and results are plain owned data, or other interfaces;
//! * every method answers [`CallResult`], since the other process may be gone;
//! * no lock may be held across a call, and dropping the last `Arc` releases the remote object.
//!
//! The names follow the reference's `src/interfaces`.

mod args;
mod chain;
mod echo;
mod error;
pub mod gui;
mod init;
mod mining;
mod notifications;
mod rpc;
mod scan;
mod secure;
mod types;
mod wallet;

pub use args::{GlobalArgs, SettingsAction, SettingsUpdate};
pub use chain::Chain;
pub use echo::{Echo, EchoObject};
pub use error::{CallError, CallResult, SILENCE};
pub use gui::*;
pub use init::{Hello, Init, Role, SCHEMA_MAJOR, SCHEMA_MINOR};
pub use mining::{
    BlockCheck, BlockCheckOptions, BlockCreateOptions, BlockTemplate, BlockWaitOptions, CoinbaseTx, Mining,
    TIMEOUT_FOREVER,
};
pub use notifications::{BlockInfo, ChainNotifications, ChainstateRole, MempoolRemovalReason, NotifyOptions};
pub use rpc::{Rpc, RpcActor, RpcArgName, RpcCommand, RpcError, RpcMode, RpcReply, RpcRequest, RpcVersion};
pub use scan::{BlockScan, NeedleSet, ScanChunk, ScanNeedles, ScanStatus, ScannedBlock};
pub use secure::SecureString;
pub use types::{
    BilingualString, BlockBytes, BlockRef, Broadcast, Coin, FeeEstimate, FeeReason, FindBlock, FoundBlock,
    FoundCommonAncestor, Handler, HandlerFn, PackageLimits, RbfState, TransactionAncestry, TxBroadcast,
};
pub use wallet::{
    ChainClient, LoadWalletCallback, WalletDirEntry, WalletLoader, WalletMigration, WalletOutcome,
};
