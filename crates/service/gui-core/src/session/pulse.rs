//! Notices that a process does not answer any more although its connection is there, as when it has been stopped.
//!
//! Whoever has been quiet for a while is asked something. [`Pulse`] decides when, without clock or threads.

use std::time::{Duration, Instant};

use super::now;
use super::state::State;

/// A process that has been quiet for so long is asked something.
const QUIET: Duration = Duration::from_secs(5);
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

    /// When [`Pulse::beat`] is to be called.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let heard = self.heard?;
        match self.asked {
            None => Some(heard + QUIET),
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
            Beat::Silent => {
                self.view.node_silent_since = Some(now());
                self.touch();
            }
            Beat::Ask => {
                let (Some(node), generation) = (self.node.clone(), self.generation) else { return };
                self.lanes.node_pulse.call(
                    move || node.info().map(drop),
                    move |state, result| match result {
                        _ if generation != state.generation => {}
                        Err(error) if error.is_disconnected() => state.call_failed(&error),
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
            Beat::Silent => {
                self.view.wallet_silent_since = Some(now());
                self.touch();
            }
            Beat::Ask => {
                let number = self.attachment;
                let Some(wallet) = self.attached.as_ref().map(|a| a.wallet.clone()) else { return };
                self.lanes.wallet_pulse.call(
                    move || wallet.info().map(drop),
                    move |state, result| {
                        if number == state.attachment {
                            state.wallet_pulse.answered(Instant::now());
                            state.wallet_heard();
                            if let Err(error) = result {
                                state.wallet_call_failed(&error);
                            }
                        }
                    },
                );
            }
        }
    }

    /// Something came from the node.
    pub(super) fn node_heard(&mut self) {
        self.node_pulse.heard(Instant::now());
        if self.view.node_silent_since.take().is_some() {
            self.touch();
        }
    }

    /// Something came from the wallet that is shown.
    pub(super) fn wallet_heard(&mut self) {
        self.wallet_pulse.heard(Instant::now());
        if self.view.wallet_silent_since.take().is_some() {
            self.touch();
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
        pulse.end();
        pulse.heard(at(106));
        assert_eq!(pulse.beat(at(200)), Beat::Rest);
    }
}
