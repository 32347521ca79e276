//! The sections of a page that list declarations.

use super::Spec;
use super::facts::{Facts, handler_name};
use super::html::{code, dedent, escape, inline, markdown};
use crate::ast::{Call, Direction, Goal, Item, Messages, Param, Property, Routine, Service, Stack, System};
use crate::names::CarrierKind;
use crate::overlap::message_of;
use crate::source::Span;

/// The calls of the interfaces that the service provides.
pub fn interfaces(spec: Spec<'_>, service: &Service) -> String {
    let mut html = String::new();
    for provides in service.provides() {
        let Some(interface) = spec.ast.interfaces().find(|it| it.name.name == provides.interface.last().name)
        else {
            continue;
        };
        html.push_str(&format!("<h3>{}</h3>\n", escape(&interface.name.name)));
        html.push_str(&interface.doc.as_deref().map(markdown).unwrap_or_default());
        let rows: String = interface.calls.iter().map(call).collect();
        html.push_str(&format!("<table>{rows}</table>\n"));
    }
    html
}

fn call(call: &Call) -> String {
    let (class, arrow) = match call.direction {
        Direction::Down => ("downcall", "downcall"),
        Direction::Up => ("upcall", "upcall"),
    };
    let result = call.result.as_ref();
    let kind = match (call.direction, result) {
        (Direction::Up, _) => "tells the layer above",
        (Direction::Down, None) => "command",
        (Direction::Down, Some(ty)) if ty.text.starts_with("Reply") => "request, answered later",
        (Direction::Down, Some(_)) => "query, answered at once",
    };
    let result = result.map(|ty| format!(" -> {}", ty.text)).unwrap_or_default();
    let signature = format!("{}({}){result}", call.name.name, params(&call.params));
    row(
        &format!("<span class=\"tag {class}\">{arrow}</span>"),
        &[format!("<code>{}</code>", code(&signature)), kind.to_owned(), doc(&call.doc)],
    )
}

/// Parameters and constants.
pub fn parameters(service: &Service) -> String {
    let mut rows = String::new();
    for parameter in service.parameters() {
        let default = match &parameter.default {
            Some(default) => format!("<code>{}</code>", code(&default.text)),
            None => "<span class=\"quiet\">must be given</span>".to_owned(),
        };
        let cells = [format!("<code>{}</code>", code(&parameter.ty.text)), default, doc(&parameter.doc)];
        rows.push_str(&row(&named(&parameter.name.name), &cells));
    }
    for constant in service.consts() {
        let value = format!("<code>{}</code> <span class=\"tag\">const</span>", code(&constant.value.text));
        let cells = [format!("<code>{}</code>", code(&constant.ty.text)), value, doc(&constant.doc)];
        rows.push_str(&row(&named(&constant.name.name), &cells));
    }
    table(&["name", "type", "value", ""], &rows)
}

/// Variables with their modifiers.
pub fn variables(service: &Service) -> String {
    let mut rows = String::new();
    for variable in service.variables() {
        let initial = variable.initial.as_ref().map(|value| format!("<code>{}</code>", code(&value.text)));
        let modifiers: String = variable
            .modifiers
            .iter()
            .map(|modifier| format!(" <span class=\"tag {0}\">{0}</span>", modifier.kind.word()))
            .collect();
        rows.push_str(&row(
            &format!("{}{modifiers}", named(&variable.name.name)),
            &[
                format!("<code>{}</code>", code(&variable.ty.text)),
                initial.unwrap_or_default(),
                doc(&variable.doc),
            ],
        ));
    }
    table(&["name", "type", "initially", ""], &rows)
}

