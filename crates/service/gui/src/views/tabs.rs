//! The tabs and the choice of the wallet.

use egui::accesskit::Role;
use egui::{Button, ComboBox, CornerRadius, RichText, Stroke, Ui, UiBuilder, Vec2};
use grs_gui_core::pages::status::wallet_title;
use grs_gui_core::{App, Command, Page, Text};

use crate::icons::Icon;
use crate::{shortcuts, theme, widgets};

/// Name and icon of a page.
pub fn page_name(page: Page) -> (&'static str, Icon) {
    match page {
        Page::Overview => (Text::PageOverview.s(), Icon::Overview),
        Page::Send => (Text::PageSend.s(), Icon::Send),
        Page::Receive => (Text::PageReceive.s(), Icon::Receive),
        Page::Transactions => (Text::PageTransactions.s(), Icon::Transactions),
    }
}

/// Draws the tabs.
pub fn show(ui: &mut Ui, app: &mut App) {
    let several = app.view.loaded.len() > 1;
    let App { page, view, backend, .. } = app;
    widgets::split_row(
        ui,
        "tabs and wallet",
        |ui| {
            let list =
                UiBuilder::new().accessibility_role(Role::TabList).accessibility_label(Text::PagesName.s());
            ui.scope_builder(list, |ui| {
                ui.spacing_mut().item_spacing.x = 2.0;
                for choice in Page::ALL {
                    if tab(ui, choice, *page == choice) {
                        *page = choice;
                    }
                }
            });
        },
        |ui| {
            if several {
                let label = ui.label(RichText::new(Text::WalletChoice.s()).color(theme::of(ui).weak));
                let shown = view.wallet_name().unwrap_or_default();
                let list = ComboBox::from_id_salt("wallet").selected_text(wallet_title(shown)).truncate();
                let choices = view.loaded.iter().map(|name| (name.as_str(), wallet_title(name)));
                let (list, chosen) = widgets::choose_in(ui, list, &shown, choices);
                list.labelled_by(label.id);
                if let Some(name) = chosen {
                    backend.send(Command::SelectWallet(name.to_owned()));
                }
            }
        },
    );
}

fn tab(ui: &mut Ui, page: Page, selected: bool) -> bool {
    let p = theme::of(ui);
    let (name, icon) = page_name(page);
    let colour = if selected { p.accent } else { p.text };
    let text = RichText::new(name).color(colour);
    let text = if selected { text.strong() } else { text };
    let button = Button::image_and_text(icon.image(18.0, colour), text)
        .min_size(Vec2::new(0.0, 40.0))
        .corner_radius(CornerRadius::same(theme::RADIUS));
    let response = widgets::quiet_button(ui, button);
    if selected {
        let y = response.rect.bottom() - 1.0;
        ui.painter().hline(
            response.rect.shrink2(Vec2::new(10.0, 0.0)).x_range(),
            y,
            Stroke::new(3.0, p.accent),
        );
    }
    let keys = ui.ctx().format_shortcut(&shortcuts::tab(page));
    ui.ctx().accesskit_node_builder(response.id, |node| {
        node.set_role(Role::Tab);
        node.set_selected(selected);
        node.set_keyboard_shortcut(keys.clone());
    });
    response.on_hover_text(keys).clicked()
}
