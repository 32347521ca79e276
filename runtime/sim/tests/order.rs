//! When things happen, and in which order: golden scripts over puppets.

mod support;

use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::{DelayModel, Event, Model, NodeId};
use foresee_sim::{Ending, Options, Run, run};
use foresee_world::narrate;
use support::{Behaviour, Message, Timer, lines, reliable_stage, stage};

const A: NodeId = NodeId::new(0);
const B: NodeId = NodeId::new(1);

fn traced(model: Model, seed: u64) -> Run {
    let model = Arc::new(model);
    let options = Options { trace: true, until: Some(Duration::from_secs(10)), ..Options::default() };
    let run = run(&model, seed, &options).expect("it runs");
    assert_eq!(run.violation, None);
    narrate::replay(&model, run.trace.as_ref().expect("it was asked for")).expect("it replays");
    run
}

fn script(count: usize, behaviour: Behaviour) -> Vec<String> {
    lines(&traced(stage(count, behaviour, |_| {}), 1).trace.expect("it was asked for"))
}

#[test]
fn at_equal_times_deliveries_come_before_timers_then_the_order_of_scheduling() {
    let script = script(2, |_, event, ctx| {
        if matches!(event, Event::Start) {
            ctx.set(Timer(2), Duration::from_millis(1));
            ctx.set(Timer(1), Duration::from_millis(1));
            if ctx.me() == A {
                ctx.send(0, B, Message::Ball(9));
                ctx.send(0, B, Message::Ball(3));
            }
        }
    });
    assert_eq!(
        script,
        [
            "1000 deliver Ball(9) from p[0] to p[1]",
            "1000 deliver Ball(3) from p[0] to p[1]",
            "1000 fire Timer(2) at p[0]",
            "1000 fire Timer(1) at p[0]",
            "1000 fire Timer(2) at p[1]",
            "1000 fire Timer(1) at p[1]",
        ]
    );
}

#[test]
fn what_a_timer_sends_at_an_instant_comes_before_the_next_timer_of_it() {
    let model = stage(
        2,
        |_, event, ctx| match event {
            Event::Start => ctx.set(Timer(0), Duration::from_millis(2)),
            Event::Timer(_) if ctx.me() == A => ctx.send(0, B, Message::Ball(0)),
            _ => {}
        },
        |carrier| carrier.delay = DelayModel::Constant(Duration::ZERO),
    );
    let script = lines(&traced(model, 1).trace.expect("it was asked for"));
    assert_eq!(
        script,
        [
            "2000 fire Timer(0) at p[0]",
            "2000 deliver Ball(0) from p[0] to p[1]",
            "2000 fire Timer(0) at p[1]"
        ]
    );
}

#[test]
fn setting_an_armed_timer_again_replaces_it_and_a_cancelled_one_does_not_fire() {
    let script = script(1, |this, event, ctx| match event {
        Event::Start => {
            ctx.set(Timer(1), Duration::from_millis(5));
            ctx.set(Timer(2), Duration::from_millis(3));
            ctx.set(Timer(3), Duration::from_millis(4));
            ctx.set(Timer(4), Duration::from_millis(9));
        }
        Event::Timer(timer) if timer.get() == Some(&Timer(2)) && this.count == 0 => {
            assert!(ctx.is_set(Timer(1)) && !ctx.is_set(Timer(2)));
            // Put off, brought forward, and disarmed.
            ctx.set(Timer(1), Duration::from_millis(5));
            ctx.set(Timer(4), Duration::from_millis(2));
            ctx.cancel(Timer(3));
            ctx.set(Timer(2), Duration::from_millis(10));
            this.count = 1;
        }
        _ => {}
    });
    assert_eq!(
        script,
        [
            "3000 fire Timer(2) at p[0]",
            "5000 fire Timer(4) at p[0]",
            "8000 fire Timer(1) at p[0]",
            "13000 fire Timer(2) at p[0]",
        ]
    );
}

