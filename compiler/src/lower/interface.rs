//! Interfaces: the types that stand for their calls.

use proc_macro2::Ident;

use crate::ast;
use crate::check::Checked;
use crate::ir::{Call, Field, Interface, Message};
use crate::names::{CallKind, CallName};
use crate::tokens::identifier;

use super::fields;

pub(super) fn lower(checked: &Checked<'_>) -> Vec<Interface> {
    let interface = |(it, names): (&ast::Interface, &crate::names::InterfaceName)| {
        let ident = checked.places.ident(&it.name);
        Interface {
            module: identifier(&names.module, ident.span()),
            file: names.file,
            ident,
            doc: it.doc.clone(),
            line: checked.places.line(it.name.span),
            calls: it.calls.iter().zip(&names.calls).map(|(it, name)| call(checked, it, name)).collect(),
        }
    };
    checked.ast.interfaces().zip(&checked.names.interfaces).map(interface).collect()
}

fn call(checked: &Checked<'_>, call: &ast::Call, name: &CallName) -> Call {
    let span = checked.places.token_span(call.name.span);
    let mut fields = fields(checked, &call.params);
    if let (CallKind::Request, Some(answer)) = (name.kind, &name.answer) {
        let doc = Some("What it is answered through.".to_owned());
        fields.push(Field { ident: Ident::new("reply", span), doc, ty: syn::parse_quote!(Reply<#answer>) });
    }
    let message = Message {
        ident: Ident::new(&name.type_name(), span),
        doc: call.doc.clone(),
        line: checked.places.line(call.name.span),
        fields,
        slot: 0,
    };
    Call { name: name.name.clone(), kind: name.kind, message, answer: name.answer.clone() }
}
