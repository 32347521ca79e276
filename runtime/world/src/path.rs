//! A path through worlds: how the nodes started, and what happened then.

use foresee_kernel::NodeId;

use crate::{Action, Direct, Successor, World};

/// One thing that happens, and the answers that its step is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// What happens.
    pub action: Action<Direct>,
    /// The answers.
    pub tape: Vec<u32>,
}

/// A path from the start.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// For each node, the answers that its start is given.
    pub starts: Vec<Vec<u32>>,
    /// What happened then.
    pub moves: Vec<Move>,
}

/// A first world: every node has started. More than one where a start branches.
#[derive(Clone, Debug)]
pub struct Initial {
    /// The world.
    pub world: World<Direct>,
    /// For each node, the answers that its start was given.
    pub starts: Vec<Vec<u32>>,
    /// A node whose start faulted, if one did, and why.
    pub fault: Option<(NodeId, foresee_kernel::Fault)>,
}

/// Every first world, in the order of the tapes: the product of all ways in which the nodes can start, at most
/// `most` of them; None where there are more.
pub fn initials(program: &Direct, most: usize) -> Option<Vec<Initial>> {
    let model = program.shared_model();
    let mut partial = vec![(Vec::<Successor<Direct>>::new(), None)];
    for index in 0..model.nodes.len() {
        let id = NodeId::new(index as u32);
        let ways = program.starts(id);
        if ways.len().saturating_mul(partial.len()) > most {
            return None;
        }
        let extend = |(so_far, fault): (Vec<Successor<Direct>>, Option<_>)| {
            let extended = ways.iter().map(move |way| {
                let fault = fault.clone().or(way.fault.clone().map(|fault| (id, fault)));
                let mut starts = so_far.clone();
                starts.push(way.clone());
                (starts, fault)
            });
            extended.collect::<Vec<_>>()
        };
        partial = partial.into_iter().flat_map(extend).collect();
    }
    Some(partial.into_iter().map(|(starts, fault)| initial(program, starts, fault)).collect())
}

fn initial(
    program: &Direct,
    successors: Vec<Successor<Direct>>,
    fault: Option<(NodeId, foresee_kernel::Fault)>,
) -> Initial {
    let mut world = program.world(successors.iter().map(|successor| successor.node.clone()).collect());
    for successor in &successors {
        world.send_all(program, &successor.sends);
    }
    Initial { world, starts: successors.into_iter().map(|successor| successor.tape).collect(), fault }
}
