//! Where the order of ids matters: a service that depends on it changes its behaviour when nodes are renamed, so that states which
//! differ in the names of nodes alone must all be looked at.

use super::setting::Setting;
use crate::ast::{Property, Service};
use crate::check::Checked;
use crate::diag::{Diagnostic, Diagnostics};
use crate::source::Span;

/// How many places a warning shows.
const PLACES_MAX: usize = 4;

/// A place where the order of ids matters.
pub(super) struct Ordered {
    /// The handler, routine, property, or what has the initial value or interval.
    pub place: String,
    /// Where.
    pub span: Span,
    /// What is done there.
    pub what: String,
}

/// All such places of a service, in their order.
pub(super) fn ordered(checked: &Checked<'_>, index: usize, service: &Service) -> Vec<Ordered> {
    let facts = &checked.services[index];
    let handlers = facts.heads.handlers.iter().zip(&facts.surveys).map(|(head, it)| (head.name.clone(), it));
    let routines = facts.surveyed.iter().map(|(name, it)| (format!("routine {name}"), it));
    let values = facts.valued.iter().map(|(name, it)| (format!("value {name}"), it));
    let mut found: Vec<Ordered> = Vec::new();
    for (place, survey) in handlers.chain(routines).chain(values) {
        for (span, what) in &survey.ordered {
            found.push(Ordered { place: place.clone(), span: *span, what: what.clone() });
        }
    }
    found.extend(in_properties(checked, service.properties()));
    found.sort_by_key(|it| (it.span.start, it.span.end));
    found.dedup_by_key(|it| it.span);
    found
}

/// Those in properties: they say something else of a state after nodes are renamed.
pub(super) fn in_properties<'p>(
    checked: &Checked<'_>,
    properties: impl Iterator<Item = &'p Property>,
) -> Vec<Ordered> {
    let compared = checked.ordered.borrow();
    let of = |property: &Property| {
        let place = format!("property {}", property.name.name);
        let inside = compared.iter().filter(|span| property.span.contains(**span));
        let ordered =
            |span: &Span| Ordered { place: place.clone(), span: *span, what: "ids are compared".to_owned() };
        inside.map(ordered).collect::<Vec<_>>()
    };
    properties.flat_map(of).collect()
}

pub(super) fn warnings(places: &[Ordered], settings: &[Setting<'_>], diagnostics: &mut Diagnostics) {
    // Nodes can be renamed only where there are several of a kind.
    let Some(setting) = settings.iter().find(|it| it.several) else { return };
    let Some((first, others)) = places.split_first() else { return };
    let text =
        format!("nodes of `{}` differ by their ids: their order matters here", setting.system.name.name);
    let mut found = Diagnostic::warning("W0304", first.span, text).with_label(first.what.clone());
    for other in others.iter().take(PLACES_MAX - 1) {
        found = found.with_secondary(other.span, other.what.clone());
    }
    if others.len() >= PLACES_MAX {
        let more = others.len() + 1 - PLACES_MAX;
        found = found.with_note(format!("and in {more} place{} more", if more == 1 { "" } else { "s" }));
    }
    diagnostics.push(
        found
            .with_note("states that differ in the names of nodes alone are then different states, and a check looks at all of them")
            .with_help("decide by something else than the id, or leave it open: `choose x in SET`"),
    );
}
