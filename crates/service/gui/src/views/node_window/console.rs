//! The console: output, and a prompt with completion and history.

use std::ops::Range;
use std::sync::Arc;

use egui::accesskit::{Live, Role};
use egui::text::{CCursor, CCursorRange};
use egui::text_edit::TextEditState;
use egui::{
    Align, Button, ComboBox, EventFilter, FontId, Frame, Id, Key, KeyboardShortcut, Label, Layout, Margin,
    Modifiers, Popup, PopupCloseBehavior, RectAlign, RichText, ScrollArea, Sense, Stroke, TextEdit, Ui,
    UiBuilder, vec2,
};
use grs_gui_core::console::{ConsoleLine, LineKind};
use grs_gui_core::format::clock;
use grs_gui_core::pages::console::ConsolePage;
use grs_gui_core::pages::status::wallet_title;
use grs_gui_core::settings::CONSOLE_FONT;
use grs_gui_core::{App, Command, Text};

use crate::theme::{self, Palette, RADIUS, SPACE};
use crate::widgets;

/// Lines of a long answer that are laid out at once.
const CHUNK: usize = 40;
/// Width of the column of times, in characters.
const TIME: f32 = 9.0;
/// Completions that are shown at once.
const SHOWN: usize = 10;

/// What the view remembers.
#[derive(Default)]
pub struct State {
    /// The lines that `parts` belong to.
    lines: Option<Arc<Vec<ConsoleLine>>>,
    parts: Vec<Part>,
    /// Width and font size that the heights are for.
    measured: (f32, u32),
    /// The keyboard goes to the prompt.
    focus: bool,
}

/// A piece of a line of the console: a long answer has several.
struct Part {
    line: usize,
    text: Range<usize>,
    /// Once it has been laid out.
    height: Option<f32>,
}

/// Draws it. `entered`: it has just been opened.
pub fn show(ui: &mut Ui, app: &mut App, state: &mut State, entered: bool) {
    state.focus |= entered;
    keys(ui, app);
    toolbar(ui, app, state);
    ui.add_space(SPACE / 2.0);
    let prompt = 40.0;
    let room = vec2(ui.available_width(), (ui.available_height() - prompt - SPACE).max(60.0));
    ui.allocate_ui(room, |ui| output(ui, app, state, room));
    ui.add_space(SPACE / 2.0);
    self::prompt(ui, app, state);
}

fn keys(ui: &Ui, app: &mut App) {
    let pressed = |modifiers, key| {
        let key = KeyboardShortcut::new(modifiers, key);
        ui.input_mut(|input| input.consume_shortcut(&key))
    };
    let font = &mut app.settings.console_font;
    if pressed(Modifiers::COMMAND, Key::Plus) || pressed(Modifiers::COMMAND, Key::Equals) {
        *font = (*font + 1).min(*CONSOLE_FONT.end());
    }
    if pressed(Modifiers::COMMAND, Key::Minus) {
        *font = font.saturating_sub(1).max(*CONSOLE_FONT.start());
    }
    if pressed(Modifiers::COMMAND, Key::L) {
        app.backend.send(Command::ClearConsole);
    }
}

fn toolbar(ui: &mut Ui, app: &mut App, state: &mut State) {
    ui.horizontal(|ui| {
        let choices = app.console.wallet_choices(&app.view).to_vec();
        if !choices.is_empty() {
            let p = theme::of(ui);
            let name = ui.label(RichText::new(Text::ConsoleWallet.s()).color(p.weak));
            let title = |name: &Option<String>| match name {
                Some(name) => wallet_title(name),
                None => Text::ConsoleNoWallet.s().to_owned(),
            };
            let list = ComboBox::from_id_salt("console wallet").width(180.0);
            let list = list.selected_text(title(&app.console.wallet));
            let all = std::iter::once(None).chain(choices.into_iter().map(Some));
            let all = all.map(|choice| (choice.clone(), title(&choice)));
            let (list, chosen) = widgets::choose_in(ui, list, &app.console.wallet, all);
            if let Some(chosen) = chosen {
                app.console.wallet = chosen;
            }
            list.labelled_by(name.id);
        }
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button(Text::ConsoleClear.s()).on_hover_text(hint(ui, Key::L)).clicked() {
                app.backend.send(Command::ClearConsole);
                state.focus = true;
            }
            let font = &mut app.settings.console_font;
            for (text, name, key, size) in [
                ("A+", Text::ConsoleBigger, Key::Plus, (*font + 1).min(*CONSOLE_FONT.end())),
                ("A−", Text::ConsoleSmaller, Key::Minus, font.saturating_sub(1).max(*CONSOLE_FONT.start())),
            ] {
                let tip = format!("{} ({})", name.s(), hint(ui, key));
                let button = ui.button(text).on_hover_text(tip).accessible_name(name.s());
                if button.clicked() {
                    *font = size;
                }
            }
        });
    });
}

fn hint(ui: &Ui, key: Key) -> String {
    ui.ctx().format_shortcut(&KeyboardShortcut::new(Modifiers::COMMAND, key))
}

