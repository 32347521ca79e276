//! Nodes that go down and come back as a record or a law says. What it does is a fault that the system says may happen, and counts as
//! one of its line; where a line has none left, a law does nothing.

use std::collections::BTreeMap;
use std::sync::Arc;

use foresee_kernel::{FaultKind, FaultPlan, FaultTarget, Model, NodeId};
use foresee_net::churn::{Churn, Turn, Turns};

use crate::engine::Engine;
use crate::options::SimError;

/// Whether a line lets a node stop by itself. One that says how it comes back will do for one that stays away, too.
fn may_stop(fault: &FaultPlan, node: NodeId, returns: bool) -> bool {
    let alone = matches!(&fault.target, FaultTarget::OneOf(nodes) if nodes.contains(&node));
    fault.kind == FaultKind::Crash && alone && (fault.back.is_some() || !returns)
}

/// Whether a system says of a churn what it does.
///
/// # Errors
/// A node that the system does not have, that may not stop or come back, or that stops more often than it may.
pub(crate) fn said(model: &Model, churn: &Churn) -> Result<(), SimError> {
    let wrong = |message: String| Err(SimError::Churn { message });
    let name = |node: NodeId| foresee_kernel::names::scope(&model.names, || node.to_string());
    let known = |node: u32| match (node as usize) < model.nodes.len() {
        true => Ok(NodeId::new(node)),
        false => Err(SimError::Churn {
            message: format!("it speaks of node {node}, and there are {}, from 0", model.nodes.len()),
        }),
    };
    let stops = |node: NodeId, returns: bool| match model.faults.iter().any(|it| may_stop(it, node, returns))
    {
        true => Ok(()),
        false => {
            let (name, back) = (name(node), if returns { ": back" } else { "" });
            let comes = if returns { " and comes back" } else { " for good" };
            wrong(format!(
                "it stops {name}{comes}, and the system does not say that this may happen; say so among its faults, \
                 `crash {name}{back};`"
            ))
        }
    };
    match churn {
        Churn::Laws(laws) => {
            for node in laws.iter().filter_map(|law| law.nodes.as_ref()).flatten() {
                known(*node)?;
            }
            for node in 0..model.nodes.len() as u32 {
                if let Some(law) = churn.law(node).filter(|law| law.up.is_some()) {
                    stops(known(node)?, law.down.is_some())?;
                }
            }
        }
        Churn::Recorded(turns) => {
            let mut downs: BTreeMap<usize, u64> = BTreeMap::new();
            for turn in turns.iter().filter(|turn| !turn.up) {
                let (node, returns) = (known(turn.node)?, !turn.last);
                stops(node, returns)?;
                if let Some(line) = model.faults.iter().position(|it| may_stop(it, node, returns)) {
                    *downs.entry(line).or_default() += 1;
                }
            }
            for (line, count) in downs {
                let fault = &model.faults[line];
                if let Some(most) = fault.most.filter(|most| count > u64::from(*most)) {
                    return wrong(format!(
                        "it stops nodes {count} times, and `{}` may happen {most} times",
                        fault.text
                    ));
                }
            }
        }
    }
    Ok(())
}

impl Engine {
    /// Puts the first turns on the clock.
    pub fn plan_churn(&mut self) {
        match self.churn.clone().as_deref() {
            None => {}
            Some(Churn::Recorded(turns)) => {
                if let Some(first) = turns.first() {
                    self.plan_recorded(first.at, 0);
                }
            }
            Some(churn @ Churn::Laws(_)) => {
                for node in (0..self.model.nodes.len()).map(|index| NodeId::new(index as u32)) {
                    if let Some(law) = churn.law(node.index() as u32) {
                        self.plan_turn_of(law, node, false);
                    }
                }
            }
        }
    }

    /// A turn of the record; the next is planned.
    pub fn turn_recorded(&mut self, place: usize) {
        let Some(churn) = self.churn.clone() else { return };
        let Churn::Recorded(turns) = &*churn else { return };
        if let Some(next) = turns.get(place + 1) {
            self.plan_recorded(next.at, place + 1);
        }
        let Turn { node, up, last, .. } = turns[place];
        self.turn(NodeId::new(node), up, !up && !last);
    }

    /// A turn by a law; the next of this node is planned.
    pub fn turn_by_law(&mut self, node: NodeId, up: bool) {
        let churn: Option<Arc<Churn>> = self.churn.clone();
        let Some(law) = churn.as_ref().and_then(|churn| churn.law(node.index() as u32)) else { return };
        self.turn(node, up, law.down.is_some());
        self.plan_turn_of(law, node, !up);
    }

    fn plan_turn_of(&mut self, law: &Turns, node: NodeId, up: bool) {
        let Some(lasts) = (if up { law.down.as_ref() } else { law.up.as_ref() }) else { return };
        let after = lasts.nanos(&mut self.draws.turn(node));
        self.plan_turn(self.now.get().saturating_add(after), node, up);
    }

    fn turn(&mut self, node: NodeId, up: bool, returns: bool) {
        match up {
            true if !self.ambient.up(node) && !self.ambient.gone(node) => self.restart(node),
            false if self.ambient.up(node) => {
                let free = |(line, fault): &(usize, &FaultPlan)| {
                    may_stop(fault, node, returns)
                        && fault.most.is_none_or(|most| self.spent(*line) < u64::from(most))
                };
                let line = self.model.faults.iter().enumerate().find(free).map(|(line, _)| line);
                if let Some(line) = line {
                    self.count(line);
                    self.crash(line as u32, vec![node], returns);
                }
            }
            _ => {}
        }
    }
}
