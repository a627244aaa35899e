//! Lists and menus to choose from.

use egui::{ComboBox, Popup, Response, Ui};

use super::labelled;

/// Whether an entry of a menu or list was chosen. Closes it then: the toolkit does so only for the mouse.
pub fn picked(entry: &Response) -> bool {
    let clicked = entry.clicked();
    if clicked {
        Popup::close_all(&entry.ctx);
    }
    clicked
}

/// A list with a name above it. Answers what was chosen; the keyboard goes back to the list then.
pub fn choose<T: PartialEq>(
    ui: &mut Ui,
    name: &str,
    list: ComboBox<'_>,
    current: &T,
    choices: impl IntoIterator<Item = (T, String)>,
) -> Option<T> {
    let mut chosen = None;
    labelled(ui, name, |ui| {
        let (response, choice) = choose_in(ui, list, current, choices);
        chosen = choice;
        response
    });
    chosen
}

/// As [`choose`], for a list whose name stands elsewhere.
pub fn choose_in<T: PartialEq>(
    ui: &mut Ui,
    list: ComboBox<'_>,
    current: &T,
    choices: impl IntoIterator<Item = (T, String)>,
) -> (Response, Option<T>) {
    let mut chosen = None;
    let response = list
        .show_ui(ui, |ui| {
            for (choice, text) in choices {
                if picked(&ui.selectable_label(choice == *current, text)) {
                    chosen = Some(choice);
                }
            }
        })
        .response;
    if chosen.is_some() {
        response.request_focus();
    }
    (response, chosen.filter(|chosen| chosen != current))
}
