//! What editors highlight are the keywords of the grammar: none is missing, none is made up.

mod common;

use std::collections::BTreeSet;
use std::fs;

use common::root;
use serde_json::Value;

/// Words that are highlighted as keywords and are none of the grammar's own: they stand in Rust, or are operators.
const FURTHER: &[&str] = &[
    "break", "continue", "else", "if", "iff", "implies", "let", "loop", "match", "move", "mut", "ref",
    "return",
];

fn json(path: &str) -> Value {
    let text = fs::read_to_string(root().join("editors/vscode").join(path)).expect("it is there");
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn highlighted_keywords_are_those_of_the_grammar() {
    let grammar = fs::read_to_string(root().join("compiler/src/grammar.pest")).expect("the grammar is text");
    let lines = grammar.lines().filter(|line| line.starts_with("k_") || line.starts_with("w_"));
    let expected: BTreeSet<&str> =
        lines.filter_map(|line| line.split('"').nth(1)).chain(FURTHER.iter().copied()).collect();
    let syntax = json("syntaxes/mace.tmLanguage.json");
    let patterns = syntax["repository"]["words"]["patterns"].as_array().expect("a list of patterns");
    let is_keyword = |it: &&Value| {
        it["name"].as_str().is_some_and(|name| name.starts_with("keyword.") || name.starts_with("storage."))
    };
    let words = patterns.iter().filter(is_keyword).filter_map(|it| it["match"].as_str());
    let inside = words.filter_map(|it| it.strip_prefix("\\b(?:")?.strip_suffix(")\\b"));
    let found: Vec<&str> = inside.flat_map(|it| it.split('|')).collect();
    let all: BTreeSet<&str> = found.iter().copied().collect();
    assert_eq!(all, expected);
    assert_eq!(all.len(), found.len(), "a word stands twice");
}

#[test]
fn the_extension_names_files_that_are_there() {
    let package = json("package.json");
    let language = &package["contributes"]["languages"][0];
    assert_eq!(language["extensions"][0], ".mace");
    json(language["configuration"].as_str().expect("a path"));
    let syntax = json(package["contributes"]["grammars"][0]["path"].as_str().expect("a path"));
    assert_eq!(syntax["scopeName"], package["contributes"]["grammars"][0]["scopeName"]);
}
