//! A proxy that speaks TLS before a server that doesn't, with a certificate of its own making.
//!
//! Invariant: it ends with its owner.

use std::thread::JoinHandle;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinSet,
};
use tokio_rustls::{
    TlsAcceptor,
    rustls::{ServerConfig, crypto::ring, pki_types::PrivateKeyDer},
};

use super::Folder;

pub(crate) struct TlsProxy {
    pub(crate) port: u16,
    /// The certificate of who signed the proxy's.
    authority: Folder,
    stop: Option<oneshot::Sender<()>>,
    serving: Option<JoinHandle<()>>,
}

impl TlsProxy {
    /// A proxy before `address`, with a certificate as `shape` makes it.
    pub(crate) fn start(address: &str, shape: impl FnOnce(&mut CertificateParams)) -> Self {
        let authority = authority();
        let folder = Folder::new();
        folder.write("authority.pem", &authority.pem());
        let acceptor = acceptor(&authority, shape);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (stop, stopped) = oneshot::channel();
        let address = address.to_owned();
        let serving = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                tokio::select! {
                    () = serve(TcpListener::from_std(listener).unwrap(), acceptor, address) => {}
                    _ = stopped => {}
                }
            });
        });
        Self { port, authority: folder, stop: Some(stop), serving: Some(serving) }
    }

    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// The file that `SSL_CERT_FILE` is to name.
    pub(crate) fn authority(&self) -> std::path::PathBuf {
        self.authority.path().join("authority.pem")
    }
}

impl Drop for TlsProxy {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(serving) = self.serving.take() {
            let _ = serving.join();
        }
    }
}

async fn serve(listener: TcpListener, acceptor: TlsAcceptor, address: String) {
    let mut talks = JoinSet::new();
    loop {
        let (socket, _) = listener.accept().await.unwrap();
        let (acceptor, address) = (acceptor.clone(), address.clone());
        talks.spawn(async move {
            // Who is not believed ends it; so does who has enough.
            let Ok(mut near) = acceptor.accept(socket).await else { return };
            let Ok(mut far) = TcpStream::connect(address).await else { return };
            let _ = copy_bidirectional(&mut near, &mut far).await;
        });
    }
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name.push(DnType::CommonName, "an authority of a test");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

fn acceptor(
    authority: &CertifiedIssuer<'static, KeyPair>,
    shape: impl FnOnce(&mut CertificateParams),
) -> TlsAcceptor {
    let mut params = CertificateParams::new(vec!["127.0.0.1".to_owned()]).unwrap();
    shape(&mut params);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let config = ServerConfig::builder_with_provider(ring::default_provider().into())
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.der().clone()], key)
        .unwrap();
    TlsAcceptor::from(std::sync::Arc::new(config))
}
