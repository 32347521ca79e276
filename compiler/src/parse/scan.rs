//! The pre-scan: one pass without recursion that finds comments, literals and delimiters.
//!
//! It is the only place that knows how Rust's strings, characters, lifetimes and comments look. Its main product is
//! the *masked* text: of the same length as the file, byte for byte, but with comments turned into spaces and every
//! string or character literal into `"____"`. The grammar reads the masked text, so it needs no rule for either, and
//! its offsets are the file's. Whatever could overflow a stack later (deep nesting, unbalanced delimiters) is
//! refused here. Read `grammar.pest` next.

use crate::diag::Diagnostic;
use crate::source::Span;

/// How deep delimiters may be nested.
pub const NESTING_DEPTH_MAX: usize = 256;

/// A comment and what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Comment {
    /// The comment with its markers, without the line break.
    pub span: Span,
    /// What it is.
    pub kind: CommentKind,
}

/// The kinds of comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommentKind {
    /// `// ..`
    Line,
    /// `/* .. */`
    Block,
    /// `/// ..`
    OuterDoc,
    /// `//! ..`
    InnerDoc,
}

/// What the pre-scan found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scan {
    /// The masked text.
    pub masked: String,
    /// The comments in file order.
    pub comments: Vec<Comment>,
    /// The first mistake, after which the masked text is worthless.
    pub error: Option<Diagnostic>,
}

/// Scans a text; all places in the result are shifted by `base`.
pub fn scan(text: &str, base: u32) -> Scan {
    let bytes = text.as_bytes();
    let mut scanner =
        Scanner { text, bytes, at: 0, base, open: vec![], crooked: None, scan: Scan::default() };
    scanner.scan.masked = String::with_capacity(text.len());
    let error = scanner.run().err();
    Scan { error, ..scanner.scan }
}

struct Scanner<'a> {
    text: &'a str,
    bytes: &'a [u8],
    at: usize,
    base: u32,
    open: Vec<(u8, usize)>,
    /// The first pair of braces whose lines are indented differently.
    crooked: Option<(usize, usize)>,
    scan: Scan,
}

