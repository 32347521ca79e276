//! A ping flood: nodes in pairs, one ball a pair, thrown back as soon as it arrives. Prints how many events a second of
//! CPU time the simulator makes of it, by the number of nodes.
//!
//! `cargo run --release -p foresee-sim --example flood -- [EVENTS [NODES]]`

#![allow(clippy::print_stdout, reason = "an example prints what it measures")]

use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::ctx::{Alternative, Taken};
use foresee_kernel::model::ModelBuilder;
use foresee_kernel::{
    Arguments, CarrierInfo, CarrierKind, Ctx, Datum, DelayModel, Event, HandlerInfo, Layer, Model, NodeId,
    Service, ServiceInfo, Shape, SiteInfo, SpecInfo, Stack,
};
use foresee_sim::{Options, run};
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Ball {
    throws: u32,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Player {
    caught: u64,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Never;

macro_rules! without_ids {
    ($($type:ty),*) => {
        $(impl Shape for $type {
            fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
        })*
    };
}
without_ids!(Ball, Player, Never);

#[derive(Debug)]
struct Flood {
    partner: NodeId,
    serves: bool,
}

static HANDLERS: [HandlerInfo; 2] =
    [HandlerInfo::new("start", "start", 1), HandlerInfo::new("catch", "deliver Ball", 2)];
static SITES: [SiteInfo; 2] = [SiteInfo::new("start", 1), SiteInfo::new("Ball", 2)];
static INFO: ServiceInfo = ServiceInfo {
    name: "Flood",
    file: "flood.mace",
    line: 1,
    states: &[],
    variables: &[],
    messages: &[],
    carriers: &[CarrierInfo { name: "net", kind: CarrierKind::Datagram }],
    handlers: &HANDLERS,
    sites: &SITES,
    tables: &foresee_kernel::Tables::NONE,
};
static SPEC: SpecInfo =
    SpecInfo { name: "flood", file: "flood.mace", hash: 0, services: &[&INFO], systems: &[], scenarios: &[] };

impl Service for Flood {
    type Variables = Player;
    type Timer = Never;

    fn info() -> &'static ServiceInfo {
        &INFO
    }

    fn init(&self, _: NodeId) -> Player {
        Player { caught: 0 }
    }

    fn recover(&self, me: NodeId, _: &Player) -> Player {
        self.init(me)
    }

    fn step(&self, this: &mut Player, event: &Event, ctx: &Ctx<'_, Never>) {
        let unbound = |_: Taken| String::new();
        match event {
            Event::Start => {
                ctx.which(&SITES[0], &[Alternative { handler: 0, ways: 1 }], &unbound);
                if self.serves {
                    ctx.send(0, self.partner, Ball { throws: 0 });
                }
            }
            Event::Deliver { src, message, .. } => {
                let Some(ball) = message.get::<Ball>() else { return ctx.consumed(false) };
                ctx.which(&SITES[1], &[Alternative { handler: 1, ways: 1 }], &unbound);
                this.caught += 1;
                ctx.send(0, *src, Ball { throws: ball.throws.wrapping_add(1) });
            }
            _ => ctx.consumed(false),
        }
    }

    fn control(_: &Player) -> &'static str {
        ""
    }

    fn fields(this: &Player) -> Vec<(&'static str, String)> {
        vec![("caught", this.caught.to_string())]
    }

    fn accepts(message: &Datum) -> bool {
        message.get::<Ball>().is_some()
    }
}

fn flood(nodes: usize, delay: DelayModel) -> Model {
    let mut model = ModelBuilder::new(&SPEC, "Flood", &Arguments::default()).expect("no arguments");
    let group = model.group("n", Some(nodes)).expect("not too many");
    // A partner far away, so that no two are neighbours in memory.
    let half = nodes as u32 / 2;
    model.place(&group, |id| {
        let index = id.index() as u32;
        let partner = NodeId::new(if index < half { index + half } else { index - half });
        Stack::new(vec![Layer::new(Flood { partner, serves: index < half })])
    });
    model.network("net", |carrier| carrier.delay = delay);
    model.finish()
}

/// Seconds of CPU time of this process, and its peak of memory in MiB.
fn usage() -> (f64, f64) {
    // SAFETY: the structure is plain numbers, for which zeros are values.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the structure is valid for writes, and this call keeps no pointer to it.
    unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
    let seconds = |time: libc::timeval| time.tv_sec as f64 + time.tv_usec as f64 / 1e6;
    (seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss as f64 / 1024.0)
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter_map(|text| text.parse().ok());
    let events = arguments.next().unwrap_or(5_000_000);
    let sizes = arguments.next().map_or(vec![100, 1_000, 10_000], |nodes| vec![nodes as usize]);
    let delays = [
        ("constant 10 ms", DelayModel::Constant(Duration::from_millis(10))),
        ("uniform 1..20 ms", DelayModel::Uniform(Duration::from_millis(1), Duration::from_millis(20))),
        ("exponential 10 ms", DelayModel::Exponential(Duration::from_millis(10))),
    ];
    println!("{:>7}  {:<18}  {:>10}  {:>14}  {:>9}", "nodes", "delay", "events", "events/CPU s", "peak MiB");
    for (name, delay) in delays {
        for &nodes in &sizes {
            let model = Arc::new(flood(nodes, delay));
            let options = Options { events_max: Some(events), ..Options::default() };
            let before = usage().0;
            let run = run(&model, 1, &options).expect("it runs");
            let (after, peak) = usage();
            let rate = run.events as f64 / (after - before);
            println!("{nodes:>7}  {name:<18}  {:>10}  {rate:>14.0}  {peak:>9.1}", run.events);
        }
    }
}
