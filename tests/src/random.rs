//! Small random systems: a service whose handlers are tables, drawn from bytes. What engines are compared on.
//!
//! [`model`] reads its choices from a list of bytes and takes 0 beyond its end, so a shorter list, or one of smaller
//! bytes, is a plainer system: a property test shrinks well. Every construct that matters to an engine occurs: overlapping
//! handlers, choices in heads and bodies, chance, keyed timers, sends by every discipline of network, to oneself too;
//! losses and doublings with and without budgets; panics; starts that branch; stacks of two layers; bounds of all kinds
//! and none; safety, local and reachable properties that read different parts. [`planned`] adds a workload and faults.
//!
//! This file is long because the service, its tables and what is drawn for them are read side by side.

use std::any::TypeId;
use std::cell::RefCell;
use std::collections::BTreeSet;
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::choice::Distribution;
use foresee_kernel::ctx::{Alternative, Taken};
use foresee_kernel::model::ModelBuilder;
use foresee_kernel::plan::{Call, FaultBudget, FaultKind, FaultPlan, FaultTarget, Timing, Way};
use foresee_kernel::{
    ArgumentError, Arguments, CarrierInfo, CarrierKind, Ctx, Datum, Digest, Event, Extent, HandlerInfo,
    Layer, Model, NodeId, Property, PropertyKind, Read, Service, ServiceInfo, Shape, SiteInfo, SpecInfo,
    Stack, SystemInfo, VariableInfo, View,
};
use serde::{Deserialize, Serialize};

/// How many control states there are.
const STATES: usize = 3;
/// How many kinds of message, and how many keys of timers.
const KINDS: usize = 2;
/// The greatest value of the counter.
const COUNT_MAX: u8 = 2;
/// The most handlers for an event in a control state.
const ALTERNATIVES_MAX: usize = 3;

/// Where choices are drawn from.
struct Draw<'b> {
    bytes: &'b [u8],
}

impl Draw<'_> {
    /// A number below `bound`; 0 when all bytes are used up.
    fn below(&mut self, bound: u8) -> u8 {
        match self.bytes.split_first() {
            Some((byte, rest)) => {
                self.bytes = rest;
                byte % bound
            }
            None => 0,
        }
    }

    fn list<T>(&mut self, least: u8, most: u8, mut item: impl FnMut(&mut Self) -> T) -> Vec<T> {
        let length = least + self.below(most - least + 1);
        (0..length).map(|_| item(self)).collect()
    }
}

/// Whom a message is sent to.
#[derive(Clone, Copy, Debug)]
enum Target {
    Me,
    Sender,
    Next,
    All,
    Chosen,
    Node(u32),
}

/// One thing that a handler does.
#[derive(Clone, Copy, Debug)]
enum Op {
    Goto(u8),
    Count,
    Reset,
    Remember,
    Send { carrier: u8, kind: u8, target: Target },
    Set(u8),
    Cancel(u8),
    Choose,
    Chance,
    Fault { at: u8 },
}

/// A handler in a table.
#[derive(Clone, Debug)]
struct Cell {
    /// It applies only while the counter is at most so much.
    at_most: u8,
    /// In how many ways its head goes; each adds to the counter as much as its place.
    ways: u8,
    ops: Vec<Op>,
}

/// The handlers of a layer.
#[derive(Debug)]
pub struct Tables {
    start: Vec<Op>,
    /// By kind of message, or past those by key of timer; then by control state.
    events: Vec<Vec<Vec<Cell>>>,
    nodes: u32,
}

impl Tables {
    /// Where a carrier is preferred, almost all is sent over it.
    fn draw(draw: &mut Draw<'_>, nodes: u32, preferred: Option<u8>) -> Self {
        let preferred = preferred.filter(|_| draw.below(4) != 3);
        let op = |draw: &mut Draw<'_>| match Op::draw(draw) {
            Op::Send { carrier, kind, target } => {
                Op::Send { carrier: preferred.unwrap_or(carrier), kind, target }
            }
            op => op,
        };
        let start = draw.list(1, 4, op);
        let cell = |draw: &mut Draw<'_>| Cell {
            at_most: COUNT_MAX - draw.below(COUNT_MAX + 1),
            ways: 1 + draw.below(4) / 3 * 2,
            ops: draw.list(0, 3, op),
        };
        let states = |draw: &mut Draw<'_>| {
            (0..STATES)
                .map(|_| {
                    let most = [1, 0, 1, ALTERNATIVES_MAX as u8][usize::from(draw.below(4))];
                    draw.list(most.min(1), most, cell)
                })
                .collect()
        };
        let events = (0..2 * KINDS).map(|_| states(draw)).collect();
        Tables { start, events, nodes }
    }
}

