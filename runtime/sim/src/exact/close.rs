//! The sum over all runs, told in the words of the spec.

use std::collections::BTreeMap;
use std::sync::Arc;

use foresee_kernel::{
    Claim, Datum, Event, Figure, Layer, Model, NodeEvent, NodeState, Stack, Statistical, names,
};

use super::dice::{Moment, Site};
use super::sum::{Layout, Sum};
use super::{Answered, Exact, Settled, Taken};
use crate::statistics::{Interval, Verdict};

/// Two figures that differ by less than this share of a bound are taken to be the same: sums round.
const ROUNDING: f64 = 1e-12;

pub(super) fn close(model: &Model, layout: &Layout, all: &Sum, states: Option<u64>) -> Exact {
    let mean = |sum: f64| (all.cut() == 0.0 && all.whole() > 0.0).then(|| sum / all.whole());
    let settle = |(index, claim): (usize, &Arc<Statistical>)| {
        let (sum, mass) = all.figure(layout, index);
        let ratio = if mass > 0.0 { Some(sum / mass) } else { None };
        let value = ratio.filter(|_| all.cut() == 0.0);
        let probability = matches!(claim.figure, Figure::Probability { .. });
        let interval = (probability && all.cut() > 0.0).then(|| Interval {
            low: sum / (mass + all.cut()),
            high: (sum + all.cut()) / (mass + all.cut()),
        });
        let between = value.map(|value| (value, value)).or(interval.map(|it| (it.low, it.high)));
        let holds = between.and_then(|between| holds(claim.claim, between));
        Settled {
            name: claim.name,
            claim: claim.text,
            line: claim.line,
            verdict: match holds {
                Some(true) => Verdict::Held,
                Some(false) => Verdict::Violated,
                None => Verdict::Undecided,
            },
            value,
            interval,
            left_out: (1.0 - all.cut() - mass).max(0.0),
            note: match (claim.claim, value) {
                (Claim::Finite, _) => Some("`finite` is about ever longer runs: `--verify` gathers evidence"),
                (_, None) if all.cut() == 0.0 => Some("no run says anything of it"),
                (_, Some(value)) if value.is_nan() => Some("the values of runs have no mean"),
                _ => None,
            },
        }
    };
    Exact {
        runs: all.runs,
        states,
        cut: all.cut(),
        objectives: all.objectives(layout).map(|(name, sum)| (name.clone(), mean(sum))).collect(),
        properties: all.properties(layout),
        violations: all.violations(layout),
        statistics: model.statistics.iter().enumerate().map(settle).collect(),
        choices: choices(all),
        policy: names::scope(&model.names, || policy(model, all)),
    }
}

/// How often each option is taken, over all moments.
fn choices(all: &Sum) -> Vec<Taken> {
    let mut counted: BTreeMap<(&Site, &str), f64> = BTreeMap::new();
    for ((moment, option), times) in &all.taken {
        *counted.entry((&moment.site, option)).or_default() += times;
    }
    let taken = counted.into_iter().map(|((site, option), times)| Taken {
        service: site.service,
        site: site.name,
        line: site.line,
        option: option.to_owned(),
        times,
    });
    taken.collect()
}

/// The options that are taken, by what is shown of the moment.
fn policy(model: &Model, all: &Sum) -> Vec<Answered> {
    let mut taken: BTreeMap<_, BTreeMap<String, f64>> = BTreeMap::new();
    for ((moment, option), times) in &all.taken {
        let Moment { site, node, own } = &**moment;
        let stack = &model.nodes[node.index()];
        let own = own.as_ref().map(|(event, state)| (told(event), shown(stack, state)));
        let options = taken.entry((site, node.to_string(), own.unwrap_or_default())).or_default();
        *options.entry(option.to_string()).or_default() += times;
    }
    let answered = taken.into_iter().map(|((site, node, (event, state)), options)| Answered {
        service: site.service,
        site: site.name,
        line: site.line,
        node,
        event,
        state,
        options,
    });
    let mut answered: Vec<Answered> = answered.collect();
    answered.sort_by(|one, two| two.times().total_cmp(&one.times()));
    answered
}

/// What happens to a node, in words of the spec.
fn told(event: &NodeEvent) -> String {
    match event {
        NodeEvent::Start => "start".to_owned(),
        NodeEvent::Broken { peer, .. } => format!("broken({peer})"),
        NodeEvent::Layer(_, event) => match event {
            Event::Deliver { src, message, .. } => format!("deliver {message:?} from {src}"),
            Event::Timer(timer) => format!("timer {timer:?}"),
            Event::Call(call) => format!("call {call:?}"),
            other => format!("{other:?}"),
        },
    }
}

/// The variables of a node, the top layer first.
fn shown(stack: &Stack, state: &NodeState) -> String {
    let layer = |(layer, state): (&Layer, &Datum)| {
        let fields =
            layer.service().fields(state).into_iter().map(|(name, value)| format!("{name}: {value}"));
        format!("{} {{ {} }}", layer.service().info().name, fields.collect::<Vec<_>>().join(", "))
    };
    stack.layers().iter().zip(state).map(layer).collect::<Vec<_>>().join(" over ")
}

/// Whether a claim is true of a figure that lies between these.
fn holds(claim: Claim, (low, high): (f64, f64)) -> Option<bool> {
    let (surely, surely_not) = match claim {
        Claim::AtLeast(bound) => {
            let bound = bound - ROUNDING * bound.abs();
            (low >= bound, high < bound)
        }
        Claim::Above(bound) => {
            let bound = bound + ROUNDING * bound.abs();
            (low > bound, high <= bound)
        }
        Claim::AtMost(bound) => {
            let bound = bound + ROUNDING * bound.abs();
            (high <= bound, low > bound)
        }
        Claim::Below(bound) => {
            let bound = bound - ROUNDING * bound.abs();
            (high < bound, low >= bound)
        }
        Claim::Finite => (false, false),
    };
    (surely || surely_not).then_some(surely)
}
