//! What the application and the environment may do, rule by rule (`docs/semantics.md`, 2, 7, 9 and 13): each rule on a
//! service of a few lines, told in the words of traces.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::model::ModelBuilder;
use foresee_kernel::plan::{Call, FaultKind, FaultPlan, FaultTarget, Timing, Way};
use foresee_kernel::{
    Arguments, Below, CarrierInfo, CarrierKind, Ctx, Datum, Event, Layer, Model, NodeId, Reply, Service,
    ServiceInfo, Shape, SiteInfo, SpecInfo, Stack, View, names,
};
use foresee_world::reference::{self, Limits, NO_FAULT};
use foresee_world::{Action, Direct, Planned, World, narrate, path};
use serde::{Deserialize, Serialize};

/// What a node remembers, by how well.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Memory {
    volatile: Vec<u64>,
    durable: Vec<u64>,
    ghost: Vec<u64>,
}

impl Shape for Memory {
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
}

/// What the application may ask.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
enum Downcall {
    Say { to: NodeId, what: u64 },
    Ask { reply: Reply<u64> },
}

impl Shape for Downcall {
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
}

type Act = fn(&mut Memory, &Event, &Ctx<'_, u8>);

/// A service that does what `act` does, over an ordered carrier (slot 0) and a datagram network (slot 1).
#[derive(Clone, Debug)]
struct Scripted(Act);

const ORDERED: usize = 0;
const DATAGRAM: usize = 1;
/// What a node logs when it is told that the connection to node `n` broke: this and `n`.
const BROKEN: u64 = 100;

static SITE: SiteInfo = SiteInfo::new("site", 1);

static INFO: ServiceInfo = ServiceInfo {
    name: "Scripted",
    file: "faults.mace",
    line: 1,
    states: &[],
    variables: &[],
    messages: &[],
    carriers: &[
        CarrierInfo { name: "net", kind: CarrierKind::Reliable },
        CarrierInfo { name: "post", kind: CarrierKind::Datagram },
    ],
    handlers: &[],
    sites: &[],
    tables: &foresee_kernel::Tables::NONE,
};

static SPEC: SpecInfo =
    SpecInfo { name: "faults", file: "faults.mace", hash: 0, services: &[], systems: &[], scenarios: &[] };

impl Service for Scripted {
    type Variables = Memory;
    type Timer = u8;

    fn info() -> &'static ServiceInfo {
        &INFO
    }
    fn init(&self, _: NodeId) -> Memory {
        Memory::default()
    }
    fn recover(&self, _: NodeId, before: &Memory) -> Memory {
        Memory { volatile: Vec::new(), ..before.clone() }
    }
    fn step(&self, this: &mut Memory, event: &Event, ctx: &Ctx<'_, u8>) {
        (self.0)(this, event, ctx);
    }
    fn query(&self, _: &Memory, _: &dyn Any, _: &Below<'_>) -> Option<Box<dyn Any>> {
        None
    }
    fn control(_: &Memory) -> &'static str {
        ""
    }
    fn fields(this: &Memory) -> Vec<(&'static str, String)> {
        vec![("volatile", format!("{:?}", this.volatile))]
    }
    fn accepts(message: &Datum) -> bool {
        message.get::<u64>().is_some()
    }
}

fn n(index: u32) -> NodeId {
    NodeId::new(index)
}

fn fault(kind: FaultKind, nodes: &[u32], most: Option<u32>) -> FaultPlan {
    FaultPlan {
        text: kind.keyword(),
        line: 7,
        kind,
        target: FaultTarget::OneOf(nodes.iter().copied().map(n).collect()),
        most,
        timing: Timing::default(),
        chance: None,
        back: Some((Duration::ZERO, Duration::ZERO)),
    }
}

fn for_good(plan: FaultPlan) -> FaultPlan {
    FaultPlan { back: None, ..plan }
}

fn say(from: u32, to: u32, what: u64, most: Option<u32>) -> Call {
    call(from, most, Arc::new(move |_| Datum::new(Downcall::Say { to: n(to), what })))
}

fn ask(at: u32, most: Option<u32>) -> Call {
    call(
        at,
        most,
        Arc::new(move |number| {
            Datum::new(Downcall::Ask { reply: Reply::new(n(at), Reply::<u64>::APPLICATION, number) })
        }),
    )
}

