//! Settings that one process hands to another.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::CallResult;

/// The parsed settings of the parent process, with the same four sources as the reference's `common::Settings`.
///
/// A spawned process reads no configuration of its own.
#[derive(Clone, PartialEq, Default)]
pub struct GlobalArgs {
    /// Values forced by the program, not by the user.
    pub forced_settings: BTreeMap<String, Value>,
    /// Options of the command line, in order.
    pub command_line_options: BTreeMap<String, Vec<Value>>,
    /// Contents of `settings.json`.
    pub rw_settings: BTreeMap<String, Value>,
    /// Sections of the configuration file; the empty name is the part before the first section.
    pub ro_config: BTreeMap<String, BTreeMap<String, Vec<Value>>>,
    /// Path of the configuration file.
    pub config_path: String,
    /// Name of the network: `main`, `test`, `testnet4`, `signet` or `regtest`.
    pub network: String,
    /// Data directory of the network, absolute.
    pub net_data_dir: String,
}

impl std::fmt::Debug for GlobalArgs {
    /// Leaves the values out, since they may hold passwords.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GlobalArgs")
            .field("config_path", &self.config_path)
            .field("network", &self.network)
            .field("net_data_dir", &self.net_data_dir)
            .finish_non_exhaustive()
    }
}

/// What to do after a value of `settings.json` has been changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SettingsAction {
    /// Write the file.
    Write,
    /// Keep the change in memory only.
    SkipWrite,
}

/// The change of an atomic read-modify-write of one setting.
pub trait SettingsUpdate: Send + Sync {
    /// Gets the present value (null if there is none) and answers the new one and what to do with it, or `None` to
    /// leave it as it is. A new value of null erases the setting.
    fn update(&self, value: Value) -> CallResult<Option<(Value, SettingsAction)>>;
}
