//! Hostile input on every port that a host has, beyond what `hostile.rs` sends to the one of plain TCP: TLS, QUIC, pages; the slow, the
//! many, and those who say again what others said. Each is refused and counted, nobody else is harmed, and memory stays what it was.

use std::time::Duration;

use foresee::Host;
use foresee::live::{Limits, Transport};
use live_tests::certs::Authority;
use live_tests::desk::Desk;
use live_tests::{
    clerk, clerks, framed, hello, id, limits, line, noise, proven, send, soon, talk, told, until,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UdpSocket};

/// How much more memory the process may hold after an attack than before.
const MEMORY_BYTES: u64 = 48 << 20;

/// The memory that the process holds, where the system says so.
fn held() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok()).unwrap_or(0) << 10
}

#[tokio::test]
async fn what_is_no_tls_is_refused() {
    let certs = Authority::new().folder(2);
    let nodes = proven(2, |_| Transport::Tls(certs.path().to_owned()), &limits()).await;
    talk(&nodes).await;
    let (address, meter) = (nodes[1].host.address(), nodes[1].host.meter().clone());
    let wire = live_tests::desk::WIRE.hash;
    // Noise, a browser, and a peer that speaks plainly: it gets not even an answer that it could read.
    for bytes in [noise(512 << 10), b"GET / HTTP/1.1\r\n\r\n".to_vec(), hello(1, wire, "Clerk", 0, 1)] {
        let before = meter.refused("not trusted");
        let answer = send(address, &bytes).await;
        assert!(answer.first() != Some(&0), "{answer:?}");
        until("it is counted", || meter.refused("not trusted") == before + 1).await;
    }
    // The beginning of a handshake, and nothing more; and one byte at a time.
    let mut cut = TcpStream::connect(address).await.expect("it listens");
    cut.write_all(&[22, 3, 1, 2, 0, 1, 0, 1, 252]).await.expect("it is sent");
    let mut slow = TcpStream::connect(address).await.expect("it listens");
    let trickle = async {
        for byte in [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3].into_iter().cycle() {
            if slow.write_all(&[byte]).await.is_err() {
                return;
            }
            pause(40).await;
        }
    };
    soon("the slow one is let go", trickle).await;
    until("both are counted", || meter.refused("half open") == 2).await;
    talk(&nodes).await;
    // No datagram is taken beside connections.
    let socket = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let before = meter.messages().1;
    socket.send_to(&datagram(0, 1), address).await.expect("it is sent");
    talk(&nodes).await;
    // Of two round trips this node gets a question and an answer.
    assert_eq!(meter.messages().1, before + 2);
}

async fn pause(millis: u64) {
    let mut interval = tokio::time::interval(Duration::from_millis(millis));
    interval.tick().await;
    interval.tick().await;
}

#[tokio::test]
async fn what_is_no_quic_is_refused() {
    let authority = Authority::new();
    let (certs, strange) = (authority.folder(2), Authority::new().folder(3));
    let nodes = proven(2, |_| Transport::Quic(certs.path().to_owned()), &limits()).await;
    talk(&nodes).await;
    let (address, meter) = (nodes[1].host.address(), nodes[1].host.meter().clone());
    let (socket, before) = (UdpSocket::bind("127.0.0.1:0").await.expect("a port"), held());
    // Noise of every length, and noise that begins as the first packet of a connection does.
    for length in [0, 1, 20, 1200, 9000, 60_000] {
        for form in [0x00, 0x40, 0xc0, 0xff] {
            let mut bytes = noise(length);
            if let Some(first) = bytes.first_mut() {
                *first = form;
            }
            for _ in 0..50 {
                // A socket may have no room.
                let _ = socket.send_to(&bytes, address).await;
            }
        }
    }
    talk(&nodes).await;
    // Strangers by the dozen, who do not get beyond their certificates.
    let stranger = |index| {
        let transport = Transport::Quic(strange.path().to_owned());
        let builder = Host::bind("127.0.0.1:0").id(id(index)).limits(limits()).volatile();
        builder.transport(transport)
    };
    let stranger = clerk(stranger(2).open().await.expect("it opens")).await;
    stranger.host.add_peer(id(1), address);
    for _ in 0..12 {
        let _ = stranger.desk.tell(id(1), "let me in".into()).await;
        pause(30).await;
    }
    until("they are counted", || {
        meter.refused("not trusted") + stranger.host.meter().refused("wrong certificate") > 0
    })
    .await;
    talk(&nodes).await;
    assert_eq!(stranger.host.meter().messages().1, 0);
    assert!(held() < before + MEMORY_BYTES, "{} before, {} now", before, held());
}

