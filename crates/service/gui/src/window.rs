//! The main window: menus, tabs, messages, the page, the line below.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use egui::{Context, Frame, Key, Margin, Modifiers, Panel, RichText, Stroke, Ui, ViewportCommand};
use grs_gui_core::pages::splash;
use grs_gui_core::pages::status::{self, Severity};
use grs_gui_core::settings::ZOOM;
use grs_gui_core::{App, Command, Link, Page, SettingsStore, Text, Theme};
use grs_params::Network;

use crate::icons::{Icon, window_icon};
use crate::theme::{self, SPACE};
use crate::views::{self, ViewState};
use crate::{shortcuts, widgets};

/// The window without a window system.
pub struct Window {
    /// What is shown and decided.
    pub app: App,
    /// What the views remember between frames.
    pub state: ViewState,
    store: Option<SettingsStore>,
    /// Errors from before the window, shown in a dialog until the user closes it.
    pub start_errors: Vec<String>,
    /// `groestlcoin:` URIs to open as soon as the node answers.
    pub uris: Vec<String>,
    /// URIs that other programs hand over while the window is open.
    pub arrived: Arc<Mutex<Vec<String>>>,
    /// The network of the options, until the node says which it is.
    expected: Network,
    splash: bool,
    network: Option<Network>,
    theme: Option<Theme>,
    zoom: u32,
    title: String,
    clock: fn() -> i64,
    quitting: bool,
    closed: bool,
    place: Option<[f32; 4]>,
}

fn unix_now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_secs() as i64)
}

impl Window {
    /// A window over pages. Settings are saved to `store` when they change.
    pub fn new(app: App, store: Option<SettingsStore>) -> Window {
        Window {
            app,
            state: ViewState::default(),
            store,
            start_errors: Vec::new(),
            uris: Vec::new(),
            arrived: Arc::default(),
            expected: Network::Main,
            splash: false,
            network: None,
            theme: None,
            zoom: 0,
            title: String::new(),
            clock: unix_now,
            quitting: false,
            closed: false,
            place: None,
        }
    }

    /// The time comes from here, Unix seconds; for tests and pictures.
    pub fn with_clock(mut self, clock: fn() -> i64) -> Window {
        self.clock = clock;
        self
    }

    /// The network of the options, whose colours are shown until the node says which it is.
    pub fn on_network(mut self, network: Network) -> Window {
        self.expected = network;
        self
    }

    /// Shows what is being done until the node runs, instead of the pages.
    pub fn with_splash(mut self) -> Window {
        self.show_splash();
        self
    }

    /// As [`Window::with_splash`], later on.
    pub fn show_splash(&mut self) {
        self.splash = true;
    }

    /// What has to go on even while the window is not drawn, as when it is an icon.
    pub fn logic(&mut self, ctx: &Context) {
        self.close_requests(ctx);
    }

    /// Draws a frame into the whole of `ui`.
    pub fn ui(&mut self, ui: &mut Ui) {
        let now = (self.clock)();
        self.app.update(now);
        self.follow_settings(ui.ctx());
        self.open_uris();
        let dialog_open =
            views::dialogs::show(ui.ctx(), &mut self.app, &mut self.state, &mut self.start_errors);
        if !dialog_open {
            self.shortcuts(ui.ctx(), now);
        }
        if self.starting(ui, dialog_open) {
            return;
        }
        let p = theme::of(ui);
        let bar = |x, y| Frame::new().fill(p.surface).inner_margin(Margin::symmetric(x, y));
        Panel::top("menus")
            .frame(bar(8, 2))
            .show_separator_line(false)
            .show(ui, |ui| views::menu_bar::show(ui, &mut self.app, &mut self.state));
        Panel::top("tabs").frame(bar(12, 0)).show(ui, |ui| views::tabs::show(ui, &mut self.app));
        Panel::bottom("status")
            .frame(bar(12, 3))
            .show(ui, |ui| views::status_bar::show(ui, &mut self.app, now));
        let page = Frame::new().fill(p.background).inner_margin(Margin::symmetric(16, 12));
        egui::CentralPanel::default().frame(page).show(ui, |ui| self.page(ui, now));
        views::node_window::show(ui.ctx(), &mut self.app, &mut self.state, now);
        if std::mem::take(&mut self.state.quit) {
            self.begin_quit();
        }
        self.close_requests(ui.ctx());
        self.remember_place(ui.ctx());
        self.wake_up(ui.ctx(), now);
    }

