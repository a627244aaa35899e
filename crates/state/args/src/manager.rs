//! The arguments of a process, from all sources.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use serde_json::Value;

use crate::config::SectionInfo;
use crate::interpret::{FromArg, interpret_key, interpret_value, to_bool, to_int, to_text};
use crate::settings::{self, Settings, SettingsValue, Span};
use crate::spec::{Flags, OptionSpec, OptionsCategory};
use crate::{ArgsError, ChainType, SETTINGS_FILENAME, help, json, paths};

/// The first word of a command line that is no option, as an error for programs that take options only.
pub fn check_no_words<S: AsRef<str>>(argv: &[S]) -> Result<(), ArgsError> {
    let word = argv.iter().map(AsRef::as_ref).find(|arg| !arg.starts_with('-'));
    word.map_or(Ok(()), |word| Err(ArgsError::UnexpectedToken(word.to_owned())))
}

/// Command of a tool and what follows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// The command, if the program declares its commands; empty otherwise.
    pub command: String,
    /// What follows; the command too, if the program declares none.
    pub args: Vec<String>,
}

#[derive(Clone, Debug)]
struct Arg {
    param: String,
    help: String,
    flags: Flags,
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) settings: Settings,
    command: Vec<String>,
    /// Section of the selected network; empty before it is selected.
    network: Option<ChainType>,
    network_only: BTreeSet<String>,
    available: BTreeMap<OptionsCategory, BTreeMap<String, Arg>>,
    flags: HashMap<String, Flags>,
    default_flags: Option<Flags>,
    has_commands: bool,
    pub(crate) config_sections: Vec<SectionInfo>,
    pub(crate) config_path: Option<PathBuf>,
    /// The data directory that was found to exist.
    seen_data_dir: Option<PathBuf>,
}

/// All arguments of a process. Thread safe; share it as `Arc<ArgsManager>`. Names have their dash: `-rpcport`.
#[derive(Default)]
pub struct ArgsManager {
    state: RwLock<State>,
}

fn setting_name(arg: &str) -> &str {
    arg.strip_prefix('-').unwrap_or(arg)
}

impl State {
    pub(crate) fn flags_of(&self, name: &str) -> Option<Flags> {
        self.flags.get(name).copied().or(self.default_flags)
    }

    fn section(&self) -> &'static str {
        self.network.map_or("", ChainType::name)
    }

    /// Whether network-only options must not come from the default section.
    fn ignores_default_section(&self, arg: &str) -> bool {
        self.network != Some(ChainType::Main) && self.network_only.contains(arg)
    }

    fn add(&mut self, category: OptionsCategory, name: &str, arg: Arg) {
        let known = self.flags.insert(name.to_owned(), arg.flags);
        assert!(known.is_none(), "option {name} is declared twice");
        if arg.flags.has(Flags::NETWORK_ONLY) {
            self.network_only.insert(name.to_owned());
        }
        self.has_commands |= arg.flags.has(Flags::COMMAND);
        self.available.entry(category).or_default().insert(name.to_owned(), arg);
    }

    fn get(&self, arg: &str) -> SettingsValue {
        let ignore = self.ignores_default_section(arg);
        self.settings.value(self.section(), setting_name(arg), ignore, false, false)
    }
}

impl ArgsManager {
    /// Without any options.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a table of options.
    ///
    /// # Panics
    /// If an option is declared twice.
    pub fn declare(self, options: &[OptionSpec]) -> Self {
        for option in options {
            self.add_arg(option.name, option.param, option.help, option.flags, option.category);
        }
        self
    }

    /// Adds one option, whose help may be computed.
    ///
    /// # Panics
    /// If it is declared twice.
    pub fn add_arg(&self, name: &str, param: &str, help: &str, flags: Flags, category: OptionsCategory) {
        let arg = Arg { param: param.to_owned(), help: help.to_owned(), flags };
        self.write().add(category, name, arg);
    }

    /// Flags of a declared option, or the default ones.
    pub fn flags(&self, name: &str) -> Option<Flags> {
        self.read().flags_of(name)
    }

