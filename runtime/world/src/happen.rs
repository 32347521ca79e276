//! What happens when the application calls, and when nodes and connections fail: the planned half of [`World::perform`].

use foresee_kernel::{Model, NodeId};

use crate::plans::budgets;
use crate::{Action, Ambient, Mark, Program, Route, Sink, World};

impl<P: Program> World<P> {
    /// What `action` does before a node takes a step. `after` is the ambient then.
    pub(crate) fn perform_planned(
        &self,
        program: &P,
        action: &Action<P>,
        after: &mut Ambient,
        sink: &mut impl Sink<P>,
    ) {
        let model = program.model();
        match action {
            Action::Call(calling) => {
                if model.calls[calling.plan as usize].most.is_some() {
                    after.calls[calling.plan as usize] += 1;
                }
                if model.bounds.calls.is_some() {
                    after.made += 1;
                }
                if program.plans().is_numbered(calling.plan, calling.way) {
                    after.requests[calling.node(program).index()] += 1;
                }
            }
            Action::Restart(id) => {
                after.down.remove(id);
                call_again(model, *id, after);
            }
            Action::Heal(side) => drop(after.parted.remove(side)),
            Action::Crash { plan, nodes } => {
                spend(model, *plan, nodes, after);
                let back = model.faults[*plan as usize].back.is_some();
                after.down.extend(nodes.iter().map(|id| (*id, back)));
                for id in nodes {
                    let recovered = program.recover(*id, &self.nodes[id.index()]);
                    if recovered != self.nodes[id.index()] {
                        sink.node(program, *id, &recovered);
                    }
                    sink.lose(program, *id, !back);
                }
                nodes.iter().for_each(|id| self.end(program, *id, Mark::Broken, after, sink));
            }
            Action::Reset { plan, node } => {
                spend(model, *plan, &[*node], after);
                sink.lose(program, *node, false);
                self.end(program, *node, Mark::Ended, after, sink);
                call_again(model, *node, after);
            }
            Action::Cut { plan, carrier, ends: (a, b) } => {
                spend(model, *plan, &[*a, *b], after);
                for (src, dst) in [(*a, *b), (*b, *a)] {
                    let route = Route { carrier: *carrier, src, dst };
                    sink.put(program, &program.marked(route, Mark::Broken));
                }
            }
            Action::Partition { plan, side } => {
                spend(model, *plan, side, after);
                after.parted.insert(side.clone(), model.faults[*plan as usize].back.is_some());
            }
            _ => {}
        }
    }

    /// Ends the connections of `id`, at the ends of those that are up.
    fn end(&self, program: &P, id: NodeId, mark: Mark, after: &Ambient, sink: &mut impl Sink<P>) {
        if !program.plans().breaks() {
            return;
        }
        for carrier in program.plans().ordered() {
            for dst in others(self.nodes.len(), id).filter(|dst| after.up(*dst)) {
                sink.put(program, &program.marked(Route { carrier: *carrier, src: id, dst }, mark));
            }
        }
    }

    /// Forgets who is connected to whom: nothing can break any more.
    pub(crate) fn forget(&self, program: &P, action: &Action<P>, sink: &mut impl Sink<P>) {
        // A mark comes from some other node; who that is has no meaning.
        let nodes = self.nodes.len();
        let from = match action {
            Action::Crash { nodes, .. } => nodes[0],
            Action::Reset { node, .. } => *node,
            Action::Cut { ends, .. } => ends.0,
            _ => NodeId::new(0),
        };
        for carrier in program.plans().ordered() {
            for dst in (0..nodes).map(|index| NodeId::new(index as u32)) {
                sink.put(program, &program.marked(Route { carrier: *carrier, src: from, dst }, Mark::Forget));
            }
        }
    }
}

fn others(nodes: usize, id: NodeId) -> impl Iterator<Item = NodeId> {
    (0..nodes).map(|index| NodeId::new(index as u32)).filter(move |other| *other != id)
}

fn spend(model: &Model, plan: u32, nodes: &[NodeId], after: &mut Ambient) {
    let fault = &model.faults[plan as usize];
    if fault.most.is_some() {
        after.faults[plan as usize] += 1;
    }
    budgets(model, fault.kind, nodes).for_each(|budget| after.budgets[budget] += 1);
}

/// A node is back: what the application calls after a restart, it may call again.
fn call_again(model: &Model, id: NodeId, after: &mut Ambient) {
    let lines = model.calls.iter().zip(&mut after.calls);
    for (call, made) in lines.filter(|(call, _)| call.after_restart) {
        if call.ways.iter().any(|way| way.node == id) {
            *made = 0;
        }
    }
}
