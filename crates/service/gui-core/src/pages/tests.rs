//! Every page over the pretended session.

use std::sync::Arc;

use grs_interfaces::gui::{SendProblem, TxKind, TxSortColumn};
use grs_params::Network;

use crate::amount::Unit;
use crate::fake::{FakeSend, NOW};
use crate::pages::node_window::{BanSpan, NodeTab, PeerColumn};
use crate::pages::receive::{self, RequestColumn};
use crate::pages::send::{FeeMode, SendResult, SendStep};
use crate::pages::status::{Severity, banners, line, stale, window_title};
use crate::pages::transactions::{self, DateRange};
use crate::pages::wallet_menu::CreateOption;
use crate::pages::{about, console, node_window, overview, sync_overlay};
use crate::process::Ownership;
use crate::view::{Command, Link, PendingState, Reply};
use crate::{App, Backend, FakeSession, Page, Settings, Text};

fn app(transactions: u32) -> (Arc<FakeSession>, App) {
    let session = FakeSession::new(transactions);
    let mut app = App::new(session.clone(), Settings::default());
    app.update(NOW);
    (session, app)
}

/// An address of the test network.
fn address(app: &App, n: usize) -> String {
    app.view.wallet.as_ref().unwrap().requests[n].address.clone()
}

/// Fills in a payment of one coin.
fn fill(app: &mut App) {
    app.page = Page::Send;
    app.update(NOW);
    let to = address(app, 0);
    app.send.recipients[0].address.text = to;
    app.send.recipients[0].amount.text = "1".into();
}

#[test]
fn overview_shows_or_hides_balances() {
    let (session, mut app) = app(100);
    let lines = overview::balances(&app.view, Unit::Grs, false);
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0].amount, "12\u{2009}345.67890123 GRS");
    assert!(lines[3].total && lines[3].amount.starts_with("12\u{2009}372.17890123"));
    assert_eq!(overview::recent(&app.view, false).len(), 5);
    assert!(overview::balances(&app.view, Unit::Gro, true)[0].amount.chars().all(|c| !c.is_ascii_digit()));
    assert!(overview::recent(&app.view, true).is_empty());
    session.change(|view| view.wallet = None);
    app.update(NOW);
    assert!(overview::balances(&app.view, Unit::Grs, false).is_empty());
}

#[test]
fn a_payment_goes_through_review_and_is_found_in_the_list() {
    let (session, mut app) = app(50);
    fill(&mut app);
    assert!(app.view.wallet.as_ref().unwrap().fees.is_none());
    app.update(NOW);
    assert!(app.send.level(&app.view).is_some_and(|level| level.rate == 3000));
    assert_eq!(app.send.resulting_time(&app.view), "6 minutes (6 blocks)");
    app.send.ask_live(&app.view, session.as_ref());
    app.update(NOW);
    assert_eq!(app.send.live_preview(&app.view).map(|p| p.fee), Some(423));
    assert!(app.send.review(&app.view, session.as_ref()));
    app.update(NOW);
    let SendStep::Review(review) = &app.send.step else { panic!("no review") };
    assert_eq!(review.recipients(Unit::Grs)[0].value, "1.00000000 GRS");
    let summary: Vec<String> = review.summary(Unit::Gro).into_iter().map(|l| l.value).collect();
    assert!(
        summary.contains(&"423 gro".to_owned())
            && summary.contains(&"100\u{2009}000\u{2009}423 gro".to_owned())
    );
    assert_eq!(review.total_elsewhere(Unit::Grs).len(), 3);
    assert!(app.send.confirm(&app.view, session.as_ref()));
    // A second click does nothing.
    assert!(!app.send.confirm(&app.view, session.as_ref()));
    app.update(NOW);
    let SendStep::Done(SendResult::Sent(sent)) = app.send.step.clone() else { panic!("not sent") };
    assert!(SendResult::Sent(sent.clone()).text().contains(&sent.txid.to_string()));
    let orders = session.take_commands().into_iter().filter(|c| matches!(c, Command::Send(..))).count();
    assert_eq!(orders, 1);
    app.show_transaction(sent.txid, 50);
    app.update(NOW);
    assert_eq!(app.page, Page::Transactions);
    assert!(app.view.wallet.as_ref().unwrap().transactions.row(0).is_some_and(|row| row.txid == sent.txid));
    app.send.clear(Unit::Grs);
    assert!(app.send.recipients[0].is_empty());
}

