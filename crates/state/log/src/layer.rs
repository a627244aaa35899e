//! Carries tracing events to the logger.

use std::fmt::{self, Write as _};
use std::sync::OnceLock;

use grs_sync::thread::{self, ThreadEvent};
use tracing::field::{Field, Visit};
use tracing::subscriber::Interest;
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

use crate::{Category, Level, Record, Source, format, logger};

static INSTALLED: OnceLock<()> = OnceLock::new();

/// Connects tracing and thread starts with the logger. The macros call it; programs call it early, so that events of
/// dependencies arrive too. Does nothing the second time, or when another subscriber was installed before.
#[inline]
pub fn install() {
    INSTALLED.get_or_init(|| {
        thread::set_observer(log_thread_event);
        let _ = tracing::subscriber::set_global_default(tracing_subscriber::registry().with(LogLayer));
    });
}

fn log_thread_event(event: ThreadEvent<'_>) {
    match event {
        ThreadEvent::Start(name) => crate::info!("{name} thread start"),
        ThreadEvent::Exit(name) => crate::info!("{name} thread exit"),
        ThreadEvent::Panic { name, message, .. } => crate::error!("Panic in {name} thread: {message}"),
    }
}

struct LogLayer;

/// Where an event's target belongs.
enum Target {
    /// One of ours: a category, or none.
    Own(Option<Category>),
    /// A dependency whose debug lines have a category.
    Foreign(Category),
    /// Another dependency: warnings and errors only.
    Other,
}

fn classify(metadata: &Metadata<'_>) -> Target {
    let target = metadata.target();
    if target == "all" {
        return Target::Own(None);
    }
    if let Some(category) = Category::from_name(target) {
        return Target::Own(Some(category));
    }
    match target.split("::").next() {
        Some("hyper" | "hyper_util" | "http") => Target::Foreign(Category::Http),
        Some("capnp" | "capnp_rpc") => Target::Foreign(Category::Ipc),
        Some("rusqlite") => Target::Foreign(Category::WalletDb),
        _ => Target::Other,
    }
}

fn level_of(metadata: &Metadata<'_>) -> Level {
    match *metadata.level() {
        tracing::Level::TRACE => Level::Trace,
        tracing::Level::DEBUG => Level::Debug,
        tracing::Level::INFO => Level::Info,
        tracing::Level::WARN => Level::Warning,
        tracing::Level::ERROR => Level::Error,
    }
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn register_callsite(&self, metadata: &'static Metadata<'static>) -> Interest {
        if metadata.is_span() {
            return Interest::never();
        }
        match classify(metadata) {
            Target::Own(None) => Interest::always(),
            Target::Own(Some(_)) | Target::Foreign(_) => Interest::sometimes(),
            Target::Other if level_of(metadata) >= Level::Warning => Interest::always(),
            Target::Other => Interest::never(),
        }
    }

    fn enabled(&self, metadata: &Metadata<'_>, _ctx: Context<'_, S>) -> bool {
        let level = level_of(metadata);
        match classify(metadata) {
            Target::Own(None) => true,
            // Our macros have asked already; crates that use the facade alone have not.
            Target::Own(Some(category)) => logger().will_log(category, level),
            Target::Foreign(category) => level >= Level::Warning || logger().will_log_debug(category, level),
            Target::Other => level >= Level::Warning,
        }
    }

    fn on_event(&self, event: &Event<'_>, _ctx: Context<'_, S>) {
        let metadata = event.metadata();
        let category = match classify(metadata) {
            Target::Own(category) => category,
            Target::Foreign(category) => Some(category),
            Target::Other => None,
        };
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = level_of(metadata);
        logger().log(&Record {
            category,
            level,
            source: Source { file: metadata.file().unwrap_or(""), line: metadata.line().unwrap_or(0) },
            function: format::short_function(fields.function.strip_suffix("::__here").unwrap_or("")),
            text: &fields.text,
            rate_limit: level >= Level::Info,
        });
    }
}

/// Collects the message; fields of foreign events follow it.
#[derive(Default)]
struct Fields {
    text: String,
    function: String,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "function" => self.function.push_str(value),
            _ => self.record_debug(field, &format_args!("{value}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let _ = match field.name() {
            "message" => write!(self.text, "{value:?}"),
            name => write!(self.text, " {name}={value:?}"),
        };
    }
}
