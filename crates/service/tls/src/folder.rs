//! The folder with a process's own key and the certificates of its peers.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bitcoin_hashes::sha256;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, ServerConfig};
use zeroize::{Zeroize, Zeroizing};

use crate::verify::PinnedPeers;

/// Name of the own key's file.
const KEY_FILE: &str = "identity.key";
/// Name of the own certificate's file.
const CERTIFICATE_FILE: &str = "identity.crt";
/// Name of the folder with the peers' certificates.
const TRUSTED: &str = "trusted";
/// How long a new certificate is valid.
const VALIDITY: Duration = Duration::from_secs(10 * 365 * 24 * 3600);
/// A new certificate is valid from this long ago: clocks differ.
const LEEWAY: Duration = Duration::from_secs(24 * 3600);
/// Largest file that is read.
const MAX_FILE: u64 = 64 << 10;
/// Largest number of trusted peers.
const MAX_PEERS: usize = 1_000;
/// Name in the protocol negotiation, so that a connection to something else with a trusted key fails at once.
const PROTOCOL: &[u8] = b"groestlcoin-ipc";

/// Why TLS cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// There is no own key.
    #[error("There is no key in {0}. Create one with: groestlcoin-node -ipctlskeygen={0}")]
    NoKey(String),
    /// There is a key already.
    #[error("There is a key in {0} already; it is not replaced.")]
    KeyExists(String),
    /// Others can read the key.
    #[error("{0} can be read by others. Allow only its owner: chmod 600 {0}")]
    KeyExposed(String),
    /// A file holds something else.
    #[error("{file}: {why}")]
    File {
        /// The file.
        file: String,
        /// What is wrong with it.
        why: String,
    },
    /// Too many peers.
    #[error("There are more than {MAX_PEERS} files in {0}.")]
    TooManyPeers(String),
    /// The certificate could not be made.
    #[error("Cannot make a certificate: {0}")]
    Create(String),
    /// Key and certificate do not work.
    #[error("Cannot use key and certificate in {folder}: {why}")]
    Unusable {
        /// The folder.
        folder: String,
        /// The library's reason.
        why: String,
    },
}

/// What [`KeyFolder::create`] has made.
#[derive(Debug)]
pub struct Created {
    /// The certificate's file, which peers need a copy of.
    pub certificate: PathBuf,
    /// SHA-256 of the public key, by which people compare.
    pub fingerprint: String,
}

