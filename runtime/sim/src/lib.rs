//! The simulator: discrete events on a virtual clock, from one seed.
//!
//! A run takes the steps that [`foresee_world::World`] allows, in the order in which their time comes: what is in
//! flight and what is armed stands in one queue (`queue`), ordered by time, then by kind (calls and faults, deliveries, timers),
//! then by when it was scheduled. Nature draws delays, losses, doublings and chance from the seed, each number keyed by what it
//! is for (`draws`); choices are answered by a named [`Policy`] (`resolver`). Nothing else differs from checking, and
//! a recorded run (`record`) is walked through a world of its own as it happens, so its trace replays there.
//!
//! [`run`] makes one run, [`runs`] many of them on threads, in the order of their seeds whatever the threads;
//! [`Summary`] folds them. A seed fixes every byte of what they give.
//!
//! What a system says will be done to it stands in the same queue: calls of the application and faults, by their lines
//! (`schedule`), and beside them when nodes come and go by a file (`churn`). What fails does so by the rules of the world (`fail`,
//! `channels`), and so does what meets a receiver that has much to do, or gets stuck on its way to it (`receive`).
//!
//! A policy that looks ahead has a *witness* (`witness`), which is told what every node sends, hears and becomes, and it tries options by
//! [`rollout`]: runs from a given situation, by the same engine.
//!
//! Claims about many runs are decided in `statistics`, from what each run says of them (`gauge`). For what is rare a run goes on from where
//! another was (`journey`).
//!
//! [`exact`] solves small systems without sampling: as a Markov chain, or as a decision process where choices are open (`exact`).
//!
//! This crate never looks at a wall clock, never prints, and keeps its threads in `many` alone.
//!
//! # Caveats
//! - Budgets of losses and doublings (`check { drop: at most n }`) bound a search; a simulation goes by rates alone.
//! - A value of a property is remembered under a 64-bit digest of what it reads; two different projections with one
//!   digest would be taken for each other.
//! - A rate of an objective that is not local is computed anew for all its nodes after each event.

mod accounts;
mod channels;
mod churn;
mod deliberate;
mod draws;
mod embed;
mod engine;
mod exact;
mod fail;
mod fetch;
mod flights;
mod gauge;
mod heap;
mod journey;
mod ledger;
mod many;
mod network;
mod options;
mod queue;
mod rate;
mod receive;
mod record;
mod requests;
mod resolver;
mod result;
mod rollout;
mod run;
mod schedule;
mod script;
mod slab;
mod statistics;
mod summary;
mod tally;
mod timers;
mod watch;
mod witness;
mod worth;

pub use accounts::{Accounted, Accounts};
pub use draws::fault_draw;
pub use embed::{EmbedError, Sim, WAIT_EVENTS_MAX};
pub use exact::{Answered, Answers, Exact, ExactError, Settled, Taken, exact, exhaustive};
pub use many::{runs, runs_while};
pub use network::{LOOPBACK_NANOS, said};
pub use options::{LOOKS_MAX, Options, SimError};
pub use resolver::{AuthorsDefault, Custom, Policy, Random, ResolverKind, Resolvers, Scene, UnknownResolver};
pub use result::{
    CallRuns, Ending, FaultRuns, HandlerRuns, Ignored, PropertyOutcome, Run, Status, TOTAL, Violation,
};
pub use rollout::{Armed, Opening, Prospect, Situation, Span, Surroundings, UnderWay, rollout, started};
pub use run::{EVENTS_MAX, INSTANT_EVENTS_MAX, TRACE_EVENTS_MAX, run};
pub use schedule::{arrival, moment};
pub use script::{Failure, SCENARIO_SEED, SCRIPT_EVENTS_MAX, ScenarioRun, scenario};
pub use statistics::{
    Comparison, Demands, Difference, Estimate, Interval, Level, Means, Proportion, RUNS_LEAST, Rare,
    Splitting, Sprt, Verdict, Verification, compare, rare, verify,
};
pub use summary::{Moments, Summary, ViolationAt};
pub use witness::{Onlooker, Own, Paths, Step, Witness, draw};
