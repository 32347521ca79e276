//! From the checked tree to the intermediate form. Properties, objectives and systems are type-checked on the way, as far as
//! types are known; everything else was checked before. A part that is broken is left out, and its error is there already.

mod apply;
mod argument;
mod interface;
mod layers;
mod matches;
mod methods;
mod names;
mod objective;
mod operators;
mod pin;
mod plan;
mod property;
mod quantify;
mod rate;
mod run;
mod scenario;
mod seen;
mod service;
mod stack;
mod system;
mod value;
mod workload;

use crate::ast::{Item, Param};
use crate::check::Checked;
use crate::diag::Diagnostics;
use crate::ir::{Field, File, Message, Reexport, Spec};

pub(crate) use objective::literal;
pub(crate) use service::{one_line, snake};
pub(crate) use system::constant;

/// Lowers everything. Where `diagnostics` has errors afterwards, the result must not be used.
pub fn lower(checked: &Checked<'_>, name: &str, hash: u64, diagnostics: &mut Diagnostics) -> Spec {
    let items = checked.ast.items.iter().filter_map(|item| match item {
        Item::Rust(item) => {
            let file = checked.names.files.of(item.fragment.span);
            checked.rust.item(&item.fragment).map(|it| (file, it.clone()))
        }
        _ => None,
    });
    let messages =
        checked.ast.messages().map(|it| (checked.names.files.of(it.name.span), message(checked, it, 0)));
    let services = checked.ast.services().enumerate();
    let services = services.map(|(index, it)| service::lower(checked, index, it, diagnostics)).collect();
    let systems = checked.ast.systems().filter_map(|it| system::lower(checked, it, diagnostics)).collect();
    let scenarios =
        checked.ast.scenarios().filter_map(|it| scenario::lower(checked, it, diagnostics)).collect();
    Spec {
        name: name.to_owned(),
        files: files(checked),
        hash,
        doc: checked.ast.doc.clone(),
        items: items.collect(),
        messages: messages.collect(),
        interfaces: interface::lower(checked),
        services,
        systems,
        scenarios,
    }
}

/// The files with what each of them takes from others.
fn files(checked: &Checked<'_>) -> Vec<File> {
    let names = &checked.names;
    let files = names.files.list.iter().enumerate().map(|(index, it)| {
        let path = match index == names.files.home {
            // As it was given.
            true => checked.places.file.name_at(it.span.start).to_owned(),
            false => it.path.clone(),
        };
        let specs =
            it.specs.iter().map(|(name, spec)| Reexport { file: spec.file, name: None, local: name.clone() });
        let taken = it.taken.iter().map(|(local, taken)| {
            let is = |file: usize, name: &str| file == taken.file && name == taken.name;
            let has_module = names.services.iter().any(|it| is(it.file, &it.name))
                || names.interfaces.iter().any(|it| is(it.file, &it.name));
            let is_rust = names.items.contains_key(&(taken.file, taken.name.clone()));
            let name = match (is_rust, has_module) {
                (true, _) => Some(taken.name.clone()),
                (false, true) => Some(snake(&taken.name)),
                (false, false) => None,
            };
            let local = if is_rust { local.clone() } else { snake(local) };
            // The module of a service stands aside for a file of its name; generated code names both by whole paths.
            let free = is_rust || !it.specs.contains_key(&local);
            name.filter(|_| free).map(|name| Reexport { file: taken.file, name: Some(name), local })
        });
        File { module: it.module.clone(), path, reexports: taken.flatten().chain(specs).collect() }
    });
    files.collect()
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
