//! From nodes and comments to lines.
//!
//! The author decides which entries share a line and where one empty line stands; everything else is canonical. A node
//! with a comment inside, where no rule knows a place for it, keeps its own lines and is only moved.

use super::node::{Node, NodeKind};
use super::rust::{INDENT, Shape, reindented};
use crate::parse::scan::{Comment, Scan};
use crate::parse::split::block_of;
use crate::source::{SourceFile, Span};

/// The widest line that is filled, in characters.
pub const WIDTH: usize = 120;

/// A line of output.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// Its indentation in columns.
    pub indent: usize,
    /// Its text in cells; all but the last may be widened.
    pub cells: Vec<String>,
    /// Further lines of the same node, complete with indentation.
    pub rest: Vec<String>,
    /// The comment after its last line.
    pub comment: Option<String>,
    /// The column in which the author put that comment, if two spaces stand before it.
    pub comment_column: Option<usize>,
    /// What its two cells are a column of, if they are one only where a neighbour asks for it.
    pub class: &'static str,
    /// Whether the author asked.
    pub asks: bool,
    /// Whether further lines move with the last cell.
    pub hanging: bool,
    /// Whether an empty line comes before it.
    pub spaced: bool,
}

impl Line {
    /// The text without indentation, cells unaligned.
    fn text(&self) -> String {
        self.cells.join(" ")
    }
}

/// The text that the tree was parsed from.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    /// The file.
    pub source: &'a SourceFile,
    /// Its masked text and comments.
    pub scan: &'a Scan,
}

/// Lays out nodes, with the comments of their origin if they have one.
pub fn lines(nodes: &[Node], origin: Option<Origin<'_>>) -> Vec<Line> {
    let mut writer = Writer { origin, lines: vec![] };
    let region = origin.map_or(Span::default(), |origin| origin.source.span());
    writer.list(nodes, region, 0, Manner { spaced: true, commas: false });
    writer.lines
}

/// How the contents of a block are set.
#[derive(Clone, Copy)]
struct Manner {
    spaced: bool,
    commas: bool,
}

struct Writer<'a> {
    origin: Option<Origin<'a>>,
    lines: Vec<Line>,
}

