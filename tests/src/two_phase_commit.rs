//! Two-phase commit after Gray and Lamport, by hand and in the shape of generated code. With 3 participants it has
//! 288 states, with 5 8,832, with 7 296,448, with 8 1,745,408, with 9 10,340,352.

use std::any::TypeId;
use std::collections::BTreeSet;
use std::hash::Hash;
use std::time::Duration;

use foresee_kernel::ctx::{Alternative, Taken};
use foresee_kernel::model::ModelBuilder;
use foresee_kernel::{
    Arguments, CarrierInfo, CarrierKind, Ctx, Datum, Event, Extent, HandlerInfo, Layer, Model, NodeId,
    ParameterInfo, Property, PropertyKind, Read, Service, ServiceInfo, Shape, SiteInfo, SpecInfo, Stack,
    SystemInfo, VariableInfo,
};
use serde::{Deserialize, Serialize};

/// Messages at file level.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Message {
    /// A participant is prepared.
    Ready,
    /// The outcome.
    Commit,
    /// The outcome.
    Abort,
}

impl Shape for Message {
    fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
    fn kind(&self) -> &'static str {
        match self {
            Message::Ready => "Ready",
            Message::Commit => "Commit",
            Message::Abort => "Abort",
        }
    }
}

/// The participant.
pub mod participant {
    use super::*;

    /// The service: its parameters.
    #[derive(Clone, Debug)]
    pub struct Participant {
        /// Who decides.
        pub coordinator: NodeId,
        /// Whether it breaks its promise: an abort may follow being prepared.
        pub fickle: bool,
    }

    /// Control states.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    pub enum State {
        /// Undecided.
        #[default]
        Working,
        /// Bound to the outcome.
        Prepared,
        /// Done.
        Committed,
        /// Done.
        Aborted,
    }

    /// Control state and variables.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    pub struct Variables {
        /// The control state.
        pub state: State,
    }

    impl Shape for Variables {
        fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
    }

    /// Timers.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    pub enum Timer {
        /// The participant's own decision.
        Vote,
    }

    impl Shape for Timer {
        fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
        fn kind(&self) -> &'static str {
            "vote"
        }
    }

    static HANDLERS: [HandlerInfo; 5] = [
        HandlerInfo::new("start", "start", 10),
        HandlerInfo::new("prepare", "timer vote", 11),
        HandlerInfo::new("refuse", "timer vote", 12),
        HandlerInfo::new("deliver_Commit", "deliver Commit", 13),
        HandlerInfo::new("deliver_Abort", "deliver Abort", 14),
    ];
    static SITES: [SiteInfo; 4] = [
        SiteInfo::new("start", 10),
        SiteInfo::new("vote", 11),
        SiteInfo::new("Commit", 13),
        SiteInfo::new("Abort", 14),
    ];
    pub(super) static INFO: ServiceInfo = ServiceInfo {
        name: "Participant",
        file: "two_phase_commit.mace",
        line: 5,
        states: &["Working", "Prepared", "Committed", "Aborted"],
        variables: &[VariableInfo::new("state", "State", 8)],
        messages: &[],
        carriers: &[CarrierInfo { name: "net", kind: CarrierKind::Datagram }],
        handlers: &HANDLERS,
        sites: &SITES,
        tables: &foresee_kernel::Tables::NONE,
    };

    fn unbound(_: Taken) -> String {
        String::new()
    }

    impl Service for Participant {
        type Variables = Variables;
        type Timer = Timer;

        fn info() -> &'static ServiceInfo {
            &INFO
        }

        fn init(&self, _: NodeId) -> Variables {
            Variables { state: State::Working }
        }

        fn recover(&self, me: NodeId, _: &Variables) -> Variables {
            self.init(me)
        }

        fn step(&self, this: &mut Variables, event: &Event, ctx: &Ctx<'_, Timer>) {
            match event {
                Event::Start => {
                    if ctx.which(&SITES[0], &[Alternative { handler: 0, ways: 1 }], &unbound).is_some() {
                        ctx.set(Timer::Vote, Duration::from_secs(1));
                    }
                }
                Event::Timer(timer) if timer.get::<Timer>() == Some(&Timer::Vote) => {
                    let alternatives =
                        [Alternative { handler: 1, ways: 1 }, Alternative { handler: 2, ways: 1 }];
                    match ctx.which(&SITES[1], &alternatives, &unbound) {
                        Some(Taken { alternative: 0, .. }) => {
                            this.state = State::Prepared;
                            ctx.send(0, self.coordinator, Message::Ready);
                            if self.fickle {
                                ctx.set(Timer::Vote, Duration::from_secs(1));
                            }
                        }
                        Some(_) => this.state = State::Aborted,
                        None => ctx.consumed(false),
                    }
                }
                Event::Deliver { message, .. } => match message.get::<Message>() {
                    Some(Message::Commit) => {
                        ctx.which(&SITES[2], &[Alternative { handler: 3, ways: 1 }], &unbound);
                        ctx.cancel(Timer::Vote);
                        this.state = State::Committed;
                    }
                    Some(Message::Abort) => {
                        ctx.which(&SITES[3], &[Alternative { handler: 4, ways: 1 }], &unbound);
                        ctx.cancel(Timer::Vote);
                        this.state = State::Aborted;
                    }
                    _ => ctx.consumed(false),
                },
                _ => ctx.consumed(false),
            }
        }

        fn control(this: &Variables) -> &'static str {
            INFO.states[this.state as usize]
        }

        fn fields(this: &Variables) -> Vec<(&'static str, String)> {
            vec![("state", format!("{:?}", this.state))]
        }

        fn accepts(message: &Datum) -> bool {
            message.get::<Message>().is_some()
        }
    }
}

