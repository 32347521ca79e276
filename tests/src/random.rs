//! Small random systems: a service whose handlers are tables, drawn from bytes. What engines are compared on.
//!
//! [`model`] reads its choices from a list of bytes and takes 0 beyond its end, so a shorter list, or one of smaller
//! bytes, is a plainer system: a property test shrinks well. Every construct that matters to an engine occurs: overlapping
//! handlers, choices in heads and bodies, chance, keyed timers, sends by every discipline of network, to oneself too;
//! losses and doublings with and without budgets; panics; starts that branch; stacks of two layers; bounds of all kinds
//! and none; safety, local and reachable properties that read different parts. [`planned`] adds a workload and faults.

mod properties;
mod service;
mod tables;

use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::model::ModelBuilder;
use foresee_kernel::plan::{Call, FaultBudget, FaultKind, FaultPlan, FaultTarget, Timing, Way};
use foresee_kernel::{ArgumentError, Arguments, Datum, Layer, Model, NodeId, SpecInfo, Stack, SystemInfo};

use properties::{PROPERTIES, UP_PROPERTIES, Upper, upper};
pub use properties::{WITHIN, hue, learn};
use service::{Downcall, INFOS, Random};
use tables::{COUNT_MAX, Cell, Draw, KINDS, Op, STATES, Tables, Target};

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
