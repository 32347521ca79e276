//! Arguments, of services in a system and of calls in a workload.

use proc_macro2::TokenStream;
use quote::quote;

use crate::ast::{Expr, ExprKind};
use crate::diag::Diagnostic;
use crate::types::Type;

use super::value::{Home, Lowerer};

impl Lowerer<'_, '_, '_> {
    /// An argument: a group where a set of ids is wanted, a single node where an id is, and values.
    pub(super) fn argument(&mut self, expr: &Expr, wanted: &Type) -> Option<TokenStream> {
        let group = |name: &str, home: Home<'_>| match home {
            Home::System(scope) => scope.groups.iter().find(|it| it.0 == name).map(|it| it.2),
            Home::Service { .. } => None,
        };
        if let Some(name) = expr.peeled().as_ident()
            && self.local(&name.name).is_none()
            && let Some(single) = group(&name.name, self.home)
        {
            let token = self.checked.places.ident(name);
            let many = matches!(wanted, Type::Set(_) | Type::Seq(_));
            let one = matches!(wanted, Type::Node(_));
            let optional = matches!(wanted, Type::Option(inner) if matches!(**inner, Type::Node(_)));
            let wrong = if one || optional { !single } else { !many && *wanted != Type::Unknown };
            if wrong {
                let message = match (one, single) {
                    (true, _) => format!("`{}` is a group of nodes, and one node is wanted", name.name),
                    _ => format!("`{}` stands for nodes, and {} is wanted", name.name, wanted.describe()),
                };
                let mut found = Diagnostic::error("E0509", expr.span, message);
                if one {
                    found = found.with_help(format!("write `{}[0]` for its first node", name.name));
                }
                self.report(found);
                return None;
            }
            return Some(match optional {
                true => quote!(Some(#token.only())),
                false => quote!((&#token).into()),
            });
        }
        let value = self.expr(expr, Some(wanted))?;
        let place = value.place;
        let value = self.by_value(value);
        let (tokens, ty) = (value.tokens, value.ty);
        Some(match (wanted, &ty) {
            // A list of ids stands for a set of them.
            (Type::Set(_), Type::Seq(_)) => quote!(#tokens.into_iter().collect()),
            (Type::Seq(_), Type::Seq(_)) if matches!(expr.peeled().kind, ExprKind::Array(_)) => {
                quote!(#tokens.into_iter().collect())
            }
            (Type::Text, Type::Ref(_)) if !place => quote!(#tokens.to_owned()),
            (Type::Text, _) => quote!(#tokens.clone()),
            // Another layer, or another node, may need it too.
            _ if place && !ty.is_copy() => quote!(#tokens.clone()),
            _ => tokens,
        })
    }
}
