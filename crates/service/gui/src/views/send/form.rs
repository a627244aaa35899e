//! The form of a payment.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::Duration;

use egui::{Event, Label, RichText, Ui};
use grs_gui_core::amount::{Unit, format_masked, format_with_unit};
use grs_gui_core::{App, Text, format, uri};
use grs_params::Network;

use super::recipient::Wish;
use super::{State, fee, problem, recipient};
use crate::icons::Icon;
use crate::theme::{self, SPACE};
use crate::{shortcuts, widgets};

/// The preview is asked for when the user has not typed for so long, in seconds.
const PAUSE: f64 = 0.3;
/// Width of the part with the fee.
const SIDE: f32 = 340.0;

/// Draws the form; `active` is false while the wallet works on the review.
pub fn show(ui: &mut Ui, app: &mut App, state: &mut State, active: bool) {
    take_paste(ui, app, state);
    ui.add_enabled_ui(active, |ui| {
        widgets::with_side(ui, SIDE, |ui, side| match side {
            false => {
                recipients(ui, app, state);
                buttons(ui, app, state);
                problem(ui, app);
            }
            true => {
                widgets::card(ui, |ui| fee::show(ui, app, state));
                state.to_problem = false;
                live(ui, app, state);
                widgets::card(ui, |ui| estimate(ui, app, state, active));
            }
        });
    });
}

fn recipients(ui: &mut Ui, app: &mut App, state: &mut State) {
    let mut wish = None;
    let alone = app.send.recipients.len() == 1;
    for at in 0..app.send.recipients.len() {
        let number = (!alone).then_some(at + 1);
        let card =
            widgets::card(ui, |ui| recipient::show(ui, &mut app.send.recipients[at], at, number, state));
        wish = wish.or(card.inner.map(|wish| (at, wish)));
    }
    let unit = app.settings.unit;
    match wish {
        None => {}
        Some((at, Wish::Paste)) => ask_paste(ui, state, at),
        Some((at, Wish::Remove)) => app.send.remove_recipient(at, unit),
        Some((at, Wish::UseAvailable)) => app.send.use_available(at, &app.view),
        Some((at, Wish::Unit(unit))) => app.send.recipients[at].set_unit(unit),
        Some((at, Wish::Label)) => app.send.ask_label(at, &app.view, app.backend.as_ref()),
    }
}

/// The clipboard comes as an event in one of the next frames.
fn ask_paste(ui: &Ui, state: &mut State, at: usize) {
    state.paste_into = Some(at);
    ui.ctx().send_viewport_cmd(egui::ViewportCommand::RequestPaste);
}

/// A URI that is pasted fills the whole recipient, and the button pastes wherever the keyboard is.
fn take_paste(ui: &Ui, app: &mut App, state: &mut State) {
    if ui.input_mut(|i| i.consume_shortcut(&shortcuts::PASTE)) {
        ask_paste(ui, state, state.at.min(app.send.recipients.len().saturating_sub(1)));
    }
    let in_address = recipient::focused_address(ui, app.send.recipients.len());
    let wanted = |text: &str| state.paste_into.or(in_address.filter(|_| uri::looks_like_uri(text)));
    let taken = ui.input_mut(|input| {
        let found = input.events.iter().position(|event| match event {
            Event::Paste(text) => wanted(text).is_some(),
            _ => false,
        })?;
        match input.events.remove(found) {
            Event::Paste(text) => Some(text),
            _ => None,
        }
    });
    let Some(text) = taken else { return };
    let Some(at) = wanted(&text) else { return };
    state.paste_into = None;
    let network = Network::from_name(app.view.network()).unwrap_or(Network::Main);
    match app.send.paste(at, &text, network) {
        Ok(()) => app.send.ask_label(at, &app.view, app.backend.as_ref()),
        Err(problem) => app.send.problem = Some(problem),
    }
}

/// What a preview depends on.
fn fingerprint(app: &App) -> u64 {
    let mut hash = DefaultHasher::new();
    for r in &app.send.recipients {
        (&r.address.text, &r.label.text, &r.amount.text, r.unit, r.subtract_fee).hash(&mut hash);
    }
    let fees = app.view.wallet.as_ref().is_some_and(|wallet| wallet.fees.is_some());
    (app.send.fee_mode, app.send.target, &app.send.rate.text, app.send.replaceable).hash(&mut hash);
    (app.view.wallet_name(), app.view.wallet_fresh(), fees).hash(&mut hash);
    hash.finish()
}

