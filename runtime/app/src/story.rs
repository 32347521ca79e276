//! A narrated path as text and as JSON: node, handler, spec line, choices, state differences, step by step.

use std::io::{self, Write};

use foresee_kernel::trace::{Action, Called, Choice, Connection, Ending};
use foresee_world::narrate::{Change, Handled, Narration, Told};
use serde_json::{Value, json};

/// Writes `narration` for people.
pub fn write(out: &mut dyn Write, narration: &Narration) -> io::Result<()> {
    for (index, told) in narration.steps.iter().enumerate() {
        write_step(out, index + 1, told)?;
    }
    Ok(())
}

/// Writes one step for people.
pub fn write_step(out: &mut dyn Write, number: usize, told: &Told) -> io::Result<()> {
    writeln!(out, "{number:>4}. {}", headline(told))?;
    for handled in &told.ran {
        match handled {
            Handled::Handler { service, name, file, line } => {
                writeln!(out, "        {service}.{name}  {file}:{line}")?
            }
            Handled::Consumed { service, meant: true } => writeln!(out, "        {service} ignores it")?,
            Handled::Consumed { service, meant: false } => {
                writeln!(out, "        {service} has no handler for it: consumed")?;
            }
        }
    }
    for Choice { site, option, picked, of } in &told.choices {
        let whose = if told.drawn.contains(&site.as_str()) { "chance" } else { "choice" };
        writeln!(out, "        {whose} {site}: {option} ({} of {of})", picked + 1)?;
    }
    for Change { node, path, variable, before, after, .. } in &told.changes {
        writeln!(out, "        {node}.{path}{variable}: {before} -> {after}")?;
    }
    for sent in &told.sent {
        writeln!(out, "        sends {} to {}", sent.message, sent.to)?;
    }
    if let Some(fault) = &told.fault {
        writeln!(out, "        fault: {fault}")?;
    }
    Ok(())
}

/// What happened in a step, on one line.
pub fn headline(told: &Told) -> String {
    match &told.action {
        None => format!("{} starts", told.node.as_deref().unwrap_or("a node")),
        Some(Action::Start { node }) => format!("{node} starts"),
        Some(Action::Deliver(transfer)) => {
            format!("{}: {} arrives from {}", transfer.to, transfer.message, transfer.from)
        }
        Some(Action::Drop(transfer)) => {
            format!("network: {} from {} to {} is lost", transfer.message, transfer.from, transfer.to)
        }
        Some(Action::Duplicate(transfer)) => {
            format!("network: {} from {} to {} is doubled", transfer.message, transfer.from, transfer.to)
        }
        Some(Action::Fire { node, timer, .. }) => format!("{node}: timer {timer} fires"),
        Some(Action::Miss(transfer)) => {
            format!("{} is down: {} from {} is lost", transfer.to, transfer.message, transfer.from)
        }
        Some(Action::Broken(Connection { node, peer, .. })) => {
            format!("{node}: its connection to {peer} is broken")
        }
        Some(Action::Lapse(Connection { node, peer, .. })) => {
            format!("network: what {peer} sent to {node} before its reset is lost")
        }
        Some(Action::Call(Called { node, call, .. })) => format!("{node}.{call}"),
        Some(Action::Crash { nodes, .. }) => format!("crash {}", nodes.join(", ")),
        Some(Action::Restart { node }) => format!("restart {node}"),
        Some(Action::Reset { node, .. }) => format!("reset {node}, silently"),
        Some(Action::Cut { connection: Connection { node, peer, .. }, .. }) => {
            format!("cut the connection of {node} and {peer}")
        }
        Some(Action::Partition { side, .. }) => format!("partition {} from the others", side.join(", ")),
        Some(Action::Heal { side }) => format!("heal {}", side.join(", ")),
    }
}

/// Why a property is false, for people: the parts of it that matter, a line each.
pub fn write_why(out: &mut dyn Write, reasons: &[(&'static str, String)]) -> io::Result<()> {
    reasons.iter().try_for_each(|(text, value)| writeln!(out, "        {text} is {value}"))
}

/// The same for programs.
pub fn json_why(reasons: &[(&'static str, String)]) -> Value {
    reasons.iter().map(|(text, value)| json!({ "part": text, "value": value })).collect()
}

/// How a path ends, for people.
pub fn ending(ending: &Ending) -> String {
    match ending {
        Ending::Violation { property } => format!("`{property}` is violated in the last state"),
        Ending::Witness { property } => format!("`{property}` holds in the last state"),
        Ending::Fault { message } => format!("`no_fault` is violated by the last step: {message}"),
        Ending::Cycle { property, after } => {
            format!("`{property}` is refuted: so it goes on for ever, from after step {after}")
        }
        Ending::Run => "end of the run".to_owned(),
    }
}

/// `narration` for programs.
pub fn json(narration: &Narration) -> Value {
    steps_json(&narration.steps)
}

/// Steps for programs.
pub fn steps_json(steps: &[Told]) -> Value {
    Value::Array(steps.iter().map(step_json).collect())
}

fn step_json(told: &Told) -> Value {
    let handlers = told.ran.iter().map(|handled| match handled {
        Handled::Handler { service, name, file, line } => {
            json!({ "service": service, "handler": name, "file": file, "line": line })
        }
        Handled::Consumed { service, meant } => {
            json!({ "service": service, "handler": null, "ignored": meant })
        }
    });
    let changes = told.changes.iter().map(|change| {
        let Change { node, service, path, variable, before, after } = change;
        json!({ "node": node, "service": service, "path": path, "variable": variable, "before": before, "after": after })
    });
    json!({
        "node": told.node,
        "action": told.action,
        "handlers": handlers.collect::<Vec<_>>(),
        "choices": told.choices,
        "changes": changes.collect::<Vec<_>>(),
        "sent": told.sent,
        "fault": told.fault.as_ref().map(ToString::to_string),
        "state": format!("{:016x}", told.digest),
    })
}
