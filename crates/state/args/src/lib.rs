//! Arguments, configuration file, settings.json, data directories.
