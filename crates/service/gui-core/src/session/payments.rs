//! Payments: noted on disk before the order is given, and looked up until their outcome is known.

use std::sync::Arc;

use grs_interfaces::CallResult;
use grs_interfaces::gui::{SendOrder, SendProblem, SendStatus, SendToken, Sent, Wallets};

use super::state::State;
use super::{call_text, now};
use crate::texts::Text;
use crate::view::{ActionId, PendingSend, PendingState, Reply, SendCommand};

impl State {
    /// Gives an order, once.
    pub(super) fn send_payment(&mut self, id: ActionId, command: SendCommand) {
        let Some(wallet) = self.wallet_for(id) else { return };
        if self.attached.as_ref().is_none_or(|a| a.name != command.wallet) {
            return self.reply(id, Reply::Failed(Text::SendOtherWallet.s().to_owned()));
        }
        let mut token = SendToken([0; 16]);
        if let Err(e) = getrandom::fill(&mut token.0) {
            return self.reply(id, Reply::Failed(Text::NoRandom.with(&[("problem", &e)])));
        }
        let pending = PendingSend {
            token,
            wallet: command.wallet.clone(),
            time: now(),
            total: command.total,
            addresses: command.recipients.iter().map(|r| r.address.clone()).collect(),
            state: PendingState::Sending,
        };
        let mut all = self.view.pending_sends.as_ref().clone();
        all.push(pending);
        if let Err(e) = self.pending_file.write(&all) {
            return self.reply(id, Reply::Failed(Text::PendingNotWritten.with(&[("problem", &e)])));
        }
        self.view.pending_sends = Arc::new(all);
        self.touch();
        let order = SendOrder {
            token,
            tx: command.tx,
            recipients: command.recipients,
            passphrase: command.passphrase,
        };
        self.lanes
            .payments
            .call(move || wallet.send(order), move |state, result| state.payment_answered(id, token, result));
    }

    fn payment_answered(
        &mut self,
        id: ActionId,
        token: SendToken,
        result: CallResult<Result<Sent, SendProblem>>,
    ) {
        match result {
            Ok(Ok(sent)) => {
                self.settle(token, None);
                self.reply(id, Reply::Sent(sent));
            }
            Ok(Err(problem)) => {
                self.settle(token, None);
                let problem = match problem {
                    SendProblem::Changed(text) if text.is_empty() => {
                        SendProblem::Changed(Text::SendChanged.s().to_owned())
                    }
                    other => other,
                };
                self.reply(id, Reply::Problem(problem));
            }
            Err(error) => {
                // The order may have been carried out or not; only the wallet can say.
                self.settle(token, Some(PendingState::Unknown(call_text(&error))));
                self.reply(id, Reply::Unknown(token));
                self.wallet_call_failed(&error);
                if !error.is_disconnected() {
                    self.resolve_payments();
                }
            }
        }
    }

    /// Sets the state of a payment; `None` takes it out.
    fn settle(&mut self, token: SendToken, new: Option<PendingState>) {
        let all = Arc::make_mut(&mut self.view.pending_sends);
        match new {
            None => all.retain(|p| p.token != token),
            Some(new) => all.iter_mut().filter(|p| p.token == token).for_each(|p| p.state = new.clone()),
        }
        // An entry too many in the file is looked up again; it does no harm.
        let _ = self.pending_file.write(&self.view.pending_sends);
        self.touch();
    }

    /// Takes a settled payment out.
    pub(super) fn forget_payment(&mut self, token: SendToken) {
        let open = |p: &PendingSend| matches!(p.state, PendingState::Sending | PendingState::Unknown(_));
        if !self.view.pending_sends.iter().any(|p| p.token == token && open(p)) {
            self.settle(token, None);
        }
    }

    /// Asks the wallets what became of payments of unknown outcome.
    pub(super) fn resolve_payments(&mut self) {
        let Some(wallets) = self.wallets.clone() else { return };
        let unknown = self.view.pending_sends.iter().filter(|p| matches!(p.state, PendingState::Unknown(_)));
        let unknown: Vec<(SendToken, String)> = unknown.map(|p| (p.token, p.wallet.clone())).collect();
        for (token, name) in unknown {
            let wallets = wallets.clone();
            self.lanes.payments.maybe(
                move || look_up(wallets.as_ref(), &name, token).ok().flatten(),
                move |state, status| {
                    let found = match status {
                        SendStatus::NotSent => PendingState::NotSent,
                        SendStatus::Sent(sent) => PendingState::Sent(sent),
                    };
                    state.settle(token, Some(found));
                },
            );
        }
    }
}

/// What became of a payment; `None` while its wallet is not loaded.
fn look_up(wallets: &dyn Wallets, name: &str, token: SendToken) -> CallResult<Option<SendStatus>> {
    wallets.wallet(name)?.map(|wallet| wallet.send_status(token)).transpose()
}
