//! Wallets as a window uses them: lists, requests for payment, payments that are made once.

#![allow(clippy::unwrap_used)]

mod common;

use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use common::Setup;
use grs_interfaces::gui::{
    AddressKind, FeeChoice, NewReceiveRequest, NewWallet, SendOrder, SendProblem, SendRecipient, SendRequest,
    SendStatus, SendToken, TxFilter, TxKind, TxQuery, TxSort, TxSortColumn, TxStatus, Wallet, WalletSnapshot,
    WalletSubscriber, Wallets, WalletsSubscriber,
};
use grs_interfaces::{CallResult, SecureString};
use grs_primitives::Script;
use serde_json::json;

const COIN: i64 = 100_000_000;

fn nobody() -> Script {
    Script::from(vec![0x51])
}

fn other(n: u8) -> String {
    let id = grs_hashes::Hash160::from_bytes([n; 20]);
    grs_descriptor::Destination::WitnessV0KeyHash(id).encode(grs_params::Network::Regtest)
}

/// A wallet `w` with so many coins of 50 that can be spent.
fn funded(coins: usize) -> (Setup, Arc<dyn Wallets>, Arc<dyn Wallet>) {
    let setup = Setup::new(&[]);
    let wallets = setup.loader.as_ref().unwrap().gui_wallets().unwrap();
    let made = wallets.create(NewWallet { name: "w".into(), ..NewWallet::default() }).unwrap();
    assert_eq!(made.result, Ok("w".into()));
    for _ in 0..coins {
        let script = setup.new_script();
        setup.chain.mine(&script, &[]);
    }
    setup.chain.mine_many(120, &nobody());
    let wallet = wallets.wallet("w").unwrap().unwrap();
    (setup, wallets, wallet)
}

fn pay(address: &str, amount: i64) -> SendRequest {
    let recipient =
        SendRecipient { address: address.into(), amount, label: "Ada".into(), subtract_fee: false };
    SendRequest { recipients: vec![recipient], fee: FeeChoice::Rate(5000), replaceable: true }
}

fn order(wallet: &dyn Wallet, request: &SendRequest, token: u8, passphrase: &str) -> SendOrder {
    let preview = wallet.preview(request).unwrap().unwrap();
    SendOrder {
        token: SendToken([token; 16]),
        tx: preview.tx,
        recipients: request.recipients.clone(),
        passphrase: SecureString::from(passphrase),
    }
}

fn all() -> TxQuery {
    TxQuery { limit: 200, ..TxQuery::default() }
}

#[test]
fn a_payment_is_shown_before_it_is_made_and_made_once() {
    let (setup, _, wallet) = funded(3);
    assert_eq!(wallet.snapshot().unwrap().balances.available, 150 * COIN);
    let request = pay(&other(9), COIN);
    let preview = wallet.preview(&request).unwrap().unwrap();
    assert_eq!((preview.amounts.as_slice(), preview.inputs, preview.target), ([COIN].as_slice(), 1, None));
    assert_eq!(preview.total, COIN + preview.fee);
    assert_eq!(preview.change, 49 * COIN - preview.fee);
    assert_eq!(preview.fee, (5 * i64::from(preview.vsize)));
    assert!(setup.chain.inner().mempool.is_empty());
    // Previews use up no change addresses.
    let again = wallet.preview(&request).unwrap().unwrap();
    let scripts = |tx: &grs_primitives::TxRef| -> std::collections::BTreeSet<Vec<u8>> {
        tx.outputs.iter().map(|o| o.script_pubkey.as_bytes().to_vec()).collect()
    };
    assert_eq!(scripts(&preview.tx), scripts(&again.tx));

    let order = order(wallet.as_ref(), &request, 1, "");
    let sent = wallet.send(order.clone()).unwrap().unwrap();
    assert_eq!((sent.repeated, sent.not_broadcast.as_str()), (false, ""));
    assert_eq!(sent.txid, order.tx.txid());
    let repeated = wallet.send(order.clone()).unwrap().unwrap();
    assert!(repeated.repeated && repeated.txid == sent.txid);
    assert_eq!(wallet.send_status(order.token).unwrap(), SendStatus::Sent(repeated));
    assert_eq!(setup.chain.inner().mempool.len(), 1);
    assert_eq!(wallet.label(&other(9)).unwrap(), "Ada");
    // The coins are gone: the same transaction as another order is refused.
    let other_order = SendOrder { token: SendToken([2; 16]), ..order.clone() };
    assert!(matches!(wallet.send(other_order), Ok(Err(SendProblem::Changed(_)))));
    // The token is stored with the transaction, and not shown by RPC.
    assert!(setup.call("gettransaction", json!([sent.txid.to_string()])).get("grs_order").is_none());
    let mut setup = setup;
    setup.stop();
    assert!(setup.start());
    let wallets = setup.loader.as_ref().unwrap().gui_wallets().unwrap();
    let wallet = wallets.wallet("w").unwrap().unwrap();
    assert!(matches!(wallet.send_status(order.token).unwrap(), SendStatus::Sent(s) if s.txid == sent.txid));
    // An order that was found not to be carried out is void.
    let late = self::order(wallet.as_ref(), &request, 3, "");
    assert_eq!(wallet.send_status(late.token).unwrap(), SendStatus::NotSent);
    assert!(matches!(wallet.send(late), Ok(Err(SendProblem::Other(_)))));
}

