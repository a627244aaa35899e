//! Descriptor wallet: SQLite records, coin selection, signing, rescan, wallet RPCs.
//!
//! [`make_wallet_loader`] gives all wallets of a process as a `WalletLoader`; the node, in this process or another, is
//! reached only through the `Chain` that it gets. Files are those of the reference, in both directions.
//!
//! A wallet's data is guarded by one lock. Whatever needs the node is asked before or after it is taken, never under it;
//! payments have a lock of their own, so that two do not choose the same coins. Keys, addresses and transactions are on
//! disk before anyone else gets to know of them.

mod context;
mod crypt;
mod db;
mod error;
mod events;
pub mod flags;
#[doc(hidden)]
pub mod fuzz;
mod gui;
mod host;
mod keyman;
mod loader;
mod options;
mod records;
mod rescan;
mod rpc;
mod spend;
mod state;
mod wallet;

pub use db::{DbError, WalletDb};
pub use error::{WalletError, WalletResult};
pub use host::Attachment;
pub use loader::{WalletProcess, args_from_global, make_wallet_loader};
