//! A trace in the Informal Trace Format of Apalache: a state of the system for each step, variable by variable.
//!
//! A variable of a service is a map from the nodes that run it to its values. `network` is what is in flight, `down` who is down, `action`
//! what led to the state. Numbers are `#bigint`s, as the format wants them; enums are records with a `tag`.

use std::collections::BTreeMap;

use foresee_kernel::names;
use foresee_world::{Direct, Program, World};
use serde_json::{Map, Value, json};

use super::debug::{Printed, read};
use super::{Drawn, words};

/// The trace. `worlds` are those along the path: after the starts, and after each move.
pub fn write(drawn: &Drawn<'_>, worlds: &[World<Direct>]) -> String {
    let program = Direct::new(drawn.model.clone());
    let steps = &drawn.narration.steps;
    // Starts that branch are told, and lead to the first world all together.
    let starts = steps.len() + 1 - worlds.len().min(steps.len() + 1);
    let mut variables: Vec<String> = vec!["action".into(), "down".into(), "network".into()];
    let states = names::scope(&drawn.model.names, || {
        let state = |(index, world): (usize, &World<Direct>)| {
            let action = match index.checked_sub(1) {
                None => "start".to_owned(),
                Some(step) => {
                    let told = &steps[starts + step];
                    let node = told.node.as_deref().map(|node| format!("{node}: ")).unwrap_or_default();
                    format!("{node}{}", words(told))
                }
            };
            state(&program, world, index, action)
        };
        worlds.iter().enumerate().map(state).collect::<Vec<Map<String, Value>>>()
    });
    if let Some(first) = states.first() {
        variables = first.keys().filter(|key| *key != "#meta").cloned().collect();
    }
    let value = json!({
        "#meta": {
            "format": "ITF",
            "format-description": "https://apalache-mc.org/docs/adr/015adr-trace.html",
            "description": format!("{} {}: {}", drawn.model.spec.name, drawn.model.system, crate::story::ending(drawn.ending)),
        },
        "vars": variables,
        "states": states,
    });
    format!("{value:#}\n")
}

fn state(program: &Direct, world: &World<Direct>, index: usize, action: String) -> Map<String, Value> {
    let mut variables: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for (node, stack) in world.nodes.iter().zip(&program.model().nodes) {
        for (layer, state) in stack.layers().iter().zip(&node.layers) {
            let service = layer.service();
            for (variable, value) in service.fields(state) {
                let name = format!("{}.{variable}", service.info().name);
                variables.entry(name).or_default().push(json!([node.id.to_string(), itf(&read(&value))]));
            }
        }
    }
    let in_flight = world.carriers.iter().flatten();
    let in_flight = in_flight.map(|envelope| {
        let (from, to) = (envelope.route.src.to_string(), envelope.route.dst.to_string());
        json!({ "from": from, "to": to, "message": itf(&read(&format!("{:?}", envelope.message))) })
    });
    let down: Vec<Value> = world.ambient.down.keys().map(|node| json!(node.to_string())).collect();
    let mut state = Map::new();
    state.insert("#meta".into(), json!({ "index": index }));
    state.insert("action".into(), action.into());
    state.insert("down".into(), json!({ "#set": down }));
    state.insert("network".into(), in_flight.collect());
    state.extend(variables.into_iter().map(|(name, pairs)| (name, json!({ "#map": pairs }))));
    state
}

fn itf(value: &Printed) -> Value {
    let all = |parts: &[Printed]| parts.iter().map(itf).collect::<Vec<Value>>();
    match value {
        Printed::Number(number) => json!({ "#bigint": number.to_string() }),
        Printed::Bool(truth) => json!(truth),
        Printed::Text(text) => json!(text),
        Printed::List(parts) => all(parts).into(),
        Printed::Set(parts) => json!({ "#set": all(parts) }),
        Printed::Tuple(parts) => json!({ "#tup": all(parts) }),
        Printed::Map(pairs) => {
            let pairs = pairs.iter().map(|(key, value)| json!([itf(key), itf(value)]));
            json!({ "#map": pairs.collect::<Vec<Value>>() })
        }
        Printed::Record(name, fields) => {
            let fields = fields.iter().map(|(field, value)| (field.clone(), itf(value)));
            let fields: Map<String, Value> = fields.collect();
            json!({ "tag": name, "value": fields })
        }
        Printed::Variant(name, parts) => json!({ "tag": name, "value": { "#tup": all(parts) } }),
    }
}
