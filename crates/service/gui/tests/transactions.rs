//! The list of transactions, by role and name and with the keyboard only.

mod kit;

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers};
use egui_kittest::kittest::{NodeT, Queryable};
use grs_gui_core::pages::transactions::{row_text, status_text};
use grs_gui_core::{Command, Page, Text};
use grs_interfaces::gui::TxKind;
use kit::{
    copied, enter_copies, focused, holds, press, press_with, reads, rows, tab_to, tab_to_role, type_in,
    window,
};

const LIST: &str = "Transactions";

fn open(
    transactions: u32,
) -> (std::sync::Arc<grs_gui_core::FakeSession>, egui_kittest::Harness<'static, grs_gui::Window>) {
    let (session, mut harness) = window(transactions);
    harness.run();
    press_with(&mut harness, Modifiers::ALT, Key::Num4);
    assert_eq!(harness.state().app.page, Page::Transactions);
    (session, harness)
}

#[test]
fn a_transaction_is_found_by_its_text_and_its_details_are_read() {
    let (_, mut harness) = open(1000);
    tab_to(&mut harness, Text::FilterSearch.s());
    let wanted = harness.state().app.view.wallet.as_ref().unwrap().transactions.row(700).unwrap().clone();
    type_in(&mut harness, &wanted.address);
    let shown = rows(&harness, LIST);
    assert_eq!(shown.len(), 1, "{shown:?}");
    assert_eq!(shown[0][0], status_text(wanted.status));
    assert!(reads(&harness, "1 of 1000 transactions"));
    tab_to_role(&mut harness, Role::RowGroup, LIST);
    press(&mut harness, Key::ArrowDown);
    let row = harness.get_by(|node| node.role() == Role::Row && node.is_selected() == Some(true));
    assert_eq!(row.accesskit_node().data().row_index(), Some(1));
    press(&mut harness, Key::Enter);
    let dialog = harness.get_by_role_and_label(Role::Dialog, Text::DetailsTitle.s());
    assert!(holds(&dialog, &wanted.txid.to_string()));
    // The value is tied to its name.
    harness.get_by(|node| {
        node.value().is_some_and(|value| value == wanted.txid.to_string())
            && node.labelled_by().any(|label| label.value().as_deref() == Some(Text::DetailId.s()))
    });
    assert_eq!(focused(&harness), Some((Role::Button, Text::ActionClose.s().to_owned())));
    tab_to(&mut harness, Text::ActionCopyDetails.s());
    assert!(enter_copies(&mut harness).is_some_and(|text| text.contains(&wanted.txid.to_string())));
    press(&mut harness, Key::Escape);
    assert!(harness.query_by_role_and_label(Role::Dialog, Text::DetailsTitle.s()).is_none());
    // The list has the keyboard again; what it says has it is the selected row.
    assert_eq!(focused(&harness).map(|(role, _)| role), Some(Role::Row));
}

#[test]
fn rows_are_walked_through_with_the_keyboard() {
    let (session, mut harness) = open(100_000);
    tab_to_role(&mut harness, Role::RowGroup, LIST);
    let selected = |harness: &egui_kittest::Harness<'_, grs_gui::Window>| {
        let row = harness.get_by(|node| node.role() == Role::Row && node.is_selected() == Some(true));
        row.accesskit_node().data().row_index().unwrap()
    };
    let table = harness.get_by_role_and_label(Role::Table, LIST);
    assert_eq!(table.accesskit_node().data().row_count(), Some(100_001));
    assert_eq!(table.accesskit_node().data().column_count(), Some(5));
    let drawn = rows(&harness, LIST).len();
    assert!((10..60).contains(&drawn), "only what is in sight is drawn: {drawn}");
    press(&mut harness, Key::End);
    assert_eq!(selected(&harness), 100_000);
    press(&mut harness, Key::PageUp);
    let page = 100_000 - selected(&harness);
    assert!((5..60).contains(&page), "{page}");
    press(&mut harness, Key::ArrowUp);
    assert_eq!(selected(&harness), 100_000 - page - 1);
    press(&mut harness, Key::Home);
    assert_eq!(selected(&harness), 1);
    press(&mut harness, Key::PageDown);
    assert_eq!(selected(&harness), 1 + page);
    // The table says which row is the active one.
    let body = harness.get_by_role_and_label(Role::RowGroup, LIST);
    let row = harness.get_by(|node| node.role() == Role::Row && node.is_selected() == Some(true));
    assert_eq!(body.accesskit_node().data().active_descendant(), Some(row.accesskit_node().locate().0));
    assert!(
        row.is_focused()
            && row
                .accesskit_node()
                .label()
                .is_some_and(|label| label.contains("GRS") || label.contains("2026-"))
    );
    let row =
        harness.state().app.view.wallet.as_ref().unwrap().transactions.row(page as u32).unwrap().clone();
    harness.event(Event::Copy);
    harness.step();
    assert_eq!(copied(&harness), Some(row_text(&row, harness.state().app.settings.unit)));
    let asked =
        session.take_commands().into_iter().filter(|c| matches!(c, Command::ShowTransactions(..))).count();
    assert_eq!(asked, 1, "the list is asked for once");
}

