//! Network traffic: a plot of what moves in and out, and the totals.

use egui::accesskit::Role;
use egui::epaint::{Mesh, PathShape};
use egui::{Align2, Color32, FontId, Label, Rect, RichText, Sense, Slider, Stroke, Ui, pos2, vec2};
use grs_gui_core::format::{byte_rate, bytes, exact_span};
use grs_gui_core::pages::node_window::traffic_text;
use grs_gui_core::traffic::TrafficSample;
use grs_gui_core::{App, Command, Text};

use crate::theme::{self, Palette, SPACE};
use crate::widgets;
use crate::widgets::table::set_bounds;

/// Points that are drawn at most.
const POINTS: usize = 800;
const SPANS: std::ops::RangeInclusive<u32> = 5..=24 * 60;
const STEP: f64 = 5.0;

/// Draws it.
pub fn show(ui: &mut Ui, app: &mut App) {
    let p = theme::of(ui);
    let span = i64::from(app.settings.traffic_minutes) * 60;
    let points = app.view.traffic.points(span, POINTS);
    let words = traffic_text(&points);
    let name = Text::TrafficPlot.with(&[("span", &exact_span(span))]);
    let below = 118.0;
    let height = (ui.available_height() - below).max(140.0);
    widgets::card(ui, |ui| {
        let size = vec2(ui.available_width(), height - 32.0);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        ui.ctx().accesskit_node_builder(response.id, |node| {
            node.set_role(Role::Image);
            node.set_label(name.clone());
            node.set_description(words.clone());
            set_bounds(node, response.rect);
        });
        plot(ui, &p, rect, &points, span);
    });
    ui.add_space(SPACE);
    ui.horizontal(|ui| {
        let label = ui.label(RichText::new(Text::TrafficSpan.s()).color(p.weak));
        ui.spacing_mut().slider_width = 260.0;
        let slider = Slider::new(&mut app.settings.traffic_minutes, SPANS)
            .step_by(STEP)
            .trailing_fill(true)
            .show_value(false);
        ui.add(slider).labelled_by(label.id);
        ui.label(exact_span(span));
    });
    ui.horizontal(|ui| {
        let (received, sent) = app.view.traffic.totals();
        for (text, total, colour) in
            [(Text::TrafficReceived, received, p.accent), (Text::TrafficSent, sent, p.weak)]
        {
            let (mark, _) = ui.allocate_exact_size(vec2(12.0, 12.0), Sense::hover());
            ui.painter().rect_filled(mark, 3.0, colour);
            let label = ui.label(RichText::new(text.s()).color(p.weak));
            ui.add(Label::new(bytes(total)).selectable(true)).labelled_by(label.id);
            ui.add_space(SPACE);
        }
        if ui.button(Text::TrafficReset.s()).clicked() {
            app.backend.send(Command::ResetTraffic);
        }
    });
    ui.add(Label::new(RichText::new(words).color(p.weak)).selectable(true).wrap());
}

/// Highest values of the scale, as multiples of a power of ten, and the lines that go with each.
const SCALES: [(f32, u32); 9] =
    [(1.0, 4), (1.2, 4), (1.5, 3), (2.0, 4), (3.0, 3), (4.0, 4), (5.0, 5), (7.5, 3), (10.0, 4)];

/// A round number of at least `most`, and how many lines up to it.
fn scale(most: f32) -> (f32, u32) {
    let power = 10_f32.powf(most.max(100.0).log10().floor());
    for (factor, lines) in SCALES {
        if power * factor >= most {
            return (power * factor, lines);
        }
    }
    (power * 10.0, 4)
}

fn plot(ui: &Ui, p: &Palette, rect: Rect, points: &[TrafficSample], span: i64) {
    let painter = ui.painter().with_clip_rect(rect);
    let font = FontId::proportional(12.0);
    let most = points.iter().fold(0.0_f32, |most, s| most.max(s.received).max(s.sent));
    let (top, lines) = scale(most);
    let area = Rect::from_min_max(rect.min + vec2(76.0, 8.0), rect.max - vec2(8.0, 24.0));
    let grid = Stroke::new(1.0, theme::mix(p.surface, p.border, 0.6));
    for n in 0..=lines {
        let share = n as f32 / lines as f32;
        let y = (area.bottom() - share * area.height()).round() + 0.5;
        painter.hline(area.x_range(), y, grid);
        let text = byte_rate(top * share);
        painter.text(pos2(area.left() - 8.0, y), Align2::RIGHT_CENTER, text, font.clone(), p.weak);
    }
    let times = 6;
    for n in 0..=times {
        let x = area.left() + area.width() * n as f32 / times as f32;
        let ago = span * i64::from(times - n) / i64::from(times);
        let (align, text) = match n {
            6 => (Align2::RIGHT_BOTTOM, Text::TrafficPresent.s().to_owned()),
            0 => (Align2::LEFT_BOTTOM, format!("−{}", exact_span(ago))),
            _ => (Align2::CENTER_BOTTOM, format!("−{}", exact_span(ago))),
        };
        painter.text(pos2(x, rect.bottom()), align, text, font.clone(), p.weak);
    }
    let Some(end) = points.last().map(|s| s.time) else {
        let text = Text::TrafficNone.s();
        painter.text(area.center(), Align2::CENTER_CENTER, text, FontId::proportional(15.0), p.weak);
        return;
    };
    let painter = painter.with_clip_rect(area.expand(1.0));
    let place = |s: &TrafficSample, value: f32| {
        let x = area.right() - (end - s.time) as f32 / span.max(1) as f32 * area.width();
        pos2(x, area.bottom() - value / top * area.height())
    };
    let curve = |value: fn(&TrafficSample) -> f32, colour: Color32, share: f32| {
        let line: Vec<_> = points.iter().map(|s| place(s, value(s))).collect();
        let mut mesh = Mesh::default();
        let fill = colour.gamma_multiply(share);
        for (at, point) in line.iter().enumerate() {
            mesh.colored_vertex(*point, fill);
            mesh.colored_vertex(pos2(point.x, area.bottom()), fill);
            if at > 0 {
                let n = at as u32 * 2;
                mesh.add_triangle(n - 2, n - 1, n);
                mesh.add_triangle(n - 1, n, n + 1);
            }
        }
        painter.add(mesh);
        painter.add(PathShape::line(line, Stroke::new(1.5, colour)));
    };
    curve(|s| s.received, p.accent, 0.25);
    curve(|s| s.sent, p.weak, 0.10);
}
