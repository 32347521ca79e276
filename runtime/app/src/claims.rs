//! Claims that a command does not judge: they are listed as not checked, with the code that says why, and never counted as held.

use std::io::{self, Write};
use std::sync::Arc;

use foresee_kernel::{CarrierKind, Model};
use serde_json::{Value, json};

use crate::exit::Failure;

/// A claim that was not judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unjudged {
    /// The word of the language.
    pub kind: &'static str,
    /// Its name.
    pub name: &'static str,
    /// The code that explains why.
    pub code: &'static str,
    /// Why.
    pub why: &'static str,
}

/// The liveness properties: a check decides them where it is asked to.
pub fn liveness(model: &Model) -> Vec<Unjudged> {
    let why = foresee_check::liveness::refusal(model).unwrap_or("`check --liveness` decides it");
    let claims = model.liveness.iter();
    claims.map(|claim| Unjudged { kind: "liveness", name: claim.name, code: "E0905", why }).collect()
}

/// The statistical properties: neither a check nor single runs decide them.
pub fn statistical(model: &Model) -> Vec<Unjudged> {
    let why = "`simulate --verify` decides it";
    let claims = model.statistics.iter();
    claims.map(|claim| Unjudged { kind: "statistical", name: claim.name, code: "E0906", why }).collect()
}

/// One line for each.
pub fn write(out: &mut dyn Write, unjudged: &[Unjudged]) -> io::Result<()> {
    for Unjudged { kind, name, code, why } in unjudged {
        let claim = format!("{kind:<10} {name}");
        writeln!(out, "  {claim:<35} not checked: {why} ({code})")?;
    }
    Ok(())
}

/// The same for programs.
pub fn json(unjudged: &[Unjudged]) -> Vec<Value> {
    let one = |it: &Unjudged| json!({ "name": it.name, "kind": it.kind, "status": "not checked", "code": it.code, "reason": it.why });
    unjudged.iter().map(one).collect()
}

/// The model with the properties of these names alone; as it is where none is named.
///
/// # Errors
/// A name of no property, or of one that a check cannot judge.
pub fn select(model: Arc<Model>, names: &[String]) -> Result<Arc<Model>, Failure> {
    if names.is_empty() {
        return Ok(model);
    }
    for name in names {
        let refused = foresee_check::liveness::refusal(&model).map(|_| liveness(&model)).unwrap_or_default();
        let unjudged = refused.into_iter().chain(statistical(&model)).find(|it| it.name == name);
        if let Some(Unjudged { kind, code, why, .. }) = unjudged {
            let message = format!("{code}: the {kind} property `{name}` cannot be checked: {why}");
            return Err(Failure::usage(message));
        }
        let runs = model.liveness.iter().any(|claim| claim.name == name);
        if !runs && name != "no_fault" && !model.properties.iter().any(|property| property.name == name) {
            return Err(no_property(&model, name));
        }
    }
    let mut chosen = (*model).clone();
    chosen.properties.retain(|property| names.iter().any(|name| name == property.name));
    chosen.liveness.retain(|claim| names.iter().any(|name| name == claim.name));
    chosen.statistics = Vec::new();
    Ok(Arc::new(chosen))
}

fn no_property(model: &Model, name: &str) -> Failure {
    let known: Vec<&str> = model.properties.iter().map(|property| property.name).collect();
    let of_several = |known: &&&str| known.rsplit_once('.').is_some_and(|(_, last)| last == name);
    let several: Vec<&str> = known.iter().filter(of_several).copied().collect();
    let (system, all) = (model.system, known.join(", "));
    Failure::usage(match (several.len(), known.is_empty()) {
        (0 | 1, true) => format!("system `{system}` has no property `{name}`; it has: none but no_fault"),
        (0 | 1, false) => format!("system `{system}` has no property `{name}`; it has: {all}"),
        _ => {
            let several = several.join(", ");
            format!(
                "system `{system}` has several properties `{name}`, one a service; write one of: {several}"
            )
        }
    })
}

/// Refuses a bound that a check cannot keep yet, and a reduction that the model has no use for or that would spoil a bound.
///
/// # Errors
/// The first of these.
pub fn refuse(model: &Model) -> Result<(), Failure> {
    let (bounds, system) = (&model.bounds, model.system);
    if bounds.timed {
        let message =
            format!("E0914: system `{system}` is to be checked with `timed`, which is not yet supported");
        return Err(Failure::usage(message));
    }
    let refuse = |why: &str| {
        Err(Failure::usage(format!("system `{system}` cannot be reduced by `retain-ignored`: {why}")))
    };
    if bounds.retain_ignored && bounds.messages.is_some() {
        return refuse("it keeps messages in flight, and `messages` bounds how many there are");
    }
    if bounds.retain_ignored && !model.carriers.iter().any(|it| it.kind == CarrierKind::Datagram) {
        return refuse("it has no network without order");
    }
    Ok(())
}
