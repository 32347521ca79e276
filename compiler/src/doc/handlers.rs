//! The sections of a page about handlers: each with its head, what it does and its body; and what is left open to choose.

use super::Spec;
use super::facts::{Entry, Facts, Question, event_name, handler_name};
use super::html::{code, dedent, escape};
use super::states::class;
use crate::ast::{Guard, Handler};
use crate::overlap::{Key, overlap};

/// All handlers, those of one event together.
pub fn section(spec: Spec<'_>, facts: &Facts<'_>) -> String {
    let mut html = String::new();
    let mut done: Vec<Key<'_>> = vec![];
    for entry in &facts.handlers {
        let key = Key::of(entry.placed.handler);
        if done.contains(&key) {
            continue;
        }
        let group: Vec<&Entry<'_>> =
            facts.handlers.iter().filter(|other| Key::of(other.placed.handler) == key).collect();
        html.push_str(&event(spec, entry, &group));
        done.push(key);
    }
    for (ignore, states) in &facts.ignored {
        let states = states.as_ref().map(|states| format!(" in {}", states.join(" | "))).unwrap_or_default();
        html.push_str(&format!(
            "<p class=\"ignored\">ignored on purpose: <code>{}{}</code></p>\n",
            code(spec.places.file.slice(ignore.event.span)),
            escape(&states)
        ));
    }
    html
}

fn event(spec: Spec<'_>, first: &Entry<'_>, group: &[&Entry<'_>]) -> String {
    let name = event_name(&first.placed.handler.event);
    let mut html = format!("<article class=\"event {}\"><h3>{}</h3>\n", class(first), escape(&name));
    for entry in group {
        html.push_str(&one(spec, entry));
    }
    html.push_str("</article>\n");
    html
}

fn one(spec: Spec<'_>, entry: &Entry<'_>) -> String {
    let handler = entry.placed.handler;
    let text = spec.places.file.slice(handler.head_span()).trim_end();
    let head: Vec<&str> = text.split_whitespace().collect();
    let doc =
        handler.doc.as_deref().map(|doc| format!("<p>{}</p>", super::html::inline(doc))).unwrap_or_default();
    let states = entry
        .states
        .as_ref()
        .map(|states| format!("<span class=\"in\">in {}</span>", escape(&states.join(" | "))));
    let first =
        entry.placed.first.map(|_| "<span class=\"in\">first that applies</span>").unwrap_or_default();
    format!(
        "<details id=\"{}\"><summary><code>{}</code>{}{first}{}</summary>{doc}<pre>{}</pre></details>\n",
        entry.anchor,
        head_with_name(&head.join(" "), handler),
        // The states of groups around it do not stand in its own head.
        states.filter(|_| handler.states.is_none()).unwrap_or_default(),
        deeds(entry),
        code(&dedent(&handler.body.text))
    )
}

/// A head in colours, the handler's name in bold.
fn head_with_name(head: &str, handler: &Handler) -> String {
    let name = handler.name.as_ref().map(|name| format!("{}:", name.name));
    match name.as_deref().and_then(|name| Some((name, head.split_once(name)?))) {
        Some((name, (before, after))) => format!("{}<b>{}</b>{}", code(before), escape(name), code(after)),
        None => code(head),
    }
}

/// What a handler does, as marks behind its head.
fn deeds(entry: &Entry<'_>) -> String {
    let deeds = &entry.deeds;
    let mut marks: Vec<(&str, String)> = vec![];
    let mut all = |class: &'static str, verb: &str, names: &std::collections::BTreeSet<String>| {
        if !names.is_empty() {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            marks.push((class, format!("{verb} {}", names.join(", "))));
        }
    };
    all("goes", "&rarr;", &deeds.enters);
    all("deliver", "sends", &deeds.sends);
    all("scheduler", "sets", &deeds.sets);
    all("scheduler", "cancels", &deeds.cancels);
    all("upcall", "emits", &deeds.emits);
    all("downcall", "calls", &deeds.calls);
    if deeds.answers {
        marks.push(("downcall", "answers".to_owned()));
    }
    let marks: String =
        marks.iter().map(|(class, text)| format!("<span class=\"mark {class}\">{text}</span>")).collect();
    if marks.is_empty() { marks } else { format!("<span class=\"marks\">{marks}</span>") }
}

/// What is ours to decide: overlapping handlers, sets in heads, questions in bodies; and what is nature's.
pub fn choices(facts: &Facts<'_>) -> String {
    let mut rows = String::new();
    let mut done: Vec<Key<'_>> = vec![];
    for entry in &facts.handlers {
        let key = Key::of(entry.placed.handler);
        if done.contains(&key) {
            continue;
        }
        let group: Vec<&Entry<'_>> =
            facts.handlers.iter().filter(|other| Key::of(other.placed.handler) == key).collect();
        rows.push_str(&heads(entry, &group));
        done.push(key);
    }
    for entry in &facts.handlers {
        for question in &entry.deeds.questions {
            rows.push_str(&asked(entry, question));
        }
    }
    if rows.is_empty() {
        return rows;
    }
    format!(
        "<div class=\"scroll\"><table><thead><tr><th>where</th><th>options</th></tr></thead><tbody>{rows}</tbody></table></div>\n"
    )
}

/// The options of an event: one flat list of handlers and of what their heads choose.
fn heads(first: &Entry<'_>, group: &[&Entry<'_>]) -> String {
    let open = |entry: &&Entry<'_>| {
        let meets = group.iter().any(|other| {
            !std::ptr::eq(other.placed.handler, entry.placed.handler) && overlap(&other.placed, &entry.placed)
        });
        meets || !entry.placed.handler.chooses.is_empty()
    };
    let options: Vec<String> = group.iter().copied().filter(|entry| open(entry)).map(option).collect();
    if options.is_empty() {
        return String::new();
    }
    let name = event_name(&first.placed.handler.event);
    format!(
        "<tr><th><span class=\"{}\">{}</span></th><td class=\"options\">{}</td></tr>\n",
        class(first),
        escape(&name),
        options.join("")
    )
}

fn option(entry: &Entry<'_>) -> String {
    let handler: &Handler = entry.placed.handler;
    let sets: Vec<String> =
        handler.chooses.iter().map(|choose| format!("{} in {}", choose.name.name, choose.set.text)).collect();
    let sets = if sets.is_empty() { String::new() } else { format!("({})", sets.join(", ")) };
    let title = match &handler.guard {
        Some(Guard::When(guard)) => format!(" title=\"when {}\"", escape(&guard.text)),
        Some(Guard::Otherwise(_)) => " title=\"otherwise\"".to_owned(),
        None => String::new(),
    };
    format!(
        "<a class=\"option\" href=\"#{}\"{title}><b>{}</b>{}</a> ",
        entry.anchor,
        escape(&handler_name(handler)),
        code(&sets)
    )
}

fn asked(entry: &Entry<'_>, question: &Question) -> String {
    let name = handler_name(entry.placed.handler);
    let binding = question.binding.as_ref().map(|binding| format!(".{binding}")).unwrap_or_default();
    let who = if question.verb == "random" { " <span class=\"tag\">nature's</span>" } else { "" };
    format!(
        "<tr><th><a class=\"{}\" href=\"#{}\">{}</a></th><td><code>{}({})</code>{who}</td></tr>\n",
        class(entry),
        entry.anchor,
        escape(&format!("{name}{binding}")),
        escape(&question.verb),
        code(&question.set)
    )
}