/// Splits the lines into parts when they have changed; those that are known keep their heights.
fn split(state: &mut State, lines: &Arc<Vec<ConsoleLine>>, measured: (f32, u32)) {
    let same = state.lines.as_ref().is_some_and(|known| Arc::ptr_eq(known, lines));
    if same && state.measured == measured {
        return;
    }
    let known = match &state.lines {
        Some(known) if state.measured == measured => {
            known.iter().zip(lines.iter()).take_while(|(a, b)| a == b).count()
        }
        _ => 0,
    };
    state.parts.retain(|part| part.line < known);
    for (line, text) in lines.iter().enumerate().skip(known) {
        let text = text.text.trim_end();
        let (mut start, mut count) = (0, 0);
        for (at, _) in text.match_indices('\n') {
            count += 1;
            if count == CHUNK {
                state.parts.push(Part { line, text: start..at, height: None });
                (start, count) = (at + 1, 0);
            }
        }
        state.parts.push(Part { line, text: start..text.len(), height: None });
    }
    state.lines = Some(lines.clone());
    state.measured = measured;
}

fn output(ui: &mut Ui, app: &App, state: &mut State, room: egui::Vec2) {
    let p = theme::of(ui);
    let font = FontId::monospace(app.settings.console_font as f32 + 3.0);
    let frame = Frame::new()
        .fill(p.field)
        .stroke(Stroke::new(1.0, p.border))
        .corner_radius(RADIUS)
        .inner_margin(Margin::symmetric(12, 8));
    frame.show(ui, |ui| {
        ui.set_min_size(room - vec2(26.0, 18.0));
        let builder =
            UiBuilder::new().accessibility_role(Role::Log).accessibility_label(Text::ConsoleOutput.s());
        ui.scope_builder(builder, |ui| {
            ui.ctx().accesskit_node_builder(ui.unique_id(), |node| node.set_live(Live::Polite));
            let scroll = ScrollArea::vertical().id_salt("console").auto_shrink(false).stick_to_bottom(true);
            scroll.show_viewport(ui, |ui, view| {
                ui.spacing_mut().item_spacing = vec2(SPACE, 4.0);
                for text in ConsolePage::welcome() {
                    let text = RichText::new(text).color(p.weak).size(font.size);
                    ui.add(Label::new(text).wrap().selectable(true));
                }
                ui.add_space(SPACE / 2.0);
                split(state, &app.view.console, (ui.available_width().round(), app.settings.console_font));
                parts(ui, &p, state, &font, view);
                if app.view.console_busy {
                    let text = RichText::new(Text::ConsoleBusy.s()).color(p.weak).size(font.size);
                    let label = ui.label(text);
                    widgets::spoken(&label, Role::Status, Text::ConsoleBusy.s());
                }
            });
        });
    });
}

fn parts(ui: &mut Ui, p: &Palette, state: &mut State, font: &FontId, view: egui::Rect) {
    let lines = state.lines.clone().unwrap_or_default();
    let row = ui.fonts_mut(|fonts| fonts.row_height(font));
    let top = ui.min_rect().top();
    let mut before = None;
    for part in &mut state.parts {
        let Some(line) = lines.get(part.line) else { continue };
        let first = before != Some(part.line);
        before = Some(part.line);
        let text = &line.text[part.text.clone()];
        let height =
            part.height.unwrap_or_else(|| row * (text.bytes().filter(|b| *b == b'\n').count() + 1) as f32);
        let at = ui.cursor().top() - top;
        if at + height < view.min.y || at > view.max.y {
            ui.add_space(height);
            continue;
        }
        let response = ui.horizontal_top(|ui| self::line(ui, p, line, first, text, font)).response;
        part.height = Some(response.rect.height());
    }
}

fn line(ui: &mut Ui, p: &Palette, line: &ConsoleLine, first: bool, text: &str, font: &FontId) {
    let (mark, colour) = match line.kind {
        LineKind::Request => ("›", p.accent),
        LineKind::Answer => (" ", p.text),
        LineKind::Error => ("!", p.error),
        LineKind::Note => ("i", p.weak),
    };
    let character = ui.fonts_mut(|fonts| fonts.glyph_width(font, '0'));
    let column = |ui: &mut Ui, width: f32, text: String, colour| {
        let (rect, _) = ui.allocate_exact_size(vec2(character * width, font.size * 1.3), Sense::hover());
        ui.painter().text(rect.left_top(), egui::Align2::LEFT_TOP, text, font.clone(), colour);
    };
    let time = if first { clock(line.time) } else { String::new() };
    column(ui, TIME, time, p.weak);
    column(ui, 1.5, if first { mark.to_owned() } else { String::new() }, colour);
    let text = RichText::new(text).font(font.clone()).color(colour);
    let label = ui.add(Label::new(text).wrap().selectable(true));
    if line.kind == LineKind::Error {
        ui.ctx().accesskit_node_builder(label.id, |node| node.set_description(Text::ConsoleError.s()));
    }
}

