//! The window without a toolkit: every decision is made here, views only draw.
//!
//! * A [`Backend`] is the other end: [`Session`] works with a real node, [`FakeSession`] pretends. It gives an immutable
//!   [`View`] and takes [`Command`]s; neither ever waits.
//! * [`App`] holds the pages ([`pages`]): what the user typed, what is shown, what an action does.
//! * [`texts`] has every text that a user reads, [`amount`], [`format`] and [`validate`] turn values into texts and back.
//!
//! A toolkit calls [`App::update`] for each frame, draws, and calls methods of the pages for what the user does.

pub mod amount;
pub mod app;
pub mod console;
pub mod csv;
pub mod fake;
pub mod field;
pub mod format;
pub mod pages;
pub mod process;
pub mod session;
pub mod settings;
pub mod sync;
pub mod texts;
pub mod traffic;
pub mod uri;
pub mod validate;
pub mod view;

pub use app::{App, Page};
pub use fake::FakeSession;
pub use session::{Session, SessionConfig};
pub use settings::{Settings, SettingsStore, Theme};
pub use texts::{Count, Text};
pub use view::{ActionId, Backend, Command, Link, Reply, View, WalletLink, WalletView};
