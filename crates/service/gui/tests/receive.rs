//! Overview and receive: by keyboard alone, hidden values, mistakes, files.

mod kit;

use egui::accesskit::Role;
use egui::{Key, Modifiers, OutputCommand};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable;
use grs_gui::Window;
use grs_gui_core::pages::transactions::row_text;
use grs_gui_core::{Backend, Command, FakeSession, Page, Text};
use kit::{copied, focused, press, press_with, reads, rows, tab_to, type_in, window};

type Picture = Harness<'static, Window>;

fn page(transactions: u32) -> (std::sync::Arc<FakeSession>, Picture) {
    let (session, mut picture) = window(transactions);
    picture.run();
    press_with(&mut picture, Modifiers::ALT, Key::Num3);
    (session, picture)
}

fn fill(picture: &mut Picture, name: Text, text: &str) {
    tab_to(picture, name.s());
    press_with(picture, Modifiers::COMMAND, Key::A);
    type_in(picture, text);
}

fn newest(session: &FakeSession) -> grs_interfaces::gui::ReceiveRequest {
    session.view().wallet.as_ref().expect("there is one").requests[0].clone()
}

/// Commands of the frame that a key leads to.
fn output(picture: &mut Picture, key: Key) -> Vec<OutputCommand> {
    picture.key_down(key);
    picture.step();
    let out = picture.output().platform_output.commands.clone();
    picture.key_up(key);
    picture.run();
    out
}

#[test]
fn a_request_is_made_and_copied_by_keyboard_alone() {
    let (session, mut picture) = page(5);
    fill(&mut picture, Text::ReceiveLabel, "Rent");
    fill(&mut picture, Text::ReceiveAmount, "1,5");
    fill(&mut picture, Text::ReceiveMessage, "November");
    tab_to(&mut picture, Text::ReceiveCreate.s());
    press(&mut picture, Key::Enter);
    picture.run();
    let request = newest(&session);
    assert_eq!((request.amount, request.label.as_str()), (150_000_000, "Rent"));
    assert!(reads(&picture, &request.address) && reads(&picture, "1.50000000 GRS"));
    assert!(picture.query_by_role_and_label(Role::Image, Text::ReceiveQr.s()).is_some());
    let history = rows(&picture, Text::ReceiveHistory.s());
    assert!(history.iter().any(|row| row.iter().any(|cell| cell == "November")), "{history:?}");
    // The keyboard is at the button that copies the address.
    assert_eq!(focused(&picture), Some((Role::Button, Text::ReceiveCopyAddress.s().to_owned())));
    let commands = output(&mut picture, Key::Enter);
    assert!(commands.contains(&OutputCommand::CopyText(request.address.clone())), "{commands:?}");
    tab_to(&mut picture, Text::ReceiveCopyUri.s());
    let uri = grs_gui_core::pages::receive::uri(&request);
    assert!(output(&mut picture, Key::Enter).contains(&OutputCommand::CopyText(uri)));
    tab_to(&mut picture, Text::ReceiveCopyImage.s());
    let image =
        |command: &OutputCommand| matches!(command, OutputCommand::CopyImage(image) if image.size[0] > 200);
    assert!(output(&mut picture, Key::Enter).iter().any(image));
    assert_eq!(picture.state().app.receive.label.text, "", "the form is ready for the next one");
}

#[test]
fn mistakes_stand_beside_their_fields_and_no_address_is_made() {
    let (session, mut picture) = page(5);
    for (field, text, problem) in [
        (Text::ReceiveAmount, "x", Text::AmountNotANumber.s()),
        (Text::ReceiveAmount, "0", Text::AmountZero.s()),
        (Text::ReceiveLabel, &"x".repeat(1001) as &str, "Too long"),
    ] {
        // Columns of the table have the same names.
        picture.get_by_role_and_label(Role::TextInput, field.s()).focus();
        picture.run();
        fill(&mut picture, field, text);
        tab_to(&mut picture, Text::ReceiveCreate.s());
        session.take_commands();
        press(&mut picture, Key::Enter);
        assert!(reads(&picture, problem), "{problem}");
        assert!(!session.take_commands().iter().any(|command| matches!(command, Command::NewRequest(..))));
    }
    session.lose_wallet("Gone.");
    picture.run();
    assert!(reads(&picture, Text::WalletNotConnected.s()));
}

