//! `replay` of a recording: what one live node did, walked through again, with every state compared. Claims that the node can decide
//! alone are checked after each step, whether or not it did so when it ran.

use std::collections::BTreeMap;
use std::io::Write;

use foresee_kernel::recording::{self, Contents, Entry, Happening, Head};
use foresee_kernel::trace::{Action, Called, Choice, Connection, Plan, Transfer};
use foresee_kernel::{
    Arguments, CarrierInfo, Datum, Effect, Event, LocalClaims, Model, Nature, NodeEvent, NodeId, NodeState,
    Outcome, Ran, SpecInfo, Stack, Tape, Violation, Wires, names,
};
use foresee_world::narrate::{self, Change, Handled, Told};
use serde_json::json;

use crate::args::Format;
use crate::exit::{Exit, Failure};
use crate::{model, story};

/// Walks through the recording in `text`, and shows every step. Messages of failures are about the file.
pub fn run(
    spec: &'static SpecInfo,
    text: &str,
    format: Format,
    out: &mut dyn Write,
) -> Result<Exit, Failure> {
    let read = recording::read(text).map_err(|error| Failure::usage(error.to_string()))?;
    let Contents { head, entries, .. } = read;
    let origin = &head.origin;
    fits(spec, &head).map_err(Failure::usage)?;
    let arguments: Arguments = origin.parameters.iter().cloned().collect();
    let model = model::with_arguments(model::system(spec, Some(&origin.system))?, &arguments)?;
    let me =
        model.node(&head.node).ok_or_else(|| Failure::usage(format!("there is no node `{}`", head.node)))?;
    let by_name = |name: &str| model.node(name);
    let mut walk = Walk::new(&model, me, &by_name);
    let mut claims = LocalClaims::new(model.clone(), me);
    let (mut told, mut violations) = (Vec::new(), Vec::new());
    for (index, entry) in entries.iter().enumerate() {
        let refuse = |what: String| Failure::usage(format!("line {}: {what}", index + 2));
        let step = names::scope(&model.names, || walk.step(entry)).map_err(refuse)?;
        let violated = names::scope(&model.names, || violated(&mut claims, &walk, entry));
        if head.checked && !violated.iter().map(|it| it.property).eq(entry.violated.iter()) {
            let found: Vec<&str> = violated.iter().map(|it| it.property).collect();
            let (found, recorded) = (found.join(", "), entry.violated.join(", "));
            return Err(refuse(format!("it violates [{found}], and [{recorded}] was recorded")));
        }
        if format == Format::Text {
            story::write_step(out, index + 1, &step)?;
            for Violation { property, why } in &violated {
                writeln!(out, "        violates `{property}`")?;
                story::write_why(out, why)?;
            }
        }
        violations.extend(violated.into_iter().map(|it| (index + 1, it)));
        told.push(step);
    }
    match format {
        Format::Text => {
            writeln!(out, "{} steps of {}, as they were recorded", told.len(), head.node)?;
            for (step, Violation { property, .. }) in &violations {
                writeln!(out, "`{property}` is violated by step {step}")?;
            }
        }
        Format::Json => {
            let violations = violations.iter().map(|(step, Violation { property, why })| {
                json!({ "step": step, "property": property, "why": story::json_why(why) })
            });
            let value = json!({
                "spec": origin.spec, "system": origin.system, "node": head.node, "steps": story::steps_json(&told),
                "violations": violations.collect::<Vec<_>>(),
            });
            writeln!(out, "{value}")?;
        }
    }
    let wrong = !violations.is_empty() || told.iter().any(|told| told.fault.is_some());
    Ok(if wrong { Exit::Violation } else { Exit::Held })
}

/// The claims that the step of `entry`, which `walk` has just taken, made false: those that the node can decide alone.
fn violated(claims: &mut LocalClaims, walk: &Walk<'_>, entry: &Entry) -> Vec<Violation> {
    match &walk.state {
        Some(state) => {
            if let Happening::Start { .. } = entry.happening {
                claims.begin();
            }
            claims.step(state)
        }
        None => Vec::new(),
    }
}

/// Whether a recording is of this spec.
///
/// # Errors
/// What it is of instead.
pub(crate) fn fits(spec: &SpecInfo, head: &Head) -> Result<(), String> {
    let origin = &head.origin;
    if origin.spec != spec.name || origin.spec_hash != format!("{:016x}", spec.hash) {
        return Err(format!(
            "it is a recording of `{}` {}, this is `{}` {:016x}",
            origin.spec, origin.spec_hash, spec.name, spec.hash
        ));
    }
    Ok(())
}

