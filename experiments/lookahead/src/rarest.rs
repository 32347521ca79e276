//! Rarest-first (Cohen 2003), by hand: what is asked for is the block that the fewest are known to have, of any peer that has it. With more
//! care first a peer is taken of which one waits for the fewest blocks, and it is asked for its rarest. Of several any is taken.
//!
//! Resolvers of one spec's own: they read the variables of `specs/swarm.mace`.

use std::collections::BTreeSet;
use std::sync::Arc;

use foresee::kernel::{Model, NodeId, Point, Service};
use foresee::sim::{Onlooker, Policy, Random, Scene, Witness};

use crate::swarm::peer::Peer;

type Variables = <Peer as Service>::Variables;

/// See above.
pub struct RarestFirst {
    model: Arc<Model>,
    /// Whether the idlest peer comes before the rarest block.
    idlest: bool,
    onlooker: Onlooker,
}

/// An option: to ask a peer for a block.
struct Way {
    block: u32,
    peer: NodeId,
    /// How many blocks it is waited for of this peer.
    waits: usize,
    /// How many are known to have the block.
    holders: usize,
}

impl RarestFirst {
    /// For one run of `model`.
    pub fn new(model: &Arc<Model>, idlest: bool) -> Self {
        RarestFirst { model: model.clone(), idlest, onlooker: Onlooker }
    }

    /// The options at a choice of `node`: every missing block with every peer that has it, in their order.
    fn ways(&self, node: NodeId, scene: &Scene<'_>) -> Vec<Way> {
        let service = self.model.nodes[node.index()].layers()[0].service();
        let own = scene.step.as_ref().map(|step| step.own(node));
        let this = own.as_ref().and_then(|own| service.variables(&own.state[0]).downcast_ref::<Variables>());
        let Some(this) = this else { return Vec::new() };
        let missing = |block: &u32| !this.have.contains_key(block) && !this.wanted.contains_key(block);
        let way = |block: u32, peer: NodeId, holders: usize| {
            let waits = this.wanted.values().filter(|of| **of == peer).count();
            Way { block, peer, waits, holders }
        };
        let missing = this.holders.iter().filter(|(block, _)| missing(block));
        missing
            .flat_map(|(block, peers)| peers.iter().map(move |peer| way(*block, *peer, peers.len())))
            .collect()
    }
}

/// Leaves those of which a figure is least.
fn least(ways: &mut Vec<(u32, Way)>, figure: impl Fn(&Way) -> usize) {
    let best = ways.iter().map(|(_, way)| figure(way)).min();
    ways.retain(|(_, way)| Some(figure(way)) == best);
}

/// Leaves those that have a thing in common, any one.
fn any<T: Ord>(ways: &mut Vec<(u32, Way)>, thing: impl Fn(&Way) -> T, scene: &mut Scene<'_>) {
    let things: BTreeSet<T> = ways.iter().map(|(_, way)| thing(way)).collect();
    let place = scene.draw.below(things.len() as u64) as usize;
    let one = things.into_iter().nth(place);
    ways.retain(|(_, way)| Some(thing(way)) == one);
}

impl Policy for RarestFirst {
    fn choose(&mut self, point: &Point<'_>, scene: &mut Scene<'_>) -> u32 {
        let ways = self.ways(point.node, scene);
        if ways.len() != point.options as usize {
            return Random.choose(point, scene);
        }
        let mut ways: Vec<(u32, Way)> = (0..).zip(ways).collect();
        if self.idlest {
            least(&mut ways, |way| way.waits);
            any(&mut ways, |way| way.peer, scene);
            least(&mut ways, |way| way.holders);
        } else {
            least(&mut ways, |way| way.holders);
            any(&mut ways, |way| way.block, scene);
        }
        ways[scene.draw.below(ways.len() as u64) as usize].0
    }

    fn witness(&mut self) -> Option<&mut dyn Witness> {
        Some(&mut self.onlooker)
    }
}
