//! Two-phase commit: the counts that Spin, TLC and Stateright find, by every search on one thread and on two, and
//! everything that the reference explorer says.

use std::sync::Arc;

use foresee_check::{Options, Progress, Report, Search, Status, Verdict, check};
use foresee_kernel::Model;
use foresee_tests::two_phase_commit;
use foresee_world::narrate;
use foresee_world::reference::{self, Limits};

fn run(model: &Arc<Model>, search: Search, threads: usize, keep_going: bool) -> Report {
    let options = Options { search, threads, keep_going, ..Options::default() };
    check(model, &options, &Arc::new(Progress::default())).expect("it can be checked")
}

fn ways() -> impl Iterator<Item = (Search, usize)> {
    [Search::BreadthFirst, Search::DepthFirst].into_iter().flat_map(|search| [(search, 1), (search, 2)])
}

#[test]
fn counts_are_those_of_the_reference() {
    for (rms, states) in [(3, 288), (5, 8_832)] {
        let model = Arc::new(two_phase_commit::model(rms, false));
        let limits = Limits { stop_at_violation: false, ..Limits::default() };
        let reference = reference::explore(&model, limits).expect("the start does not branch");
        assert_eq!(reference.unique_states, states, "the reference with {rms} participants");
        for (search, threads) in ways() {
            let report = run(&model, search, threads, false);
            let what = format!("{search:?} with {rms} participants on {threads} threads");
            assert_eq!(report.unique_states, states as u64, "{what}");
            assert_eq!(report.transitions, reference.transitions, "{what}");
            assert_eq!(report.depth_histogram.iter().sum::<u64>(), states as u64, "{what}");
            assert!(report.complete && report.verdict == Verdict::Held, "{what}: {report:?}");
            assert!(report.properties.iter().all(|property| property.status == Status::Held), "{what}");
            if search == Search::BreadthFirst {
                assert_eq!(report.depth, reference.depth, "{what}");
            }
        }
    }
}

#[test]
fn counts_with_seven_participants() {
    let model = Arc::new(two_phase_commit::model(7, false));
    for (search, threads) in ways() {
        assert_eq!(run(&model, search, threads, false).unique_states, 296_448, "{search:?}, {threads}");
    }
}

#[test]
#[ignore = "slow unless optimised"]
fn counts_with_eight_and_nine_participants() {
    for (rms, states) in [(8, 1_745_408), (9, 10_340_352)] {
        let model = Arc::new(two_phase_commit::model(rms, false));
        for (search, threads) in ways() {
            assert_eq!(run(&model, search, threads, false).unique_states, states, "{search:?}, {threads}");
        }
    }
}

#[test]
fn handlers_and_ignored_messages_are_counted_as_by_the_reference() {
    let model = Arc::new(two_phase_commit::model(3, true));
    let limits = Limits { stop_at_violation: false, ..Limits::default() };
    let reference = reference::explore(&model, limits).expect("the start does not branch");
    for (search, threads) in ways() {
        let report = run(&model, search, threads, true);
        for handler in &report.handlers {
            let runs = match handler.name {
                // The reference does not count starts; three participants share a service.
                "start" if handler.service == "Participant" => 3,
                "start" => 1,
                name => reference.handlers.get(&(handler.service, name)).copied().unwrap_or(0),
            };
            assert_eq!(handler.runs, runs, "{handler:?}, {search:?}, {threads}");
        }
        let ignored: Vec<_> =
            report.ignored.iter().map(|one| ((one.service, one.message, one.state), one.count)).collect();
        assert_eq!(ignored.into_iter().collect::<std::collections::BTreeMap<_, _>>(), reference.ignored);
    }
}

#[test]
fn a_fickle_participant_is_caught_by_a_shortest_path() {
    for rms in [2, 3, 4] {
        let model = Arc::new(two_phase_commit::model(rms, true));
        let reference = reference::explore(&model, Limits::default()).expect("the start does not branch");
        let (_, shortest) = reference.counterexample.expect("it is violated");
        for (search, threads) in ways() {
            let report = run(&model, search, threads, false);
            let found = report.counterexample.expect("it is violated");
            assert_eq!((report.verdict, found.property), (Verdict::Violated, "consistent"));
            let told = narrate::narrate(&model, &found.path).expect("the path can be walked");
            let program = foresee_world::Direct::new(model.clone());
            assert!(!told.world.view(&program, |view| (model.properties[0].holds)(view)), "{search:?}");
            if search == Search::BreadthFirst {
                assert_eq!(found.path.moves.len(), shortest.moves.len(), "{threads}");
            }
        }
    }
}

#[test]
fn violations_are_counted_when_going_on() {
    let model = Arc::new(two_phase_commit::model(3, true));
    let limits = Limits { stop_at_violation: false, ..Limits::default() };
    let reference = reference::explore(&model, limits).expect("the start does not branch");
    for (search, threads) in ways() {
        let report = run(&model, search, threads, true);
        assert_eq!(report.unique_states, reference.unique_states as u64);
        assert_eq!(report.properties[0].violations, reference.violations["consistent"]);
        assert!(report.complete && report.verdict == Verdict::Violated);
    }
}
