//! Warnings that a specification allows, each by its name and with a reason.
//!
//! `allow` in a service is about warnings in that service, at file level about all of the file. One that allows nothing
//! is a warning itself.

use crate::ast::{Allow, Ast};
use crate::check::{Checked, unknown};
use crate::codes;
use crate::diag::{Diagnostic, Diagnostics, Severity};
use crate::source::Span;

/// Reports allowances that say no reason or name no warning.
pub fn check(ast: &Ast, diagnostics: &mut Diagnostics) {
    for (allow, _) in allows(ast) {
        let name = &allow.warning;
        if codes::named(&name.name).is_none() {
            let known = codes::ALL.iter().map(|it| it.name).filter(|it| !it.is_empty());
            let found = unknown("E0307", name.span, "warning", &name.name, known);
            diagnostics.push(found.with_note("`foresee explain` lists every warning with its name"));
        }
        let reason = allow.reason.as_ref();
        if reason.is_none_or(|it| it.text.trim_matches(['"', ' ', '_']).is_empty()) {
            let place = reason.map_or(allow.span, |it| it.span);
            diagnostics.push(
                Diagnostic::error("E0306", place, format!("`{}` is allowed without a reason", name.name))
                    .with_help(format!("say why it is fine: `{}: \"..\";`", head(allow))),
            );
        }
    }
}

/// Takes away what is allowed from the warnings that were found, and reports the allowances that allow nothing.
pub fn filter(checked: &Checked<'_>, found: Diagnostics, diagnostics: &mut Diagnostics) {
    let allows = allows(checked.ast);
    let mut used = vec![false; allows.len()];
    for one in found {
        let name = codes::find(one.code).map_or("", |it| it.name);
        let fits = |(allow, around): &(&Allow, Span)| {
            let targets = allow.targets.iter().map(dotted);
            let about = allow.targets.is_empty() || targets.into_iter().any(|it| it == one.subject);
            one.severity == Severity::Warning
                && allow.warning.name == name
                && around.contains(one.span)
                && about
        };
        let mut allowed = false;
        for (at, _) in allows.iter().enumerate().filter(|(_, it)| fits(it)) {
            (used[at], allowed) = (true, true);
        }
        if !allowed {
            diagnostics.push(with_way_out(one, name));
        }
    }
    for ((allow, _), used) in allows.iter().zip(used) {
        if !used && codes::named(&allow.warning.name).is_some() {
            let message = format!(
                "there is no warning `{}` that this allows",
                head(allow).trim_start_matches("allow ")
            );
            let help = "remove it";
            diagnostics.push(Diagnostic::warning("W0101", allow.span, message).with_help(help));
        }
    }
}

/// A warning with the line that would allow it.
fn with_way_out(one: Diagnostic, name: &str) -> Diagnostic {
    if name.is_empty() || one.severity != Severity::Warning {
        return one;
    }
    let subject = if one.subject.is_empty() { String::new() } else { format!(" {}", one.subject) };
    one.with_note(format!("if it is meant, say why: `allow {name}{subject}: \"..\";`"))
}

/// All allowances with the place that each is about.
fn allows(ast: &Ast) -> Vec<(&Allow, Span)> {
    let own = ast.allows().map(|it| (it, ast.span));
    own.chain(ast.services().flat_map(|it| it.allows().map(|allow| (allow, it.span)))).collect()
}

fn head(allow: &Allow) -> String {
    let targets: Vec<String> = allow.targets.iter().map(dotted).collect();
    format!("allow {} {}", allow.warning.name, targets.join(", ")).trim_end().to_owned()
}

fn dotted(it: &crate::ast::Dotted) -> String {
    it.segments.iter().map(|it| it.name.as_str()).collect::<Vec<_>>().join(".")
}
