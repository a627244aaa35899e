//! The review before sending, and the result.

use std::sync::Arc;

use grs_interfaces::gui::{SendPreview, SendRequest, SendToken, Sent};

use crate::amount::{Unit, format_with_unit};
use crate::format;
use crate::texts::{Count, Text};

/// What is about to be sent.
#[derive(Debug, Clone)]
pub struct Review {
    /// The wallet that pays.
    pub wallet: String,
    /// What was asked for.
    pub request: SendRequest,
    /// What it came to.
    pub preview: Arc<SendPreview>,
}

/// A line of the review: name and value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReviewLine {
    /// What it is.
    pub name: String,
    /// Value.
    pub value: String,
}

fn line(name: impl Into<String>, value: impl Into<String>) -> ReviewLine {
    ReviewLine { name: name.into(), value: value.into() }
}

impl Review {
    /// Each recipient with what reaches it.
    pub fn recipients(&self, unit: Unit) -> Vec<ReviewLine> {
        let recipients = self.request.recipients.iter().zip(&self.preview.amounts);
        recipients
            .map(|(to, amount)| {
                let name = match to.label.is_empty() {
                    true => to.address.clone(),
                    false => Text::ReviewLabelled.with(&[("label", &to.label), ("address", &to.address)]),
                };
                line(name, format_with_unit(unit, *amount))
            })
            .collect()
    }

    /// Fee, size, change, total.
    pub fn summary(&self, unit: Unit) -> Vec<ReviewLine> {
        let p = &self.preview;
        let mut out = vec![
            line(Text::ReviewFee.s(), format_with_unit(unit, p.fee)),
            line(
                Text::ReviewRate.s(),
                Text::ReviewRateValue.with(&[("rate", &format::fee_rate(p.fee_rate)), ("vsize", &p.vsize)]),
            ),
            line(Text::ReviewInputs.s(), Count::Coins.n(u64::from(p.inputs))),
        ];
        if p.change > 0 {
            out.push(line(Text::ReviewChange.s(), format_with_unit(unit, p.change)));
        }
        let note = if self.request.replaceable { Text::ReviewReplaceable } else { Text::ReviewFinal };
        out.push(line(Text::ReviewReplacement.s(), note.s()));
        out.push(line(Text::ReviewTotal.s(), format_with_unit(unit, p.total)));
        out
    }

    /// The total in the other units.
    pub fn total_elsewhere(&self, unit: Unit) -> Vec<String> {
        Unit::ALL
            .into_iter()
            .filter(|u| *u != unit)
            .map(|u| format_with_unit(u, self.preview.total))
            .collect()
    }
}

/// What a payment came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SendResult {
    /// It is on its way.
    Sent(Sent),
    /// Nothing was sent, and this is why.
    NotSent(String),
    /// Not known: a process went away in the middle.
    Unknown(SendToken),
}

impl SendResult {
    /// In words.
    pub fn text(&self) -> String {
        match self {
            SendResult::Sent(sent) if sent.not_broadcast.is_empty() => {
                Text::SendDone.with(&[("txid", &sent.txid)])
            }
            SendResult::Sent(sent) => {
                Text::SendDoneNotBroadcast.with(&[("txid", &sent.txid), ("reason", &sent.not_broadcast)])
            }
            SendResult::NotSent(reason) => Text::SendNotSent.with(&[("reason", reason)]),
            SendResult::Unknown(_) => Text::SendUnknown.s().to_owned(),
        }
    }
}
