//! Where the pieces of a masked text begin and end, found by signs and indentation alone, for recovery.
//!
//! A piece ends at a `;` or after a block at its own depth. It also ends, with its last sign missing, before a line
//! that clearly begins the next piece. Nothing here recurses, and delimiters are known to match.

use crate::source::Span;

/// What stands at a place: decides how pieces end, and how the next one is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Context {
    /// The items of a file.
    Items,
    /// The lines of an interface.
    Calls,
    /// Messages.
    Messages,
    /// The members of a service.
    Members,
    /// `name: ..;` in any section.
    Declarations,
    /// Timers.
    Timers,
    /// Transitions.
    Transitions,
    /// Routines.
    Routines,
    /// Properties.
    Properties,
    /// Objectives.
    Objectives,
    /// The members of a system.
    SystemMembers,
    /// Faults.
    Faults,
    /// The workload.
    Workload,
    /// The commands of a scenario.
    Commands,
}

impl Context {
    /// Whether a word at the start of a line begins a piece.
    pub fn begins(self, word: &str) -> bool {
        let words: &[&str] = match self {
            Context::Items => &[
                "import",
                "use",
                "type",
                "struct",
                "enum",
                "const",
                "fn",
                "impl",
                "pub",
                "interface",
                "messages",
                "service",
                "system",
                "scenario",
                "allow",
            ],
            Context::Calls => &["downcall", "upcall"],
            Context::Members => &[
                "provides",
                "uses",
                "const",
                "parameters",
                "states",
                "variables",
                "messages",
                "timers",
                "transitions",
                "routines",
                "properties",
                "objectives",
                "generic",
                "fair",
                "allow",
            ],
            Context::SystemMembers => &[
                "parameters",
                "nodes",
                "network",
                "faults",
                "workload",
                "horizon",
                "objectives",
                "properties",
                "check",
            ],
            Context::Transitions => &["downcall", "upcall", "scheduler", "aspect", "first", "ignore"],
            Context::Routines => &["fn"],
            Context::Properties => &["safety", "local", "reachable", "liveness", "statistical"],
            Context::Objectives => &["minimize", "maximize"],
            Context::Faults => &["crash", "reset", "partition", "cut"],
            Context::Workload => &["once", "each", "call"],
            Context::Commands => {
                &["deliver", "drop", "duplicate", "fire", "crash", "restart", "run", "expect", "refuse"]
            }
            Context::Messages | Context::Declarations | Context::Timers => &[],
        };
        words.contains(&word)
    }

    /// Whether a piece that begins with this word may also end after a block, without a `;`.
    fn ends_after_block(self, word: &str) -> bool {
        match self {
            Context::Items => !matches!(word, "import" | "use" | "type" | "const" | "allow"),
            Context::Members => !matches!(word, "provides" | "uses" | "const" | "fair" | "allow"),
            Context::SystemMembers => word != "horizon",
            Context::Transitions => word != "ignore",
            Context::Messages | Context::Routines => true,
            _ => false,
        }
    }

    /// Whether the line at the start of `rest`, which is not the first of its piece, begins the next piece.
    fn begins_anew(self, rest: &str) -> bool {
        let word = first_word(rest);
        if word.is_empty() {
            return false;
        }
        if self.begins(word) {
            return !rest[word.len()..].trim_start().starts_with(['.', '(']);
        }
        if !matches!(self, Context::Declarations | Context::Workload) {
            return false;
        }
        let mut rest = rest;
        for _ in 0..3 {
            let word = first_word(rest);
            let after = rest[word.len()..].trim_start_matches([' ', '\t']);
            if after.starts_with(':') {
                return !after.starts_with("::") && self == Context::Declarations;
            }
            rest = after;
        }
        false
    }
}

/// The word at the start of a text.
pub fn first_word(text: &str) -> &str {
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    &text[..end]
}