fn call(at: u32, most: Option<u32>, call: Arc<dyn Fn(u64) -> Datum + Send + Sync>) -> Call {
    let ways = vec![Way { node: n(at), layer: 0, probability: 1.0, call }];
    Call { text: "call", line: 5, most, timing: Timing::default(), after_restart: false, ways }
}

fn model(size: usize, act: Act, calls: Vec<Call>, faults: Vec<FaultPlan>) -> Arc<Model> {
    let mut builder = ModelBuilder::new(&SPEC, "System", &Arguments::default()).expect("no arguments");
    let nodes = builder.group("n", Some(size)).expect("it fits");
    builder.place(&nodes, |_| Stack::new(vec![Layer::new(Scripted(act))]));
    calls.into_iter().for_each(|call| builder.call(call));
    faults.into_iter().for_each(|fault| builder.fault(fault));
    Arc::new(builder.finish())
}

/// A world, and what it is a world of.
#[derive(Clone)]
struct Run {
    program: Direct,
    world: World<Direct>,
}

impl Run {
    fn new(model: &Arc<Model>) -> Self {
        let program = Direct::new(model.clone());
        let mut initials = path::initials(&program, 10).expect("few starts");
        assert_eq!(initials.len(), 1, "the start does not branch");
        Run { program, world: initials.remove(0).world }
    }

    fn actions(&self) -> Vec<(String, Action<Direct>)> {
        let names = self.program.shared_model().names.clone();
        names::scope(&names, || {
            let mut actions = Vec::new();
            self.world.enabled(&self.program, |action| {
                actions.push((narrate::describe(&self.program, &action).to_string(), action));
            });
            actions
        })
    }

    /// What may happen, in words, sorted.
    fn offers(&self) -> Vec<String> {
        let mut offers: Vec<String> = self.actions().into_iter().map(|(told, _)| told).collect();
        offers.sort();
        offers
    }

    /// Lets things happen, the first way.
    fn go(mut self, what: &[&str]) -> Self {
        for told in what {
            let actions = self.actions();
            let found = actions.iter().find(|(other, _)| other == told);
            let (_, action) = found.unwrap_or_else(|| panic!("{told} is none of {:?}", self.offers()));
            self.world = self.after(action).remove(0);
        }
        self
    }

    fn after(&self, action: &Action<Direct>) -> Vec<World<Direct>> {
        use foresee_world::Program;
        let digest = self.world.digest(&self.program);
        let after = |successor: Option<&foresee_world::Successor<Direct>>| {
            let next = self.world.after(&self.program, action, successor);
            let mut applied = self.world.clone();
            applied.apply(&self.program, action, successor);
            assert_eq!(applied, next);
            let sum = self.world.digest_after(&self.program, digest, action, successor);
            assert_eq!(sum, next.digest(&self.program));
            next
        };
        match action.stimulus(&self.program) {
            None => vec![after(None)],
            Some((id, stimulus)) => {
                assert!(self.program.model().nodes.len() > id.index());
                let ways = self.program.successors(&self.world.nodes[id.index()], &stimulus);
                ways.iter().map(|way| after(Some(way))).collect()
            }
        }
    }

    fn memory(&self, node: u32) -> Memory {
        let look = |view: &View<'_>| view.variables::<Scripted>(n(node)).cloned();
        self.world.view(&self.program, look).expect("the node runs the service")
    }

    fn up(&self, node: u32) -> bool {
        self.world.view(&self.program, |view| view.up(n(node)))
    }

    /// Every volatile memory that `node` can have from here on.
    fn logs(&self, node: u32) -> BTreeSet<Vec<u64>> {
        let (mut found, mut open) = (Vec::new(), vec![self.clone()]);
        while let Some(run) = open.pop() {
            if found.contains(&run.world) {
                continue;
            }
            assert!(found.len() < 2_000, "the model is not as small as it was meant to be");
            for (_, action) in run.actions() {
                open.extend(run.after(&action).into_iter().map(|world| Run { world, ..run.clone() }));
            }
            found.push(run.world);
        }
        found.into_iter().map(|world| Run { world, ..self.clone() }.memory(node).volatile).collect()
    }
}

/// Says what it is asked to, to whom it is asked to; logs what it hears, what breaks, and what it is asked; and its starts, for ever.
fn parrot(this: &mut Memory, event: &Event, ctx: &Ctx<'_, u8>) {
    talk(this, event, ctx, ORDERED);
}

