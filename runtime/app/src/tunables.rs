//! The choices of durations in a model for `info`: which of them the resolver `measured` solves, by what, and what it measures for it.

use std::io::{self, Write};

use foresee_kernel::Model;
use foresee_measure::{Beats, Form, Tunable, tunables};
use serde_json::{Value, json};

/// What is measured for heartbeats.
const MEASURED: [&str; 2] = ["loss", "round trip"];

/// A line for each, and more for those that have a form.
pub fn text(model: &Model, out: &mut dyn Write) -> io::Result<()> {
    for Tunable { service, choice, timer, form } in tunables(model) {
        write!(out, "  tunes      {choice} of {service}, timer {timer}: ")?;
        match form {
            Form::Open(why) => writeln!(out, "looked ahead for ({why})")?,
            Form::Beats(beats) => {
                let Beats { messages, price, demands } = &beats;
                writeln!(
                    out,
                    "period of heartbeats, {} at {price}; solved from what is measured",
                    messages.join(", ")
                )?;
                for demand in demands {
                    let also = match demand.acknowledgements.as_slice() {
                        [] => String::new(),
                        kinds => format!(", then {} at {}", kinds.join(", "), demand.acknowledgement),
                    };
                    writeln!(
                        out,
                        "    waits      {} at {} a second, for {} at {}{also}",
                        demand.objective,
                        demand.wait,
                        demand.answers.join(", "),
                        demand.answer
                    )?;
                }
                writeln!(out, "    measures   {}", measures(model, &beats).join(", "))?;
            }
        }
    }
    Ok(())
}

/// The same as JSON.
pub fn json(model: &Model) -> Vec<Value> {
    let told = |it: Tunable| {
        let Tunable { service, choice, timer, form } = it;
        let mut value = json!({ "service": service, "choice": choice, "timer": timer });
        match &form {
            Form::Open(why) => {
                value["form"] = json!("open");
                value["why"] = json!(why);
            }
            Form::Beats(beats) => {
                let demands = beats.demands.iter().map(|demand| {
                    json!({ "objective": demand.objective, "wait": demand.wait, "answers": demand.answers, "answer": demand.answer,
                            "acknowledgements": demand.acknowledgements, "acknowledgement": demand.acknowledgement })
                });
                value["form"] = json!("heartbeats");
                value["messages"] = json!(beats.messages);
                value["price"] = json!(beats.price);
                value["demands"] = demands.collect();
                value["measures"] = json!(measures(model, beats));
            }
        }
        value
    };
    tunables(model).into_iter().map(told).collect()
}

/// What must be measured.
fn measures(model: &Model, beats: &Beats) -> Vec<String> {
    let mut found: Vec<String> = MEASURED.map(str::to_owned).into();
    let services = model.nodes.iter().flat_map(|stack| stack.layers()).map(|layer| layer.service().info());
    let services: Vec<_> = services.collect();
    for demand in &beats.demands {
        let Some(service) = services.iter().find(|it| it.name == demand.service) else { continue };
        for handler in &demand.handlers {
            found.push(format!("rate of {}.{}", service.name, service.handlers[usize::from(*handler)].name));
        }
    }
    found
}
