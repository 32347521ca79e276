//! A wide area on one machine: what a host sends is held back, lost or doubled as a topology says, before it reaches a socket.
//!
//! The models are those of simulations ([`foresee_net::Topology`]), so that a cluster on one machine and a simulation stand on
//! the same map. A [`Path`] decides what becomes of a frame when the service lets it go; connections and the carrier of datagrams
//! wait until then. What is drawn depends on the host's seed, on its life and on how much it sent, and on no clock.
//!
//! - Ordered connections lose nothing: what the topology loses arrives later, as if sent again ([`Topology::insist`]). They keep their order,
//!   so what comes behind waits too. Word of the end of a connection is under way like a message.
//! - Datagrams are lost, doubled, and may overtake each other.
//!
//! *Caveats*: making a connection takes no time beyond the machine's own. A frame leaves a millisecond or so late, since that is how fine the
//! clock of tasks is; `foresee_emulated_late_seconds` counts by how much. What waits here counts as queued: the bounds of
//! [`crate::Limits`] hold for the network and the queue before it together.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use foresee_kernel::NodeId;
use foresee_net::{Fate, Link as _, Memory, Passage, Purpose, Stream, Topology};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use crate::host::Shared;
use crate::meter::Meter;

/// Draws of the emulated network.
const PURPOSE: Purpose = Purpose(202);

/// Draws of how long word of the end of a connection is under way.
const NOTICE: Purpose = Purpose(203);

/// The network that a host pretends to be on.
#[derive(Debug)]
pub(crate) struct Emulation {
    seed: u64,
    me: u32,
    /// Which life of the host it is: no two draw the same.
    life: u64,
    epoch: Instant,
    past: Mutex<Past>,
    meter: Arc<Meter>,
    datagrams: mpsc::UnboundedSender<Held>,
    /// How many datagrams are under way.
    held: AtomicUsize,
}

/// What the network is, and what it remembers.
#[derive(Debug)]
struct Past {
    topology: Arc<Topology>,
    memory: Memory,
    sent: u64,
    notices: u64,
}

/// A datagram under way.
#[derive(Debug)]
pub(crate) struct Held {
    at: Instant,
    to: SocketAddr,
    bytes: Vec<u8>,
    /// The bytes of its message, for what is counted.
    message: u64,
}

/// When a frame leaves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaves {
    Never,
    Once(Instant),
    Twice(Instant, Instant),
}

/// The way from this host to one peer, over one connection.
#[derive(Debug)]
pub(crate) struct Path {
    emulation: Arc<Emulation>,
    peer: NodeId,
    /// Whether it is a connection of an ordered carrier, which loses nothing.
    ordered: bool,
    /// When the last frame leaves, in nanoseconds since the epoch: a stream keeps its order.
    last: AtomicU64,
}

impl Emulation {
    /// The network as `me` sees it, and the datagrams that it lets go.
    pub(crate) fn new(
        topology: Arc<Topology>,
        seed: u64,
        me: NodeId,
        life: u64,
        meter: Arc<Meter>,
    ) -> (Self, mpsc::UnboundedReceiver<Held>) {
        let (datagrams, held) = mpsc::unbounded_channel();
        let past = Past { topology, memory: Memory::default(), sent: 0, notices: 0 };
        let emulation = Emulation {
            seed,
            me: me.index() as u32,
            life: (life & 0xFFFF) << 32,
            epoch: Instant::now(),
            past: Mutex::new(past),
            meter,
            datagrams,
            held: AtomicUsize::new(0),
        };
        (emulation, held)
    }

    /// The network is another from now on.
    pub(crate) fn becomes(&self, topology: Arc<Topology>) {
        self.past.lock().unwrap_or_else(PoisonError::into_inner).topology = topology;
    }

    fn now(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }

    fn instant(&self, nanos: u64) -> Instant {
        self.epoch + Duration::from_nanos(nanos)
    }

