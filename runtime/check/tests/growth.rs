//! What a report says of growth is what a plain walk over all worlds measures, on any number of threads.

use std::collections::BTreeSet;
use std::sync::Arc;

use foresee_check::{Cut, GrowthReport, Measure, Options, Progress, Report, Search, check};
use foresee_kernel::{Extent, Model};
use foresee_tests::two_phase_commit;
use foresee_world::{Direct, World, path};

fn run(model: &Arc<Model>, options: &Options) -> Report {
    check(model, options, &Arc::new(Progress::default())).expect("it can be checked")
}

/// What is measured in a world of two-phase commit: who is known to be prepared, and what is under way to the coordinator, which is the
/// last node, and to a participant at most.
fn sizes(world: &World<Direct>) -> [u64; 3] {
    let coordinator = world.nodes.len() - 1;
    let ready = world.nodes[coordinator].layers[0].get::<foresee_kernel::LayerState<
        two_phase_commit::coordinator::Variables,
        two_phase_commit::coordinator::Timer,
    >>();
    let ready = Extent::of(&ready.expect("the coordinator").variables.ready).elements;
    let to = |node: usize| {
        let here = world.carriers[0].iter().filter(|envelope| envelope.route.dst.index() == node);
        here.count() as u64
    };
    [ready, to(coordinator), (0..coordinator).map(to).max().unwrap_or(0)]
}

/// For each depth up to `depth`, the largest sizes of its worlds.
fn measured(model: &Arc<Model>, depth: u32) -> Vec<[u64; 3]> {
    let program = Direct::new(model.clone());
    let initials = path::initials(&program, 1).expect("the start does not branch");
    let mut level: Vec<World<Direct>> = initials.into_iter().map(|initial| initial.world).collect();
    let mut seen: BTreeSet<u64> = level.iter().map(|world| world.digest(&program)).collect();
    let mut largest = Vec::new();
    for _ in 0..=depth {
        largest.push(level.iter().map(sizes).fold([0; 3], |most, it| [0, 1, 2].map(|n| it[n].max(most[n]))));
        let mut next = Vec::new();
        for world in &level {
            world.enabled(&program, |action| match action.stimulus(&program) {
                None => next.push(world.after(&program, &action, None)),
                Some((id, stimulus)) => {
                    let ways = program.successors(&world.nodes[id.index()], &stimulus);
                    next.extend(ways.iter().map(|way| world.after(&program, &action, Some(way))));
                }
            });
        }
        level = next.into_iter().filter(|world| seen.insert(world.digest(&program))).collect();
    }
    largest
}

/// The rows that the documentation promises for sizes by depth, in a search that saw states of the depth after the last.
fn expected(largest: &[[u64; 3]]) -> Vec<GrowthReport> {
    let rows = [
        ("Coordinator", "ready", Measure::Elements),
        ("Participant", "net", Measure::Messages),
        ("Coordinator", "net", Measure::Messages),
    ];
    let of = |(place, (service, name, measure)): (usize, (&'static str, &'static str, Measure))| {
        // By the columns of `sizes`.
        let column = [0, 2, 1][place];
        let mut highs: Vec<(usize, u64)> = Vec::new();
        for (depth, sizes) in largest.iter().enumerate() {
            if highs.last().is_none_or(|(_, high)| sizes[column] > *high) {
                highs.push((depth, sizes[column]));
            }
        }
        let (from, (last, to)) = (highs[0].1, highs[highs.len() - 1]);
        let grows = highs.len() > 3 && 4 * last >= 3 * (largest.len() - 1);
        grows.then_some(GrowthReport { service, name, measure, from, to, depth: last as u32 })
    };
    rows.into_iter().enumerate().filter_map(of).collect()
}

#[test]
fn what_is_said_to_grow_is_what_a_plain_walk_measures() {
    let model = Arc::new(two_phase_commit::model(5, false));
    let largest = measured(&model, 11);
    let mut said = BTreeSet::new();
    for depth in 1..=12 {
        let expected = expected(&largest[..depth]);
        for threads in [1, 2, 5] {
            let options = Options { threads, max_depth: Some(depth as u32), ..Options::default() };
            let report = run(&model, &options);
            assert!(!report.complete && report.depth == depth as u32, "{depth}");
            assert_eq!(report.growth, expected, "up to {depth}, on {threads} threads");
        }
        said.extend(expected.iter().map(|row| (row.name, row.service)));
        if depth < 4 {
            assert_eq!(expected, [], "{depth}");
        }
    }
    assert!(said.contains(&("ready", "Coordinator")) && said.contains(&("net", "Coordinator")), "{said:?}");
}

#[test]
fn nothing_grows_in_what_was_explored_to_its_end_or_violated() {
    for (broken, threads) in [(false, 1), (false, 2), (true, 1), (true, 2)] {
        let report =
            run(&Arc::new(two_phase_commit::model(4, broken)), &Options { threads, ..Options::default() });
        assert_eq!(report.complete, !broken);
        assert_eq!(report.growth, [], "{broken}, {threads}");
    }
}

#[test]
fn a_budget_shows_what_grew_until_it_was_spent() {
    let model = Arc::new(two_phase_commit::model(6, false));
    for search in [Search::BreadthFirst, Search::DepthFirst] {
        let report = run(&model, &Options { search, max_states: Some(9_000), ..Options::default() });
        assert_eq!(report.cut_by.iter().map(|cut| cut.by).collect::<Vec<_>>(), [Cut::States]);
        if search == Search::BreadthFirst {
            let ready = report.growth.iter().find(|row| row.name == "ready").expect("it grows");
            assert!((ready.from, ready.measure) == (0, Measure::Elements) && ready.to >= 3, "{ready:?}");
        }
    }
}
