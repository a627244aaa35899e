//! Every page and dialog, for pictures and measurements.

use std::sync::Arc;

use egui_kittest::kittest::Queryable;
use egui_kittest::{Harness, HarnessBuilder};
use grs_gui::Window;
use grs_gui_core::fake::NOW;
use grs_gui_core::pages::node_window::NodeTab;
use grs_gui_core::process::Ownership;
use grs_gui_core::{FakeSession, Link, Page, Settings, Text, Theme};

/// The test bed draws a margin of this width around the window.
pub const MARGIN: u32 = 8;
/// Size of the window.
pub const SIZE: [u32; 2] = [1000, 700];

/// A window that is drawn without a display.
pub type Picture = Harness<'static, Window>;
/// Name, and what is done to get there.
pub type Scene = (&'static str, fn(&mut Picture, &FakeSession));

/// All pages and dialogs.
pub const SCENES: &[Scene] = &[
    ("overview", |_, _| {}),
    ("overview-hidden", |picture, _| picture.state_mut().app.settings.mask_values = true),
    ("send", |picture, _| fill_in(picture)),
    ("send-problems", |picture, _| {
        let app = page(picture, Page::Send);
        app.send.recipients[0].address.text = "grsrt1qnosuchaddress".into();
        app.send.recipients[0].amount.text = "1.5 coins".into();
        let (view, backend) = (app.view.clone(), app.backend.clone());
        app.send.review(&view, backend.as_ref());
    }),
    ("send-review", |picture, session| {
        session.change(|view| {
            if let Some(wallet) = &mut view.wallet {
                let wallet = Arc::make_mut(wallet);
                let snapshot = Arc::make_mut(&mut wallet.snapshot);
                (snapshot.encrypted, snapshot.locked) = (true, true);
            }
        });
        fill_in(picture);
        click(picture, Text::SendReview);
    }),
    ("send-result", |picture, _| {
        fill_in(picture);
        click(picture, Text::SendReview);
        let app = &mut picture.state_mut().app;
        let (view, backend) = (app.view.clone(), app.backend.clone());
        app.send.confirm(&view, backend.as_ref());
    }),
    ("receive", |picture, _| {
        let app = page(picture, Page::Receive);
        let requests = app.receive.history(&app.view);
        app.receive.shown = requests.first().cloned();
    }),
    ("receive-empty", |picture, _| {
        page(picture, Page::Receive);
    }),
    ("transactions", |picture, _| {
        let app = page(picture, Page::Transactions);
        let row = app.view.wallet.as_ref().and_then(|w| w.transactions.row(4).cloned());
        app.transactions.selected = row.map(|row| (row.txid, row.index));
    }),
    ("transaction-details", |picture, _| {
        let app = page(picture, Page::Transactions);
        let row = app.view.wallet.as_ref().and_then(|w| w.transactions.row(4).cloned());
        let backend = app.backend.clone();
        if let Some(row) = row {
            app.transactions.show_details(row.txid, backend.as_ref());
        }
    }),
    ("node-information", |picture, _| node(picture, NodeTab::Information)),
    ("node-console", |picture, _| node(picture, NodeTab::Console)),
    ("node-traffic", |picture, _| node(picture, NodeTab::Traffic)),
    ("node-peers", |picture, _| {
        picture.state_mut().app.node_window.selected = Some(3);
        node(picture, NodeTab::Peers);
    }),
    ("sync", |_, session| {
        session.change(|view| {
            if let Some(node) = &mut view.node {
                let sync = &mut Arc::make_mut(node).sync;
                (sync.blocks, sync.headers, sync.progress) = (2_345_678, 5_432_100, 0.4321);
                sync.tip_time = NOW - 86_400 * 400;
            }
            (view.sync_rate.per_hour, view.sync_rate.seconds_left) = (Some(0.05), Some(41_000));
        });
    }),
    ("create-wallet", |picture, _| {
        let app = &mut picture.state_mut().app;
        let backend = app.backend.clone();
        app.wallet_menu.start_create(backend.as_ref());
        if let Some(form) = &mut app.wallet_menu.create {
            form.name.text = "Holidays".into();
        }
    }),
    ("splash", |picture, session| {
        session.change(|view| {
            view.link = Link::Connecting;
            view.wallet = None;
            let mut node = view.node.as_deref().cloned().unwrap_or_default();
            node.init_message = "Verifying blocks…".into();
            view.node = Some(Arc::new(node));
        });
        picture.state_mut().show_splash();
    }),
    ("no-wallet", |_, session| {
        session.change(|view| {
            view.wallet = None;
            view.loaded = Arc::default();
        });
    }),
    ("node-lost", |_, session| session.lose_node("The node process was ended by signal 9.")),
    ("menu", |picture, _| {
        picture.get_by_label(Text::MenuFile.s()).click();
    }),
    ("closing", |_, session| session.change(|view| view.link = Link::Stopping)),
    ("about", |picture, _| picture.state_mut().app.about_open = true),
];

fn page(picture: &mut Picture, page: Page) -> &mut grs_gui_core::App {
    let app = &mut picture.state_mut().app;
    app.page = page;
    app
}

fn node(picture: &mut Picture, tab: NodeTab) {
    let app = &mut picture.state_mut().app;
    app.node_window_open = true;
    app.node_window.tab = tab;
}

fn click(picture: &mut Picture, text: Text) {
    picture.get_by_label(text.s()).click();
    picture.run_ok();
}

fn fill_in(picture: &mut Picture) {
    let app = page(picture, Page::Send);
    let requests = app.receive.history(&app.view);
    let recipient = &mut app.send.recipients[0];
    recipient.address.text = requests.last().map(|request| request.address.clone()).unwrap_or_default();
    recipient.label.text = "Bakery Müller".into();
    recipient.amount.text = "12.5".into();
    // The preview comes when the user has paused.
    picture.run_steps(6);
    std::thread::sleep(std::time::Duration::from_millis(1));
    picture.run_steps(8);
}

/// A window at a scene, over so many transactions.
pub fn at(scene: &Scene, theme: Theme, transactions: u32, builder: HarnessBuilder<Window>) -> Picture {
    let session = FakeSession::new(transactions);
    session.change(|view| view.ownership = Ownership::Started);
    let mut settings = Settings::default();
    settings.theme = theme;
    let size = SIZE.map(|edge| (edge + 2 * MARGIN) as f32);
    let builder = builder.with_size(size).with_render_cursor(false);
    let mut picture = super::window_of(&session, settings, builder);
    picture.run_ok();
    (scene.1)(&mut picture, &session);
    picture.run_ok();
    picture.run_steps(4);
    picture
}

/// A test bed that draws, or why there is none.
pub fn renderer() -> Result<HarnessBuilder<Window>, String> {
    // Where no graphics interface is found, the test bed panics.
    std::panic::catch_unwind(|| Harness::builder().wgpu())
        .map_err(|_| "there is no Vulkan (Debian: mesa-vulkan-drivers)".to_owned())
}