    /// What becomes of a message of `bytes` that is sent now; times are nanoseconds since the epoch.
    fn fate(&self, peer: NodeId, bytes: u64, ordered: bool) -> Fate {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let Past { topology, memory, sent, .. } = &mut *past;
        let (from, to) = (self.me, peer.index() as u32);
        let number = self.life | (*sent & 0xFFFF_FFFF);
        *sent += 1;
        let at = self.now();
        let passage = Passage { from, to, bytes, at };
        let draw = &mut Stream::new(self.seed, PURPOSE, (from, to), number);
        if ordered {
            let insisted = topology.insist(passage, memory, draw);
            self.meter.emulate("again", u64::from(insisted.again));
            self.meter.emulate("arrives", 1);
            return Fate::Arrives(at.saturating_add(insisted.nanos));
        }
        match topology.fate(passage, memory, draw) {
            Fate::Lost => {
                self.meter.emulate("lost", 1);
                Fate::Lost
            }
            Fate::Arrives(delay) => {
                self.meter.emulate("arrives", 1);
                Fate::Arrives(at.saturating_add(delay))
            }
            Fate::Doubled(one, two) => {
                self.meter.emulate("doubled", 1);
                Fate::Doubled(at.saturating_add(one), at.saturating_add(two))
            }
        }
    }

    /// Until when word of the end of a connection with `peer` is under way.
    pub(crate) fn notice(&self, peer: NodeId) -> Instant {
        let mut past = self.past.lock().unwrap_or_else(PoisonError::into_inner);
        let Past { topology, memory, notices, .. } = &mut *past;
        let (from, to) = (peer.index() as u32, self.me);
        let number = self.life | (*notices & 0xFFFF_FFFF);
        *notices += 1;
        let at = self.now();
        let draw = &mut Stream::new(self.seed, NOTICE, (from, to), number);
        let insisted = topology.insist(Passage { from, to, bytes: 0, at }, memory, draw);
        self.instant(at.saturating_add(insisted.nanos))
    }

    /// Sends a datagram with a message of `message` bytes over the network; what finds no room among `most` is lost.
    pub(crate) fn datagram(&self, peer: NodeId, to: SocketAddr, bytes: Vec<u8>, message: u64, most: usize) {
        let hold = |at: u64, bytes: Vec<u8>| {
            if self.held.fetch_add(1, Ordering::Relaxed) >= most {
                self.held.fetch_sub(1, Ordering::Relaxed);
                self.meter.lose("queue full");
                return;
            }
            // The carrier ends with the host.
            let _ = self.datagrams.send(Held { at: self.instant(at), to, bytes, message });
        };
        match self.fate(peer, message, false) {
            Fate::Lost => {}
            Fate::Arrives(at) => hold(at, bytes),
            Fate::Doubled(one, two) => {
                hold(one, bytes.clone());
                hold(two, bytes);
            }
        }
    }
}

impl Path {
    pub(crate) fn new(emulation: Arc<Emulation>, peer: NodeId, ordered: bool) -> Self {
        Path { emulation, peer, ordered, last: AtomicU64::new(0) }
    }

    /// When a frame with a message of `bytes` that is sent now leaves: never before one that was sent earlier.
    pub(crate) fn leaves(&self, bytes: usize) -> Leaves {
        let emulation = &self.emulation;
        let in_order = |at: u64| {
            let before = self.last.fetch_max(at, Ordering::Relaxed);
            emulation.instant(at.max(before))
        };
        match emulation.fate(self.peer, bytes as u64, self.ordered) {
            Fate::Lost => Leaves::Never,
            Fate::Arrives(at) => Leaves::Once(in_order(at)),
            Fate::Doubled(one, two) => {
                let first = in_order(one.min(two));
                Leaves::Twice(first, in_order(one.max(two)))
            }
        }
    }
}

