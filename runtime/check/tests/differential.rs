//! The heart of the crate's tests: on random systems every search says what the reference explorer says.

use std::collections::BTreeMap;
use std::sync::Arc;

use foresee_check::{
    Backend, Cut, Fingerprint, Options, Progress, Report, Search, Status, Tuning, Verdict, check_with,
    choices,
};
use foresee_kernel::trace::Ending;
use foresee_kernel::{FaultKind, FaultTarget, Model, NodeId, PropertyKind, SiteInfo};
use foresee_tests::random;
use foresee_world::narrate;
use foresee_world::reference::{self, Limits, NO_FAULT};
use foresee_world::{Direct, Planned, Program};
use proptest::prelude::*;

/// Systems with more states than this are passed over.
const STATES_MAX: usize = 4_000;

fn tunings() -> [Tuning; 4] {
    let all = Tuning { sleepers_depth_first: true, frontier_max: Some(0), ..Tuning::default() };
    [
        all,
        Tuning { sleepers_max: 0, ..Tuning::default() },
        Tuning { steps_max: 7, sleepers_max: 1, ..all },
        Tuning {
            steps_max: 40,
            transitions_max: 60,
            evaluations_max: 3,
            sleepers_max: 2,
            row_max: 2,
            look_first: 3,
            ..all
        },
    ]
}

fn networks() -> [Backend; 2] {
    [Backend::Channels, Backend::Flat]
}

fn run(model: &Arc<Model>, options: &Options, tuning: &Tuning) -> Report {
    check_with(model, options, tuning, &Arc::new(Progress::default())).expect("it can be checked")
}

/// What two explorations must agree on.
fn compare(model: &Arc<Model>, reference: &reference::Report, report: &Report, options: &Options) {
    assert_eq!(report.unique_states, reference.unique_states as u64, "states");
    assert_eq!(report.transitions, reference.transitions, "transitions, {:?}", options.search);
    assert_eq!(report.complete, reference.complete, "complete");
    assert_eq!(report.depth_histogram.iter().sum::<u64>(), report.unique_states, "histogram");
    for property in &report.properties {
        let violations = reference.violations.get(property.name).copied().unwrap_or(0);
        assert_eq!(property.violations, violations, "{}", property.name);
        let reached = reference.reached.contains(&property.name);
        let held = if reference.complete { Status::Held } else { Status::HeldWithinBounds };
        let status = match property.kind {
            PropertyKind::Reachable if reached => Status::Reached,
            PropertyKind::Reachable => Status::Unreached,
            PropertyKind::Safety | PropertyKind::Local if violations > 0 => Status::Violated,
            PropertyKind::Safety | PropertyKind::Local => held,
        };
        assert_eq!(property.status, status, "{}", property.name);
    }
    let runs = report.handlers.iter().filter(|handler| handler.name != "start" && handler.runs > 0);
    let runs: BTreeMap<_, _> = runs.map(|handler| ((handler.service, handler.name), handler.runs)).collect();
    // How often starts run before the first state is not counted by the reference.
    let handlers = reference.handlers.iter().filter(|((_, name), _)| *name != "start");
    assert_eq!(runs, handlers.map(|(key, runs)| (*key, *runs)).collect(), "handlers");
    let direct = Direct::new(model.clone());
    let starts = (0..model.nodes.len()).flat_map(|node| direct.starts(NodeId::new(node as u32)));
    let starts: Vec<_> = starts.flat_map(|way| way.chose).collect();
    let made = |site: &'static SiteInfo| {
        let at_start = starts.iter().filter(|other| std::ptr::eq(**other, site)).count() as u64;
        at_start + reference.chosen.get(&site.address()).copied().unwrap_or(0)
    };
    assert_eq!(report.choices, choices(model, made), "choices");
    let fired = report.plans.iter().filter(|plan| plan.fired > 0).map(|plan| (plan.plan, plan.fired));
    assert_eq!(fired.collect::<BTreeMap<_, _>>(), reference.fired, "plans");
    let ignored = report.ignored.iter().map(|one| ((one.service, one.message, one.state), one.count));
    assert_eq!(ignored.collect::<BTreeMap<_, _>>(), reference.ignored, "ignored");
    let verdict = report.properties.iter().fold(
        if report.complete { Verdict::Held } else { Verdict::HeldWithinBounds },
        |verdict, property| match property.status {
            Status::Violated | Status::Unreached => Verdict::Violated,
            _ => verdict,
        },
    );
    assert_eq!(report.verdict, verdict);
    assert_eq!(report.counterexample.is_some(), reference.counterexample.is_some(), "counterexample");
    if matches!(options.search, Search::BreadthFirst | Search::IterativeDeepening) {
        assert_eq!(report.depth, reference.depth, "depth");
        if let (Some(found), Some((_, shortest))) = (&report.counterexample, &reference.counterexample) {
            assert_eq!(found.path.moves.len(), shortest.moves.len(), "shortest");
        }
    }
    report.counterexample.iter().chain(&report.witnesses).for_each(|found| replay(model, found));
}

