//! TCP as it is, and UDP beside it.

use std::io;
use std::net::SocketAddr;

use foresee_kernel::NodeId;
use tokio::net::{TcpListener, TcpStream, UdpSocket};

use super::{Carry, Incoming, Later, Stream, Unreached};
use crate::Error;

/// TCP connections.
#[derive(Debug)]
pub(super) struct Tcp {
    pub listener: TcpListener,
}

impl Carry for Tcp {
    fn accept(&self) -> Later<'_, io::Result<Incoming>> {
        Box::pin(async move {
            let (stream, address) = self.listener.accept().await?;
            let meet = async move {
                let _ = stream.set_nodelay(true);
                Ok(split(stream))
            };
            Ok((address, Box::pin(meet) as Later<'static, _>))
        })
    }

    fn connect(&self, _: NodeId, address: SocketAddr) -> Later<'_, Result<Stream, Unreached>> {
        Box::pin(async move { Ok(split(dial(address).await?)) })
    }
}

fn split(stream: TcpStream) -> Stream {
    let (reader, writer) = stream.into_split();
    Stream { reader: Box::new(reader), writer: Box::new(writer), proof: None, lingers: false }
}

/// A connection whose frames leave at once.
pub(super) async fn dial(address: SocketAddr) -> Result<TcpStream, Unreached> {
    let failed = |error: io::Error| Unreached::Failed(error.to_string());
    let stream = TcpStream::connect(address).await.map_err(failed)?;
    stream.set_nodelay(true).map_err(failed)?;
    Ok(stream)
}

/// Listens for connections.
pub(super) async fn listen(address: &str) -> Result<(TcpListener, SocketAddr), Error> {
    let refuse = |error| Error::io(format!("cannot listen on {address}"), error);
    let listener = TcpListener::bind(address).await.map_err(refuse)?;
    let local = listener.local_addr().map_err(|error| Error::io(address, error))?;
    Ok((listener, local))
}

/// The same port for connections and datagrams. Where any port will do, another is tried if its datagrams are taken.
pub(super) async fn bind(address: &str) -> Result<(TcpListener, UdpSocket, SocketAddr), Error> {
    let mut last = None;
    for _ in 0..16 {
        let (listener, local) = listen(address).await?;
        match UdpSocket::bind(local).await {
            Ok(socket) => return Ok((listener, socket, local)),
            Err(error) => last = Some(Error::io(format!("cannot listen on {local} for datagrams"), error)),
        }
    }
    Err(last.unwrap_or_else(|| Error::Peers(format!("{address} cannot be listened on"))))
}
