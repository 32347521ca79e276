//! The workload and the faults of a script: a model of its own, in which what the script does is planned, so that it can be written
//! down and told like any other run.

use std::sync::Arc;
use std::time::Duration;

use foresee_kernel::{
    Bounds, Call, Event, FaultKind, FaultPlan, FaultTarget, Model, NodeEvent, NodeId, ScenarioInfo, Timing,
    Way, script::ScriptLine,
};

use super::Player;

/// The line of the faults by which a script's crashes happen.
pub(crate) const CRASH: u32 = 0;
/// That of its resets.
pub(crate) const RESET: u32 = 1;
/// That of its cuts.
pub(crate) const CUT: u32 = 2;
/// That of its partitions.
pub(crate) const PARTITION: u32 = 3;

/// The model in which a script may do anything.
pub(super) fn open(model: &Arc<Model>, scenario: &'static ScenarioInfo) -> Arc<Model> {
    self::model(model, scenario, Vec::new(), true)
}

/// The model in which the application makes these calls, and anything may fail if `breaks`.
pub(super) fn model(
    model: &Arc<Model>,
    scenario: &'static ScenarioInfo,
    calls: Vec<Call>,
    breaks: bool,
) -> Arc<Model> {
    let faults = if breaks { anything(model, scenario.name, scenario.line) } else { Vec::new() };
    // A bound on doublings decides how a network is looked at; the others say nothing here.
    let bounds = Bounds { duplicates: model.bounds.duplicates, ..Bounds::default() };
    Arc::new(Model { calls, faults, bounds, ..(**model).clone() })
}

/// Faults of every kind, by the lines above: any node, at any time. They stand in a spec as `text` at `line`.
pub(crate) fn anything(model: &Model, text: &'static str, line: u32) -> Vec<FaultPlan> {
    let nodes: Vec<NodeId> = (0..model.nodes.len()).map(|index| NodeId::new(index as u32)).collect();
    let plan = |kind| FaultPlan {
        text,
        line,
        kind,
        target: FaultTarget::OneOf(nodes.clone()),
        most: None,
        timing: Timing::default(),
        chance: None,
        back: Some((Duration::ZERO, Duration::ZERO)),
    };
    [FaultKind::Crash, FaultKind::Reset, FaultKind::Cut, FaultKind::Partition].map(plan).to_vec()
}

impl Player {
    /// The application makes a call: the next of the workload, if that is known already.
    pub(super) fn call(&mut self, line: &ScriptLine, way: Way) {
        let place = self.calls.len();
        let (node, layer, make) = (way.node, way.layer, way.call.clone());
        let (text, line) = (line.text, line.line);
        let (most, timing, after_restart) = (None, Timing::default(), false);
        self.calls.push(Call { text, line, most, timing, after_restart, ways: vec![way] });
        if place < self.engine.model.calls.len() {
            return self.engine.call(place, 0);
        }
        let number = match make(0) == make(1) {
            true => 0,
            false => self.engine.requests.number(node),
        };
        self.engine.unplanned(node, NodeEvent::Layer(layer, Event::Call(make(u64::from(number)))));
    }
}