#[test]
fn columns_are_sorted_by_the_keyboard_and_say_so() {
    let (_, mut harness) = open(500);
    let amount = Text::ColumnAmount.with(&[("unit", &"GRS")]);
    tab_to(&mut harness, &amount);
    press(&mut harness, Key::Enter);
    let heading = harness.get_by_role_and_label(Role::ColumnHeader, &amount);
    let down = Some(egui::accesskit::SortDirection::Descending);
    assert_eq!(heading.accesskit_node().sort_direction(), down);
    let list = harness.state().app.view.wallet.as_ref().unwrap().transactions.clone();
    assert!((1..list.matching).all(|n| list.row(n - 1).unwrap().amount >= list.row(n).unwrap().amount));
    press(&mut harness, Key::Space);
    let list = harness.state().app.view.wallet.as_ref().unwrap().transactions.clone();
    assert!((1..list.matching).all(|n| list.row(n - 1).unwrap().amount <= list.row(n).unwrap().amount));
    for column in [Text::ColumnStatus, Text::ColumnDate, Text::ColumnType, Text::ColumnLabel] {
        harness.get_by_role_and_label(Role::ColumnHeader, column.s()).click();
        harness.run();
        let heading = harness.get_by_role_and_label(Role::ColumnHeader, column.s());
        assert!(heading.accesskit_node().sort_direction().is_some(), "{column:?}");
    }
}

#[test]
fn filters_work_together_and_their_mistakes_stand_beside_them() {
    let (_, mut harness) = open(1000);
    tab_to_role(&mut harness, Role::ComboBox, Text::FilterType.s());
    press(&mut harness, Key::Enter);
    harness.get_by_role_and_label(Role::Button, Text::TxMined.s()).click();
    harness.run();
    assert_eq!(harness.state().app.transactions.kind, Some(TxKind::Mined));
    assert!(rows(&harness, LIST).iter().all(|row| row[2] == Text::TxMined.s()));
    let least = Text::FilterLeast.with(&[("unit", &"GRS")]);
    tab_to(&mut harness, &least);
    type_in(&mut harness, "50x");
    assert!(harness.query_by_role(Role::Alert).is_some());
    press(&mut harness, Key::Backspace);
    assert!(harness.query_by_role(Role::Alert).is_none());
    let matching = harness.state().app.view.wallet.as_ref().unwrap().transactions.matching;
    assert!(matching > 0 && matching < 143, "{matching}");
    tab_to(&mut harness, Text::FilterClear.s());
    press(&mut harness, Key::Enter);
    assert!(!harness.state().app.transactions.is_filtered());
    harness.run();
    assert!(reads(&harness, "1000 of 1000 transactions"));
    // A range has fields for its days.
    tab_to_role(&mut harness, Role::ComboBox, Text::FilterDate.s());
    press(&mut harness, Key::Enter);
    harness.get_by_role_and_label(Role::Button, Text::DateRange.s()).click();
    harness.run();
    tab_to(&mut harness, Text::FilterFrom.s());
    type_in(&mut harness, "2026-11-20");
    tab_to(&mut harness, Text::FilterUntil.s());
    type_in(&mut harness, "2026-11-20");
    let shown = rows(&harness, LIST);
    assert!(!shown.is_empty() && shown.iter().all(|row| row[1].starts_with("2026-11-20")), "{shown:?}");
    tab_to(&mut harness, Text::FilterSearch.s());
    type_in(&mut harness, "no such thing");
    let body = harness.get_by_role_and_label(Role::RowGroup, LIST);
    assert_eq!(body.accesskit_node().description().as_deref(), Some(Text::ListNoMatch.s()));
}

