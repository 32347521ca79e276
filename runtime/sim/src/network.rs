//! The network between the nodes of a model: a link for each carrier, and the order that ordered carriers keep.
//!
//! What the checker explores, the simulator samples: the kind of a carrier says what can happen at all, as
//! [`foresee_world::Discipline`] does; the system's figures say how often.

use std::hash::BuildHasherDefault;
use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::{Carrier, CarrierKind, DelayModel, Digest, FaultKind, Model, NodeId};
use foresee_net::{Bottleneck, Delay, Draw, Fate, Link, Loss, Memory, Passage, Path, Topology};
use foresee_world::{Discipline, Envelope, Route};
use hashbrown::HashMap;

use crate::draws::Draws;
use crate::exact::key::Key;
use crate::options::SimError;

/// How long a message to oneself is under way: it does not leave the machine, and yet time passes, so that no node can
/// stop the clock by talking to itself.
pub const LOOPBACK_NANOS: u64 = 1_000;

/// The carriers of a model.
#[derive(Clone, Debug)]
pub(crate) struct Network {
    carriers: Vec<Line>,
    /// Where nodes are, if that is said: the way of a message is then that between sites, beside what its carrier
    /// does.
    topology: Option<Arc<Topology>>,
    /// What takes its place, and when; the next one is last.
    later: Vec<(u64, Arc<Topology>)>,
    /// What the paths of the topology remember.
    memory: Memory,
    /// Whether a message meets anything at its receiver before it is delivered.
    receivers: bool,
    /// When the last message of a pair arrives, on ordered carriers whose delays vary; where connections can break the channels keep it.
    last: HashMap<(u8, u32, u32), u64, BuildHasherDefault<Digest>>,
    /// How large `last` may get before it is cleared of what has arrived.
    last_max: usize,
}

#[derive(Clone, Debug)]
struct Line {
    link: Path,
    memory: Memory,
    /// Nothing is drawn: what is constant and certain need not be asked.
    constant: Option<u64>,
    /// Where an independent loss and a uniform delay are all that is drawn: the probability of the loss, the least delay, and how many
    /// delays there are. Drawn as [`Path`] has it, and without asking what else there might be.
    plain: Option<(f64, u64, u64)>,
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
    /// Whether its connection does not get it through: it breaks when the message would arrive.
    pub stuck: bool,
}

const LAST_LEAST: usize = 1 << 12;

impl Network {
    /// The network of a model; with a topology, the times under way are those between its sites and not the carriers'.
    ///
    /// # Errors
    /// The topology does what a carrier does not do by the word of the system: a run would leave what is checked.
    pub fn new(model: &Model, topology: Option<Arc<Topology>>) -> Result<Self, SimError> {
        if let Some(topology) = &topology {
            said(model, topology)?;
        }
        Ok(Network::placed(model, topology))
    }

    /// The network of a run that goes on, whose nodes are somewhere.
    pub fn resumed(model: &Model, topology: Arc<Topology>, memory: Memory) -> Self {
        Network { memory, ..Network::placed(model, Some(topology)) }
    }

    /// Where the nodes are, and what waits before lines and at nodes.
    pub fn surroundings(&self) -> Option<(Arc<Topology>, Memory)> {
        self.topology.clone().map(|topology| (topology, self.memory.clone()))
    }

    /// The same network, in which other topologies take the place of the first.
    ///
    /// # Errors
    /// As [`Network::new`].
    pub fn changing(mut self, model: &Model, later: &[(Duration, Arc<Topology>)]) -> Result<Self, SimError> {
        if self.topology.is_some() {
            for (from, topology) in later {
                said(model, topology)?;
                self.receivers |= !topology.ends_on_the_way();
                self.later.push((nanos(*from), topology.clone()));
            }
            self.later.sort_by_key(|(from, _)| std::cmp::Reverse(*from));
        }
        Ok(self)
    }

    fn placed(model: &Model, topology: Option<Arc<Topology>>) -> Self {
        let mut network = Network::of(model.carriers.iter().zip(foresee_world::disciplines(model)));
        if topology.is_some() {
            for line in &mut network.carriers {
                line.link.delay = Delay::Constant(0);
                (line.constant, line.plain) = (None, None);
                line.ordered = line.discipline == Discipline::Fifo;
            }
        }
        network.receivers = topology.as_ref().is_some_and(|it| !it.ends_on_the_way());
        network.topology = topology;
        network
    }

