//! What openraft leaves to its users: requests between nodes, here over TCP, one frame a request and one an answer.
//!
//! A frame is its length in four bytes, little-endian, and as many bytes of postcard.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use openraft::error::{InstallSnapshotError, NetworkError, RPCError, RaftError, RemoteError, Unreachable};
use openraft::network::{RPCOption, RaftNetwork, RaftNetworkFactory};
use openraft::raft::{
    AppendEntriesRequest, AppendEntriesResponse, InstallSnapshotRequest, InstallSnapshotResponse,
    VoteRequest, VoteResponse,
};
use openraft_memstore::TypeConfig;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt, BufStream};
use tokio::net::{TcpListener, TcpStream};

use crate::Raft;

type Failed<E = RaftError<u64>> = RPCError<u64, (), E>;

#[derive(Serialize, Deserialize)]
enum Request {
    Append(AppendEntriesRequest<TypeConfig>),
    Vote(VoteRequest<u64>),
    Snapshot(InstallSnapshotRequest<TypeConfig>),
}

/// Where the nodes are.
#[derive(Clone)]
pub struct Network(pub Arc<BTreeMap<u64, SocketAddr>>);

/// A node that is asked.
pub struct Peer {
    id: u64,
    address: Option<SocketAddr>,
    connection: Option<BufStream<TcpStream>>,
}

impl RaftNetworkFactory<TypeConfig> for Network {
    type Network = Peer;

    async fn new_client(&mut self, id: u64, (): &()) -> Peer {
        Peer { id, address: self.0.get(&id).copied(), connection: None }
    }
}

async fn write(stream: &mut BufStream<TcpStream>, bytes: &[u8]) -> io::Result<()> {
    stream.write_u32_le(bytes.len() as u32).await?;
    stream.write_all(bytes).await?;
    stream.flush().await
}

async fn read(stream: &mut BufStream<TcpStream>) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; stream.read_u32_le().await? as usize];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

impl Peer {
    async fn exchange(&mut self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        let stream = match &mut self.connection {
            Some(stream) => stream,
            None => {
                let address = self.address.ok_or_else(|| io::Error::other("nobody knows where it is"))?;
                let stream = TcpStream::connect(address).await?;
                stream.set_nodelay(true)?;
                self.connection.insert(BufStream::new(stream))
            }
        };
        write(stream, bytes).await?;
        read(stream).await
    }

    async fn ask<T, E>(&mut self, request: &Request) -> Result<T, Failed<E>>
    where
        T: DeserializeOwned,
        E: std::error::Error + DeserializeOwned,
    {
        let bytes = postcard::to_stdvec(request).map_err(|error| NetworkError::new(&error))?;
        let answer = self.exchange(&bytes).await.map_err(|error| {
            self.connection = None;
            Unreachable::new(&error)
        })?;
        let answer: Result<T, E> =
            postcard::from_bytes(&answer).map_err(|error| NetworkError::new(&error))?;
        answer.map_err(|error| RemoteError::new(self.id, error).into())
    }
}

impl RaftNetwork<TypeConfig> for Peer {
    async fn append_entries(
        &mut self,
        request: AppendEntriesRequest<TypeConfig>,
        _: RPCOption,
    ) -> Result<AppendEntriesResponse<u64>, Failed> {
        self.ask(&Request::Append(request)).await
    }

    async fn install_snapshot(
        &mut self,
        request: InstallSnapshotRequest<TypeConfig>,
        _: RPCOption,
    ) -> Result<InstallSnapshotResponse<u64>, Failed<RaftError<u64, InstallSnapshotError>>> {
        self.ask(&Request::Snapshot(request)).await
    }

    async fn vote(&mut self, request: VoteRequest<u64>, _: RPCOption) -> Result<VoteResponse<u64>, Failed> {
        self.ask(&Request::Vote(request)).await
    }
}

/// Answers what other nodes ask.
pub async fn serve(listener: TcpListener, raft: Raft) -> io::Result<()> {
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let raft = raft.clone();
        tokio::spawn(async move { answer(BufStream::new(stream), raft).await });
    }
}

async fn answer(mut stream: BufStream<TcpStream>, raft: Raft) -> io::Result<()> {
    loop {
        let request = postcard::from_bytes(&read(&mut stream).await?).map_err(io::Error::other)?;
        let answer = match request {
            Request::Append(request) => postcard::to_stdvec(&raft.append_entries(request).await),
            Request::Vote(request) => postcard::to_stdvec(&raft.vote(request).await),
            Request::Snapshot(request) => postcard::to_stdvec(&raft.install_snapshot(request).await),
        };
        write(&mut stream, &answer.map_err(io::Error::other)?).await?;
    }
}
