//! Peers: table, details, disconnect, bans.

use egui::accesskit::Role;
use egui::{Frame, Label, Margin, Panel, RichText, ScrollArea, Stroke, Ui};
use grs_gui_core::format::date_time;
use grs_gui_core::pages::node_window::{BanSpan, PeerColumn, peer_details};
use grs_gui_core::{App, Text};

use crate::icons::Icon;
use crate::theme::{self, RADIUS, SPACE};
use crate::widgets;
use crate::widgets::table::{Cell, Column, Table, Width};

/// What the view remembers.
#[derive(Default)]
pub struct State {
    /// The selected ban.
    ban: Option<String>,
}

const DETAILS: f32 = 330.0;
const BANS: f32 = 170.0;

fn width(column: PeerColumn) -> Width {
    match column {
        PeerColumn::Id => Width::Exact(64.0),
        PeerColumn::Age => Width::Exact(120.0),
        PeerColumn::Address => Width::Fill(170.0),
        PeerColumn::Direction => Width::Exact(92.0),
        PeerColumn::Type => Width::Fill(150.0),
        PeerColumn::Network | PeerColumn::Ping => Width::Exact(96.0),
        PeerColumn::Sent | PeerColumn::Received => Width::Exact(96.0),
        PeerColumn::Agent => Width::Fill(170.0),
    }
}

fn is_number(column: PeerColumn) -> bool {
    use PeerColumn::{Id, Ping, Received, Sent};
    matches!(column, Id | Ping | Sent | Received)
}

/// Draws them. `now` in Unix seconds.
pub fn show(ui: &mut Ui, app: &mut App, state: &mut State, now: i64) {
    let p = theme::of(ui);
    if let Some(message) = app.node_window.message.clone() {
        widgets::notice(ui, p.error, Icon::Error, &message, |_| ());
        ui.add_space(SPACE);
    }
    let plain = Frame::new();
    if app.node_window.selected_peer(&app.view).is_some() {
        Panel::right("peer details")
            .exact_size(DETAILS)
            .resizable(false)
            .show_separator_line(false)
            .frame(plain.inner_margin(Margin { left: 12, ..Margin::ZERO }))
            .show(ui, |ui| details(ui, app, now));
    }
    if !app.view.bans.is_empty() {
        Panel::bottom("bans")
            .exact_size(BANS)
            .resizable(false)
            .show_separator_line(false)
            .frame(plain.inner_margin(Margin { top: 10, ..Margin::ZERO }))
            .show(ui, |ui| bans(ui, app, state));
    }
    surface(ui, |ui| peers(ui, app, now));
}

fn surface<R>(ui: &mut Ui, content: impl FnOnce(&mut Ui) -> R) -> R {
    let p = theme::of(ui);
    let frame = Frame::new()
        .fill(p.surface)
        .stroke(Stroke::new(1.0, p.border))
        .corner_radius(RADIUS + 2)
        .inner_margin(Margin::same(1));
    frame.show(ui, content).inner
}

/// An action on a peer.
#[derive(Clone, Copy)]
enum Action {
    Copy,
    Disconnect,
    Ban(BanSpan),
}

fn actions() -> Vec<(Action, &'static str)> {
    let mut all =
        vec![(Action::Copy, Text::PeerCopyAddress.s()), (Action::Disconnect, Text::PeerDisconnect.s())];
    all.extend(BanSpan::ALL.map(|span| (Action::Ban(span), span.name())));
    all
}

fn run(ui: &Ui, app: &mut App, action: Action) {
    match action {
        Action::Copy => {
            if let Some(peer) = app.node_window.selected_peer(&app.view) {
                ui.ctx().copy_text(peer.address.clone());
            }
        }
        Action::Disconnect => app.node_window.disconnect(app.backend.as_ref()),
        Action::Ban(span) => app.node_window.ban(span, app.backend.as_ref()),
    }
}

fn peers(ui: &mut Ui, app: &mut App, now: i64) {
    let view = app.view.clone();
    let window = &app.node_window;
    let peers = window.peers(&view);
    let sorted = |column| (window.sort == column).then_some(window.descending);
    let columns = PeerColumn::ALL.map(|column| {
        let shown = Column::new(column.name(), width(column)).sort(sorted(column));
        if is_number(column) { shown.right() } else { shown }
    });
    let actions = actions();
    let menu: Vec<&str> = actions.iter().map(|(_, name)| *name).collect();
    let table = Table {
        id: "peers",
        name: Text::ListPeers.s(),
        columns: &columns,
        rows: peers.len(),
        selected: peers.iter().position(|peer| Some(peer.id) == window.selected),
        menu: &menu,
        empty: Text::PeersNone.s(),
        reveal: false,
    };
    let out = table.show(ui, |at| {
        let peer = peers.get(at)?;
        Some(PeerColumn::ALL.iter().map(|column| Cell::new(column.value(peer, now))).collect())
    });
    if let Some(column) = out.sort {
        app.node_window.sort_by(PeerColumn::ALL[column]);
    }
    if let Some(peer) = out.select.and_then(|at| peers.get(at)) {
        app.node_window.selected = Some(peer.id);
    }
    if out.copy {
        run(ui, app, Action::Copy);
    }
    if let Some((action, _)) = out.menu.and_then(|at| actions.get(at)) {
        run(ui, app, *action);
    }
}

