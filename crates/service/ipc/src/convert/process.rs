//! Greetings, settings and the wallet process.

use grs_interfaces::{
    BilingualString, GlobalArgs, Hello, Role, WalletDirEntry, WalletMigration, WalletOutcome,
};
use grs_ipc_schema::{grs_init_capnp as grs_init, handler_capnp as handler, wallet_capnp as wallet};
use grs_mp::exception;

use serde_json::Value;

use super::{FromWire, ToScalar, ToWire, count, optional, put_structs, read};

impl ToWire<grs_init::hello::Builder<'_>> for Hello {
    fn to_wire(&self, mut out: grs_init::hello::Builder<'_>) {
        out.set_role(self.role.to_scalar());
        out.set_schema_major(self.schema_major);
        out.set_schema_minor(self.schema_minor);
        out.set_program_version(&self.program_version);
        out.set_network(&self.network);
        out.set_data_dir(&self.data_dir);
    }
}

impl FromWire<grs_init::hello::Reader<'_>> for Hello {
    fn from_wire(from: grs_init::hello::Reader<'_>) -> capnp::Result<Self> {
        Ok(Hello {
            // A newer program may have a role that is not known here; it is of no importance.
            role: Role::from_wire(from.get_role()).unwrap_or(Role::Other),
            schema_major: from.get_schema_major(),
            schema_minor: from.get_schema_minor(),
            program_version: read(from.get_program_version())?,
            network: read(from.get_network())?,
            data_dir: read(from.get_data_dir())?,
        })
    }
}

impl ToWire<grs_init::global_args::Builder<'_>> for GlobalArgs {
    fn to_wire(&self, mut out: grs_init::global_args::Builder<'_>) {
        let settings = serde_json::json!({
            "forced": self.forced_settings,
            "commandLine": self.command_line_options,
            "rw": self.rw_settings,
            "ro": self.ro_config,
        });
        out.set_settings(settings.to_string());
        out.set_config_path(&self.config_path);
        out.set_network(&self.network);
        out.set_net_data_dir(&self.net_data_dir);
    }
}

impl FromWire<grs_init::global_args::Reader<'_>> for GlobalArgs {
    fn from_wire(from: grs_init::global_args::Reader<'_>) -> capnp::Result<Self> {
        let bad = |error: serde_json::Error| exception(format!("settings: {error}"));
        let mut settings = read::<_, Value>(from.get_settings())?;
        if !settings.is_object() {
            return Err(exception("settings: not an object"));
        }
        Ok(GlobalArgs {
            forced_settings: serde_json::from_value(settings["forced"].take()).map_err(bad)?,
            command_line_options: serde_json::from_value(settings["commandLine"].take()).map_err(bad)?,
            rw_settings: serde_json::from_value(settings["rw"].take()).map_err(bad)?,
            ro_config: serde_json::from_value(settings["ro"].take()).map_err(bad)?,
            config_path: read(from.get_config_path())?,
            network: read(from.get_network())?,
            net_data_dir: read(from.get_net_data_dir())?,
        })
    }
}

impl ToWire<handler::bilingual_string::Builder<'_>> for BilingualString {
    fn to_wire(&self, mut out: handler::bilingual_string::Builder<'_>) {
        out.set_original(&self.original);
        out.set_translated(&self.translated);
    }
}

impl FromWire<handler::bilingual_string::Reader<'_>> for BilingualString {
    fn from_wire(from: handler::bilingual_string::Reader<'_>) -> capnp::Result<Self> {
        Ok(BilingualString { original: read(from.get_original())?, translated: read(from.get_translated())? })
    }
}

impl ToWire<wallet::outcome::Builder<'_>> for WalletOutcome {
    fn to_wire(&self, mut out: wallet::outcome::Builder<'_>) {
        match &self.result {
            Ok(name) => out.set_wallet(name),
            Err(error) => error.to_wire(out.reborrow().init_error()),
        }
        put_structs(out.init_warnings(count(self.warnings.len())), &self.warnings);
    }
}

impl FromWire<wallet::outcome::Reader<'_>> for WalletOutcome {
    fn from_wire(from: wallet::outcome::Reader<'_>) -> capnp::Result<Self> {
        Ok(WalletOutcome {
            result: match from.has_wallet() {
                true => Ok(read(from.get_wallet())?),
                false => Err(BilingualString::from_wire(from.get_error()?)?),
            },
            warnings: read(from.get_warnings())?,
        })
    }
}

impl ToWire<wallet::migration::Builder<'_>> for Result<WalletMigration, BilingualString> {
    fn to_wire(&self, mut out: wallet::migration::Builder<'_>) {
        match self {
            Err(error) => error.to_wire(out.init_error()),
            Ok(done) => {
                out.set_wallet(&done.wallet);
                if let Some(name) = &done.watch_only {
                    out.set_watch_only(name);
                }
                if let Some(name) = &done.solvables {
                    out.set_solvables(name);
                }
                out.set_backup_path(&done.backup_path);
            }
        }
    }
}

impl FromWire<wallet::migration::Reader<'_>> for Result<WalletMigration, BilingualString> {
    fn from_wire(from: wallet::migration::Reader<'_>) -> capnp::Result<Self> {
        if from.has_error() {
            return Ok(Err(BilingualString::from_wire(from.get_error()?)?));
        }
        Ok(Ok(WalletMigration {
            wallet: read(from.get_wallet())?,
            watch_only: optional(from.has_watch_only(), from.get_watch_only())?,
            solvables: optional(from.has_solvables(), from.get_solvables())?,
            backup_path: read(from.get_backup_path())?,
        }))
    }
}

impl ToWire<wallet::dir_entry::Builder<'_>> for WalletDirEntry {
    fn to_wire(&self, mut out: wallet::dir_entry::Builder<'_>) {
        out.set_name(&self.name);
        out.set_format(&self.format);
    }
}

impl FromWire<wallet::dir_entry::Reader<'_>> for WalletDirEntry {
    fn from_wire(from: wallet::dir_entry::Reader<'_>) -> capnp::Result<Self> {
        Ok(WalletDirEntry { name: read(from.get_name())?, format: read(from.get_format())? })
    }
}
