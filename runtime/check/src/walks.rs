//! Random walks: from a first state on, one of the actions that are possible, and one of the ways in which it can go, again and again.
//!
//! Each is as probable as any other. Walk `i` of seed `s` is the same in every run, of however many walks. A walk ends after a number
//! of steps, where nothing more can happen, where a bound of the model cuts, or at a violation.
//!
//! # Caveats
//! What many walks do not find may still be there: the verdict is never that a property holds. Many ways into one state make it
//! probable, and rare orders are rare: breadth first finds what is near, walks what is far and common.

use std::sync::atomic::Ordering;

use foresee_kernel::trace::Ending;
use foresee_kernel::{NodeId, PropertyKind, digest::mix};
use foresee_world::reference::NO_FAULT;
use foresee_world::{Action, Bound, Move, Path, Program, World, cut_by};

use crate::intern::Interned;
use crate::judge::{NOTHING, NearJudge};
use crate::options::{CheckError, Walks};
use crate::report::{Counterexample, Cut};
use crate::shared::Shared;
use crate::tally::{Findings, Tally};
use crate::trail::Root;

/// Steps between two looks at budgets.
const STEPS_PER_LOOK: u64 = 512;

/// What the walks found.
pub(crate) struct Walked {
    pub tally: Tally,
    pub findings: Findings,
    pub counterexample: Option<Counterexample>,
    pub witnesses: Vec<Counterexample>,
    /// How many walks ended where they were told to.
    pub cut: u64,
}

/// Takes the walks.
///
/// # Errors
/// A property that panics, no memory for the table of states.
pub(crate) fn walk(shared: &Shared<'_>, roots: &[Root], walks: &Walks) -> Result<Walked, CheckError> {
    let model = shared.parts.program.model();
    let mut walker = Walker {
        shared,
        near: NearJudge::new(),
        steps: 0,
        walked: Walked {
            tally: Tally::new(model),
            findings: Findings::new(model.properties.len()),
            counterexample: None,
            witnesses: Vec::new(),
            cut: 0,
        },
    };
    let worlds: Vec<World<Interned>> = roots.iter().map(|root| shared.parts.decode(&root.words)).collect();
    for number in 0..walks.count {
        let mut draws = Draws::new(walks.seed, number);
        let which = draws.below(worlds.len());
        walker.one(&roots[which], &worlds[which], walks.length, &mut draws)?;
        if shared.control.stopped().is_some() {
            walker.walked.findings.left += walks.count - number - 1;
            break;
        }
        shared.progress.frontier.store(walks.count - number - 1, Ordering::Relaxed);
    }
    Ok(walker.walked)
}

struct Walker<'s, 'a> {
    shared: &'s Shared<'a>,
    near: NearJudge,
    steps: u64,
    walked: Walked,
}

/// A step that was taken.
struct Taken {
    action: Action<Interned>,
    tape: Vec<u32>,
}

impl Walker<'_, '_> {
    fn one(
        &mut self,
        root: &Root,
        first: &World<Interned>,
        length: u32,
        draws: &mut Draws,
    ) -> Result<(), CheckError> {
        let (parts, program) = (self.shared.parts, &self.shared.parts.program);
        let (mut world, mut taken) = (first.clone(), Vec::new());
        let mut actions = Vec::new();
        for depth in 0.. {
            if self.arrive(root, &world, &taken, depth)? || self.look() {
                return Ok(());
            }
            if let Some(bound) = self.cut(&world, depth)? {
                self.walked.findings.cuts[bound as usize] += 1;
                return Ok(());
            }
            if depth == length {
                self.walked.cut += 1;
                return Ok(());
            }
            actions.clear();
            let list = &mut actions;
            foresee_kernel::fault::guard(|| world.enabled(program, |action| list.push(action)))
                .map_err(|fault| CheckError::PropertyFault { property: "faults", fault })?;
            if actions.is_empty() {
                return Ok(());
            }
            let action = actions.swap_remove(draws.below(actions.len()));
            self.walked.tally.action(&action);
            let Some((id, stimulus)) = action.stimulus(program) else {
                world = world.after(program, &action, None);
                taken.push(Taken { action, tape: Vec::new() });
                continue;
            };
            let found = parts.step(id.index(), world.nodes[id.index()], &stimulus);
            let step = found.step();
            let way = draws.below(step.successors.len());
            self.walked.tally.way(parts, step, way);
            let successor = &step.successors[way];
            let (next, fault) = (world.after(program, &action, Some(successor)), successor.fault.clone());
            let tape = successor.tape.clone();
            taken.push(Taken { action, tape });
            world = next;
            if let Some(fault) = fault {
                let ending = Ending::Fault { message: fault.to_string() };
                self.violated(root, &taken, NO_FAULT, ending);
                return Ok(());
            }
        }
        Ok(())
    }

