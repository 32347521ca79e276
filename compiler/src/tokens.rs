//! From places in the text to tokens with their spans, and back.
//!
//! Bodies reach the generated code as tokens that still know where they stand, so that rustc's own errors point into
//! the specification. A [`TokenIndex`] is built once over the tokens of a whole file: either the fallback lexer's
//! (build scripts, the command line) or the input of the procedural macro, whose spans are the compiler's. It hands
//! out the tokens of any [`Span`] and never makes up a span of its own. `body.rs` parses what it hands out. The macro's
//! input is one file; what is asked of the others that belong to it is split anew and has no place.
//!
//! *Caveats*: spans of the fallback lexer are known only to the thread that made them. A doc comment is several tokens
//! at one place, and a sign such as `>>` may be two tokens at one place.

use std::borrow::Cow;

use proc_macro2::{TokenStream, TokenTree};

use crate::diag::Diagnostic;
use crate::source::{SourceFile, Span};

/// A token for a name, which may begin with `r#`.
pub(crate) fn identifier(name: &str, span: proc_macro2::Span) -> proc_macro2::Ident {
    match name.strip_prefix("r#") {
        Some(raw) => proc_macro2::Ident::new_raw(raw, span),
        None => proc_macro2::Ident::new(name, span),
    }
}

/// The tokens of one file by their offsets.
#[derive(Debug)]
pub struct TokenIndex {
    lines: Lines,
    /// What is known: all files of a source, or one.
    region: Span,
    /// All levels; the first is that of the file itself.
    levels: Vec<Vec<Entry>>,
}

/// A token tree and its place.
#[derive(Debug)]
struct Entry {
    span: Span,
    tree: TokenTree,
    /// The level of a group's contents.
    inside: Option<usize>,
}

impl TokenIndex {
    /// Splits the text into tokens with the fallback lexer.
    pub fn of_source(source: &SourceFile) -> Result<TokenIndex, Diagnostic> {
        TokenIndex::without(source, &[])
    }

    /// As [`TokenIndex::of_source`], as if these files of the source were empty.
    pub fn without(source: &SourceFile, files: &[usize]) -> Result<TokenIndex, Diagnostic> {
        let all = Span::at(0, source.text.len());
        let lines = Lines::new(source, all, source.line_starts(), 0);
        let text = &blanked(source, files);
        match text.parse::<TokenStream>() {
            Ok(tokens) => Ok(TokenIndex::build(lines, all, tokens)),
            Err(error) => {
                let start = lines.offset(error.span().start()).unwrap_or(0);
                let width = text[start as usize..].chars().next().map_or(0, char::len_utf8) as u32;
                let message = "this text cannot be split into tokens of Rust";
                Err(Diagnostic::error("E0008", Span::new(start, start + width), message)
                    .with_label("here")
                    .with_note(error.to_string()))
            }
        }
    }

    /// Takes the tokens of a macro's input, for the file of this index. Its text is that of the file in which the macro
    /// call stands, except that the call's first `shift` characters on line 1 come before it.
    pub fn of_macro_input(
        source: &SourceFile,
        index: usize,
        tokens: TokenStream,
        shift: usize,
    ) -> TokenIndex {
        let region = source.span_of(index);
        TokenIndex::build(Lines::new(source, region, source.line_starts_of(index), shift), region, tokens)
    }

    /// Whether the tokens of a place are known.
    pub fn covers(&self, span: Span) -> bool {
        self.region.contains(span)
    }

    /// Builds the levels with a work list, since groups may be nested deeply.
    fn build(lines: Lines, region: Span, tokens: TokenStream) -> TokenIndex {
        let mut levels: Vec<Vec<Entry>> = vec![vec![]];
        let mut work = vec![(0, tokens)];
        while let Some((level, tokens)) = work.pop() {
            let mut entries = vec![];
            for tree in tokens {
                // A token without a place was not written in this file; nobody can ask for it.
                let Some(span) = lines.span(tree.span()) else { continue };
                let inside = match &tree {
                    TokenTree::Group(group) => {
                        levels.push(vec![]);
                        work.push((levels.len() - 1, group.stream()));
                        Some(levels.len() - 1)
                    }
                    _ => None,
                };
                entries.push(Entry { span, tree, inside });
            }
            levels[level] = entries;
        }
        TokenIndex { lines, region, levels }
    }

    /// The token trees that lie within a span, with the spans they came with. A span that cuts through a token does not
    /// get that token.
    pub fn slice(&self, span: Span) -> TokenStream {
        self.entries(span).iter().map(|entry| entry.tree.clone()).collect()
    }

