//! Menus, tabs, status line, dialogs and messages, by keyboard and by name.

mod kit;

use std::sync::Arc;
use std::time::Duration;

use egui::accesskit::Role;
use egui::{Key, Modifiers, ViewportCommand, ViewportEvent, ViewportId};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use grs_gui::Window;
use grs_gui_core::amount::Unit;
use grs_gui_core::pages::node_window::NodeTab;
use grs_gui_core::process::Ownership;
use grs_gui_core::{Command, FakeSession, Link, Page, Settings, Text, Theme, WalletLink};
use kit::{focused, press, press_with, reads, tab_to, window};

type Picture = Harness<'static, Window>;

fn click(picture: &mut Picture, text: Text) {
    picture.get_by_role_and_label(Role::Button, text.s()).click();
    picture.run();
}

fn commands(picture: &Picture) -> Vec<ViewportCommand> {
    picture.output().viewport_output[&ViewportId::ROOT].commands.clone()
}

/// Presses a key and gathers what the window asks of the window system.
fn press_gathering(picture: &mut Picture, key: Key) -> Vec<ViewportCommand> {
    picture.key_down(key);
    let mut out = Vec::new();
    for _ in 0..4 {
        picture.step();
        out.extend(commands(picture));
    }
    picture.key_up(key);
    picture.run();
    out
}

fn quits(session: &FakeSession) -> usize {
    session.take_commands().iter().filter(|command| matches!(command, Command::Quit)).count()
}

#[test]
fn tabs_are_chosen_by_name_and_by_key() {
    let (_, mut picture) = window(50);
    picture.run();
    let tab = |picture: &Picture, text: Text| {
        let node = picture.get_by_role_and_label(Role::Tab, text.s());
        let node = node.accesskit_node();
        node.is_selected() == Some(true)
    };
    assert!(tab(&picture, Text::PageOverview) && !tab(&picture, Text::PageSend));
    for (key, page, name) in [
        (Key::Num2, Page::Send, Text::PageSend),
        (Key::Num3, Page::Receive, Text::PageReceive),
        (Key::Num4, Page::Transactions, Text::PageTransactions),
        (Key::Num1, Page::Overview, Text::PageOverview),
    ] {
        press_with(&mut picture, Modifiers::ALT, key);
        assert_eq!(picture.state().app.page, page);
        assert!(tab(&picture, name), "{name:?}");
    }
    picture.get_by_role_and_label(Role::Tab, Text::PageReceive.s()).click();
    picture.run();
    assert_eq!(picture.state().app.page, Page::Receive);
}

#[test]
fn nothing_moves_while_nothing_happens() {
    let (_, mut picture) = window(50);
    for page in Page::ALL {
        picture.state_mut().app.page = page;
        picture.run();
        picture.run_steps(3);
        let delay = picture.output().viewport_output[&ViewportId::ROOT].repaint_delay;
        assert!(delay >= Duration::from_secs(1), "{page:?} wants to be drawn again in {delay:?}");
    }
}

#[test]
fn the_menu_says_what_leaving_does_and_leaves_by_keyboard() {
    let (session, mut picture) = window(5);
    for (ownership, text) in [(Ownership::Started, Text::QuitStops), (Ownership::Joined, Text::QuitDetaches)]
    {
        session.change(|view| view.ownership = ownership);
        click(&mut picture, Text::MenuFile);
        assert!(reads(&picture, text.s()), "{ownership:?}");
        press(&mut picture, Key::Escape);
    }
    picture.run();
    tab_to(&mut picture, Text::MenuFile.s());
    press(&mut picture, Key::Enter);
    tab_to(&mut picture, Text::MenuExit.s());
    session.take_commands();
    let asked = press_gathering(&mut picture, Key::Enter);
    assert_eq!(quits(&session), 1);
    assert!(asked.contains(&ViewportCommand::Close), "the pretended node is gone at once");
}