#[test]
fn a_label_is_changed_from_the_menu_of_a_row() {
    let (session, mut harness) = open(50);
    tab_to_role(&mut harness, Role::RowGroup, LIST);
    press(&mut harness, Key::ArrowDown);
    press_with(&mut harness, Modifiers::SHIFT, Key::F10);
    assert_eq!(focused(&harness), Some((Role::MenuItem, Text::ActionDetails.s().to_owned())));
    for _ in 0..6 {
        press(&mut harness, Key::ArrowDown);
    }
    assert_eq!(focused(&harness).map(|(_, name)| name).as_deref(), Some(Text::ActionEditLabel.s()));
    press(&mut harness, Key::Enter);
    let row = harness.state().app.view.wallet.as_ref().unwrap().transactions.row(0).unwrap().clone();
    let field = Text::LabelField.with(&[("address", &row.address)]);
    assert_eq!(focused(&harness).map(|(_, name)| name), Some(field));
    press_with(&mut harness, Modifiers::COMMAND, Key::A);
    type_in(&mut harness, "Garden");
    press(&mut harness, Key::Enter);
    assert!(harness.query_by_role_and_label(Role::Dialog, Text::LabelTitle.s()).is_none());
    let sent = session.take_commands();
    assert!(sent.iter().any(
        |c| matches!(c, Command::SetLabel(_, address, label) if *address == row.address && label == "Garden")
    ));
    assert_eq!(rows(&harness, LIST)[0][3], "Garden");
}

#[test]
fn the_menu_of_a_row_copies() {
    let (_, mut harness) = open(50);
    let row = harness.state().app.view.wallet.as_ref().unwrap().transactions.row(2).unwrap().clone();
    tab_to_role(&mut harness, Role::RowGroup, LIST);
    for (name, text) in [
        (Text::ActionCopyAddress, row.address.clone()),
        (Text::ActionCopyLabel, row.label.clone()),
        (Text::ActionCopyAmount, grs_gui_core::amount::format_field(Default::default(), row.amount)),
        (Text::ActionCopyId, row.txid.to_string()),
    ] {
        if text.is_empty() {
            continue;
        }
        harness.get_by_role_and_label(Role::RowGroup, LIST).focus();
        harness.run();
        press(&mut harness, Key::Home);
        press(&mut harness, Key::ArrowDown);
        press(&mut harness, Key::ArrowDown);
        press_with(&mut harness, Modifiers::SHIFT, Key::F10);
        harness.get_by_role_and_label(Role::MenuItem, name.s()).focus();
        harness.run();
        let got = enter_copies(&mut harness).unwrap_or_default();
        let plain = |text: &str| text.trim_end_matches('0').replace('\u{2009}', "");
        assert_eq!(plain(&got), plain(&text), "{name:?}");
        harness.run();
    }
}

#[test]
fn the_filtered_rows_are_exported() {
    let (session, mut harness) = open(300);
    tab_to(&mut harness, Text::ExportAction.s());
    press(&mut harness, Key::Enter);
    assert_eq!(focused(&harness), Some((Role::TextInput, Text::ExportFile.s().to_owned())));
    press_with(&mut harness, Modifiers::COMMAND, Key::A);
    type_in(&mut harness, "list.csv");
    press(&mut harness, Key::Enter);
    assert!(reads(&harness, Text::ExportPathWrong.s()), "a name without folders is refused beside the field");
    tab_to(&mut harness, Text::ExportFile.s());
    press_with(&mut harness, Modifiers::COMMAND, Key::A);
    type_in(&mut harness, "/tmp/list.csv");
    tab_to(&mut harness, Text::ExportOverwrite.s());
    press(&mut harness, Key::Space);
    tab_to(&mut harness, Text::ExportWrite.s());
    press(&mut harness, Key::Enter);
    let exports: Vec<_> = session
        .take_commands()
        .into_iter()
        .filter_map(|c| match c {
            Command::ExportCsv(_, export) => Some((export.path, export.overwrite)),
            _ => None,
        })
        .collect();
    assert_eq!(exports, [("/tmp/list.csv".into(), true)]);
    assert!(reads(&harness, "300 rows written to /tmp/list.csv"));
    // Escape leaves the form.
    tab_to(&mut harness, Text::ExportAction.s());
    press(&mut harness, Key::Enter);
    press(&mut harness, Key::Escape);
    assert!(harness.query_by_role_and_label(Role::Dialog, Text::ExportTitle.s()).is_none());
}

#[test]
fn a_transaction_shown_from_elsewhere_is_in_sight() {
    let (_, mut harness) = open(5000);
    let row = harness.state().app.view.wallet.as_ref().unwrap().transactions.row(3000).unwrap().clone();
    harness.state_mut().app.show_transaction(row.txid, row.index);
    harness.run();
    press(&mut harness, Key::Escape);
    let shown = harness.get_by(|node| node.role() == Role::Row && node.is_selected() == Some(true));
    assert_eq!(shown.accesskit_node().data().row_index(), Some(3001));
}