#[test]
fn mistakes_in_a_payment_stand_beside_their_fields() {
    let (session, mut app) = app(10);
    app.page = Page::Send;
    app.update(NOW);
    assert!(!app.send.review(&app.view, session.as_ref()));
    assert_eq!(app.send.recipients[0].address.error.as_deref(), Some(Text::AddressEmpty.s()));
    assert_eq!(app.send.recipients[0].amount.error.as_deref(), Some(Text::AmountEmpty.s()));
    fill(&mut app);
    app.send.recipients[0].address.text.push('x');
    app.send.recipients[0].amount.text = "1.123456789".into();
    app.send.recipients[0].label.text = "a\u{7}".into();
    app.send.fee_mode = FeeMode::Rate;
    app.send.rate.text = "0.5".into();
    assert!(app.send.check(&app.view).is_none());
    let first = &app.send.recipients[0];
    assert!(first.address.error.is_some() && first.amount.error.is_some() && first.label.error.is_some());
    assert!(app.send.rate.error.is_some());
    // Twice the same address.
    fill(&mut app);
    app.send.recipients[0].label.text.clear();
    app.send.rate.text = "5".into();
    assert!(app.send.check(&app.view).is_some());
    assert!(app.send.add_recipient(Unit::Gro));
    let first = app.send.recipients[0].address.text.clone();
    app.send.recipients[1].address.text = first;
    app.send.recipients[1].amount.text = "1000".into();
    assert!(app.send.check(&app.view).is_none());
    assert_eq!(app.send.recipients[1].address.error.as_deref(), Some(Text::AddressTwice.s()));
    app.send.remove_recipient(1, Unit::Grs);
    // More than there is.
    app.send.recipients[0].amount.text = "99999".into();
    assert!(app.send.check(&app.view).is_none() && app.send.problem.is_some());
    app.send.use_available(0, &app.view);
    assert!(app.send.recipients[0].subtract_fee && app.send.check(&app.view).is_some());
    assert_eq!(app.send.resulting_time(&app.view), "3 minutes (3 blocks)");
    assert!(!session.take_commands().iter().any(|c| matches!(c, Command::Preview(..))));
}

#[test]
fn units_change_and_amounts_stay() {
    let (_, mut app) = app(0);
    fill(&mut app);
    app.receive.amount.text = "0.5".into();
    app.set_unit(Unit::MicroGrs);
    assert_eq!(app.send.recipients[0].amount.text, "1\u{2009}000\u{2009}000");
    assert_eq!(app.receive.amount.text, "500\u{2009}000");
    app.set_unit(Unit::Grs);
    assert_eq!((app.send.recipients[0].amount.text.as_str(), app.receive.amount.text.as_str()), ("1", "0.5"));
}

#[test]
fn a_uri_fills_the_form() {
    let (_, mut app) = app(0);
    let to = address(&app, 1);
    app.open_uri(&format!("groestlcoin:{to}?amount=2.5&label=Ada&message=hi")).unwrap();
    assert_eq!(app.page, Page::Send);
    let first = &app.send.recipients[0];
    assert_eq!(
        (first.amount.text.as_str(), first.label.text.as_str(), first.message.as_str()),
        ("2.5", "Ada", "hi")
    );
    // The next one does not overwrite it.
    app.open_uri(&format!("groestlcoin:{to}")).unwrap();
    assert_eq!(app.send.recipients.len(), 2);
    assert!(app.open_uri("groestlcoin:nonsense").is_err());
    assert!(app.send.paste(0, "groestlcoin:x", Network::Regtest).is_err());
    app.send.paste(0, &format!(" {to}\n"), Network::Regtest).unwrap();
    assert_eq!(app.send.recipients[0].address.text, to);
}

