//! The network between the nodes of a model: a link for each carrier, and the order that ordered carriers keep.
//!
//! What the checker explores, the simulator samples: the kind of a carrier says what can happen at all, as
//! [`foresee_world::Discipline`] does; the system's figures say how often.

use std::hash::BuildHasherDefault;
use std::time::Duration;

use foresee_kernel::{Carrier, CarrierKind, DelayModel, Digest, Model, NodeId};
use foresee_net::{Delay, Fate, Link, Passage, Plain};
use foresee_world::{Discipline, Route};
use hashbrown::HashMap;

use crate::draws::Draws;
use crate::engine::Flight;
use crate::options::SimError;

/// How long a message to oneself is under way: it does not leave the machine, and yet time passes, so that no node can
/// stop the clock by talking to itself.
pub const LOOPBACK_NANOS: u64 = 1_000;

/// The carriers of a model.
#[derive(Debug)]
pub(crate) struct Network {
    carriers: Vec<Line>,
    /// When the last message of a pair arrives, on ordered carriers whose delays vary.
    last: HashMap<(u8, u32, u32), u64, BuildHasherDefault<Digest>>,
    /// How large `last` may get before it is cleared of what has arrived.
    last_max: usize,
}

#[derive(Debug)]
struct Line {
    link: Box<dyn Link>,
    /// Nothing is drawn: what is constant and certain need not be asked.
    constant: Option<u64>,
    /// Whether arrivals must be kept in order.
    ordered: bool,
    /// On a set losses are no step of the world, and copies are there anyway.
    discipline: Discipline,
}

/// What the network does to a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Carried {
    /// When it arrives, and when its copy does.
    pub fate: Fate,
    /// Whether a loss or a doubling is an action of the world.
    pub told: bool,
}

const LAST_LEAST: usize = 1 << 12;

impl Network {
    pub fn new(model: &Model) -> Self {
        let lines = model.carriers.iter().zip(foresee_world::disciplines(model));
        Network {
            carriers: lines.map(|(carrier, discipline)| line(carrier, discipline)).collect(),
            last: HashMap::default(),
            last_max: LAST_LEAST,
        }
    }

    /// The same network, which loses and doubles nothing.
    pub fn calm(model: &Model) -> Self {
        let calm = |carrier: &Carrier| Carrier { loss: 0.0, duplicates: None, ..carrier.clone() };
        let lines = model.carriers.iter().zip(foresee_world::disciplines(model));
        Network {
            carriers: lines.map(|(carrier, discipline)| line(&calm(carrier), discipline)).collect(),
            last: HashMap::default(),
            last_max: LAST_LEAST,
        }
    }

    /// The same network, for messages that do not leave in the order in which they are sent.
    pub fn of_varying_departures(model: &Model) -> Self {
        let mut network = Network::new(model);
        for line in &mut network.carriers {
            line.constant = None;
            line.ordered = line.discipline == Discipline::Fifo;
        }
        network
    }

    /// What the link of a carrier does to a message of no length, whatever came before it.
    pub fn fate(&self, carrier: u8, (src, dst): (NodeId, NodeId), draw: &mut foresee_net::Stream) -> Fate {
        let passage = Passage { from: src.index() as u32, to: dst.index() as u32, bytes: 0 };
        self.carriers[usize::from(carrier)].link.fate(passage, draw)
    }

    /// Sends a message at `now`; times in the fate are points of the clock.
    pub fn carry(
        &mut self,
        draws: &mut Draws,
        now: u64,
        carrier: u8,
        (src, dst): (NodeId, NodeId),
        bytes: u64,
    ) -> Carried {
        let number = draws.send(src);
        let line = &self.carriers[usize::from(carrier)];
        if src == dst {
            return Carried { fate: Fate::Arrives(now.saturating_add(LOOPBACK_NANOS)), told: false };
        }
        if let Some(delay) = line.constant {
            return Carried { fate: Fate::Arrives(now.saturating_add(delay)), told: false };
        }
        let passage = Passage { from: src.index() as u32, to: dst.index() as u32, bytes };
        let fate = match line.link.fate(passage, &mut draws.link(src, dst, number)) {
            Fate::Lost => Fate::Lost,
            Fate::Arrives(delay) => Fate::Arrives(now.saturating_add(delay)),
            Fate::Doubled(first, copy) => Fate::Doubled(now.saturating_add(first), now.saturating_add(copy)),
        };
        let told = line.discipline != Discipline::Set;
        match fate {
            Fate::Arrives(at) if line.ordered => {
                let at = self.in_order((carrier, passage.from, passage.to), now, at);
                Carried { fate: Fate::Arrives(at), told }
            }
            fate => Carried { fate, told },
        }
    }

