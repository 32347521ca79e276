//! What systems and claims become: models of the specs in `ui/run`, looked at from outside.

use std::sync::Arc;
use std::time::Duration;

use foresee::kernel::{
    Arguments, Claim, FaultKind, FaultTarget, Figure, Model, NodeId, NodeState, Quantity, SpecInfo, States,
    Temporal, View,
};

foresee::include_spec!("real_numbers");
foresee::include_spec!("workloads");

/// A model of the system at `place` in a spec.
fn model(spec: &SpecInfo, place: usize, arguments: &[(&str, &str)]) -> Model {
    let arguments: Arguments =
        arguments.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    (spec.systems[place].build)(&arguments).expect("the system can be built")
}

/// The state before any node has started.
struct Initial(Vec<NodeState>);

impl Initial {
    fn of(model: &Model) -> Initial {
        let nodes = model.nodes.iter().enumerate();
        Initial(nodes.map(|(index, stack)| stack.init(NodeId::new(index as u32))).collect())
    }
}

impl States for Initial {
    fn layer(&self, node: NodeId, layer: usize) -> &foresee::kernel::Datum {
        &self.0[node.index()][layer]
    }

    fn up(&self, node: NodeId) -> bool {
        node.index() != 0
    }
}

fn ids(ids: &[u32]) -> Vec<NodeId> {
    ids.iter().copied().map(NodeId::new).collect()
}

#[test]
fn a_workload_has_a_line_for_each_and_a_way_for_each_outcome() {
    let model = model(&workloads::SPEC, 0, &[]);
    let calls: Vec<_> = model.calls.iter().map(|it| (it.text, it.most, it.ways.len())).collect();
    let expected = [
        ("random(n).append(Command(random(1..=2)))", Some(2), 6),
        ("a.compact(0)", None, 1),
        ("a.compact(0)", None, 1),
        ("a.compact(0)", None, 1),
        ("a.join([n[0]], Some(a), \"hello\")", Some(1), 1),
        ("a.join([n[0]], Some(a), \"hello\")", Some(1), 1),
        ("one.append(Command(random(weighted([(1, 0.9), (2, 0.1)]))))", Some(1), 2),
        ("x.compact(7)", Some(2), 1),
        ("x.compact(7)", Some(2), 1),
        ("x.compact(7)", Some(2), 1),
        ("x.compact(7)", Some(2), 1),
        ("random(nodes).join(n, None, \"hello\")", Some(1), 4),
    ];
    assert_eq!(calls, expected);
    for call in &model.calls {
        let sum: f64 = call.ways.iter().map(|way| way.probability).sum();
        assert!((sum - 1.0).abs() < 1e-12, "{}: {sum}", call.text);
    }
    let ways = |place: usize| -> Vec<String> {
        model.calls[place]
            .ways
            .iter()
            .map(|way| format!("{:?} {:?}", way.node.index(), (way.call)(5)))
            .collect()
    };
    assert_eq!(
        ways(0)[1],
        "0 Append { command: Command(2), reply: reply 5 to 0 }"
            .replace("to 0", &format!("to {}", NodeId::new(0)))
    );
    assert_eq!(ways(4).len(), 1);
    assert!(ways(4)[0].starts_with("1 Join { seeds: {"), "{}", ways(4)[0]);
    assert_eq!(model.calls[6].ways.iter().map(|it| it.probability).collect::<Vec<_>>(), [0.9, 0.1]);
    let after: Vec<bool> = model.calls.iter().map(|it| it.after_restart).collect();
    assert_eq!(after.iter().filter(|it| **it).count(), 4);
    let seconds = Duration::from_secs;
    assert_eq!(model.calls[1].timing.rate, Some(0.1));
    assert_eq!(model.calls[4].timing.within, Some((seconds(0), seconds(30))));
    assert_eq!(model.calls[6].timing.within, Some((seconds(0), seconds(0))));
    assert_eq!(model.bounds.calls, Some(3));
}

