//! Who may call what: cookie, user and password, `-rpcauth` entries, whitelists (reference: `httprpc.cpp`).

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bitcoin_hashes::sha256;
use bitcoin_hashes::{Hash as _, HashEngine as _};
use grs_encoding::{base64_decode, hex_encode};
use grs_log::{error, info, warn};

/// User name of the cookie.
pub const COOKIE_USER: &str = "__cookie__";
/// Default name of the cookie file, in the network's data directory.
pub const COOKIE_FILE: &str = ".cookie";

/// Options about authentication, values as the user gave them.
#[derive(Clone, Default)]
pub struct AuthOptions {
    /// Full path of the cookie file; `None` for `-norpccookiefile`.
    pub cookie_file: Option<PathBuf>,
    /// `-rpccookieperms`.
    pub cookie_perms: Option<String>,
    /// `-rpcuser`.
    pub user: String,
    /// `-rpcpassword`; when empty, the cookie is used.
    pub password: String,
    /// `-rpcauth` entries.
    pub rpcauth: Vec<String>,
    /// `-rpcwhitelist` entries.
    pub whitelist: Vec<String>,
    /// `-rpcwhitelistdefault`; when not given, true if there are entries.
    pub whitelist_default: Option<bool>,
}

impl fmt::Debug for AuthOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthOptions").field("cookie_file", &self.cookie_file).finish_non_exhaustive()
    }
}

/// Why authentication could not be set up. Details are in the log.
#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    /// `-rpccookieperms` is none of the known words.
    #[error("Invalid -rpccookieperms={0}; must be one of 'owner', 'group', or 'all'.")]
    CookiePerms(String),
    /// The cookie could not be written.
    #[error("Unable to write the cookie authentication file {path}: {source}")]
    Cookie {
        /// File that failed.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// No randomness.
    #[error("No random numbers from the system")]
    Random,
    /// An entry is not `user:salt$hash`.
    #[error("Invalid -rpcauth argument.")]
    RpcAuth,
}

struct Entry {
    user: String,
    salt: String,
    hash: String,
}

/// Users, and what they may call. Removes its cookie file when dropped.
pub struct Auth {
    entries: Vec<Entry>,
    whitelist: BTreeMap<String, BTreeSet<String>>,
    whitelist_default: bool,
    cookie: Mutex<Option<PathBuf>>,
}

impl fmt::Debug for Auth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("users", &self.entries.len()).finish_non_exhaustive()
    }
}

/// What a whitelist says of a user.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permission<'a> {
    /// All methods.
    All,
    /// No method.
    None,
    /// The listed methods.
    Listed(&'a BTreeSet<String>),
}

impl Auth {
    /// Reads the options and, unless a password or no cookie is wanted, writes the cookie file.
    pub fn new(options: AuthOptions) -> Result<Self, AuthError> {
        let mut auth = Self {
            entries: Vec::new(),
            whitelist: BTreeMap::new(),
            whitelist_default: false,
            cookie: Mutex::new(None),
        };
        if options.password.is_empty() {
            let mode = match options.cookie_perms.as_deref() {
                None => None,
                Some("owner") => Some(0o600),
                Some("group") => Some(0o640),
                Some("all") => Some(0o644),
                Some(other) => {
                    let failure = AuthError::CookiePerms(other.to_owned());
                    error!("{failure}");
                    return Err(failure);
                }
            };
            match &options.cookie_file {
                None => info!("RPC authentication cookie file generation is disabled."),
                Some(path) => {
                    let password = random_hex::<32>()?;
                    write_cookie(path, mode, &password)?;
                    auth.cookie = Mutex::new(Some(path.clone()));
                    info!("Using random cookie authentication.");
                    auth.add_plain(COOKIE_USER, &password)?;
                }
            }
        } else {
            info!("Using rpcuser/rpcpassword authentication.");
            warn!(
                "The use of rpcuser/rpcpassword is less secure, because credentials are configured in plain text. It \
                 is recommended that locally-run instances switch to cookie-based auth, or otherwise to use hashed \
                 rpcauth credentials. See share/rpcauth in the source directory for more information."
            );
            auth.add_plain(&options.user, &options.password)?;
        }
        if !options.rpcauth.is_empty() {
            info!("Using rpcauth authentication.");
        }
        for entry in &options.rpcauth {
            match parse_rpcauth(entry) {
                Some(entry) => auth.entries.push(entry),
                None => {
                    warn!("Invalid -rpcauth argument.");
                    return Err(AuthError::RpcAuth);
                }
            }
        }
        auth.read_whitelist(&options);
        Ok(auth)
    }

    /// Only the whitelists, for callers that are known by other means than a password. Writes no cookie file.
    pub fn whitelists(options: &AuthOptions) -> Self {
        let mut auth = Self {
            entries: Vec::new(),
            whitelist: BTreeMap::new(),
            whitelist_default: false,
            cookie: Mutex::new(None),
        };
        auth.read_whitelist(options);
        auth
    }

    fn read_whitelist(&mut self, options: &AuthOptions) {
        self.whitelist_default = options.whitelist_default.unwrap_or(!options.whitelist.is_empty());
        for entry in &options.whitelist {
            let (user, list) = match entry.split_once(':') {
                Some((user, list)) => (user, Some(list)),
                None => (entry.as_str(), None),
            };
            let known = self.whitelist.get(user);
            if let Some(list) = list {
                let listed = list.split([',', ' ']);
                // Several entries of one user allow what all of them allow.
                let allowed: BTreeSet<String> =
                    listed.filter(|m| known.is_none_or(|k| k.contains(*m))).map(str::to_owned).collect();
                self.whitelist.insert(user.to_owned(), allowed);
            } else {
                self.whitelist.entry(user.to_owned()).or_default();
            }
        }
    }

