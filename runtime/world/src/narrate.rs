//! From a path to what people read and to a [`Trace`], and from a trace back to a path.
//!
//! A path is told by walking it again with [`Direct`], so what is told is what happens, not what an engine remembers.

use std::sync::Arc;

use foresee_kernel::trace::{self, Ending, Origin, Step, Transfer};
use foresee_kernel::{
    Decision, Effect, Fault, Model, Nature, NodeId, NodeState, Outcome, Ran, Stack, Tape, Trace, TraceError,
    fault, names,
};

use crate::direct::{Direct, Envelope, Node};
use crate::path::{Move, Path};
use crate::{Action, Program, Stimulus, World};

pub use crate::describe::describe;

/// One step, told.
#[derive(Clone, Debug)]
pub struct Told {
    /// What happened; None for a node's start.
    pub action: Option<trace::Action>,
    /// The node that took a step, if one did.
    pub node: Option<String>,
    /// What ran at it.
    pub ran: Vec<Handled>,
    /// How the step's points were answered.
    pub choices: Vec<trace::Choice>,
    /// The sites among these that chance answered.
    pub drawn: Vec<&'static str>,
    /// Which variables changed.
    pub changes: Vec<Change>,
    /// What was sent.
    pub sent: Vec<Transfer>,
    /// Why the step had no effect, if it had none.
    pub fault: Option<Fault>,
    /// The digest of the world after the step.
    pub digest: u64,
}

/// What a layer did with an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Handled {
    /// A handler ran.
    Handler {
        /// The service's name.
        service: &'static str,
        /// The handler's name.
        name: &'static str,
        /// The spec's path.
        file: &'static str,
        /// The handler's line.
        line: u32,
    },
    /// No handler applied.
    Consumed {
        /// The service's name.
        service: &'static str,
        /// Whether the spec ignores it on purpose.
        meant: bool,
    },
}

/// A variable that changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The node's name.
    pub node: String,
    /// The service's name.
    pub service: &'static str,
    /// The layers before the service in a claim, each with a dot behind it: `tree.`, or nothing at the top.
    pub path: String,
    /// The variable's name.
    pub variable: &'static str,
    /// Its value before.
    pub before: String,
    /// Its value after.
    pub after: String,
}

/// A path, told.
#[derive(Clone, Debug)]
pub struct Narration {
    /// The starts that branch, then every step.
    pub steps: Vec<Told>,
    /// The last world.
    pub world: World<Direct>,
    /// The world before the last step.
    pub before: Option<World<Direct>>,
}

/// Walks `path` through `model`, whether or not what it tells could happen by itself: a script may do what a system says
/// nothing of, such as losing a message.
///
/// # Errors
/// A choice that the step does not make, or an answer that its point does not have.
pub fn retell(model: &Arc<Model>, path: &Path) -> Result<Narration, TraceError> {
    names::scope(&model.names, || {
        let mut walk = Walk::start(model, &path.starts)?;
        for (index, step) in path.moves.iter().enumerate() {
            walk.step(&format!("step {}", index + 1), step)?;
        }
        Ok(walk.finish())
    })
}

/// Walks `path` through `model`.
///
/// # Errors
/// The step that cannot happen where it stands, or an answer that its point does not have.
pub fn narrate(model: &Arc<Model>, path: &Path) -> Result<Narration, TraceError> {
    names::scope(&model.names, || {
        let mut walk = Walk::start(model, &path.starts)?;
        for (index, step) in path.moves.iter().enumerate() {
            let place = format!("step {}", index + 1);
            let mut enabled = false;
            walk.world.enabled(&walk.program, |action| enabled |= action == step.action);
            if !enabled {
                let told = describe(&walk.program, &step.action);
                return Err(TraceError::at(&place, format!("{told} cannot happen in this state")));
            }
            walk.step(&place, step)?;
        }
        Ok(walk.finish())
    })
}

