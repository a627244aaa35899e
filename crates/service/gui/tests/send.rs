//! Payments: by keyboard alone, with mistakes, and with processes that go away.

mod kit;

use std::sync::Arc;

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};
use grs_gui::Window;
use grs_gui_core::fake::{FakeSend, NOW};
use grs_gui_core::view::PendingState;
use grs_gui_core::{Backend, Command, FakeSession, Page, Text, View};
use grs_interfaces::gui::{SendProblem, Sent};
use kit::{copied, focused, press, press_with, reads, rows, tab_to, type_in, window};

type Picture = Harness<'static, Window>;

fn address(session: &FakeSession, n: usize) -> String {
    session.view().wallet.as_ref().expect("there is one").requests[n].address.clone()
}

fn page(transactions: u32) -> (Arc<FakeSession>, Picture) {
    let (session, mut picture) = window(transactions);
    picture.run();
    press_with(&mut picture, Modifiers::ALT, Key::Num2);
    (session, picture)
}

fn fill(picture: &mut Picture, name: Text, text: &str) {
    tab_to(picture, name.s());
    press_with(picture, Modifiers::COMMAND, Key::A);
    type_in(picture, text);
}

/// Lets the pause go by after which the fee is worked out.
fn pause(picture: &mut Picture) {
    for _ in 0..3 {
        picture.run_steps(10);
    }
    picture.run();
}

fn review(picture: &mut Picture) {
    tab_to(picture, Text::SendReview.s());
    press(picture, Key::Enter);
    picture.run();
}

fn orders(session: &FakeSession) -> usize {
    session.take_commands().iter().filter(|command| matches!(command, Command::Send(..))).count()
}

fn confirm(picture: &mut Picture) {
    let total = picture.get_by(|node| {
        node.role() == Role::Button && node.label().is_some_and(|label| label.starts_with("Send "))
    });
    let name = total.accesskit_node().label().expect("it has a name");
    tab_to(picture, &name);
    press(picture, Key::Enter);
    picture.run();
}

#[test]
fn a_payment_by_keyboard_alone_is_found_in_the_list() {
    let (session, mut picture) = page(20);
    let to = address(&session, 3);
    fill(&mut picture, Text::SendAddress, &to);
    fill(&mut picture, Text::SendAmount, "12,5");
    fill(&mut picture, Text::SendLabel, "Baker");
    pause(&mut picture);
    assert!(reads(&picture, "12.50000423 GRS"), "the total stands below before any review");
    assert!(reads(&picture, "= 1\u{2009}250\u{2009}000\u{2009}423 gro"));
    review(&mut picture);
    assert!(picture.query_by_role_and_label(Role::Heading, Text::ReviewTitle.s()).is_some());
    assert!(reads(&picture, &format!("Baker ({to})")) && reads(&picture, "0.00000423 GRS"));
    assert_eq!(focused(&picture), Some((Role::Button, Text::ReviewBack.s().to_owned())));
    assert_eq!(orders(&session), 0, "nothing is sent before the confirmation");
    confirm(&mut picture);
    assert_eq!(orders(&session), 1);
    assert!(reads(&picture, Text::ResultSent.s()));
    // Enter leads to the list.
    assert_eq!(focused(&picture), Some((Role::Button, Text::ResultShow.s().to_owned())));
    press(&mut picture, Key::Enter);
    assert_eq!(picture.state().app.page, Page::Transactions);
    picture.state_mut().app.transactions.details = None;
    picture.run();
    let list = rows(&picture, Text::ListTransactions.s());
    assert!(list[0].iter().any(|cell| cell.contains("Baker")), "{list:?}");
}

