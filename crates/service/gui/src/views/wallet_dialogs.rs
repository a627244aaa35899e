//! Create and close wallets, and what the last action on a wallet came to.

use egui::accesskit::Role;
use egui::{Context, Key, Label, RichText, Ui};
use grs_gui_core::pages::wallet_menu::{CreateForm, CreateOption};
use grs_gui_core::{App, Text};

use crate::theme::{self, SPACE};
use crate::widgets::{self, dialog, focus_first, primary_button};

/// What the view remembers.
#[derive(Default)]
pub struct State {
    show_passphrase: bool,
}

/// Draws the dialog that is open; false if none is.
pub fn show(ctx: &Context, app: &mut App, state: &mut State) -> bool {
    if app.wallet_menu.create.is_some() {
        create(ctx, app, state);
        return true;
    }
    state.show_passphrase = false;
    if app.wallet_menu.closing.is_some() {
        close(ctx, app);
    } else if let Some(text) = app.wallet_menu.progress() {
        dialog(ctx, "wallet busy", Text::WalletBusyTitle.s(), Role::Dialog, |ui| {
            let label = ui.label(text);
            widgets::spoken(&label, Role::Status, text);
        });
    } else if let Some(message) = app.wallet_menu.message.clone() {
        told(ctx, app, &message);
    } else {
        return false;
    }
    true
}

fn told(ctx: &Context, app: &mut App, message: &str) {
    let (pressed, close) =
        dialog(ctx, "wallet message", Text::WalletMessageTitle.s(), Role::AlertDialog, |ui| {
            ui.add(Label::new(message).wrap().selectable(true));
            ui.add_space(SPACE);
            let button = primary_button(ui, Text::ActionClose.s(), true);
            focus_first(&button);
            button.clicked()
        });
    if pressed || close {
        app.wallet_menu.dismiss();
    }
}

fn close(ctx: &Context, app: &mut App) {
    let text = app.wallet_menu.close_text(&app.view).unwrap_or_default();
    let title = Text::WalletCloseTitle.s();
    let ((confirm, cancel), close) = dialog(ctx, "close wallet", title, Role::AlertDialog, |ui| {
        ui.add(Label::new(text).wrap());
        ui.add_space(SPACE);
        ui.horizontal(|ui| {
            let confirm = primary_button(ui, Text::WalletCloseAction.s(), true);
            focus_first(&confirm);
            (confirm.clicked(), ui.button(Text::ActionCancel.s()).clicked())
        })
        .inner
    });
    if confirm {
        app.wallet_menu.confirm_close(app.backend.as_ref());
    } else if cancel || close {
        app.wallet_menu.closing = None;
    }
}

fn create(ctx: &Context, app: &mut App, state: &mut State) {
    let busy = app.wallet_menu.progress();
    let message = app.wallet_menu.message.clone();
    app.wallet_menu.check_create(&app.view);
    let title = Text::WalletCreateTitle.s();
    let ((submit, cancel), close) = dialog(ctx, "create wallet", title, Role::Dialog, |ui| {
        let Some(form) = &mut app.wallet_menu.create else { return (false, true) };
        let mut submit = fields(ui, form, state);
        let p = theme::of(ui);
        let (text, colour, role) = match (busy, &message) {
            (Some(text), _) => (text, p.weak, Role::Status),
            (None, Some(text)) => (text.as_str(), p.error, Role::Alert),
            _ => ("", p.weak, Role::Status),
        };
        if !text.is_empty() {
            let label = ui.add(Label::new(RichText::new(text).color(colour)).wrap().selectable(true));
            widgets::spoken(&label, role, text);
        }
        ui.add_space(SPACE);
        let cancel = ui
            .horizontal(|ui| {
                submit |= primary_button(ui, Text::WalletCreate.s(), busy.is_none()).clicked();
                ui.add_enabled(busy.is_none(), egui::Button::new(Text::ActionCancel.s())).clicked()
            })
            .inner;
        (submit, cancel)
    });
    if submit {
        app.wallet_menu.submit_create(&app.view, app.backend.as_ref());
    } else if cancel || close {
        app.wallet_menu.cancel_create();
    }
}

/// The fields; true if Enter was pressed in one.
fn fields(ui: &mut Ui, form: &mut CreateForm, state: &mut State) -> bool {
    let mut entered = false;
    let name = widgets::text_field(ui, Text::WalletName.s(), &mut form.name, "");
    entered |= enter(ui, &name);
    focus_first(&name);
    ui.add_space(SPACE / 2.0);
    option(ui, form, CreateOption::Encrypt);
    if form.encrypt {
        hint(ui, Text::WalletEncryptHint.s());
        let shown = state.show_passphrase;
        for (text, field) in
            [(Text::WalletPassphrase, &mut form.passphrase), (Text::WalletRepeat, &mut form.repeat)]
        {
            let response = widgets::password_field(ui, text.s(), field, shown);
            entered |= enter(ui, &response);
        }
        ui.checkbox(&mut state.show_passphrase, Text::WalletShowPassphrase.s());
    } else {
        state.show_passphrase = false;
    }
    ui.add_space(SPACE / 2.0);
    widgets::subheading(ui, Text::WalletAdvanced.s());
    option(ui, form, CreateOption::DisableKeys);
    option(ui, form, CreateOption::Blank);
    entered
}

fn enter(ui: &Ui, field: &egui::Response) -> bool {
    field.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter))
}

fn option(ui: &mut Ui, form: &mut CreateForm, option: CreateOption) {
    let (value, name, explained) = match option {
        CreateOption::Encrypt => (&mut form.encrypt, Text::WalletEncrypt, None),
        CreateOption::DisableKeys => {
            (&mut form.disable_private_keys, Text::WalletWatch, Some(Text::WalletWatchHint))
        }
        CreateOption::Blank => (&mut form.blank, Text::WalletBlank, Some(Text::WalletBlankHint)),
    };
    let response = ui.checkbox(value, name.s());
    if let Some(explained) = explained {
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(explained.s()));
        hint(ui, explained.s());
    }
    if response.changed() {
        form.settle(option);
    }
}

fn hint(ui: &mut Ui, text: &str) {
    let text = RichText::new(text).small().color(theme::of(ui).weak);
    ui.add(Label::new(text).wrap());
}
