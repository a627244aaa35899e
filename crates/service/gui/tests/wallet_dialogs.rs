//! Wallet dialogs and the overlay, by role and name and with the keyboard only.

mod kit;

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use grs_gui::Window;
use grs_gui_core::{Command, FakeSession, Reply, Text};
use grs_interfaces::gui::NewWallet;
use kit::{focused, holds, press, press_with, reads, tab_to, type_in, window};

fn create() -> (Arc<FakeSession>, Harness<'static, Window>) {
    let (session, mut harness) = window(10);
    harness.run();
    let app = &mut harness.state_mut().app;
    app.wallet_menu.start_create(app.backend.as_ref());
    harness.run();
    (session, harness)
}

fn created(session: &FakeSession) -> Option<NewWallet> {
    session.take_commands().into_iter().find_map(|c| match c {
        Command::CreateWallet(_, wallet) => Some(wallet),
        _ => None,
    })
}

#[test]
fn a_wallet_is_created_with_a_passphrase() {
    let (session, mut harness) = create();
    assert_eq!(focused(&harness), Some((Role::TextInput, Text::WalletName.s().to_owned())));
    type_in(&mut harness, "Household");
    assert!(reads(&harness, Text::WalletNameTaken.s()), "the mistake stands there while it is typed");
    press_with(&mut harness, Modifiers::COMMAND, Key::A);
    type_in(&mut harness, "Holidays");
    tab_to(&mut harness, Text::WalletEncrypt.s());
    press(&mut harness, Key::Space);
    tab_to(&mut harness, Text::WalletPassphrase.s());
    assert_eq!(focused(&harness).map(|(role, _)| role), Some(Role::PasswordInput));
    type_in(&mut harness, "correct horse");
    tab_to(&mut harness, Text::WalletRepeat.s());
    type_in(&mut harness, "correct");
    press(&mut harness, Key::Enter);
    assert!(reads(&harness, Text::PassphraseDiffers.s()));
    assert!(created(&session).is_none());
    tab_to(&mut harness, Text::WalletRepeat.s());
    press_with(&mut harness, Modifiers::COMMAND, Key::End);
    type_in(&mut harness, " horse");
    assert!(!reads(&harness, "correct horse"), "nobody can read it");
    press(&mut harness, Key::Enter);
    let wallet = created(&session).expect("Enter creates it");
    assert_eq!(
        (wallet.name.as_str(), wallet.passphrase.as_bytes()),
        ("Holidays", "correct horse".as_bytes())
    );
    assert!(!wallet.blank && !wallet.disable_private_keys);
    harness.run();
    assert_eq!(harness.state().app.view.wallet_name(), Some("Holidays"));
    assert!(harness.query_by_role(Role::Dialog).is_none());
}

#[test]
fn a_passphrase_can_be_shown_and_is_not_kept_for_undo() {
    let (_, mut harness) = create();
    tab_to(&mut harness, Text::WalletEncrypt.s());
    press(&mut harness, Key::Space);
    tab_to(&mut harness, Text::WalletPassphrase.s());
    type_in(&mut harness, "hunter2");
    let id = harness.ctx.memory(|memory| memory.focused()).unwrap();
    let state = egui::text_edit::TextEditState::load(&harness.ctx, id).expect("the field has a state");
    assert!(!format!("{:?}", state.undoer()).contains("hunter2"));
    assert!(state.undoer().undo(&(Default::default(), "hunter2x".to_owned())).is_none());
    tab_to(&mut harness, Text::WalletShowPassphrase.s());
    press(&mut harness, Key::Space);
    let field = harness.get_by_role_and_label(Role::TextInput, Text::WalletPassphrase.s());
    assert_eq!(field.value().as_deref(), Some("hunter2"));
    press(&mut harness, Key::Space);
    harness.get_by_role_and_label(Role::PasswordInput, Text::WalletPassphrase.s());
    press(&mut harness, Key::Escape);
    assert!(harness.state().app.wallet_menu.create.is_none());
}

