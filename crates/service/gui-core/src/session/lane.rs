//! A thread that makes blocking calls, one after the other.

use std::io;
use std::sync::mpsc::{Sender, channel};

use super::{Finish, Mail, Message};

type Work = Box<dyn FnOnce() -> Option<Finish> + Send>;

/// A thread with a queue.
pub(super) struct Lane(Sender<Work>);

impl Lane {
    pub(super) fn start(name: &str, mail: Mail) -> io::Result<Lane> {
        let (queue, work) = channel::<Work>();
        grs_sync::thread::spawn_quiet(name, move || {
            for work in work {
                if let Some(finish) = work()
                    && mail.send(Message::Finish(finish)).is_err()
                {
                    return;
                }
            }
        })?;
        Ok(Lane(queue))
    }

    /// Makes a call; what it answers changes the state later.
    pub(super) fn call<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> T + Send + 'static,
        finish: impl FnOnce(&mut super::State, T) + Send + 'static,
    ) {
        self.maybe(move || Some(call()), finish);
    }

    /// As [`Lane::call`]; nothing follows where the call answers nothing.
    pub(super) fn maybe<T: Send + 'static>(
        &self,
        call: impl FnOnce() -> Option<T> + Send + 'static,
        finish: impl FnOnce(&mut super::State, T) + Send + 'static,
    ) {
        let work: Work = Box::new(move || {
            let answer = call()?;
            Some(Box::new(move |state: &mut super::State| finish(state, answer)) as Finish)
        });
        // The thread lives as long as this does.
        let _ = self.0.send(work);
    }
}
