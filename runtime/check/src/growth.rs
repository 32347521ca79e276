//! What grows: the largest size of each variable and of each queue, by the depth at which a search met it.
//!
//! A part is measured when a thread meets it for the first time, which is off the hot path. Of all sizes only *highs* are kept: those
//! that nothing as near to the start has. So the highs of several threads come to those of one: a thread that meets a part later than
//! another adds nothing. Where levels are complete, they do not depend on the number of threads.
//!
//! Something *grows* if it rose at least [`RISES_MIN`] times, the last time in the last quarter of the depths that were explored. With `d`
//! for the depth of the farthest state, which was seen and not explored, that is at depth `3 (d - 1) / 4` or beyond. It is a symptom and
//! no proof: what grows slowly towards an end looks the same, and what a bound of the model holds down does not show.
//!
//! # Caveats
//! Random walks and the reference explorer measure nothing. Depth first, by deepening too, depths are those at
//! which a thread met a part first.

use foresee_kernel::{Extent, Model, ServiceInfo};
use foresee_world::Program;

use crate::intern::Interned;
use crate::parts::Parts;
use crate::report::{CutReport, GrowthReport, Measure};

/// How often something has to rise beyond what it was first.
const RISES_MIN: usize = 3;

/// How many highs of one size are kept. Beyond that every other one is forgotten, never the first or the last.
const HIGHS_MAX: usize = 1 << 10;

/// See the module's documentation.
#[derive(Default)]
pub(crate) struct Growth {
    services: Vec<Service>,
    /// For each node and layer, the place of its service in `services`.
    layers: Vec<Vec<usize>>,
    queues: Vec<Queue>,
    /// For each node and carrier, the place in `queues`.
    carriers: Vec<Vec<usize>>,
    /// By the number of a node's state: 0, or 1 more than the depth at which it was measured.
    measured: Vec<u32>,
}

struct Service {
    info: &'static ServiceInfo,
    variables: Vec<Variable>,
}

struct Variable {
    name: &'static str,
    elements: Highs,
    magnitude: Highs,
}

/// What is under way by a carrier to the nodes of which a service takes it.
struct Queue {
    carrier: usize,
    name: &'static str,
    service: &'static ServiceInfo,
    messages: Highs,
}

impl Growth {
    fn of(model: &Model) -> Self {
        let mut growth = Growth::default();
        for stack in &model.nodes {
            let infos: Vec<&'static ServiceInfo> =
                stack.layers().iter().map(|layer| layer.service().info()).collect();
            let layers = infos.iter().map(|info| growth.service(info)).collect();
            growth.layers.push(layers);
            let queues = model.carriers.iter().enumerate().map(|(carrier, it)| {
                // Where several layers take a carrier, the uppermost stands for them.
                let taker = stack.layers().iter().position(|layer| {
                    let slots = 0..layer.service().info().carriers.len();
                    slots.into_iter().any(|slot| usize::from(layer.carrier(slot)) == carrier)
                });
                growth.queue(carrier, it.name, infos[taker.unwrap_or(0)])
            });
            let queues = queues.collect();
            growth.carriers.push(queues);
        }
        growth
    }

    fn service(&mut self, info: &'static ServiceInfo) -> usize {
        self.services.iter().position(|known| std::ptr::eq(known.info, info)).unwrap_or_else(|| {
            self.services.push(Service { info, variables: Vec::new() });
            self.services.len() - 1
        })
    }

    fn queue(&mut self, carrier: usize, name: &'static str, service: &'static ServiceInfo) -> usize {
        let known = |queue: &Queue| queue.carrier == carrier && std::ptr::eq(queue.service, service);
        self.queues.iter().position(known).unwrap_or_else(|| {
            self.queues.push(Queue { carrier, name, service, messages: Highs::default() });
            self.queues.len() - 1
        })
    }

    /// Measures the part of `node` that has number `part`, met in a state of `depth`.
    pub(crate) fn meet(&mut self, parts: &Parts, node: usize, part: u32, depth: u32) {
        let program = &parts.program;
        if self.layers.is_empty() {
            *self = Growth::of(program.model());
        }
        let state = parts.part(node, part).node();
        if self.is_nearer(state, depth) {
            self.measure(program, node, state, depth);
        }
        let queues = self.carriers[node].iter().zip(parts.queued(node, part)).zip(program.disciplines());
        for ((queue, messages), _) in queues.filter(|(_, discipline)| !parts.is_flat(**discipline)) {
            self.queues[*queue].messages.note(depth, messages);
        }
    }

    /// Notes how many messages are under way to `node` by a carrier whose messages are no part's, in a state of `depth`.
    pub(crate) fn queued(&mut self, node: usize, carrier: usize, depth: u32, messages: u64) {
        if let Some(queue) = self.carriers.get(node).map(|queues| queues[carrier]) {
            self.queues[queue].messages.note(depth, messages);
        }
    }

    /// Whether the node state of number `state` was never measured so near to the start; it is from now on.
    fn is_nearer(&mut self, state: u32, depth: u32) -> bool {
        let place = state as usize;
        if self.measured.len() <= place {
            self.measured.resize(place + 1 + place / 2, 0);
        }
        let measured = &mut self.measured[place];
        let nearer = *measured == 0 || depth < *measured - 1;
        if nearer {
            *measured = depth.saturating_add(1);
        }
        nearer
    }

