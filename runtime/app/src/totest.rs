//! `replay --to-test`: a trace as a scenario for its spec, or as a Rust test that follows it.
//!
//! Of what should not be (a violation, a fault, a cycle) the test fails for as long as it is there; what should be (a witness, an ordinary run)
//! has to stay so. A scenario fails at its last command for as long as the trace's violation is there, and shows the same. What a scenario
//! cannot say is refused with the step; a Rust test can follow every trace.

use foresee_kernel::trace::{Action, Choice, Ending, Transfer};
use foresee_kernel::{NodeId, Stack, Trace, names};
use foresee_world::narrate::{self, Handled, Told};

use crate::exit::Failure;
use crate::render::Drawn;
use crate::story;

/// The trace as a Rust test, which goes into `tests/` of a package whose build script compiles the spec.
pub fn rust(drawn: &Drawn<'_>, trace: &Trace) -> Result<String, Failure> {
    let spec = drawn.model.spec.name;
    let compact = serde_json::to_string(trace).map_err(|error| Failure::internal(error.to_string()))?;
    let mut steps = String::new();
    for (index, told) in drawn.narration.steps.iter().enumerate() {
        steps += &format!("//! {}. {}\n", index + 1, one_line(&story::headline(told)));
    }
    // As many hashes as the text does not have behind a quote.
    let hashes =
        (1..).map(|count| "#".repeat(count)).find(|hashes| !compact.contains(&format!("\"{hashes}")));
    let hashes = hashes.unwrap_or_default();
    let (name, stays) = test_name(drawn.ending);
    let not = if stays { "" } else { "!" };
    Ok(format!(
        "//! Found by `{writer}` in system `{system}` of `{spec}`: {ending}.\n//!\n{steps}
foresee::include_spec!(\"{spec}\");

#[test]
fn {name}() {{
    let went = foresee::app::regress(&{spec}::SPEC, TRACE).expect(\"the trace is of this spec\");
    assert!({not}went.is_there(), \"{{went}}\");
}}

const TRACE: &str = r{hashes}\"{compact}\"{hashes};
",
        writer = trace.origin.writer,
        system = trace.origin.system,
        ending = ending(drawn.ending),
    ))
}

/// The trace as a scenario.
pub fn scenario(drawn: &Drawn<'_>, trace: &Trace) -> Result<String, Failure> {
    names::scope(&drawn.model.names, || {
        let worlds = narrate::worlds(drawn.model, drawn.path);
        let worlds = worlds.map_err(|error| Failure::internal(error.to_string()))?;
        let mut script = Script { drawn, flights: Vec::new() };
        if let Some(first) = worlds.first() {
            script.flights =
                first.carriers.iter().flatten().map(|it| narrate::transfer(drawn.model, it)).collect();
        }
        script.write(trace)
    })
}

/// What a test is called, and whether what the trace ends in has to stay.
fn test_name(ending: &Ending) -> (String, bool) {
    match ending {
        Ending::Violation { property } => (format!("{property}_is_kept"), false),
        Ending::Fault { .. } => ("no_step_faults".to_owned(), false),
        Ending::Cycle { property, .. } => (format!("{property}_is_refuted_so_no_more"), false),
        Ending::Witness { property } => (format!("{property}_is_reached"), true),
        Ending::Run => ("the_run_goes_the_same_way".to_owned(), true),
    }
}

/// How a trace ends, for a comment: of what a fault says the first line, without the place in generated code.
fn ending(ending: &Ending) -> String {
    let Ending::Fault { message } = ending else { return one_line(&story::ending(ending)) };
    let message = message.lines().next().unwrap_or_default();
    let said = message.rsplit_once(" (at ").filter(|_| message.ends_with(')')).map_or(message, |it| it.0);
    one_line(&story::ending(&Ending::Fault { message: said.to_owned() }))
}

/// A text in one line.
fn one_line(text: &str) -> String {
    text.split(['\n', '\r']).collect::<Vec<_>>().join(" ")
}

struct Script<'d> {
    drawn: &'d Drawn<'d>,
    /// What is under way, the oldest first.
    flights: Vec<Transfer>,
}

impl Script<'_> {
    fn write(&mut self, trace: &Trace) -> Result<String, Failure> {
        let defaults = crate::model::system(self.drawn.model.spec, Some(&trace.origin.system))
            .and_then(|system| crate::model::with_arguments(system, &Default::default()));
        if defaults.is_ok_and(|defaults| defaults.arguments != self.drawn.model.arguments) {
            let said: Vec<String> =
                trace.origin.parameters.iter().map(|(name, value)| format!("{name}={value}")).collect();
            return Err(Failure::usage(format!(
                "a scenario runs with the defaults of its system's parameters, and this trace has {}; --to-test rust can follow it",
                said.join(", ")
            )));
        }
        let name = match self.drawn.ending {
            Ending::Violation { property } | Ending::Witness { property } => format!("found_{property}"),
            Ending::Fault { .. } => "found_fault".to_owned(),
            Ending::Cycle { .. } => {
                let message = "no scenario goes on for ever; --to-test rust can follow it";
                return Err(Failure::usage(message));
            }
            Ending::Run => "found_run".to_owned(),
        };
        let mut text = format!("scenario {name} in {} {{\n", trace.origin.system);
        for (index, told) in self.drawn.narration.steps.iter().enumerate() {
            let line = self.line(told).map_err(|why| {
                let what = story::headline(told);
                Failure::usage(format!("step {}, {what}: {why}; --to-test rust can follow it", index + 1))
            })?;
            text += &format!("    {line}\n");
            self.flights.extend(told.sent.iter().cloned());
        }
        text += &format!("    // {}.\n}}\n", ending(self.drawn.ending));
        Ok(text)
    }

    /// The command that makes a step happen.
    fn line(&mut self, told: &Told) -> Result<String, String> {
        let pin = || self.pin(told);
        match &told.action {
            None | Some(Action::Start { .. }) if told.choices.is_empty() => {
                Ok("// A node starts.".to_owned())
            }
            None | Some(Action::Start { .. }) => Err("a scenario cannot say how a start chooses".to_owned()),
            Some(Action::Deliver(transfer)) => {
                let pin = pin()?;
                let command = self.message("deliver", transfer)?;
                Ok(format!("{command}{pin};"))
            }
            Some(Action::Drop(transfer)) => Ok(format!("{};", self.message("drop", transfer)?)),
            Some(Action::Duplicate(transfer)) => {
                let command = self.message("duplicate", transfer)?;
                self.flights.extend([transfer.clone(), transfer.clone()]);
                Ok(format!("{command};"))
            }
            Some(Action::Fire { node, layer, timer }) => {
                Ok(format!("fire {}{timer} at {node}{};", self.layers_before(node, *layer), pin()?))
            }
            Some(Action::Call(called)) => {
                let call =
                    expression(&called.call).ok_or("an argument of the call has no form of its own")?;
                let path = self.layers_before(&called.node, called.layer);
                Ok(format!("{}.{path}{call}{};", called.node, pin()?))
            }
            Some(Action::Crash { nodes, .. }) => {
                let each: Vec<String> = nodes.iter().map(|node| format!("crash {node};")).collect();
                Ok(each.join(" "))
            }
            Some(Action::Restart { node }) => Ok(format!("restart {node};")),
            Some(Action::Reset { node, .. }) => Ok(format!("reset {node};")),
            Some(Action::Cut { connection, .. }) => {
                Ok(format!("cut {} from {};", connection.node, connection.peer))
            }
            Some(Action::Partition { side, .. }) => {
                let all = (0..self.drawn.model.nodes.len() as u32).map(|id| NodeId::new(id).to_string());
                let others: Vec<String> = all.filter(|name| !side.contains(name)).collect();
                Ok(format!("partition [{}] from [{}];", side.join(", "), others.join(", ")))
            }
            Some(Action::Heal { .. }) => Ok("heal;".to_owned()),
            Some(Action::Miss(_) | Action::Broken(_) | Action::Lapse(_)) => {
                Err("a scenario has no command for it: it happens in a `run`".to_owned())
            }
        }
    }

    /// `deliver M from a to b`, which is about the oldest of its kind: it has to be the one that is meant.
    fn message(&mut self, verb: &str, transfer: &Transfer) -> Result<String, String> {
        let kind = kind(&transfer.message);
        let Transfer { from, to, .. } = transfer;
        let alike = |flight: &Transfer| {
            flight.from == *from
                && flight.to == *to
                && flight.layer == transfer.layer
                && self::kind(&flight.message) == kind
        };
        let path = self.layers_before(to, transfer.layer);
        let place = self.flights.iter().position(alike);
        match place {
            Some(place) if self.flights[place].wire == transfer.wire => {
                self.flights.remove(place);
                Ok(format!("{verb} {path}{kind} from {from} to {to}"))
            }
            _ => Err(format!(
                "an older `{kind}` from {from} to {to} is in flight, and a scenario is about the oldest"
            )),
        }
    }

    /// What stands before the names of a layer of a node: `tree.`, or nothing at the top.
    fn layers_before(&self, node: &str, layer: u8) -> String {
        self.node(node).map_or(String::new(), |stack| narrate::layers_before(stack, layer.into()))
    }

    /// Whether some service has a handler of this name.
    fn is_handler(&self, name: &str) -> bool {
        self.drawn.model.spec.services.iter().any(|service| service.handlers.iter().any(|it| it.name == name))
    }

    /// ` as pass(to: n[1])`, where the step chooses; ` as tree.pass(..)`, where that is a handler of a layer to which the step comes.
    fn pin(&self, told: &Told) -> Result<String, String> {
        let handlers = told.ran.iter().filter_map(|handled| match handled {
            Handled::Handler { service, name, .. } => Some((*service, *name)),
            Handled::Consumed { .. } => None,
        });
        let handlers: Vec<(&str, &str)> = handlers.collect();
        let Some((_, first)) = handlers.first().filter(|_| !told.choices.is_empty()) else {
            return Ok(String::new());
        };
        let (mut chooses, mut parts): (Option<&str>, Vec<String>) = (None, Vec::new());
        for Choice { site, option, of, .. } in &told.choices {
            if *of == 1 {
                continue;
            }
            if told.drawn.contains(&site.as_str()) {
                return Err(format!("`{site}` is drawn by chance, which a scenario cannot say"));
            }
            let (handler, part) = match site.split_once('.') {
                Some((of, name)) if of == *first || self.is_handler(of) => {
                    (of, Some(format!("{name}: {}", plain(option)?)))
                }
                // A choice of a routine is named after that.
                Some(_) => (*first, Some(format!("{site}: {}", plain(option)?))),
                None => {
                    let (name, rest) = option.split_at(option.find('(').unwrap_or(option.len()));
                    let inner = rest.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
                    (name, inner.map(plain).transpose()?)
                }
            };
            match chooses.replace(handler) {
                Some(other) if other != handler => {
                    return Err(format!("`{handler}` chooses in the same step as `{other}`"));
                }
                _ => parts.extend(part),
            }
        }
        let handler = chooses.unwrap_or(first);
        let path = match handler == *first {
            true => String::new(),
            false => self.layer_of(told, &handlers, handler)?,
        };
        Ok(match parts.is_empty() {
            true => format!(" as {path}{handler}"),
            false => format!(" as {path}{handler}({})", parts.join(", ")),
        })
    }

    /// The path of the layer whose handler of this name a step comes to.
    fn layer_of(&self, told: &Told, handlers: &[(&str, &str)], name: &str) -> Result<String, String> {
        let unclear = || format!("`{name}` chooses in this step, and a scenario cannot name it there");
        let (service, _) = handlers.iter().find(|(_, it)| *it == name).ok_or_else(unclear)?;
        let stack = self.node(told.node.as_deref().unwrap_or_default()).ok_or_else(unclear)?;
        let layers = stack.layers().iter().enumerate();
        let mut of_service = layers.filter(|(_, layer)| layer.service().info().name == *service);
        match (of_service.next(), of_service.next()) {
            // At the top a name without a path is one of the event itself.
            (Some((index, _)), None) if index > 0 => Ok(narrate::layers_before(stack, index)),
            _ => Err(unclear()),
        }
    }

    fn node(&self, name: &str) -> Option<&Stack> {
        let model = self.drawn.model;
        let mut ids = (0..model.nodes.len()).filter(|id| model.name(NodeId::new(*id as u32)) == name);
        ids.next().map(|id| &model.nodes[id])
    }
}

/// The kind of a printed message: `Ping { hops: 1 }` is a `Ping`.
fn kind(message: &str) -> &str {
    let end =
        message.find(|letter: char| !letter.is_alphanumeric() && letter != '_').unwrap_or(message.len());
    &message[..end]
}

/// An option as it is written in a pin, which compares what is printed.
fn plain(option: &str) -> Result<String, String> {
    match option.contains(['{', '"']) || option.chars().any(char::is_uppercase) {
        true => Err(format!("`{option}` has no form that a pin could give it")),
        false => Ok(option.to_owned()),
    }
}

/// A printed call as an expression: sets are lists there, and the number of a request is not said.
fn expression(call: &str) -> Option<String> {
    let call = unnumbered(call);
    let (mut out, mut open) = (String::with_capacity(call.len()), Vec::new());
    let mut last = ' ';
    let mut letters = call.chars();
    while let Some(letter) = letters.next() {
        let name = out.trim_end().chars().next_back().is_some_and(|it| it.is_alphanumeric());
        match letter {
            // A text is printed as it is written.
            '"' => {
                out.push('"');
                loop {
                    let inner = letters.next()?;
                    out.push(inner);
                    match inner {
                        '"' => break,
                        '\\' => out.push(letters.next()?),
                        _ => {}
                    }
                }
            }
            // A brace or a bracket behind a name is that of a record or of a node, and stays.
            '{' | '[' | '(' => {
                let is_list = letter != '(' && !name;
                out.push(if is_list { '[' } else { letter });
                open.push((letter, is_list));
            }
            '}' | ']' | ')' => {
                let (_, is_list) = open.pop()?;
                out.push(if is_list { ']' } else { letter });
                // An argument becomes what its parameter is by itself; what stands within a value has to be told to.
                if is_list && open.len() > 1 {
                    out.push_str(".into()");
                }
            }
            // Of a map, or of something that is no expression.
            ':' if open.last() == Some(&('{', true)) => return None,
            _ => out.push(letter),
        }
        last = letter;
    }
    (last == ')').then_some(out)
}

/// A printed call without the number of its request, which is its last argument: `submit(1, reply 0 to n[0])`.
fn unnumbered(call: &str) -> String {
    let number = call.strip_suffix(')').and_then(|call| call.rsplit_once("reply "));
    let is_reply = |reply: &str| {
        let parts = reply.split_once(" to ");
        parts.is_some_and(|(number, origin)| number.parse::<u64>().is_ok() && !origin.contains(['"', ',']))
    };
    match number {
        Some((before, reply)) if is_reply(reply) && before.ends_with([' ', '(']) => {
            format!("{})", before.trim_end_matches(", "))
        }
        _ => call.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use foresee_kernel::trace::Ending;

    use super::{ending, expression, kind};

    #[test]
    fn what_a_fault_says_becomes_one_line_of_a_comment() {
        let said = |message: &str| ending(&Ending::Fault { message: message.to_owned() });
        let expected = "`no_fault` is violated by the last step: assertion failed: left == right";
        assert_eq!(said("assertion failed: left == right (at /out/a.mace.rs:7:1)"), expected);
        assert_eq!(said("assertion failed: left == right\n  left: 1\n right: 2 (at a.rs:7:1)"), expected);
        assert_eq!(ending(&Ending::Run), "end of the run");
    }

    #[test]
    fn calls_and_kinds_are_written_as_a_scenario_has_them() {
        assert_eq!(expression("join({n[0], n[1]})").as_deref(), Some("join([n[0], n[1]])"));
        assert_eq!(expression("put(Put { key: 1 })").as_deref(), Some("put(Put { key: 1 })"));
        assert_eq!(expression("put({1: 2})"), None);
        assert_eq!(expression("put(Put([1, 2]), n[0])").as_deref(), Some("put(Put([1, 2].into()), n[0])"));
        assert_eq!(expression("put([{1}, {}])").as_deref(), Some("put([[1].into(), [].into()])"));
        assert_eq!(expression("put(1, reply 7 to n[0])").as_deref(), Some("put(1)"));
        assert_eq!(expression("ask(reply 0 to tm)").as_deref(), Some("ask()"));
        let text = r#"say("a {b: \"c\"} d")"#;
        assert_eq!(expression(text).as_deref(), Some(text), "a text stays as it is");
        assert_eq!(kind("Ping { hops: 1 }"), "Ping");
        assert_eq!(kind("Pong"), "Pong");
    }
}
