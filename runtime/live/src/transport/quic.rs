//! QUIC: a connection of its own, with one stream both ways, for each connection.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use foresee_kernel::NodeId;
use quinn::crypto::rustls::{QuicClientConfig, QuicServerConfig};
use quinn::{
    AsyncTimer, AsyncUdpSocket, ConnectionError, Endpoint, EndpointConfig, RecvStream, Runtime, SendStream,
    TokioRuntime, TransportConfig, VarInt,
};
use rustls::pki_types::CertificateDer;
use tokio::io::AsyncWrite;
use tokio::net::UdpSocket;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::identity::{self, Identity};
use super::{Carry, Incoming, Later, Proof, Stream, Unreached};
use crate::frame::Refusal;
use crate::{Error, Limits};

/// How long what was written may take to arrive after its connection was let go.
const LINGER: Duration = Duration::from_secs(1);

/// QUIC connections.
#[derive(Debug)]
pub(super) struct Quic {
    /// None once it is closed.
    endpoint: Mutex<Option<Endpoint>>,
    tasks: TaskTracker,
}

/// Tokio, with an eye on the tasks: the socket is free when they have ended.
#[derive(Debug)]
struct Tracked(TaskTracker);

impl Runtime for Tracked {
    fn new_timer(&self, at: std::time::Instant) -> Pin<Box<dyn AsyncTimer>> {
        TokioRuntime.new_timer(at)
    }

    fn spawn(&self, future: Pin<Box<dyn Future<Output = ()> + Send>>) {
        drop(self.0.spawn(future));
    }

    fn wrap_udp_socket(&self, socket: std::net::UdpSocket) -> io::Result<Arc<dyn AsyncUdpSocket>> {
        TokioRuntime.wrap_udp_socket(socket)
    }
}

/// The socket of an endpoint.
pub(super) async fn socket(address: &str) -> Result<std::net::UdpSocket, Error> {
    let refuse = |error| Error::io(format!("cannot listen on {address}"), error);
    // Names of addresses are resolved as those of other sockets are.
    let socket = UdpSocket::bind(address).await.map_err(refuse)?;
    socket.into_std().map_err(refuse)
}

impl Quic {
    pub(super) fn new(
        socket: std::net::UdpSocket,
        identity: &Identity,
        limits: &Limits,
    ) -> Result<Self, Error> {
        let unusable =
            |error: &dyn std::fmt::Display| Error::Identity(format!("QUIC cannot be used: {error}"));
        let mut transport = TransportConfig::default();
        // One stream, made by the dialler. Frames say by themselves that a connection is alive.
        transport.max_concurrent_bidi_streams(VarInt::from_u32(1));
        transport.max_concurrent_uni_streams(VarInt::from_u32(0));
        transport.datagram_receive_buffer_size(None);
        let idle = limits.keep_alive * 3;
        transport.max_idle_timeout(Some(idle.try_into().map_err(|error| unusable(&error))?));
        let transport = Arc::new(transport);
        let crypto = QuicServerConfig::try_from(identity.server.clone()).map_err(|error| unusable(&error))?;
        let mut server = quinn::ServerConfig::with_crypto(Arc::new(crypto));
        server.transport_config(transport.clone());
        let crypto = QuicClientConfig::try_from(identity.client.clone()).map_err(|error| unusable(&error))?;
        let mut client = quinn::ClientConfig::new(Arc::new(crypto));
        client.transport_config(transport);
        let tasks = TaskTracker::new();
        let runtime = Arc::new(Tracked(tasks.clone()));
        let endpoint = Endpoint::new(EndpointConfig::default(), Some(server), socket, runtime);
        let mut endpoint = endpoint.map_err(|error| Error::io("a QUIC endpoint", error))?;
        endpoint.set_default_client_config(client);
        Ok(Quic { endpoint: Mutex::new(Some(endpoint)), tasks })
    }

    fn endpoint(&self) -> Option<Endpoint> {
        self.endpoint.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Carry for Quic {
    fn accept(&self) -> Later<'_, io::Result<Incoming>> {
        Box::pin(async move {
            let closed = || io::Error::new(io::ErrorKind::NotConnected, "the endpoint is closed");
            let endpoint = self.endpoint().ok_or_else(closed)?;
            let incoming = endpoint.accept().await.ok_or_else(closed)?;
            let address = incoming.remote_address();
            let meet = async move {
                let connection =
                    incoming.await.map_err(|error| Refusal::new("not trusted", error.to_string()))?;
                let streams = connection.accept_bi().await;
                let streams = streams.map_err(|error| Refusal::new("noise", error.to_string()))?;
                Ok(stream(connection, streams))
            };
            Ok((address, Box::pin(meet) as Later<'static, _>))
        })
    }

    fn connect(&self, peer: NodeId, address: SocketAddr) -> Later<'_, Result<Stream, Unreached>> {
        Box::pin(async move {
            let endpoint = self.endpoint().ok_or_else(|| Unreached::Failed("the host stops".to_owned()))?;
            let connecting = endpoint.connect(address, &identity::name(peer));
            let connecting = connecting.map_err(|error| Unreached::Failed(error.to_string()))?;
            let connection = connecting.await.map_err(|error| match &error {
                // The codes of TLS's own alerts begin at 0x100.
                ConnectionError::TransportError(why) if (0x100..0x200).contains(&u64::from(why.code)) => {
                    Unreached::Untrusted(error.to_string())
                }
                _ => Unreached::Failed(error.to_string()),
            })?;
            let streams = connection.open_bi().await;
            let streams = streams.map_err(|error| Unreached::Failed(error.to_string()))?;
            Ok(stream(connection, streams))
        })
    }

    fn close(&self) -> Later<'_, ()> {
        Box::pin(async move {
            let endpoint = self.endpoint.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(endpoint) = endpoint {
                endpoint.close(VarInt::from_u32(0), b"stopped");
                let _ = timeout(LINGER, endpoint.wait_idle()).await;
            }
            self.tasks.close();
            let _ = timeout(LINGER, self.tasks.wait()).await;
        })
    }
}

fn stream(connection: quinn::Connection, (send, receive): (SendStream, RecvStream)) -> Stream {
    let chain = connection.peer_identity().and_then(|it| it.downcast::<Vec<CertificateDer<'static>>>().ok());
    let proof = Proof::of(chain.as_ref().map(|chain| chain.as_slice()));
    let writer = Sending { stream: Some(send), connection: connection.clone() };
    Stream { reader: Box::new(receive), writer: Box::new(writer), proof, lingers: true }
}

/// The sending half. When it is dropped, what was written may still arrive, for a while.
struct Sending {
    stream: Option<SendStream>,
    connection: quinn::Connection,
}

impl Drop for Sending {
    #[allow(
        clippy::disallowed_methods,
        reason = "it ends within a second, and what it waits for has no owner any more"
    )]
    fn drop(&mut self) {
        let Some(mut stream) = self.stream.take() else { return };
        let connection = self.connection.clone();
        let _ = stream.finish();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            drop(runtime.spawn(async move {
                let _ = timeout(LINGER, stream.stopped()).await;
                connection.close(VarInt::from_u32(0), b"let go");
            }));
        }
    }
}

impl AsyncWrite for Sending {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Some(stream) => AsyncWrite::poll_write(Pin::new(stream), context, bytes),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_flush(context),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stream {
            Some(stream) => Pin::new(stream).poll_shutdown(context),
            None => Poll::Ready(Ok(())),
        }
    }
}