/// The coordinator.
pub mod coordinator {
    use super::*;

    /// The service: its parameters.
    #[derive(Clone, Debug)]
    pub struct Coordinator {
        /// Who takes part.
        pub participants: BTreeSet<NodeId>,
    }

    /// Control states.
    #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    pub enum State {
        /// Undecided.
        #[default]
        Collecting,
        /// Done.
        Committed,
        /// Done.
        Aborted,
    }

    /// Control state and variables.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    pub struct Variables {
        /// The control state.
        pub state: State,
        /// Who is prepared.
        pub ready: BTreeSet<NodeId>,
    }

    impl Shape for Variables {
        fn rename(&mut self, map: &dyn Fn(NodeId) -> NodeId) {
            self.ready.rename(map);
        }

        fn each_field(&self, visit: &mut dyn FnMut(&'static str, Extent)) {
            visit("ready", Extent::of(&self.ready));
        }
    }

    /// Timers.
    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
    pub enum Timer {
        /// The decision.
        Decide,
    }

    impl Shape for Timer {
        fn rename(&mut self, _: &dyn Fn(NodeId) -> NodeId) {}
        fn kind(&self) -> &'static str {
            "decide"
        }
    }

    static HANDLERS: [HandlerInfo; 4] = [
        HandlerInfo::new("start", "start", 24),
        HandlerInfo::new("commit", "timer decide", 25),
        HandlerInfo::new("abort", "timer decide", 26),
        HandlerInfo::new("deliver_Ready", "deliver Ready", 27),
    ];
    static SITES: [SiteInfo; 3] =
        [SiteInfo::new("start", 24), SiteInfo::new("decide", 25), SiteInfo::new("Ready", 27)];
    pub(super) static INFO: ServiceInfo = ServiceInfo {
        name: "Coordinator",
        file: "two_phase_commit.mace",
        line: 18,
        states: &["Collecting", "Committed", "Aborted"],
        variables: &[
            VariableInfo::new("state", "State", 20),
            VariableInfo::new("ready", "BTreeSet<NodeId>", 21),
        ],
        messages: &[],
        carriers: &[CarrierInfo { name: "net", kind: CarrierKind::Datagram }],
        handlers: &HANDLERS,
        sites: &SITES,
        tables: &foresee_kernel::Tables::NONE,
    };

    impl Service for Coordinator {
        type Variables = Variables;
        type Timer = Timer;

        fn info() -> &'static ServiceInfo {
            &INFO
        }

        fn init(&self, _: NodeId) -> Variables {
            Variables { state: State::Collecting, ready: BTreeSet::new() }
        }

        fn recover(&self, me: NodeId, _: &Variables) -> Variables {
            self.init(me)
        }

        fn step(&self, this: &mut Variables, event: &Event, ctx: &Ctx<'_, Timer>) {
            let unbound = |_: Taken| String::new();
            match event {
                Event::Start => {
                    ctx.which(&SITES[0], &[Alternative { handler: 0, ways: 1 }], &unbound);
                    ctx.set(Timer::Decide, Duration::from_secs(5));
                }
                Event::Timer(_) => {
                    let all = this.ready == self.participants;
                    let alternatives = [
                        Alternative { handler: 1, ways: usize::from(all) },
                        Alternative { handler: 2, ways: 1 },
                    ];
                    match ctx.which(&SITES[1], &alternatives, &unbound) {
                        Some(Taken { alternative: 0, .. }) => {
                            this.state = State::Committed;
                            ctx.send(0, &self.participants, Message::Commit);
                        }
                        Some(_) => {
                            this.state = State::Aborted;
                            ctx.send(0, &self.participants, Message::Abort);
                        }
                        None => ctx.consumed(false),
                    }
                }
                Event::Deliver { src, message, .. } => match message.get::<Message>() {
                    Some(Message::Ready) if this.state == State::Collecting => {
                        ctx.which(&SITES[2], &[Alternative { handler: 3, ways: 1 }], &unbound);
                        this.ready.insert(*src);
                    }
                    Some(Message::Ready) => ctx.consumed(true),
                    _ => ctx.consumed(false),
                },
                _ => ctx.consumed(false),
            }
        }

        fn control(this: &Variables) -> &'static str {
            INFO.states[this.state as usize]
        }

        fn fields(this: &Variables) -> Vec<(&'static str, String)> {
            vec![("state", format!("{:?}", this.state)), ("ready", format!("{:?}", this.ready))]
        }

        fn accepts(message: &Datum) -> bool {
            message.get::<Message>().is_some()
        }
    }
}

