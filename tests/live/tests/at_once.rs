//! Steps taken by whoever comes, where many come at once: on several threads, from other runtimes, and while the host stops.

use std::collections::BTreeMap;

use foresee::kernel::Lost;
use live_tests::desk::Desk;
use live_tests::desk::desk::Upcall;
use live_tests::{Node, clerk, clerks, host, id, limits, soon, told};
use tokio::task::JoinSet;

/// Who sent it, which of its callers, and the number among what that caller sent.
fn heard(upcall: Upcall) -> Option<(usize, usize, usize)> {
    let Upcall::Heard { from, text } = upcall else { return None };
    let (caller, number) = text.split_once(' ')?;
    Some((from.index(), caller.parse().ok()?, number.parse().ok()?))
}

/// All nodes send to node 0, by several callers each; node 0 writes to its disk and answers calls meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_many_send_at_once_arrives_once_and_in_the_order_of_each() {
    const CALLERS: usize = 4;
    const COUNT: usize = 500;
    let mut nodes = clerks(5, limits()).await;
    let mut callers = JoinSet::new();
    for node in &nodes {
        for caller in 0..CALLERS {
            let desk = node.desk.clone();
            callers.spawn(async move {
                for number in 0..COUNT {
                    desk.tell(id(0), format!("{caller} {number}")).await?;
                    if number % 50 == 0 {
                        desk.round_trip(id(0)).await?;
                        desk.keep(number as u32, "kept".into()).await?;
                    }
                }
                Ok::<_, Lost>(())
            });
        }
    }
    let mut next = BTreeMap::new();
    for _ in 0..5 * CALLERS * COUNT {
        let (from, caller, number) = told(&mut nodes[0].told, "a message", heard).await;
        let expected = next.entry((from, caller)).or_insert(0);
        assert_eq!(number, *expected, "of caller {caller} of node {from}");
        *expected += 1;
    }
    while let Some(done) = soon("the callers end", callers.join_next()).await {
        done.expect("no caller panics").expect("no call is lost");
    }
    for node in &nodes {
        assert_eq!(soon("a count", node.desk.count()).await, Ok(CALLERS * COUNT / 50));
        assert_eq!(node.host.meter().connections().1, 0, "nothing broke");
    }
    assert_eq!(nodes[0].host.meter().messages().1 as usize, 4 * CALLERS * (COUNT + COUNT / 50));
}

/// A call takes steps in the thread that makes it, which may be of no runtime of the host's; what it begins runs with the host.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_from_another_runtime_do_the_same() {
    let mut nodes = clerks(2, limits()).await;
    let desk = nodes[0].desk.clone();
    let other = tokio::task::spawn_blocking(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(async {
            desk.tell(id(1), "0 0".into()).await?;
            desk.ring(std::time::Duration::from_millis(10)).await?;
            desk.keep(1, "one".into()).await
        })
    });
    assert_eq!(soon("an answer", other).await.expect("it does not panic"), Ok(1));
    assert_eq!(told(&mut nodes[1].told, "a message", heard).await, (0, 0, 0));
    let rang = |upcall| matches!(upcall, Upcall::Rang { .. }).then_some(());
    told(&mut nodes[0].told, "the bell", rang).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_host_that_stops_amid_calls_ends_them_and_leaves_nothing_behind() {
    for _ in 0..20 {
        let nodes = clerks(2, limits()).await;
        let mut callers = JoinSet::new();
        for caller in 0..8 {
            let desk = nodes[caller % 2].desk.clone();
            callers.spawn(async move {
                loop {
                    let done = match caller {
                        0..4 => desk.round_trip(id(1)).await.map(drop),
                        _ => desk.tell(id(0), "x".into()).await,
                    };
                    if let Err(lost) = done {
                        return lost;
                    }
                }
            });
        }
        let mut addresses = Vec::new();
        let mut handles = Vec::new();
        for Node { host, desk, told } in nodes {
            // Nobody takes upcalls: they are let go, so that calls go on.
            drop(told);
            let meter = host.meter().clone();
            addresses.push((host.me(), host.address()));
            desk.keep(1, "one".into()).await.expect("it is kept");
            soon("it stops", host.shutdown()).await;
            assert!(meter.render().contains("foresee_tasks 0"), "{}", meter.render());
            handles.push(desk);
        }
        while let Some(lost) = soon("the callers end", callers.join_next()).await {
            assert_eq!(lost.expect("no caller panics"), Lost::Stopped);
        }
        // Handles that are still there hold no port.
        for (_, address) in addresses {
            let listener = tokio::net::TcpListener::bind(address).await;
            assert!(listener.is_ok(), "{listener:?}");
        }
    }
}

#[tokio::test]
async fn a_service_that_is_never_done_leaves_others_their_turn() {
    // One thread: a service that had it for good would be the end of all.
    let node = clerk(host(0, limits()).await).await;
    let mut callers = JoinSet::new();
    for _ in 0..8 {
        let desk = node.desk.clone();
        callers.spawn(async move { while desk.round_trip(id(0)).await.is_ok() {} });
    }
    for key in 0..50 {
        assert_eq!(soon("an answer", node.desk.keep(key, "x".into())).await, Ok(key as usize + 1));
    }
    soon("it stops", node.host.shutdown()).await;
    while soon("the callers end", callers.join_next()).await.is_some() {}
}