/// The pieces of a place, without the white space around them.
pub fn split(masked: &str, span: Span, context: Context) -> impl Iterator<Item = Span> {
    let mut at = span.start as usize;
    let end = span.end as usize;
    std::iter::from_fn(move || {
        let rest = &masked[at..end];
        let start = at + (rest.len() - rest.trim_start().len());
        if start == end {
            return None;
        }
        at = piece_end(masked, start, end, context);
        Some(Span::at(start, start + masked[start..at].trim_end().len()))
    })
}

/// The offset after the piece that begins at `start`.
fn piece_end(masked: &str, start: usize, end: usize, context: Context) -> usize {
    let start = after_attributes(masked, start, end);
    let ends_after_block = context.ends_after_block(first_word(&masked[start..end]));
    let mut depth = 0usize;
    let mut fresh_line = false;
    for (index, byte) in masked.as_bytes()[start..end].iter().enumerate() {
        let at = start + index;
        match byte {
            b'\n' => fresh_line = true,
            b' ' | b'\t' | b'\r' => {}
            _ => {
                let starts_word = byte.is_ascii_alphabetic() || *byte == b'_';
                if fresh_line && depth == 0 && starts_word && context.begins_anew(&masked[at..end]) {
                    return at;
                }
                fresh_line = false;
            }
        }
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if *byte == b'}' && depth == 0 && ends_after_block {
                    return at + 1;
                }
            }
            b';' if depth == 0 => return at + 1,
            _ => {}
        }
    }
    end
}

/// The offset of what follows the attributes `#[..]` that a piece may begin with: it belongs to the same piece.
fn after_attributes(masked: &str, start: usize, end: usize) -> usize {
    let mut at = start;
    while masked[at..end].starts_with("#[") {
        let mut depth = 0usize;
        let closed = masked[at..end].bytes().position(|byte| {
            match byte {
                b'[' => depth += 1,
                b']' => depth -= 1,
                _ => {}
            }
            byte == b']' && depth == 0
        });
        let Some(closed) = closed else { return start };
        let rest = &masked[at + closed + 1..end];
        at = end - rest.trim_start().len();
    }
    at
}

/// The inside of the first block of a piece that stands outside of parentheses.
pub fn block_of(masked: &str, piece: Span) -> Option<Span> {
    let mut depth = 0usize;
    let mut open = None;
    for (index, byte) in masked.as_bytes()[piece.range()].iter().enumerate() {
        let at = piece.start as usize + index;
        match byte {
            b'{' if depth == 0 => (open, depth) = (Some(at + 1), 1),
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if let (0, Some(start)) = (depth, open) {
                    return Some(Span::at(start, at));
                }
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str, context: Context) -> Vec<&str> {
        let all = Span::at(0, text.len());
        split(text, all, context).map(|span| &text[span.range()]).collect()
    }

    #[test]
    fn pieces_end_at_semicolons_blocks_and_new_lines() {
        assert_eq!(pieces("use a::{b, c}; service A { x; } system B {}", Context::Items).len(), 3);
        assert_eq!(pieces("a: u8\n  b: u16 = X { c: 1 };\n durable c: u8;", Context::Declarations).len(), 3);
        assert_eq!(pieces("upcall a(X { b }) { c; } ignore d;", Context::Transitions).len(), 2);
        assert_eq!(pieces("upcall a(x)\n    when b == c { }", Context::Transitions).len(), 1);
        assert_eq!(pieces("uses a: B = C { d: 1 };\nstates { E }", Context::Members).len(), 2);
        assert_eq!(pieces("  \n ", Context::Items).len(), 0);
        assert_eq!(
            pieces("#[derive(Default)]\n#[a([b])]\nstruct A { b: u8 }\nenum C { D }", Context::Items).len(),
            2
        );
        assert_eq!(pieces("#[derive(Default)]", Context::Items).len(), 1);
    }

    #[test]
    fn the_block_is_found_behind_parentheses() {
        let text = "fn a(X { b }: X) { c { d } }";
        let span = block_of(text, Span::at(0, text.len())).unwrap();
        assert_eq!(&text[span.range()], " c { d } ");
    }
}