impl Op {
    fn draw(draw: &mut Draw<'_>) -> Self {
        match draw.below(20) {
            0..=3 => Op::Goto(draw.below(STATES as u8)),
            4 | 5 => Op::Count,
            6 => Op::Reset,
            7 => Op::Remember,
            8..=12 => {
                let (carrier, kind) = (draw.below(3), draw.below(KINDS as u8));
                let targets =
                    [Target::Next, Target::Sender, Target::Me, Target::All, Target::Chosen, Target::Next];
                Op::Send { carrier, kind, target: targets[usize::from(draw.below(6))] }
            }
            13..=15 => Op::Set(draw.below(KINDS as u8)),
            16 => Op::Cancel(draw.below(KINDS as u8)),
            17 => Op::Choose,
            18 => Op::Chance,
            _ => Op::Fault { at: draw.below(COUNT_MAX + 3) },
        }
    }
}

/// A service whose handlers are tables. `LAYER` tells two services of a stack apart.
#[derive(Debug)]
pub struct Random<const LAYER: usize> {
    tables: Arc<Tables>,
}

/// A message of [`Random`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Message<const LAYER: usize> {
    kind: u8,
    count: u8,
}

impl<const LAYER: usize> Shape for Message<LAYER> {
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
    fn kind(&self) -> &'static str {
        ["M0", "M1"][usize::from(self.kind)]
    }
}

/// A timer of [`Random`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timer(u8);

impl Shape for Timer {
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
    fn kind(&self) -> &'static str {
        "t"
    }
}

/// A call of [`Random`], handled as a message of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Downcall {
    kind: u8,
    /// The number, where it is a request.
    request: Option<u64>,
}

impl Shape for Downcall {
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
}

/// Control state and variables of [`Random`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Variables {
    state: u8,
    count: u8,
    last: Option<NodeId>,
}

impl Shape for Variables {
    fn rename(&mut self, map: &dyn Fn(NodeId) -> NodeId) {
        self.last.rename(map);
    }

