//! Stacks: services with their arguments and what is below them, in systems and as defaults of layers.

use std::collections::BTreeMap;

use proc_macro2::TokenStream;

use crate::ast::{self, Expr, ExprKind};
use crate::check::Checked;
use crate::diag::Diagnostics;
use crate::ir::Placed;
use crate::names::bound;
use crate::types::Type;

use super::value::{Home, Lowerer};

/// Lowers stacks.
pub(super) struct Stacks<'c, 'a, 'd> {
    pub checked: &'c Checked<'a>,
    /// A system, or the service whose default this is.
    pub home: Home<'c>,
    pub diagnostics: &'d mut Diagnostics,
}

impl Stacks<'_, '_, '_> {
    /// A service with its arguments. What it does not say of its layers keeps its default.
    pub(super) fn placed(&mut self, stack: &ast::Stack) -> Option<Placed> {
        let service = self.checked.names.top(stack)?;
        let names = &self.checked.names.services[service];
        let (mut arguments, mut lower) = (BTreeMap::new(), BTreeMap::new());
        for field in stack.fields() {
            if let Some(slot) = names.layer(&field.name.name) {
                lower.extend(
                    field.value.as_ref().and_then(bound).and_then(|it| Some((slot, self.placed(&it)?))),
                );
                continue;
            }
            let Some(parameter) = names.parameter(&field.name.name) else { continue };
            let ty = parameter.ty.as_ref().map_or(Type::Unknown, |ty| self.checked.names.types.resolve(ty));
            let shorthand;
            let value = match &field.value {
                Some(value) => value,
                None => {
                    let path = ast::Path { segments: vec![field.name.clone()], span: field.name.span };
                    shorthand = Expr { kind: ExprKind::Path(path), span: field.name.span };
                    &shorthand
                }
            };
            if let Some(tokens) = self.argument(value, &ty) {
                arguments.insert(field.name.name.clone(), tokens);
            }
        }
        Some(Placed { service, arguments, lower })
    }

    /// An argument; parameters of the service whose default this is are names there.
    fn argument(&mut self, expr: &Expr, wanted: &Type) -> Option<TokenStream> {
        let mut lowerer = Lowerer::new(self.checked, self.home, self.diagnostics);
        lowerer.locals.push(("me".to_owned(), Type::Node(None)));
        if let Home::Service { index, .. } = self.home {
            lowerer.binding = true;
            for parameter in &self.checked.names.services[index].parameters {
                let ty = parameter.ty.as_ref();
                let ty = ty.map_or(Type::Unknown, |ty| self.checked.names.types.resolve(ty));
                lowerer.locals.push((parameter.name.clone(), ty.referenced()));
            }
        }
        lowerer.argument(expr, wanted)
    }
}
