//! What keeps states apart in exact solutions: for each part of a run that the future depends on, a system in which nothing else tells
//! of the past, and whose next event draws. Were the part forgotten, runs would be merged that have not the same future.

#[path = "support/alike.rs"]
mod alike;
mod support;

use std::any::TypeId;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::choice::Distribution;
use foresee_kernel::plan::{FaultKind, FaultPlan, FaultTarget, Timing};
use foresee_kernel::{
    self as kernel, Claim, Ctx, Event, Figure, Model, NodeId, Objective, Predicate, Property, PropertyKind,
    Read, Statistical, Term, View,
};
use foresee_sim::{self as sim, Answers, Options};
use support::{Behaviour, DRAW, Memory, Message, PICK, Puppet, Timer, reliable_stage, stage};

const A: NodeId = NodeId::new(0);
const B: NodeId = NodeId::new(1);

fn count(view: &View<'_>) -> f64 {
    let datagram = view.variables::<Puppet<false>>(A);
    let memory: Option<&Memory> = datagram.or_else(|| view.variables::<Puppet<true>>(A));
    memory.map_or(0.0, |memory| f64::from(memory.count))
}

const READS: &[Read] = &[Read {
    service: || TypeId::of::<Puppet<false>>(),
    digest: |variables, digest| {
        if let Some(memory) = variables.downcast_ref::<Memory>() {
            memory.hash(digest);
        }
    },
}];

fn coin(ctx: &Ctx<'_, Timer>) -> bool {
    ctx.random(&DRAW, Distribution::weighted([(true, 0.5), (false, 0.5)]))
}

/// The first node is told of each of five seconds. In the third something is drawn that matters to nobody: there states are looked up.
fn seconds(event: &Event, ctx: &Ctx<'_, Timer>) -> u32 {
    match event {
        Event::Start if ctx.me() == A => {
            (1..=5).for_each(|n| ctx.set(Timer(n), Duration::from_secs(n.into())))
        }
        Event::Timer(timer) => {
            let second = timer.get::<Timer>().map_or(0, |timer| timer.0);
            if second == 3 {
                coin(ctx);
            }
            return second;
        }
        _ => {}
    }
    0
}

/// The last count of the first node is what a run comes to, and how long it had none.
fn scored(mut model: Model) -> Model {
    model.horizon = Some(Duration::from_secs(9));
    model.objectives = vec![
        Objective::minimize("last", &[Term::AtHorizon { value: count }]),
        Objective::minimize(
            "none",
            &[Term::PerSecond {
                over: |_| vec![A],
                rate: |view, _| f64::from(count(view) == 0.0),
                local: true,
            }],
        ),
    ];
    model
}

fn is_the_same(model: Model, resolver: &str) {
    let options = Options { resolver: resolver.parse().expect("there is one"), ..Options::default() };
    let compared = alike::compare(&Arc::new(model), &options, Answers::Resolver, 10_000);
    let compared = compared.unwrap_or_else(|error| panic!("{error}")).expect("it is small");
    assert!(compared.states >= 3 && compared.runs >= 4.0, "{compared:?}");
    assert_eq!(compared.answers, 0, "nobody is asked for the best");
}

/// A fault that happens with probability one half.
fn fault(kind: FaultKind, at: u64, chance: Option<f64>) -> FaultPlan {
    let at = Duration::from_secs(at);
    FaultPlan {
        text: "a fault",
        line: 70,
        kind,
        // Or how often it happened would tell.
        most: None,
        target: FaultTarget::OneOf(vec![B]),
        timing: Timing { rate: None, within: Some((at, at)) },
        chance,
        back: None,
    }
}