#[test]
fn what_cannot_be_paid_says_why() {
    let (setup, wallets, wallet) = funded(1);
    let problem = |request: &SendRequest| wallet.preview(request).unwrap().unwrap_err();
    assert!(matches!(problem(&pay("nonsense", COIN)), SendProblem::Address { recipient: 0, .. }));
    for amount in [0, -1, 100, i64::MAX] {
        assert!(
            matches!(problem(&pay(&other(9), amount)), SendProblem::Amount { recipient: 0, .. }),
            "{amount}"
        );
    }
    let needed = 51 * COIN;
    assert_eq!(
        problem(&pay(&other(9), needed)),
        SendProblem::InsufficientFunds { available: 50 * COIN, needed }
    );
    // With the fee it is too much; without, if the recipient pays it, it fits.
    assert!(matches!(problem(&pay(&other(9), 50 * COIN)), SendProblem::InsufficientFunds { .. }));
    let mut all_of_it = pay(&other(9), 50 * COIN);
    all_of_it.recipients[0].subtract_fee = true;
    let preview = wallet.preview(&all_of_it).unwrap().unwrap();
    assert_eq!((preview.total, preview.change, preview.amounts[0]), (50 * COIN, 0, 50 * COIN - preview.fee));
    assert!(matches!(
        problem(&SendRequest { fee: FeeChoice::Rate(1), ..pay(&other(9), COIN) }),
        SendProblem::Fee(_)
    ));
    assert!(matches!(problem(&SendRequest { recipients: vec![], ..pay("", 1) }), SendProblem::Other(_)));
    let two = SendRequest {
        recipients: [pay(&other(1), COIN), pay(&other(2), 2 * COIN)]
            .into_iter()
            .flat_map(|r| r.recipients)
            .collect(),
        ..pay("", 1)
    };
    assert_eq!(wallet.preview(&two).unwrap().unwrap().amounts, [COIN, 2 * COIN]);
    let levels = wallet.fee_levels(&[1, 6, 0]).unwrap();
    assert_eq!(levels.levels.iter().map(|l| l.target).collect::<Vec<_>>(), [1, 6]);
    assert!(levels.required > 0 && levels.max_fee > 0);

    let watching = NewWallet { name: "eye".into(), disable_private_keys: true, ..NewWallet::default() };
    wallets.create(watching).unwrap().result.unwrap();
    let eye = wallets.wallet("eye").unwrap().unwrap();
    assert!(!eye.info().unwrap().private_keys && eye.info().unwrap().address_kinds.is_empty());
    let order = self::order(wallet.as_ref(), &pay(&other(9), COIN), 9, "");
    assert_eq!(eye.send(order).unwrap(), Err(SendProblem::NoPrivateKeys));
    assert!(setup.chain.inner().mempool.is_empty());
}