    fn of<'c>(carriers: impl Iterator<Item = (&'c Carrier, Discipline)>) -> Self {
        Network {
            carriers: carriers.map(|(carrier, discipline)| line(carrier, discipline)).collect(),
            topology: None,
            later: Vec::new(),
            memory: Memory::default(),
            receivers: false,
            last: HashMap::default(),
            last_max: LAST_LEAST,
        }
    }

    /// The network of a model whose nodes are nowhere.
    pub fn of_carriers(model: &Model) -> Self {
        Network::placed(model, None)
    }

    /// The same network, which loses and doubles nothing.
    pub fn calm(model: &Model) -> Self {
        let calm = |carrier: &Carrier| Carrier { loss: 0.0, duplicates: None, ..carrier.clone() };
        let carriers: Vec<Carrier> = model.carriers.iter().map(calm).collect();
        Network::of(carriers.iter().zip(foresee_world::disciplines(model)))
    }

    /// The same network, for messages that do not leave in the order in which they are sent.
    pub fn of_varying_departures(mut self) -> Self {
        for line in &mut self.carriers {
            line.constant = None;
            line.ordered = line.discipline == Discipline::Fifo;
        }
        self
    }

    /// What the link of a carrier does to a message of no length, whatever came before it.
    pub fn fate(&self, carrier: u8, (src, dst): (NodeId, NodeId), draw: &mut dyn Draw) -> Fate {
        let passage = Passage { from: src.index() as u32, to: dst.index() as u32, bytes: 0, at: 0 };
        self.carriers[usize::from(carrier)].link.fate(passage, &mut Memory::default(), draw)
    }

    /// Sends a message at `now`; times in the fate are points of the clock. `last` is when the last message before it arrives, where
    /// that is kept elsewhere than here.
    pub fn carry(
        &mut self,
        draws: &mut Draws,
        now: u64,
        carrier: u8,
        (src, dst): (NodeId, NodeId),
        bytes: u64,
        last: Option<&mut u64>,
    ) -> Carried {
        let number = draws.send(src);
        while let Some((_, topology)) = self.later.pop_if(|(from, _)| *from <= now) {
            self.topology = Some(topology);
        }
        let line = &mut self.carriers[usize::from(carrier)];
        if src == dst {
            return Carried::certain(now.saturating_add(LOOPBACK_NANOS));
        }
        if let Some(delay) = line.constant {
            return Carried::certain(now.saturating_add(delay));
        }
        let passage = Passage { from: src.index() as u32, to: dst.index() as u32, bytes, at: now };
        let draw = &mut draws.link(src, dst, number);
        let mut stuck = false;
        let fate = match (&self.topology, line.plain) {
            (None, Some((loss, least, span))) => match draw.happens(loss) {
                true => Fate::Lost,
                false => Fate::Arrives(least + draw.below(span)),
            },
            (None, None) => line.link.fate(passage, &mut line.memory, draw),
            (Some(topology), _) => line.over(topology, &mut self.memory, passage, draw, &mut stuck),
        };
        let fate = match fate {
            Fate::Lost => Fate::Lost,
            Fate::Arrives(delay) => Fate::Arrives(now.saturating_add(delay)),
            Fate::Doubled(first, copy) => Fate::Doubled(now.saturating_add(first), now.saturating_add(copy)),
        };
        let told = line.discipline != Discipline::Set;
        match fate {
            Fate::Arrives(at) if line.ordered => {
                let at = self.in_order((carrier, passage.from, passage.to), now, at, last);
                Carried { fate: Fate::Arrives(at), told, stuck }
            }
            fate => Carried { fate, told, stuck },
        }
    }

    /// Whether messages meet anything at their receivers, or get stuck on their way to them.
    #[inline]
    pub fn has_receivers(&self) -> bool {
        self.receivers
    }

    /// A message comes to `node` at `now`: when it is delivered; None where it is dropped.
    pub fn take_in(
        &mut self,
        draw: &mut dyn Draw,
        now: u64,
        node: NodeId,
        bytes: u64,
        insists: bool,
    ) -> Option<u64> {
        let Some(intake) = self.topology.as_ref().and_then(|topology| topology.intake()) else {
            return Some(now);
        };
        let node = node.index() as u32;
        let after = intake.take(node, bytes, now, insists, self.memory.desk(node), draw)?;
        Some(now.saturating_add(after))
    }

    /// When `node` will be done with all that came to it.
    pub fn idle_at(&mut self, now: u64, node: NodeId) -> u64 {
        self.memory.desk(node.index() as u32).idle_at(now)
    }

    /// A life of a node is over, and with it the work that it had.
    pub fn stopped(&mut self, node: NodeId) {
        self.memory.forget_desk(node.index() as u32);
    }

    /// How long a connection tries to get a message through before it breaks, in nanoseconds.
    pub fn patience(&self) -> Option<u64> {
        self.topology.as_ref().and_then(|topology| topology.patience())
    }

    /// How a carrier treats what is in flight.
    pub fn discipline(&self, carrier: u8) -> Discipline {
        self.carriers[usize::from(carrier)].discipline
    }

    /// Whether a carrier has ordered connections.
    pub fn is_ordered(&self, carrier: u8) -> bool {
        self.discipline(carrier) == Discipline::Fifo
    }

    /// When word of the end of a connection arrives: it is under way as a message is, and overtakes none. `last` as in
    /// [`Network::carry`].
    pub fn notice(&mut self, draw: &mut dyn Draw, now: u64, route: Route, last: Option<&mut u64>) -> u64 {
        let line = &mut self.carriers[usize::from(route.carrier)];
        let passage =
            Passage { from: route.src.index() as u32, to: route.dst.index() as u32, bytes: 0, at: now };
        let fate = match &self.topology {
            None => line.link.fate(passage, &mut line.memory, draw),
            Some(topology) => line.over(topology, &mut self.memory, passage, draw, &mut false),
        };
        let delay = match fate {
            Fate::Arrives(delay) | Fate::Doubled(delay, _) => delay,
            Fate::Lost => 0,
        };
        let ordered = line.ordered;
        let at = now.saturating_add(delay);
        if ordered { self.in_order((route.carrier, passage.from, passage.to), now, at, last) } else { at }
    }

    /// Whether a loss or a doubling on a carrier is an action of the world.
    pub fn is_told(&self, carrier: u8) -> bool {
        self.discipline(carrier) != Discipline::Set
    }

    /// How long a copy of a message that is in flight is under way, from `now`.
    pub fn delay(&mut self, draws: &mut Draws, now: u64, envelope: &Envelope) -> u64 {
        let Route { carrier, src, dst } = envelope.route;
        let bytes = envelope.message.encoded_len() as u64;
        match self.carry(draws, now, carrier, (src, dst), bytes, None).fate {
            Fate::Arrives(at) | Fate::Doubled(at, _) => at.saturating_sub(now),
            Fate::Lost => 0,
        }
    }

    /// Writes down what is remembered at `now` that makes a difference to what is sent from then on.
    pub fn write(&self, key: &mut Key, now: u64) {
        let Network { carriers, topology: _, later, memory, receivers: _, last, last_max: _ } = self;
        let memories = carriers.iter().map(|line| &line.memory).chain([memory]);
        for memory in memories {
            let remains = memory.remains(now);
            key.word(remains.len() as u64);
            remains.into_iter().for_each(|word| key.word(word));
        }
        key.word(later.len() as u64);
        let mut last: Vec<_> = last.iter().filter(|(_, last)| **last > now).collect();
        last.sort_unstable();
        key.word(last.len() as u64);
        for ((carrier, from, to), last) in last {
            key.words([u64::from(*carrier), u64::from(*from), u64::from(*to), *last]);
        }
    }

    /// Puts an arrival off to that of the message before it.
    #[inline]
    fn in_order(&mut self, pair: (u8, u32, u32), now: u64, at: u64, last: Option<&mut u64>) -> u64 {
        if let Some(last) = last {
            *last = at.max(*last);
            return *last;
        }
        if self.last.len() >= self.last_max {
            self.last.retain(|_, last| *last > now);
            self.last_max = (2 * self.last.len()).max(LAST_LEAST);
        }
        let last = self.last.entry(pair).or_insert(at);
        *last = at.max(*last);
        *last
    }
}

