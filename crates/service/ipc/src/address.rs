//! Values of `-ipcbind` and `-ipcconnect`, and the sockets they name.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Longest path of a socket on this system, in bytes.
const MAX_PATH: usize = 107;

/// Name of the default socket, as documented.
const DEFAULT_NAME: &str = "node.sock";
/// Name that 31.0.0 of the reference really uses for it.
const REFERENCE_NAME: &str = "groestlcoin-node.sock";

/// A parsed address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IpcAddress {
    /// Path of the socket.
    pub path: PathBuf,
    /// Whether the default path was asked for.
    pub default: bool,
}

/// Why an address cannot be used; texts as in the reference.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not `unix` or `unix:<path>`.
    #[error("Unrecognized address '{0}'")]
    Unrecognized(String),
    /// The path does not fit a socket address.
    #[error("Unix address path \"{0}\" exceeded maximum socket path length")]
    TooLong(String),
    /// Somebody listens there.
    #[error("Address already in use")]
    InUse,
    /// The system refuses.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl IpcAddress {
    /// Parses `unix`, `unix:` or `unix:<path>`. Relative paths are under the network's data directory; the default is
    /// `node.sock` there.
    pub fn parse(text: &str, net_data_dir: &Path) -> Result<IpcAddress, AddressError> {
        let rest = match text.strip_prefix("unix") {
            Some("") => "",
            Some(rest) => {
                rest.strip_prefix(':').ok_or_else(|| AddressError::Unrecognized(text.to_owned()))?
            }
            None => return Err(AddressError::Unrecognized(text.to_owned())),
        };
        let default = rest.is_empty();
        let path = net_data_dir.join(if default { DEFAULT_NAME } else { rest });
        if path.as_os_str().len() > MAX_PATH {
            return Err(AddressError::TooLong(path.display().to_string()));
        }
        Ok(IpcAddress { path, default })
    }

    /// Binds the socket with mode 0600, in directories that are made if missing. A stale socket is replaced; one on which
    /// somebody listens, or another file, is an error. The default socket can also be found under the name that the
    /// reference uses.
    pub fn bind(&self) -> Result<BoundSocket, AddressError> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        match std::fs::symlink_metadata(&self.path) {
            Ok(found) if found.file_type().is_socket() => {
                if UnixStream::connect(&self.path).is_ok() {
                    return Err(AddressError::InUse);
                }
                std::fs::remove_file(&self.path)?;
            }
            Ok(_) => return Err(AddressError::InUse),
            Err(_) => {}
        }
        let listener = UnixListener::bind(&self.path)?;
        std::fs::set_permissions(&self.path, std::fs::Permissions::from_mode(0o600))?;
        let inode = std::fs::symlink_metadata(&self.path)?.ino();
        let alias = self.default.then(|| self.path.with_file_name(REFERENCE_NAME)).and_then(make_alias);
        Ok(BoundSocket {
            listener: Some(listener),
            file: SocketFile { path: self.path.clone(), inode, alias },
        })
    }

    /// Connects to the socket; for the default path also to the name that the reference uses.
    pub fn connect(&self) -> io::Result<UnixStream> {
        match UnixStream::connect(&self.path) {
            Err(error) if self.default => {
                let other = self.path.with_file_name(REFERENCE_NAME);
                UnixStream::connect(other).map_err(|_| error)
            }
            result => result,
        }
    }
}

impl std::fmt::Display for IpcAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "unix:{}", self.path.display())
    }
}

/// Makes a link to the default socket, unless something else than a stale socket or link is there.
fn make_alias(alias: PathBuf) -> Option<PathBuf> {
    if let Ok(found) = std::fs::symlink_metadata(&alias) {
        let kind = found.file_type();
        let stale = (kind.is_socket() || kind.is_symlink()) && UnixStream::connect(&alias).is_err();
        // A link to the socket that has just been bound answers, and is as good as a new one.
        let own =
            kind.is_symlink() && std::fs::read_link(&alias).is_ok_and(|to| to == Path::new(DEFAULT_NAME));
        if !(stale || own) || std::fs::remove_file(&alias).is_err() {
            return None;
        }
    }
    std::os::unix::fs::symlink(DEFAULT_NAME, &alias).ok().map(|()| alias)
}

