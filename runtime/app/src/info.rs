//! `info`: what a spec declares, as the runtime sees it.

use std::io::Write;

use foresee_kernel::{Group, ServiceInfo, SpecInfo};
use serde_json::{Value, json};

use crate::args::{Format, InfoArgs};
use crate::exit::{Exit, Failure};
use crate::observed::Observed;
use crate::{claims, model, tables, tunables};

/// Runs the command.
pub fn run(spec: &'static SpecInfo, args: &InfoArgs, out: &mut dyn Write) -> Result<Exit, Failure> {
    match args.format {
        Format::Json => writeln!(out, "{}", json(spec, args)?)?,
        Format::Text => text(spec, args, out)?,
    }
    Ok(Exit::Held)
}

fn json(spec: &'static SpecInfo, args: &InfoArgs) -> Result<Value, Failure> {
    let model = match spec.systems {
        [] => Value::Null,
        _ => {
            let model = model::build(spec, &args.system)?;
            let properties = model.properties.iter().map(|property| {
                json!({ "name": property.name, "kind": property.kind.keyword(), "line": property.line })
            });
            let unjudged: Vec<_> =
                claims::liveness(&model).into_iter().chain(claims::statistical(&model)).collect();
            let faults =
                model.faults.iter().map(|it| json!({ "fault": it.text, "line": it.line, "most": it.most }));
            let calls =
                model.calls.iter().map(|it| json!({ "call": it.text, "line": it.line, "most": it.most }));
            let objectives = model.objectives.iter().map(|objective| {
                let terms: Vec<String> = objective.terms.iter().map(|term| format!("{term:?}")).collect();
                json!({ "name": objective.name, "line": objective.line, "weight": objective.weight, "terms": terms })
            });
            let carriers = model.carriers.iter().zip(foresee_world::disciplines(&model)).map(|(carrier, discipline)| {
                let checked_as = format!("{discipline:?}").to_lowercase();
                json!({ "name": carrier.name, "kind": format!("{:?}", carrier.kind), "checked_as": checked_as })
            });
            json!({
                "system": model.system,
                "nodes": model.names.to_vec(),
                "generic": model.groups.iter().filter(|it| it.is_generic()).map(Group::name).collect::<Vec<_>>(),
                "carriers": carriers.collect::<Vec<_>>(),
                "properties": properties.collect::<Vec<_>>(),
                "not_checked": claims::json(&unjudged),
                "faults": faults.collect::<Vec<_>>(),
                "calls": calls.collect::<Vec<_>>(),
                "objectives": objectives.collect::<Vec<_>>(),
                "tunables": tunables::json(&model),
                "observed": args.observe.then(|| Observed::of(&model)).transpose()?.map(|it| it.json()),
            })
        }
    };
    let systems = spec.systems.iter().map(|system| {
        let parameters = system.parameters.iter().map(
            |parameter| json!({ "name": parameter.name, "type": parameter.ty, "default": parameter.default }),
        );
        json!({ "name": system.name, "line": system.line, "parameters": parameters.collect::<Vec<_>>(),
                "order_of_ids": tables::order_json(system.order_of_ids) })
    });
    Ok(json!({
        "spec": spec.name,
        "file": spec.file,
        "hash": format!("{:016x}", spec.hash),
        "services": spec.services.iter().map(|service| service_json(service)).collect::<Vec<_>>(),
        "systems": systems.collect::<Vec<_>>(),
        "model": model,
    }))
}

fn service_json(service: &ServiceInfo) -> Value {
    let variables = service.variables.iter().map(|variable| {
        json!({ "name": variable.name, "type": variable.ty, "line": variable.line, "durable": variable.durable,
                "ghost": variable.ghost, "export": variable.export, "secret": variable.secret })
    });
    let handlers = service.handlers.iter().map(tables::handler_json);
    json!({
        "name": service.name,
        "line": service.line,
        "states": service.states,
        "variables": variables.collect::<Vec<_>>(),
        "messages": service.messages.iter().map(|message| message.name).collect::<Vec<_>>(),
        "carriers": service.carriers.iter().map(|carrier| carrier.name).collect::<Vec<_>>(),
        "handlers": handlers.collect::<Vec<_>>(),
        "choices": service.sites.iter().map(|site| json!({ "name": site.name, "line": site.line })).collect::<Vec<_>>(),
        "tables": tables::service_json(service),
    })
}

fn text(spec: &'static SpecInfo, args: &InfoArgs, out: &mut dyn Write) -> Result<(), Failure> {
    writeln!(out, "{} ({}, hash {:016x})", spec.name, spec.file, spec.hash)?;
    for service in spec.services {
        writeln!(out, "\nservice {} (line {})", service.name, service.line)?;
        if !service.states.is_empty() {
            writeln!(out, "  states     {}", service.states.join(", "))?;
        }
        for variable in service.variables {
            let words = [
                (variable.durable, "durable "),
                (variable.export, "export "),
                (variable.secret, "secret "),
                (variable.ghost, "ghost "),
            ];
            let words: String = words.iter().filter(|(said, _)| *said).map(|(_, word)| *word).collect();
            writeln!(out, "  variable   {words}{}: {}", variable.name, variable.ty)?;
        }
        for carrier in service.carriers {
            writeln!(out, "  carrier    {}: {:?}", carrier.name, carrier.kind)?;
        }
        for handler in service.handlers {
            writeln!(out, "  handler    {:<24} {:<28} line {}", handler.name, handler.event, handler.line)?;
            tables::handler_text(handler.deeds, out)?;
        }
        tables::service_text(service, out)?;
    }
    for system in spec.systems {
        writeln!(out, "\nsystem {} (line {})", system.name, system.line)?;
        for parameter in system.parameters {
            let default =
                parameter.default.map_or("must be given".to_owned(), |text| format!("default {text}"));
            writeln!(out, "  parameter  {}: {} ({default})", parameter.name, parameter.ty)?;
        }
        tables::order_text(system.order_of_ids, out)?;
    }
    if !spec.systems.is_empty() {
        let model = model::build(spec, &args.system)?;
        writeln!(out, "\nsystem {} as it would run", model.system)?;
        for group in &model.groups {
            let generic = if group.is_generic() { ", generic: not yet run (E0910)" } else { "" };
            writeln!(out, "  nodes      {} ({}{generic})", group.name(), group.len())?;
        }
        for (carrier, discipline) in model.carriers.iter().zip(foresee_world::disciplines(&model)) {
            writeln!(out, "  network    {}: {:?}, checked as a {discipline:?}", carrier.name, carrier.kind)?;
        }
        if args.observe {
            Observed::of(&model)?.text(out)?;
        }
        for property in &model.properties {
            writeln!(out, "  {:<10} {} (line {})", property.kind.keyword(), property.name, property.line)?;
        }
        for claim in claims::liveness(&model).into_iter().chain(claims::statistical(&model)) {
            writeln!(out, "  {:<10} {} (not checked: {})", claim.kind, claim.name, claim.code)?;
        }
        for fault in &model.faults {
            writeln!(out, "  fault      {} (line {})", fault.text, fault.line)?;
        }
        for call in &model.calls {
            writeln!(out, "  call       {} (line {})", call.text, call.line)?;
        }
        for objective in &model.objectives {
            let sense = format!("{:?}", objective.sense).to_lowercase();
            writeln!(
                out,
                "  {sense:<10} {} (line {}, weight {})",
                objective.name, objective.line, objective.weight
            )?;
        }
        tunables::text(&model, out)?;
    }
    Ok(())
}
