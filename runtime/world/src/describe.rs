//! Actions in the names of their system: what a trace says of them.

use foresee_kernel::NodeId;
use foresee_kernel::trace::{self, Transfer};

use crate::direct::{Direct, Envelope, Timer};
use crate::{Action, Calling, Program, Route};

/// An action in the names of the system.
pub fn describe(program: &Direct, action: &Action<Direct>) -> trace::Action {
    let names = |nodes: &[NodeId]| nodes.iter().map(ToString::to_string).collect::<Vec<_>>();
    let fault = |index: u32| {
        let fault = &program.model().faults[index as usize];
        trace::Plan { text: fault.text.to_owned(), line: fault.line, index }
    };
    match action {
        Action::Deliver(envelope) if program.mark(envelope).is_some() => {
            let Route { carrier, src, dst } = envelope.route;
            trace::Action::Broken(connection(program, carrier, dst, src))
        }
        Action::Deliver(envelope) => trace::Action::Deliver(transfer(program, envelope)),
        Action::Miss(envelope) => trace::Action::Miss(transfer(program, envelope)),
        Action::Lapse(Envelope { route: Route { carrier, src, dst }, .. }) => {
            trace::Action::Lapse(connection(program, *carrier, *dst, *src))
        }
        Action::Drop(envelope) => trace::Action::Drop(transfer(program, envelope)),
        Action::Duplicate(envelope) => trace::Action::Duplicate(transfer(program, envelope)),
        Action::Fire(node, Timer { layer, timer }) => {
            trace::Action::Fire { node: node.to_string(), layer: *layer, timer: format!("{timer:?}") }
        }
        Action::Call(calling) => trace::Action::Call(called(program, *calling)),
        Action::Restart(node) => trace::Action::Restart { node: node.to_string() },
        Action::Heal(side) => trace::Action::Heal { side: names(side) },
        Action::Crash { plan, nodes } => trace::Action::Crash { nodes: names(nodes), plan: fault(*plan) },
        Action::Reset { plan, node } => trace::Action::Reset { node: node.to_string(), plan: fault(*plan) },
        Action::Cut { plan, carrier, ends: (a, b) } => {
            trace::Action::Cut { connection: connection(program, *carrier, *a, *b), plan: fault(*plan) }
        }
        Action::Partition { plan, side } => {
            trace::Action::Partition { side: names(side), plan: fault(*plan) }
        }
    }
}

fn called(program: &Direct, calling: Calling) -> trace::Called {
    let (line, way) = (&program.model().calls[calling.plan as usize], program.way(calling));
    let call = (way.call)(u64::from(calling.number));
    trace::Called {
        node: way.node.to_string(),
        layer: way.layer,
        call: as_called(&format!("{call:?}")),
        wire: trace::hex(&call.encode().unwrap_or_default()),
        plan: trace::Plan { text: line.text.to_owned(), line: line.line, index: calling.plan },
    }
}

/// A downcall as a spec writes it: `Join { peers: {n[1]} }` is `join({n[1]})`.
fn as_called(debug: &str) -> String {
    let name_end = debug.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(debug.len());
    let (name, rest) = debug.split_at(name_end);
    let mut call = String::new();
    for (index, letter) in name.chars().enumerate() {
        if letter.is_uppercase() && index > 0 {
            call.push('_');
        }
        call.extend(letter.to_lowercase());
    }
    let arguments = match rest.trim().strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        Some(fields) => format!("({})", without_names(fields.trim())),
        None if rest.is_empty() => "()".to_owned(),
        None => rest.to_owned(),
    };
    call + &arguments
}

/// The fields of a structure without their names.
fn without_names(fields: &str) -> String {
    let (mut depth, mut quoted, mut escaped) = (0_i32, false, false);
    let (mut text, mut field) = (String::new(), String::new());
    for letter in fields.chars() {
        let outside = depth == 0 && !quoted;
        match letter {
            '"' if !escaped => quoted = !quoted,
            '(' | '[' | '{' if !quoted => depth += 1,
            ')' | ']' | '}' if !quoted => depth -= 1,
            ':' if outside && field.trim().chars().all(|c| c.is_alphanumeric() || c == '_') => {
                field.clear();
                continue;
            }
            ',' if outside => {
                text += field.trim();
                text += ", ";
                field.clear();
                continue;
            }
            _ => {}
        }
        escaped = letter == '\\' && !escaped;
        field.push(letter);
    }
    text + field.trim()
}

fn connection(program: &Direct, carrier: u8, node: NodeId, peer: NodeId) -> trace::Connection {
    let carrier = carrier_name(program, carrier);
    trace::Connection { node: node.to_string(), peer: peer.to_string(), carrier }
}

fn carrier_name(program: &Direct, carrier: u8) -> String {
    let carriers = &program.model().carriers;
    let carrier = &carriers[usize::from(carrier)];
    match carriers.iter().filter(|other| other.name == carrier.name).count() {
        1 => carrier.name.to_owned(),
        _ => format!("{}: {:?}", carrier.name, carrier.kind),
    }
}

/// A message as a trace has it.
pub(crate) fn transfer(program: &Direct, envelope: &Envelope) -> Transfer {
    let Envelope { route, message } = envelope;
    Transfer {
        from: route.src.to_string(),
        to: route.dst.to_string(),
        layer: program.model().nodes[route.dst.index()].addressee(message),
        carrier: carrier_name(program, route.carrier),
        message: format!("{message:?}"),
        wire: trace::hex(&message.encode().unwrap_or_default()),
    }
}

#[cfg(test)]
mod tests {
    use super::as_called;

    #[test]
    fn calls_read_as_they_are_written() {
        for (debug, call) in [
            ("Join { peers: {n[1], n[2]} }", "join({n[1], n[2]})"),
            (
                "AppendAll { at: 3, entry: Put { key: 1 }, text: \"a: b, c\" }",
                "append_all(3, Put { key: 1 }, \"a: b, c\")",
            ),
            ("Leave", "leave()"),
            ("Add(1, [2, 3])", "add(1, [2, 3])"),
            ("7", "7()"),
        ] {
            assert_eq!(as_called(debug), call);
        }
    }
}
