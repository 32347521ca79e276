//! The specs of `specs/`: each compiles without a word, has exactly the states that it had within bounds that a search reaches the
//! end of in seconds, agrees with the reference explorer within smaller ones, passes its scenarios, and violates nothing in
//! simulations of its larger system.
//!
//! A count that changes is a change of what a spec means, of the spec or of an engine: find out which before you write a new one.

mod common;

use std::fs;
use std::path::PathBuf;

use foresee::kernel::SpecInfo;
use serde_json::Value;

foresee::include_spec!("abd_register");
foresee::include_spec!("appointment");
foresee::include_spec!("atomic_commit");
foresee::include_spec!("chord");
foresee::include_spec!("consensus_by_utility");
foresee::include_spec!("deadlock");
foresee::include_spec!("failure_detector");
foresee::include_spec!("gossip");
foresee::include_spec!("load_balancer");
foresee::include_spec!("mutual_exclusion");
foresee::include_spec!("paxos");
foresee::include_spec!("paxos_retries");
foresee::include_spec!("paxos_single");
foresee::include_spec!("ping");
foresee::include_spec!("rand_tree");
foresee::include_spec!("rand_tree_baseline");
foresee::include_spec!("reliable_link");
foresee::include_spec!("scribe");
foresee::include_spec!("swarm");
foresee::include_spec!("token_ring");
foresee::include_spec!("two_phase_commit");

/// What is expected of a spec.
struct Expected {
    spec: &'static SpecInfo,
    searches: &'static [Search],
    /// The arguments of simulations that violate nothing.
    simulated: &'static [&'static str],
}

/// What a search finds.
struct Search {
    /// The arguments of `check`: the system, and bounds that end the search in seconds.
    arguments: &'static str,
    verdict: &'static str,
    states: u64,
    /// The same with bounds that are small enough for the reference explorer.
    smaller: &'static str,
}

/// A search to the end.
const fn held(arguments: &'static str, states: u64, smaller: &'static str) -> Search {
    Search { arguments, verdict: "held", states, smaller }
}

/// A search up to bounds.
const fn bounded(arguments: &'static str, states: u64, smaller: &'static str) -> Search {
    Search { arguments, verdict: "held_within_bounds", states, smaller }
}

