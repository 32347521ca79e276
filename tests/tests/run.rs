//! Specs of `ui/run`: what they mean is shown by running them. `build.rs` has compiled them.
//!
//! A spec whose first line is `//! 12 states: why` is included here by that alone, has one system, and is counted.

use foresee::kernel::{Arguments, Event, NodeEvent, NodeId, NodeState, SpecInfo, Tape};
use serde_json::{Value, json};

foresee::include_spec!("tree");
foresee::include_spec!("overlay");
foresee::include_spec!("log");
foresee::include_spec!("features");
foresee::include_spec!("generic_nodes");
foresee::include_spec!("answers");
foresee::include_spec!("imports");
foresee::include_spec!("imports_of_layers");
foresee::include_spec!("layers");
foresee::include_spec!("qualified_names");

include!(concat!(env!("OUT_DIR"), "/counted.rs"));

/// A type of the application, which the spec `features` uses.
#[derive(
    Clone,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    foresee::Value,
)]
pub struct Foreign(pub u8);

/// Runs the command line of a generated service; the exit code and what it printed, as JSON lines.
fn run(spec: &'static SpecInfo, arguments: &[&str]) -> (u8, Vec<Value>) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let line = ["spec"].iter().chain(arguments).chain(&["--format", "json"]);
    let exit = foresee::app::run(spec, line.map(Into::into), &mut out, &mut err);
    let text = String::from_utf8(out).expect("the output is text");
    let lines =
        text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")));
    let lines: Vec<Value> = lines.collect();
    assert!(!lines.is_empty(), "{}", String::from_utf8_lossy(&err));
    (exit as u8, lines)
}

/// The spec of that name among those that are counted.
fn counted(name: &str) -> &'static SpecInfo {
    let mut specs = COUNTED.iter().map(|(spec, _)| *spec);
    specs.find(|spec| spec.name == name).unwrap_or_else(|| panic!("{name} is not counted"))
}

/// The number of states that each search finds, which must be the same.
fn states(spec: &'static SpecInfo, arguments: &[&str]) -> u64 {
    let mut seen = Vec::new();
    let engines = ["reference", "bfs", "dfs", "bfs --network flat", "dfs --network flat --fingerprint 128"];
    for engine in engines {
        let search = ["check", "--search"].into_iter().chain(engine.split_whitespace());
        let line: Vec<&str> = search.chain(arguments.iter().copied()).collect();
        let (exit, lines) = run(spec, &line);
        seen.push((
            exit,
            lines[0]["unique_states"].as_u64().expect("a count"),
            lines[0]["transitions"].as_u64(),
        ));
    }
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{}: {seen:?}", spec.name);
    seen[0].1
}

#[test]
fn every_search_finds_the_same_states() {
    assert_eq!(states(&features::SPEC, &[]), 31);
    assert_eq!(states(&tree::SPEC, &[]), 642);
    assert_eq!(states(&overlay::SPEC, &["--system", "Three"]), 614);
    assert_eq!(states(&log::SPEC, &[]), 14_698);
    assert_eq!(states(&layers::SPEC, &[]), 505);
}

#[test]
fn specs_have_as_many_states_as_their_first_lines_say() {
    let found: Vec<(&str, u64)> = COUNTED.iter().map(|(spec, _)| (spec.name, states(spec, &[]))).collect();
    let said: Vec<(&str, u64)> = COUNTED.iter().map(|(spec, said)| (spec.name, *said)).collect();
    assert_eq!(found, said);
    assert!(found.len() > 20, "{} specs are counted", found.len());
}

#[test]
fn properties_of_counted_specs_hold() {
    for (spec, _) in COUNTED {
        let (exit, lines) = run(spec, &["check"]);
        let properties = lines[0]["properties"].as_array().expect("a list");
        let statuses = properties.iter().map(|it| it["status"].as_str().unwrap_or_default());
        let wrong: Vec<&str> =
            statuses.filter(|it| !matches!(*it, "held" | "held within bounds" | "reached")).collect();
        let faulty = spec.name == "faults_of_a_step";
        assert_eq!((exit != 0, wrong.len()), (faulty, usize::from(faulty)), "{}: {properties:?}", spec.name);
    }
}

