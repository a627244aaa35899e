//! The question of the first start: where to keep data, and how much of the chain.

use egui::accesskit::Role;
use egui::{DragValue, Key, Label, Modifiers, RichText, Ui};
use grs_gui_core::Text;
use grs_gui_core::pages::first_run::{FirstRun, PRUNE_GB, Space};

use crate::theme::{self, GROUP, SPACE};
use crate::widgets;

/// What the user wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// Go on with what is chosen.
    Accept,
    /// Not go on.
    Quit,
}

/// Draws the page. Answers once the user has pressed something that ends it.
pub fn show(ui: &mut Ui, page: &mut FirstRun) -> Option<Answer> {
    page.update();
    widgets::column(ui, "first run", |ui| {
        widgets::heading(ui, Text::FirstRunTitle.s());
        for paragraph in page.paragraphs() {
            ui.add(Label::new(paragraph).wrap());
        }
        ui.add_space(SPACE);
        widgets::card(ui, |ui| directory(ui, page));
        widgets::card(ui, |ui| prune(ui, page));
        if let Some(problem) = &page.problem {
            widgets::error_below(ui, Some(problem));
        }
        ui.add_space(GROUP);
        buttons(ui, page)
    })
}

fn directory(ui: &mut Ui, page: &mut FirstRun) {
    let default = format!("{}: {}", Text::FirstRunDefault.s(), page.default_dir().display());
    ui.radio_value(&mut page.custom, false, default);
    ui.radio_value(&mut page.custom, true, Text::FirstRunCustom.s());
    if page.custom {
        widgets::text_field(ui, Text::FirstRunCustom.s(), &mut page.directory, "");
    }
    let p = theme::of(ui);
    match page.finding() {
        Some(Ok(text)) => {
            ui.label(RichText::new(text).color(p.weak));
        }
        Some(Err(text)) => widgets::error_below(ui, Some(text)),
        None => {}
    }
    if let Some((space, text)) = page.space() {
        let colour = match space {
            Space::Enough => p.weak,
            Space::Scarce => p.warning,
            Space::TooLittle => p.error,
        };
        let label = ui.label(RichText::new(&text).color(colour));
        if space != Space::Enough {
            widgets::spoken(&label, Role::Alert, &text);
        }
    }
}

fn prune(ui: &mut Ui, page: &mut FirstRun) {
    ui.horizontal_wrapped(|ui| {
        let (mut on, mut gb) = (page.prune(), page.prune_gb());
        let may = page.may_choose_prune();
        let tick = ui.add_enabled(may, egui::Checkbox::new(&mut on, Text::FirstRunPrune.s()));
        if tick.on_hover_text(Text::FirstRunPruneTip.s()).changed() {
            page.set_prune(on);
        }
        let size = DragValue::new(&mut gb).range(PRUNE_GB).suffix(" GB");
        let size = ui.add_enabled(may && on, size);
        size.ctx.accesskit_node_builder(size.id, |node| node.set_label(Text::FirstRunPrune.s()));
        if size.changed() {
            page.set_prune_gb(gb);
        }
        if on {
            ui.label(RichText::new(page.prune_suffix()).color(theme::of(ui).weak));
        }
    });
    ui.add(Label::new(page.stored()).wrap());
}

fn buttons(ui: &mut Ui, page: &FirstRun) -> Option<Answer> {
    let escape = ui.input_mut(|i| i.consume_key(Modifiers::NONE, Key::Escape));
    ui.horizontal(|ui| {
        let start = widgets::primary_button(ui, Text::FirstRunAccept.s(), page.can_accept());
        widgets::focus_first(&start);
        let quit = ui.button(Text::FirstRunCancel.s()).clicked() || escape;
        match (start.clicked(), quit) {
            (true, _) => Some(Answer::Accept),
            (_, true) => Some(Answer::Quit),
            _ => None,
        }
    })
    .inner
}
