//! The codes of what a specification means: names, types, handlers, properties, systems, and what is not supported yet.

use super::{Code, code};

/// E02xx to E09xx, in order.
pub(super) const MEANING: &[Code] = &[
    code(
        "E0201",
        "a name is declared twice",
        "Names are looked up by themselves, so each may stand for one thing only. Variables, parameters, constants, timers and layers \
         share a name space. A state and a message may have one name: what is sent or delivered is the message, all else the state. Handlers, properties and \
         objectives of a service are told apart by name in traces and reports; what a system claims and weighs itself has a name that none of its \
         services uses.",
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
        "E0212",
        "a choice that does not exist",
        "`fair choice` names choices as traces do: an event whose handlers or ways are the options (`Join`, `retry`), or a choice in \
         a body by its handler and what it is bound to (`resend.to`), or by its timer (`beat.every`). Without names it is about every choice.",
        "service A { timers { t every 1s; } transitions { scheduler t { } } fair choice u; }",
    ),
    code(
        "E0220",
        "an imported file cannot be read",
        "`import tree::{Tree};` reads `tree.mace` in the folder of the importing file, `import parts::tree::{Tree};` reads \
         `parts/tree.mace` there, and `super` is one folder up.",
        "import tree::Tree;",
    ),
    code(
        "E0221",
        "imports go round in a circle",
        "A file that imports another, directly or not, cannot be imported by it. Put what both need into a third file. (The \
         example is a file `example.mace`.)",
        "import example::Tree;",
    ),
    code(
        "E0222",
        "an imported file lacks a name",
        "Interfaces, services, messages at file level and Rust items can be imported, from the file that declares them. Systems and \
         scenarios stay where they are.",
        "",
    ),
    code(
        "E0223",
        "an imported name is taken",
        "An imported name is used like one that is declared here, so it can stand for one thing only. `as` gives it another name.",
        "import tree::Tree; service Tree { }",
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
        "E0306",
        "a warning is allowed without a reason",
        "Whoever reads the specification next has the question that the warning asked; the reason answers it: \
         `allow grows log: \"a workload appends twice\";`.",
        "service A { uses net: Datagram; messages { B; } allow unsent B; }",
    ),
    code(
        "E0307",
        "an unknown warning is allowed",
        "`allow` names a warning by its short name, which `foresee explain` lists beside its code. Errors cannot be allowed.",
        "service A { allow unsett: \"it is not called so\"; }",
    ),
    code(
        "E0308",
        "modifiers of a variable that do not go together",
        "`export` lets the models of others know what `secret` keeps from everybody. A `ghost` survives crashes by itself and exists on no \
         live node, so it is neither durable nor exported nor secret.",
        "service A { variables { export secret key: u64; } }",
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
         interfaces that the service provides; `scheduler` its timers; `aspect` changes of its variables.",
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
         nothing and choose nothing. The interval of a timer that is always on may choose, and nothing else. Initial values, defaults and constants are evaluated before anything runs.",
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
        "`self.x` is the variable or parameter `x`. `self` alone stands for nothing; the node's id is `me`. A routine is called \
         by its name alone.",
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
        "A timer declared with `every` is armed when a node starts and after each firing. It can be neither set nor cancelled, and has \
         no arguments: nobody says with which it would be armed.",
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
        "a delay without a unit, or a unit that there is not",
        "Delays are durations: a number with one of the units ns, us, ms, s, min, h and d. Behind a number nothing else stands but one of Rust's \
         types of numbers, as in `3u8`.",
        "service A { timers { t; } transitions { scheduler t { t.set(5); } } }",
    ),
    code(
        "E0419",
        "a choice or chance without end",
        "Every option is explored, so there are finitely many. A range of moments or a law of delays is fine where a timer is armed, \
         which no search branches on; to choose or draw from it, say which moments count, with a grid.",
        "service A { timers { t; } transitions { upcall start() { let d = choose(1ms..5ms); t.set(d); } } }",
    ),
    code(
        "E0420",
        "a value of the wrong kind",
        "`send` goes to nodes, a timer is set to a duration, a choice picks from a collection, a guard is a truth value, a call to another \
         layer and a message are given what they declare, a variable starts as what it is, and only like is compared with like. What cannot be followed is left to the compiler of Rust.",
        "service A { timers { t; } variables { parent: Option<NodeId>; } transitions { upcall start() { t.set(parent); } } }",
    ),
    code(
        "E0421",
        "a body that depends on a ghost",
        "Ghosts exist for properties alone: what a node does is the same without them. A ghost may be read to change a ghost, in a \
         property, and in a routine that properties call. What is done with a ghost in hand does nothing on the side, and an aspect of a \
         ghost changes ghosts alone.",
        "service A { variables { ghost n: u8; x: u8; } timers { t every 1s; } transitions { scheduler t when n < 3 { x = 1; } } }",
    ),
    code(
        "E0431",
        "an upcall with a result",
        "Upcalls tell and never ask: the layer above answers nothing. It can make a downcall of its own.",
        "interface T { upcall moved() -> bool; }",
    ),
    code(
        "E0432",
        "an interface is passed through to a layer that does not have it",
        "`provides T by tree` hands the calls of `T` to the lower layer `tree`, whose interface must be `T`.",
        "interface T { upcall a(); } interface U { upcall b(); } service A { provides T by x; uses x: U; }",
    ),
    code(
        "E0433",
        "a call of an interface that is passed through",
        "With `provides T by tree` the layer `tree` takes the downcalls of `T` and emits its upcalls; the service in between does \
         neither. It may still handle the upcalls, as `upcall tree.x(..)`.",
        "interface T { downcall a(); } service A { provides T by x; uses x: T; transitions { downcall a() { } } }",
    ),
    code(
        "E0434",
        "a query that is not always answered, or twice",
        "A query has an answer in every state, and one alone: it has one handler, without states, conditions and choices in its head.",
        "interface T { downcall a() -> bool; } service A { provides T; states { B, C } transitions { downcall a() in B { true } } }",
    ),
    code(
        "E0435",
        "a query without a handler",
        "A service answers all queries of the interfaces that it provides: who asks cannot go on without an answer.",
        "interface T { downcall a() -> bool; } service A { provides T; }",
    ),
    code(
        "E0436",
        "an argument of another type",
        "The types of a call's arguments stand in its interface. A head may repeat them, and cannot change them; a `Payload` alone may be \
         taken for what it carries.",
        "interface T { downcall a(x: u8); } service A { provides T; transitions { downcall a(x: u16) { } } }",
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
        "Probabilities are numbers from 0 to 1, delays and horizons durations, bounds and sizes whole numbers from 0, levels whole numbers from 1, and \
         weights not negative. A range ends after it begins, and a group of three has the nodes `n[0]` to `n[2]`. Arguments have the types that are \
         declared. Ordered connections neither lose, double nor reorder.",
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
        "The amounts of messages, bytes, calls and handlers are made of numbers, constants and parameters; what a service says of weights, \
         levels, discounts and horizons of numbers and constants alone. What depends on the state is a rate `per second`, or a value at \
         the horizon.",
        "service A { variables { x: u64; } objectives { minimize m: x per message; } }",
    ),
    code(
        "E0513",
        "a type that does not fit in a property",
        "Claims are truth values, amounts are numbers, binders range over collections, and only like is compared with \
         like: integers of different types are made alike with `as`.",
        "service A { variables { x: u8; } properties { safety p: forall n in nodes: n.x; } }",
    ),
    code(
        "E0514",
        "an unknown bound",
        "A search is bounded by `depth`, `messages` and `within`; `drop`, `duplicate`, `call`, `crash`, `reset`, `partition` and `cut` say how \
         often something may happen in it; `timed` and `retain_ignored` stand alone.",
        "service A { } system S { nodes { n[2]: A; } check { dept: 4; } }",
    ),
    code("E0515", "a system without nodes", "A system says what runs.", "system S { }"),
    code(
        "E0516",
        "a name that several services have",
        "Of objectives of one name, that of a node's top service is named by itself, that of a lower layer with the layers before it, \
         `tree.depth`, and where layers do not tell them apart each with its service, `RandTree.depth`.",
        "service A { objectives { minimize m: 1.0 per message; } } service B { objectives { minimize m: 1.0 per byte; } } \
         system S { nodes { a: A; b: B; } objectives { m weight 2.0; } }",
    ),
    code(
        "E0517",
        "a generic node that says nothing",
        "Nothing is known of a generic node but what its service says that such a node may send. A service says it in a section of its own: \
         `generic { Set { value in 0..3 } Clear; }`.",
        "service A { } system S { nodes { n: generic A; } }",
    ),
    code(
        "E0518",
        "instants compared in a claim",
        "Which instant a variable holds is no part of a state, so that a check comes to an end: claims can ask whether there is one. Bodies compare \
         with the present: `now() - since >= 5s`.",
        "service A { variables { a: Option<Instant>; } properties { safety p: forall n in nodes: n.a == n.a; } }",
    ),
    code(
        "E0530",
        "a scenario of no system",
        "A scenario says after `in` which system of the file it runs in.",
        "scenario a in Nowhere { run; }",
    ),
    code(
        "E0531",
        "a scenario names a message that is not there",
        "`deliver`, `drop` and `duplicate` name a message that the receiver's service declares, or one of the file. What only one layer below it declares \
         needs no path.",
        "service A { messages { Hi; } } system S { nodes { n[2]: A; } } scenario a in S { deliver Hello to n[1]; }",
    ),
    code(
        "E0532",
        "a scenario fires a timer that is not there",
        "`fire` names a timer of the node's service, or of the only layer below it that has one of this name, with as many arguments as it declares.",
        "service A { timers { t; } } system S { nodes { n[2]: A; } } scenario a in S { fire u at n[1]; }",
    ),
    code(
        "E0533",
        "a scenario calls what cannot be called",
        "A call in a scenario is the application's: a downcall of an interface that the node's service provides, with its \
         arguments. A query changes nothing and has no place in a script; ask it in `expect`.",
        "service A { variables { x: u8; } } system S { nodes { n[2]: A; } } scenario a in S { n[0].go(); }",
    ),
    code(
        "E0534",
        "`refuse` before something that is no event",
        "`refuse` takes one command that makes something happen, and says that it cannot happen at this point. What must not \
         hold is `expect !(..);`.",
        "service A { variables { x: u8; } } system S { nodes { n[2]: A; } } scenario a in S { refuse run; }",
    ),
    code(
        "E0535",
        "a scenario pins what is not there",
        "After `as` stands a handler of the event, and in parentheses values of what its head chooses, or of choices in its \
         body, by the names they are bound to; a choice that a routine makes has the routine's name before it, `pick.to`.",
        "service A { timers { t; } transitions { scheduler t { } } } system S { nodes { n[2]: A; } } \
         scenario a in S { fire t at n[1] as other; }",
    ),
    code(
        "E0540",
        "a fault that says neither how often nor when",
        "Faults are nature's, and nature does only what a system says it may: how often at most, at which rate, with which chance, or when.",
        "service A { } system S { nodes { n[2]: A; } faults { crash n: back; } }",
    ),
    code(
        "E0541",
        "clauses that do not go together",
        "A line of `faults` or `workload` says each thing once, and one thing of when: `rate`, `at` or `within`. Only a crash and a partition \
         come to an end by `back`.",
        "service A { } system S { nodes { n[2]: A; } faults { crash n: at 5s, rate 0.1 per second; } }",
    ),
    code(
        "E0542",
        "a fault that never happens, or a bound on one",
        "`check { crash any: at most 1; }` bounds the crashes that `faults` allows, and `call: at most 2` the calls of the `workload`. Where the \
         system has none, there is nothing to bound. A `cut` breaks an ordered connection, and without one it never happens.",
        "service A { } system S { nodes { n[2]: A; } check { crash n: at most 1; } }",
    ),
    code(
        "E0543",
        "an unknown call or handler",
        "Calls are counted, and made by an application, by the names that the interfaces of a service declare; handlers by the names that they have \
         or that come from their event. A query is answered at once and is no event.",
        "service A { objectives { minimize m: 1.0 per upcall done; } }",
    ),
    code(
        "E0544",
        "a node is asked before there is one",
        "Arguments, the network, rates, times, weights and lists of nodes of a system are evaluated once, when the system is put together. They are \
         made of constants, parameters, groups and nodes, and cannot read a variable.",
        "service A { variables { x: usize; } } system S { nodes { a: A; n[a.x]: A; } }",
    ),
    code(
        "E0545",
        "a liveness property of another form",
        "A liveness property is `eventually P`, `always eventually P`, `eventually always P` or `P leads to Q`, outermost or directly within `forall`; \
         P and Q are about one state.",
        "service A { properties { liveness p: forall n in nodes: n == n; } }",
    ),
    code(
        "E0546",
        "a claim about runs that ranges over what a state holds",
        "`forall n in nodes: P leads to Q` claims the same of each node, so what it ranges over must be the same nodes in every state. Collections \
         of a state are ranged over within the claim, where each state has its own.",
        "service A { variables { s: BTreeSet<NodeId>; } properties { liveness p: forall n in nodes, m in n.s: eventually m == n; } }",
    ),
    code(
        "E0547",
        "a statistical property of another form",
        "A statistical property compares one probability or one expectation with a number, or says that an expectation is finite. An estimate \
         has an interval, so it is never exactly equal to a number.",
        "service A { } system S { nodes { n[2]: A; } properties { statistical p: expected(1.0) == 1.0; } }",
    ),
    code(
        "E0548",
        "what nature does is drawn, and only where it happens",
        "A workload says what the application calls. What it leaves open is nature's: `random(..)` in the call, with every outcome a way in which \
         it can go. It is never a choice, which belongs to the handlers of a service.",
        "interface I { downcall go(n: NodeId); } service A { provides I; transitions { downcall go(_) { } } } \
         system S { nodes { n[2]: A; } workload { once: call n[0].go(choose(n)); } }",
    ),
    code(
        "E0549",
        "a macro that claims do not have",
        "Claims have `matches!(value, PATTERN)` and `vec![..]`. Everything else is said by operators and methods, or in a pure routine of the \
         service.",
        "service A { properties { safety p: forall n in nodes: format!(\"{n}\") == \"a\"; } }",
    ),
    code(
        "E0551",
        "a service that does not provide the interface of a layer",
        "What fills a layer answers the calls of that layer's interface: it needs `provides INTERFACE;`.",
        "interface T { downcall a(); } service A { uses x: T = B; } service B { }",
    ),
    code(
        "E0552",
        "a layer without a service",
        "A layer is filled by the default in `uses`, or by the system: `n[3]: A { tree: RandTree }`.",
        "interface T { downcall a(); } service A { uses x: T; } system S { nodes { n[2]: A; } }",
    ),
    code(
        "E0553",
        "a service stands twice in one stack",
        "A message goes to the layer that runs its service, and `n.x` reads that layer. So a service can be in a stack once, and not \
         below itself.",
        "interface T { downcall a(); } service A { provides T; uses x: T = A; }",
    ),
    code(
        "E0554",
        "a layer of which the service is not known",
        "The variables of a lower layer can be read where it is known which service it is: in a system, or where `uses` has a default. \
         A query of its interface can be asked everywhere.",
        "interface T { downcall a(); } service A { uses x: T; properties { safety p: forall n in nodes: n.x.y == 1; } }",
    ),
    code(
        "E0555",
        "a property reads another service than the system has",
        "A property that reads variables of a lower layer takes it for the service that `uses` names as its default. A system that puts \
         another one there cannot be judged by it.",
        "",
    ),
    code(
        "E0905",
        "liveness was not decided",
        "`eventually`, `always eventually`, `eventually always` and `leads to` are about fair runs: `check --liveness`, or `check --property NAME`, decides them in a \
         graph of all states. Where that was not asked for, or a reduction or doublings without bound forbid it, they are listed as not checked, and none counts them as held.",
        "",
    ),
    code(
        "E0906",
        "a check does not judge statistical properties",
        "`probability(..)` and `expected(..)` are about many runs: `simulate --verify` decides them. A check knows no probabilities and single runs \
         say little; both list them as not checked.",
        "",
    ),
    code(
        "E0910",
        "a function of the language is not supported yet",
        "Generic nodes, of which nothing is known but what they may send, are compiled, and whoever runs a system that has some refuses it.",
        "",
    ),
    code(
        "E0914",
        "a bound is not supported yet",
        "`timed` keeps the order of times in a check. It is compiled; a check refuses a system that has it.",
        "",
    ),
];