/// Makes the trace of `path`.
///
/// # Errors
/// As [`narrate`].
pub fn to_trace(
    model: &Arc<Model>,
    path: &Path,
    writer: &str,
    seed: Option<u64>,
    ending: Ending,
) -> Result<Trace, TraceError> {
    let narration = narrate(model, path)?;
    Ok(Trace::new(origin(model, writer, seed), ending, trace_steps(&narration)))
}

fn trace_steps(narration: &Narration) -> Vec<Step> {
    let step = |told: &Told| {
        let start = || trace::Action::Start { node: told.node.clone().unwrap_or_default() };
        let action = told.action.clone().unwrap_or_else(start);
        Step::new(None, action, told.choices.clone(), told.digest)
    };
    narration.steps.iter().map(step).collect()
}

/// What a trace of `model` says it was taken from.
pub fn origin(model: &Model, writer: &str, seed: Option<u64>) -> Origin {
    Origin {
        spec: model.spec.name.to_owned(),
        spec_hash: format!("{:016x}", model.spec.hash),
        system: model.system.to_owned(),
        parameters: model.arguments.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        writer: writer.to_owned(),
        seed,
        scenario: None,
        faults: Vec::new(),
        unbudgeted: false,
    }
}

/// The same model without what is for checking alone: without reductions, and without an end to budgets, since a simulation goes by
/// rates and by what lines of plans say themselves. What is spent stays part of the state wherever it was.
pub fn unbudgeted(model: &Arc<Model>) -> Arc<Model> {
    let mut bounds = model.bounds.clone();
    let mut ended = std::mem::take(&mut bounds.retain_ignored);
    let mut end = |budget: &mut u32| ended |= std::mem::replace(budget, u32::MAX) < u32::MAX;
    [&mut bounds.drops, &mut bounds.duplicates, &mut bounds.calls].into_iter().flatten().for_each(&mut end);
    bounds.faults.iter_mut().for_each(|budget| end(&mut budget.most));
    if ended { Arc::new(Model { bounds, ..(**model).clone() }) } else { model.clone() }
}

/// Finds the path that `trace` tells, in the model that it names, and walks it: every step must be possible, every
/// choice be offered under its name, and every state come out as it was written. Budgets that are for checking bound
/// what a check wrote and nothing else, see [`unbudgeted`].
///
/// # Errors
/// The first step at which the trace and the model part.
pub fn replay(model: &Arc<Model>, trace: &Trace) -> Result<(Path, Narration), TraceError> {
    retrace(model, trace, true)
}

/// As [`replay`], of a model that may have changed since: the states that were written are not looked at.
///
/// # Errors
/// The first step that cannot happen, or that makes other choices.
pub fn follow(model: &Arc<Model>, trace: &Trace) -> Result<(Path, Narration), TraceError> {
    retrace(model, trace, false)
}

fn retrace(model: &Arc<Model>, trace: &Trace, exactly: bool) -> Result<(Path, Narration), TraceError> {
    // What a search wrote is within its budgets; what else there is need not be.
    let bounded = trace.origin.writer == "check" && !trace.origin.unbudgeted;
    let model = &if bounded { model.clone() } else { unbudgeted(model) };
    names::scope(&model.names, || {
        let mut starts = vec![Vec::new(); model.nodes.len()];
        let mut rest = trace.steps.as_slice();
        while let [Step { action: trace::Action::Start { node }, choices, .. }, tail @ ..] = rest {
            let place = format!("step {}", trace.steps.len() - rest.len() + 1);
            let id = model
                .node(node)
                .ok_or_else(|| TraceError::at(&place, format!("there is no node `{node}`")))?;
            starts[id.index()] = choices.iter().map(|choice| choice.picked).collect();
            rest = tail;
        }
        let mut walk = Walk::start(model, &starts)?;
        let mut moves = Vec::new();
        for (index, step) in rest.iter().enumerate() {
            let place = format!("step {}", trace.steps.len() - rest.len() + index + 1);
            let tape: Vec<u32> = step.choices.iter().map(|choice| choice.picked).collect();
            let mut action = None;
            walk.world.enabled(&walk.program, |enabled| {
                if action.is_none() && describe(&walk.program, &enabled) == step.action {
                    action = Some(enabled);
                }
            });
            let Some(action) = action else {
                return Err(TraceError::at(&place, format!("{} cannot happen in this state", step.action)));
            };
            let step_taken = Move { action, tape };
            walk.step(&place, &step_taken)?;
            moves.push(step_taken);
            compare(&place, step, walk.steps.last(), exactly)?;
        }
        Ok((Path { starts, moves }, walk.finish()))
    })
}

