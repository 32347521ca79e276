//! What concerns several nodes at once: partitions, and faults of sets that depend on the state. No part knows enough of the latter, so
//! the world is made, and what may happen to it is made into rows again. Partitions of single nodes depend on the ambient alone, change
//! nothing else, and are remembered for it.

use foresee_kernel::fault;
use foresee_world::{Action, Make, Of, World};

use crate::expansion::{Expansion, Way};
use crate::intern::Interned;
use crate::options::CheckError;
use crate::parts::Parts;
use crate::steps::Found;

/// All that may happen to several nodes of a state at once.
#[derive(Default)]
pub(crate) struct Several {
    /// Where it leads.
    pub rows: Vec<Vec<u32>>,
    /// What it consists of, and how often what is planned was in it. It has no transitions.
    pub counted: Expansion,
}

/// Where partitions lead from an ambient.
pub(crate) struct Divides {
    /// The ambients that follow, and what each adds to the fingerprint.
    pub after: Box<[(u32, u64)]>,
    /// As of [`Several`].
    pub counted: Expansion,
}

impl Parts {
    /// Where partitions lead from the ambient of that number; None where faults may depend on more than that.
    pub(crate) fn divides(&self, ambient: u32) -> Option<&Divides> {
        if self.together {
            return None;
        }
        Some(self.divides.get_or_init(ambient, || {
            let world = self.nobody(ambient);
            let (mut after, mut counted) = (Vec::new(), Expansion::default());
            world.enabled_of(&self.program, Of::Several, |action| {
                let next = self.ambient_id(&world.after(&self.program, &action, None).ambient);
                let delta = self.ambient_digest(next).wrapping_sub(self.ambient_digest(ambient));
                after.push((next, delta));
                counted.fire(&action, 1);
                counted.network += 1;
            });
            Divides { after: after.into(), counted }
        }))
    }

    /// Whether there is something that concerns several nodes at once.
    pub(crate) fn concerns_several(&self) -> bool {
        self.several
    }

    /// All that may happen to several nodes of the state `words` at once.
    ///
    /// # Errors
    /// A set of nodes that cannot be worked out.
    pub(crate) fn several(&self, words: &[u32]) -> Result<Several, CheckError> {
        let mut several = Several::default();
        let mut counted = Expansion::default();
        self.each_several(words, |world, action, found| {
            let mut lead = |successor| {
                counted.fire(action, 1);
                let mut next = world.clone();
                world.perform(&self.program, action, successor, &mut Make(&mut next));
                several.rows.push(self.encode_interned(&next));
            };
            let Some(found) = found else {
                lead(None);
                counted.network += 1;
                return;
            };
            found.step().successors.iter().for_each(|successor| lead(Some(successor)));
            counted.add(found);
        })?;
        several.counted = counted;
        Ok(several)
    }

    /// The ways that lead to the rows of [`Parts::several`], in their order; and the first of them that is a fault, with what
    /// it says.
    pub(crate) fn several_ways(&self, words: &[u32]) -> (Vec<Way>, Option<(Way, String)>) {
        let (mut ways, mut fault) = (Vec::new(), None);
        let way = |action: &Action<Interned>, tape: &[u32]| Way {
            action: self.program.direct_action(action),
            tape: tape.to_vec(),
        };
        // That the sets can be worked out was seen when the state was explored.
        let _ = self.each_several(words, |_, action, found| {
            let Some(found) = found else { return ways.push(way(action, &[])) };
            for successor in &found.step().successors {
                ways.push(way(action, &successor.tape));
                if let (Some(said), None) = (&successor.fault, &fault) {
                    fault = Some((way(action, &successor.tape), said.to_string()));
                }
            }
        });
        (ways, fault)
    }

    fn each_several<'s>(
        &'s self,
        words: &[u32],
        mut visit: impl FnMut(&World<Interned>, &Action<Interned>, Option<Found<'s>>),
    ) -> Result<(), CheckError> {
        let world = self.decode(words);
        let mut actions = Vec::new();
        fault::guard(|| world.enabled_of(&self.program, Of::Several, |action| actions.push(action)))
            .map_err(|fault| CheckError::PropertyFault { property: "faults", fault })?;
        for action in &actions {
            let found = action
                .stimulus(&self.program)
                .map(|(id, stimulus)| self.step(id.index(), world.nodes[id.index()], &stimulus));
            visit(&world, action, found);
        }
        Ok(())
    }
}
