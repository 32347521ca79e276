//! The heads of handlers: events, names, states, arguments. Opens the groups, so that everything later sees a flat list.

use std::collections::{BTreeMap, BTreeSet};

use crate::ast::{Event, Guard, Handler, HandlerKind, Ident, Ignore, Service, States, Transition};
use crate::body::bindings;
use crate::diag::{Diagnostic, Diagnostics};
use crate::names::{CallKind, CallRef, LayerName, MessageRef, ServiceNames};
use crate::source::Span;

use super::{Cast, Checked, arguments, unknown};

/// What makes a handler run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Trigger {
    /// Boot and restart.
    Start,
    /// A message arrives.
    Deliver(MessageRef),
    /// The timer at the index fires.
    Timer(usize),
    /// A connection broke.
    Broken,
    /// A command or request from the layer above.
    Call(CallRef),
    /// A query from the layer above.
    Query(CallRef),
    /// An upcall of the lower layer at the slot.
    Upcall(usize, CallRef),
    /// The answer to a request that was made of the lower layer at the slot.
    Answered(usize, CallRef),
    /// The variable at the index changed; `None` is the control state.
    Aspect(Option<usize>),
}

/// A handler with what stands around it.
pub struct Head<'a> {
    /// The handler.
    pub handler: &'a Handler,
    /// Its event, if it exists.
    pub trigger: Option<Trigger>,
    /// Its stable name.
    pub name: String,
    /// The states in which it applies; `None` for all.
    pub states: Option<BTreeSet<String>>,
    /// The `first` group around it.
    pub first: Option<usize>,
    /// Its patterns, in the order of the event's arguments; an argument that is not written is `_`.
    pub patterns: Vec<syn::Pat>,
    /// What payloads among the arguments are taken for, by their place.
    pub casts: Vec<Option<Cast>>,
}

/// An `ignore` with what stands around it.
pub struct IgnoreHead<'a> {
    /// The `ignore`.
    pub ignore: &'a Ignore,
    /// Its event, if it exists.
    pub trigger: Option<Trigger>,
    /// The states that it covers; `None` for all.
    pub states: Option<BTreeSet<String>>,
    /// Its patterns.
    pub patterns: Vec<syn::Pat>,
    /// What payloads among the arguments are taken for, by their place.
    pub casts: Vec<Option<Cast>>,
}

/// The transitions of a service, groups opened.
#[derive(Default)]
pub struct Heads<'a> {
    /// The handlers in file order.
    pub handlers: Vec<Head<'a>>,
    /// The ignores in file order.
    pub ignores: Vec<IgnoreHead<'a>>,
}

pub(super) fn read<'a>(
    checked: &Checked<'a>,
    index: usize,
    service: &'a Service,
    diagnostics: &mut Diagnostics,
) -> Heads<'a> {
    let mut reader = Reader { checked, index, diagnostics, heads: Heads::default(), firsts: 0 };
    for transition in service.transitions() {
        reader.transition(transition, None, None);
    }
    reader.names();
    reader.heads
}

struct Reader<'c, 'a, 'd> {
    checked: &'c Checked<'a>,
    index: usize,
    diagnostics: &'d mut Diagnostics,
    heads: Heads<'a>,
    firsts: usize,
}

type Around = Option<BTreeSet<String>>;

impl<'a> Reader<'_, 'a, '_> {
    fn transition(&mut self, transition: &'a Transition, around: Around, first: Option<usize>) {
        match transition {
            Transition::Handler(handler) => self.handler(handler, around, first),
            Transition::In(group) => {
                let states = self.states(Some(&group.states), around);
                group.transitions.iter().for_each(|it| self.transition(it, states.clone(), first));
            }
            Transition::First(group) => {
                if first.is_some() {
                    let message = "`first` groups cannot stand within each other";
                    let help =
                        "the handlers of the outer group are in order already: leave the inner `first` out";
                    self.diagnostics.push(Diagnostic::error("E0411", group.span, message).with_help(help));
                }
                let number = self.firsts;
                self.firsts += 1;
                group.transitions.iter().for_each(|it| self.transition(it, around.clone(), Some(number)));
            }
            Transition::Ignore(ignore) => {
                let states = self.states(ignore.states.as_ref(), around);
                let trigger = self.trigger(&ignore.event, ignore.kind);
                let patterns = self.patterns(&ignore.event);
                let casts = self.casts(trigger, &ignore.event);
                self.heads.ignores.push(IgnoreHead { ignore, trigger, states, patterns, casts });
            }
        }
    }

