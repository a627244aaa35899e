//! What a peer may take of this process, and the counts of what it does take.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::strand::lock;

/// Limits of one connection, and of the number of connections that a listener has. The default is for those who connect
/// to a listener; [`Limits::trusted`] for the process at the other end of a socket pair, or a server that this process
/// has chosen to connect to.
///
/// Who goes beyond a limit gets an error that names it: as the answer to the call where that is possible, otherwise as
/// the reason of an abort message with which the connection ends. See [`Limit`] for which is which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Connections of one listener at the same time.
    pub max_connections: usize,
    /// Time from the connection's beginning, hand-shakes of the stream included, to the call of `construct`.
    pub construct_time: Duration,
    /// Bytes of one message. Memory is taken as they come, not by what the message claims.
    pub max_message: usize,
    /// Time from the first byte of a message to its last.
    pub message_time: Duration,
    /// Bytes of received messages that are still needed, such as by calls that are being executed.
    pub max_held: usize,
    /// Threads that the peer may make here. Each costs a queue, not a thread of the system.
    pub max_threads: usize,
    /// Calls that may wait for one thread.
    pub max_backlog: usize,
    /// Calls at the same time, waiting or being executed.
    pub max_calls: usize,
    /// Calls that the peer has not finished, answered ones included: their answers stay until then.
    pub max_unfinished: usize,
    /// Bytes of answers to calls that the peer has not finished.
    pub max_unfinished_bytes: usize,
    /// Bytes of answers that the peer has not read; when there are more, nothing is read from it either.
    pub max_unread: usize,
    /// Time in which the peer has to read something of what waits for it.
    pub write_time: Duration,
    /// Time for a callback: a call to the peer that is made while executing one of its own, and so keeps a thread busy.
    pub callback_time: Duration,
}

impl Limits {
    /// Connections that a listener has at most by default; each is a descriptor.
    pub const MAX_CONNECTIONS: usize = 16;
    /// Largest message, as in the other libraries: 8 Mi words.
    pub const MAX_MESSAGE: usize = 64 << 20;

    /// Limits that only end what would end the program, for a peer that belongs to it. It may be slow or stopped for as
    /// long as it likes: what it does not read waits in memory, so that two programs cannot wait for each other to read.
    pub const fn trusted() -> Limits {
        Limits {
            max_connections: usize::MAX,
            construct_time: Duration::MAX,
            max_message: Limits::MAX_MESSAGE,
            message_time: Duration::MAX,
            max_held: usize::MAX,
            max_threads: 1 << 16,
            max_backlog: 1 << 16,
            max_calls: 1 << 18,
            max_unfinished: usize::MAX,
            max_unfinished_bytes: usize::MAX,
            max_unread: usize::MAX,
            write_time: Duration::MAX,
            callback_time: Duration::MAX,
        }
    }

    /// All of them by name, times in seconds.
    pub fn list(&self) -> [(&'static str, u64); 13] {
        let count = |n: usize| n as u64;
        [
            ("max_connections", count(self.max_connections)),
            ("construct_time", self.construct_time.as_secs()),
            ("max_message", count(self.max_message)),
            ("message_time", self.message_time.as_secs()),
            ("max_held", count(self.max_held)),
            ("max_threads", count(self.max_threads)),
            ("max_backlog", count(self.max_backlog)),
            ("max_calls", count(self.max_calls)),
            ("max_unfinished", count(self.max_unfinished)),
            ("max_unfinished_bytes", count(self.max_unfinished_bytes)),
            ("max_unread", count(self.max_unread)),
            ("write_time", self.write_time.as_secs()),
            ("callback_time", self.callback_time.as_secs()),
        ]
    }
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            max_connections: Limits::MAX_CONNECTIONS,
            construct_time: Duration::from_secs(30),
            max_message: Limits::MAX_MESSAGE,
            message_time: Duration::from_secs(30),
            max_held: 4 * Limits::MAX_MESSAGE,
            max_threads: 1024,
            max_backlog: 1024,
            max_calls: 4096,
            max_unfinished: 1 << 14,
            max_unfinished_bytes: 4 * Limits::MAX_MESSAGE,
            max_unread: 8 << 20,
            write_time: Duration::from_secs(60),
            callback_time: Duration::from_secs(600),
        }
    }
}