#[test]
fn an_encrypted_wallet_is_open_for_one_payment_only() {
    let (setup, wallets, plain) = funded(1);
    let new =
        NewWallet { name: "safe".into(), passphrase: SecureString::from("horse"), ..NewWallet::default() };
    wallets.create(new).unwrap().result.unwrap();
    let safe = wallets.wallet("safe").unwrap().unwrap();
    let snapshot = safe.snapshot().unwrap();
    assert!(snapshot.encrypted && snapshot.locked);
    let request = safe.new_receive_request(NewReceiveRequest::default()).unwrap().unwrap();
    plain.send(order(plain.as_ref(), &pay(&request.address, 10 * COIN), 1, "")).unwrap().unwrap();
    setup.chain.confirm();
    let pay = pay(&other(9), COIN);
    let send = |token, passphrase| safe.send(order(safe.as_ref(), &pay, token, passphrase)).unwrap();
    assert_eq!(send(2, ""), Err(SendProblem::Locked));
    assert_eq!(send(2, "mule"), Err(SendProblem::WrongPassphrase));
    assert!(setup.chain.inner().mempool.is_empty());
    assert!(send(2, "horse").is_ok());
    assert!(safe.snapshot().unwrap().locked);
}

#[test]
fn the_list_is_filtered_sorted_and_paged() {
    let (setup, _, wallet) = funded(5);
    let mut request = pay(&other(9), COIN);
    request.recipients[0].label = "Müller".into();
    let sent = wallet.send(order(wallet.as_ref(), &request, 1, "")).unwrap().unwrap();
    let page = wallet.transactions(&all()).unwrap();
    assert_eq!((page.matching, page.total, page.rows.len()), (6, 6, 6));
    let newest = &page.rows[0];
    assert_eq!((newest.txid, newest.kind, newest.status), (sent.txid, TxKind::Sent, TxStatus::Unconfirmed));
    assert_eq!((newest.label.as_str(), newest.address.as_str()), ("Müller", other(9).as_str()));
    assert!(newest.amount < -COIN);
    assert!(matches!(page.rows[5].status, TxStatus::Confirmed { depth: 125 }));
    assert_eq!(page.rows[5].kind, TxKind::Mined);

    let count = |filter: TxFilter| wallet.transactions(&TxQuery { filter, ..all() }).unwrap().matching;
    assert_eq!(count(TxFilter { text: "MÜLL".into(), ..TxFilter::default() }), 1);
    assert_eq!(
        count(TxFilter { text: sent.txid.to_string()[10..30].to_uppercase(), ..TxFilter::default() }),
        1
    );
    assert_eq!(count(TxFilter { text: "nowhere".into(), ..TxFilter::default() }), 0);
    assert_eq!(count(TxFilter { kinds: TxKind::Mined.bit(), ..TxFilter::default() }), 5);
    assert_eq!(count(TxFilter { min_amount: 2 * COIN, ..TxFilter::default() }), 5);
    let time = newest.time;
    // The clock of the test stands still.
    for (at, before) in [(time, 0), (time + 1, 6)] {
        assert_eq!(count(TxFilter { until: Some(at), ..TxFilter::default() }), before);
        assert_eq!(count(TxFilter { from: Some(at), ..TxFilter::default() }), 6 - before);
    }
    let sort = TxSort { column: TxSortColumn::Amount, descending: false };
    let sorted = wallet.transactions(&TxQuery { sort, offset: 1, limit: 2, ..all() }).unwrap();
    assert_eq!(sorted.rows.iter().map(|r| r.amount).collect::<Vec<_>>(), [50 * COIN; 2]);
    assert_eq!(wallet.transactions(&TxQuery { offset: 999, ..all() }).unwrap().rows, []);

    wallet.set_label(&other(9), "Schmidt").unwrap().unwrap();
    assert!(wallet.set_label("nonsense", "x").unwrap().is_err());
    let page = wallet.transactions(&all()).unwrap();
    assert_eq!(page.rows[0].label, "Schmidt");
    setup.chain.confirm();
    let page = wallet.transactions(&all()).unwrap();
    assert_eq!(page.rows[0].status, TxStatus::Confirming { depth: 1 });
    let details = wallet.transaction(sent.txid).unwrap().unwrap();
    assert_eq!(details.credit - details.debit, page.rows[0].amount);
    assert_eq!(details.fee, Some(-page.rows[0].amount - COIN));
    assert_eq!(wallet.transaction(grs_hashes::Txid::from_bytes([0; 32])).unwrap(), None);
    assert_eq!(wallet.snapshot().unwrap().recent.len(), 5);
}

