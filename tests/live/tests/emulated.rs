//! A host that pretends to be far from its peers, over real sockets; and links that are cut.

use std::path::Path;
use std::time::Duration;

use foresee::Host;
use foresee::net::Topology;
use live_tests::desk::Desk;
use live_tests::{Node, acquaint, clerk, id, limits, line, soon, told, until};
use tokio::time::Instant;

/// How far apart the two sites are, one way.
const FAR: Duration = Duration::from_millis(150);

async fn far(index: u32, links: &Path) -> Node {
    let ms = FAR.as_secs_f64() * 1e3;
    let sites = vec!["a".to_owned(), "b".to_owned()];
    let topology = Topology::new(sites, &[vec![0.0, ms], vec![ms, 0.0]]).expect("it is sound");
    let builder = Host::bind("127.0.0.1:0").id(id(index)).seed(7).limits(limits()).volatile();
    clerk(builder.emulate(topology).links(links).open().await.expect("it opens")).await
}

async fn pair(links: &Path) -> Vec<Node> {
    let nodes = vec![far(0, links).await, far(1, links).await];
    acquaint(&nodes);
    nodes
}

#[tokio::test]
async fn messages_take_as_long_as_the_way_and_keep_their_order() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut nodes = pair(&folder.path().join("links.toml")).await;
    let began = Instant::now();
    for number in 0..50 {
        nodes[0].desk.tell(id(1), number.to_string()).await.expect("it is sent");
    }
    for number in 0..50 {
        assert_eq!(told(&mut nodes[1].told, "a message", line).await, number.to_string());
        assert!(began.elapsed() >= FAR, "{:?}", began.elapsed());
    }
    // There and back.
    let began = Instant::now();
    soon("the answer", nodes[0].desk.round_trip(id(1))).await.expect("it is answered");
    assert!(began.elapsed() >= 2 * FAR, "{:?}", began.elapsed());
    // Datagrams go the same way.
    let began = Instant::now();
    nodes[0].desk.shout(id(1), "loud".into()).await.expect("it is sent");
    assert_eq!(told(&mut nodes[1].told, "a datagram", line).await, "loud");
    assert!(began.elapsed() >= FAR, "{:?}", began.elapsed());
    assert_eq!(nodes[0].host.meter().emulated("arrives"), 52);
    // Word of an end does too.
    let dead = nodes.pop().expect("there are two");
    let began = Instant::now();
    dead.host.shutdown().await;
    assert_eq!(told(&mut nodes[0].told, "the break", line).await, "broke 1");
    assert!(began.elapsed() >= FAR, "{:?}", began.elapsed());
}

#[tokio::test]
async fn a_link_that_is_cut_swallows_all_and_breaks_when_it_was_silent_for_long() {
    let folder = tempfile::tempdir().expect("a folder");
    let links = folder.path().join("links.toml");
    let mut nodes = pair(&links).await;
    nodes[0].desk.tell(id(1), "before".into()).await.expect("it is sent");
    assert_eq!(told(&mut nodes[1].told, "a message", line).await, "before");
    let write = |version: u32, cut: &str| {
        std::fs::write(&links, format!("version = {version}\ncut = [{cut}]\n")).expect("it is written");
    };
    let shown =
        |nodes: &[Node], text: &str| nodes.iter().all(|node| node.host.meter().render().contains(text));
    // A short cut delays what is sent, and breaks nothing.
    write(1, "[\"1\"]");
    until("the cut", || shown(&nodes, "foresee_links_cut 1")).await;
    nodes[0].desk.tell(id(1), "held back".into()).await.expect("it is sent");
    nodes[0].desk.shout(id(1), "lost".into()).await.expect("it is sent");
    until("the datagram", || nodes[0].host.meter().dropped("link cut") == 1).await;
    write(2, "");
    assert_eq!(told(&mut nodes[1].told, "a message", line).await, "held back");
    assert!(shown(&nodes, "foresee_links_version 2"));
    // A long one breaks the connection, at both ends.
    write(3, "[\"0\"]");
    assert_eq!(told(&mut nodes[0].told, "the break", line).await, "broke 1");
    assert_eq!(told(&mut nodes[1].told, "the break", line).await, "broke 0");
    // Nobody is reached meanwhile.
    nodes[0].desk.tell(id(1), "nobody".into()).await.expect("it is sent");
    assert_eq!(told(&mut nodes[0].told, "another break", line).await, "broke 1");
    write(4, "");
    until("the heal", || shown(&nodes, "foresee_links_cut 0")).await;
    nodes[0].desk.tell(id(1), "after".into()).await.expect("it is sent");
    assert_eq!(told(&mut nodes[1].told, "a message", line).await, "after");
}
