//! The simulator stays within what the reference explorer reaches: every tuple of node states that a run visits is
//! the tuple of some reachable world of the same system. By hand for two-phase commit, and for random systems as far as
//! their bounds reach: a run goes on where a search is cut, and there the comparison ends.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use foresee_kernel::{Model, Tape};
use foresee_net::{Draw, Purpose, Stream};
use foresee_sim::{Options, ResolverKind, run};
use foresee_tests::{random, two_phase_commit};
use foresee_world::{Direct, Node, World, narrate, path};
use proptest::prelude::*;

/// The tuples of node states of all reachable worlds; None beyond `most` worlds.
fn reachable(model: &Arc<Model>, most: usize) -> Option<BTreeSet<Vec<Node>>> {
    let program = Direct::new(model.clone());
    let mut seen: hashbrown::HashSet<World<Direct>> = hashbrown::HashSet::default();
    let mut frontier = Vec::new();
    for initial in path::initials(&program, most)? {
        if seen.insert(initial.world.clone()) {
            frontier.push(initial.world);
        }
    }
    while let Some(world) = frontier.pop() {
        if seen.len() > most {
            return None;
        }
        if !world.within_bounds(&program, 0) {
            continue;
        }
        let mut actions = Vec::new();
        world.enabled(&program, |action| actions.push(action));
        for action in actions {
            let nexts: Vec<World<Direct>> = match action.stimulus(&program) {
                None => vec![world.after(&program, &action, None)],
                Some((id, stimulus)) => {
                    let ways = program.successors(&world.nodes[id.index()], &stimulus);
                    ways.iter().map(|way| world.after(&program, &action, Some(way))).collect()
                }
            };
            for next in nexts {
                if seen.insert(next.clone()) {
                    frontier.push(next);
                }
            }
        }
    }
    Some(seen.into_iter().map(|world| world.nodes).collect())
}

/// The tuples of node states that a run of `seed` visits, up to the first world that a search would not explore
/// further or that has more losses or doublings than a search may make.
fn visited(model: &Arc<Model>, seed: u64, resolver: ResolverKind) -> Vec<Vec<Node>> {
    let options = Options { trace: true, resolver, events_max: Some(200), ..Options::default() };
    let run = run(model, seed, &options).expect("it runs");
    let trace = run.trace.expect("it was asked for");
    let (path, _) = narrate::replay(model, &trace).expect("it replays");
    let program = Direct::new(narrate::unbudgeted(model));
    let start = path::initials(&program, 1 << 20).expect("not too many");
    let start = start.into_iter().find(|initial| initial.starts == path.starts);
    let mut world = start.expect("it is one of the first worlds").world;
    let mut tuples = vec![world.nodes.clone()];
    let bounds = &model.bounds;
    for step in path.moves {
        let successor = step.action.stimulus(&program).map(|(id, stimulus)| {
            let mut tape = Tape::new(step.tape.clone());
            let outcome = program.step(&world.nodes[id.index()], &stimulus, &mut tape);
            program.successor(id, outcome, step.tape.clone())
        });
        let within = world.within_bounds(&program, 0);
        world.apply(&program, &step.action, successor.as_ref());
        let overspent = bounds.drops.is_some_and(|most| world.ambient.drops > most)
            || bounds.duplicates.is_some_and(|most| world.ambient.duplicates > most);
        if !within || overspent {
            break;
        }
        tuples.push(world.nodes.clone());
    }
    tuples
}

/// How many tuples runs of `seeds` visit, all of them reachable; None where there are more than `most` worlds.
fn stays_within(model: &Arc<Model>, seeds: Range<u64>, most: usize) -> Option<usize> {
    let reachable = reachable(model, most)?;
    let mut found = BTreeSet::new();
    for seed in seeds {
        for resolver in [ResolverKind::Random, ResolverKind::First, ResolverKind::RoundRobin] {
            for tuple in visited(model, seed, resolver) {
                assert!(reachable.contains(&tuple), "seed {seed}: {tuple:?} is not reachable");
                found.insert(tuple);
            }
        }
    }
    Some(found.len())
}

#[test]
fn two_phase_commit_stays_within_what_is_reachable() {
    for fickle in [false, true] {
        let model = Arc::new(two_phase_commit::model(3, fickle));
        let found = stays_within(&model, 0..60, 100_000).expect("it is small");
        assert!(found > 20, "{found} tuples were visited");
    }
}

/// Systems with more worlds than this are passed over.
const WORLDS_MAX: usize = 6_000;

/// A random system whose runs nothing cuts short: no property to violate, no depth of a search.
fn roaming(bytes: &[u8]) -> Arc<Model> {
    let mut model = random::model(bytes);
    model.properties.clear();
    model.bounds.depth = None;
    Arc::new(model)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 100, ..ProptestConfig::default() })]

    #[test]
    fn random_systems_stay_within_what_is_reachable(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        seed in any::<u64>(),
    ) {
        stays_within(&roaming(&bytes), seed..seed.saturating_add(2), WORLDS_MAX);
    }

    #[test]
    fn recording_changes_nothing_of_random_systems(
        bytes in proptest::collection::vec(any::<u8>(), 0..400),
        seed in any::<u64>(),
    ) {
        let model = Arc::new(random::model(&bytes));
        let play = |trace| {
            let options = Options { trace, events_max: Some(300), ..Options::default() };
            let run = run(&model, seed, &options).expect("it runs");
            serde_json::to_string(&run).expect("it serialises")
        };
        prop_assert_eq!(play(false), play(true));
    }
}

/// The property above is worth what it compares.
#[test]
fn few_random_systems_are_passed_over() {
    let mut stream = Stream::new(1, Purpose(0), (0, 0), 0);
    let (mut compared, mut tuples) = (0, 0);
    for _ in 0..60 {
        let bytes: Vec<u8> = (0..200).map(|_| stream.below(256) as u8).collect();
        if let Some(found) = stays_within(&roaming(&bytes), 0..2, WORLDS_MAX) {
            compared += 1;
            tuples += found;
        }
    }
    assert!(compared >= 50 && tuples >= 120, "{compared} systems, {tuples} tuples");
}