    /// How a carrier treats what is in flight.
    pub fn discipline(&self, carrier: u8) -> Discipline {
        self.carriers[usize::from(carrier)].discipline
    }

    /// Whether a carrier has ordered connections.
    pub fn is_ordered(&self, carrier: u8) -> bool {
        self.discipline(carrier) == Discipline::Fifo
    }

    /// When word of the end of a connection arrives: it is under way as a message is, and overtakes none.
    pub fn notice(&mut self, draw: &mut foresee_net::Stream, now: u64, route: Route) -> u64 {
        let line = &self.carriers[usize::from(route.carrier)];
        let passage = Passage { from: route.src.index() as u32, to: route.dst.index() as u32, bytes: 0 };
        let delay = match line.link.fate(passage, draw) {
            Fate::Arrives(delay) | Fate::Doubled(delay, _) => delay,
            Fate::Lost => 0,
        };
        let ordered = line.ordered;
        let at = now.saturating_add(delay);
        if ordered { self.in_order((route.carrier, passage.from, passage.to), now, at) } else { at }
    }

    /// Whether a loss or a doubling on a carrier is an action of the world.
    pub fn is_told(&self, carrier: u8) -> bool {
        self.discipline(carrier) != Discipline::Set
    }

    /// How long a copy of a message that is in flight is under way.
    pub fn delay(&mut self, draws: &mut Draws, flight: &Flight) -> u64 {
        let Route { carrier, src, dst } = flight.route;
        match self.carry(draws, 0, carrier, (src, dst), flight.message.encoded_len() as u64).fate {
            Fate::Arrives(delay) => delay,
            Fate::Doubled(first, _) => first,
            Fate::Lost => 0,
        }
    }

    /// Puts an arrival off to that of the message before it.
    fn in_order(&mut self, pair: (u8, u32, u32), now: u64, at: u64) -> u64 {
        if self.last.len() >= self.last_max {
            self.last.retain(|_, last| *last > now);
            self.last_max = (2 * self.last.len()).max(LAST_LEAST);
        }
        let last = self.last.entry(pair).or_insert(at);
        *last = at.max(*last);
        *last
    }
}

fn line(carrier: &Carrier, discipline: Discipline) -> Line {
    let ordered = discipline == Discipline::Fifo;
    let sane = |p: f64| if p.is_finite() { p.clamp(0.0, 1.0) } else { 0.0 };
    let (loss, duplication) = match carrier.kind {
        CarrierKind::Reliable | CarrierKind::Secure => (0.0, 0.0),
        CarrierKind::Datagram => (sane(carrier.loss), sane(carrier.duplicates.unwrap_or(0.0))),
    };
    let link = Plain { delay: delay(carrier, ordered), loss, duplication };
    let constant = match link {
        Plain { delay: Delay::Constant(nanos), loss: 0.0, duplication: 0.0 } => Some(nanos),
        _ => None,
    };
    Line { constant, ordered: ordered && !link.steady(), discipline, link: Box::new(link) }
}

/// The delay of a carrier. A datagram network that `reorders` and whose delay is constant spreads it evenly between
/// half and one and a half of it.
pub(crate) fn delay(carrier: &Carrier, ordered: bool) -> Delay {
    match carrier.delay {
        DelayModel::Constant(delay) if carrier.reorders && !ordered => {
            let half = nanos(delay) / 2;
            Delay::Uniform(half, half.saturating_mul(3))
        }
        DelayModel::Constant(delay) => Delay::Constant(nanos(delay)),
        DelayModel::Uniform(least, most) => Delay::Uniform(nanos(least), nanos(most)),
        DelayModel::Exponential(mean) => Delay::Exponential(nanos(mean)),
    }
}

