//! Facts about the node.

use egui::{Label, RichText, Ui};
use grs_gui_core::pages::node_window::{information, information_text};
use grs_gui_core::{App, Text};

use crate::icons::Icon;
use crate::theme::{self, SPACE};
use crate::widgets;

/// Width of the names, so that all sections line up.
const NAMES: f32 = 190.0;

/// Draws them.
pub fn show(ui: &mut Ui, app: &App) {
    let sections = information(&app.view);
    let p = theme::of(ui);
    if sections.is_empty() {
        ui.label(RichText::new(Text::NodeNothing.s()).color(p.weak));
        return;
    }
    widgets::column(ui, "information", |ui| {
        for section in sections {
            widgets::card(ui, |ui| {
                widgets::subheading(ui, section.title);
                ui.add_space(SPACE / 2.0);
                let grid = egui::Grid::new(section.title).striped(false).num_columns(2).min_col_width(NAMES);
                grid.spacing([theme::GROUP, SPACE * 0.75]).show(ui, |ui| {
                    for (name, value) in &section.lines {
                        let name = ui.label(RichText::new(*name).color(p.weak));
                        let hash = value.len() == 64;
                        let text = RichText::new(value);
                        let text = if hash { text.monospace().size(12.5) } else { text };
                        ui.add(Label::new(text).wrap().selectable(true)).labelled_by(name.id);
                        ui.end_row();
                    }
                });
            });
        }
        if widgets::icon_text_button(ui, Icon::Copy, Text::NodeCopyAll.s(), true).clicked() {
            ui.ctx().copy_text(information_text(&app.view));
        }
    });
}