    /// Accepts undeclared options with these flags (`None`: refuses them).
    pub fn set_default_flags(&self, flags: Option<Flags>) {
        self.write().default_flags = flags;
    }

    /// Parses the command line without the program's name. Later calls replace earlier values.
    ///
    /// # Errors
    /// The first wrong argument.
    pub fn parse_parameters<S: AsRef<str>>(&self, argv: &[S]) -> Result<(), ArgsError> {
        let mut state = self.write();
        state.settings.command_line.clear();
        let mut argv = argv.iter().map(AsRef::as_ref);
        while let Some(arg) = argv.next() {
            // groestlcoin-tx reads standard input.
            if arg == "-" {
                break;
            }
            let (key, value) = match arg.split_once('=') {
                Some((key, value)) => (key, Some(value)),
                None => (arg, None),
            };
            let Some(name) = key.strip_prefix('-') else {
                if state.has_commands && state.command.is_empty() {
                    let flags = state.flags_of(key);
                    if !flags.is_some_and(|flags| flags.has(Flags::COMMAND)) {
                        return Err(ArgsError::InvalidCommand(arg.to_owned()));
                    }
                }
                // The reference cuts the first word at '=' and keeps the others whole.
                state.command.push(key.to_owned());
                state.command.extend(argv.map(str::to_owned));
                break;
            };
            let key = interpret_key(name.strip_prefix('-').unwrap_or(name));
            let flags = state.flags_of(&format!("-{}", key.name));
            let Some(flags) = flags.filter(|_| key.section.is_empty()) else {
                return Err(ArgsError::InvalidParameter(arg.to_owned()));
            };
            let value = interpret_value(&key, value, flags)?;
            state.settings.command_line.entry(key.name).or_default().push(value);
        }
        if let Some(includes) = state.settings.command_line.get("includeconf")
            && let Some(first) = Span(includes).values().first()
        {
            return Err(ArgsError::IncludeConfOnCommandLine(json::write_json(first, 0)));
        }
        Ok(())
    }

    /// Selects the network whose section and subdirectory count from now on.
    pub fn select_config_network(&self, network: ChainType) {
        self.write().network = Some(network);
    }

    /// The selected network.
    pub fn network(&self) -> Option<ChainType> {
        self.read().network
    }

    /// The network the options ask for.
    ///
    /// # Errors
    /// If they contradict each other or the name is unknown.
    pub fn chain_type(&self) -> Result<ChainType, ArgsError> {
        let name = self.chain_type_string()?;
        ChainType::from_name(&name).ok_or(ArgsError::UnknownChain(name))
    }

    /// As [`Self::chain_type`], but an unknown name is returned.
    ///
    /// # Errors
    /// If the options contradict each other.
    pub fn chain_type_string(&self) -> Result<String, ArgsError> {
        let state = self.read();
        let set = |name: &str| to_bool(&state.settings.value("", name, false, false, true)).unwrap_or(false);
        let flags = [
            (set("regtest"), ChainType::Regtest),
            (set("signet"), ChainType::Signet),
            (set("testnet"), ChainType::Testnet),
            (set("testnet4"), ChainType::Testnet4),
        ];
        let chain = to_text(&state.get("-chain"));
        let mut chosen = flags.iter().filter(|(set, _)| *set).map(|(_, chain)| *chain);
        match (chain, chosen.next(), chosen.next()) {
            (Some(name), None, None) => Ok(name),
            (None, Some(chain), None) => Ok(chain.name().to_owned()),
            (None, None, None) => Ok(ChainType::Main.name().to_owned()),
            _ => Err(ArgsError::ChainCombination),
        }
    }

    /// The effective value: null if unset, false if negated.
    pub fn get_setting(&self, arg: &str) -> SettingsValue {
        self.read().get(arg)
    }

    /// All effective values of an option that may be given several times.
    pub fn get_settings_list(&self, arg: &str) -> Vec<SettingsValue> {
        let state = self.read();
        state.settings.list(state.section(), setting_name(arg), state.ignores_default_section(arg))
    }

