//! JSON-RPC client for the command line.
//!
//! [`run`] is the program `groestlcoin-cli`: it reads options, asks the server, prints the answer. Parts that other
//! programs may want: the table of arguments that are JSON ([`table`]), the conversion of words to parameters
//! ([`convert`]) and a small HTTP client ([`http`]).

mod call;
mod console;
pub mod convert;
#[doc(hidden)]
pub mod fuzz;
mod getinfo;
pub mod http;
#[cfg(feature = "ipc")]
mod ipc;
mod netinfo;
mod netinfo_help;
#[cfg(not(feature = "ipc"))]
mod no_ipc;
mod program;
pub mod table;
pub mod version;

#[cfg(not(feature = "ipc"))]
use no_ipc as ipc;

pub use call::CliError;
pub use program::run;
