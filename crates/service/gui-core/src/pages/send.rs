//! Send: recipients, fee, review, result.

mod form;
mod review;

pub use form::{FeeMode, RecipientForm};
pub use review::{Review, ReviewLine, SendResult};

use std::sync::Arc;

use grs_interfaces::SecureString;
use grs_interfaces::gui::{FeeChoice, FeeLevel, SendPreview, SendProblem, SendRequest};
use grs_params::Network;

use crate::amount::{Unit, format_field};
use crate::field::Field;
use crate::settings::Settings;
use crate::texts::{Count, Text};
use crate::uri::PaymentUri;
use crate::validate;
use crate::view::{ActionId, Backend, Command, PendingState, Reply, SendCommand, View};

/// Targets to choose from, in blocks.
pub const TARGETS: [u32; 9] = [1, 2, 3, 4, 5, 6, 7, 8, 9];
/// Most recipients of one payment.
pub const MOST_RECIPIENTS: usize = 200;

/// How far the payment has come.
#[derive(Debug, Clone, Default)]
pub enum SendStep {
    /// The form is being filled in.
    #[default]
    Edit,
    /// The wallet chooses coins for the review.
    Preparing(ActionId),
    /// The user looks at what will be sent.
    Review(Box<Review>),
    /// The order has been given.
    Sending(ActionId, Box<Review>),
    /// It is over.
    Done(SendResult),
}

/// The page.
#[derive(Debug, Default)]
pub struct SendPage {
    /// Whom to pay.
    pub recipients: Vec<RecipientForm>,
    /// How the fee is chosen.
    pub fee_mode: FeeMode,
    /// Target in blocks.
    pub target: u32,
    /// Rate in gro/vB.
    pub rate: Field,
    /// Whether it may be replaced by one with a higher fee.
    pub replaceable: bool,
    /// How far the payment has come.
    pub step: SendStep,
    /// Passphrase of a locked wallet, asked for in the review.
    pub passphrase: String,
    /// What is wrong beyond single fields.
    pub problem: Option<String>,
    /// Why what is in the form has no preview.
    pub live_problem: Option<String>,
    subtract_default: bool,
    /// What the last preview of the form was asked for, and what came.
    asked: Option<(ActionId, SendRequest)>,
    live: Option<(SendRequest, Arc<SendPreview>)>,
    /// The address whose label has been asked for.
    label_of: Option<(ActionId, String)>,
}

impl SendPage {
    /// An empty form.
    pub fn new(settings: &Settings) -> SendPage {
        let mut page = SendPage {
            target: settings.fee_target.clamp(1, 9),
            rate: Field::new(settings.fee_rate.map_or_else(String::new, crate::format::rate_field)),
            replaceable: true,
            subtract_default: settings.subtract_fee,
            ..SendPage::default()
        };
        page.clear(settings.unit);
        page
    }

    /// Empties the form and begins again.
    pub fn clear(&mut self, unit: Unit) {
        self.recipients = vec![RecipientForm::new(unit, self.subtract_default)];
        self.step = SendStep::Edit;
        self.problem = None;
        self.asked = None;
        self.live = None;
        self.live_problem = None;
        self.wipe_passphrase();
    }

    /// Another wallet is shown: a payment that has not been given yet begins again, with the form kept.
    pub fn wallet_changed(&mut self, unit: Unit) {
        if matches!(self.step, SendStep::Preparing(_) | SendStep::Review(_)) {
            self.step = SendStep::Edit;
        }
        if self.recipients.iter().all(RecipientForm::is_empty) && matches!(self.step, SendStep::Edit) {
            self.clear(unit);
        }
        self.asked = None;
        self.live = None;
        self.wipe_passphrase();
    }

    fn wipe_passphrase(&mut self) {
        // Taken over by a type that wipes it.
        drop(SecureString::new(std::mem::take(&mut self.passphrase).into_bytes()));
    }

    /// Adds an empty recipient; false if there are too many.
    pub fn add_recipient(&mut self, unit: Unit) -> bool {
        let room = self.recipients.len() < MOST_RECIPIENTS;
        if room {
            self.recipients.push(RecipientForm::new(unit, self.subtract_default));
        }
        room
    }

    /// Takes a recipient away; the last one is emptied instead.
    pub fn remove_recipient(&mut self, at: usize, unit: Unit) {
        if at < self.recipients.len() {
            self.recipients.remove(at);
        }
        if self.recipients.is_empty() {
            self.add_recipient(unit);
        }
    }