/// As [`parrot`], by datagrams.
fn pigeon(this: &mut Memory, event: &Event, ctx: &Ctx<'_, u8>) {
    talk(this, event, ctx, DATAGRAM);
}

fn talk(this: &mut Memory, event: &Event, ctx: &Ctx<'_, u8>, slot: usize) {
    match event {
        Event::Start => {
            this.durable.push(1);
            this.ghost.push(2);
        }
        Event::Call(call) => match call.get::<Downcall>() {
            Some(Downcall::Say { to, what }) => ctx.send(slot, *to, *what),
            Some(Downcall::Ask { reply }) => this.volatile.push(reply.number()),
            None => {}
        },
        Event::Deliver { message, .. } => this.volatile.extend(message.get::<u64>()),
        Event::Broken { peer, .. } => this.volatile.push(BROKEN + peer.index() as u64),
        _ => {}
    }
}

const CRASH: FaultKind = FaultKind::Crash;
const RESET: FaultKind = FaultKind::Reset;

#[test]
fn s2_the_application_calls_as_often_as_its_line_says() {
    let run = Run::new(&model(2, pigeon, vec![say(0, 1, 5, Some(2))], vec![]));
    assert_eq!(run.offers(), ["n[0].say(n[1], 5)"]);
    assert_eq!(run.logs(1), BTreeSet::from([vec![], vec![5], vec![5, 5]]));
    // Without a bound nothing is counted: the same call leads to the same world.
    let for_ever = Run::new(&model(1, pigeon, vec![call(0, None, Arc::new(|_| Datum::new(7u64)))], vec![]));
    let next = for_ever.clone().go(&["n[0].7()"]);
    assert_eq!(next.world, for_ever.world);
}

#[test]
fn s2_a_call_goes_every_way_that_has_a_probability() {
    let mut line = say(0, 1, 1, Some(1));
    for (what, probability) in [(2, 0.0), (3, 0.5)] {
        line.ways.push(Way { probability, ..say(0, 1, what, None).ways.remove(0) });
    }
    let run = Run::new(&model(2, pigeon, vec![line], vec![]));
    assert_eq!(run.logs(1), BTreeSet::from([vec![], vec![1], vec![3]]));
}

#[test]
fn s2_a_request_has_a_number_of_its_own_also_after_a_crash() {
    let crash = fault(CRASH, &[0], Some(1));
    let run = Run::new(&model(1, parrot, vec![ask(0, Some(3))], vec![crash]));
    let ask = |number: u64| format!("n[0].ask(reply {number} to n[0])");
    let run = run.go(&[&ask(0), &ask(1)]);
    assert_eq!(run.memory(0).volatile, [0, 1]);
    let run = run.go(&["crash n[0]"]);
    assert_eq!(run.offers(), ["restart n[0]"], "a node that is down is not called");
    let run = run.go(&["restart n[0]", &ask(2)]);
    assert_eq!(run.memory(0).volatile, [2]);
    assert!(run.offers().is_empty(), "three calls were made");
}

#[test]
fn s2_what_is_called_after_a_restart_is_called_again() {
    let crash = fault(CRASH, &[0], Some(1));
    let again = Call { after_restart: true, ..say(0, 1, 5, Some(1)) };
    let run = Run::new(&model(2, pigeon, vec![again.clone(), say(0, 1, 6, Some(1))], vec![crash]));
    let run = run.go(&["n[0].say(n[1], 5)", "n[0].say(n[1], 6)", "crash n[0]", "restart n[0]"]);
    assert!(run.offers().contains(&"n[0].say(n[1], 5)".to_owned()));
    assert!(!run.offers().contains(&"n[0].say(n[1], 6)".to_owned()));
    let reset = Run::new(&model(2, pigeon, vec![again], vec![fault(RESET, &[0], Some(1))]));
    let reset = reset.go(&["n[0].say(n[1], 5)", "reset n[0]"]);
    assert!(reset.offers().contains(&"n[0].say(n[1], 5)".to_owned()));
}