fn details(ui: &mut Ui, app: &mut App, now: i64) {
    let view = app.view.clone();
    let Some(peer) = app.node_window.selected_peer(&view) else { return };
    let p = theme::of(ui);
    let lines = peer_details(peer, now);
    let mut close = false;
    surface(ui, |ui| {
        let builder = egui::UiBuilder::new().accessibility_role(Role::Region);
        let title = Text::PeerTitle.with(&[("id", &peer.id)]);
        ui.scope_builder(builder.accessibility_label(title.clone()), |ui| {
            Frame::new().inner_margin(Margin::same(14)).show(ui, |ui| {
                ui.set_width(ui.available_width());
                ui.horizontal(|ui| {
                    widgets::subheading(ui, &title);
                    ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                        close = widgets::icon_button(ui, Icon::Remove, Text::PeerHide.s()).clicked();
                    });
                });
                let buttons = 126.0;
                let scroll = ScrollArea::vertical().id_salt("peer").auto_shrink(false);
                scroll.max_height((ui.available_height() - buttons).max(60.0)).show(ui, |ui| {
                    let grid = egui::Grid::new("peer")
                        .striped(false)
                        .num_columns(2)
                        .spacing([SPACE * 1.5, SPACE * 0.5]);
                    grid.show(ui, |ui| {
                        for (name, value) in &lines {
                            let name = ui.label(RichText::new(*name).size(13.5).color(p.weak));
                            let value = Label::new(RichText::new(value).size(13.5)).wrap().selectable(true);
                            ui.add(value).labelled_by(name.id);
                            ui.end_row();
                        }
                    });
                });
                ui.add_space(SPACE / 2.0);
                ui.horizontal_wrapped(|ui| {
                    for (action, name) in actions() {
                        if ui.button(RichText::new(name).size(13.5)).clicked() {
                            run(ui, app, action);
                        }
                    }
                });
            });
        });
    });
    // Window systems turn Ctrl+X into an event of its own.
    let hide = egui::KeyboardShortcut::new(egui::Modifiers::COMMAND, egui::Key::X);
    let cut = |input: &mut egui::InputState| {
        input.consume_shortcut(&hide) || input.events.contains(&egui::Event::Cut)
    };
    if close || ui.input_mut(cut) {
        app.node_window.selected = None;
    }
}

fn bans(ui: &mut Ui, app: &mut App, state: &mut State) {
    let view = app.view.clone();
    let selected = view.bans.iter().position(|ban| Some(&ban.subnet) == state.ban.as_ref());
    let mut unban = false;
    ui.horizontal(|ui| {
        widgets::subheading(ui, Text::ListBans.s());
        if selected.is_some() {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                unban = ui.button(Text::BanRemove.s()).clicked();
            });
        }
    });
    let columns = [
        Column::new(Text::BanSubnet.s(), Width::Fill(240.0)),
        Column::new(Text::BanUntil.s(), Width::Fill(200.0)),
    ];
    let table = Table {
        id: "bans",
        name: Text::ListBans.s(),
        columns: &columns,
        rows: view.bans.len(),
        selected,
        menu: &[Text::BanCopy.s(), Text::BanRemove.s()],
        empty: "",
        reveal: false,
    };
    let out = surface(ui, |ui| {
        table.show(ui, |at| {
            let ban = view.bans.get(at)?;
            Some(vec![Cell::new(ban.subnet.clone()), Cell::new(date_time(ban.until))])
        })
    });
    if let Some(ban) = out.select.and_then(|at| view.bans.get(at)) {
        state.ban = Some(ban.subnet.clone());
    }
    let Some(subnet) = state.ban.clone() else { return };
    if out.copy || out.menu == Some(0) {
        ui.ctx().copy_text(subnet.clone());
    }
    if unban || out.menu == Some(1) {
        app.node_window.unban(&subnet, app.backend.as_ref());
        state.ban = None;
    }
}