#[test]
fn mistakes_stand_beside_their_fields_and_nothing_is_sent() {
    let (session, mut picture) = page(20);
    let good = address(&session, 3);
    let spelled = good.replace("grsrt1q", "grsrt1z");
    let cases: [(&str, &str, &str); 6] = [
        ("", "1", Text::AddressEmpty.s()),
        (&spelled, "1", "Not a valid address"),
        (&good, "", Text::AmountEmpty.s()),
        (&good, "0", Text::AmountZero.s()),
        (&good, "1.123456789", "at most 8 digits"),
        (&good, "0.00000001", "Too small to be relayed"),
    ];
    for (to, amount, text) in cases {
        let unit = picture.state().app.settings.unit;
        picture.state_mut().app.send.clear(unit);
        picture.run();
        if !to.is_empty() {
            fill(&mut picture, Text::SendAddress, to);
        }
        if !amount.is_empty() {
            fill(&mut picture, Text::SendAmount, amount);
        }
        review(&mut picture);
        let alerts: Vec<String> =
            picture.get_all_by_role(Role::Alert).filter_map(|n| n.accesskit_node().label()).collect();
        assert!(alerts.iter().any(|alert| alert.contains(text)), "{to} {amount}: {alerts:?}");
        // The keyboard is at the field.
        let (_, name) = focused(&picture).expect("something has it");
        let field = if text.contains("ddress") { Text::SendAddress } else { Text::SendAmount };
        assert_eq!(name, field.s(), "{to} {amount}");
        assert!(picture.query_by_label(Text::ReviewTitle.s()).is_none());
    }
    assert_eq!(orders(&session), 0);
}

#[test]
fn more_than_there_is_is_told_while_typing_and_at_the_review() {
    let (session, mut picture) = page(20);
    fill(&mut picture, Text::SendAddress, &address(&session, 1));
    fill(&mut picture, Text::SendAmount, "99999");
    pause(&mut picture);
    assert!(reads(&picture, "more than the available"));
    fill(&mut picture, Text::SendAmount, "12345.67890123");
    pause(&mut picture);
    assert!(reads(&picture, "are needed with the fee"), "the fee does not fit in any more");
    review(&mut picture);
    assert!(reads(&picture, "are needed with the fee"));
    picture.run_steps(5);
    assert!(reads(&picture, "are needed with the fee"), "and it stays until something is changed");
    // All that is there, with the fee taken from it.
    tab_to(&mut picture, Text::SendUseAvailable.s());
    press(&mut picture, Key::Enter);
    pause(&mut picture);
    assert!(picture.state().app.send.recipients[0].subtract_fee);
    review(&mut picture);
    assert!(reads(&picture, "12\u{2009}345.67890123 GRS"), "the total is all there is");
}

#[test]
fn a_bad_fee_rate_stands_beside_its_field() {
    let (session, mut picture) = page(20);
    fill(&mut picture, Text::SendAddress, &address(&session, 1));
    fill(&mut picture, Text::SendAmount, "1");
    picture.get_by_role_and_label(Role::RadioButton, Text::SendFeeRate.s()).click();
    picture.run();
    for (rate, text) in [
        ("x", Text::FeeRateNotANumber.s()),
        ("0.5", "Too low"),
        ("99999999", "Too high"),
        ("1.2345", Text::FeeRateTooPrecise.s()),
    ] {
        fill(&mut picture, Text::SendRate, rate);
        review(&mut picture);
        assert!(reads(&picture, text), "{rate}");
        assert_eq!(focused(&picture).map(|(_, name)| name), Some(Text::SendRate.s().to_owned()));
    }
    assert_eq!(orders(&session), 0);
    fill(&mut picture, Text::SendRate, "7.5");
    pause(&mut picture);
    assert!(reads(&picture, "7.5 gro/vB × 141 vB"));
    assert!(reads(&picture, "2 minutes (2 blocks)"), "the time that this rate should take");
    assert_eq!(picture.state().app.settings.fee_rate, Some(7500));
}

