//! The systems of `specs/`, solved exactly with states merged and by making every run: the figures are the same.
//!
//! What has a continuous law there has one value here: delays, rates, and times after which nodes are back. Systems whose timers or
//! choices have too many values are passed over, and each is followed as long as it has few runs.

#[path = "../../runtime/sim/tests/support/alike.rs"]
mod alike;

use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

use foresee::kernel::plan::Timing;
use foresee::kernel::{self, Arguments, DelayModel, Figure, Model, SpecInfo};
use foresee::sim::{self, Answers, Options};

use alike::Compared;

foresee::include_spec!("abd_register");
foresee::include_spec!("appointment");
foresee::include_spec!("atomic_commit");
foresee::include_spec!("consensus_by_utility");
foresee::include_spec!("deadlock");
foresee::include_spec!("failure_detector");
foresee::include_spec!("gossip");
foresee::include_spec!("load_balancer");
foresee::include_spec!("mutual_exclusion");
foresee::include_spec!("paxos_single");
foresee::include_spec!("ping");
foresee::include_spec!("rand_tree");
foresee::include_spec!("reliable_link");
foresee::include_spec!("swarm");
foresee::include_spec!("token_ring");
foresee::include_spec!("two_phase_commit");

const SPECS: &[&SpecInfo] = &[
    &abd_register::SPEC,
    &appointment::SPEC,
    &atomic_commit::SPEC,
    &consensus_by_utility::SPEC,
    &deadlock::SPEC,
    &failure_detector::SPEC,
    &gossip::SPEC,
    &load_balancer::SPEC,
    &mutual_exclusion::SPEC,
    &paxos_single::SPEC,
    &ping::SPEC,
    &rand_tree::SPEC,
    &reliable_link::SPEC,
    &swarm::SPEC,
    &token_ring::SPEC,
    &two_phase_commit::SPEC,
];

/// Ends of runs, in milliseconds.
const ENDS: [u64; 8] = [50, 200, 1_000, 3_000, 8_000, 20_000, 60_000, 400_000];

/// A model in which nothing that the system itself says has a continuous law.
fn discrete(mut model: Model) -> Model {
    for carrier in &mut model.carriers {
        carrier.delay = DelayModel::Constant(Duration::from_millis(10));
        carrier.reorders = false;
    }
    let mut second = 0;
    let mut once = |timing: &mut Timing| {
        if timing.rate.is_some() || timing.within.is_some_and(|(least, most)| least < most) {
            second += 1;
            let at = Duration::from_millis(second * 700);
            *timing = Timing { rate: None, within: Some((at, at)) };
        }
    };
    model.calls.iter_mut().for_each(|call| once(&mut call.timing));
    for fault in &mut model.faults {
        if fault.timing.within.is_none() {
            // At any time of a run.
            fault.timing.rate = Some(1.0);
        }
        once(&mut fault.timing);
        fault.back = fault.back.map(|(least, _)| (least, least));
        fault.chance = fault.chance.or(Some(0.3));
    }
    model
}

/// A claim speaks of no more than the run.
fn shorten(model: &mut Model, until: Duration) {
    for claim in &mut model.statistics {
        let claim = Arc::get_mut(claim).expect("nobody else has it");
        if let Figure::Probability { within: Some(within), .. } = &mut claim.figure {
            *within = (*within).min(until);
        }
    }
}

/// What was compared: systems, solutions of them, those in which states were merged, and lines of policies.
#[derive(Debug, Default)]
struct Tally {
    systems: usize,
    best: usize,
    solutions: usize,
    merged: usize,
    lines: usize,
}

fn say(line: &str) {
    // Straight to the stream: this table is what the longer test is run for.
    let _ = writeln!(std::io::stdout(), "{line}");
}

fn compare_all(runs_max: u64) -> Tally {
    let mut tally = Tally::default();
    for spec in SPECS {
        for system in spec.systems {
            let (mut runs_most, mut states_most, mut ends) = (0.0_f64, 0, 0);
            let mut found = [false; 2];
            for answers in [Answers::Resolver, Answers::Best] {
                for end in ENDS {
                    let model = (system.build)(&Arguments::default()).expect("defaults are enough");
                    let mut model = discrete(model);
                    if answers == Answers::Best && model.objectives.is_empty() {
                        break;
                    }
                    let until = Duration::from_millis(end);
                    shorten(&mut model, until);
                    let options =
                        Options { until: Some(until), events_max: Some(4_000), ..Options::default() };
                    let said = format!("{} {}, {answers:?}, {end} ms", spec.name, system.name);
                    let compared = alike::compare(&Arc::new(model), &options, answers, runs_max);
                    let compared = compared.unwrap_or_else(|error| panic!("{said}: {error}"));
                    let Some(Compared { runs, states, answers: lines }) = compared else { break };
                    found[usize::from(answers == Answers::Best)] |= runs > 1.0;
                    tally.solutions += 1;
                    tally.lines += lines;
                    tally.merged += usize::from((states as f64) < runs - 1.0);
                    (runs_most, states_most, ends) = (runs_most.max(runs), states.max(states_most), end);
                }
            }
            let name = format!("{} {}", spec.name, system.name);
            say(&format!("{name}: {runs_most} runs, {states_most} states, {ends} ms"));
            tally.systems += usize::from(found[0]);
            tally.best += usize::from(found[1]);
        }
    }
    say(&format!("{tally:?}"));
    tally
}

#[test]
fn systems_have_the_same_figures_by_their_states_as_by_all_their_runs() {
    let tally = compare_all(100);
    assert!(tally.systems >= 12 && tally.best >= 8 && tally.merged >= 12, "{tally:?}");
}

/// The same for longer; it shows of what.
#[test]
#[ignore = "takes minutes"]
fn systems_have_the_same_figures_for_longer() {
    let tally = compare_all(2_000);
    assert!(tally.systems >= 12 && tally.best >= 8 && tally.merged >= 20, "{tally:?}");
}