/// Walks a path by values, and looks at what is at its end.
fn replay(model: &Arc<Model>, found: &foresee_check::Counterexample) {
    let told = narrate::narrate(model, &found.path).expect("the path can be walked");
    let program = Direct::new(model.clone());
    let holds = |name: &str| {
        let property = model.properties.iter().find(|property| property.name == name).expect("it is there");
        told.world.view(&program, |view| (property.holds)(view))
    };
    match &found.ending {
        Ending::Violation { property } => assert!(!holds(property), "{property}"),
        Ending::Witness { property } => assert!(holds(property), "{property}"),
        Ending::Fault { message } => {
            assert_eq!(found.property, NO_FAULT);
            let faults: Vec<String> =
                told.steps.iter().filter_map(|step| step.fault.as_ref().map(ToString::to_string)).collect();
            // Starts may fault at several nodes; a step that faults is the last one.
            assert!(
                faults.contains(message) && (found.path.moves.is_empty() || faults.last() == Some(message))
            );
        }
        Ending::Cycle { .. } | Ending::Run => panic!("nothing ends so"),
    }
    let writer = narrate::to_trace(model, &found.path, "check", None, found.ending.clone());
    let (path, again) = narrate::replay(model, &writer.expect("it can be told")).expect("it replays");
    // Two ways of a call may be alike, and then either is found again.
    assert_eq!(path.moves.len(), found.path.moves.len());
    let states = |told: &narrate::Narration| told.steps.iter().map(|step| step.digest).collect::<Vec<_>>();
    assert_eq!(states(&again), states(&told));
}

fn agree(model: Model) -> Result<(), TestCaseError> {
    let model = Arc::new(model);
    let limits = Limits { states_max: STATES_MAX, stop_at_violation: false, ..Limits::default() };
    let reference = reference::explore(&model, limits);
    prop_assume!(reference.as_ref().is_some_and(|reference| !reference.stopped));
    let Some(reference) = reference else { return Ok(()) };
    let mut grown = None;
    for search in [Search::BreadthFirst, Search::DepthFirst] {
        for threads in [1, 2] {
            let options = Options { search, threads, keep_going: true, ..Options::default() };
            let fingerprints = [Fingerprint::Narrow, Fingerprint::Wide].into_iter().cycle();
            let ways = networks().into_iter().flat_map(|it| tunings().map(|tuning| (it, tuning)));
            let ways = ways.chain([(Backend::Observed, tunings()[3])]);
            for ((network, tuning), fingerprint) in ways.zip(fingerprints) {
                let options = Options { network, fingerprint, ..options.clone() };
                let report = run(&model, &options, &tuning);
                compare(&model, &reference, &report, &options);
                if search == Search::BreadthFirst {
                    let first = grown.get_or_insert_with(|| report.growth.clone());
                    assert_eq!(report.growth, *first, "what grows, on {threads} threads");
                }
            }
            stops(&model, &reference, search, threads);
        }
    }
    Ok(())
}

