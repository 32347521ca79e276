//! Choices whose form is known, and what is seen of the service in which they stand.

// Every test file uses its own part of this.
#![allow(dead_code)]

use foresee_kernel::{HandlerInfo, Nature, NodeId, Point, ServiceInfo, SiteInfo, Tables};
use foresee_measure::{Beats, Demand, Ends, Form, Gauge, Resends, Tunable, Waiting};

/// What a beat costs.
pub const BEAT: f64 = 0.05;
/// What an answer costs, and an acknowledgement.
pub const SEND: f64 = 0.2;

/// Its one handler is the call.
pub static SERVICE: ServiceInfo = ServiceInfo {
    name: "Link",
    file: "",
    line: 0,
    states: &[],
    variables: &[],
    messages: &[],
    carriers: &[],
    handlers: &[] as &[HandlerInfo],
    sites: &[],
    tables: &Tables::NONE,
};
static SITE: SiteInfo = SiteInfo::new("beat.period", 0);

fn tunable(form: Form) -> Tunable {
    Tunable { service: "Link", choice: "beat.period", timer: "beat", form: Ok(form) }
}

/// The period of beats for which the calls of a link wait.
pub fn beats() -> Tunable {
    let demand = Demand {
        service: "Link",
        handlers: vec![0],
        objective: "waiting",
        wait: 1.0,
        answers: vec!["Data"],
        answer: SEND,
        acknowledgements: vec!["Ack"],
        acknowledgement: SEND,
    };
    tunable(Form::Beats(Beats { messages: vec!["Beat"], price: BEAT, demands: vec![demand] }))
}

/// The period at which the calls of a link send again, until what they sent has arrived or is acknowledged.
pub fn resends(ends: Ends) -> Tunable {
    tunable(Form::Resends(Resends {
        service: "Link",
        handlers: vec![0],
        messages: vec!["Data"],
        price: SEND,
        acknowledgements: vec!["Ack"],
        acknowledgement: SEND,
        waits: vec![Waiting { objective: "waiting", wait: 1.0, ends }],
    }))
}

/// Four periods to a doubling, from 0.1 to 10 s.
pub fn periods() -> Vec<f64> {
    let doublings = (0..7).flat_map(|it| [4, 5, 6, 7].map(|part| 0.025 * f64::from(part << it)));
    doublings.filter(|it| *it <= 10.0).collect()
}

/// The option that a node takes at a moment.
pub fn choose(gauge: &mut Gauge, node: NodeId, nanos: u64, periods: &[f64], default: Option<u32>) -> usize {
    let label = |option: u32| format!("{}ms", (periods[option as usize] * 1e3).round());
    let point = Point {
        node,
        service: &SERVICE,
        site: &SITE,
        nature: Nature::Choice,
        options: periods.len() as u32,
        weights: &[],
        default,
        label: &label,
        handler: &|_| 0,
    };
    gauge.choose(nanos, &point).expect("they are durations") as usize
}
