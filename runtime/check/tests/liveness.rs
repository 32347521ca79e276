//! Liveness against a naive decision by fixpoints (Emerson and Lei), on random systems; and every lasso against the definition of what
//! is fair.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::sync::Arc;

use foresee_check::Progress;
use foresee_check::liveness::{self, Decision, Lasso, Limits};
use foresee_kernel::digest::mix;
use foresee_kernel::{Liveness, Model, NodeId, Predicate, Temporal, View};
use foresee_tests::random;
use foresee_world::{Action, Direct, World, narrate, path};
use proptest::prelude::*;

/// Systems with more worlds than this are left out.
const STATES_MAX: usize = 300;

thread_local! {
    /// The case at hand: a seed for each of the predicates, and of eight states about how many it holds in.
    static CASE: Cell<[(u64, u64); 2]> = const { Cell::new([(0, 0); 2]) };
}

fn ask<const WHICH: usize>(view: &View<'_>, _: &[NodeId]) -> bool {
    let (seed, share) = CASE.get()[WHICH];
    mix(random::hue(view) ^ seed) % 8 < share
}

const P: Predicate = Predicate { holds: ask::<0>, reads: &[], reads_up: true };
const Q: Predicate = Predicate { holds: ask::<1>, reads: &[], reads_up: true };

const fn claim(name: &'static str, claim: Temporal) -> Liveness {
    Liveness { name, file: "random.mace", line: 1, instances: |_| vec![Vec::new()], claim }
}

static CLAIMS: [Liveness; 4] = [
    claim("eventually", Temporal::Eventually(P)),
    claim("always eventually", Temporal::AlwaysEventually(P)),
    claim("eventually always", Temporal::EventuallyAlways(P)),
    claim("leads to", Temporal::LeadsTo(P, Q)),
];

/// What an action does of what is owed; None for a fault.
fn owed(action: &Action<Direct>) -> Option<String> {
    match action {
        Action::Deliver(it) | Action::Miss(it) | Action::Lapse(it) => Some(format!("arrives {it:?}")),
        Action::Call(it) => Some(format!("call {}.{}", it.plan, it.way)),
        Action::Fire(..) | Action::Restart(_) | Action::Heal(_) => Some(format!("{action:?}")),
        _ => None,
    }
}

fn all_owed(program: &Direct, world: &World<Direct>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    world.enabled(program, |action| all.extend(owed(&action)));
    all
}

/// All worlds, by comparison one with the other.
struct Naive {
    worlds: Vec<World<Direct>>,
    starts: usize,
    edges: Vec<Vec<(usize, Option<String>)>>,
    owed: Vec<BTreeSet<String>>,
    bounded: bool,
}

impl Naive {
    /// None where there are too many.
    fn of(program: &Direct) -> Option<Naive> {
        let mut naive =
            Naive { worlds: Vec::new(), starts: 0, edges: Vec::new(), owed: Vec::new(), bounded: false };
        for initial in path::initials(program, STATES_MAX)? {
            naive.place(initial.world);
        }
        naive.starts = naive.worlds.len();
        let mut next = 0;
        // By depths, as a bound on them counts the fewest steps.
        let mut depths = vec![0; naive.starts];
        while next < naive.worlds.len() {
            let world = naive.worlds[next].clone();
            let (mut actions, mut edges) = (Vec::new(), Vec::new());
            let within = world.within_bounds(program, depths[next]);
            naive.bounded |= !within;
            if within {
                world.enabled(program, |action| actions.push(action));
            }
            for action in actions {
                match action.stimulus(program) {
                    None => edges.push((naive.place(world.after(program, &action, None)), owed(&action))),
                    Some((id, stimulus)) => {
                        for way in program.successors(&world.nodes[id.index()], &stimulus) {
                            let to = naive.place(world.after(program, &action, Some(&way)));
                            edges.push((to, owed(&action)));
                        }
                    }
                }
            }
            depths.resize(naive.worlds.len(), depths[next] + 1);
            let owed: BTreeSet<String> = edges.iter().filter_map(|edge| edge.1.clone()).collect();
            if owed.is_empty() && within {
                edges.push((next, None));
            }
            naive.owed.push(owed);
            naive.edges.push(edges);
            next += 1;
            if naive.worlds.len() > STATES_MAX {
                return None;
            }
        }
        Some(naive)
    }

    fn place(&mut self, world: World<Direct>) -> usize {
        self.worlds.iter().position(|it| *it == world).unwrap_or_else(|| {
            self.worlds.push(world);
            self.worlds.len() - 1
        })
    }

