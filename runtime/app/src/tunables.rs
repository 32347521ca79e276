//! The choices of durations in a model for `info`: which of them the resolver `measured` solves, by what, and what it measures for it.

use std::io::{self, Write};

use foresee_kernel::Model;
use foresee_measure::{Beats, Ends, Form, Resends, Tunable, tunables};
use serde_json::{Value, json};

/// What is measured whatever the form.
const MEASURED: [&str; 2] = ["loss", "round trip"];

/// A line for each, and more for those that have a form.
pub fn text(model: &Model, out: &mut dyn Write) -> io::Result<()> {
    for Tunable { service, choice, timer, form } in tunables(model) {
        write!(out, "  tunes      {choice} of {service}, timer {timer}: ")?;
        let form = match form {
            Err(why) => {
                writeln!(out, "looked ahead for ({why})")?;
                continue;
            }
            Ok(form) => form,
        };
        match &form {
            Form::Beats(Beats { messages, price, demands }) => {
                writeln!(
                    out,
                    "period of heartbeats, {}; solved from what is measured",
                    at(messages, *price)
                )?;
                for it in demands {
                    let also = match it.acknowledgements.as_slice() {
                        [] => String::new(),
                        kinds => format!(", then {}", at(kinds, it.acknowledgement)),
                    };
                    let answers = at(&it.answers, it.answer);
                    writeln!(
                        out,
                        "    waits      {} at {} a second, for {answers}{also}",
                        it.objective, it.wait
                    )?;
                }
            }
            Form::Resends(it) => {
                let Resends { messages, price, acknowledgements, acknowledgement, waits, .. } = it;
                let (sent, until) = (at(messages, *price), at(acknowledgements, *acknowledgement));
                writeln!(
                    out,
                    "period of retransmission, {sent} until {until}; solved from what is measured"
                )?;
                for it in waits {
                    let until = match it.ends {
                        Ends::Arrival => format!("{} has arrived", messages.join(", ")),
                        Ends::Acknowledgement => format!("{} has come back", acknowledgements.join(", ")),
                    };
                    writeln!(out, "    waits      {} at {} a second, until {until}", it.objective, it.wait)?;
                }
            }
        }
        writeln!(out, "    measures   {}", measures(model, &form).join(", "))?;
    }
    Ok(())
}

fn at(messages: &[&str], price: f64) -> String {
    format!("{} at {price}", messages.join(", "))
}

/// The same as JSON.
pub fn json(model: &Model) -> Vec<Value> {
    let told = |it: Tunable| {
        let Tunable { service, choice, timer, form } = it;
        let mut value = json!({ "service": service, "choice": choice, "timer": timer });
        let form = match form {
            Err(why) => {
                value["form"] = json!("open");
                value["why"] = json!(why);
                return value;
            }
            Ok(form) => form,
        };
        match &form {
            Form::Beats(beats) => {
                let demands = beats.demands.iter().map(|demand| {
                    json!({ "objective": demand.objective, "wait": demand.wait, "answers": demand.answers, "answer": demand.answer,
                            "acknowledgements": demand.acknowledgements, "acknowledgement": demand.acknowledgement })
                });
                value["form"] = json!("heartbeats");
                value["messages"] = json!(beats.messages);
                value["price"] = json!(beats.price);
                value["demands"] = demands.collect();
            }
            Form::Resends(it) => {
                let waits = it.waits.iter().map(|waiting| {
                    let until = match waiting.ends {
                        Ends::Arrival => "arrival",
                        Ends::Acknowledgement => "acknowledgement",
                    };
                    json!({ "objective": waiting.objective, "wait": waiting.wait, "until": until })
                });
                value["form"] = json!("retransmission");
                value["messages"] = json!(it.messages);
                value["price"] = json!(it.price);
                value["acknowledgements"] = json!(it.acknowledgements);
                value["acknowledgement"] = json!(it.acknowledgement);
                value["waits"] = waits.collect();
            }
        }
        value["measures"] = json!(measures(model, &form));
        value
    };
    tunables(model).into_iter().map(told).collect()
}

/// What must be measured: how often calls come only where they share what is paid for.
fn measures(model: &Model, form: &Form) -> Vec<String> {
    let mut found: Vec<String> = MEASURED.map(str::to_owned).into();
    let Form::Beats(beats) = form else { return found };
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
