//! TLS: what the listener shows and demands.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::pem::{self, PemObject};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::server::{NoClientAuth, VerifierBuilderError, WebPkiClientVerifier};
use tokio_rustls::rustls::{RootCertStore, ServerConfig, crypto::ring};
use tokio_rustls::server::TlsStream;

use super::admission::Fingerprint;
use crate::config::TlsConfig;

/// Why TLS cannot be offered.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file is missing or is no PEM of its kind.
    #[error("failed to read {what} from `{}`; it must be a PEM file", path.display())]
    File {
        /// What it should hold.
        what: &'static str,
        /// Where.
        path: PathBuf,
        /// What failed.
        #[source]
        source: pem::Error,
    },
    /// Certificate and key cannot be used, or do not belong together.
    #[error("the certificate and key for TLS cannot be used")]
    Config(#[from] tokio_rustls::rustls::Error),
    /// The authority's certificates cannot be used.
    #[error("the authority for client certificates cannot be used")]
    Authority(#[from] VerifierBuilderError),
}

/// Reads what TLS needs. Versions are 1.2 and 1.3, ciphers those of the library.
pub(crate) fn acceptor(config: &TlsConfig) -> Result<TlsAcceptor, TlsError> {
    let certificates = certificates("a certificate", &config.certificate)?;
    let key =
        PrivateKeyDer::from_pem_file(&config.key).map_err(file("a private key", &config.key))?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()?;
    let verifier = match &config.client_authority {
        None => Arc::new(NoClientAuth),
        Some(path) => {
            let mut roots = RootCertStore::empty();
            for certificate in self::certificates("the certificate of an authority", path)? {
                roots.add(certificate)?;
            }
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            match config.is_client_certificate_required {
                true => verifier.build()?,
                false => verifier.allow_unauthenticated().build()?,
            }
        }
    };
    let server = builder.with_client_cert_verifier(verifier).with_single_cert(certificates, key)?;
    Ok(TlsAcceptor::from(Arc::new(server)))
}

fn certificates(what: &'static str, path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read = CertificateDer::pem_file_iter(path).map_err(file(what, path))?;
    let all = read.collect::<Result<Vec<_>, _>>().map_err(file(what, path))?;
    if all.is_empty() { Err(file(what, path)(pem::Error::NoItemsFound)) } else { Ok(all) }
}

fn file(what: &'static str, path: &Path) -> impl Fn(pem::Error) -> TlsError {
    let path = path.to_owned();
    move |source| TlsError::File { what, path: path.clone(), source }
}

/// SHA-256 of the certificate that the client showed and the authority had signed.
pub(crate) fn fingerprint<S: AsyncRead + AsyncWrite>(stream: &TlsStream<S>) -> Option<Fingerprint> {
    let certificate = stream.get_ref().1.peer_certificates()?.first()?;
    Some(Sha256::digest(certificate).into())
}