#[test]
fn imported_services_types_and_messages_are_as_if_they_were_here() {
    assert_eq!(states(&imports::SPEC, &["--system", "Two"]), 6);
    assert_eq!(states(&imports::SPEC, &["--system", "Whole"]), 1);
    let (exit, lines) = run(&imports::SPEC, &["check", "--system", "Two"]);
    assert_eq!(exit, 0, "{}", lines[0]);
    let properties = lines[0]["properties"].as_array().expect("a list");
    let names: Vec<&str> = properties.iter().filter_map(|it| it["name"].as_str()).collect();
    for name in ["few", "once", "kept", "last", "back"] {
        assert!(names.contains(&name), "{name} is missing in {names:?}");
    }
    // Types of one name in two files are two types, and each service knows its file.
    let _: (imports::Round, imports::imported::relay::Round) = (7, Default::default());
    let files: Vec<&str> = imports::SPEC.services.iter().map(|it| it.file).collect();
    assert_eq!(files, ["ui/run/imports.mace", "ui/run/parts/relay.mace", "ui/run/parts/words.mace"]);
    assert_eq!(imports::shout(1), imports::imported::words::shout(1));
}

#[test]
fn imported_services_are_layers_of_others() {
    for system in ["Default", "Bound"] {
        let (exit, lines) = run(&imports_of_layers::SPEC, &["check", "--system", system]);
        let properties = lines[0]["properties"].as_array().expect("a list");
        assert_eq!((exit, properties.len()), (0, 4), "{system}: {}", lines[0]);
    }
}

#[test]
fn what_bodies_mean_is_what_they_assert() {
    let (exit, lines) = run(&features::SPEC, &["check"]);
    let of = |list: &str, name: &str| {
        let items = lines[0][list].as_array().expect("a list");
        let named = |item: &&Value| item["name"].as_str() == Some(name);
        items.iter().find(named).unwrap_or_else(|| panic!("no {name} in {items:?}")).clone()
    };
    assert_eq!((exit, of("properties", "no_fault")["status"].as_str()), (0, Some("held")), "{}", lines[0]);
    for handler in ["walk", "at", "dot", "none", "deliver_Done", "finish", "stop"] {
        assert!(of("handlers", handler)["runs"].as_u64() > Some(0), "{handler}");
    }
    assert_eq!(of("handlers", "rest")["runs"].as_u64(), Some(0));
}

#[test]
fn layers_speak_with_each_other_in_every_way() {
    let (exit, lines) = run(&layers::SPEC, &["check"]);
    let handlers = lines[0]["handlers"].as_array().expect("a list");
    for handler in
        ["speak", "full", "question", "answer", "room_heard", "room_ask", "link_transmit", "link_idle"]
    {
        let runs = |it: &Value| it["name"].as_str() == Some(handler) && it["runs"].as_u64() > Some(0);
        assert!(handlers.iter().any(runs), "{handler} never ran");
    }
    assert_eq!(exit, 0, "{}", lines[0]);
}

/// The names of what stands in a list of a report, in its order.
fn names(report: &Value, list: &str) -> Vec<String> {
    let items = report[list].as_array().expect("a list").iter();
    items.map(|it| it["name"].as_str().unwrap_or_default().to_owned()).collect()
}

