//! Nodes that go down and come back by a record, or by laws.

mod support;

use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::trace::Action;
use foresee_kernel::{FaultKind, FaultPlan, FaultTarget, Model, NodeId, Timing};
use foresee_net::Churn;
use foresee_sim::{Options, Run, SimError, run};
use foresee_world::narrate;
use support::{Behaviour, lines, stage};

const NODES: usize = 3;

const IDLE: Behaviour = |_, _, _| {};

/// A system of which nodes may stop and come back, as often as that; but before the end none does by itself.
fn system(most: Option<u32>, back: bool) -> Model {
    let far = Duration::from_secs(1_000_000);
    let crash = FaultPlan {
        text: "crash p",
        line: 1,
        kind: FaultKind::Crash,
        target: FaultTarget::OneOf((0..NODES as u32).map(NodeId::new).collect()),
        most,
        timing: Timing { within: Some((far, far)), ..Timing::default() },
        chance: None,
        back: back.then_some((Duration::ZERO, Duration::ZERO)),
    };
    Model { faults: vec![crash], ..stage(NODES, IDLE, |_| {}) }
}

fn attempt(model: Model, churn: Churn, seconds: u64) -> Result<Run, SimError> {
    let model = Arc::new(model);
    let until = Some(Duration::from_secs(seconds));
    let options = Options { trace: true, until, churn: Some(Arc::new(churn)), ..Options::default() };
    let run = run(&model, 7, &options)?;
    assert_eq!(run.violation, None);
    narrate::replay(&model, run.trace.as_ref().expect("it was asked for")).expect("it replays");
    Ok(run)
}

#[test]
fn a_record_happens_as_it_says() {
    let record = "at_s,node,event\n0.5,1,down\n1.5,2,down\n2.5,1,up\n3.25,1,down\n";
    let run = attempt(system(None, true), Churn::from_csv(record).expect("it is sound"), 5).expect("it runs");
    let faults = lines(&run.trace.expect("it was asked for"));
    let faults: Vec<&String> = faults.iter().filter(|line| !line.contains("fire")).collect();
    assert_eq!(
        faults,
        ["500000 crash p[1]", "1500000 crash p[2]", "2500000 restart p[1]", "3250000 crash p[1]"]
    );
    assert_eq!(run.faults[0].fired, 3);
}

#[test]
fn a_churn_that_a_system_does_not_allow_is_refused() {
    let told = |model: Model, record: &str| {
        let churn = Churn::from_csv(&format!("at_s,node,event\n{record}")).expect("it is sound");
        attempt(model, churn, 9).expect_err("it is refused").to_string()
    };
    let nothing = || Model { faults: Vec::new(), ..system(None, true) };
    assert!(told(nothing(), "1,1,down").contains("it stops p[1] for good"));
    assert!(told(system(None, false), "1,1,down\n2,1,up").contains("it stops p[1] and comes back"));
    assert!(told(system(None, true), "1,3,down").contains("node 3, and there are 3, from 0"));
    let often = told(system(Some(1), true), "1,1,down\n2,2,down");
    assert!(often.contains("it stops nodes 2 times, and `crash p` may happen 1 times"), "{often}");
}

#[test]
fn a_law_lets_nodes_be_up_and_down_for_as_long_as_it_says() {
    let law = r#"{ "laws": [ { "nodes": [0], "up": { "constant_ms": 2500 }, "down": { "constant_ms": 500 } },
        { "up": { "weibull": { "scale_ms": 60000, "shape": 0.7 } }, "down": { "exponential_ms": 20000 } } ] }"#;
    let churn = || Churn::from_json(law).expect("it is sound");
    let seconds = 200_000;
    let run = attempt(system(None, true), churn(), seconds).expect("it runs");
    let trace = run.trace.expect("it was asked for");
    let mut since = [0_u64; NODES];
    let (mut up, mut down) = ([Vec::new(), Vec::new(), Vec::new()], [Vec::new(), Vec::new(), Vec::new()]);
    for step in &trace.steps {
        let at = step.at_nanos.unwrap_or(0);
        let (node, lasted) = match &step.action {
            Action::Crash { nodes, .. } => (nodes[0].clone(), &mut up),
            Action::Restart { node } => (node.clone(), &mut down),
            _ => continue,
        };
        let index: usize = node.trim_start_matches("p[").trim_end_matches(']').parse().expect("a node");
        lasted[index].push((at - since[index]) as f64 / 1e9);
        since[index] = at;
    }
    assert!(up[0].iter().all(|it| *it == 2.5) && down[0].iter().all(|it| *it == 0.5) && up[0].len() > 66_000);
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    for index in [1, 2] {
        // The gamma function at 1 + 1 / 0.7 is 1.2658.
        assert!((mean(&up[index]) / (60.0 * 1.2658) - 1.0).abs() < 0.1, "{}", mean(&up[index]));
        assert!((mean(&down[index]) / 20.0 - 1.0).abs() < 0.1, "{}", mean(&down[index]));
        assert!(up[index].len() > 1_500);
    }
    assert_ne!(up[1], up[2], "each has its own times");
    // Who never goes down need not be allowed to.
    let mut others = system(None, true);
    others.faults[0].target = FaultTarget::OneOf(vec![NodeId::new(1), NodeId::new(2)]);
    let spared =
        r#"{ "laws": [ { "nodes": [0] }, { "up": { "constant_ms": 10 }, "down": { "constant_ms": 10 } } ] }"#;
    let run = attempt(others.clone(), Churn::from_json(spared).expect("it is sound"), 1).expect("it runs");
    assert_eq!(run.faults[0].fired, 100);
    assert!(attempt(others, churn(), 1).is_err(), "the first may not stop");
    // A line that has none left lets nobody stop.
    let bounded = attempt(system(Some(4), true), churn(), 1_000).expect("it runs");
    assert_eq!(bounded.faults[0].fired, 4);
}