    /// The value in files, whatever command line and program say. The name has no dash here.
    pub fn get_persistent_setting(&self, name: &str) -> SettingsValue {
        let state = self.read();
        let ignore = state.ignores_default_section(&format!("-{name}"));
        state.settings.value(state.section(), name, ignore, true, false)
    }

    /// Whether the option is set anywhere, negated or not.
    pub fn is_set(&self, arg: &str) -> bool {
        !self.get_setting(arg).is_null()
    }

    /// Whether the option is negated by `-noname`; `-name=0` is not, its value is the text `0`.
    pub fn is_negated(&self, arg: &str) -> bool {
        self.get_setting(arg) == Value::Bool(false)
    }

    /// Text, or `default` if unset. Negated is `0`.
    pub fn get_str(&self, arg: &str, default: &str) -> String {
        self.get_opt_str(arg).unwrap_or_else(|| default.to_owned())
    }

    /// Text, if set.
    pub fn get_opt_str(&self, arg: &str) -> Option<String> {
        to_text(&self.get_setting(arg))
    }

    /// Boolean, or `default` if unset.
    pub fn get_bool(&self, arg: &str, default: bool) -> bool {
        self.get_opt_bool(arg).unwrap_or(default)
    }

    /// Boolean, if set.
    pub fn get_opt_bool(&self, arg: &str) -> Option<bool> {
        to_bool(&self.get_setting(arg))
    }

    /// Integer by the rules of [`crate::atoi`], or `default` if unset.
    pub fn get_int<T: FromArg>(&self, arg: &str, default: T) -> T {
        self.get_opt_int(arg).unwrap_or(default)
    }

    /// Integer, if set.
    pub fn get_opt_int<T: FromArg>(&self, arg: &str) -> Option<T> {
        to_int(&self.get_setting(arg))
    }

    /// All texts of an option that may be given several times.
    pub fn get_list(&self, arg: &str) -> Vec<String> {
        self.get_settings_list(arg).iter().filter_map(to_text).collect()
    }

    /// Path without `.`, `..` and trailing separators; `default` as it is if unset or empty, empty if negated.
    pub fn get_path(&self, arg: &str, default: impl AsRef<Path>) -> PathBuf {
        let value = self.get_setting(arg);
        if value == Value::Bool(false) {
            return PathBuf::new();
        }
        match to_text(&value) {
            Some(text) if !text.is_empty() => paths::normalize_path(&text),
            _ => default.as_ref().to_owned(),
        }
    }

    /// Sets a value unless there is one; tells whether it did.
    pub fn soft_set(&self, arg: &str, value: &str) -> bool {
        let mut state = self.write();
        if !state.get(arg).is_null() {
            return false;
        }
        state.settings.forced.insert(setting_name(arg).to_owned(), Value::String(value.to_owned()));
        true
    }

    /// [`Self::soft_set`] with `1` or `0`.
    pub fn soft_set_bool(&self, arg: &str, value: bool) -> bool {
        self.soft_set(arg, if value { "1" } else { "0" })
    }

    /// Sets a value that precedes all others.
    pub fn force_set(&self, arg: &str, value: &str) {
        let value = Value::String(value.to_owned());
        self.write().settings.forced.insert(setting_name(arg).to_owned(), value);
    }

    /// The command and its arguments, if there are any words that are no options.
    pub fn get_command(&self) -> Option<Command> {
        let state = self.read();
        let (first, rest) = state.command.split_first()?;
        Some(if state.has_commands {
            Command { command: first.clone(), args: rest.to_vec() }
        } else {
            Command { command: String::new(), args: state.command.clone() }
        })
    }

    /// Checks that at most one option that acts as a command is set.
    ///
    /// # Errors
    /// If several are.
    pub fn check_multiple_cli_args(&self) -> Result<(), ArgsError> {
        let state = self.read();
        let commands = state.available.get(&OptionsCategory::CliCommands);
        let set: Vec<_> = commands
            .into_iter()
            .flat_map(BTreeMap::keys)
            .filter(|name| !state.get(name).is_null())
            .map(String::as_str)
            .collect();
        if set.len() > 1 { Err(ArgsError::MultipleCommands(set.join(", "))) } else { Ok(()) }
    }

