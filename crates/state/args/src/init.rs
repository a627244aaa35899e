//! First steps of a program that uses a data directory (reference: `common/init.cpp`).

use std::path::Path;

use crate::{ArgsError, ArgsManager, CONF_FILENAME, Flags, abs_path_for_config_val, check_data_dir_option};

/// How [`init_config`] failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConfigStatus {
    /// A wrong argument or file.
    Failed,
    /// settings.json cannot be written.
    FailedWrite,
    /// The user gave up when settings.json could not be read.
    Aborted,
}

/// Why [`init_config`] failed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    /// How.
    pub status: ConfigStatus,
    /// Text for the user.
    pub message: String,
    /// More texts.
    pub details: Vec<String>,
}

impl ConfigError {
    /// Message and details as one text, the details as a list.
    pub fn user_text(&self) -> String {
        if self.details.is_empty() {
            return self.message.clone();
        }
        let list: Vec<_> = self.details.iter().map(|detail| format!("- {detail}")).collect();
        format!("{}:\n{}", self.message, list.join("\n"))
    }

    fn failed(message: impl Into<String>) -> Self {
        Self { status: ConfigStatus::Failed, message: message.into(), details: Vec::new() }
    }
}

/// Asked when settings.json cannot be read, with message and details; `true` gives up, `false` goes on without it.
pub type SettingsAbort<'a> = &'a dyn Fn(&str, &[String]) -> bool;

/// Reads the configuration files, selects the network, creates the data directory, reads and writes settings.json.
///
/// # Errors
/// Text for the user; without `settings_abort` an unreadable settings.json is one.
pub fn init_config(args: &ArgsManager, settings_abort: Option<SettingsAbort<'_>>) -> Result<(), ConfigError> {
    if !check_data_dir_option(args) {
        let dir = args.get_str("-datadir", "");
        return Err(ConfigError::failed(format!("Specified data directory \"{dir}\" does not exist.")));
    }
    // The file may contain datadir=, which changes the directory but never the configuration file.
    let orig_datadir = args.data_dir_base();
    let orig_config = abs_path_for_config_val(args, &args.get_path("-conf", CONF_FILENAME), false);
    args.read_config_files(true).map_err(|error| match error {
        // Exceptions in the reference, which its prefix does not reach.
        ArgsError::ChainCombination | ArgsError::IncludeNotText => ConfigError::failed(error.to_string()),
        error => ConfigError::failed(format!("Error reading configuration file: {error}")),
    })?;
    let chain = args.chain_type().map_err(|error| ConfigError::failed(error.to_string()))?;
    args.select_config_network(chain);

    let base = args.data_dir_base();
    let net = args.data_dir_net();
    for dir in [&base, &net] {
        if !dir.exists() {
            // A new data directory gets a subdirectory for wallets, so that later ones do not lie among other files.
            let wallets = dir.join("wallets");
            std::fs::create_dir_all(&wallets).map_err(|error| {
                ConfigError::failed(format!("Cannot create directory {}: {error}", wallets.display()))
            })?;
        }
    }
    check_ignored_config(args, &base, &orig_datadir, &orig_config)?;

    if args.settings_path().is_some() {
        if let Err(details) = args.read_settings_file() {
            let message = "Settings file could not be read";
            let status = match settings_abort {
                None => Some(ConfigStatus::Failed),
                Some(abort) => abort(message, &details).then_some(ConfigStatus::Aborted),
            };
            if let Some(status) = status {
                return Err(ConfigError { status, message: message.into(), details });
            }
        }
        args.write_settings_file(false).map_err(|details| ConfigError {
            status: ConfigStatus::FailedWrite,
            message: "Settings file could not be written".into(),
            details,
        })?;
    }
    Ok(())
}

/// Reads the configuration files, selects the network and reads settings.json, for a program that works beside a node:
/// nothing is created or written, as that is the node's, and what only the node understands is not complained about.
///
/// # Errors
/// Text for the user.
pub fn read_config(args: &ArgsManager) -> Result<(), String> {
    if !check_data_dir_option(args) {
        let dir = args.get_str("-datadir", "");
        return Err(format!("Specified data directory \"{dir}\" does not exist."));
    }
    args.set_default_flags(Some(Flags::ANY));
    args.read_config_files(true).map_err(|error| format!("Error reading configuration file: {error}"))?;
    args.select_config_network(args.chain_type().map_err(|error| error.to_string())?);
    if args.settings_path().is_some_and(|path| path.exists()) {
        args.read_settings_file()
            .map_err(|errors| format!("Settings file could not be read: {}", errors.join(", ")))?;
    }
    Ok(())
}

/// Complains about a configuration file in the data directory that is not the one in use.
fn check_ignored_config(
    args: &ArgsManager,
    base: &Path,
    orig_datadir: &Path,
    orig_config: &Path,
) -> Result<(), ConfigError> {
    let base_config = base.join(CONF_FILENAME);
    if !base_config.exists() {
        return Ok(());
    }
    let (base, name) = (quoted(base), quoted(CONF_FILENAME));
    if orig_config.as_os_str().is_empty() {
        grs_log::info!(
            "Data directory {base} contains a {name} file which is explicitly ignored using -noconf."
        );
        return Ok(());
    }
    let same = match (std::fs::canonicalize(orig_config), std::fs::canonicalize(&base_config)) {
        (Ok(a), Ok(b)) => a == b,
        _ => false,
    };
    if same {
        return Ok(());
    }
    let cli_config = args.get_str("-conf", "");
    let source = if cli_config.is_empty() {
        format!("data directory {}", quoted(orig_datadir))
    } else {
        format!("command line argument {}", quoted(format!("-conf={cli_config}")))
    };
    let text = format!(
        "Data directory {base} contains a {name} file which is ignored, because a different configuration file {} \
         from {source} is being used instead. Possible ways to address this would be to:\n- Delete or rename the \
         {name} file in data directory {base}.\n- Change datadir= or conf= options to specify one configuration \
         file, not two, and use includeconf= to include any other configuration files.",
        quoted(orig_config)
    );
    if args.get_bool("-allowignoredconf", false) {
        grs_log::warn!("{text}");
        return Ok(());
    }
    Err(ConfigError::failed(
        text + "\n- Set allowignoredconf=1 option to treat this condition as a warning, not an error.",
    ))
}

/// In quotes, with quotes and backslashes escaped (C++: `std::quoted`).
fn quoted(text: impl AsRef<Path>) -> String {
    let text = text.as_ref().display().to_string();
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