#[test]
fn closing_waits_for_the_node_and_can_be_cut_short() {
    let (session, mut picture) = window(5);
    picture.run();
    session.change(|view| (view.ownership, view.link) = (Ownership::Started, Link::Stopping));
    picture.run();
    assert!(reads(&picture, Text::QuitStops.s()));
    assert_eq!(focused(&picture), Some((Role::Button, Text::QuitNow.s().to_owned())));
    session.take_commands();
    let asked = press_gathering(&mut picture, Key::Enter);
    assert_eq!(quits(&session), 1);
    assert!(asked.contains(&ViewportCommand::Close));
}

#[test]
fn the_close_button_of_the_window_leaves_in_good_order() {
    let (session, mut picture) = window(5);
    picture.run();
    let close = |picture: &mut Picture| {
        let viewport = picture.input_mut().viewports.entry(ViewportId::ROOT).or_default();
        viewport.events.push(ViewportEvent::Close);
        picture.step();
    };
    close(&mut picture);
    assert!(commands(&picture).contains(&ViewportCommand::CancelClose));
    assert_eq!(quits(&session), 1);
    // Where nothing can be waited for, it goes at once.
    let (session, mut picture) = window(5);
    session.change(|view| view.link = Link::Failed("No".into()));
    picture.run();
    close(&mut picture);
    assert!(!commands(&picture).contains(&ViewportCommand::CancelClose));
    assert_eq!(quits(&session), 0);
}

#[test]
fn ctrl_q_asks_the_session_once() {
    let (session, mut picture) = window(5);
    picture.run();
    press_with(&mut picture, Modifiers::COMMAND, Key::Q);
    press_with(&mut picture, Modifiers::COMMAND, Key::Q);
    assert_eq!(quits(&session), 1);
}

#[test]
fn theme_zoom_unit_and_masks_from_the_menus() {
    let (_, mut picture) = window(5);
    click(&mut picture, Text::MenuView);
    click(&mut picture, Text::MenuTheme);
    picture.get_by_role_and_label(Role::RadioButton, Text::ThemeDark.s()).click();
    picture.run();
    assert_eq!(picture.state().app.settings.theme, Theme::Dark);
    assert!(picture.ctx.global_style().visuals.dark_mode);
    press(&mut picture, Key::Escape);

    click(&mut picture, Text::MenuView);
    picture.get_by_role_and_label(Role::Button, Text::MenuZoomIn.s()).click();
    picture.run();
    assert_eq!(picture.state().app.settings.zoom, 110);
    assert_eq!((picture.ctx.zoom_factor() * 100.0).round(), 110.0);
    picture.state_mut().app.settings.zoom = 100;
    picture.run();
    assert_eq!(picture.ctx.zoom_factor(), 1.0);

    press(&mut picture, Key::Escape);
    picture.get_by_role_and_label(Role::Button, Unit::Grs.short_name()).click();
    picture.run();
    picture.get_by_role_and_label(Role::RadioButton, Unit::Gro.long_name()).click();
    picture.run();
    assert_eq!(picture.state().app.settings.unit, Unit::Gro);
    assert!(reads(&picture, "gro"));

    press_with(&mut picture, Modifiers::COMMAND | Modifiers::SHIFT, Key::M);
    assert!(picture.state().app.settings.mask_values);
    press_with(&mut picture, Modifiers::COMMAND | Modifiers::SHIFT, Key::M);
    assert!(!picture.state().app.settings.mask_values);
}

#[test]
fn another_wallet_is_chosen_by_keyboard() {
    let (session, mut picture) = window(5);
    picture.run();
    tab_to(&mut picture, Text::WalletChoice.s());
    press(&mut picture, Key::Enter);
    session.take_commands();
    tab_to(&mut picture, "Savings");
    press(&mut picture, Key::Enter);
    assert!(matches!(&session.take_commands()[..], [Command::SelectWallet(name), ..] if name == "Savings"));
    // With one wallet there is nothing to choose.
    session.change(|view| view.loaded = Arc::new(vec!["Savings".into()]));
    picture.run();
    assert!(picture.query_by_role_and_label(Role::ComboBox, Text::WalletChoice.s()).is_none());
}