    fn handler(&mut self, handler: &'a Handler, around: Around, first: Option<usize>) {
        let states = self.states(handler.states.as_ref(), around);
        let trigger = match handler.kind {
            HandlerKind::Aspect => self.aspect(&handler.event),
            kind => self.trigger(&handler.event, Some(kind)),
        };
        let patterns = self.patterns(&handler.event);
        self.doubles(handler, &patterns);
        let name = match &handler.name {
            Some(name) => name.name.clone(),
            None => self.default_name(trigger, handler),
        };
        let casts = self.casts(trigger, &handler.event);
        self.heads.handlers.push(Head { handler, trigger, name, states, first, patterns, casts });
    }

    fn casts(&mut self, trigger: Option<Trigger>, event: &Event) -> Vec<Option<Cast>> {
        trigger.map_or_else(Vec::new, |it| {
            arguments::casts(self.checked, self.index, it, event, self.diagnostics)
        })
    }

    /// The names that the head binds, each once.
    fn doubles(&mut self, handler: &Handler, patterns: &[syn::Pat]) {
        let mut seen: BTreeMap<String, Span> = BTreeMap::new();
        let places = self.checked.places;
        let bound = patterns.iter().flat_map(bindings).map(|it| (it.to_string(), places.place(it.span())));
        let chosen = handler.chooses.iter().map(|it| (it.name.name.clone(), it.name.span));
        for (name, span) in bound.chain(chosen) {
            if matches!(name.as_str(), "me" | "this" | "ctx") || name.starts_with("this_") {
                let message = format!("`{name}` cannot be bound in a head");
                self.diagnostics.push(
                    Diagnostic::error("E0407", span, message)
                        .with_label("this word has a meaning of its own in a body")
                        .with_help("choose another name"),
                );
            }
            if let Some(earlier) = seen.insert(name.clone(), span) {
                self.diagnostics.push(
                    Diagnostic::error("E0201", span, format!("`{name}` is bound twice in this head"))
                        .with_secondary(earlier, "first bound here")
                        .with_help("give one of them another name"),
                );
            }
        }
    }

    fn default_name(&self, trigger: Option<Trigger>, handler: &Handler) -> String {
        match trigger {
            Some(Trigger::Deliver(message)) => {
                let service = &self.checked.names.services[self.index];
                format!("deliver_{}", self.checked.names.message_at(service, message).name)
            }
            // The downcall that answers with a variable often has its name.
            Some(Trigger::Aspect(_)) => {
                format!("aspect_{}", handler.event.name.name.trim_start_matches("r#"))
            }
            Some(Trigger::Upcall(slot, call) | Trigger::Answered(slot, call)) => {
                let layer = &self.checked.names.services[self.index].layers[slot].name;
                format!("{layer}_{}", self.checked.names.call_at(call).name)
            }
            _ => handler.event.name.name.clone(),
        }
    }

    /// Names are keys of traces and advice: unique, and written where an event has several handlers.
    fn names(&mut self) {
        let mut unnamed: BTreeMap<Trigger, Span> = BTreeMap::new();
        let mut names: BTreeMap<&str, Span> = BTreeMap::new();
        for head in &self.heads.handlers {
            let Some(trigger) = head.trigger else { continue };
            let span = head.handler.name.as_ref().map_or(head.handler.event.span, |it| it.span);
            if head.handler.name.is_none()
                && let Some(earlier) = unnamed.insert(trigger, span)
            {
                let word = head.handler.kind.word();
                let note = match trigger {
                    Trigger::Aspect(_) => "traces call handlers by their names",
                    _ => {
                        "several handlers of one event are a choice, and traces and advice call them by name"
                    }
                };
                self.diagnostics.push(
                    Diagnostic::error("E0402", span, "this event has another handler without a name")
                        .with_label("the second one")
                        .with_secondary(earlier, "the first one")
                        .with_note(note)
                        .with_help(format!(
                            "write `{word} NAME: {}`",
                            self.checked.places.file.slice(head.handler.event.span)
                        )),
                );
            } else if let Some(earlier) = names.insert(&head.name, span) {
                self.diagnostics.push(
                    Diagnostic::error("E0201", span, format!("there are two handlers named `{}`", head.name))
                        .with_secondary(earlier, "first declared here")
                        .with_help("give one of them another name"),
                );
            }
        }
    }

