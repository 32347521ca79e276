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
        "W0401",
        "unused_choice",
        "a choice that nothing uses",
        "The options of a choice differ only in what they bind. If nothing uses it, every option is the same.",
        "service A { timers { t every 1s; } transitions { scheduler t choose x in [1, 2] { } } }",
    ),
];
