//! Telling the user: on standard error and in the log.

use std::sync::{Arc, Mutex, PoisonError};

use grs_log::{error, warn};

type Hook = Arc<dyn Fn(&str) + Send + Sync>;

static ON_ERROR: Mutex<Option<Hook>> = Mutex::new(None);

/// Calls `hook` with each error that is shown from now on, for a program with a window; `None` ends that.
pub fn on_init_error(hook: Option<Hook>) {
    *ON_ERROR.lock().unwrap_or_else(PoisonError::into_inner) = hook;
}

/// Shows an error. The caller then stops.
pub fn init_error(text: &str) {
    error!("{text}");
    eprintln!("Error: {text}");
    let hook = ON_ERROR.lock().unwrap_or_else(PoisonError::into_inner).clone();
    if let Some(hook) = hook {
        hook(text);
    }
}

/// Shows a warning and goes on.
pub fn init_warning(text: &str) {
    warn!("{text}");
    eprintln!("Warning: {text}");
}
