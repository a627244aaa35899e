//! Balances and the newest transactions.

use egui::{
    Align2, FontId, Label, Rect, RichText, Role, Sense, Stroke, TextStyle, Ui, Vec2, WidgetInfo, pos2, vec2,
};
use grs_gui_core::amount::Unit;
use grs_gui_core::pages::transactions::{amount_text, is_pending, kind_name, label_text, row_text};
use grs_gui_core::pages::{overview, status, sync_overlay};
use grs_gui_core::{App, Page, Text, format};
use grs_interfaces::gui::{TxKind, TxRow};

use crate::icons::Icon;
use crate::theme::{self, Palette, SPACE};
use crate::widgets;

const WIDEST: f32 = 1080.0;
const LEFT: f32 = 350.0;
const ROW: f32 = 54.0;

/// Icon of a kind of transaction.
pub fn kind_icon(kind: TxKind) -> Icon {
    match kind {
        TxKind::Received => Icon::Receive,
        TxKind::Sent => Icon::Send,
        TxKind::Mined => Icon::Mined,
        TxKind::ToSelf | TxKind::Other => Icon::Transactions,
    }
}

/// Draws the page. `now` in Unix seconds.
pub fn show(ui: &mut Ui, app: &mut App, now: i64) {
    widgets::wide_column(ui, "overview", WIDEST, |ui| {
        let mut chosen = None;
        let (mut progress, mut all) = (false, false);
        let (mut unmask, view) = (false, app.view.clone());
        let (unit, masked) = (app.settings.unit, app.settings.mask_values);
        let behind = view.link.is_fresh() && sync_overlay::behind(&view, now);
        let left = |ui: &mut Ui| {
            widgets::card(ui, |ui| {
                progress |= title(ui, Text::OverviewBalances.s(), behind);
                balances(ui, app);
            });
            widgets::card(ui, |ui| {
                widgets::heading(ui, Text::OverviewChain.s());
                ui.add_space(SPACE / 2.0);
                chain(ui, app, now);
            });
        };
        let mut recent_behind = false;
        let right = |ui: &mut Ui| {
            widgets::card(ui, |ui| {
                recent_behind = title(ui, Text::OverviewRecent.s(), behind);
                let rows = overview::recent(&view, masked);
                if masked {
                    ui.label(RichText::new(Text::OverviewMasked.s()).color(theme::of(ui).weak));
                    unmask = ui.button(Text::OverviewUnmask.s()).clicked();
                    return;
                }
                if rows.is_empty() {
                    ui.label(RichText::new(Text::OverviewNone.s()).color(theme::of(ui).weak));
                    return;
                }
                ui.spacing_mut().item_spacing.y = 2.0;
                for row in rows {
                    if recent_row(ui, row, unit) {
                        chosen = Some((row.txid, row.index));
                    }
                }
                ui.add_space(SPACE / 2.0);
                all = ui.button(Text::OverviewAll.s()).clicked();
            });
        };
        widgets::two_columns(ui, LEFT, left, right);
        if progress || recent_behind {
            app.overlay.toggle(&view, now);
        }
        if unmask {
            app.settings.mask_values = false;
        }
        if all {
            app.page = Page::Transactions;
        }
        if let Some((txid, index)) = chosen {
            app.show_transaction(txid, index);
        }
    });
}

/// What stands in place of the transactions while values are hidden.
pub fn masked(ui: &mut Ui, app: &mut App) {
    let p = theme::of(ui);
    ui.add_space((ui.available_height() * 0.25).max(0.0));
    ui.vertical_centered(|ui| {
        ui.add(Icon::Hidden.image(48.0, p.weak));
        widgets::heading(ui, Text::OverviewMasked.s());
        if ui.button(Text::OverviewUnmask.s()).clicked() {
            app.settings.mask_values = false;
        }
    });
}

/// A heading, with a sign beside it while what is below may be old. True if the sign was pressed.
fn title(ui: &mut Ui, text: &str, behind: bool) -> bool {
    let pressed = ui.horizontal(|ui| {
        widgets::heading(ui, text);
        behind && widgets::icon_button(ui, Icon::Warning, Text::OverviewOutOfDate.s()).clicked()
    });
    ui.add_space(SPACE / 2.0);
    pressed.inner
}

