//! Named threads. Names are the reference's: `msghand`, `net`, `scriptch.0`, `scheduler`, `init`, `http`, ...
//!
//! The system sees the name with the prefix `g-` (15 bytes at most); the log sees it without.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, OnceLock, PoisonError, RwLock};
use std::thread::{Builder, JoinHandle};

thread_local! {
    static NAME: RefCell<Arc<str>> = RefCell::new(Arc::from(""));
}

/// What happened to a thread, told to the observer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ThreadEvent<'a> {
    /// Runs now, under its name.
    Start(&'a str),
    /// Returned.
    Exit(&'a str),
    /// Panicked. If `critical`, the abort hook is called next.
    Panic {
        /// Name of the thread.
        name: &'a str,
        /// Text of the panic.
        message: &'a str,
        /// Whether the node cannot go on without it.
        critical: bool,
    },
}

type AbortHook = Arc<dyn Fn(&str, &str) + Send + Sync>;

static OBSERVER: OnceLock<fn(ThreadEvent<'_>)> = OnceLock::new();
static ABORT_HOOK: RwLock<Option<AbortHook>> = RwLock::new(None);

/// Sets who is told about starts, exits and panics: the log. The first caller wins.
pub fn set_observer(observer: fn(ThreadEvent<'_>)) {
    let _ = OBSERVER.set(observer);
}

/// Sets what a panic in a critical thread does (thread name, message): the node logs, sets its exit status and
/// requests shutdown. Without a hook the process aborts, because going on half alive is worse.
pub fn set_abort_hook(hook: impl Fn(&str, &str) + Send + Sync + 'static) {
    *ABORT_HOOK.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(hook));
}

/// Name of this thread as logged; empty if it was never named.
pub fn current_name() -> Arc<str> {
    NAME.try_with(|name| name.borrow().clone()).unwrap_or_else(|_| Arc::from(""))
}

/// Names this thread in the log only (reference: `ThreadSetInternalName`): for the main thread and for threads that
/// others start, such as runtime workers.
pub fn set_current_name(name: &str) {
    let _ = NAME.try_with(|slot| *slot.borrow_mut() = Arc::from(name));
}

/// The name the system shows for a thread of this name.
pub fn system_name(name: &str) -> String {
    let mut name = format!("g-{name}").replace('\0', "");
    let mut end = name.len().min(15);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name.truncate(end);
    name
}

/// Starts a thread whose panic is logged and returned by `join`.
///
/// # Errors
/// If the system has no more threads.
pub fn spawn<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<JoinHandle<T>> {
    start(name, Kind::Normal, body)
}

/// Starts a thread without which the node cannot go on: its panic calls the abort hook.
///
/// # Errors
/// If the system has no more threads.
pub fn spawn_critical<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<JoinHandle<T>> {
    start(name, Kind::Critical, body)
}

/// Starts a thread that the log does not mention (workers of a pool).
///
/// # Errors
/// If the system has no more threads.
pub fn spawn_quiet<T: Send + 'static>(
    name: &str,
    body: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<JoinHandle<T>> {
    start(name, Kind::Quiet, body)
}

/// Runs `body` on this thread as a critical section: a panic calls the abort hook and goes on.
pub fn critical<T>(body: impl FnOnce() -> T) -> T {
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| {
        on_panic(&current_name(), panic_message(&*payload), true);
        resume_unwind(payload)
    })
}

/// Text of a caught panic.
pub fn panic_message(payload: &(dyn Any + Send)) -> &str {
    if let Some(text) = payload.downcast_ref::<&'static str>() {
        text
    } else if let Some(text) = payload.downcast_ref::<String>() {
        text
    } else {
        "unknown panic"
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Normal,
    Critical,
    Quiet,
}

fn start<T: Send + 'static>(
    name: &str,
    kind: Kind,
    body: impl FnOnce() -> T + Send + 'static,
) -> std::io::Result<JoinHandle<T>> {
    let name = name.to_owned();
    Builder::new().name(system_name(&name)).spawn(move || {
        set_current_name(&name);
        if kind != Kind::Quiet {
            observe(ThreadEvent::Start(&name));
        }
        match catch_unwind(AssertUnwindSafe(body)) {
            Ok(value) => {
                if kind != Kind::Quiet {
                    observe(ThreadEvent::Exit(&name));
                }
                value
            }
            Err(payload) => {
                on_panic(&name, panic_message(&*payload), kind == Kind::Critical);
                resume_unwind(payload)
            }
        }
    })
}

fn observe(event: ThreadEvent<'_>) {
    if let Some(observer) = OBSERVER.get() {
        observer(event);
    }
}

fn on_panic(name: &str, message: &str, critical: bool) {
    observe(ThreadEvent::Panic { name, message, critical });
    if critical {
        let hook = ABORT_HOOK.read().unwrap_or_else(PoisonError::into_inner).clone();
        match hook {
            Some(hook) => hook(name, message),
            None => {
                eprintln!("Error: thread {name} failed: {message}");
                std::process::abort();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    static SEEN: Mutex<Vec<String>> = Mutex::new(Vec::new());

    fn record(event: ThreadEvent<'_>) {
        SEEN.lock().unwrap().push(format!("{event:?}"));
    }

    #[test]
    fn names_events_and_abort_hook() {
        set_observer(record);
        let aborts = Arc::new(Mutex::new(Vec::new()));
        let sink = Arc::clone(&aborts);
        set_abort_hook(move |name, message| sink.lock().unwrap().push(format!("{name}: {message}")));

        let name = spawn("msghand", || {
            assert_eq!(std::thread::current().name(), Some("g-msghand"));
            current_name().to_string()
        });
        assert_eq!(name.unwrap().join().unwrap(), "msghand");
        assert!(spawn("soft", || panic!("oops")).unwrap().join().is_err());
        assert!(spawn_critical("hard", || panic!("bad {}", 1)).unwrap().join().is_err());
        spawn_quiet("quiet", || ()).unwrap().join().unwrap();

        let seen = SEEN.lock().unwrap().clone();
        let has = |text: &str| seen.iter().any(|line| line == text);
        assert!(has("Start(\"msghand\")") && has("Exit(\"msghand\")"), "{seen:?}");
        assert!(has("Panic { name: \"soft\", message: \"oops\", critical: false }"), "{seen:?}");
        assert!(has("Panic { name: \"hard\", message: \"bad 1\", critical: true }"), "{seen:?}");
        assert!(!seen.iter().any(|line| line.contains("quiet")));
        assert_eq!(*aborts.lock().unwrap(), ["hard: bad 1"]);
        assert!(catch_unwind(|| critical(|| panic!("here"))).is_err());
        assert_eq!(aborts.lock().unwrap().len(), 2);
    }

    #[test]
    fn system_names_are_short_and_never_split_a_character() {
        assert_eq!(system_name("net"), "g-net");
        assert_eq!(system_name("block filter index"), "g-block filter ");
        assert_eq!(system_name("0123456789äää"), "g-0123456789ä");
        assert_eq!(system_name("0123456789a\0ä€"), "g-0123456789aä");
    }
}
