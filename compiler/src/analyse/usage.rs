//! Warnings: what is declared and never used, and what a node may be told and never handles.

use std::collections::BTreeSet;

use crate::check::{Cast, Checked, ServiceFacts, Trigger};
use crate::diag::{Diagnostic, Diagnostics};
use crate::names::MessageRef;

/// Which messages are sent and handled, by whom.
pub(super) struct Traffic {
    /// Of each service: what it sends, and what it handles or ignores.
    own: Vec<(BTreeSet<MessageRef>, BTreeSet<MessageRef>)>,
    /// The messages at file level that anybody sends.
    sent: BTreeSet<usize>,
    /// Those that anybody handles or ignores.
    handled: BTreeSet<usize>,
}

impl Traffic {
    pub(super) fn of(checked: &Checked<'_>) -> Traffic {
        let of = |(index, facts): (usize, &ServiceFacts<'_>)| {
            let (mut sent, handled) = traffic(facts);
            sent.extend(strangers(checked, index));
            (sent, handled)
        };
        let own: Vec<_> = checked.services.iter().enumerate().map(of).collect();
        let shared = |set: &BTreeSet<MessageRef>| {
            set.iter().filter(|it| it.shared).map(|it| it.index).collect::<Vec<_>>()
        };
        let sent = own.iter().flat_map(|(sent, _)| shared(sent)).collect();
        let handled = own.iter().flat_map(|(_, handled)| shared(handled)).collect();
        Traffic { own, sent, handled }
    }

    fn is_sent(&self, index: usize, message: MessageRef) -> bool {
        if message.shared { self.sent.contains(&message.index) } else { self.own[index].0.contains(&message) }
    }

    fn is_handled(&self, index: usize, message: MessageRef) -> bool {
        if message.shared {
            self.handled.contains(&message.index)
        } else {
            self.own[index].1.contains(&message)
        }
    }

    /// The messages that a service declares, sends or handles and that nobody sends; and those that nobody handles.
    pub(super) fn open(&self, checked: &Checked<'_>, index: usize) -> (Vec<String>, Vec<String>) {
        let names = &checked.names.services[index];
        let own = (0..names.messages.len()).map(|index| MessageRef { shared: false, index });
        let (sent, handled) = &self.own[index];
        let shared = sent.union(handled).copied().filter(|it| it.shared);
        let known: Vec<MessageRef> = own.chain(shared).collect();
        let named = |found: Vec<MessageRef>| {
            found.into_iter().map(|it| checked.names.message_at(names, it).name.clone()).collect()
        };
        let unsent = known.iter().copied().filter(|it| !self.is_sent(index, *it)).collect();
        let unwanted = known.iter().copied().filter(|it| !self.is_handled(index, *it)).collect();
        (named(unsent), named(unwanted))
    }
}

/// Everything that deserves a second look.
pub fn warnings(checked: &Checked<'_>, traffic: &Traffic, diagnostics: &mut Diagnostics) {
    for (index, facts) in checked.services.iter().enumerate() {
        for (at, message) in checked.names.services[index].messages.iter().enumerate() {
            let key = MessageRef { shared: false, index: at };
            unused_message(message, traffic.is_sent(index, key), traffic.is_handled(index, key), diagnostics);
        }
        timers(checked, index, facts, diagnostics);
        heads(facts, diagnostics);
        routines(checked, index, facts, diagnostics);
    }
    // Where nobody has a carrier, messages at file level are for those who import them.
    if checked.names.services.iter().all(|it| it.carriers.is_empty() && it.layers.is_empty()) {
        return;
    }
    for (at, message) in checked.names.messages.iter().enumerate() {
        unused_message(message, traffic.sent.contains(&at), traffic.handled.contains(&at), diagnostics);
    }
}

/// What a generic node of a service may send.
fn strangers(checked: &Checked<'_>, index: usize) -> Vec<MessageRef> {
    let names = &checked.names.services[index];
    let sendable = checked.ast.services().nth(index).into_iter().flat_map(|it| it.generic());
    sendable.filter_map(|it| checked.names.message(names, &it.message.name)).collect()
}

