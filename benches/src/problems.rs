//! What is measured: the problems, how many states each has, who explores it how, and what is to be reached.

use std::path::{Path, PathBuf};

use crate::bars::{Bar, Measure};
use crate::spin;

/// A model that several checkers are given.
pub struct Problem {
    pub name: &'static str,
    /// The number of its states, which each contender must find.
    pub states: u64,
    /// The first is ours, breadth first on one thread.
    pub contenders: Vec<Contender>,
    pub bars: Vec<Bar>,
}

/// A process that explores a problem, or shows a limit of those that do.
pub struct Contender {
    pub name: &'static str,
    pub program: PathBuf,
    pub args: Vec<String>,
    pub kind: Kind,
}

/// How a contender is made and asked.
pub enum Kind {
    /// A program that prints what it found as JSON.
    Checker,
    /// The verifier that Spin makes of a model.
    Spin(Spin),
    /// The bare table of fingerprints: it is told how many states and look-ups our search just had that spares none, depth first.
    Table,
}

/// A verifier that Spin makes.
pub struct Spin {
    /// In Promela.
    pub model: String,
    /// What the C compiler is told besides.
    pub flags: &'static [&'static str],
}

pub const BREADTH: &str = "foresee, breadth first";
pub const DEPTH: &str = "foresee, depth first";
pub const TWO_THREADS: &str = "foresee, breadth first, 2 threads";
/// The contender that checks no property but that no step faults.
pub const BARE: &str = "foresee, without properties";
/// The one that checks one property besides, a closure over nodes.
pub const CLOSURE: &str = "foresee, the closure alone";
pub const TABLE: &str = "the bare table of fingerprints";
pub const PEER_BREADTH: &str = "stateright, breadth first";
pub const PEER_DEPTH: &str = "stateright, depth first";
pub const SPIN: &str = "spin, depth first";

impl Problem {
    /// The place of a contender.
    pub fn place(&self, name: &str) -> Option<usize> {
        self.contenders.iter().position(|it| it.name == name)
    }
}

impl Contender {
    /// Whether it is our checker, or a part of it.
    pub fn is_ours(&self) -> bool {
        self.name.starts_with("foresee") || matches!(self.kind, Kind::Table)
    }

    /// What its arguments do not say.
    pub fn note(&self) -> String {
        match &self.kind {
            Kind::Checker => String::new(),
            Kind::Spin(spin) => format!("   (pan by gcc {})", spin.flags.join(" ")),
            Kind::Table => "STATES LOOKUPS   (those of our depth first search in the round)".to_owned(),
        }
    }
}

/// All problems.
pub fn all(programs: &Path) -> Vec<Problem> {
    let retain = "--reduce retain-ignored --allow-unfired";
    let mut problems = vec![
        two_phase(programs, "two-phase commit, 8 participants", 8, 1_745_408),
        two_phase(programs, "two-phase commit, 9 participants", 9, 10_340_352),
        actors(
            programs,
            "Paxos, 3 clients",
            1_194_428,
            ("paxos-single", &format!("--param clients=3 {retain}")),
            "paxos 3",
        ),
        actors(
            programs,
            "register of Attiya, Bar-Noy and Dolev",
            5_992_861,
            ("abd-register", &format!("--param writers=1 --param reads=1 --fault crash=0 {retain}")),
            "register 1",
        ),
        actors(
            programs,
            "Paxos on 5 servers with timers",
            3_168_873,
            ("paxos-retries", &format!("--param proposers=2 --param rounds=1 {retain}")),
            "retries 1",
        ),
        alone(programs, "Paxos, 7 clients", 14_003_481, &format!("--param clients=7 {retain}")),
        alone(
            programs,
            "Paxos, 4 clients, 15 steps, nothing retained",
            11_459_635,
            "--param clients=4 --depth 15 --allow-unfired",
        ),
        closure(programs, "RandTree, closure over parents", 3_307_192, "--param size=3 --depth 18"),
        closure(
            programs,
            "RandTree, 31 nodes in churn",
            990_841,
            "--system Internet --from-simulation 1@201s --depth 4",
        ),
    ];
    for problem in &mut problems {
        let table = match problem.name {
            "two-phase commit, 9 participants" => Bar::of(Measure::Table).least(0.15).goal(0.25),
            "Paxos, 3 clients" => Bar::of(Measure::Table).least(0.05).goal(0.08),
            _ => continue,
        };
        problem.contenders.push(Contender {
            name: TABLE,
            program: programs.join("raw-table"),
            args: Vec::new(),
            kind: Kind::Table,
        });
        problem.bars.push(table);
    }
    problems
}

