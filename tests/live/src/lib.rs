//! What the tests of the live driver share: generated modules, hosts on free ports of the loopback, waiting with an end.

pub mod certs;
pub mod process;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use foresee::Host;
use foresee::kernel::NodeId;
use foresee::live::{Limits, Transport, Upcalls};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

foresee::include_spec!("desk");
foresee::include_spec!("desk_next");
foresee::include_spec!("ledger");

/// The longest that any wait of a test takes.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// The handle of a clerk.
pub type Handle = desk::clerk::Handle;

/// What a clerk tells.
pub type Told = Upcalls<desk::desk::Upcall>;

/// A host with a clerk.
#[allow(missing_debug_implementations, reason = "handles have no form for people")]
pub struct Node {
    /// The host.
    pub host: Host,
    /// The clerk.
    pub desk: Handle,
    /// What it tells.
    pub told: Told,
}

/// Bounds that let a test see soon what would take long in a cluster.
pub fn limits() -> Limits {
    Limits {
        patience: Duration::from_millis(600),
        handshake: Duration::from_millis(500),
        keep_alive: Duration::from_millis(300),
        ..Limits::default()
    }
}

/// The id at `index`.
pub fn id(index: u32) -> NodeId {
    NodeId::new(index)
}

/// A host on a free port, without durable state.
pub async fn host(index: u32, limits: Limits) -> Host {
    let builder = Host::bind("127.0.0.1:0").id(id(index)).seed(7).limits(limits).volatile();
    builder.open().await.expect("it opens")
}

/// A clerk on a host.
pub async fn clerk(host: Host) -> Node {
    let (desk, told) = host.start(desk::Clerk::new()).await.expect("it starts");
    Node { host, desk, told }
}

/// Clerks that know each other.
pub async fn clerks(count: u32, limits: Limits) -> Vec<Node> {
    let mut nodes = Vec::new();
    for index in 0..count {
        nodes.push(clerk(host(index, limits.clone()).await).await);
    }
    acquaint(&nodes);
    nodes
}

/// Clerks that know each other, with a transport each.
pub async fn proven(count: u32, transport: impl Fn(u32) -> Transport, limits: &Limits) -> Vec<Node> {
    let mut nodes = Vec::new();
    for index in 0..count {
        let builder = Host::bind("127.0.0.1:0").id(id(index)).seed(7).limits(limits.clone()).volatile();
        nodes.push(clerk(builder.transport(transport(index)).open().await.expect("it opens")).await);
    }
    acquaint(&nodes);
    nodes
}

/// The first two of some nodes still talk, both ways.
pub async fn talk(nodes: &[Node]) {
    use desk::Desk;
    assert!(soon("a round trip", nodes[0].desk.round_trip(id(1))).await.is_ok());
    assert!(soon("a round trip", nodes[1].desk.round_trip(id(0))).await.is_ok());
}

/// Makes nodes known to each other.
pub fn acquaint(nodes: &[Node]) {
    for one in nodes {
        for other in nodes {
            one.host.add_peer(other.host.me(), other.host.address());
        }
    }
}

/// A clerk with durable state in `folder`, at `address`, that knows `peers`.
pub async fn kept(
    index: u32,
    address: SocketAddr,
    folder: &Path,
    peers: BTreeMap<NodeId, SocketAddr>,
) -> Result<Node, foresee::live::Error> {
    let builder = Host::bind(address.to_string()).id(id(index)).seed(7).limits(limits()).peers(peers);
    Ok(clerk(builder.data(folder).open().await?).await)
}

/// What `future` comes to; a test that waits longer fails.
pub async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("{what} did not happen within {PATIENCE:?}"),
    }
}

/// The next upcall of the kind that `pick` takes.
pub async fn told<T>(told: &mut Told, what: &str, pick: impl Fn(desk::desk::Upcall) -> Option<T>) -> T {
    soon(what, async {
        loop {
            let upcall = told.next().await.expect("the service runs");
            if let Some(found) = pick(upcall) {
                return found;
            }
        }
    })
    .await
}

/// Waits until `holds`.
pub async fn until(what: &str, holds: impl Fn() -> bool) {
    soon(what, async {
        while !holds() {
            let mut pause = tokio::time::interval(Duration::from_millis(10));
            pause.tick().await;
            pause.tick().await;
        }
    })
    .await;
}

/// The text that a clerk heard.
pub fn heard(upcall: desk::desk::Upcall) -> Option<String> {
    match upcall {
        desk::desk::Upcall::Heard { text, .. } => Some(text),
        _ => None,
    }
}

/// The first two of some nodes still talk, by every carrier.
pub async fn unharmed(nodes: &mut [Node]) {
    use desk::Desk;
    assert!(soon("a round trip", nodes[0].desk.round_trip(id(1))).await.is_ok());
    nodes[0].desk.shout(id(1), "still here".into()).await.expect("it is sent");
    // Others may have said something as well.
    let ours = |upcall| heard(upcall).filter(|text| text == "still here");
    told(&mut nodes[1].told, "a datagram", ours).await;
}

/// What a clerk was sent, or the break that it was told of, as a line.
pub fn line(upcall: desk::desk::Upcall) -> Option<String> {
    match upcall {
        desk::desk::Upcall::Heard { text, .. } => Some(text),
        desk::desk::Upcall::Broke { peer } => Some(format!("broke {}", peer.index())),
        _ => None,
    }
}

/// Bytes as a frame, with their length before them.
pub fn framed(bytes: &[u8]) -> Vec<u8> {
    [&(bytes.len() as u32).to_be_bytes(), bytes].concat()
}

/// The first frame of a connection, as the protocol of version 1 writes it.
pub fn hello(protocol: u8, wire: u64, service: &str, from: u8, to: u8) -> Vec<u8> {
    let mut bytes = vec![b'F', b'O', b'R', b'E', protocol];
    let mut rest = wire;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
    for text in [service, "net"] {
        bytes.push(text.len() as u8);
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes.extend_from_slice(&[from, to, 1, 0]);
    framed(&bytes)
}

/// A stream of bytes that looks like nothing.
pub fn noise(length: usize) -> Vec<u8> {
    let mut word = 0x9E37_79B9_7F4A_7C15_u64;
    let next = || {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        word as u8
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// Sends bytes to a port, and reads until the other end closes.
pub async fn send(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    // It may be closed before all is sent.
    let _ = stream.write_all(bytes).await;
    let mut answer = Vec::new();
    let _ = soon("the end", stream.read_to_end(&mut answer)).await;
    answer
}
