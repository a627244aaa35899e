//! Descriptor wallet: SQLite records, coin selection, signing, rescan, wallet RPCs.

mod context;
mod crypt;
mod db;
mod error;
mod events;
pub mod flags;
#[doc(hidden)]
pub mod fuzz;
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
pub use loader::{WalletProcess, args_from_global, make_wallet_loader};
