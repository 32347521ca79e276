//! Steps of a run whose policy has a witness: it is told what happens, and shown the step in which it chooses.
//!
//! Such a policy looks at the run while a step of it is going on, so the step works on a copy and the run stands still.

use foresee_kernel::{NodeEvent, NodeId, Outcome};

use crate::engine::Engine;
use crate::flights::Stage;
use crate::resolver::{Chooser, Deliberation, First, Policy};
use crate::rollout::{Situation, Surroundings, UnderWay};
use crate::witness::{Own, Truth};

impl Engine {
    /// The step of a node whose policy looks on.
    pub fn deliberate(&mut self, node: NodeId, event: &NodeEvent, labels: bool) -> Outcome {
        let mut policy: Box<dyn Policy> = std::mem::replace(&mut self.policy, Box::new(First));
        let mut draws = std::mem::take(&mut self.draws);
        let mut chooser = Chooser {
            policy: &mut *policy,
            draws: &mut draws,
            now: self.now.get(),
            labels,
            step: Some(Deliberation { event, truth: self, picks: Vec::new(), thought: 0 }),
            own: None,
        };
        let stack = &self.model.nodes[node.index()];
        let outcome = stack.step(node, &self.states[node.index()], event, &mut chooser);
        let thought = chooser.step.map_or(0, |step| step.thought);
        (self.policy, self.draws, self.thought) = (policy, draws, thought);
        outcome
    }

    /// Tells the witness what ran in the step that `node` has just taken.
    pub fn told_what_ran(&mut self, node: NodeId) {
        if let Some(witness) = self.policy.witness() {
            witness.ran(self.now.get(), node, self.scratch.ran());
        }
    }

    /// Tells the witness what `node` has become.
    pub fn witnessed(&mut self, node: NodeId) {
        if let Some(witness) = self.policy.witness() {
            let up = self.ambient.up(node);
            let own = Own { state: &self.states[node.index()], up, node, timers: &self.timers };
            witness.changed(self.now.get(), node, &own);
        }
    }

    /// The run as it stands.
    pub fn situation_now(&self) -> Situation {
        let nodes = (0..self.states.len()).map(|index| NodeId::new(index as u32));
        let mut flights: Vec<_> = self
            .queue
            .entries()
            .filter_map(|entry| {
                let flight = self.flights.get(entry.slot).filter(|flight| flight.order == entry.order())?;
                (entry.kind() == crate::queue::Kind::Delivery).then(|| {
                    (
                        entry.order(),
                        UnderWay {
                            route: flight.route,
                            message: (!flight.mark).then(|| flight.message().clone()),
                            at_nanos: entry.at,
                            taken: flight.stage == Stage::Taken,
                        },
                    )
                })
            })
            .collect();
        flights.sort_by_key(|(order, flight)| (flight.at_nanos, *order));
        Situation {
            now_nanos: self.now.get(),
            states: self.states.clone(),
            down: self.ambient.down.clone(),
            timers: nodes.flat_map(|node| self.timers.armed(node)).collect(),
            flights: flights.into_iter().map(|(_, flight)| flight).collect(),
            network: Surroundings { place: self.network.surroundings() },
        }
    }
}

impl Truth for Engine {
    fn own(&self, node: NodeId) -> Own<'_> {
        let up = self.ambient.up(node);
        Own { state: &self.states[node.index()], up, node, timers: &self.timers }
    }

    fn situation(&self) -> Situation {
        self.situation_now()
    }
}
