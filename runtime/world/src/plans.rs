//! What the plans of a model allow next: calls of the application, and faults, each by the line of the system that says so.
//!
//! The rules that need the whole model, and not the state, are worked out once ([`Plans`]).

use foresee_kernel::{
    Call, CarrierKind, Datum, FaultBudget, FaultKind, FaultPlan, FaultTarget, Model, NodeId,
};

use crate::action::Calling;
use crate::{Action, Ambient, Program, World, channel};

/// What is known of a model's plans before anything happens.
#[derive(Clone, Debug)]
pub struct Plans {
    /// Whether ordered connections can break.
    breaks: bool,
    /// The carriers of ordered connections.
    ordered: Vec<u8>,
    /// For each line of the workload and each of its ways, whether the call is given a number.
    numbered: Vec<Vec<bool>>,
    first: Ambient,
}

/// Which part of a world is asked what may happen next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Of {
    /// All of it.
    Everything,
    /// One node: what concerns it and nobody else, but for what it sends and for who learns of it. It depends on that node's state,
    /// on what is in flight to it, and on the ambient.
    Node(NodeId),
    /// What concerns several nodes at once, or depends on the states of several.
    Several,
}

impl Of {
    fn node(self, id: NodeId) -> bool {
        matches!(self, Of::Everything) || self == Of::Node(id)
    }

    fn several(self) -> bool {
        matches!(self, Of::Everything | Of::Several)
    }
}

impl Plans {
    /// The plans of `model`.
    pub fn new(model: &Model) -> Self {
        let ordered = |kind| matches!(kind, CarrierKind::Reliable | CarrierKind::Secure);
        let carriers = model.carriers.iter().enumerate();
        let ordered: Vec<u8> =
            carriers.filter(|(_, carrier)| ordered(carrier.kind)).map(|(index, _)| index as u8).collect();
        let numbered: Vec<Vec<bool>> = model.calls.iter().map(numbered).collect();
        let first = Ambient::first(model, numbered.iter().flatten().any(|numbered| *numbered));
        let mut plans = Plans { breaks: false, ordered, numbered, first };
        plans.breaks = !plans.ordered.is_empty() && plans.can_break(model, &plans.first);
        plans
    }

    /// What every run begins with.
    pub fn first(&self) -> &Ambient {
        &self.first
    }

    /// Whether ordered connections can break: then channels have marks.
    #[inline]
    pub fn breaks(&self) -> bool {
        self.breaks
    }

    /// The carriers of ordered connections.
    pub(crate) fn ordered(&self) -> &[u8] {
        &self.ordered
    }

    /// Whether a call is given a number.
    pub fn is_numbered(&self, plan: u32, way: u32) -> bool {
        self.numbered[plan as usize][way as usize]
    }

    /// Whether an ordered connection can still break from here on. Once it cannot, it never can again.
    pub(crate) fn can_break(&self, model: &Model, ambient: &Ambient) -> bool {
        let breaks = |(index, fault): (usize, &FaultPlan)| {
            let spent = |(budget, spent): (&FaultBudget, &u32)| {
                let all = match &fault.target {
                    FaultTarget::OneOf(nodes) => nodes.iter().all(|node| budget.nodes.contains(node)),
                    FaultTarget::AllOf(_) => budget.nodes.len() == model.nodes.len(),
                };
                budget.kind == fault.kind && all && *spent >= budget.most
            };
            fault.kind != FaultKind::Partition
                && may_happen(index, fault, ambient)
                && !model.bounds.faults.iter().zip(&ambient.budgets).any(spent)
        };
        model.faults.iter().enumerate().any(breaks)
    }
}

/// Whether the calls of a line are requests: those that differ by their number.
fn numbered(call: &Call) -> Vec<bool> {
    let differs = |way: &foresee_kernel::Way| -> bool {
        let [one, other]: [Datum; 2] = [(way.call)(0), (way.call)(1)];
        one != other
    };
    call.ways.iter().map(differs).collect()
}

/// Whether a line of the faults is not used up, nor one that never happens.
fn may_happen(index: usize, fault: &FaultPlan, ambient: &Ambient) -> bool {
    fault.chance != Some(0.0)
        && fault.most.is_none_or(|most| ambient.faults.get(index).is_none_or(|count| *count < most))
}

/// The budgets of the check that a fault of these nodes counts against.
pub(crate) fn budgets<'m>(
    model: &'m Model,
    kind: FaultKind,
    nodes: &'m [NodeId],
) -> impl Iterator<Item = usize> + 'm {
    let counts = move |budget: &FaultBudget| {
        budget.kind == kind && nodes.iter().any(|node| budget.nodes.contains(node))
    };
    model.bounds.faults.iter().enumerate().filter(move |(_, budget)| counts(budget)).map(|(index, _)| index)
}

