//! Who is let in: the holders of the pinned keys.

use std::path::PathBuf;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, WebPkiSupportedAlgorithms, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{
    AlertDescription, CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError,
    SignatureScheme,
};

use crate::folder::{fingerprint, public_key};

/// Why a certificate was refused, for the own log or user.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Refused {
    #[error("the certificate with public key {fingerprint} (SHA-256) is not in {folder}")]
    Unknown { fingerprint: String, folder: String },
    #[error("the certificate has expired")]
    Expired,
    #[error("the certificate is not valid yet")]
    NotYet,
    #[error("the certificate cannot be used: {0}")]
    Broken(String),
}

impl From<Refused> for Error {
    fn from(refused: Refused) -> Error {
        // The kind decides on the alert that the other side gets.
        Error::InvalidCertificate(match refused {
            Refused::Expired => CertificateError::Expired,
            Refused::NotYet => CertificateError::NotValidYet,
            other => CertificateError::Other(OtherError(Arc::new(other))),
        })
    }
}

/// The peers whose public keys are known.
#[derive(Debug)]
pub(crate) struct PinnedPeers {
    keys: Vec<Vec<u8>>,
    folder: PathBuf,
    provider: Arc<CryptoProvider>,
}

impl PinnedPeers {
    pub(crate) fn new(keys: Vec<Vec<u8>>, folder: PathBuf) -> PinnedPeers {
        PinnedPeers { keys, folder, provider: Arc::new(rustls::crypto::ring::default_provider()) }
    }

    pub(crate) fn count(&self) -> usize {
        self.keys.len()
    }

    pub(crate) fn provider(&self) -> Arc<CryptoProvider> {
        self.provider.clone()
    }

    fn algorithms(&self) -> &WebPkiSupportedAlgorithms {
        &self.provider.signature_verification_algorithms
    }

    /// The key must be a pinned one; besides, the certificate must be in order and in its time. It is its own authority:
    /// what else the peer sends along counts for nothing.
    fn check(
        &self,
        certificate: &CertificateDer<'_>,
        now: UnixTime,
        usage: webpki::KeyUsage,
    ) -> Result<(), Refused> {
        let broken = |e: &dyn std::fmt::Display| Refused::Broken(e.to_string());
        let key = public_key(certificate).map_err(|e| broken(&e))?;
        if !self.keys.contains(&key) {
            let folder = self.folder.display().to_string();
            return Err(Refused::Unknown { fingerprint: fingerprint(&key), folder });
        }
        let parsed = webpki::EndEntityCert::try_from(certificate).map_err(|e| broken(&e))?;
        let itself = webpki::anchor_from_trusted_cert(certificate).map_err(|e| broken(&e))?;
        let anchors = [itself];
        let verified = parsed.verify_for_usage(self.algorithms().all, &anchors, &[], now, usage, None, None);
        verified.map(|_| ()).map_err(|error| match error {
            webpki::Error::CertExpired { .. } => Refused::Expired,
            webpki::Error::CertNotValidYet { .. } => Refused::NotYet,
            other => broken(&other),
        })
    }

    fn signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signature, self.algorithms())
    }
}

fn only_tls13() -> Result<HandshakeSignatureValid, Error> {
    Err(Error::General("only TLS 1.3 is spoken".to_owned()))
}

impl ServerCertVerifier for PinnedPeers {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.check(end_entity, now, webpki::KeyUsage::server_auth())?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        only_tls13()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms().supported_schemes()
    }
}

impl ClientCertVerifier for PinnedPeers {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        self.check(end_entity, now, webpki::KeyUsage::client_auth())?;
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _message: &[u8],
        _certificate: &CertificateDer<'_>,
        _signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        only_tls13()
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms().supported_schemes()
    }
}

/// An error of a hand-shake or connection in words for the user.
pub(crate) fn explain(error: &std::io::Error) -> String {
    let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>()) else {
        return match error.kind() {
            std::io::ErrorKind::UnexpectedEof => "the other side closed the connection".to_owned(),
            _ => error.to_string(),
        };
    };
    match tls {
        Error::InvalidCertificate(CertificateError::Other(OtherError(why))) => {
            format!("the other side is not trusted: {why}")
        }
        Error::InvalidCertificate(CertificateError::Expired) => {
            format!("the other side is not trusted: {}", Refused::Expired)
        }
        Error::InvalidCertificate(CertificateError::NotValidYet) => {
            format!("the other side is not trusted: {}", Refused::NotYet)
        }
        Error::InvalidMessage(_) | Error::InappropriateMessage { .. } => {
            "the other side does not speak TLS".to_owned()
        }
        Error::NoCertificatesPresented => "the other side shows no certificate".to_owned(),
        Error::AlertReceived(AlertDescription::CertificateExpired) => {
            "the other side says that this one's certificate is not valid now".to_owned()
        }
        Error::AlertReceived(
            AlertDescription::CertificateUnknown
            | AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::AccessDenied,
        ) => "the other side does not trust this one's certificate (a copy of it has to be in its folder \
              ipc/trusted)"
            .to_owned(),
        other => other.to_string(),
    }
}
