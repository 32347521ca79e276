//! Claims that one node can decide alone, followed from step to step: what a live node checks of itself where that is switched on, and
//! what a replay of its recording finds again.
//!
//! *Caveats*: a claim of several nodes at once, of nodes that are down, or of ghosts, which no live node keeps, is not among them
//! ([`Property::alone`]).

use std::sync::Arc;

use crate::{Datum, Model, NodeId, NodeState, Property, PropertyKind, States, View, fault};

/// Follows one node.
#[derive(Debug)]
pub struct LocalClaims {
    model: Arc<Model>,
    node: NodeId,
    claims: Vec<(&'static Property, bool)>,
}

/// A claim that a step made false.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The claim.
    pub property: &'static str,
    /// The parts of it that fail, each as written and with what it is.
    pub why: Vec<(&'static str, String)>,
}

impl LocalClaims {
    /// The claims about `node` of `model` that it can decide alone.
    pub fn new(model: Arc<Model>, node: NodeId) -> Self {
        let alone = |it: &&&Property| it.alone && it.kind != PropertyKind::Reachable;
        let claims = model.properties.iter().filter(alone).map(|it| (*it, true)).collect();
        LocalClaims { model, node, claims }
    }

    /// Their names.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.claims.iter().map(|(property, _)| property.name)
    }

    /// Begins a life of the node: whatever was false before counts as true.
    pub fn begin(&mut self) {
        self.claims.iter_mut().for_each(|(_, holds)| *holds = true);
    }

    /// What became false by the step that led to `state`, in the order of the claims. One that stays false is not told again.
    pub fn step(&mut self, state: &NodeState) -> Vec<Violation> {
        let alone = Alone { node: self.node, state };
        let view = View::of_node(&self.model, &alone, self.node);
        let mut violated = Vec::new();
        for (property, held) in &mut self.claims {
            // A claim without a value is none that holds.
            let now = fault::guard(|| (property.holds)(&view));
            if *held && !matches!(now, Ok(true)) {
                let why = match &now {
                    Ok(_) => fault::guard(|| (property.why)(&view)).unwrap_or_default(),
                    Err(fault) => vec![("the claim", format!("without a value: {}", fault.message))],
                };
                violated.push(Violation { property: property.name, why });
            }
            *held = matches!(now, Ok(true));
        }
        violated
    }
}

/// A node that knows of no other.
struct Alone<'a> {
    node: NodeId,
    state: &'a NodeState,
}

impl States for Alone<'_> {
    fn layer(&self, node: NodeId, layer: usize) -> &Datum {
        if node != self.node {
            fault::raise(format!("`{node}` is another node, and a claim of one node alone reads it"));
        }
        &self.state[layer]
    }

    fn up(&self, node: NodeId) -> bool {
        node == self.node
    }
}
