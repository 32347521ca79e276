//! Hostile input on the ports of a host: refused, said, counted; peers are unharmed.

use std::net::SocketAddr;
use std::time::Duration;

use live_tests::desk::Desk;
use live_tests::desk::desk::Upcall;
use live_tests::{clerks, framed, heard, hello, id, limits, noise, send, soon, told, unharmed, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

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
