//! A model: what a system puts together, built from its arguments. Every driver starts from one.

use std::collections::BTreeSet;
use std::ops::Index;
use std::sync::Arc;
use std::time::Duration;

use crate::{
    ArgumentError, Arguments, Call, CarrierKind, FaultBudget, FaultPlan, Liveness, NodeId, Objective,
    Property, SpecInfo, Stack, Statistical, View,
};

/// A named group of nodes with consecutive ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    name: &'static str,
    ids: Vec<NodeId>,
    many: bool,
    generic: bool,
}

impl Group {
    /// The group's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Whether nothing is known of its nodes but what their services say that such a node may send. No engine runs these yet:
    /// whoever is given a model with such a group refuses it.
    pub fn is_generic(&self) -> bool {
        self.generic
    }

    /// Its nodes, in order.
    pub fn ids(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.ids.iter().copied()
    }

    /// How many nodes it has.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether it has no nodes.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// The only node of a group that was declared without a size.
    pub fn only(&self) -> NodeId {
        self.ids[0]
    }
}

impl Group {
    /// The node that comes next in the group, the first behind the last: the nodes stand in a ring. A node of another group
    /// is before the first.
    pub fn after(&self, node: NodeId) -> NodeId {
        let next = self.ids.iter().position(|it| *it == node).map_or(0, |at| at + 1);
        self.ids[next % self.ids.len().max(1)]
    }

    /// The node that comes before another in the group, the last before the first.
    pub fn before(&self, node: NodeId) -> NodeId {
        let at = self.ids.iter().position(|it| *it == node).unwrap_or(0);
        self.ids[(at + self.ids.len() - 1) % self.ids.len().max(1)]
    }
}

impl Index<usize> for Group {
    type Output = NodeId;

    /// The node of that number. Where there is none the system cannot be built, and this says why.
    fn index(&self, index: usize) -> &NodeId {
        let (name, size) = (self.name, self.len());
        self.ids
            .get(index)
            .unwrap_or_else(|| panic!("there is no `{name}[{index}]`: the group `{name}` has {size} node(s)"))
    }
}

impl From<&Group> for BTreeSet<NodeId> {
    fn from(group: &Group) -> Self {
        group.ids().collect()
    }
}

impl From<&Group> for Vec<NodeId> {
    fn from(group: &Group) -> Self {
        group.ids.clone()
    }
}

impl From<&Group> for NodeId {
    fn from(group: &Group) -> Self {
        group.only()
    }
}

/// How long a message is under way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum DelayModel {
    /// Always as long.
    Constant(Duration),
    /// Uniform between two bounds.
    Uniform(Duration, Duration),
    /// Exponential with a mean.
    Exponential(Duration),
}

/// A carrier of the model, with what the system says of its network.
#[derive(Clone, Debug, PartialEq)]
pub struct Carrier {
    /// The name in `uses`.
    pub name: &'static str,
    /// What it guarantees.
    pub kind: CarrierKind,
    /// How long a message is under way (simulation).
    pub delay: DelayModel,
    /// The probability that a message is lost; above 0, checking explores losses.
    pub loss: f64,
    /// The probability that a message is doubled, where the network doubles messages at all.
    pub duplicates: Option<f64>,
    /// Whether messages overtake each other (simulation; checking always explores it on datagrams).
    pub reorders: bool,
    /// The probability that a message overtakes those before it, where the system gives one (simulation).
    pub overtakes: Option<f64>,
    /// How many bytes a second pass from a sender to a receiver, one message after another; None for any number (simulation).
    pub bandwidth: Option<f64>,
}

impl Carrier {
    /// The delay of a carrier of which the system says nothing.
    pub const DELAY_DEFAULT: DelayModel = DelayModel::Constant(Duration::from_millis(10));

    /// The probability that a network which `duplicates` without a figure doubles a message (simulation).
    pub const DUPLICATES_DEFAULT: f64 = 0.01;
}