#[test]
fn a_timer_set_and_cancelled_within_a_step_never_fires() {
    let script = script(1, |_, event, ctx| {
        if matches!(event, Event::Start) {
            ctx.set(Timer(1), Duration::from_millis(1));
            ctx.cancel(Timer(1));
            ctx.set(Timer(2), Duration::from_millis(1));
            ctx.cancel(Timer(2));
            ctx.set(Timer(2), Duration::from_millis(7));
        }
    });
    assert_eq!(script, ["7000 fire Timer(2) at p[0]"]);
}

#[test]
fn a_range_of_moments_is_drawn_within_its_bounds_from_the_seed() {
    let behaviour: Behaviour = |_, event, ctx| {
        if matches!(event, Event::Start) {
            (0..50).for_each(|n| ctx.set(Timer(n), Duration::from_millis(1)..Duration::from_millis(2)));
        }
    };
    let moments = |seed| {
        let run = traced(stage(1, behaviour, |_| {}), seed);
        let steps = run.trace.expect("it was asked for").steps;
        steps.iter().filter_map(|step| step.at_nanos).collect::<Vec<u64>>()
    };
    let (one, two) = (moments(1), moments(2));
    assert_eq!(one.len(), 50);
    assert!(one.iter().all(|at| (1_000_000..=2_000_000).contains(at)));
    assert!(one != two && one == moments(1));
    assert!(one[49] - one[0] > 800_000, "they spread over the range");
}

#[test]
fn ordered_connections_keep_the_order_of_each_pair() {
    let behaviour: Behaviour = |_, event, ctx| {
        if matches!(event, Event::Start) && ctx.me() != B {
            (0..100).for_each(|n| ctx.send(0, B, Message::Ball(n)));
        }
    };
    let spread = DelayModel::Exponential(Duration::from_millis(50));
    let numbers = |model: Model, from: &str| {
        let run = traced(model, 3);
        let lines = lines(&run.trace.expect("it was asked for"));
        assert_eq!(lines.len(), 200);
        let from = format!("from {from}");
        let of = lines.iter().filter(|line| line.contains(&from));
        let number = |line: &String| line.split(['(', ')']).nth(1).and_then(|n| n.parse::<u32>().ok());
        of.filter_map(number).collect::<Vec<u32>>()
    };
    let model = || reliable_stage(3, behaviour, |carrier| carrier.delay = spread);
    assert!(numbers(model(), "p[0]").is_sorted() && numbers(model(), "p[2]").is_sorted());
    assert_eq!(numbers(model(), "p[0]").len(), 100);
    let overtaking = stage(3, behaviour, |carrier| carrier.delay = spread);
    assert!(!numbers(overtaking, "p[0]").is_sorted());
}

#[test]
fn a_run_ends_at_its_end_included_and_says_why() {
    let behaviour: Behaviour = |_, event, ctx| {
        if matches!(event, Event::Start | Event::Timer(_)) {
            ctx.set(Timer(0), Duration::from_secs(1));
        }
    };
    let ends = |model: &Arc<Model>, until: Option<u64>, events_max| {
        let options = Options { until: until.map(Duration::from_secs), events_max, ..Options::default() };
        let run = run(model, 1, &options).expect("it runs");
        (run.ending, run.events, run.virtual_seconds)
    };
    let mut model = stage(1, behaviour, |_| {});
    let endless = Arc::new(model.clone());
    assert_eq!(ends(&endless, Some(10), None), (Ending::Until, 10, 10.0));
    assert_eq!(ends(&endless, None, Some(7)), (Ending::EventsMax, 7, 7.0));
    assert_eq!(ends(&endless, None, None), (Ending::EventsMax, foresee_sim::EVENTS_MAX, 1e6));
    model.horizon = Some(Duration::from_millis(4_500));
    let model = Arc::new(model);
    assert_eq!(ends(&model, None, None), (Ending::Horizon, 4, 4.5));
    assert_eq!(ends(&model, Some(2), None), (Ending::Until, 2, 2.0));
    let quiet = Arc::new(stage(1, |_, _, _| {}, |_| {}));
    assert_eq!(ends(&quiet, None, None), (Ending::Quiet, 0, 0.0));
    assert_eq!(ends(&quiet, Some(3), None), (Ending::Until, 0, 3.0), "time passes though nothing happens");
    let too_long = Options { until: Some(Duration::MAX), ..Options::default() };
    assert!(run(&quiet, 1, &too_long).is_err());
}
