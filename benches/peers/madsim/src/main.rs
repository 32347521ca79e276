//! A ping flood and a push gossip, written by hand on madsim: what the simulator is measured against.
//!
//! Arguments: `ping` or `gossip`, how many nodes, how many events. An event is what it is in a run of ours: a message that arrives, or a
//! timer that fires; what madsim schedules besides is not counted. Messages are handed over as they are and never become bytes, which is
//! the fastest that madsim has. The services, and the delays and losses of the network, are those of `simulate-events`, which is ours.
//! Prints one JSON object: how many events and messages there were, and how much virtual time went by.

#[cfg(not(madsim))]
compile_error!(
    "madsim simulates under `--cfg madsim` alone: build this in its own folder, whose `.cargo/config.toml` says so"
);

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use madsim::Config;
use madsim::net::{Endpoint, Payload};
use madsim::rand::{Rng, thread_rng};
use madsim::runtime::{NodeHandle, Runtime};
use madsim::time::sleep;

const SEED: u64 = 1;
const TAG: u64 = 1;
const PORT: u16 = 1;
const DELAY: std::ops::Range<Duration> = Duration::from_millis(1)..Duration::from_millis(10);

/// How many nodes each node of the gossip knows, before and after it in a ring at growing distances.
const PEERS: u32 = 16;
/// How many rumours there are; the first nodes know one each.
const RUMOURS: u32 = 8;
/// What a node waits between pushes: one of these, chosen anew each time.
const PAUSES: [Duration; 4] =
    [Duration::from_millis(100), Duration::from_millis(300), Duration::from_secs(1), Duration::from_secs(3)];
const LOSS: f64 = 0.1;

/// How often it is looked whether there were enough events, in virtual time.
const LOOK: Duration = Duration::from_millis(100);

/// What happened so far.
#[derive(Default)]
struct Counts {
    events: AtomicU64,
    messages: AtomicU64,
}

impl Counts {
    fn event(&self) {
        self.events.fetch_add(1, Ordering::Relaxed);
    }

    fn message(&self) {
        self.messages.fetch_add(1, Ordering::Relaxed);
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut args = std::env::args().skip(1);
    let service = args.next().unwrap_or_default();
    let nodes: u32 = args.next().ok_or("how many nodes?")?.parse()?;
    let events: u64 = args.next().ok_or("how many events?")?.parse()?;
    let (loss, spawn): (f64, fn(&NodeHandle, u32, u32, &Arc<Counts>)) = match service.as_str() {
        "ping" => (0.0, ping),
        "gossip" => (LOSS, gossip),
        _ => return Err("ping or gossip?".into()),
    };
    let mut config = Config::default();
    config.net.packet_loss_rate = loss;
    config.net.send_latency = DELAY;
    let runtime = Runtime::with_seed_and_config(SEED, config);
    let counts = Arc::new(Counts::default());
    for index in 0..nodes {
        let node = runtime.create_node().ip(address(index).ip()).build();
        spawn(&node, index, nodes, &counts);
    }
    let virtual_seconds = runtime.block_on(async {
        while counts.events.load(Ordering::Relaxed) < events {
            sleep(LOOK).await;
        }
        madsim::time::TimeHandle::current().elapsed().as_secs_f64()
    });
    let (events, messages) = (counts.events.load(Ordering::Relaxed), counts.messages.load(Ordering::Relaxed));
    let report = serde_json::json!({
        "events": events, "messages": messages, "virtual_seconds": virtual_seconds,
    });
    writeln!(io::stdout(), "{report}")?;
    Ok(())
}

/// Where a node is.
fn address(index: u32) -> SocketAddr {
    let ip = u32::from(Ipv4Addr::new(10, 0, 0, 1)) + index;
    SocketAddr::new(IpAddr::V4(Ipv4Addr::from(ip)), PORT)
}

/// Every second node throws a ball to the one after it, and who catches one throws it back.
fn ping(node: &NodeHandle, index: u32, nodes: u32, counts: &Arc<Counts>) {
    struct Ball {
        throws: u32,
    }
    let counts = counts.clone();
    node.spawn(async move {
        let endpoint = Endpoint::bind(address(index)).await?;
        let mut caught = 0_u64;
        if index % 2 == 0 {
            // Everybody is there before the first ball comes.
            sleep(LOOK).await;
            counts.message();
            endpoint.send_to_raw(address((index + 1) % nodes), TAG, Box::new(Ball { throws: 0 })).await?;
        }
        loop {
            let (payload, from) = endpoint.recv_from_raw(TAG).await?;
            counts.event();
            let Ok(ball) = payload.downcast::<Ball>() else { continue };
            caught += 1;
            counts.message();
            let throws = ball.throws.wrapping_add((caught > 0).into());
            endpoint.send_to_raw(from, TAG, Box::new(Ball { throws })).await?;
        }
        #[allow(unreachable_code, reason = "it says what goes wrong")]
        io::Result::Ok(())
    });
}

/// Every node pushes what it knows to one of those that it knows of, again and again.
fn gossip(node: &NodeHandle, index: u32, nodes: u32, counts: &Arc<Counts>) {
    struct Push {
        rumours: BTreeSet<u32>,
    }
    let counts = counts.clone();
    let spawner = node.clone();
    node.spawn(async move {
        let endpoint = Endpoint::bind(address(index)).await?;
        let known: BTreeSet<u32> = (index < RUMOURS).then_some(index).into_iter().collect();
        let known = Arc::new(Mutex::new(known));
        let (hears, learns, heard) = (endpoint.clone(), known.clone(), counts.clone());
        spawner.spawn(async move {
            loop {
                let (payload, _): (Payload, _) = hears.recv_from_raw(TAG).await?;
                heard.event();
                let Ok(push) = payload.downcast::<Push>() else { continue };
                lock(&learns).extend(push.rumours);
            }
            #[allow(unreachable_code, reason = "it says what goes wrong")]
            io::Result::Ok(())
        });
        let peers = peers(index, nodes);
        loop {
            let pause = PAUSES[thread_rng().gen_range(0..PAUSES.len())];
            sleep(pause).await;
            counts.event();
            let rumours = lock(&known).clone();
            if rumours.is_empty() {
                continue;
            }
            let peer = peers[thread_rng().gen_range(0..peers.len())];
            counts.message();
            endpoint.send_to_raw(address(peer), TAG, Box::new(Push { rumours })).await?;
        }
        #[allow(unreachable_code, reason = "it says what goes wrong")]
        io::Result::Ok(())
    });
}

/// Whom a node of the gossip knows: as `simulate-events` has it.
fn peers(index: u32, nodes: u32) -> Vec<u32> {
    let mut all = BTreeSet::new();
    for step in 0..PEERS / 2 {
        let distance = (1_u32 << step) % nodes;
        all.extend([(index + distance) % nodes, (index + nodes - distance) % nodes]);
    }
    all.remove(&index);
    all.into_iter().collect()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
