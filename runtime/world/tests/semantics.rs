//! Rules of `docs/semantics.md` that two-phase commit does not exercise, each on a service of a few lines: what a fault
//! undoes, what consumes a message, what networks and timers do, where a search stops. The numbers are those of its sections.

use std::any::Any;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::choice::bernoulli;
use foresee_kernel::model::{Bounds, ModelBuilder};
use foresee_kernel::{
    Arguments, Below, Carrier, CarrierInfo, CarrierKind, Ctx, Datum, Event, Layer, Model, NodeId, Service,
    ServiceInfo, SiteInfo, SpecInfo, Stack, View,
};
use foresee_world::reference::{Limits, NO_FAULT, Report, explore};
use foresee_world::{Action, Direct, World, path};

/// What a node logs: all that its variables are.
type Log = Vec<u64>;
type Act = fn(&mut Log, &Event, &Ctx<'_, u8>);

/// A service whose only carrier is ordered (0) or a datagram network (1), and that does what `act` does.
#[derive(Clone, Debug)]
struct Scripted<const CARRIER: usize>(Act);

const ORDERED: usize = 0;
const DATAGRAM: usize = 1;

static SITE: SiteInfo = SiteInfo::new("site", 1);

const fn info(carriers: &'static [CarrierInfo]) -> ServiceInfo {
    ServiceInfo {
        name: "Scripted",
        file: "semantics.mace",
        line: 1,
        states: &[],
        variables: &[],
        messages: &[],
        carriers,
        handlers: &[],
        sites: &[],
        tables: &foresee_kernel::Tables::NONE,
    }
}

static INFO: [ServiceInfo; 2] = [
    info(&[CarrierInfo { name: "net", kind: CarrierKind::Reliable }]),
    info(&[CarrierInfo { name: "net", kind: CarrierKind::Datagram }]),
];

static SPEC: SpecInfo = SpecInfo {
    name: "semantics",
    file: "semantics.mace",
    hash: 0,
    services: &[],
    systems: &[],
    scenarios: &[],
};

impl<const CARRIER: usize> Service for Scripted<CARRIER> {
    type Variables = Log;
    type Timer = u8;

    fn info() -> &'static ServiceInfo {
        &INFO[CARRIER]
    }
    fn init(&self, _: NodeId) -> Log {
        Log::new()
    }
    fn recover(&self, me: NodeId, _: &Log) -> Log {
        self.init(me)
    }
    fn step(&self, this: &mut Log, event: &Event, ctx: &Ctx<'_, u8>) {
        (self.0)(this, event, ctx);
    }
    fn query(&self, this: &Log, _: &dyn Any, _: &Below<'_>) -> Option<Box<dyn Any>> {
        Some(Box::new(this.len()))
    }
    fn control(_: &Log) -> &'static str {
        ""
    }
    fn fields(this: &Log) -> Vec<(&'static str, String)> {
        vec![("log", format!("{this:?}"))]
    }
    fn accepts(message: &Datum) -> bool {
        message.get::<u64>().is_some()
    }
}

/// A model of `size` nodes that all do `act`, on a network as `describe` says, within `bounds`.
fn model<const CARRIER: usize>(
    size: usize,
    act: Act,
    describe: fn(&mut Carrier),
    bounds: Bounds,
) -> Arc<Model> {
    let mut builder = ModelBuilder::new(&SPEC, "System", &Arguments::default()).expect("no arguments");
    let nodes = builder.group("n", Some(size)).expect("it fits");
    builder.place(&nodes, |_| Stack::new(vec![Layer::new(Scripted::<CARRIER>(act))]));
    builder.network("net", describe);
    *builder.bounds() = bounds;
    Arc::new(builder.finish())
}

fn report(model: &Arc<Model>) -> Report {
    let limits = Limits { stop_at_violation: false, states_max: 10_000, ..Limits::default() };
    explore(model, limits).expect("few starts")
}

/// Every log that node `node` can have, in all reachable states.
fn logs<const CARRIER: usize>(model: &Arc<Model>, node: u32) -> BTreeSet<Log> {
    worlds(model).iter().map(|(program, world)| log::<CARRIER>(program, world, node)).collect()
}