    fn add_plain(&mut self, user: &str, password: &str) -> Result<(), AuthError> {
        let salt = random_hex::<16>()?;
        let hash = hmac_hex(&salt, password);
        self.entries.push(Entry { user: user.to_owned(), salt, hash });
        Ok(())
    }

    /// Checks the value of an `Authorization` header. Gives the user, if that is one who may enter.
    pub fn check_header(&self, header: &[u8]) -> Option<String> {
        let (user, password) = parse_basic(header)?;
        let allowed = self.entries.iter().any(|entry| {
            same_bytes(entry.user.as_bytes(), user.as_bytes())
                && same_bytes(hmac_hex(&entry.salt, &password).as_bytes(), entry.hash.as_bytes())
        });
        allowed.then_some(user)
    }

    /// What the whitelist lets a user call.
    pub fn permission(&self, user: &str) -> Permission<'_> {
        match self.whitelist.get(user) {
            Some(list) => Permission::Listed(list),
            None if self.whitelist_default => Permission::None,
            None => Permission::All,
        }
    }

    /// Removes the cookie file, if this process wrote one.
    pub fn delete_cookie(&self) {
        let path = self.cookie.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(path) = path
            && let Err(failure) = std::fs::remove_file(&path)
            && failure.kind() != io::ErrorKind::NotFound
        {
            warn!("Unable to remove random auth cookie file {}: {failure}", path.display());
        }
    }
}

impl Drop for Auth {
    fn drop(&mut self) {
        self.delete_cookie();
    }
}

impl Permission<'_> {
    /// May this method be called?
    pub fn allows(self, method: &str) -> bool {
        match self {
            Permission::All => true,
            Permission::None => false,
            Permission::Listed(list) => list.contains(method),
        }
    }
}

/// User and password of a basic `Authorization` header.
pub fn parse_basic(header: &[u8]) -> Option<(String, Password)> {
    let encoded = std::str::from_utf8(header.strip_prefix(b"Basic ")?).ok()?;
    let decoded = base64_decode(encoded.trim_matches([' ', '\u{c}', '\n', '\r', '\t', '\u{b}'])).ok()?;
    let colon = decoded.iter().position(|b| *b == b':')?;
    let user = String::from_utf8_lossy(&decoded[..colon]).into_owned();
    Some((user, Password(decoded[colon + 1..].to_vec())))
}

/// A password; shows nothing of itself.
#[derive(Clone, PartialEq, Eq)]
pub struct Password(Vec<u8>);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(..)")
    }
}

impl AsRef<[u8]> for Password {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

fn parse_rpcauth(text: &str) -> Option<Entry> {
    let mut fields = text.split(':');
    let (user, secret) = (fields.next()?, fields.next()?);
    let mut parts = secret.split('$');
    let (salt, hash) = (parts.next()?, parts.next()?);
    if fields.next().is_some() || parts.next().is_some() {
        return None;
    }
    Some(Entry { user: user.to_owned(), salt: salt.to_owned(), hash: hash.to_owned() })
}

fn hmac_hex(salt: &str, password: impl AsRef<[u8]>) -> String {
    let mut engine = bitcoin_hashes::HmacEngine::<sha256::HashEngine>::new(salt.as_bytes());
    engine.input(password.as_ref());
    hex_encode(engine.finalize().to_byte_array())
}

/// Compares in a time that does not depend on where the first difference is.
fn same_bytes(a: &[u8], b: &[u8]) -> bool {
    if b.is_empty() {
        return a.is_empty();
    }
    let mut difference = a.len() ^ b.len();
    for (index, byte) in a.iter().enumerate() {
        difference |= usize::from(byte ^ b[index % b.len()]);
    }
    difference == 0
}

fn random_hex<const N: usize>() -> Result<String, AuthError> {
    let mut bytes = [0u8; N];
    getrandom::fill(&mut bytes).map_err(|_| AuthError::Random)?;
    Ok(hex_encode(bytes))
}

fn write_cookie(path: &Path, mode: Option<u32>, password: &str) -> Result<(), AuthError> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(".tmp");
    let temporary = PathBuf::from(temporary);
    let failed = |path: &Path, source| AuthError::Cookie { path: path.to_owned(), source };

    let write = || {
        let options =
            std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&temporary);
        options.and_then(|mut file| write!(file, "{COOKIE_USER}:{password}"))
    };
    write().map_err(|e| {
        warn!("Unable to open cookie authentication file {} for writing", temporary.display());
        failed(&temporary, e)
    })?;
    std::fs::rename(&temporary, path).map_err(|e| {
        warn!("Unable to rename cookie authentication file {} to {}", temporary.display(), path.display());
        failed(path, e)
    })?;
    if let Some(mode) = mode {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(|e| {
            warn!("Unable to set permissions on cookie authentication file {}", path.display());
            failed(path, e)
        })?;
    }
    info!("Generated RPC authentication cookie {}", path.display());
    if let Ok(metadata) = std::fs::metadata(path) {
        info!("Permissions used for cookie: {}", symbolic_mode(metadata.permissions().mode()));
    }
    Ok(())
}

fn symbolic_mode(mode: u32) -> String {
    (0..9).map(|bit| if mode & (0o400 >> bit) == 0 { '-' } else { ['r', 'w', 'x'][bit % 3] }).collect()
}

/// Reads a cookie file: its first line, `user:password`.
pub fn read_cookie(path: &Path) -> io::Result<String> {
    let text = std::fs::read_to_string(path)?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}