fn compare(place: &str, step: &Step, told: Option<&Told>, exactly: bool) -> Result<(), TraceError> {
    let Some(told) = told else { return Ok(()) };
    let same = |(made, written): (&trace::Choice, &trace::Choice)| match exactly {
        true => made == written,
        false => made.site == written.site && made.option == written.option,
    };
    if told.choices.len() != step.choices.len() || !told.choices.iter().zip(&step.choices).all(same) {
        let expected: Vec<&str> = step.choices.iter().map(|choice| choice.option.as_str()).collect();
        let found: Vec<&str> = told.choices.iter().map(|choice| choice.option.as_str()).collect();
        return Err(TraceError::at(
            place,
            format!("the choices differ: {expected:?} were written, {found:?} are made"),
        ));
    }
    if exactly && format!("{:016x}", told.digest) != step.state {
        return Err(TraceError::at(place, "the state after it is not the one that was written".to_owned()));
    }
    Ok(())
}

/// Every world along `path`: that after the starts, then that after each move, whether or not it could happen by itself.
///
/// # Errors
/// As [`retell`].
pub fn worlds(model: &Arc<Model>, path: &Path) -> Result<Vec<World<Direct>>, TraceError> {
    names::scope(&model.names, || {
        let program = Direct::new(model.clone());
        let mut worlds = vec![Walk::first(&program, &path.starts)?];
        for step in &path.moves {
            let next = Walk::after(&program, &worlds[worlds.len() - 1], step)?.0;
            worlds.push(next);
        }
        Ok(worlds)
    })
}

/// Whether the property of that name holds in `world`; None where there is none, or where it has no value.
pub fn holds(model: &Arc<Model>, world: &World<Direct>, name: &str) -> Option<bool> {
    let property = model.properties.iter().find(|property| property.name == name)?;
    let program = Direct::new(model.clone());
    fault::guard(|| world.view(&program, |view| (property.holds)(view))).ok()
}

/// A message under way as a trace has it.
pub fn transfer(model: &Arc<Model>, envelope: &Envelope) -> Transfer {
    crate::describe::transfer(&Direct::new(model.clone()), envelope)
}

/// Why the property of that name is false in `world`: the parts of it that matter, as written, each with what it is. Nothing where
/// it is true, or gives no reasons.
pub fn why(model: &Arc<Model>, world: &World<Direct>, name: &str) -> Vec<(&'static str, String)> {
    let Some(property) = model.properties.iter().find(|property| property.name == name) else {
        return Vec::new();
    };
    let program = Direct::new(model.clone());
    let ask = || world.view(&program, |view| (property.why)(view));
    // A property that panics while it explains itself has nothing to say.
    names::scope(&model.names, || fault::guard(ask)).unwrap_or_default()
}

/// A path on its way.
pub(crate) struct Walk {
    program: Direct,
    world: World<Direct>,
    before: Option<World<Direct>>,
    steps: Vec<Told>,
}

impl Walk {
    /// The world when all nodes have started so.
    pub(crate) fn first(program: &Direct, starts: &[Vec<u32>]) -> Result<World<Direct>, TraceError> {
        Ok(Walk::start(program.shared_model(), starts)?.world)
    }

    /// The world after a move, and whether its step faulted.
    pub(crate) fn after(
        program: &Direct,
        world: &World<Direct>,
        taken: &Move,
    ) -> Result<(World<Direct>, bool), TraceError> {
        let Some((id, stimulus)) = taken.action.stimulus(program) else {
            return Ok((world.after(program, &taken.action, None), false));
        };
        let (outcome, tape) =
            step_with(program, "the step", &world.nodes[id.index()], &stimulus, &taken.tape)?;
        let successor = program.successor(id, outcome, tape);
        let fault = successor.fault.is_some();
        Ok((world.after(program, &taken.action, Some(&successor)), fault))
    }