fn log<const CARRIER: usize>(program: &Direct, world: &World<Direct>, node: u32) -> Log {
    let look = |view: &View<'_>| view.variables::<Scripted<CARRIER>>(NodeId::new(node)).cloned();
    world.view(program, look).expect("the node runs the service")
}

/// Every reachable world, bounds aside, found without the explorer.
fn worlds(model: &Arc<Model>) -> Vec<(Direct, World<Direct>)> {
    let program = Direct::new(model.clone());
    let initials = path::initials(&program, 100).expect("few starts");
    let mut found: Vec<World<Direct>> = Vec::new();
    let mut open: Vec<World<Direct>> = initials.into_iter().map(|initial| initial.world).collect();
    while let Some(world) = open.pop() {
        if found.contains(&world) {
            continue;
        }
        assert!(found.len() < 1_000, "the model is not as small as it was meant to be");
        for action in enabled(&program, &world) {
            open.extend(after(&program, &world, &action));
        }
        found.push(world);
    }
    found.into_iter().map(|world| (program.clone(), world)).collect()
}

fn enabled(program: &Direct, world: &World<Direct>) -> Vec<Action<Direct>> {
    let mut actions = Vec::new();
    world.enabled(program, |action| actions.push(action));
    actions
}

fn after(program: &Direct, world: &World<Direct>, action: &Action<Direct>) -> Vec<World<Direct>> {
    match action.stimulus(program) {
        None => vec![world.after(program, action, None)],
        Some((id, stimulus)) => {
            let ways = program.successors(&world.nodes[id.index()], &stimulus);
            ways.iter().map(|way| world.after(program, action, Some(way))).collect()
        }
    }
}

fn first(model: &Arc<Model>) -> (Direct, World<Direct>) {
    let program = Direct::new(model.clone());
    let mut initials = path::initials(&program, 100).expect("few starts");
    assert_eq!(initials.len(), 1, "the start does not branch");
    (program, initials.remove(0).world)
}

fn number(event: &Event) -> Option<u64> {
    match event {
        Event::Deliver { message, .. } => message.get::<u64>().copied(),
        _ => None,
    }
}

const SECOND: Duration = Duration::from_secs(1);

fn plain(_: &mut Carrier) {}

#[test]
fn s1_a_fault_undoes_the_step_and_the_message_is_gone() {
    fn act(this: &mut Log, event: &Event, ctx: &Ctx<'_, u8>) {
        match event {
            Event::Start => ctx.send(0, ctx.me(), 7u64),
            Event::Deliver { .. } => {
                this.push(7);
                ctx.send(0, ctx.me(), 8u64);
                ctx.set(1, SECOND);
                panic!("on purpose");
            }
            _ => {}
        }
    }
    let model = model::<DATAGRAM>(1, act, plain, Bounds::default());
    let (program, world) = first(&model);
    let [deliver] = &enabled(&program, &world)[..] else { panic!("one message is in flight") };
    let [next] = &after(&program, &world, deliver)[..] else { panic!("it goes one way") };
    assert_eq!(log::<DATAGRAM>(&program, next, 0), Log::new());
    assert_eq!(next.in_flight(&program), 0);
    assert!(enabled(&program, next).is_empty(), "no timer is armed");
    assert_eq!(report(&model).violations.get(NO_FAULT), Some(&1));
}

#[test]
fn s1_a_fault_leaves_the_timer_armed() {
    fn act(_: &mut Log, event: &Event, ctx: &Ctx<'_, u8>) {
        match event {
            Event::Start => ctx.set(1, SECOND),
            _ => panic!("on purpose"),
        }
    }
    let (program, world) = first(&model::<DATAGRAM>(1, act, plain, Bounds::default()));
    let [fire] = &enabled(&program, &world)[..] else { panic!("one timer is armed") };
    assert_eq!(after(&program, &world, fire), std::slice::from_ref(&world));
}