    fn entries(&self, span: Span) -> &[Entry] {
        let mut level = &self.levels[0];
        loop {
            let first = level.partition_point(|entry| entry.span.end <= span.start);
            match level.get(first) {
                Some(Entry { span: outer, inside: Some(inside), .. })
                    if outer.start < span.start && span.end < outer.end =>
                {
                    level = &self.levels[*inside];
                }
                _ => {
                    let rest = &level[first..];
                    let skipped = rest.iter().take_while(|entry| entry.span.start < span.start).count();
                    let rest = &rest[skipped..];
                    return &rest[..rest.partition_point(|entry| entry.span.end <= span.end)];
                }
            }
        }
    }

    /// The compiler's span of the token that begins at an offset, or of the first one after it: for diagnostics that
    /// the procedural macro hands to rustc.
    pub fn compiler_span(&self, span: Span) -> Option<proc_macro2::Span> {
        if !self.covers(span) {
            return None;
        }
        let mut level = &self.levels[0];
        loop {
            let first = level.partition_point(|entry| entry.span.end <= span.start);
            let entry = level.get(first)?;
            match entry.inside {
                Some(inside) if entry.span.start < span.start && !self.levels[inside].is_empty() => {
                    level = &self.levels[inside];
                }
                _ => return Some(entry.tree.span()),
            }
        }
    }

    /// The byte offset at which a token's span begins; `None` for spans from elsewhere.
    pub fn offset_of(&self, span: proc_macro2::Span) -> Option<u32> {
        self.lines.offset(span.start())
    }

    /// The place of a token's span; `None` for spans from elsewhere.
    pub fn span_of(&self, span: proc_macro2::Span) -> Option<Span> {
        self.lines.span(span)
    }
}

/// The text of a source with blanks in place of some of its files, up to where nothing but blanks is left.
fn blanked<'a>(source: &'a SourceFile, files: &[usize]) -> Cow<'a, str> {
    let mut text = Cow::Borrowed(source.text.as_str());
    for file in files.iter().rev() {
        let place = source.span_of(*file).range();
        if place.end == text.len() {
            text.to_mut().truncate(place.start);
            continue;
        }
        let blank = |c: char| if c == '\n' { "\n".to_owned() } else { " ".repeat(c.len_utf8()) };
        let blanks: String = text[place.clone()].chars().map(blank).collect();
        text.to_mut().replace_range(place, &blanks);
    }
    text
}

/// Lines and columns of tokens to offsets, in constant time.
#[derive(Debug)]
struct Lines {
    starts: Vec<u32>,
    end: u32,
    shift: usize,
    /// For lines with characters beyond ASCII: their number from 0 and the offset of each character.
    wide: Vec<(usize, Vec<u32>)>,
}

impl Lines {
    fn new(source: &SourceFile, region: Span, starts: &[u32], shift: usize) -> Lines {
        let (starts, end) = (starts.to_vec(), region.end);
        let mut wide = vec![];
        for (line, start) in starts.iter().enumerate() {
            let text = &source.text[*start as usize..starts.get(line + 1).copied().unwrap_or(end) as usize];
            if !text.is_ascii() {
                let offsets = text.char_indices().map(|(at, _)| start + at as u32);
                wide.push((line, offsets.chain(std::iter::once(start + text.len() as u32)).collect()));
            }
        }
        Lines { starts, end, shift, wide }
    }

    fn span(&self, span: proc_macro2::Span) -> Option<Span> {
        Some(Span::new(self.offset(span.start())?, self.offset(span.end())?))
    }

