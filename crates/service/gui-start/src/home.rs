//! What is kept outside of the data directory: which directory that is.

use std::io;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

const FILE_NAME: &str = "window.json";
const KEY: &str = "data_dir";
/// A larger file is not one of ours.
const MOST_BYTES: u64 = 1 << 16;

/// `$XDG_CONFIG_HOME/groestlcoin`, or `~/.config/groestlcoin`.
pub(crate) fn config_dir() -> PathBuf {
    let set = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CONFIG_HOME").filter(|path| path.is_absolute());
    let base = base.or_else(|| set("HOME").map(|home| home.join(".config")));
    base.unwrap_or_else(|| PathBuf::from("/")).join("groestlcoin")
}

/// The data directory that was chosen once. A file that makes no sense counts as none.
pub(crate) fn data_dir(config_dir: &Path) -> Option<PathBuf> {
    let path = config_dir.join(FILE_NAME);
    if std::fs::metadata(&path).ok()?.len() > MOST_BYTES {
        return None;
    }
    let value: Value = serde_json::from_slice(&std::fs::read(path).ok()?).ok()?;
    value.get(KEY)?.as_str().filter(|text| !text.is_empty()).map(PathBuf::from)
}

/// Keeps the choice.
pub(crate) fn set_data_dir(config_dir: &Path, data_dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(config_dir)?;
    let path = config_dir.join(FILE_NAME);
    let temp = path.with_extension("json.tmp");
    std::fs::write(&temp, json!({ KEY: data_dir.display().to_string() }).to_string())?;
    std::fs::rename(temp, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_choice_is_kept() {
        let dir = tempfile::tempdir().unwrap();
        let config = dir.path().join("a/b");
        assert_eq!(data_dir(&config), None);
        set_data_dir(&config, Path::new("/x/y")).unwrap();
        assert_eq!(data_dir(&config), Some("/x/y".into()));
        for nonsense in ["", "{", "[]", "{\"data_dir\": 7}", "{\"data_dir\": \"\"}"] {
            std::fs::write(config.join(FILE_NAME), nonsense).unwrap();
            assert_eq!(data_dir(&config), None, "{nonsense}");
        }
    }
}