/// A socket that has been bound.
pub struct BoundSocket {
    listener: Option<UnixListener>,
    file: SocketFile,
}

impl BoundSocket {
    /// The listener, and the file to keep as long as it listens.
    pub fn into_parts(mut self) -> (Option<UnixListener>, SocketFile) {
        (self.listener.take(), self.file)
    }
}

/// The file of a socket; removed when dropped if it is still the same one.
pub struct SocketFile {
    path: PathBuf,
    inode: u64,
    alias: Option<PathBuf>,
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if std::fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            let _ = std::fs::remove_file(&self.path);
            if let Some(alias) = &self.alias {
                let _ = std::fs::remove_file(alias);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_parsed_as_in_the_reference() {
        let dir = Path::new("/data/regtest");
        let parse =
            |text| IpcAddress::parse(text, dir).map(|address| address.to_string()).map_err(|e| e.to_string());
        assert_eq!(parse("unix"), Ok("unix:/data/regtest/node.sock".into()));
        assert_eq!(parse("unix:"), Ok("unix:/data/regtest/node.sock".into()));
        assert_eq!(parse("unix:my.sock"), Ok("unix:/data/regtest/my.sock".into()));
        assert_eq!(parse("unix:/tmp/my.sock"), Ok("unix:/tmp/my.sock".into()));
        for bad in ["", "0", "tcp:1", "unixx", "unix/x"] {
            assert_eq!(parse(bad), Err(format!("Unrecognized address '{bad}'")));
        }
        let long = format!("unix:/{}", "x".repeat(107));
        assert_eq!(
            parse(&long),
            Err(format!("Unix address path \"/{}\" exceeded maximum socket path length", "x".repeat(107)))
        );
        assert!(parse(&format!("unix:/{}", "x".repeat(106))).is_ok());
    }

    #[test]
    fn live_sockets_are_not_stolen_and_stale_ones_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let address = IpcAddress::parse("unix:sub/n.sock", dir.path()).unwrap();
        let (listener, file) = address.bind().unwrap().into_parts();
        let mode = std::fs::metadata(&address.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(matches!(address.bind(), Err(AddressError::InUse)));
        assert!(address.connect().is_ok());
        // As after a crash: nobody listens, the file is left.
        drop(listener);
        std::mem::forget(file);
        let (_listener, file) = address.bind().unwrap().into_parts();
        drop(file);
        assert!(!address.path.exists());
        std::fs::write(&address.path, "not a socket").unwrap();
        assert!(matches!(address.bind(), Err(AddressError::InUse)));
    }

    #[test]
    fn the_default_socket_has_the_references_name_too() {
        let dir = tempfile::tempdir().unwrap();
        let address = IpcAddress::parse("unix", dir.path()).unwrap();
        let alias = dir.path().join(REFERENCE_NAME);
        for _ in 0..2 {
            let (_listener, file) = address.bind().unwrap().into_parts();
            assert!(UnixStream::connect(&alias).is_ok());
            drop(file);
            assert!(std::fs::symlink_metadata(&alias).is_err());
        }
        // A node of the reference that runs in the same directory keeps its socket.
        let other = UnixListener::bind(&alias).unwrap();
        let (_listener, file) = address.bind().unwrap().into_parts();
        drop(file);
        assert!(alias.exists());
        drop(other);
        // A link that a crash has left is replaced.
        std::fs::remove_file(&alias).unwrap();
        std::os::unix::fs::symlink(DEFAULT_NAME, &alias).unwrap();
        let (_listener, _file) = address.bind().unwrap().into_parts();
        assert!(UnixStream::connect(&alias).is_ok());
    }
}
