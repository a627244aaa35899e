//! Options of the log (reference: `init/common.cpp`).

use grs_log::{DEFAULT_DEBUGLOGFILE, LogOptions, all_categories_string, levels_string, logger};

use crate::{ArgsManager, abs_path_for_config_val, default_data_dir};

/// Sets outputs and format from the options. After the network is selected.
pub fn set_logging_options(args: &ArgsManager) {
    let path = args.get_path("-debuglogfile", DEFAULT_DEBUGLOGFILE);
    logger().set_options(LogOptions {
        print_to_console: args.get_bool("-printtoconsole", !args.get_bool("-daemon", false)),
        print_to_file: !args.is_negated("-debuglogfile"),
        timestamps: args.get_bool("-logtimestamps", true),
        time_micros: args.get_bool("-logtimemicros", false),
        thread_names: args.get_bool("-logthreadnames", false),
        source_locations: args.get_bool("-logsourcelocations", false),
        always_print_category_level: args.get_bool("-loglevelalways", false),
        file_path: abs_path_for_config_val(args, &path, true),
    });
    grs_log::set_log_ips(args.get_bool("-logips", false));
    grs_log::install();
}

/// Applies `-loglevel`.
///
/// # Errors
/// Text for the user.
pub fn set_logging_level(args: &ArgsManager) -> Result<(), String> {
    for text in args.get_list("-loglevel") {
        // A colon among the first three characters does not separate a category, as in the reference.
        if !text.as_bytes().iter().skip(3).any(|&byte| byte == b':') {
            if !logger().set_level(&text) {
                return Err(format!(
                    "Unsupported global logging level -loglevel={text}. Valid values: {}.",
                    levels_string()
                ));
            }
            continue;
        }
        let parts: Vec<_> = text.split(':').collect();
        if !matches!(parts[..], [category, level] if logger().set_category_level(category, level)) {
            return Err(format!(
                "Unsupported category-specific logging level -loglevel={text}. Expected \
                 -loglevel=<category>:<loglevel>. Valid categories: {}. Valid loglevels: {}.",
                all_categories_string(),
                levels_string()
            ));
        }
    }
    Ok(())
}

/// Applies `-debug` and `-debugexclude`.
///
/// # Errors
/// Text for the user.
pub fn set_logging_categories(args: &ArgsManager) -> Result<(), String> {
    let categories = args.get_list("-debug");
    let start = categories.iter().rposition(|c| c == "0" || c == "none").map_or(0, |at| at + 1);
    for category in &categories[start..] {
        if !logger().enable_category(category) {
            return Err(format!("Unsupported logging category -debug={category}."));
        }
    }
    for category in args.get_list("-debugexclude") {
        if !logger().disable_category(&category) {
            return Err(format!("Unsupported logging category -debugexclude={category}."));
        }
    }
    grs_log::info!("Log output may contain privacy-sensitive information. Be cautious when sharing logs.");
    Ok(())
}

/// Opens the log and writes directories, configuration file and all arguments to it. Returns a warning for the user.
///
/// # Errors
/// Text for the user.
pub fn start_logging(args: &ArgsManager) -> Result<Option<String>, String> {
    let options = logger().options();
    if options.print_to_file && args.get_bool("-shrinkdebugfile", logger().default_shrink_debug_file()) {
        // Before anything else is written.
        if let Err(error) = logger().shrink_debug_file() {
            grs_log::warn!("Failed to shrink debug log file: {error}");
        }
    }
    logger().start().map_err(|_| format!("Could not open debug log file {}", options.file_path.display()))?;
    if !options.timestamps {
        grs_log::info!("Startup time: {}", grs_log::format_date_time(grs_sync::clock::now_secs()));
    }
    grs_log::info!("Default data directory {}", default_data_dir().display());
    grs_log::info!("Using data directory {}", args.data_dir_net().display());
    let config = args.config_file_path();
    let mut warning = None;
    if args.is_negated("-conf") {
        grs_log::info!("Config file: <disabled>");
    } else if config.is_dir() {
        grs_log::warn!("Config file: {} (is directory, not file)", config.display());
    } else if config.exists() {
        grs_log::info!("Config file: {}", config.display());
    } else if args.is_set("-conf") {
        warning = Some(format!("The specified config file {} does not exist", config.display()));
    } else {
        grs_log::info!("Config file: {} (not found, skipping)", config.display());
    }
    args.log_args();
    Ok(warning)
}

/// Logs name and version; the first line of a run.
pub fn log_package_version(version: &str) {
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    grs_log::info!("Groestlcoin Core version {version} ({build} build)");
}