impl Scanner<'_> {
    fn run(&mut self) -> Result<(), Diagnostic> {
        while let Some(byte) = self.peek(0) {
            match byte {
                b'/' if self.peek(1) == Some(b'/') => self.line_comment(),
                b'/' if self.peek(1) == Some(b'*') => self.block_comment()?,
                b'"' => self.string(self.at, self.at + 1)?,
                b'\'' => self.quote(self.at)?,
                b'(' | b'[' | b'{' => self.opener(byte)?,
                b')' | b']' | b'}' => self.closer(byte)?,
                b'_' | b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | 0x80.. => self.word()?,
                _ => self.keep(self.at + 1),
            }
        }
        let Some((open, at)) = self.open.pop() else { return Ok(()) };
        let error = self
            .error("E0005", at, at + 1, format!("`{}` is never closed", open as char))
            .with_label(format!("the matching `{}` is missing", partner(open) as char));
        Err(self.with_suspicion(error))
    }

    /// Points at braces whose indentation betrays where one is missing or too many.
    fn with_suspicion(&self, error: Diagnostic) -> Diagnostic {
        match self.crooked {
            Some((open, close)) if open as u32 + self.base != error.span.start => error
                .with_secondary(self.span(open, open + 1), "the indentation suggests that it is this one")
                .with_secondary(self.span(close, close + 1), "which is closed here"),
            _ => error,
        }
    }

    /// Remembers a pair of braces on two lines, the second at the start of its line, that are not equally indented.
    fn compare_indentation(&mut self, open: usize, close: usize) {
        if self.crooked.is_some() || self.bytes[open] != b'{' || !self.text[open..close].contains('\n') {
            return;
        }
        let before = |at: usize| &self.text[self.text[..at].rfind('\n').map_or(0, |newline| newline + 1)..at];
        let indentation = |line: &str| line.len() - line.trim_start().len();
        let closing = before(close);
        if closing.trim().is_empty() && indentation(before(open)) != closing.len() {
            self.crooked = Some((open, close));
        }
    }

    fn peek(&self, ahead: usize) -> Option<u8> {
        self.bytes.get(self.at + ahead).copied()
    }

    fn span(&self, start: usize, end: usize) -> Span {
        Span::new(self.base + start as u32, self.base + end as u32)
    }

    fn error(&self, code: &'static str, start: usize, end: usize, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, self.span(start, end), message)
    }

    /// Copies up to `end` as it is.
    fn keep(&mut self, end: usize) {
        self.scan.masked.push_str(&self.text[self.at..end]);
        self.at = end;
    }

    /// Writes spaces up to `end`.
    fn blank(&mut self, end: usize) {
        self.scan.masked.extend(std::iter::repeat_n(' ', end - self.at));
        self.at = end;
    }

    /// Writes a neutral string literal up to `end`.
    fn mask(&mut self, end: usize) {
        self.scan.masked.push('"');
        self.scan.masked.extend(std::iter::repeat_n('_', end - self.at - 2));
        self.scan.masked.push('"');
        self.at = end;
    }

    fn line_comment(&mut self) {
        let rest = &self.text[self.at..];
        let end = self.at + rest.find('\n').unwrap_or(rest.len());
        let kind = match (rest.starts_with("//!"), rest.starts_with("///") && !rest.starts_with("////")) {
            (true, _) => CommentKind::InnerDoc,
            (_, true) => CommentKind::OuterDoc,
            _ => CommentKind::Line,
        };
        let trimmed = self.at + self.text[self.at..end].trim_end().len();
        self.scan.comments.push(Comment { span: self.span(self.at, trimmed), kind });
        self.blank(end);
    }

    fn block_comment(&mut self) -> Result<(), Diagnostic> {
        let start = self.at;
        let mut depth = 0usize;
        let mut at = start;
        loop {
            match (self.bytes.get(at), self.bytes.get(at + 1)) {
                (Some(b'/'), Some(b'*')) => (depth, at) = (depth + 1, at + 2),
                (Some(b'*'), Some(b'/')) => (depth, at) = (depth - 1, at + 2),
                (Some(_), _) => at += 1,
                (None, _) => {
                    return Err(self
                        .error("E0007", start, start + 2, "the block comment has no end")
                        .with_label("it begins here")
                        .with_help("close it with `*/`; block comments may be nested"));
                }
            }
            if depth == 0 {
                break;
            }
        }
        self.scan.comments.push(Comment { span: self.span(start, at), kind: CommentKind::Block });
        self.blank(at);
        Ok(())
    }

    /// A string with escapes: from `start`, its contents from `at`.
    fn string(&mut self, start: usize, mut at: usize) -> Result<(), Diagnostic> {
        loop {
            match self.bytes.get(at) {
                Some(b'"') => break,
                Some(b'\\') => at += 2,
                Some(_) => at += 1,
                None => return Err(self.endless_string(start)),
            }
        }
        self.mask(at + 1);
        Ok(())
    }

    /// A raw string: from the current place, `hashes` signs, contents from `at`.
    fn raw_string(&mut self, hashes: usize, at: usize) -> Result<(), Diagnostic> {
        let start = self.at;
        let close = format!("\"{}", "#".repeat(hashes));
        match self.text[at..].find(&close) {
            Some(length) => self.mask(at + length + close.len()),
            None => {
                return Err(self
                    .endless_string(start)
                    .with_help(format!("a raw string of this kind ends with `{close}`")));
            }
        }
        Ok(())
    }

    fn endless_string(&self, start: usize) -> Diagnostic {
        self.error("E0007", start, start + 1, "the string has no end").with_label("it begins here")
    }

    /// A character literal or a lifetime; the literal begins at `start`, which is before the quote for `b'x'`.
    fn quote(&mut self, start: usize) -> Result<(), Diagnostic> {
        let quote = self.bytes[start..].iter().position(|b| *b == b'\'').unwrap_or(0) + start;
        let mut rest = self.text[quote + 1..].char_indices();
        match rest.next() {
            Some((_, '\\')) => {
                let tail = self.bytes.get(quote + 3..).unwrap_or(&[]);
                match tail.iter().take_while(|b| **b != b'\n').position(|b| *b == b'\'') {
                    Some(length) => self.mask(quote + 3 + length + 1),
                    None => return Err(self.endless_char(quote)),
                }
            }
            Some((_, c)) if c != '\'' && c != '\n' => match rest.next() {
                Some((at, '\'')) => self.mask(quote + 1 + at + 1),
                _ if c.is_alphanumeric() || c == '_' => self.keep(quote + 1 + c.len_utf8()),
                _ => return Err(self.endless_char(quote)),
            },
            _ => return Err(self.endless_char(quote)),
        }
        Ok(())
    }

    fn endless_char(&self, at: usize) -> Diagnostic {
        self.error("E0007", at, at + 1, "the character literal has no end")
            .with_label("it begins here")
            .with_help("strings stand in double quotes: \"..\"")
    }

    /// A word: identifier, number, or the prefix of a literal such as `b"..", r#".."#, b'x'`.
    fn word(&mut self) -> Result<(), Diagnostic> {
        let start = self.at;
        let mut end = start;
        for c in self.text[start..].chars() {
            if !(c.is_alphanumeric() || c == '_' || !c.is_ascii()) || c.is_whitespace() {
                break;
            }
            end += c.len_utf8();
        }
        if end == start {
            let width = self.text[start..].chars().next().map_or(1, char::len_utf8);
            self.blank(start + width);
            return Ok(());
        }
        let hashes = self.bytes[end..].iter().take_while(|b| **b == b'#').count();
        let after = self.bytes.get(end + hashes);
        match (&self.text[start..end], after) {
            ("b" | "c", Some(b'"')) if hashes == 0 => self.string(start, end + 1),
            ("r" | "br" | "cr", Some(b'"')) => self.raw_string(hashes, end + hashes + 1),
            ("b", Some(b'\'')) if hashes == 0 => self.quote(start),
            _ => {
                self.keep(end);
                Ok(())
            }
        }
    }

    fn opener(&mut self, byte: u8) -> Result<(), Diagnostic> {
        if self.open.len() == NESTING_DEPTH_MAX {
            let message = format!("delimiters are nested more than {NESTING_DEPTH_MAX} deep");
            return Err(self
                .error("E0006", self.at, self.at + 1, message)
                .with_secondary(self.span(self.open[0].1, self.open[0].1 + 1), "the outermost is here"));
        }
        self.open.push((byte, self.at));
        self.keep(self.at + 1);
        Ok(())
    }

    fn closer(&mut self, byte: u8) -> Result<(), Diagnostic> {
        match self.open.pop() {
            Some((open, at)) if partner(open) == byte => {
                self.compare_indentation(at, self.at);
                self.keep(self.at + 1);
                Ok(())
            }
            Some((open, at)) => Err(self
                .error(
                    "E0005",
                    self.at,
                    self.at + 1,
                    format!("`{}` does not close `{}`", byte as char, open as char),
                )
                .with_label(format!("expected `{}`", partner(open) as char))
                .with_secondary(self.span(at, at + 1), "this is open")),
            None => {
                let message = format!("`{}` closes nothing", byte as char);
                let error = self.error("E0005", self.at, self.at + 1, message);
                Err(self.with_suspicion(error.with_label("no delimiter is open here")))
            }
        }
    }
}