/// Sends and answers the step that it ends in.
fn send(app: &mut App, session: &Arc<FakeSession>, fault: FakeSend) -> SendStep {
    fill(app);
    session.set_send(fault);
    assert!(app.send.review(&app.view, session.as_ref()));
    app.update(NOW);
    assert!(app.send.confirm(&app.view, session.as_ref()));
    app.update(NOW);
    app.send.step.clone()
}

#[test]
fn a_refused_payment_says_that_nothing_was_sent() {
    let (session, mut app) = app(5);
    let step = send(&mut app, &session, FakeSend::Refused(SendProblem::Changed("Coins are gone.".into())));
    let SendStep::Done(result) = step else { panic!("not done") };
    assert!(result.text().contains("Nothing was sent") && result.text().contains("Coins are gone."));
    app.send.back();
    // A wrong passphrase leaves the review open.
    let step = send(&mut app, &session, FakeSend::Refused(SendProblem::WrongPassphrase));
    assert!(matches!(step, SendStep::Review(_)));
    assert_eq!(app.send.problem.as_deref(), Some(Text::PassphraseWrong.s()));
}

#[test]
fn an_interrupted_payment_is_unknown_until_it_is_settled() {
    let (session, mut app) = app(5);
    let SendStep::Done(SendResult::Unknown(token)) = send(&mut app, &session, FakeSend::Dies) else {
        panic!("not unknown")
    };
    let shown = banners(&app.view, NOW);
    assert!(
        shown.iter().any(|b| b.severity == Severity::Error && b.text.contains("Do not pay again")),
        "{shown:?}"
    );
    assert_eq!(stale(&app.view), Some(Text::StaleWallet.s()));
    session.restore();
    session.change(|view| {
        Arc::make_mut(&mut view.pending_sends).iter_mut().for_each(|p| p.state = PendingState::NotSent);
    });
    app.update(NOW);
    assert!(matches!(&app.send.step, SendStep::Done(SendResult::NotSent(_))), "{:?}", app.send.step);
    session.send(Command::ForgetSend(token));
    app.update(NOW);
    assert!(app.view.pending_sends.is_empty() && banners(&app.view, NOW).is_empty());
}

#[test]
fn a_payment_under_way_cannot_be_given_twice() {
    let (session, mut app) = app(5);
    assert!(matches!(send(&mut app, &session, FakeSend::Hangs), SendStep::Sending(..)));
    app.send.back();
    assert!(matches!(app.send.step, SendStep::Sending(..)));
    assert!(!app.send.confirm(&app.view, session.as_ref()));
    assert!(app.open_uri(&format!("groestlcoin:{}", address(&app, 2))).is_err());
}

#[test]
fn another_wallet_takes_the_review_back() {
    let (session, mut app) = app(5);
    fill(&mut app);
    app.send.review(&app.view, session.as_ref());
    app.update(NOW);
    assert!(matches!(app.send.step, SendStep::Review(_)));
    session.send(Command::SelectWallet("Savings".into()));
    app.update(NOW);
    assert!(matches!(app.send.step, SendStep::Edit) && !app.send.recipients[0].is_empty());
    assert_eq!(app.settings.last_wallet("regtest"), Some("Savings"));
}

#[test]
fn requests_are_made_shown_sorted_and_removed() {
    let (session, mut app) = app(0);
    app.receive.amount.text = "x".into();
    assert!(!app.receive.create(&app.view, session.as_ref()));
    assert!(app.receive.amount.error.is_some());
    app.receive.amount.text = "1.5".into();
    app.receive.label.text = "Zoe".into();
    assert!(app.receive.create(&app.view, session.as_ref()));
    app.update(NOW);
    let made = app.receive.shown.clone().unwrap();
    let uri = receive::uri(&made);
    assert!(uri.starts_with("groestlcoin:GRSRT1") && uri.ends_with("?amount=1.50000000&label=Zoe"), "{uri}");
    assert!(app.receive.label.text.is_empty());
    assert_eq!(app.receive.history(&app.view)[0], made);
    app.receive.sort_by(RequestColumn::Label);
    app.receive.sort_by(RequestColumn::Label);
    assert_eq!(app.receive.history(&app.view)[0].label, "Zoe");
    app.receive.remove(&made, session.as_ref());
    app.update(NOW);
    assert!(!app.receive.history(&app.view).contains(&made) && app.receive.shown.is_none());
    session.lose_wallet("gone");
    app.update(NOW);
    assert!(!app.receive.possible(&app.view));
}