#[test]
fn a_picture_of_the_code_is_saved_and_never_over_another_file() {
    let (_, mut picture) = page(5);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("code.png");
    let request = picture.state().app.receive.history(&picture.state().app.view)[0].clone();
    picture.state_mut().app.receive.shown = Some(request);
    picture.run();
    for text in
        [Text::ReceiveSaved.with(&[("file", &file.display())]), Text::ReceiveFileExists.s().to_owned()]
    {
        tab_to(&mut picture, Text::ReceiveSaveImage.s());
        press(&mut picture, Key::Enter);
        fill(&mut picture, Text::ReceiveFile, &file.display().to_string());
        tab_to(&mut picture, Text::ActionSave.s());
        press(&mut picture, Key::Enter);
        for _ in 0..500 {
            if reads(&picture, &text) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
            picture.step();
        }
        assert!(reads(&picture, &text), "{text}");
    }
    assert!(std::fs::read(&file).unwrap().starts_with(b"\x89PNG"));
    fill(&mut picture, Text::ReceiveFile, " ");
    tab_to(&mut picture, Text::ActionSave.s());
    press(&mut picture, Key::Enter);
    assert!(reads(&picture, Text::ReceiveFileEmpty.s()));
}

#[test]
fn requests_are_sorted_shown_and_removed() {
    let (session, mut picture) = page(5);
    let first = |picture: &Picture| rows(picture, Text::ReceiveHistory.s())[0].clone();
    assert!(first(&picture)[0].starts_with("2026-11-21"));
    picture.get_by_role_and_label(Role::ColumnHeader, Text::ReceiveAmount.s()).click();
    picture.run();
    assert_eq!(first(&picture)[3], Text::ReceiveAny.s(), "the smallest is first");
    tab_to(&mut picture, Text::ReceiveHistory.s());
    press(&mut picture, Key::Home);
    picture.run();
    picture.get_by_role_and_label(Role::Button, Text::ReceiveShow.s()).click();
    picture.run();
    let shown = picture.state().app.receive.shown.clone().expect("it is shown");
    assert_eq!(shown.amount, 0);
    let count = session.view().wallet.as_ref().unwrap().requests.len();
    picture.get_by_role_and_label(Role::Button, Text::ReceiveRemove.s()).click();
    picture.run();
    assert_eq!(session.view().wallet.as_ref().unwrap().requests.len(), count - 1);
    assert_eq!(picture.state().app.receive.shown, None);
    assert!(copied(&picture).is_none());
}

#[test]
fn the_overview_shows_balances_and_leads_to_a_transaction() {
    let (session, mut picture) = window(20);
    picture.run();
    for text in
        ["12\u{2009}345.67890123 GRS", "1.50000000 GRS", "25.00000000 GRS", "12\u{2009}372.17890123 GRS"]
    {
        assert!(reads(&picture, text), "{text}");
    }
    let row = session.view().wallet.as_ref().unwrap().snapshot.recent[2].clone();
    let name = row_text(&row, picture.state().app.settings.unit);
    tab_to(&mut picture, &name);
    press(&mut picture, Key::Enter);
    picture.run();
    let app = &picture.state().app;
    assert_eq!((app.page, app.transactions.selected), (Page::Transactions, Some((row.txid, row.index))));
}

#[test]
fn hidden_values_are_nowhere_to_be_read() {
    let (_, mut picture) = window(20);
    picture.run();
    press_with(&mut picture, Modifiers::COMMAND | Modifiers::SHIFT, Key::M);
    assert!(reads(&picture, "##\u{2009}###.######## GRS"));
    for page in [Page::Overview, Page::Send, Page::Transactions] {
        picture.state_mut().app.page = page;
        picture.run();
        assert!(!reads(&picture, "345.67890123") && !reads(&picture, "+40.48"), "{page:?}");
    }
    assert!(reads(&picture, Text::OverviewMasked.s()));
    tab_to(&mut picture, Text::OverviewUnmask.s());
    press(&mut picture, Key::Enter);
    assert!(!picture.state().app.settings.mask_values);
}

#[test]
fn an_old_chain_is_marked_beside_the_balances() {
    let (session, mut picture) = window(20);
    session.change(|view| {
        let node = std::sync::Arc::make_mut(view.node.as_mut().unwrap());
        (node.sync.headers, node.sync.tip_time) = (9999, 0);
    });
    picture.run();
    press(&mut picture, Key::Escape);
    assert!(picture.query_by_label(Text::SyncTitle.s()).is_none(), "Escape closes the overlay");
    let signs: Vec<_> = picture.get_all_by_label(Text::OverviewOutOfDate.s()).collect();
    assert_eq!(signs.len(), 2);
    signs[0].click();
    drop(signs);
    picture.run();
    assert!(picture.query_by_label(Text::SyncTitle.s()).is_some());
}