impl<'a> Writer<'a> {
    /// The comments that begin in a region.
    fn comments(&self, region: Span) -> &'a [Comment] {
        let Some(origin) = self.origin else { return &[] };
        let all = &origin.scan.comments;
        let first = all.partition_point(|comment| comment.span.start < region.start);
        let end = all.partition_point(|comment| comment.span.start < region.end);
        &all[first..end.max(first)]
    }

    /// How many line breaks stand between two places.
    fn breaks(&self, from: u32, to: u32) -> usize {
        let Some(origin) = self.origin else { return 1 };
        origin.source.slice(Span::new(from.min(to), to)).matches('\n').count()
    }

    fn list(&mut self, nodes: &[Node], region: Span, indent: usize, manner: Manner) {
        let first_line = self.lines.len();
        let mut at = region.start;
        let mut joinable = false;
        for (index, node) in nodes.iter().enumerate() {
            at = self.gap_comments(Span::new(at, node.span.start), indent, first_line, &mut joinable);
            let breaks = self.breaks(at, node.span.start);
            let text = self.flat(node).map(|text| if manner.commas { text + "," } else { text });
            let spaced = match self.origin {
                Some(_) => breaks > 1,
                None => manner.spaced && (index > 0) && !(is_short(&nodes[index - 1]) && is_short(node)),
            };
            let joined = joinable && breaks == 0 && self.join(text.as_deref());
            if !joined {
                let line = self.lines.len();
                self.node(node, text, indent);
                self.column(node);
                if let Some(cell) = self.lines[line].cells.last_mut().filter(|_| manner.commas) {
                    cell.push(',');
                }
                self.lines[line].spaced = spaced && line > first_line;
            }
            joinable = self.lines.last().is_some_and(|line| line.rest.is_empty());
            at = self.end_of(node, manner.commas);
        }
        self.gap_comments(Span::new(at, region.end), indent, first_line, &mut joinable);
    }

    /// The offset after a node and the comma that follows it.
    fn end_of(&self, node: &Node, commas: bool) -> u32 {
        let end = node.span.end;
        let Some(origin) = self.origin.filter(|_| commas) else { return end };
        let rest = &origin.scan.masked[end as usize..];
        let blank = rest.len() - rest.trim_start().len();
        if rest[blank..].starts_with(',') { end + blank as u32 + 1 } else { end }
    }

    /// Writes the comments of a gap and returns the offset after the last of them.
    fn gap_comments(&mut self, gap: Span, indent: usize, first_line: usize, joinable: &mut bool) -> u32 {
        let mut at = gap.start;
        for comment in self.comments(gap) {
            let Some(origin) = self.origin else { break };
            let text = origin.source.slice(comment.span);
            let breaks = self.breaks(at, comment.span.start);
            let mut rows = text.split('\n').map(|row| row.trim_end().to_owned());
            let first = rows.next().unwrap_or_default();
            let rest: Vec<String> = rows.collect();
            match self.lines.last_mut() {
                Some(line) if breaks == 0 && at > 0 && rest.is_empty() => {
                    line.comment_column = match line.comment {
                        None => column_of(origin.source, comment.span.start),
                        Some(_) => None,
                    };
                    line.comment =
                        Some(line.comment.take().map_or(first.clone(), |before| format!("{before} {first}")));
                }
                _ => {
                    let spaced = breaks > 1 && self.lines.len() > first_line;
                    self.lines.push(Line { indent, cells: vec![first], rest, spaced, ..Line::default() });
                }
            }
            *joinable = false;
            at = comment.span.end;
        }
        at
    }

    /// Adds a text to the last line, if it fits there.
    fn join(&mut self, text: Option<&str>) -> bool {
        let (Some(text), Some(line)) = (text, self.lines.last_mut()) else { return false };
        let joined = format!("{} {text}", line.text());
        let fits = line.indent + joined.chars().count() <= WIDTH;
        if fits {
            line.cells = vec![joined];
            line.class = "";
        }
        fits
    }

    /// A node on a single line, where it can stand on one.
    fn flat(&self, node: &Node) -> Option<String> {
        if self.is_kept(node) {
            return None;
        }
        let text = match &node.kind {
            NodeKind::Line { cells, parts, .. } => {
                cells.iter().chain(parts).map(String::as_str).collect::<Vec<_>>().join(" ")
            }
            NodeKind::Handler { parts, body } => format!("{} {}", parts.join(" "), body.text),
            NodeKind::Rust(fragment) => fragment.text.clone(),
            NodeKind::Block { head, nodes, .. } if nodes.is_empty() => match self.comments(node.span) {
                [] => format!("{head} {{}}"),
                _ => return None,
            },
            NodeKind::Block { head, nodes, commas, .. } => {
                let origin = self.origin?;
                if origin.source.slice(node.span).contains('\n') || !self.comments(node.span).is_empty() {
                    return None;
                }
                let inside = nodes.iter().map(|node| self.flat(node)).collect::<Option<Vec<_>>>()?;
                format!("{head} {{ {} }}", inside.join(if *commas { ", " } else { " " }))
            }
        };
        let documented = self.origin.is_none() && node.doc.is_some();
        (!documented && !text.contains('\n') && text.chars().count() < WIDTH).then_some(text)
    }

    /// Whether a node must keep its own lines because of a comment inside.
    fn is_kept(&self, node: &Node) -> bool {
        let opaque = match &node.kind {
            NodeKind::Block { .. } | NodeKind::Rust(_) => return false,
            NodeKind::Line { .. } => Span::default(),
            NodeKind::Handler { body, .. } => body.span,
        };
        self.comments(node.span).iter().any(|comment| !opaque.contains(comment.span))
    }

    fn push(&mut self, indent: usize, cells: Vec<String>, rest: Vec<String>) {
        self.lines.push(Line { indent, cells, rest, ..Line::default() });
    }

    /// Writes a node on lines of its own.
    fn node(&mut self, node: &Node, flat: Option<String>, indent: usize) {
        if let (None, Some(doc)) = (self.origin, &node.doc) {
            for row in doc.lines() {
                self.push(indent, vec![format!("/// {row}").trim_end().to_owned()], vec![]);
            }
        }
        if let (Some(origin), true) = (self.origin, self.is_kept(node)) {
            let mut rows = reindented(origin.source.slice(node.span), indent, Shape::Hanging);
            let first = rows.remove(0);
            return self.push(indent, vec![first], rows);
        }
        let fits = |text: &String| indent + text.chars().count() <= WIDTH;
        match (&node.kind, flat.filter(fits)) {
            (NodeKind::Line { cells, parts, hanging }, _) => {
                let used: usize = cells.iter().map(|cell| cell.chars().count() + 1).sum();
                let whole =
                    indent + used + parts.iter().map(|part| part.chars().count() + 1).sum::<usize>() - 1;
                let broken = *hanging && (whole > WIDTH || self.is_broken(node.span));
                let further = if *hanging { indent + used + INDENT } else { indent + 2 * INDENT };
                let mut rows = filled(parts, indent, used, further, broken);
                let first = rows.remove(0);
                self.push(indent, cells.iter().cloned().chain([first]).collect(), rows);
                if let Some(line) = self.lines.last_mut() {
                    line.hanging = *hanging;
                }
            }
            (NodeKind::Rust(fragment), _) => {
                let stacked = fragment.text.starts_with("//") || fragment.text.starts_with('#');
                let shape = if stacked { Shape::Stacked } else { Shape::Hanging };
                let mut rows = reindented(&fragment.text, indent, shape);
                let first = rows.remove(0);
                self.push(indent, vec![first], rows);
            }
            (_, Some(text)) => self.push(indent, vec![text], vec![]),
            (NodeKind::Handler { parts, body }, None) => self.handler(parts, &body.text, indent),
            (NodeKind::Block { head, nodes, commas, spaced }, None) => {
                self.push(indent, vec![format!("{head} {{")], vec![]);
                let inside = self.inside(node);
                let manner = Manner { spaced: *spaced, commas: *commas };
                self.list(nodes, inside, indent + INDENT, manner);
                self.push(indent, vec!["}".to_owned()], vec![]);
            }
        }
    }

    /// The inside of a block. Comments in its head count as its first contents.
    fn inside(&self, node: &Node) -> Span {
        let Some(origin) = self.origin else { return Span::default() };
        let inside = block_of(&origin.scan.masked, node.span).unwrap_or(node.span);
        match self.comments(Span::new(node.span.start, inside.start)).first() {
            Some(comment) => Span::new(comment.span.start, inside.end),
            None => inside,
        }
    }

    /// A handler that does not fit on one line: its body is opened, and its head broken only if it is too long by itself.
    fn handler(&mut self, parts: &[String], body: &str, indent: usize) {
        let inside = body.strip_prefix('{').and_then(|body| body.strip_suffix('}')).unwrap_or("").trim();
        let mut body = match body.contains('\n') || inside.is_empty() {
            true => reindented(body, indent, Shape::Hanging),
            false => vec!["{".into(), " ".repeat(indent + INDENT) + inside, " ".repeat(indent) + "}"],
        };
        // What follows the head on its last line is filled with it.
        let mut parts = parts.to_vec();
        if let Some(last) = parts.last_mut() {
            last.push(' ');
            last.push_str(&body.remove(0));
        }
        let mut rows = filled(&parts, indent, 0, indent + 2 * INDENT, false);
        let first = rows.remove(0);
        rows.extend(body);
        self.push(indent, vec![first], rows);
    }

    /// Splits the line that was just written where its node may have a column.
    fn column(&mut self, node: &Node) {
        let (Some(origin), Some(column)) = (self.origin, &node.column) else { return };
        let kept = self.is_kept(node);
        let Some(line) = self.lines.last_mut().filter(|line| line.cells.len() == 1 && !kept) else { return };
        if (column.flat && !line.rest.is_empty()) || line.cells[0] == "}" {
            return;
        }
        let text = std::mem::take(&mut line.cells[0]);
        let at = text.char_indices().nth(column.before).map_or(text.len(), |(at, _)| at);
        let (before, after) = (text[..at].trim_end(), text[at..].trim_start());
        if before.is_empty() || !text[at..].starts_with(' ') && !text[..at].ends_with(' ') {
            line.cells[0] = text;
            return;
        }
        let file = origin.source.text.as_str();
        let place = column.at as usize;
        let blanks = |text: &str| text.chars().take_while(|c| *c == ' ').count();
        let left = file[..place].chars().rev().take_while(|c| *c == ' ').count();
        line.asks = left + blanks(&file[place..]) > 1;
        line.class = column.class;
        line.cells = vec![before.to_owned(), after.to_owned()];
    }

    /// Whether a node stands on several lines of the file.
    fn is_broken(&self, span: Span) -> bool {
        self.origin.is_some_and(|origin| origin.source.slice(span).contains('\n'))
    }
}

