//! Diagnostics as text for people and as JSON lines for programs.
//!
//! The text looks like rustc's and is made by its renderer; the JSON has rustc's keys, so that editors which know the one
//! know the other. A place is shown in the file that it is in, be that an imported one. Nothing is printed here: the command line and the build script's interface do that.

mod cut;

use std::collections::BTreeSet;
use std::ops::Range;

use annotate_snippets::{Annotation, AnnotationKind, Group, Level, Origin, Renderer, Snippet};
use serde_json::{Value, json};

use crate::codes;
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::source::{SourceFile, Span};

/// The widest line of text, in characters.
const WIDTH: usize = 120;
/// How far apart, in lines, the places of one diagnostic may be to appear in one excerpt.
const EXCERPT_LINES_MAX: usize = 1000;
/// Stands behind the name of a file while the renderer has it, where lines were cut: a character for private use, so that
/// the place there can be told from any other text.
const MARK: char = '\u{e000}';

/// Whether text carries colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Plain text.
    Plain,
    /// With escape sequences for a terminal.
    Coloured,
}

/// One diagnostic as text, with a line break at its end.
pub fn text(diagnostic: &Diagnostic, source: &SourceFile, style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Coloured => Renderer::styled(),
    };
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut group = Group::with_title(level.primary_title(&diagnostic.message).id(diagnostic.code));
    let mut moved = vec![];
    if source.text.is_empty() {
        group = group.element(Origin::path(&source.name));
    } else {
        for excerpt in excerpts(diagnostic, source) {
            group = group.element(excerpt.snippet);
            moved.extend(excerpt.moved);
        }
    }
    group = group.elements(diagnostic.notes.iter().map(|note| Level::NOTE.message(note)));
    group = group.elements(diagnostic.help.iter().map(|help| Level::HELP.message(help)));
    let mut text = renderer.term_width(WIDTH).render(&[group]);
    for (marked, place) in moved {
        text = placed(&text, &marked, &place);
    }
    text.push('\n');
    text
}

/// Puts a place where the renderer wrote the marked name of a file and what it took for line and column.
fn placed(text: &str, marked: &str, place: &str) -> String {
    let Some((before, after)) = text.split_once(marked) else { return text.to_owned() };
    let after = after.trim_start_matches(|c: char| c == ':' || c.is_ascii_digit());
    format!("{before}{place}{after}")
}

/// All diagnostics as text, an empty line after each, and how many there are at the end.
pub fn all_text(diagnostics: &Diagnostics, source: &SourceFile, style: Style) -> String {
    let mut out = String::new();
    for diagnostic in diagnostics {
        out.push_str(&text(diagnostic, source, style));
        out.push('\n');
    }
    if let Some(summary) = summary(diagnostics) {
        out.push_str(&format!("{summary} in {}\n", named(diagnostics, source)));
    }
    out
}

/// The files that the diagnostics are about.
fn named(diagnostics: &Diagnostics, source: &SourceFile) -> String {
    let files: BTreeSet<usize> = diagnostics.iter().map(|it| source.file_at(it.span.start)).collect();
    let names = files.into_iter().map(|it| format!("`{}`", source.name_at(source.span_of(it).start)));
    names.collect::<Vec<String>>().join(" and ")
}

/// "2 errors, 1 warning", or nothing.
pub fn summary(diagnostics: &Diagnostics) -> Option<String> {
    let plural = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    let errors = diagnostics.errors();
    match (plural(errors, "error"), plural(diagnostics.len() - errors, "warning")) {
        (Some(errors), Some(warnings)) => Some(format!("{errors}, {warnings}")),
        (errors, warnings) => errors.or(warnings),
    }
}

/// A part of the source that a diagnostic shows.
struct Excerpt<'a> {
    snippet: Snippet<'a, Annotation<'a>>,
    /// Where lines were cut: the name under which the renderer knows the file, and the place that it cannot know.
    moved: Option<(String, String)>,
}

type Mark<'a> = (AnnotationKind, Span, &'a str);

/// The parts of the source that a diagnostic shows: one, or one a place where they are far apart or in several files.
fn excerpts<'a>(diagnostic: &'a Diagnostic, source: &'a SourceFile) -> Vec<Excerpt<'a>> {
    let mut marks = vec![(AnnotationKind::Primary, diagnostic.span, diagnostic.label.as_str())];
    marks.extend(diagnostic.secondary.iter().map(|it| (AnnotationKind::Context, it.span, it.text.as_str())));
    for mark in &mut marks {
        mark.1 = fitted(mark.1, source);
    }
    let lines = marks.iter().map(|mark| source.line_column(mark.1.start).line);
    let near = lines.clone().max().unwrap_or(1) - lines.min().unwrap_or(1) <= EXCERPT_LINES_MAX;
    let file = source.file_at(diagnostic.span.start);
    match near && marks.iter().all(|mark| source.file_at(mark.1.start) == file) {
        true => vec![excerpt(&marks, source)],
        false => marks.iter().map(|mark| excerpt(std::slice::from_ref(mark), source)).collect(),
    }
}

