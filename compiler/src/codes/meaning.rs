//! The codes of what a specification means: names, types, handlers, properties, systems, and what is not supported yet.

use super::{Code, code};

/// E02xx to E09xx and the warnings, in order.
pub(super) const MEANING: &[Code] = &[
    code(
        "E0201",
        "a name is declared twice",
        "Names are looked up by themselves, so each may stand for one thing only. States and messages share a name space, since \
         both are written bare in bodies; so do variables, parameters, constants, timers and layers. Handlers, properties and \
         objectives are told apart by name in traces and reports.",
        "service A { states { B, B } }",
    ),
    code(
        "E0202",
        "an unknown control state",
        "Control states are declared in `states` and known before a service runs: that is what makes overlaps, diagrams and \
         unhandled pairs of message and state visible.",
        "service A { states { Idle } transitions { upcall start() in Idel { } } }",
    ),
    code(
        "E0203",
        "an unknown message",
        "A message is declared in the `messages` of the service, or at file level if services share it.",
        "service A { uses net: Datagram; transitions { upcall deliver(_, Png) { } } }",
    ),
    code(
        "E0204",
        "an unknown timer, or something that timers do not have",
        "A timer is declared in `timers`, with its arguments. It has `.set(delay)`, `.cancel()` and `.is_set()`, and a handler: \
         `scheduler NAME { .. }`.",
        "service A { transitions { scheduler retry { } } }",
    ),
    code(
        "E0205",
        "a name in a body stands for nothing",
        "Bodies name locals, variables, parameters, constants, states, messages, timers, routines and Rust items of the file, by \
         their bare names. `self.x` is the variable or parameter where a local hides it.",
        "service A { variables { load: u8; } transitions { upcall start() { laod = 1; } } }",
    ),
    code(
        "E0206",
        "an unknown carrier, or none",
        "Messages travel over a carrier that the service `uses`: `Reliable`, `Datagram` or `Secure`. Without `over` it is the first.",
        "service A { messages { B; } }",
    ),
    code(
        "E0207",
        "a reserved name",
        "Some words have a meaning of their own in bodies, properties or generated code, so nothing else can have that name.",
        "service A { variables { me: u8; } }",
    ),
    code(
        "E0208",
        "an unknown service",
        "A system puts together services that are declared in the file.",
        "service A { } system S { nodes { n[2]: B; } }",
    ),
    code(
        "E0209",
        "an unknown interface, layer or upcall",
        "A service provides and uses interfaces that are declared in the file, and `Reliable`, `Datagram` and `Secure` at the bottom. \
         `up.x(..)` emits an upcall of an interface that the service provides.",
        "service A { uses net: Reliabel; }",
    ),
    code(
        "E0210",
        "a field that the message does not have",
        "The fields of a message have names, in patterns and where it is made.",
        "service A { uses net: Datagram; messages { B { x: u8 } } transitions { upcall deliver(_, B { y }) { } } }",
    ),
    code(
        "E0211",
        "a field is missing",
        "A message is made with all its fields. A pattern may leave some out if it ends in `..`.",
        "service A { uses net: Datagram; messages { B { x: u8 } } transitions { upcall start() { send(me, B); } } }",
    ),
    code(
        "E0301",
        "a type whose values cannot be stored or sent",
        "States are copied, compared, hashed, ordered and sent: that is how a checker tells one from another, and how a trace is \
         replayed. Types without an order of their own, with hidden sharing, or tied to one process cannot take part.",
        "service A { variables { peers: HashSet<NodeId>; } }",
    ),
    code(
        "E0302",
        "an unknown type",
        "A type is declared in the file, brought in by `use`, or one of those that are always in scope: the integers, `bool`, \
         `String`, `Option`, `Vec`, `VecDeque`, `BTreeMap`, `BTreeSet`, `Duration`, `NodeId`.",
        "service A { variables { slot: Solt; } }",
    ),
    code(
        "E0303",
        "an initial value is needed",
        "A variable without an initial value starts with the default of its type, and a node id has none.",
        "service A { variables { leader: NodeId; } }",
    ),
    code(
        "E0304",
        "a name starts with the wrong case",
        "As in Rust, a capital letter in a pattern says that a name is a state or message, a small one that it is a new local. So \
         types, services, states and messages start with a capital letter, and everything else with a small one.",
        "service A { states { idle } }",
    ),
    code(
        "E0305",
        "a parameter of a system that cannot be read from text",
        "Parameters of systems are given on the command line: `--param size=5`. So their types are those that can be read from text.",
        "service A { } system S { parameters { ids: Vec<u8>; } nodes { n[2]: A; } }",
    ),
    code(
        "E0401",
        "Rust that cannot be parsed",
        "Types, patterns, expressions and bodies are Rust. The message is that of the Rust parser.",
        "service A { transitions { upcall start() { let = 5; } } }",
    ),
    code(
        "E0402",
        "a handler needs a name",
        "Several handlers of one event are a choice. Traces, scenarios and advice call them by name, so all but one need one.",
        "service A { timers { t; } transitions { scheduler t { t.set(1s); } scheduler t { } } }",
    ),
    code(
        "E0403",
        "an event that does not exist",
        "`upcall` handles `start()`, `deliver(from, MESSAGE)`, `broken(peer)` and upcalls of layers; `downcall` the calls of the \
         interfaces that the service provides; `scheduler` its timers.",
        "service A { transitions { upcall begin() { } } }",
    ),
    code(
        "E0404",
        "the arguments of an event",
        "An event is written with as many arguments as it has: `deliver` has the sender and the message, `broken` the peer, a timer its own.",
        "service A { transitions { upcall broken() { } } }",
    ),
    code(
        "E0405",
        "a body that is not pure",
        "A step is a function of state, event and choices: no clock, no input or output, no ambient chance, no threads, no shared \
         memory, no iteration in hash order, no `unsafe`. That is what lets one body be checked, simulated, replayed and run.",
        "service A { transitions { upcall start() { println!(\"here\"); } } }",
    ),
    code(
        "E0406",
        "something happens where only reading is possible",
        "Guards and the sets of a head's `choose` are evaluated to find out which handlers apply; they change nothing, send \
         nothing and choose nothing. Initial values, defaults and constants are evaluated before anything runs.",
        "service A { variables { a: BTreeSet<u8>; } transitions { upcall start() when a.insert(1) { } } }",
    ),
    code(
        "E0407",
        "a local with a reserved name",
        "`me`, `this`, `ctx` and names that begin with `this_` stand in generated code around bodies; `view`, `nodes` and `me` \
         around properties.",
        "service A { transitions { upcall start() { let me = 1; } } }",
    ),
    code(
        "E0408",
        "something that cannot be changed",
        "Parameters, constants and the node's own id stay as they are.",
        "service A { parameters { size: u8 = 1; } transitions { upcall start() { size = 2; } } }",
    ),
    code(
        "E0409",
        "a local is assigned where the variable was meant",
        "A local hides a variable of the same name, as in Rust. Write `self.x` for the variable.",
        "service A { uses net: Datagram; messages { B { x: u8 } } variables { x: u8; } transitions { upcall deliver(_, B { x }) { x = x; } } }",
    ),
    code(
        "E0410",
        "the wrong number of arguments",
        "Routines, timers, upcalls and the functions of the language take a fixed number of arguments.",
        "service A { timers { t; } transitions { upcall start() { t(1).set(1s); } } }",
    ),
    code(
        "E0411",
        "a handler that never applies",
        "A handler applies in the states that its own clause and those of all groups around it share. Groups of `first` cannot be nested.",
        "service A { states { B, C } transitions { in B { upcall start() in C { } } } }",
    ),
    code(
        "E0412",
        "a name inside a macro that cannot be read",
        "Names are followed in macros whose arguments are expressions, such as `assert!` or `format!`. In others, bind the value first.",
        "",
    ),
    code(
        "E0413",
        "a name that has no value yet",
        "Constants and defaults are the same at every node; initial values know parameters and `me`, but no other variable.",
        "service A { variables { a: u8; b: u8 = a; } }",
    ),
    code(
        "E0414",
        "`self` without a name",
        "`self.x` is the variable or parameter `x`. `self` alone stands for nothing; the node's id is `me`.",
        "service A { transitions { upcall start() { let x = self; } } }",
    ),
    code(
        "E0415",
        "a duration that is too long",
        "Durations are counted in nanoseconds, up to 584 years.",
        "",
    ),
    code(
        "E0416",
        "a timer that is always on",
        "A timer declared with `every` is armed when a node starts and after each firing. It can be neither set nor cancelled.",
        "service A { timers { t every 1s; } transitions { scheduler t { t.cancel(); } } }",
    ),
    code(
        "E0417",
        "the signature of a routine",
        "A routine names variables and parameters by their bare names, so it has no `self`; it is one function, so it has no type parameters.",
        "service A { routines { fn f(&self) { } } }",
    ),
    code(
        "E0418",
        "a delay without a unit",
        "Delays are durations: a number with one of the units ns, us, ms, s, min and h.",
        "service A { timers { t; } transitions { scheduler t { t.set(5); } } }",
    ),
    code(
        "E0501",
        "a name in a property or system stands for nothing",
        "Properties name what they bind, `nodes`, states, constants, and in systems groups and parameters. Variables belong to nodes: `n.x`.",
        "service A { properties { safety p: forall n in nodes: m == m; } }",
    ),
    code(
        "E0502",
        "a node or value has no such part",
        "`.x` on a node is a variable or parameter of the service that runs there; on a struct it is a field.",
        "service A { properties { safety p: forall n in nodes: n.x == 1; } }",
    ),
    code(
        "E0503",
        "a node of which the service is not known",
        "An id may name any node. Where several services have a variable of that name, say which is meant by ranging over its nodes.",
        "",
    ),
    code(
        "E0504",
        "a routine that is not pure stands in a property",
        "Properties look at a state; they send nothing, choose nothing and change nothing, and see no timers.",
        "service A { variables { x: u8; } routines { fn f() -> u8 { x = 1; x } } properties { safety p: forall n in nodes: n.f() == 1; } }",
    ),
    code(
        "E0505",
        "a form that this kind of property does not have",
        "`safety`, `local` and `reachable` are about one state. What speaks about a run belongs to `liveness`, what speaks about \
         probabilities to `statistical`. `local` belongs to a service.",
        "service A { properties { safety p: eventually true; } }",
    ),
    code(
        "E0506",
        "a parameter is not given",
        "A parameter of a service without a default must be given where the service is put into a system.",
        "service A { parameters { size: u8; } } system S { nodes { n[2]: A; } }",
    ),
    code(
        "E0507",
        "an argument for no parameter",
        "The arguments of a service in a system are its parameters, by name.",
        "service A { } system S { nodes { n[2]: A { size: 2 }; } }",
    ),
    code(
        "E0508",
        "a link for no carrier",
        "The network of a system describes carriers by the names under which its services use them.",
        "service A { uses net: Datagram; } system S { nodes { n[2]: A; } network { nte: loss 0.1; } }",
    ),
    code(
        "E0509",
        "a group does not fit an argument",
        "A group of nodes fits a set of ids, a single node fits an id. `n[0]` is one node of a group.",
        "service A { parameters { peer: NodeId; } } system S { nodes { n[2]: A { peer: n }; } }",
    ),
    code(
        "E0510",
        "a value that does not fit in a system",
        "Probabilities are numbers from 0 to 1, delays and horizons durations, bounds whole numbers, levels whole numbers from 1. \
         Ordered connections neither lose, double nor reorder.",
        "service A { uses net: Datagram; } system S { nodes { n[2]: A; } network { net: loss 1.5; } }",
    ),
    code(
        "E0511",
        "an unknown objective",
        "A system weighs objectives of the services that take part in it.",
        "service A { } system S { nodes { n[2]: A; } objectives { speed weight 2.0; } }",
    ),
    code(
        "E0512",
        "an amount that is not known",
        "The amounts of messages and bytes, weights and levels are numbers as written. What depends on the state is a rate \
         `per second`, or a value at the horizon.",
        "service A { objectives { minimize m: x per message; } }",
    ),
    code(
        "E0513",
        "a type that does not fit in a property",
        "Claims are truth values, amounts are numbers, binders range over collections, and only like is compared with like.",
        "service A { variables { x: u8; } properties { safety p: forall n in nodes: n.x; } }",
    ),
    code(
        "E0514",
        "an unknown bound",
        "A search is bounded by `depth`, `messages` and `within`; `drop` and `duplicate` say how often the network may do so.",
        "service A { } system S { nodes { n[2]: A; } check { dept: 4; } }",
    ),
    code("E0515", "a system without nodes", "A system says what runs.", "system S { }"),
    code(
        "E0901",
        "imports are not supported yet",
        "`import` takes services and interfaces from another specification.",
        "import tree::Tree;",
    ),
    code(
        "E0902",
        "layers are not supported yet",
        "A service may use the interface of another, which is then a layer below it on the same node.",
        "interface T { upcall moved(); } service A { uses tree: T; }",
    ),
    code(
        "E0903",
        "queries, requests and payloads are not supported yet",
        "A downcall with a result is answered at once, or later through a `Reply`; a `Payload` is a value of the layer above.",
        "interface L { downcall read(slot: u64) -> bool; }",
    ),
    code("E0904", "aspects are not supported yet", "An aspect runs when a variable has changed.", ""),
    code(
        "E0905",
        "liveness is not supported yet",
        "`eventually`, `always eventually` and `leads to` need fairness and a search for cycles. They are parsed, and never skipped.",
        "service A { properties { liveness p: eventually true; } }",
    ),
    code(
        "E0906",
        "statistical properties are not supported yet",
        "`probability(..)` and `expected(..)` are judged over many runs. They are parsed, and never skipped.",
        "",
    ),
    code(
        "E0907",
        "faults are not supported yet",
        "Crashes, partitions and cuts will be actions of the world. Losses and doublings are, through `network` and `check`.",
        "service A { } system S { nodes { n[2]: A; } faults { crash n: at most 1; } }",
    ),
    code(
        "E0908",
        "workloads are not supported yet",
        "A workload says what the application calls, and when.",
        "",
    ),
    code(
        "E0909",
        "scenarios are not supported yet",
        "A scenario is a golden script that pins deliveries and choices.",
        "",
    ),
    code(
        "E0910",
        "a function of the language is not supported yet",
        "`answer`, `payload`, `doubling`, `exponential` in a body, `now`.",
        "service A { timers { t; } transitions { scheduler t { t.set(doubling(1s)); } } }",
    ),
    code(
        "E0911",
        "a scale of objectives is not supported yet",
        "Growing rates, discounts, and horizons or levels of one objective in a system.",
        "",
    ),
    code(
        "E0912",
        "a clause of a link is not supported yet",
        "Bandwidth, and a probability of overtaking.",
        "",
    ),
    code("E0913", "a term of objectives is not supported yet", "Terms per upcall, downcall or handler.", ""),
    code("E0914", "a bound is not supported yet", "Bounds on faults and calls, and timed checking.", ""),
    code(
        "E0915",
        "macros in properties are not supported yet",
        "Use operators and methods, or a pure routine.",
        "",
    ),
    code(
        "W0201",
        "a message that is never sent",
        "Nobody sends it, so its handlers never run. Perhaps a `send` is missing.",
        "service A { uses net: Datagram; messages { B; } }",
    ),
    code(
        "W0202",
        "a timer that is never set",
        "Nothing arms it, so its handlers never run.",
        "service A { timers { t; } }",
    ),
    code(
        "W0203",
        "a message that nobody handles",
        "It is sent, and every node that gets it consumes it. If that is meant, say so with `ignore`.",
        "service A { uses net: Datagram; messages { B; } transitions { upcall start() { send(me, B); } } }",
    ),
    code(
        "W0204",
        "a timer that nobody handles",
        "It is armed, and nothing happens when it fires.",
        "service A { timers { t every 1s; } }",
    ),
    code(
        "W0205",
        "a routine that is never called",
        "No body, guard or property calls it.",
        "service A { routines { fn f() { } } }",
    ),
    code(
        "W0401",
        "a choice that nothing uses",
        "The options of a choice differ only in what they bind. If nothing uses it, every option is the same.",
        "service A { timers { t every 1s; } transitions { scheduler t choose x in [1, 2] { } } }",
    ),
];
