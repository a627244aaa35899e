//! Telling the user: on standard error and in the log.

use grs_log::{error, warn};

/// Shows an error. The caller then stops.
pub fn init_error(text: &str) {
    error!("{text}");
    eprintln!("Error: {text}");
}

/// Shows a warning and goes on.
pub fn init_warning(text: &str) {
    warn!("{text}");
    eprintln!("Warning: {text}");
}
