//! Every limit ends a search in good order, with what is known, whatever the search and the number of threads.

use std::sync::Arc;
use std::time::Duration;

use foresee_check::{CheckError, Cut, Options, Progress, Report, Search, Status, Verdict, check};
use foresee_kernel::Model;
use foresee_tests::two_phase_commit;
use foresee_world::narrate;

fn ways() -> impl Iterator<Item = (Search, usize)> {
    [Search::BreadthFirst, Search::DepthFirst]
        .into_iter()
        .flat_map(|search| [(search, 1), (search, 2), (search, 5)])
}

fn model(rms: usize) -> Arc<Model> {
    Arc::new(two_phase_commit::model(rms, false))
}

fn run(model: &Arc<Model>, options: &Options) -> Report {
    check(model, options, &Arc::new(Progress::default())).expect("it can be checked")
}

fn inconclusive(report: &Report, by: Cut) {
    assert_eq!(report.verdict, Verdict::Inconclusive);
    assert!(!report.complete);
    assert_eq!(report.cut_by.iter().map(|cut| cut.by).collect::<Vec<_>>(), [by]);
    assert!(report.properties.iter().all(|property| property.status == Status::Unknown));
    assert_eq!(report.depth_histogram.iter().sum::<u64>(), report.unique_states);
    assert!(report.counterexample.is_none());
}

#[test]
fn a_budget_of_states_is_kept_exactly() {
    let model = model(5);
    for (search, threads) in ways() {
        for most in [1, 2, 100, 8_000, 8_831] {
            let options = Options { search, threads, max_states: Some(most), ..Options::default() };
            let report = run(&model, &options);
            inconclusive(&report, Cut::States);
            assert_eq!(report.unique_states, most, "{search:?}, {threads}");
        }
        for most in [8_832, 8_833] {
            let options = Options { search, threads, max_states: Some(most), ..Options::default() };
            let report = run(&model, &options);
            assert!(report.complete, "as many states as there are: {search:?}, {threads}");
        }
    }
}

#[test]
fn a_budget_of_time_ends_the_search() {
    let model = model(9);
    for (search, threads) in ways() {
        let options =
            Options { search, threads, time: Some(Duration::from_millis(30)), ..Options::default() };
        let report = run(&model, &options);
        inconclusive(&report, Cut::Time);
        assert!(report.cut_by[0].states > 0);
    }
}

#[test]
fn a_cancelled_search_says_what_it_knows() {
    let model = model(9);
    for (search, threads) in ways() {
        let progress = Arc::new(Progress::default());
        let options = Options { search, threads, ..Options::default() };
        let report = std::thread::scope(|scope| {
            scope.spawn(|| {
                while progress.unique_states() < 500 {
                    std::thread::yield_now();
                }
                progress.cancel();
            });
            check(&model, &options, &progress).expect("it can be checked")
        });
        inconclusive(&report, Cut::Cancelled);
        assert_eq!(progress.unique_states(), report.unique_states);
    }
}

#[test]
fn a_depth_is_a_bound_and_means_shortest_ways_in_every_search() {
    let model = model(4);
    for depth in [0, 1, 3, 6] {
        let options =
            |search, threads| Options { search, threads, max_depth: Some(depth), ..Options::default() };
        let first = run(&model, &options(Search::BreadthFirst, 1));
        assert_eq!((first.verdict, first.depth), (Verdict::HeldWithinBounds, depth));
        assert_eq!(first.cut_by.len(), 1);
        assert_eq!(
            (first.cut_by[0].by, first.cut_by[0].states),
            (Cut::Depth, first.depth_histogram[depth as usize])
        );
        for (search, threads) in ways() {
            let report = run(&model, &options(search, threads));
            assert_eq!(report.unique_states, first.unique_states, "{search:?}, {threads}, {depth}");
            assert_eq!(report.transitions, first.transitions, "{search:?}, {threads}, {depth}");
            assert_eq!(report.depth_histogram, first.depth_histogram, "{search:?}, {threads}, {depth}");
            assert_eq!((report.verdict, &report.cut_by), (first.verdict, &first.cut_by));
        }
    }
    let beyond = run(&model, &Options { max_depth: Some(1_000), ..Options::default() });
    assert!(beyond.complete, "a bound that cuts nothing is none");
}

