//! The service whose handlers are tables: what stands in them is done in a step.

use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::choice::Distribution;
use foresee_kernel::ctx::{Alternative, Taken};
use foresee_kernel::{
    CarrierInfo, CarrierKind, Ctx, Datum, Event, Extent, HandlerInfo, NodeId, Service, ServiceInfo, Shape,
    SiteInfo, VariableInfo,
};
use serde::{Deserialize, Serialize};

use super::tables::{ALTERNATIVES_MAX, COUNT_MAX, Cell, KINDS, Op, STATES, Tables, Target};

/// A service whose handlers are tables. `LAYER` tells two services of a stack apart.
#[derive(Debug)]
pub struct Random<const LAYER: usize> {
    pub(super) tables: Arc<Tables>,
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
    pub(super) kind: u8,
    /// The number, where it is a request.
    pub(super) request: Option<u64>,
}

impl Shape for Downcall {
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
}

/// Control state and variables of [`Random`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Variables {
    pub(super) state: u8,
    pub(super) count: u8,
    pub(super) last: Option<NodeId>,
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

pub(super) static INFOS: [ServiceInfo; 2] = [info("Upper"), info("Lower")];

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