#[test]
fn s7_a_crash_keeps_what_is_durable_and_ghosts_and_a_node_that_is_down_reads_so() {
    fn act(this: &mut Memory, event: &Event, ctx: &Ctx<'_, u8>) {
        parrot(this, event, ctx);
        if matches!(event, Event::Start) {
            this.volatile.push(3);
            ctx.set(1, Duration::from_secs(1));
        }
    }
    let run = Run::new(&model(1, act, vec![], vec![fault(CRASH, &[0], Some(1))]));
    assert_eq!(run.offers(), ["crash n[0]", "fire 1 at n[0]"]);
    let down = run.go(&["crash n[0]"]);
    assert!(!down.up(0));
    assert_eq!(down.memory(0), Memory { volatile: vec![], durable: vec![1], ghost: vec![2] });
    assert_eq!(down.offers(), ["restart n[0]"], "its timers are gone");
    let back = down.go(&["restart n[0]"]);
    assert!(back.up(0));
    assert_eq!(back.memory(0), Memory { volatile: vec![3], durable: vec![1, 1], ghost: vec![2, 2] });
    assert_eq!(back.offers(), ["fire 1 at n[0]"], "it crashes once");
}

#[test]
fn s7_every_way_of_a_restart_is_explored_and_its_fault_leaves_the_node_up_and_not_started() {
    fn act(this: &mut Memory, event: &Event, ctx: &Ctx<'_, u8>) {
        if matches!(event, Event::Start) && !this.durable.is_empty() {
            this.volatile.push(ctx.choose(&SITE, [4u64, 5]));
            assert!(this.volatile != [5], "on purpose");
        } else {
            this.durable.push(1);
        }
    }
    let model = model(1, act, vec![], vec![fault(CRASH, &[0], Some(1))]);
    assert_eq!(Run::new(&model).logs(0), BTreeSet::from([vec![], vec![4]]));
    let limits = Limits { stop_at_violation: false, ..Limits::default() };
    let report = reference::explore(&model, limits).expect("one start");
    // Up; down; restarted; up and not started.
    assert_eq!((report.unique_states, report.transitions), (4, 3));
    assert_eq!(report.violations.get(NO_FAULT), Some(&1));
    assert_eq!(report.fired.get(&Planned::Fault(0)), Some(&1));
}

#[test]
fn s7_a_node_that_never_returns_is_never_restarted_and_nothing_is_kept_for_it() {
    let crash = for_good(fault(CRASH, &[1], Some(1)));
    let run = Run::new(&model(2, pigeon, vec![say(0, 1, 5, Some(2))], vec![crash]));
    let run = run.go(&["n[0].say(n[1], 5)", "crash n[1]", "n[0].say(n[1], 5)"]);
    assert_eq!(run.world.in_flight(&run.program), 0);
    assert!(run.offers().is_empty());
}

#[test]
fn s7_a_datagram_outlives_its_sender_and_is_lost_only_if_it_arrives_while_the_receiver_is_down() {
    let crashes = vec![fault(CRASH, &[0, 1], Some(2))];
    let run = Run::new(&model(2, pigeon, vec![say(0, 1, 5, Some(1))], crashes));
    let sent = run.go(&["n[0].say(n[1], 5)"]);
    let outlived = sent.clone().go(&["crash n[0]", "deliver 5 from n[0] to n[1]"]);
    assert_eq!(outlived.memory(1).volatile, [5]);
    let down = sent.go(&["crash n[1]"]);
    assert_eq!(down.offers(), ["crash n[0]", "deliver 5 from n[0] to n[1], which is down", "restart n[1]"]);
    let lost = down.clone().go(&["deliver 5 from n[0] to n[1], which is down", "restart n[1]"]);
    assert!(!lost.offers().contains(&"deliver 5 from n[0] to n[1]".to_owned()));
    let late = down.go(&["restart n[1]", "deliver 5 from n[0] to n[1]"]);
    assert_eq!(late.memory(1).volatile, [5]);
}

#[test]
fn s7_what_a_node_sends_to_itself_is_lost_with_it() {
    let run = Run::new(&model(1, pigeon, vec![say(0, 0, 5, Some(1))], vec![fault(CRASH, &[0], Some(1))]));
    let run = run.go(&["n[0].say(n[0], 5)", "crash n[0]"]);
    assert_eq!(run.offers(), ["restart n[0]"]);
}

/// Node 0 says 1, 2 and 3 to node 1.
fn three() -> Vec<Call> {
    (1..=3).map(|what| say(0, 1, what, Some(1))).collect()
}

const SAY: [&str; 3] = ["n[0].say(n[1], 1)", "n[0].say(n[1], 2)", "n[0].say(n[1], 3)"];

