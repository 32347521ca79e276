//! One source file, with those that it imports behind it, and places in it.
//!
//! A [`Span`] is a pair of byte offsets into the text of one [`SourceFile`]; everything later speaks of
//! places by spans alone, and only rendering turns them into names, lines and columns. The texts of imported files stand
//! behind that of the file itself, so that a span says which file it is in. This file never reads the file system. Read
//! `diag.rs` next, and `import.rs` for who puts files together.

use std::fmt;

use crate::diag::Diagnostic;

/// The largest file that is read, in bytes: offsets are 32 bits wide.
pub const SOURCE_BYTES_MAX: usize = u32::MAX as usize;

/// A range of byte offsets, the end excluded, in the file that the context names.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The offset of the first byte.
    pub start: u32,
    /// The offset after the last byte.
    pub end: u32,
}

impl Span {
    /// The span from `start` to `end`.
    pub const fn new(start: u32, end: u32) -> Span {
        Span { start, end }
    }

    /// The same from `usize` offsets, which a file of the permitted size never exceeds.
    pub const fn at(start: usize, end: usize) -> Span {
        Span { start: start as u32, end: end as u32 }
    }

    /// The empty span at an offset.
    pub const fn point(at: u32) -> Span {
        Span { start: at, end: at }
    }

    /// The smallest span that covers both.
    pub fn to(self, other: Span) -> Span {
        Span { start: self.start.min(other.start), end: self.end.max(other.end) }
    }

    /// The number of bytes.
    pub const fn len(self) -> u32 {
        self.end.saturating_sub(self.start)
    }

    /// Whether no byte is covered.
    pub const fn is_empty(self) -> bool {
        self.end <= self.start
    }

    /// Whether `other` lies within.
    pub const fn contains(self, other: Span) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// As a range for slicing.
    pub const fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}..{}", self.start, self.end)
    }
}

/// A place for people: both numbers start at one, columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LineColumn {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

/// The name and the text of one `.mace` file, and of those that it imports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// The name that diagnostics show: of the file itself.
    pub name: String,
    /// The text: first the file itself, then what was appended.
    pub text: String,
    line_starts: Vec<u32>,
    /// Where the file itself ends.
    end: u32,
    /// The files that were appended.
    appended: Vec<Part>,
}

/// An appended file.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Part {
    name: String,
    span: Span,
    /// The index of its first line among all lines.
    line: usize,
}

impl SourceFile {
    /// A file from text that is known to be good. Text beyond [`SOURCE_BYTES_MAX`] is the caller's mistake:
    /// [`SourceFile::from_bytes`] refuses it politely.
    pub fn new(name: impl Into<String>, text: impl Into<String>) -> SourceFile {
        let text = text.into();
        assert!(text.len() <= SOURCE_BYTES_MAX, "a source file is at most {SOURCE_BYTES_MAX} bytes long");
        let line_starts = std::iter::once(0).chain(line_starts(&text, 0)).collect();
        let end = text.len() as u32;
        SourceFile { name: name.into(), text, line_starts, end, appended: vec![] }
    }

    /// Puts another file behind this one; where it stands now. `None` where both are too large together.
    pub fn append(&mut self, other: &SourceFile) -> Option<Span> {
        let start = self.text.len() + 1;
        let end = start + other.text.len();
        if end > SOURCE_BYTES_MAX {
            return None;
        }
        self.text.push('\n');
        self.text.push_str(&other.text);
        let (span, line) = (Span::at(start, end), self.line_starts.len());
        self.line_starts.push(span.start);
        self.line_starts.extend(line_starts(&other.text, span.start));
        self.appended.push(Part { name: other.name.clone(), span, line });
        Some(span)
    }

    /// Which file an offset is in: 0 for the file itself, then those that were appended, in their order.
    pub fn file_at(&self, offset: u32) -> usize {
        self.appended.partition_point(|part| part.span.start <= offset)
    }

    /// The name of the file that an offset is in.
    pub fn name_at(&self, offset: u32) -> &str {
        match self.file_at(offset) {
            0 => &self.name,
            index => &self.appended[index - 1].name,
        }
    }

    /// Where the file of this index stands: 0 for the file itself.
    pub fn span_of(&self, index: usize) -> Span {
        match index {
            0 => Span::new(0, self.end),
            _ => self.appended[index - 1].span,
        }
    }