/// Declares the limits that can be hit, their names in counters and the texts that the peer gets.
macro_rules! limits {
    ($($(#[$doc:meta])* $variant:ident $name:literal $text:literal),+ $(,)?) => {
        /// A limit that a peer can hit.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Limit {
            $($(#[$doc])* $variant),+
        }

        impl Limit {
            /// All of them.
            pub const ALL: &[Limit] = &[$(Limit::$variant),+];

            /// Name in counters.
            pub const fn name(self) -> &'static str {
                match self { $(Limit::$variant => $name),+ }
            }

            /// What the peer is told, and the log says.
            pub const fn text(self) -> &'static str {
                match self { $(Limit::$variant => $text),+ }
            }
        }
    };
}

limits! {
    /// [`Limits::max_connections`]: the connection is refused with an abort message.
    Connections "connections" "too many connections",
    /// Another user's connection: it is closed.
    Permission "permission" "connection of another user refused.",
    /// [`Limits::construct_time`]: the connection is aborted.
    Construct "construct_time" "construct was not called in time",
    /// [`Limits::max_message`]: the connection is aborted.
    Message "message_size" "Message is too large",
    /// 512 segments, a bound of the format: the connection is aborted.
    Segments "segments" "Message has too many segments",
    /// [`Limits::message_time`]: the connection is aborted.
    MessageTime "message_time" "message was not complete in time",
    /// [`Limits::max_held`]: the connection is aborted.
    Held "held_bytes" "too much data in calls",
    /// [`Limits::max_threads`]: `makeThread` fails.
    Threads "threads" "too many threads",
    /// [`Limits::max_backlog`]: the call fails.
    Backlog "backlog" "too many requests wait for this thread",
    /// [`Limits::max_calls`]: the call fails.
    Calls "calls" "too many calls at the same time",
    /// [`Limits::max_unfinished`]: the connection is aborted.
    Unfinished "unfinished" "too many unfinished calls",
    /// [`Limits::max_unfinished_bytes`]: the connection is aborted.
    UnfinishedBytes "unfinished_bytes" "too much data in unfinished calls",
    /// [`Limits::max_unread`]: nothing is read until the peer reads.
    Unread "unread_bytes" "the peer does not read its answers",
    /// [`Limits::write_time`]: the connection ends.
    WriteTime "write_time" "the peer read nothing in time",
    /// [`Limits::callback_time`]: the call that waits for it gets an error.
    Callback "callback_time" "the callback was not answered in time",
}

/// How often a limit may be mentioned in the log.
const LOG_EVERY: Duration = Duration::from_secs(10);

/// Counts of an event loop. Anybody may read them at any time.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) connections: AtomicU64,
    pub(crate) connections_total: AtomicU64,
    pub(crate) threads: AtomicU64,
    pub(crate) objects: AtomicU64,
    pub(crate) calls: AtomicU64,
    pub(crate) calls_total: AtomicU64,
    pub(crate) calls_cancelled: AtomicU64,
    pub(crate) calls_failed: AtomicU64,
    pub(crate) bytes_in: AtomicU64,
    pub(crate) bytes_out: AtomicU64,
    pub(crate) panics: AtomicU64,
    hits: [AtomicU64; Limit::ALL.len()],
    logged: Mutex<Option<(Instant, u64)>>,
}

/// Adds one.
pub(crate) fn up(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Takes one away.
pub(crate) fn down(counter: &AtomicU64) {
    counter.fetch_sub(1, Ordering::Relaxed);
}

impl Counters {
    /// Counts a hit. `Some` if it may be logged, with the number of hits since the last that was.
    pub(crate) fn hit(&self, limit: Limit) -> Option<u64> {
        up(&self.hits[limit as usize]);
        let mut logged = lock(&self.logged);
        match &mut *logged {
            Some((at, quiet)) if at.elapsed() < LOG_EVERY => {
                *quiet += 1;
                None
            }
            other => {
                let quiet = other.take().map_or(0, |(_, quiet)| quiet);
                *other = Some((Instant::now(), 0));
                Some(quiet)
            }
        }
    }

    pub(crate) fn snapshot(&self, workers: usize) -> Stats {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            connections: get(&self.connections),
            connections_total: get(&self.connections_total),
            threads: get(&self.threads),
            workers: workers as u64,
            objects: get(&self.objects),
            calls: get(&self.calls),
            calls_total: get(&self.calls_total),
            calls_cancelled: get(&self.calls_cancelled),
            calls_failed: get(&self.calls_failed),
            bytes_in: get(&self.bytes_in),
            bytes_out: get(&self.bytes_out),
            panics: get(&self.panics),
            limits: Limit::ALL.iter().map(|limit| (limit.name(), get(&self.hits[*limit as usize]))).collect(),
        }
    }
}

/// Counts of an event loop at some moment: see [`crate::LoopHandle::stats`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Connections now, in whichever direction they were made.
    pub connections: u64,
    /// Connections since the start.
    pub connections_total: u64,
    /// Threads that peers have made here, and those of their pools.
    pub threads: u64,
    /// Threads of the system that execute calls or wait for some.
    pub workers: u64,
    /// Objects of this process that peers hold, as far as they are [`crate::Hosted`].
    pub objects: u64,
    /// Calls of peers that wait or are being executed.
    pub calls: u64,
    /// Calls of peers since the start.
    pub calls_total: u64,
    /// Those of them that the peer gave up before they were done.
    pub calls_cancelled: u64,
    /// Those of them that were answered with an error.
    pub calls_failed: u64,
    /// Bytes received.
    pub bytes_in: u64,
    /// Bytes sent.
    pub bytes_out: u64,
    /// Connections that ended because handling their input panicked.
    pub panics: u64,
    /// How often each limit was hit, by [`Limit::name`].
    pub limits: Vec<(&'static str, u64)>,
}

impl Stats {
    /// The counts by name, without those of the limits.
    pub fn counts(&self) -> [(&'static str, u64); 12] {
        [
            ("connections", self.connections),
            ("connections_total", self.connections_total),
            ("threads", self.threads),
            ("workers", self.workers),
            ("objects", self.objects),
            ("calls", self.calls),
            ("calls_total", self.calls_total),
            ("calls_cancelled", self.calls_cancelled),
            ("calls_failed", self.calls_failed),
            ("bytes_received", self.bytes_in),
            ("bytes_sent", self.bytes_out),
            ("panics", self.panics),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hit_is_always_counted_and_rarely_logged() {
        let counters = Counters::default();
        assert_eq!(counters.hit(Limit::Calls), Some(0));
        for _ in 0..5 {
            assert_eq!(counters.hit(Limit::Threads), None);
        }
        let stats = counters.snapshot(0);
        let count = |name| stats.limits.iter().find(|(known, _)| *known == name).map(|(_, count)| *count);
        assert_eq!((count("calls"), count("threads"), count("construct_time")), (Some(1), Some(5), Some(0)));
    }

    #[test]
    fn limits_have_distinct_names() {
        let mut names: Vec<_> = Limit::ALL.iter().map(|limit| limit.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Limit::ALL.len());
    }
}
