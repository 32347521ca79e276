//! The diagram of a service: its control states, and what leads from one to another.

use std::collections::BTreeMap;

use super::diagram::{Diagram, Edge, Label, Node};
use super::facts::{Entry, Facts, handler_name};
use super::html::{escape, inline};
use crate::ast::{HandlerKind, Service};
use crate::overlap::message_of;

/// The section, or nothing for a service without control states.
pub fn section(service: &Service, facts: &Facts<'_>) -> String {
    if facts.states.is_empty() {
        return String::new();
    }
    let title = format!("States and transitions of {}", service.name.name);
    let mut html = format!("<div class=\"canvas\">{}</div>\n", diagram(facts).svg(&title));
    html.push_str(
        "<p class=\"legend\"><span class=\"deliver\">message</span> <span class=\"scheduler\">timer</span> \
         <span class=\"downcall\">call from above</span> <span class=\"upcall\">other event</span></p>\n",
    );
    let described = service.states().filter(|state| state.doc.is_some());
    let rows: String = described
        .map(|state| {
            let doc = inline(state.doc.as_deref().unwrap_or_default());
            format!("<tr><th><code>{}</code></th><td>{doc}</td></tr>\n", escape(&state.name.name))
        })
        .collect();
    if !rows.is_empty() {
        html.push_str(&format!("<table>{rows}</table>\n"));
    }
    html
}

/// Builds the diagram. What leads somewhere from every state starts at a node of its own, if there are several states.
fn diagram(facts: &Facts<'_>) -> Diagram {
    let any = facts.states.len();
    let position = |state: &String| facts.states.iter().position(|other| other == state);
    let mut edges: BTreeMap<(usize, usize), Vec<Label>> = BTreeMap::new();
    for entry in &facts.handlers {
        let from: Vec<usize> = match &entry.states {
            Some(states) => states.iter().filter_map(position).collect(),
            None if facts.states.len() == 1 => vec![0],
            None => vec![any],
        };
        for from in from {
            for to in entry.deeds.enters.iter().filter_map(position) {
                edges.entry((from, to)).or_default().push(label(entry));
            }
        }
    }
    let node = |(at, name): (usize, &String)| Node {
        name: name.clone(),
        remark: remark(facts, name),
        class: "state",
        initial: at == 0,
        href: String::new(),
    };
    let mut nodes: Vec<Node> = facts.states.iter().enumerate().map(node).collect();
    if edges.keys().any(|(from, _)| *from == any) {
        let (name, remark) = ("any state".to_owned(), String::new());
        nodes.push(Node { name, remark, class: "any", initial: false, href: String::new() });
    }
    let edges = edges.into_iter().map(|((from, to), labels)| Edge { from, to, labels }).collect();
    Diagram { nodes, edges }
}

/// How many handlers a state has of its own.
fn remark(facts: &Facts<'_>, state: &str) -> String {
    let applies =
        |entry: &&Entry<'_>| entry.states.as_ref().is_none_or(|states| states.iter().any(|it| it == state));
    match facts.handlers.iter().filter(applies).count() {
        1 => "1 handler".to_owned(),
        count => format!("{count} handlers"),
    }
}

fn label(entry: &Entry<'_>) -> Label {
    let handler = entry.placed.handler;
    let event = match message_of(&handler.event) {
        Some(message) => format!("deliver {message}"),
        None => super::facts::event_name(&handler.event),
    };
    let title = match &handler.guard {
        Some(crate::ast::Guard::When(guard)) => format!("{event} when {}", guard.text),
        Some(crate::ast::Guard::Otherwise(_)) => format!("{event} otherwise"),
        None => event,
    };
    Label { text: handler_name(handler), class: class(entry), href: format!("#{}", entry.anchor), title }
}

/// The class of an event in the style.
pub fn class(entry: &Entry<'_>) -> &'static str {
    let handler = entry.placed.handler;
    match handler.kind {
        HandlerKind::Scheduler => "scheduler",
        HandlerKind::Downcall => "downcall",
        HandlerKind::Aspect => "aspect",
        HandlerKind::Upcall if message_of(&handler.event).is_some() => "deliver",
        HandlerKind::Upcall => "upcall",
    }
}
