//! Helpers of generated code: reading nodes in a view, following ids, building a model. Not meant to be called by hand.

use std::any::type_name;
use std::collections::BTreeSet;

use foresee_kernel::{ArgumentError, Model, NodeId, Service, Targets, View, fault};

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

fn foreign<S>(node: NodeId) -> ! {
    let service = type_name::<S>().rsplit("::").next().unwrap_or_default();
    fault::raise(format!("`{node}` does not run `{service}`, and a property reads it there"))
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