    fn start(model: &Arc<Model>, starts: &[Vec<u32>]) -> Result<Self, TraceError> {
        let program = Direct::new(model.clone());
        let mut nodes = Vec::new();
        let mut sends = Vec::new();
        let mut told = Vec::new();
        for index in 0..model.nodes.len() {
            let id = NodeId::new(index as u32);
            let stack = &model.nodes[index];
            let init = stack.init(id);
            let picks = starts.get(index).cloned().unwrap_or_default();
            let place = format!("start of {id}");
            let (outcome, _) =
                play(&place, &picks, |tape| stack.step(id, &init, &foresee_kernel::NodeEvent::Start, tape))?;
            if !outcome.decisions.is_empty() || outcome.fault.is_some() {
                let before = Node { id, layers: init };
                told.push(tell(&program, None, id, &before, &outcome));
            }
            let successor = program.successor(id, outcome, Vec::new());
            nodes.push(successor.node);
            sends.extend(successor.sends);
        }
        let mut world = program.world(nodes);
        world.send_all(&program, &sends);
        let digest = world.digest(&program);
        told.iter_mut().for_each(|told| told.digest = digest);
        Ok(Walk { program, world, before: None, steps: told })
    }

    fn step(&mut self, place: &str, taken: &Move) -> Result<(), TraceError> {
        let Walk { program, world, .. } = self;
        let action = describe(program, &taken.action);
        let (mut told, next) = match taken.action.stimulus(program) {
            None => {
                let next = world.after(program, &taken.action, None);
                (tell_still(program, &taken.action, world, &next), next)
            }
            Some((id, stimulus)) => {
                let node = &world.nodes[id.index()];
                let (outcome, tape) = step_with(program, place, node, &stimulus, &taken.tape)?;
                let told = tell(program, Some(action), id, node, &outcome);
                let successor = program.successor(id, outcome, tape);
                (told, world.after(program, &taken.action, Some(&successor)))
            }
        };
        told.digest = next.digest(program);
        self.before = Some(std::mem::replace(world, next));
        self.steps.push(told);
        Ok(())
    }

    fn finish(self) -> Narration {
        Narration { steps: self.steps, world: self.world, before: self.before }
    }
}

fn step_with(
    program: &Direct,
    place: &str,
    node: &Node,
    stimulus: &Stimulus<'_, Direct>,
    picks: &[u32],
) -> Result<(Outcome, Vec<u32>), TraceError> {
    play(place, picks, |tape| program.step(node, stimulus, tape))
}

/// Runs `step` on a tape of `picks`, which must fit exactly.
fn play(
    place: &str,
    picks: &[u32],
    step: impl FnOnce(&mut Strict) -> Outcome,
) -> Result<(Outcome, Vec<u32>), TraceError> {
    let mut strict =
        Strict { tape: Tape::new(picks.to_vec()).with_labels(), picks: picks.to_vec(), asked: 0, bad: None };
    let outcome = step(&mut strict);
    if let Some(message) = strict.bad {
        return Err(TraceError::at(place, message));
    }
    if strict.asked != picks.len() {
        let message = format!("{} choices are written, the step makes {}", picks.len(), strict.asked);
        return Err(TraceError::at(place, message));
    }
    Ok((outcome, picks.to_vec()))
}

/// A tape that notes where its answers do not fit instead of answering beyond them.
struct Strict {
    tape: Tape,
    picks: Vec<u32>,
    asked: usize,
    bad: Option<String>,
}

impl foresee_kernel::Resolver for Strict {
    fn resolve(&mut self, point: &foresee_kernel::Point<'_>) -> u32 {
        let index = self.asked;
        self.asked += 1;
        match self.picks.get(index) {
            Some(pick) if *pick < point.options => self.tape.resolve(point),
            Some(pick) => {
                self.bad.get_or_insert(format!(
                    "option {pick} of `{}` does not exist; it has {}",
                    point.site.name, point.options
                ));
                0
            }
            None => {
                self.bad.get_or_insert(format!("no choice is written for `{}`", point.site.name));
                0
            }
        }
    }