/// In the order of the files.
const EXPECTED: &[Expected] = &[
    Expected {
        spec: &abd_register::SPEC,
        searches: &[held("--system Register", 462_537, "--system Register --depth 9")],
        simulated: &["--system Faulty --seeds 0..10"],
    },
    Expected {
        spec: &appointment::SPEC,
        searches: &[
            held("--system Five", 40, "--system Five"),
            held("--system Watching", 170, "--system Watching"),
        ],
        simulated: &["--system Five --seeds 0..50", "--system Watching --seeds 0..50"],
    },
    Expected {
        spec: &atomic_commit::SPEC,
        searches: &[bounded("--system Two", 61_529, "--system Two --depth 9")],
        simulated: &["--system Shop --seeds 0..5"],
    },
    Expected {
        spec: &chord::SPEC,
        searches: &[bounded("--system Three", 473_728, "--system Three --depth 12")],
        simulated: &["--system Ring --param size=10 --until 120s --seeds 0..5"],
    },
    Expected {
        spec: &consensus_by_utility::SPEC,
        searches: &[
            bounded("--system Strict", 508_701, "--system Strict --depth 9"),
            bounded("--system Hasty", 779_364, "--system Hasty --depth 9"),
        ],
        simulated: &["--system Strict --seeds 0..50", "--system Hasty --seeds 0..50"],
    },
    Expected {
        spec: &deadlock::SPEC,
        searches: &[
            held("--system Two", 272, "--system Two"),
            held("--system Three", 71_658, "--system Three --depth 10"),
        ],
        simulated: &["--system Bank --until 60s --seeds 0..3"],
    },
    Expected {
        spec: &failure_detector::SPEC,
        searches: &[
            bounded("--system Pair", 68, "--system Pair"),
            bounded("--system AdaptivePair", 639, "--system AdaptivePair"),
            bounded("--system AccrualPair", 14_989, "--system AccrualPair --depth 9"),
        ],
        simulated: &["--system Watch --until 600s --seeds 0..5"],
    },
    Expected {
        spec: &gossip::SPEC,
        searches: &[held("--system Village", 122_841, "--system Village --depth 6")],
        simulated: &["--system Town --param size=8 --seeds 0..3", "--system Square --seeds 0..3"],
    },
    Expected {
        spec: &load_balancer::SPEC,
        searches: &[held("--system Small", 5_522, "--system Small")],
        simulated: &["--system Farm --seeds 0..3"],
    },
    Expected {
        spec: &mutual_exclusion::SPEC,
        searches: &[bounded("--system Lost", 501_795, "--system Lost --depth 8")],
        simulated: &["--system Hour --until 600s --seeds 0..5"],
    },
    Expected {
        spec: &paxos::SPEC,
        searches: &[
            bounded(
                "--system Trio --depth 8 --property agreement --property majority --property kept --property validity",
                526_771,
                "--system Trio --depth 5",
            ),
            // With fewer faults, to the end.
            bounded(
                "--system Trio --param flight=4 --param depth=99 --fault crash=0,partition=0,drop=0,duplicate=0",
                493_790,
                "--system Trio --param flight=4 --depth 8 --fault crash=0,partition=0,drop=0,duplicate=0",
            ),
            bounded(
                "--system Trio --param depth=99 --fault crash=1,partition=0,drop=0,duplicate=0",
                1_006_242,
                "--system Trio --depth 7 --fault crash=1,partition=0,drop=0,duplicate=0",
            ),
            bounded(
                "--system Trio --param depth=99 --fault crash=0,partition=1,drop=1,duplicate=0",
                485_207,
                "--system Trio --depth 6 --fault crash=0,partition=1,drop=1,duplicate=0",
            ),
            bounded(
                "--system Five --depth 5 --property agreement --property majority --property kept",
                65_416,
                "--system Five --depth 4",
            ),
        ],
        simulated: &[
            "--system Five --seeds 0..20",
            "--system Cluster --param clients=4 --param commands=5 --seeds 0..3",
        ],
    },
    Expected {
        spec: &paxos_retries::SPEC,
        searches: &[
            held("--reduce retain-ignored", 1_777, "--reduce retain-ignored"),
            bounded("--param proposers=2 --depth 12", 216_234, "--param proposers=2 --depth 6"),
        ],
        simulated: &["--seeds 0..10"],
    },
    Expected {
        spec: &paxos_single::SPEC,
        searches: &[
            held("--system Agreement", 301_099, "--system Agreement --depth 9"),
            held(
                "--system Agreement --reduce retain-ignored",
                16_668,
                "--system Agreement --reduce retain-ignored --depth 9",
            ),
            bounded("--system Faulty", 359_223, "--system Faulty --depth 7"),
        ],
        simulated: &["--system Agreement --seeds 0..20", "--system Faulty --seeds 0..20"],
    },
    Expected {
        spec: &ping::SPEC,
        searches: &[held("", 11, "")],
        simulated: &["--seeds 0..10", "--system Crowd --seeds 0..5"],
    },
    Expected {
        spec: &rand_tree::SPEC,
        searches: &[bounded("--system Small --depth 13", 501_338, "--system Small --depth 8")],
        simulated: &[
            "--system Internet --seeds 0..10",
            "--system Internet --param churn=0.0005 --seeds 0..10",
        ],
    },
    Expected {
        spec: &rand_tree_baseline::SPEC,
        searches: &[bounded("--system Small --depth 13", 92_565, "--system Small --depth 8")],
        simulated: &["--system Internet --seeds 0..10"],
    },
    Expected {
        spec: &reliable_link::SPEC,
        searches: &[
            bounded("--system Once", 913, "--system Once"),
            bounded("--system OnceBySender", 98, "--system OnceBySender"),
            bounded("--system OnceByReceiver", 185, "--system OnceByReceiver"),
            held("--system Never", 8, "--system Never"),
            bounded("--system Late", 253, "--system Late"),
            bounded("--system Pair", 21_230, "--system Pair --depth 9"),
            bounded("--system PairBySender", 4_261, "--system PairBySender"),
        ],
        simulated: &[
            "--system Once --seeds 0..20",
            "--system OnceBySender --seeds 0..20",
            "--system OnceByReceiver --seeds 0..20",
            "--system Never --seeds 0..20",
            "--system Late --until 600s --seeds 0..20",
            "--system Pair --seeds 0..5",
            "--system PairBySender --seeds 0..5",
        ],
    },
    Expected {
        spec: &scribe::SPEC,
        searches: &[bounded("--system Three", 248_899, "--system Three --depth 8")],
        simulated: &["--system Campus --seeds 0..3"],
    },
    Expected {
        spec: &swarm::SPEC,
        searches: &[bounded("--system Small", 1_459_106, "--system Small --depth 7")],
        simulated: &[
            "--system Crowd --param size=8 --param blocks=10 --seeds 0..5",
            "--system Uneven --param blocks=8 --seeds 0..3",
        ],
    },
    Expected {
        spec: &token_ring::SPEC,
        searches: &[bounded("--system Three", 247_614, "--system Three --depth 8")],
        simulated: &["--system Office --until 200s --seeds 0..3"],
    },
    Expected {
        spec: &two_phase_commit::SPEC,
        searches: &[held("", 288, "")],
        simulated: &["--seeds 0..10", "--system Twenty --seeds 0..10"],
    },
];

