//! A merged run as a trace: the same steps in a world, which is where crashes, losses and breaks are told as what they are.
//!
//! What recordings do not tell is put in where it is needed: a node that starts again crashed before, and of two that are told that their
//! connection broke, though both go on, the connection was cut.
//!
//! *Caveats*: a world does what its system says. A run in which a program made calls that no workload makes, or in which more went wrong
//! than the system says may, has no trace; nor has one that began with state from before. A request is known by its number, and programs
//! number theirs by life, so calls that are answered have none either.

use std::sync::Arc;

use foresee_kernel::trace::{Ending, Origin};
use foresee_kernel::{Datum, Event, Model, NodeEvent, NodeId, NodeState, Outcome, Trace};
use foresee_world::{Action, Direct, Move, Path, Program, World, narrate};

use super::Step;
use crate::exit::Failure;
use crate::faults::FaultArg;

/// Makes the trace of a run, up to the first step after which something is wrong.
///
/// # Errors
/// The first step that the system does not allow, or that leads to another state there.
pub(super) fn trace(model: &Arc<Model>, faults: &[FaultArg], steps: &[Step]) -> Result<Trace, Failure> {
    let mut model = Model::clone(model);
    crate::faults::apply(&mut model, faults);
    let model = narrate::unbudgeted(&Arc::new(model));
    let mut walk = Walk::start(&model, steps)?;
    let mut ending = Ending::Run;
    for (place, step) in steps.iter().enumerate() {
        if !walk.starts_first(step.node, &step.taken.event) {
            walk.step(steps, place).map_err(|what| {
                Failure::usage(format!("the run has no trace: step {}: {what}", place + 1))
            })?;
        }
        match (&step.taken.outcome.fault, step.violates) {
            (Some(fault), _) => ending = Ending::Fault { message: fault.message.clone() },
            (None, Some(property)) => {
                if narrate::holds(&model, &walk.world, property) != Some(false) {
                    let what = format!("`{property}` is violated, and holds in the system as specified");
                    return Err(Failure::usage(format!("the run has no trace: step {}: {what}", place + 1)));
                }
                ending = Ending::Violation { property: property.to_owned() };
            }
            (None, None) => continue,
        }
        break;
    }
    let trace = narrate::to_trace(&model, &walk.path, "merge", None, ending)
        .map_err(|error| Failure::internal(error.to_string()))?;
    let faults = faults.iter().map(|fault| fault.text()).collect();
    Ok(Trace::new(Origin { faults, ..trace.origin }, trace.ending, trace.steps))
}

struct Walk {
    program: Direct,
    world: World<Direct>,
    path: Path,
    started: Vec<bool>,
}

impl Walk {
    /// The world in which every node has started, as its first step says.
    fn start(model: &Arc<Model>, steps: &[Step]) -> Result<Self, Failure> {
        let program = Direct::new(model.clone());
        let (mut nodes, mut sends, mut path) = (Vec::new(), Vec::new(), Path::default());
        for index in 0..model.nodes.len() {
            let id = NodeId::new(index as u32);
            let first = steps.iter().find(|step| step.node == id).ok_or_else(|| {
                Failure::usage(format!("the run has no trace: there is no recording of {}", model.name(id)))
            })?;
            if !same(model, id, &model.nodes[index].init(id), &first.taken.before) {
                let name = model.name(id);
                return Err(Failure::usage(format!(
                    "the run has no trace: {name} began with what was on disk from before"
                )));
            }
            path.starts.push(picks(&first.taken.outcome));
            let successor = program.successor(id, first.taken.outcome.clone(), Vec::new());
            sends.extend(successor.sends);
            nodes.push(successor.node);
        }
        let mut world = program.world(nodes);
        world.send_all(&program, &sends);
        Ok(Walk { program, world, path, started: vec![false; model.nodes.len()] })
    }

    /// Whether this is the first start of a node, which is in the first world.
    fn starts_first(&mut self, node: NodeId, event: &NodeEvent) -> bool {
        matches!(event, NodeEvent::Start) && !std::mem::replace(&mut self.started[node.index()], true)
    }

    fn step(&mut self, steps: &[Step], place: usize) -> Result<(), String> {
        let Step { node, taken, .. } = &steps[place];
        let name = self.program.model().name(*node).to_owned();
        let action = match &taken.event {
            NodeEvent::Start => {
                self.crash(*node)?;
                Action::Restart(*node)
            }
            NodeEvent::Broken { peer, carrier } => self.broken(steps, place, *peer, *carrier)?,
            NodeEvent::Layer(_, Event::Deliver { src, carrier, message }) => {
                let at = self::carrier(&self.program, *node, *carrier);
                let arrives = |_: &Direct, action: &Action<Direct>| match action {
                    Action::Deliver(it) => {
                        it.route.src == *src
                            && it.route.dst == *node
                            && at == Some(it.route.carrier)
                            && it.message == *message
                    }
                    _ => false,
                };
                self.enabled(arrives)
                    .ok_or_else(|| format!("{message:?} from {src} cannot arrive at {name} here"))?
            }
            NodeEvent::Layer(layer, Event::Timer(timer)) => {
                let fires = |_: &Direct, action: &Action<Direct>| match action {
                    Action::Fire(of, it) => of == node && it.layer == *layer && it.timer == *timer,
                    _ => false,
                };
                self.enabled(fires).ok_or_else(|| format!("{timer:?} cannot fire at {name} here"))?
            }
            NodeEvent::Layer(_, Event::Call(call)) => {
                let called = |program: &Direct, action: &Action<Direct>| match action {
                    Action::Call(it) => {
                        let way = program.way(*it);
                        way.node == *node && (way.call)(u64::from(it.number)) == *call
                    }
                    _ => false,
                };
                self.enabled(called).ok_or_else(|| match self.is_request(*node, call) {
                    true => format!(
                        "the call {call:?} at {name} is answered, and a process numbers such calls by its life: a trace of the system \
                         cannot have them"
                    ),
                    false => format!("no workload makes the call {call:?} at {name}"),
                })?
            }
            other => return Err(format!("{other:?} at {name} is nothing that a world knows")),
        };
        let tape = picks(&taken.outcome);
        let taken_move = Move { action, tape };
        let state = self.take(taken_move).map_err(|error| format!("at {name}: {error}"))?;
        match state {
            Some(state)
                if taken.outcome.fault.is_none()
                    && !same(self.program.model(), *node, &state, &taken.outcome.state) =>
            {
                Err(format!("{name} comes to another state in the system as specified"))
            }
            _ => Ok(()),
        }
    }

