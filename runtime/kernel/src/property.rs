//! Properties, and the view of a global state that they are evaluated on.

use std::any::{Any, TypeId};
use std::fmt;

use crate::{Below, Datum, Digest, LayerStates, Model, NodeId, Service};

/// What a property claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PropertyKind {
    /// Holds in every state.
    Safety,
    /// Safety of one node's own state.
    Local,
    /// Some state in which it holds is reached: a witness against vacuity.
    Reachable,
}

impl PropertyKind {
    /// The word of the language.
    pub const fn keyword(self) -> &'static str {
        match self {
            PropertyKind::Safety => "safety",
            PropertyKind::Local => "local",
            PropertyKind::Reachable => "reachable",
        }
    }
}

/// A property as the compiler hands it over.
pub struct Property {
    /// Its name, unique in its system.
    pub name: &'static str,
    /// What it claims.
    pub kind: PropertyKind,
    /// The spec's path as it was given to the compiler.
    pub file: &'static str,
    /// Its line in the spec.
    pub line: u32,
    /// Whether it holds in a state.
    pub holds: fn(&View<'_>) -> bool,
    /// Where it does not hold: the part of it that fails and the values in it, each as written and with what it is.
    pub why: fn(&View<'_>) -> Vec<(&'static str, String)>,
    /// All that `holds` may read of the variables of nodes: its value is a function of these parts alone, and of which nodes are
    /// up where `reads_up` says so.
    pub reads: &'static [Read],
    /// Whether it asks which nodes are up.
    pub reads_up: bool,
    /// Whether it is claimed of each node by itself, and reads no ghosts: a node that runs can decide it alone, on
    /// [`View::of_node`].
    pub alone: bool,
    /// Whether it reads ghosts, so that the states of live nodes do not decide it.
    pub ghosts: bool,
}

impl fmt::Debug for Property {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} (line {})", self.kind.keyword(), self.name, self.line)
    }
}

/// A part of the state of every node that runs a service.
pub struct Read {
    /// The type of the service.
    pub service: fn() -> TypeId,
    /// Folds the part of the service's variables into a digest.
    pub digest: fn(&dyn Any, &mut Digest),
}

impl fmt::Debug for Read {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Read")
    }
}

impl Property {
    /// Of a property written by hand that gives no reasons.
    pub const UNEXPLAINED: fn(&View<'_>) -> Vec<(&'static str, String)> = |_| Vec::new();

    /// The digest of what this property may read of the variables of `node`, whose layers' states `layer` gives. Whether the node is
    /// up is no part of it: a caller that takes nodes down adds it where [`Property::reads_up`] says so.
    pub fn projection<'s>(&self, model: &Model, node: NodeId, layer: &dyn Fn(usize) -> &'s Datum) -> u64 {
        projection(self.reads, model, node, layer)
    }
}

/// The digest of the parts of the variables of `node` that `reads` names.
pub(crate) fn projection<'s>(
    reads: &[Read],
    model: &Model,
    node: NodeId,
    layer: &dyn Fn(usize) -> &'s Datum,
) -> u64 {
    use std::hash::Hasher;
    let stack = &model.nodes[node.index()];
    let mut digest = Digest::new();
    for (index, read) in reads.iter().enumerate() {
        if let Some(place) = stack.layer_of((read.service)()) {
            digest.write_usize(index);
            let variables = stack.layers()[place].service().variables(layer(place));
            (read.digest)(variables, &mut digest);
        }
    }
    digest.finish()
}

/// The states of nodes, however a driver keeps them.
pub trait States {
    /// The state of layer `layer` of `node`.
    fn layer(&self, node: NodeId, layer: usize) -> &Datum;
    /// Whether the node is up.
    fn up(&self, node: NodeId) -> bool;
}

/// A global state as properties and objectives see it.
#[derive(Clone, Copy)]
pub struct View<'a> {
    model: &'a Model,
    states: &'a dyn States,
    only: Option<NodeId>,
}

impl<'a> View<'a> {
    /// A view of `states` of the nodes of `model`.
    pub fn new(model: &'a Model, states: &'a dyn States) -> Self {
        View { model, states, only: None }
    }

    /// A view in which `node` is the only one: for what is claimed of each node by itself.
    pub fn of_node(model: &'a Model, states: &'a dyn States, node: NodeId) -> Self {
        View { model, states, only: Some(node) }
    }

    /// The model.
    pub fn model(&self) -> &'a Model {
        self.model
    }

    /// The nodes that run `S`, in the order of their ids.
    pub fn running<S: Service>(&self) -> Vec<NodeId> {
        let runs = |id: &NodeId| self.model.nodes[id.index()].layer_of(TypeId::of::<S>()).is_some();
        self.all().into_iter().filter(runs).collect()
    }

    /// All nodes.
    pub fn all(&self) -> Vec<NodeId> {
        match self.only {
            Some(node) => vec![node],
            None => (0..self.model.nodes.len() as u32).map(NodeId::new).collect(),
        }
    }

    /// The nodes of the group at `index` in the model.
    pub fn group(&self, index: usize) -> Vec<NodeId> {
        self.model.groups[index].ids().collect()
    }

    /// The variables of the layer of `node` that runs `S`; None where no layer does.
    pub fn variables<S: Service>(&self, node: NodeId) -> Option<&'a S::Variables> {
        let stack = self.model.nodes.get(node.index())?;
        let layer = stack.layer_of(TypeId::of::<S>())?;
        stack.layers()[layer].service().variables(self.states.layer(node, layer)).downcast_ref()
    }

    /// The service `S` of `node`, for its parameters; None where no layer runs it.
    pub fn service<S: Service>(&self, node: NodeId) -> Option<&'a S> {
        let stack = self.model.nodes.get(node.index())?;
        let layer = stack.layer_of(TypeId::of::<S>())?;
        stack.layers()[layer].service().as_any().downcast_ref()
    }

    /// What the layer of `node` that runs `S` sees of those below it, to ask them: gives `ask` that window; None where
    /// no layer runs `S`.
    pub fn below<S: Service, A>(&self, node: NodeId, ask: impl FnOnce(&Below<'_>) -> A) -> Option<A> {
        let stack = self.model.nodes.get(node.index())?;
        let layer = stack.layer_of(TypeId::of::<S>())?;
        let states = NodeStates { states: self.states, node };
        Some(ask(&Below::new(node, stack.layers(), &states, layer)))
    }

    /// The answer of the layer of `node` that runs `S` to `query`; None where no layer does, or it does not answer it.
    pub fn query<S: Service, Q: Any, A: Any>(&self, node: NodeId, query: &Q) -> Option<A> {
        self.below::<S, _>(node, |below| below.own(query)).flatten()
    }

    /// Whether `node` is up.
    pub fn up(&self, node: NodeId) -> bool {
        self.states.up(node)
    }
}

/// The layers of one node.
struct NodeStates<'a> {
    states: &'a dyn States,
    node: NodeId,
}

impl LayerStates for NodeStates<'_> {
    fn layer(&self, layer: usize) -> &Datum {
        self.states.layer(self.node, layer)
    }
}