    fn measure(&mut self, program: &Interned, node: usize, state: u32, depth: u32) {
        let stack = &program.model().nodes[node];
        for (layer, service) in self.layers[node].iter().enumerate() {
            let variables = &mut self.services[*service].variables;
            // A service shows its variables in the same order always.
            let mut place = 0;
            let extents = stack.layers()[layer].service();
            extents.extents(program.layer(&state, layer), &mut |name, extent| {
                if place == variables.len() {
                    variables.push(Variable {
                        name,
                        elements: Highs::default(),
                        magnitude: Highs::default(),
                    });
                }
                variables[place].note(depth, extent);
                place += 1;
            });
        }
    }

    /// Adds what another thread met.
    pub(crate) fn merge(&mut self, other: Growth) {
        if self.layers.is_empty() {
            *self = other;
            return;
        }
        for (service, theirs) in self.services.iter_mut().zip(other.services) {
            for (place, theirs) in theirs.variables.into_iter().enumerate() {
                match service.variables.get_mut(place) {
                    Some(variable) => variable.merge(&theirs),
                    None => service.variables.push(theirs),
                }
            }
        }
        for (queue, theirs) in self.queues.iter_mut().zip(other.queues) {
            queue.messages.merge(&theirs.messages);
        }
    }

    /// What grew in a search that saw states up to `depth` and was cut so.
    pub(crate) fn report(&self, depth: u32, cut_by: &[CutReport]) -> Vec<GrowthReport> {
        if !cut_by.iter().any(|cut| cut.by.is_bound() || cut.by.is_budget()) {
            return Vec::new();
        }
        let row = |service: &'static ServiceInfo, name, measure, highs: &Highs| {
            let (from, to, last) = highs.grown(depth)?;
            Some(GrowthReport { service: service.name, name, measure, from, to, depth: last })
        };
        let mut rows = Vec::new();
        for Service { info, variables } in &self.services {
            for Variable { name, elements, magnitude } in variables {
                rows.extend(row(info, name, Measure::Elements, elements));
                rows.extend(row(info, name, Measure::Magnitude, magnitude));
            }
        }
        rows.extend(
            self.queues
                .iter()
                .filter_map(|queue| row(queue.service, queue.name, Measure::Messages, &queue.messages)),
        );
        rows
    }
}

impl Variable {
    fn note(&mut self, depth: u32, extent: Extent) {
        self.elements.note(depth, extent.elements);
        self.magnitude.note(depth, extent.magnitude);
    }

    fn merge(&mut self, other: &Variable) {
        self.elements.merge(&other.elements);
        self.magnitude.merge(&other.magnitude);
    }
}

/// Depths and sizes, both rising: each size is the largest up to its depth.
#[derive(Default)]
struct Highs(Vec<(u32, u64)>);

impl Highs {
    fn note(&mut self, depth: u32, size: u64) {
        let highs = &mut self.0;
        let nearer = highs.partition_point(|(other, _)| *other <= depth);
        let before = highs[..nearer].last();
        if before.is_some_and(|(_, high)| *high >= size) {
            return;
        }
        let from = nearer - usize::from(before.is_some_and(|(other, _)| *other == depth));
        let beaten = highs[from..].partition_point(|(_, high)| *high <= size);
        highs.splice(from..from + beaten, [(depth, size)]);
        if highs.len() > HIGHS_MAX {
            let (mut place, last) = (0, highs.len() - 1);
            highs.retain(|_| {
                place += 1;
                place % 2 == 1 || place > last
            });
        }
    }

    fn merge(&mut self, other: &Highs) {
        other.0.iter().for_each(|(depth, size)| self.note(*depth, *size));
    }

    /// What it was first, what last, and where: if it grows, in a search up to `depth`.
    fn grown(&self, depth: u32) -> Option<(u64, u64, u32)> {
        let (&(_, from), &(last, to)) = (self.0.first()?, self.0.last()?);
        let late = 4 * u64::from(last) >= 3 * u64::from(depth.saturating_sub(1));
        (self.0.len() > RISES_MIN && late).then_some((from, to, last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn highs(of: &[(u32, u64)]) -> Highs {
        let mut highs = Highs::default();
        of.iter().for_each(|(depth, size)| highs.note(*depth, *size));
        highs
    }

    #[test]
    fn highs_rise_in_depth_and_size_in_whatever_order_they_come() {
        let met = [(0, 1), (1, 1), (2, 5), (2, 3), (3, 4), (4, 6), (9, 9)];
        let expected = [(0, 1), (2, 5), (4, 6), (9, 9)];
        assert_eq!(highs(&met).0, expected);
        let mut backwards = met;
        backwards.reverse();
        assert_eq!(highs(&backwards).0, expected);
        let mut merged = highs(&[met[0], met[5], (5, 6)]);
        merged.merge(&highs(&[met[6], met[3], met[2], (7, 2)]));
        assert_eq!(merged.0, expected);
    }

    #[test]
    fn it_grows_where_it_rose_three_times_and_lately() {
        let risen = highs(&[(0, 0), (1, 1), (2, 2), (6, 3)]);
        assert_eq!(risen.grown(9), Some((0, 3, 6)));
        assert_eq!(risen.grown(10), None, "its last quarter is from 6.75 on");
        assert_eq!(highs(&[(0, 0), (1, 1), (6, 3)]).grown(7), None, "it rose twice");
        assert_eq!(Highs::default().grown(0), None);
    }

    #[test]
    fn however_often_it_rises_few_highs_are_kept_and_the_ends_among_them() {
        let mut rising = Highs::default();
        for depth in 0..100_000 {
            rising.note(depth, u64::from(depth) * 3);
            assert!(rising.0.len() <= HIGHS_MAX);
        }
        assert_eq!(rising.grown(100_000), Some((0, 299_997, 99_999)));
    }
}
