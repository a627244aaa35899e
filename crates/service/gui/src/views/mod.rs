//! The views: each draws one page, dialog or bar from what the page of [`grs_gui_core`] says.

pub mod dialogs;
pub mod first_run;
pub mod menu_bar;
pub mod no_wallet;
pub mod node_window;
pub mod overview;
pub mod question;
pub mod receive;
pub mod send;
pub mod splash;
pub mod status_bar;
pub mod sync_overlay;
pub mod tabs;
pub mod transactions;
pub mod wallet_dialogs;

/// What views remember between frames that is not a decision: focus wishes, open lists.
#[derive(Default)]
pub struct ViewState {
    /// Send.
    pub send: send::State,
    /// Receive.
    pub receive: receive::State,
    /// Transactions.
    pub transactions: transactions::State,
    /// Node window.
    pub node_window: node_window::State,
    /// Wallet dialogs.
    pub wallets: wallet_dialogs::State,
    /// The user has chosen to leave.
    pub quit: bool,
    /// The list of wallets to open is shown, and has been read for that.
    pub wallets_listed: bool,
}