/// A duration on the clock; what is beyond its end never comes.
pub(crate) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// What a system may say of its network and a simulation cannot do yet.
pub(crate) fn refuse(model: &Model) -> Result<(), SimError> {
    let bandwidth = model.carriers.iter().any(|carrier| carrier.bandwidth.is_some());
    let overtakes = model.carriers.iter().any(|carrier| carrier.overtakes.is_some());
    let said = [(bandwidth, "a bandwidth (E0912)"), (overtakes, "a probability of overtaking (E0912)")];
    match said.into_iter().find(|(said, _)| *said) {
        Some((_, what)) => Err(SimError::Unsupported { what }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: NodeId = NodeId::new(0);
    const B: NodeId = NodeId::new(1);

    fn network(kind: CarrierKind, change: impl FnOnce(&mut Carrier)) -> Network {
        let mut carrier = Carrier {
            name: "net",
            kind,
            delay: Carrier::DELAY_DEFAULT,
            loss: 0.0,
            duplicates: None,
            reorders: false,
            overtakes: None,
            bandwidth: None,
        };
        change(&mut carrier);
        let discipline = match kind {
            CarrierKind::Reliable | CarrierKind::Secure => Discipline::Fifo,
            CarrierKind::Datagram => Discipline::Bag,
        };
        Network { carriers: vec![line(&carrier, discipline)], last: HashMap::default(), last_max: LAST_LEAST }
    }

    fn send(network: &mut Network, draws: &mut Draws, now: u64) -> Fate {
        network.carry(draws, now, 0, (A, B), 0).fate
    }

    fn arrivals(network: &mut Network) -> Vec<u64> {
        let mut draws = Draws::new(1, 2);
        let arrive = |now| match send(network, &mut draws, now) {
            Fate::Arrives(at) => at,
            fate => panic!("{fate:?}"),
        };
        (0..1_000).map(|i| i * 1_000_000).map(arrive).collect()
    }

    #[test]
    fn ordered_carriers_keep_the_order_of_a_pair_whatever_the_delay() {
        let delays = [
            DelayModel::Exponential(Duration::from_millis(50)),
            DelayModel::Uniform(Duration::ZERO, Duration::from_millis(100)),
        ];
        for delay in delays {
            for kind in [CarrierKind::Reliable, CarrierKind::Secure] {
                let arrivals = arrivals(&mut network(kind, |carrier| carrier.delay = delay));
                assert!(arrivals.is_sorted());
            }
            let arrivals = arrivals(&mut network(CarrierKind::Datagram, |carrier| carrier.delay = delay));
            assert!(!arrivals.is_sorted(), "datagrams overtake each other where delays vary");
        }
    }

    #[test]
    fn what_has_arrived_is_not_kept_in_memory() {
        let mut network = network(CarrierKind::Reliable, |carrier| {
            carrier.delay = DelayModel::Uniform(Duration::ZERO, Duration::from_micros(10));
        });
        let mut draws = Draws::new(1, 100_000);
        for now in 0..100_000_u32 {
            let pair = (NodeId::new(now), NodeId::new(now + 1));
            network.carry(&mut draws, u64::from(now) * 1_000, 0, pair, 0);
        }
        assert!(network.last.len() <= LAST_LEAST);
    }

    #[test]
    fn a_network_that_reorders_spreads_a_constant_delay() {
        let plain = |carrier: &mut Carrier| carrier.delay = DelayModel::Constant(Duration::from_millis(10));
        assert!(arrivals(&mut network(CarrierKind::Datagram, plain)).is_sorted());
        let reorders = |carrier: &mut Carrier| carrier.reorders = true;
        let spread = arrivals(&mut network(CarrierKind::Datagram, reorders));
        assert!(!spread.is_sorted());
        let under_way = spread.iter().enumerate().map(|(i, at)| at - i as u64 * 1_000_000);
        assert!(under_way.into_iter().all(|delay| (5_000_000..=15_000_000).contains(&delay)));
        assert!(arrivals(&mut network(CarrierKind::Reliable, reorders)).is_sorted());
    }

    #[test]
    fn reliable_carriers_and_messages_to_oneself_are_never_lost_or_doubled() {
        let rough = |carrier: &mut Carrier| {
            carrier.loss = 0.5;
            carrier.duplicates = Some(0.5);
        };
        let mut draws = Draws::new(1, 2);
        let mut reliable = network(CarrierKind::Reliable, rough);
        let mut datagram = network(CarrierKind::Datagram, rough);
        let mut seen = [false; 3];
        for now in 0..100 {
            assert_eq!(send(&mut reliable, &mut draws, now), Fate::Arrives(now + 10_000_000));
            let own = datagram.carry(&mut draws, now, 0, (A, A), 0).fate;
            assert_eq!(own, Fate::Arrives(now + LOOPBACK_NANOS));
            match send(&mut datagram, &mut draws, now) {
                Fate::Lost => seen[0] = true,
                Fate::Doubled(..) => seen[1] = true,
                Fate::Arrives(_) => seen[2] = true,
            }
        }
        assert_eq!(seen, [true; 3]);
    }
}
