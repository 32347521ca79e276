//! A puppet: a service whose behaviour is a function that a test gives, and systems of puppets.

#![allow(dead_code)]

use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::ctx::{Alternative, Taken};
use foresee_kernel::model::ModelBuilder;
use foresee_kernel::trace::Action;
use foresee_kernel::{
    Arguments, Carrier, CarrierInfo, CarrierKind, Ctx, Datum, Event, HandlerInfo, Layer, Model, NodeId,
    Property, Service, ServiceInfo, Shape, SiteInfo, SpecInfo, Stack, SystemInfo, Trace,
};
use serde::{Deserialize, Serialize};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Message {
    /// Numbered.
    Ball(u32),
    /// As many bytes.
    Box(Vec<u8>),
}

impl Shape for Message {
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
    fn kind(&self) -> &'static str {
        match self {
            Message::Ball(_) => "Ball",
            Message::Box(_) => "Box",
        }
    }
}

/// A timer with its argument.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Timer(pub u32);

impl Shape for Timer {
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
}

/// What a puppet remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Memory {
    /// What it was told, in order, where it notes it.
    pub log: Vec<String>,
    /// A number.
    pub count: u32,
}

impl Shape for Memory {
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
}

/// What a puppet does when it is told something.
pub type Behaviour = fn(&mut Memory, &Event, &Ctx<'_, Timer>);

/// The service: `RELIABLE` says which carrier it uses.
#[derive(Clone)]
pub struct Puppet<const RELIABLE: bool>(pub Behaviour);

impl<const RELIABLE: bool> std::fmt::Debug for Puppet<RELIABLE> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Puppet")
    }
}

/// Where a puppet chooses.
pub static PICK: SiteInfo = SiteInfo::new("pick", 2);
/// Where a puppet draws.
pub static DRAW: SiteInfo = SiteInfo::new("draw", 3);
static HANDLERS: [HandlerInfo; 1] = [HandlerInfo::new("any", "any", 1)];
static SITES: [SiteInfo; 1] = [SiteInfo::new("any", 1)];

const fn info(carriers: &'static [CarrierInfo]) -> ServiceInfo {
    ServiceInfo {
        name: "Puppet",
        file: "puppet.mace",
        line: 1,
        states: &[],
        variables: &[],
        messages: &[],
        carriers,
        handlers: &HANDLERS,
        sites: &SITES,
        tables: &foresee_kernel::Tables::NONE,
    }
}

static DATAGRAM: ServiceInfo = info(&[CarrierInfo { name: "net", kind: CarrierKind::Datagram }]);
static RELIABLE: ServiceInfo = info(&[CarrierInfo { name: "net", kind: CarrierKind::Reliable }]);

impl<const R: bool> Service for Puppet<R> {
    type Variables = Memory;
    type Timer = Timer;

    fn info() -> &'static ServiceInfo {
        if R { &RELIABLE } else { &DATAGRAM }
    }

    fn init(&self, _: NodeId) -> Memory {
        Memory::default()
    }

    fn recover(&self, me: NodeId, _: &Memory) -> Memory {
        self.init(me)
    }

    fn step(&self, this: &mut Memory, event: &Event, ctx: &Ctx<'_, Timer>) {
        if let Event::Deliver { message, .. } = event
            && message.get::<Message>().is_none_or(|message| *message == Message::Ball(u32::MAX))
        {
            return ctx.consumed(false);
        }
        ctx.which(&SITES[0], &[Alternative { handler: 0, ways: 1 }], &|_: Taken| String::new());
        (self.0)(this, event, ctx);
    }

    fn control(_: &Memory) -> &'static str {
        ""
    }

    fn fields(this: &Memory) -> Vec<(&'static str, String)> {
        vec![("log", this.log.join(" ")), ("count", this.count.to_string())]
    }

    fn accepts(message: &Datum) -> bool {
        message.get::<Message>().is_some()
    }
}

/// The spec.
pub static SPEC: SpecInfo = SpecInfo {
    name: "puppet",
    file: "puppet.mace",
    hash: 2,
    services: &[&DATAGRAM],
    systems: &[SystemInfo {
        name: "Stage",
        line: 9,
        parameters: &[],
        order_of_ids: &[],
        build: |_| unreachable!("tests build the model themselves"),
    }],
    scenarios: &[],
};

/// A system of `count` puppets over datagrams that take a millisecond.
pub fn stage(count: usize, behaviour: Behaviour, carrier: impl FnOnce(&mut Carrier)) -> Model {
    build::<false>(count, behaviour, carrier)
}

/// A system of `count` puppets over ordered connections that take a millisecond.
pub fn reliable_stage(count: usize, behaviour: Behaviour, carrier: impl FnOnce(&mut Carrier)) -> Model {
    build::<true>(count, behaviour, carrier)
}

fn build<const R: bool>(count: usize, behaviour: Behaviour, carrier: impl FnOnce(&mut Carrier)) -> Model {
    let mut model = ModelBuilder::new(&SPEC, "Stage", &Arguments::default()).expect("no arguments");
    let group = model.group("p", Some(count)).expect("not too many");
    model.place(&group, |_| Stack::new(vec![Layer::new(Puppet::<R>(behaviour))]));
    model.network("net", |told| {
        told.delay = foresee_kernel::DelayModel::Constant(Duration::from_millis(1));
        carrier(told);
    });
    model.finish()
}

/// With these properties.
pub fn with_properties(mut model: Model, properties: &'static [Property]) -> Arc<Model> {
    model.properties.extend(properties);
    Arc::new(model)
}

/// The steps of a trace, a line each: microseconds, then what happened.
pub fn lines(trace: &Trace) -> Vec<String> {
    let line = |step: &foresee_kernel::trace::Step| {
        let at = step.at_nanos.unwrap_or_default() / 1_000;
        match &step.action {
            Action::Fire { node, timer, .. } => format!("{at} fire {timer} at {node}"),
            action => format!("{at} {action}"),
        }
    };
    trace.steps.iter().map(line).collect()
}