#[test]
fn transactions_are_filtered_sorted_and_exported() {
    let (session, mut app) = app(1000);
    app.page = Page::Transactions;
    app.update(NOW);
    assert_eq!(transactions::TransactionsPage::list(&app.view).unwrap().matching, 1000);
    session.take_commands();
    app.update(NOW);
    assert!(session.take_commands().is_empty(), "nothing is asked for twice");
    app.transactions.text = "müller".into();
    app.transactions.kind = Some(TxKind::Received);
    app.update(NOW);
    app.update(NOW);
    let matching = transactions::TransactionsPage::list(&app.view).unwrap().matching;
    assert!(matching > 0 && matching < 200 && app.transactions.is_filtered());
    app.transactions.min_amount.text = "abc".into();
    assert!(app.transactions.filter(NOW).is_none() && app.transactions.min_amount.error.is_some());
    app.transactions.min_amount.text = "1".into();
    assert_eq!(app.transactions.filter(NOW).unwrap().min_amount, 100_000_000);
    app.transactions.dates = DateRange::ThisYear;
    assert!(app.transactions.filter(NOW).unwrap().from.is_some());
    app.transactions.clear_filter();
    assert!(!app.transactions.is_filtered());
    app.transactions.sort_by(TxSortColumn::Amount);
    app.update(NOW);
    app.update(NOW);
    let list = transactions::TransactionsPage::list(&app.view).unwrap();
    assert!(list.row(0).unwrap().amount >= list.row(1).unwrap().amount);
    let txid = list.row(0).unwrap().txid;
    app.transactions.show_details(txid, session.as_ref());
    app.transactions.start_export(&app.view, NOW);
    let form = app.transactions.exporting.as_mut().unwrap();
    assert!(form.path.text.ends_with("groestlcoin-Household-2026-11-22.csv"), "{}", form.path.text);
    form.path.text = "list.csv".into();
    assert!(!app.transactions.submit_export(session.as_ref(), NOW));
    let form = app.transactions.exporting.as_mut().unwrap();
    assert_eq!(form.path.error.as_deref(), Some(Text::ExportPathWrong.s()));
    form.path.text = "/tmp/list.csv".into();
    assert!(app.transactions.submit_export(session.as_ref(), NOW));
    app.update(NOW);
    let details = app.transactions.details.clone().unwrap();
    let lines = transactions::details_lines(&details, Unit::Grs);
    assert!(lines.contains(&(Text::DetailId.s(), txid.to_string())));
    assert!(
        app.transactions
            .message
            .as_deref()
            .is_some_and(|m| m.contains("1000 rows") && m.contains("list.csv"))
    );
    let row = &details.rows[0];
    assert!(transactions::row_text(row, Unit::Grs).contains(&transactions::amount_text(row, Unit::Grs)));
}

#[test]
fn rows_that_are_drawn_are_asked_for_once_they_are_missing() {
    let (session, mut app) = app(1000);
    session.change(|view| {
        let wallet = Arc::make_mut(view.wallet.as_mut().unwrap());
        Arc::make_mut(&mut wallet.transactions).pages.remove(&2);
    });
    app.update(NOW);
    session.take_commands();
    app.transactions.need_rows(&app.view, 0, 40, session.as_ref());
    assert!(session.take_commands().is_empty());
    app.transactions.need_rows(&app.view, 390, 430, session.as_ref());
    assert!(matches!(session.take_commands()[..], [Command::NeedRows(390, 430)]));
}

