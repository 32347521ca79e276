//! From text to the syntax tree, with all syntax errors at once.
//!
//! Three steps: the pre-scan ([`scan`]) masks comments and literals and matches delimiters; one rule of the grammar
//! reads the whole file; where that fails, recovery (`recover.rs`) reads it item by item and entry by entry and keeps
//! whatever is healthy. This is the only module that names pest, and it parses no Rust: that is the back half's work.

mod build;
mod build_handlers;
mod build_remark;
mod build_system;
mod climb;
mod expect;
mod grammar;
mod operand;
mod recover;
pub mod scan;
pub(crate) mod split;

use std::cell::Cell;

use pest::Parser;

use crate::ast::Ast;
use crate::deep::deep;
use crate::diag::Diagnostics;
use crate::source::{SourceFile, Span};
use build::{Builder, Built, Kids};
use grammar::{Grammar, Rule};

pub use build_handlers::GROUP_NESTING_MAX;
pub use climb::{EXPR_HEIGHT_MAX, EXPR_NESTING_MAX, EXPR_OPERATORS_MAX};
pub use recover::SYNTAX_ERRORS_MAX;

/// Parses a file. The tree holds everything that could be read; what could not be is in [`Ast::broken`], and each such
/// place has an error.
pub fn parse(source: &SourceFile) -> (Ast, Diagnostics) {
    deep(|| parse_file(source, 0))
}

/// Parses one of the files that a source is made of: 0 is the file itself.
pub fn parse_file(source: &SourceFile, index: usize) -> (Ast, Diagnostics) {
    let place = source.span_of(index);
    let scan = scan::scan(source.slice(place), place.start);
    if scan.error.is_some() {
        return recover::unbalanced(source, index);
    }
    match whole(source, place, &scan) {
        Some(ast) => (ast, Diagnostics::new()),
        None => recover::balanced(source, index, scan),
    }
}

/// The fast path: the whole file by one rule, or nothing.
fn whole(source: &SourceFile, place: Span, scan: &scan::Scan) -> Option<Ast> {
    let file = Grammar::parse(Rule::file, &scan.masked).ok()?.next()?;
    let (text, comments) = (&source.text, &scan.comments);
    let builder = Builder { text, comments, base: place.start, depth: Cell::new(0) };
    let items = Kids::of(file).rest().map(|pair| builder.item(pair)).collect::<Built<_>>().ok()?;
    Some(Ast { doc: builder.file_doc(), items, broken: vec![], span: place })
}
