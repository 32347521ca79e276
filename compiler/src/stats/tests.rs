//! Tests of the numbers as a whole.

use super::*;
use crate::parse::parse;

fn counted(text: &str, found: Vec<Module>) -> Stats {
    let modules = Modules { found, missing: vec![] };
    let file = SourceFile::new("a.mace", text);
    let (ast, diagnostics) = parse(&file);
    assert!(!diagnostics.has_errors(), "{diagnostics:?}");
    let tokens = TokenIndex::of_source(&file).expect("tokens");
    stats(&file, &ast, &tokens, modules)
}

const SERVICE: &str = "//! About it.
use crate::Command;
fn helper(x: u64) -> u64 { if x > 1 { 2 } else { 3 } }
service A {
    states { Idle, Busy }
    variables { a: u64; peers: BTreeSet<NodeId>; }   // a remark
    messages { Go; Stop; }
    timers { beat every choose(doubling(1s..=4s)); }

    transitions {
        in Idle {
            upcall one: deliver(_, Go) when a > 0 && small() { if a > 1 { a = 0; } }
            upcall two: deliver(_, Go) choose p in &peers { send(p, Go); }
            upcall rest: deliver(_, Go) otherwise { }
        }
        upcall deliver(_, Go) in Busy { match a { 0 => {}, 1 => {}, _ => {} } }
        first {
            upcall mine: deliver(_, Stop) when a == 0 { a = choose(&[1, 2]); }
            upcall other: deliver(_, Stop) { a = choose_or(&[1, 2], 1); }
        }
        ignore deliver(_, Stop) in Idle;
    }
    routines {
        /// Not counted.
        fn small() -> bool { a < 10 || a == 20 }
        fn unrelated() -> bool { a < 10 || a == 20 }
    }
}

system S {
    nodes { n[2]: A; }
}
";

#[test]
fn a_file_is_counted_as_the_module_says() {
    let stats = counted(SERVICE, vec![]);
    assert_eq!((stats.lines, stats.protocol_lines), (28, 25));
    assert_eq!((stats.systems, stats.scenarios), (1, 0));
    let service = &stats.services[0];
    assert_eq!((service.name.as_str(), service.lines), ("A", 23));
    let counts = service.counts;
    assert_eq!((counts.handlers, counts.routines, counts.branches), (6, 2, 3));
    // `&&` in the guard, `||` in the routine that it calls; not the other routine's.
    assert_eq!(counts.branches_with_guards, 5);
    assert_eq!((counts.branches_per_handler, counts.branches_with_guards_per_handler), (0.5, 0.83));
    let expected = Choices { overlaps: 1, heads: 1, bodies: 2, with_default: 1, total: 5 };
    assert_eq!(counts.choices, expected);
    // The file's own function counts in the file alone.
    assert_eq!((stats.total.branches, stats.total.handlers), (5, 6));
}

#[test]
fn rust_modules_are_counted_in() {
    let module = Module { file: "src/x.rs".to_owned(), lines: 100, branches: 7 };
    let stats = counted(SERVICE, vec![module]);
    assert_eq!((stats.lines, stats.protocol_lines), (128, 125));
    assert_eq!((stats.total.branches, stats.total.branches_with_guards), (12, 14));
    assert_eq!(stats.services[0].counts.branches, 3);
}

#[test]
fn imported_specifications_are_counted_in_without_their_systems() {
    let mut stats =
        counted("import a::A;\nservice B { transitions { upcall start() { if true { } } } }\n", vec![]);
    let imported = counted(SERVICE, vec![]);
    stats.import(imported.clone());
    assert_eq!((stats.lines, stats.protocol_lines), (2 + 25, 2 + 25));
    assert_eq!((stats.total.handlers, stats.total.branches, stats.total.branches_with_guards), (7, 6, 8));
    assert_eq!((stats.total.branches_per_handler, stats.total.choices.total), (0.86, 5));
    assert_eq!((stats.services.len(), stats.systems), (1, 0));
    assert_eq!((stats.imports[0].file.as_str(), stats.imports[0].lines), ("a.mace", 25));
    let against = stats.against(&imported);
    assert_eq!(
        (against.lines, against.protocol_lines, against.choices),
        (Some(-0.0357), Some(0.08), Some(0.0))
    );
}

#[test]
fn the_shared_specs_can_be_counted() {
    for name in ["cheatsheet", "paxos", "rand_tree", "reliable_link", "scribe"] {
        let path = format!("{}/tests/fixtures/language/{name}.mace", env!("CARGO_MANIFEST_DIR"));
        let stats = counted(&std::fs::read_to_string(path).expect("a fixture"), vec![]);
        assert!(stats.total.handlers > 0 && stats.lines > stats.protocol_lines, "{stats:?}");
    }
}
