//! From the tree to nodes: files, items and services. Systems and scenarios are in `layout_system.rs`.

use super::expr::{dotted, path, stack};
use super::layout_system;
use super::node::{Node, NodeKind};
use super::rust::squeezed;
use crate::ast::*;

/// The nodes of a file.
pub fn file(ast: &Ast) -> Vec<Node> {
    ast.items.iter().map(item).collect()
}

fn item(item: &Item) -> Node {
    match item {
        Item::Import(it) => import(it),
        Item::Rust(it) => Node::rust(&it.fragment),
        Item::Interface(it) => {
            let calls = it.calls.iter().map(call).collect();
            let mut node = Node::section(it.span, format!("interface {}", it.name.name), calls);
            node.doc = it.doc.clone();
            node
        }
        Item::Messages(it) => messages(it),
        Item::Service(it) => {
            let members = it.members.iter().map(member).collect();
            Node::item(it.span, &it.doc, format!("service {}", it.name.name), members)
        }
        Item::System(it) => layout_system::system(it),
        Item::Scenario(it) => layout_system::scenario(it),
        Item::Allow(it) => allow(it),
    }
}

fn import(it: &Import) -> Node {
    let name = |name: &ImportName| match &name.alias {
        Some(alias) => format!("{} as {}", name.name.name, alias.name),
        None => name.name.name.clone(),
    };
    let names = match it.names.as_deref() {
        None => String::new(),
        Some([one]) => format!("::{}", name(one)),
        Some(many) => format!("::{{{}}}", many.iter().map(name).collect::<Vec<_>>().join(", ")),
    };
    let alias = it.alias.as_ref().map(|alias| format!(" as {}", alias.name)).unwrap_or_default();
    Node::line(it.span, &it.doc, vec![format!("import {}{names}{alias};", path(&it.spec))])
}

fn call(it: &Call) -> Node {
    let word = match it.direction {
        Direction::Down => "downcall",
        Direction::Up => "upcall",
    };
    let result = it.result.as_ref().map_or(String::new(), |ty| format!(" -> {}", squeezed(&ty.text)));
    let parts = enclosed(&format!("{}(", it.name.name), &it.params, &format!("){result};"));
    Node::cells(it.span, &it.doc, vec![word.to_owned()], parts)
}

/// Parameters between two signs, in parts.
fn enclosed(before: &str, params: &[Param], after: &str) -> Vec<String> {
    let mut parts: Vec<String> =
        params.iter().map(|it| format!("{}: {},", it.name.name, squeezed(&it.ty.text))).collect();
    match parts.last_mut() {
        Some(last) => {
            last.pop();
            last.push_str(after);
            parts[0] = format!("{before}{}", parts[0]);
            parts
        }
        None => vec![format!("{before}{after}")],
    }
}

fn messages(it: &Messages) -> Node {
    let head = match &it.over {
        Some(carrier) => format!("messages over {}", carrier.name),
        None => "messages".to_owned(),
    };
    let entries = it.messages.iter().map(|message| {
        let parts = match message.fields.is_empty() {
            true => vec![format!("{};", message.name.name)],
            false => enclosed(&format!("{} {{ ", message.name.name), &message.fields, " }"),
        };
        let name = &message.name;
        let node = Node::line(message.span, &message.doc, parts);
        node.with_column("message", name.name.chars().count(), name.span.end, false)
    });
    Node::section(it.span, head, entries.collect())
}

fn member(member: &Member) -> Node {
    match member {
        Member::Provides(it) => {
            let by = it.by.as_ref().map_or(String::new(), |layer| format!(" by {}", layer.name));
            Node::line(it.span, &None, vec![format!("provides {}{by};", path(&it.interface))])
        }
        Member::Uses(it) => {
            let default = it.default.as_ref().map_or(String::new(), |it| format!(" = {}", stack(it)));
            let text = format!("uses {}: {}{default};", it.name.name, path(&it.interface));
            Node::line(it.span, &it.doc, vec![text])
        }
        Member::Const(it) => {
            let text = format!("const {}", declared(&it.name, &it.ty, Some(&it.value)));
            Node::line(it.span, &it.doc, vec![text])
        }
        Member::Parameters(it) => parameters(it),
        Member::States(it) => {
            let states = it
                .entries
                .iter()
                .map(|state| Node::line(state.name.span, &state.doc, vec![state.name.name.clone()]));
            let kind = NodeKind::Block {
                head: "states".to_owned(),
                nodes: states.collect(),
                commas: true,
                spaced: false,
            };
            Node { span: it.span, doc: None, kind, column: None }
        }
        Member::Variables(it) => section(it, "variables", variable),
        Member::Messages(it) => messages(it),
        Member::Timers(it) => section(it, "timers", timer),
        Member::Transitions(it) => section(it, "transitions", transition),
        Member::Routines(it) => section(it, "routines", |routine| Node::rust(&routine.fragment)),
        Member::Properties(it) => section(it, "properties", layout_system::property),
        Member::Objectives(it) => section(it, "objectives", layout_system::objective),
        Member::Generic(it) => section(it, "generic", sendable),
        Member::Fair(it) => Node::line(it.span, &None, listed("fair choice", &it.sites, ";")),
        Member::Allow(it) => allow(it),
    }
}