    /// A file from bytes as they were read. Refuses what cannot be a specification: too large a file, bytes
    /// that are not UTF-8, a NUL character (a binary file), nothing but white space.
    pub fn from_bytes(name: impl Into<String>, bytes: Vec<u8>) -> Result<SourceFile, Diagnostic> {
        if bytes.len() > SOURCE_BYTES_MAX {
            let message = format!("the file has {} bytes; at most {SOURCE_BYTES_MAX} are read", bytes.len());
            return Err(Diagnostic::error("E0004", Span::default(), message));
        }
        if let Some(at) = bytes.iter().position(|byte| *byte == 0) {
            let message = format!("the file holds a NUL byte at offset {at}: it looks binary");
            return Err(Diagnostic::error("E0002", Span::default(), message)
                .with_help("a specification is plain text in UTF-8"));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            let line = error.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
            let message =
                format!("the file is not UTF-8: the first wrong byte is at offset {at}, on line {line}");
            Diagnostic::error("E0001", Span::default(), message)
                .with_help("save the file in the encoding UTF-8")
        })?;
        let text = text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text);
        if text.trim().is_empty() {
            return Err(Diagnostic::error("E0003", Span::default(), "the file is empty")
                .with_help("a specification starts with a service: `service Name { .. }`"));
        }
        Ok(SourceFile::new(name, text))
    }

    /// The text that a span covers; empty where the span does not fit this file.
    pub fn slice(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or("")
    }

    /// The span of the file itself.
    pub fn span(&self) -> Span {
        Span::new(0, self.end)
    }

    /// Line and column of an offset, in the file that it is in. An offset beyond the end counts as the end.
    pub fn line_column(&self, offset: u32) -> LineColumn {
        let offset = (offset as usize).min(self.text.len());
        let line = self.line_starts.partition_point(|start| *start as usize <= offset);
        let start = self.line_starts[line - 1] as usize;
        let column = self.text.get(start..offset).map_or(offset - start, |text| text.chars().count()) + 1;
        let before = match self.file_at(offset as u32) {
            0 => 0,
            index => self.appended[index - 1].line,
        };
        LineColumn { line: line - before, column }
    }

    /// The text of the line that an offset is in, without its line break.
    pub fn line_at(&self, offset: u32) -> &str {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        self.line(line).unwrap_or("")
    }

    /// The offset at which the line of an offset starts.
    pub fn line_start(&self, offset: u32) -> u32 {
        let line = self.line_starts.partition_point(|start| *start <= offset);
        self.line_starts[line - 1]
    }

    /// The offset of a line and column, both from 1; `None` where the file has no such place.
    pub fn offset(&self, place: LineColumn) -> Option<u32> {
        let start = *self.line_starts.get(place.line.checked_sub(1)?)?;
        let line = &self.text[start as usize..];
        let end = line.find('\n').unwrap_or(line.len());
        let mut columns = line[..end].char_indices().map(|(at, _)| at).chain(std::iter::once(end));
        columns.nth(place.column.checked_sub(1)?).map(|at| start + at as u32)
    }

    /// The text of a line, counted from 1, without its line break.
    pub fn line(&self, line: usize) -> Option<&str> {
        let start = *self.line_starts.get(line.checked_sub(1)?)? as usize;
        let end = self.line_starts.get(line).map_or(self.text.len(), |next| *next as usize - 1);
        Some(self.text[start..end].trim_end_matches('\r'))
    }

    /// The offsets at which lines start, those of appended files too; the first is 0.
    pub fn line_starts(&self) -> &[u32] {
        &self.line_starts
    }

    /// The offsets at which the lines of the file of this index start.
    pub fn line_starts_of(&self, index: usize) -> &[u32] {
        let first = |index: usize| match index {
            0 => 0,
            _ => self.appended.get(index - 1).map_or(self.line_starts.len(), |part| part.line),
        };
        &self.line_starts[first(index)..first(index + 1)]
    }
}

/// The offsets after line breaks.
fn line_starts(text: &str, base: u32) -> impl Iterator<Item = u32> {
    let newlines = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
    newlines.map(move |(at, _)| base + at as u32 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters() {
        let file = SourceFile::new("a.mace", "é = 1;\nñandú x\n");
        let at = file.text.find('x').unwrap() as u32;
        assert_eq!(file.line_column(at), LineColumn { line: 2, column: 7 });
        assert_eq!(file.offset(LineColumn { line: 2, column: 7 }), Some(at));
        assert_eq!(file.line_column(u32::MAX), LineColumn { line: 3, column: 1 });
        assert_eq!(file.offset(LineColumn { line: 9, column: 1 }), None);
        assert_eq!(file.line(2), Some("ñandú x"));
    }

    #[test]
    fn places_in_appended_files_are_their_own() {
        let mut file = SourceFile::new("a.mace", "a\nb");
        let other = file.append(&SourceFile::new("b.mace", "c\nd\n")).unwrap();
        let last = file.append(&SourceFile::new("c.mace", "e")).unwrap();
        let place = |offset: u32| {
            let LineColumn { line, column } = file.line_column(offset);
            (file.name_at(offset), line, column, file.line_at(offset))
        };
        assert_eq!(place(2), ("a.mace", 2, 1, "b"));
        assert_eq!(place(3), ("a.mace", 2, 2, "b"));
        assert_eq!(place(other.start + 2), ("b.mace", 2, 1, "d"));
        assert_eq!(place(last.start), ("c.mace", 1, 1, "e"));
        assert_eq!(file.slice(other), "c\nd\n");
        assert_eq!((file.span(), file.span_of(2)), (Span::new(0, 3), last));
        assert_eq!(file.line_starts_of(1), [4, 6, 8]);
        assert_eq!(file.line_starts_of(2), [9]);
    }

    #[test]
    fn bad_files_are_told_apart() {
        let code = |bytes: &[u8]| SourceFile::from_bytes("x", bytes.to_vec()).unwrap_err().code;
        assert_eq!(code(b"service\xff"), "E0001");
        assert_eq!(code(b"ser\0vice"), "E0002");
        assert_eq!(code(b" \n "), "E0003");
        let error = SourceFile::from_bytes("x", b"a\nb\xc3".to_vec()).unwrap_err();
        assert!(error.message.contains("offset 3, on line 2"), "{}", error.message);
        assert_eq!(SourceFile::from_bytes("x", b"\xef\xbb\xbfservice".to_vec()).unwrap().text, "service");
    }
}
