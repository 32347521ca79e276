//! The reference in `docs/language`: its examples compile, its grammar is that of the parser, and it lists every code.
//!
//! `FORESEE_BLESS=1` writes the generated pages anew. `build.rs` compiles the examples, and this crate includes them.

mod common;

use std::collections::BTreeSet;
use std::fmt::Write;
use std::fs;
use std::path::Path;

use common::root;
use foresee_compiler::codes;
use foresee_compiler::compile;
use foresee_compiler::import::{Disk, Library};
use foresee_compiler::print;
use foresee_compiler::render;
use foresee_compiler::source::SourceFile;
use foresee_tests::examples::{Example, examples, pages};

/// Types that examples bring in from their application.
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
pub struct Command(pub u64);

include!(concat!(env!("OUT_DIR"), "/reference.rs"));

fn all() -> Vec<Example> {
    examples(root()).unwrap_or_else(|error| panic!("{error}"))
}

/// The files that an example can import: those of its page.
struct Beside<'a>(&'a Example, &'a [Example]);

impl Library for Beside<'_> {
    fn read(&self, path: &str) -> std::io::Result<Vec<u8>> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let found = self.1.iter().find(|it| it.page == self.0.page && it.file == name);
        found.map(|it| it.text.clone().into_bytes()).ok_or(std::io::ErrorKind::NotFound.into())
    }
}