#[test]
fn s7_any_prefix_is_delivered_and_the_break_is_told_behind_it() {
    let run = Run::new(&model(2, parrot, three(), vec![for_good(fault(CRASH, &[0], Some(1)))]));
    let run = run.go(&SAY).go(&["crash n[0]"]);
    assert_eq!(run.offers(), ["deliver 1 from n[0] to n[1]", "tell n[1] that its connection to n[0] broke"]);
    let ends = run.logs(1).into_iter().filter(|log| log.ends_with(&[BROKEN])).collect::<Vec<_>>();
    assert_eq!(ends, [vec![1, 2, 3, BROKEN], vec![1, 2, BROKEN], vec![1, BROKEN], vec![BROKEN]]);
    let told = run.go(&["deliver 1 from n[0] to n[1]", "tell n[1] that its connection to n[0] broke"]);
    assert!(told.offers().is_empty(), "the rest is lost");
}

#[test]
fn s7_strangers_are_not_told_and_what_was_on_its_way_to_a_node_that_crashed_is_lost() {
    let run = Run::new(&model(3, parrot, vec![say(0, 1, 1, Some(1))], vec![fault(CRASH, &[0, 1], Some(1))]));
    let crashed = run.clone().go(&["crash n[0]"]);
    assert_eq!(crashed.offers(), ["restart n[0]"], "nobody is connected yet");
    let run = run.go(&["n[0].say(n[1], 1)", "crash n[1]"]);
    assert_eq!(run.offers(), ["restart n[1]", "tell n[0] that its connection to n[1] broke"]);
    let run = run.go(&["tell n[0] that its connection to n[1] broke"]);
    assert_eq!(run.memory(0).volatile, [BROKEN + 1], "who sent is told as well");
}

#[test]
fn s7_a_connection_that_was_used_once_is_one() {
    let run = Run::new(&model(2, parrot, vec![say(0, 1, 1, Some(1))], vec![fault(CRASH, &[0], Some(1))]));
    let run = run.go(&["n[0].say(n[1], 1)", "deliver 1 from n[0] to n[1]", "crash n[0]"]);
    assert_eq!(run.offers(), ["restart n[0]", "tell n[1] that its connection to n[0] broke"]);
}

#[test]
fn s7_what_is_sent_to_a_node_that_is_down_is_lost_and_the_sender_is_told() {
    let calls = vec![say(0, 1, 1, Some(2)), say(0, 1, 2, Some(1))];
    let run = Run::new(&model(2, parrot, calls, vec![fault(CRASH, &[1], Some(1))]));
    let run = run.go(&["crash n[1]", "n[0].say(n[1], 1)", "n[0].say(n[1], 1)", "restart n[1]"]);
    assert_eq!(
        run.offers(),
        ["n[0].say(n[1], 2)", "tell n[0] that its connection to n[1] broke"],
        "once for both"
    );
    // Until it was told, what it sends is lost, though the node is up again.
    let early = run.clone().go(&["n[0].say(n[1], 2)", "tell n[0] that its connection to n[1] broke"]);
    assert!(early.offers().is_empty());
    let late = run.go(&["tell n[0] that its connection to n[1] broke", "n[0].say(n[1], 2)"]);
    assert_eq!(late.offers(), ["deliver 2 from n[0] to n[1]"]);
}

#[test]
fn s7_a_new_connection_comes_behind_the_break_of_the_old_one() {
    let run = Run::new(&model(2, parrot, three(), vec![fault(CRASH, &[0], Some(1))]));
    let run = run.go(&[SAY[0], SAY[1], "crash n[0]", "restart n[0]", SAY[2]]);
    assert_eq!(run.offers(), ["deliver 1 from n[0] to n[1]", "tell n[1] that its connection to n[0] broke"]);
    let ends: Vec<_> = run.logs(1).into_iter().filter(|log| log.ends_with(&[3])).collect();
    assert_eq!(ends, [vec![1, 2, BROKEN, 3], vec![1, BROKEN, 3], vec![BROKEN, 3]]);
}