    /// What tells a node that its connection broke, after what must have broken it.
    fn broken(
        &mut self,
        steps: &[Step],
        place: usize,
        peer: NodeId,
        carrier: u8,
    ) -> Result<Action<Direct>, String> {
        let node = steps[place].node;
        let at = self::carrier(&self.program, node, carrier);
        let told = move |program: &Direct, action: &Action<Direct>| match action {
            Action::Deliver(it) => {
                program.mark(it).is_some()
                    && it.route.src == peer
                    && it.route.dst == node
                    && Some(it.route.carrier) == at
            }
            _ => false,
        };
        if let Some(action) = self.enabled(told) {
            return Ok(action);
        }
        let goes_on = |step: &Step| step.node == peer && !matches!(step.taken.event, NodeEvent::Start);
        let rest = steps[place..].iter().find(|step| step.node == peer);
        let ended = rest.is_none_or(|step| !goes_on(step));
        let cuts = |_: &Direct, action: &Action<Direct>| match action {
            Action::Cut { carrier, ends, .. } => {
                Some(*carrier) == at && *ends == (node.min(peer), node.max(peer))
            }
            _ => false,
        };
        if ended {
            self.crash(peer)?;
        } else if let Some(cut) = self.enabled(cuts) {
            self.take(Move { action: cut, tape: Vec::new() }).map_err(|error| error.to_string())?;
        }
        let name = |node: NodeId| self.program.model().name(node).to_owned();
        self.enabled(told).ok_or_else(|| {
            format!("nothing in the system breaks the connection between {} and {}", name(node), name(peer))
        })
    }

    /// Lets a node crash that is up.
    fn crash(&mut self, node: NodeId) -> Result<(), String> {
        if !self.world.ambient.up(node) {
            return Ok(());
        }
        let crashes = |_: &Direct, action: &Action<Direct>| match action {
            Action::Crash { nodes, .. } => *nodes == [node],
            _ => false,
        };
        let name = self.program.model().name(node);
        let action = self.enabled(crashes).ok_or_else(|| format!("the system does not let {name} crash"))?;
        self.take(Move { action, tape: Vec::new() }).map(drop)
    }

    /// Whether the workload makes such a call of the node, and it is a request: then its number alone can be another.
    fn is_request(&self, node: NodeId, call: &Datum) -> bool {
        let name = |call: &Datum| format!("{call:?}").split(' ').next().map(str::to_owned);
        let mut ways = self.program.model().calls.iter().flat_map(|line| &line.ways);
        ways.any(|way| {
            let (one, other) = ((way.call)(0), (way.call)(1));
            way.node == node && one != other && name(&one) == name(call)
        })
    }

    fn enabled(&self, fits: impl Fn(&Direct, &Action<Direct>) -> bool) -> Option<Action<Direct>> {
        let mut found = None;
        self.world.enabled(&self.program, |action| {
            if found.is_none() && fits(&self.program, &action) {
                found = Some(action);
            }
        });
        found
    }

    /// Goes on by a move; the state of the node that took a step.
    fn take(&mut self, taken: Move) -> Result<Option<NodeState>, String> {
        let stepped = match taken.action.stimulus(&self.program) {
            None => None,
            Some((id, stimulus)) => {
                let mut tape = foresee_kernel::Tape::new(taken.tape.clone());
                let outcome = self.program.step(&self.world.nodes[id.index()], &stimulus, &mut tape);
                Some(self.program.successor(id, outcome, Vec::new()))
            }
        };
        self.world.apply(&self.program, &taken.action, stepped.as_ref());
        self.path.moves.push(taken);
        Ok(stepped.map(|successor| successor.node.layers))
    }
}

/// The answers that a step was given.
fn picks(outcome: &Outcome) -> Vec<u32> {
    outcome.decisions.iter().map(|decision| decision.picked).collect()
}

/// The carrier of the system that a node's own number stands for.
fn carrier(program: &Direct, node: NodeId, own: u8) -> Option<u8> {
    let model = program.model();
    let (_, carriers) = model.nodes[node.index()].clone().alone();
    let own = carriers.get(usize::from(own))?;
    let place = model.carriers.iter().position(|it| it.name == own.name && it.kind == own.kind);
    place.map(|place| place as u8)
}

/// Whether a node is in the state that it recorded: but for ghosts, which it did not keep, and for the numbers of requests.
fn same(model: &Model, node: NodeId, state: &NodeState, recorded: &NodeState) -> bool {
    let stack = &model.nodes[node.index()];
    let mut state = state.clone();
    stack.forget_ghosts(node, &mut state);
    let mut layers = stack.layers().iter().zip(state.iter().zip(recorded));
    stack.armed(&state) == stack.armed(recorded)
        && layers.all(|(layer, (one, other))| layer.service().fields(one) == layer.service().fields(other))
}
