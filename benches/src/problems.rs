//! What is measured: the problems, how many states each has, and who explores it how.

use std::path::{Path, PathBuf};

/// A model that several checkers are given.
pub struct Problem {
    pub name: &'static str,
    /// The number of its states, which each contender must find.
    pub states: u64,
    /// The first is ours, breadth first on one thread.
    pub contenders: Vec<Contender>,
}

/// A process that explores a problem.
pub struct Contender {
    pub name: &'static str,
    pub program: PathBuf,
    pub args: Vec<String>,
    /// The model that Spin is to make the program of.
    pub spin: Option<Spin>,
}

/// A verifier that Spin makes.
pub struct Spin {
    /// In Promela.
    pub model: String,
    /// What the C compiler is told besides.
    pub flags: &'static [&'static str],
}

/// The contender that checks no property but that no step faults.
pub const BARE: &str = "foresee, without properties";

impl Contender {
    /// Whether it is our checker.
    pub fn is_ours(&self) -> bool {
        self.name.starts_with("foresee")
    }

    /// What its arguments do not say.
    pub fn note(&self) -> String {
        match &self.spin {
            Some(spin) => format!("   (pan by gcc {})", spin.flags.join(" ")),
            None => String::new(),
        }
    }
}

/// All problems.
pub fn all(programs: &Path) -> Vec<Problem> {
    let two_phase = |name, count: usize, states| {
        let model = || crate::spin::two_phase_commit(count);
        let mut contenders = foresee(programs, "two-phase-commit", &format!("--param rms={count}"));
        contenders.extend(stateright(programs, "peer-two-phase-commit", &count.to_string()));
        contenders.push(spin(
            "spin, depth first",
            model(),
            &["-O3", "-DSAFETY", "-DNOREDUCE", "-DNOFAIR", "-DMEMLIM=12288"],
        ));
        Problem { name, states, contenders }
    };
    let actors = |name, states, program: &str, ours: &str, theirs: &str| {
        let mut contenders = foresee(programs, program, ours);
        contenders.extend(stateright(programs, "peer-actors", theirs));
        Problem { name, states, contenders }
    };
    let retain = "--reduce retain-ignored --allow-unfired";
    vec![
        two_phase("two-phase commit, 8 participants", 8, 1_745_408),
        two_phase("two-phase commit, 9 participants", 9, 10_340_352),
        actors(
            "Paxos, 3 clients",
            1_194_428,
            "paxos-single",
            &format!("--param clients=3 {retain}"),
            "paxos 3",
        ),
        actors(
            "register of Attiya, Bar-Noy and Dolev",
            5_992_861,
            "abd-register",
            &format!("--param writers=1 --param reads=1 --fault crash=0 {retain}"),
            "register 1",
        ),
        actors(
            "Paxos on 5 servers with timers",
            3_168_873,
            "paxos-retries",
            &format!("--param proposers=2 --param rounds=1 {retain}"),
            "retries 1",
        ),
    ]
}

/// Our checker, as an example's program.
fn foresee(programs: &Path, program: &str, args: &str) -> Vec<Contender> {
    let ours = |name, more: &str| Contender {
        name,
        program: programs.join(program),
        args: words(&format!("check --format json {args} {more}")),
        spin: None,
    };
    vec![
        ours("foresee, breadth first", ""),
        ours("foresee, depth first", "--search dfs"),
        ours("foresee, breadth first, 2 threads", "--threads 2"),
        ours(BARE, "--property no_fault"),
    ]
}

fn stateright(programs: &Path, program: &str, args: &str) -> Vec<Contender> {
    let peer = |name, search: &str| Contender {
        name,
        program: programs.join(program),
        args: words(&format!("{args} {search}")),
        spin: None,
    };
    vec![
        peer("stateright, breadth first", "bfs 1"),
        peer("stateright, depth first", "dfs 1"),
        peer("stateright, breadth first, 2 threads", "bfs 2"),
        peer("stateright, depth first, 2 threads", "dfs 2"),
    ]
}

fn spin(name: &'static str, model: String, flags: &'static [&'static str]) -> Contender {
    // The table is as large as the states need: 2^24 places.
    let args = words("-m1000000 -w24");
    Contender { name, program: PathBuf::new(), args, spin: Some(Spin { model, flags }) }
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