    /// Whether a value of `-test` is given.
    pub fn has_test_option(&self, option: &str) -> bool {
        self.get_list("-test").iter().any(|value| value == option)
    }

    /// Network-only options that are set in the default section only, where the selected network ignores them.
    pub fn unsuitable_section_only_args(&self) -> Vec<String> {
        let state = self.read();
        let section = match state.network {
            None | Some(ChainType::Main) => return Vec::new(),
            Some(network) => network.name(),
        };
        let ignored = |arg: &&String| state.settings.only_in_default_section(section, setting_name(arg));
        state.network_only.iter().filter(ignored).cloned().collect()
    }

    /// Sections of the configuration files that no network has.
    pub fn unrecognized_sections(&self) -> Vec<SectionInfo> {
        let state = self.read();
        let unknown = |section: &&SectionInfo| ChainType::from_name(&section.name).is_none();
        state.config_sections.iter().filter(unknown).cloned().collect()
    }

    /// Errors for the user on [`Self::unsuitable_section_only_args`], one each.
    pub fn section_only_errors(&self) -> Vec<String> {
        let network = self.network().unwrap_or(ChainType::Main);
        let text = |arg| {
            format!("Config setting for {arg} only applied on {network} network when in [{network}] section.")
        };
        self.unsuitable_section_only_args().into_iter().map(text).collect()
    }

    /// Warnings for the user on [`Self::unrecognized_sections`], one each.
    pub fn section_warnings(&self) -> Vec<String> {
        let text = |s: SectionInfo| format!("{}:{} Section [{}] is not recognized.", s.file, s.line, s.name);
        self.unrecognized_sections().into_iter().map(text).collect()
    }

    /// Whether `-help`, `-h`, `-?` or `-help-debug` is given.
    pub fn help_requested(&self) -> bool {
        ["-?", "-h", "-help", "-help-debug"].iter().any(|arg| self.is_set(arg))
    }

    /// The help on all options; with `-help-debug` on those for developers too.
    pub fn help_message(&self) -> String {
        let show_debug = self.get_bool("-help-debug", false);
        let state = self.read();
        let mut out = String::new();
        for (&category, args) in state.available.range(..OptionsCategory::Hidden) {
            if let Some(title) = help::title(category, show_debug) {
                out += &help::help_message_group(title);
            }
            for (name, arg) in args {
                if show_debug || !arg.flags.has(Flags::DEBUG_ONLY) {
                    out += &help::help_message_opt(&format!("{name}{}", arg.param), &arg.help);
                }
            }
        }
        out
    }

    /// The data directory; empty if `-datadir` names none that exists. One that existed once stays the answer: when it is
    /// taken away from a running program, no files must come up elsewhere.
    pub fn data_dir_base(&self) -> PathBuf {
        let path = self.get_path("-datadir", "");
        if path.as_os_str().is_empty() {
            return paths::default_data_dir();
        }
        let path = std::path::absolute(path).unwrap_or_default();
        if self.read().seen_data_dir.as_ref() == Some(&path) {
            return path;
        }
        if !path.is_dir() {
            return PathBuf::new();
        }
        self.write().seen_data_dir = Some(path.clone());
        path
    }

    /// The data directory of the selected network; empty if `-datadir` names none that exists.
    pub fn data_dir_net(&self) -> PathBuf {
        self.below_network(self.data_dir_base())
    }

    /// The directory of block files, created if missing; `None` if `-blocksdir` names none that exists.
    pub fn blocks_dir_path(&self) -> Option<PathBuf> {
        let base = if self.is_set("-blocksdir") {
            std::path::absolute(self.get_path("-blocksdir", "")).ok().filter(|path| path.is_dir())?
        } else {
            self.data_dir_base()
        };
        let path = self.below_network(base).join("blocks");
        // A failure shows when the first file is opened, as in the reference.
        let _ = std::fs::create_dir_all(&path);
        Some(path)
    }

