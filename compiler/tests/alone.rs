//! Which claims a node that runs can decide alone: what is said of each node by itself, and of nothing that no live node keeps.

use foresee_compiler::compile;
use foresee_compiler::source::SourceFile;

const SPEC: &str = "
interface Below { downcall load() -> u32; }
service Low { provides Below; variables { load: u32; ghost worst: u32; } transitions { downcall load() { load } } }
service Tree {
    uses net: Reliable;
    uses low: Below = Low;
    parameters { peers: BTreeSet<NodeId>; limit: u32 = 3; }
    states { Idle, Busy }
    variables { load: u32; parent: Option<NodeId>; log: BTreeMap<u8, NodeId>; ghost seen: u32; }
    messages { Work; }
    transitions {
        upcall start() { send(&peers, Work); }
        upcall deliver(src, Work) { load += 1; seen += 1; parent = Some(src); log.insert(1, src); state = Busy; }
    }
    routines {
        fn half() -> u32 { load / 2 }
        fn told() -> u32 { seen }
    }
    properties {
        local     yes_bare:      load <= limit && me == me;
        local     yes_query:     low.load() <= limit && self.load < 9;
        local     yes_routine:   half() < 9 && state == Idle implies log.is_empty();
        local     yes_bound:     forall (_, who) in &log: *who != me;
        safety    yes_each:      forall n in nodes: n.load <= n.limit;
        safety    yes_in_parens: (forall n in nodes where n.state == Busy: n.half() > 0 || n.parent.is_some());
        safety    yes_further:   forall n in nodes, (_, who) in &n.log: *who != n;
        safety    yes_below:     forall n in nodes: n.low.load() < 9 && n.low.load < 9;
        local     no_ghost:      seen < 9;
        local     no_told:       told() < 9;
        local     no_others:     forall p in parent: p.load < 9;
        local     no_up:         up(me);
        local     no_nodes:      nodes.len() < 9;
        safety    no_two:        forall a in nodes, b in nodes: a.load == b.load || a.parent == b.parent;
        safety    no_other:      forall n in nodes, p in n.parent: p.load < 9;
        safety    no_hidden:     forall n in nodes: forall n in n.parent: n.load < 9;
        safety    no_hidden_too: forall n in nodes, (_, n) in &n.log: n.load < 9;
        safety    no_closure:    forall n in nodes: !n.(parent)+.contains(n);
        safety    no_count:      (count n in nodes where n.state == Busy) < 9;
        safety    no_some:       exists n in nodes: n.load == 0;
        safety    no_rest:       (forall n in nodes: n.load < 9) && (forall n in nodes: n.load < 9);
        safety    no_low_ghost:  forall n in nodes: n.low.worst < 9;
        reachable no_witness:    forall n in nodes: n.load > 0;
    }
}
system Two {
    nodes { n[2]: Tree { peers: n }; }
    properties { safety no_of_a_system: forall a in n: a.load < 9; }
}
";

#[test]
fn claims_about_each_node_by_itself_are_told_apart() {
    let source = SourceFile::new("tree.mace", SPEC);
    let (rust, _) = compile::to_rust(&source, "tree").unwrap_or_else(|found| panic!("{found:#?}"));
    let mut found = Vec::new();
    for part in rust.split("kernel::Property {").skip(1) {
        let name = part.split("name: \"").nth(1).and_then(|rest| rest.split('"').next());
        let alone = part.split("alone: ").nth(1).and_then(|rest| rest.split(',').next());
        found.push((name.expect("a name").to_owned(), alone.expect("a word") == "true"));
    }
    let wrong: Vec<&(String, bool)> =
        found.iter().filter(|(name, alone)| *alone != name.starts_with("yes_")).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(found.len(), SPEC.matches("yes_").count() + SPEC.matches(" no_").count());
}
