//! Variables and crashes: what is durable and never put to the test, and what a restarted node has forgotten that it said.

use super::setting::Setting;
use super::whole::Whole;
use crate::ast::{ModifierKind, Service};
use crate::check::{Checked, Trigger};
use crate::diag::{Diagnostic, Diagnostics};

/// Durable variables of a service that runs in systems none of which crashes it.
pub(super) fn untested(service: &Service, settings: &[Setting<'_>], diagnostics: &mut Diagnostics) {
    if settings.is_empty() || settings.iter().any(|it| it.crashes) {
        return;
    }
    let mut durable = service.variables().filter(|it| it.is(ModifierKind::Durable));
    let Some(first) = durable.next() else { return };
    let others: Vec<_> = durable.map(|it| format!("`{}`", it.name.name)).collect();
    let names: Vec<_> = settings.iter().map(|it| format!("`{}`", it.system.name.name)).collect();
    let name = &first.name.name;
    let message = format!("`{name}` is durable, and no system crashes a node that has it");
    let mut found = Diagnostic::warning("W0303", first.name.span, message)
        .with_label("survives what never happens")
        .with_help("let one of them: `faults { crash any: at most 1, back; }`")
        .with_note(format!("the service runs in {}", names.join(", ")));
    if !others.is_empty() {
        found = found.with_note(format!("the same holds for {}", others.join(", ")));
    }
    diagnostics.push(found.about(name));
}

/// Volatile variables that hold a promise: a handler compares one with what a message says, sets it to that, and sends. After a
/// restart the node may say the contrary.
pub(super) fn forgetful(
    checked: &Checked<'_>,
    index: usize,
    service: &Service,
    (wholes, settings): (&[Whole], &[Setting<'_>]),
    diagnostics: &mut Diagnostics,
) {
    let Some(setting) = settings.iter().find(|it| it.crashes && it.comes_back) else { return };
    let heads = &checked.services[index].heads.handlers;
    for variable in service.variables() {
        let name = &variable.name.name;
        if variable.is(ModifierKind::Durable) || variable.is(ModifierKind::Ghost) {
            continue;
        }
        let promises = |survey: &crate::body::Survey| {
            let local = survey.adopted.iter().find(|(of, _)| of == name).map(|(_, local)| local.clone());
            local.is_some_and(|local| survey.compared.contains(&(name.clone(), local)))
        };
        let found = heads.iter().zip(wholes).find(|(head, whole)| {
            matches!(head.trigger, Some(Trigger::Deliver(_)))
                && promises(&whole.survey)
                && !whole.survey.sends.is_empty()
        });
        let Some((head, whole)) = found else { continue };
        let sent = &whole.survey.sends[0];
        let message = &checked.names.message_at(&checked.names.services[index], sent.message).name;
        let text = format!("a node that restarts has forgotten `{name}`, and may contradict what it said");
        diagnostics.push(
            Diagnostic::warning("W0302", variable.name.span, text)
                .with_label(format!(
                    "volatile, and `{}` crashes nodes and brings them back",
                    setting.system.name.name
                ))
                .with_secondary(
                    head.handler.event.span,
                    format!("takes it from the message and answers `{message}`"),
                )
                .with_help(format!("keep it: `durable {name}: ..`"))
                .about(name),
        );
    }
}
