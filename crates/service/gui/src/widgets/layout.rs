//! How parts stand beside one another, and dialogs.

use egui::accesskit::Role;
use egui::{Align, Context, Id, Layout, Modal, Rect, ScrollArea, Ui, UiBuilder, Vec2, pos2, vec2};

use crate::theme::{self, SPACE};
use crate::widgets;

/// Centres content in a column that is easy to read, scrolling when it is too high.
pub fn column<R>(ui: &mut Ui, id: &str, content: impl FnOnce(&mut Ui) -> R) -> R {
    wide_column(ui, id, theme::COLUMN, content)
}

/// As [`column`], up to `widest` points wide.
pub fn wide_column<R>(ui: &mut Ui, id: &str, widest: f32, content: impl FnOnce(&mut Ui) -> R) -> R {
    ScrollArea::vertical()
        .id_salt(id)
        .auto_shrink(false)
        .show(ui, |ui| {
            let room = ui.available_rect_before_wrap();
            let width = room.width().min(widest);
            let left = room.left() + ((room.width() - width) / 2.0).floor();
            let inner = Rect::from_min_size(pos2(left, room.top()), vec2(width, room.height()));
            ui.scope_builder(UiBuilder::new().max_rect(inner), |ui| {
                ui.spacing_mut().item_spacing.y = SPACE * 1.5;
                let result = content(ui);
                ui.add_space(SPACE);
                result
            })
            .inner
        })
        .inner
}

/// A part of a row: so wide, from the top down.
pub fn cell<R>(ui: &mut Ui, width: f32, content: impl FnOnce(&mut Ui) -> R) -> R {
    ui.allocate_ui_with_layout(vec2(width, 0.0), Layout::top_down(Align::Min), |ui| {
        ui.set_width(width);
        content(ui)
    })
    .inner
}

/// Two parts side by side, the first so wide; one below the other where there is no room.
pub fn two_columns(ui: &mut Ui, first: f32, left: impl FnOnce(&mut Ui), right: impl FnOnce(&mut Ui)) {
    let (room, gap) = (ui.available_width(), SPACE * 1.5);
    if room - first - gap < 260.0 {
        left(ui);
        right(ui);
        return;
    }
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = gap;
        for_column(ui, first, left);
        for_column(ui, room - first - gap, right);
    });
}

/// Parts side by side, the second so wide; one below the other where there is no room. `content` is called for the
/// first and for the second (`true`).
pub fn with_side(ui: &mut Ui, side: f32, mut content: impl FnMut(&mut Ui, bool)) {
    let (room, gap) = (ui.available_width(), SPACE * 1.5);
    if room - side - gap < 400.0 {
        content(ui, false);
        content(ui, true);
        return;
    }
    ui.horizontal_top(|ui| {
        ui.spacing_mut().item_spacing.x = gap;
        for_column(ui, room - side - gap, |ui| content(ui, false));
        for_column(ui, side, |ui| content(ui, true));
    });
}

fn for_column(ui: &mut Ui, width: f32, content: impl FnOnce(&mut Ui)) {
    cell(ui, width, |ui| {
        ui.spacing_mut().item_spacing = vec2(SPACE, SPACE * 1.5);
        content(ui);
    });
}

/// A row with a part at the left, which gets the room that is left, and one at the right. Both are drawn, and reached
/// by the keyboard, in reading order.
pub fn split_row<R>(
    ui: &mut Ui,
    id: &str,
    left: impl FnOnce(&mut Ui),
    right: impl FnOnce(&mut Ui) -> R,
) -> R {
    let id = ui.make_persistent_id(id);
    let known: Option<f32> = ui.data(|data| data.get_temp(id));
    ui.horizontal(|ui| {
        let rest = ui.available_width() - known.unwrap_or(0.0) - SPACE;
        let height = ui.spacing().interact_size.y;
        let size = vec2(rest.max(0.0), height);
        ui.allocate_ui_with_layout(size, Layout::left_to_right(Align::Center), |ui| {
            ui.set_min_size(size);
            ui.set_max_width(size.x);
            left(ui);
        });
        let right = ui.scope(right);
        let width = right.response.rect.width();
        if known.is_none_or(|known| (known - width).abs() > 0.5) {
            ui.data_mut(|data| data.insert_temp(id, width));
            ui.ctx().request_discard("the width of the right part has changed");
        }
        right.inner
    })
    .inner
}

/// A dialog over everything. Answers what the content answers, and whether the user wants it closed (Escape, or a
/// click beside it).
pub fn dialog<R>(
    ctx: &Context,
    id: &str,
    title: &str,
    role: Role,
    content: impl FnOnce(&mut Ui) -> R,
) -> (R, bool) {
    let modal = Modal::new(Id::unique(id)).frame(egui::Frame::window(&ctx.global_style())).show(ctx, |ui| {
        ui.set_width(ui.available_width().min(460.0));
        ui.scope_builder(
            UiBuilder::new().accessibility_role(role).accessibility_label(title.to_owned()),
            |ui| {
                widgets::heading(ui, title);
                ui.add_space(SPACE / 2.0);
                content(ui)
            },
        )
        .inner
    });
    let close = modal.should_close();
    (modal.inner, close)
}

/// Puts the keyboard on a control of a dialog unless it is on something already.
pub fn focus_first(response: &egui::Response) {
    if response.ctx.memory(|memory| memory.focused().is_none()) {
        response.request_focus();
    }
}

/// Room for an icon or a picture of that size.
pub fn square(ui: &mut Ui, size: f32) -> Rect {
    ui.allocate_exact_size(Vec2::splat(size), egui::Sense::hover()).0
}
