//! Printing: stable, complete, and without a change of meaning.

use foresee_compiler::parse::parse;
use foresee_compiler::print::{format, print};
use foresee_compiler::source::SourceFile;

fn file(name: &str) -> SourceFile {
    let path = format!("{}/tests/fixtures/language/{name}.mace", env!("CARGO_MANIFEST_DIR"));
    SourceFile::from_bytes(format!("{name}.mace"), std::fs::read(path).unwrap()).unwrap()
}

const FIXTURES: [&str; 5] = ["cheatsheet", "rand_tree", "paxos", "reliable_link", "scribe"];

#[test]
fn formatting_the_fixtures_is_stable_and_keeps_everything() {
    for name in FIXTURES {
        let source = file(name);
        let (ast, _) = parse(&source);
        let once = SourceFile::new(name, print(&source, &ast));
        if let Some(folder) = std::env::var_os("SHOW_FORMATTED") {
            std::fs::write(std::path::Path::new(&folder).join(name), &once.text).unwrap();
        }
        assert_eq!(format(&source).unwrap(), once.text, "{name}: the formatter distrusts its own work");
        let (again, errors) = parse(&once);
        assert!(errors.is_empty(), "{name}");
        assert_eq!(print(&once, &again), once.text, "{name}: not stable");
        assert!(once.text.lines().all(|line| line.trim_end() == line), "{name}");
    }
}
