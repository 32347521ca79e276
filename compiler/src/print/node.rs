//! What the writer lays out: a tree of lines and blocks, without any notion of comments or columns.

use crate::ast::{Doc, Fragment};
use crate::source::Span;

/// A part of the file that begins on a line of its own, or beside its neighbour where the author wrote it so.
#[derive(Clone, Debug)]
pub struct Node {
    /// Its place, without documentation; empty for a tree made by hand.
    pub span: Span,
    /// Its documentation, for a tree made by hand.
    pub doc: Doc,
    /// What it is.
    pub kind: NodeKind,
    /// Where its first line may have a column.
    pub column: Option<Column>,
}

/// A place on the first line of a node where the author may ask for a column, by two spaces: those of neighbours of the
/// same class then stand beneath each other.
#[derive(Clone, Debug)]
pub struct Column {
    /// Who the neighbours are.
    pub class: &'static str,
    /// How many characters of the printed line come before it.
    pub before: usize,
    /// Where the spaces stand in the file.
    pub at: u32,
    /// Whether it is lost when the node does not fit on one line.
    pub flat: bool,
}

/// The kinds of nodes.
#[derive(Clone, Debug)]
pub enum NodeKind {
    /// One line that may be broken between parts. Cells before it are aligned with those of its neighbours.
    Line {
        /// Words in columns of their own.
        cells: Vec<String>,
        /// The rest; at least one.
        parts: Vec<String>,
        /// Whether it is broken after the first part if the author broke it anywhere, and goes on beneath that part.
        hanging: bool,
    },
    /// A head and a block of Rust.
    Handler {
        /// The head.
        parts: Vec<String>,
        /// The block.
        body: Fragment,
    },
    /// Rust text, with its own documentation.
    Rust(Fragment),
    /// `head { nodes }`
    Block {
        /// The text before the brace.
        head: String,
        /// The contents.
        nodes: Vec<Node>,
        /// Whether the contents are separated by commas rather than ended by signs of their own.
        commas: bool,
        /// Whether contents made by hand are set apart by empty lines.
        spaced: bool,
    },
}

impl Node {
    /// A line in parts.
    pub fn line(span: Span, doc: &Doc, parts: Vec<String>) -> Node {
        Node::cells(span, doc, vec![], parts)
    }

    /// A line in parts after aligned cells.
    pub fn cells(span: Span, doc: &Doc, cells: Vec<String>, parts: Vec<String>) -> Node {
        Node { span, doc: doc.clone(), kind: NodeKind::Line { cells, parts, hanging: false }, column: None }
    }

    /// A claim or an amount after aligned cells.
    pub fn hanging(span: Span, doc: &Doc, cells: Vec<String>, parts: Vec<String>) -> Node {
        Node { span, doc: doc.clone(), kind: NodeKind::Line { cells, parts, hanging: true }, column: None }
    }

    /// With a place for a column.
    pub fn with_column(mut self, class: &'static str, before: usize, at: u32, flat: bool) -> Node {
        self.column = Some(Column { class, before, at, flat });
        self
    }

    /// Rust text.
    pub fn rust(fragment: &Fragment) -> Node {
        Node { span: fragment.span, doc: None, kind: NodeKind::Rust(fragment.clone()), column: None }
    }

    /// A section: a block whose entries end with signs of their own.
    pub fn section(span: Span, head: impl Into<String>, nodes: Vec<Node>) -> Node {
        Node {
            span,
            doc: None,
            kind: NodeKind::Block { head: head.into(), nodes, commas: false, spaced: false },
            column: None,
        }
    }

    /// An item: a block of sections.
    pub fn item(span: Span, doc: &Doc, head: impl Into<String>, nodes: Vec<Node>) -> Node {
        let kind = NodeKind::Block { head: head.into(), nodes, commas: false, spaced: true };
        Node { span, doc: doc.clone(), kind, column: None }
    }
}