#[test]
fn s7_after_a_silent_reset_a_peer_learns_at_its_next_send() {
    let mut calls = three();
    calls.push(say(1, 0, 9, Some(2)));
    let run = Run::new(&model(2, parrot, calls, vec![fault(RESET, &[0], Some(1))]));
    let run = run.go(&[SAY[0], SAY[1], "reset n[0]"]);
    assert!(run.up(0));
    assert_eq!(run.memory(0).durable, [1, 1], "it started again");
    let rest = "lose what n[0] sent to n[1] before its reset";
    assert_eq!(run.offers(), ["deliver 1 from n[0] to n[1]", rest, SAY[2], "n[1].say(n[0], 9)"]);
    // What it sends over a new connection arrives, and nothing is told.
    let heard = run.go(&[SAY[2], "deliver 1 from n[0] to n[1]", rest, "deliver 3 from n[0] to n[1]"]);
    assert_eq!(heard.memory(1).volatile, [1, 3]);
    assert_eq!(heard.offers(), ["n[1].say(n[0], 9)"]);
    // The peer still uses the old one: what it sends is lost, and that is how it learns.
    let told = heard.go(&["n[1].say(n[0], 9)", "n[1].say(n[0], 9)"]);
    assert_eq!(told.offers(), ["tell n[1] that its connection to n[0] broke"]);
    let told = told.go(&["tell n[1] that its connection to n[0] broke"]);
    assert_eq!(told.memory(1).volatile, [1, 3, BROKEN]);
    assert!(told.offers().is_empty());
}

#[test]
fn s7_a_cut_breaks_one_connection_and_tells_both_ends() {
    let calls = vec![say(0, 1, 1, Some(1)), say(1, 0, 2, Some(1)), say(0, 2, 3, Some(1))];
    let run = Run::new(&model(3, parrot, calls, vec![fault(FaultKind::Cut, &[0, 1, 2], Some(1))]));
    assert!(!run.offers().iter().any(|offer| offer.starts_with("cut")), "nothing is connected");
    let run = run.go(&["n[0].say(n[1], 1)", "n[1].say(n[0], 2)", "n[0].say(n[2], 3)"]);
    let cut = run.clone().go(&["cut n[0] from n[1]"]);
    assert!(run.offers().contains(&"cut n[0] from n[2]".to_owned()));
    assert_eq!(
        cut.offers(),
        [
            "deliver 1 from n[0] to n[1]",
            "deliver 2 from n[1] to n[0]",
            "deliver 3 from n[0] to n[2]",
            "tell n[0] that its connection to n[1] broke",
            "tell n[1] that its connection to n[0] broke",
        ]
    );
    assert_eq!(cut.logs(0), BTreeSet::from([vec![], vec![2], vec![2, BROKEN + 1], vec![BROKEN + 1]]));
}

#[test]
fn s7_nothing_passes_between_the_parts_until_they_heal() {
    let mut model =
        Model::clone(&model(3, pigeon, vec![say(0, 1, 1, Some(1)), say(1, 2, 2, Some(1))], vec![]));
    model.faults.push(fault(FaultKind::Partition, &[0], Some(1)));
    let run = Run::new(&Arc::new(model)).go(&["n[0].say(n[1], 1)", "n[1].say(n[2], 2)", "partition n[0]"]);
    assert_eq!(run.offers(), ["deliver 2 from n[1] to n[2]", "heal n[0]"]);
    let run = run.go(&["heal n[0]"]);
    assert_eq!(run.offers(), ["deliver 1 from n[0] to n[1]", "deliver 2 from n[1] to n[2]"]);
}

#[test]
fn s7_a_partition_hides_no_break() {
    let faults = vec![fault(FaultKind::Partition, &[0], Some(1)), for_good(fault(CRASH, &[0], Some(1)))];
    let run = Run::new(&model(2, parrot, three(), faults));
    let run = run.go(&[SAY[0], "partition n[0]", "crash n[0]"]);
    assert_eq!(run.offers(), ["heal n[0]", "tell n[1] that its connection to n[0] broke"]);
}

#[test]
fn s7_a_set_that_depends_on_the_state_goes_down_together() {
    fn listeners(view: &View<'_>) -> Vec<NodeId> {
        let heard = |id: &NodeId| view.variables::<Scripted>(*id).is_some_and(|m| !m.volatile.is_empty());
        view.all().into_iter().filter(heard).collect()
    }
    let crash = FaultPlan { target: FaultTarget::AllOf(listeners), ..fault(CRASH, &[], Some(1)) };
    let calls = vec![say(0, 1, 1, Some(1)), say(0, 2, 2, Some(1))];
    let run = Run::new(&model(3, pigeon, calls, vec![crash]));
    assert!(!run.offers().iter().any(|offer| offer.starts_with("crash")), "the set is empty");
    let run = run.go(&["n[0].say(n[1], 1)", "n[0].say(n[2], 2)", "deliver 1 from n[0] to n[1]"]);
    assert!(run.offers().contains(&"crash n[1]".to_owned()));
    let run = run.go(&["deliver 2 from n[0] to n[2]", "crash n[1], n[2]"]);
    assert_eq!(run.offers(), ["restart n[1]", "restart n[2]"]);
}