/// The search that stops at the first violation finds one if and only if there is one.
fn stops(model: &Arc<Model>, reference: &reference::Report, search: Search, threads: usize) {
    let options = Options { search, threads, ..Options::default() };
    let report = run(model, &options, &Tuning::default());
    assert_eq!(report.counterexample.is_some(), reference.counterexample.is_some());
    let Some((found, (_, shortest))) = report.counterexample.zip(reference.counterexample.as_ref()) else {
        return;
    };
    assert_eq!(report.verdict, Verdict::Violated);
    if search == Search::IterativeDeepening {
        assert_eq!(found.path.moves.len(), shortest.moves.len());
    }
    if search == Search::BreadthFirst {
        assert_eq!(found.path.moves.len(), shortest.moves.len());
        assert_eq!(
            report.cut_by.iter().filter(|cut| !cut.by.is_bound() && cut.by != Cut::Violation).count(),
            0
        );
    }
    replay(model, &found);
    // Made short, it still shows the same, and is no shorter than what is shortest where no bound keeps a search from that.
    let path = foresee_world::shrink(model, &found.path, &found.ending, 2_000);
    let short = foresee_check::Counterexample { path, ..found.clone() };
    assert!(short.path.moves.len() <= found.path.moves.len());
    let bounds = &model.bounds;
    let uncut = bounds.messages.is_none() && bounds.within.is_empty();
    if uncut && found.property == shortest_property(reference) {
        assert!(short.path.moves.len() >= shortest.moves.len());
    }
    match &short.ending {
        Ending::Fault { .. } => {
            let told = narrate::narrate(model, &short.path).expect("the path can be walked");
            assert!(told.steps.iter().any(|step| step.fault.is_some()));
        }
        _ => replay(model, &short),
    }
}

fn shortest_property(reference: &reference::Report) -> &'static str {
    reference.counterexample.as_ref().map_or("", |(property, _)| property)
}

/// Iterative deepening sees what the reference sees, as deep as breadth first sees it, and finds shortest counterexamples.
fn deepening_agrees(model: &Arc<Model>, reference: &reference::Report) {
    let search = Search::IterativeDeepening;
    let breadth = Options { keep_going: true, ..Options::default() };
    let breadth = run(model, &breadth, &Tuning::default());
    for threads in [1, 2] {
        let options = Options { search, threads, keep_going: true, ..Options::default() };
        let report = run(model, &options, &Tuning::default());
        compare(model, reference, &report, &options);
        assert_eq!(report.depth_histogram, breadth.depth_histogram, "states at each depth");
        stops(model, reference, search, threads);
    }
}

/// What walks and consequence prediction find is within what the reference finds, and they never claim to have found all unless they
/// have.
fn partial_ones_stay_within(model: &Model, seed: u64) -> Result<(), TestCaseError> {
    let mut model = model.clone();
    model.properties.push(&random::WITHIN);
    let model = Arc::new(model);
    let limits = Limits { states_max: STATES_MAX, stop_at_violation: false, ..Limits::default() };
    random::learn(true);
    let reference = reference::explore(&model, limits);
    random::learn(false);
    prop_assume!(reference.as_ref().is_some_and(|reference| !reference.stopped));
    let Some(reference) = reference else { return Ok(()) };
    let walks = foresee_check::Walks { seed, count: 30, length: 40 };
    let searches = [Search::Walks, Search::Consequences];
    for (search, network) in searches.into_iter().flat_map(|it| networks().map(|network| (it, network))) {
        let options = Options { search, network, walks, keep_going: true, ..Options::default() };
        let report = run(&model, &options, &Tuning::default());
        assert!(report.unique_states <= reference.unique_states as u64);
        assert_eq!(report.depth_histogram.iter().sum::<u64>(), report.unique_states, "histogram");
        let steps = report.handlers.iter().filter(|handler| handler.name != "start");
        for handler in steps.filter(|handler| handler.runs > 0) {
            assert!(reference.handlers.contains_key(&(handler.service, handler.name)), "{}", handler.name);
        }
        for property in &report.properties {
            let violations = reference.violations.get(property.name).copied().unwrap_or(0);
            match property.status {
                Status::Violated => assert!(violations > 0, "{} is violated nowhere", property.name),
                Status::Reached => assert!(reference.reached.contains(&property.name)),
                Status::Held | Status::HeldWithinBounds => assert_eq!(violations, 0, "{}", property.name),
                Status::Unreached | Status::Unknown => {}
            }
        }
        report.counterexample.iter().chain(&report.witnesses).for_each(|found| replay(&model, found));
        let cut = if search == Search::Walks { Cut::Walks } else { Cut::Consequences };
        match report.cut_by.iter().any(|by| by.by == cut) {
            true => assert!(!report.complete && report.verdict != Verdict::Held),
            // Nothing was left out, so it was breadth first.
            false => compare(&model, &reference, &report, &options),
        }
        assert!(search != Search::Walks || !report.complete);
        assert_eq!(report.unique_states, run(&model, &options, &Tuning::default()).unique_states, "again");
        stops_within(&model, &reference, &options);
    }
    Ok(())
}

