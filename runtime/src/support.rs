//! Helpers of generated code: reading nodes in a view, following ids, building a model. Not meant to be called by hand.

use std::any::{Any, type_name};
use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::{Hash, Hasher};

use foresee_kernel::{ArgumentError, Below, Digest, Model, NodeId, Service, Targets, View, fault};

/// A node id, or a reference to one.
pub trait Id {
    /// The id.
    fn id(self) -> NodeId;
}

impl Id for NodeId {
    fn id(self) -> NodeId {
        self
    }
}

impl<T: Id + Copy> Id for &T {
    fn id(self) -> NodeId {
        (*self).id()
    }
}

/// The id that something is.
pub fn id(id: impl Id) -> NodeId {
    id.id()
}

/// The ids that something holds.
pub fn ids(targets: impl Targets) -> Vec<NodeId> {
    let mut ids = Vec::new();
    targets.each(&mut |id| ids.push(id));
    ids
}

/// The variables of a node; a fault of the property where the node does not run `S`.
pub fn variables<'v, S: Service>(view: &View<'v>, node: impl Id) -> &'v S::Variables {
    let node = node.id();
    view.variables::<S>(node).unwrap_or_else(|| foreign::<S>(node))
}

/// The service of a node; a fault of the property where the node does not run `S`.
pub fn service<'v, S: Service>(view: &View<'v>, node: impl Id) -> &'v S {
    let node = node.id();
    view.service::<S>(node).unwrap_or_else(|| foreign::<S>(node))
}

/// The answer of a node's service to a query; a fault of the property where the node does not run `S`.
pub fn query<S: Service, Q: Any, A: Any>(view: &View<'_>, node: impl Id, query: &Q) -> A {
    let node = node.id();
    view.query::<S, Q, A>(node, query).unwrap_or_else(|| foreign::<S>(node))
}

/// What `ask` makes of what a node's service sees below it; a fault of the property where the node does not run `S`.
pub fn below<S: Service, A>(view: &View<'_>, node: impl Id, ask: impl FnOnce(&Below<'_>) -> A) -> A {
    let node = node.id();
    view.below::<S, A>(node, ask).unwrap_or_else(|| foreign::<S>(node))
}

fn foreign<S>(node: NodeId) -> ! {
    let service = type_name::<S>().rsplit("::").next().unwrap_or_default();
    fault::raise(format!("`{node}` does not run `{service}`, and a property reads it there"))
}

/// The layer of a node that runs `S`; a fault of the script where none does.
pub fn layer<S: Service>(view: &View<'_>, node: NodeId) -> u8 {
    let stack = view.model().nodes.get(node.index());
    let layer = stack.and_then(|stack| stack.layer_of(std::any::TypeId::of::<S>()));
    layer.map_or_else(|| foreign::<S>(node), |layer| layer as u8)
}

/// The layer that fills a slot of a node's top layer.
pub fn lower(view: &View<'_>, node: NodeId, slot: usize) -> u8 {
    view.model().nodes[node.index()].layers()[0].lower(slot)
}

/// A part of an expectation and its value, where it has one that can be shown.
pub fn seen(text: &'static str, value: impl FnOnce() -> Option<String>) -> Option<(&'static str, String)> {
    match fault::guard(value) {
        Ok(value) => Some((text, value?)),
        Err(fault) => Some((text, format!("without a value: {}", fault.message))),
    }
}

/// The reasons why a claim about a single node is false, behind that node.
pub fn of_node(me: NodeId, reasons: Vec<(&'static str, String)>) -> Vec<(&'static str, String)> {
    [("the node of which it is false", me.to_string())].into_iter().chain(reasons).collect()
}

/// Something that may be shown.
pub struct Shown<T>(pub T);

/// Shows what has a form for people.
pub trait ByDebug {
    /// The form.
    fn shown(&self) -> Option<String>;
}

impl<T: Debug + ?Sized> ByDebug for Shown<&T> {
    fn shown(&self) -> Option<String> {
        Some(format!("{:?}", self.0))
    }
}

/// Shows nothing of what has none: found where [`ByDebug`] is not.
pub trait Opaque {
    /// Nothing.
    fn shown(&self) -> Option<String>;
}

impl<T: ?Sized> Opaque for &Shown<&T> {
    fn shown(&self) -> Option<String> {
        None
    }
}

/// The nodes that a collection holds.
pub fn nodes(items: impl IntoIterator<Item: Id>) -> Vec<NodeId> {
    items.into_iter().map(Id::id).collect()
}

/// A key that tells one value from another, the same in every run.
pub fn key(value: &impl Hash) -> u64 {
    let mut digest = Digest::new();
    value.hash(&mut digest);
    digest.finish()
}

/// The nodes that are reached from `start` by following `next` at least once, or, if `reflexive`, any number of times.
pub fn closure(start: NodeId, reflexive: bool, next: impl Fn(NodeId) -> Vec<NodeId>) -> BTreeSet<NodeId> {
    let mut reached = BTreeSet::new();
    if reflexive {
        reached.insert(start);
    }
    let mut work = vec![start];
    while let Some(node) = work.pop() {
        for id in next(node) {
            if reached.insert(id) && id != start {
                work.push(id);
            }
        }
    }
    reached
}

/// The sum of numbers of any kind.
pub fn sum<T: std::iter::Sum<T>>(numbers: Vec<T>) -> T {
    numbers.into_iter().sum()
}

/// Builds a model; a panic on the way, such as an index beyond a group, becomes an error.
///
/// # Errors
/// What `build` says, or what it panicked with.
pub fn build(
    system: &'static str,
    build: impl FnOnce() -> Result<Model, ArgumentError>,
) -> Result<Model, ArgumentError> {
    match fault::guard(build) {
        Ok(result) => result,
        Err(fault) => {
            Err(ArgumentError::new(system, format!("the system cannot be built: {}", fault.message)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_closure_contains_its_start_where_a_loop_leads_back() {
        let node = NodeId::new;
        let parents = |id: NodeId| match id.index() {
            0 => vec![node(1)],
            1 => vec![node(2)],
            2 => vec![node(1)],
            _ => vec![],
        };
        let set = |ids: &[u32]| ids.iter().map(|id| node(*id)).collect::<BTreeSet<_>>();
        assert_eq!(closure(node(0), false, parents), set(&[1, 2]));
        assert_eq!(closure(node(1), false, parents), set(&[1, 2]));
        assert_eq!(closure(node(3), true, parents), set(&[3]));
        assert_eq!(ids(Some(node(4))), [node(4)]);
    }
}