    fn below_network(&self, base: PathBuf) -> PathBuf {
        match self.network().map_or("", |network| network.base_params().data_dir) {
            sub if sub.is_empty() || base.as_os_str().is_empty() => base,
            sub => base.join(sub),
        }
    }

    /// Where settings made at run time are kept, `None` with `-nosettings`.
    pub fn settings_path(&self) -> Option<PathBuf> {
        self.settings_path_with("")
    }

    fn settings_path_with(&self, suffix: &str) -> Option<PathBuf> {
        let mut path = self.get_path("-settings", SETTINGS_FILENAME).into_os_string();
        if path.is_empty() {
            return None;
        }
        path.push(suffix);
        Some(self.data_dir_net().join(path))
    }

    /// Reads settings.json. Does nothing with `-nosettings`.
    ///
    /// # Errors
    /// Texts for the user.
    pub fn read_settings_file(&self) -> Result<(), Vec<String>> {
        let Some(path) = self.settings_path() else { return Ok(()) };
        let mut state = self.write();
        state.settings.rw_settings.clear();
        state.settings.rw_settings = settings::read_settings(&path)?;
        for name in state.settings.rw_settings.keys() {
            let key = interpret_key(name);
            if state.flags_of(&format!("-{}", key.name)).is_none() {
                grs_log::warn!("Ignoring unknown rw_settings value {name}");
            }
        }
        Ok(())
    }

    /// Writes settings.json, or with `backup` settings.json.bak, by way of a temporary file.
    ///
    /// # Errors
    /// Texts for the user.
    pub fn write_settings_file(&self, backup: bool) -> Result<(), Vec<String>> {
        let (suffix, tmp_suffix) = if backup { (".bak", ".bak.tmp") } else { ("", ".tmp") };
        let (Some(path), Some(tmp)) = (self.settings_path_with(suffix), self.settings_path_with(tmp_suffix))
        else {
            return Err(vec!["Attempt to write settings file when dynamic settings are disabled.".into()]);
        };
        // Exclusive: two writers must not share the temporary file.
        let state = self.write();
        settings::write_settings(&tmp, &state.settings.rw_settings)?;
        std::fs::rename(&tmp, &path).map_err(|_| {
            vec![format!("Failed renaming settings file {} to {}\n", tmp.display(), path.display())]
        })
    }

    /// Access to all values; the manager is locked meanwhile.
    pub fn with_settings<T>(&self, access: impl FnOnce(&mut Settings) -> T) -> T {
        access(&mut self.write().settings)
    }

    /// Logs all values; those of sensitive options as stars.
    pub fn log_args(&self) {
        let lines = self.log_lines();
        for line in lines {
            grs_log::info!("{line}");
        }
    }

    pub(crate) fn log_lines(&self) -> Vec<String> {
        let state = self.read();
        let shown = |name: &str, value: &SettingsValue| {
            let flags = state.flags_of(&format!("-{name}"));
            match flags.is_some_and(|flags| flags.has(Flags::SENSITIVE)) {
                true => "****".to_owned(),
                false => json::write_json(value, 0),
            }
        };
        let section_lines = |prefix: &str, args: &settings::Section| -> Vec<String> {
            args.iter()
                .filter(|(name, _)| state.flags_of(&format!("-{name}")).is_some())
                .flat_map(|(name, values)| values.iter().map(move |value| (name, value)))
                .map(|(name, value)| format!("{prefix}{name}={}", shown(name, value)))
                .collect()
        };
        let mut lines = Vec::new();
        for (section, args) in &state.settings.ro_config {
            let section = if section.is_empty() { String::new() } else { format!("[{section}] ") };
            lines.extend(section_lines(&format!("Config file arg: {section}"), args));
        }
        let settings = state.settings.rw_settings.iter();
        lines.extend(
            settings.map(|(name, value)| format!("Setting file arg: {name} = {}", shown(name, value))),
        );
        lines.extend(section_lines("Command-line arg: ", &state.settings.command_line));
        lines
    }

    pub(crate) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
