//! The compiler from `.mace` specifications to Rust.
//!
//! Text becomes a syntax tree ([`parse`]), the tree is checked and lowered, and tokens of Rust come out. This
//! crate never prints, never exits and never depends on the runtime. Start at `ast.rs` for the language's shape.

// A diagnostic is large, rare and never on a hot path: a box would only be noise in every signature.
#![allow(clippy::result_large_err)]

pub mod analyse;
pub mod ast;
pub mod body;
pub mod build;
pub mod check;
pub mod codegen;
pub mod codes;
pub mod compile;
mod deep;
pub mod diag;
pub mod doc;
pub mod emit;
pub mod import;
pub mod ir;
pub mod link;
pub mod lower;
pub mod names;
pub mod overlap;
pub mod parse;
pub mod print;
pub mod render;
pub mod source;
pub mod stats;
pub mod tokens;
pub mod types;

pub use build::{Builder, Error, configure};
