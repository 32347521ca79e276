//! A program that uses services over a simulated world, as it would use live nodes.

use std::time::Duration;

use foresee::Sim;
use foresee::kernel::Lost;
use foresee::sim::EmbedError;

foresee::include_spec!("mutual_exclusion");
foresee::include_spec!("paxos");

use paxos::{Command, Log, Paxos, Upcall};

/// What became of a few calls, and when.
fn agreed(seed: u64) -> (Vec<u64>, Duration) {
    let mut world = Sim::new(paxos::systems::Five, seed).expect("it is put together");
    let servers = [0, 1, 2].map(|at| world.handle::<paxos::Handle>("server", at).expect("it is there"));
    let third = world.node("server", 2).expect("it is there");
    assert!(world.upcalls::<Paxos>(third).is_empty());
    let mut slots = Vec::new();
    for (number, server) in servers.iter().enumerate() {
        slots.push(world.block_on(server.submit(Command(vec![number as u8]))).expect("it is chosen"));
    }
    world.run_for(Duration::from_secs(10)).expect("nothing is violated");
    for (number, slot) in slots.iter().enumerate() {
        let read = world.block_on(servers[2].read(*slot)).expect("a query is answered");
        assert_eq!(read, Some(Command(vec![number as u8])), "seed {seed}");
    }
    let told = world.upcalls::<Paxos>(third);
    let decided = told.iter().filter(|it| matches!(it, Upcall::Decided { .. })).count();
    assert_eq!(decided, 3, "seed {seed}: {told:?}");
    (slots, world.now())
}

#[test]
fn calls_are_answered_in_virtual_time_and_a_seed_fixes_them() {
    for seed in 0..5 {
        assert_eq!(agreed(seed), agreed(seed));
    }
}

#[test]
fn a_call_outlives_nodes_that_crash_and_ends_with_its_own() {
    let mut world = Sim::new(paxos::systems::Five, 7).expect("it is put together");
    let log = world.handle::<paxos::Handle>("server", 0).expect("it is there");
    let [first, second, third] = [0, 1, 2].map(|at| world.node("server", at).expect("it is there"));
    world.crash(second);
    world.crash(second);
    world.crash(third);
    let slot = world.block_on(log.submit(Command(vec![1]))).expect("three of five are a majority");

    // Cut off, nothing is chosen, and nothing comes of waiting.
    world.partition(&[first]);
    let mut waits = std::pin::pin!(log.submit(Command(vec![2])));
    let poll = std::future::poll_fn(|context| {
        let polled = waits.as_mut().poll(context);
        assert!(polled.is_pending(), "nobody answers: {polled:?}");
        std::task::Poll::Ready(Ok(()))
    });
    world.block_on(poll).expect("it is asked");
    world.run_for(Duration::from_secs(30)).expect("nothing is violated");
    world.crash(first);
    world.restart(first);
    assert_eq!(world.block_on(waits), Err(Lost::Restarted));
    assert_eq!(world.block_on(async { log.read(slot).await }), Ok(Some(Command(vec![1]))), "it was durable");
    world.heal();
    world.restart(second);
    world.restart(third);
    assert!(world.block_on(log.submit(Command(vec![3]))).expect("all are back") > slot);

    world.crash(first);
    let down = Lost::Down("the node is down".to_owned());
    assert_eq!(world.block_on(log.submit(Command(vec![4]))), Err(down));
}

#[test]
fn what_is_not_there_is_an_error_with_what_is() {
    let world = Sim::new(paxos::systems::Trio, 7).expect("it is put together");
    let of_other = world.handle::<paxos::Handle>("replica", 0).err().map(|error| error.to_string());
    let expected = "`replica[0]` runs `Front`, and a handle of `Paxos` was asked for";
    assert_eq!(of_other.as_deref(), Some(expected));
    let nobody = world.handle::<paxos::front::Handle>("replica", 3).err().map(|error| error.to_string());
    assert_eq!(
        nobody.as_deref(),
        Some("there is no node 3 of `replica`; there are: replica[0..3], client[0..1]")
    );
    let arguments = [("size".to_owned(), "many".to_owned())].into_iter().collect();
    let wrong = Sim::with(mutual_exclusion::systems::Lost, &arguments, 0, &Default::default());
    assert!(matches!(wrong, Err(EmbedError::System(_))), "{wrong:?}");
}

#[test]
fn a_future_that_nothing_will_end_is_lost() {
    let mut world = Sim::new(paxos::systems::Five, 1).expect("it is put together");
    let never = world.block_on(std::future::pending::<Result<(), Lost>>());
    assert!(
        matches!(&never, Err(Lost::Down(reason)) if reason.contains("nothing more will happen")),
        "{never:?}"
    );
}
