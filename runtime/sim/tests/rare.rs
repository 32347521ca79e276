//! Rare events whose probabilities are known: a gambler's ruin.

mod support;

use std::any::TypeId;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::choice::Distribution;
use foresee_kernel::{Event, Model, NodeId, Property, PropertyKind, Read, View};
use foresee_sim::{Options, Rare, Splitting, rare};
use support::{Behaviour, DRAW, Memory, Puppet, Timer, stage, with_properties};

/// From one, up with probability a third and down with two thirds every second, until it is nothing.
const WALK: Behaviour = |this, event, ctx| match event {
    Event::Start => {
        this.count = 1;
        ctx.set(Timer(0), Duration::from_secs(1));
    }
    Event::Timer(_) => {
        match ctx.random(&DRAW, Distribution::weighted([(true, 1.0), (false, 2.0)])) {
            true => this.count += 1,
            false => this.count -= 1,
        }
        if this.count > 0 {
            ctx.set(Timer(0), Duration::from_secs(1));
        }
    }
    _ => {}
};

const READS: &[Read] = &[Read {
    service: || TypeId::of::<Puppet<false>>(),
    digest: |variables, digest| {
        if let Some(memory) = variables.downcast_ref::<Memory>() {
            memory.hash(digest);
        }
    },
}];

fn count(view: &View<'_>) -> u32 {
    view.variables::<Puppet<false>>(NodeId::new(0)).map_or(0, |memory| memory.count)
}

const fn property(name: &'static str, kind: PropertyKind, holds: fn(&View<'_>) -> bool) -> Property {
    Property {
        name,
        kind,
        file: "puppet.mace",
        line: 1,
        holds,
        why: |_| Vec::new(),
        reads: READS,
        reads_up: false,
        alone: false,
        ghosts: false,
    }
}

static PROPERTIES: [Property; 5] = [
    property("five", PropertyKind::Reachable, |view| count(view) >= 5),
    property("ten", PropertyKind::Reachable, |view| count(view) >= 10),
    property("fifteen", PropertyKind::Reachable, |view| count(view) >= 15),
    property("twenty", PropertyKind::Reachable, |view| count(view) >= 20),
    property("below", PropertyKind::Safety, |view| count(view) < 20),
];

fn model() -> Arc<Model> {
    with_properties(stage(1, WALK, |_| {}), &PROPERTIES)
}

/// From 1, of reaching `n` before 0.
fn ruin(n: i32) -> f64 {
    (2.0 - 1.0) / (2.0_f64.powi(n) - 1.0)
}

fn splitting(event: &str, milestones: &[&str]) -> Splitting {
    let milestones = milestones.iter().map(|it| (*it).to_owned()).collect();
    Splitting { event: event.to_owned(), milestones, effort: 100, batches: 10, error: 0.01 }
}

fn found(seed: u64, threads: usize, how: &Splitting) -> Rare {
    rare(&model(), seed, threads, &Options::default(), how).expect("it is found")
}

#[test]
fn the_probability_of_a_rare_event_is_within_its_interval() {
    // Twenty is reached once in a million runs; plain runs would never see it.
    let (mut misses, mut means) = (0, 0.0);
    for seed in 0..10 {
        let rare = found(seed, 1, &splitting("twenty", &["five", "ten", "fifteen"]));
        let interval = rare.interval.expect("there are batches");
        misses += u32::from(!(interval.low..=interval.high).contains(&ruin(20)));
        means += rare.probability / 10.0;
        assert_eq!(rare.levels.len(), 4);
        assert!(rare.runs <= 4 * 100 * 10);
    }
    // The intervals of skewed batches miss a little more often than they say.
    assert!(misses <= 2, "{misses} of 10 intervals miss {}", ruin(20));
    assert!((means / ruin(20) - 1.0).abs() < 0.3, "{means} for {}", ruin(20));
}

#[test]
fn milestones_change_the_precision_and_not_the_figure() {
    let one = found(1, 1, &Splitting { effort: 3_000, ..splitting("five", &[]) });
    assert!((one.probability / ruin(5) - 1.0).abs() < 0.05, "{one:?}");
    let two = found(1, 1, &splitting("ten", &["five"]));
    assert!((two.probability / ruin(10) - 1.0).abs() < 0.5, "{two:?}");
    // What is violated is an event, too.
    let violated = found(1, 1, &splitting("below", &["five", "ten", "fifteen"]));
    assert!((violated.probability / ruin(20)).ln().abs() < 1.0, "{violated:?}");
}

#[test]
fn a_seed_fixes_it_whatever_the_threads_and_nonsense_is_refused() {
    let how = splitting("ten", &["five"]);
    let text = |threads| serde_json::to_string(&found(3, threads, &how)).expect("it serialises");
    assert_eq!(text(1), text(3));
    let refused = |how: Splitting| {
        rare(&model(), 1, 1, &Options::default(), &how).expect_err("it is refused").to_string()
    };
    assert!(
        refused(splitting("sixty", &[])).starts_with("the system has no property `sixty`: `five`, `ten`")
    );
    assert!(refused(splitting("ten", &["below"])).contains("`below` is no milestone"));
    assert!(refused(Splitting { effort: 0, ..how }).contains("no runs"));
}
