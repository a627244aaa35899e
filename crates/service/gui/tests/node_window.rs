//! The node window, by role and name and with the keyboard only.

mod kit;

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use grs_gui::Window;
use grs_gui_core::pages::node_window::NodeTab;
use grs_gui_core::{Command, FakeSession, Text};
use kit::{
    enter_copies, focused, holds, press, press_with, reads, rows, tab_to, tab_to_role, type_in, window,
};

fn open(key: Key) -> (Arc<FakeSession>, Harness<'static, Window>) {
    let (session, mut harness) = window(10);
    harness.run();
    press_with(&mut harness, Modifiers::COMMAND, key);
    (session, harness)
}

#[test]
fn keys_open_its_pages_and_close_it() {
    let (_, mut harness) = open(Key::N);
    for (key, tab) in [
        (Key::I, NodeTab::Information),
        (Key::T, NodeTab::Console),
        (Key::P, NodeTab::Peers),
        (Key::N, NodeTab::Traffic),
    ] {
        press_with(&mut harness, Modifiers::COMMAND, key);
        assert!(harness.state().app.node_window_open);
        let tabs = harness.get_by_role_and_label(Role::TabList, Text::NodeTabs.s());
        let shown = tabs.get_by(|node| node.role() == Role::Tab && node.is_selected() == Some(true));
        assert_eq!(shown.accesskit_node().label().as_deref(), Some(tab.name()));
    }
    press(&mut harness, Key::Escape);
    assert!(!harness.state().app.node_window_open);
    assert!(harness.query_by_role_and_label(Role::TabList, Text::NodeTabs.s()).is_none());
    press_with(&mut harness, Modifiers::COMMAND | Modifiers::SHIFT, Key::D);
    assert!(harness.state().app.node_window_open);
    press_with(&mut harness, Modifiers::COMMAND | Modifiers::SHIFT, Key::C);
    assert_eq!(harness.state().app.node_window.tab, NodeTab::Console);
    // Tabs are reached and chosen without keys of their own, too.
    tab_to(&mut harness, NodeTab::Information.name());
    press(&mut harness, Key::Space);
    assert_eq!(harness.state().app.node_window.tab, NodeTab::Information);
}

#[test]
fn facts_are_tied_to_their_names_and_can_be_copied() {
    let (_, mut harness) = open(Key::I);
    for (name, value) in [
        (Text::InfoAgent, "/Groestlcoin:31.0.0/"),
        (Text::InfoDataDir, "/home/ada/.groestlcoin/regtest"),
        (Text::InfoHeight, "1234"),
        (Text::InfoConnections, "12 (4 in, 8 out)"),
    ] {
        let found = harness.query_all_by(|node| {
            node.value().as_deref() == Some(value)
                && node.labelled_by().any(|label| label.value().as_deref() == Some(name.s()))
        });
        assert!(found.count() >= 1, "{name:?}");
    }
    tab_to(&mut harness, Text::NodeCopyAll.s());
    assert!(
        enter_copies(&mut harness)
            .is_some_and(|text| text.contains("Data directory: /home/ada/.groestlcoin/regtest"))
    );
}