#[test]
fn wallets_are_opened_and_closed_from_the_menu() {
    let (session, mut picture) = window(5);
    click(&mut picture, Text::MenuFile);
    picture.get_by_role_and_label(Role::Button, Text::MenuOpen.s()).click();
    picture.run();
    assert!(session.take_commands().iter().any(|command| matches!(command, Command::ListWallets)));
    // A wallet that is open already, or one of the old format, is not offered.
    assert!(picture.query_by_role_and_label(Role::Button, "Archive 2014").is_none());
    assert!(picture.query_by_role_and_label(Role::Button, "Household").is_none());
    picture.get_by_role_and_label(Role::Button, "Old wallet").click();
    picture.run();
    let opened = |command: &Command| matches!(command, Command::OpenWallet(_, name) if name == "Old wallet");
    assert!(session.take_commands().iter().any(opened));
    picture.run();
    click(&mut picture, Text::MenuFile);
    click(&mut picture, Text::MenuClose);
    assert_eq!(picture.state().app.wallet_menu.closing.as_deref(), Some("Old wallet"));
}

#[test]
fn a_lost_node_is_told_in_words_and_the_data_stay_marked() {
    let (session, mut picture) = window(20);
    picture.run();
    session.lose_node("It was ended by signal 9.");
    picture.run();
    let alerts: Vec<String> =
        picture.get_all_by_role(Role::Alert).filter_map(|node| node.accesskit_node().label()).collect();
    assert!(alerts.iter().any(|text| text.contains("signal 9") && text.contains("5 seconds")), "{alerts:?}");
    assert!(reads(&picture, Text::StaleNode.s()) && reads(&picture, Text::StatusLost.s()));
    assert!(reads(&picture, "12\u{2009}345.67890123 GRS"), "the balance is still there");
    session.take_commands();
    click(&mut picture, Text::RetryNow);
    assert!(session.take_commands().iter().any(|command| matches!(command, Command::RetryNow)));
    assert!(reads(&picture, &Text::NodeReconnecting.with(&[("attempt", &1)])));
    session.restore();
    picture.run();
    assert!(picture.query_by_role(Role::Alert).is_none() && !reads(&picture, Text::StaleNode.s()));
}

#[test]
fn a_lost_wallet_process_is_told_in_words() {
    let (session, mut picture) = window(20);
    picture.run();
    session.lose_wallet("It was ended by signal 11.");
    picture.run();
    assert!(reads(&picture, "signal 11") && reads(&picture, Text::StaleWallet.s()));
    session.restore();
    picture.run();
    assert!(!reads(&picture, "signal 11"));
}

#[test]
fn without_a_wallet_one_can_be_created() {
    let (session, mut picture) = window(5);
    session.change(|view| (view.wallet, view.loaded) = (None, Arc::default()));
    picture.run();
    assert!(picture.query_by_role_and_label(Role::Heading, Text::NoneLoadedTitle.s()).is_some());
    tab_to(&mut picture, Text::NoneLoadedButton.s());
    press(&mut picture, Key::Enter);
    assert!(picture.state().app.wallet_menu.create.is_some());
    picture.state_mut().app.wallet_menu.create = None;
    for (link, text) in [
        (WalletLink::Connecting, Text::NoneLoadedConnecting),
        (WalletLink::Disabled, Text::NoneLoadedDisabled),
    ] {
        session.change(|view| view.wallet_link = link);
        picture.run();
        assert!(picture.query_by_label(text.s()).is_some(), "{text:?}");
        assert!(picture.query_by_label(Text::NoneLoadedButton.s()).is_none());
    }
    click(&mut picture, Text::ShowNode);
    assert!(picture.state().app.node_window_open);
}

#[test]
fn about_opens_and_closes_by_keyboard() {
    let (_, mut picture) = window(5);
    picture.run();
    tab_to(&mut picture, Text::MenuHelp.s());
    press(&mut picture, Key::Enter);
    tab_to(&mut picture, Text::MenuAbout.s());
    press(&mut picture, Key::Enter);
    picture.run();
    assert!(picture.query_by_role_and_label(Role::Dialog, Text::AboutTitle.s()).is_some());
    assert!(reads(&picture, "v31.0.0") && reads(&picture, "MIT"));
    press(&mut picture, Key::Escape);
    assert!(!picture.state().app.about_open);
    // Keys of the window do nothing while a dialog is open.
    picture.state_mut().app.about_open = true;
    picture.run();
    press_with(&mut picture, Modifiers::ALT, Key::Num2);
    assert_eq!(picture.state().app.page, Page::Overview);
}