/// Fee and total of what is in the form, once the user pauses. What a review said stays until something is changed.
fn live(ui: &Ui, app: &mut App, state: &mut State) {
    let now = ui.input(|i| i.time);
    let form = fingerprint(app);
    let empty = app.send.recipients.iter().all(|r| r.is_empty());
    if state.form != Some(form) {
        // Another wallet or new fee rates alone do not take back what was said.
        if state.form.is_some() && state.typed.is_none() && !empty {
            app.send.problem = None;
        }
        state.form = Some(form);
        state.typed = (!empty).then_some(now);
        state.awaiting = false;
        state.preview = None;
    }
    if let Some(typed) = state.typed {
        let left = typed + PAUSE - now;
        if left > 0.0 {
            ui.ctx().request_repaint_after(Duration::from_secs_f64(left));
            return;
        }
        state.typed = None;
        state.awaiting = true;
        app.send.ask_live(&app.view, app.backend.as_ref());
        // The answer may be there already.
        ui.ctx().request_repaint();
    } else if state.awaiting {
        state.preview = app.send.live_preview(&app.view);
        state.awaiting = state.preview.is_none() && app.send.live_problem.is_none();
    }
}

fn estimate(ui: &mut Ui, app: &mut App, state: &mut State, active: bool) {
    widgets::heading(ui, Text::SendEstimate.s());
    let p = theme::of(ui);
    let unit = app.settings.unit;
    let line = |ui: &mut Ui, name: Text, value: RichText| {
        widgets::name_value(ui, RichText::new(name.s()).color(p.weak), value);
    };
    let none = || RichText::new(Text::None.s()).color(p.weak);
    if let Some(preview) = &state.preview {
        line(ui, Text::ReviewFee, RichText::new(format_with_unit(unit, preview.fee)));
        let rate = Text::ReviewRateValue
            .with(&[("rate", &format::fee_rate(preview.fee_rate)), ("vsize", &preview.vsize)]);
        line(ui, Text::ReviewRate, RichText::new(rate));
        line(ui, Text::ReviewTotal, RichText::new(format_with_unit(unit, preview.total)).strong());
        let others = Unit::ALL.into_iter().filter(|other| *other != unit);
        let others: Vec<String> = others.map(|other| format_with_unit(other, preview.total)).collect();
        widgets::equals(ui, &others);
    } else {
        line(ui, Text::ReviewFee, none());
        line(ui, Text::ReviewTotal, none());
        if let Some(problem) = &app.send.live_problem {
            ui.add(Label::new(RichText::new(problem).color(p.error)).wrap());
        }
    }
    ui.add_space(SPACE / 2.0);
    if !active {
        ui.label(Text::SendPreparing.s());
    } else if widgets::primary_button(ui, Text::SendReview.s(), true).clicked() {
        (state.typed, state.awaiting) = (None, false);
        // Fields above have been drawn already: the keyboard goes there in the next frame.
        state.to_problem = !app.send.review(&app.view, app.backend.as_ref());
        ui.ctx().request_repaint();
    }
}

fn buttons(ui: &mut Ui, app: &mut App, state: &mut State) {
    let unit = app.settings.unit;
    let available = app.view.wallet.as_ref().map_or(0, |wallet| wallet.snapshot.balances.available);
    let shown = match app.settings.mask_values {
        true => format_masked(unit, available),
        false => format_with_unit(unit, available),
    };
    let weak = theme::of(ui).weak;
    let (mut add, mut clear) = (false, false);
    widgets::split_row(
        ui,
        "buttons of send",
        |ui| {
            add = widgets::icon_text_button(ui, Icon::Add, Text::SendAdd.s(), true).clicked();
            clear = ui.button(Text::SendClear.s()).clicked();
        },
        |ui| {
            let text = RichText::new(Text::SendAvailable.with(&[("amount", &shown)])).color(weak);
            ui.add(Label::new(text).selectable(true));
        },
    );
    if add && app.send.add_recipient(unit) {
        state.to_recipient = Some(app.send.recipients.len() - 1);
    } else if add {
        app.send.problem = Some(Text::SendTooMany.s().to_owned());
    }
    if clear {
        app.send.clear(unit);
        state.preview = None;
        state.to_recipient = Some(0);
    }
}
