//! The choice of the fee.

use egui::{ComboBox, RichText, Ui};
use grs_gui_core::pages::send::{FeeMode, TARGETS};
use grs_gui_core::texts::Count;
use grs_gui_core::{App, Text, format, validate};
use grs_interfaces::FeeReason;

use super::State;
use crate::icons::Icon;
use crate::theme;
use crate::widgets;

/// Draws it.
pub fn show(ui: &mut Ui, app: &mut App, state: &State) {
    widgets::heading(ui, Text::SendFee.s());
    ui.horizontal(|ui| {
        for (mode, text) in [(FeeMode::Target, Text::SendFeeTarget), (FeeMode::Rate, Text::SendFeeRate)] {
            ui.radio_value(&mut app.send.fee_mode, mode, text.s());
        }
    });
    let (name, value) = match app.send.fee_mode {
        FeeMode::Target => {
            target(ui, app);
            let level = app.send.level(&app.view);
            let rate = level.map_or_else(|| Text::None.s().to_owned(), |l| format::fee_rate(l.rate));
            (Text::SendRateShown.s(), rate)
        }
        FeeMode::Rate => {
            rate(ui, app, state);
            (Text::SendTime.s(), app.send.resulting_time(&app.view))
        }
    };
    widgets::name_value(ui, RichText::new(name).color(theme::of(ui).weak), value);
    let fallback = app.send.level(&app.view).is_some_and(|level| level.source == FeeReason::Fallback);
    if fallback && app.send.fee_mode == FeeMode::Target {
        widgets::notice(ui, theme::of(ui).warning, Icon::Warning, Text::SendFallback.s(), |_| ());
    }
    ui.checkbox(&mut app.send.replaceable, Text::SendReplaceable.s());
}

fn time(app: &App, target: u32) -> String {
    let spacing = i64::from(app.view.info.as_ref().map_or(60, |info| info.block_spacing));
    let span = format::rough_span(i64::from(target) * spacing);
    Count::Blocks.with(u64::from(target), &[("time", &span)])
}

fn target(ui: &mut Ui, app: &mut App) {
    let target = app.send.target;
    let list = ComboBox::from_id_salt("target").selected_text(time(app, target)).width(ui.available_width());
    let choices = TARGETS.map(|target| (target, time(app, target)));
    if let Some(chosen) = widgets::choose(ui, Text::SendTarget.s(), list, &target, choices) {
        app.send.target = chosen;
        app.settings.fee_target = chosen;
    }
}

fn rate(ui: &mut Ui, app: &mut App, state: &State) {
    let response = widgets::text_field(ui, Text::SendRate.s(), &mut app.send.rate, "");
    if state.to_problem && app.send.rate.error.is_some() {
        response.request_focus();
    }
    if response.changed() {
        let levels = app.view.wallet.as_ref().and_then(|wallet| wallet.fees.as_deref());
        if let Ok(rate) = validate::fee_rate(&app.send.rate.text, levels) {
            app.settings.fee_rate = Some(rate);
        }
    }
}