    /// The states of a clause within those of the groups around it.
    fn states(&mut self, clause: Option<&States>, around: Around) -> Around {
        let Some(clause) = clause else { return around };
        let service = &self.checked.names.services[self.index];
        let mut states = BTreeSet::new();
        for name in &clause.names {
            if !service.has_state(&name.name) {
                let known = service.states.iter().map(|it| it.name.as_str());
                let found = unknown("E0202", name.span, "control state", &name.name, known);
                self.diagnostics.push(found.with_label("not declared in `states`"));
            }
            states.insert(name.name.clone());
        }
        let Some(around) = around else { return Some(states) };
        let both: BTreeSet<String> = states.intersection(&around).cloned().collect();
        if both.is_empty() {
            let outside: Vec<&str> = around.iter().map(String::as_str).collect();
            let message = "this never applies: it shares no state with the group around it";
            let label = format!("the group is `in {}`", outside.join(" | "));
            self.diagnostics.push(Diagnostic::error("E0411", clause.span, message).with_label(label));
        }
        Some(both)
    }

    fn trigger(&mut self, event: &Event, kind: Option<HandlerKind>) -> Option<Trigger> {
        if let Some(layer) = &event.layer {
            let service = &self.checked.names.services[self.index];
            if service.carriers.iter().any(|it| it.name == layer.name) {
                let help =
                    "leave the carrier out: a message arrives over the carrier that it is declared for";
                self.diagnostics.push(
                    Diagnostic::error("E0403", layer.span, "a carrier has no events of its own")
                        .with_help(help),
                );
                return None;
            }
            let Some(slot) = service.layer(&layer.name) else {
                let carriers = service.carriers.iter().map(|it| it.name.as_str());
                let known = service.layers.iter().map(|it| it.name.as_str()).chain(carriers);
                self.diagnostics.push(unknown("E0209", layer.span, "layer", &layer.name, known));
                return None;
            };
            return self.below(event, slot, kind);
        }
        let kind = kind.unwrap_or_else(|| self.guess(&event.name));
        match kind {
            HandlerKind::Upcall => self.upcall(event),
            HandlerKind::Scheduler => self.timer(event),
            HandlerKind::Downcall => self.downcall(event),
            HandlerKind::Aspect => {
                let help = "an aspect is no event: it cannot be ignored";
                self.diagnostics.push(
                    Diagnostic::error("E0403", event.span, "aspects cannot be ignored").with_help(help),
                );
                None
            }
        }
    }

    /// The kind of an `ignore` that does not say it.
    fn guess(&self, name: &Ident) -> HandlerKind {
        let service = &self.checked.names.services[self.index];
        match name.name.as_str() {
            _ if service.timer(&name.name).is_some() => HandlerKind::Scheduler,
            _ if self.checked.names.downcall(service, &name.name).is_some() => HandlerKind::Downcall,
            _ => HandlerKind::Upcall,
        }
    }

