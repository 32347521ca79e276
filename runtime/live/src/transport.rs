//! What carries connections: TCP, TLS over it, or QUIC. Everything above speaks of [`Stream`]s, and of who is at the other end as far
//! as that is proven.
//!
//! Over TLS and QUIC both ends show a certificate of the cluster's authority, and a node is who its certificate says: a dialler looks for
//! `node-3.foresee` at node 3, and whoever comes in and says that it is node 3 must have that name too ([`Proof::is`]).

mod identity;
mod quic;
mod tcp;
mod tls;

use std::fmt;
use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use foresee_kernel::NodeId;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::UdpSocket;
use tokio::time::timeout;

use crate::frame::Refusal;
use crate::{Error, Limits};

pub(crate) use identity::Proof;

/// What carries the connections of a host.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Transport {
    /// TCP, and UDP for datagrams. Whoever reaches the port can claim to be a peer.
    #[default]
    Tcp,
    /// TLS 1.3 over TCP, with certificates at both ends: the folder has `authority.pem`, and for node 3 `node-3.pem` and `node-3.key`, as
    /// `foresee certs` makes them. Datagrams go through connections.
    Tls(PathBuf),
    /// QUIC, with the same certificates; one of its connections for each connection. Datagrams go through connections.
    Quic(PathBuf),
}

impl Transport {
    /// Whether the other end proves who it is, so that nothing may come in beside it.
    pub(crate) fn is_proven(&self) -> bool {
        *self != Transport::Tcp
    }
}

/// Something that may happen later.
pub(crate) type Later<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A connection that is being made by somebody else: where from, and what becomes of it.
pub(crate) type Incoming = (SocketAddr, Later<'static, Result<Stream, Refusal>>);

/// What carries connections.
pub(crate) trait Carry: Send + Sync + fmt::Debug {
    /// Waits for the next connection that somebody makes. What it takes to know the other end is left to the future that is returned.
    ///
    /// # Errors
    /// A port that gives none, now.
    fn accept(&self) -> Later<'_, io::Result<Incoming>>;

    /// Makes a connection to `peer` at `address`.
    ///
    /// # Errors
    /// Why there is none; [`Unreached::Untrusted`] where somebody else is there.
    fn connect(&self, peer: NodeId, address: SocketAddr) -> Later<'_, Result<Stream, Unreached>>;

    /// The host has stopped: who is still connected is told, and the port is free afterwards, as far as it is this one's to free.
    fn close(&self) -> Later<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

/// Why a connection cannot be made.
#[derive(Debug)]
pub(crate) enum Unreached {
    /// Nobody answers, or not as it should.
    Failed(String),
    /// Whoever answers does not prove that it is the peer.
    Untrusted(String),
}

pub(crate) type Reader = Box<dyn AsyncRead + Send + Unpin>;
pub(crate) type Writer = Box<dyn AsyncWrite + Send + Unpin>;

/// A connection: bytes in order, both ways.
pub(crate) struct Stream {
    pub reader: Reader,
    pub writer: Writer,
    /// What the other end proved of itself; None where nothing is asked for.
    pub proof: Option<Proof>,
    /// Whether what was written is lost when the stream is dropped, unless the other end has read it.
    pub lingers: bool,
}

impl fmt::Debug for Stream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Stream").field("proof", &self.proof).finish_non_exhaustive()
    }
}

impl Stream {
    /// Writes the last that there is to say, and lets go.
    pub(crate) async fn say(mut self, bytes: &[u8]) {
        // Whoever is gone needs no answer.
        let say = async {
            self.writer.write_all(bytes).await?;
            self.writer.flush().await?;
            self.writer.shutdown().await
        };
        let said = timeout(Duration::from_secs(1), say).await;
        if self.lingers && matches!(said, Ok(Ok(()))) {
            // It closes when it has read that.
            let _ = timeout(Duration::from_secs(1), self.reader.read(&mut [0; 1])).await;
        }
    }
}

/// A host's place on the network: what carries its connections, and the socket for datagrams beside them.
pub(crate) struct Bound {
    pub carry: Box<dyn Carry>,
    /// None where nothing may come in beside connections.
    pub datagrams: Option<UdpSocket>,
    pub address: SocketAddr,
}

/// Listens at `address`. The certificates are those of the node that `me` finds, given where it listens.
///
/// # Errors
/// An address that cannot be listened on, a node that is not known, certificates that cannot be used.
pub(crate) async fn bind(
    transport: &Transport,
    address: &str,
    limits: &Limits,
    me: impl FnOnce(SocketAddr) -> Result<NodeId, Error>,
) -> Result<(Bound, NodeId), Error> {
    match transport {
        Transport::Tcp => {
            let (listener, socket, address) = tcp::bind(address).await?;
            let bound = Bound { carry: Box::new(tcp::Tcp { listener }), datagrams: Some(socket), address };
            Ok((bound, me(address)?))
        }
        Transport::Tls(folder) => {
            let (listener, address) = tcp::listen(address).await?;
            let me = me(address)?;
            let carry = tls::Tls::new(listener, &identity::read(folder, me)?);
            Ok((Bound { carry: Box::new(carry), datagrams: None, address }, me))
        }
        Transport::Quic(folder) => {
            let socket = quic::socket(address).await?;
            let address = socket.local_addr().map_err(|error| Error::io(address, error))?;
            let me = me(address)?;
            let carry = quic::Quic::new(socket, &identity::read(folder, me)?, limits)?;
            Ok((Bound { carry: Box::new(carry), datagrams: None, address }, me))
        }
    }
}