    fn each_field(&self, visit: &mut dyn FnMut(&'static str, Extent)) {
        visit("count", Extent::of(&self.count));
    }
}

const fn handler(name: &'static str, event: &'static str, line: u32) -> HandlerInfo {
    HandlerInfo::new(name, event, line)
}

/// A handler for each event and alternative, and the start.
static HANDLERS: [HandlerInfo; 2 * KINDS * ALTERNATIVES_MAX + 1] = [
    handler("m0_a", "deliver M0", 11),
    handler("m0_b", "deliver M0", 12),
    handler("m0_c", "deliver M0", 13),
    handler("m1_a", "deliver M1", 14),
    handler("m1_b", "deliver M1", 15),
    handler("m1_c", "deliver M1", 16),
    handler("t0_a", "timer t(0)", 17),
    handler("t0_b", "timer t(0)", 18),
    handler("t0_c", "timer t(0)", 19),
    handler("t1_a", "timer t(1)", 20),
    handler("t1_b", "timer t(1)", 21),
    handler("t1_c", "timer t(1)", 22),
    handler("start", "start", 10),
];

static SITES: [SiteInfo; 4] = [
    SiteInfo::new("event", 10),
    SiteInfo::new("choose", 30).open(),
    SiteInfo::new("chance", 31),
    SiteInfo::new("target", 32).open(),
];

static VARIABLES: [VariableInfo; 3] = [
    VariableInfo::new("state", "State", 2),
    VariableInfo::new("count", "u8", 3),
    VariableInfo::new("last", "Option<NodeId>", 4).durable(),
];

const fn info(name: &'static str) -> ServiceInfo {
    ServiceInfo {
        name,
        file: "random.mace",
        line: 1,
        states: &["Zero", "One", "Two"],
        variables: &VARIABLES,
        messages: &[],
        carriers: &[
            CarrierInfo { name: "ordered", kind: CarrierKind::Reliable },
            CarrierInfo { name: "loose", kind: CarrierKind::Datagram },
            CarrierInfo { name: "copying", kind: CarrierKind::Datagram },
        ],
        handlers: &HANDLERS,
        sites: &SITES,
        tables: &foresee_kernel::Tables::NONE,
    }
}

static INFOS: [ServiceInfo; 2] = [info("Upper"), info("Lower")];

impl<const LAYER: usize> Random<LAYER> {
    fn run(&self, ops: &[Op], way: u8, src: Option<NodeId>, this: &mut Variables, ctx: &Ctx<'_, Timer>) {
        this.count = (this.count + way).min(COUNT_MAX);
        let nodes = self.tables.nodes;
        let all: Vec<NodeId> = (0..nodes).map(NodeId::new).collect();
        for op in ops {
            match *op {
                Op::Goto(state) => this.state = state,
                Op::Count => this.count = (this.count + 1).min(COUNT_MAX),
                Op::Reset => this.count = 0,
                Op::Remember => this.last = src,
                Op::Send { carrier, kind, target } => {
                    let message = Message::<LAYER> { kind, count: this.count % 2 };
                    let carrier = usize::from(carrier);
                    match target {
                        Target::Me => ctx.send(carrier, ctx.me(), message),
                        Target::Sender => ctx.send(carrier, src, message),
                        Target::Next => {
                            let next = (ctx.me().index() as u32 + 1) % nodes;
                            ctx.send(carrier, NodeId::new(next), message);
                        }
                        Target::All => ctx.send(carrier, &all, message),
                        Target::Node(node) => ctx.send(carrier, NodeId::new(node), message),
                        Target::Chosen => ctx.send(carrier, ctx.choose(&SITES[3], &all), message),
                    }
                }
                Op::Set(key) => ctx.set(Timer(key), Duration::from_secs(1)),
                Op::Cancel(key) => ctx.cancel(Timer(key)),
                Op::Choose => this.count = ctx.choose(&SITES[1], 0..=COUNT_MAX),
                Op::Chance => {
                    let outcomes = [(this.state, 1.0), ((this.state + 1) % STATES as u8, 3.0)];
                    this.state = ctx.random(&SITES[2], Distribution::weighted(outcomes));
                }
                Op::Fault { at } => assert!(this.count != at, "the counter is {at}"),
            }
        }
    }
}

impl<const LAYER: usize> Service for Random<LAYER> {
    type Variables = Variables;
    type Timer = Timer;

    fn info() -> &'static ServiceInfo {
        &INFOS[LAYER]
    }

    fn init(&self, _: NodeId) -> Variables {
        Variables { state: 0, count: 0, last: None }
    }

    fn recover(&self, me: NodeId, before: &Variables) -> Variables {
        Variables { last: before.last, ..self.init(me) }
    }

    fn step(&self, this: &mut Variables, event: &Event, ctx: &Ctx<'_, Timer>) {
        let (class, src) = match event {
            Event::Start => {
                let start = [Alternative { handler: HANDLERS.len() as u16 - 1, ways: 1 }];
                ctx.which(&SITES[0], &start, &|_| String::new());
                return self.run(&self.tables.start, 0, None, this, ctx);
            }
            Event::Deliver { src, message, .. } => match message.get::<Message<LAYER>>() {
                Some(message) => (usize::from(message.kind), Some(*src)),
                None => return ctx.consumed(false),
            },
            Event::Timer(timer) => match timer.get::<Timer>() {
                Some(Timer(key)) => (KINDS + usize::from(*key), None),
                None => return ctx.consumed(false),
            },
            Event::Call(call) => match call.get::<Downcall>() {
                Some(Downcall { kind, request }) => {
                    // A request is told from the one before.
                    this.last = request.map(|number| NodeId::new((number % 2) as u32)).or(this.last);
                    (usize::from(*kind), None)
                }
                None => return ctx.consumed(false),
            },
            // As a timer does, but somebody is concerned.
            Event::Broken { peer, .. } => (KINDS, Some(*peer)),
            _ => return ctx.consumed(false),
        };
        let cells = &self.tables.events[class][usize::from(this.state)];
        let alternative = |(place, cell): (usize, &Cell)| Alternative {
            handler: (class * ALTERNATIVES_MAX + place) as u16,
            ways: if this.count <= cell.at_most { usize::from(cell.ways) } else { 0 },
        };
        let alternatives: Vec<Alternative> = cells.iter().enumerate().map(alternative).collect();
        match ctx.which(&SITES[0], &alternatives, &|taken| format!("{}", taken.way)) {
            Some(Taken { alternative, way }) => {
                self.run(&cells[alternative].ops, way as u8, src, this, ctx);
            }
            // Of the two kinds one is ignored on purpose.
            None => ctx.consumed(class == 1),
        }
    }

