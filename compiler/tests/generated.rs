//! Generated specifications: random text of the whole grammar, with comments and line breaks in odd places. Whatever is
//! well formed is printed without a change of meaning, keeps every comment, and stays as it is when printed again.

mod grammar;

use foresee_compiler::parse::parse;
use foresee_compiler::print::{format, print, print_made};
use foresee_compiler::render::{Style, all_text};
use foresee_compiler::source::SourceFile;

/// The comments of a generated text, which are numbered: `/*17*/` and `//17`.
fn comments(text: &str) -> Vec<String> {
    let starts = text.match_indices("/*").chain(text.match_indices("//")).map(|(at, _)| at + 2);
    let digits = |at: usize| text[at..].chars().take_while(char::is_ascii_digit).collect::<String>();
    let mut found: Vec<String> = starts.map(digits).filter(|it| !it.is_empty()).collect();
    found.sort();
    found
}

/// A tree as text without places and white space.
fn shape(source: &SourceFile) -> String {
    let (ast, errors) = parse(source);
    assert!(errors.is_empty(), "{}\n{}", all_text(&errors, source, Style::Plain), source.text);
    let debug = format!("{ast:?}");
    let mut out = String::new();
    let mut rest = debug.as_str();
    while let Some(at) = rest.find('@') {
        out.extend(rest[..at].chars().filter(|c| !c.is_whitespace()));
        rest = rest[at + 1..].trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
    }
    out.extend(rest.chars().filter(|c| !c.is_whitespace()));
    ["\\n", "\\r", "\\t"].iter().fold(out, |out, blank| out.replace(blank, ""))
}

/// The bytes of a seed: few for the first seeds, so that what fails is small.
fn bytes(seed: u64) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        // SplitMix64, which is good enough to decide with.
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed >> 56) as u8
    };
    (0..40 + 2 * seed.min(400)).map(|_| next()).collect()
}

/// How many specifications are tried; `FORESEE_SEEDS` tries more.
fn seeds() -> std::ops::Range<u64> {
    0..std::env::var("FORESEE_SEEDS").ok().and_then(|it| it.parse().ok()).unwrap_or(300)
}

#[test]
fn printing_keeps_meaning_and_comments_and_is_stable() {
    for seed in seeds() {
        let source = SourceFile::new("a.mace", grammar::spec(&bytes(seed), true));
        let (ast, errors) = parse(&source);
        assert!(errors.is_empty(), "seed {seed}:\n{}", all_text(&errors, &source, Style::Plain));
        let printed = SourceFile::new("a.mace", print(&source, &ast));
        let formatted = format(&source).unwrap();
        assert!(formatted == printed.text, "seed {seed} is distrusted:\n{}\n{}", source.text, printed.text);
        assert_eq!(comments(&printed.text), comments(&source.text), "seed {seed}:\n{}", printed.text);
        let (again, errors) = parse(&printed);
        assert!(errors.is_empty(), "seed {seed}:\n{}", printed.text);
        let twice = print(&printed, &again);
        assert!(twice == printed.text, "seed {seed} is not stable:\n{}", differing(&printed.text, &twice));
        let blank = printed.text.lines().find(|line| line.trim_end() != *line);
        assert!(blank.is_none(), "seed {seed}: {blank:?}\n{}", source.text);
    }
}

/// The lines around the first difference.
fn differing(one: &str, two: &str) -> String {
    let (one, two): (Vec<_>, Vec<_>) = (one.lines().collect(), two.lines().collect());
    let at = one.iter().zip(&two).position(|(a, b)| a != b).unwrap_or(one.len().min(two.len()));
    let part = |lines: &[&str]| lines[at.saturating_sub(3)..(at + 5).min(lines.len())].join("\n");
    format!("{}\n---- becomes\n{}", part(&one), part(&two))
}

#[test]
fn a_tree_without_a_file_is_printed_too() {
    for seed in seeds() {
        let source = SourceFile::new("a.mace", grammar::spec(&bytes(seed), false));
        let (ast, errors) = parse(&source);
        assert!(errors.is_empty(), "seed {seed}:\n{}", all_text(&errors, &source, Style::Plain));
        let made = SourceFile::new("made.mace", print_made(&ast));
        let (shapes, text) = ((shape(&made), shape(&source)), &made.text);
        assert!(shapes.0 == shapes.1, "seed {seed}:\n{}\n---- as\n{text}", source.text);
    }
}

#[test]
fn generated_specifications_hold_every_keyword() {
    let text: String = seeds().map(|seed| grammar::spec(&bytes(seed), false)).collect();
    let source = include_str!("../src/grammar.pest");
    let keywords = source.lines().filter(|line| line.starts_with("k_") || line.starts_with("w_"));
    let keywords = keywords.filter_map(|line| line.split('"').nth(1));
    let missing: Vec<&str> = keywords
        .filter(|word| !text.split(|c: char| !(c.is_alphanumeric() || c == '_')).any(|it| it == *word))
        .collect();
    assert!(missing.is_empty(), "never generated: {missing:?}");
}
