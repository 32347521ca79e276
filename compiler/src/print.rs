//! The spec printer, which is also the formatter.
//!
//! The tree becomes nodes (`layout.rs`), nodes and comments become lines (`write.rs`), lines become text (`align.rs`). Only
//! white space ever changes, apart from optional signs such as a last comma: [`format()`] proves that before it hands
//! the text out. Rust bodies keep their line breaks; strings and comments keep every character.

mod align;
mod expr;
mod layout;
mod layout_system;
mod node;
mod rust;
mod write;

use crate::ast::Ast;
use crate::deep::deep;
use crate::diag::Diagnostics;
use crate::parse::parse;
use crate::parse::scan::{Scan, scan};
use crate::source::SourceFile;

pub use write::WIDTH;

/// Formats a file. A file with syntax errors is refused with them. Should the result not mean the same, which would be
/// a mistake of the printer, the text comes back unchanged.
pub fn format(source: &SourceFile) -> Result<String, Diagnostics> {
    deep(|| formatted(source))
}

fn formatted(source: &SourceFile) -> Result<String, Diagnostics> {
    let (ast, errors) = parse(source);
    if errors.has_errors() {
        return Err(errors);
    }
    let text = print(source, &ast);
    let again = SourceFile::new(source.name.clone(), text);
    let (printed, errors) = parse(&again);
    let same = !errors.has_errors() && shape(&printed) == shape(&ast) && comments(&again) == comments(source);
    Ok(if same { again.text } else { source.text.clone() })
}

/// Prints a tree with the comments of the text that it was parsed from. A tree with broken parts is not printed: the text
/// comes back unchanged.
pub fn print(source: &SourceFile, ast: &Ast) -> String {
    let scan: Scan = scan(&source.text, 0);
    if !ast.broken.is_empty() || scan.error.is_some() {
        return source.text.clone();
    }
    let origin = write::Origin { source, scan: &scan };
    deep(|| align::text(&write::lines(&layout::file(ast), Some(origin))))
}

/// Prints a tree that was made by hand and stands in no file.
pub fn print_made(ast: &Ast) -> String {
    let doc = ast.doc.iter().flat_map(|doc| doc.lines());
    let head: String = doc.map(|line| format!("//! {line}").trim_end().to_owned() + "\n").collect();
    let body = deep(|| align::text(&write::lines(&layout::file(ast), None)));
    if head.is_empty() || body.is_empty() { head + &body } else { format!("{head}\n{body}") }
}

/// A tree as text without places and without white space, to compare what two texts mean.
fn shape(ast: &Ast) -> String {
    let debug = format!("{ast:?}");
    let mut out = String::with_capacity(debug.len() / 2);
    let mut rest = debug.as_str();
    while let Some(at) = rest.find('@') {
        out.extend(rest[..at].chars().filter(|c| !c.is_whitespace()));
        let place = &rest[at + 1..];
        let end = place.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(place.len());
        rest = &place[end..];
    }
    out.extend(rest.chars().filter(|c| !c.is_whitespace()));
    ["\\n", "\\r", "\\t"].iter().fold(out, |out, blank| out.replace(blank, ""))
}

/// The comments of a file, without white space, in some order: one that moves past a sign is still there.
fn comments(source: &SourceFile) -> Vec<String> {
    let scan = scan(&source.text, 0);
    let mut list: Vec<String> = scan
        .comments
        .iter()
        .map(|comment| source.slice(comment.span).chars().filter(|c| !c.is_whitespace()).collect())
        .collect();
    list.sort();
    list
}
