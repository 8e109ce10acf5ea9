//! TLS: which servers are trusted, and which error the others lead to.

use std::{sync::Arc, time::Duration};

use largesse_client::{
    Certificates, Client, ClientConfig, Redirects, Request, SendError, TlsError, Trust, Url,
};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, date_time_ymd};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig, SupportedProtocolVersion,
        crypto::ring,
        pki_types::{CertificateDer, PrivateKeyDer},
        version::{TLS12, TLS13},
    },
};

use crate::support::{Server, Then, answer, within};

/// Who signs certificates.
pub(crate) struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        // Two authorities of one name would look like one with wrong signatures.
        params.distinguished_name.push(DnType::CommonName, fastrand::u64(..).to_string());
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn trusted(&self) -> Certificates {
        Certificates::from_pem(self.0.pem().as_bytes()).unwrap()
    }

    /// The TLS of a server with a certificate for these names.
    pub(crate) fn acceptor(&self, names: &[&str]) -> TlsAcceptor {
        self.acceptor_with(&params(names), &[&TLS13, &TLS12])
    }

    fn acceptor_with(
        &self,
        params: &CertificateParams,
        versions: &[&'static SupportedProtocolVersion],
    ) -> TlsAcceptor {
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        acceptor(certificate.der().clone(), &key, versions)
    }
}

fn params(names: &[&str]) -> CertificateParams {
    CertificateParams::new(names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>()).unwrap()
}

fn acceptor(
    certificate: CertificateDer<'static>,
    key: &KeyPair,
    versions: &[&'static SupportedProtocolVersion],
) -> TlsAcceptor {
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    TlsAcceptor::from(Arc::new(config))
}

async fn ask(trust: Trust, url: Url) -> Result<u16, TlsError> {
    let client = Client::new(&ClientConfig { trust, ..ClientConfig::default() });
    match within(client.send(&Request::get(url))).await {
        Ok(response) => Ok(response.status().as_u16()),
        Err(SendError::Tls(error)) => Err(error),
        Err(error) => panic!("{error:?}"),
    }
}

/// Sends a request, by the name `host`, to a server with this TLS.
async fn check(trust: Trust, acceptor: TlsAcceptor, host: &str, want: Result<u16, TlsError>) {
    let server = Server::start_tls(acceptor, |_, _| answer("200 OK", "", "")).await;
    assert_eq!(ask(trust, server.url_of(host)).await, want, "{host}");
    assert_eq!(server.asked().is_empty(), want.is_err(), "nothing is sent to a server that is not trusted");
}

#[tokio::test]
async fn a_certificate_of_a_trusted_authority_is_accepted() {
    let authority = Authority::new();
    let only = || Trust::Only(authority.trusted());
    let and = || Trust::PlatformAnd(authority.trusted());
    check(only(), authority.acceptor(&["127.0.0.1"]), "127.0.0.1", Ok(200)).await;
    check(and(), authority.acceptor(&["127.0.0.1"]), "127.0.0.1", Ok(200)).await;
    check(only(), authority.acceptor(&["localhost"]), "localhost", Ok(200)).await;
    for version in [&TLS12, &TLS13] {
        check(and(), authority.acceptor_with(&params(&["127.0.0.1"]), &[version]), "127.0.0.1", Ok(200))
            .await;
    }
}

#[tokio::test]
async fn a_self_signed_certificate_is_accepted_if_it_is_named() {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let trusted = Certificates::from_pem(own.cert.pem().as_bytes()).unwrap();
    let acceptor = acceptor(own.cert.der().clone(), &own.signing_key, &[&TLS13]);
    check(Trust::Only(trusted), acceptor, "localhost", Ok(200)).await;
}

#[tokio::test]
async fn an_untrusted_server_is_reported_by_its_cause() {
    let (authority, other) = (Authority::new(), Authority::new());
    let only = || Trust::Only(authority.trusted());
    let (mut expired, mut early) = (params(&["127.0.0.1"]), params(&["127.0.0.1"]));
    expired.not_after = date_time_ymd(2001, 1, 1);
    early.not_before = date_time_ymd(4000, 1, 1);
    let versions: &[_] = &[&TLS13];
    let host = "127.0.0.1";
    check(only(), other.acceptor(&[host]), host, Err(TlsError::Untrusted)).await;
    check(Trust::Platform, authority.acceptor(&[host]), host, Err(TlsError::Untrusted)).await;
    check(only(), authority.acceptor_with(&expired, versions), host, Err(TlsError::Expired)).await;
    check(only(), authority.acceptor_with(&early, versions), host, Err(TlsError::NotYetValid)).await;
    check(only(), authority.acceptor(&["localhost"]), host, Err(TlsError::WrongHost)).await;
    check(only(), authority.acceptor(&[host]), "localhost", Err(TlsError::WrongHost)).await;
}

/// Requests `https` from a port without TLS, which answers anything with `said`.
async fn ask_plain(said: &'static [u8]) -> Result<u16, TlsError> {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("https://{}/", listener.local_addr().unwrap());
    let mut serving = tokio::task::JoinSet::new();
    serving.spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        // All that a client sends before it gets an answer.
        let _ = socket.read(&mut [0; 4096]).await;
        socket.write_all(said).await.unwrap();
        let _ = socket.shutdown().await;
        let _ = socket.read_to_end(&mut Vec::new()).await;
    });
    ask(Trust::Platform, url.parse().unwrap()).await
}

#[tokio::test]
async fn https_to_a_port_without_tls_is_reported_as_such() {
    assert_eq!(
        ask_plain(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await,
        Err(TlsError::NotTls)
    );
    assert_eq!(ask_plain(b"SSH-2.0-OpenSSH_9.2\r\n").await, Err(TlsError::NotTls));
    let ended = ask_plain(b"").await.unwrap_err();
    assert!(matches!(&ended, TlsError::Other(why) if why.contains("ended")), "{ended:?}");
}

#[tokio::test]
async fn a_handshake_without_an_end_is_left() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url: Url = format!("https://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let connect_max = Duration::from_millis(300);
    let client = Client::new(&ClientConfig { connect_max, ..ClientConfig::default() });
    let error = within(client.send(&Request::get(url))).await.unwrap_err();
    assert!(matches!(error, SendError::Slow(waited) if waited == connect_max), "{error:?}");
}

#[tokio::test]
async fn http_to_a_port_with_tls_is_reported_as_not_http() {
    let authority = Authority::new();
    let server =
        Server::start_tls(authority.acceptor(&["127.0.0.1"]), |_, _| (Vec::new(), Then::Close)).await;
    let mut url = server.url("/");
    url.set_scheme("http").unwrap();
    let client = Client::new(&ClientConfig::default());
    let error = within(client.send(&Request::get(url))).await.unwrap_err();
    assert!(matches!(error, SendError::NotHttp(_)), "{error:?}");
}

#[tokio::test]
async fn no_redirect_leads_from_https_to_http() {
    let authority = Authority::new();
    let plain = Server::start(|_, _| answer("200 OK", "", "")).await;
    let location = format!("Location: {}\r\n", plain.url("/"));
    let server = Server::start_tls(authority.acceptor(&["127.0.0.1"]), move |_, _| {
        answer("307 Temporary Redirect", &location, "")
    })
    .await;
    let trust = Trust::Only(authority.trusted());
    let client =
        Client::new(&ClientConfig { trust, redirects: Redirects::Followed, ..ClientConfig::default() });
    let response = within(client.send(&Request::get(server.url("/")))).await.unwrap();
    assert_eq!((response.status().as_u16(), plain.asked().len()), (307, 0));
}
