//! Client proxies and servers for the interface traits, spawning, sockets.
//!
//! A process starts one [`Ipc`]. The node spawns the wallet process with [`Ipc::spawn`] and gets an [`InitProxy`]; the
//! wallet process, started with `-ipcfd`, serves its own `Init` with [`Ipc::serve_stream`]. A
//! [`SupervisedWallet`] restarts a wallet process that has died. [`Ipc::bind`] listens for outside clients.

mod address;
mod by_hand;
mod convert;
mod event;
#[allow(dead_code, reason = "not every interface is needed on both sides")]
#[rustfmt::skip]
mod generated;
mod join;
mod spawn;
mod supervised_wallet;
mod supervisor;
mod support;

#[doc(hidden)]
pub mod fuzz;

pub use address::{AddressError, IpcAddress};
pub use by_hand::{MAX_TEMPLATES, serve_init};
pub use generated::InitProxy;
pub use grs_mp::{
    Connection, Limits, Listener, Process, inherited_fd_argument, inherited_fd_with_arguments,
    take_inherited_stream,
};
pub use grs_tls::{Created, KeyFolder, TlsError};
pub use join::{JoinError, Joined};
pub use spawn::{Bound, Child, Ipc, PATIENCE, sibling_program};
pub use supervised_wallet::SupervisedWallet;
pub use supervisor::{BackOff, Supervised, Supervisor, SupervisorEvent};