/// An excerpt from the first to the last marked line, long lines cut, so that rendering never looks at a whole large file.
/// The first mark is the one whose place heads the excerpt.
fn excerpt<'a>(marks: &[Mark<'a>], source: &'a SourceFile) -> Excerpt<'a> {
    let first = marks.iter().map(|mark| mark.1.start).min().unwrap_or(0);
    let last = marks.iter().map(|mark| mark.1.end).max().unwrap_or(0);
    let line = source.line_column(first).line;
    let start = source.line_start(first) as usize;
    let end =
        source.text[last as usize..].find('\n').map_or(source.text.len(), |length| last as usize + length);
    let text = &source.text[start..end];
    let mut ranges: Vec<Range<usize>> =
        marks.iter().map(|(_, span, _)| span.start as usize - start..span.end as usize - start).collect();
    let name = source.name_at(first);
    let (snippet, moved) = match cut::cut(text, &ranges) {
        None => (Snippet::source(text).path(name), None),
        Some(cut) => {
            ranges = ranges.iter().map(|range| cut.place(range.start)..cut.place(range.end)).collect();
            let marked = format!("{name}{MARK}");
            let head = source.line_column(marks.first().map_or(first, |mark| mark.1.start));
            let place = format!("{name}:{}:{}", head.line, head.column);
            (Snippet::source(cut.text).path(marked.clone()), Some((marked, place)))
        }
    };
    let annotations = marks.iter().zip(ranges).map(|((kind, _, label), range)| {
        let annotation = kind.span(range);
        if label.is_empty() { annotation } else { annotation.label(*label) }
    });
    Excerpt { snippet: snippet.line_start(line).annotations(annotations), moved }
}

/// The span within the text, on borders of characters.
fn fitted(span: Span, source: &SourceFile) -> Span {
    let text = &source.text;
    let mut start = (span.start as usize).min(text.len());
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    let mut end = (span.end as usize).clamp(start, text.len());
    while !text.is_char_boundary(end) {
        end += 1;
    }
    Span::at(start, end)
}

/// One diagnostic as one line of JSON, without a line break.
pub fn json(diagnostic: &Diagnostic, source: &SourceFile) -> String {
    let mut spans = vec![];
    if !source.text.is_empty() {
        spans.push(json_span(diagnostic.span, &diagnostic.label, true, source));
        spans.extend(diagnostic.secondary.iter().map(|it| json_span(it.span, &it.text, false, source)));
    }
    let child = |level: &str, message: &String| json!({ "message": message, "code": null, "level": level, "spans": [], "children": [], "rendered": null });
    let notes = diagnostic.notes.iter().map(|note| child("note", note));
    let help = diagnostic.help.iter().map(|help| child("help", help));
    let found = codes::find(diagnostic.code);
    let explanation = found.map(|code| code.explanation);
    let name = found.map(|code| code.name).filter(|name| !name.is_empty());
    json!({
        "$message_type": "diagnostic",
        "message": diagnostic.message,
        "code": { "code": diagnostic.code, "name": name, "explanation": explanation },
        "level": diagnostic.severity.word(),
        "spans": spans,
        "children": notes.chain(help).collect::<Vec<Value>>(),
        "rendered": text(diagnostic, source, Style::Plain),
    })
    .to_string()
}

/// All diagnostics, one line of JSON each.
pub fn all_json(diagnostics: &Diagnostics, source: &SourceFile) -> String {
    diagnostics.iter().map(|diagnostic| json(diagnostic, source) + "\n").collect()
}