#[test]
fn every_example_is_accepted_or_has_the_mistake_that_it_shows() {
    let mut wrong = String::new();
    let examples = all();
    for example in &examples {
        let source = SourceFile::new(format!("{}:{}", example.page, example.line), example.text.as_str());
        let loaded = compile::load(source, &Beside(example, &examples));
        let (found, source) = (compile::look(&loaded), &loaded.source);
        let codes: Vec<&str> = found.iter().map(|one| one.code).collect();
        let right = match (&example.code, example.later) {
            (Some(code), _) => codes.contains(&code.as_str()),
            (None, true) => codes.iter().all(|code| code.starts_with("E09") || code.starts_with('W')),
            (None, false) => !found.has_errors(),
        };
        if !right {
            let rendered = render::all_text(&found, source, render::Style::Plain);
            let _ = writeln!(wrong, "{}:{} gives {codes:?}\n{rendered}", example.page, example.line);
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(examples.len() > 35, "{} examples", examples.len());
}

#[test]
fn the_cheat_sheet_compiles() {
    let bytes = fs::read(root().join("docs/cheatsheet.mace")).expect("it is there");
    let name = root().join("docs/cheatsheet.mace").to_string_lossy().into_owned();
    let source = SourceFile::from_bytes(name, bytes).expect("it is text");
    assert_eq!(print::format(&source).ok().as_ref(), Some(&source.text), "run `foresee fmt docs`");
    let loaded = compile::load(source, &Disk);
    let found = compile::look(&loaded);
    let rendered = render::all_text(&found, &loaded.source, render::Style::Plain);
    assert!(!found.has_errors(), "{rendered}");
    // It was included above, so rustc has taken it too.
    assert_eq!(cheatsheet::SPEC.name, "cheatsheet");
}

#[test]
fn whole_examples_have_the_one_layout() {
    let mut wrong = String::new();
    for page in pages(root()) {
        let text = fs::read_to_string(&page).expect("a page is text");
        let mut better = text.clone();
        for block in text.split("\n```mace").skip(1) {
            let (info, rest) = block.split_once('\n').unwrap_or((block, ""));
            let body = rest.split("```").next().unwrap_or("");
            if info.contains("in=") {
                continue;
            }
            let source = SourceFile::new("example.mace", body);
            if let Ok(formatted) = print::format(&source)
                && formatted != body
            {
                let _ = writeln!(wrong, "{}: this should be\n{formatted}", page.display());
                better = better.replace(body, &formatted);
            }
        }
        if std::env::var_os("FORESEE_BLESS").is_some() && better != text {
            fs::write(&page, better).expect("it can be written");
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// Compares a page, or the part of it between two marks, with what it should be.
fn generated(page: &str, text: &str) {
    let path = root().join(page);
    let old = fs::read_to_string(&path).unwrap_or_default();
    if std::env::var_os("FORESEE_BLESS").is_some() && old != text {
        fs::write(&path, text).expect("it can be written");
    } else {
        assert!(old == text, "{page} is out of date: run this with FORESEE_BLESS=1");
    }
}

#[test]
fn every_warning_is_told_by_its_name() {
    let page = fs::read_to_string(root().join("docs/language/files.md")).expect("the page");
    let table =
        page.split("## Warnings\n").nth(1).and_then(|it| it.split("\n## ").next()).expect("the chapter");
    let told = |name: &str| table.contains(&format!("`{name}`"));
    let missing: Vec<_> =
        codes::ALL.iter().map(|it| it.name).filter(|it| !it.is_empty() && !told(it)).collect();
    assert!(missing.is_empty(), "not in docs/language/files.md: {missing:?}");
}

#[test]
fn the_page_of_codes_lists_every_code() {
    let mut text = String::from(
        "# Codes\n\nEvery error and warning of the compiler has a code. `foresee explain E0402` prints what stands here. This page is generated\nfrom the compiler's own table.\n",
    );
    let groups = [
        ("E00", "Files"),
        ("E01", "Syntax"),
        ("E02", "Names"),
        ("E03", "Declarations and types"),
        ("E04", "Handlers and bodies"),
        ("E05", "Properties, objectives, systems, scenarios"),
        ("E09", "Not yet supported"),
        ("W", "Warnings"),
    ];
    let mut listed = 0;
    for (prefix, title) in groups {
        let _ = write!(text, "\n## {title}\n");
        for code in codes::ALL.iter().filter(|code| code.code.starts_with(prefix)) {
            listed += 1;
            let name = if code.name.is_empty() { String::new() } else { format!(" `{}`", code.name) };
            let _ = write!(text, "\n### {}{name}: {}\n\n{}\n", code.code, code.title, code.explanation);
            if !code.example.is_empty() {
                let _ = write!(text, "\n```text\n{}\n```\n", code.example);
            }
        }
    }
    assert_eq!(listed, codes::ALL.len(), "a group of codes has no title here");
    generated("docs/language/codes.md", &text);
}

#[test]
fn the_page_of_the_grammar_is_that_of_the_parser() {
    let grammar = fs::read_to_string(root().join("compiler/src/grammar.pest")).expect("the grammar is text");
    let mut text = String::from(GRAMMAR_HEAD);
    let mut open = false;
    for rule in rules(&grammar) {
        match rule {
            Rule::Heading(title) => {
                text += if open { "```\n" } else { "" };
                open = false;
                let _ = write!(text, "\n## {title}\n\n");
            }
            Rule::Is(name, body) => {
                text += if open { "" } else { "```text\n" };
                open = true;
                let _ = writeln!(text, "{name:<14} = {}", readable(&body));
            }
        }
    }
    text += if open { "```\n" } else { "" };
    generated("docs/language/grammar.md", &text);
}

const GRAMMAR_HEAD: &str = "# Grammar

Generated from the parser's own grammar. `'word'` stands for itself, `a?` for `a` or nothing, `a*` for any number of `a`, `a+` for at least
one, `a | b` for the first that fits, `!a` for a place where `a` does not begin, `&a` for one where it does. White space and comments
may stand between any two words. A word is a keyword only where it is expected: `message` can be the name of a variable.
";

enum Rule {
    Heading(String),
    Is(String, String),
}

/// The rules of the grammar in order, without those that serve recovery and single words.
fn rules(grammar: &str) -> Vec<Rule> {
    let mut found = Vec::new();
    let mut rule: Option<(String, String)> = None;
    for line in grammar.lines() {
        if let Some((name, body)) = &mut rule {
            *body += " ";
            *body += line.trim();
            if line == "}" || line.ends_with(" }") && !line.starts_with("  ") {
                found.push(Rule::Is(name.clone(), body.clone()));
                rule = None;
            }
        } else if let Some(title) = line.strip_prefix("// ---- ") {
            found.push(Rule::Heading(title.trim_end_matches([' ', '-']).to_owned()));
        } else if let Some((name, body)) = line.split_once(" = ").filter(|_| !line.starts_with("//")) {
            match body.ends_with('}') {
                true => found.push(Rule::Is(name.to_owned(), body.to_owned())),
                false => rule = Some((name.to_owned(), body.to_owned())),
            }
        }
    }
    let hidden = |name: &str| {
        ["only_", "p_", "k_", "w_"].iter().any(|it| name.starts_with(it)) || name == "WHITESPACE"
    };
    found.retain(|rule| !matches!(rule, Rule::Is(name, _) if hidden(name)));
    found
}

/// The body of a rule without what only the parser generator needs.
fn readable(body: &str) -> String {
    let body = body.trim_start_matches(['@', '_', '$']).trim();
    let body = body.strip_prefix('{').and_then(|it| it.strip_suffix('}')).unwrap_or(body).trim();
    let mut out = String::new();
    let mut rest = body;
    while let Some(first) = rest.chars().next() {
        if first == '"' {
            let end = 1 + literal_length(&rest[1..]);
            let _ = write!(out, "'{}'", rest[1..end].replace("\\\"", "\"").replace("\\\\", "\\"));
            rest = &rest[end + 1..];
        } else if first.is_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(rest.len());
            out += &word(&rest[..end]);
            rest = &rest[end..];
        } else {
            if first != '~' {
                out.push(first);
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    out.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn literal_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return at,
            _ => escaped = false,
        }
    }
    text.len()
}

/// A rule that stands for one word, as that word.
fn word(name: &str) -> String {
    let sign = match name {
        "p_semi" => ";",
        "p_comma" | "comma" => ",",
        "p_colon" => ":",
        "p_eq" => "=",
        "p_dot" => ".",
        "p_bar" => "|",
        "p_arrow" => "->",
        "p_lparen" => "(",
        "p_rparen" => ")",
        "p_lbracket" => "[",
        "p_rbracket" => "]",
        "p_lbrace" => "{",
        "p_rbrace" => "}",
        "SOI" | "EOI" => return String::new(),
        "ASCII_DIGIT" => return "digit".to_owned(),
        "ASCII_NONZERO_DIGIT" => return "digit_above_0".to_owned(),
        "ASCII_ALPHA_UPPER" => return "capital".to_owned(),
        "ASCII_ALPHANUMERIC" | "ASCII_ALPHA" => return "letter_or_digit".to_owned(),
        "XID_START" | "XID_CONTINUE" => return "letter_of_any_script".to_owned(),
        "ANY" => return "any_character".to_owned(),
        "WHITESPACE" => return "blank".to_owned(),
        other => {
            let keyword = other.strip_prefix("k_").or(other.strip_prefix("w_"));
            return keyword.map_or(other.to_owned(), |keyword| format!("'{keyword}'"));
        }
    };
    format!("'{sign}'")
}

#[test]
fn every_keyword_stands_on_the_page_of_the_grammar_and_in_an_example() {
    let grammar = fs::read_to_string(root().join("compiler/src/grammar.pest")).expect("the grammar is text");
    let page = fs::read_to_string(root().join("docs/language/grammar.md")).unwrap_or_default();
    let keywords = grammar.lines().filter(|line| line.starts_with("k_") || line.starts_with("w_"));
    // Some are read for the sake of a better message alone.
    let told = |word: &&str| !matches!(*word, "async" | "unsafe");
    let keywords: Vec<&str> = keywords.filter_map(|line| line.split('"').nth(1)).filter(told).collect();
    let texts: String = all().into_iter().map(|example| example.text).collect();
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let used: BTreeSet<&str> = texts.split(|c| !is_word(c)).collect();
    let missing: Vec<&&str> =
        keywords.iter().filter(|it| !page.contains(&format!("'{it}'")) || !used.contains(*it)).collect();
    assert!(keywords.len() > 90, "{} keywords", keywords.len());
    assert!(missing.is_empty(), "not in the grammar, or in no example: {missing:?}");
}

#[test]
fn pages_lead_to_pages_that_are_there() {
    for page in pages(root()) {
        let text = fs::read_to_string(&page).expect("a page is text");
        for (at, _) in text.match_indices("](") {
            let target = text[at + 2..].split([')', '#']).next().unwrap_or("");
            let folder = page.parent().unwrap_or(Path::new(""));
            let there = target.is_empty() || target.starts_with("http") || folder.join(target).exists();
            assert!(there, "{}: {target}", page.display());
        }
    }
}