#[test]
fn s7_once_nothing_can_break_it_is_forgotten_who_was_connected() {
    let calls = vec![say(0, 1, 1, Some(1))];
    let crash = || for_good(fault(CRASH, &[2], Some(1)));
    let run = Run::new(&model(3, parrot, calls, vec![crash()]));
    let talked = run.clone().go(&["n[0].say(n[1], 1)", "deliver 1 from n[0] to n[1]", "crash n[2]"]);
    let later = run.go(&["crash n[2]", "n[0].say(n[1], 1)", "deliver 1 from n[0] to n[1]"]);
    assert_eq!(talked.world, later.world);
}

#[test]
fn s7_a_fault_without_a_bound_is_not_counted_and_one_without_a_chance_never_happens() {
    let never = FaultPlan { chance: Some(0.0), ..fault(CRASH, &[0], None) };
    assert!(Run::new(&model(1, parrot, vec![], vec![never])).offers().is_empty());
    fn idle(_: &mut Memory, _: &Event, _: &Ctx<'_, u8>) {}
    let run = Run::new(&model(1, idle, vec![], vec![fault(CRASH, &[0], None)]));
    assert_eq!(run.clone().go(&["crash n[0]", "restart n[0]"]).world, run.world);
}

#[test]
fn s13_a_check_may_bound_calls_and_faults_beyond_their_lines() {
    use foresee_kernel::plan::FaultBudget;
    let lines = vec![fault(CRASH, &[0], None), fault(CRASH, &[1], Some(5))];
    let mut model = Model::clone(&model(2, parrot, three(), lines));
    model.bounds.calls = Some(1);
    model.bounds.faults = vec![FaultBudget { kind: CRASH, nodes: vec![n(0), n(1)], most: 1 }];
    let run = Run::new(&Arc::new(model)).go(&[SAY[0], "deliver 1 from n[0] to n[1]"]);
    assert_eq!(run.offers(), ["crash n[0]", "crash n[1]"], "no further call");
    let run = run.go(&["crash n[0]", "tell n[1] that its connection to n[0] broke"]);
    assert_eq!(run.offers(), ["restart n[0]"], "no further crash");
}

#[test]
fn traces_of_calls_and_faults_replay_and_say_what_happened() {
    use foresee_kernel::Trace;
    use foresee_kernel::trace::Ending;
    use foresee_world::{Move, Path};
    let mut calls = three();
    calls.push(say(1, 0, 9, Some(1)));
    let faults = vec![
        fault(RESET, &[0], Some(1)),
        fault(CRASH, &[1], Some(1)),
        fault(FaultKind::Partition, &[0], Some(1)),
        fault(FaultKind::Cut, &[0], Some(1)),
    ];
    let model = model(2, parrot, calls, faults);
    let told = [
        SAY[0],
        "reset n[0]",
        "lose what n[0] sent to n[1] before its reset",
        SAY[1],
        "partition n[0]",
        "heal n[0]",
        "n[1].say(n[0], 9)",
        "tell n[1] that its connection to n[0] broke",
        "deliver 2 from n[0] to n[1]",
        "cut n[0] from n[1]",
        "crash n[1]",
        "restart n[1]",
    ];
    let mut run = Run::new(&model);
    let mut moves = Vec::new();
    for what in told {
        let found = run.actions().into_iter().find(|(other, _)| other == what);
        let (_, action) = found.unwrap_or_else(|| panic!("{what} is none of {:?}", run.offers()));
        moves.push(Move { action, tape: Vec::new() });
        run = run.go(&[what]);
    }
    let path = Path { starts: vec![Vec::new(); 2], moves };
    let trace = narrate::to_trace(&model, &path, "check", None, Ending::Run).expect("it can be told");
    let read = Trace::from_json(&trace.to_json()).expect("it reads");
    assert_eq!(narrate::replay(&model, &read).expect("it replays").0, path);
    let lines: Vec<String> = read.steps.iter().map(|step| step.action.to_string()).collect();
    assert_eq!(lines, told);
}
