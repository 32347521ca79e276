//! [`shrink`]: makes a counterexample short. What a search that is not breadth first finds has many steps that do not matter.
//!
//! A path is replayed with some of its moves left out; moves that are then impossible are left out as well. What is kept
//! violates the same property, and is walked by [`World::enabled`] and [`World::perform`] like any other path. In this order: the
//! moves behind the first violation go; then those between two visits of one state; then runs of moves, half of all at first, single ones
//! last; and at the end the moves that are left are tried in every order, breadth first, so that some of them may do in another order.
//!
//! # Caveats
//! The result is shortest only among the paths that consist of moves of the one given, and only if `effort` suffices to try all.

use std::sync::Arc;

use foresee_kernel::trace::Ending;
use foresee_kernel::{Model, Property, names};
use hashbrown::{HashMap, HashSet};

use crate::World;
use crate::direct::Direct;
use crate::narrate::Walk;
use crate::path::{Move, Path};

/// A path to what `path` ends in, of moves of `path`, and no longer than it. `effort` is how many moves may be tried.
pub fn shrink(model: &Arc<Model>, path: &Path, ending: &Ending, effort: u64) -> Path {
    names::scope(&model.names, || {
        let program = Direct::new(model.clone());
        let Some(goal) = Goal::of(model, ending) else { return path.clone() };
        let Ok(first) = Walk::first(&program, &path.starts) else { return path.clone() };
        let mut shrinker = Shrinker { program: &program, goal, first, effort };
        let moves = shrinker.run(&path.moves).unwrap_or_else(|| path.moves.clone());
        Path { starts: path.starts.clone(), moves }
    })
}

/// What a path is to end in.
#[derive(Clone, Copy)]
enum Goal {
    Property { property: &'static Property, holds: bool },
    Fault,
}

impl Goal {
    fn of(model: &Model, ending: &Ending) -> Option<Goal> {
        let (name, holds) = match ending {
            Ending::Violation { property } => (property, false),
            Ending::Witness { property } => (property, true),
            Ending::Fault { .. } => return Some(Goal::Fault),
            Ending::Cycle { .. } | Ending::Run => return None,
        };
        let property = model.properties.iter().find(|it| it.name == name)?;
        Some(Goal::Property { property, holds })
    }
}

struct Shrinker<'p> {
    program: &'p Direct,
    goal: Goal,
    first: World<Direct>,
    effort: u64,
}

impl Shrinker<'_> {
    /// Shorter moves; None where the ones given do not lead to the goal.
    fn run(&mut self, moves: &[Move]) -> Option<Vec<Move>> {
        let mut best = self.replay(moves.iter())?;
        if let Some(shorter) = self.without_loops(&best) {
            best = shorter;
        }
        let mut chunk = best.len().div_ceil(2).max(1);
        loop {
            let before = best.len();
            self.leave_out(&mut best, chunk);
            if self.effort == 0 || (chunk == 1 && best.len() == before) {
                break;
            }
            chunk = chunk.min(best.len()).div_ceil(2).max(1);
        }
        Some(self.reordered(&best).unwrap_or(best))
    }

    /// Tries to do without each `chunk` moves that follow each other, the last ones first.
    fn leave_out(&mut self, best: &mut Vec<Move>, chunk: usize) {
        let mut end = best.len();
        while end > 0 && self.effort > 0 {
            let start = end.saturating_sub(chunk);
            let kept = best[..start].iter().chain(&best[end..]);
            if let Some(shorter) = self.replay(kept) {
                *best = shorter;
            }
            end = start.min(best.len());
        }
    }

    /// The moves of `moves` that are possible, up to the goal; None where it is not reached.
    fn replay<'m>(&mut self, moves: impl Iterator<Item = &'m Move>) -> Option<Vec<Move>> {
        let mut world = self.first.clone();
        let mut kept = Vec::new();
        if self.reached(&world) {
            return Some(kept);
        }
        for step in moves {
            let Some((next, fault)) = self.step(&world, step) else { continue };
            kept.push(step.clone());
            if self.done(&next, fault) {
                return Some(kept);
            }
            world = next;
        }
        None
    }

    /// The moves without those that lead from a state back to it.
    fn without_loops(&mut self, moves: &[Move]) -> Option<Vec<Move>> {
        let mut world = self.first.clone();
        let mut last: HashMap<u64, usize> = HashMap::default();
        last.insert(world.digest(self.program), 0);
        let mut digests = vec![world.digest(self.program)];
        for (index, step) in moves.iter().enumerate() {
            world = self.step(&world, step)?.0;
            let digest = world.digest(self.program);
            // The last step may be a fault, which leaves the state as it was.
            if index + 1 < moves.len() {
                last.insert(digest, index + 1);
            }
            digests.push(digest);
        }
        let (mut kept, mut at) = (Vec::new(), 0);
        while at < moves.len() {
            at = last.get(&digests[at]).copied().unwrap_or(at).max(at);
            kept.extend(moves.get(at).cloned());
            at += 1;
        }
        if kept.len() < moves.len() { self.replay(kept.iter()) } else { None }
    }

    /// The fewest of these moves, in any order and each as often as it is possible, that lead to the goal, if that is less than all.
    fn reordered(&mut self, moves: &[Move]) -> Option<Vec<Move>> {
        let mut different: Vec<&Move> = Vec::new();
        moves.iter().for_each(|step| {
            if !different.contains(&step) {
                different.push(step);
            }
        });
        let mut seen: HashSet<World<Direct>> = HashSet::default();
        seen.insert(self.first.clone());
        // Worlds with the place of their parent and the move that led to them.
        let mut reached = vec![(self.first.clone(), usize::MAX, usize::MAX)];
        let mut level = 0..1;
        for _ in 1..moves.len() {
            for parent in level.clone() {
                for (which, step) in different.iter().enumerate() {
                    if self.effort == 0 {
                        return None;
                    }
                    let world = reached[parent].0.clone();
                    let Some((next, fault)) = self.step(&world, step) else { continue };
                    let done = self.done(&next, fault);
                    if done || seen.insert(next.clone()) {
                        reached.push((next, parent, which));
                    }
                    if done {
                        return Some(trail(&reached, &different));
                    }
                }
            }
            level = level.end..reached.len();
        }
        None
    }

    /// The world after a move, and whether its step faulted; None where it is not possible.
    fn step(&mut self, world: &World<Direct>, step: &Move) -> Option<(World<Direct>, bool)> {
        self.effort = self.effort.saturating_sub(1);
        let mut possible = false;
        world.enabled(self.program, |action| possible |= action == step.action);
        if !possible {
            return None;
        }
        Walk::after(self.program, world, step).ok()
    }

    fn done(&self, world: &World<Direct>, fault: bool) -> bool {
        match self.goal {
            Goal::Fault => fault,
            Goal::Property { .. } => self.reached(world),
        }
    }

    fn reached(&self, world: &World<Direct>) -> bool {
        match self.goal {
            Goal::Fault => false,
            Goal::Property { property, holds } => {
                world.view(self.program, |view| (property.holds)(view)) == holds
            }
        }
    }
}

/// The moves that led to the last of `reached`.
fn trail(reached: &[(World<Direct>, usize, usize)], different: &[&Move]) -> Vec<Move> {
    let mut moves = Vec::new();
    let mut at = reached.len() - 1;
    while let Some((_, parent, which)) = reached.get(at).filter(|(_, parent, _)| *parent != usize::MAX) {
        moves.push(different[*which].clone());
        at = *parent;
    }
    moves.reverse();
    moves
}