/// Carries datagrams until the host stops.
pub(crate) async fn carry(
    shared: Arc<Shared>,
    emulation: Arc<Emulation>,
    mut held: mpsc::UnboundedReceiver<Held>,
) {
    let mut waiting: BTreeMap<(Instant, u64), Held> = BTreeMap::new();
    let mut number = 0;
    loop {
        let first = waiting.first_key_value().map(|((at, _), _)| *at);
        tokio::select! {
            one = held.recv() => match one {
                None => return,
                Some(one) => {
                    number += 1;
                    waiting.insert((one.at, number), one);
                }
            },
            () = sleep_until(first.unwrap_or_else(Instant::now)), if first.is_some() => {
                let now = Instant::now();
                while let Some(entry) = waiting.first_entry()
                    && entry.key().0 <= now
                {
                    let Held { at, to, bytes, message } = entry.remove();
                    emulation.held.fetch_sub(1, Ordering::Relaxed);
                    shared.meter.late(now - at);
                    shared.put_datagram(&bytes, to, message);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use foresee_net::{Delay, Loss, Path as Way};

    use super::*;

    fn emulation(way: Way, seed: u64, life: u64) -> Arc<Emulation> {
        let sites = vec!["a".to_owned(), "b".to_owned()];
        let topology = Topology::new(sites, &[vec![1.0, 50.0], vec![80.0, 1.0]]).expect("it is sound");
        let (me, meter) = (NodeId::new(0), Arc::new(Meter::new()));
        Arc::new(Emulation::new(Arc::new(topology.with_path(way)), seed, me, life, meter).0)
    }

    fn leaving(path: &Path, count: usize) -> Vec<Leaves> {
        (0..count).map(|_| path.leaves(100)).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn connections_keep_their_order_and_lose_nothing() {
        let way =
            Way { delay: Delay::Uniform(0, 90_000_000), loss: Loss::Independent(0.3), ..Way::default() };
        let emulation = emulation(way, 7, 1);
        let began = Instant::now();
        let path = Path::new(emulation.clone(), NodeId::new(1), true);
        let mut before = began;
        for leaves in leaving(&path, 500) {
            let Leaves::Once(at) = leaves else { panic!("{leaves:?}") };
            assert!(at >= before && at >= began + Duration::from_millis(50), "{:?}", at - began);
            before = at;
        }
        // A third of them is sent again, so the last waits for at least one of 50 + 80 + 200 ms.
        assert!(before - began > Duration::from_millis(330), "{:?}", before - began);
        assert!(emulation.meter.emulated("again") > 100);
        assert_eq!(emulation.meter.emulated("arrives"), 500);
    }

    #[tokio::test(start_paused = true)]
    async fn datagrams_are_lost_at_the_rate_of_the_path() {
        let way = Way { loss: Loss::Independent(0.25), duplication: 0.5, ..Way::default() };
        let path = Path::new(emulation(way, 7, 1), NodeId::new(1), false);
        let all = leaving(&path, 8_000);
        let share = |is: fn(&Leaves) -> bool| all.iter().filter(|it| is(it)).count() as f64 / 8_000.0;
        let (lost, doubled) = (share(|it| *it == Leaves::Never), share(|it| matches!(it, Leaves::Twice(..))));
        // Five standard deviations.
        assert!((lost - 0.25).abs() < 0.025 && (doubled - 0.375).abs() < 0.028, "{lost} {doubled}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_seed_and_a_life_fix_what_is_drawn() {
        let way = || Way { delay: Delay::Exponential(40_000_000), ..Way::default() };
        let run = |seed, life| {
            let emulation = emulation(way(), seed, life);
            let fates: Vec<Fate> = (0..50).map(|_| emulation.fate(NodeId::new(1), 10, true)).collect();
            fates
        };
        assert_eq!(run(7, 1), run(7, 1));
        assert_ne!(run(7, 1), run(8, 1));
        assert_ne!(run(7, 1), run(7, 2));
    }

    #[tokio::test(start_paused = true)]
    async fn a_line_of_limited_speed_delays_what_comes_behind() {
        let line = foresee_net::Bottleneck { bytes_per_second: 1_000.0, buffer: None };
        let emulation = emulation(Way { line: Some(line), ..Way::default() }, 7, 1);
        let path = Path::new(emulation, NodeId::new(1), true);
        let began = Instant::now();
        for place in 1..=20_u64 {
            let at = began + Duration::from_millis(50 + 100 * place);
            assert_eq!(path.leaves(100), Leaves::Once(at));
        }
    }
}
