//! Merging states changes no figure: random systems with faults, calls, choices and objectives of every kind, solved with states merged
//! and by making every run.

#[path = "support/alike.rs"]
mod alike;

use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::plan::Timing;
use foresee_kernel::{
    self as kernel, Amount, Claim, DelayModel, Figure, Growth, Model, NodeId, Objective, Predicate, Quantity,
    Sense, Statistical, Term, View,
};
use foresee_net::{Draw, Purpose, Stream, Topology};
use foresee_sim::{self as sim, Answers, Options};
use foresee_tests::random;

use alike::Compared;

/// A number of some states, and only of these: no predicate of any shape.
fn hue(view: &View<'_>, most: u64) -> f64 {
    (random::hue(view) % most) as f64
}

fn ups(view: &View<'_>) -> f64 {
    view.all().into_iter().filter(|node| view.up(*node)).count() as f64
}

const MESSAGES: &[Term] = &[
    Term::PerMessage { amount: Amount::Number(1.5), kinds: &[] },
    Term::PerByte { amount: Amount::AtNode(|_, node| 0.25 + node.index() as f64), kinds: &["M1"] },
];
const TIME: &[Term] = &[
    Term::PerSecond {
        over: |view| view.all(),
        rate: |view, node| hue(view, 4) + node.index() as f64,
        local: false,
    },
    Term::Growing {
        over: |view| view.all(),
        rates: |view, node| match view.up(node) {
            true => vec![(random::hue(view) % 3, 1.0), (7, 0.5)],
            false => Vec::new(),
        },
        growth: Growth::Power(|_| 1.0),
        local: false,
    },
];
const GROWS: &[Term] = &[Term::Growing {
    over: |view| view.all(),
    rates: |view, _| vec![(random::hue(view) % 2, 0.75)],
    growth: Growth::Factor(|_| 1.25),
    local: false,
}];
const ENDS: &[Term] = &[Term::AtHorizon { value: |view| hue(view, 7) - ups(view) }];

fn objectives(draw: &mut Stream) -> Vec<Objective> {
    let mut all = vec![
        Objective::minimize("messages", MESSAGES),
        Objective { sense: Sense::Maximize, weight: 0.5, ..Objective::minimize("time", TIME) },
        Objective { discount: 0.8, ..Objective::minimize("grows", GROWS) },
        Objective { level: 2, ..Objective::minimize("ends", ENDS) },
    ];
    for objective in &mut all {
        if draw.below(3) == 0 {
            objective.discount = 0.7;
        }
        if draw.below(3) == 0 {
            objective.horizon = Some(Duration::from_millis(1_700));
        }
    }
    all.retain(|_| draw.below(4) > 0);
    all
}

