//! Push gossip on ten thousand nodes takes as many rounds as it is known to.

mod support;

use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::choice::Distribution;
use foresee_kernel::{DelayModel, Event, NodeId};
use foresee_sim::{Options, run};
use support::{Behaviour, DRAW, Memory, Message, Timer, stage};

const DIGIT: u32 = 100;
/// As many as two digits tell apart.
const NODES: usize = (DIGIT * DIGIT) as usize;

const ROUND: Duration = Duration::from_secs(1);
const DELAY: Duration = Duration::from_millis(1);

/// Who knows the rumour sends it to one of all at the beginning of each round; whoever hears it for the first time notes the round, and begins
/// with the next.
const GOSSIP: Behaviour = |this, event, ctx| {
    let digit = || ctx.random(&DRAW, Distribution::weighted((0..DIGIT).map(|digit| (digit, 1.0))));
    match event {
        Event::Start if ctx.me() == NodeId::new(0) => {
            this.log.push("0".to_owned());
            ctx.set(Timer(0), ROUND);
        }
        Event::Timer(_) => {
            this.count += 1;
            ctx.send(0, NodeId::new(digit() * DIGIT + digit()), Message::Ball(this.count));
            ctx.set(Timer(0), ROUND);
        }
        Event::Deliver { message, .. } if this.log.is_empty() => {
            if let Some(Message::Ball(round)) = message.get() {
                this.count = *round;
                this.log.push(round.to_string());
                ctx.set(Timer(0), ROUND - DELAY);
            }
        }
        _ => {}
    }
};

/// Between ⌊log2 n⌋ + ln n - 1.116 and ⌈log2 n⌉ + ln n + 2.765 + o(1) rounds are expected: Doerr and Künnemann, "Tight analysis of randomized
/// rumor spreading in complete graphs", ANALCO 2014.
#[test]
fn a_rumour_is_everywhere_after_as_many_rounds_as_are_known() {
    let model = Arc::new(stage(NODES, GOSSIP, |carrier| carrier.delay = DelayModel::Constant(DELAY)));
    let rounds = |seed| {
        let options = Options { until: Some(34 * ROUND), last: true, ..Options::default() };
        let run = run(&model, seed, &options).expect("it runs");
        let heard = run.last.iter().enumerate().map(|(node, state)| {
            let service = model.nodes[node].layers()[0].service();
            let memory: &Memory = service.variables(&state[0]).downcast_ref().expect("it is a puppet");
            memory.log.first().and_then(|round| round.parse::<u32>().ok()).expect("everybody has heard it")
        });
        f64::from(heard.max().unwrap_or(0))
    };
    let mean = (0..4).map(rounds).sum::<f64>() / 4.0;
    let n = NODES as f64;
    let (least, most) = (n.log2().floor() + n.ln() - 1.116, n.log2().ceil() + n.ln() + 2.765);
    assert!((least..=most).contains(&mean), "{mean} rounds, not {least} to {most}");
}