impl<P: Program> World<P> {
    /// Calls `visit` with what plans allow: calls by line and way, then nodes that come back, then partitions that end, then faults by
    /// line and node.
    pub(crate) fn each_planned(&self, program: &P, of: Of, visit: &mut impl FnMut(Action<P>)) {
        let model = program.model();
        for (plan, call) in model.calls.iter().enumerate() {
            self.each_call(program, plan, call, of, visit);
        }
        for (node, _) in self.ambient.down.iter().filter(|(node, back)| **back && of.node(**node)) {
            visit(Action::Restart(*node));
        }
        if of.several() {
            for (side, _) in self.ambient.parted.iter().filter(|(_, heals)| **heals) {
                visit(Action::Heal(side.clone()));
            }
        }
        for (plan, fault) in model.faults.iter().enumerate() {
            if may_happen(plan, fault, &self.ambient) {
                self.each_fault(program, plan as u32, fault, of, visit);
            }
        }
    }

    fn each_call(&self, program: &P, plan: usize, call: &Call, of: Of, visit: &mut impl FnMut(Action<P>)) {
        let made = self.ambient.calls.get(plan).copied().unwrap_or(0);
        let bounds = &program.model().bounds;
        if call.most.is_some_and(|most| made >= most)
            || bounds.calls.is_some_and(|most| self.ambient.made >= most)
        {
            return;
        }
        for (index, way) in call.ways.iter().enumerate() {
            if way.probability <= 0.0 || !of.node(way.node) || !self.ambient.up(way.node) {
                continue;
            }
            let (plan, way_index) = (plan as u32, index as u32);
            let number = match program.plans().is_numbered(plan, way_index) {
                true => self.ambient.requests[way.node.index()],
                false => 0,
            };
            visit(Action::Call(Calling { plan, way: way_index, number }));
        }
    }

    fn each_fault(
        &self,
        program: &P,
        plan: u32,
        fault: &FaultPlan,
        of: Of,
        visit: &mut impl FnMut(Action<P>),
    ) {
        // A set that depends on the state depends on the states of several nodes.
        let together = matches!(fault.target, FaultTarget::AllOf(_));
        if together && !of.several() {
            return;
        }
        let mut nodes = match &fault.target {
            FaultTarget::OneOf(nodes) => nodes.clone(),
            FaultTarget::AllOf(set) => self.view(program, set),
        };
        nodes.sort_unstable();
        nodes.dedup();
        let here = |id: NodeId| together || of.node(id);
        let may = |nodes: &[NodeId]| self.within_budgets(program, fault.kind, nodes);
        match fault.kind {
            FaultKind::Crash if together => {
                nodes.retain(|node| self.ambient.up(*node));
                if !nodes.is_empty() && may(&nodes) {
                    visit(Action::Crash { plan, nodes });
                }
            }
            FaultKind::Crash | FaultKind::Reset => {
                let one = |node: &NodeId| here(*node) && self.ambient.up(*node) && may(&[*node]);
                for node in nodes.into_iter().filter(one) {
                    visit(match fault.kind {
                        FaultKind::Crash => Action::Crash { plan, nodes: vec![node] },
                        _ => Action::Reset { plan, node },
                    });
                }
            }
            FaultKind::Partition if of.several() => {
                let sides = if together { vec![nodes] } else { nodes.into_iter().map(|n| vec![n]).collect() };
                for side in sides {
                    let all = side.is_empty() || side.len() == self.nodes.len();
                    if !all && !self.ambient.parted.contains_key(&side) && may(&side) {
                        visit(Action::Partition { plan, side });
                    }
                }
            }
            FaultKind::Partition => {}
            FaultKind::Cut => self.each_cut(program, plan, &nodes, here, visit),
        }
    }

    /// Whether a bound of the check leaves room for one more fault of these nodes.
    fn within_budgets(&self, program: &P, kind: FaultKind, nodes: &[NodeId]) -> bool {
        let model = program.model();
        budgets(model, kind, nodes)
            .all(|budget| self.ambient.budgets[budget] < model.bounds.faults[budget].most)
    }

    /// An open connection has two ends; it is listed at the lesser.
    fn each_cut(
        &self,
        program: &P,
        plan: u32,
        nodes: &[NodeId],
        here: impl Fn(NodeId) -> bool,
        visit: &mut impl FnMut(Action<P>),
    ) {
        for carrier in program.plans().ordered() {
            let queue = &self.carriers[usize::from(*carrier)];
            let pair = |envelope: &P::Envelope| {
                let route = program.route(envelope);
                (route.src, route.dst)
            };
            for channel in queue.chunk_by(|a, b| pair(a) == pair(b)) {
                let (src, dst) = pair(&channel[0]);
                let concerned = dst < src && here(dst) && (nodes.contains(&dst) || nodes.contains(&src));
                if concerned
                    && channel::is_open(channel, |envelope| program.mark(envelope))
                    && self.within_budgets(program, FaultKind::Cut, &[dst, src])
                {
                    visit(Action::Cut { plan, carrier: *carrier, ends: (dst, src) });
                }
            }
        }
    }
}