    /// Fills a recipient from a URI, or takes the text as an address. The error is for the user, and nothing changes.
    pub fn paste(&mut self, at: usize, text: &str, network: Network) -> Result<(), String> {
        let Some(recipient) = self.recipients.get_mut(at) else { return Ok(()) };
        if !crate::uri::looks_like_uri(text) {
            recipient.address.text = validate::clean_address(text);
            recipient.address.touch();
            return Ok(());
        }
        let uri = PaymentUri::parse(text, network)?;
        recipient.fill(&uri);
        Ok(())
    }

    /// The user has left an address: if the wallet knows it, its label is filled in where there is none.
    pub fn ask_label(&mut self, at: usize, view: &View, backend: &dyn Backend) {
        let network = Network::from_name(view.network()).unwrap_or(Network::Main);
        let Some(recipient) = self.recipients.get(at).filter(|r| r.label.text.is_empty()) else { return };
        let address = recipient.clean_address();
        if view.wallet_fresh() && validate::address(&address, network).is_ok() {
            let id = backend.new_action();
            self.label_of = Some((id, address.clone()));
            backend.send(Command::AskLabel(id, address));
        }
    }

    fn take_label(&mut self, view: &View) {
        let Some((id, address)) = &self.label_of else { return };
        let Some(reply) = view.reply(*id) else { return };
        if let Reply::Label(label) = reply {
            for recipient in &mut self.recipients {
                if recipient.label.text.is_empty() && recipient.clean_address() == *address {
                    recipient.label = Field::new(label.clone());
                }
            }
        }
        self.label_of = None;
    }

    /// Fills in a URI from outside: into the first empty recipient, or a new one.
    pub fn open_uri(&mut self, text: &str, network: Network, unit: Unit) -> Result<(), String> {
        let uri = PaymentUri::parse(text, network)?;
        if !matches!(self.step, SendStep::Edit) {
            return Err(Text::SendBusy.s().to_owned());
        }
        let place = self.recipients.iter().position(RecipientForm::is_empty);
        let place = match place {
            Some(place) => place,
            None if self.add_recipient(unit) => self.recipients.len() - 1,
            None => return Err(Text::SendTooMany.s().to_owned()),
        };
        self.recipients[place].fill(&uri);
        Ok(())
    }

    /// Puts all that is left into a recipient, who then pays the fee.
    pub fn use_available(&mut self, at: usize, view: &View) {
        let Some(wallet) = &view.wallet else { return };
        let others: i64 =
            self.recipients.iter().enumerate().filter(|(n, _)| *n != at).filter_map(|(_, r)| r.gro()).sum();
        if let Some(recipient) = self.recipients.get_mut(at) {
            let rest = (wallet.snapshot.balances.available - others).max(0);
            recipient.amount.text = format_field(recipient.unit, rest);
            recipient.subtract_fee = true;
        }
    }

    /// Checks all fields. The request, if all is well.
    pub fn check(&mut self, view: &View) -> Option<SendRequest> {
        let network = Network::from_name(view.network()).unwrap_or(Network::Main);
        let levels = view.wallet.as_ref().and_then(|w| w.fees.as_deref());
        let recipients: Vec<_> = self.recipients.iter_mut().map(|r| r.check(network)).collect();
        // The same address twice is a mistake far more often than it is meant.
        for n in 1..self.recipients.len() {
            let (before, rest) = self.recipients.split_at_mut(n);
            let same = |r: &RecipientForm| {
                r.clean_address() == rest[0].clean_address() && !r.address.text.is_empty()
            };
            if before.iter().any(same) {
                rest[0].address.error = Some(Text::AddressTwice.s().to_owned());
            }
        }
        let doubled = self.recipients.iter().any(|r| r.address.error.is_some());
        let fee = match self.fee_mode {
            FeeMode::Target => {
                self.rate.error = None;
                Some(FeeChoice::Target(self.target))
            }
            FeeMode::Rate => {
                let verdict = validate::fee_rate(&self.rate.text, levels);
                self.rate.judge(verdict).map(FeeChoice::Rate)
            }
        };
        let recipients = recipients.into_iter().collect::<Option<Vec<_>>>()?;
        self.problem = None;
        if let Some(wallet) = &view.wallet {
            let sum = recipients.iter().map(|r| r.amount).fold(0_i64, i64::saturating_add);
            let available = wallet.snapshot.balances.available;
            if sum > available {
                let unit = self.recipients.first().map_or(Unit::Grs, |r| r.unit);
                self.problem = Some(Text::SendTooMuch.with(&[
                    ("sum", &crate::amount::format_with_unit(unit, sum)),
                    ("available", &crate::amount::format_with_unit(unit, available)),
                ]));
                return None;
            }
        }
        (!doubled).then_some(SendRequest { recipients, fee: fee?, replaceable: self.replaceable })
    }