/// A datagram as node `from` sends it to node `to`: "hi".
fn datagram(from: u8, to: u8) -> Vec<u8> {
    let key = (xxhash_rust::xxh3::xxh3_64(b"Clerk\0air\x001") as u32).to_be_bytes();
    let mut bytes = vec![b'F', b'O', b'R', b'E', 0, 1];
    bytes.extend_from_slice(&key);
    bytes.extend_from_slice(&live_tests::desk::WIRE.hash.to_be_bytes());
    bytes.extend_from_slice(&[0, 0, 0, from, 0, 0, 0, to, 0, 0, 3, 2, b'h', b'i']);
    bytes
}

#[tokio::test]
async fn datagrams_that_are_replayed_or_forged_are_refused() {
    let mut nodes = clerks(3, limits()).await;
    let (address, meter) = (nodes[1].host.address(), nodes[1].host.meter().clone());
    // What a peer's own port sends is taken: this one has sent nothing of the kind, and listens at the address of node 5.
    let peer = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    nodes[1].host.add_peer(id(5), peer.local_addr().expect("it has one"));
    let true_one = datagram(5, 1);
    peer.send_to(&true_one, address).await.expect("it is sent");
    assert_eq!(told(&mut nodes[1].told, "the datagram", line).await, "hi");
    // Somebody who heard it says it again, from elsewhere; and under other names, and to others.
    let thief = UdpSocket::bind("127.0.0.1:0").await.expect("a port");
    let received = meter.messages().1;
    for (bytes, counted) in [
        (true_one.clone(), "stranger"),
        (datagram(0, 1), "stranger"),
        (datagram(1, 1), "stranger"),
        (datagram(9, 1), "stranger"),
        (datagram(5, 2), "wrong node"),
    ] {
        let before = meter.refused(counted);
        thief.send_to(&bytes, address).await.expect("it is sent");
        until("it is counted", || meter.refused(counted) == before + 1).await;
    }
    assert_eq!(meter.messages().1, received, "nothing of it was taken");
    // From the peer's own address the same words again are what a network may do as well: one that doubles.
    peer.send_to(&true_one, address).await.expect("it is sent");
    assert_eq!(told(&mut nodes[1].told, "the datagram again", line).await, "hi");
    talk(&nodes).await;
}

#[tokio::test]
async fn slow_writers_and_readers_are_let_go() {
    let tight = Limits {
        keep_alive: Duration::from_millis(100),
        write: Duration::from_millis(400),
        queued_bytes: 4 << 20,
        ..limits()
    };
    let mut nodes = clerks(3, tight).await;
    let (address, meter) = (nodes[1].host.address(), nodes[1].host.meter().clone());
    let wire = live_tests::desk::WIRE.hash;
    // Nobody listens where node 5 is said to be: it comes by itself.
    nodes[1].host.add_peer(id(5), "127.0.0.1:1".parse().expect("an address"));
    // A hello, one byte at a time, for ever.
    let mut slow = TcpStream::connect(address).await.expect("it listens");
    let trickle = async {
        for byte in hello(1, wire, "Clerk", 5, 1) {
            if slow.write_all(&[byte]).await.is_err() {
                return;
            }
            pause(60).await;
        }
    };
    soon("it is let go", trickle).await;
    until("it is counted", || meter.refused("half open") == 1).await;
    // A frame of a megabyte of which a byte comes now and then: nothing is read into memory that was not sent, and silence ends it.
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    stream.write_all(&hello(1, wire, "Clerk", 5, 1)).await.expect("it is sent");
    stream.write_all(&(1_u32 << 20).to_be_bytes()).await.expect("it is sent");
    let trickle = async {
        while stream.write_all(&[0]).await.is_ok() {
            pause(60).await;
        }
    };
    soon("it is let go", trickle).await;
    assert_eq!(told(&mut nodes[1].told, "the break", line).await, "broke 5");
    // One that does not read: what waits for it is bounded, and it is let go.
    let before = held();
    let mut deaf = TcpStream::connect(address).await.expect("it listens");
    deaf.write_all(&hello(1, wire, "Clerk", 5, 1)).await.expect("it is sent");
    let mut welcome = [0; 4];
    soon("a welcome", deaf.read_exact(&mut welcome)).await.expect("it is answered");
    for _ in 0..200 {
        nodes[1].desk.tell(id(5), "x".repeat(1 << 20)).await.expect("it is taken");
    }
    assert_eq!(told(&mut nodes[1].told, "the break", line).await, "broke 5");
    assert!(meter.dropped("queue full") > 0 || meter.dropped("connection broke") > 0);
    assert!(held() < before + MEMORY_BYTES, "{before} before, {} now", held());
    assert!(soon("a round trip", nodes[1].desk.round_trip(id(2))).await.is_ok());
}

