//! Who a node is, as certificates say it: read from a folder, shown to peers, and looked for in theirs.

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use foresee_kernel::NodeId;
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::server::WebPkiClientVerifier;
use rustls::{ClientConfig, RootCertStore, ServerConfig};

use crate::Error;

/// What both ends say that they speak.
const ALPN: &[u8] = b"foresee/1";

/// The two sides of a node's identity: as who is dialled, and as who dials.
pub(super) struct Identity {
    pub server: ServerConfig,
    pub client: ClientConfig,
}

/// The name that the certificate of a node has.
pub(super) fn name(node: NodeId) -> String {
    format!("node-{}.foresee", node.index())
}

/// What the other end of a connection has proven: that the authority signed this certificate for it.
#[derive(Clone)]
pub(crate) struct Proof(CertificateDer<'static>);

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proof")
    }
}

impl Proof {
    /// The first of a chain that was verified.
    pub(super) fn of(chain: Option<&[CertificateDer<'static>]>) -> Option<Self> {
        chain?.first().cloned().map(Proof)
    }

    /// Whether the certificate is that of `node`.
    pub(crate) fn is(&self, node: NodeId) -> bool {
        let Ok(wanted) = ServerName::try_from(name(node)) else { return false };
        let parsed = webpki::EndEntityCert::try_from(&self.0);
        parsed.is_ok_and(|it| it.verify_is_valid_for_subject_name(&wanted).is_ok())
    }
}

/// Reads the identity of `me` from a folder.
///
/// # Errors
/// A file that is missing or holds something else, a key that is not the certificate's, a certificate of another node.
pub(super) fn read(folder: &Path, me: NodeId) -> Result<Identity, Error> {
    let file = |name: String| folder.join(name);
    let own = format!("node-{}", me.index());
    let (authority, certificate, key) =
        (file("authority.pem".to_owned()), file(format!("{own}.pem")), file(format!("{own}.key")));
    let refuse = |path: &Path, what: String| {
        Error::Identity(format!("{}: {what}; `foresee certs` makes it", path.display()))
    };
    let mut roots = RootCertStore::empty();
    for root in certificates(&authority).map_err(|what| refuse(&authority, what))? {
        roots.add(root).map_err(|error| refuse(&authority, error.to_string()))?;
    }
    let chain = certificates(&certificate).map_err(|what| refuse(&certificate, what))?;
    if !Proof::of(Some(&chain)).is_some_and(|proof| proof.is(me)) {
        return Err(refuse(&certificate, format!("it is not of `{}`", name(me))));
    }
    let secret = || PrivateKeyDer::from_pem_file(&key).map_err(|error| refuse(&key, error.to_string()));
    let unusable = |error: rustls::Error| refuse(&certificate, format!("it cannot be used: {error}"));
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let roots = Arc::new(roots);
    let verifier = WebPkiClientVerifier::builder_with_provider(roots.clone(), provider.clone());
    let verifier = verifier.build().map_err(|error| refuse(&authority, error.to_string()))?;
    let mut server = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(unusable)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain.clone(), secret()?)
        .map_err(unusable)?;
    let mut client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13])
        .map_err(unusable)?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, secret()?)
        .map_err(unusable)?;
    // Whoever comes again proves again who it is: a certificate may have expired since.
    server.send_tls13_tickets = 0;
    client.resumption = Resumption::disabled();
    server.alpn_protocols = vec![ALPN.to_vec()];
    client.alpn_protocols = vec![ALPN.to_vec()];
    Ok(Identity { server, client })
}

fn certificates(path: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let read = CertificateDer::pem_file_iter(path).map_err(|error| error.to_string())?;
    let read: Result<Vec<_>, _> = read.collect();
    match read {
        Ok(found) if found.is_empty() => Err("there is no certificate in it".to_owned()),
        Ok(found) => Ok(found),
        Err(error) => Err(error.to_string()),
    }
}
