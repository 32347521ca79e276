//! The tables of a service for `info`: what each handler does, and what the compiler found out, as text and as JSON.

use std::io::{self, Write};

use foresee_kernel::{Deeds, HandlerInfo, OrderInfo, SendInfo, ServiceInfo};
use serde_json::{Value, json};

/// A handler with what it does.
pub fn handler_json(handler: &HandlerInfo) -> Value {
    let deeds = handler.deeds;
    let sends = deeds.sends.iter().map(|it| {
        json!({ "message": it.message, "carrier": it.carrier, "to": it.to, "receiver": it.receiver.word(), "always": it.always,
                "line": it.line })
    });
    json!({
        "name": handler.name,
        "event": handler.event,
        "line": handler.line,
        "states": deeds.states,
        "guard_reads": deeds.guard_reads,
        "reads": deeds.reads,
        "writes": deeds.writes,
        "enters": deeds.enters,
        "sends": sends.collect::<Vec<_>>(),
        "sets": deeds.sets,
        "cancels": deeds.cancels,
        "emits": deeds.emits,
        "calls": deeds.calls,
        "asks": deeds.asks,
        "answers": deeds.answers,
        "choices": deeds.choices,
        "chances": deeds.chances,
    })
}

/// What was found out about a service as a whole.
pub fn service_json(service: &ServiceInfo) -> Value {
    let tables = service.tables;
    let ids = tables.ids.iter().map(|it| json!({ "of": it.of, "path": it.path, "known": it.known }));
    let unhandled = tables.unhandled.iter().map(|it| json!({ "message": it.message, "states": it.states }));
    let overlaps = tables
        .overlaps
        .iter()
        .map(|it| json!({ "event": it.event, "states": it.states, "handlers": it.handlers }));
    json!({
        "ids": ids.collect::<Vec<_>>(),
        "order_of_ids": order_json(tables.order_of_ids),
        "grows": tables.grows,
        "unhandled": unhandled.collect::<Vec<_>>(),
        "unsent": tables.unsent,
        "unwanted": tables.unwanted,
        "overlaps": overlaps.collect::<Vec<_>>(),
    })
}

/// Places where the order of ids matters.
pub fn order_json(places: &[OrderInfo]) -> Vec<Value> {
    places.iter().map(|it| json!({ "place": it.place, "line": it.line, "what": it.what })).collect()
}

/// The lines below a handler.
pub fn handler_text(deeds: &Deeds, out: &mut dyn Write) -> io::Result<()> {
    let mut line = |what: &str, names: &[&str]| match names {
        [] => Ok(()),
        names => writeln!(out, "    {what:<10} {}", names.join(", ")),
    };
    line("in", deeds.states)?;
    line("tests", deeds.guard_reads)?;
    line("reads", deeds.reads)?;
    line("writes", deeds.writes)?;
    line("enters", deeds.enters)?;
    let sends: Vec<String> = deeds.sends.iter().map(sent).collect();
    line("sends", &sends.iter().map(String::as_str).collect::<Vec<_>>())?;
    line("sets", deeds.sets)?;
    line("cancels", deeds.cancels)?;
    line("emits", deeds.emits)?;
    line("calls", deeds.calls)?;
    line("asks", deeds.asks)?;
    if deeds.answers {
        line("answers", &["a request"])?;
    }
    line("chooses", deeds.choices)?;
    line("draws", deeds.chances)
}

/// `Accepted to src (sender) over net, perhaps`
fn sent(it: &SendInfo) -> String {
    let SendInfo { message, to, carrier, .. } = it;
    let perhaps = if it.always { "" } else { ", perhaps" };
    format!("{message} to `{to}` ({}) over {carrier}{perhaps}", it.receiver.word())
}

/// The lines below a service.
pub fn service_text(service: &ServiceInfo, out: &mut dyn Write) -> io::Result<()> {
    let tables = service.tables;
    let states = |states: &[&str]| match states {
        [] => String::new(),
        states => format!(" in {}", states.join(" | ")),
    };
    for it in tables.ids {
        writeln!(out, "  ids        {}{}{}", it.of, it.path, if it.known { "" } else { " (perhaps)" })?;
    }
    order_text(tables.order_of_ids, out)?;
    for it in tables.grows {
        writeln!(out, "  grows      {it}")?;
    }
    for it in tables.unhandled {
        writeln!(out, "  unhandled  {}{}", it.message, states(it.states))?;
    }
    for it in tables.unsent {
        writeln!(out, "  unsent     {it}")?;
    }
    for it in tables.unwanted {
        writeln!(out, "  unwanted   {it}")?;
    }
    for it in tables.overlaps {
        writeln!(out, "  overlap    {}{}: {}", it.event, states(it.states), it.handlers.join(", "))?;
    }
    Ok(())
}

/// Places where the order of ids matters.
pub fn order_text(places: &[OrderInfo], out: &mut dyn Write) -> io::Result<()> {
    for it in places {
        writeln!(out, "  id order   {} (line {}): {}", it.place, it.line, it.what)?;
    }
    Ok(())
}
