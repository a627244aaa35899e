//! Parts that several views draw alike.

mod choice;
mod field;
mod layout;
pub mod table;

use egui::accesskit::Role;
use egui::{
    Align, Button, Color32, Frame, Image, InnerResponse, Layout, Margin, Response, RichText, Stroke, Ui,
    Widget,
};

pub use choice::{choose, choose_in, picked};
pub use field::{error_below, forget_undo, labelled, password_field, secret_edit, text_field};
pub use layout::{cell, column, dialog, focus_first, split_row, square, two_columns, wide_column, with_side};

use grs_gui_core::Text;

use crate::icons::Icon;
use crate::theme::{self, RADIUS, SPACE};

/// A surface that holds what belongs together, as wide as there is room.
pub fn card<R>(ui: &mut Ui, content: impl FnOnce(&mut Ui) -> R) -> InnerResponse<R> {
    let p = theme::of(ui);
    let frame = Frame::new()
        .fill(p.surface)
        .stroke(Stroke::new(1.0, p.border))
        .corner_radius(RADIUS + 2)
        .inner_margin(Margin::same(16));
    frame.show(ui, |ui| {
        ui.set_width(ui.available_width());
        content(ui)
    })
}

/// What a label is to a screen reader. The toolkit's labels have their text as a value, which only a plain label may.
pub fn spoken(label: &Response, role: Role, text: &str) {
    label.ctx.accesskit_node_builder(label.id, |node| {
        node.set_role(role);
        node.set_label(text);
        node.clear_value();
    });
}

/// Heading of a page or card; a heading for screen readers too.
pub fn heading(ui: &mut Ui, text: &str) -> Response {
    let response = ui.heading(text);
    spoken(&response, Role::Heading, text);
    response
}

/// Heading of a group in a card.
pub fn subheading(ui: &mut Ui, text: &str) -> Response {
    let response = ui.label(RichText::new(text).strong().color(theme::of(ui).weak));
    spoken(&response, Role::Heading, text);
    response
}

/// The main action of a page.
pub fn primary_button(ui: &mut Ui, text: &str, enabled: bool) -> Response {
    let p = theme::of(ui);
    let button =
        Button::new(RichText::new(text).color(p.on_accent).strong()).fill(p.accent).stroke(Stroke::NONE);
    ui.add_enabled(enabled, button)
}

/// A button with an icon and a text.
pub fn icon_text_button(ui: &mut Ui, icon: Icon, text: &str, enabled: bool) -> Response {
    let colour = theme::of(ui).text;
    ui.add_enabled(enabled, Button::image_and_text(icon.image(16.0, colour), text))
}

/// A small button with an icon only; its name is for screen readers and shown on hover.
pub fn icon_button(ui: &mut Ui, icon: Icon, name: &str) -> Response {
    let image: Image<'static> = icon.image(16.0, theme::of(ui).text).alt_text(name);
    Button::image(image).ui(ui).on_hover_text(name)
}

/// Copies a text when pressed.
pub fn copy_button(ui: &mut Ui, name: &str, text: &str) {
    if icon_button(ui, Icon::Copy, name).clicked() {
        ui.ctx().copy_text(text.to_owned());
    }
}

/// Lines of name and value; the values can be selected.
pub fn key_values<'a>(ui: &mut Ui, id: &str, lines: impl IntoIterator<Item = (&'a str, &'a str)>) {
    egui::Grid::new(id).num_columns(2).spacing([theme::GROUP, SPACE * 0.75]).show(ui, |ui| {
        for (name, value) in lines {
            let name = ui.label(RichText::new(name).color(theme::of(ui).weak));
            ui.add(egui::Label::new(value).wrap().selectable(true)).labelled_by(name.id);
            ui.end_row();
        }
    });
}

/// A message in a coloured frame, for screen readers an alert.
pub fn notice<R>(ui: &mut Ui, colour: Color32, icon: Icon, text: &str, more: impl FnOnce(&mut Ui) -> R) -> R {
    let p = theme::of(ui);
    let frame = Frame::new()
        .fill(theme::mix(p.surface, colour, 0.10))
        .stroke(Stroke::new(1.0, theme::mix(p.border, colour, 0.5)))
        .corner_radius(RADIUS)
        .inner_margin(Margin::symmetric(12, 8));
    frame
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal_top(|ui| {
                ui.add(icon.image(18.0, colour));
                ui.vertical(|ui| {
                    let label = ui.add(egui::Label::new(text).wrap());
                    spoken(&label, Role::Alert, text);
                    more(ui)
                })
                .inner
            })
            .inner
        })
        .inner
}

/// A name at the left and a value at the right, which can be selected.
pub fn name_value(ui: &mut Ui, name: impl Into<RichText>, value: impl Into<RichText>) {
    let size = egui::vec2(ui.available_width(), 22.0);
    ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
        let name = ui.label(name.into());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            ui.add(egui::Label::new(value.into()).selectable(true)).labelled_by(name.id);
        });
    });
}

/// A button that looks like text until it is pointed at or has the keyboard.
pub fn quiet_button(ui: &mut Ui, button: Button<'_>) -> Response {
    ui.add(button.frame_when_inactive(false))
}

/// The same amount in other units, small.
pub fn equals(ui: &mut Ui, amounts: &[String]) {
    let weak = theme::of(ui).weak;
    ui.with_layout(Layout::top_down(Align::Max), |ui| {
        ui.spacing_mut().item_spacing.y = 1.0;
        for amount in amounts {
            let text = RichText::new(Text::ReviewEquals.with(&[("amount", amount)])).small().color(weak);
            ui.add(egui::Label::new(text).selectable(true));
        }
    });
}