    /// Draws what is being done while the node starts; false once there are pages to show.
    fn starting(&mut self, ui: &mut Ui, dialog_open: bool) -> bool {
        if !self.splash {
            return false;
        }
        let Some(splash) = splash::splash(&self.app.view, self.expected) else {
            self.splash = false;
            return false;
        };
        let p = theme::of(ui);
        let frame = Frame::new().fill(p.background).inner_margin(Margin::same(24));
        egui::CentralPanel::default().frame(frame).show(ui, |ui| views::splash::show(ui, &splash));
        if !dialog_open && ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Q)) {
            self.begin_quit();
        }
        self.close_requests(ui.ctx());
        true
    }

    /// Writes the settings, with the place of the window.
    pub fn save(&mut self) {
        self.app.settings.window = self.place.or(self.app.settings.window);
        self.store_settings();
    }

    fn follow_settings(&mut self, ctx: &Context) {
        let known = self.app.view.info.as_ref().and_then(|info| Network::from_name(&info.network));
        let network = known.unwrap_or(self.expected);
        if self.network != Some(network) {
            theme::apply(ctx, network);
            if self.network.is_some() || network != Network::Main {
                ctx.send_viewport_cmd(ViewportCommand::Icon(Some(window_icon(network).into())));
            }
            self.network = Some(network);
        }
        if self.theme != Some(self.app.settings.theme) {
            self.theme = Some(self.app.settings.theme);
            theme::choose(ctx, self.app.settings.theme);
        }
        if self.zoom != self.app.settings.zoom {
            self.zoom = self.app.settings.zoom;
            ctx.set_zoom_factor(self.zoom as f32 / 100.0);
        } else {
            // The toolkit's own keys for zoom: what they did is remembered.
            let zoom = (ctx.zoom_factor() * 100.0).round() as u32;
            self.app.settings.zoom = zoom.clamp(*ZOOM.start(), *ZOOM.end());
            self.zoom = zoom;
        }
        let title = status::window_title(&self.app.view);
        if title != self.title {
            ctx.send_viewport_cmd(ViewportCommand::Title(title.clone()));
            self.title = title;
        }
    }

    /// An address can be checked only once the network is known.
    fn open_uris(&mut self) {
        self.uris.append(&mut self.arrived.lock().unwrap_or_else(PoisonError::into_inner));
        if !self.uris.is_empty() && self.app.view.link.is_fresh() && self.app.view.info.is_some() {
            for uri in std::mem::take(&mut self.uris) {
                if let Err(problem) = self.app.open_uri(&uri) {
                    self.start_errors.push(problem);
                }
            }
        }
    }

    fn shortcuts(&mut self, ctx: &Context, now: i64) {
        if shortcuts::take(ctx, &mut self.app) {
            self.begin_quit();
        }
        views::node_window::shortcuts(ctx, &mut self.app);
        if self.app.overlay.visible(&self.app.view, now)
            && !egui::Popup::is_any_open(ctx)
            && ctx.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Escape))
        {
            self.app.overlay.hide();
        }
    }

    fn begin_quit(&mut self) {
        if !self.quitting {
            self.quitting = true;
            self.app.quit();
        }
    }

    /// The window stays until the session has ended, so that the user sees what goes on.
    fn close_requests(&mut self, ctx: &Context) {
        let link = self.app.backend.view().link.clone();
        let done = matches!(link, Link::Closed);
        if ctx.input(|i| i.viewport().close_requested()) && !done {
            // Asked a second time, or with nothing to wait for, it goes at once.
            if !self.quitting && !matches!(link, Link::Failed(_)) {
                ctx.send_viewport_cmd(ViewportCommand::CancelClose);
                self.begin_quit();
            }
        } else if done && !self.closed {
            self.closed = true;
            ctx.send_viewport_cmd(ViewportCommand::Close);
        }
    }

    fn page(&mut self, ui: &mut Ui, now: i64) {
        ui.spacing_mut().item_spacing.y = SPACE;
        self.banners(ui, now);
        let app = &mut self.app;
        if app.overlay.visible(&app.view, now) {
            return views::sync_overlay::show(ui, app, now);
        }
        if app.view.wallet.is_none() {
            return views::no_wallet::show(ui, app);
        }
        match app.page {
            Page::Overview => views::overview::show(ui, app, now),
            Page::Send => views::send::show(ui, app, &mut self.state),
            Page::Receive => views::receive::show(ui, app, &mut self.state),
            Page::Transactions if app.settings.mask_values => views::overview::masked(ui, app),
            Page::Transactions => views::transactions::show(ui, app, &mut self.state, now),
        }
    }

    fn banners(&mut self, ui: &mut Ui, now: i64) {
        let p = theme::of(ui);
        for banner in status::banners(&self.app.view, now) {
            let (colour, icon) = match banner.severity {
                Severity::Info => (p.accent, Icon::Info),
                Severity::Warning => (p.warning, Icon::Warning),
                Severity::Error => (p.error, Icon::Error),
            };
            let retry = widgets::notice(ui, colour, icon, &banner.text, |ui| {
                banner.retry && ui.button(Text::RetryNow.s()).clicked()
            });
            if retry {
                self.app.backend.send(Command::RetryNow);
            }
        }
        if let Some(stale) = status::stale(&self.app.view) {
            let frame = Frame::new()
                .stroke(Stroke::new(1.0, p.warning))
                .corner_radius(theme::RADIUS)
                .inner_margin(Margin::symmetric(8, 2));
            frame.show(ui, |ui| {
                ui.horizontal(|ui| {
                    ui.add(Icon::Clock.image(15.0, p.warning));
                    ui.label(RichText::new(stale).color(p.warning).strong());
                });
            });
        }
    }

    /// Kept until the window closes: writing it with each step of a drag would write hundreds of files.
    fn remember_place(&mut self, ctx: &Context) {
        let zoom = ctx.zoom_factor();
        let place = ctx.input(|i| {
            let viewport = i.viewport();
            let ordinary = [viewport.minimized, viewport.maximized, viewport.fullscreen];
            let size = viewport.inner_rect.filter(|_| !ordinary.contains(&Some(true)))?.size() * zoom;
            let corner = viewport.outer_rect.map_or(egui::Pos2::ZERO, |rect| rect.min) * zoom;
            Some([corner.x, corner.y, size.x, size.y])
        });
        self.place = place.filter(|[_, _, width, height]| *width > 1.0 && *height > 1.0).or(self.place);
    }

    fn store_settings(&mut self) {
        if let Some(store) = &mut self.store
            && let Err(e) = store.save(&self.app.settings)
        {
            tracing::warn!("settings of the window: {e}");
        }
    }

    /// Time goes on without news from the session: ages, and the countdown to the next try.
    fn wake_up(&mut self, ctx: &Context, now: i64) {
        self.store_settings();
        let counting = matches!(self.app.view.link, Link::Lost { .. });
        let ages = self.app.node_window_open || self.app.overlay.visible(&self.app.view, now);
        if counting || ages {
            ctx.request_repaint_after(Duration::from_secs(1));
        }
    }
}
