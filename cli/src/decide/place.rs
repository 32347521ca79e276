//! Where a field of a problem stands in its TOML text.

use foresee_compiler::source::Span;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The place of a field such as `act[1].utilities[0]`; of what it is missing from, where it is not there; and no place,
/// where even that is not there.
pub fn of(field: &str, text: &str) -> Span {
    let Ok(root) = DeTable::parse(text) else { return Span::default() };
    let mut steps = steps(field);
    let Some(first) = steps.next() else { return Span::default() };
    let Some(mut here) = entry(root.get_ref(), first) else { return Span::default() };
    for step in steps {
        let inside = match here.get_ref() {
            DeValue::Table(table) => entry(table, step),
            DeValue::Array(list) => step.parse::<usize>().ok().and_then(|index| list.get(index)),
            _ => None,
        };
        match inside {
            Some(inside) => here = inside,
            None => break,
        }
    }
    let at = here.span();
    Span::at(at.start, at.end)
}

/// The names and numbers of a path.
fn steps(field: &str) -> impl Iterator<Item = &str> {
    field.split(['.', '[']).map(|step| step.trim_end_matches(']'))
}

fn entry<'t, 'i>(table: &'t DeTable<'i>, name: &str) -> Option<&'t Spanned<DeValue<'i>>> {
    table.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value)
}