/// Where a search stops on purpose. A verdict within bounds never says complete.
#[derive(Clone, Debug, Default)]
pub struct Bounds {
    /// The greatest depth explored, in steps.
    pub depth: Option<u32>,
    /// A state with more messages in flight is not explored further.
    pub messages: Option<u32>,
    /// A state in which one of these is false is not explored further.
    pub within: Vec<fn(&View<'_>) -> bool>,
    /// How many messages may be lost; None for any number.
    pub drops: Option<u32>,
    /// How many messages may be doubled; None for any number.
    pub duplicates: Option<u32>,
    /// How many calls of the workload may be made, over all its lines; None for as many as they say.
    pub calls: Option<u32>,
    /// How many faults may happen, beyond what their own lines say.
    pub faults: Vec<FaultBudget>,
    /// Whether the order of timers and deliveries is that of their times.
    pub timed: bool,
    /// The reduction `retain-ignored`: a message without order whose receiver does nothing with it stays in the network. The states
    /// that nodes can be in, and the steps it takes to get there, are the same with and without; a bound on `messages` spoils that.
    pub retain_ignored: bool,
}

/// A system with its arguments: what every driver starts from.
#[derive(Clone, Debug)]
pub struct Model {
    /// The spec it comes from.
    pub spec: &'static SpecInfo,
    /// The system's name.
    pub system: &'static str,
    /// The arguments it was built with.
    pub arguments: Arguments,
    /// The groups of nodes.
    pub groups: Vec<Group>,
    /// The nodes by id.
    pub nodes: Vec<Stack>,
    /// Every carrier that some layer uses.
    pub carriers: Vec<Carrier>,
    /// The properties of the services that take part, and of the system.
    pub properties: Vec<&'static Property>,
    /// What the services that take part, and the system, claim of runs that go on for ever.
    pub liveness: Vec<&'static Liveness>,
    /// What the system claims of the probabilities of its runs.
    pub statistics: Vec<Arc<Statistical>>,
    /// The objectives of the services that take part, as the system weighs them.
    pub objectives: Vec<Objective>,
    /// What the application calls.
    pub calls: Vec<Call>,
    /// What may go wrong.
    pub faults: Vec<FaultPlan>,
    /// Bounds for checking.
    pub bounds: Bounds,
    /// Where a simulation ends.
    pub horizon: Option<Duration>,
    /// The names of the nodes: `n[2]`, or `tm` where a group was declared without a size.
    pub names: Arc<[String]>,
}

impl Model {
    /// The most nodes that a model may have.
    pub const NODES_MAX: usize = 1 << 20;

    /// The name of a node.
    pub fn name(&self, id: NodeId) -> &str {
        self.names.get(id.index()).map_or("?", String::as_str)
    }

    /// The node of the given name.
    pub fn node(&self, name: &str) -> Option<NodeId> {
        self.names.iter().position(|known| known == name).map(|index| NodeId::new(index as u32))
    }
}

/// Builds a [`Model`]: generated code is the caller.
#[derive(Debug)]
pub struct ModelBuilder {
    model: Model,
    network: Vec<(&'static str, Carrier)>,
}

impl ModelBuilder {
    /// An empty model of `system`.
    ///
    /// # Errors
    /// An argument that names no parameter of the system.
    pub fn new(
        spec: &'static SpecInfo,
        system: &'static str,
        arguments: &Arguments,
    ) -> Result<Self, ArgumentError> {
        let parameters =
            spec.systems.iter().find(|info| info.name == system).map_or(&[][..], |s| s.parameters);
        for (name, _) in arguments.iter() {
            if !parameters.iter().any(|parameter| parameter.name == name) {
                let known: Vec<&str> = parameters.iter().map(|parameter| parameter.name).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(ArgumentError::new(
                    name,
                    format!("system `{system}` has no such parameter (it has: {known})"),
                ));
            }
        }
        let model = Model {
            spec,
            system,
            arguments: arguments.clone(),
            groups: Vec::new(),
            nodes: Vec::new(),
            carriers: Vec::new(),
            properties: Vec::new(),
            liveness: Vec::new(),
            statistics: Vec::new(),
            objectives: Vec::new(),
            calls: Vec::new(),
            faults: Vec::new(),
            bounds: Bounds::default(),
            horizon: None,
            names: Arc::from([]),
        };
        Ok(ModelBuilder { model, network: Vec::new() })
    }

    /// Declares a group of `size` nodes, or of one where it has no size; nodes are placed later.
    ///
    /// # Errors
    /// More nodes than [`Model::NODES_MAX`].
    pub fn group(&mut self, name: &'static str, size: Option<usize>) -> Result<Group, ArgumentError> {
        let first = self.model.groups.iter().map(Group::len).sum::<usize>();
        let count = size.unwrap_or(1);
        if count > Model::NODES_MAX || first + count > Model::NODES_MAX {
            return Err(ArgumentError::new(name, format!("a system has at most {} nodes", Model::NODES_MAX)));
        }
        let ids = (first..first + count).map(|index| NodeId::new(index as u32)).collect();
        let group = Group { name, ids, many: size.is_some(), generic: false };
        self.model.groups.push(group.clone());
        Ok(group)
    }

