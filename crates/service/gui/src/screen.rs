//! The windows of a program, one after the other: questions of the start, then the window itself.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::{Arc, Mutex, PoisonError};

use egui::{CentralPanel, Context, Frame, Margin, Ui, Vec2, ViewportBuilder, ViewportCommand};
use grs_gui_core::pages::first_run::{FirstRun, FirstRunChoice};
use grs_gui_core::{Backend, Session, Text, View};
use grs_gui_start::{FirstRunStep, Screen, Start};
use grs_params::Network;

use crate::icons::window_icon;
use crate::run::{self, APP_ID};
use crate::theme;
use crate::views::{first_run, question};

const QUESTION_SIZE: Vec2 = Vec2::new(560.0, 260.0);
const FIRST_RUN_SIZE: Vec2 = Vec2::new(720.0, 620.0);

/// Shows windows of the window system.
#[derive(Debug, Default, Clone, Copy)]
pub struct NativeScreen;

/// A window that asks something and closes with the answer.
struct Asking<T, F: FnMut(&mut Ui) -> Option<T>> {
    draw: F,
    answer: Rc<RefCell<Option<T>>>,
}

impl<T, F: FnMut(&mut Ui) -> Option<T>> eframe::App for Asking<T, F> {
    fn ui(&mut self, ui: &mut Ui, _frame: &mut eframe::Frame) {
        let p = theme::of(ui);
        let frame = Frame::new().fill(p.background).inner_margin(Margin::same(20));
        let answer = CentralPanel::default().frame(frame).show(ui, |ui| (self.draw)(ui)).inner;
        if let Some(answer) = answer {
            *self.answer.borrow_mut() = Some(answer);
            ui.ctx().send_viewport_cmd(ViewportCommand::Close);
        }
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}

/// Opens a window that asks; `None` if it was closed without an answer. `make` gets what asks for another frame.
fn ask<T: 'static, F: FnMut(&mut Ui) -> Option<T> + 'static>(
    title: &str,
    size: Vec2,
    make: impl FnOnce(&Context) -> F + 'static,
) -> Result<Option<T>, String> {
    let answer = Rc::new(RefCell::new(None));
    let given = answer.clone();
    let viewport = ViewportBuilder::default()
        .with_app_id(APP_ID)
        .with_title(title)
        .with_icon(window_icon(Network::Main))
        .with_inner_size(size);
    run::open(viewport, move |ctx| {
        theme::apply(ctx, Network::Main);
        Box::new(Asking { draw: make(ctx), answer: given })
    })
    .map_err(|e| e.to_string())?;
    let answer = answer.borrow_mut().take();
    Ok(answer)
}

impl Screen for NativeScreen {
    fn error(&self, text: &str) {
        let text = text.to_owned();
        let title = Text::StartErrorTitle.s();
        let draw = move |ui: &mut Ui| question::show(ui, title, &text, &[Text::ActionClose.s()]);
        // It is on standard error already; without a display there is no more to do.
        let _ = ask(Text::ProgramName.s(), QUESTION_SIZE, |_| draw);
    }

    fn reset(&self, question: &str) -> bool {
        let text = question.to_owned();
        let title = Text::StartErrorTitle.s();
        let buttons = [Text::ResetAccept.s(), Text::ResetAbort.s()];
        let draw = move |ui: &mut Ui| question::show(ui, title, &text, &buttons);
        matches!(ask(Text::ProgramName.s(), QUESTION_SIZE, |_| draw), Ok(Some(0)))
    }

    fn first_run(&self, step: &FirstRunStep) -> Result<Option<FirstRunChoice>, String> {
        // The page is made before its window, and asks for frames as soon as there is one.
        let window: Arc<Mutex<Option<Context>>> = Arc::default();
        let shown = window.clone();
        let repaint = move || {
            if let Some(ctx) = shown.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
                ctx.request_repaint();
            }
        };
        let mut page: FirstRun = step.page(Arc::new(repaint)).map_err(|e| e.to_string())?;
        let draw = move |ui: &mut Ui| match first_run::show(ui, &mut page)? {
            first_run::Answer::Accept => page.accept().map(Some),
            first_run::Answer::Quit => Some(None),
        };
        let answer = ask(Text::ProgramName.s(), FIRST_RUN_SIZE, move |ctx: &Context| {
            *window.lock().unwrap_or_else(PoisonError::into_inner) = Some(ctx.clone());
            draw
        })?;
        Ok(answer.flatten())
    }

    fn window(&self, start: Box<Start>) -> Result<Arc<View>, String> {
        let session: Rc<RefCell<Option<Result<Arc<Session>, String>>>> = Rc::default();
        let made = session.clone();
        let uris = Arc::new(Mutex::new(Vec::new()));
        let arrived = uris.clone();
        let listener = Rc::new(RefCell::new(None));
        let kept = listener.clone();
        let network = start.plan.network;
        let drawn = run::Start {
            settings: start.settings.clone(),
            store: Some(start.store.clone()),
            minimized: start.minimized,
            uris: start.uris.clone(),
            arrived: uris,
            errors: start.notes.clone(),
            network,
            splash: start.splash && !start.minimized,
            connect: Box::new(move |repaint| {
                let again = repaint.clone();
                let on_uri = Arc::new(move |uri: String| {
                    arrived.lock().unwrap_or_else(PoisonError::into_inner).push(uri);
                    again();
                });
                *kept.borrow_mut() = start.listen_for_uris(on_uri);
                let session = start.session(repaint).map_err(|e| e.to_string());
                *made.borrow_mut() = Some(session.clone());
                Ok(session? as Arc<dyn Backend>)
            }),
        };
        let outcome = run::run(drawn).map_err(|e| e.to_string());
        drop(listener.borrow_mut().take());
        match session.borrow_mut().take() {
            Some(Ok(session)) => outcome.map(|()| session.view()),
            Some(Err(problem)) => Err(problem),
            None => Err(outcome.err().unwrap_or_default()),
        }
    }
}