#[test]
fn names_that_several_services_have_are_told_apart() {
    let spec = &qualified_names::SPEC;
    let objectives = |system: &str| {
        let (_, lines) = run(spec, &["info", "--system", system]);
        let list = lines[0]["model"]["objectives"].as_array().expect("a list");
        let one = |it: &Value| format!("{} {}", it["name"].as_str().unwrap_or_default(), it["weight"]);
        list.iter().map(one).collect::<Vec<_>>()
    };
    assert_eq!(objectives("Layers"), ["base.size 0.5", "calls 1.0", "size 2.0", "own 1.0"]);
    assert_eq!(objectives("Groups"), ["Base.size 3.0", "calls 4.0", "Top.size 2.0"]);
    let checked = |system: &str, more: &[&str]| {
        let line: Vec<&str> = ["check", "--system", system].iter().chain(more).copied().collect();
        let (exit, lines) = run(spec, &line);
        (exit, names(&lines[0], "properties"), lines[0].clone())
    };
    let (exit, layers, report) = checked("Layers", &[]);
    assert_eq!(exit, 1, "the layer's total goes beyond its bound: {report}");
    for name in ["small", "base.small", "met", "ends", "base.ends", "top", "below"] {
        assert!(layers.contains(&name.to_owned()), "{name} is missing in {layers:?}");
    }
    assert_eq!(checked("Layers", &["--property", "small"]).0, 0);
    assert_eq!(checked("Layers", &["--property", "base.small"]).0, 1);
    let (_, groups, _) = checked("Groups", &[]);
    for name in ["Base.small", "Top.small", "Other.small", "Base.ends", "Top.ends"] {
        assert!(groups.contains(&name.to_owned()), "{name} is missing in {groups:?}");
    }
    let (exit, lines) = run(spec, &["simulate", "--system", "Groups"]);
    let came_to = |name: &str| lines[0]["objectives"][name].as_f64();
    // The calls are made with 0, 1 and 2; the layer below the first adds 1, and the top sums what it is told.
    assert_eq!((exit, came_to("Top.size"), came_to("Base.size")), (0, Some(1.0), Some(4.0)), "{}", lines[0]);
    // What stands below two services is one service, and what it claims is about both.
    let (exit, places, report) = checked("Places", &[]);
    assert_eq!((exit, places.iter().filter(|it| it.ends_with("met")).count()), (0, 1), "{report}");
    assert!(places.contains(&"Base.small".to_owned()), "{places:?}");
}

#[test]
fn a_trace_names_the_property_that_it_breaks_as_its_system_does() {
    let trace = std::env::temp_dir().join(format!("qualified-{}.json", std::process::id()));
    let path = trace.to_str().expect("a path of text");
    let spec = &qualified_names::SPEC;
    let (exit, _) = run(spec, &["check", "--system", "Layers", "--trace-out", path]);
    let text = std::fs::read_to_string(&trace).expect("a trace was written");
    assert_eq!((exit, text.contains("base.small")), (1, true), "{text}");
    let (exit, lines) = run(spec, &["replay", path]);
    std::fs::remove_file(&trace).expect("it is there");
    assert_eq!(exit, 1, "{lines:?}");
}

#[test]
fn a_bare_name_of_several_services_lists_what_it_could_be() {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let line = ["spec", "check", "--system", "Groups", "--property", "small"].map(Into::into);
    let exit = foresee::app::run(&qualified_names::SPEC, line, &mut out, &mut err);
    let said = String::from_utf8(err).expect("text");
    assert_eq!(exit as u8, 2);
    assert!(said.contains("write one of: Base.small, Top.small, Other.small"), "{said}");
}

