//! Certificates as `foresee certs` makes them, and some that it would not make; and a hello over TLS by hand.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose, date_time_ymd,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

/// An authority that signs whatever a test wants.
#[derive(Debug)]
pub struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Default for Authority {
    fn default() -> Self {
        Authority::new()
    }
}

fn params(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).expect("names of hosts");
    params.extended_key_usages =
        vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
    params
}

impl Authority {
    /// A new one.
    pub fn new() -> Self {
        let mut params = CertificateParams::new(Vec::<String>::new()).expect("no names");
        params.distinguished_name.push(DnType::CommonName, "an authority of tests");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
        let key = KeyPair::generate().expect("a key");
        Authority { issuer: CertifiedIssuer::self_signed(params, key).expect("it is signed") }
    }

    /// A folder with the certificates of so many nodes.
    pub fn folder(&self, nodes: u32) -> TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("authority.pem"), self.issuer.pem()).expect("it is written");
        (0..nodes).for_each(|node| self.named(folder.path(), node, &[&format!("node-{node}.foresee")]));
        folder
    }

    /// Writes for `node` a certificate of these names.
    pub fn named(&self, folder: &Path, node: u32, names: &[&str]) {
        self.sign(folder, node, &params(names));
    }

    /// Writes for `node` one that has expired.
    pub fn expired(&self, folder: &Path, node: u32) {
        let mut params = params(&[&format!("node-{node}.foresee")]);
        (params.not_before, params.not_after) = (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
        self.sign(folder, node, &params);
    }

    fn sign(&self, folder: &Path, node: u32, params: &CertificateParams) {
        let key = KeyPair::generate().expect("a key");
        let certificate = params.signed_by(&key, &self.issuer).expect("it is signed");
        let write = |ending: &str, text: String| {
            std::fs::write(folder.join(format!("node-{node}.{ending}")), text).expect("it is written");
        };
        write("pem", certificate.pem());
        write("key", key.serialize_pem());
    }

    /// A connection to `address`, where `to` should be, with the certificate of `node`.
    pub async fn connect(&self, node: u32, address: SocketAddr, to: u8) -> TlsStream<TcpStream> {
        let folder = self.folder(node + 1);
        let file = |ending: &str| folder.path().join(format!("node-{node}.{ending}"));
        let chain = vec![CertificateDer::from_pem_file(file("pem")).expect("a certificate")];
        let key = PrivateKeyDer::from_pem_file(file("key")).expect("a key");
        let mut roots = rustls::RootCertStore::empty();
        roots.add(self.issuer.der().clone()).expect("an authority");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = rustls::ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("there is this version")
            .with_root_certificates(roots)
            .with_client_auth_cert(chain, key)
            .expect("a certificate and its key");
        config.alpn_protocols = vec![b"foresee/1".to_vec()];
        let stream = TcpStream::connect(address).await.expect("it listens");
        let name = ServerName::try_from(format!("node-{to}.foresee")).expect("a name");
        let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
        connector.connect(name, stream).await.expect("it is trusted")
    }

    /// Says with the certificate of `node` to `address` that it is `from` and wants `to`: the frame that comes back.
    pub async fn hello(&self, node: u32, address: SocketAddr, from: u8, to: u8) -> Vec<u8> {
        let mut stream = self.connect(node, address, to).await;
        stream
            .write_all(&crate::hello(1, crate::desk::WIRE.hash, "Clerk", from, to))
            .await
            .expect("it is sent");
        stream.flush().await.expect("it is sent");
        let length = stream.read_u32().await.expect("it is answered") as usize;
        let mut answer = vec![0; length];
        stream.read_exact(&mut answer).await.expect("it is answered");
        answer
    }
}
