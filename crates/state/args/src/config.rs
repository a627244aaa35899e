//! The configuration file and those it includes (reference: `common/config.cpp`).

use std::io;
use std::path::Path;

use crate::interpret::{interpret_key, interpret_value};
use crate::manager::State;
use crate::settings::Span;
use crate::{ArgsError, ArgsManager, SettingsValue, abs_path_for_config_val, check_data_dir_option};

/// Name of the configuration file in the data directory.
pub const CONF_FILENAME: &str = "groestlcoin.conf";

/// Where a section of a configuration file begins or is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionInfo {
    /// Its name.
    pub name: String,
    /// The file, as given.
    pub file: String,
    /// Line from 1.
    pub line: usize,
}

const BLANKS: [char; 4] = [' ', '\t', '\r', '\n'];

/// Options with section prefix, and sections, of a file's text.
pub(crate) fn parse_config(
    text: &str,
    file: &str,
    sections: &mut Vec<SectionInfo>,
) -> Result<Vec<(String, String)>, ArgsError> {
    let mut options = Vec::new();
    let mut prefix = String::new();
    for (index, line_text) in text.split('\n').enumerate() {
        let line = index + 1;
        let (line_text, used_hash) = match line_text.split_once('#') {
            Some((before, _)) => (before, true),
            None => (line_text, false),
        };
        let line_text = line_text.trim_matches(BLANKS);
        if line_text.is_empty() {
            continue;
        }
        let mut add_section = |name: &str| {
            sections.push(SectionInfo { name: name.to_owned(), file: file.to_owned(), line });
        };
        // A lone "[" counts as no section.
        let section = line_text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Some(section) = section {
            add_section(section);
            prefix = format!("{section}.");
        } else if line_text.starts_with('-') {
            return Err(ArgsError::ConfigLeadingDash { line, text: line_text.to_owned() });
        } else if let Some((name, value)) = line_text.split_once('=') {
            let name = format!("{prefix}{}", name.trim_matches(BLANKS));
            if used_hash && name.contains("rpcpassword") {
                return Err(ArgsError::ConfigHashInPassword(line));
            }
            if let Some(dot) = name.rfind('.').filter(|&dot| prefix.len() <= dot) {
                add_section(&name[..dot]);
            }
            options.push((name, value.trim_matches(BLANKS).to_owned()));
        } else {
            return Err(ArgsError::ConfigParse { line, text: line_text.to_owned() });
        }
    }
    Ok(options)
}

impl State {
    /// Takes in a file's text.
    pub(crate) fn read_config_text(
        &mut self,
        text: &str,
        file: &str,
        ignore_invalid_keys: bool,
    ) -> Result<(), ArgsError> {
        for (name, value) in parse_config(text, file, &mut self.config_sections)? {
            let key = interpret_key(&name);
            match key.name.as_str() {
                "conf" => return Err(ArgsError::ConfInConfig),
                "reindex" => grs_log::warn!(
                    "reindex=1 is set in the configuration file, which will significantly slow down startup. \
                     Consider removing or commenting out this option for better performance, unless there is \
                     currently a condition which makes rebuilding the indexes necessary"
                ),
                _ => {}
            }
            match self.flags_of(&format!("-{}", key.name)) {
                Some(flags) => {
                    let value = interpret_value(&key, Some(&value), flags)?;
                    let section = self.settings.ro_config.entry(key.section).or_default();
                    section.entry(key.name).or_default().push(value);
                }
                None if ignore_invalid_keys => {
                    grs_log::warn!("Ignoring unknown configuration value {name}");
                }
                None => return Err(ArgsError::ConfigInvalidValue(name)),
            }
        }
        Ok(())
    }

    /// Files a section includes, without the first `skip`; and how many it names in all.
    fn includes(&self, section: &str, skip: usize) -> Result<(Vec<String>, usize), ArgsError> {
        let values = self.settings.ro_config.get(section).and_then(|section| section.get("includeconf"));
        let Some(values) = values else { return Ok((Vec::new(), 0)) };
        let first = skip.max(Span(values).negated()).min(values.len());
        let text = |value: &SettingsValue| value.as_str().map(str::to_owned).ok_or(ArgsError::IncludeNotText);
        let names = values[first..].iter().map(text).collect::<Result<_, _>>()?;
        Ok((names, values.len()))
    }
}

