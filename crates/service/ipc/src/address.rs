//! Values of `-ipcbind` and `-ipcconnect`, and the sockets they name.

use std::io;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use grs_tls::KeyFolder;

/// Longest path of a socket on this system, in bytes.
const MAX_PATH: usize = 107;

/// Name of the default socket, as documented.
const DEFAULT_NAME: &str = "node.sock";
/// Name that 31.0.0 of the reference really uses for it.
const REFERENCE_NAME: &str = "groestlcoin-node.sock";

/// A parsed address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IpcAddress {
    /// A Unix socket.
    Unix {
        /// Its path.
        path: PathBuf,
        /// Whether the default path was asked for.
        default: bool,
    },
    /// A TCP port on which TLS is spoken.
    Tls {
        /// Host name or IP address.
        host: String,
        /// Port.
        port: u16,
        /// Own key and the peers' certificates.
        keys: KeyFolder,
    },
}

/// Why an address cannot be used; texts as in the reference.
#[derive(Debug, thiserror::Error)]
pub enum AddressError {
    /// Not `unix`, `unix:<path>` or `tls:<host>:<port>`.
    #[error("Unrecognized address '{0}'")]
    Unrecognized(String),
    /// The path does not fit a socket address.
    #[error("Unix address path \"{0}\" exceeded maximum socket path length")]
    TooLong(String),
    /// Somebody listens there.
    #[error("Address already in use")]
    InUse,
    /// Key or certificates cannot be used.
    #[error(transparent)]
    Tls(#[from] grs_tls::TlsError),
    /// The system refuses.
    #[error("{0}")]
    Io(#[from] io::Error),
}

impl IpcAddress {
    /// Parses `unix`, `unix:`, `unix:<path>` or `tls:<host>:<port>`. Relative paths are under the network's data
    /// directory; the default is `node.sock` there. Keys for TLS are in the folder `ipc` there.
    pub fn parse(text: &str, net_data_dir: &Path) -> Result<IpcAddress, AddressError> {
        let unrecognized = || AddressError::Unrecognized(text.to_owned());
        if let Some(rest) = text.strip_prefix("tls:") {
            let (host, port) = parse_host_port(rest).ok_or_else(unrecognized)?;
            return Ok(IpcAddress::Tls { host, port, keys: KeyFolder::of_data_dir(net_data_dir) });
        }
        let rest = match text.strip_prefix("unix") {
            Some("") => "",
            Some(rest) => rest.strip_prefix(':').ok_or_else(unrecognized)?,
            None => return Err(unrecognized()),
        };
        let default = rest.is_empty();
        let path = net_data_dir.join(if default { DEFAULT_NAME } else { rest });
        if path.as_os_str().len() > MAX_PATH {
            return Err(AddressError::TooLong(path.display().to_string()));
        }
        Ok(IpcAddress::Unix { path, default })
    }

    /// Whether somebody may listen here, as far as that can be seen without connecting.
    pub fn may_listen(&self) -> bool {
        match self {
            IpcAddress::Unix { path, default } => {
                path.exists() || *default && path.with_file_name(REFERENCE_NAME).exists()
            }
            IpcAddress::Tls { .. } => true,
        }
    }
}

/// `host:port`, with an IPv6 address in brackets.
fn parse_host_port(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let port = port.bytes().all(|b| b.is_ascii_digit()).then(|| port.parse().ok())??;
    let host = match host.strip_prefix('[') {
        Some(rest) => rest.strip_suffix(']').filter(|host| host.parse::<std::net::Ipv6Addr>().is_ok())?,
        None => Some(host).filter(|host| !host.is_empty() && !host.contains([':', ' ', '/']))?,
    };
    Some((host.to_owned(), port))
}

/// Binds a Unix socket with mode 0600, in directories that are made if missing. A stale socket is replaced; one on which
/// somebody listens, or another file, is an error. The default socket can also be found under the name that the
/// reference uses.
pub(crate) fn bind_unix(path: &Path, default: bool) -> Result<(UnixListener, SocketFile), AddressError> {
    if let Some(folder) = path.parent() {
        // Directories that are there keep their mode; the socket's own mode and the look at who connects guard it.
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    }
    match std::fs::symlink_metadata(path) {
        Ok(found) if found.file_type().is_socket() => {
            if UnixStream::connect(path).is_ok() {
                return Err(AddressError::InUse);
            }
            std::fs::remove_file(path)?;
        }
        Ok(_) => return Err(AddressError::InUse),
        Err(_) => {}
    }
    let listener = UnixListener::bind(path)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
    let inode = std::fs::symlink_metadata(path)?.ino();
    let alias = default.then(|| path.with_file_name(REFERENCE_NAME)).and_then(make_alias);
    Ok((listener, SocketFile { path: path.to_owned(), inode, alias }))
}

/// Connects to a Unix socket; for the default path also to the name that the reference uses.
pub(crate) fn connect_unix(path: &Path, default: bool) -> io::Result<UnixStream> {
    match UnixStream::connect(path) {
        Err(error) if default => {
            let other = path.with_file_name(REFERENCE_NAME);
            UnixStream::connect(other).map_err(|_| error)
        }
        result => result,
    }
}

impl std::fmt::Display for IpcAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            IpcAddress::Unix { path, .. } => write!(f, "unix:{}", path.display()),
            IpcAddress::Tls { host, port, .. } if host.contains(':') => write!(f, "tls:[{host}]:{port}"),
            IpcAddress::Tls { host, port, .. } => write!(f, "tls:{host}:{port}"),
        }
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

/// The file of a socket; removed when dropped if it is still the same one.
pub(crate) struct SocketFile {
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
        assert_eq!(parse("tls:node.example:1441"), Ok("tls:node.example:1441".into()));
        assert_eq!(parse("tls:[::1]:1441"), Ok("tls:[::1]:1441".into()));
        for bad in [
            "",
            "0",
            "tcp:1",
            "unixx",
            "unix/x",
            "tls",
            "tls:",
            "tls:1",
            "tls::1",
            "tls:h:70000",
            "tls:::1:1",
            "tls:h:+1",
        ] {
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
        let path = &dir.path().join("sub/n.sock");
        let (listener, file) = bind_unix(path, false).unwrap();
        let mode = std::fs::metadata(path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert!(matches!(bind_unix(path, false), Err(AddressError::InUse)));
        assert!(connect_unix(path, false).is_ok());
        // As after a crash: nobody listens, the file is left.
        drop(listener);
        std::mem::forget(file);
        let (_listener, file) = bind_unix(path, false).unwrap();
        drop(file);
        assert!(!path.exists());
        std::fs::write(path, "not a socket").unwrap();
        assert!(matches!(bind_unix(path, false), Err(AddressError::InUse)));
    }

    #[test]
    fn the_default_socket_has_the_references_name_too() {
        let dir = tempfile::tempdir().unwrap();
        let path = &dir.path().join(DEFAULT_NAME);
        let alias = dir.path().join(REFERENCE_NAME);
        for _ in 0..2 {
            let (_listener, file) = bind_unix(path, true).unwrap();
            assert!(UnixStream::connect(&alias).is_ok());
            drop(file);
            assert!(std::fs::symlink_metadata(&alias).is_err());
        }
        // A node of the reference that runs in the same directory keeps its socket.
        let other = UnixListener::bind(&alias).unwrap();
        let (_listener, file) = bind_unix(path, true).unwrap();
        drop(file);
        assert!(alias.exists());
        drop(other);
        // A link that a crash has left is replaced.
        std::fs::remove_file(&alias).unwrap();
        std::os::unix::fs::symlink(DEFAULT_NAME, &alias).unwrap();
        let (_listener, _file) = bind_unix(path, true).unwrap();
        assert!(UnixStream::connect(&alias).is_ok());
    }
}
