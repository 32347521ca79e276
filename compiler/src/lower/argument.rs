//! Arguments, of services in a system and of calls in a workload.

use proc_macro2::TokenStream;
use quote::quote;

use crate::ast::{Expr, ExprKind};
use crate::body::fits;
use crate::diag::Diagnostic;
use crate::types::Type;

use super::value::{Home, Lowerer, Value};

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
        let value = self.fitting(expr, wanted)?;
        let (tokens, ty, place) = (value.tokens, value.ty, value.place);
        Some(match (wanted, &ty) {
            // A list stands for a set of what is in it, one of pairs for a map.
            (Type::Set(_) | Type::Map(..), Type::Seq(_)) => quote!(#tokens.into_iter().collect()),
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

    /// A value where one of the type `wanted` stands: a whole number is a real one too, and a node an `Option` of one. What certainly
    /// does not fit is reported.
    pub(super) fn fitting(&mut self, expr: &Expr, wanted: &Type) -> Option<Value> {
        self.real = *wanted == Type::Float;
        let value = self.expr(expr, Some(wanted))?;
        let place = value.place;
        let value = self.by_value(value);
        let tokens = &value.tokens;
        match (wanted, value.ty.peeled()) {
            (Type::Float, Type::Int(_)) => return Some(Value::new(quote!((#tokens as f64)), Type::Float)),
            (Type::Option(inner), Type::Node(_)) if matches!(**inner, Type::Node(_)) => {
                return Some(Value::new(quote!(Some(#tokens)), wanted.clone()));
            }
            _ => {}
        }
        if let Some(help) = self.misfit(expr, wanted, value.ty.peeled()) {
            let inner = |ty: &Type| ty.element().map(|it| it.describe());
            let (wanted, given) = match (wanted, value.ty.peeled()) {
                (Type::Int(wanted), Type::Int(given)) => (format!("a `{wanted}`"), format!("a `{given}`")),
                (Type::Int(_), Type::Float) => ("a whole number".to_owned(), "none".to_owned()),
                (wanted, given) if wanted.describe() == given.describe() => {
                    match (inner(wanted), inner(given)) {
                        (Some(wanted), Some(given)) if wanted != given => {
                            (format!("{wanted} in each place"), format!("{given} in each"))
                        }
                        _ => (wanted.describe(), "another one".to_owned()),
                    }
                }
                (wanted, given) => (wanted.describe(), given.describe()),
            };
            let message = format!("{wanted} is wanted here, and this is {given}");
            let found = Diagnostic::error("E0510", expr.span, message);
            self.report(match help.is_empty() {
                true => found,
                false => found.with_help(help),
            });
            return None;
        }
        Some(Value { place, ..value })
    }

    /// Advice on a value that certainly has another type than the one that is wanted; empty where there is none to give.
    fn misfit(&self, expr: &Expr, wanted: &Type, given: &Type) -> Option<String> {
        let text = self.checked.places.file.slice(expr.span);
        match (wanted, given) {
            (Type::Int(a), Type::Int(b)) => {
                (a != b && *a != "_" && *b != "_").then(|| format!("write `{text} as {a}`"))
            }
            (Type::Int(_), Type::Float) => Some(String::new()),
            // A list stands for a set, and a group for either.
            (Type::Set(wanted), Type::Seq(given)) => (!fits(wanted, given)).then(String::new),
            (Type::Map(key, value), Type::Seq(given)) => {
                (!fits(&Type::Tuple(vec![(**key).clone(), (**value).clone()]), given)).then(String::new)
            }
            (Type::Set(inner) | Type::Seq(inner), Type::Group(_)) => {
                (!fits(inner, &Type::Node(None))).then(String::new)
            }
            _ if fits(wanted, given) => None,
            (Type::Option(inner), _) if fits(inner, given) => Some(format!("write `Some({text})`")),
            (Type::Duration, Type::Int(_) | Type::Float) => {
                Some("write a unit: `10ms`, `5s`, `2min`".to_owned())
            }
            (Type::Set(inner) | Type::Seq(inner), _) if fits(inner, given) => {
                Some(format!("write a list: `[{text}]`"))
            }
            (Type::Node(_), Type::Group(_)) => Some(format!("write `{text}[0]` for its first node")),
            _ => Some(String::new()),
        }
    }
}
