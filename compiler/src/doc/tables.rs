//! The sections of a page that come from the analyses: what each handler reads, changes and sends, and what is known of the service.

use super::Spec;
use super::html::{code, escape};
use crate::ast::Service;
use crate::ir::{Deeds, Sending, Tables};

fn of<'a>(spec: Spec<'a>, service: &Service) -> Option<&'a Tables> {
    spec.tables.get(&service.name.name)
}

/// A row for each handler.
pub fn effects(spec: Spec<'_>, service: &Service) -> String {
    let rows: String = of(spec, service).into_iter().flat_map(|it| &it.deeds).map(row).collect();
    if rows.is_empty() {
        return rows;
    }
    format!(
        "<div class=\"scroll\"><table><thead><tr><th>handler</th><th>tests</th><th>reads</th><th>writes</th><th>sends</th></tr></thead>\
         <tbody>{rows}</tbody></table></div>\n"
    )
}

fn row(it: &Deeds) -> String {
    let sends: Vec<String> = it.sends.iter().map(sent).collect();
    format!(
        "<tr><th><code>{}</code></th><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
        escape(&it.handler),
        names(&it.guard_reads),
        names(&it.reads),
        names(&it.writes),
        sends.join("<br/>")
    )
}

fn sent(it: &Sending) -> String {
    let perhaps = if it.always { "" } else { ", perhaps" };
    format!(
        "<b>{}</b> to <code>{}</code> ({}) over {}{perhaps}",
        escape(&it.message),
        code(&it.to),
        it.receiver.to_lowercase(),
        escape(&it.over)
    )
}

fn names(names: &[String]) -> String {
    names.iter().map(|it| format!("<code>{}</code>", escape(it))).collect::<Vec<_>>().join(" ")
}

/// What is known of the service as a whole.
pub fn analyses(spec: Spec<'_>, service: &Service) -> String {
    let Some(tables) = of(spec, service) else { return String::new() };
    let place = |(message, states): &(String, Vec<String>)| format!("{message} in {}", states.join(" | "));
    let ids = tables
        .ids
        .iter()
        .map(|it| format!("{}{}{}", it.of, it.path, if it.known { "" } else { " (perhaps)" }));
    let ordered = tables.ordered.iter().map(|it| format!("{}, line {}: {}", it.place, it.line, it.what));
    let overlaps = tables.overlaps.iter().map(|it| {
        let states =
            if it.states.is_empty() { String::new() } else { format!(" in {}", it.states.join(" | ")) };
        format!("{}{states}: {}", it.event, it.handlers.join(", "))
    });
    let rows: [(&str, Vec<String>); 7] = [
        ("node ids stand in", ids.collect()),
        ("their order matters in", ordered.collect()),
        ("handlers that may meet", overlaps.collect()),
        ("neither handled nor ignored", tables.unhandled.iter().map(place).collect()),
        ("sent by nobody", tables.unsent.clone()),
        ("handled by nobody", tables.unwanted.clone()),
        ("only grows", tables.grows.clone()),
    ];
    let rows: String = rows
        .iter()
        .filter(|(_, found)| !found.is_empty())
        .map(|(what, found)| {
            let found: Vec<String> = found.iter().map(|it| escape(it)).collect();
            format!("<tr><th>{what}</th><td>{}</td></tr>\n", found.join("<br/>"))
        })
        .collect();
    if rows.is_empty() {
        rows
    } else {
        format!("<div class=\"scroll\"><table><tbody>{rows}</tbody></table></div>\n")
    }
}
