//! Rarest-first as BitTorrent has it (Cohen 2003): a peer of which one waits for the fewest blocks is asked for the block that the fewest are
//! known to have, of those that it has. Of several any is taken.
//!
//! A resolver of one spec's own: it reads the variables of `specs/swarm.mace`.

use std::collections::BTreeSet;
use std::sync::Arc;

use foresee::kernel::{Datum, Model, NodeId, Point, Service};
use foresee::sim::{Own, Policy, Random, Scene, Witness};
use foresee::world::Route;

use crate::swarm::peer::Peer;

type Variables = <Peer as Service>::Variables;

/// See above.
pub struct RarestFirst {
    model: Arc<Model>,
    onlooker: Onlooker,
}

/// An option: to ask a peer for a block.
struct Way {
    peer: NodeId,
    /// How many blocks it is waited for of this peer.
    waits: usize,
    /// How many are known to have the block.
    holders: usize,
}

impl RarestFirst {
    /// For one run of `model`.
    pub fn new(model: &Arc<Model>) -> Self {
        RarestFirst { model: model.clone(), onlooker: Onlooker }
    }

    /// The options at a choice of `node`: every missing block with every peer that has it, in their order.
    fn ways(&self, node: NodeId, scene: &Scene<'_>) -> Vec<Way> {
        let service = self.model.nodes[node.index()].layers()[0].service();
        let own = scene.step.as_ref().map(|step| step.own(node));
        let this = own.as_ref().and_then(|own| service.variables(&own.state[0]).downcast_ref::<Variables>());
        let Some(this) = this else { return Vec::new() };
        let missing = |block: &u32| !this.have.contains_key(block) && !this.wanted.contains_key(block);
        let way = |peer: NodeId, holders: usize| {
            let waits = this.wanted.values().filter(|of| **of == peer).count();
            Way { peer, waits, holders }
        };
        let missing = this.holders.iter().filter(|(block, _)| missing(block));
        missing.flat_map(|(_, peers)| peers.iter().map(move |peer| way(*peer, peers.len()))).collect()
    }
}

/// Those options of which a figure is least.
fn least(options: &[u32], figure: impl Fn(usize) -> usize) -> Vec<u32> {
    let figures = options.iter().map(|option| figure(*option as usize));
    let best = figures.min().unwrap_or_default();
    options.iter().copied().filter(|option| figure(*option as usize) == best).collect()
}

impl Policy for RarestFirst {
    fn choose(&mut self, point: &Point<'_>, scene: &mut Scene<'_>) -> u32 {
        let ways = self.ways(point.node, scene);
        if ways.len() != point.options as usize {
            return Random.choose(point, scene);
        }
        let all: Vec<u32> = (0..point.options).collect();
        let idlest = least(&all, |it| ways[it].waits);
        let peers: BTreeSet<NodeId> = idlest.iter().map(|it| ways[*it as usize].peer).collect();
        let peer = peers.iter().nth(scene.draw.below(peers.len() as u64) as usize);
        let its: Vec<u32> = idlest.into_iter().filter(|it| Some(&ways[*it as usize].peer) == peer).collect();
        let rarest = least(&its, |it| ways[it].holders);
        rarest[scene.draw.below(rarest.len() as u64) as usize]
    }

    fn witness(&mut self) -> Option<&mut dyn Witness> {
        Some(&mut self.onlooker)
    }
}

/// Only who has a witness is shown the step.
struct Onlooker;

impl Witness for Onlooker {
    fn sent(&mut self, _: u64, _: Route, _: &Datum) -> u64 {
        0
    }
    fn arrives(&mut self, _: u64, _: Route, _: u64) {}
    fn changed(&mut self, _: u64, _: NodeId, _: &Own<'_>) {}
    fn broke(&mut self, _: u64, _: NodeId, _: NodeId) {}
}
