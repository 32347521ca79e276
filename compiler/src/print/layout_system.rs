//! From the tree to nodes: properties, objectives, systems and scenarios. See `layout.rs` for the rest.

use super::expr::{binders, dotted, flat, list, parts, prefixed, stack};
use super::layout::{names, parameters, section};
use super::node::{Node, NodeKind};
use crate::ast::*;

/// `safety agree: EXPR;`
pub fn property(it: &Property) -> Node {
    let mut text = parts(&it.expr);
    ended(&mut text, ";");
    Node::hanging(it.span, &it.doc, vec![it.kind.word().to_owned(), format!("{}:", it.name.name)], text)
}

fn ended(parts: &mut [String], sign: &str) {
    if let Some(last) = parts.last_mut() {
        last.push_str(sign);
    }
}

/// `minimize waiting: ..;`
pub fn objective(it: &Objective) -> Node {
    let goal = match it.goal {
        Goal::Minimize => "minimize",
        Goal::Maximize => "maximize",
    };
    let mut text = vec![];
    for (index, one) in it.terms.iter().enumerate() {
        if index > 0 {
            ended(&mut text, ",");
        }
        text.extend(term(one));
    }
    text.extend(scale(&it.scale));
    ended(&mut text, ";");
    Node::hanging(it.span, &it.doc, vec![goal.to_owned(), format!("{}:", it.name.name)], text)
}

fn scale(it: &Scale) -> Vec<String> {
    let clauses =
        [("weight", &it.weight), ("level", &it.level), ("discount", &it.discount), ("horizon", &it.horizon)];
    let given = clauses.iter().filter_map(|(word, value)| Some(format!("{word} {}", flat(value.as_ref()?))));
    given.collect()
}

fn term(it: &Term) -> Vec<String> {
    let amount = flat(&it.amount);
    let named = |list: &[Dotted]| if list.is_empty() { String::new() } else { format!(" {}", names(list)) };
    let per = match &it.per {
        None => return parts(&it.amount),
        Some(Per::Message(list)) => format!("message{}", named(list)),
        Some(Per::Byte(list)) => format!("byte{}", named(list)),
        Some(Per::Call(Direction::Up, list)) => format!("upcall{}", named(list)),
        Some(Per::Call(Direction::Down, list)) => format!("downcall{}", named(list)),
        Some(Per::Handler(list)) => format!("handler{}", named(list)),
        Some(Per::Second(it)) => return prefixed(&format!("{amount} per"), per_second(it)),
    };
    vec![format!("{amount} per {per}")]
}

fn per_second(it: &PerSecond) -> Vec<String> {
    let mut text = vec!["second".to_owned()];
    if !it.binders.list.is_empty() {
        text[0] += &format!(" for {}", binders(&it.binders));
    }
    text.extend(it.during.as_ref().map(|during| format!("while {}", flat(during))));
    text.extend(it.growth.as_ref().map(|growth| match growth {
        Growth::Linear => "growing linearly".to_owned(),
        Growth::Power(power) => format!("growing to the power {}", flat(power)),
        Growth::Factor(factor) => format!("growing by {}", flat(factor)),
    }));
    text
}

/// `system Name { .. }`
pub fn system(it: &System) -> Node {
    let members = it.members.iter().map(|member| match member {
        SystemMember::Parameters(it) => parameters(it),
        SystemMember::Nodes(it) => section(it, "nodes", node_group),
        SystemMember::Network(it) => section(it, "network", link),
        SystemMember::Faults(it) => section(it, "faults", fault),
        SystemMember::Workload(it) => section(it, "workload", work),
        SystemMember::Horizon(it) => {
            Node::line(it.span, &None, vec![format!("horizon {};", flat(&it.value))])
        }
        SystemMember::Objectives(it) => section(it, "objectives", |it| match it {
            SystemObjective::Own(it) => objective(it),
            SystemObjective::Reweigh(it) => {
                let mut text = prefixed(&dotted(&it.name), scale(&it.scale));
                ended(&mut text, ";");
                Node::line(it.span, &None, text)
            }
        }),
        SystemMember::Properties(it) => section(it, "properties", property),
        SystemMember::Check(it) => section(it, "check", bound),
    });
    let members = members.map(|mut member| {
        let word = match &member.kind {
            NodeKind::Block { head, .. } => head.len(),
            _ => "horizon".len(),
        };
        member = member.with_column("section", word, 0, true);
        if let Some(column) = &mut member.column {
            column.at = member.span.start + word as u32;
        }
        member
    });
    Node::item(it.span, &it.doc, format!("system {}", it.name.name), members.collect())
}