#[test]
fn options_that_exclude_one_another_go_off() {
    let (session, mut harness) = create();
    type_in(&mut harness, "Watcher");
    tab_to(&mut harness, Text::WalletEncrypt.s());
    press(&mut harness, Key::Space);
    tab_to(&mut harness, Text::WalletBlank.s());
    press(&mut harness, Key::Space);
    tab_to(&mut harness, Text::WalletWatch.s());
    press(&mut harness, Key::Space);
    assert!(harness.query_by_role(Role::PasswordInput).is_none());
    tab_to(&mut harness, Text::WalletCreate.s());
    press(&mut harness, Key::Enter);
    let wallet = created(&session).expect("it is created");
    assert!(wallet.disable_private_keys && !wallet.blank && wallet.passphrase.as_bytes().is_empty());
}

#[test]
fn progress_and_problems_are_told() {
    let (session, mut harness) = create();
    type_in(&mut harness, "Holidays");
    // The answer is taken away again, as if it were still to come.
    press(&mut harness, Key::Enter);
    harness.run();
    let app = &mut harness.state_mut().app;
    app.wallet_menu.open("Old wallet", app.backend.as_ref());
    session.change(|view| view.replies = Default::default());
    harness.run();
    harness.get_by_role_and_label(Role::Status, Text::WalletOpening.s());
    let id = session.take_commands().into_iter().find_map(|c| match c {
        Command::OpenWallet(id, _) => Some(id),
        _ => None,
    });
    session.change(|view| {
        let reply = Reply::Failed("The file is damaged.".to_owned());
        view.replies = Arc::new([(id.unwrap(), reply)].into());
    });
    harness.run();
    let dialog = harness.get_by_role_and_label(Role::AlertDialog, Text::WalletMessageTitle.s());
    assert!(holds(&dialog, "The file is damaged."));
    press(&mut harness, Key::Enter);
    assert!(harness.query_by_role(Role::AlertDialog).is_none());
}

#[test]
fn closing_a_wallet_is_asked_about() {
    let (session, mut harness) = window(10);
    harness.run();
    let closed = |session: &FakeSession| {
        session
            .take_commands()
            .into_iter()
            .any(|c| matches!(c, Command::CloseWallet(_, name) if name == "Household"))
    };
    for (key, done) in [(Key::Escape, false), (Key::Enter, true)] {
        let app = &mut harness.state_mut().app;
        app.wallet_menu.start_close(&app.view.clone());
        harness.run();
        let dialog = harness.get_by_role_and_label(Role::AlertDialog, Text::WalletCloseTitle.s());
        assert!(holds(&dialog, "Household"));
        press(&mut harness, key);
        assert!(harness.query_by_role(Role::AlertDialog).is_none());
        assert_eq!(closed(&session), done);
    }
    harness.run();
    assert_eq!(harness.state().app.view.wallet_name(), Some("Savings"));
}

#[test]
fn the_overlay_tells_how_far_it_is_and_goes_with_escape() {
    let (session, mut harness) = window(10);
    session.change(|view| {
        let node = Arc::make_mut(view.node.as_mut().unwrap());
        (node.sync.blocks, node.sync.headers, node.sync.progress) = (1000, 5_001_000, 0.4321);
        node.sync.tip_time -= 86_400;
        (view.sync_rate.per_hour, view.sync_rate.seconds_left) = (Some(0.05), Some(7200));
    });
    harness.run();
    harness.get_by_role_and_label(Role::Heading, Text::SyncTitle.s());
    for (name, value) in [
        (Text::SyncBlocksLeft, "5\u{2009}000\u{2009}000"),
        (Text::SyncProgress, "43.21 %"),
        (Text::SyncPerHour, "5.00 %"),
        (Text::SyncTimeLeft, "2 hours"),
    ] {
        let found = harness.query_all_by(|node| {
            node.value().as_deref() == Some(value)
                && node.labelled_by().any(|label| label.value().as_deref() == Some(name.s()))
        });
        assert!(found.count() > 0, "{name:?}");
    }
    let bar = harness.get_by_role_and_label(Role::ProgressIndicator, Text::SyncTitle.s());
    assert!(bar.accesskit_node().numeric_value().is_some());
    press(&mut harness, Key::Escape);
    assert!(!reads(&harness, Text::SyncTitle.s()));
    let app = &mut harness.state_mut().app;
    app.overlay.toggle(&app.view.clone(), grs_gui_core::fake::NOW);
    harness.run();
    tab_to(&mut harness, Text::OverlayHide.s());
    press(&mut harness, Key::Space);
    assert!(!reads(&harness, Text::SyncTitle.s()));
}