fn allow(it: &Allow) -> Node {
    let reason = it.reason.as_ref().map_or(String::new(), |reason| format!(": {}", reason.text));
    let parts = listed(&format!("allow {}", it.warning.name), &it.targets, &format!("{reason};"));
    Node::line(it.span, &None, parts)
}

/// A word and the names behind it, in parts.
fn listed(word: &str, names: &[Dotted], after: &str) -> Vec<String> {
    let names: Vec<String> = names.iter().map(dotted).collect();
    match names.is_empty() {
        true => vec![format!("{word}{after}")],
        false => vec![format!("{word} {}{after}", names.join(", "))],
    }
}

fn sendable(it: &Sendable) -> Node {
    let name = &it.message.name;
    let mut parts: Vec<String> = it
        .fields
        .iter()
        .map(|field| format!("{} in {},", field.name.name, squeezed(&field.set.text)))
        .collect();
    match parts.last_mut() {
        Some(last) => {
            last.pop();
            last.push_str(" }");
            parts[0] = format!("{name} {{ {}", parts[0]);
        }
        None => parts.push(format!("{name};")),
    }
    Node::line(it.span, &None, parts)
}

/// A section of entries.
pub fn section<T>(section: &Section<T>, head: &str, entry: impl Fn(&T) -> Node) -> Node {
    Node::section(section.span, head, section.entries.iter().map(entry).collect())
}

/// `parameters { .. }`, in services and systems.
pub fn parameters(it: &Section<Parameter>) -> Node {
    section(it, "parameters", |it| {
        Node::line(it.span, &it.doc, vec![declared(&it.name, &it.ty, it.default.as_ref())])
    })
}

/// `name: Type = value;`
fn declared(name: &Ident, ty: &Fragment, value: Option<&Fragment>) -> String {
    let value = value.map_or(String::new(), |value| format!(" = {}", squeezed(&value.text)));
    format!("{}: {}{value};", name.name, squeezed(&ty.text))
}

fn variable(it: &Variable) -> Node {
    let modifiers: String =
        it.modifiers.iter().map(|modifier| format!("{} ", modifier.kind.word())).collect();
    let text = format!("{modifiers}{}", declared(&it.name, &it.ty, it.initial.as_ref()));
    Node::line(it.span, &it.doc, vec![text])
}

fn timer(it: &Timer) -> Node {
    let every = it.every.as_ref().map_or(String::new(), |it| format!(" every {}", squeezed(&it.text)));
    let parts = match it.params.is_empty() {
        true => vec![format!("{}{every};", it.name.name)],
        false => enclosed(&format!("{}(", it.name.name), &it.params, &format!("){every};")),
    };
    Node::line(it.span, &it.doc, parts)
}

fn transition(it: &Transition) -> Node {
    match it {
        Transition::Handler(it) => handler(it),
        Transition::In(it) => {
            let nodes = it.transitions.iter().map(transition).collect();
            Node::section(it.span, format!("in {}", states(&it.states)), nodes)
        }
        Transition::First(it) => {
            Node::section(it.span, "first", it.transitions.iter().map(transition).collect())
        }
        Transition::Ignore(it) => {
            let kind = it.kind.map_or(String::new(), |kind| format!("{} ", kind.word()));
            let states = it.states.as_ref().map_or(String::new(), |it| format!(" in {}", states(it)));
            Node::line(it.span, &None, vec![format!("ignore {kind}{}{states};", event(&it.event))])
        }
    }
}

fn states(it: &States) -> String {
    it.names.iter().map(|name| name.name.as_str()).collect::<Vec<_>>().join(" | ")
}

fn event(it: &Event) -> String {
    let layer = it.layer.as_ref().map_or(String::new(), |layer| format!("{}.", layer.name));
    let Some(args) = &it.args else { return format!("{layer}{}", it.name.name) };
    let args = args.iter().map(|arg| match &arg.ty {
        Some(ty) => format!("{}: {}", squeezed(&arg.pattern.text), squeezed(&ty.text)),
        None => squeezed(&arg.pattern.text),
    });
    format!("{layer}{}({})", it.name.name, args.collect::<Vec<_>>().join(", "))
}

fn handler(it: &Handler) -> Node {
    let name = it.name.as_ref().map_or(String::new(), |name| format!("{}: ", name.name));
    let states = it.states.as_ref().map_or(String::new(), |it| format!(" in {}", states(it)));
    let mut parts = vec![format!("{} {name}{}{states}", it.kind.word(), event(&it.event))];
    parts
        .extend(it.chooses.iter().map(|it| format!("choose {} in {}", it.name.name, squeezed(&it.set.text))));
    match &it.guard {
        Some(Guard::When(guard)) => parts.push(format!("when {}", squeezed(&guard.text))),
        Some(Guard::Otherwise(_)) => parts.push("otherwise".to_owned()),
        None => {}
    }
    let head = parts.join(" ").chars().count();
    let kind = NodeKind::Handler { parts, body: it.body.clone() };
    let node = Node { span: it.span, doc: it.doc.clone(), kind, column: None };
    match &it.name {
        Some(name) => {
            let before = it.kind.word().len() + name.name.chars().count() + 2;
            node.with_column(it.kind.word(), before, it.event.span.start, false)
        }
        None => node.with_column("body", head, it.body.span.start, true),
    }
}

/// Dotted names separated by bars.
pub fn names(list: &[Dotted]) -> String {
    list.iter().map(dotted).collect::<Vec<_>>().join(" | ")
}
