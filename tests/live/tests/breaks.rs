//! What a service learns of its peers' ends: breaks, once and in order, and durable state that outlives a process.

use std::collections::BTreeMap;
use std::time::Duration;

use live_tests::desk::Desk;
use live_tests::desk::desk::Upcall;
use live_tests::{Node, acquaint, clerk, clerks, host, id, kept, limits, line, soon, told};

#[tokio::test]
async fn a_peer_that_dies_is_told_of_once_after_what_it_sent() {
    let mut nodes = clerks(2, limits()).await;
    nodes[1].desk.tell(id(0), "first".into()).await.expect("it is sent");
    assert_eq!(told(&mut nodes[0].told, "a message", line).await, "first");
    let dead = nodes.pop().expect("there are two");
    dead.desk.tell(id(0), "last".into()).await.expect("it is sent");
    assert_eq!(told(&mut nodes[0].told, "a message", line).await, "last");
    let address = dead.host.address();
    dead.host.shutdown().await;
    assert_eq!(told(&mut nodes[0].told, "the break", line).await, "broke 1");
    // Nobody listens there: the next message breaks as well, once for all that wait with it.
    for _ in 0..3 {
        nodes[0].desk.tell(id(1), "lost".into()).await.expect("it is sent");
    }
    assert_eq!(told(&mut nodes[0].told, "another break", line).await, "broke 1");
    assert_eq!(nodes[0].host.meter().dropped("connection broke"), 3);
    // It comes back and is talked to as before.
    let builder = foresee::Host::bind(address.to_string()).id(id(1)).limits(limits()).volatile();
    let mut back = clerk(soon("the port", builder.open()).await.expect("it opens")).await;
    back.host.add_peer(id(0), nodes[0].host.address());
    nodes[0].desk.tell(id(1), "again".into()).await.expect("it is sent");
    assert_eq!(told(&mut back.told, "a message", line).await, "again");
    assert_eq!(nodes[0].host.meter().connections().1, 2, "two breaks, and no more");
}

#[tokio::test]
async fn a_peer_that_restarts_unseen_is_told_of_before_its_new_messages() {
    let mut nodes = clerks(2, limits()).await;
    nodes[0].desk.tell(id(1), "hello".into()).await.expect("it is sent");
    assert_eq!(told(&mut nodes[1].told, "a message", line).await, "hello");
    // The service starts again within its process: its connections end with it.
    let _ = nodes[1].desk.stumble().await;
    nodes[1].desk.tell(id(0), "reborn".into()).await.expect("it is sent");
    assert_eq!(told(&mut nodes[0].told, "the break", line).await, "broke 1");
    assert_eq!(told(&mut nodes[0].told, "a message", line).await, "reborn");
}

#[tokio::test]
async fn a_peer_whose_queue_is_full_is_broken_and_counted() {
    let tight = foresee::live::Limits { queued_bytes: 2 << 20, write: Duration::from_secs(2), ..limits() };
    let mut zero = clerk(host(0, tight).await).await;
    // Somebody listens and never reads.
    let deaf = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    zero.host.add_peer(id(1), deaf.local_addr().expect("it has one"));
    let big = "x".repeat(64 << 10);
    for _ in 0..64 {
        zero.desk.tell(id(1), big.clone()).await.expect("it is sent");
    }
    assert_eq!(told(&mut zero.told, "the break", line).await, "broke 1");
    assert!(zero.host.meter().dropped("queue full") > 0);
    zero.desk.tell(id(0), "alive".into()).await.expect("it is sent");
    assert_eq!(told(&mut zero.told, "a message", line).await, "alive");
}

#[tokio::test]
async fn durable_variables_outlive_the_host() {
    let folder = tempfile::tempdir().expect("a folder");
    let address = "127.0.0.1:0".parse().expect("an address");
    for boot in 1..=3_u32 {
        let mut node = kept(0, address, folder.path(), BTreeMap::new()).await.expect("it opens");
        let started = |upcall| matches!(upcall, Upcall::Started { .. }).then_some(upcall);
        let first = told(&mut node.told, "the start", started).await;
        assert_eq!(first, Upcall::Started { starts: boot });
        assert_eq!(node.desk.keep(boot, format!("value {boot}")).await, Ok(boot as usize));
        for earlier in 1..=boot {
            assert_eq!(node.desk.kept(earlier).await, Ok(Some(format!("value {earlier}"))));
        }
        assert_eq!(node.desk.count().await, Ok(boot as usize));
        node.host.shutdown().await;
    }
    // A later version that changed a durable variable is refused with its name.
    let host =
        foresee::Host::bind("127.0.0.1:0").id(id(0)).data(folder.path()).open().await.expect("it opens");
    let error = host.start(live_tests::desk_next::Clerk::new()).await.err().expect("it is refused");
    let said =
        "durable variable `order`: it was written as places Vec<u32>, and the spec says places Vec<u64>";
    assert!(error.to_string().contains(said), "{error}");
}

#[tokio::test]
async fn a_service_with_durable_variables_wants_a_folder() {
    let host = foresee::Host::bind("127.0.0.1:0").id(id(0)).open().await.expect("it opens");
    let error = host.start(live_tests::desk::Clerk::new()).await.err().expect("it is refused");
    assert!(error.to_string().contains("give the host a folder with `data`"), "{error}");
}

#[tokio::test]
async fn nodes_of_other_types_do_not_talk() {
    let mut nodes = vec![clerk(host(0, limits()).await).await];
    let next = host(1, limits()).await;
    let _started = next.start(live_tests::desk_next::Clerk::new()).await.expect("it starts");
    nodes[0].host.add_peer(id(1), next.address());
    next.add_peer(id(0), nodes[0].host.address());
    nodes[0].desk.tell(id(1), "old".into()).await.expect("it is sent");
    assert_eq!(told(&mut nodes[0].told, "the break", line).await, "broke 1");
    assert!(next.meter().refused("other types") > 0);
    nodes[0].desk.shout(id(1), "old".into()).await.expect("it is sent");
    let before = next.meter().refused("other types");
    let again = async {
        while next.meter().refused("other types") == before {
            tokio::task::yield_now().await;
        }
    };
    soon("a refusal", again).await;
    acquaint(&nodes);
    let Node { host, .. } = nodes.remove(0);
    host.shutdown().await;
}
