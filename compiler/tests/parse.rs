//! Parsing: the project's own specifications, exact places, recovery, hostile inputs.

use foresee_compiler::ast::*;
use foresee_compiler::diag::Diagnostics;
use foresee_compiler::parse::parse;
use foresee_compiler::source::SourceFile;

fn file(name: &str) -> SourceFile {
    let path = format!("{}/tests/fixtures/language/{name}.mace", env!("CARGO_MANIFEST_DIR"));
    SourceFile::from_bytes(format!("{name}.mace"), std::fs::read(path).unwrap()).unwrap()
}

fn listing(source: &SourceFile, errors: &Diagnostics) -> Vec<String> {
    let line = |at| source.line_column(at);
    errors
        .iter()
        .map(|one| {
            let place = line(one.span.start);
            let under = source.slice(one.span);
            format!("{}:{} {} [{under}] {}", place.line, place.column, one.code, one.message)
        })
        .collect()
}

#[test]
fn the_specifications_of_the_project_parse() {
    for name in ["cheatsheet", "rand_tree", "paxos", "reliable_link", "scribe"] {
        let source = file(name);
        let (ast, errors) = parse(&source);
        assert_eq!(listing(&source, &errors), Vec::<String>::new(), "{name}");
        assert!(ast.broken.is_empty() && ast.services().count() > 0, "{name}");
    }
}
