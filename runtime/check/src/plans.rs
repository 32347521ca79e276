//! What a system says may be done to it, and how often it was: a workload, faults, losses. A plan that never came about tests nothing.

use std::collections::BTreeMap;

use foresee_kernel::Model;
use foresee_world::Planned;

/// A line of the workload or of the faults, or what the network does, and how often it happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlanReport {
    /// Which.
    pub plan: Planned,
    /// What it is, in a word: `call`, `crash`, `loss`, ..
    pub kind: &'static str,
    /// As written.
    pub text: String,
    /// Its line in the spec; none for what the network does, or what the command line says.
    pub line: Option<u32>,
    /// In how many transitions it happened.
    pub fired: u64,
    /// Whether it could have happened, as far as its budget says.
    pub allowed: bool,
}

impl PlanReport {
    /// Whether it could have happened, and never did.
    pub fn is_idle(&self) -> bool {
        self.fired == 0 && self.allowed && matches!(self.plan, Planned::Call(_) | Planned::Fault(_))
    }

    /// Whether it is of this line: a line of a spec may be several of a model.
    pub fn is_of(&self, kind: &str, text: &str, line: Option<u32>) -> bool {
        self.kind == kind && self.text == text && self.line == line
    }
}

/// The plans of `model`: losses and doublings where there are any, then calls, then faults.
pub fn plans(model: &Model, fired: &BTreeMap<Planned, u64>) -> Vec<PlanReport> {
    let count = |plan: &Planned| fired.get(plan).copied().unwrap_or(0);
    let network = [(Planned::Loss, "loss"), (Planned::Doubling, "doubling")].into_iter();
    let network = network.filter(|(plan, _)| count(plan) > 0).map(|(plan, kind)| PlanReport {
        plan,
        kind,
        text: "of a message".to_owned(),
        line: None,
        fired: count(&plan),
        allowed: true,
    });
    let calls = model.calls.iter().enumerate().map(|(index, call)| {
        let plan = Planned::Call(index as u32);
        let allowed = call.most != Some(0)
            && model.bounds.calls != Some(0)
            && call.ways.iter().any(|way| way.probability > 0.0);
        let (text, line) = (call.text.to_owned(), Some(call.line));
        PlanReport { plan, kind: "call", text, line, fired: count(&plan), allowed }
    });
    let faults = model.faults.iter().enumerate().map(|(index, fault)| {
        let plan = Planned::Fault(index as u32);
        let kind = fault.kind.keyword();
        let bound = |kind| model.bounds.faults.iter().any(|budget| budget.kind == kind && budget.most == 0);
        let allowed = fault.most != Some(0) && fault.chance != Some(0.0) && !bound(fault.kind);
        let line = (fault.line > 0).then_some(fault.line);
        PlanReport { plan, kind, text: fault.text.to_owned(), line, fired: count(&plan), allowed }
    });
    network.chain(calls).chain(faults).collect()
}