/// A test for each spec, so that they run beside each other.
macro_rules! hold {
    ($($name:ident)+) => {
        $(#[test]
        fn $name() {
            let expected = EXPECTED.iter().find(|it| it.spec.name == stringify!($name));
            expected.expect("something is expected of it").holds();
        })+
    };
}

hold! {
    abd_register appointment atomic_commit chord consensus_by_utility deadlock failure_detector gossip load_balancer mutual_exclusion
    paxos paxos_retries paxos_single ping rand_tree rand_tree_baseline reliable_link scribe swarm token_ring two_phase_commit
}

/// Runs the command line of a spec; the exit code and what it printed, as JSON lines.
fn run(spec: &'static SpecInfo, arguments: &str) -> (u8, Vec<Value>) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let line = ["spec"].into_iter().chain(arguments.split_whitespace()).chain(["--format", "json"]);
    let exit = foresee::app::run(spec, line.map(Into::into), &mut out, &mut err);
    let text = String::from_utf8(out).expect("the output is text");
    let json = |line: &str| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}"));
    let lines: Vec<Value> = text.lines().map(json).collect();
    assert!(!lines.is_empty(), "{} {arguments}: {}", spec.name, String::from_utf8_lossy(&err));
    (exit as u8, lines)
}

impl Expected {
    fn holds(&self) {
        self.searches.iter().for_each(|search| self.is_searched(search));
        if !self.spec.scenarios.is_empty() {
            let (exit, lines) = run(self.spec, "test");
            assert_eq!(exit, 0, "{}: {lines:#?}", self.spec.name);
        }
        for arguments in self.simulated {
            let (exit, lines) = run(self.spec, &format!("simulate {arguments}"));
            assert_eq!(exit, 0, "{} {arguments}: {:#?}", self.spec.name, lines.last());
        }
    }

    fn is_searched(&self, search: &Search) {
        let (name, arguments) = (self.spec.name, search.arguments);
        let (exit, lines) = run(self.spec, &format!("check {arguments}"));
        let found = (exit, lines[0]["verdict"].as_str(), lines[0]["unique_states"].as_u64());
        let expected = (0, Some(search.verdict), Some(search.states));
        assert_eq!(found, expected, "{name} {arguments}: {:#}", lines[0]["properties"]);

        agree(self.spec, search.smaller);
    }
}

/// Every engine but the plain one: in every order, on every number of threads, with every network and every fingerprint.
const ENGINES: &[&str] = &[
    "--search bfs --network channels",
    "--search bfs --network flat --threads 2",
    "--search dfs --network channels --threads 2 --fingerprint 128",
    "--search dfs --network flat",
    "--search ids --network flat --fingerprint 128",
];

