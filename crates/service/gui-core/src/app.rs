//! All pages together.

use std::sync::Arc;

use grs_params::Network;

use crate::amount::Unit;
use crate::pages::console::ConsolePage;
use crate::pages::node_window::NodeWindow;
use crate::pages::receive::ReceivePage;
use crate::pages::send::SendPage;
use crate::pages::sync_overlay::SyncOverlay;
use crate::pages::transactions::TransactionsPage;
use crate::pages::wallet_menu::WalletMenu;
use crate::settings::Settings;
use crate::view::{Backend, Command, View};

/// A page of the main window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Page {
    /// Balances, newest transactions.
    #[default]
    Overview,
    /// Pay.
    Send,
    /// Get paid.
    Receive,
    /// List of transactions.
    Transactions,
}

impl Page {
    /// All pages in order.
    pub const ALL: [Page; 4] = [Page::Overview, Page::Send, Page::Receive, Page::Transactions];
}

/// The window's state.
pub struct App {
    /// The other end.
    pub backend: Arc<dyn Backend>,
    /// What is known, as of the last [`App::update`].
    pub view: Arc<View>,
    /// What the user has chosen.
    pub settings: Settings,
    /// The page that is shown.
    pub page: Page,
    /// Send.
    pub send: SendPage,
    /// Receive.
    pub receive: ReceivePage,
    /// Transactions.
    pub transactions: TransactionsPage,
    /// The node window.
    pub node_window: NodeWindow,
    /// Whether the node window is open.
    pub node_window_open: bool,
    /// The console in it.
    pub console: ConsolePage,
    /// Create, open and close wallets.
    pub wallet_menu: WalletMenu,
    /// The overlay while the chain is being downloaded.
    pub overlay: SyncOverlay,
    /// Whether About is open.
    pub about_open: bool,
    fees_for: Option<(String, u32)>,
}

impl App {
    /// A window over a session.
    pub fn new(backend: Arc<dyn Backend>, settings: Settings) -> App {
        App {
            view: backend.view(),
            send: SendPage::new(&settings),
            receive: ReceivePage::new(settings.unit),
            transactions: TransactionsPage::new(settings.unit),
            page: Page::default(),
            node_window: NodeWindow::default(),
            node_window_open: false,
            console: ConsolePage::default(),
            wallet_menu: WalletMenu::default(),
            overlay: SyncOverlay::default(),
            about_open: false,
            fees_for: None,
            backend,
            settings,
        }
    }

    /// Takes in what has happened. Call it for each frame, before drawing; `now` in Unix seconds. True if the view has
    /// changed.
    pub fn update(&mut self, now: i64) -> bool {
        let view = self.backend.view();
        let changed = view.version != self.view.version;
        let before = self.view.wallet_name().map(str::to_owned);
        self.view = view;
        if changed {
            self.send.refresh(&self.view);
            self.receive.refresh(&self.view);
            self.transactions.refresh(&self.view);
            self.wallet_menu.refresh(&self.view);
            self.console.refresh(&self.view);
            self.node_window.refresh(&self.view);
            if before.as_deref() != self.view.wallet_name() {
                self.wallet_changed();
            }
        }
        self.node_window.update(self.node_window_open, self.backend.as_ref());
        if self.page == Page::Transactions {
            self.transactions.update(&self.view, self.backend.as_ref(), now);
        }
        if self.page == Page::Send {
            self.want_fees();
        }
        changed
    }

    fn wallet_changed(&mut self) {
        // A payment that is under way stays on the page until it is settled.
        self.send.wallet_changed(self.settings.unit);
        self.receive.shown = None;
        self.transactions.selected = None;
        self.transactions.details = None;
        self.transactions.editing = None;
        if let Some(name) = self.view.wallet_name() {
            self.settings.wallet.insert(self.view.network().to_owned(), name.into());
        }
    }

    /// Fee rates are asked for once a wallet and block.
    fn want_fees(&mut self) {
        let (Some(name), Some(node)) = (self.view.wallet_name(), &self.view.node) else { return };
        let key = (name.to_owned(), node.sync.blocks);
        if self.view.wallet_fresh() && self.fees_for.as_ref() != Some(&key) {
            self.fees_for = Some(key);
            self.backend.send(Command::NeedFees);
        }
    }

    /// Another unit everywhere.
    pub fn set_unit(&mut self, unit: Unit) {
        self.settings.unit = unit;
        for recipient in &mut self.send.recipients {
            recipient.set_unit(unit);
        }
        self.receive.set_unit(unit);
        self.transactions.set_unit(unit);
    }

    /// Opens a `groestlcoin:` URI on the send page; the error is for the user.
    pub fn open_uri(&mut self, uri: &str) -> Result<(), String> {
        let network = Network::from_name(self.view.network()).unwrap_or(Network::Main);
        self.send.open_uri(uri, network, self.settings.unit)?;
        self.page = Page::Send;
        Ok(())
    }

    /// Shows a transaction of the overview in the list, with its details.
    pub fn show_transaction(&mut self, txid: grs_hashes::Txid, index: u32) {
        self.page = Page::Transactions;
        self.transactions.clear_filter();
        self.transactions.selected = Some((txid, index));
        self.transactions.show_details(txid, self.backend.as_ref());
    }

    /// Begins to leave; [`crate::Link::Closed`] says when the window can go.
    pub fn quit(&mut self) {
        self.backend.send(Command::Quit);
    }
}