#[test]
fn s2_starts_multiply_and_a_fault_in_one_is_a_violation_before_any_step() {
    fn act(this: &mut Log, event: &Event, ctx: &Ctx<'_, u8>) {
        if matches!(event, Event::Start) {
            let picked = ctx.choose(&SITE, [3u64, 1, 2, 1]);
            assert!(picked != 3 || ctx.me() != NodeId::new(1), "on purpose");
            this.push(picked);
        }
    }
    let model = model::<DATAGRAM>(2, act, plain, Bounds::default());
    let initials = path::initials(&Direct::new(model.clone()), 100).expect("nine");
    assert_eq!(initials.len(), 9, "three sorted, unique options at each of two nodes");
    assert_eq!(initials.iter().filter(|initial| initial.fault.is_some()).count(), 3);
    let report = report(&model);
    assert_eq!(report.unique_states, 9);
    let (property, path) = report.counterexample.expect("a start faults");
    assert_eq!((property, path.moves.len()), (NO_FAULT, 0));
}

#[test]
fn s3_a_message_that_meets_no_handler_is_consumed_and_counted() {
    fn act(_: &mut Log, event: &Event, ctx: &Ctx<'_, u8>) {
        match event {
            Event::Start => ctx.send(0, ctx.me(), 7u64),
            _ => ctx.consumed(false),
        }
    }
    let report = report(&model::<DATAGRAM>(1, act, plain, Bounds::default()));
    assert_eq!((report.unique_states, report.transitions), (2, 1));
    assert_eq!(report.ignored.values().sum::<u64>(), 1);
}

#[test]
fn s3_retain_ignored_keeps_what_did_nothing_and_reaches_the_same_node_states() {
    fn act(this: &mut Log, event: &Event, ctx: &Ctx<'_, u8>) {
        match event {
            Event::Start if ctx.me() == NodeId::new(0) => {
                ctx.send(0, NodeId::new(1), 1u64);
                ctx.send(0, NodeId::new(1), 2u64);
                ctx.send(0, NodeId::new(1), 3u64);
            }
            // 2 is of use after 1 alone, 3 is answered with another 1 and logged by nobody.
            Event::Deliver { .. } if ctx.me() == NodeId::new(1) => match number(event) {
                Some(2) if this.is_empty() => {}
                Some(3) => ctx.send(0, NodeId::new(0), 4u64),
                other => this.extend(other),
            },
            _ => {}
        }
    }
    let retain = || Bounds { retain_ignored: true, ..Bounds::default() };
    let whole = model::<DATAGRAM>(2, act, plain, Bounds::default());
    let reduced = model::<DATAGRAM>(2, act, plain, retain());
    let expected: BTreeSet<Log> = [vec![], vec![1], vec![1, 2]].into();
    assert_eq!(logs::<DATAGRAM>(&whole, 1), expected);
    assert_eq!(logs::<DATAGRAM>(&reduced, 1), expected);
    // Of 1, 2 and 3: 1 is under way or not, 2 is gone after 1 alone; 3 became 4, which node 0 never takes.
    assert_eq!((worlds(&reduced).len(), report(&reduced).unique_states), (6, 6));
    // 2 is lost before 1, too; and 4 is taken.
    assert_eq!((worlds(&whole).len(), report(&whole).unique_states), (15, 15));

    let whole = model::<ORDERED>(2, act, plain, Bounds::default());
    let reduced = model::<ORDERED>(2, act, plain, retain());
    assert_eq!(worlds(&whole).len(), worlds(&reduced).len(), "what keeps order is consumed");
}

#[test]
fn s5_chance_is_explored_in_full_and_what_has_no_probability_does_not_exist() {
    fn act(this: &mut Log, event: &Event, ctx: &Ctx<'_, u8>) {
        match event {
            Event::Start => ctx.set(1, SECOND),
            _ => {
                this.push(u64::from(ctx.random(&SITE, bernoulli(0.5))));
                this.push(u64::from(ctx.random(&SITE, bernoulli(1.0))));
            }
        }
    }
    let logs = logs::<DATAGRAM>(&model::<DATAGRAM>(1, act, plain, Bounds::default()), 0);
    assert_eq!(logs, BTreeSet::from([vec![], vec![0, 1], vec![1, 1]]));
}