/// What each engine finds is what the reference explorer finds. How often faults came about.
fn agree(spec: &'static SpecInfo, arguments: &str) -> u64 {
    let found = |engine: &str| {
        let (exit, lines) = run(spec, &format!("check {arguments} --keep-going {engine}"));
        let fields =
            ["verdict", "complete", "unique_states", "transitions", "properties", "choices", "plans"];
        (exit, fields.map(|field| lines[0][field].clone()))
    };
    let reference = found("--search reference");
    for engine in ENGINES {
        assert_eq!(found(engine), reference, "{} {arguments} {engine}", spec.name);
    }
    let (_, [.., plans]) = &reference;
    let faults = plans.as_array().into_iter().flatten().filter(|plan| plan["kind"] != "call");
    faults.filter_map(|plan| plan["fired"].as_u64()).sum()
}

/// Every spec of the folder, in order.
fn files() -> Vec<PathBuf> {
    let entries = fs::read_dir(common::root().join("specs")).expect("specs can be read");
    let paths = entries.map(|entry| entry.expect("an entry can be read").path());
    let mut files: Vec<PathBuf> =
        paths.filter(|path| path.extension().is_some_and(|it| it == "mace")).collect();
    files.sort();
    files
}

/// Where inboxes are as many as states a search begins again with messages one by one, and finds the same.
#[test]
fn the_network_that_suits_is_found() {
    let found = |spec, arguments: &str| {
        let (exit, lines) = run(spec, &format!("check {arguments}"));
        let network = lines[0]["network"]["backend"].as_str().map(str::to_owned);
        ((exit, lines[0]["unique_states"].as_u64(), lines[0]["transitions"].as_u64()), network)
    };
    let paxos = "--param proposers=5 --param rounds=2 --depth 7";
    let (observed, network) = found(&paxos_retries::SPEC, paxos);
    assert_eq!((observed.1, network.as_deref()), (Some(320_507), Some("flat")));
    assert_eq!(found(&paxos_retries::SPEC, &format!("{paxos} --threads 2")).0, observed);
    let (in_channels, network) = found(&paxos_retries::SPEC, &format!("{paxos} --network channels"));
    assert_eq!((in_channels, network.as_deref()), (observed, Some("channels")));
    let (_, network) = found(&two_phase_commit::SPEC, "--param rms=7");
    assert_eq!(network.as_deref(), Some("channels"));
    // `info` observes the same.
    for (spec, arguments, network) in [
        (&paxos_retries::SPEC, "--param proposers=5 --param rounds=2", "flat"),
        (&two_phase_commit::SPEC, "--param rms=7", "channels"),
    ] {
        let (exit, lines) = run(spec, &format!("info --observe {arguments}"));
        let observed = &lines[0]["model"]["observed"];
        assert_eq!((exit, &observed["network"]), (0, &network.into()), "{observed}");
        assert!(observed["hit_rate"].as_f64().is_some_and(|rate| rate > 0.9), "{observed}");
    }
}

/// The first system of each spec, with each fault in turn in the place of what it says.
#[test]
fn engines_agree_under_every_fault() {
    for fault in ["crash", "reset", "cut", "partition", "drop", "duplicate"] {
        let fired: u64 = EXPECTED
            .iter()
            .map(|expected| {
                let system = expected.searches[0].smaller.split(" --depth").next().unwrap_or_default();
                agree(expected.spec, &format!("{system} --depth 4 --allow-unfired --fault {fault}=1"))
            })
            .sum();
        assert!(fired > 0, "no {fault} came about");
    }
}

#[test]
fn every_spec_compiles_without_a_word_and_is_formatted() {
    let ran = common::run(common::foresee().arg("check").args(files()));
    assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{}", ran.out);
    let ran = common::run(common::foresee().args(["fmt", "--check"]).args(files()));
    assert_eq!(ran.code, 0, "{ran:?}");
}

