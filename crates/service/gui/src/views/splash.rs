//! What stands in the window while the node starts.

use egui::{Label, ProgressBar, RichText, Ui};
use grs_gui_core::pages::splash::Splash;

use crate::icons::Icon;
use crate::theme::{self, GROUP, SPACE};
use crate::widgets;

/// Draws it in place of everything else.
pub fn show(ui: &mut Ui, splash: &Splash) {
    let p = theme::of(ui);
    ui.add_space((ui.available_height() * 0.24).max(0.0));
    ui.vertical_centered(|ui| {
        ui.add(Icon::Node.image(64.0, p.accent));
        ui.add_space(SPACE);
        widgets::heading(ui, splash.title);
        ui.label(RichText::new(&splash.version).color(p.weak));
        if let Some(network) = splash.network {
            ui.label(RichText::new(network).color(p.accent));
        }
        ui.add_space(GROUP);
        let message = ui.add(Label::new(&splash.message).wrap());
        if let Some(percent) = splash.percent {
            let width = ui.available_width().min(320.0);
            ui.add(ProgressBar::new(f32::from(percent) / 100.0).desired_width(width).show_percentage())
                .labelled_by(message.id);
        }
        ui.add_space(GROUP);
        ui.label(RichText::new(splash.hint).small().color(p.weak));
    });
}
