//! Properties, evaluated after every event and remembered: one is evaluated only where what it reads has changed to
//! something that was not seen before.

use std::hash::BuildHasherDefault;

use foresee_kernel::digest::at;
use foresee_kernel::{Digest, Model, NodeId, Property, PropertyKind, States, View};
use foresee_world::reference::NO_FAULT;
use hashbrown::HashMap;

use crate::engine::Seen;
use crate::exact::key::Key;
use crate::result::{PropertyOutcome, Status};

/// How many values of a property are remembered; then it starts anew.
const REMEMBERED_MAX: usize = 1 << 16;

/// The properties of a model.
#[derive(Debug)]
pub(crate) struct Watch {
    properties: Vec<Watched>,
}

#[derive(Debug)]
struct Watched {
    property: &'static Property,
    /// For every node, the digest of what the property reads there.
    parts: Vec<u64>,
    /// The sum of the parts, each at its place.
    key: u64,
    remembered: HashMap<u64, bool, BuildHasherDefault<Digest>>,
    status: Status,
}

impl Watch {
    /// Evaluates all properties in the first state.
    pub fn new(model: &Model, seen: &Seen<'_>) -> (Self, Option<&'static str>) {
        let watched = |property: &'static Property| {
            let mut watched = Watched {
                property,
                parts: vec![0; seen.states.len()],
                key: 0,
                remembered: HashMap::default(),
                status: match property.kind {
                    PropertyKind::Safety | PropertyKind::Local => Status::Held,
                    PropertyKind::Reachable => Status::Unreached,
                },
            };
            for index in 0..seen.states.len() {
                watched.read(model, seen, NodeId::new(index as u32));
            }
            watched
        };
        let mut watch = Watch { properties: model.properties.iter().copied().map(watched).collect() };
        let mut violated = None;
        for watched in &mut watch.properties {
            if watched.evaluate(model, seen) && violated.is_none() {
                violated = Some(watched.property.name);
            }
        }
        (watch, violated)
    }

    /// Looks at the state after a step of `node`. The first property that it violates, if it violates one.
    #[inline]
    pub fn look(&mut self, model: &Model, seen: &Seen<'_>, node: NodeId) -> Option<&'static str> {
        if self.properties.is_empty() { None } else { self.look_at_all(model, seen, node) }
    }

    fn look_at_all(&mut self, model: &Model, seen: &Seen<'_>, node: NodeId) -> Option<&'static str> {
        let mut violated = None;
        for watched in &mut self.properties {
            let violates = watched.status != Status::Reached
                && watched.read(model, seen, node)
                && watched.evaluate(model, seen);
            if violates && violated.is_none() {
                violated = Some(watched.property.name);
            }
        }
        violated
    }

    /// The same in a run that is the same so far; it remembers nothing of what was evaluated.
    pub fn fork(&self) -> Self {
        let fork = |watched: &Watched| Watched {
            property: watched.property,
            parts: watched.parts.clone(),
            key: watched.key,
            remembered: HashMap::default(),
            status: watched.status,
        };
        Watch { properties: self.properties.iter().map(fork).collect() }
    }

    /// Writes down what became of each property so far: the rest is a function of the state.
    pub fn write(&self, key: &mut Key) {
        self.properties.iter().for_each(|watched| key.word(watched.status as u64));
    }

    /// Whether the property of this place was reached, or violated.
    pub fn came_to(&self, property: usize) -> bool {
        matches!(self.properties[property].status, Status::Reached | Status::Violated)
    }

    pub fn outcomes(&self, faulted: bool) -> Vec<PropertyOutcome> {
        let outcome = |watched: &Watched| PropertyOutcome {
            name: watched.property.name.to_owned(),
            kind: watched.property.kind.keyword(),
            status: watched.status,
        };
        let no_fault = PropertyOutcome {
            name: NO_FAULT.to_owned(),
            kind: PropertyKind::Safety.keyword(),
            status: if faulted { Status::Violated } else { Status::Held },
        };
        self.properties.iter().map(outcome).chain([no_fault]).collect()
    }
}

impl Watched {
    /// Takes note of the state of `node`. Whether what the property reads has changed.
    fn read(&mut self, model: &Model, seen: &Seen<'_>, node: NodeId) -> bool {
        let index = node.index();
        let read = self.property.projection(model, node, &|layer| &seen.states[index][layer]);
        // A property may ask whether a node is up, whatever else it reads of it.
        let part = at(index as u64, read.wrapping_add(u64::from(!seen.up(node))));
        let before = std::mem::replace(&mut self.parts[index], part);
        self.key = self.key.wrapping_sub(before).wrapping_add(part);
        before != part
    }

    /// Whether the state violates the property.
    fn evaluate(&mut self, model: &Model, seen: &Seen<'_>) -> bool {
        let holds = match self.remembered.get(&self.key) {
            Some(holds) => *holds,
            None => {
                let holds = (self.property.holds)(&View::new(model, seen));
                if self.remembered.len() >= REMEMBERED_MAX {
                    self.remembered.clear();
                }
                self.remembered.insert(self.key, holds);
                holds
            }
        };
        match self.property.kind {
            PropertyKind::Safety | PropertyKind::Local if !holds => self.status = Status::Violated,
            PropertyKind::Reachable if holds => self.status = Status::Reached,
            _ => {}
        }
        self.status == Status::Violated
    }
}
