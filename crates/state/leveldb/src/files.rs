//! Names of the files of a database.

use std::path::{Path, PathBuf};

/// A file of a database, by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FileKind {
    Log(u64),
    Table(u64),
    Manifest(u64),
    Temp(u64),
    Current,
    Lock,
    InfoLog,
}

pub(crate) fn log(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:06}.log"))
}

pub(crate) fn table(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:06}.ldb"))
}

pub(crate) fn old_table(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:06}.sst"))
}

pub(crate) fn temp(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:06}.dbtmp"))
}

pub(crate) fn manifest_name(number: u64) -> String {
    format!("MANIFEST-{number:06}")
}

pub(crate) fn current(dir: &Path) -> PathBuf {
    dir.join("CURRENT")
}

pub(crate) fn lock(dir: &Path) -> PathBuf {
    dir.join("LOCK")
}

/// What a file name means; `None` if it is not a database's.
pub(crate) fn parse(name: &str) -> Option<FileKind> {
    match name {
        "CURRENT" => return Some(FileKind::Current),
        "LOCK" => return Some(FileKind::Lock),
        "LOG" | "LOG.old" => return Some(FileKind::InfoLog),
        _ => {}
    }
    let number = |digits: &str| {
        let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
        if plain { digits.parse::<u64>().ok() } else { None }
    };
    if let Some(digits) = name.strip_prefix("MANIFEST-") {
        return number(digits).map(FileKind::Manifest);
    }
    let (digits, suffix) = name.split_at(name.find(|c: char| !c.is_ascii_digit())?);
    let number = number(digits)?;
    match suffix {
        ".log" => Some(FileKind::Log(number)),
        ".ldb" | ".sst" => Some(FileKind::Table(number)),
        ".dbtmp" => Some(FileKind::Temp(number)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_mean_what_leveldb_means() {
        for (name, kind) in [
            ("000003.log", FileKind::Log(3)),
            ("3.log", FileKind::Log(3)),
            ("000012.ldb", FileKind::Table(12)),
            ("1234567.sst", FileKind::Table(1_234_567)),
            ("MANIFEST-000002", FileKind::Manifest(2)),
            ("000002.dbtmp", FileKind::Temp(2)),
            ("CURRENT", FileKind::Current),
            ("LOCK", FileKind::Lock),
            ("LOG", FileKind::InfoLog),
            ("LOG.old", FileKind::InfoLog),
        ] {
            assert_eq!(parse(name), Some(kind), "{name}");
        }
        let max = u64::MAX.to_string();
        assert_eq!(parse(&(max.clone() + ".ldb")), Some(FileKind::Table(u64::MAX)));
        let too_large = max + "0.ldb";
        for name in [
            "",
            "12",
            "12.",
            ".ldb",
            "-1.ldb",
            "1.ldbx",
            "MANIFEST",
            "MANIFEST-",
            "MANIFEST-1a",
            "LOGS",
            &too_large,
        ] {
            assert_eq!(parse(name), None, "{name}");
        }
        assert_eq!(log(Path::new("d"), 7), Path::new("d/000007.log"));
        assert_eq!(table(Path::new("d"), 1_234_567), Path::new("d/1234567.ldb"));
        assert_eq!(manifest_name(5), "MANIFEST-000005");
    }
}