fn json_span(span: Span, label: &str, primary: bool, source: &SourceFile) -> Value {
    let span = fitted(span, source);
    let (start, end) = (source.line_column(span.start), source.line_column(span.end));
    let line = source.line_at(span.start);
    let highlight_end = if end.line == start.line { end.column } else { line.chars().count() + 1 };
    let base = source.span_of(source.file_at(span.start)).start;
    json!({
        "file_name": source.name_at(span.start),
        "byte_start": span.start - base,
        "byte_end": span.end - base,
        "line_start": start.line,
        "line_end": end.line,
        "column_start": start.column,
        "column_end": end.column,
        "is_primary": primary,
        "label": (!label.is_empty()).then_some(label),
        "text": [{ "text": line, "highlight_start": start.column, "highlight_end": highlight_end }],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (SourceFile, Diagnostic) {
        let source = SourceFile::new("a.mace", "service A {\n\tstates { é, B }\n}\n");
        let at = source.text.find('B').unwrap();
        let diagnostic = Diagnostic::error("E0101", Span::at(at, at + 1), "expected `,`, found `B`")
            .with_label("here")
            .with_secondary(Span::at(0, 7), "in this service")
            .with_note("states are separated by commas")
            .with_help("write `,`");
        (source, diagnostic)
    }

    #[test]
    fn text_underlines_the_places() {
        let (source, diagnostic) = sample();
        let expected = expect_test::expect![[r#"
            error[E0101]: expected `,`, found `B`
             --> a.mace:2:14
              |
            1 | service A {
              | ------- in this service
            2 |     states { é, B }
              |                 ^ here
              |
              = note: states are separated by commas
              = help: write `,`
        "#]];
        expected.assert_eq(&text(&diagnostic, &source, Style::Plain));
        assert!(text(&diagnostic, &source, Style::Coloured).contains("\u{1b}["));
    }

    #[test]
    fn json_has_the_keys_of_rustc() {
        let (source, diagnostic) = sample();
        let line = json(&diagnostic, &source);
        assert!(!line.contains('\n'));
        let value: Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["code"]["code"], "E0101");
        assert_eq!(value["level"], "error");
        let span = &value["spans"][0];
        assert_eq!((&span["line_start"], &span["column_start"]), (&json!(2), &json!(14)));
        assert_eq!(span["byte_start"], json!(source.text.find('B').unwrap()));
        assert_eq!(value["spans"][1]["is_primary"], false);
        assert_eq!(value["children"][1]["message"], "write `,`");
    }

    #[test]
    fn places_are_shown_in_the_files_that_they_are_in() {
        let mut source = SourceFile::new("a.mace", "import b::B;\n");
        let part = source.append(&SourceFile::new("b.mace", "\nservice B { }\n")).unwrap();
        let at = source.text.find("B { }").unwrap();
        let diagnostic = Diagnostic::error("E0201", Span::at(10, 11), "twice")
            .with_secondary(Span::at(at, at + 1), "first declared here");
        let expected = expect_test::expect![[r#"
            error[E0201]: twice
             --> a.mace:1:11
              |
            1 | import b::B;
              |           ^
              |
             ::: b.mace:2:9
              |
            2 | service B { }
              |         - first declared here
        "#]];
        expected.assert_eq(&text(&diagnostic, &source, Style::Plain));
        let value: Value = serde_json::from_str(&json(&diagnostic, &source)).unwrap();
        assert_eq!(value["spans"][1]["file_name"], "b.mace");
        assert_eq!(value["spans"][1]["byte_start"], json!(at - part.start as usize));
        let all = all_text(&Diagnostics::from(diagnostic), &source, Style::Plain);
        assert!(all.ends_with("1 error in `a.mace`\n"), "{all}");
    }

    #[test]
    fn long_lines_are_cut_around_the_marks_and_columns_stay_true() {
        let text = format!("service A {{ }}\n{} here {}", "é".repeat(5000), "z ".repeat(1 << 20));
        let source = SourceFile::new("a.mace", text);
        let at = source.text.find("here").unwrap();
        let diagnostic = Diagnostic::error("E0101", Span::at(at, at + 4), "odd").with_label("this");
        let near = diagnostic.clone().with_secondary(Span::at(0, 7), "in this service");
        let expected = expect_test::expect![[r#"
            error[E0101]: odd
             --> a.mace:2:5002
              |
            1 | service A { }
              | ------- in this service
            2 | …ééééééééééééééééééééééééééé here z z z z z z z z z z z z z z…
              |                              ^^^^ this
        "#]];
        expected.assert_eq(&super::text(&near, &source, Style::Plain));
        let coloured = super::text(&diagnostic, &source, Style::Coloured);
        assert!(coloured.contains("a.mace:2:5002") && !coloured.contains(MARK), "{coloured:?}");
    }

    #[test]
    fn odd_places_do_no_harm() {
        let source =
            SourceFile::new("a.mace", format!("é{}\n{}x", "y".repeat(1 << 20), "z\n".repeat(50_000)));
        let end = source.text.len();
        for span in [Span::at(1, 1), Span::new(u32::MAX, 5), Span::at(end, end + 7), Span::at(0, end)] {
            let diagnostic =
                Diagnostic::error("E0101", span, "a\u{1b}[31m").with_secondary(Span::at(end - 1, end), "b");
            assert!(text(&diagnostic, &source, Style::Plain).contains("E0101"));
            assert!(json(&diagnostic, &source).contains("E0101"));
        }
        let nothing = SourceFile::new("a.mace", "");
        let text =
            text(&Diagnostic::error("E0003", Span::default(), "the file is empty"), &nothing, Style::Plain);
        assert!(text.contains("a.mace"), "{text}");
    }

    #[test]
    fn the_summary_counts() {
        let mut all = Diagnostics::new();
        assert_eq!(summary(&all), None);
        all.push(Diagnostic::error("E0101", Span::default(), "a"));
        all.push(Diagnostic::error("E0101", Span::default(), "b"));
        all.push(Diagnostic::warning("W0001", Span::default(), "c"));
        assert_eq!(summary(&all).as_deref(), Some("2 errors, 1 warning"));
    }
}
