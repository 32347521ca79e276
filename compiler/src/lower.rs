//! From the checked tree to the intermediate form. Properties, objectives and systems are type-checked on the way, as far as
//! types are known; everything else was checked before. A part that is broken is left out, and its error is there already.

mod apply;
mod methods;
mod names;
mod objective;
mod operators;
mod property;
mod quantify;
mod service;
mod system;
mod value;

use crate::ast::{Item, Param};
use crate::check::Checked;
use crate::diag::Diagnostics;
use crate::ir::{Field, Message, Spec};

pub(crate) use service::{one_line, snake};
pub(crate) use system::constant;

/// Lowers everything. Where `diagnostics` has errors afterwards, the result must not be used.
pub fn lower(checked: &Checked<'_>, name: &str, hash: u64, diagnostics: &mut Diagnostics) -> Spec {
    let items = checked.ast.items.iter().filter_map(|item| match item {
        Item::Rust(item) => checked.rust.item(&item.fragment).cloned(),
        _ => None,
    });
    let services = checked.ast.services().enumerate();
    let services = services.map(|(index, it)| service::lower(checked, index, it, diagnostics)).collect();
    let systems = checked.ast.systems().filter_map(|it| system::lower(checked, it, diagnostics)).collect();
    Spec {
        name: name.to_owned(),
        file: checked.places.file.name.clone(),
        hash,
        doc: checked.ast.doc.clone(),
        items: items.collect(),
        messages: checked.ast.messages().map(|it| message(checked, it, 0)).collect(),
        services,
        systems,
    }
}

/// A message of the tree.
fn message(checked: &Checked<'_>, message: &crate::ast::Message, slot: usize) -> Message {
    Message {
        ident: checked.places.ident(&message.name),
        doc: message.doc.clone(),
        line: checked.places.line(message.name.span),
        fields: fields(checked, &message.fields),
        slot,
    }
}

fn fields(checked: &Checked<'_>, params: &[Param]) -> Vec<Field> {
    let field = |param: &Param| {
        let ty = checked.rust.ty(&param.ty)?.clone();
        Some(Field { ident: checked.places.ident(&param.name), doc: param.doc.clone(), ty })
    };
    params.iter().filter_map(field).collect()
}
