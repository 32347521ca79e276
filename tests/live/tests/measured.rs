//! Nodes that measure, over real sockets: the period of their heartbeats follows the emulated loss, and that of retransmission the
//! emulated round trip.

#![allow(
    clippy::disallowed_methods,
    reason = "calls come by the clock, beside the nodes, as those of a program do"
)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use foresee::Host;
use foresee::kernel::{Arguments, Datum, Model, NodeId, Payload, Point, Port, Ran};
use foresee::live::{Advisor, Extras, Measured};
use foresee::net::{Loss, Path, Topology};
use live_tests::{id, limits};
use reliable_link::{Handle, Link as _};
use tokio::time::{Instant, sleep};

foresee::include_spec!("reliable_link");

/// Between two calls of an end.
const GAP: Duration = Duration::from_millis(40);

/// The longest that a period may take to follow.
const PATIENCE: Duration = Duration::from_secs(60);

fn model(system: &str, arguments: &[(&str, &str)]) -> Arc<Model> {
    let system = reliable_link::SPEC.systems.iter().find(|it| it.name == system).expect("the spec has it");
    let grid = [("shortest", "20ms"), ("longest", "400ms"), ("fine", "true")];
    let arguments: Arguments =
        grid.iter().chain(arguments).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Arc::new((system.build)(&arguments).expect("the arguments fit"))
}

/// A loss, and so many milliseconds one way.
fn topology(loss: f64, delay: f64) -> Topology {
    let sites = vec!["a".to_owned(), "b".to_owned()];
    let path = Path { loss: Loss::Independent(loss), ..Path::default() };
    Topology::new(sites, &[vec![0.0, delay], vec![delay, 0.0]]).expect("it is sound").with_path(path)
}

/// What an advisor did: the periods that it took, in milliseconds, and how many notes it heard.
#[derive(Default)]
struct Seen {
    periods: Mutex<Vec<f64>>,
    notes: AtomicU64,
}

struct Onlooker(Measured, Arc<Seen>);

impl Advisor for Onlooker {
    fn advise(&mut self, point: &Point<'_>) -> Option<u32> {
        self.0.advise(point)
    }

    fn advise_at(&mut self, now: Duration, point: &Point<'_>) -> Option<u32> {
        let option = self.0.advise_at(now, point)?;
        let label = (point.label)(option);
        let period: f64 = label.trim_end_matches("ms").parse().expect("periods here are in milliseconds");
        self.1.periods.lock().expect("nobody panicked").push(period);
        Some(option)
    }

    fn notes(&self) -> bool {
        self.0.notes()
    }

    fn sends(&mut self, now: Duration, carrier: u8, to: NodeId, message: &Datum) -> Vec<u8> {
        self.0.sends(now, carrier, to, message)
    }

    fn hears(&mut self, now: Duration, carrier: u8, from: NodeId, note: &[u8]) {
        self.1.notes.fetch_add(1, Ordering::Relaxed);
        self.0.hears(now, carrier, from, note);
    }

    fn ran(&mut self, now: Duration, ran: &[Ran]) {
        self.0.ran(now, ran);
    }

    fn begins(&mut self, now: Duration) {
        self.0.begins(now);
    }
}

/// An end of the link, and what its advisor took.
async fn end(model: &Arc<Model>, index: u32, network: Topology) -> (Host, Arc<dyn Port>, Arc<Seen>) {
    let builder = Host::bind("127.0.0.1:0").id(id(index)).seed(7).limits(limits()).volatile();
    let host = builder.emulate(network).open().await.expect("it opens");
    let seen = Arc::new(Seen::default());
    let measured = Measured::new(model, id(index)).expect("there is a period to measure for");
    let advisor: Box<dyn Advisor> = Box::new(Onlooker(measured, seen.clone()));
    let extras = Extras { advisor: Some(advisor), ..Extras::default() };
    let stack = model.nodes[index as usize].clone();
    let (port, mut upcalls) = host.start_stack("Pair", stack, extras).await.expect("it starts");
    tokio::spawn(async move { while upcalls.recv().await.is_some() {} });
    (host, port, seen)
}

/// The mean of the last periods of both ends.
fn period(seen: &[Arc<Seen>; 2]) -> f64 {
    const LAST: usize = 60;
    let mut all = Vec::new();
    for seen in seen {
        let periods = seen.periods.lock().expect("nobody panicked");
        all.extend_from_slice(&periods[periods.len().saturating_sub(LAST)..]);
    }
    all.iter().sum::<f64>() / all.len() as f64
}

/// Two ends over such a network that call each other.
async fn pair(model: &Arc<Model>, network: impl Fn() -> Topology) -> ([Host; 2], [Arc<Seen>; 2]) {
    let (a, port_a, seen_a) = end(model, 0, network()).await;
    let (b, port_b, seen_b) = end(model, 1, network()).await;
    a.add_peer(id(1), b.address());
    b.add_peer(id(0), a.address());
    for port in [port_a, port_b] {
        let link = Handle::new(port);
        tokio::spawn(async move {
            loop {
                sleep(GAP).await;
                let link = link.clone();
                // It is answered when the peer has it, and not waited for.
                tokio::spawn(async move { link.transmit(Payload::of("hi")).await });
            }
        });
    }
    ([a, b], [seen_a, seen_b])
}

/// Waits until the periods fulfil something; what they are then.
async fn until(seen: &[Arc<Seen>; 2], what: impl Fn(f64) -> bool) -> f64 {
    let began = Instant::now();
    loop {
        let found = period(seen);
        if what(found) {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "still {found} ms");
        sleep(Duration::from_millis(250)).await;
    }
}

#[tokio::test]
async fn the_period_of_a_live_node_follows_the_loss() {
    let (hosts, seen) = pair(&model("Pair", &[]), || topology(0.0, 2.0)).await;
    // 25 calls a second that wait for a beat at 0.05: sqrt(2 * 0.05 / 25) is 63 ms; the safe default is 89.
    sleep(Duration::from_secs(6)).await;
    let before = period(&seen);
    assert!((40.0..110.0).contains(&before), "{before} ms");
    hosts.iter().for_each(|host| host.emulate(topology(0.3, 2.0)));
    until(&seen, |after| after <= before / 1.25).await;
    assert!(seen.iter().all(|it| it.notes.load(Ordering::Relaxed) > 100));
}

#[tokio::test]
async fn what_a_live_node_sends_again_follows_the_round_trip() {
    let model = model("PairBySender", &[("period", "200ms")]);
    let (hosts, seen) = pair(&model, || topology(0.3, 2.0)).await;
    // A lost message costs its period, so that is short; with a round trip of 120 ms each copy before it would be for nothing.
    let before = until(&seen, |period| period < 60.0).await;
    hosts.iter().for_each(|host| host.emulate(topology(0.3, 60.0)));
    until(&seen, |after| after >= 2.0 * before && after >= 100.0).await;
}