#[test]
fn requests_for_payment_are_kept() {
    let (mut setup, _, wallet) = funded(0);
    assert_eq!(wallet.info().unwrap().address_kinds, AddressKind::ALL);
    let ask = |kind, label: &str| NewReceiveRequest {
        address_kind: kind,
        label: label.into(),
        amount: COIN,
        message: "for lunch".into(),
    };
    let first = wallet.new_receive_request(ask(AddressKind::Bech32, "Ada")).unwrap().unwrap();
    let second = wallet.new_receive_request(ask(AddressKind::Bech32m, "Bob")).unwrap().unwrap();
    assert!(first.address.starts_with("grsrt1q") && second.address.starts_with("grsrt1p"));
    assert_eq!(wallet.label(&first.address).unwrap(), "Ada");
    assert_eq!(wallet.receive_requests().unwrap(), [second.clone(), first.clone()]);
    setup.stop();
    assert!(setup.start());
    let wallet = setup.loader.as_ref().unwrap().gui_wallets().unwrap().wallet("w").unwrap().unwrap();
    assert_eq!(wallet.receive_requests().unwrap(), [second.clone(), first.clone()]);
    let before = wallet.snapshot().unwrap().requests_version;
    assert!(wallet.remove_receive_request(&second.address, second.id).unwrap());
    assert!(!wallet.remove_receive_request(&second.address, second.id).unwrap());
    assert_eq!(wallet.receive_requests().unwrap(), [first]);
    assert_ne!(wallet.snapshot().unwrap().requests_version, before);
}

struct Told<T>(Mutex<Sender<Option<T>>>);

impl<T: Send> Told<T> {
    fn new() -> (Arc<Told<T>>, impl Fn() -> Option<T>) {
        let (tell, told) = channel();
        (Arc::new(Told(Mutex::new(tell))), move || told.recv_timeout(Duration::from_secs(20)).unwrap())
    }

    fn tell(&self, news: Option<T>) -> CallResult<()> {
        self.0.lock().unwrap().send(news).map_err(|_| grs_interfaces::CallError::Cancelled)
    }
}

impl WalletSubscriber for Told<WalletSnapshot> {
    fn update(&self, snapshot: WalletSnapshot) -> CallResult<()> {
        self.tell(Some(snapshot))
    }

    fn unloaded(&self) -> CallResult<()> {
        self.tell(None)
    }
}

impl WalletsSubscriber for Told<Vec<String>> {
    fn loaded(&self, names: Vec<String>) -> CallResult<()> {
        self.tell(Some(names))
    }
}

#[test]
fn changes_are_told() {
    let (setup, wallets, wallet) = funded(1);
    let (names, next_names) = Told::<Vec<String>>::new();
    let _names = wallets.subscribe(names).unwrap();
    assert_eq!(next_names(), Some(vec!["w".to_owned()]));
    let (news, next) = Told::<WalletSnapshot>::new();
    let _news = wallet.subscribe(news).unwrap();
    assert_eq!(next().unwrap().balances.available, 50 * COIN);
    let script = setup.new_script();
    setup.chain.mine(&script, &[]);
    let immature = loop {
        let snapshot = next().unwrap();
        if snapshot.balances.immature > 0 {
            break snapshot;
        }
    };
    assert_eq!((immature.balances.immature, immature.transactions), (50 * COIN, 2));
    assert!(wallets.open("w").unwrap().result.is_err());
    // A window that watches does not keep a wallet from being closed.
    assert_eq!(wallets.close("w").unwrap(), Ok(()));
    assert_eq!(next_names(), Some(vec![]));
    while next().is_some() {}
    assert!(wallet.snapshot().is_err());
    assert!(wallets.wallet("w").unwrap().is_none());
    assert!(wallets.close("w").unwrap().is_err());
    let entry = &wallets.list().unwrap()[0];
    assert_eq!((entry.name.as_str(), entry.loaded, entry.format.as_str()), ("w", false, "sqlite"));
    wallets.open("w").unwrap().result.unwrap();
    assert_eq!(next_names(), Some(vec!["w".to_owned()]));
}

