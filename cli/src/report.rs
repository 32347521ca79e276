//! How findings reach the user: text to standard error, or a JSON object a line to standard output.
//!
//! The JSON is ours and small: `level`, `code`, `message`, `spans` (the first is the main one) with `file`, `line`,
//! `column`, `end_line`, `end_column`, `label`; `notes`, `help`, and `rendered`, which is the text. Numbers start at one, and
//! columns count characters.

use std::io::{self, IsTerminal, Write};

use foresee_compiler::diag::{Diagnostic, Diagnostics};
use foresee_compiler::render::{self, Style};
use foresee_compiler::source::{SourceFile, Span};
use serde_json::{Value, json};

use crate::args::Format;
use crate::input::Unusable;

/// Where findings go.
pub struct Report<'w> {
    /// How they are shown.
    pub format: Format,
    /// Standard output: JSON.
    pub out: &'w mut dyn Write,
    /// Standard error: text.
    pub err: &'w mut dyn Write,
    /// Whether text has colours.
    pub style: Style,
}

impl Report<'_> {
    /// The same in another form.
    pub fn showing(&mut self, format: Format) -> &mut Self {
        self.format = format;
        self
    }

    /// Shows what was found in a file.
    ///
    /// # Errors
    /// Output that cannot be written.
    pub fn show(&mut self, diagnostics: &Diagnostics, file: &SourceFile) -> io::Result<()> {
        match self.format {
            Format::Text => write!(self.err, "{}", render::all_text(diagnostics, file, self.style)),
            Format::Json => {
                diagnostics.iter().try_for_each(|found| writeln!(self.out, "{}", value(found, file)))
            }
        }
    }

    /// Shows why a file cannot be used.
    ///
    /// # Errors
    /// Output that cannot be written.
    pub fn unusable(&mut self, unusable: &Unusable) -> io::Result<()> {
        self.show(&unusable.diagnostics, &unusable.file)
    }
}

/// Colours on a terminal, unless the environment says that none are wanted.
pub fn style_of_stderr() -> Style {
    let unwanted = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if io::stderr().is_terminal() && !unwanted { Style::Coloured } else { Style::Plain }
}

fn value(found: &Diagnostic, file: &SourceFile) -> Value {
    let main = (found.span, found.label.as_str());
    let places = std::iter::once(main).chain(found.secondary.iter().map(|it| (it.span, it.text.as_str())));
    json!({
        "level": found.severity.word(),
        "code": found.code,
        "message": found.message,
        "spans": places.map(|(span, label)| place(span, label, file)).collect::<Vec<Value>>(),
        "notes": found.notes,
        "help": found.help,
        "rendered": render::text(found, file, Style::Plain),
    })
}

fn place(span: Span, label: &str, file: &SourceFile) -> Value {
    let (start, end) = (file.line_column(span.start), file.line_column(span.end));
    json!({
        "file": file.name_at(span.start),
        "line": start.line,
        "column": start.column,
        "end_line": end.line,
        "end_column": end.column,
        "label": (!label.is_empty()).then_some(label),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_goes_to_one_stream_and_json_to_the_other() {
        let file = SourceFile::new("a.mace", "service A { é, B }");
        let at = file.text.find('B').unwrap();
        let found =
            Diagnostic::error("E0101", Span::at(at, at + 1), "odd").with_label("here").with_help("mend it");
        let all = Diagnostics::from(found);
        for format in [Format::Text, Format::Json] {
            let (mut out, mut err) = (Vec::new(), Vec::new());
            Report { format, out: &mut out, err: &mut err, style: Style::Plain }.show(&all, &file).unwrap();
            let (used, unused) = if format == Format::Text { (err, out) } else { (out, err) };
            assert!(unused.is_empty());
            let used = String::from_utf8(used).unwrap();
            if format == Format::Text {
                assert!(used.contains("error[E0101]: odd") && used.contains("a.mace:1:16"), "{used}");
                continue;
            }
            let value: Value = serde_json::from_str(&used).unwrap();
            assert_eq!((&value["code"], &value["level"]), (&json!("E0101"), &json!("error")));
            let span = &value["spans"][0];
            assert_eq!(
                (&span["line"], &span["column"], &span["label"]),
                (&json!(1), &json!(16), &json!("here"))
            );
            assert_eq!(value["help"], json!(["mend it"]));
            assert!(value["rendered"].as_str().unwrap().contains("odd"));
        }
    }
}
