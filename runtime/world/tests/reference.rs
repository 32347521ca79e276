//! The reference explorer on two-phase commit: the counts that Spin, TLC and Stateright find for the same protocol.

use std::sync::Arc;

use foresee_kernel::trace::Ending;
use foresee_kernel::{Model, Trace};
use foresee_tests::two_phase_commit;
use foresee_world::narrate::{self, Handled};
use foresee_world::reference::{Limits, Report, explore};
use foresee_world::{Direct, World, path};

fn everything() -> Limits {
    Limits { stop_at_violation: false, ..Limits::default() }
}

fn run(model: &Arc<Model>, limits: Limits) -> Report {
    explore(model, limits).expect("the start does not branch")
}

#[test]
fn counts_of_two_phase_commit() {
    for (rms, states) in [(3, 288), (5, 8_832)] {
        let report = run(&Arc::new(two_phase_commit::model(rms, false)), everything());
        assert_eq!(report.unique_states, states, "with {rms} participants");
        assert!(report.complete && report.violations.is_empty());
    }
}

#[test]
fn a_fickle_participant_breaks_consistency_shortest_first() {
    let model = Arc::new(two_phase_commit::model(2, true));
    let report = run(&model, Limits::default());
    let (property, path) = report.counterexample.expect("consistency fails");
    assert_eq!(property, "consistent");
    let told = narrate::narrate(&model, &path).expect("the path can be walked");
    let last = told.steps.last().expect("it has steps");
    assert!(
        matches!(&last.ran[..], [Handled::Handler { name: "refuse" | "deliver_Commit", .. }]),
        "{last:?}"
    );
    assert!(!told.world.view(&Direct::new(model.clone()), |view| (model.properties[0].holds)(view)));
    // Two prepare, both tell, the coordinator commits, one hears of it, the other gives up.
    assert_eq!(path.moves.len(), 7);
}

#[test]
fn a_trace_is_replayed_and_an_edited_one_is_refused_with_its_place() {
    let model = Arc::new(two_phase_commit::model(2, true));
    let (property, path) = run(&model, Limits::default()).counterexample.expect("consistency fails");
    let ending = Ending::Violation { property: property.to_owned() };
    let json = narrate::to_trace(&model, &path, "check", None, ending).expect("it can be told").to_json();
    let trace = Trace::from_json(&json).expect("it reads");
    let (replayed, _) = narrate::replay(&model, &trace).expect("it replays");
    assert_eq!(replayed, path);

    let cut = Trace::from_json(&json[..json.len() / 2]).expect_err("it is cut off");
    assert!(cut.message.contains("ends in the middle"), "{cut}");
    let place = json.find("refuse").expect("a choice is named");
    let edited = format!("{}rebuke{}", &json[..place], &json[place + 6..]);
    let error = Trace::from_json(&edited).expect_err("it is edited");
    assert!(error.place.starts_with("step "), "{error}");

    let other = Arc::new(two_phase_commit::model(2, false));
    let error = narrate::replay(&other, &trace).expect_err("another model goes another way");
    assert!(error.place.starts_with("step "), "{error}");
}

#[test]
fn the_digest_of_a_successor_is_the_digest_of_the_world_it_makes() {
    let model = Arc::new(two_phase_commit::model(3, true));
    let program = Direct::new(model);
    let mut frontier: Vec<World<Direct>> =
        path::initials(&program, 1).expect("one").into_iter().map(|initial| initial.world).collect();
    for _ in 0..200 {
        let Some(world) = frontier.pop() else { break };
        let digest = world.digest(&program);
        let mut actions = Vec::new();
        world.enabled(&program, |action| actions.push(action));
        for action in actions {
            let (id, stimulus) = action.stimulus(&program).expect("only steps here");
            for successor in program.successors(&world.nodes[id.index()], &stimulus) {
                let next = world.after(&program, &action, Some(&successor));
                let predicted = world.digest_after(&program, digest, &action, Some(&successor));
                assert_eq!(predicted, next.digest(&program));
                frontier.push(next);
            }
        }
    }
}