fn node_group(it: &NodeGroup) -> Node {
    let size = it.size.as_ref().map_or(String::new(), |size| format!("[{}]", flat(size)));
    let generic = if it.generic.is_some() { "generic " } else { "" };
    Node::line(it.span, &it.doc, vec![format!("{}{size}: {generic}{};", it.name.name, stack(&it.stack))])
}

/// Clauses with commas between them and a sign at the end.
fn clauses(before: &str, list: Vec<String>, after: &str) -> Vec<String> {
    let last = list.len().saturating_sub(1);
    let mut text: Vec<String> =
        list.into_iter().enumerate().map(|(at, it)| if at < last { it + "," } else { it + after }).collect();
    if let Some(first) = text.first_mut() {
        *first = format!("{before} {first}");
    }
    text
}

fn link(it: &Link) -> Node {
    let optional = |word: &str, value: &Option<Expr>| {
        value.as_ref().map_or(word.to_owned(), |it| format!("{word} {}", flat(it)))
    };
    let list = it.clauses.iter().map(|clause| match &clause.kind {
        LinkClauseKind::Delay(value) => format!("delay {}", flat(value)),
        LinkClauseKind::Loss(value) => format!("loss {}", flat(value)),
        LinkClauseKind::Duplicates(value) => optional("duplicates", value),
        LinkClauseKind::Reorders(value) => optional("reorders", value),
        LinkClauseKind::Bandwidth(value) => format!("bandwidth {}", flat(value)),
    });
    Node::line(it.span, &it.doc, clauses(&format!("{}:", dotted(&it.carrier)), list.collect(), ";"))
}

fn target(it: &Option<Target>) -> String {
    match it {
        None => String::new(),
        Some(Target::Any(_)) => " any".to_owned(),
        Some(Target::Expr(expr)) => format!(" {}", flat(expr)),
    }
}

fn rate(it: &Rate) -> String {
    format!("rate {} per {}", flat(&it.amount), it.per.word())
}

fn fault(it: &Fault) -> Node {
    let list = it.clauses.iter().map(|clause| match &clause.kind {
        FaultClauseKind::AtMost(value) => format!("at most {}", flat(value)),
        FaultClauseKind::Rate(it) => rate(it),
        FaultClauseKind::Chance(value) => format!("chance {}", flat(value)),
        FaultClauseKind::At(value) => format!("at {}", flat(value)),
        FaultClauseKind::Within(value) => format!("within {}", flat(value)),
        FaultClauseKind::Back(None) => "back".to_owned(),
        FaultClauseKind::Back(Some(Back::Within(value))) => format!("back within {}", flat(value)),
        FaultClauseKind::Back(Some(Back::After(value))) => format!("back after {}", flat(value)),
    });
    let head = format!("{}{}:", it.kind.word(), target(&it.target));
    Node::line(it.span, &it.doc, clauses(&head, list.collect(), ";"))
}