    /// Notes a state. Whether the walk is to end in it.
    fn arrive(
        &mut self,
        root: &Root,
        world: &World<Interned>,
        taken: &[Taken],
        depth: u32,
    ) -> Result<bool, CheckError> {
        let parts = self.shared.parts;
        let Some(new) = self.insert(world) else { return Ok(true) };
        let findings = &mut self.walked.findings;
        if new {
            let place = depth as usize;
            if findings.histogram.len() <= place {
                findings.histogram.resize(place + 1, 0);
                self.shared.progress.depth.fetch_max(depth, Ordering::Relaxed);
            }
            findings.histogram[place] += 1;
        }
        let ambient = parts.judge.ambient_key(&world.ambient);
        let key = world.nodes.iter().enumerate().fold(ambient, |sum, (index, node)| {
            sum.wrapping_add(parts.judge.key(&parts.program, NodeId::new(index as u32), *node))
        });
        let state = || (world.nodes.clone(), world.ambient.clone());
        let found = parts.judge.findings(&parts.program, &mut self.near, key, state)?;
        if found == NOTHING {
            return Ok(false);
        }
        let mut ends = false;
        for property in parts.judge.set(found) {
            let index = usize::from(*property);
            let property = parts.program.model().properties[index];
            findings_of(&mut self.walked.findings, index, new);
            let name = property.name.to_owned();
            if property.kind != PropertyKind::Reachable {
                ends = true;
                self.violated(root, taken, property.name, Ending::Violation { property: name });
            } else if self.walked.witnesses.iter().all(|witness| witness.property != property.name) {
                let path = self.path(root, taken);
                let ending = Ending::Witness { property: name };
                self.walked.witnesses.push(Counterexample { property: property.name, path, ending });
            }
        }
        Ok(ends)
    }

    /// Whether the state is a new one; None where there is no room for it.
    fn insert(&self, world: &World<Interned>) -> Option<bool> {
        let shared = self.shared;
        if !shared.make_room(1, 0) {
            return None;
        }
        let new = shared.table().insert(world.digest(&shared.parts.program).into());
        if new {
            let most = shared.options.max_states.unwrap_or(u64::MAX);
            if shared.unique.load(Ordering::Relaxed) >= most {
                shared.control.stop(Cut::States);
                return None;
            }
            shared.unique.fetch_add(1, Ordering::Relaxed);
        }
        Some(new)
    }

    fn cut(&mut self, world: &World<Interned>, depth: u32) -> Result<Option<Bound>, CheckError> {
        let (parts, bounds) = (self.shared.parts, &self.shared.bounds);
        let messages = if bounds.messages.is_some() { world.in_flight(&parts.program) } else { 0 };
        let mut error = None;
        let state = || (world.nodes.clone(), world.ambient.clone());
        let near = &mut self.near;
        let cut = cut_by(bounds, depth, messages, || {
            parts.judge.within(&parts.program, near, state).unwrap_or_else(|problem| {
                error = Some(problem);
                false
            })
        });
        error.map_or(Ok(cut), Err)
    }

    /// Looks at budgets from time to time. Whether the walks are over.
    fn look(&mut self) -> bool {
        self.steps += 1;
        if self.steps.is_multiple_of(STEPS_PER_LOOK) {
            let progress = self.shared.progress;
            progress.unique_states.store(self.shared.unique.load(Ordering::Relaxed), Ordering::Relaxed);
            progress.transitions.store(self.walked.tally.transitions, Ordering::Relaxed);
            self.shared.look_at_budgets(0, true);
        }
        self.shared.control.stopped().is_some()
    }

    fn path(&self, root: &Root, taken: &[Taken]) -> Path {
        let mut path = root.path.clone();
        path.moves.extend(taken.iter().map(|taken| Move {
            action: self.shared.parts.program.direct_action(&taken.action),
            tape: taken.tape.clone(),
        }));
        path
    }

    /// Keeps the shortest way to a violation.
    fn violated(&mut self, root: &Root, taken: &[Taken], property: &'static str, ending: Ending) {
        let length = root.path.moves.len() + taken.len();
        let known = self.walked.counterexample.as_ref().map_or(usize::MAX, |found| found.path.moves.len());
        if length < known {
            let path = self.path(root, taken);
            self.walked.counterexample = Some(Counterexample { property, path, ending });
        }
        if !self.shared.options.keep_going {
            self.shared.control.stop(Cut::Violation);
        }
    }
}

/// Counts a state that is to be noted, once; that there is one is counted in any case.
fn findings_of(findings: &mut Findings, property: usize, new: bool) {
    findings.counts[property] = (findings.counts[property] + u64::from(new)).max(1);
}

/// SplitMix64 (Steele, Lea and Flood, *Fast Splittable Pseudorandom Number Generators*, 2014), begun anew for each walk.
struct Draws(u64);

impl Draws {
    fn new(seed: u64, walk: u64) -> Self {
        Draws(mix(mix(seed).wrapping_add(walk)))
    }

    /// A number below `count`, which is not 0. Its bias is below `count / 2^64`.
    fn below(&mut self, count: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        ((u128::from(mix(self.0)) * count as u128) >> 64) as usize
    }
}