#[test]
fn several_recipients_are_added_and_removed() {
    let (session, mut picture) = page(20);
    tab_to(&mut picture, Text::SendAdd.s());
    press(&mut picture, Key::Enter);
    picture.run();
    assert_eq!(picture.state().app.send.recipients.len(), 2);
    assert_eq!(focused(&picture).map(|(_, name)| name), Some(Text::SendAddress.s().to_owned()));
    let same = address(&session, 1);
    for at in 0..2 {
        let form = &mut picture.state_mut().app.send.recipients[at];
        (form.address.text, form.amount.text) = (same.clone(), "1".into());
    }
    review(&mut picture);
    assert!(reads(&picture, Text::AddressTwice.s()));
    let other = address(&session, 2);
    picture.state_mut().app.send.recipients[1].address.text = other;
    review(&mut picture);
    assert!(reads(&picture, "2.00000516 GRS"), "one transaction pays both");
    tab_to(&mut picture, Text::ReviewBack.s());
    press(&mut picture, Key::Enter);
    let remove: Vec<_> = picture.get_all_by_role_and_label(Role::Button, Text::SendRemove.s()).collect();
    remove[0].click();
    picture.run();
    assert_eq!(picture.state().app.send.recipients.len(), 1);
    assert!(picture.query_by_label(Text::SendRemove.s()).is_none(), "the last one stays");
}

#[test]
fn addresses_and_uris_are_pasted() {
    let (session, mut picture) = page(20);
    let to = address(&session, 2);
    tab_to(&mut picture, Text::SendPaste.s());
    press(&mut picture, Key::Enter);
    picture.event(Event::Paste(format!(" {to}\n")));
    picture.run();
    assert_eq!(picture.state().app.send.recipients[0].address.text, to);
    // A URI in the field of the address fills all fields.
    tab_to(&mut picture, Text::SendAddress.s());
    picture.event(Event::Paste(format!("groestlcoin:{to}?amount=3&label=Ada&message=For%20the%20book")));
    picture.run();
    let form = &picture.state().app.send.recipients[0];
    assert_eq!((form.amount.text.as_str(), form.label.text.as_str()), ("3", "Ada"));
    assert!(reads(&picture, "For the book"));
    // A broken one changes nothing and is told.
    press_with(&mut picture, Modifiers::ALT, Key::P);
    picture.event(Event::Paste(format!("groestlcoin:{to}?req-magic=1")));
    picture.run();
    assert!(reads(&picture, "requires req-magic"));
    assert_eq!(picture.state().app.send.recipients[0].amount.text, "3");
}

#[test]
fn the_label_of_a_known_address_is_filled_in_and_a_typed_one_is_kept() {
    let (session, mut picture) = page(5);
    fill(&mut picture, Text::SendAddress, &address(&session, 1));
    press(&mut picture, Key::Tab);
    picture.run();
    assert_eq!(picture.state().app.send.recipients[0].label.text, "Bakery Müller");
    picture.state_mut().app.send.recipients[0].label.text = "Mine".into();
    fill(&mut picture, Text::SendAddress, &address(&session, 0));
    press(&mut picture, Key::Tab);
    picture.run();
    assert_eq!(picture.state().app.send.recipients[0].label.text, "Mine");
}

#[test]
fn a_locked_wallet_asks_for_its_passphrase() {
    let (session, mut picture) = page(20);
    session.change(|view: &mut View| {
        let wallet = Arc::make_mut(view.wallet.as_mut().unwrap());
        let snapshot = Arc::make_mut(&mut wallet.snapshot);
        (snapshot.encrypted, snapshot.locked) = (true, true);
    });
    fill(&mut picture, Text::SendAddress, &address(&session, 1));
    fill(&mut picture, Text::SendAmount, "1");
    review(&mut picture);
    assert_eq!(focused(&picture), Some((Role::PasswordInput, Text::ReviewPassphrase.s().to_owned())));
    confirm(&mut picture);
    assert!(reads(&picture, Text::PassphraseNeeded.s()));
    assert_eq!(orders(&session), 0);
    session.set_send(FakeSend::Refused(SendProblem::WrongPassphrase));
    fill(&mut picture, Text::ReviewPassphrase, "wrong");
    confirm(&mut picture);
    assert!(reads(&picture, Text::PassphraseWrong.s()));
    assert_eq!(picture.state().app.send.passphrase, "", "it is not kept");
    session.set_send(FakeSend::Works);
    fill(&mut picture, Text::ReviewPassphrase, "right");
    press(&mut picture, Key::Enter);
    picture.run();
    assert!(reads(&picture, Text::ResultSent.s()));
}