/// What is found first can be walked.
fn stops_within(model: &Arc<Model>, reference: &reference::Report, options: &Options) {
    let options = Options { keep_going: false, ..options.clone() };
    let report = run(model, &options, &Tuning::default());
    let Some(found) = &report.counterexample else { return };
    assert_eq!(report.verdict, Verdict::Violated);
    assert!(reference.violations.contains_key(found.property), "{}", found.property);
    replay(model, found);
}

/// A search from the end of a path sees what is reachable from there.
fn goes_on_from(model: &Arc<Model>, reference: &reference::Report) {
    let options = Options { keep_going: true, ..Options::default() };
    let whole = run(model, &options, &Tuning::default());
    for found in whole.counterexample.iter().chain(&whole.witnesses) {
        if matches!(found.ending, Ending::Fault { .. }) {
            continue;
        }
        let mut from = found.path.clone();
        from.moves.truncate(from.moves.len() / 2);
        let begun = from.moves.len();
        for search in [Search::BreadthFirst, Search::DepthFirst, Search::IterativeDeepening] {
            let options =
                Options { search, from: Some(from.clone()), keep_going: true, ..Options::default() };
            let report = run(model, &options, &Tuning::default());
            assert!(report.unique_states <= reference.unique_states as u64 || model.bounds.depth.is_some());
            // What the path led to is still ahead, unless a bound on depth that the path shortened hides it; then more is in reach.
            let same = report.counterexample.iter().chain(&report.witnesses);
            let same: Vec<_> = same.filter(|other| other.property == found.property).collect();
            let status = report.properties.iter().find(|property| property.name == found.property);
            assert!(status.is_some_and(|it| matches!(it.status, Status::Violated | Status::Reached)));
            for other in same {
                assert_eq!(other.path.moves[..begun], from.moves[..]);
                replay(model, other);
            }
        }
    }
}

/// Under `retain-ignored` engines agree with the reference, and what it says of properties is what it says without.
fn agree_when_reduced(mut model: Model) -> Result<(), TestCaseError> {
    model.bounds.messages = None;
    let limits = Limits { states_max: STATES_MAX, stop_at_violation: false, ..Limits::default() };
    let whole = reference::explore(&Arc::new(model.clone()), limits);
    model.bounds.retain_ignored = true;
    let model = Arc::new(model);
    prop_assume!(whole.as_ref().is_some_and(|whole| !whole.stopped));
    let Some((whole, reduced)) = whole.zip(reference::explore(&model, limits)) else { return Ok(()) };
    assert!(reduced.unique_states <= whole.unique_states, "fewer worlds");
    // A world that differs from a known one by a message that did nothing may be farther away, and only so.
    assert!(reduced.complete == whole.complete || model.bounds.depth.is_some(), "complete");
    assert!(reduced.violations.keys().eq(whole.violations.keys()), "what is violated");
    assert_eq!(sorted(&reduced.reached), sorted(&whole.reached), "what is reached");
    let length = |report: &reference::Report| report.counterexample.as_ref().map(|it| it.1.moves.len());
    assert_eq!(length(&reduced), length(&whole), "a shortest path");
    for search in [Search::BreadthFirst, Search::DepthFirst] {
        for threads in [1, 2] {
            let options = Options { search, threads, keep_going: true, ..Options::default() };
            for (network, tuning) in networks().into_iter().zip([tunings()[0], tunings()[3]]) {
                let options = Options { network, fingerprint: Fingerprint::Wide, ..options.clone() };
                compare(&model, &reduced, &run(&model, &options, &tuning), &options);
            }
        }
    }
    Ok(())
}

