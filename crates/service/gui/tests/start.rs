//! What is shown before the pages: the splash, the question of the first run, errors. By role and name, with the keyboard.

mod kit;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use grs_gui::Window;
use grs_gui::views::first_run::{self, Answer};
use grs_gui::views::question;
use grs_gui_core::fake::NOW;
use grs_gui_core::pages::first_run::FirstRun;
use grs_gui_core::{App, Command, FakeSession, Link, Settings, Text};
use grs_params::Network;
use kit::{press, reads};

fn starting() -> (Arc<FakeSession>, Harness<'static, Window>) {
    let session = FakeSession::new(3);
    session.change(|view| {
        view.link = Link::Connecting;
        view.wallet = None;
        let mut node = view.node.as_deref().cloned().unwrap_or_default();
        node.init_message = "Loading block index…".to_owned();
        view.node = Some(Arc::new(node));
    });
    let window = Window::new(App::new(session.clone(), Settings::default()), None)
        .with_clock(|| NOW)
        .on_network(Network::Regtest)
        .with_splash();
    let harness = Harness::builder()
        .with_size([1000.0, 700.0])
        .with_context_setup(egui_extras::install_image_loaders)
        .build_ui_state(|ui, window: &mut Window| window.ui(ui), window);
    (session, harness)
}

#[test]
fn the_splash_gives_way_to_the_pages_and_stops_the_start_with_q() {
    let (session, mut harness) = starting();
    harness.run();
    assert!(reads(&harness, "Loading block index…") && reads(&harness, "regtest"));
    assert!(harness.query_by_role_and_label(Role::Tab, Text::PageSend.s()).is_none());
    session.restore();
    harness.run();
    assert!(harness.query_by_role_and_label(Role::Tab, Text::PageSend.s()).is_some());
    press(&mut harness, Key::Q);
    assert!(!session.take_commands().iter().any(|command| matches!(command, Command::Quit)));

    let (session, mut harness) = starting();
    harness.run();
    press(&mut harness, Key::Q);
    assert!(session.take_commands().iter().any(|command| matches!(command, Command::Quit)));
}

#[test]
fn an_error_is_read_and_answered_by_keyboard() {
    for (key, answer) in [(Key::Enter, 0), (Key::Escape, 1)] {
        let mut harness = Harness::new_ui_state(
            |ui, answer: &mut Option<usize>| {
                let pressed = question::show(ui, "Title", "The file is broken.", &["Go on", "Stop"]);
                *answer = answer.or(pressed);
            },
            None,
        );
        harness.run();
        assert!(harness.query_by_role_and_label(Role::Alert, "The file is broken.").is_some());
        assert!(harness.query_by_role_and_label(Role::Heading, "Title").is_some());
        harness.key_press_modifiers(Modifiers::NONE, key);
        harness.run();
        assert_eq!(*harness.state(), Some(answer), "{key:?}");
    }
}

struct Asked {
    page: FirstRun,
    answer: Option<Answer>,
}

fn first_run(usual: &Path) -> Harness<'static, Asked> {
    let page = FirstRun::new(Network::Main, usual.to_owned(), usual.to_owned(), None, Arc::new(|| {}));
    let asked = Asked { page: page.expect("a thread can be started"), answer: None };
    let mut harness = Harness::builder().with_size([720.0, 620.0]).build_ui_state(
        |ui, asked: &mut Asked| {
            let pressed = first_run::show(ui, &mut asked.page);
            asked.answer = asked.answer.or(pressed);
        },
        asked,
    );
    settle(&mut harness);
    harness
}

/// The directory is looked at on another thread.
fn settle(harness: &mut Harness<'_, Asked>) {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        harness.run();
        if harness.state().page.finding() != Some(Ok(Text::FirstRunChecking.s())) {
            harness.run();
            return;
        }
        assert!(Instant::now() < end, "the directory was never looked at");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_first_run_makes_the_directory_that_is_chosen() {
    let dir = tempfile::tempdir().expect("a place for files");
    let usual = dir.path().join("usual");
    let mut harness = first_run(&usual);
    assert!(harness.query_by_role_and_label(Role::Heading, Text::FirstRunTitle.s()).is_some());
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(harness.state().answer, Some(Answer::Accept));
    let choice = harness.state_mut().page.accept().expect("it can be made");
    assert_eq!(choice.data_dir, usual);
    assert!(usual.join("wallets").is_dir());
}

#[test]
fn mistakes_of_the_first_run_stand_on_the_page_and_escape_leaves() {
    let dir = tempfile::tempdir().expect("a place for files");
    let mut harness = first_run(&dir.path().join("usual"));
    harness.get_by_role_and_label(Role::RadioButton, Text::FirstRunCustom.s()).click();
    settle(&mut harness);
    let field = harness.state_mut();
    field.page.directory.text = "not/from/the/root".to_owned();
    settle(&mut harness);
    assert!(harness.query_by_role_and_label(Role::Alert, Text::FirstRunRelative.s()).is_some());
    let file = dir.path().join("file");
    std::fs::write(&file, "x").expect("written");
    harness.state_mut().page.directory.text = file.display().to_string();
    settle(&mut harness);
    assert!(harness.query_by_role_and_label(Role::Alert, Text::FirstRunNoDirectory.s()).is_some());
    harness.key_press(Key::Enter);
    harness.run();
    assert_eq!(harness.state().answer, None, "there is nothing to go on with");
    harness.key_press(Key::Escape);
    harness.run();
    assert_eq!(harness.state().answer, Some(Answer::Quit));
}
