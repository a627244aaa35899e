//! JSON-RPC engine: method descriptions, dispatch, help, auth, HTTP.
//!
//! A method is described once, with [`Method`]; dispatch, named arguments, type errors, help texts, the command
//! line's conversion table and the check of results all come from that description. [`RpcTable`] holds the methods of
//! this process and commands forwarded to other processes.

mod check;
pub mod control;
mod error;
pub mod help;
mod method;
mod named;
mod request;
mod table;
pub mod value;

pub use error::{RpcError, code};
pub use method::{Arg, ArgType, Fallback, Handler, Method, Output, Res, ResType, Text};
pub use named::{ArgName, arg_names, positional};
pub use request::{CallInfo, Context, FromValue, Mode, Params, Request};
pub use table::{
    ActiveCommand, Command, CommandCall, CommandHandle, Forward, Outcome, RemoteCommand, RpcTable,
};
pub use value::JsonExt;