fn work(it: &Work) -> Node {
    let mut list: Vec<String> = vec![];
    for clause in &it.clauses {
        let text = match &clause.kind {
            WorkClauseKind::Once => "once".to_owned(),
            WorkClauseKind::Each(it) => format!("each {}", binders(it)),
            WorkClauseKind::AtMost(value) => format!("at most {}", flat(value)),
            WorkClauseKind::Rate(it) => rate(it),
            WorkClauseKind::At(value) => format!("at {}", flat(value)),
            WorkClauseKind::Within(value) => format!("within {}", flat(value)),
            WorkClauseKind::AfterRestart => "after restart".to_owned(),
        };
        match (list.last_mut(), &clause.kind) {
            (Some(last), WorkClauseKind::Each(_)) if last == "once" => *last = format!("once {text}"),
            _ => list.push(text),
        }
    }
    let call = format!("call {};", flat(&it.call));
    let mut text = if list.is_empty() { vec![] } else { clauses("", list, ":") };
    if let Some(first) = text.first_mut() {
        *first = first.trim_start().to_owned();
    }
    text.push(call);
    Node::line(it.span, &it.doc, text)
}

fn bound(it: &Bound) -> Node {
    let head = format!("{}{}", it.key.name, target(&it.target));
    let mut text = match &it.value {
        BoundValue::Flag => vec![head],
        BoundValue::AtMost(value) => vec![format!("{head}: at most {}", flat(value))],
        BoundValue::Expr(value) => prefixed(&format!("{head}:"), parts(value)),
    };
    ended(&mut text, ";");
    Node::line(it.span, &None, text)
}

/// `scenario name in System { .. }`
pub fn scenario(it: &Scenario) -> Node {
    let head = format!("scenario {} in {}", it.name.name, it.system.name);
    let commands = it.commands.iter().map(|it| {
        let mut text = command(it);
        ended(&mut text, ";");
        Node::line(it.span, &None, text)
    });
    let mut node = Node::section(it.span, head, commands.collect());
    node.doc = it.doc.clone();
    node
}

fn command(it: &Command) -> Vec<String> {
    let pinned = |text: String, pin: &Option<Pin>| match pin {
        Some(pin) => vec![text, pin_text(pin)],
        None => vec![text],
    };
    match &it.kind {
        CommandKind::Call { call, pin } => pinned(flat(call), pin),
        CommandKind::Deliver { transfer: it, pin } => pinned(format!("deliver {}", transfer(it)), pin),
        CommandKind::Drop(it) => vec![format!("drop {}", transfer(it))],
        CommandKind::Duplicate(it) => vec![format!("duplicate {}", transfer(it))],
        CommandKind::Fire { timer, args, at, pin } => {
            let args = args.as_ref().map_or(String::new(), |args| format!("({})", list(args)));
            pinned(format!("fire {}{args} at {}", dotted(timer), flat(at)), pin)
        }
        CommandKind::Crash(node) => vec![format!("crash {}", flat(node))],
        CommandKind::Restart(node) => vec![format!("restart {}", flat(node))],
        CommandKind::Reset(node) => vec![format!("reset {}", flat(node))],
        CommandKind::Partition(one, other) => vec![format!("partition {} from {}", flat(one), flat(other))],
        CommandKind::Cut(one, other) => vec![format!("cut {} from {}", flat(one), flat(other))],
        CommandKind::Heal => vec!["heal".to_owned()],
        CommandKind::Run(RunUntil::Quiet) => vec!["run".to_owned()],
        CommandKind::Run(RunUntil::For(time)) => vec![format!("run {}", flat(time))],
        CommandKind::Run(RunUntil::Holds(claim)) => prefixed("run until", parts(claim)),
        CommandKind::Refuse(inner) => prefixed("refuse", command(inner)),
        CommandKind::Expect(claim) => prefixed("expect", parts(claim)),
    }
}

fn transfer(it: &Transfer) -> String {
    let from = it.from.as_ref().map_or(String::new(), |from| format!(" from {}", flat(from)));
    format!("{}{from} to {}", dotted(&it.message), flat(&it.to))
}

fn pin_text(it: &Pin) -> String {
    let Some(choices) = &it.choices else { return format!("as {}", dotted(&it.handler)) };
    let choices = choices.iter().map(|choice| format!("{}: {}", dotted(&choice.name), flat(&choice.value)));
    format!("as {}({})", dotted(&it.handler), choices.collect::<Vec<_>>().join(", "))
}
