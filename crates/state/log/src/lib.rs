//! Log categories, debug.log in the reference's format, rate limits.
//!
//! [`tracing`] is the facade: the macros here emit tracing events whose target is the category's name, and a layer
//! writes them (and events of dependencies) through the global [`Logger`]. A disabled [`debug!`] or [`trace!`] costs
//! one relaxed load. Every line is written through before the macro returns, because callers and tests read the file
//! right after.
//!
//! ```
//! use grs_log::{Category, debug, info, warn};
//! info!("Loaded {} addresses", 7);
//! warn!("disk space is low");
//! debug!(Category::Net, "received: {} ({} bytes) peer={}", "ping", 8, 0);
//! ```
//!
//! Before [`Logger::start`] lines are buffered, so that those about the configuration file get into debug.log.

mod category;
mod format;
mod layer;
mod logger;
mod macros;
mod ratelimit;

pub use category::{Category, Level, all_categories_string, levels_string, parse_category};
pub use format::{escape_message, format_date_time};
pub use layer::install;
pub use logger::{CallbackId, DEFAULT_DEBUGLOGFILE, LogOptions, Logger, Record, Source};
pub use ratelimit::{RATELIMIT_MAX_BYTES, RATELIMIT_WINDOW};

use std::sync::atomic::{AtomicBool, Ordering};

static LOGGER: Logger = Logger::new();
static LOG_IPS: AtomicBool = AtomicBool::new(false);

/// The process's logger.
#[inline]
pub fn logger() -> &'static Logger {
    &LOGGER
}

/// Whether a line of this category and level would be logged. One relaxed load.
#[inline]
pub fn enabled(category: Category, level: Level) -> bool {
    LOGGER.will_log(category, level)
}

/// Whether addresses of peers may be logged (`-logips`).
#[inline]
pub fn log_ips() -> bool {
    LOG_IPS.load(Ordering::Relaxed)
}

/// Sets [`log_ips`].
pub fn set_log_ips(on: bool) {
    LOG_IPS.store(on, Ordering::Relaxed);
}

#[doc(hidden)]
pub mod __private {
    pub use tracing;
}