#[test]
fn s6_firing_disarms_setting_twice_arms_once_and_arguments_tell_timers_apart() {
    fn act(this: &mut Log, event: &Event, ctx: &Ctx<'_, u8>) {
        match event {
            Event::Start => {
                ctx.set(1, SECOND);
                ctx.set(1, 2 * SECOND);
                ctx.set(2, SECOND);
                ctx.set(3, SECOND);
                ctx.cancel(3);
                ctx.cancel(4);
                assert!(ctx.is_set(1) && !ctx.is_set(3));
            }
            Event::Timer(timer) => {
                let timer = *timer.get::<u8>().expect("its timer");
                assert!(!ctx.is_set(timer), "firing disarms");
                this.push(u64::from(timer));
            }
            _ => {}
        }
    }
    let model = model::<DATAGRAM>(1, act, plain, Bounds::default());
    assert!(report(&model).violations.is_empty());
    assert_eq!(
        logs::<DATAGRAM>(&model, 0),
        BTreeSet::from([vec![], vec![1], vec![2], vec![1, 2], vec![2, 1]])
    );
}

/// Node 0 sends 1 and 2 to node 1, which logs what it gets.
fn two_messages(this: &mut Log, event: &Event, ctx: &Ctx<'_, u8>) {
    match event {
        Event::Start if ctx.me() == NodeId::new(0) => {
            ctx.send(0, NodeId::new(1), 1u64);
            ctx.send(0, NodeId::new(1), 2u64);
        }
        _ => this.extend(number(event)),
    }
}

#[test]
fn s7_an_ordered_carrier_delivers_heads_alone_and_never_loses() {
    let model = model::<ORDERED>(2, two_messages, |net| net.loss = 0.5, Bounds::default());
    assert_eq!(logs::<ORDERED>(&model, 1), BTreeSet::from([vec![], vec![1], vec![1, 2]]));
}

#[test]
fn s7_a_datagram_carrier_has_no_order_and_loses_only_where_the_system_says_so() {
    let quiet = model::<DATAGRAM>(2, two_messages, plain, Bounds::default());
    let arrived = BTreeSet::from([vec![], vec![1], vec![2], vec![1, 2], vec![2, 1]]);
    assert_eq!(logs::<DATAGRAM>(&quiet, 1), arrived);
    let (program, world) = first(&quiet);
    assert!(enabled(&program, &world).iter().all(|action| matches!(action, Action::Deliver(_))));
    // Both under way: 1 state. One of them: 2, times lost or logged. None: 5 logs.
    let lossy = model::<DATAGRAM>(2, two_messages, |net| net.loss = 0.5, Bounds::default());
    assert_eq!(report(&quiet).unique_states, 5);
    assert_eq!(report(&lossy).unique_states, 1 + 2 * 2 + 5);
}

#[test]
fn s7_budgets_bound_losses_and_doublings_and_are_part_of_the_state() {
    let once = Bounds { drops: Some(1), duplicates: Some(1), ..Bounds::default() };
    let describe = |net: &mut Carrier| {
        net.loss = 0.5;
        net.duplicates = Some(0.5);
    };
    let model = model::<DATAGRAM>(2, two_messages, describe, once);
    let longest = logs::<DATAGRAM>(&model, 1).into_iter().map(|log| log.len()).max();
    assert_eq!(longest, Some(3), "one doubling");
    for (program, world) in worlds(&model) {
        assert!(world.ambient.drops <= 1 && world.ambient.duplicates <= 1);
        let faults = enabled(&program, &world);
        let drops = faults.iter().any(|action| matches!(action, Action::Drop(_)));
        assert_eq!(drops, world.ambient.drops == 0 && world.in_flight(&program) > 0);
    }
}

#[test]
fn s7_the_duplicating_set_keeps_what_was_sent_but_not_what_goes_to_oneself() {
    fn act(this: &mut Log, event: &Event, ctx: &Ctx<'_, u8>) {
        match event {
            Event::Start if ctx.me() == NodeId::new(0) => {
                ctx.send(0, NodeId::new(1), 1u64);
                ctx.send(0, NodeId::new(1), 1u64);
                ctx.send(0, ctx.me(), 2u64);
                ctx.send(0, ctx.me(), 2u64);
            }
            // Three at most, so that the model stays small.
            _ if this.len() < 3 => this.extend(number(event)),
            _ => {}
        }
    }
    let describe = |net: &mut Carrier| net.duplicates = Some(Carrier::DUPLICATES_DEFAULT);
    let model = model::<DATAGRAM>(2, act, describe, Bounds::default());
    let (program, world) = first(&model);
    assert_eq!(world.in_flight(&program), 3, "one to the other node, two to oneself");
    assert_eq!(logs::<DATAGRAM>(&model, 1), (0..=3).map(|times| vec![1; times]).collect());
    assert_eq!(logs::<DATAGRAM>(&model, 0), (0..=2).map(|times| vec![2; times]).collect());
}