    /// `tree.moved(_)`: an upcall of a lower layer; `link.transmit(reply, value)`: the answer to a request.
    fn below(&mut self, event: &Event, slot: usize, kind: Option<HandlerKind>) -> Option<Trigger> {
        let names = &self.checked.names;
        let layer = &names.services[self.index].layers[slot];
        // A layer without a known interface was reported.
        let interface = layer.interface?;
        if kind.is_some_and(|it| it != HandlerKind::Upcall) {
            let message = format!("what comes from the layer `{}` below is handled by `upcall`", layer.name);
            let help = format!("write `upcall {}`", self.checked.places.file.slice(event.span));
            self.diagnostics.push(Diagnostic::error("E0403", event.span, message).with_help(help));
            return None;
        }
        let Some(call) = names.layer_call(layer, &event.name.name) else {
            let known = names
                .calls(interface)
                .filter(|(_, it)| matches!(it.kind, CallKind::Upcall | CallKind::Request));
            let what = format!("upcall or request of `{}` named", names.interfaces[interface].name);
            let known = known.map(|(_, it)| it.name.as_str());
            self.diagnostics.push(unknown("E0403", event.name.span, &what, &event.name.name, known));
            return None;
        };
        let declared = names.call_at(call);
        match declared.kind {
            CallKind::Upcall => {
                self.arity(event, declared.params.len()).then_some(Trigger::Upcall(slot, call))
            }
            CallKind::Request => self.arity(event, 2).then_some(Trigger::Answered(slot, call)),
            CallKind::Command | CallKind::Query => {
                let (word, name) = (declared.kind.word(), &declared.name);
                let message = format!("`{name}` is a {word}: nothing comes back from it later");
                let (layer, span) = (&layer.name, declared.span);
                self.diagnostics.push(
                    Diagnostic::error("E0403", event.name.span, message)
                        .with_secondary(span, "declared here")
                        .with_help(format!("call it in a body: `{layer}.{name}(..)`")),
                );
                None
            }
        }
    }

    fn upcall(&mut self, event: &Event) -> Option<Trigger> {
        let arguments = event.args.as_deref().unwrap_or(&[]);
        match event.name.name.as_str() {
            "start" => self.arity(event, 0).then_some(Trigger::Start),
            "broken" => self.arity(event, 1).then_some(Trigger::Broken),
            "deliver" => {
                if !self.arity(event, 2) {
                    return None;
                }
                let pattern = &arguments[1].pattern;
                let pattern_span = pattern.span;
                let message = self.checked.rust.pattern(pattern)?;
                self.message(message, pattern_span).map(Trigger::Deliver)
            }
            name => {
                let service = &self.checked.names.services[self.index];
                let mut found = unknown("E0403", event.name.span, "event", name, ["start", "deliver", "broken"])
                    .with_label("`upcall` handles `start()`, `deliver(from, MESSAGE)`, `broken(peer)` and upcalls of layers");
                if service.timer(name).is_some() {
                    found = found.with_help(format!("`{name}` is a timer: write `scheduler {name} ..`"));
                } else if self.checked.names.downcall(service, name).is_some() {
                    found = found.with_help(format!("`{name}` is a downcall: write `downcall {name}(..)`"));
                } else if let Some(layer) = service.layers.iter().find(|it| self.says(it, name)) {
                    let layer = &layer.name;
                    found = found
                        .with_help(format!("the layer `{layer}` says it: write `upcall {layer}.{name}(..)`"));
                }
                self.diagnostics.push(found);
                None
            }
        }
    }

    /// Whether a layer has something of that name to say: an upcall, or the answer to a request.
    fn says(&self, layer: &LayerName, name: &str) -> bool {
        let names = &self.checked.names;
        let call = names.layer_call(layer, name).map(|it| names.call_at(it).kind);
        matches!(call, Some(CallKind::Upcall | CallKind::Request))
    }

