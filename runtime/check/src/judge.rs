//! Properties, evaluated on what they read.
//!
//! Of a node's state a property sees a projection ([`foresee_kernel::Property::projection`]), and of all, where it says so, who is up. The projections of all
//! nodes make a key; a state whose key is known costs a look-up, and a step that changes no projection not even that.
//! There is one key for all properties together, and behind it one for each, so that a costly property is not evaluated
//! anew because another one reads more.
//!
//! # Caveats
//! Keys are sums of 64-bit digests, as fingerprints of states are: with `k` different keys one state is judged as
//! another would be with a probability of about `k * k / 2^65`.

use std::hash::Hasher;

use foresee_kernel::digest::at;
use foresee_kernel::{Digest, NodeId, Property, PropertyKind, fault};
use foresee_world::{Ambient, Program, World};

use crate::chunked::Chunked;
use crate::intern::Interned;
use crate::memo::{Memo, Near};
use crate::options::CheckError;
use crate::table::Table;

/// See the module's documentation.
pub(crate) struct Judge {
    properties: Vec<&'static Property>,
    /// By the number of a node's state.
    keys: Chunked<Keys>,
    /// By joint key, the number of a set in `sets`.
    joint: Memo<u32>,
    /// For each property, by its own key.
    each: Vec<Memo<bool>>,
    /// By the key of all node states and of who is up, whether all `within` bounds hold.
    within: Memo<bool>,
    sets: Table<Box<[u16]>>,
    /// Whether some property reads which nodes are up.
    reads_up: bool,
}

/// The place of who is up in keys, beyond any node's.
const UP_PLACE: u64 = u64::MAX;

struct Keys {
    joint: u64,
    each: Box<[u64]>,
}

/// The number of the set of no property.
pub(crate) const NOTHING: u32 = 0;

/// What one thread has at hand.
pub(crate) struct NearJudge {
    findings: Near<u32>,
    within: Near<bool>,
}

impl NearJudge {
    pub(crate) fn new() -> Self {
        NearJudge { findings: Near::new(13), within: Near::new(10) }
    }
}

impl Judge {
    pub(crate) fn new(properties: Vec<&'static Property>, evaluations_max: u64) -> Self {
        let sets = Table::new();
        let nothing = intern(&sets, Box::default());
        debug_assert_eq!(nothing, NOTHING);
        let each = properties.iter().map(|_| Memo::new(evaluations_max)).collect();
        Judge {
            reads_up: properties.iter().any(|property| property.reads_up),
            properties,
            keys: Chunked::new(),
            joint: Memo::new(evaluations_max),
            each,
            within: Memo::new(evaluations_max),
            sets,
        }
    }

    /// What the node state of number `node`, at `id`, contributes to the joint key.
    pub(crate) fn key(&self, program: &Interned, id: NodeId, node: u32) -> u64 {
        self.keys(program, id, node).joint
    }

    /// What the ambient contributes to the joint key.
    #[inline]
    pub(crate) fn ambient_key(&self, ambient: &Ambient) -> u64 {
        if self.reads_up { up_key(ambient) } else { 0 }
    }

    fn keys(&self, program: &Interned, id: NodeId, node: u32) -> &Keys {
        self.keys.get_or_init(node, || {
            let project = |property: &&'static Property| {
                property.projection(program.model(), id, &|layer| program.layer(&node, layer))
            };
            let place = |digest| at(id.index() as u64, digest);
            let each: Box<[u64]> = self.properties.iter().map(project).map(place).collect();
            let mut joint = Digest::new();
            each.iter().for_each(|key| joint.write_u64(*key));
            Keys { joint: at(id.index() as u64, joint.finish()), each }
        })
    }

    /// What is to be noted of a state with the joint key `key`: the number of a set of properties, for [`Judge::set`].
    /// Safety properties that are false are to be noted, and `reachable` ones that are true.
    ///
    /// # Errors
    /// A property that panics.
    #[inline]
    pub(crate) fn findings(
        &self,
        program: &Interned,
        near: &mut NearJudge,
        key: u64,
        state: impl FnOnce() -> (Vec<u32>, Ambient),
    ) -> Result<u32, CheckError> {
        near.findings.get(key, || match self.joint.get(key) {
            Some(found) => Ok(found),
            None => self.evaluate(program, key, state()),
        })
    }

    fn evaluate(
        &self,
        program: &Interned,
        key: u64,
        (nodes, ambient): (Vec<u32>, Ambient),
    ) -> Result<u32, CheckError> {
        let world = World::<Interned> { nodes, carriers: Vec::new(), ambient };
        let up = up_key(&world.ambient);
        let mut noted = Vec::new();
        for (index, property) in self.properties.iter().enumerate() {
            let own = if property.reads_up { up } else { 0 };
            let own = world.nodes.iter().enumerate().fold(own, |sum, (place, node)| {
                sum.wrapping_add(self.keys(program, NodeId::new(place as u32), *node).each[index])
            });
            let holds = match self.each[index].get(own) {
                Some(holds) => holds,
                None => {
                    let holds =
                        guarded(property.name, || world.view(program, |view| (property.holds)(view)))?;
                    self.each[index].put(own, holds);
                    holds
                }
            };
            if holds == (property.kind == PropertyKind::Reachable) {
                noted.push(index as u16);
            }
        }
        let found = intern(&self.sets, noted.into());
        self.joint.put(key, found);
        Ok(found)
    }

    /// The properties of a set, by their places in the model.
    pub(crate) fn set(&self, found: u32) -> &[u16] {
        self.sets.get(found)
    }

    /// Whether the `within` bounds of the model hold in the state of these nodes.
    ///
    /// # Errors
    /// A bound that panics.
    pub(crate) fn within(
        &self,
        program: &Interned,
        near: &mut NearJudge,
        state: impl FnOnce() -> (Vec<u32>, Ambient),
    ) -> Result<bool, CheckError> {
        let (nodes, ambient) = state();
        let key = nodes.iter().enumerate().fold(up_key(&ambient), |sum, (place, node)| {
            sum.wrapping_add(program.node_digest(NodeId::new(place as u32), node))
        });
        near.within.get(key, || {
            if let Some(holds) = self.within.get(key) {
                return Ok(holds);
            }
            let world = World::<Interned> { nodes, carriers: Vec::new(), ambient };
            let bounds = &program.model().bounds.within;
            let holds =
                guarded("within", || world.view(program, |view| bounds.iter().all(|within| within(view))))?;
            self.within.put(key, holds);
            Ok(holds)
        })
    }

    /// Counted bytes.
    pub(crate) fn bytes(&self) -> u64 {
        let each: u64 = self.each.iter().map(Memo::bytes).sum();
        self.keys.bytes() + self.joint.bytes() + self.within.bytes() + each + self.sets.bytes()
    }
}

/// The key of which nodes are up.
fn up_key(ambient: &Ambient) -> u64 {
    if ambient.down.is_empty() {
        return 0;
    }
    let mut digest = Digest::new();
    ambient.down.keys().for_each(|node| digest.write_usize(node.index()));
    at(UP_PLACE, digest.finish())
}

fn intern(sets: &Table<Box<[u16]>>, set: Box<[u16]>) -> u32 {
    let mut hash = Digest::new();
    set.iter().for_each(|index| hash.write_u16(*index));
    let owned = set.len() * 2;
    sets.intern(hash.finish(), |other| *other == set, || (set.clone(), owned))
}

fn guarded(property: &'static str, evaluate: impl FnOnce() -> bool) -> Result<bool, CheckError> {
    fault::guard(evaluate).map_err(|fault| CheckError::PropertyFault { property, fault })
}