#[test]
fn generic_nodes_are_compiled_and_refused_where_they_would_run() {
    let spec = &generic_nodes::SPEC;
    let model = (spec.systems[1].build)(&foresee::kernel::Arguments::default()).expect("a model");
    let (me, stack) = (foresee::kernel::NodeId::new(1), &model.nodes[1]);
    let sendable = stack.layers()[0].service().sendable(me);
    let shown: Vec<String> = sendable.iter().map(|(slot, message)| format!("{slot} {message:?}")).collect();
    let set = |value: u8| format!("1 {:?}", generic_nodes::server::Message::Set { value, by: me });
    assert_eq!(shown[..2], [set(0), set(1)]);
    assert_eq!(shown[2..], ["0 Clear", "0 Shout { level: 1 }", "0 Shout { level: 3 }"]);
    assert_eq!(run(spec, &["check", "--system", "Closed"]).0, 0);
    for command in [["check", "--system", "Open"].as_slice(), &["simulate", "--system", "Open"], &["test"]] {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let line = ["spec"].iter().chain(command).map(Into::into);
        let exit = foresee::app::run(spec, line, &mut out, &mut err);
        let said = String::from_utf8(err).expect("text");
        assert_eq!((exit as u8, said.contains("E0910: the nodes of `stranger`")), (2, true), "{said}");
    }
    let (_, lines) = run(spec, &["info", "--system", "Open"]);
    assert_eq!(lines[0]["model"]["generic"][0].as_str(), Some("stranger"));
}

#[test]
fn a_simulation_has_a_clock_and_its_trace_replays_without_one() {
    let spec = counted("instants");
    let trace = std::env::temp_dir().join(format!("instants-{}.json", std::process::id()));
    let path = trace.to_str().expect("a path of text");
    let (exit, lines) = run(spec, &["simulate", "--until", "10s", "--trace-out", path]);
    let reached = |name: &str| {
        let list = lines[0]["properties"].as_array().expect("a list");
        list.iter().any(|it| it["name"] == name && it["status"] == "reached")
    };
    // Answers take 2 microseconds to oneself, and 3 s have not passed by then.
    assert_eq!((exit, reached("answered"), reached("late")), (0, true, false), "{}", lines[0]);
    let (exit, lines) = run(spec, &["replay", path]);
    std::fs::remove_file(&trace).expect("it is there");
    assert_eq!(exit, 0, "{lines:?}");
}

#[test]
fn a_live_node_forgets_ghosts_and_nothing_else() {
    let model = (counted("crash_and_restart").systems[0].build)(&Arguments::default()).expect("a system");
    let (me, stack) = (NodeId::new(0), &model.nodes[0]);
    let call = NodeEvent::Layer(0, Event::Call((model.calls[0].ways[0].call)(0)));
    let stepped = stack.step(me, &stack.init(me), &call, &mut Tape::new(Vec::new()));
    assert!(stepped.fault.is_none());
    let mut state = stepped.state;
    let shown = |state: &NodeState| {
        let fields = stack.layers()[0].service().fields(&state[0]);
        fields.into_iter().map(|(name, value)| format!("{name} {value}")).take(3).collect::<Vec<_>>()
    };
    assert_eq!(shown(&state), ["kept 1", "lost 1", "ticks 1"]);
    stack.forget_ghosts(me, &mut state);
    assert_eq!(shown(&state), ["kept 1", "lost 1", "ticks 0"]);
}

#[test]
fn a_check_writes_down_how_a_reachable_state_is_reached() {
    let spec = counted("instants");
    let trace = std::env::temp_dir().join(format!("witness-{}.json", std::process::id()));
    let path = trace.to_str().expect("a path of text");
    for property in ["late", "answered"] {
        let (exit, lines) = run(spec, &["check", "--property", property, "--trace-out", path]);
        assert_eq!((exit, &lines[0]["counterexample"]), (0, &Value::Null), "{property}");
        let (exit, lines) = run(spec, &["replay", path]);
        assert_eq!(exit, 0, "{lines:?}");
        let text = std::fs::read_to_string(&trace).expect("it was written");
        assert!(text.contains("witness") && text.contains(property), "{text}");
    }
    std::fs::remove_file(&trace).expect("it is there");
}

#[test]
fn a_simulation_comes_out_the_same_again() {
    for (spec, system) in [(&tree::SPEC, "Three"), (&overlay::SPEC, "Internet"), (&log::SPEC, "Trio")] {
        let arguments = ["simulate", "--system", system, "--seeds", "0..5"];
        let (first, second) = (run(spec, &arguments), run(spec, &arguments));
        assert_eq!(first, second, "{}", spec.name);
        assert!(first.1[0]["events"].as_u64().expect("a count") > 3, "{:?}", first.1[0]);
    }
}