impl Carried {
    /// It arrives, and nothing had to be drawn for it.
    fn certain(at: u64) -> Self {
        Carried { fate: Fate::Arrives(at), told: false, stuck: false }
    }
}

impl Line {
    /// What becomes of a message of this carrier between sites: first what the carrier does, then the path. What an ordered
    /// connection loses it sends again; `stuck` where it loses patience.
    fn over(
        &mut self,
        topology: &Topology,
        memory: &mut Memory,
        passage: Passage,
        draw: &mut dyn Draw,
        stuck: &mut bool,
    ) -> Fate {
        let carried = self.link.fate(passage, &mut self.memory, draw);
        let (first, copy) = match carried {
            Fate::Lost => return Fate::Lost,
            Fate::Arrives(after) => (after, None),
            Fate::Doubled(after, copy) => (after, Some(copy)),
        };
        if self.discipline == Discipline::Fifo {
            let insisted = topology.insist(passage, memory, draw);
            *stuck = insisted.broken;
            return Fate::Arrives(first.saturating_add(insisted.nanos));
        }
        let fate = topology.fate(passage, memory, draw);
        match (fate, copy) {
            (Fate::Lost, _) => Fate::Lost,
            (Fate::Arrives(delay), None) => Fate::Arrives(first.saturating_add(delay)),
            (Fate::Arrives(delay), Some(copy)) => {
                Fate::Doubled(first.saturating_add(delay), copy.saturating_add(delay))
            }
            (Fate::Doubled(one, two), _) => {
                Fate::Doubled(first.saturating_add(one), first.saturating_add(two))
            }
        }
    }
}

