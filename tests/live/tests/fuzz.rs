//! Fuzzing of every port that a host has for its peers: what was right once, spoilt. It is refused and counted, and nobody is harmed.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use foresee::Host;
use foresee::live::{Meter, Transport};
use foresee::net::{Draw, Purpose, Stream};
use live_tests::certs::Authority;
use live_tests::desk::Desk;
use live_tests::{Node, clerk, clerks, framed, hello, id, limits, noise, proven, soon, talk, unharmed};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket};
use tokio::time::Instant;
use xxhash_rust::xxh3::xxh3_64;

/// How long one port is fuzzed where it is for long: three of them make ten minutes.
const LONG: Duration = Duration::from_secs(200);

/// So often it is asked whether all is well.
const EACH: u64 = 50;

/// Rounds up to a number, or a time.
#[derive(Clone, Copy)]
enum Until {
    Round(u64),
    Time(Instant),
}

impl Until {
    fn goes_on(self, round: u64) -> bool {
        match self {
            Until::Round(most) => round < most,
            Until::Time(end) => Instant::now() < end,
        }
    }

    fn long() -> Self {
        Until::Time(Instant::now() + LONG)
    }
}

/// `bytes` with something wrong: a byte changed, a piece left out, cut off, or noise after it.
fn spoilt(bytes: &[u8], draws: &mut Stream) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=draws.below(3) {
        let at = draws.below(bytes.len() as u64 + 1) as usize;
        match draws.below(4) {
            0 if at < bytes.len() => bytes[at] ^= 1 << draws.below(8),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 => bytes.truncate(at),
            _ => bytes.extend_from_slice(&noise(draws.below(40) as usize + 1)[..]),
        }
    }
    bytes
}

/// Two messages and a frame without any.
fn frames() -> Vec<u8> {
    [framed(&[0, 0, 0, 2, b'h', b'i']), framed(&[0, 0, 1, 9]), framed(&[])].concat()
}

fn draws(round: u64) -> Stream {
    Stream::new(3, Purpose(220), (0, 0), round)
}