    /// The offset of a place as proc_macro2 counts: lines from 1, columns in characters from 0.
    fn offset(&self, place: proc_macro2::LineColumn) -> Option<u32> {
        let line = place.line.checked_sub(1)?;
        let column = if line == 0 { place.column.checked_sub(self.shift)? } else { place.column };
        let start = *self.starts.get(line)?;
        match self.wide.binary_search_by_key(&line, |(line, _)| *line) {
            Ok(index) => self.wide[index].1.get(column).copied(),
            Err(_) => {
                let end = self.starts.get(line + 1).copied().unwrap_or(self.end);
                let offset = start + u32::try_from(column).ok()?;
                (offset <= end).then_some(offset)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(text: &str) -> (SourceFile, TokenIndex) {
        let source = SourceFile::new("a.mace", text);
        let index = TokenIndex::of_source(&source).unwrap();
        (source, index)
    }

    fn place(text: &str, part: &str) -> Span {
        let start = text.find(part).unwrap();
        Span::at(start, start + part.len())
    }

    #[test]
    fn slices_keep_places_at_every_depth() {
        let text = "//! ä doc\nservice Ä { x { let é = f(a, \"ü\", 'x'); y } /// doc\n z: Vec<Vec<u8>>; }";
        let (_, index) = index(text);
        for part in [
            "let é = f(a, \"ü\", 'x');",
            "a, \"ü\"",
            "{ let é = f(a, \"ü\", 'x'); y }",
            "z",
            "Vec<Vec<u8>>",
            "y",
        ] {
            let span = place(text, part);
            let tokens: Vec<_> = index.slice(span).into_iter().collect();
            let first = index.offset_of(tokens[0].span());
            let last = index.span_of(tokens[tokens.len() - 1].span()).map(|span| span.end);
            assert_eq!((first, last), (Some(span.start), Some(span.end)), "{part}");
        }
        assert_eq!(index.slice(place(text, " let é")).to_string(), "let é");
        assert!(index.slice(Span::at(0, 0)).is_empty());
        assert!(index.slice(Span::new(900, 950)).is_empty());
        assert_eq!(index.slice(Span::at(0, text.len())).into_iter().count(), 6);
    }

    #[test]
    fn a_macro_call_shifts_the_first_line_alone() {
        let (spec, prefix) = ("a { b }\nc { d }", "spec! { ");
        let file: TokenStream = format!("{prefix}{spec} }}").parse().unwrap();
        let Some(TokenTree::Group(group)) = file.into_iter().last() else { panic!("no group") };
        let source = SourceFile::new("a.mace", spec);
        let index = TokenIndex::of_macro_input(&source, 0, group.stream(), prefix.len());
        assert_eq!(index.slice(place(spec, "b")).to_string(), "b");
        assert_eq!(index.slice(place(spec, "d")).to_string(), "d");
        let span = index.compiler_span(place(spec, "d")).unwrap();
        assert_eq!((span.start().line, span.start().column), (2, 4));
        assert_eq!(index.offset_of(span), Some(12));
    }

    #[test]
    fn files_that_cannot_be_split_are_left_out() {
        let mut source = SourceFile::new("a.mace", "a { é }");
        let broken = source.append(&SourceFile::new("b.mace", "\" { é\n")).unwrap();
        let last = source.append(&SourceFile::new("c.mace", "é { b }")).unwrap();
        assert!(TokenIndex::of_source(&source).is_err());
        let index = TokenIndex::without(&source, &[1]).unwrap();
        assert!(index.slice(broken).is_empty());
        let b = Span::point(last.end - 3).to(Span::point(last.end - 2));
        assert_eq!((source.slice(b), index.slice(b).to_string()), ("b", "b".to_owned()));
        let span = index.compiler_span(b).unwrap();
        assert_eq!(index.span_of(span), Some(b));

        let tokens: TokenStream = "é { b }".parse().unwrap();
        let alone = TokenIndex::of_macro_input(&source, 2, tokens, 0);
        assert_eq!(alone.span_of(alone.compiler_span(b).unwrap()), Some(b));
        assert!(alone.compiler_span(Span::new(0, 1)).is_none() && !alone.covers(broken));
    }

    #[test]
    fn what_rust_cannot_split_has_a_place() {
        for (text, at) in [("a {\n  b \u{7} c }", 8), ("x = 0xg;", 4), ("é \"\\q\"", 3), ("a ≤ b", 2)] {
            let error = TokenIndex::of_source(&SourceFile::new("a", text)).expect_err(text);
            assert_eq!((error.code, error.span.start), ("E0008", at), "{text}");
        }
    }

    // The clock measures; nothing depends on it.
    #[allow(clippy::disallowed_methods)]
    #[test]
    fn large_files_take_linear_time() {
        let body = "    upcall a(b) { let x = \"é\"; y.insert(b, x); }\n".repeat(20_000);
        let one_line = "a ".repeat(500_000);
        let start = std::time::Instant::now();
        let text = format!("service A {{\n{body}}}\n{one_line}é");
        let (_, index) = index(&text);
        for at in (12..body.len()).step_by(997) {
            index.slice(Span::at(at, at + 40));
        }
        assert!(start.elapsed().as_secs() < 20, "took {:?}", start.elapsed());
    }
}
