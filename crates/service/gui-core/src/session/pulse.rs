//! Notices that a process does not answer any more although its connection is there, as when it has been stopped.
//!
//! Whoever has been quiet for a while is asked something. [`Pulse`] decides when, without clock or threads.

use std::time::{Duration, Instant};

use super::now;
use super::state::State;

/// A process that has been quiet for so long is asked something.
const QUIET: Duration = Duration::from_secs(5);
/// Time between questions to one that is silent.
const AGAIN: Duration = Duration::from_secs(1);
/// It counts as silent if no answer comes in this time.
const PATIENCE: Duration = Duration::from_secs(4);

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Beat {
    /// Nothing.
    Rest,
    /// Ask something, and tell the answer by [`Pulse::answered`].
    Ask,
    /// It is silent, from now on.
    Silent,
}

/// What is known of a process.
#[derive(Debug, Default)]
pub(super) struct Pulse {
    /// When it was heard of last; `None`: nobody is listened to.
    heard: Option<Instant>,
    asked: Option<Instant>,
    silent: bool,
}

impl Pulse {
    /// Listens to a process anew.
    pub(super) fn begin(&mut self, now: Instant) {
        *self = Pulse { heard: Some(now), ..Pulse::default() };
    }

    /// The process is gone.
    pub(super) fn end(&mut self) {
        *self = Pulse::default();
    }

    /// Something came from it.
    pub(super) fn heard(&mut self, now: Instant) {
        if self.heard.is_some() {
            self.heard = Some(now);
            self.silent = false;
        }
    }

    /// The answer came.
    pub(super) fn answered(&mut self, now: Instant) {
        self.asked = None;
        self.heard(now);
    }

    /// The question came to nothing, as the process does not answer.
    pub(super) fn failed(&mut self, now: Instant) {
        self.asked = None;
        self.heard = self.heard.map(|_| now);
        self.silent = true;
    }

    /// When [`Pulse::beat`] is to be called.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let heard = self.heard?;
        match self.asked {
            None => Some(heard + if self.silent { AGAIN } else { QUIET }),
            Some(_) if self.silent => None,
            Some(asked) => Some(asked.max(heard) + PATIENCE),
        }
    }

    /// What to do now.
    pub(super) fn beat(&mut self, now: Instant) -> Beat {
        if self.deadline().is_none_or(|deadline| now < deadline) {
            return Beat::Rest;
        }
        if self.asked.is_none() {
            self.asked = Some(now);
            return Beat::Ask;
        }
        self.silent = true;
        Beat::Silent
    }
}

impl State {
    pub(super) fn beat_node(&mut self, time: Instant) {
        match self.node_pulse.beat(time) {
            Beat::Rest => {}
            Beat::Silent => self.node_silent(),
            Beat::Ask => {
                let (Some(node), generation) = (self.node.clone(), self.generation) else { return };
                self.lanes.node_pulse.call(
                    move || node.info().map(drop),
                    move |state, result| match result {
                        _ if generation != state.generation => {}
                        Err(error) if error.is_disconnected() => state.call_failed(&error),
                        Err(error) if error.is_silence() => {
                            state.node_pulse.failed(Instant::now());
                            state.node_silent();
                        }
                        _ => {
                            state.node_pulse.answered(Instant::now());
                            state.node_heard();
                        }
                    },
                );
            }
        }
    }

    pub(super) fn beat_wallet(&mut self, time: Instant) {
        match self.wallet_pulse.beat(time) {
            Beat::Rest => {}
            Beat::Silent => self.wallet_silent(),
            Beat::Ask => {
                let number = self.attachment;
                let Some(wallet) = self.attached.as_ref().map(|a| a.wallet.clone()) else { return };
                self.lanes.wallet_pulse.call(
                    move || wallet.info().map(drop),
                    move |state, result| match result {
                        _ if number != state.attachment => {}
                        Err(error) if error.is_disconnected() => state.wallet_call_failed(&error),
                        Err(error) if error.is_silence() => {
                            state.wallet_pulse.failed(Instant::now());
                            state.wallet_silent();
                        }
                        _ => {
                            state.wallet_pulse.answered(Instant::now());
                            state.wallet_heard();
                        }
                    },
                );
            }
        }
    }

    fn node_silent(&mut self) {
        if self.view.node_silent_since.is_none() {
            self.view.node_silent_since = Some(now());
            self.touch();
        }
    }

    fn wallet_silent(&mut self) {
        if self.view.wallet_silent_since.is_none() {
            self.view.wallet_silent_since = Some(now());
            self.touch();
        }
    }

    /// A process answers again: what came to nothing in between is made up for.
    fn recovered(&mut self) {
        self.touch();
        if self.node_subscription.is_none() {
            self.subscribe_node(true);
        }
        self.choose_wallet();
        if self.attached.is_some() {
            self.read_requests();
            self.refresh_list();
        }
        self.resolve_payments();
    }

    /// Something came from the node.
    pub(super) fn node_heard(&mut self) {
        self.node_pulse.heard(Instant::now());
        if self.view.node_silent_since.take().is_some() {
            self.recovered();
        }
    }

    /// Something came from the wallet that is shown.
    pub(super) fn wallet_heard(&mut self) {
        self.wallet_pulse.heard(Instant::now());
        if self.view.wallet_silent_since.take().is_some() {
            self.recovered();
        }
    }

    /// No wallet is shown, or another one from now on.
    pub(super) fn new_attachment(&mut self) {
        self.attachment += 1;
        self.wallet_pulse.end();
        self.view.wallet_silent_since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_answer_is_silent_until_heard_of() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut pulse = Pulse::default();
        assert_eq!((pulse.deadline(), pulse.beat(at(100))), (None, Beat::Rest));
        pulse.begin(start);
        assert_eq!(pulse.beat(at(4)), Beat::Rest);
        pulse.heard(at(4));
        assert_eq!(pulse.beat(at(8)), Beat::Rest);
        assert_eq!(pulse.beat(at(9)), Beat::Ask);
        // It is asked once, and news are as good as an answer.
        assert_eq!(pulse.beat(at(10)), Beat::Rest);
        pulse.heard(at(12));
        assert_eq!(pulse.beat(at(15)), Beat::Rest);
        assert_eq!(pulse.beat(at(16)), Beat::Silent);
        assert_eq!((pulse.deadline(), pulse.beat(at(99))), (None, Beat::Rest));
        pulse.answered(at(100));
        assert_eq!(pulse.deadline(), Some(at(105)));
        assert_eq!(pulse.beat(at(105)), Beat::Ask);
        // Where the connection itself gives up, it is asked again before long.
        pulse.failed(at(106));
        assert_eq!(pulse.deadline(), Some(at(107)));
        assert_eq!(pulse.beat(at(107)), Beat::Ask);
        pulse.answered(at(107));
        assert_eq!(pulse.deadline(), Some(at(112)));
        pulse.end();
        pulse.heard(at(106));
        assert_eq!(pulse.beat(at(200)), Beat::Rest);
    }
}
