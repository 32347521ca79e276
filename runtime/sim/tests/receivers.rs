//! What a message meets at the end of its way: a node that is slow or has too much to do, and connections that give up.

mod support;

use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::trace::Action;
use foresee_kernel::{Event, FaultKind, FaultPlan, FaultTarget, Model, NodeId, Timing};
use foresee_net::Topology;
use foresee_sim::{Options, Run, SimError, run};
use foresee_world::narrate;
use support::{Behaviour, Message, Timer, lines, reliable_stage, stage};

const A: NodeId = NodeId::new(0);
const B: NodeId = NodeId::new(1);

fn topology(more: &str) -> Arc<Topology> {
    let text =
        format!(r#"{{ "matrix": {{ "unit": "one_way_ms", "sites": ["s"], "rows": [[1]] }}, {more} }}"#);
    Arc::new(Topology::from_json(&text).expect("it is sound"))
}

fn attempt(model: Model, topology: Arc<Topology>) -> Result<Run, SimError> {
    let model = Arc::new(model);
    let options = Options {
        trace: true,
        until: Some(Duration::from_secs(5)),
        topology: Some(topology),
        ..Options::default()
    };
    let run = run(&model, 1, &options)?;
    assert_eq!(run.violation, None);
    narrate::replay(&model, run.trace.as_ref().expect("it was asked for")).expect("it replays");
    Ok(run)
}

fn script(model: Model, topology: Arc<Topology>) -> Vec<String> {
    lines(&attempt(model, topology).expect("it runs").trace.expect("it was asked for"))
}

/// The first node sends four messages to the second and one to the third, all at once.
const BURST: Behaviour = |_, event, ctx| {
    if matches!(event, Event::Start) && ctx.me() == A {
        (0..4).for_each(|n| ctx.send(0, B, Message::Ball(n)));
        ctx.send(0, NodeId::new(2), Message::Ball(9));
    }
};

#[test]
fn a_node_works_on_one_message_after_the_other_and_a_slow_one_takes_longer() {
    let work = r#""processing": { "each": { "constant_ms": 2 }, "slow": [ { "node": 1, "times": 5 } ] }"#;
    let expected = [
        "3000 deliver Ball(9) from p[0] to p[2]",
        "11000 deliver Ball(0) from p[0] to p[1]",
        "21000 deliver Ball(1) from p[0] to p[1]",
        "31000 deliver Ball(2) from p[0] to p[1]",
        "41000 deliver Ball(3) from p[0] to p[1]",
    ];
    assert_eq!(script(stage(3, BURST, |_| {}), topology(work)), expected);
    assert_eq!(script(reliable_stage(3, BURST, |_| {}), topology(work)), expected);
}

#[test]
fn an_overloaded_node_drops_datagrams_and_lets_connections_wait() {
    let work = topology(r#""processing": { "each": { "constant_ms": 2 }, "waiting": 2 }"#);
    let lossy = || stage(3, BURST, |carrier| carrier.loss = 1e-12);
    assert_eq!(
        script(lossy(), work.clone()),
        [
            "1000 drop Ball(2) from p[0] to p[1]",
            "1000 drop Ball(3) from p[0] to p[1]",
            "3000 deliver Ball(0) from p[0] to p[1]",
            "3000 deliver Ball(9) from p[0] to p[2]",
            "5000 deliver Ball(1) from p[0] to p[1]",
        ]
    );
    assert_eq!(script(reliable_stage(3, BURST, |_| {}), work.clone()).len(), 5);
    let unsaid = attempt(stage(3, BURST, |_| {}), work);
    assert!(matches!(unsaid, Err(SimError::Unsaid { does: "loses", .. })));
}

#[test]
fn a_line_into_a_node_is_shared_by_all_that_send_to_it() {
    let behaviour: Behaviour = |_, event, ctx| {
        if matches!(event, Event::Start) && ctx.me() != B {
            ctx.send(0, B, Message::Box(vec![0; 998]));
        }
    };
    // A thousand bytes, with the tag and the length, take a tenth of a second.
    let line = topology(r#""downlink": { "mbit_per_second": 0.08 }"#);
    let told = script(stage(3, behaviour, |_| {}), line);
    let at: Vec<&str> = told.iter().filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(at, ["101100", "201200"], "{told:?}");
}

/// The second node sends to the first, again and again, and both note what breaks.
const STREAM: Behaviour = |this, event, ctx| match event {
    Event::Start | Event::Timer(_) if ctx.me() == B && this.count < 5 => {
        this.count += 1;
        ctx.send(0, A, Message::Ball(this.count));
        ctx.set(Timer(0), Duration::from_millis(100));
    }
    Event::Broken { .. } => this.log.push("broken".to_owned()),
    _ => {}
};

fn fault(kind: FaultKind, target: FaultTarget, most: u32, at: Duration) -> FaultPlan {
    FaultPlan {
        text: "fault",
        line: 1,
        kind,
        target,
        most: Some(most),
        timing: Timing { within: Some((at, at)), ..Timing::default() },
        chance: None,
        back: None,
    }
}

/// Connections may break, as often as that, but before the end none does by itself.
fn cut(most: u32) -> FaultPlan {
    fault(FaultKind::Cut, FaultTarget::OneOf(vec![A, B]), most, Duration::from_secs(100))
}

fn cuts(run: &Run) -> Vec<u64> {
    let trace = run.trace.as_ref().expect("it was asked for");
    let cut = trace.steps.iter().filter(|step| matches!(step.action, Action::Cut { .. }));
    cut.filter_map(|step| Some(step.at_nanos? / 1_000_000)).collect()
}

#[test]
fn a_connection_that_gets_nothing_through_breaks() {
    let patience = r#""connections": { "timeout_ms": 500 }"#;
    let lossy = topology(&format!(r#"{patience}, "path": {{ "loss": 1 }}"#));
    let with = |faults: Vec<FaultPlan>| Model { faults, ..reliable_stage(2, STREAM, |_| {}) };
    let run = attempt(with(vec![cut(9)]), lossy.clone()).expect("it runs");
    // Each message finds a connection, and loses it after half a second.
    assert_eq!(cuts(&run)[0], 500, "{:?}", cuts(&run));
    assert_eq!(run.faults[0].fired as usize, cuts(&run).len());
    // Where no more may break, it is as if the path had recovered.
    let run = attempt(with(vec![cut(1)]), lossy.clone()).expect("it runs");
    assert_eq!(cuts(&run), [500]);
    assert!(matches!(attempt(with(Vec::new()), lossy), Err(SimError::Unbroken)));
}

#[test]
fn a_partition_that_outlasts_the_patience_of_a_connection_breaks_it() {
    let parted = |lasts: u64| {
        let mut partition =
            fault(FaultKind::Partition, FaultTarget::OneOf(vec![A]), 1, Duration::from_millis(150));
        partition.back = Some((Duration::from_millis(lasts), Duration::from_millis(lasts)));
        let model = Model { faults: vec![partition, cut(9)], ..reliable_stage(2, STREAM, |_| {}) };
        let run = attempt(model, topology(r#""connections": { "timeout_ms": 500 }"#)).expect("it runs");
        (cuts(&run), run.trace.map(|trace| lines(&trace)).unwrap_or_default())
    };
    // The message of 200 ms arrives at 201 and waits until 701.
    let (cut, told) = parted(2_000);
    assert_eq!(cut, [701], "{told:#?}");
    let (cut, told) = parted(300);
    assert!(cut.is_empty(), "{told:#?}");
    assert_eq!(told.iter().filter(|line| line.contains("deliver Ball")).count(), 5, "{told:#?}");
}

#[test]
fn what_meets_receivers_is_the_same_in_every_run_of_a_seed() {
    let work = r#""downlink": { "mbit_per_second": 1 },
        "processing": { "each": { "lognormal": { "median_ms": 2, "sigma": 1 } }, "slow": [ { "node": 0, "times": 3 } ] }"#;
    let run = || script(stage(3, STREAM, |_| {}), topology(work));
    assert_eq!(run(), run());
}
