//! Diagnostics: what is wrong with a specification, where, and what to write instead.
//!
//! A stage never stops at the first mistake: it puts every finding into a [`Diagnostics`] and goes on. Nothing
//! here prints; `render.rs` makes text or JSON of a diagnostic, and `codes.rs` lists all codes.

use crate::source::Span;

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The specification cannot be compiled.
    Error,
    /// It can, but somebody should look.
    Warning,
}

impl Severity {
    /// The word that stands before the code.
    pub const fn word(self) -> &'static str {
        match self {
            Severity::Error => "error",
            Severity::Warning => "warning",
        }
    }
}

/// A further place with a remark, such as an earlier declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What to say about it.
    pub text: String,
}

/// One finding.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub struct Diagnostic {
    /// The stable code, such as `E0101`; `codes.rs` explains it.
    pub code: &'static str,
    /// Error or warning.
    pub severity: Severity,
    /// The place that is underlined first.
    pub span: Span,
    /// One sentence without a full stop.
    pub message: String,
    /// The remark at the underlined place; may be empty.
    pub label: String,
    /// Further places.
    pub secondary: Vec<Label>,
    /// Background, each a sentence.
    pub notes: Vec<String>,
    /// What to do, each a sentence.
    pub help: Vec<String>,
    /// What a warning is about, by which `allow` calls it; may be empty.
    pub subject: String,
}

impl Diagnostic {
    /// An error at a place.
    pub fn error(code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, Severity::Error, span, message.into())
    }

    /// A warning at a place.
    pub fn warning(code: &'static str, span: Span, message: impl Into<String>) -> Diagnostic {
        Diagnostic::new(code, Severity::Warning, span, message.into())
    }

    fn new(code: &'static str, severity: Severity, span: Span, message: String) -> Diagnostic {
        let label = String::new();
        Diagnostic {
            code,
            severity,
            span,
            message,
            label,
            secondary: vec![],
            notes: vec![],
            help: vec![],
            subject: String::new(),
        }
    }

    /// With the name of what it is about.
    pub fn about(mut self, subject: impl Into<String>) -> Diagnostic {
        self.subject = subject.into();
        self
    }

    /// With a remark at the place.
    pub fn with_label(mut self, label: impl Into<String>) -> Diagnostic {
        self.label = label.into();
        self
    }

    /// With a further place.
    pub fn with_secondary(mut self, span: Span, text: impl Into<String>) -> Diagnostic {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// With background.
    pub fn with_note(mut self, note: impl Into<String>) -> Diagnostic {
        self.notes.push(note.into());
        self
    }

    /// With advice.
    pub fn with_help(mut self, help: impl Into<String>) -> Diagnostic {
        self.help.push(help.into());
        self
    }
}

/// A collection of findings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Diagnostics {
    list: Vec<Diagnostic>,
}

impl Diagnostics {
    /// None so far.
    pub fn new() -> Diagnostics {
        Diagnostics::default()
    }

    /// Adds one.
    pub fn push(&mut self, diagnostic: Diagnostic) {
        self.list.push(diagnostic);
    }

    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.list.iter().any(|one| one.severity == Severity::Error)
    }

    /// The number of errors.
    pub fn errors(&self) -> usize {
        self.list.iter().filter(|one| one.severity == Severity::Error).count()
    }

    /// Whether there is none at all.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.list.len()
    }

    /// All of them, in their present order.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.list.iter()
    }

    /// Puts them into the order of the file, errors before warnings at one place, without duplicates.
    pub fn sort(&mut self) {
        self.list.sort_by(|a, b| {
            (a.span, a.severity, a.code, &a.message).cmp(&(b.span, b.severity, b.code, &b.message))
        });
        self.list.dedup();
    }
}

impl Extend<Diagnostic> for Diagnostics {
    fn extend<T: IntoIterator<Item = Diagnostic>>(&mut self, more: T) {
        self.list.extend(more);
    }
}

impl IntoIterator for Diagnostics {
    type Item = Diagnostic;
    type IntoIter = std::vec::IntoIter<Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.into_iter()
    }
}

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.list.iter()
    }
}

impl From<Diagnostic> for Diagnostics {
    fn from(one: Diagnostic) -> Diagnostics {
        Diagnostics { list: vec![one] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sorting_follows_the_file_and_drops_repeats() {
        let mut all = Diagnostics::new();
        all.push(Diagnostic::warning("W0001", Span::new(5, 6), "b"));
        all.push(Diagnostic::error("E0101", Span::new(5, 6), "a"));
        all.push(Diagnostic::error("E0101", Span::new(1, 2), "c"));
        all.push(Diagnostic::error("E0101", Span::new(1, 2), "c"));
        all.sort();
        let order: Vec<_> = all.iter().map(|one| one.message.as_str()).collect();
        assert_eq!(order, ["c", "a", "b"]);
        assert_eq!((all.errors(), all.len()), (2, 3));
    }
}