fn prompt(ui: &mut Ui, app: &mut App, state: &mut State) {
    let id = Id::unique("console prompt");
    let focused = ui.memory(|memory| memory.has_focus(id));
    let choosing = focused && !app.console.completions().is_empty();
    let moved = focused && steer(ui, app, choosing);
    ui.horizontal(|ui| {
        let busy = app.view.console_busy;
        let run_width = 66.0;
        let width = ui.available_width() - run_width;
        let edit = TextEdit::singleline(&mut app.console.input)
            .id(id)
            .desired_width(width)
            .font(FontId::monospace(14.0))
            .margin(Margin::symmetric(10, 8))
            .hint_text(Text::ConsolePromptHint.s())
            .event_filter(EventFilter {
                tab: choosing,
                escape: choosing,
                horizontal_arrows: true,
                vertical_arrows: true,
            });
        let response = ui.add(edit).accessible_name(Text::ConsolePrompt.s());
        if moved {
            cursor_to_end(ui, id, &app.console.input);
        }
        if response.changed() {
            app.console.edited(&app.view);
        }
        let enter = response.lost_focus() && ui.input(|input| input.key_pressed(Key::Enter));
        let run = ui.add_enabled(!busy, Button::new(Text::ConsoleRun.s())).clicked();
        if enter && app.console.chosen().is_some() {
            // The first Enter takes the completion, the second one runs the line.
            app.console.accept();
            state.focus = true;
        } else if enter || run {
            app.console.submit(&app.view, app.backend.as_ref());
            widgets::forget_undo(&response);
            state.focus = true;
        }
        if std::mem::take(&mut state.focus) {
            response.request_focus();
        }
        completions(ui, app, state, &response, focused);
    });
}

/// Tab and arrows: through the completions while there are some, else through the history. True if the line has
/// changed.
fn steer(ui: &Ui, app: &mut App, choosing: bool) -> bool {
    let pressed = |modifiers, key| ui.input_mut(|input| input.consume_key(modifiers, key));
    let console = &mut app.console;
    if choosing {
        // With more keys first: the other one would take it.
        if pressed(Modifiers::SHIFT, Key::Tab) || pressed(Modifiers::NONE, Key::ArrowUp) {
            console.complete_back();
            return true;
        }
        if pressed(Modifiers::NONE, Key::Tab) || pressed(Modifiers::NONE, Key::ArrowDown) {
            console.complete();
            return true;
        }
        if pressed(Modifiers::NONE, Key::Escape) {
            console.accept();
            return true;
        }
        return false;
    }
    if pressed(Modifiers::NONE, Key::ArrowUp) {
        console.up();
        return true;
    }
    if pressed(Modifiers::NONE, Key::ArrowDown) {
        console.down();
        return true;
    }
    false
}

fn cursor_to_end(ui: &Ui, id: Id, text: &str) {
    if let Some(mut state) = TextEditState::load(ui.ctx(), id) {
        let end = CCursor::new(text.chars().count());
        state.cursor.set_char_range(Some(CCursorRange::one(end)));
        state.store(ui.ctx(), id);
    }
}

fn completions(ui: &Ui, app: &mut App, state: &mut State, prompt: &egui::Response, focused: bool) {
    let chosen = app.console.chosen();
    let names = app.console.completions();
    let open = focused && !names.is_empty();
    ui.ctx().accesskit_node_builder(prompt.id, |node| node.set_expanded(open));
    if !open {
        return;
    }
    let first = chosen.map_or(0, |at| (at + 1).saturating_sub(SHOWN));
    let mut picked = None;
    let mut active = None;
    Popup::from_response(prompt)
        .id(prompt.id.with("completions"))
        .open(true)
        .align(RectAlign::TOP_START)
        .close_behavior(PopupCloseBehavior::IgnoreClicks)
        .accessible_name(Text::ConsoleCompletions.s())
        .show(|ui| {
            ui.set_min_width(260.0);
            ui.spacing_mut().item_spacing.y = 0.0;
            ui.spacing_mut().button_padding = vec2(8.0, 3.0);
            for (at, name) in names.iter().enumerate().skip(first).take(SHOWN) {
                let text = RichText::new(name).monospace();
                let is = chosen == Some(at);
                let entry = ui.add(Button::selectable(is, text).sense(Sense::CLICK));
                ui.ctx().accesskit_node_builder(entry.id, |node| {
                    node.set_role(Role::ListBoxOption);
                    node.clear_toggled();
                    node.set_selected(is);
                });
                if is {
                    active = Some(entry.id);
                }
                if entry.clicked() {
                    picked = Some(at);
                }
            }
            if names.len() > SHOWN {
                let text = Text::ConsoleMore.with(&[("all", &names.len())]);
                ui.label(RichText::new(text).small().color(theme::of(ui).weak));
            }
        });
    ui.ctx().accesskit_node_builder(prompt.id, |node| {
        if let Some(active) = active {
            node.set_active_descendant(active.accesskit_id());
        }
    });
    if let Some(at) = picked {
        app.console.choose(at);
        app.console.accept();
        cursor_to_end(ui, prompt.id, &app.console.input);
        state.focus = true;
    }
}