#[test]
fn fractions_of_whole_numbers_are_real_numbers() {
    let model = model(&real_numbers::SPEC, 0, &[]);
    let net = &model.carriers[0];
    assert_eq!((net.loss, net.duplicates), (0.1, Some(0.3)));
    assert_eq!((model.faults[0].chance, model.faults[1].timing.rate), (Some(0.25), Some(0.5)));
    assert_eq!(model.objectives[0].weight, 1.1);
    let claims: Vec<_> = model.statistics.iter().map(|it| it.claim).collect();
    assert_eq!(claims, [Claim::AtLeast(0.9), Claim::AtLeast(0.5)]);
    let seconds = Duration::from_secs;
    let back: Vec<_> = model.faults.iter().map(|it| it.back).collect();
    let expected = [(seconds(0), seconds(5)), (seconds(5), seconds(5)), (seconds(1), seconds(5))];
    assert_eq!(back, expected.map(Some));
}

#[test]
fn a_system_without_the_nodes_that_it_names_is_not_built() {
    let arguments: Arguments = [("size".to_owned(), "2".to_owned())].into_iter().collect();
    let error = (real_numbers::SPEC.systems[0].build)(&arguments).expect_err("a property names `n[2]`");
    assert!(error.to_string().contains("there is no `n[2]`: the group `n` has 2 node(s)"), "{error}");
}

#[test]
fn faults_say_whom_how_often_and_when() {
    let model = model(&workloads::SPEC, 0, &[("most", "5")]);
    let told: Vec<_> = model.faults.iter().map(|it| (it.text, it.kind, it.most)).collect();
    let expected = [
        ("crash n", FaultKind::Crash, Some(5)),
        ("crash any", FaultKind::Crash, Some(1)),
        ("crash n[0].(children)*", FaultKind::Crash, Some(1)),
        ("reset [n, one]", FaultKind::Reset, Some(1)),
        ("partition n", FaultKind::Partition, Some(1)),
        ("cut", FaultKind::Cut, Some(1)),
        ("crash one", FaultKind::Crash, Some(1)),
    ];
    assert_eq!(told, expected);
    let seconds = Duration::from_secs;
    let rate = model.faults[0].timing.rate.expect("a rate");
    assert!((rate - 0.001 / 60.0).abs() < 1e-15, "{rate}");
    assert_eq!(model.faults[0].back, Some((seconds(1), seconds(5))));
    assert_eq!((model.faults[1].timing.rate, model.faults[1].chance), (Some(0.01), Some(0.25)));
    assert_eq!(model.faults[2].timing.within, Some((seconds(60), seconds(60))));
    assert_eq!(model.faults[2].back, Some((seconds(5), seconds(5))));
    assert_eq!(model.faults[4].back, Some((seconds(1), seconds(1))));
    assert_eq!(model.faults[6].timing.within, Some((seconds(0), seconds(10))));
    let one_of = |place: usize| match &model.faults[place].target {
        FaultTarget::OneOf(nodes) => nodes.clone(),
        FaultTarget::AllOf(_) => panic!("this does not depend on the state"),
    };
    assert_eq!(one_of(0), ids(&[0, 1, 2]));
    assert_eq!(one_of(1), ids(&[0, 1, 2, 3]));
    assert_eq!(one_of(3), ids(&[0, 1, 2, 3]));
    assert_eq!(one_of(6), ids(&[3]));
    let FaultTarget::AllOf(all) = &model.faults[2].target else { panic!("this depends on the state") };
    let states = Initial::of(&model);
    assert_eq!(all(&View::new(&model, &states)), ids(&[0]));
    let budgets: Vec<_> = model.bounds.faults.iter().map(|it| (it.kind, it.most)).collect();
    assert_eq!(budgets, [(FaultKind::Crash, 1), (FaultKind::Cut, 0)]);
    assert_eq!(model.carriers[0].bandwidth, Some(1e6));
}