/// What a topology does to datagrams, the system says of them: what may happen is for the system to say, and the topology
/// says how often.
///
/// # Errors
/// It loses or doubles datagrams of a carrier of which the system does not say so, or breaks connections and the system does not say `cut`.
pub fn said(model: &Model, topology: &Topology) -> Result<(), SimError> {
    let datagrams = model.carriers.iter().filter(|carrier| carrier.kind == CarrierKind::Datagram);
    for carrier in datagrams {
        let loss = carrier.loss > 0.0 || carrier.duplicates.is_some() && model.bounds.duplicates.is_none();
        let (does, clause) = match carrier.duplicates {
            _ if topology.loses() && !loss => ("loses", "loss 0.01"),
            None if topology.doubles() => ("doubles", "duplicates"),
            _ => continue,
        };
        return Err(SimError::Unsaid { carrier: carrier.name, does, clause });
    }
    let cuts = || model.faults.iter().any(|fault| fault.kind == FaultKind::Cut);
    let connections = model.carriers.iter().any(|carrier| carrier.kind != CarrierKind::Datagram);
    match topology.patience() {
        Some(_) if connections && !cuts() => Err(SimError::Unbroken),
        _ => Ok(()),
    }
}

fn line(carrier: &Carrier, discipline: Discipline) -> Line {
    let ordered = discipline == Discipline::Fifo;
    let sane = |p: f64| if p.is_finite() { p.clamp(0.0, 1.0) } else { 0.0 };
    let (loss, duplication) = match carrier.kind {
        CarrierKind::Reliable | CarrierKind::Secure => (0.0, 0.0),
        CarrierKind::Datagram => (sane(carrier.loss), sane(carrier.duplicates.unwrap_or(0.0))),
    };
    let overtaking = carrier.overtakes.filter(|_| !ordered).map_or(0.0, sane);
    let wide = |bandwidth: &f64| bandwidth.is_finite() && *bandwidth > 0.0;
    let bottleneck = |bytes_per_second| Bottleneck { bytes_per_second, buffer: None };
    let link = Path {
        delay: delay(carrier, ordered),
        loss: Loss::Independent(loss),
        duplication,
        overtaking,
        line: carrier.bandwidth.filter(wide).map(bottleneck),
    };
    let (constant, memory) = (link.constant(), Memory::default());
    let plain = match (&link.delay, &link.loss) {
        (Delay::Uniform(least, most), Loss::Independent(p))
            if least < most
                && most - least < u64::MAX
                && link.duplication <= 0.0
                && link.overtaking <= 0.0
                && link.line.is_none() =>
        {
            Some((*p, *least, most - least + 1))
        }
        _ => None,
    };
    Line { constant, plain, ordered: ordered && !link.steady(), discipline, memory, link }
}

