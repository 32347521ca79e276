//! Variables and crashes: what is durable and never put to the test, and what a restarted node has forgotten that it said.

use super::setting::Setting;
use super::whole::Whole;
use crate::ast::{ModifierKind, Service};
use crate::body::{Receiver, Sent, Survey};
use crate::check::{Checked, Trigger};
use crate::diag::{Diagnostic, Diagnostics};
use crate::types::Type;

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

/// Volatile variables that a restarted node contradicts in what it sends: promises and numbers.
///
/// A promise is what a handler compares with something of a message, or tests for being there, then takes over from the message, and
/// answers. A number is what a handler counts up and tells.
pub(super) fn forgetful(
    checked: &Checked<'_>,
    index: usize,
    service: &Service,
    (wholes, settings): (&[Whole], &[Setting<'_>]),
    diagnostics: &mut Diagnostics,
) {
    let Some(setting) = settings.iter().find(|it| it.crashes && it.comes_back) else { return };
    let names = &checked.names.services[index];
    let heads = &checked.services[index].heads.handlers;
    for variable in service.variables() {
        let name = &variable.name.name;
        if variable.is(ModifierKind::Durable) || variable.is(ModifierKind::Ghost) {
            continue;
        }
        let ty = names.variable(name).and_then(|it| it.ty.as_ref());
        let ty = ty.map_or(Type::Unknown, |it| checked.names.types.resolve(it));
        let promise = heads.iter().zip(wholes).find_map(|(head, whole)| {
            let delivered = matches!(head.trigger, Some(Trigger::Deliver(_)));
            let sent = promise(name, &ty, &whole.survey).filter(|_| delivered)?;
            Some((head, sent, "takes it from the message and answers"))
        });
        let number = || {
            heads.iter().enumerate().find_map(|(at, head)| {
                // In one body: what is told elsewhere is more often a place that was reached than a new number.
                let facts = &checked.services[index];
                let called = super::close(&facts.handlers[at], &facts.routines).into_keys();
                let mut bodies = called.filter_map(|it| facts.surveyed.get(it)).chain([&facts.surveys[at]]);
                let sent = bodies.find_map(|it| number(name, &ty, it))?;
                Some((head, sent, "counts it up and tells it in"))
            })
        };
        let Some((head, sent, does)) = promise.or_else(number) else { continue };
        let message = &checked.names.message_at(names, sent.message).name;
        let text = format!("a node that restarts has forgotten `{name}`, and may contradict what it said");
        diagnostics.push(
            Diagnostic::warning("W0302", variable.name.span, text)
                .with_label(format!(
                    "volatile, and `{}` crashes nodes and brings them back",
                    setting.system.name.name
                ))
                .with_secondary(head.handler.event.span, format!("{does} `{message}`"))
                .with_help(format!("keep it: `durable {name}: ..`"))
                .about(name),
        );
    }
}

/// What is sent where a variable takes over something of the message under a condition about that variable.
fn promise<'s>(name: &String, ty: &Type, survey: &'s Survey) -> Option<&'s Sent> {
    let mut adopted = survey.adopted.iter().filter(|(of, _)| of == name).peekable();
    adopted.peek()?;
    let compared = adopted.any(|(_, local)| survey.compared.contains(&(name.clone(), local.clone())));
    let given_away = matches!(ty, Type::Option(_)) && survey.tested.contains(name);
    let answers = |it: &&Sent| matches!(it.receiver, Receiver::Sender | Receiver::Told);
    match (compared, given_away) {
        (true, _) => survey.sends.first(),
        (_, true) => survey.sends.iter().find(answers),
        _ => None,
    }
}

/// What is sent where a number is counted up and told.
fn number<'s>(name: &String, ty: &Type, survey: &'s Survey) -> Option<&'s Sent> {
    let counts = matches!(ty, Type::Int(_)) && survey.grown.contains_key(name);
    survey.sends.iter().find(|it| it.tells.contains(name)).filter(|_| counts)
}