    /// Where a fair run begins that stays in `region`, and comes to `again` again and again.
    fn fair(&self, region: &[bool], again: &[bool]) -> Vec<bool> {
        let classes: BTreeSet<&String> = self.owed.iter().flatten().collect();
        let mut left = region.to_vec();
        loop {
            let before = left.clone();
            let comes = |left: &[bool], goal: &dyn Fn(usize) -> bool| {
                // One step within, and then on to the goal.
                let mut reach: Vec<bool> = (0..left.len()).map(|at| left[at] && goal(at)).collect();
                loop {
                    let step = |at: usize, reach: &[bool]| {
                        left[at] && self.edges[at].iter().any(|edge| left[edge.0] && reach[edge.0])
                    };
                    let more: Vec<bool> = (0..left.len()).map(|at| reach[at] || step(at, &reach)).collect();
                    if more == reach {
                        return (0..left.len()).map(|at| step(at, &reach)).collect::<Vec<bool>>();
                    }
                    reach = more;
                }
            };
            left = comes(&before, &|at| again[at]);
            for class in &classes {
                let now = left.clone();
                let goal = |at: usize| {
                    let does =
                        |edge: &(usize, Option<String>)| edge.1.as_ref() == Some(*class) && now[edge.0];
                    !self.owed[at].contains(*class) || self.edges[at].iter().any(does)
                };
                left = comes(&now, &goal);
            }
            if left == before {
                return left;
            }
        }
    }

    fn refuted(&self, program: &Direct, claim: &Temporal) -> bool {
        let holds = |it: &Predicate| -> Vec<bool> {
            self.worlds.iter().map(|world| world.view(program, |view| (it.holds)(view, &[]))).collect()
        };
        let not = |it: &[bool]| -> Vec<bool> { it.iter().map(|holds| !holds).collect() };
        let all = vec![true; self.worlds.len()];
        match claim {
            Temporal::Eventually(p) => self.fair(&not(&holds(p)), &all)[..self.starts].contains(&true),
            Temporal::AlwaysEventually(p) => self.fair(&not(&holds(p)), &all).contains(&true),
            Temporal::EventuallyAlways(p) => self.fair(&all, &not(&holds(p))).contains(&true),
            Temporal::LeadsTo(p, q) => {
                self.fair(&not(&holds(q)), &all).iter().zip(holds(p)).any(|(bad, asks)| *bad && asks)
            }
        }
    }
}

/// By the definition: the run can be walked, comes back, owes nothing, and violates the claim.
fn is_a_bad_fair_run(model: &Arc<Model>, program: &Direct, claim: &Temporal, lasso: &Lasso) {
    narrate::narrate(model, &lasso.path).expect("it can happen");
    let worlds = narrate::worlds(model, &lasso.path).expect("it can be walked");
    let cycle = &worlds[lasso.cycle..];
    assert!(cycle.first() == cycle.last());
    let done: BTreeSet<String> =
        lasso.path.moves[lasso.cycle..].iter().filter_map(|step| owed(&step.action)).collect();
    let mut everywhere = all_owed(program, &cycle[0]);
    for world in cycle {
        let here = all_owed(program, world);
        everywhere.retain(|it| here.contains(it));
    }
    assert!(everywhere.is_subset(&done), "{everywhere:?} is owed, {done:?} is done");
    let holds = |it: &Predicate, world: &World<Direct>| world.view(program, |view| (it.holds)(view, &[]));
    match claim {
        Temporal::Eventually(p) => assert!(!worlds.iter().any(|world| holds(p, world))),
        Temporal::AlwaysEventually(p) => assert!(!cycle.iter().any(|world| holds(p, world))),
        Temporal::EventuallyAlways(p) => assert!(cycle.iter().any(|world| !holds(p, world))),
        Temporal::LeadsTo(p, q) => {
            let after = worlds.iter().rposition(|world| holds(q, world)).map_or(0, |place| place + 1);
            assert!(after <= lasso.cycle && worlds[after..].iter().any(|world| holds(p, world)));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 192, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn verdicts_are_those_of_fixpoints(
        bytes in prop::collection::vec(any::<u8>(), 0..300),
        kind in 0..3_u8,
        seeds in any::<(u64, u64)>(),
        shares in (1..8_u64, 1..8_u64),
    ) {
        let mut model = match kind {
            0 => random::model(&bytes),
            1 => random::planned(&bytes),
            _ => random::automata(&bytes),
        };
        if kind == 2 {
            // What they send would pile up for ever.
            (model.bounds.duplicates, model.bounds.messages) = (Some(1), Some(1));
        }
        CASE.set([(seeds.0, shares.0), (seeds.1, shares.1)]);
        model.liveness = CLAIMS.iter().collect();
        prop_assume!(liveness::refusal(&model).is_none());
        let model = Arc::new(model);
        let program = Direct::new(model.clone());
        let Some(naive) = Naive::of(&program) else { return Err(TestCaseError::reject("too many worlds")) };
        let report = liveness::decide(&model, Limits::of_states(10 * STATES_MAX), &Progress::default()).expect("it is small");
        prop_assert_eq!(report.states, naive.worlds.len());
        for (judged, claim) in report.properties.iter().zip(&CLAIMS) {
            let refuted = naive.refuted(&program, &claim.claim);
            match &judged.decision {
                Decision::Refuted(lasso) => {
                    prop_assert!(refuted, "{} is not refuted by fixpoints", claim.name);
                    is_a_bad_fair_run(&model, &program, &claim.claim, lasso);
                }
                Decision::Proved => prop_assert!(!refuted && !naive.bounded, "{}", claim.name),
                Decision::NotRefuted => prop_assert!(!refuted && naive.bounded, "{}", claim.name),
                Decision::Unknown => prop_assert!(false, "{} is unknown", claim.name),
            }
        }
    }
}
