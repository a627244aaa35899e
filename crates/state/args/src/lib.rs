//! Arguments, configuration file, settings.json, data directories.
//!
//! [`ArgsManager`] follows the reference's rules (`common/args.cpp`, `common/config.cpp`, `common/settings.cpp`),
//! quirks included. Options are data: tables of [`OptionSpec`] in [`options`]. A program declares its tables, parses
//! the command line, then reads the configuration files:
//!
//! ```
//! use std::sync::Arc;
//! use grs_args::{ArgsManager, options};
//!
//! let args = Arc::new(ArgsManager::new().declare(&options::node(false)));
//! args.parse_parameters(&["-regtest", "-par=2", "-nolisten"])?;
//! args.select_config_network(args.chain_type()?);
//! assert_eq!(args.get_int("-par", 0), 2);
//! assert!(args.is_negated("-listen"));
//! # Ok::<(), grs_args::ArgsError>(())
//! ```

mod base_params;
mod config;
mod error;
mod help;
mod init;
mod interpret;
mod json;
mod logging;
mod manager;
#[cfg(test)]
mod merge_tests;
pub mod options;
mod paths;
mod program;
mod settings;
mod spec;

#[doc(hidden)]
pub mod fuzz;

pub use base_params::{BaseParams, ChainType};
pub use config::{CONF_FILENAME, SectionInfo};
pub use error::ArgsError;
pub use help::{help_message_group, help_message_opt};
pub use init::{ConfigError, ConfigStatus, SettingsAbort, init_config, read_config};
pub use interpret::{FromArg, atoi, interpret_bool};
pub use json::write_json;
pub use logging::{
    log_package_version, set_logging_categories, set_logging_level, set_logging_options, start_logging,
};
pub use manager::{ArgsManager, Command, check_no_words};
pub use paths::{abs_path_for_config_val, check_data_dir_option, default_data_dir, normalize_path};
pub use program::Program;
pub use settings::{SETTINGS_FILENAME, Settings, SettingsValue};
pub use spec::{Flags, OptionSpec, OptionsCategory};