    /// The message of a `deliver`, from its pattern.
    fn message(&mut self, pattern: &syn::Pat, span: Span) -> Option<MessageRef> {
        let (names, service) = (&self.checked.names, &self.checked.names.services[self.index]);
        let path = match pattern {
            syn::Pat::Ident(it) => Some(it.ident.clone()),
            syn::Pat::Struct(it) => it.path.get_ident().cloned(),
            syn::Pat::Path(it) => it.path.get_ident().cloned(),
            syn::Pat::TupleStruct(it) => it.path.get_ident().cloned(),
            syn::Pat::Paren(inner) => return self.message(&inner.pat, span),
            _ => None,
        };
        let known =
            || service.messages.iter().chain(names.messages_beside(service)).map(|it| it.name.as_str());
        let Some(name) = path else {
            let found = Diagnostic::error("E0404", span, "a `deliver` handles one message, by its name")
                .with_label("not the name of a message")
                .with_help("write `deliver(from, MESSAGE { field, .. })`, one handler for each message");
            self.diagnostics.push(found);
            return None;
        };
        let text = name.to_string();
        let place = self.checked.places.place(name.span());
        let Some(message) = names.message(service, &text) else {
            let found = unknown("E0203", place, "message", &text, known());
            self.diagnostics.push(found.with_label("neither in this service nor at file level"));
            return None;
        };
        let declared = names.message_at(service, message);
        match pattern {
            syn::Pat::Struct(it) => self.fields(it, declared),
            syn::Pat::TupleStruct(_) => {
                let fields: Vec<_> = declared.fields.iter().map(|it| it.name.as_str()).collect();
                let help = format!("write `{text} {{ {} }}`", fields.join(", "));
                let message = format!("the fields of `{text}` have names");
                self.diagnostics.push(Diagnostic::error("E0210", span, message).with_help(help));
                return None;
            }
            _ if !declared.fields.is_empty() => {
                let message = format!("`{text}` has fields: a pattern for it needs braces");
                let help = format!("write `{text} {{ .. }}`");
                self.diagnostics.push(Diagnostic::error("E0211", span, message).with_help(help));
                return None;
            }
            _ => {}
        }
        Some(message)
    }

    fn fields(&mut self, pattern: &syn::PatStruct, declared: &crate::names::MessageName) {
        let places = self.checked.places;
        let mut missing: Vec<&str> = declared.fields.iter().map(|it| it.name.as_str()).collect();
        for field in &pattern.fields {
            let syn::Member::Named(field) = &field.member else { continue };
            let text = field.to_string();
            missing.retain(|known| *known != text);
            if !declared.has(&text) {
                let known = declared.fields.iter().map(|it| it.name.as_str());
                let what = format!("field of `{}` named", declared.name);
                let found = unknown("E0210", places.place(field.span()), &what, &text, known);
                self.diagnostics.push(found.with_secondary(declared.span, "declared here"));
            }
        }
        if !missing.is_empty() && pattern.rest.is_none() {
            let list: Vec<_> = missing.iter().map(|it| format!("`{it}`")).collect();
            let place =
                pattern.path.segments.last().map_or(Span::default(), |it| places.place(it.ident.span()));
            let plural = if list.len() == 1 { "" } else { "s" };
            let message =
                format!("the pattern lacks the field{plural} {} of `{}`", list.join(", "), declared.name);
            self.diagnostics.push(
                Diagnostic::error("E0211", place, message)
                    .with_secondary(declared.span, "declared here")
                    .with_help("add `..` at the end to leave fields out"),
            );
        }
    }

    fn timer(&mut self, event: &Event) -> Option<Trigger> {
        let service = &self.checked.names.services[self.index];
        let Some(index) = service.timers.iter().position(|it| it.name == event.name.name) else {
            let known = service.timers.iter().map(|it| it.name.as_str());
            let found = unknown("E0204", event.name.span, "timer", &event.name.name, known);
            self.diagnostics
                .push(found.with_label("`scheduler` handles a timer that is declared in `timers`"));
            return None;
        };
        self.arity(event, service.timers[index].params.len()).then_some(Trigger::Timer(index))
    }