/// A step as it was recorded.
pub(crate) struct Taken {
    /// What happened to the node.
    pub event: NodeEvent,
    /// Its state before.
    pub before: NodeState,
    /// What it came to.
    pub outcome: Outcome,
}

/// One node that walks through what was recorded of it.
pub(crate) struct Walk<'a> {
    me: NodeId,
    name: String,
    stack: Stack,
    carriers: Vec<CarrierInfo>,
    wires: Wires,
    by_name: &'a dyn Fn(&str) -> Option<NodeId>,
    /// None before the first start, and after a fault.
    state: Option<NodeState>,
}

impl<'a> Walk<'a> {
    /// A node of `model` that has not started; `by_name` finds its peers.
    pub(crate) fn new(model: &Model, me: NodeId, by_name: &'a dyn Fn(&str) -> Option<NodeId>) -> Self {
        let (stack, carriers) = model.nodes[me.index()].clone().alone();
        let wires = Wires::of(&stack);
        Walk { me, name: model.name(me).to_owned(), stack, carriers, wires, by_name, state: None }
    }

    fn step(&mut self, entry: &Entry) -> Result<Told, String> {
        let taken = self.take(entry)?;
        Ok(self.tell(entry, &taken))
    }

    /// Takes a step as it was recorded.
    ///
    /// # Errors
    /// Why it is not what was recorded.
    pub(crate) fn take(&mut self, entry: &Entry) -> Result<Taken, String> {
        let event = self.event(entry)?;
        let before = self.state.take().ok_or("the node has not started")?;
        let mut tape = Tape::new(entry.choices.iter().map(|choice| choice.picked).collect()).with_labels();
        let mut outcome = self.stack.step(self.me, &before, &event, &mut tape);
        self.stack.forget_ghosts(self.me, &mut outcome.state);
        self.compare(entry, &outcome)?;
        if outcome.fault.is_none() {
            self.state = Some(outcome.state.clone());
        }
        Ok(Taken { event, before, outcome })
    }

    /// The place of a message's type and its wire form, as a recording writes them.
    pub(crate) fn wire(&self, message: &Datum) -> Option<(u16, String)> {
        self.wires.encode(message).map(|(place, bytes)| (place, recording::form(&bytes)))
    }

    /// The carriers of the node, by the numbers that its effects give them.
    pub(crate) fn carriers(&self) -> &[CarrierInfo] {
        &self.carriers
    }

    fn compare(&self, entry: &Entry, outcome: &Outcome) -> Result<(), String> {
        if choices(outcome) != entry.choices {
            return Err("the choices are not those that were recorded".to_owned());
        }
        let fault = outcome.fault.as_ref().map(ToString::to_string);
        if fault != entry.fault {
            return Err(format!("it ends as {fault:?}, and {:?} was recorded", entry.fault));
        }
        if fault.is_none() && format!("{:016x}", recording::digest(&outcome.state)) != entry.state {
            return Err("the state after it is not the one that was recorded".to_owned());
        }
        Ok(())
    }

    fn event(&mut self, entry: &Entry) -> Result<NodeEvent, String> {
        let bytes =
            |text: &str| recording::unhex(text).ok_or("a wire form is no hexadecimal text".to_owned());
        let node = |name: &str| (self.by_name)(name).ok_or_else(|| format!("there is no node `{name}`"));
        let carrier = |name: &str| {
            let place = self.carriers.iter().position(|it| it.name == name);
            place.map(|place| place as u8).ok_or_else(|| format!("there is no carrier `{name}`"))
        };
        Ok(match &entry.happening {
            Happening::Start { life, durable } => {
                self.state = Some(self.load(*life, &bytes(durable)?)?);
                NodeEvent::Start
            }
            Happening::Deliver { from, carrier: name, place, wire, .. } => {
                let message = self.wires.decode(*place, &bytes(wire)?).map_err(|error| error.to_string())?;
                let layer = self.stack.addressee(&message);
                NodeEvent::Layer(layer, Event::Deliver { src: node(from)?, carrier: carrier(name)?, message })
            }
            Happening::Broken { peer, carrier: name } => {
                NodeEvent::Broken { peer: node(peer)?, carrier: carrier(name)? }
            }
            Happening::Fire { layer, timer, wire } => {
                let form = bytes(wire)?;
                let armed = self.state.as_ref().map(|state| self.stack.armed(state)).unwrap_or_default();
                let found = armed
                    .into_iter()
                    .find(|(at, known)| at == layer && known.encode().is_ok_and(|it| it == form));
                let (layer, known) = found.ok_or_else(|| format!("the timer {timer} is not armed"))?;
                NodeEvent::Layer(layer, Event::Timer(known))
            }
            Happening::Call { place, wire, .. } => {
                let call =
                    self.wires.decode_call(*place, &bytes(wire)?).map_err(|error| error.to_string())?;
                NodeEvent::Layer(0, Event::Call(call))
            }
        })
    }