    fn control(this: &Variables) -> &'static str {
        INFOS[LAYER].states[usize::from(this.state)]
    }

    fn fields(this: &Variables) -> Vec<(&'static str, String)> {
        vec![
            ("state", Self::control(this).to_owned()),
            ("count", this.count.to_string()),
            ("last", format!("{:?}", this.last)),
        ]
    }

    fn accepts(message: &Datum) -> bool {
        message.get::<Message<LAYER>>().is_some()
    }
}

type Upper = Random<0>;
type Lower = Random<1>;

fn upper<'a>(view: &View<'a>) -> Vec<&'a Variables> {
    view.running::<Upper>().into_iter().filter_map(|node| view.variables::<Upper>(node)).collect()
}

const READS_STATE: Read = Read {
    service: || TypeId::of::<Upper>(),
    digest: |variables, digest| {
        if let Some(variables) = variables.downcast_ref::<Variables>() {
            variables.state.hash(digest);
        }
    },
};

const READS_ALL: Read = Read {
    service: || TypeId::of::<Upper>(),
    digest: |variables, digest| {
        if let Some(variables) = variables.downcast_ref::<Variables>() {
            (variables.state, variables.count, variables.last).hash(digest);
        }
    },
};

const READS_LOWER: Read = Read {
    service: || TypeId::of::<Lower>(),
    digest: |variables, digest| {
        if let Some(variables) = variables.downcast_ref::<Variables>() {
            variables.count.hash(digest);
        }
    },
};