/// Prints medians: opening the list, each letter of a filter, each order.
/// `cargo test --release -p grs-wallet --test gui slow_ -- --ignored --nocapture`
#[test]
#[ignore = "makes a wallet of 100,000 transactions, which takes a minute"]
fn slow_a_hundred_thousand_transactions_are_filtered() {
    const BLOCKS: u32 = 100;
    const IN_A_BLOCK: u32 = 1000;
    let (setup, wallets, _) = funded(0);
    let scripts: Vec<Script> = (0..100)
        .map(|n| {
            let label = format!("Customer {n}");
            let address = setup.call("getnewaddress", json!([label]));
            setup.script(address.as_str().unwrap())
        })
        .collect();
    for block in 0..BLOCKS {
        let pay = |n: u32| {
            let number = block * IN_A_BLOCK + n;
            let mut from = [7; 32];
            from[..4].copy_from_slice(&number.to_le_bytes());
            let mut tx = grs_primitives::MutableTransaction::default();
            tx.inputs.push(grs_primitives::TxIn::new(
                grs_primitives::OutPoint { txid: grs_hashes::Txid::from_bytes(from), vout: 0 },
                0xffff_ffff,
            ));
            tx.outputs.push(grs_primitives::TxOut::new(
                grs_primitives::Amount(COIN + i64::from(number)),
                scripts[(number % 100) as usize].clone(),
            ));
            grs_primitives::TxRef::new(tx.into())
        };
        let txs: Vec<_> = (0..IN_A_BLOCK).map(pay).collect();
        setup.chain.mine(&nobody(), &txs);
    }
    let wallet = wallets.wallet("w").unwrap().unwrap();
    let timed = |query: &TxQuery| {
        let start = std::time::Instant::now();
        let page = wallet.transactions(query).unwrap();
        (start.elapsed(), page)
    };
    let query = |text: &str, column, descending| TxQuery {
        filter: TxFilter { text: text.into(), ..TxFilter::default() },
        sort: TxSort { column, descending },
        offset: 0,
        limit: 200,
    };
    // A window has asked for the newest transactions already when the list is opened.
    let (first, page) = timed(&query("", TxSortColumn::Date, false));
    assert_eq!(page.total, BLOCKS * IN_A_BLOCK);
    println!("rows made once, as the wallet is shown: {first:?}");
    println!("open: {:?}", timed(&query("", TxSortColumn::Date, true)).0);
    let median = |name: &str, queries: Vec<TxQuery>| {
        let mut times: Vec<Duration> = queries.iter().map(|query| timed(query).0).collect();
        times.sort();
        println!("{name}: median {:?}, worst {:?}", times[times.len() / 2], times[times.len() - 1]);
    };
    let letters = |text: &str, column| -> Vec<TxQuery> {
        (1..=text.len()).map(|end| query(&text[..end], column, true)).collect()
    };
    median("letters of a label", letters("customer 42", TxSortColumn::Date));
    median("letters of an address", letters("grsrt1qxyz", TxSortColumn::Date));
    median("letters of a transaction", letters("abcdef0123", TxSortColumn::Date));
    median("letters of a label, by label", letters("customer 42", TxSortColumn::Label));
    let columns = [
        TxSortColumn::Status,
        TxSortColumn::Date,
        TxSortColumn::Kind,
        TxSortColumn::Label,
        TxSortColumn::Amount,
    ];
    median("orders", columns.into_iter().map(|column| query("", column, false)).collect());
    median(
        "pages",
        (0..50).map(|n| TxQuery { offset: n * 2000, ..query("", TxSortColumn::Date, true) }).collect(),
    );
    let (_, found) = timed(&query("customer 42", TxSortColumn::Date, true));
    assert_eq!(found.matching, BLOCKS * IN_A_BLOCK / 100);
}