fn sorted<'n>(names: &[&'n str]) -> Vec<&'n str> {
    let mut names = names.to_vec();
    names.sort_unstable();
    names
}

/// As [`agree`], of systems that are nothing but interleavings.
fn agree_on_automata(bytes: &[u8]) -> Result<(), TestCaseError> {
    let model = Arc::new(random::automata(bytes));
    let limits = Limits { states_max: STATES_MAX, stop_at_violation: false, ..Limits::default() };
    let reference = reference::explore(&model, limits);
    prop_assume!(reference.as_ref().is_some_and(|reference| !reference.stopped));
    let Some(reference) = reference else { return Ok(()) };
    for search in [Search::BreadthFirst, Search::DepthFirst] {
        for threads in [1, 2] {
            let options = Options { search, threads, keep_going: true, ..Options::default() };
            for tuning in [Tuning::default(), tunings()[0]] {
                compare(&model, &reference, &run(&model, &options, &tuning), &options);
            }
        }
    }
    Ok(())
}

/// A bound on depth that options add is like one of the model.
fn agree_to_a_depth(bytes: &[u8], depth: u32) -> Result<(), TestCaseError> {
    let mut model = random::model(bytes);
    model.bounds.depth = Some(depth);
    let bounded = Arc::new(model.clone());
    model.bounds.depth = None;
    let model = Arc::new(model);
    let limits = Limits { states_max: STATES_MAX, stop_at_violation: false, ..Limits::default() };
    let Some(reference) = reference::explore(&bounded, limits) else { return Ok(()) };
    prop_assume!(!reference.stopped);
    for search in [Search::BreadthFirst, Search::DepthFirst] {
        for threads in [1, 2] {
            let options =
                Options { search, threads, keep_going: true, max_depth: Some(depth), ..Options::default() };
            let report = run(&model, &options, &Tuning::default());
            compare(&bounded, &reference, &report, &options);
            assert_eq!(report.depth, reference.depth, "also depth first");
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn searches_agree_with_the_reference(bytes in prop::collection::vec(any::<u8>(), 0..700)) {
        agree(random::model(&bytes))?;
    }

    #[test]
    fn searches_agree_with_the_reference_on_automata(bytes in prop::collection::vec(any::<u8>(), 0..160)) {
        agree_on_automata(&bytes)?;
    }

    #[test]
    fn searches_within_a_depth_agree_with_the_reference(
        bytes in prop::collection::vec(any::<u8>(), 0..700),
        depth in 0..7_u32,
    ) {
        agree_to_a_depth(&bytes, depth)?;
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn searches_agree_with_the_reference_on_plans(bytes in prop::collection::vec(any::<u8>(), 0..750)) {
        agree(random::planned(&bytes))?;
    }

    #[test]
    fn other_searches_agree_with_the_reference_as_far_as_they_go(
        bytes in prop::collection::vec(any::<u8>(), 0..700),
        planned in any::<bool>(),
        seed in any::<u64>(),
    ) {
        let model = if planned { random::planned(&bytes) } else { random::model(&bytes) };
        partial_ones_stay_within(&model, seed)?;
        let model = Arc::new(model);
        let limits = Limits { states_max: STATES_MAX, stop_at_violation: false, ..Limits::default() };
        if let Some(reference) = reference::explore(&model, limits).filter(|reference| !reference.stopped) {
            deepening_agrees(&model, &reference);
            goes_on_from(&model, &reference);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn a_reduction_agrees_with_the_reference(
        bytes in prop::collection::vec(any::<u8>(), 0..700),
        planned in any::<bool>(),
    ) {
        agree_when_reduced(if planned { random::planned(&bytes) } else { random::model(&bytes) })?;
    }
}

/// Automata of which a depth first search misses four states if it lets nodes sleep and never wakes them.
#[test]
fn sleepers_are_woken() {
    #[rustfmt::skip]
    let bytes = [119, 15, 20, 0, 10, 137, 77, 220, 73, 53, 87, 25, 39, 72, 0, 188, 17, 109, 109, 121, 103, 150, 73, 198, 182, 122, 27, 86, 207, 72, 233, 36, 94, 188, 184, 119, 106, 106, 54, 139, 235, 99, 112, 115, 15, 78, 90, 135, 93, 63, 242, 189, 249, 246, 92, 128, 131, 56, 71, 210, 11, 74, 66, 180, 67, 167, 237, 64, 240, 95, 191, 93, 128, 0, 68, 74, 55, 34, 101, 65, 109, 51, 42, 42, 109, 245, 162, 9, 80, 126, 121, 239, 0, 115, 67, 53, 251, 133, 59, 21, 60, 123, 13, 231, 242, 110, 2, 18, 183, 62, 3, 70, 45, 58, 95, 109, 98, 131, 144, 82, 212, 35, 195, 84, 42, 83, 211, 225, 200, 29, 203, 33, 22, 107, 153, 251, 136, 19, 31, 191, 67, 132, 115, 73, 216, 157, 41, 14];
    let model = Arc::new(random::automata(&bytes));
    let options = Options { search: Search::DepthFirst, keep_going: true, ..Options::default() };
    assert_eq!(run(&model, &options, &tunings()[0]).unique_states, 984);
}

/// Notes what workloads and faults do in random systems.
fn vary_plans(byte: &mut impl FnMut() -> u8, seen: &mut BTreeMap<&str, u32>) {
    for _ in 0..300 {
        let bytes: Vec<u8> = (0..650).map(|_| byte()).collect();
        let model = Arc::new(random::planned(&bytes));
        let limits = Limits { states_max: STATES_MAX, stop_at_violation: false, ..Limits::default() };
        let Some(report) = reference::explore(&model, limits) else { continue };
        if report.stopped {
            continue;
        }
        let mut note = |what, there: bool| *seen.entry(what).or_default() += u32::from(there);
        note("planned and small enough", true);
        note("planned and not tiny", report.unique_states > 100);
        for plan in report.fired.keys() {
            let Planned::Fault(index) = plan else {
                note("a call is made", matches!(plan, Planned::Call(_)));
                continue;
            };
            let fault = &model.faults[*index as usize];
            note(
                match fault.kind {
                    FaultKind::Crash => "a crash",
                    FaultKind::Reset => "a reset",
                    FaultKind::Cut => "a cut",
                    FaultKind::Partition => "a partition",
                },
                true,
            );
            note("a fault of a set", matches!(fault.target, FaultTarget::AllOf(_)));
            note("a fault for good", fault.back.is_none());
            note("a fault without a bound", fault.most.is_none());
        }
    }
}

/// What the random systems are good for: everything that engines must treat occurs in some of them.
#[test]
fn random_systems_are_varied() {
    let (mut seen, mut state) = (BTreeMap::<&str, u32>::new(), 0x1234_5678_u64);
    let mut byte = || {
        state = foresee_kernel::digest::mix(state.wrapping_add(0x9E37_79B9_7F4A_7C15));
        state as u8
    };
    for _ in 0..300 {
        let bytes: Vec<u8> = (0..600).map(|_| byte()).collect();
        let model = Arc::new(random::model(&bytes));
        let limits = Limits { states_max: STATES_MAX, stop_at_violation: false, ..Limits::default() };
        let Some(report) = reference::explore(&model, limits) else { continue };
        let program = Direct::new(model.clone());
        let starts = foresee_world::path::initials(&program, 1_000).map_or(0, |starts| starts.len());
        let mut note = |what, there: bool| *seen.entry(what).or_default() += u32::from(there);
        note("small enough", !report.stopped);
        note("not tiny", !report.stopped && report.unique_states > 100);
        note("complete", report.complete);
        note("cut by a bound", !report.stopped && !report.complete);
        note("several starts", starts > 1);
        note("a fault", report.violations.contains_key(NO_FAULT));
        note("a violation", report.violations.keys().any(|name| *name != NO_FAULT));
        note("no violation", report.violations.is_empty());
        note("a witness", !report.reached.is_empty());
        note("ignored", !report.ignored.is_empty());
        note("two layers", program.model().nodes[0].layers().len() == 2);
    }
    vary_plans(&mut byte, &mut seen);
    for (what, count) in &seen {
        let enough = if *what == "a cut" { 8 } else { 15 };
        assert!(*count >= enough, "{what}: {count} of 300; all: {seen:?}");
    }
}
