//! Methods that the generator leaves out, since wire and trait differ in more than form.

mod chain;
mod init;
mod mining;
mod notifications;

pub(crate) use chain::ChainState;
pub use init::serve_init;
pub use mining::MAX_TEMPLATES;
