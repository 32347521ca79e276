//! Interfaces, and what services say of them: `provides` and `uses`.

use crate::ast::{self, Direction};
use crate::diag::Diagnostic;
use crate::names::{
    CallKind, CallName, CarrierKind, CarrierName, InterfaceName, LayerName, Names, ProvidedName, ServiceNames,
};
use crate::types::arguments;

use super::declare::{Declare, Seen};
use super::unknown;

impl Declare<'_, '_> {
    pub(super) fn interface(&mut self, interface: &ast::Interface, file: usize) -> InterfaceName {
        let calls = interface.calls.iter().map(|call| self.call(call)).collect();
        InterfaceName {
            name: interface.name.name.clone(),
            span: interface.name.span,
            file,
            module: crate::lower::snake(&interface.name.name),
            calls,
        }
    }

    fn call(&mut self, call: &ast::Call) -> CallName {
        let params = self.fields(&call.params, "argument");
        let result = call.result.as_ref().and_then(|it| self.rust.ty(it)).cloned();
        let (kind, answer) = match (call.direction, &call.result) {
            (Direction::Up, result) => {
                if let Some(result) = result {
                    self.diagnostics.push(
                        Diagnostic::error("E0431", result.span, "an upcall has no result")
                            .with_label("the layer above answers nothing")
                            .with_help("leave it out; the layer above can make a downcall of its own"),
                    );
                }
                (CallKind::Upcall, None)
            }
            (Direction::Down, None) => (CallKind::Command, None),
            (Direction::Down, Some(_)) => match result.as_ref().and_then(replied) {
                Some(answer) => (CallKind::Request, Some(answer.clone())),
                None => (CallKind::Query, result),
            },
        };
        if kind == CallKind::Request
            && let Some(param) = call.params.iter().find(|it| it.name.name == "reply")
        {
            self.diagnostics.push(
                Diagnostic::error(
                    "E0207",
                    param.name.span,
                    "`reply` cannot be the name of a request's argument",
                )
                .with_label("it is what the request is answered through")
                .with_help("choose another name"),
            );
        }
        CallName { name: call.name.name.clone(), span: call.name.span, kind, params, answer }
    }

    /// `uses tree: Tree;`
    pub(super) fn uses(&mut self, uses: &ast::Uses, file: &Names, names: &mut ServiceNames) {
        let (name, span, wanted) = (uses.name.name.clone(), uses.name.span, &uses.interface);
        if let Some(kind) = wanted.as_ident().and_then(|it| CarrierKind::of(&it.name)) {
            names.carriers.push(CarrierName { name, span, kind });
            return;
        }
        let interface = file.interface_at(wanted);
        names.layers.push(LayerName { name, span, interface, default: uses.default.clone() });
        if interface.is_none() {
            self.no_interface(wanted, file, names.file, &["Reliable", "Datagram", "Secure"]);
        }
    }

    /// Reports an interface that is not there; `others` may stand in its place.
    fn no_interface(&mut self, wanted: &ast::Path, file: &Names, of: usize, others: &[&str]) {
        let last = wanted.last();
        let found = match wanted.segments.as_slice() {
            [name] if file.is_foreign(of, &name.name) => {
                let Some(help) = file.mistaken(of, &name.name, "interface") else { return };
                Diagnostic::error("E0209", name.span, format!("`{}` is no interface", name.name))
                    .with_help(help)
            }
            [name] => {
                let known = file.interfaces_seen(of).chain(others.iter().copied());
                unknown("E0209", name.span, "interface", &name.name, known)
            }
            [spec, _] if file.files.spec(of, &spec.name).is_some() => {
                let there = file.files.spec(of, &spec.name);
                let known = file.interfaces.iter().filter(|it| Some(it.file) == there);
                let what = format!("interface of `{}` named", spec.name);
                unknown("E0209", last.span, &what, &last.name, known.map(|it| it.name.as_str()))
            }
            [spec, ..] if file.is_foreign(of, &spec.name) => return,
            [spec, ..] => {
                let message = format!("there is no imported file `{}`", spec.name);
                let found = Diagnostic::error("E0209", spec.span, message);
                found.with_help(format!("write `import {};` at the top of the file", spec.name))
            }
            [] => return,
        };
        self.diagnostics.push(found);
    }

    /// `provides Tree [by tree];`
    pub(super) fn provides(&mut self, provides: &ast::Provides, file: &Names, names: &mut ServiceNames) {
        let wanted = &provides.interface;
        let Some(interface) = file.interface_at(wanted) else {
            self.no_interface(wanted, file, names.file, &[]);
            return;
        };
        // Calls are named without their interface, by applications and by the layer above.
        let mut seen = Seen::default();
        for (at, call) in file.provided(names) {
            seen.insert(call.name.clone(), (file.interface_of(at).span, ""));
        }
        for (_, call) in file.calls(interface) {
            if let Some((earlier, _)) = seen.get(&call.name) {
                let message = format!("`{}` provides two calls named `{}`", names.name, call.name);
                self.diagnostics.push(
                    Diagnostic::error("E0201", wanted.span, message)
                        .with_secondary(*earlier, "the other one is of this interface")
                        .with_help("give one of them another name, or provide one of the interfaces alone"),
                );
                return;
            }
        }
        let by = provides.by.as_ref().and_then(|by| {
            let found = names.layer(&by.name);
            if found.is_none() {
                let known = names.layers.iter().map(|it| it.name.as_str());
                self.diagnostics.push(unknown("E0209", by.span, "layer", &by.name, known));
            }
            found
        });
        if let (Some(by), Some(at)) = (&provides.by, by)
            && let Some(has) = names.layers[at].interface
            && has != interface
        {
            let message =
                format!("the layer `{}` has the interface `{}`", by.name, file.interfaces[has].name);
            self.diagnostics.push(
                Diagnostic::error("E0432", by.span, message)
                    .with_label(format!("and `{}` is to be passed through to it", wanted.last().name))
                    .with_secondary(names.layers[at].span, "declared here")
                    .with_help("pass an interface through to a layer that has it"),
            );
        }
        names.provides.push(ProvidedName { interface, span: wanted.span, by });
    }
}

/// The `T` of `Reply<T>`.
fn replied(ty: &syn::Type) -> Option<&syn::Type> {
    let syn::Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|it| it.ident == "Reply")?;
    arguments(&last.arguments).first().copied()
}