fn two_phase(programs: &Path, name: &'static str, count: usize, states: u64) -> Problem {
    let mut contenders = foresee(programs, "two-phase-commit", &format!("--param rms={count}"));
    contenders.extend(stateright(programs, "peer-two-phase-commit", &count.to_string()));
    contenders.push(spin(
        spin::two_phase_commit(count),
        &["-O3", "-DSAFETY", "-DNOREDUCE", "-DNOFAIR", "-DMEMLIM=12288"],
    ));
    let mut bars = peers(true);
    bars.push(Bar::of(Measure::Ratio(SPIN)).least(5.0));
    bars.push(Bar::of(Measure::Threads).least(1.5));
    if count == 9 {
        bars.push(Bar::of(Measure::Bytes).most(48.0));
    }
    Problem { name, states, contenders, bars }
}

/// A model of actors, which Stateright has as such.
fn actors(programs: &Path, name: &'static str, states: u64, ours: (&str, &str), theirs: &str) -> Problem {
    let mut contenders = foresee(programs, ours.0, ours.1);
    contenders.extend(stateright(programs, "peer-actors", theirs));
    let mut bars = peers(name == "Paxos, 3 clients");
    bars.push(Bar::of(Measure::Threads).least(1.5));
    Problem { name, states, contenders, bars }
}

/// What is to be reached against Stateright.
fn peers(goals: bool) -> Vec<Bar> {
    let (breadth, depth) = (Bar::of(Measure::Ratio(PEER_BREADTH)), Bar::of(Measure::Ratio(PEER_DEPTH)));
    let (breadth, depth) = (breadth.least(10.0), depth.least(5.0));
    if goals { vec![breadth.goal(20.0), depth.goal(10.0)] } else { vec![breadth, depth] }
}

/// A Paxos that is there for the memory that it takes.
fn alone(programs: &Path, name: &'static str, states: u64, args: &str) -> Problem {
    let contenders = vec![ours(programs, "paxos-single", BREADTH, args)];
    Problem { name, states, contenders, bars: vec![Bar::of(Measure::Bytes).most(80.0)] }
}

/// A tree, one of whose properties follows parents from node to node. No peer has such a property.
fn closure(programs: &Path, name: &'static str, states: u64, args: &str) -> Problem {
    let ours = |name, more: &str| ours(programs, "rand-tree", name, &format!("{args} {more}"));
    let contenders = vec![
        ours(BREADTH, "--allow-unfired"),
        ours(CLOSURE, "--allow-unfired --property no_loop"),
        ours(BARE, "--allow-unfired --property no_fault"),
    ];
    Problem { name, states, contenders, bars: vec![Bar::of(Measure::Properties).most(0.5)] }
}

/// Our checker, as an example's program.
fn foresee(programs: &Path, program: &str, args: &str) -> Vec<Contender> {
    let ours = |name, more: &str| ours(programs, program, name, &format!("{args} {more}"));
    vec![
        ours(BREADTH, ""),
        ours(DEPTH, "--search dfs"),
        ours(TWO_THREADS, "--threads 2"),
        ours(BARE, "--property no_fault"),
    ]
}

fn ours(programs: &Path, program: &str, name: &'static str, args: &str) -> Contender {
    checker(name, programs.join(program), &format!("check --format json {args}"))
}

fn stateright(programs: &Path, program: &str, args: &str) -> Vec<Contender> {
    let peer = |name, search: &str| checker(name, programs.join(program), &format!("{args} {search}"));
    vec![
        peer(PEER_BREADTH, "bfs 1"),
        peer(PEER_DEPTH, "dfs 1"),
        peer("stateright, breadth first, 2 threads", "bfs 2"),
        peer("stateright, depth first, 2 threads", "dfs 2"),
    ]
}

fn checker(name: &'static str, program: PathBuf, args: &str) -> Contender {
    Contender { name, program, args: words(args), kind: Kind::Checker }
}

fn spin(model: String, flags: &'static [&'static str]) -> Contender {
    // The table is as large as the states need: 2^24 places.
    let args = words("-m1000000 -w24");
    Contender { name: SPIN, program: PathBuf::new(), args, kind: Kind::Spin(Spin { model, flags }) }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
