//! The codes of warnings: what a specification may say, and probably does not mean.

use super::{Code, warning};

/// The warnings, in order. Each has a short name, by which `allow` calls it.
pub(super) const WARNINGS: &[Code] = &[
    warning(
        "W0101",
        "idle_allow",
        "an allowance that allows nothing",
        "No warning of that name is found where the `allow` stands, or none about what it names. What it excused may have been mended: \
         then the line goes.",
        "service A { allow unsent: \"nobody answers yet\"; }",
    ),
    warning(
        "W0201",
        "unsent",
        "a message that is never sent",
        "Nobody sends it, so its handlers never run. Perhaps a `send` is missing.",
        "service A { uses net: Datagram; messages { B; } }",
    ),
    warning(
        "W0202",
        "unset",
        "a timer that is never set",
        "Nothing arms it, so its handlers never run.",
        "service A { timers { t; } }",
    ),
    warning(
        "W0203",
        "unwanted",
        "a message that nobody handles",
        "It is sent, and every node that gets it consumes it. If that is meant, say so with `ignore`.",
        "service A { uses net: Datagram; messages { B; } transitions { upcall start() { send(me, B); } } }",
    ),
    warning(
        "W0204",
        "unheeded",
        "a timer that nobody handles",
        "It is armed, and nothing happens when it fires.",
        "service A { timers { t every 1s; } }",
    ),
    warning(
        "W0205",
        "uncalled",
        "a routine that is never called",
        "No body, guard or property calls it.",
        "service A { routines { fn f() { } } }",
    ),
    warning(
        "W0301",
        "grows",
        "a variable that only grows",
        "It is added to again and again, nothing is ever taken away, and no condition on the way reads it: there is no end of states. A \
         check ends only where a bound cuts it, and this system states none.",
        "service A { variables { log: Vec<u8>; } timers { t every 1s; } transitions { scheduler t { log.push(1); } } } system S { nodes { n[1]: A; } }",
    ),
    warning(
        "W0302",
        "forgetful",
        "a node that restarts may contradict what it said",
        "A handler compares the variable with what a message says, takes that over, and sends: a promise. The system crashes such nodes and \
         brings them back, and what is not durable starts again, so the same node may promise something else. Likewise where it tests \
         an `Option` for being empty, fills it from the message and answers; and where it counts a number up and tells it: after a restart \
         the same numbers stand for something else.",
        "service A { uses net: Datagram; messages { B { x: u8 } } variables { top: u8; } transitions { upcall start() { send(me, B { x: 1 }); } \
         upcall deliver(src, B { x }) when x > top { top = x; send(src, B { x }); } } } \
         system S { nodes { n[2]: A; } faults { crash n: at most 1, back; } }",
    ),
    warning(
        "W0303",
        "never_crashed",
        "a durable variable that no system crashes",
        "What is durable matters only where a node crashes and comes back. No system of the file, and no scenario, does that to a node that \
         runs this service, so nothing shows whether the right variables are durable.",
        "service A { variables { durable x: u8; } } system S { nodes { n[1]: A; } }",
    ),
    warning(
        "W0304",
        "id_order",
        "the order of ids matters",
        "Ids are opaque, and ordered so that sets and maps have one order. A service that compares two of them, or takes the first of \
         a set of them, does something else when nodes are renamed. States that differ in the names of nodes alone are then not the \
         same, and a check must look at all of them. Numbers of rounds with an owner are the usual good reason.",
        "service A { parameters { peers: BTreeSet<NodeId>; } timers { t every 1s; } \
         transitions { scheduler t when peers.first() == Some(&me) { } } } system S { nodes { n[2]: A { peers: n }; } }",
    ),
    warning(
        "W0305",
        "secret_sent",
        "a message that tells of a secret",
        "A `secret` variable never leaves its node, and nothing that models the node from outside may know it. A message is made of it, or of \
         something that was made of it. If what is sent gives nothing away, such as a signature, `allow` it.",
        "service A { uses net: Datagram; variables { secret key: u64; } messages { B { x: u64 } } timers { t every 1s; } \
         transitions { scheduler t { key = 1; send(me, B { x: key }); } upcall deliver(_, B { .. }) { } } }",
    ),
    warning(
        "W0401",
        "unused_choice",
        "a choice that nothing uses",
        "The options of a choice differ only in what they bind. If nothing uses it, every option is the same.",
        "service A { timers { t every 1s; } transitions { scheduler t choose x in [1, 2] { } } }",
    ),
    warning(
        "W0402",
        "unhandled",
        "a message that some state does not expect",
        "The service handles the message, but not in this control state, where it is consumed. That is often what was forgotten; if it is \
         meant, `ignore` says so.",
        "service A { uses net: Datagram; states { B, C } messages { M; } transitions { upcall start() { send(me, M); } upcall deliver(_, M) in B { } } }",
    ),
    warning(
        "W0403",
        "lost_timer",
        "a timer that can be lost",
        "Each firing of the timer arms the next, and nothing else does but `start()`. In this control state it has no handler: a firing there \
         is consumed, and the timer never fires again. Or a system crashes such nodes and brings them back: a crash clears timers, what \
         this one is for is durable, and nothing arms it after a restart.",
        "service A { states { B, C } timers { t; } transitions { upcall start() { t.set(1s); } scheduler t in B { t.set(1s); state = C; } \
         upcall broken(_) in C { state = B; } } }",
    ),
    warning(
        "W0404",
        "never_runs",
        "a handler that never runs",
        "In `first`, only the first that applies counts, and `otherwise` applies only where no other does. Another handler without any \
         condition applies wherever this one would.",
        "service A { timers { t every 1s; } transitions { first { scheduler a: t { } scheduler b: t { } } } }",
    ),
    warning(
        "W0405",
        "overlaps",
        "handlers that hardly make a choice",
        "Of several handlers that apply, any may run: that is a choice, not the first match. Here one looks like the arm of a `match` and \
         the other like the rest, which takes every event all the same; or both do the same under the same condition. `otherwise` \
         stands for the rest, `first { .. }` for the first that applies.",
        "service A { uses net: Datagram; messages { B { x: u8 } } transitions { upcall start() { send(me, B { x: 1 }); } \
         upcall zero: deliver(_, B { x: 0 }) { } upcall rest: deliver(_, B { .. }) { } } }",
    ),
];