    fn downcall(&mut self, event: &Event) -> Option<Trigger> {
        let names = &self.checked.names;
        let service = &names.services[self.index];
        let Some(call) = names.downcall(service, &event.name.name) else {
            let down = || names.provided(service).filter(|(_, it)| it.kind.is_down());
            let known = down().map(|(_, it)| it.name.as_str());
            let mut found = unknown("E0403", event.name.span, "downcall", &event.name.name, known);
            if down().next().is_none() {
                found = found.with_help("declare it in an interface, and provide that: `provides NAME;`");
            }
            self.diagnostics.push(found);
            return None;
        };
        if let Some(provided) = service.provides(call.interface)
            && let Some(by) = provided.by
        {
            let layer = &service.layers[by].name;
            let message = format!("`{}` is answered by the layer `{layer}`, not here", event.name.name);
            self.diagnostics.push(
                Diagnostic::error("E0433", event.name.span, message)
                    .with_secondary(provided.span, "passed through here")
                    .with_help(format!("leave the handler out, or `by {layer}`")),
            );
            return None;
        }
        let declared = names.call_at(call);
        let trigger =
            if declared.kind == CallKind::Query { Trigger::Query(call) } else { Trigger::Call(call) };
        self.arity(event, declared.params.len()).then_some(trigger)
    }

    /// The variable that an aspect watches.
    fn aspect(&mut self, event: &Event) -> Option<Trigger> {
        let service = &self.checked.names.services[self.index];
        let name = event.name.name.as_str();
        if let Some(layer) = &event.layer {
            let found =
                Diagnostic::error("E0403", layer.span, "an aspect watches a variable of its own service");
            let help = format!("write `aspect {name}(old)`, or handle an upcall of the layer");
            self.diagnostics.push(found.with_help(help));
            return None;
        }
        let watched = match service.variables.iter().position(|it| it.name == name) {
            Some(index) => Some(index),
            None if name == "state" && !service.states.is_empty() => None,
            None => {
                let known = service.variables.iter().map(|it| it.name.as_str());
                let known = known.chain((!service.states.is_empty()).then_some("state"));
                let found = unknown("E0403", event.name.span, "variable", name, known);
                self.diagnostics
                    .push(found.with_label("`aspect` runs when a variable of the service has changed"));
                return None;
            }
        };
        if event.args.as_ref().is_some_and(|args| args.len() != 1) {
            let message = "an aspect is told one thing: the value before the change";
            let help = format!("write `aspect {name}(old)`, or `aspect {name}(_)`");
            self.diagnostics.push(Diagnostic::error("E0404", event.span, message).with_help(help));
            return None;
        }
        Some(Trigger::Aspect(watched))
    }

    fn arity(&mut self, event: &Event, expected: usize) -> bool {
        let given = event.args.as_ref().map_or(0, Vec::len);
        if given != expected {
            let arguments = |n: usize| format!("{n} argument{}", if n == 1 { "" } else { "s" });
            let verb = if given == 1 { "is" } else { "are" };
            let message =
                format!("`{}` has {}, and {given} {verb} written", event.name.name, arguments(expected));
            let mut found = Diagnostic::error("E0404", event.span, message);
            found = match event.name.name.as_str() {
                "deliver" => found.with_help("write `deliver(from, MESSAGE { field, .. })`"),
                "broken" => found.with_help("write `broken(peer)`"),
                "start" => found.with_help("write `start()`"),
                _ => found,
            };
            self.diagnostics.push(found);
        }
        given == expected
    }

    /// The patterns, also of an event that does not exist: what they bind is named in the body.
    fn patterns(&self, event: &Event) -> Vec<syn::Pat> {
        let wild = || syn::parse_quote!(_);
        let arguments = event.args.iter().flatten();
        arguments.map(|it| self.checked.rust.pattern(&it.pattern).cloned().unwrap_or_else(wild)).collect()
    }
}

impl Head<'_> {
    /// The names that the patterns bind, in order.
    pub fn bound(&self) -> Vec<String> {
        self.patterns.iter().flat_map(bindings).map(|it| it.to_string()).collect()
    }

    /// The ghost that it watches, if it is an aspect of one.
    pub fn watched_ghost<'s>(&self, service: &'s ServiceNames) -> Option<&'s str> {
        let Some(Trigger::Aspect(Some(variable))) = self.trigger else { return None };
        let watched = &service.variables[variable];
        watched.is_ghost.then_some(watched.name.as_str())
    }

    /// Whether it applies only where no other handler does.
    pub fn is_otherwise(&self) -> bool {
        matches!(self.handler.guard, Some(Guard::Otherwise(_)))
    }
}
