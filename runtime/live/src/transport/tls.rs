//! TLS 1.3 over TCP, with certificates at both ends.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use foresee_kernel::NodeId;
use rustls::pki_types::ServerName;
use tokio::net::TcpListener;
use tokio_rustls::{TlsAcceptor, TlsConnector};

use super::identity::{self, Identity};
use super::{Carry, Incoming, Later, Proof, Stream, Unreached, tcp};
use crate::frame::Refusal;

/// TLS connections.
pub(super) struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
    connector: TlsConnector,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").field("listener", &self.listener).finish_non_exhaustive()
    }
}

impl Tls {
    pub(super) fn new(listener: TcpListener, identity: &Identity) -> Self {
        let acceptor = TlsAcceptor::from(Arc::new(identity.server.clone()));
        let connector = TlsConnector::from(Arc::new(identity.client.clone()));
        Tls { listener, acceptor, connector }
    }
}

impl Carry for Tls {
    fn accept(&self) -> Later<'_, io::Result<Incoming>> {
        Box::pin(async move {
            let (stream, address) = self.listener.accept().await?;
            let acceptor = self.acceptor.clone();
            let meet = async move {
                let _ = stream.set_nodelay(true);
                let met = acceptor.accept(stream).await;
                let stream = met.map_err(|error| Refusal::new("not trusted", error.to_string()))?;
                let proof = Proof::of(stream.get_ref().1.peer_certificates());
                let (reader, writer) = tokio::io::split(stream);
                Ok(Stream { reader: Box::new(reader), writer: Box::new(writer), proof, lingers: false })
            };
            Ok((address, Box::pin(meet) as Later<'static, _>))
        })
    }

    fn connect(&self, peer: NodeId, address: SocketAddr) -> Later<'_, Result<Stream, Unreached>> {
        Box::pin(async move {
            let stream = tcp::dial(address).await?;
            let name = ServerName::try_from(identity::name(peer))
                .map_err(|error| Unreached::Failed(error.to_string()))?;
            let met = self.connector.connect(name, stream).await;
            let stream = met.map_err(|error| match error.kind() {
                // What is wrong with a certificate or a record comes as such.
                io::ErrorKind::InvalidData => Unreached::Untrusted(error.to_string()),
                _ => Unreached::Failed(error.to_string()),
            })?;
            let proof = Proof::of(stream.get_ref().1.peer_certificates());
            let (reader, writer) = tokio::io::split(stream);
            Ok(Stream { reader: Box::new(reader), writer: Box::new(writer), proof, lingers: false })
        })
    }
}