#[test]
fn wallets_are_created_opened_and_closed() {
    let (session, mut app) = app(0);
    app.wallet_menu.start_create(session.as_ref());
    assert!(!app.wallet_menu.submit_create(&app.view, session.as_ref()));
    let form = app.wallet_menu.create.as_mut().unwrap();
    assert_eq!(form.name.error.as_deref(), Some(Text::WalletNameEmpty.s()));
    form.name.text = "Savings".into();
    form.disable_private_keys = true;
    form.encrypt = true;
    form.settle(CreateOption::Encrypt);
    assert!(!form.disable_private_keys);
    form.passphrase.text = "correct horse".into();
    form.repeat.text = "correct".into();
    assert!(!app.wallet_menu.submit_create(&app.view, session.as_ref()));
    let form = app.wallet_menu.create.as_mut().unwrap();
    assert!(form.name.error.is_some() && form.repeat.error.is_some());
    assert!(!format!("{form:?}").contains("horse"));
    form.name.text = "New".into();
    form.repeat.text = "correct horse".into();
    assert!(app.wallet_menu.submit_create(&app.view, session.as_ref()));
    app.update(NOW);
    assert!(app.wallet_menu.create.is_none() && !app.wallet_menu.busy());
    assert_eq!(app.view.wallet_name(), Some("New"));
    app.wallet_menu.open("Old wallet", session.as_ref());
    app.update(NOW);
    assert_eq!(app.view.wallet_name(), Some("Old wallet"));
    let archive =
        crate::pages::wallet_menu::WalletMenu::entries(&app.view).find(|(e, _)| e.format == "bdb").unwrap();
    assert!(!archive.1);
    app.wallet_menu.start_close(&app.view);
    assert!(app.wallet_menu.close_text(&app.view).unwrap().contains("Old wallet"));
    app.wallet_menu.confirm_close(session.as_ref());
    app.update(NOW);
    assert!(!app.view.loaded.contains(&"Old wallet".to_owned()));
}

#[test]
fn the_node_window_watches_peers_only_while_it_shows_them() {
    let (session, mut app) = app(0);
    assert_eq!(node_window::information(&app.view).len(), 4);
    app.node_window_open = true;
    app.node_window.tab = NodeTab::Peers;
    app.update(NOW);
    app.update(NOW);
    assert_eq!(app.node_window.peers(&app.view).len(), 12);
    app.node_window.sort_by(PeerColumn::Received);
    app.node_window.sort_by(PeerColumn::Received);
    let peers = app.node_window.peers(&app.view);
    assert!(peers[0].bytes_received > peers[1].bytes_received);
    assert!(PeerColumn::ALL.iter().all(|column| !column.value(peers[0], NOW).is_empty()));
    assert!(node_window::peer_details(peers[0], NOW).len() > 20);
    app.node_window.selected = Some(3);
    assert_eq!(app.node_window.selected_peer(&app.view).map(|p| p.id), Some(3));
    app.node_window.ban(BanSpan::Day, session.as_ref());
    app.update(NOW);
    assert!(app.node_window.selected.is_none());
    assert!(app.view.bans.iter().any(|ban| ban.subnet == "203.0.113.13/32" && ban.until == NOW + 86_400));
    app.node_window.unban("203.0.113.13/32", session.as_ref());
    app.node_window.selected = Some(4);
    app.node_window.disconnect(session.as_ref());
    app.update(NOW);
    assert_eq!((app.view.bans.len(), app.node_window.peers(&app.view).len()), (1, 10));
    session.take_commands();
    app.node_window.tab = NodeTab::Traffic;
    app.update(NOW);
    assert!(matches!(session.take_commands()[..], [Command::WatchPeers(false)]));
    assert!(app.view.traffic.points(1800, 400).len() > 100);
}

#[test]
fn the_console_completes_remembers_and_hides() {
    let (session, mut app) = app(0);
    assert_eq!(console::ConsolePage::welcome().len(), 2);
    app.console.input = "getblockc".into();
    app.console.edited(&app.view);
    app.console.complete();
    assert_eq!(app.console.input, "getblockchaininfo");
    app.console.complete();
    assert_eq!(app.console.input, "getblockcount");
    assert!(app.console.submit(&app.view, session.as_ref()));
    app.console.input = "walletpassphrase hunter2 60".into();
    app.console.wallet = Some("Savings".into());
    assert!(app.console.submit(&app.view, session.as_ref()));
    app.update(NOW);
    assert!(app.view.console.iter().all(|line| !line.text.contains("hunter2")));
    app.console.input = "draft".into();
    app.console.up();
    assert_eq!(app.console.input, "walletpassphrase(…)");
    app.console.up();
    app.console.down();
    app.console.down();
    assert_eq!(app.console.input, "draft");
    session.change(|view| view.console_busy = true);
    app.update(NOW);
    assert!(!app.console.submit(&app.view, session.as_ref()));
    app.console.input = "stop".into();
    assert!(app.console.submit(&app.view, session.as_ref()));
    session.send(Command::CloseWallet(session.new_action(), "Savings".into()));
    app.update(NOW);
    assert_eq!(app.console.wallet, None);
}