fn reviewed(send: FakeSend) -> (Arc<FakeSession>, Picture) {
    let (session, mut picture) = page(20);
    session.set_send(send);
    fill(&mut picture, Text::SendAddress, &address(&session, 1));
    fill(&mut picture, Text::SendAmount, "1");
    review(&mut picture);
    session.take_commands();
    (session, picture)
}

#[test]
fn a_refused_payment_says_that_nothing_was_sent() {
    let problem = SendProblem::Changed(Text::SendChanged.s().to_owned());
    let (_, mut picture) = reviewed(FakeSend::Refused(problem));
    confirm(&mut picture);
    assert!(reads(&picture, Text::ResultNotSent.s()) && reads(&picture, Text::SendChanged.s()));
    press(&mut picture, Key::Enter);
    assert_eq!(picture.state().app.send.recipients[0].amount.text, "1", "the form is kept");
    assert!(picture.query_by_label(Text::SendReview.s()).is_some());
}

#[test]
fn a_process_that_dies_in_the_middle_leaves_an_unknown_outcome_that_is_cleared_up() {
    for sent in [true, false] {
        let (session, mut picture) = reviewed(FakeSend::Dies);
        confirm(&mut picture);
        assert_eq!(orders(&session), 1);
        assert!(reads(&picture, Text::ResultUnknown.s()) && reads(&picture, Text::SendUnknown.s()));
        assert!(reads(&picture, Text::StaleWallet.s()));
        // The banner stands on the other pages too.
        press_with(&mut picture, Modifiers::ALT, Key::Num1);
        assert!(reads(&picture, "Whether it was sent is not known yet"));
        press_with(&mut picture, Modifiers::ALT, Key::Num2);
        session.restore();
        session.change(|view| {
            let pending = &mut Arc::make_mut(&mut view.pending_sends)[0];
            pending.state = match sent {
                true => {
                    let txid = grs_hashes::Txid::from_bytes([7; 32]);
                    PendingState::Sent(Sent { txid, repeated: true, not_broadcast: String::new() })
                }
                false => PendingState::NotSent,
            };
        });
        picture.run();
        let text = if sent { Text::ResultSent } else { Text::ResultNotSent };
        assert!(reads(&picture, text.s()), "sent: {sent}");
        assert_eq!(orders(&session), 0, "nothing is sent twice");
    }
}

#[test]
fn while_it_is_being_sent_there_is_nothing_to_press_twice() {
    let (session, mut picture) = reviewed(FakeSend::Hangs);
    confirm(&mut picture);
    assert_eq!(orders(&session), 1);
    assert!(reads(&picture, Text::ReviewSending.s()));
    for _ in 0..30 {
        press(&mut picture, Key::Tab);
        let name = focused(&picture).map(|(_, name)| name).unwrap_or_default();
        assert!(!name.starts_with("Send ") && name != Text::ReviewBack.s(), "{name}");
    }
}

#[test]
fn without_a_connection_nothing_is_reviewed() {
    let (session, mut picture) = page(20);
    fill(&mut picture, Text::SendAddress, &address(&session, 1));
    fill(&mut picture, Text::SendAmount, "1");
    session.lose_node("It is gone.");
    picture.run();
    review(&mut picture);
    assert!(reads(&picture, Text::SendNotConnected.s()));
    assert!(picture.query_by_label(Text::ReviewTitle.s()).is_none());
}

#[test]
fn the_number_of_the_transaction_is_copied() {
    let (_, mut picture) = reviewed(FakeSend::Works);
    confirm(&mut picture);
    tab_to(&mut picture, Text::ResultCopy.s());
    picture.key_down(Key::Enter);
    picture.step();
    let text = copied(&picture);
    assert!(text.is_some_and(|text| text.len() == 64));
    let _ = NOW;
}

#[test]
fn a_wallet_without_keys_does_not_offer_to_send() {
    let (session, mut picture) = page(5);
    session.change(|view| {
        let wallet = Arc::make_mut(view.wallet.as_mut().unwrap());
        Arc::make_mut(&mut wallet.info).private_keys = false;
    });
    picture.run();
    assert!(reads(&picture, Text::SendNoKeys.s()));
    assert!(picture.query_by_label(Text::SendReview.s()).is_none());
}