static PROPERTIES: [Property; 1] = [Property {
    name: "consistent",
    kind: PropertyKind::Safety,
    file: "two_phase_commit.mace",
    line: 15,
    holds: |view| {
        let nodes = view.running::<participant::Participant>();
        nodes.iter().all(|a| {
            nodes.iter().all(|b| {
                let state = |n: NodeId| view.variables::<participant::Participant>(n).map(|v| v.state);
                !(state(*a) == Some(participant::State::Aborted)
                    && state(*b) == Some(participant::State::Committed))
            })
        })
    },
    reads_up: false,
    alone: false,
    ghosts: false,
    why: Property::UNEXPLAINED,
    reads: &[Read {
        service: || TypeId::of::<participant::Participant>(),
        digest: |variables, digest| {
            if let Some(variables) = variables.downcast_ref::<participant::Variables>() {
                variables.state.hash(digest);
            }
        },
    }],
}];

/// The spec.
pub static SPEC: SpecInfo = SpecInfo {
    name: "two_phase_commit",
    file: "two_phase_commit.mace",
    hash: 1,
    services: &[&participant::INFO, &coordinator::INFO],
    systems: &[SystemInfo {
        name: "Commit",
        line: 30,
        parameters: &[
            ParameterInfo { name: "rms", ty: "usize", default: Some("3") },
            ParameterInfo { name: "fickle", ty: "bool", default: Some("false") },
        ],
        order_of_ids: &[],
        build: |arguments| {
            let rms: usize = arguments.get("rms", Some(3))?;
            let fickle: bool = arguments.get("fickle", Some(false))?;
            let mut model = ModelBuilder::new(&SPEC, "Commit", arguments)?;
            let rm = model.group("rm", Some(rms))?;
            let tm = model.group("tm", None)?;
            model.place(&rm, |_| {
                Stack::new(vec![Layer::new(participant::Participant { coordinator: (&tm).into(), fickle })])
            });
            model.place(&tm, |_| {
                Stack::new(vec![Layer::new(coordinator::Coordinator { participants: (&rm).into() })])
            });
            model.network("net", |carrier| {
                carrier.delay =
                    foresee_kernel::DelayModel::Uniform(Duration::from_millis(1), Duration::from_millis(10));
                carrier.duplicates = Some(foresee_kernel::Carrier::DUPLICATES_DEFAULT);
            });
            model.properties(&PROPERTIES);
            Ok(model.finish())
        },
    }],
    scenarios: &[],
};

/// The model with `rms` participants, fickle or not.
pub fn model(rms: usize, fickle: bool) -> Model {
    let arguments: Arguments =
        [("rms".to_owned(), rms.to_string()), ("fickle".to_owned(), fickle.to_string())]
            .into_iter()
            .collect();
    (SPEC.systems[0].build)(&arguments).expect("the arguments fit")
}