    /// The rate of the chosen target, once it is known.
    pub fn level(&self, view: &View) -> Option<FeeLevel> {
        let fees = view.wallet.as_ref()?.fees.as_ref()?;
        fees.levels.iter().find(|level| level.target == self.target).copied()
    }

    /// When it should confirm, in words.
    pub fn resulting_time(&self, view: &View) -> String {
        let spacing = i64::from(view.info.as_ref().map_or(60, |info| info.block_spacing));
        let words = |target: u32| {
            Count::Blocks
                .with(u64::from(target), &[("time", &crate::format::rough_span(i64::from(target) * spacing))])
        };
        match self.fee_mode {
            FeeMode::Target => {
                words(self.level(view).map_or(self.target, |level| level.returned_target.max(self.target)))
            }
            FeeMode::Rate => {
                let Some(fees) = view.wallet.as_ref().and_then(|w| w.fees.as_ref()) else {
                    return Text::Unknown.s().to_owned();
                };
                let Ok(rate) = validate::fee_rate(&self.rate.text, Some(fees)) else {
                    return Text::Unknown.s().to_owned();
                };
                let known = |l: &&FeeLevel| l.source != grs_interfaces::FeeReason::Fallback && l.rate <= rate;
                match fees.levels.iter().find(known) {
                    Some(level) => words(level.target),
                    None => Text::FeeTimeUnknown.s().to_owned(),
                }
            }
        }
    }

    /// The preview of what is in the form now, if it is there.
    pub fn live_preview(&mut self, view: &View) -> Option<Arc<SendPreview>> {
        let request = self.check(view)?;
        self.live.as_ref().filter(|(known, _)| *known == request).map(|(_, preview)| preview.clone())
    }

    /// Asks for fee and total of what is in the form now, if that is not under way or known already. Call it when the
    /// user has stopped typing for a moment.
    pub fn ask_live(&mut self, view: &View, backend: &dyn Backend) {
        if !matches!(self.step, SendStep::Edit) || !view.wallet_fresh() {
            return;
        }
        let Some(request) = self.check(view) else { return };
        let known = self.live.as_ref().is_some_and(|(known, _)| *known == request)
            || self.asked.as_ref().is_some_and(|(_, asked)| *asked == request);
        if !known {
            let id = backend.new_action();
            self.asked = Some((id, request.clone()));
            self.live_problem = None;
            backend.send(Command::Preview(id, request));
        }
    }

    /// Goes on to the review; false if something is wrong, which then stands beside its field.
    pub fn review(&mut self, view: &View, backend: &dyn Backend) -> bool {
        self.recipients.iter_mut().for_each(RecipientForm::touch);
        self.rate.touch();
        let request = self.check(view);
        if !view.wallet_fresh() {
            self.problem = Some(Text::SendNotConnected.s().to_owned());
            return false;
        }
        let Some(request) = request else { return false };
        let id = backend.new_action();
        self.asked = Some((id, request.clone()));
        self.step = SendStep::Preparing(id);
        backend.send(Command::Preview(id, request));
        true
    }

    /// Back from review or result to the form.
    pub fn back(&mut self) {
        if !matches!(self.step, SendStep::Sending(..)) {
            self.step = SendStep::Edit;
            self.wipe_passphrase();
        }
    }

    /// Sends what the review shows; false if that is not possible now. A second call does nothing.
    pub fn confirm(&mut self, view: &View, backend: &dyn Backend) -> bool {
        let SendStep::Review(review) = &self.step else { return false };
        let Some(wallet) = view.wallet.as_ref().filter(|_| view.wallet_fresh()) else {
            self.problem = Some(Text::SendNotConnected.s().to_owned());
            return false;
        };
        if wallet.info.name != review.wallet {
            self.problem = Some(Text::SendOtherWallet.s().to_owned());
            return false;
        }
        if wallet.snapshot.locked && self.passphrase.is_empty() {
            self.problem = Some(Text::PassphraseNeeded.s().to_owned());
            return false;
        }
        self.problem = None;
        let review = review.clone();
        let id = backend.new_action();
        let passphrase = SecureString::new(std::mem::take(&mut self.passphrase).into_bytes());
        backend.send(Command::Send(
            id,
            SendCommand {
                wallet: review.wallet.clone(),
                tx: review.preview.tx.clone(),
                recipients: review.request.recipients.clone(),
                total: review.preview.total,
                passphrase,
            },
        ));
        self.step = SendStep::Sending(id, review);
        true
    }

