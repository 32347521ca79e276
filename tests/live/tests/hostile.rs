//! Hostile input on the ports of a host: refused, said, counted; peers are unharmed.

use std::net::SocketAddr;
use std::time::Duration;

use foresee::net::{Draw, Purpose, Stream};
use live_tests::desk::Desk;
use live_tests::desk::desk::Upcall;
use live_tests::{Node, clerks, framed, hello, id, limits, noise, send, soon, told, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};
use xxhash_rust::xxh3::xxh3_64;

fn heard(upcall: Upcall) -> Option<String> {
    match upcall {
        Upcall::Heard { text, .. } => Some(text),
        _ => None,
    }
}

/// The peers still talk, by every carrier.
async fn unharmed(nodes: &mut [Node]) {
    assert_eq!(soon("a round trip", nodes[0].desk.round_trip(id(1))).await.map(|_| ()), Ok(()));
    nodes[0].desk.shout(id(1), "still here".into()).await.expect("it is sent");
    // Others may have said something as well.
    let ours = |upcall| heard(upcall).filter(|text| text == "still here");
    told(&mut nodes[1].told, "a datagram", ours).await;
}

#[tokio::test]
async fn connections_that_are_no_peers_are_refused() {
    let mut nodes = clerks(2, limits()).await;
    let address = nodes[1].host.address();
    let meter = nodes[1].host.meter().clone();
    let wire = live_tests::desk::WIRE.hash;
    unharmed(&mut nodes).await;

    send(address, &noise(512 << 10)).await;
    assert_eq!(meter.refused("noise"), 1, "half a megabyte of noise");
    send(address, &[0xff; 4]).await;
    assert_eq!(meter.refused("noise"), 2, "a first frame of four gigabytes");
    send(address, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(meter.refused("noise"), 3, "a browser");
    let mut cut = TcpStream::connect(address).await.expect("it listens");
    cut.write_all(&hello(1, wire, "Clerk", 0, 1)[..9]).await.expect("it is sent");
    drop(cut);
    until("a cut handshake is refused", || meter.refused("noise") == 4).await;
    for (hello, counted, said) in [
        (hello(2, wire, "Clerk", 0, 1), "version", "the protocol is version 2, here it is 1"),
        (hello(1, wire ^ 1, "Clerk", 0, 1), "other types", "its messages are of other types"),
        (hello(1, wire, "Clark", 0, 1), "wrong service", "there is no service `Clark` here"),
        (hello(1, wire, "Clerk", 9, 1), "stranger", "node 9 is no peer"),
        (hello(1, wire, "Clerk", 1, 1), "stranger", "node 1 is no peer"),
        (hello(1, wire, "Clerk", 0, 4), "wrong node", "it wants node 4, this is 1"),
    ] {
        let before = meter.refused(counted);
        let answer = String::from_utf8_lossy(&send(address, &hello).await).into_owned();
        assert!(answer.contains(said), "{answer:?} does not say {said:?}");
        until("it is counted", || meter.refused(counted) == before + 1).await;
    }
    // One that says nothing is let go of.
    let mut silent = TcpStream::connect(address).await.expect("it listens");
    assert_eq!(soon("the end", silent.read(&mut [0; 8])).await.ok(), Some(0));
    until("it is counted", || meter.refused("half open") == 1).await;
    unharmed(&mut nodes).await;
}

/// Comes in as node 0, which has no connection yet, and sends `bytes`.
async fn as_peer(address: SocketAddr, wire: u64, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(&hello(1, wire, "Clerk", 0, 1)).await.expect("it is sent");
    let length = soon("a welcome", stream.read_u32()).await.expect("it is answered") as usize;
    let mut answer = vec![0; length];
    stream.read_exact(&mut answer).await.expect("it is answered");
    assert_eq!(answer[0], 0, "it is welcome");
    stream.write_all(bytes).await.expect("it is sent");
    stream
}

#[tokio::test]
async fn frames_that_are_no_messages_end_their_connection_alone() {
    let mut nodes = clerks(3, limits()).await;
    let address = nodes[1].host.address();
    let meter = nodes[1].host.meter().clone();
    let wire = live_tests::desk::WIRE.hash;
    nodes[2].desk.tell(id(1), "from two".into()).await.expect("it is sent");
    assert_eq!(told(&mut nodes[1].told, "a message", heard).await, "from two");
    let broke = |upcall| match upcall {
        Upcall::Broke { peer } => Some(peer.index()),
        _ => None,
    };
    for (bytes, counted) in [
        // A length of two gigabytes, of which nothing is allocated.
        (0x7fff_ffff_u32.to_be_bytes().to_vec(), "oversized"),
        (framed(&[7]), "malformed"),
        // A type that is not in the table.
        (framed(&[0, 99, 1, 2]), "malformed"),
        // A text whose length is a lie.
        (framed(&[0, 0, 0, 0xff, 0xff, 0xff, 0x7f]), "malformed"),
        // A message with something after it.
        (framed(&[0, 0, 0, 1, b'x', 9]), "malformed"),
    ] {
        let before = meter.refused(counted);
        let mut stream = as_peer(address, wire, &bytes).await;
        let mut rest = Vec::new();
        let _ = soon("the end", stream.read_to_end(&mut rest)).await;
        assert_eq!(meter.refused(counted), before + 1, "{bytes:?}");
        assert_eq!(told(&mut nodes[1].told, "the break", broke).await, 0);
    }
    let mut stream = as_peer(address, wire, &framed(&[0; 100])[..50]).await;
    stream.shutdown().await.expect("it is closed");
    assert_eq!(told(&mut nodes[1].told, "the break", broke).await, 0);
    assert_eq!(meter.refused("cut"), 1);
    // A whole message is one.
    let good = framed(&[0, 0, 0, 2, b'h', b'i']);
    let _stream = as_peer(address, wire, &good).await;
    assert_eq!(told(&mut nodes[1].told, "a message", heard).await, "hi");
    nodes[2].desk.tell(id(1), "from two again".into()).await.expect("it is sent");
    assert_eq!(told(&mut nodes[1].told, "a message", heard).await, "from two again");
}

#[tokio::test]
async fn datagrams_of_strangers_are_refused() {
    let mut nodes = clerks(2, limits()).await;
    let (address, meter) = (nodes[1].host.address(), nodes[1].host.meter().clone());
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let head = |version: u8, from: u8| {
        let mut bytes = vec![b'F', b'O', b'R', b'E', 0, version, 0, 0, 0, 0];
        bytes.extend_from_slice(&live_tests::desk::WIRE.hash.to_be_bytes());
        bytes.extend_from_slice(&[0, 0, 0, from, 0, 0, 0, 1, 0, 0, 1, 2, b'h', b'i']);
        bytes
    };
    for (bytes, counted) in [
        (noise(60_000), "noise"),
        (vec![], "noise"),
        (head(2, 0), "version"),
        // It says it is from node 0, and comes from elsewhere.
        (head(1, 0), "stranger"),
        (head(1, 1), "stranger"),
    ] {
        let before = meter.refused(counted);
        socket.send_to(&bytes, address).await.expect("it is sent");
        until("it is counted", || meter.refused(counted) == before + 1).await;
    }
    unharmed(&mut nodes).await;
}

#[tokio::test]
async fn more_strangers_than_have_room_are_let_go() {
    let tight = foresee::live::Limits { handshakes: 16, handshake: Duration::from_secs(3), ..limits() };
    let mut nodes = clerks(2, tight).await;
    unharmed(&mut nodes).await;
    let (address, meter) = (nodes[1].host.address(), nodes[1].host.meter().clone());
    let mut held = Vec::new();
    for _ in 0..400 {
        held.push(TcpStream::connect(address).await.expect("it listens"));
    }
    until("all but 16 are let go", || meter.refused("too many connections") == 400 - 16).await;
    unharmed(&mut nodes).await;
    until("the others in time", || meter.refused("half open") == 16).await;
    unharmed(&mut nodes).await;
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

/// A peer gone mad: handshakes, frames and datagrams that were right once.
async fn fuzz(rounds: u64) {
    let mut nodes = clerks(2, limits()).await;
    let address = nodes[1].host.address();
    let wire = live_tests::desk::WIRE.hash;
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    nodes[1].host.add_peer(id(5), socket.local_addr().expect("it has one"));
    // The clerk's carrier of datagrams, by the number that stands for it.
    let key = (xxh3_64(b"Clerk\0air\x001") as u32).to_be_bytes();
    for round in 0..rounds {
        let mut draws = Stream::new(3, Purpose(220), (0, 0), round);
        let hello = hello(1, wire, "Clerk", 5, 1);
        let frames = [framed(&[0, 0, 0, 2, b'h', b'i']), framed(&[0, 0, 1, 9]), framed(&[])].concat();
        let bytes = match draws.below(2) {
            0 => spoilt(&[hello, frames].concat(), &mut draws),
            _ => [hello, spoilt(&frames, &mut draws)].concat(),
        };
        let mut stream = TcpStream::connect(address).await.expect("it listens");
        let _ = stream.write_all(&bytes).await;
        let _ = stream.shutdown().await;
        let mut datagram = vec![b'F', b'O', b'R', b'E', 0, 1];
        datagram.extend_from_slice(&key);
        datagram.extend_from_slice(&wire.to_be_bytes());
        datagram.extend_from_slice(&[0, 0, 0, 5, 0, 0, 0, 1, 0, 0, 3, 2, b'h', b'i']);
        let _ = socket.send_to(&spoilt(&datagram, &mut draws), address).await;
        if round % 50 == 49 {
            // Its own upcalls are taken, and it still does what it should.
            unharmed(&mut nodes).await;
        }
    }
    assert!(nodes[1].host.down().is_empty() && nodes[1].host.meter().restarts() == 0);
    let refused: u64 =
        ["noise", "version", "stranger", "wrong service", "other types", "malformed", "cut", "oversized"]
            .map(|reason| nodes[1].host.meter().refused(reason))
            .iter()
            .sum();
    assert!(nodes[1].host.meter().messages().1 > rounds / 50, "nothing comes through");
    assert!(refused > rounds / 2, "only {refused} of {rounds} rounds were refused");
}

#[tokio::test]
async fn a_peer_gone_mad_harms_nobody() {
    fuzz(300).await;
}

#[tokio::test]
#[ignore = "long: ten minutes of fuzzing"]
async fn a_peer_gone_mad_for_long_harms_nobody() {
    fuzz(200_000).await;
}
