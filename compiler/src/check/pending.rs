//! Refuses what the language has and this compiler does not support yet: a clear error at its place, never wrong code.

use crate::ast::{Ast, Item, Member, Service};
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::Span;

pub(super) fn refuse(ast: &Ast, diagnostics: &mut Diagnostics) {
    let mut refuse = Refuse { diagnostics };
    for item in &ast.items {
        match item {
            Item::Service(it) => refuse.service(it),
            Item::Scenario(_)
            | Item::Import(_)
            | Item::Rust(_)
            | Item::Messages(_)
            | Item::Interface(_)
            | Item::System(_)
            | Item::Allow(_) => {}
        }
    }
}

struct Refuse<'d> {
    diagnostics: &'d mut Diagnostics,
}

impl Refuse<'_> {
    fn not_yet(&mut self, code: &'static str, span: Span, what: &str, help: &str) {
        let found = Diagnostic::error(code, span, format!("not yet supported: {what}"));
        self.diagnostics.push(
            found.with_label("part of the language, but this compiler cannot do it yet").with_help(help),
        );
    }

    fn service(&mut self, service: &Service) {
        for member in &service.members {
            if let Member::Generic(it) = member {
                let help = "leave it out: every node of a system runs its service";
                self.not_yet("E0910", keyword(it.span, "generic"), "generic nodes", help);
            }
        }
    }
}

/// The keyword at the start of a section.
fn keyword(section: Span, word: &str) -> Span {
    Span::new(section.start, (section.start + word.len() as u32).min(section.end))
}