#[test]
fn a_search_that_was_cut_says_what_was_still_growing() {
    let spec = counted("growing");
    let growth = |arguments: &[&str]| {
        let line: Vec<&str> = ["check"].iter().chain(arguments).copied().collect();
        run(spec, &line).1[0]["growth"].clone()
    };
    let row = |service: &str, name: &str, measure: &str, to: u64, depth: u64| json!({ "service": service, "name": name, "measure": measure, "from": 0, "to": to, "depth": depth });
    // The last states are seen and not explored, so what is measured is a step less deep.
    let deep = json!([row("Source", "sent", "magnitude", 7, 7), row("Sink", "net", "messages", 7, 7),]);
    for arguments in [["--threads", "1"], ["--threads", "2"], ["--threads", "5"], ["--search", "ids"]] {
        assert_eq!(growth(&arguments), deep, "{arguments:?}");
    }
    assert_eq!(growth(&["--depth", "3"]), json!([]), "it rose twice");
    assert_ne!(growth(&["--max-states", "60"]), json!([]));
    assert_eq!(growth(&["--search", "walks"]), json!([]), "walks measure nothing");
    assert_eq!(growth(&["--search", "reference"]), json!([]));
    let (mut out, mut err) = (Vec::new(), Vec::new());
    foresee::app::run(spec, ["spec", "check"].map(Into::into), &mut out, &mut err);
    let said = String::from_utf8(out).expect("text");
    for line in [
        "  grows      Source.sent              from 0 to 7, the last at depth 7\n",
        "  grows      net to Sink              from 0 to 7 messages, the last at depth 7\n",
    ] {
        assert!(said.contains(line), "{said}");
    }
}

#[test]
fn nothing_grows_in_a_complete_search_or_where_a_violation_ended_it() {
    for spec in [counted("orders_of_datagrams"), &layers::SPEC] {
        let (exit, lines) = run(spec, &["check"]);
        assert_eq!((exit, &lines[0]["complete"]), (0, &json!(true)), "{}", spec.name);
        assert_eq!(lines[0]["growth"], json!([]), "{}", spec.name);
    }
    let (exit, lines) = run(&qualified_names::SPEC, &["check", "--system", "Layers"]);
    assert_eq!((exit, &lines[0]["growth"]), (1, &json!([])));
}

/// Of a node that is hardly ever twice in one state nothing is kept, and its steps are executed each time; of the others they are kept.
#[test]
fn steps_that_do_not_come_again_are_executed_directly() {
    let spec = counted("remembering");
    let found = |arguments: &str| {
        let line: Vec<&str> = ["check"].into_iter().chain(arguments.split_whitespace()).collect();
        let (exit, mut lines) = run(spec, &line);
        let memo = lines[0]["memo"].take();
        let kept = ["verdict", "unique_states", "transitions", "properties", "handlers", "depth"];
        ((exit, kept.map(|field| lines[0][field].take())), memo)
    };
    let (few, memo) = found("--param each=2");
    assert_eq!((few.0, &memo["nodes_direct"], &memo["direct"]), (0, &json!(0), &json!(0)));
    let (reference, _) = found("--param each=7 --search reference");
    for engine in ["bfs", "dfs", "ids", "bfs --threads 2"] {
        let (same, memo) = found(&format!("--param each=7 --search {engine}"));
        assert_eq!(same, reference, "{engine}");
        assert_eq!(memo["nodes_direct"], json!(1), "{engine}: {memo}");
        assert!(memo["direct"].as_u64() > Some(1_000), "{engine}: {memo}");
    }
    let (exit, lines) = run(spec, &["info", "--observe", "--param", "each=7"]);
    assert_eq!((exit, &lines[0]["model"]["observed"]["nodes_direct"]), (0, &json!(1)));
}
