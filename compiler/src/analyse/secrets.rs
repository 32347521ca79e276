//! Secret variables that leave the node: what is sent tells of them, as they are or by what was made of them.

use std::collections::BTreeSet;

use crate::ast::{ModifierKind, Service};
use crate::check::Checked;
use crate::diag::{Diagnostic, Diagnostics};

/// A warning for each secret, at the first message that tells of it.
pub(super) fn warnings(
    checked: &Checked<'_>,
    index: usize,
    service: &Service,
    diagnostics: &mut Diagnostics,
) {
    let facts = &checked.services[index];
    let mut told: BTreeSet<&str> = BTreeSet::new();
    for survey in facts.surveys.iter().chain(facts.surveyed.values()) {
        for sent in &survey.sends {
            for variable in service.variables().filter(|it| it.is(ModifierKind::Secret)) {
                let name = &variable.name.name;
                if !sent.tells.contains(name) || !told.insert(name) {
                    continue;
                }
                let message = &checked.names.message_at(&checked.names.services[index], sent.message).name;
                let text = format!("`{message}` tells of `{name}`, which is secret");
                diagnostics.push(
                    Diagnostic::warning("W0305", sent.span, text)
                        .with_label("leaves the node here")
                        .with_secondary(variable.name.span, "declared as a secret")
                        .with_help("send something that does not give it away")
                        .about(name),
                );
            }
        }
    }
}
