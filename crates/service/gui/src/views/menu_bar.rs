//! The menus.

use egui::{Button, KeyboardShortcut, MenuBar, RichText, Ui, ViewportCommand};
use grs_gui_core::amount::Unit;
use grs_gui_core::pages::node_window::NodeTab;
use grs_gui_core::pages::status::wallet_title;
use grs_gui_core::pages::wallet_menu::WalletMenu;
use grs_gui_core::settings::ZOOM;
use grs_gui_core::{App, Command, Text, Theme, WalletLink};

use super::ViewState;
use crate::{shortcuts, theme, widgets};

/// Draws the menus.
pub fn show(ui: &mut Ui, app: &mut App, state: &mut ViewState) {
    let listed = std::mem::take(&mut state.wallets_listed);
    let config = egui::containers::menu::MenuConfig::new().style(theme::menu_style);
    MenuBar::new().style(theme::menu_style).config(config).ui(ui, |ui| {
        ui.menu_button(Text::MenuFile.s(), |ui| file(ui, app, state, listed));
        ui.menu_button(Text::MenuView.s(), |ui| view(ui, app));
        ui.menu_button(Text::MenuWindow.s(), |ui| window(ui, app));
        ui.menu_button(Text::MenuHelp.s(), |ui| {
            app.about_open |= entry(ui, Text::MenuAbout.s(), None);
        });
    });
}

fn entry(ui: &mut Ui, text: &str, key: Option<&KeyboardShortcut>) -> bool {
    let key = key.map(|key| ui.ctx().format_shortcut(key));
    let mut button = Button::new(text);
    if let Some(key) = &key {
        button = button.right_text(RichText::new(key).color(theme::of(ui).weak));
    }
    let response = ui.add(button);
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_label(text);
        if let Some(key) = key {
            node.set_keyboard_shortcut(key);
        }
    });
    widgets::picked(&response)
}

fn file(ui: &mut Ui, app: &mut App, state: &mut ViewState, listed: bool) {
    ui.set_min_width(240.0);
    if app.view.wallet_link == WalletLink::Running && app.view.link.is_fresh() {
        if entry(ui, Text::MenuCreate.s(), None) {
            app.wallet_menu.start_create(app.backend.as_ref());
        }
        ui.menu_button(Text::MenuOpen.s(), |ui| {
            state.wallets_listed = true;
            if !listed {
                app.backend.send(Command::ListWallets);
            }
            let names: Vec<String> = WalletMenu::entries(&app.view)
                .filter(|(_, possible)| *possible)
                .map(|(entry, _)| entry.name.clone())
                .collect();
            if names.is_empty() {
                ui.label(Text::MenuOpenNone.s());
            }
            for name in names {
                if entry(ui, &wallet_title(&name), None) {
                    app.wallet_menu.open(&name, app.backend.as_ref());
                }
            }
        });
        if app.view.wallet.is_some() && entry(ui, Text::MenuClose.s(), None) {
            app.wallet_menu.start_close(&app.view);
        }
        ui.separator();
    }
    state.quit |= entry(ui, Text::MenuExit.s(), Some(&shortcuts::QUIT));
    let hint = RichText::new(app.view.ownership.quit_text()).small().color(theme::of(ui).weak);
    egui::Frame::new()
        .inner_margin(egui::Margin { left: 10, right: 10, top: 0, bottom: 4 })
        .show(ui, |ui| ui.add(egui::Label::new(hint).wrap()));
}

fn view(ui: &mut Ui, app: &mut App) {
    ui.set_min_width(200.0);
    ui.menu_button(Text::MenuUnit.s(), |ui| units(ui, app));
    ui.menu_button(Text::MenuTheme.s(), |ui| {
        for (choice, text) in [
            (Theme::System, Text::ThemeSystem),
            (Theme::Light, Text::ThemeLight),
            (Theme::Dark, Text::ThemeDark),
        ] {
            widgets::picked(&ui.radio_value(&mut app.settings.theme, choice, text.s()));
        }
    });
    ui.separator();
    widgets::picked(&ui.checkbox(&mut app.settings.mask_values, Text::MenuMask.s()));
    ui.separator();
    let zoom = app.settings.zoom;
    let keys = egui::gui_zoom::kb_shortcuts::ZOOM_IN;
    if entry(ui, Text::MenuZoomIn.s(), Some(&keys)) {
        app.settings.zoom = (zoom + 10).min(*ZOOM.end());
    }
    if entry(ui, Text::MenuZoomOut.s(), Some(&egui::gui_zoom::kb_shortcuts::ZOOM_OUT)) {
        app.settings.zoom = zoom.saturating_sub(10).max(*ZOOM.start());
    }
    if entry(ui, Text::MenuZoomReset.s(), Some(&egui::gui_zoom::kb_shortcuts::ZOOM_RESET)) {
        app.settings.zoom = 100;
    }
}

/// A choice of the unit.
pub fn units(ui: &mut Ui, app: &mut App) {
    for unit in Unit::ALL {
        let chosen = app.settings.unit == unit;
        if widgets::picked(&ui.radio(chosen, unit.long_name()).on_hover_text(unit.description())) {
            app.set_unit(unit);
        }
    }
}

fn window(ui: &mut Ui, app: &mut App) {
    ui.set_min_width(200.0);
    if entry(ui, Text::MenuMinimize.s(), Some(&shortcuts::MINIMIZE)) {
        ui.ctx().send_viewport_cmd(ViewportCommand::Minimized(true));
    }
    ui.separator();
    for tab in NodeTab::ALL {
        if entry(ui, tab.name(), None) {
            open_node(app, tab);
        }
    }
}

/// Opens the node window on a tab.
pub fn open_node(app: &mut App, tab: NodeTab) {
    app.node_window.tab = tab;
    app.node_window_open = true;
}