/// The delay of a carrier. A datagram network that `reorders`, by no stated probability, and whose delay is constant spreads
/// it evenly between half and one and a half of it.
pub(crate) fn delay(carrier: &Carrier, ordered: bool) -> Delay {
    match carrier.delay {
        DelayModel::Constant(delay) if carrier.reorders && carrier.overtakes.is_none() && !ordered => {
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
        Network::of([(&carrier, discipline)].into_iter())
    }

    fn send(network: &mut Network, draws: &mut Draws, now: u64) -> Fate {
        network.carry(draws, now, 0, (A, B), 0, None).fate
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
            network.carry(&mut draws, u64::from(now) * 1_000, 0, pair, 0, None);
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
            let own = datagram.carry(&mut draws, now, 0, (A, A), 0, None).fate;
            assert_eq!(own, Fate::Arrives(now + LOOPBACK_NANOS));
            match send(&mut datagram, &mut draws, now) {
                Fate::Lost => seen[0] = true,
                Fate::Doubled(..) => seen[1] = true,
                Fate::Arrives(_) => seen[2] = true,
            }
        }
        assert_eq!(seen, [true; 3]);
    }

    #[test]
    fn a_carrier_of_limited_speed_sends_one_message_after_the_other() {
        for kind in [CarrierKind::Reliable, CarrierKind::Datagram] {
            let mut network = network(kind, |carrier| carrier.bandwidth = Some(1_000.0));
            let mut draws = Draws::new(1, 2);
            let mut arrive = |now, bytes| network.carry(&mut draws, now, 0, (A, B), bytes, None).fate;
            // A byte takes a millisecond, and the way 10.
            assert_eq!(arrive(0, 5), Fate::Arrives(15_000_000));
            assert_eq!(arrive(1_000_000, 5), Fate::Arrives(20_000_000));
            assert_eq!(arrive(30_000_000, 1), Fate::Arrives(41_000_000));
        }
    }

    #[test]
    fn a_stated_share_of_datagrams_overtakes() {
        let mut network = network(CarrierKind::Datagram, |carrier| {
            (carrier.reorders, carrier.overtakes) = (true, Some(0.25));
        });
        let under_way: Vec<u64> = arrivals(&mut network)
            .into_iter()
            .zip(0..)
            .map(|(at, i): (u64, u64)| at - i * 1_000_000)
            .collect();
        let early = under_way.iter().filter(|delay| **delay == 5_000_000).count();
        assert!(under_way.iter().all(|delay| matches!(delay, 5_000_000 | 10_000_000)));
        assert!((200..300).contains(&early), "{early} of 1,000");
    }

    fn placed(kind: CarrierKind, loss: f64) -> Network {
        let topology = Topology::from_csv("one_way_ms,a,b\na,1,30\nb,50,1").unwrap();
        let lossy = Path { loss: Loss::Independent(loss), ..Path::default() };
        let mut network = network(kind, |_| {});
        network.carriers[0].link.delay = Delay::Constant(0);
        network.carriers[0].constant = None;
        network.carriers[0].ordered = network.is_ordered(0);
        network.topology = Some(Arc::new(topology.with_path(lossy)));
        network
    }

    #[test]
    fn between_sites_it_takes_as_long_as_the_topology_says() {
        for kind in [CarrierKind::Reliable, CarrierKind::Datagram] {
            let mut network = placed(kind, 0.0);
            let mut draws = Draws::new(1, 2);
            assert_eq!(send(&mut network, &mut draws, 5), Fate::Arrives(30_000_005));
            assert_eq!(network.carry(&mut draws, 5, 0, (B, A), 9, None).fate, Fate::Arrives(50_000_005));
        }
    }

    #[test]
    fn a_connection_sends_again_what_the_path_loses_and_keeps_the_order() {
        let mut network = placed(CarrierKind::Reliable, 0.3);
        let arrivals = arrivals(&mut network);
        assert!(arrivals.is_sorted());
        // 280 ms after the first time, and 560 after the second.
        let mut network = placed(CarrierKind::Reliable, 0.3);
        let mut draws = Draws::new(1, 2);
        let (mut times, n) = ([0_u32; 3], 20_000);
        for i in 0..n {
            network.last.clear();
            match send(&mut network, &mut draws, i) {
                Fate::Arrives(at) => match (at - i) / 1_000_000 {
                    30 => times[0] += 1,
                    310 => times[1] += 1,
                    870 => times[2] += 1,
                    _ => {}
                },
                fate => panic!("{fate:?}"),
            }
        }
        for (found, expected) in times.into_iter().zip([0.7, 0.21, 0.063]) {
            let share = f64::from(found) / n as f64;
            assert!((share / expected - 1.0).abs() < 0.06, "{share} for {expected}");
        }
    }

    #[test]
    fn datagrams_are_lost_where_the_path_loses_them() {
        let mut network = placed(CarrierKind::Datagram, 0.3);
        let mut draws = Draws::new(1, 2);
        let lost = (0..10_000).filter(|now| send(&mut network, &mut draws, *now) == Fate::Lost).count();
        assert!((2_850..3_150).contains(&lost), "{lost} of 10,000");
    }

    #[test]
    fn a_path_that_loses_everything_lets_a_connection_through_in_the_end() {
        let mut network = placed(CarrierKind::Reliable, 1.0);
        let waited = 280 * ((1 << foresee_net::topology::RETRANSMISSIONS_MAX) - 1) + 30;
        assert_eq!(send(&mut network, &mut Draws::new(1, 2), 0), Fate::Arrives(waited * 1_000_000));
    }
}