/// Messages: those of the service, and those of the file that it sends or handles.
pub fn messages(spec: Spec<'_>, service: &Service, facts: &Facts<'_>) -> String {
    let shared = spec.ast.items.iter().filter_map(|item| match item {
        Item::Messages(section) => Some((section, true)),
        _ => None,
    });
    // Where nothing else is said messages go over the network.
    let network = service.uses().find(|uses| CarrierKind::of(&uses.interface.last().name).is_some());
    let carrier = network.or(service.uses().next()).map(|uses| uses.name.name.as_str());
    let mut rows = String::new();
    for (section, of_file) in service.messages().map(|section| (section, false)).chain(shared) {
        rows.push_str(&of_section(section, of_file, carrier, facts));
    }
    table(&["message", "over", "sent by", "handled by", ""], &rows)
}

fn of_section(section: &Messages, of_file: bool, carrier: Option<&str>, facts: &Facts<'_>) -> String {
    let mut rows = String::new();
    for message in &section.messages {
        let name = &message.name.name;
        let senders = links(facts, |entry| entry.deeds.sends.contains(name));
        let takers = links(facts, |entry| message_of(&entry.placed.handler.event) == Some(name));
        let ignored = facts.ignored.iter().any(|(ignore, _)| message_of(&ignore.event) == Some(name));
        if of_file && senders.is_empty() && takers.is_empty() {
            continue;
        }
        let over = section.over.as_ref().map(|over| over.name.as_str()).or(carrier).unwrap_or("");
        let fields = if message.fields.is_empty() {
            String::new()
        } else {
            format!(" {{ {} }}", params(&message.fields))
        };
        let ignored = if ignored { " <span class=\"tag\">ignored elsewhere</span>" } else { "" };
        let shared = if of_file { " <span class=\"tag\">of the file</span>" } else { "" };
        rows.push_str(&row(
            &format!("<code id=\"message-{0}\"><b>{0}</b>{1}</code>{shared}", escape(name), code(&fields)),
            &[escape(over), senders, takers + ignored, doc(&message.doc)],
        ));
    }
    rows
}

/// Timers.
pub fn timers(service: &Service, facts: &Facts<'_>) -> String {
    let mut rows = String::new();
    for timer in service.timers() {
        let name = &timer.name.name;
        let params =
            if timer.params.is_empty() { String::new() } else { format!("({})", params(&timer.params)) };
        let armed = match &timer.every {
            Some(every) => format!("every <code>{}</code>", code(&every.text)),
            None => links(facts, |entry| entry.deeds.sets.contains(name)),
        };
        let fired = links(facts, |entry| {
            let event = &entry.placed.handler.event;
            entry.placed.handler.kind == crate::ast::HandlerKind::Scheduler
                && event.layer.is_none()
                && event.name == **name
        });
        rows.push_str(&row(
            &format!("<code><b>{}</b>{}</code>", escape(name), code(&params)),
            &[armed, links(facts, |entry| entry.deeds.cancels.contains(name)), fired, doc(&timer.doc)],
        ));
    }
    table(&["timer", "set by", "cancelled by", "handled by", ""], &rows)
}

/// Routines, each folded.
pub fn routines(service: &Service) -> String {
    let one = |routine: &Routine| {
        let text = format!("{} {}", routine.signature.text.trim_end(), dedent(&routine.body.text));
        format!(
            "<details class=\"routine\" id=\"routine-{}\"><summary><code>{}</code></summary><pre>{}</pre></details>\n",
            escape(&routine.name.name),
            code(routine.signature.text.trim_end()),
            code(&text)
        )
    };
    service.routines().map(one).collect()
}

/// Properties as cards.
pub fn properties<'a>(spec: Spec<'_>, properties: impl Iterator<Item = &'a Property>) -> String {
    let one = |property: &Property| {
        let kind = property.kind.word();
        format!(
            "<article class=\"card\"><h3><span class=\"tag {kind}\">{kind}</span> {}</h3>{}<pre>{}</pre></article>\n",
            escape(&property.name.name),
            property.doc.as_deref().map(markdown).unwrap_or_default(),
            slice(spec, property.expr.span)
        )
    };
    properties.map(one).collect()
}

