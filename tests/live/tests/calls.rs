//! Commands, requests, queries, timers and upcalls of generated services over real sockets.

use std::time::Duration;

use foresee::kernel::Lost;
use foresee::live::Limits;
use live_tests::desk::desk::Upcall;
use live_tests::desk::{Clerk, Desk};
use live_tests::{Node, clerk, clerks, host, id, limits, soon, told};

fn heard(upcall: Upcall) -> Option<(usize, String)> {
    match upcall {
        Upcall::Heard { from, text } => Some((from.index(), text)),
        _ => None,
    }
}

#[tokio::test]
async fn calls_do_what_they_say() {
    let mut nodes = clerks(2, limits()).await;
    let Node { desk, .. } = &nodes[0];
    assert_eq!(soon("an answer", desk.keep(3, "three".into())).await, Ok(1));
    assert_eq!(soon("an answer", desk.keep(4, "four".into())).await, Ok(2));
    assert_eq!(desk.kept(3).await, Ok(Some("three".to_owned())));
    assert_eq!(desk.kept(5).await, Ok(None));
    desk.tell(id(1), "hello".into()).await.expect("it is sent");
    let at_peer = told(&mut nodes[1].told, "a message", heard).await;
    assert_eq!(at_peer, (0, "hello".to_owned()));
    let Node { desk, .. } = &nodes[0];
    assert_eq!(soon("a round trip", desk.round_trip(id(1))).await, Ok(1));
    // To oneself, too.
    assert_eq!(soon("a round trip", desk.round_trip(id(0))).await, Ok(0));
    desk.shout(id(1), "by air".into()).await.expect("it is sent");
    assert_eq!(told(&mut nodes[1].told, "a datagram", heard).await.1, "by air");
    let rang = |upcall| matches!(upcall, Upcall::Rang { .. }).then_some(upcall);
    nodes[0].desk.ring(Duration::from_millis(20)).await.expect("it is set");
    assert_eq!(told(&mut nodes[0].told, "a timer", rang).await, Upcall::Rang { times: 1 });
    for Node { host, .. } in nodes {
        host.shutdown().await;
    }
}

#[tokio::test]
async fn messages_arrive_once_and_in_order() {
    const COUNT: usize = 3000;
    let mut nodes = clerks(2, limits()).await;
    let [zero, one] = nodes.get_disjoint_mut([0, 1]).expect("there are two");
    let send = |node: &Node, to: u32| {
        let desk = node.desk.clone();
        async move {
            for number in 0..COUNT {
                desk.tell(id(to), number.to_string()).await.expect("it is sent");
            }
        }
    };
    // Both begin at once, so that both make a connection.
    let (to_one, to_zero) = (send(zero, 1), send(one, 0));
    let receive = async |node: &mut Node| {
        for number in 0..COUNT {
            assert_eq!(told(&mut node.told, "a message", heard).await.1, number.to_string());
        }
    };
    let receive_both = async {
        receive(zero).await;
        receive(one).await;
    };
    soon("all of it", async { tokio::join!(to_one, to_zero, receive_both) }).await;
    for Node { host, .. } in &nodes {
        assert_eq!(host.meter().connections(), (1, 0), "one connection carries both ways");
        assert_eq!(host.meter().messages(), (COUNT as u64, COUNT as u64));
    }
}

#[tokio::test]
async fn a_fault_restarts_the_service_from_its_durable_state() {
    let mut nodes = clerks(2, Limits { restarts: 2, ..limits() }).await;
    let desk = nodes[0].desk.clone();
    assert_eq!(desk.keep(1, "kept".into()).await, Ok(1));
    let open = tokio::time::timeout(Duration::from_millis(100), desk.round_trip(id(7)));
    assert!(open.await.is_err(), "nobody answers");
    let started = |upcall| match upcall {
        Upcall::Started { starts } => Some(starts),
        _ => None,
    };
    assert_eq!(told(&mut nodes[0].told, "the first start", started).await, 1);
    let asked = desk.clone();
    let (lost, stumbled) =
        soon("both end", async { tokio::join!(asked.round_trip(id(7)), desk.stumble()) }).await;
    assert_eq!((lost, stumbled), (Err(Lost::Restarted), Err(Lost::Restarted)));
    assert_eq!(told(&mut nodes[0].told, "a second start", started).await, 2);
    assert_eq!(desk.kept(1).await, Ok(Some("kept".to_owned())));
    assert_eq!((desk.count().await, nodes[0].host.meter().restarts()), (Ok(1), 1));
    // The limit: then it is down, says so, and the host lives.
    let _ = desk.stumble().await;
    let _ = desk.stumble().await;
    let down = soon("an error", desk.count()).await.expect_err("it is down");
    assert!(matches!(&down, Lost::Down(reason) if reason.contains("it stumbles")), "{down}");
    assert!(nodes[0].host.down().contains_key("Clerk"));
    assert_eq!(nodes[1].desk.count().await, Ok(0));
}

#[tokio::test]
async fn upcalls_that_nobody_takes_stop_the_network_and_not_the_calls() {
    let mut nodes = clerks(2, Limits { upcalls: 8, inbox: 8, ..limits() }).await;
    for number in 0..200 {
        nodes[0].desk.tell(id(1), number.to_string()).await.expect("it is sent");
    }
    // The peer has read no more than it has room for, and answers calls.
    tokio::time::timeout(Duration::from_millis(300), std::future::pending::<()>())
        .await
        .expect_err("a pause");
    assert_eq!(soon("an answer", nodes[1].desk.keep(1, "x".into())).await, Ok(1));
    assert!(nodes[1].host.meter().messages().1 < 40, "it went on reading");
    for number in 0..200 {
        assert_eq!(told(&mut nodes[1].told, "a message", heard).await.1, number.to_string());
    }
}

#[tokio::test]
async fn choices_are_seeded_and_several_instances_run_on_one_host() {
    let mut picks = Vec::new();
    for _ in 0..2 {
        let node = clerk(host(0, limits()).await).await;
        let mut drawn = Vec::new();
        for _ in 0..20 {
            drawn.push(node.desk.pick().await.expect("it is picked"));
        }
        picks.push(drawn);
        let (other, _) = node.host.start_as("other", Clerk::new()).await.expect("it starts");
        assert_eq!(other.keep(9, "nine".into()).await, Ok(1));
        assert_eq!(node.desk.count().await, Ok(0), "instances share nothing");
        let taken = node.host.start(Clerk::new()).await.err().expect("the name is taken");
        assert!(taken.to_string().contains("runs here already"), "{taken}");
    }
    assert!(picks[0].iter().any(|pick| *pick != picks[0][0]), "no choice at all: {picks:?}");
    assert!(picks[0].iter().all(|pick| (1..=6).contains(pick)));
}

#[tokio::test]
async fn a_host_that_stops_leaves_no_task_behind() {
    let nodes = clerks(3, limits()).await;
    for node in &nodes {
        for to in 0..3 {
            node.desk.tell(id(to), "x".into()).await.expect("it is sent");
        }
    }
    let mut meters = Vec::new();
    for Node { host, desk, .. } in nodes {
        meters.push(host.meter().clone());
        soon("it stops", host.shutdown()).await;
        assert_eq!(desk.count().await, Err(Lost::Stopped));
    }
    for meter in meters {
        assert!(meter.render().contains("foresee_tasks 0"), "{}", meter.render());
    }
}