/// The upper of two layers. Each logs what it is told: 0 for its start, otherwise the number.
fn upper(this: &mut Log, event: &Event, ctx: &Ctx<'_, u8>) {
    match event {
        Event::Start => {
            this.push(0);
            ctx.call(0, 1u64);
            let length: usize = ctx.query(0, &());
            assert_eq!(length, 1, "a query sees the state before commands that are still queued");
            ctx.set(1, SECOND);
        }
        Event::Upcall { upcall, .. } => this.extend(upcall.get::<u64>()),
        Event::Timer(_) => {
            this.push(9);
            ctx.call(0, 13u64);
        }
        _ => {}
    }
}

fn lower(this: &mut Log, event: &Event, ctx: &Ctx<'_, u8>) {
    match event {
        Event::Start => {
            this.push(0);
            ctx.up(5u64);
        }
        Event::Call(call) => {
            let number = *call.get::<u64>().expect("a number");
            assert!(number != 13, "on purpose");
            this.push(number);
            ctx.up(6u64);
        }
        _ => {}
    }
}

#[test]
fn s8_calls_are_drained_in_their_order_within_the_step_and_a_fault_undoes_every_layer() {
    let mut builder = ModelBuilder::new(&SPEC, "System", &Arguments::default()).expect("no arguments");
    let nodes = builder.group("n", Some(1)).expect("it fits");
    builder.place(&nodes, |_| {
        let below = Stack::new(vec![Layer::new(Scripted::<ORDERED>(lower))]);
        Stack::over(Layer::new(Scripted::<DATAGRAM>(upper)), vec![below])
    });
    let model = Arc::new(builder.finish());
    let (program, world) = first(&model);
    // The lower layer starts first, but both have started before the first upcall arrives.
    assert_eq!(log::<DATAGRAM>(&program, &world, 0), [0, 5, 6]);
    assert_eq!(log::<ORDERED>(&program, &world, 0), [0, 1]);
    let [fire] = &enabled(&program, &world)[..] else { panic!("one timer is armed") };
    assert_eq!(
        after(&program, &world, fire),
        std::slice::from_ref(&world),
        "the fault below undoes the layer above"
    );
    assert_eq!(report(&model).violations.get(NO_FAULT), Some(&1));
}

/// A timer that counts for ever.
fn counting(this: &mut Log, event: &Event, ctx: &Ctx<'_, u8>) {
    if matches!(event, Event::Timer(_)) {
        this.push(this.len() as u64);
    }
    ctx.set(1, SECOND);
}

#[test]
fn s13_a_bound_counts_the_state_at_the_cut_and_is_never_complete() {
    fn small(view: &View<'_>) -> bool {
        view.variables::<Scripted<DATAGRAM>>(NodeId::new(0)).is_some_and(|log| log.len() < 3)
    }
    let depth = Bounds { depth: Some(4), ..Bounds::default() };
    let cut = report(&model::<DATAGRAM>(1, counting, plain, depth));
    assert_eq!((cut.unique_states, cut.complete, cut.stopped), (5, false, false));
    let within = Bounds { within: vec![small], ..Bounds::default() };
    let cut = report(&model::<DATAGRAM>(1, counting, plain, within));
    assert_eq!((cut.unique_states, cut.complete, cut.stopped), (4, false, false));
    let messages = Bounds { messages: Some(1), ..Bounds::default() };
    let cut = report(&model::<DATAGRAM>(2, two_messages, plain, messages));
    assert_eq!((cut.unique_states, cut.complete, cut.stopped), (1, false, false));
}

#[test]
fn s13_a_limit_of_the_search_is_told_apart_from_a_bound_of_the_system() {
    let model = model::<DATAGRAM>(1, counting, plain, Bounds::default());
    let limits = Limits { depth_max: 4, ..Limits::default() };
    let cut = explore(&model, limits).expect("one start");
    assert_eq!((cut.unique_states, cut.complete, cut.stopped), (5, false, true));
}
