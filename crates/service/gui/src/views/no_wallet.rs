//! What stands in place of the pages while no wallet is loaded.

use egui::{RichText, Ui};
use grs_gui_core::pages::node_window::NodeTab;
use grs_gui_core::pages::status::wallet_title;
use grs_gui_core::pages::wallet_menu::WalletMenu;
use grs_gui_core::{App, Link, Text, WalletLink};

use super::menu_bar::open_node;
use crate::icons::Icon;
use crate::theme::{self, SPACE};
use crate::widgets;

/// Wallets of the directory that are offered here; the menu has all.
const OFFERED: usize = 5;

/// Draws it.
pub fn show(ui: &mut Ui, app: &mut App) {
    let p = theme::of(ui);
    let (title, text) = match (&app.view.link, &app.view.wallet_link) {
        (_, WalletLink::Disabled) => (Text::NoneLoadedDisabled, Text::NoneLoadedDisabledText),
        (Link::Running, WalletLink::Running) => (Text::NoneLoadedTitle, Text::NoneLoadedText),
        (Link::Running, _) => (Text::NoneLoadedConnecting, Text::NoneLoadedWait),
        (Link::Failed(_), _) => (Text::StatusFailed, Text::NotConnected),
        (Link::Connecting, _) => (Text::StatusConnecting, Text::NoneLoadedWait),
        _ => (Text::StatusLost, Text::NoneLoadedWait),
    };
    ui.add_space((ui.available_height() * 0.22).max(0.0));
    ui.vertical_centered(|ui| {
        ui.add(Icon::Wallet.image(56.0, p.weak));
        widgets::heading(ui, title.s());
        ui.label(RichText::new(text.s()).color(p.weak));
        ui.add_space(SPACE);
        if app.view.wallet_link == WalletLink::Disabled {
            if widgets::primary_button(ui, Text::ShowNode.s(), true).clicked() {
                open_node(app, NodeTab::Information);
            }
        } else if app.view.wallet_fresh() {
            choices(ui, app);
        }
    });
}

fn choices(ui: &mut Ui, app: &mut App) {
    if widgets::primary_button(ui, Text::NoneLoadedButton.s(), true).clicked() {
        app.wallet_menu.start_create(app.backend.as_ref());
    }
    let closed: Vec<String> = WalletMenu::entries(&app.view)
        .filter(|(_, possible)| *possible)
        .map(|(entry, _)| entry.name.clone())
        .take(OFFERED)
        .collect();
    for name in closed {
        if ui.button(Text::NoneLoadedOpen.with(&[("wallet", &wallet_title(&name))])).clicked() {
            app.wallet_menu.open(&name, app.backend.as_ref());
        }
    }
}
