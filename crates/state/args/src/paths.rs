//! Data directories and paths given as options.

use std::path::{Component, Path, PathBuf};

use crate::ArgsManager;

/// Where data is kept unless `-datadir` says otherwise: `~/.groestlcoin`.
pub fn default_data_dir() -> PathBuf {
    let home = std::env::var_os("HOME").filter(|home| !home.is_empty());
    let home = home.map_or_else(|| PathBuf::from("/"), PathBuf::from);
    if cfg!(target_os = "macos") {
        home.join("Library/Application Support/Groestlcoin")
    } else {
        home.join(".groestlcoin")
    }
}

/// Whether `-datadir` is unset or names a directory.
pub fn check_data_dir_option(args: &ArgsManager) -> bool {
    let path = args.get_path("-datadir", "");
    path.as_os_str().is_empty() || path.is_dir()
}

/// A path from an option as an absolute one: relative ones are below the data directory, that of the network if
/// `net_specific`. An empty path stays empty.
pub fn abs_path_for_config_val(args: &ArgsManager, path: &Path, net_specific: bool) -> PathBuf {
    if path.is_absolute() || path.as_os_str().is_empty() {
        return path.to_owned();
    }
    let base = if net_specific { args.data_dir_net() } else { args.data_dir_base() };
    base.join(path)
}

/// Removes `.`, `..` and trailing separators without looking at the disk (C++: `lexically_normal`).
pub fn normalize_path(path: &str) -> PathBuf {
    let mut out: Vec<Component<'_>> = Vec::new();
    for part in Path::new(path).components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => match out.last() {
                Some(Component::Normal(_)) => {
                    out.pop();
                }
                Some(Component::RootDir) => {}
                _ => out.push(part),
            },
            part => out.push(part),
        }
    }
    if out.is_empty() { PathBuf::from(".") } else { out.into_iter().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_paths() {
        for (path, expected) in [
            ("/home/user/.groestlcoin", "/home/user/.groestlcoin"),
            ("/root/../home/user/.groestlcoin", "/home/user/.groestlcoin"),
            ("/home/./user/.groestlcoin/", "/home/user/.groestlcoin"),
            ("/home/user/.groestlcoin/./", "/home/user/.groestlcoin"),
            ("/home//user///x//", "/home/user/x"),
            ("/..", "/"),
            ("/", "/"),
            ("../a/../../b", "../../b"),
            ("a/..", "."),
            ("a/b/..", "a"),
            ("./", "."),
            ("user", "user"),
        ] {
            assert_eq!(normalize_path(path), Path::new(expected), "{path}");
        }
    }
}
