//! Keys that work everywhere in the window.

use egui::{Context, Key, KeyboardShortcut, Modifiers};
use grs_gui_core::{App, Page};

const COMMAND_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);
/// Keys of the tabs, with Alt.
const TABS: [Key; 4] = [Key::Num1, Key::Num2, Key::Num3, Key::Num4];

/// Leave the program.
pub const QUIT: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::Q);
/// Close this window.
pub const CLOSE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::W);
/// Make an icon of the window.
pub const MINIMIZE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::COMMAND, Key::M);
/// Hide amounts.
pub const MASK: KeyboardShortcut = KeyboardShortcut::new(COMMAND_SHIFT, Key::M);
/// Paste an address.
pub const PASTE: KeyboardShortcut = KeyboardShortcut::new(Modifiers::ALT, Key::P);

/// Key of a tab.
pub fn tab(page: Page) -> KeyboardShortcut {
    let at = Page::ALL.iter().position(|p| *p == page).unwrap_or(0);
    KeyboardShortcut::new(Modifiers::ALT, TABS[at])
}

/// Takes the keys in. True if the user wants to leave.
pub fn take(ctx: &Context, app: &mut App) -> bool {
    let pressed = |key: &KeyboardShortcut| ctx.input_mut(|input| input.consume_shortcut(key));
    for page in Page::ALL {
        if pressed(&tab(page)) {
            app.page = page;
        }
    }
    // The one with more keys first: the other one would take it.
    if pressed(&MASK) {
        app.settings.mask_values = !app.settings.mask_values;
    }
    if pressed(&MINIMIZE) {
        ctx.send_viewport_cmd(egui::ViewportCommand::Minimized(true));
    }
    if pressed(&CLOSE) {
        if !app.node_window_open {
            return true;
        }
        app.node_window_open = false;
    }
    pressed(&QUIT)
}