const fn property(
    name: &'static str,
    kind: PropertyKind,
    holds: fn(&View<'_>) -> bool,
    reads: &'static [Read],
) -> [Property; 1] {
    [Property {
        name,
        kind,
        file: "random.mace",
        line: 40,
        holds,
        why: Property::UNEXPLAINED,
        reads,
        reads_up: false,
    }]
}

const READS_LOWER_ALL: Read = Read {
    service: || TypeId::of::<Lower>(),
    digest: |variables, digest| {
        if let Some(variables) = variables.downcast_ref::<Variables>() {
            (variables.state, variables.count, variables.last).hash(digest);
        }
    },
};

/// The properties that a system draws from, each in a list of its own.
static PROPERTIES: [[Property; 1]; 6] = [
    property(
        "not_all_two",
        PropertyKind::Safety,
        |view| !upper(view).iter().all(|node| node.state == 2),
        &[READS_STATE],
    ),
    property(
        "full_only_at_zero",
        PropertyKind::Local,
        |view| upper(view).iter().all(|node| node.count < COUNT_MAX || node.state == 0),
        &[READS_ALL],
    ),
    property(
        "someone_is_full",
        PropertyKind::Reachable,
        |view| upper(view).iter().any(|node| node.count == COUNT_MAX && node.state != 0),
        &[READS_ALL],
    ),
    property(
        "lower_stays_low",
        PropertyKind::Safety,
        |view| {
            let lower = view.running::<Lower>();
            let count = |node| view.variables::<Lower>(node).map_or(0, |variables| variables.count);
            lower.into_iter().map(count).sum::<u8>() <= COUNT_MAX
        },
        &[READS_LOWER],
    ),
    property(
        "first_remembers_itself",
        PropertyKind::Reachable,
        |view| upper(view).first().is_some_and(|node| node.last == Some(NodeId::new(0))),
        &[READS_ALL],
    ),
    property(
        "neighbours_differ",
        PropertyKind::Safety,
        |view| {
            let nodes = upper(view);
            nodes.len() < 2 || nodes[0].state != 1 || nodes[1].state != 1
        },
        &[READS_STATE],
    ),
];

thread_local! {
    static SEEN: RefCell<Seen> = RefCell::new(Seen::default());
}

/// What [`WITHIN`] remembers.
#[derive(Default)]
struct Seen {
    learns: bool,
    states: BTreeSet<u64>,
}

/// Holds in the states of nodes that the last exploration of this thread with [`learn`] saw, whatever is in flight.
pub static WITHIN: Property = Property {
    name: "within",
    kind: PropertyKind::Safety,
    file: "random.mace",
    line: 50,
    holds: |view| {
        let mut digest = Digest::new();
        for node in view.all() {
            (view.up(node), view.variables::<Upper>(node), view.variables::<Lower>(node)).hash(&mut digest);
        }
        SEEN.with_borrow_mut(|seen| {
            if seen.learns {
                seen.states.insert(digest.finish());
            }
            seen.states.contains(&digest.finish())
        })
    },
    reads: &[READS_ALL, READS_LOWER_ALL],
    reads_up: true,
    why: Property::UNEXPLAINED,
};

/// From now on [`WITHIN`] learns, having forgotten all, or it learns no more.
pub fn learn(learns: bool) {
    SEEN.with_borrow_mut(|seen| {
        if learns {
            seen.states.clear();
        }
        seen.learns = learns;
    });
}

/// Properties that see who is up.
static UP_PROPERTIES: [[Property; 1]; 2] = [
    [Property {
        name: "up_or_at_zero",
        kind: PropertyKind::Safety,
        file: "random.mace",
        line: 45,
        holds: |view| {
            let zero = |id: &NodeId| view.variables::<Upper>(*id).is_some_and(|node| node.last.is_none());
            view.all().iter().all(|id| view.up(*id) || zero(id))
        },
        reads: &[READS_ALL],
        reads_up: true,
        why: Property::UNEXPLAINED,
    }],
    [Property {
        name: "two_are_down",
        kind: PropertyKind::Reachable,
        file: "random.mace",
        line: 46,
        holds: |view| view.all().iter().filter(|id| !view.up(**id)).count() == 2,
        reads: &[],
        reads_up: true,
        why: Property::UNEXPLAINED,
    }],
];

/// The spec.
pub static SPEC: SpecInfo = SpecInfo {
    name: "random",
    file: "random.mace",
    hash: 2,
    services: &[&INFOS[0], &INFOS[1]],
    systems: &[SystemInfo {
        name: "Random",
        line: 50,
        parameters: &[],
        order_of_ids: &[],
        build: |_| Err(ArgumentError::new("bytes", "a random system is built by `model`")),
    }],
    scenarios: &[],
};

/// The system that `bytes` say.
pub fn model(bytes: &[u8]) -> Model {
    system(bytes, None)
}

/// The system that `bytes` say, with a carrier that is preferred where queues are bounded.
fn system(bytes: &[u8], preferred: Option<u8>) -> Model {
    let mut draw = Draw { bytes };
    let nodes = 2 + draw.below(2);
    let (stacked, alike, free) = (draw.below(3) == 2, draw.below(2) == 0, draw.below(2) == 1);
    let mut builder = ModelBuilder::new(&SPEC, "Random", &Arguments::default())
        .expect("no arguments are given, so none is unknown");
    let group = builder.group("n", Some(usize::from(nodes))).expect("there are few nodes");
    network(&mut builder, &mut draw, free);
    for [property] in &PROPERTIES {
        if draw.below(3) != 2 {
            builder.properties(std::slice::from_ref(property));
        }
    }
    bound(&mut builder, &mut draw, free);
    // Over the carrier that keeps what was sent, queues seldom grow.
    let preferred = if free { Some(2) } else { preferred };
    // Nodes run the same tables, or each its own.
    let count = if alike { 1 } else { usize::from(nodes) };
    let tables = |draw: &mut Draw<'_>| Arc::new(Tables::draw(draw, u32::from(nodes), preferred));
    let drawn: Vec<(Arc<Tables>, Arc<Tables>)> =
        (0..count).map(|_| (tables(&mut draw), tables(&mut draw))).collect();
    builder.place(&group, |id| {
        let (upper, lower) = &drawn[id.index() % count];
        let mut layers = vec![Layer::new(Random::<0> { tables: upper.clone() })];
        if stacked {
            layers.push(Layer::new(Random::<1> { tables: lower.clone() }));
        }
        Stack::new(layers)
    });
    builder.finish()
}

/// The system that `bytes` say, with a workload and faults. What properties see is also who is up.
pub fn planned(bytes: &[u8]) -> Model {
    let (plans, rest) = bytes.split_at(bytes.len().min(PLAN_BYTES));
    let mut draw = Draw { bytes: plans };
    let mut model = system(rest, (draw.below(2) == 1).then_some(0));
    let most = |draw: &mut Draw<'_>| [Some(1), Some(1), Some(2), None][usize::from(draw.below(4))];
    model.calls = draw.list(0, 3, |draw| {
        let request = draw.below(3) == 2;
        // Requests without end are worlds without end.
        let most = most(draw).or(request.then_some(1));
        let ways = draw.list(1, 2, |draw| way(&model, draw, request));
        let after_restart = draw.below(2) == 1;
        Call { text: "a call", line: 60, most, timing: Timing::default(), after_restart, ways }
    });
    model.faults = draw.list(0, 3, |draw| {
        use FaultKind::{Crash, Cut, Partition, Reset};
        let kinds = [Crash, Reset, Cut, Partition, Cut, Crash, Cut];
        FaultPlan {
            text: "a fault",
            line: 70,
            kind: kinds[usize::from(draw.below(7))],
            most: most(draw),
            target: target(&model, draw),
            timing: Timing::default(),
            chance: (draw.below(8) == 7).then_some(0.0),
            back: (draw.below(4) != 3).then_some((Duration::ZERO, Duration::ZERO)),
        }
    });
    model.bounds.calls = (draw.below(8) == 7).then_some(2);
    if draw.below(4) == 3 {
        let kind = [FaultKind::Crash, FaultKind::Reset, FaultKind::Cut, FaultKind::Partition]
            [usize::from(draw.below(4))];
        model.bounds.faults = vec![FaultBudget { kind, nodes: some_nodes(&model, &mut draw), most: 1 }];
    }
    for [property] in &UP_PROPERTIES {
        if draw.below(3) == 2 {
            model.properties.push(property);
        }
    }
    if draw.below(8) == 7 {
        model.bounds.within.push(|view| view.up(NodeId::new(0)) || view.up(NodeId::new(1)));
    }
    model
}

/// How many bytes say what is planned.
const PLAN_BYTES: usize = 48;

fn way(model: &Model, draw: &mut Draw<'_>, request: bool) -> Way {
    let node = NodeId::new(u32::from(draw.below(model.nodes.len() as u8)));
    let layer = draw.below(model.nodes[node.index()].layers().len() as u8);
    let (kind, probability) = (draw.below(KINDS as u8), f64::from(u8::from(draw.below(8) != 7)));
    let call = move |number| Datum::new(Downcall { kind, request: request.then_some(number) });
    Way { node, layer, probability, call: Arc::new(call) }
}

fn some_nodes(model: &Model, draw: &mut Draw<'_>) -> Vec<NodeId> {
    let first = draw.below(model.nodes.len() as u8);
    let all = (0..model.nodes.len() as u32).map(NodeId::new);
    all.filter(|id| draw.below(2) == 0 || id.index() == usize::from(first)).collect()
}

/// Any of some nodes, or a set that depends on the state.
fn target(model: &Model, draw: &mut Draw<'_>) -> FaultTarget {
    match draw.below(6) {
        4 => FaultTarget::AllOf(|view| {
            let busy = |id: &NodeId| view.variables::<Upper>(*id).is_some_and(|node| node.state != 0);
            view.all().into_iter().filter(busy).collect()
        }),
        5 => FaultTarget::AllOf(|view| view.all().into_iter().filter(|id| view.up(*id)).take(2).collect()),
        _ => FaultTarget::OneOf(some_nodes(model, draw)),
    }
}

/// A system that `bytes` say of automata that do little but move and wake each other: from each of its few states a node moves on
/// its own or on a message, and tells some others, whom messages once sent reach for ever. Its interleavings are what is
/// hard about it.
pub fn automata(bytes: &[u8]) -> Model {
    let mut draw = Draw { bytes };
    let nodes = 2 + draw.below(3);
    let mut builder = ModelBuilder::new(&SPEC, "Random", &Arguments::default())
        .expect("no arguments are given, so none is unknown");
    let group = builder.group("n", Some(usize::from(nodes))).expect("there are few nodes");
    builder.network("copying", |carrier| carrier.duplicates = Some(0.1));
    builder.properties(&PROPERTIES[0]);
    let drawn: Vec<Arc<Tables>> =
        (0..nodes).map(|node| Arc::new(automaton(&mut draw, u32::from(nodes), u32::from(node)))).collect();
    builder
        .place(&group, |id| Stack::new(vec![Layer::new(Random::<0> { tables: drawn[id.index()].clone() })]));
    builder.finish()
}

/// One of [`automata`]: its only timer is always armed.
fn automaton(draw: &mut Draw<'_>, nodes: u32, me: u32) -> Tables {
    let tick = Op::Set(0);
    let cell = |draw: &mut Draw<'_>, rearm: bool| {
        let mut ops = vec![Op::Goto(draw.below(STATES as u8))];
        for _ in 0..[0, 0, 1, 1, 2][usize::from(draw.below(5))] {
            let other = (me + 1 + u32::from(draw.below((nodes - 1) as u8))) % nodes;
            ops.push(Op::Send { carrier: 2, kind: draw.below(KINDS as u8), target: Target::Node(other) });
        }
        ops.extend(rearm.then_some(tick));
        Cell { at_most: COUNT_MAX, ways: 1, ops }
    };
    let mut events = vec![vec![Vec::new(); STATES]; 2 * KINDS];
    for (class, states) in events.iter_mut().enumerate().take(KINDS + 1) {
        let ticks = class == KINDS;
        for cells in states {
            *cells = draw.list(0, 2, |draw| cell(draw, ticks));
            if ticks && cells.is_empty() {
                cells.push(Cell { at_most: COUNT_MAX, ways: 1, ops: vec![tick] });
            }
        }
    }
    Tables { start: vec![tick], events, nodes }
}

