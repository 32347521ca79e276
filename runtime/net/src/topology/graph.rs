//! Graphs of routers: random, connected, and the shortest ways through them.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::draw::Draw;

/// Routers and links between them, both ways alike.
#[derive(Debug, Default)]
pub(super) struct Graph {
    /// Of each router, its neighbours and the time to them in microseconds.
    near: Vec<Vec<(u32, u32)>>,
}

impl Graph {
    /// Another router.
    pub fn router(&mut self) -> u32 {
        self.near.push(Vec::new());
        self.near.len() as u32 - 1
    }

    /// A link of so many microseconds, both ways.
    pub fn link(&mut self, a: u32, b: u32, micros: u32) {
        self.near[a as usize].push((b, micros));
        self.near[b as usize].push((a, micros));
    }

    /// The number of links of a router.
    pub fn degree(&self, router: u32) -> usize {
        self.near[router as usize].len()
    }

    /// Links routers to a random connected graph: a random tree, and each other pair with a probability.
    pub fn connect(&mut self, routers: &[u32], more: f64, draw: &mut dyn Draw, micros: u32) {
        let mut linked = std::collections::BTreeSet::new();
        for (place, router) in routers.iter().enumerate().skip(1) {
            let other = draw.below(place as u64) as usize;
            linked.insert((other, place));
            self.link(routers[other], *router, micros);
        }
        for a in 0..routers.len() {
            for b in a + 1..routers.len() {
                if !linked.contains(&(a, b)) && draw.happens(more) {
                    self.link(routers[a], routers[b], micros);
                }
            }
        }
    }

    /// The time in microseconds from a router to each, by Dijkstra's algorithm (1959); `u32::MAX` where no way leads.
    pub fn times(&self, from: u32) -> Vec<u32> {
        let mut times = vec![u32::MAX; self.near.len()];
        times[from as usize] = 0;
        let mut open = BinaryHeap::from([(Reverse(0), from)]);
        while let Some((Reverse(time), at)) = open.pop() {
            if time > times[at as usize] {
                continue;
            }
            for (to, micros) in &self.near[at as usize] {
                let there = time.saturating_add(*micros);
                if there < times[*to as usize] {
                    times[*to as usize] = there;
                    open.push((Reverse(there), *to));
                }
            }
        }
        times
    }
}
