//! Fields of forms: a name above, the problem below.

use egui::text_edit::TextEditState;
use egui::{Response, RichText, Stroke, TextEdit, Ui};
use grs_gui_core::field::Field;

use crate::theme;

/// A name above something, tied to it for screen readers.
pub fn labelled(ui: &mut Ui, name: &str, add: impl FnOnce(&mut Ui) -> Response) -> Response {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        let label = ui.label(RichText::new(name).color(theme::of(ui).weak));
        add(ui).labelled_by(label.id)
    })
    .inner
}

/// The problem of a field, below it.
pub fn error_below(ui: &mut Ui, error: Option<&str>) {
    if let Some(error) = error {
        let label = ui.label(RichText::new(error).small().color(theme::of(ui).error));
        super::spoken(&label, egui::accesskit::Role::Alert, error);
    }
}

fn edit(ui: &mut Ui, field: &mut Field, hint: &str, password: bool) -> Response {
    ui.scope(|ui| {
        if field.error.is_some() {
            let stroke = Stroke::new(1.5, theme::of(ui).error);
            let widgets = &mut ui.visuals_mut().widgets;
            for state in [&mut widgets.inactive, &mut widgets.hovered, &mut widgets.active] {
                state.bg_stroke = stroke;
            }
        }
        let width = ui.available_width();
        let edit = TextEdit::singleline(&mut field.text)
            .desired_width(width)
            .margin(egui::Margin::symmetric(8, 6))
            .hint_text(hint)
            .password(password);
        ui.add(edit)
    })
    .inner
}

/// A line of text. The response says `changed` while the user types and `lost_focus` when they leave, which marks the
/// field as touched.
pub fn text_field(ui: &mut Ui, name: &str, field: &mut Field, hint: &str) -> Response {
    any_field(ui, name, field, hint, false)
}

/// As [`text_field`] for a secret, with dots in place of the letters unless it is `shown`.
pub fn password_field(ui: &mut Ui, name: &str, field: &mut Field, shown: bool) -> Response {
    let response = any_field(ui, name, field, "", !shown);
    forget_undo(&response);
    response
}

/// Takes the earlier states of a field, which the toolkit keeps for undo, out of its memory: a secret does not stay
/// there.
pub fn forget_undo(field: &Response) {
    if let Some(mut state) = TextEditState::load(&field.ctx, field.id) {
        state.clear_undoer();
        state.store(&field.ctx, field.id);
    }
}

fn any_field(ui: &mut Ui, name: &str, field: &mut Field, hint: &str, password: bool) -> Response {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 3.0;
        let response = labelled(ui, name, |ui| edit(ui, field, hint, password));
        if response.lost_focus() {
            field.touch();
        }
        error_below(ui, field.error.as_deref());
        response
    })
    .inner
}

/// A line for a secret that is no [`Field`], with dots in place of the letters.
pub fn secret_edit(ui: &mut Ui, name: &str, text: &mut String) -> Response {
    let response = labelled(ui, name, |ui| {
        let width = ui.available_width();
        let edit = TextEdit::singleline(text).desired_width(width);
        ui.add(edit.margin(egui::Margin::symmetric(8, 6)).password(true))
    });
    forget_undo(&response);
    response
}