#[test]
fn claims_about_runs_are_kept_with_their_predicates() {
    let model = model(&workloads::SPEC, 0, &[]);
    let states = Initial::of(&model);
    let view = View::new(&model, &states);
    let instances: Vec<_> = model.liveness.iter().map(|it| (it.name, (it.instances)(&view).len())).collect();
    let expected = [("settles", 1), ("each", 12), ("filtered", 4), ("ends", 1), ("some", 1), ("system", 3)];
    assert_eq!(instances, expected);
    let Temporal::AlwaysEventually(settles) = &model.liveness[0].claim else { panic!("the wrong form") };
    assert!((settles.holds)(&view, &[]) && settles.reads_up && settles.reads.len() == 1);
    // Node 0 is down in this view, and what is filtered out never waits.
    let Temporal::LeadsTo(busy, idle) = &model.liveness[2].claim else { panic!("the wrong form") };
    assert!(!(busy.holds)(&view, &ids(&[1])) && (idle.holds)(&view, &ids(&[1])));
    assert!(busy.reads_up && !idle.reads_up);
    assert!(matches!(model.liveness[3].claim, Temporal::EventuallyAlways(_)));
    assert!(matches!(model.liveness[4].claim, Temporal::Eventually(_)));

    let claims: Vec<Claim> = model.statistics.iter().map(|it| it.claim).collect();
    assert_eq!(claims, [Claim::AtLeast(0.999), Claim::AtMost(14.0), Claim::Finite, Claim::Below(0.5)]);
    let Figure::Probability { within, given: Some(given), .. } = &model.statistics[0].figure else {
        panic!("a probability")
    };
    assert!(*within == Some(Duration::from_secs(10)) && given.reads_up);
    let quantity = |place: usize| match &model.statistics[place].figure {
        Figure::Expected(quantity) => quantity,
        Figure::Probability { .. } => panic!("an expectation"),
    };
    assert_eq!(format!("{:?}", quantity(1)), "(total / calls(Append))");
    assert_eq!(format!("{:?}", quantity(2)), "((own + 1) - a value of the last state)");
    let Quantity::Difference(_, state) = quantity(2) else { panic!("a difference") };
    let Quantity::State(state) = **state else { panic!("a value of the last state") };
    assert_eq!(state(&view), 0.0);
    assert_eq!(model.statistics[3].text, "0.5 > probability(one.state == Busy)");
}

#[test]
fn objectives_are_weighed_by_the_service_and_anew_by_the_system() {
    let all = model(&workloads::SPEC, 0, &[("heavy", "9")]);
    let two = model(&workloads::SPEC, 1, &[]);
    let scale = |model: &Model, name: &str| {
        let it = model.objectives.iter().find(|it| it.name == name).expect("an objective").clone();
        (it.weight, it.level, it.discount, it.horizon)
    };
    let seconds = Duration::from_secs;
    assert_eq!(scale(&two, "traffic"), (2.0, 1, 1.0, None));
    assert_eq!(scale(&all, "traffic"), (9.0, 3, 1.0, None));
    assert_eq!(scale(&two, "waiting"), (1.0, 1, 0.5, Some(seconds(4))));
    assert_eq!(scale(&all, "own"), (1.0, 1, 0.9, Some(seconds(2))));
    assert_eq!(scale(&all, "age"), (1.0, 2, 1.0, None));
    let states = Initial::of(&all);
    let view = View::new(&all, &states);
    let traffic = all.objectives.iter().find(|it| it.name == "traffic").expect("an objective");
    let amounts = traffic.terms.iter().map(|term| match term {
        foresee::kernel::Term::PerMessage { amount, .. }
        | foresee::kernel::Term::PerByte { amount, .. }
        | foresee::kernel::Term::PerCall { amount, .. }
        | foresee::kernel::Term::PerHandler { amount, .. } => {
            [0, 3].map(|node| amount.at(&view, NodeId::new(node)))
        }
        other => panic!("{other:?}"),
    });
    let expected = [[4.0, 2.0], [0.5, 0.5], [1.0, 1.0], [3.0, 3.0], [1.0, 1.0]];
    assert_eq!(amounts.collect::<Vec<_>>(), expected);
}

/// The small system goes through every order of two calls, one of which can go in two ways.
#[test]
fn calls_are_actions_of_the_world() {
    let model = Arc::new(model(&workloads::SPEC, 1, &[]));
    let limits = foresee::world::reference::Limits {
        states_max: usize::MAX,
        depth_max: u32::MAX,
        stop_at_violation: false,
    };
    let report = foresee::world::reference::explore(&model, limits).expect("it starts");
    assert!(report.complete && report.violations.is_empty(), "{:?}", report.violations);
    // n[0] appends 1, 2 or nothing yet; the copy is under way, there, or cleared with the log; n[1] compacts or not yet:
    // 1 + 2 * 2 states before it compacts, 1 + 2 * 3 after.
    assert_eq!(report.unique_states, 12);
}