    fn load(&self, life: u64, durable: &[u8]) -> Result<NodeState, String> {
        let layers: BTreeMap<String, foresee_kernel::Rows> = recording::durable(durable)?;
        let load = |layer: &foresee_kernel::Layer| {
            let service = layer.service();
            let rows = layers.get(service.info().name).cloned().unwrap_or_default();
            service.load(self.me, &rows, life << 32).map_err(|error| error.to_string())
        };
        self.stack.layers().iter().map(load).collect()
    }

    /// A step as it is shown.
    pub(crate) fn tell(&self, entry: &Entry, Taken { before, outcome, .. }: &Taken) -> Told {
        let handled = |ran: &Ran| match ran {
            Ran::Handler { layer, handler } => {
                let info = self.stack.layers()[usize::from(*layer)].service().info();
                let handler = &info.handlers[usize::from(*handler)];
                Handled::Handler {
                    service: info.name,
                    name: handler.name,
                    file: info.file,
                    line: handler.line,
                }
            }
            Ran::Consumed { layer, meant } => {
                let info = self.stack.layers()[usize::from(*layer)].service().info();
                Handled::Consumed { service: info.name, meant: *meant }
            }
        };
        let drawn = outcome.decisions.iter().filter(|it| it.nature == Nature::Chance).map(|it| it.site.name);
        let sent = outcome.effects.iter().filter_map(|effect| match effect {
            Effect::Send { carrier, to, message } => Some(Transfer {
                from: self.name.clone(),
                to: to.to_string(),
                layer: 0,
                carrier: self.carriers[usize::from(*carrier)].name.to_owned(),
                message: format!("{message:?}"),
                wire: message.encode().map(|bytes| recording::form(&bytes)).unwrap_or_default(),
            }),
            _ => None,
        });
        Told {
            action: self.action(entry),
            node: Some(self.name.clone()),
            ran: outcome.ran.iter().map(handled).collect(),
            choices: choices(outcome),
            drawn: drawn.collect(),
            changes: self.changes(before, &outcome.state),
            sent: sent.collect(),
            fault: outcome.fault.clone(),
            digest: recording::digest(&outcome.state),
        }
    }

    fn changes(&self, before: &NodeState, after: &NodeState) -> Vec<Change> {
        let mut changes = Vec::new();
        let layers = self.stack.layers().iter().zip(before.iter().zip(after));
        for (index, (layer, (before, after))) in layers.enumerate() {
            let service = layer.service();
            let path = narrate::layers_before(&self.stack, index);
            for ((variable, before), (_, after)) in
                service.fields(before).into_iter().zip(service.fields(after))
            {
                if before != after {
                    let (node, service) = (self.name.clone(), service.info().name);
                    let path = path.clone();
                    changes.push(Change { node, service, path, variable, before, after });
                }
            }
        }
        changes
    }

    /// What happened in the words of a trace; None for a start.
    fn action(&self, entry: &Entry) -> Option<Action> {
        let node = self.name.clone();
        match entry.happening.clone() {
            Happening::Start { .. } => None,
            Happening::Deliver { from, carrier, message, wire, .. } => {
                Some(Action::Deliver(Transfer { from, to: node, layer: 0, carrier, message, wire }))
            }
            Happening::Broken { peer, carrier } => Some(Action::Broken(Connection { node, peer, carrier })),
            Happening::Fire { layer, timer, .. } => Some(Action::Fire { node, layer, timer }),
            Happening::Call { call, wire, .. } => {
                let plan = Plan { text: String::new(), line: 0, index: 0 };
                Some(Action::Call(Called { node, layer: 0, call, wire, plan }))
            }
        }
    }
}

/// How the choices of a step were answered.
fn choices(outcome: &Outcome) -> Vec<Choice> {
    let choice = |decision: &foresee_kernel::Decision| Choice {
        site: decision.site.name.to_owned(),
        option: decision.label.clone(),
        picked: decision.picked,
        of: decision.options,
    };
    outcome.decisions.iter().map(choice).collect()
}
