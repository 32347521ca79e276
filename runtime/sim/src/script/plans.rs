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
pub(super) const CRASH: u32 = 0;
/// That of its resets.
pub(super) const RESET: u32 = 1;
/// That of its cuts.
pub(super) const CUT: u32 = 2;
/// That of its partitions.
pub(super) const PARTITION: u32 = 3;

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
    let nodes: Vec<NodeId> = (0..model.nodes.len()).map(|index| NodeId::new(index as u32)).collect();
    let plan = |kind| FaultPlan {
        text: scenario.name,
        line: scenario.line,
        kind,
        target: FaultTarget::OneOf(nodes.clone()),
        most: None,
        timing: Timing::default(),
        chance: None,
        back: Some((Duration::ZERO, Duration::ZERO)),
    };
    let kinds = [FaultKind::Crash, FaultKind::Reset, FaultKind::Cut, FaultKind::Partition];
    let faults = if breaks { kinds.map(plan).to_vec() } else { Vec::new() };
    // A bound on doublings decides how a network is looked at; the others say nothing here.
    let bounds = Bounds { duplicates: model.bounds.duplicates, ..Bounds::default() };
    Arc::new(Model { calls, faults, bounds, ..(**model).clone() })
}

impl Player<'_> {
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
