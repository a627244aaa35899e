//! Dialogs of the whole window: errors at the start, the end, About, wallets.

use egui::accesskit::Role;
use egui::{Context, Label, RichText};
use grs_gui_core::pages::about;
use grs_gui_core::{App, Link, Text};

use super::ViewState;
use crate::theme;
use crate::widgets::{dialog, focus_first, primary_button};

/// Draws the dialog that is open; false if none is.
pub fn show(ctx: &Context, app: &mut App, state: &mut ViewState, start_errors: &mut Vec<String>) -> bool {
    if app.view.link == Link::Stopping {
        closing(ctx, app);
        return true;
    }
    if !start_errors.is_empty() {
        messages(ctx, start_errors);
        return true;
    }
    if app.about_open {
        about(ctx, app);
        return true;
    }
    super::wallet_dialogs::show(ctx, app, &mut state.wallets)
}

fn closing(ctx: &Context, app: &mut App) {
    let (now, _) = dialog(ctx, "closing", Text::QuitTitle.s(), Role::AlertDialog, |ui| {
        ui.label(app.view.ownership.quit_text());
        ui.add_space(theme::SPACE);
        let button = ui.button(Text::QuitNow.s());
        focus_first(&button);
        button.clicked()
    });
    if now {
        // The second order to leave does not wait.
        app.quit();
    }
}

fn messages(ctx: &Context, errors: &mut Vec<String>) {
    let (pressed, close) = dialog(ctx, "start errors", Text::MessagesTitle.s(), Role::AlertDialog, |ui| {
        for error in errors.iter() {
            ui.add(Label::new(error).wrap().selectable(true));
        }
        ui.add_space(theme::SPACE);
        let button = primary_button(ui, Text::ActionClose.s(), true);
        focus_first(&button);
        button.clicked()
    });
    if pressed || close {
        errors.clear();
    }
}

fn about(ctx: &Context, app: &mut App) {
    let (pressed, close) = dialog(ctx, "about", Text::AboutTitle.s(), Role::Dialog, |ui| {
        for (at, paragraph) in about::paragraphs(&app.view).into_iter().enumerate() {
            let text = RichText::new(paragraph);
            let text = if at == 0 { text.strong() } else { text };
            ui.add(Label::new(text).wrap().selectable(true));
        }
        let website = Text::AboutWebsite.with(&[("address", &about::WEBSITE)]);
        ui.add(Label::new(RichText::new(website).color(theme::of(ui).weak)).wrap().selectable(true));
        ui.add_space(theme::SPACE);
        let button = primary_button(ui, Text::ActionClose.s(), true);
        focus_first(&button);
        button.clicked()
    });
    if pressed || close {
        app.about_open = false;
    }
}