    fn wants_labels(&self) -> bool {
        true
    }
}

fn tell(
    program: &Direct,
    action: Option<trace::Action>,
    id: NodeId,
    before: &Node,
    outcome: &Outcome,
) -> Told {
    let stack = &program.model().nodes[id.index()];
    let info = |layer: u8| stack.layers()[usize::from(layer)].service().info();
    let handled = |ran: &Ran| match *ran {
        Ran::Handler { layer, handler } => {
            let (service, handler) = (info(layer), &info(layer).handlers[usize::from(handler)]);
            Handled::Handler {
                service: service.name,
                name: handler.name,
                file: service.file,
                line: handler.line,
            }
        }
        Ran::Consumed { layer, meant } => Handled::Consumed { service: info(layer).name, meant },
    };
    let sent = outcome.effects.iter().filter_map(|effect| match effect {
        Effect::Send { carrier, to, message } => {
            let route = crate::Route { carrier: *carrier, src: id, dst: *to };
            Some(crate::describe::transfer(program, &Envelope { route, message: message.clone() }))
        }
        _ => None,
    });
    let drawn = outcome.decisions.iter().filter(|decision| decision.nature == Nature::Chance);
    Told {
        action,
        node: Some(id.to_string()),
        ran: outcome.ran.iter().map(handled).collect(),
        choices: outcome.decisions.iter().map(choice).collect(),
        drawn: drawn.map(|decision| decision.site.name).collect(),
        changes: changes(program, id, &before.layers, &outcome.state),
        sent: sent.collect(),
        fault: outcome.fault.clone(),
        digest: 0,
    }
}

/// An answer as a trace has it.
pub fn choice(decision: &Decision) -> trace::Choice {
    trace::Choice {
        site: decision.site.name.to_owned(),
        option: decision.label.clone(),
        picked: decision.picked,
        of: decision.options,
    }
}

/// What happens without a step.
fn tell_still(
    program: &Direct,
    action: &Action<Direct>,
    before: &World<Direct>,
    after: &World<Direct>,
) -> Told {
    let touched = match action {
        Action::Crash { nodes, .. } => nodes.as_slice(),
        _ => &[],
    };
    let layers = |world: &World<Direct>, id: NodeId| world.nodes[id.index()].layers.clone();
    let changes = |id: &NodeId| changes(program, *id, &layers(before, *id), &layers(after, *id));
    Told {
        action: Some(describe(program, action)),
        node: None,
        ran: Vec::new(),
        choices: Vec::new(),
        drawn: Vec::new(),
        changes: touched.iter().flat_map(changes).collect(),
        sent: Vec::new(),
        fault: None,
        digest: 0,
    }
}

/// What stands before the names of a layer in claims and scenarios: the layers from the top of the stack to it, each with a dot behind
/// it. Of services that are written by hand, and know no names of layers, those of the services stand there.
pub fn layers_before(stack: &Stack, index: usize) -> String {
    let layers = stack.layers();
    let Some((above, slot)) = layers[index].above() else { return String::new() };
    let known = layers[above].service().info().tables.layers.get(usize::from(slot));
    let name = known.copied().unwrap_or(layers[index].service().info().name);
    format!("{}{name}.", layers_before(stack, above))
}

fn changes(program: &Direct, id: NodeId, before: &NodeState, after: &NodeState) -> Vec<Change> {
    let stack = &program.model().nodes[id.index()];
    let mut changes = Vec::new();
    for (index, layer) in stack.layers().iter().enumerate() {
        let service = layer.service();
        let path = layers_before(stack, index);
        let (old, new) = (service.fields(&before[index]), service.fields(&after[index]));
        for ((variable, before), (_, after)) in old.into_iter().zip(new) {
            if before != after {
                changes.push(Change {
                    node: id.to_string(),
                    service: service.info().name,
                    path: path.clone(),
                    variable,
                    before,
                    after,
                });
            }
        }
    }
    changes
}
