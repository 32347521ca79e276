//! The simulator stays within what the reference explorer reaches: every tuple of node states that a run visits is
//! the tuple of some reachable world of the same system.

use std::collections::BTreeSet;
use std::sync::Arc;

use foresee_kernel::{Model, Tape};
use foresee_sim::{Options, ResolverKind, run};
use foresee_tests::two_phase_commit;
use foresee_world::{Direct, Node, World, narrate, path};

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

/// The tuples of node states that a run of `seed` visits.
fn visited(model: &Arc<Model>, seed: u64, resolver: ResolverKind) -> Vec<Vec<Node>> {
    let options = Options { trace: true, resolver, events_max: Some(200), ..Options::default() };
    let trace = run(model, seed, &options).expect("it runs").trace.expect("it was asked for");
    let (path, _) = narrate::replay(model, &trace).expect("it replays");
    let program = Direct::new(narrate::unbudgeted(model));
    let start = path::initials(&program, 1 << 20).expect("not too many");
    let start = start.into_iter().find(|initial| initial.starts == path.starts);
    let mut world = start.expect("it is one of the first worlds").world;
    let mut tuples = vec![world.nodes.clone()];
    for step in path.moves {
        let successor = step.action.stimulus(&program).map(|(id, stimulus)| {
            let outcome =
                program.step(&world.nodes[id.index()], &stimulus, &mut Tape::new(step.tape.clone()));
            program.successor(id, outcome, step.tape.clone())
        });
        world.apply(&program, &step.action, successor.as_ref());
        tuples.push(world.nodes.clone());
    }
    tuples
}

fn stays_within(model: &Arc<Model>, seeds: u64, most: usize) -> Option<usize> {
    let reachable = reachable(model, most)?;
    let mut found = BTreeSet::new();
    for seed in 0..seeds {
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
        let found = stays_within(&model, 60, 100_000).expect("it is small");
        assert!(found > 20, "{found} tuples were visited");
    }
}
