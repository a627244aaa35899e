//! The fields of a recipient.

use egui::{ComboBox, Id, Label, Response, RichText, Ui};
use grs_gui_core::Text;
use grs_gui_core::amount::Unit;
use grs_gui_core::pages::send::RecipientForm;

use super::State;
use crate::icons::Icon;
use crate::theme::{self, SPACE};
use crate::widgets;

/// What the user wants to do with a recipient.
pub enum Wish {
    /// Take the address from the clipboard.
    Paste,
    /// Take it away.
    Remove,
    /// Pay all that is left.
    UseAvailable,
    /// Another unit of the amount.
    Unit(Unit),
    /// The address is complete: its label, if it is known.
    Label,
}

const AMOUNT: f32 = 170.0;
const UNIT: f32 = 110.0;

fn place(at: usize) -> Id {
    Id::unique(("address field of a recipient", at))
}

/// The recipient whose address has the keyboard.
pub fn focused_address(ui: &Ui, count: usize) -> Option<usize> {
    let focused = ui.memory(|memory| memory.focused())?;
    (0..count).find(|at| ui.data(|data| data.get_temp::<Id>(place(*at))) == Some(focused))
}

/// Draws the fields. Answers what the user wants. `number` is from 1, where there are several.
pub fn show(
    ui: &mut Ui,
    form: &mut RecipientForm,
    at: usize,
    number: Option<usize>,
    state: &mut State,
) -> Option<Wish> {
    let mut wish = None;
    let title = match number {
        Some(number) => Text::SendRecipientNumber.with(&[("number", &number)]),
        None => Text::SendRecipient.s().to_owned(),
    };
    widgets::split_row(
        ui,
        &format!("title of recipient {at}"),
        |ui| {
            widgets::heading(ui, &title);
        },
        |ui| {
            if widgets::icon_button(ui, Icon::Paste, Text::SendPaste.s()).clicked() {
                wish = Some(Wish::Paste);
            }
            if number.is_some() && widgets::icon_button(ui, Icon::Remove, Text::SendRemove.s()).clicked() {
                wish = Some(Wish::Remove);
            }
        },
    );
    let mut fields = Vec::new();
    let address =
        widgets::text_field(ui, Text::SendAddress.s(), &mut form.address, Text::SendAddressHint.s());
    ui.data_mut(|data| data.insert_temp(place(at), address.id));
    fields.push((address, form.address.error.is_some()));
    ui.horizontal_top(|ui| {
        let label = ui.available_width() - AMOUNT - UNIT - 2.0 * SPACE;
        let amount = widgets::cell(ui, AMOUNT, |ui| {
            widgets::text_field(ui, Text::SendAmount.s(), &mut form.amount, "")
        });
        if amount.lost_focus() {
            form.tidy_amount();
        }
        fields.push((amount, form.amount.error.is_some()));
        wish =
            widgets::cell(ui, UNIT, |ui| unit(ui, form.unit, ("unit", at))).map(Wish::Unit).or(wish.take());
        let label = widgets::cell(ui, label, |ui| {
            widgets::text_field(ui, Text::SendLabel.s(), &mut form.label, Text::SendLabelHint.s())
        });
        fields.push((label, form.label.error.is_some()));
    });
    ui.horizontal_wrapped(|ui| {
        ui.checkbox(&mut form.subtract_fee, Text::SendSubtract.s());
        if ui.button(Text::SendUseAvailable.s()).clicked() {
            wish = Some(Wish::UseAvailable);
        }
    });
    if !form.message.is_empty() {
        let text = Text::SendMessage.with(&[("message", &form.message)]);
        ui.add(Label::new(RichText::new(text).color(theme::of(ui).weak)).wrap().selectable(true));
    }
    let left = fields.first().is_some_and(|(address, _)| address.lost_focus());
    keyboard(&fields, at, state);
    wish.or(left.then_some(Wish::Label))
}

/// Puts the keyboard where it belongs.
fn keyboard(fields: &[(Response, bool)], at: usize, state: &mut State) {
    if fields.iter().any(|(field, _)| field.has_focus()) {
        state.at = at;
    }
    let wrong = fields.iter().find(|(_, wrong)| *wrong).filter(|_| state.to_problem);
    let new = fields.first().filter(|_| state.to_recipient == Some(at));
    if let Some((field, _)) = new.or(wrong) {
        field.request_focus();
        field.scroll_to_me(None);
        state.to_problem = false;
        state.to_recipient = None;
    }
}

/// The choice of the unit of an amount.
pub fn unit(ui: &mut Ui, unit: Unit, id: impl egui::AsIdSalt) -> Option<Unit> {
    let list = ComboBox::from_id_salt(id).selected_text(unit.short_name()).width(ui.available_width());
    let choices = Unit::ALL.map(|unit| (unit, unit.long_name().to_owned()));
    widgets::choose(ui, Text::SendUnit.s(), list, &unit, choices)
}