#[test]
fn what_properties_and_claims_saw() {
    const SHOWS: Behaviour = |this, event, ctx| match seconds(event, ctx) {
        1 => this.count = u32::from(coin(ctx)),
        2 => this.count = 0,
        _ => {}
    };
    static SHOWN: [Property; 1] = [Property {
        name: "shown",
        kind: PropertyKind::Reachable,
        file: "puppet.mace",
        line: 7,
        holds: |view| count(view) == 1.0,
        reads: READS,
        reads_up: false,
        alone: false,
        ghosts: false,
        why: Property::UNEXPLAINED,
    }];
    let mut model = scored(stage(1, SHOWS, |_| {}));
    model.properties.extend(&SHOWN);
    is_the_same(model, "random");
    let mut model = scored(stage(1, SHOWS, |_| {}));
    let predicate = |holds| Predicate { holds, reads: READS, reads_up: false };
    let figures = [
        Figure::Probability { event: predicate(|view, _| count(view) == 1.0), within: None, given: None },
        Figure::Probability {
            event: predicate(|_, _| true),
            within: None,
            given: Some(predicate(|view, _| count(view) == 0.0)),
        },
    ];
    let claim = |figure| {
        let (name, file, text) = ("claim", "puppet.mace", "as written");
        Arc::new(Statistical { name, file, line: 1, text, figure, claim: Claim::AtLeast(0.4) })
    };
    model.statistics = figures.into_iter().map(claim).collect();
    is_the_same(model, "random");
}

#[test]
fn whose_turn_it_is() {
    const TURNS: Behaviour = |this, event, ctx| match seconds(event, ctx) {
        1 => {
            for _ in 0..=u32::from(coin(ctx)) {
                ctx.choose(&PICK, [1_u32, 2]);
            }
        }
        4 => this.count = ctx.choose(&PICK, [1_u32, 2]),
        _ => {}
    };
    is_the_same(scored(stage(1, TURNS, |_| {})), "round-robin");
}

/// The first node asks the second in the fourth second, and counts the answer.
const ASKS: Behaviour = |this, event, ctx| match event {
    Event::Deliver { src, .. } if ctx.me() == B => ctx.send(0, *src, Message::Ball(2)),
    Event::Deliver { .. } => this.count = 1,
    event => {
        if seconds(event, ctx) == 4 {
            ctx.send(0, B, Message::Ball(1));
        }
    }
};

#[test]
fn who_is_down_and_who_is_cut_off() {
    for kind in [FaultKind::Crash, FaultKind::Partition] {
        let mut model = scored(stage(2, ASKS, |_| {}));
        model.faults = vec![fault(kind, 1, Some(0.5))];
        is_the_same(model, "random");
    }
}

#[test]
fn what_waits_before_a_line() {
    // What is lost has been on the line.
    const CROWDS: Behaviour = |this, event, ctx| match event {
        Event::Deliver { .. } => this.count = 1,
        event => match seconds(event, ctx) {
            1 if ctx.me() == A && coin(ctx) => ctx.send(0, B, Message::Box(vec![0; 40])),
            4 => ctx.send(0, B, Message::Ball(1)),
            _ => {}
        },
    };
    const BACK: Behaviour = |this, event, ctx| match event {
        Event::Deliver { src, .. } if ctx.me() == B => ctx.send(0, *src, Message::Ball(2)),
        event => CROWDS(this, event, ctx),
    };
    let model = stage(2, BACK, |carrier| {
        carrier.loss = 0.5;
        carrier.bandwidth = Some(10.0);
    });
    is_the_same(scored(model), "random");
}

#[test]
fn which_connections_are_open() {
    // What breaks before the second second is forgotten.
    const BREAKS: Behaviour = |this, event, ctx| match event {
        Event::Broken { .. } if ctx.me() == A => this.count += 1,
        Event::Deliver { .. } | Event::Broken { .. } => {}
        Event::Start if ctx.me() == A => {
            ctx.send(0, B, Message::Ball(1));
            seconds(event, ctx);
        }
        event => {
            if seconds(event, ctx) == 2 {
                this.count = 0;
            }
        }
    };
    let mut model = scored(reliable_stage(2, BREAKS, |_| {}));
    model.faults = vec![fault(FaultKind::Cut, 1, Some(0.5)), fault(FaultKind::Cut, 4, None)];
    is_the_same(model, "random");
}
