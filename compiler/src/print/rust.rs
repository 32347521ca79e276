//! Rust text in a formatted file: indented anew, never rewritten.
//!
//! Lines keep their breaks and their order. Only white space at the start of a line changes, and not even that where the
//! line begins inside a string or a block comment.

use crate::parse::scan::scan;

/// Four columns a level.
pub const INDENT: usize = 4;

/// What the lines after the first are relative to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A block or an expression: further lines are deeper, a closing delimiter is not.
    Hanging,
    /// Something that begins with comments or attributes of its own: some further line stands at its own level.
    Stacked,
}

/// The lines of a text whose first line stands at `indent` columns. The first has no indentation, the others have all.
pub fn reindented(text: &str, indent: usize, shape: Shape) -> Vec<String> {
    let mut lines = text.split('\n');
    let mut out = vec![lines.next().unwrap_or("").trim_end().to_owned()];
    if out[0].len() == text.len() {
        return out;
    }
    let masked = scan(text, 0).masked;
    // A masked text that stops short had an unfinished literal; it is left as it is.
    let whole = masked.len() == text.len();
    let mut at = 0;
    let mut rows = vec![];
    let mut previous = text.split('\n').next().unwrap_or("");
    for line in lines {
        at += previous.len() + 1;
        previous = line;
        let fixed = !whole || masked.as_bytes()[at - 1] != b'\n';
        rows.push((line, fixed));
    }
    let depth = |line: &str| line.chars().take_while(|c| c.is_whitespace()).map(width).sum::<usize>();
    let free = rows.iter().filter(|(line, fixed)| !fixed && !line.trim().is_empty()).map(|(line, _)| *line);
    let least = free.clone().map(depth).min().unwrap_or(0);
    let closing =
        rows.last().filter(|(line, fixed)| !fixed && line.trim_start().starts_with(['}', ')', ']']));
    let base = match (closing, shape) {
        (Some((line, _)), _) => depth(line),
        (None, Shape::Stacked) => least,
        (None, Shape::Hanging) => least.saturating_sub(INDENT),
    };
    // A text without a level to take away is still pushed in, so that hanging lines hang.
    let pushed =
        if closing.is_none() && shape == Shape::Hanging && least < INDENT { INDENT - least } else { 0 };
    let ends_in_literal = |index: usize| rows.get(index + 1).is_some_and(|(_, fixed)| *fixed);
    for (index, (line, fixed)) in rows.iter().enumerate() {
        let body = if ends_in_literal(index) { line } else { line.trim_end() };
        if *fixed {
            out.push(body.to_owned());
        } else if body.trim().is_empty() && !ends_in_literal(index) {
            out.push(String::new());
        } else {
            let columns = (depth(line) + indent + pushed).saturating_sub(base);
            out.push(" ".repeat(columns) + body.trim_start());
        }
    }
    out
}

fn width(c: char) -> usize {
    if c == '\t' { INDENT } else { 1 }
}

/// A fragment within a line: white space that holds line breaks becomes one space, unless a literal or a comment could be
/// touched.
pub fn squeezed(text: &str) -> String {
    if !text.contains('\n') || text.contains(['"', '\'']) || text.contains("//") || text.contains("/*") {
        return text.to_owned();
    }
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_move_together_and_strings_stay() {
        let text = "{\n        a(\"x\n  y\");\n\n      /* b\n c */\n    }";
        let lines = reindented(text, 8, Shape::Hanging);
        assert_eq!(lines, ["{", "            a(\"x", "  y\");", "", "          /* b", " c */", "        }"]);
        let again = reindented(&lines.join("\n"), 8, Shape::Hanging);
        assert_eq!(again, lines);
        assert_eq!(reindented("a\n&& b", 4, Shape::Hanging), ["a", "        && b"]);
        assert_eq!(reindented("/// a\n  fn b() {}", 4, Shape::Stacked), ["/// a", "    fn b() {}"]);
    }

    #[test]
    fn only_plain_text_is_squeezed() {
        assert_eq!(squeezed("a\n   && b"), "a && b");
        assert_eq!(squeezed("a // x\n && b"), "a // x\n && b");
    }
}