fn balances(ui: &mut Ui, app: &App) {
    let p = theme::of(ui);
    for line in overview::balances(&app.view, app.settings.unit, app.settings.mask_values) {
        let (name, amount) = (RichText::new(line.name), RichText::new(&line.amount));
        if line.total {
            ui.separator();
            widgets::name_value(ui, name.strong(), amount.size(18.0).strong());
        } else {
            widgets::name_value(ui, name.color(p.weak), amount);
        }
    }
}

fn chain(ui: &mut Ui, app: &App, now: i64) {
    let weak = theme::of(ui).weak;
    ui.add(Label::new(status::line(&app.view, now)).wrap().selectable(true));
    let Some(node) = &app.view.node else { return };
    let mut line = |name: Text, value: String| {
        widgets::name_value(ui, RichText::new(name.s()).color(weak), RichText::new(value));
    };
    if node.sync.tip_time > 0 {
        line(Text::OverviewLastBlock, format::date_time(node.sync.tip_time));
    }
    let (inward, out) = (node.connections.inbound, node.connections.outbound);
    let counts = Text::InfoConnectionsValue.with(&[("all", &(inward + out)), ("in", &inward), ("out", &out)]);
    line(Text::InfoConnections, counts);
}

/// One line of the list: a button as a whole.
fn recent_row(ui: &mut Ui, row: &TxRow, unit: Unit) -> bool {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    response.widget_info(|| WidgetInfo::labeled(Role::Button, ui.is_enabled(), row_text(row, unit)));
    if !ui.is_rect_visible(rect) {
        return response.clicked();
    }
    if response.hovered() || response.has_focus() {
        ui.painter().rect_filled(rect, theme::RADIUS, ui.visuals().faint_bg_color);
    }
    if response.has_focus() {
        let stroke = Stroke::new(1.5, p.accent);
        ui.painter().rect_stroke(rect, theme::RADIUS, stroke, egui::StrokeKind::Inside);
    }
    let inner = rect.shrink2(vec2(8.0, 0.0));
    let circle = pos2(inner.left() + 17.0, inner.center().y);
    let colour = kind_colour(row, &p);
    ui.painter().circle_filled(circle, 17.0, theme::mix(p.surface, colour, 0.13));
    kind_icon(row.kind).image(18.0, colour).paint_at(ui, Rect::from_center_size(circle, Vec2::splat(18.0)));
    let amount = ui.painter().layout_no_wrap(
        format!("{} {}", amount_text(row, unit), unit.short_name()),
        TextStyle::Body.resolve(ui.style()),
        colour,
    );
    let (left, right) = (inner.left() + 46.0, inner.right() - amount.size().x);
    let top = inner.center().y - amount.size().y / 2.0;
    ui.painter().galley(pos2(right, top), amount, colour);
    let room = right - left - SPACE;
    one_line(ui, pos2(left, inner.center().y - 11.0), room, &label_text(row), TextStyle::Body, p.text);
    let below = format!("{} · {}", kind_name(row.kind), format::date_time(row.time));
    one_line(ui, pos2(left, inner.center().y + 11.0), room, &below, TextStyle::Small, p.weak);
    response.clicked()
}

fn kind_colour(row: &TxRow, p: &Palette) -> egui::Color32 {
    match row.amount {
        _ if is_pending(row.status) => p.weak,
        ..0 => p.text,
        _ => p.good,
    }
}

/// A line of text, cut with an ellipsis where it does not fit. `place` is the middle of its left edge.
fn one_line(ui: &Ui, place: egui::Pos2, room: f32, text: &str, style: TextStyle, colour: egui::Color32) {
    let font: FontId = style.resolve(ui.style());
    let mut job = egui::text::LayoutJob::simple_singleline(text.to_owned(), font, colour);
    job.wrap = egui::text::TextWrapping::truncate_at_width(room.max(0.0));
    let galley = ui.painter().layout_job(job);
    let rect = Align2::LEFT_CENTER.anchor_size(place, galley.size());
    ui.painter().galley(rect.min, galley, colour);
}