fn claims(model: &Model, draw: &mut Stream) -> Vec<Arc<Statistical>> {
    fn predicate(holds: fn(&View<'_>, &[NodeId]) -> bool) -> Predicate {
        Predicate { holds, reads: random::WITHIN.reads, reads_up: true }
    }
    let event = |most: u64| match most {
        0 => predicate(|view, _| hue(view, 11) == 0.0),
        1 => predicate(|view, _| hue(view, 3) == 0.0),
        _ => predicate(|view, _| ups(view) < 2.0),
    };
    let mut figures = Vec::new();
    for within in [None, Some(Duration::from_millis(1_500))] {
        let given = (draw.below(2) == 0).then(|| predicate(|view, _| hue(view, 5) > 0.0));
        figures.push(Figure::Probability { event: event(draw.below(3)), within, given });
    }
    let number = |value| Box::new(Quantity::Number(value));
    let state = || Box::new(Quantity::State(|view| hue(view, 9)));
    let mut some: Vec<Quantity> = Vec::new();
    for name in model.objectives.iter().map(|it| it.name) {
        let it = || Box::new(Quantity::Objective(name));
        some.push(match draw.below(7) {
            0 => Quantity::Objective(name),
            1 => Quantity::Quotient(it(), Box::new(Quantity::Total)),
            2 => Quantity::Product(it(), state()),
            3 => Quantity::Difference(Box::new(Quantity::Product(number(3.0), it())), state()),
            4 => Quantity::Quotient(it(), Box::new(Quantity::Calls(""))),
            5 => Quantity::Sum(Box::new(Quantity::Total), Box::new(Quantity::Calls(""))),
            _ => Quantity::Quotient(it(), number(4.0)),
        });
    }
    some.push(Quantity::State(|view| hue(view, 9)));
    figures.extend(some.into_iter().map(Figure::Expected));
    let claim = |figure| {
        let (name, file, text) = ("claim", "random.mace", "as drawn");
        Arc::new(Statistical { name, file, line: 1, text, figure, claim: Claim::AtLeast(0.4) })
    };
    figures.into_iter().map(claim).collect()
}

/// A random system in which nothing has a continuous law, and what is asked of it.
fn system(draw: &mut Stream) -> Model {
    let bytes: Vec<u8> = (0..250).map(|_| draw.below(256) as u8).collect();
    let mut model = random::planned(&bytes);
    let millis = |draw: &mut Stream, values: &[u64]| {
        Duration::from_millis(values[draw.below(values.len() as u64) as usize])
    };
    for carrier in &mut model.carriers {
        carrier.delay = match draw.below(4) {
            0 => DelayModel::Uniform(Duration::from_nanos(5), Duration::from_nanos(7)),
            _ => DelayModel::Constant(millis(draw, &[200, 400, 500, 1_000])),
        };
        // Of a constant delay it would make a continuous one.
        carrier.reorders = false;
        if draw.below(6) == 0 {
            carrier.bandwidth = Some(20.0);
        }
    }
    for call in &mut model.calls {
        let at = millis(draw, &[0, 500, 1_000, 2_000]);
        call.timing = Timing { rate: None, within: Some((at, at)) };
    }
    for fault in &mut model.faults {
        let at = millis(draw, &[0, 500, 900, 1_000]);
        let later = at + Duration::from_nanos(draw.below(3));
        fault.timing = Timing { rate: None, within: Some((at, later)) };
        fault.chance = (draw.below(3) == 0).then_some(0.4);
        if fault.back.is_some() {
            let back = millis(draw, &[0, 300, 1_100]);
            fault.back = Some((back, back + Duration::from_nanos(draw.below(2))));
        }
    }
    if draw.below(2) == 0 {
        model.properties.clear();
    }
    model.objectives = objectives(draw);
    model.statistics = claims(&model, draw);
    model
}

/// What many comparisons were of.
#[derive(Debug, Default)]
struct Tally {
    systems: usize,
    comparisons: usize,
    merged: usize,
    answered: usize,
    runs: f64,
    states: u64,
}

/// Solves random systems both ways: each up to ever later ends, as long as it has no more than `runs_max` runs.
fn compare_many(systems: u64, runs_max: u64) -> Tally {
    let mut tally = Tally::default();
    let topology = Topology::from_csv("one_way_ms,a,b\na,1,300\nb,500,1").expect("it is one");
    let topology = Arc::new(topology);
    for seed in 0..systems {
        let mut draw = Stream::new(seed, Purpose(0), (0, 0), 0);
        let mut model = system(&mut draw);
        let placed =
            draw.below(8) == 0 && model.carriers.iter().all(|it| it.loss > 0.0 || it.bandwidth.is_none());
        let topology = placed.then(|| topology.clone());
        let resolver = ["random", "first", "default", "round-robin"][draw.below(4) as usize];
        let mut found = false;
        for answers in [Answers::Resolver, Answers::Best] {
            if answers == Answers::Best && model.objectives.is_empty() {
                continue;
            }
            for end in [0, 1_000, 1_600, 2_500, 4_000, 8_000] {
                let until = Duration::from_millis(end);
                for claim in &mut model.statistics {
                    let claim = Arc::get_mut(claim).expect("nobody else has it");
                    if let Figure::Probability { within: within @ Some(_), .. } = &mut claim.figure {
                        *within = Some(until / 2);
                    }
                }
                let options = Options {
                    until: Some(until),
                    resolver: resolver.parse().expect("there is one"),
                    topology: topology.clone(),
                    // Some systems talk to themselves without end, or ever more.
                    events_max: Some(600),
                    ..Options::default()
                };
                let shared = Arc::new(model);
                let compared = alike::compare(&shared, &options, answers, runs_max);
                let said = format!("seed {seed}, {answers:?}, {resolver}, {end} ms");
                let compared = compared.unwrap_or_else(|error| panic!("{said}: {error}"));
                model = Arc::try_unwrap(shared).expect("nobody else has it");
                let Some(Compared { runs, states, answers }) = compared else { break };
                found |= runs > 1.0;
                tally.comparisons += 1;
                tally.merged += usize::from((states as f64) < runs - 1.0);
                tally.answered += usize::from(answers > 0);
                tally.runs += runs;
                tally.states += states;
            }
        }
        tally.systems += usize::from(found);
    }
    tally
}

#[test]
fn merged_states_give_the_figures_of_all_runs() {
    let tally = compare_many(100, 100);
    assert!(tally.systems >= 60 && tally.merged >= 30 && tally.answered >= 10, "{tally:?}");
}

/// The same for longer.
#[test]
#[ignore = "takes minutes"]
fn merged_states_give_the_figures_of_all_runs_of_many_systems() {
    let tally = compare_many(1_500, 1_000);
    assert!(tally.systems >= 1_000 && tally.merged >= 5_000 && tally.answered >= 1_000, "{tally:?}");
}