fn read_text(path: &Path) -> io::Result<String> {
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

impl ArgsManager {
    /// The configuration file; empty with `-noconf`, and before it was read.
    pub fn config_file_path(&self) -> std::path::PathBuf {
        self.read().config_path.clone().unwrap_or_default()
    }

    /// Reads the configuration file and those it includes. Unknown options are errors or, with
    /// `ignore_invalid_keys`, warnings in the log. Prints a warning for each included file that includes another.
    ///
    /// # Errors
    /// The first wrong line or file.
    pub fn read_config_files(&self, ignore_invalid_keys: bool) -> Result<(), ArgsError> {
        let conf_path = abs_path_for_config_val(self, &self.get_path("-conf", CONF_FILENAME), false);
        {
            let mut state = self.write();
            state.settings.ro_config.clear();
            state.config_sections.clear();
            state.config_path = Some(conf_path.clone());
        }
        let file = conf_path.display().to_string();
        // The path is empty with -noconf.
        if !conf_path.as_os_str().is_empty() {
            if conf_path.is_dir() {
                return Err(ArgsError::ConfigIsDirectory(file));
            }
            match read_text(&conf_path) {
                Ok(text) => {
                    self.write().read_config_text(&text, &file, ignore_invalid_keys)?;
                    self.read_included_files(ignore_invalid_keys)?;
                }
                Err(_) if self.is_set("-conf") => return Err(ArgsError::ConfigNotOpened(file)),
                // There need not be one.
                Err(_) => {}
            }
        }
        if !check_data_dir_option(self) {
            return Err(ArgsError::DataDirMissing(self.get_str("-datadir", "")));
        }
        Ok(())
    }

    fn read_included_files(&self, ignore_invalid_keys: bool) -> Result<(), ArgsError> {
        // On the command line only -noincludeconf is possible.
        if self.read().settings.command_line.contains_key("includeconf") {
            return Ok(());
        }
        // The network is not selected yet; its section counts anyway.
        let chain = self.chain_type_string()?;
        let (mut files, chain_includes) = self.read().includes(&chain, 0)?;
        let (more, default_includes) = self.read().includes("", 0)?;
        files.extend(more);
        for file in files {
            let path = abs_path_for_config_val(self, Path::new(&file), false);
            if path.is_dir() {
                return Err(ArgsError::IncludeIsDirectory(path.display().to_string()));
            }
            let text = read_text(&path).map_err(|_| ArgsError::IncludeFailed(file.clone()))?;
            self.write().read_config_text(&text, &file, ignore_invalid_keys)?;
            grs_log::info!("Included configuration file {file}");
        }
        for file in self.ignored_includes(&chain, chain_includes, default_includes)? {
            eprintln!(
                "warning: -includeconf cannot be used from included files; ignoring -includeconf={file}"
            );
        }
        Ok(())
    }

    /// What included files wanted to include.
    fn ignored_includes(
        &self,
        chain: &str,
        chain_includes: usize,
        default_includes: usize,
    ) -> Result<Vec<String>, ArgsError> {
        let final_chain = self.chain_type_string()?;
        let state = self.read();
        let mut ignored = state.includes(chain, chain_includes)?.0;
        ignored.extend(state.includes("", default_includes)?.0);
        if final_chain != chain {
            ignored.extend(state.includes(&final_chain, 0)?.0);
        }
        Ok(ignored)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Vec<(String, String)>, String> {
        parse_config(text, "f", &mut Vec::new()).map_err(|error| error.to_string())
    }

    #[test]
    fn lines_comments_and_sections() {
        let mut sections = Vec::new();
        let text = " a = 1 # one\n\n#b=2\r\n[test]\nc=d=e\r\nx.y=\n[]\nz=1";
        let options = parse_config(text, "f", &mut sections).unwrap();
        let expected = [("a", "1"), ("test.c", "d=e"), ("test.x.y", ""), (".z", "1")];
        assert_eq!(options, expected.map(|(a, b)| (a.to_owned(), b.to_owned())));
        let names: Vec<_> = sections.iter().map(|s| (s.name.as_str(), s.line)).collect();
        assert_eq!(names, [("test", 4), ("test.x", 6), ("", 7)]);
    }

    #[test]
    fn error_texts() {
        for (text, error) in [
            (
                "\n-dash=1",
                "parse error on line 2: -dash=1, options in configuration file must be specified without leading -",
            ),
            (
                "rpcpassword=a#b",
                "parse error on line 1, using # in rpcpassword can be ambiguous and should be avoided",
            ),
            (
                "nolisten",
                "parse error on line 1: nolisten, if you intended to specify a negated option, use nolisten=1 instead",
            ),
            ("\n\nfoo", "parse error on line 3: foo"),
            ("[", "parse error on line 1: ["),
        ] {
            assert_eq!(parse(text), Err(error.to_owned()));
        }
        // Without a comment sign, the password is taken.
        assert!(parse("rpcpassword=ab").is_ok());
    }
}
