//! Opens the window: with OpenGL, and where that does not work, with the system's newer graphics interface.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use eframe::{NativeOptions, Renderer};
use egui::{Vec2, ViewportBuilder, ViewportCommand};
use grs_gui_core::{App, Backend, Settings, SettingsStore, Text};
use grs_params::Network;

use crate::icons::window_icon;
use crate::window::Window;

/// Name of the program for the window system.
pub const APP_ID: &str = "groestlcoin-gui";
const SIZE: Vec2 = Vec2::new(1000.0, 700.0);
const LEAST_SIZE: Vec2 = Vec2::new(640.0, 480.0);

/// Makes the session; gets what it has to call when there is something new to draw.
pub type Connect = Box<dyn FnOnce(Arc<dyn Fn() + Send + Sync>) -> Result<Arc<dyn Backend>, String>>;

/// What the window begins with.
pub struct Start {
    /// Makes the session.
    pub connect: Connect,
    /// What the user has chosen before.
    pub settings: Settings,
    /// Where that is kept.
    pub store: Option<SettingsStore>,
    /// Begin as an icon (`-min`).
    pub minimized: bool,
    /// The network of the options, until the node says which it is.
    pub network: Network,
    /// Show what is being done until the node runs (`-splash`).
    pub splash: bool,
    /// `groestlcoin:` URIs of the command line.
    pub uris: Vec<String>,
    /// Those that arrive later, from other programs.
    pub arrived: Arc<Mutex<Vec<String>>>,
    /// To show in a dialog before anything else.
    pub errors: Vec<String>,
}

/// The window could not be opened.
#[derive(Debug)]
pub struct RunError(String);

impl std::fmt::Display for RunError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for RunError {}

/// An attempt that did not work.
struct Failure {
    text: String,
    /// Another attempt makes no sense.
    last: bool,
}

/// The window in a window system.
struct Native(Window);

impl eframe::App for Native {
    fn logic(&mut self, ctx: &egui::Context, _frame: &mut eframe::Frame) {
        self.0.logic(ctx);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        self.0.ui(ui);
    }

    fn on_exit(&mut self, _gl: Option<&eframe::glow::Context>) {
        self.0.save();
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}

impl Start {
    fn open(self, ctx: &egui::Context) -> Result<Native, String> {
        let repaint = ctx.clone();
        let backend = (self.connect)(Arc::new(move || repaint.request_repaint()))?;
        let mut window = Window::new(App::new(backend, self.settings), self.store).on_network(self.network);
        if self.splash {
            window = window.with_splash();
        }
        window.start_errors = self.errors;
        window.uris = self.uris;
        window.arrived = self.arrived;
        if self.minimized {
            ctx.send_viewport_cmd(ViewportCommand::Minimized(true));
        }
        Ok(Native(window))
    }
}

fn viewport(start: &Start) -> ViewportBuilder {
    let viewport = ViewportBuilder::default()
        .with_app_id(APP_ID)
        .with_title(Text::ProgramName.s())
        .with_icon(window_icon(start.network))
        .with_min_inner_size(LEAST_SIZE)
        .with_inner_size(SIZE);
    match start.settings.window {
        Some([x, y, width, height]) => {
            viewport.with_position([x, y]).with_inner_size(Vec2::new(width, height).max(LEAST_SIZE))
        }
        None => viewport,
    }
}

/// Why it does not work, short.
fn cause(error: eframe::Error) -> String {
    let text = match error {
        eframe::Error::NoGlutinConfigs(..) => Text::RunNoOpenGl.s().to_owned(),
        other => other.to_string(),
    };
    // The window system's code puts the place in its source before what happened.
    let text = match text.split_once("os error at ").and_then(|(_, rest)| rest.split_once(": ")) {
        Some((_, rest)) => rest.to_owned(),
        None => text,
    };
    text.trim_end_matches('.').trim_end_matches(": {}").to_owned()
}

/// Opens the window and comes back when it is closed. Takes the calling thread, which must be the first one.
///
/// # Errors
/// If no graphics interface works, or the session cannot be made.
pub fn run(start: Start) -> Result<(), RunError> {
    let viewport = viewport(&start);
    let problem = Rc::new(RefCell::new(None));
    let told = problem.clone();
    open_or(viewport, move |ctx| match start.open(ctx) {
        Ok(native) => Ok(Box::new(native)),
        Err(text) => {
            *told.borrow_mut() = Some(text.clone());
            Err(text)
        }
    })
    .map_err(|error| problem.borrow_mut().take().map_or(error, RunError))
}

/// As [`run`], for a window that needs nothing but a display.
pub(crate) fn open(
    viewport: ViewportBuilder,
    make: impl FnOnce(&egui::Context) -> Box<dyn eframe::App> + 'static,
) -> Result<(), RunError> {
    open_or(viewport, move |ctx| Ok(make(ctx)))
}

fn open_or(
    viewport: ViewportBuilder,
    make: impl FnOnce(&egui::Context) -> Result<Box<dyn eframe::App>, String> + 'static,
) -> Result<(), RunError> {
    let make = Rc::new(RefCell::new(Some(make)));
    let attempt = |renderer| -> Result<(), Failure> {
        let make = make.clone();
        let create: eframe::AppCreator<'_> = Box::new(move |cc| {
            let make = make.borrow_mut().take().ok_or("the window is open already")?;
            egui_extras::install_image_loaders(&cc.egui_ctx);
            // Where the system does not say which it wants, as on X11.
            cc.egui_ctx.options_mut(|options| options.fallback_theme = egui::Theme::Light);
            Ok(make(&cc.egui_ctx)?)
        });
        let options = NativeOptions { viewport: viewport.clone(), renderer, ..NativeOptions::default() };
        // Where a library that is loaded at run time is missing, the window system's code panics.
        match catch_unwind(AssertUnwindSafe(|| eframe::run_native(APP_ID, options, create))) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => {
                let last = matches!(error, eframe::Error::WinitEventLoop(_));
                Err(Failure { text: cause(error), last })
            }
            Err(_) => Err(Failure { text: Text::RunPanicked.s().to_owned(), last: false }),
        }
    };
    let Err(opengl) = attempt(Renderer::Glow) else { return Ok(()) };
    tracing::warn!("OpenGL does not work: {}", opengl.text);
    // Without a display nothing else can work; and once there was a window, another one would begin anew.
    let second = if make.borrow().is_some() && !opengl.last {
        attempt(Renderer::Wgpu).map_err(|failure| failure.text)
    } else {
        Err(Text::RunNothing.s().to_owned())
    };
    let Err(wgpu) = second else { return Ok(()) };
    Err(RunError(Text::RunFailed.with(&[("opengl", &opengl.text), ("wgpu", &wgpu)])))
}
