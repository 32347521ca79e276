//! Rates of losses and doublings, on every kind of carrier, and that each is a step of the world where it is one.

mod support;

use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::trace::Action;
use foresee_kernel::{Carrier, Event, Model, NodeId};
use foresee_sim::{Options, Run, run};
use foresee_world::narrate;
use support::{Behaviour, Message, Timer, reliable_stage, stage};

const SENT: u32 = 20_000;

/// The first node sends one message after the other to the second, and one in ten to itself.
const STREAM: Behaviour = |this, event, ctx| match event {
    Event::Start | Event::Timer(_) if ctx.me() == NodeId::new(0) && this.count < SENT => {
        this.count += 1;
        ctx.set(Timer(0), Duration::from_micros(100));
        ctx.send(0, NodeId::new(1), Message::Ball(this.count % 4));
        if this.count % 10 == 0 {
            ctx.send(0, NodeId::new(0), Message::Ball(7));
        }
    }
    _ => {}
};

fn arrived(run: &Run) -> f64 {
    let fires = u64::from(SENT);
    (run.events - fires - u64::from(SENT / 10)) as f64
}

fn near(found: f64, expected: f64) {
    assert!((found / expected - 1.0).abs() < 0.03, "{found} is not near {expected}");
}

fn rough(carrier: &mut Carrier) {
    carrier.loss = 0.1;
    carrier.duplicates = Some(0.2);
}

#[test]
fn datagrams_are_lost_and_doubled_at_their_rates() {
    let sent = f64::from(SENT);
    let play = |model: Model| arrived(&run(&Arc::new(model), 5, &Options::default()).expect("it runs"));
    near(play(stage(2, STREAM, |carrier| carrier.loss = 0.1)), sent * 0.9);
    near(play(stage(2, STREAM, |carrier| carrier.duplicates = Some(0.2))), sent * 1.2);
    near(play(stage(2, STREAM, rough)), sent * 0.9 * 1.2);
    assert_eq!(play(reliable_stage(2, STREAM, rough)), sent);
    assert_eq!(play(stage(2, STREAM, |_| {})), sent);
}

/// The number of deliveries, losses and doublings in a trace of `model`, which must replay.
fn steps(model: Model) -> (usize, usize, usize) {
    let model = Arc::new(model);
    let options = Options { trace: true, until: Some(Duration::from_millis(50)), ..Options::default() };
    let trace = run(&model, 9, &options).expect("it runs").trace.expect("it was asked for");
    narrate::replay(&model, &trace).expect("it replays");
    let count = |is: fn(&Action) -> bool| trace.steps.iter().filter(|step| is(&step.action)).count();
    (
        count(|action| matches!(action, Action::Deliver(_))),
        count(|action| matches!(action, Action::Drop(_))),
        count(|action| matches!(action, Action::Duplicate(_))),
    )
}

#[test]
fn losses_and_doublings_are_steps_where_the_world_has_them_and_traces_replay() {
    let (_, drops, doubles) = steps(stage(2, STREAM, |carrier| carrier.loss = 0.1));
    assert!(drops > 20 && doubles == 0);
    // A set holds what was sent for ever: neither is a step.
    let (delivered, drops, doubles) = steps(stage(2, STREAM, rough));
    assert!(delivered > 400 && drops == 0 && doubles == 0);
    // Budgets bound a search; a simulation goes by rates.
    let mut bounded = stage(2, STREAM, rough);
    bounded.bounds.drops = Some(1);
    bounded.bounds.duplicates = Some(1);
    let (_, drops, doubles) = steps(bounded);
    assert!(drops > 20 && doubles > 40);
    let (_, drops, doubles) = steps(reliable_stage(2, STREAM, rough));
    assert!(drops == 0 && doubles == 0);
}