/// No service fell, something came through, and at least so many rounds were refused, for one of these reasons.
fn refused(node: &Node, rounds: u64, least: u64, reasons: &[&'static str]) {
    let meter: &Meter = node.host.meter();
    assert!(node.host.down().is_empty() && meter.restarts() == 0);
    let refused: u64 = reasons.iter().map(|reason| meter.refused(reason)).sum();
    assert!(meter.messages().1 > rounds / EACH, "nothing comes through");
    assert!(refused > least, "only {refused} of {rounds} rounds were refused");
}

/// A peer gone mad: handshakes, frames and datagrams that were right once.
async fn plain(until: Until) {
    let mut nodes = clerks(2, limits()).await;
    let address = nodes[1].host.address();
    let wire = live_tests::desk::WIRE.hash;
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    nodes[1].host.add_peer(id(5), socket.local_addr().expect("it has one"));
    // The clerk's carrier of datagrams, by the number that stands for it.
    let key = (xxh3_64(b"Clerk\0air\x001") as u32).to_be_bytes();
    let mut round = 0;
    while until.goes_on(round) {
        let mut draws = draws(round);
        let hello = hello(1, wire, "Clerk", 5, 1);
        let bytes = match draws.below(2) {
            0 => spoilt(&[hello, frames()].concat(), &mut draws),
            _ => [hello, spoilt(&frames(), &mut draws)].concat(),
        };
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let mut datagram = vec![b'F', b'O', b'R', b'E', 0, 1];
        datagram.extend_from_slice(&key);
        datagram.extend_from_slice(&wire.to_be_bytes());
        datagram.extend_from_slice(&[0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 3, 2, b'h', b'i']);
        let _ = socket.send_to(&spoilt(&datagram, &mut draws), address).await;
        round += 1;
        if round % EACH == 0 {
            // Its own upcalls are taken, and it still does what it should.
            unharmed(&mut nodes).await;
        }
    }
    let reasons =
        ["noise", "version", "stranger", "wrong service", "other types", "malformed", "cut", "oversized"];
    refused(&nodes[1], round, round / 2, &reasons);
}

/// A host that has its certificate and says something to node 1, which it looks for at `address`.
async fn caller(certs: &Path, transport: fn(std::path::PathBuf) -> Transport, address: SocketAddr) -> Node {
    let builder = Host::bind("127.0.0.1:0").id(id(2)).limits(limits()).volatile();
    let caller = clerk(builder.transport(transport(certs.to_owned())).open().await.expect("it opens")).await;
    caller.host.add_peer(id(1), address);
    let _ = caller.desk.tell(id(1), "hello".into()).await;
    caller
}

/// How a handshake of TLS begins, spoilt; and a peer gone mad behind one that is right.
async fn behind_tls(until: Until) {
    let authority = Authority::new();
    let certs = authority.folder(3);
    let nodes = proven(2, |_| Transport::Tls(certs.path().to_owned()), &limits()).await;
    let (address, wire) = (nodes[1].host.address(), live_tests::desk::WIRE.hash);
    let ear = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let caller = caller(certs.path(), Transport::Tls, ear.local_addr().expect("it has one")).await;
    let (mut stream, _) = soon("the call", ear.accept()).await.expect("it comes");
    let mut opening = vec![0; 4096];
    let length = soon("the opening", stream.read(&mut opening)).await.expect("it comes");
    opening.truncate(length);
    caller.host.shutdown().await;
    let mut round = 0;
    while until.goes_on(round) {
        let mut draws = draws(round);
        match draws.below(2) {
            0 => {
                let mut stream = TcpStream::connect(address).await.expect("it listens");
                let _ = stream.write_all(&spoilt(&opening, &mut draws)).await;
                let _ = stream.shutdown().await;
            }
            _ => {
                let mut stream = authority.connect(2, address, 1).await;
                let bytes = [hello(1, wire, "Clerk", 2, 1), spoilt(&frames(), &mut draws)].concat();
                let _ = stream.write_all(&bytes).await;
                let _ = stream.shutdown().await;
            }
        }
        round += 1;
        if round % EACH == 0 {
            talk(&nodes).await;
        }
    }
    // What is spoilt behind a handshake may still be whole frames.
    let reasons = ["not trusted", "half open", "malformed", "cut", "oversized"];
    refused(&nodes[1], round, round / 4, &reasons);
}

/// The first packets of connections by QUIC, spoilt.
async fn before_quic(until: Until) {
    let certs = Authority::new().folder(3);
    let nodes = proven(2, |_| Transport::Quic(certs.path().to_owned()), &limits()).await;
    let address = nodes[1].host.address();
    let ear = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let caller = caller(certs.path(), Transport::Quic, ear.local_addr().expect("it has one")).await;
    // The opening, and what is sent again where nobody answers.
    let (mut packets, mut patience) = (Vec::new(), Duration::from_secs(20));
    let mut bytes = vec![0; 65_536];
    while let Ok(came) = tokio::time::timeout(patience, ear.recv_from(&mut bytes)).await {
        let (length, _) = came.expect("it comes");
        packets.push(bytes[..length].to_vec());
        patience = Duration::from_millis(300);
        if packets.len() == 6 {
            break;
        }
    }
    assert!(!packets.is_empty(), "nobody calls");
    caller.host.shutdown().await;
    let mut round = 0;
    while until.goes_on(round) {
        let mut draws = draws(round);
        for packet in &packets {
            let _ = ear.send_to(&spoilt(packet, &mut draws), address).await;
        }
        round += 1;
        if round % EACH == 0 {
            talk(&nodes).await;
        }
    }
    assert!(nodes[1].host.down().is_empty() && nodes[1].host.meter().restarts() == 0);
    assert!(nodes[1].host.meter().messages().1 > round / EACH, "nothing comes through");
}

#[tokio::test]
async fn a_peer_gone_mad_harms_nobody() {
    plain(Until::Round(300)).await;
}

#[tokio::test]
async fn a_peer_gone_mad_behind_tls_harms_nobody() {
    behind_tls(Until::Round(100)).await;
}

#[tokio::test]
async fn spoilt_packets_of_quic_harm_nobody() {
    before_quic(Until::Round(300)).await;
}

#[tokio::test]
#[ignore = "long: a third of ten minutes of fuzzing"]
async fn a_peer_gone_mad_for_long_harms_nobody() {
    plain(Until::long()).await;
}

#[tokio::test]
#[ignore = "long: a third of ten minutes of fuzzing"]
async fn a_peer_gone_mad_behind_tls_for_long_harms_nobody() {
    behind_tls(Until::long()).await;
}

#[tokio::test]
#[ignore = "long: a third of ten minutes of fuzzing"]
async fn spoilt_packets_of_quic_for_long_harm_nobody() {
    before_quic(Until::long()).await;
}
