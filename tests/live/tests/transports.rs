//! The same clerks over TCP, TLS and QUIC; and who gets nothing where certificates are asked for: strangers, the expired, the wrongly
//! named.

use std::path::{Path, PathBuf};
use std::time::Duration;

use foresee::Host;
use foresee::live::{Limits, Transport};
use live_tests::certs::Authority;
use live_tests::desk::Desk;
use live_tests::{Node, acquaint, clerk, id, limits, line, soon, told, until};

/// A host that carries its connections so.
async fn host(index: u32, transport: Transport, limits: Limits) -> Host {
    let builder = Host::bind("127.0.0.1:0").id(id(index)).seed(7).limits(limits).volatile();
    builder.transport(transport).open().await.expect("it opens")
}

async fn clerks(count: u32, transport: impl Fn(u32) -> Transport) -> Vec<Node> {
    let mut nodes = Vec::new();
    for index in 0..count {
        nodes.push(clerk(host(index, transport(index), limits()).await).await);
    }
    acquaint(&nodes);
    nodes
}

/// What a transport has to do: both ways, by every carrier, long messages, a break that is told and a connection after it.
async fn does_everything(transport: impl Fn(u32) -> Transport) {
    let mut nodes = clerks(3, &transport).await;
    assert!(soon("a round trip", nodes[0].desk.round_trip(id(1))).await.is_ok());
    assert!(soon("a round trip", nodes[1].desk.round_trip(id(0))).await.is_ok());
    // More than any buffer on the way holds, and in order.
    for number in 0..20 {
        let text = format!("{number} {}", "x".repeat(200_000));
        nodes[0].desk.tell(id(2), text).await.expect("it is sent");
    }
    for number in 0..20 {
        let said = told(&mut nodes[2].told, "a long message", line).await;
        assert!(said.starts_with(&format!("{number} ")) && said.len() > 200_000, "{}", &said[..10]);
    }
    nodes[1].desk.shout(id(0), "a datagram".into()).await.expect("it is sent");
    assert_eq!(told(&mut nodes[0].told, "a datagram", line).await, "a datagram");
    // Both at once make one connection.
    let both = async { tokio::join!(nodes[1].desk.round_trip(id(2)), nodes[2].desk.round_trip(id(1))) };
    let (one, other) = soon("both", both).await;
    assert!(one.is_ok() && other.is_ok());
    // What is said right before the end arrives, and then the break.
    nodes[2].desk.tell(id(0), "farewell".into()).await.expect("it is sent");
    assert_eq!(told(&mut nodes[0].told, "the last message", line).await, "farewell");
    let gone = nodes.pop().expect("there are three");
    let address = gone.host.address();
    soon("the end", gone.host.shutdown()).await;
    assert_eq!(told(&mut nodes[0].told, "the break", line).await, "broke 2");
    // Another life at the same place.
    let builder = Host::bind(address.to_string()).id(id(2)).seed(7).limits(limits()).volatile();
    let again = builder.transport(transport(2)).open().await.expect("the port is free again");
    nodes.push(clerk(again).await);
    acquaint(&nodes);
    assert!(soon("a round trip", nodes[0].desk.round_trip(id(2))).await.is_ok());
    for node in &nodes {
        let meter = node.host.meter();
        for reason in ["not trusted", "wrong certificate", "noise", "stranger", "malformed", "cut"] {
            assert_eq!(meter.refused(reason), 0, "{reason}");
        }
    }
}

#[tokio::test]
async fn tcp_does_everything() {
    does_everything(|_| Transport::Tcp).await;
}

#[tokio::test]
async fn tls_does_everything() {
    let certs = Authority::new().folder(3);
    does_everything(|_| Transport::Tls(certs.path().to_owned())).await;
}

#[tokio::test]
async fn quic_does_everything() {
    let certs = Authority::new().folder(3);
    does_everything(|_| Transport::Quic(certs.path().to_owned())).await;
}

type Make = fn(PathBuf) -> Transport;

const SECRET: [Make; 2] = [Transport::Tls, Transport::Quic];

/// Node 0 has what it should. Node 1 has what is in `folder`: neither gets through to the other, and both go on with node 2.
async fn gets_nothing(make: Make, good: &Path, folder: &Path, counted: [&str; 2]) {
    let mut nodes = clerks(3, |index| make(if index == 1 { folder } else { good }.to_owned())).await;
    let refused = |node: &Node| counted.iter().map(|reason| node.host.meter().refused(reason)).sum::<u64>();
    nodes[1].desk.tell(id(0), "let me in".into()).await.expect("it is taken");
    assert_eq!(told(&mut nodes[1].told, "the break", line).await, "broke 0");
    until("it is counted", || refused(&nodes[0]) > 0).await;
    nodes[0].desk.tell(id(1), "a secret".into()).await.expect("it is taken");
    assert_eq!(told(&mut nodes[0].told, "the break", line).await, "broke 1");
    // Nothing came through on either side, and nobody else is harmed.
    assert_eq!([&nodes[0], &nodes[1]].map(|node| node.host.meter().messages().1), [0, 0]);
    assert!(soon("a round trip", nodes[0].desk.round_trip(id(2))).await.is_ok());
    assert!(soon("a round trip", nodes[2].desk.round_trip(id(0))).await.is_ok());
}

#[tokio::test]
async fn a_stranger_gets_nothing() {
    let good = Authority::new().folder(3);
    // Another authority, with the same names.
    let bad = Authority::new().folder(3);
    for make in SECRET {
        gets_nothing(make, good.path(), bad.path(), ["not trusted", "wrong certificate"]).await;
    }
}

