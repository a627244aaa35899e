//! An error or a question before there is a window.

use egui::accesskit::Role;
use egui::{Key, Label, Modifiers, ScrollArea, Ui};

use crate::theme::{GROUP, SPACE};
use crate::widgets;

/// Draws a text and buttons below it; the first has the keyboard. Answers the number of the one that was pressed; Escape
/// means the last.
pub fn show(ui: &mut Ui, title: &str, text: &str, buttons: &[&str]) -> Option<usize> {
    let escape = ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Escape));
    widgets::heading(ui, title);
    ui.add_space(SPACE);
    let room = (ui.available_height() - 60.0).max(40.0);
    ScrollArea::vertical().max_height(room).auto_shrink([false, true]).show(ui, |ui| {
        let label = ui.add(Label::new(text).wrap().selectable(true));
        widgets::spoken(&label, Role::Alert, text);
    });
    ui.add_space(GROUP);
    let pressed = ui.horizontal(|ui| {
        let mut pressed = None;
        for (number, name) in buttons.iter().enumerate() {
            let button = if number == 0 { widgets::primary_button(ui, name, true) } else { ui.button(*name) };
            if number == 0 {
                widgets::focus_first(&button);
            }
            if button.clicked() {
                pressed = Some(number);
            }
        }
        pressed
    });
    pressed.inner.or((escape && !buttons.is_empty()).then(|| buttons.len() - 1))
}
