//! The overlay while the chain is being caught up with.

use egui::{Label, ProgressBar, RichText, Ui};
use grs_gui_core::pages::sync_overlay;
use grs_gui_core::{App, Text};

use crate::icons::Icon;
use crate::theme::{self, SPACE};
use crate::widgets;

/// Draws it in place of the page. `now` in Unix seconds.
pub fn show(ui: &mut Ui, app: &mut App, now: i64) {
    let p = theme::of(ui);
    let lines = sync_overlay::lines(&app.view, now);
    let progress = app.view.node.as_ref().map_or(0.0, |node| node.sync.progress);
    let hide = widgets::column(ui, "sync", |ui| {
        ui.add_space(theme::GROUP);
        widgets::card(ui, |ui| {
            let title = widgets::heading(ui, Text::SyncTitle.s());
            ui.add_space(SPACE / 2.0);
            ui.label(RichText::new(sync_overlay::status(&app.view, now)).color(p.weak));
            ui.add_space(SPACE);
            let bar = ProgressBar::new(progress as f32)
                .fill(p.accent)
                .desired_height(10.0)
                .corner_radius(5)
                .desired_width(ui.available_width());
            ui.scope(|ui| {
                // What is not done yet can be told from the card.
                ui.visuals_mut().extreme_bg_color = theme::mix(p.surface, p.weak, 0.25);
                ui.add(bar).labelled_by(title.id);
            });
            ui.add_space(SPACE);
            egui::Grid::new("sync lines")
                .striped(false)
                .num_columns(2)
                .spacing([theme::GROUP * 2.0, SPACE])
                .show(ui, |ui| {
                    for (name, value) in &lines {
                        let name = ui.label(RichText::new(*name).color(p.weak));
                        ui.add(Label::new(value).selectable(true)).labelled_by(name.id);
                        ui.end_row();
                    }
                });
            ui.add_space(SPACE);
            widgets::notice(ui, p.warning, Icon::Warning, Text::SyncWarning.s(), |_| ());
            ui.add_space(SPACE);
            widgets::primary_button(ui, Text::OverlayHide.s(), true).clicked()
        })
        .inner
    });
    if hide {
        app.overlay.hide();
    }
}