#[tokio::test]
async fn an_expired_certificate_gets_nothing() {
    let authority = Authority::new();
    let (good, bad) = (authority.folder(3), authority.folder(0));
    authority.expired(bad.path(), 1);
    for make in SECRET {
        gets_nothing(make, good.path(), bad.path(), ["not trusted", "wrong certificate"]).await;
    }
}

/// A node that has the key of another, and says that it is who it is not.
#[tokio::test]
async fn a_wrongly_named_certificate_gets_nothing() {
    let authority = Authority::new();
    let (good, bad) = (authority.folder(4), authority.folder(0));
    // Also one that is good for nodes 1 and 3 would be taken for 1, so it has to be of 3 alone; the host does not even start.
    authority.named(bad.path(), 1, &["node-3.foresee"]);
    for make in SECRET {
        let builder = Host::bind("127.0.0.1:0").id(id(1)).volatile().transport(make(bad.path().to_owned()));
        let error = builder.open().await.expect_err("it is not of this node").to_string();
        assert!(error.contains("node-1.pem: it is not of `node-1.foresee`"), "{error}");
    }
    // So it comes as node 3, which it may, to a peer that believes node 1 to be there; and says in its hello that it is node 1.
    for make in SECRET {
        let nodes = clerks(2, |_| make(good.path().to_owned())).await;
        let impostor = clerk(host(3, make(good.path().to_owned()), limits()).await).await;
        nodes[0].host.add_peer(id(1), impostor.host.address());
        nodes[0].desk.tell(id(1), "a secret".into()).await.expect("it is taken");
        until("it is counted", || nodes[0].host.meter().refused("wrong certificate") > 0).await;
        assert_eq!(impostor.host.meter().messages().1, 0);
    }
}

/// Whoever speaks the protocol under a name that its certificate does not have.
#[tokio::test]
async fn a_hello_that_is_not_the_certificates_gets_nothing() {
    let authority = Authority::new();
    let certs = authority.folder(3);
    let nodes = clerks(2, |_| Transport::Tls(certs.path().to_owned())).await;
    let meter = nodes[1].host.meter();
    for (from, welcome) in [(0, false), (2, true), (1, false)] {
        nodes[1].host.add_peer(id(2), "127.0.0.1:1".parse().expect("an address"));
        let before = meter.refused("wrong certificate");
        let answer = soon("an answer", authority.hello(2, nodes[1].host.address(), from, 1)).await;
        assert_eq!(answer.first() == Some(&0), welcome, "{from}: {answer:?}");
        if !welcome {
            let said = String::from_utf8_lossy(&answer).into_owned();
            assert!(said.contains(&format!("its certificate is not that of node {from}")), "{said}");
            until("it is counted", || meter.refused("wrong certificate") == before + 1).await;
        }
    }
}

#[tokio::test]
async fn certificates_that_cannot_be_used_are_named() {
    let authority = Authority::new();
    let empty = tempfile::tempdir().expect("a folder");
    let (broken, swapped) = (authority.folder(1), authority.folder(2));
    std::fs::write(broken.path().join("node-0.pem"), "no certificate\n").expect("it is written");
    std::fs::copy(swapped.path().join("node-1.key"), swapped.path().join("node-0.key"))
        .expect("it is copied");
    for (folder, said) in [
        (empty.path(), "authority.pem"),
        (broken.path(), "node-0.pem: there is no certificate in it"),
        (swapped.path(), "node-0.pem: it cannot be used"),
    ] {
        for make in SECRET {
            let builder = Host::bind("127.0.0.1:0").id(id(0)).transport(make(folder.to_owned())).volatile();
            let error = builder.open().await.expect_err("it cannot be used").to_string();
            assert!(error.contains(said) && error.contains("`foresee certs` makes it"), "{error}");
        }
    }
}

/// Peers by the names that the system knows, with the number in the port; one comes that nobody spoke of at the start.
#[tokio::test]
async fn peers_are_found_by_name_and_more_than_at_the_start() {
    let eager = Limits { resolve: Duration::from_millis(50), ..limits() };
    // Ports that differ in their last digit, and were free a moment ago.
    let free = |port: u16| std::net::TcpListener::bind(("127.0.0.1", port)).is_ok();
    let base = (2_000..3_200).map(|it| it * 10).find(|base| (0..3).all(|node| free(base + node)));
    let base = base.expect("three free ports in a row");
    let pattern = format!("localhost:{}{{}}", base / 10);
    let host = async |index: u16| {
        let builder = Host::bind(format!("127.0.0.1:{}", base + index)).limits(eager.clone()).volatile();
        let dns = foresee::live::Dns::new(pattern.clone(), 2);
        clerk(builder.id(id(index.into())).seed(7).peers(dns).open().await.expect("it opens")).await
    };
    let nodes = [host(0).await, host(1).await];
    assert!(soon("a round trip", nodes[0].desk.round_trip(id(1))).await.is_ok());
    // Every port has a name, so more are known than there are; that they are beyond the start is what matters.
    let late = host(2).await;
    assert!(nodes[0].host.peers().contains(&id(2)));
    assert!(soon("a round trip", late.desk.round_trip(id(0))).await.is_ok());
    assert!(soon("a round trip", nodes[1].desk.round_trip(id(2))).await.is_ok());
    // And through the program, far beyond.
    let far = Host::bind("127.0.0.1:0").id(id(1_000_000)).limits(limits()).volatile().open().await;
    let far = clerk(far.expect("it opens")).await;
    far.host.add_peer(id(0), nodes[0].host.address());
    nodes[0].host.add_peer(far.host.me(), far.host.address());
    assert!(soon("a round trip", far.desk.round_trip(id(0))).await.is_ok());
    assert!(soon("a round trip", nodes[0].desk.round_trip(far.host.me())).await.is_ok());
}