#[test]
fn a_command_is_completed_run_and_found_in_the_history() {
    let (session, mut harness) = open(Key::T);
    assert_eq!(focused(&harness), Some((Role::TextInput, Text::ConsolePrompt.s().to_owned())));
    type_in(&mut harness, "getblockc");
    let options = |harness: &Harness<'_, Window>| -> Vec<(String, bool)> {
        let all = harness.query_all_by_role(Role::ListBoxOption).map(|node| {
            let node = node.accesskit_node();
            (node.label().unwrap_or_default(), node.is_selected() == Some(true))
        });
        all.collect()
    };
    let listed = options(&harness);
    assert_eq!(listed, [("getblockchaininfo".to_owned(), false), ("getblockcount".to_owned(), false)]);
    press(&mut harness, Key::ArrowDown);
    press(&mut harness, Key::Tab);
    assert!(options(&harness).contains(&("getblockcount".to_owned(), true)));
    let input = |harness: &Harness<'_, Window>| harness.state().app.console.input.clone();
    assert_eq!(input(&harness), "getblockcount");
    press(&mut harness, Key::ArrowUp);
    assert_eq!(input(&harness), "getblockchaininfo");
    press(&mut harness, Key::ArrowDown);
    // The first Enter takes the completion, the second one runs it.
    press(&mut harness, Key::Enter);
    assert!(options(&harness).is_empty());
    let ran = |session: &FakeSession| {
        let commands = session.take_commands();
        commands.into_iter().filter(|c| matches!(c, Command::Console(..))).count()
    };
    assert_eq!(ran(&session), 0);
    press(&mut harness, Key::Enter);
    assert_eq!((ran(&session), input(&harness)), (1, String::new()));
    let log = harness.get_by_role_and_label(Role::Log, Text::ConsoleOutput.s());
    assert!(log.query_all_by_value("1234").count() >= 2);
    type_in(&mut harness, "nonsense 5");
    press(&mut harness, Key::Enter);
    assert!(reads(&harness, "Method not found"));
    press(&mut harness, Key::ArrowUp);
    assert_eq!(input(&harness), "nonsense 5");
    press(&mut harness, Key::ArrowUp);
    assert_eq!(input(&harness), "getblockcount");
    press(&mut harness, Key::ArrowDown);
    press(&mut harness, Key::ArrowDown);
    assert_eq!(input(&harness), "");
    assert_eq!(focused(&harness).map(|(role, _)| role), Some(Role::TextInput));
}

#[test]
fn escape_closes_the_completions_before_the_window() {
    let (_, mut harness) = open(Key::T);
    type_in(&mut harness, "getb");
    assert!(harness.query_all_by_role(Role::ListBoxOption).count() > 0);
    press(&mut harness, Key::Escape);
    assert_eq!(harness.query_all_by_role(Role::ListBoxOption).count(), 0);
    assert!(harness.state().app.node_window_open);
    assert_eq!(focused(&harness).map(|(role, _)| role), Some(Role::TextInput));
    press(&mut harness, Key::Escape);
    assert!(!harness.state().app.node_window_open);
}

#[test]
fn secrets_are_gone_from_the_prompt() {
    let (_, mut harness) = open(Key::T);
    type_in(&mut harness, "walletpassphrase \"hunter2\" 60");
    press(&mut harness, Key::Enter);
    assert!(!reads(&harness, "hunter2"));
    press(&mut harness, Key::ArrowUp);
    assert_eq!(harness.state().app.console.input, "walletpassphrase(…)");
    press_with(&mut harness, Modifiers::COMMAND, Key::Z);
    assert!(!harness.state().app.console.input.contains("hunter2"));
}

#[test]
fn the_console_is_cleared_and_its_font_changes_by_keys() {
    let (session, mut harness) = open(Key::T);
    let size = harness.state().app.settings.console_font;
    let zoom = harness.ctx.zoom_factor();
    press_with(&mut harness, Modifiers::COMMAND, Key::Plus);
    press_with(&mut harness, Modifiers::COMMAND, Key::Plus);
    press_with(&mut harness, Modifiers::COMMAND, Key::Minus);
    assert_eq!(harness.state().app.settings.console_font, size + 1);
    assert_eq!(harness.ctx.zoom_factor(), zoom, "the window keeps its size");
    tab_to(&mut harness, Text::ConsoleSmaller.s());
    press(&mut harness, Key::Enter);
    assert_eq!(harness.state().app.settings.console_font, size);
    press_with(&mut harness, Modifiers::COMMAND, Key::L);
    assert!(session.take_commands().iter().any(|c| matches!(c, Command::ClearConsole)));
    assert!(harness.state().app.view.console.is_empty());
    tab_to_role(&mut harness, Role::ComboBox, Text::ConsoleWallet.s());
    press(&mut harness, Key::Enter);
    harness.get_by_role_and_label(Role::Button, "Savings").click();
    harness.run();
    assert_eq!(harness.state().app.console.wallet.as_deref(), Some("Savings"));
}