/// Says what the network does; within no budgets where the system is `free`.
fn network(builder: &mut ModelBuilder, draw: &mut Draw<'_>, free: bool) {
    let (lossy, doubling) = (draw.below(2) == 1, draw.below(4));
    builder.network("loose", |carrier| {
        carrier.loss = if lossy { 0.25 } else { 0.0 };
        carrier.duplicates = (doubling == 3).then_some(0.1);
    });
    builder.network("copying", |carrier| carrier.duplicates = Some(0.1));
    if free {
        return;
    }
    let bounds = builder.bounds();
    bounds.drops = (draw.below(2) == 1).then(|| u32::from(draw.below(3)));
    bounds.duplicates = (draw.below(2) == 1).then(|| u32::from(draw.below(3)));
}

/// Bounds the search. Where the system is `free`, at most by depth: queues that grow without end are then for who
/// explores the system to notice.
fn bound(builder: &mut ModelBuilder, draw: &mut Draw<'_>, free: bool) {
    let bounds = builder.bounds();
    if free {
        bounds.depth = (draw.below(2) == 1).then(|| 2 + u32::from(draw.below(7)));
        return;
    }
    bounds.messages = Some(2 + u32::from(draw.below(3)));
    if draw.below(4) == 3 {
        bounds.depth = Some(u32::from(draw.below(8)));
    }
    if draw.below(4) == 3 {
        bounds.within.push(|view| upper(view).iter().map(|node| node.count).sum::<u8>() <= COUNT_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_say_everything_and_their_end_is_no_error() {
        let long: Vec<u8> = (0..2_000_u32).map(|byte| (byte * 89 % 251) as u8).collect();
        for bytes in [&[][..], &[1], &[255; 40], &long] {
            let (once, again) = (planned(bytes), planned(bytes));
            assert_eq!(format!("{once:?}"), format!("{again:?}"));
            assert!((2..=3).contains(&once.nodes.len()));
        }
    }
}