/// Objectives as cards.
pub fn objectives(spec: Spec<'_>, service: &Service) -> String {
    let one = |objective: &crate::ast::Objective| {
        let goal = match objective.goal {
            Goal::Minimize => "minimize",
            Goal::Maximize => "maximize",
        };
        let whole = spec.places.file.slice(objective.span);
        let value =
            whole.split_once(':').map_or(whole, |(_, value)| value).trim().trim_end_matches(';').trim();
        format!(
            "<article class=\"card\"><h3><span class=\"tag {goal}\">{goal}</span> {}</h3>{}<pre>{}</pre></article>\n",
            escape(&objective.name.name),
            objective.doc.as_deref().map(markdown).unwrap_or_default(),
            code(&dedent(value))
        )
    };
    service.objectives().map(one).collect()
}

/// The systems in which the service runs, with their scenarios.
pub fn systems(spec: Spec<'_>, service: &Service) -> String {
    let mut html = String::new();
    for system in spec.ast.systems().filter(|system| runs(system, service, spec)) {
        html.push_str(&format!(
            "<article class=\"card\"><h3>{}</h3>{}<pre>{}</pre>\n",
            escape(&system.name.name),
            system.doc.as_deref().map(markdown).unwrap_or_default(),
            slice(spec, system.span)
        ));
        for scenario in spec.ast.scenarios().filter(|scenario| scenario.system.name == system.name.name) {
            html.push_str(&format!(
                "<details><summary>scenario <b>{}</b>{}</summary><pre>{}</pre></details>\n",
                escape(&scenario.name.name),
                scenario.doc.as_deref().map(|doc| format!(": {}", inline(doc))).unwrap_or_default(),
                slice(spec, scenario.span)
            ));
        }
        html.push_str("</article>\n");
    }
    html
}

/// Whether some node of the system runs the service, as its top layer or below.
fn runs(system: &System, service: &Service, spec: Spec<'_>) -> bool {
    let named = |stack: &Stack| mentions(spec.places.file.slice(stack.span), &service.name.name);
    let defaults = |stack: &Stack| {
        let top = spec
            .ast
            .services()
            .find(|top| stack.path.as_ident().is_some_and(|name| *name.name == top.name.name));
        top.is_some_and(|top| top.uses().filter_map(|uses| uses.default.as_ref()).any(named))
    };
    system.nodes().any(|group| named(&group.stack) || defaults(&group.stack))
}

/// Whether a text holds a name as a word.
fn mentions(text: &str, name: &str) -> bool {
    text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|word| word == name)
}

/// Links to the handlers that satisfy a condition.
fn links(facts: &Facts<'_>, wanted: impl Fn(&super::facts::Entry<'_>) -> bool) -> String {
    let found = facts.handlers.iter().filter(|entry| wanted(entry));
    let links = found.map(|entry| {
        let name = handler_name(entry.placed.handler);
        format!(
            "<a class=\"{}\" href=\"#{}\">{}</a>",
            super::states::class(entry),
            entry.anchor,
            escape(&name)
        )
    });
    links.collect::<Vec<_>>().join(", ")
}

fn params(params: &[Param]) -> String {
    params
        .iter()
        .map(|param| format!("{}: {}", param.name.name, param.ty.text))
        .collect::<Vec<_>>()
        .join(", ")
}

fn slice(spec: Spec<'_>, span: Span) -> String {
    code(&dedent(spec.places.file.slice(span)))
}

/// A name of the spec.
pub fn named(name: &str) -> String {
    format!("<code><b>{}</b></code>", escape(name))
}

/// What is said of something, within a line.
pub fn doc(doc: &Option<String>) -> String {
    doc.as_deref().map(inline).unwrap_or_default()
}

/// A row of a table.
pub fn row(head: &str, cells: &[String]) -> String {
    let cells: String = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
    format!("<tr><th>{head}</th>{cells}</tr>\n")
}

/// A table; nothing without rows.
pub fn table(heads: &[&str], rows: &str) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heads: String = heads.iter().map(|head| format!("<th>{head}</th>")).collect();
    format!(
        "<div class=\"scroll\"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>\n"
    )
}