#[test]
fn a_row_that_has_not_been_read_yet_is_selected_once_it_is() {
    let (session, mut harness) = open(1000);
    let all = harness.state().app.view.wallet.as_ref().unwrap().transactions.clone();
    let show = |pages: usize| {
        let all = all.clone();
        session.change(move |view| {
            let mut list = all.as_ref().clone();
            list.pages = list.pages.into_iter().take(pages).collect();
            let mut wallet = view.wallet.as_ref().unwrap().as_ref().clone();
            wallet.transactions = std::sync::Arc::new(list);
            view.wallet = Some(std::sync::Arc::new(wallet));
        });
    };
    show(1);
    harness.run();
    tab_to_role(&mut harness, Role::RowGroup, LIST);
    press(&mut harness, Key::End);
    harness.run();
    let asked = session.take_commands();
    assert!(asked.iter().any(|c| matches!(c, Command::NeedRows(_, 1000))), "the rows in sight are asked for");
    assert_eq!(harness.state().app.transactions.selected, None);
    show(5);
    harness.run();
    let last = all.row(999).unwrap();
    assert_eq!(harness.state().app.transactions.selected, Some((last.txid, last.index)));
    press(&mut harness, Key::ArrowUp);
    let before = all.row(998).unwrap();
    assert_eq!(harness.state().app.transactions.selected, Some((before.txid, before.index)));
}

#[test]
fn the_mouse_selects_opens_and_shows_the_menu() {
    // Frames of 20 ms: two clicks are a double click only if they come soon enough.
    let session = grs_gui_core::FakeSession::new(50);
    let builder = egui_kittest::Harness::builder().with_size([1100.0, 760.0]).with_step_dt(0.02);
    let mut harness = kit::window_of(&session, Default::default(), builder);
    harness.state_mut().app.page = Page::Transactions;
    harness.run();
    let row = |harness: &egui_kittest::Harness<'_, grs_gui::Window>, number: usize| {
        harness
            .get_by(|node| node.role() == Role::Row && node.data().row_index() == Some(number))
            .rect()
            .center()
    };
    let click = |harness: &mut egui_kittest::Harness<'_, grs_gui::Window>, at, button| {
        harness.hover_at(at);
        for pressed in [true, false] {
            harness.event(Event::PointerButton { pos: at, button, pressed, modifiers: Modifiers::NONE });
        }
        harness.run();
    };
    let at = row(&harness, 3);
    click(&mut harness, at, egui::PointerButton::Secondary);
    let selected = harness.get_by(|node| node.role() == Role::Row && node.is_selected() == Some(true));
    assert_eq!(selected.accesskit_node().data().row_index(), Some(3));
    assert!(harness.query_by_role_and_label(Role::MenuItem, Text::ActionCopyId.s()).is_some());
    press(&mut harness, Key::Escape);
    assert!(harness.query_by_role_and_label(Role::MenuItem, Text::ActionCopyId.s()).is_none());
    let at = row(&harness, 5);
    for _ in 0..2 {
        harness.hover_at(at);
        for pressed in [true, false] {
            let button = egui::PointerButton::Primary;
            harness.event(Event::PointerButton { pos: at, button, pressed, modifiers: Modifiers::NONE });
        }
    }
    harness.run();
    assert!(harness.query_by_role_and_label(Role::Dialog, Text::DetailsTitle.s()).is_some());
}

/// Prints medians of whole frames without the graphics card's part.
/// `cargo test --release -p grs-gui --test transactions slow_ -- --ignored --nocapture`
#[test]
#[ignore = "measures; say --nocapture to see the figures"]
fn slow_frames_with_a_hundred_thousand_rows() {
    let (_, mut harness) = window(100_000);
    harness.run();
    let frame = |harness: &mut egui_kittest::Harness<'_, grs_gui::Window>| {
        let start = std::time::Instant::now();
        harness.step();
        start.elapsed()
    };
    harness.state_mut().app.page = Page::Transactions;
    // The pretended session filters and sorts within the frame; the real one does it elsewhere.
    println!("first frame of the page: {:?}", frame(&mut harness));
    harness.run();
    let mut times: Vec<_> = (0..100).map(|_| frame(&mut harness)).collect();
    times.sort();
    println!("frame: median {:?}, worst {:?}", times[50], times[99]);
    harness.get_by_role_and_label(Role::RowGroup, LIST).focus();
    harness.run();
    let mut times: Vec<_> = (0..100)
        .map(|_| {
            harness.key_down(Key::PageDown);
            frame(&mut harness)
        })
        .collect();
    times.sort();
    println!("frame with other rows: median {:?}, worst {:?}", times[50], times[99]);
}