#[test]
fn losses_are_said_at_once_and_data_stay() {
    let (session, mut app) = app(20);
    assert!(banners(&app.view, NOW).is_empty() && stale(&app.view).is_none());
    assert_eq!(line(&app.view, NOW), "Up to date at block 1234");
    session.lose_node("It was ended by signal 9.");
    app.update(NOW);
    let shown = banners(&app.view, NOW);
    assert!(shown[0].retry && shown[0].text.contains("signal 9") && shown[0].text.contains("5 seconds"));
    assert_eq!(
        (stale(&app.view), line(&app.view, NOW).as_str()),
        (Some(Text::StaleNode.s()), Text::StatusLost.s())
    );
    assert_eq!(overview::balances(&app.view, Unit::Grs, false).len(), 4);
    fill(&mut app);
    assert!(!app.send.review(&app.view, session.as_ref()));
    assert_eq!(app.send.problem.as_deref(), Some(Text::SendNotConnected.s()));
    session.send(Command::RetryNow);
    app.update(NOW);
    assert!(banners(&app.view, NOW)[0].text.contains("try 1"));
    session.restore();
    session.change(|view| {
        let node = Arc::make_mut(view.node.as_mut().unwrap());
        node.network_active = false;
        node.warnings = vec!["Odd.".into()];
    });
    app.update(NOW);
    assert_eq!(
        banners(&app.view, NOW).iter().map(|b| b.severity).collect::<Vec<_>>(),
        [Severity::Warning; 2]
    );
    for (ownership, text) in [(Ownership::Started, Text::QuitStops), (Ownership::Joined, Text::QuitDetaches)]
    {
        assert_eq!(ownership.quit_text(), text.s());
    }
    app.quit();
    app.update(NOW);
    assert_eq!(app.view.link, Link::Closed);
}

#[test]
fn the_overlay_comes_and_goes() {
    let (session, mut app) = app(0);
    assert!(!app.overlay.visible(&app.view, NOW));
    app.overlay.toggle(&app.view, NOW);
    assert!(app.overlay.visible(&app.view, NOW));
    app.overlay.toggle(&app.view, NOW);
    assert!(!app.overlay.visible(&app.view, NOW));
    app.overlay = Default::default();
    session.change(|view| {
        let node = Arc::make_mut(view.node.as_mut().unwrap());
        node.sync.blocks = 234;
        node.sync.tip_time = NOW - 86_400 * 2;
        node.sync.progress = 0.19;
        view.sync_rate.seconds_left = Some(7200);
    });
    app.update(NOW);
    assert!(app.overlay.visible(&app.view, NOW));
    let lines = sync_overlay::lines(&app.view, NOW);
    assert_eq!(
        (lines[0].1.as_str(), lines[2].1.as_str(), lines[4].1.as_str()),
        ("1000", "19.00 %", "2 hours")
    );
    assert_eq!(line(&app.view, NOW), "1000 blocks left, 2 days behind");
    app.overlay.hide();
    assert!(!app.overlay.visible(&app.view, NOW));
}

#[test]
fn titles_and_about() {
    let (session, mut app) = app(0);
    assert_eq!(window_title(&app.view), "Groestlcoin – Household – regtest");
    assert_eq!(about::paragraphs(&app.view).len(), 4);
    session.change(|view| {
        view.wallet = None;
        Arc::make_mut(view.info.as_mut().unwrap()).network = "main".into();
    });
    app.update(NOW);
    assert_eq!(window_title(&app.view), "Groestlcoin");
    let id = session.new_action();
    assert!(app.view.reply(id).is_none());
    session.send(Command::AskLabel(id, "x".into()));
    app.update(NOW);
    assert!(matches!(app.view.reply(id), Some(Reply::Label(_))));
}