#[test]
fn errors_from_before_the_window_stand_in_a_dialog() {
    let (_, mut picture) = window(5);
    picture.state_mut().start_errors = vec!["The settings could not be read.".into()];
    picture.run();
    assert!(picture.query_by_role_and_label(Role::AlertDialog, Text::MessagesTitle.s()).is_some());
    assert!(reads(&picture, "The settings could not be read."));
    press(&mut picture, Key::Enter);
    assert!(picture.state().start_errors.is_empty());
    assert!(picture.query_by_role(Role::AlertDialog).is_none());
}

#[test]
fn uris_wait_until_the_node_answers() {
    let (session, mut picture) = window(5);
    let address = session.view_address();
    session.change(|view| view.link = Link::Connecting);
    picture.state_mut().uris =
        vec![format!("groestlcoin:{address}?amount=2.5&label=Ada"), "groestlcoin://x".into()];
    picture.run();
    assert_eq!(picture.state().app.page, Page::Overview);
    session.change(|view| view.link = Link::Running);
    picture.run();
    let app = &picture.state().app;
    assert_eq!(app.page, Page::Send);
    assert_eq!(app.send.recipients[0].amount.text, "2.5");
    assert!(reads(&picture, Text::UriSlashes.s()), "the one that is wrong is told");
}

#[test]
fn the_status_line_leads_to_peers_and_progress() {
    let (session, mut picture) = window(5);
    picture.run();
    click_named(&mut picture, "12 connections");
    assert!(picture.state().app.node_window_open);
    assert_eq!(picture.state().app.node_window.tab, NodeTab::Peers);
    picture.state_mut().app.node_window_open = false;
    session.change(|view| {
        if let Some(node) = &mut view.node {
            let sync = &mut Arc::make_mut(node).sync;
            (sync.headers, sync.tip_time) = (5000, 0);
        }
    });
    picture.state_mut().app.overlay.hide();
    picture.run();
    assert!(picture.query_by_label(Text::SyncTitle.s()).is_none());
    let line = grs_gui_core::pages::status::line(&picture.state().app.view, grs_gui_core::fake::NOW);
    click_named(&mut picture, &line);
    assert!(picture.query_by_label(Text::SyncTitle.s()).is_some());
}

fn click_named(picture: &mut Picture, name: &str) {
    picture.get_by_role_and_label(Role::Button, name).click();
    picture.run();
}

trait Address {
    fn view_address(&self) -> String;
}

impl Address for FakeSession {
    fn view_address(&self) -> String {
        use grs_gui_core::Backend;
        self.view().wallet.as_ref().expect("there is one").requests[0].address.clone()
    }
}

#[test]
fn settings_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let (store, settings, _) = grs_gui_core::SettingsStore::open(dir.path());
    let session = FakeSession::new(5);
    let app = grs_gui_core::App::new(session, settings);
    let mut picture = Harness::builder()
        .with_context_setup(egui_extras::install_image_loaders)
        .with_max_steps(40)
        .build_ui_state(|ui, window: &mut Window| window.ui(ui), Window::new(app, Some(store)));
    picture.run();
    picture.state_mut().app.settings.theme = Theme::Dark;
    picture.run();
    assert_eq!(grs_gui_core::SettingsStore::open(dir.path()).1.theme, Theme::Dark);
    let viewport = picture.input_mut().viewports.entry(ViewportId::ROOT).or_default();
    let rect = |x, y, w, h| egui::Rect::from_min_size(egui::pos2(x, y), egui::vec2(w, h));
    viewport.outer_rect = Some(rect(20.0, 30.0, 900.0, 640.0));
    viewport.inner_rect = Some(rect(20.0, 50.0, 900.0, 620.0));
    picture.run();
    picture.state_mut().save();
    let read = grs_gui_core::SettingsStore::open(dir.path()).1;
    assert_eq!(read.window, Some([20.0, 30.0, 900.0, 620.0]));
    assert_eq!(read.last_wallet("regtest"), None, "only a change of the wallet is noted");
    let _ = Settings::default();
}
