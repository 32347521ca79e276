//! What of the ambient concerns one node alone: the calls made there by lines that call nobody else, and the number of its next
//! request. It is kept with the node's part, so that what one node was asked makes no difference to what the others may do.

use foresee_kernel::Model;
use foresee_world::Ambient;

/// Which counters of the ambient belong to a node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Locals {
    /// Its node.
    index: usize,
    /// Lines of the workload.
    calls: Vec<usize>,
    /// Whether the application makes requests there.
    requests: bool,
}

impl Locals {
    /// For each node of `model`, whose runs begin with `first`.
    pub(crate) fn of(model: &Model, first: &Ambient) -> Vec<Locals> {
        let mut all: Vec<Locals> =
            (0..model.nodes.len()).map(|index| Locals { index, ..Locals::default() }).collect();
        for (line, call) in model.calls.iter().enumerate() {
            let mut nodes: Vec<usize> = call.ways.iter().map(|way| way.node.index()).collect();
            nodes.sort_unstable();
            nodes.dedup();
            if let ([index], true) = (&nodes[..], call.most.is_some()) {
                all[*index].calls.push(line);
            }
            for index in nodes {
                all[index].requests |= !first.requests.is_empty();
            }
        }
        all
    }

    /// Whether some line of the workload is counted for several nodes together.
    pub(crate) fn leave_some(all: &[Locals], model: &Model) -> bool {
        let bounded = model.calls.iter().filter(|call| call.most.is_some()).count();
        all.iter().map(|locals| locals.calls.len()).sum::<usize>() < bounded
    }

    /// How many counters there are.
    pub(crate) fn len(&self) -> usize {
        self.calls.len() + usize::from(self.requests)
    }

    /// Takes the counters of the node out of `ambient`.
    pub(crate) fn split(&self, ambient: &mut Ambient) -> Vec<u32> {
        let mut counters = Vec::with_capacity(self.len());
        self.each(ambient, |counter| counters.push(std::mem::take(counter)));
        counters
    }

    /// Puts the counters of the node into `ambient`.
    pub(crate) fn join(&self, counters: &[u32], ambient: &mut Ambient) {
        let mut counters = counters.iter();
        self.each(ambient, |counter| *counter = counters.next().copied().unwrap_or(0));
    }

    /// What these counters add to a digest.
    pub(crate) fn digest(&self, counters: &[u32], first: &Ambient) -> u64 {
        if counters.is_empty() {
            return 0;
        }
        let mut ambient = first.clone();
        self.join(counters, &mut ambient);
        ambient.digest().wrapping_sub(first.digest())
    }

    fn each(&self, ambient: &mut Ambient, mut visit: impl FnMut(&mut u32)) {
        self.calls.iter().for_each(|line| visit(&mut ambient.calls[*line]));
        if self.requests {
            visit(&mut ambient.requests[self.index]);
        }
    }
}
