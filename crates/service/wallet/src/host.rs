//! Where a wallet process has its settings from, and whom it tells about its start: the node that started it, or its
//! own options and its own user if it was started by itself.

use std::sync::Arc;

use grs_args::ArgsManager;
use grs_interfaces::{CallResult, Chain, SettingsAction, SettingsUpdate};
use grs_log::{error, info, warn};
use serde_json::Value;

use crate::context::bilingual;

/// See the module.
pub(crate) trait Host: Send + Sync {
    /// All values of a repeatable setting.
    fn settings_list(&self, name: &str) -> CallResult<Vec<Value>>;
    /// A setting; null if it is not set.
    fn setting(&self, name: &str) -> CallResult<Value>;
    /// Changes a setting of this run only.
    fn set_for_now(&self, name: &str, value: Value) -> CallResult<()>;
    /// Changes the list of a setting that is kept; false if it cannot be written.
    fn update(&self, name: &str, update: Arc<dyn SettingsUpdate>) -> CallResult<bool>;
    /// What is going on.
    fn message(&self, text: &str) -> CallResult<()>;
    /// Something the user should know.
    fn warning(&self, text: String) -> CallResult<()>;
    /// Why it does not start.
    fn error(&self, text: String) -> CallResult<()>;
    /// Whether a wallet that another process has open is left out rather than an error.
    fn leaves_out_locked(&self) -> bool {
        false
    }
    /// Whether a wallet that does not load is left out rather than an error.
    fn leaves_out_failed(&self) -> bool {
        false
    }
    /// What to add to the error about a wallet that another process has open.
    fn locked_hint(&self) -> &'static str {
        ""
    }
}

/// The node that this process belongs to.
pub(crate) struct NodeHost(pub(crate) Arc<dyn Chain>);

impl Host for NodeHost {
    fn settings_list(&self, name: &str) -> CallResult<Vec<Value>> {
        self.0.get_settings_list(name)
    }

    fn setting(&self, name: &str) -> CallResult<Value> {
        self.0.get_setting(name)
    }

    fn set_for_now(&self, name: &str, value: Value) -> CallResult<()> {
        self.0.overwrite_rw_setting(name, value, SettingsAction::SkipWrite).map(|_| ())
    }

    fn update(&self, name: &str, update: Arc<dyn SettingsUpdate>) -> CallResult<bool> {
        self.0.update_rw_setting(name, update)
    }

    fn message(&self, text: &str) -> CallResult<()> {
        self.0.init_message(text)
    }

    fn warning(&self, text: String) -> CallResult<()> {
        self.0.init_warning(&bilingual(text))
    }

    fn error(&self, text: String) -> CallResult<()> {
        self.0.init_error(&bilingual(text))
    }
}

/// What a process that attaches to a node by itself loads.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attachment {
    /// The wallets to load; `None` for those of the settings. Wallets of the settings that another process has open are
    /// left out, as the node's own wallet process has the same settings.
    pub wallets: Option<Vec<String>>,
    /// Leave named wallets out, too, that do not load: when the process comes back to a node, those that do are
    /// worth having.
    pub again: bool,
    /// The node writes the settings file of this process: both have the same data directory.
    pub shares_settings: bool,
}

/// The options of this process, and its standard error.
pub(crate) struct OwnHost {
    pub(crate) args: Arc<ArgsManager>,
    pub(crate) chain: Arc<dyn Chain>,
    pub(crate) attachment: Attachment,
}

impl Host for OwnHost {
    fn settings_list(&self, name: &str) -> CallResult<Vec<Value>> {
        if name == "wallet"
            && let Some(wallets) = &self.attachment.wallets
        {
            return Ok(wallets.iter().map(|w| Value::from(w.as_str())).collect());
        }
        Ok(self.args.get_settings_list(&format!("-{name}")))
    }

    fn setting(&self, name: &str) -> CallResult<Value> {
        if name == "wallet" && self.attachment.wallets.is_some() {
            // An empty list is a choice too.
            return Ok(Value::from(false));
        }
        Ok(self.args.get_setting(&format!("-{name}")))
    }

    fn set_for_now(&self, name: &str, value: Value) -> CallResult<()> {
        self.args.with_settings(|settings| settings.rw_settings.insert(name.to_owned(), value));
        Ok(())
    }

    fn update(&self, name: &str, update: Arc<dyn SettingsUpdate>) -> CallResult<bool> {
        if self.attachment.shares_settings {
            return self.chain.update_rw_setting(name, update);
        }
        let present = self.args.with_settings(|s| s.rw_settings.get(name).cloned().unwrap_or(Value::Null));
        let Some((value, action)) = update.update(present)? else { return Ok(true) };
        self.set_for_now(name, value)?;
        if action == SettingsAction::SkipWrite {
            return Ok(true);
        }
        let written = self.args.write_settings_file(false);
        if let Err(errors) = &written {
            errors.iter().for_each(|e| warn!("{e}"));
        }
        Ok(written.is_ok())
    }

    fn message(&self, text: &str) -> CallResult<()> {
        info!("init message: {text}");
        Ok(())
    }

    fn warning(&self, text: String) -> CallResult<()> {
        warn!("{text}");
        eprintln!("Warning: {text}");
        Ok(())
    }

    fn error(&self, text: String) -> CallResult<()> {
        error!("{text}");
        eprintln!("Error: {text}");
        Ok(())
    }

    fn leaves_out_locked(&self) -> bool {
        self.attachment.again || self.attachment.wallets.is_none()
    }

    fn leaves_out_failed(&self) -> bool {
        self.attachment.again
    }

    fn locked_hint(&self) -> &'static str {
        "Another process has this wallet open: the node's own wallet process, another groestlcoin-wallet, or a node. \
         Unload it there first."
    }
}