/// What a service sends, or at least constructs, and what it handles or ignores.
fn traffic(facts: &ServiceFacts<'_>) -> (BTreeSet<MessageRef>, BTreeSet<MessageRef>) {
    let bodies = facts.handlers.iter().chain(facts.routines.values());
    let sent = bodies.flat_map(|it| it.messages.iter().copied()).collect();
    let triggers = facts.heads.handlers.iter().map(|it| it.trigger);
    let triggers = triggers.chain(facts.heads.ignores.iter().map(|it| it.trigger));
    let handled = triggers.filter_map(|it| match it {
        Some(Trigger::Deliver(message)) => Some(message),
        _ => None,
    });
    // A payload is handled where a head takes it for what it is.
    let casts = facts.heads.handlers.iter().flat_map(|it| &it.casts);
    let casts = casts.chain(facts.heads.ignores.iter().flat_map(|it| &it.casts));
    let taken = casts.filter_map(|it| match it {
        Some(Cast::Message(message)) => Some(*message),
        _ => None,
    });
    (sent, handled.chain(taken).collect())
}

fn unused_message(
    message: &crate::names::MessageName,
    sent: bool,
    handled: bool,
    diagnostics: &mut Diagnostics,
) {
    let name = &message.name;
    let (code, text, help) = match (sent, handled) {
        (true, true) => return,
        (false, false) => {
            ("W0201", format!("the message `{name}` is never sent and never handled"), "remove it")
        }
        (false, true) => {
            ("W0201", format!("the message `{name}` is never sent"), "send it somewhere, or remove it")
        }
        (true, false) => (
            "W0203",
            format!("nobody handles the message `{name}`"),
            "add a handler, or say that it is meant: `ignore deliver(_, ..);`",
        ),
    };
    diagnostics.push(Diagnostic::warning(code, message.span, text).with_help(help).about(name));
}

fn timers(checked: &Checked<'_>, index: usize, facts: &ServiceFacts<'_>, diagnostics: &mut Diagnostics) {
    for (at, timer) in checked.names.services[index].timers.iter().enumerate() {
        let mut bodies = facts.handlers.iter().chain(facts.routines.values());
        let set = timer.is_periodic || bodies.any(|it| it.timers_set.contains(&timer.name));
        let handled = facts.heads.handlers.iter().any(|it| it.trigger == Some(Trigger::Timer(at)))
            || facts.heads.ignores.iter().any(|it| it.trigger == Some(Trigger::Timer(at)));
        let name = &timer.name;
        let found = match (set, handled) {
            (true, true) => continue,
            (false, _) => {
                Diagnostic::warning("W0202", timer.span, format!("the timer `{name}` is never set"))
                    .with_help(format!("arm it somewhere: `{name}.set(1s)`, or remove it"))
            }
            (true, false) => {
                Diagnostic::warning("W0204", timer.span, format!("nobody handles the timer `{name}`"))
                    .with_help(format!("add a handler: `scheduler {name} {{ .. }}`"))
            }
        };
        diagnostics.push(found.about(name));
    }
}

/// Names that a head binds and nothing uses.
fn heads(facts: &ServiceFacts<'_>, diagnostics: &mut Diagnostics) {
    for (head, body) in facts.heads.handlers.iter().zip(&facts.handlers) {
        for choose in &head.handler.chooses {
            let name = &choose.name;
            if !body.head_locals.contains(&name.name) && !name.name.starts_with('_') {
                let message = format!("`{}` is chosen and never used", name.name);
                diagnostics.push(
                    Diagnostic::warning("W0401", name.span, message)
                        .with_help(format!("use it in the guard or the body, or write `_{}`", name.name))
                        .about(format!("{}.{}", head.name, name.name)),
                );
            }
        }
    }
}

fn routines(checked: &Checked<'_>, index: usize, facts: &ServiceFacts<'_>, diagnostics: &mut Diagnostics) {
    let values = || facts.initials.iter().chain(facts.intervals.values());
    let bodies = || facts.handlers.iter().chain(facts.routines.values()).chain(values());
    for routine in &checked.names.services[index].routines {
        let called = bodies().any(|it| it.calls.contains_key(&routine.name));
        if !called && !checked.called.borrow().contains(&(index, routine.name.clone())) {
            let message = format!("the routine `{}` is never called", routine.name);
            diagnostics.push(
                Diagnostic::warning("W0205", routine.span, message)
                    .with_help("remove it")
                    .about(&routine.name),
            );
        }
    }
}