#[test]
fn every_spec_is_expected_to_do_something() {
    let expected: Vec<&str> = EXPECTED.iter().map(|it| it.spec.name).collect();
    let stems = files().into_iter().map(|path| path.file_stem().map(|it| it.to_string_lossy().into_owned()));
    let broken_on_purpose = "two_phase_commit_broken";
    let files: Vec<String> = stems.flatten().filter(|name| name != broken_on_purpose).collect();
    assert_eq!(expected, files);
}

/// What `foresee stats` prints of the tree with its choices open, and of the hard-coded one.
fn trees() -> [Value; 2] {
    let files =
        ["rand_tree", "rand_tree_baseline"].map(|name| common::root().join(format!("specs/{name}.mace")));
    let ran = common::run(common::foresee().args(["stats", "--format", "json"]).args(files));
    assert_eq!(ran.code, 0, "{ran:?}");
    let rows = ran.out.lines().map(|line| serde_json::from_str(line).expect("a line is JSON"));
    rows.collect::<Vec<Value>>().try_into().expect("two specs")
}

#[test]
fn choices_left_open_make_a_spec_shorter_and_branch_less() {
    let [open, hard] = trees();
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("no number: {value}"));
    for lines in ["lines", "protocol_lines"] {
        let ratio = number(&open[lines]) / number(&hard[lines]);
        assert!(ratio <= 1.0 - 0.43, "{lines}: only {:.1} % fewer", 100.0 * (1.0 - ratio));
    }
    let branches = |spec: &Value, column: &str| number(&spec["total"][column]);
    assert!(branches(&open, "branches_per_handler") <= 0.28);
    for column in ["branches_per_handler", "branches_with_guards_per_handler"] {
        assert!(branches(&open, column) < branches(&hard, column), "{column}");
    }
}

#[test]
fn the_table_of_the_comparison_is_what_is_counted() {
    let [open, hard] = trees();
    let page = fs::read_to_string(common::root().join("docs/comparison.md")).expect("it can be read");
    for (title, column) in [
        ("lines of the protocol", "protocol_lines"),
        ("lines of the file, with systems and scenarios", "lines"),
    ] {
        let [open, hard] = [&open, &hard].map(|spec| spec[column].as_u64().expect("a count"));
        let fewer = 100.0 * (1.0 - open as f64 / hard as f64);
        let row = format!("| {title} | {hard} | {open} | {fewer:.0} % fewer |");
        assert!(page.contains(&row), "not in docs/comparison.md: {row}");
    }
    for (title, column) in [
        ("branches per handler", "branches_per_handler"),
        ("the same, with `&&` and <code>&#124;&#124;</code> in guards", "branches_with_guards_per_handler"),
    ] {
        let [open, hard] = [&open, &hard].map(|spec| spec["total"][column].as_f64().expect("a mean"));
        let row = format!("| {title} | {hard:.2} | {open:.2} | |");
        assert!(page.contains(&row), "not in docs/comparison.md: {row}");
    }
}

/// What is compared is one protocol: beside the bounds that an open choice needs, nothing but the service differs.
#[test]
fn both_trees_have_the_same_interface_claims_systems_and_scenarios() {
    let [open, hard] = ["rand_tree", "rand_tree_baseline"].map(|name| {
        let path = common::root().join(format!("specs/{name}.mace"));
        let text = fs::read_to_string(path).expect("it can be read");
        ["RandTree { hops_max: 4 }", "RandTree { hops_max: size }"]
            .iter()
            .fold(text, |text, bounded| text.replace(bounded, "RandTree"))
            .replace(" within: forall a in n: a.attempt <= 2;", "")
    });
    let part = |text: &str, from: &str, to: Option<&str>| {
        let (_, rest) = text.split_once(from).unwrap_or_else(|| panic!("no `{from}`"));
        to.and_then(|to| rest.split_once(to)).map_or(rest, |(part, _)| part).to_owned()
    };
    for (from, to) in [("\ninterface", Some("\n}\n")), ("\n    properties {", None)] {
        assert_eq!(part(&open, from, to), part(&hard, from, to));
    }
}