/// A key and its certificate.
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Drop for Identity {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

/// The folder of a process's own key, `ipc` in the network's data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFolder(PathBuf);

impl KeyFolder {
    /// The folder of a network's data directory.
    pub fn of_data_dir(net_data_dir: &Path) -> KeyFolder {
        KeyFolder(net_data_dir.join("ipc"))
    }

    /// Any folder.
    pub fn at(path: impl Into<PathBuf>) -> KeyFolder {
        KeyFolder(path.into())
    }

    /// The folder with the peers' certificates.
    pub fn trusted(&self) -> PathBuf {
        self.0.join(TRUSTED)
    }

    /// The own certificate, which peers need a copy of.
    pub fn certificate(&self) -> PathBuf {
        self.0.join(CERTIFICATE_FILE)
    }

    /// Makes an Ed25519 key (mode 0600) with a certificate of its own, and the folder `trusted`; directories that are
    /// missing get mode 0700. A key that is there stays.
    pub fn create(&self) -> Result<Created, TlsError> {
        let now = SystemTime::now();
        self.create_valid(now - LEEWAY, now + VALIDITY)
    }

    /// [`KeyFolder::create`] with another time of validity.
    pub fn create_valid(&self, from: SystemTime, until: SystemTime) -> Result<Created, TlsError> {
        let (key_file, certificate_file) = (self.0.join(KEY_FILE), self.certificate());
        for file in [&key_file, &certificate_file] {
            if std::fs::symlink_metadata(file).is_ok() {
                return Err(TlsError::KeyExists(self.0.display().to_string()));
            }
        }
        let failed = |e: rcgen::Error| TlsError::Create(e.to_string());
        let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ED25519).map_err(failed)?;
        let mut params = rcgen::CertificateParams::default();
        params.not_before = from.into();
        params.not_after = until.into();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(rcgen::DnType::CommonName, "groestlcoin-ipc");
        let certificate = params.self_signed(&key).map_err(failed)?;
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(self.trusted())
            .map_err(|e| file_error(&self.trusted(), e))?;
        let secret = Zeroizing::new(key.serialize_pem());
        write_new(&key_file, 0o600, secret.as_bytes())?;
        write_new(&certificate_file, 0o644, certificate.pem().as_bytes())?;
        let fingerprint = public_key(certificate.der())
            .map(|key| fingerprint(&key))
            .map_err(|why| TlsError::Create(why.to_owned()))?;
        Ok(Created { certificate: certificate_file, fingerprint })
    }

    fn identity(&self) -> Result<Identity, TlsError> {
        let key_file = self.0.join(KEY_FILE);
        let text = match read(&key_file) {
            Err(TlsError::File { .. }) if !key_file.exists() => {
                return Err(TlsError::NoKey(self.0.display().to_string()));
            }
            text => Zeroizing::new(text?),
        };
        let mode = std::fs::metadata(&key_file).map_err(|e| file_error(&key_file, e))?.permissions().mode();
        if mode & 0o077 != 0 {
            return Err(TlsError::KeyExposed(key_file.display().to_string()));
        }
        // The library's texts do not quote the contents.
        let key = PrivateKeyDer::from_pem_slice(&text).map_err(|e| file_error(&key_file, e))?;
        let certificate_file = self.certificate();
        let certificate = CertificateDer::from_pem_slice(&read(&certificate_file)?)
            .map_err(|e| file_error(&certificate_file, e))?;
        Ok(Identity { certificate, key })
    }

    /// The public keys of the trusted peers. A file that holds no certificate is an error: who put it there expects it to
    /// work.
    fn peers(&self) -> Result<PinnedPeers, TlsError> {
        let folder = self.trusted();
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(PinnedPeers::new(Vec::new(), folder)),
            Err(e) => return Err(file_error(&folder, e)),
        };
        let mut keys = Vec::new();
        for (n, entry) in entries.enumerate() {
            if n >= MAX_PEERS {
                return Err(TlsError::TooManyPeers(folder.display().to_string()));
            }
            let file = entry.map_err(|e| file_error(&folder, e))?.path();
            if !file.extension().is_some_and(|e| e == "crt" || e == "pem") {
                continue;
            }
            let text = read(&file)?;
            let mut found = false;
            for certificate in CertificateDer::pem_slice_iter(&text) {
                let certificate = certificate.map_err(|e| file_error(&file, e))?;
                keys.push(public_key(&certificate).map_err(|why| file_error(&file, why))?);
                found = true;
            }
            if !found {
                return Err(file_error(&file, "no certificate in it"));
            }
        }
        Ok(PinnedPeers::new(keys, folder))
    }

    /// How many peers are trusted.
    pub fn peer_count(&self) -> Result<usize, TlsError> {
        Ok(self.peers()?.count())
    }

    fn unusable(&self, error: &rustls::Error) -> TlsError {
        TlsError::Unusable { folder: self.0.display().to_string(), why: error.to_string() }
    }

    /// What a listener works with.
    pub(crate) fn server_config(&self) -> Result<Arc<ServerConfig>, TlsError> {
        let (identity, peers) = (self.identity()?, self.peers()?);
        let provider = peers.provider();
        let config = ServerConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map(|builder| builder.with_client_cert_verifier(Arc::new(peers)))
            .and_then(|builder| {
                builder.with_single_cert(vec![identity.certificate.clone()], identity.key.clone_key())
            });
        let mut config = config.map_err(|e| self.unusable(&e))?;
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        // A resumed session would not show its certificate again.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        Ok(Arc::new(config))
    }

    /// What a client works with.
    pub(crate) fn client_config(&self) -> Result<Arc<ClientConfig>, TlsError> {
        let (identity, peers) = (self.identity()?, self.peers()?);
        let provider = peers.provider();
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map(|builder| builder.dangerous().with_custom_certificate_verifier(Arc::new(peers)))
            .and_then(|builder| {
                builder.with_client_auth_cert(vec![identity.certificate.clone()], identity.key.clone_key())
            });
        let mut config = config.map_err(|e| self.unusable(&e))?;
        config.alpn_protocols = vec![PROTOCOL.to_vec()];
        config.resumption = rustls::client::Resumption::disabled();
        config.enable_sni = false;
        Ok(Arc::new(config))
    }

    /// Whether the own key and the peers' certificates can be used.
    pub fn check(&self) -> Result<(), TlsError> {
        self.server_config().map(|_| ())
    }
}

/// The public key in a certificate, with its algorithm.
pub(crate) fn public_key(certificate: &CertificateDer<'_>) -> Result<Vec<u8>, &'static str> {
    let parsed = webpki::EndEntityCert::try_from(certificate).map_err(|_| "not an X.509 certificate")?;
    Ok(parsed.subject_public_key_info().to_vec())
}

/// SHA-256 of a public key as people see it.
pub(crate) fn fingerprint(public_key: &[u8]) -> String {
    sha256::Hash::hash(public_key).to_byte_array().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn file_error(file: &Path, why: impl std::fmt::Display) -> TlsError {
    TlsError::File { file: file.display().to_string(), why: why.to_string() }
}

fn read(file: &Path) -> Result<Vec<u8>, TlsError> {
    let opened = File::open(file).map_err(|e| file_error(file, e))?;
    let mut text = Vec::new();
    opened.take(MAX_FILE + 1).read_to_end(&mut text).map_err(|e| file_error(file, e))?;
    if text.len() as u64 > MAX_FILE {
        text.zeroize();
        return Err(file_error(file, "too large"));
    }
    Ok(text)
}

fn write_new(file: &Path, mode: u32, contents: &[u8]) -> Result<(), TlsError> {
    let opened = OpenOptions::new().write(true).create_new(true).mode(mode).open(file);
    let written = opened.and_then(|mut opened| opened.write_all(contents).and_then(|()| opened.sync_all()));
    written.map_err(|e| file_error(file, e))
}