/// Ten thousand that come and say nothing, four hundred at a time.
#[tokio::test]
async fn thousands_of_half_open_connections_cost_nothing_that_stays() {
    let tight = Limits { handshakes: 32, handshake: Duration::from_millis(300), pages: 8, ..limits() };
    let nodes = clerks(2, tight).await;
    talk(&nodes).await;
    let (address, meter) = (nodes[1].host.address(), nodes[1].host.meter().clone());
    let before = held();
    for _ in 0..25 {
        let mut waiting = Vec::new();
        for _ in 0..400 {
            waiting.push(TcpStream::connect(address).await.expect("it listens"));
        }
    }
    let turned_away = || {
        ["too many connections", "half open", "noise"].iter().map(|reason| meter.refused(reason)).sum::<u64>()
    };
    until("all are turned away", || turned_away() == 10_000).await;
    talk(&nodes).await;
    assert!(held() < before + MEMORY_BYTES, "{before} before, {} now", held());
    let text = meter.render();
    let tasks = text.lines().find_map(|line| line.strip_prefix("foresee_tasks ")?.parse::<u64>().ok());
    // Listening, the service, a link or two.
    assert!(tasks.is_some_and(|tasks| tasks < 12), "{tasks:?}");
}

/// The pages are for anybody, and whoever asks badly gets nothing else.
#[tokio::test]
async fn pages_are_shown_to_some_for_a_while() {
    let tight = Limits { pages: 8, page: Duration::from_millis(700), ..limits() };
    let nodes = clerks(2, tight).await;
    let pages = nodes[1].host.observe("127.0.0.1:0").await.expect("it listens");
    let meter = nodes[1].host.meter().clone();
    let ask = b"GET /health HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let before = held();
    for bytes in [
        noise(512 << 10),
        [&b"GET /"[..], &b"x".repeat(1 << 20), b" HTTP/1.1\r\n\r\n"].concat(),
        [&b"GET / HTTP/1.1\r\n"[..], &b"a: b\r\n".repeat(100_000), b"\r\n"].concat(),
        b"POST /health HTTP/1.1\r\nhost: x\r\ncontent-length: 99999999999\r\nconnection: close\r\n\r\n"
            .to_vec(),
    ] {
        let answer = String::from_utf8_lossy(&send(pages, &bytes).await).into_owned();
        assert!(!answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
    assert!(String::from_utf8_lossy(&send(pages, ask).await).contains("Clerk: running"));
    // Those who ask nothing take the room that there is, and not for long.
    let mut waiting = Vec::new();
    for _ in 0..100 {
        waiting.push(TcpStream::connect(pages).await.expect("it listens"));
    }
    until("most are turned away", || meter.refused("too many connections") == 92).await;
    until("the others in time", || meter.refused("slow") >= 8).await;
    assert!(String::from_utf8_lossy(&send(pages, ask).await).contains("Clerk: running"));
    assert!(held() < before + MEMORY_BYTES, "{before} before, {} now", held());
    // A page that is as it should be is not refused: no frame of the protocol gets in through this door, nor a page through the other.
    let answer = send(pages, &framed(&[0, 0, 0, 2, b'h', b'i'])).await;
    assert!(!answer.starts_with(b"HTTP/1.1 200"));
    talk(&nodes).await;
}