/// The column of a comment in its line, if two spaces stand before it.
fn column_of(source: &SourceFile, at: u32) -> Option<usize> {
    let before = &source.text[..at as usize];
    before.ends_with("  ").then(|| source.line_column(at).column - 1)
}

fn is_short(node: &Node) -> bool {
    matches!(node.kind, NodeKind::Line { .. }) && node.doc.is_none()
}

/// Fills lines with parts. The first line has `used` characters before it and no indentation, the others have `hanging`.
/// A text that was broken is broken after its first part.
fn filled(parts: &[String], indent: usize, used: usize, hanging: usize, broken: bool) -> Vec<String> {
    let whole = parts.join(" ");
    // Text that already has lines, because of a literal or a comment, is only moved.
    if whole.contains('\n') {
        return reindented(&whole, indent, Shape::Hanging);
    }
    let mut rows: Vec<String> = vec![];
    let mut length = 0;
    for (index, part) in parts.iter().enumerate() {
        let (width, first) = (part.chars().count(), index == 1);
        match rows.last_mut() {
            Some(row) if length + 1 + width <= WIDTH && !(broken && first) => {
                *row = format!("{row} {part}");
                length += 1 + width;
            }
            Some(_) => {
                rows.push(" ".repeat(hanging) + part);
                length = hanging + width;
            }
            None => {
                rows.push(part.clone());
                length = indent + used + width;
            }
        }
    }
    rows
}