#[test]
fn a_long_answer_is_drawn_in_parts_only() {
    let (session, mut harness) = open(Key::T);
    let text: String = (0..20_000).map(|n| format!("line {n}\n")).collect();
    session.change(|view| {
        let mut lines = view.console.as_ref().clone();
        lines.push(grs_gui_core::console::ConsoleLine {
            time: 0,
            kind: grs_gui_core::console::LineKind::Answer,
            text,
        });
        view.console = Arc::new(lines);
    });
    harness.run();
    assert!(reads(&harness, "line 19999"), "the end is in sight");
    assert!(!reads(&harness, "line 10000\n"), "what is not in sight is not laid out");
    session.change(|view| view.console_busy = true);
    harness.run();
    assert!(reads(&harness, Text::ConsoleBusy.s()));
}

#[test]
fn the_plot_says_its_figures() {
    let (session, mut harness) = open(Key::N);
    let plot = harness.get_by_role_and_label(Role::Image, "Network traffic, last 30 m");
    assert!(plot.accesskit_node().description().is_some_and(|text| text.contains("kB/s")));
    tab_to(&mut harness, Text::TrafficSpan.s());
    press(&mut harness, Key::ArrowRight);
    let minutes = harness.state().app.settings.traffic_minutes;
    assert_eq!(minutes, 35);
    assert!(harness.query_by_role_and_label(Role::Image, "Network traffic, last 35 m").is_some());
    tab_to(&mut harness, Text::TrafficReset.s());
    press(&mut harness, Key::Enter);
    assert!(session.take_commands().iter().any(|c| matches!(c, Command::ResetTraffic)));
    assert_eq!(harness.state().app.view.traffic.totals(), (0, 0));
    let plot = harness.get_by_role_and_label(Role::Image, "Network traffic, last 35 m");
    assert_eq!(plot.accesskit_node().description().as_deref(), Some(Text::TrafficNone.s()));
}

#[test]
fn peers_are_looked_at_disconnected_banned_and_unbanned() {
    let (session, mut harness) = open(Key::P);
    let (peers, bans) = (Text::ListPeers.s(), Text::ListBans.s());
    assert!(rows(&harness, peers).len() > 3);
    assert_eq!(rows(&harness, bans).len(), 1);
    tab_to_role(&mut harness, Role::RowGroup, peers);
    press(&mut harness, Key::ArrowDown);
    press(&mut harness, Key::ArrowDown);
    assert_eq!(harness.state().app.node_window.selected, Some(1));
    let region = harness.get_by_role_and_label(Role::Region, "Peer 1");
    assert!(holds(&region, "/Groestlcoin:29.0.0/"));
    tab_to(&mut harness, Text::PeerDisconnect.s());
    press(&mut harness, Key::Enter);
    assert!(rows(&harness, peers).iter().all(|row| row[0] != "1"));
    assert!(harness.query_by_role_and_label(Role::Region, "Peer 1").is_none());
    // By the menu of the row.
    harness.get_by_role_and_label(Role::RowGroup, peers).focus();
    harness.run();
    press(&mut harness, Key::Home);
    press_with(&mut harness, Modifiers::SHIFT, Key::F10);
    harness.get_by_role_and_label(Role::MenuItem, Text::BanWeek.s()).focus();
    harness.run();
    press(&mut harness, Key::Enter);
    let banned = session.take_commands().into_iter().find_map(|c| match c {
        Command::BanPeer(_, peer, seconds) => Some((peer, seconds)),
        _ => None,
    });
    assert_eq!(banned, Some((0, 604_800)));
    assert_eq!(rows(&harness, bans).len(), 2);
    tab_to(&mut harness, bans);
    press(&mut harness, Key::End);
    tab_to(&mut harness, Text::BanRemove.s());
    press(&mut harness, Key::Enter);
    let left = rows(&harness, bans);
    assert_eq!(left.len(), 1);
    assert_eq!(left[0][0], "192.0.2.0/24");
    // Peers are sorted by a heading.
    let heading = harness.query_all_by_role_and_label(Role::ColumnHeader, Text::PeerPing.s()).next().unwrap();
    heading.focus();
    harness.run();
    press(&mut harness, Key::Enter);
    press(&mut harness, Key::Enter);
    assert_eq!(rows(&harness, peers)[0][0], "11");
    // Without the tab nobody watches.
    press_with(&mut harness, Modifiers::COMMAND, Key::I);
    assert!(session.take_commands().iter().any(|c| matches!(c, Command::WatchPeers(false))));
}