#[test]
fn a_stopped_search_does_the_same_every_time_breadth_first() {
    let model = Arc::new(two_phase_commit::model(4, true));
    let first = run(&model, &Options::default());
    assert_eq!(first.verdict, Verdict::Violated);
    assert!(first.cut_by.iter().all(|cut| cut.by == Cut::Violation));
    for threads in [1, 2, 5] {
        let report = run(&model, &Options { threads, ..Options::default() });
        assert_eq!(report.unique_states, first.unique_states, "{threads}");
        assert_eq!(report.transitions, first.transitions, "{threads}");
        assert_eq!(report.properties, first.properties, "{threads}");
        assert_eq!(report.cut_by, first.cut_by, "{threads}");
    }
}

#[test]
fn a_property_that_panics_is_an_error_that_names_it() {
    use foresee_kernel::{Property, PropertyKind};
    static BAD: Property = Property {
        name: "bad",
        kind: PropertyKind::Safety,
        file: "two_phase_commit.mace",
        line: 1,
        holds: |_| panic!("no state is good enough"),
        reads: &[],
        reads_up: false,
        alone: false,
        ghosts: false,
        why: Property::UNEXPLAINED,
    };
    let mut model = two_phase_commit::model(3, false);
    model.properties.push(&BAD);
    let model = Arc::new(model);
    for (search, threads) in ways() {
        let options = Options { search, threads, ..Options::default() };
        let error = check(&model, &options, &Arc::new(Progress::default())).expect_err("it panics");
        assert!(matches!(error, CheckError::PropertyFault { property: "bad", .. }), "{error:?}");
        assert!(error.to_string().contains("no state is good enough"), "{error}");
    }
}

#[test]
fn a_reachable_property_that_is_not_reached_fails_only_a_search_that_ended() {
    use foresee_kernel::{Property, PropertyKind};
    static NEVER: Property = Property {
        name: "never",
        kind: PropertyKind::Reachable,
        file: "two_phase_commit.mace",
        line: 1,
        holds: |_| false,
        reads: &[],
        reads_up: false,
        alone: false,
        ghosts: false,
        why: Property::UNEXPLAINED,
    };
    static AT_ONCE: Property = Property {
        name: "at_once",
        kind: PropertyKind::Reachable,
        file: "two_phase_commit.mace",
        line: 1,
        holds: |_| true,
        reads: &[],
        reads_up: false,
        alone: false,
        ghosts: false,
        why: Property::UNEXPLAINED,
    };
    let mut model = two_phase_commit::model(3, false);
    model.properties.extend([&NEVER, &AT_ONCE]);
    let model = Arc::new(model);
    let status = |report: &Report, name: &str| {
        report.properties.iter().find(|property| property.name == name).map(|property| property.status)
    };
    for (search, threads) in ways() {
        let options = Options { search, threads, ..Options::default() };
        let all = run(&model, &options);
        assert_eq!((all.verdict, status(&all, "never")), (Verdict::Violated, Some(Status::Unreached)));
        assert!(all.complete && all.counterexample.is_none());
        assert_eq!(status(&all, "at_once"), Some(Status::Reached));
        assert_eq!(all.witnesses.len(), 1);
        let told = narrate::narrate(&model, &all.witnesses[0].path).expect("the path can be walked");
        assert!(told.steps.is_empty(), "it holds at the start");
        let within = run(&model, &Options { max_depth: Some(2), ..options.clone() });
        assert_eq!((within.verdict, status(&within, "never")), (Verdict::Violated, Some(Status::Unreached)));
        let some = run(&model, &Options { max_states: Some(50), ..options });
        assert_eq!((some.verdict, status(&some, "never")), (Verdict::Inconclusive, Some(Status::Unknown)));
    }
}
