//! Whose certificates are accepted.
//!
//! Invariants: nothing is accepted that `rustls` and the platform's verifier don't accept; the check can't be switched
//! off. The platform's certificates are read once, at the first handshake, so that plain `http` never reads them.

use std::sync::{Arc, OnceLock};

use rustls::{
    ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature},
    pki_types::{CertificateDer, ServerName, UnixTime, pem::PemObject},
};
use rustls_platform_verifier::Verifier;

/// Whose certificates are accepted.
#[derive(Clone, Debug, Default)]
pub enum Trust {
    /// Those that the machine trusts; on Linux the files that `SSL_CERT_FILE` and `SSL_CERT_DIR` name, if they are set.
    #[default]
    Platform,
    /// Those, and these.
    PlatformAnd(Certificates),
    /// Only these.
    Only(Certificates),
}

/// Certificates to trust: those of authorities, or a server's own if it is self-signed.
#[derive(Clone, Debug)]
pub struct Certificates(Vec<CertificateDer<'static>>);

/// Why no certificates could be read from a text. The caller has to correct the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CertificateError {
    /// There is no `-----BEGIN CERTIFICATE-----`.
    #[error("there is no certificate in it: PEM is expected, which begins with -----BEGIN CERTIFICATE-----")]
    Missing,
    /// One of them can't be read.
    #[error("certificate {number} in it can't be read: {why}")]
    Unreadable {
        /// Which one, counted from 1.
        number: usize,
        /// What is wrong with it.
        why: String,
    },
}

impl Certificates {
    /// Reads certificates from PEM text, which may also contain keys and other text.
    ///
    /// # Errors
    /// [`CertificateError`].
    pub fn from_pem(pem: &[u8]) -> Result<Self, CertificateError> {
        let mut trusted = RootCertStore::empty();
        let mut read = Vec::new();
        for (at, certificate) in CertificateDer::pem_slice_iter(pem).enumerate() {
            let unreadable = |why: String| CertificateError::Unreadable { number: at + 1, why };
            let certificate = certificate.map_err(|error| unreadable(error.to_string()))?;
            trusted.add(certificate.clone()).map_err(|error| unreadable(error.to_string()))?;
            read.push(certificate);
        }
        if read.is_empty() { Err(CertificateError::Missing) } else { Ok(Self(read)) }
    }
}

impl Trust {
    /// The same for the TLS library.
    pub(crate) fn tls(&self) -> ClientConfig {
        let provider = Arc::new(ring::default_provider());
        let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .expect("ring knows TLS 1.2 and 1.3");
        let of_platform =
            |extra: &[_]| PlatformTrust { provider, extra: extra.to_vec(), verifier: OnceLock::new() };
        let verifier = match self {
            Self::Platform => of_platform(&[]),
            Self::PlatformAnd(Certificates(extra)) => of_platform(extra),
            Self::Only(Certificates(only)) => {
                let mut roots = RootCertStore::empty();
                roots.add_parsable_certificates(only.iter().cloned());
                return with_http1(builder.with_root_certificates(roots).with_no_client_auth());
            }
        };
        let builder = builder.dangerous().with_custom_certificate_verifier(Arc::new(verifier));
        with_http1(builder.with_no_client_auth())
    }
}

fn with_http1(mut config: ClientConfig) -> ClientConfig {
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config
}

/// The platform's verifier, made when it is first needed.
#[derive(Debug)]
struct PlatformTrust {
    provider: Arc<CryptoProvider>,
    extra: Vec<CertificateDer<'static>>,
    verifier: OnceLock<Result<Verifier, Error>>,
}

impl PlatformTrust {
    fn verifier(&self) -> Result<&Verifier, Error> {
        let make = || Verifier::new_with_extra_roots(self.extra.iter().cloned(), Arc::clone(&self.provider));
        self.verifier.get_or_init(make).as_ref().map_err(Error::clone)
    }
}

impl ServerCertVerifier for PlatformTrust {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        self.verifier()?.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        verify_tls13_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(pem: &str, want: Result<usize, &str>) {
        let read = Certificates::from_pem(pem.as_bytes());
        match (read, want) {
            (Ok(read), Ok(count)) => assert_eq!(read.0.len(), count, "{pem}"),
            (Err(error), Err(part)) => assert!(error.to_string().contains(part), "{pem}: {error}"),
            (read, want) => panic!("{pem}: {read:?}, and not {want:?}"),
        }
    }

    #[test]
    fn certificates_are_found_among_keys_and_other_text() {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (pem, key) = (made.cert.pem(), made.signing_key.serialize_pem());
        check(&pem, Ok(1));
        check(&format!("# ours\n{pem}\n{key}\n{pem}"), Ok(2));
        check("", Err("no certificate"));
        check("hello", Err("no certificate"));
        check(&key, Err("no certificate"));
        check("-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n", Err("certificate 1"));
        check("-----BEGIN CERTIFICATE-----\naGVsbG8=\n-----END CERTIFICATE-----\n", Err("certificate 1"));
        check(&format!("{pem}-----BEGIN CERTIFICATE-----\naGVsbG8=\n"), Err("certificate 2"));
    }
}