    /// Takes replies in. Call it for each new view.
    pub fn refresh(&mut self, view: &View) {
        self.take_label(view);
        if let Some((id, request)) = &self.asked {
            match view.reply(*id) {
                Some(Reply::Preview(preview)) => {
                    self.live = Some((request.clone(), preview.clone()));
                    self.live_problem = None;
                }
                Some(Reply::Problem(problem)) => {
                    let unit = self.recipients.first().map_or(Unit::Grs, |r| r.unit);
                    self.live = None;
                    self.live_problem = Some(problem_text(problem, unit));
                }
                Some(_) => self.live = None,
                None => {}
            }
        }
        match std::mem::take(&mut self.step) {
            SendStep::Preparing(id) => match view.reply(id) {
                None => self.step = SendStep::Preparing(id),
                Some(Reply::Preview(preview)) => match self.asked.take() {
                    Some((_, request)) => {
                        let wallet = view.wallet_name().unwrap_or_default().to_owned();
                        self.step =
                            SendStep::Review(Box::new(Review { wallet, request, preview: preview.clone() }));
                    }
                    None => self.step = SendStep::Edit,
                },
                Some(Reply::Problem(problem)) => self.show_problem(&problem.clone()),
                Some(Reply::Failed(text)) => self.problem = Some(text.clone()),
                Some(_) => {}
            },
            SendStep::Sending(id, review) => match view.reply(id) {
                None => self.step = SendStep::Sending(id, review),
                Some(Reply::Sent(sent)) => self.step = SendStep::Done(SendResult::Sent(sent.clone())),
                Some(Reply::Problem(SendProblem::WrongPassphrase)) => {
                    self.problem = Some(Text::PassphraseWrong.s().to_owned());
                    self.step = SendStep::Review(review);
                }
                Some(Reply::Problem(problem)) => {
                    self.step = SendStep::Done(SendResult::NotSent(problem_text(problem, Unit::Grs)));
                }
                Some(Reply::Unknown(token)) => self.step = SendStep::Done(SendResult::Unknown(*token)),
                Some(Reply::Failed(text)) => self.step = SendStep::Done(SendResult::NotSent(text.clone())),
                Some(_) => {}
            },
            SendStep::Done(SendResult::Unknown(token)) => {
                let known = view.pending_sends.iter().find(|p| p.token == token);
                self.step = SendStep::Done(match known.map(|p| &p.state) {
                    Some(PendingState::Sent(sent)) => SendResult::Sent(sent.clone()),
                    Some(PendingState::NotSent) => {
                        SendResult::NotSent(Text::SendNotSentAfterLoss.s().to_owned())
                    }
                    _ => SendResult::Unknown(token),
                });
            }
            step => self.step = step,
        }
    }

    fn show_problem(&mut self, problem: &SendProblem) {
        let beside = |recipients: &mut [RecipientForm], at: u32, address: bool, text: &str| {
            let Some(recipient) = recipients.get_mut(at as usize) else { return false };
            let field = if address { &mut recipient.address } else { &mut recipient.amount };
            field.error = Some(text.to_owned());
            true
        };
        let shown = match problem {
            SendProblem::Address { recipient, text } => beside(&mut self.recipients, *recipient, true, text),
            SendProblem::Amount { recipient, text } => beside(&mut self.recipients, *recipient, false, text),
            SendProblem::Fee(text) if self.fee_mode == FeeMode::Rate => {
                self.rate.error = Some(text.clone());
                true
            }
            _ => false,
        };
        let unit = self.recipients.first().map_or(Unit::Grs, |r| r.unit);
        self.problem =
            Some(if shown { Text::SendSeeFields.s().to_owned() } else { problem_text(problem, unit) });
    }
}

/// A problem in words.
pub fn problem_text(problem: &SendProblem, unit: Unit) -> String {
    let shown = |gro: i64| crate::amount::format_with_unit(unit, gro);
    match problem {
        SendProblem::InsufficientFunds { available, needed } => {
            Text::SendTooMuchWithFee.with(&[("needed", &shown(*needed)), ("available", &shown(*available))])
        }
        SendProblem::Locked => Text::PassphraseNeeded.s().to_owned(),
        SendProblem::WrongPassphrase => Text::PassphraseWrong.s().to_owned(),
        SendProblem::NoPrivateKeys => Text::SendNoKeys.s().to_owned(),
        SendProblem::Address { text, .. } | SendProblem::Amount { text, .. } => text.clone(),
        SendProblem::Fee(text) | SendProblem::Changed(text) | SendProblem::Other(text) => text.clone(),
    }
}