/// The closing delimiter of an opening one.
fn partner(open: u8) -> u8 {
    match open {
        b'(' => b')',
        b'[' => b']',
        _ => b'}',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let scan = scan(text, 0);
        assert_eq!(scan.error, None, "{text}");
        assert_eq!(scan.masked.len(), text.len());
        scan.masked
    }

    fn code(text: &str) -> (&'static str, u32) {
        let error = scan(text, 100).error.expect(text);
        (error.code, error.span.start - 100)
    }

    #[test]
    fn literals_and_comments_are_masked_in_place() {
        assert_eq!(masked("a // {\nb"), "a     \nb");
        assert_eq!(masked("a /* /* { */ */ b"), "a               b");
        assert_eq!(masked(r##"x("}\"", '{', b'"', r#""{"#)"##), r##"x("___", "_", "__", "_____")"##);
        assert_eq!(masked("<'a, 'b> '\\u{1f}' '\\''"), "<'a, 'b> \"______\" \"__\"");
        assert_eq!(masked("r#type r#\"\"# br\"\" for_r \"\""), "r#type \"___\" \"__\" for_r \"\"");
        assert_eq!(masked("é 'é' \"ü\""), "é \"__\" \"__\"");
        assert_eq!(masked("a\u{a0}b"), "a  b");
    }

    #[test]
    fn comments_are_classified() {
        let kinds: Vec<_> =
            scan("//! a\n/// b\n//// c\n/* d */", 0).comments.iter().map(|c| c.kind).collect();
        use CommentKind::*;
        assert_eq!(kinds, [InnerDoc, OuterDoc, Line, Block]);
    }

    #[test]
    fn indentation_betrays_the_missing_brace() {
        let text = "service A {\n    transitions {\n        upcall a() {\n            b();\n    }\n}\n";
        let error = scan(text, 0).error.unwrap();
        assert_eq!(error.span.start, 10);
        let places: Vec<_> = error.secondary.iter().map(|label| label.span.start as usize).collect();
        assert_eq!(places, [text.find("{\n            b").unwrap(), text.find("}\n}").unwrap()]);
    }

    #[test]
    fn mistakes_have_places() {
        assert_eq!(code("a { ("), ("E0005", 4));
        assert_eq!(code("a { ] }"), ("E0005", 4));
        assert_eq!(code("a }"), ("E0005", 2));
        assert_eq!(code("a \"b"), ("E0007", 2));
        assert_eq!(code("a \"b\\"), ("E0007", 2));
        assert_eq!(code("a r##\"b\"#"), ("E0007", 2));
        assert_eq!(code("a /* /* */"), ("E0007", 2));
        assert_eq!(code("a '\\x"), ("E0007", 2));
        assert_eq!(code("a '"), ("E0007", 2));
        assert_eq!(code("a '\\"), ("E0007", 2));
        assert_eq!(code(&"{".repeat(1000)), ("E0006", 256));
    }
}
