//! The node window: information, console, network traffic, peers.

mod console;
mod information;
mod peers;
mod traffic;

use egui::{CentralPanel, ViewportId};
use egui::{
    Context, Frame, Key, KeyboardShortcut, Margin, Modifiers, Panel, Ui, ViewportBuilder, ViewportClass,
};
use grs_gui_core::pages::node_window::NodeTab;
use grs_gui_core::validate::network_name;
use grs_gui_core::{App, Text};
use grs_params::Network;

use super::ViewState;
use crate::theme;
use crate::widgets;

const COMMAND_SHIFT: Modifiers = Modifiers::COMMAND.plus(Modifiers::SHIFT);
/// Opens the window on the console.
pub const OPEN_CONSOLE: KeyboardShortcut = KeyboardShortcut::new(COMMAND_SHIFT, Key::C);
/// Opens the window.
pub const OPEN: KeyboardShortcut = KeyboardShortcut::new(COMMAND_SHIFT, Key::D);

/// Key of a tab.
pub fn tab_key(tab: NodeTab) -> KeyboardShortcut {
    let key = match tab {
        NodeTab::Information => Key::I,
        NodeTab::Console => Key::T,
        NodeTab::Traffic => Key::N,
        NodeTab::Peers => Key::P,
    };
    KeyboardShortcut::new(Modifiers::COMMAND, key)
}

/// What the view remembers.
#[derive(Default)]
pub struct State {
    console: console::State,
    peers: peers::State,
    /// The window was open in the frame before.
    was_open: bool,
    /// The tab that was drawn last.
    tab: Option<NodeTab>,
}

/// Draws the window if it is open. `now` in Unix seconds.
pub fn show(ctx: &Context, app: &mut App, state: &mut ViewState, now: i64) {
    let state = &mut state.node_window;
    if !app.node_window_open {
        state.was_open = false;
        state.tab = None;
        return;
    }
    let id = ViewportId::from_hash_of("node window");
    if !state.was_open {
        state.was_open = true;
        ctx.send_viewport_cmd_to(id, egui::ViewportCommand::Focus);
    }
    let network = Network::from_name(app.view.network()).unwrap_or(Network::Main);
    let title = Text::NodeWindowTitle.with(&[("network", &network_name(network))]);
    let builder = ViewportBuilder::default()
        .with_title(title)
        .with_inner_size([980.0, 640.0])
        .with_min_inner_size([560.0, 380.0]);
    ctx.show_viewport_immediate(id, builder, |ui, class| {
        let own = class == ViewportClass::Immediate;
        contents(ui, app, state, now, own);
        keys(ui.ctx(), app, own);
    });
}

fn contents(ui: &mut Ui, app: &mut App, state: &mut State, now: i64, own: bool) {
    let p = theme::of(ui);
    let entered = state.tab != Some(app.node_window.tab);
    state.tab = Some(app.node_window.tab);
    let bar = Frame::new().fill(p.surface).inner_margin(Margin::symmetric(12, 8));
    Panel::top("node tabs").frame(bar).show(ui, |ui| tabs(ui, app, own));
    let page = Frame::new().fill(p.background).inner_margin(Margin::symmetric(16, 12));
    CentralPanel::default().frame(page).show(ui, |ui| match app.node_window.tab {
        NodeTab::Information => information::show(ui, app),
        NodeTab::Console => console::show(ui, app, &mut state.console, entered),
        NodeTab::Traffic => traffic::show(ui, app),
        NodeTab::Peers => peers::show(ui, app, &mut state.peers, now),
    });
}

fn tabs(ui: &mut Ui, app: &mut App, own: bool) {
    let p = theme::of(ui);
    ui.horizontal(|ui| {
        let builder = egui::UiBuilder::new()
            .accessibility_role(egui::accesskit::Role::TabList)
            .accessibility_label(Text::NodeTabs.s());
        ui.scope_builder(builder, |ui| {
            for tab in NodeTab::ALL {
                let chosen = app.node_window.tab == tab;
                let colour = if chosen { p.accent } else { p.text };
                let text = egui::RichText::new(tab.name()).color(colour).strong();
                let button = ui.add(egui::Button::selectable(chosen, text));
                ui.ctx().accesskit_node_builder(button.id, |node| {
                    node.set_role(egui::accesskit::Role::Tab);
                    node.clear_toggled();
                    node.set_selected(chosen);
                });
                let keys = ui.ctx().format_shortcut(&tab_key(tab));
                if button.on_hover_text(keys).clicked() {
                    app.node_window.tab = tab;
                }
            }
        });
        // Where the window system draws the frame, it has a button for this.
        if !own {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                if widgets::icon_button(ui, crate::icons::Icon::Remove, Text::ActionClose.s()).clicked() {
                    app.node_window_open = false;
                }
            });
        }
    });
}

/// Keys of the window itself. What a page wanted has been taken already.
fn keys(ctx: &Context, app: &mut App, own: bool) {
    let pressed = |key: &KeyboardShortcut| ctx.input_mut(|input| input.consume_shortcut(key));
    let close = KeyboardShortcut::new(Modifiers::COMMAND, Key::W);
    let escape = KeyboardShortcut::new(Modifiers::NONE, Key::Escape);
    let free = !egui::Popup::is_any_open(ctx) && ctx.memory(|memory| memory.top_modal_layer().is_none());
    if free && pressed(&escape) || pressed(&close) || own && ctx.input(|i| i.viewport().close_requested()) {
        app.node_window_open = false;
    }
    if own {
        shortcuts(ctx, app);
    }
}

/// Keys that open it.
pub fn shortcuts(ctx: &Context, app: &mut App) {
    let pressed = |key: &KeyboardShortcut| ctx.input_mut(|input| input.consume_shortcut(key));
    // Those with more keys first: the others would take them.
    if pressed(&OPEN_CONSOLE) {
        app.node_window.tab = NodeTab::Console;
        app.node_window_open = true;
    }
    if pressed(&OPEN) {
        app.node_window_open = true;
    }
    for tab in NodeTab::ALL {
        if pressed(&tab_key(tab)) {
            app.node_window.tab = tab;
            app.node_window_open = true;
        }
    }
}