    /// Says what runs on the nodes of `group`. Groups are placed in the order of their declaration.
    pub fn place(&mut self, group: &Group, stack: impl Fn(NodeId) -> Stack) {
        for id in group.ids() {
            assert_eq!(id.index(), self.model.nodes.len(), "groups are placed in the order of declaration");
            self.model.nodes.push(stack(id));
        }
    }

    /// Says that nothing is known of the nodes of `group` but what they may send.
    pub fn generic(&mut self, group: &Group) {
        for known in self.model.groups.iter_mut().filter(|known| known.name == group.name) {
            known.generic = true;
        }
    }

    /// Says what the network does to the carrier of this name.
    pub fn network(&mut self, name: &'static str, describe: impl FnOnce(&mut Carrier)) {
        let mut carrier = bare(name, CarrierKind::Datagram);
        describe(&mut carrier);
        self.network.push((name, carrier));
    }

    /// Adds properties; one that is there already is not added twice.
    pub fn properties(&mut self, properties: &'static [Property]) {
        for property in properties {
            if !self.model.properties.iter().any(|known| std::ptr::eq(*known, property)) {
                self.model.properties.push(property);
            }
        }
    }

    /// Adds objectives.
    pub fn objectives(&mut self, objectives: &[Objective]) {
        for objective in objectives {
            if !self.model.objectives.iter().any(|known| known.name == objective.name) {
                self.model.objectives.push(objective.clone());
            }
        }
    }

    /// Adds liveness properties; one that is there already is not added twice.
    pub fn liveness(&mut self, claims: &'static [Liveness]) {
        for claim in claims {
            if !self.model.liveness.iter().any(|known| std::ptr::eq(*known, claim)) {
                self.model.liveness.push(claim);
            }
        }
    }

    /// Adds a statistical property.
    pub fn statistical(&mut self, claim: Statistical) {
        self.model.statistics.push(Arc::new(claim));
    }

    /// Changes the objective `name`: its weight, level, discount or horizon.
    pub fn rescale(&mut self, name: &str, change: impl Fn(&mut Objective)) {
        for objective in self.model.objectives.iter_mut().filter(|objective| objective.name == name) {
            change(objective);
            let discount = objective.discount;
            assert!(
                discount > 0.0 && discount <= 1.0,
                "the discount {discount} of `{name}` is not above 0 and at most 1"
            );
        }
    }

    /// All nodes that were declared so far.
    pub fn ids(&self) -> Vec<NodeId> {
        self.model.groups.iter().flat_map(Group::ids).collect()
    }

    /// Adds a line of the workload.
    pub fn call(&mut self, call: Call) {
        self.model.calls.push(call);
    }

    /// Adds a line of the faults.
    pub fn fault(&mut self, fault: FaultPlan) {
        self.model.faults.push(fault);
    }

    /// The bounds for checking.
    pub fn bounds(&mut self) -> &mut Bounds {
        &mut self.model.bounds
    }

    /// Where a simulation ends.
    pub fn horizon(&mut self, horizon: Duration) {
        self.model.horizon = Some(horizon);
    }

    /// The model, with carriers wired and nodes named.
    pub fn finish(mut self) -> Model {
        self.wire();
        let names = self.model.groups.iter().flat_map(|group| {
            let name = |index: usize| match group.many {
                true => format!("{}[{index}]", group.name),
                false => group.name.to_owned(),
            };
            (0..group.len()).map(name).collect::<Vec<_>>()
        });
        self.model.names = names.collect();
        self.model
    }

    fn wire(&mut self) {
        let Model { nodes, carriers, .. } = &mut self.model;
        for layer in nodes.iter_mut().flat_map(Stack::layers_mut) {
            let used = layer.service().info().carriers;
            let places = used.iter().map(|info| {
                let known = carriers.iter().position(|c| c.name == info.name && c.kind == info.kind);
                known.unwrap_or_else(|| {
                    let said = self.network.iter().find(|(name, _)| *name == info.name);
                    let mut carrier =
                        said.map_or_else(|| bare(info.name, info.kind), |(_, said)| said.clone());
                    carrier.kind = info.kind;
                    carriers.push(carrier);
                    carriers.len() - 1
                }) as u8
            });
            let places = places.collect();
            layer.wire(places);
        }
    }
}

fn bare(name: &'static str, kind: CarrierKind) -> Carrier {
    Carrier {
        name,
        kind,
        delay: Carrier::DELAY_DEFAULT,
        loss: 0.0,
        duplicates: None,
        reorders: false,
        overtakes: None,
        bandwidth: None,
    }
}
