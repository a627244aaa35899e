//! Details of a transaction, its label, and the export.

use egui::accesskit::Role;
use egui::{Context, Key, Label, RichText, ScrollArea, Ui};
use grs_gui_core::pages::transactions::{details_lines, details_text};
use grs_gui_core::{App, Text};

use crate::theme::{self, SPACE};
use crate::widgets::{self, dialog, focus_first, primary_button};

/// Draws the one that is open; false if none is.
pub fn show(ctx: &Context, app: &mut App, now: i64) -> bool {
    if app.transactions.exporting.is_some() {
        export(ctx, app, now);
    } else if app.transactions.editing.is_some() {
        label(ctx, app);
    } else if app.transactions.details.is_some() {
        details(ctx, app);
    } else {
        return false;
    }
    true
}

/// Whether Enter was pressed in a field.
fn entered(ui: &Ui, field: &egui::Response) -> bool {
    field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}

fn details(ctx: &Context, app: &mut App) {
    let Some(details) = app.transactions.details.clone() else { return };
    let unit = app.settings.unit;
    let (pressed, close) = dialog(ctx, "transaction", Text::DetailsTitle.s(), Role::Dialog, |ui| {
        ui.set_width((ctx.content_rect().width() - 120.0).clamp(320.0, 640.0));
        let lines = details_lines(&details, unit);
        let most = ctx.content_rect().height() - 220.0;
        ScrollArea::vertical().id_salt("details").max_height(most).show(ui, |ui| {
            egui::Grid::new("details").striped(false).num_columns(2).spacing([theme::GROUP, SPACE]).show(
                ui,
                |ui| {
                    for (name, value) in &lines {
                        let name = ui.label(RichText::new(*name).color(theme::of(ui).weak));
                        let text = if value.len() > 60 && !value.contains(' ') {
                            RichText::new(value).monospace().size(12.5)
                        } else {
                            RichText::new(value)
                        };
                        ui.add(Label::new(text).wrap().selectable(true)).labelled_by(name.id);
                        ui.end_row();
                    }
                },
            );
        });
        ui.add_space(SPACE);
        ui.horizontal(|ui| {
            let close = primary_button(ui, Text::ActionClose.s(), true);
            focus_first(&close);
            if ui.button(Text::ActionCopyDetails.s()).clicked() {
                ui.ctx().copy_text(details_text(&details, unit));
            }
            if ui.button(Text::ActionCopyId.s()).clicked() {
                ui.ctx().copy_text(details.txid.to_string());
            }
            if ui.button(Text::ActionCopyHex.s()).clicked() {
                ui.ctx().copy_text(details.hex.clone());
            }
            close.clicked()
        })
        .inner
    });
    if pressed || close {
        app.transactions.details = None;
    }
}

fn label(ctx: &Context, app: &mut App) {
    let mut save = false;
    let (cancel, close) = dialog(ctx, "label", Text::LabelTitle.s(), Role::Dialog, |ui| {
        let Some(edit) = &mut app.transactions.editing else { return true };
        let name = Text::LabelField.with(&[("address", &edit.address)]);
        let field = widgets::text_field(ui, &name, &mut edit.label, "");
        save |= entered(ui, &field);
        focus_first(&field);
        ui.add_space(SPACE);
        ui.horizontal(|ui| {
            save |= primary_button(ui, Text::ActionSave.s(), true).clicked();
            ui.button(Text::ActionCancel.s()).clicked()
        })
        .inner
    });
    if save {
        app.transactions.save_label(app.backend.as_ref());
    } else if cancel || close {
        app.transactions.editing = None;
    }
}

fn export(ctx: &Context, app: &mut App, now: i64) {
    let mut write = false;
    let busy = app.transactions.is_exporting();
    let (cancel, close) = dialog(ctx, "export", Text::ExportTitle.s(), Role::Dialog, |ui| {
        let Some(form) = &mut app.transactions.exporting else { return true };
        ui.add(Label::new(Text::ExportExplained.s()).wrap());
        ui.add_space(SPACE);
        let field = widgets::text_field(ui, Text::ExportFile.s(), &mut form.path, "");
        if field.changed() {
            form.path.error = None;
        }
        write |= entered(ui, &field);
        focus_first(&field);
        ui.checkbox(&mut form.overwrite, Text::ExportOverwrite.s());
        if busy {
            ui.label(Text::ExportWriting.s());
        }
        ui.add_space(SPACE);
        ui.horizontal(|ui| {
            write |= primary_button(ui, Text::ExportWrite.s(), !busy).clicked();
            ui.button(Text::ActionCancel.s()).clicked()
        })
        .inner
    });
    if write {
        app.transactions.submit_export(app.backend.as_ref(), now);
    } else if cancel || close {
        app.transactions.exporting = None;
    }
}
