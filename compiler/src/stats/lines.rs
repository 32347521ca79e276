//! Which lines hold something else than white space and comments.

use crate::parse::scan;
use crate::source::{SourceFile, Span};

/// For each line of a text, whether it counts.
pub struct CodeLines {
    counts: Vec<bool>,
}

impl CodeLines {
    /// Looks at a text of the language or of Rust; where its comments cannot be told, every line that is not blank
    /// counts.
    pub fn of(text: &str) -> CodeLines {
        let mut bytes = text.as_bytes().to_vec();
        let scan = scan::scan(text, 0);
        if scan.error.is_none() {
            for comment in &scan.comments {
                bytes[comment.span.range()]
                    .iter_mut()
                    .filter(|byte| **byte != b'\n')
                    .for_each(|byte| *byte = b' ');
            }
        }
        let counts = bytes.split(|byte| *byte == b'\n').map(|line| !line.trim_ascii().is_empty()).collect();
        CodeLines { counts }
    }

    /// How many lines count.
    pub fn all(&self) -> usize {
        self.counts.iter().filter(|counts| **counts).count()
    }

    /// How many of the lines that a place touches count.
    pub fn within(&self, file: &SourceFile, span: Span) -> usize {
        if span.is_empty() {
            return 0;
        }
        self.between(file.line_column(span.start).line, file.line_column(span.end - 1).line)
    }

    /// How many of these lines count, from 1, both included.
    pub fn between(&self, first: usize, last: usize) -> usize {
        let lines = self.counts.get(first.saturating_sub(1)..last.min(self.counts.len())).unwrap_or(&[]);
        lines.iter().filter(|counts| **counts).count()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_blank_lines_do_not_count() {
        let text = "//! doc\n\na // x\n/* b\n  c */\nd /* e */ /// f\n  \t\n\"// no\n comment\"\n";
        let lines = CodeLines::of(text);
        assert_eq!(lines.counts, [false, false, true, false, false, true, false, true, true, false]);
        assert_eq!(lines.all(), 4);
        let file = SourceFile::new("a.mace", text);
        assert_eq!(lines.within(&file, Span::at(0, text.find("d /").unwrap() + 1)), 2);
        assert_eq!(lines.within(&file, file.span()), 4);
        assert_eq!(lines.within(&file, Span::default()), 0);
        assert_eq!(CodeLines::of("é /* open\n\nx").all(), 2);
    }
}
