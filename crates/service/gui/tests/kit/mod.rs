//! What the tests of the window share: a window over a pretended session, and keys.

#![allow(dead_code, reason = "each test file uses its part")]

pub mod scenes;

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use egui_kittest::{Harness, HarnessBuilder, Node};
use grs_gui::Window;
use grs_gui_core::fake::NOW;
use grs_gui_core::{App, FakeSession, Settings};

/// A window of a size over a session.
pub fn window_of(
    session: &Arc<FakeSession>,
    settings: Settings,
    builder: HarnessBuilder<Window>,
) -> Harness<'static, Window> {
    let window = Window::new(App::new(session.clone(), settings), None).with_clock(|| NOW);
    let builder = builder.with_context_setup(egui_extras::install_image_loaders).with_max_steps(40);
    builder.build_ui_state(|ui, window: &mut Window| window.ui(ui), window)
}

/// A window over so many transactions.
pub fn window(transactions: u32) -> (Arc<FakeSession>, Harness<'static, Window>) {
    let session = FakeSession::new(transactions);
    let harness = window_of(&session, Settings::default(), Harness::builder().with_size([1100.0, 760.0]));
    (session, harness)
}

/// Presses a key and lets the window settle.
pub fn press(harness: &mut Harness<'_, Window>, key: Key) {
    press_with(harness, Modifiers::NONE, key);
}

/// Presses a key with others.
pub fn press_with(harness: &mut Harness<'_, Window>, modifiers: Modifiers, key: Key) {
    harness.key_press_modifiers(modifiers, key);
    harness.run();
}

/// Types into what has the keyboard.
pub fn type_in(harness: &mut Harness<'_, Window>, text: &str) {
    harness.event(egui::Event::Text(text.to_owned()));
    harness.run();
}

/// What has the keyboard: role and name.
pub fn focused(harness: &Harness<'_, Window>) -> Option<(Role, String)> {
    let node = harness.query_all_by(|node| node.is_focused()).next()?;
    let node = node.accesskit_node();
    Some((node.role(), node.label().or(node.value()).unwrap_or_default()))
}

/// Presses Tab until something of that name has the keyboard.
pub fn tab_to(harness: &mut Harness<'_, Window>, name: &str) {
    for _ in 0..60 {
        if focused(harness).is_some_and(|(_, focused)| focused == name) {
            return;
        }
        press(harness, Key::Tab);
    }
    panic!("Tab does not lead to {name}; it is at {:?}", focused(harness));
}

/// As [`tab_to`], to something of that role.
pub fn tab_to_role(harness: &mut Harness<'_, Window>, role: Role, name: &str) {
    for _ in 0..60 {
        if focused(harness).is_some_and(|focused| focused == (role, name.to_owned())) {
            return;
        }
        press(harness, Key::Tab);
    }
    panic!("Tab does not lead to {name}; it is at {:?}", focused(harness));
}

/// Presses Enter and takes what was copied by that.
pub fn enter_copies(harness: &mut Harness<'_, Window>) -> Option<String> {
    harness.key_down(Key::Enter);
    harness.step();
    let text = copied(harness);
    harness.key_up(Key::Enter);
    harness.run();
    text
}

/// Whether something with that text as its value is below a node.
pub fn holds(node: &Node<'_>, text: &str) -> bool {
    node.query_all_by(|node| node.value().is_some_and(|value| value.contains(text))).next().is_some()
}

/// The texts of the cells in sight, row by row.
pub fn rows(harness: &Harness<'_, Window>, table: &str) -> Vec<Vec<String>> {
    let table = harness.get_by_role_and_label(Role::Table, table);
    table.query_all_by_role(Role::Row).skip(1).map(|row| cells(&row)).collect()
}

fn cells(row: &Node<'_>) -> Vec<String> {
    row.query_all_by_role(Role::Cell).map(|cell| cell.accesskit_node().label().unwrap_or_default()).collect()
}

/// Whether a text can be read anywhere.
pub fn reads(harness: &Harness<'_, Window>, text: &str) -> bool {
    harness
        .query_all_by(|node| {
            node.label().is_some_and(|label| label.contains(text))
                || node.value().is_some_and(|value| value.contains(text))
        })
        .next()
        .is_some()
}

/// The last text that was copied in the last frame.
pub fn copied(harness: &Harness<'_, Window>) -> Option<String> {
    let commands = &harness.output().platform_output.commands;
    commands.iter().rev().find_map(|command| match command {
        egui::OutputCommand::CopyText(text) => Some(text.clone()),
        _ => None,
    })
}
