//! The line below the pages.

use egui::{Button, Label, Popup, ProgressBar, RichText, Ui, Vec2};
use grs_gui_core::pages::node_window::NodeTab;
use grs_gui_core::pages::{status, sync_overlay};
use grs_gui_core::{App, Text};
use grs_params::Network;

use super::menu_bar;
use crate::icons::Icon;
use crate::theme::{self, Palette};
use crate::widgets;

/// Draws the line. `now` in Unix seconds.
pub fn show(ui: &mut Ui, app: &mut App, now: i64) {
    let p = theme::of(ui);
    ui.style_mut().override_text_style = Some(egui::TextStyle::Small);
    ui.spacing_mut().interact_size.y = 24.0;
    ui.spacing_mut().button_padding = Vec2::new(6.0, 2.0);
    let mut show_sync = false;
    let (view, shown_unit) = (app.view.clone(), app.settings.unit);
    widgets::split_row(
        ui,
        "status",
        |ui| {
            let text = status::line(&view, now);
            if !view.link.is_fresh() {
                ui.add(Icon::Offline.image(15.0, p.warning));
                ui.add(Label::new(text).truncate());
            } else if sync_overlay::behind(&view, now) {
                show_sync = sync(ui, &text, &p, view.node.as_ref().map_or(0.0, |n| n.sync.progress));
            } else {
                ui.add(Icon::Ok.image(15.0, p.good));
                ui.add(Label::new(text).truncate());
            }
            if let Some(percent) = view.wallet.as_ref().and_then(|w| w.snapshot.rescan_percent) {
                ui.add(Label::new(Text::StatusRescan.with(&[("percent", &percent)])).truncate());
            }
        },
        |ui| {
            lock(ui, app, &p);
            connections(ui, app, &p);
            let unit = widgets::quiet_button(ui, Button::new(shown_unit.short_name()))
                .on_hover_text(Text::MenuUnit.s());
            Popup::menu(&unit).show(|ui| menu_bar::units(ui, app));
            if let Some(network) = Network::from_name(view.network()).filter(|_| view.info.is_some()) {
                let name = grs_gui_core::validate::network_name(network);
                ui.label(RichText::new(name).color(p.accent).strong())
                    .on_hover_text(Text::StatusNetwork.with(&[("network", &name)]));
            }
        },
    );
    if show_sync {
        let view = app.view.clone();
        app.overlay.toggle(&view, now);
    }
}

fn sync(ui: &mut Ui, text: &str, p: &Palette, progress: f64) -> bool {
    let hint = Text::StatusSyncHint.with(&[("status", &text)]);
    ui.visuals_mut().extreme_bg_color = p.border;
    let bar = ProgressBar::new(progress as f32).desired_width(120.0).desired_height(8.0).fill(p.accent);
    let bar = ui.add(bar);
    ui.ctx().accesskit_node_builder(bar.id, |node| node.set_label(Text::SyncProgress.s()));
    let button = widgets::quiet_button(ui, Button::new(RichText::new(text).color(p.text)).truncate());
    button.on_hover_text(hint).clicked()
}

fn lock(ui: &mut Ui, app: &App, p: &Palette) {
    let Some(wallet) = &app.view.wallet else { return };
    let (icon, text) = match (wallet.snapshot.encrypted, wallet.snapshot.locked) {
        (true, true) => (Icon::Locked, Text::StatusWalletLocked),
        (true, false) => (Icon::Unlocked, Text::StatusWalletOpen),
        (false, _) => return,
    };
    ui.add(icon.image(15.0, p.weak).alt_text(text.s())).on_hover_text(text.s());
}

fn connections(ui: &mut Ui, app: &mut App, p: &Palette) {
    if app.view.node.is_none() {
        return;
    }
    let text = status::connections(&app.view);
    let active = app.view.node.as_ref().is_some_and(|node| node.network_active);
    let (icon, colour) = if active { (Icon::Peers, p.weak) } else { (Icon::Offline, p.warning) };
    let hint = Text::StatusConnectionsHint.with(&[("connections", &text)]);
    let button = Button::image_and_text(icon.image(15.0, colour), text);
    if widgets::quiet_button(ui, button).on_hover_text(hint).clicked() {
        menu_bar::open_node(app, NodeTab::Peers);
    }
}
